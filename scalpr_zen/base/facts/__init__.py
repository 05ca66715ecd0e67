"""Facts about the exchange and prop firms, in files that name their sources.

`instruments.csv` is the table of contracts, `exchange_hours.toml` says when sessions open and close, and each file of
`prop_firms/` holds the rules of one evaluation.
"""

from __future__ import annotations

import csv
import re
import tomllib
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
PROP_FIRMS = _FOLDER / "prop_firms"


def instruments() -> list[dict[str, str]]:
    """Return the rows of the table of contracts."""
    with open(_FOLDER / "instruments.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def prop_firms() -> tuple[str, ...]:
    """Return the names of the packaged rule sets; numbers in them count as numbers."""
    parts = {path.stem: re.split(r"(\d+)", path.stem) for path in PROP_FIRMS.glob("*.toml")}
    return tuple(sorted(parts, key=lambda name: [int(part) if part.isdigit() else part for part in parts[name]]))


_HOURS = tomllib.loads((_FOLDER / "exchange_hours.toml").read_text(encoding="utf-8"))
CALENDARS: dict[str, dict[str, Any]] = _HOURS["calendars"]
CORRECTIONS: list[dict[str, Any]] = _HOURS["corrections"]
"""The regular hours of each group of products, and the closes of single dates that replace the library's."""
