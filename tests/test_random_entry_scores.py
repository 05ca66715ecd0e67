"""Where a strategy stands among random entries, and that chance is significant as often as it should be.

Prices are ticks and times ns after noon in Chicago, as in the tests of the fills.
"""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.budget import JIT, tries
from support.checks import HOUR, LONG, SHORT, setup_of
from support.entries import closed_trades, compiled, controlled, every_signal, hours_of_prints
from support.tapes import signals_of, tape_of

from benchmarks.edgeless import CASES as EDGELESS
from benchmarks.edgeless import p_values
from scalpr_zen import SessionRules
from scalpr_zen.sections.measures import histogram
from scalpr_zen.sections.random_entries import draws as module
from scalpr_zen.sections.random_entries.draws import random_entries


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
    # minutes later: all such entries together are long by up to one, most in the middle. The error of a variance of n
    # walks is sqrt(2 / n), 10% of 200.
    scores, freedoms, runs = [], [], tries(200, 80)
    for run in range(runs):
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
    assert np.mean(freedoms) == pytest.approx(np.var(scores), rel=5 * np.sqrt(2 / runs), abs=0.02)
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


@given(st.lists(st.integers(-(10**13), 10**13) | st.integers(-3, 3), min_size=1, max_size=60))
def test_a_histogram_holds_each_amount_between_its_edges(totals):
    got = histogram(np.array(totals), 40, "runs")
    edges = [round(usd * 1e6) for usd in got["edges_usd"]]
    assert len(edges) == len(got["runs"]) + 1 <= 41
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
    # Signals at random prints of a random walk, each traded on its own, are drawn as their controls are, so that each
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


@compiled
def test_in_a_market_of_bursts_chance_is_significant_as_often_as_it_should_be():
    # Without an edge 5% of p-values lie at or below 5%: 2.5 of 50 runs, give or take five times sqrt(2.5 * 0.95) = 1.5.
    # Unscored, a fifth to a quarter of the runs that trade in fast moments lay there. Of a signal that follows or fades
    # a move the side follows from the prices before it: entries drawn from these same prices would lose for who fades.
    cases = tries(EDGELESS[:8], (EDGELESS[0], *EDGELESS[3:5]))
    found = p_values(cases, 50, dates=5, hours=1)
    names = [case.name for case in cases]
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
