"""Rules of a firm in a trader's own file: what it may hold, what is refused, and which faces read it."""

import json
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
from support.market import market

from scalpr_zen import EmaCrossover, ParameterError, PropFirm, run, save_tape
from scalpr_zen.base import facts
from scalpr_zen.base.params import declared
from scalpr_zen.commands.dashboard import command, dashboard
from scalpr_zen.dashboard.guard import Address
from scalpr_zen.dashboard.workbench import Workbench
from scalpr_zen.sections.prop_firm.rules import FIRMS, KEYS, RuleSet, rule_set

SMALL = """
title = "Small"
account_usd = 1_000
target_usd = 100
drawdown_usd = 50
drawdown_kind = "end_of_day"
"""


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write a file of rules in the current folder."""
    monkeypatch.chdir(tmp_path)

    def write(text, name="own.toml"):
        Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    return write


def test_a_rule_that_a_file_leaves_out_does_not_apply(written):
    assert PropFirm(prop_firm=written(SMALL)).rules() == RuleSet(
        name="own.toml",
        title="Small",
        account_usd=1_000.0,
        target_usd=100.0,
        drawdown_usd=50.0,
        drawdown_kind="end_of_day",
        lock_usd=None,
        daily_loss_usd=None,
        min_days=0,
        consistency=None,
        contracts=None,
    )


def test_the_example_of_the_page_has_every_key_and_can_be_read(written):
    page = (Path(__file__).parents[1] / "docs" / "prop_firm.md").read_text(encoding="utf-8")
    example = re.search(r"^```toml\n(.*?)^```$", page, re.M | re.S)[1]
    rules = rule_set(written(example))
    assert re.findall(r"^(\w+) = ", example, re.M) == list(KEYS)
    assert (rules.lock_usd, rules.consistency, rules.contracts, rules.known) == (100.0, 0.5, 3, "2026-01-31")


@pytest.mark.parametrize("name", FIRMS)
def test_a_copy_of_a_packaged_file_has_its_rules(written, name):
    source = facts.PROP_FIRMS / f"{name}.toml"
    assert replace(rule_set(written(source.read_bytes(), "copy.toml")), name=name) == rule_set(name)


def test_a_parameter_stands_in_place_of_a_rule_of_the_file(written):
    settings = PropFirm(prop_firm=written(SMALL), prop_target=70, prop_contracts=2)
    assert (settings.rules().target_usd, settings.rules().contracts, settings.rules().drawdown_usd) == (70, 2, 50)


def test_line_breaks_of_a_note_count_as_spaces_and_a_byte_order_mark_as_nothing(written):
    rules = rule_set(written("\ufeff" + SMALL + 'note = """\nOne\n  two."""\r\n'))
    assert rules.note == "One two."


def test_parameters_are_equal_only_while_their_files_are(written):
    before = PropFirm(prop_firm=written(SMALL))
    assert before == PropFirm(prop_firm="own.toml")
    after = PropFirm(prop_firm=written(SMALL.replace("= 50\n", "= 60\n")))
    assert before != after
    assert (before.rules().drawdown_usd, after.rules().drawdown_usd) == (50, 60)


REFUSED = {
    "not TOML": (SMALL + "min_days : 3\n", r"own.toml is not TOML: .*line 7.*"),
    "no text": (b"title = '\xff'", r"own.toml is not TOML: .*"),
    "deep": ("x = " + "[" * 100_000, r"own.toml is not TOML: .*"),
    "a key twice": (SMALL + "target_usd = 5\n", r"own.toml is not TOML: .*"),
    "unknown": (SMALL + "targets_usd = 5\n", r"own.toml: 'targets_usd' is not a key: did you mean target_usd\?"),
    "a table": ("[rules]\n" + SMALL, r"own.toml: 'rules' is not a key: they are title, account_usd, .*"),
    "name": (SMALL + "name = 'x'\n", r"own.toml: 'name' is not a key.*"),
    "missing": (SMALL.replace("target_usd = 100\n", ""), "own.toml: target_usd must be given"),
    "all missing": (
        "",
        "own.toml: title and account_usd and target_usd and drawdown_usd and drawdown_kind must be given",
    ),
    "type": (SMALL.replace("= 100\n", "= '100'\n"), "own.toml: target_usd must be a finite number, was '100'"),
    "true": (SMALL + "min_days = true\n", "own.toml: min_days must be a whole number, was True"),
    "part": (SMALL + "min_days = 1.5\n", "own.toml: min_days must be a whole number, was 1.5"),
    "nan": (SMALL.replace("= 100\n", "= nan\n"), "own.toml: target_usd must be a finite number, was nan"),
    "low": (SMALL.replace("= 100\n", "= 0\n"), "own.toml: target_usd must be 0.01 to 100,000,000, was 0.0"),
    "high": (SMALL + "consistency = 55\n", "own.toml: consistency must be 0.01 to 1, was 55.0"),
    "kind": (
        SMALL.replace("end_of_day", "static"),
        "own.toml: drawdown_kind must be one of end_of_day, peak_equity, was 'static'",
    ),
    "share": (SMALL + "consistency = 0.33333\n", "own.toml: consistency must be a multiple of 0.0001, was 0.33333"),
    "lock": (
        SMALL + "lock_usd = -51\n",
        "own.toml: lock_usd must not be below -drawdown_usd, where the floor begins: -50, was -51",
    ),
    "date": (
        SMALL + "known = '2026-01-31'\n",
        "own.toml: known must be a date without quotes as in 2026-01-31, was '2026-01-31'",
    ),
    "sources": (SMALL + "sources = 'a page'\n", "own.toml: sources must be a list of texts, was 'a page'"),
    "source": (SMALL + "sources = [1]\n", "own.toml: sources must be printable ASCII text, was 1"),
    "title": (SMALL.replace("Small", "Größe"), "own.toml: title must be printable ASCII text, was 'Größe'"),
    "random_entries": (
        SMALL.replace("Small", r"\u001b[2J"),
        r"own.toml: title must be printable ASCII text, was '\\x1b\[2J'",
    ),
    "empty": (SMALL.replace("Small", ""), "own.toml: title must be printable ASCII text, was ''"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_file_is_refused_in_one_line(written, text, message):
    with pytest.raises(ParameterError) as refused:
        PropFirm(prop_firm=written(text))
    assert re.fullmatch(message, str(refused.value)), refused.value


def test_a_file_that_cannot_be_read_is_named(written):
    with pytest.raises(ParameterError, match=r"^none\.toml cannot be read: No such file or directory$"):
        PropFirm(prop_firm="none.toml")
    Path("folder.toml").mkdir()
    with pytest.raises(ParameterError, match=r"^folder\.toml cannot be read: Is a directory$"):
        PropFirm(prop_firm="folder.toml")


def test_the_result_names_the_file_and_holds_every_rule_of_it(written):
    text = SMALL + "consistency = 0.5\nsources = ['https://example.com']\nnote = 'A note.'\n"
    result = run(market(), EmaCrossover(), firm=PropFirm(prop_firm=written(text), prop_sims=0))
    values = json.loads(result.to_json())
    rules = values["prop_firm"]["rules"]
    assert values["parameters"]["prop_firm"] == rules["name"] == "own.toml"
    assert rules.keys() == {field.name for field in fields(RuleSet)} | {"changed"}
    assert (rules["title"], rules["consistency"], rules["sources"]) == ("Small", 0.5, ["https://example.com"])
    assert "Small (" in result.full_text()


# The dashboard -----------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path):
    return save_tape(market(), tmp_path / "tape.npz")


def choices(bench):
    """What the page offers as firms."""
    [parameter] = [p for p in declared(bench.groups["firm"]) if p.name == "prop_firm"]
    return bench.offered(parameter).choices


@pytest.mark.parametrize("name", ["own.toml", "./own.toml", "/etc/passwd.toml", "missing.TOML"])
def test_a_request_cannot_name_a_file(path, written, name):
    written(SMALL)
    bench = Workbench(path, EmaCrossover)
    assert choices(bench) == ("none", "custom", *FIRMS)
    with pytest.raises(ParameterError, match=r"^prop_firm must be one of none, custom, [^/]*, was '"):
        bench.job({"prop_firm": name})


def test_a_request_may_name_the_file_that_the_dashboard_was_started_with_and_no_other(path, written):
    written(SMALL, "other.toml")
    bench = Workbench(path, EmaCrossover, written(SMALL))
    assert choices(bench) == ("none", "custom", *FIRMS, "own.toml")
    first = bench.job({"prop_firm": "own.toml"})
    assert first.setup.firm.rules().target_usd == 100
    assert first == bench.job({"prop_firm": "own.toml"})
    with pytest.raises(ParameterError, match=r"own\.toml, was 'other\.toml'$"):
        bench.job({"prop_firm": "other.toml"})
    written(SMALL.replace("= 100\n", "= 200\n"))
    assert first != bench.job({"prop_firm": "own.toml"})


def test_a_dashboard_of_a_wrong_file_does_not_start(path, written):
    with pytest.raises(ParameterError, match=r"^own\.toml: title and .* must be given$"):
        Workbench(path, EmaCrossover, written(""))
    with pytest.raises(ParameterError, match=r"must be a \.toml file of your own, was 'apex-50k'$"):
        Workbench(path, EmaCrossover, "apex-50k")


# The command line --------------------------------------------------------------------------------------


def test_the_command_line_reads_a_file(scalpr, path, written):
    written(SMALL)
    code, out, _ = scalpr("backtest", "--tape", path, "--prop-firm", "own.toml", "--prop-sims", 0, "--full")
    assert code == 0
    assert "Small (" in out
    code, out, err = scalpr("backtest", "--tape", path, "--prop-firm", "none.toml")
    assert (code, out) == (2, "")
    assert err == "error: none.toml cannot be read: No such file or directory\n"


def test_the_dashboard_offers_the_file_of_its_command_line(path, written, monkeypatch):
    served = []
    monkeypatch.setattr("scalpr_zen.dashboard.serve.serve", lambda bench, *_: served.append(bench))
    written(SMALL)
    dashboard(path, Address(), prop_firm="own.toml")
    command.main([str(path), "--prop-firm", "own.toml"], standalone_mode=False)
    assert [choices(bench)[-1] for bench in served] == ["own.toml"] * 2
