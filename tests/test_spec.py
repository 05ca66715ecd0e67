"""The identity of a run: flat parameters both ways, and what makes two runs the same."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.market import market
from support.tapes import Given, tape_of

from scalpr_zen import EmaCrossover, Execution, MomentumBurst, ParameterError, Setup, Tape, run, save_tape
from scalpr_zen.base import facts
from scalpr_zen.base.params import declared
from scalpr_zen.runs.spec import RunSpec, make_run
from scalpr_zen.sections.setup import GROUPS

NAMES = [p.name for group in (EmaCrossover, *GROUPS.values()) for p in declared(group)]


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    return Tape.open(save_tape(market(), tmp_path_factory.mktemp("spec") / "tape.npz"))


@pytest.fixture
def spec(tape):
    return RunSpec.of(tape, EmaCrossover(fast_period=3), Setup(execution=Execution(commission=1.25)))


def test_flat_parameters_become_the_strategy_and_the_groups_that_declare_them():
    strategy, setup = make_run(EmaCrossover, {"fast_period": 3, "commission": 1.25})
    assert strategy == EmaCrossover(fast_period=3)
    assert setup == Setup(execution=Execution(commission=1.25))


def test_an_unknown_parameter_is_refused_with_the_nearest_name():
    with pytest.raises(ParameterError, match=r"^takeprofit is no parameter: did you mean take_profit[?]$"):
        make_run(EmaCrossover, {"takeprofit": 3})
    with pytest.raises(ParameterError, match=r"^xyzzy is no parameter: they are break_even_at, "):
        make_run(EmaCrossover, {"xyzzy": 3})


def test_a_spec_holds_every_parameter_the_tape_and_the_source(spec, tape):
    assert list(spec.parameters) == NAMES
    assert (spec.parameters["fast_period"], spec.parameters["commission"]) == (3, 1.25)
    assert (spec.tape_sha256, spec.strategy) == (tape.metadata["sha256"], "EmaCrossover")
    assert len(spec.strategy_sha256) == len(spec.key) == 64


def test_json_both_ways_is_the_same_spec_with_the_same_key(spec):
    again = RunSpec.from_json(spec.to_json())
    assert (again, again.key, hash(again)) == (spec, spec.key, hash(spec))
    assert again.make(EmaCrossover) == (EmaCrossover(fast_period=3), Setup(execution=Execution(commission=1.25)))


def test_the_key_does_not_depend_on_the_order_of_the_parameters(spec):
    turned = replace(spec, parameters=dict(reversed(spec.parameters.items())))
    assert (turned.key, turned) == (spec.key, spec)


def test_a_change_of_anything_that_decides_the_result_changes_the_key(spec):
    others = [replace(spec, **{name: "other"}) for name in ("tape_sha256", "strategy", "strategy_sha256")]
    others += [replace(spec, parameters=spec.parameters | {name: "other"}) for name in NAMES]
    assert len({spec.key, *(other.key for other in others)}) == len(others) + 1


@given(st.floats(0.25, 100), st.integers(1, 49))
def test_equal_values_of_different_types_are_one_run(points, period):
    tape, given_int = tape_of([1, 2]), {"fast_period": period, "take_profit": int(points) + 1}
    one = RunSpec.of(tape, *make_run(EmaCrossover, given_int))
    two = RunSpec.of(tape, *make_run(EmaCrossover, {"fast_period": period, "take_profit": float(int(points) + 1)}))
    assert one.to_json() == two.to_json()


def test_what_no_file_identifies_has_no_key(spec, tape):
    assert RunSpec.of(tape_of([1, 2]), EmaCrossover(), Setup()).key is None
    assert RunSpec.of(tape, Given([0]), Setup()).key is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "is an object with tape_sha256, strategy, strategy_sha256, parameters, contents"),
        ('{"strategy": "EmaCrossover"}', "is an object with"),
        ({"strategy": None}, "must be text"),
        ({"tape_sha256": 3}, "must be text"),
        ({"parameters": []}, "must be an object of numbers"),
        ({"parameters": {"fast_period": [3]}}, "must be an object of numbers"),
        ({"contents": {"prop_firm": 3}}, "must be an object of texts"),
    ],
)
def test_text_that_is_no_spec_is_refused(spec, text, message):
    if isinstance(text, dict):
        text = json.dumps(json.loads(spec.to_json()) | text)
    with pytest.raises(ParameterError, match=message):
        RunSpec.from_json(text)


def test_a_spec_is_made_only_with_its_own_class_its_own_source_and_all_parameters(spec):
    with pytest.raises(ParameterError, match="of the strategy EmaCrossover, not of MomentumBurst"):
        spec.make(MomentumBurst)
    with pytest.raises(ParameterError, match="the source of EmaCrossover has changed"):
        replace(spec, strategy_sha256="0" * 64).make(EmaCrossover)
    fewer = {name: value for name, value in spec.parameters.items() if name != "stop_fill"}
    with pytest.raises(ParameterError, match="has no stop_fill: another version"):
        replace(spec, parameters=fewer).make(EmaCrossover)


def test_the_content_of_a_file_that_a_parameter_names_is_part_of_the_spec(tape, tmp_path):
    path = tmp_path / "firm.toml"
    packaged = (facts.PROP_FIRMS / "topstep-50k.toml").read_text()
    path.write_text(packaged)
    given = {"prop_firm": str(path)}
    spec = RunSpec.of(tape, *make_run(EmaCrossover, given))
    assert spec.make(EmaCrossover)[1].firm.prop_firm == str(path)
    path.write_text(re.sub(r"(?m)^drawdown_usd = .*$", "drawdown_usd = 1_500.0", packaged))
    changed = RunSpec.of(tape, *make_run(EmaCrossover, given))
    assert changed.parameters == spec.parameters
    assert changed.key != spec.key
    with pytest.raises(ParameterError, match=r"firm\.toml has changed since the run spec was made"):
        spec.make(EmaCrossover)


def test_a_result_states_its_key_and_the_run_of_its_spec_has_the_same_trades(tape):
    result = run(tape, EmaCrossover(fast_period=2, slow_period=5))
    manifest = result.to_dict()["manifest"]
    assert (manifest["run_key"], manifest["strategy_sha256"]) == (result.spec.key, result.spec.strategy_sha256)
    strategy, setup = RunSpec.from_json(result.spec.to_json()).make(EmaCrossover)
    again = run(tape, strategy, setup.bracket, setup.execution, setup.rules)
    assert again.spec == result.spec
    assert again.to_dict()["trades_sha256"] == result.to_dict()["trades_sha256"]
