"""The tape of the dashboard: prints, envelopes and trades of any window."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.asking import BUSY, CHICAGO, FAST, TICK, answer, ask, bench_of, made, refused, values_of
from support.budget import examples
from support.tapes import NOON, tape_of
from test_envelope import extremes

from scalpr_zen import Tape, instrument
from scalpr_zen.dashboard.app import create_app
from scalpr_zen.dashboard.guard import Address
from scalpr_zen.sections import sections

LONG = 5_000
ROLL = 2_100


@pytest.fixture(scope="module")
def long_bench(tmp_path_factory):
    """5,000 prints of all sizes and sides, a roll among them, more than 20 days in all."""
    draw = np.random.default_rng(8)
    tape = Tape.from_prints(
        NOON + np.cumsum(draw.integers(0, 10**12, LONG)),
        80_000 + np.cumsum(draw.integers(-9, 10, LONG)),
        instrument=instrument("NQ"),
        size=draw.integers(1, 50, LONG),
        aggressor=draw.integers(-1, 2, LONG),
        contract=np.where(np.arange(LONG) < ROLL, "NQH5", "NQM5"),
    )
    return bench_of(tape, tmp_path_factory.mktemp("long"))


@pytest.fixture(scope="module")
def long_client(long_bench):
    return create_app(long_bench, Address()).test_client()


def chicago(ns):
    """The Chicago time of a print, to the ns."""
    moment = datetime.fromtimestamp(ns // 10**9, UTC).astimezone(CHICAGO).isoformat()
    return f"{moment[:19]}.{ns % 10**9:09d}{moment[19:]}"


@examples(60)
@given(st.data())
def test_any_window_shows_its_prints_or_their_extremes(long_client, long_bench, data):
    tape = long_bench.tape
    start = data.draw(st.integers(0, LONG - 1) | st.sampled_from([0, 1023, 1024, 1025, ROLL, LONG - 1]))
    stop = data.draw(st.integers(start + 1, LONG) | st.integers(start + 1, min(LONG, start + 30)))
    points = data.draw(st.integers(2, 4_000) | st.integers(2, 20))
    view = answer(long_client, "/api/tape", {"start": start, "stop": stop, "points": points})
    assert (view["start"], view["stop"]) == (start, stop)
    if stop - start <= points:
        assert view["envelope"] is None
        assert view["prints"] == {
            "print": list(range(start, stop)),
            "time": [chicago(ns) for ns in tape.ts[start:stop].tolist()],
            "price": [ticks * TICK for ticks in tape.price[start:stop].tolist()],
            "size": tape.size[start:stop].tolist(),
            "aggressor": tape.aggressor[start:stop].tolist(),
        }
    else:
        assert view["prints"] is None
        parts = view["envelope"]
        assert len(parts["low"]) + len(parts["high"]) in (points, points - 1)
        assert parts["print"][0] == start
        low, high = extremes(tape.price, parts["print"], stop)
        assert (parts["low"], parts["high"]) == ([x * TICK for x in low], [x * TICK for x in high])


def test_as_many_prints_as_points_are_single_prints(long_client):
    assert len(answer(long_client, "/api/tape", {"stop": 50, "points": 50})["prints"]["print"]) == 50
    assert answer(long_client, "/api/tape", {"stop": 51, "points": 50})["prints"] is None


def test_without_a_window_the_whole_tape_is_shown(long_client):
    view = answer(long_client, "/api/tape")
    assert (view["start"], view["stop"]) == (0, LONG)
    assert 900 <= 2 * len(view["envelope"]["print"]) <= 1_000


@pytest.mark.parametrize("stop", [LONG, LONG + 1, 10**9, 2**53])
def test_a_window_beyond_the_end_ends_there(long_client, stop):
    view = answer(long_client, "/api/tape", {"start": LONG - 3, "stop": stop})
    assert (view["stop"], view["prints"]["print"]) == (LONG, [LONG - 3, LONG - 2, LONG - 1])


@pytest.mark.parametrize(
    ("query", "name"),
    [
        (f"start={LONG}", "start"),
        (f"start={2**53}", "start"),
        ("start=9007199254740991&stop=9007199254740992", "start"),
        ("start=-1", "start"),
        ("start=x", "start"),
        ("start=1e3", "start"),
        ("start=" + "9" * 400, "start"),
        ("stop=0", "stop"),
        ("start=10&stop=10", "start"),
        ("start=11&stop=10", "start"),
        ("points=1", "points"),
        ("points=4001", "points"),
        ("points=9&points=9", "points"),
        ("page=1", "page"),
    ],
)
def test_bad_windows_are_refused_by_name(long_client, query, name):
    assert name in refused(ask(long_client, f"/api/tape?{query}"), 400)


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [(0, LONG, [(0, "NQH5"), (ROLL, "NQM5")]), (1, ROLL, []), (ROLL, ROLL + 1, [(ROLL, "NQM5")]), (ROLL + 1, LONG, [])],
)
def test_rolls_inside_the_window_are_told(long_client, start, stop, expected):
    rolls = answer(long_client, "/api/tape", {"start": start, "stop": stop})["rolls"]
    assert [(roll["print"], roll["contract"]) for roll in rolls] == expected


@pytest.mark.parametrize(("start", "stop"), [(0, LONG), (100, 1_000), (0, 60), (4_990, LONG), (7, 10), (7, 8)])
def test_labels_are_times_of_prints_inside_the_window(long_client, long_bench, start, stop):
    labels = answer(long_client, "/api/tape", {"start": start, "stop": stop})["labels"]
    prints = [label["print"] for label in labels]
    assert 1 <= len(prints) <= 8
    assert prints == sorted(set(prints))
    assert start <= prints[0] <= prints[-1] < stop
    for label in labels:
        assert label["text"].replace(" ", "T") in chicago(int(long_bench.tape.ts[label["print"]]))


@pytest.mark.parametrize("given", [FAST, BUSY, FAST | {"take_profit": 1_000, "stop_loss": 1_000}])
@pytest.mark.parametrize(
    ("start", "stop"), [(0, LONG), (0, 10), (500, 501), (2_050, 2_150), (4_900, LONG), (1_000, 1_400)]
)
def test_trades_that_overlap_the_window_are_shown(long_client, long_bench, given, start, stop):
    result = made(long_bench, given)
    every = [*result.trades, *result.unclosed]
    inside = [trade for trade in every if any(start <= i < stop for i in range(trade["entry"], trade["exit"] + 1))]
    view = answer(long_client, "/api/tape", given | {"start": start, "stop": stop})
    assert view["trades_inside"] == len(inside)
    if len(inside) > 200:
        assert view["trades"] is None
        return
    shown = view["trades"]
    for name in ("side", "entry", "exit", "net_usd"):
        assert shown[name] == [trade[name] for trade in inside]
    for name in ("entry", "exit"):
        assert shown[f"{name}_price"] == [trade[f"{name}_ticks"] * TICK for trade in inside]


def test_a_trade_is_in_the_window_from_its_entry_to_its_exit(long_client, long_bench):
    trade = made(long_bench, FAST).trades[20]
    entry, stop = int(trade["entry"]), int(trade["exit"])
    for window, inside in (
        ((entry - 1, entry), False),
        ((entry, entry + 1), True),
        ((stop, stop + 1), True),
        ((stop + 1, stop + 2), False),
    ):
        view = answer(long_client, "/api/tape", FAST | dict(zip(("start", "stop"), window, strict=True)))
        assert (entry in view["trades"]["entry"]) == inside


def test_an_empty_tape_has_a_page_but_no_window(tmp_path):
    client = create_app(bench_of(tape_of([]), tmp_path), Address()).test_client()
    assert answer(client, "/api/about")["tape"]["session_dates"] == []
    assert values_of(client)["statistics"]["trades"] == 0
    for name in sections():
        assert set(answer(client, f"/api/section/{name}")) == {"values", "html", "figures", "notes", "line"}
    assert answer(client, "/api/trades")["trades"] == []
    assert "start" in refused(ask(client, "/api/tape"), 400)
    for suffix in ("txt", "json", "csv", "html"):
        assert ask(client, f"/api/report.{suffix}").status_code == 200
