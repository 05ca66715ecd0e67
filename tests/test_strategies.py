"""The built-in strategies against their slow twins, and what holds for each of them on every tape.

The random tapes are short and hostile: gaps from nothing to days, sizes of 0, rolls within sessions, and the days on
which the clock changes.
"""

import dataclasses
import random
from collections import Counter
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import naive_strategies as naive
from support.budget import JIT, many, tries
from support.dbn_files import chicago

from scalpr_zen import (
    MomentumBurst,
    OpeningRange,
    OrderFlowImbalance,
    ParameterError,
    Tape,
    VwapReversion,
    instrument,
)
from scalpr_zen.base.params import declared
from scalpr_zen.strategies import shared

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


# What holds for each ----------------------------------------------------------------------------------


@every_strategy
@given(st.data(), markets())
def test_the_signals_equal_those_of_the_slow_twin(kind, data, market):
    strategy = data.draw(STRATEGIES[kind](market))
    got = signals(strategy, market)
    expected = twin(strategy, market)
    assert got == expected


@many
@every_strategy
def test_the_random_tapes_give_signals_of_both_sides(kind):
    found = Counter()

    @given(st.data(), markets())
    def count(data, market):
        found.update(signals(data.draw(STRATEGIES[kind](market)), market))

    count()
    assert min(found[side] for side in (1, -1)) >= 5


LONG = [
    OpeningRange(),
    OpeningRange(range_start="17:00", range_minutes=600, until="17:00"),
    VwapReversion(bands=1.5, warmup=10),
    VwapReversion(bands=2.0, warmup=0),
    OrderFlowImbalance(window=20, threshold=0.4),
    MomentumBurst(burst_ticks=9, burst_ms=50),
]


@pytest.mark.parametrize("strategy", LONG, ids=str)
def test_the_signals_of_a_long_tape_equal_those_of_the_slow_twin(strategy):
    market = random_walk(tries(2_000, 1_000))
    got = signals(strategy, market)
    expected = twin(strategy, market)
    assert got == expected
    assert min(Counter(got)[side] for side in (1, -1)) >= 2


@every_strategy
@given(st.data(), markets())
def test_a_longer_tape_does_not_change_the_earlier_signals(kind, data, market):
    strategy, tape = data.draw(STRATEGIES[kind](market)), market.tape()
    whole = strategy.signals(tape).tolist()
    for cut in range(len(tape)):
        got = strategy.signals(tape.cut(cut)).tolist()
        expected = whole[:cut]
        assert got == expected


@every_strategy
@given(st.data(), markets(), st.sampled_from([1, -7, 99_999, -(10**8), 9 * 10**8]))
def test_whole_ticks_added_to_all_prices_change_nothing(kind, data, market, ticks):
    strategy = data.draw(STRATEGIES[kind](market))
    got = signals(strategy, market.shifted(ticks))
    expected = signals(strategy, market)
    assert got == expected


@every_strategy
@given(st.data(), markets())
def test_negated_prices_and_swapped_aggressors_mirror_the_signals(kind, data, market):
    strategy = data.draw(STRATEGIES[kind](market))
    got = signals(strategy, market.mirrored())
    expected = [-signal for signal in signals(strategy, market)]
    assert got == expected


@every_strategy
@given(st.data(), markets())
def test_the_signals_of_a_segment_are_those_of_the_segment_alone(kind, data, market):
    strategy = data.draw(STRATEGIES[kind](market))
    got = signals(strategy, market)
    expected = [signal for part in market.segments for signal in signals(strategy, market.part(*part))]
    assert got == expected


@pytest.mark.parametrize("kind", [OpeningRange, VwapReversion])
@given(st.data(), markets())
def test_the_signals_of_a_session_are_those_of_the_session_alone(kind, data, market):
    strategy = data.draw(STRATEGIES[kind](market))
    got = signals(strategy, market)
    expected = [signal for part in market.parts for signal in signals(strategy, market.part(*part))]
    assert got == expected


