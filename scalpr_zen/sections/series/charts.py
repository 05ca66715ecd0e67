"""The charts of the trades: equity, outcomes, calendar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import accumulate
from typing import Any

from scalpr_zen.render.figure import (
    COUNTS,
    DIVERGING,
    HOLD,
    LOSS,
    SEQUENTIAL,
    STRATEGY,
    USD,
    USD_TEXT,
    Figure,
    axis,
    chart,
    dollars,
    line,
    marker,
    noted,
    signed_bars,
)
from scalpr_zen.render.text import Values, counted, number

_EXITS = {
    "target": ("take profit", STRATEGY, ""),
    "stop": ("stop loss", LOSS, "/"),
    "break_even": ("break-even stop", HOLD, "\\"),
    "trailing": ("trailing stop", HOLD, "x"),
    "close": ("before the close", HOLD, ""),
    "hold": ("max hold", HOLD, "."),
    "loss_limit": ("loss limit", HOLD, "-"),
    "profit_limit": ("profit limit", HOLD, "+"),
    "roll": ("at a roll", HOLD, "|"),
}
"""Name, colour and hatch of exit reasons; any other is grey under its own name."""


# Equity ------------------------------------------------------------------------------------------------


@chart(
    "Equity by session date",
    "Net P&L after each session date, buy & hold of one contract, and the fall from the peak of daily equity.",
    wide=True,
)
def equity_by_day(result: Values) -> Figure:
    days = result["series"]["by_day"]
    equity, hold = list(accumulate(days["net_usd"])), list(accumulate(days["hold_usd"]))
    peak = accumulate(equity, max, initial=0.0)
    next(peak, None)
    falls = [value - top for value, top in zip(equity, peak, strict=True)]
    figure = _equity(days["session_date"], equity, hold, falls, axis("session date"))
    return noted(figure, any(days["trades"]))


@chart(
    "Equity by trade",
    "Net P&L after each trade, buy & hold at the time of its exit, and the fall from the peak.",
    wide=True,
)
def equity_by_trade(result: Values) -> Figure:
    path = result["series"]["by_trade"]
    falls = [-fall for fall in path["drawdown_usd"]]
    figure = _equity(path["trade"], path["equity_usd"], path["hold_usd"], falls, axis("trade", tickformat=",~f"))
    return noted(figure, len(path["trade"]) > 1)


def _equity(x: Sequence[Any], equity: Any, hold: Any, falls: Any, below: Figure) -> Figure:
    hover, area = f"%{{y:{USD_TEXT}}}", {"yaxis": "y2", "fill": "tozeroy", "fillcolor": "rgba(201,115,22,0.25)"}
    data = [
        line("strategy", x, equity, {"color": STRATEGY, "width": 1.8}, hover),
        line("buy & hold", x, hold, {"color": HOLD, "width": 1.4, "dash": "dot"}, hover),
        line("drawdown", x, falls, {"color": LOSS, "width": 1}, hover, **area),
    ]
    layout = {
        "hovermode": "x unified",
        "xaxis": {**below, "anchor": "y2"},
        "yaxis": axis("net P&L", domain=[0.3, 1], tickformat=USD),
        "yaxis2": axis("drawdown", domain=[0, 0.24], tickformat=USD, nticks=4, automargin=True),
    }
    return {"data": data, "layout": layout}


# Outcomes ----------------------------------------------------------------------------------------------


@chart("Exits", "Trades by exit reason and side.")
def exits(result: Values) -> Figure:
    rows = result["series"]["exits"]
    data = []
    for reason in dict.fromkeys(row["reason"] for row in rows):
        mine = [row for row in rows if row["reason"] == reason]
        name, colour, hatch = _EXITS.get(reason, (reason.replace("_", " "), HOLD, ""))
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
                "hovertemplate": f"%{{y:,d}} trades, %{{customdata:{USD_TEXT}}}",
                "marker": marker(colour, hatch),
            }
        )
    layout = {"barmode": "group", "yaxis": COUNTS}
    return noted({"data": data, "layout": layout}, any(row["trades"] for row in rows))


@chart("Net P&L of the trades", "Distribution of the net P&L per trade; counts on a log scale.")
def results(result: Values) -> Figure:
    bins = result["series"]["results"]
    centres = [(low + high) / 2 for low, high in zip(bins["from_usd"], bins["to_usd"], strict=True)]
    labels = [
        dollars(low) if low == high else f"{dollars(low)} to {dollars(high)}"
        for low, high in zip(bins["from_usd"], bins["to_usd"], strict=True)
    ]
    signs = [low if low < 0 else high for low, high in zip(bins["from_usd"], bins["to_usd"], strict=True)]
    bars = {
        **signed_bars(centres, signs),
        "y": bins["trades"],
        "customdata": labels,
        "hovertemplate": "%{customdata}: %{y:,d} trades<extra></extra>",
    }
    if len(centres) > 1:
        bars["width"] = centres[1] - centres[0]
    decades = [-0.3, math.log10(max([1, *bins["trades"]])) + 0.2]
    axes = {
        "xaxis": axis("net P&L of a trade", tickformat=USD),
        "yaxis": COUNTS | axis("trades (log)", type="log", dtick=1, range=decades),
    }
    return noted({"data": [bars], "layout": {**axes, "bargap": 0}}, any(bins["trades"]))


@chart("MAE against MFE", "Trades by their worst and best excursion from the entry fill until the exit.")
def excursions(result: Values) -> Figure:
    cells = result["series"]["excursions"]
    cell = {
        "type": "heatmap",
        "x": cells["mae_points"],
        "y": cells["mfe_points"],
        "z": [[math.log10(count) if count else None for count in row] for row in cells["trades"]],
        "text": [[f"{count:,}" for count in row] for row in cells["trades"]],
        "hovertemplate": "MAE about %{x:,.10~g}, MFE about %{y:,.10~g} points: %{text} trades<extra></extra>",
        "colorscale": SEQUENTIAL,
        "hoverongaps": False,
        "colorbar": axis("trades", tickvals=list(range(7)), ticktext=[f"{10**k:,}" for k in range(7)], thickness=10),
    }
    layout = {"xaxis": axis("MAE, points (outermost cells: and beyond)"), "yaxis": axis("MFE, points (and beyond)")}
    return noted({"data": [cell] if cells["trades"] else [], "layout": layout}, bool(cells["trades"]))


@chart("Holding time", "Trades by the time from entry to exit.")
def holding(result: Values) -> Figure:
    bins = result["series"]["holding"]
    labels = [_span(low, high) for low, high in zip(bins["from_seconds"], bins["to_seconds"], strict=True)]
    data = [
        {
            "type": "bar",
            "name": name,
            "x": labels,
            "y": bins[key],
            "hovertemplate": "%{y:,d} trades",
            "marker": marker(colour, hatch),
        }
        for key, name, colour, hatch in (("won", "won", STRATEGY, ""), ("not_won", "not won", LOSS, "/"))
    ]
    layout = {
        "barmode": "stack",
        "hovermode": "x unified",
        "xaxis": axis("time from entry to exit", type="category", dtick=1 if len(labels) <= 10 else 2),
        "yaxis": COUNTS,
    }
    return noted({"data": data, "layout": layout}, bool(labels))


def _span(low: float, high: float) -> str:
    """Return a stretch of time in words: `20-50 s`, `500 ms-1 s`."""
    (first, unit), (last, last_unit) = _duration(low), _duration(high)
    return f"{first}-{last} {last_unit}" if unit == last_unit or low == 0 else f"{first} {unit}-{last} {last_unit}"


def _duration(seconds: float) -> tuple[str, str]:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if seconds >= size:
            return f"{seconds / size:,.10g}", unit
    return f"{seconds * 1_000:.10g}", "ms"


# Calendar ----------------------------------------------------------------------------------------------


@chart("Daily P&L", "Net P&L of each session date; + and - are gain and loss.", wide=True)
def calendar(result: Values) -> Figure:
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
        labels[row][column] = f"{day} {dollars(usd)}, {counted(count, 'trade')}"
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
        "colorscale": DIVERGING,
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"tickformat": USD, "thickness": 10},
    }
    layout = {
        "xaxis": axis("week of", type="date", showgrid=False),
        "yaxis": {"autorange": "reversed", "showgrid": False},
    }
    return noted({"data": [cell], "layout": layout}, weeks > 0, "no session dates")


@chart("Hour of day", "Mean net P&L and number of the trades by the Chicago hour of their entry.")
def hours(result: Values) -> Figure:
    rows = result["series"]["hours"]
    return _means([f"{row['hour']:02d}" for row in rows], rows, "hour of entry, Chicago")


@chart("Day of week", "Mean net P&L and number of the trades by the weekday of the session date of their entry.")
def weekdays(result: Values) -> Figure:
    rows = [row for row in result["series"]["weekdays"] if row["trades"] or row["weekday"][0] != "S"]
    return _means([row["weekday"][:3] for row in rows], rows, "session date of entry")


def _means(labels: list[str], rows: Sequence[Values], title: str) -> Figure:
    means, counts = [row["mean_usd"] for row in rows], [row["trades"] for row in rows]
    totals = [dollars(row["net_usd"]) for row in rows]
    hover = f"%{{y:{USD_TEXT}}} a trade, %{{customdata}} in all<extra></extra>"
    count = {"type": "bar", "name": "trades", "x": labels, "y": counts, "yaxis": "y2", "marker": {"color": HOLD}}
    data = [
        {**signed_bars(labels, means), "name": "mean", "customdata": totals, "hovertemplate": hover},
        {**count, "hovertemplate": "%{y:,d} trades<extra></extra>"},
    ]
    layout = {
        "showlegend": False,
        "xaxis": axis(title, type="category", anchor="y2", tickangle=0, dtick=1 if len(labels) <= 7 else 3),
        "yaxis": axis("mean net", domain=[0.4, 1], tickformat=USD_TEXT),
        "yaxis2": {**COUNTS, "domain": [0, 0.32], "automargin": True},
    }
    return noted({"data": data, "layout": layout}, any(counts))


@chart("Months", "Net P&L by the month of the session date of the exit.")
def months(result: Values) -> Figure:
    rows = result["months"]
    labels = [
        f"{counted(row['trades'], 'trade')}, {number(row['win_rate'], 'share')} won, "
        f"max drawdown {dollars(row['max_drawdown_usd'])}"
        for row in rows
    ]
    bars = signed_bars([row["month"] for row in rows], [row["net_usd"] for row in rows])
    bars |= {"customdata": labels, "hovertemplate": f"%{{y:{USD_TEXT}}}, %{{customdata}}<extra></extra>"}
    axes = {"xaxis": {"type": "category"}, "yaxis": axis("net P&L", tickformat=USD)}
    return noted({"data": [bars], "layout": axes}, any(row["trades"] for row in rows))


CHARTS = (equity_by_day, equity_by_trade, exits, results, calendar, hours, weekdays, months, excursions, holding)
