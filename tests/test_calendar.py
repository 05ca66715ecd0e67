"""When sessions close: published hours, the rules about them, and what a tape keeps of them."""

import csv
from collections import Counter
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from support.dbn_files import chicago, trade, write_day
from support.tapes import Given, signals_of, tape_of

from scalpr_zen import SessionRules, Tape, TapeError, instrument, run, save_tape
from scalpr_zen.base import facts
from scalpr_zen.base.errors import ParameterError
from scalpr_zen.base.instruments import CALENDARS, parse_instrument
from scalpr_zen.data import calendar as module
from scalpr_zen.data.calendar import session_closes
from scalpr_zen.data.preprocess import preprocess
from scalpr_zen.render.lines import block_lines
from scalpr_zen.sections.tape import tape_blocks, tape_facts
from scalpr_zen.simulation.kernel import REASONS
from scalpr_zen.simulation.rules import entry_ranges

HOURS = Path(__file__).parent / "support" / "cme_hours.csv"
PUBLISHED = list(csv.DictReader(HOURS.read_text(encoding="utf-8").splitlines()))
CHICAGO = ZoneInfo("America/Chicago")
HOUR = 3600 * 10**9
CLOSES = {"grains": "13:20", "livestock": "13:05"}
"""Regular closes of today that are not 16:00."""


def close_of(calendar, day):
    """The Chicago time at which a session date closes, or `closed`."""
    got = session_closes(calendar, np.array([day], "M8[D]"))
    return "closed" if got.unknown[0] else wall(got.ns[0], day)


