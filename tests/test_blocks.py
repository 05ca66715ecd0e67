"""The blocks: the lowest and highest price of every 64 prints, whatever the length of the tape."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tapes import tape_of

from scalpr_zen.base.blocks import BLOCK, blocks_of

LEAST, MOST = np.iinfo(np.int32).min, np.iinfo(np.int32).max


def extremes(prices):
    """The lowest and the highest price of each block, by looking at every one."""
    low, high = [], []
    for start in range(0, len(prices), 64):
        part = prices[start : start + 64]
        low.append(min(part))
        high.append(max(part))
    return low, high


def found(prices):
    blocks = blocks_of(np.array(prices, np.int32))
    assert blocks.low.dtype == blocks.high.dtype == np.int32
    return blocks.low.tolist(), blocks.high.tolist()


AROUND = sorted({max(k * BLOCK + d, 0) for k in (0, 1, 2, 7, 8, 9, 16, 17) for d in (-1, 0, 1)})


def test_a_block_is_of_64_prints():
    assert BLOCK == 64


@pytest.mark.parametrize("length", AROUND)
def test_blocks_equal_their_slow_twin_around_multiples_of_their_length(length):
    for seed, reach in enumerate((2, 40, MOST)):
        prices = np.random.default_rng(seed).integers(-reach, reach, length, endpoint=True).tolist()
        got = found(prices)
        expected = extremes(prices)
        assert got == expected


@given(st.lists(st.integers(LEAST, MOST) | st.integers(-2, 2), max_size=200))
def test_blocks_equal_their_slow_twin(prices):
    got = found(prices)
    expected = extremes(prices)
    assert got == expected


@pytest.mark.parametrize("at", [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK - 1, 2 * BLOCK, 2 * BLOCK + 4])
@pytest.mark.parametrize("price", [LEAST, MOST])
def test_a_single_extreme_belongs_to_its_own_block_alone(at, price):
    prices = [7] * (2 * BLOCK + 5)
    prices[at] = price
    got = found(prices)
    expected = extremes(prices)
    assert got == expected
    assert sum(x != 7 for x in got[0] + got[1]) == 1


def test_prices_that_only_rise_or_fall_have_their_extremes_at_the_ends_of_the_blocks():
    up = list(range(3 * BLOCK))
    assert found(up) == ([0, 64, 128], [63, 127, 191])
    assert found(up[::-1]) == ([128, 64, 0], [191, 127, 63])


def test_a_tape_has_the_blocks_of_its_prices_and_a_cut_one_those_of_what_is_left():
    prices = [100 + (37 * i) % 91 for i in range(3 * BLOCK + 10)]
    tape = tape_of(prices)
    for stop in (0, 1, BLOCK, BLOCK + 1, 3 * BLOCK, len(prices)):
        blocks = tape.cut(stop).blocks
        assert (blocks.low.tolist(), blocks.high.tolist()) == extremes(prices[:stop])
    assert (tape.blocks.low.tolist(), tape.blocks.high.tolist()) == extremes(prices)
    assert tape.blocks is tape.blocks
