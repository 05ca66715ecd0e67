"""Counts: every signal of the strategy is counted in exactly one of these lines."""

from __future__ import annotations

from collections.abc import Iterator

from scalpr_zen.render.table import Block, Column, Row, Table, facts
from scalpr_zen.render.text import counted
from scalpr_zen.sections.section import Run, Section, Values

COUNTS = {
    "closed": "trades",
    "void": "still open at the last print of their segment; out of the statistics",
    "open": "still open at the end of the tape; out of the statistics",
    "unfilled": "no later print in their session and segment",
    "ignored": "a position was open",
    "other_side": "on a side that is not traded",
    "outside": "outside the entry windows and weekdays, or too near the close",
    "session_over": "after max_trades or a limit of their session was reached",
    "in_cooldown": "in the cooldown after an exit",
}
"""What happened to a signal."""


def _blocks(_: Run, values: Values) -> Iterator[Block]:
    counts = values["counts"]
    columns = (Column("", "text"), Column(""), Column("", "text"))
    rows = [Row(("signals", counts["signals"], ""), key="signals")]
    rows += [Row((f"  {key}", counts[key], why), key=key) for key, why in COUNTS.items()]
    yield Table(columns, rows, plain=True)
    yield facts([("trades sha256", values["trades_sha256"])])


def _notes(_: Run, values: Values) -> list[str]:
    """Return a sentence that says why no trade was closed, where none was."""
    counts = values["counts"]
    if counts["closed"]:
        return []
    if not values["tape"]["prints"]:
        return ["no trade: the tape has no print"]
    if not counts["signals"]:
        return ["no trade: the strategy gave no signal on this tape"]
    ends = ", ".join(f"{counts[key]:,} {key.replace('_', ' ')} ({why})" for key, why in COUNTS.items() if counts[key])
    return [f"no trade was closed: {counted(counts['signals'], 'signal')}, {ends}"]


SECTION = Section(
    name="counts",
    order=90,
    title="Counts",
    sentence="what happened to every signal",
    compute=lambda run, _: run.simulation.counts,
    blocks=_blocks,
    notes=_notes,
    notes_first=True,
    fields={"signals": "signals of the strategy", **COUNTS},
)
