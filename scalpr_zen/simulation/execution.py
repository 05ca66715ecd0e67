"""Bracket and Execution: the orders of a trade, how they reach the exchange and fill, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

from scalpr_zen.base.errors import ParameterError
from scalpr_zen.base.instruments import Instrument
from scalpr_zen.base.params import Parameters, param
from scalpr_zen.base.units import MILLISECOND, Distance, distance_ticks, whole_ns

ENTRIES = ("next", "signal")
TARGET_FILLS = ("touch", "through", "queue")
STOP_FILLS = ("trigger", "level", "next")
ROLL_EXITS = ("void", "close")


class Distances(NamedTuple):
    """Take profit and stop loss in ticks from the entry fill."""

    take_profit: int
    stop_loss: int


@dataclass(frozen=True, kw_only=True)
class Bracket(Parameters):
    """Take profit and stop loss of every entry, and how the stop moves."""

    take_profit: Distance = param(10.0, "Distance of the take profit from the entry fill.", unit="points", low=1e-9)
    stop_loss: Distance = param(5.0, "Distance of the stop loss from the entry fill.", unit="points", low=1e-9)
    take_profit_short: Distance | None = param(
        None, "Take profit of short trades; none: same as long.", unit="points", low=1e-9
    )
    stop_loss_short: Distance | None = param(
        None, "Stop loss of short trades; none: same as long.", unit="points", low=1e-9
    )
    trailing_stop: Distance | None = param(
        None, "Distance at which the stop follows the best price since the entry.", unit="points", low=1e-9
    )
    trail_activation: Distance = param(0.0, "Profit from which the stop trails.", unit="points", low=0)
    trailing_step: Distance | None = param(
        None, "Step in which the trailing stop moves; none: one tick.", unit="points", low=1e-9
    )
    break_even_at: Distance | None = param(
        None, "Profit at which the stop moves to break-even.", unit="points", low=1e-9
    )
    break_even_plus: int = param(
        0, "Ticks beyond the entry fill at which break-even lies.", unit="ticks", low=0, high=1_000_000
    )

    def check(self) -> None:
        """Refuse settings of a moving stop where the stop does not move."""
        activated = self.trail_activation not in (0, "0t") or self.trailing_step is not None
        if self.trailing_stop is None and activated:
            raise ParameterError(
                "trail_activation and trailing_step need trailing_stop, which was none",
                "trail_activation",
                "trailing_step",
                "trailing_stop",
            )
        if self.break_even_at is None and self.break_even_plus:
            raise ParameterError(
                "break_even_plus needs break_even_at, which was none", "break_even_plus", "break_even_at"
            )

    @property
    def stop_moves(self) -> bool:
        """Whether the stop trails or moves to break-even."""
        return self.trailing_stop is not None or self.break_even_at is not None

    def distances(self, instrument: Instrument, side: int) -> Distances:
        """Return the distances of a side in ticks; ParameterError if one is not a whole number of ticks."""
        nanos, take_profit, stop_loss = instrument.tick_nanos, self.take_profit, self.stop_loss
        names = ("take_profit", "stop_loss")
        if side < 0:
            names = ("take_profit_short", "stop_loss_short")
            take_profit = take_profit if self.take_profit_short is None else self.take_profit_short
            stop_loss = stop_loss if self.stop_loss_short is None else self.stop_loss_short
        return Distances(distance_ticks(names[0], take_profit, nanos), distance_ticks(names[1], stop_loss, nanos))

    def moves(self, instrument: Instrument) -> dict[str, int]:
        """Return the settings of the moving stop in ticks; those that are none are left out.

        Raises
        ------
        ParameterError
            If a distance is not a whole number of ticks, or break_even_plus is not below break_even_at.
        """
        names = ("trailing_stop", "trail_activation", "trailing_step", "break_even_at")
        given = {name: getattr(self, name) for name in names}
        ticks = {
            name: distance_ticks(name, distance, instrument.tick_nanos)
            for name, distance in given.items()
            if distance is not None
        }
        if self.break_even_plus >= ticks.get("break_even_at", self.break_even_plus + 1):
            raise ParameterError(
                f"break_even_plus must be below break_even_at, was {self.break_even_plus} ticks "
                f"with {ticks['break_even_at']} ticks",
                "break_even_plus",
                "break_even_at",
            )
        return ticks | {"break_even_plus": self.break_even_plus}


@dataclass(frozen=True, kw_only=True)
class Execution(Parameters):
    """How orders reach the exchange, how they fill, and what they cost."""

    entry: str = param("next", "Where the entry fills: the next event, or the signal's own print.", choices=ENTRIES)
    latency_ms: float = param(0.0, "Time from a signal to the exchange.", unit="ms", low=0, high=60_000)
    slippage_ticks: int = param(0, "Slippage of every market and stop fill.", unit="ticks", low=0, high=1_000)
    commission: float = param(0.0, "Commission and fees.", unit="USD per contract and side", low=0, high=1_000)
    target_fill: str = param(
        "touch",
        "What fills the take profit: its price, a print beyond it, or its turn in the queue.",
        choices=TARGET_FILLS,
    )
    queue_ahead: int = param(
        20, "Contracts ahead of a take profit that waits in a queue.", unit="contracts", low=0, high=1_000_000
    )
    stop_fill: str = param(
        "trigger", "Where a stop fills: triggering print, stop price, next event.", choices=STOP_FILLS
    )
    roll_exit: str = param(
        "void", "What happens to a trade open at a roll: void, or closed at the last print.", choices=ROLL_EXITS
    )
    contracts: int = param(1, "Contracts of each trade.", unit="contracts", low=1, high=10_000)
    point_value: float | None = param(
        None,
        "USD of one point; none: the contract's own.",
        unit="USD",
        low=1e-6,
        high=1_000_000,
        none="the contract's",
    )
    overlap: bool = param(False, "Trade every signal on its own, for studying signals.")

    def check(self) -> None:
        """Refuse a latency that is not a whole number of nanoseconds."""
        whole_ns("latency_ms", self.latency_ms, MILLISECOND)

    @property
    def latency_ns(self) -> int:
        """The latency in ns."""
        return whole_ns("latency_ms", self.latency_ms, MILLISECOND)

    @property
    def cost_usd(self) -> float:
        """The commission in USD of a round turn of all contracts."""
        return 2 * self.commission * self.contracts

    def tick_value(self, instrument: Instrument) -> float:
        """Return the value in USD of one tick of one contract."""
        if self.point_value is None:
            return instrument.tick_value
        return replace(instrument, point_value=self.point_value).tick_value


@dataclass(frozen=True, kw_only=True)
class PessimisticCosts(Parameters):
    """The pessimistic costs of the fill table; never below those of the run."""

    TITLE: ClassVar[str] = "Pessimistic costs"

    pessimistic_commission: float = param(
        2.5, "Commission of the pessimistic costs.", unit="USD per contract and side", low=0, high=1_000
    )
    pessimistic_slippage_ticks: int = param(1, "Slippage of the pessimistic costs.", unit="ticks", low=0, high=1_000)

    def of(self, execution: Execution) -> Execution:
        """Return an execution with these costs, or with its own where they are higher."""
        return replace(
            execution,
            commission=max(execution.commission, self.pessimistic_commission),
            slippage_ticks=max(execution.slippage_ticks, self.pessimistic_slippage_ticks),
        )
