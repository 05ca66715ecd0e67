"""Files that appear complete or not at all: written under another name, on the disk, then renamed."""

from __future__ import annotations

import contextlib
import glob
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scalpr_zen.base.engine import alongside, run_aside
from scalpr_zen.base.errors import TapeError, reason

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

FLUSH_SECONDS = 0.3


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield an empty file to write, which replaces `path` at the end of the block, or is removed on any error.

    It is synced to the disk before it gets the name, so a power loss leaves the old file or the new one. Missing
    folders are created, and removed on an error. Leftovers of killed writers of the same file are removed first; live
    writers hold a lock on theirs.

    Raises
    ------
    TapeError
        If anything cannot be written.
    """
    try:
        with new_folder(path.parent):
            _remove_leftovers(path)
            with _part_file(path) as part:
                yield part
    except OSError as error:
        raise TapeError(f"{path} cannot be written: {reason(error)}") from None


@contextlib.contextmanager
def new_folder(folder: Path) -> Iterator[None]:
    """Create a folder with its parents; after an error in the block, remove those that were missing."""
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for place in made:
            with contextlib.suppress(OSError):
                place.rmdir()
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
                part.close()  # Windows neither moves nor removes an open file
            os.replace(part.name, path)  # still locked, or another writer could take it for a leftover
            _sync_folder(path.parent)
        except BaseException:
            part.close()
            Path(part.name).unlink(missing_ok=True)
            raise


def _sync_folder(folder: Path) -> None:
    """Sync a folder, so that a new name survives a power loss; some file systems cannot."""
    if fcntl is None:
        return  # Windows cannot open a folder
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def flushed(path: Path) -> Iterator[None]:
    """Sync a growing file again and again while the block runs, so that little is left for the sync at the end."""
    if fcntl is None:
        yield  # Windows could not remove the file while it is open here
        return
    done = threading.Event()

    def flush() -> None:
        with contextlib.suppress(OSError), path.open("r+b") as file:  # the final sync reports any failure
            while not done.wait(FLUSH_SECONDS):
                os.fsync(file.fileno())

    with alongside(flush):
        try:
            yield
        finally:
            done.set()


def _locked_part(path: Path) -> Any:
    """Create a part file and lock it; repeat if another writer removed it as a leftover before it was locked."""
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
