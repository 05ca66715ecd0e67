"""What a tape does not cover: missing and incomplete session dates, and the trades that were open across them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scalpr_zen.base.arrays import Bools
from scalpr_zen.data.tape import Tape
from scalpr_zen.sections.section import Run, Section, Values
from scalpr_zen.simulation.kernel import CLOSE


def _compute(run: Run, _: Values) -> dict[str, int]:
    tape, groups = run.tape, (run.trades, run.simulation.unclosed)
    trades = {name: np.concatenate([group[name] for group in groups]) for name in ("entry", "session", "reason")}
    entered = np.searchsorted(tape.sessions["stop"], trades["entry"], side="right")
    before = np.cumsum(_holes(tape))
    return {
        "missing_dates": len(tape.missing),
        "incomplete_dates": len(tape.incomplete),
        "counted_dates": int(run.counted.sum()),
        "trades_across_holes": int((before[trades["session"]] > before[entered]).sum()),
        "late_flat_exits": int(((trades["reason"] == CLOSE) & (trades["session"] > entered)).sum()),
    }


def _holes(tape: Tape) -> Bools:
    """Return whether prints are missing between each session date and the one before it, shape (session dates,)."""
    dates, (late, early) = tape.sessions["date"], tape.late_and_early
    holes = np.array(late)
    holes[1:] |= early[:-1]
    holes[np.searchsorted(dates, np.array(tape.missing, dates.dtype))] = True
    return holes


def _notes(_: Run, values: Values) -> Iterator[str]:
    found, parameters = values["coverage"], values["parameters"]
    if missing := found["missing_dates"]:
        yield f"missing session dates: {missing:,}, scheduled but without a print, and not in any figure; see TAPE"
    if incomplete := found["incomplete_dates"]:
        what = (
            "incomplete_dates=include counts them in by-day statistics and drawings like whole ones; see TAPE"
            if parameters["incomplete_dates"] == "include"
            else "left out of by-day statistics, drawings and counts of dates; their trades stay in all other figures; "
            "see TAPE; incomplete_dates=include counts them"
        )
        yield f"incomplete session dates: {incomplete:,}, {what}"
    if across := found["trades_across_holes"]:
        held = "trade was" if across == 1 else "trades were"
        yield f"{across:,} {held} held across missing or incomplete session dates"
    if late := found["late_flat_exits"]:
        closed, own = ("position was", "its") if late == 1 else ("positions were", "their")
        yield (
            f"{late:,} {closed} closed only in a later session "
            f"(flat_before_close={parameters['flat_before_close']:g}), because {own} own had no print after the order"
        )


SECTION = Section(
    name="coverage",
    order=120,
    compute=_compute,
    notes=_notes,
    fields={
        "missing_dates": "session dates scheduled between the first and the last one, without a print",
        "incomplete_dates": "session dates whose prints begin late or end early",
        "counted_dates": "session dates that count in the by-day statistics",
        "trades_across_holes": "trades open across a missing date, the end of a date that ends early, or the beginning "
        "of one that begins late",
        "late_flat_exits": "trades that an order of flat_before_close closed only in a later session",
    },
)