@every_strategy
def test_a_tape_without_prints_has_no_signals(kind):
    assert signals(kind(), Market()) == []


@given(markets())
def test_the_parts_of_a_tape_have_one_session_and_one_segment(market):
    got = list(zip(*(column.tolist() for column in shared.session_parts(market.tape())), strict=True))
    expected = market.parts
    assert got == expected


# Opening range ----------------------------------------------------------------------------------------


def day(*prints, date="2025-01-15"):
    """A market of prints (time in Chicago, price)."""
    market = Market()
    for time, price in prints:
        add(market, chicago(f"{date} {time}"), price)
    return market


RANGE = [("08:30:00", 100), ("08:40:00", 104), ("08:59:59.999999", 96)]


@pytest.mark.parametrize(
    ("time", "price", "signal"),
    [
        ("09:00:00", 105, 1),
        ("09:00:00", 104, 0),
        ("09:00:00", 95, -1),
        ("09:00:00", 96, 0),
        ("14:59:59.999999", 105, 1),
        ("15:00:00", 105, 0),
        ("08:59:59.999999", 200, 0),
    ],
)
def test_a_print_beyond_the_range_is_a_signal_after_the_range_and_before_until(time, price, signal):
    assert signals(OpeningRange(), day(*RANGE, (time, price))) == [0, 0, 0, signal]


def test_prints_before_the_range_are_not_of_it():
    market = day(("08:29:59.999999", 200), *RANGE, ("09:00:00", 105))
    assert signals(OpeningRange(), market) == [0, 0, 0, 0, 1]


def test_a_breakout_may_ask_for_more_ticks():
    market = day(*RANGE, ("09:00:00", 106), ("09:01:00", 107), ("09:02:00", 94), ("09:03:00", 93))
    assert signals(OpeningRange(breakout_ticks=3), market) == [0, 0, 0, 0, 1, 0, -1]


def test_each_side_has_one_breakout_a_session():
    market = day(*RANGE, ("09:00:00", 105), ("09:01:00", 100), ("09:02:00", 106), ("09:03:00", 95), ("09:04:00", 90))
    assert signals(OpeningRange(), market) == [0, 0, 0, 1, 0, 0, -1, 0]


def test_a_session_without_a_print_in_its_range_has_no_signal():
    assert signals(OpeningRange(), day(("08:29:00", 100), ("09:00:00", 200), ("09:01:00", 50))) == [0, 0, 0]


def test_a_session_does_not_use_the_range_of_the_one_before():
    market, other = day(*RANGE), day(("09:00:00", 200), date="2025-01-16")
    add(market, other.ts[0], 200)
    assert signals(OpeningRange(), market) == [0, 0, 0, 0]


def test_a_roll_within_the_session_ends_the_range():
    market = day(*RANGE, ("09:00:00", 400))
    market.contracts[-1] = "NQH5"
    assert signals(OpeningRange(), market) == [0, 0, 0, 0]


@pytest.mark.parametrize("date", ["2025-03-07", "2025-03-10", "2025-10-31", "2025-11-03"])
def test_the_range_keeps_the_time_of_chicago_when_the_clock_changes(date):
    market = day(("08:29:59", 200), *RANGE, ("09:00:00", 105), date=date)
    assert signals(OpeningRange(), market) == [0, 0, 0, 0, 1]


def test_a_time_of_1700_or_later_is_that_of_the_evening_before():
    market = Market()
    for text in ("2025-01-14 16:59:59", "2025-01-14 17:00:00", "2025-01-14 17:30:00", "2025-01-15 16:59:59"):
        add(market, chicago(text), 100 + len(market.ts))
    assert signals(OpeningRange(range_start="17:00", until="17:31"), market) == [0, 0, 1, 0]
    market.prices[2] = 101
    assert signals(OpeningRange(range_start="17:00", until="17:00"), market) == [0, 0, 0, 1]


