import itertools
import json
from dataclasses import fields, replace
from datetime import date

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from support import naive_prop_firm as naive
from support.budget import examples
from support.market import market
from support.tapes import NOON, tape_of

from scalpr_zen import Bracket, EmaCrossover, Execution, Tape, run
from scalpr_zen.base.engine import Engine
from scalpr_zen.base.errors import ParameterError
from scalpr_zen.base.instruments import parse_instrument
from scalpr_zen.base.params import declared
from scalpr_zen.runs.backtest import jsonable
from scalpr_zen.sections.prop_firm import evaluation
from scalpr_zen.sections.prop_firm import paths as prop_paths
from scalpr_zen.sections.prop_firm.evaluation import CHUNK, drawn_dates, prop_firm
from scalpr_zen.sections.prop_firm.rules import FIRMS, PropFirm, RuleSet, rule_set
from scalpr_zen.sections.prop_firm.text import TABLES, lines
from scalpr_zen.simulation.kernel import TARGET, TRADE

TICK = 5  # USD, one contract of NQ
DAY = 86_400 * 10**9
SEED = 2_024
INTERVALS = (("dates_low", "dates_high"), ("low", "high"))


# ------------------------------------------------------------------------------------ tapes and trades


def tape_of_dates(*dates):
    """A tape of consecutive session dates from lists of prices in ticks, one event every 10 ns."""
    ts = [n * DAY + 10 * i for n, prices in enumerate(dates) for i in range(len(prices))]
    return tape_of([price for prices in dates for price in prices], ts=ts)


def trades_of(tape, *rows):
    """Closed trades from (side, entry print, exit print), filled at the prints, or with the two fills as well."""
    trades = np.zeros(len(rows), TRADE)
    for trade, (side, entry, leave, *fills) in zip(trades, rows, strict=True):
        trade["side"], trade["entry"], trade["exit"], trade["reason"] = side, entry, leave, TARGET
        trade["entry_ticks"], trade["exit_ticks"] = fills or (tape.price[entry], tape.price[leave])
        trade["session"] = np.searchsorted(tape.sessions["stop"], leave, side="right")
    return trades


def custom(target, drawdown, **ticks):
    """Custom rules, amounts in ticks of one contract."""
    money = {name: value * TICK for name, value in ticks.items() if name in ("prop_lock", "prop_daily_loss")}
    amounts = {"prop_target": target * TICK, "prop_drawdown": drawdown * TICK}
    return PropFirm(prop_firm="custom", **{"prop_sims": 0, **ticks, **amounts, **money})


def attempts(dates, rows, rules, execution=None):
    """The attempts at custom rules over dates of prices."""
    tape = tape_of_dates(*dates)
    return prop_firm(trades_of(tape, *rows), tape, execution or Execution(), rules, SEED)["attempts"]


def ends(found):
    return [(attempt["outcome"], attempt["session_dates"], attempt["profit_usd"] / TICK) for attempt in found]


# ----------------------------------------------------------------------------------------- the rules


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
    assert found["notes"] == ["trades held over the end of a session: 1; a firm would have closed them there"]


def test_the_table_of_an_attempt_tells_each_session_date():
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


def test_a_pass_is_told_with_its_profit_its_days_and_its_best_day():
    # 6 ticks on the first date and 4 on the second, of 5 USD each: the best day has 60% of 50 USD.
    dates, rows = [[100, 106], [106, 110]], [(1, 0, 1), (1, 2, 3)]
    [attempt] = attempts(dates, rows, custom(10, 5))
    assert attempt["reason"] == "profit $50.00 after 2 trading days, best day 60.00% of it"


# --------------------------------------------------------------------------------- the twin


