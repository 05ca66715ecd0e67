"""The files of a saved run: whole, together, and never in the place of another run's."""

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from support.reports import FAST, FEW_PATHS, golden_tape, report_of

from scalpr_zen import EmaCrossover, ScalprError, run, save


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    return golden_tape(tmp_path_factory.mktemp("tape"))


def test_save_writes_one_stem_of_utc_stamp_and_strategy(tape, tmp_path):
    result = run(tape, FAST, settings=FEW_PATHS)
    paths = save(result, tmp_path / "new" / "results", csv=True)
    started = datetime.fromisoformat(result.to_dict()["manifest"]["started"]).astimezone(UTC)
    stem = f"{started:%Y%m%dT%H%M%SZ}_EmaCrossover"
    assert [path.name for path in paths] == [f"{stem}.txt", f"{stem}.json", f"{stem}.csv"]
    assert {path.parent for path in paths} == {tmp_path / "new" / "results"}
    txt, as_json, table = (path.read_bytes().decode() for path in paths)
    assert txt == report_of(result)
    assert as_json == result.to_json() + "\n"
    assert table == result.text("csv")


def test_save_never_overwrites(tape, tmp_path):
    result = run(tape, FAST, settings=FEW_PATHS)
    first, second, third = save(result, tmp_path, csv=True), save(result, tmp_path), save(result, tmp_path, csv=True)
    stems = [{path.stem for path in paths} for paths in (first, second, third)]
    assert [len(stem) for stem in stems] == [1, 1, 1]
    assert len(set.union(*stems)) == 3
    assert len(list(tmp_path.iterdir())) == 8


def test_save_refuses_a_folder_that_cannot_be_written(tape, tmp_path):
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ScalprError, match="cannot be written: ") as error:
            save(run(tape, FAST, settings=FEW_PATHS), folder)
        assert str(folder) in str(error.value)
        assert "\n" not in str(error.value)


def test_a_report_that_cannot_be_written_whole_is_not_there(tape, tmp_path, monkeypatch):
    result = run(tape, FAST, settings=FEW_PATHS)

    def full_disk(self):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(type(result), "to_json", full_disk)  # the txt is written before it
    with pytest.raises(ScalprError, match=r"cannot be written: No space left"):
        save(result, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_report_whose_files_cannot_all_take_their_place_is_not_there(tape, tmp_path, monkeypatch, failing):
    moves, move_file = [], os.replace

    def move(*args):
        moves.append(args)
        if len(moves) > failing:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        move_file(*args)

    monkeypatch.setattr(os, "replace", move)
    with pytest.raises(ScalprError, match=r"new cannot be written: No space left on device: free some space"):
        save(run(tape, FAST, settings=FEW_PATHS), tmp_path / "new", csv=True)
    assert len(moves) == failing + 1
    assert list(tmp_path.iterdir()) == []


@dataclass
class Marked:
    """What `save` needs of a result: all its files hold one mark."""

    mark: str
    stem: str = "20250101T000000Z_EmaCrossover"

    def text(self, suffix):
        return f"{self.mark}\n" * 100


def saved_marks(folder):
    """The marks of the saved runs; all files of a stem have the same, and are whole."""
    by_stem = {}
    for path in folder.iterdir():
        lines = path.read_text().splitlines()
        assert len(lines) == 100
        by_stem.setdefault(path.stem, []).extend((path.suffix, line) for line in set(lines))
    assert all(sorted(suffix for suffix, _ in files) == [".csv", ".json", ".txt"] for files in by_stem.values())
    assert all(len({mark for _, mark in files}) == 1 for files in by_stem.values())
    return sorted(files[0][1] for files in by_stem.values())


def test_runs_saved_in_the_same_second_by_many_threads_are_all_kept_and_never_mixed(tmp_path):
    marks = sorted(f"run {k}" for k in range(40))
    with ThreadPoolExecutor(10) as pool:
        saved = list(pool.map(lambda mark: save(Marked(mark), tmp_path, csv=True), marks))
    assert saved_marks(tmp_path) == marks
    assert len({path for paths in saved for path in paths}) == 3 * len(marks)
    assert all(
        path.read_text().startswith(f"{mark}\n") for mark, paths in zip(marks, saved, strict=True) for path in paths
    )


def test_runs_saved_in_the_same_second_by_several_processes_are_all_kept_and_never_mixed(tmp_path):
    code = (
        "import sys\nfrom scalpr_zen import save\nfrom test_save import Marked\n"
        "print('ready', flush=True)\nsys.stdin.readline()\n"
        "for k in range(20):\n    save(Marked(f'{sys.argv[1]} {k}'), sys.argv[2], csv=True)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": env}
    writers = [subprocess.Popen([sys.executable, "-c", code, name, str(tmp_path)], **pipes) for name in "ab"]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    assert saved_marks(tmp_path) == sorted(f"{name} {k}" for name in "ab" for k in range(20))


def test_a_strategy_with_a_pattern_for_a_name_overwrites_no_report(tape, tmp_path):
    odd = type("A[x]", (EmaCrossover,), {})
    result = run(tape, odd(), settings=FEW_PATHS)
    first, second = save(result, tmp_path), save(result, tmp_path)
    assert not set(first) & set(second)
