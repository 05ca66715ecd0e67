"""Files that are written: their mode, full disks, folders that are closed, and what is printed all the same."""

import contextlib
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numba
import pytest
from support.budget import JIT
from support.console import FAST, refused, results
from support.market import market
from support.tapes import tape_of

import scalpr_zen
import scalpr_zen.data.demo
from scalpr_zen import Tape, TapeError, save_tape
from scalpr_zen.base import compiled

pytestmark = pytest.mark.usefixtures("elsewhere")


@pytest.fixture
def tape(tmp_path):
    return save_tape(market(), tmp_path / "tape.npz")


@pytest.mark.skipif(sys.platform == "win32", reason="needs the modes of POSIX")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640)])
def test_a_tape_has_the_mode_of_any_new_file(umask, mode, tmp_path):
    before = os.umask(umask)
    try:
        path = save_tape(market(), tmp_path / "new.npz")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("table", ["segments", "sessions"])
@pytest.mark.parametrize("field", ["start", "stop"])
def test_a_tape_whose_segments_or_sessions_leave_out_a_print_is_refused(table, field, tmp_path):
    whole = tape_of([1, 2])
    getattr(whole, table)[field] = 1
    with pytest.raises(TapeError, match=f"{table} do not cover its 2 prints"):
        Tape.open(save_tape(whole, tmp_path / "cut.npz"))


@pytest.mark.parametrize("out", ["tape.npz", "tape.npz/below"])
def test_a_result_that_cannot_be_saved_is_printed_and_the_error_says_so(scalpr, tape, out):
    code, printed, err = scalpr("backtest", "--tape", tape, *FAST, "--json", "--out", out)
    assert code == 2
    assert json.loads(printed)["statistics"]["trades"] == 9
    assert re.fullmatch(rf"\n?error: the report is not saved: {out} cannot be written: [^\n]+\n", err)


def in_a_process(code, *args, stdout=subprocess.PIPE, **env):
    """Run the console command after some code in a process of its own."""
    command = [
        sys.executable,
        "-c",
        f"{code}\nfrom scalpr_zen.start import entry_point\nentry_point()",
        *map(str, args),
    ]
    return subprocess.run(
        command,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, "NUMBA_DISABLE_JIT": "0", **env},
    )


SMALL_DISK = """
import resource, signal, sys
sys.dont_write_bytecode = True  # Python would keep the half of it that fits
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, resource.RLIM_INFINITY))
"""
"""No file grows beyond 1,000 bytes: the error of a full disk in any place, for any user."""


@contextlib.contextmanager
def small_disk():
    """The same for a while in this process."""
    resource = pytest.importorskip("resource")
    before, kept = resource.getrlimit(resource.RLIMIT_FSIZE), sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        sys.dont_write_bytecode = kept


COMPILED = (
    "import numpy as np\nfrom numba import njit\n\n\n@njit(cache=True)\ndef none(signals):\n    signals[:] = 0\n\n\n"
    "class Mine:\n    def signals(self, tape):\n        signals = np.zeros(len(tape), np.int8)\n"
    "        none(signals)\n        return signals\n"
)
ONE_NOTE = (
    r"note: compiled code cannot be kept \([^\n]+\), each start compiles it again: [^\n]+ NUMBA_CACHE_DIR [^\n]+\n"
)


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of file sizes")
def test_on_a_full_disk_a_result_is_printed_and_compiled_code_not_kept(tape):
    Path("mine.py").write_text(COMPILED)
    done = in_a_process(SMALL_DISK, "backtest", "--tape", tape, "--strategy", "mine.py:Mine")
    assert done.returncode == 2
    assert "Max drawdown" in done.stdout
    error = (
        r"error: the report is not saved: results cannot be written: File too large: free some space there, [^\n]+\n"
    )
    assert re.fullmatch(ONE_NOTE + r"\n" + error, done.stderr)
    assert sorted(path.name for path in Path().iterdir() if path.suffix != ".npz") == ["__pycache__", "mine.py"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of file sizes")
def test_on_a_full_disk_a_new_strategy_is_refused_for_that_reason_and_leaves_nothing(scalpr):
    with small_disk():
        message = refused(scalpr("new-strategy", "mine", "--folder", "there"))
    assert "mine.py cannot be written: File too large: free some space there" in message
    assert list(Path("there").iterdir()) == []


@pytest.mark.process
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_result_that_cannot_be_printed_is_saved(tape):
    with open("/dev/full", "w") as full:
        done = in_a_process("", "backtest", "--tape", tape, *FAST, stdout=full)
    assert done.returncode == 2
    assert {path.suffix for path in results().values()} == {".txt", ".json"}
    assert "error: stdout cannot be written: No space left on device" in done.stderr
    assert "Exception" not in done.stderr


NOWHERE = "import numba.core.caching\nnumba.core.caching.CacheImpl._locator_classes = []"
"""As in a read-only installation with a read-only home: numba finds no folder for compiled code."""


@pytest.mark.process
def test_without_a_folder_for_compiled_code_the_command_works_and_says_so_in_one_line(tape):
    done = in_a_process(NOWHERE, "--version")
    assert (done.returncode, done.stdout) == (0, f"scalpr, version {scalpr_zen.__version__}\n")
    assert re.fullmatch(ONE_NOTE, done.stderr)


@pytest.mark.skipif(sys.platform == "win32" or not JIT, reason="needs a limit of file sizes, and the compiler")
def test_a_kernel_whose_cache_cannot_be_read_or_written_is_compiled_and_gives_the_same(tmp_path, monkeypatch, capsys):
    Path("kernel.py").write_text(
        "from scalpr_zen.base.compiled import njit\n\n\n@njit(cache=True)\ndef double(x):\n    return 2 * x\n"
    )
    kept = tmp_path / "kept"
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(kept))

    def doubled():
        """What a fresh kernel makes of 21, and what it says."""
        monkeypatch.setattr(compiled, "_reported", [])
        return runpy.run_path("kernel.py")["double"](21), capsys.readouterr().err

    assert doubled() == (42, "")
    [index] = kept.rglob("*.nbi")
    index.unlink()
    index.mkdir()  # cannot be opened, not even by root
    found = [doubled()]
    index.rmdir()
    with small_disk():
        found.append(doubled())
    assert all(value == 42 and re.fullmatch(ONE_NOTE, said) for value, said in found)
