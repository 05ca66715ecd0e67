"""The results of many runs over the same orders, read from first passages or traded by the kernel.

Stops that move and limits on open P&L depend on every print of a trade: the kernel trades those. Every other run is a
walk over its orders and their first passages, without a look at the prints in between.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scalpr_zen.base.arrays import Array
from scalpr_zen.base.compiled import inner, njit, without_counts
from scalpr_zen.base.engine import run_all
from scalpr_zen.data.tape import Tape
from scalpr_zen.simulation import kernel
from scalpr_zen.simulation.execution import Bracket, Execution
from scalpr_zen.simulation.kernel import PARAMS
from scalpr_zen.simulation.passages import Passages, Variant, levels_of, timing_of
from scalpr_zen.simulation.rules import SessionRules
from scalpr_zen.simulation.simulate import RESULT, Orders, check_limits, kernel_params, prints_of, simulated

# A cached kernel does not notice a change in another file.
_TARGET, _STOP, _ROLL, _VOID, _OPEN = 1, 2, 9, 10, 11
_QUEUE, _LEVEL, _NEXT = 2, 1, 2
assert (kernel.TARGET, kernel.STOP, kernel.ROLL, kernel.VOID, kernel.OPEN) == (_TARGET, _STOP, _ROLL, _VOID, _OPEN)
assert kernel.TARGET_FILL_CODES["queue"] == _QUEUE
assert (kernel.STOP_FILL_CODES["level"], kernel.STOP_FILL_CODES["next"]) == (_LEVEL, _NEXT)

_READ = (
    *("long_target", "long_stop", "short_target", "short_stop"),
    *("hold", "cooldown", "max_trades", "loss_limit", "profit_limit"),
)
"""Parameters of bracket and rules that a run read from first passages knows."""
_MOST_PRINTS = np.iinfo(np.int32).max
_PRINTS = 200
"""Prints of the tape per order of all runs from which the kernel is as fast as a table of all of them."""
MANY = 500_000
"""Orders of all runs below which the kernel takes less time than a table's own kernels take to compile."""


def levels_stay(tape: Tape, bracket: Bracket, rules: SessionRules) -> bool:
    """Return whether first passages decide the trades of a bracket: whether all other parameters are off."""
    off = Bracket(take_profit="1t", stop_loss="1t"), Execution(), SessionRules()
    own, none = (kernel_params(tape, *groups)[0] for groups in ((bracket, Execution(), rules), off))
    return own._replace(**{name: getattr(none, name) for name in _READ}) == none and len(tape) <= _MOST_PRINTS


def results(
    tape: Tape, wanted: Orders, variants: Sequence[Variant], rules: SessionRules, table: Passages | None = None
) -> list[Array]:
    """Return the results of each variant of a run, read from a table if there is one, else traded by the kernel.

    Parameters
    ----------
    tape, wanted, rules
        As in `simulate.trade`, whose errors it raises.
    variants
        Bracket and execution of each run.
    table : Passages, optional
        Of these orders, with the distances of these variants.

    Returns
    -------
    list of arrays of RESULT
        The trades of each variant in the order of their signals, void and open ones included; the same either way.
    """
    if table is None:
        return simulated(tape, wanted, variants, rules)
    assert all(timing_of(execution, rules) == table.timing for _, execution in variants)
    brackets, executions = zip(*variants, strict=True)
    return run_all(lambda bracket, execution: _read(tape, table, bracket, execution, rules), brackets, executions)


def worth_a_table(tape: Tape, wanted: Orders, variants: Sequence[Variant], rules: SessionRules) -> bool:
    """Return whether a table can serve these variants, and is faster than to trade them."""
    traded = len(wanted.at) * len(variants)
    stay = all(levels_stay(tape, bracket, rules) for bracket, _ in variants)
    return stay and traded >= MANY and len(tape) <= _PRINTS * traded


def _read(tape: Tape, table: Passages, bracket: Bracket, execution: Execution, rules: SessionRules) -> Array:
    params, spans = kernel_params(tape, bracket, execution, rules)
    levels, rows = levels_of(params), np.empty(len(table.orders.at), RESULT)
    stops = table.stops[levels.stop, params.stop_fill == _NEXT]
    columns = table.ahead[levels.touch], table.ahead[levels.fill], table.against[levels.stop], *stops
    scalars = np.array([params], PARAMS).view(np.recarray)
    entries = table.entry, table.price, table.close, table.reason
    found = _read_kernel(prints_of(tape), spans, *table.orders[:2], *entries, *columns, scalars, rows)
    check_limits(rows[:found], tape, execution, rules)
    return rows[:found]


