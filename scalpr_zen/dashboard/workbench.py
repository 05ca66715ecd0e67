"""The runs of a dashboard: one tape, and every run of it made once, however many requests ask for it.

Signals are kept for each strategy, results for each set of parameters. Runs wait for their turn, because each of
them uses all cores, and one that nobody waits for any more is dropped.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.engine import Engine, cores
from scalpr_zen.base.errors import ParameterError, ScalprError
from scalpr_zen.base.params import Parameter, declared
from scalpr_zen.data.tape import Tape
from scalpr_zen.render.text import number as text_of
from scalpr_zen.runs.backtest import computed, run_trades
from scalpr_zen.runs.result import Result
from scalpr_zen.runs.spec import RunSpec, make_run
from scalpr_zen.sections import sections
from scalpr_zen.sections.prop_firm import rule_set
from scalpr_zen.sections.setup import GROUPS, Setup
from scalpr_zen.sections.statistics import STATISTICS
from scalpr_zen.simulation.simulate import Orders, Simulation, orders, priced, same_trades, trade
from scalpr_zen.strategies.user_code import refuse_taken, signals_of

T = TypeVar("T")
ClientGone = Callable[[], bool]
"""Tells whether the client that asked has left."""

BYTES_KEPT = 400_000_000
"""Bytes of each shelf: signals of four strategies over a year, or some twenty results of 200,000 trades."""
SIMULATION_BYTES = 100_000_000
"""Bytes of the trades that runs with other costs can share: those of some five results."""
SECTION_BYTES = 2_000_000
"""What a section that takes long weighs, about."""
RUNS_LISTED = 200


class Dropped(Exception):
    """Nobody waits for this any more."""


class Replaced(ScalprError):
    """The tape's file is no longer the one that was opened."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run to be made; jobs of equal specs have equal results."""

    spec: RunSpec
    strategy: Any = field(compare=False)
    setup: Setup = field(compare=False)

    @property
    def signals_key(self) -> tuple[Any, ...]:
        """What decides the signals: the strategy's own parameters."""
        return tuple(getattr(self.strategy, p.name) for p in declared(type(self.strategy)))


class SingleFlight(Generic[T]):
    """A cache of the latest results; if several callers want the same one at once, one makes it and all get it.

    Parameters
    ----------
    weigh : callable
        Size of a result in bytes; the oldest are dropped when all exceed `limit`, and the latest always stays.
    limit : int
    """

    def __init__(self, weigh: Callable[[T], int], limit: int = BYTES_KEPT) -> None:
        self._weigh, self._limit = weigh, limit
        self._lock = threading.Lock()
        self._made: OrderedDict[Hashable, tuple[Future[T], list[ClientGone]]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[ClientGone], T], gone: ClientGone) -> T:
        """Return what `make(unwanted)` gave for this key; it raises Dropped where `unwanted()` is true.

        Raises
        ------
        Dropped
            If every caller has left.
        Exception
            Whatever `make` raises; it is not kept.
        """
        with self._lock:
            mine = key not in self._made
            future, callers = self._made.setdefault(key, (Future(), []))
            if not future.done():
                callers.append(gone)
            self._made.move_to_end(key)
        if mine:
            self._make(key, make, future, callers)
        return future.result()

    def _make(
        self, key: Hashable, make: Callable[[ClientGone], T], future: Future[T], callers: list[ClientGone]
    ) -> None:
        def unwanted() -> bool:
            with self._lock:
                left = all(gone() for gone in callers)
                if left:  # whoever asks from now on begins anew
                    self._made.pop(key, None)
                return left

        try:
            future.set_result(make(unwanted))
        except BaseException as error:
            with self._lock:
                if self._made.get(key, (None,))[0] is future:
                    del self._made[key]
            future.set_exception(error)
        with self._lock:
            callers.clear()
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        left = self._limit
        for name, (future, _) in reversed(list(self._made.items())):
            if future.done():
                weight = self._weigh(future.result())
                if weight > left and left < self._limit:
                    del self._made[name]
                left -= weight


