import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import naive_statistics
from support.tapes import NOON

from scalpr_zen import EmaCrossover, Execution, MonteCarlo, Tape, instrument, run
from scalpr_zen.sections.baseline import BY_DAY, BY_TRADE, baseline, daily_usd
from scalpr_zen.sections.measures import by_day

DAY = 86_400 * 10**9


def tape_of_days(prices, days, contracts, root="NQ"):
    """A tape of these prices in ticks: session dates in days after the first, contracts by name."""
    ts = [NOON + day * DAY + k for k, day in enumerate(days)]
    return Tape.from_prints(ts, prices, instrument=instrument(root), contract=contracts)


def beside(tape, execution, strategy_daily):
    """The baseline beside a strategy of which only its daily P&L is known."""
    figures = (
        dict.fromkeys((*BY_DAY, *BY_TRADE), math.nan)
        | {"net_usd": float(strategy_daily.sum())}
        | by_day(strategy_daily)
    )
    return baseline(tape, execution, strategy_daily, figures)


def naive_baseline(tape, tick_value):
    """naive_statistics.baseline of a tape; session dates without a print are none."""
    segments = list(zip(tape.segments["start"].tolist(), tape.segments["stop"].tolist(), strict=True))
    session_of = np.searchsorted(tape.sessions["stop"], np.arange(len(tape)), side="right").tolist()
    return naive_statistics.baseline(tape.price.tolist(), segments, session_of, len(tape.sessions), tick_value)


# The day of each print and its contract; the roll comes inside session date 1, after its fourth print.
WORKED = tape_of_days([100, 103, 102, 101, 200, 199, 204, 205], [0, 0, 1, 1, 1, 1, 4, 4], ["NQZ4"] * 4 + ["NQH5"] * 4)
# NQZ4 earns 103 - 100 = 3 on the first session date and 101 - 103 = -2 on the second; NQH5, bought at 200 there,
# earns 199 - 200 = -1 and on the third 205 - 199 = 6. At $5 a tick: 15, -15, 30. The gap of 99 is in none of it.
WORKED_DAILY = [15.0, -15.0, 30.0]
SHARPE = 10 / math.sqrt(1_050 / 2) * math.sqrt(252)  # mean 10, squares about it 25 + 625 + 400


def test_the_roll_gap_is_not_counted():
    got = beside(WORKED, Execution(), np.zeros(3))
    assert daily_usd(WORKED, 5.0).tolist() == WORKED_DAILY
    assert (got["net_usd"], got["max_drawdown_usd"]) == (30.0, 15.0)
    assert got["sharpe"] == pytest.approx(SHARPE, rel=1e-12)


def test_each_segment_has_its_contract_prices_and_profit():
    assert beside(WORKED, Execution(), np.zeros(3))["segments"] == [
        {"contract": "NQZ4", "prints": 4, "entry_price": 25.0, "exit_price": 25.25, "net_usd": 5.0},
        {"contract": "NQH5", "prints": 4, "entry_price": 50.0, "exit_price": 51.25, "net_usd": 25.0},
    ]


def test_each_figure_stands_beside_the_strategy_and_its_difference():
    # The strategy: -50, 0, 100: mean 16.67, squares 12500 - 3 * 16.67^2; equity -50, -50, 50 falls 50.
    got = beside(WORKED, Execution(), np.array([-50.0, 0.0, 100.0]))
    mean = 50 / 3
    sharpe = mean / math.sqrt((12_500 - 3 * mean**2) / 2) * math.sqrt(252)
    strategy = {"net_usd": 50.0, "sharpe": sharpe, "max_drawdown_usd": 50.0, "best_day_usd": 100.0}
    difference = {"net_usd": 20.0, "sharpe": sharpe - SHARPE, "max_drawdown_usd": 35.0, "best_day_usd": 70.0}
    assert {key: got["strategy"][key] for key in strategy} == pytest.approx(strategy, rel=1e-12)
    assert {key: got["difference"][key] for key in difference} == pytest.approx(difference, rel=1e-12)
    assert set(got["strategy"]) == set(got["difference"]) == {*BY_DAY, *BY_TRADE}


def test_each_segment_of_buy_and_hold_is_one_trade():
    # 5 + 25 and a third contract that loses 10: two wins, one loss.
    tape = tape_of_days([100, 101, 200, 205, 300, 298], [0, 0, 1, 1, 2, 2], ["Z"] * 2 + ["H"] * 2 + ["M"] * 2)
    got = beside(tape, Execution(), np.zeros(3))
    expected = {
        "trades": 3,
        "win_rate": 2 / 3,
        "profit_factor": 3.0,
        "expectancy_usd": 20 / 3,
        "average_win_usd": 15.0,
        "average_loss_usd": -10.0,
        "payoff": 1.5,
    }
    assert {key: got[key] for key in BY_TRADE} == pytest.approx(expected, rel=1e-12)
    assert (got["days_profitable"], got["best_day_usd"], got["worst_day_usd"]) == (2 / 3, 25.0, -10.0)


