"""One backtest: tape, strategy and setup to a Result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.arrays import Array
from scalpr_zen.base.engine import alongside, run_all
from scalpr_zen.base.money import MOST, check_sum, micro, total
from scalpr_zen.data.tape import Tape
from scalpr_zen.runs.manifest import Watch, manifest
from scalpr_zen.runs.result import Result, notes
from scalpr_zen.runs.spec import RunSpec, all_parameters
from scalpr_zen.sections import sections
from scalpr_zen.sections.measures import special
from scalpr_zen.sections.monte_carlo import MonteCarlo
from scalpr_zen.sections.prop_firm import PropFirm
from scalpr_zen.sections.section import Run
from scalpr_zen.sections.setup import Setup
from scalpr_zen.simulation.execution import Bracket, Execution, PessimisticCosts
from scalpr_zen.simulation.rules import SessionRules
from scalpr_zen.simulation.simulate import Orders, Simulation, largest_result, orders, trade
from scalpr_zen.strategies.user_code import signals_of


class Strategy(Protocol):
    """Any object that gives one signal per print."""

    def signals(self, tape: Tape) -> NDArray[np.int8]:
        """Return +1 long, -1 short, 0 none for each print, from that print and earlier ones alone."""


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
        Rules of the prop firm's evaluation.

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


def run_setup(
    tape: Tape, strategy: Strategy, setup: Setup, *, progress: Callable[[int, int], None] | None = None
) -> Result:
    """Run one backtest as `run` does, with all its parameters in one object.

    `progress` is called with the number of stages done and their total.
    """
    result, made = run_trades(tape, strategy, setup), {}
    later = [section.name for section in sections().values() if section.later]
    for done, name in enumerate(later, start=1):
        if progress is not None:
            progress(done, 1 + len(later))
        made[name] = computed(result, name)
    return result.having(made)


def run_trades(
    tape: Tape,
    strategy: Strategy,
    setup: Setup,
    *,
    wanted: Orders | None = None,
    simulation: Simulation | None = None,
    took: Mapping[str, float] | None = None,
) -> Result:
    """Run one backtest as `run` does, but leave the slow sections empty.

    Parameters
    ----------
    tape, strategy
        As in `run`.
    setup : Setup
        All parameters but the strategy's.
    wanted : Orders, optional
        The strategy's signals under these rules, if they are known already.
    simulation : Simulation, optional
        Its trades, if they are known already.
    took : mapping, optional
        Seconds of the stages `signals` and `simulation`, where this run had them made.
    """
    spec, declared = RunSpec.of(tape, strategy, setup), all_parameters(strategy, setup)
    started, watch = datetime.now(UTC), Watch()
    watch.seconds |= {"signals": 0.0, "simulation": 0.0} | dict(took or {})
    with alongside(special):  # it is needed next, and kernels leave the interpreter free
        if wanted is None:
            signals = signals_of(strategy, tape)
            watch.lap("signals")
            wanted = orders(tape, signals, setup.rules)
        if simulation is None:
            simulation = trade(tape, wanted, setup.bracket, setup.execution, setup.rules)
            watch.lap("simulation")
    _check_money(simulation.trades, tape, setup)
    name = type(strategy).__name__
    run = Run(tape=tape, strategy=name, declared=declared, setup=setup, orders=wanted, simulation=simulation)
    values = _quick_sections(run)
    values["notes"] = notes(run, values)
    watch.lap("statistics")
    values["manifest"] = manifest(spec, tape, started, watch.seconds)
    return Result(spec=spec, run=run, values=values)


def _quick_sections(run: Run) -> dict[str, Any]:
    """Return the data of every section, empty for the slow ones; sections that need no other are computed together."""
    made: dict[str, Any] = {section.name: {} for section in sections().values() if section.later}
    while waiting := [section for section in sections().values() if section.name not in made]:
        ready = [section for section in waiting if all(name in made for name in section.needs)]
        needed = [_needed(section.needs, made) for section in ready]
        found = run_all(lambda section, values: section.compute(run, values), ready, needed)
        made |= zip((section.name for section in ready), found, strict=True)
    return {name: made[name] for name in sections()}


def computed(result: Result, name: str) -> tuple[Any, float]:
    """Return the data of a section of a run, and the seconds that it took."""
    watch, section = Watch(), sections()[name]
    data = section.compute(result.run, _needed(section.needs, result.values))
    watch.lap(name)
    return data, watch.seconds[name]


def _needed(names: Iterable[str], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in names}


def _check_money(trades: Array, tape: Tape, setup: Setup) -> None:
    """Refuse a run of which some section may add more money than can be counted.

    No path is longer than the largest session date, drawn as often as a path of Monte Carlo or of the prop firm has
    dates. Within a date an equity moves by its trades, and by two that are open over its start and its end.
    """
    dates = max(len(tape.sessions), setup.firm.prop_days)
    amounts = np.abs(micro(trades["net_usd"]))
    largest = largest_result(tape, setup.execution, tape.session_range)
    closed = total(amounts)
    if dates * (closed + 2 * largest) > MOST:  # add the trades of each date only where their sum over all is too much
        bounds = np.searchsorted(trades["session"], np.arange(len(tape.sessions) + 1)).tolist()
        closed = max((total(amounts[a:b]) for a, b in pairwise(bounds)), default=0)
    check_sum(dates * (closed + 2 * largest))
