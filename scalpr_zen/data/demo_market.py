"""A synthetic NQ market: its sessions and their prints, drawn from a seed.

The model follows Madhavan, Richardson and Roomans (1997, "Why do security prices change?"). An event is one
aggressor order: it trades at the ask if it buys, at the bid if it sells, and may walk through price levels.
The quote then moves by news and by a share of the walk, less the part that the persistence of the aggressor's side
predicted. So the quote is a martingale, and a strategy that acts between events earns no more than the odds of its
bracket. Volatility comes in bursts of minutes: a slow and a fast process drive the rate of events and the size of the
news together. Every weekday is a session; CME holidays are ignored.

The constants are calibrated to three figures of a year of NQ: 369,000 front-month prints a session, a
standard deviation of 1.4 ticks from print to print, and about 200,000 trades in 252 sessions of an EMA
crossover 50/200 over prints with a take profit of 10 points and a stop loss of 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

import numpy as np

from scalpr_zen.base.arrays import Array
from scalpr_zen.base.sessions import session_open
from scalpr_zen.base.units import NANOS
from scalpr_zen.data.dbn import TRADE_MSG

FIRST_DATE = date(2025, 12, 8)  # a Monday: the ten sessions from here contain one roll and end with the expiry of NQZ5
PRINTS_AN_EVENT = 4.0
WALK = 0.8  # chance that a print of an event trades one level beyond the print before it
PERSISTENCE = 0.4  # correlation of the aggressor's side from event to event
IMPACT = 0.9  # share of an unpredicted walk that the quote keeps
NEWS_TICKS = 1.88  # deviation of the quote's own move from event to event, over a session
# Logarithm of the rate of events: two Ornstein-Uhlenbeck processes, each with its deviation and its memory in seconds.
BURSTS = ((0.5, 120.0), (0.5, 1_200.0))
NEWS_OF_BURST = 0.5  # the deviation of the news is proportional to this power of the rate
MEAN_WALK = (PRINTS_AN_EVENT - 1) * WALK
# A walk is geometric from 0; the side of the last event predicts PERSISTENCE * MEAN_WALK of it.
QUOTE_VARIANCE = NEWS_TICKS**2 + IMPACT**2 * (MEAN_WALK + (2 - PERSISTENCE**2) * MEAN_WALK**2)
ACTIVITY = 0.08  # deviation of the logarithm of a session's prints
GAP_TICKS = 24.0  # deviation of the gap from close to open
MEAN_SIZE = 2.2
UNKNOWN_AGGRESSOR = 0.005

START_TICKS = 100_000.0  # 25,000 points
CARRY_TICKS = 900  # from one expiry to the next: 0.9 % of 25,000 points
TICK, SPREAD_TICK = NANOS // 4, NANOS // 20
SPREAD_SHARE = 0.0005
# Share of the later expiry in the outright prints, by days to the earlier one's expiry (a Friday).
LATER_SHARE = {7: 0.08, 4: 0.42, 3: 0.60, 2: 0.80, 1: 0.92, 0: 0.97}
LATER_SHARE_BEFORE = 0.03
OVERTAKEN = 3  # the Tuesday on which the later expiry first has the larger share

# Relative rate of prints at minutes after the session's open at 17:00 Chicago: quiet overnight, more from
# the European morning, the peak at the US cash open (930) and a second one up to its close (1320).
MINUTES = (0, 30, 480, 600, 929, 930, 990, 1140, 1260, 1319, 1320, 1325, 1380)
RATES = (0.6, 0.2, 0.2, 0.5, 0.6, 5.0, 2.5, 1.2, 1.6, 3.2, 3.2, 0.6, 0.3)
SESSION_MINUTES, EXPIRY_MINUTE = 1380, 930  # an expiring contract's last day ends at 08:30 Chicago
FLAG_LAST = 128


@dataclass(frozen=True, kw_only=True)
class Session:
    """A session before its prints are drawn; the levels are those of contract 0, NQZ5."""

    day: date
    contract: int
    events: int
    open_ticks: float
    close_ticks: float
    seed: np.random.SeedSequence


def plan_sessions(sessions: int, seed: int, prints_a_session: int) -> Iterator[Session]:
    """Chain the sessions: each opens with a small gap from the last close."""
    day, contract, level = FIRST_DATE, 0, START_TICKS
    for number in range(sessions):
        own, seed_of_prints = np.random.SeedSequence([seed, number]).spawn(2)
        activity, gap, move = np.random.default_rng(own).standard_normal(3).tolist()
        contract += day > _expiry(contract)
        events = prints_a_session / PRINTS_AN_EVENT * np.exp(ACTIVITY * activity - ACTIVITY**2 / 2)
        opening = level + GAP_TICKS * gap
        level = opening + float(np.sqrt(events * QUOTE_VARIANCE)) * move
        yield Session(
            day=day,
            contract=contract,
            events=round(events / _front_share(day, contract)),
            open_ticks=opening,
            close_ticks=level,
            seed=seed_of_prints,
        )
        day += timedelta(days=3 if day.weekday() == 4 else 1)


def _expiry(contract: int) -> date:
    """Return the third Friday of the contract's month; contract 0 is NQZ5, contract 1 is NQH6."""
    first = date(2025 + (contract + 3) // 4, (12, 3, 6, 9)[contract % 4], 1)
    return first + timedelta(days=(4 - first.weekday()) % 7 + 14)


def instruments(contract: int) -> dict[str, int]:
    """Return the instruments while `contract` is the earlier expiry: it, the later one and their spread."""
    earlier, later = (f"NQ{'ZHMU'[c % 4]}{_expiry(c).year % 10}" for c in (contract, contract + 1))
    outright = 42_000_000 + contract
    return {earlier: outright, later: outright + 1, f"{earlier}-{later}": 42_500_000 + contract}


def _later_share(day: date, contract: int) -> float:
    return LATER_SHARE.get((_expiry(contract) - day).days, LATER_SHARE_BEFORE)


def _front(day: date, contract: int) -> int:
    """Return which of the two expiries is the front month by the volumes of the day before: 0 or 1."""
    return int((_expiry(contract) - day).days < OVERTAKEN)


def _front_share(day: date, contract: int) -> float:
    later = _later_share(day, contract)
    return (1 - SPREAD_SHARE) * (later if _front(day, contract) else 1 - later)


def draw_records(session: Session) -> Array:
    """Draw the prints of a session, in order of receipt."""
    rng, n = np.random.default_rng(session.seed), session.events
    ts, burst = _times(rng, session)
    leg = _legs(rng, session, ts)
    front = leg == _front(session.day, session.contract)
    sign = _aggressors(rng, n)
    prints = rng.geometric(1 / PRINTS_AN_EVENT, n)
    event, last = np.repeat(np.arange(n), prints), np.cumsum(prints) - 1
    first = last - prints + 1
    beyond = rng.random(len(event)) < WALK
    beyond[first] = False
    level = np.cumsum(beyond)
    walk = level - level[first][event]
    price, step = _prices(rng, session, leg, sign, _quotes(rng, session, front, sign, walk[last], burst))

    records = np.zeros(len(event), TRADE_MSG)
    records["length"], records["publisher_id"], records["action"] = TRADE_MSG.itemsize // 4, 1, ord("T")
    records["instrument_id"] = np.array(list(instruments(session.contract).values()))[leg][event]
    records["ts_event"] = ts[event]
    records["price"] = price[event] + step[event] * walk
    records["size"] = rng.geometric(1 / MEAN_SIZE, len(event))
    known = rng.random(n) >= UNKNOWN_AGGRESSOR
    records["side"] = np.where(known, np.where(sign > 0, ord("B"), ord("A")), ord("N"))[event]
    records["flags"][last] = FLAG_LAST
    # Events leave the gateway in order: a slow one holds up the next.
    records["ts_recv"] = np.maximum.accumulate(ts + rng.integers(40_000, 100_000, n))[event]
    records["ts_in_delta"] = rng.integers(10_000, 20_000, n)[event]
    # The channel numbers its messages through the week and carries others in between.
    records["sequence"] = (session.day.weekday() * 500_000_000 + np.cumsum(rng.integers(1, 20, n)))[event]
    return records


def _times(rng: np.random.Generator, session: Session) -> tuple[Array, Array]:
    """Draw the times of the events, ns UTC, all different, and the burst at each: a Poisson process at the day's rates.

    The burst is the factor of the rate at the time of the event.
    """
    n, seconds = session.events, 60 * SESSION_MINUTES
    arrivals = np.cumsum(rng.standard_exponential(n + 1))
    bursts = np.exp(sum(_wandering(rng, seconds, *burst) for burst in BURSTS))
    rates = np.interp((np.arange(seconds) + 0.5) / 60, MINUTES, RATES) * bursts
    mass = np.concatenate([[0.0], np.cumsum(rates)])
    moments = np.interp(arrivals[:-1] / arrivals[-1] * mass[-1], mass, np.arange(seconds + 1))
    nanos_a_second = NANOS - n / seconds  # leaves room for the n single nanoseconds below
    offsets = (moments * nanos_a_second).astype(np.int64) + np.arange(n)
    return np.asarray(session_open(session.day) + offsets), bursts[moments.astype(np.int64)]


def _wandering(rng: np.random.Generator, seconds: int, deviation: float, memory: float) -> Array:
    """Draw an Ornstein-Uhlenbeck process second by second, shape (seconds,), from its stationary distribution."""
    kept = float(np.exp(-1 / memory))
    shocks = deviation * rng.standard_normal(seconds)
    shocks[1:] *= np.sqrt(1 - kept**2)
    # scipy.signal.lfilter does the same, but it takes more than a second to import.
    return np.fromiter(accumulate(shocks.tolist(), lambda level, shock: kept * level + shock), np.float64, seconds)


def _legs(rng: np.random.Generator, session: Session, ts: Array) -> Array:
    """Draw the instrument of each event: 0 the earlier expiry, 1 the later one, 2 their spread."""
    draw = rng.random(session.events)
    later = (1 - SPREAD_SHARE) * _later_share(session.day, session.contract)
    leg = np.where(draw < later, 1, np.where(draw < 1 - SPREAD_SHARE, 0, 2))
    if session.day == _expiry(session.contract):
        leg[ts >= session_open(session.day) + EXPIRY_MINUTE * 60 * NANOS] = 1
    return leg


def _aggressors(rng: np.random.Generator, n: int) -> Array:
    """Draw a chain of buyers +1 and sellers -1 with the correlation PERSISTENCE."""
    turns = rng.random(n) < (1 - PERSISTENCE) / 2
    return np.asarray(1 - 2 * (np.cumsum(turns) & 1))


def _quotes(rng: np.random.Generator, session: Session, front: Array, sign: Array, walk: Array, burst: Array) -> Array:
    """Draw the quote before each event, in ticks: a random walk bridged from the open to the close.

    Only events of the front month move it, so the front month's tape is the same on roll days as on any other.
    """
    predicted = np.concatenate([[0.0], PERSISTENCE * MEAN_WALK * sign[:-1]])
    size = burst**NEWS_OF_BURST
    news = NEWS_TICKS * size / np.sqrt(np.mean(size**2))  # over the session as large as without bursts
    steps = news * rng.standard_normal(len(sign)) + IMPACT * (sign * walk - predicted)
    steps[~front] = 0
    path = np.cumsum(steps)
    slope = (session.close_ticks - session.open_ticks - path[-1]) / len(path)
    return np.asarray(session.open_ticks + path - steps + slope * np.arange(len(path)))


def _prices(rng: np.random.Generator, session: Session, leg: Array, sign: Array, quote: Array) -> tuple[Array, Array]:
    """Return the first price of each event and its step to the next level, in 1e-9 points."""
    spread = leg == 2
    tick = np.where(spread, SPREAD_TICK, TICK)
    bid = (np.floor(quote).astype(np.int64) + (session.contract + leg) * CARRY_TICKS) * TICK
    wiggle = np.rint(4 * rng.standard_normal(np.count_nonzero(spread))).astype(np.int64)
    bid[spread] = CARRY_TICKS * TICK + wiggle * SPREAD_TICK
    return bid + tick * (sign > 0), tick * sign
