"""Lowest and highest price of each block of prints, so that long stretches of prints need not be read."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from scalpr_zen.base.arrays import Array
from scalpr_zen.base.compiled import njit
from scalpr_zen.base.engine import run_all

BLOCK = 64
"""Prints of a block: 64 prices fill 4 cache lines, and a scan over a few hundred prints still skips most blocks."""


class Blocks(NamedTuple):
    """Lowest and highest price in ticks of each block, arrays of int32 of shape (ceil(n / BLOCK),)."""

    low: Array
    high: Array


def blocks_of(price: Array) -> Blocks:
    """Return the blocks of prices in ticks, shape (n,); one pass over them."""
    count = math.ceil(len(price) / BLOCK)
    low, high = np.empty(count, np.int32), np.empty(count, np.int32)
    step = max(1, math.ceil(count / 8))

    def summarise(first: int) -> None:
        _block_kernel(price, first, min(first + step, count), low, high)

    run_all(summarise, range(0, count, step))
    return Blocks(low, high)


def extremes(price: Array, blocks: Blocks, start: int, stop: int) -> tuple[int, int]:
    """Return the lowest and the highest price of the prints start:stop, at least one, taking whole blocks that fit."""
    first, last = math.ceil(start / BLOCK), stop // BLOCK
    if first >= last:
        lows = highs = price[start:stop]
    else:
        edges = price[start : first * BLOCK], price[last * BLOCK : stop]
        lows, highs = (np.concatenate([*edges, column[first:last]]) for column in blocks)
    return int(lows.min()), int(highs.max())


@njit(cache=True, nogil=True)
def _block_kernel(price, first, stop, low, high):  # type: ignore[no-untyped-def]
    """Find the extremes of the blocks first:stop.

    Reads    price (n,) ticks
    Writes   low, high (blocks,) of these blocks
    Oracle   tests/test_blocks.py, extremes
    """
    for block in range(first, stop):
        start = block * BLOCK
        least = most = price[start]
        if start + BLOCK <= len(price):
            whole = price[start : start + BLOCK]
            for i in range(BLOCK):  # vectorised without min and max: eight times as fast
                least = whole[i] if whole[i] < least else least
                most = whole[i] if whole[i] > most else most
        else:
            for i in range(start, len(price)):
                least, most = min(least, price[i]), max(most, price[i])
        low[block], high[block] = least, most
