"""Where the look-ahead proof cuts the tape, and the stretches that it cuts densely."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.budget import JIT
from support.checks import LONG, setup_of
from support.random_tapes import markets, random_walk
from support.tapes import signals_of, tape_of
from support.verifying import HONEST, MINUTE, By

from scalpr_zen import EmaCrossover
from scalpr_zen.runs import verify as module
from scalpr_zen.runs.verify import COARSE, FINE, STRETCHES, STRIDE, LookAhead, cut_prints, verify
from scalpr_zen.simulation.simulate import simulate

# Where the tape is cut --------------------------------------------------------------------------------


def simulation_of(tape, signals, **parameters):
    setup = setup_of(**parameters)
    return simulate(tape, signals, setup.bracket, setup.execution)


def places(tape, signals, whole):
    """The prints that each kind of cut may leave."""
    length = len(tape)
    entries = [*whole.trades["entry"].tolist(), *whole.unclosed["entry"].tolist()]
    return {
        "random": set(range(1, length + 1)),
        "signal": {i + 1 for i in range(length) if signals[i]},
        "entry": {entry + 1 for entry in entries},
        "exit": {exit_print + 1 for exit_print in whole.trades["exit"].tolist()},
        "roll": set(tape.segments["stop"].tolist()[:-1]),
        "session": {stop - 1 for stop in tape.sessions["stop"].tolist()},
    }


@pytest.mark.parametrize("cuts", [0, 1, 2, 5, 6, 7, 20, 100])
def test_cuts_are_a_sixth_each_at_random_prints_after_signals_entries_exits_at_rolls_and_before_last_prints(cuts):
    market = random_walk(10_000 if JIT else 3_000)
    tape, signals = market.tape(), market.given()
    whole = simulation_of(tape, signals)
    got = cut_prints(tape, signals, whole, cuts, seed=5)
    assert got == sorted(set(got))
    assert got[-1] == len(tape)
    assert len(got) <= cuts + 1
    allowed = places(tape, signals, whole)
    for k, kind in enumerate(("signal", "entry", "exit", "roll", "session"), start=1):
        share = min((cuts + 5 - k) // 6, len(allowed[kind]))
        assert len(allowed[kind] & set(got)) >= share
    known = set.union(*(allowed[kind] for kind in allowed if kind != "random"))
    assert sum(stop not in known for stop in got[:-1]) <= (cuts + 5) // 6


def test_the_seed_chooses_the_cuts():
    market = random_walk(2_000)
    whole = simulation_of(market.tape(), market.given())
    cuts = [tuple(cut_prints(market.tape(), market.given(), whole, 20, seed)) for seed in (0, 0, 1, 2)]
    assert cuts[0] == cuts[1]
    assert len(set(cuts)) == 3


@given(markets(), st.integers(0, 60), st.integers(0, 3))
def test_every_cut_leaves_some_prints_and_the_last_one_all_of_them(market, cuts, seed):
    tape, signals = market.tape(), market.given()
    whole = simulation_of(tape, signals)
    got = cut_prints(tape, signals, whole, cuts, seed)
    assert got == sorted(set(got))
    assert set(got) <= places(tape, signals, whole)["random"]
    assert got[-1] == len(tape)
    assert len(got) <= cuts + 1


def test_more_cuts_than_places_take_them_all():
    # One signal at print 2, its entry at print 3, its exit at print 5.
    tape = tape_of([100, 100, 100, 100, 102, 104, 104])
    signals = signals_of(tape, {2: LONG})
    assert cut_prints(tape, signals, simulation_of(tape, signals), 400, seed=0) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("prints", [0, 1, 2])
def test_a_tape_of_hardly_any_prints_is_verified_too(prints):
    tape = tape_of([100] * prints)
    got = verify(tape, By(lambda tape: np.ones(len(tape))), setup_of(), cuts=12)
    assert (got.cuts, got.signals, got.trades) == (prints, prints, 0)
    assert (got.dense, got.near) == (
        (1, 1) if prints == 2 else (0, 0)
    )  # of two prints one end, and the other has no cut
    got = verify(tape, HONEST, setup_of(), cuts=0)
    assert (got.cuts, got.signals, got.trades, got.near) == (min(prints, 1), 0, 0, 0)


def test_progress_is_told_after_each_cut():
    told_so_far = []
    got = verify(random_walk(300).tape(), HONEST, setup_of(), progress=lambda *done: told_so_far.append(done))
    done = len(told_so_far)
    assert told_so_far == [(k, done) for k in range(1, done + 1)]
    assert got.cuts < done <= got.cuts + STRETCHES
    assert got.cuts > 10


# Stretches --------------------------------------------------------------------------------------------


@pytest.fixture
def short_stretches(monkeypatch):
    """Stretches of 500 prints, of which the last 1 in 10 are cut one by one, and as many before in strides."""
    monkeypatch.setattr(module, "STRETCH", 500)


def in_stretches(tape, rule, seed=0):
    """Verify by the stretches alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "cut_prints", lambda *_: [])
        patch.setattr(module, "random_prints", lambda *_: [])
        return verify(tape, By(rule), setup_of(), seed=seed)


