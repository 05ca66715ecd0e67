"""The table of a run's fills: each row is a run of its own, and each winner is traded alone under both rules."""

import dataclasses
import math
from collections import Counter
from itertools import product
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import naive_statistics
from support.budget import examples, many
from support.checks import LONG, SHORT, fills_of, setup_of, setups, traded
from support.fill_counts import COSTS, FIGURES, lost, reported, row, same, same_events
from support.random_tapes import markets, random_walk
from support.tapes import Given, signals_of

from scalpr_zen import Execution, ParameterError, PessimisticCosts, SessionRules
from scalpr_zen.base.engine import Engine
from scalpr_zen.render.data import jsonable
from scalpr_zen.runs.backtest import run_setup, run_trades
from scalpr_zen.sections.fills.models import OPTIMISTIC, alone, fills
from scalpr_zen.simulation import results
from scalpr_zen.simulation.simulate import Orders, orders, simulate
from scalpr_zen.simulation.simulate import trade as traded_orders

# The table --------------------------------------------------------------------------------------------


def test_the_table_has_a_row_for_every_target_fill_stop_fill_and_set_of_costs():
    said = reported([100] * 3, {})
    got = [(r["target_fill"], r["stop_fill"], r["costs"]) for r in said["table"]]
    expected = list(product(["touch", "through", "queue"], ["trigger", "level", "next"], COSTS))
    assert got == expected


def test_a_target_that_was_touched_is_a_win_under_touch_and_a_loss_under_through_by_hand():
    # Bought 100 at print 1, target 104, stop 98. Print 2 touches 104; print 3 falls to 97, below the stop.
    said = reported([100, 100, 104, 97, 96], {0: LONG}, commission=1.0)
    # touch: +4 ticks = 20 USD, less 2 of commission; before it 20.
    assert row(said, "touch") == (18.0, 1, 1.0, None, 20.0)
    # through, stop at the trigger: 97 - 100 = -3 ticks = -15, less 2.
    assert row(said, "through", "trigger") == (-17.0, 1, 0.0, 0.0, -15.0)
    # through, stop at its level: -2 ticks = -10, less 2.
    assert row(said, "through", "level") == (-12.0, 1, 0.0, 0.0, -10.0)
    # through, stop at the next event: 96 - 100 = -4 ticks = -20, less 2.
    assert row(said, "through", "next") == (-22.0, 1, 0.0, 0.0, -20.0)


def test_costs_change_the_money_of_a_row_and_slippage_its_fills_by_hand():
    # Bought 100 at print 1; 104 at print 2.
    said = reported([100, 100, 104, 105], {0: LONG}, commission=1.0, pessimistic=PessimisticCosts())
    # zero costs: 20 USD. The pessimistic ones: 2.5 a side, and bought at 101 with the target at 105, print 3:
    # +4 ticks = 20 USD, less 5; before commission and one tick of slippage 25.
    assert row(said, costs="zero") == (20.0, 1, 1.0, None, 20.0)
    assert row(said, costs="pessimistic") == (15.0, 1, 1.0, None, 25.0)


def test_the_latency_of_a_stop_that_fills_next_is_waited_for_in_the_table():
    # Bought 100 at print 1 (10 ns after the signal), stop 98 triggered at print 2, 20 ns. With 15 ns of latency the
    # entry fills at print 2... so the signal is given 20 ns earlier: print 0 at 0, entry at print 1 at 20 ns,
    # trigger at print 2 at 30 ns, next fill from 45 ns on: print 4 at 50 ns, 94. -6 ticks = -30 USD.
    ts = [0, 20, 30, 40, 50, 60]
    said = reported([100, 100, 98, 96, 94, 92], {0: LONG}, ts, latency_ns=15)
    assert row(said, stop_fill="next", costs="set") == (-30.0, 1, 0.0, 0.0, -30.0)
    # Without latency it fills at print 3, 96.
    said = reported([100, 100, 98, 96, 94, 92], {0: LONG}, ts)
    assert row(said, stop_fill="next", costs="set") == (-20.0, 1, 0.0, 0.0, -20.0)


