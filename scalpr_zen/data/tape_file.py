"""The file of a tape: an uncompressed `.npz`, written once and checked when it is opened.

`numpy.load` reads it. Each member is aligned to 64 bytes, so the columns are mapped and nothing is copied. Beside
columns and tables it holds one JSON text: the sources of the prints and all that ingest found out about them.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from scalpr_zen.base.arrays import Array
from scalpr_zen.base.checked import is_checked, remember
from scalpr_zen.base.engine import run_all, stop_if_interrupted
from scalpr_zen.base.errors import ParameterError, TapeError
from scalpr_zen.base.instruments import Instrument
from scalpr_zen.base.npz import STEP, Mapped, NpzWriter, crc32_of, map_npz
from scalpr_zen.base.sessions import session_open
from scalpr_zen.data.tables import COLUMNS, TABLES

FORMAT = 3
_AGAIN = "make it again with scalpr preprocess"


def read_tape(path: Path, recheck: bool) -> dict[str, Any]:
    """Map a tape file and check it; return the fields of a `Tape`. See `Tape.open`."""
    try:
        mapped, status = map_npz(path)
        members: dict[str, Any] = {name: member.array for name, member in mapped.items()}
        metadata = json.loads(str(members.pop("metadata")))
    except FileNotFoundError:
        raise TapeError(f"{path} does not exist: make it with scalpr preprocess") from None
    except (OSError, KeyError, ValueError, EOFError, struct.error, zipfile.BadZipFile) as error:
        raise TapeError(f"{path} is not a whole tape ({error}): {_AGAIN}") from None
    found = metadata.get("format") if isinstance(metadata, dict) else None
    if found != FORMAT:
        raise TapeError(f"{path} has tape format {found}, this version reads {FORMAT}: {_AGAIN}")
    _check_members(path, members)
    try:
        instrument = Instrument(**metadata["instrument"])
    except (KeyError, TypeError, ParameterError) as error:
        raise TapeError(f"{path} is not a whole tape (its instrument: {error}): {_AGAIN}") from None
    _check_metadata(path, mapped, metadata)
    if recheck or not is_checked(path, status):
        _check_content(path, mapped)
        remember(path, status)
    return members | {"instrument": instrument, "metadata": metadata}


def finish_tape(out: NpzWriter, segments: Array, sessions: Array, metadata: Mapping[str, Any]) -> None:
    """Write the tables and the metadata of a tape after its sealed columns.

    Parameters
    ----------
    out : NpzWriter
    segments, sessions : arrays of SEGMENT and SESSION
    metadata : mapping
        JSON values. Added are the format, the CRC-32 of each member, and the SHA-256 over all of this: the
        identity of the tape. It covers the columns by their CRC-32 and the SHA-256 of their sources: a SHA-256
        over the columns would take longer than writing them.
    """
    out.add("segments", segments)
    out.add("sessions", sessions)
    kept = {key: value for key, value in metadata.items() if key not in ("format", "crc32", "sha256")}
    about = json.loads(json.dumps({"format": FORMAT, **kept, "crc32": out.crc32}))  # as a reader gets it
    about["sha256"] = _identity(about)
    out.add("metadata", np.array(json.dumps(about)))
    out.close()


def _identity(metadata: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the metadata without its own entry."""
    kept = {key: value for key, value in metadata.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def _check_metadata(path: Path, mapped: Mapping[str, Mapped], metadata: Mapping[str, Any]) -> None:
    """Refuse changed metadata, and a directory with another CRC-32 than the metadata."""
    if _identity(metadata) != metadata.get("sha256"):
        raise _damaged(path, "metadata", "its SHA-256 differs from the one in it")
    written = metadata.get("crc32")
    directory = {name: member.crc for name, member in mapped.items() if name != "metadata"}
    for name, crc in directory.items():
        if not isinstance(written, dict) or written.get(name) != crc:
            raise _damaged(path, name, "the CRC-32 in the file's directory differs from that in the metadata")


def _check_content(path: Path, mapped: Mapping[str, Mapped]) -> None:
    """Refuse a member whose CRC-32 has changed since it was written, and times that decrease."""
    largest_first = sorted(mapped, key=lambda name: -len(mapped[name].raw))
    checks = [_fall, *[crc32_of] * len(mapped)]
    data = [mapped["ts"].array, *(mapped[name].raw for name in largest_first)]
    fall, *crcs = run_all(lambda check, column: check(column), checks, data)
    for name, crc in zip(largest_first, crcs, strict=True):
        if crc != mapped[name].crc:
            raise _damaged(path, name, f"its CRC-32 is {crc:08x}, it was written with {mapped[name].crc:08x}")
    if fall:
        raise _damaged(path, "ts", f"print {fall:,} is earlier than the print before it")


def _fall(ts: Array) -> int:
    """Return the first print that is earlier than the one before it, 0 if there is none."""
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
    expected = {**COLUMNS, **TABLES}
    if set(members) != set(expected):
        raise TapeError(f"{path} is not a whole tape (it holds {', '.join(members)}): {_AGAIN}")
    n = len(members["ts"])
    for name, array in members.items():
        if array.dtype != expected[name] or array.ndim != 1 or (name in COLUMNS and len(array) != n):
            raise TapeError(f"{path} is not a whole tape ({name} has {array.dtype} {array.shape}): {_AGAIN}")
    for name in TABLES:
        starts, stops = members[name]["start"], members[name]["stop"]
        if not np.array_equal(np.r_[0, stops], np.r_[starts, n]):
            raise TapeError(f"{path} is not a whole tape ({name} do not cover its {n} prints): {_AGAIN}")
    for day, _, _, close, _ in members["sessions"].tolist():
        if not _in_session(day, close):
            raise TapeError(f"{path} is not a whole tape (the close of {day} is not in its session): {_AGAIN}")


def _in_session(day: Any, close: int) -> bool:
    try:
        return session_open(day) <= close <= session_open(day + timedelta(days=1))
    except (TypeError, OverflowError):  # not a date, or one beyond the years of Python
        return False
