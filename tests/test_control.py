"""The random-entry control: which entries are drawn, what they earn, and where the strategy stands among them.

Prices are ticks and times ns after noon in Chicago, as in the tests of the fills.
"""

import dataclasses
from collections import Counter
from datetime import datetime
from itertools import pairwise

import numpy as np
import pytest
from checks import HOUR, LONG, SHORT, setup_of, setups, traded
from conftest import JIT, NOON, signals_of, tape_of
from hypothesis import given, settings
from hypothesis import strategies as st
from test_properties import CHICAGO, markets, random_walk, session_dates

from scalpr_zen import MonteCarlo, SessionRules, Tape, instrument
from scalpr_zen import control as module
from scalpr_zen.control import control
from scalpr_zen.simulate import simulate

MINUTE = HOUR // 60


class Seen:
    """What a control drew and earned: orders and results of each part, and all totals in micro-dollars."""

    def __init__(self, monkeypatch):
        self.drawn, self.made, self.totals = [], [], None
        alone, compared = module.alone, module._compared

        def spy_alone(tape, wanted, execution, setup):
            made = alone(tape, wanted, execution, setup)
            self.drawn.append(wanted)
            self.made.append(made)
            return made

        def spy_compared(strategy, totals):
            self.totals = totals
            return compared(strategy, totals)

        monkeypatch.setattr(module, "alone", spy_alone)
        monkeypatch.setattr(module, "_compared", spy_compared)

    def clear(self):
        self.drawn, self.made, self.totals = [], [], None

    def draws(self, pool):
        """(print, side) of each draw, a list a slot."""
        pairs = [pair for part in self.drawn for pair in zip(part.at.tolist(), part.side.tolist(), strict=True)]
        return [pairs[first : first + pool] for first in range(0, len(pairs), pool)]


@pytest.fixture
def seen(monkeypatch):
    return Seen(monkeypatch)


def controlled(setup, sims, seed=0):
    """The same setup with random-entry controls."""
    return dataclasses.replace(setup, settings=MonteCarlo(monte_carlo_sims=0, control_sims=sims, seed=seed))


def closed_trades(tape, signals, setup):
    return traded(tape, signals, setup)[1].trades


# Which entries are drawn ------------------------------------------------------------------------------


