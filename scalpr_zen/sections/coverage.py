"""What a tape does not cover: session dates that are missing or incomplete, and the trades that were open meanwhile."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.data.tape import Tape
from scalpr_zen.simulation.kernel import CLOSE

Array = NDArray[Any]


def coverage(trades: Array, tape: Tape, counted: NDArray[np.bool_]) -> dict[str, int]:
    """Return how many session dates and trades are affected by what the prints do not cover.

    Parameters
    ----------
    trades : array of TRADE, shape (n,)
        All trades, void and open ones too.
    tape : Tape
    counted : array of bool, shape (session dates,)
        Which session dates count in the by-day statistics.

    Returns
    -------
    dict
        `missing_dates`: scheduled, between the first and the last one, without a print. `incomplete_dates` and
        `counted_dates`, of those with prints. `trades_across_holes`: trades open across a missing date, across the end
        of a date whose prints end early, or across the beginning of one whose prints begin late. `late_flat_exits`:
        trades that an order of flat_before_close could close only in a later session than that of their entry.
    """
    entered = np.searchsorted(tape.sessions["stop"], trades["entry"], side="right")
    before = np.cumsum(_holes(tape))
    return {
        "missing_dates": len(tape.missing),
        "incomplete_dates": len(tape.incomplete),
        "counted_dates": int(counted.sum()),
        "trades_across_holes": int((before[trades["session"]] > before[entered]).sum()),
        "late_flat_exits": int(((trades["reason"] == CLOSE) & (trades["session"] > entered)).sum()),
    }


def _holes(tape: Tape) -> NDArray[np.bool_]:
    """Return whether prints are missing between each session date and the one before it, shape (session dates,)."""
    dates, (late, early) = tape.sessions["date"], tape.late_and_early
    holes = np.array(late)
    holes[1:] |= early[:-1]
    holes[np.searchsorted(dates, np.array(tape.missing, dates.dtype))] = True
    return holes
