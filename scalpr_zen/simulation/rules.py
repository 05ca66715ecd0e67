"""Session rules: sides, entry windows, weekdays, times before the close, and limits per session.

Times of day are exchange time, America/Chicago. A session date starts at 17:00 the evening before. A window that
crosses midnight or 17:00 counts for each session date with the part that lies in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.errors import ParameterError
from scalpr_zen.base.params import Parameters, declared, param
from scalpr_zen.base.sessions import SESSION_OPEN_HOUR, chicago_offsets, session_dates, session_open
from scalpr_zen.base.units import NANOS, whole_ns
from scalpr_zen.data.tape import Tape

ALL = "all"
SIDES = ("both", "long", "short")
LIMIT_BASES = ("realized", "equity")
INCOMPLETE_DATES = ("exclude", "include")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MINUTE, _HOUR = 60 * NANOS, 3600 * NANOS
_UNITS = {
    "no_entry_before_close": _MINUTE,
    "flat_before_close": _MINUTE,
    "max_hold": NANOS,
    "cooldown": NANOS,
}
"""Nanoseconds per unit of each time."""
OF_A_SESSION = ("cooldown", "max_trades", "loss_limit", "profit_limit", "limit_basis")
"""Rules under which a trade depends on the trades before it in its session."""
_TIME = "([01][0-9]|2[0-3]):([0-5][0-9])"
_DAY, _OPEN = 24 * 60, SESSION_OPEN_HOUR * 60

Ranges = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class SessionRules(Parameters):
    """Which signals are traded, and what ends a trade or a session besides the bracket."""

    TITLE: ClassVar[str] = "Session rules"

    sides: str = param("both", "Sides that are traded.", choices=SIDES)
    reverse: bool = param(False, "Trade every signal in the opposite direction.")
    entry_windows: str = param(ALL, "Chicago times of signals that are traded: all, or 08:30-11:00, 13:00-15:00.")
    weekdays: str = param(ALL, "Weekdays of the session dates that are traded: all, or Mon-Thu, or Mon, Wed.")
    no_entry_before_close: float | None = param(
        None, "Time before a session's close in which no signal is traded.", unit="minutes", low=0.01, high=1380
    )
    flat_before_close: float | None = param(
        None, "Time before a session's close at which a position is closed.", unit="minutes", low=0.01, high=1380
    )
    max_hold: float | None = param(
        None, "Time after its entry at which a position is closed.", unit="seconds", low=0.001, high=10_000_000
    )
    cooldown: float = param(
        0.0, "Time after an exit in which no signal of its session is traded.", unit="seconds", low=0, high=86_400
    )
    max_trades: int | None = param(None, "Most trades per session.", unit="trades", low=1, high=1_000_000)
    loss_limit: float | None = param(
        None, "Net loss at which trading stops for the session.", unit="USD", low=0.01, high=100_000_000
    )
    profit_limit: float | None = param(
        None, "Net profit at which trading stops for the session.", unit="USD", low=0.01, high=100_000_000
    )
    limit_basis: str = param(
        "realized", "What the limits look at: closed trades, or also the open one.", choices=LIMIT_BASES
    )
    incomplete_dates: str = param(
        "exclude", "Whether incomplete session dates count in by-day statistics.", choices=INCOMPLETE_DATES
    )

    def check(self) -> None:
        """Refuse invalid windows, weekdays and times."""
        windows(self.entry_windows)
        weekdays(self.weekdays)
        for name in _UNITS:
            self.ns(name)
        if self.limit_basis == "equity" and not self.limits_money:
            raise ParameterError(
                "limit_basis=equity needs loss_limit or profit_limit, both were none",
                "limit_basis",
                "loss_limit",
                "profit_limit",
            )

    def ns(self, name: str) -> int | None:
        """Return one of the times in ns, or None if it is not set."""
        value = getattr(self, name)
        return None if value is None else whole_ns(name, value, _UNITS[name])

    @property
    def no_entry_ns(self) -> int | None:
        """Time before the close in which no signal is traded, in ns; `flat_before_close` ends entries too."""
        times = [self.ns("no_entry_before_close"), self.ns("flat_before_close")]
        return max((time for time in times if time is not None), default=None)

    @property
    def of_a_session(self) -> bool:
        """Whether a trade depends on the trades before it in its session."""
        return self != self.alone()

    @property
    def limits_money(self) -> bool:
        """Whether a limit in USD looks at what the trades earn."""
        return self.loss_limit is not None or self.profit_limit is not None

    def alone(self) -> SessionRules:
        """Return these rules for single trades: without those of OF_A_SESSION."""
        defaults = {parameter.name: parameter.default for parameter in declared(SessionRules)}
        return replace(self, **{name: defaults[name] for name in OF_A_SESSION})


def counted_dates(tape: Tape, rules: SessionRules) -> NDArray[np.bool_]:
    """Return which session dates count in by-day statistics and in draws of days, shape (session dates,)."""
    if rules.incomplete_dates == "include":
        return np.ones(len(tape.sessions), np.bool_)
    return np.array(tape.sessions["whole"])


def windows(text: str) -> list[tuple[int, int]]:
    """Return entry windows as minutes of a session, `start <= minute < stop`, sorted; minute 0 is 17:00.

    Raises
    ------
    ParameterError
        If the text is not a list of windows like `08:30-11:00`, one is empty, or two overlap.
    """
    if text.strip() == ALL:
        return [(0, _DAY)]
    pieces: list[tuple[int, int]] = []
    for word in text.split(","):
        match = re.fullmatch(rf"\s*{_TIME}\s*-\s*(?:{_TIME}|24:00)\s*", word)
        if not match:
            raise ParameterError(
                f"entry_windows must be all, or like 08:30-11:00, 22:00-02:00, was {text!r}", "entry_windows"
            )
        hours, minutes, last_hours, last_minutes = (int(part or 0) for part in match.groups())
        start, stop = (60 * hours + minutes - _OPEN) % _DAY, (60 * last_hours + last_minutes - _OPEN) % _DAY
        if start == stop:
            raise ParameterError(
                f"entry_windows must not begin where they end (all: the whole day), was {word.strip()!r}",
                "entry_windows",
            )
        pieces += [(start, stop)] if start < stop else [(start, _DAY), (0, stop)][: 1 + (stop > 0)]
    pieces.sort()
    if any(one[1] > next_one[0] for one, next_one in pairwise(pieces)):
        raise ParameterError(f"entry_windows must not overlap, was {text!r}", "entry_windows")
    return pieces


def weekdays(text: str) -> set[int]:
    """Return the weekdays that a text names, Monday 0.

    Raises
    ------
    ParameterError
        If the text is not a list of weekdays like `Mon-Thu` or `Mon, Wed`, or names only Saturday or Sunday.
    """
    if text.strip() == ALL:
        return set(range(7))
    found: set[int] = set()
    for word in text.split(","):
        ends = [end.strip().capitalize() for end in word.split("-")]
        if len(ends) > 2 or any(end not in WEEKDAYS for end in ends):
            raise ParameterError(f"weekdays must be all, or like Mon-Thu or Mon, Wed, was {text!r}", "weekdays")
        first, last = WEEKDAYS.index(ends[0]), WEEKDAYS.index(ends[-1])
        if first > last:
            raise ParameterError(f"weekdays must run from an earlier to a later day, was {word.strip()!r}", "weekdays")
        found |= set(range(first, last + 1))
    if min(found) > WEEKDAYS.index("Fri"):
        raise ParameterError(
            f"weekdays must hold one of Mon to Fri, was {text!r}: no session date is a Saturday or a Sunday; Sunday "
            "evening is Monday's session",
            "weekdays",
        )
    return found


def entry_ranges(tape: Tape, rules: SessionRules) -> Ranges:
    """Return the print ranges, shape (k, 2), in which windows, weekdays and time before the close allow entries.

    They are sorted and do not overlap.
    """
    pieces, days, before_close = windows(rules.entry_windows), weekdays(rules.weekdays), rules.no_entry_ns
    found: list[tuple[int, int]] = []
    for session in tape.sessions:
        day = session["date"].item()
        if day.weekday() not in days:
            continue
        first, stop = int(session["start"]), int(session["stop"])
        if pieces == [(0, _DAY)] and before_close is None:
            found.append((first, stop))
            continue
        begins = session_dates(tape.ts[first : first + 1])[0].item()  # a Saturday where Monday begins on Friday
        bounds = [
            times for k in range((day - begins).days + 1) for times in _window_times(begins + timedelta(k), pieces)
        ]
        if before_close is not None:
            last = int(session["close"]) - before_close
            bounds = [(start, min(end, last)) for start, end in bounds]
        edges = first + np.searchsorted(tape.ts[first:stop], np.array(bounds).reshape(-1))
        found += [(a, b) for a, b in edges.reshape(-1, 2).tolist() if a < b]
    return np.array(found, np.int64).reshape(-1, 2)


def _window_times(day: date, pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the windows of a session in ns UTC, start and stop, sorted.

    If the clock changes within the session, an hour of wall time occurs twice or not at all.
    """
    first, stop = session_open(day), session_open(day + timedelta(days=1))
    hours = np.arange(first, stop, _HOUR)
    offsets = chicago_offsets(hours)
    changes = np.flatnonzero(np.diff(offsets)) + 1
    starts = hours[np.concatenate(([0], changes))].tolist()
    wall = first + int(offsets[0])
    found = []
    for start, end in zip(starts, [*starts[1:], stop], strict=True):
        offset = int(offsets[(start - first) // _HOUR])
        times = [(wall - offset + a * _MINUTE, wall - offset + b * _MINUTE) for a, b in pieces]
        found += [(max(a, start), min(b, end)) for a, b in times if max(a, start) < min(b, end)]
    return found
