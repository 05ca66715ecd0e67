"""Numbers and tables as text and as HTML."""

import math
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalpr_zen.render.html import blocks_html
from scalpr_zen.render.lines import block_lines
from scalpr_zen.render.table import Amount, Column, Row, Table, Words, beside, cell_text
from scalpr_zen.render.text import WIDTH, number

# Numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (1_234.5, "usd", "$1,234.50"),
        (-1_234.567, "usd", "-$1,234.57"),
        (0.0, "usd", "$0.00"),
        (-0.0, "usd", "$0.00"),
        (0.35, "share", "35.00%"),
        (1.0172, "ratio", "1.017"),
        (12_345, "", "12,345"),
        (7, "trades", "7 trades"),
        (0.000012345, "p", "1.234e-05"),
        (0.7046, "p", "0.7046"),
        (90.0, "seconds", "90.000 s"),
        (math.nan, "usd", "n/a"),
        (math.nan, "ratio", "n/a"),
        (None, "", "n/a"),
    ],
)
def test_numbers_as_text(value, unit, shown):
    assert number(value, unit) == shown


@pytest.mark.parametrize(("value", "shown"), [(1.5, "+$1.50"), (-1.5, "-$1.50"), (0.0, "$0.00"), (None, "n/a")])
def test_a_signed_number_has_a_plus_before_a_gain(value, shown):
    assert number(value, "usd", signed=True) == shown


# Tables -----------------------------------------------------------------------------------------------

TAGS = {"h3", "div", "table", "thead", "tbody", "tr", "th", "td", "span", "details", "summary"}
WORD = st.text("abc <&>\"'", min_size=1, max_size=8).map(str.strip).filter(bool)
UNITS = st.sampled_from(["text", "verdict", "", "usd", "share", "p", "seconds", "points"])


@st.composite
def tables(draw, details=True):
    columns = [Column(draw(WORD), unit, draw(st.booleans())) for unit in draw(st.lists(UNITS, min_size=1, max_size=4))]

    def cell(column):
        if column.is_text:
            return draw(WORD)
        return draw(st.one_of(st.none(), st.just(math.nan), st.integers(-(10**6), 10**6), st.floats(-1e6, 1e6), WORD))

    rows = [
        Row([cell(column) for column in columns], f"row {k}", draw(st.just("") | WORD), draw(st.booleans()))
        for k in range(draw(st.integers(0, 4)))
    ]
    if details and rows:
        rows[0] = rows[0]._replace(detail=draw(tables(details=False)))
    return Table(columns, rows, draw(st.just("") | WORD), plain=draw(st.booleans()))


def texts_of(table):
    return [
        [cell_text(cell, column) for cell, column in zip(row.cells, table.columns, strict=True)] for row in table.rows
    ]


@given(tables(details=False))
def test_a_table_as_text_has_every_cell_under_its_heading(table):
    lines = list(block_lines(table))
    if table.title:
        assert lines[:2] == ["", f"  {table.title}"]
        lines = lines[2:]
    expected = texts_of(table) if table.plain else [[column.label for column in table.columns], *texts_of(table)]
    assert len(lines) == len(expected)
    start = 2
    for k, column in enumerate(table.columns):
        width = max(len(cells[k]) for cells in expected) if expected else 0
        for line, cells in zip(lines, expected, strict=True):
            text = line.ljust(1_000)[start : start + width]
            assert text == (cells[k].ljust(width) if column.is_text else cells[k].rjust(width))
        start += width + 2
    stars = [line.startswith("*") for line in lines][-len(table.rows) or len(lines) :]
    assert stars == [row.own for row in table.rows]


class Parsed(HTMLParser):
    """The text of every cell, and the attributes of every tag."""

    def __init__(self, text):
        super().__init__()
        self.cells, self.tags, self.open = [], [], None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("td", "th", "p", "summary"):
            self.cells.append("")

    def handle_data(self, data):
        if self.cells:
            self.cells[-1] += data

    def of(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@given(tables())
def test_a_table_as_html_has_every_cell_and_nothing_of_a_text_is_markup(table):
    page = Parsed(blocks_html([table]))
    signs = str.maketrans("", "", "\u2713\u2717 *")
    found = [cell.translate(signs) for cell in page.cells]
    heads = [] if table.plain else [column.label for column in table.columns]
    expected = list(heads)
    for row, cells in zip(table.rows, texts_of(table), strict=True):
        expected += cells
        if row.detail is not None:
            expected += ["", row.detail.title]
            expected += [] if row.detail.plain else [column.label for column in row.detail.columns]
            expected += [cell for line in texts_of(row.detail) for cell in line]
    assert found == [text.translate(signs) for text in expected]
    assert {tag for tag, _ in page.tags} <= TAGS
    rows = [inner for row in table.rows for inner in (row, *(row.detail.rows if row.detail else ()))]
    assert [attrs["data-tip"] for attrs in page.of("span")] == [row.about for row in rows if row.about]
    assert sum("aria-current" in attrs for attrs in page.of("tr")) == sum(row.own for row in rows)
    assert sum(cell.startswith("* ") for cell in page.cells) == sum(row.own for row in rows)


@pytest.mark.parametrize(("value", "look"), [(2.0, "good"), (-2.0, "bad"), (0.0, None), (None, None), ("text", None)])
def test_only_a_signed_column_says_by_its_colour_what_is_a_gain(value, look):
    signed, plain = (
        Table([Column("a", "text"), Column("b", "usd", sign)], [Row(("x", value))]) for sign in (True, False)
    )
    assert Parsed(blocks_html([signed])).of("td")[1].get("class") == look
    assert Parsed(blocks_html([plain])).of("td")[1].get("class") is None


def test_a_verdict_has_a_sign_and_a_colour():
    rows = [Row((word,)) for word in ("PASS", "FAIL", "n/a", "")]
    page = Parsed(blocks_html([Table([Column("verdict", "verdict")], rows, plain=True)]))
    assert page.cells == ["\u2713 PASS", "\u2717 FAIL", "n/a", ""]
    assert [attrs["class"] for attrs in page.of("td")] == ["text good", "text bad", "text", "text"]


def test_sentences_are_wrapped_at_the_width_of_a_screen():
    lines = list(block_lines(Words(["word " * 50, "short"])))
    assert max(map(len, lines)) <= WIDTH
    assert " ".join(" ".join(lines).split()) == " ".join(["word"] * 50) + " short"
    assert lines[-1] == "  short"


def test_a_pinned_run_stands_beside_in_the_rows_that_both_have():
    columns = [Column("a", "text"), Column("value", compared=True), Column("target", "text")]
    own = Table(
        columns, [Row(("x", Amount(3, "usd"), ">"), "x"), Row(("y", Amount(None), ""), "y"), Row(("z", "n/a", ""), "z")]
    )
    other = Table(columns, [Row(("y", Amount(2), ""), "y"), Row(("x", Amount(5, "usd"), ">"), "x")])
    made = beside(own, other)
    assert [column.label for column in made.columns] == ["a", "value", "target", "pinned", "change"]
    assert texts_of(made) == [
        ["x", "$3.00", ">", "$5.00", "-$2.00"],
        ["y", "n/a", "", "2", "n/a"],
        ["z", "n/a", "", "", ""],
    ]
    assert beside(Table(columns[:1], [Row(("x",))]), own) == Table(columns[:1], [Row(("x",))])
