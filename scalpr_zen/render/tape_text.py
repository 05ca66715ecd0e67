"""The facts of a tape as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from scalpr_zen.render.notes import low_share_text, replaced_text
from scalpr_zen.render.text import Values, counted, labelled, number, title

DATES_SHOWN = 10
"""Session dates of one kind that the facts of a tape list; the tape's metadata holds all."""

SHOWN_DATES = 5
"""Missing and incomplete dates that a line of the report names."""


def tape_lines(tape: Values) -> Iterator[str]:
    """Give the facts of a tape line by line: what it is, its rolls, and its record ledger.

    Parameters
    ----------
    tape : mapping
        As `tape_facts` gives it.
    """
    yield from title("TAPE" + " (SYNTHETIC)" * tape["synthetic"])
    yield labelled("contract", f"{tape['root']} {tape['name']} ({tape['exchange'] or 'own'})")
    yield labelled("tick", f"{tape['tick_size']:g} points, {number(tape['tick_value'], 'usd')} a contract")
    yield labelled("prints", f"{tape['prints']:,} in {tape['session_dates']:,} session dates")
    yield labelled("first, last session date", f"{tape['first_session']} to {tape['last_session']}")
    yield labelled("missing dates", _some_dates(tape["missing"]))
    yield labelled("incomplete dates", _some_dates(tape["incomplete"]))
    if closes := tape.get("closes"):
        counts = (
            f"{len(closes['early'])} early, {len(closes['unknown'])} unknown, {closes['prints_after']:,} prints late"
        )
        yield labelled("session closes", f"{closes['calendar']}, {closes['library']}: {counts}")
    yield labelled("sha256", tape["sha256"])
    yield from _rolls(tape)
    yield from _record_ledger(tape)


def _some_dates(dates: Sequence[str]) -> str:
    """Return how many dates there are, and the first ones; all of them are in the JSON."""
    shown = ", ".join(dates[:SHOWN_DATES]) + ", ..." * (len(dates) > SHOWN_DATES)
    return f"{len(dates):,}: {shown}" if dates else "none"


def _rolls(tape: Values) -> Iterator[str]:
    yield labelled("roll rule", tape["roll_rule"])
    if first := tape["first_front"]:
        yield labelled("first front month", f"{first['contract']} on {first['date']}, chosen by {first['chosen_by']}")
    yield labelled("rolls", len(tape["roll_ledger"]))
    for roll in tape["roll_ledger"]:
        known = roll.get("volumes_of", "the session before")
        volumes = f"volumes of {known} {roll['from_volume']:,} / {roll['to_volume']:,}"
        why = "" if roll.get("chosen_by", "the roll rule") == "the roll rule" else f"  chosen by {roll['chosen_by']}"
        gap = f"gap {roll['gap_points']:+.10g} points"
        yield f"    {roll['date']}  {roll['from']} -> {roll['to']}  {volumes}  {gap}{why}"
    yield from _listed("front month did not trade", tape["replaced"], replaced_text)
    yield from _listed("front under 30% of volume", tape["low_share"], low_share_text)
    yield from _listed("dates not on the tape", tape["left_out"], _left_out_text)


def _listed(label: str, rows: Sequence[Values], text: Callable[[Values], str]) -> Iterator[str]:
    """Give the number of session dates and the first of them; the metadata holds all."""
    if rows:
        yield labelled(label, counted(len(rows), "session date"))
        yield from (f"    {row['date']}  {text(row)}" for row in rows[:DATES_SHOWN])
        if len(rows) > DATES_SHOWN:
            yield f"    and {len(rows) - DATES_SHOWN:,} more: scalpr info --json lists all"


def _left_out_text(row: Values) -> str:
    return f"{counted(row['prints'], 'print')}: {row['reason']}"


def _record_ledger(tape: Values) -> Iterator[str]:
    """Every record read stands in exactly one of these lines."""
    ledger = tape["record_ledger"]
    if ledger:
        yield labelled("records read", f"{ledger['records']:,}")
        for reason, count in ledger.items():
            if reason != "records" and (count or reason == "prints"):
                yield f"    {reason.replace('_', ' '):<24}{count:>16,}"
        yield labelled("put in order of time", f"{tape['reordered']:,}")
