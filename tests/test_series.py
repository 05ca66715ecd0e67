"""The data of the charts, against twins that read each rule aloud in plain loops."""

import math
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.market import market
from support.tapes import NOON, Given, signals_of, tape_of

from scalpr_zen import TRADE, Bracket, EmaCrossover, Execution, Tape, instrument
from scalpr_zen.runs.backtest import Setup, jsonable, run_trades
from scalpr_zen.sections.series import EXCURSION_BINS, LIMITS, RESULT_BINS, STRETCHES, held_usd, series, shown_points
from scalpr_zen.simulation.kernel import STOP, TARGET

CHICAGO = ZoneInfo("America/Chicago")
SECOND = 10**9
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
NAN = math.nan
COSTLY = Execution(contracts=3, commission=2.27)
NAMES = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def utc(text):
    """A UTC time such as `2024-11-03T07:30` in ns."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def trade(tape, entry, exit_, side=1, reason=TARGET, mae=0, mfe=0, execution=None):
    """The closed trade from one print of the tape to another, as the fields of a TRADE by name."""
    execution, price = execution or Execution(), tape.price.tolist()
    ticks = side * (price[exit_] - price[entry])
    usd = ticks * execution.tick_value(tape.instrument) - 2 * execution.commission
    return {
        "side": side,
        "reason": reason,
        "entry": entry,
        "exit": exit_,
        "entry_ts": int(tape.ts[entry]),
        "exit_ts": int(tape.ts[exit_]),
        "session": session_rows(tape)[exit_],
        "gross_ticks": ticks,
        "mae_ticks": mae,
        "mfe_ticks": mfe,
        "net_usd": usd * execution.contracts,
    }


def array_of(rows):
    trades = np.zeros(len(rows), TRADE)
    for k, row in enumerate(rows):
        for name, value in row.items():
            trades[name][k] = value
    return trades


def trades_of(n, **columns):
    """So many long take profits of nothing at the first print of a tape, but for the given columns."""
    trades = np.zeros(n, TRADE)
    trades["side"], trades["reason"], trades["entry_ts"], trades["exit_ts"] = 1, TARGET, NOON, NOON
    for name, values in columns.items():
        trades[name] = values
    return trades


def close(expected):
    return pytest.approx(expected, rel=1e-12, abs=1e-8, nan_ok=True)


# ------------------------------------------------------------------------------------------------- twins


def chicago(ns):
    return datetime.fromtimestamp(ns // SECOND, CHICAGO)


def session_date(ns):
    """The day itself before 17:00 in Chicago, the next one from then on."""
    local = chicago(ns)
    return local.date() + timedelta(days=1) if local.hour >= 17 else local.date()


def session_rows(tape):
    """The row of each print's session date."""
    dates = [session_date(ns) for ns in tape.ts.tolist()]
    rows = {day: k for k, day in enumerate(sorted(set(dates)))}
    return [rows[day] for day in dates]


def segments(tape):
    return [(int(row["start"]), int(row["stop"])) for row in tape.segments]


def naive_by_day(rows, tape, tick_value):
    net, trades, hold = defaultdict(float), Counter(), defaultdict(float)
    for row in rows:
        day = session_date(row["exit_ts"])
        net[day] += row["net_usd"]
        trades[day] += 1
    price, ts = tape.price.tolist(), tape.ts.tolist()
    for start, stop in segments(tape):
        for i in range(start + 1, stop):
            hold[session_date(ts[i])] += (price[i] - price[i - 1]) * tick_value
    days = sorted({session_date(ns) for ns in ts})
    return {
        "session_date": [str(day) for day in days],
        "net_usd": [net[day] for day in days],
        "trades": [trades[day] for day in days],
        "hold_usd": [hold[day] for day in days],
    }


def naive_held(tape, print_, tick_value):
    price, ticks = tape.price.tolist(), 0
    for start, stop in segments(tape):
        if print_ >= stop:
            ticks += price[stop - 1] - price[start]
        elif print_ >= start:
            ticks += price[print_] - price[start]
    return ticks * tick_value


def naive_path(rows, tape, tick_value):
    """Equity, fall from the peak and buy & hold after each trade, the start included."""
    points, equity, peak = [(0.0, 0.0, 0.0)], 0.0, 0.0
    for row in rows:
        equity += row["net_usd"]
        peak = max(peak, equity)
        points.append((equity, peak - equity, naive_held(tape, row["exit"], tick_value)))
    return points


ENDS = {1: "target", 2: "stop", 3: "break_even", 4: "trailing", 5: "close", 6: "hold"}
ENDS |= {7: "loss_limit", 8: "profit_limit", 9: "roll"}


