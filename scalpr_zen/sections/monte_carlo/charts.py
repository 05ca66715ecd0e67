"""The charts of Monte Carlo."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, compress
from typing import Any

from scalpr_zen.render.figure import (
    BAND,
    HOLD,
    INNER,
    LOSS,
    STRATEGY,
    USD,
    USD_TEXT,
    Figure,
    axis,
    chart,
    corner,
    dollars,
    line,
    noted,
)
from scalpr_zen.render.text import Values, number
from scalpr_zen.sections.monte_carlo.paths import PROFITABLE, PROFITABLE_MEANS

ONE_TRADE = "one trade has only one order"
ONE_DATE = "drawing needs at least two session dates that count"


@chart(
    "Monte Carlo: trades permuted",
    "Equity of the trades in random order: the 5, 25, 50, 75 and 95 percentiles of the paths, and the actual one.",
)
def paths_permuted(result: Values) -> Figure:
    paths = result["monte_carlo"].get("permutation")
    if not paths:
        return _no_paths(result, ONE_TRADE)
    return _bands(paths["trade"], paths["bands_usd"], paths["actual_usd"], "trade")


@chart(
    "Monte Carlo: session dates drawn",
    "Equity of session dates drawn with replacement: the 5, 25, 50, 75 and 95 percentiles of the paths, and the "
    f"actual one. The share that ends with a profit is {PROFITABLE_MEANS}.",
)
def paths_of_days(result: Values) -> Figure:
    paths = result["monte_carlo"].get("days")
    if not paths:
        return _no_paths(result, ONE_DATE)
    by_day = result["series"]["by_day"]
    equity = [0.0, *accumulate(compress(by_day["net_usd"], by_day["counted"]))]
    actual = [equity[k] for k in paths["session_date"]]
    figure = _bands(paths["session_date"], paths["bands_usd"], actual, "session dates")
    figure["layout"]["annotations"] = [
        corner(f"{number(paths['profitable_share'], 'share')} {PROFITABLE}, about one minus a one-sided p-value")
    ]
    return figure


def _bands(x: Sequence[int], bands: Values, actual: Sequence[float], title: str) -> Figure:
    hover = f"%{{y:{USD_TEXT}}}"
    outer, inner = {"fill": "tonexty", "fillcolor": BAND}, {"fill": "tonexty", "fillcolor": INNER}
    middle = {"color": STRATEGY, "width": 1, "dash": "dash"}

    def edge(percentile: str, **more: Any) -> Figure:
        return line(f"{percentile}%", x, bands[percentile], {"width": 0}, hover, showlegend=False, **more)

    data = [
        edge("5"),
        edge("25", **outer),
        line("median", x, bands["50"], middle, hover, showlegend=True, **inner),
        edge("75", **inner),
        edge("95", **outer),
        line("actual", x, actual, {"color": LOSS, "width": 1.6}, hover),
    ]
    axes = {"xaxis": axis(title, tickformat=",~f"), "yaxis": axis("net P&L", tickformat=USD)}
    return {"data": data, "layout": {**axes, "hovermode": "x unified"}}


@chart("Monte Carlo: max drawdown", "Max drawdown of the paths of both methods, and the actual one.")
def drawdowns(result: Values) -> Figure:
    paths = result["monte_carlo"]
    if not paths.get("permutation") and not paths.get("days"):
        return _no_paths(result, "one trade on one session date")
    data = []
    for key, name, colour in (("permutation", "trades permuted", STRATEGY), ("days", "days drawn", HOLD)):
        if not paths[key]:
            continue
        bins = paths[key]["drawdown_paths"]
        edges, steps = ([value for value in bins[part] for _ in range(2)] for part in ("edges_usd", "paths"))
        look = {"color": colour, "width": 1.4, "dash": "solid" if key == "permutation" else "dot"}
        hover = f"%{{y:,d}} paths at %{{x:{USD}}}"
        data.append(line(name, edges, [0, *steps, 0], look, hover, fill="tozeroy"))
    fall = paths["permutation"].get("actual_drawdown_usd", result["statistics"]["max_drawdown_usd"])
    mark = {"type": "line", "x0": fall, "x1": fall, "yref": "paper", "y0": 0, "y1": 1}
    note = f"actual {dollars(fall)}"
    if paths["permutation"]:
        note += f": above {number(paths['permutation']['actual_drawdown_rank'], 'share')} of the permuted paths"
    axes = {"xaxis": axis("max drawdown", tickformat=USD), "yaxis": axis("paths")}
    marks = {"shapes": [{**mark, "line": {"color": LOSS, "width": 1.6}}], "annotations": [corner(note)]}
    return {"data": data, "layout": {**axes, **marks}}


def _no_paths(result: Values, reason: str) -> Figure:
    """Return an empty figure: without any paths, or without those of a method for this reason."""
    return noted({"data": [], "layout": {}}, False, f"n/a: {reason}" if result["monte_carlo"] else "no paths")


CHARTS = (paths_permuted, paths_of_days, drawdowns)
