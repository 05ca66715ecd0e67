"""The console command `scalpr`: one file a command, each with its place in the help."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
from typing import NoReturn

import click

import scalpr_zen
from scalpr_zen.commands.console import main

GROUPS = ("Data", "Strategies", "Runs")
"""The groups of the help, in its order; each command's file names its own as GROUP."""


def _commands() -> list[tuple[str, click.Command]]:
    """Return the commands with their groups, in the order of the help."""
    modules = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    found = [(module.GROUP, module.command) for module in modules if hasattr(module, "command")]
    return sorted(found, key=lambda row: GROUPS.index(row[0]))


class _Grouped(click.Group):
    """A group whose help lists its commands by GROUP."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands of each group with its title."""
        for group, rows in itertools.groupby(_commands(), key=lambda row: row[0]):
            with formatter.section(group):
                formatter.write_dl([(command.name or "", command.get_short_help_str(90)) for _, command in rows])


@click.group(
    cls=_Grouped,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(scalpr_zen.__version__, prog_name="scalpr")
@click.pass_context
def scalpr(context: click.Context) -> None:
    """Tick-level backtests of scalping strategies on CME Globex futures."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for _, _command in _commands():
    scalpr.add_command(_command)


def entry_point() -> NoReturn:
    """Run `scalpr`."""
    main(lambda: scalpr.main(standalone_mode=False))