@pytest.mark.parametrize(
    "text", ["8:30", "24:00", "08:60", "08:30:00", "", "noon", "08.30", "\u0660\u0668:30", "08:30\n"]
)
@pytest.mark.parametrize("name", ["range_start", "until"])
def test_a_time_of_the_day_that_is_none_is_refused(name, text):
    with pytest.raises(ParameterError, match=f"{name} must be a time of the day from 00:00 to 23:59, was "):
        OpeningRange(**{name: text})


@pytest.mark.parametrize(
    ("begin", "minutes", "until"), [("08:30", 30, "09:00"), ("08:30", 30, "18:00"), ("16:00", 60, "17:00")]
)
def test_an_until_that_leaves_no_time_after_the_range_is_refused(begin, minutes, until):
    with pytest.raises(ParameterError, match=f"until must come after the range, was {until} with range_start {begin}"):
        OpeningRange(range_start=begin, range_minutes=minutes, until=until)


# VWAP reversion ---------------------------------------------------------------------------------------


def prints(*rows):
    """A market of one session from rows (price, size)."""
    market = Market()
    for price, size in rows:
        add(market, MORNING + len(market.ts), price, size)
    return market


def test_the_bands_are_standard_deviations_around_the_vwap():
    # After the print the vwap is 101.6 and the variance 10.24: 108 lies two deviations of 3.2 above it.
    market = prints((100, 4), (108, 1))
    assert signals(VwapReversion(bands=2.0, warmup=0), market) == [0, -1]
    assert signals(VwapReversion(bands=2.01, warmup=0), market) == [0, 0]


def test_a_band_gives_no_other_signal_before_a_return_to_the_vwap():
    rows = [(100, 100), (110, 1), (101, 1), (111, 1), (100, 1), (112, 1), (80, 1)]
    assert signals(VwapReversion(bands=2.0, warmup=0), prints(*rows)) == [0, -1, 0, 0, 0, -1, 1]


def test_a_band_reached_in_the_warm_up_is_reached():
    rows = [(100, 100), (110, 1), (111, 1), (100, 1), (112, 1)]
    assert signals(VwapReversion(bands=2.0, warmup=2), prints(*rows)) == [0, 0, 0, 0, -1]


def test_prints_without_size_carry_no_weight():
    rows = [(50, 0), (100, 4), (900, 0), (100, 1), (108, 1)]
    got = signals(VwapReversion(bands=2.0, warmup=0), prints(*rows))
    expected = [0, 0, 0, 0, -1]
    assert got == expected


def test_one_price_has_no_bands():
    assert signals(VwapReversion(bands=0.01, warmup=0), prints((50, 0), (100, 1), (100, 5), (100, 2))) == [0, 0, 0, 0]


def test_large_sizes_and_distances_do_not_wrap():
    """Products beyond int64 and sums beyond 2**53, but a band that is far away or far exceeded."""
    rows = [(0, 2**31 - 1), *[(20_000 * (-1) ** i, 2**31 - 1) for i in range(40)], (100_000, 1)]
    got = signals(VwapReversion(bands=4.0, warmup=0), prints(*rows))
    expected = [0] * 41 + [-1]
    assert got == expected


def test_bands_of_more_than_two_decimals_are_refused():
    with pytest.raises(ParameterError, match=r"bands must have at most 2 decimals, was 2\.005"):
        VwapReversion(bands=2.005)


# Order flow imbalance ---------------------------------------------------------------------------------


def flow(*rows):
    """A market of rows (aggressor, size)."""
    market = Market()
    for aggressor, size in rows:
        add(market, MORNING + len(market.ts), 100, size, aggressor)
    return market


def test_the_imbalance_counts_contracts_of_both_sides_over_all_contracts():
    # The last three prints: +7 - 2 of 7 + 2 + 1 contracts, which is 0.5.
    market = flow((-1, 9), (1, 7), (-1, 2), (0, 1))
    assert signals(OrderFlowImbalance(window=3, threshold=0.5), market) == [0, 0, 0, 1]
    assert signals(OrderFlowImbalance(window=3, threshold=0.5001), market) == [0, 0, 0, 0]


