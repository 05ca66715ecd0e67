"""What the charts draw: the trades of a run by day, by trade, by hour, by outcome, as plain lists.

A year has 200,000 trades and a screen a thousand columns. Long paths are kept at the points that a picture of
them shows, excursions and results are counted in bins of whole ticks; every trade is in some bin.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from scalpr_zen.base.arrays import Array, Bools
from scalpr_zen.base.sessions import chicago_offsets
from scalpr_zen.base.units import NANOS
from scalpr_zen.data.tape import Tape
from scalpr_zen.sections.baseline import daily_usd
from scalpr_zen.sections.measures import NAN, daily, whole
from scalpr_zen.simulation.execution import Execution
from scalpr_zen.simulation.kernel import REASONS, STOP, TARGET, VOID

STRETCHES = 400
"""Stretches of a path by trade; of each the first, last, lowest and highest point and its deepest fall are kept."""
RESULT_BINS, EXCURSION_BINS = 80, 48
SIDES = {1: "long", -1: "short"}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LIMITS = (
    NANOS
    // 1000
    * np.array(
        [0, 1, 2, 5, 10, 20, 50, 100, 200, 500]
        + [1000 * seconds for seconds in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)]
        + [3_600_000 * hours for hours in (2, 4, 8, 12, 24, 48, 120, 240, 720, 2400, 24_000, 2_400_000)]
    )
)
"""Limits of the holding times, ns: 1 ms to 500 ms, 1 s to 30 min, 1 h to 1,000 days, and all beyond."""
_HOUR, _DAY = 3600 * NANOS, 86_400 * NANOS


def series(trades: Array, tape: Tape, execution: Execution, counted: Bools | None = None) -> dict[str, Any]:
    """Return the series of every chart but Monte Carlo's.

    Parameters
    ----------
    trades : array of TRADE, shape (n,)
        Closed trades in order of their exit.
    tape : Tape
    execution : Execution
        Point value, contracts and commission.
    counted : array of bool, shape (session dates,), optional
        Which session dates count in the by-day statistics. Default: all.

    Returns
    -------
    dict
        As SECTION.fields describes it.
    """
    tick_value = execution.tick_value(tape.instrument)
    return {
        "by_day": _by_day(trades, tape, tick_value)
        | {"counted": [True] * len(tape.sessions) if counted is None else counted.tolist()},
        "by_trade": _by_trade(trades, tape, tick_value),
        "exits": _exits(trades),
        "results": _results(trades, tick_value, execution),
        "hours": _hours(trades),
        "weekdays": _weekdays(trades, tape),
        "excursions": _excursions(trades, tape.instrument.tick_size),
        "holding": _holding(trades),
    }


def _by_day(trades: Array, tape: Tape, tick_value: float) -> dict[str, list[Any]]:
    days = len(tape.sessions)
    return {
        "session_date": tape.sessions["date"].astype(str).tolist(),
        "net_usd": daily(trades["net_usd"], trades["session"], days).tolist(),
        "trades": np.bincount(trades["session"], minlength=days).tolist(),
        "hold_usd": daily_usd(tape, tick_value).tolist(),
    }


def _by_trade(trades: Array, tape: Tape, tick_value: float) -> dict[str, list[Any]]:
    equity = np.concatenate(([0.0], np.cumsum(trades["net_usd"])))
    fall = np.maximum.accumulate(equity) - equity
    kept = shown_points(equity, fall)
    hold = np.concatenate(([0.0], held_usd(tape, trades["exit"][kept[1:] - 1], tick_value)))
    return {
        "trade": kept.tolist(),
        "equity_usd": equity[kept].tolist(),
        "drawdown_usd": fall[kept].tolist(),
        "hold_usd": hold.tolist(),
    }


def shown_points(equity: Array, fall: Array) -> Array:
    """Return the points of a path that a picture of it needs, in order, shape (k,); all where 5 STRETCHES hold them.

    Parameters
    ----------
    equity, fall : array of float64, shape (n + 1,)
        Path and its fall from its running peak.
    """
    size = math.ceil(len(equity) / STRETCHES)
    starts = np.arange(0, len(equity), size)
    stops = np.append(starts[1:], len(equity))
    if size <= 5:
        return np.arange(len(equity))
    padded = np.full((3, len(starts) * size), np.inf)
    padded[:, : len(equity)] = equity, -equity, -fall
    extremes = padded.reshape(3, len(starts), size).argmin(axis=2) + starts
    return np.unique(np.concatenate((starts, stops - 1, extremes.reshape(-1))))


def held_usd(tape: Tape, prints: Array, tick_value: float) -> Array:
    """Return the equity of buy & hold at some prints in USD, shape of `prints`."""
    first = tape.price[tape.segments["start"]].astype(np.int64)
    last = tape.price[tape.segments["stop"] - 1].astype(np.int64)
    before = np.concatenate(([0], np.cumsum(last - first)))
    segment = np.searchsorted(tape.segments["stop"], prints, side="right")
    ticks = before[segment] + tape.price[prints] - first[segment] if len(first) else np.zeros(len(prints))
    return np.asarray(ticks * tick_value)


def _exits(trades: Array) -> list[dict[str, Any]]:
    """Trades by side and reason; targets and stops always, other reasons where there is a trade."""
    ends = [(side, reason) for side in SIDES for reason in range(1, VOID)]
    rows = _grouped((VOID - 1) * (trades["side"] < 0) + trades["reason"] - 1, trades["net_usd"], len(ends))
    return [
        {"side": SIDES[side], "reason": REASONS[reason], **row}
        for (side, reason), row in zip(ends, rows, strict=True)
        if row["trades"] or reason in (TARGET, STOP)
    ]


def _results(trades: Array, tick_value: float, execution: Execution) -> dict[str, list[Any]]:
    """Trades by net USD, in bins of whole ticks; one of them begins at the smallest gain."""
    ticks = trades["gross_ticks"].astype(np.int64)
    if not len(ticks):
        return {"from_usd": [], "to_usd": [], "trades": []}
    commission, tick_usd = execution.cost_usd, tick_value * execution.contracts
    gain = math.floor(commission / tick_usd) + 1
    first, width, count = _bins(int(ticks.min()), int(ticks.max()), RESULT_BINS, gain)
    low = first + width * np.arange(count)
    return {
        "from_usd": (low * tick_usd - commission).tolist(),
        "to_usd": ((low + width - 1) * tick_usd - commission).tolist(),
        "trades": np.bincount((ticks - first) // width, minlength=count).tolist(),
    }


def _bins(low: int, high: int, most: int, at: int = 0) -> tuple[int, int, int]:
    """Return first value, width and number of at most `most` equal bins that cover low to high; one begins at `at`."""
    width = max(1, math.ceil((high - low + 1) / (most - 1)))
    first = at + (low - at) // width * width
    return first, width, (high - first) // width + 1


def _hours(trades: Array) -> list[dict[str, Any]]:
    local = trades["entry_ts"] + chicago_offsets(trades["entry_ts"])
    rows = _grouped(local % _DAY // _HOUR, trades["net_usd"], 24)
    return [{"hour": hour, **row} for hour, row in enumerate(rows)]


def _weekdays(trades: Array, tape: Tape) -> list[dict[str, Any]]:
    session = np.searchsorted(tape.sessions["stop"], trades["entry"], side="right")
    days = (tape.sessions["date"].astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    rows = _grouped(days[session], trades["net_usd"], 7)
    return [{"weekday": name, **row} for name, row in zip(WEEKDAYS, rows, strict=True)]


def _grouped(group: Array, x: Array, groups: int) -> list[Mapping[str, Any]]:
    count = np.bincount(group, minlength=groups).tolist()
    total = np.bincount(group, weights=x, minlength=groups).astype(np.float64).tolist()
    return [
        {"trades": n, "mean_usd": usd / n if n else NAN, "net_usd": usd} for n, usd in zip(count, total, strict=True)
    ]


def _excursions(trades: Array, tick_size: float) -> dict[str, Any]:
    """Trades by MAE and MFE in cells of whole ticks; the outermost hold all beyond the 0.1 and 99.9 percentiles."""
    if not len(trades):
        return {"mae_points": [], "mfe_points": [], "cell_points": [], "trades": []}
    codes, points, widths = [], [], []
    for name in ("mae_ticks", "mfe_ticks"):
        ticks = trades[name].astype(np.int64)
        low, high = (int(p) for p in np.percentile(ticks, (0.1, 99.9), method="nearest"))
        first, width, count = _bins(low, high, EXCURSION_BINS)
        codes.append(np.clip((ticks - first) // width, 0, count - 1))
        points.append(((first + width * np.arange(count) + (width - 1) / 2) * tick_size).tolist())
        widths.append(width * tick_size)
    rows, columns = len(points[1]), len(points[0])
    cells = np.bincount(codes[1] * columns + codes[0], minlength=rows * columns).reshape(rows, columns)
    return {"mae_points": points[0], "mfe_points": points[1], "cell_points": widths, "trades": cells.tolist()}


def _holding(trades: Array) -> dict[str, list[Any]]:
    """Trades by holding time between LIMITS, from the first to the last that is needed."""
    held = trades["exit_ts"] - trades["entry_ts"]
    first, last = np.searchsorted(LIMITS, (held.min(), held.max()), side="right") if len(held) else (1, 0)
    used = LIMITS[first - 1 : last + 1]
    code, bins = np.searchsorted(used, held, side="right") - 1, len(used) - 1
    won = whole(trades["net_usd"]) > 0
    return {
        "from_seconds": (used[:-1] / NANOS).tolist(),
        "to_seconds": (used[1:] / NANOS).tolist(),
        "won": np.bincount(code[won], minlength=bins).tolist()[:bins],
        "not_won": np.bincount(code[~won], minlength=bins).tolist()[:bins],
    }
