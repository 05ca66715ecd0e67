"""Write a complete strategy file to start from."""

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
        Like `my_idea`, `my-idea` or `MyIdea`; the file is `my_idea.py`, the class `MyIdea`.
    folder : str or Path
        Created if missing.

    Raises
    ------
    ParameterError
        If the name does not give valid names of a class and a file, or one that is taken.
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
            raise StrategyError(f"{path} exists: choose another name or another --folder") from None
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
        raise ParameterError(f"NAME must be like my_idea, my-idea or MyIdea, was {name!r}")
    words = _WORD.findall(name)
    stem, kind = "_".join(words).lower(), "".join(word[0].upper() + word[1:] for word in words)
    if kind in _CLASSES or keyword.iskeyword(kind) or keyword.iskeyword(stem) or stem in _MODULES:
        raise ParameterError(f"NAME must not be {name}, which is taken: choose another one")
    return stem, kind


_TEMPLATE = '''\
"""MyIdea: follow the price after a run of changes in one direction.

    scalpr backtest --strategy my_idea.py:MyIdea
    scalpr backtest --strategy my_idea.py:MyIdea --in-a-row 8
    scalpr dashboard --strategy my_idea.py:MyIdea

The rule is in `mark`; its numbers are the parameters of the class.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from scalpr_zen import Parameters, param


@dataclass(frozen=True, kw_only=True)
class MyIdea(Parameters):
    """Long after `in_a_row` rises in a row, short after as many falls."""

    # Each parameter is a flag of `scalpr backtest`, a field of the dashboard and a line of the report.
    # Name and type, default, description, unit, lowest and highest value:
    in_a_row: int = param(5, "Changes in one direction that give a signal.", unit="changes", low=1, high=1_000)

    def signals(self, tape):
        """Return +1 (buy), -1 (sell short) or 0 (nothing) for each print of the tape.

        Each column of the tape has one row per print: `ts` (time, ns UTC), `price` (whole ticks), `size` (contracts)
        and `aggressor` (+1 buyer, -1 seller, 0 unknown).
        """
        signals = np.zeros(len(tape), np.int8)
        # A segment holds the prints of one contract. Start anew at each one, or the price gap of a roll would
        # look like a move. To start anew each day, use `tape.sessions` as well.
        for start, stop in zip(tape.segments["start"], tape.segments["stop"], strict=True):
            mark(tape.price[start:stop], self.in_a_row, signals[start:stop])
        return signals


@njit(cache=True)  # compiled at the first call: a loop over a year of prints takes less than a second
def mark(price, in_a_row, signals):
    """Mark the signals of one segment. At print i use price[0] to price[i] only: later ones are the future."""
    rises = falls = 0
    for i in range(1, len(price)):
        if price[i] > price[i - 1]:
            rises, falls = rises + 1, 0
        elif price[i] < price[i - 1]:
            rises, falls = 0, falls + 1
        else:
            continue  # a print at the same price changes nothing
        # Equal, not "at least": one signal when the run becomes long enough, not one at every print after it.
        if rises == in_a_row:
            signals[i] = 1
        elif falls == in_a_row:
            signals[i] = -1
'''
