"""Rules 18 to 24, which signals are traded and when a trade is closed, by the fast simulator and its slow twin.

The numbers are worked by hand from the rule. Prices are ticks, times are ns after noon in Chicago, print by print.
Unless stated, a print is an event of its own every 10 ns, the target is 4 and the stop 2 ticks from the entry's fill,
and one tick of NQ is 5 USD.
"""

from datetime import date

import pytest
from support.both import HOUR, LONG, MINUTE, MS, SECOND, SESSION_END, SHORT, WIDE

# When -------------------------------------------------------------------------------------------------


def test_rule_18_only_trades_of_the_side_are_taken_and_the_others_block_nothing(trade):
    # Long only: bought 100 at 2, sold 104 at 3. Short only: sold 100 at 1, stop 102 met at 104; by then the long at 1
    # is of the other side whether a position is open or not, and the short at 3 is at the exit's print.
    prices, sides = [100, 100, 100, 104, 104], {0: SHORT, 1: LONG, 3: SHORT}
    long, short = (trade(prices, sides, sides=side) for side in ("long", "short"))
    assert long.fills == [(2, 100, 3, 104, "target")]
    assert long.counts == {"signals": 3, "other_side": 2, "closed": 1}
    assert short.fills == [(1, 100, 3, 104, "stop")]
    assert short.counts == {"signals": 3, "other_side": 1, "ignored": 1, "closed": 1}


def test_rule_18_both_sides_is_the_default(fills):
    assert fills([100, 100, 104, 104, 104, 100], {0: LONG, 3: SHORT}) == [
        (1, 100, 2, 104, "target"),
        (4, 104, 5, 100, "target"),
    ]


def test_rule_18_a_signal_of_the_other_side_is_counted_so_and_not_as_outside(counts):
    got = counts([100, 100], {0: SHORT}, sides="long", entry_windows=(("08:00", "09:00"),))
    assert got == {"signals": 1, "other_side": 1}


def test_rule_19_every_signal_is_traded_the_other_way_round(fills):
    # A long signal sells 100 and takes 96; a short one buys 100 and is stopped at 98.
    assert fills([100, 100, 96], {0: LONG}, reverse=True) == [(1, 100, 2, 96, "target")]
    assert fills([100, 100, 98], {0: SHORT}, reverse=True) == [(1, 100, 2, 98, "stop")]


def test_rule_18_the_side_is_that_of_the_trade_after_invert(trade):
    # Long trades only: the long signal would be a short trade; the short one at 1 buys 100 at 2, sold at 3.
    got = trade([100, 100, 100, 104], {0: LONG, 1: SHORT}, reverse=True, sides="long")
    assert got.fills == [(2, 100, 3, 104, "target")]
    assert got.counts == {"signals": 2, "other_side": 1, "closed": 1}


def test_rule_19_slippage_and_aggressors_are_those_of_the_traded_side(fills):
    # Sold at 100 - 1 = 99, target 95: a seller of 1 takes it out of the queue, a buyer does not.
    rule = {"reverse": True, "slippage_ticks": 1, "target_fill": "queue"}
    got = fills([100, 100, 95, 95, 95], {0: LONG}, aggressor=[0, 0, 1, -1, -1], **rule)
    assert got == [(1, 99, 3, 95, "target")]


def test_rule_20_a_window_begins_at_its_start_and_ends_before_its_stop(taken):
    day = "2025-01-15 "
    at = [day + text for text in ("08:29:59.999999999", "08:30:00.0", "10:59:59.999999999", "11:00:00.0")]
    assert taken(at, entry_windows=(("08:30", "11:00"),)) == at[1:3]


def test_rule_20_a_signal_may_lie_in_any_of_the_windows(taken):
    at = [f"2025-01-15 {text}" for text in ("08:29", "08:30", "11:00", "12:59:59", "13:00", "14:59", "15:00")]
    windows = (("13:00", "15:00"), ("08:30", "11:00"))
    assert taken(at, entry_windows=windows) == [at[1], at[4], at[5]]


def test_rule_20_windows_may_touch(taken):
    at = [f"2025-01-15 {text}" for text in ("08:29", "08:30", "09:00", "09:29", "09:30")]
    assert taken(at, entry_windows=(("08:30", "09:00"), ("09:00", "09:30"))) == at[1:4]


