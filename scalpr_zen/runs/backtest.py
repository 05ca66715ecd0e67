"""One backtest: tape, strategy, bracket and execution to a Result."""

from __future__ import annotations

import contextlib
import glob
import itertools
import json
import math
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numba
import numpy as np
import scipy
from numpy.typing import NDArray

import scalpr_zen
from scalpr_zen.base.errors import ScalprError, reason
from scalpr_zen.base.money import check_sum, micro, total
from scalpr_zen.data.tape import Tape
from scalpr_zen.render import figures, html_report, notes, report, trade_log
from scalpr_zen.render.screen import screen
from scalpr_zen.runs.spec import Declared, RunSpec, all_parameters
from scalpr_zen.sections.baseline import baseline
from scalpr_zen.sections.coverage import coverage
from scalpr_zen.sections.fills import fills
from scalpr_zen.sections.monte_carlo import MonteCarlo, monte_carlo
from scalpr_zen.sections.prop_firm import PropFirm, prop_firm
from scalpr_zen.sections.random_entries import random_entries
from scalpr_zen.sections.reach import out_of_reach
from scalpr_zen.sections.series import series
from scalpr_zen.sections.setup import Setup
from scalpr_zen.sections.statistics import daily, statistics, verdicts
from scalpr_zen.simulation.execution import Bracket, Execution, PessimisticCosts
from scalpr_zen.simulation.rules import SessionRules, counted_dates
from scalpr_zen.simulation.simulate import Orders, Simulation, largest_result, orders, trade, trades_sha256
from scalpr_zen.strategies.user_code import signals_of

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects as go

Array = NDArray[Any]

SECTIONS = (
    "parameters",
    "tape",
    "notes",
    "statistics",
    "verdicts",
    "baseline",
    "monte_carlo",
    "fills",
    "random_entries",
    "prop_firm",
    "coverage",
    "counts",
    "trades_sha256",
    "series",
    "manifest",
)
LAPS = (
    "signals_seconds",
    "simulation_seconds",
    "statistics_seconds",
    "monte_carlo_seconds",
    "fills_seconds",
    "random_entries_seconds",
    "prop_firm_seconds",
)
LATER = ("monte_carlo", "fills", "random_entries", "prop_firm")
"""Sections that `run_trades` leaves empty."""