@st.composite
def evaluations(draw):
    """Dates of prices, trades of which one is open at a time, rules and execution; amounts of a few ticks."""
    dates = draw(st.lists(st.lists(st.integers(-4, 4), min_size=1, max_size=12), min_size=1, max_size=5))
    steps = [step for steps in dates for step in steps]
    prices = np.cumsum(steps).tolist()
    cuts = np.cumsum([0, *map(len, dates)]).tolist()
    marks = sorted(draw(st.lists(st.integers(0, len(prices) - 1), max_size=12)))  # a trade may begin where one ends
    rows = []
    for entry, leave in zip(marks[::2], marks[1::2], strict=False):
        fills = [prices[entry] + draw(st.integers(-1, 1)), prices[leave] + draw(st.integers(-2, 2))]
        rows.append((draw(st.sampled_from([1, -1])), entry, leave, *fills))
    drawdown = draw(st.integers(1, 12))
    rules = {
        "prop_lock": draw(st.none() | st.integers(-drawdown, 10)),
        "prop_daily_loss": draw(st.none() | st.integers(1, 8)),
        "prop_drawdown_kind": draw(st.sampled_from(["end_of_day", "peak_equity"])),
        "prop_daily_loss_breach": draw(st.sampled_from(["bust", "day_over"])),
        "prop_min_days": draw(st.integers(0, 2)),
        "prop_consistency": draw(st.sampled_from([None, 0.5, 0.55, 0.8])),
    }
    settings = custom(draw(st.integers(1, 8)), drawdown, **{k: v for k, v in rules.items() if v is not None})
    execution = Execution(slippage_ticks=draw(st.integers(0, 2)), commission=float(TICK * draw(st.integers(0, 1))))
    return [prices[a:b] for a, b in itertools.pairwise(cuts)], rows, settings, execution


def a_month(seed):
    """Twenty dates of prices that walk, and on most of them a trade from the first print to the last."""
    random = np.random.default_rng(seed)
    dates = [(100 + random.integers(-6, 7, 5).cumsum()).tolist() for _ in range(20)]
    rows = [(1 - 2 * (n % 2), 5 * n, 5 * n + 4, dates[n][0], dates[n][4]) for n in range(20) if n % 6]
    return tape_of_dates(*dates), (dates, rows)


def twin(dates, rows, settings, execution):
    """The arguments of the twin."""
    cuts = np.cumsum([0, *map(len, dates)]).tolist()
    names = ("side", "entry", "exit", "entry_ticks", "exit_ticks")
    micro = {
        name: None if value is None else round(value * 1e6)
        for name, value in {
            "tick": TICK,
            "commission": execution.commission,
            "drawdown": settings.prop_drawdown,
            "lock": settings.prop_lock,
            "daily_loss": settings.prop_daily_loss,
            "target": settings.prop_target,
        }.items()
    }
    rules = micro | {
        "slippage": execution.slippage_ticks,
        "trails_equity": settings.prop_drawdown_kind == "peak_equity",
        "daily_bust": settings.prop_daily_loss_breach == "bust",
        "min_days": settings.prop_min_days,
        "share": None if settings.prop_consistency is None else round(100 * settings.prop_consistency),
    }
    trades = [dict(zip(names, row, strict=True)) for row in rows]
    prices = [price for date_prices in dates for price in date_prices]
    return prices, list(itertools.pairwise(cuts)), trades, rules


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
        told = [
            (
                row["trades"],
                *(round((row[name] - offset) * 1e6) for name, offset in zip(money, offsets, strict=True)),
                row["trading_day"],
                row["ended_by"],
            )
            for row in attempt["days"]
        ]
        assert told == [(closed, *amounts, filled, by) for closed, *amounts, filled, by in table]
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


# ------------------------------------------------------------------------------------ drawn dates


def test_the_drawn_dates_are_those_of_philox():
    assert drawn_dates(7, 3, 5, 6, 252).tolist() == naive.drawn_dates(7, 3, 5, 6, 252)


def test_every_date_is_drawn_about_equally_often():
    counts = np.bincount(drawn_dates(1, 0, 1_000, 60, 20).ravel(), minlength=20)
    assert scipy.stats.chisquare(counts).pvalue > 0.001


def realistic():
    """A result of the small market with some passes, some busts, and more paths than one chunk."""
    execution = Execution(commission=2.0, slippage_ticks=1)
    bracket = Bracket(take_profit=10.0, stop_loss=4.0)
    return run(market(), EmaCrossover(fast_period=2, slow_period=5), bracket, execution)


