"""The slow, obvious twin of preprocess: the vendor's own reader, plain lists, the rules read aloud.

It shares no code with the package, so that a test which finds both equal has proved something. It knows the
roll by volume and the vendor's continuous symbols.
"""

import io
import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median
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
    replaced: list
    left_out: list
    low_share: list
    refused_tick: bool


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


def last_trading_day(root, contract):
    """Near enough for the files of the tests: no holiday lies around the expiries there."""
    year, month, _ = contract
    days = [date(year, month, 1) + timedelta(days=d) for d in range(31)]
    days = [day for day in days if day.month == month]
    if root in ("NQ", "ES"):
        return [day for day in days if day.weekday() == 4][2]
    assert root == "GC"
    return [day for day in days if day.weekday() < 5][-3]


def decides(volumes, day):
    """A session date decides rolls unless its volume is below a quarter of the median of the 20 dates before."""
    days = list(volumes)
    before = [sum(volumes[other].values()) for other in days[: days.index(day)]][-20:]
    return not before or 4 * sum(volumes[day].values()) >= median(before)


def front_by_volume(volumes, root):
    """For each date: its contract, the date whose volumes chose it, and the contract in whose place it stands.

    The outright with the highest volume of the last date before that decides, never back; a tie does not roll. Where
    all of those outrights have expired, as on the first date, the date knows only itself.
    """
    fronts = {}
    front = None
    chosen_alone_on = None
    days = list(volumes)
    for number, day in enumerate(days):
        traded = volumes[day]
        deciding = [other for other in days[:number] if decides(volumes, other)]
        source = deciding[-1] if deciding else None
        back_allowed = False
        if source is not None and chosen_alone_on is not None:
            # What one small date chose for itself does not bind.
            own = sum(volumes[chosen_alone_on].values())
            back_allowed = 4 * own < sum(volumes[source].values())

        def is_over(contract, day=day, traded=traded):
            return day > last_trading_day(root, contract) and contract not in traded

        candidates = []
        if source is not None:
            for contract in sorted(volumes[source]):
                if not is_over(contract) and (back_allowed or front is None or contract >= front):
                    candidates.append(contract)
        # Where the front month is over, what lives on must be a quarter of what traded, or the date asks itself.
        over = front is None or is_over(front)
        if over and candidates:
            living = sum(volumes[source][contract] for contract in candidates)
            if 4 * living < sum(volumes[source].values()):
                candidates = []
        if candidates:
            best = highest(candidates, volumes[source])
            if best != front or back_allowed:
                chosen_alone_on = None
            front = best
        elif over:
            candidates = [contract for contract in sorted(traded) if front is None or contract >= front]
            if candidates:
                front, source, chosen_alone_on = highest(candidates, traded), day, day
        later = [contract for contract in sorted(traded) if contract > front]
        if front not in traded and later:
            fronts[day] = (highest(later, traded), day, front)  # for this date alone
        else:
            fronts[day] = (front, source, None)
    return fronts


def highest(contracts, volume):
    """The first contract of the highest volume."""
    best = contracts[0]
    for contract in contracts:
        if volume[contract] > volume[best]:
            best = contract
    return best


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
    fronts = {} if continuous else front_by_volume(volumes, root)
    chosen = [(day, c, row) for day, c, row in outrights if continuous or fronts[day][0] == c]
    ledger["prints"] = len(chosen)
    ledger["other_month"] = len(outrights) - len(chosen)

    ordered = sorted(chosen, key=lambda item: (item[0], item[2][0], item[2][1]))
    prints = [(ts, ticks, size, aggressor, c[2]) for _, c, (ts, _, ticks, size, aggressor) in ordered]
    sessions = sorted({day for day, _, _ in chosen})
    return Naive(
        prints=prints,
        ledger=ledger,
        roll_ledger=roll_ledger(ordered, volumes, fronts),
        sessions=sessions,
        reordered=count_late(chosen),
        first_front=first_front(ordered, volumes),
        replaced=[
            {"date": day.isoformat(), "front": asked[2], "taken": taken[2]}
            for day, (taken, _, asked) in fronts.items()
            if asked
        ],
        left_out=left_out(outrights, sessions),
        low_share=low_share(volumes, sessions, chosen),
        refused_tick=20 <= ledger["off_tick_grid"] > 0.05 * (len(outrights) + ledger["off_tick_grid"]),
    )


def left_out(outrights, sessions):
    """Date and prints of the session dates with outrights and none on the tape."""
    days = [day for day, _, _ in outrights if day not in sessions]
    return [{"date": day.isoformat(), "prints": days.count(day)} for day in sorted(set(days))]


def low_share(volumes, sessions, chosen):
    """Date and share where the tape holds less than 30% of the outright volume."""
    rows = []
    for day in sessions:
        mine = sum(row[3] for other, _, row in chosen if other == day)
        share = mine / sum(volumes[day].values())
        if share < 0.3:
            rows.append({"date": day.isoformat(), "share": share})
    return rows


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


def roll_ledger(ordered, volumes, fronts):
    """Date, contracts, the date that chose and both volumes there, and the gap in ticks, at each change.

    Where the vendor's mapping chose, the volumes are those of the session date before.
    """
    ledger = []
    days = list(volumes)
    for (_, old, before), (day, new, after) in pairwise(ordered):
        if old != new:
            source = fronts[day][1] if fronts else days[max(days.index(day) - 1, 0)]
            known = volumes[source]
            ledger.append(
                {
                    "date": day.isoformat(),
                    "from": old[2],
                    "to": new[2],
                    "from_volume": known.get(old, 0),
                    "to_volume": known.get(new, 0),
                    "volumes_of": source.isoformat(),
                    "gap_ticks": after[2] - before[2],
                }
            )
    return ledger
