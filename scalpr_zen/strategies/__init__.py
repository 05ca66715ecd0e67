"""Strategies: each one file with its parameters, its `signals(tape)` and its kernel.

A strategy is any object with `signals(tape) -> int8[n]`, called once. The simulator never calls back.
"""

from scalpr_zen.strategies.ema_crossover import EmaCrossover

__all__ = ["EmaCrossover"]
