"""The rules of the packaged firms, the parameters that replace them, and runs that no firm would take."""

from dataclasses import fields
from datetime import date

import pytest
from support.accounts import SEED, trades_of
from support.tapes import NOON, tape_of

from scalpr_zen import Execution, Tape
from scalpr_zen.base.errors import ParameterError
from scalpr_zen.base.instruments import parse_instrument
from scalpr_zen.render.lines import block_lines
from scalpr_zen.sections.prop_firm.evaluation import prop_firm
from scalpr_zen.sections.prop_firm.rules import FIRMS, PropFirm, RuleSet, rule_set
from scalpr_zen.sections.prop_firm.tables import blocks


@pytest.mark.parametrize(("rows", "overlap"), [([(1, 0, 2), (1, 1, 3)], False), ([(1, 0, 2)], True)])
def test_several_trades_at_once_are_reported_and_not_evaluated(rows, overlap):
    tape = tape_of([100, 101, 102, 103])
    found = prop_firm(trades_of(tape, *rows), tape, Execution(overlap=overlap), PropFirm(), SEED)
    shown = "several trades are open at once: no account can hold them, so nothing is evaluated"
    assert (set(found), found["notes"]) == ({"name", "rules", "notes"}, [shown])
    assert f"  NOTE {shown}" in [line for block in blocks(found) for line in block_lines(block)]


def test_contracts_above_the_limit_and_trades_left_out_are_noted():
    tape = tape_of([100, 101])
    found = prop_firm(trades_of(tape, (1, 0, 1)), tape, Execution(contracts=6), PropFirm(), SEED, unclosed=2)
    limit = "contracts=6 is above the firm's limit of 5; it would refuse the order"
    assert found["notes"] == [limit, "void and open trades left out: 2"]


@pytest.mark.parametrize(
    ("contracts", "shown"),
    [(50, []), (51, ["contracts=51 is above the firm's limit of 50 micros; it would refuse the order"])],
)
def test_ten_micros_count_as_one_contract(contracts, shown):
    tape = tape_of([100, 101], root="MNQ")
    execution = Execution(contracts=contracts)
    assert prop_firm(trades_of(tape, (1, 0, 1)), tape, execution, PropFirm(), SEED)["notes"] == shown


@pytest.mark.parametrize(
    ("line", "point_value", "micro"),
    [
        ("MNQ 0.25 2", None, True),  # a line of one's own has no name
        ("M6E 0.0001 12500", None, True),
        ("NQ 0.25 20", 2.0, True),  # a tape of NQ traded at the value of MNQ
        ("NQ 0.25 2", None, True),
        ("NQ 0.25 20", None, False),
        ("NQ 0.25 20", 2.01, False),
        ("MNQ 0.25 2", 20.0, False),
        ("SIL 0.005 1000", None, False),  # a fifth of SI
        ("XYZ 0.25 2", None, False),  # nobody knows of what it could be a tenth
    ],
)
def test_a_micro_is_a_tenth_of_the_full_size_contract_whatever_its_name(line, point_value, micro):
    times = [NOON, NOON + 10]
    tape = Tape.from_prints(times, [100, 101], instrument=parse_instrument(line))
    execution = Execution(contracts=50, point_value=point_value)
    notes = prop_firm(trades_of(tape, (1, 0, 1)), tape, execution, PropFirm(), SEED)["notes"]
    assert notes == ([] if micro else ["contracts=50 is above the firm's limit of 5; it would refuse the order"])


# ------------------------------------------------------------------------------------------- rule sets


@pytest.mark.parametrize("name", FIRMS)
def test_a_packaged_firm_is_dated_has_its_pages_and_can_be_chosen(name):
    rules = PropFirm(prop_firm=name).rules()
    assert rules == rule_set(name)
    assert rules.name == name
    assert date(2024, 1, 1) < date.fromisoformat(rules.known)
    assert all(source.startswith("https://") for source in rules.sources)
    assert rules.sources
    assert "check them against the firm's own" in rules.note


def test_a_parameter_stands_in_place_of_a_rule():
    settings = PropFirm(prop_firm="topstep-50k", prop_daily_loss=1_000.0, prop_min_days=5)
    rules = settings.rules()
    assert (rules.daily_loss_usd, rules.daily_loss_breach, rules.min_days) == (1_000, "day_over", 5)
    assert (rules.target_usd, rules.lock_usd) == (3_000, 0)
    assert list(settings.given()) == ["prop_daily_loss", "prop_min_days"]


def test_every_rule_that_a_firm_may_lack_can_be_taken_away():
    settings = PropFirm(prop_lock=1_000_000, prop_daily_loss=0, prop_consistency=1, prop_contracts=0)
    rules = settings.rules()
    assert [rules.lock_usd, rules.daily_loss_usd, rules.consistency, rules.contracts] == [None] * 4


def test_every_rule_has_its_parameter():
    by_hand = {"name", "title", "known", "sources", "note"}
    rules = PropFirm(
        prop_account=1.0,
        prop_target=2.0,
        prop_drawdown=3.0,
        prop_drawdown_kind="peak_equity",
        prop_lock=4.0,
        prop_daily_loss=5.0,
        prop_daily_loss_breach="bust",
        prop_min_days=6,
        prop_consistency=0.7,
        prop_contracts=8,
    ).rules()
    changed = {f.name for f in fields(RuleSet) if getattr(rules, f.name) != getattr(rule_set("topstep-50k"), f.name)}
    assert changed == {f.name for f in fields(RuleSet)} - by_hand


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prop_firm": "custom", "prop_drawdown": 5.0}, "^prop_target must be given with prop_firm=custom$"),
        ({"prop_firm": "custom", "prop_target": 5.0}, "^prop_drawdown must be given with prop_firm=custom$"),
        ({"prop_firm": "custom"}, "^prop_target and prop_drawdown must be given with prop_firm=custom$"),
        ({"prop_lock": -2_000.01}, "prop_lock must not be below -prop_drawdown"),
        ({"prop_consistency": 0.33333}, "prop_consistency must be a multiple of 0.0001, was 0.33333"),
        ({"prop_firm": "ftmo"}, "prop_firm must be one of none, custom, apex-50k, .* or a .toml file of your own"),
        ({"prop_drawdown_kind": "static"}, "prop_drawdown_kind must be one of end_of_day, peak_equity"),
    ],
)
def test_rules_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        PropFirm(**settings)
