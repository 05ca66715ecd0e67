"""Compile the kernels of a default run on two cores, while the program does something else.

numba compiles one kernel at a time in a process, and that keeps one core busy. So a thread of this process runs a
backtest of a few prints, which calls every kernel with the types of a real run, and a second process computes the slow
sections of the same few prints from the last to the first. It has no trades to start from, so it makes some up. Where
the two meet, everything is compiled: one of them at a time compiles a kernel, and the other loads it from the cache
(`base.compiled`).

The second process only saves time. It prints nothing, and it ends with this one, however this one ends.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np

from scalpr_zen.base.compiled import is_kept
from scalpr_zen.base.engine import cores
from scalpr_zen.base.instruments import instrument
from scalpr_zen.base.units import NANOS
from scalpr_zen.data.tables import SEGMENT, SESSION, runs
from scalpr_zen.data.tape import Array, Tape
from scalpr_zen.runs.backtest import run_setup
from scalpr_zen.sections import sections
from scalpr_zen.sections.monte_carlo import MonteCarlo
from scalpr_zen.sections.prop_firm import PropFirm
from scalpr_zen.sections.section import Run
from scalpr_zen.sections.setup import Setup
from scalpr_zen.simulation.execution import Bracket
from scalpr_zen.simulation.kernel import TARGET, TRADE, TRIGGER
from scalpr_zen.simulation.simulate import Orders, Simulation
from scalpr_zen.strategies import EmaCrossover

_FIRST = 1_733_155_200 * NANOS
"""2024-12-02 10:00 in Chicago, a Monday."""
_DATES, _PRINTS = 3, 400
_HELD = 20
"""Prints from entry to exit of a trade that is made up."""
_SETUP = Setup(
    bracket=Bracket(take_profit=2.0, stop_loss=1.0),
    settings=MonteCarlo(monte_carlo_sims=1, random_entry_sims=1),
    firm=PropFirm(prop_sims=1),
)
_HELPER = (
    "from scalpr_zen.base.engine import end_with_stdin; end_with_stdin(); "
    "from scalpr_zen.runs.warm_up import compile_sections; compile_sections()"
)


def warm_up() -> None:
    """Compile every kernel of a default run on two cores, or load it from the cache."""
    with _helper():
        compile_kernels()


def compile_kernels() -> None:
    """Compile every kernel of a default run, or load it from the cache, with the types that a tape of a file has."""
    with contextlib.suppress(Exception):  # the run itself reports what is wrong
        run_setup(_tape(), EmaCrossover(fast_period=2, slow_period=5), _SETUP)


def compile_sections() -> None:
    """Compile the kernels of the slow sections, from the last section to the first."""
    tape = _tape()
    trades = _trades(tape)
    triggers = np.zeros(len(trades), TRIGGER)
    simulation = Simulation(trades=trades, triggers=triggers, unclosed=trades[:0], counts={})
    wanted = Orders(trades["signal"].copy(), trades["side"].copy(), {})
    run = Run(tape=tape, strategy="", declared=(), setup=_SETUP, orders=wanted, simulation=simulation)
    for section in reversed(sections().values()):
        if section.later:
            with contextlib.suppress(Exception):
                section.compute(run, {})


@contextlib.contextmanager
def _helper() -> Iterator[subprocess.Popen[bytes] | None]:
    """Run `compile_sections` in a process of its own during the block, where there is a core and a cache for it.

    Its stdin is a pipe to which nothing is written. The pipe closes when this process ends, and the helper ends then.
    """
    process = _start() if cores() > 1 and is_kept() else None
    try:
        yield process
    finally:
        if process is not None:
            process.kill()  # all is compiled, or nothing more is wanted
            process.communicate()


def _start() -> subprocess.Popen[bytes] | None:
    """Start the helper; without one the first run takes longer."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}  # the same package as here
    quiet = subprocess.DEVNULL
    with contextlib.suppress(OSError):
        command = [sys.executable, "-P", "-c", _HELPER]
        return subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet)
    return None


def _tape() -> Tape:
    """Return a tape of three session dates whose price swings, so that trades win and lose on each.

    `Tape.from_prints` would ask the calendar for the closes, which takes longer than a kernel.
    """
    dates, prints = np.divmod(np.arange(_DATES * _PRINTS), _PRINTS)
    ts = _FIRST + (dates * 86_400 + prints) * NANOS
    columns = {
        "ts": ts,
        "price": (80_000 + np.rint(20 * np.sin(prints / 7))).astype(np.int32),
        "size": np.ones(len(ts), np.int32),
        "aggressor": np.zeros(len(ts), np.int8),
    }
    for column in columns.values():
        column.flags.writeable = False
    sessions = runs(ts.astype("M8[ns]").astype("M8[D]"), SESSION)
    sessions["close"], sessions["whole"] = ts[sessions["stop"] - 1], True
    segments = runs(np.full(len(ts), "NQZ4"), SEGMENT)
    return Tape(**columns, segments=segments, sessions=sessions, instrument=instrument("NQ"), metadata={"closes": {}})


def _trades(tape: Tape) -> Array:
    """Return trades as if every signal had filled at its own print and ended some prints later."""
    signal = np.arange(0, len(tape) - _HELD, 2 * _HELD)
    trades = np.zeros(len(signal), TRADE)
    trades["side"], trades["reason"] = 1, TARGET
    trades["signal"] = trades["entry"] = signal
    trades["exit"] = signal + _HELD
    trades["session"] = signal // _PRINTS
    for end in ("entry", "exit"):
        trades[f"{end}_ts"], trades[f"{end}_ticks"] = tape.ts[trades[end]], tape.price[trades[end]]
    trades["gross_ticks"] = trades["exit_ticks"] - trades["entry_ticks"]
    trades["net_usd"] = 5.0 * trades["gross_ticks"]
    return trades
