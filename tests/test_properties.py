"""Rules 1, 2 and 15 to 17 of signals and of whole runs; test_rules_twin.py has those of the simulator."""

import dataclasses
import hashlib
import os
import random
import struct
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import naive
from support.budget import JIT, examples, many
from support.random_tapes import Orders, crossovers, markets, orders, random_walk, segments_of
from support.tapes import NOON, Given, tape_of

from scalpr_zen import TRADE, EmaCrossover, MonteCarlo, PropFirm, run, save_tape
from scalpr_zen.base.engine import Engine
from scalpr_zen.simulation.simulate import simulate, trades_sha256

TRADES = {"settings": MonteCarlo(monte_carlo_sims=0, random_entry_sims=0), "firm": PropFirm(prop_firm="none")}
TICK, TICK_VALUE = 0.25, 5.0  # of NQ
MANY = examples(300)


@given(markets(), crossovers())
def test_the_crossover_equals_its_slow_twin(market, strategy):
    got = strategy.signals(market.tape()).tolist()
    expected = naive.crossover_signals(market.prices, segments_of(market), strategy.fast_period, strategy.slow_period)
    assert got == expected


@pytest.mark.parametrize(("fast_period", "slow_period"), [(1, 3), (2, 5), (3, 7)])
def test_a_crossover_of_a_staircase_equals_its_slow_twin(fast_period, slow_period):
    # While a price stays the averages close in on it, until only the last bits tell whether they have met.
    rng = random.Random(7)
    walk = random_walk(300).prices
    prices = [price for price in walk for _ in range(rng.randint(10, 60))]
    got = EmaCrossover(fast_period=fast_period, slow_period=slow_period).signals(tape_of(prices)).tolist()
    assert got == naive.crossover_signals(prices, [(0, len(prices))], fast_period, slow_period)
    assert min(Counter(got)[side] for side in (1, -1)) > 20


# What the generators reach ----------------------------------------------------------------------------


@many
def test_the_random_crossovers_reach_either_side():
    cases = Counter()

    @MANY
    @given(markets(), crossovers())
    def count(market, strategy):
        cases.update(set(strategy.signals(market.tape()).tolist()))

    count()
    assert min(cases[1], cases[-1]) > 10


# Rule 15: identity ------------------------------------------------------------------------------------

STRATEGY = EmaCrossover(fast_period=3, slow_period=8)
RULES = Orders(6, 4, latency_ns=2, slippage_ticks=1, commission=2.05, stop_fill="next")
HASH_OF_A_FILE = """
import sys
from scalpr_zen import Bracket, EmaCrossover, Execution, MonteCarlo, PropFirm, Tape, run
tape, strategy, bracket, execution = Tape.open(sys.argv[1]), *map(eval, sys.argv[2:])
settings, firm = MonteCarlo(monte_carlo_sims=0, random_entry_sims=0), PropFirm(prop_firm="none")
print(run(tape, strategy, bracket, execution, settings=settings, firm=firm).to_dict()["trades_sha256"])
"""


def trades_hash(tape, rules=RULES):
    result = run(tape, STRATEGY, *rules.parameters(), **TRADES)
    assert len(result.trades) > 20
    return result.to_dict()["trades_sha256"]


def test_rule_15_the_trade_list_has_a_sha_256_over_its_columns():
    # Bought 100 at print 1, sold 104 at print 3; sold 104 at print 5, bought 107 at its stop, print 6.
    tape = tape_of([100, 100, 99, 104, 104, 104, 107])
    signals = np.array([1, 0, 0, 0, -1, 0, 0], np.int8)
    result = run(tape, Given(signals), *Orders(4, 2, commission=0.5).parameters(), **TRADES)
    columns = [
        ("<2b", 1, -1),  # side
        ("<2b", 1, 2),  # reason: target, stop
        ("<2i", 0, 0),  # segment
        ("<2i", 0, 0),  # session
        ("<2q", 0, 4),  # signal
        ("<2q", 1, 5),  # entry
        ("<2q", 3, 6),  # exit
        ("<2q", NOON + 10, NOON + 50),  # entry_ts
        ("<2q", NOON + 30, NOON + 60),  # exit_ts
        ("<2i", 100, 104),  # entry_ticks
        ("<2i", 104, 107),  # exit_ticks
        ("<2i", 4, -3),  # gross_ticks
        ("<2i", -1, -3),  # mae_ticks
        ("<2i", 4, -3),  # mfe_ticks
        ("<2d", 19.0, -16.0),  # net_usd
    ]
    got = result.to_dict()["trades_sha256"]
    expected = hashlib.sha256(b"".join(struct.pack(*column) for column in columns)).hexdigest()
    assert got == expected
    assert any(expected in line for line in result.text("txt").splitlines())


def test_rule_15_every_column_of_a_trade_is_part_of_the_hash():
    market = random_walk(300)
    trades = simulate(market.tape(), market.given(), *RULES.parameters()).trades
    hashes = {trades_sha256(trades), trades_sha256(trades[:-1]), trades_sha256(trades[::-1])}
    for name in TRADE.names:
        changed = trades.copy()
        changed[name][0] += 1
        hashes.add(trades_sha256(changed))
    assert len(hashes) == 3 + len(TRADE.names)


