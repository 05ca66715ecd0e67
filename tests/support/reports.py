"""Reports and the parts of them that the tests read."""

import csv
from pathlib import Path

from scalpr_zen import EmaCrossover, MonteCarlo, ScalprError, Tape, run, save_tape
from support.market import market

FAST = EmaCrossover(fast_period=2, slow_period=5)
FEW_PATHS = MonteCarlo(monte_carlo_sims=25, random_entry_sims=20)


def golden_tape(folder: Path) -> Tape:
    """The golden market, written and mapped: a tape with a hash."""
    return Tape.open(save_tape(market(), folder / "golden.npz"))


def report_of(result) -> str:
    return result.text("txt")


def section(text: str, title: str) -> list[str]:
    """The lines below the title of a section, up to the next title."""
    lines = [*text.split("\n"), "", "", "---"]
    start = next(k for k, line in enumerate(lines) if line.startswith(title) and lines[k + 1].startswith("---"))
    stop = next(k for k in range(start + 2, len(lines)) if lines[k].startswith("---"))
    return [line for line in lines[start + 2 : stop - 1] if line]


def cells(lines: list[str], first: str) -> list[str]:
    """The cells of the row of a text table that begins with some words."""
    [line] = [line[2:] for line in lines if line[2:].startswith(first)]
    return line[len(first) :].split()


def csv_rows(result) -> list[dict[str, str]]:
    return list(csv.DictReader(result.text("csv").splitlines()))


def refused_or_reported(*args, **settings) -> tuple[str, str]:
    """Run; return the message of a refusal and the report, one of them empty."""
    try:
        return "", report_of(run(*args, **settings))
    except ScalprError as error:
        return str(error), ""
