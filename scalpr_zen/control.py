"""Random entries: what the same bracket, costs and hours earn when the entries are drawn at random.

A random run has the strategy's number of entries on each side in each hour of the day, at prints drawn from those of
that hour on every session date. Not from the hour of the entry itself: a signal that follows from its prices has chosen
its side by them, and entries drawn before it would know that side too early.

Runs are compared in units of their own deviation, because a strategy may trade when the market moves more, or less,
than at random. Results are whole ticks and their sums are whole numbers, so that equal runs are ties.
"""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.fills import alone, inside_share
from scalpr_zen.kernel import VOID
from scalpr_zen.money import MICRO, check_sum
from scalpr_zen.params import NANOS
from scalpr_zen.passages import Outcomes, has_fixed_levels, merged, outcomes
from scalpr_zen.rules import entry_ranges
from scalpr_zen.sessions import chicago_offsets
from scalpr_zen.setup import Setup
from scalpr_zen.simulate import Orders
from scalpr_zen.statistics import NAN
from scalpr_zen.tape import Tape
from scalpr_zen.threads import run_all

Array = NDArray[Any]

DRAWS = 5_000_000
"""Random entries that are traded at most where first passages do not give the result of every print. Where all runs
need more, there are for each of the strategy's entries as many as this allows, at least MIN_POOL."""
MIN_POOL = 50
PERCENTILES = (5, 25, 50, 75, 95)
HISTOGRAM = 40
"""Bins of the histogram at most."""
FREEDOM = (0.1, 1.5)
"""Least and most variance that a strategy without an edge may have, as a share of that of independent entries: below it
little is left to its choice, and above it the comparison is mostly with what all entries earn."""
_PART = 100_000
"""Random entries in memory at a time, a thread."""
_HOUR, _HOURS = 3600 * NANOS, 24
_STREAM = 7
"""Tells these random numbers from those of Monte Carlo under the same seed."""
_DECIMALS = 9
"""Of a score: runs that differ by the rounding of a sum alone are ties."""


class _Cells(NamedTuple):
    """The strategy's entries by hour of the day and side, and the prints from which random ones are drawn.

    `starts` and `hour` are stretches of prints as `passages.outcomes` takes them, with the hours numbered from 0;
    `stop` ends the prints of each stretch that can fill. `entries` (hours, 2) are the strategy's.
    """

    starts: Array
    stop: Array
    hour: Array
    entries: Array


class _Sums(NamedTuple):
    """Closed trades, the sum of their ticks and of their squares, and unclosed trades, shape (cells, runs) each."""

    closed: Array
    ticks: Array
    squares: Array
    unclosed: Array


