"""Reading the files: blocks in the order of the files, whichever worker is first, with or without the spill."""

import threading

import numpy as np
import pytest
import zstandard
from support.dbn_files import trade, utc, write_day

import scalpr_zen.data.preprocess
from scalpr_zen import Tape, instrument
from scalpr_zen.base.engine import Engine
from scalpr_zen.data import dbn, reading
from scalpr_zen.data.columns import Block
from scalpr_zen.data.front_month import Roll, parse_schedule
from scalpr_zen.data.preprocess import preprocess
from scalpr_zen.data.reading import InOrder

IDS = {"NQZ4": 1, "NQH5": 2}
DAYS = ["2024-12-16", "2024-12-17", "2024-12-18", "2024-12-19"]
NQ = instrument("NQ")


@pytest.fixture
def data(tmp_path):
    """Four UTC days with a roll, each with prints of two session dates, some of them late."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number, day in enumerate(DAYS):
        times = [utc(f"{day} 12:00") + i * 7 % 40 for i in range(40)] + [utc(f"{day} 23:30") + i for i in range(20)]
        records = [trade(1 + (i % 4 < number), ts, 21_000 + i / 4, 1 + i % 3) for i, ts in enumerate(times)]
        write_day(folder, day, records, IDS)
    return folder


@pytest.fixture
def no_spill(monkeypatch):
    def refuse(*_):
        raise AssertionError("a spill was made")

    monkeypatch.setattr(scalpr_zen.data.preprocess, "Spill", refuse)


def content(path):
    tape = Tape.open(path)
    columns = [getattr(tape, name).tolist() for name in ("ts", "price", "size", "aggressor")]
    return [*columns, tape.segments.tolist(), tape.sessions.tolist(), tape.metadata]


def test_files_in_order_of_date_give_the_same_tape_with_and_without_the_spill(data, tmp_path, monkeypatch, no_spill):
    straight = content(preprocess([data], NQ, tmp_path / "straight.npz"))
    monkeypatch.undo()
    monkeypatch.setattr(scalpr_zen.data.preprocess, "_comes_in_order", lambda job: False)
    assert content(preprocess([data], NQ, tmp_path / "spilled.npz")) == straight
    assert len(straight[4]) == 2  # contracts


@pytest.mark.parametrize("room", [0, 1_000])
@pytest.mark.parametrize("cores", [1, 2, 5])
def test_little_room_for_waiting_prints_changes_no_byte(data, tmp_path, monkeypatch, no_spill, room, cores):
    expected = preprocess([data], NQ, tmp_path / "a.npz").read_bytes()
    monkeypatch.setattr(reading, "ROOM", room)
    monkeypatch.setattr(dbn, "BATCH_RECORDS", 7)
    with Engine(cores):
        assert preprocess([data], NQ, tmp_path / "b.npz").read_bytes() == expected


def test_files_that_overlap_and_choices_that_need_all_volumes_are_spilled(data, tmp_path, no_spill):
    schedule = Roll(rule="schedule", schedule=parse_schedule("NQZ4 2024-12-16"))
    with pytest.raises(AssertionError, match="a spill was made"):
        preprocess([data], NQ, tmp_path / "tape.npz", roll=schedule)
    write_day(data, DAYS[0], [trade(1, utc(f"{DAYS[0]} 13:00"), 21_000)], IDS, part=1)
    with pytest.raises(AssertionError, match="a spill was made"):
        preprocess([data], NQ, tmp_path / "tape.npz")


def test_a_print_of_a_session_that_is_written_makes_the_files_be_read_again_into_a_spill(data, tmp_path):
    late = [trade(1, utc(f"2024-12-20 {time}"), 21_000, recv=utc("2024-12-20 23:00:01")) for time in ("23:00", "21:59")]
    write_day(data, "2024-12-20", late, IDS)
    got = Tape.open(preprocess([data], NQ, tmp_path / "tape.npz"))
    assert (np.diff(got.ts) >= 0).all()
    assert got.metadata["record_ledger"]["records"] == 4 * 60 + 2


def block(source, row):
    return Block(source, 0, 0, 1, 1, 0, (row, 0), (row, 0), {name: np.full(1, row) for name in reading.PRINT_COLUMNS})


def test_blocks_are_passed_on_in_the_order_of_the_files_whichever_file_is_read_first():
    given = []
    line = InOrder(lambda blocks: given.extend((block.source, block.first[0]) for block in blocks))

    def read(number):
        for row in range(3):
            line.take(number, [block(number, row)], lambda: None)
        line.end(number)

    for number in (2, 1):
        read(number)
    assert given == []
    line.take(0, [block(0, 0)], lambda: None)
    assert given == [(0, 0)]  # the first file waits for nobody
    line.end(0)
    assert given == [(0, 0), *((number, row) for number in (1, 2) for row in range(3))]
    workers = [threading.Thread(target=read, args=[number]) for number in range(20, 2, -1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert given[7:] == [(number, row) for number in range(3, 21) for row in range(3)]


@pytest.mark.parametrize("size", [0, 1, 1 << 17, (1 << 17) + 1, 1_000_000])
@pytest.mark.parametrize("kind", ["zeros", "noise"])
@pytest.mark.parametrize("stated", [True, False])
def test_the_bound_of_a_zstd_file_is_its_size_where_stated_and_never_less(tmp_path, size, kind, stated):
    content = bytes(size) if kind == "zeros" else np.random.default_rng(1).bytes(size)
    path, packer = tmp_path / "x.zst", zstandard.ZstdCompressor(write_content_size=stated)
    frame = packer.compress(content) if stated else b"".join([(c := packer.compressobj()).compress(content), c.flush()])
    path.write_bytes(frame * 2)
    bound = dbn._content_bound(path)
    assert bound >= 2 * size
    if stated:
        assert bound == 2 * size
