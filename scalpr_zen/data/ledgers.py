"""What a tape says about its front months: rolls, replaced contracts, dates left out, small shares of the volume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from scalpr_zen.base.params import NANOS
from scalpr_zen.data.arrange import Arrangement
from scalpr_zen.data.front_month import Contract, Front, Roll, Volumes
from scalpr_zen.data.spill import FileResult, Plan

Row = dict[str, Any]
Fronts = Mapping[date, Sequence[Contract]]

LOW_SHARE = 0.30
"""Below it a front month is named: it holds a minor part of its session date's outright volume."""


def roll_ledger(plan: Plan, volumes: Volumes, choices: Mapping[date, Front], tape: Arrangement) -> list[Row]:
    """List each roll: date, contracts, the volumes that decided it and their date, price gap in points."""
    days = list(volumes)
    ledger = []
    for number in range(1, len(tape.segments)):
        at = int(tape.segments["start"][number])
        day = tape.days[tape.session_of(at)].date
        front = choices.get(day)
        known = front.known if front else days[max(days.index(day) - 1, 0)]
        old, new = tape.contracts[number - 1], tape.contracts[number]
        gap = (tape.price(at) - tape.price(at - 1)) * plan.instrument.tick_nanos / NANOS
        ledger.append(
            {
                "date": day.isoformat(),
                "from": old.symbol,
                "to": new.symbol,
                "from_volume": volumes[known].get(old, 0),
                "to_volume": volumes[known].get(new, 0),
                "volumes_of": known.isoformat(),
                "chosen_by": _chosen_by(front, day, first=False),
                "gap_points": gap,
            }
        )
    return ledger


def first_front(volumes: Volumes, choices: Mapping[date, Front], tape: Arrangement) -> Row:
    """Say what chose the contract of the first session date, where there is no earlier one."""
    day, contract = tape.days[0].date, tape.contracts[0]
    why = _chosen_by(choices.get(day), day, first=day == next(iter(volumes)))
    row = {"date": day.isoformat(), "contract": contract.symbol, "volume": volumes[day][contract]}
    return row | {"chosen_by": why}


def _chosen_by(front: Front | None, day: date, *, first: bool) -> str:
    if front is None or (front.known != day and front.instead_of is None):
        return "the roll rule"
    if front.instead_of is not None:
        return f"its own volume, as {front.instead_of.symbol} did not trade"
    known = "no session date before it is known" if first else "the front month before it has expired"
    return f"its own volume, as {known}"


def replaced(choices: Mapping[date, Front]) -> list[Row]:
    """List the session dates whose front month did not trade, with the later contract taken for each."""
    return [
        {"date": day.isoformat(), "front": front.instead_of.symbol, "taken": front.contract.symbol}
        for day, front in choices.items()
        if front.instead_of is not None
    ]


def left_out(
    plan: Plan, results: Sequence[FileResult], choices: Mapping[date, Front], roll: Roll, tape: Arrangement
) -> list[Row]:
    """List the session dates with prints of an outright and none on the tape, and why."""
    prints: dict[date, int] = {}
    for block in (block for result in results for block in result.blocks):
        day = plan.dates[block.session].item()
        prints[day] = prints.get(day, 0) + block.rows
    for day in tape.days:
        del prints[day.date]
    return [
        {"date": day.isoformat(), "prints": prints[day], "reason": _left_out_by(choices.get(day), roll)}
        for day in sorted(prints)
    ]


def _left_out_by(front: Front | None, roll: Roll) -> str:
    if front is None:
        return "before the first date of the schedule"
    if roll.rule == "volume":
        return f"only expiries before the front month {front.contract.symbol} traded"
    return f"{front.contract.symbol}, the contract of the {roll.rule}, did not trade"


def low_share(volumes: Volumes, fronts: Fronts, tape: Arrangement) -> list[Row]:
    """List the session dates on which the front month holds less than LOW_SHARE of the outright volume."""
    rows = []
    for day in (day.date for day in tape.days):
        share = sum(volumes[day].get(contract, 0) for contract in fronts[day]) / sum(volumes[day].values())
        if share < LOW_SHARE:
            names = ", ".join(contract.symbol for contract in fronts[day])
            rows.append({"date": day.isoformat(), "contract": names, "share": share})
    return rows
