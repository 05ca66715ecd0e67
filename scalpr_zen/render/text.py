"""How the report writes numbers, times, titles and rows. ASCII only, so that every console can show it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from scalpr_zen.base.sessions import CHICAGO

Values = Mapping[str, Any]

WIDTH = 100
"""Columns of a screen."""


def number(value: Any, unit: str = "") -> str:
    """Return a value of a unit as text; `n/a` for what is undefined."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "n/a"
    if unit == "usd":
        return f"{'-' if value < 0 else ''}${abs(value):,.2f}"
    if unit == "share":
        return f"{value * 100:.2f}%"
    if unit == "p":
        return f"{value:.4g}"
    if unit == "seconds":
        return f"{value:,.3f} s"
    text = f"{value:,.3f}" if isinstance(value, float) else f"{value:,}"
    return f"{text} {unit}" if unit and unit != "ratio" else text


def chicago(moment: str) -> str:
    """Return an ISO 8601 time as one of Chicago, with its offset."""
    return datetime.fromisoformat(moment).astimezone(CHICAGO).isoformat()


def title(text: str) -> Iterator[str]:
    """Give the lines of a title."""
    yield from ("", text, "-" * len(text))


def labelled(label: str, value: Any) -> str:
    """Return a line of a label and a value."""
    return f"  {label:<26}{'n/a' if value is None else value}"


def counted(count: int, thing: str) -> str:
    """Return a number of things in words: `1 print`, `2 prints`."""
    return f"{count:,} {thing}{'s' * (count != 1)}"
