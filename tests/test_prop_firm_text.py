"""What a report says of a prop firm."""

import re

import numpy as np
from support.accounts import SEED, custom, evaluated, tape_of_dates, trades_of
from support.tapes import tape_of

from scalpr_zen import Execution
from scalpr_zen.render.data import jsonable
from scalpr_zen.render.lines import block_lines
from scalpr_zen.sections.prop_firm.evaluation import prop_firm
from scalpr_zen.sections.prop_firm.rules import PropFirm, rule_set
from scalpr_zen.sections.prop_firm.tables import blocks
from scalpr_zen.simulation.kernel import TRADE

INTERVALS = (("dates_low", "dates_high"), ("low", "high"))


def lines(found):
    return [line for block in blocks(found) for line in block_lines(block)]


def test_the_text_shows_rules_attempts_tables_and_drawn_dates():
    found = evaluated()
    text = "\n".join(lines(found))
    assert text.isascii()
    assert "  $400.00 below the best balance at the end of a day, never locks" in text
    for attempt in found["attempts"]:
        assert re.search(
            rf"\n +{attempt['number']}  {attempt['outcome']} .*  {re.escape(attempt['reason'])}\n", text + "\n"
        )
    row = found["attempts"][-1]["days"][-1]
    assert re.search(rf"\n    {row['session_date']} +{row['trades']} ", text)
    share = found["drawn"]["pass"]
    ends = " ".join(f"{share[low] * 100:.2f}% to {share[high] * 100:.2f}%" for low, high in INTERVALS)
    assert f"P(pass) {share['probability'] * 100:.2f}% {ends}" in " ".join(text.split())


def test_the_text_has_the_date_and_every_page_of_a_packaged_firm():
    found = prop_firm(np.zeros(0, TRADE), tape_of([100]), Execution(), PropFirm(prop_firm="apex-50k"), SEED)
    shown = lines(found)
    assert any(line.endswith("  2026-04-28; a firm changes its rules without notice") for line in shown)
    assert [line.split()[-1] for line in shown if line.startswith("  source")] == list(rule_set("apex-50k").sources)


def test_the_text_shows_the_days_of_the_last_three_attempts():
    dates = [[100, 90]] * 5
    tape = tape_of_dates(*dates)
    trades = trades_of(tape, *((1, 2 * n, 2 * n + 1) for n in range(len(dates))))
    shown = lines(prop_firm(trades, tape, Execution(), custom(10, 5), SEED))
    tables = [line for line in shown if line.startswith("  Attempt ")]
    assert tables == [f"  Attempt {n} day by day: bust" for n in (3, 4, 5)]


def test_what_is_undefined_is_not_available_in_the_text():
    tape = tape_of_dates([100], [101])
    found = prop_firm(np.zeros(0, TRADE), tape, Execution(), PropFirm(), SEED)
    for values in (found, jsonable(found)):
        [row] = [line for line in lines(values) if line.startswith("  P(bust)")]
        assert row.split()[-4:] == ["n/a"] * 4


def test_of_a_single_session_date_nothing_is_drawn_and_the_text_says_why():
    tape = tape_of_dates([100, 110])
    found = prop_firm(trades_of(tape, (1, 0, 1)), tape, Execution(), custom(10, 5, prop_sims=5), SEED)
    assert [attempt["outcome"] for attempt in found["attempts"]] == ["pass"]
    assert found["drawn"] == {}
    text = "\n".join(lines(found))
    assert "n/a: it needs prop_sims above 0 and two session dates that count" in text
    assert "P(pass)" not in text


def test_none_gives_its_name_alone_and_one_line():
    found = prop_firm(np.zeros(0, TRADE), tape_of([100]), Execution(), PropFirm(prop_firm="none"), SEED)
    assert (found, lines(found)) == ({"name": "none"}, ["  prop_firm=none: no evaluation"])
