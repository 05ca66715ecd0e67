"""The first and the last time that a record, a file and a tape may have."""

import pytest
from support.dbn_files import SECOND, trade, utc, write_dbn

from scalpr_zen import DataError, Tape, TapeError, instrument
from scalpr_zen.data.dbn import utc_moment
from scalpr_zen.data.preprocess import preprocess

NQ = instrument("NQ")
IDS = {"NQZ4": 1}
DAY = "2024-12-10"
NOON = utc(f"{DAY} 12:00")


END = utc(f"{DAY} 23:00")
"""Of the file; 17:00 in Chicago."""


@pytest.fixture
def tape_of(tmp_path):
    """The tape of one file with these records."""

    def make(*records):
        write_dbn(tmp_path / "glbx-mdp3-20241210.trades.dbn.zst", records, IDS, utc(DAY), END)
        return Tape.open(preprocess([tmp_path], NQ, tmp_path / "tape.npz"))

    return make


def test_a_record_may_arrive_at_the_very_end_of_its_file(tape_of):
    assert tape_of(trade(1, END - 1, 21_000, recv=END)).ts.tolist() == [END - 1]


def test_a_record_that_arrives_after_the_end_of_its_file_is_refused(tape_of):
    with pytest.raises(DataError, match=r"record 0 .* outside"):
        tape_of(trade(1, END - 1, 21_000, recv=END + 1))


def test_a_time_of_arrival_of_zero_is_one_of_1970_and_not_a_missing_one(tape_of):
    with pytest.raises(DataError, match=r"record 0 .* outside"):
        tape_of(trade(1, NOON, 21_000, recv=0))


def test_a_print_that_the_exchange_dates_after_the_end_of_a_file_may_open_the_next_session(tape_of):
    # The exchange's clock is half a second ahead of the vendor's.
    tape = tape_of(trade(1, NOON, 21_000), trade(1, END + SECOND // 4, 21_001, recv=END - SECOND // 4))
    assert tape.sessions["date"].astype(str).tolist() == ["2024-12-10", "2024-12-11"]


def test_a_tape_may_begin_with_1990_and_end_with_2099():
    first, end = utc("1990-01-01"), utc("2100-01-01")
    for ts in (first, end - 1):
        assert Tape.from_prints([ts], [1], instrument=NQ).ts.tolist() == [ts]
    for ts in (first - 1, end):
        with pytest.raises(TapeError, match="in the years 1990 to 2099"):
            Tape.from_prints([ts], [1], instrument=NQ)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (NOON + 125 * 10**6, "2024-12-10T12:00:00.125Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "undefined"),
        (2**63, "undefined"),
        (2**64 - 1, "undefined"),
    ],
)
def test_a_time_that_is_no_int64_is_undefined_in_a_message(ns, text):
    assert utc_moment(ns) == text