@pytest.fixture
def hasty_threads():
    """Threads that give way to each other all the time, so that they meet in plain Python too."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("hasty_threads")
def test_rule_15_the_hash_is_the_same_in_several_threads_at_once():
    tapes = [random_walk(50_000 if JIT else 1_000, seed).tape() for seed in (1, 2)]
    choices = product((2, 6), (False, True))
    rules = [dataclasses.replace(RULES, take_profit=ticks, overlap=overlap) for ticks, overlap in choices]
    jobs = list(product(tapes, rules))

    def work(job):
        tape, parameters = job[0], job[1].parameters()
        return trades_sha256(simulate(tape, STRATEGY.signals(tape), *parameters).trades)

    expected = [trades_hash(*job) for job in jobs]
    with ThreadPoolExecutor(max_workers=8) as pool:
        got = list(pool.map(work, jobs * 4))
    assert got == expected * 4
    assert len(set(got)) == len(jobs)


def test_rule_15_the_hash_is_the_same_for_any_number_of_cores():
    tape = random_walk(2_000).tape()
    expected = trades_hash(tape)
    for cores in (1, 2, 7):
        with Engine(cores):
            assert trades_hash(tape) == expected


@pytest.mark.process
def test_rule_15_the_hash_of_a_saved_tape_is_the_same_in_a_fresh_process_compiled_or_not(tmp_path):
    tape = random_walk(2_000).tape()
    path = save_tape(tape, tmp_path / "tape.npz")
    command = [sys.executable, "-c", HASH_OF_A_FILE, path, *map(repr, (STRATEGY, *RULES.parameters()))]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1" if JIT else "0", "PYTHONHASHSEED": "1"}  # not as here
    got = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
    assert got == trades_hash(tape)


# Rule 16: a longer input must not change the earlier output --------------------------------------------


def closed_before(trades, cut):
    return trades[trades["exit"] < cut].tolist()


@given(markets(), crossovers(), orders(), st.integers(1, 50))
def test_rule_16_holds_for_a_whole_run(market, strategy, rules, cut):
    whole = run(market.tape(), strategy, *rules.parameters(), **TRADES).trades
    got = run(market.tape().cut(cut), strategy, *rules.parameters(), **TRADES).trades.tolist()
    assert got == closed_before(whole, cut)


@given(markets(), crossovers())
def test_rule_16_a_longer_tape_does_not_change_the_earlier_signals(market, strategy):
    tape = market.tape()
    whole = strategy.signals(tape).tolist()
    for cut in range(len(tape)):
        assert strategy.signals(tape.cut(cut)).tolist() == whole[:cut]


@given(markets(), crossovers())
def test_rule_1_the_signals_of_a_segment_are_those_of_the_segment_alone(market, strategy):
    got = strategy.signals(market.tape()).tolist()
    alone = [
        strategy.signals(tape_of(market.prices[start:stop], market.ts[start:stop], start=0)).tolist()
        for start, stop in segments_of(market)
    ]
    assert got == [signal for signals in alone for signal in signals]


# Rule 17: mirror and shift ----------------------------------------------------------------------------


def changed(trades, **columns):
    trades = trades.copy()
    for name, values in columns.items():
        trades[name] = values
    return trades.tolist()


def mirrored(trades):
    return changed(trades, side=-trades["side"], entry_ticks=-trades["entry_ticks"], exit_ticks=-trades["exit_ticks"])


def shifted(trades, ticks):
    return changed(trades, entry_ticks=trades["entry_ticks"] + ticks, exit_ticks=trades["exit_ticks"] + ticks)


@given(markets(), crossovers())
def test_rule_17_negated_prices_mirror_the_signals(market, strategy):
    got = strategy.signals(market.mirrored().tape())
    expected = -strategy.signals(market.tape())
    assert got.tolist() == expected.tolist()


@pytest.mark.parametrize("ticks", [80_000, -80_000, 9 * 10**8])
def test_rule_17_whole_ticks_added_to_all_prices_change_no_bit_of_the_averages(ticks):
    # Slow nears 8 by halves and is there at the 54th print. An average of prices near 80,000 would be there at
    # the 40th, for want of bits, and the rise to 9 would be a crossover.
    prices = [0] * 3 + [8] * 45 + [9]
    strategy = EmaCrossover(fast_period=1, slow_period=3)
    got = strategy.signals(tape_of([price + ticks for price in prices])).tolist()
    assert got == strategy.signals(tape_of(prices)).tolist()


@pytest.mark.parametrize("change", ["mirror", "shift"])
def test_rule_17_holds_on_a_long_tape(change):
    market = random_walk(20_000 if JIT else 2_000)
    other_market = market.mirrored() if change == "mirror" else market.shifted(-54_321)
    whole, other = (run(m.tape(), STRATEGY, *RULES.parameters(), **TRADES) for m in (market, other_market))
    expected = mirrored(whole.trades) if change == "mirror" else shifted(whole.trades, -54_321)
    assert other.trades.tolist() == expected
    assert len(expected) > 50