class Strategy(Protocol):
    """Any object that gives one signal a print."""

    def signals(self, tape: Tape) -> NDArray[np.int8]:
        """Return +1 long, -1 short, 0 none for each print, from that print and earlier ones alone."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """What a run gave. `print` shows one screen, `full_text` every section; `to_dict` holds all but the trades.

    Attributes
    ----------
    spec : RunSpec
        What decides the result; `spec.key` is the identity of the run.
    simulation : Simulation
        Closed trades, what triggered their stops, void and open trades, counts.
    orders : Orders
        The signals that the rules let through.
    declared : tuple of (Parameter, value)
        Every parameter of the run.
    """

    spec: RunSpec
    simulation: Simulation
    declared: Declared
    tape: Tape
    orders: Orders
    setup: Setup
    values: dict[str, Any]

    @property
    def trades(self) -> Array:
        """Closed trades in order of their exit, array of TRADE, shape (n,)."""
        return self.simulation.trades

    @property
    def unclosed(self) -> Array:
        """Void and open trades, out of all statistics, array of TRADE."""
        return self.simulation.unclosed

    def to_dict(self) -> dict[str, Any]:
        """Return plain data by section; what each holds stands in docs/statistics.md."""
        return self.values

    def to_json(self) -> str:
        """Return `to_dict` as JSON of full precision; undefined values are null."""
        return json.dumps(jsonable(self.values), indent=1, allow_nan=False)

    def to_dataframe(self) -> pandas.DataFrame:
        """Return the closed trades as a pandas DataFrame with the columns of the CSV file; times are UTC."""
        import pandas as pd

        frame = pd.DataFrame(trade_log.columns(self.trades, self.tape, self.setup.execution))
        for name in ("entry_time", "exit_time"):
            frame[name] = pd.to_datetime(frame[name], utc=True)
        frame.attrs["synthetic"] = self.tape.synthetic
        return frame

    def report_lines(self) -> Iterator[str]:
        """Give the whole text report, trade log included, line by line."""
        log, unclosed = trade_log.log_lines(self.trades, self.tape), trade_log.log_lines(self.unclosed, self.tape)
        yield from screen(self.values, self.declared, whole=True)
        yield from report.report(self.values, self.declared, log, unclosed)

    def csv_lines(self) -> Iterator[str]:
        """Give the CSV file of the closed trades line by line."""
        return trade_log.csv_lines(self.trades, self.tape, self.setup.execution)

    def figures(self) -> dict[str, go.Figure]:
        """Return every chart of the dashboard by name, as plotly figures."""
        import plotly.graph_objects as go

        made = figures.figures(jsonable(self.values))
        template = figures.THEMES["light"]
        return {name: go.Figure(figure).update_layout(template=template) for name, figure in made.items()}

    def html(self) -> str:
        """Return the charts, the statistics and the summary as one self-contained HTML page."""
        return html_report.page(jsonable(self.values), self.full_text())

    @property
    def stem(self) -> str:
        """The name of its files without their suffix: `<UTC stamp>_<strategy>`."""
        stamp = datetime.fromisoformat(self.values["manifest"]["started"]).strftime("%Y%m%dT%H%M%SZ")
        return f"{stamp}_{self.values['parameters']['strategy']}"

    def text(self, suffix: str) -> str:
        """Return the file of a suffix: txt, json, csv or html."""
        lines: dict[str, Callable[[], Iterable[str]]] = {
            "txt": self.report_lines,
            "json": lambda: [self.to_json()],
            "csv": self.csv_lines,
            "html": lambda: [self.html()],
        }
        return "\n".join(lines[suffix]()) + "\n"

    def full_text(self) -> str:
        """Return the screen and every section of the report."""
        lines = [*screen(self.values, self.declared, whole=True), report.summary(self.values, self.declared)]
        return "\n".join(lines)

    def __str__(self) -> str:
        return "\n".join(screen(self.values, self.declared))

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def run(
    tape: Tape,
    strategy: Strategy,
    bracket: Bracket | None = None,
    execution: Execution | None = None,
    rules: SessionRules | None = None,
    *,
    pessimistic: PessimisticCosts | None = None,
    settings: MonteCarlo | None = None,
    firm: PropFirm | None = None,
) -> Result:
    """Run one backtest.

    Parameters
    ----------
    tape : Tape
        The prints; `Tape.open` maps them from the file that `scalpr preprocess` makes.
    strategy : Strategy
        Gives the signals, once.
    bracket : Bracket, optional
        Take profit and stop loss. Default: 10 and 5 points.
    execution : Execution, optional
        Fills and costs. Default: the next event, no costs.
    rules : SessionRules, optional
        When it trades. Default: always.
    pessimistic : PessimisticCosts, optional
        The pessimistic costs of the fill table.
    settings : MonteCarlo, optional
        Paths, random-entry runs and seed.
    firm : PropFirm, optional
        Rules of the prop firm whose evaluation is walked.

    Returns
    -------
    Result

    Raises
    ------
    ScalprError
        If a parameter does not fit the tape, or the signals do not.
    """
    given: dict[str, Any] = {"bracket": bracket, "execution": execution, "rules": rules}
    given |= {"pessimistic": pessimistic, "settings": settings, "firm": firm}
    return run_setup(tape, strategy, Setup(**{name: group for name, group in given.items() if group is not None}))


def run_setup(tape: Tape, strategy: Strategy, setup: Setup) -> Result:
    """Run one backtest with all its parameters in one object; else as `run`."""
    return with_checks(with_monte_carlo(with_fills(run_trades(tape, strategy, setup))))


def run_trades(tape: Tape, strategy: Strategy, setup: Setup, *, wanted: Orders | None = None) -> Result:
    """Run one backtest as `run` does, but leave the sections LATER empty.

    Parameters
    ----------
    tape, strategy
        As in `run`.
    setup : Setup
        All parameters but the strategy's.
    wanted : Orders, optional
        The strategy's signals under these rules, where they are known already; they took 0 seconds then.
    """
    spec, all_declared = RunSpec.of(tape, strategy, setup), all_parameters(strategy, setup)
    started, watch = datetime.now(UTC), _Watch()
    watch.laps["signals_seconds"] = 0.0
    if wanted is None:
        signals = signals_of(strategy, tape)
        watch.lap("signals_seconds")
        wanted = orders(tape, signals, setup.rules)
    simulation = trade(tape, wanted, setup.bracket, setup.execution, setup.rules)
    watch.lap("simulation_seconds")
    _check_money(simulation.trades, tape, setup)
    values: dict[str, Any] = {"tape": tape_facts(tape, setup.execution)}
    values["parameters"] = _parameters(strategy, all_declared, setup.execution, tape)
    values |= _numbers(simulation, tape, setup)
    values["notes"] = _notes(values, tape, setup)
    watch.lap("statistics_seconds")
    values["manifest"] = _manifest(spec, tape, started, watch.laps)
    return Result(
        spec=spec,
        simulation=simulation,
        declared=all_declared,
        tape=tape,
        orders=wanted,
        setup=setup,
        values={name: values[name] for name in SECTIONS},
    )


def with_fills(result: Result) -> Result:
    """Return a result with the run under every fill model, and its notes."""
    made = result.tape, result.orders, result.simulation, result.setup
    return _with_sections(result, {"fills": lambda: fills(*made)})


def with_monte_carlo(result: Result) -> Result:
    """Return a result with its Monte Carlo paths."""
    trades, counted = result.trades, counted_dates(result.tape, result.setup.rules)
    settings, sessions = result.setup.settings, len(counted)

    def paths() -> dict[str, Any]:
        return monte_carlo(trades["net_usd"], trades["session"], sessions, settings, counted)

    return _with_sections(result, {"monte_carlo": paths})


def with_checks(result: Result) -> Result:
    """Return a result with random entries to compare its own with, and a firm's evaluation."""
    tape, setup, trades = result.tape, result.setup, result.trades
    unclosed, seed, counted = len(result.unclosed), setup.settings.seed, counted_dates(tape, setup.rules)
    return _with_sections(
        result,
        {
            "random_entries": lambda: random_entries(tape, trades, setup, result.unclosed),
            "prop_firm": lambda: prop_firm(
                trades, tape, setup.execution, setup.firm, seed, unclosed=unclosed, counted=counted
            ),
        },
    )


