"""Ctrl-C: heard while a stage runs, in every stage, and while the package is imported.

Each piece of work here waits for ever, or would take many minutes: a test ends because the interrupt was heard.
"""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from support.asking import free_port
from support.dbn_files import trade, utc, write_day

import scalpr_zen.data.arrange
import scalpr_zen.data.demo
import scalpr_zen.data.preprocess
import scalpr_zen.data.reading
from scalpr_zen import MonteCarlo, Tape, instrument, save_tape
from scalpr_zen.base.engine import Engine, interrupts_held, run_all, stop_if_interrupted
from scalpr_zen.data.demo import write_demo
from scalpr_zen.data.preprocess import preprocess
from scalpr_zen.sections.monte_carlo.paths import monte_carlo

if sys.platform == "win32":
    pytest.skip("needs POSIX signals", allow_module_level=True)

ROOT = Path(__file__).parents[1]
NQ = instrument("NQ")


@pytest.fixture
def ctrl_c():
    """Press Ctrl-C and wait for ever, in whichever thread; the threads end with the test."""
    over, others = threading.Event(), threading.active_count()

    def press(*_, **__):
        os.kill(os.getpid(), signal.SIGINT)
        over.wait()
        raise KeyboardInterrupt

    yield press
    over.set()
    assert others <= threading.active_count()


# ----------------------------------------------------------------------------------------------- run_all


def test_ctrl_c_is_heard_while_work_goes_on_and_no_more_is_begun(ctrl_c):
    begun = []

    def work(number):
        begun.append(number)
        ctrl_c()

    with pytest.raises(KeyboardInterrupt), Engine(3):
        run_all(work, range(1_000))
    assert len(begun) <= 3
    assert run_all(lambda x: x + 1, [1, 2]) == [2, 3]


def test_work_inside_work_hears_it_too(ctrl_c):
    begun, ended = threading.Event(), threading.Event()

    def inner(number):
        begun.set()
        try:
            while True:
                stop_if_interrupted()
        finally:
            ended.set()

    def outer(number):
        if not number:
            return run_all(inner, [0])
        begun.wait()
        return ctrl_c()

    with pytest.raises(KeyboardInterrupt), Engine(2):
        run_all(outer, [0, 1])
    assert ended.wait(60)


def test_a_hold_around_several_stages_ends_at_the_stage_that_was_interrupted(ctrl_c):
    reached = []

    def stages():
        with interrupts_held():
            run_all(lambda _: ctrl_c(), [0])
            reached.append("the next one")

    with pytest.raises(KeyboardInterrupt):
        stages()
    assert not reached


def test_an_interrupt_that_the_process_ignores_is_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a job in the background
    try:
        assert run_all(lambda x: os.kill(os.getpid(), signal.SIGINT) or x, [1, 2]) == [1, 2]
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_error_of_the_first_row_that_fails_is_raised_and_no_further_row_is_begun():
    begun = []

    def work(number):
        begun.append(number)
        if number in (3, 5):
            raise ValueError(number)

    with pytest.raises(ValueError, match="3"), Engine(1):
        run_all(work, range(100))
    assert begun == [0, 1, 2, 3]


# ------------------------------------------------------------------------------------------------ stages


