"""Rules 30 to 36, moving stops, the queue and the roll, by the fast simulator and its slow twin.

The numbers are worked by hand from the rule. Prices are ticks, times are ns after noon in Chicago, print by print.
Unless told, a print is an event of its own every 10 ns, the target is 4 and the stop 2 ticks from the entry's fill,
and one tick of NQ is 5 USD.
"""

import pytest
from support.both import LONG, MS, SESSION_END, SHORT, WIDE

# More of the bracket ----------------------------------------------------------------------------------


def test_rule_30_short_trades_may_have_distances_of_their_own(fills):
    # Long: 104 and 98. Short: target 99, stop 103.
    rule = {"take_profit_short": 1, "stop_loss_short": 3}
    assert fills([100, 100, 101, 103, 104], {0: LONG}, **rule) == [(1, 100, 4, 104, "target")]
    assert fills([100, 100, 99, 98], {0: LONG}, **rule) == [(1, 100, 3, 98, "stop")]
    assert fills([100, 100, 102, 99], {0: SHORT}, **rule) == [(1, 100, 3, 99, "target")]
    assert fills([100, 100, 102, 103], {0: SHORT}, **rule) == [(1, 100, 3, 103, "stop")]


def test_rule_30_a_distance_that_is_not_given_is_that_of_long_trades(fills):
    assert fills([100, 100, 97, 96], {0: SHORT}, stop_loss_short=3) == [(1, 100, 3, 96, "target")]
    assert fills([100, 100, 101, 102], {0: SHORT}, take_profit_short=3) == [(1, 100, 3, 102, "stop")]


def test_rule_30_the_side_is_that_of_the_trade_after_invert(fills):
    assert fills([100, 100, 99], {0: LONG}, take_profit_short=1, reverse=True) == [(1, 100, 2, 99, "target")]


def test_rule_31_the_trailing_stop_follows_the_best_profit(fills):
    # Two ticks behind: 98 at first, 101 once 103 was seen. 102 is above it, 101 is at it.
    rule = {"trailing_stop": 2, **WIDE}
    assert fills([100, 100, 103, 102, 101, 90], {0: LONG}, **rule) == [(1, 100, 4, 101, "trailing")]
    assert fills([100, 100, 97, 98, 99, 110], {0: SHORT}, **rule) == [(1, 100, 4, 99, "trailing")]


def test_rule_31_the_trailing_stop_never_moves_back(fills):
    # 103, then 102 again and again: the stop stays at 100.
    got = fills([100, 100, 103, 102, 101, 102, 101, 100], {0: LONG}, trailing_stop=3, **WIDE)
    assert got == [(1, 100, 7, 100, "trailing")]


def test_rule_31_from_a_profit_of_zero_on_it_stands_from_the_entry_on(fills):
    # At 98 before any profit; losing prints move it nowhere, for the best profit is at least zero.
    rule = {"trailing_stop": 2, **WIDE}
    assert fills([100, 100, 98], {0: LONG}, **rule) == [(1, 100, 2, 98, "trailing")]
    assert fills([100, 100, 99, 98], {0: LONG}, **rule) == [(1, 100, 3, 98, "trailing")]
    assert fills([100, 100, 98], {0: LONG}, ts=[0, 100, 101], latency_ns=99, **rule) == [(1, 100, 2, 98, "trailing")]


def test_rule_31_it_trails_from_its_profit_on(fills):
    # From +3 on, two behind: 101 once 103 was seen. With 102 alone the stop is the initial one, 60.
    rule = {"trailing_stop": 2, "trail_activation": 3, **WIDE}
    assert fills([100, 100, 102, 99, 60], {0: LONG}, **rule) == [(1, 100, 4, 60, "stop")]
    assert fills([100, 100, 103, 101], {0: LONG}, **rule) == [(1, 100, 3, 101, "trailing")]
    assert fills([100, 100, 97, 99], {0: SHORT}, **rule) == [(1, 100, 3, 99, "trailing")]


