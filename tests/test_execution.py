"""Each rule of a fill, pinned on tapes of a few prints; the numbers are worked by hand from the rule.

Prices are ticks, times are ns after noon in Chicago, print by print. Unless told, a print is an event of its own
every 10 ns, the target is 4 and the stop 2 ticks from the entry's fill, and one tick of NQ is 5 USD.
"""

import inspect
import math
import re
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from support.tapes import NOON, Given, signals_of, tape_of

import scalpr_zen.base.blocks
import scalpr_zen.simulation.kernel
from scalpr_zen import (
    Bracket,
    EmaCrossover,
    Execution,
    MonteCarlo,
    ParameterError,
    SessionRules,
    StrategyError,
    Tape,
    instrument,
    run,
)
from scalpr_zen.simulation.kernel import REASONS
from scalpr_zen.simulation.simulate import simulate

LONG, SHORT = 1, -1
SESSION_END = 5 * 3600 * 10**9  # 17:00 in Chicago, in ns after noon
REFUSED = ("other_side", "outside", "session_over", "in_cooldown")  # by rules that are off
NO_PATHS = MonteCarlo(monte_carlo_sims=0)


def rules(root="NQ", take_profit=4, stop_loss=2, latency_ns=0, **execution):
    """Bracket and execution from distances in ticks and a latency in ns."""
    tick = Decimal(str(instrument(root).tick_size))
    bracket = Bracket(take_profit=float(take_profit * tick), stop_loss=float(stop_loss * tick))
    return bracket, Execution(latency_ms=latency_ns / 1e6, **execution)


def traded(prices, sides, ts=None, contract=None, root="NQ", start=NOON, **execution):
    """Simulate a few prints with signals by print index."""
    tape = tape_of(prices, ts, contract, root=root, start=start)
    return simulate(tape, signals_of(tape, sides), *rules(root, **execution))


def ran(prices, sides, ts=None, contract=None, **execution):
    """Run a few prints with signals by print index."""
    tape = tape_of(prices, ts, contract)
    return run(tape, Given(signals_of(tape, sides)), *rules(**execution), settings=NO_PATHS)


def fills(*args, **execution):
    """(entry print, entry price, exit print, exit price, reason) of the closed trades, then of the others."""
    simulation = traded(*args, **execution)
    return rows(simulation.trades) + rows(simulation.unclosed)


def rows(trades):
    names = ["entry", "entry_ticks", "exit", "exit_ticks", "reason"]
    return [(*row[:4], REASONS[row[4]]) for row in trades[names].tolist()]


def excursions(*args, **execution):
    """(MAE, MFE) in ticks of the one trade."""
    simulation = traded(*args, **execution)
    (row,) = np.r_[simulation.trades, simulation.unclosed][["mae_ticks", "mfe_ticks"]].tolist()
    return row


def counts(*args, **execution):
    """What became of the signals, zeros left out."""
    return {key: n for key, n in traded(*args, **execution).counts.items() if n}


def crossovers(prices, fast_period, slow_period, contract=None):
    strategy = EmaCrossover(fast_period=fast_period, slow_period=slow_period)
    return strategy.signals(tape_of(prices, contract=contract)).tolist()


# Signals ----------------------------------------------------------------------------------------------


def test_rule_1_a_signal_depends_on_the_prints_up_to_its_own_and_on_no_later_one():
    # x: 0 0 0 2 -2, fast (alpha 1): 0 0 0 2 -2, slow (alpha 1/2): 0 0 0 1 -0.5. Then any future.
    for future in ([], [0, 90, 5], [90, 90, 90]):
        got = crossovers([10, 10, 10, 12, 8, *future], 1, 3)[:5]
        expected = [0, 0, 0, 1, -1]
        assert got == expected


def test_rule_1_the_averages_restart_at_each_segment_so_a_roll_gap_is_no_crossover():
    prices = [100] * 5 + [200] * 5
    got = crossovers(prices, 1, 3, contract=["H5"] * 5 + ["M5"] * 5)
    expected = [0] * 10
    assert got == expected
    # Without the roll the same leap is one.
    assert crossovers(prices, 1, 3) == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]


def test_rule_1_a_segment_gives_the_same_signals_whatever_came_before_it():
    # The second segment has x: 0 0 0 -2 2. The prices of the first are of no account.
    for before in ([10, 10, 10, 12, 8], [99, 1, 99, 1, 99]):
        got = crossovers([*before, 50, 50, 50, 48, 52], 1, 3, contract=["H5"] * 5 + ["M5"] * 5)[5:]
        expected = [0, 0, 0, -1, 1]
        assert got == expected


