"""Refusals of preprocess: one clear line, exit code 2 on the command line, nothing written."""

from pathlib import Path

import pytest

from scalpr_zen import ScalprError, Tape, commands, instrument, save_tape
from scalpr_zen.commands import console
from scalpr_zen.data.preprocess import preprocess
from support.dbn_files import trade, utc, write_day

IDS = {"NQZ4": 1, "NQH5": 2, "NQZ4-NQH5": 9}
DAY, NEXT = "2024-12-10", "2024-12-11"
NOON = utc(f"{DAY} 12:00")


def good(folder, day=DAY, ids=IDS, **options):
    begin = utc(f"{day} 12:00")
    return write_day(folder, day, [trade(1, begin + i, 21_000, sequence=i) for i in range(5)], ids, **options)


def command_line(capfd, *arguments) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        console.main(lambda: commands.scalpr.main([str(a) for a in arguments], standalone_mode=False))
    out, err = capfd.readouterr()
    return end.value.code, out, err


def listing(folder: Path) -> dict:
    """Every file below a folder, hidden ones too, with its bytes; and every folder."""
    return {path.relative_to(folder): path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def refused(capfd, paths, root="NQ") -> str:
    """Return the message with which paths are refused, on the command line and in Python, by all the rules."""
    paths = [paths] if isinstance(paths, Path) else paths
    place = paths[0].parent
    tape = place / "cache" / "old.npz"
    tape.parent.mkdir()
    save_tape(Tape.from_prints([NOON, NOON + 1], [3, 4], instrument=instrument(root)), tape)
    before = listing(place)
    code, out, err = command_line(capfd, "preprocess", *paths, "--root", root, "--out", tape)
    with pytest.raises(ScalprError) as error:
        preprocess(paths, instrument(root), tape)
    assert listing(place) == before
    assert (code, out) == (2, "")
    assert err == f"error: {error.value}\n"
    assert len(str(error.value)) > 20
    return str(error.value)
