"""Tape and signals to trades, by the rules of docs/execution.md, whose numbers stand in comments.

Prices are whole ticks and times int64 ns UTC; the only float is the money in `net_usd`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.arrays import Array
from scalpr_zen.base.blocks import BLOCK
from scalpr_zen.base.engine import run_all, stop_if_interrupted
from scalpr_zen.base.errors import ParameterError
from scalpr_zen.base.money import check_sum, micro, total, whole_micro
from scalpr_zen.data.tape import Tape, signal_error
from scalpr_zen.simulation.execution import Bracket, Execution
from scalpr_zen.simulation.kernel import (
    KERNEL_BLOCK,
    NEVER,
    OPEN,
    PARAMS,
    PROGRESS,
    REASONS,
    REFUSALS,
    TRADE,
    TRAILING,
    TRIGGER,
    VOID,
    Bounds,
    KernelParams,
    Prints,
    params_of,
    trade_kernel,
)
from scalpr_zen.simulation.rules import SessionRules, entry_ranges

assert KERNEL_BLOCK == BLOCK  # the kernel needs its own constant: its cache does not notice a change in another file

RESULT = np.dtype(
    [
        ("signal", "<i8"),
        ("entry", "<i8"),
        ("exit", "<i8"),
        ("gross_ticks", "<i4"),
        ("stop_ticks", "<i4"),
        ("reason", "i1"),
        ("session", "<i4"),
    ]
)
"""The columns of a trade that a comparison of many runs needs. `session`: the row of the exit in the tape's sessions;
`stop_ticks`: the profit at the stop price if target or stop ended the trade, else 0."""

_CHUNK = 1024
"""Orders per turn of a variant: few enough that their prints stay in the CPU cache for the next variant."""
_FIRST_CHUNK = 64
_NO_TRADES = np.empty(0, TRADE), np.empty(0, TRIGGER), np.empty(0, TRADE)
_LONG = 0.1
"""Seconds per chunk above which chunks shrink, so that Ctrl-C is noticed soon: a trade with a wide bracket is slow."""


class Orders(NamedTuple):
    """The signals that the rules allow, in order: prints and sides, shape (n,), and the counts of the others."""

    at: Array
    side: Array
    counts: dict[str, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Simulation:
    """The trades of one run.

    Attributes
    ----------
    trades : array of TRADE
        Closed trades, in order of their exit.
    triggers : array of TRIGGER
        Of each closed trade.
    unclosed : array of TRADE
        Void and open trades, valued at the last print of their segment; in no statistic.
    counts : dict of str to int
        `signals`, and how many of them were closed, void, open or refused for each reason; these add up to it.
    """

    trades: Array
    triggers: Array
    unclosed: Array
    counts: dict[str, int]


@dataclass
class _Whole:
    """Takes whole trades: the kernel writes them where they stay."""

    rows: Array
    triggers: Array
    used: int = 0

    def free(self) -> tuple[Array, Array]:
        return self.rows[self.used :], self.triggers[self.used :]

    def take(self, found: int) -> None:
        self.used += found


class _Brief:
    """Takes the RESULT of trades; the kernel writes each chunk of them over the one before."""

    def __init__(self) -> None:
        self._chunk = np.empty(_CHUNK, TRADE), np.empty(_CHUNK, TRIGGER)
        self.parts: list[Array] = []

    def free(self) -> tuple[Array, Array]:
        return self._chunk

    def take(self, found: int) -> None:
        rows, triggers = (column[:found] for column in self._chunk)
        part = np.empty(found, RESULT)
        for name in ("signal", "entry", "exit", "gross_ticks", "reason", "session"):
            part[name] = rows[name]
        by_bracket = rows["reason"] <= TRAILING
        part["stop_ticks"] = by_bracket * rows["side"] * (triggers["level_ticks"] - rows["entry_ticks"])
        self.parts.append(part)


def simulate(
    tape: Tape,
    signals: NDArray[np.int8],
    bracket: Bracket,
    execution: Execution,
    rules: SessionRules | None = None,
) -> Simulation:
    """Trade the signals of a tape under one bracket.

    Parameters
    ----------
    tape : Tape
        n prints.
    signals : array of int8, shape (n,)
        +1 long, -1 short, 0 none.
    bracket, execution, rules
        Rules default to none.

    Raises
    ------
    ParameterError
        If the signals do not fit the tape, a distance is not a multiple of the tick, or parameters contradict each
        other.
    """
    if wrong := signal_error(signals, len(tape)):
        raise ParameterError(f"signals must be {wrong}")
    rules = rules or SessionRules()
    return trade(tape, orders(tape, signals, rules), bracket, execution, rules)


def orders(tape: Tape, signals: NDArray[np.int8], rules: SessionRules) -> Orders:
    """Return the signals that sides, windows, weekdays and the time before the close allow (rules 18 to 22).

    Parameters
    ----------
    tape : Tape
    signals : array of int8, shape (n,)
        Already checked, as by `strategies.user_code.signals_of`.
    rules : SessionRules
    """
    at = _found(signals)
    side = signals[at]
    counts = {"signals": len(at), "other_side": 0, "outside": 0}
    if rules.reverse:  # 19
        side = -side
    if rules.sides != "both":  # 18
        kept = side == (1 if rules.sides == "long" else -1)
        at, side = at[kept], side[kept]
        counts["other_side"] = counts["signals"] - len(at)
    ranges = np.searchsorted(at, entry_ranges(tape, rules))  # 20, 21, 22
    inside = [slice(a, b) for a, b in ranges.tolist()]
    allowed = [np.concatenate([column[:0], *(column[part] for part in inside)]) for column in (at, side)]
    counts["outside"] = len(at) - len(allowed[0])
    return Orders(allowed[0], allowed[1], counts)


def trade(
    tape: Tape,
    wanted: Orders,
    bracket: Bracket,
    execution: Execution,
    rules: SessionRules,
) -> Simulation:
    """Trade the orders of a tape under one bracket.

    Parameters and errors are those of `simulate`; the same orders can be traded under many brackets.
    """

    def whole(count: int) -> _Whole:
        return _Whole(np.empty(count, TRADE), np.empty(count, TRIGGER))

    def split(made: _Whole) -> tuple[Array, Array, Array]:
        rows, triggers = made.rows[: made.used], made.triggers[: made.used]
        rows["net_usd"] = net_usd(rows["gross_ticks"], tape, execution)
        closed = rows["reason"] < VOID
        return rows[closed], triggers[closed], rows[~closed]

    params = _kernel_params(tape, bracket, execution, rules)
    [(parts, refused)] = _trade_many(tape, wanted, [params], rules, whole, split)
    trades, triggers, unclosed = (np.concatenate(columns) for columns in zip(_NO_TRADES, *parts, strict=True))
    if execution.overlap:
        by_exit = np.lexsort((trades["signal"], trades["exit"]))
        trades, triggers = trades[by_exit], triggers[by_exit]
        unclosed = unclosed[np.lexsort((unclosed["signal"], unclosed["exit"]))]
    check_limits(trades, tape, execution, rules)
    counts = {"signals": wanted.counts["signals"], "closed": len(trades)}
    counts |= {REASONS[reason]: int((unclosed["reason"] == reason).sum()) for reason in (VOID, OPEN)}
    counts |= {name: refused[name] for name in ("unfilled", "ignored")}
    counts |= {name: wanted.counts[name] for name in ("other_side", "outside")}
    counts |= {name: refused[name] for name in ("session_over", "in_cooldown")}
    return Simulation(trades=trades, triggers=triggers, unclosed=unclosed, counts=counts)


def same_trades(execution: Execution, rules: SessionRules) -> Execution:
    """Return what is the same for runs with the same trades: a commission changes none, unless a limit adds it up."""
    return execution if rules.limits_money else replace(execution, commission=0.0)


def priced(simulation: Simulation, tape: Tape, execution: Execution) -> Simulation:
    """Return the same trades with the net USD that they have under another commission.

    Raises
    ------
    ParameterError
        As `simulate` does.
    """
    check_sum(largest_result(tape, execution))
    trades, unclosed = simulation.trades.copy(), simulation.unclosed.copy()
    for rows in (trades, unclosed):
        rows["net_usd"] = net_usd(rows["gross_ticks"], tape, execution)
    return replace(simulation, trades=trades, unclosed=unclosed)


def simulated(
    tape: Tape,
    wanted: Orders,
    variants: Sequence[tuple[Bracket, Execution]],
    rules: SessionRules,
) -> list[Array]:
    """Return the results of each variant of a run, traded by the kernel: `results.results` is faster where it can.

    Returns
    -------
    list of arrays of RESULT
        The trades of each variant in the order of their signals, void and open ones included.
    """
    params = [_kernel_params(tape, bracket, execution, rules) for bracket, execution in variants]

    def joined(made: _Brief) -> Array:
        return np.concatenate([np.empty(0, RESULT), *made.parts])

    found = _trade_many(tape, wanted, params, rules, lambda _: _Brief(), joined)
    made = [np.concatenate([np.empty(0, RESULT), *parts]) for parts, _ in found]
    for rows, (_, execution) in zip(made, variants, strict=True):
        check_limits(rows, tape, execution, rules)
    return made


def kernel_params(
    tape: Tape, bracket: Bracket, execution: Execution, rules: SessionRules
) -> tuple[KernelParams, Bounds]:
    """Return the kernel's parameters and the ends of segments and sessions; raises as `simulate` does."""
    params = _kernel_params(tape, bracket, execution, rules)
    return params, _spans(tape, params, rules)


