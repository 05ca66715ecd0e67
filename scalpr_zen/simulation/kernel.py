"""The simulator's kernel: orders in, trades out.

Numbers in comments are rules of docs/execution.md. Prices are whole ticks, times int64 ns UTC, and money, in the limits
of a session, whole micro-dollars. Every constant that a kernel reads is defined in this file, because numba's cache
does not notice a change in another one.
"""

from __future__ import annotations

from typing import NamedTuple, get_type_hints

import numpy as np

from scalpr_zen.base.arrays import Array
from scalpr_zen.base.compiled import inner, njit, without_counts
from scalpr_zen.base.instruments import Instrument
from scalpr_zen.base.money import whole_micro
from scalpr_zen.simulation.execution import Bracket, Execution
from scalpr_zen.simulation.rules import SessionRules

TARGET, STOP, BREAK_EVEN, TRAILING, CLOSE, HOLD, LOSS_LIMIT, PROFIT_LIMIT, ROLL, VOID, OPEN = range(1, 12)
REASONS = {
    TARGET: "target",
    STOP: "stop",
    BREAK_EVEN: "break_even",
    TRAILING: "trailing",
    CLOSE: "close",
    HOLD: "hold",
    LOSS_LIMIT: "loss_limit",
    PROFIT_LIMIT: "profit_limit",
    ROLL: "roll",
    VOID: "void",
    OPEN: "open",
}
"""Why a trade ended. Trades that are VOID or OPEN never closed and are in no statistic."""
STOPS = (STOP, BREAK_EVEN, TRAILING)

TRADE = np.dtype(
    [
        ("side", "i1"),
        ("reason", "i1"),
        ("segment", "<i4"),
        ("session", "<i4"),
        ("signal", "<i8"),
        ("entry", "<i8"),
        ("exit", "<i8"),
        ("entry_ts", "<i8"),
        ("exit_ts", "<i8"),
        ("entry_ticks", "<i4"),
        ("exit_ticks", "<i4"),
        ("gross_ticks", "<i4"),
        ("mae_ticks", "<i4"),
        ("mfe_ticks", "<i4"),
        ("net_usd", "<f8"),
    ]
)
"""One trade. `signal`, `entry` and `exit` are print indices; `segment` and `session` are rows of the tape's tables at
the exit; prices and excursions are in ticks, times in ns UTC."""

TRIGGER = np.dtype([("print", "<i8"), ("level_ticks", "<i4")])
"""`print`: the print that triggered the stop if a stop ended the trade, else -1. `level_ticks`: the stop price in force
at the exit if target or stop ended the trade, else 0."""

KERNEL_BLOCK = 64
"""Prints of a block (`base.blocks`)."""
_TOUCH, _THROUGH, _QUEUE = range(3)
_TRIGGER, _LEVEL, _NEXT = range(3)
TARGET_FILL_CODES = {"touch": _TOUCH, "through": _THROUGH, "queue": _QUEUE}
STOP_FILL_CODES = {"trigger": _TRIGGER, "level": _LEVEL, "next": _NEXT}
NEVER = np.iinfo(np.int64).max
FAR = 2**40
"""More ticks than any two prices are apart."""
REFUSALS = ("unfilled", "ignored", "session_over", "in_cooldown")
PROGRESS = np.dtype(
    [
        ("free", "<i8"),  # the first print whose signal may be taken
        ("segment", "<i8"),
        ("session", "<i8"),  # the session of the latest signal or exit; of this session:
        ("entered", "<i8"),  # trades entered
        ("micro_usd", "<i8"),  # net result of its closed trades
        ("over", "?"),  # no more trades
        ("resumes", "<i8"),  # ns UTC at which the cooldown ends
        *((name, "<i8") for name in REFUSALS),
    ]
)
"""State of the kernel between two orders."""


class Prints(NamedTuple):
    """The columns of a tape and its blocks."""

    ts: Array
    price: Array
    size: Array
    aggressor: Array
    low: Array
    high: Array


