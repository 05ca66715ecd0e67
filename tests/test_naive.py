"""Hand-worked examples for the naive twin: tapes of a few prints, the expected trade in the comment."""

import math

import pytest
from support import naive


def tape(prices, signals, ts=None, segments=None, session_of=None):
    """A tape of one segment and one session date, one event every 10 ns, unless told; signals by index."""
    n = len(prices)
    return (
        ts or [10 * i for i in range(n)],
        prices,
        [signals.get(i, 0) for i in range(n)],
        segments or [(0, n)],
        session_of or [0] * n,
    )


def run(*args, take_profit=4, stop_loss=2, entry="next", latency_ns=0, overlap=False, **rules):
    """Simulate with a target 4 and a stop 2 ticks away, unless told; `tape_*` goes to the tape."""
    tape_args = {name: rules.pop(name) for name in ("ts", "segments", "session_of") if name in rules}
    return naive.simulate(
        *tape(*args, **tape_args),
        take_profit=take_profit,
        stop_loss=stop_loss,
        entry=entry,
        latency_ns=latency_ns,
        overlap=overlap,
        **rules,
    )


def fills(trades):
    """(entry print, entry price, exit print, exit price, reason) of each trade."""
    return [(t["entry"], t["entry_ticks"], t["exit"], t["exit_ticks"], t["reason"]) for t in trades]


def counted(**some):
    """The counts, zero where not told."""
    return dict.fromkeys(naive.COUNTS, 0) | some


# ------------------------------------------------------------------------------------------------ signals


def test_rule_1_a_roll_gap_is_no_crossover():
    # One run of prices would leap from 100 to 200 at print 4; each segment alone is flat.
    assert naive.crossover_signals([100] * 4 + [200] * 4, [(0, 4), (4, 8)], 1, 3) == [0] * 8


def test_rule_2_crossing_above_is_long_and_crossing_below_is_short():
    # alpha is 1 and 1/2. x: 0 0 0 2 -2, fast: 0 0 0 2 -2, slow: 0 0 0 1 -0.5.
    assert naive.crossover_signals([10, 10, 10, 12, 8], [(0, 5)], 1, 3) == [0, 0, 0, 1, -1]
    # Mirrored: short at print 3, out of equality, and long at print 4.
    assert naive.crossover_signals([10, 10, 10, 8, 12], [(0, 5)], 1, 3) == [0, 0, 0, -1, 1]


def test_rule_2_the_first_slow_prints_of_each_segment_give_no_signal():
    # x: 0 0 2 2 -2, fast: 0 0 2 2 -2, slow: 0 0 1 1.5 -0.25. Long at print 2 falls into the warm-up of 3.
    prices = [10, 10, 12, 12, 8]
    assert naive.crossover_signals(prices * 2, [(0, 5), (5, 10)], 1, 3) == [0, 0, 0, 0, -1] * 2


# -------------------------------------------------------------------------------------------------- entry


def test_rule_3_the_entry_fills_at_the_first_print_of_a_later_event():
    # The signal at 0 cannot fill at 1, which is its own event; it buys 102 at print 2 and sells 106 at 3.
    trades, _ = run([100, 101, 102, 106], {0: 1}, ts=[0, 0, 10, 20])
    assert fills(trades) == [(2, 102, 3, 106, "target")]


def test_rule_3_the_entry_waits_for_the_latency():
    # Sent at 0, at the exchange at 15: print 1 (10) is too early, print 2 (15) is exactly in time.
    trades, _ = run([100, 101, 102, 106], {0: 1}, ts=[0, 10, 15, 20], latency_ns=15)
    assert fills(trades) == [(2, 102, 3, 106, "target")]


def test_rule_3_an_order_does_not_cross_the_session_date_and_blocks_nothing():
    # The signal at 1 finds no later print in session 0; the one at 2 buys 100 at 3 and sells 104 at 4.
    trades, counts = run([100, 100, 100, 100, 104], {1: 1, 2: 1}, session_of=[0, 0, 1, 1, 1])
    assert fills(trades) == [(3, 100, 4, 104, "target")]
    assert counts == counted(signals=2, unfilled=1, closed=1)


def test_rule_3_an_order_does_not_cross_the_roll():
    trades, counts = run([100, 100, 200, 204], {1: 1}, segments=[(0, 2), (2, 4)])
    assert (trades, counts) == ([], counted(signals=1, unfilled=1))


