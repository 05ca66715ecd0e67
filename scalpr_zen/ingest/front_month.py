"""Which contract is the front month of a session date, and where it rolls."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from scalpr_zen.errors import DataError, ParameterError
from scalpr_zen.ingest.expiry import business_days_before, earliest_month, expiry
from scalpr_zen.instruments import MONTHS, Instrument

ROLLS = ("volume", "calendar", "schedule")
SPREAD, OTHER_ROOT = "spread", "other_root"


@dataclass(frozen=True, order=True)
class Contract:
    """An outright: its delivery month and its symbol, in order of expiry.

    A continuous symbol of the vendor (`NQ.v.0`) names no delivery month; its contracts have year 0 and
    the vendor's instrument id in their symbol.
    """

    year: int
    month: int
    symbol: str

    @property
    def continuous(self) -> bool:
        """Whether the vendor's own mapping decided this contract."""
        return self.year == 0


def classify(symbol: str, instrument_id: int, root: str, on: date) -> Contract | str:
    """Return the outright that a symbol means, or why it is none: SPREAD or OTHER_ROOT.

    Parameters
    ----------
    symbol : str
        Raw (`NQZ4`, `NQZ4-NQH5`, `GC:BF Z4-G5-J5`) or continuous (`NQ.v.0`).
    instrument_id : int
        Tells the contracts of a continuous symbol apart.
    root : str
    on : date
        A date on which the symbol had this meaning: it decides the decade of a one-digit year.
    """
    if match := re.fullmatch(rf"{re.escape(root)}([{MONTHS}])(\d{{1,2}})", symbol):
        month = MONTHS.index(match[1]) + 1
        digits = match[2]
        year = on.year if on.month <= month else on.year + 1
        while not str(year).endswith(digits):
            year += 1
        return Contract(year, month, symbol)
    if re.fullmatch(rf"{re.escape(root)}\.[A-Za-z]\.0", symbol):
        return Contract(0, 0, f"{symbol}#{instrument_id}")
    if re.match(rf"{re.escape(root)}([{MONTHS}]\d{{1,2}}\W|[:.\s])", symbol):
        return SPREAD
    return OTHER_ROOT


def root_of(symbol: str) -> str:
    """Return the likely root of a symbol, to tell a user which roots his files hold."""
    match = re.match(rf"([A-Z0-9]{{1,3}}?)([{MONTHS}]\d{{1,2}}\b|\.)", symbol)
    return match[1] if match else symbol.split(":")[0].split(" ")[0]


@dataclass(frozen=True, kw_only=True)
class Roll:
    """How the front month is chosen.

    Attributes
    ----------
    rule : str
        One of ROLLS.
    days : int
        `calendar`: the session date of the roll is this many business days before expiry.
    schedule : sequence of (contract symbol, first session date)
        `schedule`: the explicit list.
    """

    rule: str = "volume"
    days: int = 4
    schedule: tuple[tuple[str, date], ...] = ()

    def __post_init__(self) -> None:
        if self.rule not in ROLLS:
            raise ParameterError(f"roll must be one of {', '.join(ROLLS)}, was {self.rule!r}")
        if not 1 <= self.days <= 60:
            raise ParameterError(f"roll_days must be 1 to 60, was {self.days}")
        if (self.rule == "schedule") != bool(self.schedule):
            raise ParameterError(
                'roll schedule needs a schedule like "NQZ4 2024-09-16, NQH5 2024-12-16", and only it does'
            )

    @property
    def text(self) -> str:
        """The rule in one line, as the tape and the report tell it."""
        if self.rule == "calendar":
            return f"calendar: {self.days} business days before expiry"
        if self.rule == "schedule":
            return "schedule: " + ", ".join(f"{symbol} {day}" for symbol, day in self.schedule)
        return "volume: highest volume of the previous session date, never back to an earlier expiry"


