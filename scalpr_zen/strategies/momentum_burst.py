"""Momentum burst: follow a price that has moved some ticks within some milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.compiled import njit
from scalpr_zen.base.engine import run_all
from scalpr_zen.base.params import Parameters, param
from scalpr_zen.base.units import MILLISECOND
from scalpr_zen.data.tape import Tape


@dataclass(frozen=True, kw_only=True)
class MomentumBurst(Parameters):
    """Long when the price has risen `burst_ticks` or more within `burst_ms`, short when it has fallen as much.

    The rise is the price minus the lowest price of the last `burst_ms`, the fall the highest minus the price. A signal
    comes at the print at which one of them becomes large enough, and not again while it lasts; there is none at a print
    at which both are large enough.
    """

    burst_ticks: int = param(20, "Move that gives a signal.", unit="ticks", low=1, high=1_000_000)
    burst_ms: int = param(1_000, "Time within which the price moves.", unit="ms", low=0, high=3_600_000)

    def signals(self, tape: Tape) -> NDArray[np.int8]:
        """Return the signal of every print of the tape, int8 of shape (n,): +1 long, -1 short, 0 none.

        No move spans a roll.
        """
        signals = np.zeros(len(tape), np.int8)
        burst = self.burst_ms * MILLISECOND

        def mark(start: int, stop: int) -> None:
            part = slice(start, stop)
            rows = np.empty((2, 1 << int(_most_prints_kernel(tape.ts[part], burst)).bit_length()), np.int64)
            _burst_kernel(tape.ts[part], tape.price[part], burst, self.burst_ticks, rows, signals[part])

        run_all(mark, tape.segments["start"].tolist(), tape.segments["stop"].tolist())
        return signals


@njit(cache=True, nogil=True)
def _most_prints_kernel(ts, burst):  # type: ignore[no-untyped-def]
    """Return the largest number of prints within one burst.

    Reads    ts (n,) ns of one segment, burst in ns
    Returns  the largest number of prints p <= i with ts[i] - ts[p] <= burst
    """
    most = oldest = 0
    for i in range(len(ts)):
        while ts[i] - ts[oldest] > burst:
            oldest += 1
        most = max(most, i + 1 - oldest)
    return most


@njit(cache=True, nogil=True)
def _burst_kernel(ts, price, burst, burst_ticks, rows, signals):  # type: ignore[no-untyped-def]
    """Mark where the moves of one segment become bursts.

    Reads    ts (n,) ns, price (n,) ticks, burst in ns; rows (2, a power of two) is room for the prints of one burst
    Writes   signals (n,)
    Causal   signals[i] depends on the prints 0..i alone
    Oracle   tests/support/naive_strategies.py, momentum_burst

    Each row is a ring of recent prints, lowest (highest) first. A print that is not below a later one can never be the
    lowest again and is dropped, so each print enters and leaves once, however long the burst.
    """
    mask, lows, highs = rows.shape[1] - 1, rows[0], rows[1]
    low_first = low_last = high_first = high_last = 0  # prints that have left, and that have entered
    was_rise = was_fall = False
    for i in range(len(ts)):
        p = np.int64(price[i])
        while low_last > low_first and price[lows[(low_last - 1) & mask]] >= p:
            low_last -= 1
        while high_last > high_first and price[highs[(high_last - 1) & mask]] <= p:
            high_last -= 1
        lows[low_last & mask] = highs[high_last & mask] = i
        low_last += 1
        high_last += 1
        while ts[i] - ts[lows[low_first & mask]] > burst:
            low_first += 1
        while ts[i] - ts[highs[high_first & mask]] > burst:
            high_first += 1
        rise = p - price[lows[low_first & mask]] >= burst_ticks
        fall = price[highs[high_first & mask]] - p >= burst_ticks
        if rise != fall:
            signals[i] = int(rise and not was_rise) - int(fall and not was_fall)
        was_rise, was_fall = rise, fall