@pytest.mark.parametrize(("best", "stop"), [(103, 101), (104, 101), (105, 103), (106, 103), (107, 105)])
def test_rule_31_it_moves_by_whole_steps_from_the_profit_from_which_it_trails(fills, best, stop):
    # From +3 on, by 2: at +3 and +4 it lies at 3 - 2 = +1, at +5 and +6 at +3, at +7 at +5.
    rule = {"trailing_stop": 2, "trail_activation": 3, "trailing_step": 2, **WIDE}
    assert fills([100, 100, best, stop + 1, stop], {0: LONG}, **rule) == [(1, 100, 4, stop, "trailing")]
    mirror = fills([100, 100, 200 - best, 199 - stop, 200 - stop], {0: SHORT}, **rule)
    assert mirror == [(1, 100, 4, 200 - stop, "trailing")]


def test_rule_31_the_profit_is_counted_from_the_fill_with_its_slippage(fills):
    # Bought at 101; 103 is +2, the stop 101; sold one tick below the print.
    got = fills([100, 100, 103, 102, 101], {0: LONG}, trailing_stop=2, slippage_ticks=1, **WIDE)
    assert got == [(1, 101, 4, 100, "trailing")]


def test_rule_31_a_print_of_the_entrys_event_after_the_fill_is_a_profit_that_was_seen(fills):
    # Print 2, of the entry's event, is +10: from the next event on the stop lies at 108, and 105 is below it.
    rule = {"trailing_stop": 2, "ts": [0, 10, 10, 20], **WIDE}
    assert fills([100, 100, 110, 105], {0: LONG}, **rule) == [(1, 100, 3, 105, "trailing")]
    # Print 0 and the fill itself are none.
    assert fills([110, 100, 100, 99], {0: LONG}, **rule) == [(1, 100, 3, 99, "open")]


def test_rule_9_where_a_leap_in_the_entrys_event_lifts_the_stop_above_the_target_the_target_fills(fills):
    # Bought 100, target 104. Print 2, of the entry's event, is 110: the stop lies at 108. Print 3 is beyond both, and
    # the target was there first. Below the target only the stop is met.
    rule = {"trailing_stop": 2, "ts": [0, 10, 10, 20]}
    for stop_fill in ("trigger", "level", "next"):
        assert fills([100, 100, 110, 105], {0: LONG}, stop_fill=stop_fill, **rule) == [(1, 100, 3, 104, "target")]
    assert fills([100, 100, 110, 103], {0: LONG}, **rule) == [(1, 100, 3, 103, "trailing")]


def test_rule_32_from_its_profit_on_the_stop_lies_at_the_entry(fills):
    rule = {"break_even_at": 3, **WIDE}
    assert fills([100, 100, 103, 101, 100], {0: LONG}, **rule) == [(1, 100, 4, 100, "break_even")]
    assert fills([100, 100, 97, 99, 100], {0: SHORT}, **rule) == [(1, 100, 4, 100, "break_even")]
    # +2 is too little.
    assert fills([100, 100, 102, 101, 100, 60], {0: LONG}, **rule) == [(1, 100, 5, 60, "stop")]


def test_rule_32_or_some_ticks_beyond_it(fills):
    rule = {"break_even_at": 3, "break_even_plus": 2, **WIDE}
    assert fills([100, 100, 103, 103, 102], {0: LONG}, **rule) == [(1, 100, 4, 102, "break_even")]
    assert fills([100, 100, 97, 97, 98], {0: SHORT}, **rule) == [(1, 100, 4, 98, "break_even")]


def test_rule_32_the_entry_is_its_fill_with_slippage_and_the_stop_pays_it_again(fills):
    # Bought at 101; 104 is +3. The stop lies at 101; sold at 101 - 1.
    got = fills([100, 100, 104, 102, 101], {0: LONG}, break_even_at=3, slippage_ticks=1, **WIDE)
    assert got == [(1, 101, 4, 100, "break_even")]


@pytest.mark.parametrize(
    "moved", [{"trailing_stop": 2, "trail_activation": 3}, {"break_even_at": 3, "break_even_plus": 1}]
)
def test_rule_33_a_moved_stop_knows_no_print_of_its_own_event(fills, moved):
    # 103 and 101 in one event: the stop is not at 101 before the next.
    ts = [0, 10, 20, 20, 20, 30]
    reason = "trailing" if "trailing_stop" in moved else "break_even"
    got = fills([100, 100, 103, 101, 99, 101], {0: LONG}, ts=ts, **moved, **WIDE)
    assert got == [(1, 100, 5, 101, reason)]


