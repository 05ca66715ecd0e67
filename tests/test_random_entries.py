"""Random entries: which entries are drawn, and what they earn.

Prices are ticks and times ns after noon in Chicago, as in the tests of the fills.
"""

import dataclasses
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.budget import JIT, examples
from support.checks import HOUR, LONG, SHORT, setup_of, setups, traded
from support.entries import (
    MINUTE,
    Seen,
    closed_trades,
    compiled,
    controlled,
    every_signal,
    hours_of_prints,
    naive_fills,
    naive_hours,
    net_ticks,
)
from support.random_tapes import markets, random_walk
from support.tapes import signals_of, tape_of

from scalpr_zen import SessionRules
from scalpr_zen.base.engine import Engine
from scalpr_zen.sections.random_entries import draws as module
from scalpr_zen.sections.random_entries.draws import random_entries
from scalpr_zen.simulation.every_entry import Outcomes
from scalpr_zen.simulation.simulate import simulate


@pytest.fixture
def seen(monkeypatch):
    """Random entries that are drawn and traded, as where moved stops forbid first passages."""
    return Seen(monkeypatch)


# Which entries are drawn ------------------------------------------------------------------------------


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
    ({}, {"weekdays": "Wed, Fri"}, [], None),
    ({}, {"sides": "short", "reverse": True, "cooldown": 60.0, "max_trades": 40, "loss_limit": 5e3}, [], None),
]


@pytest.mark.parametrize(("execution", "rules", "windows", "before_close"), CASES)
def test_random_entries_are_drawn_for_each_entry_from_its_hour_of_the_day_on_all_session_dates(
    execution, rules, windows, before_close, seen
):
    tape, signals = hours_of_prints()
    setup = controlled(setup_of(**execution, rules=SessionRules(**rules)), sims=50)
    trades = closed_trades(tape, signals, setup)
    pool = random_entries(tape, trades, setup)["pool"]
    weekdays = {2, 4} if "weekdays" in rules else set(range(7))
    hours = naive_hours(tape, windows, weekdays, before_close)
    pairs = zip(trades["signal"].tolist(), trades["side"].tolist(), strict=True)
    expected = Counter((hours[i], side) for i, side in pairs)
    assert Counter((hours[i], side) for i, side in seen.draws) == {cell: pool * n for cell, n in expected.items()}
    prints, fills = {i for i, _ in seen.draws}, naive_fills(tape, setup)
    assert all(fills[i] for i in prints)
    # Some 1,000 prints that may be drawn, 50 draws for each trade: nearly all are drawn.
    may = [i for i, hour in enumerate(hours) if fills[i] and hour in {h for h, _ in expected}]
    assert not JIT or (pool == 50 and len(prints) > 0.9 * len(may))
    assert len(trades) > 20
    assert len(expected) > 2


@pytest.mark.parametrize(("execution", "rules", "windows", "before_close"), CASES)
def test_every_print_that_may_be_drawn_is_counted_once_in_its_hour(execution, rules, windows, before_close):
    tape, signals = hours_of_prints()
    setup = controlled(setup_of(**execution, rules=SessionRules(**rules)), sims=1)
    trades = closed_trades(tape, signals, setup)
    cells = module._cells(tape, trades, setup)
    found = module._every_entry(tape, cells, module.Positions(*np.zeros((3, 0), np.int64)), setup)
    hours = naive_hours(tape, windows, {2, 4} if "weekdays" in rules else set(range(7)), before_close)
    fills, entered = naive_fills(tape, setup), sorted({hours[i] for i in trades["signal"].tolist()})
    expected = [sum(hour == h and fill for hour, fill in zip(hours, fills, strict=True)) for h in entered]
    for side in (0, 1):
        assert found.entries.sum(axis=2)[:, side].tolist() == expected
    assert module._drawn_from(cells).tolist() == expected


