"""The look-ahead proof: a run on the tape cut short must equal the whole run up to the cut.

A strategy that uses more than prints `0..i` at print `i` gives a different signal somewhere once later prints
are missing.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scalpr_zen.base.arrays import Array
from scalpr_zen.base.errors import ScalprError
from scalpr_zen.base.sessions import chicago_text
from scalpr_zen.data.tape import Tape
from scalpr_zen.runs.backtest import Strategy
from scalpr_zen.sections.setup import Setup
from scalpr_zen.simulation.kernel import REASONS, ROLL, TRADE
from scalpr_zen.simulation.simulate import Simulation, simulate
from scalpr_zen.strategies.user_code import signals_of

KINDS = ("random", "signal", "entry", "exit", "roll", "session")
STRETCHES, STRETCH = 8, 100_000
"""Number of stretches of the tape that are verified as tapes of their own, and their most prints: cuts after signals do
not catch a strategy that looks ahead to leave a signal out."""
FINE, COARSE, STRIDE = 100, 100, 25
"""Cuts of a stretch: after each of its last FINE prints, and before them COARSE cuts STRIDE prints apart: look-ahead in
scalping spans tens of prints."""


class LookAhead(ScalprError):
    """A signal or a trade depends on later prints, or a strategy gives different signals for the same tape."""


@dataclass(frozen=True)
class Verified:
    """What was compared and found equal; `near` counts the signals between the cuts of the stretches."""

    cuts: int
    dense: int
    signals: int
    trades: int
    near: int


def verify(
    tape: Tape,
    strategy: Strategy,
    setup: Setup,
    *,
    cuts: int = 20,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Verified:
    """Run a strategy on the whole tape and on the tape cut short, and require equal results before each cut.

    Each run uses a new copy of the strategy, and some cuts run before the whole tape, so that nothing it remembers from
    one run can help it in another.

    Parameters
    ----------
    tape, strategy, setup
        As in `run_setup`.
    cuts : int
        Number of cuts, a sixth each: at random prints; just after random signals, entries and exits; where a contract
        ends; just before the last print of a session. Besides these, STRETCHES of the tape, half of them around
        signals, are cut at FINE and COARSE places each.
    seed : int
        Seed of the random choices.
    progress : callable, optional
        Called with the number of cuts and stretches done, and their total.

    Raises
    ------
    LookAhead
        At the first print that differs.
    """
    ask = _asker(strategy)
    early = {stop: _sparse(ask(tape.cut(stop))) for stop in random_prints(len(tape), cuts, seed)}
    signals = ask(tape)
    whole = simulate(tape, signals, setup.bracket, setup.execution, setup.rules)
    signals = signals.copy()  # a strategy may return the same array again
    again = ask(tape)
    _one_answer(tape, signals, again)
    early[len(tape)] = _sparse(again)
    stops = cut_prints(tape, signals, whole, cuts, seed)
    ends = _ends(len(tape), signals, seed)
    for done, stop in enumerate(stops, start=1):
        short = tape.cut(stop)
        again = _full(early[stop], stop) if stop in early else ask(short)
        cut = simulate(short, again, setup.bracket, setup.execution, setup.rules)
        _same_signals(tape, signals, again, stop)
        _same_trades(tape, whole, cut, stop)
        if progress is not None:
            progress(done, len(stops) + len(ends))
    dense = near = 0
    for done, end in enumerate(ends, start=len(stops) + 1):
        made, between = _cut_densely(tape.part(max(0, end - STRETCH), end), ask)
        dense, near = dense + made, near + between
        if progress is not None:
            progress(done, len(stops) + len(ends))
    return Verified(len(stops), dense, int(np.count_nonzero(signals)), len(whole.trades), near)


def _asker(strategy: Strategy) -> Callable[[Tape], Array]:
    """Return a function that gives the signals of a new copy of a strategy, or its own if it cannot be copied."""
    try:
        kept = copy.deepcopy(strategy)
    except Exception:  # copying may raise anything
        return lambda tape: signals_of(strategy, tape)
    return lambda tape: signals_of(copy.deepcopy(kept), tape)


def _sparse(signals: Array) -> tuple[Array, Array]:
    at = np.flatnonzero(signals)
    return at, signals[at]


def _full(sparse: tuple[Array, Array], length: int) -> Array:
    signals = np.zeros(length, np.int8)
    signals[sparse[0]] = sparse[1]
    return signals


# Where the tape is cut --------------------------------------------------------------------------------


def random_prints(length: int, cuts: int, seed: int) -> list[int]:
    """Return the random cuts as numbers of prints kept, ascending, without the whole tape."""
    share = -(-cuts // len(KINDS))
    random = np.random.default_rng((seed, 2))
    return sorted(set(random.integers(1, length, share).tolist())) if length > 1 else []


def cut_prints(tape: Tape, signals: Array, whole: Simulation, cuts: int, seed: int) -> list[int]:
    """Return the cuts as numbers of prints kept, ascending; the last one is the whole tape."""
    random = np.random.default_rng(seed)
    known = np.concatenate((whole.trades, whole.unclosed))
    places = {
        "signal": np.flatnonzero(signals) + 1,
        "entry": known["entry"] + 1,
        "exit": whole.trades["exit"] + 1,
        "roll": tape.segments["stop"][:-1],
        "session": tape.sessions["stop"] - 1,
    }
    chosen = [len(tape), *random_prints(len(tape), cuts, seed)]
    for k, kind in enumerate(KINDS[1:], start=1):
        share = cuts // len(KINDS) + (k < cuts % len(KINDS))
        chosen += random.choice(places[kind], min(share, len(places[kind])), replace=False).tolist()
    return sorted({stop for stop in chosen if stop})


def _ends(length: int, signals: Array, seed: int) -> list[int]:
    """Return where the stretches end: at the end of the tape, at random prints, and soon after random signals."""
    random, at = np.random.default_rng((seed, 1)), np.flatnonzero(signals)
    ends = [length, *random.integers(1, length + 1, STRETCHES // 2 - 1).tolist()] if length else []
    near = random.choice(at, min(STRETCHES // 2, len(at)), replace=False) + FINE // 2
    return sorted({*ends, *np.minimum(near, length).tolist()})


def _cut_densely(tape: Tape, ask: Callable[[Tape], Array]) -> tuple[int, int]:
    """Cut a stretch at its last prints; return the number of cuts and of signals from the first cut on."""
    fine = max(1, len(tape) - FINE)
    stops = sorted({*range(max(1, fine - COARSE * STRIDE), fine, STRIDE), *range(fine, len(tape))})
    if not stops:
        return 0, 0
    answers = [(stop, _sparse(ask(tape.cut(stop)))) for stop in stops]
    whole = ask(tape)
    for stop, answer in answers:
        _same_signals(tape, whole, _full(answer, stop), stop)
    return len(stops), int(np.count_nonzero(whole[stops[0] :]))


# What is compared -------------------------------------------------------------------------------------


def _one_answer(tape: Tape, signals: Array, again: Array) -> None:
    differ = np.flatnonzero(signals != again)
    if len(differ):
        at = int(differ[0])
        raise LookAhead(
            f"not reproducible: on the same tape, the signal of print {at:,} ({_when(tape, at)}) was {signals[at]} and "
            f"then {again[at]}; seed all random numbers"
        )


def _same_signals(tape: Tape, signals: Array, again: Array, stop: int) -> None:
    differ = np.flatnonzero(signals[:stop] != again)
    if len(differ):
        at = int(differ[0])
        raise LookAhead(
            f"look-ahead: with the tape cut after print {stop - 1:,}, the signal of print {at:,} "
            f"({_when(tape, at)}) is {again[at]}, and {signals[at]} with the prints that follow"
        )


def _same_trades(tape: Tape, whole: Simulation, cut: Simulation, stop: int) -> None:
    rolled = whole.trades["reason"] == ROLL  # the print after it shows that the segment ended
    before = whole.trades[whole.trades["exit"] + rolled < stop]
    if np.array_equal(before, cut.trades):
        return
    short, full = _by_signal(cut.trades), _by_signal(before)
    at = min([at for at in short.keys() | full.keys() if short.get(at) != full.get(at)] or full)
    raise LookAhead(
        f"look-ahead: with the tape cut after print {stop - 1:,}, the trade of the signal at print {at:,} "
        f"({_when(tape, at)}) is {_text(short.get(at))}, and {_text(full.get(at))} with the prints that follow"
    )


def _by_signal(trades: Array) -> dict[int, dict[str, Any]]:
    rows = (dict(zip(TRADE.names or (), row, strict=True)) for row in trades.tolist())
    return {row["signal"]: row for row in rows}


def _text(row: dict[str, Any] | None) -> str:
    if row is None:
        return "none"
    entry, end = (f"print {row[name]:,} at {row[f'{name}_ticks']:,} ticks" for name in ("entry", "exit"))
    return f"entered at {entry} and closed at {end} ({REASONS[row['reason']]})"


def _when(tape: Tape, at: int) -> str:
    return chicago_text(tape.ts[at : at + 1], "ns")[0]
