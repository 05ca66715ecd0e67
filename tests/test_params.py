import inspect
import math
from dataclasses import MISSING, FrozenInstanceError, dataclass
from decimal import Decimal

import click
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalpr_zen import Bracket, EmaCrossover, Execution, ParameterError, Parameters, commands, instrument, param
from scalpr_zen.base.params import RENAMED, declared
from scalpr_zen.base.units import distance_ticks
from scalpr_zen.commands.backtest import backtest_of
from scalpr_zen.runs.spec import make_run
from scalpr_zen.sections.setup import GROUPS as SETUP

GROUPS = (EmaCrossover, *SETUP.values())
TEXTS = ("entry_windows", "weekdays")
NEEDED = {
    "trail_activation": {"trailing_stop": 1.0},
    "trailing_step": {"trailing_stop": 1.0},
    "break_even_plus": {"break_even_at": 1.0},
    "prop_lock": {"prop_drawdown": 1e6},
}
ALL = [(group, parameter) for group in GROUPS for parameter in declared(group)]
NAMES = [parameter.name for _, parameter in ALL]


@dataclass(frozen=True, kw_only=True)
class Example(Parameters):
    """A group with one parameter of each kind."""

    period: int = param(5, "A whole number.", unit="prints", low=2, high=1_000)
    factor: float = param(0.5, "A number.", low=0)
    most: float = param(1.0, "A number with a greatest value alone.", high=9)
    mode: str = param("fast", "A word.", choices=("fast", "slow"))
    both: bool = param(False, "Yes or no.")
    cap: float | None = param(None, "A number or none.", unit="USD", low=1)
    free: int = param(7, "Any whole number.")

    def check(self):
        if self.period == 13:
            raise ParameterError("period must not be 13, was 13")


# --------------------------------------------------------------------------------------- declarations


def test_no_two_groups_declare_a_parameter_of_one_name():
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize(("group", "parameter"), ALL, ids=NAMES)
def test_every_declaration_has_what_a_face_needs(group, parameter):
    assert parameter.sentence.endswith(".")
    assert parameter.kind in (int, float, str, bool)
    assert parameter.flag == "--" + parameter.name.replace("_", "-")
    assert parameter.optional == (parameter.default is None)
    assert bool(parameter.choices) == (parameter.kind is str and parameter.name not in TEXTS)
    if parameter.kind in (int, float):
        assert parameter.low is not None
        assert parameter.unit or parameter.name == "seed"
        assert parameter.range_text
    assert type(getattr(group(), parameter.name)) in (parameter.kind, type(parameter.default))


def test_a_declaration_is_read_from_the_class():
    period, factor, most, mode, both, cap, free = declared(Example)
    assert (period.name, period.default, period.kind, period.unit) == ("period", 5, int, "prints")
    assert (period.sentence, period.low, period.high) == ("A whole number.", 2, 1_000)
    assert [p.kind for p in (factor, most, mode, both, cap, free)] == [float, float, str, bool, float, int]
    assert [p.optional for p in declared(Example)] == [False] * 5 + [True, False]
    assert mode.choices == ("fast", "slow")


def test_range_texts():
    texts = {parameter.name: parameter.range_text for parameter in declared(Example)}
    del texts["most"]  # see the test of a greatest value alone
    assert texts == {
        "period": "2 to 1,000",
        "factor": ">= 0",
        "mode": "fast | slow",
        "both": "",
        "cap": ">= 1",
        "free": "",
    }
    [take_profit, stop_loss, *_] = declared(Bracket)
    assert take_profit.range_text == stop_loss.range_text == ">= 0.000000001"


def test_a_field_without_param_is_no_parameter():
    @dataclass(frozen=True, kw_only=True)
    class Plain(Parameters):
        shown: int = param(1, "Shown.")
        hidden: int = 2

    assert [parameter.name for parameter in declared(Plain)] == ["shown"]
    assert Plain(hidden=-5).hidden == -5


def test_groups_are_frozen_and_take_keywords_only():
    for group in GROUPS:
        assert {p.kind for p in inspect.signature(group).parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}
    with pytest.raises(FrozenInstanceError):
        Bracket().take_profit = 3.0
    with pytest.raises(TypeError):
        Bracket(take_profits=10.0)


# ---------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("given_value", "kept"),
    [
        ({"period": np.int64(6)}, 6),
        ({"period": 2}, 2),
        ({"period": 1_000}, 1_000),
        ({"factor": 3}, 3.0),
        ({"factor": np.float32(0.5)}, 0.5),
        ({"factor": 0}, 0.0),
        ({"most": 9}, 9.0),
        ({"mode": "slow"}, "slow"),
        ({"both": True}, True),
        ({"cap": None}, None),
        ({"cap": 1}, 1.0),
    ],
)
def test_a_value_is_kept_in_its_declared_type(given_value, kept):
    got = getattr(Example(**given_value), next(iter(given_value)))
    assert got == kept
    assert type(got) is type(kept)