def test_rule_2_crossing_above_is_long_and_crossing_below_is_short():
    # x: 0 0 0 2 -2, fast: 0 0 0 2 -2, slow: 0 0 0 1 -0.5. Mirrored: short, then long.
    assert crossovers([10, 10, 10, 12, 8], 1, 3) == [0, 0, 0, 1, -1]
    assert crossovers([10, 10, 10, 8, 12], 1, 3) == [0, 0, 0, -1, 1]


def test_rule_2_equal_averages_are_no_crossover_but_leaving_equality_is_one():
    # x: 0 0 0 8 4 6, fast: 0 0 0 8 4 6, slow: 0 0 0 4 4 5: above, at, above again. And mirrored.
    assert crossovers([50, 50, 50, 58, 54, 56], 1, 3) == [0, 0, 0, 1, 0, 1]
    assert crossovers([50, 50, 50, 42, 46, 44], 1, 3) == [0, 0, 0, -1, 0, -1]


def test_rule_2_staying_above_or_below_is_no_new_crossover():
    # x: 0 0 0 2 3 -9 -9, fast the same, slow: 0 0 0 1 2 -3.5 -6.25.
    assert crossovers([10, 10, 10, 12, 13, 1, 1], 1, 3) == [0, 0, 0, 1, 0, -1, 0]


@pytest.mark.parametrize(("x", "last"), [(-4, 0), (-5, -1)])
def test_rule_2_alpha_is_two_over_the_period_plus_one(x, last):
    # alpha is 2 / (3 + 1) = 1/2 and 2 / (7 + 1) = 1/4. After 7 prints at 0 comes 16: fast 8, slow 4, long.
    # Then x: fast is 4 + x / 2 and slow 3 + x / 4, equal at x = -4 and below it from -5 on.
    got = crossovers([50] * 7 + [50 + 16, 50 + x], 3, 7)
    expected = [0] * 7 + [1, last]
    assert got == expected


def test_rule_2_the_averages_are_seeded_with_the_first_price_of_the_segment():
    # Seeded with 10 both are 10 until the fall to 9. Seeded with 0 fast would have been above before it.
    assert crossovers([10, 10, 10, 9, 12], 1, 3) == [0, 0, 0, -1, 1]
    # Seeded with the first price itself: the leap at print 1 leaves slow at 5 after it, 7.5, 8.75 ...
    # fast is above from print 1 on, so that neither 10 after 10 nor 9 (slow 8.875) crosses; 8 does.
    assert crossovers([0, 10, 10, 10, 9, 8], 1, 3) == [0, 0, 0, 0, 0, -1]


@pytest.mark.parametrize(("flat", "last"), [(40, 0), (53, 0), (54, 1)])
def test_rule_2_the_averages_are_float64(flat, last):
    # x: 0 0 0 8 8 8 ...: slow is 8 * (1 - 2**-n) after n prints at 8. A float64 is at 8 from n = 54 on, a float32
    # from 25 on. Until then fast stays above slow, and 9 is no crossover.
    got = crossovers([80_000] * 3 + [80_008] * flat + [80_009], 1, 3)
    expected = [0, 0, 0, 1] + [0] * (flat - 1) + [last]
    assert got == expected
    # alpha 1/2 and 1/4; x: 2**26 + 4, then -2**24 - 1: both averages are 2**23 + 0.5, which takes 25 bits of fast.
    assert crossovers([0] * 7 + [2**26 + 4, -(2**24) - 1], 3, 7) == [0] * 7 + [1, 0]


def test_rule_2_there_is_no_signal_in_the_first_slow_prints_of_each_segment():
    # x: 0 0 2 2 -2: long at print 2, in the warm-up of 3; at print 3 nothing; short at print 4.
    # x: 0 0 0 2 -2: the long at print 3 is the first that can be.
    contract = ["H5"] * 5 + ["M5"] * 5
    assert crossovers([10, 10, 12, 12, 8] * 2, 1, 3, contract) == [0, 0, 0, 0, -1] * 2
    assert crossovers([10, 10, 10, 12, 8] * 2, 1, 3, contract) == [0, 0, 0, 1, -1] * 2


# Entry ------------------------------------------------------------------------------------------------


def test_rule_3_the_entry_fills_at_the_first_print_of_a_later_event_and_never_in_its_own():
    # The signal at 0 cannot fill at 1 and 2, which are its own event; it buys 103 at print 3 and sells 107 at 5.
    got = fills([100, 101, 102, 103, 104, 107], {0: LONG}, ts=[5, 5, 5, 6, 6, 7])
    expected = [(3, 103, 5, 107, "target")]
    assert got == expected


