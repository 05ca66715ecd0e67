"""The sections of a run as the server gives them: what they declare, beside a pinned run, and kept while they hold."""

import json
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.asking import EVERYTHING, FAST, LATER, answer, ask, made, refused, whole
from support.budget import examples

from scalpr_zen import ParameterError, ScalprError
from scalpr_zen.base.params import declared
from scalpr_zen.render.data import jsonable
from scalpr_zen.render.html import blocks_html
from scalpr_zen.render.table import Table, beside
from scalpr_zen.runs.backtest import computed
from scalpr_zen.sections import sections
from scalpr_zen.sections.baseline import versus
from scalpr_zen.sections.setup import GROUPS
from scalpr_zen.sections.statistics import headline

pytestmark = pytest.mark.usefixtures("few_tapes")

AT_ONCE = [name for name in sections() if name not in LATER]
OTHER = FAST | {"take_profit": 2, "stop_loss": 1.5}


def section_of(client, name, given):
    return answer(client, f"/api/section/{name}", given)


def changed(monkeypatch, name, compute):
    """Let a section compute something else."""
    monkeypatch.setitem(sections(), name, replace(sections()[name], compute=compute))


# ------------------------------------------------------------------------------------------ declarations


@pytest.mark.parametrize("given", [{}, FAST, EVERYTHING], ids=["no trades", "few", "everything"])
def test_every_section_is_what_it_declares(client, bench, given):
    result = whole(bench, given)
    values = json.loads(result.to_json())
    for name, section in sections().items():
        assert section_of(client, name, given) == {
            "values": values[name],
            "html": blocks_html(section.blocks(result.run, result.values)),
            "figures": json.loads(json.dumps({chart.name: chart.figure(values) for chart in section.charts})),
            "notes": list(section.notes(result.run, result.values)),
            "line": section.line(result.values) if section.line else "",
        }


def test_a_run_comes_with_every_section_that_takes_no_time(client):
    run = answer(client, "/api/run", FAST)
    assert list(run["sections"]) == AT_ONCE
    assert run["sections"] == {name: section_of(client, name, FAST) for name in AT_ONCE}


def test_a_run_leads_with_the_screen_of_the_report(client, bench):
    run, values = answer(client, "/api/run", FAST), made(bench, FAST).values
    assert run["headline"] == blocks_html([headline(values), versus(values)])
    assert run["name"] == "EmaCrossover NQ"
    assert run["manifest"] == jsonable(values["manifest"])


def test_the_notes_of_all_sections_are_those_of_the_report(client, bench):
    found = [note for name in reversed(sections()) for note in section_of(client, name, FAST)["notes"]]
    assert found == whole(bench, FAST).values["notes"] != []


# ---------------------------------------------------------------------------------------------- the pin


def test_a_pinned_run_stands_beside_the_run_in_every_table_of_both(client, bench):
    pinned = FAST | {"pin": "fast_period=3&slow_period=8"}
    own, other = made(bench, FAST), made(bench, {"fast_period": 3, "slow_period": 8})
    run = answer(client, "/api/run", pinned)
    lead = beside(headline(own.values), headline(other.values))
    assert run["headline"] == blocks_html([lead, versus(own.values)])
    for name in AT_ONCE:
        blocks, others = (list(sections()[name].blocks(result.run, result.values)) for result in (own, other))
        if len(blocks) == len(others):
            blocks = [beside(a, b) if isinstance(a, Table) else a for a, b in zip(blocks, others, strict=True)]
        assert run["sections"][name]["html"] == section_of(client, name, pinned)["html"] == blocks_html(blocks)
    assert "<th" in run["sections"]["statistics"]["html"]
    assert "pinned" in run["sections"]["statistics"]["html"]


def test_the_line_of_the_pinned_run_is_added_to_the_equity(client):
    figures = answer(client, "/api/run", FAST | {"pin": "fast_period=3&slow_period=8"})["sections"]["series"]["figures"]
    alone, other = (
        answer(client, "/api/run", given)["sections"]["series"]["figures"]
        for given in (FAST, {"fast_period": 3, "slow_period": 8})
    )
    for name in ("equity_by_day", "equity_by_trade"):
        *own, last = figures[name]["data"]
        assert own == alone[name]["data"]
        line = next(trace for trace in other[name]["data"] if trace["name"] == "strategy")
        assert (last["name"], last["x"], last["y"]) == ("pinned", line["x"], line["y"])


