"""What a report says of a prop firm."""

import json

import numpy as np
from support.accounts import SEED, custom, evaluated, tape_of_dates, trades_of
from support.tapes import tape_of

from scalpr_zen import Execution
from scalpr_zen.runs.backtest import jsonable
from scalpr_zen.sections.prop_firm.evaluation import prop_firm
from scalpr_zen.sections.prop_firm.rules import PropFirm, rule_set
from scalpr_zen.sections.prop_firm.text import TABLES, lines
from scalpr_zen.simulation.kernel import TRADE

INTERVALS = (("dates_low", "dates_high"), ("low", "high"))


def test_the_result_is_plain_data():
    found = jsonable(evaluated())
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_text_shows_rules_attempts_tables_and_drawn_dates():
    found = evaluated()
    text = "\n".join(lines(found))
    assert text.isascii()
    assert "floor                     $400.00 below the best balance at the end of a day, never locks" in text
    for attempt in found["attempts"]:
        assert f"{attempt['outcome']}: {attempt['reason']}" in text
    row = found["attempts"][-1]["days"][-1]
    assert f"    {row['session_date']}  {row['trades']:>8}" in text
    share = found["drawn"]["pass"]
    ends = " ".join(f"{share[low] * 100:.2f}% to {share[high] * 100:.2f}%" for low, high in INTERVALS)
    assert f"P(pass) {share['probability'] * 100:.2f}% {ends}" in " ".join(text.split())


def test_the_text_has_the_date_and_every_page_of_a_packaged_firm():
    found = prop_firm(np.zeros(0, TRADE), tape_of([100]), Execution(), PropFirm(prop_firm="apex-50k"), SEED)
    shown = list(lines(found))
    assert "  known to hold on          2026-04-28; a firm changes its rules without notice" in shown
    assert [line.split()[-1] for line in shown if line.startswith("  source")] == list(rule_set("apex-50k").sources)


def test_the_text_shows_the_tables_of_the_last_attempts():
    dates = [[100, 90]] * (TABLES + 2)
    tape = tape_of_dates(*dates)
    trades = trades_of(tape, *((1, 2 * n, 2 * n + 1) for n in range(len(dates))))
    shown = list(lines(prop_firm(trades, tape, Execution(), custom(10, 5), SEED)))
    assert f"  Day by day: the last {TABLES} of {TABLES + 2} attempts; the JSON holds all" in shown
    assert [line for line in shown if line.startswith("  Attempt ")] == [f"  Attempt {n}, bust" for n in (3, 4, 5)]


def test_what_is_undefined_is_not_available_in_the_text():
    tape = tape_of_dates([100], [101])
    found = prop_firm(np.zeros(0, TRADE), tape, Execution(), PropFirm(), SEED)
    shown = (
        "    dates to pass, of the 0 paths that did: median n/a, 5% n/a, 95% n/a; "
        "mean n/a, 95% for the drawing n/a to n/a"
    )
    assert shown in list(lines(found))
    assert shown in list(lines(jsonable(found)))


def test_of_a_single_session_date_nothing_is_drawn_and_the_text_says_why():
    tape = tape_of_dates([100, 110])
    found = prop_firm(trades_of(tape, (1, 0, 1)), tape, Execution(), custom(10, 5, prop_sims=5), SEED)
    assert [attempt["outcome"] for attempt in found["attempts"]] == ["pass"]
    assert found["drawn"] == {}
    text = "\n".join(lines(found))
    assert "Drawn session dates: n/a, as prop_sims is 0 or fewer than two session dates count" in text
    assert "P(pass)" not in text


def test_none_gives_its_name_alone_and_no_text():
    found = prop_firm(np.zeros(0, TRADE), tape_of([100]), Execution(), PropFirm(prop_firm="none"), SEED)
    assert (found, list(lines(found))) == ({"name": "none"}, [])
