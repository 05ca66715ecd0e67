"""When the sessions of a product open and close, holidays included, and which dates have a session.

The holidays and early closes are those of `pandas_market_calendars`, whose calendars follow CME Group's groups of
products, with three tables over them: opens and closes that changed over the years, which the library gives as they
are today, and dates on which the exchange published other hours than the library gives. All begin with the vendor's
data, in June 2010. `tests/cme_hours.csv` holds published hours with their addresses.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.errors import ParameterError
from scalpr_zen.base.params import NANOS
from scalpr_zen.base.sessions import AROUND_THE_CLOCK, Dates, Int64, chicago_text, session_time

Bools = NDArray[np.bool_]

LIBRARY = "pandas_market_calendars"
_NAMES = {
    "equity": "CME Globex Equity",
    "rates": "CME Globex Fixed Income",
    "fx": "CMEGlobex_FX",
    "energy_metals": "CMEGlobex_EnergyAndMetals",
    "grains": "CMEGlobex_Grains",
    "livestock": "CMEGlobex_Livestock",
    "crypto": "CME Globex Crypto",
}
"""The library's calendar of each of `scalpr_zen.base.instruments.CALENDARS`."""

# The E-minis closed at 16:30, and at 15:15 on Fridays, until 2012-11-16, and at 16:15 until the exchange moved its
# evening maintenance to 16:00 on 2015-09-21, with it NYMEX and COMEX. The grains lost their 21-hour day in April 2013
# and their pits in July 2015. Livestock traded overnight until October 2014, in the afternoon until February 2016.
_REGULAR: dict[str, tuple[tuple[str, str, str], ...]] = {
    "equity": (
        ("2010-06-06", "16:30", "15:15"),
        ("2012-11-19", "16:15", "16:15"),
        ("2015-09-21", "16:00", "16:00"),
    ),
    "rates": (("2010-06-06", "16:00", "16:00"),),
    "fx": (("2010-06-06", "16:00", "16:00"),),
    "energy_metals": (("2010-06-06", "16:15", "16:15"), ("2015-09-21", "16:00", "16:00")),
    "grains": (
        ("2010-06-06", "13:15", "13:15"),
        ("2012-05-21", "14:00", "14:00"),
        ("2013-04-08", "13:15", "13:15"),
        ("2015-07-06", "13:20", "13:20"),
    ),
    "livestock": (("2010-06-06", "16:00", "13:55"), ("2016-02-29", "13:05", "13:05")),
    "crypto": (("2017-12-18", "16:00", "16:00"),),
}
"""Regular closes, Chicago, from a session date on: Monday to Thursday, and Friday. The first holds before it too."""

_OPENS: dict[str, tuple[tuple[str, str, str], ...]] = {
    **dict.fromkeys(("equity", "rates", "fx", "energy_metals", "crypto"), (("2010-06-06", "17:00", "17:00"),)),
    "grains": (
        ("2010-06-06", "18:00", "18:00"),
        ("2012-05-21", "17:00", "17:00"),
        ("2013-04-08", "19:00", "19:00"),
    ),
    "livestock": (
        ("2010-06-06", "09:05", "17:00"),
        ("2014-10-27", "09:05", "08:00"),
        ("2016-02-29", "08:30", "08:30"),
    ),
}
"""Opens, Chicago, from a session date on: Monday, and Tuesday to Friday; from 17:00 on on the evening before."""

_FIXED_HOLIDAYS = {(1, 1), (7, 4), (12, 25)}
_GRAINS_AFTER_HOLIDAY = "08:30"
"""Open of the grains after New Year, Independence Day, Thanksgiving and Christmas, which have no overnight session."""

