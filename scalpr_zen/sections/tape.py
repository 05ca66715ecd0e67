"""The tape of a run: what it holds, its rolls, and its record ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from scalpr_zen.data.tape import Tape
from scalpr_zen.render.table import Block, Column, Row, Table, facts
from scalpr_zen.render.text import counted, listed, number
from scalpr_zen.sections.section import Run, Section, Values
from scalpr_zen.simulation.execution import Execution

DATES_SHOWN = 10
"""Session dates of one kind that the report lists; the JSON holds all."""
_DATES_NAMED = 5
"""Missing and incomplete dates that a line of the report names."""
_DATED = (Column("session date", "text"), Column("", "text"))


def tape_facts(tape: Tape, execution: Execution | None = None) -> dict[str, Any]:
    """Return the facts of a tape: the section `tape` of a result."""
    about, instrument = tape.metadata, tape.instrument
    dates = tape.sessions["date"].astype(str)
    return {
        "root": instrument.root,
        "name": instrument.name,
        "exchange": instrument.exchange,
        "tick_size": instrument.tick_size,
        "point_value": instrument.point_value,
        "tick_value": (execution or Execution()).tick_value(instrument),
        "prints": len(tape),
        "session_dates": len(tape.sessions),
        "first_session": str(dates[0]) if len(dates) else None,
        "last_session": str(dates[-1]) if len(dates) else None,
        "synthetic": tape.synthetic,
        "sha256": about.get("sha256"),
        "roll_rule": about.get("roll_rule"),
        "roll_ledger": about.get("roll_ledger", []),
        "first_front": about.get("first_front"),
        "replaced": about.get("replaced", []),
        "left_out": about.get("left_out", []),
        "low_share": about.get("low_share", []),
        "record_ledger": about.get("record_ledger", {}),
        "reordered": about.get("reordered", 0),
        "closes": about.get("closes"),
        "missing": tape.missing,
        "incomplete": tape.incomplete,
    }


# Tables ------------------------------------------------------------------------------------------------


def tape_blocks(tape: Values) -> Iterator[Block]:
    """Give the tables of the facts of a tape."""
    yield facts(_about(tape))
    yield from _rolls(tape)
    yield from _some_dates("Session dates whose front month did not trade", tape["replaced"], _replaced)
    yield from _some_dates("Session dates with the front month under 30% of the volume", tape["low_share"], _low_share)
    yield from _some_dates("Session dates not on the tape", tape["left_out"], _left_out)
    if ledger := tape["record_ledger"]:
        rows = [Row((reason.replace("_", " "), n)) for reason, n in ledger.items() if n or reason == "prints"]
        rows.append(Row(("reordered", tape["reordered"])))
        yield Table((Column("", "text"), Column("")), rows, title="Every record read", plain=True)


def _about(tape: Values) -> Iterator[tuple[str, Any]]:
    yield "contract", f"{tape['root']} {tape['name']} ({tape['exchange'] or 'own'})"
    yield "tick", f"{tape['tick_size']:g} points, {number(tape['tick_value'], 'usd')} a contract"
    yield "prints", f"{tape['prints']:,} in {counted(tape['session_dates'], 'session date')}"
    yield "first, last session date", f"{tape['first_session'] or 'n/a'} to {tape['last_session'] or 'n/a'}"
    for name in ("missing", "incomplete"):
        dates = tape[name]
        yield f"{name} dates", f"{len(dates):,}: {listed(dates, _DATES_NAMED)}" if dates else "none"
    if closes := tape.get("closes"):
        counts = f"{len(closes['early'])} early, {len(closes['unknown'])} unknown"
        late = f"{closes['prints_after']:,} prints late"
        yield "session closes", f"{closes['calendar']}, {closes['library']}: {counts}, {late}"
    yield "sha256", tape["sha256"] or "n/a"
    yield "roll rule", tape["roll_rule"] or "n/a"
    if first := tape["first_front"]:
        yield "first front month", f"{first['contract']} on {first['date']}, chosen by {first['chosen_by']}"


def _rolls(tape: Values) -> Iterator[Table]:
    columns = (*_DATED, Column("volumes before", "text"), Column("gap, points"), Column("chosen by", "text"))
    rows = [
        Row(
            (
                roll["date"],
                f"{roll['from']} -> {roll['to']}",
                f"{roll['from_volume']:,} / {roll['to_volume']:,} ({roll.get('volumes_of', 'the session before')})",
                f"{roll['gap_points']:+.10g}",
                roll.get("chosen_by", "the roll rule"),
            )
        )
        for roll in tape["roll_ledger"]
    ]
    yield Table(columns, rows, title=f"Rolls: {len(rows)}")


def _some_dates(title: str, rows: Sequence[Values], text: Callable[[Values], str]) -> Iterator[Table]:
    """Give the first session dates of a kind; the JSON holds all."""
    if rows:
        shown = [Row((row["date"], text(row))) for row in rows[:DATES_SHOWN]]
        if len(rows) > DATES_SHOWN:
            shown.append(Row(("and more", f"{len(rows) - DATES_SHOWN:,}: scalpr info --json lists all")))
        yield Table(_DATED, shown, title=f"{title}: {len(rows):,}", plain=True)


def _low_share(row: Values) -> str:
    return f"{row['contract']} holds {row['share']:.1%} of the outright volume"


def _replaced(row: Values) -> str:
    return f"{row['front']} did not trade, {row['taken']} taken for this date"


def _left_out(row: Values) -> str:
    return f"{counted(row['prints'], 'print')}: {row['reason']}"


# Notes -------------------------------------------------------------------------------------------------


def tape_notes(tape: Values) -> Iterator[str]:
    """Give a sentence for each way in which a tape is less than its files, or not the contract that traders trade."""
    if rows := tape["left_out"]:
        prints = sum(row["prints"] for row in rows)
        yield (
            f"{counted(len(rows), 'session date')} with {counted(prints, 'print')} of {tape['root']} not on the tape, "
            f"{_first(rows)}{rows[0]['reason']}"
        )
    if rows := tape["low_share"]:
        lowest = min(rows, key=lambda row: float(row["share"]))
        of = f"{counted(len(rows), 'session date')} of {tape['session_dates']:,}"
        yield (
            f"{of} on which the front month holds under 30% of the outright volume, lowest on {lowest['date']}: "
            f"{_low_share(lowest)}; --schedule sets the contracts"
        )
    if rows := tape["replaced"]:
        yield (
            f"{counted(len(rows), 'session date')} on which the front month did not trade and a later one is taken, "
            f"{_first(rows)}{_replaced(rows[0])}"
        )


def _first(rows: Sequence[Values]) -> str:
    return f"{'the first ' * (len(rows) > 1)}{rows[0]['date']}: "


def _blocks(_: Run, values: Values) -> Iterator[Block]:
    yield from tape_blocks(values["tape"])


SECTION = Section(
    name="tape",
    order=110,
    title="Tape",
    compute=lambda run, _: tape_facts(run.tape, run.setup.execution),
    blocks=_blocks,
    notes=lambda _, values: tape_notes(values["tape"]),
    fields={
        "root": "root of the contract",
        "name": "its name",
        "exchange": "its exchange; empty for a contract of one's own",
        "tick_size": "smallest price step in points",
        "point_value": "USD of one point of the contract itself",
        "tick_value": "USD of one tick of one contract in this run",
        "prints": "prints of the tape",
        "session_dates": "session dates with prints",
        "first_session": "first session date; null without any",
        "last_session": "last session date; null without any",
        "synthetic": "whether the demo market made the prints",
        "sha256": "SHA-256 of the prints; null for a tape that is not of a file",
        "roll_rule": "rule that chose the front month",
        "roll_ledger": "the rolls",
        "roll_ledger[].date": "first session date of the new contract",
        "roll_ledger[].from": "contract before",
        "roll_ledger[].to": "contract after",
        "roll_ledger[].from_volume": "volume of the contract before on the dates that decided",
        "roll_ledger[].to_volume": "volume of the contract after on these dates",
        "roll_ledger[].volumes_of": "which dates these are",
        "roll_ledger[].gap_points": "first price after less last price before, in points",
        "roll_ledger[].chosen_by": "what chose the contract",
        "first_front": "how the first front month was chosen; null where it is not known",
        "first_front.*": "contract, date and reason of it",
        "replaced": "session dates on which the front month did not trade",
        "replaced[].date": "session date",
        "replaced[].front": "front month",
        "replaced[].taken": "contract of that date",
        "left_out": "session dates of the files that are not on the tape",
        "left_out[].date": "session date",
        "left_out[].prints": "prints of it",
        "left_out[].reason": "why",
        "low_share": "session dates on which the front month has under 30% of the outright volume",
        "low_share[].date": "session date",
        "low_share[].contract": "front month",
        "low_share[].share": "its share of the outright volume",
        "record_ledger.*": "records of the files by what they are",
        "reordered": "prints that had to be reordered",
        "closes": "when sessions close; null where no calendar says so",
        "closes.calendar": "calendar of the contract",
        "closes.library": "library of the hours, and its version",
        "closes.early.*": "time of an early close in Chicago, by session date",
        "closes.unknown[]": "session date whose close is not known",
        "closes.prints_after": "prints after the close",
        "missing": "session dates scheduled between the first and the last one, without a print",
        "missing[]": "session date",
        "incomplete": "session dates whose prints begin late or end early",
        "incomplete[]": "session date",
    },
)
