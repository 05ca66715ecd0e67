"""The last trading day of a contract, by the rule of its product.

Business days are the weekdays that are not scheduled NYSE holidays. The package `holidays` also has a CME calendar,
but it lists only the days on which Globex is closed. It counts Memorial Day and Juneteenth as business days, although
the exchange neither settles nor delivers then. By that calendar the June 2020 crude oil contract would have expired on
2020-05-20; it expired on 2020-05-19.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

from scalpr_zen.base.errors import ParameterError

if TYPE_CHECKING:
    from holidays import HolidayBase

YEARS = range(2000, 2100)
_DAY = timedelta(days=1)
_WEDNESDAY, _THURSDAY, _FRIDAY = 2, 3, 4
_MONTHS_AFTER = {"sofr": 3}
"""Rules whose contracts trade beyond the month in their name, and for how many months."""
_QUARTERLY = ("equity_index", "fx", "treasury_long", "treasury_short", "sofr")


def expiry(rule: str, year: int, month: int) -> date:
    """Return the last trading day of the contract with this delivery month.

    Parameters
    ----------
    rule : str
        A key of `RULES`; `scalpr_zen.base.instruments.Instrument.expiry_rule` holds it.
    year : int
        Delivery year in four digits, 2000 to 2099.
    month : int
        Delivery month, 1 to 12.

    Raises
    ------
    ParameterError
        If the rule is unknown or does not cover the month.
    """
    if rule not in RULES:
        raise ParameterError(f"expiry rule must be one of {' '.join(RULES)}; was {rule!r}")
    if year not in YEARS:
        raise ParameterError(f"year of an expiry must be {YEARS[0]} to {YEARS[-1]}, in four digits; was {year}")
    if not 1 <= month <= 12:
        raise ParameterError(f"month of an expiry must be 1 to 12; was {month}")
    if rule in _QUARTERLY and month % 3:
        raise ParameterError(f"month of an expiry in {rule} must be 3, 6, 9 or 12; was {month}")
    return RULES[rule](year, month)


@cache
def last_trading_day(rule: str, year: int, month: int) -> date:
    """Return the last trading day of a contract by `expiry`, or the end of its delivery month where no rule covers it.

    No rule covers instruments without a rule, and the serial months of currencies.
    """
    try:
        return expiry(rule, year, month)
    except ParameterError:
        return _first_of(year, month + 1) - _DAY


def earliest_month(rule: str, day: date) -> date:
    """Return the first day of the earliest contract month that can still trade on a day."""
    return _first_of(day.year, day.month - _MONTHS_AFTER.get(rule, 0))


def business_days_before(day: date, n: int) -> date:
    """Return the date `n` business days before `day`; `n` is at least 1."""
    while n:
        day -= _DAY
        if _is_business_day(day):
            n -= 1
    return day


def _is_business_day(day: date) -> bool:
    return day.weekday() <= _FRIDAY and day not in _scheduled_holidays()


@cache
def _london_holidays() -> HolidayBase:
    import holidays  # only ingest needs it, and it takes a quarter of a second

    return holidays.country_holidays("GB", subdiv="ENG")


@cache
def _scheduled_holidays() -> HolidayBase:
    import holidays

    calendar = holidays.financial_holidays("NYSE")
    # An unscheduled closure (a hurricane, a day of mourning) does not move expiry dates: November 2012 natural gas
    # expired on 2012-10-29, although Sandy had closed the NYSE.
    calendar.has_special_holidays = False
    return calendar


def _first_of(year: int, month: int) -> date:
    """Return the first day of a month; month 13 is January of the next year, month 0 December of the one before."""
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


def _nth_weekday(year: int, month: int, weekday: int, n: int) -> date:
    """Return the n-th of a weekday in a month; the 0th is the last one of the month before."""
    first = _first_of(year, month)
    return first + _DAY * ((weekday - first.weekday()) % 7 + 7 * (n - 1))


def _equity_index(year: int, month: int) -> date:
    """Third Friday; the business day before if the stock market is closed on it."""
    return business_days_before(_nth_weekday(year, month, _FRIDAY, 3) + _DAY, 1)


def _crude_oil(year: int, month: int) -> date:
    """Third business day before the 25th of the month before delivery; the fourth if the 25th is not a business day."""
    the_25th = (date(year, month, 1) - _DAY).replace(day=25)
    return business_days_before(the_25th, 3 if _is_business_day(the_25th) else 4)


def _micro_crude_oil(year: int, month: int) -> date:
    """Last business day before the last trading day of crude oil."""
    return business_days_before(_crude_oil(year, month), 1)


def _natural_gas(year: int, month: int) -> date:
    """Third last business day of the month before delivery."""
    return business_days_before(date(year, month, 1), 3)


def _metals(year: int, month: int) -> date:
    """Third last business day of the delivery month."""
    return business_days_before(_first_of(year, month + 1), 3)


def _fx(year: int, month: int) -> date:
    """Second business day before the third Wednesday."""
    # A bank holiday moves the date too. In the quarterly months each of them is an NYSE holiday as well;
    # in an October contract Columbus Day is not.
    return business_days_before(_nth_weekday(year, month, _WEDNESDAY, 3), 2)


def _treasury_long(year: int, month: int) -> date:
    """Seventh business day before the last business day of the delivery month."""
    return business_days_before(_first_of(year, month + 1), 8)


def _treasury_short(year: int, month: int) -> date:
    """Last business day of the delivery month."""
    return business_days_before(_first_of(year, month + 1), 1)


def _grains(year: int, month: int) -> date:
    """Last business day before the 15th of the delivery month."""
    return business_days_before(date(year, month, 15), 1)


def _live_cattle(year: int, month: int) -> date:
    """Last business day of the delivery month, at noon."""
    return business_days_before(_first_of(year, month + 1), 1)


def _lean_hog(year: int, month: int) -> date:
    """Tenth business day of the delivery month, at noon."""
    day, left = date(year, month, 1), 10
    while left := left - _is_business_day(day):
        day += _DAY
    return day


def _feeder_cattle(year: int, month: int) -> date:
    """Last Thursday, in November the third; a week earlier for a holiday on it or on one of the 4 weekdays before."""
    day = _nth_weekday(year, month, _THURSDAY, 3) if month == 11 else _nth_weekday(year, month + 1, _THURSDAY, 0)
    while not all(_is_business_day(day - _DAY * k) for k in (0, 1, 2, 3, 6)):  # Thursday to Monday, and Friday
        day -= 7 * _DAY
    return day


def _crypto(year: int, month: int) -> date:
    """Last Friday of the month at 16:00 in London; if no business day there or in the U.S., the last one of both."""
    day = _nth_weekday(year, month + 1, _FRIDAY, 0)
    while not _is_business_day(day) or day in _london_holidays():
        day -= _DAY
    return day


def _sofr(year: int, month: int) -> date:
    """Last business day before the third Wednesday of the third month after that of the contract."""
    return business_days_before(_nth_weekday(year, month + 3, _WEDNESDAY, 3), 1)


RULES = {
    rule.__name__.removeprefix("_"): rule
    for rule in (
        *(_equity_index, _crude_oil, _micro_crude_oil, _natural_gas, _metals, _fx, _treasury_long, _treasury_short),
        *(_grains, _live_cattle, _lean_hog, _feeder_cattle, _crypto, _sofr),
    )
}
