"""Short and hostile tapes: events of several prints, gaps, rolls, and session dates that end a few ns away.

They lie on ordinary days and on the two days of the year that have 23 and 25 hours.
"""

import dataclasses
import random
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import strategies as st

from scalpr_zen import Bracket, EmaCrossover, Execution
from support.tapes import NOON, tape_of

CHICAGO = ZoneInfo("America/Chicago")
HOUR = 3600 * 10**9
TICK = 0.25  # of NQ
ORDINARY, SPRING, AUTUMN = (
    int(datetime(year, month, day, 17, tzinfo=CHICAGO).timestamp()) * 10**9
    for year, month, day in [(2025, 1, 14), (2025, 3, 8), (2025, 11, 1)]
)
"""Ends of session dates; the next one is 24, 23 and 25 hours later."""


@dataclasses.dataclass
class Market:
    """The prints of one tape, their contracts, and signals that know nothing."""

    ts: list[int]
    prices: list[int]
    aggressor: list[int]
    contract: list[str]
    signals: list[int]

    def tape(self, stop=None):
        columns = {"contract": self.contract[:stop], "aggressor": self.aggressor[:stop]}
        return tape_of(self.prices[:stop], self.ts[:stop], start=0, **columns)

    def given(self, stop=None):
        return np.array(self.signals[:stop], np.int8)

    def mirrored(self):
        prices, aggressor, signals = ([-x for x in xs] for xs in (self.prices, self.aggressor, self.signals))
        return dataclasses.replace(self, prices=prices, aggressor=aggressor, signals=signals)

    def shifted(self, ticks):
        return dataclasses.replace(self, prices=[price + ticks for price in self.prices])


@dataclasses.dataclass
class Orders:
    """The rules of one simulation, distances in ticks and latency in ns."""

    take_profit: int
    stop_loss: int
    latency_ns: int = 0
    entry: str = "next"
    slippage_ticks: int = 0
    target_fill: str = "touch"
    stop_fill: str = "trigger"
    overlap: bool = False
    commission: float = 0.0
    contracts: int = 1
    point_value: float | None = None

    def parameters(self):
        fields = dataclasses.asdict(self)
        take_profit, stop_loss, latency_ns = (fields.pop(name) for name in ("take_profit", "stop_loss", "latency_ns"))
        bracket = Bracket(take_profit=take_profit * TICK, stop_loss=stop_loss * TICK)
        return bracket, Execution(latency_ms=latency_ns / 1e6, **fields)


# Each print is five bytes, one a column; a value that stands in a table more often is drawn more often.
GAPS_NS = [0] * 8 + [1] * 5 + [2, 2, 3, 5, 9] + [23 * HOUR, 24 * HOUR, 25 * HOUR]
STEPS_TICKS = [0] * 5 + [-1, 1] * 5 + [-2, 2] * 2 + [-3, 3, -4, 4, -20, 20]
SIDES = [0, 0, 1, -1]
ROLLS = [False] * 24 + [True]
COLUMNS = (GAPS_NS, STEPS_TICKS, SIDES, SIDES, ROLLS)


@st.composite
def markets(draw):
    prints = draw(st.integers(1, 50))
    data = draw(st.binary(min_size=5 * prints, max_size=5 * prints))
    ts = draw(st.sampled_from([ORDINARY, SPRING, AUTUMN])) - draw(st.integers(0, 30))
    price = draw(st.sampled_from([0, 80_000, -3]))
    month = 0
    market = Market([], [], [], [], [])
    for i in range(0, len(data), 5):
        row = zip(COLUMNS, data[i : i + 5], strict=True)
        gap, step, aggressor, signal, roll = (column[byte % len(column)] for column, byte in row)
        ts, price, month = ts + gap, price + step + 100 * roll, month + roll
        market.ts.append(ts)
        market.prices.append(price)
        market.aggressor.append(aggressor)
        market.contract.append(f"NQ{month}")
        market.signals.append(signal)
    return market


def orders():
    return st.builds(
        Orders,
        take_profit=st.sampled_from([1, 1, 2, 3, 5]),
        stop_loss=st.sampled_from([1, 1, 2, 3, 5]),
        latency_ns=st.sampled_from([0, 0, 1, 2, 3, 7, 10 * 10**9]),
        entry=st.sampled_from(["next", "next", "signal"]),
        slippage_ticks=st.sampled_from([0, 0, 1, 2]),
        target_fill=st.sampled_from(["touch", "through"]),
        stop_fill=st.sampled_from(["trigger", "level", "next"]),
        overlap=st.sampled_from([False, False, True]),
        commission=st.sampled_from([0.0, 1.25, 2.05]),
        contracts=st.sampled_from([1, 3]),
        point_value=st.sampled_from([None, 2.0, 12.5]),
    )


@st.composite
def crossovers(draw):
    fast_period = draw(st.integers(1, 5))
    return EmaCrossover(fast_period=fast_period, slow_period=fast_period + draw(st.integers(1, 5)))


def random_walk(prints, seed=7):
    """A market of three session dates and two rolls."""
    rng = random.Random(seed)
    ts, price = NOON, 80_000
    market = Market([], [], [], [], [])
    for i in range(prints):
        ts += rng.choice([0, 0, 1, 2, 5, 300 * HOUR // prints])
        price += rng.choice([-3, -2, -1, -1, 0, 0, 1, 1, 2, 3])
        market.ts.append(ts)
        market.prices.append(price)
        market.aggressor.append(rng.choice([1, 0, -1]))
        market.contract.append(f"NQ{3 * i // prints}")
        market.signals.append(rng.choice([0, 0, 0, 0, 0, 1, -1]))
    return market


def segments_of(market):
    runs = [[i for i, _ in run] for _, run in groupby(enumerate(market.contract), key=lambda row: row[1])]
    return [(run[0], run[-1] + 1) for run in runs]


def session_dates(ts):
    """The trading date of each time: seven hours after its wall time in Chicago."""
    walls = [datetime.fromtimestamp(t // 10**9, CHICAGO).replace(tzinfo=None) for t in ts]
    return [(wall + timedelta(hours=7)).date() for wall in walls]


class Aggressors:
    """A strategy that follows each aggressor."""

    def signals(self, tape):
        return np.array(tape.aggressor)
