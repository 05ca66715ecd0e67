"""Order flow imbalance: examples worked by hand."""

import numpy as np
import pytest
from support.budget import JIT
from support.strategy_markets import MORNING, Market, add, signals

from scalpr_zen import OrderFlowImbalance, ParameterError


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
