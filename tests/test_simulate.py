"""The cheap path of many runs says of each trade what the whole simulation says."""

import numpy as np
from hypothesis import given
from support.budget import examples
from support.checks import setups, traded
from support.random_tapes import markets

from scalpr_zen.simulation.simulate import RESULT, results


@examples(100)
@given(markets(), setups())
def test_the_results_of_a_variant_are_the_trades_of_its_own_run(market, setup):
    tape = market.tape()
    wanted, simulation = traded(tape, market.given(), setup)
    [made] = results(tape, wanted, [(setup.bracket, setup.execution)], setup.rules)
    rows = np.concatenate((simulation.trades, simulation.unclosed))
    rows = rows[np.argsort(rows["signal"])]
    for name in set(RESULT.names) - {"stop_ticks"}:
        assert made[name].tolist() == rows[name].tolist(), name
