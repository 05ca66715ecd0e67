"""Trades and counts of a few prints with signals by print index."""

from decimal import Decimal

import numpy as np

from scalpr_zen import Bracket, Execution, MonteCarlo, instrument, run
from scalpr_zen.simulation.kernel import REASONS
from scalpr_zen.simulation.simulate import simulate
from support.tapes import NOON, Given, signals_of, tape_of

LONG, SHORT = 1, -1
SESSION_END = 5 * 3600 * 10**9  # 17:00 in Chicago, in ns after noon
REFUSED = ("other_side", "outside", "session_over", "in_cooldown")  # by rules that are off
NO_PATHS = MonteCarlo(monte_carlo_sims=0)


def rules(root="NQ", take_profit=4, stop_loss=2, latency_ns=0, **execution):
    """Bracket and execution from distances in ticks and a latency in ns."""
    tick = Decimal(str(instrument(root).tick_size))
    bracket = Bracket(take_profit=float(take_profit * tick), stop_loss=float(stop_loss * tick))
    return bracket, Execution(latency_ms=latency_ns / 1e6, **execution)


def traded(prices, sides, ts=None, contract=None, root="NQ", start=NOON, **execution):
    """Simulate a few prints with signals by print index."""
    tape = tape_of(prices, ts, contract, root=root, start=start)
    return simulate(tape, signals_of(tape, sides), *rules(root, **execution))


def ran(prices, sides, ts=None, contract=None, **execution):
    """Run a few prints with signals by print index."""
    tape = tape_of(prices, ts, contract)
    return run(tape, Given(signals_of(tape, sides)), *rules(**execution), settings=NO_PATHS)


def fills(*args, **execution):
    """(entry print, entry price, exit print, exit price, reason) of the closed trades, then of the others."""
    simulation = traded(*args, **execution)
    return rows(simulation.trades) + rows(simulation.unclosed)


def rows(trades):
    names = ["entry", "entry_ticks", "exit", "exit_ticks", "reason"]
    return [(*row[:4], REASONS[row[4]]) for row in trades[names].tolist()]


def excursions(*args, **execution):
    """(MAE, MFE) in ticks of the one trade."""
    simulation = traded(*args, **execution)
    (row,) = np.r_[simulation.trades, simulation.unclosed][["mae_ticks", "mfe_ticks"]].tolist()
    return row


def counts(*args, **execution):
    """What became of the signals, zeros left out."""
    return {key: n for key, n in traded(*args, **execution).counts.items() if n}
