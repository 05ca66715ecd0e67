"""Rules 1 and 2: the crossover of two averages, and that its parts on many cores give the signals of one loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import naive
from support.budget import examples
from support.random_tapes import random_walk, segments_of
from support.tapes import tape_of

from scalpr_zen import EmaCrossover
from scalpr_zen.base.engine import Engine
from scalpr_zen.strategies import ema_crossover


def crossovers(prices, fast_period, slow_period, contract=None):
    strategy = EmaCrossover(fast_period=fast_period, slow_period=slow_period)
    return strategy.signals(tape_of(prices, contract=contract)).tolist()


# Signals ----------------------------------------------------------------------------------------------


def test_rule_1_a_signal_depends_on_the_prints_up_to_its_own_and_on_no_later_one():
    # x: 0 0 0 2 -2, fast (alpha 1): 0 0 0 2 -2, slow (alpha 1/2): 0 0 0 1 -0.5. Then any future.
    for future in ([], [0, 90, 5], [90, 90, 90]):
        assert crossovers([10, 10, 10, 12, 8, *future], 1, 3)[:5] == [0, 0, 0, 1, -1]


def test_rule_1_the_averages_restart_at_each_segment_so_a_roll_gap_is_no_crossover():
    prices = [100] * 5 + [200] * 5
    assert crossovers(prices, 1, 3, contract=["H5"] * 5 + ["M5"] * 5) == [0] * 10
    # Without the roll the same leap is one.
    assert crossovers(prices, 1, 3) == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]


def test_rule_1_a_segment_gives_the_same_signals_whatever_came_before_it():
    # The second segment has x: 0 0 0 -2 2. The prices of the first are of no account.
    for before in ([10, 10, 10, 12, 8], [99, 1, 99, 1, 99]):
        got = crossovers([*before, 50, 50, 50, 48, 52], 1, 3, contract=["H5"] * 5 + ["M5"] * 5)[5:]
        assert got == [0, 0, 0, -1, 1]


def test_rule_2_crossing_above_is_long_and_crossing_below_is_short():
    # x: 0 0 0 2 -2, fast: 0 0 0 2 -2, slow: 0 0 0 1 -0.5. Mirrored: short, then long.
    assert crossovers([10, 10, 10, 12, 8], 1, 3) == [0, 0, 0, 1, -1]
    assert crossovers([10, 10, 10, 8, 12], 1, 3) == [0, 0, 0, -1, 1]


def test_rule_2_equal_averages_are_no_crossover_but_leaving_equality_is_one():
    # x: 0 0 0 8 4 6, fast: 0 0 0 8 4 6, slow: 0 0 0 4 4 5: above, at, above again. And mirrored.
    assert crossovers([50, 50, 50, 58, 54, 56], 1, 3) == [0, 0, 0, 1, 0, 1]
    assert crossovers([50, 50, 50, 42, 46, 44], 1, 3) == [0, 0, 0, -1, 0, -1]


def test_rule_2_staying_above_or_below_is_no_new_crossover():
    # x: 0 0 0 2 3 -9 -9, fast the same, slow: 0 0 0 1 2 -3.5 -6.25.
    assert crossovers([10, 10, 10, 12, 13, 1, 1], 1, 3) == [0, 0, 0, 1, 0, -1, 0]


@pytest.mark.parametrize(("x", "last"), [(-4, 0), (-5, -1)])
def test_rule_2_alpha_is_two_over_the_period_plus_one(x, last):
    # alpha is 2 / (3 + 1) = 1/2 and 2 / (7 + 1) = 1/4. After 7 prints at 0 comes 16: fast 8, slow 4, long.
    # Then x: fast is 4 + x / 2 and slow 3 + x / 4, equal at x = -4 and below it from -5 on.
    assert crossovers([50] * 7 + [50 + 16, 50 + x], 3, 7) == [0] * 7 + [1, last]


def test_rule_2_the_averages_are_seeded_with_the_first_price_of_the_segment():
    # Seeded with 10 both are 10 until the fall to 9. Seeded with 0 fast would have been above before it.
    assert crossovers([10, 10, 10, 9, 12], 1, 3) == [0, 0, 0, -1, 1]
    # Seeded with the first price itself: the leap at print 1 leaves slow at 5 after it, 7.5, 8.75 ...
    # fast is above from print 1 on, so that neither 10 after 10 nor 9 (slow 8.875) crosses; 8 does.
    assert crossovers([0, 10, 10, 10, 9, 8], 1, 3) == [0, 0, 0, 0, 0, -1]


@pytest.mark.parametrize(("flat", "last"), [(40, 0), (53, 0), (54, 1)])
def test_rule_2_the_averages_are_float64(flat, last):
    # x: 0 0 0 8 8 8 ...: slow is 8 * (1 - 2**-n) after n prints at 8. A float64 is at 8 from n = 54 on, a float32
    # from 25 on. Until then fast stays above slow, and 9 is no crossover.
    got = crossovers([80_000] * 3 + [80_008] * flat + [80_009], 1, 3)
    assert got == [0, 0, 0, 1] + [0] * (flat - 1) + [last]
    # alpha 1/2 and 1/4; x: 2**26 + 4, then -2**24 - 1: both averages are 2**23 + 0.5, which takes 25 bits of fast.
    assert crossovers([0] * 7 + [2**26 + 4, -(2**24) - 1], 3, 7) == [0] * 7 + [1, 0]


def test_rule_2_there_is_no_signal_in_the_first_slow_prints_of_each_segment():
    # x: 0 0 2 2 -2: long at print 2, in the warm-up of 3; at print 3 nothing; short at print 4.
    # x: 0 0 0 2 -2: the long at print 3 is the first that can be.
    contract = ["H5"] * 5 + ["M5"] * 5
    assert crossovers([10, 10, 12, 12, 8] * 2, 1, 3, contract) == [0, 0, 0, 0, -1] * 2
    assert crossovers([10, 10, 10, 12, 8] * 2, 1, 3, contract) == [0, 0, 0, 1, -1] * 2


# In parts ----------------------------------------------------------------------------------------


@pytest.fixture
def parts(monkeypatch):
    """Let a segment have parts of some hundred prints, and count those that are computed again at a seam."""
    again = []
    mark = ema_crossover._Segment._mark

    def counted(segment, one, two):
        again.extend([one] if one == two else [])
        mark(segment, one, two)

    monkeypatch.setattr(ema_crossover, "PART", 100)
    monkeypatch.setattr(ema_crossover._Segment, "_mark", counted)
    return again


@pytest.mark.parametrize("warm_up", [1, 32])
@pytest.mark.parametrize(("fast_period", "slow_period"), [(1, 2), (3, 7), (9, 21)])
def test_parts_give_the_signals_of_the_slow_twin_whatever_their_warm_up(
    parts, monkeypatch, warm_up, fast_period, slow_period
):
    monkeypatch.setattr(ema_crossover, "WARM_UP", warm_up)
    market = random_walk(20_000)
    expected = naive.crossover_signals(market.prices, segments_of(market), fast_period, slow_period)
    for cores in (1, 2, 7):
        with Engine(cores):
            got = EmaCrossover(fast_period=fast_period, slow_period=slow_period).signals(market.tape()).tolist()
        assert got == expected
    # One period is too short for averages to agree to the last bit, 32 are not.
    assert bool(parts) == (warm_up == 1)


@examples(50)
@given(st.integers(0, 700), st.integers(1, 5), st.integers(0, 2**32))
def test_a_segment_of_any_length_has_all_its_prints_marked(length, period, seed):
    prices = np.cumsum(np.random.default_rng(seed).integers(-2, 3, length)).tolist()
    strategy = EmaCrossover(fast_period=period, slow_period=period + 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ema_crossover, "PART", 10)
        patch.setattr(ema_crossover, "WARM_UP", 1)
        got = strategy.signals(tape_of(prices)).tolist()
    assert got == naive.crossover_signals(prices, [(0, length)] if length else [], period, period + 1)


def test_a_price_that_does_not_move_gives_no_signal_across_the_seams(parts):
    prices = [100] * 450 + [101] + [100] * 549
    got = EmaCrossover(fast_period=1, slow_period=2).signals(tape_of(prices)).tolist()
    assert {at: side for at, side in enumerate(got) if side} == {450: 1, 451: -1}
