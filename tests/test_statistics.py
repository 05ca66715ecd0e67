"""Every row of the statistics: worked by hand, against the naive twin, and against scipy."""

import itertools
import math
from datetime import date, timedelta

import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st
from support import naive_statistics
from support.budget import examples
from support.printed import wilson
from support.results import (
    DAY,
    NO_COSTS,
    NOON,
    NQ,
    SECOND,
    figures,
    months_of,
    quarters,
    random_trades,
    tape_of,
    trades_of,
    verdicts,
)

from scalpr_zen import Bracket, Execution, Tape
from scalpr_zen.sections.measures import Z95, by_day
from scalpr_zen.sections.statistics import STATISTICS, statistics
from scalpr_zen.simulation.kernel import STOP, TARGET

COUNTS = {"trades", "wins", "losses", "scratches", "dates_traded", "net_usd", "gross_usd", "commission_usd"}

# The rows that the naive twin knows too. Its inputs are sums, maxima and counts, made in the same order, of
# numbers that a float holds exactly; so these must be equal to the last bit.
EXACT = ["trades", "wins", "losses", "scratches", "win_rate", "decided_win_rate", "profit_factor", "expectancy_usd"]
EXACT += ["session_dates", "dates_traded", "days_profitable", "max_drawdown_usd", "max_drawdown_sessions"]
EXACT += ["max_drawdown_days", "recovery_sessions", "recovery_days", "longest_win_streak", "longest_loss_streak"]
EXACT += ["average_win_usd", "average_loss_usd", "payoff", "best_day_usd", "worst_day_usd", "trades_a_day"]
# These divide by roots of sums of squares: the package adds floats, naive adds fractions. A float loses 1e-12 of
# an amount of 10,000, which is 1e-10 of a deviation of a cent; 1e-9 leaves room for a sum of them.
CLOSE = ["win_rate_low", "win_rate_high", "break_even_rate", "t_statistic", "t_statistic_by_day", "sqn", "sortino"]
CLOSE += ["sharpe", "sharpe_error", "sharpe_low", "sharpe_high"]


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
    assert set(figures(WORKED, WORKED_SESSIONS, 5)) == {*keys} == {*HAND_WORKED}


# -------------------------------------------------------------------------------- random, against naive


@examples(150)
@given(random_trades())
def test_random_trades_give_what_the_naive_twin_finds(case):
    got, expected = figures(*case), naive_statistics.statistics(*case)
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
    got, expected = figures(*case), naive_statistics.statistics(*case)
    for key in (*EXACT, *CLOSE):
        # Cancelling leaves 1e-12 of the largest amount, 1e3, in a mean; a root of squares 1e-9 as above.
        assert got[key] == pytest.approx(expected[key], rel=1e-9, abs=1e-9, nan_ok=True), key
    assert got["max_drawdown_usd"] == expected["max_drawdown_usd"]  # summed in one order only


@examples(100)
@given(random_trades())
def test_months_are_the_statistics_of_their_own_trades(case):
    net, session, sessions = case
    got = months_of(*case)
    days = [date(2025, 1, 6) + timedelta(days=k) for k in range(sessions)]
    for row in got:
        own = [x for x, s in zip(net, session, strict=True) if f"{days[s]:%Y-%m}" == row["month"]]
        alone = naive_statistics.statistics(own, [0] * len(own), 1)
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
    for n in (*range(1, 30), *range(30, 300, 15)):
        got = figures([100.0 if won else -100.0] * n)
        assert 0 <= got["win_rate_low"] <= got["win_rate"] <= got["win_rate_high"] <= 1, n


# ------------------------------------------------------------------------------------------------ costs


def test_gross_net_and_commission_are_kept_apart():
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


def test_a_date_whose_trades_come_to_nothing_was_traded_and_is_not_profitable():
    # The two trades of session 1 cancel, in cents, which floats do not.
    got = figures([5.0, 0.1, 0.2, -0.3, -1.0], [0, 1, 1, 1, 3], 9)
    assert (got["dates_traded"], got["days_profitable"]) == (3, 1 / 3)


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
        ([1.0, -0.000001, 0.000001], [0, 1, 2], 0.000001, 2, 3),  # a micro-dollar is a fall
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
    expected = naive_statistics.statistics(net, session, sessions, days)
    for key in ("max_drawdown_sessions", "max_drawdown_days", "recovery_sessions", "recovery_days"):
        assert got[key] == pytest.approx(expected[key], nan_ok=True), key


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
    [month] = months_of([], [], 3)
    assert (month["trades"], month["session_dates"], month["net_usd"]) == (0, 3, 0.0)
    assert math.isnan(month["win_rate"])


def test_the_quantile_of_95_percent_intervals_is_scipy_s():
    assert scipy.special.ndtri(0.975) == Z95
