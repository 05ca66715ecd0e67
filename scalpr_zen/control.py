"""The random-entry control: what the same bracket, costs and hours earn when the entries are drawn.

A control has the strategy's number of entries on each side in each hour of the tape, at prints drawn from all that
the entry windows allow in that hour. What the strategy has beyond its controls, it owes to its signals.
Money is counted in whole micro-dollars, so that no order of summing tells equal results apart.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.fills import alone
from scalpr_zen.kernel import VOID
from scalpr_zen.params import NANOS
from scalpr_zen.rules import entry_ranges
from scalpr_zen.setup import Setup
from scalpr_zen.simulate import Orders, net_usd
from scalpr_zen.statistics import NAN
from scalpr_zen.tape import Tape
from scalpr_zen.threads import run_all

Array = NDArray[Any]

DRAWS = 5_000_000
"""Random entries that are traded at most. Where all controls need more, each entry has a pool of as many draws as
this allows, at least MIN_POOL, and the controls choose from the pools."""
MIN_POOL = 50
PERCENTILES = (5, 25, 50, 75, 95)
HISTOGRAM = 40
"""Bins of the histogram at most."""
_SLOTS = 500_000
"""Random entries in memory at a time, a thread."""
_HOUR = 3600 * NANOS
_MICRO = 1_000_000
_STREAM = 7
"""Tells these random numbers from those of Monte Carlo under the same seed."""


class _Slots(NamedTuple):
    """An entry of the strategy: the prints `low <= i < high` that its controls are drawn from, and its side."""

    low: Array
    high: Array
    side: Array


def control(tape: Tape, trades: Array, setup: Setup, workers: int | None = None) -> dict[str, Any]:
    """Return the strategy's net P&L among those of its random controls.

    Parameters
    ----------
    tape : Tape
    trades : array of TRADE, shape (n,)
        Closed trades of the strategy.
    setup : Setup
        Its bracket, execution, hours, number of controls and seed.
    workers : int, optional
        Threads; default: one a core. The result does not depend on them.

    Returns
    -------
    dict
        `sims`, `pool` (draws an entry, traded each by itself), net USD of the strategy, mean, sample deviation,
        percentiles and histogram of the controls', `percentile` (share of controls below the strategy, ties
        half) and the one-sided `p_value` (1 + controls at or above it) / (1 + controls). Empty without trades or
        controls, and under limit_on="open": what closes those trades is the money of their session, which entries
        that are traded by themselves do not have.
    """
    sims = setup.settings.control_sims
    if not sims or not len(trades) or setup.rules.limit_on == "open":
        return {}
    slots = _slots(tape, trades, setup)
    pool = min(sims, max(DRAWS // len(trades), MIN_POOL))
    step = max(1, _SLOTS // pool)
    starts = range(0, len(trades), step)

    def part(start: int) -> Array:
        mine = _Slots(*(column[start : start + step] for column in slots))
        random = np.random.Generator(np.random.Philox(key=[setup.settings.seed, (_STREAM << 32) + start]))
        return _totals(_micro(_drawn_usd(tape, mine, setup, pool, random)), sims, random)

    totals = np.sum(run_all(part, starts, workers=workers), axis=0)
    strategy = {"strategy_usd": float(trades["net_usd"].sum())}
    return {"sims": sims, "pool": pool} | strategy | _compared(int(_micro(trades["net_usd"]).sum()), totals)


def _slots(tape: Tape, trades: Array, setup: Setup) -> _Slots:
    """Return what each trade's random entries are drawn from, in order of its signal."""
    by_signal = trades[np.argsort(trades["signal"], kind="stable")]
    signal = by_signal["signal"]
    hours = np.arange(tape.ts[0] // _HOUR, tape.ts[-1] // _HOUR + 1) * _HOUR
    edges = np.searchsorted(tape.ts, hours)
    # Chicago is whole hours away from UTC, so that these are its hours too.
    ranges = entry_ranges(tape, setup.rules).reshape(-1)
    edges = np.unique(np.concatenate((edges, ranges, tape.segments["start"], [len(tape)])))
    cell = np.searchsorted(edges, signal, side="right") - 1
    return _Slots(edges[cell], np.minimum(edges[cell + 1], _last_filled(tape, signal, setup)), by_signal["side"])


def _last_filled(tape: Tape, signal: Array, setup: Setup) -> Array:
    """Return the print from which on no order fills in the session and segment of each signal (rule 3)."""
    sessions, segments = tape.sessions["stop"], tape.segments["stop"]
    stop = np.minimum(
        sessions[np.searchsorted(sessions, signal, side="right")],
        segments[np.searchsorted(segments, signal, side="right")],
    )
    if setup.execution.entry == "signal":
        return np.asarray(stop)
    last = tape.ts[stop - 1] - max(1, setup.execution.latency_ns)
    return np.asarray(np.searchsorted(tape.ts, last, side="right"))


def _drawn_usd(tape: Tape, slots: _Slots, setup: Setup, pool: int, random: np.random.Generator) -> Array:
    """Return the net USD of `pool` random entries of each slot, shape (slots, pool); 0 for what stays open."""
    width = (slots.high - slots.low)[:, None]
    at = slots.low[:, None] + (random.random((len(width), pool)) * width).astype(np.int64)
    drawn = Orders(at.reshape(-1), np.repeat(slots.side, pool), {})
    made = alone(tape, drawn, setup.execution, setup)
    return np.where(made["reason"] < VOID, net_usd(made, tape, setup.execution), 0.0).reshape(len(width), pool)


def _micro(usd: Array) -> Array:
    return np.asarray(np.rint(usd * _MICRO).astype(np.int64))


def _totals(drawn: Array, sims: int, random: np.random.Generator) -> Array:
    """Return the sums of `sims` controls: each draw once, then draws of the pools chosen anew."""
    slots, pool = drawn.shape
    totals = np.empty(sims, np.int64)
    totals[:pool] = drawn.sum(axis=0)
    for first in range(pool, sims, pool):
        count = min(pool, sims - first)
        chosen = random.integers(0, pool, (slots, count), dtype=np.uint16 if pool < 2**16 else np.uint32)
        totals[first : first + count] = np.take_along_axis(drawn, chosen.astype(np.intp), axis=1).sum(axis=0)
    return totals


def _compared(strategy: int, totals: Array) -> dict[str, Any]:
    """Return where a strategy stands among the totals of its controls, both in micro-dollars."""
    below, at = int((totals < strategy).sum()), int((totals == strategy).sum())
    usd = totals / _MICRO
    return {
        "mean_usd": float(usd.mean()),
        "sd_usd": float(usd.std(ddof=1)) if len(usd) > 1 else NAN,
        "percentiles_usd": {
            str(p): float(value) for p, value in zip(PERCENTILES, np.percentile(usd, PERCENTILES), strict=True)
        },
        "percentile": (below + at / 2) / len(totals),
        "p_value": (1 + len(totals) - below) / (1 + len(totals)),
        "histogram": _histogram(totals),
    }


def _histogram(totals: Array) -> dict[str, list[Any]]:
    """Return the edges in USD of at most HISTOGRAM equal bins of whole micro-dollars, and the controls in each."""
    first = totals.min()
    width = (totals.max() - first) // HISTOGRAM + 1
    runs = np.bincount((totals - first) // width)
    return {"edges_usd": ((first + width * np.arange(len(runs) + 1)) / _MICRO).tolist(), "runs": runs.tolist()}
