"""Tick-level backtests of scalping strategies on CME Globex futures: every parameter and result visible."""

__version__ = "0.3.0"

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scalpr_zen.base.errors import DataError, ParameterError, ScalprError, StrategyError, TapeError
    from scalpr_zen.base.instruments import INSTRUMENTS, Instrument, instrument
    from scalpr_zen.base.params import Parameters, param
    from scalpr_zen.base.units import Distance, distance_ticks
    from scalpr_zen.data.tape import Tape, save_tape
    from scalpr_zen.runs.backtest import Strategy, run
    from scalpr_zen.runs.result import Result
    from scalpr_zen.runs.save import save
    from scalpr_zen.sections.monte_carlo import MonteCarlo
    from scalpr_zen.sections.prop_firm import PropFirm
    from scalpr_zen.sections.setup import Setup
    from scalpr_zen.simulation.execution import Bracket, Execution, PessimisticCosts
    from scalpr_zen.simulation.kernel import TRADE
    from scalpr_zen.simulation.rules import SessionRules
    from scalpr_zen.strategies import EmaCrossover, MomentumBurst, OpeningRange, OrderFlowImbalance, VwapReversion

_HOMES = {
    "runs.backtest": ("Strategy", "run"),
    "runs.result": ("Result",),
    "runs.save": ("save",),
    "base.errors": ("DataError", "ParameterError", "ScalprError", "StrategyError", "TapeError"),
    "simulation.execution": ("Bracket", "Execution", "PessimisticCosts"),
    "base.instruments": ("INSTRUMENTS", "Instrument", "instrument"),
    "simulation.kernel": ("TRADE",),
    "sections.monte_carlo": ("MonteCarlo",),
    "base.params": ("Parameters", "param"),
    "base.units": ("Distance", "distance_ticks"),
    "sections.prop_firm": ("PropFirm",),
    "simulation.rules": ("SessionRules",),
    "sections.setup": ("Setup",),
    "strategies": ("EmaCrossover", "MomentumBurst", "OpeningRange", "OrderFlowImbalance", "VwapReversion"),
    "data.tape": ("Tape", "save_tape"),
}
"""The modules of the names above. They are imported when a name is first asked for (PEP 562): the console command and
the scripts must hear Ctrl-C before numba and scipy are read."""
__all__ = sorted(name for names in _HOMES.values() for name in names)


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            value = getattr(importlib.import_module(f"scalpr_zen.{home}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
