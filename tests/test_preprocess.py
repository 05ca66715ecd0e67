"""Preprocess on small folders whose tape and ledgers follow from the rules by hand."""

import hashlib
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard
from databento_dbn import UNDEF_PRICE, UNDEF_TIMESTAMP
from support.dbn_files import chicago, trade, utc, write_day, write_dbn

import scalpr_zen
from scalpr_zen import Tape, instrument
from scalpr_zen.base.engine import Engine
from scalpr_zen.data import dbn
from scalpr_zen.data.front_month import Roll
from scalpr_zen.data.preprocess import preprocess

IDS = {"NQZ4": 1, "NQH5": 2, "NQM5": 3, "NQZ4-NQH5": 9, "MNQZ4": 20, "ESZ4": 30}
DAY = "2024-12-10"  # a Tuesday: its session begins on the 9th at 23:00 UTC
NOON = utc(f"{DAY} 12:00")
REASONS = ["other_root", "spread", "not_a_trade", "undefined_price", "out_of_range", "off_tick_grid", "zero_size"]


def ingest(paths, tmp_path, root="NQ", **options) -> Tape:
    paths = [paths] if isinstance(paths, Path) else paths
    return Tape.open(preprocess(paths, instrument(root), tmp_path / "cache" / "tape.npz", **options))


def columns(tape: Tape) -> list[tuple]:
    return list(zip(tape.ts.tolist(), tape.price.tolist(), tape.size.tolist(), tape.aggressor.tolist(), strict=True))


def segments(tape: Tape) -> list[tuple]:
    return tape.segments.tolist()


def ledger(tape: Tape) -> dict:
    """The record ledger without its zeros."""
    return {name: count for name, count in tape.metadata["record_ledger"].items() if count}


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


# Records ----------------------------------------------------------------------------------------------


def test_a_trade_becomes_a_print_in_ticks_with_the_side_of_its_aggressor(data, tmp_path):
    records = [
        trade(1, NOON, "21000.25", 3, side="B"),
        trade(1, NOON + 1, "21000.00", 2, side="A"),
        trade(1, NOON + 2, "20999.75", 1, side="N"),
    ]
    write_day(data, DAY, records, IDS)
    tape = ingest(data, tmp_path)
    assert columns(tape) == [(NOON, 84_001, 3, 1), (NOON + 1, 84_000, 2, -1), (NOON + 2, 83_999, 1, 0)]
    assert segments(tape) == [("NQZ4", 0, 3)]
    assert tape.sessions[["date", "start", "stop"]].tolist() == [(date(2024, 12, 10), 0, 3)]
    assert ledger(tape) == {"records": 3, "prints": 3}


def test_a_negative_price_is_a_price(data, tmp_path):
    begin = utc("2020-04-20 18:30")
    write_day(data, "2020-04-20", [trade(1, begin, "-37.63", side="A")], {"CLK0": 1})
    assert columns(ingest(data, tmp_path, "CL")) == [(begin, -3763, 1, -1)]


@pytest.mark.parametrize(
    ("root", "symbol", "price", "ticks"),
    [("6J", "6JZ4", "0.0066495", 13_299), ("ZT", "ZTZ4", "102.97265625", 26_361), ("GC", "GCZ4", "2680.7", 26_807)],
)
def test_a_small_tick_is_exact(data, tmp_path, root, symbol, price, ticks):
    write_day(data, DAY, [trade(1, NOON, price)], {symbol: 1})
    assert columns(ingest(data, tmp_path, root)) == [(NOON, ticks, 1, 1)]


ODD = {
    "other_root": {"instrument_id": 30},
    "spread": {"instrument_id": 9, "points": 250},
    "not_a_trade": {"action": "F"},
    "undefined_price": {"price": UNDEF_PRICE},
    "out_of_range": {"price": 10**9 * 250_000_000},
    "off_tick_grid": {"points": "21000.10"},
    "zero_size": {"size": 0},
}


def odd(**changes):
    return trade(**{"instrument_id": 1, "ts": NOON, "points": 21_000, "size": 1} | changes)


