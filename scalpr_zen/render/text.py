"""Numbers and times as text. ASCII only, so that every console can show it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from scalpr_zen.base.sessions import CHICAGO

Values = Mapping[str, Any]

WIDTH = 100
"""Columns of a screen."""


def number(value: Any, unit: str = "", *, signed: bool = False, missing: str = "n/a") -> str:
    """Return a value of a unit as text; `missing` if it is undefined, and a plus before a gain if signed."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return missing
    return ("+" if signed and value > 0 else "") + _number(value, unit)


def _number(value: Any, unit: str) -> str:
    if unit == "usd":
        return f"{'-' if value < 0 else ''}${abs(value):,.2f}"
    if unit == "share":
        return f"{value * 100:.2f}%"
    if unit == "p":
        return f"{value:.4g}"
    if unit == "seconds":
        return f"{value:,.3f} s"
    if unit == "points":
        return f"{value:.10g}"
    if unit == "dates":
        return f"{value:.1f}"
    text = f"{value:,.3f}" if isinstance(value, float) else f"{value:,}"
    return f"{text} {unit}" if unit and unit not in ("ratio", "text") else text


def chicago(moment: str) -> str:
    """Return an ISO 8601 time in Chicago time, with its offset."""
    return datetime.fromisoformat(moment).astimezone(CHICAGO).isoformat()


def counted(count: int, thing: str) -> str:
    """Return a number of things in words: `1 print`, `2 prints`."""
    return f"{count:,} {thing}{'s' * (count != 1)}"


def listed(words: list[str], shown: int) -> str:
    """Return the first words of a list, and dots for the others."""
    return ", ".join(words[:shown]) + ", ..." * (len(words) > shown)


def title(text: str) -> Iterator[str]:
    """Give the lines of a title."""
    yield from ("", text, "-" * len(text))
