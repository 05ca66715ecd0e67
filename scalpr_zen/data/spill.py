"""Reading the files: each one once, in parallel, its prints spilled to disk by session date and contract.

The spill is an anonymous temporary file a worker; it vanishes with the process, however that ends.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.engine import run_all, stop_if_interrupted
from scalpr_zen.base.instruments import Instrument
from scalpr_zen.base.npz import write_all
from scalpr_zen.data.columns import (
    MAX_CLOCK_ERROR,
    MAX_DELAY,
    PRINT_COLUMNS,
    REASONS,
    Batch,
    Splitter,
    Symbols,
)
from scalpr_zen.data.dbn import Source, read_batches, sha256
from scalpr_zen.data.front_month import Contract

Array = NDArray[Any]

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """What all workers share: the contracts in order of expiry, the sessions, the meaning of each file's ids."""

    instrument: Instrument
    sources: Sequence[Source]
    contracts: Sequence[Contract]
    symbols: Sequence[Symbols]
    dates: NDArray[np.datetime64]
    opens: NDArray[np.int64]


class Spill:
    """An anonymous temporary file of columns, written by one thread and then read by several.

    Parameters
    ----------
    folder : Path
        Where there is room for it: beside the tape.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        self._lock = threading.Lock()
        self._end = 0

    def __enter__(self) -> Spill:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, column: Array) -> int:
        """Write a column at the end; return its offset."""
        offset = self._end
        write_all(self._file, column.view(np.uint8).data)
        self._end += column.nbytes
        return offset

    def read(self, offset: int, rows: int, dtype: np.dtype[Any]) -> Array:
        """Read rows of a column."""
        column: Array = np.empty(rows, dtype)
        left = column.view(np.uint8).data
        with self._lock:
            self._file.seek(offset)
            while left:
                left = left[self._file.readinto(left) :]
        return column


@dataclass(frozen=True)
class Block:
    """Prints of one session date and contract from one batch of one file, lying in a spill.

    `first` and `last` are the (ts_event, sequence) of its ends. `late` rows come after one of their contract
    in the file that is later; without any the block is in order.
    """

    source: int
    session: int
    contract: int
    rows: int
    late: int
    first: tuple[int, int]
    last: tuple[int, int]
    spill: Spill
    offsets: Mapping[str, int]

    def read(self, name: str) -> Array:
        """Read one column."""
        return self.spill.read(self.offsets[name], self.rows, PRINT_COLUMNS[name])


@dataclass
class FileResult:
    """What one file gave; volumes are by (session, contract), reasons by number as in `columns.REASONS`.

    `steps` are some of its price changes, for the check of the tick.
    """

    sha256: str
    records: int = 0
    reasons: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(REASONS) + 1, np.int64))
    blocks: list[Block] = field(default_factory=list)
    volumes: dict[tuple[int, int], int] = field(default_factory=dict)
    steps: list[NDArray[np.int64]] = field(default_factory=list)


def read_all(plan: Plan, spills: Sequence[Spill], progress: Progress | None) -> list[FileResult]:
    """Read every file of a plan, one worker a spill; the first error, or an interrupt, stops all workers.

    Raises
    ------
    DataError
        If a file is damaged.
    KeyboardInterrupt
        On Ctrl-C.
    """
    failed, lock = threading.Event(), threading.Lock()
    free, total, done = list(spills), sum(source.bytes for source in plan.sources), 0

    def on_read(count: int) -> None:
        nonlocal done
        stop_if_interrupted()
        if failed.is_set():
            raise KeyboardInterrupt  # of all errors the one that counts least
        with lock:
            done += count
            if progress is not None:
                progress(done, total)

    def work(number: int) -> FileResult:
        spill = free.pop()
        try:
            return _read_file(plan, number, spill, on_read)
        except BaseException:
            failed.set()
            raise
        finally:
            free.append(spill)

    return run_all(work, range(len(plan.sources)))


def _read_file(plan: Plan, number: int, spill: Spill, on_read: Callable[[int], None]) -> FileResult:
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
        _spill(batch, number, first, spill, result)
    result.records = splitter.records
    return result


def _spill(batch: Batch, number: int, first_session: int, spill: Spill, result: FileResult) -> None:
    offsets = {name: spill.append(column) for name, column in batch.columns.items()}
    for (session, contract, start, stop, late), volume in zip(batch.groups, batch.volume, strict=True):
        key = (first_session + session, contract)
        ends = (_moment(batch, start), _moment(batch, stop - 1))
        where = {name: offset + start * PRINT_COLUMNS[name].itemsize for name, offset in offsets.items()}
        result.blocks.append(Block(number, *key, stop - start, late, *ends, spill, where))
        result.volumes[key] = result.volumes.get(key, 0) + volume


def _moment(batch: Batch, row: int) -> tuple[int, int]:
    return int(batch.columns["ts"][row]), int(batch.columns["sequence"][row])
