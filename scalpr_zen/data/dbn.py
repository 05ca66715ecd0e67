"""DBN files: bytes to checked trade records, in batches.

The vendor's library decodes the header. The records of a `trades` file are 48 bytes each in every DBN version, so a
batch is one numpy view. The vendor's reader accepts cut and damaged files without an error; here a file that is not
complete is refused.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import zstandard
from databento_dbn import DBNError, Metadata

from scalpr_zen.base.arrays import Array
from scalpr_zen.base.engine import stop_if_interrupted
from scalpr_zen.base.errors import DataError
from scalpr_zen.base.units import MILLISECOND, NANOS

DATASET = "GLBX.MDP3"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
VERSIONS = (1, 2, 3)
BATCH_RECORDS = 1 << 15
"""1.5 MiB: a batch stays in the CPU cache from the decompressor to its columns."""
MAX_HEADER_BYTES = 1 << 28
LAST_TIME = 4_102_444_800 * NANOS
"""2100-01-01: a header with a later time is damaged."""
SYNTHETIC_MARK = "SYNTHETIC"
"""Symbol that the demo market lists as not found, which marks its files as synthetic."""
_READ_BYTES = 1 << 18
_SKIPPABLE_FRAME, _RLE_BLOCK, _MAX_BLOCK = 0x184D2A50, 1, 1 << 17

TRADE_MSG = np.dtype(
    [
        ("length", "u1"),
        ("rtype", "u1"),
        ("publisher_id", "<u2"),
        ("instrument_id", "<u4"),
        ("ts_event", "<i8"),
        ("price", "<i8"),
        ("size", "<u4"),
        ("action", "u1"),
        ("side", "u1"),
        ("flags", "u1"),
        ("depth", "u1"),
        ("ts_recv", "<i8"),
        ("ts_in_delta", "<i4"),
        ("sequence", "<u4"),
    ]
)
"""The vendor's TradeMsg. Its times are uint64; read as int64, an undefined time is -1."""
TRADE_MSG_TS_OUT = np.dtype([*((n, TRADE_MSG[n]) for n in TRADE_MSG.names or ()), ("ts_out", "<i8")])


@dataclass(frozen=True, kw_only=True)
class Interval:
    """The symbol of an instrument id on the UTC dates `start <= date < stop`."""

    symbol: str
    instrument_id: int
    start: date
    stop: date


@dataclass(frozen=True, kw_only=True)
class Source:
    """A DBN file of trades with an accepted header.

    Attributes
    ----------
    most_records : int
        An upper bound of its records.
    start, end : int
        Range of the request, ns UTC; it contains the times of all records.
    intervals : tuple of Interval
        The symbols of the instrument ids, by date.
    record : dtype
        The record, with or without the vendor's send timestamp.
    synthetic : bool
        Made by the demo market.
    """

    path: Path
    bytes: int
    most_records: int
    start: int
    end: int
    intervals: tuple[Interval, ...]
    record: np.dtype[Any]
    synthetic: bool


def read_source(path: Path) -> Source:
    """Read and check the header of a DBN file.

    Raises
    ------
    DataError
        If the file is empty, cut, not DBN, of another dataset or schema, or without symbols.
    """
    refuse = _refuser(path)
    with _open(path) as file:
        _check_head(path, file)
        metadata = _read_metadata(path, _decompressed(file))
    if metadata.dataset != DATASET:
        raise refuse(f"holds dataset {metadata.dataset}, not {DATASET}")
    if str(metadata.schema) != "trades":
        held = f"schema {metadata.schema}" if metadata.schema is not None else "mixed records (a live capture)"
        raise refuse(f"holds {held}, not trades: download the trades schema, and keep other files in another folder")
    if metadata.end is None:
        raise refuse(
            "has no end of its time range in its header, like a live capture or a broken stream: "
            "request its dates, with an end, as historical data"
        )
    if not 0 <= metadata.start < metadata.end <= LAST_TIME:
        ends = f"{utc_moment(metadata.start)} to {utc_moment(metadata.end)}"
        raise refuse(f"has an impossible time range, {ends}: its header is damaged, download it again")
    record = TRADE_MSG_TS_OUT if metadata.ts_out else TRADE_MSG
    return Source(
        path=path,
        bytes=path.stat().st_size,
        most_records=_content_bound(path) // record.itemsize,
        start=metadata.start,
        end=metadata.end,
        intervals=tuple(_intervals(path, metadata)),
        record=record,
        synthetic=SYNTHETIC_MARK in metadata.not_found,
    )


def read_batches(source: Source, on_read: Callable[[int], None]) -> Iterator[Array]:
    """Give the records of a file in batches of at most BATCH_RECORDS.

    Parameters
    ----------
    source : Source
    on_read : callable
        Called with the number of bytes read from the disk since the last call.

    Yields
    ------
    array of the source's record dtype
        A view of one buffer; the next batch overwrites it.

    Raises
    ------
    DataError
        If the compressed data is damaged, or the file ends within a record.
    """
    refuse = _refuser(source.path)
    width = source.record.itemsize
    buffer = memoryview(bytearray(BATCH_RECORDS * width))
    with _open(source.path) as file:
        stream, reported = _decompressed(file), 0
        _read_metadata(source.path, stream)
        filled = len(buffer)
        while filled == len(buffer):
            filled = _fill(source.path, stream, buffer)
            on_read(file.tell() - reported)
            reported = file.tell()
            if filled % width:
                raise refuse("ends in the middle of a record: it is cut, download it again")
            if filled:
                yield np.frombuffer(buffer[:filled], source.record)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_READ_BYTES):
            stop_if_interrupted()
            digest.update(part)
    return digest.hexdigest()