class Bounds(NamedTuple):
    """Ends of segments and sessions; the first print of each session that `flat_before_close` can fill at, and when."""

    segment_stop: Array
    session_stop: Array
    flat_print: Array
    flat_due: Array


class KernelParams(NamedTuple):
    """The scalars of the kernel: distances in ticks, times in ns, money in micro-dollars, modes as numbers."""

    long_target: int
    long_stop: int
    short_target: int
    short_stop: int
    trailing: bool
    trail_distance: int
    trail_from: int
    trail_step: int
    break_even_at: int
    break_even_plus: int
    at_signal: bool
    latency: int
    slippage: int
    target_fill: int
    queue: int
    stop_fill: int
    roll_close: bool
    overlap: bool
    tick_money: int  # one tick of all contracts
    cost: int  # commission of a round turn of all contracts
    hold: int
    cooldown: int
    max_trades: int
    loss_limit: int
    profit_limit: int
    limit_open: bool


PARAMS = np.dtype([(name, {int: "<i8", bool: "?"}[kind]) for name, kind in get_type_hints(KernelParams).items()])
"""The same as a record: passed by pointer, where a tuple is copied at every call inside the kernel."""


def params_of(
    instrument: Instrument, bracket: Bracket, execution: Execution, rules: SessionRules, tick_money: int
) -> KernelParams:
    """Return the kernel's parameters of a run; `tick_money` is the value of a tick of all contracts in micro-dollars.

    Raises
    ------
    ParameterError
        If a distance is not a multiple of the tick.
    """
    long, short = (bracket.distances(instrument, side) for side in (1, -1))
    moves = bracket.moves(instrument)
    hold = rules.ns("max_hold")
    return KernelParams(
        long_target=long.take_profit,
        long_stop=long.stop_loss,
        short_target=short.take_profit,
        short_stop=short.stop_loss,
        trailing=bracket.trailing_stop is not None,
        trail_distance=moves.get("trailing_stop", 0),
        trail_from=moves["trail_activation"],
        trail_step=moves.get("trailing_step", 1),
        break_even_at=moves.get("break_even_at", FAR),
        break_even_plus=moves["break_even_plus"],
        at_signal=execution.entry == "signal",
        latency=execution.latency_ns,
        slippage=execution.slippage_ticks,
        target_fill=TARGET_FILL_CODES[execution.target_fill],
        queue=execution.queue_ahead + execution.contracts,
        stop_fill=STOP_FILL_CODES[execution.stop_fill],
        roll_close=execution.roll_exit == "close",
        overlap=execution.overlap,
        tick_money=tick_money,
        cost=whole_micro(execution.cost_usd),
        hold=NEVER if hold is None else hold,
        cooldown=rules.ns("cooldown") or 0,
        max_trades=NEVER if rules.max_trades is None else rules.max_trades,
        loss_limit=NEVER if rules.loss_limit is None else whole_micro(rules.loss_limit),
        profit_limit=NEVER if rules.profit_limit is None else whole_micro(rules.profit_limit),
        limit_open=rules.limit_basis == "equity",
    )


