"""Reading the files: each one once, in parallel, its prints spilled to disk by session date and contract.

The spill is an anonymous temporary file a worker; it vanishes with the process, however that ends.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.ingest.columns import (
    MAX_CLOCK_ERROR,
    MAX_DELAY,
    PRINT_COLUMNS,
    REASONS,
    Batch,
    Splitter,
    Symbols,
)
from scalpr_zen.ingest.dbn import Source, read_batches, sha256
from scalpr_zen.ingest.front_month import Contract
from scalpr_zen.instruments import Instrument

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


@dataclass(frozen=True)
class Block:
    """Prints of one session date and contract from one batch of one file, lying in the spill.

    `ordered` tells that they are in order of (ts_event, sequence).
    """

    source: int
    session: int
    contract: int
    rows: int
    ordered: bool
    spill: IO[bytes]
    offsets: Mapping[str, int]

    def read(self, name: str, rows: slice = slice(None)) -> Array:
        """Read one column of the block, or some of its rows."""
        start, stop, _ = rows.indices(self.rows)
        data: Array = np.empty(stop - start, PRINT_COLUMNS[name])
        self.spill.seek(self.offsets[name] + start * data.itemsize)
        self.spill.readinto(data.view(np.uint8).data)  # type: ignore[attr-defined]
        return data

    def end(self, row: int) -> tuple[int, int]:
        """Return (ts_event, sequence) of the first row, 0, or of the last, -1."""
        rows = slice(0, 1) if row == 0 else slice(-1, None)
        return int(self.read("ts", rows)[0]), int(self.read("sequence", rows)[0])


@dataclass
class FileResult:
    """What one file gave; volumes are by (session, contract), reasons by number as in `columns.REASONS`."""

    sha256: str
    records: int = 0
    reasons: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(REASONS) + 1, np.int64))
    blocks: list[Block] = field(default_factory=list)
    volumes: dict[tuple[int, int], int] = field(default_factory=dict)


def read_all(plan: Plan, spills: Sequence[IO[bytes]], progress: Progress | None) -> list[FileResult]:
    """Read every file of a plan, one worker a spill; the first error stops all workers.

    Raises
    ------
    DataError
        If a file is damaged.
    """
    stop, lock = threading.Event(), threading.Lock()
    free, total, done = list(spills), sum(source.bytes for source in plan.sources), 0

    def on_read(count: int) -> None:
        nonlocal done
        if stop.is_set():
            raise InterruptedError
        with lock:
            done += count
            if progress is not None:
                progress(done, total)

    def work(number: int) -> FileResult:
        spill = free.pop()
        try:
            return _read_file(plan, number, spill, on_read)
        except BaseException:
            stop.set()
            raise
        finally:
            free.append(spill)

    with ThreadPoolExecutor(len(spills)) as pool:
        futures = [pool.submit(work, number) for number in range(len(plan.sources))]
        try:
            errors = [error for future in futures if (error := future.exception()) is not None]
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    for error in errors:
        if not isinstance(error, InterruptedError):
            raise error
    return [future.result() for future in futures]


def _read_file(plan: Plan, number: int, spill: IO[bytes], on_read: Callable[[int], None]) -> FileResult:
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
        _spill(batch, number, first, spill, result)
    result.records = splitter.records
    return result


def _spill(batch: Batch, number: int, first_session: int, spill: IO[bytes], result: FileResult) -> None:
    offsets = {}
    for name, column in batch.columns.items():
        offsets[name] = spill.seek(0, os.SEEK_END)
        _write_all(spill, column.view(np.uint8).data)
    for (session, contract, start, stop, ordered), volume in zip(batch.groups, batch.volume, strict=True):
        where = {name: offset + start * PRINT_COLUMNS[name].itemsize for name, offset in offsets.items()}
        key = (first_session + session, contract)
        result.blocks.append(Block(number, *key, stop - start, ordered, spill, where))
        result.volumes[key] = result.volumes.get(key, 0) + volume


def _write_all(file: IO[bytes], data: memoryview) -> None:
    while data:  # an unbuffered write may take a part
        data = data[file.write(data) :]
