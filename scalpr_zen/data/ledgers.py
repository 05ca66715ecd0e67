"""What a tape records about its front months: rolls, replaced contracts, dates left out, low shares of the volume."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from scalpr_zen.base.units import ticks_to_points
from scalpr_zen.data.arrange import Arrangement
from scalpr_zen.data.front_month import Front, Roll
from scalpr_zen.data.plan import Plan

Row = dict[str, Any]
Choices = Mapping[date, Front]
"""What the roll chose for each session date; nothing where the vendor's mapping did."""

LOW_SHARE = 0.30
"""A front month with a lower share of its session date's outright volume is listed."""


def roll_ledger(plan: Plan, choices: Choices, tape: Arrangement) -> list[Row]:
    """List each roll: date, contracts, the volumes that decided it and their date, price gap in points."""
    days = list(tape.volumes)
    ledger = []
    for number, at in enumerate(tape.segments["start"][1:].tolist(), start=1):
        day = tape.day_of(at)
        front = choices.get(day)
        known = front.known if front else days[max(days.index(day) - 1, 0)]
        old, new = tape.contracts[number - 1], tape.contracts[number]
        before, after = tape.columns["price"][at - 1 : at + 1].tolist()
        ledger.append(
            {
                "date": day.isoformat(),
                "from": old.symbol,
                "to": new.symbol,
                "from_volume": tape.volumes[known].get(old, 0),
                "to_volume": tape.volumes[known].get(new, 0),
                "volumes_of": known.isoformat(),
                "chosen_by": _chosen_by(front, day, first=False),
                "gap_points": ticks_to_points(after - before, plan.instrument.tick_nanos),
            }
        )
    return ledger


def first_front(choices: Choices, tape: Arrangement) -> Row:
    """Say what chose the contract of the first session date, which has no earlier one."""
    day, contract = tape.days[0], tape.contracts[0]
    why = _chosen_by(choices.get(day), day, first=day == next(iter(tape.volumes)))
    row = {"date": day.isoformat(), "contract": contract.symbol, "volume": tape.volumes[day][contract]}
    return row | {"chosen_by": why}


def _chosen_by(front: Front | None, day: date, *, first: bool) -> str:
    if front is None or (front.known != day and front.instead_of is None):
        return "the roll rule"
    if front.instead_of is not None:
        return f"its own volume, as {front.instead_of.symbol} did not trade"
    known = "no session date before it is known" if first else "the front month before it has expired"
    return f"its own volume, as {known}"


def replaced(choices: Choices) -> list[Row]:
    """List the session dates whose front month did not trade, with the later contract taken for each."""
    return [
        {"date": day.isoformat(), "front": front.instead_of.symbol, "taken": front.contract.symbol}
        for day, front in choices.items()
        if front.instead_of is not None
    ]


def left_out(choices: Choices, roll: Roll, tape: Arrangement) -> list[Row]:
    """List the session dates with prints of an outright and none on the tape, and why."""
    kept = set(tape.days)
    return [
        {"date": day.isoformat(), "prints": sum(rows.values()), "reason": _left_out_by(choices.get(day), roll)}
        for day, rows in tape.rows.items()
        if day not in kept
    ]


def _left_out_by(front: Front | None, roll: Roll) -> str:
    if front is None:
        return "before the first date of the schedule"
    if roll.rule == "volume":
        return f"only expiries before the front month {front.contract.symbol} traded"
    return f"{front.contract.symbol}, the contract of the {roll.rule}, did not trade"


def low_share(choices: Choices, tape: Arrangement) -> list[Row]:
    """List the session dates on which the front month holds less than LOW_SHARE of the outright volume."""
    rows = []
    for day in tape.days:
        if day in choices:
            contract, volumes = choices[day].contract, tape.volumes[day]
            share = volumes[contract] / sum(volumes.values())
            if share < LOW_SHARE:
                rows.append({"date": day.isoformat(), "contract": contract.symbol, "share": share})
    return rows
