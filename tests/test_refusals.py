"""Refused parameters: every error names, as data, the parameters that it is about."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.asking import FAST, ask, blamed
from support.budget import examples
from support.market import market
from support.tapes import signals_of, tape_of

from scalpr_zen import EmaCrossover, ParameterError, save_tape
from scalpr_zen.base.params import declared
from scalpr_zen.dashboard.app import create_app
from scalpr_zen.dashboard.guard import Address
from scalpr_zen.dashboard.tape_window import Window
from scalpr_zen.dashboard.trades_page import Page
from scalpr_zen.dashboard.workbench import Workbench
from scalpr_zen.runs.spec import make_run
from scalpr_zen.sections.setup import GROUPS
from scalpr_zen.simulation.simulate import simulate
from scalpr_zen.strategies.user_code import BUILT_IN

RUNS = [(kind, parameter) for kind in BUILT_IN.values() for parameter in declared(kind)]
RUNS += [(EmaCrossover, parameter) for group in GROUPS.values() for parameter in declared(group)]
ANY = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just("8t"))
DISTANCES = [parameter.name for _, parameter in RUNS if parameter.distance]


def refusal(call):
    """The error of a call that is refused, else none."""
    try:
        call()
    except ParameterError as error:
        return error
    return None


@examples(1_000)
@given(st.sampled_from(RUNS), ANY)
def test_a_value_that_is_refused_names_its_parameter(run, value):
    kind, parameter = run
    if error := refusal(lambda: make_run(kind, {parameter.name: value})):
        assert parameter.name in error.parameters
        assert all(name in str(error) for name in error.parameters)


@examples(300)
@given(st.sampled_from([p for _, p in RUNS] + [p for group in (Page, Window) for p in declared(group)]), st.text())
def test_a_text_that_means_no_value_names_its_parameter(parameter, text):
    if error := refusal(lambda: parameter.checked(parameter.parsed(text))):
        assert error.parameters == (parameter.name,)


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("distance", [0.3, 1e9, "2000000000t"])
def test_a_distance_that_does_not_fit_the_tape_names_its_parameter(name, distance):
    given = {"trailing_stop": 1, "break_even_at": 1} | {name: distance}
    _, setup = make_run(EmaCrossover, given)
    tape = tape_of([100, 101])
    with pytest.raises(ParameterError) as refused:
        simulate(tape, signals_of(tape, {}), setup.bracket, setup.execution, setup.rules)
    assert refused.value.parameters == (name,)


BETWEEN = [
    ({"fast_period": 9, "slow_period": 9}, ["fast_period", "slow_period"]),
    ({"trail_activation": 1}, ["trail_activation", "trailing_step", "trailing_stop"]),
    ({"trailing_step": 1}, ["trail_activation", "trailing_step", "trailing_stop"]),
    ({"break_even_plus": 1}, ["break_even_plus", "break_even_at"]),
    ({"break_even_at": 1, "break_even_plus": 4}, ["break_even_plus", "break_even_at"]),
    ({"limit_basis": "equity"}, ["limit_basis", "loss_limit", "profit_limit"]),
    ({"overlap": True, "max_trades": 3}, ["overlap", "cooldown", "max_trades", "loss_limit", "profit_limit"]),
    ({"prop_firm": "custom"}, ["prop_target", "prop_drawdown", "prop_firm"]),
    ({"prop_firm": "custom", "prop_target": 100}, ["prop_drawdown", "prop_firm"]),
    ({"prop_firm": "none", "prop_target": 100}, ["prop_target", "prop_firm"]),
    ({"prop_lock": -9_000}, ["prop_lock", "prop_drawdown"]),
    ({"prop_consistency": 0.12345}, ["prop_consistency"]),
    ({"point_value": 1e-9}, ["point_value"]),
    ({"latency_ms": 1e-7}, ["latency_ms"]),
    ({"cooldown": 1.5e-9}, ["cooldown"]),
    ({"contracts": 10_000, "point_value": 1_000_000, "take_profit": 1e6}, ["contracts", "point_value", "commission"]),
    ({"entry_windows": "08:30-11:00, 10:00-12:00"}, ["entry_windows"]),
    ({"entry_windows": "08:30-08:30"}, ["entry_windows"]),
    ({"weekdays": "Sat"}, ["weekdays"]),
    ({"weekdays": "Fri-Mon"}, ["weekdays"]),
    ({"nonsense": 1}, ["nonsense"]),
    ({"invert": True}, ["invert"]),
]


@pytest.mark.parametrize(("given", "names"), BETWEEN, ids=[" ".join(map(str, given)) for given, _ in BETWEEN])
def test_a_rule_between_parameters_names_those_that_it_speaks_of(client, given, names):
    assert blamed(ask(client, "/api/run", given)) == names


@pytest.mark.parametrize(
    ("path", "query", "names"),
    [
        ("/api/run", "seed=1&seed=1", ["seed"]),
        ("/api/runs", "seed=1", ["seed"]),
        ("/api/trades", "size=0", ["size"]),
        ("/api/trades", "contract=ESZ4", ["contract"]),
        ("/api/trades", "first=soon", ["first"]),
        ("/api/trades", "last=2024-13-01", ["last"]),
        ("/api/tape", "start=9&stop=9", ["start", "stop"]),
        ("/api/tape", "start=300", ["start"]),
    ],
)
def test_a_refused_question_names_its_parameters(client, path, query, names):
    assert blamed(ask(client, f"{path}?{query}")) == names


@pytest.mark.parametrize(
    "pin", ["take_profit=-1", "take_profit=10.1", "nonsense=1", "seed=1&seed=2", "pin=x", "fast_period=9&slow_period=9"]
)
@pytest.mark.parametrize("path", ["/api/run", "/api/section/statistics", "/api/section/fills"])
def test_a_pin_that_is_no_run_is_an_error_of_the_pin_alone(client, path, pin):
    assert blamed(ask(client, path, FAST | {"pin": pin})) == ["pin"]


def test_the_own_run_is_blamed_where_the_pin_is_one(client):
    assert blamed(ask(client, "/api/run", {"take_profit": -1, "pin": "take_profit=12"})) == ["take_profit"]


@pytest.mark.parametrize("names", [["fast_period"], ["fast_period", "slow_period"], []])
def test_a_rule_of_a_users_strategy_names_what_it_says(tmp_path, names):
    @dataclass(frozen=True, kw_only=True)
    class Own(EmaCrossover):
        def check(self):
            if self.fast_period % 2:
                raise ParameterError("fast_period must be even", *names)

    bench = Workbench(save_tape(market(), tmp_path / "tape.npz"), Own)
    client = create_app(bench, Address()).test_client()
    assert blamed(ask(client, "/api/run", {"fast_period": 3})) == names


def test_the_opening_range_names_its_times():
    with pytest.raises(ParameterError) as refused:
        make_run(BUILT_IN["OpeningRange"], {"until": "08:45"})
    assert refused.value.parameters == ("until", "range_start", "range_minutes")