def test_rule_4_the_entry_pays_slippage_on_either_side():
    # A buyer gets 100 + 1 and needs 105; a seller gets 100 - 1 and needs 95. Limits pay no slippage.
    bought, _ = run([100, 100, 104, 105], {0: 1}, slippage_ticks=1)
    sold, _ = run([100, 100, 96, 95], {0: -1}, slippage_ticks=1)
    assert fills(bought) == [(1, 101, 3, 105, "target")]
    assert fills(sold) == [(1, 99, 3, 95, "target")]


def test_rule_5_the_optimistic_entry_fills_at_the_signal_whatever_the_latency():
    # Bought 100 at print 0, and rule 6 lets it exit at print 1 of the same event.
    trades, _ = run([100, 104, 104], {0: 1}, ts=[0, 0, 10], entry="signal", latency_ns=99)
    assert fills(trades) == [(0, 100, 1, 104, "target")]


# --------------------------------------------------------------------------------------------------- exit


def test_rule_6_nothing_exits_inside_the_event_of_the_entry():
    # Bought 100 at print 1; print 2 would be the target but shares its event; print 3 is the stop.
    # Rule 14 still counts print 2: it is after the fill.
    trades, _ = run([100, 100, 105, 98], {0: 1}, ts=[0, 10, 10, 20])
    assert fills(trades) == [(1, 100, 3, 98, "stop")]
    assert (trades[0]["mae_ticks"], trades[0]["mfe_ticks"]) == (-2, 5)


def test_rule_7_touch_fills_at_the_limit_and_through_waits_for_one_tick_more():
    # Bought 100, limit at 104: print 2 touches it, print 3 goes through it; both fill at 104, never better.
    prices = [100, 100, 104, 107]
    assert fills(run(prices, {0: 1}, target_fill="touch")[0]) == [(1, 100, 2, 104, "target")]
    assert fills(run(prices, {0: 1}, target_fill="through")[0]) == [(1, 100, 3, 104, "target")]


def test_rule_8_a_stop_fills_at_its_trigger_at_its_level_or_at_the_next_event():
    # Bought 100, stop at 98. Print 2 gaps to 95; print 3 (97) is the same event; print 4 (96) is later.
    prices, ts = [100, 100, 95, 97, 96], [0, 10, 20, 20, 30]
    assert fills(run(prices, {0: 1}, ts=ts, stop_fill="trigger")[0]) == [(1, 100, 2, 95, "stop")]
    assert fills(run(prices, {0: 1}, ts=ts, stop_fill="level")[0]) == [(1, 100, 2, 98, "stop")]
    assert fills(run(prices, {0: 1}, ts=ts, stop_fill="next")[0]) == [(1, 100, 4, 96, "stop")]


@pytest.mark.parametrize(("stop_fill", "exit_ticks"), [("trigger", 106), ("level", 102), ("next", 103)])
def test_rule_8_every_stop_pays_slippage(stop_fill, exit_ticks):
    # Sold at 100 - 1 = 99, stop at 101. Print 2 gaps to 105, print 3 is 102; buying back costs one tick more.
    trades, _ = run([100, 100, 105, 102], {0: -1}, stop_fill=stop_fill, slippage_ticks=1)
    assert (trades[0]["entry_ticks"], trades[0]["exit_ticks"]) == (99, exit_ticks)


def test_rule_8_a_triggered_stop_waits_for_the_latency_and_its_target_is_gone():
    # Bought 100 at 1 (ts 20), stop triggered at 2 (ts 30), order there at 45: print 3 (the target!) is
    # too early, print 4 fills at 103.
    trades, _ = run([100, 100, 98, 104, 103], {0: 1}, ts=[0, 20, 30, 40, 50], stop_fill="next", latency_ns=15)
    assert fills(trades) == [(1, 100, 4, 103, "stop")]


def test_rule_8_a_triggered_stop_that_finds_no_print_is_not_closed():
    # Triggered at 98 on print 2; print 3 is the same event and the last of the segment. The trade is marked
    # there, at 104: that is where the target was, but the target is gone.
    prices, ts = [100, 100, 98, 104, 50], [0, 10, 20, 20, 30]
    trades, counts = run(prices, {0: 1}, ts=ts, segments=[(0, 4), (4, 5)], stop_fill="next")
    assert fills(trades) == [(1, 100, 3, 104, "void")]
    assert counts == counted(signals=1, void=1)


