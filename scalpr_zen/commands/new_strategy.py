"""`scalpr new-strategy`: write a small strategy to begin with."""

from __future__ import annotations

import click

from scalpr_zen.commands.console import say
from scalpr_zen.strategies.template import write_strategy

GROUP = "Strategies"


@click.command("new-strategy", epilog="Example: scalpr new-strategy my_idea")
@click.argument("name")
@click.option("--folder", default=".", show_default=True, help="Folder of the file.")
def command(name: str, folder: str) -> None:
    """Write a small, commented strategy to start from: my_idea gives my_idea.py with the class MyIdea."""
    path, kind = write_strategy(name, folder)
    say(f"written: {path}")
    named = f"{path}:{kind}"
    named = f'"{named}"' if " " in named else named
    say(f"next: scalpr backtest --strategy {named}")
    say(f"      scalpr backtest --strategy {named} --help")
    say(f"      scalpr dashboard --strategy {named}")
