"""The setup: every parameter group of a run in one object, equal where every parameter is equal."""

import dataclasses

import pytest

from scalpr_zen import Bracket, Execution, MonteCarlo, PessimisticCosts, PropFirm, SessionRules, Setup
from scalpr_zen.base.params import Parameters
from scalpr_zen.sections.setup import GROUPS

OTHER = {
    "bracket": Bracket(take_profit=11.0),
    "execution": Execution(latency_ms=1.0),
    "rules": SessionRules(sides="long"),
    "pessimistic": PessimisticCosts(pessimistic_slippage_ticks=2),
    "settings": MonteCarlo(random_entry_sims=7),
    "firm": PropFirm(prop_sims=7),
}


def test_the_groups_are_the_fields_of_a_setup_with_their_classes_in_order():
    assert {name: type(group) for name, group in OTHER.items()} == GROUPS
    assert list(GROUPS) == [field.name for field in dataclasses.fields(Setup)]
    assert all(issubclass(group, Parameters) for group in GROUPS.values())


def test_a_setup_that_says_nothing_has_every_default():
    setup = Setup()
    for name, group in GROUPS.items():
        assert getattr(setup, name) == group()


@pytest.mark.parametrize("name", GROUPS)
def test_setups_are_equal_where_every_group_is_and_different_where_one_is_not(name):
    assert Setup(**OTHER) == Setup(**OTHER)
    assert hash(Setup(**OTHER)) == hash(Setup(**OTHER))
    one = dataclasses.replace(Setup(), **{name: OTHER[name]})
    assert one != Setup()
    assert len({Setup(), one, dataclasses.replace(one)}) == 2


def test_a_setup_is_given_by_name_and_never_changes():
    with pytest.raises(TypeError):
        Setup(Bracket())
    with pytest.raises(dataclasses.FrozenInstanceError):
        Setup().bracket = Bracket()
