"""Which contract is the front month of a session date, and where it rolls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from statistics import median

from scalpr_zen.base.errors import DataError, ParameterError
from scalpr_zen.base.instruments import MONTHS, Instrument
from scalpr_zen.data.expiry import business_days_before, earliest_month, expiry, last_trading_day

ROLLS = ("volume", "calendar", "schedule")
SPREAD, OTHER_ROOT = "spread", "other_root"
USUAL_DATES, USUAL_SHARE = 20, 0.25
"""A session date can decide a roll if its volume is at least USUAL_SHARE of the median of the USUAL_DATES session dates
before it. A quarter includes half days of index futures (about 0.3), but not holidays (about 0.1) or one-hour stubs."""


@dataclass(frozen=True, order=True)
class Contract:
    """An outright of the root: its delivery month, in order of expiry.

    Attributes
    ----------
    year, month : int
        Delivery month, the year in four digits. They alone identify the contract: a symbol with a one-digit year
        means another contract each decade, and a far contract changes from two digits to one.
    symbol : str
        The vendor's name; see `named`.
    mapped : str
        `NQ.v.0#42` for a continuous symbol, which has no delivery month: year and month are 0.
    """

    year: int
    month: int
    symbol: str = field(compare=False)
    mapped: str = ""

    @property
    def continuous(self) -> bool:
        """Whether the vendor's mapping chose this contract."""
        return self.year == 0


def named(contracts: Iterable[Contract], root: str) -> list[Contract]:
    """Return the distinct contracts in order of expiry, each with a unique name.

    The name is the vendor's symbol, the shortest if there are several. If one symbol means two contracts, as `NQZ4`
    does in files of ten years, both names have a four-digit year: `NQZ2014` and `NQZ2024`.
    """
    symbols: dict[Contract, str] = {}
    for contract in sorted(contracts, key=lambda c: (len(c.symbol), c.symbol)):
        symbols.setdefault(contract, contract.symbol)
    held = list(symbols.values())
    return [
        replace(contract, symbol=symbol if held.count(symbol) == 1 else full_name(contract, root))
        for contract, symbol in sorted(symbols.items())
    ]


def full_name(contract: Contract, root: str) -> str:
    """Return the name of an outright with its four-digit year, `NQZ2024`."""
    return f"{root}{MONTHS[contract.month - 1]}{contract.year}"


def classify(symbol: str, instrument_id: int, root: str, on: date, rule: str = "") -> Contract | str:
    """Return the outright that a symbol means, or why it is not one: SPREAD or OTHER_ROOT.

    Parameters
    ----------
    symbol : str
        Raw (`NQZ4`, `NQZ4-NQH5`, `GC:BF Z4-G5-J5`) or continuous (`NQ.v.0`).
    instrument_id : int
        Distinguishes the contracts of a continuous symbol.
    root : str
    on : date
        A date on which the symbol was in use: it decides the decade of a one-digit year.
    rule : str, optional
        Expiry rule, for contracts that trade beyond the month in their name.
    """
    if match := re.fullmatch(rf"{re.escape(root)}([{MONTHS}])(\d{{1,2}})", symbol):
        month = MONTHS.index(match[1]) + 1
        digits = match[2]
        year = on.year - 1
        while not (str(year).endswith(digits) and _may_trade(year, month, on, rule)):
            year += 1
        return Contract(year, month, symbol)
    if re.fullmatch(rf"{re.escape(root)}\.[A-Za-z]\.0", symbol):
        name = f"{symbol}#{instrument_id}"
        return Contract(0, 0, name, name)
    if re.match(rf"{re.escape(root)}([{MONTHS}]\d{{1,2}}\W|[:.\s])", symbol):
        return SPREAD
    return OTHER_ROOT


def _may_trade(year: int, month: int, on: date, rule: str) -> bool:
    return (year, month) >= (on.year, on.month) or on <= last_trading_day(rule, year, month)


