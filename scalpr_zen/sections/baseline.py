"""The baseline: buy & hold of one contract over the same tape.

One contract is bought at each segment's first print and sold at its last, without costs. The price gap of
a roll is nobody's profit and is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from scalpr_zen.base.arrays import Bools, Float64
from scalpr_zen.base.units import ticks_to_points
from scalpr_zen.data.tape import Tape
from scalpr_zen.render.table import Amount, Column, Row, Table
from scalpr_zen.sections.measures import NAN, by_day, by_trade, daily, max_drawdown, net
from scalpr_zen.sections.section import Run, Section, Values
from scalpr_zen.sections.statistics import STATISTICS
from scalpr_zen.simulation.execution import Execution

BY_DAY = (
    "net_usd",
    "sharpe",
    "sortino",
    "max_drawdown_usd",
    "days_profitable",
    "best_day_usd",
    "worst_day_usd",
    "t_statistic_by_day",
)
BY_TRADE = ("trades", "win_rate", "profit_factor", "expectancy_usd", "average_win_usd", "average_loss_usd", "payoff")


def baseline(
    tape: Tape, execution: Execution, strategy_daily: Float64, numbers: Mapping[str, Any], counted: Bools | None = None
) -> dict[str, Any]:
    """Return buy & hold beside the strategy.

    Parameters
    ----------
    tape : Tape
        Only the first and last print of each session and segment are read.
    execution : Execution
        Its point value.
    strategy_daily : array of float64, shape (session dates,)
        Net USD of the strategy per session date.
    numbers : mapping
        The statistics of the strategy.
    counted : array of bool, shape (session dates,), optional
        Which session dates count in the by-day figures; net P&L and max drawdown are those of all. Default: all.

    Returns
    -------
    dict
        As SECTION.fields describes it.
    """
    tick_value = execution.tick_value(tape.instrument)
    segments = _segments(tape, tick_value)
    x = np.array([row["net_usd"] for row in segments])
    rates = by_trade(x) if len(x) else dict.fromkeys(BY_TRADE, NAN)
    counted = np.ones(len(tape.sessions), np.bool_) if counted is None else counted
    held = _by_day(daily_usd(tape, tick_value), counted) | {"trades": len(x)}
    held |= {key: rates[key] for key in BY_TRADE[1:]}
    strategy = {key: numbers[key] for key in held} | {"max_drawdown_usd": max_drawdown(strategy_daily).usd}
    return {
        **held,
        "strategy": strategy,
        "difference": {key: strategy[key] - held[key] for key in held},
        "segments": segments,
    }


def daily_usd(tape: Tape, tick_value: float) -> Float64:
    """Return the USD that one contract held gains in each session date, shape (session dates,)."""
    starts = np.union1d(tape.sessions["start"], tape.segments["start"])
    stops = np.append(starts[1:], len(tape))[: len(starts)]
    bought = np.isin(starts, tape.segments["start"])
    before = tape.price[np.where(bought, starts, starts - 1)]
    gains = (tape.price[stops - 1].astype(np.int64) - before) * tick_value
    return daily(gains, np.searchsorted(tape.sessions["stop"], starts, side="right"), len(tape.sessions))


def _by_day(d: Float64, counted: Bools) -> dict[str, float]:
    values = {"net_usd": net(d), "max_drawdown_usd": max_drawdown(d).usd, **by_day(d[counted])}
    return {key: values[key] for key in BY_DAY}


def _segments(tape: Tape, tick_value: float) -> list[dict[str, Any]]:
    nanos = tape.instrument.tick_nanos
    rows = []
    for segment in tape.segments:
        first, last = (int(tape.price[i]) for i in (segment["start"], segment["stop"] - 1))
        row = {"contract": str(segment["contract"]), "prints": int(segment["stop"] - segment["start"])}
        row |= {"entry_price": ticks_to_points(first, nanos), "exit_price": ticks_to_points(last, nanos)}
        rows.append({**row, "net_usd": (last - first) * tick_value})
    return rows


def versus(values: Values, keys: Sequence[str] = ("net_usd", "sharpe", "max_drawdown_usd")) -> Table:
    """Return the strategy beside buy & hold, both of daily equity."""
    found, labels = values["baseline"], {row.key: row for row in STATISTICS}
    columns = (Column("of daily equity", "text"), Column("strategy"), Column("buy & hold"), Column("difference"))
    rows = []
    for key in keys:
        row = labels[key]
        own, held = Amount(found["strategy"][key], row.unit), Amount(found[key], row.unit)
        apart = Amount(found["difference"][key], row.unit, signed=True)
        rows.append(Row((row.label, own, held, apart), key=key))
    return Table(columns, rows)


def _blocks(_: Run, values: Values) -> Iterator[Table]:
    yield versus(values, BY_DAY)
    columns = (
        Column("contract", "text"),
        Column("prints"),
        Column("bought at", "points"),
        Column("sold at", "points"),
        Column("net P&L", "usd", signed=True),
    )
    rows = [Row(tuple(row.values()), key=row["contract"]) for row in values["baseline"]["segments"]]
    yield Table(columns, rows, title="Segments, from roll to roll")


def _compute(run: Run, values: Values) -> dict[str, Any]:
    by_day = daily(run.trades["net_usd"], run.trades["session"], len(run.tape.sessions))
    return baseline(run.tape, run.setup.execution, by_day, values["statistics"], run.counted)


_LABELS = {row.key: row.label for row in STATISTICS}

SECTION = Section(
    name="baseline",
    order=80,
    title="Buy & hold",
    sentence="one contract, bought at each segment's first print and sold at its last, without costs",
    needs=("statistics",),
    compute=_compute,
    blocks=_blocks,
    fields={
        **{key: f"{_LABELS[key]} of buy & hold, from its daily equity" for key in BY_DAY},
        **{key: f"{_LABELS[key]} of buy & hold, each segment a trade" for key in BY_TRADE},
        "strategy.*": "the same of the strategy; its max drawdown is of daily equity here",
        "difference.*": "strategy less buy & hold",
        "segments[].contract": "contract of the segment",
        "segments[].prints": "its prints",
        "segments[].entry_price": "price of its first print in points",
        "segments[].exit_price": "price of its last print in points",
        "segments[].net_usd": "USD that one contract gained between them",
    },
)