def test_an_imbalance_gives_one_signal_while_it_lasts():
    market = flow((-1, 1), (1, 1), (1, 1), (1, 1), (-1, 1), (1, 1), (1, 1))
    assert signals(OrderFlowImbalance(window=2, threshold=1), market) == [0, 0, 1, 0, 0, 0, 1]


def test_the_first_window_gives_no_signal():
    assert signals(OrderFlowImbalance(window=3, threshold=0.5), flow(*[(1, 1)] * 6)) == [0] * 6


def test_a_threshold_is_met_exactly_and_not_as_floats_have_it():
    assert 0.07 * 200 > 107 - 93  # in floats
    market = flow((-1, 100), (-1, 93), (1, 107))
    assert signals(OrderFlowImbalance(window=2, threshold=0.07), market) == [0, 0, 1]


def test_a_window_without_volume_has_no_imbalance():
    assert signals(OrderFlowImbalance(window=1, threshold=0.0001), flow((-1, 1), (1, 0), (1, 1))) == [0, 0, 1]


def test_a_window_of_the_largest_sizes_does_not_wrap():
    prints, window = (3, 1) if not JIT else (100_002, 100_000)
    market = flow((-1, 2**31 - 1), *[(1, 2**31 - 1)] * (prints - 1))
    got = np.array(signals(OrderFlowImbalance(window=window, threshold=1), market))
    assert np.flatnonzero(got).tolist() == [window]
    assert got[window] == 1


def test_a_threshold_of_more_than_four_decimals_is_refused():
    with pytest.raises(ParameterError, match=r"threshold must have at most 4 decimals, was 0\.33333"):
        OrderFlowImbalance(threshold=0.33333)


# Momentum burst ---------------------------------------------------------------------------------------


def moves(*rows):
    """A market of rows (ms, price)."""
    market = Market()
    for ms, price in rows:
        add(market, MORNING + int(ms * MS), price)
    return market


@pytest.mark.parametrize(("later", "signal"), [(0, 1), (9, 1), (10, 1), (10.000001, 0)])
def test_a_move_counts_within_the_time_of_a_burst(later, signal):
    got = signals(MomentumBurst(burst_ticks=5, burst_ms=10), moves((0, 100), (later, 105)))
    expected = [0, signal]
    assert got == expected


def test_a_burst_gives_one_signal_while_it_lasts():
    market = moves((0, 100), (1, 105), (2, 106), (3, 104), (4, 105), (30, 105), (31, 100), (32, 99))
    assert signals(MomentumBurst(burst_ticks=5, burst_ms=10), market) == [0, 1, 0, 0, 1, 0, -1, 0]


def test_a_burst_both_ways_at_one_print_gives_no_signal():
    # At the print of 100 the price has risen from 95 and fallen from 105, which is too old a millisecond later.
    market = moves((0, 105), (1, 95), (10, 100), (11, 100), (12, 100))
    assert signals(MomentumBurst(burst_ticks=5, burst_ms=10), market) == [0, -1, 0, 0, 0]
    market = moves((0, 105), (1, 95), (10, 99), (11, 100), (12, 100))
    assert signals(MomentumBurst(burst_ticks=5, burst_ms=10), market) == [0, -1, 0, 1, 0]


def test_a_burst_of_no_time_is_one_within_an_event():
    market = moves((0, 100), (1, 105), (1, 110))
    assert signals(MomentumBurst(burst_ticks=5, burst_ms=0), market) == [0, 0, 1]


def test_a_burst_finds_the_lowest_price_among_many():
    """The room for prints of one burst is as large as needed, and no larger."""
    market = moves(*[(i, 1_000 + i % 7) for i in range(100)], (100, 1_012))
    got = signals(MomentumBurst(burst_ticks=12, burst_ms=100), market)
    expected = [0] * 100 + [1]
    assert got == expected
