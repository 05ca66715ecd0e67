"""Tables and sentences as HTML, for the page, the HTML report and notebooks."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from scalpr_zen.render.table import Block, Column, Row, Table, cell_sign, cell_text

_SIGNS = {"PASS": "\u2713 ", "FAIL": "\u2717 "}
_LOOKS = {"PASS": "good", "FAIL": "bad", 1: "good", -1: "bad"}


def blocks_html(blocks: Iterable[Block]) -> str:
    """Return tables and sentences one after the other."""
    return "".join(map(_block, blocks))


def _block(block: Block) -> str:
    title = f"<h3>{escape(block.title)}</h3>" if block.title else ""
    if not isinstance(block, Table):
        return title + "".join(f"<p>{escape(line)}</p>" for line in block.lines)
    if block.cards:
        return f'{title}<div class="cards">{"".join(_card(row, block) for row in block.rows)}</div>'
    label = escape(block.title or "table")
    return f'{title}<div class="scroll" tabindex="0" role="region" aria-label="{label}">{_table(block)}</div>'


def _table(table: Table) -> str:
    heads = "".join(f'<th scope="col"{_look(column)}>{escape(column.label)}</th>' for column in table.columns)
    head = "" if table.plain else f"<thead><tr>{heads}</tr></thead>"
    return f"<table>{head}<tbody>{''.join(_row(row, table) for row in table.rows)}</tbody></table>"


def _row(row: Row, table: Table) -> str:
    cells = list(zip(row.cells, table.columns, strict=True))
    texts = ["* " * row.own + _tip(cells[0], row), *(_shown(*cell) for cell in cells[1:])]
    own = ' class="own" aria-current="true"' if row.own else ""
    line = "".join(f"<td{_look(column, cell)}>{text}</td>" for (cell, column), text in zip(cells, texts, strict=True))
    made = f'<tr data-key="{escape(row.key)}"{own}>{line}</tr>'
    if row.detail is None:
        return made
    inside = f"<details><summary>{escape(row.detail.title)}</summary>{_table(row.detail)}</details>"
    return f'{made}<tr class="detail"><td class="text" colspan="{len(cells)}">{inside}</td></tr>'


def _card(row: Row, table: Table) -> str:
    first, value, *more = zip(row.cells, table.columns, strict=True)
    lines = "".join(
        f"<dt>{escape(column.label)}</dt><dd{_look(column, cell)}>{_shown(cell, column)}</dd>"
        for cell, column in more
        if cell != ""
    )
    shown = f'<div class="value">{_shown(*value)}</div>'
    return f'<div class="card" data-key="{escape(row.key)}">{_tip(first, row)}{shown}<dl>{lines}</dl></div>'


def _tip(cell: tuple[Any, Column], row: Row) -> str:
    text = _shown(*cell)
    if not row.about:
        return text
    about = escape(row.about)
    return f'<span class="tip" tabindex="0" data-tip="{about}" aria-description="{about}">{text}</span>'


def _shown(cell: Any, column: Column) -> str:
    text = cell_text(cell, column)
    return escape(_SIGNS.get(text, "") + text if column.unit == "verdict" else text)


def _look(column: Column, cell: Any = "") -> str:
    sign = _LOOKS.get(cell if column.unit == "verdict" else cell_sign(cell, column), "")
    looks = " ".join(look for look in ("text" * column.is_text, sign) if look)
    return f' class="{looks}"' if looks else ""
