"""Strategies, one file each: parameters, `signals(tape)` and kernel.

A strategy is any object with `signals(tape) -> int8[n]`, called once. The simulator never calls back.
"""

from scalpr_zen.strategies.ema_crossover import EmaCrossover
from scalpr_zen.strategies.momentum_burst import MomentumBurst
from scalpr_zen.strategies.opening_range import OpeningRange
from scalpr_zen.strategies.order_flow_imbalance import OrderFlowImbalance
from scalpr_zen.strategies.vwap_reversion import VwapReversion

__all__ = ["EmaCrossover", "MomentumBurst", "OpeningRange", "OrderFlowImbalance", "VwapReversion"]