def naive_exits(rows):
    table = []
    for side, side_name in ((1, "long"), (-1, "short")):
        for reason, reason_name in ENDS.items():
            mine = [row["net_usd"] for row in rows if (row["side"], row["reason"]) == (side, reason)]
            if mine or reason_name in ("target", "stop"):
                table.append((side_name, reason_name, len(mine), math.fsum(mine)))
    return table


def naive_groups(rows, key, groups):
    """Trades, mean and sum of net USD of each group."""
    table = []
    for group in groups:
        mine = [row["net_usd"] for row in rows if key(row) == group]
        total = math.fsum(mine)
        table.append((len(mine), total / len(mine) if mine else NAN, total))
    return table


# ------------------------------------------------------------------------------------------ random trades

# Both clock changes of a winter, and the evening that begins a Monday.
STARTS = ["2024-11-03T04:30", "2025-03-09T05:30", "2025-01-12T22:30", "2025-01-15T18:00"]
STEPS = [0, 1, 10, SECOND, 40 * SECOND, 40 * 60 * SECOND, 3 * HOUR, DAY, 3 * DAY, 45 * DAY]


EXECUTIONS = [Execution(), COSTLY, Execution(point_value=2.0, contracts=2, commission=0.4)]


@st.composite
def runs(draw):
    """A walk with rolls over clock changes, and trades between its prints in order of their exit."""
    steps = draw(st.lists(st.tuples(st.integers(-9, 9), st.sampled_from(STEPS)), min_size=1, max_size=40))
    rolls = sorted(draw(st.sets(st.integers(1, len(steps)), max_size=3)))
    prices, ts, contracts, price, at = [], [], [], 80_000, 0
    for k, (move, later) in enumerate(steps):
        price += move + (500 if k in rolls else 0)
        at += later
        prices.append(price)
        ts.append(at)
        contracts.append(f"C{sum(roll <= k for roll in rolls)}")
    start = utc(draw(st.sampled_from(STARTS)))
    tape = tape_of(prices, ts, contracts, root=draw(st.sampled_from(["NQ", "ZN", "6J"])), start=start)
    execution = draw(st.sampled_from(EXECUTIONS))
    signs, reasons, far = st.sampled_from([1, -1]), st.sampled_from(list(ENDS)), st.integers(-150, 150)
    parts = st.tuples(st.integers(0, len(steps) - 1), st.integers(0, 20), signs, reasons, far, far)
    rows = []
    for entry, held, *rest in draw(st.lists(parts, max_size=25)):
        last = next(stop - 1 for start, stop in segments(tape) if start <= entry < stop)
        rows.append(trade(tape, entry, min(entry + held, last), *rest, execution))
    return tape, sorted(rows, key=lambda row: row["exit"]), execution


def drawn(run_, name):
    tape, rows, execution = run_
    return series(array_of(rows), tape, execution)[name]


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


def test_a_trade_held_overnight_belongs_to_the_session_date_of_its_exit():
    tape = tape_of([100, 101, 110], [0, DAY, 2 * DAY])
    by_day = series(array_of([trade(tape, 0, 2)]), tape, Execution())["by_day"]
    assert (by_day["net_usd"], by_day["trades"]) == ([0.0, 0.0, 50.0], [0, 0, 1])


# ---------------------------------------------------------------------------------------------- by trade


def test_the_path_starts_at_zero_and_holds_no_roll_gap():
    assert WORKED_SERIES["by_trade"] == {
        "trade": [0, 1, 2, 3, 4],
        "equity_usd": [0.0, 15.0, 25.0, 20.0, 50.0],
        "drawdown_usd": [0.0, 0.0, 0.0, 5.0, 0.0],
        "hold_usd": [0.0, 15.0, 5.0, 0.0, 30.0],
    }


def test_a_fall_from_the_start_counts():
    tape = tape_of([100, 98, 99])
    path = series(array_of([trade(tape, 0, 1), trade(tape, 1, 2)]), tape, Execution())["by_trade"]
    assert (path["equity_usd"], path["drawdown_usd"]) == ([0.0, -10.0, -5.0], [0.0, 10.0, 5.0])


@given(runs())
def test_a_short_path_is_shown_whole(run_):
    tape, rows, execution = run_
    got, points = drawn(run_, "by_trade"), naive_path(rows, tape, execution.tick_value(tape.instrument))
    equity, fall, hold = map(list, zip(*points, strict=True))
    assert got["trade"] == list(range(len(rows) + 1))
    assert got["equity_usd"] == close(equity)
    assert got["drawdown_usd"] == close(fall)
    assert got["hold_usd"] == close(hold)