def test_rule_20_a_window_may_cross_midnight(taken):
    days = ("14 21:59:59", "14 22:00", "14 23:59:59.999999999", "15 00:00", "15 01:59:59.999999999", "15 02:00")
    at = [f"2025-01-{text}" for text in days]
    assert taken(at, entry_windows=(("22:00", "02:00"),)) == at[1:5]


def test_rule_20_a_window_may_end_at_midnight_by_either_name(taken):
    at = [f"2025-01-{text}" for text in ("14 21:59", "14 22:00", "14 23:59:59.999999999", "15 00:00")]
    assert taken(at, entry_windows=(("22:00", "24:00"),)) == at[1:3]
    assert taken(at, entry_windows=(("22:00", "00:00"),)) == at[1:3]


def test_rule_20_a_window_may_begin_at_midnight_or_at_17_00(taken):
    at = [f"2025-01-{text}" for text in ("14 16:59:59", "14 17:00", "14 17:59", "14 18:00", "14 23:59", "15 00:00")]
    assert taken(at, entry_windows=(("17:00", "18:00"),)) == at[1:3]
    assert taken(at, entry_windows=(("00:00", "01:00"),)) == at[5:]
    assert taken(at, entry_windows=(("18:00", "17:00"),)) == [at[0], *at[3:]]


def test_rule_20_a_window_may_cross_17_00_and_has_a_part_of_either_session_date(taken):
    days = ("14 16:29:59", "14 16:30", "14 16:59:59.999999999", "14 17:00", "14 17:59:59.999999999", "14 18:00")
    at = [f"2025-01-{text}" for text in days]
    window = (("16:30", "18:00"),)
    assert taken(at, entry_windows=window) == at[1:5]
    # 2025-01-14 is a Tuesday; from 17:00 on it is Wednesday's session.
    assert taken(at, entry_windows=window, weekdays=("Tue",)) == at[1:3]
    assert taken(at, entry_windows=window, weekdays=("Wed",)) == at[3:5]


def test_rule_20_a_window_that_crosses_midnight_is_that_of_the_session_date(taken):
    # 22:00 on Sunday and 01:00 on Monday are Monday's; 22:00 on Monday is Tuesday's.
    at = [f"2025-01-{text}" for text in ("12 22:00", "13 01:00", "13 22:00", "14 01:00")]
    assert taken(at, entry_windows=(("22:00", "02:00"),), weekdays=("Mon",)) == at[:2]


def test_rule_20_the_wall_time_follows_the_clock_change_in_spring(taken):
    # 08:30 in Chicago is 14:30 UTC on Friday, 2025-03-07, and 13:30 UTC on Monday, 2025-03-10.
    days = ("07 14:29:59Z", "07 14:30:00Z", "07 15:30:00Z", "10 13:29:59Z", "10 13:30:00Z", "10 14:30:00Z")
    at = [f"2025-03-{text}" for text in days]
    assert taken(at, entry_windows=(("08:30", "09:30"),)) == [at[1], at[4]]


def test_rule_20_the_wall_time_follows_the_clock_change_in_autumn(taken):
    # 08:30 in Chicago is 13:30 UTC on Friday, 2025-10-31, and 14:30 UTC on Monday, 2025-11-03.
    days = ("10-31 13:29:59Z", "10-31 13:30:00Z", "10-31 14:30:00Z", "11-03 13:30:00Z", "11-03 14:30:00Z")
    at = [f"2025-{text}" for text in days]
    assert taken(at, entry_windows=(("08:30", "09:30"),)) == [at[1], at[4]]


def test_rule_20_sunday_evening_opens_at_17_00_of_the_new_time_after_the_clock_change(taken):
    # 17:00 in Chicago is 22:00 UTC on Sunday, 2025-03-09, and 23:00 UTC on Sunday, 2025-11-02.
    at = ["2025-03-09 22:00:00Z", "2025-03-09 22:59:59Z", "2025-03-09 23:00:00Z", "2025-11-02 23:00:00Z"]
    assert taken(at, entry_windows=(("17:00", "18:00"),)) == [at[0], at[1], at[3]]


