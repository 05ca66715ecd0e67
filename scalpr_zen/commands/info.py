"""`scalpr info`: check every byte of a tape, and print all that is known about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from scalpr_zen.commands.console import show
from scalpr_zen.data.tape import Tape
from scalpr_zen.render.notes import tape_notes
from scalpr_zen.render.tape_text import tape_lines
from scalpr_zen.runs.backtest import tape_facts

GROUP = "Data"


def info(path: str | Path) -> None:
    """Check every byte of a tape, and print all that is known about it."""
    tape = Tape.open(path, recheck=True)
    show("\n".join(_info_lines(tape)))


def _info_lines(tape: Tape) -> Iterator[str]:
    facts = tape_facts(tape)
    yield from (f"NOTE {note}" for note in tape_notes(facts))
    yield from tape_lines(facts)
    yield ""
    yield "SEGMENTS"
    for row in tape.segments:
        yield f"  {row['contract']:<16}{row['stop'] - row['start']:>16,} prints"
    yield "SOURCES"
    for source in tape.metadata.get("sources", []):
        yield f"  {source['name']:<44}{source['records']:>14,} records{source['bytes']:>16,} bytes  {source['sha256']}"
    for name in tape.metadata.get("ignored_files", []):
        why = "a folder in the folder, give it too to read it" if "/" in name else "no DBN file"
        yield f"  {name:<44}  ignored: {why}"


@click.command("info", epilog="Example: scalpr info cache/nq.npz")
@click.argument("tape")
@click.option("--json", "as_json", is_flag=True, help="Print the tape's metadata as JSON.")
def command(tape: str, as_json: bool) -> None:
    """Check every byte of a tape, and print all that is known about it."""
    if as_json:
        opened = Tape.open(tape, recheck=True)
        show(json.dumps(opened.metadata | {"incomplete": opened.incomplete}, indent=1))
    else:
        info(tape)
