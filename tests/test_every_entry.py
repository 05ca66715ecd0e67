"""What an entry at every print earns, by first passages, equals what the simulator makes of it."""

import dataclasses
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.budget import examples
from support.checks import setups, with_levels_that_stay
from support.random_tapes import markets

from scalpr_zen import SessionRules
from scalpr_zen.simulation.every_entry import Positions, has_fixed_levels, outcomes
from scalpr_zen.simulation.simulate import Orders, orders, trade


def traded_alone(tape, i, side, setup):
    """The trade of one order after print i, or none where it does not fill."""
    rules = SessionRules(flat_before_close=setup.rules.flat_before_close, max_hold=setup.rules.max_hold)
    execution = dataclasses.replace(setup.execution, overlap=True)
    order = Orders(np.array([i]), np.array([side], np.int8), {"signals": 1, "other_side": 0, "outside": 0})
    made = trade(tape, order, setup.bracket, execution, rules)
    return [*made.trades, *made.unclosed]


@examples(80)
@given(markets(), setups(), st.lists(st.integers(0, 40), max_size=4), st.lists(st.integers(-1, 2), min_size=5))
def test_an_entry_at_every_print_earns_what_the_simulator_makes_of_it(market, setup, cuts, group):
    tape, setup = market.tape(), with_levels_that_stay(setup)
    bracket, fill = setup.bracket, setup.execution.target_fill
    execution = dataclasses.replace(setup.execution, target_fill="touch" if fill == "queue" else fill)
    rules = dataclasses.replace(setup.rules, cooldown=0.0, max_trades=None, loss_limit=None, profit_limit=None)
    setup = dataclasses.replace(setup, execution=execution, rules=rules)
    starts = np.unique([0, *(cut for cut in cuts if cut < len(tape))])
    groups = np.array(group[: len(starts)])
    assert has_fixed_levels(tape, bracket, execution, rules, 3)
    weights = np.arange(1.0, 7.0).reshape(3, 2)
    wanted = orders(tape, market.given(), rules)
    one_by_one = dataclasses.replace(execution, overlap=False)
    own = trade(tape, wanted, bracket, one_by_one, rules)
    rows = np.sort(np.concatenate([own.trades, own.unclosed]), order="entry")
    held = Positions(*(rows[name].astype(np.int64) for name in ("entry", "exit", "side")))
    got = outcomes(tape, starts, groups, 3, weights, held, bracket, execution, rules)

    found, aggressor, position = Counter(), Counter(), np.zeros(len(tape))
    for i in range(len(tape)):
        mine = int(groups[np.searchsorted(starts, i, side="right") - 1])
        for short, side in enumerate((1, -1)):
            for row in traded_alone(tape, i, side, setup) if mine >= 0 else []:
                found[mine, short, int(row["gross_ticks"])] += 1
                aggressor[mine, int(tape.aggressor[row["entry"]]) + 1] += side > 0
                position[row["entry"] : row["exit"]] += side * weights[mine, short]
    assert {(g, s, int(got.ticks[k])): n for (g, s, k), n in np.ndenumerate(got.entries) if n} == found
    assert {place: n for place, n in np.ndenumerate(got.aggressor) if n} == +aggressor

    # A position at print k earns the move from k to k + 1, but for the gap of a roll.
    move = np.append(np.diff(tape.price.astype(np.int64)), 0)
    move[tape.segments["stop"] - 1] = 0
    mine = np.zeros(len(tape))
    for row in rows:
        mine[row["entry"] : row["exit"]] += row["side"]
    assert got.moves == pytest.approx([((mine - position) ** 2 * move**2).sum(), (mine**2 * move**2).sum()], rel=1e-4)


@pytest.mark.parametrize(
    ("bracket", "execution", "rules"),
    [
        ({"trailing_stop": 1.0}, {}, {}),
        ({"break_even_at": 1.0}, {}, {}),
        ({}, {"target_fill": "queue"}, {}),
        ({}, {}, {"limit_basis": "equity", "loss_limit": 100.0}),
    ],
)
def test_moving_stops_queues_and_limits_on_open_trades_are_not_covered(bracket, execution, rules):
    from support.tapes import tape_of

    from scalpr_zen import Bracket, Execution

    tape = tape_of([100, 101])
    assert has_fixed_levels(tape, Bracket(), Execution(), SessionRules(), 48)
    assert not has_fixed_levels(tape, Bracket(**bracket), Execution(**execution), SessionRules(**rules), 48)