def evaluated(**settings):
    result = realistic()
    rules = {"prop_target": 300.0, "prop_drawdown": 400.0, "prop_sims": CHUNK + 500, "prop_days": 5} | settings
    chosen = PropFirm(**{"prop_firm": "custom", **rules})
    return prop_firm(result.trades, result.tape, result.setup.execution, chosen, SEED)


def test_threads_and_paths_after_it_do_not_change_a_path():
    drawn = evaluated()["drawn"]
    for cores in (1, 2, 7):
        with Engine(cores):
            assert evaluated()["drawn"] == drawn
    fewer = evaluated(prop_sims=CHUNK)["drawn"]
    assert 0 < fewer["pass"]["paths"] < drawn["pass"]["paths"]


def test_the_intervals_of_the_shares_are_wilsons():
    drawn = evaluated()["drawn"]
    for name in ("pass", "bust", "neither"):
        paths = drawn[name]["paths"]
        expected = scipy.stats.binomtest(paths, drawn["sims"]).proportion_ci(method="wilson")
        assert (drawn[name]["low"], drawn[name]["high"]) == pytest.approx(tuple(expected))
        assert drawn[name]["probability"] == paths / drawn["sims"]


@pytest.mark.parametrize("paths", [5, 400])
def test_the_interval_of_the_mean_is_students(paths):
    # Passed at the first date or at the second, each as likely: a date that earns and one that does nothing.
    tape = tape_of_dates([100, 110], [100, 100])
    settings = custom(10, 5, prop_sims=paths, prop_days=40)
    spread = prop_firm(trades_of(tape, (1, 0, 1)), tape, Execution(), settings, SEED)["drawn"]["days_to_pass"]
    used = [order.index(0) + 1 for order in naive.drawn_dates(SEED, 0, paths, 40, 2)]
    expected = scipy.stats.ttest_1samp(used, 0).confidence_interval(0.95)
    assert (spread["mean_low"], spread["mean_high"]) == pytest.approx(tuple(expected))
    assert (spread["p5"], spread["median"], spread["p95"]) == tuple(np.percentile(used, (5, 50, 95)))


def test_each_thousand_of_paths_is_drawn_anew():
    tape, rows = a_month(seed=3)
    prices, sessions, trades, rules = twin(
        *rows, settings := custom(20, 30, prop_sims=2_100, prop_days=9, prop_min_days=0), Execution()
    )
    drawn = prop_firm(trades_of(tape, *rows[1]), tape, Execution(), settings, SEED)["drawn"]
    ends = [
        naive.evaluate(prices, sessions, trades, order, rules)[0]
        for chunk, paths in enumerate((1_000, 1_000, 100))
        for order in naive.drawn_dates(SEED, chunk, paths, 9, len(sessions))
    ]
    assert [drawn[name]["paths"] for name in ("pass", "bust", "neither")] == [
        ends.count(name) for name in ("pass", "bust", "unfinished")
    ]


def test_the_interval_for_other_dates_is_that_of_tapes_of_drawn_dates(monkeypatch):
    monkeypatch.setattr(evaluation, "TAPES", 6)
    monkeypatch.setattr(evaluation, "CHUNK", 30)
    tape, rows = a_month(seed=4)
    prices, sessions, trades, rules = twin(
        *rows, settings := custom(20, 30, prop_sims=30, prop_days=9, prop_min_days=0), Execution()
    )
    drawn = prop_firm(trades_of(tape, *rows[1]), tape, Execution(), settings, SEED)["drawn"]
    ends = []
    for k in range(6):
        [dates] = naive.drawn_dates(SEED, 2**32 + 2 * k, 1, len(sessions), len(sessions))
        orders = naive.drawn_dates(SEED, 2**32 + 2 * k + 1, 30, 9, len(sessions))
        ends.append([naive.evaluate(prices, sessions, trades, [dates[n] for n in o], rules)[0] for o in orders])
    for name, word in (("pass", "pass"), ("bust", "bust"), ("neither", "unfinished")):
        low, high = np.percentile([end.count(word) / 30 for end in ends], (2.5, 97.5))
        expected = min(low, drawn[name]["low"]), max(high, drawn[name]["high"])
        assert (drawn[name]["dates_low"], drawn[name]["dates_high"]) == pytest.approx(expected)
    assert drawn["pass"]["dates_low"] < drawn["pass"]["low"]


