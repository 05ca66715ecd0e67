"""Small DBN `trades` files for the tests, made with the vendor's own classes.

A record is the vendor's `TradeMsg`, or plain bytes where a test needs one that the vendor would not make.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import zstandard
from databento_dbn import UNDEF_TIMESTAMP, Action, Metadata, Schema, Side, SType, TradeMsg

SECOND = 1_000_000_000
CHICAGO = ZoneInfo("America/Chicago")
DELAY = 50_000  # ns from the exchange's clock to the vendor's, by default
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def nanos(points) -> int:
    """A price as the vendor stores it: nanos("21000.25") is 21000250000000."""
    return int(Decimal(str(points)).scaleb(9))


def utc(text: str) -> int:
    """Time of an ISO text in UTC, in ns."""
    return _ns(datetime.fromisoformat(text).replace(tzinfo=UTC))


def chicago(text: str) -> int:
    """Time of an ISO text on Chicago's wall clock, in ns UTC."""
    return _ns(datetime.fromisoformat(text).replace(tzinfo=CHICAGO))


def _ns(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1_000


def _date(ns: int) -> date:
    return (EPOCH + timedelta(microseconds=ns // 1_000)).date()


def trade(
    instrument_id,
    ts,
    points=0,
    size=1,
    *,
    price=None,
    side="B",
    sequence=0,
    action="T",
    recv=None,
    flags=0,
    delta=0,
    ts_out=None,
) -> TradeMsg:
    """One record; `price` gives the vendor's integer itself, `ts_out` makes it eight bytes longer."""
    return TradeMsg(
        publisher_id=1,
        instrument_id=instrument_id,
        ts_event=ts,
        price=nanos(points) if price is None else price,
        size=size,
        action=Action(action),
        side=Side(side),
        depth=0,
        ts_recv=ts + DELAY if recv is None else recv,
        flags=flags,
        ts_in_delta=delta,
        sequence=sequence,
        ts_out=UNDEF_TIMESTAMP if ts_out is None else ts_out,
    )


def patched(record: TradeMsg, **changes: bytes) -> bytes:
    """The bytes of a record with some fields overwritten."""
    data = bytearray(bytes(record))
    offsets = {"length": 0, "rtype": 1, "instrument_id": 4, "ts_event": 8, "action": 28, "side": 29, "ts_recv": 32}
    for name, value in changes.items():
        data[offsets[name] : offsets[name] + len(value)] = value
    return bytes(data)


def header(
    symbols,
    start,
    end,
    *,
    version=3,
    ts_out=False,
    dataset="GLBX.MDP3",
    schema="trades",
    stype_in="parent",
    stype_out="instrument_id",
    requested=("NQ.FUT",),
) -> bytes:
    """The header of a file.

    `symbols` holds the instrument id of each symbol: one id for the whole range, or (first date, date after the
    last, id) for each of its meanings.
    """
    whole = _date(start), _date(end - 1) + timedelta(days=1)
    mappings = []
    for symbol, meanings in symbols.items():
        rows = [(*whole, meanings)] if isinstance(meanings, int) else meanings
        intervals = [SimpleNamespace(start_date=a, end_date=b, symbol=str(number)) for a, b, number in rows]
        mappings.append(SimpleNamespace(raw_symbol=symbol, intervals=intervals))
    metadata = Metadata(
        dataset=dataset,
        start=start,
        end=end,
        stype_in=SType.from_str(stype_in),
        stype_out=SType.from_str(stype_out),
        schema=Schema.from_str(schema) if schema else None,
        symbols=list(requested),
        mappings=mappings,
        ts_out=ts_out,
        version=version,
    )
    return bytes(metadata)


def write_dbn(path, records, symbols, start, end, *, frames=1, **options) -> Path:
    """Write a DBN file: zstd in so many frames if its name ends in `.zst`, else plain."""
    data = header(symbols, start, end, **options) + b"".join(map(bytes, records))
    path = Path(path)
    path.write_bytes(compressed(data, frames) if path.suffix == ".zst" else data)
    return path


def compressed(data: bytes, frames: int = 1) -> bytes:
    """Zstd frames one after another, each with a part of the data."""
    step = -(-len(data) // frames)
    parts = [data[at : at + step] for at in range(0, len(data), step)]
    return b"".join(zstandard.ZstdCompressor().compress(part) for part in parts)


def write_day(folder, day: str, records, symbols, *, part=None, suffix=".dbn.zst", days=1, **options) -> Path:
    """Write the file of a UTC day as a batch download names it; with `part`, one of a split day."""
    number = "" if part is None else f".{part:04d}"
    path = Path(folder) / f"glbx-mdp3-{day.replace('-', '')}.trades{number}{suffix}"
    start = utc(day)
    return write_dbn(path, records, symbols, start, start + days * 86_400 * SECOND, **options)
