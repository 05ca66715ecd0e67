"""What the tests share: tapes of a few prints, a strategy whose signals are given, how many examples to try."""

import numba
import numpy as np
from hypothesis import HealthCheck, settings

from scalpr_zen import Tape, instrument

NOON = 1_736_964_000 * 10**9
"""2025-01-15 12:00 in Chicago, in ns UTC: five hours before the session date ends."""

JIT = not numba.config.DISABLE_JIT

# Without the compiler the kernels are plain Python. A busy machine is no reason to fail.
settings.register_profile(
    "scalpr",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100 if JIT else 60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("scalpr")


def tape_of(prices, ts=None, contract=None, aggressor=None, root="NQ", start=NOON):
    """A tape of prices in ticks at `ts` ns after `start`; by default one event every 10 ns and one segment."""
    ts = range(0, 10 * len(prices), 10) if ts is None else ts
    times = [start + t for t in ts]
    return Tape.from_prints(times, prices, instrument=instrument(root), contract=contract, aggressor=aggressor)


def signals_of(tape, sides):
    """The signals of a tape from a dict of print index to side."""
    signals = np.zeros(len(tape), np.int8)
    for i, side in sides.items():
        signals[i] = side
    return signals


class Given:
    """A strategy whose signals are given."""

    def __init__(self, signals):
        self._signals = signals

    def signals(self, tape):
        return self._signals
