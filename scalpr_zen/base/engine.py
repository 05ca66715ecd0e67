"""The engine: the cores of this machine over independent parts of one job, and Ctrl-C while they run.

Ctrl-C is heard at once. Work that is in progress gets GRACE seconds to end at its next `stop_if_interrupted`; what is
still running then, a long kernel call for instance, is left to daemon threads, which end there or with the process.
"""

from __future__ import annotations

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
"""Seconds that running work has to end after an interrupt."""
_POLL = 0.05
"""Seconds between two looks for an interrupt: on Windows it does not end the wait for a thread."""
_NAME = "scalpr-worker"


class _Job(threading.local):
    """The job that a thread works for: `stop` is set where it was interrupted, `cores` are those it may use."""

    stop: threading.Event | None = None
    cores: int | None = None
    worker: bool = False


_job = _Job()


class Engine:
    """The cores that some work may use: `with Engine(2): ...` gives two to all that this thread starts inside.

    Whoever starts work owns the cores. Each worker of `run_all` has one, so that nothing inside it starts threads of
    its own. No result depends on the number.

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
    """Return how many cores the work of this thread may use."""
    return _job.cores or os.cpu_count() or 1


def run_all(work: Callable[..., T], *columns: Iterable[Any]) -> list[T]:
    """Return `work(*row)` of every row of the columns, in order, on the cores that this thread may use.

    After an error no further row is begun.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C, at most about GRACE seconds later.
    BaseException
        That of the first row that raised one; a KeyboardInterrupt only where there is no other.
    """
    rows = list(zip(*columns, strict=True))
    if _job.worker and cores() == 1:
        return [_heard(work, row) for row in rows]
    return _spread(work, rows, min(len(rows), cores()), cores_each=1)


def run_aside(work: Callable[..., T], *args: Any) -> T:
    """Return `work(*args)`, made in another thread with the cores of this one, so that this one hears Ctrl-C."""
    [made] = _spread(work, [args], 1, cores_each=cores())
    return made


def _heard(work: Callable[..., T], row: Sequence[Any]) -> T:
    stop_if_interrupted()
    return work(*row)


def _spread(work: Callable[..., T], rows: Sequence[Sequence[Any]], count: int, cores_each: int) -> list[T]:
    """Return `work(*row)` of every row, made by so many threads."""
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

    Where the block fails or is interrupted, nobody waits: the thread ends with the process.
    """
    thread = threading.Thread(target=work, name=_NAME, daemon=True)
    thread.start()
    yield
    while thread.is_alive():
        thread.join(_POLL)


def _wait(ended: queue.SimpleQueue[None], count: int, stop: threading.Event) -> None:
    """Wait until so many workers have ended; not longer than GRACE after an interrupt."""
    until = float("inf")
    while count and time.monotonic() < until:
        try:
            ended.get(timeout=_POLL)
            count -= 1
        except queue.Empty:
            if stop.is_set():
                until = min(until, time.monotonic() + GRACE)


def stop_if_interrupted() -> None:
    """Raise KeyboardInterrupt where the job that this thread works for was interrupted; cheap enough for any loop."""
    if _job.stop is not None and _job.stop.is_set():
        raise KeyboardInterrupt


def end_with_workers(code: int) -> None:
    """Let the process end with this code although work of an interrupted job may still run in compiled code.

    Called at the exit of the process: to wait for that work could take hours, to unload what it runs could crash.
    """
    if any(thread.name == _NAME for thread in threading.enumerate()):
        end_at_once(code)


def end_at_once(code: int) -> NoReturn:
    """End the process with this code without the interpreter's own clean-up, which takes up to a second."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def exit_on_interrupt() -> None:
    """Let Ctrl-C end the process with one line, until `raise_on_interrupt`; for imports, which leave nothing behind."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _exit)


def raise_on_interrupt() -> bool:
    """Let Ctrl-C raise KeyboardInterrupt again; tell whether `exit_on_interrupt` began this process."""
    begun = signal.getsignal(signal.SIGINT) is _exit
    if begun:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return begun


def _exit(*_: object) -> NoReturn:
    os.write(2, b"error: interrupted\n")
    os._exit(2)


@contextlib.contextmanager
def interrupts_held() -> Iterator[threading.Event]:
    """Hold Ctrl-C back, and raise KeyboardInterrupt at the end; the event says that it came.

    An interrupt inside the locks of threads would leave them waiting for ever, and one inside clean-up files behind.
    Inside another hold, and in the threads of a job, the event is that of the outer one.
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