def test_rule_3_one_signal_sends_one_order():
    got = fills([100, 100, 104, 100, 104, 100, 104], {0: LONG})
    expected = [(1, 100, 2, 104, "target")]
    assert got == expected


@pytest.mark.parametrize(("latency_ns", "entry"), [(0, 1), (1, 1), (10, 1), (11, 2), (15, 2), (16, 3), (20, 3)])
def test_rule_3_the_order_reaches_the_exchange_after_the_latency(latency_ns, entry):
    # Prints at 0, 10, 15 and 20: one that is exactly in time fills, one that is 1 ns early does not.
    got = fills([100, 101, 102, 103, 99], {0: LONG}, ts=[0, 10, 15, 20, 30], latency_ns=latency_ns)
    expected = [(entry, 100 + entry, 4, 99, "stop")]
    assert got == expected


def test_rule_3_the_latency_is_counted_from_the_signal_and_not_from_its_event_before():
    # Sent at 20, due at 30: print 2 (29) is too early.
    got = fills([100, 100, 101, 102, 106], {1: LONG}, ts=[0, 20, 29, 30, 40], latency_ns=10)
    expected = [(3, 102, 4, 106, "target")]
    assert got == expected


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
    got = fills([100, 100, 100, 100, 104], {1: SHORT, 2: LONG}, ts)
    expected = [(3, 100, 4, 104, "target")]
    assert got == expected


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
    got = fills([100, 101, 106], {1: LONG}, entry="signal", slippage_ticks=1)
    expected = [(1, 102, 2, 106, "target")]
    assert got == expected


def test_rule_5_entry_signal_is_called_optimistic_by_the_report_and_is_not_the_default():
    prices, sides = [100, 101, 105], {0: LONG}
    optimistic = [ran(prices, sides, entry="signal"), ran(prices, sides, entry="next"), ran(prices, sides)]
    got = [any("OPTIMISTIC entry=signal" in line for line in result.report_lines()) for result in optimistic]
    expected = [True, False, False]
    assert got == expected
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
    expected = [(0, 102, 2, 97, "stop")]
    assert got == expected


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


def test_rule_7_touch_is_the_default():
    assert Execution().target_fill == "touch"


@pytest.mark.parametrize("target_fill", ["touch", "through"])
def test_rule_8_a_stop_is_triggered_by_the_first_print_at_or_beyond_it(target_fill):
    # What fills the target says nothing about the stop: at its price is enough.
    assert fills([100, 100, 99, 98], {0: LONG}, target_fill=target_fill) == [(1, 100, 3, 98, "stop")]
    assert fills([100, 100, 101, 102], {0: SHORT}, target_fill=target_fill) == [(1, 100, 3, 102, "stop")]


def test_rule_8_stop_fill_trigger_fills_at_the_triggering_print_so_a_gap_costs_what_it_cost():
    assert fills([100, 100, 90, 97], {0: LONG}, stop_fill="trigger") == [(1, 100, 2, 90, "stop")]
    assert fills([100, 100, 110, 103], {0: SHORT}, stop_fill="trigger") == [(1, 100, 2, 110, "stop")]


def test_rule_8_stop_fill_trigger_is_the_default():
    assert fills([100, 100, 90, 97], {0: LONG}) == [(1, 100, 2, 90, "stop")]


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
    expected = [(1, 100, exit_print, 90 + exit_print, "stop")]
    assert got == expected


@pytest.mark.parametrize("stop_fill", ["trigger", "level"])
def test_rule_8_a_stop_held_at_the_exchange_knows_no_latency(stop_fill):
    got = fills([100, 100, 98, 97], {0: LONG}, [0, 20, 21, 22], stop_fill=stop_fill, latency_ns=15)
    expected = [(1, 100, 2, 98, "stop")]
    assert got == expected


def test_rule_8_once_a_stop_is_triggered_its_target_is_gone():
    # The order is on its way from 30 until 45: the target at print 3 (40) is too late, print 4 fills at 103.
    got = fills([100, 100, 98, 104, 103], {0: LONG}, [0, 20, 30, 40, 50], stop_fill="next", latency_ns=15)
    expected = [(1, 100, 4, 103, "stop")]
    assert got == expected


def test_rule_8_stop_fill_next_may_fill_in_the_next_session_date():
    ts = [0, 10, SESSION_END - 1, SESSION_END]
    got = fills([100, 100, 98, 95], {0: LONG}, ts, stop_fill="next")
    expected = [(1, 100, 3, 95, "stop")]
    assert got == expected


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


