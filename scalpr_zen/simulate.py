"""Signals become trades: what a fill is, in one readable loop.

The rules are those of docs/execution.md, and the comments of the kernel carry their numbers. A price is
a whole number of ticks and a time is int64 ns UTC; the only float is the money in `net_usd`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scalpr_zen.errors import ParameterError
from scalpr_zen.instruments import Instrument
from scalpr_zen.params import Parameters, param, points_to_ticks
from scalpr_zen.tape import Tape
from scalpr_zen.threads import run_all

TARGET, STOP, VOID, OPEN = 1, 2, 3, 4
REASONS = {TARGET: "target", STOP: "stop", VOID: "void", OPEN: "open"}
ENTRIES = ("next", "signal")
TARGET_FILLS = ("touch", "through")
STOP_FILLS = ("trigger", "level", "next")
_AT_SIGNAL = ENTRIES.index("signal")
_THROUGH = TARGET_FILLS.index("through")
_LEVEL, _NEXT = STOP_FILLS.index("level"), STOP_FILLS.index("next")

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
"""One trade. `signal`, `entry` and `exit` are print indices, `segment` and `session` rows of the tape's
tables (the session is that of the exit), prices and excursions are ticks, times ns UTC."""


@dataclass(frozen=True, kw_only=True)
class Bracket(Parameters):
    """The take profit and the stop loss that go with every entry, as distances from the entry fill."""

    take_profit: float = param(10.0, "Distance of the take profit from the entry fill.", unit="points", low=1e-9)
    stop_loss: float = param(5.0, "Distance of the stop loss from the entry fill.", unit="points", low=1e-9)

    def ticks(self, instrument: Instrument) -> tuple[int, int]:
        """Return take profit and stop loss in ticks; ParameterError where one is no whole number."""
        nanos = instrument.tick_nanos
        return (
            points_to_ticks("take_profit", self.take_profit, nanos),
            points_to_ticks("stop_loss", self.stop_loss, nanos),
        )


@dataclass(frozen=True, kw_only=True)
class Execution(Parameters):
    """How orders reach the exchange, how they fill, and what they cost."""

    entry: str = param("next", "Where the entry order fills: the next event, or its own print.", choices=ENTRIES)
    latency_ms: float = param(0.0, "Time from a signal to the exchange.", unit="ms", low=0, high=60_000)
    slippage_ticks: int = param(0, "Slippage of every market and stop fill.", unit="ticks", low=0, high=1_000)
    commission: float = param(0.0, "Commission and fees.", unit="USD a contract and side", low=0, high=1_000)
    target_fill: str = param(
        "touch", "What fills the take profit: its price, or a print beyond it.", choices=TARGET_FILLS
    )
    stop_fill: str = param(
        "trigger", "Where a stop fills: triggering print, stop price, next event.", choices=STOP_FILLS
    )
    contracts: int = param(1, "Contracts of each trade.", unit="contracts", low=1, high=10_000)
    point_value: float | None = param(
        None, "USD of one point; none: the contract's own.", unit="USD", low=1e-6, high=1_000_000
    )
    overlap: bool = param(False, "Trade every signal on its own, for studying signals.")

    def check(self) -> None:
        """Refuse a latency that is no whole number of nanoseconds."""
        if abs(self.latency_ms * 1e6 - self.latency_ns) > 1e-3:
            raise ParameterError(f"latency_ms must be a whole number of nanoseconds, was {self.latency_ms}")

    @property
    def latency_ns(self) -> int:
        """The latency in ns."""
        return round(self.latency_ms * 1e6)

    def tick_value(self, instrument: Instrument) -> float:
        """Return the USD of one tick of one contract under these parameters."""
        if self.point_value is None:
            return instrument.tick_value
        return replace(instrument, point_value=self.point_value).tick_value


@dataclass(frozen=True, kw_only=True, eq=False)
class Simulation:
    """What the simulator found.

    Attributes
    ----------
    trades : array of TRADE
        Closed trades, in order of their exit.
    unclosed : array of TRADE
        Void and open trades, marked at the last print of their segment; out of all statistics.
    counts : dict of str to int
        `signals = closed + void + open + unfilled + ignored`.
    """

    trades: NDArray[Any]
    unclosed: NDArray[Any]
    counts: dict[str, int]


class _Rules(NamedTuple):
    """The scalars of the kernel: distances in ticks, latency in ns, modes as numbers."""

    take_profit: int
    stop_loss: int
    at_signal: bool
    latency: int
    slippage: int
    through: bool
    stop_fill: int
    overlap: bool


def simulate(tape: Tape, signals: NDArray[np.int8], bracket: Bracket, execution: Execution) -> Simulation:
    """Trade every signal of a tape under one bracket.

    Parameters
    ----------
    tape : Tape
        n prints.
    signals : array of int8, shape (n,)
        +1 long, -1 short, 0 none.
    bracket : Bracket
    execution : Execution

    Raises
    ------
    ParameterError
        If the signals do not fit the tape, or a distance is no multiple of the tick.
    """
    wanted = check_signals(signals, len(tape))
    take_profit, stop_loss = bracket.ticks(tape.instrument)
    rules = _Rules(
        take_profit=take_profit,
        stop_loss=stop_loss,
        at_signal=execution.entry == "signal",
        latency=execution.latency_ns,
        slippage=execution.slippage_ticks,
        through=execution.target_fill == "through",
        stop_fill=STOP_FILLS.index(execution.stop_fill),
        overlap=execution.overlap,
    )
    rows, unfilled = _trade_segments(tape, signals, rules)
    if execution.overlap:
        rows = rows[np.lexsort((rows["signal"], rows["exit"]))]
    _complete(rows, tape, execution)
    closed = rows["reason"] <= STOP
    counts = {"signals": wanted, "closed": int(closed.sum()), "void": int((rows["reason"] == VOID).sum())}
    counts |= {
        "open": int((rows["reason"] == OPEN).sum()),
        "unfilled": unfilled,
        "ignored": wanted - len(rows) - unfilled,
    }
    return Simulation(trades=rows[closed], unclosed=rows[~closed], counts=counts)


def check_signals(signals: Any, length: int) -> int:
    """Return how many signals there are; ParameterError where the array is not int8 of -1, 0, +1."""
    if not isinstance(signals, np.ndarray) or signals.dtype != np.int8 or signals.shape != (length,):
        shape = f"{getattr(signals, 'dtype', type(signals).__name__)} {getattr(signals, 'shape', '')}".strip()
        raise ParameterError(f"signals must be int8 ({length},), one a print, were {shape}")
    if length and (signals.min() < -1 or signals.max() > 1):
        raise ParameterError(f"signals must be -1, 0 or +1, were {signals.min()} to {signals.max()}")
    return int(np.count_nonzero(signals))


def trades_sha256(trades: NDArray[Any]) -> str:
    """Return the identity of a trade list: SHA-256 over its columns in the order of TRADE."""
    digest = hashlib.sha256()
    for name in TRADE.names or ():
        digest.update(np.ascontiguousarray(trades[name]).tobytes())
    return digest.hexdigest()


def _trade_segments(tape: Tape, signals: NDArray[np.int8], rules: _Rules) -> tuple[NDArray[Any], int]:
    """Return the rows of all trades in order of their signal, and how many signals are unfilled.

    A trade never leaves its segment (rule 11), so that segments are traded side by side.
    """
    session_stops = np.ascontiguousarray(tape.sessions["stop"])

    def trade(start: int, stop: int) -> tuple[NDArray[Any], int]:
        rows = np.empty(np.count_nonzero(signals[start:stop]), TRADE)
        found, unfilled = _bracket_kernel(tape.ts, tape.price, signals, start, stop, session_stops, rules, rows)
        return rows[:found], unfilled

    parts = run_all(trade, tape.segments["start"].tolist(), tape.segments["stop"].tolist())
    rows = np.concatenate([np.empty(0, TRADE), *(part for part, _ in parts)])
    rows["segment"] = np.repeat(np.arange(len(parts)), [len(part) for part, _ in parts])
    rows["reason"][(rows["reason"] == VOID) & (rows["segment"] == len(parts) - 1)] = OPEN  # 12
    return rows, sum(unfilled for _, unfilled in parts)


def _complete(rows: NDArray[Any], tape: Tape, execution: Execution) -> None:
    """Write the columns that follow from the fills: times, session and money (rule 13)."""
    rows["entry_ts"] = tape.ts[rows["entry"]]
    rows["exit_ts"] = tape.ts[rows["exit"]]
    rows["session"] = np.searchsorted(tape.sessions["stop"], rows["exit"], side="right")
    gross_usd = rows["gross_ticks"] * execution.tick_value(tape.instrument) * execution.contracts
    rows["net_usd"] = gross_usd - 2 * execution.commission * execution.contracts


@njit(cache=True, nogil=True)
def _bracket_kernel(ts, price, signals, start, stop, session_stop, rules, trades):  # type: ignore[no-untyped-def]
    """Walk the prints start:stop of one segment once and write a row for every trade.

    Reads    ts (n,) ns, price (n,) ticks, signals (n,), the stops of the sessions
    Writes   trades: side, reason, signal, entry, exit and the tick columns of each row
    Returns  rows written, signals unfilled
    Causal   a row that is closed at print k depends on prints start..k alone
    Oracle   tests/naive.py, simulate
    """
    found = unfilled = 0
    session = np.searchsorted(session_stop, start, side="right")
    i = start
    while True:
        while i < stop and signals[i] == 0:  # a loop of its own: twice as fast between trades
            i += 1
        if i == stop:
            break
        side = np.int64(signals[i])
        # 3, 5: the entry fills in a later event of the same session, or at the signal's own print
        while session_stop[session] <= i:
            session += 1
        j = i
        if not rules.at_signal:
            last = min(stop, session_stop[session])
            due = max(ts[i] + 1, ts[i] + rules.latency)
            j = i + 1
            while j < last and ts[j] < due:
                j += 1
            if j == last:
                unfilled += 1
                i += 1
                continue
        entry = price[j] + side * rules.slippage  # 4
        target = entry + side * rules.take_profit  # 6
        stop_level = entry - side * rules.stop_loss
        beyond = target + side if rules.through else target  # 7: the price that fills the target
        upper, lower = max(beyond, stop_level), min(beyond, stop_level)

        # 6, 14: prints of the entry's own event count as excursion, but cannot exit
        k = j + 1
        high, low = np.int64(-(2**40)), np.int64(2**40)
        if not rules.at_signal:
            while k < stop and ts[k] == ts[j]:
                high, low = max(high, price[k]), min(low, price[k])
                k += 1
        while k < stop:
            p = np.int64(price[k])
            high, low = max(high, p), min(low, p)
            if p >= upper or p <= lower:
                break
            k += 1

        # 7, 8, 9: the first print to meet either decides
        m, reason, fill = k, VOID, np.int64(0)
        if k < stop:
            if (price[k] >= upper) == (side > 0):
                reason, fill = TARGET, target
            else:
                if rules.stop_fill == _NEXT:
                    due = max(ts[k] + 1, ts[k] + rules.latency)
                    m = k + 1
                    while m < stop and ts[m] < due:
                        high, low = max(high, price[m]), min(low, price[m])
                        m += 1
                if m < stop:
                    reason = STOP
                    high, low = max(high, price[m]), min(low, price[m])
                    fill = stop_level if rules.stop_fill == _LEVEL else np.int64(price[m])
                    fill -= side * rules.slippage
        if reason == VOID:  # 11: marked at the last print of the segment
            m = stop - 1
            fill = np.int64(price[m])
        if m == j:
            high = low = entry

        row = trades[found]
        row["side"] = side
        row["reason"] = reason
        row["signal"] = i
        row["entry"] = j
        row["exit"] = m
        row["entry_ticks"] = entry
        row["exit_ticks"] = fill
        row["gross_ticks"] = side * (fill - entry)  # 13
        row["mae_ticks"] = low - entry if side > 0 else entry - high
        row["mfe_ticks"] = high - entry if side > 0 else entry - low
        found += 1
        # 10, 11: the next signal comes after the exit; a void trade blocks to the end of its segment
        i = i + 1 if rules.overlap else m + 1
    return found, unfilled
