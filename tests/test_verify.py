"""The look-ahead proof: who peeks is caught at the first print that differs, and who does not passes.

The brute force cuts the tape after every print and compares print by print.
"""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.budget import JIT, examples, tries
from support.budget import LONG as CI
from support.checks import LONG, SESSION_END, SHORT, setup_of, setups
from support.random_tapes import Aggressors, crossovers, markets, random_walk
from support.tapes import Given, signals_of, tape_of
from support.verifying import HONEST, MESSAGE, By

from scalpr_zen import TRADE, ScalprError, SessionRules, StrategyError
from scalpr_zen.runs import verify as module
from scalpr_zen.runs.verify import LookAhead, Verified, cut_prints, verify
from scalpr_zen.simulation.kernel import ROLL
from scalpr_zen.simulation.simulate import simulate

# Strategies that peek ---------------------------------------------------------------------------------


def one_print_ahead(tape):
    """The side of the next price change."""
    return np.sign(np.diff(tape.price, append=tape.price[-1:]))


def sessions_last_print(tape):
    """Long at the last print of each session date, which nobody knows to be the last."""
    signals = np.zeros(len(tape))
    signals[tape.sessions["stop"] - 1] = LONG
    return signals


def segments_last_print(tape):
    """Short at the last print of each contract."""
    signals = np.zeros(len(tape))
    signals[tape.segments["stop"] - 1] = SHORT
    return signals


def end_of_the_tape(tape):
    """Follow each price change, but not in the last ten prints."""
    signals = np.sign(np.diff(tape.price, prepend=tape.price[:1]))
    signals[-10:] = 0
    return signals


def centred_average(tape):
    """The side of the price from the average of the five around it."""
    return np.sign(tape.price - np.convolve(np.pad(tape.price, 2, mode="edge"), np.ones(5) / 5, mode="valid"))


def share_of_the_highest(tape):
    """Long above the middle of all prices of the tape, short below it."""
    price = tape.price.astype(np.int64)
    return np.sign(2 * price - price.max(initial=0) - price.min(initial=2**40))


