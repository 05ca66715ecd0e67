"""What an entry at every print would earn: the outcomes of one bracket, exactly, in one pass.

A price passes a level for the first time at one print. Walking a contract's prints backwards, a table keeps for each
price the next print at or above it and the next one at or below it, so that two look-ups find the exit of a bracket
with fixed distances. Stops that move, targets in a queue and limits on open equity need more than that: their trades
are walked by the kernel of `simulate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.blocks import BLOCK
from scalpr_zen.base.compiled import inner, njit
from scalpr_zen.base.engine import run_all
from scalpr_zen.data.tape import Tape
from scalpr_zen.simulation.execution import Bracket, Execution
from scalpr_zen.simulation.kernel import NEVER, STOP_FILL_CODES
from scalpr_zen.simulation.rules import SessionRules
from scalpr_zen.simulation.simulate import kernel_params

Array = NDArray[Any]

_TRIGGER, _LEVEL, _NEXT = range(3)
_NEVER = np.iinfo(np.int64).max
assert STOP_FILL_CODES == {"trigger": _TRIGGER, "level": _LEVEL, "next": _NEXT}
assert NEVER == _NEVER  # a cached kernel does not notice a change in another file
_MOST_CELLS = 1 << 25
"""Counters of a contract at most, 256 MB: a range of prices that needs more is no market's."""


class Outcomes(NamedTuple):
    """What entries would earn, counted by the group of their signal's print and by side (0 long, 1 short).

    An entry that is void or open at the end is marked at the last print of its segment, as the simulator marks it.

    Attributes
    ----------
    ticks : array of int64, shape (k,)
        The different gross results, in increasing order.
    entries : array of int64, shape (groups, 2, k)
        Entries that end with each result.
    aggressor : array of int64, shape (groups, 3)
        Entries whose fill is a print of a seller, of an unknown aggressor, of a buyer.
    moves : array of float64, shape (2,)
        Squared moves of the price from print to print, summed: times the square of the position of some trades less
        that of all entries together, and times the square of the position of the trades alone.
    """

    ticks: Array
    entries: Array
    aggressor: Array
    moves: Array


class Positions(NamedTuple):
    """Trades one after the other, each held from its entry's print to its exit's: prints and sides, shape (n,) each."""

    entry: Array
    exit: Array
    side: Array


class _Rule(NamedTuple):
    """The scalars of the kernel; distances in ticks by side (0 long, 1 short), times in ns."""

    target: tuple[int, int]
    stop: tuple[int, int]
    beyond: int
    at_signal: bool
    latency: int
    slippage: int
    stop_fill: int
    hold: int
    roll_close: bool


def has_fixed_levels(tape: Tape, bracket: Bracket, execution: Execution, rules: SessionRules, groups: int) -> bool:
    """Return whether `outcomes` covers these rules and this tape's range of prices."""
    moves = bracket.trailing_stop is not None or bracket.break_even_at is not None
    if moves or execution.target_fill == "queue" or rules.limit_basis == "equity":
        return False
    return max((2 * groups * _width(tape, k, execution) for k in range(len(tape.segments))), default=0) <= _MOST_CELLS


