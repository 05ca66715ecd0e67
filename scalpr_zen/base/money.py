"""Money is counted in whole micro-dollars: int64 sums are exact, in any order, up to MOST."""

from __future__ import annotations

import numpy as np

from scalpr_zen.base.arrays import Array, Int64
from scalpr_zen.base.errors import ParameterError

MICRO = 1_000_000
"""Micro-dollars of a dollar."""
MOST = 2**60
"""The largest sum in micro-dollars: the difference of two such sums fits into an int64, and so does a sentinel of 2**61
minus one of them."""
_HALF = np.int64(32)


def micro(usd: Array) -> Int64:
    """Return amounts in USD as whole micro-dollars, same shape."""
    return np.asarray(np.rint(np.asarray(usd) * MICRO).astype(np.int64))


def whole_micro(usd: float) -> int:
    """Return an amount in USD as whole micro-dollars, of any size."""
    return round(usd * MICRO)


def total(amounts: Int64, count: Int64 | int = 1) -> int:
    """Return the sum of whole amounts, each `count` times; exact even where it does not fit into 64 bits."""
    high = amounts >> _HALF
    return (int((high * count).sum()) << int(_HALF)) + int(((amounts - (high << _HALF)) * count).sum())


def check_sum(most: int) -> None:
    """Refuse sums of money that could exceed what can be counted exactly.

    Raises
    ------
    ParameterError
        If `most` is above MOST.
    """
    if most > MOST:
        raise ParameterError(
            f"sums of money in this run could reach ${most // MICRO:,}; at most ${MOST // MICRO:,} can be counted "
            "exactly: lower contracts, point_value or commission",
            "contracts",
            "point_value",
            "commission",
        )
