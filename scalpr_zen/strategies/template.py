"""A file with a whole strategy to begin with."""

from __future__ import annotations

import contextlib
import keyword
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from scalpr_zen import strategies
from scalpr_zen.base.errors import ParameterError, StrategyError, reason

_WORD = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+")
_CLASSES = {*strategies.__all__, "Parameters"}
_MODULES = {*sys.stdlib_module_names, "numba", "numpy", "scalpr_zen"}


def write_strategy(name: str, folder: str | Path = ".") -> tuple[Path, str]:
    """Write a small strategy that runs as it is, and return its path and the name of its class.

    Parameters
    ----------
    name : str
        As `my_idea`, `my-idea` or `MyIdea`; the file is `my_idea.py`, the class `MyIdea`.
    folder : str or Path
        Made where it is missing.

    Raises
    ------
    ParameterError
        If the name gives no name of a class and a file, or one that another has.
    StrategyError
        If the file exists or cannot be written.
    """
    stem, kind = _names(name)
    path = Path(folder) / f"{stem}.py"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file, _removed_on_error(path):
            file.write(_TEMPLATE.replace("MyIdea", kind).replace("my_idea", stem))
            file.flush()
    except OSError as error:
        if isinstance(error, FileExistsError) and path.exists():
            raise StrategyError(f"{path} exists: take another name, or another --folder") from None
        raise StrategyError(f"{path} cannot be written: {reason(error)}") from None
    return path, kind


@contextlib.contextmanager
def _removed_on_error(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _names(name: str) -> tuple[str, str]:
    """Return the names of the file and of the class."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*([_-][A-Za-z0-9]+)*", name):
        raise ParameterError(f"NAME must be as my_idea, my-idea or MyIdea, was {name!r}")
    words = _WORD.findall(name)
    stem, kind = "_".join(words).lower(), "".join(word[0].upper() + word[1:] for word in words)
    if kind in _CLASSES or keyword.iskeyword(kind) or keyword.iskeyword(stem) or stem in _MODULES:
        raise ParameterError(f"NAME must not be {name}, which has a meaning already: take another one")
    return stem, kind


_TEMPLATE = '''\
"""MyIdea: follow the price after so many changes in one direction.

    scalpr backtest --strategy my_idea.py:MyIdea
    scalpr backtest --strategy my_idea.py:MyIdea --in-a-row 8
    scalpr dashboard --strategy my_idea.py:MyIdea

The rule stands in `mark`; its numbers are the parameters of the class.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from scalpr_zen import Parameters, param


@dataclass(frozen=True, kw_only=True)
class MyIdea(Parameters):
    """Long at the print that makes so many rises in a row, short at the one that makes so many falls."""

    # Each of these is a flag of `scalpr backtest`, a field of the dashboard and a line of the report:
    # its type, its default, what it means, its unit, its lowest and its highest value.
    in_a_row: int = param(5, "Changes in one direction that give a signal.", unit="changes", low=1, high=1_000)

    def signals(self, tape):
        """Give +1 (buy), -1 (sell short) or 0 (nothing) for each print of the tape.

        The columns of the tape have one row a print: `ts` (time, ns UTC), `price` (in ticks, whole numbers), `size`
        (contracts) and `aggressor` (+1 buyer, -1 seller, 0 unknown).
        """
        signals = np.zeros(len(tape), np.int8)
        # A segment is the prints of one contract. A strategy begins anew at each, or the gap of a roll would
        # look like a move. For one that begins anew each day, go through `tape.sessions` as well.
        for start, stop in zip(tape.segments["start"], tape.segments["stop"], strict=True):
            mark(tape.price[start:stop], self.in_a_row, signals[start:stop])
        return signals


@njit(cache=True)  # compiled at its first call, so that a loop over a year of prints takes less than a second
def mark(price, in_a_row, signals):
    """Mark the signals of one segment. At print i it has seen price[0] to price[i], and never looks beyond."""
    rises = falls = 0
    for i in range(1, len(price)):
        if price[i] > price[i - 1]:
            rises, falls = rises + 1, 0
        elif price[i] < price[i - 1]:
            rises, falls = 0, falls + 1
        else:
            continue  # a print at the same price changes nothing
        # Equal, not "at least": one signal where the row becomes long enough, and not at each print after it.
        if rises == in_a_row:
            signals[i] = 1
        elif falls == in_a_row:
            signals[i] = -1
'''