def test_rule_10_a_signal_is_ignored_while_a_position_is_open_and_at_the_exits_own_print():
    # Bought at 1, sold at 4. Signals at 1, 2 and 4 are ignored; the one at 5 buys 104 at 6.
    prices = [100, 100, 101, 103, 104, 104, 104, 108]
    sides = {0: LONG, 1: LONG, 2: SHORT, 4: LONG, 5: LONG}
    assert fills(prices, sides) == [(1, 100, 4, 104, "target"), (6, 104, 7, 108, "target")]
    assert counts(prices, sides) == {"signals": 5, "closed": 2, "ignored": 3}


def test_rule_10_a_signal_is_ignored_while_the_entry_order_is_on_its_way():
    # The order of the signal at 0 arrives at 25; the signal at 1 finds it working.
    prices = [100, 100, 100, 102, 106]
    assert fills(prices, {0: LONG, 1: SHORT}, latency_ns=25) == [(3, 102, 4, 106, "target")]
    assert counts(prices, {0: LONG, 1: SHORT}, latency_ns=25) == {"signals": 2, "closed": 1, "ignored": 1}


def test_rule_10_the_print_after_the_exit_may_signal_even_in_the_exits_event():
    # Sold 104 at print 2; print 3, of the same event, signals and buys 103 at print 4.
    got = fills([100, 100, 104, 104, 103, 107], {0: LONG, 3: LONG}, [0, 10, 20, 20, 30, 40])
    expected = [(1, 100, 2, 104, "target"), (4, 103, 5, 107, "target")]
    assert got == expected


def test_rule_10_a_triggered_stop_blocks_until_it_is_filled():
    # Triggered at 2, filled at 3: the signals at 2 and 3 are ignored, the one at 4 sells 96 and takes 92.
    prices = [100, 100, 98, 97, 97, 96, 92]
    got = fills(prices, {0: LONG, 2: SHORT, 3: SHORT, 4: SHORT}, stop_fill="next")
    expected = [(1, 100, 3, 97, "stop"), (5, 96, 6, 92, "target")]
    assert got == expected


def test_rule_10_with_overlap_every_signal_is_traded_on_its_own():
    # From 0: bought 100 at 1, sold 104 at 4. From 1: bought 101 at 2, sold 105 at 5. From 2: sold 103 at 3,
    # stop 105 at 5. From 4: bought 105 at 5, open.
    prices = [100, 100, 101, 103, 104, 105, 106]
    sides = {0: LONG, 1: LONG, 2: SHORT, 4: LONG}
    assert fills(prices, sides, overlap=True) == [
        (1, 100, 4, 104, "target"),
        (2, 101, 5, 105, "target"),
        (3, 103, 5, 105, "stop"),
        (5, 105, 6, 106, "open"),
    ]
    assert counts(prices, sides, overlap=True) == {"signals": 4, "closed": 3, "open": 1}
    assert counts(prices, sides) == {"signals": 4, "closed": 1, "ignored": 3}


def test_rule_10_overlapping_trades_are_listed_in_the_order_of_their_exits():
    # The long of the signal at 0 ends at 4, the short of the signal at 1 at 3, before it.
    got = fills([100, 100, 100, 102, 104], {0: LONG, 1: SHORT}, overlap=True)
    expected = [(2, 100, 3, 102, "stop"), (1, 100, 4, 104, "target")]
    assert got == expected


def test_rule_10_overlap_is_off_by_default():
    assert Execution().overlap is False


# Rolls and ends ---------------------------------------------------------------------------------------

ROLL = ["H5"] * 4 + ["M5"] * 4


def test_rule_11_a_trade_still_open_at_the_last_print_of_its_segment_is_void():
    # Bought 100 in H5, which ends at 101. Print 4, of M5, would be the target.
    got = fills([100, 100, 103, 101, 104, 104, 104, 104], {0: LONG}, contract=ROLL)
    expected = [(1, 100, 3, 101, "void")]
    assert got == expected


def test_rule_11_an_exit_at_the_last_print_of_the_segment_is_no_void():
    assert fills([100, 100, 103, 104, 9, 9, 9, 9], {0: LONG}, contract=ROLL) == [(1, 100, 3, 104, "target")]
    assert fills([100, 100, 99, 98, 200, 200, 200, 200], {0: LONG}, contract=ROLL) == [(1, 100, 3, 98, "stop")]


