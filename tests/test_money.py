import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.both import LONG
from support.market import market
from support.tapes import Given, signals_of, tape_of

from scalpr_zen import Bracket, EmaCrossover, Execution, MonteCarlo, ParameterError, PropFirm, SessionRules, run
from scalpr_zen.base.money import MOST, check_sum, micro, total
from scalpr_zen.sections.measures import by_trade, net
from scalpr_zen.sections.prop_firm.kernels import BUST, NEVER, PASS, SHARE_STEPS, Days, Rules, walk
from scalpr_zen.simulation.simulate import largest_result, simulate

FAST, BRACKET = EmaCrossover(fast_period=2, slow_period=5), Bracket(take_profit=2.0, stop_loss=1.0)
BIGGEST = Execution(contracts=10_000, point_value=1_000_000)
FEW = MonteCarlo(monte_carlo_sims=30, random_entry_sims=0)


@given(st.lists(st.integers(-(2**62), 2**62), max_size=50))
def test_a_sum_is_exact_where_64_bits_are_too_few(amounts):
    assert total(np.array(amounts, np.int64)) == sum(amounts)


def test_money_is_rounded_to_the_nearest_micro_dollar():
    assert micro(np.array([0.1 + 0.2 - 0.3, 4.54, -15.46, 1e-6, 6e-7, -4e-7])).tolist() == [
        0,
        4_540_000,
        -15_460_000,
        1,
        1,
        0,
    ]


def test_a_sum_beyond_what_can_be_counted_is_refused_with_what_to_lower():
    check_sum(MOST)
    with pytest.raises(ParameterError) as error:
        check_sum(MOST + 10**6)
    assert str(error.value) == (
        "sums of money in this run could reach $1,152,921,504,607; at most $1,152,921,504,606 can be counted "
        "exactly: lower contracts, point_value or commission"
    )


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"settings": MonteCarlo(monte_carlo_sims=0, random_entry_sims=0)},
        {"settings": MonteCarlo(monte_carlo_sims=5, random_entry_sims=5)},
        {"firm": PropFirm(prop_firm="none")},
        {"rules": SessionRules(loss_limit=100_000_000)},
        {"rules": SessionRules(profit_limit=0.01, limit_basis="equity")},
    ],
)
@pytest.mark.parametrize("execution", [BIGGEST, replace(BIGGEST, overlap=True, commission=1_000, slippage_ticks=1_000)])
def test_a_run_at_the_declared_bounds_is_refused_in_one_line(execution, more):
    if execution.overlap and "rules" in more:
        more = {"rules": SessionRules(sides="long")}
    with pytest.raises(ParameterError, match=r"^sums of money in this run could reach .*: lower contracts") as error:
        run(market(), FAST, BRACKET, execution, **more)
    assert "\n" not in str(error.value)


def largest_point_value(tape, bracket, execution, rules, settings, firm):
    """The largest USD of a point, a power of two, with which a run is not refused."""
    for power in range(40, -1, -1):
        value = 2.0**power
        if value > 1_000_000:
            continue
        try:
            made = run(tape, FAST, bracket, replace(execution, point_value=value), rules, settings=settings, firm=firm)
        except ParameterError:
            continue
        return value, made
    raise AssertionError("every point value is refused")


FAR = Bracket(take_profit=500.0, stop_loss=500.0)