CLOSED = "closed"
_CORRECTIONS: tuple[tuple[str, str, str], ...] = (
    # Good Friday without an employment report: "No trading for Friday" (the exchange's holiday notes).
    ("equity rates fx", CLOSED, "2024-03-29 2025-04-18 2027-03-26"),
    # Good Friday with one, before the library's rule for it.
    ("fx", "10:15", "2012-04-06 2015-04-03"),
    # National days of mourning: press releases of 2018-12-02 and 2024-12-30.
    ("equity", "08:30", "2018-12-05 2025-01-09"),
    ("rates", CLOSED, "2018-12-05"),
    ("rates grains", "12:15", "2025-01-09"),
    # Hurricane Sandy: the exchange's notices of 2012-10-28 and -29, a spokeswoman.
    ("equity", "08:15", "2012-10-29 2012-10-30"),
    ("rates", "11:00", "2012-10-29"),
    # Thursdays before a Friday without a session: the week ended at 15:15, as on the Fridays of these years.
    ("equity", "15:15", "2010-12-23 2011-04-21"),
    # The Friday before a Monday holiday, as the library has it for rates; and before Columbus Day for both.
    ("rates", "15:15", "2010-10-08 2011-10-07 2012-10-05"),
    ("fx", "15:15", "2010-07-02 2010-09-03 2010-10-08 2011-01-14 2011-02-18 2011-05-27 2011-07-01 2011-09-02"),
    ("fx", "15:15", "2011-10-07 2012-01-13 2012-02-17 2012-05-25 2012-08-31 2012-10-05 2013-01-18 2013-02-15"),
    ("fx", "15:15", "2013-05-24 2013-08-30 2014-01-17 2014-02-14 2014-05-23 2014-08-29 2015-01-16 2015-02-13"),
    ("fx", "15:15", "2015-05-22"),
    ("energy_metals", "15:15", "2010-07-02 2010-09-03 2010-10-08 2011-01-14 2011-02-18"),
    # NYMEX and COMEX halted at 12:15 on holidays until the spring of 2014.
    ("energy_metals", "12:15", "2010-07-05 2010-09-06 2010-11-25 2011-01-17 2011-02-21 2011-05-30 2011-07-04"),
    ("energy_metals", "12:15", "2011-09-05 2011-11-24 2012-01-16 2012-02-20 2012-05-28 2012-07-04 2012-09-03"),
    ("energy_metals", "12:15", "2012-11-22 2013-01-21 2013-02-18 2013-05-27 2013-07-04 2013-09-02 2013-11-28"),
    ("energy_metals", "12:15", "2014-01-20 2014-02-17"),
    # Christmas Eve, which the library has from 2026 on.
    ("energy_metals", "12:45", "2012-12-24 2013-12-24 2014-12-24 2015-12-24 2018-12-24 2019-12-24 2020-12-24"),
    ("energy_metals", "12:45", "2024-12-24 2025-12-24"),
    # Labor Day went to 13:30 in 2022 with the other holidays.
    ("energy_metals", "13:30", "2022-09-05 2023-09-04 2024-09-02 2025-09-01"),
    # A holiday on a Friday ends the week at noon; the day after Thanksgiving and Christmas Eve moved in 2025.
    ("energy_metals", "12:00", "2025-07-04 2027-06-18"),
    ("fx", "12:15", "2010-12-31"),
    ("fx", "12:00", "2025-07-04 2026-06-19 2026-07-03 2027-06-18"),
    ("energy_metals", "13:45", "2025-11-28"),
    ("fx", "13:45", "2025-11-28 2026-11-27"),
    ("fx", "12:45", "2025-12-24 2026-12-24"),
    # The library has no early closes of the grains, and not their Juneteenth.
    ("grains", "12:00", "2010-12-31 2011-11-25 2012-11-23 2012-12-24 2013-07-03 2013-11-29 2013-12-24"),
    ("grains", "12:00", "2014-07-03 2014-11-28 2014-12-24 2015-07-02"),
    ("grains", "12:05", "2015-11-27 2015-12-24 2016-11-25 2016-12-23 2017-07-03 2017-11-24 2017-12-22 2018-07-03"),
    ("grains", "12:05", "2018-11-23 2018-12-24 2019-07-03 2019-11-29 2019-12-24 2020-07-02 2020-11-27 2020-12-24"),
    ("grains", "12:05", "2021-11-26 2022-11-25 2023-11-24 2024-11-29 2024-12-24 2025-11-28 2025-12-24"),
    ("grains", "12:05", "2026-11-27 2026-12-24"),
    ("grains livestock", CLOSED, "2022-06-20 2023-06-19 2024-06-19 2025-06-19 2026-06-19 2027-06-18"),
    # Livestock's early closes: the library has the last of them alone.
    ("livestock", "12:00", "2010-11-26"),
    ("livestock", "12:15", "2010-12-31 2011-11-25 2012-11-23 2012-12-24 2013-07-03 2013-11-29 2013-12-24"),
    ("livestock", "12:15", "2014-07-03 2014-11-28 2014-12-24 2015-07-02 2015-11-27 2015-12-24 2016-11-25"),
    ("livestock", "12:15", "2017-07-03 2017-11-24 2017-12-22 2018-07-03 2018-11-23 2018-12-24 2019-07-03"),
    ("livestock", "12:15", "2019-11-29 2019-12-24 2020-07-02 2025-12-24 2026-12-24"),
    ("livestock", "12:05", "2016-12-23 2020-11-27 2020-12-24"),
    ("livestock", "13:55", "2011-04-21 2013-03-28 2014-04-17 2015-04-02 2015-12-31"),
    # Bitcoin's holidays: no session on Good Friday without an employment report, and early closes that moved.
    ("crypto", CLOSED, "2024-03-29 2025-04-18 2027-03-26"),
    ("crypto", "16:00", "2023-07-03 2024-07-03 2025-07-03"),
    ("crypto", "12:45", "2024-12-24 2025-12-24 2026-12-24"),
    ("crypto", "13:45", "2025-11-28 2026-11-27"),
    ("crypto", "12:00", "2025-07-04 2026-06-19 2026-07-03 2027-06-18"),
)
"""Calendars, close in Chicago, session dates: what the exchange published where the library says otherwise.

Dates that `tests/cme_hours.csv` lacks are those of QuantConnect's market hours database, which was made from the
exchange's holiday calendars; the grains' of 2017-11-24 and 2024-11-29 are those of all other years.
"""


