"""Write the tables of the docs (from the declarations and the files of facts) and the parameters of run_backtest.py.

    python docs/generate.py

The text between `<!-- generated: name -->` and `<!-- end -->` of a page, and between `# generated: name` and `# end` of
the script, is replaced; the rest is written by hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from scalpr_zen import INSTRUMENTS, Parameters, instrument
from scalpr_zen.base import facts
from scalpr_zen.base.params import Parameter, declared
from scalpr_zen.commands.backtest import CONSTANTS
from scalpr_zen.data.expiry import RULES
from scalpr_zen.runs.manifest import FIELDS
from scalpr_zen.sections import sections
from scalpr_zen.sections.prop_firm.rules import FIRMS, KEYS, RuleSet, rule_set
from scalpr_zen.sections.setup import GROUPS as SETUP
from scalpr_zen.sections.statistics import STATISTICS
from scalpr_zen.strategies.user_code import BUILT_IN

FOLDER = Path(__file__).parent
PAGES = ("parameters.md", "statistics.md", "dashboard.md", "json.md", "instruments.md", "data.md", "prop_firm.md")
GROUPS: tuple[type[Parameters], ...] = (*BUILT_IN.values(), *SETUP.values())
SCRIPT = "run_backtest.py"
_BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_SCRIPT_BLOCK = re.compile(r"(# generated: parameters\n).*?(# end\n)", re.DOTALL)
_WIDTH = 120
_OTHERS = """\
TAPE = ""  # tape that preprocess.py made, "cache/nq.npz"; empty: the built-in demo market
# {built_in}
STRATEGY = "EmaCrossover"  # or a class of your own file, "my_file.py:MyStrategy"
STRATEGY_PARAMETERS: dict[str, object] = {{}}  # of another strategy, {{"burst_ticks": 8}}; left out: the defaults
RESULTS_DIR = "results"  # folder of the report files
WRITE_CSV = False  # write the trades as CSV too
WRITE_HTML = False  # write the charts as one HTML file too
"""


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
    found = [chart for section in sections().values() for chart in section.charts]
    return _table(("chart", "what it shows"), [(chart.title, chart.sentence) for chart in found])


def keys() -> str:
    """Return one Markdown table a section: every key of its data in the JSON, and what it is."""
    known = {name: section.fields for name, section in sections().items()} | {"manifest": FIELDS}
    return "\n".join(f"### {name}\n\n{_table(('key', 'meaning'), _keys(fields))}" for name, fields in known.items())


def _keys(fields: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(f"`{path}`" if path else "", sentence) for path, sentence in fields.items()]


def instruments() -> str:
    """Return the Markdown table of all contracts."""
    head = ("root", "name", "exchange", "tick size", "USD a point", "USD a tick", "roll months", "micros")
    return _table((*head, "last trading day", "source"), [_contract(row) for row in facts.instruments()])


def hours() -> str:
    """Return the Markdown table of the regular hours of each calendar."""
    head = ("calendar", "contracts", "library", "open, Chicago", "close, Chicago")
    return _table(head, [_hours(name, book) for name, book in facts.CALENDARS.items()])


def firms() -> str:
    """Return the Markdown table of the packaged firms: every rule, and links to the sources."""
    keys = [key for key in KEYS if key not in ("title", "sources", "note")]
    return _table(("prop_firm", *keys, "sources"), [_firm(rule_set(name), keys) for name in FIRMS])


TABLES = {
    "parameters": parameters,
    "statistics": statistics,
    "charts": charts,
    "keys": keys,
    "instruments": instruments,
    "hours": hours,
    "firms": firms,
}


def refreshed(page: str) -> str:
    """Return the text of a page with its tables as they are declared now."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n{TABLES[block[2]]()}\n{block[3]}", page)


def script(text: str) -> str:
    """Return the text of run_backtest.py with every parameter as it is declared now."""
    return _SCRIPT_BLOCK.sub(lambda block: f"{block[1]}{_constants()}{block[2]}", text)


def _constants() -> str:
    """Return one line a parameter: those of CONSTANTS, the rest of the script's own, then group by group."""
    known = {p.name: p for group in (BUILT_IN["EmaCrossover"], *SETUP.values()) for p in declared(group)}
    first = [_constant(replace(known[name], default=_shown(known[name]))) for name in CONSTANTS]
    others = _OTHERS.format(built_in=", ".join(BUILT_IN)).splitlines()
    lines = [*first, *others, '# A distance in points may be given in ticks: "8t" is 8 ticks.']
    for group in SETUP.values():
        lines += ["", f"# {group.__name__}: {_sentence(group)}"]
        lines += [_constant(p) for p in declared(group) if p.name not in CONSTANTS]
    return "\n".join(lines) + "\n"