def test_buy_and_hold_is_of_one_contract_and_without_costs():
    rows = [trade(WORKED, 0, 1), trade(WORKED, 6, 7)]
    for execution in (Execution(), Execution(contracts=7, commission=9.0, slippage_ticks=3)):
        got = series(array_of(rows), WORKED, execution)
        assert got["by_trade"]["hold_usd"] == [0.0, 15.0, 30.0]
        assert got["by_day"]["hold_usd"] == [15.0, -15.0, 0.0, 30.0]
    micro = series(array_of(rows), WORKED, Execution(point_value=2.0))
    assert micro["by_trade"]["hold_usd"] == [0.0, 1.5, 3.0]


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


def test_exits_are_told_by_side_and_reason():
    keys = ("side", "reason", "trades", "net_usd")
    assert [tuple(row[key] for key in keys) for row in WORKED_SERIES["exits"]] == [
        ("long", "target", 2, 45.0),
        ("long", "stop", 1, -5.0),
        ("short", "target", 1, 10.0),
        ("short", "stop", 0, 0.0),
    ]


@given(runs())
def test_exits_are_what_the_naive_twin_counts(run_):
    got, expected = drawn(run_, "exits"), naive_exits(run_[1])
    assert [(row["side"], row["reason"], row["trades"]) for row in got] == [row[:3] for row in expected]
    assert [row["net_usd"] for row in got] == close([row[3] for row in expected])


def check_results(bins, net, step):
    """Every trade lies in one bin, a step of one tick apart from the next, and the counts are those of the trades."""
    limits = list(zip(bins["from_usd"], bins["to_usd"], strict=True))
    inside = [[low - step / 10 < usd < high + step / 10 for low, high in limits] for usd in net]
    assert all(sum(row) == 1 for row in inside)
    assert bins["trades"] == [sum(column) for column in zip(*inside, strict=True)]
    assert all(after[0] - before[1] == pytest.approx(step) for before, after in pairwise(limits))
    assert all(high - low == pytest.approx(limits[0][1] - limits[0][0], abs=step / 10) for low, high in limits)
    assert len(limits) <= RESULT_BINS
    assert inside[net.index(min(net))][0]
    assert inside[net.index(max(net))][-1]
    assert not any(low < -step / 10 and high > step / 10 for low, high in limits)  # a gain and a loss share no bin


@given(runs())
def test_every_result_lies_in_one_bin(run_):
    tape, rows, execution = run_
    bins = drawn(run_, "results")
    if rows:
        step = execution.tick_value(tape.instrument) * execution.contracts
        check_results(bins, [row["net_usd"] for row in rows], step)
    else:
        assert bins == {"from_usd": [], "to_usd": [], "trades": []}


@pytest.mark.parametrize("ticks", [(-20, 40), (0, 79), (0, 80), (-3_000, 17), (-1, 100_000), (-9, -9)])
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


def test_the_hour_is_that_of_the_entry_not_of_the_exit():
    tape = tape_of([100, 101], [0, 3 * HOUR])
    rows = series(array_of([trade(tape, 0, 1)]), tape, Execution())["hours"]
    assert [row["hour"] for row in rows if row["trades"]] == [12]


def test_the_last_nanosecond_of_an_hour_belongs_to_it():
    tape = tape_of([100, 100], [HOUR - 1, HOUR])
    rows = series(array_of([trade(tape, 0, 0), trade(tape, 1, 1)]), tape, Execution())["hours"]
    assert [(row["hour"], row["trades"]) for row in rows if row["trades"]] == [(12, 1), (13, 1)]


def test_a_sunday_evening_is_a_monday():
    # 17:30 in Chicago on Sunday, 12:00 on Monday, 16:30 and 17:30 on Thursday.
    times = ["2025-01-12T23:30", "2025-01-13T18:00", "2025-01-16T22:30", "2025-01-16T23:30"]
    rows = entries(times, [1.0, 4.0, -2.0, 8.0])["weekdays"]
    assert [row["weekday"] for row in rows] == NAMES
    assert [row["trades"] for row in rows] == [2, 0, 0, 1, 1, 0, 0]
    assert [row["net_usd"] for row in rows] == [5.0, 0.0, 0.0, -2.0, 8.0, 0.0, 0.0]
    assert [row["mean_usd"] for row in rows] == pytest.approx([2.5, NAN, NAN, -2.0, 8.0, NAN, NAN], nan_ok=True)


def test_the_weekday_is_that_of_the_entry_not_of_the_exit():
    tape = tape_of([100, 101], [0, DAY])
    rows = series(array_of([trade(tape, 0, 1)]), tape, Execution())["weekdays"]
    assert [row["weekday"] for row in rows if row["trades"]] == ["Wednesday"]


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


