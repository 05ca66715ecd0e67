"""Bad input: one clear line, exit code 2 on the command line, nothing written, the old tape kept."""

import os
import shutil
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import zstandard
from support.budget import tries
from support.dbn_files import DELAY, SECOND, compressed, header, patched, trade, utc, write_day, write_dbn
from support.refusals import DAY, IDS, NEXT, NOON, command_line, good, listing, refused

from scalpr_zen import ScalprError, Tape, instrument
from scalpr_zen.commands.info import info
from scalpr_zen.data.preprocess import preprocess

REAL = os.environ.get("SCALPR_REAL_DATA")

BAD = {
    "corrupt-middle.trades.dbn.zst": "GC",
    "empty-0-bytes.dbn.zst": "ES",
    "git-lfs-pointer.dbn.zst": "ES",
    "headerless.dbn.zst": "ES",
    "legacy.trades.dbz": "ES",
    "truncated-60pct.trades.dbn.zst": "GC",
    "truncated-in-metadata.trades.dbn": "ES",
    "truncated-mid-record.trades.dbn": "GC",
}
OTHER = dict.fromkeys(
    [
        "ES.definition.dbn.zst",
        "ESH1.mbo.dbn.zst",
        "ESH1.ohlcv-1m.dbn.zst",
        "IFEU.trades.dbn.zst",
        "XNAS.trades.dbn.zst",
        "live-mixed.dbn.zst",
    ],
    "ES",
)


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


# The vendor's files -----------------------------------------------------------------------------------


@pytest.mark.skipif(not REAL, reason="SCALPR_REAL_DATA names no folder of real data")
@pytest.mark.parametrize(
    ("kind", "name", "root"),
    [(kind, name, root) for kind, names in (("bad", BAD), ("other", OTHER)) for name, root in names.items()],
)
@pytest.mark.parametrize("with_good_files", [False, True])
def test_every_bad_or_foreign_file_is_refused_by_its_name(data, capfd, kind, name, root, with_good_files):
    if with_good_files:
        good(data, ids={f"{root}Z4": 1})
    shutil.copy(Path(REAL) / kind / name, data / name)
    (data / name).chmod(0o644)
    assert name in refused(capfd, data, root)


@pytest.mark.skipif(not REAL, reason="SCALPR_REAL_DATA names no folder of real data")
def test_the_lists_above_name_every_bad_and_foreign_file():
    assert {path.name for path in (Path(REAL) / "bad").iterdir()} == set(BAD)
    assert {path.name for path in (Path(REAL) / "other").iterdir()} == set(OTHER)


# Files that are not whole, or no trades ---------------------------------------------------------------

HEADER = header(IDS, utc(DAY), utc(NEXT))
RECORDS = b"".join(bytes(trade(1, NOON + i, 21_000 + i)) for i in range(50))
LONG = HEADER + RECORDS * 100  # of more than one zstd block
UNWHOLE = {
    "empty": (b"", "is empty"),
    "git lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "Git LFS pointer"),
    "dbz": (b"\x50\x2a\x4d\x18\x90\x00\x00\x00DBZ\x01GLBX.MDP3" + bytes(130), "legacy DBZ"),
    "text": (b"ts,price\n1,2\n", "neither a DBN file nor zstd"),
    "html in zstd": (compressed(b"<html>"), "has no DBN header"),
    "headerless": (compressed(RECORDS), "has no DBN header"),
    "empty zstd": (zstandard.ZstdCompressor().compress(b""), "has no DBN header"),
    "version 4": (HEADER[:3] + b"\x04" + HEADER[4:] + RECORDS, "is DBN version 4"),
    "cut in the header": (HEADER[:90], "ends inside its header"),
    "cut in the header, zstd": (compressed(HEADER[:90]), "ends inside its header"),
    "cut in a record": (HEADER + RECORDS[:-1], "ends in the middle of a record"),
    "cut in a record, zstd": (compressed(HEADER + RECORDS[:-1]), "ends in the middle of a record"),
    "cut zstd": (compressed(LONG)[:-1], "ends in the middle of its zstd frame"),
    "cut second frame": (compressed(LONG, 2)[:-1], "ends in the middle of its zstd frame"),
    "zeros after the frame": (compressed(LONG) + bytes(9), ""),
    "text after the frame": (compressed(LONG) + b"rubbish", ""),
    "records after the frame": (compressed(LONG) + RECORDS, ""),
}


