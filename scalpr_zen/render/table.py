"""What a section shows besides its charts: tables and sentences, as plain data that every renderer reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from scalpr_zen.render.text import number


class Amount(NamedTuple):
    """A number with a unit of its own, where the cells of a column differ in theirs."""

    value: Any
    unit: str = ""
    signed: bool = False
    missing: str = "n/a"


class Column(NamedTuple):
    """A column: its heading, the unit of its numbers, whether they show their sign, whether a pinned run has them too.

    A column of the unit "text" is aligned to the left; "verdict" holds PASS, FAIL or nothing.
    """

    label: str
    unit: str = ""
    signed: bool = False
    compared: bool = False

    @property
    def is_text(self) -> bool:
        """Whether the cells are words."""
        return self.unit in ("text", "verdict")


class Row(NamedTuple):
    """A row: one cell a column; its key; what its first cell means; whether it is the run's own; a table of its own."""

    cells: Sequence[Any]
    key: str = ""
    about: str = ""
    own: bool = False
    detail: Table | None = None


@dataclass(frozen=True)
class Table:
    """Rows under columns. `cards` asks for one card per row if there is room; `plain` shows no headings."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    title: str = ""
    cards: bool = False
    plain: bool = False


class Words(NamedTuple):
    """Sentences, a paragraph each."""

    lines: Sequence[str]
    title: str = ""


Block = Table | Words


def cell_text(cell: Any, column: Column) -> str:
    """Return a cell as text: words as they are, a number in its unit, `n/a` for what is undefined."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Amount):
        return number(cell.value, cell.unit, signed=cell.signed, missing=cell.missing)
    return number(cell, column.unit, signed=column.signed)


def cell_sign(cell: Any, column: Column) -> int:
    """Return the sign of a number of a column that shows signs: 1, -1 or 0."""
    if not column.signed or cell is None or isinstance(cell, str | Amount):
        return 0
    return int(cell > 0) - int(cell < 0)


def facts(pairs: Iterable[tuple[str, Any]], title: str = "") -> Table:
    """Return a table of labels and values without headings."""
    columns = (Column("", "text"), Column("", "text"))
    return Table(columns, [Row(pair) for pair in pairs], title, plain=True)


def beside(table: Table, pinned: Table) -> Table:
    """Return a table with the compared column of a pinned run's table, and the difference, where both have the row."""
    at = next((k for k, column in enumerate(table.columns) if column.compared), None)
    if at is None:
        return table
    others = {row.key: row.cells[at] for row in pinned.rows}
    columns = (*table.columns, Column("pinned"), Column("change"))
    return replace(table, columns=columns, rows=[_compared(row, at, others.get(row.key)) for row in table.rows])


def _compared(row: Row, at: int, other: Any) -> Row:
    own = row.cells[at]
    if not isinstance(own, Amount) or not isinstance(other, Amount):
        return row._replace(cells=(*row.cells, "", ""))
    known = number(own.value) != "n/a" and number(other.value) != "n/a"
    change = Amount(own.value - other.value if known else None, own.unit, signed=True)
    return row._replace(cells=(*row.cells, other, change))