def test_rule_11_an_entry_at_the_last_print_of_the_segment_is_void():
    assert fills([100, 100, 103, 101, 9, 9, 9, 9], {2: LONG}, contract=ROLL) == [(3, 101, 3, 101, "void")]


def test_rule_11_a_triggered_stop_that_finds_no_print_before_the_roll_is_void():
    # Triggered at print 3, the last of H5; print 4 is of M5. No market order filled, so no slippage at the mark.
    got = fills([100, 100, 101, 98, 97, 96, 95, 94], {0: LONG}, contract=ROLL, stop_fill="next", slippage_ticks=1)
    expected = [(1, 101, 3, 98, "void")]
    assert got == expected


def test_rule_11_a_void_trade_blocked_other_signals_while_it_was_open():
    # The signals at 1 and 2 are ignored; the one at 4 trades in M5.
    prices = [100, 100, 101, 101, 200, 200, 204, 204]
    sides = {0: LONG, 1: SHORT, 2: LONG, 4: LONG}
    assert fills(prices, sides, contract=ROLL) == [(5, 200, 6, 204, "target"), (1, 100, 3, 101, "void")]
    assert counts(prices, sides, contract=ROLL) == {"signals": 4, "closed": 1, "void": 1, "ignored": 2}


def test_rule_11_a_void_trade_is_out_of_the_statistics_but_counted_and_listed():
    result = ran([100, 100, 101, 101, 200, 200, 204, 204], {0: LONG, 4: LONG}, contract=ROLL)
    assert result.to_dict()["statistics"]["trades"] == 1
    assert result.to_dict()["statistics"]["net_usd"] == 20.0  # 4 ticks; the void trade's one tick is not in it
    assert result.to_dict()["counts"]["void"] == 1
    assert rows(result.trades) == [(5, 200, 6, 204, "target")]
    assert rows(result.unclosed) == [(1, 100, 3, 101, "void")]
    unclosed, trade_log = "\n".join(result.report_lines()).split("VOID AND OPEN TRADES")[1].split("TRADE LOG")
    assert ("void" in unclosed.split(), "void" in trade_log.split()) == (True, False)


def test_rule_12_a_trade_still_open_at_the_end_of_the_tape_is_open_whatever_rolled_before():
    prices = [100, 100, 101, 101, 200, 200, 203, 199]
    assert fills(prices, {4: LONG}, contract=ROLL) == [(5, 200, 7, 199, "open")]
    assert fills([100, 100, 103, 99], {0: LONG}) == [(1, 100, 3, 99, "open")]
    assert fills([100, 100, 97, 101], {0: SHORT}) == [(1, 100, 3, 101, "open")]


def test_rule_12_a_triggered_stop_that_finds_no_print_before_the_end_of_the_tape_is_open():
    got = fills([100, 100, 98, 97], {0: LONG}, ts=[0, 10, 20, 20], stop_fill="next", slippage_ticks=1)
    expected = [(1, 101, 3, 97, "open")]
    assert got == expected


def test_rule_12_an_open_trade_is_out_of_the_statistics_but_counted():
    result = ran([100, 100, 104, 100, 100, 103], {0: LONG, 3: LONG})
    assert result.to_dict()["statistics"]["trades"] == 1
    assert result.to_dict()["statistics"]["net_usd"] == 20.0
    assert {key: n for key, n in result.to_dict()["counts"].items() if n or key not in REFUSED} == {
        "signals": 2,
        "closed": 1,
        "void": 0,
        "open": 1,
        "unfilled": 0,
        "ignored": 0,
    }
    assert rows(result.unclosed) == [(4, 100, 5, 103, "open")]


# Money ------------------------------------------------------------------------------------------------


def money(*args, **execution):
    """(gross ticks, net USD) of the closed trades."""
    return traded(*args, **execution).trades[["gross_ticks", "net_usd"]].tolist()


def test_rule_13_gross_ticks_is_side_times_exit_less_entry():
    assert money([100, 100, 104], {0: LONG}) == [(4, 20.0)]
    assert money([100, 100, 97], {0: LONG}) == [(-3, -15.0)]
    assert money([100, 100, 96], {0: SHORT}) == [(4, 20.0)]
    assert money([100, 100, 103], {0: SHORT}) == [(-3, -15.0)]
    # A stop that fills at the next event may even win.
    assert money([100, 100, 98, 101], {0: LONG}, stop_fill="next") == [(1, 5.0)]


def test_rule_13_slippage_is_paid_at_the_entry_and_at_a_stop_but_not_at_a_target():
    # 103 to 107; 103 to 101 - 3.
    assert money([100, 100, 107], {0: LONG}, slippage_ticks=3) == [(4, 20.0)]
    assert money([100, 100, 101], {0: LONG}, slippage_ticks=3) == [(-5, -25.0)]


