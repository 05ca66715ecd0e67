"""The charts of what the fills and the signals are worth, and of a prop firm's evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

from scalpr_zen.render.figures.style import HOLD, LOSS, STRATEGY, USD, USD_TEXT, Figure, Values, corner, dollars, noted
from scalpr_zen.render.text import number


def slippage(result: Values) -> Figure:
    """Histograms of measured slippage."""
    measured = result["fills"].get("slippage", {})
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


def random_entries(result: Values) -> Figure:
    """Net P&L of the random controls and of the strategy."""
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


def evaluation(result: Values) -> Figure:
    """Draw the balance at the end of each session date and the floor, each attempt from its start on."""
    evaluation = result["prop_firm"]
    attempts = evaluation.get("attempts")
    if not attempts:
        return noted({"data": [], "layout": {}}, False, "no evaluation")
    rules = evaluation["rules"]
    account = rules["account_usd"]
    dates: list[str | None] = []
    balance: list[float | None] = []
    floor: list[float | None] = []
    for attempt in attempts:
        days = attempt["days"]
        dates += [_day_before(days[0]["session_date"], dates), *(day["session_date"] for day in days), None]
        balance += [account, *(day["balance_usd"] for day in days), None]
        floor += [account - rules["drawdown_usd"], *(day["floor_usd"] for day in days), None]
    line = {"type": "scatter", "mode": "lines", "hovertemplate": f"%{{y:{USD_TEXT}}}"}
    path = {**line, "x": dates[:-1]}
    ends = [dates[0], dates[-2]]
    data = [
        {**path, "name": "balance", "y": balance[:-1], "line": {"color": STRATEGY, "width": 1.8}},
        {**path, "name": "floor", "y": floor[:-1], "line": {"color": LOSS, "width": 1.4, "dash": "dash"}},
        {
            **line,
            "name": "target",
            "x": ends,
            "y": [account + rules["target_usd"]] * 2,
            "line": {"color": HOLD, "width": 1.2, "dash": "dot"},
        },
        *(_ends(attempts, *look) for look in (("pass", STRATEGY, "triangle-up"), ("bust", LOSS, "x"))),
    ]
    layout = {
        "hovermode": "closest",
        "xaxis": {"title": {"text": "session date"}, "type": "date"},
        "yaxis": {"tickformat": USD, "title": {"text": "balance"}},
    }
    return {"data": data, "layout": layout}


def _day_before(first: str, dates: Sequence[str | None]) -> str:
    """Return the session date before an attempt, at whose end its account begins; of the first attempt the day."""
    return dates[-2] or first if len(dates) > 1 else (date.fromisoformat(first) - timedelta(days=1)).isoformat()


def _ends(attempts: Sequence[Values], outcome: str, colour: str, symbol: str) -> Figure:
    mine = [attempt for attempt in attempts if attempt["outcome"] == outcome]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{outcome} ({len(mine):,})",
        "x": [attempt["last_session"] for attempt in mine],
        "y": [attempt["days"][-1]["balance_usd"] for attempt in mine],
        "text": [f"attempt {attempt['number']}: {attempt['reason']}" for attempt in mine],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": colour, "symbol": symbol, "size": 9},
    }
