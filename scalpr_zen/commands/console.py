"""The console: results on stdout, all else on stderr, and each refusal as one line with exit code 2."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import click

from scalpr_zen.base.engine import end_at_once, leave, raise_on_interrupt
from scalpr_zen.base.errors import ScalprError, reason


def show(text: str) -> None:
    """Print a result.

    Raises
    ------
    ScalprError
        If stdout cannot be written: a file on a full disk, or a pipe whose reader has closed it.
    """
    try:
        click.echo(text)
    except OSError as error:
        with contextlib.suppress(OSError, ValueError):  # what is buffered must not fail once more at the exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise ScalprError(f"stdout cannot be written: {reason(error)}") from None


def say(text: str) -> None:
    """Print a line for the person at the console; stdout stays for results."""
    click.echo(text, err=True)


def main(command: Callable[[], Any]) -> NoReturn:
    """Run a command or a script; whatever it refuses becomes one line `error: ...` and exit code 2.

    After an interrupt a process of its own, one that began with `exit_on_interrupt`, ends at once.
    """
    own = False
    try:
        own = raise_on_interrupt()
        command()
    except click.ClickException as error:
        _fail(error.format_message())
    except ScalprError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename or 'a file or a pipe'}: {reason(error)}")
    except (KeyboardInterrupt, click.Abort):
        if own:
            _say_error("interrupted")
            end_at_once(2)
        _fail("interrupted")
    leave(0)


def _fail(message: str) -> NoReturn:
    _say_error(message)
    leave(2)


def _say_error(message: str) -> None:
    say("error: " + " ".join(message.split()))


def output_aside() -> contextlib.AbstractContextManager[Any]:
    """Send to stderr what a strategy prints: stdout stays for results."""
    return contextlib.redirect_stdout(sys.stderr)


@contextlib.contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on stderr, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
