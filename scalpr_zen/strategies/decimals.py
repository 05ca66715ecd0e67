"""Parameters with decimals as whole numbers, which compare exactly."""

from __future__ import annotations

from decimal import Decimal

from scalpr_zen.base.errors import ParameterError


def scaled(name: str, value: float, decimals: int) -> int:
    """Return the whole number `value * 10**decimals`.

    Raises
    ------
    ParameterError
        If the value has more decimals.
    """
    whole = Decimal(str(value)).scaleb(decimals)
    if whole != whole.to_integral_value():
        raise ParameterError(f"{name} must have at most {decimals} decimals, was {value}", name)
    return int(whole)
