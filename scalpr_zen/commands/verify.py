"""`scalpr verify`: look for look-ahead in a strategy."""

from __future__ import annotations

from typing import Any

import click

from scalpr_zen.base.errors import ScalprError
from scalpr_zen.commands.console import output_aside, progress, show
from scalpr_zen.commands.demo import demo_tape
from scalpr_zen.commands.flags import WithStrategy, not_empty, options, strategy_option
from scalpr_zen.data.tape import Tape
from scalpr_zen.runs.spec import make_run
from scalpr_zen.sections.setup import GROUPS

GROUP = "Strategies"
_OF_TRADES = [GROUPS[name] for name in ("bracket", "execution", "rules")]
_NONE_NEAR = "no signal, so a strategy that looks ahead to suppress signals would pass"


@click.command("verify", epilog="Example: scalpr verify cache/nq.npz --strategy my_idea.py:MyIdea", cls=WithStrategy)
@click.argument("tape", required=False, callback=not_empty)
@strategy_option
@options(*_OF_TRADES)
@click.option("--cuts", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Cuts of the tape.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of the cuts.")
def command(strategy: type[Any], tape: str | None, cuts: int, seed: int, **given: Any) -> None:
    """Look for look-ahead in a strategy: cut the tape and require the same signals and trades before each cut."""
    from scalpr_zen.runs.verify import verify

    made, setup = make_run(strategy, given)
    with progress("cutting the tape") as tick, output_aside():
        done = verify(Tape.open(tape or demo_tape()), made, setup, cuts=cuts, seed=seed, progress=tick)
    if not done.signals:
        raise ScalprError("nothing to compare: the strategy gives no signal on this tape")
    near = f"{done.near:,} signals" if done.near else _NONE_NEAR
    show(
        f"no look-ahead found: {done.signals:,} signals and {done.trades:,} trades are the same before each of "
        f"{done.cuts} cuts, the signals of short stretches before each of {done.dense:,}, among them {near}"
    )
