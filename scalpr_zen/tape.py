"""The tape: the time-ordered prints of the front month, and the one file that holds it.

The file is an uncompressed `.npz` that `numpy.load` reads as it is. Each member is aligned to 64 bytes,
so that `Tape.open` maps the columns where they lie and copies nothing. Beside the columns it holds the
segments, the sessions and one JSON text with all that is known about where the prints came from.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import struct
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.errors import TapeError
from scalpr_zen.instruments import Instrument
from scalpr_zen.sessions import session_dates

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

FORMAT = 1
ALIGNMENT = 64
COLUMNS: dict[str, np.dtype[Any]] = {
    "ts": np.dtype("<i8"),
    "price": np.dtype("<i4"),
    "size": np.dtype("<i4"),
    "aggressor": np.dtype("i1"),
}
SEGMENT = np.dtype([("contract", "<U24"), ("start", "<i8"), ("stop", "<i8")])
SESSION = np.dtype([("date", "<M8[D]"), ("start", "<i8"), ("stop", "<i8")])
_TABLES = {"segments": SEGMENT, "sessions": SESSION}

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tape:
    """The prints of one front month after another, as columns of equal length n.

    Attributes
    ----------
    ts : array of int64, shape (n,)
        Exchange time of each print, ns UTC, never decreasing.
    price : array of int32, shape (n,)
        Price in ticks of the instrument.
    size : array of int32, shape (n,)
        Contracts.
    aggressor : array of int8, shape (n,)
        Buyer +1, seller -1, unknown 0.
    segments : array of SEGMENT, shape (number of contracts in a row,)
        Contract and print range `start:stop` from roll to roll; the segments cover the tape.
    sessions : array of SESSION, shape (number of session dates with prints,)
        Session date and print range; the sessions cover the tape.
    instrument : Instrument
        Tick size and point value.
    metadata : dict
        Sources, record ledger, roll ledger, hash; what `scalpr info` prints.
    """

    ts: Array
    price: Array
    size: Array
    aggressor: Array
    segments: Array
    sessions: Array
    instrument: Instrument
    metadata: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def synthetic(self) -> bool:
        """Whether the prints were made by the demo market."""
        return bool(self.metadata.get("synthetic", False))

    @classmethod
    def open(cls, path: str | Path) -> Tape:
        """Map a tape file into memory. Instant for any size; no column is read.

        Raises
        ------
        TapeError
            If the file is missing, truncated, no tape, or of another format.
        """
        path = Path(path)
        try:
            with path.open("rb") as file, zipfile.ZipFile(file) as archive:
                metadata = _read_metadata(archive, path)
                members = {
                    name: _map_member(path, file, archive.getinfo(f"{name}.npy")) for name in (*COLUMNS, *_TABLES)
                }
        except FileNotFoundError:
            raise TapeError(f"{path} does not exist: make it with scalpr preprocess") from None
        except (OSError, KeyError, ValueError, EOFError, struct.error, zipfile.BadZipFile) as error:
            raise TapeError(f"{path} is not a whole tape ({error}): make it again with scalpr preprocess") from None
        _check_members(path, members)
        return cls(**members, instrument=Instrument(**metadata["instrument"]), metadata=metadata)

    @classmethod
    def from_prints(
        cls,
        ts: Any,
        price: Any,
        *,
        instrument: Instrument,
        size: Any = None,
        aggressor: Any = None,
        contract: Any = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Tape:
        """Make a tape in memory from plain columns, for tests, notebooks and other vendors' data.

        Parameters
        ----------
        ts : array_like of int, shape (n,)
            ns UTC, never decreasing.
        price : array_like of int, shape (n,)
            Ticks.
        instrument : Instrument
        size, aggressor : array_like of int, shape (n,), optional
            Contracts (default 1) and side of the aggressor (default 0, unknown).
        contract : array_like of str, shape (n,), optional
            Contract of each print; a change starts a segment. Default: one segment of the root's name.

        Raises
        ------
        TapeError
            If the columns differ in length or the times decrease.
        """
        ts = np.ascontiguousarray(ts, dtype=np.int64)
        n = len(ts)
        columns = {
            "ts": ts,
            "price": np.ascontiguousarray(price, dtype=np.int32),
            "size": np.ones(n, np.int32) if size is None else np.ascontiguousarray(size, dtype=np.int32),
            "aggressor": np.zeros(n, np.int8) if aggressor is None else np.ascontiguousarray(aggressor, dtype=np.int8),
        }
        contracts = np.full(n, instrument.root) if contract is None else np.asarray(contract, dtype="U24")
        if any(len(column) != n for column in (*columns.values(), contracts)):
            raise TapeError("the columns of a tape must have one length")
        if n and (np.diff(ts) < 0).any():
            raise TapeError("the times of a tape must never decrease: sort the prints by time")
        segments = runs(contracts, SEGMENT)
        sessions = runs(session_dates(ts), SESSION)
        return cls(
            **columns, segments=segments, sessions=sessions, instrument=instrument, metadata=dict(metadata or {})
        )

    def cut(self, stop: int) -> Tape:
        """Return the tape of the first `stop` prints, sharing memory with this one."""
        columns = {name: getattr(self, name)[:stop] for name in COLUMNS}
        tables = {name: _cut_ranges(getattr(self, name), stop) for name in _TABLES}
        return Tape(**columns, **tables, instrument=self.instrument, metadata=self.metadata)


def runs(labels: Array, dtype: np.dtype[Any]) -> Array:
    """Return the runs of equal neighbours of `labels` (n,) as a table of label, start and stop."""
    starts = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]]) if len(labels) else np.empty(0, np.int64)
    table = np.empty(len(starts), dtype)
    table[dtype.names[0]] = labels[starts]  # type: ignore[index]
    table["start"] = starts
    table["stop"] = np.r_[starts[1:], len(labels)] if len(starts) else starts
    return table


def _cut_ranges(table: Array, stop: int) -> Array:
    kept = table[table["start"] < stop].copy()
    kept["stop"] = np.minimum(kept["stop"], stop)
    return kept


# Writing ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def whole_or_not_at_all(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to write that takes the place of `path` at the end, or vanishes on any error.

    Leftovers of killed writers of the same file are removed first; a lock tells them from live ones.
    """
    _remove_leftovers(path)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False) as part:
        try:
            if fcntl is not None:
                fcntl.flock(part, fcntl.LOCK_EX)
            yield part
            part.flush()
            os.fsync(part.fileno())
            if fcntl is not None:
                os.chmod(part.name, 0o666 & ~_umask())
            part.close()
            os.replace(part.name, path)
        except BaseException:
            part.close()
            Path(part.name).unlink(missing_ok=True)
            raise