def control(tape: Tape, trades: Array, setup: Setup, workers: int | None = None) -> dict[str, Any]:
    """Return where a strategy stands among runs of random entries.

    Parameters
    ----------
    tape : Tape
    trades : array of TRADE, shape (n,)
        Closed trades of the strategy.
    setup : Setup
        Its bracket, execution, hours, number of runs and seed.
    workers : int, optional
        Threads; default: one a core. The result does not depend on them.

    Returns
    -------
    dict
        `sims`; `method`, "exact" where the result of an entry at every print is known, else "sampled"; `pool`, the
        random entries that were traded for each of the strategy's, none where the method is exact. Of net USD: the
        strategy's, and mean, sample deviation, percentiles and histogram of the random runs'. Deviation of a trade
        in USD, the strategy's and the random entries'. `freedom`, see `_freedom`. `percentile` (share of random runs
        with a score below the strategy's, ties half) and the one-sided `p_value` (1 + runs at or above it) /
        (1 + runs), both NaN where `reason` says why. The share of entries at prints of the other side,
        `strategy_inside_share` and that of the random ones, `inside_share`, of those whose aggressor is known.
        Empty without trades or runs; under limit_on="open", as what closes those trades is the money of their
        session, which entries on their own do not have; and under overlap, as trades that share their prints are
        not as many as they seem.
    """
    sims = setup.settings.control_sims
    if not sims or not len(trades) or setup.rules.limit_on == "open" or setup.execution.overlap:
        return {}
    cells = _cells(tape, trades, setup)
    exact = has_fixed_levels(tape, setup.bracket, setup.execution, setup.rules, len(cells.entries))
    pool = None if exact else min(sims, max(DRAWS // len(trades), MIN_POOL))
    found = _every_entry(tape, cells, setup) if pool is None else _pool(tape, cells, pool, setup, workers)
    drawn = _drawn(found, cells.entries, sims, setup.settings.seed, workers)
    own = _own(cells, trades)
    tick_usd, cost = setup.execution.tick_value(tape.instrument) * setup.execution.contracts, setup.execution.cost_usd
    centre = _centres(found, tick_usd, cost)
    freedom = _freedom(cells, trades, found, centre, tick_usd, cost, _drawn_from(cells))
    met = (cells.entries[:, :, None] * _shares(found.aggressor)[:, None, :]).sum(axis=0)  # (2, 3)
    known = met[0, 0] + met[0, 2] + met[1, 0] + met[1, 2]
    return {
        "sims": sims,
        "method": "sampled" if pool else "exact",
        "pool": pool,
        "strategy_usd": float(trades["net_usd"].sum()),
        **_compared(own, drawn, centre, tick_usd, cost, freedom),
        "strategy_inside_share": inside_share(tape, trades["entry"], trades["side"]),
        "inside_share": float((met[0, 0] + met[1, 2]) / known) if known else NAN,
    }


# Which entries are drawn ------------------------------------------------------------------------------


def _cells(tape: Tape, trades: Array, setup: Setup) -> _Cells:
    """Return the hours of the strategy's entries and where random ones are drawn from."""
    ranges = entry_ranges(tape, setup.rules)
    # Chicago is whole hours away from UTC, so that these are its hours too.
    hours = np.searchsorted(tape.ts, np.arange(tape.ts[0] // _HOUR, tape.ts[-1] // _HOUR + 1) * _HOUR)
    places = (hours, ranges.reshape(-1), tape.sessions["start"], tape.segments["start"])
    starts = np.unique(np.concatenate(places))
    starts = starts[starts < len(tape)]
    of_range = np.searchsorted(ranges[:, 0], starts, side="right") - 1
    allowed = (of_range >= 0) & (starts < ranges[of_range, 1])
    hour = (tape.ts[starts] + chicago_offsets(np.asarray(tape.ts[starts]))) // _HOUR % _HOURS
    entered = hour[np.searchsorted(starts, trades["signal"], side="right") - 1]
    used, number = np.unique(entered, return_inverse=True)
    entries = np.zeros((len(used), 2), np.int64)
    np.add.at(entries, (number, (trades["side"] < 0).astype(np.int64)), 1)
    place = np.minimum(np.searchsorted(used, hour), len(used) - 1)
    stop = np.minimum(np.append(starts[1:], len(tape)), _last_filled(tape, starts, setup))
    return _Cells(starts, stop, np.where(allowed & (used[place] == hour), place, -1), entries)


def _drawn_from(cells: _Cells) -> Array:
    """Return the number of prints of each hour of the day from which entries are drawn, shape (hours,)."""
    prints = np.maximum(cells.stop - cells.starts, 0)[cells.hour >= 0]
    return np.bincount(cells.hour[cells.hour >= 0], weights=prints, minlength=len(cells.entries))


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


# What they earn ---------------------------------------------------------------------------------------


def _every_entry(tape: Tape, cells: _Cells, setup: Setup) -> Outcomes:
    groups = setup.bracket, setup.execution, setup.rules
    return outcomes(tape, cells.starts, cells.hour, len(cells.entries), *groups)


def _pool(tape: Tape, cells: _Cells, pool: int, setup: Setup, workers: int | None) -> Outcomes:
    """Return the outcomes of `pool` random entries for each of the strategy's, traded by the kernel."""
    parts = [
        (hour, short, first, min(_PART, pool * entries - first))
        for (hour, short), entries in np.ndenumerate(cells.entries)
        for first in range(0, pool * int(entries), _PART)
    ]

    def traded(hour: int, short: int, first: int, count: int) -> Outcomes:
        key = _STREAM << 32 | 1 << 24 | (2 * hour + short) << 16 | first // _PART
        random = np.random.Generator(np.random.Philox(key=[setup.settings.seed, key]))
        mine = (cells.hour == hour) & (cells.starts < cells.stop)
        start, stop = cells.starts[mine], cells.stop[mine]
        before = np.cumsum(stop - start)
        place = np.sort(random.integers(0, before[-1], count))  # in order: neighbours find their prints in the cache
        at = place + (stop - before)[np.searchsorted(before, place, side="right")]
        orders = Orders(at, np.full(count, 1 - 2 * short, np.int8), {})
        return _counted(tape, alone(tape, orders, setup.execution, setup), hour, short, len(cells.entries))

    return merged(run_all(traded, *zip(*parts, strict=True), workers=workers), len(cells.entries))


def _counted(tape: Tape, made: Array, hour: int, short: int, hours: int) -> Outcomes:
    """Return the outcomes of some entries of one cell."""
    closed = made[made["reason"] < VOID]
    ticks, counts = np.unique(closed["gross_ticks"].astype(np.int64), return_counts=True)
    found = Outcomes(
        ticks,
        np.zeros((hours, 2, len(ticks)), np.int64),
        np.zeros((hours, 2), np.int64),
        np.zeros((hours, 2, 3)),
        np.zeros((hours, 3), np.int64),
    )
    found.closed[hour, short] = counts
    found.unclosed[hour, short] = len(made) - len(closed)
    length, gross = (closed["exit"] - closed["entry"]).astype(np.float64), closed["gross_ticks"].astype(np.float64)
    found.lengths[hour, short] = [(length * gross**power).sum() for power in range(3)]
    found.aggressor[hour] = np.bincount(tape.aggressor[made["entry"]] + 1, minlength=3)
    return found


def _drawn(found: Outcomes, entries: Array, sims: int, seed: int, workers: int | None) -> _Sums:
    """Return what `sims` runs of random entries earn in each cell: draws with replacement from its outcomes."""
    ticks = np.append(found.ticks, 0)
    closed = np.append(np.ones(len(found.ticks), np.int64), 0)
    columns = np.column_stack((closed, ticks, ticks**2, 1 - closed))  # the last outcome is that of an unclosed trade

    def cell(hour: int, short: int) -> Array:
        n = int(entries[hour, short])
        if not n:
            return np.zeros((sims, 4), np.int64)
        random = np.random.Generator(np.random.Philox(key=[seed, (_STREAM << 32) + 2 * hour + short]))
        counts = np.append(found.closed[hour, short], found.unclosed[hour, short])
        used = np.flatnonzero(counts)
        if n < len(used):  # fewer draws than outcomes
            place = np.searchsorted(np.cumsum(counts), random.integers(0, counts.sum(), (sims, n)), side="right")
            return np.asarray(columns[place].sum(axis=1))
        return np.asarray(random.multinomial(n, counts[used] / counts.sum(), sims) @ columns[used])

    places = list(product(range(len(entries)), range(2)))
    sums = np.stack(run_all(cell, *zip(*places, strict=True), workers=workers))
    return _Sums(*np.moveaxis(sums, 2, 0))


def _own(cells: _Cells, trades: Array) -> _Sums:
    """Return the same sums of the strategy's own trades, shape (cells, 1)."""
    cell = 2 * _hours_of(cells, trades) + (trades["side"] < 0)
    ticks = trades["gross_ticks"].astype(np.int64)
    sums = np.zeros((2 * len(cells.entries), 4), np.int64)
    for column, values in enumerate((np.ones_like(ticks), ticks, ticks**2)):
        np.add.at(sums[:, column], cell, values)
    return _Sums(*sums.T[:, :, None])


def _shares(counts: Array) -> Array:
    total = counts.sum(axis=-1, keepdims=True)
    return np.asarray(counts / np.maximum(total, 1))


def _centres(found: Outcomes, tick_usd: float, cost: float) -> Array:
    """Return the mean net USD of an entry of each cell, shape (cells, 1)."""
    closed = found.closed.sum(axis=2)
    ticks = (found.closed * found.ticks).sum(axis=2)
    entries = np.maximum(closed + found.unclosed, 1)
    return np.asarray(((ticks * tick_usd - closed * cost) / entries).reshape(-1, 1))


def _freedom(
    cells: _Cells, trades: Array, found: Outcomes, centre: Array, tick_usd: float, cost: float, drawn_from: Array
) -> float:
    """Return the variance that a strategy without an edge has, as a share of that of independent entries.

    Its result is compared with what all entries of its hours would earn on average. Where it holds one side for much of
    the time, it earns much of that average whatever it knows, and its result differs from it less than independent
    entries would. With x a trade's deviation from the centre of its cell, l the prints for which it is held, n long and
    m short entries of an hour of the day, N the prints from which entries are drawn there and r = (n - m) / N:

        1 + (sum over hours of r^2 N E[x^2 l] - 2 sum over trades of side r x^2 l) / (sum over trades of x^2)

    E is over all entries of the hour. It is 1 where longs and shorts balance, and 0 for one side held all the time.
    """
    hour, side = _hours_of(cells, trades), trades["side"].astype(np.float64)
    rate = (cells.entries[:, 0] - cells.entries[:, 1]) / np.maximum(drawn_from, 1)
    mean = centre.reshape(-1, 2)
    x = trades["gross_ticks"] * tick_usd - cost - mean[hour, (side < 0).astype(np.int64)]
    length = (trades["exit"] - trades["entry"]).astype(np.float64)
    own = (side * rate[hour] * x**2 * length).sum()
    shift = mean + cost
    weight, first, second = np.moveaxis(found.lengths, 2, 0)
    counts = np.maximum(found.closed.sum(axis=2) + found.unclosed, 1)
    drawn = (tick_usd**2 * second - 2 * tick_usd * shift * first + shift**2 * weight) / counts
    shares = cells.entries / np.maximum(cells.entries.sum(axis=1, keepdims=True), 1)
    every = (rate**2 * drawn_from * (drawn * shares).sum(axis=1)).sum()
    total = (x**2).sum()
    return float(1 + (every - 2 * own) / total) if total > 0 else 1.0


def _hours_of(cells: _Cells, trades: Array) -> Array:
    """Return the number of the hour of the day of each trade's signal."""
    return np.asarray(cells.hour[np.searchsorted(cells.starts, trades["signal"], side="right") - 1])


# Where the strategy stands ----------------------------------------------------------------------------


def _compared(own: _Sums, drawn: _Sums, centre: Array, tick_usd: float, cost: float, freedom: float) -> dict[str, Any]:
    """Return where a strategy stands among random runs."""
    usd = (drawn.ticks.sum(axis=0) * tick_usd - drawn.closed.sum(axis=0) * cost).round(6)
    check_sum(int(np.abs(usd).max() * MICRO))
    scores, score = _scores(drawn, centre, tick_usd, cost), _scores(own, centre, tick_usd, cost)[0]
    least, most = FREEDOM
    reason = "" if least <= freedom <= most else "it holds one side for nearly all of the time"
    score = np.round(score / np.sqrt(min(max(freedom, least), most)), _DECIMALS)
    below, at = int((scores < score).sum()), int((scores == score).sum())
    return {
        "mean_usd": float(usd.mean()),
        "sd_usd": float(usd.std(ddof=1)) if len(usd) > 1 else NAN,
        "percentiles_usd": {
            str(p): float(value) for p, value in zip(PERCENTILES, np.percentile(usd, PERCENTILES), strict=True)
        },
        "strategy_trade_sd_usd": _deviation(own, centre, tick_usd, cost),
        "trade_sd_usd": _deviation(drawn, centre, tick_usd, cost),
        "freedom": freedom,
        "reason": reason,
        "percentile": NAN if reason else (below + at / 2) / len(scores),
        "p_value": NAN if reason else (1 + len(scores) - below) / (1 + len(scores)),
        "histogram": _histogram(np.rint(usd * MICRO).astype(np.int64)),
    }


def _spread(sums: _Sums, centre: Array, tick_usd: float, cost: float) -> tuple[Array, Array]:
    """Return the sums of deviations from the cells' centres in USD, and of their squares, shape (runs,)."""
    usd = sums.ticks * tick_usd - sums.closed * cost
    total = usd - centre * (sums.closed + sums.unclosed)
    closed_centre = centre + cost
    squares = (
        tick_usd**2 * sums.squares
        - 2 * tick_usd * closed_centre * sums.ticks
        + closed_centre**2 * sums.closed
        + centre**2 * sums.unclosed
    )
    return total.sum(axis=0), np.maximum(squares.sum(axis=0), 0)


def _scores(sums: _Sums, centre: Array, tick_usd: float, cost: float) -> Array:
    """Return the score of each run: the sum of its deviations from the centres over the root of that of their squares.

    A self-normalised sum: without an edge it is near a standard normal deviate, whatever the size of each deviation.
    """
    total, squares = _spread(sums, centre, tick_usd, cost)
    return np.round(np.divide(total, np.sqrt(squares), out=np.zeros_like(total), where=squares > 0), _DECIMALS)


def _deviation(sums: _Sums, centre: Array, tick_usd: float, cost: float) -> float:
    """Return the root mean square of a trade's deviation from the centre of its cell, in USD."""
    _, squares = _spread(sums, centre, tick_usd, cost)
    return float(np.sqrt(squares.sum() / (sums.closed + sums.unclosed).sum()))


def _histogram(totals: Array) -> dict[str, list[Any]]:
    """Return the edges in USD of at most HISTOGRAM equal bins of whole micro-dollars, and the runs in each."""
    first = totals.min()
    width = (totals.max() - first) // HISTOGRAM + 1
    runs = np.bincount((totals - first) // width)
    return {"edges_usd": ((first + width * np.arange(len(runs) + 1)) / MICRO).tolist(), "runs": runs.tolist()}
