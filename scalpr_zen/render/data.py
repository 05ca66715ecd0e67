"""A result as JSON data."""

from __future__ import annotations

import math
from typing import Any


def jsonable(value: Any) -> Any:
    """Return plain data with None for NaN, which JSON cannot express."""
    if isinstance(value, dict):
        return {key: jsonable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [jsonable(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
