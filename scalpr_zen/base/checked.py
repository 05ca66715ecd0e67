"""A list of checked files in the user's cache folder, so that each file is read in full only once.

If the list cannot be read or written, files are checked again.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from scalpr_zen.base.atomic import atomic_write
from scalpr_zen.base.errors import TapeError

_NAME = "checked_tapes.json"
_KEPT = 500
"""Files in the list at most; the oldest ones are dropped."""


def cache_folder() -> Path:
    """Return the cache folder of this package: under XDG_CACHE_HOME, or the usual place of the system."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "scalpr_zen"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", tempfile.gettempdir())) / "scalpr_zen"
    return Path(os.path.expanduser("~")) / ".cache" / "scalpr_zen"


def is_checked(path: Path, about: os.stat_result) -> bool:
    """Return whether the file with this path and status passed its check before."""
    return _read().get(os.path.realpath(path)) == _identity(about)


def remember(path: Path, about: os.stat_result) -> None:
    """Remember that the file with this path and status passed its check."""
    known = _read()
    name = os.path.realpath(path)
    known.pop(name, None)
    known[name] = _identity(about)
    text = json.dumps(dict(list(known.items())[-_KEPT:]), indent=1)
    with contextlib.suppress(TapeError), atomic_write(cache_folder() / _NAME) as part:
        part.write_text(text, encoding="utf-8")


def _identity(about: os.stat_result) -> list[int]:
    """Return values that change with the file, even if its modification time is set back."""
    return [about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino]


def _read() -> dict[str, Any]:
    try:
        known = json.loads((cache_folder() / _NAME).read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
