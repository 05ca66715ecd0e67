"""The random-entry control: which entries are drawn, what they earn, and where the strategy stands among them.

Prices are ticks and times ns after noon in Chicago, as in the tests of the fills.
"""

import dataclasses
from collections import Counter
from datetime import datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.budget import JIT, examples
from support.checks import HOUR, LONG, SHORT, setup_of, setups, traded
from support.random_tapes import CHICAGO, markets, random_walk, session_dates
from support.tapes import NOON, signals_of, tape_of

from benchmarks.edgeless import CASES as EDGELESS
from benchmarks.edgeless import p_values
from scalpr_zen import MonteCarlo, SessionRules, Tape, instrument
from scalpr_zen.base.engine import Engine
from scalpr_zen.sections import random_entries as module
from scalpr_zen.sections.random_entries import random_entries
from scalpr_zen.simulation.passages import Outcomes
from scalpr_zen.simulation.simulate import Orders, simulate, trade

MINUTE = HOUR // 60
compiled = pytest.mark.skipif(not JIT, reason="needs many draws, for which the kernels without the compiler are slow")


class Seen:
    """What was drawn and traded: the orders and results of each part."""

    def __init__(self, monkeypatch):
        self.drawn, self.made = [], []
        alone = module.alone

        def spy_alone(tape, wanted, execution, setup):
            made = alone(tape, wanted, execution, setup)
            self.drawn.append(wanted)
            self.made.append(made)
            return made

        monkeypatch.setattr(module, "alone", spy_alone)
        monkeypatch.setattr(module, "has_fixed_levels", lambda *_: False)

    @property
    def draws(self):
        """(print, side) of each draw, all parts together."""
        return [pair for part in self.drawn for pair in zip(part.at.tolist(), part.side.tolist(), strict=True)]


@pytest.fixture
def seen(monkeypatch):
    """Random entries that are drawn and traded, as where moved stops forbid first passages."""
    return Seen(monkeypatch)


def every_signal(tape, prints, setup):
    """Closed trades of a buy at each of these prints, each taken by itself."""
    alone = dataclasses.replace(setup, execution=dataclasses.replace(setup.execution, overlap=True))
    return closed_trades(tape, signals_of(tape, dict.fromkeys(prints, LONG)), alone)


def controlled(setup, sims, seed=0):
    """The same setup with random-entry controls."""
    return dataclasses.replace(setup, settings=MonteCarlo(monte_carlo_sims=0, random_entry_sims=sims, seed=seed))


def closed_trades(tape, signals, setup):
    return traded(tape, signals, setup)[1].trades


# Which entries are drawn ------------------------------------------------------------------------------