def test_rule_9_the_first_print_to_meet_either_decides():
    # Bought 100. The target (104) comes first in one tape, the stop (98) in the other.
    assert fills(run([100, 100, 104, 98], {0: 1})[0]) == [(1, 100, 2, 104, "target")]
    assert fills(run([100, 100, 98, 104], {0: 1})[0]) == [(1, 100, 2, 98, "stop")]


# ------------------------------------------------------------------------------------------------- overlap


def test_rule_10_the_next_signal_taken_lies_after_the_print_of_the_exit():
    # 0 buys 100 at 1 and sells 104 at 3. Signals 1 (filled just now), 2 (in position) and 3 (the exit's own
    # print) are ignored; 4 sells 104 at 5 and buys 100 at 6.
    prices = [100, 100, 102, 104, 104, 104, 100]
    trades, counts = run(prices, {0: 1, 1: 1, 2: -1, 3: 1, 4: -1})
    assert fills(trades) == [(1, 100, 3, 104, "target"), (5, 104, 6, 100, "target")]
    assert counts == counted(signals=5, ignored=3, closed=2)


def test_rule_10_a_signal_is_ignored_while_an_order_is_on_its_way():
    # The order of 0 arrives at 25 and fills at 3; signals 1 and 2 come before that.
    trades, counts = run([100, 100, 100, 100, 104], {0: 1, 1: -1, 2: 1}, latency_ns=25)
    assert fills(trades) == [(3, 100, 4, 104, "target")]
    assert counts == counted(signals=3, ignored=2, closed=1)


def test_rule_10_with_overlap_every_signal_is_traded_and_listed_as_it_ended():
    # 0 buys 100 at 1 and sells 104 at 4. 1 sells 101 at 2 and buys 103 at 3, its stop: it ends first.
    # 2 buys 103 at 3 and is still open at the end, 104.
    trades, counts = run([100, 100, 101, 103, 104], {0: 1, 1: -1, 2: 1}, overlap=True)
    assert [t["signal"] for t in trades] == [1, 0, 2]
    assert fills(trades) == [(2, 101, 3, 103, "stop"), (1, 100, 4, 104, "target"), (3, 103, 4, 104, "open")]
    assert counts == counted(signals=3, open=1, closed=2)


# ---------------------------------------------------------------------------------------- rolls and the end


def test_rule_11_a_trade_open_at_the_roll_is_void_and_blocked_its_segment():
    # 0 buys 100 at 1 and is marked at 101, the last print before the roll; signals 1 and 2 are ignored.
    # 3 buys 200 at 4 in the new segment and sells 204 at 5.
    prices = [100, 100, 101, 200, 200, 204]
    trades, counts = run(prices, {0: 1, 1: 1, 2: -1, 3: 1}, segments=[(0, 3), (3, 6)])
    assert fills(trades) == [(1, 100, 2, 101, "void"), (4, 200, 5, 204, "target")]
    assert trades[0]["gross_ticks"] == 1
    assert counts == counted(signals=4, ignored=2, void=1, closed=1)


def test_rule_11_an_exit_at_the_last_print_of_the_segment_closes():
    trades, counts = run([100, 100, 104, 200], {0: 1}, segments=[(0, 3), (3, 4)])
    assert fills(trades) == [(1, 100, 2, 104, "target")]
    assert counts == counted(signals=1, closed=1)


def test_rule_12_a_trade_open_at_the_end_of_the_tape_is_open():
    # Bought 100 + 1 at the last print: no print after it, so it is marked at 100 and has no excursion.
    trades, counts = run([100, 100], {0: 1}, slippage_ticks=1)
    expected = {"side": 1, "signal": 0, "entry": 1, "exit": 1, "entry_ticks": 101, "exit_ticks": 100}
    assert trades == [expected | {"gross_ticks": -1, "mae_ticks": 0, "mfe_ticks": 0, "reason": "open"}]
    assert counts == counted(signals=1, open=1)


# ------------------------------------------------------------------------------------- money and identity


def test_rule_13_a_trade_pays_commission_for_two_sides_of_each_contract():
    # 4 ticks of $12.50 on 2 contracts: $100 less 2 * 2 * $2.25 = $9.
    assert naive.net_usd(4, 12.5, 2, 2.25) == 91.0
    # A short of 104 bought back at 100 earns 4 ticks.
    assert run([104, 104, 100], {0: -1})[0][0]["gross_ticks"] == 4