def length_of_the_tape(tape):
    """Long at each tenth part of the tape."""
    signals = np.zeros(len(tape))
    signals[:: max(1, len(tape) // 10)] = LONG
    return signals


def z_score(tape):
    """Prices beyond one standard deviation of the whole tape."""
    x = tape.price - tape.price.mean() if len(tape) else tape.price
    return np.where(np.abs(x) > x.std(), -np.sign(x), 0) if len(tape) else x


def honest_but_for_bad_trades(tape):
    """A crossover that is silent where the price falls at the next print."""
    return np.where(np.diff(tape.price, append=tape.price[-1:]) < 0, 0, HONEST.signals(tape))


PEEKING = [
    one_print_ahead,
    sessions_last_print,
    segments_last_print,
    end_of_the_tape,
    centred_average,
    share_of_the_highest,
    length_of_the_tape,
    z_score,
    honest_but_for_bad_trades,
]


def first_difference(tape, strategy, stop):
    """The first print before a cut whose signal is another one without the prints that follow, and both signals."""
    whole, again = strategy.signals(tape).tolist(), strategy.signals(tape.cut(stop)).tolist()
    for i in range(stop):
        if whole[i] != again[i]:
            return i, again[i], whole[i]
    return None


def without_stretches(monkeypatch):
    """Cut the whole tape alone: the stretches have tests of their own."""
    monkeypatch.setattr(module, "_ends", lambda *_: [])


def told(error):
    """What a message names: the cut, the print, its time, what is and what was."""
    cut, kind, at, time, short, full = MESSAGE.fullmatch(str(error)).groups()
    return int(cut.replace(",", "")), kind, int(at.replace(",", "")), time, short, full


@pytest.mark.parametrize("rule", PEEKING, ids=lambda rule: rule.__name__)
def test_a_strategy_that_peeks_is_caught_at_the_first_print_that_differs(rule):
    market = random_walk(800)
    tape, strategy = market.tape(), By(rule)
    with pytest.raises(LookAhead) as caught:
        verify(tape, strategy, setup_of())
    last, kind, at, _, short, full = told(caught.value)
    assert kind == "signal"
    assert (at, int(short), int(full)) == first_difference(tape, strategy, last + 1)


@pytest.mark.parametrize("rule", PEEKING, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("seed", range(5))
def test_a_strategy_that_peeks_is_caught_whatever_the_seed(rule, seed):
    with pytest.raises(LookAhead):
        verify(random_walk(400).tape(), By(rule), setup_of(), seed=seed)


@examples(60)
@given(markets(), st.sampled_from(PEEKING))
def test_what_verify_says_is_what_the_brute_force_finds_at_the_same_cuts(market, rule):
    tape, strategy, setup = market.tape(), By(rule), setup_of()
    whole = simulate(tape, strategy.signals(tape), setup.bracket, setup.execution)
    stops = cut_prints(tape, strategy.signals(tape), whole, 20, 0)
    found = [(stop - 1, *difference) for stop in stops if (difference := first_difference(tape, strategy, stop))]
    try:
        with pytest.MonkeyPatch.context() as patch:
            without_stretches(patch)
            verify(tape, strategy, setup)
        got = None
    except LookAhead as error:
        last, _, at, _, short, full = told(error)
        got = (last, at, int(short), int(full))
    assert got == (found[0] if found else None)


def test_the_message_names_the_cut_the_print_its_time_and_both_signals():
    # The price rises at print 2 only: long at print 1, which cut after print 1 knows nothing of.
    tape = tape_of([100, 100, 101, 101])
    with pytest.raises(LookAhead) as caught:
        verify(tape, By(one_print_ahead), setup_of())
    assert str(caught.value) == (
        "look-ahead: with the tape cut after print 1, the signal of print 1 (2025-01-15T12:00:00.000000010-06:00) "
        "is 0, and 1 with the prints that follow"
    )
    assert isinstance(caught.value, ScalprError)


def test_a_random_strategy_is_caught_because_it_gives_two_answers():
    rng = np.random.default_rng(1)
    with pytest.raises(LookAhead, match=r"not reproducible: .* the signal of print \d+ .* seed all random numbers"):
        verify(random_walk(300).tape(), By(lambda tape: rng.integers(-1, 2, len(tape))), setup_of())


def test_a_strategy_that_answers_otherwise_when_asked_again_about_the_whole_tape_is_caught():
    def answering(*answers):
        rest = iter(answers)
        return By(lambda tape: [next(rest)])

    # A tape of one print has no other cut than the whole.
    got = verify(tape_of([100]), answering(1, 1, 1), setup_of())
    assert got == Verified(cuts=1, dense=0, signals=1, trades=0, near=0)
    with pytest.raises(LookAhead, match=r"not reproducible: .* the signal of print 0 \(.*\) was 1 and then 0;"):
        verify(tape_of([100]), answering(1, 0, 0), setup_of())


def test_a_strategy_that_writes_all_its_answers_into_one_array_cannot_hide(monkeypatch):
    without_stretches(monkeypatch)
    monkeypatch.setattr(module, "random_prints", lambda *_: [])
    buffer = np.zeros(400, np.int8)

    def reused(tape):
        buffer[: len(tape)] = one_print_ahead(tape)
        return buffer[: len(tape)]

    strategy = type("Reused", (), {"signals": lambda self, tape: reused(tape)})()
    assert verify(tape_of([100]), strategy, setup_of()).cuts == 1
    with pytest.raises(LookAhead):
        verify(random_walk(400).tape(), strategy, setup_of())


class KeepsTheFirst:
    """One print ahead, worked out once for the tape that it sees first, and kept."""

    known = None

    def signals(self, tape):
        if self.known is None:
            self.known = one_print_ahead(tape).astype(np.int8)
        return self.known[: len(tape)]


class KeepsTheHighest(KeepsTheFirst):
    """Long above the middle of the prices that it sees first."""

    def signals(self, tape):
        if self.known is None:
            self.known = (int(tape.price.max()) + int(tape.price.min())) // 2 if len(tape) else 0
        return (tape.price > self.known).astype(np.int8)


class KeepsInItsClass(KeepsTheFirst):
    """The same, for all objects of the class."""

    def signals(self, tape):
        if KeepsInItsClass.known is None:
            KeepsInItsClass.known = one_print_ahead(tape).astype(np.int8)
        return KeepsInItsClass.known[: len(tape)]


class CannotBeCopied(KeepsTheFirst):
    def __deepcopy__(self, memo):
        raise TypeError


@pytest.mark.parametrize("kind", [KeepsTheFirst, KeepsTheHighest, KeepsInItsClass, CannotBeCopied])
@pytest.mark.parametrize("seed", range(4))
def test_a_strategy_that_remembers_its_first_answer_is_caught(kind, seed):
    KeepsInItsClass.known = None
    with pytest.raises((LookAhead, StrategyError)):
        verify(random_walk(600).tape(), kind(), setup_of(), seed=seed)


def test_signals_that_do_not_fit_the_cut_tape_are_refused_by_their_own_rule():
    tape = tape_of([100] * 30)
    with pytest.raises(StrategyError, match=r"signals must be int8 \(\d+,\), one a print, were int8 \(30,\)"):
        verify(tape, Given(np.zeros(30, np.int8)), setup_of())


# Strategies that do not -------------------------------------------------------------------------------


@examples(100)
@given(markets(), setups(), crossovers() | st.just(Aggressors()), st.integers(0, 9))
def test_an_honest_strategy_passes_under_every_combination_of_rules(market, setup, strategy, seed):
    tape = market.tape()
    signals = strategy.signals(tape)
    whole = simulate(tape, signals, setup.bracket, setup.execution, setup.rules)
    got = verify(tape, strategy, setup, cuts=40, seed=seed)
    stops = cut_prints(tape, signals, whole, 40, seed)
    assert (got.cuts, got.signals, got.trades) == (len(stops), np.count_nonzero(signals), len(whole.trades))
    # A stretch of at most 100 prints is cut after each of them.
    ends = module._ends(len(tape), signals, seed)
    assert got.dense == sum(end - 1 for end in ends)


LONG_CASES = [
    {},
    {"trailing_stop": 3, "trail_activation": 2, "latency_ns": 2},
    {"break_even_at": 2, "break_even_plus": 1, "stop_fill": "next"},
    {"target_fill": "queue", "queue_ahead": 2},
    {"overlap": True, "latency_ns": 3},
    {"entry": "signal", "stop_fill": "level"},
    {"take_profit": 60, "stop_loss": 60, "roll_exit": "close"},
    {"take_profit": 60, "stop_loss": 60, "roll_exit": "close", "overlap": True},
    {"rules": SessionRules(loss_limit=40.0, profit_limit=60.0, limit_basis="equity", cooldown=1.0, max_trades=5)},
    {"rules": SessionRules(entry_windows="08:30-15:00", no_entry_before_close=30.0, flat_before_close=10.0)},
    {"rules": SessionRules(max_hold=60.0, reverse=True, weekdays="Mon-Thu", sides="short")},
]


@pytest.mark.parametrize("parameters", LONG_CASES, ids=str)
def test_an_honest_strategy_passes_on_a_long_tape(parameters, monkeypatch):
    if not CI:
        without_stretches(monkeypatch)  # they compare signals, which no rule changes
    tape = random_walk(tries(2_000, 700) if JIT else 700).tape()
    for strategy in (HONEST, Aggressors())[: tries(2, 1)]:
        got = verify(tape, strategy, setup_of(**parameters), cuts=60)
        assert got.trades > 0
        assert got.signals == np.count_nonzero(strategy.signals(tape))
        assert 20 < got.cuts <= 61


def test_a_trade_closed_at_a_roll_is_not_known_before_the_print_of_the_next_contract():
    # Bought at 100; the contract ends at print 3, where the trade is closed. Cut after print 3 it is still open.
    tape = tape_of([100, 100, 101, 102, 300, 300], contract=["a"] * 4 + ["b"] * 2)
    setup = setup_of(take_profit=50, stop_loss=50, roll_exit="close")
    strategy = By(lambda tape: signals_of(tape, {0: LONG} if len(tape) else {}))
    whole = simulate(tape, strategy.signals(tape), setup.bracket, setup.execution)
    assert whole.trades[["exit", "reason"]].tolist() == [(3, ROLL)]
    for seed in range(20):
        assert verify(tape, strategy, setup, seed=seed).trades == 1


# Faults of the simulator ------------------------------------------------------------------------------


def faulty(monkeypatch, change):
    """Let the simulator that verify calls change the trades of a cut tape."""
    lengths = []

    def spoiled(tape, signals, *setup):
        simulation = simulate(tape, signals, *setup)
        lengths.append(len(tape))
        if len(tape) < lengths[0] and len(simulation.trades):
            return dataclasses.replace(simulation, trades=change(simulation.trades.copy()))
        return simulation

    monkeypatch.setattr(module, "simulate", spoiled)


def exit_earlier(trades):
    trades["exit"][-1] -= 1
    return trades


MARKET = random_walk(400)


def caught(setup=None):
    with pytest.raises(LookAhead) as error:
        verify(MARKET.tape(), Aggressors(), setup or setup_of())
    return told(error.value)


def test_a_simulator_whose_exit_knows_the_future_is_caught_and_the_trade_named(monkeypatch):
    setup = setup_of()
    faulty(monkeypatch, exit_earlier)
    last, kind, at, _, short, full = caught()
    short_tape = MARKET.tape().cut(last + 1)
    trade = simulate(short_tape, Aggressors().signals(short_tape), setup.bracket, setup.execution).trades[-1]
    assert kind == "trade of the signal"
    assert at == trade["signal"]
    reason = {1: "target", 2: "stop"}[int(trade["reason"])]
    entry = f"entered at print {trade['entry']} at {trade['entry_ticks']:,} ticks"
    price = f"{trade['exit_ticks']:,} ticks ({reason})"
    assert short == f"{entry} and closed at print {trade['exit'] - 1} at {price}"
    assert full == f"{entry} and closed at print {trade['exit']} at {price}"


@pytest.mark.parametrize("column", [name for name in TRADE.names if name not in ("signal", "exit")])
def test_every_column_of_a_trade_is_compared(column, monkeypatch):
    def change(trades):
        trades[column][0] += 1
        return trades

    faulty(monkeypatch, change)
    _, kind, at, *_ = caught()
    setup = setup_of()
    whole = simulate(MARKET.tape(), Aggressors().signals(MARKET.tape()), setup.bracket, setup.execution)
    assert (kind, at) == ("trade of the signal", whole.trades["signal"][0])


def test_a_trade_that_is_missing_or_too_many_is_named_and_no_other(monkeypatch):
    setup = setup_of()
    whole = simulate(MARKET.tape(), Aggressors().signals(MARKET.tape()), setup.bracket, setup.execution).trades
    faulty(monkeypatch, lambda trades: trades[1:])
    _, _, at, _, short, full = caught()
    assert (at, short) == (whole["signal"][0], "none")
    assert full.startswith(f"entered at print {whole['entry'][0]} at ")

    def one_more(trades):
        extra = trades[:1].copy()
        extra["signal"] = 0 if trades["signal"][0] else 1
        return np.concatenate((extra, trades))

    faulty(monkeypatch, one_more)
    _, _, at, _, short, full = caught()
    assert (at, full) == (0 if whole["signal"][0] else 1, "none")
    assert short.startswith("entered at print")


def test_of_many_trades_that_differ_the_one_of_the_first_signal_is_named_whatever_the_order_of_their_exits(monkeypatch):
    # Bought at 100 and at 101: print 3 meets the second stop, 99, and print 5 the first target, 104.
    tape = tape_of([100, 100, 101, 99, 100, 104, 104])
    strategy = By(lambda tape: signals_of(tape, {i: LONG for i in (0, 1) if i < len(tape)}))
    whole = simulate(tape, strategy.signals(tape), *both(setup_of(overlap=True)))
    assert whole.trades["signal"].tolist() == [1, 0]

    def every_exit(trades):
        trades["exit_ticks"] += 1
        return trades

    faulty(monkeypatch, every_exit)
    # Only a tape of six prints has both trades and is not whole.
    with pytest.raises(LookAhead, match="cut after print 5, the trade of the signal at print 0 "):
        verify_at(6, tape, strategy, setup_of(overlap=True), monkeypatch)
    with pytest.raises(LookAhead, match="cut after print 3, the trade of the signal at print 1 "):
        verify_at(4, tape, strategy, setup_of(overlap=True), monkeypatch)


def both(setup):
    return setup.bracket, setup.execution


def verify_at(stop, tape, strategy, setup, monkeypatch):
    """Verify with one cut."""
    without_stretches(monkeypatch)
    monkeypatch.setattr(module, "random_prints", lambda *_: [])
    monkeypatch.setattr(module, "cut_prints", lambda *_: [stop])
    return verify(tape, strategy, setup)


def test_a_trade_that_ends_after_the_cut_is_not_compared():
    # Bought at print 1, sold at print 3 in the next session: cuts before print 3 know of no trade.
    tape = tape_of([100, 100, 101, 104], [0, 10, 20, SESSION_END])
    strategy = By(lambda tape: signals_of(tape, {0: LONG}))
    got = verify(tape, strategy, setup_of(), cuts=40)
    assert (got.cuts, got.signals, got.trades) == (4, 1, 1)