def wall(ts):
    """The Chicago wall time of a time, whole seconds."""
    return datetime.fromtimestamp(ts // 10**9, CHICAGO).replace(tzinfo=None)


def naive_hours(tape, windows, weekdays, before_close):
    """For each print the hour of the day from whose prints its draws are taken; None where none is allowed.

    Windows are pairs of minutes of the Chicago day that do not cross midnight; no windows mean all of it.
    """
    ts, closes = tape.ts.tolist(), {row["date"].item(): int(row["close"]) for row in tape.sessions}
    hours = []
    for t, day in zip(ts, session_dates(ts), strict=True):
        minute = 60 * wall(t).hour + wall(t).minute
        inside = any(start <= minute < stop for start, stop in windows or [(0, 1440)])
        allowed = day.weekday() in weekdays and (before_close is None or t < closes[day] - before_close)
        hours.append(wall(t).hour if inside and allowed else None)
    return hours


def naive_fills(tape, setup):
    """For each print whether an order sent at it fills (rules 3 and 5)."""
    ts, latency, dates = tape.ts.tolist(), setup.execution.latency_ns, session_dates(tape.ts.tolist())
    stops = [stop for start, stop in tape.segments[["start", "stop"]].tolist() for _ in range(start, stop)]
    if setup.execution.entry == "signal":
        return [True] * len(ts)
    return [
        any(ts[j] > ts[i] and ts[j] >= ts[i] + latency and dates[j] == dates[i] for j in range(i + 1, stops[i]))
        for i in range(len(ts))
    ]


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


def earned(tape, i, side, setup):
    """Net USD of one entry that is traded by itself, 0 if it stays open."""
    rules = SessionRules(flat_before_close=setup.rules.flat_before_close, max_hold=setup.rules.max_hold)
    execution = dataclasses.replace(setup.execution, overlap=True)
    return sum(simulate(tape, signals_of(tape, {i: side}), setup.bracket, execution, rules).trades["net_usd"].tolist())


def net_ticks(tape, i, side, setup):
    """Gross ticks of one entry that is traded on its own, marked at the end where it does not close."""
    rules = SessionRules(flat_before_close=setup.rules.flat_before_close, max_hold=setup.rules.max_hold)
    order = Orders(np.array([i]), np.array([side], np.int8), {"signals": 1, "other_side": 0, "outside": 0})
    made = trade(tape, order, setup.bracket, dataclasses.replace(setup.execution, overlap=True), rules)
    [row] = [*made.trades, *made.unclosed]
    return int(row["gross_ticks"])


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
    tape = Tape.from_prints(
        [NOON + i for i in range(4)], [100, 100, 104, 104], instrument=instrument("NQ"), aggressor=aggressor
    )
    setup = controlled(setup_of(entry=entry), sims=3_000)
    trades = closed_trades(tape, signals_of(tape, {0: LONG}), setup)
    got = random_entries(tape, trades, setup)
    assert got["strategy_inside_share"] == 1.0
    assert got["inside_share"] == pytest.approx(inside, abs=1e-12 if exact else 5 * np.sqrt(0.25 / 3_000))
    unknown = dataclasses.replace(tape, aggressor=tape.aggressor * 0)
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


# Where the strategy stands ----------------------------------------------------------------------------


def sums_of(*runs):
    """The sums of some runs, each a list of the ticks of its closed trades in one cell."""
    columns = [(len(run), sum(run), sum(x * x for x in run)) for run in runs]
    return module._Sums(*np.array(columns).T[:, None, :])


def test_percentile_and_p_value_count_ties_by_hand():
    # Two trades a run, centre 0: the scores are 3 / sqrt(5), 0, 0, -2 / sqrt(2) and 4 / sqrt(10). Of those below 4 /
    # sqrt(8), 1.41: three and none equal, so that the percentile is 3 / 4 of four runs, and p = (1 + 1) / (1 + 4).
    drawn, centre = sums_of([2, 1], [1, -1], [2, -2], [-1, -1]), np.zeros((1, 1))
    for ticks, percentile, p_value in (
        ([2, 2], 1.0, 0.2),
        ([3, -3], 0.5, 0.8),
        ([1, -2], 0.25, 0.8),
        ([-3, -3], 0.125, 1.0),
    ):
        got = module._compared(sums_of(ticks), drawn, centre, 5.0, 0.0, 1.0)
        assert (got["percentile"], got["p_value"]) == (percentile, p_value)
    assert got["mean_usd"] == pytest.approx(5 * (3 + 0 + 0 - 2) / 4)
    assert got["strategy_trade_sd_usd"] == 15.0
    assert got["trade_sd_usd"] == pytest.approx(5 * np.sqrt((5 + 2 + 8 + 2) / 8))


def test_a_run_is_measured_by_its_own_deviation():
    # Ten times the size of every deviation, and ten times the sum: the same score. Twice the sum of the best random
    # run is no better than it where each trade was twice as large.
    drawn, centre = sums_of([1, 1, -1], [-1, 1, -1]), np.zeros((1, 1))
    got = [module._compared(sums_of(ticks), drawn, centre, 5.0, 0.0, 1.0) for ticks in ([1, 1, -1], [10, 10, -10])]
    assert [found["percentile"] for found in got] == [0.75, 0.75]
    assert got[1]["strategy_trade_sd_usd"] == pytest.approx(10 * got[1]["trade_sd_usd"])


def test_a_strategy_that_has_no_choice_left_has_no_p_value():
    drawn, centre = sums_of([1, 1, -1], [-1, 1, -1]), np.zeros((1, 1))
    got = module._compared(sums_of([1, 1, 1]), drawn, centre, 5.0, 0.0, module.LEAST_FREEDOM - 0.01)
    assert np.isnan([got["p_value"], got["percentile"]]).all()
    assert "one side" in got["reason"]
    assert got["mean_usd"] == pytest.approx(0.0)


@pytest.mark.parametrize("freedom", [0.9, 1.0, 1.1])
def test_equal_results_are_ties_whatever_the_freedom_of_the_strategy(freedom):
    # One trade that wins, where half of the random runs win and half lose: nothing to speak of.
    drawn, centre = sums_of([1], [1], [-1], [-1]), np.zeros((1, 1))
    got = module._compared(sums_of([1]), drawn, centre, 5.0, 0.0, freedom)
    assert (got["percentile"], got["p_value"]) == (0.75, 0.6)


@compiled
@pytest.mark.parametrize(("hold", "expected"), [(30, 0.5), (58, 2 / 60), (900, 0.5)])
def test_the_freedom_of_a_strategy_is_what_its_score_varies_on_walks_without_drift(hold, expected):
    # Long for half of each minute, or for all but two seconds of it, on walks of half an hour whose steps are alike: of
    # the variance of independent entries (1 - share) is left. Or long once, from an entry in the first half to 15
    # minutes later: all such entries together are long by up to one, most in the middle. 200 walks: the error of a
    # variance is sqrt(2 / 200) = 10%.
    scores, freedoms = [], []
    for run in range(200):
        rng = np.random.default_rng(run)
        tape = tape_of(100_000 + rng.choice([-1, 1], 1_800).cumsum(), [k * 10**9 for k in range(1_800)])
        rules = SessionRules(max_hold=hold, entry_windows="12:00-12:15" if hold > 60 else "all")
        setup = controlled(setup_of(take_profit=9_000, stop_loss=9_000, rules=rules), sims=1)
        at = [int(rng.integers(0, 890))] if hold > 60 else range(0, 1_740, 60)
        trades = closed_trades(tape, signals_of(tape, dict.fromkeys(at, LONG)), setup)
        cells = module._cells(tape, trades, setup)
        held = module.Positions(*(trades[name].astype(np.int64) for name in ("entry", "exit", "side")))
        found = module._every_entry(tape, cells, held, setup)
        total, _ = module._spread(module._own(cells, trades), module._centres(found, 5.0, 0.0), 5.0, 0.0)
        scores.append(total[0] / 5 / np.sqrt((held.exit - held.entry).sum()))
        freedoms.append(found.moves[0] / found.moves[1])
    assert np.mean(freedoms) == pytest.approx(np.var(scores), rel=0.5, abs=0.02)
    if hold < 60:
        assert np.mean(freedoms) == pytest.approx(expected, abs=0.05)  # the last minute has no entry


def test_where_nothing_else_can_be_drawn_the_random_runs_are_the_strategy_to_the_last_cent():
    # One print an hour and none in an hour of the day twice. With a commission of 2.05 sums in another order differ in
    # their last bits. A strategy without any choice has no p-value.
    tape = tape_of([100 + 7 * (h % 2) for h in range(23)], range(0, 23 * HOUR, HOUR))
    setup = controlled(setup_of(take_profit=1, stop_loss=1, commission=2.05), sims=9)
    trades = every_signal(tape, range(23), setup)
    got = random_entries(tape, trades, setup)
    assert got["histogram"]["runs"] == [9]
    assert got["mean_usd"] == pytest.approx(got["strategy_usd"])
    assert got["freedom"] == pytest.approx(0, abs=1e-6)
    assert np.isnan(got["p_value"])
    assert len(trades) > 15


def test_a_single_control_has_no_deviation(walk):
    tape, trades, setup = walk
    got = random_entries(tape, trades, controlled(setup, 1))
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
    got = random_entries(tape, trades, setup)
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
        setup = controlled(setup_of(take_profit=7, stop_loss=5), sims=99, seed=run)
        each = dataclasses.replace(setup, execution=dataclasses.replace(setup.execution, overlap=True))
        p_values.append(random_entries(tape, closed_trades(tape, signals, each), setup)["p_value"])
    shares = np.arange(1, runs + 1) / runs
    ranked = np.sort(p_values)
    gap = max(np.abs(shares - ranked).max(), np.abs(shares - 1 / runs - ranked).max())
    assert gap < 1.95 / np.sqrt(runs) + 0.01


def a_walk_without_drift(rng, dates=10, prints=1_500):
    """Prices that rise or fall by a tick at each print, over one busy hour of each session date: nobody can earn."""
    ts = [24 * HOUR * n + k * 10**9 for n in range(dates) for k in range(prints)]
    return tape_of(100_000 + rng.choice([-1, 1], dates * prints).cumsum(), ts)


@compiled
@pytest.mark.parametrize("way", [LONG, SHORT])
def test_signals_that_follow_or_fade_a_move_without_an_edge_are_no_better_than_random_entries(way):
    # The side of such a signal follows from the prices before it. Entries drawn from these same prices would lose for
    # who fades the move, and every fade would look like an edge. Of 100 p-values 5 lie at either end, give or take five
    # times sqrt(100 * 0.05 * 0.95) = 2.2.
    p_values = []
    for run in range(100):
        tape = a_walk_without_drift(np.random.default_rng(run))
        price = tape.price.astype(np.int64)
        move = np.zeros(len(tape), np.int64)
        move[100:] = price[100:] - price[:-100]
        signals = (way * np.sign(move) * (np.abs(move) >= 20)).astype(np.int8)
        setup = controlled(setup_of(take_profit=12, stop_loss=12), sims=99, seed=run)
        p_values.append(random_entries(tape, closed_trades(tape, signals, setup), setup)["p_value"])
    low, high = (np.array(p_values) <= 0.05).sum(), (np.array(p_values) > 0.95).sum()
    assert max(low, high) <= 16
    assert 0.3 < np.mean(p_values) < 0.7


@compiled
def test_in_a_market_of_bursts_chance_is_significant_as_often_as_it_should_be():
    # Without an edge 5% of p-values lie at or below 5%: 2.5 of 50 runs, give or take five times sqrt(2.5 * 0.95) = 1.5.
    # Unscored, a fifth to a quarter of the runs that trade in fast moments lay there.
    found = p_values(EDGELESS[:8], 50, dates=5, hours=1)
    names = [case.name for case in EDGELESS[:8]]
    low, high = (found <= 0.05).sum(axis=0), (found > 0.95).sum(axis=0)
    assert dict(zip(names, low.tolist(), strict=True)) == {name: pytest.approx(2.5, abs=7.7) for name in names}
    assert high.max() <= 12  # entries in fast moments may be worse than random ones, as prices leap over their levels


def test_trades_that_overlap_or_end_by_the_money_of_their_session_have_no_random_entries():
    tape, signals = hours_of_prints()
    for setup in (setup_of(overlap=True), setup_of(rules=SessionRules(loss_limit=900.0, limit_basis="equity"))):
        trades = closed_trades(tape, signals, setup)
        assert len(trades) > 0
        assert random_entries(tape, trades, controlled(setup, 9)) == {}


def test_a_losing_strategy_has_a_p_value_near_one():
    tape, _ = hours_of_prints()
    setup = controlled(setup_of(take_profit=6, stop_loss=4), sims=99)
    every = setup_of(take_profit=6, stop_loss=4, overlap=True)
    longs = closed_trades(tape, np.ones(len(tape), np.int8), every)
    known = signals_of(tape, dict.fromkeys(longs["signal"][longs["net_usd"] < 0].tolist(), LONG))
    got = random_entries(tape, closed_trades(tape, known, setup), setup)
    assert (got["percentile"], got["p_value"]) == (0.0, 1.0)
