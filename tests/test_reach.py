"""Distances beyond the prices of the tape, and runs without a trade, are named in the notes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tapes import Given, signals_of, tape_of

from scalpr_zen import Bracket, EmaCrossover, Execution, MonteCarlo, PropFirm, SessionRules, Setup, Tape, instrument
from scalpr_zen.runs.backtest import run_trades
from scalpr_zen.sections.reach import out_of_reach
from scalpr_zen.simulation.kernel import BREAK_EVEN, STOP, TARGET, TRAILING

NO_PATHS = {"settings": MonteCarlo(monte_carlo_sims=0, random_entry_sims=0), "firm": PropFirm(prop_firm="none")}
ALL_BEYOND = {
    "take_profit": "11t",
    "take_profit_short": "12t",
    "stop_loss": "13t",
    "stop_loss_short": "14t",
    "trailing_stop": "15t",
    "trail_activation": "16t",
    "trailing_step": "17t",
    "break_even_at": "18t",
}


def named(tape, bracket, **groups):
    """The distances that are out of reach."""
    return [note.split("=")[0] for note in out_of_reach(tape, Setup(bracket=bracket, **groups))]


def notes(tape, signals, **groups):
    setup = Setup(**NO_PATHS, **groups)
    return run_trades(tape, Given(signals_of(tape, signals)), setup).to_dict()["notes"]


@pytest.mark.parametrize("root", ["6E", "6J", "ZN", "NG"])
def test_the_defaults_are_out_of_reach_where_a_contract_never_moves_so_far(root):
    tape = tape_of([1_000, 1_100, 900], root=root)
    found = notes(tape, {0: 1})
    size = f"{200 * instrument(root).tick_size:.10f}".rstrip("0").rstrip(".")
    for name, points in (("take_profit", "10.0"), ("stop_loss", "5.0")):
        shown = (
            f"{name}={points} points: no trade can reach it, as prices within one contract of this tape span at most "
        )
        assert f"{shown}200t ({size} points)" in found


def test_every_distance_beyond_the_range_is_named_and_one_within_it_is_not():
    tape = tape_of([100, 110, 104])
    assert sorted(named(tape, Bracket(**ALL_BEYOND))) == sorted(ALL_BEYOND)
    assert named(tape, Bracket(**dict.fromkeys(ALL_BEYOND, "10t"))) == []
    assert named(tape, Bracket(take_profit="11t", stop_loss=2.5)) == ["take_profit"]
    assert named(tape, Bracket(take_profit=2.75, stop_loss="10t")) == ["take_profit"]  # 11 ticks


def test_the_range_is_that_of_one_contract_as_a_trade_never_leaves_it():
    tape = tape_of([100, 110, 300, 312, 305], contract=["NQZ4"] * 2 + ["NQH5"] * 3)
    assert tape.widest_range == 12
    assert named(tape, Bracket(take_profit="13t", stop_loss="12t")) == ["take_profit"]


@pytest.mark.parametrize(("sides", "names"), [("long", ["take_profit"]), ("short", ["take_profit_short"])])
def test_only_the_distances_of_a_side_that_is_traded_are_named(sides, names):
    tape, bracket = tape_of([100, 110]), Bracket(take_profit="11t", take_profit_short="12t", stop_loss="5t")
    assert named(tape, bracket, rules=SessionRules(sides=sides)) == names
    without = Bracket(take_profit="11t", stop_loss="5t")
    assert named(tape, without, rules=SessionRules(sides=sides)) == ["take_profit"]


def test_a_stop_that_slippage_brings_into_reach_is_not_named():
    tape, bracket = tape_of([100, 110, 100]), Bracket(take_profit="5t", stop_loss="12t")
    assert named(tape, bracket) == ["stop_loss"]
    execution = Execution(slippage_ticks=2)
    assert named(tape, bracket, execution=execution) == []
    result = run_trades(tape, Given(signals_of(tape, {0: 1})), Setup(bracket=bracket, execution=execution, **NO_PATHS))
    assert result.trades["exit"].tolist() == [2]  # bought at 110 + 2, stopped at 100


def test_an_empty_tape_has_no_range_to_compare_with():
    tape = tape_of([100]).cut(0)
    assert tape.widest_range == 0
    assert named(tape, Bracket()) == []
    assert named(tape_of([100]), Bracket()) == ["take_profit", "stop_loss"]  # a single price


@given(st.lists(st.integers(-1_000, 1_000), min_size=1, max_size=400), st.sets(st.integers(1, 399), max_size=4))
def test_the_widest_range_is_that_of_plain_loops(prices, rolls):
    bounds = [0, *sorted(roll for roll in rolls if roll < len(prices)), len(prices)]
    contract = np.repeat([f"NQ{k}" for k in range(len(bounds) - 1)], np.diff(bounds))
    tape = tape_of(prices, contract=contract)
    spans = [max(prices[a:b]) - min(prices[a:b]) for a, b in pairwise(bounds)]
    assert tape.widest_range == max(spans)


DISTANCE = st.integers(1, 14).map("{}t".format)
ENDED_BY = {"take_profit": TARGET, "stop_loss": STOP, "trailing_stop": TRAILING, "break_even_at": BREAK_EVEN}


@given(st.lists(st.integers(100, 112), min_size=3, max_size=60), st.integers(0, 2), st.data())
def test_no_trade_ends_at_a_distance_that_is_named(prices, slippage, data):
    tape = tape_of(prices)
    sides = data.draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=len(prices), max_size=len(prices)))
    bracket = Bracket(**{name: data.draw(DISTANCE) for name in ENDED_BY})
    execution = Execution(slippage_ticks=slippage, overlap=True)
    setup = Setup(bracket=bracket, execution=execution, **NO_PATHS)
    ended = run_trades(tape, Given(np.array(sides, np.int8)), setup).trades["reason"].tolist()
    assert not {ENDED_BY[name] for name in named(tape, bracket, execution=execution)} & set(ended)


# No trade -----------------------------------------------------------------------------------------------


def test_a_run_without_a_signal_says_so():
    assert notes(tape_of([100, 101]), {})[0] == "no trade: the strategy gave no signal on this tape"
    tape = tape_of([100])
    assert run_trades(tape, EmaCrossover(), Setup(**NO_PATHS)).to_dict()["notes"][0].startswith("no trade: ")
    assert notes(tape.cut(0), {})[0] == "no trade: the tape has no print"


@pytest.mark.parametrize(
    ("rules", "counted"),
    [
        ({"entry_windows": "03:00-04:00"}, "2 outside (outside the entry windows and weekdays, or too near the close)"),
        ({"sides": "short"}, "2 other side (on a side that is not traded)"),
        ({}, "1 open (still open at the end of the tape; out of the statistics), 1 ignored (a position was open)"),
    ],
)
def test_signals_that_made_no_trade_are_named_with_the_reason(rules, counted):
    found = notes(tape_of([100, 101, 102, 101]), {0: 1, 2: 1}, rules=SessionRules(**rules))
    assert found[0] == f"no trade was closed: 2 signals, {counted}"


def test_one_signal_that_made_no_trade_is_singular():
    assert notes(tape_of([100, 101]), {0: 1})[0].startswith("no trade was closed: 1 signal, 1 open (")


def test_a_run_with_a_trade_has_no_such_note():
    found = notes(tape_of([100, 101, 141]), {0: 1})
    assert not [note for note in found if note.startswith("no trade")]


def test_the_range_is_read_from_any_tape():
    tape = Tape.from_prints([10**18, 10**18 + 10], [-(10**9), 10**9], instrument=instrument("NQ"))
    assert tape.widest_range == 2 * 10**9
