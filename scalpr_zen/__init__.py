"""Tick-level backtests of scalping strategies on CME Globex futures: every parameter and result visible."""

__version__ = "0.1.0"

from scalpr_zen.backtest import Result, Strategy, run, save
from scalpr_zen.errors import DataError, ParameterError, ScalprError, StrategyError, TapeError
from scalpr_zen.execution import Bracket, Execution, PessimisticCosts
from scalpr_zen.instruments import INSTRUMENTS, Instrument, instrument
from scalpr_zen.kernel import TRADE
from scalpr_zen.monte_carlo import MonteCarlo
from scalpr_zen.params import Distance, Parameters, distance_ticks, param
from scalpr_zen.prop_firm import PropFirm
from scalpr_zen.rules import SessionRules
from scalpr_zen.setup import Setup
from scalpr_zen.strategies import EmaCrossover, MomentumBurst, OpeningRange, OrderFlowImbalance, VwapReversion
from scalpr_zen.tape import Tape, save_tape

__all__ = [
    "INSTRUMENTS",
    "TRADE",
    "Bracket",
    "DataError",
    "Distance",
    "EmaCrossover",
    "Execution",
    "Instrument",
    "MomentumBurst",
    "MonteCarlo",
    "OpeningRange",
    "OrderFlowImbalance",
    "ParameterError",
    "Parameters",
    "PessimisticCosts",
    "PropFirm",
    "Result",
    "ScalprError",
    "SessionRules",
    "Setup",
    "Strategy",
    "StrategyError",
    "Tape",
    "TapeError",
    "VwapReversion",
    "distance_ticks",
    "instrument",
    "param",
    "run",
    "save",
    "save_tape",
]