def test_rule_13_commission_is_paid_on_both_sides_of_each_contract():
    # 4 ticks * 5 USD * 3 contracts - 2 * 2.25 * 3; and a loss of 3 ticks.
    cost = {"commission": 2.25, "contracts": 3}
    assert money([100, 100, 104], {0: LONG}, **cost) == [(4, 60.0 - 13.5)]
    assert money([100, 100, 97], {0: LONG}, **cost) == [(-3, -45.0 - 13.5)]


def test_rule_13_contracts_multiply_the_money_and_no_price():
    assert money([100, 100, 104], {0: LONG}, contracts=7) == [(4, 140.0)]
    assert fills([100, 100, 104], {0: LONG}, contracts=7) == [(1, 100, 2, 104, "target")]


def test_rule_13_a_point_value_of_ones_own_replaces_that_of_the_contract():
    # 0.25 points at 2 USD are 0.5 USD a tick.
    assert money([100, 100, 104], {0: LONG}, point_value=2) == [(4, 2.0)]
    assert money([100, 100, 104], {0: LONG}, point_value=None) == [(4, 20.0)]


@pytest.mark.parametrize(
    ("root", "tick_value"),
    [("ZN", Fraction(125, 8)), ("ZT", Fraction(125, 16)), ("RTY", Fraction(5)), ("6J", Fraction(25, 4))],
)
def test_rule_13_the_money_is_exact(root, tick_value):
    # A thousand trades of +4, -2, +4, -2 ... ticks, each after the one before; commission 1/8 USD.
    prices, sides = [100, 100, 104, 100, 100, 98] * 500, dict.fromkeys(range(0, 3000, 3), LONG)
    got = [net for _, net in money(prices, sides, root=root, commission=0.125, contracts=3)]
    expected = [ticks * tick_value * 3 - Fraction(3, 4) for ticks in [4, -2] * 500]
    assert [Fraction(net) for net in got] == expected
    assert Fraction(math.fsum(got)) == Fraction(sum(got)) == sum(expected)


# MAE and MFE ------------------------------------------------------------------------------------------


def test_rule_14_excursions_run_from_the_entrys_fill_over_the_prints_after_it_up_to_the_exit():
    # Bought 100 at 1; then -1, +3, +4. The prints 80 before and 50 after are no part of it.
    assert excursions([80, 100, 99, 103, 104, 50], {0: LONG}) == (-1, 4)
    # Sold 100 at 1: +1, -1 (against), -3, +4 ticks of favour.
    assert excursions([120, 100, 99, 101, 96, 150], {0: SHORT}) == (-1, 4)


def test_rule_14_prints_of_the_entrys_own_event_after_the_fill_count():
    # Bought 100 at print 2; prints 3 (95) and 4 (107) share its event; print 1 (50) does too, but came before.
    got = excursions([100, 100, 100, 95, 107, 104], {1: LONG}, ts=[0, 5, 10, 10, 10, 20])
    expected = (-5, 7)
    assert got == expected
    got = excursions([100, 100, 95, 107, 104], {1: LONG}, ts=[0, 10, 10, 10, 20], entry="signal")
    expected = (-5, -5)  # with entry="signal" the first of them is the stop
    assert got == expected


def test_rule_14_no_print_before_the_fill_counts_not_even_of_its_event():
    # The order is due at 10 and fills at print 1; the event before has the far prices.
    got = excursions([100, 50, 150, 100, 104], {0: LONG}, ts=[0, 0, 0, 10, 20])
    expected = (4, 4)
    assert got == expected


def test_rule_14_excursions_are_not_clipped_at_zero():
    # Straight to the target the worst is +4; straight to the stop the best is -3.
    assert excursions([100, 100, 104], {0: LONG}) == (4, 4)
    assert excursions([100, 100, 97], {0: LONG}) == (-3, -3)
    assert excursions([100, 100, 96], {0: SHORT}) == (4, 4)
    assert excursions([100, 100, 103], {0: SHORT}) == (-3, -3)


def test_rule_14_excursions_are_of_prints_and_not_of_fills():
    # The target fills at 104 under a print at 110; the stop fills at 98 over a print at 90.
    assert excursions([100, 100, 99, 110], {0: LONG}) == (-1, 10)
    assert excursions([100, 100, 101, 90], {0: LONG}, stop_fill="level") == (-10, 1)
    # From the fill 101, with slippage: +2, then +4. At the stop 99: -2, not -3.
    assert excursions([100, 100, 103, 105], {0: LONG}, slippage_ticks=1) == (2, 4)
    assert excursions([100, 100, 100, 99], {0: LONG}, slippage_ticks=1) == (-2, -1)


