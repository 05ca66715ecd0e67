"""Sections: declared once, found by every face, each key of their data with a sentence."""

import json
import os
import re
from pathlib import Path

import pytest
from support.drawing import RESULTS
from support.reports import FAST, FEW_PATHS

from scalpr_zen import Bracket, Execution, PropFirm, Tape, instrument, run
from scalpr_zen.base.params import declared
from scalpr_zen.data.preprocess import preprocess
from scalpr_zen.runs.backtest import computed, run_setup
from scalpr_zen.runs.manifest import FIELDS
from scalpr_zen.sections import sections
from scalpr_zen.sections.setup import GROUPS
from scalpr_zen.sections.tape import tape_facts

LATER = [section.name for section in sections().values() if section.later]


def test_the_json_holds_every_section_the_notes_and_the_manifest():
    for result in RESULTS.values():
        assert set(json.loads(result.to_json())) == {*sections(), "notes", "manifest"}


def test_a_section_needs_only_sections_that_are_made_before_it():
    made = []
    for section in sections().values():
        assert set(section.needs) <= set(made)
        made.append(section.name)


def test_the_order_of_the_sections_is_decided():
    assert len({section.order for section in sections().values()}) == len(sections())


def test_a_section_that_takes_long_depends_on_groups_that_there_are():
    assert LATER
    for name in LATER:
        assert set(sections()[name].groups) <= set(GROUPS)


def test_a_run_without_the_sections_that_take_long_has_them_empty_and_each_can_be_made_alone():
    quick, whole = RESULTS["without paths"], RESULTS["no paths"]
    assert {name: quick.values[name] for name in LATER} == {name: {} for name in LATER}
    data, seconds = computed(quick, "prop_firm")
    made = quick.having({"prop_firm": (data, seconds)})
    assert made.values["prop_firm"] == data != {}
    assert made.values["manifest"]["seconds"]["prop_firm"] == seconds
    assert set(LATER) <= set(whole.values["manifest"]["seconds"])


def test_progress_is_shown_by_the_stages_done_and_in_all():
    seen = []
    result = RESULTS["normal"]
    run_setup(result.tape, FAST, result.run.setup, progress=lambda *stage: seen.append(stage))
    assert seen == [(done, 1 + len(LATER)) for done in range(1, 1 + len(LATER))]


# Sentences of the keys --------------------------------------------------------------------------------


def paths(value, path=""):
    """Every path of plain data that leads to no further one, `[]` for each item of a list."""
    inside = (
        value.items() if isinstance(value, dict) else [("", item) for item in value] if isinstance(value, list) else []
    )
    if not inside:
        yield path
    for key, item in inside:
        yield from paths(item, path + "[]" if isinstance(value, list) else f"{path}.{key}".lstrip("."))


def field_of(path, fields):
    """The field that documents a path: itself, with a star for a key, or an empty list or object at its beginning."""
    if path in fields:
        return path
    for field in fields:
        pattern = re.escape(field).replace(r"\*", r"[^.\[]+")
        if re.fullmatch(pattern, path):
            return field
    return None


def documented(values, fields):
    """The fields that the data of a section have, and the paths that have none."""
    found = {path: field_of(path, fields) for path in set(paths(values))}
    unknown = [path for path, field in found.items() if field is None and not begins(path, fields)]
    return {field for field in found.values() if field is not None}, unknown


def begins(path, fields):
    """Whether a path is an empty list, object or null where fields go on."""
    return any(field.startswith(path) for field in fields)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    looks = run(
        RESULTS["normal"].tape,
        FAST,
        Bracket(),
        Execution(entry="signal"),
        settings=FEW_PATHS,
        firm=PropFirm(prop_target=100.0),
    )
    return [*RESULTS.values(), looks]


@pytest.mark.parametrize("name", [*sections(), "manifest"])
def test_every_key_has_its_sentence(name, results):
    fields = FIELDS if name == "manifest" else sections()[name].fields
    for result in results:
        _, unknown = documented(result.values[name], fields)
        assert unknown == []
    assert all(sentence.strip() for sentence in fields.values())


@pytest.mark.process
@pytest.mark.skipif("SCALPR_REAL_DATA" not in os.environ, reason="SCALPR_REAL_DATA names no folder of real data")
@pytest.mark.parametrize(("folder", "root"), [("roll", "NQ"), ("parent", "GC")])
def test_every_key_of_a_real_tape_has_its_sentence(tmp_path, folder, root):
    preprocess([Path(os.environ["SCALPR_REAL_DATA"]) / folder], instrument(root), tmp_path / "tape.npz")
    _, unknown = documented(tape_facts(Tape.open(tmp_path / "tape.npz")), sections()["tape"].fields)
    assert unknown == []


OF_A_FILE = {"tape"}
"""Sections of which some keys are in tapes that were made of files only."""


@pytest.mark.parametrize("name", sorted({*sections()} - OF_A_FILE))
def test_every_sentence_is_of_a_key_that_there_is(name, results):
    fields = sections()[name].fields
    used = set().union(*(documented(result.values[name], fields)[0] for result in results))
    opened = {field for field in fields if any(other.startswith((f"{field}.", f"{field}[")) for other in fields)}
    assert set(fields) - opened <= used


def test_the_parameters_of_a_run_are_those_that_are_declared():
    result = RESULTS["normal"]
    names = [p.name for group in (type(FAST), *GROUPS.values()) for p in declared(group)]
    assert list(result.values["parameters"]) == ["strategy", *names]
