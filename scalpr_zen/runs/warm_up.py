"""Compile the kernels of a default run, for a thread that does it while the program does something else.

numba compiles one kernel at a time, and that keeps one core busy. A backtest of a few prints calls every kernel with
the types of a real run.
"""

from __future__ import annotations

import contextlib

import numpy as np

from scalpr_zen.base.instruments import instrument
from scalpr_zen.base.units import NANOS
from scalpr_zen.data.tape import Tape
from scalpr_zen.runs.backtest import run_setup
from scalpr_zen.sections.monte_carlo import MonteCarlo
from scalpr_zen.sections.prop_firm import PropFirm
from scalpr_zen.sections.setup import Setup
from scalpr_zen.simulation.execution import Bracket
from scalpr_zen.strategies import EmaCrossover

_FIRST = 1_733_155_200 * NANOS
"""2024-12-02 10:00 in Chicago, a Monday."""
_DATES, _PRINTS = 3, 400


def compile_kernels() -> None:
    """Compile every kernel of a default run, or load it from the cache, with the types that a tape of a file has."""
    with contextlib.suppress(Exception):  # the run itself reports what is wrong
        setup = Setup(
            bracket=Bracket(take_profit=2.0, stop_loss=1.0),
            settings=MonteCarlo(monte_carlo_sims=1, random_entry_sims=1),
            firm=PropFirm(prop_sims=1),
        )
        run_setup(_tape(), EmaCrossover(fast_period=2, slow_period=5), setup)


def _tape() -> Tape:
    """Return a tape of three session dates whose price swings, so that trades win and lose on each."""
    dates, prints = np.divmod(np.arange(_DATES * _PRINTS), _PRINTS)
    price = 80_000 + np.rint(20 * np.sin(prints / 7)).astype(np.int64)
    ts = _FIRST + (dates * 86_400 + prints) * NANOS
    return Tape.from_prints(ts, price, instrument=instrument("NQ"), whole=True)