@pytest.mark.parametrize("reason", REASONS)
def test_a_record_that_is_no_print_is_counted_under_its_reason(data, tmp_path, reason):
    write_day(data, DAY, [odd(), odd(**ODD[reason]), odd(**ODD[reason], side="A")], IDS)
    tape = ingest(data, tmp_path)
    assert ledger(tape) == {"records": 3, "prints": 1, reason: 2}
    assert columns(tape) == [(NOON, 84_000, 1, 1)]


def test_every_reason_has_its_place_in_the_ledger_and_the_sum_is_the_records(data, tmp_path):
    later = [trade(2, NOON, 21_100), trade(3, NOON, 21_200)]
    write_day(data, DAY, [odd(size=9), *(odd(**change) for change in ODD.values()), *later], IDS)
    got = ingest(data, tmp_path).metadata["record_ledger"]
    assert got == {"records": 10, "prints": 1, "other_month": 2, "before_schedule": 0} | dict.fromkeys(REASONS, 1)


@pytest.mark.parametrize(("first", "second"), list(pairwise(REASONS[1:])))
def test_a_record_with_two_reasons_is_counted_once_under_the_first(data, tmp_path, first, second):
    changes = ODD[second] | ODD[first]
    if (first, second) == ("out_of_range", "off_tick_grid"):
        changes = {"price": 2**31 * 250_000_000 + 1}
    write_day(data, DAY, [odd(), odd(**changes)], IDS)
    assert ledger(ingest(data, tmp_path)) == {"records": 2, "prints": 1, first: 1}


def test_the_largest_price_and_size_are_prints_and_the_next_ones_are_not(data, tmp_path):
    tick, most = 250_000_000, 10**9 - 1
    records = [odd(price=p * tick, size=s) for p, s in [(most, 2**31 - 1), (-most, 1)]]
    records += [odd(price=p * tick, size=s) for p, s in [(most + 1, 1), (-most - 1, 1), (1, 2**31)]]
    write_day(data, DAY, records, IDS)
    tape = ingest(data, tmp_path)
    assert columns(tape) == [(NOON, most, 2**31 - 1, 1), (NOON, -most, 1, 1)]
    assert ledger(tape) == {"records": 5, "prints": 2, "out_of_range": 3}
    assert tape.metadata["first_front"]["volume"] == 2**31


# Files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "suffix", "ts_out"),
    [(1, ".dbn", False), (2, ".dbn", True), (3, ".dbn", True), (1, ".dbn.zst", True), (3, ".dbn.zst", False)],
)
def test_every_version_and_packing_gives_the_same_tape(data, tmp_path, version, suffix, ts_out):
    sent = {"ts_out": NOON + 99_000} if ts_out else {}
    records = [trade(1 + i % 2, NOON + i, 21_000 + i, 1 + i, side="AB"[i % 2], **sent) for i in range(9)]
    write_day(data, DAY, records, IDS, version=version, suffix=suffix, ts_out=ts_out, frames=3)
    tape = ingest(data, tmp_path)
    assert columns(tape) == [(NOON + i, 84_000 + 4 * i, 1 + i, -1) for i in range(0, 9, 2)]
    assert ledger(tape) == {"records": 9, "prints": 5, "other_month": 4}


def test_a_zstd_file_may_have_many_frames_cut_anywhere(data, tmp_path):
    records = [trade(1, NOON + i, 21_000 + i) for i in range(20)]
    write_day(data, DAY, records, IDS, frames=41)
    assert columns(ingest(data, tmp_path)) == [(NOON + i, 84_000 + 4 * i, 1, 1) for i in range(20)]


@pytest.mark.parametrize(
    "settings", [{"write_checksum": True}, {"write_content_size": False}, {"level": 19}, {"level": -5}], ids=str
)
def test_a_zstd_frame_may_have_any_form(data, tmp_path, settings):
    path = write_day(data, DAY, [trade(1, NOON + i, 21_000) for i in range(4_000)], IDS, suffix=".dbn")
    compressor = zstandard.ZstdCompressor(**settings).compressobj()
    content = path.read_bytes()
    parts = [compressor.compress(content[:70_000]), compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)]
    parts += [compressor.compress(content[70_000:]), compressor.flush()]
    skippable = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"
    path.with_suffix(".dbn.zst").write_bytes(b"".join(parts) + skippable)
    path.unlink()
    assert ingest(data, tmp_path).ts.tolist() == [NOON + i for i in range(4_000)]