@pytest.mark.parametrize(
    ("given_value", "message"),
    [
        ({"period": 1}, "period must be 2 to 1,000, was 1"),
        ({"period": 1_001}, "period must be 2 to 1,000, was 1001"),
        ({"period": 5.5}, "period must be a whole number, was 5.5"),
        # As on the command line, a whole number is one without a decimal point, whatever type it has.
        ({"period": 6.0}, "period must be a whole number, was 6.0; write 6"),
        ({"period": np.float64(6)}, "period must be a whole number, was np.float64(6.0); write 6"),
        ({"period": Decimal(6)}, "period must be a whole number, was Decimal('6')"),
        ({"period": np.True_}, "period must be a whole number, was np.True_"),
        ({"factor": np.True_}, "factor must be a finite number, was np.True_"),
        ({"factor": True}, "factor must be a finite number, was True"),
        ({"factor": 1j}, "factor must be a finite number, was 1j"),
        ({"both": np.True_}, "both must be a bool, was np.True_"),
        ({"period": "5"}, "period must be a whole number, was '5'"),
        ({"period": True}, "period must be a whole number, was True"),
        ({"period": None}, "period must be a whole number, was None"),
        ({"period": math.nan}, "period must be a whole number, was nan"),
        ({"period": math.inf}, "period must be a whole number, was inf"),
        ({"factor": -1e-9}, "factor must be >= 0, was -1e-09"),
        ({"factor": math.nan}, "factor must be a finite number, was nan"),
        ({"factor": -math.inf}, "factor must be a finite number, was -inf"),
        ({"factor": "0.5"}, "factor must be a finite number, was '0.5'"),
        ({"factor": 10**400}, "factor must be a finite number, was 1000"),
        ({"factor": [1]}, "factor must be a finite number, was [1]"),
        ({"mode": "medium"}, "mode must be one of fast, slow, was 'medium'"),
        ({"mode": 1}, "mode must be a str, was 1"),
        ({"both": 1}, "both must be a bool, was 1"),
        ({"both": "yes"}, "both must be a bool, was 'yes'"),
        ({"cap": 0.5}, "cap must be >= 1, was 0.5"),
        ({"cap": "none"}, "cap must be a finite number, was 'none'"),
        ({"period": 13}, "period must not be 13, was 13"),  # the group's own rule
    ],
)
def test_a_refusal_names_the_parameter_the_rule_and_the_value(given_value, message):
    with pytest.raises(ParameterError) as error:
        Example(**given_value)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_maximum_without_a_minimum_is_stated_in_the_message():
    assert "9" in next(p for p in declared(Example) if p.name == "most").range_text
    with pytest.raises(ParameterError, match=r"^most must be \S.*9.*, was 9\.5$"):
        Example(most=9.5)


@pytest.mark.parametrize(("group", "parameter"), ALL, ids=NAMES)
def test_every_declared_end_is_allowed_and_nothing_beyond_it(group, parameter):
    others = {"slow_period": 1_000_000} if parameter.name == "fast_period" else {}
    others |= {"fast_period": 1} if parameter.name == "slow_period" else {}
    others |= NEEDED.get(parameter.name, {})
    step = 1 if parameter.kind is int else 1e-9
    for end, sign in ((parameter.low, -1), (parameter.high, 1)):
        if end is None:
            continue
        if (parameter.name, sign) != ("fast_period", 1):  # there no slow average is left
            assert getattr(group(**others, **{parameter.name: end}), parameter.name) == end
        with pytest.raises(ParameterError, match=f"^{parameter.name} must be "):
            group(**others, **{parameter.name: end + sign * max(step, abs(end) * step)})


def test_the_fast_average_is_the_faster_one():
    assert EmaCrossover(fast_period=199).fast_period == 199
    for fast in (200, 201):
        with pytest.raises(ParameterError, match=f"^fast_period must be below slow_period, was {fast} with .* 200$"):
            EmaCrossover(fast_period=fast)


@pytest.mark.parametrize(("latency_ms", "latency_ns"), [(0.0, 0), (0.25, 250_000), (0.000001, 1), (60_000, 6 * 10**10)])
def test_latency_is_whole_nanoseconds(latency_ms, latency_ns):
    assert Execution(latency_ms=latency_ms).latency_ns == latency_ns


def test_a_parameter_needs_a_default():
    @dataclass(frozen=True, kw_only=True)
    class Bad(Parameters):
        needed: int = param(MISSING, "Has no default.")

    with pytest.raises(TypeError, match="needed has no default"):
        declared(Bad)


# ------------------------------------------------------------------------------------- points and ticks


