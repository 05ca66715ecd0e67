"""Aligned `.npz` files that are written column by column: numpy and ZIP tools read them as any other."""

import zipfile
import zlib
from itertools import pairwise

import numpy as np
import pytest

from scalpr_zen.base.npz import ALIGNMENT, MAX_HOLE, NpzWriter, map_npz

DTYPES = {"wide": np.dtype("<i8"), "narrow": np.dtype("<i4"), "byte": np.dtype("i1")}


def columns(length):
    rng = np.random.default_rng(length)
    return {name: rng.integers(-100, 100, length).astype(dtype) for name, dtype in DTYPES.items()}


def write(path, length, capacity, part=1000):
    path.touch()
    with NpzWriter(path) as out:
        out.reserve(DTYPES, capacity)
        for start in range(0, length, part):
            for name, column in columns(length).items():
                out.append(name, column[start : start + part])
        sealed = {name: column.copy() for name, column in out.seal(length).items()}
        out.add("text", np.array("abc"))
        out.close()
    return sealed


def holes(path):
    """Bytes between the end of a member and the header of the next one."""
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        ends = []
        for info in archive.infolist():
            file.seek(info.header_offset + 26)
            lengths = np.frombuffer(file.read(4), "<u2")
            ends.append((info.header_offset, info.header_offset + 30 + int(lengths.sum()) + info.file_size))
    return [begin - end for (_, end), (begin, _) in pairwise(ends)]


@pytest.mark.parametrize(
    ("length", "capacity"), [(0, 0), (0, 10), (1, 1), (5_000, 5_000), (5_000, 5_400), (5_000, 10**7)]
)
def test_columns_read_as_written_whatever_room_was_reserved(tmp_path, length, capacity):
    path, expected = tmp_path / "x.npz", columns(length)
    sealed = write(path, length, capacity)
    with np.load(path) as read:
        mapped, _ = map_npz(path)
        assert read.files == [*expected, "text"]
        for name, column in expected.items():
            assert [a.tolist() for a in (sealed[name], read[name], mapped[name].array)] == [column.tolist()] * 3
            assert mapped[name].crc == zlib.crc32(mapped[name].raw.data)
        assert read["text"] == "abc"
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert all(info.header_offset < path.stat().st_size for info in archive.infolist())


def test_little_unused_room_stays_as_a_hole_and_much_is_closed(tmp_path):
    length = 100_000
    write(tmp_path / "exact.npz", length, length)
    write(tmp_path / "small.npz", length, int(length * (1 + MAX_HOLE)))
    write(tmp_path / "large.npz", length, int(length * (1 + MAX_HOLE)) + 1)
    assert (tmp_path / "large.npz").read_bytes() == (tmp_path / "exact.npz").read_bytes()
    assert holes(tmp_path / "exact.npz") == [0, 0, 0]
    assert all(hole <= MAX_HOLE * length * 8 + ALIGNMENT for hole in holes(tmp_path / "small.npz"))
    assert sum(holes(tmp_path / "small.npz")) > 0


def test_a_column_of_another_length_than_the_sealed_one_is_refused(tmp_path):
    path = tmp_path / "x.npz"
    path.touch()
    with NpzWriter(path) as out:
        out.reserve(DTYPES, 10)
        out.append("wide", np.zeros(3, np.int64))
        with pytest.raises(ValueError, match=r"narrow\.npy ends at byte"):
            out.seal(3)


def test_more_rows_than_there_is_room_for_are_refused(tmp_path):
    path = tmp_path / "x.npz"
    path.touch()
    with NpzWriter(path) as out:
        out.reserve({"byte": DTYPES["byte"]}, 2)
        out.append("byte", np.zeros(3, np.int8))
        with pytest.raises(ValueError, match="had no room"):
            out.seal(3)
