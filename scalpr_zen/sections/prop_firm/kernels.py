"""The path of an account from day to day: a summary of each session date, and accounts taken through them.

A session date's path from its start is a function of the trades and of the daily loss limit alone. One walk over
its prints leaves its stages: the record highs, and the lowest point after each before the next. With these every
trailing floor is decided exactly for any balance and any peak that the date may begin with.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scalpr_zen.base.arrays import Int64
from scalpr_zen.base.compiled import inner, njit
from scalpr_zen.base.engine import run_all
from scalpr_zen.data.tape import Tape

NEVER = 2**61
"""An amount that no account reaches."""
NEITHER, PASS, BUST = 0, 1, 2
WHOLE, DAILY_LOSS, FLOOR = 0, 1, 2
BALANCE, PEAK, FLOOR_AT_END, NEAREST = range(4)
SHARE_STEPS = 10_000
"""Steps of a share of the profit; here, because a cached kernel does not notice a change in another file."""
_STAGES = 1_024
NO_ROWS = np.empty((0, 4), np.int64)


class Rules(NamedTuple):
    """The scalars of the kernels: amounts in micro-dollars, slippage in ticks, the share in SHARE_STEPS, 0: any."""

    tick: int
    commission: int
    slippage: int
    trails_equity: bool
    drawdown: int
    lock: int
    daily_loss: int
    daily_bust: bool
    target: int
    min_days: int
    share: int


class Columns(NamedTuple):
    """The columns of the closed trades, shape (n,), one trade at a time in order."""

    side: Int64
    entry: Int64
    exit: Int64
    entry_ticks: Int64
    exit_ticks: Int64


class DateEnd(NamedTuple):
    """The end of one session date, amounts from its start: `touched` is the equity that ended it early."""

    total: int
    high: int
    closed: int
    filled: int
    ended: int
    print_index: int
    touched: int
    floor: int


class Days(NamedTuple):
    """The summary of each session date: its end, high and low from its start, shape (days,), and its stages."""

    total: Int64
    high: Int64
    low: Int64
    closed: Int64
    filled: Int64
    ended: Int64
    offset: Int64
    highs: Int64
    lows: Int64


# The session dates ------------------------------------------------------------------------------------


def session_days(columns: Columns, tape: Tape, rules: Rules) -> Days:
    """Return the summary of every session date of the tape."""
    unwatched = rules._replace(drawdown=NEVER, lock=NEVER)

    def walk(date: int) -> tuple[list[Int64], tuple[int, ...]]:
        size = _STAGES
        while True:
            stages = [np.empty(size, np.int64), np.empty(size, np.int64)]
            count, end = _walk_date(date, 0, 0, columns, tape, unwatched, *stages)
            if count <= size:
                return [part[:count].copy() for part in stages], end
            size *= 8

    parts = run_all(walk, range(len(tape.sessions)))
    none = np.empty(0, np.int64)
    highs, lows = ([none, *(stages[k] for stages, _ in parts)] for k in (0, 1))
    ends = np.array([end for _, end in parts], np.int64).reshape(len(parts), len(DateEnd._fields))
    total, high, closed, filled, ended = ends[:, :5].T.copy()
    return Days(
        total=total,
        high=high,
        low=np.array([part[0] for part in lows[1:]], np.int64),  # the lows of the stages increase
        closed=closed,
        filled=filled,
        ended=ended,
        offset=np.cumsum([len(part) for part in highs]),
        highs=np.concatenate(highs),
        lows=np.concatenate(lows),
    )


def date_end(date: int, begin: int, peak: int, columns: Columns, tape: Tape, rules: Rules) -> DateEnd:
    """Return how a session date ends that begins with this equity and this peak, its floor watched."""
    none = np.empty(0, np.int64)
    return _walk_date(date, begin, peak, columns, tape, rules, none, none)[1]


def _walk_date(
    date: int, begin: int, peak: int, columns: Columns, tape: Tape, rules: Rules, highs: Int64, lows: Int64
) -> tuple[int, DateEnd]:
    start, stop = int(tape.sessions["start"][date]), int(tape.sessions["stop"][date])
    first, last = int(np.searchsorted(columns.exit, start)), int(np.searchsorted(columns.entry, stop))
    count, *end = _day_kernel(tape.price, start, stop, first, last, columns, rules, begin, peak, highs, lows)
    return int(count), DateEnd(*map(int, end))


@inner
def _push(highs, lows, count, high, low):  # type: ignore[no-untyped-def]
    """Close a stage behind `count` others and return how many there are; more than there is room are not written.

    A stage whose low is not below a later one's is dropped: the later floor is no lower, so the later stage
    decides, and it is no farther from its floor.
    """
    if count > len(highs):
        return count
    while count > 0 and lows[count - 1] >= low:
        count -= 1
    if count < len(highs):
        highs[count] = high
        lows[count] = low
    return count + 1


@njit(cache=True, nogil=True)
def _day_kernel(price, start, stop, first, last, trades, rules, begin, peak, highs, lows):  # type: ignore[no-untyped-def]
    """Walk the prints start:stop of one session date through the trades first:last that are open in it.

    Reads    price (n,) ticks while a position is open; trades; rules; the equity `begin` and the peak that the
             date begins with
    Writes   highs, lows: its stages, from its start
    Returns  stages (more than there is room: none of them is valid), end and high from the start, trades closed,
             whether an order filled, what ended the date early, at which print, the equity that did, the floor
    Causal   an end at print k depends on prints start..k and on the last print before
    Oracle   tests/naive_prop_firm.py, evaluate
    """
    count = closed = filled = ended = 0
    balance = high = low = equity = touched = np.int64(0)
    k = start
    floor = min(rules.lock, peak - rules.drawdown) - begin
    for t in range(first, last):
        side, leave = trades.side[t], trades.exit[t]
        if trades.entry[t] >= start:
            k, basis = trades.entry[t], trades.entry_ticks[t]
            balance -= rules.commission
            filled = 1
        else:
            k, basis = np.int64(start), np.int64(price[start - 1])
        step = side * rules.tick
        end = min(leave, stop)
        level = max(floor, -rules.daily_loss)
        while k < end:
            equity = balance + step * (np.int64(price[k]) - basis)
            if equity > high:
                count = _push(highs, lows, count, high, low)
                high = low = equity
                if rules.trails_equity:
                    floor = min(rules.lock, max(peak, begin + high) - rules.drawdown) - begin
                    level = max(floor, -rules.daily_loss)
            elif equity < low:
                low = equity
                if equity <= level:
                    break
            k += 1
        at_market = k < end
        if not at_market and leave < stop:
            equity = balance = balance + step * (trades.exit_ticks[t] - basis) - rules.commission
            closed += 1
            filled = 1
            if equity > high:
                count = _push(highs, lows, count, high, low)
                high = low = equity
                if rules.trails_equity:
                    floor = min(rules.lock, max(peak, begin + high) - rules.drawdown) - begin
            low = min(low, equity)
        if equity <= max(floor, -rules.daily_loss):
            ended = FLOOR if equity <= floor else DAILY_LOSS
            touched = equity
            if at_market:
                equity -= rules.slippage * rules.tick + rules.commission
                closed += 1
                filled = 1
                low = min(low, equity)
            if ended == DAILY_LOSS and not rules.daily_bust and equity <= floor:
                ended = FLOOR
                touched = equity
            break
    count = _push(highs, lows, count, high, low)
    return count, equity, high, closed, filled, ended, k, touched, floor


# Accounts -------------------------------------------------------------------------------------------


def walk(order: Int64, days: Days, rules: Rules, rows: Int64) -> tuple[int, int]:
    """Take one account through session dates until it passes or is bust: outcome, dates used; `rows` as in `_walk`."""
    outcome, used = np.empty(1, np.int64), np.empty(1, np.int64)
    paths_kernel(order[None], days, rules, rows, outcome, used)
    return int(outcome[0]), int(used[0])


@inner
def _walk(order, days, rules, rows):  # type: ignore[no-untyped-def]
    """Take one account through session dates until it passes or is bust.

    Reads    order (d,): which dates, one after the other; days; rules
    Writes   rows (d, 4): balance, peak, floor at the end and least distance to the floor of each date but the
             one at which it was bust; nothing if rows is empty, which is faster
    Returns  outcome, dates used
    Causal   the outcome after d dates depends on these alone
    Oracle   tests/naive_prop_firm.py, evaluate
    """
    balance = peak = best = np.int64(0)
    traded = 0
    for n in range(len(order)):
        d = order[n]
        top = max(peak, balance + days.high[d]) if rules.trails_equity else peak
        nearest = np.int64(NEVER)
        if len(rows) or balance + days.low[d] <= min(rules.lock, top - rules.drawdown):
            for i in range(days.offset[d], days.offset[d + 1]):
                reached = max(peak, balance + days.highs[i]) if rules.trails_equity else peak
                floor = min(rules.lock, reached - rules.drawdown)
                nearest = min(nearest, balance + days.lows[i] - floor)
        if nearest <= 0 or (days.ended[d] == DAILY_LOSS and rules.daily_bust):
            return BUST, n + 1
        balance += days.total[d]
        peak = top if rules.trails_equity else max(peak, balance)
        best = max(best, days.total[d])
        traded += days.filled[d]
        if len(rows):
            rows[n, BALANCE] = balance
            rows[n, PEAK] = peak
            rows[n, FLOOR_AT_END] = min(rules.lock, peak - rules.drawdown)
            rows[n, NEAREST] = nearest
        # best / balance <= share / SHARE_STEPS, in parts: the products of whole amounts do not fit into 64 bits.
        above = best - balance // SHARE_STEPS * rules.share
        even = rules.share == 0 or above <= 0
        if not even and above <= SHARE_STEPS:
            even = above * SHARE_STEPS <= balance % SHARE_STEPS * rules.share
        if balance >= rules.target and traded >= rules.min_days and even:
            return PASS, n + 1
    return NEITHER, len(order)


@njit(cache=True, nogil=True)
def paths_kernel(order, days, rules, rows, outcome, used):  # type: ignore[no-untyped-def]
    """Take one account through each path of session dates.

    Reads    order (paths, d), days, rules
    Writes   outcome (paths,), used (paths,): dates to it; rows as `_walk` does, empty for more than one path
    Oracle   tests/naive_prop_firm.py, evaluate
    """
    for p in range(len(order)):
        outcome[p], used[p] = _walk(order[p], days, rules, rows)
