"""The data of the charts by plain loops that read each rule aloud, and random runs to compare them with."""

import math
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import strategies as st

from scalpr_zen import TRADE, Execution
from scalpr_zen.sections.series.data import EXCURSION_BINS, LIMITS, RESULT_BINS, series
from scalpr_zen.simulation.kernel import TARGET
from support.tapes import NOON, tape_of

CHICAGO = ZoneInfo("America/Chicago")
SECOND = 10**9
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
NAN = math.nan
COSTLY = Execution(contracts=3, commission=2.27)
NAMES = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
ENDS = {1: "target", 2: "stop", 3: "break_even", 4: "trailing", 5: "close", 6: "hold"}
ENDS |= {7: "loss_limit", 8: "profit_limit", 9: "roll"}

# Both clock changes of a winter, and the evening that begins a Monday.
STARTS = ["2024-11-03T04:30", "2025-03-09T05:30", "2025-01-12T22:30", "2025-01-15T18:00"]
STEPS = [0, 1, 10, SECOND, 40 * SECOND, 40 * 60 * SECOND, 3 * HOUR, DAY, 3 * DAY, 45 * DAY]


EXECUTIONS = [Execution(), COSTLY, Execution(point_value=2.0, contracts=2, commission=0.4)]


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


def check_results(bins, net, step):
    """Every trade lies in one bin, a step of one tick apart from the next, and the counts are those of the trades."""
    limits = list(zip(bins["from_usd"], bins["to_usd"], strict=True))
    inside = [[low - step / 10 < usd < high + step / 10 for low, high in limits] for usd in net]
    assert all(sum(row) == 1 for row in inside)
    assert bins["trades"] == [sum(column) for column in zip(*inside, strict=True)]
    assert all(after[0] - before[1] == pytest.approx(step) for before, after in pairwise(limits))
    assert all(high - low == pytest.approx(limits[0][1] - limits[0][0], abs=step / 10) for low, high in limits)
    assert len(limits) <= RESULT_BINS
    width, span = (round((high - low) / step) + 1 for low, high in (limits[0], (min(net), max(net))))
    assert width == 1 or span > (width - 1) * (RESULT_BINS - 1)  # narrower bins would be too many
    assert inside[net.index(min(net))][0]
    assert inside[net.index(max(net))][-1]
    assert not any(low < -step / 10 and high > step / 10 for low, high in limits)  # a gain and a loss share no bin


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
