"""Rules 25 to 29, limits of a session and the order of exits, by the fast simulator and its slow twin.

The numbers are worked by hand from the rule. Prices are ticks, times are ns after noon in Chicago, print by print.
Unless stated, a print is an event of its own every 10 ns, the target is 4 and the stop 2 ticks from the entry's fill,
and one tick of NQ is 5 USD.
"""

import pytest
from support.both import HOUR, LONG, MINUTE, MS, SECOND, SESSION_END, SHORT, WIDE


def test_rule_25_no_more_trades_than_told_are_entered_in_a_session_date(trade):
    # Bought and sold in turn; a third signal of the session is refused, one of the next session is not.
    ts = [*range(0, 70, 10), SESSION_END, SESSION_END + 10, SESSION_END + 20]
    prices = [100, 100, 104, 104, 104, 108, 108, 108, 108, 112]
    got = trade(prices, {0: LONG, 3: LONG, 6: LONG, 7: LONG}, ts=ts, max_trades=2)
    assert got.fills == [(1, 100, 2, 104, "target"), (4, 104, 5, 108, "target"), (8, 108, 9, 112, "target")]
    assert got.counts == {"signals": 4, "session_over": 1, "closed": 3}


def test_rule_25_a_trade_is_one_of_the_session_it_was_entered_in(fills):
    # Bought before 17:00 and sold after it; in the new session there is still one to come, and no other.
    ts = [SESSION_END + t for t in (-20, -10, 0, 10, 20, 30, 40)]
    prices = [100, 100, 104, 104, 104, 108, 108]
    got = fills(prices, {0: LONG, 3: LONG, 6: LONG}, ts=ts, max_trades=1)
    assert got == [(1, 100, 2, 104, "target"), (4, 104, 5, 108, "target")]


def test_rule_25_an_unfilled_signal_is_no_trade_but_a_void_one_is(counts):
    # The signal at the last print of H5 is unfilled; that at 0 is void at the roll.
    prices, contract = [100, 100, 101, 200, 200, 204], ["H5"] * 3 + ["M5"] * 3
    assert counts(prices, {2: LONG, 3: LONG}, contract=contract, max_trades=1) == {
        "signals": 2,
        "unfilled": 1,
        "closed": 1,
    }
    assert counts(prices, {0: LONG, 3: LONG}, contract=contract, max_trades=1) == {
        "signals": 2,
        "void": 1,
        "session_over": 1,
    }


def test_rule_25_a_session_that_is_over_is_counted_before_a_pause(counts):
    rule = {"max_trades": 1, "cooldown_ns": 10 * SECOND}
    got = counts(
        [100, 100, 104, 104, 104, 104, 108],
        {0: LONG, 3: LONG, 4: LONG},
        ts=[0, 1000, 2000, 11_999, 12_000, 13_000, 14_000],
        unit=MS,
        **rule,
    )
    assert got == {"signals": 3, "closed": 1, "session_over": 2}


@pytest.mark.parametrize(("loss_limit", "refused"), [(9.99, 1), (10.0, 1), (10.01, 0)])
def test_rule_26_a_loss_of_the_limit_ends_the_session(counts, loss_limit, refused):
    # Stopped 2 ticks below: -10 USD. The signal at 3 would sell 98 and win 4 ticks.
    got = counts([100, 100, 98, 98, 98, 94], {0: LONG, 3: SHORT}, loss_limit=loss_limit)
    assert got == {"signals": 2, "closed": 2 - refused} | ({"session_over": 1} if refused else {})


@pytest.mark.parametrize(("profit_limit", "refused"), [(19.99, 1), (20.0, 1), (20.01, 0)])
def test_rule_26_a_profit_of_the_limit_ends_the_session(counts, profit_limit, refused):
    got = counts([100, 100, 104, 104, 104, 108], {0: LONG, 3: LONG}, profit_limit=profit_limit)
    assert got == {"signals": 2, "closed": 2 - refused} | ({"session_over": 1} if refused else {})


