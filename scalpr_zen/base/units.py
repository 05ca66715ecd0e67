"""Units: inside, a time is int64 ns and a price int32 ticks; users read and write points, ticks, seconds and ms."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from scalpr_zen.base.errors import ParameterError

NANOS = 1_000_000_000
"""Nanoseconds of a second, and price units of a point: prices in DBN files and tick sizes are in 1e-9 points."""
MILLISECOND = 1_000_000
MAX_TICKS = 10**9
"""Ticks of a price or a distance at most: an int32 holds the difference of two."""
Distance = float | str
"""A distance in points, `2.5`, or in ticks, `"8t"`: the type hint of a parameter that takes either."""


def distance_ticks(name: str, distance: Distance, tick_nanos: int) -> int:
    """Return a distance, 2.5 points or "8t", as a whole number of ticks of `tick_nanos` (1e-9 points) each.

    Decimal, because 0.1 points and a tick of 0.1 must meet exactly.

    Raises
    ------
    ParameterError
        If the distance is no multiple of the tick, or more ticks than MAX_TICKS.
    """
    in_ticks = isinstance(distance, str)
    ticks = Decimal(str(distance)[:-1]) if in_ticks else Decimal(str(distance)) * NANOS / tick_nanos
    if ticks != ticks.to_integral_value():
        raise ParameterError(f"{name} must be a multiple of the tick {tick_nanos / NANOS:g}, was {distance}", name)
    if abs(ticks) > MAX_TICKS:
        was = distance if in_ticks else f"{distance} points"
        raise ParameterError(f"{name} must be at most {MAX_TICKS:,} ticks, was {was}", name)
    return int(ticks)


def distance_text(distance: Distance, tick_size: float) -> str:
    """Return a distance as it was given, ticks with their points: `2.5 points`, `8t (2 points)`."""
    if not isinstance(distance, str):
        return f"{distance} points"
    return f"{distance} ({number_text(Decimal(distance[:-1]) * Decimal(str(tick_size)))} points)"


def ticks_to_points(ticks: Any, tick_nanos: int) -> Any:
    """Return ticks (an int or an array of integers) in points, each the float nearest to its decimal."""
    return ticks * tick_nanos / NANOS


def number_text(number: float | Decimal) -> str:
    """Return a number with all its decimals and no others, `1,000` and `0.000004`."""
    text = f"{Decimal(str(number)):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def whole_ns(name: str, value: float, unit_ns: int) -> int:
    """Return a time of `value` units of `unit_ns` nanoseconds each as a whole number of nanoseconds.

    Raises
    ------
    ParameterError
        If it is not a whole number.
    """
    exact = Decimal(str(value)) * unit_ns
    ns = round(exact)
    if abs(exact - ns) > Decimal("0.001"):  # 0.1 + 0.2 ms are meant to be 300,000 ns
        raise ParameterError(f"{name} must be a whole number of nanoseconds, was {value}", name)
    return ns


def day_ns(day: date) -> int:
    """Return the ns UTC at which a UTC date begins."""
    return (day - date(1970, 1, 1)) // timedelta(days=1) * 86_400 * NANOS


def utc_date(ns: int) -> date:
    """Return the UTC date of a time."""
    return datetime.fromtimestamp(ns // NANOS, tz=UTC).date()