def test_an_empty_tape_has_no_baseline():
    got = beside(WORKED.cut(0), Execution(), np.zeros(0))
    assert (got["net_usd"], got["trades"], got["segments"]) == (0.0, 0, [])
    assert all(math.isnan(got[key]) for key in ("sharpe", "win_rate", "profit_factor", "best_day_usd"))


def test_it_holds_one_contract_without_costs_at_the_given_point_value():
    strategy = np.array([1.0, 2.0, 4.0])
    costly = Execution(contracts=7, commission=9.0, slippage_ticks=3)
    same = beside(WORKED, costly, strategy), beside(WORKED, Execution(), strategy)
    assert [str(got) for got in same] == [str(same[0])] * 2  # as text, because NaN differs from itself
    micro = beside(WORKED, Execution(point_value=2.0), strategy)
    assert (micro["net_usd"], micro["max_drawdown_usd"]) == (3.0, 1.5)
    assert [row["net_usd"] for row in micro["segments"]] == [0.5, 2.5]


def test_one_session_date_has_no_sharpe():
    got = beside(tape_of_days([100, 90, 95], [0] * 3, ["NQZ4"] * 3), Execution(), np.array([40.0]))
    assert math.isnan(got["sharpe"])
    assert math.isnan(got["difference"]["sharpe"])
    # The equity is marked once a session date: 0, then -25. The trough inside the session is not seen.
    assert (got["net_usd"], got["max_drawdown_usd"]) == (-25.0, 25.0)


def test_a_segment_of_one_print_earns_nothing():
    tape = tape_of_days([100, 300, 310], [0, 1, 1], ["NQZ4", "NQH5", "NQH5"])
    assert daily_usd(tape, 5.0).tolist() == [0.0, 50.0]


@st.composite
def tapes(draw):
    """A walk over session dates, some of them left out, with rolls anywhere, also inside a session date."""
    steps = draw(st.lists(st.tuples(st.integers(-9, 9), st.sampled_from([0, 0, 0, 1, 2, 5])), min_size=1, max_size=60))
    rolls = sorted(draw(st.sets(st.integers(1, len(steps)), max_size=4)))
    gaps = draw(st.lists(st.integers(-500, 500), min_size=len(rolls), max_size=len(rolls)))
    prices, days, contracts, price, day = [], [], [], 80_000, 0
    for k, (move, later) in enumerate(steps):
        price += move + (gaps[rolls.index(k)] if k in rolls else 0)
        day += later
        prices.append(price)
        days.append(day)
        contracts.append(f"NQ{sum(roll <= k for roll in rolls)}")
    return tape_of_days(prices, days, contracts, draw(st.sampled_from(["NQ", "ES", "ZN", "6J"])))


@given(tapes())
def test_random_tapes_with_rolls_give_what_the_naive_twin_finds(tape):
    tick_value = tape.instrument.tick_value
    got, expected = beside(tape, Execution(), np.zeros(len(tape.sessions))), naive_baseline(tape, tick_value)
    # Tick values are binary fractions: sums are exact, so equal.
    assert daily_usd(tape, tick_value).tolist() == expected["daily_usd"]
    assert (got["net_usd"], got["max_drawdown_usd"]) == (expected["pnl_usd"], expected["max_drawdown_usd"])
    assert [row["net_usd"] for row in got["segments"]] == expected["per_segment_usd"]
    # The package adds floats, naive adds fractions, under the root.
    assert got["sharpe"] == pytest.approx(expected["sharpe"], rel=1e-9, abs=1e-12, nan_ok=True)


@given(tapes(), st.integers(1, 500))
def test_whole_ticks_added_to_all_prices_change_no_dollar(tape, ticks):
    shifted = Tape.from_prints(
        tape.ts,
        tape.price + ticks,
        instrument=tape.instrument,
        contract=np.repeat(tape.segments["contract"], tape.segments["stop"] - tape.segments["start"]),
    )
    assert daily_usd(shifted, 5.0).tolist() == daily_usd(tape, 5.0).tolist()


def test_a_run_compares_with_its_own_daily_profit():
    result = run(WORKED, EmaCrossover(fast_period=1, slow_period=2), settings=MonteCarlo(monte_carlo_sims=0))
    assert result.to_dict()["baseline"]["strategy"]["net_usd"] == result.to_dict()["statistics"]["net_usd"]
    assert result.to_dict()["baseline"]["net_usd"] == 30.0
