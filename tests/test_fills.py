"""What a run says of its fills: each row of the table is a run of its own, each count a loop over the prints.

Prices are ticks, times are ns after noon in Chicago, print by print. Unless told, a print is an event of its own
every 10 ns, the target is 4 and the stop 2 ticks from the entry's fill, and one tick of NQ is 5 USD.
"""

import dataclasses
import math
import random
from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import naive
from support.budget import examples, many
from support.checks import LONG, SESSION_END, SHORT, TICK_USD, fills_of, setup_of, setups, traded
from support.random_tapes import Market, markets, random_walk, segments_of, session_dates
from support.tapes import Given, signals_of, tape_of

from scalpr_zen import Execution, ParameterError, PessimisticCosts, SessionRules
from scalpr_zen.base.engine import Engine
from scalpr_zen.runs.backtest import jsonable, run_setup, run_trades
from scalpr_zen.sections.fills import BINS, OPTIMISTIC, alone, fills
from scalpr_zen.simulation.simulate import Orders, orders, simulate
from scalpr_zen.simulation.simulate import trade as traded_orders

COSTS = ("zero", "set", "pessimistic")
FIGURES = ("net_usd", "trades", "win_rate", "profit_factor", "break_even_cost_usd")


def told(prices, sides, ts=None, contract=None, aggressor=None, **parameters):
    """What `fills` says of a few prints with signals by print index."""
    tape = tape_of(prices, ts, contract, aggressor)
    return fills_of(tape, signals_of(tape, sides), setup_of(**parameters))


def row(said, target_fill="touch", stop_fill="trigger", costs="set"):
    """The figures of one row of the table."""
    wanted = (target_fill, stop_fill, costs)
    [found] = [r for r in said["table"] if (r["target_fill"], r["stop_fill"], r["costs"]) == wanted]
    return tuple(found[name] for name in FIGURES)


def lost(said):
    """(winning trades of the optimistic way, how many of them are lost to the conservative one) by the two."""
    return {(rule["optimistic"], rule["conservative"]): (rule["wins"], rule["lost"]) for rule in said["optimistic"]}


def same_events(said):
    """The counts of events, zeros left out."""
    return {name: n for name, n in said["same_event"].items() if n and name != "trades"}


def spread(said, name):
    """What a distribution holds: the number of trades at each cost in ticks."""
    cost = said["slippage"][name]
    return {tick: n for tick, n in zip(cost["ticks"], cost["counts"], strict=True) if n}


def same(one, other):
    """Whether two rows of figures are equal but for the last bits that an order of summing leaves."""
    assert one.keys() == other.keys()
    return all(
        (one[name] is other[name] is None) or math.isclose(one[name], other[name], rel_tol=1e-9, abs_tol=1e-9)
        for name in one
    )


# The table --------------------------------------------------------------------------------------------


def test_the_table_has_a_row_for_every_target_fill_stop_fill_and_set_of_costs():
    said = told([100] * 3, {})
    got = [(r["target_fill"], r["stop_fill"], r["costs"]) for r in said["table"]]
    expected = list(product(["touch", "through", "queue"], ["trigger", "level", "next"], COSTS))
    assert got == expected


def test_a_target_that_was_touched_is_a_win_under_touch_and_a_loss_under_through_by_hand():
    # Bought 100 at print 1, target 104, stop 98. Print 2 touches 104; print 3 falls to 97, below the stop.
    said = told([100, 100, 104, 97, 96], {0: LONG}, commission=1.0)
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
    said = told([100, 100, 104, 105], {0: LONG}, commission=1.0, pessimistic=PessimisticCosts())
    # zero costs: 20 USD. The pessimistic ones: 2.5 a side, and bought at 101 with the target at 105, print 3:
    # +4 ticks = 20 USD, less 5; before commission and one tick of slippage 25.
    assert row(said, costs="zero") == (20.0, 1, 1.0, None, 20.0)
    assert row(said, costs="pessimistic") == (15.0, 1, 1.0, None, 25.0)


