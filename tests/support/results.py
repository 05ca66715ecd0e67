"""Trades of which only the results and their session dates are known, and the statistics of them."""

import numpy as np
from hypothesis import strategies as st

from scalpr_zen import TRADE, Bracket, Execution, Tape, instrument
from scalpr_zen.sections.months import months
from scalpr_zen.sections.statistics import STATISTICS, statistics
from scalpr_zen.simulation.kernel import STOP, TARGET

NQ = instrument("NQ")
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
NOON = 1_736_186_400 * SECOND
"""Monday 2025-01-06, 12:00 in Chicago."""
NO_COSTS = Execution()


def tape_of(sessions: int, days=None) -> Tape:
    """A tape of one print at noon of each of so many session dates, in a row or on these days after the first."""
    days = range(sessions) if days is None else days
    return Tape.from_prints([NOON + k * DAY for k in days], [80_000] * sessions, instrument=NQ, whole=True)


def trades_of(net, session=None, reason=None) -> np.ndarray:
    """Closed trades with these net USD, session dates and reasons; opened and closed at the session's print."""
    trades = np.zeros(len(net), TRADE)
    trades["net_usd"] = net
    trades["session"] = trades["entry"] = trades["exit"] = [0] * len(net) if session is None else session
    trades["entry_ts"] = trades["exit_ts"] = NOON + trades["session"].astype(np.int64) * DAY
    trades["reason"] = np.where(trades["net_usd"] < 0, STOP, TARGET) if reason is None else reason
    return trades


def figures(net, session=None, sessions=1, bracket=None, execution=NO_COSTS) -> dict:
    return statistics(trades_of(net, session), tape_of(sessions), bracket or Bracket(), execution)


def months_of(net, session, sessions) -> list:
    return months(trades_of(net, session), tape_of(sessions), np.ones(sessions, np.bool_))


def verdicts(values: dict) -> dict:
    return {row.key: row.verdict(values) for row in STATISTICS if row.target}


# Multiples of a quarter dollar: every sum of them is exact, in whatever order it is made.
quarters = st.integers(-40_000, 40_000).map(lambda k: k / 4)
few_values = st.sampled_from([-100.0, 0.0, 195.5])
lists = st.one_of(st.lists(quarters, min_size=1, max_size=60), st.lists(few_values, min_size=1, max_size=300))


@st.composite
def random_trades(draw):
    net = draw(lists)
    sessions = draw(st.integers(1, 40))
    drawn = st.lists(st.integers(0, sessions - 1), min_size=len(net), max_size=len(net))
    return net, sorted(draw(drawn)), sessions