def axis_of(centres, width_points, nanos):
    """First tick, ticks a cell and number of cells, from centres in points; exact."""
    tick = Fraction(nanos, SECOND)
    width = Fraction(width_points).limit_denominator(SECOND) / tick
    places = [Fraction(centre).limit_denominator(SECOND) / tick for centre in centres]
    first = places[0] - (width - 1) / 2
    assert width.denominator == first.denominator == 1
    assert width >= 1
    assert all(after - before == width for before, after in pairwise(places))
    assert len(places) <= EXCURSION_BINS
    return int(first), int(width), len(places)


def check_excursions(cells, mae, mfe, nanos):
    """Each trade is in the cell of its ticks, or in the outermost one before it."""
    columns = axis_of(cells["mae_points"], cells["cell_points"][0], nanos)
    rows = axis_of(cells["mfe_points"], cells["cell_points"][1], nanos)
    expected = [[0] * columns[2] for _ in range(rows[2])]
    for worst, best in zip(mae, mfe, strict=True):
        row, column = (
            min(max((ticks - first) // width, 0), count - 1)
            for ticks, (first, width, count) in ((best, rows), (worst, columns))
        )
        expected[row][column] += 1
    assert cells["trades"] == expected


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


def check_holding(bins, held, won):
    limits = [
        (round(low * SECOND), round(high * SECOND))
        for low, high in zip(bins["from_seconds"], bins["to_seconds"], strict=True)
    ]
    assert all(before[1] == after[0] for before, after in pairwise(limits))
    assert {edge for pair in limits for edge in pair} <= set(LIMITS.tolist())
    cells = list(zip(held, won, strict=True))
    assert bins["won"] == [sum(low <= ns < high and good for ns, good in cells) for low, high in limits]
    assert bins["not_won"] == [sum(low <= ns < high and not good for ns, good in cells) for low, high in limits]
    assert sum(bins["won"]) + sum(bins["not_won"]) == len(held)
    assert bins["won"][0] + bins["not_won"][0] > 0
    assert bins["won"][-1] + bins["not_won"][-1] > 0


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


def test_a_trade_that_earned_nothing_is_not_won():
    bins = series(trades_of(3, net_usd=[5.0, 0.0, -5.0]), WORKED, Execution())["holding"]
    assert bins == {"from_seconds": [0.0], "to_seconds": [0.001], "won": [1], "not_won": [2]}


def test_a_hold_of_months_is_shown_in_its_bin():
    bins = series(trades_of(1, entry_ts=0, exit_ts=70 * DAY, net_usd=5.0), WORKED, Execution())["holding"]
    assert bins == {"from_seconds": [30 * 86_400.0], "to_seconds": [100 * 86_400.0], "won": [1], "not_won": [0]}


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


def test_one_trade_of_one_session_is_in_every_series():
    tape = tape_of([100, 104], [0, 90 * SECOND])
    got = series(array_of([trade(tape, 0, 1, 1, TARGET, -2, 4)]), tape, Execution())
    money = {"net_usd": [20.0], "trades": [1], "hold_usd": [20.0]}
    assert got["by_day"] == {"session_date": ["2025-01-15"], **money, "counted": [True]}
    assert got["by_trade"]["equity_usd"] == [0.0, 20.0]
    assert got["results"] == {"from_usd": [20.0], "to_usd": [20.0], "trades": [1]}
    assert got["hours"][12] == {"hour": 12, "trades": 1, "mean_usd": 20.0, "net_usd": 20.0}
    assert got["weekdays"][2] == {"weekday": "Wednesday", "trades": 1, "mean_usd": 20.0, "net_usd": 20.0}
    cell = {"mae_points": [-0.5], "mfe_points": [1.0], "cell_points": [0.25, 0.25], "trades": [[1]]}
    assert got["excursions"] == cell
    assert got["holding"] == {"from_seconds": [60.0], "to_seconds": [120.0], "won": [1], "not_won": [0]}


# ------------------------------------------------------------------------------------------- a whole run


def check_run(result):
    """The series of a run are those of its trades, and every one of them adds up to the statistics."""
    values, trades = result.to_dict(), result.trades
    got, numbers = values["series"], values["statistics"]
    assert jsonable(got) == jsonable(series(trades, result.tape, result.setup.execution))
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
        got["excursions"],
        trades["mae_ticks"].tolist(),
        trades["mfe_ticks"].tolist(),
        result.tape.instrument.tick_nanos,
    )


@pytest.mark.parametrize("execution", [Execution(), COSTLY, Execution(overlap=True, commission=1.1)])
def test_the_series_of_a_run_add_up_to_its_statistics(execution):
    result = run_trades(market(), EmaCrossover(fast_period=2, slow_period=5), Setup(execution=execution))
    assert len(result.trades) > 5
    check_run(result)


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