def prints_of(tape: Tape) -> Prints:
    """Return what kernels read of a tape."""
    return Prints(tape.ts, tape.price, tape.size, tape.aggressor, *tape.blocks)


def net_usd(gross_ticks: Array, tape: Tape, execution: Execution) -> Array:
    """Return the net USD of closed trades with these results in ticks (rule 13)."""
    gross_usd = gross_ticks * execution.tick_value(tape.instrument) * execution.contracts
    return np.asarray(gross_usd - execution.cost_usd)


def tick_money(tape: Tape, execution: Execution) -> int:
    """Return the value of a tick of all contracts in micro-dollars.

    Raises
    ------
    ParameterError
        If it rounds to zero.
    """
    money = whole_micro(execution.tick_value(tape.instrument) * execution.contracts)
    if not money:
        tick = f"{execution.tick_value(tape.instrument) * execution.contracts:g}"
        raise ParameterError(
            f"point_value must make a tick worth 0.000001 USD or more, was {tick} USD; raise it", "point_value"
        )
    return money


def largest_result(tape: Tape, execution: Execution, ticks: int | None = None) -> int:
    """Return the most that a trade can win or lose, in micro-dollars, slippage and commission included.

    `ticks` is the largest move of the price; default: the price range of the tape.
    """
    moved = tape.price_range if ticks is None else ticks
    return (moved + 1 + 2 * execution.slippage_ticks) * tick_money(tape, execution) + whole_micro(execution.cost_usd)


