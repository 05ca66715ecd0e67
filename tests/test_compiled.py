"""Several processes share compiled code: one at a time compiles a function, and the others load it."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numba
import pytest
from numba.core.errors import NumbaError
from support.budget import JIT

from scalpr_zen.base import compiled

pytestmark = pytest.mark.skipif(sys.platform == "win32" or not JIT, reason="needs POSIX locks, and the compiler")

KERNEL = """
from scalpr_zen.base.compiled import njit

@njit(cache=True)
def double(x):
    return 2 * x

@njit(cache=True)
def wrong(x):
    return x.no_such_attribute
"""


@pytest.fixture
def kernels(tmp_path, monkeypatch):
    """A function that gives the kernels as a process that has just started has them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "kept"))
    Path("kernel.py").write_text(KERNEL)
    return lambda: runpy.run_path("kernel.py")


def lock_of(kernel):
    """The lock of a kernel, as another process opens it."""
    path = Path(kernel._cache._cache_file._index_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return open(f"{path}.lock", "ab")


def test_a_function_that_another_process_compiles_is_not_compiled_until_that_one_has_ended(kernels, monkeypatch):
    double = kernels()["double"]
    other = lock_of(double)
    assert compiled._locked(other)
    waited = []

    def sleep(_):
        waited.append(len(double.overloads))
        if len(waited) == 3:
            other.close()

    monkeypatch.setattr(compiled.time, "sleep", sleep)
    assert double(21) == 42
    assert waited == [0, 0, 0]


def test_what_another_process_has_compiled_meanwhile_is_loaded(kernels, monkeypatch):
    mine, its = (kernels()["double"] for _ in range(2))
    lock = lock_of(mine)
    assert compiled._locked(lock)

    def sleep(_):
        lock.close()
        assert its(21) == 42

    monkeypatch.setattr(compiled.time, "sleep", sleep)
    assert mine(21) == 42
    assert sum(its.stats.cache_misses.values()) == 1
    assert (sum(mine.stats.cache_hits.values()), sum(mine.stats.cache_misses.values())) == (1, 0)


def test_a_function_that_cannot_be_compiled_keeps_no_other_process_waiting(kernels):
    wrong = kernels()["wrong"]
    with pytest.raises(NumbaError):
        wrong(1)
    with lock_of(wrong) as other:
        assert compiled._locked(other)


def test_where_files_cannot_be_locked_functions_are_compiled_all_the_same(kernels, monkeypatch):
    def none(*_):
        raise OSError(compiled.errno.ENOLCK, "no locks available")

    monkeypatch.setattr(compiled.fcntl, "flock", none)
    assert kernels()["double"](21) == 42