def test_rule_26_the_sum_is_net_of_commission_and_of_all_contracts(counts):
    # Three contracts: 3 * (20 - 2 * 0.5) = 57 USD; and 3 * (-10 - 1) = -33.
    win, loss = [100, 100, 104, 104, 104, 108], [100, 100, 98, 98, 98, 94]
    rule = {"commission": 0.5, "contracts": 3}
    over, on = {"signals": 2, "closed": 1, "session_over": 1}, {"signals": 2, "closed": 2}
    assert counts(win, {0: LONG, 3: LONG}, profit_limit=57.0, **rule) == over
    assert counts(win, {0: LONG, 3: LONG}, profit_limit=57.01, **rule) == on
    assert counts(loss, {0: LONG, 3: SHORT}, loss_limit=33.0, **rule) == over
    assert counts(loss, {0: LONG, 3: SHORT}, loss_limit=33.01, **rule) == on


@pytest.mark.parametrize(("loss_limit", "closed"), [(10.0, 4), (10.01, 5), (20.0, 5), (20.01, 6)])
def test_rule_26_the_trades_of_a_session_are_added(counts, loss_limit, closed):
    # +20, and five times -10: the sums are 20, 10, 0, -10, -20, -30.
    prices, sides = [100, 100, 104], {0: LONG}
    for k in range(5):
        sides[3 * (k + 1)] = LONG
        prices += [100, 100, 98]
    got = counts(prices, sides, loss_limit=loss_limit)
    assert got == {"signals": 6, "closed": closed} | ({"session_over": 6 - closed} if closed < 6 else {})


def test_rule_26_a_session_begins_at_zero(fills):
    # -10 in the first session, which is over; the next one trades.
    ts = [0, 10, 20, 30, SESSION_END, SESSION_END + 10, SESSION_END + 20]
    got = fills([100, 100, 98, 98, 98, 98, 102], {0: LONG, 3: LONG, 4: LONG}, ts=ts, loss_limit=10.0)
    assert got == [(1, 100, 2, 98, "stop"), (5, 98, 6, 102, "target")]


def test_rule_26_a_trade_is_one_of_the_session_of_its_exit(counts):
    # Bought before 17:00, stopped after it: the new session is over.
    ts = [SESSION_END + t for t in (-20, -10, 0, 10, 20, 30)]
    got = counts([100, 100, 98, 98, 98, 102], {0: LONG, 3: LONG}, ts=ts, loss_limit=10.0)
    assert got == {"signals": 2, "closed": 1, "session_over": 1}


def test_rule_26_a_void_trade_is_not_in_the_sum_but_one_closed_at_the_roll_is(counts):
    # Marked 2 ticks below its entry by the last print of H5, where a market order pays one tick more.
    prices, contract = [100, 100, 98, 200, 200, 204], ["H5"] * 3 + ["M5"] * 3
    rule = {"contract": contract, "loss_limit": 10.0, **WIDE}
    assert counts(prices, {0: LONG, 3: LONG}, **rule) == {"signals": 2, "void": 1, "open": 1}
    rolled = counts(prices, {0: LONG, 3: LONG}, roll_exit="close", **rule)
    assert rolled == {"signals": 2, "closed": 1, "session_over": 1}


def test_rule_26_an_open_trade_is_not_in_the_sum(fills):
    # 8 ticks, 40 USD, below its entry on the way; it comes back.
    assert fills([100, 100, 92, 100, 150], {0: LONG}, loss_limit=10.0, **WIDE) == [(1, 100, 4, 150, "target")]