@pytest.mark.parametrize(("latency_ns", "exit_print"), [(0, 3), (5, 3), (6, 4), (9, 4), (10, 5)])
@pytest.mark.parametrize(
    "moved", [{"trailing_stop": 2, "trail_activation": 3}, {"break_even_at": 3, "break_even_plus": 1}]
)
def test_rule_33_a_moved_stop_reaches_the_exchange_after_the_latency(fills, moved, latency_ns, exit_print):
    # +3 at print 2 (30); prints 3, 4 and 5 come 5, 9 and 10 later, all below the moved stop at 101.
    prices = [100, 100, 103, 93, 94, 95]
    reason = "trailing" if "trailing_stop" in moved else "break_even"
    got = fills(prices, {0: LONG}, ts=[0, 20, 30, 35, 39, 40], latency_ns=latency_ns, **moved, **WIDE)
    assert got == [(1, 100, exit_print, prices[exit_print], reason)]


def test_rule_33_an_earlier_move_is_known_while_a_later_one_is_under_way(fills):
    # +3 at 30 is known from 45 on, +10 at 40 from 55 on. At 50 the stop is at 101, at 60 at 108.
    rule = {"trailing_stop": 2, "latency_ns": 15, "ts": [0, 20, 30, 40, 50, 60], **WIDE}
    assert fills([100, 100, 103, 110, 102, 108], {0: LONG}, **rule) == [(1, 100, 5, 108, "trailing")]
    assert fills([100, 100, 103, 110, 101, 108], {0: LONG}, **rule) == [(1, 100, 4, 101, "trailing")]


def test_rule_33_the_initial_stop_stands_until_a_better_one_has_arrived(fills):
    # +3 at 30 is under way when print 3 meets the initial stop at 98.
    rule = {"trailing_stop": 2, "trail_activation": 3, "latency_ns": 15, "take_profit": 50, "stop_loss": 2}
    got = fills([100, 100, 103, 98, 98], {0: LONG}, ts=[0, 20, 30, 40, 50], **rule)
    assert got == [(1, 100, 3, 98, "stop")]


def test_rule_33_the_best_of_the_stops_is_in_force(fills):
    # A trailing stop farther than the initial one is none until it has passed it; break-even at +1 beats both.
    prices = [100, 100, 101, 99, 98]
    assert fills(prices, {0: LONG}, take_profit=50, stop_loss=2, trailing_stop=9) == [(1, 100, 4, 98, "stop")]
    rule = {"trailing_stop": 3, "break_even_at": 2, "break_even_plus": 1, **WIDE}
    assert fills([100, 100, 102, 101], {0: LONG}, **rule) == [(1, 100, 3, 101, "break_even")]
    # At +5 the trailing one lies at +2, above it.
    assert fills([100, 100, 105, 102], {0: LONG}, **rule) == [(1, 100, 3, 102, "trailing")]


@pytest.mark.parametrize(
    ("stop_fill", "exit_print", "exit_ticks"), [("trigger", 3, 95), ("level", 3, 101), ("next", 5, 96)]
)
@pytest.mark.parametrize("moved", [{"trailing_stop": 2}, {"break_even_at": 3, "break_even_plus": 1}])
def test_rule_34_a_moved_stop_fills_as_every_stop(fills, moved, stop_fill, exit_print, exit_ticks):
    # The stop lies at 101; print 3 gaps to 95, print 4 is of its event, print 5 is the next.
    reason = "trailing" if "trailing_stop" in moved else "break_even"
    rule = {"ts": [0, 10, 20, 30, 30, 40], **moved, **WIDE}
    for slippage_ticks in (0, 1):  # one tick more for the entry, and one less for the exit
        prices = [100 - slippage_ticks, 100 - slippage_ticks, 103, 95, 99, 96]
        got = fills(prices, {0: LONG}, stop_fill=stop_fill, slippage_ticks=slippage_ticks, **rule)
        assert got == [(1, 100, exit_print, exit_ticks - slippage_ticks, reason)]


def test_rule_34_the_reason_is_the_stop_in_force_when_it_was_triggered(fills):
    # Triggered at 98 by the initial stop; the profit of print 3, seen before the fill at print 4, changes nothing.
    rule = {"stop_fill": "next", "latency_ns": 15, "break_even_at": 3, "take_profit": 50, "stop_loss": 2}
    got = fills([100, 100, 98, 103, 99], {0: LONG}, ts=[0, 20, 30, 40, 50], **rule)
    assert got == [(1, 100, 4, 99, "stop")]