def parse_schedule(text: str) -> tuple[tuple[str, date], ...]:
    """Parse `NQZ4 2024-09-16, NQH5 2024-12-16`, or a file with one `contract date` a line.

    Raises
    ------
    ParameterError
        If an entry is no contract and ISO date, or the dates do not increase.
    """
    text = _file_text(text)
    entries = [entry.split() for entry in re.split(r"[,\n]", text) if entry.strip()]
    try:
        schedule = tuple((symbol, date.fromisoformat(day)) for symbol, day in entries)
    except ValueError:
        raise ParameterError(f'schedule must be like "NQZ4 2024-09-16, NQH5 2024-12-16", was {text!r}') from None
    days = [day for _, day in schedule]
    if sorted(set(days)) != days:
        raise ParameterError(f"the dates of the schedule must increase, were {', '.join(map(str, days))}")
    return schedule


def _file_text(text: str) -> str:
    """Return the content of a file where `text` names one."""
    try:
        return Path(text).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ParameterError(f"schedule file {text} must be text, one contract and date a line") from None
    except OSError:
        return text


Volumes = Mapping[date, Mapping[Contract, int]]


def front_months(volumes: Volumes, roll: Roll, instrument: Instrument) -> dict[date, Contract]:
    """Return the front month of each session date.

    Parameters
    ----------
    volumes : mapping of session date to mapping of contract to contracts traded
        In order of date; every date has at least one contract.
    roll : Roll
    instrument : Instrument
        Roll months and expiry rule, for the calendar roll.

    Returns
    -------
    dict of session date to Contract
        Session dates before the first entry of a schedule are missing.

    Raises
    ------
    DataError
        If a calendar or a schedule asks for a contract that the files do not hold.
    """
    if roll.rule == "schedule":
        return _by_schedule(volumes, roll)
    if roll.rule == "calendar":
        return _by_calendar(volumes, roll, instrument)
    return _by_volume(volumes)


def _by_volume(volumes: Volumes) -> dict[date, Contract]:
    fronts: dict[date, Contract] = {}
    front: Contract | None = None
    known: Mapping[Contract, int] = {}
    for day, volume in volumes.items():
        alive = [c for c in known if (front is None or c >= front) and not _expired(c, day)]
        if not alive and (front is None or _expired(front, day)):
            # The first session date, or one after a gap in the files, knows only itself.
            alive, known = [c for c in volume if front is None or c >= front], volume
        if alive:
            front = max(sorted(alive), key=known.__getitem__)
        assert front is not None  # every date has a contract
        fronts[day] = front
        known = volume
    return fronts


def _expired(contract: Contract, day: date) -> bool:
    return (contract.year, contract.month) < (day.year, day.month)


def _by_calendar(volumes: Volumes, roll: Roll, instrument: Instrument) -> dict[date, Contract]:
    if not instrument.expiry_rule:
        raise ParameterError(f"roll calendar needs an expiry rule, {instrument.root} has none: use volume or schedule")
    contracts = _held(volumes)
    fronts = {}
    for day in volumes:
        year, month = _calendar_month(day, roll.days, instrument)
        front = next((c for c in contracts if (c.year, c.month) == (year, month)), None)
        if front is None:
            held = ", ".join(c.symbol for c in contracts)
            raise DataError(
                f"roll calendar needs {instrument.root}{MONTHS[month - 1]}{year} on {day}, the files hold {held}"
            )
        fronts[day] = front
    return fronts


def _calendar_month(day: date, days: int, instrument: Instrument) -> tuple[int, int]:
    """Return the first roll month whose roll date lies after `day`."""
    first = earliest_month(instrument.expiry_rule, day)
    year, month = first.year, first.month
    while True:
        if MONTHS[month - 1] in instrument.roll_months:
            last = expiry(instrument.expiry_rule, year, month)
            if day < business_days_before(last, days):
                return year, month
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def _by_schedule(volumes: Volumes, roll: Roll) -> dict[date, Contract]:
    contracts = {c.symbol: c for c in _held(volumes)}
    for symbol, _ in roll.schedule:
        if symbol not in contracts:
            raise DataError(f"the schedule names {symbol}, the files hold {', '.join(contracts)}")
    fronts = {}
    for day in volumes:
        past = [symbol for symbol, first in roll.schedule if first <= day]
        if past:
            fronts[day] = contracts[past[-1]]
    return fronts


def _held(volumes: Volumes) -> Sequence[Contract]:
    return sorted({contract for volume in volumes.values() for contract in volume})
