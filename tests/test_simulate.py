"""The cheap path of many runs says of each trade what the whole simulation says."""

from dataclasses import replace
from itertools import product

import numpy as np
from hypothesis import given
from support.budget import examples
from support.checks import setups, traded
from support.random_tapes import markets

from scalpr_zen.simulation.execution import STOP_FILLS, TARGET_FILLS
from scalpr_zen.simulation.simulate import RESULT, results


@examples(100)
@given(markets(), setups())
def test_each_variant_of_many_has_the_trades_of_its_own_run(market, setup):
    tape = market.tape()
    executions = [
        replace(
            setup.execution, target_fill=target, stop_fill=stop, slippage_ticks=setup.execution.slippage_ticks + more
        )
        for target, stop, more in product(TARGET_FILLS, STOP_FILLS, (0, 1))
    ]
    wanted, _ = traded(tape, market.given(), setup)
    together = results(tape, wanted, [(setup.bracket, execution) for execution in executions], setup.rules)
    for execution, made in zip(executions, together, strict=True):
        _, simulation = traded(tape, market.given(), replace(setup, execution=execution))
        rows = np.concatenate((simulation.trades, simulation.unclosed))
        rows = rows[np.argsort(rows["signal"])]
        for name in set(RESULT.names) - {"stop_ticks"}:
            assert made[name].tolist() == rows[name].tolist(), name