def test_rule_26_ten_losses_of_51_20_are_512_whatever_floats_make_of_them(counts):
    # Ten ticks of 5 USD and 2 * 0.60 a trade; each buys at 100 and is stopped at 90, the eleventh is one too many.
    prices = [100, 100, 90] * 11
    rule = {"loss_limit": 512.0, "commission": 0.6, "take_profit": 40, "stop_loss": 10}
    assert sum([-51.2] * 10) > -512.0
    got = counts(prices, {3 * n: LONG for n in range(11)}, **rule)
    assert got == {"signals": 11, "closed": 10, "session_over": 1}


def test_rule_27_the_open_trade_is_closed_by_the_event_after_the_one_that_met_the_loss_limit(trade):
    # Bought 100; at 98 it is -10 USD. Print 3 is of the same event; print 4 fills. The session is over.
    rule = {"limit_basis": "equity", "loss_limit": 10.0, **WIDE}
    got = trade([100, 100, 98, 97, 99, 99, 99], {0: LONG, 5: LONG}, ts=[0, 10, 20, 20, 30, 40, 50], **rule)
    assert got.fills == [(1, 100, 4, 99, "loss_limit")]
    assert got.counts == {"signals": 2, "closed": 1, "session_over": 1}
    # -9.99 would have been met, -10.01 is not.
    assert trade([100, 100, 98, 99], {0: LONG}, **rule | {"loss_limit": 10.01}).fills == [(1, 100, 3, 99, "open")]


def test_rule_27_the_open_trade_is_closed_at_the_profit_limit(trade):
    # Sold 100; at 97 it is +15 USD; bought back at the next event, 99, plus one tick of slippage each way.
    rule = {"limit_basis": "equity", "profit_limit": 15.0, **WIDE}
    got = trade([100, 100, 98, 97, 99, 99, 99], {0: SHORT, 5: LONG}, **rule)
    assert got.fills == [(1, 100, 4, 99, "profit_limit")]
    assert got.counts == {"signals": 2, "closed": 1, "session_over": 1}
    slipped = trade([100, 100, 97, 96, 99, 99, 99], {0: SHORT, 5: LONG}, slippage_ticks=1, **rule)
    assert slipped.fills == [(1, 99, 4, 100, "profit_limit")]


@pytest.mark.parametrize(("latency_ns", "exit_print"), [(0, 3), (5, 3), (6, 4), (9, 4), (10, 5), (11, 6)])
def test_rule_27_the_order_waits_for_the_latency(fills, latency_ns, exit_print):
    # Met at print 2 (30); prints 3 to 6 come 5, 9, 10 and 11 later. The entry, from 0, fills at 20 in each case.
    rule = {"limit_basis": "equity", "loss_limit": 10.0, **WIDE}
    prices = [100, 100, 98, 93, 94, 95, 96]
    got = fills(prices, {0: LONG}, ts=[0, 20, 30, 35, 39, 40, 41], latency_ns=latency_ns, **rule)
    assert got == [(1, 100, exit_print, prices[exit_print], "loss_limit")]


def test_rule_27_the_bracket_stands_until_then(fills):
    rule = {"limit_basis": "equity", "loss_limit": 5.0, "latency_ns": 15, "ts": [0, 20, 30, 40, 50]}
    assert fills([100, 100, 99, 104, 100], {0: LONG}, **rule) == [(1, 100, 3, 104, "target")]
    assert fills([100, 100, 99, 98, 100], {0: LONG}, **rule) == [(1, 100, 3, 98, "stop")]
    assert fills([100, 100, 99, 99, 100], {0: LONG}, **rule) == [(1, 100, 4, 100, "loss_limit")]


def test_rule_27_a_bracket_that_fills_at_the_print_closes_the_trade(fills):
    # The target rests at the exchange, the order of the limit would have to be sent.
    rule = {"limit_basis": "equity", "profit_limit": 20.0, "loss_limit": 10.0}
    assert fills([100, 100, 104, 103], {0: LONG}, **rule) == [(1, 100, 2, 104, "target")]
    assert fills([100, 100, 98, 103], {0: LONG}, **rule) == [(1, 100, 2, 98, "stop")]