def test_where_every_date_ends_alike_the_interval_for_other_dates_is_no_narrower_than_that_of_the_drawing():
    tape = tape_of_dates(*[[100, 110]] * 5)
    trades = trades_of(tape, *((1, 2 * n, 2 * n + 1) for n in range(5)))
    drawn = prop_firm(trades, tape, Execution(), custom(10, 5, prop_sims=50), SEED)["drawn"]["pass"]
    assert (drawn["probability"], drawn["dates_high"]) == (1, 1)
    assert drawn["dates_low"] == drawn["low"] < 1


def test_of_a_single_session_date_nothing_is_drawn_and_the_text_says_why():
    tape = tape_of_dates([100, 110])
    found = prop_firm(trades_of(tape, (1, 0, 1)), tape, Execution(), custom(10, 5, prop_sims=5), SEED)
    assert [attempt["outcome"] for attempt in found["attempts"]] == ["pass"]
    assert found["drawn"] == {}
    text = "\n".join(lines(found))
    assert "Drawn session dates: n/a, as prop_sims is 0 or fewer than two session dates count" in text
    assert "P(pass)" not in text


def test_no_paths_are_drawn_where_none_are_wanted():
    assert evaluated(prop_sims=0)["drawn"] == {}


def test_without_dates_there_is_no_attempt():
    found = prop_firm(np.zeros(0, TRADE), tape_of([]), Execution(), PropFirm(), SEED)
    assert (found["attempts"], found["drawn"], found["counts"]["attempts"]) == ([], {}, 0)


# -------------------------------------------------------------------------------- what is not evaluated


def test_none_gives_its_name_alone_and_no_text():
    found = prop_firm(np.zeros(0, TRADE), tape_of([100]), Execution(), PropFirm(prop_firm="none"), SEED)
    assert (found, list(lines(found))) == ({"name": "none"}, [])


@pytest.mark.parametrize(("rows", "overlap"), [([(1, 0, 2), (1, 1, 3)], False), ([(1, 0, 2)], True)])
def test_several_trades_at_once_are_told_and_not_evaluated(rows, overlap):
    tape = tape_of([100, 101, 102, 103])
    found = prop_firm(trades_of(tape, *rows), tape, Execution(overlap=overlap), PropFirm(), SEED)
    told = "several trades are open at once: no account can hold them, nothing is evaluated"
    assert (set(found), found["notes"]) == ({"name", "rules", "notes"}, [told])
    assert f"  NOTE {told}" in list(lines(found))


def test_contracts_above_the_limit_and_trades_left_out_are_told():
    tape = tape_of([100, 101])
    found = prop_firm(trades_of(tape, (1, 0, 1)), tape, Execution(contracts=6), PropFirm(), SEED, unclosed=2)
    limit = "contracts=6 is above the firm's limit of 5; it would refuse the order"
    assert found["notes"] == [limit, "void and open trades left out: 2"]


@pytest.mark.parametrize(
    ("contracts", "told"),
    [(50, []), (51, ["contracts=51 is above the firm's limit of 50 micros; it would refuse the order"])],
)
def test_ten_micros_count_as_one_contract(contracts, told):
    tape = tape_of([100, 101], root="MNQ")
    execution = Execution(contracts=contracts)
    assert prop_firm(trades_of(tape, (1, 0, 1)), tape, execution, PropFirm(), SEED)["notes"] == told