def test_rule_20_in_the_night_of_the_clock_change_the_wall_time_decides(taken):
    # 2025-11-02: 01:15, 01:30 and 01:45 of summer time are 06:15, 06:30 and 06:45 UTC, of winter time an hour later.
    at = [f"2025-11-02 {text}:00Z" for text in ("06:15", "06:30", "06:45", "07:15", "07:30", "07:45", "08:00")]
    assert taken(at, entry_windows=(("01:30", "02:00"),)) == [at[1], at[2], at[4], at[5]]
    # 2025-03-09: 01:59 is 07:59 UTC, and the next minute, 08:00 UTC, is 03:00.
    at = [f"2025-03-09 {text}:00Z" for text in ("07:45", "07:59", "08:00", "08:14", "08:15", "08:30")]
    assert taken(at, entry_windows=(("02:30", "03:15"),)) == at[2:4]
    assert taken(at, entry_windows=(("01:45", "02:30"),)) == at[:2]


def test_rule_20_the_time_is_that_of_the_signal_and_not_of_the_fill_or_the_exit(fills):
    at = [f"2025-01-15 {text}" for text in ("10:59:59", "11:00:01", "11:30", "11:31")]
    got = fills([100, 100, 103, 104], {0: LONG}, at=at, entry_windows=(("08:30", "11:00"),))
    assert got == [(1, 100, 3, 104, "target")]
    at[0] = "2025-01-15 08:29:59"
    at[1] = "2025-01-15 08:30"
    assert fills([100, 100, 103, 104], {0: LONG}, at=at, entry_windows=(("08:30", "11:00"),)) == []


def test_rule_20_a_signal_outside_blocks_nothing_and_is_outside_while_a_position_is_open_too(trade):
    # The short at 08:29 is outside. Bought 100 at 2; the signal at 3 lies outside, whatever is open; that at 4 too.
    at = [f"2025-01-15 {text}" for text in ("08:29", "08:30", "08:59", "09:00", "09:01")]
    got = trade(
        [100, 100, 100, 101, 104], {0: SHORT, 1: LONG, 2: LONG, 3: LONG}, at=at, entry_windows=(("08:30", "09:00"),)
    )
    assert got.fills == [(2, 100, 4, 104, "target")]
    assert got.counts == {"signals": 4, "outside": 2, "ignored": 1, "closed": 1}


def test_rule_21_the_weekday_is_that_of_the_session_date_so_sunday_evening_is_mondays(taken):
    days = ("12 17:00", "12 23:00", "13 09:00", "13 16:59:59.999999999", "13 17:00", "14 09:00")
    at = [f"2025-01-{text}" for text in days]
    assert taken(at, weekdays=("Mon",)) == at[:4]
    assert taken(at, weekdays=("Wed", "Sun")) == []
    assert taken(at, weekdays=("Tue", "Mon")) == at


def test_rule_21_friday_ends_at_17_00_and_saturday_is_a_day_of_its_own(taken):
    at = [f"2025-01-{text}" for text in ("16 17:00", "17 16:59:59", "17 17:00", "18 12:00", "18 17:00")]
    assert taken(at, weekdays=("Fri",)) == at[:2]
    assert taken(at, weekdays=("Mon", "Sat")) == at[2:4]


def test_rule_21_a_position_is_held_into_a_day_that_is_not_traded(fills):
    # 2025-01-15 is a Wednesday: bought then, sold in Thursday's session.
    got = fills([100, 100, 101, 104], {0: LONG}, ts=[0, 10, SESSION_END, SESSION_END + 10], weekdays=("Wed",))
    assert got == [(1, 100, 3, 104, "target")]


def test_rule_22_no_signal_is_traded_from_that_long_before_the_close_on(taken):
    # The close is 16:00; at 17:00 the next session begins.
    times = ("15:49:59.999999999", "15:50:00.0", "15:59:59", "16:00", "16:59:59", "17:00")
    at = [f"2025-01-15 {text}" for text in times]
    assert taken(at, no_entry_ns=10 * MINUTE) == [at[0], at[5]]
    # Without the rule there is trade after the close.
    assert taken(at) == at


def test_rule_22_holds_in_each_of_several_windows(taken):
    times = ("09:59", "10:30", "12:30", "14:30", "15:49", "15:50", "15:55")
    at = [f"2025-01-15 {text}" for text in times]
    windows = (("09:00", "10:00"), ("12:00", "13:00"), ("14:00", "15:59"))
    assert taken(at, entry_windows=windows, no_entry_ns=10 * MINUTE) == [at[0], at[2], at[3], at[4]]
    assert taken(at, entry_windows=windows, no_entry_ns=2 * HOUR) == [at[0], at[2]]
    assert taken(at, entry_windows=windows, no_entry_ns=4 * HOUR) == [at[0]]


