"""Arranging the tape: the prints of the front months in order of time, their segments and sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby, pairwise
from typing import Any

import numpy as np

from scalpr_zen.base.arrays import Array, Int64
from scalpr_zen.base.engine import stop_if_interrupted
from scalpr_zen.base.errors import DataError
from scalpr_zen.base.npz import NpzWriter
from scalpr_zen.data.calendar import close_sessions
from scalpr_zen.data.columns import PRINT_COLUMNS, Block
from scalpr_zen.data.front_month import Contract, Volumes
from scalpr_zen.data.plan import Plan
from scalpr_zen.data.tables import COLUMNS, SEGMENT, SESSION, runs

Fronts = Callable[[date, Mapping[Contract, int]], Sequence[Contract]]
"""The contracts of a session date on the tape, from the date and its volumes."""


class LateSession(Exception):
    """A print of a session date came after the next one had begun: the order of the files is not that of the tape."""


@dataclass(frozen=True)
class Arrangement:
    """The tape as written, with what only ingest knows of it.

    Attributes
    ----------
    columns : dict of str to array
        Those of `tape.COLUMNS`.
    segments, sessions : arrays of SEGMENT and SESSION
    contracts : sequence of Contract
        Those of the segments.
    about_sessions : dict
        Metadata of the sessions: `closes` and `missing`.
    reordered : int
        Prints that came after a later one.
    rows, volumes : mapping of session date to mapping of contract to prints, and to contracts traded
        Of every outright, on the tape or not; in order of date.
    """

    columns: Mapping[str, Array]
    segments: Array
    contracts: Sequence[Contract]
    sessions: Array
    about_sessions: Mapping[str, Any]
    reordered: int
    rows: Mapping[date, Mapping[Contract, int]]
    volumes: Volumes

    @property
    def length(self) -> int:
        """Prints of the tape."""
        return len(self.columns["ts"])

    @property
    def days(self) -> list[date]:
        """The session dates of the tape."""
        days: list[date] = self.sessions["date"].tolist()
        return days

    def day_of(self, index: int) -> date:
        """Return the session date of a print."""
        return self.days[int(np.searchsorted(self.sessions["stop"], index, side="right"))]


class Arranger:
    """Writes the columns of a tape, session date by session date.

    Parameters
    ----------
    plan : Plan
    fronts : Fronts
    out : NpzWriter
        With room for the columns.
    """

    def __init__(self, plan: Plan, fronts: Fronts, out: NpzWriter) -> None:
        self._plan, self._fronts, self._out = plan, fronts, out
        self._pending: list[Block] = []
        self._sessions: list[tuple[date, int, int, int, bool]] = []
        self._labels: list[tuple[int, int]] = []
        self._length = self._reordered = 0
        self._rows: dict[date, dict[Contract, int]] = {}
        self._volumes: dict[date, dict[Contract, int]] = {}

    def give(self, blocks: Sequence[Block]) -> None:
        """Add blocks in the order of the files; a session date is written when the next one begins.

        Raises
        ------
        LateSession
            If a block belongs to a session date that is written.
        DataError
            If two files hold the same trades.
        """
        for session, group in groupby(blocks, key=lambda block: block.session):
            now = self._pending[0].session if self._pending else session
            if session < now:
                raise LateSession
            if session > now:
                self._write_session()
            self._pending += group

    def finish(self) -> Arrangement:
        """Write the last session date, seal the columns and return the tape's tables.

        Raises
        ------
        DataError
            If no print is on the tape.
        """
        if self._pending:
            self._write_session()
        if not self._length:
            raise DataError("the roll leaves no print: the chosen contracts have no trades in the files")
        columns = self._out.seal(self._length)
        table = np.array(self._sessions, SESSION)
        about = close_sessions(self._plan.instrument.calendar, table, columns["ts"], {})
        segments, contracts = _segments(self._plan, self._labels, self._length)
        return Arrangement(columns, segments, contracts, table, about, self._reordered, self._rows, self._volumes)

    def _write_session(self) -> None:
        """Choose the contracts of the pending session date, and write its prints in order of (ts_event, sequence)."""
        stop_if_interrupted()
        plan, blocks = self._plan, self._pending
        day = day_of(plan, blocks)
        self._rows[day], self._volumes[day] = traded(plan, blocks)
        fronts = self._fronts(day, self._volumes[day])
        mine = [block for block in blocks if plan.contracts[block.contract] in fronts]
        for other in {block.contract for block in blocks} - {block.contract for block in mine}:
            _time_order(plan, [block for block in blocks if block.contract == other])  # refuses trades given twice
        self._pending = []
        if not mine:
            return
        order, late = _time_order(plan, mine)
        for name in COLUMNS:
            for part in [_join(mine, name)[order]] if order is not None else (block.columns[name] for block in mine):
                self._out.append(name, part)
        start, self._length = self._length, self._length + sum(block.rows for block in mine)
        self._sessions.append((day, start, self._length, 0, False))
        self._labels += [(contract, start + row) for contract, row in _contract_runs(mine, order)]
        self._reordered += late


def day_of(plan: Plan, blocks: Sequence[Block]) -> date:
    """Return the session date of the blocks of one session."""
    day: date = plan.dates[blocks[0].session].item()
    return day


def traded(plan: Plan, blocks: Sequence[Block]) -> tuple[dict[Contract, int], dict[Contract, int]]:
    """Return the prints and the contracts traded of each contract of a session date, in order of expiry."""
    rows: dict[int, int] = {}
    volumes: dict[int, int] = {}
    for block in blocks:
        rows[block.contract] = rows.get(block.contract, 0) + block.rows
        volumes[block.contract] = volumes.get(block.contract, 0) + block.volume
    numbers = sorted(rows)
    return {plan.contracts[k]: rows[k] for k in numbers}, {plan.contracts[k]: volumes[k] for k in numbers}


def _join(blocks: Sequence[Block], name: str) -> Array:
    return np.concatenate([block.columns[name] for block in blocks])


def _time_order(plan: Plan, blocks: Sequence[Block]) -> tuple[Int64 | None, int]:
    """Return the order of a session's prints, None if they are in order, and how many came late.

    A print is late if it comes after a print of its contract with a later (ts_event, sequence), in its file or in an
    earlier file of the session date.
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


def _late(ranks: Int64) -> int:
    return int((ranks < np.maximum.accumulate(ranks)).sum())


def _refuse_duplicates(plan: Plan, blocks: Sequence[Block], order: Int64) -> None:
    """Refuse the same trades in two files: neighbours in order that differ only in their file.

    One such pair may be two equal fills of one order on both sides of a split; two files that cover the same time have
    a pair for each of their trades.
    """
    rows = [block.rows for block in blocks]
    sources = np.repeat([block.source for block in blocks], rows)[order]
    contracts = np.repeat([block.contract for block in blocks], rows)[order]
    same = (sources[1:] != sources[:-1]) & (contracts[1:] == contracts[:-1])
    for name in PRINT_COLUMNS:
        column = _join(blocks, name)[order]
        same &= column[1:] == column[:-1]
    pairs = np.stack([sources[:-1][same], sources[1:][same]])
    distinct, counts = np.unique(pairs, axis=1, return_counts=True)
    for first, second, count in zip(*distinct.tolist(), counts.tolist(), strict=True):
        if count > 1:
            names = f"{plan.sources[first].path.name} and {plan.sources[second].path.name}"
            raise DataError(f"{names} hold the same trades ({count} of a session): remove one of them")


def _contract_runs(blocks: Sequence[Block], order: Int64 | None) -> list[tuple[int, int]]:
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
