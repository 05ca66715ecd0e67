"""VWAP reversion: examples worked by hand."""

import pytest
from support.strategy_markets import MORNING, Market, add, signals

from scalpr_zen import ParameterError, VwapReversion


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
    assert signals(VwapReversion(bands=2.0, warmup=0), prints(*rows)) == [0, 0, 0, 0, -1]


def test_one_price_has_no_bands():
    assert signals(VwapReversion(bands=0.01, warmup=0), prints((50, 0), (100, 1), (100, 5), (100, 2))) == [0, 0, 0, 0]


def test_large_sizes_and_distances_do_not_wrap():
    """Products beyond int64 and sums beyond 2**53, but a band that is far away or far exceeded."""
    rows = [(0, 2**31 - 1), *[(20_000 * (-1) ** i, 2**31 - 1) for i in range(40)], (100_000, 1)]
    assert signals(VwapReversion(bands=4.0, warmup=0), prints(*rows)) == [0] * 41 + [-1]


def test_bands_of_more_than_two_decimals_are_refused():
    with pytest.raises(ParameterError, match=r"bands must have at most 2 decimals, was 2\.005"):
        VwapReversion(bands=2.005)
