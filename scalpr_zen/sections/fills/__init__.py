"""Fills: the run under every fill model and set of costs, and what the prints show of its own fills."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scalpr_zen.render.figure import HOLD, LOSS, STRATEGY, Chart, Figure, noted
from scalpr_zen.render.table import Block, Column, Row, Table, Words
from scalpr_zen.render.text import Values, counted, number
from scalpr_zen.sections.fills.models import COSTS, PERCENTILES, alone, fills, inside_share
from scalpr_zen.sections.section import Run, Section

__all__ = ["SECTION", "alone", "fills", "inside_share"]

SLIPPAGE = {
    "entry": "entry, against the signal's print",
    "stop_trigger": "stop at its trigger, against its price",
    "stop_next": "stop at the next event, against its price",
}
"""What is measured, and against what."""
SAME_EVENT = {
    "entry_target": "later prints of the entry's event reached the target: only entry=signal may exit there",
    "entry_stop": "later prints of the entry's event reached the stop: only entry=signal may exit there",
    "target_first": "the exit's event reached both, the target first: the target filled",
    "stop_first": "the exit's event reached both, the stop first: the stop filled",
    "entry_exit": "entry and exit in one event, which entry=signal allows",
}
"""What the order of prints inside an event could have decided, and how the rules resolved it."""
NO_WINNER_OF_A_STOP = "no winning trade depends on it, because a fixed stop never closes a winner"
TARGETS = {
    "touch": "the first print at its price",
    "through": "a print beyond its price",
    "queue": "its turn in the queue",
}
STOPS = {"trigger": "the print that triggers it", "level": "its own price", "next": "the next event"}
"""Where take profits and stops fill."""


# Tables ------------------------------------------------------------------------------------------------


def _blocks(_: Run, values: Values) -> Iterator[Block]:
    found, parameters = values["fills"], values["parameters"]
    if not found:
        yield Words(["n/a"])
        return
    yield _models(found["table"])
    yield Words([*_how(found["table"], parameters), *_open(found, parameters)])
    yield _slippage(found["slippage"], values["tape"]["tick_value"])
    yield Words(["spread: share of fills that did not pay the spread, at a print of the other side"])
    counts = found["same_event"]
    rows = [Row((counts[key], words), key=key) for key, words in SAME_EVENT.items()]
    title = f"Entry, target and stop within one event, of {counted(counts['trades'], 'trade')}"
    yield Table((Column("trades"), Column("", "text")), rows, title=title)


def _models(table: Sequence[Values]) -> Table:
    nets = (Column(f"net P&L, costs {costs}", "usd", signed=True) for costs in COSTS)
    rates = (Column("trades"), Column("win rate", "share"), Column("profit factor"), Column("break-even cost", "usd"))
    rows = []
    for target, stop in dict.fromkeys((row["target_fill"], row["stop_fill"]) for row in table):
        by_costs = {row["costs"]: row for row in table if (row["target_fill"], row["stop_fill"]) == (target, stop)}
        row = by_costs["set"]
        own = (row["trades"], row["win_rate"], row["profit_factor"], row["break_even_cost_usd"])
        cells = (target, stop, *(by_costs[costs]["net_usd"] for costs in COSTS), *own)
        rows.append(Row(cells, key=f"{target} {stop}", own=row["this_run"]))
    return Table((Column("take profit", "text"), Column("stop", "text"), *nets, *rates), rows)


def _how(table: Sequence[Values], parameters: Values) -> Iterator[str]:
    targets, stops = ("; ".join(f"{name}: {where}" for name, where in places.items()) for places in (TARGETS, STOPS))
    yield f"a take profit fills at {targets} behind {parameters['queue_ahead']:,} contracts"
    yield f"a stop fills at {stops}"
    costs = (
        f"{row['costs']} {number(row['commission'], 'usd')} + {counted(row['slippage_ticks'], 'tick')}"
        for row in table[:3]
    )
    yield f"costs: {', '.join(costs)} (per contract and side; per market or stop fill)"
    yield "from 'trades' on, the columns are at the costs as set; the JSON has them for all costs"


def _costs(row: Values) -> str:
    return f"{row['costs']} {number(row['commission'], 'usd')} + {counted(row['slippage_ticks'], 'tick')}"


def _open(found: Values, parameters: Values) -> Iterator[str]:
    """Give what the table leaves open: entries that look ahead, limits, and winners of the optimistic fills."""
    if found["entry_next"]:
        own = next(row["net_usd"] for row in found["entry_next"] if model(row) == model(parameters))
        ends = net_range([(model(row), row["net_usd"]) for row in found["entry_next"]])
        yield f"entry=next, which does not look inside an event: {number(own, 'usd')} with this run's fills, {ends}"
    if parameters["loss_limit"] is not None or parameters["profit_limit"] is not None:
        yield (
            "session limits depend on fills and costs: each row may trade different signals, so a higher cost can even "
            "raise its net P&L"
        )
    moves = parameters["trailing_stop"] is not None or parameters["break_even_at"] is not None
    for row in found["optimistic"]:
        if row["rule"] == "stop_fill" and not moves:
            continue
        rule, optimistic, conservative = row["rule"], row["optimistic"], row["conservative"]
        wins = f"{row['lost']:,} of the {row['wins']:,} winning trades ({number(row['share'], 'share')})"
        less = f"with {conservative} the winners earn {number(row['less_usd'], 'usd')} less in total"
        yield f"{rule} {optimistic} against {conservative}: {wins} win only with {optimistic}; {less}"
    if not moves:
        yield f"stop_fill: {NO_WINNER_OF_A_STOP}"


def _slippage(measured: Values, tick_value: float) -> Table:
    percentiles = (Column(f"{rank}%") for rank in PERCENTILES)
    columns = (
        Column("", "text"),
        Column("trades"),
        Column("mean"),
        Column("mean, USD", "usd"),
        *percentiles,
        Column("worst"),
        Column("spread", "share"),
    )
    rows = []
    for key, label in SLIPPAGE.items():
        row = measured[key]
        mean = row["mean_ticks"]
        usd = None if mean is None else mean * tick_value
        cells = (row["trades"], mean, usd, *row["percentiles"].values(), row["worst_ticks"], row["inside_share"])
        rows.append(Row((label, *cells), key=key))
    return Table(columns, rows, title="Measured slippage in ticks, before slippage_ticks")


# The range over the fill models ------------------------------------------------------------------------


def fill_range(values: Values) -> str:
    """Return the least and the largest net P&L under the fill models, at the costs that are set; empty without any."""
    found = values["fills"]
    models = [(model(row), row) for row in found.get("table", ()) if row["costs"] == "set"]
    models += [(f"entry=next, {model(row)}", row) for row in found.get("entry_next", ())]
    traded = [(model, row["net_usd"]) for model, row in models if row["trades"]]
    return net_range(traded) if traded else ""


def model(row: Values) -> str:
    """Return the fill model of a row of the fill table."""
    return f"{row['target_fill']}, {row['stop_fill']}"


def net_range(nets: Sequence[tuple[str, float]]) -> str:
    """Return the least and the largest of some net P&Ls with their names."""
    ends = (choose(nets, key=lambda net: net[1]) for choose in (min, max))
    return " to ".join(f"{number(usd, 'usd')} ({name})" for name, usd in ends)


def _notes(_: Run, values: Values) -> Iterator[str]:
    if ends := fill_range(values):
        yield f"the fill model alone moves the net P&L from {ends}: see FILLS"


# Chart -------------------------------------------------------------------------------------------------


def slippage(values: Values) -> Figure:
    """Histograms of measured slippage."""
    measured = values["fills"].get("slippage", {})
    data = []
    for key, name, colour, dash, axis in (
        ("entry", "entry", STRATEGY, "solid", "y"),
        ("stop_next", "stop, next event", LOSS, "dash", "y"),
        ("stop_trigger", "stop, triggering print", HOLD, "solid", "y2"),
    ):
        bins = measured.get(key)
        if bins and bins["trades"]:
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": name,
                    "yaxis": axis,
                    "x": bins["ticks"],
                    "y": [count / bins["trades"] for count in bins["counts"]],
                    "customdata": bins["counts"],
                    "hovertemplate": "%{y:.2%}, %{customdata:,d} trades",
                    "line": {"color": colour, "width": 1.6, "dash": dash, "shape": "hvh"},
                }
            )
    shares = {"tickformat": ".0%", "rangemode": "tozero", "automargin": True, "nticks": 5}
    layout = {
        "hovermode": "x unified",
        "xaxis": {"title": {"text": "ticks lost (outermost: and beyond)"}, "tickformat": ",~f", "anchor": "y2"},
        "yaxis": {**shares, "domain": [0.42, 1], "title": {"text": "trades"}},
        "yaxis2": {**shares, "domain": [0, 0.34], "title": {"text": "trades"}},
    }
    return noted({"data": data, "layout": layout}, bool(data))


def _compute(run: Run, _: Values) -> dict[str, Any]:
    return fills(run.tape, run.orders, run.simulation, run.setup)


_ROW = {
    "target_fill": "fill rule of take profits",
    "stop_fill": "fill rule of stops",
    "costs": "set of costs: zero, set, pessimistic",
    "commission": "USD per contract and side",
    "slippage_ticks": "ticks lost by a market or stop fill",
    "this_run": "whether it is the run itself",
    "net_usd": "net P&L in USD",
    "trades": "closed trades",
    "win_rate": "wins / trades",
    "profit_factor": "sum of wins / abs(sum of losses)",
    "break_even_cost_usd": "cost of a round turn in USD at which the net P&L is zero",
}
_MEASURED = {
    "trades": "trades that are measured",
    "mean_ticks": "mean of the ticks lost",
    "worst_ticks": "most ticks lost",
    "percentiles.*": "ticks lost below which this percentage of the trades lies",
    "ticks[]": "ticks lost, a bin each; the outermost hold all beyond",
    "counts[]": "trades of each bin",
    "inside_share": "share of fills at prints of the other side, of those whose aggressor is known",
}

SECTION = Section(
    name="fills",
    order=30,
    title="Fills",
    sentence="this run under every fill model and set of costs; * = this run",
    later=True,
    groups=("bracket", "execution", "rules", "pessimistic"),
    compute=_compute,
    blocks=_blocks,
    notes=_notes,
    label="fill models",
    line=lambda values: fill_range(values) or "n/a",
    charts=(
        Chart(
            "slippage",
            "Measured slippage",
            "Ticks that entries and stops lost against the print or price that triggered them; shares of the trades.",
            slippage,
        ),
    ),
    fields={
        **{f"table[].{key}": sentence for key, sentence in _ROW.items()},
        "entry_next": "the rows of the set costs under entry=next; empty unless the run has entry=signal",
        **{f"entry_next[].{key}": sentence for key, sentence in _ROW.items()},
        "optimistic[].rule": "rule of fills",
        "optimistic[].optimistic": "its optimistic value",
        "optimistic[].conservative": "its conservative value",
        "optimistic[].wins": "trades that win under the optimistic one",
        "optimistic[].lost": "of these, those that do not win under the conservative one, traded alone",
        "optimistic[].share": "lost / wins",
        "optimistic[].less_usd": "USD that all of them earn less there",
        **{f"slippage.{name}.{key}": sentence for name in SLIPPAGE for key, sentence in _MEASURED.items()},
        "same_event.trades": "closed trades",
        **{f"same_event.{key}": sentence for key, sentence in SAME_EVENT.items()},
    },
)
