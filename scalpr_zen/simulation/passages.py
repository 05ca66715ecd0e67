"""First passages: the prints at which the price first is a distance away from each entry.

While take profit and stop loss stay where they are, the first print at either of them ends a trade. A table of these
prints therefore answers every bracket of its distances, every fill model and all costs (`results`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scalpr_zen.base.arrays import Array
from scalpr_zen.base.blocks import extremes
from scalpr_zen.base.compiled import inner, njit, without_counts
from scalpr_zen.base.engine import run_all
from scalpr_zen.data.tape import Tape
from scalpr_zen.simulation import kernel
from scalpr_zen.simulation.execution import Bracket, Execution
from scalpr_zen.simulation.kernel import PARAMS, TARGET_FILL_CODES, Bounds, KernelParams
from scalpr_zen.simulation.rules import SessionRules
from scalpr_zen.simulation.simulate import Orders, kernel_params

Variant = tuple[Bracket, Execution]
BySide = tuple[int, int]
"""A distance in ticks for longs and one for shorts."""

# A cached kernel does not notice a change in another file.
_CLOSE, _HOLD, _VOID = 5, 6, 10
_NEVER = np.iinfo(np.int64).max
assert (kernel.CLOSE, kernel.HOLD, kernel.VOID, kernel.NEVER) == (_CLOSE, _HOLD, _VOID, _NEVER)

_PART = 50_000
"""Orders whose entries a thread finds in one go."""


class Levels(NamedTuple):
    """What a run looks up, as distances from the price of the entry's print."""

    touch: BySide
    """To the target."""
    fill: BySide
    """To where the target certainly fills: one tick beyond where it waits for a print beyond."""
    stop: BySide
    """To the stop, positive against the trade."""


class Fills(NamedTuple):
    """Prints of n fills, or the end of the segment without one, and their prices in ticks; arrays of int32.

    A run reads the prices one after the other; on the tape each would be a wait for memory.
    """

    at: Array
    price: Array


class _Found(NamedTuple):
    """Columns of Passages: price (n,), and a row for each distance, shapes (distances, n)."""

    price: Array
    ahead: Array
    against: Array
    trigger: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Passages:
    """The first passages of n orders; prints are indices of the tape.

    Attributes
    ----------
    orders : Orders
    entry : array of int32, shape (n,)
        The print at which each order fills, -1 where it does not.
    close : array of int32, shape (n,)
        The print at which `flat_before_close` or `max_hold` would close it, the end of its segment without one.
    reason : array of int8, shape (n,)
        Which of these closes it.
    price : array of int32, shape (n,)
        The price of the entry's print in ticks.
    ahead, against : dict of arrays of int32, shape (n,)
        By distance in ticks for longs and shorts: the first print that may exit at least so far ahead of `price`, or
        against it; the end of the segment without one. Those of an order that does not fill are never read.
    stops : dict of Fills
        By distance, and by whether it fills at the next print: where a stop fills that `against` triggers.
    timing : tuple
        The rules that decide `entry`, `close` and `reason`.
    """

    orders: Orders
    entry: Array
    close: Array
    reason: Array
    price: Array
    ahead: dict[BySide, Array]
    against: dict[BySide, Array]
    stops: dict[tuple[BySide, bool], Fills]
    timing: tuple[object, ...]

    def take(self, rows: Array) -> Passages:
        """Return the passages of some of the orders; `rows` are ascending indices."""

        def taken(columns: dict[BySide, Array]) -> dict[BySide, Array]:
            return {distance: column[rows] for distance, column in columns.items()}

        return Passages(
            orders=Orders(self.orders.at[rows], self.orders.side[rows], {}),
            entry=self.entry[rows],
            close=self.close[rows],
            reason=self.reason[rows],
            price=self.price[rows],
            ahead=taken(self.ahead),
            against=taken(self.against),
            stops={key: Fills(fills.at[rows], fills.price[rows]) for key, fills in self.stops.items()},
            timing=self.timing,
        )


def passages(tape: Tape, wanted: Orders, variants: Iterable[Variant], rules: SessionRules) -> Passages:
    """Return the first passages that runs of these variants look up.

    Parameters
    ----------
    tape, wanted, rules
        As in `simulate.trade`, whose errors it raises.
    variants
        Brackets and executions; all have the same `entry` and `latency_ms`.
    """
    variants = list(variants)
    params = [kernel_params(tape, bracket, execution, rules) for bracket, execution in variants]
    levels = [levels_of(one) for one, _ in params]
    ahead = list(dict.fromkeys(distance for level in levels for distance in (level.touch, level.fill)))
    against = list(dict.fromkeys(level.stop for level in levels))
    entry, first, close, reason = _entries(tape, wanted, *params[0])
    found = _first_passages(tape, wanted, entry, first, ahead, against)
    late = {level.stop for level, (_, way) in zip(levels, variants, strict=True) if way.stop_fill == "next"}
    stops = {}
    for distance, at, price in zip(against, found.against, found.trigger, strict=True):
        stops[distance, False] = Fills(at, price)
        if distance in late:
            stops[distance, True] = _next_fills(tape, wanted, at, params[0][0].latency)
    return Passages(
        orders=wanted,
        entry=entry,
        close=close,
        reason=reason,
        price=found.price,
        ahead=dict(zip(ahead, found.ahead, strict=True)),
        against=dict(zip(against, found.against, strict=True)),
        stops=stops,
        timing=timing_of(variants[0][1], rules),
    )


