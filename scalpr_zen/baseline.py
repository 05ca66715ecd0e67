"""The baseline: buy & hold of one contract over the same tape.

One contract is bought at each segment's first print and sold at its last, without costs. The price gap of
a roll is nobody's profit and is not counted.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scalpr_zen.params import NANOS
from scalpr_zen.simulate import Execution
from scalpr_zen.statistics import Float64, daily, max_drawdown, sharpe
from scalpr_zen.tape import Tape

COMPARED = ("net_usd", "sharpe", "max_drawdown_usd")


def baseline(tape: Tape, execution: Execution, strategy_daily: Float64) -> dict[str, Any]:
    """Return buy & hold beside the strategy, each figure from daily equity.

    Parameters
    ----------
    tape : Tape
        Only the first and last print of each session and segment are read.
    execution : Execution
        Its point value.
    strategy_daily : array of float64, shape (session dates,)
        Net USD of the strategy per session date.

    Returns
    -------
    dict
        `net_usd`, `sharpe`, `max_drawdown_usd` of buy & hold; the same under `strategy`; their difference,
        strategy less buy & hold, under `difference`; and one row a segment under `segments`.
    """
    tick_value = execution.tick_value(tape.instrument)
    held, strategy = _figures(daily_usd(tape, tick_value)), _figures(strategy_daily)
    return {
        **held,
        "strategy": strategy,
        "difference": {name: strategy[name] - held[name] for name in COMPARED},
        "segments": _segments(tape, tick_value),
    }


def daily_usd(tape: Tape, tick_value: float) -> Float64:
    """Return the USD that one contract held gains in each session date, shape (session dates,)."""
    starts = np.union1d(tape.sessions["start"], tape.segments["start"])
    stops = np.append(starts[1:], len(tape))[: len(starts)]
    bought = np.isin(starts, tape.segments["start"])
    before = tape.price[np.where(bought, starts, starts - 1)]
    gains = (tape.price[stops - 1].astype(np.int64) - before) * tick_value
    return daily(gains, np.searchsorted(tape.sessions["stop"], starts, side="right"), len(tape.sessions))


def _figures(d: Float64) -> dict[str, float]:
    return {"net_usd": float(d.sum()), "sharpe": sharpe(d), "max_drawdown_usd": max_drawdown(d)[0]}


def _segments(tape: Tape, tick_value: float) -> list[dict[str, Any]]:
    nanos = tape.instrument.tick_nanos
    rows = []
    for segment in tape.segments:
        first, last = (int(tape.price[i]) for i in (segment["start"], segment["stop"] - 1))
        row = {"contract": str(segment["contract"]), "prints": int(segment["stop"] - segment["start"])}
        rows.append(
            {
                **row,
                "entry_price": first * nanos / NANOS,
                "exit_price": last * nanos / NANOS,
                "net_usd": (last - first) * tick_value,
            }
        )
    return rows