def test_rule_14_excursions_of_a_stop_on_its_way_run_on_to_its_fill():
    # Triggered at 95; then, on the way, 93 in the same event and 104; filled at 96, before 120.
    ts = [0, 20, 30, 30, 31, 45, 46]
    got = excursions([100, 100, 95, 93, 104, 96, 120], {0: LONG}, ts, stop_fill="next", latency_ns=15)
    expected = (-7, 4)
    assert got == expected
    # The print that fills it counts too.
    assert excursions([100, 100, 95, 90], {0: LONG}, stop_fill="next") == (-10, -5)
    assert excursions([100, 100, 95, 110], {0: LONG}, stop_fill="next") == (-5, 10)


def test_rule_14_excursions_of_an_unclosed_trade_run_to_the_last_print_of_its_segment():
    assert excursions([100, 100, 99, 103, 0, 0, 200, 200], {0: LONG}, contract=ROLL) == (-1, 3)
    assert excursions([100, 100, 99, 103, 102], {0: LONG}) == (-1, 3)
    # A stop on its way that never filled: 93 and 103 came after its trigger.
    got = excursions([100, 100, 98, 93, 103], {0: LONG}, [0, 10, 20, 20, 20], stop_fill="next")
    expected = (-7, 3)
    assert got == expected


def test_rule_14_without_a_print_after_the_fill_the_excursions_are_zero():
    assert excursions([100, 100], {0: LONG}) == (0, 0)
    assert excursions([100, 100], {0: SHORT}, slippage_ticks=2) == (0, 0)


def test_rule_14_excursions_are_shown_in_points():
    # -1 and +10 ticks of 0.25.
    header, row = ran([100, 100, 99, 110], {0: LONG}).csv_lines()
    got = dict(zip(header.split(","), row.split(","), strict=True))
    assert (got["mae_points"], got["mfe_points"]) == ("-0.25", "2.50")


# Errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "name", "value", "rule", "was"),
    [
        (Bracket, "take_profit", 0, ">= 0.000000001", "0.0"),
        (Bracket, "stop_loss", -1, ">= 0.000000001", "-1.0"),
        (Bracket, "take_profit", math.nan, "points like 2.5 or ticks like 8t", "nan"),
        (Bracket, "stop_loss", math.inf, "points like 2.5 or ticks like 8t", "inf"),
        (Bracket, "take_profit", "10", "points like 2.5 or ticks like 8t", "'10'"),
        (Bracket, "stop_loss", None, "points like 2.5 or ticks like 8t", "None"),
        (Execution, "entry", "later", "one of next, signal", "'later'"),
        (Execution, "entry", 1, "a str", "1"),
        (Execution, "latency_ms", -1, "0 to 60,000", "-1.0"),
        (Execution, "latency_ms", 60_001, "0 to 60,000", "60001.0"),
        (Execution, "latency_ms", 1.5e-6, "a whole number of nanoseconds", "1.5e-06"),
        (Execution, "slippage_ticks", -1, "0 to 1,000", "-1"),
        (Execution, "slippage_ticks", 1_001, "0 to 1,000", "1001"),
        (Execution, "slippage_ticks", 0.5, "a whole number", "0.5"),
        (Execution, "slippage_ticks", True, "a whole number", "True"),
        (Execution, "commission", -0.01, "0 to 1,000", "-0.01"),
        (Execution, "commission", 1_001, "0 to 1,000", "1001.0"),
        (Execution, "target_fill", "level", "one of touch, through", "'level'"),
        (Execution, "stop_fill", "touch", "one of trigger, level, next", "'touch'"),
        (Execution, "contracts", 0, "1 to 10,000", "0"),
        (Execution, "contracts", 10_001, "1 to 10,000", "10001"),
        (Execution, "point_value", 0, "0.000001 to 1,000,000", "0.0"),
        (Execution, "overlap", 1, "a bool", "1"),
        (EmaCrossover, "fast_period", 0, "1 to 1,000,000", "0"),
        (EmaCrossover, "fast_period", 2.5, "a whole number", "2.5"),
        (EmaCrossover, "slow_period", 1, "2 to 1,000,000", "1"),
        (EmaCrossover, "slow_period", 1_000_001, "2 to 1,000,000", "1000001"),
    ],
)
def test_a_parameter_out_of_its_range_is_refused_by_name_rule_and_value(group, name, value, rule, was):
    with pytest.raises(ParameterError) as error:
        group(**{name: value})
    assert str(error.value).startswith(f"{name} must be {rule}")
    assert str(error.value).endswith(f", was {was}")