def timing_of(execution: Execution, rules: SessionRules) -> tuple[object, ...]:
    """Return what decides the entries of orders and the times at which positions are closed."""
    return execution.entry, execution.latency_ns, rules.flat_before_close, rules.max_hold


def levels_of(params: KernelParams) -> Levels:
    """Return the distances of a run; slippage has moved the entry's fill away from the price of its print (4)."""
    slippage = params.slippage
    touch = params.long_target + slippage, params.short_target + slippage
    beyond = int(params.target_fill != TARGET_FILL_CODES["touch"])  # 7, 35
    stop = params.long_stop - slippage, params.short_stop - slippage
    return Levels(touch, (touch[0] + beyond, touch[1] + beyond), stop)


def _entries(tape: Tape, wanted: Orders, params: KernelParams, spans: Bounds) -> tuple[Array, Array, Array, Array]:
    """Return `entry`, the first print that may exit, `close` and `reason` of each order."""
    count = len(wanted.at)
    entry, first, close = (np.empty(count, np.int32) for _ in range(3))
    reason, scalars = np.empty(count, np.int8), np.array([params], PARAMS).view(np.recarray)

    def find(start: int) -> None:
        part = slice(start, start + _PART)
        columns = (column[part] for column in (entry, first, close, reason))
        _entry_kernel(tape.ts, spans, wanted.at[part], scalars, *columns)

    run_all(find, range(0, count, _PART))
    return entry, first, close, reason


def _next_fills(tape: Tape, wanted: Orders, sent: Array, latency: int) -> Fills:
    """Return where orders fill that are sent at these prints of the orders' segments (8)."""
    found, segments = Fills(np.empty_like(sent), np.empty_like(sent)), tape.segments["stop"].copy()  # never read-only

    def find(start: int) -> None:
        part = slice(start, start + _PART)
        columns = (column[part] for column in (wanted.at, sent, *found))
        _next_kernel(tape.ts, tape.price, segments, latency, *columns)

    run_all(find, range(0, len(sent), _PART))
    return found


def _first_passages(
    tape: Tape, wanted: Orders, entry: Array, first: Array, ahead: list[BySide], against: list[BySide]
) -> _Found:
    """Return the columns of each distance."""
    count = len(entry)
    shapes = (count,), (len(ahead), count), (len(against), count), (len(against), count)
    found = _Found(*(np.zeros(shape, np.int32) for shape in shapes))  # 0: what the rows of unfilled orders keep
    distances = tuple(np.array(d, np.int64).reshape(-1, 2) for d in (ahead, against))
    bounds = np.searchsorted(wanted.at, [*tape.segments["start"].tolist(), len(tape)]).tolist()

    def walk(segment: int, start: int, stop: int) -> None:
        end = int(tape.segments["stop"][segment])
        low, high = extremes(tape.price, tape.blocks, int(tape.segments["start"][segment]), end)
        table = np.full(high - low + 3, end, np.int32)  # one price more at each end, which none passes
        _passage_kernel(tape.price, end, low - 1, wanted.side, entry, first, start, stop, *distances, table, found)

    run_all(walk, range(len(tape.segments)), bounds[:-1], bounds[1:])
    return found


@njit(cache=True, nogil=True, **without_counts)
def _entry_kernel(ts, spans, at, scalars, entry, first, close, reason):  # type: ignore[no-untyped-def]
    """Find the print at which each order fills, and those that end a position by time.

    Reads    ts (n,); spans; at (m,) prints of the signals in order
    Writes   entry, first, close, reason (m,): as in Passages; `first` may exit
    Oracle   tests/test_passages.py, by the simulator
    """
    params, segment, session = scalars[0], 0, 0
    for n in range(len(at)):
        i = at[n]
        while spans.segment_stop[segment] <= i:
            segment += 1
        while spans.session_stop[session] <= i:
            session += 1
        stop, j = spans.segment_stop[segment], i
        if not params.at_signal:  # 3, 5
            last = min(stop, spans.session_stop[session])
            j = _first_at(ts, max(ts[i] + 1, ts[i] + params.latency), i + 1, last)
            if j == last:
                entry[n], first[n], close[n], reason[n] = -1, stop, stop, _VOID
                continue
        after = _first_at(ts, ts[j] + 1, j + 1, stop)
        order, due, why = stop, np.int64(_NEVER), _VOID  # 23
        if spans.flat_print[session] < stop:
            due, order, why = spans.flat_due[session], max(spans.flat_print[session], after), _CLOSE
        if params.hold != _NEVER and ts[j] + params.hold + params.latency < due:
            due, why = ts[j] + params.hold + params.latency, _HOLD
            order = _first_at(ts, max(due, ts[j] + 1), j + 1, stop)
        entry[n], close[n], reason[n] = j, order, why
        first[n] = j + 1 if params.at_signal else after  # 6


