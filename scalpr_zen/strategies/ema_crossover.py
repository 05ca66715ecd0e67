"""EMA crossover: long when the fast average of the prints rises above the slow one, short when it falls below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.compiled import njit
from scalpr_zen.base.engine import run_all
from scalpr_zen.base.errors import ParameterError
from scalpr_zen.base.params import Parameters, param
from scalpr_zen.data.tape import Tape


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
                f"fast_period must be below slow_period, was {self.fast_period} with slow_period {self.slow_period}"
            )

    def signals(self, tape: Tape) -> NDArray[np.int8]:
        """Return the signal of every print of the tape, int8 of shape (n,): +1 long, -1 short, 0 none.

        The averages restart at each segment, and give no signal in its first `slow_period` prints.
        """
        signals = np.zeros(len(tape), np.int8)

        def mark(start: int, stop: int) -> None:
            _crossover_kernel(tape.price[start:stop], self.fast_period, self.slow_period, signals[start:stop])

        run_all(mark, tape.segments["start"].tolist(), tape.segments["stop"].tolist())
        return signals


@njit(cache=True, nogil=True)
def _crossover_kernel(price, fast_period, slow_period, signals):  # type: ignore[no-untyped-def]
    """Mark the crossovers of one segment.

    Reads    price (n,) ticks
    Writes   signals (n,)
    Causal   signals[i] depends on price[0..i] alone
    Oracle   tests/naive.py, crossover_signals

    The averages follow the distance from the first price: the same averages, shifted, but exactly the same
    signals when all prices move by whole ticks, which floats near 100,000 ticks would not give.
    """
    fast_alpha, slow_alpha = 2.0 / (fast_period + 1), 2.0 / (slow_period + 1)
    fast = slow = 0.0
    was_above = was_below = False
    for i in range(len(price)):
        x = float(np.int64(price[i]) - np.int64(price[0]))
        fast += fast_alpha * (x - fast)
        slow += slow_alpha * (x - slow)
        above, below = fast > slow, fast < slow
        if i >= slow_period:
            signals[i] = (above and not was_above) - (below and not was_below)
        was_above, was_below = above, below
