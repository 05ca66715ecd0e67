"""The demo market keeps each promise of its files, read back with the vendor's own reader."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import databento
import numpy as np
import pytest
import zstandard
from databento_dbn import Metadata, Schema, SType

from scalpr_zen.base.engine import Engine
from scalpr_zen.base.errors import DataError, ParameterError
from scalpr_zen.data import demo
from scalpr_zen.data.demo import write_demo

PRINTS = 4_000
TICK = 250_000_000
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Ten sessions: the default demo with fewer prints."""
    return write_demo(tmp_path_factory.mktemp("ten"), prints_a_session=PRINTS)


@pytest.fixture(scope="module")
def long_files(tmp_path_factory):
    """Monday 2025-12-08 to Monday 2026-03-23: two expiries and a change to daylight saving time."""
    return write_demo(tmp_path_factory.mktemp("long"), sessions=76, prints_a_session=1_000)


@pytest.fixture(scope="module")
def ten(files):
    return Market(files)


@pytest.fixture(scope="module")
def long(long_files):
    return Market(long_files)


class Market:
    """The records of all files in one array, each with its symbol, session date and Chicago time."""

    def __init__(self, files):
        stores = [read(path) for path in files]
        self.records = np.concatenate([store.to_ndarray().reshape(-1) for store in stores])  # one record: (1, 1)
        self.symbol = np.concatenate([symbols(store) for store in stores])
        self.chicago = [chicago(ts) for ts in self.records["ts_event"].tolist()]
        self.session = np.array([(t + timedelta(hours=7)).date() for t in self.chicago], "M8[D]")
        self.spread = np.array(["-" in s for s in self.symbol])
        self.ticks = self.records["price"] / TICK
        self.sign = np.select([self.records["side"] == b"B", self.records["side"] == b"A"], [1, -1])

    @cached_property
    def volumes(self):
        """Volume of each outright, by session date."""
        outrights = np.unique(self.symbol[~self.spread])
        return {
            day: {s: int(self.records["size"][(self.session == day) & (self.symbol == s)].sum()) for s in outrights}
            for day in np.unique(self.session).tolist()
        }

    @cached_property
    def leaders(self):
        """The outright of the highest volume, by session date."""
        return {day: max(volume, key=volume.get) for day, volume in self.volumes.items()}

    def front(self, day):
        """Where the records of the front month of a session date are: the leader of the one before."""
        days = list(self.leaders)
        symbol = self.leaders[days[max(0, days.index(day) - 1)]]
        return np.flatnonzero((self.session == day) & (self.symbol == symbol))


def read(path):
    """The vendor's store; from bytes, because its `from_file` leaves the file open."""
    return databento.DBNStore.from_bytes(path.read_bytes())


