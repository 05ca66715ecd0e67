"""Rules 10 to 14 of a trade on tapes of a few prints; the numbers are worked by hand from the rule.

Prices are ticks, times are ns after noon in Chicago, print by print. Unless stated, a print is an event of its own
every 10 ns, the target is 4 and the stop 2 ticks from the entry's fill, and one tick of NQ is 5 USD.
"""

import math
from fractions import Fraction

import pytest
from support.few_prints import LONG, REFUSED, SHORT, counts, excursions, fills, ran, rows, traded


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
    assert got == [(1, 100, 2, 104, "target"), (4, 103, 5, 107, "target")]


def test_rule_10_a_triggered_stop_blocks_until_it_is_filled():
    # Triggered at 2, filled at 3: the signals at 2 and 3 are ignored, the one at 4 sells 96 and takes 92.
    prices = [100, 100, 98, 97, 97, 96, 92]
    got = fills(prices, {0: LONG, 2: SHORT, 3: SHORT, 4: SHORT}, stop_fill="next")
    assert got == [(1, 100, 3, 97, "stop"), (5, 96, 6, 92, "target")]


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
    assert got == [(2, 100, 3, 102, "stop"), (1, 100, 4, 104, "target")]


# Rolls and ends ---------------------------------------------------------------------------------------

ROLL = ["H5"] * 4 + ["M5"] * 4


def test_rule_11_a_trade_still_open_at_the_last_print_of_its_segment_is_void():
    # Bought 100 in H5, which ends at 101. Print 4, of M5, would be the target.
    got = fills([100, 100, 103, 101, 104, 104, 104, 104], {0: LONG}, contract=ROLL)
    assert got == [(1, 100, 3, 101, "void")]


def test_rule_11_an_exit_at_the_last_print_of_the_segment_is_no_void():
    assert fills([100, 100, 103, 104, 9, 9, 9, 9], {0: LONG}, contract=ROLL) == [(1, 100, 3, 104, "target")]
    assert fills([100, 100, 99, 98, 200, 200, 200, 200], {0: LONG}, contract=ROLL) == [(1, 100, 3, 98, "stop")]


def test_rule_11_an_entry_at_the_last_print_of_the_segment_is_void():
    assert fills([100, 100, 103, 101, 9, 9, 9, 9], {2: LONG}, contract=ROLL) == [(3, 101, 3, 101, "void")]


def test_rule_11_a_triggered_stop_that_finds_no_print_before_the_roll_is_void():
    # Triggered at print 3, the last of H5; print 4 is of M5. No market order filled, so no slippage at the mark.
    got = fills([100, 100, 101, 98, 97, 96, 95, 94], {0: LONG}, contract=ROLL, stop_fill="next", slippage_ticks=1)
    assert got == [(1, 101, 3, 98, "void")]


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
    unclosed, trade_log = result.text("txt").split("VOID AND OPEN TRADES")[1].split("TRADE LOG")
    assert ("void" in unclosed.split(), "void" in trade_log.split()) == (True, False)


def test_rule_12_a_trade_still_open_at_the_end_of_the_tape_is_open_whatever_rolled_before():
    prices = [100, 100, 101, 101, 200, 200, 203, 199]
    assert fills(prices, {4: LONG}, contract=ROLL) == [(5, 200, 7, 199, "open")]
    assert fills([100, 100, 103, 99], {0: LONG}) == [(1, 100, 3, 99, "open")]
    assert fills([100, 100, 97, 101], {0: SHORT}) == [(1, 100, 3, 101, "open")]


def test_rule_12_a_triggered_stop_that_finds_no_print_before_the_end_of_the_tape_is_open():
    got = fills([100, 100, 98, 97], {0: LONG}, ts=[0, 10, 20, 20], stop_fill="next", slippage_ticks=1)
    assert got == [(1, 101, 3, 97, "open")]


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
    assert excursions([100, 50, 150, 100, 104], {0: LONG}, ts=[0, 0, 0, 10, 20]) == (4, 4)


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
    assert got == (-7, 4)
    # The print that fills it counts too.
    assert excursions([100, 100, 95, 90], {0: LONG}, stop_fill="next") == (-10, -5)
    assert excursions([100, 100, 95, 110], {0: LONG}, stop_fill="next") == (-5, 10)


def test_rule_14_excursions_of_an_unclosed_trade_run_to_the_last_print_of_its_segment():
    assert excursions([100, 100, 99, 103, 0, 0, 200, 200], {0: LONG}, contract=ROLL) == (-1, 3)
    assert excursions([100, 100, 99, 103, 102], {0: LONG}) == (-1, 3)
    # A stop on its way that never filled: 93 and 103 came after its trigger.
    assert excursions([100, 100, 98, 93, 103], {0: LONG}, [0, 10, 20, 20, 20], stop_fill="next") == (-7, 3)


def test_rule_14_without_a_print_after_the_fill_the_excursions_are_zero():
    assert excursions([100, 100], {0: LONG}) == (0, 0)
    assert excursions([100, 100], {0: SHORT}, slippage_ticks=2) == (0, 0)


def test_rule_14_excursions_are_shown_in_points():
    # -1 and +10 ticks of 0.25.
    header, row = ran([100, 100, 99, 110], {0: LONG}).text("csv").splitlines()
    got = dict(zip(header.split(","), row.split(","), strict=True))
    assert (got["mae_points"], got["mfe_points"]) == ("-0.25", "2.50")
