"""The tape: the time-ordered prints of the front month, and the one file that holds it.

The file is an uncompressed `.npz` that `numpy.load` reads as it is. Each member is aligned to 64 bytes,
so that `Tape.open` maps the columns where they lie and copies nothing. Beside the columns it holds the
segments, the sessions and one JSON text with all that is known about where the prints came from.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import struct
import tempfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.blocks import BLOCK, Blocks, blocks_of, range_of
from scalpr_zen.base.checked import is_checked, remember
from scalpr_zen.base.engine import alongside, run_all, run_aside, stop_if_interrupted
from scalpr_zen.base.errors import ParameterError, TapeError, reason
from scalpr_zen.base.instruments import Instrument
from scalpr_zen.base.npz import STEP, Mapped, NpzWriter, crc32_of, map_npz
from scalpr_zen.base.params import MAX_TICKS, NANOS
from scalpr_zen.base.sessions import Dates, Int64, session_dates, session_open, session_time
from scalpr_zen.data.calendar import close_ledger, late_and_early, missing_dates, session_closes

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

FORMAT = 3
FLUSH_SECONDS = 0.3
COLUMNS: dict[str, np.dtype[Any]] = {
    "ts": np.dtype("<i8"),
    "price": np.dtype("<i4"),
    "size": np.dtype("<i4"),
    "aggressor": np.dtype("i1"),
}
SEGMENT = np.dtype([("contract", "<U24"), ("start", "<i8"), ("stop", "<i8")])
SESSION = np.dtype([("date", "<M8[D]"), ("start", "<i8"), ("stop", "<i8"), ("close", "<i8"), ("whole", "?")])
_ALLOWED = {"price": (-MAX_TICKS, MAX_TICKS), "size": (0, 2**31 - 1), "aggressor": (-1, 1)}
"""What fills can be counted from; ingest refuses the same."""
_EPOCH_YEARS = (1990, 2100)
_TIMES = tuple((date(year, 1, 1) - date(1970, 1, 1)).days * 86_400 * NANOS for year in _EPOCH_YEARS)
"""Times that prints may have, ns UTC: before CME's Globex there were none, and what lies beyond is of another unit."""
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
        Session date, print range, scheduled close in ns UTC, and whether the prints cover it from near its open to
        near its close; the sessions cover the tape.
    instrument : Instrument
        Tick size and point value.
    metadata : dict
        Sources, record ledger, roll ledger, closes, missing session dates, hash; what `scalpr info` prints.
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

    @cached_property
    def blocks(self) -> Blocks:
        """Lowest and highest price of each block of prints; read once."""
        return blocks_of(self.price)

    @cached_property
    def widest_range(self) -> int:
        """Highest less lowest price of the segment where that is largest, in ticks; 0 without prints."""
        bounds = zip(self.segments["start"].tolist(), self.segments["stop"].tolist(), strict=True)
        return max((range_of(self.price, self.blocks, start, stop) for start, stop in bounds), default=0)

    @cached_property
    def price_range(self) -> int:
        """Ticks from the lowest to the highest price; 0 without prints."""
        low, high = self.blocks
        return int(high.max()) - int(low.min()) if len(low) else 0

    @cached_property
    def session_range(self) -> int:
        """Ticks that the price moves at most between any two prints of a session date and the last print before it.

        From the blocks that hold them: it may be more by what lies in the rest of these, and is never less.
        """
        low, high = self.blocks
        first = np.maximum(self.sessions["start"] - 1, 0) // BLOCK
        stop = (self.sessions["stop"] - 1) // BLOCK + 1
        bounds = zip(first.tolist(), stop.tolist(), strict=True)
        return max((int(high[a:b].max()) - int(low[a:b].min()) for a, b in bounds), default=0)

    @property
    def synthetic(self) -> bool:
        """Whether the prints were made by the demo market."""
        return bool(self.metadata.get("synthetic", False))

    @property
    def missing(self) -> list[str]:
        """Scheduled session dates between the first and the last one that have no print, ISO."""
        return list(self.metadata.get("missing", []))

    @property
    def incomplete(self) -> list[str]:
        """Session dates whose prints do not cover them from near their open to near their close, ISO."""
        return [str(day) for day in self.sessions["date"][~self.sessions["whole"]]]

    @cached_property
    def late_and_early(self) -> tuple[Array, Array]:
        """Whether the prints of each session begin late, and whether they end early; both False where it is whole."""
        table = self.sessions
        first, last = self.ts[table["start"]], self.ts[table["stop"] - 1]
        late, early = late_and_early(self.instrument.calendar, table["date"], table["close"], first, last)
        return late & ~table["whole"], early & ~table["whole"]

    @classmethod
    def open(cls, path: str | Path, *, recheck: bool = False) -> Tape:
        """Map a tape file into memory, and check that it is the one that was written.

        Every column is read against its CRC-32 the first time that a file is opened; a file that has not changed since
        (path, size, times) opens at once, whatever its size.

        Parameters
        ----------
        path : path
        recheck : bool
            Read every column again, though the file was found whole before.

        Raises
        ------
        TapeError
            If the file is missing, truncated, damaged, no tape, or of another format.
        """
        path = Path(path)
        again = "make it again with scalpr preprocess"
        try:
            mapped, status = map_npz(path)
            members = {name: member.array for name, member in mapped.items()}
            metadata = json.loads(str(members.pop("metadata")))
        except FileNotFoundError:
            raise TapeError(f"{path} does not exist: make it with scalpr preprocess") from None
        except (OSError, KeyError, ValueError, EOFError, struct.error, zipfile.BadZipFile) as error:
            raise TapeError(f"{path} is not a whole tape ({error}): {again}") from None
        found = metadata.get("format") if isinstance(metadata, dict) else None
        if found != FORMAT:
            raise TapeError(f"{path} has tape format {found}, this version reads {FORMAT}: {again}")
        _check_members(path, members)
        try:
            contract = Instrument(**metadata["instrument"])
        except (KeyError, TypeError, ParameterError) as error:
            raise TapeError(f"{path} is not a whole tape (its instrument: {error}): {again}") from None
        _check_metadata(path, mapped, metadata)
        if recheck or not is_checked(path, status):
            _check_content(path, mapped)
            remember(path, status)
        return cls(**members, instrument=contract, metadata=metadata)

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
        closes: Mapping[str, str] | None = None,
        whole: Any = None,
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
        closes : mapping of session date to Chicago time, optional
            Closes that differ from the calendar of the instrument, ``{"2024-12-24": "12:15"}``.
        whole : bool or array_like of bool, shape (session dates,), optional
            Whether the prints cover each session date. Default: judged by its schedule.
        metadata : mapping, optional
            What else is known. Added are `closes` and `missing`, where they are not given.

        Raises
        ------
        TapeError
            If a column is not of whole numbers in its range, the lengths differ, the times decrease or are not of
            1990 to 2099, or a close is no time of a session date.
        """
        ts = _column("ts", ts, _FROM_DATETIMES)
        n = len(ts)
        _refuse_times(ts)
        columns = {
            "ts": ts,
            "price": _column("price", price, _FROM_POINTS.format(nanos=instrument.tick_nanos)),
            "size": _column("size", np.ones(n, np.int32) if size is None else size),
            "aggressor": _column("aggressor", np.zeros(n, np.int8) if aggressor is None else aggressor),
        }
        contracts = np.full(n, instrument.root) if contract is None else np.asarray(contract, dtype="U24")
        if any(len(column) != n for column in (*columns.values(), contracts)):
            raise TapeError("the columns of a tape must have one length")
        for name, (low, high) in _ALLOWED.items():
            if n and not (low <= columns[name].min() and columns[name].max() <= high):
                found = f"{columns[name].min()} to {columns[name].max()}"
                raise TapeError(f"{name} must be {low} to {high}{' ticks' * (name == 'price')}, was {found}")
        if n and (np.diff(ts) < 0).any():
            raise TapeError("the times of a tape must never decrease: sort the prints by time")
        sessions, known = _sessions(ts, instrument.calendar, closes or {}, whole)
        return cls(
            **columns,
            segments=runs(contracts, SEGMENT),
            sessions=sessions,
            instrument=instrument,
            metadata={**known, **(metadata or {})},
        )

    def cut(self, stop: int) -> Tape:
        """Return the tape of the first `stop` prints; see `part`."""
        return self.part(0, stop)

    def part(self, start: int, stop: int) -> Tape:
        """Return the tape of the prints start:stop, sharing memory with this one.

        Of the metadata it keeps whether it is synthetic, and the missing dates between its own: ledgers and hash are
        those of the whole. A session date that is cut beyond REACH of its schedule is not whole any more.
        """
        columns: dict[str, Any] = {name: getattr(self, name)[start:stop] for name in COLUMNS}
        tables: dict[str, Any] = {name: _cut_ranges(getattr(self, name), start, stop) for name in _TABLES}
        part = Tape(**columns, **tables, instrument=self.instrument)
        part.metadata["synthetic"] = self.synthetic
        if len(dates := part.sessions["date"]):
            part.metadata["missing"] = [day for day in self.missing if str(dates[0]) < day < str(dates[-1])]
            ends = part.sessions[[0, -1]]
            cut = [not self._begins_a_session(start), not self._begins_a_session(stop)]
            late, early = late_and_early(
                self.instrument.calendar, ends["date"], ends["close"], part.ts[ends["start"]], part.ts[ends["stop"] - 1]
            )
            part.sessions["whole"][0] &= not (cut[0] and late[0])
            part.sessions["whole"][-1] &= not (cut[1] and early[1])
        return part

    def _begins_a_session(self, index: int) -> bool:
        return index >= len(self) or index in self.sessions["start"]


def signal_error(signals: Any, length: int) -> str:
    """Return what the signals of a tape of this length must be, and what these are instead; empty where they fit it."""
    if not isinstance(signals, np.ndarray) or signals.dtype != np.int8 or signals.shape != (length,):
        shape = f"{getattr(signals, 'dtype', type(signals).__name__)} {getattr(signals, 'shape', '')}".strip()
        return f"int8 ({length},), one a print, were {shape}"
    low, high = (int(signals.min()), int(signals.max())) if length else (0, 0)
    return f"-1, 0 or +1, were {low} to {high}" if low < -1 or high > 1 else ""


_FROM_POINTS = (
    "ticks; from points: np.rint(np.asarray(points) * 1e9).astype(np.int64) // {nanos}; "
    "prices must be on the tick grid; see the recipe in docs/data.md"
)
_FROM_DATETIMES = 'ns UTC; from datetime64 in UTC: ts.astype("M8[ns]").astype(np.int64)'


def _refuse_times(ts: Array) -> None:
    """Refuse times of prints that cannot be, and name the unit that they look like."""
    if not len(ts):
        return
    low, high = int(ts.min()), int(ts.max())
    first, end = _TIMES
    if first <= low and high < end:
        return
    units = {"s": NANOS, "ms": NANOS // 1_000, "us": 1_000}
    likely = [
        f"; these look like {u}: multiply by {k:,}" for u, k in units.items() if first <= low * k <= high * k < end
    ]
    years = f"{_EPOCH_YEARS[0]} to {_EPOCH_YEARS[1] - 1}"
    raise TapeError(f"ts must be ns UTC, of the years {years}, was {low} to {high}{''.join(likely)}")


def _column(name: str, values: Any, unit: str = "") -> Array:
    """Return a column in its type; refuse what would not fit into it unchanged, and name the unit that it needs."""
    dtype, given = COLUMNS[name], np.asarray(values)
    if given.size == 0:
        given = given.astype(dtype)
    limits = np.iinfo(dtype)
    if given.ndim != 1 or given.dtype.kind not in "iu":
        needed = f"{name} must be whole numbers, one a print, was {given.dtype} {given.shape}"
        raise TapeError(f"{needed}: {name} is in {unit}" if unit else needed)
    if given.size and not (limits.min <= given.min() and given.max() <= limits.max):
        raise TapeError(f"{name} must be {limits.min} to {limits.max}, was {given.min()} to {given.max()}")
    column = np.ascontiguousarray(given, dtype).view()
    column.flags.writeable = False  # as those of a mapped tape: no strategy may change what the run will trade
    return column


def _sessions(ts: Array, calendar: str, given: Mapping[str, str], whole: Any) -> tuple[Array, dict[str, Any]]:
    """Return the table of sessions, and what is known of their closes and of the dates that are missing."""
    table = runs(session_dates(ts, calendar), SESSION)
    scheduled = session_closes(calendar, table["date"])
    table["close"] = _closes(table["date"], scheduled.ns, given)
    table["whole"] = covered(calendar, table, ts[table["start"]], ts[table["stop"] - 1])
    if whole is not None:
        table["whole"] = _whole(whole, len(table))
    after = int((ts > np.repeat(table["close"], table["stop"] - table["start"])).sum())
    closes = close_ledger(calendar, table["date"], scheduled._replace(ns=table["close"]), after)
    return table, {"closes": closes, "missing": missing_dates(calendar, table["date"])}


def covered(calendar: str, sessions: Array, first: Int64, last: Int64) -> Array:
    """Return whether the prints of each session, of which these are the first and the last, are as of a whole one."""
    late, early = late_and_early(calendar, sessions["date"], sessions["close"], first, last)
    return np.asarray(~(late | early))


def _whole(given: Any, dates: int) -> Array:
    flags = np.asarray(given)
    if flags.dtype != np.bool_ or flags.shape not in ((), (dates,)):
        raise TapeError(f"whole must be a bool, or one for each of the {dates} session dates, was {given!r}")
    return flags


def _closes(dates: Dates, scheduled: Int64, given: Mapping[str, str]) -> Int64:
    """Return the close of each session date, ns UTC: the scheduled one, or what is given."""
    closes = scheduled.copy()
    for day, time in given.items():
        try:
            there = dates == np.datetime64(date.fromisoformat(day))
            at = datetime.strptime(time, "%H:%M")
        except (TypeError, ValueError):
            raise TapeError(f"closes must be like {{'2024-12-24': '12:15'}}, was {{{day!r}: {time!r}}}") from None
        closes[there] = session_time(date.fromisoformat(day), 60 * at.hour + at.minute)
    return closes


def runs(labels: Array, dtype: np.dtype[Any]) -> Array:
    """Return the runs of equal neighbours of `labels` (n,) as a table of label, start and stop."""
    starts = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]]) if len(labels) else np.empty(0, np.int64)
    table = np.empty(len(starts), dtype)
    table[dtype.names[0]] = labels[starts]  # type: ignore[index]
    table["start"] = starts
    table["stop"] = np.r_[starts[1:], len(labels)] if len(starts) else starts
    return table


def _cut_ranges(table: Array, start: int, stop: int) -> Array:
    kept = table[(table["start"] < stop) & (table["stop"] > start)].copy()
    kept["start"] = np.maximum(kept["start"], start) - start
    kept["stop"] = np.minimum(kept["stop"], stop) - start
    return kept


# Writing ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give an empty file to write that takes the place of `path` at the end, or vanishes on any error.

    It is on the disk before it has the name, so that a loss of power leaves the old file or the new one. Folders that
    are missing are made, and vanish with it. Leftovers of killed writers of the same file are removed first; a lock
    tells them from live ones.

    Raises
    ------
    TapeError
        If anything cannot be written.
    """
    made = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        with _part_file(path) as part:
            yield part
    except BaseException as error:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError):
            raise TapeError(f"{path} cannot be written: {reason(error)}") from None
        raise