def test_rule_22_an_early_close_is_known(taken):
    at = [f"2025-01-{text}" for text in ("15 12:04:59", "15 12:05", "15 12:30", "15 15:00", "15 17:00", "16 15:49:59")]
    got = taken(at, no_entry_ns=10 * MINUTE, closes={date(2025, 1, 15): "2025-01-15 12:15"})
    assert got == [at[0], *at[4:]]


def test_rule_22_a_close_of_this_session_is_no_close_of_the_next(taken):
    # The session of the 16th closes at 11:00; that of the 15th at 16:00.
    at = [f"2025-01-{text}" for text in ("15 12:00", "15 15:00", "15 18:00", "16 10:49:59", "16 10:50")]
    assert taken(at, no_entry_ns=10 * MINUTE, closes={date(2025, 1, 16): "2025-01-16 11:00"}) == at[:4]


def test_rule_22_where_positions_are_closed_none_is_opened(taken):
    times = ("15:39:59", "15:40", "15:44:59.999999999", "15:45:00.0", "15:49:59", "15:50")
    at = [f"2025-01-15 {text}" for text in times]
    assert taken(at, flat_ns=15 * MINUTE) == at[:3]
    assert taken(at, flat_ns=15 * MINUTE, no_entry_ns=10 * MINUTE) == at[:3]
    assert taken(at, flat_ns=10 * MINUTE, no_entry_ns=20 * MINUTE) == at[:1]


def test_rule_22_a_session_whose_close_is_nearer_than_that_takes_no_signal(taken):
    # 23 hours before 16:00 is 17:00 of the evening before, and no time is before it.
    at = [f"2025-01-{text}" for text in ("14 16:59:59", "14 17:00", "14 23:00", "15 09:00", "15 16:59")]
    assert taken(at, no_entry_ns=23 * HOUR) == []


def test_rule_22_holds_in_a_week_of_a_clock_change(taken):
    # 16:00 in Chicago is 22:00 UTC on 2025-03-07 and 21:00 UTC on 2025-03-10.
    at = [f"2025-03-{text}" for text in ("07 21:49:59Z", "07 21:50:00Z", "10 20:49:59Z", "10 20:50:00Z")]
    assert taken(at, no_entry_ns=10 * MINUTE) == [at[0], at[2]]


def test_rule_23_a_position_is_closed_by_the_first_print_from_that_long_before_the_close_on(fills):
    at = [f"2025-01-15 {text}" for text in ("15:39", "15:40", "15:44:59.999999999", "15:45:00.0", "15:46")]
    prices = [100, 100, 101, 102, 104]
    assert fills(prices, {0: LONG}, at=at, flat_ns=15 * MINUTE) == [(1, 100, 3, 102, "close")]
    assert fills(prices, {0: SHORT}, at=at, flat_ns=15 * MINUTE, **WIDE) == [(1, 100, 3, 102, "close")]
    assert fills(prices, {0: LONG}, at=at) == [(1, 100, 4, 104, "target")]


def test_rule_23_the_bracket_stands_until_then(fills):
    at = [f"2025-01-15 {text}" for text in ("15:39", "15:40", "15:44", "15:45")]
    assert fills([100, 100, 104, 100], {0: LONG}, at=at, flat_ns=15 * MINUTE) == [(1, 100, 2, 104, "target")]
    assert fills([100, 100, 98, 100], {0: LONG}, at=at, flat_ns=15 * MINUTE) == [(1, 100, 2, 98, "stop")]


def test_rule_23_the_order_reaches_the_exchange_after_the_latency_and_the_bracket_stands_until_then(fills):
    # Sent at 15:45:00, there at 15:45:02. At 15:45:01 only the bracket can exit.
    at = [f"2025-01-15 15:4{text}" for text in ("0:00", "0:02", "5:01.999999999", "5:02.0", "6:00")]
    rule = {"latency_ns": 2 * SECOND, "flat_ns": 15 * MINUTE}
    assert fills([100, 100, 103, 101, 104], {0: LONG}, at=at, **rule) == [(1, 100, 3, 101, "close")]
    assert fills([100, 100, 104, 101, 104], {0: LONG}, at=at, **rule) == [(1, 100, 2, 104, "target")]
    assert fills([100, 100, 98, 101, 104], {0: LONG}, at=at, **rule) == [(1, 100, 2, 98, "stop")]


