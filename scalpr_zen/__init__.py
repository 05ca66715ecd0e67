"""Tick-level backtests of scalping strategies on CME Globex futures: every parameter and result visible."""

__version__ = "0.2.0"

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_HOMES = {
    "backtest": ("Result", "Strategy", "run", "save"),
    "errors": ("DataError", "ParameterError", "ScalprError", "StrategyError", "TapeError"),
    "execution": ("Bracket", "Execution", "PessimisticCosts"),
    "instruments": ("INSTRUMENTS", "Instrument", "instrument"),
    "kernel": ("TRADE",),
    "monte_carlo": ("MonteCarlo",),
    "params": ("Distance", "Parameters", "distance_ticks", "param"),
    "prop_firm": ("PropFirm",),
    "rules": ("SessionRules",),
    "setup": ("Setup",),
    "strategies": ("EmaCrossover", "MomentumBurst", "OpeningRange", "OrderFlowImbalance", "VwapReversion"),
    "tape": ("Tape", "save_tape"),
}
"""The modules of the names above. They are imported when a name is first asked for (PEP 562): the console command and
the scripts must hear Ctrl-C before numba and scipy are read."""


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            value = getattr(importlib.import_module(f"scalpr_zen.{home}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