def test_the_latency_of_a_stop_that_fills_next_is_waited_for_in_the_table():
    # Bought 100 at print 1 (10 ns after the signal), stop 98 triggered at print 2, 20 ns. With 15 ns of latency the
    # entry fills at print 2... so the signal is given 20 ns earlier: print 0 at 0, entry at print 1 at 20 ns,
    # trigger at print 2 at 30 ns, next fill from 45 ns on: print 4 at 50 ns, 94. -6 ticks = -30 USD.
    ts = [0, 20, 30, 40, 50, 60]
    said = told([100, 100, 98, 96, 94, 92], {0: LONG}, ts, latency_ns=15)
    assert row(said, stop_fill="next", costs="set") == (-30.0, 1, 0.0, 0.0, -30.0)
    # Without latency it fills at print 3, 96.
    said = told([100, 100, 98, 96, 94, 92], {0: LONG}, ts)
    assert row(said, stop_fill="next", costs="set") == (-20.0, 1, 0.0, 0.0, -20.0)


def test_a_target_in_the_queue_waits_for_the_contracts_ahead_of_it_by_hand():
    # Bought 100 at print 1, target 104, one contract ahead and one of ours: two must be bought there.
    # Buyers lift 104 at prints 2 and 4, a seller hits at print 3, which counts for nothing.
    aggressor = [0, 0, 1, -1, 1, 0]
    said = told([100, 100, 104, 104, 104, 90], {0: LONG}, aggressor=aggressor, queue_ahead=1)
    assert row(said, "queue") == (20.0, 1, 1.0, None, 20.0)
    # Two ahead: three are needed, so that the stop at print 5 comes first: 90 - 100 = -10 ticks.
    said = told([100, 100, 104, 104, 104, 90], {0: LONG}, aggressor=aggressor, queue_ahead=2)
    assert row(said, "queue") == (-50.0, 1, 0.0, 0.0, -50.0)
    assert lost(said)["touch", "queue"] == (1, 1)
    # Prints of unknown aggressor count half: 3 * 1/2 < 2 contracts.
    said = told([100, 100, 104, 104, 104, 90], {0: LONG}, queue_ahead=1)
    assert row(said, "queue") == (-50.0, 1, 0.0, 0.0, -50.0)
    # A print beyond the limit fills it, whoever waits: 105 at print 3.
    said = told([100, 100, 104, 105, 104, 90], {0: LONG}, queue_ahead=99)
    assert row(said, "queue") == (20.0, 1, 1.0, None, 20.0)


def test_a_limit_in_usd_sees_the_commission_of_its_own_row():
    # Sold short twice, each stopped out 2 ticks up: -10 USD before commission. The limit is 12 USD.
    # With 1 USD a side the first loses 12 and the session is over; without commission both are traded.
    prices = [100, 100, 102, 100, 100, 102, 102]
    rules = SessionRules(loss_limit=12.0)
    said = told(prices, {0: SHORT, 3: SHORT}, rules=rules, commission=1.0)
    assert row(said, costs="set")[:2] == (-12.0, 1)
    assert row(said, costs="zero")[:2] == (-20.0, 2)


def test_this_run_is_the_one_row_of_its_own_fills_even_where_costs_are_equal():
    costs = PessimisticCosts(pessimistic_commission=0.0, pessimistic_slippage_ticks=0)
    said = told([100, 100, 104], {0: LONG}, target_fill="through", stop_fill="next", pessimistic=costs)
    got = [(r["target_fill"], r["stop_fill"], r["costs"]) for r in said["table"] if r["this_run"]]
    assert got == [("through", "next", "set")]


def test_without_trades_every_figure_is_undefined_and_nothing_is_lost():
    for prices, sides, contract in ([], {}, None), ([100] * 5, {}, None), ([100] * 4, {0: LONG}, ["a"] * 2 + ["b"] * 2):
        said = told(prices, sides, contract=contract)
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
        numbers = naive.statistics(trades["net_usd"].tolist(), [0] * len(trades), 1)
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


