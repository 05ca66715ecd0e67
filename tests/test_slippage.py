"""What fills cost against the prices that were asked for, and prints of one event that meet target and stop."""

import random

import pytest
from hypothesis import given
from support.checks import LONG, SESSION_END, SHORT, fills_of, setup_of, setups, traded
from support.fill_counts import assert_distributed, naive_same_event, naive_slippage, reported, same_events, spread
from support.random_tapes import Market, markets
from support.tapes import signals_of, tape_of

from scalpr_zen.sections.fills.models import BINS

# Slippage ---------------------------------------------------------------------------------------------


def test_slippage_of_an_entry_is_the_way_from_its_signals_print_to_the_first_that_could_fill_by_hand():
    # Signals at 100; the long fills at 101, 1 tick dearer, and wins at 105; the short fills at its signal's price, 100.
    said = reported([100, 101, 105, 100, 100, 96], {0: LONG, 3: SHORT})
    assert spread(said, "entry") == {0: 1, 1: 1}
    assert said["slippage"]["entry"]["mean_ticks"] == 0.5


def test_slippage_of_an_entry_waits_for_the_latency_and_is_counted_with_the_optimistic_entry_too():
    # The order of print 0 reaches the exchange at 15 ns: print 2, 99, one tick cheaper. It was filled at print 0.
    for entry in ("next", "signal"):
        said = reported([100, 101, 99, 104, 105], {0: LONG}, latency_ns=15, entry=entry, slippage_ticks=0)
        assert spread(said, "entry") == {-1: 1}


def test_an_entry_without_a_later_print_in_its_session_or_segment_has_no_slippage():
    # The optimistic entry of print 1 needs no later print; the next one is of another session, or of another contract.
    said = reported([100, 100, 104], {1: LONG}, ts=[0, 1, SESSION_END], entry="signal")
    assert (said["same_event"]["trades"], said["slippage"]["entry"]["trades"]) == (1, 0)
    said = reported([100, 100, 104, 300, 310], {1: LONG}, contract=["a"] * 3 + ["b"] * 2, entry="signal")
    assert spread(said, "entry") == {4: 1}
    said = reported([100, 104, 104, 300, 310], {0: LONG}, [0, 1, 1, 1, 2], ["a"] * 2 + ["b"] * 3, entry="signal")
    assert spread(said, "entry") == {4: 1}
    said = reported([100, 104, 300, 310], {0: LONG}, [0, 0, 1, 2], ["a"] * 2 + ["b"] * 2, entry="signal")
    assert (said["same_event"]["trades"], said["slippage"]["entry"]["trades"]) == (1, 0)


def test_slippage_of_a_stop_is_reported_at_its_trigger_and_at_the_next_event_under_any_stop_fill_by_hand():
    # Long from 100, stop 98: triggered at 95, 3 ticks beyond; the next event is at 99, one tick better than 98.
    # Short from 100, stop 102: triggered at 102 exactly; the next event is at 104, 2 beyond.
    prices = [100, 100, 95, 99, 100, 100, 102, 104]
    for stop_fill in ("trigger", "level"):
        said = reported(prices, {0: LONG, 4: SHORT}, stop_fill=stop_fill, slippage_ticks=0)
        assert spread(said, "stop_trigger") == {0: 1, 3: 1}
        assert spread(said, "stop_next") == {-1: 1, 2: 1}


def test_a_stop_without_a_later_print_has_no_next_fill_and_a_target_has_no_slippage():
    said = reported([100, 100, 104, 100, 100, 97], {0: LONG, 3: LONG})
    assert spread(said, "stop_trigger") == {1: 1}
    assert spread(said, "stop_next") == {}


def test_slippage_of_a_stop_that_moved_is_counted_from_the_stop_in_force_by_hand():
    # Long from 100 with a trailing stop 3 ticks behind: at 103 it goes to 100, where the initial one was 90.
    # Print 3 is 98: 2 ticks beyond.
    said = reported([100, 100, 103, 98, 98], {0: LONG}, take_profit=50, stop_loss=10, trailing_stop=3)
    assert spread(said, "stop_trigger") == {2: 1}


@given(markets(), setups())
def test_slippage_equals_its_slow_twin(market, setup):
    _, simulation = traded(market.tape(), market.given(), setup)
    got = fills_of(market.tape(), market.given(), setup)["slippage"]
    expected = naive_slippage(market, simulation.trades, setup)
    assert set(got) == set(expected)
    for name, costs in expected.items():
        assert_distributed(got[name], costs)


@pytest.mark.parametrize("gap", [3, 15, 400])
def test_a_histogram_of_slippage_holds_all_beyond_in_its_outermost_bins(gap):
    # A short at each third print of a staircase that leaps up, by different heights: stops that cost a lot.
    rng = random.Random(gap)
    prices = [0]
    for _ in range(400):
        prices += [prices[-1], prices[-1] + rng.randint(2, 2 + gap), prices[-1]]
    sides = dict.fromkeys(range(0, len(prices) - 3, 3), SHORT)
    market = Market(list(range(0, 10 * len(prices), 10)), prices, [0] * len(prices), ["a"] * len(prices), [])
    tape = tape_of(prices)
    setup = setup_of(overlap=True)
    _, simulation = traded(tape, signals_of(tape, sides), setup)
    got = fills_of(tape, signals_of(tape, sides), setup)["slippage"]["stop_trigger"]
    costs = naive_slippage(market, simulation.trades, setup)["stop_trigger"]
    assert_distributed(got, costs)
    assert (len(got["ticks"]) == BINS) == (gap == 400)