# Bytes ------------------------------------------------------------------------------------------------


def _decompressed(file: IO[bytes]) -> IO[bytes]:
    """Return the content of a file, plain or zstd with any number of frames, as a stream."""
    file.seek(0)
    magic = file.read(4)
    file.seek(0)
    if magic != ZSTD_MAGIC:
        return file
    reader = zstandard.ZstdDecompressor().stream_reader(file, read_size=_READ_BYTES, read_across_frames=True)
    return cast("IO[bytes]", reader)


def _content_bound(path: Path) -> int:
    """Walk the zstd blocks of a file by their lengths (RFC 8878, 3.1.1); return the most bytes they can hold.

    Refuses a cut file. The decompressor would return what there is, and take the end of the file for that of the frame.
    """
    cut = _refuser(path)("ends in the middle of its zstd frame: it is cut, download it again")
    with _open(path) as file:
        if file.read(4) != ZSTD_MAGIC:
            return path.stat().st_size
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            at = bound = 0
            while at < len(data):
                stop_if_interrupted()
                try:
                    at, most = _walk_frame(data, at)
                except (struct.error, zstandard.ZstdError):
                    raise cut from None
                bound += most
            if at > len(data):
                raise cut
            return bound


def _walk_frame(data: mmap.mmap, at: int) -> tuple[int, int]:
    """Return where the zstd frame at `at` ends, by the lengths it states, and the most bytes it can hold."""
    (magic,) = struct.unpack_from("<I", data, at)
    if magic & 0xFFFFFFF0 == _SKIPPABLE_FRAME:
        return at + 8 + int(struct.unpack_from("<I", data, at + 4)[0]), 0
    head = data[at : at + 18]
    stated = zstandard.get_frame_parameters(head)
    at += zstandard.frame_header_size(head)
    bound, last = 0, False
    while not last:
        low, high = struct.unpack_from("<HB", data, at)
        block = low | high << 16
        last, kind, size = bool(block & 1), block >> 1 & 3, block >> 3
        bound += size if kind <= _RLE_BLOCK else min(stated.window_size, _MAX_BLOCK)
        at += 3 + (1 if kind == _RLE_BLOCK else size)
    return at + 4 * stated.has_checksum, min(bound, stated.content_size)


def _fill(path: Path, stream: IO[bytes], buffer: memoryview) -> int:
    """Read until the buffer is full or the stream ends; return the bytes read."""
    filled = 0
    try:
        while filled < len(buffer) and (count := stream.readinto(buffer[filled:])):  # type: ignore[attr-defined]
            filled += count
    except zstandard.ZstdError as error:
        raise _refuser(path)(f"is damaged ({error}): download it again") from None
    return filled


def _refuser(path: Path) -> Callable[[str], DataError]:
    return lambda what: DataError(f"{path.name} {what} ({path})")


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})") from None


def _check_head(path: Path, file: IO[bytes]) -> None:
    """Refuse what is not a DBN file, and say what it is."""
    refuse, head = _refuser(path), file.read(64)
    if not head:
        raise refuse("is empty (0 bytes): download it again")
    if head.startswith(b"version https://git-lfs"):
        raise refuse("is a Git LFS pointer, not the data: run git lfs pull")
    if path.suffix == ".dbz" or b"DBZ" in head[:16]:
        raise refuse("is in the legacy DBZ format: convert it to DBN with the vendor's dbn tool")
    if head[:4] == b"PK\x03\x04":
        raise refuse("is a ZIP archive: unpack it and give its folder")
    if head[:4] != ZSTD_MAGIC and head[:3] != b"DBN":
        raise refuse("is neither a DBN file nor zstd")


def _read_metadata(path: Path, stream: IO[bytes]) -> Metadata:
    refuse = _refuser(path)
    prelude = _take(path, stream, 8)
    if prelude[:3] != b"DBN":
        raise refuse("has no DBN header: its beginning is missing")
    cut = refuse("ends inside its header: it is cut, download it again")
    if len(prelude) < 8:
        raise cut
    if prelude[3] not in VERSIONS:
        raise refuse(f"is DBN version {prelude[3]}, this version reads {VERSIONS[0]} to {VERSIONS[-1]}")
    length = int.from_bytes(prelude[4:8], "little")
    if length > MAX_HEADER_BYTES:
        raise refuse(f"has a header of {length} bytes: it is damaged, download it again")
    body = _take(path, stream, length)
    if len(body) < length:
        raise cut
    try:
        return Metadata.decode(prelude + body)
    except (DBNError, ValueError) as error:
        raise refuse(f"has a damaged header ({error})") from None


def _take(path: Path, stream: IO[bytes], size: int) -> bytes:
    buffer = bytearray(size)
    return bytes(buffer[: _fill(path, stream, memoryview(buffer))])


def _intervals(path: Path, metadata: Metadata) -> Iterator[Interval]:
    for symbol, rows in metadata.mappings.items():
        for row in rows:
            if not row["symbol"]:
                continue
            try:
                instrument_id = int(row["symbol"])
            except ValueError:
                raise _refuser(path)(
                    f"maps {symbol} to {row['symbol']!r}: request stype_out instrument_id, not {metadata.stype_out}"
                ) from None
            yield Interval(symbol=symbol, instrument_id=instrument_id, start=row["start_date"], stop=row["end_date"])


def utc_moment(ns: int) -> str:
    """Return a time for an error message, `2024-12-16T14:30:00.125Z`."""
    if not 0 <= ns < 2**63:
        return "undefined"
    moment = datetime.fromtimestamp(ns // NANOS, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ns % NANOS // MILLISECOND:03d}Z"