NAIVE = ("take_profit", "stop_loss", "latency_ns", "entry", "overlap")


def naive_row(market, rules, target_fill, stop_fill, commission, slippage_ticks, contracts):
    """The figures of a run by the slow simulator and the slow statistics."""
    prices, segments, dates = market.prices, segments_of(market), session_dates(market.ts)
    fill = {"target_fill": target_fill, "stop_fill": stop_fill, "slippage_ticks": slippage_ticks}
    trades, _ = naive.simulate(market.ts, prices, market.signals, segments, dates, **rules, **fill)
    closed = [trade for trade in trades if trade["reason"] in ("target", "stop")]
    net = [naive.net_usd(trade["gross_ticks"], TICK_USD, contracts, commission) for trade in closed]
    free = []
    for trade in closed:
        market_fills = 1 if trade["reason"] == "target" else 2
        free.append((trade["gross_ticks"] + market_fills * slippage_ticks) * TICK_USD * contracts)
    numbers = naive.statistics(net, [0] * len(net), 1)
    rates = {name: numbers[name] for name in ("trades", "win_rate", "profit_factor")}
    return jsonable({"net_usd": naive.total(net), **rates, "break_even_cost_usd": naive.mean(free)})


@given(st.data(), markets())
def test_each_row_equals_its_slow_twin(data, market):
    distance = st.sampled_from([1, 2, 3])
    rules = dict(zip(NAIVE[:2], data.draw(st.tuples(distance, distance)), strict=True))
    rules["latency_ns"] = data.draw(st.sampled_from([0, 2, 7]))
    rules["entry"] = data.draw(st.sampled_from(["next", "signal"]))
    rules["overlap"] = data.draw(st.booleans())
    costs = {
        "commission": data.draw(st.sampled_from([0.0, 1.25, 3.1])),
        "slippage_ticks": data.draw(st.integers(0, 2)),
        "contracts": data.draw(st.sampled_from([1, 3])),
    }
    pessimistic = {
        "commission": max(costs["commission"], 2.5),
        "slippage_ticks": max(costs["slippage_ticks"], 1),
        "contracts": costs["contracts"],
    }
    zero = {"commission": 0.0, "slippage_ticks": 0, "contracts": costs["contracts"]}
    said = fills_of(market.tape(), market.given(), setup_of(**rules, **costs))
    for target_fill, stop_fill in product(["touch", "through"], ["trigger", "level", "next"]):
        for name, paid in zip(COSTS, (zero, costs, pessimistic), strict=True):
            got = dict(zip(FIGURES, row(said, target_fill, stop_fill, name), strict=True))
            expected = naive_row(market, rules, target_fill, stop_fill, **paid)
            assert same(got, expected)


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
def test_the_table_tells_the_costs_of_each_row(commission, ticks, pessimistic):
    table = told([100, 100, 104], {0: LONG}, commission=commission, slippage_ticks=ticks)["table"]
    got = {(found["costs"], found["commission"], found["slippage_ticks"]) for found in table}
    expected = {("zero", 0.0, 0), ("set", commission, ticks), ("pessimistic", *pessimistic)}
    assert got == expected


# Winners of the optimistic way ----------------------------------------------------------------------------


def test_winners_that_exist_only_under_the_kinder_rule_by_hand():
    # Three longs at 100, target 104, stop 98. The first and the third touch 104 and fall; the second sees 105.
    prices = [100, 100, 104, 97, 100, 100, 105, 100, 100, 104, 97]
    said = told(prices, {0: LONG, 4: LONG, 7: LONG})
    assert lost(said)["touch", "through"] == (3, 2)
    assert lost(said)["level", "trigger"] == (3, 0)
    [rule] = [rule for rule in said["optimistic"] if (rule["optimistic"], rule["conservative"]) == ("touch", "through")]
    assert rule["share"] == pytest.approx(2 / 3)