@njit(cache=True, nogil=True, **without_counts)
def _next_kernel(ts, price, segment_stop, latency, orders, sent, at, prices):  # type: ignore[no-untyped-def]
    """Find the next print after each of some prints, and its price.

    Reads    ts, price (n,); segment_stop (s,); orders (m,) in order, and `sent` (m,): a print of the segment of each,
             or 0 for one that does not fill
    Writes   at, prices (m,)
    Oracle   tests/test_passages.py, by the simulator
    """
    segment = 0
    for n in range(len(orders)):
        while segment_stop[segment] <= orders[n]:
            segment += 1
        k, stop = np.int64(sent[n]), segment_stop[segment]
        if orders[n] < k < stop:
            k = _first_at(ts, max(ts[k] + 1, ts[k] + latency), k + 1, stop)
        at[n], prices[n] = k, price[min(k, stop - 1)]


@njit(cache=True, nogil=True, **without_counts)
def _passage_kernel(  # type: ignore[no-untyped-def]
    price, stop, low, sides, entry, first, begin, end, ups, downs, table, found
):
    """Find the first passages of the orders begin:end, those of one segment, from the last order to the first.

    Reads    price (n,); the segment's `stop` and a price below its own, `low`; sides, entry, first (m,) of all orders;
             ups (u, 2) and downs (d, 2), distances in ticks for longs and shorts
    Writes   found: price (m,), ahead (u, m), against and trigger (d, m); table (prices,): for each price from `low` on
             the next print at or beyond it, or `stop`; no print reaches the first and the last of these prices
    Oracle   tests/test_passages.py, by the simulator

    Prices above the current one are reached from below, those below it from above: one table serves both.
    """
    front = stop  # prints from here on are in the table
    for n in range(end - 1, begin - 1, -1):
        if entry[n] < 0:
            continue
        if first[n] < front:
            _add(price, low, table, first[n], front, stop)
            front = first[n]
        side, base = np.int64(sides[n]), np.int64(price[entry[n]])
        short = 0 if side > 0 else 1
        found.price[n] = base
        for u in range(len(ups)):
            found.ahead[u, n] = _passage(price, low, table, base + side * ups[u, short], side, front, stop)
        for d in range(len(downs)):
            at = _passage(price, low, table, base - side * downs[d, short], -side, front, stop)
            found.against[d, n] = at
            found.trigger[d, n] = price[min(at, stop - 1)]


@inner
def _first_at(ts, due, k, stop):  # type: ignore[no-untyped-def]
    """Return the first print of k:stop with `ts >= due`, or `stop`, searching from k in growing steps."""
    if k >= stop or ts[k] >= due:
        return k
    step = 1
    while k + step < stop and ts[k + step] < due:
        k, step = k + step, 2 * step
    low, high = k + 1, min(k + step, stop)
    while low < high:
        middle = (low + high) // 2
        if ts[middle] < due:
            low = middle + 1
        else:
            high = middle
    return low


@inner
def _add(price, low, table, first, front, stop):  # type: ignore[no-untyped-def]
    """Add prints first:front to the table, latest first: the prices that a move leaves behind are met at its end."""
    if front == stop:
        front -= 1
    q = np.int64(price[front]) - low
    for k in range(front - 1, first - 1, -1):
        p = np.int64(price[k]) - low
        table[np.uint64(q)] = k + 1  # most moves are one tick; for p == q the entry is never read
        if abs(p - q) > 1:
            for level in range(min(p, q) + 1, max(p, q)):
                table[np.uint64(level)] = k + 1  # unsigned: numba tests no index for being negative
        q = p


@inner
def _passage(price, low, table, level, side, front, stop):  # type: ignore[no-untyped-def]
    """Return the next print at or above a price (side 1), at or below it (side -1), `stop` without one."""
    if front == stop or side * (price[front] - level) >= 0:
        return np.int64(front)
    return np.int64(table[min(max(level - low, 0), len(table) - 1)])
