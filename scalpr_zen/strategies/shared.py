"""What strategies share: the parts of a tape in which they begin anew, and decimals as whole numbers."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from scalpr_zen.base.errors import ParameterError
from scalpr_zen.data.tape import Array, Tape


def session_parts(tape: Tape) -> tuple[Array, Array]:
    """Return the print ranges `start[k]:stop[k]` in which neither session nor segment changes.

    Returns
    -------
    start, stop : arrays of int64, shape (parts,)
        The parts cover the tape in order; a roll inside a session makes two parts of it.
    """
    start = np.union1d(tape.segments["start"], tape.sessions["start"])
    stop = np.union1d(tape.segments["stop"], tape.sessions["stop"])
    return start, stop


def scaled(name: str, value: float, decimals: int) -> int:
    """Return a parameter as the whole number `value * 10**decimals`, so that it is compared exactly.

    Raises
    ------
    ParameterError
        If the value has more decimals.
    """
    whole = Decimal(str(value)).scaleb(decimals)
    if whole != whole.to_integral_value():
        raise ParameterError(f"{name} must have at most {decimals} decimals, was {value}")
    return int(whole)