def test_a_split_day_is_read_in_the_order_of_its_parts(data, tmp_path):
    for part in (1, 0, 2):
        write_day(data, DAY, [trade(1, NOON + part, 21_000 + part)], IDS, part=part)
    tape = ingest(data, tmp_path)
    assert columns(tape) == [(NOON + i, 84_000 + 4 * i, 1, 1) for i in range(3)]
    names = [source["name"] for source in tape.metadata["sources"]]
    assert names == [f"glbx-mdp3-20241210.trades.{part:04d}.dbn.zst" for part in range(3)]
    assert tape.metadata["reordered"] == 0


def test_two_equal_fills_of_one_order_may_lie_on_both_sides_of_a_split(data, tmp_path):
    fills = [trade(1, NOON + i, 21_000, sequence=i) for i in (0, 1, 1, 2)]
    write_day(data, DAY, fills[:2], IDS, part=0)
    write_day(data, DAY, fills[2:], IDS, part=1)
    assert len(ingest(data, tmp_path)) == 4


def test_two_equal_fills_may_lie_on_both_sides_of_a_split_in_a_session_with_a_late_print(data, tmp_path):
    fills = [trade(1, NOON + i, 21_000, sequence=i) for i in (1, 0, 2, 2, 3)]
    write_day(data, DAY, fills[:3], IDS, part=0)
    write_day(data, DAY, fills[3:], IDS, part=1)
    tape = ingest(data, tmp_path)
    assert tape.ts.tolist() == [NOON + i for i in (0, 1, 2, 2, 3)]
    assert tape.metadata["reordered"] == 1


def test_a_file_of_a_year_and_files_of_single_contracts_are_read(data, tmp_path):
    begin, end = utc("2024-01-01"), utc("2025-01-01")
    days = [utc(f"2024-{day} 15:00") for day in ("03-04", "07-08", "12-10")]
    write_dbn(data / "z4.dbn.zst", [trade(1, t, 21_000, 5) for t in days], {"NQZ4": 1}, begin, end)
    write_dbn(data / "h5.dbn", [trade(2, t, 21_100) for t in days], {"NQH5": 2}, begin, end, stype_in="raw_symbol")
    tape = ingest(data, tmp_path)
    assert tape.ts.tolist() == days
    assert ledger(tape) == {"records": 6, "prints": 3, "other_month": 3}


def test_folders_and_files_are_read_together_and_other_files_are_named(data, tmp_path):
    (tmp_path / "more").mkdir()
    write_day(data, DAY, [trade(1, NOON, 21_000)], IDS)
    (data / "manifest.json").write_text("{}")
    (data / "condition.json").write_text("{}")
    (data / "folder.dbn").mkdir()
    single = write_dbn(tmp_path / "more" / "odd name", [trade(1, NOON + 1, 21_001)], IDS, utc(DAY), utc("2024-12-11"))
    tape = ingest([data, single], tmp_path)
    assert columns(tape) == [(NOON, 84_000, 1, 1), (NOON + 1, 84_004, 1, 1)]
    assert tape.metadata["ignored_files"] == ["condition.json", "manifest.json"]


def test_a_file_without_records_adds_nothing(data, tmp_path):
    write_day(data, DAY, [trade(1, NOON, 21_000)], IDS)
    write_day(data, "2024-12-11", [], {})
    tape = ingest(data, tmp_path)
    assert ledger(tape) == {"records": 1, "prints": 1}
    assert [source["records"] for source in tape.metadata["sources"]] == [1, 0]


