"""The files of facts: every cell and key is known, every fact has its source."""

import csv
from dataclasses import fields
from datetime import date, time
from pathlib import Path

import pytest

from scalpr_zen.base import facts
from scalpr_zen.base.instruments import CALENDARS, INSTRUMENTS, Instrument

FOLDER = Path(facts.__file__).parent
TIMES = {"open", "open_monday", "close", "close_friday"}


def test_the_table_of_contracts_has_a_value_in_every_column_and_each_root_once():
    head, *rows = csv.reader((FOLDER / "instruments.csv").read_text(encoding="utf-8").splitlines(), strict=True)
    assert set(head) == {field.name for field in fields(Instrument)} | {"micros", "rulebook", "specifications"}
    assert all(len(row) == len(head) for row in rows)
    assert [row[head.index("root")] for row in rows] == list(INSTRUMENTS)


@pytest.mark.parametrize("row", facts.instruments(), ids=lambda row: row["root"])
def test_every_contract_names_its_source(row):
    assert row["specifications"].startswith("https://www.cmegroup.com/markets/")
    assert row["rulebook"] == "" or int(row["rulebook"]) > 0


@pytest.mark.parametrize("name", CALENDARS)
def test_the_hours_of_a_calendar_are_in_order_of_date(name):
    known = {"library", "hours", "open_after_holiday", "weekends_from"}
    assert {"library", "hours"} <= facts.CALENDARS[name].keys() <= known
    rows = facts.CALENDARS[name]["hours"]
    days = [row["from"] for row in rows]
    assert days == sorted(set(days))
    assert all(type(day) is date for day in days)
    for row in rows:
        assert {"from", "open", "close"} <= row.keys() <= {"from"} | TIMES
        assert all(time.fromisoformat(row[key]) for key in TIMES & row.keys())


@pytest.mark.parametrize("row", facts.CORRECTIONS, ids=lambda row: f"{row['calendars'][0]} {row['dates'][0]}")
def test_a_correction_has_its_reason_and_source_and_its_dates_in_order(row):
    assert row.keys() == {"why", "source", "calendars", "close", "dates"}
    assert row["why"]
    assert "http" in row["source"] or "[1]" in row["source"]
    assert row["close"] == "closed" or time.fromisoformat(row["close"])
    assert row["dates"] == sorted(row["dates"])
