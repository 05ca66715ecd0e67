"""Random entries: what the same bracket, costs and hours earn when the entries are drawn at random.

A random run has the strategy's number of entries on each side in each hour of the day, at prints drawn from those of
that hour on every session date, but not from the very hour of an actual entry: a signal that follows from the prices of
that hour has chosen its side by them, and random entries before it would know that side too early.

Runs are compared in units of their own deviation, because a strategy may trade when the market moves more, or less,
than at random. Results are whole ticks and their sums are whole numbers, so that equal runs are ties.
"""

from __future__ import annotations

import threading
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from scalpr_zen.base.arrays import Array
from scalpr_zen.base.engine import run_all
from scalpr_zen.base.money import MICRO, check_sum, micro
from scalpr_zen.base.sessions import chicago_offsets
from scalpr_zen.base.units import NANOS
from scalpr_zen.data.tape import Tape
from scalpr_zen.sections.fills import alone, inside_share
from scalpr_zen.sections.measures import NAN, histogram
from scalpr_zen.sections.setup import Setup
from scalpr_zen.simulation.every_entry import Outcomes, Positions, has_fixed_levels, merged, moves, outcomes
from scalpr_zen.simulation.rules import entry_ranges
from scalpr_zen.simulation.simulate import Orders

DRAWS = 5_000_000
"""Most random entries that are traded if first passages do not give the result of every print. If the runs need more,
each of the strategy's entries gets as many as this allows, at least MIN_POOL."""
MIN_POOL = 50
PERCENTILES = (5, 25, 50, 75, 95)
HISTOGRAM = 40
"""Most bins of the histogram."""
LEAST_FREEDOM = 0.1
"""Least variance that the score of a strategy without an edge may have, as a share of that of independent entries."""
_PART = 100_000
"""Random entries in memory at a time, a thread."""
_HOUR, _HOURS = 3600 * NANOS, 24
_STREAM = 7
"""Distinguishes these random numbers from those of Monte Carlo under the same seed."""
_DECIMALS = 9
"""Of a score: runs that differ by the rounding of a sum alone are ties."""


class _Cells(NamedTuple):
    """The strategy's entries by hour of the day and side, and the prints from which random ones are drawn.

    `starts` and `hour` are stretches of prints as `every_entry.outcomes` takes them, with the hours numbered from 0;
    `stop` ends the prints of each stretch that can fill. `entries` (hours, 2) are the strategy's.
    """

    starts: Array
    stop: Array
    hour: Array
    entries: Array


class _Sums(NamedTuple):
    """Entries, the sum of their gross ticks and of the squares of these, shape (cells, runs) each."""

    entries: Array
    ticks: Array
    squares: Array


