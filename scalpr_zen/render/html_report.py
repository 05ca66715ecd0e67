"""One self-contained HTML page: the charts of a result and its summary, with plotly's JavaScript inside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from scalpr_zen.render.figures import FONT, THEMES, figures

_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: dark light; --page: #0d1117; --text: #c9d1d9; --alarm: #ffb454; }}
@media (prefers-color-scheme: light) {{ :root {{ --page: #ffffff; --text: #24292f; --alarm: #8a4b00; }} }}
body {{ background: var(--page); color: var(--text); font: 13px/1.45 {font}; margin: 16px; }}
h1 {{ font-size: 16px; }}
.synthetic {{ color: var(--alarm); border: 1px solid; padding: 4px 8px; }}
main {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 520px), 1fr)); gap: 16px; }}
figure {{ margin: 0; height: 360px; min-width: 0; }}
pre {{ overflow-x: auto; }}
</style>
<h1>{title}</h1>
{stamp}
<main>{figures}</main>
<pre>{summary}</pre>
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


def page(result: Mapping[str, Any], summary: str) -> str:
    """Return the page of a result.

    Parameters
    ----------
    result : mapping
        As `Result.to_json` holds it: undefined values are None.
    summary : str
        The text that stands below the charts.
    """
    made = figures(result)
    title = f"scalpr_zen {result['parameters']['strategy']} {result['tape']['root']} {result['manifest']['started']}"
    data = json.dumps({"figures": made, "themes": THEMES}, allow_nan=False).replace("<", "\\u003c")
    return _PAGE.format(
        title=escape(title),
        font=FONT,
        stamp=_STAMP if result["tape"]["synthetic"] else "",
        figures="".join(
            f'<figure id="{name}" aria-label="{escape(figure["layout"]["meta"]["sentence"])}"></figure>'
            for name, figure in made.items()
        ),
        summary=escape(summary),
        plotly=plotly_script(),
        data=data,
    )


@cache
def plotly_script() -> str:
    """Return plotly's JavaScript, which comes with the installed package."""
    return (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
