"""Tapes of a few prints, and a strategy whose signals are given."""

import numpy as np

from scalpr_zen import Tape, instrument

NOON = 1_736_964_000 * 10**9
"""2025-01-15 12:00 in Chicago, in ns UTC: five hours before the session date ends."""


def tape_of(prices, ts=None, contract=None, aggressor=None, root="NQ", start=NOON):
    """A tape of prices in ticks at `ts` ns after `start`; by default one event every 10 ns and one segment."""
    ts = range(0, 10 * len(prices), 10) if ts is None else ts
    times = [start + t for t in ts]
    about = {"instrument": instrument(root), "contract": contract, "aggressor": aggressor, "whole": True}
    return Tape.from_prints(times, prices, **about)


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