def chicago(ns):
    return datetime.fromtimestamp(ns // 10**9, UTC).astimezone(ZoneInfo("America/Chicago"))


def symbols(store):
    """The symbol of each record by the file's own mapping, which must hold on the file's date."""
    day = file_date(store)
    of_id = {
        int(row["symbol"]): symbol
        for symbol, rows in store.mappings.items()
        for row in rows
        if row["start_date"] <= day < row["end_date"]
    }
    return np.array([of_id[i] for i in store.to_ndarray()["instrument_id"].reshape(-1).tolist()])


def file_date(store):
    return datetime.fromtimestamp(store.metadata.start // 10**9, UTC).date()


def first_of_event(records):
    return np.append(True, records["ts_event"][1:] != records["ts_event"][:-1])


# Files


def test_a_file_is_one_utc_day_with_prints_and_bears_its_date(files):
    days = []
    for path in files:
        store = read(path)
        days.append(file_date(store))
        assert path.name == f"glbx-mdp3-{days[-1]:%Y%m%d}.trades.dbn.zst"
        assert store.metadata.end - store.metadata.start == 86_400 * 10**9
        assert len(store.to_ndarray()) > 0
    expected = [date(2025, 12, 7) + k * DAY for k in range(13)]
    assert days == [day for day in expected if day.weekday() != 5]


def test_the_header_is_that_of_a_parent_request_marked_synthetic(files):
    for path in files:
        metadata = read(path).metadata
        assert metadata.version == 3
        assert metadata.dataset == "GLBX.MDP3"
        assert (metadata.schema, metadata.stype_in, metadata.stype_out) == ("trades", "parent", "instrument_id")
        assert metadata.symbols == ["NQ.FUT"]
        assert metadata.not_found == ["SYNTHETIC"]
        assert metadata.limit is None
        assert not metadata.ts_out


def test_the_mapping_of_a_file_names_two_expiries_and_their_spread_on_its_date(long_files):
    pairs = {}
    for path in long_files:
        store = read(path)
        day = file_date(store)
        intervals = {(row["start_date"], row["end_date"]) for rows in store.mappings.values() for row in rows}
        assert intervals == {(day, day + DAY)}
        pairs[day] = set(store.mappings)
    assert pairs[date(2025, 12, 19)] == {"NQZ5", "NQH6", "NQZ5-NQH6"}
    assert pairs[date(2025, 12, 21)] == pairs[date(2026, 3, 20)] == {"NQH6", "NQM6", "NQH6-NQM6"}
    assert pairs[date(2026, 3, 22)] == {"NQM6", "NQU6", "NQM6-NQU6"}


def test_a_symbol_keeps_its_id_and_shares_it_with_no_other(long):
    ids = {(s, int(i)) for s, i in zip(long.symbol, long.records["instrument_id"], strict=True)}
    assert len(ids) == len({s for s, _ in ids}) == len({i for _, i in ids}) >= 5


def test_a_file_is_one_whole_zstd_frame_of_a_header_and_records_of_48_bytes(files):
    for path in files:
        raw = path.read_bytes()
        frame = zstandard.ZstdDecompressor().decompressobj()
        data = frame.decompress(raw)
        assert frame.eof
        assert frame.unused_data == b""
        assert zstandard.frame_content_size(raw) == len(data)
        body = len(data) - 8 - int.from_bytes(data[4:8], "little")
        assert body == 48 * len(read(path).to_ndarray())


def test_records_are_sorted_by_receipt_and_received_in_the_files_range(files):
    for path in files:
        store = read(path)
        received = store.to_ndarray()["ts_recv"]
        assert (received[1:] >= received[:-1]).all()
        assert store.metadata.start <= received[0] <= received[-1] < store.metadata.end


def test_a_print_before_midnight_that_is_received_after_it_lies_in_the_later_file(tmp_path, monkeypatch):
    midnight = int(datetime(2025, 12, 9, tzinfo=UTC).timestamp()) * 10**9

    def late(session):
        records = demo_records(session)
        k = np.searchsorted(records["ts_event"], midnight) - 1
        if k >= 0 and session.day == date(2025, 12, 9):
            records["ts_event"][k], records["ts_recv"][k] = midnight - 1, midnight
        return records

    demo_records = demo.draw_records
    monkeypatch.setattr(demo, "draw_records", late)
    paths = write_demo(tmp_path, sessions=2, prints_a_session=1_000)
    first = read(paths[2]).to_ndarray()[0]
    assert paths[2].name == "glbx-mdp3-20251209.trades.dbn.zst"
    assert (first["ts_event"], first["ts_recv"]) == (midnight - 1, midnight)


# Prints and events


def test_every_record_is_a_trade_message(ten):
    for name, value in {"length": 12, "rtype": 0, "publisher_id": 1, "action": b"T", "depth": 0}.items():
        assert (ten.records[name] == value).all(), name


def test_the_prints_of_an_event_share_all_but_price_size_and_flag(ten):
    r = ten.records
    inside = ~first_of_event(r)[1:]
    assert inside.mean() > 0.5
    for name in ("instrument_id", "side", "ts_recv", "ts_in_delta", "sequence"):
        assert (r[name][1:] == r[name][:-1])[inside].all(), name


def test_no_two_events_share_a_time_and_the_number_of_prints_is_geometric_with_mean_4(ten):
    _, counts = np.unique(ten.records["ts_event"], return_counts=True)
    assert len(counts) == first_of_event(ten.records).sum()
    # The deviation of a geometric number of mean 4 is sqrt(12): five standard errors.
    assert counts.mean() == pytest.approx(4, abs=5 * np.sqrt(12 / len(counts)))
    assert (counts == 1).mean() == pytest.approx(1 / 4, abs=5 * np.sqrt(3 / 16 / len(counts)))


def test_an_event_walks_level_by_level_in_the_aggressors_direction(ten):
    r = ten.records
    level = np.where(ten.spread, TICK // 5, TICK)
    steps = np.diff(r["price"]) / level[1:]
    walk = (steps * ten.sign[1:])[~first_of_event(r)[1:] & (r["side"][1:] != b"N")]
    assert set(walk.tolist()) == {0.0, 1.0}
    assert 0.7 < walk.mean() < 0.9


def test_the_last_print_of_an_event_alone_has_the_flag(ten):
    last = np.append(first_of_event(ten.records)[1:], True)
    assert (ten.records["flags"] == np.where(last, 128, 0)).all()


def test_the_sequence_increases_from_event_to_event_through_a_week(ten):
    week = ten.records[ten.session < np.datetime64("2025-12-15")]
    sequence = week["sequence"][first_of_event(week)].astype(np.int64)
    assert len(sequence) > 4_000
    assert (np.diff(sequence) > 0).all()


def test_receipt_follows_the_event_by_tens_of_microseconds_and_its_sending_lies_between(ten):
    delay = (ten.records["ts_recv"] - ten.records["ts_event"]).astype(np.int64)
    assert delay.min() >= 40_000
    assert np.quantile(delay, 0.99) < 100_000
    assert (ten.records["ts_in_delta"] > 0).all()
    assert (ten.records["ts_in_delta"] < delay).all()


def test_aggressors_are_buyers_and_sellers_with_a_few_unknown(ten):
    side = ten.records["side"][first_of_event(ten.records)]
    assert set(side.tolist()) == {b"A", b"B", b"N"}
    assert 0 < (side == b"N").mean() < 0.02
    assert (side == b"B").mean() == pytest.approx(0.5, abs=0.05)


def test_sizes_are_geometric(ten):
    size = ten.records["size"]
    assert size.min() == 1
    assert size.mean() == pytest.approx(2.2, abs=0.1)
    assert (size == 1).mean() == pytest.approx(1 / 2.2, abs=0.02)


# The clock


def test_prints_lie_in_the_sessions_of_chicago_on_both_sides_of_the_change_of_clocks(long):
    for t in long.chicago:
        weekday, hour = t.weekday(), t.hour
        assert hour != 16
        assert weekday != 5
        assert not (weekday == 6 and hour < 17)
        assert not (weekday == 4 and hour > 16)
    offsets = {t.utcoffset() for t in long.chicago}
    assert offsets == {timedelta(hours=-6), timedelta(hours=-5)}


def test_sessions_open_at_23_utc_in_winter_and_at_22_in_summer(long):
    for day, hour in ((date(2026, 3, 6), 23), (date(2026, 3, 9), 22)):
        opening = int(long.records["ts_event"][long.session == day].min())
        expected = datetime(day.year, day.month, day.day, hour, tzinfo=UTC) - DAY
        # 1,000 prints are about two events in the first ten minutes.
        assert 0 <= opening / 10**9 - expected.timestamp() < 3_600


def test_every_weekday_is_a_session(long):
    expected = [date(2025, 12, 8) + k * DAY for k in range(106)]
    assert np.unique(long.session).tolist() == [day for day in expected if day.weekday() < 5]


def test_the_day_is_u_shaped_with_its_peaks_at_the_cash_open_and_close(ten):
    halves = np.array([(t.hour * 60 + t.minute) // 30 for t in ten.chicago])
    count = np.bincount(halves, minlength=48)
    open_, close = 17, 29
    assert count.argmax() == open_
    assert count[close] == count[20:32].max()
    assert count[22:26].max() < 0.75 * count[close]
    assert count[38:48].max() < 0.15 * count[open_]
    assert count[30] < 0.5 * count[close]


# Contracts and prices


def test_the_market_is_busier_in_bursts_of_minutes(ten):
    # Events in the same 10 minutes of ten sessions: at the day's rates alone their variance would be their mean, give
    # or take sqrt(2 / 9) of it in each slot. A busy slot is followed by a busy one, and two hours later forgotten.
    first = first_of_event(ten.records)
    days = np.unique(ten.session)
    minutes = np.array([(t.hour * 60 + t.minute - 17 * 60) % 1440 for t in ten.chicago])[first]
    counts = np.zeros((len(days), 144))
    np.add.at(counts, (np.searchsorted(days, ten.session[first]), minutes // 10), 1)
    counts = counts[:, counts.mean(axis=0) > 2]
    counts *= counts.mean() / counts.mean(axis=1, keepdims=True)  # near the roll a session has more events
    dispersion = (counts.var(axis=0, ddof=1) / counts.mean(axis=0)).mean()
    assert dispersion > 1 + 5 * np.sqrt(2 / 9 / counts.shape[1])
    score = (counts - counts.mean(axis=0)) / np.sqrt(counts.mean(axis=0))
    near, far = (np.mean(score[:, k:] * score[:, :-k]) / np.mean(score**2) for k in (1, 12))
    assert near > 0.25 > 0.15 > far


def test_ten_sessions_hold_one_roll_on_the_tuesday_before_expiry(ten):
    leaders = ten.leaders
    changes = [day for (_, a), (day, b) in pairwise(leaders.items()) if a != b]
    assert changes == [date(2025, 12, 16)]
    assert leaders[date(2025, 12, 15)] == "NQZ5"
    assert leaders[date(2025, 12, 16)] == "NQH6"


def test_the_next_quarter_rolls_in_the_next_week_of_expiry(long):
    leaders = long.leaders
    changes = [(day, b) for (_, a), (day, b) in pairwise(leaders.items()) if a != b]
    assert changes == [(date(2025, 12, 16), "NQH6"), (date(2026, 3, 17), "NQM6")]


def test_the_later_expiry_is_thin_before_the_roll_and_the_spread_is_a_handful(ten):
    before = ten.session < np.datetime64("2025-12-12")
    assert 0.005 < (ten.symbol[before] == "NQH6").mean() < 0.06
    assert 0 < ten.spread.sum() < 0.003 * len(ten.spread)


def test_an_expiring_contract_trades_until_half_past_eight_of_its_last_day(ten, long):
    for market in (ten, long):
        last = chicago(int(market.records["ts_event"][market.symbol == "NQZ5"].max()))
        assert last.date() in (date(2025, 12, 18), date(2025, 12, 19))
        assert last.replace(tzinfo=None) < datetime(2025, 12, 19, 8, 30)
    earlier = ten.records["ts_event"][ten.symbol == "NQZ5"].max()
    assert chicago(int(earlier)).date() == date(2025, 12, 19)


def test_prices_lie_on_the_grid_near_25_000_points(ten):
    outright = ten.ticks[~ten.spread]
    assert (outright == np.round(outright)).all()
    assert outright.min() / 100_000 > 0.98
    assert outright.max() / 100_000 < 1.03


def test_spread_prices_are_the_carry_on_the_spreads_own_grid(ten):
    price = ten.records["price"][ten.spread]
    assert (price % 50_000_000 == 0).all()
    assert price.min() >= 200 * 10**9
    assert price.max() <= 300 * 10**9


def test_the_later_expiry_trades_nine_tenths_of_a_percent_above_the_earlier_one(ten):
    at = np.flatnonzero((ten.session == np.datetime64("2025-12-16")) & ~ten.spread)
    change = np.flatnonzero((ten.symbol[at[:-1]] == "NQZ5") & (ten.symbol[at[1:]] == "NQH6"))
    gaps = ten.ticks[at[1:]][change] - ten.ticks[at[:-1]][change]
    assert len(gaps) > 100
    # Between two events the price moves by some 5 ticks.
    assert np.median(gaps) == pytest.approx(900, abs=3)
    assert np.median(gaps) / np.median(ten.ticks[at]) == pytest.approx(0.009, abs=0.0003)


def test_a_session_opens_with_a_small_gap(ten):
    days = np.unique(ten.session).tolist()
    for yesterday, today in pairwise(days):
        symbol = "NQZ5" if today <= date(2025, 12, 17) else "NQH6"
        a, b = (ten.ticks[(ten.session == day) & (ten.symbol == symbol)] for day in (yesterday, today))
        assert abs(b[0] - a[-1]) < 5 * 24 + 30


def test_the_front_month_has_the_prints_that_were_asked_for(ten):
    counts = [len(ten.front(day)) for day in ten.volumes]
    # A session's number varies by 8 %, and by 5 % more through its 1,000 events: five standard errors of ten.
    assert np.mean(counts) == pytest.approx(PRINTS, rel=5 * 0.095 / np.sqrt(10))
    assert min(counts) > PRINTS / 2


def test_the_deviation_from_print_to_print_is_1_4_ticks(ten):
    changes = np.concatenate([np.diff(ten.ticks[ten.front(day)]) for day in ten.volumes])
    # The relative standard error of a deviation is sqrt((kurtosis - 1) / 4n).
    kurtosis = np.mean(changes**4) / np.mean(changes**2) ** 2
    error = 1.4 * np.sqrt((kurtosis - 1) / (4 * len(changes)))
    assert error < 0.02
    assert changes.std() == pytest.approx(1.4, abs=4 * error)


def test_the_quote_follows_an_aggressor_but_no_earlier_one(ten):
    own, earlier = [], []
    for day in np.unique(ten.session)[:4].tolist():  # before the roll nearly every event is the front month's
        at = ten.front(day)
        at = at[first_of_event(ten.records[at])]
        sign, quote = ten.sign[at], ten.ticks[at] - (ten.sign[at] > 0)
        moves = np.diff(quote)
        known = (sign[1:-1] != 0) & (sign[2:] != 0) & (sign[:-2] != 0)
        own.append((sign[1:-1] * moves[1:])[known])
        earlier.append((sign[:-2] * moves[1:])[known])
    own, earlier = np.concatenate(own), np.concatenate(earlier)
    error = earlier.std() / np.sqrt(len(earlier))
    assert own.mean() > 1.5
    # Persistent aggressors would foretell 0.4 * 0.9 * 2.4 = 0.86 ticks if the quote did not know of it.
    assert error < 0.1
    assert abs(earlier.mean()) < 4 * error


# Determinism


def contents(paths):
    return {path.name: path.read_bytes() for path in paths}


@pytest.mark.parametrize("cores", [1, 2, 7])
def test_the_number_of_cores_changes_no_byte(files, tmp_path, cores):
    with Engine(cores):
        assert contents(write_demo(tmp_path, prints_a_session=PRINTS)) == contents(files)


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


@pytest.mark.parametrize("sessions", [1, 4, 5, 6])
def test_fewer_sessions_are_the_first_of_the_same_files(files, tmp_path, sessions):
    paths = write_demo(tmp_path, sessions=sessions, prints_a_session=PRINTS)
    assert [p.read_bytes() for p in paths[:-1]] == [p.read_bytes() for p in files[: len(paths) - 1]]
    assert paths[-1].name == files[len(paths) - 1].name
    fewer, more = (read(p).to_ndarray() for p in (paths[-1], files[len(paths) - 1]))
    assert (fewer == more[: len(fewer)]).all()
    assert (len(fewer) == len(more)) == (sessions == 5)  # a Friday has no evening


# The folder


def test_the_folder_is_made_and_holds_the_files_alone(tmp_path):
    folder = tmp_path / "new" / "demo"
    paths = write_demo(folder, sessions=6, prints_a_session=1_000)
    assert sorted(folder.iterdir()) == paths
    assert len(paths) == 8


def test_progress_counts_the_files(tmp_path):
    calls = []
    paths = write_demo(tmp_path, sessions=6, prints_a_session=1_000, progress=lambda *call: calls.append(call))
    assert calls == [(n, len(paths)) for n in range(1, len(paths) + 1)]


def test_an_earlier_demo_is_replaced_as_a_whole(tmp_path):
    write_demo(tmp_path, sessions=6, seed=3, prints_a_session=1_000)
    paths = write_demo(tmp_path, sessions=2, prints_a_session=1_000)
    assert sorted(tmp_path.iterdir()) == paths


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
    with pytest.raises(DataError, match=r"holds glbx-mdp3-20251208\.trades\.dbn\.zst: name another folder"):
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
    [
        ("sessions", 0),
        ("sessions", 1261),
        ("seed", -1),
        ("prints_a_session", 999),
        ("prints_a_session", 10_000_001),
    ],
)
def test_a_number_out_of_its_range_is_refused_before_anything_is_written(tmp_path, name, value):
    with pytest.raises(ParameterError, match=f"{name} must be .*, was {value}"):
        write_demo(tmp_path / "never", **{name: value})
    assert not (tmp_path / "never").exists()
