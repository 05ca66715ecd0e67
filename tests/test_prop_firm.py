"""One attempt after another at the rules of a firm: by hand, and against the twin that walks every print."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from support import naive_prop_firm as naive
from support.accounts import SEED, TICK, attempts, custom, ends, evaluations, tape_of_dates, trades_of, twin
from support.budget import examples

from scalpr_zen import Execution
from scalpr_zen.sections.prop_firm import kernels as prop_paths
from scalpr_zen.sections.prop_firm.evaluation import prop_firm


def test_equity_at_the_floor_is_bust_and_one_tick_above_it_is_not():
    # Bought at 100; the floor lies 5 ticks below the start.
    assert ends(attempts([[100, 95, 100]], [(1, 0, 2)], custom(50, 5))) == [("bust", 1, -5)]
    assert ends(attempts([[100, 96, 100]], [(1, 0, 2)], custom(50, 5))) == [("unfinished", 1, 0)]


def test_a_floor_below_the_balance_stands_still_during_the_day():
    # 8 ticks up and back to 1 above the start: a floor 5 below the start is not touched.
    assert ends(attempts([[100, 108, 101]], [(1, 0, 2)], custom(50, 5))) == [("unfinished", 1, 1)]


def test_a_floor_below_the_open_equity_rises_at_the_print_of_its_peak():
    # 8 ticks up raise it to 3 above the start; 103 touches it.
    rules = custom(50, 5, prop_drawdown_kind="peak_equity")
    assert ends(attempts([[100, 108, 103, 110]], [(1, 0, 3)], rules)) == [("bust", 1, 3)]
    assert ends(attempts([[100, 108, 104, 110]], [(1, 0, 3)], rules)) == [("unfinished", 1, 10)]


def test_a_floor_below_the_open_equity_rises_with_an_exit_fill():
    # Sold for 108 while the market prints 100: the floor lies at 3, and the next trade falls to it.
    rules, rows = custom(50, 5, prop_drawdown_kind="peak_equity"), [(1, 0, 1, 100, 108), (1, 2, 4)]
    assert ends(attempts([[100, 100, 100, 95, 90]], rows, rules)) == [("bust", 1, 3)]


def test_a_floor_below_the_balance_rises_at_the_end_of_the_day():
    # The first day earns 8: the floor of the second lies at 3, and a loss of 5 touches it.
    dates, rows = [[100, 108], [108, 103]], [(1, 0, 1), (1, 2, 3)]
    assert ends(attempts(dates, rows, custom(50, 5))) == [("bust", 2, 3)]


def test_a_floor_does_not_rise_above_its_lock():
    dates, rows = [[100, 120], [120, 101]], [(1, 0, 1), (1, 2, 3)]
    assert ends(attempts(dates, rows, custom(50, 5, prop_lock=0))) == [("unfinished", 2, 1)]
    assert ends(attempts(dates, rows, custom(50, 5, prop_lock=1))) == [("bust", 2, 1)]


def test_a_lock_at_minus_the_drawdown_is_a_floor_that_never_moves():
    dates, rows = [[100, 120], [120, 96]], [(1, 0, 1), (1, 2, 3)]
    assert ends(attempts(dates, rows, custom(50, 5, prop_lock=-5))) == [("unfinished", 2, -4)]


def test_the_target_counts_at_the_end_of_the_day():
    # 10 above the start at the second print, 9 at the end of the day, 10 at the end of the next.
    dates = [[100, 110, 109], [109, 110]]
    rows = [(1, 0, 1), (1, 2, 2, 110, 109), (1, 3, 4)]
    assert ends(attempts(dates, rows, custom(10, 5))) == [("pass", 2, 10)]


def test_an_account_waits_for_its_trading_days():
    # A date without a fill is none.
    dates, rows = [[100, 110], [100, 100], [100, 101]], [(1, 0, 1), (1, 4, 5)]
    assert ends(attempts(dates, rows, custom(10, 50, prop_min_days=2))) == [("pass", 3, 11)]


def test_an_account_waits_until_its_best_day_is_small_enough():
    # 10 of 10, 10 of 15, 10 of 20: at most half.
    dates, rows = [[100, 110], [100, 105], [100, 105]], [(1, 0, 1), (1, 2, 3), (1, 4, 5)]
    assert ends(attempts(dates, rows, custom(10, 50, prop_consistency=0.5))) == [("pass", 3, 20)]


def test_without_that_rule_the_best_day_may_be_more_than_the_profit():
    dates, rows = [[100, 95], [100, 115]], [(1, 0, 1), (1, 2, 3)]
    assert ends(attempts(dates, rows, custom(10, 20))) == [("pass", 2, 10)]
    assert ends(attempts(dates, rows, custom(10, 20, prop_consistency=0.99))) == [("unfinished", 2, 10)]


def test_a_daily_loss_ends_the_day_at_that_print_less_slippage_and_the_commission():
    # Bought at 100; the commission of the entry is a loss of the day too, so that 97 is its limit. Sold there
    # for 96, less another commission, and the trade after it does not happen.
    rules = custom(50, 20, prop_daily_loss=4)
    execution = Execution(slippage_ticks=1, commission=float(TICK))
    [found] = attempts([[100, 97, 95, 99, 109]], [(1, 0, 3), (1, 3, 4)], rules, execution)
    assert [found["profit_usd"] / TICK, found["days"][0]["trades"]] == [-1 - 3 - 1 - 1, 1]
    assert found["days"][0]["ended_by"] == "daily loss"


def test_the_day_after_a_daily_loss_is_a_day_like_any_other():
    rules = custom(50, 20, prop_daily_loss=4)
    found = attempts([[100, 96, 120], [100, 107]], [(1, 0, 2), (1, 3, 4)], rules)
    assert ends(found) == [("unfinished", 2, 3)]


def test_a_daily_loss_can_be_the_end_of_the_account():
    rules = custom(50, 20, prop_daily_loss=4, prop_daily_loss_breach="bust")
    found = attempts([[100, 96, 120], [100, 107]], [(1, 0, 2), (1, 3, 4)], rules)
    assert ends(found) == [("bust", 1, -4), ("unfinished", 1, 7)]
    assert found[0]["reason"].startswith("loss of the day $20.00 at or beyond its limit $20.00 at 2025-01-15T12:00:00")


def test_the_floor_is_looked_at_before_the_daily_loss():
    [found] = attempts([[100, 96]], [(1, 0, 1)], custom(50, 4, prop_daily_loss=4))
    assert (found["outcome"], found["days"][0]["ended_by"]) == ("bust", "floor")
    assert found["reason"].startswith("equity $49,980.00 at or below the floor $49,980.00 at 2025-01-15T12:00:00")


def test_closing_for_a_daily_loss_can_touch_the_floor():
    # 96 is the daily limit, sold at 95: the floor.
    execution, rows = Execution(slippage_ticks=1), [(1, 0, 2)]
    [over] = attempts([[100, 96, 100]], rows, custom(50, 5, prop_daily_loss=4), execution)
    assert (over["outcome"], over["profit_usd"] / TICK) == ("bust", -5)
    assert "equity $49,975.00 at or below the floor $49,975.00" in over["reason"]
    assert over["days"][0]["ended_by"] == "floor"
    # Where the daily loss itself ends the account it stays the reason, though the closing touches the floor too.
    rules = custom(50, 5, prop_daily_loss=4, prop_daily_loss_breach="bust")
    [bust] = attempts([[100, 96, 100]], rows, rules, execution)
    assert (bust["outcome"], bust["profit_usd"] / TICK, bust["days"][0]["ended_by"]) == ("bust", -5, "daily loss")
    assert bust["reason"].startswith("loss of the day $20.00 at or beyond its limit $20.00")


def test_the_least_distance_to_the_floor_counts_the_equity_at_the_start_of_a_date():
    # Bought at 100 without costs, it only rises: 3 ticks, then 4. Each date is nearest to its floor where it begins: 10
    # above it, and, as the floor has risen by 3 with the balance, 10 again. On the date of a bust it is where it ends.
    found = attempts([[100, 103], [100, 104], [100, 80]], [(1, 0, 1), (1, 2, 3), (1, 4, 5)], custom(50, 10))
    assert [row["lowest_above_floor_usd"] / TICK for row in found[0]["days"]] == [10, 10, -10]


def test_an_attempt_starts_on_the_session_date_after_the_last_one_ended():
    dates = [[100, 90, 130], [100, 110], [100, 101]]
    found = attempts(dates, [(1, 0, 1), (1, 1, 2), (1, 3, 4), (1, 5, 6)], custom(10, 5))
    assert ends(found) == [("bust", 1, -10), ("pass", 1, 10), ("unfinished", 1, 1)]
    dated = [(attempt["number"], attempt["first_session"], attempt["last_session"]) for attempt in found]
    assert dated == [(1, "2025-01-15", "2025-01-15"), (2, "2025-01-16", "2025-01-16"), (3, "2025-01-17", "2025-01-17")]


def test_a_short_position_is_marked_the_other_way():
    assert ends(attempts([[100, 105, 100]], [(-1, 0, 2)], custom(50, 5))) == [("bust", 1, -5)]


def test_the_exit_fill_counts_in_place_of_its_print():
    # A stop filled at 97 by a print at 90, or a print at 97 with a fill at 90.
    assert ends(attempts([[100, 90]], [(1, 0, 1, 100, 97)], custom(50, 5))) == [("unfinished", 1, -3)]
    assert ends(attempts([[100, 97]], [(1, 0, 1, 100, 90)], custom(50, 5))) == [("bust", 1, -10)]


def test_each_side_pays_its_commission_at_its_own_fill():
    # 97 after one commission of 2 ticks is the floor; the second falls due with the closing.
    execution = Execution(commission=2.0 * TICK)
    assert ends(attempts([[100, 97, 109]], [(1, 0, 2)], custom(50, 5), execution)) == [("bust", 1, -7)]
    assert ends(attempts([[100, 98, 109]], [(1, 0, 2)], custom(50, 5), execution)) == [("unfinished", 1, 5)]


def test_a_position_held_over_the_end_of_a_session_goes_on_from_its_mark():
    # 104 at the end of the first date, 101 at the end of the trade.
    tape = tape_of_dates([100, 104], [102, 101])
    found = prop_firm(trades_of(tape, (1, 0, 3)), tape, Execution(), custom(50, 20), SEED)
    assert [row["net_usd"] / TICK for row in found["attempts"][0]["days"]] == [4, -3]
    assert [row["trades"] for row in found["attempts"][0]["days"]] == [0, 1]
    assert found["notes"] == ["trades held past the end of a session: 1; a firm would have closed them there"]


def test_the_table_of_an_attempt_has_a_row_for_each_session_date():
    # 5 below the start is 5 above the floor; the end of the first date raises the floor by 3.
    [found] = attempts([[100, 95, 103], [100, 100]], [(1, 0, 2)], custom(50, 10))
    first, second = found["days"]
    assert first == {
        "session_date": "2025-01-15",
        "trades": 1,
        "net_usd": 15.0,
        "balance_usd": 50_015.0,
        "lowest_above_floor_usd": 25.0,
        "floor_usd": 49_965.0,
        "trading_day": True,
        "ended_by": None,
    }
    assert (second["trading_day"], second["lowest_above_floor_usd"]) == (False, 50.0)


def test_contracts_multiply_every_amount():
    tape = tape_of_dates([100, 104])
    found = prop_firm(trades_of(tape, (1, 0, 1)), tape, Execution(contracts=3, commission=2.0), custom(50, 20), SEED)
    assert found["attempts"][0]["profit_usd"] == 3 * (4 * TICK - 2 * 2)


def test_a_pass_states_its_profit_its_days_and_its_best_day():
    # 6 ticks on the first date and 4 on the second, of 5 USD each: the best day has 60% of 50 USD.
    dates, rows = [[100, 106], [106, 110]], [(1, 0, 1), (1, 2, 3)]
    [attempt] = attempts(dates, rows, custom(10, 5))
    assert attempt["reason"] == "profit $50.00 after 2 trading days, best day 60.00% of it"


# --------------------------------------------------------------------------------- the twin


@examples(300)
@given(evaluations())
def test_every_attempt_is_the_twins_which_walks_every_print(case):
    dates, rows, settings, execution = case
    expected = naive.attempts(*twin(dates, rows, settings, execution))
    got = attempts(dates, rows, settings, execution)
    assert [(a["outcome"], a["session_dates"]) for a in got] == [(o, used) for _, o, used, _, _ in expected]
    for attempt, (_, _, _, ended, table) in zip(got, expected, strict=True):
        money = ("net_usd", "balance_usd", "lowest_above_floor_usd", "floor_usd")
        offsets = (0, 50_000, 0, 50_000)
        shown = [
            (
                row["trades"],
                *(round((row[name] - offset) * 1e6) for name, offset in zip(money, offsets, strict=True)),
                row["trading_day"],
                row["ended_by"],
            )
            for row in attempt["days"]
        ]
        assert shown == [(closed, *amounts, filled, by) for closed, *amounts, filled, by in table]
        if ended:
            assert attempt["reason"].startswith({"floor": "equity", "daily loss": "loss of the day"}[ended[0]])


@given(evaluations())
def test_every_drawn_path_is_the_twins_which_walks_every_print(case):
    dates, rows, settings, execution = case
    tape, paths, length = tape_of_dates(*dates), 12, 4
    settings = replace(settings, prop_sims=paths, prop_days=length)
    prices, sessions, trades, rules = twin(dates, rows, settings, execution)
    drawn = naive.drawn_dates(SEED, 0, paths, length, len(dates))
    found = [naive.evaluate(prices, sessions, trades, order, rules)[:2] for order in drawn]
    got = prop_firm(trades_of(tape, *rows), tape, execution, settings, SEED)["drawn"]
    if len(dates) == 1:
        assert got == {}
        return
    assert [got[name]["paths"] for name in ("pass", "bust", "neither")] == [
        sum(outcome == name for outcome, _ in found) for name in ("pass", "bust", "unfinished")
    ]
    for name in ("pass", "bust"):
        used = [dates_used for outcome, dates_used in found if outcome == name]
        assert np.array_equal(got[f"days_to_{name}"]["mean"], np.mean(used) if used else np.nan, equal_nan=True)


@given(evaluations())
def test_room_for_a_single_stage_changes_nothing(case):
    dates, rows, settings, execution = case
    expected = attempts(dates, rows, settings, execution)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prop_paths, "_STAGES", 1)
        assert attempts(dates, rows, settings, execution) == expected
