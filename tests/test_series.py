"""The data of the charts, against twins that read each rule aloud in plain loops."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.series_twin import (
    COSTLY,
    DAY,
    HOUR,
    NAMES,
    array_of,
    check_excursions,
    check_holding,
    check_results,
    chicago,
    close,
    drawn,
    naive_by_day,
    naive_exits,
    naive_groups,
    naive_held,
    naive_path,
    runs,
    session_date,
    trade,
    trades_of,
    utc,
)
from support.tapes import NOON, Given, signals_of, tape_of

from scalpr_zen import TRADE, Bracket, Execution, Tape, instrument
from scalpr_zen.render.data import jsonable
from scalpr_zen.runs.backtest import run_trades
from scalpr_zen.sections.series.data import LIMITS, STRETCHES, held_usd, series, shown_points
from scalpr_zen.sections.setup import Setup
from scalpr_zen.simulation.kernel import STOP, TARGET

# ------------------------------------------------------------------------------------------------ by day

# NQZ4 earns 103 - 100 = 3 on the first session date and -2 on the second; NQH5 -1 there and, two dates later, 6.
WORKED = Tape.from_prints(
    [NOON + day * DAY + k for k, day in enumerate([0, 0, 1, 1, 1, 1, 2, 3])],
    [100, 103, 102, 101, 200, 199, 199, 205],
    instrument=instrument("NQ"),
    contract=["NQZ4"] * 4 + ["NQH5"] * 4,
)
# Long from 100 to 103, short from 103 to 101, long from 200 to 199, long from 199 to 205: 15, 10, -5, 30 USD.
WORKED_TRADES = [
    trade(WORKED, 0, 1, 1, TARGET, -1, 3),
    trade(WORKED, 1, 3, -1, TARGET, -1, 2),
    trade(WORKED, 4, 5, 1, STOP, -1, 0),
    trade(WORKED, 6, 7, 1, TARGET, 0, 6),
]
WORKED_SERIES = series(array_of(WORKED_TRADES), WORKED, Execution())


def test_every_session_date_has_its_profit_also_the_one_without_a_trade():
    assert WORKED_SERIES["by_day"] == {
        "session_date": ["2025-01-15", "2025-01-16", "2025-01-17", "2025-01-18"],
        "net_usd": [15.0, 5.0, 0.0, 30.0],
        "trades": [1, 2, 0, 1],
        "hold_usd": [15.0, -15.0, 0.0, 30.0],
        "counted": [True] * 4,
    }


@given(runs())
def test_days_are_what_the_naive_twin_adds_up(run_):
    tape, rows, execution = run_
    got, expected = drawn(run_, "by_day"), naive_by_day(rows, tape, execution.tick_value(tape.instrument))
    assert (got["session_date"], got["trades"]) == (expected["session_date"], expected["trades"])
    assert got["net_usd"] == close(expected["net_usd"])
    assert got["hold_usd"] == close(expected["hold_usd"])


# ---------------------------------------------------------------------------------------------- by trade


def test_the_path_starts_at_zero_and_holds_no_roll_gap():
    assert WORKED_SERIES["by_trade"] == {
        "trade": [0, 1, 2, 3, 4],
        "equity_usd": [0.0, 15.0, 25.0, 20.0, 50.0],
        "drawdown_usd": [0.0, 0.0, 0.0, 5.0, 0.0],
        "hold_usd": [0.0, 15.0, 5.0, 0.0, 30.0],
    }


@given(runs())
def test_a_short_path_is_shown_whole(run_):
    tape, rows, execution = run_
    got, points = drawn(run_, "by_trade"), naive_path(rows, tape, execution.tick_value(tape.instrument))
    equity, fall, hold = map(list, zip(*points, strict=True))
    assert got["trade"] == list(range(len(rows) + 1))
    assert got["equity_usd"] == close(equity)
    assert got["drawdown_usd"] == close(fall)
    assert got["hold_usd"] == close(hold)


@given(runs())
def test_buy_and_hold_at_any_print_is_what_its_segments_earned(run_):
    tape, _, execution = run_
    tick_value = execution.tick_value(tape.instrument)
    got = held_usd(tape, np.arange(len(tape)), tick_value)
    assert got.tolist() == close([naive_held(tape, i, tick_value) for i in range(len(tape))])


def test_a_picture_of_a_year_of_trades_keeps_what_it_shows():
    n, rng = 200_000, np.random.default_rng(7)
    tape = tape_of((80_000 + np.cumsum(rng.integers(-5, 6, 500))).tolist(), contract=["A"] * 200 + ["B"] * 300)
    exits = np.sort(rng.integers(0, 500, n))
    trades = trades_of(n, exit=exits, net_usd=5.0 * rng.integers(-30, 31, n))
    got = series(trades, tape, Execution())["by_trade"]
    held = [naive_held(tape, i, 5.0) for i in range(500)]
    equity, fall, hold, peak = [0.0], [0.0], [0.0], 0.0
    for usd, i in zip(trades["net_usd"].tolist(), exits.tolist(), strict=True):
        equity.append(equity[-1] + usd)
        peak = max(peak, equity[-1])
        fall.append(peak - equity[-1])
        hold.append(held[i])
    kept = got["trade"]
    assert (kept[0], kept[-1]) == (0, n)
    assert all(before < after for before, after in pairwise(kept))
    assert STRETCHES <= len(kept) <= 2_000
    assert got["equity_usd"] == [equity[k] for k in kept]
    assert got["drawdown_usd"] == [fall[k] for k in kept]
    assert got["hold_usd"] == [hold[k] for k in kept]
    assert {max(equity), min(equity)} <= set(got["equity_usd"])
    assert max(fall) in got["drawdown_usd"]


@given(st.integers(0, 2**32 - 1), st.integers(STRETCHES, 9_000))
def test_no_point_left_out_sticks_out_of_those_kept_near_it(seed, n):
    rng = np.random.default_rng(seed)
    equity = np.concatenate(([0.0], np.cumsum(rng.integers(-9, 10, n)))).astype(np.float64)
    fall = np.maximum.accumulate(equity) - equity
    kept = shown_points(equity, fall)
    assert len(kept) <= 5 * STRETCHES
    assert (kept[0], kept[-1]) == (0, n)
    assert (np.diff(kept) > 0).all()
    near = math.ceil((n + 1) / STRETCHES)
    assert np.diff(kept).max() <= near
    for path in (equity, fall):
        for k in sorted(set(range(0, n, 37)) | {int(path.argmax()), int(path.argmin())}):
            around = path[kept[(kept >= k - near) & (kept <= k + near)]]
            assert around.min() <= path[k] <= around.max()
        assert path.max() == path[kept].max()
        assert path.min() == path[kept].min()


@pytest.mark.parametrize("n", [0, 1, 2, STRETCHES, 5 * STRETCHES - 1])
def test_a_path_of_no_more_points_than_a_picture_keeps_is_kept_whole(n):
    equity = np.arange(n + 1, dtype=np.float64)
    assert shown_points(equity, np.zeros(n + 1)).tolist() == list(range(n + 1))


# ----------------------------------------------------------------------------------------------- outcomes


@given(runs())
def test_exits_are_what_the_naive_twin_counts(run_):
    got, expected = drawn(run_, "exits"), naive_exits(run_[1])
    assert [(row["side"], row["reason"], row["trades"]) for row in got] == [row[:3] for row in expected]
    assert [row["net_usd"] for row in got] == close([row[3] for row in expected])


@given(runs())
def test_every_result_lies_in_one_bin(run_):
    tape, rows, execution = run_
    bins = drawn(run_, "results")
    if rows:
        step = execution.tick_value(tape.instrument) * execution.contracts
        check_results(bins, [row["net_usd"] for row in rows], step)
    else:
        assert bins == {"from_usd": [], "to_usd": [], "trades": []}


@pytest.mark.parametrize("ticks", [(-20, 40), (0, 78), (0, 79), (0, 80), (-3_000, 17), (-1, 100_000), (-9, -9)])
@pytest.mark.parametrize("execution", [Execution(), COSTLY, Execution(point_value=2.0, commission=0.37)])
def test_results_are_binned_whatever_their_range_and_costs(ticks, execution):
    low, high = ticks
    gross = sorted({low, high, *range(low, high, max(1, (high - low) // 50))} | {low, (low + high) // 2})
    step = execution.tick_value(WORKED.instrument) * execution.contracts
    net = [k * step - 2 * execution.commission * execution.contracts for k in gross]
    bins = series(trades_of(len(net), gross_ticks=gross, net_usd=net), WORKED, execution)["results"]
    check_results(bins, net, step)


def test_a_few_results_have_a_bin_of_one_tick_each():
    # Three contracts: 15 USD a tick less 13.62.
    trades = trades_of(4, gross_ticks=[1, 2, 2, 4], net_usd=[1.38, 16.38, 16.38, 46.38])
    bins = series(trades, WORKED, COSTLY)["results"]
    assert bins["from_usd"] == close([1.38, 16.38, 31.38, 46.38])
    assert bins["to_usd"] == close([1.38, 16.38, 31.38, 46.38])
    assert bins["trades"] == [1, 2, 0, 1]


# ------------------------------------------------------------------------------------- hours and weekdays


def entries(times, usd):
    """One trade entered and closed at each print of a tape of these UTC times."""
    tape = tape_of([100] * len(times), [utc(text) for text in times], start=0)
    rows = [{**trade(tape, k, k), "net_usd": usd[k]} for k in range(len(times))]
    return series(array_of(rows), tape, Execution())


def test_hours_are_those_of_chicago_before_and_after_each_change_of_the_clock():
    # 12:30 UTC is 07:30 in summer and 06:30 in winter; 01:30 comes twice on 3 November, 02:30 never on 9 March.
    times = ["2024-11-01T12:30", "2024-11-03T06:30", "2024-11-03T07:30", "2024-11-03T08:30", "2024-11-04T12:30"]
    times += ["2025-03-07T12:30", "2025-03-09T07:30", "2025-03-09T08:30", "2025-03-10T12:30"]
    hours = [7, 1, 1, 2, 6, 6, 1, 3, 7]
    rows = entries(times, [float(2**k) for k in range(9)])["hours"]
    assert [row["hour"] for row in rows] == list(range(24))
    assert [row["trades"] for row in rows] == [hours.count(hour) for hour in range(24)]
    assert rows[1]["net_usd"] == 2.0 + 4.0 + 64.0
    assert rows[7]["mean_usd"] == (1.0 + 256.0) / 2
    assert math.isnan(rows[0]["mean_usd"])


def test_the_last_nanosecond_of_an_hour_belongs_to_it():
    tape = tape_of([100, 100], [HOUR - 1, HOUR])
    rows = series(array_of([trade(tape, 0, 0), trade(tape, 1, 1)]), tape, Execution())["hours"]
    assert [(row["hour"], row["trades"]) for row in rows if row["trades"]] == [(12, 1), (13, 1)]


@given(runs())
def test_hours_and_weekdays_are_what_the_naive_twin_groups(run_):
    rows = run_[1]
    hours = naive_groups(rows, lambda row: chicago(row["entry_ts"]).hour, range(24))
    weekdays = naive_groups(rows, lambda row: session_date(row["entry_ts"]).weekday(), range(7))
    for name, expected in (("hours", hours), ("weekdays", weekdays)):
        got = drawn(run_, name)
        assert [row["trades"] for row in got] == [row[0] for row in expected]
        assert [row["mean_usd"] for row in got] == close([row[1] for row in expected])
        assert [row["net_usd"] for row in got] == close([row[2] for row in expected])


# -------------------------------------------------------------------------------------------- excursions


def test_few_excursions_have_a_cell_of_one_tick_each():
    cells = WORKED_SERIES["excursions"]
    assert cells["cell_points"] == [0.25, 0.25]
    assert cells["mae_points"] == [-0.25, 0.0]
    assert cells["mfe_points"] == [0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5]
    assert cells["trades"] == [[1, 0], [0, 0], [1, 0], [1, 0], [0, 0], [0, 0], [0, 1]]


@given(runs())
def test_every_trade_is_in_the_cell_of_its_excursions(run_):
    tape, rows, _ = run_
    cells = drawn(run_, "excursions")
    if rows:
        mae, mfe = [row["mae_ticks"] for row in rows], [row["mfe_ticks"] for row in rows]
        check_excursions(cells, mae, mfe, tape.instrument.tick_nanos)
    else:
        assert cells == {"mae_points": [], "mfe_points": [], "cell_points": [], "trades": []}


def test_a_trade_far_beyond_the_others_is_in_an_outermost_cell():
    mae, mfe = [-3, -2, 0] * 2_000 + [-20_000], [0, 3, 5] * 2_000 + [30_000]
    cells = series(trades_of(6_001, mae_ticks=mae, mfe_ticks=mfe), WORKED, Execution())["excursions"]
    check_excursions(cells, mae, mfe, WORKED.instrument.tick_nanos)
    assert sum(map(sum, cells["trades"])) == 6_001
    assert cells["cell_points"] == [0.25, 0.25]


def test_a_hundred_different_excursions_are_not_heaped_at_the_edges():
    mae, mfe = list(range(-99, 1)), list(range(100))
    cells = series(trades_of(100, mae_ticks=mae, mfe_ticks=mfe), WORKED, Execution())["excursions"]
    check_excursions(cells, mae, mfe, WORKED.instrument.tick_nanos)
    assert max(map(max, cells["trades"])) * 0.25 <= max(cells["cell_points"])


# ------------------------------------------------------------------------------------------------ holding


@given(runs())
def test_every_hold_lies_in_its_bin(run_):
    rows = run_[1]
    bins = drawn(run_, "holding")
    if rows:
        held = [row["exit_ts"] - row["entry_ts"] for row in rows]
        check_holding(bins, held, [row["net_usd"] > 0 for row in rows])
    else:
        assert bins == {"from_seconds": [], "to_seconds": [], "won": [], "not_won": []}


HOLDS = sorted({ns + more for ns in LIMITS.tolist()[:-1] for more in (-1, 0, 1)} - {-1} | {200 * DAY})


@pytest.mark.parametrize("first", [0, 1, 20, 60])
def test_a_hold_at_a_limit_belongs_above_it(first):
    held = HOLDS[first:]
    won = [k % 3 == 0 for k in range(len(held))]
    trades = trades_of(len(held), entry_ts=0, exit_ts=held, net_usd=[1.0 if good else 0.0 for good in won])
    check_holding(series(trades, WORKED, Execution())["holding"], held, won)


def test_the_longest_hold_that_two_times_can_have_is_counted():
    trades = trades_of(2, entry_ts=[-(2**61), 0], exit_ts=[2**62, 0])
    bins = series(trades, WORKED, Execution())["holding"]
    assert (sum(bins["won"]), sum(bins["not_won"])) == (0, 2)


# --------------------------------------------------------------------------------------------- edge cases

NO_PATH = {"trade": [0], "equity_usd": [0.0], "drawdown_usd": [0.0], "hold_usd": [0.0]}


@pytest.mark.parametrize("tape", [WORKED, WORKED.cut(0), WORKED.cut(1)], ids=["tape", "empty tape", "one print"])
def test_without_trades_there_is_the_start_and_nothing_else(tape):
    got = series(np.zeros(0, TRADE), tape, Execution())
    assert got["by_trade"] == NO_PATH
    assert got["by_day"]["trades"] == [0] * len(tape.sessions)
    assert got["by_day"]["net_usd"] == [0.0] * len(tape.sessions)
    assert [row["trades"] for row in got["exits"]] == [0] * 4
    assert len(got["hours"]) == 24
    assert [row["weekday"] for row in got["weekdays"]] == NAMES
    for row in got["hours"] + got["weekdays"]:
        assert (row["trades"], row["net_usd"]) == (0, 0.0)
        assert math.isnan(row["mean_usd"])
    assert not any(values for name in ("results", "excursions", "holding") for values in got[name].values())


def test_an_empty_tape_has_no_session_date():
    empty = {"session_date": [], "net_usd": [], "trades": [], "hold_usd": [], "counted": []}
    assert series(np.zeros(0, TRADE), WORKED.cut(0), Execution())["by_day"] == empty


# ------------------------------------------------------------------------------------------- a whole run


def check_run(result):
    """The series of a run are those of its trades, and every one of them adds up to the statistics."""
    values, trades = result.to_dict(), result.trades
    got, numbers = values["series"], values["statistics"]
    assert jsonable(got) == jsonable(series(trades, result.tape, result.run.setup.execution))
    for rows in (got["exits"], got["hours"], got["weekdays"]):
        assert sum(row["trades"] for row in rows) == numbers["trades"]
        assert sum(row["net_usd"] for row in rows) == close(numbers["net_usd"])
    assert sum(got["by_day"]["trades"]) == sum(got["results"]["trades"]) == numbers["trades"]
    assert sum(map(sum, got["excursions"]["trades"])) == numbers["trades"]
    assert sum(got["holding"]["won"]) == numbers["wins"]
    assert got["by_trade"]["equity_usd"][-1] == close(numbers["net_usd"])
    assert max(got["by_trade"]["drawdown_usd"]) == close(numbers["max_drawdown_usd"])
    assert sum(got["by_day"]["hold_usd"]) == close(values["baseline"]["net_usd"])
    check_excursions(
        got["excursions"], trades["mae_ticks"].tolist(), trades["mfe_ticks"].tolist(), result.tape.instrument.tick_nanos
    )


@given(st.lists(st.tuples(st.integers(-9, 9), st.sampled_from([0, 10, HOUR, DAY])), min_size=2, max_size=40))
def test_the_series_of_random_runs_add_up_to_their_statistics(steps):
    prices = np.cumsum([80_000] + [move for move, _ in steps]).tolist()
    ts = np.cumsum([0] + [later for _, later in steps]).tolist()
    tape = tape_of(prices, ts, [f"C{k // 15}" for k in range(len(prices))])
    given_ = Given(signals_of(tape, {k: 1 if k % 2 else -1 for k in range(0, len(tape), 3)}))
    setup = Setup(bracket=Bracket(take_profit=1.0, stop_loss=0.5), execution=Execution(commission=1.3))
    result = run_trades(tape, given_, setup)
    if len(result.trades):
        check_run(result)
