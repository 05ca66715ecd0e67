"""numba's `njit` with an optional cache: if compiled code cannot be cached, it is compiled again at each start.

numba raises an error if no cache folder is writable (a read-only installation and home), or if the disk is full.
Neither is a reason to fail. This applies to all functions of the process, including those of a user's strategy.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache
from numba.core.cpu import CPUTargetOptions
from numba.core.dispatcher import Dispatcher

__all__ = ["inner", "njit", "without_counts"]


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


for _kind, _name in (
    (Dispatcher, "enable_caching"),
    (FunctionCache, "load_overload"),
    (FunctionCache, "save_overload"),
):
    if not hasattr(getattr(_kind, _name), "optional"):
        setattr(_kind, _name, _optional(getattr(_kind, _name)))
