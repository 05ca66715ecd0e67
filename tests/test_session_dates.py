"""Session dates against the wall clock of Chicago, over changes of the clock, weekends and years."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.dbn_files import chicago, utc

from scalpr_zen.base.sessions import session_calendar, session_dates, session_open

HOUR = 3600 * 10**9
CHICAGO = ZoneInfo("America/Chicago")


def naive_session_date(ns: int) -> date:
    local = datetime.fromtimestamp(ns // 10**9, tz=UTC).astimezone(CHICAGO)
    return (local + timedelta(days=1)).date() if local.hour >= 17 else local.date()


def dates_of(*times: int) -> list[date]:
    return session_dates(np.array(times, dtype=np.int64)).tolist()


@pytest.mark.parametrize(
    ("time", "day"),
    [
        ("2024-12-16 16:59:59.999999", "2024-12-16"),
        ("2024-12-16 17:00:00", "2024-12-17"),
        ("2024-12-15 17:00:00", "2024-12-16"),  # Sunday evening is Monday's session
        ("2024-12-20 15:59:59", "2024-12-20"),
        ("2024-12-31 18:00:00", "2025-01-01"),
        ("2024-03-10 16:59:59", "2024-03-10"),  # the clock went forward at 02:00
        ("2024-03-10 17:00:00", "2024-03-11"),
        ("2024-11-03 16:59:59", "2024-11-03"),  # the clock went back at 02:00
        ("2024-11-03 17:00:00", "2024-11-04"),
    ],
)
def test_the_session_date_of_a_time_in_chicago(time, day):
    assert dates_of(chicago(time)) == [date.fromisoformat(day)]


@pytest.mark.parametrize(
    ("day", "opens"),
    [
        ("2024-03-08", "2024-03-07 23:00"),  # winter: UTC-6
        ("2024-03-11", "2024-03-10 22:00"),  # summer: UTC-5
        ("2024-11-01", "2024-10-31 22:00"),
        ("2024-11-04", "2024-11-03 23:00"),
    ],
)
def test_a_session_opens_at_22_or_23_utc(day, opens):
    at = utc(opens)
    assert session_open(date.fromisoformat(day)) == at
    eve = date.fromisoformat(day) - timedelta(days=1)
    assert dates_of(at - 1, at) == [eve, date.fromisoformat(day)]


def test_every_hour_of_two_decades_has_the_date_of_the_naive_rule():
    hours = np.arange(utc("2007-01-01"), utc("2027-01-01"), HOUR)
    naive = {int(hour): naive_session_date(int(hour)) for hour in hours[::7]}
    assert session_dates(np.array(list(naive))).tolist() == list(naive.values())


@pytest.mark.parametrize("day", ["03-01", "04-01", "10-25"])
def test_every_half_hour_around_both_changes_of_the_clock_is_right(day):
    for begin in (utc(f"{year}-{day}") for year in range(1996, 2040, 4)):
        times = [begin + k * HOUR // 2 + shift for k in range(2 * 24 * 16) for shift in (-1, 0)]
        assert dates_of(*times) == [naive_session_date(t) for t in times]


@given(st.integers(utc("1998-01-01"), utc("2045-01-01")), st.lists(st.integers(0, 500 * 24 * HOUR), max_size=20))
def test_random_times_in_any_order_have_the_date_of_the_naive_rule(begin, offsets):
    times = [begin + offset for offset in offsets]
    assert dates_of(*times) == [naive_session_date(t) for t in times]


@pytest.mark.parametrize(
    ("time", "day"),
    [
        ("2026-05-22 18:00", "2026-05-23"),  # before: nothing trades then, and nothing changes
        ("2026-05-29 16:30", "2026-05-29"),
        ("2026-05-29 17:00", "2026-06-01"),
        ("2026-05-30 12:00", "2026-06-01"),
        ("2026-05-31 16:59:59", "2026-06-01"),
        ("2026-05-31 17:00", "2026-06-01"),
        ("2026-06-01 17:00", "2026-06-02"),
        ("2026-10-31 12:00", "2026-11-02"),  # the clock goes back in the night after
    ],
)
def test_crypto_gives_the_weekend_to_monday_since_it_trades_around_the_clock(time, day):
    at = np.array([chicago(time)])
    assert session_dates(at, "crypto").tolist() == [date.fromisoformat(day)]
    assert session_dates(at, "equity").tolist() == session_dates(at).tolist() == [naive_session_date(at[0])]


def test_every_hour_of_a_year_around_the_clock_has_the_date_of_the_naive_rule():
    hours = np.arange(utc("2026-04-01"), utc("2027-04-01"), HOUR)
    naive = [naive_session_date(int(hour)) for hour in hours]
    rolled = [
        d + timedelta(days=(7 - d.weekday()) % 7) if d.weekday() > 4 and d >= date(2026, 5, 30) else d for d in naive
    ]
    assert session_dates(hours, "crypto").tolist() == rolled
    dates, opens = session_calendar(int(hours[0]), int(hours[-1]), "crypto")
    assert np.all(np.diff(opens) > 0)
    assert opens[0] <= hours[0]
    assert opens[-1] > hours[-1]
    assert len(dates) == len(opens)


def test_no_times_have_no_dates():
    assert dates_of() == []


def test_the_calendar_covers_its_ends_with_consecutive_days():
    first, last = chicago("2024-03-08 12:00"), chicago("2024-03-12 18:00")
    dates, opens = session_calendar(first, last)
    assert np.all(np.diff(dates) == np.timedelta64(1, "D"))
    assert np.all(np.diff(opens) > 0)
    assert opens.tolist() == [session_open(day) for day in dates.tolist()]
    assert opens[0] <= first
    assert opens[-1] > last