def trades_sha256(trades: Array) -> str:
    """Return the SHA-256 of a trade list, over its columns in the order of TRADE."""
    digest = hashlib.sha256()
    for name in TRADE.names or ():
        digest.update(np.ascontiguousarray(trades[name]).data)
    return digest.hexdigest()


def _found(signals: NDArray[np.int8]) -> Array:
    """Return the prints that have a signal, in order.

    numpy searches bools six times as fast as int8.
    """
    step = 1 << 20

    def find(start: int) -> Array:
        return start + np.flatnonzero(signals[start : start + step] != 0)

    return np.concatenate([np.empty(0, np.int64), *run_all(find, range(0, len(signals), step))])


def _kernel_params(tape: Tape, bracket: Bracket, execution: Execution, rules: SessionRules) -> KernelParams:
    if execution.overlap and rules.of_a_session:
        raise ParameterError(
            "overlap needs cooldown=0 and no max_trades, loss_limit, profit_limit: each trade is alone",
            "overlap",
            "cooldown",
            "max_trades",
            "loss_limit",
            "profit_limit",
        )
    check_sum(largest_result(tape, execution))
    return params_of(tape.instrument, bracket, execution, rules, tick_money(tape, execution))


def check_limits(rows: Array, tape: Tape, execution: Execution, rules: SessionRules) -> None:
    """Refuse a run whose limits in USD may have summed more money than can be counted exactly (rules 26 and 27).

    Raises
    ------
    ParameterError
    """
    if rules.limits_money:
        added = total(np.abs(micro(net_usd(rows["gross_ticks"][rows["reason"] < VOID], tape, execution))))
        check_sum(added + largest_result(tape, execution))


