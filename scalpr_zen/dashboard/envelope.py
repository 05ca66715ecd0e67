"""Windows of the tape at the resolution of a screen: single prints, or the lowest and highest price of each column.

Lows and highs of blocks of prints are kept beside the mapped tape, so that a year needs no more time than a minute.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scalpr_zen.tape import Tape
from scalpr_zen.threads import run_all

Array = NDArray[Any]

BLOCK = 1024


class Envelope:
    """Lows and highs of any window of a tape; made once a tape, in one pass over its prices."""

    def __init__(self, tape: Tape) -> None:
        self._price = tape.price
        blocks = math.ceil(len(tape) / BLOCK)
        self._lows, self._highs = np.empty(blocks, np.int32), np.empty(blocks, np.int32)
        step = max(1, math.ceil(blocks / 8))

        def summarise(first: int) -> None:
            _block_kernel(self._price, first, min(first + step, blocks), BLOCK, self._lows, self._highs)

        run_all(summarise, range(0, blocks, step))

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
        _window_kernel(self._price, self._lows, self._highs, BLOCK, bounds, low, high)
        return bounds[:-1], low, high


@njit(cache=True, nogil=True)
def _block_kernel(price, first, stop, size, low, high):  # type: ignore[no-untyped-def]
    """Find the extremes of the blocks first:stop.

    Reads    price (n,) ticks
    Writes   low, high (blocks,) of these blocks
    Oracle   tests/test_envelope.py, extremes
    """
    for block in range(first, stop):
        least = most = price[block * size]
        for i in range(block * size + 1, min(block * size + size, len(price))):
            least, most = min(least, price[i]), max(most, price[i])
        low[block], high[block] = least, most


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