def _with_sections(result: Result, made: Mapping[str, Callable[[], dict[str, Any]]]) -> Result:
    """Return a result with more sections, what they add to its notes, and the time of each in its manifest."""
    watch, manifest, values = _Watch(), result.values["manifest"], dict(result.values)
    for name, make in made.items():
        values[name] = make()
        watch.lap(f"{name}_seconds")
    known = manifest | watch.laps
    laps = {name: known[name] for name in LAPS if name in known}
    values["manifest"] = _manifest(result.spec, result.tape, datetime.fromisoformat(manifest["started"]), laps)
    values["notes"] = _notes(values, result.tape, result.setup)
    return replace(result, values=values)


def _notes(values: Mapping[str, Any], tape: Tape, setup: Setup) -> list[str]:
    own = notes.notes(values["parameters"], values["statistics"], tape.instrument.point_value)
    about = [*notes.no_trade_notes(values), *notes.tape_notes(values["tape"]), *notes.coverage_notes(values)]
    return [*about, *out_of_reach(tape, setup), *own, *notes.check_notes(values)]


def save(result: Result, folder: str | Path, *, csv: bool = False, html: bool = False) -> list[Path]:
    """Write the report, the JSON and, if wanted, the CSV and the HTML page of a result; return their paths.

    The stem is `<UTC stamp>_<strategy>`, with a number behind it where another run has that. All files appear, each of
    them whole, or none.

    Raises
    ------
    ScalprError
        If the folder cannot be written.
    """
    folder = Path(folder)
    suffixes = ["txt", "json"] + ["csv"] * csv + ["html"] * html
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    paths: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _reserved(folder, result.stem) as (stem, aside):
            for suffix in suffixes:
                (aside / suffix).write_text(result.text(suffix), encoding="utf-8", newline="\n")
            for suffix in suffixes:
                paths.append(folder / f"{stem}.{suffix}")
                os.replace(aside / suffix, paths[-1])
    except BaseException as error:
        for path in paths:
            path.unlink(missing_ok=True)
        for place in made:
            with contextlib.suppress(OSError):
                place.rmdir()
        if isinstance(error, OSError):
            raise ScalprError(f"{folder} cannot be written: {reason(error)}") from None
        raise
    return paths


