"""What a run prints: its most telling figures on one screen of at most LINES lines."""

from __future__ import annotations

from collections.abc import Iterator

from scalpr_zen.render.notes import fill_range
from scalpr_zen.render.report import Declared, beside_hold, head, rank, statistic_line
from scalpr_zen.render.text import WIDTH, Values, counted, number
from scalpr_zen.sections.statistics import STATISTICS

LINES = 45
NOTES = 12
"""Notes that the screen shows, so that files named below it have room; --full shows all."""
SHOWN = (
    *("trades", "net_usd", "decided_win_rate", "profit_factor", "expectancy_usd", "t_statistic_by_day"),
    *("p_value_by_day", "sqn", "days_profitable", "sharpe", "max_drawdown_usd"),
)
"""The statistics that the screen shows."""


def screen(result: Values, declared: Declared, *, whole: bool = False) -> Iterator[str]:
    """Give the screen line by line.

    Parameters
    ----------
    result : mapping
        As `Result.to_dict` gives it.
    declared : sequence of (Parameter, value)
        Every parameter of the run.
    whole : bool
        Give every note whole, however many lines and columns that takes; for a file.
    """
    yield from head(result)
    yield from (_cut(line) for line in (_run(declared, result["parameters"]), _tape(result["tape"])))
    notes = [f"NOTE {note}" for note in result["notes"]]
    yield from notes if whole else _short(notes)
    yield ""
    yield from (statistic_line(row, result) for row in STATISTICS if row.key in SHOWN)
    yield ""
    yield from beside_hold(result["baseline"])
    yield ""
    yield from (_cut(f"  {label:<16}{text}") for label, text in _checks(result).items())


def _short(notes: list[str]) -> Iterator[str]:
    yield from (_cut(note) for note in (notes if len(notes) <= NOTES else notes[: NOTES - 1]))
    if len(notes) > NOTES:
        yield f"NOTE and {len(notes) - NOTES + 1} more: --full prints every note and table"


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."


def _run(declared: Declared, used: Values) -> str:
    """Return the strategy's own parameters, the bracket, and whatever else is not its default."""
    names = [parameter.name for parameter, _ in declared]
    always = [*names[: names.index("take_profit")], "take_profit", "stop_loss"]
    changed = [parameter.name for parameter, value in declared if value != parameter.default]
    shown = [f"{name}={used[name]}" for name in names if name in always or name in changed]
    return f"{used['strategy']}: {', '.join(shown)}"


def _tape(tape: Values) -> str:
    what = counted(tape["prints"], "print"), counted(tape["session_dates"], "session date")
    rolls = counted(len(tape["roll_ledger"]), "roll")
    return f"{tape['root']}: {' on '.join(what)}, {tape['first_session']} to {tape['last_session']}, {rolls}"


def _checks(result: Values) -> dict[str, str]:
    """Return what speaks against the net P&L: other fills, random entries, a prop firm's rules."""
    return {
        "fill models": fill_range(result) or "n/a",
        "random entries": rank(result["random_entries"]) if result["random_entries"] else "n/a",
        "prop firm": _chances(result["prop_firm"]),
    }


def _chances(firm: Values) -> str:
    drawn = firm.get("drawn")
    if not drawn:
        return "n/a"
    chances = (f"P({word}) {number(drawn[word]['probability'], 'share')}" for word in ("pass", "bust"))
    return f"{', '.join(chances)} within {drawn['horizon_days']} dates: {firm['rules']['title']}"
