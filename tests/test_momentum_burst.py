"""Momentum burst: examples worked by hand."""

import pytest
from support.strategy_markets import MORNING, MS, Market, add, signals

from scalpr_zen import MomentumBurst


def moves(*rows):
    """A market of rows (ms, price)."""
    market = Market()
    for ms, price in rows:
        add(market, MORNING + int(ms * MS), price)
    return market


@pytest.mark.parametrize(("later", "signal"), [(0, 1), (9, 1), (10, 1), (10.000001, 0)])
def test_a_move_counts_within_the_time_of_a_burst(later, signal):
    assert signals(MomentumBurst(burst_ticks=5, burst_ms=10), moves((0, 100), (later, 105))) == [0, signal]


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
    assert signals(MomentumBurst(burst_ticks=12, burst_ms=100), market) == [0] * 100 + [1]