@njit(cache=True, nogil=True, **without_counts)
def trade_kernel(prints, spans, at, sides, scalars, progress, trades, triggers):  # type: ignore[no-untyped-def]
    """Trade orders one after another and write a row for each trade.

    Reads    prints, spans; at (n,) prints of the signals in order, sides (n,)
    Writes   trades: each row but for `net_usd`; triggers of each;
             progress (1,): the state to continue from with the next orders
    Returns  rows written
    Causal   a row that is closed at print k depends on prints up to k alone
    Oracle   tests/support/naive.py, simulate
    """
    ts, price, params, now = prints.ts, prints.price, scalars[0], progress[0]
    found = 0
    for n in range(len(at)):
        i, side = at[n], np.int64(sides[n])
        if i < now["free"]:  # 10
            now["ignored"] += 1
            continue
        while spans.segment_stop[now["segment"]] <= i:
            now["segment"] += 1
        while spans.session_stop[now["session"]] <= i:
            _next_session(now)
        if now["over"] or now["entered"] >= params.max_trades:  # 25, 26
            now["session_over"] += 1
            continue
        if ts[i] < now["resumes"]:  # 24
            now["in_cooldown"] += 1
            continue
        # 3, 5: the entry fills in a later event of the same session, or at the signal's own print
        j, session, stop = i, now["session"], spans.segment_stop[now["segment"]]
        if not params.at_signal:
            last = min(stop, spans.session_stop[session])
            j = _reached(ts, params, i, i + 1, last)
            if j == last:
                now["unfilled"] += 1
                continue
        entry = price[j] + side * params.slippage  # 4
        m, reason, fill, low, high, trigger, level, limited = _exit(
            prints, spans, params, side, j, entry, stop, session, now["micro_usd"]
        )
        row = trades[found]
        row["side"] = side
        row["reason"] = reason
        row["signal"] = i
        row["entry"] = j
        row["exit"] = m
        row["entry_ts"] = ts[j]
        row["exit_ts"] = ts[m]
        row["segment"] = now["segment"]
        row["session"] = _session_of(spans, session, m)
        row["entry_ticks"] = entry
        row["exit_ticks"] = fill
        row["gross_ticks"] = side * (fill - entry)  # 13
        row["mae_ticks"] = low - entry if side > 0 else entry - high  # 14
        row["mfe_ticks"] = high - entry if side > 0 else entry - low
        triggers[found]["print"] = trigger
        triggers[found]["level_ticks"] = level
        found += 1
        if params.overlap:
            continue
        now["free"] = m + 1  # 10, 11: a void trade blocks to the end of its segment
        now["entered"] += 1
        now["over"] = now["over"] or limited == session  # 27
        while spans.session_stop[now["session"]] <= m:
            _next_session(now)
            now["over"] = limited == now["session"]
        now["resumes"] = ts[m] + params.cooldown  # 24
        if reason < VOID:  # 26
            now["micro_usd"] += side * (fill - entry) * params.tick_money - params.cost
            met = now["micro_usd"] <= -params.loss_limit or now["micro_usd"] >= params.profit_limit
            now["over"] = now["over"] or met
    return found


@inner
def _session_of(spans, session, k):  # type: ignore[no-untyped-def]
    """Return the session of print k, from one that is not later."""
    while spans.session_stop[session] <= k:
        session += 1
    return session


@inner
def _next_session(now):  # type: ignore[no-untyped-def]
    """Start the next session: no trades, no cooldown."""
    now["session"] += 1
    now["entered"] = 0
    now["micro_usd"] = 0
    now["over"] = False
    now["resumes"] = 0