def test_rule_34_a_move_under_way_does_not_revive_a_stop_that_is_triggered(fills):
    # +1 at print 2 moves the stop to 100 from 45 on; the initial one is triggered at print 3, at 98, and fills at 60.
    rule = {"stop_fill": "next", "latency_ns": 15, "break_even_at": 1, "take_profit": 50, "stop_loss": 2}
    got = fills([100, 100, 101, 98, 97, 96, 95], {0: LONG}, ts=[0, 20, 30, 40, 50, 60, 70], **rule)
    assert got == [(1, 100, 5, 96, "stop")]


def test_rule_34_of_equal_stops_the_first_is_the_reason(fills):
    # At the entry both lie at 98; at +3 both at 101; break-even at -2, with the initial one.
    assert fills([100, 100, 98], {0: LONG}, trailing_stop=2) == [(1, 100, 2, 98, "stop")]
    rule = {"trailing_stop": 2, "break_even_at": 3, "break_even_plus": 1, **WIDE}
    assert fills([100, 100, 103, 101], {0: LONG}, **rule) == [(1, 100, 3, 101, "break_even")]


QUEUE = {"target_fill": "queue", "queue_ahead": 5}


def test_rule_35_the_target_fills_when_the_queue_ahead_and_its_own_contracts_are_consumed(fills):
    # 5 ahead and 1 of its own: 3 + 2 is one too few, 3 + 2 + 1 is it. Buyers lift the offer at 104.
    prices, size = [100, 100, 104, 104, 103, 104], [1, 1, 3, 2, 9, 1]
    assert fills(prices, {0: LONG}, size=size, aggressor=1, **QUEUE) == [(1, 100, 5, 104, "target")]
    assert fills(prices[:-1], {0: LONG}, size=size[:-1], aggressor=1, **QUEUE) == [(1, 100, 4, 103, "open")]


def test_rule_35_its_own_contracts_are_counted_and_it_fills_whole(fills):
    prices, size = [100, 100, 104, 104, 104], [1, 1, 6, 1, 1]
    got = [fills(prices, {0: LONG}, size=size, aggressor=1, contracts=n, **QUEUE)[0][2] for n in (1, 2, 3)]
    assert got == [2, 3, 4]


def test_rule_35_a_print_larger_than_the_queue_fills_at_once(fills):
    got = fills([100, 100, 104], {0: LONG}, size=[1, 1, 600], aggressor=1, **QUEUE)
    assert got == [(1, 100, 2, 104, "target")]


def test_rule_35_a_short_trades_target_is_filled_by_sellers(fills):
    prices, size = [100, 100, 96, 96, 96], [1, 1, 6, 5, 1]
    got = fills(prices, {0: SHORT}, size=size, aggressor=[0, 0, 1, -1, -1], **QUEUE)
    assert got == [(1, 100, 4, 96, "target")]


def test_rule_35_the_other_side_takes_nothing_out_of_the_queue(fills):
    got = fills([100, 100, 104, 104], {0: LONG}, size=[1, 1, 600, 6], aggressor=[0, 0, -1, 1], **QUEUE)
    assert got == [(1, 100, 3, 104, "target")]


def test_rule_35_an_unknown_aggressor_counts_half_and_halves_add_up(fills):
    # 1.5 each: 4.5 after three, 6 after four.
    assert fills([100, 100, 104, 104, 104, 104], {0: LONG}, size=3, **QUEUE) == [(1, 100, 5, 104, "target")]
    # 5 by a buyer and halves of 1: 5.5, then 6.
    prices, size, aggressor = [100, 100, 104, 104, 104], [1, 1, 5, 1, 1], [0, 0, 1, 0, 0]
    assert fills(prices, {0: LONG}, size=size, aggressor=aggressor, **QUEUE) == [(1, 100, 4, 104, "target")]
    # 11 contracts are 5.5, 12 are 6.
    assert fills([100, 100, 104, 103], {0: LONG}, size=11, **QUEUE) == [(1, 100, 3, 103, "open")]
    assert fills([100, 100, 104, 103], {0: LONG}, size=12, **QUEUE) == [(1, 100, 2, 104, "target")]
    assert fills([100, 100, 96, 97], {0: SHORT}, size=12, **QUEUE) == [(1, 100, 2, 96, "target")]


