"""Break-even rates and verdicts: those that compare gains with losses never contradict each other."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.budget import examples
from support.printed import wilson
from support.results import figures, verdicts

from scalpr_zen import Bracket, Execution
from scalpr_zen.sections.statistics import STATISTICS


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