def test_a_stop_beyond_break_even_wins_at_its_level_and_not_at_the_print_that_triggered_it_by_hand():
    # Sold at 100, print 1. At 97 the stop moves to break-even plus 1 tick: 99. Print 3 gaps to 101, print 4 is 98.
    # level: 99, +1 tick; trigger: 101, -1 tick; next: 98, +2 ticks.
    said = told([100, 100, 97, 101, 98], {0: SHORT}, break_even_at=3, break_even_plus=1, stop_fill="level")
    assert row(said, stop_fill="level")[:2] == (5.0, 1)
    assert lost(said)["level", "trigger"] == (1, 1)
    assert lost(said)["level", "next"] == (1, 0)
    # Were print 4 at 102, the next event would lose 2 ticks.
    said = told([100, 100, 97, 101, 102], {0: SHORT}, break_even_at=3, break_even_plus=1, stop_fill="level")
    assert lost(said)["level", "next"] == (1, 1)


def test_a_winner_that_never_closes_under_the_stricter_rule_is_lost():
    said = told([100, 100, 104, 103], {0: LONG})
    assert lost(said)["touch", "through"] == (1, 1)


def test_what_all_winners_earn_less_under_the_stricter_way_by_hand():
    # The first long wins 20 USD at 104 either way; the second is touched at 104 and, by through, trailed out at 103.
    prices = [100, 100, 105, 100, 100, 104, 103, 103]
    said = told(prices, {0: LONG, 3: LONG}, trailing_stop=1, trail_activation=4, stop_loss=9)
    [rule] = [rule for rule in said["optimistic"] if (rule["optimistic"], rule["conservative"]) == ("touch", "through")]
    assert (rule["wins"], rule["lost"], rule["less_usd"]) == (2, 0, 5.0)


def test_under_an_entry_that_looks_into_its_event_the_models_of_the_next_one_are_told_too():
    rng = np.random.default_rng(4)
    market = random_walk(600)
    sides = {int(i): int(rng.choice([LONG, SHORT])) for i in rng.choice(600, 90, replace=False)}
    tape = market.tape()
    setups_ = {entry: setup_of(entry=entry, commission=1.0, slippage_ticks=1) for entry in ("signal", "next")}
    said = {entry: fills_of(tape, signals_of(tape, sides), setup) for entry, setup in setups_.items()}
    expected = [row for row in said["next"]["table"] if row["costs"] == "set"]
    assert len(expected) == len(said["signal"]["entry_next"]) == 9
    for got, row in zip(said["signal"]["entry_next"], expected, strict=True):
        assert (got["target_fill"], got["stop_fill"], got["this_run"]) == (row["target_fill"], row["stop_fill"], False)
        assert same(*({name: found[name] for name in FIGURES} for found in (got, row)))
    assert said["next"]["entry_next"] == []


def test_what_a_limit_on_the_open_trade_closed_is_no_winner_of_the_kinder_fill():
    # Bought at 100; at 102 the open profit of 10 USD ends the session, and print 3 closes the trade at 102.
    # By itself it is stopped out under either fill, so that no fill decides.
    rules = SessionRules(profit_limit=10.0, limit_basis="equity")
    said = told([100, 100, 102, 102, 97, 97], {0: LONG}, rules=rules)
    assert row(said)[:2] == (10.0, 1)
    assert lost(said)["touch", "through"] == (1, 0)


def earned_alone(market, signal, setup, rules, name, way):
    """What the signal at a print earns in USD when it is the only one; 0 where it does not close."""
    signals = signals_of(market.tape(), {signal: market.signals[signal]})
    execution = dataclasses.replace(setup.execution, overlap=True, **{name: way})
    trades = simulate(market.tape(), signals, setup.bracket, execution, rules).trades
    return sum(trades["net_usd"].tolist())


@given(markets(), setups())
def test_each_winner_of_the_kinder_way_is_traded_alone(market, setup):
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
        told = {
            "rule": name,
            "optimistic": optimistic,
            "conservative": conservative,
            "wins": len(winners),
            "lost": gone,
        }
        expected.append(told | {"share": share, "less_usd": pytest.approx(sum(usd - less for usd, less in earned))})
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


