import contextlib
import importlib.util
import io
import re
import shutil
from pathlib import Path

import pytest
from support.budget import JIT, LONG
from support.market import market
from support.printed import check_baseline, check_counts, check_months, check_statistics, printed_statistics, section

from scalpr_zen import EmaCrossover, instrument, run, save_tape
from scalpr_zen.base.params import declared
from scalpr_zen.dashboard.tape_window import Window
from scalpr_zen.dashboard.trades_page import Page
from scalpr_zen.sections.statistics import STATISTICS
from scalpr_zen.strategies.user_code import BUILT_IN

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FENCED = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WITH_EXAMPLES = [
    page
    for page in [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
    if FENCED.search(page.read_text(encoding="utf-8"))
]


@pytest.fixture(scope="module")
def generate():
    """The module docs/generate.py."""
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: page.name)
def test_the_python_examples_of_a_page_run_and_trade(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("cache").mkdir()
    save_tape(market(), "cache/demo.npz")
    text, names = page.read_text(encoding="utf-8"), {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        for block in FENCED.finditer(text):
            lines_before = text[: block.start(1)].count("\n")
            exec(compile("\n" * lines_before + block[1], str(page), "exec"), names)  # errors name the line of the page
    if page.name == "parameters.md":
        assert len(names["result"].trades) > 0
        assert "lookback=10, " in shown.getvalue()
    if page.name == "strategies.md":
        assert len(names["result"].trades) > 5
        assert names["is_causal"](names["AfterARun"](), market(), range(300))


def test_the_pages_with_examples_are_known():
    assert {"parameters.md", "strategies.md"} <= {page.name for page in WITH_EXAMPLES}


@pytest.fixture(scope="module")
def pages():
    """The module docs/sample.py."""
    spec = importlib.util.spec_from_file_location("docs_sample", DOCS / "sample.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def sample(pages) -> str:
    """The report that docs/report.md shows."""
    return pages.shown(pages.REPORT)


def shape(text: str) -> list:
    """The titles of a report, and the labels and sentences of its parameters and statistics."""
    titles = re.findall(r"^(.+)\n-+$", text, re.M)
    cells = [re.split(r"\s{2,}", line.strip()) for line in section(text, "PARAMETERS") if " default  " in line]
    names = [(row[0], row[-1]) for row in cells if row[0] != "point_value"]
    return [*titles, *names, *printed_statistics(text)]


def test_the_report_of_the_docs_has_the_parts_of_a_report(sample):
    assert shape(sample) == shape(run(market(), EmaCrossover()).full_text())


def test_the_ratios_of_the_report_of_the_docs_follow_from_its_parts(sample):
    text = sample
    have = check_statistics(text)
    check_months(text, have)
    check_baseline(text, have, instrument("NQ").point_value)
    check_counts(text, have)


def test_the_page_of_strategies_tells_every_built_in_one_and_every_name_that_is_taken():
    page = (DOCS / "strategies.md").read_text(encoding="utf-8")
    for name, kind in BUILT_IN.items():
        assert f"**{name}**" in page
        assert all(f"`{parameter.name}`" in page for parameter in declared(kind))
    for group in (Page, Window):
        assert all(f"`{parameter.name}`" in page for parameter in declared(group))


@pytest.mark.parametrize(
    "name", ["parameters.md", "statistics.md", "dashboard.md", "instruments.md", "data.md", "prop_firm.md"]
)
def test_the_generated_tables_are_fresh(generate, name):
    page = (DOCS / name).read_text(encoding="utf-8")
    assert "<!-- generated: " in page
    assert generate.refreshed(page) == page, "run python docs/generate.py"


def test_the_parameters_of_run_backtest_are_fresh(generate):
    text = (ROOT / "run_backtest.py").read_text(encoding="utf-8")
    assert generate.script(text) == text, "run python docs/generate.py"
    stale = text.replace("STOP_FILL = ", "STOPFILL = ").replace("CONTRACTS = 1  #", "CONTRACTS = 2  #")
    assert stale != text
    assert generate.script(stale) == text


def test_the_generator_refreshes_what_is_stale_and_nothing_else(generate, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(generate, "FOLDER", tmp_path / "docs")
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "run_backtest.py", tmp_path)
    for name in generate.PAGES:
        page = (DOCS / name).read_text(encoding="utf-8")
        stale = re.sub(r"(?<=\| --- \|\n)\| ", "| stale ", page)
        assert stale != page
        (tmp_path / "docs" / name).write_text(stale, encoding="utf-8")
    generate.main()
    assert (
        capsys.readouterr().out
        == "".join(f"{name}: written\n" for name in generate.PAGES) + "run_backtest.py: unchanged\n"
    )
    assert all((tmp_path / "docs" / name).read_bytes() == (DOCS / name).read_bytes() for name in generate.PAGES)
    generate.main()
    assert capsys.readouterr().out == "".join(f"{name}: unchanged\n" for name in (*generate.PAGES, "run_backtest.py"))


def rows(page: str) -> list[list[str]]:
    lines = [line for line in (DOCS / page).read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_every_parameter_of_a_run_stands_in_the_table(generate):
    told = {cells[0]: cells for cells in rows("parameters.md")}
    for group in generate.GROUPS:
        for parameter in declared(group):
            _, flag, unit, default, allowed, meaning = told[f"`{parameter.name}`"]
            assert flag.startswith(f"`{parameter.flag}")
            assert (unit, meaning) == (parameter.unit_text, parameter.sentence)
            assert default == ("none" if parameter.default is None else str(parameter.default))
            assert allowed


def test_every_statistic_stands_in_the_table_in_the_order_of_the_report():
    told = [cells for cells in rows("statistics.md") if cells[1].startswith("`")]
    expected = [[row.label, f"`{row.key}`", row.unit, row.definition, row.target] for row in STATISTICS]
    assert told == expected


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))], ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        assert target.startswith(("http://", "https://")) or (page.parent / target).exists(), target


@pytest.mark.skipif(not (LONG and JIT), reason="ten sessions of the demo market: CI runs them (SCALPR_TESTS=long)")
def test_the_runs_of_the_readme_and_of_the_docs_are_the_one_of_run_backtest(pages):
    """Line by line, but for the time of the run and the tape's hash, which holds the compressor's version."""

    def lasting(text):
        return [line for line in text.splitlines() if not line.startswith(("scalpr_zen ", "  sha256 "))]

    for page, text in zip((pages.README, pages.REPORT), pages.demo_run(), strict=True):
        assert lasting(text) == lasting(pages.shown(page)), "run python docs/sample.py"
    assert "*** SYNTHETIC" in pages.shown(pages.README)


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150
