"""The warm-up calls every kernel of a default run with the same types, so that nothing is left to compile."""

from __future__ import annotations

import sys

import numba
import pytest
from numba.core.dispatcher import Dispatcher
from support.budget import JIT

from scalpr_zen import EmaCrossover, Setup, Tape, instrument
from scalpr_zen.data.demo import write_demo
from scalpr_zen.data.preprocess import preprocess
from scalpr_zen.runs.backtest import run_setup
from scalpr_zen.runs.warm_up import compile_kernels


def watched(kernel, calls):
    """The kernel, which also notes the types of each call from Python."""

    def call(*args):
        calls.add((kernel.py_func.__qualname__, *map(str, map(numba.typeof, args))))
        return kernel(*args)

    return call


@pytest.mark.skipif(not JIT, reason="nothing is compiled")
@pytest.mark.parametrize("sessions", [10, 1])
def test_a_default_run_on_a_tape_of_a_file_calls_no_kernel_with_types_that_the_warm_up_did_not(
    sessions, tmp_path, monkeypatch
):
    write_demo(tmp_path / "demo", sessions, prints_a_session=5_000)
    preprocess([tmp_path / "demo"], instrument("NQ"), tmp_path / "tape.npz")
    compile_kernels()  # before the kernels are wrapped: they call each other
    calls: set = set()
    for module in [module for name, module in sys.modules.items() if name.startswith("scalpr_zen.")]:
        for name, value in list(vars(module).items()):
            if isinstance(value, Dispatcher):
                monkeypatch.setattr(module, name, watched(value, calls))
    compile_kernels()
    warmed = set(calls)
    calls.clear()
    result = run_setup(Tape.open(tmp_path / "tape.npz"), EmaCrossover(), Setup())
    assert all(result.to_dict()[name] for name in ("statistics", "fills", "random_entries", "prop_firm"))
    assert bool(result.to_dict()["monte_carlo"]["days"]) == (sessions > 1)
    assert calls
    assert calls <= warmed
