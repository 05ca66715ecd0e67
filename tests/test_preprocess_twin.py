"""Preprocess against its naive twin: random folders, and the vendor's real files."""

import os
import random
import tempfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from databento import DBNStore
from databento_dbn import UNDEF_PRICE, UNDEF_TIMESTAMP
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.budget import budget
from support.dbn_files import DELAY, SECOND, trade, utc, write_day
from support.naive_preprocess import preprocess as naive_preprocess
from support.naive_preprocess import session_date

from scalpr_zen import DataError, Tape, instrument
from scalpr_zen.data import dbn
from scalpr_zen.data.preprocess import preprocess

REAL = os.environ.get("SCALPR_REAL_DATA")
needs_real_data = pytest.mark.skipif(not REAL, reason="SCALPR_REAL_DATA names no folder of real data")

DAY_NS = 86_400 * SECOND
TICK = 250_000_000


def assert_equal_to_naive(tape: Tape, naive):
    """Every column, ledger and table of the tape is what the twin found."""
    prints = list(zip(tape.ts.tolist(), tape.price.tolist(), tape.size.tolist(), tape.aggressor.tolist(), strict=True))
    assert prints == [row[:4] for row in naive.prints]
    contracts = [contract for contract, start, stop in tape.segments.tolist() for _ in range(start, stop)]
    assert contracts == [row[4] for row in naive.prints]
    assert all(a != b for a, b in zip(tape.segments["contract"], tape.segments["contract"][1:], strict=False))
    dates = [day for day, start, stop, *_ in tape.sessions.tolist() for _ in range(start, stop)]
    assert dates == [session_date(row[0]) for row in naive.prints]
    assert tape.sessions["date"].tolist() == naive.sessions
    got = tape.metadata
    assert got["record_ledger"] == naive.ledger
    assert got["reordered"] == naive.reordered
    closes = {day: close for day, _, _, close, _ in tape.sessions.tolist()}
    assert got["closes"]["prints_after"] == sum(row[0] > closes[session_date(row[0])] for row in naive.prints)
    tick = tape.instrument.tick_nanos
    rolls = [roll | {"gap_points": roll["gap_ticks"] * tick / 1e9} for roll in naive.roll_ledger]
    assert without("chosen_by", got["roll_ledger"]) == without("gap_ticks", rolls)
    assert got["replaced"] == naive.replaced
    assert without("reason", got["left_out"]) == naive.left_out
    assert without("contract", got["low_share"]) == naive.low_share
    assert {k: v for k, v in got["first_front"].items() if k != "chosen_by"} == naive.first_front


def without(name, rows):
    return [{k: v for k, v in row.items() if k != name} for row in rows]


# Random folders ---------------------------------------------------------------------------------------

# Weeks with a plain roll, with both changes of the clock, with a change of the year, and with an expiry.
FIRST_DAYS = [date(2024, 12, 9), date(2024, 3, 7), date(2024, 10, 31), date(2024, 12, 29), date(2025, 3, 18)]
OUTRIGHTS = ["NQH5", "NQM5", "NQU5"]
OTHERS = ["NQH5-NQM5", "MNQH5", "ESH5", "NQ:BF H5-M5-U5"]
# Seconds from midnight UTC: the ends of the file, both possible beginnings of a session, and between.
MOMENTS = [-30, 0, 1, 21 * 3600, 22 * 3600 - 1, 22 * 3600, 23 * 3600 - 1, 23 * 3600, 23 * 3600 + 1, 86_399]
PRICES = [price * TICK for price in (0, 84_000, 84_001, -3, 10**9 - 1)]
ODD_PRICES = [UNDEF_PRICE, 84_000 * TICK + 1, -1, 10**9 * TICK, -(10**9) * TICK]

folders = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32 - 1),
        "first": st.sampled_from(FIRST_DAYS),
        "days": st.sampled_from([4, 6, 2, 1]),
        "records": st.sampled_from([30, 80, 10, 2]),  # of a day, at most
        "odd": st.sampled_from([0, 0.05, 0.5]),  # share of odd records
        "late": st.sampled_from([0, 0.05, 1]),  # chance that a record is out of order
        "moments": st.sampled_from([MOMENTS, range(86_400)]),
        "parts": st.sampled_from([1, 2]),  # of a day, at most: where each day is one file, the spill is not needed
        "continuous": st.sampled_from([False, False, True]),
    }
)


