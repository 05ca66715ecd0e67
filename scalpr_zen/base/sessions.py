"""Session dates: the CME trading day, which begins at 17:00 America/Chicago the evening before.

All times are int64 nanoseconds UTC. Time zone rules come from the tz database (`zoneinfo`), so daylight saving changes
are handled.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base import facts
from scalpr_zen.base.units import NANOS, utc_date

CHICAGO = ZoneInfo("America/Chicago")
SESSION_OPEN_HOUR = 17
_HOUR = 3600 * NANOS
AROUND_THE_CLOCK: dict[str, date] = {
    name: hours["weekends_from"] for name, hours in facts.CALENDARS.items() if "weekends_from" in hours
}
"""Calendars that trade through the weekend, and the first Saturday on which they did.

Trades from Friday evening to Sunday evening have the trade date of the next business day.
"""

Int64 = NDArray[np.int64]
Dates = NDArray[np.datetime64]


def session_open(day: date) -> int:
    """Return the ns UTC at which the session of `day` begins: 17:00 Chicago the evening before."""
    return session_time(day, SESSION_OPEN_HOUR * 60)


def session_time(day: date, minute: int) -> int:
    """Return the ns UTC of a wall time within a session.

    Parameters
    ----------
    day : date
        Session date.
    minute : int
        Minute of the Chicago day, 0 to 1439; a minute from 17:00 on is on the evening before.
    """
    local_day = day - timedelta(days=1) if minute >= SESSION_OPEN_HOUR * 60 else day
    local = datetime(local_day.year, local_day.month, local_day.day, *divmod(minute, 60), tzinfo=CHICAGO)
    return int(local.timestamp()) * NANOS


def session_calendar(first: int, last: int, calendar: str = "") -> tuple[Dates, Int64]:
    """Return the session dates that cover the times `first` to `last`, and when each begins.

    Parameters
    ----------
    first, last : int
        Times in ns UTC.
    calendar : str
        Calendar of the instrument; only those of AROUND_THE_CLOCK differ: their Monday begins on Friday at 17:00.

    Returns
    -------
    dates : array of datetime64[D], shape (n + 1,)
        Calendar days in order, without weekends that belong to a Monday; the last one begins after `last`.
    opens : array of int64, shape (n + 1,)
        `opens[k] <= t < opens[k + 1]` means that `t` belongs to `dates[k]`.
    """
    day = utc_date(first) - timedelta(days=1)
    end = utc_date(last) + timedelta(days=4)  # beyond a weekend
    days = [day + timedelta(days=k) for k in range((end - day).days + 1)]
    opens = np.array([session_open(d) for d in days], dtype=np.int64)
    since = AROUND_THE_CLOCK.get(calendar, date.max)
    kept = np.flatnonzero([d.weekday() < 5 or d < since for d in days])
    begins = np.concatenate(([0], kept[:-1] + 1))
    return np.array(days, dtype="M8[D]")[kept], opens[begins]


def session_dates(ts: Int64, calendar: str = "") -> Dates:
    """Return the session date of each time, shape (n,), ns UTC to datetime64[D]; `calendar` as in session_calendar."""
    if len(ts) == 0:
        return np.empty(0, dtype="M8[D]")
    dates, opens = session_calendar(int(ts.min()), int(ts.max()), calendar)
    return dates[np.searchsorted(opens, ts, side="right") - 1]


def chicago_offsets(ts: Int64) -> Int64:
    """Return the offset of Chicago from UTC at each time, ns to add to UTC.

    The offset changes only on whole UTC hours, so one look-up per hour is enough.
    """
    hours, inverse = np.unique(ts // _HOUR, return_inverse=True)
    offsets = [_offset_seconds(int(hour) * 3600) * NANOS for hour in hours]
    return np.array(offsets, dtype=np.int64)[inverse]


def chicago_text(ts: Int64, unit: Literal["ms", "ns"] = "ms") -> list[str]:
    """Return each time as Chicago wall time to the ms, or ns, with its offset, `2024-12-16T08:30:00.125-06:00`."""
    offsets = chicago_offsets(ts)
    walls = np.datetime_as_string((ts + offsets).view("M8[ns]"), unit=unit).tolist()
    zones, codes = np.unique(offsets, return_inverse=True)
    labels = [f"{'-' if zone < 0 else '+'}{abs(zone) // _HOUR:02d}:00" for zone in zones.tolist()]
    return [wall + labels[code] for wall, code in zip(walls, codes.tolist(), strict=True)]


def utc_text(ts: Int64) -> list[str]:
    """Return each time as ISO 8601 UTC with nanoseconds, `2024-12-16T14:30:00.125000000Z`."""
    return [f"{text}Z" for text in np.datetime_as_string(ts.view("M8[ns]")).tolist()]


@cache
def _offset_seconds(epoch: int) -> int:
    offset = datetime.fromtimestamp(epoch, tz=CHICAGO).utcoffset()
    assert offset is not None  # an aware time always has one
    return int(offset.total_seconds())
