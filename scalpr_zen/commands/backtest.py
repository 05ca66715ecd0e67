"""`scalpr backtest`: run a strategy over a tape and write the report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

from scalpr_zen.base.errors import ParameterError, ScalprError
from scalpr_zen.base.params import RENAMED, declared
from scalpr_zen.commands.console import main, output_aside, progress, say, show
from scalpr_zen.commands.demo import demo_tape
from scalpr_zen.commands.flags import WithStrategy, not_empty, options, strategy_option
from scalpr_zen.data.tape import Tape
from scalpr_zen.runs.backtest import Strategy, run_setup
from scalpr_zen.runs.report import took
from scalpr_zen.runs.save import save
from scalpr_zen.runs.spec import make_run
from scalpr_zen.sections.setup import GROUPS, Setup
from scalpr_zen.strategies import EmaCrossover
from scalpr_zen.strategies.user_code import load_strategy

GROUP = "Runs"
CONSTANTS = {
    "fast_period": "FAST_EMA_PERIOD",
    "slow_period": "SLOW_EMA_PERIOD",
    "take_profit": "TP_POINTS",
    "stop_loss": "SL_POINTS",
    "point_value": "POINT_VALUE",
    "monte_carlo_sims": "MONTE_CARLO_SIMS",
}
"""The parameters that stand first in run_backtest.py, and their names there; all others are named as their flags."""


def backtest(
    tape: str | Path | None,
    strategy: Strategy,
    setup: Setup,
    *,
    out: str | Path = "results",
    csv: bool = False,
    html: bool = False,
    as_json: bool = False,
    full: bool = False,
) -> None:
    """Run a backtest, print its screen (or every section, or its JSON) and write its report files.

    It is printed first, so that a report that cannot be saved is not lost. Without a tape the demo market is used, and
    made first if it is missing.
    """
    opened = Tape.open(tape or demo_tape())
    with output_aside(), progress("backtest") as advance:
        result = run_setup(opened, strategy, setup, progress=advance)
    paths, failed = [], []
    try:
        show(result.to_json() if as_json else result.full_text() if full else str(result))
    except ScalprError as error:
        failed.append(str(error))
    try:
        paths = save(result, out, csv=csv, html=html)
    except ScalprError as error:
        failed.append(f"the report is not saved: {error}")
    say("")
    for path in paths:
        say(f"written: {path}")
    if paths:
        say(took(result.values["manifest"]))
    if failed:
        raise ScalprError("; ".join(failed))


def run_script(constants: Mapping[str, Any]) -> NoReturn:
    """Run the backtest that the constants of run_backtest.py describe, as a process of its own."""
    main(lambda: backtest_of(constants))


def backtest_of(constants: Mapping[str, Any]) -> None:
    """Run the backtest that the constants of run_backtest.py describe.

    The periods of EmaCrossover are left out with any other strategy, whose own parameters are STRATEGY_PARAMETERS.
    """
    with output_aside():
        kind = load_strategy(constants["STRATEGY"])
    groups = [*GROUPS.values(), *([EmaCrossover] if kind is EmaCrossover else [])]
    names = {p.name: CONSTANTS.get(p.name, p.name.upper()) for group in groups for p in declared(group)}
    for old in RENAMED:
        if old.upper() in constants:
            raise ParameterError(f"{old.upper()} is called {RENAMED[old].upper()} now")
    given = {name: constants[constant] for name, constant in names.items() if constant in constants}
    backtest(
        constants["TAPE"],
        *make_run(kind, given | constants["STRATEGY_PARAMETERS"]),
        out=constants["RESULTS_DIR"],
        csv=constants["WRITE_CSV"],
        html=constants["WRITE_HTML"],
    )


@click.command(
    "backtest",
    epilog="Example: scalpr backtest --tape cache/nq.npz --take-profit 10 --stop-loss 20t --commission 2.25",
    cls=WithStrategy,
)
@click.option("--tape", callback=not_empty, help="The tape. [default: the demo market, made once]")
@strategy_option
@options(*GROUPS.values())
@click.option("--out", default="results", callback=not_empty, show_default=True, help="Folder of the report files.")
@click.option("--csv", is_flag=True, help="Write the trades as CSV too.")
@click.option("--html", is_flag=True, help="Write the charts as one HTML file too.")
@click.option("--full", is_flag=True, help="Print every section of the report.")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON instead of the screen.")
def command(
    strategy: type[Any], tape: str | None, out: str, csv: bool, html: bool, full: bool, as_json: bool, **given: Any
) -> None:
    """Run a strategy over a tape and write the report."""
    backtest(tape, *make_run(strategy, given), out=out, csv=csv, html=html, full=full, as_json=as_json)
