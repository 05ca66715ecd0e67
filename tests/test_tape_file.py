"""The file of a tape: a plain, aligned `.npz`, opened without a copy, or refused."""

import errno
import json
import os
import re
import shutil
import threading
import tracemalloc
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import numpy as np
import pytest
from support.small_tape import AGGRESSORS, DTYPES, MEMBERS, MONDAY, NQ, PRICES, SIZES, TS, assert_equal, made

import scalpr_zen.base.checked
from scalpr_zen import Tape, TapeError, instrument, save_tape
from scalpr_zen.data.tape_file import FORMAT


@pytest.fixture
def saved(tmp_path):
    return save_tape(made(metadata={"roll_ledger": [{"gap_points": 0.25}], "note": "é"}), tmp_path / "tape.npz")


# The file ---------------------------------------------------------------------------------------------


def test_a_saved_tape_opens_as_it_was(saved):
    tape = Tape.open(saved)
    assert_equal(tape, made())
    assert tape.metadata["roll_ledger"] == [{"gap_points": 0.25}]
    assert tape.metadata["note"] == "é"
    assert tape.metadata["format"] == FORMAT
    assert tape.instrument == NQ


@pytest.mark.parametrize("stop", [0, 1])
def test_a_tape_of_no_or_one_print_opens_as_it_was(tmp_path, stop):
    assert_equal(Tape.open(save_tape(made(stop), tmp_path / "tape.npz")), made(stop))


def test_a_tape_that_is_opened_and_saved_again_is_the_same_file(saved, tmp_path):
    again = save_tape(Tape.open(saved), tmp_path / "again.npz")
    assert again.read_bytes() == saved.read_bytes()


def test_numpy_reads_the_file_as_it_is(saved):
    with np.load(saved, allow_pickle=False) as file:
        assert set(file.files) == MEMBERS
        assert file["ts"].tolist() == TS
        assert file["price"].tolist() == PRICES
        assert file["size"].tolist() == SIZES
        assert file["aggressor"].tolist() == AGGRESSORS
        assert {name: file[name].dtype.name for name in DTYPES} == DTYPES
        assert file["segments"].tolist() == [("NQZ4", 0, 4), ("NQH5", 4, 10)]
        assert file["sessions"]["date"].tolist() == [date(2024, 12, 16), date(2024, 12, 17)]
        assert json.loads(file["metadata"].item())["instrument"]["root"] == "NQ"


def test_every_member_is_stored_and_its_data_begins_on_a_multiple_of_64(saved):
    raw = saved.read_bytes()
    with zipfile.ZipFile(saved) as archive:
        assert archive.testzip() is None
        for info in archive.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            name, extra = raw[info.header_offset + 26], raw[info.header_offset + 28 : info.header_offset + 30]
            begin = info.header_offset + 30 + name + int.from_bytes(extra, "little")
            assert raw[begin : begin + 6] == b"\x93NUMPY"
            header = int.from_bytes(raw[begin + 8 : begin + 10], "little")
            assert (begin + 10 + header) % 64 == 0


def test_the_hash_in_the_metadata_tells_tapes_apart(tmp_path, saved):
    first = Tape.open(saved).metadata
    for name in DTYPES:
        column = getattr(made(), name).copy()
        column[-1] -= 1
        other = Tape(**vars(made()) | {name: column, "metadata": {"roll_ledger": [{"gap_points": 0.25}], "note": "é"}})
        assert Tape.open(save_tape(other, tmp_path / "other.npz")).metadata["sha256"] != first["sha256"]
    same = made(metadata={"roll_ledger": [{"gap_points": 0.25}], "note": "é"})
    assert Tape.open(save_tape(same, tmp_path / "same.npz")).metadata["sha256"] == first["sha256"]


