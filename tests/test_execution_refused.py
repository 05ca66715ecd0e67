"""Parameters and signals that the simulator refuses, and the limits of those that it takes.

Prices are ticks, times are ns after noon in Chicago, print by print. Unless stated, a print is an event of its own
every 10 ns, the target is 4 and the stop 2 ticks from the entry's fill, and one tick of NQ is 5 USD.
"""

import re

import numpy as np
import pytest
from support.few_prints import LONG, fills, rules
from support.tapes import Given, signals_of, tape_of

import scalpr_zen.base.blocks
import scalpr_zen.simulation.kernel
from scalpr_zen import (
    Bracket,
    EmaCrossover,
    Execution,
    ParameterError,
    SessionRules,
    StrategyError,
    Tape,
    instrument,
    run,
)
from scalpr_zen.simulation.simulate import simulate

# Errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signals", "message"),
    [
        (np.zeros(4, np.int64), "signals must be int8 (4,), one a print, were int64 (4,)"),
        (np.zeros(4, bool), "signals must be int8 (4,), one a print, were bool (4,)"),
        (np.zeros(4), "signals must be int8 (4,), one a print, were float64 (4,)"),
        (np.zeros(3, np.int8), "signals must be int8 (4,), one a print, were int8 (3,)"),
        (np.zeros((4, 1), np.int8), "signals must be int8 (4,), one a print, were int8 (4, 1)"),
        ([0, 0, 0, 0], "signals must be int8 (4,), one a print, were list"),
        (np.array([0, 2, 0, 0], np.int8), "signals must be -1, 0 or +1, were 0 to 2"),
        (np.array([0, 1, -2, 0], np.int8), "signals must be -1, 0 or +1, were -2 to 1"),
    ],
)
def test_signals_that_do_not_fit_the_tape_are_refused_by_rule_and_value(signals, message):
    tape = tape_of([100, 101, 102, 103])
    with pytest.raises(ParameterError) as error:
        simulate(tape, signals, *rules())
    assert str(error.value) == message
    with pytest.raises(StrategyError) as error:
        run(tape, Given(signals), *rules())
    assert re.fullmatch(r"tapes\.py line \d+: Given: " + re.escape(message), str(error.value))


def test_a_distance_of_more_than_a_billion_ticks_is_refused():
    with pytest.raises(ParameterError, match=r"^take_profit must be .* 1,000,000,000 ticks, was 250000000\.25"):
        Bracket(take_profit=0.25 * (10**9 + 1)).distances(instrument("NQ"), LONG)
    # The farthest bracket: from 10**9 - 90 no print can reach the target, and the stop is -90.
    far = {"take_profit": 10**9, "stop_loss": 10**9}
    start = 10**9 - 90
    assert fills([start, start, -80, start + 90], {0: LONG}, **far) == [(1, start, 3, start + 90, "open")]
    assert fills([start, start, -80, -90], {0: LONG}, **far) == [(1, start, 3, -90, "stop")]


def test_the_widest_trade_of_all_has_its_money():
    tape = tape_of([0, -(10**9), 10**9], [0, 1, 10**9])
    hold = SessionRules(max_hold=0.5)
    [trade] = simulate(tape, signals_of(tape, {0: LONG}), Bracket(), Execution(), hold).trades
    assert (trade["gross_ticks"], trade["net_usd"]) == (2 * 10**9, 10**10)


def test_an_empty_tape_has_no_trades():
    tape = Tape.from_prints([], [], instrument=instrument("NQ"))
    simulation = simulate(tape, EmaCrossover().signals(tape), *rules())
    assert (len(simulation.trades), len(simulation.unclosed)) == (0, 0)
    assert set(simulation.counts.values()) == {0}
    assert run(tape, EmaCrossover(), *rules()).to_dict()["counts"] == simulation.counts


def test_the_kernel_and_the_tape_have_blocks_of_one_size():
    assert scalpr_zen.simulation.kernel.KERNEL_BLOCK == scalpr_zen.base.blocks.BLOCK