def test_rule_35_a_print_strictly_beyond_fills_at_the_limit_whoever_traded(fills):
    for aggressor in (-1, 0, 1):
        assert fills([100, 100, 107], {0: LONG}, aggressor=aggressor, **QUEUE) == [(1, 100, 2, 104, "target")]
        assert fills([100, 100, 93], {0: SHORT}, aggressor=aggressor, **QUEUE) == [(1, 100, 2, 96, "target")]


def test_rule_35_no_print_of_the_entrys_own_event_is_of_the_queue(fills):
    rule = {"size": 5, "aggressor": 1, **QUEUE}
    assert fills([100, 100, 104, 104, 103], {0: LONG}, ts=[0, 10, 10, 20, 30], **rule) == [(1, 100, 4, 103, "open")]
    rule["size"] = 6
    assert fills([100, 104, 103], {0: LONG}, ts=[0, 0, 10], entry="signal", **rule) == [(0, 100, 1, 104, "target")]


def test_rule_35_with_nobody_ahead_its_own_contracts_must_still_be_traded(fills):
    rule = {"target_fill": "queue", "queue_ahead": 0}
    got = fills([100, 100, 104, 104, 104], {0: LONG}, aggressor=[0, 0, -1, 0, 0], **rule)
    # A half of 1 twice.
    assert got == [(1, 100, 4, 104, "target")]


def test_rule_35_the_largest_sizes_are_counted(fills):
    largest = 2**31 - 1
    rule = {"target_fill": "queue", "queue_ahead": 1_000_000}
    for aggressor in (0, 1):
        got = fills([100, 100, 104], {0: LONG}, size=[1, 1, largest], aggressor=aggressor, **rule)
        assert got == [(1, 100, 2, 104, "target")]
    got = fills([100, 100, 104, 104, 103], {0: LONG}, size=[1, 1, largest, 1, 1], aggressor=-1, **rule)
    assert got == [(1, 100, 4, 103, "open")]


def test_rule_35_each_trade_joins_the_queue_anew(fills):
    # Of the first trade, stopped at 98, 4 of 6 were consumed; the second one needs all 6.
    prices = [100, 100, 104, 98, 100, 100, 104, 104]
    size = [1, 1, 4, 1, 1, 1, 4, 2]
    got = fills(prices, {0: LONG, 4: LONG}, size=size, aggressor=1, **QUEUE)
    assert got == [(1, 100, 3, 98, "stop"), (5, 100, 7, 104, "target")]


def test_rule_35_the_target_counts_from_the_fill_with_its_slippage_and_pays_none(fills):
    # Bought at 101: 104 is no print of its queue, 105 is.
    got = fills([100, 100, 104, 105], {0: LONG}, size=6, aggressor=1, slippage_ticks=1, **QUEUE)
    assert got == [(1, 101, 3, 105, "target")]


# Rolls ------------------------------------------------------------------------------------------------

ROLL = ["H5"] * 4 + ["M5"] * 4


def test_rule_36_a_trade_still_open_at_the_last_print_of_its_segment_is_closed_there(trade):
    # Bought 100 in H5, which ends at 101; in M5 bought 200, sold 204.
    prices, sides = [100, 100, 103, 101, 200, 200, 204, 204], {0: LONG, 2: LONG, 4: LONG}
    got = trade(prices, sides, contract=ROLL, roll_exit="close")
    assert got.fills == [(1, 100, 3, 101, "roll"), (5, 200, 6, 204, "target")]
    assert got.counts == {"signals": 3, "ignored": 1, "closed": 2}
    assert trade(prices, sides, contract=ROLL).counts == {"signals": 3, "ignored": 1, "closed": 1, "void": 1}


def test_rule_36_it_pays_slippage(fills):
    prices = [100, 100, 101, 101, 200, 200, 200, 200]
    rule = {"contract": ROLL, "roll_exit": "close", "slippage_ticks": 2, **WIDE}
    assert fills(prices, {0: LONG}, **rule) == [(1, 102, 3, 99, "roll")]
    assert fills(prices, {0: SHORT}, **rule) == [(1, 98, 3, 103, "roll")]