def test_nobody_changes_the_prints_of_a_tape_in_memory_and_the_given_columns_stay_their_owner_s():
    price = np.array([100, 101], np.int32)
    tape = Tape.from_prints(TS[:2], price, instrument=instrument("NQ"))
    for name in ("ts", "price", "size", "aggressor"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(tape, name)[0] = 1
    price[0] = 7


def test_open_maps_the_columns_where_they_lie(saved):
    tape = Tape.open(saved)
    for name in ("ts", "price", "size", "aggressor", "segments", "sessions"):
        column = getattr(tape, name)
        assert isinstance(column, np.memmap)
        assert column.ctypes.data % 64 == 0
        assert column.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            column[0] = column[0]


def test_open_takes_no_memory_for_the_prints(tmp_path):
    n = 1_000_000
    ts = MONDAY + np.arange(n)
    path = save_tape(Tape.from_prints(ts, np.arange(n), instrument=NQ), tmp_path / "tape.npz")
    assert path.stat().st_size > 17 * n
    Tape.open(path)
    tracemalloc.start()
    tape = Tape.open(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 500_000
    assert int(tape.price[-1]) == n - 1


def test_an_open_tape_outlives_its_replacement(saved):
    tape = Tape.open(saved)
    save_tape(made(3), saved)
    assert tape.price.tolist() == PRICES
    assert len(Tape.open(saved)) == 3


# Files that are refused -------------------------------------------------------------------------------


def test_a_missing_tape_is_refused_with_the_next_step(tmp_path):
    with pytest.raises(TapeError, match=r"no\.npz does not exist: make it with scalpr preprocess"):
        Tape.open(tmp_path / "no.npz")


def test_a_tape_cut_anywhere_is_refused(saved):
    whole = saved.read_bytes()
    for size in [*range(0, len(whole) - 100, 31), *range(len(whole) - 100, len(whole))]:
        saved.write_bytes(whole[:size])
        with pytest.raises(TapeError, match=r"tape\.npz is not a whole tape"):
            Tape.open(saved)


def rewritten(path, drop=(), facts=None, **changes):
    """The tape as numpy itself would write it, with members or some facts of the metadata changed."""
    with np.load(path) as file:
        members = {name: file[name] for name in file.files if name not in drop}
    if facts:
        about = json.loads(members["metadata"].item()) | facts
        members["metadata"] = np.array(json.dumps(about))
    np.savez(path, **members | changes)
    return path


def test_a_tape_that_numpy_wrote_opens(saved):
    assert_equal(Tape.open(rewritten(saved)), made())


@pytest.mark.parametrize("number", [FORMAT - 1, FORMAT + 1, None, "old"])
def test_a_tape_of_another_format_is_refused_with_both_numbers(saved, number):
    with pytest.raises(TapeError, match=f"has tape format {number}, this version reads {FORMAT}: make it again"):
        Tape.open(rewritten(saved, facts={"format": number}))


def test_a_tape_of_an_older_format_with_other_members_is_refused(saved):
    with pytest.raises(TapeError, match=f"has tape format 0, this version reads {FORMAT}"):
        Tape.open(rewritten(saved, drop=["aggressor"], facts={"format": 0}, volume=np.arange(3)))


@pytest.mark.parametrize("member", sorted(MEMBERS))
def test_a_tape_without_a_member_is_refused(saved, member):
    with pytest.raises(TapeError):
        Tape.open(rewritten(saved, drop=[member]))


@pytest.mark.parametrize(
    "changes",
    [
        {"price": np.arange(9, dtype=np.int32)},
        {"price": np.arange(10, dtype=np.int64)},
        {"price": np.arange(10, dtype=np.int32).reshape(5, 2)},
        {"price": np.array([None] * 10)},
        {"segments": made(9).segments},
        {"segments": made().segments[1:]},
        {"sessions": made().sessions[:1]},
        {"sessions": made().sessions[::-1]},
        {"metadata": np.array("{")},
        {"metadata": np.array(["{}", "{}"])},
        {"metadata": np.array(1)},
        {"metadata": np.array("[1]")},
    ],
    ids=str,
)
def test_a_tape_with_a_wrong_member_is_refused(saved, changes):
    with pytest.raises(TapeError):
        Tape.open(rewritten(saved, **changes))


def test_a_compressed_file_is_refused(saved):
    with np.load(saved) as file:
        members = {name: file[name] for name in file.files}
    np.savez_compressed(saved, **members)
    with pytest.raises(TapeError, match="is compressed"):
        Tape.open(saved)


@pytest.mark.parametrize("content", [b"", b"DBN\x03", b"PK\x05\x06" + bytes(18), b"\x93NUMPY", bytes(5_000)])
def test_what_is_no_tape_is_refused(tmp_path, content):
    path = tmp_path / "tape.npz"
    path.write_bytes(content)
    with pytest.raises(TapeError, match="is not a whole tape"):
        Tape.open(path)


# Damage -----------------------------------------------------------------------------------------------


@pytest.fixture
def no_memory(tmp_path, monkeypatch):
    """The folder of the user's cache, in which no tape is remembered."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    return tmp_path / "user"


def zeros_in(path, member, *, directory=False):
    """Zeros over the last bytes of a member, as a bad copy leaves them; the directory may know their CRC-32."""
    with zipfile.ZipFile(path) as archive:
        info, data = archive.getinfo(f"{member}.npy"), archive.read(f"{member}.npy")
    raw = path.read_bytes()
    changed = data[:-8] + bytes(8)
    assert raw.count(data) == 1
    raw = raw.replace(data, changed)
    if directory:
        old, new = (crc.to_bytes(4, "little") for crc in (info.CRC, zlib.crc32(changed)))
        assert raw.count(old) == 2  # beside the member and in the directory
        raw = raw.replace(old, new)
    path.write_bytes(raw)
    return path


COLUMNS_AND_TABLES = sorted(MEMBERS - {"metadata"})


@pytest.mark.usefixtures("no_memory")
@pytest.mark.parametrize("member", COLUMNS_AND_TABLES)
def test_a_tape_with_zeros_in_a_member_is_refused_by_its_name(saved, member):
    named = member.removesuffix("s") if member in ("segments", "sessions") else member
    with pytest.raises(TapeError, match=rf"tape\.npz is (damaged|not a whole tape) \([^:]*\b{named}") as error:
        Tape.open(zeros_in(saved, member))
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("no_memory")
@pytest.mark.parametrize("member", ["ts", "price", "size", "aggressor"])
def test_a_column_changed_with_the_directory_s_crc_is_still_refused_as_the_metadata_has_its_own(saved, member):
    with pytest.raises(TapeError, match=rf"is damaged \({member}: the CRC-32"):
        Tape.open(zeros_in(saved, member, directory=True))


@pytest.mark.parametrize("facts", [{"note": "other"}, {"sha256": "0" * 64}, {"crc32": {}}, {"sha256": None}])
def test_a_tape_with_other_metadata_than_was_written_is_refused(saved, facts):
    with pytest.raises(TapeError, match=r"is damaged \(metadata: its SHA-256"):
        Tape.open(rewritten(saved, facts=facts))


@pytest.mark.usefixtures("no_memory")
@pytest.mark.parametrize("at", [1, 2**17, 2**17 + 1, 2**17 + 2])
def test_a_tape_whose_times_decrease_is_refused(tmp_path, at):
    ts = np.full(2**17 + 3, MONDAY)
    whole = Tape.from_prints(ts, ts * 0, instrument=NQ)
    fallen = ts.copy()
    fallen[at:] -= 1
    with pytest.raises(TapeError, match=rf"is damaged \(ts: print {at:,} is earlier"):
        Tape.open(save_tape(Tape(**vars(whole) | {"ts": fallen}), tmp_path / "tape.npz"))


def test_a_tape_is_read_in_full_at_its_first_open_after_every_change_and_where_asked_for(saved, no_memory, monkeypatch):
    read = []
    monkeypatch.setattr(
        scalpr_zen.data.tape_file, "crc32_of", lambda raw: read.append(len(raw)) or zlib.crc32(raw.data)
    )

    def columns_read(**options):
        read.clear()
        Tape.open(saved, **options)
        return len(read)

    assert [columns_read(), columns_read()] == [len(MEMBERS), 0]
    assert columns_read(recheck=True) == len(MEMBERS)
    os.utime(saved, ns=(0, saved.stat().st_mtime_ns + 1))
    assert [columns_read(), columns_read()] == [len(MEMBERS), 0]
    moved = saved.with_name("moved.npz")
    saved.rename(moved)
    moved.rename(saved)
    link = saved.with_name("link.npz")
    link.symlink_to(saved)
    columns_read()
    read.clear()
    Tape.open(link)
    assert read == []
    shutil.rmtree(no_memory)
    assert columns_read() == len(MEMBERS)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"x": 1}'])
def test_a_memory_that_cannot_be_read_or_written_is_no_error(saved, no_memory, content):
    (no_memory / "scalpr_zen").mkdir(parents=True)
    (no_memory / "scalpr_zen" / "checked_tapes.json").write_bytes(content)
    assert_equal(Tape.open(saved), made())
    shutil.rmtree(no_memory)
    no_memory.write_text("in the way")
    assert_equal(Tape.open(saved), made())


@pytest.mark.usefixtures("no_memory")
def test_info_checks_a_tape_that_was_found_whole_before(saved, scalpr):
    Tape.open(saved)
    zeros_in(saved, "price")
    scalpr_zen.base.checked.remember(saved, saved.stat())  # as if the file had changed without a trace
    Tape.open(saved)
    for more in ([], ["--json"]):
        code, out, err = scalpr("info", saved, *more)
        assert (code, out) == (2, "")
        assert re.fullmatch(r"error: \S+ is damaged \(price: its CRC-32 is [^\n]+\n", err)


def test_a_tape_is_on_the_disk_before_it_takes_its_place(tmp_path, monkeypatch):
    out, done = tmp_path / "tape.npz", []
    monkeypatch.setattr(os, "fsync", lambda handle: done.append((os.path.isdir(f"/dev/fd/{handle}"), out.exists())))
    save_tape(made(), out)
    assert done == [(False, False), (True, True)]


def test_a_disk_that_fails_at_the_end_leaves_the_old_tape(saved, monkeypatch):
    before = saved.read_bytes()

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TapeError, match=r"tape\.npz cannot be written: No space left on device"):
        save_tape(made(3), saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


# Saving -----------------------------------------------------------------------------------------------


def test_a_tape_that_fails_while_it_is_written_leaves_the_old_one(saved):
    before = saved.read_bytes()
    broken = made(metadata={"not JSON": {1, 2}})
    with pytest.raises(TypeError):
        save_tape(broken, saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_many_writers_of_one_tape_at_the_same_time_leave_it_whole_and_nothing_else(tmp_path):
    out = tmp_path / "tape.npz"
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: save_tape(made(), out), range(60))) == {out}
    assert_equal(Tape.open(out), made())
    assert list(tmp_path.iterdir()) == [out]


def test_a_reader_finds_a_whole_tape_at_every_moment_of_its_replacement(saved):
    lengths, read = set(), threading.Condition()

    def write():
        for stop in range(1, 8):
            for _ in range(6):
                save_tape(made(stop), saved)
            with read:
                assert read.wait_for(lambda stop=stop: stop in lengths, timeout=60)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while not writing.done():
            length = len(Tape.open(saved))
            with read:
                lengths.add(length)
                read.notify()
    assert writing.result() is None
    assert lengths - {10} == {*range(1, 8)}


@pytest.mark.parametrize("place", ["folder", "file/tape.npz"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path, place):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TapeError, match="cannot be written"):
        save_tape(made(), tmp_path / place)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]


@pytest.mark.parametrize(
    "about", [{}, {"instrument": {"root": "NQ"}}, {"instrument": {"root": "NQ", "tick_size": 0.0}}]
)
def test_a_tape_without_a_whole_instrument_is_refused(saved, about):
    with zipfile.ZipFile(saved) as archive, archive.open("metadata.npy") as member:
        metadata = json.loads(np.lib.format.read_array(member).item())
    del metadata["instrument"]
    with np.load(saved) as held:
        members = {name: held[name] for name in held.files if name != "metadata"}
    np.savez(saved, **members, metadata=np.array(json.dumps(metadata | about)))
    with pytest.raises(TapeError, match=r"is not a whole tape \(its instrument"):
        Tape.open(saved)