def wall(ns, day):
    local = datetime.fromtimestamp(int(ns) // 10**9, tz=CHICAGO)
    assert local.date().isoformat() == day
    return f"{local:%H:%M}"


# Published hours ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("calendar", CALENDARS)
def test_sessions_close_when_the_exchange_published_that_they_do(calendar):
    published = {row["session_date"]: row["close"] for row in PUBLISHED if row["calendar"] == calendar}
    got = session_closes(calendar, np.array(list(published), "M8[D]"))
    found = zip(published, got.ns, got.unknown, strict=True)
    assert {day: "closed" if unknown else wall(ns, day) for day, ns, unknown in found} == published


def test_every_published_row_names_its_address_and_no_session_twice():
    keys = [(row["calendar"], row["session_date"]) for row in PUBLISHED]
    assert all(row["source"].startswith(("http://", "https://")) for row in PUBLISHED)
    assert len(keys) == len(set(keys))
    shown = Counter(row["told_by"] for row in PUBLISHED)
    assert shown.keys() == {"notice", "quoted", "database", "library"}
    page = (Path(__file__).parents[1] / "docs" / "data.md").read_text(encoding="utf-8")
    counts = (f"{len(PUBLISHED)} published hours", f"{shown['notice']} from notices", f"{shown['quoted']} as brokers")
    assert all(text in page for text in (*counts, f"{shown['database']} by way of", f"{shown['library']} from reports"))
    assert {calendar for calendar, _ in keys} == set(CALENDARS)


def test_every_correction_is_a_weekday_of_the_vendor_s_years_once_a_calendar():
    days = [(name, day) for row in facts.CORRECTIONS for name in row["calendars"] for day in row["dates"]]
    assert len(days) == len(set(days))
    assert all(name in CALENDARS and day.weekday() < 5 for name, day in days)
    assert all(date(2010, 6, 6) <= day <= date(2027, 12, 31) for _, day in days)


# The rules ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("calendar", CALENDARS)
@pytest.mark.parametrize("day", ["2025-03-07", "2025-03-10", "2025-10-31", "2025-11-03"])
def test_the_wall_time_of_a_close_is_the_same_before_and_after_a_change_of_the_clocks(calendar, day):
    assert close_of(calendar, day) == CLOSES.get(calendar, "16:00")


@pytest.mark.parametrize("day", ["2025-12-25", "2026-01-01", "2025-04-18", "2025-12-13", "2025-12-14"])
def test_a_date_without_a_session_is_unknown_and_closes_at_the_regular_time_of_the_product(day):
    for calendar in ("equity", "grains"):
        got = session_closes(calendar, np.array([day], "M8[D]"))
        assert got.unknown.tolist() == [True]
        assert got.early.tolist() == [False]
        assert wall(got.ns[0], day) == ("13:20" if calendar == "grains" else "16:00")


def test_an_early_close_is_one_before_the_regular_close_of_its_day():
    days = np.array(["2013-07-05", "2013-07-04", "2022-01-17", "2022-01-18"], "M8[D]")
    assert session_closes("energy_metals", days).early.tolist() == [False, True, True, False]
    assert session_closes("fx", days).early.tolist() == [False, True, False, False]  # open to 16:00 on holidays by then


def test_dates_may_come_in_any_order_and_twice():
    days = np.array(["2025-12-24", "2013-07-04", "2025-12-24", "2025-12-10"], "M8[D]")
    together = session_closes("equity", days)
    alone = [session_closes("equity", days[k : k + 1]).ns[0] for k in range(4)]
    assert together.ns.tolist() == alone


@pytest.mark.parametrize("calendar", CALENDARS)
def test_every_close_of_seventeen_years_lies_in_its_session(calendar):
    days = np.arange("2010-06-07", "2027-12-31", dtype="M8[D]")
    got = session_closes(calendar, days[:-1])
    eves = [datetime.combine(day - timedelta(days=1), time(17), CHICAGO) for day in days.tolist()]
    starts = np.array([int(eve.timestamp()) * 10**9 for eve in eves])
    assert ((starts[:-1] < got.ns) & (got.ns < starts[1:])).all()
    weekend = np.isin(days[:-1].astype(int) % 7, [2, 3])  # 1970-01-01 was a Thursday
    assert got.unknown[weekend].all()
    assert not got.early[got.unknown].any()


@pytest.mark.parametrize("calendar", CALENDARS)
def test_the_day_after_thanksgiving_and_a_christmas_eve_early_in_the_week_close_early(calendar):
    thanksgivings = [date(year, 11, 22 + (3 - date(year, 11, 1).weekday()) % 7) for year in range(2011, 2027)]
    fridays = [day + timedelta(days=1) for day in thanksgivings]
    eves = [date(year, 12, 24) for year in range(2012, 2027) if date(year, 12, 24).weekday() < 4]
    got = session_closes(calendar, np.array(fridays + eves, "M8[D]"))
    assert got.early.all()
    holidays = session_closes(calendar, np.array(thanksgivings, "M8[D]"))
    assert holidays.unknown.all() if calendar in CLOSES else not holidays.unknown.any()


def test_no_dates_have_no_closes():
    assert [len(part) for part in session_closes("equity", np.array([], "M8[D]"))] == [0, 0, 0]


def test_an_unknown_calendar_is_refused():
    with pytest.raises(
        ParameterError,
        match="calendar must be one of equity rates fx energy_metals grains livestock crypto; was 'NYSE'",
    ):
        session_closes("NYSE", np.array(["2025-12-10"], "M8[D]"))


def test_an_own_instrument_has_the_hours_of_the_equity_index_unless_its_line_says_others():
    assert parse_instrument("NKD 5 5").calendar == "equity"
    assert parse_instrument("ZL 0.01 600 CBOT FHKNQUVZ grains").calendar == "grains"


# Tapes -------------------------------------------------------------------------------------------------


IDS = {"NQH5": 1}
EVE = [chicago("2024-12-24 09:00"), chicago("2024-12-24 12:14:59"), chicago("2024-12-24 12:15")]
LATE = [chicago("2024-12-24 12:15:01"), chicago("2024-12-24 16:30")]
SUNDAY = chicago("2024-12-22 17:00")  # of Monday's session
CHRISTMAS = chicago("2024-12-25 11:00")
EVENING = chicago("2024-12-25 17:30")  # of the 26th


def made(tmp_path, times, root="NQ"):
    data = tmp_path / "data"
    data.mkdir()
    by_day: dict[str, list[int]] = {}
    for at in sorted(times):
        by_day.setdefault(str(np.datetime64(at, "ns").astype("M8[D]")), []).append(at)
    for day, mine in by_day.items():
        write_day(data, day, [trade(1, at, 21_000) for at in mine], IDS)
    return Tape.open(preprocess([data], instrument(root), tmp_path / "tape.npz"))


def test_preprocess_keeps_the_close_of_each_session_date_and_says_where_it_is_from(tmp_path):
    tape = made(tmp_path, [SUNDAY, *EVE, *LATE, CHRISTMAS, EVENING])
    expected = ["2024-12-23 16:00", "2024-12-24 12:15", "2024-12-25 16:00", "2024-12-26 16:00"]
    assert tape.sessions["close"].tolist() == [chicago(at) for at in expected]
    closes = tape.metadata["closes"]
    assert closes.pop("library").startswith("pandas_market_calendars 5.")
    assert closes == {
        "calendar": "equity",
        "early": {"2024-12-24": "12:15"},
        "unknown": ["2024-12-25"],
        "prints_after": 2,
    }


def test_prints_after_the_close_are_counted_where_they_came_late_too(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    records = [trade(1, at, 21_000, sequence=k) for k, at in enumerate([LATE[1], EVE[0], LATE[0], EVE[1]])]
    write_day(data, "2024-12-24", records, IDS)
    tape = Tape.open(preprocess([data], instrument("NQ"), tmp_path / "tape.npz"))
    assert tape.metadata["reordered"] > 0
    assert tape.metadata["closes"]["prints_after"] == 2


def test_the_facts_of_a_tape_have_a_line_of_its_closes(tmp_path):
    lines = [
        line.split()
        for block in tape_blocks(tape_facts(made(tmp_path, [*EVE, *LATE, EVENING])))
        for line in block_lines(block)
    ]
    (words,) = [line for line in lines if line[:2] == ["session", "closes"]]
    version = module.version("pandas_market_calendars")
    assert " ".join(words[2:]) == (f"equity, pandas_market_calendars {version}: 1 early, 0 unknown, 2 prints late")


def test_a_tape_of_prints_reports_its_closes_like_one_of_files():
    tape = Tape.from_prints([*EVE, *LATE, CHRISTMAS], [1, 2, 3, 4, 5, 6], instrument=instrument("NQ"))
    closes = tape.metadata["closes"]
    assert (closes["early"], closes["unknown"], closes["prints_after"]) == ({"2024-12-24": "12:15"}, ["2024-12-25"], 2)


@pytest.mark.parametrize(
    ("root", "day", "close"),
    [
        ("ZC", "2025-12-10", "13:20"),
        ("ZC", "2025-12-24", "12:05"),
        ("LE", "2025-12-10", "13:05"),
        ("CL", "2024-12-24", "12:45"),
        ("NQ", "2024-12-24", "12:15"),
        ("BTC", "2025-12-24", "12:45"),
    ],
)
def test_a_tape_of_prints_closes_as_the_calendar_of_its_instrument_says(root, day, close):
    tape = Tape.from_prints([chicago(f"{day} 10:00")], [100], instrument=instrument(root))
    assert tape.sessions["close"].tolist() == [chicago(f"{day} {close}")]


def test_an_order_before_the_close_leaves_a_tape_of_corn_before_13_20():
    at = ["2025-12-10 10:00", "2025-12-10 10:01", "2025-12-10 13:14", "2025-12-10 13:16", "2025-12-11 08:30"]
    tape = Tape.from_prints([chicago(text) for text in at], [1_800] * 5, instrument=instrument("ZC"))
    rules = SessionRules(flat_before_close=5)
    result = run(tape, Given(signals_of(tape, {0: 1})), rules=rules)
    assert [(row["exit"], REASONS[row["reason"]]) for row in result.trades] == [(3, "close")]
    assert not [note for note in result.values["notes"] if "later session" in note]


def test_a_position_that_could_be_closed_only_in_a_later_session_is_noted():
    at = ["2025-12-10 10:00", "2025-12-10 10:01", "2025-12-10 13:14", "2025-12-11 08:30"]
    tape = Tape.from_prints([chicago(text) for text in at], [1_800] * 4, instrument=instrument("ZC"))
    result = run(tape, Given(signals_of(tape, {0: 1})), rules=SessionRules(flat_before_close=5))
    assert [(row["exit"], REASONS[row["reason"]]) for row in result.trades] == [(3, "close")]
    assert result.values["coverage"]["late_flat_exits"] == 1
    (note,) = [note for note in result.values["notes"] if "later session" in note]
    assert note == (
        "1 position was closed only in a later session (flat_before_close=5), because its own had no print after the "
        "order"
    )


@pytest.mark.parametrize(("day", "close"), [("2011-06-08", "16:30"), ("2011-06-09", "16:30"), ("2011-06-10", "15:15")])
def test_the_index_closed_at_16_30_until_2012_and_at_15_15_on_fridays(day, close):
    assert close_of("equity", day) == close
    at = ["12:00", "12:01", "14:59", "15:01", "15:31", "16:14", "16:16"]
    tape = Tape.from_prints([chicago(f"{day} {text}") for text in at], [1] * 7, instrument=instrument("NQ"))
    result = run(tape, Given(signals_of(tape, {0: 1})), rules=SessionRules(flat_before_close=15))
    assert [at[row["exit"]] for row in result.trades] == ["16:16" if close == "16:30" else "15:01"]


def test_the_weekend_of_crypto_belongs_to_monday_since_it_trades_around_the_clock(tmp_path):
    times = [chicago(f"2026-05-{day} 12:00") for day in (29, 30, 31)] + [chicago("2026-06-01 12:00")]
    tape = Tape.from_prints(times, [100, 101, 102, 103], instrument=instrument("BTC"))
    assert tape.sessions["date"].astype(str).tolist() == ["2026-05-29", "2026-06-01"]
    assert tape.sessions["stop"].tolist() == [1, 4]
    assert tape.sessions["close"][1] == chicago("2026-06-01 16:00")
    assert Tape.open(save_tape(tape, tmp_path / "own.npz")).sessions.tolist() == tape.sessions.tolist()
    data = tmp_path / "data"
    data.mkdir()
    for at in times:
        day = str(np.datetime64(at, "ns").astype("M8[D]"))
        write_day(data, day, [trade(1, at, 100_000)], {"BTCM6": 1})
    made = Tape.open(preprocess([data], instrument("BTC"), tmp_path / "tape.npz"))
    assert made.sessions.tolist() == tape.sessions.tolist()


def test_a_weekend_is_covered_where_its_prints_begin_on_friday_evening():
    whole = [chicago("2026-06-05 19:59"), chicago("2026-06-08 15:00")]
    short = [chicago("2026-06-07 17:00"), chicago("2026-06-08 15:00")]
    for times, expected in ((whole, True), (short, False)):
        tape = Tape.from_prints(times, [1, 2], instrument=instrument("BTC"))
        assert tape.sessions["whole"].tolist() == [expected]


def test_signals_of_a_weekend_are_traded_in_their_windows():
    at = ["2026-06-05 18:00", "2026-06-06 09:00", "2026-06-06 12:00", "2026-06-07 09:30", "2026-06-08 09:15"]
    at += ["2026-06-08 12:00"]
    tape = Tape.from_prints([chicago(text) for text in at], [1] * 6, instrument=instrument("BTC"))
    every = entry_ranges(tape, SessionRules())
    assert sum(stop - start for start, stop in every.tolist()) == 6
    mornings = entry_ranges(tape, SessionRules(entry_windows="09:00-10:00"))
    taken = [k for start, stop in mornings.tolist() for k in range(start, stop)]
    assert taken == [1, 3, 4]
    [monday] = {row["date"].item().weekday() for row in tape.sessions}
    assert (monday, len(entry_ranges(tape, SessionRules(weekdays="Tue-Sun")))) == (0, 0)


def test_closes_survive_saving_opening_and_cutting(tmp_path):
    tape = made(tmp_path, [SUNDAY, *EVE, EVENING])
    again = Tape.open(save_tape(tape, tmp_path / "again.npz"))
    assert again.sessions.tolist() == tape.sessions.tolist()
    assert again.metadata["closes"] == tape.metadata["closes"]
    assert again.cut(3).sessions["close"].tolist() == tape.sessions["close"][:2].tolist()


def test_prints_of_one_s_own_may_have_early_closes():
    tape = Tape.from_prints(
        [*EVE, EVENING],
        [1, 2, 3, 4],
        instrument=instrument("NQ"),
        closes={"2024-12-24": "12:15", "2030-01-01": "09:00"},
    )
    assert tape.sessions["close"].tolist() == [chicago("2024-12-24 12:15"), chicago("2024-12-26 16:00")]


@pytest.mark.parametrize(
    "closes", [{"2024-12-24": "noon"}, {"24.12.2024": "12:15"}, {"2024-12-24": 12}, {20241224: "12:15"}]
)
def test_a_close_that_is_no_time_of_a_session_date_is_refused(closes):
    with pytest.raises(TapeError, match=r"closes must be like \{'2024-12-24': '12:15'\}, was"):
        Tape.from_prints(EVE, [1, 2, 3], instrument=instrument("NQ"), closes=closes)


@pytest.mark.parametrize("day", ["NaT", "0001-01-01", "9999-12-31", "12025-01-15"])
def test_a_tape_whose_session_date_is_none_is_refused(tmp_path, day):
    tape = tape_of([1, 2])
    tape.sessions["date"] = np.datetime64(day)
    with pytest.raises(TapeError, match="is not in its session"):
        Tape.open(save_tape(tape, tmp_path / "tape.npz"))


@pytest.mark.parametrize("hours", [-30, 24])
def test_a_tape_whose_close_lies_outside_its_session_is_refused(tmp_path, hours):
    tape = tape_of([1, 2])
    tape.sessions["close"] += hours * HOUR
    with pytest.raises(TapeError, match="the close of 2025-01-15 is not in its session"):
        Tape.open(save_tape(tape, tmp_path / "tape.npz"))
