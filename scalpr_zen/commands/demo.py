"""`scalpr demo`: write the files of the demo market."""

from __future__ import annotations

from pathlib import Path

import click

import scalpr_zen
from scalpr_zen.base.engine import alongside
from scalpr_zen.base.errors import TapeError
from scalpr_zen.base.instruments import instrument
from scalpr_zen.commands.console import progress, say
from scalpr_zen.commands.flags import not_empty
from scalpr_zen.data.tape import Tape

GROUP = "Data"
DEMO_FOLDER, DEMO_TAPE = Path("cache/demo"), Path("cache/demo.npz")
DEMO_SESSIONS = 10


def demo(folder: str | Path, sessions: int, seed: int) -> None:
    """Write the demo market's DBN files."""
    from scalpr_zen.data.demo import write_demo

    with progress("making the demo market") as tick:
        paths = write_demo(Path(folder), sessions, seed, progress=tick)
    say(f"written: {len(paths)} DBN files of {sessions} SYNTHETIC sessions in {folder}")


def demo_tape() -> Path:
    """Return the path of the demo market's tape, made if it is missing or of another version."""
    if not _opens(DEMO_TAPE):
        from scalpr_zen.data.preprocess import preprocess as ingest
        from scalpr_zen.runs.warm_up import warm_up

        say(f"no tape given: building the built-in demo market ({DEMO_SESSIONS} SYNTHETIC sessions) in {DEMO_FOLDER}")
        say("compiling for the first time: later runs start right away")
        with alongside(warm_up):  # this may well be the first run of the installation
            demo(DEMO_FOLDER, DEMO_SESSIONS, seed=0)
            ingest([DEMO_FOLDER], instrument("NQ"), DEMO_TAPE)
    return DEMO_TAPE


def _opens(path: Path) -> bool:
    """Return whether a file is a tape made by this version."""
    try:
        return bool(Tape.open(path).metadata.get("version") == scalpr_zen.__version__)
    except TapeError:
        return False


@click.command("demo", epilog="Example: scalpr demo --sessions 20 --out cache/demo")
@click.option(
    "--sessions", type=click.IntRange(1, 1_260), default=DEMO_SESSIONS, show_default=True, help="Session dates."
)
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of all random draws."
)
@click.option("--out", default=str(DEMO_FOLDER), callback=not_empty, show_default=True, help="Folder of the DBN files.")
def command(sessions: int, seed: int, out: str) -> None:
    """Write DBN files of a SYNTHETIC market: two NQ expiries, their spread, a roll."""
    demo(out, sessions, seed)
    say(f"next: scalpr preprocess {out} --root NQ --out {DEMO_TAPE.as_posix()}")