@given(st.data(), markets())
def test_the_winners_of_touch_and_level_equal_their_slow_twin(data, market):
    distance = st.sampled_from([1, 2, 3])
    rules = dict(zip(NAIVE[:2], data.draw(st.tuples(distance, distance)), strict=True))
    rules["entry"] = data.draw(st.sampled_from(["next", "signal"]))
    rules["overlap"] = data.draw(st.booleans())
    own = {"target_fill": "touch", "stop_fill": "level"}
    columns = (market.ts, market.prices)
    tables = (segments_of(market), session_dates(market.ts))

    def wins(signals, **fill):
        trades, _ = naive.simulate(*columns, signals, *tables, **rules, **(own | fill))
        return [t["signal"] for t in trades if t["reason"] in ("target", "stop") and t["gross_ticks"] > 0]

    winners = wins(market.signals)
    single = [[market.signals[i] if i == at else 0 for i in range(len(market.ts))] for at in winners]
    strict = {
        ("touch", "through"): {"target_fill": "through"},
        ("level", "trigger"): {"stop_fill": "trigger"},
        ("level", "next"): {"stop_fill": "next"},
    }
    expected = {key: (len(winners), sum(not wins(one, **fill) for one in single)) for key, fill in strict.items()}
    got = lost(fills_of(market.tape(), market.given(), setup_of(**rules, **own)))
    assert {key: got[key] for key in expected} == expected


# Slippage ---------------------------------------------------------------------------------------------


def test_slippage_of_an_entry_is_the_way_from_its_signals_print_to_the_first_that_could_fill_by_hand():
    # Signals at 100; the long fills at 101, 1 tick dearer, and wins at 105; the short fills at 100, as it wished.
    said = told([100, 101, 105, 100, 100, 96], {0: LONG, 3: SHORT})
    assert spread(said, "entry") == {0: 1, 1: 1}
    assert said["slippage"]["entry"]["mean_ticks"] == 0.5


def test_slippage_of_an_entry_waits_for_the_latency_and_is_counted_with_the_optimistic_entry_too():
    # The order of print 0 reaches the exchange at 15 ns: print 2, 99, one tick cheaper. It was filled at print 0.
    for entry in ("next", "signal"):
        said = told([100, 101, 99, 104, 105], {0: LONG}, latency_ns=15, entry=entry, slippage_ticks=0)
        assert spread(said, "entry") == {-1: 1}


def test_an_entry_without_a_later_print_in_its_session_or_segment_has_no_slippage():
    # The optimistic entry of print 1 needs no later print; the next one is of another session, or of another contract.
    said = told([100, 100, 104], {1: LONG}, ts=[0, 1, SESSION_END], entry="signal")
    assert (said["same_event"]["trades"], said["slippage"]["entry"]["trades"]) == (1, 0)
    said = told([100, 100, 104, 300, 310], {1: LONG}, contract=["a"] * 3 + ["b"] * 2, entry="signal")
    assert spread(said, "entry") == {4: 1}
    said = told([100, 104, 104, 300, 310], {0: LONG}, [0, 1, 1, 1, 2], ["a"] * 2 + ["b"] * 3, entry="signal")
    assert spread(said, "entry") == {4: 1}
    said = told([100, 104, 300, 310], {0: LONG}, [0, 0, 1, 2], ["a"] * 2 + ["b"] * 2, entry="signal")
    assert (said["same_event"]["trades"], said["slippage"]["entry"]["trades"]) == (1, 0)


