"""Uncompressed `.npz` files whose members are aligned, so that they can be mapped into memory.

`numpy.load` reads them as any other. They are ZIP files of stored members (PKWARE APPNOTE 6.3, always with ZIP64
sizes); an extra field of zeros pads each member so that its data begins at a multiple of ALIGNMENT. Columns are
written side by side, so they can be filled while their length is unknown.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from scalpr_zen.base.arrays import Array
from scalpr_zen.base.engine import run_all, stop_if_interrupted

ALIGNMENT = 64
_NEEDS, _DATE = 45, 0x21  # ZIP64; 1980-01-01, so that the bytes do not depend on the day
_IN_ZIP64 = 0xFFFFFFFF
_PADDING_FIELD = 0xD935
STEP = 1 << 20
"""Bytes that are read between two checks for Ctrl-C."""
MAX_HOLE = 1 / 8
"""The largest hole after a column, as a share of its length; file systems do not store holes."""


@dataclass
class _Member:
    """One array of the file: `begin` is the offset of its local header, `data` that of its NPY preamble."""

    name: bytes
    begin: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    crc: int = 0

    @property
    def preamble(self) -> bytes:
        """The NPY preamble, which numpy pads to a multiple of 64 bytes: 128 for a column of any length."""
        stream = io.BytesIO()
        descr = {"descr": np.lib.format.dtype_to_descr(self.dtype), "fortran_order": False, "shape": self.shape}
        np.lib.format.write_array_header_1_0(stream, descr)
        return stream.getvalue()

    @property
    def data(self) -> int:
        fixed = self.begin + 30 + len(self.name) + 20 + 4
        return fixed + -fixed % ALIGNMENT

    @property
    def end(self) -> int:
        return self.row(int(np.prod(self.shape)))

    @property
    def size(self) -> int:
        return self.end - self.data

    def row(self, number: int) -> int:
        """Return the offset of a row."""
        return self.data + len(self.preamble) + number * self.dtype.itemsize

    def mapped(self, path: Path) -> Array:
        if not self.shape[0]:
            return np.empty(0, self.dtype)
        return np.memmap(path, self.dtype, "r", self.row(0), self.shape)

    def local_header(self) -> bytes:
        padding = self.data - self.begin - 30 - len(self.name) - 20 - 4
        extra = struct.pack("<HHQQHH", 1, 16, self.size, self.size, _PADDING_FIELD, padding) + bytes(padding)
        sizes = (self.crc, _IN_ZIP64, _IN_ZIP64, len(self.name), len(extra))
        return struct.pack("<4s5H3L2H", b"PK\3\4", _NEEDS, 0, 0, 0, _DATE, *sizes) + self.name + extra

    def directory_entry(self) -> bytes:
        extra = struct.pack("<HHQQQ", 1, 24, self.size, self.size, self.begin)
        sizes = (self.crc, _IN_ZIP64, _IN_ZIP64, len(self.name), len(extra))
        head = struct.pack("<4s6H3L5H2L", b"PK\1\2", _NEEDS, _NEEDS, 0, 0, 0, _DATE, *sizes, 0, 0, 0, 0, _IN_ZIP64)
        return head + self.name + extra


class NpzWriter:
    """Writes an aligned `.npz` file: `reserve`, `append` and `seal` its columns, `add` other arrays, then `close`.

    Parameters
    ----------
    path : Path
        An existing, empty file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._members: list[_Member] = []
        self._files: dict[str, IO[bytes]] = {}

    def __enter__(self) -> NpzWriter:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    @property
    def crc32(self) -> dict[str, int]:
        """The CRC-32 of each finished member."""
        return {member.name.decode().removesuffix(".npy"): member.crc for member in self._members}

    def reserve(self, dtypes: Mapping[str, np.dtype[Any]], capacity: int) -> None:
        """Reserve room for columns of at most `capacity` rows; it takes no space on the disk until it is written."""
        for name, dtype in dtypes.items():
            member = self._member(name, dtype, (capacity,))
            self._files[name] = file = self._path.open("r+b", buffering=0)
            file.seek(member.data + len(member.preamble))

    def append(self, name: str, block: Array) -> None:
        """Write the next rows of a column."""
        write_all(self._files[name], np.ascontiguousarray(block).view(np.uint8).data)

    def seal(self, length: int) -> dict[str, Array]:
        """Finish the columns at their length; return them mapped read-only.

        Unused room stays as a hole in the file if it is small (MAX_HOLE); otherwise the columns are moved together.
        """
        for file, member in zip(self._files.values(), self._members, strict=True):
            if file.tell() != member.row(length) or length > member.shape[0]:
                raise ValueError(
                    f"{member.name.decode()} ends at byte {file.tell()}, not {member.row(length)}, or had no room"
                )
        if self._members[0].shape[0] - length > MAX_HOLE * length:
            self._close_holes(length)
        for member in self._members:
            member.shape = (length,)
        run_all(self._finish, self._members)
        return {name: member.mapped(self._path) for name, member in zip(self._files, self._members, strict=True)}

    def add(self, name: str, array: Array) -> None:
        """Write a whole array."""
        member = self._member(name, array.dtype, array.shape)
        with self._path.open("r+b", buffering=0) as file:
            file.seek(member.data + len(member.preamble))
            write_all(file, np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        self._finish(member)

    def close(self) -> None:
        """Write the directory at the end of the file."""
        entries = b"".join(member.directory_entry() for member in self._members)
        count, begin = len(self._members), self._members[-1].end
        end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, _NEEDS, _NEEDS, 0, 0, count, count, len(entries), begin)
        end += struct.pack("<4sLQL", b"PK\6\7", 0, begin + len(entries), 1)
        end += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(entries), _IN_ZIP64, 0)
        with self._path.open("r+b") as file:
            file.seek(begin)
            file.write(entries + end)
            file.truncate()

    def _member(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> _Member:
        begin = self._members[-1].end if self._members else 0
        self._members.append(_Member(f"{name}.npy".encode(), begin, dtype, shape))
        return self._members[-1]

    def _close_holes(self, length: int) -> None:
        """Move every column to the end of the one before it."""
        begin = 0
        with self._path.open("r+b", buffering=0) as file:
            for member in self._members:
                old, member.begin = member.row(0), begin
                begin, at = member.row(length), member.row(0)
                moved = old - at
                while at < begin:
                    stop_if_interrupted()
                    file.seek(at + moved)
                    if not (data := file.read(min(STEP, begin - at))):
                        raise EOFError(f"{self._path} was cut while it was written")
                    file.seek(at)
                    write_all(file, data)
                    at += len(data)

    def _finish(self, member: _Member) -> None:
        """Write the header of a member whose data is in the file."""
        with self._path.open("r+b", buffering=0) as file:
            file.seek(member.data)
            write_all(file, member.preamble)
            member.crc = crc32_of(np.memmap(file, np.uint8, "r", member.data, member.size))
            file.seek(member.begin)
            write_all(file, member.local_header())


def write_all(file: IO[bytes], data: bytes | memoryview) -> None:
    """Write all data to an unbuffered file, which may accept only a part at a time."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


class Mapped(NamedTuple):
    """A member of a mapped file: its array, all its bytes, uint8 (size,), and the CRC-32 in the directory."""

    array: Array
    raw: Array
    crc: int


def map_npz(path: Path) -> tuple[dict[str, Mapped], os.stat_result]:
    """Map every member of an uncompressed `.npz` file; scalars are read.

    The second value is the status of the mapped file, which another file may replace by name meanwhile.

    Raises
    ------
    OSError, ValueError, KeyError, EOFError, struct.error, zipfile.BadZipFile
        If the file is not complete or of another kind.
    """
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        about = os.fstat(file.fileno())
        return {info.filename.removesuffix(".npy"): _map(file, info) for info in archive.infolist()}, about


def crc32_of(raw: Array) -> int:
    """Return the CRC-32 of bytes, uint8 (size,)."""
    crc = 0
    for start in range(0, len(raw), STEP):
        stop_if_interrupted()
        crc = zlib.crc32(raw[start : start + STEP].data, crc)
    return crc


def _map(file: IO[bytes], info: zipfile.ZipInfo) -> Mapped:
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{info.filename} is compressed")
    file.seek(info.header_offset)
    name_length, extra_length = struct.unpack("<26xHH", file.read(30))
    begin = info.header_offset + 30 + name_length + extra_length
    raw = np.memmap(file, np.uint8, "r", begin, info.file_size)
    file.seek(begin)
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"{info.filename} has NPY version {version}")
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    if shape == ():
        array: Array = np.frombuffer(file.read(dtype.itemsize), dtype).reshape(())
    elif 0 in shape:
        array = np.empty(shape, dtype)
    else:
        array = np.memmap(file, dtype, "r", file.tell(), shape)
    return Mapped(array, np.asarray(raw), info.CRC)
