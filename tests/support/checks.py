"""What the tests of fills, control and look-ahead share: setups in ticks and ns, and random ones."""

import dataclasses

from hypothesis import strategies as st

from scalpr_zen import Bracket, Execution, MonteCarlo, PessimisticCosts, PropFirm, SessionRules, Setup
from scalpr_zen.render.data import jsonable
from scalpr_zen.sections.fills.models import fills
from scalpr_zen.simulation.simulate import orders, trade
from support.tapes import NOON

LONG, SHORT = 1, -1
HOUR = 3600 * 10**9
TICK, TICK_USD = 0.25, 5.0  # of NQ
SESSION_END = 5 * HOUR  # 17:00 in Chicago, in ns after NOON
ELEVEN = NOON - HOUR
MOVES = ("trailing_stop", "trail_activation", "trailing_step", "break_even_at")
SHORTS = ("take_profit_short", "stop_loss_short")


def setup_of(*, take_profit=4, stop_loss=2, latency_ns=0, rules=None, pessimistic=None, settings=None, **others):
    """A setup from distances in ticks and a latency in ns; what belongs to no bracket belongs to the execution."""
    points = {name: TICK * others.pop(name) for name in (*MOVES, *SHORTS) if others.get(name) is not None}
    plus = {"break_even_plus": others.pop("break_even_plus", 0)}
    return Setup(
        bracket=Bracket(take_profit=TICK * take_profit, stop_loss=TICK * stop_loss, **points, **plus),
        execution=Execution(latency_ms=latency_ns / 1e6, **others),
        rules=rules or SessionRules(),
        pessimistic=pessimistic or PessimisticCosts(),
        settings=settings or MonteCarlo(monte_carlo_sims=0, random_entry_sims=0),
        firm=PropFirm(prop_firm="none"),
    )


def traded(tape, signals, setup):
    """The orders of a run, and the trades made of them."""
    wanted = orders(tape, signals, setup.rules)
    return wanted, trade(tape, wanted, setup.bracket, setup.execution, setup.rules)


def fills_of(tape, signals, setup):
    """What `fills` says of a run, None for what is undefined."""
    return jsonable(fills(tape, *traded(tape, signals, setup), setup))


# The generators ---------------------------------------------------------------------------------------


def brackets():
    """Distances in ticks, many of one tick, and stops that move."""
    distance = st.sampled_from([1, 1, 2, 3, 5])
    still = st.fixed_dictionaries({"take_profit": distance, "stop_loss": distance})
    shorts = st.fixed_dictionaries({}, optional={"take_profit_short": distance, "stop_loss_short": distance})
    trailing = st.fixed_dictionaries(
        {"trailing_stop": distance},
        optional={"trail_activation": st.integers(0, 3), "trailing_step": st.integers(1, 2)},
    )
    even = st.integers(1, 3).flatmap(
        lambda at: st.fixed_dictionaries({"break_even_at": st.just(at), "break_even_plus": st.integers(0, at - 1)})
    )
    moves = st.one_of(st.just({}), trailing, even, st.builds(lambda a, b: a | b, trailing, even))
    return st.builds(lambda a, b, c: a | b | c, still, shorts, moves)


def executions():
    """Fills and costs, without overlap."""
    return st.fixed_dictionaries(
        {
            "latency_ns": st.sampled_from([0, 0, 1, 2, 7, 10 * 10**9]),
            "entry": st.sampled_from(["next", "next", "signal"]),
            "slippage_ticks": st.sampled_from([0, 0, 1, 2]),
            "commission": st.sampled_from([0.0, 1.25, 2.05, 3.1]),
            "target_fill": st.sampled_from(["touch", "through", "queue"]),
            "queue_ahead": st.sampled_from([0, 1, 3]),
            "stop_fill": st.sampled_from(["trigger", "level", "next"]),
            "contracts": st.sampled_from([1, 3]),
            "roll_exit": st.sampled_from(["void", "close"]),
        }
    )


def times():
    """Rules under which a trade does not depend on the trades before it."""
    return st.fixed_dictionaries(
        {},
        optional={
            "sides": st.sampled_from(["both", "long", "short"]),
            "reverse": st.booleans(),
            "entry_windows": st.sampled_from(["all", "16:59-17:01", "00:00-16:00, 17:00-24:00"]),
            "weekdays": st.sampled_from(["all", "Mon-Wed", "Tue-Fri"]),
            "no_entry_before_close": st.sampled_from([1.0, 1380.0]),
            "flat_before_close": st.sampled_from([0.05, 1.0]),
            "max_hold": st.sampled_from([0.001, 5.0]),
        },
    )


def limits():
    """Rules under which it does."""
    some = st.fixed_dictionaries(
        {},
        optional={
            "cooldown": st.sampled_from([0.001, 3600]),
            "max_trades": st.integers(1, 3),
            "loss_limit": st.sampled_from([5.0, 20.0]),
            "profit_limit": st.sampled_from([5.0, 20.0]),
        },
    )

    def seen(rules):
        by = ["realized", "equity"] if {"loss_limit", "profit_limit"} & set(rules) else ["realized"]
        return st.sampled_from(by).map(lambda on: rules | {"limit_basis": on})

    return some.flatmap(seen)


@st.composite
def setups(draw):
    """Every group of parameters of a trade, drawn."""
    overlap = draw(st.sampled_from([False, False, True]))
    some, more = (draw(st.sampled_from([False, False, True])) for _ in range(2))
    rules = (draw(times()) if some else {}) | (draw(limits()) if more and not overlap else {})
    return setup_of(**draw(brackets()), **draw(executions()), overlap=overlap, rules=SessionRules(**rules))


def with_levels_that_stay(setup):
    """The same without rules that depend on the way of the price inside a trade, and so with limits on closed ones."""
    still = {"trailing_stop": None, "trail_activation": 0.0, "trailing_step": None}
    bracket = dataclasses.replace(setup.bracket, **still, break_even_at=None, break_even_plus=0)
    return dataclasses.replace(setup, bracket=bracket, rules=dataclasses.replace(setup.rules, limit_basis="realized"))
