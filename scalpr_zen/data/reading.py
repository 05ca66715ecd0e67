"""Reading the files: each one once and in parallel, its prints as blocks of one session date and contract."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.engine import run_all, stop_if_interrupted
from scalpr_zen.data.columns import MAX_CLOCK_ERROR, MAX_DELAY, PRINT_COLUMNS, REASONS, Batch, Splitter
from scalpr_zen.data.dbn import read_batches, sha256
from scalpr_zen.data.plan import Plan

Array = NDArray[Any]

Progress = Callable[[int, int], None]
ROOM = 1 << 29
"""Bytes of prints that may wait in memory for their turn."""


class Columns(Protocol):
    """The columns of a block, in memory or in a file."""

    def __getitem__(self, name: str, /) -> Array: ...


@dataclass(frozen=True)
class Block:
    """Prints of one session date and contract from one batch of one file.

    `first` and `last` are the (ts_event, sequence) of its ends. `late` rows come after a row of their contract in the
    file that is later; a block without any is in order.
    """

    source: int
    session: int
    contract: int
    rows: int
    volume: int
    late: int
    first: tuple[int, int]
    last: tuple[int, int]
    columns: Columns


class Sink(Protocol):
    """Where the blocks go. Each worker calls it with its own files."""

    def take(self, number: int, blocks: Sequence[Block], check: Callable[[], None]) -> None:
        """Take the next blocks of a file; `check` raises when the reading has to stop."""

    def end(self, number: int) -> None:
        """Take note that a file has no more blocks."""


@dataclass
class FileResult:
    """What one file gave beside its blocks.

    `reasons` counts the records that are no print, by number as in `columns.REASONS`; `steps` are some price changes,
    for the check of the tick.
    """

    sha256: str
    records: int = 0
    reasons: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(REASONS) + 1, np.int64))
    steps: list[NDArray[np.int64]] = field(default_factory=list)

    @property
    def prints(self) -> int:
        """Prints of outrights of the root."""
        return self.records - int(self.reasons.sum())


def read_all(plan: Plan, sink: Sink, progress: Progress | None) -> list[FileResult]:
    """Read every file of a plan; the first error, or an interrupt, stops all workers.

    Raises
    ------
    DataError
        If a file is damaged.
    KeyboardInterrupt
        On Ctrl-C.
    """
    failed, lock = threading.Event(), threading.Lock()
    total, done = sum(source.bytes for source in plan.sources), 0

    def check() -> None:
        stop_if_interrupted()
        if failed.is_set():
            raise KeyboardInterrupt  # the real error takes precedence over it

    def on_read(count: int) -> None:
        nonlocal done
        check()
        with lock:
            done += count
            if progress is not None:
                progress(done, total)

    def work(number: int) -> FileResult:
        try:
            return _read_file(plan, number, sink, on_read, check)
        except BaseException:
            failed.set()
            raise

    return run_all(work, range(len(plan.sources)))


def _read_file(
    plan: Plan, number: int, sink: Sink, on_read: Callable[[int], None], check: Callable[[], None]
) -> FileResult:
    source = plan.sources[number]
    ends = [source.start - MAX_DELAY, source.end + MAX_CLOCK_ERROR]
    first, last = (int(k) - 1 for k in np.searchsorted(plan.opens, ends, side="right"))
    splitter = Splitter(
        source,
        plan.symbols[number],
        plan.opens[first : last + 2],
        plan.instrument.tick_nanos,
        len(plan.contracts),
    )
    result = FileResult(sha256(source.path))
    for records in read_batches(source, on_read):
        batch = splitter.split(records)
        result.reasons += batch.reasons
        result.steps.append(batch.steps)
        sink.take(number, _blocks(batch, number, first), check)
    result.records = splitter.records
    sink.end(number)
    return result


def _blocks(batch: Batch, source: int, first_session: int) -> list[Block]:
    return [
        Block(
            source,
            first_session + session,
            contract,
            stop - start,
            volume,
            late,
            _moment(batch, start),
            _moment(batch, stop - 1),
            {name: column[start:stop] for name, column in batch.columns.items()},
        )
        for (session, contract, start, stop, late), volume in zip(batch.groups, batch.volume, strict=True)
    ]


def _moment(batch: Batch, row: int) -> tuple[int, int]:
    return int(batch.columns["ts"][row]), int(batch.columns["sequence"][row])


class InOrder:
    """Passes blocks on in the order of the files, although several workers read them.

    The worker with the first unfinished file passes its blocks on at once. The others keep theirs in memory, and wait
    only if more than ROOM is kept.
    """

    def __init__(self, give: Callable[[Sequence[Block]], None]) -> None:
        self._give = give
        self._turn = self._kept = 0
        self._waiting: defaultdict[int, list[Block]] = defaultdict(list)
        self._ended: set[int] = set()
        self._moved = threading.Condition()

    def take(self, number: int, blocks: Sequence[Block], check: Callable[[], None]) -> None:
        """Pass blocks on, or keep them until it is the turn of their file."""
        with self._moved:
            self._waiting[number] += blocks
            self._kept += sum(map(_bytes, blocks))
            while number != self._turn and self._kept > ROOM:
                self._moved.wait(0.05)
                check()
        if number == self._turn:
            self._pass_on()

    def end(self, number: int) -> None:
        """If it is the turn of this file, pass on its blocks and those of finished files after it."""
        with self._moved:
            self._ended.add(number)
            mine = number == self._turn
        while mine:
            self._pass_on()
            with self._moved:
                self._turn += 1
                self._moved.notify_all()
                mine = self._turn in self._ended

    def _pass_on(self) -> None:
        with self._moved:
            blocks = self._waiting.pop(self._turn, [])
            self._kept -= sum(map(_bytes, blocks))
        self._give(blocks)


def _bytes(block: Block) -> int:
    return block.rows * sum(dtype.itemsize for dtype in PRINT_COLUMNS.values())