def _spans(tape: Tape, params: KernelParams, rules: SessionRules) -> Bounds:
    """Return the ends of segments and sessions, and where and when `flat_before_close` closes positions."""
    segments, sessions = (table["stop"].copy() for table in (tape.segments, tape.sessions))  # never read-only
    flat = rules.ns("flat_before_close")
    if flat is None:
        due = prints = np.full(len(tape.sessions), NEVER)
    else:
        due = tape.sessions["close"] - flat + params.latency
        prints = np.searchsorted(tape.ts, due)
    return Bounds(segments, sessions, flat_print=prints, flat_due=due)


def _trade_many(
    tape: Tape,
    wanted: Orders,
    variants: Sequence[KernelParams],
    rules: SessionRules,
    room: Callable[[int], Any],
    kept: Callable[[Any], Any],
) -> list[tuple[list[Any], dict[str, int]]]:
    """Return for each variant the parts of its trades, and its refused signals.

    `room` makes what takes the trades of so many orders, `kept` returns the part from it. No trade leaves its segment
    (rule 11) and no limit its session, so segments that begin with a session are traded in parallel. Variants take
    turns chunk by chunk, so their prints are read from memory once.
    """
    prints = prints_of(tape)
    spans = [_spans(tape, params, rules) for params in variants]
    scalars = [np.array([params], PARAMS).view(np.recarray) for params in variants]
    apart = np.intersect1d(tape.segments["start"], tape.sessions["start"])
    bounds = np.append(np.searchsorted(wanted.at, apart), len(wanted.at)).tolist()

    def trade_part(start: int, stop: int) -> tuple[list[Any], Array]:
        rooms = [room(stop - start) for _ in variants]
        progress = np.zeros((len(variants), 1), PROGRESS)
        for chunk in _chunks(start, stop):
            at, side = wanted.at[chunk], wanted.side[chunk]
            for k in range(len(variants)):
                stop_if_interrupted()
                free = rooms[k].free()
                rooms[k].take(trade_kernel(prints, spans[k], at, side, scalars[k], progress[k], *free))
        return [kept(one) for one in rooms], progress

    done = run_all(trade_part, bounds[:-1], bounds[1:])
    refused = [{name: sum(int(p[name][k, 0]) for _, p in done) for name in REFUSALS} for k in range(len(variants))]
    return [([parts[k] for parts, _ in done], refused[k]) for k in range(len(variants))]


def _chunks(start: int, stop: int) -> Iterator[slice]:
    """Yield the orders start:stop in chunks of at most _CHUNK, smaller ones if chunks are slow.

    Trades do not depend on the chunks: each kernel call continues where the one before ended.
    """
    size = _FIRST_CHUNK
    while start < stop:
        begin = time.perf_counter()
        yield slice(start, min(start + size, stop))
        start += size
        long = time.perf_counter() - begin > _LONG
        size = max(1, size // 4) if long else min(2 * size, _CHUNK)