def test_rule_27_the_closed_trades_of_the_session_count_with_the_open_one(fills):
    # +20 by the first trade; the second has -25 at 99, 5 ticks below 104: together -5.
    rule = {"limit_basis": "equity", "loss_limit": 5.0, "stop_loss": 20}
    got = fills([100, 100, 104, 104, 104, 100, 99, 101], {0: LONG, 3: LONG}, **rule)
    assert got == [(1, 100, 2, 104, "target"), (4, 104, 7, 101, "loss_limit")]


def test_rule_27_the_sum_is_that_of_the_session_date_of_the_print(fills):
    # +20 in the first session. The second trade has -5 in it, together +15, and -5 at 17:00, where the sum is zero.
    ts = [SESSION_END + t for t in (-60, -50, -40, -30, -20, -10, 0, 10)]
    rule = {"limit_basis": "equity", "loss_limit": 5.0, "stop_loss": 20, "ts": ts}
    got = fills([100, 100, 104, 104, 104, 103, 103, 102], {0: LONG, 3: LONG}, **rule)
    assert got == [(1, 100, 2, 104, "target"), (4, 104, 7, 102, "loss_limit")]


def test_rule_27_both_commissions_and_all_contracts_count(fills):
    # At its entry's price the trade is -2 * 2.5 * 2 = -10 USD; a tick above it 2 * (5 - 5) = 0.
    rule = {"limit_basis": "equity", "loss_limit": 10.0, "commission": 2.5, "contracts": 2, **WIDE}
    assert fills([100, 100, 101, 100, 102], {0: LONG}, **rule) == [(1, 100, 4, 102, "loss_limit")]


def test_rule_27_the_trade_is_counted_without_slippage_at_the_print(fills):
    # Bought at 100 + 1: at 100 it is -5 USD, and a sale would pay one tick more.
    rule = {"limit_basis": "equity", "slippage_ticks": 1, **WIDE}
    assert fills([100, 100, 100, 100], {0: LONG}, loss_limit=5.01, **rule) == [(1, 101, 3, 100, "open")]
    assert fills([100, 100, 100, 100], {0: LONG}, loss_limit=5.0, **rule) == [(1, 101, 3, 99, "loss_limit")]


def test_rule_27_no_print_of_the_entrys_own_event_counts(fills):
    rule = {"limit_basis": "equity", "loss_limit": 10.0, **WIDE}
    got = fills([100, 100, 90, 99, 99], {0: LONG}, ts=[0, 10, 10, 20, 30], **rule)
    assert got == [(1, 100, 4, 99, "open")]
    # With the optimistic entry it does.
    got = fills([100, 90, 99], {0: LONG}, ts=[0, 0, 10], entry="signal", **rule)
    assert got == [(0, 100, 2, 99, "loss_limit")]


def test_rule_27_the_session_stays_over_though_the_order_filled_within_the_limit(counts):
    # Met at 98; sold at 105, a profit of 25 USD.
    rule = {"limit_basis": "equity", "loss_limit": 10.0, **WIDE}
    got = counts([100, 100, 98, 105, 105, 105], {0: LONG, 4: LONG}, **rule)
    assert got == {"signals": 2, "closed": 1, "session_over": 1}


def test_rule_27_the_session_stays_over_though_the_target_filled_first(counts):
    # Met at 99; the order is under way when print 3 fills the target.
    rule = {"limit_basis": "equity", "loss_limit": 5.0, "latency_ns": 15}
    got = counts([100, 100, 99, 104, 104, 104, 104], {0: LONG, 4: LONG}, ts=[0, 20, 30, 40, 50, 60, 70], **rule)
    assert got == {"signals": 2, "closed": 1, "session_over": 1}


