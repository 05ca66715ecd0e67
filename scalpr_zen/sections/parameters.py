"""The parameters of a run, and what a trader should know about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scalpr_zen.base.units import distance_text
from scalpr_zen.render.table import Block, Column, Row, Table, Words
from scalpr_zen.sections.reach import out_of_reach
from scalpr_zen.sections.section import Run, Section, Values

_COLUMNS = (Column("parameter", "text"), Column("value", "text"), Column("", "text"), Column("meaning", "text"))


def _compute(run: Run, _: Values) -> dict[str, Any]:
    values = {parameter.name: value for parameter, value in run.declared}
    values["point_value"] = run.setup.execution.point_value or run.tape.instrument.point_value
    return {"strategy": run.strategy, **values}


def _blocks(run: Run, values: Values) -> Iterator[Block]:
    used, tick_size = values["parameters"], values["tape"]["tick_size"]
    rows = []
    for parameter, value in run.declared:
        shown = used[parameter.name]
        if shown is not None:
            text = distance_text(shown, tick_size) if parameter.distance else f"{shown} {parameter.unit}".rstrip()
            mark = "default" if value == parameter.default else "given"
            rows.append(Row((parameter.name, text, mark, parameter.sentence), key=parameter.name))
    yield Table(_COLUMNS, rows)
    none = ", ".join(parameter.name for parameter, _ in run.declared if used[parameter.name] is None)
    yield Words([f"none, the default: {none}"] if none else [])


def _notes(run: Run, values: Values) -> Iterator[str]:
    """Give a sentence for each choice that makes fills or costs better, or the money different, than a trader's."""
    parameters, own_point_value = values["parameters"], values["tape"]["point_value"]
    if parameters["entry"] == "signal":
        yield "OPTIMISTIC entry=signal: an entry fills at the signal's own print, inside its event"
    if parameters["stop_fill"] == "level":
        yield (
            "OPTIMISTIC stop_fill=level: a stop fills at its price, though the market may have gapped beyond it, or "
            "have left it before a moved stop arrived"
        )
    if parameters["stop_fill"] == "trigger":
        yield "stop_fill=trigger: a stop fills at the price of the very print that triggered it"
    if parameters["target_fill"] == "touch":
        yield "target_fill=touch: a take profit fills at the first print at its price, as if first in the queue"
    if parameters["target_fill"] == "queue":
        yield (
            f"target_fill=queue: {parameters['queue_ahead']:,} contracts ahead are assumed, and half the size of "
            "prints without an aggressor counts"
        )
    if parameters["roll_exit"] == "close":
        yield "roll_exit=close: a trade is closed at its segment's last print, which nobody knows to be the last"
    if parameters["latency_ms"] == 0:
        yield "latency_ms=0: an order reaches the exchange before the next event"
    if parameters["overlap"]:
        yield "overlap: every signal is traded on its own; no account can hold these trades one by one"
    if parameters["point_value"] != own_point_value:
        yield f"point_value is {parameters['point_value']:g} USD, the contract's own is {own_point_value:g}"
    if parameters["contracts"] != 1:
        sized = "only a target in a queue looks" if parameters["target_fill"] == "queue" else "no fill looks"
        yield f"contracts={parameters['contracts']}: buy & hold is one contract; {sized} at the size of a print"
    if parameters["slippage_ticks"] == 0:
        yield "slippage_ticks=0: a market order fills at the price of the next print, on either side of the spread"
    yield from out_of_reach(run.tape, run.setup)


SECTION = Section(
    name="parameters",
    order=100,
    title="Parameters",
    compute=_compute,
    blocks=_blocks,
    notes=_notes,
    fields={
        "strategy": "name of the strategy's class",
        "*": "value of the parameter of that name in its unit (docs/parameters.md); null where it is none",
    },
)
