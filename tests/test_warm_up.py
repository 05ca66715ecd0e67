"""The warm-up calls every kernel of a default run with the same types, so that nothing is left to compile."""

from __future__ import annotations

import signal
import subprocess
import sys

import numba
import pytest
from numba.core.dispatcher import Dispatcher
from support.budget import JIT

from scalpr_zen import EmaCrossover, Setup, Tape, instrument
from scalpr_zen.base.engine import Engine
from scalpr_zen.data.demo import write_demo
from scalpr_zen.data.preprocess import preprocess
from scalpr_zen.runs import warm_up
from scalpr_zen.runs.backtest import run_setup
from scalpr_zen.runs.warm_up import compile_kernels, compile_sections


def watched(kernel, calls):
    """The kernel, which also notes the types of each call from Python."""

    def call(*args):
        calls.add((kernel.py_func.__qualname__, *map(str, map(numba.typeof, args))))
        return kernel(*args)

    return call


def watch(monkeypatch):
    """Collect the calls of kernels from here on; all are compiled first, because they call each other."""
    compile_kernels()
    found: set = set()
    for module in [module for name, module in sys.modules.items() if name.startswith("scalpr_zen.")]:
        for name, value in list(vars(module).items()):
            if isinstance(value, Dispatcher):
                monkeypatch.setattr(module, name, watched(value, found))
    return found


def calls_of(work, calls):
    calls.clear()
    work()
    return set(calls)


@pytest.mark.skipif(not JIT, reason="nothing is compiled")
@pytest.mark.parametrize("sessions", [10, 1])
def test_a_default_run_on_a_tape_of_a_file_calls_no_kernel_with_types_that_the_warm_up_did_not(
    sessions, tmp_path, monkeypatch
):
    write_demo(tmp_path / "demo", sessions, prints_a_session=5_000)
    preprocess([tmp_path / "demo"], instrument("NQ"), tmp_path / "tape.npz")
    calls = watch(monkeypatch)
    warmed = calls_of(compile_kernels, calls)
    calls.clear()
    result = run_setup(Tape.open(tmp_path / "tape.npz"), EmaCrossover(), Setup())
    assert all(result.to_dict()[name] for name in ("statistics", "fills", "random_entries", "prop_firm"))
    assert bool(result.to_dict()["monte_carlo"]["days"]) == (sessions > 1)
    assert calls
    assert calls <= warmed


# ------------------------------------------------------------------------------------ the second process


@pytest.mark.skipif(not JIT, reason="nothing is compiled")
def test_the_second_process_compiles_all_but_the_signals_and_nothing_that_a_run_does_not_call(monkeypatch):
    calls = watch(monkeypatch)
    warmed, its = calls_of(compile_kernels, calls), calls_of(compile_sections, calls)
    assert its <= warmed
    assert {name for name, *_ in warmed - its} <= {"_crossover_kernel"}


def test_the_second_process_ends_with_the_block(monkeypatch):
    monkeypatch.setattr(warm_up, "_HELPER", "import threading; threading.Event().wait()")
    with Engine(2), warm_up._helper() as process:
        assert process.poll() is None
    assert process.poll() is not None


@pytest.mark.parametrize("helper", ["raise SystemExit(1)", "no python"])
def test_a_second_process_that_fails_changes_nothing(helper, monkeypatch, capfd):
    monkeypatch.setattr(warm_up, "_HELPER", helper)
    with Engine(2), warm_up._helper() as process:
        assert process.wait(60) == 1
    assert capfd.readouterr() == ("", "")


def test_without_a_python_to_start_there_is_no_second_process(monkeypatch):
    monkeypatch.setattr(sys, "executable", "")
    with Engine(2), warm_up._helper() as process:
        assert process is None


def test_without_a_second_core_or_a_cache_there_is_no_second_process(monkeypatch):
    with Engine(1), warm_up._helper() as process:
        assert process is None
    monkeypatch.setattr(warm_up, "is_kept", lambda: False)
    with Engine(2), warm_up._helper() as process:
        assert process is None


HELPER = """
import threading
from scalpr_zen.base.engine import end_with_stdin

end_with_stdin()
print("working", flush=True)
threading.Event().wait()
"""


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_a_helper_ends_with_its_stdin_and_not_by_ctrl_c():
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HELPER], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout.readline() == "working\n"
        process.send_signal(signal.SIGINT)
        process.stdin.close()
        assert process.wait(60) == 0


# -------------------------------------------------------------------------------------------- imports


@pytest.mark.process
def test_a_command_does_not_wait_for_packages_that_it_may_not_need():
    code = (
        "import sys, scalpr_zen.commands, scalpr_zen.data.demo, scalpr_zen.data.preprocess; "
        "late = {'scipy.special', 'scipy.signal', 'pandas', 'holidays', 'plotly', 'rich.progress'}; "
        "print(sorted(late & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")
