"""The charts: one dict of results as Plotly figures, for the dashboard, the HTML page and notebooks.

A figure is plain data, `{"data": [...], "layout": {...}}`, and needs no plotly to be made. It carries no theme:
`THEMES` are layout templates for a dark and a light page. The colours of the traces are legible on both, and
blue and orange, which colour-blind eyes tell apart; a loss is hatched or signed too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from typing import Any

from scalpr_zen.report import number

Values = Mapping[str, Any]
Figure = dict[str, Any]

STRATEGY, HOLD, LOSS = "#3b8fd9", "#8a8f98", "#c97316"
_BAND, _INNER = "rgba(59,143,217,0.16)", "rgba(59,143,217,0.30)"
_DIVERGING = [[0, LOSS], [0.5, "#59616b"], [1, STRATEGY]]
_SEQUENTIAL = [[0, "rgba(59,143,217,0.15)"], [1, STRATEGY]]
_USD, _USD_TEXT = "$,.2~f", "$,.2f"
_SYNTHETIC = {
    "text": "SYNTHETIC",
    "showarrow": False,
    "xref": "paper",
    "yref": "paper",
    "x": 1,
    "y": 0,
    "xanchor": "right",
    "yanchor": "bottom",
    "opacity": 0.7,
}
_COUNTS = {"title": {"text": "trades"}, "tickformat": ",~f", "rangemode": "tozero"}
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def _theme(text: str, grid: str, box: str) -> Figure:
    axis = {"gridcolor": grid, "linecolor": grid, "zerolinecolor": grid, "automargin": True}
    return {
        "layout": {
            "font": {"family": FONT, "size": 11, "color": text},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "xaxis": axis,
            "yaxis": axis,
            "title": {"x": 0, "xref": "paper", "y": 0.98, "yanchor": "top", "font": {"size": 13}},
            "margin": {"l": 56, "r": 16, "t": 60, "b": 40},
            "hoverlabel": {"bgcolor": box, "bordercolor": grid, "font": {"family": FONT, "color": text}},
            # at the left, as the toolbar lies at the right
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": 1,
                "yanchor": "bottom",
                "traceorder": "normal",
            },
        }
    }


THEMES = {"dark": _theme("#c9d1d9", "#2a3038", "#161b22"), "light": _theme("#24292f", "#d8dee4", "#ffffff")}


@dataclass(frozen=True)
class Chart:
    """One chart: its name, its title, what it shows in a sentence, and how it is drawn."""

    name: str
    title: str
    sentence: str
    draw: Callable[[Values], Figure]
    monte_carlo: bool = False


def figures(result: Values, *, monte_carlo: bool | None = None) -> dict[str, Figure]:
    """Return the figures of a result by name, in the order of CHARTS.

    Parameters
    ----------
    result : mapping
        As `Result.to_json` holds it: undefined values are None.
    monte_carlo : bool, optional
        Only those that draw Monte Carlo paths, or only the others. Default: all.
    """
    made = {}
    for chart in CHARTS:
        if monte_carlo in (None, chart.monte_carlo):
            figure = chart.draw(result)
            figure["layout"] |= {"title": {"text": chart.title}, "meta": {"sentence": chart.sentence}}
            if result["tape"]["synthetic"]:
                figure["layout"].setdefault("annotations", []).append(_SYNTHETIC)
            made[chart.name] = figure
    return made


# Equity ------------------------------------------------------------------------------------------------


def _equity_by_day(result: Values) -> Figure:
    days = result["series"]["by_day"]
    equity, hold = list(accumulate(days["net_usd"])), list(accumulate(days["hold_usd"]))
    peak = accumulate(equity, max, initial=0.0)
    next(peak, None)
    falls = [value - top for value, top in zip(equity, peak, strict=True)]
    figure = _equity(days["session_date"], equity, hold, falls, {"title": {"text": "session date"}})
    return _noted(figure, any(days["trades"]))


def _equity_by_trade(result: Values) -> Figure:
    path = result["series"]["by_trade"]
    falls = [-fall for fall in path["drawdown_usd"]]
    axis = {"title": {"text": "trade"}, "tickformat": ",~f"}
    figure = _equity(path["trade"], path["equity_usd"], path["hold_usd"], falls, axis)
    return _noted(figure, len(path["trade"]) > 1)


def _equity(x: Sequence[Any], equity: Any, hold: Any, falls: Any, axis: Figure) -> Figure:
    hover = f"%{{y:{_USD_TEXT}}}"
    line = {"type": "scatter", "mode": "lines", "hovertemplate": hover, "x": x}
    data = [
        {**line, "name": "strategy", "y": equity, "line": {"color": STRATEGY, "width": 1.8}},
        {**line, "name": "buy & hold", "y": hold, "line": {"color": HOLD, "width": 1.4, "dash": "dot"}},
        {
            **line,
            "name": "drawdown",
            "y": falls,
            "yaxis": "y2",
            "line": {"color": LOSS, "width": 1},
            "fill": "tozeroy",
            "fillcolor": "rgba(201,115,22,0.25)",
        },
    ]
    layout = {
        "hovermode": "x unified",
        "xaxis": {**axis, "anchor": "y2"},
        "yaxis": {"domain": [0.3, 1], "tickformat": _USD, "title": {"text": "net P&L"}},
        "yaxis2": {
            "domain": [0, 0.24],
            "tickformat": _USD,
            "nticks": 4,
            "title": {"text": "drawdown"},
            "automargin": True,
        },
    }
    return {"data": data, "layout": layout}


# Outcomes ----------------------------------------------------------------------------------------------


def _exits(result: Values) -> Figure:
    rows = result["series"]["exits"]
    data = []
    for reason, name in (("target", "take profit"), ("stop", "stop loss")):
        mine = [row for row in rows if row["reason"] == reason]
        colour, hatch = (STRATEGY, "") if reason == "target" else (LOSS, "/")
        data.append(
            {
                "type": "bar",
                "name": name,
                "x": [row["side"] for row in mine],
                "y": [row["trades"] for row in mine],
                "text": [f"{row['trades']:,}" for row in mine],
                "textposition": "outside",
                "cliponaxis": False,
                "customdata": [row["net_usd"] for row in mine],
                "hovertemplate": f"%{{y:,d}} trades, %{{customdata:{_USD_TEXT}}}",
                "marker": _marker(colour, hatch),
            }
        )
    layout = {"barmode": "group", "yaxis": _COUNTS}
    return _noted({"data": data, "layout": layout}, any(row["trades"] for row in rows))


def _results(result: Values) -> Figure:
    bins = result["series"]["results"]
    centres = [(low + high) / 2 for low, high in zip(bins["from_usd"], bins["to_usd"], strict=True)]
    labels = [
        _usd(low) if low == high else f"{_usd(low)} to {_usd(high)}"
        for low, high in zip(bins["from_usd"], bins["to_usd"], strict=True)
    ]
    signs = [low if low < 0 else high for low, high in zip(bins["from_usd"], bins["to_usd"], strict=True)]
    bars = {
        **_signed_bars(centres, signs),
        "y": bins["trades"],
        "customdata": labels,
        "hovertemplate": "%{customdata}: %{y:,d} trades<extra></extra>",
    }
    if len(centres) > 1:
        bars["width"] = centres[1] - centres[0]
    decades = [-0.3, math.log10(max([1, *bins["trades"]])) + 0.2]
    axes = {
        "xaxis": {"title": {"text": "net P&L of a trade"}, "tickformat": _USD},
        "yaxis": {**_COUNTS, "title": {"text": "trades (log)"}, "type": "log", "dtick": 1, "range": decades},
    }
    return _noted({"data": [bars], "layout": {**axes, "bargap": 0}}, any(bins["trades"]))


def _excursions(result: Values) -> Figure:
    cells = result["series"]["excursions"]
    cell = {
        "type": "heatmap",
        "x": cells["mae_points"],
        "y": cells["mfe_points"],
        "z": [[math.log10(count) if count else None for count in row] for row in cells["trades"]],
        "text": [[f"{count:,}" for count in row] for row in cells["trades"]],
        "hovertemplate": "MAE about %{x:,.10~g}, MFE about %{y:,.10~g} points: %{text} trades<extra></extra>",
        "colorscale": _SEQUENTIAL,
        "hoverongaps": False,
        "colorbar": {
            "title": {"text": "trades"},
            "tickvals": list(range(7)),
            "ticktext": [f"{10**k:,}" for k in range(7)],
            "thickness": 10,
        },
    }
    layout = {
        "xaxis": {"title": {"text": "MAE, points (outermost cells: and beyond)"}},
        "yaxis": {"title": {"text": "MFE, points (and beyond)"}},
    }
    return _noted({"data": [cell] if cells["trades"] else [], "layout": layout}, bool(cells["trades"]))


def _holding(result: Values) -> Figure:
    bins = result["series"]["holding"]
    labels = [_span(low, high) for low, high in zip(bins["from_seconds"], bins["to_seconds"], strict=True)]
    data = [
        {
            "type": "bar",
            "name": name,
            "x": labels,
            "y": bins[key],
            "hovertemplate": "%{y:,d} trades",
            "marker": _marker(colour, hatch),
        }
        for key, name, colour, hatch in (("won", "won", STRATEGY, ""), ("not_won", "not won", LOSS, "/"))
    ]
    layout = {
        "barmode": "stack",
        "hovermode": "x unified",
        "xaxis": {
            "title": {"text": "time from entry to exit"},
            "type": "category",
            "dtick": 1 if len(labels) <= 10 else 2,
        },
        "yaxis": _COUNTS,
    }
    return _noted({"data": data, "layout": layout}, bool(labels))


# Calendar ----------------------------------------------------------------------------------------------


def _calendar(result: Values) -> Figure:
    days = result["series"]["by_day"]
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    dates = [date.fromisoformat(text) for text in days["session_date"]]
    rows = max([5, *(day.weekday() + 1 for day in dates)])
    mondays = [day - timedelta(days=day.weekday()) for day in dates]
    first = min(mondays, default=None)
    weeks = (max(mondays) - first).days // 7 + 1 if first else 0
    z: list[list[float | None]] = [[None] * weeks for _ in range(rows)]
    signs, labels = [[""] * weeks for _ in range(rows)], [[""] * weeks for _ in range(rows)]
    for day, monday, usd, count in zip(dates, mondays, days["net_usd"], days["trades"], strict=True):
        row, column = day.weekday(), (monday - first).days // 7 if first else 0
        z[row][column] = usd
        signs[row][column] = "+" if usd > 0 else "-" if usd < 0 else ""
        labels[row][column] = f"{day} {_usd(usd)}, {_trades(count)}"
    limit = max((abs(usd) for usd in days["net_usd"]), default=0) or 1
    cell = {
        "type": "heatmap",
        "x": [(first + timedelta(weeks=k)).isoformat() for k in range(weeks)] if first else [],
        "y": names[:rows],
        "z": z,
        "text": signs,
        "texttemplate": "%{text}",
        "textfont": {"color": "#ffffff"},
        "customdata": labels,
        "hovertemplate": "%{customdata}<extra></extra>",
        "hoverongaps": False,
        "zmin": -limit,
        "zmax": limit,
        "colorscale": _DIVERGING,
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"tickformat": _USD, "thickness": 10},
    }
    layout = {
        "xaxis": {"title": {"text": "week of"}, "type": "date", "showgrid": False},
        "yaxis": {"autorange": "reversed", "showgrid": False},
    }
    return _noted({"data": [cell], "layout": layout}, weeks > 0, "no session dates")


def _hours(result: Values) -> Figure:
    rows = result["series"]["hours"]
    return _means([f"{row['hour']:02d}" for row in rows], rows, "hour of entry, Chicago")


def _weekdays(result: Values) -> Figure:
    rows = [row for row in result["series"]["weekdays"] if row["trades"] or row["weekday"][0] != "S"]
    return _means([row["weekday"][:3] for row in rows], rows, "session date of entry")


def _means(labels: list[str], rows: Sequence[Values], title: str) -> Figure:
    means, counts = [row["mean_usd"] for row in rows], [row["trades"] for row in rows]
    totals = [_usd(row["net_usd"]) for row in rows]
    hover = f"%{{y:{_USD_TEXT}}} a trade, %{{customdata}} in all<extra></extra>"
    count = {"type": "bar", "name": "trades", "x": labels, "y": counts, "yaxis": "y2", "marker": {"color": HOLD}}
    data = [
        {**_signed_bars(labels, means), "name": "mean", "customdata": totals, "hovertemplate": hover},
        {**count, "hovertemplate": "%{y:,d} trades<extra></extra>"},
    ]
    layout = {
        "showlegend": False,
        "xaxis": {
            "title": {"text": title},
            "type": "category",
            "anchor": "y2",
            "tickangle": 0,
            "dtick": 1 if len(labels) <= 7 else 3,
        },
        "yaxis": {"domain": [0.4, 1], "tickformat": _USD_TEXT, "title": {"text": "mean net"}},
        "yaxis2": {**_COUNTS, "domain": [0, 0.32], "automargin": True},
    }
    return _noted({"data": data, "layout": layout}, any(counts))


def _months(result: Values) -> Figure:
    rows = result["statistics"]["months"]
    labels = [
        f"{_trades(row['trades'])}, {number(row['win_rate'], 'share')} won, "
        f"max drawdown {_usd(row['max_drawdown_usd'])}"
        for row in rows
    ]
    bars = _signed_bars([row["month"] for row in rows], [row["net_usd"] for row in rows])
    bars |= {"customdata": labels, "hovertemplate": f"%{{y:{_USD_TEXT}}}, %{{customdata}}<extra></extra>"}
    axes = {"xaxis": {"type": "category"}, "yaxis": {"tickformat": _USD, "title": {"text": "net P&L"}}}
    return _noted({"data": [bars], "layout": axes}, any(row["trades"] for row in rows))


# Monte Carlo -------------------------------------------------------------------------------------------


def _paths_permuted(result: Values) -> Figure:
    paths = result["monte_carlo"].get("permutation")
    if not paths:
        return _no_paths()
    return _bands(paths["trade"], paths["bands_usd"], paths["actual_usd"], "trade")


def _paths_of_days(result: Values) -> Figure:
    paths = result["monte_carlo"].get("days")
    if not paths:
        return _no_paths()
    days = result["series"]["by_day"]["net_usd"]
    equity = [0.0, *accumulate(days)]
    actual = [equity[k] for k in paths["session_date"]]
    figure = _bands(paths["session_date"], paths["bands_usd"], actual, "session dates")
    figure["layout"]["annotations"] = [
        _corner(f"{number(paths['profit_probability'], 'share')} of the paths end with a profit")
    ]
    return figure


def _bands(x: Sequence[int], bands: Values, actual: Sequence[float], title: str) -> Figure:
    base = {"type": "scatter", "mode": "lines", "x": x, "hovertemplate": f"%{{y:{_USD_TEXT}}}"}

    def line(percentile: str, **more: Any) -> Figure:
        hidden = {"name": f"{percentile}%", "line": {"width": 0}, "showlegend": False}
        return {**base, "y": bands[percentile], **hidden, **more}

    outer, inner = {"fill": "tonexty", "fillcolor": _BAND}, {"fill": "tonexty", "fillcolor": _INNER}
    data = [
        line("5"),
        line("25", **outer),
        line("50", **inner, line={"color": STRATEGY, "width": 1, "dash": "dash"}, showlegend=True, name="median"),
        line("75", **inner),
        line("95", **outer),
        {**base, "name": "actual", "y": actual, "line": {"color": LOSS, "width": 1.6}},
    ]
    axes = {"xaxis": {"title": {"text": title}, "tickformat": ",~f"}}
    return {
        "data": data,
        "layout": {**axes, "yaxis": {"tickformat": _USD, "title": {"text": "net P&L"}}, "hovermode": "x unified"},
    }


def _drawdowns(result: Values) -> Figure:
    paths = result["monte_carlo"]
    if not paths:
        return _no_paths()
    data = []
    for key, name, colour in (("permutation", "trades permuted", STRATEGY), ("days", "days drawn", HOLD)):
        bins = paths[key]["drawdown_paths"]
        edges = bins["edges_usd"]
        steps = [count for count in bins["paths"] for _ in range(2)]
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": [edge for edge in edges for _ in range(2)],
                "y": [0, *steps, 0],
                "fill": "tozeroy",
                "line": {"color": colour, "width": 1.4, "dash": "solid" if key == "permutation" else "dot"},
                "hovertemplate": f"%{{y:,d}} paths at %{{x:{_USD}}}",
            }
        )
    fall = paths["permutation"]["actual_drawdown_usd"]
    mark = {"type": "line", "x0": fall, "x1": fall, "yref": "paper", "y0": 0, "y1": 1}
    rank = number(paths["permutation"]["actual_drawdown_rank"], "share")
    note = _corner(f"actual {_usd(fall)}: above {rank} of the permuted paths")
    axes = {
        "xaxis": {"title": {"text": "max drawdown"}, "tickformat": _USD},
        "yaxis": {"title": {"text": "paths"}},
    }
    marks = {"shapes": [{**mark, "line": {"color": LOSS, "width": 1.6}}], "annotations": [note]}
    return {"data": data, "layout": {**axes, **marks}}


def _no_paths() -> Figure:
    return _noted({"data": [], "layout": {}}, False, "no paths")


# Parts -------------------------------------------------------------------------------------------------


def _signed_bars(x: Sequence[Any], signed: Sequence[float | None]) -> Figure:
    """Bars of height `signed`: below zero in the colour of losses and hatched, grey at zero."""
    signs = [0 if not value else -1 if value < 0 else 1 for value in signed]
    marker = {
        "color": [{-1: LOSS, 0: HOLD, 1: STRATEGY}[sign] for sign in signs],
        "pattern": {"shape": ["/" if sign < 0 else "" for sign in signs], "size": 5, "solidity": 0.25},
    }
    return {"type": "bar", "x": list(x), "y": list(signed), "marker": marker}


def _marker(colour: str, hatch: str) -> Figure:
    return {"color": colour, "pattern": {"shape": hatch, "size": 5, "solidity": 0.25}}


def _noted(figure: Figure, full: bool, text: str = "no trades") -> Figure:
    """Say so in the middle of a figure that has nothing to show; without any line of its own it needs no axes."""
    if not full:
        if not any(trace.get("mode") == "lines" for trace in figure["data"]):
            for axis in {"xaxis", "yaxis"} | {"yaxis2"} & set(figure["layout"]):
                figure["layout"][axis] = {**figure["layout"].get(axis, {}), "visible": False}
        note = {"text": text, "showarrow": False, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5}
        figure["layout"]["annotations"] = [note]
    return figure


def _corner(text: str) -> Figure:
    at = {"xref": "paper", "yref": "paper", "x": 1, "y": 1, "xanchor": "right", "yanchor": "top"}
    return {"text": text, "showarrow": False, **at}


def _usd(value: float) -> str:
    return number(value, "usd")


def _trades(count: int) -> str:
    return f"{count:,} trade{'' if count == 1 else 's'}"


def _span(low: float, high: float) -> str:
    """Return a stretch of time in words: `20-50 s`, `500 ms-1 s`."""
    (first, unit), (last, last_unit) = _duration(low), _duration(high)
    return f"{first}-{last} {last_unit}" if unit == last_unit or low == 0 else f"{first} {unit}-{last} {last_unit}"


def _duration(seconds: float) -> tuple[str, str]:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if seconds >= size:
            return f"{seconds / size:,.10g}", unit
    return f"{seconds * 1_000:.10g}", "ms"


CHARTS = (
    Chart(
        "equity_by_day",
        "Equity by session date",
        "Net P&L after each session date, buy & hold of one contract, and the fall from the peak of daily equity.",
        _equity_by_day,
    ),
    Chart(
        "equity_by_trade",
        "Equity by trade",
        "Net P&L after each trade, buy & hold at the time of its exit, and the fall from the peak.",
        _equity_by_trade,
    ),
    Chart("exits", "Exits", "Trades that ended at the take profit and at the stop loss, by side.", _exits),
    Chart(
        "results", "Net P&L of the trades", "How many trades gave which net P&L; the scale of counts is log.", _results
    ),
    Chart("calendar", "Daily P&L", "Net P&L of each session date; + and - are gain and loss.", _calendar),
    Chart("hours", "Hour of day", "Mean net P&L and number of the trades by the Chicago hour of their entry.", _hours),
    Chart(
        "weekdays",
        "Day of week",
        "Mean net P&L and number of the trades by the weekday of the session date of their entry.",
        _weekdays,
    ),
    Chart("months", "Months", "Net P&L by the month of the session date of the exit.", _months),
    Chart(
        "excursions",
        "MAE against MFE",
        "Trades by their worst and best excursion from the entry fill until the exit.",
        _excursions,
    ),
    Chart("holding", "Holding time", "Trades by the time from entry to exit.", _holding),
    Chart(
        "paths_permuted",
        "Monte Carlo: trades permuted",
        "Equity of the trades in random order: 5, 25, 50, 75, 95 percent of the paths, and the actual one.",
        _paths_permuted,
        monte_carlo=True,
    ),
    Chart(
        "paths_of_days",
        "Monte Carlo: session dates drawn",
        "Equity of session dates drawn with replacement: 5, 25, 50, 75, 95 percent of the paths, and the actual one.",
        _paths_of_days,
        monte_carlo=True,
    ),
    Chart(
        "drawdowns",
        "Monte Carlo: max drawdown",
        "Max drawdown of the paths of both methods, and the actual one.",
        _drawdowns,
        monte_carlo=True,
    ),
)
