"""The files of the demo market: the same bytes everywhere, and a folder with nothing else."""

import subprocess
import sys
from pathlib import Path

import databento
import pytest
import zstandard
from databento_dbn import Metadata, Schema, SType

from scalpr_zen.base.engine import Engine
from scalpr_zen.base.errors import DataError, ParameterError
from scalpr_zen.data import demo
from scalpr_zen.data.demo import write_demo

PRINTS = 4_000


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Ten sessions: the default demo with fewer prints."""
    return write_demo(tmp_path_factory.mktemp("ten"), prints_a_session=PRINTS)


def contents(paths):
    return {path.name: path.read_bytes() for path in paths}


def test_the_number_of_cores_changes_no_byte(files, tmp_path):
    for cores in (1, 7):
        with Engine(cores):
            assert contents(write_demo(tmp_path / str(cores), prints_a_session=PRINTS)) == contents(files)


@pytest.mark.process
def test_another_process_writes_the_same_bytes(tmp_path):
    code = f"import pathlib, scalpr_zen.data.demo as d; d.write_demo(pathlib.Path({str(tmp_path / 'a')!r}), 2, 7, 1000)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])
    there = contents(sorted((tmp_path / "a").iterdir()))
    assert there == contents(write_demo(tmp_path / "b", sessions=2, seed=7, prints_a_session=1_000))


def test_another_seed_is_another_market_on_the_same_days(files, tmp_path):
    other = contents(write_demo(tmp_path, seed=1, prints_a_session=PRINTS))
    assert list(other) == list(contents(files))
    assert not set(other.values()) & set(contents(files).values())


@pytest.mark.parametrize("sessions", [1, 5, 6])
def test_fewer_sessions_are_the_first_of_the_same_files(files, tmp_path, sessions):
    paths = write_demo(tmp_path, sessions=sessions, prints_a_session=PRINTS)
    assert [p.read_bytes() for p in paths[:-1]] == [p.read_bytes() for p in files[: len(paths) - 1]]
    assert paths[-1].name == files[len(paths) - 1].name
    fewer, more = (
        databento.DBNStore.from_bytes(p.read_bytes()).to_ndarray() for p in (paths[-1], files[len(paths) - 1])
    )
    assert (fewer == more[: len(fewer)]).all()
    assert (len(fewer) == len(more)) == (sessions == 5)  # a Friday has no evening


# The folder


def test_an_earlier_demo_is_replaced_as_a_whole_and_progress_counts_the_files(tmp_path):
    folder, calls = tmp_path / "new" / "demo", []
    assert len(write_demo(folder, sessions=6, seed=3, prints_a_session=1_000)) == 8
    paths = write_demo(folder, sessions=2, prints_a_session=1_000, progress=lambda *call: calls.append(call))
    assert sorted(folder.iterdir()) == paths
    assert calls == [(n, len(paths)) for n in range(1, len(paths) + 1)]


def test_market_data_in_the_folder_is_refused_and_kept(tmp_path):
    demo_file = write_demo(tmp_path, sessions=1, prints_a_session=1_000)[0]
    real = Metadata(
        dataset="GLBX.MDP3",
        start=1,
        end=2,
        stype_in=SType.PARENT,
        stype_out=SType.INSTRUMENT_ID,
        schema=Schema.TRADES,
        symbols=["NQ.FUT"],
    )
    downloaded = tmp_path / "glbx-mdp3-20251208.trades.dbn.zst"
    downloaded.write_bytes(zstandard.compress(bytes(real)))
    before = contents([demo_file, downloaded])
    with pytest.raises(DataError, match=r"holds glbx-mdp3-20251208\.trades\.dbn\.zst: give another folder"):
        write_demo(tmp_path, prints_a_session=1_000)
    assert contents(sorted(tmp_path.iterdir())) == before


def test_a_file_that_cannot_be_finished_leaves_nothing(tmp_path, monkeypatch):
    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(demo.os, "replace", full)
    with pytest.raises(DataError, match="No space left on device"):
        write_demo(tmp_path, sessions=1, prints_a_session=1_000)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"folder must be writable, .*file is not"):
        write_demo(tmp_path / "file")


@pytest.mark.parametrize(
    ("name", "value"),
    [("sessions", 0), ("sessions", 1261), ("seed", -1), ("prints_a_session", 999), ("prints_a_session", 10_000_001)],
)
def test_a_number_out_of_its_range_is_refused_before_anything_is_written(tmp_path, name, value):
    with pytest.raises(ParameterError, match=f"{name} must be .*, was {value}"):
        write_demo(tmp_path / "never", **{name: value})
    assert not (tmp_path / "never").exists()