def test_rule_27_the_session_that_is_over_is_that_of_the_print_which_met_the_limit(fills):
    # Met 10 ns before 17:00, sold at a profit after it: the new session is not over.
    ts = [SESSION_END + t for t in (-30, -20, -10, 0, 10, 20, 30)]
    rule = {"limit_basis": "equity", "loss_limit": 10.0, "stop_loss": 40, "take_profit": 4, "ts": ts}
    got = fills([100, 100, 98, 101, 101, 101, 105], {0: LONG, 4: LONG}, **rule)
    assert got == [(1, 100, 3, 101, "loss_limit"), (5, 101, 6, 105, "target")]


def test_rule_27_each_session_date_in_which_the_open_trade_meets_the_limit_is_over(counts):
    # Met 1 s before 17:00 and, while the order is under way, 10 s after it; sold at a profit. Both sessions are over.
    ts = [SESSION_END + t * SECOND for t in (-200, -100, -1, 10, 70, 80, 150)]
    rule = {"limit_basis": "equity", "loss_limit": 10.0, "latency_ns": 60 * SECOND, **WIDE}
    got = counts([100, 100, 98, 98, 120, 120, 120], {0: LONG, 5: LONG}, ts=ts, **rule)
    assert got == {"signals": 2, "closed": 1, "session_over": 1}


def test_rule_27_the_session_is_over_though_a_triggered_stop_closes_the_trade(trade):
    # Triggered at 98, where the trade is -10 USD; the stop's own order sells at 101. No second order is sent.
    rule = {"limit_basis": "equity", "loss_limit": 10.0, "stop_fill": "next"}
    got = trade([100, 100, 98, 101, 101, 101, 105], {0: LONG, 4: LONG}, **rule)
    assert got.fills == [(1, 100, 3, 101, "stop")]
    assert got.counts == {"signals": 2, "closed": 1, "session_over": 1}


def test_rule_27_a_void_trade_ends_the_session_too_if_it_met_the_limit(counts):
    # Met at the last print of H5. Nobody knew then that the trade would be void.
    rule = {"limit_basis": "equity", "loss_limit": 10.0, "contract": ["H5"] * 3 + ["M5"] * 3, **WIDE}
    got = counts([100, 100, 98, 200, 200, 204], {0: LONG, 3: LONG}, **rule)
    assert got == {"signals": 2, "void": 1, "session_over": 1}


def test_rule_27_the_limit_is_met_at_the_last_print_of_a_segment_though_the_roll_closes_the_trade_there(trade):
    # Bought at 101 after a slip; 103, the last print of H5, is +10 USD without slippage. The roll sells at 102 for
    # +5 USD, within the limit of rule 26, and the session is over all the same.
    rule = {"limit_basis": "equity", "profit_limit": 10.0, "slippage_ticks": 1, "roll_exit": "close", **WIDE}
    got = trade([100, 100, 103, 200, 200, 204], {0: LONG, 3: LONG}, contract=["H5"] * 3 + ["M5"] * 3, **rule)
    assert got.fills == [(1, 101, 2, 102, "roll")]
    assert got.counts == {"signals": 2, "closed": 1, "session_over": 1}


def test_rule_28_an_order_that_has_reached_the_exchange_comes_before_the_bracket(fills):
    # Due at 6 ms: the print there would be the target, or the stop, and the market order has its price.
    rule = {"ts": [0, 1, 6], "unit": MS, "hold_ns": 5 * MS, "slippage_ticks": 1}
    assert fills([100, 100, 110], {0: LONG}, **rule) == [(1, 101, 2, 109, "hold")]
    assert fills([100, 100, 90], {0: LONG}, **rule) == [(1, 101, 2, 89, "hold")]
    assert fills([100, 100, 90], {0: LONG}, stop_fill="level", **rule) == [(1, 101, 2, 89, "hold")]


