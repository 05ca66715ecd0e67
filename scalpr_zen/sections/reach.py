"""Distances that no trade can reach, because no contract of the tape has moved so far."""

from __future__ import annotations

from scalpr_zen.base.units import Distance, distance_text, distance_ticks
from scalpr_zen.data.tape import Tape
from scalpr_zen.sections.setup import Setup

_PROFITS = ("take_profit", "take_profit_short", "trail_activation", "trailing_step", "break_even_at")
"""What a price must gain on the entry fill; the others it must lose, of which slippage has lost a part already."""


def out_of_reach(tape: Tape, setup: Setup) -> list[str]:
    """Return a sentence for each distance of the sides that are traded which is beyond every price range of the tape.

    A trade never leaves its segment, so that the range is the widest one of a segment.
    """
    nanos, size, widest = tape.instrument.tick_nanos, tape.instrument.tick_size, tape.widest_range
    slippage, found = setup.execution.slippage_ticks, []
    for name, distance in _distances(setup).items():
        least = distance_ticks(name, distance, nanos) - (0 if name in _PROFITS else slippage)
        if len(tape) and least > widest:
            points = distance_text(f"{widest}t", size)
            found.append(
                f"{name}={distance_text(distance, size)}: no trade can reach it, as prices within one contract of "
                f"this tape span at most {points}"
            )
    return found


def _distances(setup: Setup) -> dict[str, Distance]:
    """Return the distances in force: those of shorts only where they are given, and of a side only where it trades."""
    bracket, sides = setup.bracket, setup.rules.sides
    names = ["trailing_stop", "trail_activation", "trailing_step", "break_even_at"]
    for name in ("stop_loss", "take_profit"):
        own = getattr(bracket, f"{name}_short") is not None
        names = [name] * (sides != "short" or not own) + [f"{name}_short"] * (sides != "long" and own) + names
    return {name: getattr(bracket, name) for name in names if getattr(bracket, name) is not None}
