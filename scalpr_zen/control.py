"""The random-entry control: what the same bracket, costs and hours earn when the entries are drawn.

A control has the strategy's number of entries on each side in each hour of the day, at prints drawn from those of that
hour on every session date. Not from the hour of the entry itself: a signal that follows from its prices has chosen its
side by them, and entries drawn before it would know that side too early.
Money is counted in whole micro-dollars, so that no order of summing tells equal results apart.
"""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.fills import alone, inside_share
from scalpr_zen.kernel import VOID
from scalpr_zen.params import NANOS
from scalpr_zen.rules import entry_ranges
from scalpr_zen.sessions import chicago_offsets
from scalpr_zen.setup import Setup
from scalpr_zen.simulate import Orders, net_usd
from scalpr_zen.statistics import NAN
from scalpr_zen.tape import Tape
from scalpr_zen.threads import run_all

Array = NDArray[Any]

DRAWS = 5_000_000
"""Random entries that are traded at most. Where all controls need more, there are for each of the strategy's entries
as many as this allows, at least MIN_POOL, and the controls choose among these."""
MIN_POOL = 50
PERCENTILES = (5, 25, 50, 75, 95)
HISTOGRAM = 40
"""Bins of the histogram at most."""
_PART = 100_000
"""Random entries in memory at a time, a thread."""
_HOUR, _HOURS = 3600 * NANOS, 24
_MICRO = 1_000_000
_STREAM = 7
"""Tells these random numbers from those of Monte Carlo under the same seed."""


class _Cell(NamedTuple):
    """The strategy's entries of a side in an hour of the day, and the print ranges that random ones are drawn from."""

    start: Array
    stop: Array
    side: int
    entries: int


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
        `sims`, `pool` (random entries for each of the strategy's, traded each by itself), net USD of the strategy,
        mean, sample deviation, percentiles and histogram of the controls', `percentile` (share of controls below the
        strategy, ties half) and the one-sided `p_value` (1 + controls at or above it) / (1 + controls); and the share
        of entries at prints of the other side, `strategy_inside_share` and that of the random ones, `inside_share`,
        of those whose aggressor is known.
        Empty without trades or controls; under limit_on="open", as what closes those trades is the money of their
        session, which entries by themselves do not have; and under overlap, as trades that share their prints are
        not as many as they seem.
    """
    sims = setup.settings.control_sims
    if not sims or not len(trades) or setup.rules.limit_on == "open" or setup.execution.overlap:
        return {}
    pool = min(sims, max(DRAWS // len(trades), MIN_POOL))
    parts = _parts(_cells(tape, trades, setup), max(1, _PART // pool))

    def part(number: int) -> tuple[Array, Array]:
        random = np.random.Generator(np.random.Philox(key=[setup.settings.seed, (_STREAM << 32) + number]))
        usd, inside = _drawn(tape, parts[number], pool * parts[number].entries, setup, random)
        return _totals(_micro(usd), parts[number].entries, sims, random), inside

    done = run_all(part, range(len(parts)), workers=workers)
    met = np.sum([counts for _, counts in done], axis=0)
    return {
        "sims": sims,
        "pool": pool,
        "strategy_usd": float(trades["net_usd"].sum()),
        **_compared(int(_micro(trades["net_usd"]).sum()), np.sum([totals for totals, _ in done], axis=0)),
        "strategy_inside_share": inside_share(tape, trades["entry"], trades["side"]),
        "inside_share": float(met[0] / met[1]) if met[1] else NAN,
    }


def _cells(tape: Tape, trades: Array, setup: Setup) -> list[_Cell]:
    """Return where the entries of each hour of the day and side are drawn from, in this order."""
    ranges = entry_ranges(tape, setup.rules)
    # Chicago is whole hours away from UTC, so that these are its hours too.
    hours = np.searchsorted(tape.ts, np.arange(tape.ts[0] // _HOUR, tape.ts[-1] // _HOUR + 1) * _HOUR)
    places = (hours, ranges.reshape(-1), tape.sessions["start"], tape.segments["start"])
    start = np.unique(np.concatenate(places))
    start = start[start < len(tape)]
    stop = np.minimum(np.append(start[1:], len(tape)), _last_filled(tape, start, setup))
    of_range = np.searchsorted(ranges[:, 0], start, side="right") - 1
    drawn = (of_range >= 0) & (start < ranges[of_range, 1]) & (start < stop)
    hour = (tape.ts[start] + chicago_offsets(np.asarray(tape.ts[start]))) // _HOUR % _HOURS
    entered = hour[np.searchsorted(start, trades["signal"], side="right") - 1]
    cells = []
    for h, side in product(range(_HOURS), (1, -1)):
        if entries := int(((entered == h) & (trades["side"] == side)).sum()):
            mine = drawn & (hour == h)
            cells.append(_Cell(start[mine], stop[mine], side, entries))
    return cells


def _parts(cells: list[_Cell], entries: int) -> list[_Cell]:
    """Return cells of at most so many entries that make up the given ones."""
    return [
        cell._replace(entries=min(entries, cell.entries - first))
        for cell in cells
        for first in range(0, cell.entries, entries)
    ]


def _last_filled(tape: Tape, prints: Array, setup: Setup) -> Array:
    """Return the print from which on no order fills in the session and segment of each print (rule 3)."""
    sessions, segments = tape.sessions["stop"], tape.segments["stop"]
    stop = np.minimum(
        sessions[np.searchsorted(sessions, prints, side="right")],
        segments[np.searchsorted(segments, prints, side="right")],
    )
    if setup.execution.entry == "signal":
        return np.asarray(stop)
    last = tape.ts[stop - 1] - max(1, setup.execution.latency_ns)
    return np.asarray(np.searchsorted(tape.ts, last, side="right"))


def _drawn(tape: Tape, cell: _Cell, count: int, setup: Setup, random: np.random.Generator) -> tuple[Array, Array]:
    """Return the net USD of random entries of a cell, 0 for what stays open, and how many meet the other side, or any.

    They are drawn in order: neighbours then find their prints in the cache.
    """
    before = np.cumsum(cell.stop - cell.start)
    place = np.sort(random.integers(0, before[-1], count))
    at = place + (cell.stop - before)[np.searchsorted(before, place, side="right")]
    drawn = Orders(at, np.full(count, cell.side, np.int8), {})
    made = alone(tape, drawn, setup.execution, setup)
    usd = np.where(made["reason"] < VOID, net_usd(made, tape, setup.execution), 0.0)
    aggressor = tape.aggressor[made["entry"]]
    return usd, np.array([np.count_nonzero(aggressor == -cell.side), np.count_nonzero(aggressor)])


def _micro(usd: Array) -> Array:
    return np.asarray(np.rint(usd * _MICRO).astype(np.int64))


def _totals(pool: Array, entries: int, sims: int, random: np.random.Generator) -> Array:
    """Return the sums of `entries` draws of a pool for each of `sims` controls, with replacement."""
    totals, step = np.empty(sims, np.int64), max(1, _PART // entries)
    for first in range(0, sims, step):
        chosen = random.integers(0, len(pool), (min(step, sims - first), entries))
        totals[first : first + step] = pool[chosen].sum(axis=1)
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