def test_rule_36_an_exit_at_the_last_print_of_the_segment_is_that_exit(fills):
    rule = {"contract": ROLL, "roll_exit": "close"}
    assert fills([100, 100, 103, 106, 9, 9, 9, 9], {0: LONG}, **rule) == [(1, 100, 3, 104, "target")]
    assert fills([100, 100, 99, 98, 9, 9, 9, 9], {0: LONG}, **rule) == [(1, 100, 3, 98, "stop")]


def test_rule_36_an_entry_in_the_last_event_of_the_segment_is_void(fills):
    rule = {"contract": ROLL, "roll_exit": "close"}
    prices = [100, 100, 103, 101, 9, 9, 9, 9]
    assert fills(prices, {2: LONG}, **rule) == [(3, 101, 3, 101, "void")]
    # Bought at print 2; print 3, the last of H5, is of the same event.
    ts = [0, 10, 20, 20, 30, 40, 50, 60]
    assert fills(prices, {1: LONG}, ts=ts, **rule) == [(2, 103, 3, 101, "void")]
    assert fills(prices, {2: LONG}, ts=ts, entry="signal", **rule) == [(2, 103, 3, 101, "stop")]
    assert fills(prices, {2: LONG}, ts=ts, entry="signal", **rule, **WIDE) == [(2, 103, 3, 101, "void")]


def test_rule_36_the_end_of_the_tape_is_no_roll(fills):
    rule = {"roll_exit": "close", "slippage_ticks": 1}
    assert fills([100, 100, 101], {0: LONG}, **rule) == [(1, 101, 2, 101, "open")]
    prices = [100, 100, 104, 104, 200, 200, 201, 201]
    assert fills(prices, {4: LONG}, contract=ROLL, **rule) == [(5, 201, 7, 201, "open")]


def test_rule_36_a_triggered_stop_that_finds_no_print_before_the_roll_is_closed_by_it(fills):
    # Triggered at print 3, the last of H5, or at print 2 with print 3 in its event.
    rule = {"contract": ROLL, "roll_exit": "close", "stop_fill": "next", "slippage_ticks": 1}
    assert fills([100, 100, 101, 98, 9, 9, 9, 9], {0: LONG}, **rule) == [(1, 101, 3, 97, "roll")]
    ts = [0, 10, 20, 20, 30, 40, 50, 60]
    assert fills([100, 100, 98, 97, 9, 9, 9, 9], {0: LONG}, ts=ts, **rule) == [(1, 101, 3, 96, "roll")]


def test_rule_36_an_order_under_way_that_finds_no_print_before_the_roll_is_closed_by_it(fills):
    rule = {"contract": ["H5"] * 3 + ["M5"], "roll_exit": "close", "hold_ns": 5 * MS, "ts": [0, 1, 5, 7], "unit": MS}
    assert fills([100, 100, 101, 200], {0: LONG}, **rule) == [(1, 100, 2, 101, "roll")]


def test_rule_36_the_trade_belongs_to_the_session_and_the_segment_of_its_last_print(trade):
    ts = [SESSION_END + t for t in (-20, -10, 0, 10, 20, 30, 40, 50)]
    got = trade([100, 100, 101, 101, 9, 9, 9, 9], {0: LONG}, ts=ts, contract=ROLL, roll_exit="close")
    assert [(row["segment"], row["session"], row["net_usd"]) for row in got.rows] == [(0, 1, 5.0)]


# Excursions -------------------------------------------------------------------------------------------


def test_rule_14_excursions_end_with_the_exits_print_for_every_reason(trade):
    # -1 at print 2, +3 at print 3, the exit; print 4 is beyond it.
    prices, ts = [100, 100, 99, 103, 150], [0, 1, 2, 6, 7]
    at_hold = trade(prices, {0: LONG}, ts=ts, unit=MS, hold_ns=5 * MS, **WIDE)
    at_limit = trade(prices, {0: LONG}, ts=ts, unit=MS, limit_basis="equity", loss_limit=5.0, **WIDE)
    at_roll = trade(prices, {0: LONG}, contract=["H5"] * 4 + ["M5"], roll_exit="close", **WIDE)
    for got, reason in ((at_hold, "hold"), (at_limit, "loss_limit"), (at_roll, "roll")):
        (row,) = got.rows
        assert (row["reason"], row["mae_ticks"], row["mfe_ticks"], row["gross_ticks"]) == (reason, -1, 3, 3)