def test_a_target_in_the_queue_waits_for_the_contracts_ahead_of_it_by_hand():
    # Bought 100 at print 1, target 104, one contract ahead and one of ours: two must be bought there.
    # Buyers lift 104 at prints 2 and 4, a seller hits at print 3, which counts for nothing.
    aggressor = [0, 0, 1, -1, 1, 0]
    said = reported([100, 100, 104, 104, 104, 90], {0: LONG}, aggressor=aggressor, queue_ahead=1)
    assert row(said, "queue") == (20.0, 1, 1.0, None, 20.0)
    # Two ahead: three are needed, so that the stop at print 5 comes first: 90 - 100 = -10 ticks.
    said = reported([100, 100, 104, 104, 104, 90], {0: LONG}, aggressor=aggressor, queue_ahead=2)
    assert row(said, "queue") == (-50.0, 1, 0.0, 0.0, -50.0)
    assert lost(said)["touch", "queue"] == (1, 1)
    # Prints of unknown aggressor count half: 3 * 1/2 < 2 contracts.
    said = reported([100, 100, 104, 104, 104, 90], {0: LONG}, queue_ahead=1)
    assert row(said, "queue") == (-50.0, 1, 0.0, 0.0, -50.0)
    # A print beyond the limit fills it, whoever waits: 105 at print 3.
    said = reported([100, 100, 104, 105, 104, 90], {0: LONG}, queue_ahead=99)
    assert row(said, "queue") == (20.0, 1, 1.0, None, 20.0)


def test_a_limit_in_usd_sees_the_commission_of_its_own_row():
    # Sold short twice, each stopped out 2 ticks up: -10 USD before commission. The limit is 12 USD.
    # With 1 USD a side the first loses 12 and the session is over; without commission both are traded.
    prices = [100, 100, 102, 100, 100, 102, 102]
    rules = SessionRules(loss_limit=12.0)
    said = reported(prices, {0: SHORT, 3: SHORT}, rules=rules, commission=1.0)
    assert row(said, costs="set")[:2] == (-12.0, 1)
    assert row(said, costs="zero")[:2] == (-20.0, 2)


def test_this_run_is_the_one_row_of_its_own_fills_even_where_costs_are_equal():
    costs = PessimisticCosts(pessimistic_commission=0.0, pessimistic_slippage_ticks=0)
    said = reported([100, 100, 104], {0: LONG}, target_fill="through", stop_fill="next", pessimistic=costs)
    got = [(r["target_fill"], r["stop_fill"], r["costs"]) for r in said["table"] if r["this_run"]]
    assert got == [("through", "next", "set")]


def test_without_trades_every_figure_is_undefined_and_nothing_is_lost():
    for prices, sides, contract in ([], {}, None), ([100] * 5, {}, None), ([100] * 4, {0: LONG}, ["a"] * 2 + ["b"] * 2):
        said = reported(prices, sides, contract=contract)
        assert {row(said, *key) for key in product(["touch", "queue"], ["level"], COSTS)} == {
            (0.0, 0, None, None, None)
        }
        assert set(lost(said).values()) == {(0, 0)}
        assert {rule["share"] for rule in said["optimistic"]} == {None}
        assert said["same_event"] == dict.fromkeys(said["same_event"], 0)
        assert said["slippage"]["entry"] == {
            "trades": 0,
            "mean_ticks": None,
            "worst_ticks": None,
            "percentiles": dict.fromkeys(["5", "25", "50", "75", "95", "99"]),
            "inside_share": None,
            "ticks": [],
            "counts": [],
        }


def of_its_own(setup, found):
    """The setup of the run that a row of the table is."""
    names = ("target_fill", "stop_fill", "commission", "slippage_ticks")
    return dataclasses.replace(
        setup, execution=dataclasses.replace(setup.execution, **{name: found[name] for name in names})
    )


@given(markets(), setups())
def test_each_row_is_a_run_of_its_own(market, setup):
    tape, signals = market.tape(), market.given()
    for found in fills_of(tape, signals, setup)["table"]:
        one = of_its_own(setup, found)
        trades = simulate(tape, signals, one.bracket, one.execution, one.rules).trades
        numbers = naive_statistics.statistics(trades["net_usd"].tolist(), [0] * len(trades), 1)
        got = {name: found[name] for name in FIGURES[:4]}
        expected = jsonable({"net_usd": math.fsum(trades["net_usd"]), **{name: numbers[name] for name in FIGURES[1:4]}})
        assert same(got, expected)


