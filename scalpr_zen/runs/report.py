"""The report: every section of a result as text. ASCII only, so that every console can show it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from scalpr_zen.render.lines import block_lines
from scalpr_zen.render.table import Table
from scalpr_zen.render.text import WIDTH, Values, chicago, counted, number, title
from scalpr_zen.runs.manifest import manifest_table
from scalpr_zen.runs.trade_log import log_text
from scalpr_zen.sections import sections
from scalpr_zen.sections.baseline import versus
from scalpr_zen.sections.statistics import headline

if TYPE_CHECKING:
    from scalpr_zen.runs.result import Result

LINES = 45
"""Lines of a screen at most."""
NOTES = 12
"""Notes that the screen shows, so that files named below it have room; --full shows all."""
_RULE = "=" * WIDTH
_UNCLOSED = "VOID AND OPEN TRADES: out of all statistics, marked at the last print of their segment"


def leading(values: Values) -> list[Table]:
    """Return the tables that lead the report, the page and a notebook."""
    return [headline(values), versus(values)]


def section_lines(values: Values) -> list[tuple[str, str]]:
    """Return the label and the line of each section that has one on the screen."""
    return [(section.label, section.line(values)) for section in sections().values() if section.line]


def screen(result: Result, *, whole: bool = False) -> Iterator[str]:
    """Give the screen line by line: at most LINES lines of WIDTH columns, or every note `whole`, for a file."""
    values = result.values
    yield from _head(values)
    yield from (_cut(line) for line in (_changed(result), _tape(values["tape"])))
    notes = [f"NOTE {note}" for note in values["notes"]]
    yield from notes if whole else _short(notes)
    for block in leading(values):
        yield ""
        yield from block_lines(block)
    yield ""
    yield from (_cut(f"  {label:<16}{text}") for label, text in section_lines(values))


def summary(result: Result) -> Iterator[str]:
    """Give the screen and every section of the report line by line."""
    yield from screen(result, whole=True)
    for section in sections().values():
        blocks = list(section.blocks(result.run, result.values))
        if blocks:
            about = f": {section.sentence}" * bool(section.sentence)
            yield from title(f"{section.title.upper()}{about}")
            for block in blocks:
                yield from block_lines(block)


def report(result: Result) -> Iterator[str]:
    """Give the whole report in texts of one or more lines, the trade log at its end."""
    yield from summary(result)
    yield from title("RUN MANIFEST")
    yield from block_lines(manifest_table(result.values["manifest"]))
    yield from title(_UNCLOSED)
    yield log_text(result.unclosed, result.tape)
    yield from title(f"TRADE LOG: {counted(len(result.trades), 'trade')}, times America/Chicago")
    yield log_text(result.trades, result.tape)


def _head(values: Values) -> Iterator[str]:
    parameters, about, tape = values["parameters"], values["manifest"], values["tape"]
    yield _RULE
    words = ("scalpr_zen " + about["scalpr_zen"], parameters["strategy"], tape["root"], chicago(about["started"]))
    yield "   ".join(words)
    if tape["synthetic"]:
        yield "*** SYNTHETIC: the demo market made these prints; nothing here says anything about a real market ***"
    yield _RULE


def _changed(result: Result) -> str:
    """Return the strategy's own parameters, the bracket, and whatever else is not its default."""
    used, declared = result.values["parameters"], result.run.declared
    names = [parameter.name for parameter, _ in declared]
    always = [*names[: names.index("take_profit")], "take_profit", "stop_loss"]
    changed = [parameter.name for parameter, value in declared if value != parameter.default]
    shown = [f"{name}={used[name]}" for name in names if name in always or name in changed]
    return f"{used['strategy']}: {', '.join(shown)}"


def _tape(tape: Values) -> str:
    what = counted(tape["prints"], "print"), counted(tape["session_dates"], "session date")
    rolls = counted(len(tape["roll_ledger"]), "roll")
    return f"{tape['root']}: {' on '.join(what)}, {tape['first_session']} to {tape['last_session']}, {rolls}"


def _short(notes: list[str]) -> Iterator[str]:
    yield from (_cut(note) for note in (notes if len(notes) <= NOTES else notes[: NOTES - 1]))
    if len(notes) > NOTES:
        yield f"NOTE and {len(notes) - NOTES + 1} more: --full prints every note and table"


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."


def took(manifest: Values) -> str:
    """Return what each stage of a run took, in a line."""
    stages = (f"{name.replace('_', ' ')} {seconds:.2f}" for name, seconds in manifest["seconds"].items())
    return f"took {manifest['wall_seconds']:.2f} s: {', '.join(stages)}"


def fast(manifest: dict[str, Any]) -> str:
    """Return how fast a run was, in a line."""
    kept = "" if manifest["seconds"]["signals"] else ", signals known before"
    rate = manifest["prints_per_second"] / 1e6
    return f"run {number(manifest['wall_seconds'], 'seconds')}, {rate:,.1f} M prints/s{kept}"