def test_the_metadata_names_the_sources_with_size_and_hash_and_all_that_was_chosen(data, tmp_path):
    path = write_day(data, DAY, [trade(1, NOON, 21_000, 7)], IDS)
    got = ingest(data, tmp_path).metadata
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert got["sources"] == [{"name": path.name, "bytes": path.stat().st_size, "sha256": digest, "records": 1}]
    assert got["instrument"]["root"] == "NQ"
    assert got["version"] == scalpr_zen.__version__
    assert got["format"] == scalpr_zen.data.tape_file.FORMAT
    assert got["roll_rule"] == Roll().text
    assert got["synthetic"] is False


def test_the_same_files_give_the_same_bytes_for_any_cores_batches_and_order_of_names(data, tmp_path, monkeypatch):
    paths = []
    for day in ("2024-12-10", "2024-12-11", "2024-12-12"):
        begin = utc(f"{day} 15:00")
        records = [trade(1 + i % 2, begin + i * 7 % 5, 21_000 + i, 1 + i % 3, sequence=i % 4) for i in range(40)]
        paths.append(write_day(data, day, records, IDS))
    expected = preprocess([data], instrument("NQ"), tmp_path / "a.npz").read_bytes()
    for cores in (1, 2, 7):
        with Engine(cores):
            got = preprocess(paths[::-1], instrument("NQ"), tmp_path / "b.npz")
        assert got.read_bytes() == expected
    for batch in (1, 3, 39, 40, 41):
        monkeypatch.setattr(dbn, "BATCH_RECORDS", batch)
        assert preprocess([data], instrument("NQ"), tmp_path / "c.npz").read_bytes() == expected


def test_progress_counts_every_byte_of_the_files_once(data, tmp_path):
    for day in ("2024-12-10", "2024-12-11"):
        write_day(data, day, [trade(1, utc(f"{day} 15:00"), 21_000)], IDS)
    reported = []
    ingest(data, tmp_path, progress=lambda done, total: reported.append((done, total)))
    size = sum(path.stat().st_size for path in data.iterdir())
    assert reported[-1] == (size, size)
    assert [done for done, _ in reported] == sorted(done for done, _ in reported)


# Symbols ----------------------------------------------------------------------------------------------


def test_an_id_means_what_the_header_says_on_the_date_of_receipt(data, tmp_path):
    symbols = {
        "NQZ4": [(date(2024, 12, 10), date(2024, 12, 11), 1), (date(2024, 12, 11), date(2024, 12, 12), 2)],
        "ESZ4": [(date(2024, 12, 10), date(2024, 12, 11), 2), (date(2024, 12, 11), date(2024, 12, 12), 1)],
    }
    midnight = utc("2024-12-11")
    records = [
        trade(1, midnight - 10, 21_000, recv=midnight - 1),
        trade(2, midnight - 10, 6_000, recv=midnight - 1),
        trade(2, midnight - 5, 21_001, recv=midnight),  # happened on the 10th, received on the 11th
        trade(1, midnight - 5, 6_001, recv=midnight),
    ]
    write_day(data, DAY, records, symbols, days=2)
    tape = ingest(data, tmp_path)
    assert columns(tape) == [(midnight - 10, 84_000, 1, 1), (midnight - 5, 84_004, 1, 1)]
    assert ledger(tape) == {"records": 4, "prints": 2, "other_root": 2}


@pytest.mark.parametrize("untrusted", [{"recv": UNDEF_TIMESTAMP}, {"recv": 5, "flags": 8}])
def test_a_record_without_a_trusted_time_of_receipt_is_dated_by_its_own_time(data, tmp_path, untrusted):
    write_day(data, DAY, [trade(1, NOON, 21_000, **untrusted)], IDS)
    assert columns(ingest(data, tmp_path)) == [(NOON, 84_000, 1, 1)]


def test_an_id_is_reused_from_file_to_file(data, tmp_path):
    other = utc("2024-12-11 12:00")
    write_day(data, DAY, [trade(7, NOON, 21_000, 5), trade(8, NOON, 21_100)], {"NQZ4": 7, "NQH5": 8})
    write_day(data, "2024-12-11", [trade(8, other, 21_001, 5), trade(7, other, 21_101)], {"NQZ4": 8, "NQH5": 7})
    tape = ingest(data, tmp_path)
    assert columns(tape) == [(NOON, 84_000, 5, 1), (other, 84_004, 5, 1)]
    assert segments(tape) == [("NQZ4", 0, 2)]