def test_each_row_of_a_long_tape_has_the_statistics_of_a_run_of_its_own():
    market = random_walk(1_000)
    setup = setup_of(take_profit=5, stop_loss=4, latency_ns=2, commission=2.05, slippage_ticks=1, queue_ahead=2)
    said = fills_of(market.tape(), market.given(), setup)
    for found in said["table"]:
        numbers = run_trades(market.tape(), Given(market.given()), of_its_own(setup, found)).to_dict()["statistics"]
        got = {name: found[name] for name in FIGURES}
        expected = {name: numbers[name] for name in FIGURES}
        assert same(got, expected)
        assert found["trades"] > 50
    assert len({found["net_usd"] for found in said["table"]}) > 20


@given(markets(), setups())
def test_the_row_of_this_run_has_the_very_numbers_of_its_statistics(market, setup):
    result = run_setup(market.tape(), Given(market.given()), setup).to_dict()
    [mine] = [found for found in result["fills"]["table"] if found["this_run"]]
    got = jsonable({name: mine[name] for name in FIGURES})
    expected = jsonable({name: result["statistics"][name] for name in FIGURES})
    assert got == expected


@pytest.mark.parametrize("overlap", [False, True])
def test_the_row_of_this_run_is_exact_on_a_long_tape_whatever_the_order_of_the_exits(overlap):
    market = random_walk(2_000)
    setup = setup_of(take_profit=9, stop_loss=4, commission=2.05, contracts=3, slippage_ticks=1, overlap=overlap)
    result = run_setup(market.tape(), Given(market.given()), setup).to_dict()
    [mine] = [found for found in result["fills"]["table"] if found["this_run"]]
    assert {name: mine[name] for name in FIGURES} == {name: result["statistics"][name] for name in FIGURES}
    assert mine["trades"] > 100


@pytest.mark.parametrize("overlap", [False, True])
def test_the_number_of_threads_changes_nothing(overlap):
    market = random_walk(1_000)
    setup = setup_of(take_profit=5, stop_loss=4, trailing_stop=3, overlap=overlap, commission=2.05)
    expected = fills_of(market.tape(), market.given(), setup)
    for cores in (1, 2, 7):
        with Engine(cores):
            assert fills_of(market.tape(), market.given(), setup) == expected


# Pessimistic costs ------------------------------------------------------------------------------------


@examples(50)
@given(markets(), setups())
def test_fills_are_the_same_whether_runs_are_read_from_first_passages_or_traded(market, setup):
    tape, signals = market.tape(), market.given()
    with patch.object(results, "MANY", 0):
        read = fills_of(tape, signals, setup)
    assert read == fills_of(tape, signals, setup)


@given(
    st.sampled_from([0.0, 1.0, 2.5, 7.0]),
    st.integers(0, 3),
    st.sampled_from([0.0, 1.0, 2.5, 7.0]),
    st.integers(0, 3),
)
def test_the_pessimistic_costs_are_never_below_those_that_are_set(commission, ticks, worse_commission, worse_ticks):
    own = Execution(commission=commission, slippage_ticks=ticks, latency_ms=3, overlap=True)
    costs = PessimisticCosts(pessimistic_commission=worse_commission, pessimistic_slippage_ticks=worse_ticks)
    got = costs.of(own)
    expected = dataclasses.replace(
        own, commission=max(commission, worse_commission), slippage_ticks=max(ticks, worse_ticks)
    )
    assert got == expected


@pytest.mark.parametrize(
    ("parameter", "value", "rule"),
    [
        ("pessimistic_commission", -0.01, "0 to 1,000"),
        ("pessimistic_slippage_ticks", -1, "0 to 1,000"),
        ("pessimistic_slippage_ticks", 1_001, "0 to 1,000"),
    ],
)
def test_pessimistic_costs_out_of_range_are_refused(parameter, value, rule):
    with pytest.raises(ParameterError, match=f"{parameter} must be {rule}, was "):
        PessimisticCosts(**{parameter: value})


