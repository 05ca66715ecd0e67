"""The sections of a run as the page shows them: data, tables as HTML, charts, notes and one line each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from scalpr_zen.render.data import jsonable
from scalpr_zen.render.figure import pinned
from scalpr_zen.render.html import blocks_html
from scalpr_zen.render.table import Block, Table, beside
from scalpr_zen.runs.report import fast, leading
from scalpr_zen.runs.result import Result
from scalpr_zen.sections import by_notes, sections
from scalpr_zen.sections.section import Section

Data = dict[str, Any]


def listed() -> list[dict[str, Any]]:
    """Return what the page must know of every section before there is a run; `notes` is the place of its notes."""
    places = {section.name: place for place, section in enumerate(by_notes())}
    return [
        {"name": s.name, "title": s.title, "sentence": s.sentence, "later": s.later, "label": s.label}
        | {"notes": places[s.name]}
        for s in sections().values()
    ]


def run_answer(result: Result, other: Result | None) -> dict[str, Any]:
    """Return a run: its manifest, what leads the page, and every section that is there as soon as the trades are.

    Parameters
    ----------
    result : Result
    other : Result, optional
        The pinned run, which stands beside it in tables and charts.
    """
    values, others = jsonable(result.values), jsonable(other.values) if other else None
    first = _compared(leading(result.values), leading(other.values) if other else None)
    return {
        "name": f"{result.run.strategy} {result.tape.instrument.root}",
        "timing": fast(result.values["manifest"]),
        "manifest": values["manifest"],
        "headline": blocks_html(first),
        "sections": {s.name: _answer(s, result, values, other, others) for s in sections().values() if not s.later},
    }


def section_answer(result: Result, name: str, other: Result | None = None) -> dict[str, Any]:
    """Return one section of a run."""
    return _answer(sections()[name], result, jsonable(result.values), other, jsonable(other.values) if other else None)


def _answer(section: Section, result: Result, values: Data, other: Result | None, others: Data | None) -> Data:
    blocks = _compared(_blocks(section, result), _blocks(section, other) if other else None)
    return {
        "values": values[section.name],
        "html": blocks_html(blocks),
        "figures": _figures(section, values, others),
        "notes": list(section.notes(result.run, result.values)),
        "line": section.line(result.values) if section.line else "",
    }


def _blocks(section: Section, result: Result) -> list[Block]:
    return list(section.blocks(result.run, result.values))


def _compared(blocks: Sequence[Block], others: Sequence[Block] | None) -> Iterable[Block]:
    """Return blocks with what a pinned run has in the same tables."""
    if others is None or len(blocks) != len(others):
        return blocks
    return [
        beside(own, other) if isinstance(own, Table) and isinstance(other, Table) else own
        for own, other in zip(blocks, others, strict=True)
    ]


def _figures(section: Section, values: Data, others: Data | None) -> Data:
    figures = {chart.name: chart.figure(values) for chart in section.charts}
    if others is None or section.later:
        return figures
    return {chart.name: pinned(figures[chart.name], chart.figure(others)) for chart in section.charts}