@inner
def _exit(prints, spans, params, side, j, entry, stop, session, closed):  # type: ignore[no-untyped-def]
    """Find the exit of one trade.

    Levels and distances are profits in ticks: `side * (price - entry)`.

    Reads    prints, spans; `closed` micro-dollars in the session of the entry, `stop` of the segment
    Returns  print of the exit, reason, fill in ticks, lowest and highest price since the entry,
             print that triggered a stop or -1, the stop's price, session that a limit on open equity ended or -1
    Causal   an exit at print k depends on prints j..k alone
    Oracle   tests/support/naive.py, simulate
    """
    ts, price = prints.ts, prints.price
    target, initial = params.long_target, -params.long_stop
    if side < 0:
        target, initial = params.short_target, -params.short_stop
    fills_at = np.int64(target + 1 if params.target_fill == _THROUGH else target)  # 7
    queue = 2 * params.queue  # 35, in halves of a contract
    level, kind, raise_at = _stop_level(params, initial, np.int64(0))  # 6, 31, 32

    k = j + 1 if params.at_signal else _first_at(ts, ts[j] + 1, j + 1, stop)  # 6
    order, due, order_reason = _timed_order(ts, spans.flat_print[session], spans.flat_due[session], params, j, stop)

    # 14, 31: the stop takes print `seen` into account from print `arrival` on
    seen, arrival, low, high = _entry_event(ts, price, params, side, j, entry, raise_at, k, stop)

    trigger, stop_price = -1, np.int64(0)
    limited, limit_from = np.int64(-1), stop  # 27: the limits change at limit_from
    loss_at, profit_at = np.int64(-FAR), np.int64(FAR)
    if params.limit_open:
        loss_at, profit_at = _limits(params, closed)
        limit_from = min(stop, spans.session_stop[session])
    while True:
        bound = min(stop, min(order, min(arrival, limit_from)))
        up = min(fills_at, profit_at)
        if arrival == stop:
            up = min(up, raise_at)
        down = max(level, loss_at)
        lower = entry + down if side > 0 else entry - up
        upper = entry + up if side > 0 else entry - down
        k, low, high = _scan(price, prints.low, prints.high, k, bound, lower, upper, low, high)
        if k == stop:
            return _unclosed(ts, price, params, side, j, entry, stop, low, high, limited)
        if k == bound:
            if k == order:  # 28: it reached the exchange before this print
                low, high = min(low, np.int64(price[k])), max(high, np.int64(price[k]))
                return k, order_reason, price[k] - side * params.slippage, low, high, trigger, stop_price, limited
            if k == limit_from:
                session += 1
                loss_at, profit_at = _limits(params, np.int64(0))
                limit_from = min(stop, spans.session_stop[session])
            if k == arrival:  # 33
                level, kind, raise_at, seen, arrival = _moved(ts, price, params, side, entry, initial, seen, k, stop)
            continue

        profit = side * (price[k] - entry)
        if profit >= fills_at:
            if params.target_fill == _QUEUE and profit == target:  # 35
                queue -= _taken(prints, side, k)
            if params.target_fill != _QUEUE or profit > target or queue <= 0:
                return k, TARGET, entry + side * target, low, high, -1, entry + side * level, limited  # 7
        if profit <= level:  # 8
            stop_price = entry + side * level
            if params.stop_fill != _NEXT:
                fill = stop_price if params.stop_fill == _LEVEL else np.int64(price[k])
                return k, kind, fill - side * params.slippage, low, high, k, stop_price, limited
            # Now only this order can close the trade.
            trigger, order_reason, due = k, kind, np.int64(-1)
            order = _reached(ts, params, k, k + 1, stop)
            fills_at, level, raise_at, arrival = np.int64(FAR), np.int64(-FAR), np.int64(FAR), stop
        if profit >= raise_at and arrival == stop:
            seen, arrival = k, _reached(ts, params, k, k + 1, stop)
        if profit <= loss_at or profit >= profit_at:  # 27
            if ts[k] + params.latency < due:
                due, order_reason = ts[k] + params.latency, LOSS_LIMIT if profit <= loss_at else PROFIT_LIMIT
                order = _reached(ts, params, k, k + 1, stop)
            limited, loss_at, profit_at = session, np.int64(-FAR), np.int64(FAR)
        k += 1


@inner
def _entry_event(ts, price, params, side, j, entry, raise_at, k, stop):  # type: ignore[no-untyped-def]
    """Return `seen` and `arrival` after prints j + 1:k of the entry's event, which cannot exit, and their extremes."""
    seen, arrival, low, high = k, stop, np.int64(FAR), np.int64(-FAR)
    for p in range(j + 1, k):
        now = np.int64(price[p])
        low, high = min(low, now), max(high, now)
        if side * (now - entry) >= raise_at and arrival == stop:
            seen, arrival = p, _reached(ts, params, p, k, stop)
    return seen, arrival, low, high


@inner
def _taken(prints, side, k):  # type: ignore[no-untyped-def]
    """Return by how many halves of a contract a print at the target shortens the queue (35)."""
    if prints.aggressor[k] == side:
        return 2 * np.int64(prints.size[k])
    return np.int64(prints.size[k]) if prints.aggressor[k] == 0 else np.int64(0)


@inner
def _reached(ts, params, sent, k, stop):  # type: ignore[no-untyped-def]
    """Return the first print of k:stop at which an order sent at print `sent` can fill."""
    return _first_at(ts, max(ts[sent] + 1, ts[sent] + params.latency), k, stop)


