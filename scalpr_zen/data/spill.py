"""The spill: prints in an anonymous temporary file, where the order of the files does not give that of the tape.

The file vanishes with the process, however that ends.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.npz import write_all
from scalpr_zen.data.columns import PRINT_COLUMNS
from scalpr_zen.data.reading import Block

Array = NDArray[Any]


class Spill:
    """A temporary file of blocks.

    Parameters
    ----------
    folder : Path
        Where there is room for it: beside the tape.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        self._lock = threading.Lock()
        self._blocks: list[Block] = []

    def __enter__(self) -> Spill:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def take(self, number: int, blocks: Sequence[Block], check: Callable[[], None]) -> None:
        """Write blocks at the end of the file."""
        with self._lock:
            self._blocks += [replace(block, columns=self._written(block)) for block in blocks]

    def end(self, number: int) -> None:
        """Files need no end here."""

    def by_session(self) -> list[list[Block]]:
        """Return the blocks of each session, in order of session, file and place in the file."""
        sessions: dict[int, list[Block]] = {}
        for block in sorted(self._blocks, key=lambda block: (block.session, block.source)):
            sessions.setdefault(block.session, []).append(block)
        return list(sessions.values())

    def read(self, offset: int, rows: int, dtype: np.dtype[Any]) -> Array:
        """Read rows of a column."""
        column: Array = np.empty(rows, dtype)
        left = column.view(np.uint8).data
        self._file.seek(offset)
        while left:
            left = left[self._file.readinto(left) :]
        return column

    def _written(self, block: Block) -> _Spilled:
        offsets = {}
        for name in PRINT_COLUMNS:
            offsets[name] = self._file.tell()
            write_all(self._file, block.columns[name].view(np.uint8).data)
        return _Spilled(self, offsets, block.rows)


@dataclass(frozen=True)
class _Spilled:
    spill: Spill
    offsets: dict[str, int]
    rows: int

    def __getitem__(self, name: str) -> Array:
        return self.spill.read(self.offsets[name], self.rows, PRINT_COLUMNS[name])