REACH = 3 * 3600 * NANOS
"""How far from its schedule, in ns, the first and the last print of a whole session date may lie.

A UTC day begins one or two hours after 17:00 in Chicago. So the files of one UTC day hold a whole session date, short
of those hours, and an hour or two of the next one: the first must count as whole, the second must not.
"""


class Closes(NamedTuple):
    """The scheduled closes of session dates, each of shape (n,)."""

    ns: Int64
    """Scheduled close, ns UTC."""
    early: NDArray[np.bool_]
    """Whether it is earlier than the regular close of the day."""
    unknown: NDArray[np.bool_]
    """Whether the calendar has no session there; its close is then the regular one."""


def session_closes(calendar: str, dates: Dates) -> Closes:
    """Return when each session date closes.

    A halt on a holiday is the close of the session date of that day, though trading goes on at 17:00 and the
    exchange gives both parts one trade date: from the halt on a position cannot be closed.

    Parameters
    ----------
    calendar : str
        One of `scalpr_zen.base.instruments.CALENDARS`.
    dates : array of datetime64[D], shape (n,)
        Session dates, in any order.

    Raises
    ------
    ParameterError
        If there is no such calendar, or `pandas_market_calendars` is not installed.
    """
    if calendar not in _NAMES:
        raise ParameterError(f"calendar must be one of {' '.join(_NAMES)}; was {calendar!r}")
    days: list[date] = dates.tolist()
    known = _known_closes(calendar, days)
    regular = [_regular(calendar, day) for day in days]
    given = [known.get(day) for day in days]
    minutes = [usual if minute is None else min(minute, usual) for minute, usual in zip(given, regular, strict=True)]
    return Closes(
        np.array([session_time(day, minute) for day, minute in zip(days, minutes, strict=True)], np.int64),
        np.array(minutes, np.int64) < np.array(regular, np.int64),
        np.array([minute is None for minute in given], np.bool_),
    )


def session_opens(calendar: str, dates: Dates) -> Int64:
    """Return when each session date opens, ns UTC, shape (n,): the regular time, on holidays too.

    A Monday of a calendar that trades through the weekend opens on Friday at 17:00. The grains open in the morning
    after a holiday without an overnight session.
    """
    days: list[date] = dates.tolist()
    first_days = [_first_day(calendar, day) for day in days]
    minutes = [_minute(_open(calendar, day)) for day in days]
    return np.array([session_time(day, minute) for day, minute in zip(first_days, minutes, strict=True)], np.int64)


def late_and_early(calendar: str, dates: Dates, closes: Int64, first: Int64, last: Int64) -> tuple[Bools, Bools]:
    """Return whether the prints of each session date begin late, and whether they end early: beyond REACH.

    Parameters
    ----------
    calendar : str
        One of `scalpr_zen.base.instruments.CALENDARS`.
    dates : array of datetime64[D], shape (n,)
    closes, first, last : array of int64, shape (n,)
        Scheduled close, first and last print of each date, ns UTC.
    """
    return first - session_opens(calendar, dates) > REACH, closes - last > REACH