def test_the_share_of_fills_at_prints_of_the_other_side_by_hand():
    # Entries: bought at the print of a seller (1) and of a buyer (4), sold at that of a buyer (7): two of three got the
    # other side. Stops at their triggers: sold at the print of a buyer (2) and of a seller (5), bought at that of a
    # seller (8): two of three. At the next events: sold at a seller's, bought at a buyer's; the unknown one does not
    # count.
    prices = [100, 100, 98, 98, 98, 96, 96, 96, 98, 98]
    aggressor = [0, SHORT, LONG, SHORT, LONG, SHORT, 0, LONG, SHORT, LONG]
    said = reported(prices, {0: LONG, 3: LONG, 6: SHORT}, aggressor=aggressor)
    shares = {name: said["slippage"][name]["inside_share"] for name in ("entry", "stop_trigger", "stop_next")}
    assert shares == {"entry": pytest.approx(2 / 3), "stop_trigger": pytest.approx(2 / 3), "stop_next": 0.0}
    # Half of what is known, and nothing is.
    said = reported(prices, {0: LONG, 3: LONG, 6: SHORT}, aggressor=[0, SHORT, 0, 0, LONG, 0, 0, 0, 0, 0])
    assert [said["slippage"][name]["inside_share"] for name in ("entry", "stop_trigger")] == [0.5, None]


# Events -----------------------------------------------------------------------------------------------


def test_prints_of_the_entrys_event_that_meet_target_or_stop_are_counted_though_they_exit_nothing():
    # Print 1 fills the long at 100; its event also prints 104 (target) and 98 (stop). Print 4 takes the target.
    ts = [0, 10, 10, 10, 20]
    assert same_events(reported([100, 100, 104, 98, 104], {0: LONG}, ts)) == {"entry_target": 1, "entry_stop": 1}
    # Prints of the event before the fill do not count: the first print of an event fills.
    assert same_events(reported([100, 100, 101, 99, 104], {0: LONG}, ts)) == {}
    # Through needs a print beyond 104.
    assert same_events(reported([100, 100, 104, 100, 105], {0: LONG}, ts, target_fill="through")) == {}
    assert same_events(reported([100, 100, 105, 100, 105], {0: LONG}, ts, target_fill="through")) == {"entry_target": 1}


def test_an_event_that_meets_target_and_stop_is_counted_by_what_came_first():
    # Long from 100: one event prints 104 and 98.
    ts = [0, 10, 20, 20, 30]
    assert same_events(reported([100, 100, 104, 98, 100], {0: LONG}, ts)) == {"target_first": 1}
    assert same_events(reported([100, 100, 98, 104, 100], {0: LONG}, ts)) == {"stop_first": 1}
    # A stop that fills at the next event was decided where it was triggered.
    assert same_events(reported([100, 100, 98, 104, 100], {0: LONG}, ts, stop_fill="next")) == {"stop_first": 1}
    # Short from 100: target 96, stop 102.
    assert same_events(reported([100, 100, 96, 102, 100], {0: SHORT}, ts)) == {"target_first": 1}


def test_an_entry_and_its_exit_in_one_event_are_counted():
    # Bought at the signal's own print; the event goes on to 104, the target, and to 98, the stop.
    said = reported([100, 104, 98, 100], {0: LONG}, [0, 0, 0, 10], entry="signal")
    assert same_events(said) == {"entry_target": 1, "entry_stop": 1, "target_first": 1, "entry_exit": 1}


def test_an_event_knows_the_stop_in_force_when_it_was_met():
    # Long from 100, stop 90, break-even at 3. Print 2 is 103. The next event prints 104, the target, and 100.
    ts = [0, 10, 20, 30, 30, 40]
    parameters = {"stop_loss": 10, "break_even_at": 3}
    assert same_events(reported([100, 100, 103, 104, 100, 100], {0: LONG}, ts, **parameters)) == {"target_first": 1}
    assert same_events(reported([100, 100, 103, 104, 101, 100], {0: LONG}, ts, **parameters)) == {}


def test_a_trailing_stop_that_stands_from_the_entry_on_is_the_stop_of_the_entrys_event():
    # Long from 100, stop 90, a trailing stop 1 tick behind from the start: the entry's event prints 99.
    prices, ts = [100, 100, 99, 104], [0, 10, 10, 20]
    assert same_events(reported(prices, {0: LONG}, ts, stop_loss=10, trailing_stop=1)) == {"entry_stop": 1}
    assert same_events(reported(prices, {0: LONG}, ts, stop_loss=10, trailing_stop=1, trail_activation=2)) == {}


def test_prints_of_another_contract_are_no_part_of_an_event():
    # The roll lies inside one time: the next contract's prints at 130 and 70 meet nothing, in either order.
    ts, contract = [0, 10, 20, 20, 20, 30], ["a"] * 3 + ["b"] * 3
    for others in ([130, 70, 70], [70, 130, 130]):
        assert same_events(reported([100, 100, 104, *others], {0: LONG}, ts, contract)) == {}


@given(markets(), setups())
def test_the_counts_of_events_equal_their_slow_twin(market, setup):
    _, simulation = traded(market.tape(), market.given(), setup)
    got = fills_of(market.tape(), market.given(), setup)["same_event"]
    expected = naive_same_event(market, simulation.trades, setup)
    assert got == expected
