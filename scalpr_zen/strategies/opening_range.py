"""Opening range breakout: long at the first print above the range of a session's first minutes, short below it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.compiled import njit
from scalpr_zen.base.engine import run_all
from scalpr_zen.base.errors import ParameterError
from scalpr_zen.base.params import Parameters, param
from scalpr_zen.base.sessions import CHICAGO, SESSION_OPEN_HOUR
from scalpr_zen.base.units import NANOS
from scalpr_zen.data.tape import Tape
from scalpr_zen.strategies.session_parts import session_parts

_DAY = 24 * 60
_MINUTE = 60 * NANOS


@dataclass(frozen=True, kw_only=True)
class OpeningRange(Parameters):
    """Breakout of the range of a session's first minutes, once per session and side.

    The range is the high and low of the `range_minutes` after `range_start`. After it, the first print `breakout_ticks`
    or more above the high is a long signal, and the first as far below the low a short one, both before `until`. Times
    are Chicago time; 17:00 or later is the evening before, when the session begins, and an `until` of 17:00 is the end
    of the session.
    """

    range_start: str = param("08:30", "Chicago time at which the range begins.", unit="hh:mm")
    range_minutes: int = param(30, "Length of the range.", unit="minutes", low=1, high=1_439)
    breakout_ticks: int = param(1, "Distance beyond the range that is a breakout.", unit="ticks", low=1, high=100_000)
    until: str = param("15:00", "Chicago time from which on there are no signals.", unit="hh:mm")

    def check(self) -> None:
        """Refuse invalid times, and an `until` that leaves no time after the range."""
        begin, until = _place("range_start", self.range_start), _place("until", self.until) or _DAY
        if begin + self.range_minutes >= until:
            raise ParameterError(
                f"until must come after the range, was {self.until} with range_start {self.range_start} and "
                f"range_minutes {self.range_minutes} (a session lasts from 17:00 to 17:00 in Chicago)",
                "until",
                "range_start",
                "range_minutes",
            )

    def signals(self, tape: Tape) -> NDArray[np.int8]:
        """Return the signal of every print of the tape, int8 of shape (n,): +1 long, -1 short, 0 none.

        Each session, and each segment within one, starts anew; without a print in its range it has no signal.
        """
        signals = np.zeros(len(tape), np.int8)
        starts, stops = session_parts(tape)
        sessions = np.searchsorted(tape.sessions["stop"], starts, side="right")

        def mark(start: int, stop: int, day: date) -> None:
            begin, end, last = np.searchsorted(tape.ts[start:stop], self._times(day))
            if end > begin:
                _breakout_kernel(tape.price[start:stop], begin, end, last, self.breakout_ticks, signals[start:stop])

        run_all(mark, starts.tolist(), stops.tolist(), tape.sessions["date"][sessions].tolist())
        return signals

    def _times(self, day: date) -> list[int]:
        """Return when the range of a session date begins and ends, and when its signals end, in ns UTC."""
        begin = _moment(day, _place("range_start", self.range_start))
        until = _moment(day, _place("until", self.until) or _DAY)
        return [begin, begin + self.range_minutes * _MINUTE, until]


def _place(name: str, text: str) -> int:
    """Return the minutes of wall time from 17:00 to a time of the day."""
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        raise ParameterError(f"{name} must be a time of the day from 00:00 to 23:59, was {text!r}", name)
    return (60 * int(text[:2]) + int(text[3:]) - 60 * SESSION_OPEN_HOUR) % _DAY


def _moment(day: date, place: int) -> int:
    """Return a time of a session in ns UTC; correct on days with a clock change too."""
    evening = datetime(day.year, day.month, day.day, SESSION_OPEN_HOUR) - timedelta(days=1)
    return int((evening + timedelta(minutes=place)).replace(tzinfo=CHICAGO).timestamp()) * NANOS


@njit(cache=True, nogil=True)
def _breakout_kernel(price, begin, end, last, breakout, signals):  # type: ignore[no-untyped-def]
    """Mark the first print beyond the range on either side.

    Reads    price (n,) ticks of one session; its range is the prints begin:end, and end:last may give a signal
    Writes   signals (n,)
    Causal   signals[i] depends on price[0..i] alone, as begin, end and last follow from the times of the prints
    Oracle   tests/support/naive_strategies.py, opening_range
    """
    high = low = np.int64(price[begin])
    for i in range(begin + 1, end):
        high, low = max(high, np.int64(price[i])), min(low, np.int64(price[i]))
    above = below = False
    for i in range(end, last):
        if not above and price[i] >= high + breakout:
            signals[i], above = 1, True
        if not below and price[i] <= low - breakout:
            signals[i], below = -1, True
        if above and below:
            break