def test_stretches_are_the_tape_s_own_prints_contracts_and_session_dates(short_stretches, monkeypatch):
    prices = 80_000 + np.random.default_rng(2).integers(-2, 3, 3_000).cumsum()
    tape = tape_of(prices, np.arange(3_000) * 3 * MINUTE, contract=[f"NQ{i // 350}" for i in range(3_000)])
    seen, made = [], module._cut_densely

    def spy(stretch, ask):
        seen.append(stretch)
        return made(stretch, ask)

    monkeypatch.setattr(module, "_cut_densely", spy)
    signals = HONEST.signals(tape)
    in_stretches(tape, HONEST.signals)
    ends = module._ends(len(tape), signals, 0)
    assert len(seen) == len(ends) > 4
    contracts = np.repeat(tape.segments["contract"], tape.segments["stop"] - tape.segments["start"])
    days = np.repeat(tape.sessions["date"], tape.sessions["stop"] - tape.sessions["start"])
    for stretch, end in zip(seen, ends, strict=True):
        part = slice(max(0, end - 500), end)
        for name in ("ts", "price", "size", "aggressor"):
            assert np.array_equal(getattr(stretch, name), getattr(tape, name)[part])
        for table, expected in ((stretch.segments, contracts[part]), (stretch.sessions, days[part])):
            column = table[table.dtype.names[0]]
            assert np.array_equal(np.repeat(column, table["stop"] - table["start"]), expected)
    assert max(len(stretch.segments) for stretch in seen) > 1
    assert max(len(stretch.sessions) for stretch in seen) > 1


def test_half_of_the_stretches_end_soon_after_a_signal_and_one_with_the_tape():
    at = [5_000, 9_000]
    for seed in range(20):
        signals = np.zeros(10_000, np.int8)
        signals[at] = LONG
        ends = module._ends(10_000, signals, seed)
        assert {i + FINE // 2 for i in at} | {10_000} <= set(ends)
        assert len(ends) <= STRETCHES
    assert module._ends(10_000, signals * 0, 0)[-1] == 10_000
    assert module._ends(0, signals[:0], 0) == []


def test_a_stretch_is_cut_after_its_last_prints_and_in_strides_before(monkeypatch):
    stops = []

    def ask(tape):
        stops.append(len(tape))
        return np.ones(len(tape), np.int8)

    length = FINE + COARSE * STRIDE + 700
    made, near = module._cut_densely(tape_of([100] * length), ask)
    strides = list(range(700, length - FINE, STRIDE))
    assert stops == [*strides, *range(length - FINE, length), length]
    assert (made, near) == (COARSE + FINE, length - 700)
    # A tape as short as that is cut after each of its prints.
    stops.clear()
    assert module._cut_densely(tape_of([100] * 60), ask) == (59, 59)
    assert stops == [*range(1, 60), 60]


def far_sighted(horizon):
    """A crossover that is silent where the price will have fallen that many prints later, if it knows them."""

    def signals(tape):
        ahead = np.zeros(len(tape), np.int64)
        ahead[:-horizon] = tape.price[horizon:].astype(np.int64) - tape.price[:-horizon]
        honest = EmaCrossover(fast_period=20, slow_period=100).signals(tape)
        return np.where(ahead * honest < 0, 0, honest).astype(np.int8)

    return signals


@pytest.mark.skipif(not JIT, reason="a tape long enough takes minutes without the compiler")
@pytest.mark.parametrize("horizon", [1, 10, 40])
def test_who_leaves_out_signals_that_will_lose_is_caught_by_the_stretches_of_a_long_tape(horizon):
    tape = random_walk(20_000).tape()
    with pytest.raises(LookAhead):
        in_stretches(tape, far_sighted(horizon))


def test_a_strategy_that_peeks_to_leave_signals_out_is_caught():
    # It agrees with itself wherever a signal is left: at the cuts that follow signals, entries and exits.
    def signals(tape):
        honest = HONEST.signals(tape)
        ahead = np.sign(np.append(np.diff(tape.price), 0)) == -honest
        return np.where(ahead, 0, honest).astype(np.int8)

    tape = random_walk(2_000).tape()
    assert np.count_nonzero(signals(tape)) < np.count_nonzero(HONEST.signals(tape))
    with pytest.raises(LookAhead, match="the signal of print"):
        verify(tape, By(signals), setup_of())
