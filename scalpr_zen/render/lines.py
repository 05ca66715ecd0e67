"""Tables and sentences as lines of text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from scalpr_zen.render.table import Block, Table, cell_text
from scalpr_zen.render.text import WIDTH

_DETAILS = 3
"""Rows, from the last one back, whose own tables the text shows; the JSON holds all."""


def block_lines(block: Block) -> Iterator[str]:
    """Give a table or sentences line by line; the row of the run itself begins with a star."""
    if block.title:
        yield from ("", f"  {block.title}")
    if isinstance(block, Table):
        yield from _table_lines(block)
        return
    for line in block.lines:
        yield from textwrap.wrap(
            line, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False, break_long_words=False
        )


def _table_lines(table: Table, indent: str = "  ") -> Iterator[str]:
    texts = [list(map(cell_text, row.cells, table.columns)) for row in table.rows]
    head = [column.label for column in table.columns]
    lines = texts if table.plain else [head, *texts]
    widths = [max(map(len, column), default=0) for column in zip(*lines, strict=True)]
    own = [False] * (len(lines) - len(texts)) + [row.own for row in table.rows]
    for cells, mine in zip(lines, own, strict=True):
        padded = (
            cell.ljust(width) if column.is_text else cell.rjust(width)
            for cell, width, column in zip(cells, widths, table.columns, strict=True)
        )
        yield f"{indent[:-2]}{'*' if mine else ' '} {'  '.join(padded)}".rstrip()
    for detail in [row.detail for row in table.rows if row.detail is not None][-_DETAILS:]:
        yield from ("", f"{indent}{detail.title}")
        yield from _table_lines(detail, indent + "  ")
