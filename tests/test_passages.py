"""Many runs over the same orders: each has the trades of its own simulation, read from first passages or traded."""

from dataclasses import replace
from itertools import product

import numpy as np
from hypothesis import given
from support.budget import examples
from support.checks import setups, traded, with_levels_that_stay
from support.random_tapes import markets, random_walk

from scalpr_zen import Bracket, Execution, SessionRules
from scalpr_zen.simulation.execution import STOP_FILLS, TARGET_FILLS
from scalpr_zen.simulation.kernel import HOLD, STOP, TARGET, VOID
from scalpr_zen.simulation.passages import passages
from scalpr_zen.simulation.results import levels_stay, results
from scalpr_zen.simulation.simulate import RESULT, Orders, orders, simulated


def variants_of(setup):
    """The run under all fills, with its own slippage and one tick more, and under a wider bracket."""
    executions = [
        replace(
            setup.execution, target_fill=target, stop_fill=stop, slippage_ticks=setup.execution.slippage_ticks + more
        )
        for target, stop, more in product(TARGET_FILLS, STOP_FILLS, (0, 1))
    ]
    wider = replace(setup.bracket, take_profit="7t", stop_loss="4t")
    return [(bracket, execution) for bracket in (setup.bracket, wider) for execution in executions]


@examples(100)
@given(markets(), setups())
def test_each_variant_of_many_has_the_trades_of_its_own_run(market, setup):
    tape, variants = market.tape(), variants_of(setup)
    wanted, _ = traded(tape, market.given(), setup)
    together = results(tape, wanted, variants, setup.rules)
    for (bracket, execution), made in zip(variants, together, strict=True):
        _, simulation = traded(tape, market.given(), replace(setup, bracket=bracket, execution=execution))
        rows = np.concatenate((simulation.trades, simulation.unclosed))
        rows = rows[np.argsort(rows["signal"])]
        for name in set(RESULT.names) - {"stop_ticks"}:
            assert made[name].tolist() == rows[name].tolist(), name


@examples(200)
@given(markets(), setups())
def test_runs_read_from_first_passages_are_those_that_the_kernel_trades(market, setup):
    tape, setup = market.tape(), with_levels_that_stay(setup)
    variants = variants_of(setup)
    assert all(levels_stay(tape, bracket, setup.rules) for bracket, _ in variants)
    wanted, _ = traded(tape, market.given(), setup)
    table = passages(tape, wanted, variants, setup.rules)
    for made, expected in zip(
        results(tape, wanted, variants, setup.rules, table), simulated(tape, wanted, variants, setup.rules), strict=True
    ):
        assert made.tolist() == expected.tolist()

    half = np.arange(0, len(wanted.at), 2)
    some = Orders(wanted.at[half], wanted.side[half], {})
    for made, expected in zip(
        results(tape, some, variants, setup.rules, table.take(half)),
        simulated(tape, some, variants, setup.rules),
        strict=True,
    ):
        assert made.tolist() == expected.tolist()


def test_a_grid_of_brackets_read_from_one_table_has_the_trades_of_the_kernel():
    """A tape of three contracts, long enough for trades that stay open over sessions and over the roll."""
    market = random_walk(6_000)
    tape, rules = market.tape(), SessionRules(max_hold=5e-9 * 10**6, cooldown=0.001)
    wanted = orders(tape, market.given(), rules)
    grid = [Bracket(take_profit=f"{t}t", stop_loss=f"{s}t") for t in (1, 4, 15, 60) for s in (1, 3, 20, 80)]
    variants = [(bracket, Execution(slippage_ticks=1)) for bracket in grid]
    made = results(tape, wanted, variants, rules, passages(tape, wanted, variants, rules))
    expected = simulated(tape, wanted, variants, rules)
    assert [rows.tolist() for rows in made] == [rows.tolist() for rows in expected]
    assert {reason for rows in made for reason in rows["reason"].tolist()} == {TARGET, STOP, HOLD, VOID}
