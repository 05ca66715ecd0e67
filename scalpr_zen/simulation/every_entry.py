"""The result of an entry at every print of a tape, on both sides, in one pass.

A pass over a contract's prints from the last to the first keeps, for each price, the next print at or beyond it. Two
look-ups then find the exit of a bracket with fixed distances. Moving stops, targets in a queue and limits on open
equity depend on every print of a trade: the kernel of `simulate` trades them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scalpr_zen.base.arrays import Array
from scalpr_zen.base.blocks import extremes
from scalpr_zen.base.compiled import inner, njit
from scalpr_zen.base.engine import run_all
from scalpr_zen.data.tape import Tape
from scalpr_zen.simulation.execution import Bracket, Execution
from scalpr_zen.simulation.kernel import NEVER, STOP_FILL_CODES
from scalpr_zen.simulation.results import levels_stay
from scalpr_zen.simulation.rules import SessionRules
from scalpr_zen.simulation.simulate import kernel_params

_NEXT = 2
_NEVER = np.iinfo(np.int64).max
assert STOP_FILL_CODES["next"] == _NEXT
assert NEVER == _NEVER  # a cached kernel does not notice a change in another file
_MOST_CELLS = 1 << 25
"""Most counters per contract (256 MB); no market's price range needs more."""


class Outcomes(NamedTuple):
    """Results of entries, counted by the group of their signal's print and by side (0 long, 1 short).

    An entry that is void or open is valued at the last print of its segment, as in the simulator.

    Attributes
    ----------
    ticks : array of int64, shape (k,)
        The distinct gross results, ascending.
    entries : array of int64, shape (groups, 2, k)
        Number of entries with each result.
    aggressor : array of int64, shape (groups, 3)
        Entries whose fill is a print of a seller, of an unknown aggressor, of a buyer.
    moves : array of float64, shape (2,)
        Two sums of squared price moves from print to print: times (position of some trades - mean position of all
        entries)**2, and times (position of the trades)**2.
    """

    ticks: Array
    entries: Array
    aggressor: Array
    moves: Array


class Positions(NamedTuple):
    """Trades that do not overlap: prints of entry and exit, and sides, shape (n,) each."""

    entry: Array
    exit: Array
    side: Array


class _Rule(NamedTuple):
    """The kernel's parameters: distances in ticks by side (0 long, 1 short), times in ns.

    `worst` is the lowest possible result of a stop before slippage: that at its level where it fills there.
    """

    target: tuple[int, int]
    stop: tuple[int, int]
    worst: tuple[int, int]
    beyond: int
    at_signal: bool
    latency: int
    slippage: int
    stop_fill: int
    hold: int
    roll_close: bool