@pytest.mark.parametrize("name", UNWHOLE)
@pytest.mark.parametrize("with_good_files", [False, True])
def test_a_file_that_is_not_whole_is_refused_with_what_it_is(data, capfd, name, with_good_files):
    if with_good_files:
        good(data, NEXT)
    content, message = UNWHOLE[name]
    (data / "x.trades.dbn.zst").write_bytes(content)
    got = refused(capfd, data)
    assert "x.trades.dbn.zst" in got
    assert message in got


@pytest.mark.parametrize("suffix", [".dbn", ".dbn.zst"])
def test_a_file_cut_anywhere_is_refused(data, tmp_path, suffix):
    path = write_day(data, DAY, [trade(1, NOON + i, 21_000) for i in range(3)], {"NQZ4": 1}, suffix=suffix, version=1)
    whole = path.read_bytes()
    # A plain file tells nobody how many records it should hold: only a cut between records goes unseen.
    records = len(whole) - 3 * 48
    unseen = {records + 48, records + 96} if suffix == ".dbn" else set()
    cuts = [*range(16), *range(16, len(whole), 7), *range(len(whole) - 8, len(whole)), *unseen, records]
    for cut in sorted(set(cuts) - unseen):
        path.write_bytes(whole[:cut])
        with pytest.raises(ScalprError):
            preprocess([data], instrument("NQ"), tmp_path / "tape.npz")
        assert not (tmp_path / "tape.npz").exists()
    for cut in unseen:
        path.write_bytes(whole[:cut])
        assert len(Tape.open(preprocess([data], instrument("NQ"), tmp_path / "tape.npz"))) == (cut - records) // 48


def test_a_flipped_byte_of_the_header_gives_a_tape_or_a_refusal_and_no_other_error(data, tmp_path):
    path = write_day(data, DAY, [trade(1, NOON, 21_000)], {"NQZ4": 1}, suffix=".dbn", version=1)
    whole = path.read_bytes()
    refusals = 0
    for at in range(0, len(whole) - 48, tries(1, 3)):
        flipped = bytearray(whole)
        flipped[at] ^= 0x80
        path.write_bytes(flipped)
        try:
            preprocess([data], instrument("NQ"), tmp_path / "tape.npz")
        except ScalprError:
            refusals += 1
    assert refusals > tries(50, 15)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dataset": "XNAS.ITCH"}, "holds dataset XNAS.ITCH, not GLBX.MDP3"),
        ({"schema": "tbbo"}, "holds schema tbbo, not trades"),
        ({"schema": None}, "mixed records"),
        ({"stype_out": "raw_symbol", "symbols": {"1": [(date(2024, 12, 10), date(2024, 12, 11), "Z")]}}, "stype_out"),
    ],
)
def test_a_file_of_another_dataset_or_schema_is_refused(data, capfd, options, message):
    good(data)
    symbols = options.pop("symbols", IDS)
    write_day(data, NEXT, [trade(1, NOON + 86_400 * SECOND, 21_000)], symbols, **options)
    assert message in refused(capfd, data)


def test_a_live_capture_without_an_end_is_refused(data, capfd):
    path = good(data, suffix=".dbn")
    content = bytearray(path.read_bytes())
    content[8 + 16 + 2 + 8 : 8 + 16 + 2 + 16] = b"\xff" * 8
    path.write_bytes(content)
    assert "no end of its time range in its header, like a live capture" in refused(capfd, data)


# Damaged records --------------------------------------------------------------------------------------

