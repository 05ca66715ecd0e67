"""A crossover that is computed in parts on many cores gives the signals of one loop over the segment."""

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
