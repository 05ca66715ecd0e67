import itertools
import math
import re
from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st
from support import naive
from support.budget import examples
from support.market import market

from scalpr_zen import TRADE, Bracket, EmaCrossover, Execution, MonteCarlo, Tape, instrument, run
from scalpr_zen.render import report
from scalpr_zen.sections.statistics import STATISTICS, by_day, statistics
from scalpr_zen.simulation.kernel import STOP, TARGET

NQ = instrument("NQ")
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
NOON = 1_736_186_400 * SECOND  # Monday 2025-01-06, 12:00 in Chicago
COUNTS = {"trades", "wins", "losses", "scratches", "dates_traded", "net_usd", "gross_usd", "commission_usd"}
NO_COSTS = Execution()

# The rows that naive.statistics knows too. Its inputs are sums, maxima and counts, made in the same order, of
# numbers that a float holds exactly; so these must be equal to the last bit.
EXACT = [
    "trades",
    "wins",
    "losses",
    "scratches",
    "win_rate",
    "decided_win_rate",
    "profit_factor",
    "expectancy_usd",
    "session_dates",
    "dates_traded",
    "days_profitable",
    "max_drawdown_usd",
    "max_drawdown_sessions",
    "max_drawdown_days",
    "recovery_sessions",
    "recovery_days",
    "longest_win_streak",
    "longest_loss_streak",
    "average_win_usd",
    "average_loss_usd",
    "payoff",
    "best_day_usd",
    "worst_day_usd",
    "trades_a_day",
]
# These divide by roots of sums of squares: the package adds floats, naive adds fractions. A float loses 1e-12 of
# an amount of 10,000, which is 1e-10 of a deviation of a cent; 1e-9 leaves room for a sum of them.
CLOSE = ["win_rate_low", "win_rate_high", "break_even_rate", "t_statistic", "t_statistic_by_day", "sqn", "sortino"]
CLOSE += ["sharpe", "sharpe_error", "sharpe_low", "sharpe_high"]


def tape_of(sessions: int, days=None) -> Tape:
    """A tape of one print at noon of each of so many session dates, in a row or on these days after the first."""
    days = range(sessions) if days is None else days
    return Tape.from_prints([NOON + k * DAY for k in days], [80_000] * sessions, instrument=NQ, whole=True)


def trades_of(net, session=None, reason=None) -> np.ndarray:
    """Closed trades with these net USD, session dates and reasons; opened and closed at the session's print."""
    trades = np.zeros(len(net), TRADE)
    trades["net_usd"] = net
    trades["session"] = trades["entry"] = trades["exit"] = [0] * len(net) if session is None else session
    trades["entry_ts"] = trades["exit_ts"] = NOON + trades["session"].astype(np.int64) * DAY
    trades["reason"] = np.where(trades["net_usd"] < 0, STOP, TARGET) if reason is None else reason
    return trades


def figures(net, session=None, sessions=1, bracket=None, execution=NO_COSTS) -> dict:
    return statistics(trades_of(net, session), tape_of(sessions), bracket or Bracket(), execution)


def verdicts(values: dict) -> dict:
    return {row.key: row.verdict(values) for row in STATISTICS if row.target}


# ----------------------------------------------------------------------------------- every row, by hand

# Six trades on five session dates, two of them without a trade.
# x: 200 -100 | 0 200 | (none) | -100 -100 | (none); d: 100, 200, 0, -200, 0.
# mean x = 100 / 6; sum of x squared = 110000, less 6 * (100 / 6)^2 = 1666.67: 108333.33; sd = sqrt of a fifth.
# mean d = 20; squares about it: 6400 + 32400 + 400 + 48400 + 400 = 88000; sd = sqrt(22000).
# Equity 200, 100, 100, 300, 200, 100: falls 200 from session 1 to session 3 and does not recover.
# Wins of 200 and losses of 100 break even at a third; 2 of 5 decided trades won.
WORKED = [200.0, -100.0, 0.0, 200.0, -100.0, -100.0]
WORKED_SESSIONS = [0, 0, 1, 1, 3, 3]
SD_X, SD_D = math.sqrt((110_000 - 10_000 / 6) / 5), math.sqrt(88_000 / 4)
T_X, T_D = 100 / 6 / SD_X * math.sqrt(6), 20 / SD_D * math.sqrt(5)
ERROR = math.sqrt((1 + (20 / SD_D) ** 2 / 2) / 5 * 252)
Z = 1.959963984540054


def wilson(wins, n, sign):
    spread = Z * math.sqrt(wins * (n - wins) / n + Z**2 / 4)
    return (wins + Z**2 / 2 + sign * spread) / (n + Z**2)


HAND_WORKED = {
    "trades": 6,
    "wins": 2,
    "losses": 3,
    "scratches": 1,
    "net_usd": 100.0,
    "gross_usd": 0.0,  # no gross in this list: see the test of the costs
    "commission_usd": 0.0,
    "win_rate": 1 / 3,
    "win_rate_low": wilson(2, 6, -1),
    "win_rate_high": wilson(2, 6, +1),
    "decided_win_rate": 0.4,
    "break_even_rate": 1 / 3,
    "bracket_break_even_rate": 1 / 3,  # 20 ticks lost for 40 won
    "profit_factor": 400 / 300,
    "expectancy_usd": 100 / 6,
    "break_even_cost_usd": 0.0,
    "t_statistic": T_X,
    "p_value": 2 * scipy.stats.t.sf(T_X, 5),
    "t_statistic_by_day": T_D,
    "p_value_by_day": 2 * scipy.stats.t.sf(T_D, 4),
    "sqn": T_X,  # below 100 trades the same root
    "session_dates": 5,
    "dates_traded": 3,
    "days_profitable": 2 / 3,
    "sharpe": 20 / SD_D * math.sqrt(252),
    "sharpe_error": ERROR,
    "sharpe_low": 20 / SD_D * math.sqrt(252) - 1.959963984540054 * ERROR,
    "sharpe_high": 20 / SD_D * math.sqrt(252) + 1.959963984540054 * ERROR,
    "sortino": 20 / math.sqrt(40_000 / 5) * math.sqrt(252),
    "max_drawdown_usd": 200.0,
    "max_drawdown_sessions": 3,
    "max_drawdown_days": 3,
    "recovery_sessions": math.nan,
    "recovery_days": math.nan,
    "longest_win_streak": 1,
    "longest_loss_streak": 2,
    "average_win_usd": 200.0,
    "average_loss_usd": -100.0,
    "payoff": 2.0,
    "best_day_usd": 200.0,
    "worst_day_usd": -200.0,
    "trades_a_day": 1.2,
    "time_in_market": math.nan,  # sessions of one print last no time
    "median_hold_seconds": 0.0,
}


