"""Ctrl-C, kill -9 and a full disk at many moments of preprocess: the old tape stays, the next run works."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.budget import tries
from support.dbn_files import trade, utc, write_day

from scalpr_zen import instrument
from scalpr_zen.data.preprocess import preprocess

if sys.platform == "win32":
    pytest.skip("needs fork and POSIX signals", allow_module_level=True)

pytestmark = pytest.mark.process
MOMENTS = tries(24, 12)
SYMBOLS = {"NQZ4": 1, "NQH5": 2, "NQZ4-NQH5": 9}


@pytest.fixture(scope="module")
def stops(tmp_path_factory):
    """What each stop left, by mode; the files hold four UTC days."""
    folder = tmp_path_factory.mktemp("stopped")
    for name in ("data", "old", "cache"):
        (folder / name).mkdir()
    for day in ("2024-12-10", "2024-12-11", "2024-12-12", "2024-12-13"):
        begin = utc(f"{day} 15:00")
        records = [trade((1, 1, 2, 9)[i % 4], begin + i, 21_000 + i % 5, 2, sequence=i) for i in range(40)]
        write_day(folder / "data", day, records, SYMBOLS)
    write_day(folder / "old", "2024-12-10", [trade(1, utc("2024-12-10 15:00"), 21_000)], SYMBOLS)
    tape = preprocess([folder / "old"], instrument("NQ"), folder / "cache" / "nq.npz")
    command = [
        sys.executable,
        Path(__file__).parent / "support" / "stop_preprocess.py",
        folder / "data",
        tape,
        str(MOMENTS),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    by_mode = {mode: [row for row in rows if row["mode"] == mode] for mode in ("kill", "interrupt", "full")}
    assert [len(rows) for rows in by_mode.values()] == [MOMENTS] * 3
    return by_mode


@pytest.mark.parametrize("mode", ["kill", "interrupt", "full"])
def test_a_stopped_run_leaves_a_whole_tape_and_the_next_run_works_and_cleans_up(stops, mode):
    for row in stops[mode]:
        assert row["tape"] in ("old", "new")
        assert row["next"] in (None, ["new", []])
    assert stops[mode][0]["next"]
    assert any(row["tape"] == "old" for row in stops[mode])


def test_the_kills_hit_before_during_and_after_the_writing(stops):
    assert {row["code"] for row in stops["kill"]} == {-9}
    assert {(row["tape"], bool(row["left"])) for row in stops["kill"]} == {
        ("old", False),
        ("old", True),
        ("new", False),
    }


def test_ctrl_c_ends_with_one_error_line_and_exit_code_2(stops):
    # Python swallows an interrupt that hits inside a destructor; such a run ends as if there had been none.
    swallowed = [row for row in stops["interrupt"] if row["code"] == 0]
    assert len(swallowed) <= 1
    assert all(row["tape"] == "new" for row in swallowed)
    for row in stops["interrupt"]:
        if row not in swallowed:
            errors = [line for line in row["stderr"].split("\n") if line.startswith("error: ")]
            assert row["code"] == 2
            assert len(errors) == 1
            assert errors[0].startswith("error: interrupted")


def test_ctrl_c_leaves_no_part_file(stops):
    # One may hit in the instant in which the part file is made, before anyone knows its name.
    assert sum(bool(row["left"]) for row in stops["interrupt"]) <= 1


def test_ctrl_c_after_the_new_tape_is_in_its_place_does_not_say_that_nothing_was_changed(stops):
    late = [row for row in stops["interrupt"] if row["tape"] == "new"]
    assert late
    assert not any("nothing was changed" in row["stderr"] for row in late)


def test_a_full_disk_ends_with_one_error_line_exit_code_2_and_the_old_tape(stops):
    for row in stops["full"]:
        assert row["code"] == 2
        assert row["stderr"].startswith("error: ")
        assert row["stderr"].count("\n") == 1
        assert "cannot be written" in row["stderr"]
        assert row["tape"] == "old"


def test_a_full_disk_leaves_no_part_file(stops):
    assert [row["left"] for row in stops["full"]] == [[]] * MOMENTS
