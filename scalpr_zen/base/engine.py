"""The engine: runs independent parts of a job on the cores of this machine, and handles Ctrl-C meanwhile.

Ctrl-C takes effect at once. Work in progress gets GRACE seconds to reach its next `stop_if_interrupted`. Work that
takes longer, such as a long kernel call, is left to daemon threads, which end there or with the process.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

GRACE = 0.2
"""Seconds that running work has to stop after an interrupt."""
_POLL = 0.05
"""Seconds between two checks for an interrupt, which on Windows does not end the wait for a thread."""
_NAME = "scalpr-worker"
_codes: list[int] = []
"""Exit codes given to `leave`."""


class _Job(threading.local):
    """The job that a thread works for: `stop` is set when it is interrupted, `cores` is the number it may use."""

    stop: threading.Event | None = None
    cores: int | None = None
    worker: bool = False


_job = _Job()


class Engine:
    """The cores that work may use: `with Engine(2): ...` gives two to everything this thread starts in the block.

    Whoever starts work owns the cores. Each worker of `run_all` has one, so nothing inside it starts more threads. No
    result depends on the number.

    Parameters
    ----------
    cores : int, optional
        Default: all of this machine.
    """

    def __init__(self, cores: int | None = None) -> None:
        self.cores = max(1, cores or os.cpu_count() or 1)
        self._before: list[int | None] = []

    def __enter__(self) -> Engine:
        self._before.append(_job.cores)
        _job.cores = self.cores
        return self

    def __exit__(self, *_: object) -> None:
        _job.cores = self._before.pop()


def cores() -> int:
    """Return the number of cores that the work of this thread may use."""
    return _job.cores or os.cpu_count() or 1


def run_all(work: Callable[..., T], *columns: Iterable[Any]) -> list[T]:
    """Return `work(*row)` for every row of the columns, in order, computed on the cores that this thread may use.

    After an error no further row is started.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C, at most about GRACE seconds later.
    BaseException
        The error of the first row that raised one; a KeyboardInterrupt only if there is no other error.
    """
    rows = list(zip(*columns, strict=True))
    if _job.worker and cores() == 1:
        return [_heard(work, row) for row in rows]
    return _spread(work, rows, min(len(rows), cores()), cores_each=1)


def run_aside(work: Callable[..., T], *args: Any) -> T:
    """Return `work(*args)`, computed in another thread on the cores of this one, which can then handle Ctrl-C."""
    [made] = _spread(work, [args], 1, cores_each=cores())
    return made


def _heard(work: Callable[..., T], row: Sequence[Any]) -> T:
    stop_if_interrupted()
    return work(*row)


def _spread(work: Callable[..., T], rows: Sequence[Sequence[Any]], count: int, cores_each: int) -> list[T]:
    """Return `work(*row)` for every row, computed by `count` threads."""
    todo = deque(enumerate(rows))
    made: dict[int, T] = {}
    faults: dict[int, BaseException] = {}
    ended: queue.SimpleQueue[None] = queue.SimpleQueue()
    with interrupts_held() as stop:

        def worker() -> None:
            _job.stop, _job.cores, _job.worker = stop, cores_each, True
            while not (faults or stop.is_set()):
                try:
                    number, row = todo.popleft()
                except IndexError:
                    break
                try:
                    made[number] = work(*row)
                except BaseException as fault:
                    faults[number] = fault
            ended.put(None)

        for _ in range(count):
            threading.Thread(target=worker, name=_NAME, daemon=True).start()
        _wait(ended, count, stop)
        if stop.is_set():
            raise KeyboardInterrupt
    if faults:
        raise faults[min(faults, key=lambda number: (isinstance(faults[number], KeyboardInterrupt), number))]
    return [made[number] for number in sorted(made)]


@contextlib.contextmanager
def alongside(work: Callable[[], object]) -> Iterator[None]:
    """Run `work()` in a thread of its own beside the block, and wait for it after the block.

    If the block fails or is interrupted, nothing waits for the thread: it ends with the process.
    """
    thread = threading.Thread(target=work, name=_NAME, daemon=True)
    thread.start()
    yield
    while thread.is_alive():
        thread.join(_POLL)


def _wait(ended: queue.SimpleQueue[None], count: int, stop: threading.Event) -> None:
    """Wait until `count` workers have ended; after an interrupt at most GRACE seconds."""
    until = float("inf")
    while count and time.monotonic() < until:
        try:
            ended.get(timeout=_POLL)
            count -= 1
        except queue.Empty:
            if stop.is_set():
                until = min(until, time.monotonic() + GRACE)


def stop_if_interrupted() -> None:
    """Raise KeyboardInterrupt if the job of this thread was interrupted; cheap enough for any loop."""
    if _job.stop is not None and _job.stop.is_set():
        raise KeyboardInterrupt


def leave(code: int) -> NoReturn:
    """End the process with this code, once its exit handlers have run.

    If work of an interrupted job is still running in compiled code, none of them runs: waiting for that work could take
    hours, unloading its code could crash. A process that began with `exit_on_interrupt` ends without the interpreter's
    clean-up, which takes half a second after a run over a year.
    """
    _codes.append(code)
    atexit.register(_end_with_workers, code)
    sys.exit(code)


def _end_with_workers(code: int) -> None:
    if any(thread.name == _NAME for thread in threading.enumerate()):
        end_at_once(code)


def _end_last() -> None:
    if _codes:
        end_at_once(_codes[-1])


def end_at_once(code: int) -> NoReturn:
    """End the process with this code, without the interpreter's clean-up, which takes up to a second."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def end_with_stdin() -> None:
    """Make this process, a helper of another one, end when its stdin ends, and never by Ctrl-C.

    Its stdin is a pipe from the other process, which ends with that process, however it ends.
    """

    def end() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1):
                pass
        os._exit(0)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end, daemon=True).start()


def exit_on_interrupt() -> None:
    """Make Ctrl-C end the process with one line, until `raise_on_interrupt`; for imports, which need no clean-up."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _exit)
    if not hasattr(sys, "ps1"):  # the process of a prompt goes on after a script
        atexit.register(_end_last)  # exit handlers run from the last one registered to the first


def raise_on_interrupt() -> bool:
    """Make Ctrl-C raise KeyboardInterrupt again; return whether `exit_on_interrupt` was in effect."""
    begun = signal.getsignal(signal.SIGINT) is _exit
    if begun:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return begun


def _exit(*_: object) -> NoReturn:
    os.write(2, b"error: interrupted\n")
    os._exit(2)


@contextlib.contextmanager
def interrupts_held() -> Iterator[threading.Event]:
    """Delay Ctrl-C to the end of the block, where it raises KeyboardInterrupt; the yielded event is set when it comes.

    An interrupt inside a lock could block other threads for ever, and one inside clean-up could leave files behind.
    Inside another such block, and in the threads of a job, the event is that of the outer block.
    """
    if _job.stop is not None:
        yield _job.stop
        stop_if_interrupted()
        return
    came = threading.Event()
    ignored = signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None)
    if ignored or threading.current_thread() is not threading.main_thread():
        yield came  # Ctrl-C reaches the main thread only
        return
    before = signal.signal(signal.SIGINT, lambda *_: came.set())
    _job.stop = came
    try:
        yield came
    finally:
        _job.stop = None
        signal.signal(signal.SIGINT, before)
    if came.is_set():
        raise KeyboardInterrupt