@pytest.mark.parametrize(("fast_period", "slow_period"), [(200, 200), (9, 8)])
def test_a_fast_average_that_is_not_faster_is_refused(fast_period, slow_period):
    with pytest.raises(ParameterError) as error:
        EmaCrossover(fast_period=fast_period, slow_period=slow_period)
    got = str(error.value)
    expected = f"fast_period must be below slow_period, was {fast_period} with slow_period {slow_period}"
    assert got == expected


def test_the_bounds_of_a_parameter_are_allowed():
    assert Execution(latency_ms=60_000).latency_ns == 60 * 10**9
    assert Execution(latency_ms=1e-6).latency_ns == 1
    assert Execution(slippage_ticks=1_000, commission=1_000, contracts=10_000).contracts == 10_000
    assert EmaCrossover(fast_period=1, slow_period=2).slow_period == 2
    assert Bracket(take_profit=0.25, stop_loss=0.25).distances(instrument("NQ"), LONG) == (1, 1)


def test_no_parameter_is_taken_by_position():
    for group in (Bracket, Execution, EmaCrossover):
        assert {p.kind for p in inspect.signature(group).parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize(
    ("signals", "message"),
    [
        (np.zeros(4, np.int64), "signals must be int8 (4,), one a print, were int64 (4,)"),
        (np.zeros(4, bool), "signals must be int8 (4,), one a print, were bool (4,)"),
        (np.zeros(4), "signals must be int8 (4,), one a print, were float64 (4,)"),
        (np.zeros(3, np.int8), "signals must be int8 (4,), one a print, were int8 (3,)"),
        (np.zeros((4, 1), np.int8), "signals must be int8 (4,), one a print, were int8 (4, 1)"),
        ([0, 0, 0, 0], "signals must be int8 (4,), one a print, were list"),
        (np.array([0, 2, 0, 0], np.int8), "signals must be -1, 0 or +1, were 0 to 2"),
        (np.array([0, 1, -2, 0], np.int8), "signals must be -1, 0 or +1, were -2 to 1"),
    ],
)
def test_signals_that_do_not_fit_the_tape_are_refused_by_rule_and_value(signals, message):
    tape = tape_of([100, 101, 102, 103])
    with pytest.raises(ParameterError) as error:
        simulate(tape, signals, *rules())
    assert str(error.value) == message
    with pytest.raises(StrategyError) as error:
        run(tape, Given(signals), *rules())
    assert re.fullmatch(r"tapes\.py line \d+: Given: " + re.escape(message), str(error.value))


def test_a_distance_of_more_than_a_billion_ticks_is_refused():
    with pytest.raises(ParameterError, match=r"^take_profit must be .* 1,000,000,000 ticks, was 250000000\.25"):
        Bracket(take_profit=0.25 * (10**9 + 1)).distances(instrument("NQ"), LONG)
    # The farthest bracket: from 10**9 - 90 no print can reach the target, and the stop is -90.
    far = {"take_profit": 10**9, "stop_loss": 10**9}
    start = 10**9 - 90
    assert fills([start, start, -80, start + 90], {0: LONG}, **far) == [(1, start, 3, start + 90, "open")]
    assert fills([start, start, -80, -90], {0: LONG}, **far) == [(1, start, 3, -90, "stop")]


def test_the_widest_trade_of_all_has_its_money():
    tape = tape_of([0, -(10**9), 10**9], [0, 1, 10**9])
    hold = SessionRules(max_hold=0.5)
    [trade] = simulate(tape, signals_of(tape, {0: LONG}), Bracket(), Execution(), hold).trades
    assert (trade["gross_ticks"], trade["net_usd"]) == (2 * 10**9, 10**10)


def test_an_empty_tape_has_no_trades():
    tape = Tape.from_prints([], [], instrument=instrument("NQ"))
    simulation = simulate(tape, EmaCrossover().signals(tape), *rules())
    assert (len(simulation.trades), len(simulation.unclosed)) == (0, 0)
    assert set(simulation.counts.values()) == {0}
    assert run(tape, EmaCrossover(), *rules()).to_dict()["counts"] == simulation.counts


def test_the_kernel_and_the_tape_have_blocks_of_one_size():
    assert scalpr_zen.simulation.kernel.KERNEL_BLOCK == scalpr_zen.base.blocks.BLOCK