def draw_record(rng, folder, ids, weights, midnight, ts_out):
    """A record; its time of receipt lies inside the file, unless it is not to be trusted."""
    odd = rng.random() < folder["odd"]
    symbol = rng.choices(OUTRIGHTS, weights)[0]
    if not folder["continuous"] and rng.random() < 0.2:
        symbol = rng.choice(OTHERS)
    ts = midnight + rng.choice(folder["moments"]) * SECOND + rng.randrange(3)
    received, flags = min(max(ts + DELAY, midnight), midnight + DAY_NS - 1), 0
    receipt = rng.choice(["early", "undefined", "flagged", "soon", "soon", "soon"]) if ts > midnight else "soon"
    if receipt == "early":
        received = max(ts - SECOND // 2, midnight)
    elif receipt == "undefined":
        received = UNDEF_TIMESTAMP
    elif receipt == "flagged":
        received, flags = ts - 90 * DAY_NS, 8
    return trade(
        ids[symbol],
        ts,
        price=rng.choice(ODD_PRICES if odd and rng.random() < 0.5 else PRICES),
        size=rng.choice([0, 2**31 - 1, 2**31]) if odd and rng.random() < 0.5 else rng.randrange(1, 100),
        side=rng.choice("ABN"),
        sequence=rng.randrange(3),
        action="F" if odd and rng.random() < 0.2 else "T",
        recv=received,
        flags=flags,
        ts_out=ts if ts_out else None,
    )


def write_folder(path, folder):
    """Write the files of consecutive UTC days, each in one or two parts; no two records are equal.

    Late records are late by less than a session.
    """
    rng = random.Random(folder["seed"])
    weights = [4, 2, 1]
    for number in range(folder["days"]):
        day = folder["first"] + timedelta(days=number)
        midnight, ts_out, parts = utc(day.isoformat()), rng.random() < 0.3, rng.randint(1, folder["parts"])
        ids = dict(zip(OUTRIGHTS + OTHERS, rng.sample(range(40, 47), 7), strict=True))
        front = rng.choice(OUTRIGHTS)
        symbols = {"NQ.v.0": ids[front]} if folder["continuous"] else ids
        if folder["continuous"]:
            weights = [symbol == front for symbol in OUTRIGHTS]
        count = rng.randrange(folder["records"] + 1)
        drawn = [draw_record(rng, folder, ids, weights, midnight, ts_out) for _ in range(count)]
        unique = {bytes(record): record for record in drawn}.values()
        records = sorted(unique, key=lambda r: r.ts_event if rng.random() >= folder["late"] else midnight)
        records.sort(key=lambda r: session_date(r.ts_event))
        size = -(-len(records) // parts) or 1
        for part in range(parts):
            options = {"version": rng.randrange(1, 4), "suffix": rng.choice([".dbn", ".dbn.zst"]), "frames": part + 1}
            mine = records[part * size : (part + 1) * size]
            write_day(path, day.isoformat(), mine, symbols, part=part, ts_out=ts_out, **options)
        weights = [weights[0] * rng.choice([1, 0.3]), *rng.choices([1, 2, 4], k=2)]


@settings(derandomize=True, deadline=None, max_examples=budget(100), suppress_health_check=list(HealthCheck))
@given(folder=folders, batch=st.integers(1, 20))
def test_random_folders_give_the_tape_of_the_naive_twin(folder, batch):
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        data = Path(name) / "data"
        data.mkdir()
        write_folder(data, folder)
        naive = naive_preprocess(data.iterdir(), "NQ", TICK)
        if not naive.prints or naive.refused_tick:
            with pytest.raises(DataError):
                preprocess([data], instrument("NQ"), Path(name) / "tape.npz")
            return
        path = preprocess([data], instrument("NQ"), Path(name) / "tape.npz")
        assert_equal_to_naive(Tape.open(path), naive)
        patch.setattr(dbn, "BATCH_RECORDS", batch)
        paths = sorted(data.iterdir(), reverse=True)
        again = preprocess(paths, instrument("NQ"), Path(name) / "again.npz")
        assert again.read_bytes() == path.read_bytes()


# Real files -------------------------------------------------------------------------------------------


@needs_real_data
@pytest.mark.parametrize(
    ("place", "root"),
    [
        ("parent", "GC"),
        ("roll", "NQ"),
        ("trades/ESH4-20231225.trades.dbn.zst", "ES"),
        ("trades/ESM8-20180507.trades.dbn.zst", "ES"),
        ("trades/ESU4-20240701T2358.trades.dbn.zst", "ES"),
    ],
)
def test_real_files_give_the_tape_of_the_naive_twin(tmp_path, place, root):
    place = Path(REAL) / place
    files = sorted(place.iterdir()) if place.is_dir() else [place]
    naive = naive_preprocess(files, root, instrument(root).tick_nanos)
    assert len(naive.prints) > 100
    first = preprocess([place], instrument(root), tmp_path / "tape.npz")
    assert_equal_to_naive(Tape.open(first), naive)
    second = preprocess(files[::-1], instrument(root), tmp_path / "again.npz")
    assert second.read_bytes() == first.read_bytes()


@needs_real_data
def test_the_roll_of_december_2024_is_the_known_one(tmp_path):
    tape = Tape.open(preprocess([Path(REAL) / "roll"], instrument("NQ"), tmp_path / "tape.npz"))
    assert tape.segments["contract"].tolist() == ["NQZ4", "NQH5"]
    # NQH5 first has the higher volume in the session of the 17th, so the 18th is its first.
    (roll,) = tape.metadata["roll_ledger"]
    assert roll["date"] == "2024-12-18"
    assert roll["from_volume"] < roll["to_volume"]


@needs_real_data
def test_the_nearest_expiry_of_gold_is_not_its_front_month(tmp_path):
    tape = Tape.open(preprocess([Path(REAL) / "parent"], instrument("GC"), tmp_path / "tape.npz"))
    assert tape.segments["contract"].tolist() == ["GCZ3"]
    assert tape.metadata["record_ledger"]["records"] == 40_192 + 52_322
    assert tape.metadata["record_ledger"]["zero_size"] > 0


@needs_real_data
def test_all_versions_of_one_file_give_one_tape(tmp_path):
    versions = [path for path in sorted((Path(REAL) / "versions").iterdir()) if path.name.startswith("ESH1")]
    tapes = [Tape.open(preprocess([path], instrument("ES"), tmp_path / f"{path.name}.npz")) for path in versions]
    assert len(tapes) == 4
    for tape in tapes:
        assert_equal_to_naive(tape, naive_preprocess([versions[0]], "ES", TICK))
        assert len(tape) == 2


@needs_real_data
def test_trades_aggregate_to_the_bars_of_the_vendor(tmp_path):
    folder = Path(REAL) / "trades"
    trades = folder / "ESU4-20240701T2358.trades.dbn.zst"
    tape = Tape.open(preprocess([trades], instrument("ES"), tmp_path / "tape.npz"))
    minutes = {}
    for ts, price, size in zip(tape.ts.tolist(), tape.price.tolist(), tape.size.tolist(), strict=True):
        minutes.setdefault(ts // (60 * SECOND) * 60 * SECOND, []).append((price * TICK, size))
    bars = {}
    for minute, rows in minutes.items():
        prices = [price for price, _ in rows]
        bars[minute] = (prices[0], max(prices), min(prices), prices[-1], sum(size for _, size in rows))

    store = DBNStore.from_bytes((folder / "ESU4-20240701T2340.ohlcv-1m.dbn.zst").read_bytes())
    (es,) = {int(row["symbol"]) for row in store.metadata.mappings["ESU4"]}
    begin, end = utc("2024-07-01 23:58"), utc("2024-07-02 00:01")
    expected = {
        bar.ts_event: (bar.open, bar.high, bar.low, bar.close, bar.volume)
        for bar in store
        if bar.instrument_id == es and begin <= bar.ts_event <= end
    }
    assert len(expected) == 4
    assert bars == expected


@needs_real_data
def test_trades_are_the_trades_among_the_quotes_of_the_same_minutes(tmp_path):
    folder = Path(REAL) / "trades"
    trades = folder / "ESU4-20240701T2358.trades.dbn.zst"
    tape = Tape.open(preprocess([trades], instrument("ES"), tmp_path / "tape.npz"))
    store = DBNStore.from_bytes((folder / "ESU4-20240701T2358.mbp-1.dbn.zst").read_bytes())
    rows = [(r.ts_event, r.price, r.size, str(r.side)) for r in store if r.action == "T"]
    sides = {1: "B", -1: "A", 0: "N"}
    got = zip(tape.ts.tolist(), tape.price.tolist(), tape.size.tolist(), tape.aggressor.tolist(), strict=True)
    assert [(ts, price * TICK, size, sides[side]) for ts, price, size, side in got] == rows