class Workbench:
    """One tape and the runs of it.

    Parameters
    ----------
    path : Path
        The tape.
    strategy : type
        Class with `signals(tape)`; its declared parameters are part of every job.
    prop_firm : str
        A file of a firm's rules that jobs may name too; a job cannot name another file.

    Raises
    ------
    TapeError
        If the file is not a tape.
    ParameterError
        If a parameter of the strategy has the name of one of the run's, or the rules of the firm are wrong.
    """

    def __init__(self, path: Path, strategy: type[Any], prop_firm: str = "") -> None:
        if prop_firm and not prop_firm.lower().endswith(".toml"):
            raise ParameterError(f"prop_firm of a dashboard must be a .toml file of your own, was {prop_firm!r}")
        if prop_firm:
            rule_set(prop_firm)
        self.path, self._files = path, [prop_firm] if prop_firm else []
        self._identity = _identity(path)
        self.tape = Tape.open(path)
        self.groups: dict[str, type[Any]] = {"strategy": strategy, **GROUPS}
        refuse_taken(strategy, [p.name for group in GROUPS.values() for p in declared(group)])
        self.runs: dict[Job, dict[str, Any]] = {}
        self._turn, self._later_turn, self._listing = threading.Lock(), threading.Lock(), threading.Lock()
        self._signals: SingleFlight[NDArray[np.int8]] = SingleFlight(lambda signals: signals.nbytes)
        self._orders: SingleFlight[Orders] = SingleFlight(lambda wanted: wanted.at.nbytes + wanted.side.nbytes)
        self._simulations: SingleFlight[Simulation] = SingleFlight(_bytes_of, SIMULATION_BYTES)
        self._results: SingleFlight[Result] = SingleFlight(_weight)
        self._later: SingleFlight[tuple[Any, float]] = SingleFlight(lambda _: SECTION_BYTES)

    def offered(self, parameter: Parameter) -> Parameter:
        """Return a parameter as requests may set it: the only files are those that the dashboard was started with."""
        return replace(parameter, choices=(*parameter.choices, *self._files), file="") if parameter.file else parameter

    def _value(self, parameter: Parameter, text: str) -> Any:
        value = parameter.parsed(text)
        return self.offered(parameter).checked(value) if parameter.file else value  # before the file is read

    def job(self, given: Mapping[str, str]) -> Job:
        """Return the job of parameters given as text; what is not given has its default.

        Raises
        ------
        ParameterError
            If a parameter is unknown, no value of its kind, or out of its range.
        """
        known = {p.name: p for group in self.groups.values() for p in declared(group)}
        values = {name: self._value(known[name], text) if name in known else text for name, text in given.items()}
        strategy, setup = make_run(self.groups["strategy"], values)
        return Job(spec=RunSpec.of(self.tape, strategy, setup), strategy=strategy, setup=setup)

    def result(self, job: Job, gone: ClientGone) -> Result:
        """Return the result of a job without the slow sections.

        Raises
        ------
        ScalprError
            If the job does not fit the tape, or the tape was replaced.
        Dropped
            If every client that asked has left.
        """
        self._check_tape()
        return self._results.get(job, lambda unwanted: self._run(job, unwanted), gone)

    def section(self, job: Job, name: str, gone: ClientGone) -> Result:
        """Return the result of a job with one of the slow sections; raises as `result` does.

        A section is cached by what it depends on, so no other change makes it anew.
        """
        result = self.result(job, gone)
        groups = tuple(getattr(job.setup, group) for group in sections()[name].groups)
        key = name, job.signals_key, groups, tuple(job.spec.contents.items())

        def make(unwanted: ClientGone) -> tuple[Any, float]:
            with self._later_turn:
                if unwanted():
                    raise Dropped
                with Engine(cores() - 1 or 1):  # one core stays free for the runs
                    return computed(result, name)

        return result.having({name: self._later.get(key, make, gone)})

    def whole(self, job: Job, gone: ClientGone) -> Result:
        """Return the result of a job with every section; raises as `result` does."""
        result = self.result(job, gone)
        for name, section in sections().items():
            if section.later:
                made = self.section(job, name, gone).values
                result = result.having({name: (made[name], made["manifest"]["seconds"][name])})
        return result

    def latest_runs(self) -> list[dict[str, Any]]:
        """Return what the list of runs shows of the latest ones, RUNS_LISTED at most, the first made first."""
        with self._listing:
            return list(self.runs.values())[-RUNS_LISTED:]

    def _run(self, job: Job, unwanted: ClientGone) -> Result:
        with self._turn:
            if unwanted():
                raise Dropped
            took: dict[str, float] = {}
            wanted = self._wanted(job, took)
            if unwanted():
                raise Dropped
            simulation = self._simulated(job, wanted, took)
            if unwanted():
                raise Dropped
            result = run_trades(self.tape, job.strategy, job.setup, wanted=wanted, simulation=simulation, took=took)
        with self._listing:
            self.runs.setdefault(job, _row(len(self.runs) + 1, result))
        return result

    def _wanted(self, job: Job, took: dict[str, float]) -> Orders:
        """Return the orders of a job: signals are made once per strategy, and filtered once for its rules.

        `took` gets the seconds of a stage that this job had made.
        """

        def signals(_: ClientGone) -> NDArray[np.int8]:
            began = time.perf_counter()
            found = signals_of(job.strategy, self.tape)
            took["signals"] = time.perf_counter() - began
            return found

        def sifted(_: ClientGone) -> Orders:
            return orders(self.tape, self._signals.get(job.signals_key, signals, lambda: False), job.setup.rules)

        return self._orders.get((job.signals_key, job.setup.rules), sifted, lambda: False)

    def _simulated(self, job: Job, wanted: Orders, took: dict[str, float]) -> Simulation:
        """Return the trades of a job; runs that differ in commission alone share them."""
        began = time.perf_counter()
        setup = job.setup
        key = job.signals_key, setup.bracket, same_trades(setup.execution, setup.rules), setup.rules

        def make(_: ClientGone) -> Simulation:
            return trade(self.tape, wanted, setup.bracket, setup.execution, setup.rules)

        made = priced(self._simulations.get(key, make, lambda: False), self.tape, setup.execution)
        took["simulation"] = time.perf_counter() - began
        return made

    def _check_tape(self) -> None:
        if _identity(self.path) != self._identity:
            raise Replaced(f"{self.path.name} was replaced or removed since it was opened: start the dashboard again")


def _bytes_of(made: Simulation) -> int:
    return int(made.trades.nbytes + made.triggers.nbytes + made.unclosed.nbytes)


def _weight(result: Result) -> int:
    wanted = result.run.orders
    return _bytes_of(result.run.simulation) + int(wanted.at.nbytes + wanted.side.nbytes)


def _identity(path: Path) -> tuple[int, int, int] | None:
    """Return what distinguishes a file from one that replaces it; None without a file."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_ino, about.st_size, about.st_mtime_ns


def _row(number: int, result: Result) -> dict[str, Any]:
    """Return one row of the list of runs: what was changed, and its figures with the text of each."""
    changed = {p.name: value for p, value in result.run.declared if value != p.default}
    units = {row.key: row.unit for row in STATISTICS if row.headline}
    values = {key: result.values["statistics"][key] for key in units}
    text = {key: text_of(values[key], unit) for key, unit in units.items()}
    return {
        "run": number,
        "changed": changed,
        "seconds": result.values["manifest"]["wall_seconds"],
        **values,
        "text": text,
    }