def test_rule_23_an_order_that_finds_no_print_before_the_session_ends_fills_in_the_next(trade):
    # Nothing is traded from 15:40 to 17:30.
    at = [f"2025-01-15 {text}" for text in ("15:39", "15:40", "17:30", "17:31")]
    got = trade([100, 100, 101, 104], {0: LONG}, at=at, flat_ns=15 * MINUTE)
    assert got.fills == [(1, 100, 2, 101, "close")]
    assert [row["session"] for row in got.rows] == [1]


def test_rule_23_the_close_is_that_of_the_session_date_of_the_entry(fills):
    # Entered on the evening of the 14th in the session of the 15th, which closes at 12:15; 15 minutes are 12:00.
    at = ["2025-01-14 16:59", "2025-01-14 17:01", "2025-01-14 17:02", "2025-01-15 11:59:59", "2025-01-15 12:00"]
    early = {date(2025, 1, 15): "2025-01-15 12:15"}
    got = fills([100, 100, 100, 101, 102], {1: LONG}, at=at, flat_ns=15 * MINUTE, closes=early)
    assert got == [(2, 100, 4, 102, "close")]


def test_rule_23_an_entry_that_fills_after_that_time_is_closed_by_the_next_event(fills):
    # Signal at 15:44:59, filled at 15:45:05; the order to close was there at 15:45:02. Print 2 is the entry's event.
    at = [f"2025-01-15 15:{text}" for text in ("44:59", "45:05", "45:05", "45:06")]
    got = fills([100, 100, 101, 103], {0: LONG}, at=at, latency_ns=2 * SECOND, flat_ns=15 * MINUTE)
    assert got == [(1, 100, 3, 103, "close")]


def test_rule_23_a_position_is_held_no_longer_than_told_from_its_fill_on(fills):
    # Filled at 1,000 ms; 5,000 ms later is 6,000.
    prices, ts = [100, 100, 101, 102, 104], [0, 1000, 5999, 6000, 6001]
    assert fills(prices, {0: LONG}, ts=ts, unit=MS, hold_ns=5 * SECOND) == [(1, 100, 3, 102, "hold")]
    assert fills(prices, {0: LONG}, ts=ts, unit=MS, hold_ns=5 * SECOND + MS) == [(1, 100, 4, 104, "hold")]


def test_rule_23_with_entry_signal_the_time_is_counted_from_the_signals_print(fills):
    got = fills([100, 101, 102, 103], {0: LONG}, ts=[0, 4, 5, 6], unit=MS, hold_ns=5 * MS, entry="signal")
    assert got == [(0, 100, 2, 102, "hold")]


@pytest.mark.parametrize(("latency_ms", "exit_print"), [(0, 2), (1, 3), (2, 4), (3, 4), (4, 5)])
def test_rule_23_the_order_of_longest_hold_waits_for_the_latency(fills, latency_ms, exit_print):
    # Filled at 10, sent at 15; prints at 15, 16, 18 and 20.
    prices, ts = [100, 100, 101, 102, 103, 99], [0, 10, 15, 16, 18, 20]
    got = fills(prices, {0: LONG}, ts=ts, unit=MS, hold_ns=5 * MS, latency_ns=latency_ms * MS)
    assert got == [(1, 100, exit_print, prices[exit_print], "hold")]


def test_rule_23_the_order_fills_at_the_first_print_of_an_event_of_several(fills):
    got = fills([100, 100, 103, 99, 104], {0: LONG}, ts=[0, 1, 6, 6, 6], unit=MS, hold_ns=5 * MS)
    assert got == [(1, 100, 2, 103, "hold")]


def test_rule_23_an_order_that_fills_at_the_last_print_closes_the_trade(fills):
    # At the end of the tape it is not open, and at the last print of a segment it is not void.
    prices, ts = [100, 100, 101, 200], [0, 1, 6, 7]
    assert fills(prices[:3], {0: LONG}, ts=ts[:3], unit=MS, hold_ns=5 * MS) == [(1, 100, 2, 101, "hold")]
    contract = ["H5", "H5", "H5", "M5"]
    assert fills(prices, {0: LONG}, ts=ts, unit=MS, hold_ns=5 * MS, contract=contract) == [(1, 100, 2, 101, "hold")]


def test_rule_23_an_order_that_finds_no_print_in_its_segment_leaves_the_trade_void(fills):
    got = fills([100, 100, 101, 200], {0: LONG}, ts=[0, 1, 5, 7], unit=MS, hold_ns=5 * MS, contract=["H5"] * 3 + ["M5"])
    assert got == [(1, 100, 2, 101, "void")]