@pytest.mark.parametrize(
    ("line", "point_value", "micro"),
    [
        ("MNQ 0.25 2", None, True),  # a line of one's own has no name
        ("M6E 0.0001 12500", None, True),
        ("NQ 0.25 20", 2.0, True),  # a tape of NQ traded at the value of MNQ
        ("NQ 0.25 2", None, True),
        ("NQ 0.25 20", None, False),
        ("NQ 0.25 20", 2.01, False),
        ("MNQ 0.25 2", 20.0, False),
        ("SIL 0.005 1000", None, False),  # a fifth of SI
        ("XYZ 0.25 2", None, False),  # nobody knows of what it could be a tenth
    ],
)
def test_a_micro_is_a_tenth_of_the_full_size_contract_whatever_its_name(line, point_value, micro):
    times = [NOON, NOON + 10]
    tape = Tape.from_prints(times, [100, 101], instrument=parse_instrument(line))
    execution = Execution(contracts=50, point_value=point_value)
    notes = prop_firm(trades_of(tape, (1, 0, 1)), tape, execution, PropFirm(), SEED)["notes"]
    assert notes == ([] if micro else ["contracts=50 is above the firm's limit of 5; it would refuse the order"])


# ------------------------------------------------------------------------------------------- rule sets


@pytest.mark.parametrize("name", FIRMS)
def test_a_packaged_firm_is_dated_has_its_pages_and_can_be_chosen(name):
    rules = PropFirm(prop_firm=name).rules()
    assert rules == rule_set(name)
    assert rules.name == name
    assert date(2024, 1, 1) < date.fromisoformat(rules.known)
    assert all(source.startswith("https://") for source in rules.sources)
    assert rules.sources
    assert "check them against the firm's own" in rules.note


def test_the_packaged_firms_have_these_rules():
    topstep = {"drawdown_kind": "end_of_day", "lock_usd": 0, "min_days": 2, "consistency": 0.55}
    apex = {"drawdown_kind": "peak_equity", "lock_usd": 3_000, "consistency": None}
    expected = {
        "topstep-50k": topstep | {"account_usd": 50_000, "target_usd": 3_000, "drawdown_usd": 2_000, "contracts": 5},
        "topstep-100k": topstep | {"account_usd": 100_000, "target_usd": 6_000, "drawdown_usd": 3_000, "contracts": 10},
        "topstep-150k": topstep | {"account_usd": 150_000, "target_usd": 9_000, "drawdown_usd": 4_500, "contracts": 15},
        "apex-50k": apex
        | {"account_usd": 50_000, "target_usd": 3_000, "drawdown_usd": 2_000, "min_days": 1, "contracts": 6},
        "apex-50k-legacy": apex
        | {"account_usd": 50_000, "target_usd": 3_000, "drawdown_usd": 2_500, "min_days": 7, "contracts": 10},
    }
    of_all = {"daily_loss_usd": None, "daily_loss_breach": "day_over"}
    words = ("title", "known", "sources", "note")
    told = {name: {k: v for k, v in vars(rule_set(name)).items() if k not in words} for name in FIRMS}
    assert told == {name: {"name": name, **of_all, **rules} for name, rules in expected.items()}


def test_a_parameter_stands_in_place_of_a_rule():
    settings = PropFirm(prop_firm="topstep-50k", prop_daily_loss=1_000.0, prop_min_days=5)
    rules = settings.rules()
    assert (rules.daily_loss_usd, rules.daily_loss_breach, rules.min_days) == (1_000, "day_over", 5)
    assert (rules.target_usd, rules.lock_usd) == (3_000, 0)
    assert list(settings.given()) == ["prop_daily_loss", "prop_min_days"]


def test_every_rule_that_a_firm_may_lack_can_be_taken_away():
    settings = PropFirm(prop_lock=1_000_000, prop_daily_loss=0, prop_consistency=1, prop_contracts=0)
    rules = settings.rules()
    assert [rules.lock_usd, rules.daily_loss_usd, rules.consistency, rules.contracts] == [None] * 4