def test_a_one_digit_year_ten_years_later_is_another_contract(data, tmp_path):
    for day in ("2014-12-10", "2024-12-10", "2024-12-11"):
        noon = utc(f"{day} 12:00")
        size = 1 if day.startswith("2014") else 9
        write_day(data, day, [trade(1, noon, 21_000, size), trade(2, noon, 21_100, 3)], IDS)
    tape = ingest(data, tmp_path)
    # NQH5 of 2015 leads in 2014 and expires in the gap; NQZ4 of 2024, which is no way back, leads after it.
    assert tape.ts.tolist() == [utc(f"{day} 12:00") for day in ("2014-12-10", "2024-12-10", "2024-12-11")]
    assert segments(tape) == [("NQH2015", 0, 1), ("NQZ2024", 1, 3)]


# Sessions and order -----------------------------------------------------------------------------------


def test_a_session_begins_at_17_chicago_the_evening_before(data, tmp_path):
    times = [chicago("2024-12-09 15:59:59.999999"), chicago("2024-12-09 17:00"), chicago("2024-12-10 15:59")]
    write_day(data, "2024-12-09", [trade(1, t, 21_000) for t in times[:2]], IDS)
    write_day(data, "2024-12-10", [trade(1, times[2], 21_000)], IDS)
    tape = ingest(data, tmp_path)
    assert tape.sessions[["date", "start", "stop"]].tolist() == [(date(2024, 12, 9), 0, 1), (date(2024, 12, 10), 1, 3)]


def test_late_prints_are_put_in_order_of_time_and_sequence_and_counted(data, tmp_path):
    order = [(5, 1), (3, 9), (3, 2), (7, 0), (7, 0), (6, 4), (8, 0)]
    records = [trade(1, NOON + t, 21_000 + i, sequence=s) for i, (t, s) in enumerate(order)]
    write_day(data, DAY, records, IDS)
    tape = ingest(data, tmp_path)
    assert [price // 4 - 21_000 for price in tape.price.tolist()] == [2, 1, 0, 5, 3, 4, 6]
    assert tape.ts.tolist() == [NOON + t for t in (3, 3, 5, 6, 7, 7, 8)]
    assert tape.metadata["reordered"] == 3  # 1 and 2 come after the print at 5, number 5 after those at 7


def test_files_that_overlap_in_time_are_merged(data, tmp_path):
    write_day(data, DAY, [trade(1, NOON + t, 21_000 + t) for t in (0, 2, 4)], IDS, part=0)
    write_day(data, DAY, [trade(1, NOON + t, 21_000 + t) for t in (1, 3, 5)], IDS, part=1)
    tape = ingest(data, tmp_path)
    assert columns(tape) == [(NOON + t, 84_000 + 4 * t, 1, 1) for t in range(6)]
    assert tape.metadata["reordered"] == 2


def test_a_print_that_comes_after_one_of_the_next_session_is_counted_too(data, tmp_path):
    times = [chicago("2024-12-10 17:00:01"), chicago("2024-12-10 15:59:59")]
    write_day(data, DAY, [trade(1, t, 21_000) for t in times], IDS)
    tape = ingest(data, tmp_path)
    assert tape.ts.tolist() == times[::-1]
    assert tape.metadata["reordered"] == 1


@pytest.mark.parametrize(("day", "front"), [("2025-02-10", "SR3Z4"), ("2025-03-14", "SR3Z4"), ("2025-03-19", "SR3H5")])
def test_a_sofr_contract_trades_on_for_the_quarter_after_the_month_in_its_name(tmp_path, day, front):
    data = tmp_path / "data"
    data.mkdir()
    at = utc(f"{day} 15:00")
    records = [trade(1, at, "95.6725"), trade(2, at + 1, "95.7")]
    write_day(data, day, records, {"SR3Z4": 1, "SR3H5": 2})
    tape = Tape.open(preprocess([data], instrument("SR3"), tmp_path / "tape.npz", roll=Roll(rule="calendar", days=1)))
    assert tape.segments["contract"].tolist() == [front]
