"""The slow, obvious twin of preprocess: the vendor's own reader, plain lists, the rules read aloud.

It shares no code with the package, so that a test which finds both equal has proved something. It knows the
roll by volume and the vendor's continuous symbols.
"""

import io
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import zstandard
from databento import DBNStore

CHICAGO = ZoneInfo("America/Chicago")
MONTHS = "FGHJKMNQUVXZ"
LEDGER = ["records", "prints", "other_month", "before_schedule", "other_root", "spread", "not_a_trade"]
LEDGER += ["undefined_price", "out_of_range", "off_tick_grid", "zero_size"]
UNDEFINED_PRICE = 2**63 - 1
UNDEFINED_TIME = 2**64 - 1
BAD_RECEIVE_TIME = 8  # the vendor's flag
LARGEST_TICKS = 10**9 - 1  # what a tape takes: two of them are an int32 apart
LARGEST_SIZE = 2**31 - 1


class Naive(NamedTuple):
    """What preprocess must give: `prints` are (ts, ticks, size, aggressor, contract)."""

    prints: list
    ledger: dict
    roll_ledger: list
    sessions: list
    reordered: int
    first_front: dict | None


def session_date(ns):
    """A session date begins at 17:00 in Chicago, the evening before."""
    local = datetime.fromtimestamp(ns // 1_000_000_000, tz=UTC).astimezone(CHICAGO)
    return local.date() + timedelta(days=1) if local.hour >= 17 else local.date()


def utc_date(ns):
    return datetime.fromtimestamp(ns // 1_000_000_000, tz=UTC).date()


def read_file(path):
    """All records of a file, each with the symbol that its id had on its date."""
    data = Path(path).read_bytes()
    if data[:4] == b"\x28\xb5\x2f\xfd":  # the vendor's reader reads a header from the first zstd frame only
        data = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True).read()
    store = DBNStore.from_bytes(data)
    meanings = []
    for symbol, rows in store.metadata.mappings.items():
        for row in rows:
            if row["symbol"]:
                meanings.append((int(row["symbol"]), row["start_date"], row["end_date"], symbol))
    records = []
    for record in store:
        dated_by = record.ts_recv
        if record.ts_recv == UNDEFINED_TIME or int(record.flags) & BAD_RECEIVE_TIME:
            dated_by = record.ts_event
        day = utc_date(dated_by)
        symbols = [s for number, a, b, s in meanings if number == record.instrument_id and a <= day < b]
        assert len(symbols) == 1
        records.append((symbols[0], day, record))
    return store.metadata.start, Path(path).name, records


def contract_of(symbol, day, root, instrument_id):
    """(year, month, symbol) of an outright of the root, or the reason why the symbol is none."""
    if re.fullmatch(re.escape(root) + r"\.[a-z]\.0", symbol):
        return (0, 0, f"{symbol}#{instrument_id}")
    outright = re.fullmatch(re.escape(root) + "([" + MONTHS + "])([0-9]|[0-9][0-9])", symbol)
    if outright:
        month = MONTHS.index(outright.group(1)) + 1
        # The delivery month is the next one, seen from a day on which it trades, that has these digits.
        for year in range(day.year, day.year + 101):
            if str(year).endswith(outright.group(2)) and (year, month) >= (day.year, day.month):
                return (year, month, symbol)
    first_leg = re.split("[-: ]", symbol)[0]
    if first_leg == root or isinstance(contract_of_leg(first_leg, root), str):
        return "spread"
    return "other_root"


def contract_of_leg(text, root):
    """The text if it is an outright of the root, else None."""
    return text if re.fullmatch(re.escape(root) + "[" + MONTHS + "][0-9]{1,2}", text) else None


def judge(contract, record, tick_nanos):
    """The reason why a record is no print of an outright, or its price in ticks."""
    if isinstance(contract, str):
        return contract
    if record.action != "T":
        return "not_a_trade"
    if record.price == UNDEFINED_PRICE:
        return "undefined_price"
    ticks = record.price // tick_nanos
    if abs(ticks) > LARGEST_TICKS or record.size > LARGEST_SIZE:
        return "out_of_range"
    if ticks * tick_nanos != record.price:
        return "off_tick_grid"
    if record.size == 0:
        return "zero_size"
    return ticks


def volumes_by_date(outrights):
    """Volume of each outright on each session date, the dates in order."""
    volumes = {}
    for day, contract, row in outrights:
        of_day = volumes.setdefault(day, {})
        of_day[contract] = of_day.get(contract, 0) + row[3]
    return {day: volumes[day] for day in sorted(volumes)}


def front_by_volume(volumes):
    """The outright with the highest volume of the session date before, never back; a tie does not roll.

    Where all outrights of the session date before have expired, the session date knows only itself.
    """
    fronts = {}
    front = None
    days = list(volumes)
    for number, day in enumerate(days):
        known = volumes[days[number - 1]] if number > 0 else volumes[day]
        if all(contract[:2] < (day.year, day.month) for contract in known):
            known = volumes[day]
        best = None
        for contract in sorted(known):
            if front is not None and contract < front:
                continue
            if best is None or known[contract] > known[best]:
                best = contract
        if best is not None:
            front = best
        fronts[day] = front
    return fronts


def preprocess(paths, root, tick_nanos):
    """Turn files into prints and ledgers; the first front is what the session chose by its own volume."""
    files = sorted(read_file(path) for path in paths)
    ledger = dict.fromkeys(LEDGER, 0)
    outrights = []
    for _, _, records in files:
        for symbol, day, record in records:
            ledger["records"] += 1
            contract = contract_of(symbol, day, root, record.instrument_id)
            judged = judge(contract, record, tick_nanos)
            if isinstance(judged, str):
                ledger[judged] += 1
                continue
            aggressor = {"B": 1, "A": -1, "N": 0}[str(record.side)]
            row = (record.ts_event, record.sequence, judged, record.size, aggressor)
            outrights.append((session_date(record.ts_event), contract, row))

    volumes = volumes_by_date(outrights)
    continuous = any(contract[0] == 0 for _, contract, _ in outrights)
    fronts = {} if continuous else front_by_volume(volumes)
    chosen = [(day, c, row) for day, c, row in outrights if continuous or fronts[day] == c]
    ledger["prints"] = len(chosen)
    ledger["other_month"] = len(outrights) - len(chosen)

    ordered = sorted(chosen, key=lambda item: (item[0], item[2][0], item[2][1]))
    prints = [(ts, ticks, size, aggressor, c[2]) for _, c, (ts, _, ticks, size, aggressor) in ordered]
    sessions = sorted({day for day, _, _ in chosen})
    return Naive(
        prints=prints,
        ledger=ledger,
        roll_ledger=roll_ledger(ordered, volumes),
        sessions=sessions,
        reordered=count_late(chosen),
        first_front=first_front(ordered, volumes),
    )


def first_front(ordered, volumes):
    """Date, contract and volume of the first session."""
    if not ordered:
        return None
    day, contract, _ = ordered[0]
    return {"date": day.isoformat(), "contract": contract[2], "volume": volumes[day][contract]}


def count_late(chosen):
    """Prints that come, in the order of the files, after a later print of their session date."""
    late = 0
    latest = {}
    for day, _, (ts, sequence, *_) in chosen:
        if day in latest and (ts, sequence) < latest[day]:
            late += 1
        else:
            latest[day] = (ts, sequence)
    return late


def roll_ledger(ordered, volumes):
    """Date, contracts, both volumes of the session date before, and the gap in ticks, at each change."""
    ledger = []
    days = list(volumes)
    for (_, old, before), (day, new, after) in pairwise(ordered):
        if old != new:
            known = volumes[days[max(days.index(day) - 1, 0)]]
            ledger.append(
                {
                    "date": day.isoformat(),
                    "from": old[2],
                    "to": new[2],
                    "from_volume": known.get(old, 0),
                    "to_volume": known.get(new, 0),
                    "gap_ticks": after[2] - before[2],
                }
            )
    return ledger