@njit(cache=True, nogil=True, **without_counts)
def _read_kernel(  # type: ignore[no-untyped-def]
    prints, spans, at, sides, entry, entry_price, close, why, touch, fill, down, out, out_price, scalars, rows
):
    """Trade orders one after another by their first passages.

    Reads    prints, spans; at, sides (n,); entry, entry_price, close, why and the first passages of a bracket (n,)
    Writes   rows: of RESULT
    Returns  rows written
    Oracle   tests/test_passages.py, by the simulator
    """
    ts, price, params = prints.ts, prints.price, scalars[0]
    segment, session, free, entered, found = 0, 0, np.int64(0), 0, 0
    micro_usd, resumes, over = np.int64(0), np.int64(0), False
    for n in range(len(at)):
        i = at[n]
        if i < free:  # 10
            continue
        while spans.segment_stop[segment] <= i:
            segment += 1
        while spans.session_stop[session] <= i:
            session, entered, micro_usd, resumes, over = session + 1, 0, np.int64(0), np.int64(0), False
        if over or entered >= params.max_trades or entry[n] < 0:  # 25, 26; 3
            continue
        if params.cooldown and ts[i] < resumes:  # 24
            continue
        side, j, stop = np.int64(sides[n]), np.int64(entry[n]), spans.segment_stop[segment]
        target, loss = params.long_target, params.long_stop
        if side < 0:
            target, loss = params.short_target, params.short_stop
        base = np.int64(entry_price[n]) + side * params.slippage  # 4
        hit = np.int64(fill[n])
        if params.target_fill == _QUEUE and touch[n] < min(hit, min(close[n], down[n])):
            hit = _queued(prints, params, side, base + side * target, touch[n], min(hit, min(close[n], down[n])), hit)
        m, reason, gross = np.int64(hit), np.int64(_TARGET), target  # 7
        if close[n] < stop and close[n] <= min(hit, down[n]):  # 23, 28
            m, reason = np.int64(close[n]), np.int64(why[n])
            gross = side * (price[m] - base) - params.slippage
        elif down[n] < hit and out[n] < stop:  # 8
            m, reason = np.int64(out[n]), np.int64(_STOP)
            gross = (-loss if params.stop_fill == _LEVEL else side * (out_price[n] - base)) - params.slippage
        elif min(hit, down[n]) == stop or down[n] < hit:
            m, reason, gross = _unclosed(ts, price, params, side, j, base, stop)
        row = rows[found]
        row["signal"] = i
        row["entry"] = j
        row["exit"] = m
        row["gross_ticks"] = gross
        row["stop_ticks"] = -loss if reason <= _STOP else 0
        row["reason"] = reason
        at_exit = session
        while spans.session_stop[at_exit] <= m:
            at_exit += 1
        row["session"] = at_exit
        found += 1
        if params.overlap:
            continue
        free, entered = m + 1, entered + 1  # 10, 11
        if at_exit > session:
            session, entered, micro_usd, over = at_exit, 0, np.int64(0), False
        if params.cooldown:  # 24
            resumes = ts[m] + params.cooldown
        if reason < _VOID:  # 26
            micro_usd += gross * params.tick_money - params.cost
            over = over or micro_usd <= -params.loss_limit or micro_usd >= params.profit_limit
    return found


@inner
def _unclosed(ts, price, params, side, j, base, stop):  # type: ignore[no-untyped-def]
    """Return print, reason and gross ticks of a trade that is still open at the last print of its segment."""
    m = np.int64(stop - 1)  # 11, 12, 36
    gross = side * (price[m] - base)
    if stop == len(ts):
        return m, np.int64(_OPEN), gross
    if params.roll_close and ts[m] > ts[j]:
        return m, np.int64(_ROLL), gross - params.slippage
    return m, np.int64(_VOID), gross


@inner
def _queued(prints, params, side, level, touch, until, beyond):  # type: ignore[no-untyped-def]
    """Return the print before `until` at which a queue at `level` has been consumed (35), `beyond` without one."""
    queue = 2 * params.queue  # in halves of a contract
    for k in range(touch, until):
        if prints.price[k] == level:
            if prints.aggressor[k] == side:
                queue -= 2 * np.int64(prints.size[k])
            elif prints.aggressor[k] == 0:
                queue -= np.int64(prints.size[k])
            if queue <= 0:
                return np.int64(k)
    return np.int64(beyond)