def test_a_pin_changes_no_data_and_no_section_that_takes_time(client):
    for name in sections():
        alone, beside_it = (section_of(client, name, given) for given in (FAST, FAST | {"pin": "take_profit=2"}))
        if name in LATER:
            assert beside_it == alone
        else:
            assert {key: beside_it[key] for key in ("values", "notes", "line")} == {
                key: alone[key] for key in ("values", "notes", "line")
            }


# -------------------------------------------------------------------------------- kept while they hold


CHANGES = [
    ({"fast_period": 3}, "strategy"),
    ({"take_profit": 2}, "bracket"),
    ({"commission": 1}, "execution"),
    ({"sides": "long"}, "rules"),
    ({"pessimistic_commission": 9}, "pessimistic"),
    ({"seed": 9}, "settings"),
    ({"prop_target": 500}, "firm"),
    ({"prop_sims": 3}, "firm"),
]


@pytest.mark.parametrize(("change", "group"), CHANGES, ids=[next(iter(change)) for change, _ in CHANGES])
def test_a_change_computes_again_what_depends_on_its_group_alone(fresh, monkeypatch, change, group):
    asked = []
    for name in LATER:
        original = sections()[name].compute

        def counting(run, values, name=name, original=original):
            asked.append(name)
            return original(run, values)

        changed(monkeypatch, name, counting)
    for name in LATER:
        section_of(fresh, name, FAST)
        section_of(fresh, name, FAST)
    assert asked == LATER
    found = {name: section_of(fresh, name, FAST | change) for name in LATER}
    assert asked[len(LATER) :] == [name for name in LATER if group in (*sections()[name].groups, "strategy")]
    assert found == {name: section_of(fresh, name, FAST | change) for name in LATER}


def some_of(names):
    """Some parameters with the values that no default has."""
    known = {name: st.just(EVERYTHING[name]) for name in names if name != "overlap"}
    return st.fixed_dictionaries({}, optional=known)


@st.composite
def foreign(draw):
    """A section, a run of it, and a change of parameters of groups that the section does not name."""
    name = draw(st.sampled_from(LATER))
    groups = {group: [p.name for p in declared(kind)] for group, kind in GROUPS.items()}
    own = [p for group in sections()[name].groups for p in groups[group]]
    others = [p for group in groups if group not in sections()[name].groups for p in groups[group]]
    start = {"fast_period": 2, "slow_period": 5, "monte_carlo_sims": 5, "random_entry_sims": 5, "prop_sims": 5}
    return name, start | draw(some_of(own)), draw(some_of(others))


@examples(100)
@given(foreign())
def test_no_section_depends_on_a_group_that_it_does_not_name(bench, drawn):
    name, given, change = drawn
    assume(change)
    try:
        own, other = made(bench, given), made(bench, given | change)
    except ParameterError:
        assume(False)
    assert jsonable(computed(own, name)[0]) == jsonable(computed(other, name)[0])


# ------------------------------------------------------------------------------------------------ errors


def test_a_section_that_is_refused_leaves_the_others_as_they_are(fresh, monkeypatch):
    expected = {name: section_of(fresh, name, OTHER)["html"] for name in LATER}

    def refuse(*_):
        raise ScalprError("too much")

    changed(monkeypatch, "monte_carlo", refuse)
    given = OTHER | {"seed": 5}
    assert refused(ask(fresh, "/api/section/monte_carlo", given), 400) == "too much"
    for name in (*AT_ONCE, "fills", "random_entries", "prop_firm"):
        assert section_of(fresh, name, given)["values"]
    assert section_of(fresh, "fills", given)["html"] == expected["fills"]
    monkeypatch.undo()
    assert section_of(fresh, "monte_carlo", given)["values"]["seed"] == 5


def test_no_text_of_a_section_is_markup(fresh, monkeypatch):
    bad = "<img src=x onerror=alert(1)>"
    original = sections()["prop_firm"].compute

    def marked(run, values):
        found = original(run, values)
        return found | {"notes": [bad], "rules": found["rules"] | {"title": bad, "note": bad}}

    changed(monkeypatch, "prop_firm", marked)
    html = section_of(fresh, "prop_firm", FAST)["html"]
    assert "&lt;img src=x" in html
    assert "<img" not in html