def test_slippage_of_a_stop_is_told_at_its_trigger_and_at_the_next_event_whatever_fills_it_by_hand():
    # Long from 100, stop 98: triggered at 95, 3 ticks beyond; the next event is at 99, one tick better than 98.
    # Short from 100, stop 102: triggered at 102 exactly; the next event is at 104, 2 beyond.
    prices = [100, 100, 95, 99, 100, 100, 102, 104]
    for stop_fill in ("trigger", "level"):
        said = told(prices, {0: LONG, 4: SHORT}, stop_fill=stop_fill, slippage_ticks=0)
        assert spread(said, "stop_trigger") == {0: 1, 3: 1}
        assert spread(said, "stop_next") == {-1: 1, 2: 1}


def test_a_stop_without_a_later_print_has_no_next_fill_and_a_target_has_no_slippage():
    said = told([100, 100, 104, 100, 100, 97], {0: LONG, 3: LONG})
    assert spread(said, "stop_trigger") == {1: 1}
    assert spread(said, "stop_next") == {}


def test_slippage_of_a_stop_that_moved_is_counted_from_the_stop_in_force_by_hand():
    # Long from 100 with a trailing stop 3 ticks behind: at 103 it goes to 100, where the initial one was 90.
    # Print 3 is 98: 2 ticks beyond.
    said = told([100, 100, 103, 98, 98], {0: LONG}, take_profit=50, stop_loss=10, trailing_stop=3)
    assert spread(said, "stop_trigger") == {2: 1}