def random_entries(tape: Tape, trades: Array, setup: Setup, unclosed: Array | None = None) -> dict[str, Any]:
    """Return where a strategy stands among runs of random entries.

    Parameters
    ----------
    tape : Tape
    trades : array of TRADE, shape (n,)
        Closed trades of the strategy.
    setup : Setup
        Its bracket, execution, hours, number of runs and seed.
    unclosed : array of TRADE, optional
        Its void and open trades, marked at the last print of their segment. They count as entries here, like random
        entries that end this way: without them, a strategy that never closes its losers would look better.

    Returns
    -------
    dict
        As SECTION.fields describes it. Empty without trades or runs; under limit_basis="equity", because
        those trades may be closed by the money of their session, which single entries do not have; and under overlap,
        because trades that share prints are fewer independent observations than their number suggests.
    """
    sims = setup.settings.random_entry_sims
    if not sims or not len(trades) or setup.rules.limit_basis == "equity" or setup.execution.overlap:
        return {}
    made = trades if unclosed is None else np.concatenate([trades, unclosed])
    made = made[np.argsort(made["entry"], kind="stable")]
    cells = _cells(tape, made, setup)
    held = Positions(*(np.ascontiguousarray(made[name], np.int64) for name in ("entry", "exit", "side")))
    exact = has_fixed_levels(tape, setup.bracket, setup.execution, setup.rules, len(cells.entries))
    pool = None if exact else min(sims, max(DRAWS // len(made), MIN_POOL))
    found = _every_entry(tape, cells, held, setup) if pool is None else _pool(tape, cells, held, pool, setup)
    drawn = _drawn(found, cells.entries, sims, setup.settings.seed)
    tick_usd, cost = setup.execution.tick_value(tape.instrument) * setup.execution.contracts, setup.execution.cost_usd
    freedom = float(found.moves[0] / found.moves[1]) if found.moves[1] else 1.0
    met = (cells.entries[:, :, None] * _shares(found.aggressor)[:, None, :]).sum(axis=0)  # (2, 3)
    known = met[0, 0] + met[0, 2] + met[1, 0] + met[1, 2]
    return {
        "sims": sims,
        "method": "sampled" if pool else "exact",
        "pool": pool,
        "strategy_usd": float(trades["net_usd"].sum()),
        **_compared(_own(cells, made), drawn, _centres(found, tick_usd, cost), tick_usd, cost, freedom),
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
    """Return the print from which no order fills any more in the session and segment of each print (rule 3)."""
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


def _every_entry(tape: Tape, cells: _Cells, held: Positions, setup: Setup) -> Outcomes:
    weights = cells.entries / np.maximum(_drawn_from(cells), 1)[:, None]
    groups = setup.bracket, setup.execution, setup.rules
    return outcomes(tape, cells.starts, cells.hour, len(cells.entries), weights, held, *groups)


def _pool(tape: Tape, cells: _Cells, held: Positions, pool: int, setup: Setup) -> Outcomes:
    """Return the outcomes of `pool` random entries for each of the strategy's, traded by the kernel."""
    parts = [
        (hour, short, first, min(_PART, pool * entries - first))
        for (hour, short), entries in np.ndenumerate(cells.entries)
        for first in range(0, pool * int(entries), _PART)
    ]
    cover, lock = np.zeros(len(tape) + 1, np.float32), threading.Lock()

    def traded(hour: int, short: int, first: int, count: int) -> Outcomes:
        key = _STREAM << 32 | 1 << 24 | (2 * hour + short) << 16 | first // _PART
        random = np.random.Generator(np.random.Philox(key=[setup.settings.seed, key]))
        mine = (cells.hour == hour) & (cells.starts < cells.stop)
        start, stop = cells.starts[mine], cells.stop[mine]
        before = np.cumsum(stop - start)
        place = np.sort(random.integers(0, before[-1], count))  # in order: neighbours find their prints in the cache
        at = place + (stop - before)[np.searchsorted(before, place, side="right")]
        orders = Orders(at, np.full(count, 1 - 2 * short, np.int8), {})
        made = alone(tape, orders, setup.execution, setup)
        with lock:
            for name, sign in (("entry", 1), ("exit", -1)):
                np.add.at(cover, made[name], np.float32(sign * (1 - 2 * short)))
        return _counted(tape, made, hour, short, len(cells.entries))

    found = merged(run_all(traded, *zip(*parts, strict=True)), len(cells.entries))
    cover /= pool  # whole numbers until here: the order of the threads does not matter
    bounds = zip(tape.segments["start"].tolist(), tape.segments["stop"].tolist(), strict=True)
    found.moves[:] = sum((moves(tape, a, b, cover[a : b + 1], held) for a, b in bounds), np.zeros(2))
    return found


def _counted(tape: Tape, made: Array, hour: int, short: int, hours: int) -> Outcomes:
    """Return the outcomes of some entries of one cell."""
    ticks, counts = np.unique(made["gross_ticks"].astype(np.int64), return_counts=True)
    found = Outcomes(ticks, np.zeros((hours, 2, len(ticks)), np.int64), np.zeros((hours, 3), np.int64), np.zeros(2))
    found.entries[hour, short] = counts
    found.aggressor[hour] = np.bincount(tape.aggressor[made["entry"]] + 1, minlength=3)
    return found


def _drawn(found: Outcomes, entries: Array, sims: int, seed: int) -> _Sums:
    """Return what `sims` runs of random entries earn in each cell: draws with replacement from its outcomes."""
    columns = np.column_stack((np.ones_like(found.ticks), found.ticks, found.ticks**2))

    def cell(hour: int, short: int) -> Array:
        n, counts = int(entries[hour, short]), found.entries[hour, short]
        if not n:
            return np.zeros((sims, 3), np.int64)
        random = np.random.Generator(np.random.Philox(key=[seed, (_STREAM << 32) + 2 * hour + short]))
        used = np.flatnonzero(counts)
        if n < len(used):  # fewer draws than outcomes
            place = np.searchsorted(np.cumsum(counts), random.integers(0, counts.sum(), (sims, n)), side="right")
            return np.asarray(columns[place].sum(axis=1))
        return np.asarray(random.multinomial(n, counts[used] / counts.sum(), sims) @ columns[used])

    places = list(product(range(len(entries)), range(2)))
    sums = np.stack(run_all(cell, *zip(*places, strict=True)))
    return _Sums(*np.moveaxis(sums, 2, 0))


def _own(cells: _Cells, made: Array) -> _Sums:
    """Return the same sums of the strategy's own trades, shape (cells, 1)."""
    hour = cells.hour[np.searchsorted(cells.starts, made["signal"], side="right") - 1]
    cell, ticks = 2 * hour + (made["side"] < 0), made["gross_ticks"].astype(np.int64)
    sums = np.zeros((2 * len(cells.entries), 3), np.int64)
    for column, values in enumerate((np.ones_like(ticks), ticks, ticks**2)):
        np.add.at(sums[:, column], cell, values)
    return _Sums(*sums.T[:, :, None])


def _shares(counts: Array) -> Array:
    total = counts.sum(axis=-1, keepdims=True)
    return np.asarray(counts / np.maximum(total, 1))


def _centres(found: Outcomes, tick_usd: float, cost: float) -> Array:
    """Return the mean net USD of an entry of each cell, shape (cells, 1)."""
    ticks, entries = (found.entries * found.ticks).sum(axis=2), found.entries.sum(axis=2)
    return np.asarray((ticks / np.maximum(entries, 1) * tick_usd - cost).reshape(-1, 1))


# Where the strategy stands ----------------------------------------------------------------------------


def _compared(own: _Sums, drawn: _Sums, centre: Array, tick_usd: float, cost: float, freedom: float) -> dict[str, Any]:
    """Return where a strategy stands among random runs."""
    usd = (drawn.ticks.sum(axis=0) * tick_usd - drawn.entries.sum(axis=0) * cost).round(6)
    check_sum(int(np.abs(usd).max() * MICRO))
    scores, score = _scores(drawn, centre, tick_usd, cost), _scores(own, centre, tick_usd, cost)[0]
    reason = "" if freedom >= LEAST_FREEDOM else "it holds one side for nearly all of the time"
    # Equal results are ties; all others are compared at the strategy's own variance.
    ties = scores == score
    below, at = int((~ties & (scores < score / np.sqrt(max(freedom, LEAST_FREEDOM)))).sum()), int(ties.sum())
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
        "histogram": histogram(micro(usd), HISTOGRAM, "runs"),
    }


def _spread(sums: _Sums, centre: Array, tick_usd: float, cost: float) -> tuple[Array, Array]:
    """Return the sums of deviations from the cells' centres in USD, and of their squares, shape (runs,)."""
    shift = centre + cost
    total = sums.ticks * tick_usd - shift * sums.entries
    squares = tick_usd**2 * sums.squares - 2 * tick_usd * shift * sums.ticks + shift**2 * sums.entries
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
    return float(np.sqrt(squares.sum() / sums.entries.sum()))
