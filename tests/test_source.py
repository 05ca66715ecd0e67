"""The identity of a strategy's source: what changes it, and what does not."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from support.tapes import Given

from scalpr_zen import EmaCrossover, MomentumBurst
from scalpr_zen.strategies.source import source_sha256, strategy_sha256
from scalpr_zen.strategies.user_code import load_strategy

FILE = "import helper\nfrom parts import fast\nimport os\n\nclass S:\n    def signals(self, tape): ...\n"
BESIDE = {
    "helper.py": "import deeper\n",
    "deeper.py": "X = 1\n",
    "parts/__init__.py": "from . import slow\n",
    "parts/fast.py": "from .slow import Y\nfrom ..helper import Z\n",
    "parts/slow.py": "Y = 2\n",
    "apart.py": "W = 3\n",
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "parts").mkdir()
    for name, text in BESIDE.items() | {"mine.py": FILE}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_it_covers_the_file_and_each_module_beside_it_that_is_imported_however_deep(folder):
    before = source_sha256(folder / "mine.py")
    assert before == source_sha256(folder / "mine.py")
    for name in ("mine.py", "helper.py", "deeper.py", "parts/__init__.py", "parts/fast.py", "parts/slow.py"):
        text = (folder / name).read_text()
        (folder / name).write_text(text + "\n")
        assert source_sha256(folder / "mine.py") != before, name
        (folder / name).write_text(text)
    assert source_sha256(folder / "mine.py") == before


def test_modules_that_are_not_imported_and_the_name_of_the_file_do_not_count(folder):
    before = source_sha256(folder / "mine.py")
    (folder / "apart.py").write_text("W = 4\n")
    (folder / "mine.py").rename(folder / "renamed.py")
    assert source_sha256(folder / "renamed.py") == before


def test_an_installed_module_hides_one_of_its_name_beside_the_file(tmp_path):
    (tmp_path / "mine.py").write_text("import json\n")
    before = source_sha256(tmp_path / "mine.py")
    (tmp_path / "json.py").write_text("X = 1\n")
    assert source_sha256(tmp_path / "mine.py") == before


def test_an_import_inside_a_function_counts_and_a_module_that_is_no_python_is_no_error(tmp_path):
    (tmp_path / "mine.py").write_text("def f():\n    import late\n")
    (tmp_path / "late.py").write_text("this is no python")
    before = source_sha256(tmp_path / "mine.py")
    (tmp_path / "late.py").write_text("nor is this")
    assert source_sha256(tmp_path / "mine.py") != before


def test_a_loaded_strategy_keeps_the_source_that_it_was_made_from(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("class S:\n    def signals(self, tape): ...\n")
    first = load_strategy(str(path))
    digest = strategy_sha256(first())
    path.write_text("class S:\n    def signals(self, tape): return None\n")
    assert strategy_sha256(first()) == digest
    assert strategy_sha256(load_strategy(str(path))()) not in (digest, None)


def test_built_in_strategies_have_their_own_sources_whatever_their_parameters():
    digests = [strategy_sha256(made) for made in (EmaCrossover(), EmaCrossover(fast_period=3), MomentumBurst())]
    assert digests[0] == digests[1]
    assert None not in digests
    assert digests[1] != digests[2]


def test_an_object_that_holds_more_than_its_declared_parameters_has_no_source():
    assert strategy_sha256(Given(np.zeros(3, np.int8))) is None


def test_a_class_without_a_file_or_source_has_none(monkeypatch):
    kind = type("S", (), {"__module__": "nowhere"})
    assert strategy_sha256(kind()) is None
    monkeypatch.setitem(sys.modules, "nowhere", type(sys)("nowhere"))
    assert strategy_sha256(kind()) is None


def test_many_threads_at_once_find_the_same_digest(folder):
    expected = source_sha256(folder / "mine.py")
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(source_sha256, [folder / "mine.py"] * 100)) == {expected}
