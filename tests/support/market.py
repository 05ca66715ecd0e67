"""The small market of the golden files: two NQ contracts, four session dates, both sides of a clock change.

Prices walk by a linear congruential generator, whose numbers are the same on every machine and with every
version of numpy.
"""

from datetime import datetime, timedelta

from scalpr_zen import Tape, instrument

SECOND = 1_000_000_000
PRINTS_A_RUN = 60
RUNS = (
    # first print UTC, contract, first price in ticks
    ("2024-11-01T15:00:00", "NQZ4", 80_002),  # Friday, 10:00 in Chicago
    ("2024-11-03T23:05:00", "NQZ4", 80_100),  # Sunday, 17:05: the session of Monday, and the clock has changed
    ("2024-11-04T16:00:00", "NQZ4", 80_150),  # Monday, 10:00 in Chicago
    ("2024-12-16T15:00:00", "NQH5", 81_002),
    ("2024-12-17T15:00:00", "NQH5", 81_060),
)
EPOCH = datetime(1970, 1, 1)
METADATA = {
    "synthetic": True,
    "roll_rule": "schedule: NQZ4 2024-11-01, NQH5 2024-12-16",
    "roll_ledger": [
        {"date": "2024-12-16", "from": "NQZ4", "to": "NQH5", "from_volume": 120, "to_volume": 90, "gap_points": 217.0}
    ],
    "first_front": {"date": "2024-11-01", "contract": "NQZ4", "volume": 60, "chosen_by": "the roll rule"},
    "record_ledger": {"records": 307, "prints": 300, "other_month": 7, "before_schedule": 0},
    "reordered": 2,
    "missing": [],
    "closes": {
        "calendar": "equity",
        "library": "pandas_market_calendars 5.5.0",
        "early": {},
        "unknown": [],
        "prints_after": 0,
    },
}


def market(root: str = "NQ", *, seed: int = 132, metadata: dict | None = None) -> Tape:
    """Return the tape: 300 prints, now and then two or three of them in one event."""
    ts, price, contract, state = [], [], [], seed
    for start, name, first in RUNS:
        now, at = (datetime.fromisoformat(start) - EPOCH) // timedelta(seconds=1) * SECOND, first
        for _ in range(PRINTS_A_RUN):
            state = (1_103_515_245 * state + 12_345) % 2**31
            drawn = state >> 8
            now += drawn % 4 * (SECOND + 125_000_001)
            at += (drawn >> 4) % 19 - 9
            ts.append(now)
            price.append(at)
            contract.append(name.replace("NQ", root))
    about = METADATA if metadata is None else metadata
    return Tape.from_prints(ts, price, instrument=instrument(root), contract=contract, whole=True, metadata=about)
