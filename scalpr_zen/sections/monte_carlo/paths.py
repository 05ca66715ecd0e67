"""Monte Carlo: how much of the path came from the order of the trades, and how much from the choice of the days.

Two methods, each with `monte_carlo_sims` paths. A permutation changes the order of the trades and not their
sum, so it is about drawdown only. Session dates drawn with replacement keep the trades of a day together,
because these depend on each other, and are about profit too.

Random numbers are Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011),
a pure function of seed, method, path and position: the same for any number of threads. numpy's own
generator needs longer for the numbers than the rest of a path takes (benchmarks/RESULTS.md).
Money is counted in whole micro-dollars, so that no order of summing changes a sum.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.arrays import Array, Bools, Int64
from scalpr_zen.base.compiled import njit, without_counts
from scalpr_zen.base.engine import cores, run_all
from scalpr_zen.base.money import MICRO, micro
from scalpr_zen.base.params import Parameters, param
from scalpr_zen.sections.measures import histogram

PERCENTILES = (5, 25, 50, 75, 95)
GRID = 200
"""Points of a band, besides its start."""
HISTOGRAM = 40
"""Bins of the drawdowns."""
PROFITABLE = "of the paths end with a profit"
PROFITABLE_MEANS = (
    "about one minus a one-sided p-value: without an edge every value is equally likely; it is not the probability of "
    "a future profit"
)
_STEPS = 20_000_000
"""Steps of all paths of a part together, about 0.1 s."""
_PERMUTATION, _DAYS = 0, 1


@dataclass(frozen=True, kw_only=True)
class MonteCarlo(Parameters):
    """Number of paths and runs, and their seed."""

    TITLE: ClassVar[str] = "Monte Carlo, random entries"

    monte_carlo_sims: int = param(1_000, "Monte Carlo paths of each method.", unit="paths", low=0, high=100_000)
    random_entry_sims: int = param(
        1_000, "Runs of random entries that the strategy is compared with.", unit="runs", low=0, high=100_000
    )
    seed: int = param(0, "Seed of all random draws.", low=0, high=2**32 - 1)


def monte_carlo(
    x: Array, session: Array, sessions: int, settings: MonteCarlo, counted: Bools | None = None
) -> dict[str, Any]:
    """Return bands and drawdowns of both methods.

    Parameters
    ----------
    x : array of float64, shape (n,)
        Net USD per trade in order of the exits.
    session : array of int, shape (n,)
        Session date of each exit, never decreasing.
    sessions : int
        Session dates of the tape.
    settings : MonteCarlo
    counted : array of bool, shape (sessions,), optional
        Which session dates are drawn. Default: all.

    Returns
    -------
    dict
        As SECTION.fields describes it: `permutation` is empty for one trade, which has one order, and `days` for fewer
        than two counted session dates, as every drawing of one is the run itself. Empty without trades or paths.
    """
    if not len(x) or not settings.monte_carlo_sims:
        return {}
    amounts = micro(x)
    drawn = np.ones(sessions, np.bool_) if counted is None else counted
    return {
        "sims": settings.monte_carlo_sims,
        "seed": settings.seed,
        "permutation": _permutation(amounts, settings) if len(x) > 1 else {},
        "days": _days(amounts, session, drawn, settings) if drawn.sum() > 1 else {},
    }


def _permutation(amounts: Int64, settings: MonteCarlo) -> dict[str, Any]:
    values, codes = np.unique(amounts, return_inverse=True)
    # The fewer bytes are shuffled, the more of them a cache holds.
    codes = codes.astype(np.uint16 if len(values) <= 2**16 else np.uint32)
    grid = _grid(len(amounts))
    equity, drawdown = _paths(len(grid), settings.monte_carlo_sims)

    longest = int(np.diff(grid, prepend=0).max())

    def work(first: int, stop: int) -> None:
        scratch = _numbers(longest), np.empty_like(codes)
        _permute_kernel(codes, values, grid, settings.seed, first, *scratch, equity[first:stop], drawdown[first:stop])

    _share(work, settings.monte_carlo_sims, len(amounts))
    path = np.concatenate(([0], np.cumsum(amounts)))
    actual = int((np.maximum.accumulate(path) - path).max())
    return {
        "trade": [0, *grid.tolist()],
        "actual_usd": _usd(path[np.append(0, grid)]),
        "bands_usd": _bands(equity),
        "drawdown_usd": _percentiles(drawdown),
        "drawdown_paths": histogram(drawdown, HISTOGRAM, "paths"),
        "actual_drawdown_usd": actual / MICRO,
        "actual_drawdown_rank": float((drawdown < actual).mean()),
    }


def _days(amounts: Int64, session: Array, counted: Bools, settings: MonteCarlo) -> dict[str, Any]:
    grid = _grid(int(counted.sum()))
    total, high, low, fall = (column[counted] for column in _summaries(amounts, session, len(counted)))
    equity, drawdown = _paths(len(grid), settings.monte_carlo_sims)

    def work(first: int, stop: int) -> None:
        made = _numbers(len(total)), equity[first:stop], drawdown[first:stop]
        _draw_kernel(total, high, low, fall, grid, settings.seed, first, *made)

    _share(work, settings.monte_carlo_sims, len(total))
    return {
        "session_date": [0, *grid.tolist()],
        "bands_usd": _bands(equity),
        "profit_usd": _percentiles(equity[:, -1]),
        "profitable_share": float((equity[:, -1] > 0).mean()),
        "drawdown_usd": _percentiles(drawdown),
        "drawdown_paths": histogram(drawdown, HISTOGRAM, "paths"),
    }


def _summaries(amounts: Int64, session: Array, sessions: int) -> tuple[Int64, Int64, Int64, Int64]:
    """Return for each session date its sum, highest and lowest point from its start, and largest fall.

    These four are all that a path of whole days needs to find its exact per-trade drawdown.
    """
    total, high, low, fall = (np.zeros(sessions, np.int64) for _ in range(4))
    bounds = np.searchsorted(session, np.arange(sessions + 1))
    for day in range(sessions):
        path = np.concatenate(([0], np.cumsum(amounts[bounds[day] : bounds[day + 1]])))
        total[day], high[day], low[day] = path[-1], path.max(), path.min()
        fall[day] = (np.maximum.accumulate(path) - path).max()
    return total, high, low, fall


def _grid(length: int) -> Int64:
    """Return the steps at which bands are taken: GRID of them, evenly, the last one the end."""
    steps = np.linspace(0, length, GRID + 1).round().astype(np.int64)
    return np.unique(steps[steps > 0])


def _paths(points: int, sims: int) -> tuple[Int64, Int64]:
    return np.empty((sims, points), np.int64), np.empty(sims, np.int64)


def _numbers(steps: int) -> NDArray[np.uint64]:
    """Return room for the random numbers of so many steps: four of each counter."""
    return np.empty(4 * math.ceil(steps / 4), np.uint64)


def _share(work: Callable[[int, int], None], sims: int, steps: int) -> None:
    """Run `work(first, stop)` over all paths of so many steps each, in parts that do not hold up Ctrl-C."""
    size = max(1, min(math.ceil(sims / cores()), _STEPS // max(1, steps)))
    firsts = range(0, sims, size)
    run_all(work, firsts, (min(first + size, sims) for first in firsts))


def _bands(equity: Int64) -> dict[str, list[float]]:
    columns = np.percentile(equity, PERCENTILES, axis=0)
    return {str(p): [0.0, *_usd(column)] for p, column in zip(PERCENTILES, columns, strict=True)}


def _percentiles(values: Int64) -> dict[str, float]:
    return dict(zip(map(str, PERCENTILES), _usd(np.percentile(values, PERCENTILES)), strict=True))


def _usd(amounts: Array) -> list[float]:
    return (amounts / MICRO).tolist()  # type: ignore[no-any-return]


@njit(cache=True, nogil=True, **without_counts)
def _philox_kernel(seed, method, path, block, out):  # type: ignore[no-untyped-def]
    """Fill `out` with the numbers of the counters block .. block + k - 1 of one path.

    Reads    seed, method and path, each below 2**32
    Writes   out (4 * k,), uint32 values in uint64: the first number of each counter, then the second of each, ...
    Oracle   the known answers of the Random123 distribution, tests/test_monte_carlo.py
    """
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    count = len(out) // 4
    for i in range(count):
        c0, c1, c2, c3 = np.uint64(block + i), np.uint64(path), np.uint64(method), np.uint64(0)
        k0, k1 = np.uint64(seed), np.uint64(0)
        for _ in range(10):
            p0, p1 = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
            c0, c1 = (p1 >> half) ^ c1 ^ k0, p1 & low
            c2, c3 = (p0 >> half) ^ c3 ^ k1, p0 & low
            k0, k1 = (k0 + np.uint64(0x9E3779B9)) & low, (k1 + np.uint64(0xBB67AE85)) & low
        out[i], out[count + i], out[2 * count + i], out[3 * count + i] = c0, c1, c2, c3


@njit(cache=True, nogil=True, **without_counts)
def _permute_kernel(codes, values, grid, seed, first, random, shuffled, equity, drawdown):  # type: ignore[no-untyped-def]
    """Walk one random permutation of the trades for each path (Fisher-Yates, from the front).

    Reads    codes (n,) of values, grid (g,) steps
    Writes   equity (paths, g) at the steps of the grid, drawdown (paths,); scratch: random (4 * k,), k blocks of
             numbers for the longest stretch of the grid, and shuffled, like codes
    Order    path `first + k` depends on the seed and its own number alone
    Oracle   tests/test_monte_carlo.py, naive_permutation

    A position is chosen by multiplying a 32-bit number, which favours some positions by at most n / 2**32.
    """
    n, half = np.uint64(len(codes)), np.uint64(32)
    method, blocks = np.int64(_PERMUTATION), len(random) // 4
    for k in range(len(drawdown)):
        for u in range(len(codes)):
            shuffled[u] = codes[u]
        total = peak = fall = np.int64(0)
        at = np.uint64(0)  # unsigned, or numba tests every index for being negative
        for point in range(len(grid)):
            _philox_kernel(seed, method, first + k, point * blocks, random)
            for u in range(grid[point] - np.int64(at)):
                j = at + ((random[u] * (n - at)) >> half)
                code = shuffled[j]
                shuffled[j] = shuffled[at]
                at += np.uint64(1)
                total += values[code]
                peak = max(peak, total)
                fall = max(fall, peak - total)
            equity[k, point] = total
        drawdown[k] = fall


@njit(cache=True, nogil=True, **without_counts)
def _draw_kernel(total, high, low, fall, grid, seed, first, random, equity, drawdown):  # type: ignore[no-untyped-def]
    """Walk session dates drawn with replacement for each path.

    Reads    total, high, low, fall (days,) of each session date; grid (g,) steps
    Writes   equity (paths, g) at the steps of the grid, drawdown (paths,); scratch: random, a number a day at least
    Order    path `first + k` depends on the seed and its own number alone
    Oracle   tests/test_monte_carlo.py, naive_days
    """
    days, method = np.uint64(len(total)), np.int64(_DAYS)
    for k in range(len(drawdown)):
        _philox_kernel(seed, method, first + k, np.int64(0), random)
        at = peak = worst = np.int64(0)
        i = 0
        for point in range(len(grid)):
            while i < grid[point]:
                day = np.int64((random[i] * days) >> np.uint64(32))
                worst = max(worst, max(fall[day], peak - (at + low[day])))
                peak = max(peak, at + high[day])
                at += total[day]
                i += 1
            equity[k, point] = at
        drawdown[k] = worst
