"""When the sessions of a product open and close, holidays included, and which dates have a session.

The holidays and early closes are those of `pandas_market_calendars`, whose calendars follow CME Group's groups of
products. `facts/exchange_hours.toml` corrects them: the library has today's opens and closes for all years, and on some
dates not the hours that the exchange published. The file begins in June 2010, like the vendor's data.
`tests/support/cme_hours.csv` has published hours with their URLs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np

from scalpr_zen.base import facts
from scalpr_zen.base.arrays import Array, Bools, Dates, Int64
from scalpr_zen.base.errors import ParameterError
from scalpr_zen.base.sessions import AROUND_THE_CLOCK, chicago_text, session_time
from scalpr_zen.base.units import NANOS

LIBRARY = "pandas_market_calendars"
CLOSED = "closed"
_FIXED_HOLIDAYS = {(1, 1), (7, 4), (12, 25)}

REACH = 3 * 3600 * NANOS
"""How far from its schedule, in ns, the first and the last print of a whole session date may lie.

A UTC day begins one or two hours after 17:00 in Chicago. So the file of one UTC day holds a session date without its
first hour or two, which must count as whole, and an hour or two of the next one, which must not.
"""


class Closes(NamedTuple):
    """The scheduled closes of session dates, each of shape (n,)."""

    ns: Int64
    """Scheduled close, ns UTC."""
    early: Bools
    """Whether the close is earlier than the regular close of the day."""
    unknown: Bools
    """Whether the calendar has no session on the date; the close is then the regular one."""


def session_closes(calendar: str, dates: Dates) -> Closes:
    """Return when each session date closes.

    A halt on a holiday is the close of that day's session date, because a position cannot be closed during the halt,
    although trading resumes at 17:00 and the exchange gives both parts the same trade date.

    Parameters
    ----------
    calendar : str
        One of `scalpr_zen.base.instruments.CALENDARS`.
    dates : array of datetime64[D], shape (n,)
        Session dates, in any order.

    Raises
    ------
    ParameterError
        If there is no such calendar.
    """
    if calendar not in facts.CALENDARS:
        raise ParameterError(f"calendar must be one of {' '.join(facts.CALENDARS)}; was {calendar!r}")
    days: list[date] = dates.tolist()
    known: dict[date, int | None] = {}
    for decade in sorted({day.year // 10 for day in days}):
        known |= _library_closes(calendar, decade)
    known |= _corrected(calendar)
    regular = [_regular(calendar, day) for day in days]
    given = [known.get(day) for day in days]
    minutes = [usual if minute is None else min(minute, usual) for minute, usual in zip(given, regular, strict=True)]
    return Closes(
        np.array([session_time(day, minute) for day, minute in zip(days, minutes, strict=True)], np.int64),
        np.array(minutes, np.int64) < np.array(regular, np.int64),
        np.array([minute is None for minute in given], np.bool_),
    )


def session_opens(calendar: str, dates: Dates) -> Int64:
    """Return when each session date opens, ns UTC, shape (n,): the regular time, also on holidays.

    A Monday of a calendar that trades through the weekend opens on Friday at 17:00. The grains open in the morning
    after a holiday without an overnight session.
    """
    days: list[date] = dates.tolist()
    first_days = [_first_day(calendar, day) for day in days]
    minutes = [_open(calendar, day) for day in days]
    return np.array([session_time(day, minute) for day, minute in zip(first_days, minutes, strict=True)], np.int64)


def late_and_early(calendar: str, sessions: Array, ts: Int64) -> tuple[Bools, Bools]:
    """Return whether the prints of each session date begin late, and whether they end early, by more than REACH.

    Parameters
    ----------
    calendar : str
        One of `scalpr_zen.base.instruments.CALENDARS`.
    sessions : array of SESSION, shape (session dates,)
    ts : array of int64
        Their prints, ns UTC.
    """
    late = ts[sessions["start"]] - session_opens(calendar, sessions["date"]) > REACH
    return late, sessions["close"] - ts[sessions["stop"] - 1] > REACH


def close_sessions(calendar: str, sessions: Array, ts: Int64, given: Mapping[date, int]) -> dict[str, Any]:
    """Fill in when each session date closes, and whether its prints cover it.

    Parameters
    ----------
    calendar : str
        One of `scalpr_zen.base.instruments.CALENDARS`.
    sessions : array of SESSION, shape (session dates,)
        With their dates and prints.
    ts : array of int64
        Their prints, ns UTC, never decreasing.
    given : mapping of session date to ns UTC
        Closes that differ from those of the calendar.

    Returns
    -------
    dict
        JSON values for the metadata of a tape: `closes`, their source, and `missing` session dates.
    """
    dates = sessions["date"]
    closes = session_closes(calendar, dates)
    for day, ns in given.items():
        closes.ns[dates == np.datetime64(day)] = ns
    sessions["close"] = closes.ns
    late, early = late_and_early(calendar, sessions, ts)
    sessions["whole"] = ~(late | early)
    after = sessions["stop"] - np.clip(np.searchsorted(ts, closes.ns, "right"), sessions["start"], sessions["stop"])
    times = [text[11:16] for text in chicago_text(closes.ns[closes.early])]
    about = {
        "calendar": calendar,
        "library": f"{LIBRARY} {_library_version()}",
        "early": dict(zip(_texts(dates[closes.early]), times, strict=True)),
        "unknown": _texts(dates[closes.unknown]),
        "prints_after": int(after.sum()),
    }
    return {"closes": about, "missing": missing_dates(calendar, dates)}


def missing_dates(calendar: str, dates: Dates) -> list[str]:
    """Return the scheduled session dates between the first and last of `dates` that are missing from them, ISO."""
    if not len(dates):
        return []
    between = np.setdiff1d(np.arange(dates.min(), dates.max()), dates)
    return _texts(between[~session_closes(calendar, between).unknown])


def _texts(dates: Dates) -> list[str]:
    return dates.astype(str).tolist()  # type: ignore[no-any-return]


@cache
def _library_version() -> str:
    return version(LIBRARY)


@cache
def _library_closes(calendar: str, decade: int) -> dict[date, int | None]:
    """Return the minute of the Chicago day at which each session of ten years closes; 202 stands for 2020 to 2029.

    The library's regular close counts as the end of the day, so the regular close of the year replaces it. Ten years
    take the library as long as one.
    """
    import pandas_market_calendars  # here, because it imports pandas, for which a backtest must not wait

    book = pandas_market_calendars.get_calendar(facts.CALENDARS[calendar]["library"])
    closes = book.schedule(f"{decade}0-01-01", f"{decade}9-12-31", tz="America/Chicago")["market_close"]
    usual = book.close_time.hour * 60 + book.close_time.minute
    minutes = ((day.date(), close.hour * 60 + close.minute) for day, close in closes.items())
    return {day: 24 * 60 if minute == usual else minute for day, minute in minutes}


@cache
def _corrected(calendar: str) -> dict[date, int | None]:
    """Return the minute of each corrected close, None where there is no session."""
    rows = [row for row in facts.CORRECTIONS if calendar in row["calendars"]]
    return {day: None if row["close"] == CLOSED else _minute(row["close"]) for row in rows for day in row["dates"]}


def _regular(calendar: str, day: date) -> int:
    hours = _hours(calendar, day)
    return _minute(hours["close"] if day.weekday() < 4 else hours.get("close_friday", hours["close"]))


def _open(calendar: str, day: date) -> int:
    after_holiday = facts.CALENDARS[calendar].get("open_after_holiday")
    if after_holiday and _rests_overnight(day - timedelta(days=1)):
        return _minute(after_holiday)
    hours = _hours(calendar, day)
    return _minute(hours["open"] if day.weekday() else hours.get("open_monday", hours["open"]))


def _rests_overnight(day: date) -> bool:
    """Return whether a weekday is one of the four holidays after which the grains have no overnight session.

    A holiday on a Sunday is observed on Monday; after one on a Friday or a Saturday, Monday opens as usual.
    """
    observed = day - timedelta(days=1) if day.weekday() == 0 else day
    fixed = not _FIXED_HOLIDAYS.isdisjoint({(day.month, day.day), (observed.month, observed.day)})
    thanksgiving = day.month == 11 and day.weekday() == 3 and 22 <= day.day <= 28
    return (fixed and day.weekday() < 5) or thanksgiving


def _hours(calendar: str, day: date) -> dict[str, Any]:
    """Return the regular hours in force on a day; for a day before all of them, the first."""
    rows: list[dict[str, Any]] = facts.CALENDARS[calendar]["hours"]
    return next((row for row in reversed(rows) if row["from"] <= day), rows[0])


def _first_day(calendar: str, day: date) -> date:
    """Return the earliest calendar day that belongs to a session date."""
    saturday = day - timedelta(days=2)
    around = day.weekday() == 0 and saturday >= AROUND_THE_CLOCK.get(calendar, date.max)
    return saturday if around else day


def _minute(time: str) -> int:
    hours, minutes = time.split(":")
    return 60 * int(hours) + int(minutes)