def test_rule_14_the_excursions_are_prices_seen_and_not_clipped_at_zero():
    # Bought 100; 101 and 103 and then 107, through the limit of 104: MAE +1, MFE +7.
    trades, _ = run([100, 100, 101, 103, 107], {0: 1})
    assert (trades[0]["mae_ticks"], trades[0]["mfe_ticks"], trades[0]["gross_ticks"]) == (1, 7, 4)


WALK = [100, 101, 103, 101, 98, 97, 99, 102, 104, 101, 99, 96, 98, 101, 103, 105, 102, 99, 97, 100]


@pytest.mark.parametrize("stop_fill", ["trigger", "level", "next"])
@pytest.mark.parametrize("cut", range(1, len(WALK)))
def test_rule_16_cutting_the_tape_changes_no_trade_closed_before(cut, stop_fill):
    def closed(prices):
        signals = naive.crossover_signals(prices, [(0, len(prices))], 1, 3)
        trades, _ = run(prices, dict(enumerate(signals)), stop_fill=stop_fill)
        return [t for t in trades if t["reason"] in ("target", "stop")]

    assert closed(WALK)
    assert closed(WALK[:cut]) == [t for t in closed(WALK) if t["exit"] < cut]


def test_rule_17_mirrored_prices_mirror_the_trades_and_whole_ticks_shift_them():
    def traded(prices):
        signals = naive.crossover_signals(prices, [(0, len(prices))], 2, 3)
        return run(prices, dict(enumerate(signals)), slippage_ticks=1)[0]

    def moved(trade, sign, ticks):
        return trade | {
            "side": sign * trade["side"],
            "entry_ticks": sign * trade["entry_ticks"] + ticks,
            "exit_ticks": sign * trade["exit_ticks"] + ticks,
        }

    assert traded(WALK)
    assert traded([-price for price in WALK]) == [moved(t, -1, 0) for t in traded(WALK)]
    assert traded([price + 20_001 for price in WALK]) == [moved(t, 1, 20_001) for t in traded(WALK)]


# ---------------------------------------------------------------------------------------------- statistics


def test_statistics_of_five_trades_on_four_session_dates():
    # x: mean 30, squares about it 4900 + 6400 + 900 + 16900 + 28900 = 58000, sd = sqrt(58000 / 4).
    # d: 50, 0, 0, 100: mean 37.5, squares about it 156.25 + 1406.25 * 2 + 3906.25 = 6875.
    # Equity 100, 50, 50, -50, 150: falls 150 from session 0 to session 3, and recovers there with the next trade.
    got = naive.statistics([100.0, -50.0, 0.0, -100.0, 200.0], [0, 0, 1, 3, 3], 4)
    sd_x, sd_d = math.sqrt(58000 / 4), math.sqrt(6875 / 3)
    error = math.sqrt((1 + (37.5 / sd_d) ** 2 / 2) / 4) * math.sqrt(252)
    low, high = got.pop("win_rate_low"), got.pop("win_rate_high")
    assert low < 0.4 < high
    assert math.isnan(got.pop("sortino"))  # no losing day
    assert got == pytest.approx(
        {
            "trades": 5,
            "wins": 2,
            "losses": 2,
            "scratches": 1,
            "win_rate": 0.4,
            "decided_win_rate": 0.5,
            "break_even_rate": 1 / 3,  # 75 lost for 150 won
            "profit_factor": 2.0,
            "expectancy_usd": 30.0,
            "t_statistic": 30 / (sd_x / math.sqrt(5)),
            "t_statistic_by_day": 37.5 / (sd_d / 2),
            "sqn": math.sqrt(5) * 30 / sd_x,
            "session_dates": 4,
            "dates_traded": 3,
            "days_profitable": 2 / 3,
            "sharpe": 37.5 / sd_d * math.sqrt(252),
            "sharpe_error": error,
            "sharpe_low": 37.5 / sd_d * math.sqrt(252) - 1.959963984540054 * error,
            "sharpe_high": 37.5 / sd_d * math.sqrt(252) + 1.959963984540054 * error,
            "max_drawdown_usd": 150.0,
            "max_drawdown_sessions": 4,
            "max_drawdown_days": 4,
            "recovery_sessions": 4,
            "recovery_days": 4,
            "longest_win_streak": 1,
            "longest_loss_streak": 1,  # the scratch ended the first
            "average_win_usd": 150.0,
            "average_loss_usd": -75.0,
            "payoff": 2.0,
            "best_day_usd": 100.0,
            "worst_day_usd": 0.0,
            "trades_a_day": 1.25,
        },
        rel=1e-12,
    )


