"""A tape from columns in memory, of any vendor: checked, with its segments and sessions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

import numpy as np

from scalpr_zen.base.arrays import Array
from scalpr_zen.base.errors import TapeError
from scalpr_zen.base.instruments import Instrument
from scalpr_zen.base.sessions import session_dates, session_time
from scalpr_zen.base.units import MAX_TICKS, MILLISECOND, NANOS, day_ns
from scalpr_zen.data.calendar import close_sessions
from scalpr_zen.data.tables import COLUMNS, SEGMENT, SESSION, runs

_ALLOWED = {"price": (-MAX_TICKS, MAX_TICKS), "size": (0, 2**31 - 1), "aggressor": (-1, 1)}
"""What fills can be computed from; ingest has the same limits."""
_EPOCH_YEARS = (1990, 2100)
_TIMES = tuple(day_ns(date(year, 1, 1)) for year in _EPOCH_YEARS)
"""Allowed times of prints, ns UTC: CME Globex did not exist before, and larger numbers have another unit."""
_FROM_POINTS = (
    "ticks; from points: np.rint(np.asarray(points) * 1e9).astype(np.int64) // {nanos}; "
    "prices must be on the tick grid; see the recipe in docs/data.md"
)
_FROM_DATETIMES = 'ns UTC; from datetime64 in UTC: ts.astype("M8[ns]").astype(np.int64)'


def tape_parts(
    ts: Any,
    price: Any,
    instrument: Instrument,
    size: Any,
    aggressor: Any,
    contract: Any,
    closes: Mapping[str, str],
    whole: Any,
) -> dict[str, Any]:
    """Return the columns, tables and metadata of a tape; see `Tape.from_prints`."""
    ts = _column("ts", ts, _FROM_DATETIMES)
    n = len(ts)
    _refuse_times(ts)
    columns = {
        "ts": ts,
        "price": _column("price", price, _FROM_POINTS.format(nanos=instrument.tick_nanos)),
        "size": _column("size", np.ones(n, np.int32) if size is None else size),
        "aggressor": _column("aggressor", np.zeros(n, np.int8) if aggressor is None else aggressor),
    }
    contracts = np.full(n, instrument.root) if contract is None else np.asarray(contract, dtype="U24")
    if any(len(column) != n for column in (*columns.values(), contracts)):
        raise TapeError("the columns of a tape must have the same length")
    for name, (low, high) in _ALLOWED.items():
        if n and not (low <= columns[name].min() and columns[name].max() <= high):
            found = f"{columns[name].min()} to {columns[name].max()}"
            raise TapeError(f"{name} must be {low} to {high}{' ticks' * (name == 'price')}, was {found}")
    if n and (np.diff(ts) < 0).any():
        raise TapeError("the times of a tape must never decrease: sort the prints by time")
    sessions, metadata = _sessions(ts, instrument.calendar, closes, whole)
    return {**columns, "segments": runs(contracts, SEGMENT), "sessions": sessions, "metadata": metadata}


def _refuse_times(ts: Array) -> None:
    """Refuse impossible times, and name the unit that they seem to have."""
    if not len(ts):
        return
    low, high = int(ts.min()), int(ts.max())
    first, end = _TIMES
    if first <= low and high < end:
        return
    units = {"s": NANOS, "ms": MILLISECOND, "us": 1_000}
    likely = [
        f"; these look like {u}: multiply by {k:,}" for u, k in units.items() if first <= low * k <= high * k < end
    ]
    years = f"{_EPOCH_YEARS[0]} to {_EPOCH_YEARS[1] - 1}"
    raise TapeError(f"ts must be ns UTC, in the years {years}, was {low} to {high}{''.join(likely)}")


def _column(name: str, values: Any, unit: str = "") -> Array:
    """Return a column in its type; refuse values that it cannot hold, and name its unit."""
    dtype, given = COLUMNS[name], np.asarray(values)
    if given.size == 0:
        given = given.astype(dtype)
    limits = np.iinfo(dtype)
    if given.ndim != 1 or given.dtype.kind not in "iu":
        needed = f"{name} must be whole numbers, one a print, was {given.dtype} {given.shape}"
        raise TapeError(f"{needed}: {name} is in {unit}" if unit else needed)
    if given.size and not (limits.min <= given.min() and given.max() <= limits.max):
        raise TapeError(f"{name} must be {limits.min} to {limits.max}, was {given.min()} to {given.max()}")
    column = np.ascontiguousarray(given, dtype).view()
    column.flags.writeable = False  # like those of a mapped tape: no strategy may change what the run will trade
    return column


def _sessions(ts: Array, calendar: str, given: Mapping[str, str], whole: Any) -> tuple[Array, dict[str, Any]]:
    """Return the table of sessions, and the metadata of their closes and the missing dates."""
    table = runs(session_dates(ts, calendar), SESSION)
    metadata = close_sessions(calendar, table, ts, dict(_closes(given)))
    if whole is not None:
        table["whole"] = _whole(whole, len(table))
    return table, metadata


def _whole(given: Any, dates: int) -> Array:
    flags = np.asarray(given)
    if flags.dtype != np.bool_ or flags.shape not in ((), (dates,)):
        raise TapeError(f"whole must be a bool, or one for each of the {dates} session dates, was {given!r}")
    return flags


def _closes(given: Mapping[str, str]) -> Iterator[tuple[date, int]]:
    """Give the session dates and closes, ns UTC, of texts."""
    for text, time in given.items():
        try:
            day, at = date.fromisoformat(text), datetime.strptime(time, "%H:%M")
        except (TypeError, ValueError):
            raise TapeError(f"closes must be like {{'2024-12-24': '12:15'}}, was {{{text!r}: {time!r}}}") from None
        yield day, session_time(day, 60 * at.hour + at.minute)
