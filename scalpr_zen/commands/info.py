"""`scalpr info`: check every byte of a tape, and print all that is known about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from scalpr_zen.commands.console import show
from scalpr_zen.data.tape import Tape
from scalpr_zen.render.lines import block_lines
from scalpr_zen.render.table import Block, Column, Row, Table, facts
from scalpr_zen.render.text import title
from scalpr_zen.sections.tape import tape_blocks, tape_facts, tape_notes

GROUP = "Data"


def info(path: str | Path) -> None:
    """Check every byte of a tape, and print all that is known about it."""
    tape = Tape.open(path, recheck=True)
    show("\n".join(_info_lines(tape)))


def _info_lines(tape: Tape) -> Iterator[str]:
    about = tape_facts(tape)
    yield from (f"NOTE {note}" for note in tape_notes(about))
    yield from title("TAPE" + " (SYNTHETIC)" * tape.synthetic)
    for block in (*tape_blocks(about), *_files(tape)):
        yield from block_lines(block)


def _files(tape: Tape) -> Iterator[Block]:
    segments = [Row((str(row["contract"]), int(row["stop"] - row["start"]))) for row in tape.segments]
    yield Table((Column("contract", "text"), Column("prints")), segments, title="Segments")
    columns = (Column("file", "text"), Column("records"), Column("bytes"), Column("sha256", "text"))
    names = ("name", "records", "bytes", "sha256")
    sources = [Row(tuple(source[name] for name in names)) for source in tape.metadata.get("sources", [])]
    yield Table(columns, sources, title="Sources")
    if ignored := tape.metadata.get("ignored_files", []):
        why = ("no DBN file", "a folder in the folder, give it too to read it")
        yield facts(((name, why["/" in name]) for name in ignored), title="Ignored")


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
