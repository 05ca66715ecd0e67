import re
from pathlib import Path

import pytest

from scalpr_zen.base import facts
from scalpr_zen.base.errors import ParameterError
from scalpr_zen.base.instruments import FULL_SIZE, INSTRUMENTS, Instrument, instrument, is_micro, parse_instrument

DOCS = Path(__file__).parents[1] / "docs" / "instruments.md"

# USD of one tick as the exchange publishes it, written by hand from the contract specifications.
PUBLISHED_TICK_VALUE = """
NQ 5.00    MNQ 0.50   ES 12.50   MES 1.25   RTY 5.00   M2K 0.50   YM 5.00    MYM 0.50
CL 10.00   MCL 1.00   NG 10.00   GC 10.00   MGC 1.00   SI 25.00   HG 12.50
6E 6.25    6B 6.25    6J 6.25    6A 5.00
ZN 15.625  ZB 31.25   ZF 7.8125  ZT 7.8125  SR3 6.25
ZC 12.50   ZS 12.50   ZW 12.50   LE 10.00   HE 10.00   GF 12.50
BTC 25.00  MBT 0.50   ETH 25.00  MET 0.05
"""

TICK_NANOS = """
NQ 250_000_000  RTY 100_000_000  YM 1_000_000_000   CL 10_000_000    SI 5_000_000   HG 500_000
6E 50_000       6J 500           ZN 15_625_000      ZT 3_906_250     SR3 2_500_000
ZC 250_000_000  LE 25_000_000    BTC 5_000_000_000  ETH 500_000_000
"""


def pairs(table):
    return zip(table.split()[::2], table.split()[1::2], strict=True)


def test_tick_value_is_the_published_one_for_every_root():
    published = {root: float(usd) for root, usd in pairs(PUBLISHED_TICK_VALUE)}
    assert {root: row.tick_value for root, row in INSTRUMENTS.items()} == published


def test_tick_nanos_are_exact():
    for root, nanos in pairs(TICK_NANOS):
        assert (root, instrument(root).tick_nanos) == (root, int(nanos))


def test_every_row_has_a_name_an_exchange_and_an_expiry_rule():
    assert all(row.name and row.exchange and row.expiry_rule for row in INSTRUMENTS.values())
    assert [row.root for row in INSTRUMENTS.values()] == list(INSTRUMENTS)


def test_tick_value_has_no_float_error():
    assert parse_instrument("ABC 0.1 3").tick_value == 0.3


def test_an_instrument_cannot_be_changed():
    with pytest.raises(AttributeError):
        instrument("NQ").tick_size = 0.5


def test_parse_reads_all_five_words():
    got = parse_instrument("  NKD  5 5 CME HMUZ ")
    assert got == Instrument(root="NKD", tick_size=5, point_value=5, exchange="CME", roll_months="HMUZ")


def test_parse_needs_three_words_only():
    got = parse_instrument("UB 0.03125 1000")
    assert (got.exchange, got.roll_months, got.expiry_rule) == ("", "HMUZ", "")
    assert got.tick_value == 31.25


def test_unknown_root_names_the_known_ones_and_the_way_out():
    with pytest.raises(ParameterError) as error:
        instrument("nq")
    message = str(error.value)
    assert "was 'nq'" in message
    assert all(root in message.split() or f"{root};" in message for root in INSTRUMENTS)
    assert "ROOT TICK_SIZE POINT_VALUE [EXCHANGE [ROLL_MONTHS [CALENDAR]]]" in message
    assert "\n" not in message


def test_the_example_in_the_message_is_itself_valid():
    with pytest.raises(ParameterError) as error:
        instrument("?")
    example = re.search(r"e\.g\. '(.+)'", str(error.value)).group(1)
    assert parse_instrument(example).root == "NKD"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "must be the line 'ROOT TICK_SIZE"),
        ("NKD 5", "was 'NKD 5'"),
        ("NKD 5 5 CME HMUZ equity extra", "must be the line 'ROOT TICK_SIZE"),
        (
            "NKD 5 5 CME HMUZ extra",
            "calendar of NKD must be one of equity rates fx energy_metals grains livestock crypto; was 'extra'",
        ),
        ("ZN 1/64 1000", "TICK_SIZE of instrument 'ZN 1/64 1000' must be a decimal number"),
        ("NKD 5 five", "POINT_VALUE of instrument 'NKD 5 five' must be a decimal number"),
        ("N-D 5 5", "root must be letters and digits, e.g. NQ; was 'N-D'"),
        ("6J 5e-11 1", "tick_size of 6J must be a whole multiple of 0.000000001"),
        ("ÑKD 5 5", "root must be letters and digits"),
        ("NKD 0 5", "tick_size of NKD must be finite and above 0; was 0.0"),
        ("NKD -5 5", "tick_size of NKD must be finite and above 0; was -5.0"),
        ("NKD nan 5", "tick_size of NKD must be finite and above 0; was nan"),
        ("NKD inf 5", "tick_size of NKD must be finite and above 0; was inf"),
        ("NKD 5 0", "point_value of NKD must be finite and above 0; was 0.0"),
        ("NKD 5 nan", "point_value of NKD must be finite and above 0; was nan"),
        ("NKD 5 inf", "point_value of NKD must be finite and above 0; was inf"),
        ("NKD 1e-10 5", "tick_size of NKD must be a whole multiple of 0.000000001"),
        ("NKD 0.3333333333 5", "was 0.3333333333"),
        ("NKD 5 5 HMUZ", "exchange of NKD must be empty or one of CME CBOT NYMEX COMEX; was 'HMUZ'"),
        ("NKD 5 5 CME HMUA", "roll_months of NKD must be letters of FGHJKMNQUVXZ"),
        ("NKD 5 5 CME ZHMU", "each once and in that order, e.g. HMUZ; was 'ZHMU'"),
        ("NKD 5 5 CME HHMU", "was 'HHMU'"),
        ("NKD 5 5 CME hmuz", "was 'hmuz'"),
    ],
)
def test_a_bad_line_is_refused_with_its_reason(line, message):
    with pytest.raises(ParameterError, match=re.escape(message)):
        parse_instrument(line)


def test_no_roll_months_are_refused():
    with pytest.raises(ParameterError, match="roll_months of NQ"):
        Instrument(root="NQ", tick_size=0.25, point_value=20, roll_months="")


def test_the_documented_example_line_is_valid():
    example = re.search(r"```\n(.+)\n```", DOCS.read_text(encoding="utf-8")).group(1)
    assert parse_instrument(example).tick_value == 25


# Micros -----------------------------------------------------------------------------------------------


def test_every_contract_of_the_table_that_is_called_a_micro_is_one_and_no_other():
    micros = [root for root, row in INSTRUMENTS.items() if is_micro(root, row.point_value)]
    assert micros == [root for root, row in INSTRUMENTS.items() if row.name.startswith("Micro")]
    assert len(micros) >= 6


def test_a_micro_trades_in_the_hours_of_its_full_size_contract_and_has_only_one():
    assert len(FULL_SIZE) == sum(len(row["micros"].split()) for row in facts.instruments())
    for micro in FULL_SIZE.keys() & INSTRUMENTS.keys():
        assert instrument(micro).calendar == instrument(FULL_SIZE[micro]).calendar
