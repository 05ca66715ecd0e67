"""`scalpr preprocess`: turn Databento files into a tape."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from scalpr_zen.base.engine import Engine
from scalpr_zen.base.instruments import Instrument, instrument, parse_instrument
from scalpr_zen.commands.console import progress, say
from scalpr_zen.commands.flags import not_empty
from scalpr_zen.commands.info import info
from scalpr_zen.data.front_month import ROLLS, Roll, parse_schedule

GROUP = "Data"


def preprocess(paths: Sequence[str | Path], contract: Instrument, out: str | Path, roll: Roll) -> None:
    """Turn a folder of DBN files into a tape and print what is in it."""
    from scalpr_zen.data.preprocess import preprocess as ingest

    with progress("reading") as tick:
        path = ingest(paths, contract, out, roll=roll, progress=tick)
    info(path)
    say(f"written: {path}")


@click.command("preprocess", epilog="Example: scalpr preprocess data/nq --root NQ --out cache/nq.npz")
@click.argument("data", nargs=-1, required=True, metavar="DATA_DIR...")
@click.option("--root", help="Root of the contracts, one of the built-in table: NQ, ES, CL, ...")
@click.option(
    "--instrument",
    "own",
    help='Another contract in one line: "ROOT TICK_SIZE POINT_VALUE [EXCHANGE [ROLL_MONTHS [CALENDAR]]]".',
)
@click.option("--out", callback=not_empty, help="The tape. [default: cache/<root>.npz]")
@click.option("--roll", type=click.Choice(ROLLS), help="How the front month is chosen. [default: volume]")
@click.option(
    "--roll-days", type=int, default=Roll.days, show_default=True, help="Business days before expiry, for calendar."
)
@click.option(
    "--schedule", help='Contracts and first session dates, or a file of them: "NQZ4 2024-09-16, NQH5 2024-12-16".'
)
@click.option("--workers", type=click.IntRange(1, 256), help="Threads. [default: one a core]")
def command(
    data: tuple[str, ...],
    root: str | None,
    own: str | None,
    out: str | None,
    roll: str | None,
    roll_days: int,
    schedule: str | None,
    workers: int | None,
) -> None:
    """Turn folders of Databento trades files into one front-month tape."""
    if (root is None) == (own is None):
        raise click.UsageError("give either --root or --instrument")
    contract = instrument(root) if root else parse_instrument(own or "")
    rule = Roll(
        rule=roll or ("schedule" if schedule else "volume"),
        days=roll_days,
        schedule=parse_schedule(schedule) if schedule else (),
    )
    with Engine(workers):
        preprocess(data, contract, out or f"cache/{contract.root.lower()}.npz", rule)
