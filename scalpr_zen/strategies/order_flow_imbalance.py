"""Order flow imbalance: follow the aggressors when most of the recent volume is on one side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.compiled import njit
from scalpr_zen.base.engine import run_all
from scalpr_zen.base.params import Parameters, param
from scalpr_zen.data.tape import Tape
from scalpr_zen.strategies.decimals import scaled

_DECIMALS = 4


@dataclass(frozen=True, kw_only=True)
class OrderFlowImbalance(Parameters):
    """Long when buyers outweigh sellers in the latest prints, short when sellers outweigh buyers.

    The imbalance of the latest `window` prints, this one included, is buyer volume minus seller volume, divided by all
    volume, including that of unknown aggressors. A long signal comes when it rises to `threshold`, a short one when it
    falls to `-threshold`; none while it stays there.
    """

    window: int = param(200, "Prints over which the imbalance is taken.", unit="prints", low=1, high=100_000)
    threshold: float = param(0.5, "Imbalance that gives a signal.", unit="of volume", low=0.0001, high=1)

    def check(self) -> None:
        """Refuse a threshold with more than four decimals."""
        scaled("threshold", self.threshold, _DECIMALS)

    def signals(self, tape: Tape) -> NDArray[np.int8]:
        """Return the signal of every print of the tape, int8 of shape (n,): +1 long, -1 short, 0 none.

        The window restarts at each segment, and gives no signal in its first `window` prints.
        """
        signals = np.zeros(len(tape), np.int8)
        threshold = scaled("threshold", self.threshold, _DECIMALS)

        def mark(start: int, stop: int) -> None:
            part = slice(start, stop)
            _imbalance_kernel(tape.size[part], tape.aggressor[part], self.window, threshold, signals[part])

        run_all(mark, tape.segments["start"].tolist(), tape.segments["stop"].tolist())
        return signals


@njit(cache=True, nogil=True)
def _imbalance_kernel(size, aggressor, window, threshold, signals):  # type: ignore[no-untyped-def]
    """Mark where the imbalance of one segment reaches the threshold.

    Reads    size (n,), aggressor (n,), threshold in ten thousandths
    Writes   signals (n,)
    Causal   signals[i] depends on the prints 0..i alone
    Oracle   tests/support/naive_strategies.py, order_flow_imbalance

    Sums and comparison are exact in int64, without a division: 10,000 times 100,000 prints of at most 2**31 contracts
    stays below 2**61.
    """
    signed = volume = np.int64(0)
    was_bought = was_sold = False
    for i in range(len(size)):
        signed += np.int64(aggressor[i]) * size[i]
        volume += size[i]
        if i >= window:
            signed -= np.int64(aggressor[i - window]) * size[i - window]
            volume -= size[i - window]
        bought = volume > 0 and 10_000 * signed >= threshold * volume
        sold = volume > 0 and 10_000 * signed <= -threshold * volume
        if i >= window:
            signals[i] = int(bought and not was_bought) - int(sold and not was_sold)
        was_bought, was_sold = bought, sold
