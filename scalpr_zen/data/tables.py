"""What a tape holds: its columns, and the tables of its segments and sessions."""

from __future__ import annotations

from typing import Any

import numpy as np

from scalpr_zen.base.arrays import Array

COLUMNS: dict[str, np.dtype[Any]] = {
    "ts": np.dtype("<i8"),
    "price": np.dtype("<i4"),
    "size": np.dtype("<i4"),
    "aggressor": np.dtype("i1"),
}
SEGMENT = np.dtype([("contract", "<U24"), ("start", "<i8"), ("stop", "<i8")])
SESSION = np.dtype([("date", "<M8[D]"), ("start", "<i8"), ("stop", "<i8"), ("close", "<i8"), ("whole", "?")])
TABLES = {"segments": SEGMENT, "sessions": SESSION}


def runs(labels: Array, dtype: np.dtype[Any]) -> Array:
    """Return the runs of equal neighbours of `labels` (n,) as a table of label, start and stop."""
    starts = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]]) if len(labels) else np.empty(0, np.int64)
    table = np.empty(len(starts), dtype)
    table[dtype.names[0]] = labels[starts]  # type: ignore[index]
    table["start"] = starts
    table["stop"] = np.r_[starts[1:], len(labels)] if len(starts) else starts
    return table


def cut_ranges(table: Array, start: int, stop: int) -> Array:
    """Return the rows of a table of print ranges within start:stop, counted from `start`."""
    kept = table[(table["start"] < stop) & (table["stop"] > start)].copy()
    kept["start"] = np.maximum(kept["start"], start) - start
    kept["stop"] = np.minimum(kept["stop"], stop) - start
    return kept