@contextlib.contextmanager
def _part_file(path: Path) -> Iterator[Path]:
    with _locked_part(path) as part:
        try:
            if fcntl is not None:
                os.chmod(part.name, 0o666 & ~_umask())
            yield Path(part.name)
            run_aside(os.fsync, part.fileno())  # the disk may take seconds
            if fcntl is None:
                part.close()  # Windows moves no open file, and removes none
            os.replace(part.name, path)  # still locked, or a sweep could take it for a leftover
            _sync_folder(path.parent)
        except BaseException:
            part.close()
            Path(part.name).unlink(missing_ok=True)
            raise


def _sync_folder(folder: Path) -> None:
    """Have the disk keep a new name; a file system that cannot do so for a folder keeps names in its own way."""
    if fcntl is None:
        return  # Windows opens no folder
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def flushed(path: Path) -> Iterator[None]:
    """Have the disk write a growing file while the block runs, so that little is left for the sync at its end."""
    done = threading.Event()

    def flush() -> None:
        with contextlib.suppress(OSError), path.open("r+b") as file:  # the sync at the end reports what fails here
            while not done.wait(FLUSH_SECONDS):
                os.fsync(file.fileno())

    with alongside(flush):
        try:
            yield
        finally:
            done.set()


def _locked_part(path: Path) -> Any:
    """Make a part file and lock it; again, if another writer took it for a leftover before it was locked."""
    while True:
        part = tempfile.NamedTemporaryFile(  # noqa: SIM115
            dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False
        )
        if fcntl is not None:
            fcntl.flock(part, fcntl.LOCK_EX)
        if os.path.exists(part.name):
            return part
        part.close()