def test_every_rule_has_its_parameter():
    by_hand = {"name", "title", "known", "sources", "note"}
    rules = PropFirm(
        prop_account=1.0,
        prop_target=2.0,
        prop_drawdown=3.0,
        prop_drawdown_kind="peak_equity",
        prop_lock=4.0,
        prop_daily_loss=5.0,
        prop_daily_loss_breach="bust",
        prop_min_days=6,
        prop_consistency=0.7,
        prop_contracts=8,
    ).rules()
    changed = {f.name for f in fields(RuleSet) if getattr(rules, f.name) != getattr(rule_set("topstep-50k"), f.name)}
    assert changed == {f.name for f in fields(RuleSet)} - by_hand


def test_every_parameter_has_the_prefix():
    assert all(parameter.name.startswith("prop_") for parameter in declared(PropFirm))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prop_firm": "custom", "prop_drawdown": 5.0}, "^prop_target must be given with prop_firm=custom$"),
        ({"prop_firm": "custom", "prop_target": 5.0}, "^prop_drawdown must be given with prop_firm=custom$"),
        ({"prop_firm": "custom"}, "^prop_target and prop_drawdown must be given with prop_firm=custom$"),
        ({"prop_lock": -2_000.01}, "prop_lock must not be below -prop_drawdown"),
        ({"prop_consistency": 0.33333}, "prop_consistency must be a multiple of 0.0001, was 0.33333"),
        ({"prop_firm": "ftmo"}, "prop_firm must be one of none, custom, apex-50k, .* or a .toml file of your own"),
        ({"prop_drawdown_kind": "static"}, "prop_drawdown_kind must be one of end_of_day, peak_equity"),
    ],
)
def test_rules_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        PropFirm(**settings)


# ------------------------------------------------------------------------------------------------ text


def test_the_result_is_plain_data():
    found = jsonable(evaluated())
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_text_tells_rules_attempts_tables_and_drawn_dates():
    found = evaluated()
    text = "\n".join(lines(found))
    assert text.isascii()
    assert "floor                     $400.00 below the best balance at the end of a day, never locks" in text
    for attempt in found["attempts"]:
        assert f"{attempt['outcome']}: {attempt['reason']}" in text
    row = found["attempts"][-1]["days"][-1]
    assert f"    {row['session_date']}  {row['trades']:>8}" in text
    share = found["drawn"]["pass"]
    ends = " ".join(f"{share[low] * 100:.2f}% to {share[high] * 100:.2f}%" for low, high in INTERVALS)
    assert f"P(pass) {share['probability'] * 100:.2f}% {ends}" in " ".join(text.split())


def test_the_text_has_the_date_and_every_page_of_a_packaged_firm():
    found = prop_firm(np.zeros(0, TRADE), tape_of([100]), Execution(), PropFirm(prop_firm="apex-50k"), SEED)
    told = list(lines(found))
    assert "  known to hold on          2026-04-28; a firm changes its rules without notice" in told
    assert [line.split()[-1] for line in told if line.startswith("  source")] == list(rule_set("apex-50k").sources)


def test_the_text_shows_the_tables_of_the_last_attempts():
    dates = [[100, 90]] * (TABLES + 2)
    tape = tape_of_dates(*dates)
    trades = trades_of(tape, *((1, 2 * n, 2 * n + 1) for n in range(len(dates))))
    told = list(lines(prop_firm(trades, tape, Execution(), custom(10, 5), SEED)))
    assert f"  Day by day: the last {TABLES} of {TABLES + 2} attempts; the JSON holds all" in told
    assert [line for line in told if line.startswith("  Attempt ")] == [f"  Attempt {n}, bust" for n in (3, 4, 5)]


def test_what_is_undefined_is_not_available_in_the_text():
    tape = tape_of_dates([100], [101])
    found = prop_firm(np.zeros(0, TRADE), tape, Execution(), PropFirm(), SEED)
    told = (
        "    dates to pass, of the 0 paths that did: median n/a, 5% n/a, 95% n/a; "
        "mean n/a, 95% for the drawing n/a to n/a"
    )
    assert told in list(lines(found))
    assert told in list(lines(jsonable(found)))


def test_noon_is_where_the_dates_of_these_tests_begin():
    assert str(tape_of_dates([100]).sessions["date"][0]) == "2025-01-15"
    assert tape_of_dates([100]).ts[0] == NOON
