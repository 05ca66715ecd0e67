"""The envelope: the lowest and highest price of each part of a window, however the window lies to the blocks."""

from typing import NamedTuple

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from support.tapes import tape_of

from scalpr_zen import Tape, save_tape
from scalpr_zen.dashboard.envelope import BLOCK, Envelope


def extremes(price, first, stop):
    """The lowest and the highest price of each part that begins at `first`, by looking at every one."""
    low, high = [], []
    for begin, end in zip(first, [*first[1:], stop], strict=True):
        part = [int(price[i]) for i in range(begin, end)]
        low.append(min(part))
        high.append(max(part))
    return low, high


class Case(NamedTuple):
    """Random prices, and a window of them."""

    seed: int
    length: int
    reach: int
    start: int
    stop: int
    columns: int

    @property
    def prices(self):
        return np.random.default_rng(self.seed).integers(-self.reach, self.reach, self.length, endpoint=True)


AROUND_BLOCKS = st.sampled_from([k * BLOCK + d for k in (1, 2, 3) for d in (-1, 0, 1)])


@st.composite
def cases(draw):
    length = draw(st.integers(1, 40) | AROUND_BLOCKS | st.integers(1, 4 * BLOCK))
    edges = [edge for edge in (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, length - 1) if 0 <= edge < length]
    start = draw(st.sampled_from(edges) | st.integers(0, length - 1))
    ends = [edge for edge in (start + 1, BLOCK, BLOCK + 1, 2 * BLOCK, length) if start < edge <= length]
    stop = draw(st.sampled_from(ends) | st.integers(start + 1, length))
    columns = draw(st.sampled_from([1, stop - start]) | st.integers(1, stop - start))
    return Case(draw(st.integers(0, 2**32)), length, draw(st.sampled_from([1, 40, 10**9])), start, stop, columns)


@given(cases())
@example(Case(1, 3 * BLOCK, 40, 0, 3 * BLOCK, 3))
@example(Case(2, 3 * BLOCK, 40, 1, 3 * BLOCK, 1))
@example(Case(3, 3 * BLOCK + 1, 40, BLOCK, 3 * BLOCK + 1, 2))
@example(Case(4, 1, 40, 0, 1, 1))
def test_every_part_has_the_extremes_of_its_prices(case):
    prices = case.prices
    first, low, high = Envelope(tape_of(prices)).window(case.start, case.stop, case.columns)
    assert (low.tolist(), high.tolist()) == extremes(prices, first.tolist(), case.stop)


@given(cases())
def test_the_parts_are_equal_and_cover_the_window(case):
    first, low, high = Envelope(tape_of(case.prices)).window(case.start, case.stop, case.columns)
    assert len(first) == len(low) == len(high) == case.columns
    assert first[0] == case.start
    widths = np.diff([*first, case.stop])
    assert widths.min() >= 1
    assert widths.max() - widths.min() <= 1


def test_columns_have_the_types_of_the_tape():
    columns = Envelope(tape_of([3, 1, 2])).window(0, 3, 2)
    assert [column.dtype for column in columns] == [np.int64, np.int32, np.int32]


def test_as_many_parts_as_prints_are_the_prints():
    prices = list(range(2 * BLOCK + 5))
    first, low, high = Envelope(tape_of(prices)).window(7, 2 * BLOCK + 5, 2 * BLOCK - 2)
    assert first.tolist() == low.tolist() == high.tolist() == prices[7:]


def test_a_mapped_tape_has_the_envelope_of_the_tape_in_memory(tmp_path):
    prices = np.random.default_rng(5).integers(80_000, 81_000, 2 * BLOCK + 100)
    mapped = Tape.open(save_tape(tape_of(prices), tmp_path / "tape.npz"))
    first, low, high = Envelope(mapped).window(10, len(prices), 3)
    assert (low.tolist(), high.tolist()) == extremes(prices, first.tolist(), len(prices))


def test_windows_do_not_depend_on_windows_before():
    envelope = Envelope(tape_of(np.random.default_rng(6).integers(0, 500, 3_100)))
    before = [column.tolist() for column in envelope.window(5, 3000, 11)]
    envelope.window(0, 3_100, 2)
    assert [column.tolist() for column in envelope.window(5, 3000, 11)] == before
