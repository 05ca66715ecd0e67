"""Values of the rules of a bracket and of a session that are refused, and what a text of them means."""

import pytest
from support.both import LONG, market_of

from scalpr_zen import Bracket, Execution, ParameterError
from scalpr_zen.simulation.rules import SessionRules
from scalpr_zen.simulation.simulate import simulate


def refused(match, **group):
    """Whether parameters are refused, where they are made or where they meet a tape."""
    parameters = {Bracket: {}, Execution: {}, SessionRules: {}}
    for name, value in group.items():
        (kind,) = (kind for kind in parameters if name in kind.__dataclass_fields__)
        parameters[kind][name] = value
    market = market_of([100, 100], {0: LONG})
    with pytest.raises(ParameterError, match=match):
        simulate(market.tape(), market.given(), *(kind(**given) for kind, given in parameters.items()))
    return True


DISTANCES = ("take_profit", "stop_loss", "take_profit_short", "stop_loss_short")
DISTANCES += ("trailing_stop", "trail_activation", "trailing_step", "break_even_at")


@pytest.mark.parametrize("name", DISTANCES)
def test_rule_6_every_distance_must_be_a_multiple_of_the_tick(name):
    needed = {"trailing_stop": 1.0} if name in ("trail_activation", "trailing_step") else {}
    assert refused(rf"^{name} must be a multiple of the tick 0\.25, was 0\.3$", **needed | {name: 0.3})


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("value", [-0.25, float("nan"), float("inf"), "1", True])
def test_every_distance_must_be_a_number_of_points(name, value):
    rule = ">= 0" if value == -0.25 else "points like 2.5 or ticks like 8t"
    assert refused(rf"^{name} must be {rule}.*, was {value!r}$", **{name: value})


@pytest.mark.parametrize("name", [name for name in DISTANCES if name != "trail_activation"])
def test_no_distance_is_zero_but_that_from_which_a_stop_trails(name):
    assert refused(rf"^{name} must be .*was 0\.0$", **{name: 0.0})


def test_rule_31_what_a_trailing_stop_needs_is_refused_without_one():
    assert refused("trail_activation.*trailing_stop", trail_activation=1.0)
    assert refused("trailing_step.*trailing_stop", trailing_step=0.25)


def test_rule_32_break_even_plus_needs_break_even_at_and_must_be_below_it():
    # 0.5 points are two ticks.
    assert refused("break_even_plus.*break_even_at", break_even_plus=1)
    assert refused("break_even_plus.*break_even_at", break_even_at=0.5, break_even_plus=2)
    assert refused("break_even_plus.*break_even_at", break_even_at=0.5, break_even_plus=3)
    assert refused("^break_even_plus must be ", break_even_at=0.5, break_even_plus=-1)
    assert refused("^break_even_plus must be a whole number, was 0.5$", break_even_at=0.5, break_even_plus=0.5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("latency_ms", 1.5e-6), ("cooldown", 1e-10), ("max_hold", 1e-10)],  # less than a nanosecond
        *[("entry_windows", None), ("weekdays", 5), ("target_fill", "filled"), ("reverse", "true")],
    ],
)
def test_a_value_that_means_nothing_is_refused_by_its_name(name, value):
    assert refused(f"^{name} must be ", **{name: value})


@pytest.mark.parametrize(
    "text",
    [
        *["", "none", "08:30", "8:30-11:00", "08:30-", "-11:00", "24:00-01:00", "25:00-26:00", "08:60-09:00"],
        *["08:30-11:00,", "all, 08:30-11:00", "08:30-11:00; 13:00-15:00", "08:30-11:00-12:00", "0\u0668:30-11:00"],
        *["08:30-08:30", "17:00-17:00", "08:30-11:00, 10:00-12:00", "22:00-02:00, 01:00-03:00"],
        *["16:00-18:00, 17:00-17:30", "08:30-11:00, 08:30-11:00"],
    ],
)
def test_rule_20_a_text_that_is_no_list_of_windows_apart_is_refused(text):
    assert refused("^entry_windows must ", entry_windows=text)


@pytest.mark.parametrize(
    "text", ["", "none", "Montag", "Mon-", "Mon-Tue-Wed", "Mon; Tue", "Thu-Mon", "1-5", "all, Mon"]
)
def test_rule_21_a_text_that_is_no_list_of_weekdays_is_refused(text):
    assert refused("^weekdays must ", weekdays=text)


@pytest.mark.parametrize("text", ["Sun", "Sat", "Sat-Sun", "sun, Sat"])
def test_rule_21_weekdays_that_no_session_date_has_are_refused(text):
    assert refused(
        "^weekdays must hold one of Mon to Fri, was .*: .*Sunday evening is Monday's session$", weekdays=text
    )
    assert SessionRules(weekdays=f"{text}, Fri").weekdays == f"{text}, Fri"


def test_rule_27_an_open_trade_counts_towards_a_limit_that_is_given():
    assert refused("limit_basis.*loss_limit.*profit_limit", limit_basis="equity")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("cooldown", 16_384.1), ("cooldown", 1e-9), ("max_hold", 100_000.1), ("max_hold", 86_400.123456789)],
        *[("flat_before_close", 256.1), ("no_entry_before_close", 0.35), ("no_entry_before_close", 1379.9)],
    ],
)
def test_a_time_of_whole_nanoseconds_is_accepted(name, value):
    # All of them are whole in decimal, though not in binary.
    assert getattr(SessionRules(**{name: value}), name) == value


def test_rule_20_and_21_a_range_of_weekdays_and_blanks_mean_what_they_say():
    week = [f"2025-01-{day} 12:00" for day in range(13, 18)]
    market = market_of([100] * 5, dict.fromkeys(range(5), LONG), at=week)

    def signals(**texts):
        execution = Execution(entry="signal", overlap=True)
        rows = simulate(market.tape(), market.given(), Bracket(), execution, SessionRules(**texts))
        return sorted(rows.unclosed["signal"].tolist())

    assert signals(weekdays="Mon-Thu") == signals(weekdays="mon, Tue,WED , thu") == [0, 1, 2, 3]
    assert signals(weekdays="Fri-Fri") == signals(weekdays="Fri") == [4]
    assert signals(weekdays="Mon-Tue, Thu-Fri") == [0, 1, 3, 4]
    assert signals(entry_windows=" 11:00 - 11:30 ,12:00-12:01") == signals() == [0, 1, 2, 3, 4]


def test_queue_ahead_says_nothing_where_no_queue_is_asked_for(fills):
    assert fills([100, 100, 104], {0: LONG}, queue_ahead=1_000) == [(1, 100, 2, 104, "target")]


@pytest.mark.parametrize(
    ("name", "value"), [("cooldown", 1.0), ("max_trades", 1), ("loss_limit", 5.0), ("profit_limit", 5.0)]
)
def test_rule_29_with_overlap_what_needs_one_position_at_a_time_is_refused(name, value):
    assert refused("overlap", overlap=True, **{name: value})
