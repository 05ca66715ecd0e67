"""Rolls in the tapes and ledgers of small folders."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from support.dbn_files import trade, utc, write_day

from scalpr_zen import DataError, EmaCrossover, Tape, instrument, run
from scalpr_zen.commands.info import info
from scalpr_zen.data.front_month import Contract, Roll
from scalpr_zen.data.preprocess import preprocess

IDS = {"NQZ4": 1, "NQH5": 2, "NQM5": 3}
Z4, H5, M5 = Contract(2024, 12, "NQZ4"), Contract(2025, 3, "NQH5"), Contract(2025, 6, "NQM5")
NQ = instrument("NQ")
MONDAY = date(2024, 12, 9)


# In the tape ------------------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def ingest(data: Path, root: str = "NQ", **options) -> Tape:
    return Tape.open(preprocess([data], instrument(root), data.parent / "tape.npz", **options))


def write_week(data, volumes):
    """A file a UTC day from Monday on, at noon a print of each contract of its volume.

    On day k NQZ4 trades at 1000 k ticks, the later contracts 100 and 200 ticks above it.
    """
    for k, of_day in enumerate(volumes):
        day = (MONDAY + timedelta(days=k)).isoformat()
        ticks = {symbol: 1000 * k + 100 * number for number, symbol in enumerate(IDS)}
        noon = utc(f"{day} 12:00")
        records = [trade(IDS[s], noon, size=v, price=ticks[s] * NQ.tick_nanos) for s, v in of_day.items()]
        write_day(data, day, records, IDS)


def test_the_tape_rolls_with_a_ledger_of_date_contracts_volumes_and_gap(data):
    write_week(data, [{"NQZ4": 9, "NQH5": 1}, {"NQZ4": 4, "NQH5": 5}, {"NQZ4": 8, "NQH5": 6}, {"NQZ4": 9, "NQH5": 7}])
    tape = ingest(data)
    assert tape.segments.tolist() == [("NQZ4", 0, 2), ("NQH5", 2, 4)]
    assert tape.price.tolist() == [0, 1000, 2100, 3100]
    assert tape.metadata["roll_ledger"] == [
        {
            "date": "2024-12-11",
            "from": "NQZ4",
            "to": "NQH5",
            "from_volume": 4,
            "to_volume": 5,
            "volumes_of": "2024-12-10",
            "chosen_by": "the roll rule",
            "gap_points": 275.0,
        }
    ]
    assert tape.metadata["record_ledger"]["other_month"] == 4


def test_the_first_front_month_says_that_its_own_volume_chose_it(data):
    write_week(data, [{"NQZ4": 3, "NQH5": 4}])
    assert ingest(data).metadata["first_front"] == {
        "date": "2024-12-09",
        "contract": "NQH5",
        "volume": 4,
        "chosen_by": "its own volume, as no session date before it is known",
    }


def write_contracts_in_turn(data):
    """NQZ4 until Wednesday in files of its own, NQH5 from Thursday on."""
    for k, symbol in enumerate(["NQZ4"] * 3 + ["NQH5"] * 2):
        day = (MONDAY + timedelta(days=k)).isoformat()
        records = [trade(IDS[symbol], utc(f"{day} 12:00"), 21_000 + k, 100)]
        write_day(data, day, records, {symbol: IDS[symbol]}, stype_in="raw_symbol")


def test_files_of_contracts_one_after_the_other_give_a_tape_of_every_session(data):
    write_contracts_in_turn(data)
    tape = ingest(data)
    assert [str(day) for day in tape.sessions["date"]] == [f"2024-12-{d:02d}" for d in range(9, 14)]
    assert tape.metadata["record_ledger"]["other_month"] == 0
    assert tape.metadata["left_out"] == []
    assert tape.metadata["replaced"] == [{"date": "2024-12-12", "front": "NQZ4", "taken": "NQH5"}]
    (roll,) = tape.metadata["roll_ledger"]
    assert (roll["date"], roll["volumes_of"], roll["from_volume"], roll["to_volume"]) == ("2024-12-12",) * 2 + (0, 100)
    assert roll["chosen_by"] == "its own volume, as NQZ4 did not trade"


@pytest.mark.parametrize(
    ("roll", "left_out"),
    [
        (
            Roll(rule="schedule", schedule=(("NQZ4", date(2024, 12, 10)), ("NQH5", date(2024, 12, 13)))),
            [
                ("2024-12-09", "before the first date of the schedule"),
                ("2024-12-12", "NQZ4, the contract of the schedule, did not trade"),
            ],
        ),
        (
            Roll(rule="calendar", days=1),
            [(f"2024-12-{d}", "NQZ4, the contract of the calendar, did not trade") for d in (12, 13)],
        ),
    ],
    ids=["schedule", "calendar"],
)
def test_a_contract_that_is_asked_for_is_never_replaced_and_a_session_without_it_is_named(data, roll, left_out):
    write_contracts_in_turn(data)
    tape = ingest(data, roll=roll)
    assert tape.metadata["left_out"] == [{"date": day, "prints": 1, "reason": why} for day, why in left_out]
    assert tape.metadata["replaced"] == []
    assert len(tape.sessions) == 5 - len(left_out)


def test_a_session_of_earlier_expiries_alone_is_named(data):
    write_week(data, [{"NQH5": 5}, {"NQZ4": 2, "NQM5": 0}, {"NQH5": 5}])
    assert ingest(data).metadata["left_out"] == [
        {"date": "2024-12-10", "prints": 1, "reason": "only expiries before the front month NQH5 traded"}
    ]


def test_info_and_report_name_the_sessions_that_are_not_on_the_tape(data, capsys):
    write_week(data, [{"NQH5": 5}, {"NQZ4": 2}, {"NQH5": 5}])
    ingest(data)
    info(data.parent / "tape.npz")
    told = capsys.readouterr().out
    why = "only expiries before the front month NQH5 traded"
    note = f"NOTE 1 session date with 1 print of NQ not on the tape, 2024-12-10: {why}"
    assert note in told
    assert f"  2024-12-10  1 print: {why}" in told
    assert note in run(Tape.open(data.parent / "tape.npz"), EmaCrossover()).full_text()


def test_sessions_of_which_the_front_month_holds_little_are_named(data, capsys):
    write_week(data, [{"NQZ4": 60, "NQH5": 40}, {"NQZ4": 29, "NQH5": 71}, {"NQZ4": 30, "NQH5": 70}])
    roll = Roll(rule="schedule", schedule=(("NQZ4", MONDAY),))
    tape = ingest(data, roll=roll)
    assert tape.metadata["low_share"] == [{"date": "2024-12-10", "contract": "NQZ4", "share": 0.29}]
    info(data.parent / "tape.npz")
    told = capsys.readouterr().out
    assert "NOTE 1 session date of 3 on which the front month holds under 30% of the outright volume" in told
    assert "  2024-12-10  NQZ4 holds 29.0% of the outright volume" in told


# A symbol over decades --------------------------------------------------------------------------------


def write_decade(data):
    """NQZ4 and NQH5 of two decades, a roll in each."""
    for decade in ("201", "202"):
        for k, (z4, h5) in enumerate([(900, 100), (600, 1_400), (50, 1_950)]):
            day = f"{decade}4-12-{16 + k}"
            noon = utc(f"{day} 12:00")
            records = [trade(1, noon, 21_000, z4), trade(2, noon, 21_100, h5)]
            write_day(data, day, records, {"NQZ4": 1, "NQH5": 2})


def test_contracts_of_one_symbol_in_two_decades_are_told_apart_everywhere(data):
    write_decade(data)
    tape = ingest(data)
    names = ["NQZ2014", "NQH2015", "NQZ2024", "NQH2025"]
    assert tape.segments["contract"].tolist() == names
    rolls = tape.metadata["roll_ledger"]
    assert [(r["from"], r["to"]) for r in rolls] == list(pairwise(names))
    assert [(r["from_volume"], r["to_volume"]) for r in rolls] == [(600, 1_400), (0, 900), (600, 1_400)]
    assert [row["contract"] for row in run(tape, EmaCrossover()).to_dict()["baseline"]["segments"]] == names


@pytest.mark.parametrize("second", ["NQZ4", "NQZ24", "NQZ2024"])
def test_a_schedule_means_the_contract_that_lives_on_its_date(data, second):
    write_decade(data)
    roll = Roll(rule="schedule", schedule=(("NQZ4", date(2014, 12, 16)), (second, date(2024, 12, 16))))
    tape = ingest(data, roll=roll)
    assert tape.segments[["contract", "start", "stop"]].tolist() == [("NQZ2014", 0, 3), ("NQZ2024", 3, 6)]


def test_a_contract_of_two_symbols_is_one_contract(data):
    for day, symbol in (("2024-12-09", "NQZ24"), ("2024-12-10", "NQZ4")):
        write_day(data, day, [trade(1, utc(f"{day} 12:00"), 21_000)], {symbol: 1})
    assert ingest(data).segments.tolist() == [("NQZ4", 0, 2)]


def test_the_gap_of_a_roll_is_free_of_float_noise(data):
    ids = {"GCZ4": 1, "GCG5": 2}
    for day in ("2024-12-09", "2024-12-10"):
        noon = utc(f"{day} 12:00")
        write_day(data, day, [trade(1, noon, "2680.0"), trade(2, noon, "2680.3")], ids)
    roll = Roll(rule="schedule", schedule=(("GCZ4", MONDAY), ("GCG5", date(2024, 12, 10))))
    assert ingest(data, "GC", roll=roll).metadata["roll_ledger"][0]["gap_points"] == 0.3


def test_the_gap_is_negative_when_the_new_contract_is_cheaper(data):
    write_week(data, [{"NQZ4": 1}, {"NQZ4": 1}])
    write_day(data, "2024-12-11", [trade(2, utc("2024-12-11 12:00"), "247.75")], IDS)
    roll = Roll(rule="schedule", schedule=(("NQZ4", MONDAY), ("NQH5", date(2024, 12, 11))))
    # NQZ4 ends at 1000 ticks, 250 points.
    assert ingest(data, roll=roll).metadata["roll_ledger"][0]["gap_points"] == -2.25


def test_records_before_a_schedule_are_counted(data):
    write_week(data, [{"NQZ4": 9, "NQH5": 1}, {"NQZ4": 9, "NQH5": 1}, {"NQZ4": 9, "NQH5": 1}])
    tape = ingest(data, roll=Roll(rule="schedule", schedule=(("NQH5", date(2024, 12, 10)),)))
    got = tape.metadata["record_ledger"]
    assert (got["records"], got["prints"], got["other_month"], got["before_schedule"]) == (6, 2, 2, 2)
    assert tape.metadata["roll_rule"] == "schedule: NQH5 2024-12-10"
    assert tape.metadata["first_front"]["chosen_by"] == "the roll rule"


def test_the_calendar_rolls_the_tape(data):
    write_week(data, [{"NQZ4": 9, "NQH5": 1}] * 8)
    tape = ingest(data, roll=Roll(rule="calendar", days=4))
    assert tape.segments.tolist() == [("NQZ4", 0, 7), ("NQH5", 7, 8)]
    assert tape.metadata["roll_ledger"][0]["date"] == "2024-12-16"
    assert tape.metadata["roll_rule"] == "calendar: 4 business days before expiry"


def test_a_schedule_after_the_last_trade_leaves_no_print_and_is_refused(data):
    write_week(data, [{"NQZ4": 9}])
    with pytest.raises(DataError, match="leaves no print"):
        ingest(data, roll=Roll(rule="schedule", schedule=(("NQZ4", date(2024, 12, 20)),)))


# The vendor's continuous symbols ----------------------------------------------------------------------


def write_continuous(data, ids, days=1):
    """NQ.v.0 from Monday on, another id each UTC day, prints at 12:00 and 23:30 UTC, in files of `days`."""
    dates = [MONDAY + timedelta(days=k) for k in range(len(ids) + 1)]
    symbols = {"NQ.v.0": [(dates[k], dates[k + 1], number) for k, number in enumerate(ids)]}
    records = [
        [trade(number, utc(f"{dates[k]} {time}"), 21_000 + 10 * k, 1 + k) for time in ("12:00", "23:30")]
        for k, number in enumerate(ids)
    ]
    for k in range(0, len(ids), days):
        together = [record for of_day in records[k : k + days] for record in of_day]
        write_day(data, dates[k].isoformat(), together, symbols, days=days, stype_in="continuous")


@pytest.mark.parametrize("days", [1, 3])
@pytest.mark.parametrize("ids", [(5, 7, 7), (7, 5, 5), (7, 7, 5)])
def test_the_mapping_of_the_vendor_decides_the_contract_at_midnight_utc(data, days, ids):
    write_continuous(data, ids, days)
    tape = ingest(data)
    first, last = f"NQ.v.0#{ids[0]}", f"NQ.v.0#{ids[-1]}"
    at = 2 * ids.index(ids[-1])
    assert tape.segments.tolist() == [(first, 0, at), (last, at, 6)]
    assert tape.price.tolist() == [84_000, 84_000, 84_040, 84_040, 84_080, 84_080]
    assert tape.metadata["record_ledger"]["prints"] == 6
    assert tape.metadata["roll_rule"] == "vendor: the mapping of NQ.v.0"
    (roll,) = tape.metadata["roll_ledger"]
    assert (roll["from"], roll["to"], roll["gap_points"]) == (first, last, 10.0)
    # 23:30 UTC is in the session of the next day.
    assert [(str(row["date"]), row["stop"] - row["start"]) for row in tape.sessions] == [
        ("2024-12-09", 1),
        ("2024-12-10", 2),
        ("2024-12-11", 2),
        ("2024-12-12", 1),
    ]


@pytest.mark.parametrize("days", [1, 3])
@pytest.mark.parametrize("ids", [(5, 7, 7), (7, 5, 5)])
def test_a_roll_of_the_vendor_inside_a_session_reorders_nothing(data, days, ids):
    write_continuous(data, ids, days)
    assert ingest(data).metadata["reordered"] == 0


@pytest.mark.parametrize(
    "roll", [Roll(rule="calendar"), Roll(rule="schedule", schedule=(("NQZ4", MONDAY),))], ids=["calendar", "schedule"]
)
def test_another_roll_than_the_vendors_is_refused_for_continuous_symbols(data, roll):
    write_continuous(data, (5, 7))
    with pytest.raises(DataError, match=rf"roll {roll.rule} needs outrights: the vendor's mapping decides NQ\.v\.0"):
        ingest(data, roll=roll)