@pytest.mark.parametrize(
    ("commission", "ticks", "pessimistic"), [(1.0, 0, (2.5, 1)), (3.5, 0, (3.5, 1)), (1.0, 4, (2.5, 4))]
)
def test_the_table_shows_the_costs_of_each_row(commission, ticks, pessimistic):
    table = reported([100, 100, 104], {0: LONG}, commission=commission, slippage_ticks=ticks)["table"]
    got = {(found["costs"], found["commission"], found["slippage_ticks"]) for found in table}
    expected = {("zero", 0.0, 0), ("set", commission, ticks), ("pessimistic", *pessimistic)}
    assert got == expected


# Winners of the optimistic way ----------------------------------------------------------------------------


def test_winners_that_exist_only_under_the_optimistic_fill_by_hand():
    # Three longs at 100, target 104, stop 98. The first and the third touch 104 and fall; the second sees 105.
    prices = [100, 100, 104, 97, 100, 100, 105, 100, 100, 104, 97]
    said = reported(prices, {0: LONG, 4: LONG, 7: LONG})
    assert lost(said)["touch", "through"] == (3, 2)
    assert lost(said)["level", "trigger"] == (3, 0)
    [rule] = [rule for rule in said["optimistic"] if (rule["optimistic"], rule["conservative"]) == ("touch", "through")]
    assert rule["share"] == pytest.approx(2 / 3)


def test_a_stop_beyond_break_even_wins_at_its_level_and_not_at_the_print_that_triggered_it_by_hand():
    # Sold at 100, print 1. At 97 the stop moves to break-even plus 1 tick: 99. Print 3 gaps to 101, print 4 is 98.
    # level: 99, +1 tick; trigger: 101, -1 tick; next: 98, +2 ticks.
    said = reported([100, 100, 97, 101, 98], {0: SHORT}, break_even_at=3, break_even_plus=1, stop_fill="level")
    assert row(said, stop_fill="level")[:2] == (5.0, 1)
    assert lost(said)["level", "trigger"] == (1, 1)
    assert lost(said)["level", "next"] == (1, 0)
    # Were print 4 at 102, the next event would lose 2 ticks.
    said = reported([100, 100, 97, 101, 102], {0: SHORT}, break_even_at=3, break_even_plus=1, stop_fill="level")
    assert lost(said)["level", "next"] == (1, 1)


def test_a_winner_that_never_closes_under_the_conservative_fill_is_lost():
    said = reported([100, 100, 104, 103], {0: LONG})
    assert lost(said)["touch", "through"] == (1, 1)


def test_how_much_less_the_winners_earn_under_the_conservative_fill_by_hand():
    # The first long wins 20 USD at 104 either way; the second is touched at 104 and, by through, trailed out at 103.
    prices = [100, 100, 105, 100, 100, 104, 103, 103]
    said = reported(prices, {0: LONG, 3: LONG}, trailing_stop=1, trail_activation=4, stop_loss=9)
    [rule] = [rule for rule in said["optimistic"] if (rule["optimistic"], rule["conservative"]) == ("touch", "through")]
    assert (rule["wins"], rule["lost"], rule["less_usd"]) == (2, 0, 5.0)


def test_with_an_entry_inside_its_event_the_fills_of_an_entry_at_the_next_one_are_reported_too():
    rng = np.random.default_rng(4)
    market = random_walk(600)
    sides = {int(i): int(rng.choice([LONG, SHORT])) for i in rng.choice(600, 90, replace=False)}
    tape = market.tape()
    setups_ = {entry: setup_of(entry=entry, commission=1.0, slippage_ticks=1) for entry in ("signal", "next")}
    said = {entry: fills_of(tape, signals_of(tape, sides), setup) for entry, setup in setups_.items()}
    expected = [found for found in said["next"]["table"] if found["costs"] == "set"]
    assert len(expected) == len(said["signal"]["entry_next"]) == 9
    for got, other in zip(said["signal"]["entry_next"], expected, strict=True):
        ways = ("target_fill", "stop_fill")
        assert ([got[way] for way in ways], got["this_run"]) == ([other[way] for way in ways], False)
        assert same(*({name: found[name] for name in FIGURES} for found in (got, other)))
    assert said["next"]["entry_next"] == []


