"""The console command, and nothing else, so that Ctrl-C is one line before the rest is imported."""

from __future__ import annotations

from typing import NoReturn

from scalpr_zen.base.engine import exit_on_interrupt


def entry_point() -> NoReturn:
    """Run `scalpr`."""
    exit_on_interrupt()
    from scalpr_zen import commands

    commands.entry_point()