def _remove_leftovers(path: Path) -> None:
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with contextlib.suppress(OSError), leftover.open("rb") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def finish_tape(out: NpzWriter, segments: Array, sessions: Array, metadata: Mapping[str, Any]) -> None:
    """Write the tables and the metadata of a tape behind its columns, which are sealed.

    Parameters
    ----------
    out : NpzWriter
    segments, sessions : arrays of SEGMENT and SESSION
    metadata : mapping
        JSON values. Added are the format, the CRC-32 of each member, and the SHA-256 over all of this: the
        identity of the tape. It covers the columns by their CRC-32 and by the SHA-256 of their sources, as
        a SHA-256 of a year of columns would take longer than all else that is done to them.
    """
    out.add("segments", segments)
    out.add("sessions", sessions)
    kept = {key: value for key, value in metadata.items() if key not in ("format", "crc32", "sha256")}
    about = json.loads(json.dumps({"format": FORMAT, **kept, "crc32": out.crc32}))  # as a reader will find it
    about["sha256"] = _identity(about)
    out.add("metadata", np.array(json.dumps(about)))
    out.close()


def _identity(metadata: Mapping[str, Any]) -> str:
    """Return the SHA-256 of all metadata but itself."""
    kept = {key: value for key, value in metadata.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def save_tape(tape: Tape, path: str | Path) -> Path:
    """Write a tape in memory to `path`, whole or not at all, and return the path."""
    path = Path(path)
    instrument = {name: getattr(tape.instrument, name) for name in Instrument.__dataclass_fields__}
    with atomic_write(path) as part, NpzWriter(part) as out:
        out.reserve(COLUMNS, len(tape))
        for name in COLUMNS:
            out.append(name, getattr(tape, name))
        out.seal(len(tape))
        finish_tape(out, tape.segments, tape.sessions, {"instrument": instrument, **tape.metadata})
    return path


def _check_metadata(path: Path, mapped: Mapping[str, Mapped], metadata: Mapping[str, Any]) -> None:
    """Refuse metadata other than what was written, and a directory with another CRC-32 than theirs."""
    if _identity(metadata) != metadata.get("sha256"):
        raise _damaged(path, "metadata", "its SHA-256 is not the one that it names")
    written = metadata.get("crc32")
    directory = {name: member.crc for name, member in mapped.items() if name != "metadata"}
    for name, crc in directory.items():
        if not isinstance(written, dict) or written.get(name) != crc:
            raise _damaged(path, name, "the CRC-32 of the file's directory is not that of the metadata")


def _check_content(path: Path, mapped: Mapping[str, Mapped]) -> None:
    """Refuse a member with another CRC-32 than it was written with, and times that decrease."""
    largest_first = sorted(mapped, key=lambda name: -len(mapped[name].raw))
    checks = [_fall, *[crc32_of] * len(mapped)]
    data = [mapped["ts"].array, *(mapped[name].raw for name in largest_first)]
    fall, *crcs = run_all(lambda check, column: check(column), checks, data)
    for name, crc in zip(largest_first, crcs, strict=True):
        if crc != mapped[name].crc:
            raise _damaged(path, name, f"its CRC-32 is {crc:08x}, it was written with {mapped[name].crc:08x}")
    if fall:
        raise _damaged(path, "ts", f"the time of print {fall:,} is before that of the print ahead of it")


def _fall(ts: Array) -> int:
    """Return the first print that is earlier than the one before it, 0 without any."""
    times, step = np.asarray(ts), STEP // ts.itemsize
    for start in range(1, len(times), step):
        stop_if_interrupted()
        later = times[start : start + step]
        falls = later < times[start - 1 : start - 1 + len(later)]
        if falls.any():
            return start + int(falls.argmax())
    return 0


def _damaged(path: Path, member: str, why: str) -> TapeError:
    return TapeError(f"{path} is damaged ({member}: {why}): copy it again, or make it again with scalpr preprocess")


def _check_members(path: Path, members: Mapping[str, Array]) -> None:
    expected = {**COLUMNS, **_TABLES}
    if set(members) != set(expected):
        raise TapeError(f"{path} is not a whole tape (it holds {', '.join(members)}): make it again")
    n = len(members["ts"])
    for name, array in members.items():
        if array.dtype != expected[name] or array.ndim != 1 or (name in COLUMNS and len(array) != n):
            raise TapeError(f"{path} is not a whole tape ({name} has {array.dtype} {array.shape}): make it again")
    for name in _TABLES:
        starts, stops = members[name]["start"], members[name]["stop"]
        if not np.array_equal(np.r_[0, stops], np.r_[starts, n]):
            raise TapeError(f"{path} is not a whole tape ({name} do not cover its {n} prints): make it again")
    for day, _, _, close, _ in members["sessions"].tolist():
        if not _in_session(day, close):
            raise TapeError(f"{path} is not a whole tape (the close of {day} is not in its session): make it again")


def _in_session(day: Any, close: int) -> bool:
    try:
        return session_open(day) <= close <= session_open(day + timedelta(days=1))
    except (TypeError, OverflowError):  # no date, or one that Python has not
        return False
