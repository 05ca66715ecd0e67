"""Reading the files: each one once and in parallel, its prints as blocks of one session date and contract."""

from __future__ import annotations

import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np

from scalpr_zen.base.arrays import Array, Int64
from scalpr_zen.base.engine import run_all, stop_if_interrupted
from scalpr_zen.base.npz import write_all
from scalpr_zen.data.columns import PRINT_COLUMNS, Block, Splitter
from scalpr_zen.data.dbn import read_batches, sha256
from scalpr_zen.data.plan import Plan

Progress = Callable[[int, int], None]
ROOM = 1 << 29
"""Bytes of prints that may wait in memory for their turn."""


@dataclass(frozen=True)
class FileResult:
    """What one file gave beside its blocks: its SHA-256, and what `Splitter` found out."""

    sha256: str
    records: int
    reasons: Int64
    steps: list[Int64]

    @property
    def prints(self) -> int:
        """Prints of outrights of the root."""
        return self.records - int(self.reasons.sum())


def read_all(plan: Plan, sink: InOrder | Spill, progress: Progress | None) -> list[FileResult]:
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
    plan: Plan, number: int, sink: InOrder | Spill, on_read: Callable[[int], None], check: Callable[[], None]
) -> FileResult:
    source = plan.sources[number]
    tick, contracts = plan.instrument.tick_nanos, len(plan.contracts)
    splitter = Splitter(number, source, plan.symbols[number], plan.opens, tick, contracts)
    digest = sha256(source.path)
    for records in read_batches(source, on_read):
        sink.take(number, splitter.split(records), check)
    sink.end(number)
    return FileResult(digest, splitter.records, splitter.reasons, splitter.steps)


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


class Spill:
    """Keeps blocks in an anonymous file, where the order of the files does not give that of the tape.

    It vanishes with the process, however that ends.

    Parameters
    ----------
    folder : Path
        Where there is room for it: beside the tape.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        self._lock = threading.Lock()
        self._blocks: list[tuple[int, Block]] = []

    def __enter__(self) -> Spill:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def take(self, number: int, blocks: Sequence[Block], check: Callable[[], None]) -> None:
        """Write blocks at the end of the file."""
        with self._lock:
            for block in blocks:
                self._blocks.append((self._file.tell(), replace(block, columns={})))
                for name in PRINT_COLUMNS:
                    write_all(self._file, block.columns[name].view(np.uint8).data)

    def end(self, number: int) -> None:
        """Files need no end here."""

    def by_session(self) -> list[list[Block]]:
        """Return the blocks of each session, in order of session, file and place in the file."""
        if not self._blocks:
            return []
        data = np.asarray(np.memmap(self._file, np.uint8, "r"))
        mapped = [replace(block, columns=dict(_columns(data, at, block.rows))) for at, block in self._blocks]
        mapped.sort(key=lambda block: (block.session, block.source))
        return [list(blocks) for _, blocks in groupby(mapped, key=lambda block: block.session)]


def _columns(data: Array, at: int, rows: int) -> Iterator[tuple[str, Array]]:
    """Give the columns of a block that begins at this byte of the file."""
    for name, dtype in PRINT_COLUMNS.items():
        end = at + rows * dtype.itemsize
        yield name, data[at:end].view(dtype)
        at = end