@pytest.mark.parametrize(("bracket", "rules"), [(BRACKET, SessionRules()), (FAR, SessionRules(max_hold=100_000))])
@pytest.mark.parametrize("overlap", [False, True])
def test_the_largest_money_that_is_not_refused_is_counted_exactly(bracket, rules, overlap):
    # With twice the money a tick every sum doubles; that of the largest that is let through must be that many times the
    # sum of a dollar a point, in every section, which it would not be if one of them had overflowed.
    settings, firm = MonteCarlo(monte_carlo_sims=40, random_entry_sims=0), PropFirm(prop_days=1_000, prop_sims=20)
    execution = Execution(contracts=10_000, overlap=overlap)
    value, most = largest_point_value(market(), bracket, execution, rules, settings, firm)
    assert value < 1_000_000
    small = run(market(), FAST, bracket, replace(execution, point_value=1.0), rules, settings=settings, firm=firm)
    most, small = most.to_dict(), small.to_dict()
    assert most["trades_sha256"] != small["trades_sha256"]
    for key in ("net_usd", "max_drawdown_usd", "average_win_usd", "average_loss_usd", "best_day_usd", "worst_day_usd"):
        assert most["statistics"][key] == pytest.approx(value * small["statistics"][key], rel=1e-12, nan_ok=True), key
    for method in ("permutation", "days"):
        big, little = most["monte_carlo"][method], small["monte_carlo"][method]
        assert bool(big) == bool(little) == (method == "days" or small["statistics"]["trades"] > 1)
        if not little:  # one trade has one order
            continue
        for name in ("bands_usd", "drawdown_usd"):
            for p, amounts in little[name].items():
                assert big[name][p] == pytest.approx(np.multiply(value, amounts), rel=1e-12, abs=1e-3), (method, name)
        # Where all paths are alike there is one bin, else as many as there were.
        assert sum(big["drawdown_paths"]["paths"]) == 40
    if not overlap:
        days = [day for attempt in most["prop_firm"]["attempts"] for day in attempt["days"]]
        assert len(days) == most["tape"]["session_dates"]
        assert all(math.isfinite(day["net_usd"]) and abs(day["net_usd"]) <= MOST / 1e6 for day in days)


def test_the_bound_of_a_run_holds_its_longest_path():
    # 1,000 drawn dates that are all the worst one, and open equity at its far end: what the bound is made for.
    tape = market()
    made = run(tape, FAST, BRACKET, settings=FEW, firm=PropFirm(prop_days=1_000))
    by_day = np.abs(made.trades["net_usd"]).copy()
    worst = max(by_day[made.trades["session"] == k].sum() for k in range(len(tape.sessions)))
    largest = largest_result(tape, made.run.setup.execution, tape.session_range) / 1e6
    factor = MOST / 1e6 / (1_000 * (worst + 2 * largest))
    for scale, refused in ((factor * 0.999, False), (factor * 1.001, True)):
        execution = Execution(point_value=20 * scale / 10_000, contracts=10_000)
        if refused:
            with pytest.raises(ParameterError, match=r"^sums of money in this run could reach"):
                run(tape, FAST, BRACKET, execution, settings=FEW, firm=PropFirm(prop_days=1_000))
        else:
            run(tape, FAST, BRACKET, execution, settings=FEW, firm=PropFirm(prop_days=1_000))


@pytest.mark.parametrize("slippage_ticks", [0, 3])
@pytest.mark.parametrize("prices", [[100, 100, 140], [140, 140, 100]])
def test_no_trade_wins_or_loses_more_than_the_largest_result(prices, slippage_ticks):
    # Over the whole range of the tape, to a far target or a far stop, both ways.
    tape, execution = tape_of(prices), Execution(slippage_ticks=slippage_ticks, commission=2.5, contracts=2)
    bracket = Bracket(take_profit=(40 - slippage_ticks) / 4, stop_loss=(40 - slippage_ticks) / 4)
    for side in (LONG, -LONG):
        [trade] = simulate(tape, signals_of(tape, {0: side}), bracket, execution).trades
        assert abs(round(trade["net_usd"] * 1e6)) <= largest_result(tape, execution)


def test_the_range_of_a_session_holds_every_move_within_it_and_from_the_print_before():
    tape = market()
    prices = tape.price.astype(int)
    for session in tape.sessions:
        mine = prices[max(session["start"] - 1, 0) : session["stop"]]
        assert mine.max() - mine.min() <= tape.session_range <= tape.price_range == prices.max() - prices.min()
    assert (tape.cut(0).price_range, tape.cut(0).session_range) == (0, 0)


def test_limits_that_may_have_added_more_than_can_be_counted_are_refused_by_the_simulator_alone():
    # One trade wins 2**29 ticks of $2,500: $1.3 trillion; the limit is met, and the sum could not be counted.
    tape = tape_of([0, 0, 2**29, 2**29])
    signals, dear = signals_of(tape, {0: LONG}), Execution(point_value=10_000)
    with pytest.raises(ParameterError, match=r"^sums of money in this run could reach"):
        simulate(tape, signals, Bracket(), dear, SessionRules(profit_limit=100))
    [trade] = simulate(tape, signals, Bracket(), Execution(point_value=1_000), SessionRules(profit_limit=100)).trades
    assert trade["net_usd"] == 40 * 250.0


