"""One description of prints and rules, traded by the fast simulator and by its slow twin.

Distances are ticks, times are ns, money is USD; each of the two gets them in its own words.
"""

import dataclasses
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import groupby
from zoneinfo import ZoneInfo

import numpy as np

from scalpr_zen import TRADE, Bracket, Execution, Tape, instrument
from scalpr_zen.simulation.kernel import REASONS
from scalpr_zen.simulation.rules import SessionRules
from scalpr_zen.simulation.simulate import simulate
from support import naive

CHICAGO = ZoneInfo("America/Chicago")
TICK, TICK_VALUE = 0.25, 5.0  # of NQ
SECOND = 10**9
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
MS = SECOND // 1000

LONG, SHORT = 1, -1
NOON = "2025-01-15 12:00"
SESSION_END = 5 * HOUR  # 17:00 in Chicago, in ns after noon
WIDE = {"take_profit": 50, "stop_loss": 40}


@dataclasses.dataclass
class Market:
    """The prints of one tape, their contracts, and signals; a close by its session date where it is not 16:00."""

    ts: list[int]
    prices: list[int]
    sizes: list[int]
    aggressors: list[int]
    contracts: list[str]
    signals: list[int]
    closes: dict = dataclasses.field(default_factory=dict)

    def tape(self):
        tape = Tape.from_prints(
            self.ts,
            self.prices,
            instrument=instrument("NQ"),
            size=self.sizes,
            aggressor=self.aggressors,
            contract=self.contracts,
            whole=True,
        )
        tape.sessions["close"] = [self.close_of(day) for day in tape.sessions["date"].tolist()]
        return tape

    def given(self):
        return np.array(self.signals, np.int8)

    def close_of(self, day):
        regular = datetime(day.year, day.month, day.day, 16, tzinfo=CHICAGO)
        return self.closes.get(day, int(regular.timestamp()) * SECOND)

    def days(self):
        """The session date of each print: that of the wall time seven hours later."""
        walls = [datetime.fromtimestamp(t // SECOND, CHICAGO).replace(tzinfo=None) for t in self.ts]
        return [(wall + timedelta(hours=7)).date() for wall in walls]

    def segments(self):
        runs = [[i for i, _ in run] for _, run in groupby(enumerate(self.contracts), key=lambda row: row[1])]
        return [(run[0], run[-1] + 1) for run in runs]

    def cut(self, stop):
        names = ("ts", "prices", "sizes", "aggressors", "contracts", "signals")
        return dataclasses.replace(self, **{name: getattr(self, name)[:stop] for name in names})

    def mirrored(self):
        prices, aggressors, signals = ([-x for x in xs] for xs in (self.prices, self.aggressors, self.signals))
        return dataclasses.replace(self, prices=prices, aggressors=aggressors, signals=signals)

    def shifted(self, ticks):
        return dataclasses.replace(self, prices=[price + ticks for price in self.prices])


@dataclasses.dataclass
class Rules:
    """All rules of one simulation, by the names of the slow twin."""

    take_profit: int = 4
    stop_loss: int = 2
    take_profit_short: int | None = None
    stop_loss_short: int | None = None
    trailing_stop: int | None = None
    trail_activation: int = 0
    trailing_step: int | None = None
    break_even_at: int | None = None
    break_even_plus: int = 0
    entry: str = "next"
    latency_ns: int = 0
    slippage_ticks: int = 0
    target_fill: str = "touch"
    stop_fill: str = "trigger"
    queue_ahead: int = 0
    roll_exit: str = "void"
    overlap: bool = False
    sides: str = "both"
    reverse: bool = False
    entry_windows: str | tuple = "all"
    weekdays: str | tuple = "all"
    no_entry_ns: int | None = None
    flat_ns: int | None = None
    hold_ns: int | None = None
    cooldown_ns: int = 0
    max_trades: int | None = None
    loss_limit: float | None = None
    profit_limit: float | None = None
    limit_basis: str = "realized"
    contracts: int = 1
    commission: float = 0.0

    def naive(self):
        """The arguments of the slow twin."""
        return dataclasses.asdict(self) | {"trailing_step": self.trailing_step or 1, "tick_value": TICK_VALUE}

    def fast(self):
        """The parameter groups of the fast simulator."""
        return self.bracket(), self.execution(), self.session_rules()

    def bracket(self):
        names = ("take_profit", "stop_loss", "take_profit_short", "stop_loss_short")
        points = [*names, "trailing_stop", "trail_activation", "trailing_step", "break_even_at"]
        distances = {name: points_of(getattr(self, name)) for name in points}
        return Bracket(**distances, break_even_plus=self.break_even_plus)

    def execution(self):
        names = ("entry", "slippage_ticks", "target_fill", "stop_fill", "queue_ahead", "roll_exit", "overlap")
        same = {name: getattr(self, name) for name in (*names, "contracts", "commission")}
        return Execution(latency_ms=self.latency_ns / 1e6, **same)

    def session_rules(self):
        names = ("sides", "reverse", "max_trades", "loss_limit", "profit_limit", "limit_basis")
        return SessionRules(
            **{name: getattr(self, name) for name in names},
            entry_windows=text_of(self.entry_windows),
            weekdays=text_of(self.weekdays),
            no_entry_before_close=units_of(self.no_entry_ns, MINUTE),
            flat_before_close=units_of(self.flat_ns, MINUTE),
            max_hold=units_of(self.hold_ns, SECOND),
            cooldown=units_of(self.cooldown_ns, SECOND),
        )


def points_of(ticks):
    return None if ticks is None else ticks * TICK


def units_of(ns, unit):
    return None if ns is None else float(Fraction(ns, unit))


def text_of(words):
    """Windows as `08:30-11:00, 13:00-15:00`, weekdays as `Mon, Wed`."""
    if words == "all":
        return words
    return ", ".join(word if isinstance(word, str) else "-".join(word) for word in words)


def by_naive(market, rules):
    """The trades by the slow twin (closed ones, then the others) and the counts."""
    days, segments = market.days(), market.segments()
    dates = sorted(set(days))
    trades, counts = naive.simulate(
        market.ts,
        market.prices,
        market.signals,
        segments,
        [dates.index(day) for day in days],
        sizes=market.sizes,
        aggressors=market.aggressors,
        dates=dates,
        closes=[market.close_of(day) for day in dates],
        **rules.naive(),
    )
    rows = [
        trade
        | {
            "net_usd": naive.net_usd(trade["gross_ticks"], TICK_VALUE, rules.contracts, rules.commission),
            "entry_ts": market.ts[trade["entry"]],
            "exit_ts": market.ts[trade["exit"]],
            "segment": next(s for s, (start, stop) in enumerate(segments) if start <= trade["exit"] < stop),
            "session": dates.index(days[trade["exit"]]),
        }
        for trade in trades
    ]
    closed = [row for row in rows if row["reason"] not in ("void", "open")]
    return closed, [row for row in rows if row["reason"] in ("void", "open")], counts


def by_fast(market, rules):
    """The same by the fast simulator, every column of it."""
    simulation = simulate(market.tape(), market.given(), *rules.fast())
    tables = [
        [dict(zip(TRADE.names, row, strict=True)) for row in table.tolist()]
        for table in (simulation.trades, simulation.unclosed)
    ]
    for row in (row for table in tables for row in table):
        row["reason"] = REASONS[row["reason"]]
    return (*tables, simulation.counts)


BOTH = {"naive": by_naive, "fast": by_fast}


def ns_of(text):
    """The ns UTC of `2025-01-15 08:29:59.999999999` in Chicago, or in UTC with a Z at the end."""
    zone = UTC if text.endswith("Z") else CHICAGO
    seconds, _, fraction = text.rstrip("Z").partition(".")
    return int(datetime.fromisoformat(seconds).replace(tzinfo=zone).timestamp()) * SECOND + int(fraction.ljust(9, "0"))


def market_of(prices, signals, ts=None, at=None, unit=1, contract=None, aggressor=0, size=1, closes=None):
    """A few prints with signals by print index, at times after noon or at wall times."""
    n = len(prices)
    times = (
        [ns_of(NOON) + unit * t for t in (ts or range(0, 10 * n, 10))] if at is None else [ns_of(text) for text in at]
    )
    return Market(
        times,
        prices,
        size if isinstance(size, list) else [size] * n,
        aggressor if isinstance(aggressor, list) else [aggressor] * n,
        contract or ["H5"] * n,
        [signals.get(i, 0) for i in range(n)],
        {day: ns_of(text) for day, text in (closes or {}).items()},
    )


TAPE = ("ts", "at", "unit", "contract", "aggressor", "size", "closes")


class Traded:
    """What one of the two simulators made of a few prints."""

    def __init__(self, simulator, prices, signals, **given):
        tape = {name: given.pop(name) for name in TAPE if name in given}
        closed, unclosed, counts = simulator(market_of(prices, signals, **tape), Rules(**given))
        names = ("entry", "entry_ticks", "exit", "exit_ticks", "reason")
        self.rows = closed + unclosed
        self.fills = [tuple(row[name] for name in names) for row in self.rows]
        self.counts = {key: n for key, n in counts.items() if n}
