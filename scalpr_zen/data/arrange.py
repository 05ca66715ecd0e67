"""Arranging the tape: the prints of the front months in order of time, their segments and sessions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.engine import stop_if_interrupted
from scalpr_zen.base.errors import DataError
from scalpr_zen.data.calendar import Closes, session_closes
from scalpr_zen.data.columns import PRINT_COLUMNS
from scalpr_zen.data.front_month import Contract
from scalpr_zen.data.spill import Block, FileResult, Plan
from scalpr_zen.data.tape import SEGMENT, SESSION, covered, runs

Array = NDArray[Any]


@dataclass(frozen=True)
class Day:
    """The prints of one session date: its blocks, and their order where the files do not give it."""

    date: date
    blocks: Sequence[Block]
    order: NDArray[np.int64] | None

    def read(self, name: str) -> Iterator[Array]:
        """Give a column in order of time; block by block where the blocks are in order."""
        if self.order is None:
            yield from (block.read(name) for block in self.blocks)
        else:
            yield _join(self.blocks, name)[self.order]


@dataclass(frozen=True)
class Arrangement:
    """The tape to be written, with the contracts of its segments.

    `reordered` counts the prints that came after a later one.
    """

    days: Sequence[Day]
    segments: Array
    contracts: Sequence[Contract]
    sessions: Array
    closes: Closes
    reordered: int

    @property
    def length(self) -> int:
        """Prints of the tape."""
        return int(self.sessions["stop"][-1]) if len(self.sessions) else 0

    def column(self, name: str) -> Iterator[Array]:
        """Give a column of the tape, block by block."""
        for day in self.days:
            yield from day.read(name)

    def prints_after_close(self) -> int:
        """Count the prints later than the scheduled close of their session date."""
        late = 0
        for day, close in zip(self.days, self.closes.ns.tolist(), strict=True):
            blocks = [block for block in day.blocks if block.late or block.last[0] > close]
            late += sum(int((block.read("ts") > close).sum()) for block in blocks)
        return late

    def session_of(self, index: int) -> int:
        """Return the number of the session that holds a print."""
        return int(np.searchsorted(self.sessions["stop"], index, side="right"))

    def price(self, index: int) -> int:
        """Return the price of a print in ticks."""
        number = self.session_of(index)
        prices = np.concatenate(list(self.days[number].read("price")))
        return int(prices[index - self.sessions["start"][number]])


def arrange(plan: Plan, results: Sequence[FileResult], fronts: Mapping[date, Sequence[Contract]]) -> Arrangement:
    """Put the prints of the front months in order of (ts_event, sequence).

    Parameters
    ----------
    plan, results
        What the files gave, in the order of the files.
    fronts : mapping of session date to its contracts

    Raises
    ------
    DataError
        If two files hold the same trades.
    """
    numbers = {contract: number for number, contract in enumerate(plan.contracts)}
    days, sessions, labels = [], [], []
    reordered = at = 0
    for session, blocks in sorted(_by_session(results).items()):
        stop_if_interrupted()
        day = plan.dates[session].item()
        chosen = {numbers[contract] for contract in fronts.get(day, ())}
        for other in {block.contract for block in blocks} - chosen:
            _time_order(plan, [block for block in blocks if block.contract == other])  # refuses trades given twice
        mine = [block for block in blocks if block.contract in chosen]
        if not mine:
            continue
        order, late = _time_order(plan, mine)
        rows = sum(block.rows for block in mine)
        days.append(Day(day, mine, order))
        sessions.append((day, at, at + rows, 0, False))
        labels += [(contract, at + start) for contract, start in _contract_runs(mine, order)]
        reordered += late
        at += rows
    table = np.array(sessions, SESSION)
    closes = session_closes(plan.instrument.calendar, table["date"])
    table["close"] = closes.ns
    segments, contracts = _segments(plan, labels, at)
    first, last = (
        (np.array(ends, np.int64) for ends in zip(*map(_ends, days), strict=True)) if days else (closes.ns,) * 2
    )
    table["whole"] = covered(plan.instrument.calendar, table, first, last)
    return Arrangement(days, segments, contracts, table, closes, reordered)


def _ends(day: Day) -> tuple[int, int]:
    """Return the times of the first and the last print of a session date."""
    if day.order is None:
        return day.blocks[0].first[0], day.blocks[-1].last[0]
    times = [block.read("ts") for block in day.blocks]
    return min(int(ts.min()) for ts in times), max(int(ts.max()) for ts in times)


def _by_session(results: Sequence[FileResult]) -> dict[int, list[Block]]:
    blocks: dict[int, list[Block]] = {}
    for result in results:
        for block in result.blocks:
            blocks.setdefault(block.session, []).append(block)
    return blocks


def _join(blocks: Sequence[Block], name: str) -> Array:
    return np.concatenate([block.read(name) for block in blocks])


def _time_order(plan: Plan, blocks: Sequence[Block]) -> tuple[NDArray[np.int64] | None, int]:
    """Return the order of a session's prints, None if the files give it, and how many came late.

    A print is late if one of its contract that is later by (ts_event, sequence) stands before it in its
    file, or in an earlier file of the session date.
    """
    if not any(block.late for block in blocks) and all(a.last <= b.first for a, b in pairwise(blocks)):
        return None, 0
    order = np.lexsort((_join(blocks, "sequence"), _join(blocks, "ts")))
    _refuse_duplicates(plan, blocks, order)
    ranks = np.empty_like(order)
    ranks[order] = np.arange(len(order))
    rows = [block.rows for block in blocks]
    sources = np.repeat([block.source for block in blocks], rows)
    within = sum(_late(ranks[sources == source]) for source in np.unique(sources))
    return order, sum(block.late for block in blocks) + _late(ranks) - within


def _late(ranks: NDArray[np.int64]) -> int:
    return int((ranks < np.maximum.accumulate(ranks)).sum())


def _refuse_duplicates(plan: Plan, blocks: Sequence[Block], order: NDArray[np.int64]) -> None:
    """Refuse the same trades from two files: neighbours in order that differ in nothing but their file.

    One such pair may be two equal fills of one order on both sides of a split; two files that cover the
    same time give one for each of their trades.
    """
    rows = [block.rows for block in blocks]
    sources = np.repeat([block.source for block in blocks], rows)[order]
    contracts = np.repeat([block.contract for block in blocks], rows)[order]
    same = (sources[1:] != sources[:-1]) & (contracts[1:] == contracts[:-1])
    for name in PRINT_COLUMNS:
        column = _join(blocks, name)[order]
        same &= column[1:] == column[:-1]
    pairs = np.stack([sources[:-1][same], sources[1:][same]])
    for (first, second), count in zip(*(part.tolist() for part in _counted(pairs)), strict=True):
        if count > 1:
            names = f"{plan.sources[first].path.name} and {plan.sources[second].path.name}"
            raise DataError(f"{names} hold the same trades ({count} of a session): remove one of them")


def _counted(pairs: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    distinct, counts = np.unique(pairs, axis=1, return_counts=True)
    return distinct.T, counts


def _contract_runs(blocks: Sequence[Block], order: NDArray[np.int64] | None) -> list[tuple[int, int]]:
    """Return (contract number, first row) of the runs of contracts in a session."""
    contracts = {block.contract for block in blocks}
    if len(contracts) == 1:
        return [(contracts.pop(), 0)]
    codes = np.repeat([block.contract for block in blocks], [block.rows for block in blocks])
    codes = codes if order is None else codes[order]
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    return [(int(codes[start]), int(start)) for start in starts]


def _segments(plan: Plan, labels: Sequence[tuple[int, int]], length: int) -> tuple[Array, list[Contract]]:
    codes = np.array([code for code, _ in labels], dtype=np.int64)
    starts = np.array([start for _, start in labels] + [length], dtype=np.int64)
    table = runs(codes, np.dtype([("code", "<i8"), ("start", "<i8"), ("stop", "<i8")]))
    segments = np.empty(len(table), SEGMENT)
    contracts = [plan.contracts[code] for code in table["code"].tolist()]
    segments["contract"] = [contract.symbol for contract in contracts]
    segments["start"], segments["stop"] = starts[table["start"]], starts[table["stop"]]
    return segments, contracts
