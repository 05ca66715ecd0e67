"""Opening range: examples worked by hand."""

import pytest
from support.dbn_files import chicago
from support.strategy_markets import Market, add, signals

from scalpr_zen import OpeningRange, ParameterError


def day(*prints, date="2025-01-15"):
    """A market of prints (time in Chicago, price)."""
    market = Market()
    for time, price in prints:
        add(market, chicago(f"{date} {time}"), price)
    return market


RANGE = [("08:30:00", 100), ("08:40:00", 104), ("08:59:59.999999", 96)]


@pytest.mark.parametrize(
    ("time", "price", "signal"),
    [
        ("09:00:00", 105, 1),
        ("09:00:00", 104, 0),
        ("09:00:00", 95, -1),
        ("09:00:00", 96, 0),
        ("14:59:59.999999", 105, 1),
        ("15:00:00", 105, 0),
        ("08:59:59.999999", 200, 0),
    ],
)
def test_a_print_beyond_the_range_is_a_signal_after_the_range_and_before_until(time, price, signal):
    assert signals(OpeningRange(), day(*RANGE, (time, price))) == [0, 0, 0, signal]


def test_prints_before_the_range_are_not_of_it():
    market = day(("08:29:59.999999", 200), *RANGE, ("09:00:00", 105))
    assert signals(OpeningRange(), market) == [0, 0, 0, 0, 1]


def test_a_breakout_may_ask_for_more_ticks():
    market = day(*RANGE, ("09:00:00", 106), ("09:01:00", 107), ("09:02:00", 94), ("09:03:00", 93))
    assert signals(OpeningRange(breakout_ticks=3), market) == [0, 0, 0, 0, 1, 0, -1]


def test_each_side_has_one_breakout_a_session():
    market = day(*RANGE, ("09:00:00", 105), ("09:01:00", 100), ("09:02:00", 106), ("09:03:00", 95), ("09:04:00", 90))
    assert signals(OpeningRange(), market) == [0, 0, 0, 1, 0, 0, -1, 0]


def test_a_session_without_a_print_in_its_range_has_no_signal():
    assert signals(OpeningRange(), day(("08:29:00", 100), ("09:00:00", 200), ("09:01:00", 50))) == [0, 0, 0]


def test_a_session_does_not_use_the_range_of_the_one_before():
    market, other = day(*RANGE), day(("09:00:00", 200), date="2025-01-16")
    add(market, other.ts[0], 200)
    assert signals(OpeningRange(), market) == [0, 0, 0, 0]


def test_a_roll_within_the_session_ends_the_range():
    market = day(*RANGE, ("09:00:00", 400))
    market.contracts[-1] = "NQH5"
    assert signals(OpeningRange(), market) == [0, 0, 0, 0]


@pytest.mark.parametrize("date", ["2025-03-07", "2025-03-10", "2025-10-31", "2025-11-03"])
def test_the_range_keeps_the_time_of_chicago_when_the_clock_changes(date):
    market = day(("08:29:59", 200), *RANGE, ("09:00:00", 105), date=date)
    assert signals(OpeningRange(), market) == [0, 0, 0, 0, 1]


def test_a_time_of_1700_or_later_is_that_of_the_evening_before():
    market = Market()
    for text in ("2025-01-14 16:59:59", "2025-01-14 17:00:00", "2025-01-14 17:30:00", "2025-01-15 16:59:59"):
        add(market, chicago(text), 100 + len(market.ts))
    assert signals(OpeningRange(range_start="17:00", until="17:31"), market) == [0, 0, 1, 0]
    market.prices[2] = 101
    assert signals(OpeningRange(range_start="17:00", until="17:00"), market) == [0, 0, 0, 1]


@pytest.mark.parametrize(
    "text", ["8:30", "24:00", "08:60", "08:30:00", "", "noon", "08.30", "\u0660\u0668:30", "08:30\n"]
)
@pytest.mark.parametrize("name", ["range_start", "until"])
def test_a_time_of_the_day_that_is_none_is_refused(name, text):
    with pytest.raises(ParameterError, match=f"{name} must be a time of the day from 00:00 to 23:59, was "):
        OpeningRange(**{name: text})


@pytest.mark.parametrize(
    ("begin", "minutes", "until"), [("08:30", 30, "09:00"), ("08:30", 30, "18:00"), ("16:00", 60, "17:00")]
)
def test_an_until_that_leaves_no_time_after_the_range_is_refused(begin, minutes, until):
    with pytest.raises(ParameterError, match=f"until must come after the range, was {until} with range_start {begin}"):
        OpeningRange(range_start=begin, range_minutes=minutes, until=until)