@inner
def _unclosed(ts, price, params, side, j, entry, stop, low, high, met):  # type: ignore[no-untyped-def]
    """Return the end of a trade that is still open at the last print of its segment (11, 12, 36)."""
    m = stop - 1
    fill = np.int64(price[m])
    if m == j:
        low = high = np.int64(entry)
    reason = VOID
    if stop == len(ts):
        reason = OPEN
    elif params.roll_close and ts[m] > ts[j]:
        reason, fill = ROLL, fill - side * params.slippage
    return m, reason, fill, low, high, -1, np.int64(0), met


@inner
def _timed_order(ts, flat_print, flat_due, params, j, stop):  # type: ignore[no-untyped-def]
    """Return where the market order that closes a position at a set time fills, its time and its reason (23)."""
    order, due, reason = stop, np.int64(NEVER), VOID
    if flat_print < stop:
        due, reason = flat_due, CLOSE
        order = max(flat_print, _first_at(ts, ts[j] + 1, j + 1, stop))
    if params.hold != NEVER and ts[j] + params.hold + params.latency < due:
        due, reason = ts[j] + params.hold + params.latency, HOLD
        order = _first_at(ts, max(due, ts[j] + 1), j + 1, stop)
    return order, due, reason


@inner
def _scan(price, block_low, block_high, k, stop, lower, upper, low, high):  # type: ignore[no-untyped-def]
    """Find the first print of k:stop at or beyond `lower` or `upper`, skipping blocks without one.

    Returns  the print or `stop`, and `low` and `high` extended by the prints up to it
    """
    while k < stop:
        if k % KERNEL_BLOCK == 0:
            block = k // KERNEL_BLOCK
            while k + KERNEL_BLOCK <= stop and block_low[block] > lower and block_high[block] < upper:
                low, high = min(low, np.int64(block_low[block])), max(high, np.int64(block_high[block]))
                block, k = block + 1, k + KERNEL_BLOCK
        edge = min(stop, k - k % KERNEL_BLOCK + KERNEL_BLOCK)
        while k < edge:
            p = np.int64(price[k])
            low, high = min(low, p), max(high, p)
            if p <= lower or p >= upper:
                return k, low, high
            k += 1
    return k, low, high


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
def _stop_level(params, initial, best):  # type: ignore[no-untyped-def]
    """Return the stop in force after a best profit (31, 32, 34), its reason, and the profit that moves it next."""
    level, kind, raise_at = initial, STOP, np.int64(FAR)
    if best >= params.break_even_at:
        level, kind = np.int64(params.break_even_plus), BREAK_EVEN
    else:
        raise_at = min(raise_at, params.break_even_at)
    if params.trailing:
        if best >= params.trail_from:
            steps = (best - params.trail_from) // params.trail_step
            trailing = params.trail_from + steps * params.trail_step - params.trail_distance
            if trailing > level:
                level, kind = trailing, TRAILING
            raise_at = min(raise_at, params.trail_from + (steps + 1) * params.trail_step)
        else:
            raise_at = min(raise_at, params.trail_from)
    return level, kind, raise_at


@inner
def _moved(ts, price, params, side, entry, initial, seen, k, stop):  # type: ignore[no-untyped-def]
    """Return level, reason and next move of the stop at print k (33), and the new `seen` and `arrival`."""
    best = np.int64(0)
    while seen < k and ts[seen] < ts[k] and ts[seen] + params.latency <= ts[k]:
        best = max(best, side * (price[seen] - entry))
        seen += 1
    level, kind, raise_at = _stop_level(params, initial, best)
    while seen < k and side * (price[seen] - entry) < raise_at:
        seen += 1
    return level, kind, raise_at, seen, _reached(ts, params, seen, k, stop) if seen < k else stop


@inner
def _limits(params, closed):  # type: ignore[no-untyped-def]
    """Return the profits in ticks at which the open trade meets the loss limit and the profit limit (27)."""
    loss, profit = np.int64(-FAR), np.int64(FAR)
    if params.loss_limit != NEVER:
        loss = (params.cost - params.loss_limit - closed) // params.tick_money
    if params.profit_limit != NEVER:
        profit = -((closed - params.cost - params.profit_limit) // params.tick_money)
    return loss, profit