def _remove_leftovers(path: Path) -> None:
    for leftover in path.parent.glob(f".{path.name}.*.part"):
        with contextlib.suppress(OSError), leftover.open("rb") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_tape(
    file: IO[bytes],
    length: int,
    columns: Mapping[str, Iterable[Array]],
    segments: Array,
    sessions: Array,
    metadata: Mapping[str, Any],
) -> None:
    """Write a tape file, column after column, from blocks.

    Parameters
    ----------
    file : binary file
        Where to write; see `whole_or_not_at_all`.
    length : int
        Prints of the tape.
    columns : mapping of str to iterable of arrays
        For each of COLUMNS its blocks in order, `length` rows together.
    segments, sessions : arrays of SEGMENT and SESSION
    metadata : mapping
        JSON values. Added are the format, the CRC-32 of each member, and the SHA-256 over all of this: the
        identity of the tape. It covers the columns by their CRC-32 and by the SHA-256 of their sources, as
        a second pass over a year of columns would take longer than all else that is done to them.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, dtype in COLUMNS.items():
            with _member(archive, file, name) as member:
                member.write(_npy_header(dtype, (length,)))
                for block in columns[name]:
                    member.write(np.ascontiguousarray(block, dtype).view(np.uint8).data)
        for name, table in (("segments", segments), ("sessions", sessions)):
            with _member(archive, file, name) as member:
                member.write(_npy_header(table.dtype, table.shape) + table.tobytes())
        crc = {Path(info.filename).stem: info.CRC for info in archive.infolist()}
        about = {"format": FORMAT, **metadata, "crc32": crc}
        about["sha256"] = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
        with _member(archive, file, "metadata") as member:
            text = np.array(json.dumps(about))
            member.write(_npy_header(text.dtype, ()) + text.tobytes())


def save_tape(tape: Tape, path: str | Path) -> Path:
    """Write a tape in memory to `path`, whole or not at all, and return the path."""
    path = Path(path)
    instrument = {name: getattr(tape.instrument, name) for name in Instrument.__dataclass_fields__}
    columns = {name: [getattr(tape, name)] for name in COLUMNS}
    with whole_or_not_at_all(path) as file:
        write_tape(file, len(tape), columns, tape.segments, tape.sessions, {"instrument": instrument, **tape.metadata})
    return path


@contextlib.contextmanager
def _member(archive: zipfile.ZipFile, file: IO[bytes], name: str) -> Iterator[IO[bytes]]:
    """Open a member whose data begins on a multiple of ALIGNMENT, by an extra field of that length."""
    info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
    zip64_extra = 20
    begin = file.tell() + 30 + len(info.filename) + zip64_extra + 4
    info.extra = struct.pack("<HH", 0xD935, -begin % ALIGNMENT) + bytes(-begin % ALIGNMENT)
    with archive.open(info, "w", force_zip64=True) as member:
        yield member


def _npy_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Return the NPY preamble, which numpy pads to a multiple of 64 bytes."""
    stream = io.BytesIO()
    descr = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, descr)
    return stream.getvalue()


# Reading ----------------------------------------------------------------------------------------------


def _read_metadata(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    with archive.open("metadata.npy") as member:
        metadata = json.loads(np.lib.format.read_array(member, allow_pickle=False).item())
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        found = metadata.get("format") if isinstance(metadata, dict) else None
        raise TapeError(
            f"{path} has tape format {found}, this version reads {FORMAT}: make it again with scalpr preprocess"
        )
    return metadata


def _map_member(path: Path, file: IO[bytes], info: zipfile.ZipInfo) -> Array:
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{info.filename} is compressed")
    file.seek(info.header_offset)
    name_length, extra_length = struct.unpack("<26xHH", file.read(30))
    file.seek(info.header_offset + 30 + name_length + extra_length)
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"{info.filename} has NPY version {version}")
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    if shape == (0,):
        return np.empty(0, dtype)
    return np.memmap(path, dtype, "r", file.tell(), shape)


def _check_members(path: Path, members: Mapping[str, Array]) -> None:
    n = len(members["ts"])
    expected = {**COLUMNS, **_TABLES}
    for name, array in members.items():
        if array.dtype != expected[name] or array.ndim != 1 or (name in COLUMNS and len(array) != n):
            raise TapeError(f"{path} is not a whole tape ({name} has {array.dtype} {array.shape}): make it again")
    for name in _TABLES:
        starts, stops = members[name]["start"], members[name]["stop"]
        if not np.array_equal(np.r_[0, stops], np.r_[starts, n]):
            raise TapeError(f"{path} is not a whole tape ({name} do not cover its {n} prints): make it again")