@pytest.mark.parametrize(
    ("root", "points"),
    [("NQ", 0.1), ("NQ", 10.01), ("RTY", 0.25), ("ZN", 1 / 128), ("6J", 0.0000001), ("YM", 0.5), ("CL", 1 / 3)],
)
def test_other_points_are_refused(root, points):
    with pytest.raises(ParameterError, match=r"^stop_loss must be a multiple of the tick"):
        distance_ticks("stop_loss", points, instrument(root).tick_nanos)


def test_0_1_and_0_2_is_not_0_3_and_the_message_says_so():
    # Refused, not repaired; and the value it was is 0.30000000000000004, for 0.3 would be a multiple.
    with pytest.raises(ParameterError, match=r"multiple of the tick 0\.1, was 0\.30000000000000004"):
        distance_ticks("take_profit", 0.1 + 0.2, instrument("RTY").tick_nanos)


@given(st.sampled_from(["NQ", "RTY", "CL", "HG", "6E", "6J", "ZN", "ZT", "YM"]), st.integers(1, 10**6))
def test_every_decimal_of_a_whole_number_of_ticks_is_that_number(root, ticks):
    nanos = instrument(root).tick_nanos
    points = float(f"{ticks * nanos // 10**9}.{ticks * nanos % 10**9:09d}")
    assert distance_ticks("take_profit", points, nanos) == ticks


def test_a_distance_beyond_all_prices_is_refused():
    with pytest.raises(ParameterError, match=r"^take_profit must be at most"):
        distance_ticks("take_profit", 1e12, instrument("NQ").tick_nanos)


def test_a_bracket_is_checked_against_the_tick_of_its_instrument():
    bracket = Bracket(take_profit=0.5, stop_loss=0.25)
    assert bracket.distances(instrument("NQ"), 1) == (2, 1)
    assert bracket.distances(instrument("ZN"), 1) == (32, 16)
    with pytest.raises(ParameterError, match=r"^stop_loss must be a multiple of the tick 0\.1, was 0\.25$"):
        bracket.distances(instrument("RTY"), 1)


# ------------------------------------------------------------------------------------- the command line

BACKTEST = commands.scalpr.commands["backtest"]
CONTEXT = click.Context(BACKTEST, obj=EmaCrossover, help_option_names=["-h", "--help"])
OPTIONS = {option.name: option for option in BACKTEST.get_params(CONTEXT) if option.expose_value}


@pytest.mark.parametrize("parameter", [parameter for _, parameter in ALL], ids=NAMES)
def test_an_option_of_the_command_line_is_its_declaration(parameter):
    option = OPTIONS[parameter.name]
    assert option.opts == [parameter.flag]
    assert option.default == parameter.default
    assert option.secondary_opts == ([f"--no-{parameter.flag[2:]}"] if parameter.kind is bool else [])
    assert option.help.startswith(parameter.sentence)
    for fact in ("" if isinstance(option.type, click.Choice) else parameter.range_text, parameter.unit):
        assert fact in option.help
    shown = "none" if parameter.default is None else str(parameter.default).lower()
    assert f"default {shown}]" in option.help
    assert tuple(getattr(option.type, "choices", ())) == parameter.choices


def test_the_shell_completes_the_choices_of_a_parameter():
    for name, start, choices in (
        ("prop_firm", "apex", ["apex-50k", "apex-50k-legacy"]),
        ("entry", "", ["next", "signal"]),
    ):
        option = OPTIONS[name]
        assert [item.value for item in option.type.shell_complete(CONTEXT, option, start)] == choices


def test_the_command_line_has_no_other_options():
    assert set(OPTIONS) == {*NAMES, "tape", "strategy", "out", "csv", "html", "full", "as_json"}
    assert OPTIONS["out"].default == "results"


# ------------------------------------------------------------------------------------------- old names


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_an_old_name_is_refused_with_the_new_one_wherever_it_is_given(old, new, scalpr):
    said = f"{old} is called {new} now"
    [group] = [group for group in GROUPS if new in [p.name for p in declared(group)]]
    with pytest.raises(ParameterError, match=f"^{said}$"):
        group(**{old: 1})
    with pytest.raises(ParameterError, match=f"^{said}$"):
        make_run(EmaCrossover, {old: 1})
    flag, now = (f"--{name.replace('_', '-')}" for name in (old, new))
    for written in (flag, f"{flag}=1", f"--no-{flag[2:]}"):
        assert scalpr("backtest", written)[2] == f"error: {flag} is called {now} now\n"
    constants = {"STRATEGY": "EmaCrossover", old.upper(): 1}
    with pytest.raises(ParameterError, match=f"^{old.upper()} is called {new.upper()} now$"):
        backtest_of(constants)


def test_a_strategy_may_have_a_parameter_of_an_old_name():
    @dataclass(frozen=True, kw_only=True)
    class Waits(Parameters):
        pause: int = param(3, "Prints.")

    assert make_run(Waits, {"pause": 5})[0] == Waits(pause=5)
