"""A synthetic NQ market in the vendor's file format, to try, test and time the program.

Nothing in the files is real; any profit found in them is luck. `demo_market` has the model and its calibration. The
files look like a batch download of `NQ.FUT`, except that their header lists SYNTHETIC_MARK as a symbol not found.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import zstandard
from databento_dbn import Metadata, Schema, SType
from numpy.typing import NDArray

from scalpr_zen.base.engine import run_all, stop_if_interrupted
from scalpr_zen.base.errors import DataError, ParameterError, reason
from scalpr_zen.base.units import day_ns
from scalpr_zen.data.dbn import DATASET, SYNTHETIC_MARK, TRADE_MSG, read_source
from scalpr_zen.data.demo_market import Session, draw_records, instruments, plan_sessions


def write_demo(
    folder: Path,
    sessions: int = 10,
    seed: int = 0,
    prints_a_session: int = 369_000,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write a synthetic market as DBN files, one a UTC day, named like a batch download.

    Parameters
    ----------
    folder : Path
        Created if missing. An earlier demo in it is replaced; any other DBN file in it is an error.
    sessions : int
        Session dates from Monday 2025-12-08 on, 1 to 1260.
    seed : int
        At least 0. Equal arguments give equal bytes. Fewer sessions give the first of the same files; the last file
        then lacks the evening, which belongs to the next session.
    prints_a_session : int
        Mean prints a session of the front month (by the volume of the session before), 1,000 to 10,000,000.
    progress : callable, optional
        Called after each file with (files written, total files), by one thread at a time.

    Returns
    -------
    list of Path
        The files, in order of time.

    Raises
    ------
    ParameterError
        If a number is out of range.
    DataError
        If the folder cannot be written, or holds DBN files that are not a demo.
    """
    _check("sessions", sessions, 1, 1260)
    _check("seed", seed, 0, 2**63 - 1)
    _check("prints_a_session", prints_a_session, 1_000, 10_000_000)
    plan = plan_sessions(sessions, seed, prints_a_session)
    weeks = [list(week) for _, week in itertools.groupby(plan, key=lambda s: s.day.isocalendar()[:2])]
    advance = _counter(progress, sessions + len(weeks))
    try:
        _clear(folder)
        written = run_all(lambda week: _write_week(folder, week, advance), weeks)
        return [path for paths in written for path in paths]
    except OSError as error:
        raise DataError(f"folder must be writable, {folder} is not: {reason(error)}") from None


def _check(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ParameterError(f"{name} must be {low} to {high}, was {value}")


def _clear(folder: Path) -> None:
    """Create the folder and remove an earlier demo from it; refuse one with real market data."""
    folder.mkdir(parents=True, exist_ok=True)
    old = sorted([*folder.glob("*.dbn"), *folder.glob("*.dbn.zst")])
    for path in old:
        if not read_source(path).synthetic:
            raise DataError(f"folder must hold no market data, {folder} holds {path.name}: give another folder")
    for path in old:
        path.unlink()


def _counter(progress: Callable[[int, int], None] | None, total: int) -> Callable[[], None]:
    """Return a function that counts its calls and reports each one; any thread may call it."""
    lock, numbers = threading.Lock(), itertools.count(1)

    def advance() -> None:
        with lock:
            if progress is not None:
                progress(next(numbers), total)

    return advance


def _write_week(folder: Path, week: Sequence[Session], advance: Callable[[], None]) -> list[Path]:
    """Write the files of a trading week, Sunday evening to Friday; weeks share no file."""
    paths, kept = [], np.zeros(0, TRADE_MSG)
    for session in week:
        stop_if_interrupted()
        records = draw_records(session)
        cut = int(np.searchsorted(records["ts_recv"], day_ns(session.day)))
        eve = session.day - timedelta(days=1)
        paths.append(_write_file(folder, eve, session.contract, kept, records[:cut]))
        kept = records[cut:]
        advance()
    paths.append(_write_file(folder, week[-1].day, week[-1].contract, kept))
    advance()
    return paths


def _write_file(folder: Path, day: date, contract: int, *records: NDArray[Any]) -> Path:
    """Write a UTC day as one zstd frame, under another name until it is complete."""
    path = folder / f"glbx-mdp3-{day:%Y%m%d}.trades.dbn.zst"
    part = folder / f"{path.name}.part"
    try:
        content = b"".join([_header(day, contract), *(some.view(np.uint8).data for some in records)])
        part.write_bytes(zstandard.ZstdCompressor(level=3).compress(content))
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _header(day: date, contract: int) -> bytes:
    after = day + timedelta(days=1)
    mappings: Any = [  # the library needs attributes and exports no class with them
        SimpleNamespace(
            raw_symbol=symbol,
            intervals=[SimpleNamespace(start_date=day, end_date=after, symbol=str(instrument_id))],
        )
        for symbol, instrument_id in instruments(contract).items()
    ]
    metadata = Metadata(
        dataset=DATASET,
        start=day_ns(day),
        end=day_ns(after),
        stype_in=SType.from_str("parent"),
        stype_out=SType.from_str("instrument_id"),
        schema=Schema.from_str("trades"),
        symbols=["NQ.FUT"],
        not_found=[SYNTHETIC_MARK],
        mappings=mappings,
        version=3,
    )
    return bytes(metadata)
