"""numba's `njit` with an optional cache that several processes can share.

If compiled code cannot be cached, it is compiled again at each start: numba raises an error if no cache folder is
writable (a read-only installation and home), or if the disk is full. Neither is a reason to fail.

One process at a time compiles a function, and the others load what it made. Without that, each compiles the function,
and two processes that save it for different types may give one of them the code of the other.

Both apply to all functions of the process, including those of a user's strategy.
"""

from __future__ import annotations

import errno
import functools
import sys
import time
from collections.abc import Callable
from typing import IO, Any

from numba import njit
from numba.core.caching import FunctionCache
from numba.core.compiler_lock import global_compiler_lock
from numba.core.cpu import CPUTargetOptions
from numba.core.dispatcher import Dispatcher

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["inner", "is_kept", "njit", "without_counts"]

_POLL = 0.01
"""Seconds between two looks whether another process has compiled a function."""
_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
"""Why a file cannot be locked that another process has locked."""


def _known(**options: bool) -> dict[str, Any]:
    """Return the options that this version of numba has: they save time and change no result."""
    return {name: value for name, value in options.items() if hasattr(CPUTargetOptions, name)}


without_counts = _known(_nrt=False)
"""Options of a kernel that allocates no array: without reference counting a short call takes half the time."""
inner = njit(nogil=True, **without_counts, **_known(no_cpython_wrapper=True, no_cfunc_wrapper=True))
"""Decorator of a function that allocates no array and is called only by kernels of its file. Python cannot call it, and
it has no cache of its own, which halves its compile time."""

_reported: list[str] = []


def _optional(method: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a method of numba's cache: report the first failure of the cache, and go on without it."""

    @functools.wraps(method)
    def call(*args: Any) -> Any:
        try:
            return method(*args)
        except OSError as error:
            _report(error.strerror or str(error))
        except RuntimeError as error:
            if "no locator available" not in str(error):
                raise
            _report("no folder for it can be written")
        return None

    call.optional = True  # type: ignore[attr-defined]
    return call


def _report(why: str) -> None:
    if not _reported:
        _reported.append(why)
        print(
            f"note: compiled code cannot be kept ({why}), each start compiles it again: "
            "free some space, or set NUMBA_CACHE_DIR to a folder that can be written",
            file=sys.stderr,
        )


def is_kept() -> bool:
    """Return whether compiled code is kept for other processes, as far as is known."""
    return not _reported


def _one_at_a_time(compile_or_load: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `Dispatcher.compile`: of all processes that share a cache, one at a time works on a function.

    The lock of a file ends with the process that holds it. It is taken inside numba's lock, so threads cannot wait for
    each other; unless the function is compiled for another one, threads may compile others in the meantime.
    """

    @functools.wraps(compile_or_load)
    def call(self: Any, *args: Any) -> Any:
        try:
            file = open(f"{self._cache._cache_file._index_path}.lock", "ab")  # noqa: SIM115
        except (OSError, AttributeError):  # no folder, no cache, or another version of numba
            return compile_or_load(self, *args)
        with file:
            while True:
                with global_compiler_lock:
                    if _locked(file):
                        return compile_or_load(self, *args)
                time.sleep(_POLL)

    call.one_at_a_time = True  # type: ignore[attr-defined]
    return call


def _locked(file: IO[bytes]) -> bool:
    """Lock a file until it is closed; return False if another process holds it. Some file systems have no locks."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _HELD
    return True


for _kind, _name in (
    (Dispatcher, "enable_caching"),
    (FunctionCache, "load_overload"),
    (FunctionCache, "save_overload"),
):
    if not hasattr(getattr(_kind, _name), "optional"):
        setattr(_kind, _name, _optional(getattr(_kind, _name)))
if not hasattr(Dispatcher.compile, "one_at_a_time"):
    setattr(Dispatcher, "compile", _one_at_a_time(Dispatcher.compile))  # noqa: B010
