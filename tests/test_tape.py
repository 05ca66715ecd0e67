"""The tape in memory: made from columns, or refused, and cut."""

from datetime import date

import numpy as np
import pytest
from support.small_tape import AGGRESSORS, DTYPES, MONDAY, NQ, PRICES, SIZES, TS, assert_equal, made

from scalpr_zen import Tape, TapeError, instrument


def test_segments_and_sessions_follow_from_contracts_and_times():
    tape = made()
    assert tape.segments.tolist() == [("NQZ4", 0, 4), ("NQH5", 4, 10)]
    assert tape.sessions[["date", "start", "stop"]].tolist() == [
        (date(2024, 12, 16), 0, 6),
        (date(2024, 12, 17), 6, 10),
    ]
    assert {name: getattr(tape, name).dtype.name for name in DTYPES} == DTYPES
    assert (tape.ts.tolist(), tape.price.tolist(), tape.size.tolist()) == (TS, PRICES, SIZES)
    assert tape.aggressor.tolist() == AGGRESSORS


def test_the_columns_that_are_not_given_have_their_defaults():
    tape = Tape.from_prints([MONDAY, MONDAY, MONDAY + 1], [1, 2, 3], instrument=NQ)
    assert tape.size.tolist() == [1, 1, 1]
    assert tape.aggressor.tolist() == [0, 0, 0]
    assert tape.segments.tolist() == [("NQ", 0, 3)]
    assert set(tape.metadata) == {"closes", "missing"}
    assert tape.synthetic is False


def test_a_contract_that_comes_back_is_a_new_segment():
    tape = Tape.from_prints(TS[1:4], [0, 0, 0], instrument=NQ, contract=["A", "B", "A"])
    assert tape.segments.tolist() == [("A", 0, 1), ("B", 1, 2), ("A", 2, 3)]


def test_a_tape_may_be_empty():
    tape = Tape.from_prints([], [], instrument=NQ)
    assert (len(tape), len(tape.segments), len(tape.sessions)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"price": [1, 2]}, "same length"),
        ({"size": [1]}, "same length"),
        ({"aggressor": [1, 1, 1, 1]}, "same length"),
        ({"contract": ["NQZ4"]}, "same length"),
        ({"ts": [MONDAY + 3, MONDAY + 2, MONDAY + 4]}, "never decrease"),
        ({"ts": [MONDAY + 1, MONDAY + 2, MONDAY + 1]}, "never decrease"),
    ],
)
def test_columns_of_different_length_and_falling_times_are_refused(changes, message):
    with pytest.raises(TapeError, match=message):
        Tape.from_prints(**{"ts": TS[1:4], "price": [1, 2, 3], "instrument": NQ} | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"price": [21_000.25, 21_000.5, 21_001.0]},
        {"price": np.array([1, 2, 2**31])},
        {"size": np.array([1, 2, 2**32 + 1])},
        {"aggressor": np.array([1, -1, 256])},
        {"ts": [1.5, 2.5, 3.5]},
        {"price": [1, 2, 10**9 + 1]},
        {"size": [1, 2, -1]},
        {"aggressor": [1, -1, 2]},
    ],
    ids=["points", "large price", "large size", "large aggressor", "seconds", "far price", "no size", "no side"],
)
def test_columns_that_are_no_integers_of_their_range_are_refused_and_not_bent(changes):
    with pytest.raises(TapeError):
        Tape.from_prints(**{"ts": TS[1:4], "price": [1, 2, 3], "instrument": NQ} | changes)


@pytest.mark.parametrize(("unit", "factor"), [("s", 10**9), ("ms", 10**6), ("us", 10**3)])
def test_times_of_another_unit_are_refused_and_the_unit_is_named(unit, factor):
    ts = [t // factor for t in TS[:3]]
    message = f"ts must be ns UTC, .* was {ts[0]} to {ts[2]}; these look like {unit}: multiply by {factor:,}$"
    with pytest.raises(TapeError, match=message):
        Tape.from_prints(ts, [1, 2, 3], instrument=NQ)
    scaled = Tape.from_prints(np.array(ts) * factor, [1, 2, 3], instrument=NQ)
    assert scaled.sessions["date"].astype(str).tolist() == ["2024-12-16"]


@pytest.mark.parametrize("root", ["NQ", "RTY", "6J", "ZN"])
def test_prices_in_points_are_refused_with_a_conversion_that_is_exact(root):
    contract = instrument(root)
    points = [k * contract.tick_nanos / 1e9 for k in (1, 3, 84_001)]
    with pytest.raises(TapeError, match="price is in ticks; from points: ") as error:
        Tape.from_prints(TS[:3], points, instrument=contract)
    conversion, _, grid = str(error.value).partition("from points: ")[2].partition("; ")
    assert grid == "prices must be on the tick grid; see the recipe in docs/data.md"
    assert eval(conversion, {"np": np, "points": points}).tolist() == [1, 3, 84_001]


def test_datetimes_are_refused_with_their_conversion():
    ts = np.array(TS[:3], "M8[ns]").astype("M8[us]")
    with pytest.raises(TapeError, match="ts is in ns UTC; from datetime64 in UTC: ") as error:
        Tape.from_prints(ts, [1, 2, 3], instrument=NQ)
    conversion = str(error.value).partition("in UTC: ")[2]
    assert eval(conversion, {"np": np, "ts": ts}).tolist() == [t // 1_000 * 1_000 for t in TS[:3]]


def test_a_cut_tape_is_the_tape_of_the_first_prints_and_shares_its_memory():
    for stop in range(11):
        tape = made()
        cut = tape.cut(stop)
        assert_equal(cut, made(stop))
        assert stop == 0 or np.shares_memory(cut.price, tape.price)
        assert_equal(tape, made())


def test_a_cut_beyond_the_end_is_the_whole_tape():
    assert_equal(made().cut(99), made())
