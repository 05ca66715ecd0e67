"""`scalpr dashboard`: serve the page of a tape."""

from __future__ import annotations

from pathlib import Path

import click

from scalpr_zen.commands.console import say
from scalpr_zen.commands.demo import demo_tape
from scalpr_zen.commands.flags import STRATEGY, not_empty, strategy_option
from scalpr_zen.dashboard.guard import Address
from scalpr_zen.strategies.user_code import load_strategy

GROUP = "Runs"


def dashboard(
    tape: str | Path | None, address: Address, strategy: str = STRATEGY, prop_firm: str | None = None
) -> None:
    """Serve the dashboard of a tape until Ctrl-C; without one, that of the demo market."""
    from scalpr_zen.dashboard.serve import serve
    from scalpr_zen.dashboard.workbench import Workbench

    kind = load_strategy(strategy)
    serve(Workbench(Path(tape or demo_tape()), kind, prop_firm or ""), address, say)


@click.command("dashboard", epilog="Example: scalpr dashboard cache/nq.npz --strategy MomentumBurst")
@click.argument("tape", required=False, callback=not_empty)
@strategy_option
@click.option(
    "--prop-firm", callback=not_empty, metavar="FILE.toml", help="Rules of your own that the page offers too."
)
@click.option("--host", default=Address.host, show_default=True, help="Address of this machine to listen at.")
@click.option("--port", type=click.IntRange(1, 65_535), default=Address.port, show_default=True, help="Port.")
@click.option("--expose", is_flag=True, help="Allow a host that other machines can reach; needs a token.")
@click.option("--token", envvar="SCALPR_TOKEN", help="Token that every request must carry. [env: SCALPR_TOKEN]")
def command(
    tape: str | None, strategy: str, prop_firm: str | None, host: str, port: int, expose: bool, token: str | None
) -> None:
    """Serve the dashboard of a tape, or of the demo market."""
    dashboard(tape, Address(host=host, port=port, expose=expose, token=token), strategy, prop_firm)
