"""The table of CME futures: tick size, point value, exchange, roll months, rule of the last trading day.

The table is `facts/instruments.csv`. Prices are in the unit in which Databento's GLBX.MDP3 quotes them: index points,
USD a barrel, cents a bushel or a pound, USD a unit of foreign currency, decimal points of par.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from scalpr_zen.base import facts
from scalpr_zen.base.errors import ParameterError

MONTHS = "FGHJKMNQUVXZ"
EXCHANGES = ("CME", "CBOT", "NYMEX", "COMEX")
CALENDARS = tuple(facts.CALENDARS)
_LINE = "ROOT TICK_SIZE POINT_VALUE [EXCHANGE [ROLL_MONTHS [CALENDAR]]]"
_EXAMPLE = "NKD 5 5 CME HMUZ"


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """The facts about a futures contract that a backtest needs.

    Parameters
    ----------
    root : str
        Globex root, e.g. ``NQ``.
    name : str
        Its usual name.
    exchange : str
        ``CME``, ``CBOT``, ``NYMEX``, ``COMEX``, or empty when unknown.
    tick_size : float
        Smallest price step of an outright trade, in quoted price.
    point_value : float
        USD of a move of 1.00 in quoted price, one contract.
    roll_months : str
        Letters of the actively traded delivery months, in calendar order; the calendar roll uses them.
    expiry_rule : str
        Name of a rule in `scalpr_zen.data.expiry`; empty if there is none.
    calendar : str
        Calendar of its trading hours, one of `CALENDARS`.

    Raises
    ------
    ParameterError
        If a value breaks its rule; the message names the value and the rule.
    """

    root: str
    name: str = ""
    exchange: str = ""
    tick_size: float
    point_value: float
    roll_months: str = "HMUZ"
    expiry_rule: str = ""
    calendar: str = "equity"

    def __post_init__(self) -> None:
        if not (self.root.isascii() and self.root.isalnum()):
            raise ParameterError(f"root must be letters and digits, e.g. NQ; was {self.root!r}")
        for field in ("tick_size", "point_value"):
            value = getattr(self, field)
            if not (math.isfinite(value) and value > 0):
                raise ParameterError(f"{field} of {self.root} must be finite and above 0; was {value!r}")
        if self.exchange and self.exchange not in EXCHANGES:
            raise ParameterError(
                f"exchange of {self.root} must be empty or one of {' '.join(EXCHANGES)}; was {self.exchange!r}"
            )
        in_order = "".join(month for month in MONTHS if month in self.roll_months)
        if not self.roll_months or self.roll_months != in_order:
            raise ParameterError(
                f"roll_months of {self.root} must be letters of {MONTHS}, each once and in that order, "
                f"e.g. HMUZ; was {self.roll_months!r}"
            )
        if self.calendar not in CALENDARS:
            raise ParameterError(f"calendar of {self.root} must be one of {' '.join(CALENDARS)}; was {self.calendar!r}")
        _ = self.tick_nanos

    @property
    def tick_nanos(self) -> int:
        """Tick size in units of 1e-9 of quoted price, the unit of DBN prices; exact.

        Raises
        ------
        ParameterError
            If the tick size is not a whole number of these units.
        """
        nanos = Decimal(str(self.tick_size)).scaleb(9)
        if nanos != nanos.to_integral_value():
            raise ParameterError(
                f"tick_size of {self.root} must be a whole multiple of 0.000000001, the step of a DBN price; "
                f"was {self.tick_size!r}"
            )
        return int(nanos)

    @property
    def tick_value(self) -> float:
        """USD of one tick of one contract."""
        # In floats a tick of 0.1 at 3 USD a point would be 0.30000000000000004 USD.
        return float(Decimal(str(self.tick_size)) * Decimal(str(self.point_value)))


def _instrument(row: dict[str, str]) -> Instrument:
    words = {name: row[name] for name in ("root", "name", "exchange", "roll_months", "expiry_rule", "calendar")}
    return Instrument(**words, tick_size=float(row["tick_size"]), point_value=float(row["point_value"]))


_ROWS = facts.instruments()
INSTRUMENTS: dict[str, Instrument] = {row["root"]: _instrument(row) for row in _ROWS}
FULL_SIZE = {micro: row["root"] for row in _ROWS for micro in row["micros"].split()}
"""The full-size contract for each micro contract, on the same underlying."""


def is_micro(root: str, point_value: float) -> bool:
    """Return whether a contract is a micro: at most a tenth of the full-size contract on its underlying.

    The point value decides, not the name: NQ at 2 USD a point is a micro, MNQ at 20 is not. A contract whose
    full-size contract is not in the table counts as full-size.
    """
    full = INSTRUMENTS.get(FULL_SIZE.get(root, root))
    return full is not None and 10 * point_value <= full.point_value


def instrument(root: str) -> Instrument:
    """Return the contract of a root in `INSTRUMENTS`.

    Raises
    ------
    ParameterError
        If the table has no such root; the message lists the roots.
    """
    if root not in INSTRUMENTS:
        raise ParameterError(
            f"instrument must be one of {' '.join(INSTRUMENTS)}; was {root!r}. "
            f"For another contract give the line '{_LINE}', e.g. '{_EXAMPLE}'"
        )
    return INSTRUMENTS[root]


def parse_instrument(text: str) -> Instrument:
    """Parse the line of a contract that is not in the table.

    Parameters
    ----------
    text : str
        ``ROOT TICK_SIZE POINT_VALUE [EXCHANGE [ROLL_MONTHS [CALENDAR]]]``, e.g. ``NKD 5 5 CME HMUZ``. The tick
        size is in quoted price, the point value in USD of a move of 1.00 in quoted price.

    Returns
    -------
    Instrument
        Without a name and without an expiry rule.

    Raises
    ------
    ParameterError
        If the line has too few or too many words, or a word breaks the rule of its field.
    """
    words = text.split()
    if not 3 <= len(words) <= 6:
        raise ParameterError(f"instrument must be the line '{_LINE}', e.g. '{_EXAMPLE}'; was {text!r}")
    root, tick_size, point_value, *rest = words
    return Instrument(
        root=root,
        tick_size=_number("TICK_SIZE", tick_size, text),
        point_value=_number("POINT_VALUE", point_value, text),
        exchange=rest[0] if rest else "",
        roll_months=rest[1] if len(rest) > 1 else "HMUZ",
        calendar=rest[2] if len(rest) > 2 else CALENDARS[0],
    )


def _number(word: str, value: str, text: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ParameterError(
            f"{word} of instrument {text!r} must be a decimal number, e.g. 0.015625 for 1/64; was {value!r}"
        ) from None
