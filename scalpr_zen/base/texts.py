"""Many texts at once: columns of bytes of equal width, filled with NUL, whose rows become texts without it.

A year has some 200,000 trades but only a few thousand different prices and amounts. So each different value is
formatted once, and the rows are put together by numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from scalpr_zen.base.arrays import Array

_TILE = 2_048
"""Rows that are put together at once: few enough to stay in the cache of the processor."""


def labelled(codes: Array, labels: Iterable[str]) -> Array:
    """Return the label of each code as bytes, shape (n,)."""
    return np.array([label.encode() for label in labels], np.bytes_)[codes]


def formatted(column: Array, form: Callable[[Any], str]) -> Array:
    """Return the text of each value as bytes, shape (n,); each different value is formatted once."""
    values, codes = np.unique(column, return_inverse=True)
    return labelled(codes, map(form, values.tolist()))


def numbered(count: int, width: int = 0) -> list[Array | bytes]:
    """Return the numbers from 1 to `count` as two columns, thousands and the rest; aligned to the right."""
    thousands, rest = np.divmod(np.arange(1, count + 1), 1_000)
    high = (f"{number or '':>{max(width - 3, 0)}}" for number in range(count // 1_000 + 1))
    low = [f"{number:>{min(width, 3)}}" for number in range(1_000)] + [f"{number:03d}" for number in range(1_000)]
    return [labelled(thousands, high), labelled(rest + 1_000 * (thousands > 0), low)]


def joined(count: int, columns: Sequence[Array | bytes]) -> str:
    """Return the texts of the rows, each after a newline; bytes instead of a column are the same in all rows."""
    parts = [np.broadcast_to(np.asarray(column, np.bytes_), count) for column in (b"\n", *columns)]
    table = np.empty(_TILE, [(str(number), part.dtype) for number, part in enumerate(parts)])

    def text(start: int) -> str:
        rows = table[: count - start]
        for number, part in enumerate(parts):
            rows[str(number)] = part[start : start + _TILE]
        return str(rows.view(np.uint8).data, "utf-8").replace("\0", "")

    return "".join(map(text, range(0, count, _TILE)))
