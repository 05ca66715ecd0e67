"""Short, hostile random tapes for strategies, and the slow twin of each strategy."""

import dataclasses
import random
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import pytest
from hypothesis import strategies as st

from scalpr_zen import MomentumBurst, OpeningRange, OrderFlowImbalance, Tape, VwapReversion, instrument
from scalpr_zen.base.params import declared
from support import naive_strategies as naive
from support.dbn_files import chicago

CHICAGO = ZoneInfo("America/Chicago")
MS, SECOND, MINUTE = 10**6, 10**9, 60 * 10**9
HOUR = 60 * MINUTE
EVENING, SPRING, AUTUMN, MORNING = (
    chicago(text)
    for text in ("2025-01-14 16:58:00", "2025-03-08 23:10:00", "2025-11-01 23:10:00", "2025-01-15 08:20:00")
)


@dataclasses.dataclass
class Market:
    """The prints of one tape and their contracts."""

    ts: list[int] = dataclasses.field(default_factory=list)
    prices: list[int] = dataclasses.field(default_factory=list)
    sizes: list[int] = dataclasses.field(default_factory=list)
    aggressors: list[int] = dataclasses.field(default_factory=list)
    contracts: list[str] = dataclasses.field(default_factory=list)

    def tape(self):
        return Tape.from_prints(
            self.ts,
            self.prices,
            size=self.sizes,
            aggressor=self.aggressors,
            contract=self.contracts,
            instrument=instrument("NQ"),
        )

    def mirrored(self):
        prices, aggressors = [-price for price in self.prices], [-aggressor for aggressor in self.aggressors]
        return dataclasses.replace(self, prices=prices, aggressors=aggressors)

    def shifted(self, ticks):
        return dataclasses.replace(self, prices=[price + ticks for price in self.prices])

    def part(self, start, stop):
        return Market(*(column[start:stop] for column in dataclasses.astuple(self)))

    @property
    def dates(self):
        walls = [datetime.fromtimestamp(t // 10**9, CHICAGO).replace(tzinfo=None) for t in self.ts]
        return [(wall + timedelta(hours=7)).date() for wall in walls]

    @property
    def segments(self):
        return runs(self.contracts)

    @property
    def parts(self):
        return runs(list(zip(self.contracts, self.dates, strict=True)))


def runs(labels):
    """The ranges (start, stop) of equal neighbours."""
    runs = [[i for i, _ in run] for _, run in groupby(enumerate(labels), key=lambda row: row[1])]
    return [(run[0], run[-1] + 1) for run in runs]


# Each print is five bytes, one a column; a value that stands in a table more often is drawn more often.
GAPS_NS = [0] * 6 + [1, MS, MS, 2 * MS, 3 * MS, 5 * MS] + [SECOND, MINUTE, MINUTE, MINUTE, 2 * MINUTE, 7 * MINUTE]
GAPS_NS += [20 * MINUTE, HOUR, 5 * HOUR, 24 * HOUR]
STEPS_TICKS = [0] * 3 + [-1, 1] * 4 + [-2, 2] * 2 + [-3, 3, -4, 4, -20, 20]
SIZES = [1, 1, 1, 2, 3, 10, 0]
AGGRESSORS = [1, 1, -1, -1, 0]
ROLLS = [False] * 30 + [True]
COLUMNS = (GAPS_NS, STEPS_TICKS, SIZES, AGGRESSORS, ROLLS)


@st.composite
def markets(draw):
    prints = draw(st.integers(1, 50))
    data = draw(st.binary(min_size=5 * prints, max_size=5 * prints))
    ts, price, month = draw(st.sampled_from([EVENING, SPRING, AUTUMN, MORNING])), 80_000, 0
    market = Market()
    for i in range(0, len(data), 5):
        row = zip(COLUMNS, data[i : i + 5], strict=True)
        gap, step, size, aggressor, roll = (column[byte % len(column)] for column, byte in row)
        ts, price, month = ts + gap, price + step + 100 * roll, month + roll
        add(market, ts, price, size, aggressor, f"NQ{month}")
    return market


def add(market, ts, price, size=1, aggressor=0, contract="NQ"):
    market.ts.append(ts)
    market.prices.append(price)
    market.sizes.append(size)
    market.aggressors.append(aggressor)
    market.contracts.append(contract)


def random_walk(prints, seed=7):
    """A market of some eight sessions and two rolls."""
    rng = random.Random(seed)
    market, ts, price = Market(), MORNING, 80_000
    for i in range(prints):
        ts += rng.choice([0, MS, 5 * MS, 2 * 8 * 24 * HOUR // prints])
        price += rng.choice([-3, -2, -1, -1, 0, 0, 1, 1, 2, 3])
        add(market, ts, price, rng.choice(SIZES), rng.choice(AGGRESSORS), f"NQ{3 * i // prints}")
    return market


TIMES = [
    ("08:30", 30, "15:00"),
    ("08:20", 5, "08:45"),
    ("08:20", 12, "17:00"),
    ("17:00", 5, "16:59"),
    ("17:00", 10, "17:00"),
    ("23:10", 5, "17:00"),
    ("23:15", 20, "04:00"),
    ("00:00", 90, "02:30"),
    ("02:30", 60, "17:00"),  # on one night of the year there is no 02:30
    ("01:15", 45, "12:00"),  # and on another there are two
]


def opening_ranges(market):
    """Ranges at times that are hard, and at those of the prints."""
    seen = [datetime.fromtimestamp(t // SECOND, CHICAGO) for t in market.ts]
    begins = [f"{time:%H:%M}" for time in seen if time.hour != 16]
    times = st.sampled_from(TIMES)
    if begins:
        own = st.tuples(st.sampled_from(begins), st.sampled_from([1, 1, 2, 5, 20]), st.just("17:00"))
        times = st.one_of(own, own, own, times)
    return st.builds(
        lambda time, beyond: OpeningRange(
            range_start=time[0], range_minutes=time[1], until=time[2], breakout_ticks=beyond
        ),
        times,
        st.sampled_from([1, 1, 2, 3]),
    )


STRATEGIES = {
    OpeningRange: opening_ranges,
    VwapReversion: lambda _: st.builds(
        VwapReversion,
        bands=st.sampled_from([0.01, 0.5, 1.0, 1.15, 1.5, 2.0, 3.0]),
        warmup=st.sampled_from([0, 0, 1, 5]),
    ),
    OrderFlowImbalance: lambda _: st.builds(
        OrderFlowImbalance, window=st.integers(1, 7), threshold=st.sampled_from([0.07, 0.2, 0.3333, 0.5, 0.6, 1.0])
    ),
    MomentumBurst: lambda _: st.builds(
        MomentumBurst, burst_ticks=st.integers(1, 6), burst_ms=st.sampled_from([0, 1, 3, 10, 1_000, 3_600_000])
    ),
}


def twin(strategy, market):
    """The signals of a strategy by its slow twin."""
    values = {parameter.name: getattr(strategy, parameter.name) for parameter in declared(type(strategy))}
    if isinstance(strategy, OpeningRange):
        return naive.opening_range(market.ts, market.prices, market.parts, market.dates, **values)
    if isinstance(strategy, VwapReversion):
        return naive.vwap_reversion(market.prices, market.sizes, market.parts, **values)
    if isinstance(strategy, OrderFlowImbalance):
        return naive.order_flow_imbalance(market.sizes, market.aggressors, market.segments, **values)
    return naive.momentum_burst(market.ts, market.prices, market.segments, **values)


def signals(strategy, market):
    return strategy.signals(market.tape()).tolist()


every_strategy = pytest.mark.parametrize("kind", STRATEGIES, ids=lambda kind: kind.__name__)