def missing_dates(calendar: str, dates: Dates) -> list[str]:
    """Return the scheduled session dates between the first and the last of `dates` that are not among them, ISO."""
    if not len(dates):
        return []
    between = np.setdiff1d(np.arange(dates.min(), dates.max()), dates)
    return _texts(between[~session_closes(calendar, between).unknown])


def close_ledger(calendar: str, dates: Dates, closes: Closes, prints_after: int) -> dict[str, Any]:
    """Return where the closes of a tape come from: JSON values for its metadata.

    Parameters
    ----------
    calendar, dates, closes
        What `session_closes` was asked and gave.
    prints_after : int
        Prints later than the close of their session date.
    """
    return {
        "calendar": calendar,
        "library": f"{LIBRARY} {version(LIBRARY)}",
        "early": dict(zip(_texts(dates[closes.early]), _wall_times(closes.ns[closes.early]), strict=True)),
        "unknown": _texts(dates[closes.unknown]),
        "prints_after": prints_after,
    }


def _texts(dates: Dates) -> list[str]:
    return [str(text) for text in dates.astype(str)]


def _wall_times(ns: Int64) -> list[str]:
    return [text[11:16] for text in chicago_text(ns)]


def _known_closes(calendar: str, days: list[date]) -> dict[date, int | None]:
    """Return the minute of the Chicago day at which the sessions of these years close; none where one is cancelled."""
    known: dict[date, int | None] = {}
    for year in sorted({day.year for day in days}):
        known |= _library_closes(calendar, year)
    return known | _corrected(calendar)


@cache
def _library_closes(calendar: str, year: int) -> dict[date, int | None]:
    """Return the minute of the Chicago day at which each session of a year closes.

    The library's regular close counts as the day's end, and so gives way to the regular close of the year.
    """
    # Imported here because it brings pandas with it, which a backtest must not wait for.
    try:
        import pandas_market_calendars
    except ImportError:
        raise ParameterError(
            f"session closes need the package {LIBRARY}, which is not installed; pip install {LIBRARY}"
        ) from None
    book = pandas_market_calendars.get_calendar(_NAMES[calendar])
    closes = book.schedule(f"{year}-01-01", f"{year}-12-31", tz="America/Chicago")["market_close"]
    usual = book.close_time.hour * 60 + book.close_time.minute
    minutes = ((day.date(), close.hour * 60 + close.minute) for day, close in closes.items())
    return {day: 24 * 60 if minute == usual else minute for day, minute in minutes}


@cache
def _corrected(calendar: str) -> dict[date, int | None]:
    """Return the minute of each corrected close; none where there is no session."""
    rows = [(close, days) for calendars, close, days in _CORRECTIONS if calendar in calendars.split()]
    return {
        date.fromisoformat(day): None if close == CLOSED else _minute(close)
        for close, days in rows
        for day in days.split()
    }


def _regular(calendar: str, day: date) -> int:
    return _minute(_row(_REGULAR, calendar, day)[1 + (day.weekday() >= 4)])


def _open(calendar: str, day: date) -> str:
    if calendar == "grains" and _rests_overnight(day - timedelta(days=1)):
        return _GRAINS_AFTER_HOLIDAY
    return _row(_OPENS, calendar, day)[1 + (day.weekday() > 0)]


def _rests_overnight(day: date) -> bool:
    """Return whether a weekday is one of the four holidays after which the grains have no overnight session.

    A holiday on a Sunday is observed on Monday; after one on a Friday or a Saturday, Monday opens as usual.
    """
    observed = day - timedelta(days=1) if day.weekday() == 0 else day
    fixed = not _FIXED_HOLIDAYS.isdisjoint({(day.month, day.day), (observed.month, observed.day)})
    thanksgiving = day.month == 11 and day.weekday() == 3 and 22 <= day.day <= 28
    return (fixed and day.weekday() < 5) or thanksgiving


def _row(table: dict[str, tuple[tuple[str, str, str], ...]], calendar: str, day: date) -> tuple[str, str, str]:
    """Return the row of a table that is in force on a day; the first one before it too."""
    rows = table[calendar]
    return next((row for row in reversed(rows) if row[0] <= day.isoformat()), rows[0])


def _first_day(calendar: str, day: date) -> date:
    """Return the earliest calendar day that belongs to a session date."""
    saturday = day - timedelta(days=2)
    around = day.weekday() == 0 and saturday >= AROUND_THE_CLOCK.get(calendar, date.max)
    return saturday if around else day


def _minute(time: str) -> int:
    hours, minutes = time.split(":")
    return 60 * int(hours) + int(minutes)
