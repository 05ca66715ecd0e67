"""Which files were found whole: a small file in the user's cache folder, so that each is read in full only once.

The file is no more than a help: where it cannot be read or written, files are checked again.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

_NAME = "checked_tapes.json"
_KEPT = 500
"""Files that are remembered at most, the latest."""


def cache_folder() -> Path:
    """Return the folder of what this package remembers for a user: XDG_CACHE_HOME, or what stands for it."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "scalpr_zen"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", tempfile.gettempdir())) / "scalpr_zen"
    return Path(os.path.expanduser("~")) / ".cache" / "scalpr_zen"


def is_checked(path: Path, about: os.stat_result) -> bool:
    """Return whether the file of this path and status was found whole before."""
    return _read().get(os.path.realpath(path)) == _identity(about)


def remember(path: Path, about: os.stat_result) -> None:
    """Remember that the file of this path and status was found whole."""
    known = _read()
    name = os.path.realpath(path)
    known.pop(name, None)
    known[name] = _identity(about)
    text = json.dumps(dict(list(known.items())[-_KEPT:]), indent=1)
    with contextlib.suppress(OSError):
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=folder, prefix=f".{_NAME}.", suffix=".part")
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(part, folder / _NAME)
        except BaseException:
            os.unlink(part)
            raise


def _identity(about: os.stat_result) -> list[int]:
    """Return what changes with a file, even with one that is given its old time again."""
    return [about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino]


def _read() -> dict[str, Any]:
    try:
        known = json.loads((cache_folder() / _NAME).read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
