"""A section of a result, declared once: what it computes, and the tables, charts and notes of every renderer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from scalpr_zen.base.arrays import Array, Bools
from scalpr_zen.base.params import Parameter
from scalpr_zen.data.tape import Tape
from scalpr_zen.render.figure import Chart
from scalpr_zen.render.table import Block
from scalpr_zen.simulation.rules import counted_dates
from scalpr_zen.simulation.simulate import Orders, Simulation

if TYPE_CHECKING:
    from scalpr_zen.sections.setup import Setup

Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """What sections compute from: the tape, the parameters, and the trades that they gave.

    Attributes
    ----------
    strategy : str
        Name of its class.
    declared : sequence of (Parameter, value)
        Every parameter of the run.
    """

    tape: Tape
    strategy: str
    declared: Sequence[tuple[Parameter, Any]]
    setup: Setup
    orders: Orders
    simulation: Simulation

    @property
    def trades(self) -> Array:
        """Closed trades in order of their exit, array of TRADE, shape (n,)."""
        return self.simulation.trades

    @cached_property
    def counted(self) -> Bools:
        """Which session dates count in the by-day statistics, shape (session dates,)."""
        return counted_dates(self.tape, self.setup.rules)


def _nothing(_: Any, __: Any) -> Iterable[Any]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Section:
    """One section of a result. A file in this folder that declares SECTION adds it to every output.

    Attributes
    ----------
    name : str
        Its key in the JSON, and its path in the dashboard: /api/section/<name>.
    order : int
        Its place in the report.
    compute : callable
        (run, values of the sections it needs) to plain data; undefined values are NaN.
    fields : mapping
        The sentence of every key of its data, by path: `rows[].net_usd`, `percentiles.*`; "" is the section itself.
    title, sentence : str
        Of its part of the report; a section without a title is data only.
    needs : tuple of str
        Sections whose values `compute` reads.
    later : bool
        Whether it is slow, so that the dashboard shows the run before this section is ready.
    groups : tuple of str
        Parameter groups of the setup on which the values of a slow section depend, besides the strategy's parameters.
    blocks, notes : callable
        (run, values of all sections so far) to its tables and sentences, and to what a trader should know first.
    charts : tuple of Chart
    notes_first : bool
        Whether its notes come before those of all other sections.
    line : callable
        Its one line of the screen, from all values; `label` is what stands before it.
    """

    name: str
    order: int
    compute: Callable[[Run, Values], Any]
    fields: Mapping[str, str]
    title: str = ""
    sentence: str = ""
    needs: tuple[str, ...] = ()
    later: bool = False
    groups: tuple[str, ...] = ("bracket", "execution", "rules")
    blocks: Callable[[Run, Values], Iterable[Block]] = _nothing
    notes: Callable[[Run, Values], Iterable[str]] = _nothing
    notes_first: bool = False
    charts: tuple[Chart, ...] = ()
    line: Callable[[Values], str] | None = None
    label: str = ""
