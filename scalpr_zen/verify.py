"""The look-ahead proof: a run of the tape cut short must say the same of all that came before the cut.

A strategy that knows more than prints `0..i` at print `i` changes its mind somewhere when what follows is taken away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.backtest import Strategy
from scalpr_zen.errors import ScalprError
from scalpr_zen.kernel import REASONS, ROLL, TRADE
from scalpr_zen.sessions import chicago_text
from scalpr_zen.setup import Setup
from scalpr_zen.simulate import Simulation, simulate
from scalpr_zen.strategies.load import signals_of
from scalpr_zen.tape import COLUMNS, Tape

Array = NDArray[Any]

KINDS = ("random", "signal", "entry", "exit")
STRETCHES, STRETCH, DENSE = 4, 3_000, 400
"""Stretches of the tape that are tapes of their own, their prints, and how many of their last prints are cut one by
one: whoever peeks to leave a signal out says nothing at the cuts that follow signals."""


class LookAhead(ScalprError):
    """A signal or a trade depends on prints after it, or a strategy gives two answers to one question."""


@dataclass(frozen=True)
class Verified:
    """What was compared without finding a difference."""

    cuts: int
    dense: int
    signals: int
    trades: int


def verify(
    tape: Tape,
    strategy: Strategy,
    setup: Setup,
    *,
    cuts: int = 20,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Verified:
    """Run a strategy on the whole tape and on the tape cut short, and demand the same before each cut.

    Parameters
    ----------
    tape, strategy, setup
        As in `run_setup`.
    cuts : int
        Cuts: a quarter each at random prints, and just after random signals, entries and exits; and the whole tape
        once more. Beside these, STRETCHES of the tape are cut after each of their last DENSE prints.
    seed : int
        Of the random choices.
    progress : callable, optional
        Called with cuts done and cuts in all.

    Raises
    ------
    LookAhead
        At the first print that differs.
    """
    signals = signals_of(strategy, tape)
    whole = simulate(tape, signals, setup.bracket, setup.execution, setup.rules)
    signals = signals.copy()  # a strategy may write its next answer into the same array
    stops = cut_prints(len(tape), signals, whole, cuts, seed)
    for done, stop in enumerate(stops, start=1):
        short = tape.cut(stop)
        again = signals_of(strategy, short)
        cut = simulate(short, again, setup.bracket, setup.execution, setup.rules)
        _same_signals(tape, signals, again, stop)
        _same_trades(tape, whole, cut, stop)
        if progress is not None:
            progress(done, len(stops))
    dense = sum(_cut_densely(part, strategy) for part in _stretches(tape, seed))
    return Verified(len(stops), dense, int(np.count_nonzero(signals)), len(whole.trades))


def _stretches(tape: Tape, seed: int) -> list[Tape]:
    """Return some stretches of a tape as tapes; the whole of a short one."""
    if len(tape) <= STRETCH:
        return [tape]
    starts = np.random.default_rng((seed, 1)).integers(0, len(tape) - STRETCH + 1, STRETCHES).tolist()
    return [_stretch(tape, slice(start, start + STRETCH)) for start in starts]


def _stretch(tape: Tape, part: slice) -> Tape:
    segment = np.searchsorted(tape.segments["stop"], np.arange(part.start, part.stop), side="right")
    columns = {name: getattr(tape, name)[part] for name in COLUMNS}
    return Tape.from_prints(**columns, contract=tape.segments["contract"][segment], instrument=tape.instrument)


def _cut_densely(tape: Tape, strategy: Strategy) -> int:
    """Cut a stretch after each of its last DENSE prints; return the number of cuts."""
    stops = range(max(1, len(tape) - DENSE), len(tape))
    if not stops:
        return 0
    whole = signals_of(strategy, tape).copy()
    for stop in stops:
        _same_signals(tape, whole, signals_of(strategy, tape.cut(stop)), stop)
    return len(stops)


def cut_prints(length: int, signals: Array, whole: Simulation, cuts: int, seed: int) -> list[int]:
    """Return where the tape is cut: the number of prints that are left, in order; the last one is the whole tape."""
    random = np.random.default_rng(seed)
    known = np.concatenate((whole.trades, whole.unclosed))
    places = {
        "random": random.integers(1, length + 1, cuts) if length else np.empty(0, np.int64),
        "signal": np.flatnonzero(signals) + 1,
        "entry": known["entry"] + 1,
        "exit": whole.trades["exit"] + 1,
    }
    chosen = [length]
    there = [kind for kind in KINDS if len(places[kind])]
    for k, kind in enumerate(there):
        share = cuts // len(there) + (k < cuts % len(there))
        chosen += random.choice(places[kind], min(share, len(places[kind])), replace=False).tolist()
    return sorted({stop for stop in chosen if stop})


def _same_signals(tape: Tape, signals: Array, again: Array, stop: int) -> None:
    differ = np.flatnonzero(signals[:stop] != again)
    if len(differ):
        at = int(differ[0])
        raise LookAhead(
            f"look-ahead: with the tape cut after print {stop - 1:,}, the signal of print {at:,} "
            f"({_when(tape, at)}) is {again[at]}, and {signals[at]} with the prints that follow"
        )


def _same_trades(tape: Tape, whole: Simulation, cut: Simulation, stop: int) -> None:
    rolled = whole.trades["reason"] == ROLL  # the print after it tells that its own was the last of its segment
    before = whole.trades[whole.trades["exit"] + rolled < stop]
    if np.array_equal(before, cut.trades):
        return
    short, full = _by_signal(cut.trades), _by_signal(before)
    at = min([at for at in short.keys() | full.keys() if short.get(at) != full.get(at)] or full)
    raise LookAhead(
        f"look-ahead: with the tape cut after print {stop - 1:,}, the trade of the signal at print {at:,} "
        f"({_when(tape, at)}) is {_told(short.get(at))}, and {_told(full.get(at))} with the prints that follow"
    )


def _by_signal(trades: Array) -> dict[int, dict[str, Any]]:
    rows = (dict(zip(TRADE.names or (), row, strict=True)) for row in trades.tolist())
    return {row["signal"]: row for row in rows}


def _told(row: dict[str, Any] | None) -> str:
    if row is None:
        return "none"
    entry, end = (f"print {row[name]:,} at {row[f'{name}_ticks']:,} ticks" for name in ("entry", "exit"))
    return f"entered at {entry} and closed at {end} ({REASONS[row['reason']]})"


def _when(tape: Tape, at: int) -> str:
    return chicago_text(tape.ts[at : at + 1], "ns")[0]