@examples(40)
@given(markets(), setups())
def test_every_draw_is_a_print_that_the_rules_allow_and_that_fills(market, setup):
    with pytest.MonkeyPatch.context() as patch:
        seen = Seen(patch)
        setup = controlled(setup, sims=6)
        tape, rules = market.tape(), setup.rules
        trades = closed_trades(tape, market.given(), setup)
        random_entries(tape, trades, setup)
    # All that is drawn would have been traded as a signal of its own under the windows of the run.
    free = dataclasses.replace(rules, sides="both", reverse=False, cooldown=0.0, max_trades=None)
    free = dataclasses.replace(free, loss_limit=None, profit_limit=None, limit_basis="realized")
    execution = dataclasses.replace(setup.execution, overlap=True)
    for i, side in set(seen.draws):
        counts = simulate(tape, signals_of(tape, {i: side}), setup.bracket, execution, free).counts
        assert counts["closed"] + counts["void"] + counts["open"] == 1


@compiled
def test_draws_are_uniform_over_the_prints_of_their_hour(seen):
    # Two session dates with 50 prints each in the hour from noon; the last of each cannot fill. 50 trades by 200
    # controls are 10,000 draws over 98 prints. Chi-square has 97 degrees of freedom, standard deviation
    # sqrt(2 * 97) = 14: 167 is 5 of them off.
    tape = tape_of([100 + (i // 2 % 2) * 2 for i in range(100)], [24 * HOUR * (i // 50) + i for i in range(100)])
    setup = controlled(setup_of(take_profit=2, stop_loss=2), sims=200)
    trades = every_signal(tape, range(49), setup)
    assert len(trades) == 49
    random_entries(tape, trades, setup)
    counts = Counter(i for i, _ in seen.draws)
    expected = 9_800 / 98
    assert set(counts) == set(range(100)) - {49, 99}
    assert sum((n - expected) ** 2 / expected for n in counts.values()) < 167


def outcomes_of(counts):
    """Outcomes of one hour whose long entries end with the ticks 0, 1, 2 ... so many times each."""
    ticks, entries = np.arange(len(counts)), np.zeros((1, 2, len(counts)), np.int64)
    entries[0, 0] = counts
    return Outcomes(ticks, entries, np.zeros((1, 3), np.int64), np.zeros(2))


@pytest.mark.parametrize("each", [1, 1_000])
def test_each_run_sums_draws_of_the_outcomes_that_know_nothing_of_each_other(each):
    # Sums of two draws of 0 to 8: of 81 equally likely pairs, 9 - |8 - s| have the sum s. 81,000 runs; 16 degrees
    # of freedom, standard deviation sqrt(32) = 5.7: 5 of them are 29.
    sums = module._drawn(outcomes_of([each] * 9), np.array([[2, 0]]), 81_000, 3)
    totals = sums.ticks.sum(axis=0)
    counts = np.bincount(totals, minlength=17)
    expected = np.array([1_000 * (9 - abs(8 - s)) for s in range(17)])
    assert ((counts - expected) ** 2 / expected).sum() < 16 + 29
    # Neighbouring runs do not share draws: the correlation of 40,500 pairs is 0 up to 5 / sqrt(40,500).
    assert abs(np.corrcoef(totals[::2], totals[1::2])[0, 1]) < 5 / np.sqrt(40_500)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=5).filter(any), st.integers(1, 9))
def test_as_many_outcomes_are_summed_as_there_are_entries(counts, entries):
    # Few draws are taken one by one, many as counts of each outcome.
    sums = module._drawn(outcomes_of(counts), np.array([[entries, 0]]), 20, 0)
    assert sums.entries.sum(axis=0).tolist() == [entries] * 20
    used = [tick for tick, count in enumerate(counts) if count]
    low, high = (choose(used) * entries for choose in (min, max))
    assert (low <= sums.ticks.sum(axis=0)).all()
    assert (sums.ticks.sum(axis=0) <= high).all()


# What they earn ---------------------------------------------------------------------------------------


@examples(40)
@given(markets(), setups())
def test_the_outcomes_of_a_pool_are_what_its_entries_earn_on_their_own(market, setup):
    with pytest.MonkeyPatch.context() as patch:
        seen = Seen(patch)
        setup = controlled(setup, sims=4)
        tape = market.tape()
        trades = closed_trades(tape, market.given(), setup)
        if not random_entries(tape, trades, setup):
            return
        cells = module._cells(tape, trades, setup)
        seen.drawn.clear()
        found = module._pool(tape, cells, module.Positions(*np.zeros((3, 0), np.int64)), 4, setup)
    expected = Counter()
    for i, side in seen.draws:
        place = int(cells.hour[np.searchsorted(cells.starts, i, side="right") - 1]), int(side < 0)
        expected[*place, net_ticks(tape, i, side, setup)] += 1
    assert {(h, s, int(found.ticks[k])): n for (h, s, k), n in np.ndenumerate(found.entries) if n} == expected


@compiled
@pytest.mark.parametrize("exact", [True, False])
def test_the_random_runs_earn_on_average_what_all_entries_of_their_hours_do(exact, monkeypatch):
    if not exact:
        Seen(monkeypatch)
    tape, signals = hours_of_prints(600)
    setup = controlled(setup_of(take_profit=5, stop_loss=3, commission=2.05, latency_ns=10**9, contracts=2), sims=4_000)
    trades = closed_trades(tape, signals, setup)
    got = random_entries(tape, trades, setup)
    hours, fills = naive_hours(tape, [], set(range(7)), None), naive_fills(tape, setup)
    mean = variance = deviations = 0.0
    for (hour, side), n in Counter(
        (hours[i], side) for i, side in zip(trades["signal"].tolist(), trades["side"].tolist(), strict=True)
    ).items():
        prints = [i for i in range(len(tape)) if hours[i] == hour and fills[i]]
        x = [net_ticks(tape, i, side, setup) * 10.0 - 8.2 for i in prints]
        mean, variance = mean + n * np.mean(x), variance + n * np.var(x)
        own = trades[
            (trades["side"] == side) & np.isin(trades["signal"], [i for i, h in enumerate(hours) if h == hour])
        ]
        deviations += ((own["net_usd"] - np.mean(x)) ** 2).sum()
    # The mean of 4,000 runs has an error of sd / sqrt(4,000), and so has that of a pool of 4,000 draws an entry.
    errors = 1 if exact else 2
    assert got["method"] == ("exact" if exact else "sampled")
    assert abs(got["mean_usd"] - mean) < 5 * np.sqrt(errors * variance / 4_000)
    assert got["sd_usd"] == pytest.approx(np.sqrt(variance), rel=5 * np.sqrt(1 / 8_000))
    assert got["trade_sd_usd"] == pytest.approx(np.sqrt(variance / len(trades)), rel=5 * np.sqrt(1 / 8_000))
    near = 1e-9 if exact else 0.05  # the centre of a pool is known up to its error
    assert got["strategy_trade_sd_usd"] == pytest.approx(np.sqrt(deviations / len(trades)), rel=near)
    assert len(trades) > 20


@pytest.mark.parametrize("contract", [None, ["a"] * 5 + ["b"]])
@pytest.mark.parametrize("exact", [True, False])
def test_an_entry_that_stays_open_or_is_void_is_marked_at_its_last_print(contract, exact, monkeypatch):
    # The order of print 0 is bought at 100 and sold at 104; those of the prints 1 and 2 buy at 104 and are marked at
    # 103, the last print of their segment, and that of print 3 buys this print itself.
    if not exact:
        Seen(monkeypatch)
    tape = tape_of([100, 100, 104, 104, 103, 900][: 6 if contract else 5], contract=contract)
    setup = controlled(setup_of(commission=1.0), sims=400)
    trades = closed_trades(tape, signals_of(tape, {0: LONG}), setup)
    got = random_entries(tape, trades, setup)
    assert got["strategy_usd"] == 18.0
    # Each of 18, -7, -7 and -2 USD in a quarter of 400 runs: their mean is 0.5, their deviation 10.4.
    assert abs(got["mean_usd"] - 0.5) < 5 * (10.4 if exact else 14.7) / np.sqrt(400)
    assert got["percentiles_usd"]["5"] == -7.0
    assert got["percentiles_usd"]["95"] == 18.0


def test_a_trade_open_at_a_roll_earns_what_it_is_closed_for():
    # Orders after the prints 1 and 2 buy at 104 and are closed at the last print of their contract, 103, less a tick of
    # slippage on either side; that after print 3 has no later event to be closed in, and is marked there.
    tape = tape_of([100, 100, 104, 104, 103, 900], contract=["a"] * 5 + ["b"])
    setup = controlled(setup_of(roll_exit="close", slippage_ticks=1, take_profit=3), sims=200)
    trades = closed_trades(tape, signals_of(tape, {0: LONG}), setup)
    found = module._every_entry(
        tape, module._cells(tape, trades, setup), module.Positions(*np.zeros((3, 0), int)), setup
    )
    longs = dict(zip(found.ticks.tolist(), found.entries[0, 0].tolist(), strict=True))
    assert {tick: n for tick, n in longs.items() if n} == {3: 1, -3: 2, -1: 1}


def test_a_strategy_that_never_closes_its_losers_is_no_better_for_it():
    # Its winners close, its losers stay open to the end: counted like random entries that end so, they are no edge.
    p_values = []
    for run in range(60):
        rng = np.random.default_rng(run)
        tape = tape_of(80_000 + rng.choice([-2, 2], 3_000).cumsum(), [k * 10**9 for k in range(3_000)])
        setup = controlled(setup_of(take_profit=20, stop_loss=2_000), sims=99, seed=run)
        every = np.zeros(len(tape), np.int8)
        every[rng.choice(2_900, 40, replace=False)] = rng.choice([LONG, SHORT], 40)
        made = traded(tape, every, setup)[1]
        if len(made.trades):
            p_values.append(random_entries(tape, made.trades, setup, unclosed=made.unclosed)["p_value"])
    # 5% of some 50: 2.5, give or take five times 1.5.
    assert len(p_values) > 40
    assert (np.array(p_values) <= 0.05).sum() <= 10


@pytest.mark.parametrize(("entry", "inside"), [("next", 2 / 3), ("signal", 3 / 4)])
@pytest.mark.parametrize("exact", [True, False])
def test_the_share_of_entries_at_prints_of_the_other_side_stands_beside_that_of_random_ones(
    entry, inside, exact, monkeypatch
):
    # A buy fills inside the spread at the print of a seller. The strategy's one entry does; of the prints 0 to 3 (with
    # entry=signal 0 to 4) at whose next print, or at which, an order fills, these are sellers':
    if not exact:
        Seen(monkeypatch)
    aggressor = [SHORT, SHORT, SHORT, LONG]  # prints without one are left out
    tape, unknown = (tape_of([100, 100, 104, 104], range(4), aggressor=given) for given in (aggressor, None))
    setup = controlled(setup_of(entry=entry), sims=3_000)
    trades = closed_trades(tape, signals_of(tape, {0: LONG}), setup)
    got = random_entries(tape, trades, setup)
    assert got["strategy_inside_share"] == 1.0
    assert got["inside_share"] == pytest.approx(inside, abs=1e-12 if exact else 5 * np.sqrt(0.25 / 3_000))
    got = random_entries(unknown, trades, setup)
    assert np.isnan([got["strategy_inside_share"], got["inside_share"]]).all()


# Seeds, threads and pools -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def walk():
    """A tape, closed trades and a setup of a control that differs from seed to seed."""
    market = random_walk(1_500 if JIT else 600)
    setup = controlled(setup_of(commission=2.05), sims=60)
    tape = market.tape()
    return tape, closed_trades(tape, market.given(), setup), setup


def test_a_pool_holds_the_market_as_all_entries_together_do(walk):
    # Long and short entries. A pool of 2,000 draws an entry knows the position of all of them up to 1 / sqrt(2,000).
    tape, trades, setup = walk
    cells = module._cells(tape, trades, setup)
    held = module.Positions(*(trades[name].astype(np.int64) for name in ("entry", "exit", "side")))
    sampled, exact = module._pool(tape, cells, held, 2_000, setup), module._every_entry(tape, cells, held, setup)
    assert sampled.moves == pytest.approx(exact.moves, rel=0.05)
    assert cells.entries.sum(axis=0).min() > 20


@pytest.mark.parametrize("exact", [True, False])
def test_the_number_of_threads_changes_nothing(exact, walk, monkeypatch):
    if not exact:
        Seen(monkeypatch)
    monkeypatch.setattr(module, "_PART", 600)  # ten entries a part
    expected = random_entries(*walk)
    for cores in (1, 2, 7):
        with Engine(cores):
            assert random_entries(*walk) == expected


@pytest.mark.parametrize("exact", [True, False])
def test_the_same_seed_repeats_itself_and_another_draws_anew(exact, walk, monkeypatch):
    if not exact:
        Seen(monkeypatch)
    tape, trades, setup = walk
    made = [random_entries(tape, trades, controlled(setup, 60, seed)) for seed in (0, 0, 1, 2**32 - 1)]
    assert made[0] == made[1]
    assert len({str(found["histogram"]) for found in made}) == 3


def test_the_order_of_the_trades_changes_nothing(walk):
    tape, trades, setup = walk
    expected = random_entries(tape, trades, setup)
    got = random_entries(tape, trades[::-1].copy(), setup)
    assert got["histogram"] == expected["histogram"]
    assert got["p_value"] == expected["p_value"]
    assert got["freedom"] == expected["freedom"]


def test_where_all_draws_are_too_many_there_are_fewer_for_each_entry(walk, seen, monkeypatch):
    tape, trades, setup = walk
    trades, sims = trades[:11], 50
    for draws, least, pool in ((44, 2, 4), (20, 3, 3), (11 * 50, 2, 50), (10**9, 2, 50)):
        seen.drawn.clear()
        monkeypatch.setattr(module, "DRAWS", draws)
        monkeypatch.setattr(module, "MIN_POOL", least)
        monkeypatch.setattr(module, "_PART", 7)
        got = random_entries(tape, trades, controlled(setup, sims))
        assert (got["pool"], got["sims"], sum(got["histogram"]["runs"])) == (pool, sims, sims)
        assert sum(len(part.at) for part in seen.drawn) == 11 * pool
        assert max(len(part.at) for part in seen.drawn) == 7


def test_a_pool_is_never_deeper_than_the_runs_are_many(walk, seen):
    tape, trades, setup = walk
    assert random_entries(tape, trades[:3], controlled(setup, 7))["pool"] == 7


def test_where_every_outcome_is_known_there_is_no_pool(walk):
    got = random_entries(*walk)
    assert (got["method"], got["pool"]) == ("exact", None)
    tape, trades, setup = walk
    moving = dataclasses.replace(setup, bracket=dataclasses.replace(setup.bracket, trailing_stop=1.0))
    got = random_entries(tape, trades, moving)
    assert (got["method"], got["pool"]) == ("sampled", 60)


def test_without_trades_or_controls_there_is_nothing_to_compare(walk):
    tape, trades, setup = walk
    assert random_entries(tape, trades[:0], setup) == {}
    assert random_entries(tape, trades, controlled(setup, 0)) == {}
    assert random_entries(tape_of([]), trades[:0], setup) == {}


def test_a_single_control_has_no_deviation(walk):
    tape, trades, setup = walk
    got = random_entries(tape, trades, controlled(setup, 1))
    assert np.isnan(got["sd_usd"])
    assert got["p_value"] in (0.5, 1.0)
