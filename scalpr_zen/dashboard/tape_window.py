"""A stretch of the tape for the screen: its prints or, if there are too many, the envelope of their prices."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from scalpr_zen.base.arrays import Array
from scalpr_zen.base.blocks import extremes
from scalpr_zen.base.errors import ParameterError
from scalpr_zen.base.params import Parameters, param
from scalpr_zen.base.sessions import chicago_text
from scalpr_zen.base.units import ticks_to_points
from scalpr_zen.data.tape import Tape
from scalpr_zen.runs.result import Result

LABELS = 6
TRADES_SHOWN = 200


@dataclass(frozen=True, kw_only=True)
class Window(Parameters):
    """Which prints, and how many points the screen has for them."""

    start: int = param(0, "First print.", low=0, high=2**53)
    stop: int = param(2**53, "Print after the last one; beyond the end: the end.", low=1, high=2**53)
    points: int = param(1_000, "Points that may be sent.", low=2, high=4_000)

    def check(self) -> None:
        """Refuse an empty window."""
        if self.start >= self.stop:
            raise ParameterError(f"start must be below stop, was {self.start} with stop {self.stop}", "start", "stop")


def window(result: Result, wanted: Window) -> dict[str, Any]:
    """Return a window of the tape and the trades of a result in it.

    Returns
    -------
    dict
        `start`, `stop`. `prints`: print, time, price, size, aggressor of each, or None where they are more than the
        points. `envelope`: first print, low and high of each column then, else None. `rolls` and `labels`: prints at
        which a contract begins, and some with their time. `trades`: those that overlap the window, None if they
        are more than TRADES_SHOWN; `trades_inside`, their number.

    Raises
    ------
    ParameterError
        If the window begins beyond the end of the tape.
    """
    tape = result.tape
    if wanted.start >= len(tape):
        raise ParameterError(f"start must be below {len(tape)}, the prints of the tape, was {wanted.start}", "start")
    start, stop = wanted.start, min(wanted.stop, len(tape))
    view: dict[str, Any] = {"start": start, "stop": stop, "prints": None, "envelope": None}
    if stop - start <= wanted.points:
        view["prints"] = _prints(tape, start, stop)
    else:
        first, low, high = envelope(tape, start, stop, wanted.points // 2)
        view["envelope"] = {"print": first.tolist(), "low": _points(low, tape), "high": _points(high, tape)}
    begins = tape.segments["start"]
    rolls = tape.segments[(begins >= start) & (begins < stop)]
    view["rolls"] = [{"print": int(row["start"]), "contract": str(row["contract"])} for row in rolls]
    view["labels"] = _labels(tape, start, stop)
    return view | _trades(result, start, stop)


def envelope(tape: Tape, start: int, stop: int, columns: int) -> tuple[Array, Array, Array]:
    """Return the first print, the low and the high in ticks of each of `columns` equal parts of the prints start:stop.

    The prints are at least as many as the columns. The lows and highs of the tape's blocks save reading most of them.
    """
    bounds = np.linspace(start, stop, columns + 1).astype(np.int64)
    ends = [extremes(tape.price, tape.blocks, *part) for part in pairwise(bounds.tolist())]
    low, high = np.array(ends, np.int32).T
    return bounds[:-1], low, high


def _prints(tape: Tape, start: int, stop: int) -> dict[str, list[Any]]:
    shown = slice(start, stop)
    return {
        "print": list(range(start, stop)),
        "time": chicago_text(np.asarray(tape.ts[shown]), "ns"),
        "price": _points(tape.price[shown], tape),
        "size": tape.size[shown].tolist(),
        "aggressor": tape.aggressor[shown].tolist(),
    }


def _labels(tape: Tape, start: int, stop: int) -> list[dict[str, Any]]:
    """Return some prints of the window and their time: dates, minutes or milliseconds, as the window is wide."""
    at = np.unique(np.linspace(start, stop - 1, LABELS + 2).astype(np.int64)[1:-1])
    days = int(tape.ts[stop - 1] - tape.ts[start]) / 86_400e9
    form = slice(0, 10) if days > 20 else slice(5, 16) if days > 1 else slice(11, 23)
    texts = [text[form].replace("T", " ") for text in chicago_text(np.asarray(tape.ts[at]))]
    return [{"print": i, "text": text} for i, text in zip(at.tolist(), texts, strict=True)]


def _trades(result: Result, start: int, stop: int) -> dict[str, Any]:
    groups = (result.trades, result.unclosed)
    found = [np.flatnonzero((trades["entry"] < stop) & (trades["exit"] >= start)) for trades in groups]
    count = sum(map(len, found))
    shown = None
    if count <= TRADES_SHOWN:
        inside = np.concatenate([trades[rows] for trades, rows in zip(groups, found, strict=True)])
        shown = {name: inside[name].tolist() for name in ("side", "entry", "exit", "net_usd")}
        shown["entry_price"] = _points(inside["entry_ticks"], result.tape)
        shown["exit_price"] = _points(inside["exit_ticks"], result.tape)
    return {"trades": shown, "trades_inside": count}


def _points(ticks: Array, tape: Tape) -> list[float]:
    found: list[float] = ticks_to_points(ticks.astype(np.int64), tape.instrument.tick_nanos).tolist()
    return found