def test_rule_23_with_overlap_each_trade_has_its_own_time(fills):
    # Filled at 1 and 2 ms, closed at 6 and 7.
    prices, ts = [100, 100, 101, 101, 102], [0, 1, 2, 6, 7]
    got = fills(prices, {0: LONG, 1: LONG}, ts=ts, unit=MS, hold_ns=5 * MS, overlap=True)
    assert got == [(1, 100, 3, 101, "hold"), (2, 101, 4, 102, "hold")]


PAUSE_TS = [0, 1000, 2000, 11_999, 12_000, 13_000, 14_000]
PAUSE_PRICES = [100, 100, 104, 104, 104, 104, 108]


def test_rule_24_a_signal_is_traded_again_once_the_pause_is_over(trade):
    # Sold at 2,000 ms; 10 s later is 12,000.
    got = trade(PAUSE_PRICES, {0: LONG, 3: LONG, 4: LONG}, ts=PAUSE_TS, unit=MS, cooldown_ns=10 * SECOND)
    assert got.fills == [(1, 100, 2, 104, "target"), (5, 104, 6, 108, "target")]
    assert got.counts == {"signals": 3, "in_cooldown": 1, "closed": 2}


def test_rule_24_without_a_pause_a_signal_of_the_exits_own_event_is_traded(fills):
    # Sold at print 2; print 3 is of the same event, and a cooldown of 1 ms would refuse it.
    prices, ts, sides = [100, 100, 104, 104, 104, 108], [0, 1, 2, 2, 3, 4], {0: LONG, 3: LONG}
    assert fills(prices, sides, ts=ts, unit=MS) == [(1, 100, 2, 104, "target"), (4, 104, 5, 108, "target")]
    assert fills(prices, sides, ts=ts, unit=MS, cooldown_ns=MS) == [(1, 100, 2, 104, "target")]


def test_rule_24_a_pause_ends_with_its_session(trade):
    # Sold 1 s before 17:00: the signal still in that session waits, that of 17:00 sharp does not.
    ts = [t * SECOND + SESSION_END for t in (-10, -9, -1, -1, 0, 1, 2)]
    got = trade([100, 100, 104, 104, 104, 104, 108], {0: LONG, 3: LONG, 4: LONG}, ts=ts, cooldown_ns=HOUR)
    assert got.fills == [(1, 100, 2, 104, "target"), (5, 104, 6, 108, "target")]
    assert got.counts == {"signals": 3, "in_cooldown": 1, "closed": 2}


def test_rule_24_a_pause_after_an_exit_in_the_next_session_is_one_of_that_session(counts):
    # Bought in one session and sold at 17:00:00; the signal at 17:00:05 waits.
    ts = [t * SECOND + SESSION_END for t in (-2, -1, 0, 5, 6)]
    got = counts([100, 100, 104, 104, 108], {0: LONG, 3: LONG}, ts=ts, cooldown_ns=10 * SECOND)
    assert got == {"signals": 2, "closed": 1, "in_cooldown": 1}


def test_rule_24_an_unfilled_signal_starts_no_pause_and_ignored_ones_are_counted_so(trade):
    # The signal at 0 finds nothing in its session. Of the others the one at the exit's print is ignored.
    ts = [t * SECOND + SESSION_END for t in (-1, 0, 1, 2, 3)]
    got = trade([100, 100, 100, 104, 104], {0: LONG, 1: LONG, 3: LONG, 4: LONG}, ts=ts, cooldown_ns=10 * SECOND)
    assert got.fills == [(2, 100, 3, 104, "target")]
    assert got.counts == {"signals": 4, "unfilled": 1, "ignored": 1, "in_cooldown": 1, "closed": 1}


def test_rule_24_a_void_trade_ends_at_the_last_print_of_its_segment_and_a_pause_begins_there(trade):
    # Void at 2 ms; the signal at 3 waits until 7.
    prices, contract = [100, 100, 101, 200, 200, 200, 204], ["H5"] * 3 + ["M5"] * 4
    ts = [0, 1, 2, 3, 7, 8, 9]
    got = trade(prices, {0: LONG, 3: LONG, 4: LONG}, ts=ts, unit=MS, contract=contract, cooldown_ns=5 * MS)
    assert got.fills == [(5, 200, 6, 204, "target"), (1, 100, 2, 101, "void")]
    assert got.counts == {"signals": 3, "in_cooldown": 1, "closed": 1, "void": 1}