def test_ctrl_c_is_heard_while_the_disk_takes_its_time_and_the_old_tape_stays(tmp_path, monkeypatch, ctrl_c):
    tape = Tape.from_prints([10**18, 10**18 + 1], [3, 4], instrument=NQ)
    path = save_tape(tape, tmp_path / "tape.npz")
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        save_tape(tape.cut(1), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("stage", ["traded", "finish_tape", "_read_file"])
def test_ctrl_c_is_heard_in_every_stage_of_preprocess_and_leaves_nothing(tmp_path, monkeypatch, ctrl_c, stage):
    (tmp_path / "data").mkdir()
    write_day(tmp_path / "data", "2024-12-10", [trade(1, utc("2024-12-10 15:00"), 21_000)], {"NQZ4": 1})
    modules = {"traded": scalpr_zen.data.arrange, "finish_tape": scalpr_zen.data.preprocess}
    monkeypatch.setattr(modules.get(stage, scalpr_zen.data.reading), stage, ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        preprocess([tmp_path / "data"], NQ, tmp_path / "made" / "tape.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_ctrl_c_is_heard_while_the_demo_market_is_made(tmp_path, monkeypatch, ctrl_c):
    monkeypatch.setattr(scalpr_zen.data.demo, "draw_records", ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        write_demo(tmp_path / "demo", 5, 0)


def test_a_part_of_monte_carlo_is_small_enough_to_be_interrupted(monkeypatch):
    parts = []
    monkeypatch.setattr(
        scalpr_zen.sections.monte_carlo.paths,
        "_permute_kernel",
        lambda *args: parts.append(args[-1].fill(0) or len(args[-1])),
    )
    trades, sims = 1_000_000, 1_000
    monte_carlo(np.ones(trades), np.zeros(trades, np.int64), 1, MonteCarlo(monte_carlo_sims=sims))
    assert max(parts) * trades <= 20_000_000  # steps of 2 to 5 ns each
    assert sum(parts) == sims


def interrupted_at(line, command):
    """Run a command, send it SIGINT when it prints a line that holds a text, and return its exit code and stderr."""
    process = subprocess.Popen(
        [sys.executable, *map(str, command)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NUMBA_DISABLE_JIT": "0"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        seen = []
        while not seen or line not in seen[-1]:
            seen.append(process.stderr.readline())
            assert seen[-1], seen
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=60)[1]  # all the work would take much longer
        return process.returncode, rest
    finally:
        process.kill()
        process.communicate()


LONG_RUN = """
import sys
import numpy as np
import scalpr_zen.commands.console
import scalpr_zen.simulation.simulate
from scalpr_zen import Bracket, Execution, Setup, Tape, instrument

class Always:
    def signals(self, tape):
        return np.ones(len(tape), np.int8)

kernel = scalpr_zen.simulation.simulate.trade_kernel

def trade_kernel(*args):
    found = kernel(*args)  # compiled, where need be, before the test goes on
    print("trading", file=sys.stderr, flush=True)
    scalpr_zen.simulation.simulate.trade_kernel = kernel
    return found

scalpr_zen.simulation.simulate.trade_kernel = trade_kernel
n = 3_000_000  # each of as many trades reads all blocks of prints that follow: 70 billion reads
tape = Tape.from_prints(10**18 + np.arange(n), np.zeros(n, np.int32), instrument=instrument("NQ"))
far = Setup(bracket=Bracket(take_profit=1e5, stop_loss=1e5), execution=Execution(overlap=True))
work = scalpr_zen.simulation.simulate.simulate
scalpr_zen.commands.console.main(lambda: work(tape, Always().signals(tape), far.bracket, far.execution))
"""


@pytest.mark.process
def test_ctrl_c_ends_a_simulation_of_many_minutes():
    code, err = interrupted_at("trading", ["-c", LONG_RUN])
    assert (code, err) == (2, "error: interrupted\n")


CLEAN_UP = """
import atexit, sys, threading
from scalpr_zen.base import engine

engine.exit_on_interrupt()
from scalpr_zen import commands
from scalpr_zen.commands import console

def wait():
    print("working", file=sys.stderr, flush=True)
    threading.Event().wait()

atexit.register(print, "cleaned up", file=sys.stderr)
console.main(wait)
"""


@pytest.mark.process
def test_an_interrupted_process_ends_without_the_interpreters_clean_up():
    code, err = interrupted_at("working", ["-c", CLEAN_UP])
    assert (code, err) == (2, "error: interrupted\n")


LEAVING = """
import atexit, sys
from scalpr_zen.base import engine

{begun}engine.exit_on_interrupt()
from scalpr_zen.commands import console

class Kept:
    def __del__(self):
        print("interpreter cleaned up", file=sys.stderr)

kept = Kept()
kept.itself = kept  # so that only the interpreter's last clean-up finds it
atexit.register(print, "exit handler", file=sys.stderr)
print("result")
console.main(lambda: None)
"""


@pytest.mark.process
@pytest.mark.parametrize(("begun", "cleaned"), [("", ""), ("# ", "interpreter cleaned up\n")])
def test_a_process_of_its_own_ends_after_its_exit_handlers_without_the_interpreters_clean_up(begun, cleaned):
    code = LEAVING.format(begun=begun)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "result\n", f"exit handler\n{cleaned}")


DASHBOARD = """
import sys, threading
import numpy as np
from pathlib import Path
from scalpr_zen import Tape, instrument, save_tape
from scalpr_zen.dashboard.guard import Address
from scalpr_zen.base.engine import run_all
from scalpr_zen.commands import console

import scalpr_zen.dashboard.serve
scalpr_zen.dashboard.serve.PATIENCE = 0.0

class Endless:
    def signals(self, tape):
        run_all(lambda _: threading.Event().wait(), [0])

import scalpr_zen.dashboard.workbench
path = save_tape(Tape.from_prints([10**18, 10**18 + 1], [3, 4], instrument=instrument("NQ")), sys.argv[1])
bench = scalpr_zen.dashboard.workbench.Workbench(path, Endless)
console.main(lambda: scalpr_zen.dashboard.serve.serve(bench, Address(port=int(sys.argv[2])), console.say))
"""


@pytest.mark.process
def test_ctrl_c_ends_the_dashboard_though_a_run_goes_on(tmp_path):
    code, err = interrupted_at("Ctrl-C ends it", ["-c", DASHBOARD, tmp_path / "tape.npz", free_port()])
    assert (code, err) == (0, "")


# ----------------------------------------------------------------------------------------------- imports


@pytest.mark.process
@pytest.mark.parametrize("face", ["scalpr", "run_backtest.py", "preprocess.py", "dashboard.py"])
def test_ctrl_c_during_the_imports_is_one_line_and_exit_code_2(tmp_path, face):
    # One of the first packages that are imported takes for ever.
    (tmp_path / "numba.py").write_text(
        "import sys, time\nprint('importing', file=sys.stderr, flush=True)\ntime.sleep(3_600)\n"
    )
    start = "from scalpr_zen.start import entry_point; entry_point()"
    run = start if face == "scalpr" else f"import runpy; runpy.run_path({str(ROOT / face)!r}, run_name='__main__')"
    code, err = interrupted_at("importing", ["-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {run}"])
    assert (code, err) == (2, "error: interrupted\n")


def test_the_package_has_every_name_that_it_exports():
    public = {name: getattr(scalpr_zen, name) for name in scalpr_zen.__all__}
    assert {home for names in scalpr_zen._HOMES.values() for home in names} == set(public)
    assert set(public) <= set(dir(scalpr_zen))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = scalpr_zen.nothing
