"""Session dates: the CME trading day, which begins at 17:00 America/Chicago the evening before.

All times are int64 nanoseconds UTC. Time zone rules come from the tz database (`zoneinfo`), so daylight saving changes
are handled.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base import facts
from scalpr_zen.base.arrays import Array, Int64
from scalpr_zen.base.texts import formatted, joined, labelled
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
    return joined(len(ts), chicago_columns(ts, unit)).split("\n")[1:]


def utc_text(ts: Int64) -> list[str]:
    """Return each time as ISO 8601 UTC with nanoseconds, `2024-12-16T14:30:00.125000000Z`."""
    return joined(len(ts), utc_columns(ts)).split("\n")[1:]


def chicago_columns(ts: Int64, unit: Literal["ms", "ns"] = "ms") -> list[Array | bytes]:
    """Return the columns of `chicago_text` for `joined`."""
    offsets = chicago_offsets(ts)
    zone = formatted(offsets, lambda offset: f"{'-' if offset < 0 else '+'}{abs(offset) // _HOUR:02d}:00")
    return [*_wall_columns(ts + offsets, unit), zone]


def utc_columns(ts: Int64) -> list[Array | bytes]:
    """Return the columns of `utc_text` for `joined`."""
    return [*_wall_columns(ts, "ns"), b"Z"]


def _wall_columns(ts: Int64, unit: Literal["ms", "ns"]) -> list[Array | bytes]:
    """Return times as `2024-12-16T14:30:00.125`, to the ms or ns."""
    seconds, nanos = np.divmod(ts, NANOS)
    days, second = np.divmod(seconds, 86_400)
    first, last = (days.min(), days.max()) if len(days) else (0, 0)
    dates = np.arange(first, last + 1).astype("M8[D]").astype(str).tolist()
    clock = _clock()
    columns = [
        labelled(days - first, (f"{date}T" for date in dates)),
        clock.minutes[second // 60],
        clock.seconds[second % 60],
    ]
    sizes = (1_000_000,) if unit == "ms" else (1_000_000, 1_000, 1)
    return [*columns, *(clock.thousandths[nanos // size % 1_000] for size in sizes)]


class _Clock(NamedTuple):
    """Texts of the minutes of a day, the seconds of a minute, and the thousandths of a unit, as bytes."""

    minutes: Array
    seconds: Array
    thousandths: Array


@cache
def _clock() -> _Clock:
    return _Clock(
        np.array([b"%02d:%02d:" % divmod(minute, 60) for minute in range(1_440)]),
        np.array([b"%02d." % second for second in range(60)]),
        np.array([b"%03d" % number for number in range(1_000)]),
    )


@cache
def _offset_seconds(epoch: int) -> int:
    offset = datetime.fromtimestamp(epoch, tz=CHICAGO).utcoffset()
    assert offset is not None  # an aware time always has one
    return int(offset.total_seconds())