@pytest.mark.parametrize(("hold_s", "reason"), [(299, "hold"), (300, "close"), (301, "close")])
def test_rule_28_the_order_that_arrives_first_closes_the_trade_and_of_two_at_once_the_close(fills, hold_s, reason):
    # Filled at 15:40, closed from 15:45 on: 300 s. The next print is later than both.
    at = [f"2025-01-15 {text}" for text in ("15:39", "15:40", "15:46")]
    rule = {"flat_ns": 15 * MINUTE, "hold_ns": hold_s * SECOND}
    for latency_ns in (0, 2 * SECOND):
        got = fills([100, 100, 101], {0: LONG}, at=at, latency_ns=latency_ns, **rule)
        assert got == [(1, 100, 2, 101, reason)]


@pytest.mark.parametrize(("hold_ms", "reason"), [(9, "hold"), (10, "hold"), (11, "loss_limit")])
def test_rule_28_a_limit_is_behind_a_hold_of_the_same_time(fills, hold_ms, reason):
    # Filled at 20 ms; the limit is met at 30. With a latency of 5 its order arrives at 35, that of the hold at 34, 35
    # and 36; print 3 is at 40.
    rule = {"limit_basis": "equity", "loss_limit": 5.0, "latency_ns": 5 * MS, "hold_ns": hold_ms * MS, **WIDE}
    got = fills([100, 100, 99, 98], {0: LONG}, ts=[0, 20, 30, 40], unit=MS, **rule)
    assert got == [(1, 100, 3, 98, reason)]


@pytest.mark.parametrize(("late_ns", "reason"), [(-1, "loss_limit"), (0, "loss_limit"), (1, "hold")])
def test_rule_28_orders_a_nanosecond_apart_are_not_at_the_same_time(fills, late_ns, reason):
    # Filled at 1 ms, so that the hold is due at 2 ms; the limit is met a nanosecond before, at it or after it.
    rule = {"limit_basis": "equity", "loss_limit": 10.0, "hold_ns": MS, **WIDE}
    got = fills([100, 100, 98, 97], {0: LONG}, ts=[0, MS, 2 * MS - 1 + late_ns, 3 * MS], **rule)
    assert got == [(1, 100, 3 if late_ns < 1 else 2, 97 if late_ns < 1 else 98, reason)]


@pytest.mark.parametrize(("met", "reason"), [("15:44:59", "loss_limit"), ("15:45", "close")])
def test_rule_28_a_limit_is_behind_a_close_of_the_same_time(fills, met, reason):
    # The close is due at 15:45 and, with a latency of 2 s, there at 15:45:02, as is a limit met at 15:45.
    at = [f"2025-01-15 {text}" for text in ("15:39", "15:40", met, "15:46")]
    rule = {"flat_ns": 15 * MINUTE, "latency_ns": 2 * SECOND, "limit_basis": "equity", "loss_limit": 5.0, **WIDE}
    assert fills([100, 100, 99, 98], {0: LONG}, at=at, **rule) == [(1, 100, 3, 98, reason)]


def test_rule_28_of_both_limits_the_one_that_was_met_first_closes_the_trade(fills):
    # +10 USD at print 2, -10 at print 3, both before the first order arrives.
    rule = {"limit_basis": "equity", "loss_limit": 10.0, "profit_limit": 10.0, "latency_ns": 15, **WIDE}
    got = fills([100, 100, 102, 98, 97], {0: LONG}, ts=[0, 20, 30, 40, 50], **rule)
    assert got == [(1, 100, 4, 97, "profit_limit")]


def test_rule_28_of_both_limits_met_in_one_event_the_one_of_the_earlier_print_closes_the_trade(fills):
    # Prints 2 and 3 are of one event, so that both orders would arrive at the same time.
    rule = {"limit_basis": "equity", "loss_limit": 10.0, "profit_limit": 10.0, **WIDE}
    got = fills([100, 100, 102, 98, 97], {0: LONG}, ts=[0, 20, 30, 30, 50], **rule)
    assert got == [(1, 100, 4, 97, "profit_limit")]