def outcomes(
    tape: Tape,
    starts: Array,
    group: Array,
    groups: int,
    weights: Array,
    held: Positions,
    bracket: Bracket,
    execution: Execution,
    rules: SessionRules,
) -> Outcomes:
    """Return what an order after each print would earn, long and short, traded on its own.

    Parameters
    ----------
    tape : Tape
        n prints.
    starts, group : arrays of int64, shape (m,)
        Stretches of prints: each begins at `starts[k]` and ends where the next one begins; the first begins at 0.
        Orders after the prints of a stretch are counted in its group; in none where it is -1.
    groups : int
        Number of groups.
    weights : array of float64, shape (groups, 2)
        Contracts of each entry of a group and side in the position of all entries together.
    held : Positions
        Trades with whose position that one is compared.
    bracket, execution, rules
        As in `simulate`; of the rules only those that end a trade. `has_fixed_levels` must hold.

    Returns
    -------
    Outcomes
        An order that does not fill (rule 3 of docs/execution.md) is not counted.
    """
    params, spans = kernel_params(tape, bracket, execution, rules)
    rule = _Rule(
        target=(params.long_target, params.short_target),
        stop=(params.long_stop, params.short_stop),
        beyond=int(execution.target_fill == "through"),
        at_signal=params.at_signal,
        latency=params.latency,
        slippage=params.slippage,
        stop_fill=params.stop_fill,
        hold=params.hold,
        roll_close=params.roll_close,
    )
    sessions = tape.sessions["start"].copy()  # never read-only, which would be another type to compile

    def walk(number: int) -> Outcomes:
        first, stop = (int(tape.segments[name][number]) for name in ("start", "stop"))
        low, high = _extremes(tape, first, stop)
        tables = np.full((2, high - low + 1), stop, np.int64)
        width = _width(tape, number, execution)
        found, aggressor = np.zeros((groups, 2, width), np.int64), np.zeros((groups, 3), np.int64)
        cover = np.zeros(stop - first + 1, np.float32)
        columns = (tape.ts, tape.price, tape.aggressor, sessions, spans.session_stop, spans.flat_print, spans.flat_due)
        _outcome_kernel(*columns, first, stop, low, starts, group, weights, rule, tables, cover, found, aggressor)
        used = np.flatnonzero(found.any(axis=(0, 1)))
        return Outcomes(used - width // 2, found[:, :, used], aggressor, moves(tape, first, stop, cover, held))

    return merged(run_all(walk, range(len(tape.segments))), groups)


def moves(tape: Tape, first: int, stop: int, cover: Array, held: Positions) -> Array:
    """Return the `moves` of Outcomes for the prints first:stop.

    Parameters
    ----------
    cover : array of float32, shape (stop - first + 1,)
        By how much the position of all entries changes at each print.
    """
    found = np.zeros(2)
    _move_kernel(tape.price, first, stop, cover, *held, found)
    return found


def merged(parts: Sequence[Outcomes], groups: int) -> Outcomes:
    """Return the outcomes of several parts of a tape as one."""
    ticks = np.unique(np.concatenate([np.empty(0, np.int64), *(part.ticks for part in parts)]))
    whole = Outcomes(ticks, np.zeros((groups, 2, len(ticks)), np.int64), np.zeros((groups, 3), np.int64), np.zeros(2))
    for part in parts:
        whole.entries[:, :, np.searchsorted(ticks, part.ticks)] += part.entries
        for total, counts in zip(whole[2:], part[2:], strict=True):
            total += counts
    return whole


def _extremes(tape: Tape, first: int, stop: int) -> tuple[int, int]:
    """Return prices that all prints of a stretch lie between, those of the blocks that it touches."""
    blocks = slice(first // BLOCK, (stop - 1) // BLOCK + 1)
    return int(tape.blocks.low[blocks].min()), int(tape.blocks.high[blocks].max())


def _width(tape: Tape, number: int, execution: Execution) -> int:
    """Return how many results the trades of a contract may have: no fill lies outside its prices but for slippage."""
    low, high = _extremes(tape, int(tape.segments["start"][number]), int(tape.segments["stop"][number]))
    return 2 * (high - low + 2 * execution.slippage_ticks) + 1


@njit(cache=True, nogil=True)
def _outcome_kernel(  # type: ignore[no-untyped-def]
    ts,
    price,
    aggressor,
    session_start,
    session_stop,
    flat_print,
    flat_due,
    first,
    stop,
    low,
    starts,
    group,
    weights,
    rule,
    tables,
    cover,
    found,
    aggressors,
):
    """Count what orders after the prints first:stop of one segment earn, from the last print to the first.

    Reads    ts, price, aggressor (n,); the sessions (d,); starts and group (m,), weights (groups, 2); `low`, the
             segment's lowest price
    Writes   tables (2, prices): the next print at or above, and at or below, each price from `low` on; found (groups,
             2, width) entries by result, the middle one 0; aggressors (groups, 3); cover (prints + 1,): by how much the
             position of all entries changes at each print
    Oracle   tests/test_passages.py, by trading every print with `simulate`

    Of the tables only the part on the far side of the latest price is kept: a price at or below the front's has the
    front for its next print at or above it, and a higher one keeps what it has.
    """
    session, place = len(session_stop) - 1, len(starts) - 1
    while session > 0 and session_stop[session - 1] >= stop:
        session -= 1
    wait = max(1, rule.latency)
    front = held = after = n = stop  # prints from `front` on are in the tables
    while n > first:
        begin = max(first, session_start[session])
        i = n - 1  # the last print whose order has no entry yet
        while n > begin:  # one entry print j after the other; its event ends before print `after`
            j = n - 1
            if n == stop or ts[n] != ts[j]:
                after = n
            while not rule.at_signal and j > begin and ts[j - 1] == ts[n - 1]:
                j -= 1
            while not rule.at_signal and i >= begin and ts[i] + wait > ts[j]:  # 3: too late for this print
                i -= 1
            while i >= begin and (i == j if rule.at_signal else j == begin or ts[i] + wait > ts[j - 1]):
                while starts[place] > i:
                    place -= 1
                edge, orders = max(begin, starts[place]), 0
                while i >= edge and (i == j if rule.at_signal else j == begin or ts[i] + wait > ts[j - 1]):
                    orders += 1
                    i -= 1
                if group[place] >= 0:
                    held = _count(
                        ts, price, aggressor, flat_print[session], flat_due[session], first, stop, low, weights, rule,
                        tables, cover, found, aggressors, j, after, front, held, group[place], orders,
                    )  # fmt: skip
            for k in range(n - 1, j - 1, -1):
                _add(price, low, tables, k, front, stop)
                front = k
            n = j
        session -= 1


@inner
def _add(price, low, tables, k, front, stop):  # type: ignore[no-untyped-def]
    """Let print k come before the front: prices that it leaves behind keep the front for their next print."""
    if front == stop:
        return
    p, q = price[k], price[front]
    for level in range(p + 1, q + 1):
        tables[0, level - low] = front
    for level in range(q, p):
        tables[1, level - low] = front


@inner
def _next(price, low, tables, row, level, front, stop):  # type: ignore[no-untyped-def]
    """Return the next print at or above (row 0), at or below (row 1) a price, `stop` without one."""
    if front == stop:
        return stop
    if (price[front] >= level) if row == 0 else (price[front] <= level):
        return front
    at = level - low
    return tables[row, at] if 0 <= at < tables.shape[1] else stop


@inner
def _count(  # type: ignore[no-untyped-def]
    ts, price, aggressor, flat_print, flat_due, first, stop, low, weights, rule, tables, cover, found, aggressors,
    j, after, front, held, group, orders,
):  # fmt: skip
    """Count the results of `orders` entries at print j, whose event ends before print `after`, long and short.

    Returns  the print at which the longest hold of j ends, from which the search for an earlier one goes on
    """
    aggressors[group, aggressor[j] + 1] += orders
    middle = found.shape[2] // 2
    order, due = stop, np.int64(_NEVER)  # 23
    if flat_print < stop:
        due, order = flat_due, max(flat_print, after)
    if rule.hold != _NEVER:
        end = ts[j] + rule.hold + rule.latency
        while held - 1 > j and ts[held - 1] >= max(end, ts[j] + 1):
            held -= 1
        if end < due:
            order = held
    for short in range(2):
        side = 1 - 2 * short
        entry = np.int64(price[j]) + side * rule.slippage  # 4
        target, level = entry + side * rule.target[short], entry - side * rule.stop[short]  # 6
        won = _next(price, low, tables, short, target + side * rule.beyond, front, stop)  # 7
        lost = _next(price, low, tables, 1 - short, level, front, stop)  # 8
        at, fill = min(won, lost), np.int64(0)
        if order < stop and order <= at:  # 28
            at, fill = order, price[order] - side * rule.slippage
        elif won < lost:
            fill = target
        elif lost < stop and rule.stop_fill == _NEXT:
            at = lost + 1
            while at < stop and ts[at] < ts[lost] + max(1, rule.latency):
                at += 1
            if at < stop:
                fill = price[at] - side * rule.slippage
        elif lost < stop:
            fill = (level if rule.stop_fill == _LEVEL else np.int64(price[lost])) - side * rule.slippage
        if at == stop:  # 11, 12, 36
            rolled = rule.roll_close and stop < len(ts) and ts[stop - 1] > ts[j]
            at, fill = stop - 1, price[stop - 1] - (side * rule.slippage if rolled else 0)
        found[group, short, middle + side * (fill - entry)] += orders
        weight = np.float32(orders * side * weights[group, short])
        cover[j - first] += weight
        cover[at - first] -= weight
    return held


@njit(cache=True, nogil=True)
def _move_kernel(price, first, stop, cover, entry, exits, side, found):  # type: ignore[no-untyped-def]
    """Sum the squared moves that trades make and all entries together do not.

    Reads    price (n,); cover (stop - first + 1,); trades one after the other: entry, exits, side (m,)
    Writes   found (2,), as `moves` of Outcomes
    Oracle   tests/test_passages.py, by positions print by print
    """
    number, position = 0, 0.0
    for k in range(first + 1, stop):
        position += cover[k - 1 - first]
        while number < len(exits) and exits[number] < k:
            number += 1
        mine = 0.0
        if number < len(exits) and entry[number] < k:
            mine = float(side[number])
        move = float(price[k] - price[k - 1])
        apart = mine - position
        found[0] += apart * apart * move * move
        found[1] += mine * mine * move * move