def wall(ts):
    """The Chicago wall time of a time, whole seconds."""
    return datetime.fromtimestamp(ts // 10**9, CHICAGO).replace(tzinfo=None)


def naive_cells(tape, windows, weekdays, before_close):
    """For each print the hour, window, segment and session date that its draws stay in; None where none is allowed.

    Windows are pairs of minutes of the Chicago day that do not cross midnight; no windows mean all of it.
    """
    ts, closes = tape.ts.tolist(), {row["date"].item(): int(row["close"]) for row in tape.sessions}
    contracts = [
        s for s, (start, stop) in enumerate(tape.segments[["start", "stop"]].tolist()) for _ in range(start, stop)
    ]
    cells = []
    for t, day, segment in zip(ts, session_dates(ts), contracts, strict=True):
        minute = 60 * wall(t).hour + wall(t).minute
        inside = [n for n, (start, stop) in enumerate(windows or [(0, 1440)]) if start <= minute < stop]
        allowed = day.weekday() in weekdays and (before_close is None or t < closes[day] - before_close)
        cells.append((t // HOUR, inside[0], segment, day) if inside and allowed else None)
    return cells


def naive_fills(tape, i, setup):
    """Whether an order sent at print i fills (rules 3 and 5)."""
    if setup.execution.entry == "signal":
        return True
    ts, latency, dates = tape.ts.tolist(), setup.execution.latency_ns, session_dates(tape.ts.tolist())
    [last] = [stop for start, stop in tape.segments[["start", "stop"]].tolist() if start <= i < stop]
    return any(
        ts[j] > ts[i] and ts[j] >= ts[i] + latency and dates[j] == dates[i] for j in range(i + 1, min(last, len(ts)))
    )


def hours_of_prints(prints=1_200, seed=3):
    """Three session dates of a walk with a roll inside the second and an early close on the third."""
    rng = np.random.default_rng(seed)
    starts = [NOON - 3 * HOUR, NOON + 21 * HOUR, NOON + 45 * HOUR]  # 9:00, 9:00, 9:00 in Chicago
    ts = np.concatenate([start + np.sort(rng.integers(0, 5 * HOUR, prints // 3) // 7 * 7) for start in starts])
    price = 80_000 + np.cumsum(rng.integers(-2, 3, len(ts)))
    contract = np.where(np.arange(len(ts)) < prints // 2 + 17, "NQH5", "NQM5")
    day = str(np.datetime64(wall(int(ts[-1])).date()))
    signals = rng.choice([0, 0, 0, 0, 1, -1], len(ts)).astype(np.int8)
    return Tape.from_prints(ts, price, instrument=instrument("NQ"), contract=contract, closes={day: "12:15"}), signals


CASES = [
    ({}, {}, [], None),
    ({"latency_ns": 60 * 10**9}, {}, [], None),
    ({"entry": "signal"}, {}, [], None),
    ({}, {"entry_windows": "09:20-10:05, 10:05-10:40, 13:10-13:20"}, [(560, 605), (605, 640), (790, 800)], None),
    ({"latency_ns": 10**9}, {"no_entry_before_close": 45.0}, [], 45 * MINUTE),
    (
        {},
        {"no_entry_before_close": 20.0, "flat_before_close": 90.0, "entry_windows": "09:30-13:30"},
        [(570, 810)],
        90 * MINUTE,
    ),
    ({"overlap": True}, {"weekdays": "Wed, Fri"}, [], None),
    ({}, {"sides": "short", "invert": True, "pause": 60.0, "max_trades": 40, "loss_limit": 5e3}, [], None),
]


@pytest.mark.parametrize(("execution", "rules", "windows", "before_close"), CASES)
def test_a_control_has_the_strategys_entries_of_each_hour_window_segment_and_side(
    execution, rules, windows, before_close, seen
):
    tape, signals = hours_of_prints()
    setup = controlled(setup_of(**execution, rules=SessionRules(**rules)), sims=8)
    trades = closed_trades(tape, signals, setup)
    control(tape, trades, setup, workers=1)
    weekdays = {2, 4} if "weekdays" in rules else set(range(7))
    cells = naive_cells(tape, windows, weekdays, before_close)
    pairs = zip(trades["signal"].tolist(), trades["side"].tolist(), strict=True)
    expected = Counter((cells[i], side) for i, side in pairs)
    slots = seen.draws(8)
    for n in range(8):
        got = Counter((cells[slot[n][0]], slot[n][1]) for slot in slots)
        assert got == expected
    assert None not in {cell for cell, _ in expected}
    prints = {i for slot in slots for i, _ in slot}
    assert all(naive_fills(tape, i, setup) for i in prints)
    assert len(trades) > 20
    assert len(expected) > 5


@settings(max_examples=40)
@given(markets(), setups())
def test_every_draw_is_a_print_that_the_rules_allow_and_that_fills(market, setup):
    with pytest.MonkeyPatch.context() as patch:
        seen = Seen(patch)
        setup = controlled(setup, sims=6)
        tape, rules = market.tape(), setup.rules
        trades = closed_trades(tape, market.given(), setup)
        control(tape, trades, setup, workers=1)
    # All that is drawn would have been traded as a signal of its own under the windows of the run.
    free = dataclasses.replace(rules, sides="both", invert=False, pause=0.0, max_trades=None)
    free = dataclasses.replace(free, loss_limit=None, profit_limit=None, limit_on="closed")
    execution = dataclasses.replace(setup.execution, overlap=True)
    for i, side in {pair for slot in seen.draws(6) for pair in slot}:
        counts = simulate(tape, signals_of(tape, {i: side}), setup.bracket, execution, free).counts
        assert counts["closed"] + counts["void"] + counts["open"] == 1


def test_draws_are_uniform_over_the_prints_of_their_hour(seen):
    # 100 prints in one hour; the last one cannot fill. 50 trades by 200 controls are 10,000 draws over 99 prints.
    # Chi-square has 98 degrees of freedom, mean 98 and standard deviation sqrt(2 * 98) = 14: 168 is 5 of them off.
    prices = [100 + (i // 2 % 2) * 2 for i in range(100)]
    tape = tape_of(prices)
    setup = controlled(setup_of(take_profit=2, stop_loss=2, overlap=True), sims=200)
    trades = closed_trades(tape, signals_of(tape, dict.fromkeys(range(50), LONG)), setup)
    assert len(trades) == 50
    control(tape, trades, setup)
    counts = Counter(i for slot in seen.draws(200) for i, _ in slot)
    expected = 10_000 / 99
    assert set(counts) == set(range(99))
    assert sum((n - expected) ** 2 / expected for n in counts.values()) < 168


def test_a_draw_does_not_depend_on_the_other_draws_of_its_control(seen):
    # Two slots over the same 99 prints: the pairs of draws fill the square of 9 by 9 blocks of 11 prints evenly.
    # 8,100 pairs, 100 a block; 80 degrees of freedom, standard deviation sqrt(160) = 12.6: 5 of them are 63.
    tape = tape_of([100 + (i // 2 % 2) * 2 for i in range(100)])
    setup = controlled(setup_of(take_profit=2, stop_loss=2, overlap=True), sims=8_100)
    control(tape, closed_trades(tape, signals_of(tape, {0: LONG, 1: LONG}), setup), setup)
    one, other = seen.draws(8_100)
    blocks = Counter((a // 11, b // 11) for (a, _), (b, _) in zip(one, other, strict=True))
    assert len(blocks) == 81
    assert sum((n - 100) ** 2 / 100 for n in blocks.values()) < 80 + 63


# What they earn ---------------------------------------------------------------------------------------


def earned(tape, i, side, setup):
    """Net USD of one entry that is traded by itself, 0 if it stays open."""
    rules = SessionRules(flat_before_close=setup.rules.flat_before_close, longest_hold=setup.rules.longest_hold)
    execution = dataclasses.replace(setup.execution, overlap=True)
    return sum(simulate(tape, signals_of(tape, {i: side}), setup.bracket, execution, rules).trades["net_usd"].tolist())


@settings(max_examples=40)
@given(markets(), setups())
def test_a_control_earns_what_its_entries_earn_one_by_one(market, setup):
    with pytest.MonkeyPatch.context() as patch:
        seen = Seen(patch)
        setup = controlled(setup, sims=4)
        tape = market.tape()
        trades = closed_trades(tape, market.given(), setup)
        control(tape, trades, setup, workers=1)
    if not len(trades):
        assert seen.totals is None
        return
    slots = seen.draws(4)
    got = [total / 1e6 for total in seen.totals.tolist()]
    expected = [sum(earned(tape, *slot[n], setup) for slot in slots) for n in range(4)]
    assert got == pytest.approx(expected, abs=1e-5)


def test_the_entries_of_a_long_tape_earn_what_they_earn_one_by_one(seen):
    tape, signals = hours_of_prints()
    setup = controlled(setup_of(take_profit=5, stop_loss=3, commission=2.05, latency_ns=10**9, contracts=2), sims=3)
    trades = closed_trades(tape, signals, setup)[:40]
    control(tape, trades, setup, workers=1)
    slots = seen.draws(3)
    got = [total / 1e6 for total in seen.totals.tolist()]
    expected = [sum(earned(tape, *slot[n], setup) for slot in slots) for n in range(3)]
    assert got == pytest.approx(expected, abs=1e-5)
    assert len(set(got)) == 3


@pytest.mark.parametrize(("contract", "end"), [(None, "open"), (["a"] * 5 + ["b"], "void")])
def test_what_stays_open_or_is_void_earns_nothing(contract, end, seen):
    # Only the order of print 0 is bought at 100 and sold at 104, for 20 USD less 2: prints 1 to 3 buy at 104 and stay.
    tape = tape_of([100, 100, 104, 104, 104, 104][: 6 if contract else 5], contract=contract)
    setup = controlled(setup_of(commission=1.0), sims=400)
    trades = closed_trades(tape, signals_of(tape, {0: LONG}), setup)
    got = control(tape, trades, setup)
    made = {i: total for (i, _), total in zip(seen.draws(400)[0], seen.totals.tolist(), strict=True)}
    assert made == {0: 18_000_000, 1: 0, 2: 0, 3: 0}
    assert got["strategy_usd"] == 18.0
    # A quarter of 400 draws, give or take five times sqrt(400 * 1/4 * 3/4) = 8.7.
    assert abs(np.count_nonzero(seen.totals) - 100) < 44


def test_a_trade_open_at_a_roll_earns_what_it_is_closed_for(seen):
    # Bought at 104 and closed at the last print of its contract, 103: -5 USD.
    tape = tape_of([100, 100, 104, 104, 103, 900], contract=["a"] * 5 + ["b"])
    setup = controlled(setup_of(roll_exit="close"), sims=200)
    control(tape, closed_trades(tape, signals_of(tape, {0: LONG}), setup), setup)
    made = {i: total for (i, _), total in zip(seen.draws(200)[0], seen.totals.tolist(), strict=True)}
    assert made == {0: 20_000_000, 1: -5_000_000, 2: -5_000_000, 3: 0}


# Seeds, threads and pools -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def walk():
    """A tape, closed trades and a setup of a control that differs from seed to seed."""
    market = random_walk(1_500 if JIT else 600)
    setup = controlled(setup_of(commission=2.05), sims=60)
    tape = market.tape()
    return tape, closed_trades(tape, market.given(), setup), setup


def test_the_number_of_threads_changes_nothing(walk, monkeypatch):
    monkeypatch.setattr(module, "_SLOTS", 600)  # ten slots a part
    expected = control(*walk, workers=1)
    for workers in (2, 3, 8, None):
        assert control(*walk, workers=workers) == expected


def test_the_same_seed_repeats_itself_and_another_draws_anew(walk, seen):
    tape, trades, setup = walk
    totals = []
    for seed in (0, 0, 1, 2**32 - 1):
        control(tape, trades, controlled(setup, 60, seed))
        totals.append(seen.totals.tolist())
    assert totals[0] == totals[1]
    assert len({tuple(x) for x in totals}) == 3


def test_the_order_of_the_trades_changes_nothing(walk):
    tape, trades, setup = walk
    expected = control(tape, trades, setup)
    got = control(tape, trades[::-1].copy(), setup)
    assert got["histogram"] == expected["histogram"]
    assert got["p_value"] == expected["p_value"]


def test_where_all_draws_are_too_many_each_control_chooses_from_the_pools(walk, seen, monkeypatch):
    tape, trades, setup = walk
    trades, sims = trades[:11], 50
    for draws, least, pool in ((44, 2, 4), (20, 3, 3), (11 * 50, 2, 50), (10**9, 2, 50)):
        seen.clear()
        monkeypatch.setattr(module, "DRAWS", draws)
        monkeypatch.setattr(module, "MIN_POOL", least)
        monkeypatch.setattr(module, "_SLOTS", 2 * pool)  # two slots a part
        got = control(tape, trades, controlled(setup, sims), workers=1)
        assert (got["pool"], got["sims"], sum(got["histogram"]["runs"])) == (pool, sims, sims)
        assert [len(part.at) for part in seen.drawn] == [2 * pool] * 5 + [pool]
        slots = seen.draws(pool)
        usd = [[round(1e6 * earned(tape, *draw, setup)) for draw in slot] for slot in slots]
        totals = seen.totals.tolist()
        # Each draw is used once, in order, and then every total is a sum of one draw of each slot.
        assert totals[:pool] == [sum(column) for column in zip(*usd, strict=True)]
        sums = {0}
        for slot in usd:
            sums = {a + b for a in sums for b in slot}
        assert set(totals) <= sums
        assert len(set(totals)) > pool // 2


def test_a_pool_is_never_deeper_than_the_controls_are_many(walk):
    tape, trades, setup = walk
    assert control(tape, trades[:3], controlled(setup, 7))["pool"] == 7


def test_without_trades_or_controls_there_is_nothing_to_compare(walk):
    tape, trades, setup = walk
    assert control(tape, trades[:0], setup) == {}
    assert control(tape, trades, controlled(setup, 0)) == {}
    assert control(tape_of([]), trades[:0], setup) == {}


# Where the strategy stands ----------------------------------------------------------------------------


def test_percentile_and_p_value_count_ties_by_hand():
    # Totals of 1, 2, 2 and 5 USD. Below 2 lies one, two are equal: percentile (1 + 2/2) / 4; at or above lie three:
    # p = (1 + 3) / (1 + 4).
    totals = np.array([5, 2, 1, 2]) * 1_000_000
    for usd, percentile, p_value in ((2, 0.5, 0.8), (0, 0.0, 1.0), (6, 1.0, 0.2), (5, 0.875, 0.4), (3, 0.75, 0.4)):
        got = module._compared(usd * 1_000_000, totals)
        assert (got["percentile"], got["p_value"]) == (percentile, p_value)
        assert (got["mean_usd"], got["sd_usd"]) == (2.5, pytest.approx(np.sqrt(9 / 3)))
        assert got["percentiles_usd"]["50"] == 2.0


def test_controls_that_all_earn_the_same_as_the_strategy_are_ties_to_the_last_cent():
    # One print an hour: nothing else can be drawn. With a commission of 2.05 sums in another order differ in their
    # last bits, and none of it is an edge.
    prices = [100 + 7 * (h % 2) for h in range(30)]
    tape = tape_of(prices, range(0, 30 * HOUR, HOUR))
    setup = controlled(setup_of(take_profit=1, stop_loss=1, overlap=True, commission=2.05), sims=9)
    trades = closed_trades(tape, signals_of(tape, dict.fromkeys(range(30), LONG)), setup)
    got = control(tape, trades, setup)
    assert (got["percentile"], got["p_value"]) == (0.5, 1.0)
    assert got["histogram"]["runs"] == [9]
    assert got["mean_usd"] == pytest.approx(got["strategy_usd"])
    assert len(trades) > 20


def test_a_single_control_has_no_deviation(walk):
    tape, trades, setup = walk
    got = control(tape, trades, controlled(setup, 1))
    assert np.isnan(got["sd_usd"])
    assert got["p_value"] in (0.5, 1.0)


@given(st.lists(st.integers(-(10**13), 10**13) | st.integers(-3, 3), min_size=1, max_size=60))
def test_a_histogram_of_the_controls_holds_each_of_them_between_its_edges(totals):
    got = module._histogram(np.array(totals))
    edges = [round(usd * 1e6) for usd in got["edges_usd"]]
    assert len(edges) == len(got["runs"]) + 1 <= module.HISTOGRAM + 1
    assert len({b - a for a, b in pairwise(edges)}) == 1
    expected = [sum(a <= x < b for x in totals) for a, b in pairwise(edges)]
    assert got["runs"] == expected
    assert sum(expected) == len(totals)


def test_a_strategy_with_foresight_beats_every_control():
    tape, _ = hours_of_prints()
    setup = controlled(setup_of(take_profit=6, stop_loss=4, commission=1.0), sims=99)
    every = setup_of(take_profit=6, stop_loss=4, commission=1.0, overlap=True)
    longs = closed_trades(tape, np.ones(len(tape), np.int8), every)
    known = signals_of(tape, dict.fromkeys(longs["signal"][longs["net_usd"] > 0].tolist(), LONG))
    trades = closed_trades(tape, known, setup)
    got = control(tape, trades, setup)
    assert (got["percentile"], got["p_value"]) == (1.0, 1 / 100)
    assert len(trades) > 30


def test_the_p_values_of_random_entries_are_uniform():
    # Signals at random prints of a random walk, each traded by itself, are drawn as their controls are, so that each
    # rank is equally likely. By Kolmogorov's limit the largest gap between the shares of p-values up to p and p
    # exceeds 1.95 / sqrt(runs) with a chance of one in a thousand; p-values a hundredth apart add one hundredth.
    runs = 120 if JIT else 12
    tape, _ = hours_of_prints(2_400 if JIT else 600)
    p_values = []
    for run in range(runs):
        rng = np.random.default_rng(run)
        at = rng.choice(len(tape), 40, replace=False).tolist()
        signals = signals_of(tape, {i: int(rng.choice([LONG, SHORT])) for i in at})
        setup = controlled(setup_of(take_profit=7, stop_loss=5, overlap=True), sims=99, seed=run)
        p_values.append(control(tape, closed_trades(tape, signals, setup), setup)["p_value"])
    shares = np.arange(1, runs + 1) / runs
    ranked = np.sort(p_values)
    gap = max(np.abs(shares - ranked).max(), np.abs(shares - 1 / runs - ranked).max())
    assert gap < 1.95 / np.sqrt(runs) + 0.01


def test_a_losing_strategy_has_a_p_value_near_one():
    tape, _ = hours_of_prints()
    setup = controlled(setup_of(take_profit=6, stop_loss=4), sims=99)
    every = setup_of(take_profit=6, stop_loss=4, overlap=True)
    longs = closed_trades(tape, np.ones(len(tape), np.int8), every)
    known = signals_of(tape, dict.fromkeys(longs["signal"][longs["net_usd"] < 0].tolist(), LONG))
    got = control(tape, closed_trades(tape, known, setup), setup)
    assert (got["percentile"], got["p_value"]) == (0.0, 1.0)