def test_rule_28_once_a_stop_is_triggered_nothing_else_closes_the_trade(fills):
    # Triggered at 30 ms, there at 45. The order of the hold is there at 40, and print 3 would fill it.
    rule = {"stop_fill": "next", "latency_ns": 15 * MS, "hold_ns": 5 * MS}
    got = fills([100, 100, 98, 97, 96], {0: LONG}, ts=[0, 20, 30, 40, 50], unit=MS, **rule)
    assert got == [(1, 100, 4, 96, "stop")]


def test_rule_28_a_stop_beats_the_orders_under_way_unless_one_has_arrived(fills):
    # The hold's order is sent at 25 and there at 40; the stop is triggered at 30.
    rule = {"latency_ns": 15 * MS, "hold_ns": 5 * MS, "ts": [0, 20, 30, 40], "unit": MS}
    assert fills([100, 100, 98, 97], {0: LONG}, **rule) == [(1, 100, 2, 98, "stop")]
    assert fills([100, 100, 99, 97], {0: LONG}, **rule) == [(1, 100, 3, 97, "hold")]


def test_rule_28_slippage_applies_to_all_market_orders(fills):
    at = [f"2025-01-15 {text}" for text in ("15:39", "15:40", "15:45", "15:46")]
    rule = {"at": at, "slippage_ticks": 2, **WIDE}
    limits = {"limit_basis": "equity", "loss_limit": 5.0}
    prices = [100, 100, 101, 101]
    assert fills(prices, {0: LONG}, flat_ns=15 * MINUTE, **rule) == [(1, 102, 2, 99, "close")]
    assert fills(prices, {0: SHORT}, hold_ns=5 * MINUTE, **rule) == [(1, 98, 2, 103, "hold")]
    assert fills(prices, {0: LONG}, **limits, **rule) == [(1, 102, 3, 99, "loss_limit")]
    won = [100, 100, 103, 104]
    assert fills(won, {0: LONG}, limit_basis="equity", profit_limit=5.0, **rule) == [(1, 102, 3, 102, "profit_limit")]


def test_rule_29_the_other_rules_hold_with_overlap(fills):
    rule = {"sides": "long", "reverse": True, "hold_ns": 5 * MS, "trailing_stop": 1, "overlap": True}
    got = fills([100, 100, 101, 100], {0: SHORT, 1: LONG, 2: SHORT}, ts=[0, 1, 2, 3], unit=MS, **rule)
    assert got == [(1, 100, 3, 100, "trailing"), (3, 100, 3, 100, "open")]


# What a signal is counted under ------------------------------------------------------------------------


def test_a_refused_signal_is_counted_under_the_first_rule_that_applies(counts):
    # Print by print: bought at 1; a short; a second long; one outside of the windows; the exit; one that is refused as
    # the session is over, else for the cooldown, else for want of a later print.
    sides = {0: LONG, 1: SHORT, 2: LONG, 3: LONG, 5: LONG}
    at = [f"2025-01-15 {text}" for text in ("08:30", "08:31", "08:32", "09:00", "09:30", "09:31")]
    windows = (("08:30", "09:00"), ("09:31", "10:00"))
    rule = {"sides": "long", "entry_windows": windows, "max_trades": 1, "cooldown_ns": HOUR}
    got = counts([100, 100, 101, 103, 104, 104], sides, at=at, **rule)
    assert got == {"signals": 5, "closed": 1, "other_side": 1, "ignored": 1, "outside": 1, "session_over": 1}
    in_cooldown = counts([100, 100, 101, 103, 104, 104], sides, at=at, **rule | {"max_trades": 2})
    assert in_cooldown == {"signals": 5, "closed": 1, "other_side": 1, "ignored": 1, "outside": 1, "in_cooldown": 1}
    last = counts([100, 100, 101, 103, 104, 104], sides, at=at, **rule | {"max_trades": 2, "cooldown_ns": 0})
    assert last == {"signals": 5, "closed": 1, "other_side": 1, "ignored": 1, "outside": 1, "unfilled": 1}