@contextlib.contextmanager
def _reserved(folder: Path, stem: str) -> Iterator[tuple[str, Path]]:
    """Give a stem that no other run has or can get meanwhile, and a hidden folder for its files, which vanishes.

    Whoever makes that folder has the stem: of all threads and processes that try, one does.
    """
    for number in itertools.count(1):
        name = stem if number == 1 else f"{stem}_{number}"
        aside = folder / f".{name}.part"
        try:
            aside.mkdir()
        except FileExistsError:
            continue
        try:
            if not any(folder.glob(f"{glob.escape(name)}.*")):
                yield name, aside
                return
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def tape_facts(tape: Tape, execution: Execution | None = None) -> dict[str, Any]:
    """Return what a report tells of a tape."""
    about, instrument = tape.metadata, tape.instrument
    dates = tape.sessions["date"].astype(str)
    return {
        "root": instrument.root,
        "name": instrument.name,
        "exchange": instrument.exchange,
        "tick_size": instrument.tick_size,
        "point_value": instrument.point_value,
        "tick_value": (execution or Execution()).tick_value(instrument),
        "prints": len(tape),
        "session_dates": len(tape.sessions),
        "first_session": str(dates[0]) if len(dates) else None,
        "last_session": str(dates[-1]) if len(dates) else None,
        "synthetic": tape.synthetic,
        "sha256": about.get("sha256"),
        "roll_rule": about.get("roll_rule"),
        "roll_ledger": about.get("roll_ledger", []),
        "first_front": about.get("first_front"),
        "replaced": about.get("replaced", []),
        "left_out": about.get("left_out", []),
        "low_share": about.get("low_share", []),
        "record_ledger": about.get("record_ledger", {}),
        "reordered": about.get("reordered", 0),
        "closes": about.get("closes"),
        "missing": tape.missing,
        "incomplete": tape.incomplete,
    }


def _parameters(strategy: Strategy, known: Declared, execution: Execution, tape: Tape) -> dict[str, Any]:
    values = {parameter.name: value for parameter, value in known}
    values["point_value"] = execution.point_value or tape.instrument.point_value
    return {"strategy": type(strategy).__name__, **values}


def _check_money(trades: Array, tape: Tape, setup: Setup) -> None:
    """Refuse a run of which some section may add more money than can be counted.

    No path is longer than the largest session date, drawn as often as a path of Monte Carlo or of the prop firm has
    dates. Within a date an equity moves by its trades, and by two that are open over its start and its end.
    """
    dates = max(len(tape.sessions), setup.firm.prop_days)
    amounts = np.abs(micro(trades["net_usd"]))
    bounds = np.searchsorted(trades["session"], np.arange(len(tape.sessions) + 1)).tolist()
    closed = max((total(amounts[a:b]) for a, b in pairwise(bounds)), default=0)
    check_sum(dates * (closed + 2 * largest_result(tape, setup.execution, tape.session_range)))


def _numbers(simulation: Simulation, tape: Tape, setup: Setup) -> dict[str, Any]:
    """Return the sections that follow from the trades; those of LATER are still empty."""
    trades, execution = simulation.trades, setup.execution
    counted = counted_dates(tape, setup.rules)
    numbers = statistics(trades, tape, setup.bracket, execution, counted)
    by_day = daily(trades["net_usd"], trades["session"], len(tape.sessions))
    return {
        "statistics": numbers,
        "verdicts": verdicts(numbers),
        "baseline": baseline(tape, execution, by_day, numbers, counted),
        **{name: {} for name in LATER},
        "coverage": coverage(np.concatenate((trades, simulation.unclosed)), tape, counted),
        "counts": simulation.counts,
        "trades_sha256": trades_sha256(trades),
        "series": series(trades, tape, execution, counted),
    }


class _Watch:
    """Wall seconds of each stage."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = now - self._last
        self._last = now


def _manifest(spec: RunSpec, tape: Tape, started: datetime, laps: Mapping[str, float]) -> dict[str, Any]:
    seconds = sum(laps.values())
    return {
        "scalpr_zen": scalpr_zen.__version__,
        "started": started.isoformat(timespec="seconds"),
        "run_key": spec.key,
        "strategy_sha256": spec.strategy_sha256,
        "tape_sha256": spec.tape_sha256,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "scipy": scipy.__version__,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        **laps,
        "wall_seconds": seconds,
        "prints_per_second": len(tape) / seconds,
    }


def jsonable(value: Any) -> Any:
    """Return values of a result with None for NaN, which JSON has no word for."""
    if isinstance(value, dict):
        return {key: jsonable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [jsonable(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