def test_statistics_wilson_interval_of_eight_wins_in_ten():
    got = naive.statistics([1.0] * 8 + [-1.0] * 2, [0] * 10, 1)
    assert (got["win_rate_low"], got["win_rate_high"]) == pytest.approx((0.49016, 0.94332), abs=5e-6)


def test_statistics_sortino_divides_by_the_root_mean_square_of_the_losing_days():
    # d: 300, -100, 0, 0: mean 50, downside sqrt(10000 / 4) = 50.
    got = naive.statistics([300.0, -100.0], [0, 1], 4)
    assert got["sortino"] == pytest.approx(math.sqrt(252), rel=1e-12)


def test_statistics_the_sqn_is_capped_at_a_hundred_trades():
    # 400 trades of +3 and -1: the t-statistic has sqrt(400), the SQN sqrt(100), half of it.
    got = naive.statistics([3.0, -1.0] * 200, [0] * 400, 1)
    assert got["sqn"] == pytest.approx(got["t_statistic"] / 2, rel=1e-12)


def test_statistics_the_starting_zero_is_a_peak_and_the_first_of_equal_falls_counts():
    # Falls 50 from the start to session 1, the first with a trade; is above it on session 3; falls 50 again to 7.
    got = naive.statistics([-50.0, 150.0, -50.0], [1, 3, 7], 8)
    assert (got["max_drawdown_usd"], got["max_drawdown_sessions"], got["recovery_sessions"]) == (50.0, 1, 3)


def test_statistics_a_fall_starts_at_the_latest_of_equal_peaks():
    # Equity 100 on session 0, 50 on 1, 100 again on 2, 0 on 3: 100 from session 2 to session 3.
    got = naive.statistics([100.0, -50.0, 50.0, -100.0], [0, 1, 2, 3], 4)
    assert (got["max_drawdown_usd"], got["max_drawdown_sessions"]) == (100.0, 2)


def test_statistics_the_sample_of_the_trap_has_a_profit_factor_of_1_017():
    got = naive.statistics([200.0] * 66_183 + [-100.0] * 130_122, [0] * 196_305, 1)
    assert round(got["profit_factor"], 3) == 1.017


def test_statistics_without_trades_are_undefined_and_not_zero():
    got = naive.statistics([], [], 2)
    zero = {name for name, value in got.items() if value == 0}
    undefined = {name for name, value in got.items() if math.isnan(value)}
    assert zero | undefined == set(got) - {"session_dates"}
    assert zero == {"trades", "wins", "losses", "scratches", "dates_traded", "trades_a_day"} | {
        "max_drawdown_usd",
        "max_drawdown_sessions",
        "max_drawdown_days",
        "recovery_sessions",
        "recovery_days",
        "longest_win_streak",
        "longest_loss_streak",
        "best_day_usd",
        "worst_day_usd",
    }


def test_baseline_marks_each_session_date_and_counts_no_roll_gap():
    # Segment 0 earns 103 - 100 = 3 on session 0 and 101 - 103 = -2 on session 1; segment 1, bought at 200
    # on session 1, earns 199 - 200 = -1 there and 205 - 199 = 6 on session 2. Ticks of $5.
    # d: 15, -15, 30: mean 10, squares about it 25 + 625 + 400 = 1050. Equity 15, 0, 30 falls 15.
    prices, session_of = [100, 103, 102, 101, 200, 199, 204, 205], [0, 0, 1, 1, 1, 1, 2, 2]
    got = naive.baseline(prices, [(0, 4), (4, 8)], session_of, 3, 5.0)
    assert got["sharpe"] == pytest.approx(10 / math.sqrt(1050 / 2) * math.sqrt(252), rel=1e-12)
    assert (got["pnl_usd"], got["max_drawdown_usd"]) == (30.0, 15.0)
    assert (got["per_segment_usd"], got["daily_usd"]) == ([5.0, 25.0], [15.0, -15.0, 30.0])


def test_permutation_drawdown_depends_on_the_order():
    # Equity 0, 10, 5, 15 falls 5; equity 0, -5, 5, 15 falls 5 from the start; -5 -5 10 10 falls 10.
    assert naive.permutation_drawdown([10.0, -5.0, 10.0]) == 5.0
    assert naive.permutation_drawdown([-5.0, 10.0, 10.0]) == 5.0
    assert naive.permutation_drawdown([-5.0, -5.0, 10.0, 10.0]) == 10.0
    assert naive.permutation_drawdown([10.0, 10.0]) == 0.0