@pytest.mark.parametrize("key", [row.key for row in STATISTICS])
def test_each_row_of_the_table_as_worked_by_hand(key):
    got = figures(WORKED, WORKED_SESSIONS, 5)
    assert got[key] == pytest.approx(HAND_WORKED[key], rel=1e-12, nan_ok=True)


def test_the_table_holds_each_key_once_and_the_result_holds_no_other():
    keys = [row.key for row in STATISTICS]
    assert len(set(keys)) == len(keys)
    assert set(figures(WORKED, WORKED_SESSIONS, 5)) == {*keys, "months"} == {*HAND_WORKED, "months"}


def test_the_targets_are_those_of_the_definition():
    assert {row.key: row.target for row in STATISTICS if row.target} == {
        "decided_win_rate": "above break-even rate",
        "profit_factor": "> 1",
        "expectancy_usd": "> $0",
        "t_statistic": ">= 2.0",
        "p_value": "< 0.05, t > 0",
        "t_statistic_by_day": ">= 2.0",
        "p_value_by_day": "< 0.05, t > 0",
        "sqn": ">= 2.0",
        "days_profitable": ">= 50%",
    }


# -------------------------------------------------------------------------------- random, against naive

# Multiples of a quarter dollar: every sum of them is exact, in whatever order it is made.
quarters = st.integers(-40_000, 40_000).map(lambda k: k / 4)
few_values = st.sampled_from([-100.0, 0.0, 195.5])
lists = st.one_of(st.lists(quarters, min_size=1, max_size=60), st.lists(few_values, min_size=1, max_size=300))


@st.composite
def random_trades(draw):
    net = draw(lists)
    sessions = draw(st.integers(1, 40))
    drawn = st.lists(st.integers(0, sessions - 1), min_size=len(net), max_size=len(net))
    return net, sorted(draw(drawn)), sessions


@examples(150)
@given(random_trades())
def test_random_trades_give_what_the_naive_twin_finds(case):
    got, expected = figures(*case), naive.statistics(*case)
    assert {*EXACT, *CLOSE} == set(expected)
    for key in EXACT:
        assert got[key] == expected[key] or (math.isnan(got[key]) and math.isnan(expected[key])), key
    for key in CLOSE:
        assert got[key] == pytest.approx(expected[key], rel=1e-9, abs=1e-12, nan_ok=True), key
    assert got["net_usd"] == sum(case[0])


@examples(150)
@given(st.lists(st.integers(-100_000, 100_000).map(lambda k: k / 100), min_size=2, max_size=60))
def test_money_in_cents_gives_what_the_naive_twin_finds(net):
    # A cent is no binary fraction: sums depend on their order in the last bits. One trade a session date, or a
    # day's sum could round to a deviation where there is none.
    case = (net, list(range(len(net))), len(net))
    got, expected = figures(*case), naive.statistics(*case)
    for key in (*EXACT, *CLOSE):
        # Cancelling leaves 1e-12 of the largest amount, 1e3, in a mean; a root of squares 1e-9 as above.
        assert got[key] == pytest.approx(expected[key], rel=1e-9, abs=1e-9, nan_ok=True), key
    assert got["max_drawdown_usd"] == expected["max_drawdown_usd"]  # summed in one order only


@examples(100)
@given(random_trades())
def test_months_are_the_statistics_of_their_own_trades(case):
    net, session, sessions = case
    got = figures(*case)["months"]
    days = [date(2025, 1, 6) + timedelta(days=k) for k in range(sessions)]
    for row in got:
        own = [x for x, s in zip(net, session, strict=True) if f"{days[s]:%Y-%m}" == row["month"]]
        alone = naive.statistics(own, [0] * len(own), 1)
        assert row["session_dates"] == sum(f"{day:%Y-%m}" == row["month"] for day in days)
        assert (row["trades"], row["net_usd"]) == (len(own), sum(own))
        assert row["max_drawdown_usd"] == alone["max_drawdown_usd"]
        assert row["win_rate"] == pytest.approx(alone["win_rate"], rel=1e-15, nan_ok=True)
    assert [row["month"] for row in got] == sorted({f"{day:%Y-%m}" for day in days})
    assert sum(row["net_usd"] for row in got) == sum(net)


# ------------------------------------------------------------------------------------------ golden values


@examples(100)
@given(st.lists(quarters, min_size=2, max_size=80))
def test_t_and_p_are_those_of_scipy(net):
    assume(min(net) != max(net))
    got = figures(net, list(range(len(net))), len(net))
    expected = scipy.stats.ttest_1samp(net, 0.0)
    # 1e-9: two float sums of squares, as above; p turns an error of t into one of about n * t as much.
    assert got["t_statistic"] == pytest.approx(expected.statistic, rel=1e-9, abs=1e-15)
    assert got["p_value"] == pytest.approx(expected.pvalue, rel=1e-7, abs=1e-300)
    assert (got["t_statistic_by_day"], got["p_value_by_day"]) == (got["t_statistic"], got["p_value"])