def test_a_trade_closed_by_an_equity_limit_is_no_winner_of_the_optimistic_fill():
    # Bought at 100; at 102 the open profit of 10 USD ends the session, and print 3 closes the trade at 102.
    # By itself it is stopped out under either fill, so that no fill decides.
    rules = SessionRules(profit_limit=10.0, limit_basis="equity")
    said = reported([100, 100, 102, 102, 97, 97], {0: LONG}, rules=rules)
    assert row(said)[:2] == (10.0, 1)
    assert lost(said)["touch", "through"] == (1, 0)


def earned_alone(market, signal, setup, rules, name, way):
    """What the signal at a print earns in USD when it is the only one; 0 where it does not close."""
    signals = signals_of(market.tape(), {signal: market.signals[signal]})
    execution = dataclasses.replace(setup.execution, overlap=True, **{name: way})
    trades = simulate(market.tape(), signals, setup.bracket, execution, rules).trades
    return sum(trades["net_usd"].tolist())


@given(markets(), setups())
def test_each_winner_of_the_optimistic_fill_is_traded_alone(market, setup):
    tape, rules = market.tape(), setup.rules
    freed = dataclasses.replace(
        rules, cooldown=0.0, max_trades=None, loss_limit=None, profit_limit=None, limit_basis="realized"
    )
    expected = []
    for name, optimistic, conservative in OPTIMISTIC:
        execution = dataclasses.replace(setup.execution, **{name: optimistic})
        trades = simulate(tape, market.given(), setup.bracket, execution, rules).trades
        winners = [int(trade["signal"]) for trade in trades if trade["net_usd"] > 0]
        earned = [
            tuple(earned_alone(market, signal, setup, freed, name, way) for way in (optimistic, conservative))
            for signal in winners
        ]
        gone = sum(usd > 0 >= less for usd, less in earned)
        share = gone / len(winners) if winners else None
        shown = {
            "rule": name,
            "optimistic": optimistic,
            "conservative": conservative,
            "wins": len(winners),
            "lost": gone,
        }
        expected.append(shown | {"share": share, "less_usd": pytest.approx(sum(usd - less for usd, less in earned))})
    got = fills_of(tape, market.given(), setup)["optimistic"]
    assert got == expected


@given(markets(), setups())
def test_an_order_traded_alone_keeps_every_rule_that_ends_a_trade(market, setup):
    # As in a run whose only signal it is: nothing comes before it there.
    tape = market.tape()
    rules = dataclasses.replace(setup.rules, limit_basis="realized")
    wanted = orders(tape, market.given(), rules)
    for at, side in zip(wanted.at.tolist(), wanted.side.tolist(), strict=True):
        only = Orders(np.array([at]), np.array([side], np.int8), wanted.counts)
        made = traded_orders(tape, only, setup.bracket, setup.execution, rules)
        expected = [(row["exit"], row["gross_ticks"], row["reason"]) for row in [*made.trades, *made.unclosed]]
        got = alone(tape, only, setup.execution, setup)
        assert [(row["exit"], row["gross_ticks"], row["reason"]) for row in got] == expected


@many
def test_the_random_cases_reach_every_count_and_every_way_to_lose():
    reached = Counter()

    @examples(800)  # a stop that wins at its level alone is one case of a hundred
    @given(markets(), setups())
    def count(market, setup):
        said = fills_of(market.tape(), market.given(), setup)
        reached.update(same_events(said))
        reached.update({(rule["optimistic"], rule["conservative"]): rule["lost"] for rule in said["optimistic"]})
        reached.update({name: cost["trades"] for name, cost in said["slippage"].items()})

    count()
    ways = {("touch", "through"), ("touch", "queue"), ("level", "trigger")}
    names = {"entry_target", "entry_stop", "target_first", "stop_first", "entry_exit"}
    assert {name for name, n in reached.items() if n} >= ways | names | {"entry", "stop_trigger", "stop_next"}


def test_a_result_is_plain_data():
    market = random_walk(300)
    tape, setup = market.tape(), setup_of()
    made = fills(tape, *traded(tape, market.given(), setup), setup)

    def kinds(value):
        if isinstance(value, dict):
            return set().union(*map(kinds, value.values()))
        return set().union(*map(kinds, value)) if isinstance(value, list) else {type(value)}

    assert kinds(made) == {str, int, float, bool}
    assert np.isfinite([found["net_usd"] for found in made["table"]]).all()
