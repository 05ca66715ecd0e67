"""A result as HTML: one self-contained page with plotly's JavaScript inside, and what a notebook shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from scalpr_zen.render.figure import THEMES, Figure
from scalpr_zen.render.html import blocks_html
from scalpr_zen.render.table import Block, Words
from scalpr_zen.runs.manifest import manifest_table
from scalpr_zen.runs.report import leading, section_lines
from scalpr_zen.sections import sections

if TYPE_CHECKING:
    from scalpr_zen.runs.result import Result

PLOTLY = "plotly-cartesian.min.js"
"""plotly's JavaScript: its bundle of scatter, bar and heatmap, a third of the bytes of all of it."""
_STAMP = '<p class="synthetic">SYNTHETIC: the demo market made these prints</p>'


def page(result: Result) -> str:
    """Return every section of a result with its charts as one page."""
    values = result.values
    title = f"scalpr_zen {result.run.strategy} {values['tape']['root']} {values['manifest']['started']}"
    figures = result.charts()
    data = json.dumps({"figures": figures, "themes": THEMES}, allow_nan=False).replace("<", "\\u003c")
    page = Template((files("scalpr_zen.runs") / "report.html").read_text(encoding="utf-8"))
    parts = {"look": resource("look.css"), "plotly": resource(PLOTLY), "data": data}
    return page.substitute(parts, title=escape(title), body="".join(_body(result, figures)))


def notebook(result: Result) -> str:
    """Return the screen of a result as HTML."""
    return _STAMP * result.tape.synthetic + blocks_html(_first(result))


def _first(result: Result) -> Iterator[Block]:
    values = result.values
    yield Words([f"NOTE {note}" for note in values["notes"]])
    yield from leading(values)
    yield Words([f"{label}: {line}" for label, line in section_lines(values)])


def _body(result: Result, figures: dict[str, Figure]) -> Iterator[str]:
    yield notebook(result)
    for section in sections().values():
        if section.title:
            yield f"<h2>{escape(section.title)}</h2>"
            yield f"<p>{escape(section.sentence)}</p>" if section.sentence else ""
            yield blocks_html(section.blocks(result.run, result.values))
            charts = "".join(_place(chart.name, figures[chart.name]) for chart in section.charts)
            yield f'<div class="charts">{charts}</div>'
    yield f"<h2>Run manifest</h2>{blocks_html([manifest_table(result.values['manifest'])])}"


def _place(name: str, figure: Figure) -> str:
    about = figure["layout"]["meta"]
    wide = ' class="wide"' if about["wide"] else ""
    return f'<figure id="{name}"{wide} aria-label="{escape(about["sentence"])}"></figure>'


@cache
def resource(name: str) -> str:
    """Return a file of `render/`: look.css, or PLOTLY."""
    return (files("scalpr_zen.render") / name).read_text(encoding="utf-8")
