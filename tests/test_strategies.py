"""The built-in strategies against their slow twins, and what holds for each of them on every tape.

The random tapes are short and hostile: gaps from nothing to days, sizes of 0, rolls within sessions, and the days on
which the clock changes.
"""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.budget import many, tries
from support.strategy_markets import STRATEGIES, Market, every_strategy, markets, random_walk, signals, twin

from scalpr_zen import MomentumBurst, OpeningRange, OrderFlowImbalance, VwapReversion
from scalpr_zen.strategies.session_parts import session_parts

# What holds for each ----------------------------------------------------------------------------------


@every_strategy
@given(st.data(), markets())
def test_the_signals_equal_those_of_the_slow_twin(kind, data, market):
    strategy = data.draw(STRATEGIES[kind](market))
    assert signals(strategy, market) == twin(strategy, market)


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
    assert got == twin(strategy, market)
    assert min(Counter(got)[side] for side in (1, -1)) >= 2


@every_strategy
@given(st.data(), markets())
def test_a_longer_tape_does_not_change_the_earlier_signals(kind, data, market):
    strategy, tape = data.draw(STRATEGIES[kind](market)), market.tape()
    whole = strategy.signals(tape).tolist()
    for cut in range(len(tape)):
        assert strategy.signals(tape.cut(cut)).tolist() == whole[:cut]


@every_strategy
@given(st.data(), markets(), st.sampled_from([1, -7, 99_999, -(10**8), 9 * 10**8]))
def test_whole_ticks_added_to_all_prices_change_nothing(kind, data, market, ticks):
    strategy = data.draw(STRATEGIES[kind](market))
    assert signals(strategy, market.shifted(ticks)) == signals(strategy, market)


@every_strategy
@given(st.data(), markets())
def test_negated_prices_and_swapped_aggressors_mirror_the_signals(kind, data, market):
    strategy = data.draw(STRATEGIES[kind](market))
    assert signals(strategy, market.mirrored()) == [-signal for signal in signals(strategy, market)]


@every_strategy
@given(st.data(), markets())
def test_the_signals_of_a_segment_are_those_of_the_segment_alone(kind, data, market):
    strategy = data.draw(STRATEGIES[kind](market))
    got = signals(strategy, market)
    assert got == [signal for part in market.segments for signal in signals(strategy, market.part(*part))]


@pytest.mark.parametrize("kind", [OpeningRange, VwapReversion])
@given(st.data(), markets())
def test_the_signals_of_a_session_are_those_of_the_session_alone(kind, data, market):
    strategy = data.draw(STRATEGIES[kind](market))
    got = signals(strategy, market)
    assert got == [signal for part in market.parts for signal in signals(strategy, market.part(*part))]


@every_strategy
def test_a_tape_without_prints_has_no_signals(kind):
    assert signals(kind(), Market()) == []


@given(markets())
def test_the_parts_of_a_tape_have_one_session_and_one_segment(market):
    got = list(zip(*(column.tolist() for column in session_parts(market.tape())), strict=True))
    assert got == market.parts