HOUR = 3600 * SECOND
FAULTS = {
    "length": (patched(trade(1, NOON, 21_000), length=b"\x0b"), "length and type"),
    "ts_out without the header's word": (bytes(trade(1, NOON, 21_000, ts_out=NOON))[:48], "length and type"),
    "type": (patched(trade(1, NOON, 21_000), rtype=b"\x01"), "length and type"),
    "id": (trade(77, NOON, 21_000), "instrument id that is not in the header on its date"),
    "before the range": (trade(1, utc(DAY) - 61 * SECOND, 21_000, recv=utc(DAY)), "outside the range"),
    "received before the range": (trade(1, utc(DAY) - 2, 21_000, recv=utc(DAY) - 1), "outside the range"),
    "after the range": (trade(1, utc(NEXT) + HOUR, 21_000), "outside the range"),
    "no time": (patched(trade(1, NOON, 21_000), ts_event=b"\xff" * 8), "outside the range"),
    "received too early": (trade(1, NOON, 21_000, recv=NOON - 2 * SECOND), "received or sent before it happened"),
    "sent too early": (trade(1, NOON, 21_000, delta=2 * SECOND), "received or sent before it happened"),
    "side": (patched(trade(1, NOON, 21_000), side=b"X"), "unknown aggressor side"),
    "spread's side": (patched(trade(9, NOON, 210), side=b"X"), "unknown aggressor side"),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("place", [0, 3])
def test_a_record_that_cannot_be_is_refused_with_its_number(data, capfd, name, place):
    record, message = FAULTS[name]
    records = [trade(1, NOON + i, 21_000) for i in range(5)]
    records.insert(place, record)
    path = write_day(data, DAY, records, IDS)
    got = refused(capfd, data)
    assert message in got
    assert f"{path.name} is damaged: record {place} " in got


def test_a_little_clock_error_and_delay_are_no_damage(data, tmp_path):
    records = [
        trade(1, utc(DAY) - 59 * SECOND, 21_000, recv=utc(DAY)),
        trade(1, NOON, 21_000, recv=NOON - SECOND // 2),
        trade(1, NOON + 1, 21_000, delta=SECOND // 2),
        trade(1, NOON + 2, 21_000, delta=-SECOND),
    ]
    write_day(data, DAY, records, IDS)
    assert len(Tape.open(preprocess([data], instrument("NQ"), tmp_path / "tape.npz"))) == 4


# Folders ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("readme.txt", "{data} holds no DBN file"),
        ("nowhere", "nowhere does not exist"),
        ("job.zip", "job.zip is a ZIP archive: unpack it and give its folder"),
    ],
)
def test_what_holds_no_data_is_refused_with_what_it_is(data, capfd, name, message):
    (data / "readme.txt").write_text("nothing here")
    (data / "job.zip").write_bytes(b"PK\x03\x04" + bytes(60))
    if name == "readme.txt":
        (data / "job.zip").unlink()
    assert message.format(data=data) in refused(capfd, data if name == "readme.txt" else [data / name])


def test_a_link_to_nothing_is_refused_and_not_passed_over(data, capfd):
    good(data)
    (data / f"glbx-mdp3-{NEXT.replace('-', '')}.trades.dbn.zst").symlink_to(data / "annex" / "missing")
    assert "glbx-mdp3-20241211" in refused(capfd, data)


def test_the_wrong_root_is_refused_with_the_roots_that_are_there(data, capfd):
    good(data)
    write_day(data, NEXT, [], {"MESZ4": 1, "MESZ4-MESH5": 2, "6EH5": 3})
    assert "no contract of root CL in the files; the roots there are: 6E, MES, NQ" in refused(capfd, data, "CL")


REQUEST = "request NQ.FUT as parent, NQ.v.0 as continuous, or the contracts by their raw symbols"


@pytest.mark.parametrize(
    ("symbols", "held"),
    [
        (["NQZ4-NQH5"], "they hold only combinations of it (NQZ4-NQH5)"),
        (["NQ.v.1"], "they hold NQ.v.1, and only rank 0 is the front month"),
        (["118", "42005804"], "they were requested by instrument id (118, 42005804) and name no contract"),
        (["1", "2", "3", "4", "5"], "they were requested by instrument id (1, 2, 3 and 2 more) and name no contract"),
    ],
)
def test_files_without_a_contract_of_the_root_say_what_they_hold_and_what_to_request(data, capfd, symbols, held):
    write_day(data, DAY, [trade(9, NOON, 210)], {symbol: 9 + k for k, symbol in enumerate(symbols)})
    assert refused(capfd, data) == f"no contract of root NQ in the files: {held}; {REQUEST}"


def test_a_folder_with_the_data_in_subfolders_and_archives_names_them(data, capfd):
    (data / "GLBX-20241210-ABC").mkdir()
    good(data / "GLBX-20241210-ABC")
    (data / "more.zip").write_bytes(b"PK")
    found = "give the folder GLBX-20241210-ABC/ (1 DBN file) as DATA_DIR, or unpack more.zip and give its folder"
    assert refused(capfd, data) == f"{data} holds no DBN file (*.dbn, *.dbn.zst): {found}"


def test_a_subfolder_with_data_and_an_archive_are_named_beside_the_files_that_are_read(data, tmp_path, capsys):
    good(data)
    deep = data / "job" / "deeper"
    deep.mkdir(parents=True)
    good(deep)
    (data / "job" / "old.ZIP").write_bytes(b"PK")
    (data / "empty").mkdir()
    (data / "rest.zip").write_bytes(b"PK")
    tape = Tape.open(preprocess([data], instrument("NQ"), tmp_path / "tape.npz"))
    assert tape.metadata["ignored_files"] == ["job/ (1 DBN file, 1 ZIP)", "rest.zip"]
    assert len(tape) == 5
    info(tmp_path / "tape.npz")
    assert "job/ (1 DBN file, 1 ZIP)" in capsys.readouterr().out


# The same trades twice --------------------------------------------------------------------------------


def copy_of(path: Path) -> Path:
    return Path(shutil.copy(path, path.with_name(f"copy-of-{path.name}")))


@pytest.mark.parametrize(
    ("how", "count"), [*product(["a copy", "a copy in another folder", "given twice"], [1, 5]), ("another packing", 5)]
)
def test_the_same_trades_twice_are_refused_with_both_names(data, capfd, how, count):
    records = [trade(1, NOON + i, 21_000) for i in range(count)]
    first = second = write_day(data, DAY, records, IDS)
    given = [data]
    if how == "a copy":
        second = copy_of(first)
    elif how == "a copy in another folder":
        (data / "copy").mkdir()
        second = Path(shutil.copy(first, data / "copy"))
        given.append(data / "copy")
    elif how == "given twice":
        given.append(first)
    else:
        second = write_day(data, DAY, records, IDS, suffix=".dbn", version=1)
    got = refused(capfd, given)
    assert "the same trades" in got
    assert first.name in got
    assert second.name in got


def test_a_file_that_overlaps_another_is_refused(data, capfd):
    records = [trade(1, NOON + i, 21_000, sequence=i) for i in range(6)]
    write_day(data, DAY, records[:4], IDS, part=0)
    write_day(data, DAY, records[2:], IDS, part=1)
    assert "the same trades" in refused(capfd, data)


def test_a_copied_file_of_another_month_is_refused(data, capfd):
    good(data)
    single = write_dbn(data / "h5.dbn", [trade(2, NOON + i, 21_100) for i in (0, 1)], {"NQH5": 2}, utc(DAY), utc(NEXT))
    copy_of(single)
    assert "the same trades" in refused(capfd, data)


@pytest.mark.skipif(not REAL, reason="SCALPR_REAL_DATA names no folder of real data")
def test_one_day_in_four_versions_is_refused(capfd, data):
    for path in (Path(REAL) / "versions").iterdir():
        shutil.copy(path, data)
    assert "the same trades" in refused(capfd, data, "ES")


# Places -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("out", ["file/tape.npz", "file/deeper/tape.npz", "folder"])
def test_a_tape_that_cannot_be_written_is_refused(data, tmp_path, capfd, out):
    good(data)
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    before = listing(tmp_path)
    code, printed, err = command_line(capfd, "preprocess", data, "--root", "NQ", "--out", tmp_path / out)
    assert (code, printed) == (2, "")
    assert err.startswith(f"error: {tmp_path / out} cannot be written: ")
    assert err.count("\n") == 1
    assert listing(tmp_path) == before


def test_the_folder_of_the_tape_is_made(data, tmp_path):
    good(data)
    assert preprocess([data], instrument("NQ"), tmp_path / "new" / "deeper" / "tape.npz").is_file()


@pytest.mark.parametrize("name", ["tape.npz", "tape[1].npz", "tape*.npz"])
def test_what_a_killed_run_left_is_removed_and_nothing_else(data, tmp_path, name):
    good(data)
    cache = tmp_path / "cache"
    cache.mkdir()
    keep = ["other.npz", ".other.npz.abc.part", "tape.npz.part", ".hidden"]
    for left in (*keep, f".{name}.abc.part", f".{name}.def.part"):
        (cache / left).write_bytes(b"half a tape")
    preprocess([data], instrument("NQ"), cache / name)
    assert sorted(path.name for path in cache.iterdir()) == sorted([*keep, name])
    assert np.load(cache / name)["ts"].tolist() == [NOON + i for i in range(5)]


def test_the_tape_has_the_permissions_of_any_new_file(data, tmp_path):
    good(data)
    (tmp_path / "plain").write_text("")
    tape = preprocess([data], instrument("NQ"), tmp_path / "tape.npz")
    assert tape.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_the_delay_of_the_test_files_is_one_that_the_vendor_has():
    assert 0 < DELAY < SECOND
