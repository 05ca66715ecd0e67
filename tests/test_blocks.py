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


def test_a_block_is_of_64_prints():
    assert BLOCK == 64


@pytest.mark.parametrize("blocks", [0, 1, 2, 8, 17])
def test_blocks_equal_their_slow_twin_around_multiples_of_their_length(blocks):
    for length in range(max(blocks * BLOCK - 1, 0), blocks * BLOCK + 2):
        for seed, reach in enumerate((2, 40, MOST)):
            prices = np.random.default_rng(seed).integers(-reach, reach, length, endpoint=True).tolist()
            assert found(prices) == extremes(prices)


@given(st.lists(st.integers(LEAST, MOST) | st.integers(-2, 2), max_size=200))
def test_blocks_equal_their_slow_twin(prices):
    assert found(prices) == extremes(prices)


def test_a_tape_has_the_blocks_of_its_prices_and_a_cut_one_those_of_what_is_left():
    prices = [100 + (37 * i) % 91 for i in range(3 * BLOCK + 10)]
    tape = tape_of(prices)
    for stop in (0, 1, BLOCK, BLOCK + 1, 3 * BLOCK, len(prices)):
        blocks = tape.cut(stop).blocks
        assert (blocks.low.tolist(), blocks.high.tolist()) == extremes(prices[:stop])
    assert (tape.blocks.low.tolist(), tape.blocks.high.tolist()) == extremes(prices)
    assert tape.blocks is tape.blocks
