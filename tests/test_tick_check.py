"""An instrument whose tick does not fit the files is refused with the likely tick."""

from decimal import Decimal
from pathlib import Path

import pytest
from support.dbn_files import trade, write_day
from support.refusals import DAY, IDS, NEXT, NOON, good, refused

from scalpr_zen import ScalprError, Tape
from scalpr_zen.base.instruments import parse_instrument
from scalpr_zen.data.preprocess import preprocess


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def walk(data, step: str, prints: int = 400, odd: int = 0) -> Path:
    """Prints that move one or two steps at a time around 21000, the last `odd` of them between two steps."""
    prices = [Decimal(21_000) + Decimal(step) * (k % 3) for k in range(prints)]
    prices[prints - odd :] = [price + Decimal(step) / 5 for price in prices[prints - odd :]]
    return write_day(data, DAY, [trade(1, NOON + k, price) for k, price in enumerate(prices)], IDS)


def refused_line(data, line: str) -> str:
    with pytest.raises(ScalprError) as error:
        preprocess([data], parse_instrument(line), data.parent / "own.npz")
    assert not (data.parent / "own.npz").exists()
    return str(error.value)


OWN = "correct TICK_SIZE, and check POINT_VALUE, of the instrument line"


def test_a_tick_100_times_too_fine_is_refused_with_the_likely_one(data):
    walk(data, "0.25")
    assert refused_line(data, "NQ 0.0025 20") == (
        "tick_size 0.0025 of NQ is too fine for the files: 100.0% of 399 price changes are multiples of 100 ticks, "
        f"the likely tick is 0.25: {OWN}"
    )


def test_a_tick_so_fine_that_no_price_is_in_range_is_refused_with_the_likely_one(data):
    walk(data, "0.25")
    assert "multiples of 250,000 ticks, the likely tick is 0.25" in refused_line(data, "NQ 0.000001 20")


def test_a_tick_too_coarse_is_refused_with_the_likely_one(data):
    walk(data, "0.25", 50)
    assert refused_line(data, "NQ 0.75 20") == (
        "tick_size 0.75 of NQ does not fit the files: 33 of 50 prints are no multiple of it, the likely tick is 0.25: "
        f"{OWN}"
    )


def test_files_of_another_tick_than_the_table_s_are_refused_with_what_to_do(data, capfd):
    walk(data, "0.1")
    got = refused(capfd, data)
    assert "266 of 400 prints are no multiple of it, the likely tick is 0.1" in got
    line = "--instrument 'NQ 0.1 POINT_VALUE'"
    assert got.endswith(f"check that the files are those of E-mini Nasdaq-100, or give your own line, {line}")


@pytest.mark.parametrize(
    ("line", "step", "prints", "odd"),
    [
        ("NQ 0.25 20", "0.25", 400, 0),
        ("NQ 0.125 20", "0.25", 400, 0),  # a tick that has been halved since
        ("NQ 0.05 20", "0.25", 200, 0),  # 199 price changes are too few to judge
        ("NQ 0.25 20", "0.25", 400, 20),  # a twentieth is off the grid
        ("NQ 0.25 20", "0.25", 40, 19),  # 19 prints are too few to judge
    ],
)
def test_a_tick_that_may_be_right_is_not_refused(data, line, step, prints, odd):
    walk(data, step, prints, odd)
    tape = Tape.open(preprocess([data], parse_instrument(line), data.parent / "own.npz"))
    assert len(tape) == prints - odd


@pytest.mark.parametrize(("line", "odd"), [("NQ 0.05 20", 0), ("NQ 0.25 20", 22)])
def test_the_limits_of_the_check_are_those_of_the_page(data, line, odd):
    walk(data, "0.25", 201 if not odd else 400, odd)
    assert "tick_size" in refused_line(data, line)


def test_a_few_odd_prices_do_not_hide_a_tick_too_fine(data):
    walk(data, "0.25", 400, 8)
    assert "the likely tick is 0.25" in refused_line(data, "NQ 0.01 20")


@pytest.mark.parametrize(
    ("records", "held"),
    [
        ([], "it has no records"),
        ([trade(9, NOON, 210)], "its records are 1 spread"),
        ([trade(1, NOON, 21_000, 0)], "its records are 1 zero size"),
    ],
    ids=["none", "spreads", "size 0"],
)
def test_files_that_know_the_root_but_hold_no_print_of_it_are_refused(data, capfd, records, held):
    write_day(data, DAY, records, IDS)
    assert f"no trade of NQ that can be a print: {held}" in refused(capfd, data)


@pytest.mark.parametrize(("first", "second"), [("NQZ4", "NQ.v.0"), ("NQ.c.0", "NQ.v.0"), ("NQ.n.0", "NQZ4")])
def test_two_kinds_of_symbols_are_refused(data, capfd, first, second):
    good(data, DAY, {first: 1})
    good(data, NEXT, {second: 1})
    got = refused(capfd, data)
    assert "mix" in got
    assert all(("outrights" if symbol == "NQZ4" else symbol) in got for symbol in (first, second))