def has_fixed_levels(tape: Tape, bracket: Bracket, execution: Execution, rules: SessionRules, groups: int) -> bool:
    """Return whether `outcomes` supports these rules and the price range of this tape."""
    if execution.target_fill == "queue" or not levels_stay(tape, bracket, rules):
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
    """Return the results of an order after each print, long and short, each traded on its own.

    Parameters
    ----------
    tape : Tape
        n prints.
    starts, group : arrays of int64, shape (m,)
        Stretches of prints: each begins at `starts[k]` and ends where the next one begins; the first begins at 0.
        Orders after the prints of a stretch count in its group, or not at all if that is -1.
    groups : int
        Number of groups.
    weights : array of float64, shape (groups, 2)
        Weight of each entry of a group and side in the mean position of all entries.
    held : Positions
        The trades of `Outcomes.moves`.
    bracket, execution, rules
        As in `simulate`; only rules that end a trade matter. `has_fixed_levels` must hold.

    Returns
    -------
    Outcomes
        Orders that do not fill (rule 3 of docs/execution.md) are not counted.
    """
    params, spans = kernel_params(tape, bracket, execution, rules)
    rule = _Rule(
        target=(params.long_target, params.short_target),
        stop=(params.long_stop, params.short_stop),
        worst=(-params.long_stop, -params.short_stop) if execution.stop_fill == "level" else (-_NEVER, -_NEVER),
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
        low, high = extremes(tape.price, tape.blocks, first, stop)
        passage = np.full(high - low + 3, stop, np.int64)  # one price more at each end, which none passes
        width = _width(tape, number, execution)
        found, aggressor = np.zeros((groups, 2, width), np.int64), np.zeros((groups, 3), np.int64)
        cover = np.zeros(stop - first + 1, np.float32)
        columns = (tape.ts, tape.price, tape.aggressor, sessions, spans.session_stop, spans.flat_print, spans.flat_due)
        _outcome_kernel(*columns, first, stop, low - 1, starts, group, weights, rule, passage, cover, found, aggressor)
        used = np.flatnonzero(found.any(axis=(0, 1)))
        return Outcomes(used - width // 2, found[:, :, used], aggressor, moves(tape, first, stop, cover, held))

    return merged(run_all(walk, range(len(tape.segments))), groups)


def moves(tape: Tape, first: int, stop: int, cover: Array, held: Positions) -> Array:
    """Return the `moves` of Outcomes for the prints first:stop.

    Parameters
    ----------
    cover : array of float32, shape (stop - first + 1,)
        Change of the mean position of all entries at each print.
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


def _width(tape: Tape, number: int, execution: Execution) -> int:
    """Return the number of possible results of a contract's trades: fills lie within its prices, plus slippage."""
    ends = (int(tape.segments[name][number]) for name in ("start", "stop"))
    low, high = extremes(tape.price, tape.blocks, *ends)
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
    passage,
    cover,
    found,
    aggressors,
):
    """Count the results of orders after the prints first:stop of one segment, from the last print to the first.

    Reads    ts, price, aggressor (n,); the sessions (d,); starts and group (m,), weights (groups, 2); `low`, a price
             below those of the segment
    Writes   passage (prices,): for each price from `low` on the next print at or beyond it, or `stop`; no print reaches
             the first and the last of these prices; found (groups, 2, width): entries by result, 0 in the middle;
             aggressors (groups, 3); cover (prints + 1,): change of the mean position of all entries at each print
    Oracle   tests/test_every_entry.py, by trading every print with `simulate`

    Prices above the current one are reached from below, those below it from above: one table serves both. Indices are
    unsigned, because numba tests each signed one for being negative: a fifth of the time.
    """
    session, place = len(session_stop) - 1, len(starts) - 1
    while session > 0 and session_stop[session - 1] >= stop:
        session -= 1
    wait, middle = max(1, rule.latency), found.shape[2] // 2
    long, short = (rule.target[0], rule.stop[0], rule.worst[0]), (rule.target[1], rule.stop[1], rule.worst[1])
    held = after = n = stop  # prints from n on are in the table
    while n > first:
        begin = max(first, session_start[session])
        j, i = _event_start(ts, n - 1, begin), n  # orders of prints before i have no entry yet
        while n > begin:  # one entry print j after the other; its event ends before print `after`
            before = _event_start(ts, j - 1, begin)
            if n == stop or ts[n] != ts[n - 1]:
                after = n
            if rule.at_signal:
                j, i, sent = n - 1, n, n - 1
            elif wait == 1:
                i, sent = j, before
            else:  # 3: orders of sent:i reach this event; later ones come too late for it, earlier ones fill before it
                i = _before(ts, i, begin, ts[j] - wait)
                sent = begin if j == begin else _before(ts, i, begin, ts[j - 1] - wait)
            while i > sent:
                while starts[place] >= i:
                    place -= 1
                edge = max(sent, starts[place])
                orders, g = i - edge, group[place]
                i = edge
                if g < 0:
                    continue
                order, due = stop, np.int64(_NEVER)  # 23
                if flat_print[session] < stop:
                    due, order = flat_due[session], max(flat_print[session], after)
                if rule.hold != _NEVER:
                    end = ts[j] + rule.hold + rule.latency
                    held = _from(ts, held, j, max(end, ts[j] + 1))
                    if end < due:
                        order = held
                aggressors[g, aggressor[j] + 1] += orders
                at, result = _end(ts, price, stop, low, rule, passage, j, n, order, 1, *long)
                found[np.uint64(g), np.uint64(0), np.uint64(middle + result)] += orders
                weight = np.float32(orders * weights[g, 0])
                cover[np.uint64(j - first)] += weight
                cover[np.uint64(at - first)] -= weight
                at, result = _end(ts, price, stop, low, rule, passage, j, n, order, -1, *short)
                found[np.uint64(g), np.uint64(1), np.uint64(middle + result)] += orders
                weight = np.float32(-orders * weights[g, 1])
                cover[np.uint64(j - first)] += weight
                cover[np.uint64(at - first)] -= weight
            _add(price, low, passage, j, n, stop)
            n, j = j, before
        session -= 1


@inner
def _event_start(ts, k, begin):  # type: ignore[no-untyped-def]
    """Return the first print of the event of print k, not before `begin`."""
    while k > begin and ts[k - 1] == ts[k]:
        k -= 1
    return max(k, begin)


@inner
def _from(ts, k, j, due):  # type: ignore[no-untyped-def]
    """Return the first print after j with `ts >= due`, looking backwards from print k, which is one or the stop."""
    while k - 1 > j and ts[k - 1] >= due:
        k -= 1
    return k


@inner
def _before(ts, i, begin, due):  # type: ignore[no-untyped-def]
    """Return the stop of the prints up to i, not before `begin`, with `ts <= due`."""
    while i > begin and ts[i - 1] > due:
        i -= 1
    return i


@inner
def _add(price, low, passage, j, n, stop):  # type: ignore[no-untyped-def]
    """Add prints j:n to the table, latest first: the prices that a move leaves behind are next reached at its end."""
    if n == stop:
        n -= 1
    q = np.int64(price[n])
    for k in range(n - 1, j - 1, -1):
        p = np.int64(price[k])
        passage[np.uint64(q - low)] = k + 1  # most moves are one tick; for p == q the entry is never read
        if abs(p - q) > 1:
            for level in range(min(p, q) - low + 1, max(p, q) - low):
                passage[np.uint64(level)] = k + 1
        q = p


@inner
def _end(ts, price, stop, low, rule, passage, j, front, order, side, target, loss, worst):  # type: ignore[no-untyped-def]
    """Return the print at which an entry at print j ends, and its result in ticks.

    Which of target and stop comes first is not a branch: a wrong guess of the processor, every third time, made the
    whole kernel a third slower.
    """
    entry = np.int64(price[j]) + side * rule.slippage  # 4
    won = _passage(price, low, passage, entry + side * (target + rule.beyond), side, front, stop)  # 6, 7
    lost = _passage(price, low, passage, entry - side * loss, -side, front, stop)  # 6, 8
    at = min(won, lost)
    if order <= at or rule.stop_fill == _NEXT:
        return _late_end(ts, price, stop, rule, j, entry, order, won, lost, side, target)
    hit = np.int64(won < lost)
    profit = max(side * (np.int64(price[at]) - entry), worst)
    return at, hit * target + (1 - hit) * (profit - rule.slippage)


@inner
def _late_end(ts, price, stop, rule, j, entry, order, won, lost, side, target):  # type: ignore[no-untyped-def]
    """Return the same for an entry that a market order or the end of its segment may end."""
    at = min(won, lost)
    if order < stop and order <= at:  # 28
        return order, side * (price[order] - entry) - rule.slippage
    if won < lost:
        return at, target
    while at < stop and (at == lost or ts[at] < ts[lost] + max(1, rule.latency)):
        at += 1
    if at < stop:
        return at, side * (price[at] - entry) - rule.slippage
    rolled = rule.roll_close and stop < len(ts) and ts[stop - 1] > ts[j]  # 11, 12, 36
    return stop - 1, side * (price[stop - 1] - entry) - (rule.slippage if rolled else 0)


@inner
def _passage(price, low, passage, level, side, front, stop):  # type: ignore[no-untyped-def]
    """Return the next print at or above a price (side 1), at or below it (side -1), `stop` without one."""
    if front == stop or side * (price[front] - level) >= 0:
        return front
    return passage[np.uint64(min(max(level - low, 0), len(passage) - 1))]


@njit(cache=True, nogil=True)
def _move_kernel(price, first, stop, cover, entry, exits, side, found):  # type: ignore[no-untyped-def]
    """Sum the squared price moves of `Outcomes.moves`.

    Reads    price (n,); cover (stop - first + 1,); trades one after the other: entry, exits, side (m,)
    Writes   found (2,), as `moves` of Outcomes
    Oracle   tests/test_every_entry.py, by positions print by print
    """
    number, position, apart_sum, mine_sum, k = 0, 0.0, 0.0, 0.0, first + 1
    while k < stop:
        while number < len(exits) and exits[number] < k:
            number += 1
        mine, end = 0.0, stop  # the trade that is open from print k - 1 to k, and the print from which another is
        if number < len(exits):
            mine = float(side[number]) if entry[number] < k else 0.0
            end = min(stop, exits[number] + 1 if entry[number] < k else entry[number] + 1)
        while k < end:
            position += cover[np.uint64(k - 1 - first)]
            move = float(price[k] - price[k - 1])
            apart = mine - position
            apart_sum += apart * apart * move * move
            mine_sum += mine * mine * move * move
            k += 1
    found[0], found[1] = apart_sum, mine_sum
