"""Random entries: where the strategy stands among runs whose entries are drawn at random."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from scalpr_zen.render.figure import HOLD, STRATEGY, USD, USD_TEXT, Chart, Figure, corner, dollars, noted
from scalpr_zen.render.table import Block, Column, Row, Table, Words
from scalpr_zen.render.text import Values, number
from scalpr_zen.sections.random_entries.draws import PERCENTILES, random_entries
from scalpr_zen.sections.section import Run, Section

__all__ = ["SECTION", "random_entries"]

_NOTABLE_SHARE = 0.05
"""How far the share of entries at prints of the other side must exceed that of random ones for a note."""


# Tables ------------------------------------------------------------------------------------------------


def _blocks(_: Run, values: Values) -> Iterator[Block]:
    entries, statistics, parameters = values["random_entries"], values["statistics"], values["parameters"]
    if not entries:
        yield Words(
            [
                f"n/a: {statistics['trades']:,} trades, random_entry_sims={parameters['random_entry_sims']}, "
                f"limit_basis={parameters['limit_basis']}, overlap={parameters['overlap']}. It needs trades and runs; "
                "limits on open P&L depend on the session's other trades, and trades that overlap share their prints."
            ]
        )
        return
    yield Words([f"{entries['sims']:,} runs; {drawn_from(entries)}"])
    columns = (Column("net P&L", "text"), Column("mean", "usd"), Column("deviation", "usd"))
    percentiles = [Column(f"{p}%", "usd") for p in PERCENTILES]
    row = Row(("random runs", entries["mean_usd"], entries["sd_usd"], *entries["percentiles_usd"].values()))
    yield Table((*columns, *percentiles), [row])
    yield Words(list(_findings(entries, values)))


def _findings(entries: Values, values: Values) -> Iterator[str]:
    own, drawn = (number(entries[name], "usd") for name in ("strategy_trade_sd_usd", "trade_sd_usd"))
    yield f"standard deviation of a trade {own}, of a random entry {drawn}: each run is ranked in units of its own"
    yield f"net P&L {number(entries['strategy_usd'], 'usd')}: {rank(entries)}"
    t, p = (
        number(values["statistics"][f"{name}_by_day"], unit) for name, unit in (("t_statistic", ""), ("p_value", "p"))
    )
    yield f"the t-statistic by day answers another question, whether the mean differs from zero: {t}, two-sided p {p}"
    if values["parameters"]["entry"] == "signal":
        yield "entry=signal looks inside the signal's event, random entries do not: this is no evidence of an edge"
    own, drawn = entries["strategy_inside_share"], entries["inside_share"]
    shares = f"{number(own, 'share')} of the strategy's, {number(drawn, 'share')} of the random ones"
    undefined = own is None or drawn is None or math.isnan(own - drawn)
    known = (
        "n/a, no aggressor is known"
        if undefined
        else f"{shares}; at one tick each the difference is {number(_ticks_usd(own - drawn, values), 'usd')}"
    )
    yield f"entries that did not pay the spread: {known}"


def drawn_from(entries: Values) -> str:
    """Return what the random runs draw from, in words."""
    if entries["method"] == "exact":
        return "exact: the result of an entry at every print is known, and the runs draw from all of them"
    return (
        f"sampled: {entries['pool']:,} random entries were traded for each of the strategy's; the runs draw from these"
    )


def rank(entries: Values) -> str:
    """Return where the strategy stands among random runs, in words."""
    if not entries:
        return "n/a"
    if entries["reason"]:
        return f"no p-value, as {entries['reason']}"
    above = f"above {number(entries['percentile'], 'share')} of the random runs"
    return f"{above}; p-value {number(entries['p_value'], 'p')}, one-sided"


def _ticks_usd(share: float, values: Values) -> float:
    """Return what one tick is worth on a share of the trades."""
    contracts = values["parameters"]["contracts"]
    return float(share * values["statistics"]["trades"] * values["tape"]["tick_value"] * contracts)


def _notes(_: Run, values: Values) -> Iterator[str]:
    entries = values["random_entries"]
    unpaid = entries.get("strategy_inside_share", 0.0) - entries.get("inside_share", 0.0)
    if unpaid >= _NOTABLE_SHARE and not values["parameters"]["slippage_ticks"]:
        own, drawn = (number(entries[name], "share") for name in ("strategy_inside_share", "inside_share"))
        yield (
            f"{own} of the entries do not pay the spread, {drawn} of random ones: at one tick each "
            f"{number(_ticks_usd(unpaid, values), 'usd')} of the net P&L is a spread that was not paid"
        )


# Chart -------------------------------------------------------------------------------------------------


def histogram(result: Values) -> Figure:
    """Net P&L of the random runs and of the strategy."""
    entries = result["random_entries"]
    if not entries:
        return noted({"data": [], "layout": {}}, False, "no random entries")
    edges, runs, own = entries["histogram"]["edges_usd"], entries["histogram"]["runs"], entries["strategy_usd"]
    limits = list(pairwise(edges))
    bars = {
        "type": "bar",
        "name": "random entries",
        "x": [(low + high) / 2 for low, high in limits],
        "width": [high - low for low, high in limits],
        "y": runs,
        "customdata": [f"{dollars(low)} to {dollars(high)}" for low, high in limits],
        "hovertemplate": "%{customdata}: %{y:,d} runs<extra></extra>",
        "marker": {"color": HOLD},
    }
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": f"strategy {dollars(own)}",
        "x": [own, own],
        "y": [0, max(runs)],
        "line": {"color": STRATEGY, "width": 2.4},
        "hovertemplate": "%{x:" + USD_TEXT + "}",
    }
    axes = {
        "xaxis": {"title": {"text": "net P&L"}, "tickformat": USD},
        "yaxis": {"title": {"text": "runs"}, "tickformat": ",~f"},
    }
    rank, p = number(entries["percentile"], "share"), number(entries["p_value"], "p")
    note = corner("no p-value" if entries["reason"] else f"above {rank} of the runs, p {p}")
    return {"data": [bars, line], "layout": {**axes, "bargap": 0, "annotations": [note]}}


def _compute(run: Run, _: Values) -> dict[str, Any]:
    return random_entries(run.tape, run.trades, run.setup, run.simulation.unclosed)


SECTION = Section(
    name="random_entries",
    order=40,
    title="Random entries",
    sentence="same bracket, costs, sides and hours of the day; each on its own: no cooldown and no limits",
    later=True,
    groups=("bracket", "execution", "rules", "settings"),
    compute=_compute,
    blocks=_blocks,
    notes=_notes,
    label="random entries",
    line=lambda values: rank(values["random_entries"]),
    charts=(
        Chart(
            "random_entries",
            "Random entries",
            "Net P&L of runs of random entries with the same bracket, costs and hours, and that of the strategy.",
            histogram,
        ),
    ),
    fields={
        "sims": "random runs",
        "method": "exact, where the result of an entry at every print is known; else sampled",
        "pool": "random entries that were traded for each of the strategy's; null where the method is exact",
        "strategy_usd": "net P&L of the strategy in USD",
        "mean_usd": "mean net P&L of the random runs in USD",
        "sd_usd": "its sample standard deviation",
        "percentiles_usd.*": "net P&L in USD below which this percentage of the random runs lies",
        "histogram.edges_usd[]": "edges of the bins of their net P&L in USD",
        "histogram.runs[]": "random runs in each bin",
        "strategy_trade_sd_usd": "standard deviation of a trade of the strategy in USD",
        "trade_sd_usd": "standard deviation of a random entry in USD",
        "freedom": "variance of the score of the strategy without an edge, as a share of that of independent entries",
        "percentile": "share of the random runs with a score below the strategy's, ties half",
        "p_value": "(1 + random runs with a score at or above it) / (1 + random runs), one-sided",
        "reason": "why there is no p-value; empty where there is one",
        "strategy_inside_share": "share of the strategy's entries at prints of the other side, aggressor known",
        "inside_share": "the same of the random entries",
    },
)
