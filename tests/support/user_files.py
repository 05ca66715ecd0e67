"""Files of users with strategies in them, and what is said of them."""

from pathlib import Path

import pytest

from scalpr_zen import StrategyError
from scalpr_zen.strategies.user_code import load_strategy, make_strategy, signals_of
from support.tapes import tape_of

HEAD = """\
from dataclasses import dataclass

import numpy as np
from numba import njit

from scalpr_zen import EmaCrossover, ParameterError, Parameters, param

"""
EVERY = """\
@dataclass(frozen=True, kw_only=True)
class Every(Parameters):
    \"\"\"One signal every so many prints.\"\"\"

    every: int = param(10, "Prints from signal to signal.", unit="prints", low=1, high=1_000)
    trades: str = param("long", "Which side.", choices=("long", "short"))
    label: str = param("any", "A word.")
    late: bool = param(False, "Begin late.")
    share: float | None = param(None, "A number, or none.", low=0)

    def signals(self, tape):
        signals = np.zeros(len(tape), np.int8)
        signals[5 if self.late else 0 :: self.every] = 1 if self.trades == "long" else -1
        return signals
"""
PLAIN = """\
class Plain:
    def signals(self, tape):
        signals = np.zeros(len(tape), np.int8)
        signals[::7] = 1
        return signals
"""

DATACLASS = "@dataclass(frozen=True, kw_only=True)\n"
SIGNALS = "    def signals(self, tape):\n        return np.zeros(len(tape), np.int8)\n"


def written(*bodies, name="mine.py"):
    """A file of these bodies under the usual imports."""
    Path(name).write_text(HEAD + "\n\n".join(bodies), encoding="utf-8")
    return name


def line_of(text, name="mine.py"):
    """The line of a file that holds a text, which no other line does."""
    [line] = [number for number, line in enumerate(Path(name).read_text().splitlines(), 1) if text in line]
    return line


def message(call, *args, kind=StrategyError):
    with pytest.raises(kind) as error:
        call(*args)
    assert type(error.value) is kind
    assert "\n" not in str(error.value)
    return str(error.value)


def failure(body, kind="Mine"):
    """What is told of a strategy of a file by the time its signals are asked for."""
    written(body)

    def call():
        signals_of(make_strategy(load_strategy(f"mine.py:{kind}"), {}), tape_of([1, 2, 3]))

    return message(call)