@pytest.mark.parametrize("n", [1, 2, 3, 10, 97, 1_000, 196_305])
def test_the_interval_of_the_win_rate_is_wilson_s(n):
    for wins in sorted({0, 1, n // 3, n // 2, n - 1, n}):
        got = figures([100.0] * wins + [-50.0] * (n - wins))
        expected = scipy.stats.binomtest(wins, n).proportion_ci(method="wilson")
        assert (got["win_rate_low"], got["win_rate_high"]) == pytest.approx(tuple(expected), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("won", [True, False])
def test_the_interval_holds_the_win_rate_and_never_leaves_0_to_1(won):
    # Rounding must not print a low end of -0.00%.
    for n in range(1, 300):
        got = figures([100.0 if won else -100.0] * n)
        assert 0 <= got["win_rate_low"] <= got["win_rate"] <= got["win_rate_high"] <= 1, n


# ---------------------------------------------------------------------------------- break-even and costs


@pytest.mark.parametrize(
    ("bracket", "execution", "expected"),
    [
        # NQ: a point is 4 ticks of $5. Win W, loss L, rate L / (W + L).
        ((10.0, 5.0), {}, 100 / 300),
        ((5.0, 5.0), {}, 1 / 2),
        ((10.0, 5.0), {"commission": 2.5}, 105 / (195 + 105)),
        ((10.0, 5.0), {"slippage_ticks": 1}, 105 / (200 + 105)),  # the stop slips, the limit does not
        ((10.0, 5.0), {"slippage_ticks": 2, "commission": 2.5}, 115 / (195 + 115)),
        ((10.0, 5.0), {"contracts": 3, "commission": 2.5}, 105 / 300),  # the same for each contract
        ((10.0, 5.0), {"point_value": 2.0, "commission": 1.0}, 12 / (18 + 12)),
        ((1.0, 5.0), {"commission": 15.0}, 130 / (-10 + 130)),  # a win that costs eat: above 100%
    ],
)
def test_the_break_even_rate_of_bracket_and_costs(bracket, execution, expected):
    take_profit, stop_loss = bracket
    chosen = Bracket(take_profit=take_profit, stop_loss=stop_loss)
    got = figures([1.0], bracket=chosen, execution=Execution(**execution))
    assert got["bracket_break_even_rate"] == pytest.approx(expected, rel=1e-12)
    assert not next(row for row in STATISTICS if row.key == "bracket_break_even_rate").target


@pytest.mark.parametrize("moves", [{"trailing_stop": 5.0}, {"break_even_at": 2.0}])
def test_a_stop_that_moves_has_no_break_even_rate_of_its_bracket(moves):
    assert math.isnan(figures([100.0, -50.0], bracket=Bracket(**moves))["bracket_break_even_rate"])


def test_winning_at_the_break_even_rate_earns_nothing():
    # 105 of 300 trades win $195 net, 195 lose $105: what the rate of 35% promises.
    execution = Execution(commission=2.5)
    got = figures([195.0] * 105 + [-105.0] * 195, execution=execution)
    assert got["net_usd"] == 0
    assert (
        got["win_rate"] == got["decided_win_rate"] == got["break_even_rate"] == got["bracket_break_even_rate"] == 0.35
    )
    assert {verdicts(got)[key] for key in COMPARED} == {"FAIL"}


# Each compares what was won with what was lost, so that no two of them may ever disagree.
COMPARED = ("decided_win_rate", "profit_factor", "expectancy_usd")


def check_the_verdicts_agree(net):
    got = figures(net)
    earned = sum(Fraction(round(x * 1_000_000)) for x in net)
    own = {key: verdicts(got)[key] for key in COMPARED}
    assert own["expectancy_usd"] == ("PASS" if earned > 0 else "FAIL")
    assert set(own.values()) <= {own["expectancy_usd"], "n/a"}
    if got["wins"] and got["losses"]:
        assert set(own.values()) == {own["expectancy_usd"]}
        # The printed numbers agree with the verdict too: equal at most, where they differ by less than a float shows.
        assert (got["decided_win_rate"] > got["break_even_rate"]) <= (earned > 0)
        assert (got["decided_win_rate"] < got["break_even_rate"]) <= (earned < 0)
        assert (got["profit_factor"] > 1) <= (earned > 0)
        assert (got["profit_factor"] < 1) <= (earned < 0)
    return own


cents = st.integers(-100_000, 100_000).map(lambda k: k / 100)
# What floats add up worst: amounts that are no binary fractions, far apart in size, a micro-dollar beside a million.
awkward = st.sampled_from([0.1, 0.2, -0.3, 0.7, -0.1, 1e6, -1e6, 1e-6, -1e-6, 1e-9, -1e-9, 0.0, 4.54, -15.46, 1 / 3])
awkward_lists = st.lists(awkward, min_size=1, max_size=80).flatmap(st.permutations)
mirrored = st.lists(cents, min_size=1, max_size=40).map(lambda net: [*net, *(-x for x in net)])


@examples(300)
@given(st.one_of(awkward_lists, mirrored, st.lists(cents, min_size=1, max_size=60)))
def test_the_win_rate_the_profit_factor_and_the_expectancy_never_contradict_each_other(net):
    check_the_verdicts_agree(net)


def test_scratches_are_no_losses_to_the_verdict_of_the_win_rate():
    # As a stop at break-even makes them: 2 wins of $300 and 3 losses of $100 among 10 trades. 20% of all trades win and
    # 40% of those that did not end at zero; $100 lost for $300 won break even at 25%.
    got = figures([300.0, -100.0, 0.0, 0.0, -100.0, 0.0, 300.0, 0.0, -100.0, 0.0])
    assert (got["win_rate"], got["decided_win_rate"], got["break_even_rate"]) == (0.2, 0.4, 0.25)
    assert verdicts(got)["decided_win_rate"] == "PASS"
    assert got["win_rate_low"] == pytest.approx(wilson(2, 10, -1))  # the interval is that of the win rate


def test_stops_that_gap_fail_the_win_rate_though_it_is_above_that_of_the_bracket():
    # A bracket of $20 for $10 breaks even at a third; real stops lost $30, and 46% of wins are not enough.
    bracket = Bracket(take_profit=1.0, stop_loss=0.5)
    got = figures([20.0] * 46 + [-30.0] * 54, bracket=bracket)
    assert got["bracket_break_even_rate"] == pytest.approx(1 / 3)
    assert (got["decided_win_rate"], got["break_even_rate"]) == (0.46, 0.6)
    assert check_the_verdicts_agree([20.0] * 46 + [-30.0] * 54)["decided_win_rate"] == "FAIL"


@pytest.mark.parametrize(
    ("net", "expected"),
    [
        ([-5.0, 0.0], {"decided_win_rate": "FAIL", "profit_factor": "FAIL", "expectancy_usd": "FAIL"}),  # no win
        ([5.0, 0.0], {"decided_win_rate": "PASS", "profit_factor": "n/a", "expectancy_usd": "PASS"}),  # no loss
        ([0.0, 0.0], {"decided_win_rate": "n/a", "profit_factor": "n/a", "expectancy_usd": "FAIL"}),  # scratches alone
        # 0.1 + 0.2 - 0.3 is 5.6e-17 in floats and nothing in money.
        ([0.1, 0.2, -0.3], {"decided_win_rate": "FAIL", "profit_factor": "FAIL", "expectancy_usd": "FAIL"}),
        # A micro-dollar beside $100 billion, which a float drops.
        ([1e11, 1e-6, -1e11], {"decided_win_rate": "PASS", "profit_factor": "PASS", "expectancy_usd": "PASS"}),
    ],
)
def test_verdicts_at_the_edges_of_winning(net, expected):
    got = figures(net)
    assert {key: verdicts(got)[key] for key in COMPARED} == expected
    assert math.isnan(got["break_even_rate"]) == (not (got["wins"] and got["losses"]))


def test_a_commission_of_just_the_gain_makes_a_scratch():
    # 3 ticks of $0.1 are 0.30000000000000004 in floats, the commission of two sides 0.3.
    got = figures([3 * 0.1 - 0.3])
    assert (got["wins"], got["scratches"], got["win_rate"], got["net_usd"]) == (0, 1, 0.0, 0.0)


def test_costs_are_told_apart():
    # Two contracts of $5 a tick, one tick of slippage. The target won 40 ticks after one slip (the entry), the
    # stop lost 22 after two (entry and exit). Before all costs: +41 and -20 ticks, 21 * $10 / 2 a trade.
    trades = trades_of([391.0, -229.0], reason=[TARGET, STOP])
    trades["gross_ticks"] = [40, -22]
    execution = Execution(contracts=2, slippage_ticks=1, commission=2.25)
    got = statistics(trades, tape_of(1), Bracket(), execution)
    assert (got["net_usd"], got["gross_usd"], got["commission_usd"]) == (162.0, 180.0, 18.0)
    assert got["break_even_cost_usd"] == 105.0


def test_the_break_even_cost_is_what_costs_may_eat():
    # Cost-free, the example earns $13 a trade; paid as commission (two sides) that much leaves nothing.
    trades = trades_of([100.0, -74.0])
    trades["gross_ticks"] = [20, -15]
    free = statistics(trades, tape_of(1), Bracket(), Execution())
    assert free["break_even_cost_usd"] == 12.5
    trades["net_usd"] = trades["gross_ticks"] * 5.0 - 2 * 6.25
    paid = statistics(trades, tape_of(1), Bracket(), Execution(commission=6.25))
    assert (paid["expectancy_usd"], paid["break_even_cost_usd"]) == (0.0, 12.5)


# ---------------------------------------------------------------------------------- days, times, drawdown


def test_who_trades_on_mondays_alone_and_wins_each_of_them_has_100_percent_of_profitable_days():
    got = figures([100.0, 50.0, 20.0, 80.0], [0, 5, 5, 10], 20)
    assert (got["session_dates"], got["dates_traded"], got["days_profitable"]) == (20, 3, 1.0)
    assert verdicts(got)["days_profitable"] == "PASS"


def test_a_date_whose_trades_come_to_nothing_was_traded_and_is_not_profitable():
    # The two trades of session 1 cancel, in cents, which floats do not.
    got = figures([5.0, 0.1, 0.2, -0.3, -1.0], [0, 1, 1, 1, 3], 9)
    assert (got["dates_traded"], got["days_profitable"]) == (3, 1 / 3)


def test_session_dates_without_trades_count():
    # The same two trades on 2 and on 8 session dates: mean d falls to a quarter, and 6 days earned nothing.
    short, long = figures([300.0, -100.0], [0, 1], 2), figures([300.0, -100.0], [0, 1], 8)
    assert short["days_profitable"] == long["days_profitable"] == 1 / 2  # those are dates with a trade
    assert (short["trades_a_day"], long["trades_a_day"]) == (1.0, 0.25)
    # d: 300, -100 and six zeros: mean 25, squares 100000 - 8 * 625 = 95000; downside sqrt(10000 / 8).
    assert long["sharpe"] == pytest.approx(25 / math.sqrt(95_000 / 7) * math.sqrt(252), rel=1e-12)
    assert long["sortino"] == pytest.approx(25 / math.sqrt(1_250) * math.sqrt(252), rel=1e-12)


def test_the_market_s_clock_stands_still_between_sessions():
    # Two sessions of 100 s. One trade holds 20 s to 50 s of the first; one opens at 90 s and closes 10 s into
    # the second, a day later: 30 + 20 of 200 seconds.
    ts = [NOON + s * SECOND for s in (0, 20, 50, 90, 100)] + [NOON + DAY + s * SECOND for s in (0, 10, 100)]
    tape = Tape.from_prints(ts, [80_000] * 8, instrument=NQ, whole=True)
    trades = trades_of([1.0, 1.0], [0, 1])
    trades["entry"], trades["exit"] = [1, 3], [2, 6]
    trades["entry_ts"], trades["exit_ts"] = tape.ts[trades["entry"]], tape.ts[trades["exit"]]
    got = statistics(trades, tape, Bracket(), Execution())
    assert got["time_in_market"] == 0.25
    assert got["median_hold_seconds"] == (30 + 86_400 - 80) / 2  # on the wall's clock


def clustered(rng, days):
    """Normal days whose variance follows the days before (GARCH 0.10, 0.88), about 1 on average."""
    variance, made = 1.0, []
    for z in rng.standard_normal(days):
        made.append(math.sqrt(variance) * z)
        variance = 0.02 + 0.10 * made[-1] ** 2 + 0.88 * variance
    return np.array(made)


@pytest.mark.parametrize("days_of", [lambda rng, days: rng.standard_normal(days), clustered])
@pytest.mark.parametrize("mean", [0.0, 0.2])
def test_the_interval_of_the_sharpe_holds_the_true_one_in_19_of_20_tapes(days_of, mean):
    # 600 tapes: the sd of a share of 95% is 0.9%, and clustered volatility may cost 2%.
    rng, true, held = np.random.default_rng(11), mean * math.sqrt(252), 0
    for _ in range(600):
        got = by_day(1_000 * (days_of(rng, 80) + mean))
        held += got["sharpe_low"] <= true <= got["sharpe_high"]
    assert held / 600 == pytest.approx(0.95, abs=0.04)


NONE = math.nan


@pytest.mark.parametrize(
    ("net", "session", "fall", "trough", "recovery"),
    [
        ([100.0, 50.0], [0, 1], 0.0, 0, 0),  # never falls
        ([-50.0], [3], 50.0, 1, NONE),  # from the start, which is the session date of the first trade
        ([-50.0, -50.0], [6, 7], 100.0, 2, NONE),
        ([-50.0, 50.0], [6, 7], 50.0, 1, 2),  # back at the start is recovered
        ([-50.0, 49.0], [6, 7], 50.0, 1, NONE),
        ([0.0, -50.0], [1, 3], 50.0, 3, NONE),  # the scratch on session 1 is the latest of equal peaks
        ([100.0, -30.0, -30.0], [1, 1, 1], 60.0, 1, NONE),  # within one session date
        ([100.0, -30.0, 30.0], [1, 1, 1], 30.0, 1, 1),
        ([100.0, -50.0, 50.0, -100.0], [0, 1, 2, 3], 100.0, 2, NONE),  # from the latest of two equal peaks
        ([-50.0, 150.0, -50.0], [1, 3, 7], 50.0, 1, 3),  # the first of two equal falls
        ([100.0, -100.0, -100.0], [2, 3, 4], 200.0, 3, NONE),
        ([50.0, -50.0, 0.0, -20.0], [0, 1, 2, 3], 70.0, 4, NONE),
        ([-20.0, 20.0, -60.0], [1, 2, 4], 60.0, 3, NONE),  # back at 0, the start's level: the later one is the peak
        ([80.0, -60.0, 20.0, 20.0, 30.0, 5.0], [0, 2, 3, 4, 6, 7], 60.0, 3, 7),  # above the peak on session 6
        ([0.3, -0.2, -0.1, 0.1, 0.2], [0, 1, 2, 3, 4], 0.3, 3, 5),  # in floats it ends below its peak
    ],
)
def test_max_drawdown_from_peak_to_trough_and_to_recovery(net, session, fall, trough, recovery):
    # The days of the calendar: three apart, so that as many session dates as k count 3 * (k - 1) + 1 days.
    tape = tape_of(8, [3 * k for k in range(8)])
    got = statistics(trades_of(net, session), tape, Bracket(), NO_COSTS)
    assert got["max_drawdown_usd"] == fall
    assert [got["max_drawdown_sessions"], got["recovery_sessions"]] == pytest.approx([trough, recovery], nan_ok=True)
    days = [3 * (length - 1) + 1 if length else 0 for length in (trough, recovery)]
    assert [got["max_drawdown_days"], got["recovery_days"]] == pytest.approx(days, nan_ok=True)


@examples(150)
@given(random_trades(), st.data())
def test_the_lengths_of_the_drawdown_are_those_of_the_naive_twin_on_any_calendar(case, data):
    net, session, sessions = case
    gaps = data.draw(st.lists(st.integers(1, 5), min_size=sessions, max_size=sessions))
    days = list(itertools.accumulate(gaps))
    got = statistics(trades_of(net, session), tape_of(sessions, days), Bracket(), NO_COSTS)
    expected = naive.statistics(net, session, sessions, days)
    for key in ("max_drawdown_sessions", "max_drawdown_days", "recovery_sessions", "recovery_days"):
        assert got[key] == pytest.approx(expected[key], nan_ok=True), key


@pytest.mark.parametrize(
    ("net", "wins", "losses"),
    [
        ([1.0, 1.0, 1.0], 3, 0),
        ([-1.0, 0.0, -1.0, -1.0], 0, 2),  # a scratch ends a streak
        ([1.0, -1.0, 1.0, 1.0, -1.0, -1.0, -1.0, 1.0], 2, 3),
        ([0.0], 0, 0),
    ],
)
def test_streaks(net, wins, losses):
    got = figures(net)
    assert (got["longest_win_streak"], got["longest_loss_streak"]) == (wins, losses)


def test_the_sqn_is_capped_at_a_hundred_trades():
    for n, factor in ((100, 1.0), (101, math.sqrt(100 / 101)), (400, 0.5)):
        got = figures([3.0, -1.0] * (n // 2) + [3.0] * (n % 2))
        assert got["sqn"] == pytest.approx(got["t_statistic"] * factor, rel=1e-12)


# ------------------------------------------------------------------------------------------- undefined


@pytest.mark.parametrize("value", [0.1, 195.5, -4.2, 1 / 3, 1e-9])
@pytest.mark.parametrize("n", [2, 3, 10, 77])
def test_equal_trades_have_no_deviation_and_no_t(value, n):
    # numpy's own sd of 10 times 0.1 is 1.4e-17, which would make a t of 2e16.
    got = figures([value] * n, list(range(n)), n)
    undefined = ("t_statistic", "p_value", "t_statistic_by_day", "p_value_by_day", "sqn", "sharpe")
    assert all(math.isnan(got[key]) for key in undefined)
    assert {verdicts(got)[key] for key in undefined[:5]} == {"n/a"}


def test_without_losses_there_is_no_profit_factor_and_no_payoff():
    got = figures([100.0, 50.0])
    undefined = ("profit_factor", "payoff", "average_loss_usd", "sortino")
    assert all(math.isnan(got[key]) for key in undefined)
    assert verdicts(got)["profit_factor"] == "n/a"
    lost = figures([-100.0, -50.0])
    assert (lost["profit_factor"], lost["win_rate"]) == (0.0, 0.0)
    assert math.isnan(lost["payoff"])


def test_one_trade_has_no_t():
    got = figures([100.0], [0], 3)
    assert all(math.isnan(got[key]) for key in ("t_statistic", "p_value", "sqn"))
    # By day there are three values, 100, 0, 0: mean 33.3, sd 57.7, t exactly 1.
    assert got["t_statistic_by_day"] == pytest.approx(1.0, rel=1e-12)


def test_without_trades_all_but_counts_sums_and_the_rate_of_the_bracket_is_undefined():
    got = figures([], [], 3)
    assert {key: got[key] for key in COUNTS} == dict.fromkeys(COUNTS, 0)
    assert (got["bracket_break_even_rate"], got["session_dates"]) == (pytest.approx(1 / 3), 3)
    rest = {row.key for row in STATISTICS} - COUNTS - {"bracket_break_even_rate", "session_dates"}
    assert {key for key in rest if math.isnan(got[key])} == rest
    assert set(verdicts(got).values()) == {"n/a"}
    [month] = got["months"]
    assert (month["trades"], month["session_dates"], month["net_usd"]) == (0, 3, 0.0)
    assert math.isnan(month["win_rate"])


# -------------------------------------------------------------------------------------------- verdicts


def test_verdicts_of_a_good_and_of_a_bad_list():
    good = figures([200.0, 190.0, -100.0] * 40, [k // 7 for k in range(120)], 20)
    bad = figures([-200.0, -190.0, 100.0] * 40, [k // 7 for k in range(120)], 20)
    assert set(verdicts(good).values()) == {"PASS"}
    assert set(verdicts(bad).values()) == {"FAIL"}


def test_a_small_p_of_a_loss_fails():
    got = figures([-100.0, -101.0] * 20, [k // 2 for k in range(40)], 20)
    assert got["p_value"] < 1e-30
    assert verdicts(got)["p_value"] == "FAIL"
    mixed = figures([-100.0, -101.0] * 20, [k // 4 for k in range(40)], 12)
    assert mixed["p_value_by_day"] < 0.05
    assert verdicts(mixed)["p_value_by_day"] == "FAIL"


@pytest.mark.parametrize(
    ("key", "at_target", "beyond", "below"),
    [
        ("expectancy_usd", "FAIL", "PASS", "FAIL"),  # above, not at
        ("t_statistic", "PASS", "PASS", "FAIL"),  # at least
        ("t_statistic_by_day", "PASS", "PASS", "FAIL"),
        ("sqn", "PASS", "PASS", "FAIL"),
        ("days_profitable", "PASS", "PASS", "FAIL"),
    ],
)
def test_verdicts_at_their_target(key, at_target, beyond, below):
    targets = {"expectancy_usd": 0.0, "days_profitable": 0.5}
    target = targets.get(key, 2.0)
    row = next(row for row in STATISTICS if row.key == key)
    assert row.verdict({key: target}) == at_target
    assert row.verdict({key: target + 1e-9}) == beyond
    assert row.verdict({key: target - 1e-9}) == below
    assert row.verdict({key: math.nan}) == "n/a"


@pytest.mark.parametrize(("p", "t", "expected"), [(0.0499, 2.1, "PASS"), (0.05, 2.0, "FAIL"), (0.0499, -2.1, "FAIL")])
@pytest.mark.parametrize("by_day", ["", "_by_day"])
def test_verdict_of_the_p_values(p, t, expected, by_day):
    row = next(row for row in STATISTICS if row.key == f"p_value{by_day}")
    assert row.verdict({f"p_value{by_day}": p, f"t_statistic{by_day}": t}) == expected


def test_a_row_without_a_target_has_no_verdict():
    assert {row.verdict({}) for row in STATISTICS if not row.target} == {""}


# --------------------------------------------------------------------------------- the report, recomputed


class Span:
    """What a printed number may have been before it was rounded: an interval, and its arithmetic."""

    def __init__(self, low, high=None):
        self.low, self.high = low, low if high is None else high

    @classmethod
    def printed(cls, text):
        """Read `-$1,234.50`, `33.33%`, `1.017`, `12` or `1.2e-05`, half a unit of the last digit either way."""
        digits = re.sub(r"[$,%]", "", text)
        mantissa, _, exponent = digits.partition("e")
        decimals = len(mantissa.partition(".")[2]) - int(exponent or 0)
        exact = "." not in digits and "e" not in digits
        half = 0.0 if exact else 0.5 * 10.0**-decimals
        scale = 0.01 if "%" in text else 1.0
        return cls((float(digits) - half) * scale, (float(digits) + half) * scale)

    def _over(self, other, operation):
        other = other if isinstance(other, Span) else Span(other)
        ends = [operation(a, b) for a in (self.low, self.high) for b in (other.low, other.high)]
        return Span(min(ends), max(ends))

    def __add__(self, other):
        return self._over(other, lambda a, b: a + b)

    def __sub__(self, other):
        return self._over(other, lambda a, b: a - b)

    def __mul__(self, other):
        return self._over(other, lambda a, b: a * b)

    def __truediv__(self, other):
        return self._over(other, lambda a, b: a / b)

    def __abs__(self):
        ends = abs(self.low), abs(self.high)
        return Span(0.0 if self.low < 0 < self.high else min(ends), max(ends))

    def __eq__(self, other):
        """Whether one number can be both."""
        other = other if isinstance(other, Span) else Span(other)
        slack = 1e-9 * max(1.0, abs(self.high), abs(other.high))
        return self.low - slack <= other.high and other.low - slack <= self.high

    __hash__ = None

    def __repr__(self):
        return f"[{self.low!r}, {self.high!r}]"


def total(spans):
    return sum(spans, Span(0.0))


def section(text, title):
    """The lines of a section of the report."""
    lines = text.split("\n")
    start = next(k for k, line in enumerate(lines) if line.startswith(title))
    rest = lines[start + 2 :]
    return rest[: rest.index("")] if "" in rest else rest


def printed_statistics(text):
    cells = [re.split(r"\s{2,}", line.strip()) for line in section(text, "STATISTICS")]
    return {row[0]: row[1].split(" ")[0] for row in cells}


def check_statistics(text):
    """Recompute each printed row of the statistics table from the printed rows it is made of."""
    shown = printed_statistics(text)
    assert [row.label for row in STATISTICS] == list(shown)
    have = {label: Span.printed(value) for label, value in shown.items() if value not in ("n/a", "not")}
    n, wins, losses = have["Trades"], have["Wins"], have["Losses"]
    days = total(Span.printed(row[1]) for row in printed_months(text))
    assert wins + losses + have["Scratches"] == n
    assert have["Gross P&L"] - have["Commission"] == have["Net P&L"]
    won, lost = wins * have["Average win"], losses * abs(have["Average loss"])
    assert won - lost == have["Net P&L"]
    assert won / lost == have["Profit factor"]
    assert have["Average win"] / abs(have["Average loss"]) == have["Payoff"]
    assert wins / n == have["Win rate"]
    assert wins / (wins + losses) == have["Win rate of decided trades"]
    win, loss = have["Average win"], abs(have["Average loss"])
    assert loss / (win + loss) == have["Break-even rate"]
    count, of = have["Wins"].low, have["Trades"].low
    assert Span(wilson(count, of, -1)) == have["Win rate, 95% low"]
    assert Span(wilson(count, of, +1)) == have["Win rate, 95% high"]
    assert have["Net P&L"] / n == have["Expectancy"]
    assert n / days == have["Trades a day"]
    assert have["t-statistic"] * math.sqrt(min(of, 100) / of) == have["SQN"]
    assert p_of(have["t-statistic"], of) == have["p-value"]
    assert have["Sharpe"] * math.sqrt(days.low / 252) == have["t-statistic by day"]
    assert p_of(have["t-statistic by day"], days.low) == have["p-value by day"]
    assert days == have["Session dates"]
    day = have["Sharpe"] * (1 / math.sqrt(252))
    assert (
        abs(Span(1) + day * day * 0.5) * (252 / days.low)
        == have["Sharpe, standard error"] * have["Sharpe, standard error"]
    )
    for end, sign in (("low", -Z), ("high", Z)):
        assert have["Sharpe"] + have["Sharpe, standard error"] * sign == have[f"Sharpe, 95% {end}"]
    assert have["Best day"].high * days.low >= have["Net P&L"].low >= have["Worst day"].low * days.low
    return have


def p_of(t, n):
    """Two-sided p of a span of t; never below what a report can print of it."""
    ends = [float(2 * scipy.stats.t.sf(x, n - 1)) for x in (abs(t).low, abs(t).high)]
    return Span(min(ends), max(ends))


def printed_months(text):
    return [re.split(r"\s{2,}", line.strip()) for line in section(text, "MONTHS")[1:]]


def check_months(text, have):
    months = printed_months(text)
    assert total(Span.printed(row[2]) for row in months) == have["Trades"]
    assert total(Span.printed(row[4]) for row in months) == have["Net P&L"]
    won = total(Span.printed(row[2]) * Span.printed(row[3]) for row in months if row[3] != "n/a")
    assert won == have["Wins"]
    assert all(Span.printed(row[5]).low <= have["Max drawdown"].high for row in months)


def check_baseline(text, have, point_value):
    head, *rows = [re.split(r"\s{2,}", line.strip()) for line in section(text, "BUY & HOLD")]
    assert head == ["of daily equity", "strategy", "buy & hold", "difference"]
    compared = {row[0]: [Span.printed(cell) for cell in row[1:]] for row in rows[:3]}
    assert list(compared) == ["Net P&L", "Sharpe", "Max drawdown"]
    for strategy, held, difference in compared.values():
        assert strategy - held == difference
    assert compared["Net P&L"][0] == have["Net P&L"]
    assert compared["Sharpe"][0] == have["Sharpe"]
    earned = []
    for row in rows[3:]:
        first, last = (float(price) for price in row[2].split(" -> "))
        earned.append(Span.printed(row[3]))
        assert Span((last - first) * point_value) == earned[-1], row
    assert total(earned) == compared["Net P&L"][1]


def check_counts(text, have):
    rows = [line.split() for line in section(text, "COUNTS")]
    counts = {row[0]: int(row[1].replace(",", "")) for row in rows if row[0] != "trades"}
    assert counts["closed"] == have["Trades"].low
    assert counts.pop("signals") == sum(counts.values())


def check_costs(text, have, execution, bracket, stops):
    tick = 5.0 if execution.point_value is None else execution.point_value / 4
    n, slip = have["Trades"], execution.slippage_ticks
    assert n * (2 * execution.commission * execution.contracts) == have["Commission"]
    slipped = (n + stops) * (slip * tick * execution.contracts)
    assert (have["Gross P&L"] + slipped) / n == have["Break-even cost"]
    win = bracket.take_profit * 4 * tick - 2 * execution.commission
    loss = (bracket.stop_loss * 4 + slip) * tick + 2 * execution.commission
    assert Span(loss / (win + loss)) == have["Break-even rate of the bracket"]
    line = next((line for line in text.split("\n") if line.startswith("NOTE no costs are set")), "")
    assert bool(line) == (execution.commission == 0 and slip == 0)
    if line:
        each, taken, cost = (Span.printed(money) for money in re.findall(r"-?\$[\d,.]+\d", line))
        assert n * each == taken
        assert cost == have["Break-even cost"]


def printed_trades(text):
    """The trade log as a list of dicts by heading."""
    lines = [re.split(r"\s{2,}", line.strip()) for line in section(text, "TRADE LOG") if line]
    return [dict(zip(lines[0], cells, strict=True)) for cells in lines[1:]]


def check_log(text, have):
    """Recompute the statistics from the printed trades; return how many were stopped."""
    rows = printed_trades(text)
    assert [int(row["number"]) for row in rows] == list(range(1, int(have["Trades"].low) + 1))
    net = [float(row["net usd"]) for row in rows]
    assert total(Span.printed(row["net usd"]) for row in rows) == have["Net P&L"]
    assert (sum(x > 0 for x in net), sum(x < 0 for x in net)) == (have["Wins"].low, have["Losses"].low)
    for row in rows:
        moved = {"LONG": 1, "SHORT": -1}[row["side"]] * (float(row["exit price"]) - float(row["entry price"]))
        assert moved == pytest.approx(float(row["gross points"]), abs=1e-9)
    assert naive.permutation_drawdown(net) == pytest.approx(have["Max drawdown"].low, abs=0.01 * len(net))
    return sum(row["exit reason"] == "stop" for row in rows)


RUNS = {
    "no costs": (NO_COSTS, 132),
    "costs": (Execution(commission=2.27, slippage_ticks=1, contracts=3), 132),
    "every signal": (Execution(overlap=True, commission=0.85), 1),
    "micro": (Execution(point_value=2.0, stop_fill="next", slippage_ticks=2), 88),
}


@pytest.mark.parametrize("name", RUNS)
def test_every_printed_ratio_follows_from_the_printed_parts(name):
    execution, seed = RUNS[name]
    bracket = Bracket(take_profit=4.0, stop_loss=2.5)
    strategy = EmaCrossover(fast_period=2, slow_period=5)
    result = run(market(seed=seed), strategy, bracket, execution, settings=MonteCarlo(monte_carlo_sims=20))
    text = "\n".join(result.report_lines())
    assert "n/a" not in "".join(printed_statistics(text).values())
    have = check_statistics(text)
    check_months(text, have)
    check_baseline(text, have, execution.point_value or 20.0)
    check_counts(text, have)
    check_costs(text, have, execution, bracket, check_log(text, have))
    drawdown = re.search(r"actual max drawdown (\S+):", text).group(1)
    assert Span.printed(drawdown) == have["Max drawdown"]


def test_the_trap_66183_wins_of_200_and_130122_losses_of_100_print_1_017():
    # 66,183 * 200 / (130,122 * 100) = 1.0172; the ratio of the counts and a payoff would print 1.820.
    wins, losses = 66_183, 130_122
    net = np.random.default_rng(0).permutation([200.0] * wins + [-100.0] * losses)
    session = np.arange(len(net)) * 20 // len(net)
    trades = trades_of(net, session)
    trades["gross_ticks"] = net / 5
    result = run(tape_of(20), EmaCrossover(), settings=MonteCarlo(monte_carlo_sims=0))
    values = {**result.to_dict(), "statistics": statistics(trades, tape_of(20), Bracket(), NO_COSTS)}
    text = report.summary(values, result.declared)
    shown = printed_statistics(text)
    assert (shown["Wins"], shown["Losses"], shown["Profit factor"]) == ("66,183", "130,122", "1.017")
    assert "1.820" not in text
    check_months(text, check_statistics(text))


def test_the_recomputation_would_see_the_trap():
    # The same parts with the printed profit factor of the trap are refused.
    won, lost = Span(66_183) * Span.printed("$200.00"), Span(130_122) * Span.printed("$100.00")
    assert won / lost == Span.printed("1.017")
    assert won / lost != Span.printed("1.820")
