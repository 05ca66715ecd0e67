"""VWAP reversion: fade a price that is some standard deviations away from the session's VWAP."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.compiled import njit
from scalpr_zen.base.engine import run_all
from scalpr_zen.base.params import Parameters, param
from scalpr_zen.data.tape import Tape
from scalpr_zen.strategies.decimals import scaled
from scalpr_zen.strategies.session_parts import session_parts

_DECIMALS = 2


@dataclass(frozen=True, kw_only=True)
class VwapReversion(Parameters):
    """Short at the upper band around the session's VWAP, long at the lower one, again only after a return to the VWAP.

    The VWAP is the size-weighted mean price of the session's prints so far, this one included. The bands are `bands`
    size-weighted standard deviations away from it. After a signal at a band, that band gives no other signal until the
    price has been at the VWAP or on its other side.
    """

    bands: float = param(2.0, "Distance of the bands from the VWAP.", unit="standard deviations", low=0.01, high=100)
    warmup: int = param(1_000, "First prints of a session, which give no signal.", unit="prints", low=0, high=1_000_000)

    def check(self) -> None:
        """Refuse a distance with more than two decimals."""
        scaled("bands", self.bands, _DECIMALS)

    def signals(self, tape: Tape) -> NDArray[np.int8]:
        """Return the signal of every print of the tape, int8 of shape (n,): +1 long, -1 short, 0 none.

        Each session, and each segment within one, starts anew.
        """
        signals = np.zeros(len(tape), np.int8)
        bands = scaled("bands", self.bands, _DECIMALS)

        def mark(start: int, stop: int) -> None:
            _reversion_kernel(tape.price[start:stop], tape.size[start:stop], bands, self.warmup, signals[start:stop])

        run_all(mark, *(column.tolist() for column in session_parts(tape)))
        return signals


@njit(cache=True, nogil=True)
def _reversion_kernel(price, size, bands, warmup, signals):  # type: ignore[no-untyped-def]
    """Mark where the price of one session reaches a band.

    Reads    price (n,) ticks, size (n,), bands in hundredths of a standard deviation
    Writes   signals (n,)
    Causal   signals[i] depends on price[0..i] and size[0..i] alone
    Oracle   tests/support/naive_strategies.py, vwap_reversion

    Let d be the distance of a price from that of the first print with a size, and V, M and Q the sums of size,
    size * d and size * d * d. The VWAP is at M / V, the variance is (V * Q - M * M) / V**2, and both sides of the
    comparison are multiplied by V. The sums are whole numbers in float64: exact below 2**53, which ten million
    contracts 20,000 ticks from the first price do not reach, and without the overflow of V * Q in int64. The first
    size has distance 0, so V * Q - M * M is at least Q times that size and cannot be lost to rounding.
    """
    volume = moment = square = 0.0
    first = np.int64(0)
    reached = 0  # the band that gave the latest signal, +1 upper, -1 lower, 0 after a return to the VWAP
    for i in range(len(price)):
        if volume == 0:
            first = np.int64(price[i])
        distance = float(np.int64(price[i]) - first)
        volume += size[i]
        moment += size[i] * distance
        square += size[i] * distance * distance
        if square == 0:  # one price so far: no standard deviation
            continue
        away = distance * volume - moment
        band = bands * math.sqrt(max(0.0, volume * square - moment * moment))
        if away * reached <= 0:
            reached = 0
        side = int(100 * away >= band) - int(100 * away <= -band)
        if side != 0 and reached == 0:
            reached = side
            if i >= warmup:
                signals[i] = -side