def in_force(market, trade, k, setup):
    """The stop of a trade at print k, as a profit in ticks (rules 31 to 33), by looking at every print."""
    side, entry, j = trade["side"], trade["entry_ticks"], trade["entry"]
    latency = setup.execution.latency_ns
    best = 0
    for p in range(j + 1, k):
        if market.ts[p] < market.ts[k] and market.ts[p] + latency <= market.ts[k]:
            best = max(best, side * (market.prices[p] - entry))

    def ticks(points):
        return round(points / 0.25)

    bracket = setup.bracket
    stop_loss = bracket.stop_loss
    if side < 0 and bracket.stop_loss_short is not None:
        stop_loss = bracket.stop_loss_short
    levels = [-ticks(stop_loss)]
    if bracket.break_even_at is not None and best >= ticks(bracket.break_even_at):
        levels.append(bracket.break_even_plus)
    if bracket.trailing_stop is not None and best >= ticks(bracket.trail_activation):
        start = ticks(bracket.trail_activation)
        step = 1 if bracket.trailing_step is None else ticks(bracket.trailing_step)
        levels.append(start + step * ((best - start) // step) - ticks(bracket.trailing_stop))
    return max(levels)


def could_exit(market, trade, k, setup):
    """Rule 6."""
    return k > trade["entry"] and (setup.execution.entry == "signal" or market.ts[k] > market.ts[trade["entry"]])


def trigger(market, trade, setup):
    """The print that triggered the stop which ended a trade."""
    for k in range(trade["entry"] + 1, trade["exit"] + 1):
        profit = trade["side"] * (market.prices[k] - trade["entry_ticks"])
        if could_exit(market, trade, k, setup) and profit <= in_force(market, trade, k, setup):
            return k
    raise AssertionError(f"no print triggered {trade}")


def next_print(market, i, latency, dates=None):
    """The first print that an order sent at print i can fill at, in its segment and, if given, its session date."""
    [last] = [stop for start, stop in segments_of(market) if start <= i < stop]
    for m in range(i + 1, last):
        if dates and dates[m] != dates[i]:
            return None
        if market.ts[m] > market.ts[i] and market.ts[m] >= market.ts[i] + latency:
            return m
    return None


STOPPED = (2, 3, 4)
"""Reasons stop, break_even and trailing."""


def rows_of(trades):
    names = ("side", "reason", "signal", "entry", "exit", "entry_ticks")
    return [dict(zip(names, row, strict=True)) for row in trades[list(names)].tolist()]


def naive_slippage(market, trades, setup):
    """Costs in ticks of entries, of stops at their trigger, and of stops at the next event."""
    entry, at_trigger, at_next = [], [], []
    latency, dates = setup.execution.latency_ns, session_dates(market.ts)
    for trade in rows_of(trades):
        side, i = trade["side"], trade["signal"]
        j = next_print(market, i, latency, dates)
        if j is not None:
            entry.append(side * (market.prices[j] - market.prices[i]))
        if trade["reason"] in STOPPED:
            k = trigger(market, trade, setup)
            level = trade["entry_ticks"] + side * in_force(market, trade, k, setup)
            at_trigger.append(side * (level - market.prices[k]))
            m = next_print(market, k, latency)
            if m is not None:
                at_next.append(side * (level - market.prices[m]))
    return {"entry": entry, "stop_trigger": at_trigger, "stop_next": at_next}


def assert_distributed(got, costs):
    """Compare a distribution with the costs of the trades, one by one."""
    assert got["trades"] == len(costs) == sum(got["counts"])
    if not costs:
        return
    costs = sorted(costs)
    n = len(costs)
    assert got["mean_ticks"] == pytest.approx(sum(costs) / n)
    assert got["worst_ticks"] == costs[-1]
    # The smallest cost that at least this share of the trades does not exceed.
    assert got["percentiles"] == {
        str(p): min(cost for cost in costs if 100 * sum(c <= cost for c in costs) >= p * n)
        for p in (5, 25, 50, 75, 95, 99)
    }
    ticks, counts = got["ticks"], got["counts"]
    assert ticks == list(range(ticks[0], ticks[-1] + 1))
    assert len(ticks) <= BINS
    clipped = Counter(min(max(cost, ticks[0]), ticks[-1]) for cost in costs)
    assert counts == [clipped[tick] for tick in ticks]
    assert ticks[0] <= costs[n // 2] <= ticks[-1]


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
    said = told(prices, {0: LONG, 3: LONG, 6: SHORT}, aggressor=aggressor)
    shares = {name: said["slippage"][name]["inside_share"] for name in ("entry", "stop_trigger", "stop_next")}
    assert shares == {"entry": pytest.approx(2 / 3), "stop_trigger": pytest.approx(2 / 3), "stop_next": 0.0}
    # Half of what is known, and nothing is.
    said = told(prices, {0: LONG, 3: LONG, 6: SHORT}, aggressor=[0, SHORT, 0, 0, LONG, 0, 0, 0, 0, 0])
    assert [said["slippage"][name]["inside_share"] for name in ("entry", "stop_trigger")] == [0.5, None]


# Events -----------------------------------------------------------------------------------------------


def test_prints_of_the_entrys_event_that_meet_target_or_stop_are_counted_though_they_exit_nothing():
    # Print 1 fills the long at 100; its event also prints 104 (target) and 98 (stop). Print 4 takes the target.
    ts = [0, 10, 10, 10, 20]
    assert same_events(told([100, 100, 104, 98, 104], {0: LONG}, ts)) == {"entry_target": 1, "entry_stop": 1}
    # Prints of the event before the fill do not count: the first print of an event fills.
    assert same_events(told([100, 100, 101, 99, 104], {0: LONG}, ts)) == {}
    # Through needs a print beyond 104.
    assert same_events(told([100, 100, 104, 100, 105], {0: LONG}, ts, target_fill="through")) == {}
    assert same_events(told([100, 100, 105, 100, 105], {0: LONG}, ts, target_fill="through")) == {"entry_target": 1}


def test_an_event_that_meets_target_and_stop_is_counted_by_what_came_first():
    # Long from 100: one event prints 104 and 98.
    ts = [0, 10, 20, 20, 30]
    assert same_events(told([100, 100, 104, 98, 100], {0: LONG}, ts)) == {"target_first": 1}
    assert same_events(told([100, 100, 98, 104, 100], {0: LONG}, ts)) == {"stop_first": 1}
    # A stop that fills at the next event was decided where it was triggered.
    assert same_events(told([100, 100, 98, 104, 100], {0: LONG}, ts, stop_fill="next")) == {"stop_first": 1}
    # Short from 100: target 96, stop 102.
    assert same_events(told([100, 100, 96, 102, 100], {0: SHORT}, ts)) == {"target_first": 1}


def test_an_entry_and_its_exit_in_one_event_are_counted():
    # Bought at the signal's own print; the event goes on to 104, the target, and to 98, the stop.
    said = told([100, 104, 98, 100], {0: LONG}, [0, 0, 0, 10], entry="signal")
    assert same_events(said) == {"entry_target": 1, "entry_stop": 1, "target_first": 1, "entry_exit": 1}


def test_an_event_knows_the_stop_in_force_when_it_was_met():
    # Long from 100, stop 90, break-even at 3. Print 2 is 103. The next event prints 104, the target, and 100.
    ts = [0, 10, 20, 30, 30, 40]
    parameters = {"stop_loss": 10, "break_even_at": 3}
    assert same_events(told([100, 100, 103, 104, 100, 100], {0: LONG}, ts, **parameters)) == {"target_first": 1}
    assert same_events(told([100, 100, 103, 104, 101, 100], {0: LONG}, ts, **parameters)) == {}


def test_a_trailing_stop_that_stands_from_the_entry_on_is_the_stop_of_the_entrys_event():
    # Long from 100, stop 90, a trailing stop 1 tick behind from the start: the entry's event prints 99.
    prices, ts = [100, 100, 99, 104], [0, 10, 10, 20]
    assert same_events(told(prices, {0: LONG}, ts, stop_loss=10, trailing_stop=1)) == {"entry_stop": 1}
    assert same_events(told(prices, {0: LONG}, ts, stop_loss=10, trailing_stop=1, trail_activation=2)) == {}


def test_prints_of_another_contract_are_no_part_of_an_event():
    # The roll lies inside one time: the next contract's prints at 130 and 70 meet nothing.
    ts, contract = [0, 10, 20, 20, 20, 30], ["a"] * 3 + ["b"] * 3
    assert same_events(told([100, 100, 104, 130, 70, 70], {0: LONG}, ts, contract)) == {}


def naive_same_event(market, trades, setup):
    """Trades whose events of entry and exit hold prints that meet target or stop, by looking at every print."""
    found = dict.fromkeys(("entry_target", "entry_stop", "target_first", "stop_first", "entry_exit"), 0)
    dates = segments_of(market)
    for trade in rows_of(trades):
        side, entry, j, m = trade["side"], trade["entry_ticks"], trade["entry"], trade["exit"]
        [prints] = [range(start, stop) for start, stop in dates if start <= j < stop]
        take_profit = setup.bracket.take_profit
        if side < 0 and setup.bracket.take_profit_short is not None:
            take_profit = setup.bracket.take_profit_short
        target = round(take_profit / 0.25) + (setup.execution.target_fill == "through")

        def profits(at, after=j, prints=prints, side=side, entry=entry):
            return [side * (market.prices[p] - entry) for p in prints if p > after and market.ts[p] == market.ts[at]]

        # At the entry's fill nothing is known yet, so that the stop is the one in force at the next print.
        stop = in_force(market, trade, j + 1, setup)
        found["entry_target"] += any(profit >= target for profit in profits(j))
        found["entry_stop"] += any(profit <= stop for profit in profits(j))
        found["entry_exit"] += market.ts[m] == market.ts[j]
        if trade["reason"] == 1 or trade["reason"] in STOPPED:
            k = m if trade["reason"] == 1 else trigger(market, trade, setup)
            stop = in_force(market, trade, k, setup)
            met = [profit >= target for profit in profits(k)], [profit <= stop for profit in profits(k)]
            if any(met[0]) and any(met[1]):
                found["target_first" if trade["reason"] == 1 else "stop_first"] += 1
    return {"trades": len(trades), **found}


@given(markets(), setups())
def test_the_counts_of_events_equal_their_slow_twin(market, setup):
    _, simulation = traded(market.tape(), market.given(), setup)
    got = fills_of(market.tape(), market.given(), setup)["same_event"]
    expected = naive_same_event(market, simulation.trades, setup)
    assert got == expected


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
