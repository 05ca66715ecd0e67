"""Whether an instrument's tick fits the prices in the files; if not, it is refused with the likely tick.

A tick 100 times too fine makes the value of each tick wrong, yet every price is valid; one too coarse drops prints.
"""

from __future__ import annotations

import math

import numpy as np

from scalpr_zen.base.arrays import Int64
from scalpr_zen.base.errors import DataError
from scalpr_zen.base.instruments import INSTRUMENTS, Instrument
from scalpr_zen.base.units import NANOS

MIN_OFF_GRID, MAX_OFF_GRID_SHARE = 20, 0.05
MIN_STEPS, NEARLY_ALL = 200, 0.95
MANY_TICKS = 3
"""The exchange has halved ticks: older prices move two of today's ticks at a time, and are right."""
_MAX_DIVISOR = 3_000_000


def check_tick(instrument: Instrument, on_grid: int, off_grid: int, steps: Int64) -> None:
    """Refuse an instrument whose tick does not fit the files.

    Parameters
    ----------
    instrument : Instrument
    on_grid, off_grid : int
        Trades of the root's outrights at a multiple of the tick, and at other prices.
    steps : array of int64
        A sample of price changes of the outrights, 1e-9 points, above 0.

    Raises
    ------
    DataError
        If MIN_OFF_GRID trades and more than MAX_OFF_GRID_SHARE are off the grid, or of MIN_STEPS price changes at
        least NEARLY_ALL are multiples of MANY_TICKS ticks or more.
    """
    tick, likely = instrument.tick_nanos, likely_tick(steps)
    about = f"tick_size {instrument.tick_size:.10g} of {instrument.root}"
    if off_grid >= MIN_OFF_GRID and off_grid > MAX_OFF_GRID_SHARE * (on_grid + off_grid):
        named = f"the likely tick is {_points(likely)}" if likely and likely % tick else "no tick is likely"
        raise DataError(
            f"{about} does not fit the files: {off_grid:,} of {on_grid + off_grid:,} prints are no multiple of it, "
            f"{named}: {_advice(instrument, likely)}"
        )
    if len(steps) >= MIN_STEPS and likely and likely % tick == 0 and likely >= MANY_TICKS * tick:
        share = np.count_nonzero(steps % likely == 0) / len(steps)
        raise DataError(
            f"{about} is too fine for the files: {share:.1%} of {len(steps):,} price changes are multiples of "
            f"{likely // tick:,} ticks, the likely tick is {_points(likely)}: {_advice(instrument, likely)}"
        )


def likely_tick(steps: Int64) -> int | None:
    """Return the largest step of which nearly all price changes are multiples, None if there are too few."""
    if len(steps) < MIN_OFF_GRID:
        return None
    values, counts = np.unique(steps, return_counts=True)
    common = int(values[counts.argmax()])
    small = np.arange(1, min(math.isqrt(common), _MAX_DIVISOR) + 1)
    small = small[common % small == 0]
    for divisor in sorted({*small.tolist(), *(common // small).tolist()}, reverse=True):
        if counts[values % divisor == 0].sum() >= NEARLY_ALL * len(steps):
            return int(divisor)
    return None


def price_steps(contract: Int64, price: Int64) -> Int64:
    """Return the price changes between neighbouring prints of one contract, above 0.

    Parameters
    ----------
    contract : array of int, shape (n,)
        Number of each print's contract.
    price : array of int64, shape (n,)
        1e-9 points, in the order of the file.
    """
    order = np.argsort(contract, kind="stable")
    steps = np.abs(np.diff(price[order]))[np.diff(contract[order]) == 0]
    changes: Int64 = steps[steps > 0]
    return changes


def _points(nanos: int | None) -> str:
    return f"{(nanos or 0) / NANOS:.10g}"


def _advice(instrument: Instrument, likely: int | None) -> str:
    if INSTRUMENTS.get(instrument.root) != instrument:
        return "correct TICK_SIZE, and check POINT_VALUE, of the instrument line"
    line = f"{instrument.root} {_points(likely) if likely else 'TICK_SIZE'} POINT_VALUE"
    return f"check that the files are those of {instrument.name}, or give your own line, --instrument '{line}'"
