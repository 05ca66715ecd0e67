"""EMA crossover: long when the fast average of the prints rises above the slow one, short when it falls below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.compiled import inner, njit
from scalpr_zen.base.engine import run_all
from scalpr_zen.base.errors import ParameterError
from scalpr_zen.base.params import Parameters, param
from scalpr_zen.data.tape import Array, Tape

WARM_UP = 32
"""Slow periods that the averages of a part start early: the share of the start left in them is then e**-64."""
PART = 1 << 19
"""Prints of a part at least."""
TILE = 512
"""Prints between two comparisons of the averages: what is compared stays in the cache."""


@dataclass(frozen=True, kw_only=True)
class EmaCrossover(Parameters):
    """Crossover of two exponential moving averages over prints, `alpha = 2 / (period + 1)`."""

    fast_period: int = param(50, "Period of the fast average.", unit="prints", low=1, high=1_000_000)
    slow_period: int = param(
        200, "Period of the slow average; no signal before it.", unit="prints", low=2, high=1_000_000
    )

    def check(self) -> None:
        """Refuse a fast average that is not the faster one."""
        if self.fast_period >= self.slow_period:
            raise ParameterError(
                f"fast_period must be below slow_period, was {self.fast_period} with slow_period {self.slow_period}",
                "fast_period",
                "slow_period",
            )

    def signals(self, tape: Tape) -> NDArray[np.int8]:
        """Return the signal of every print of the tape, int8 of shape (n,): +1 long, -1 short, 0 none.

        The averages restart at each segment, and give no signal in its first `slow_period` prints.
        """
        signals = np.zeros(len(tape), np.int8)
        segments = [
            _Segment(tape.price[start:stop], signals[start:stop], self.fast_period, self.slow_period)
            for start, stop in zip(tape.segments["start"].tolist(), tape.segments["stop"].tolist(), strict=True)
        ]
        pairs = [(segment, k) for segment in segments for k in range(0, segment.parts, 2)]
        run_all(lambda segment, k: segment.mark_pair(k), *zip(*pairs, strict=True))
        run_all(lambda segment: segment.join(), segments)
        return signals


class _Segment:
    """The crossovers of one segment, found in parts of equal length on all cores.

    An average forgets: after some multiple of its period, averages from different starts agree to the last bit. Each
    part therefore starts its averages WARM_UP slow periods early. `join` then checks each seam: where the averages at
    the end of one part are not bit for bit those at the start of the next, that part is computed again. The signals
    are those of one loop over the segment, whatever the prices.
    """

    def __init__(self, price: Array, signals: Array, fast_period: int, slow_period: int) -> None:
        self.price, self.signals, self.slow_period = price, signals, slow_period
        self.alphas = 2.0 / (fast_period + 1), 2.0 / (slow_period + 1)
        self.warm_up = WARM_UP * slow_period
        self.parts = len(price) // max(PART, 16 * self.warm_up) // 2 * 2
        self.length = len(price) // self.parts if self.parts else 0
        self.first = np.zeros((self.parts, 2))  # the averages before the first print of each part
        self.last = np.zeros((self.parts, 2))  # and after its last one

    def mark_pair(self, k: int) -> None:
        """Mark the crossovers of the parts k and k + 1."""
        for part in range(max(k, 1), k + 2):
            start = part * self.length
            self._approach(self.price[start - self.warm_up : start], self.first[part])
        self._mark(k, k + 1)

    def join(self) -> None:
        """Check the seams, compute wrong parts again, and mark the prints after the last part."""
        state = np.zeros(2)
        for part in range(self.parts):
            if (self.first[part] != state).any():
                self.first[part] = state
                self._mark(part, part)
            state = self.last[part]
        rest = slice(self.parts * self.length, None)
        price, signals = self.price[rest], self.signals[rest]
        if len(price):
            _crossover_kernel(price, price, self.price[0], self.alphas, state, state, signals, signals)
        self.signals[: self.slow_period] = 0

    def _approach(self, price: Array, state: Array) -> None:
        """Bring both averages from the first of these prices to the last; state (2,) holds them then."""
        state[:] = float(price[0]) - float(self.price[0])
        unused = np.empty(len(price), np.int8)
        _crossover_kernel(price, price, self.price[0], self.alphas, state, state, unused, unused)

    def _mark(self, one: int, two: int) -> None:
        """Mark two parts at once; the same part twice to mark only one."""
        a, b = (slice(k * self.length, (k + 1) * self.length) for k in (one, two))
        self.last[[one, two]] = self.first[[one, two]]
        _crossover_kernel(
            self.price[a],
            self.price[b],
            self.price[0],
            self.alphas,
            self.last[one],
            self.last[two],
            self.signals[a],
            self.signals[b],
        )


@njit(cache=True, nogil=True)
def _crossover_kernel(price, other_price, base, alphas, state, other_state, signals, other_signals):  # type: ignore[no-untyped-def]
    """Mark the crossovers of two parts of a segment at once.

    Reads    price, other_price (n,) ticks; `base`, the segment's first price; alphas, fast and slow
    Writes   signals, other_signals (n,); state, other_state (2,): the averages before the first print, then after the
             last
    Causal   signals[i] depends on state and price[0..i] alone
    Oracle   tests/support/naive.py, crossover_signals

    Each step of an average waits for the one before; two parts in one loop use that wait, which saves 40%. A part on
    its own is passed twice. Distances are compared in a loop of their own, which the compiler vectorises.

    The averages follow the distance from the first price: the same averages, shifted, but exactly the same
    signals when all prices move by whole ticks, which floats near 100,000 ticks would not give.
    """
    a, b = alphas
    fast, slow, other_fast, other_slow = state[0], state[1], other_state[0], other_state[1]
    gap, other_gap = np.empty(TILE + 1), np.empty(TILE + 1)
    gap[0], other_gap[0] = fast - slow, other_fast - other_slow
    for start in range(0, len(price), TILE):
        count = min(TILE, len(price) - start)
        here, there = price[start : start + count], other_price[start : start + count]
        for i in range(count):
            x, y = float(np.int64(here[i]) - np.int64(base)), float(np.int64(there[i]) - np.int64(base))
            fast += a * (x - fast)
            slow += b * (x - slow)
            other_fast += a * (y - other_fast)
            other_slow += b * (y - other_slow)
            gap[i + 1], other_gap[i + 1] = fast - slow, other_fast - other_slow
        _crossings(gap, count, signals[start : start + count])
        _crossings(other_gap, count, other_signals[start : start + count])
    state[0], state[1], other_state[0], other_state[1] = fast, slow, other_fast, other_slow


@inner
def _crossings(gap, count, signals):  # type: ignore[no-untyped-def]
    """Mark where gap[1:count + 1] rises above zero or falls below it, and keep the last one for the next call."""
    for i in range(count):
        now, before = gap[i + 1], gap[i]
        signals[i] = np.int8((now > 0) & (before <= 0)) - np.int8((now < 0) & (before >= 0))
    gap[0] = gap[count]
