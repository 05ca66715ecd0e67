"""What the charts share: their declaration, colours, themes, bars, notes.

A figure is plain data, `{"data": [...], "layout": {...}}`, and needs no plotly to be made. It carries no theme:
`THEMES` are layout templates for a dark and a light page. The colours of the traces are legible on both, and
blue and orange, which colour-blind readers can tell apart; a loss is hatched or signed too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from scalpr_zen.render.text import Values, number

Figure = dict[str, Any]

STRATEGY, HOLD, LOSS, PINNED = "#3b8fd9", "#8a8f98", "#c97316", "#b07ce0"
BAND, INNER = "rgba(59,143,217,0.16)", "rgba(59,143,217,0.30)"
DIVERGING = [[0, LOSS], [0.5, "#59616b"], [1, STRATEGY]]
SEQUENTIAL = [[0, "rgba(59,143,217,0.15)"], [1, STRATEGY]]
USD, USD_TEXT = "$,.2~f", "$,.2f"
COUNTS: Figure = {"title": {"text": "trades"}, "tickformat": ",~f", "rangemode": "tozero"}
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def _at(x: float, y: float, xanchor: str, yanchor: str) -> Figure:
    return {"x": x, "y": y, "xanchor": xanchor, "yanchor": yanchor}


def _note(text: str, place: Figure) -> Figure:
    return {"text": text, "showarrow": False, "xref": "paper", "yref": "paper", **place}


def _theme(text: str, grid: str, box: str) -> Figure:
    plain = {"gridcolor": grid, "linecolor": grid, "zerolinecolor": grid, "automargin": True}
    return {
        "layout": {
            "font": {"family": FONT, "size": 11, "color": text},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "xaxis": plain,
            "yaxis": plain,
            "title": {"x": 0, "xref": "paper", "y": 0.98, "yanchor": "top", "font": {"size": 13}},
            "margin": {"l": 56, "r": 16, "t": 60, "b": 40},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": HOLD, "activecolor": text},
            "hoverlabel": {"bgcolor": box, "bordercolor": grid, "font": {"family": FONT, "color": text}},
            # on the left, because the toolbar is on the right
            "legend": {"orientation": "h", **_at(0, 1, "left", "bottom"), "traceorder": "normal"},
        }
    }


THEMES = {"dark": _theme("#c9d1d9", "#2a3038", "#161b22"), "light": _theme("#24292f", "#d8dee4", "#ffffff")}


def axis(title: str, **more: Any) -> Figure:
    """Return an axis with a title."""
    return {"title": {"text": title}, **more}


def line(name: str, x: Any, y: Any, look: Figure, hover: str, **more: Any) -> Figure:
    """Return the trace of a line in a colour, width and dash."""
    trace = {"type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, "line": look, "hovertemplate": hover}
    return trace | more


def signed_bars(x: Sequence[Any], signed: Sequence[float | None]) -> Figure:
    """Bars of height `signed`: below zero in the colour of losses and hatched, grey at zero."""
    signs = [0 if not value else -1 if value < 0 else 1 for value in signed]
    marker = {
        "color": [{-1: LOSS, 0: HOLD, 1: STRATEGY}[sign] for sign in signs],
        "pattern": {"shape": ["/" if sign < 0 else "" for sign in signs], "size": 5, "solidity": 0.25},
    }
    return {"type": "bar", "x": list(x), "y": list(signed), "marker": marker}


def marker(colour: str, hatch: str) -> Figure:
    """Return a colour with a hatch."""
    return {"color": colour, "pattern": {"shape": hatch, "size": 5, "solidity": 0.25}}


def noted(figure: Figure, full: bool, text: str = "no trades") -> Figure:
    """Say so in the middle of a figure that has nothing to show; without any line of its own it needs no axes."""
    if not full:
        if not any(trace.get("mode") == "lines" for trace in figure["data"]):
            for axis in {"xaxis", "yaxis"} | {"yaxis2"} & set(figure["layout"]):
                figure["layout"][axis] = {**figure["layout"].get(axis, {}), "visible": False}
        figure["layout"]["annotations"] = [_note(text, {"x": 0.5, "y": 0.5})]
    return figure


def corner(text: str) -> Figure:
    """Return a note in the upper right corner."""
    return _note(text, _at(1, 1, "right", "top"))


def dollars(value: float) -> str:
    """Return USD as text."""
    return number(value, "usd")


@dataclass(frozen=True)
class Chart:
    """One chart: name, title, what it shows in a sentence, how it is drawn, and whether it takes a whole row."""

    name: str
    title: str
    sentence: str
    draw: Callable[[Values], Figure]
    wide: bool = False

    def figure(self, values: Values) -> Figure:
        """Return the Plotly figure of a result, `{"data": [...], "layout": {...}}`, whose undefined values are None."""
        figure = self.draw(values)
        figure["layout"] |= {"title": {"text": self.title}, "meta": {"sentence": self.sentence, "wide": self.wide}}
        if values["tape"]["synthetic"]:
            stamp = _note("SYNTHETIC", _at(1, 0, "right", "bottom") | {"opacity": 0.7})
            figure["layout"].setdefault("annotations", []).append(stamp)
        return figure


def chart(title: str, sentence: str, *, wide: bool = False) -> Callable[[Callable[[Values], Figure]], Chart]:
    """Make a chart of the function that draws it; its name is the function's."""
    return lambda draw: Chart(draw.__name__, title, sentence, draw, wide)


def pinned(figure: Figure, other: Figure) -> Figure:
    """Return a figure with the line of the strategy of another run's figure."""
    line = next((trace for trace in other["data"] if trace.get("name") == "strategy"), None)
    if line is None or line.get("mode") != "lines":
        return figure
    look = {"color": PINNED, "dash": "dash", "width": 1.4}
    return {**figure, "data": [*figure["data"], {**line, "name": "pinned", "line": look}]}
