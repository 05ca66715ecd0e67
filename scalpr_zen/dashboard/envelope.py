"""Windows of the tape at the resolution of a screen: single prints, or the lowest and highest price of each column.

The lows and highs of the tape's blocks save reading their prints, so a year takes no longer than a minute.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.blocks import BLOCK
from scalpr_zen.base.compiled import njit
from scalpr_zen.data.tape import Tape

Array = NDArray[Any]


class Envelope:
    """Lows and highs of any window of a tape, from those of its blocks."""

    def __init__(self, tape: Tape) -> None:
        self._price, self._blocks = tape.price, tape.blocks

    def window(self, start: int, stop: int, columns: int) -> tuple[Array, Array, Array]:
        """Return the first print, low and high of each of `columns` equal parts of the prints start:stop.

        Parameters
        ----------
        start, stop : int
            Not empty, inside the tape.
        columns : int
            At least 1, and at most the number of prints.

        Returns
        -------
        first : array of int64, shape (columns,)
            First print of each part.
        low, high : array of int32, shape (columns,)
            Ticks.
        """
        bounds = np.linspace(start, stop, columns + 1).astype(np.int64)
        low, high = np.empty(columns, np.int32), np.empty(columns, np.int32)
        _window_kernel(self._price, self._blocks.low, self._blocks.high, BLOCK, bounds, low, high)
        return bounds[:-1], low, high


@njit(cache=True, nogil=True)
def _window_kernel(price, lows, highs, size, bounds, low, high):  # type: ignore[no-untyped-def]
    """Find the extremes of price[bounds[k] : bounds[k + 1]], taking whole blocks where they fit.

    Reads    price (n,) ticks, lows and highs of its blocks, bounds (columns + 1,) strictly increasing
    Writes   low, high (columns,)
    Oracle   tests/test_envelope.py, extremes
    """
    for k in range(len(low)):
        i, stop = bounds[k], bounds[k + 1]
        least = most = price[i]
        while i < stop:
            if i % size == 0 and i + size <= stop:
                least, most = min(least, lows[i // size]), max(most, highs[i // size])
                i += size
            else:
                least, most = min(least, price[i]), max(most, price[i])
                i += 1
        low[k], high[k] = least, most
