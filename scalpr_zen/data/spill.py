"""The spill: prints in an anonymous temporary file, where the order of the files does not give that of the tape.

The file vanishes with the process, however that ends.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.arrays import Array
from scalpr_zen.base.npz import write_all
from scalpr_zen.data.columns import PRINT_COLUMNS, Block


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


def _columns(data: NDArray[np.uint8], at: int, rows: int) -> Iterator[tuple[str, Array]]:
    """Give the columns of a block that begins at this byte of the file."""
    for name, dtype in PRINT_COLUMNS.items():
        end = at + rows * dtype.itemsize
        yield name, data[at:end].view(dtype)
        at = end