def _shown(parameter: Parameter) -> Any:
    """Return the value in the script: the point value of NQ stands there, as it is the trader's to check."""
    return instrument("NQ").point_value if parameter.name == "point_value" else parameter.default


def _constant(parameter: Parameter) -> str:
    value = json.dumps(parameter.default) if isinstance(parameter.default, str) else repr(parameter.default)
    code = f"{CONSTANTS.get(parameter.name, parameter.name.upper())} = {value}"
    facts = [parameter.unit, parameter.range_text if parameter.choices else ""]
    short, sentence = "; ".join(fact for fact in facts if fact), parameter.sentence
    line = f"{code}  # " + "; ".join(text for text in (short, sentence) if text)
    if len(line) <= _WIDTH:
        return line
    return (
        f"# {sentence}\n{code}  # {short}"
        if len(code) + len(short) < _WIDTH - 4
        else f"# {sentence}\n# {short}\n{code}"
    )


def main() -> None:
    """Refresh every page and the script, and print which changed."""
    pages = {FOLDER / name: refreshed for name in PAGES} | {FOLDER.parent / SCRIPT: script}
    for path, fresh in pages.items():
        before = path.read_text(encoding="utf-8")
        after = fresh(before)
        path.write_text(after, encoding="utf-8", newline="\n")
        print(f"{path.name}: {'unchanged' if after == before else 'written'}")


def _group(group: type[Parameters]) -> str:
    head = ("parameter", "flag", "unit", "default", "range", "meaning")
    return f"### {group.__name__}\n\n{_sentence(group)}\n\n{_table(head, [_row(p) for p in declared(group)])}"


def _sentence(group: type[Parameters]) -> str:
    return (group.__doc__ or "").split("\n")[0]


def _row(parameter: Parameter) -> tuple[str, ...]:
    flag = parameter.flag + (f"/--no-{parameter.flag[2:]}" if parameter.kind is bool else "")
    default = "none" if parameter.default is None else str(parameter.default)
    choices = ", ".join(f"`{choice}`" for choice in parameter.choices)
    words = {bool: "true, false", str: "text"}
    choices += f", a `{parameter.file}` file" if parameter.file else ""
    allowed = choices or words.get(parameter.kind, parameter.range_text)
    return f"`{parameter.name}`", f"`{flag}`", parameter.unit_text, default, allowed, parameter.sentence


def _contract(row: Mapping[str, str]) -> tuple[str, ...]:
    contract = INSTRUMENTS[row["root"]]
    sizes = [
        f"{x:,.9f}".rstrip("0").rstrip(".") for x in (contract.tick_size, contract.point_value, contract.tick_value)
    ]
    chapter = f"{contract.exchange} {row['rulebook']}, " if row["rulebook"] else ""
    rule = (RULES[contract.expiry_rule].__doc__ or "").removesuffix(".")
    source = f"{chapter}[specifications]({row['specifications']})"
    return contract.root, contract.name, contract.exchange, *sizes, contract.roll_months, row["micros"], rule, source


def _hours(name: str, book: Mapping[str, Any]) -> tuple[str, ...]:
    roots = " ".join(row.root for row in INSTRUMENTS.values() if row.calendar == name)
    return f"`{name}`", roots, book["library"], _since(book, "open", "monday"), _since(book, "close", "friday")


def _since(book: Mapping[str, Any], what: str, other: str) -> str:
    """Return the times of all years in words: `16:15, Friday 15:15; from 2015-09-21 16:00`."""
    said: list[str] = []
    for row in book["hours"]:
        time, apart = row[what], row.get(f"{what}_{other}")
        text = f"{time}, {other.title()} {apart}" if apart else time
        if not said or not said[-1].endswith(text):
            said.append(f"from {row['from']} {text}" if said else text)
    if what == "open" and "open_after_holiday" in book:
        said.append(f"{book['open_after_holiday']} after some holidays")
    return "; ".join(said)


def _firm(rules: RuleSet, keys: Sequence[str]) -> tuple[str, ...]:
    values = [getattr(rules, key) for key in keys]
    cells = ["none" if v is None else f"{v:,.10g}" if isinstance(v, int | float) else v for v in values]
    return f"`{rules.name}`", *cells, " ".join(f"[{n}]({url})" for n, url in enumerate(rules.sources, 1))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    main()
