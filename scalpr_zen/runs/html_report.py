"""A result as HTML: one self-contained page with plotly's JavaScript inside, and what a notebook shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from scalpr_zen.render.figure import FONT, THEMES, Figure
from scalpr_zen.render.html import blocks_html
from scalpr_zen.render.table import Block, Words
from scalpr_zen.runs.manifest import manifest_table
from scalpr_zen.runs.report import leading, section_lines
from scalpr_zen.sections import sections

if TYPE_CHECKING:
    from scalpr_zen.runs.backtest import Result

_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{
  color-scheme: dark light;
  --page: #0d1117; --text: #c9d1d9; --quiet: #8b949e; --line: #2a3038;
  --good: #58a6ff; --bad: #f0a04b; --alarm: #ffb454;
}}
@media (prefers-color-scheme: light) {{
  :root {{
    --page: #ffffff; --text: #24292f; --quiet: #57606a; --line: #d8dee4;
    --good: #0550ae; --bad: #8a4b00; --alarm: #8a4b00;
  }}
}}
body {{ background: var(--page); color: var(--text); font: 13px/1.45 {font}; margin: 16px; }}
h1 {{ font-size: 16px; }}
h2 {{ font-size: 14px; margin: 28px 0 8px; }}
h3 {{ font-size: 13px; }}
.synthetic {{ color: var(--alarm); border: 1px solid; padding: 4px 8px; }}
.charts {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 520px), 1fr)); gap: 16px; }}
figure {{ margin: 0; height: 360px; min-width: 0; }}
figure.wide {{ grid-column: 1 / -1; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: 3px 14px 3px 0; text-align: right; border-bottom: 1px solid var(--line); vertical-align: top; }}
th, p, dt {{ color: var(--quiet); font-weight: 400; }}
p {{ margin: 4px 0; max-width: 1000px; }}
td.text, th.text {{ text-align: left; }}
tr.own td {{ font-weight: 700; }}
.good {{ color: var(--good); }}
.bad {{ color: var(--bad); }}
.cards {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(182px, 1fr)); gap: 8px; }}
.card {{ border: 1px solid var(--line); border-radius: 4px; padding: 8px 10px; }}
.card .value {{ font-size: 19px; }}
.card dl {{ display: grid; grid-template-columns: auto 1fr; gap: 0 8px; margin: 4px 0 0; }}
.card dd {{ margin: 0; text-align: right; }}
</style>
<h1>{title}</h1>
{body}
<script>{plotly}</script>
<script type="application/json" id="figures">{data}</script>
<script>
const {{ figures, themes }} = JSON.parse(document.getElementById("figures").textContent);
const light = matchMedia("(prefers-color-scheme: light)");
function draw() {{
  for (const [name, figure] of Object.entries(figures)) {{
    const layout = {{ ...figure.layout, template: themes[light.matches ? "light" : "dark"] }};
    Plotly.react(name, figure.data, layout, {{ responsive: true, displaylogo: false, showSendToCloud: false }});
  }}
}}
light.addEventListener("change", draw);
draw();
</script>
</html>"""
_STAMP = '<p class="synthetic">SYNTHETIC: the demo market made these prints</p>'


def page(result: Result) -> str:
    """Return every section of a result with its charts as one page."""
    values = result.values
    title = f"scalpr_zen {result.run.strategy} {values['tape']['root']} {values['manifest']['started']}"
    figures = result.charts()
    data = json.dumps({"figures": figures, "themes": THEMES}, allow_nan=False).replace("<", "\\u003c")
    return _PAGE.format(
        title=escape(title), font=FONT, body="".join(_body(result, figures)), plotly=plotly_script(), data=data
    )


def notebook(result: Result) -> str:
    """Return the screen of a result as HTML."""
    return _stamp(result) + blocks_html(_first(result))


def _stamp(result: Result) -> str:
    return _STAMP if result.tape.synthetic else ""


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
def plotly_script() -> str:
    """Return plotly's JavaScript: its bundle of scatter, bar and heatmap, a third of the bytes of all of it."""
    return (files("scalpr_zen.render") / "plotly-cartesian.min.js").read_text(encoding="utf-8")
