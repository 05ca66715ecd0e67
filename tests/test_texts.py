"""Many texts at once are those that formatting one after the other gives."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalpr_zen import instrument
from scalpr_zen.base import texts
from scalpr_zen.base.sessions import chicago_text, utc_text
from scalpr_zen.base.texts import formatted, joined, labelled, numbered
from scalpr_zen.runs.trade_log import price_format

NANOS = 10**9
YEARS = st.integers(631_152_000 * NANOS, 4_102_444_800 * NANOS - 1)
"""Times from 1990 to 2099, ns UTC."""


@given(st.lists(st.tuples(st.sampled_from(["", "a", "bc", "\u00e9\u00e9"]), st.floats(-9, 9)), max_size=9))
def test_rows_are_the_texts_of_their_columns_whatever_their_widths(rows):
    words, values = [word for word, _ in rows], [value for _, value in rows]
    codes = np.arange(len(rows))
    columns = [labelled(codes, words), b", ", formatted(np.array(values, np.float64), str)]
    assert joined(len(rows), columns) == "".join(f"\n{word}, {value}" for word, value in rows)


def test_rows_of_several_tiles_come_in_order(monkeypatch):
    monkeypatch.setattr(texts, "_TILE", 3)
    assert joined(8, [labelled(np.arange(8), "abcdefgh")]).split() == list("abcdefgh")


@pytest.mark.parametrize("width", [0, 2, 8])
@pytest.mark.parametrize("count", [0, 1, 999, 1_000, 12_345])
def test_numbers_are_counted_from_one_and_aligned_to_the_right(count, width):
    assert joined(count, numbered(count, width)) == "".join(f"\n{n:>{width}}" for n in range(1, count + 1))


@given(st.lists(YEARS, max_size=9))
def test_times_are_those_of_the_standard_library(ts):
    zone = ZoneInfo("America/Chicago")
    ns = np.array(ts, np.int64)
    whole = [datetime.fromtimestamp(t // NANOS, UTC) for t in ts]
    local = [moment.astimezone(zone).isoformat() for moment in whole]
    assert chicago_text(ns) == [
        f"{text[:19]}.{t % NANOS // 1_000_000:03d}{text[19:]}" for text, t in zip(local, ts, strict=True)
    ]
    assert chicago_text(ns, "ns") == [
        f"{text[:19]}.{t % NANOS:09d}{text[19:]}" for text, t in zip(local, ts, strict=True)
    ]
    assert utc_text(ns) == [f"{m:%Y-%m-%dT%H:%M:%S}.{t % NANOS:09d}Z" for m, t in zip(whole, ts, strict=True)]


@pytest.mark.parametrize("root", ["NQ", "ZN", "6J", "NG", "YM"])
@given(ticks=st.integers(-(2**31), 2**31))
def test_a_price_is_the_exact_product_of_tick_and_ticks(root, ticks):

    tick = Decimal(str(instrument(root).tick_size))
    text = price_format(instrument(root))(ticks)
    assert Decimal(text) == tick * ticks
    assert ("." in text) == (tick % 1 != 0)
    assert len(text.partition(".")[2]) == max(0, -tick.normalize().as_tuple().exponent)
