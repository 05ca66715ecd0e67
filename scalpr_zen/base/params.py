"""Parameters are declared once, beside the code that uses them, and read everywhere else.

A group of parameters is a frozen keyword-only dataclass whose fields are made by `param`. The scripts,
the command line, the report and the docs all read `declared(group)`; none of them repeats a default.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from numbers import Integral, Real
from typing import Any, ClassVar, Self, get_type_hints

from scalpr_zen.base.errors import ParameterError
from scalpr_zen.base.units import number_text

RENAMED = {
    "control_sims": "random_entry_sims",
    "invert": "reverse",
    "limit_on": "limit_basis",
    "longest_hold": "max_hold",
    "pause": "cooldown",
    "trailing_from": "trail_activation",
}
"""Parameters of versions before 0.3, and their names now."""
_TICKS = re.compile("(0|[1-9][0-9]{0,9})t")
_DISTANCE_LOWS = (0, 1e-9)
"""Allowed lower bounds of a distance: the tick size is not known when a value is checked."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One declared parameter: all that is needed to show, parse and check it."""

    name: str
    default: Any
    kind: type
    sentence: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    file: str = ""
    none: str = "none"
    optional: bool = False
    distance: bool = False

    @property
    def flag(self) -> str:
        """The name on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def unit_text(self) -> str:
        """The unit in words; a distance has two."""
        return "points, or ticks as in 8t" if self.distance else self.unit

    @property
    def range_text(self) -> str:
        """The allowed values in words: `next | signal`, `1 to 1000000`, `>= 0`."""
        if self.choices:
            return " | ".join([*self.choices, f"FILE{self.file}"] if self.file else self.choices)
        if self.low is not None and self.high is not None:
            return f"{number_text(self.low)} to {number_text(self.high)}"
        if self.high is not None:
            return f"<= {number_text(self.high)}"
        return f">= {number_text(self.low)}" if self.low is not None else ""

    def is_file(self, value: str) -> bool:
        """Return whether a value names a file instead of a choice."""
        return bool(self.file) and value.lower().endswith(self.file)

    def checked(self, value: Any) -> Any:
        """Return `value` in its declared type.

        Raises
        ------
        ParameterError
            If the value has another type, is not finite, or lies outside the declared range.
        """
        if value is None and self.optional:
            return None
        value = self._typed(value)
        if self.choices and value not in self.choices and not self.is_file(value):
            own = f" or a {self.file} file of your own" if self.file else ""
            raise ParameterError(f"{self.name} must be one of {', '.join(self.choices)}{own}, was {value!r}", self.name)
        size = int(value[:-1]) if self.distance and isinstance(value, str) else value  # ticks; see _DISTANCE_LOWS
        too_low = self.low is not None and size < self.low
        too_high = self.high is not None and size > self.high
        if too_low or too_high:
            raise ParameterError(f"{self.name} must be {self.range_text}, was {value}", self.name)
        return value

    def parsed(self, text: str) -> Any:
        """Parse a text; the range of the value is not checked.

        Raises
        ------
        ParameterError
            If the text is not a value of this parameter's type.
        """
        if self.optional and text in ("", "none"):
            return None
        if self.kind is bool:
            if text not in ("true", "false"):
                raise ParameterError(f"{self.name} must be true or false, was {text!r}", self.name)
            return text == "true"
        if self.kind is str or (self.distance and _TICKS.fullmatch(text)):
            return text
        try:
            if not re.fullmatch(r"[-+.0-9eE]+", text):  # Python reads 1_0 and digits of other scripts too
                raise ValueError
            return self.kind(text)
        except ValueError:
            raise self._no_number(text) from None

    def _no_number(self, value: Any) -> ParameterError:
        word = "a whole number" if self.kind is int else "a finite number"
        if self.distance:
            word = "points like 2.5 or ticks like 8t"
        hint = f"; write {value:.0f}" if isinstance(value, float) and value.is_integer() else ""
        return ParameterError(f"{self.name} must be {word}, was {value!r}{hint}", self.name)

    def _typed(self, value: Any) -> Any:
        if self.kind in (bool, str):
            if not isinstance(value, self.kind):
                raise ParameterError(f"{self.name} must be a {self.kind.__name__}, was {value!r}", self.name)
            return value
        if self.distance and isinstance(value, str) and _TICKS.fullmatch(value):
            return str(value)
        # A whole number is one by its type, as on the command line: 1.0 and a NumPy bool are none.
        if isinstance(value, bool) or not isinstance(value, Integral if self.kind is int else Real):
            raise self._no_number(value)
        try:
            number = self.kind(value)
        except OverflowError:
            number = math.nan
        if number != value or not -math.inf < number < math.inf:
            raise self._no_number(value)
        return number + 0  # -0.0 becomes 0.0, its equal


def param(
    default: Any,
    sentence: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[str] = (),
    file: str = "",
    none: str = "none",
) -> Any:
    """Declare a field of a parameter group: default, sentence, unit, range, and the meaning of `none` in words.

    `file` is the extension of files that may be given instead of a choice.
    """
    about = {"sentence": sentence, "unit": unit, "low": low, "high": high, "choices": tuple(choices)}
    return field(default=default, metadata={**about, "file": file, "none": none})


def renamed(name: str) -> ParameterError:
    """Return the error for an old name."""
    return ParameterError(f"{name} is called {RENAMED[name]} now", name)


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Base of every parameter group: checks each declared field, then the group's own `check`.

    TITLE is what a form shows above the group; the name of its class where it is empty.
    """

    TITLE: ClassVar[str] = ""

    def __new__(cls, *_: Any, **given: Any) -> Self:
        """Refuse the old name of a parameter, and name the new one."""
        names = cls.__dataclass_fields__
        for name in given:
            if name not in names and RENAMED.get(name) in names:
                raise renamed(name)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for parameter in declared(type(self)):
            value = parameter.checked(getattr(self, parameter.name))
            object.__setattr__(self, parameter.name, value)
        self.check()

    def check(self) -> None:
        """Check rules between parameters; a group with such rules overrides this."""

    def contents(self) -> dict[str, str]:
        """Return the SHA-256 of each file that the group has read, by parameter."""
        return {}


def declared(group: type[Any]) -> tuple[Parameter, ...]:
    """Return the declared parameters of a group in order; none for any other class."""
    kind: Any = group
    return _declared(kind) if issubclass(group, Parameters) else ()


@functools.cache
def _declared(group: Any) -> tuple[Parameter, ...]:
    hints = get_type_hints(group)
    return tuple(_parameter(f.name, f.default, hints[f.name], f.metadata) for f in fields(group) if f.metadata)


def _parameter(name: str, default: Any, hint: Any, about: Mapping[str, Any]) -> Parameter:
    kinds = [kind for kind in getattr(hint, "__args__", (hint,)) if kind is not type(None)]
    if default is MISSING:
        raise TypeError(f"parameter {name} has no default")
    distance = set(kinds) == {float, str}
    if distance and (about["low"] not in _DISTANCE_LOWS or about["high"] is not None or about["unit"] != "points"):
        raise TypeError(f'distance {name} must have unit="points", low=0 or low=1e-9, and no high')
    kind = float if distance else kinds[0]
    return Parameter(name=name, default=default, kind=kind, optional=default is None, distance=distance, **about)
