import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from scalpr_zen.base.errors import ParameterError
from scalpr_zen.base.instruments import INSTRUMENTS, MONTHS
from scalpr_zen.data.expiry import RULES, business_days_before, expiry

ROOT = Path(__file__).parents[1]

# Last trading days as the exchange listed them.
KNOWN = {
    "CLF18": "2017-12-19",  # the 25th is Christmas
    "CLK19": "2019-04-22",  # Good Friday is the 19th
    "CLM20": "2020-05-19",  # the 25th is Memorial Day
    "CLG25": "2025-01-21",  # the 25th is a Saturday
    "NGX12": "2012-10-29",  # Sandy kept the NYSE shut that day
    "ESH08": "2008-03-20",  # the third Friday is Good Friday
    "GFK24": "2024-05-23",  # Memorial Day is three weekdays before the 30th
    "GFX24": "2024-11-21",  # the 28th is Thanksgiving
    "BTCH24": "2024-03-28",  # the 29th is Good Friday
    "METZ26": "2026-12-24",  # the 25th is Christmas
    "ZTH24": "2024-03-28",  # the eve of Good Friday
    "NQM26": "2026-06-18",  # the third Friday is Juneteenth
}
PLAIN = """
CLK20 2020-04-21  CLZ24 2024-11-20  CLF25 2024-12-19  MCLN17 2017-06-19  MCLU17 2017-08-21  MCLV17 2017-09-19
NGM18 2018-05-29  NGM20 2020-05-27  NGF25 2024-12-27  ESH24 2024-03-15  NQZ24 2024-12-20  YMM17 2017-06-16
GCM17 2017-06-28  SIK18 2018-05-29  HGK19 2019-05-29  GCZ24 2024-12-27  ZNM17 2017-06-21  ZBU17 2017-09-20
ZBZ17 2017-12-19  ZNZ24 2024-12-19  ZFM17 2017-06-30  ZTM17 2017-06-30  6BM17 2017-06-19  6JH18 2018-03-19
6AM18 2018-06-18  6EZ24 2024-12-16  ZSX17 2017-11-14  ZCH18 2018-03-14  ZWN18 2018-07-13  ZCZ24 2024-12-13
LEZ24 2024-12-31  LEG25 2025-02-28  HEZ24 2024-12-13  HEG25 2025-02-14  GFF24 2024-01-25  BTCF18 2018-01-26
MBTZ24 2024-12-27  ETHK24 2024-05-31  SR3H19 2019-06-18  SR3Z24 2025-03-18
"""
KNOWN |= dict(zip(PLAIN.split()[::2], PLAIN.split()[1::2], strict=True))


def expiry_of(symbol: str) -> date:
    root, month, year = symbol[:-3], MONTHS.index(symbol[-3]) + 1, 2000 + int(symbol[-2:])
    return expiry(INSTRUMENTS[root].expiry_rule, year, month)


def test_expiry_is_the_listed_last_trading_day():
    assert {symbol: str(expiry_of(symbol)) for symbol in KNOWN} == KNOWN


def test_every_rule_has_a_known_date_and_a_contract():
    known = {INSTRUMENTS[symbol[:-3]].expiry_rule for symbol in KNOWN}
    assert all(rule.__doc__ for rule in RULES.values())
    assert known == set(RULES) == {row.expiry_rule for row in INSTRUMENTS.values()}


@pytest.mark.parametrize(
    ("day", "n", "before"),
    [
        ("2021-06-19", 1, "2021-06-18"),  # Juneteenth is a holiday since 2022
        ("2023-06-20", 1, "2023-06-16"),
        ("2024-10-15", 1, "2024-10-14"),  # Columbus Day and Veterans Day are business days
        ("2024-11-12", 1, "2024-11-11"),
        ("2022-01-01", 1, "2021-12-31"),  # though New Year is a Saturday
        ("2024-01-22", 1, "2024-01-19"),
        ("2024-01-22", 5, "2024-01-12"),  # over Martin Luther King Jr. Day
        *[(f"2012-10-{day + 1}", 1, f"2012-10-{day}") for day in (29, 30)],  # unscheduled closings stay business days
        *[("2018-12-06", 1, "2018-12-05"), ("2025-01-10", 1, "2025-01-09")],
    ],
)
def test_business_days_are_all_but_weekends_and_scheduled_holidays(day, n, before):
    assert str(business_days_before(date.fromisoformat(day), n)) == before


def test_micro_crude_expires_one_business_day_before_crude():
    for month in range(1, 13):
        crude = expiry("crude_oil", 2025, month)
        assert expiry("micro_crude_oil", 2025, month) == business_days_before(crude, 1)


def test_active_contracts_expire_in_calendar_order_on_weekdays():
    for root, row in INSTRUMENTS.items():
        months = [(year, MONTHS.index(letter) + 1) for year in range(2010, 2035) for letter in row.roll_months]
        days = [expiry(row.expiry_rule, *month) for month in months]
        assert days == sorted(set(days)), root
        assert all(day.weekday() < 5 for day in days), root
        # Energy stops trading in the month before delivery, SOFR a quarter after its month, the others in their month.
        lag = 1 if row.exchange == "NYMEX" else -3 if root == "SR3" else 0
        found = {12 * (y - day.year) + m - day.month for (y, m), day in zip(months, days, strict=True)}
        assert found == {lag}, root


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("", 2024, 3), "expiry rule must be one of equity_index .* grains .* sofr; was ''"),
        (("gold", 2024, 3), "was 'gold'"),
        (("metals", 24, 3), "year of an expiry must be 2000 to 2099, in four digits; was 24"),
        (("metals", 2024, 0), "month of an expiry must be 1 to 12; was 0"),
        (("metals", 2024, 13), "month of an expiry must be 1 to 12; was 13"),
        (("equity_index", 2024, 1), "month of an expiry in equity_index must be 3, 6, 9 or 12; was 1"),
        (("fx", 2025, 10), "month of an expiry in fx must be 3, 6, 9 or 12; was 10"),
        (("treasury_long", 2024, 2), "month of an expiry in treasury_long must be 3, 6, 9 or 12"),
        (("treasury_short", 2024, 2), "month of an expiry in treasury_short must be 3, 6, 9 or 12"),
    ],
)
def test_a_bad_argument_is_refused_with_its_reason(arguments, message):
    with pytest.raises(ParameterError, match=message):
        expiry(*arguments)


@pytest.mark.process
def test_importing_the_module_does_not_import_holidays():
    code = "import sys, scalpr_zen.data.expiry; sys.exit('holidays' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
