"""Threads over independent parts of one job, and Ctrl-C while they run."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run_all(work: Callable[..., T], *columns: Iterable[Any], workers: int | None = None) -> list[T]:
    """Return `work(*row)` of every row of the columns, in order; default workers: one a core."""
    with interrupts_held(), ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        return list(pool.map(work, *columns))


@contextlib.contextmanager
def interrupts_held() -> Iterator[threading.Event]:
    """Hold Ctrl-C back, and raise KeyboardInterrupt at the end; the event tells that it came.

    An interrupt inside the locks of a thread pool would leave its threads waiting for ever.
    """
    came = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield came  # Ctrl-C reaches the main thread only
        return
    before = signal.signal(signal.SIGINT, lambda *_: came.set())
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, before)
    if came.is_set():
        raise KeyboardInterrupt
