"""Write the tables of docs/parameters.md, docs/statistics.md and docs/dashboard.md from the declarations.

    python docs/generate.py

The text between `<!-- generated: name -->` and `<!-- end -->` is replaced; the rest of a page is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from scalpr_zen import Parameters
from scalpr_zen.figures import CHARTS
from scalpr_zen.params import Parameter, declared
from scalpr_zen.setup import GROUPS as SETUP
from scalpr_zen.statistics import STATISTICS
from scalpr_zen.strategies.load import BUILT_IN

FOLDER = Path(__file__).parent
PAGES = ("parameters.md", "statistics.md", "dashboard.md")
GROUPS: tuple[type[Parameters], ...] = (*BUILT_IN.values(), *SETUP.values())
_BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def parameters() -> str:
    """Return one Markdown table a group: its name, its sentence, its declared parameters."""
    return "\n".join(_group(group) for group in GROUPS)


def statistics() -> str:
    """Return the Markdown table of all statistics."""
    head = ("statistic", "key in the JSON", "unit", "definition", "target")
    rows = [(s.label, f"`{s.key}`", s.unit, s.definition, s.target) for s in STATISTICS]
    return _table(head, rows)


def charts() -> str:
    """Return the Markdown table of all charts."""
    return _table(("chart", "what it shows"), [(chart.title, chart.sentence) for chart in CHARTS])


TABLES = {"parameters": parameters, "statistics": statistics, "charts": charts}


def refreshed(page: str) -> str:
    """Return the text of a page with its tables as they are declared now."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n{TABLES[block[2]]()}\n{block[3]}", page)


def main() -> None:
    """Refresh every page and print which changed."""
    for name in PAGES:
        path = FOLDER / name
        before = path.read_text(encoding="utf-8")
        after = refreshed(before)
        path.write_text(after, encoding="utf-8", newline="\n")
        print(f"{name}: {'unchanged' if after == before else 'written'}")


def _group(group: type[Parameters]) -> str:
    head = ("parameter", "flag", "unit", "default", "range", "meaning")
    sentence = (group.__doc__ or "").split("\n")[0]
    return f"### {group.__name__}\n\n{sentence}\n\n{_table(head, [_row(p) for p in declared(group)])}"


def _row(parameter: Parameter) -> tuple[str, ...]:
    flag = parameter.flag + (f"/--no-{parameter.flag[2:]}" if parameter.kind is bool else "")
    default = "none" if parameter.default is None else str(parameter.default)
    choices = ", ".join(f"`{choice}`" for choice in parameter.choices)
    words = {bool: "true, false", str: "text"}
    allowed = choices or words.get(parameter.kind, parameter.range_text)
    return f"`{parameter.name}`", f"`{flag}`", parameter.unit_text, default, allowed, parameter.sentence


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    main()
