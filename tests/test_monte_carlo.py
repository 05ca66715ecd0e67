import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from support.budget import JIT, examples

from scalpr_zen import MonteCarlo
from scalpr_zen.base.engine import Engine
from scalpr_zen.sections.monte_carlo.paths import (
    HISTOGRAM,
    _draw_kernel,
    _numbers,
    _permute_kernel,
    _philox_kernel,
    _summaries,
    monte_carlo,
)

PERMUTATION, DAYS = 0, 1  # the word of the counter by which the methods differ
WORD = 2**32
SEED = 2_024


# -------------------------------------------------------------------------------------- the naive twins


def philox(counter, key):
    """Philox 4x32-10, from the paper: four words of 32 bits for a counter of four and a key of two."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * c0, WORD)
        high1, low1 = divmod(0xCD9E8D57 * c2, WORD)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B9) % WORD, (k1 + 0xBB67AE85) % WORD
    return c0, c1, c2, c3


def numbers(seed, method, path, first_block, blocks):
    """The numbers of some blocks in the order of their use: the first word of every block, then the second, ..."""
    drawn = [philox((first_block + b, path, method, 0), (seed, 0)) for b in range(blocks)]
    return [block[word] for word in range(4) for block in drawn]


def fall_of(path):
    """The largest fall of a path from its running peak."""
    peak = fall = path[0]
    fall = 0
    for value in path:
        peak = max(peak, value)
        fall = max(fall, peak - value)
    return fall


def naive_permutation(values, grid, seed, path):
    """Fisher-Yates from the front; return the order, the equity at the grid and the drawdown.

    Every stretch of the grid begins with a block of its own, as many blocks as the longest stretch needs.
    """
    order, equity = list(range(len(values))), [0]
    stretches = list(itertools.pairwise([0, *grid]))
    blocks = -(-max(stop - start for start, stop in stretches) // 4)
    for k, (start, stop) in enumerate(stretches):
        drawn = numbers(seed, PERMUTATION, path, k * blocks, blocks)
        for at in range(start, stop):
            chosen = at + drawn[at - start] * (len(values) - at) // WORD
            order[at], order[chosen] = order[chosen], order[at]
    for chosen in order:
        equity.append(equity[-1] + values[chosen])
    return order, [equity[step] for step in grid], fall_of(equity)


def naive_days(values, session, sessions, grid, seed, path):
    """Walk every trade of every session date drawn; return the equity at the grid and the drawdown."""
    drawn = numbers(seed, DAYS, path, 0, -(-sessions // 4))
    equity, at_day = [0], [0]
    for number in drawn[:sessions]:
        day = number * sessions // WORD
        for value, own in zip(values, session, strict=True):
            if own == day:
                equity.append(equity[-1] + value)
        at_day.append(equity[-1])
    return [at_day[step] for step in grid], fall_of(equity)


# ------------------------------------------------------------------------------------- the two kernels


def permuted(values, grid, seed=SEED, first=0, paths=4):
    """Equity (paths, steps) and drawdown (paths,) of the permutation kernel."""
    different, codes = np.unique(np.array(values, np.int64), return_inverse=True)
    equity, drawdown = np.empty((paths, len(grid)), np.int64), np.empty(paths, np.int64)
    longest = max(stop - start for start, stop in itertools.pairwise([0, *grid]))
    codes = codes.astype(np.uint16)
    scratch = _numbers(longest), np.empty_like(codes)
    _permute_kernel(codes, different, np.array(grid, np.int64), seed, first, *scratch, equity, drawdown)
    return equity, drawdown


def drawn_days(values, session, sessions, grid, seed=SEED, first=0, paths=4):
    """Equity (paths, steps) and drawdown (paths,) of the kernel of the days."""
    equity, drawdown = np.empty((paths, len(grid)), np.int64), np.empty(paths, np.int64)
    days = _summaries(np.array(values, np.int64), np.array(session), sessions)
    _draw_kernel(*days, np.array(grid, np.int64), seed, first, _numbers(sessions), equity, drawdown)
    return equity, drawdown


@st.composite
def lists_and_grid(draw, of):
    values = draw(st.lists(of, min_size=1, max_size=25))
    inner = draw(st.sets(st.integers(1, len(values)), max_size=6))
    return values, sorted({*inner, len(values)})


micros = st.one_of(st.integers(-(10**12), 10**12), st.sampled_from([-100_000_000, 200_000_000, 0]))


@examples(60)
@given(lists_and_grid(micros), st.integers(0, WORD - 1), st.integers(0, WORD - 9))
def test_a_permuted_path_is_the_naive_one(case, seed, first):
    values, grid = case
    equity, drawdown = permuted(values, grid, seed, first)
    for k in range(len(drawdown)):
        _, expected_equity, expected_drawdown = naive_permutation(values, grid, seed, first + k)
        assert (equity[k].tolist(), drawdown[k]) == (expected_equity, expected_drawdown)


@examples(60)
@given(st.data(), st.integers(0, WORD - 1), st.integers(0, WORD - 9))
def test_a_path_of_drawn_days_is_the_naive_walk_over_every_trade(data, seed, first):
    sessions = data.draw(st.integers(1, 12))
    values = data.draw(st.lists(micros, min_size=1, max_size=25))
    days = st.lists(st.integers(0, sessions - 1), min_size=len(values), max_size=len(values))
    session = sorted(data.draw(days))
    grid = sorted({*data.draw(st.sets(st.integers(1, sessions), max_size=6)), sessions})
    equity, drawdown = drawn_days(values, session, sessions, grid, seed, first)
    for k in range(len(drawdown)):
        expected = naive_days(values, session, sessions, grid, seed, first + k)
        assert (equity[k].tolist(), drawdown[k]) == expected


# ------------------------------------------------------------------------------------ random numbers

KNOWN_ANSWERS = [
    # kat_vectors of the Random123 distribution: counter, key, answer
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def words(text):
    return tuple(int(word, 16) for word in text.split())


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_the_plain_philox_gives_the_known_answers(counter, key, answer):
    assert philox(words(counter), words(key)) == words(answer)


word = st.one_of(st.integers(0, WORD - 1), st.sampled_from([0, 1, WORD - 1]))


@examples(100)
@given(word, word, word, st.integers(0, WORD - 4))
def test_the_kernel_gives_the_numbers_of_the_plain_philox(seed, method, path, block):
    out = np.empty(4 * 3, np.uint64)
    _philox_kernel(seed, method, path, block, out)
    expected = [philox((block + b, path, method, 0), (seed, 0)) for b in range(3)]
    assert [tuple(column) for column in out.reshape(4, 3).T.tolist()] == expected


# ------------------------------------------------------------------------------------------- the face


def trades(n=40, sessions=9, seed=5):
    """Net USD in cents and session dates of a random trade list; the last session date has no trade."""
    rng = np.random.default_rng(seed)
    return rng.integers(-20_000, 21_000, n) / 100, np.sort(rng.integers(0, sessions - 1, n)), sessions


def percentiles(values):
    """Percentiles of whole micro-dollars, in USD."""
    return {str(p): float(np.percentile(values, p)) / 1e6 for p in (5, 25, 50, 75, 95)}


@pytest.mark.parametrize(("n", "sessions"), [(7, 3), (40, 9), (450, 203)])
def test_the_result_is_made_of_the_naive_paths(n, sessions):
    # 450 trades and 203 session dates are more than the 200 steps of a band: those of more than one trade.
    x, session, sessions = trades(n, sessions)
    sims = 6
    got = monte_carlo(x, session, sessions, MonteCarlo(monte_carlo_sims=sims, seed=SEED))
    micro = [round(value * 1_000_000) for value in x.tolist()]
    for name, step, length in (("permutation", "trade", n), ("days", "session_date", sessions)):
        grid = got[name][step]
        assert (grid[0], grid[-1], len(grid)) == (0, length, min(length, 200) + 1)
        assert {b - a for a, b in itertools.pairwise(grid)} <= {length // 200, -(-length // 200)} | {1}
        if name == "permutation":
            paths = [naive_permutation(micro, grid[1:], SEED, path)[1:] for path in range(sims)]
        else:
            paths = [naive_days(micro, session.tolist(), sessions, grid[1:], SEED, path) for path in range(sims)]
        equity, drawdown = np.array([e for e, _ in paths]), np.array([d for _, d in paths])
        assert got[name]["drawdown_usd"] == percentiles(drawdown)
        for point in range(len(grid) - 1):
            shown = {p: band[point + 1] for p, band in got[name]["bands_usd"].items()}
            assert shown == percentiles(equity[:, point])
        assert all(band[0] == 0 for band in got[name]["bands_usd"].values())
    assert got["days"]["profit_usd"] == percentiles(equity[:, -1])
    assert got["days"]["profitable_share"] == (equity[:, -1] > 0).mean()
    assert (got["sims"], got["seed"]) == (sims, SEED)


def test_a_permutation_keeps_the_sum_of_more_than_65536_different_amounts():
    # The order is shuffled as numbers of two bytes where they are enough; here they are not.
    n = 65_537 + 9
    x = np.arange(n) / 100 - 300
    got = monte_carlo(x, np.zeros(n, int), 1, MonteCarlo(monte_carlo_sims=1))["permutation"]
    cents = sum(range(n)) - 30_000 * n
    assert {band[-1] for band in got["bands_usd"].values()} == {cents / 100}


def test_any_number_of_threads_gives_the_same_result():
    x, session, sessions = trades()
    settings = MonteCarlo(monte_carlo_sims=25, seed=SEED)
    expected = monte_carlo(x, session, sessions, settings)
    for cores in (1, 2, 7, 25, 60):
        with Engine(cores):
            assert monte_carlo(x, session, sessions, settings) == expected


@pytest.mark.parametrize(("x", "sims"), [([], 100), ([100.0, -50.0], 0)])
def test_empty_without_trades_or_paths(x, sims):
    session = np.zeros(len(x), np.int32)
    assert monte_carlo(np.array(x), session, 3, MonteCarlo(monte_carlo_sims=sims)) == {}


@pytest.mark.parametrize(
    ("session", "sessions", "made"),
    [
        ([0, 0], 1, ["permutation"]),  # a path of the one session date is the run itself
        ([1], 2, ["days"]),  # one trade has one order
        ([0], 1, []),
    ],
)
def test_what_has_one_outcome_alone_is_not_drawn(session, sessions, made):
    x = np.array([50.0, -20.0][: len(session)])
    got = monte_carlo(x, np.array(session), sessions, MonteCarlo(monte_carlo_sims=3))
    assert [name for name in ("permutation", "days") if got[name]] == made
    assert [got[name] for name in ("permutation", "days") if name not in made] == [{}] * (2 - len(made))


# ------------------------------------------------------------------------------ what the numbers mean

SIGNIFICANCE = 1e-3
"""A fair shuffle would fail a test below with this probability; the seed is fixed, so it fails always or never."""


def orders(n, paths):
    """The order of n trades in each path, shape (paths, n): trade k has the value 2^k, so steps name it."""
    equity, _ = permuted([2**k for k in range(n)], list(range(1, n + 1)), paths=paths)
    return np.log2(np.diff(equity, axis=1, prepend=0)).astype(int)


def chi_square(counts, expected, degrees):
    """Whether counts are as even as chance has them."""
    found = float(((counts - expected) ** 2 / expected).sum())
    return found < scipy.stats.chi2.isf(SIGNIFICANCE, degrees)


def test_every_order_is_equally_likely():
    n, paths = 4, 2_400
    counts = np.unique(orders(n, paths), axis=0, return_counts=True)[1]
    assert len(counts) == 24
    assert chi_square(counts, paths / 24, 23)


def test_every_session_date_is_equally_likely_at_every_draw():
    sessions, paths = 6, 1_000
    equity, _ = drawn_days([2**k for k in range(sessions)], range(sessions), sessions, range(1, 7), paths=paths)
    drawn = np.log2(np.diff(equity, axis=1, prepend=0)).astype(int)
    counts = np.array([np.bincount(column, minlength=sessions) for column in drawn.T])
    assert chi_square(counts, paths / sessions, sessions * (sessions - 1))
    # With replacement: 6! / 6^6 = 1.5% of the paths draw no session date twice.
    assert 0 < np.mean([len(set(path)) == sessions for path in drawn.tolist()]) < 0.05


def test_the_rank_of_the_actual_drawdown_by_hand():
    # -10 -10 20 falls 20, -10 20 -10 falls 10, 20 -10 -10 falls 20. A third of all orders falls 10.
    settings = MonteCarlo(monte_carlo_sims=600)
    ranks = {}
    for x, fall in (((-10.0, -10.0, 20.0), 20.0), ((-10.0, 20.0, -10.0), 10.0), ((20.0, -10.0, -10.0), 20.0)):
        got = monte_carlo(np.array(x), np.zeros(3, int), 1, settings)["permutation"]
        assert got["actual_drawdown_usd"] == fall
        ranks[x] = got["actual_drawdown_rank"]
    deep, shallow, also_deep = ranks.values()
    assert shallow == 0  # no path falls less than the least
    # The share of smaller falls: equal ones do not count. The sd of a share of 600 is 1.9%.
    assert deep == pytest.approx(1 / 3, abs=0.08)
    assert also_deep == pytest.approx(1 / 3, abs=0.08)


def test_the_actual_path_is_the_one_that_happened():
    x = np.array([100.0, -0.3, -0.1, 0.2])
    got = monte_carlo(x, np.zeros(4, int), 1, MonteCarlo(monte_carlo_sims=3))["permutation"]
    assert got["trade"] == [0, 1, 2, 3, 4]
    assert got["actual_usd"] == [0.0, 100.0, 99.7, 99.6, 99.8]  # micro-dollars: not 99.60000000000001
    assert got["actual_drawdown_usd"] == 0.4


def test_the_first_fall_counts_from_the_starting_zero():
    got = monte_carlo(np.array([-70.0, -70.0]), np.arange(2), 2, MonteCarlo(monte_carlo_sims=3))
    for name in ("permutation", "days"):
        assert set(got[name]["drawdown_usd"].values()) == {140.0}


def test_the_share_of_paths_with_a_profit_by_hand():
    # One of two session dates earns: a path of two draws misses it with a probability of a quarter. Earning
    # nothing is no profit. The sd of a share of 800 is 1.5%.
    settings = MonteCarlo(monte_carlo_sims=800)
    got = monte_carlo(np.array([100.0]), np.array([1]), 2, settings)["days"]
    assert got["profitable_share"] == pytest.approx(0.75, abs=0.06)
    assert (got["profit_usd"]["5"], got["profit_usd"]["50"], got["profit_usd"]["95"]) == (0.0, 100.0, 200.0)
    lost = monte_carlo(np.array([-100.0]), np.array([1]), 2, settings)["days"]
    assert (lost["profitable_share"], lost["profit_usd"]["5"]) == (0.0, -200.0)


@pytest.mark.skipif(not JIT, reason="4,000 paths of 250 dates take minutes without the compiler")
@pytest.mark.parametrize("t", [-2.0, -0.5, 0.0, 1.3, 2.5])
def test_the_share_of_paths_with_a_profit_is_about_1_less_the_one_sided_p_value_of_the_days(t):
    # 250 days shifted to a t-statistic of just t. A sum of as many days drawn from them is nearly normal with their
    # mean and deviation (n, not n - 1), so that its share above zero is nearly the normal distribution at t. The sd of
    # a share of 4,000 paths is 0.8% at most, and the skewness of 250 normal days moves it by 0.5%: 3%.
    days = np.random.default_rng(7).normal(0, 100, 250)
    days += (t / math.sqrt(250) * days.std(ddof=1)) - days.mean()
    got = monte_carlo(days, np.arange(250), 250, MonteCarlo(monte_carlo_sims=4_000))["days"]
    assert got["profitable_share"] == pytest.approx(scipy.stats.norm.cdf(t), abs=0.03)


def test_trades_of_a_day_stay_together():
    # Each session date falls 30 inside and ends level: a path of them never falls more, permuted trades do.
    x, session = np.array([-30.0, 30.0] * 10), np.repeat(np.arange(10), 2)
    got = monte_carlo(x, session, 10, MonteCarlo(monte_carlo_sims=50))
    assert set(got["days"]["drawdown_usd"].values()) == {30.0}
    assert set(got["days"]["profit_usd"].values()) == {0.0}
    assert got["permutation"]["drawdown_usd"]["50"] > 30.0


@pytest.mark.parametrize("largest", [100, 5_000_000_000])
def test_every_path_is_in_one_bin_of_the_drawdowns(largest):
    # Equal trades, so that all permutations fall alike; days differ by whole amounts.
    x, session = np.full(30, -float(largest)), np.repeat(np.arange(10), 3)
    got = monte_carlo(x, session, 10, MonteCarlo(monte_carlo_sims=70))
    for name in ("permutation", "days"):
        edges, paths = got[name]["drawdown_paths"]["edges_usd"], got[name]["drawdown_paths"]["paths"]
        assert (sum(paths), len(paths), len(edges)) == (70, 1, 2)
        assert edges[0] == 30.0 * largest <= edges[1]


def test_the_bins_of_the_drawdowns_agree_with_their_percentiles():
    rng = np.random.default_rng(5)
    x, session = np.round(rng.normal(0, 100, 400), 2), np.sort(rng.integers(0, 20, 400))
    got = monte_carlo(x, session, 20, MonteCarlo(monte_carlo_sims=500))
    for name in ("permutation", "days"):
        edges, paths = got[name]["drawdown_paths"]["edges_usd"], got[name]["drawdown_paths"]["paths"]
        assert sum(paths) == 500
        assert 35 < len(paths) <= HISTOGRAM
        assert np.allclose(np.diff(edges), edges[1] - edges[0], atol=1e-5)  # money is in micro-dollars
        below = np.concatenate(([0], np.cumsum(paths)))
        for percentile, usd in got[name]["drawdown_usd"].items():
            k = np.searchsorted(edges, usd, side="right")
            assert below[k - 1] - 1 <= 5 * int(percentile) <= below[min(k, len(paths))] + 1
