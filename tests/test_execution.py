"""Rules 3 to 9 of a fill on tapes of a few prints; the numbers are worked by hand from the rule.

Prices are ticks, times are ns after noon in Chicago, print by print. Unless stated, a print is an event of its own
every 10 ns, the target is 4 and the stop 2 ticks from the entry's fill, and one tick of NQ is 5 USD.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from support.few_prints import LONG, SESSION_END, SHORT, counts, fills, ran, rows, traded
from support.tapes import Given, signals_of, tape_of

from scalpr_zen import Bracket, Execution, ParameterError, instrument, run
from scalpr_zen.simulation.simulate import simulate

# Entry ------------------------------------------------------------------------------------------------


def test_rule_3_the_entry_fills_at_the_first_print_of_a_later_event_and_never_in_its_own():
    # The signal at 0 cannot fill at 1 and 2, which are its own event; it buys 103 at print 3 and sells 107 at 5.
    got = fills([100, 101, 102, 103, 104, 107], {0: LONG}, ts=[5, 5, 5, 6, 6, 7])
    assert got == [(3, 103, 5, 107, "target")]


def test_rule_3_one_signal_sends_one_order():
    assert fills([100, 100, 104, 100, 104, 100, 104], {0: LONG}) == [(1, 100, 2, 104, "target")]


@pytest.mark.parametrize(("latency_ns", "entry"), [(0, 1), (1, 1), (10, 1), (11, 2), (15, 2), (16, 3), (20, 3)])
def test_rule_3_the_order_reaches_the_exchange_after_the_latency(latency_ns, entry):
    # Prints at 0, 10, 15 and 20: one that is exactly in time fills, one that is 1 ns early does not.
    got = fills([100, 101, 102, 103, 99], {0: LONG}, ts=[0, 10, 15, 20, 30], latency_ns=latency_ns)
    assert got == [(entry, 100 + entry, 4, 99, "stop")]


def test_rule_3_the_latency_is_counted_from_the_signal_and_not_from_its_event_before():
    # Sent at 20, due at 30: print 2 (29) is too early.
    got = fills([100, 100, 101, 102, 106], {1: LONG}, ts=[0, 20, 29, 30, 40], latency_ns=10)
    assert got == [(3, 102, 4, 106, "target")]


def test_rule_3_a_signal_without_a_later_print_in_its_segment_is_unfilled_and_counted():
    # Signals at the last print before the roll and at the last of the tape.
    prices, contract = [100, 100, 200, 204], ["H5", "H5", "M5", "M5"]
    assert fills(prices, {1: LONG, 3: SHORT}, contract=contract) == []
    assert counts(prices, {1: LONG, 3: SHORT}, contract=contract) == {"signals": 2, "unfilled": 2}


def test_rule_3_a_signal_whose_event_is_the_last_of_its_segment_is_unfilled():
    prices, contract = [100, 100, 101, 200, 204], ["H5"] * 3 + ["M5"] * 2
    assert counts(prices, {1: LONG}, ts=[0, 10, 10, 10, 20], contract=contract) == {"signals": 1, "unfilled": 1}


def test_rule_3_a_signal_whose_order_would_arrive_in_the_next_session_date_is_unfilled():
    # Due at 10 and at 30 after the signals; the session date ends at 20 after the first one.
    ts = [SESSION_END - 20, SESSION_END - 10, SESSION_END, SESSION_END + 10]
    prices = [100, 101, 102, 98]
    assert fills(prices, {0: LONG}, ts, latency_ns=10) == [(1, 101, 3, 98, "stop")]
    assert counts(prices, {0: LONG}, ts, latency_ns=11) == {"signals": 1, "unfilled": 1}
    assert counts(prices, {1: LONG}, ts) == {"signals": 1, "unfilled": 1}


@pytest.mark.parametrize("day", ["2025-01-15", "2025-07-15", "2025-03-08", "2025-03-09", "2025-11-01", "2025-11-02"])
def test_rule_3_the_session_date_ends_at_17_00_in_chicago_summer_and_winter(day):
    # A signal 2 ns before the end fills 1 ns before it; one 1 ns before the end finds only 17:00 sharp.
    end = int(datetime.fromisoformat(f"{day}T17:00").replace(tzinfo=ZoneInfo("America/Chicago")).timestamp()) * 10**9
    prices, ts = [100, 101, 102, 106], [-2, -1, 0, 1]
    assert fills(prices, {0: LONG}, ts, start=end) == [(1, 101, 3, 105, "target")]
    assert counts(prices, {1: LONG}, ts, start=end) == {"signals": 1, "unfilled": 1}
    assert fills(prices, {2: LONG}, ts, start=end) == [(3, 106, 3, 106, "open")]


def test_rule_3_an_unfilled_signal_blocks_no_other():
    # Print 1 is the last of its session date; the signal at 2 buys 100 and sells 104.
    ts = [0, 10, SESSION_END, SESSION_END + 10, SESSION_END + 20]
    assert fills([100, 100, 100, 100, 104], {1: SHORT, 2: LONG}, ts) == [(3, 100, 4, 104, "target")]


def test_rule_4_the_entry_fills_slippage_above_for_a_buyer_and_below_for_a_seller():
    # A buyer gets 100 + 3 and needs 107; a seller gets 100 - 3 and needs 93.
    assert fills([100, 100, 104, 107], {0: LONG}, slippage_ticks=3) == [(1, 103, 3, 107, "target")]
    assert fills([100, 100, 96, 93], {0: SHORT}, slippage_ticks=3) == [(1, 97, 3, 93, "target")]
    assert fills([100, 100, 104, 107], {0: LONG}) == [(1, 100, 2, 104, "target")]


def test_rule_5_entry_signal_fills_at_the_signals_own_print_whatever_the_latency():
    # Bought 101 at print 1; print 2, of the same event, is the target.
    prices, ts = [100, 101, 105, 105], [0, 10, 10, 20]
    assert fills(prices, {1: LONG}, ts, entry="signal", latency_ns=99) == [(1, 101, 2, 105, "target")]
    assert fills(prices, {3: SHORT}, ts, entry="signal") == [(3, 105, 3, 105, "open")]


def test_rule_5_entry_signal_pays_slippage_too():
    assert fills([100, 101, 106], {1: LONG}, entry="signal", slippage_ticks=1) == [(1, 102, 2, 106, "target")]


def test_rule_5_entry_signal_is_called_optimistic_by_the_report_and_is_not_the_default():
    prices, sides = [100, 101, 105], {0: LONG}
    optimistic = [ran(prices, sides, entry="signal"), ran(prices, sides, entry="next"), ran(prices, sides)]
    got = [any("OPTIMISTIC entry=signal" in line for line in result.text("txt").splitlines()) for result in optimistic]
    assert got == [True, False, False]
    assert Execution().entry == "next"


# Exit -------------------------------------------------------------------------------------------------


def test_rule_6_target_and_stop_lie_whole_ticks_from_the_entrys_fill_for_either_side():
    # Long from 100: target 104, stop 98. Short from 100: target 96, stop 102. One tick less is none of them.
    assert fills([100, 100, 103, 104], {0: LONG}) == [(1, 100, 3, 104, "target")]
    assert fills([100, 100, 99, 98], {0: LONG}) == [(1, 100, 3, 98, "stop")]
    assert fills([100, 100, 97, 96], {0: SHORT}) == [(1, 100, 3, 96, "target")]
    assert fills([100, 100, 101, 102], {0: SHORT}) == [(1, 100, 3, 102, "stop")]


def test_rule_6_target_and_stop_are_counted_from_the_fill_and_not_from_the_print_of_the_signal():
    # Signal at 90, bought 100: 94 is the stop, not the target.
    assert fills([90, 100, 94], {0: LONG}) == [(1, 100, 2, 94, "stop")]
    # Bought at 100 with 3 of slippage, 103: the stop is 101, the target 107.
    assert fills([100, 100, 101], {0: LONG}, slippage_ticks=3) == [(1, 103, 2, 98, "stop")]


def test_rule_6_a_distance_that_is_no_multiple_of_the_tick_is_an_error():
    tape = tape_of([100, 101])
    signals = signals_of(tape, {})
    with pytest.raises(ParameterError, match=r"^take_profit must be a multiple of the tick 0\.25, was 0\.3"):
        simulate(tape, signals, Bracket(take_profit=0.3, stop_loss=0.5), Execution())
    with pytest.raises(ParameterError, match=r"^stop_loss must be a multiple of the tick 0\.25, was 0\.6"):
        run(tape, Given(signals), Bracket(take_profit=0.25, stop_loss=0.6))
    with pytest.raises(ParameterError, match=r"was 10\.0000001$"):
        Bracket(take_profit=10.0000001).distances(tape.instrument, LONG)
    # 0.3 is three ticks of 0.1, though not in binary.
    assert Bracket(take_profit=0.3, stop_loss=0.7).distances(instrument("RTY"), LONG) == (3, 7)


def test_rule_6_no_print_of_the_entrys_own_event_is_an_exit():
    # Bought 100 at print 1. Print 2 would be the target and print 3 the stop, both of that event.
    ts = [0, 10, 10, 10, 20, 30]
    assert fills([100, 100, 105, 95, 101, 97], {0: LONG}, ts) == [(1, 100, 5, 97, "stop")]
    assert fills([100, 100, 105, 95, 101, 104], {0: LONG}, ts) == [(1, 100, 5, 104, "target")]
    assert fills([100, 100, 105, 95, 101, 101], {0: LONG}, ts) == [(1, 100, 5, 101, "open")]


def test_rule_6_with_entry_signal_any_later_print_is_an_exit_but_not_the_signals_own():
    # With 2 of slippage the fill is 102 and its stop 100, at the very price of the signal's print.
    got = fills([100, 103, 99], {0: LONG}, ts=[0, 0, 0], entry="signal", slippage_ticks=2)
    assert got == [(0, 102, 2, 97, "stop")]


def test_rule_6_a_trade_outlives_its_session_date():
    ts = [0, 10, SESSION_END, SESSION_END + 10]
    simulation = traded([100, 100, 101, 104], {0: LONG}, ts)
    assert rows(simulation.trades) == [(1, 100, 3, 104, "target")]
    # It belongs to the session date of its exit, the second of the tape.
    assert simulation.trades["session"].tolist() == [1]


def test_rule_7_target_fill_touch_fills_at_the_first_print_at_or_beyond_the_limit():
    assert fills([100, 100, 103, 104, 107], {0: LONG}, target_fill="touch") == [(1, 100, 3, 104, "target")]
    assert fills([100, 100, 97, 96, 93], {0: SHORT}, target_fill="touch") == [(1, 100, 3, 96, "target")]
    assert fills([100, 100, 103, 105], {0: LONG}, target_fill="touch") == [(1, 100, 3, 104, "target")]


def test_rule_7_target_fill_through_fills_at_the_first_print_strictly_beyond_the_limit():
    assert fills([100, 100, 104, 104, 105], {0: LONG}, target_fill="through") == [(1, 100, 4, 104, "target")]
    assert fills([100, 100, 96, 96, 95], {0: SHORT}, target_fill="through") == [(1, 100, 4, 96, "target")]
    # Touched and never passed, it is no exit: the stop is.
    assert fills([100, 100, 104, 98], {0: LONG}, target_fill="through") == [(1, 100, 3, 98, "stop")]


@pytest.mark.parametrize("target_fill", ["touch", "through"])
def test_rule_7_a_take_profit_fills_at_its_limit_never_better_and_never_with_slippage(target_fill):
    # Long from 100 + 1: limit 105 under a print at 120. Short from 100 - 1: limit 95 over a print at 80.
    rule = {"target_fill": target_fill, "slippage_ticks": 1}
    assert fills([100, 100, 120], {0: LONG}, **rule) == [(1, 101, 2, 105, "target")]
    assert fills([100, 100, 80], {0: SHORT}, **rule) == [(1, 99, 2, 95, "target")]


@pytest.mark.parametrize("target_fill", ["touch", "through"])
def test_rule_8_a_stop_is_triggered_by_the_first_print_at_or_beyond_it(target_fill):
    # What fills the target says nothing about the stop: at its price is enough.
    assert fills([100, 100, 99, 98], {0: LONG}, target_fill=target_fill) == [(1, 100, 3, 98, "stop")]
    assert fills([100, 100, 101, 102], {0: SHORT}, target_fill=target_fill) == [(1, 100, 3, 102, "stop")]


def test_rule_8_stop_fill_trigger_fills_at_the_triggering_print_so_a_gap_costs_what_it_cost():
    assert fills([100, 100, 90, 97], {0: LONG}, stop_fill="trigger") == [(1, 100, 2, 90, "stop")]
    assert fills([100, 100, 110, 103], {0: SHORT}, stop_fill="trigger") == [(1, 100, 2, 110, "stop")]


def test_rule_8_stop_fill_level_fills_at_the_stop_price_though_the_market_gapped_beyond():
    assert fills([100, 100, 90, 97], {0: LONG}, stop_fill="level") == [(1, 100, 2, 98, "stop")]
    assert fills([100, 100, 110, 103], {0: SHORT}, stop_fill="level") == [(1, 100, 2, 102, "stop")]


def test_rule_8_stop_fill_next_fills_at_the_first_print_of_a_later_event():
    # Triggered at print 2; prints 3 and 4 are the same event; print 5 is the next, wherever it is.
    ts = [0, 10, 20, 20, 20, 21]
    assert fills([100, 100, 95, 97, 99, 96], {0: LONG}, ts, stop_fill="next") == [(1, 100, 5, 96, "stop")]
    assert fills([100, 100, 95, 97, 99, 120], {0: LONG}, ts, stop_fill="next") == [(1, 100, 5, 120, "stop")]
    assert fills([100, 100, 105, 97, 99, 104], {0: SHORT}, ts, stop_fill="next") == [(1, 100, 5, 104, "stop")]


@pytest.mark.parametrize(("latency_ns", "exit_print"), [(4, 3), (5, 3), (6, 4), (9, 4), (10, 5)])
def test_rule_8_stop_fill_next_waits_for_the_latency_after_the_trigger(latency_ns, exit_print):
    # Bought 100 at print 1, triggered at print 2 (30): prints 3, 4 and 5 come 5, 9 and 10 later.
    got = fills([100, 100, 98, 93, 94, 95], {0: LONG}, [0, 20, 30, 35, 39, 40], stop_fill="next", latency_ns=latency_ns)
    assert got == [(1, 100, exit_print, 90 + exit_print, "stop")]


@pytest.mark.parametrize("stop_fill", ["trigger", "level"])
def test_rule_8_a_stop_held_at_the_exchange_knows_no_latency(stop_fill):
    got = fills([100, 100, 98, 97], {0: LONG}, [0, 20, 21, 22], stop_fill=stop_fill, latency_ns=15)
    assert got == [(1, 100, 2, 98, "stop")]


def test_rule_8_once_a_stop_is_triggered_its_target_is_gone():
    # The order is on its way from 30 until 45: the target at print 3 (40) is too late, print 4 fills at 103.
    got = fills([100, 100, 98, 104, 103], {0: LONG}, [0, 20, 30, 40, 50], stop_fill="next", latency_ns=15)
    assert got == [(1, 100, 4, 103, "stop")]


def test_rule_8_stop_fill_next_may_fill_in_the_next_session_date():
    ts = [0, 10, SESSION_END - 1, SESSION_END]
    assert fills([100, 100, 98, 95], {0: LONG}, ts, stop_fill="next") == [(1, 100, 3, 95, "stop")]


@pytest.mark.parametrize(
    ("stop_fill", "exit_print", "long_exit", "short_exit"),
    [("trigger", 2, 93, 107), ("level", 2, 98, 102), ("next", 3, 95, 105)],
)
def test_rule_8_every_stop_exit_pays_slippage(stop_fill, exit_print, long_exit, short_exit):
    # Bought 100 + 2 = 102, stop at 100. Print 2 gaps to 95, print 3 is 97. Selling costs two ticks more:
    # 95 - 2 at the trigger, 100 - 2 at the level, 97 - 2 at the next. Mirrored for the short.
    rule = {"stop_fill": stop_fill, "slippage_ticks": 2}
    assert fills([100, 100, 95, 97], {0: LONG}, **rule) == [(1, 102, exit_print, long_exit, "stop")]
    assert fills([100, 100, 105, 103], {0: SHORT}, **rule) == [(1, 98, exit_print, short_exit, "stop")]


def test_rule_9_the_first_print_to_meet_either_decides():
    # Target 101, stop 99, one tick away each.
    bracket = {"take_profit": 1, "stop_loss": 1}
    assert fills([100, 100, 101, 99], {0: LONG}, **bracket) == [(1, 100, 2, 101, "target")]
    assert fills([100, 100, 99, 101], {0: LONG}, **bracket) == [(1, 100, 2, 99, "stop")]
    assert fills([100, 100, 101, 99], {0: SHORT}, **bracket) == [(1, 100, 2, 101, "stop")]
    assert fills([100, 100, 99, 101], {0: SHORT}, **bracket) == [(1, 100, 2, 99, "target")]


def test_rule_9_among_the_prints_of_one_event_their_order_decides():
    # Target and stop are met inside one event, after the entry's.
    ts = [0, 10, 20, 20]
    assert fills([100, 100, 104, 98], {0: LONG}, ts) == [(1, 100, 2, 104, "target")]
    assert fills([100, 100, 98, 104], {0: LONG}, ts) == [(1, 100, 2, 98, "stop")]
