"""Random entries: what was drawn, and plain loops that say which prints may be drawn and what an entry earns."""

import dataclasses
from datetime import datetime

import numpy as np
import pytest

from scalpr_zen import MonteCarlo, SessionRules, Tape, instrument
from scalpr_zen.sections.random_entries import draws as module
from scalpr_zen.simulation.simulate import Orders, trade
from support.budget import JIT
from support.checks import HOUR, LONG, traded
from support.random_tapes import CHICAGO, session_dates
from support.tapes import NOON, signals_of

MINUTE = HOUR // 60
compiled = pytest.mark.skipif(not JIT, reason="needs many draws, for which the kernels without the compiler are slow")


class Seen:
    """What was drawn and traded: the orders and results of each part."""

    def __init__(self, monkeypatch):
        self.drawn, self.made = [], []
        alone = module.alone

        def spy_alone(tape, wanted, execution, setup):
            made = alone(tape, wanted, execution, setup)
            self.drawn.append(wanted)
            self.made.append(made)
            return made

        monkeypatch.setattr(module, "alone", spy_alone)
        monkeypatch.setattr(module, "has_fixed_levels", lambda *_: False)

    @property
    def draws(self):
        """(print, side) of each draw, all parts together."""
        return [pair for part in self.drawn for pair in zip(part.at.tolist(), part.side.tolist(), strict=True)]


def every_signal(tape, prints, setup):
    """Closed trades of a buy at each of these prints, each traded on its own."""
    alone = dataclasses.replace(setup, execution=dataclasses.replace(setup.execution, overlap=True))
    return closed_trades(tape, signals_of(tape, dict.fromkeys(prints, LONG)), alone)


def controlled(setup, sims, seed=0):
    """The same setup with random-entry controls."""
    return dataclasses.replace(setup, settings=MonteCarlo(monte_carlo_sims=0, random_entry_sims=sims, seed=seed))


def closed_trades(tape, signals, setup):
    return traded(tape, signals, setup)[1].trades


def wall(ts):
    """The Chicago wall time of a time, whole seconds."""
    return datetime.fromtimestamp(ts // 10**9, CHICAGO).replace(tzinfo=None)


def naive_hours(tape, windows, weekdays, before_close):
    """For each print the hour of the day from whose prints its draws are taken; None where none is allowed.

    Windows are pairs of minutes of the Chicago day that do not cross midnight; no windows mean all of it.
    """
    ts, closes = tape.ts.tolist(), {row["date"].item(): int(row["close"]) for row in tape.sessions}
    hours = []
    for t, day in zip(ts, session_dates(ts), strict=True):
        minute = 60 * wall(t).hour + wall(t).minute
        inside = any(start <= minute < stop for start, stop in windows or [(0, 1440)])
        allowed = day.weekday() in weekdays and (before_close is None or t < closes[day] - before_close)
        hours.append(wall(t).hour if inside and allowed else None)
    return hours


def naive_fills(tape, setup):
    """For each print whether an order sent at it fills (rules 3 and 5)."""
    ts, latency, dates = tape.ts.tolist(), setup.execution.latency_ns, session_dates(tape.ts.tolist())
    stops = [stop for start, stop in tape.segments[["start", "stop"]].tolist() for _ in range(start, stop)]
    if setup.execution.entry == "signal":
        return [True] * len(ts)
    return [
        any(ts[j] > ts[i] and ts[j] >= ts[i] + latency and dates[j] == dates[i] for j in range(i + 1, stops[i]))
        for i in range(len(ts))
    ]


def hours_of_prints(prints=1_200, seed=3):
    """Three session dates of a walk with a roll inside the second and an early close on the third."""
    rng = np.random.default_rng(seed)
    starts = [NOON - 3 * HOUR, NOON + 21 * HOUR, NOON + 45 * HOUR]  # 9:00, 9:00, 9:00 in Chicago
    ts = np.concatenate([start + np.sort(rng.integers(0, 5 * HOUR, prints // 3) // 7 * 7) for start in starts])
    price = 80_000 + np.cumsum(rng.integers(-2, 3, len(ts)))
    contract = np.where(np.arange(len(ts)) < prints // 2 + 17, "NQH5", "NQM5")
    day = str(np.datetime64(wall(int(ts[-1])).date()))
    signals = rng.choice([0, 0, 0, 0, 1, -1], len(ts)).astype(np.int8)
    return Tape.from_prints(ts, price, instrument=instrument("NQ"), contract=contract, closes={day: "12:15"}), signals


def net_ticks(tape, i, side, setup):
    """Gross ticks of one entry that is traded on its own, marked at the end where it does not close."""
    rules = SessionRules(flat_before_close=setup.rules.flat_before_close, max_hold=setup.rules.max_hold)
    order = Orders(np.array([i]), np.array([side], np.int8), {"signals": 1, "other_side": 0, "outside": 0})
    made = trade(tape, order, setup.bracket, dataclasses.replace(setup.execution, overlap=True), rules)
    [row] = [*made.trades, *made.unclosed]
    return int(row["gross_ticks"])