def root_of(symbol: str) -> str:
    """Return the likely root of a symbol, for an error message."""
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
        """The rule in one line, for the tape and the report."""
        if self.rule == "calendar":
            return f"calendar: {self.days} business days before expiry"
        if self.rule == "schedule":
            return "schedule: " + ", ".join(f"{symbol} {day}" for symbol, day in self.schedule)
        return "volume: highest volume of the last session date of usual volume, never back to an earlier expiry"


def parse_schedule(text: str) -> tuple[tuple[str, date], ...]:
    """Parse `NQZ4 2024-09-16, NQH5 2024-12-16`, or a file with one `contract date` a line.

    Raises
    ------
    ParameterError
        If an entry is not a contract and an ISO date, or the dates do not increase.
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
    """Return the content of the file that `text` names, or `text` if there is none."""
    try:
        return Path(text).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ParameterError(f"schedule file {text} must be text, one contract and date a line") from None
    except OSError:
        return text


Volumes = Mapping[date, Mapping[Contract, int]]


@dataclass(frozen=True)
class Front:
    """The front month of a session date, and how it was chosen.

    Attributes
    ----------
    contract : Contract
    known : date
        The session date whose volumes decided; the date itself if it had only its own. For a calendar or a schedule,
        which use no volumes, the session date before.
    instead_of : Contract, optional
        The front month by the rule, if that did not trade on the session date.
    """

    contract: Contract
    known: date
    instead_of: Contract | None = None


def front_months(volumes: Volumes, roll: Roll, instrument: Instrument) -> dict[date, Front]:
    """Return the front month of each session date.

    Parameters
    ----------
    volumes : mapping of session date to mapping of contract to contracts traded
        In order of date; every date has at least one contract.
    roll : Roll
    instrument : Instrument
        Root, roll months and expiry rule.

    Returns
    -------
    dict of session date to Front
        Session dates before the first entry of a schedule are missing. If the contract did not trade on its date, the
        date has no print on the tape: a calendar or a schedule chose it, or, by volume, only earlier expiries traded.

    Raises
    ------
    DataError
        If a calendar or a schedule needs a contract that is not in the files.
    """
    if roll.rule == "volume":
        by_volume = ByVolume(instrument)
        for day, volume in volumes.items():
            by_volume.front(day, volume)
        return by_volume.chosen
    rule = _by_schedule if roll.rule == "schedule" else _by_calendar
    chosen = rule(volumes, roll, instrument)
    days = list(volumes)
    before = dict(zip(days, [days[0], *days], strict=False))
    return {day: Front(contract, before[day]) for day, contract in chosen.items()}


class ByVolume:
    """Chooses the front months by volume, session date by session date.

    The last session date of usual volume decides. Where its choice did not trade, the best later contract is taken for
    that date alone: if that is the new front month, its volume decides the next date.
    """

    def __init__(self, instrument: Instrument) -> None:
        self.chosen: dict[date, Front] = {}
        self._instrument = instrument
        self._volumes: dict[date, Mapping[Contract, int]] = {}
        self._totals: list[int] = []
        self._usual: date | None = None  # the last session date of usual volume
        self._front: Contract | None = None
        self._alone: date | None = None  # the date whose own volume chose the front, until another date's has

    def front(self, day: date, volume: Mapping[Contract, int]) -> Front:
        """Return the front month of the next session date, from its volumes and those of the dates before it."""
        self._volumes[day] = volume
        chosen, loose = _choice(self._volumes, day, self._usual, self._front, self._alone, self._instrument)
        if chosen.known == day:
            self._alone = day
        elif loose or chosen.contract != self._front:
            self._alone = None
        self._front = chosen.contract
        total = sum(volume.values())
        if not self._totals or total >= USUAL_SHARE * median(self._totals[-USUAL_DATES:]):
            self._usual = day
        self._totals.append(total)
        self.chosen[day] = _traded(chosen, day, volume)
        return self.chosen[day]


def _choice(
    volumes: Volumes, day: date, known: date | None, front: Contract | None, alone: date | None, instrument: Instrument
) -> tuple[Front, bool]:
    """Return the front month of a session date, and whether an earlier expiry than `front` was allowed.

    It is allowed if one date's own volume chose `front` and turns out to be a small share of the usual volume: the
    choice of a holiday at the beginning of the files binds no later date.
    """
    volume, traded = volumes[day], volumes[known] if known else {}
    loose = alone is not None and sum(volumes[alone].values()) < USUAL_SHARE * sum(traded.values())

    def open_to(contracts: Iterable[Contract], bound: bool) -> list[Contract]:
        return sorted(c for c in contracts if front is None or not bound or c >= front)

    def expired(contract: Contract) -> bool:
        last = last_trading_day(instrument.expiry_rule, contract.year, contract.month)
        return contract not in volume and day > last

    over = front is None or expired(front)
    alive = [contract for contract in open_to(traded, not loose) if not expired(contract)]
    left = sum(traded[contract] for contract in alive)
    if known and alive and (not over or left >= USUAL_SHARE * sum(traded.values())):
        return Front(max(alive, key=traded.__getitem__), known), loose
    if over and (alive := open_to(volume, True)):
        # The first session date, or one after a gap in which nearly all known contracts expired: only its own volume.
        return Front(max(alive, key=volume.__getitem__), day), False
    assert front is not None  # every date has a contract
    assert known is not None
    return Front(front, known), False


def _traded(chosen: Front, day: date, volume: Mapping[Contract, int]) -> Front:
    """Return the front month, or if it did not trade, the later contract with the highest volume."""
    later = sorted(contract for contract in volume if contract > chosen.contract)
    if chosen.contract in volume or not later:
        return chosen
    return Front(max(later, key=volume.__getitem__), day, instead_of=chosen.contract)


def _by_calendar(volumes: Volumes, roll: Roll, instrument: Instrument) -> dict[date, Contract]:
    if not instrument.expiry_rule:
        raise ParameterError(f"roll calendar needs an expiry rule, {instrument.root} has none: use volume or schedule")
    contracts = {(c.year, c.month): c for c in _held(volumes)}
    fronts = {}
    for day in volumes:
        year, month = _calendar_month(day, roll.days, instrument)
        if (year, month) not in contracts:
            held = ", ".join(c.symbol for c in contracts.values())
            raise DataError(
                f"roll calendar needs {instrument.root}{MONTHS[month - 1]}{year} on {day}, the files hold {held}"
            )
        fronts[day] = contracts[year, month]
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


def _by_schedule(volumes: Volumes, roll: Roll, instrument: Instrument) -> dict[date, Contract]:
    held = _held(volumes)
    entries = [(first, _scheduled(symbol, first, instrument.root, held)) for symbol, first in roll.schedule]
    fronts = {}
    for day in volumes:
        past = [contract for first, contract in entries if first <= day]
        if past:
            fronts[day] = past[-1]
    return fronts


def _scheduled(symbol: str, first: date, root: str, held: Sequence[Contract]) -> Contract:
    """Return the contract that a schedule means: `NQZ4` is the one that trades on `first`, `NQZ2024` gives its year."""
    means: Contract | str = classify(symbol, 0, root, first)
    if match := re.fullmatch(rf"{re.escape(root)}([{MONTHS}])(\d{{4}})", symbol):
        means = Contract(int(match[2]), MONTHS.index(match[1]) + 1, symbol)
    for contract in held:
        if contract == means:
            return contract
    names = ", ".join(contract.symbol for contract in held)
    if isinstance(means, Contract) and symbol != full_name(means, root) and symbol in {c.symbol for c in held}:
        full = ", ".join(full_name(contract, root) for contract in held)
        raise DataError(f"the schedule names {symbol}, on {first} {full_name(means, root)}; the files hold {full}")
    raise DataError(f"the schedule names {symbol}, the files hold {names}")


def _held(volumes: Volumes) -> Sequence[Contract]:
    return sorted({contract for volume in volumes.values() for contract in volume})
