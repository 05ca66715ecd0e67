"""The months of a run: its trades by the session date of their exit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from scalpr_zen.base.arrays import Array, Bools
from scalpr_zen.data.tape import Tape
from scalpr_zen.render.table import Column, Row, Table
from scalpr_zen.sections.measures import NAN, max_drawdown, net, whole
from scalpr_zen.sections.section import Run, Section, Values


def months(trades: Array, tape: Tape, counted: Bools) -> list[dict[str, Any]]:
    """Return one row a calendar month of the tape's session dates: how many of them count, and all its trades.

    Parameters
    ----------
    trades : array of TRADE, shape (n,)
        Closed trades in order of their exit.
    tape : Tape
    counted : array of bool, shape (session dates,)
        Which session dates count in the by-day statistics.
    """
    x, session = whole(trades["net_usd"]), trades["session"]
    names, firsts = np.unique(tape.sessions["date"].astype("M8[M]"), return_index=True)
    bounds = np.append(firsts, len(tape.sessions))
    starts = np.searchsorted(session, bounds)
    rows = []
    for k, month in enumerate(names):
        mine = x[starts[k] : starts[k + 1]]
        row = {"month": str(month), "session_dates": int(counted[bounds[k] : bounds[k + 1]].sum()), "trades": len(mine)}
        row |= {"win_rate": float((mine > 0).mean()) if len(mine) else NAN, "net_usd": net(mine)}
        rows.append({**row, "max_drawdown_usd": max_drawdown(mine).usd})
    return rows


_COLUMNS = (
    Column("month", "text"),
    Column("session dates"),
    Column("trades"),
    Column("win rate", "share"),
    Column("net P&L", "usd", signed=True),
    Column("max drawdown", "usd"),
)


def _blocks(_: Run, values: Values) -> Iterator[Table]:
    yield Table(_COLUMNS, [Row(tuple(row.values()), key=row["month"]) for row in values["months"]])


SECTION = Section(
    name="months",
    order=70,
    title="Months",
    sentence="by the session date of the exit",
    compute=lambda run, _: months(run.trades, run.tape, run.counted),
    blocks=_blocks,
    fields={
        "[].month": "calendar month of the tape's session dates, YYYY-MM",
        "[].session_dates": "its session dates that count in the by-day statistics",
        "[].trades": "trades that closed in it",
        "[].win_rate": "wins / trades",
        "[].net_usd": "their net P&L in USD",
        "[].max_drawdown_usd": "largest fall of their equity from its peak in USD, the start of the month included",
    },
)
