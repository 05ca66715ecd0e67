"""The last trading day of a contract, by the rule of its product.

Business days are the weekdays that are not scheduled NYSE holidays. The package `holidays` also has a CME calendar,
but it lists only the days on which Globex is closed. It counts Memorial Day and Juneteenth as business days, although
the exchange neither settles nor delivers then. By that calendar the June 2020 crude oil contract would have expired on
2020-05-20; it expired on 2020-05-19.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

from scalpr_zen.base.errors import ParameterError

if TYPE_CHECKING:
    from holidays import HolidayBase

YEARS = range(2000, 2100)
_DAY = timedelta(days=1)
_WEDNESDAY, _THURSDAY, _FRIDAY = 2, 3, 4
_NOVEMBER = 11
_MONTHS_AFTER = {"sofr": 3}
"""Rules whose contracts trade beyond the month in their name, and for how many months."""


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
        If the rule is unknown or does not cover the month, or `holidays` is not installed.
    """
    if rule not in RULES:
        raise ParameterError(f"expiry rule must be one of {' '.join(RULES)}; was {rule!r}")
    if year not in YEARS:
        raise ParameterError(f"year of an expiry must be {YEARS[0]} to {YEARS[-1]}, in four digits; was {year}")
    if not 1 <= month <= 12:
        raise ParameterError(f"month of an expiry must be 1 to 12; was {month}")
    return RULES[rule](year, month)


@cache
def last_trading_day(rule: str, year: int, month: int) -> date:
    """Return the last trading day of a contract by `expiry`, or the end of its delivery month where no rule covers it.

    No rule covers instruments without a rule, and the serial months of currencies.
    """
    try:
        return expiry(rule, year, month)
    except ParameterError:
        return _month_after(year, month) - _DAY


def earliest_month(rule: str, day: date) -> date:
    """Return the first day of the earliest contract month that can still trade on a day."""
    month = 12 * day.year + day.month - 1 - _MONTHS_AFTER.get(rule, 0)
    return date(month // 12, month % 12 + 1, 1)


def business_days_before(day: date, n: int) -> date:
    """Return the date `n` business days before `day`; `n` is at least 1."""
    if n < 1:
        raise ParameterError(f"n of business_days_before must be at least 1; was {n}")
    while n:
        day -= _DAY
        if _is_business_day(day):
            n -= 1
    return day


def _is_business_day(day: date) -> bool:
    return day.weekday() <= _FRIDAY and day not in _scheduled_holidays()


def _package() -> ModuleType:
    # Imported here because only ingest needs it, and it takes a quarter of a second.
    try:
        import holidays
    except ImportError:
        raise ParameterError(
            "an expiry date needs the package holidays, which is not installed; pip install holidays"
        ) from None
    return holidays


@cache
def _london_holidays() -> HolidayBase:
    england: HolidayBase = _package().country_holidays("GB", subdiv="ENG")
    return england


@cache
def _scheduled_holidays() -> HolidayBase:
    calendar: HolidayBase = _package().financial_holidays("NYSE")
    # An unscheduled closure (a hurricane, a day of mourning) does not move expiry dates: November 2012 natural gas
    # expired on 2012-10-29, although Sandy had closed the NYSE.
    calendar.has_special_holidays = False
    return calendar


def _nth_weekday(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + _DAY * ((weekday - first.weekday()) % 7 + 7 * (n - 1))


def _month_after(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1)


def _quarterly(product: str, month: int) -> None:
    if month % 3:
        raise ParameterError(f"month of an expiry in {product} must be 3, 6, 9 or 12; was {month}")


def _equity_index(year: int, month: int) -> date:
    """Third Friday; the business day before if the stock market is closed on it."""
    _quarterly("equity_index", month)
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
    return business_days_before(_month_after(year, month), 3)


def _fx(year: int, month: int) -> date:
    """Second business day before the third Wednesday."""
    # A bank holiday moves the date too. In the quarterly months each of them is an NYSE holiday as well;
    # in an October contract Columbus Day is not.
    _quarterly("fx", month)
    return business_days_before(_nth_weekday(year, month, _WEDNESDAY, 3), 2)


def _treasury_long(year: int, month: int) -> date:
    """Seventh business day before the last business day of the delivery month."""
    _quarterly("treasury_long", month)
    return business_days_before(_month_after(year, month), 8)


def _treasury_short(year: int, month: int) -> date:
    """Last business day of the delivery month."""
    _quarterly("treasury_short", month)
    return business_days_before(_month_after(year, month), 1)


def _grains(year: int, month: int) -> date:
    """Last business day before the 15th of the delivery month."""
    return business_days_before(date(year, month, 15), 1)


def _live_cattle(year: int, month: int) -> date:
    """Last business day of the delivery month, at noon."""
    return business_days_before(_month_after(year, month), 1)


def _lean_hog(year: int, month: int) -> date:
    """Tenth business day of the delivery month, at noon."""
    day, left = date(year, month, 1), 10
    while left := left - _is_business_day(day):
        day += _DAY
    return day


def _feeder_cattle(year: int, month: int) -> date:
    """Last Thursday, in November the third; a week earlier for a holiday on it or on one of the 4 weekdays before."""
    if month == _NOVEMBER:
        day = _nth_weekday(year, month, _THURSDAY, 3)
    else:
        after = _month_after(year, month)
        day = after - _DAY * ((after.weekday() - _THURSDAY - 1) % 7 + 1)
    while not all(_is_business_day(day - _DAY * k) for k in (0, 1, 2, 3, 6)):  # Thursday to Monday, and Friday
        day -= 7 * _DAY
    return day


def _crypto(year: int, month: int) -> date:
    """Last Friday of the month at 16:00 in London; if no business day there or in the U.S., the last one of both."""
    after = _month_after(year, month)
    day = after - _DAY * ((after.weekday() - _FRIDAY - 1) % 7 + 1)
    while not _is_business_day(day) or day in _london_holidays():
        day -= _DAY
    return day


def _sofr(year: int, month: int) -> date:
    """Last business day before the third Wednesday of the third month after that of the contract."""
    _quarterly("sofr", month)
    end = date(year + (month + 2) // 12, (month + 2) % 12 + 1, 1)
    return business_days_before(_nth_weekday(end.year, end.month, _WEDNESDAY, 3), 1)


RULES: dict[str, Callable[[int, int], date]] = {
    "equity_index": _equity_index,
    "crude_oil": _crude_oil,
    "micro_crude_oil": _micro_crude_oil,
    "natural_gas": _natural_gas,
    "metals": _metals,
    "fx": _fx,
    "treasury_long": _treasury_long,
    "treasury_short": _treasury_short,
    "grains": _grains,
    "live_cattle": _live_cattle,
    "lean_hog": _lean_hog,
    "feeder_cattle": _feeder_cattle,
    "crypto": _crypto,
    "sofr": _sofr,
}