def test_trades_whose_sum_cannot_be_counted_are_refused_where_a_limit_adds_them():
    # Each of three wins $537 billion, which can be counted alone and not together.
    tape, dear = tape_of([0, 0, 2**29] * 3), Execution(point_value=4_000)
    signals, bracket = signals_of(tape, dict.fromkeys((0, 3, 6), LONG)), Bracket(take_profit=f"{2**29}t")
    assert len(simulate(tape, signals, bracket, dear, SessionRules()).trades) == 3
    with pytest.raises(ParameterError, match=r"^sums of money in this run could reach"):
        simulate(tape, signals, bracket, dear, SessionRules(loss_limit=100))
    # A void trade is not added: one that closed may stand beside it.
    tape = tape_of([0, 0, 2**29, 0, 0, 2**29 - 1, 0], contract=["H5"] * 6 + ["M5"])
    got = simulate(tape, signals_of(tape, {0: LONG, 3: LONG}), bracket, dear, SessionRules(loss_limit=100))
    assert (len(got.trades), len(got.unclosed)) == (1, 1)


def test_a_tick_of_less_than_a_micro_dollar_is_refused():
    tape = market()
    with pytest.raises(ParameterError) as error:
        run(tape, FAST, BRACKET, Execution(point_value=1e-6), settings=FEW)
    assert str(error.value) == "point_value must make a tick worth 0.000001 USD or more, was 2.5e-07 USD; raise it"
    values = run(tape, FAST, BRACKET, Execution(point_value=4e-6), settings=FEW).to_dict()["statistics"]
    assert (values["wins"] > 0, values["losses"] > 0) == (True, True)


def test_a_run_without_trades_at_the_bounds_is_refused_only_where_a_tick_does_not_fit():
    tape = tape_of([80_000] * 4)
    made = run(tape, Given(signals_of(tape, {})), Bracket(), BIGGEST, settings=FEW)
    assert made.to_dict()["statistics"]["trades"] == 0


amounts = st.integers(-MOST // 4, MOST // 4)


@given(st.lists(amounts, min_size=1, max_size=4), st.integers(1, SHARE_STEPS), st.integers(1, 10**9))
def test_the_best_day_is_compared_with_the_profit_exactly_whatever_they_are(totals, share, target):
    # Days without any path inside them; an account that nothing ends but its pass.
    count = len(totals)
    days = Days(
        total=np.array(totals),
        high=np.maximum(totals, 0),
        low=np.minimum(totals, 0),
        closed=np.ones(count, np.int64),
        filled=np.ones(count, np.int64),
        ended=np.zeros(count, np.int64),
        offset=np.arange(count + 1),
        highs=np.maximum(totals, 0),
        lows=np.minimum(totals, 0),
    )
    rules = Rules(1, 0, 0, False, NEVER, NEVER, NEVER, False, target, 0, share)
    outcome, used = walk(np.arange(count), days, rules, np.empty((0, 4), np.int64))
    assert outcome != BUST
    balances = np.cumsum(np.array(totals, object))
    expected = [
        n + 1
        for n, balance in enumerate(balances)
        if balance >= target and Fraction(max(0, *totals[: n + 1]), balance) <= Fraction(share, SHARE_STEPS)
    ]
    assert (outcome == PASS, used) == (bool(expected), expected[0] if expected else count)


@given(st.lists(st.tuples(st.integers(-(2**59), 2**59), st.integers(0, 2**20)), max_size=50))
def test_a_sum_counts_each_amount_as_often_as_it_is_asked_to(pairs):
    amounts, count = np.array(pairs, np.int64).reshape(-1, 2).T
    assert total(amounts, count) == sum(amount * times for amount, times in pairs)


@given(st.lists(st.tuples(st.integers(-400, 400), st.integers(1, 9)), min_size=1, max_size=30))
def test_results_with_counts_have_the_rates_of_the_results_written_out(pairs):
    ticks, count = np.array(pairs, np.int64).T
    x = ticks * 1.25 - 4.1
    assert repr(by_trade(x, count)) == repr(by_trade(np.repeat(x, count)))  # repr: exactly, and NaN equals itself
    assert net(x, count) == net(np.repeat(x, count))
