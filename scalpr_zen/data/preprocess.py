"""Preprocess: a folder of DBN files to one tape, file by file and in parallel.

Every file is read once, and every record judged. Where the files come in order of time, a session date is written to
the tape as soon as the next one begins: its volumes and those before it decide the front month. Otherwise the prints of
all outrights wait in a spill file until all volumes are known. Every record that is no print of the tape is counted.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import scalpr_zen
from scalpr_zen.base.atomic import atomic_write, flushed
from scalpr_zen.base.engine import interrupts_held, run_all, run_aside
from scalpr_zen.base.errors import DataError
from scalpr_zen.base.instruments import Instrument
from scalpr_zen.base.npz import NpzWriter
from scalpr_zen.data.arrange import Arrangement, Arranger, Fronts, LateSession, day_of, traded
from scalpr_zen.data.columns import OFF_GRID, REASONS
from scalpr_zen.data.dbn import read_source
from scalpr_zen.data.front_month import ByVolume, Contract, Front, Roll, Volumes, front_months
from scalpr_zen.data.ledgers import Choices, first_front, left_out, low_share, replaced, roll_ledger
from scalpr_zen.data.plan import Plan, find_files, make_plan
from scalpr_zen.data.reading import FileResult, InOrder, Progress, Spill, read_all
from scalpr_zen.data.tables import COLUMNS
from scalpr_zen.data.tape_file import finish_tape
from scalpr_zen.data.tick_check import check_tick


@dataclass(frozen=True)
class _Job:
    plan: Plan
    roll: Roll
    ignored: Sequence[str]
    progress: Progress | None

    @property
    def vendor_symbol(self) -> str:
        """The symbol whose contracts the vendor's mapping chose; empty for outrights."""
        first = self.plan.contracts[0]
        return first.symbol.split("#")[0] if first.continuous else ""


def preprocess(
    paths: Sequence[str | Path],
    instrument: Instrument,
    out: str | Path,
    *,
    roll: Roll | None = None,
    progress: Progress | None = None,
) -> Path:
    """Turn DBN `trades` files into one front-month tape.

    Parameters
    ----------
    paths : sequence of paths
        DBN files, and folders of them.
    instrument : Instrument
        Its root selects the contracts; its tick size converts the prices.
    out : path
        The tape; it appears complete or not at all, and an older one stays until then.
    roll : Roll, optional
        How the front month is chosen. Default: by volume.
    progress : callable, optional
        Called with the bytes read and the total.

    Raises
    ------
    DataError
        If a file is damaged or of another kind, or no print of the root is left.
    TapeError
        If the tape cannot be written.
    """
    out = Path(out)
    files, ignored = find_files(paths)
    with interrupts_held():
        plan = make_plan(run_all(read_source, files), instrument)
        with atomic_write(out) as part:
            _write(part, _Job(plan, roll or Roll(), ignored, progress))
    return out


def _write(part: Path, job: _Job) -> None:
    """Read the files and write the tape: straight to its columns where the files come in order of session date."""
    if _comes_in_order(job):
        try:
            return _write_as_read(part, job)
        except LateSession:
            os.truncate(part, 0)
    return _write_after_reading(part, job)


def _comes_in_order(job: _Job) -> bool:
    """Return whether the files do not overlap in time, and no choice of a front month needs later dates."""
    follows = all(earlier.end <= later.start for earlier, later in pairwise(job.plan.sources))
    return follows and job.roll.rule == "volume"


def _write_as_read(part: Path, job: _Job) -> None:
    by_volume = ByVolume(job.plan.instrument)
    with NpzWriter(part) as out, flushed(part):
        out.reserve(COLUMNS, sum(source.most_records for source in job.plan.sources))
        arranger = Arranger(job.plan, _fronts(job, by_volume.front), out)
        results = read_all(job.plan, InOrder(arranger.give), job.progress)
        _check(job.plan, results)
        run_aside(_finish, job, results, arranger, by_volume.chosen, out)


def _write_after_reading(part: Path, job: _Job) -> None:
    with Spill(part.parent) as spill, NpzWriter(part) as out:
        results = read_all(job.plan, spill, job.progress)
        _check(job.plan, results)
        run_aside(_arrange, job, results, spill, out)


def _arrange(job: _Job, results: Sequence[FileResult], spill: Spill, out: NpzWriter) -> None:
    sessions = spill.by_session()
    choices = _choices(job, {day_of(job.plan, blocks): traded(job.plan, blocks)[1] for blocks in sessions})
    out.reserve(COLUMNS, sum(block.rows for blocks in sessions for block in blocks))
    arranger = Arranger(job.plan, _fronts(job, lambda day, _: choices.get(day)), out)
    for blocks in sessions:
        arranger.give(blocks)
    _finish(job, results, arranger, choices, out)


def _fronts(job: _Job, choose: Callable[[date, Mapping[Contract, int]], Front | None]) -> Fronts:
    """Return the contracts of a session date: the chosen one, or all that the vendor's mapping gave."""

    def fronts(day: date, volume: Mapping[Contract, int]) -> Sequence[Contract]:
        if job.vendor_symbol:
            return list(volume)
        front = choose(day, volume)
        return [front.contract] if front else []

    return fronts


def _finish(job: _Job, results: Sequence[FileResult], arranger: Arranger, choices: Choices, out: NpzWriter) -> None:
    """Write the tables and the metadata of the tape."""
    plan, tape = job.plan, arranger.finish()
    metadata = {
        "version": scalpr_zen.__version__,
        "synthetic": any(source.synthetic for source in plan.sources),
        "instrument": asdict(plan.instrument),
        "roll_rule": f"vendor: the mapping of {job.vendor_symbol}" if job.vendor_symbol else job.roll.text,
        "record_ledger": _record_ledger(results, choices, tape),
        "reordered": tape.reordered,
        "closes": tape.about_sessions["closes"],
        "roll_ledger": roll_ledger(plan, choices, tape),
        "first_front": first_front(choices, tape),
        "replaced": replaced(choices),
        "left_out": left_out(choices, job.roll, tape),
        "low_share": low_share(choices, tape),
        "missing": tape.about_sessions["missing"],
        "sources": _sources(plan, results),
        "ignored_files": list(job.ignored),
    }
    finish_tape(out, tape.segments, tape.sessions, metadata)


def _check(plan: Plan, results: Sequence[FileResult]) -> None:
    """Refuse copies of a file, a tick that does not fit, and files without a print."""
    _refuse_copies(plan, results)
    prints = sum(result.prints for result in results)
    off_grid = sum(int(result.reasons[OFF_GRID]) for result in results)
    steps = [steps for result in results for steps in result.steps]
    check_tick(plan.instrument, prints, off_grid, np.concatenate(steps) if steps else np.empty(0, np.int64))
    if not prints:
        raise DataError(f"the files hold no trade of {plan.instrument.root} that can be a print{_judged(results)}")


def _refuse_copies(plan: Plan, results: Sequence[FileResult]) -> None:
    seen: dict[str, Path] = {}
    for source, result in zip(plan.sources, results, strict=True):
        if result.records and result.sha256 in seen:
            raise DataError(f"{seen[result.sha256]} and {source.path} hold the same trades: remove one of them")
        seen[result.sha256] = source.path


def _judged(results: Sequence[FileResult]) -> str:
    """Count the records of files without a print by reason."""
    counts = {name: sum(int(r.reasons[k]) for r in results) for k, name in enumerate(REASONS, start=1)}
    held = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count)
    return f": its records are {held}" if held else ": it has no records"


def _choices(job: _Job, volumes: Volumes) -> Choices:
    if not job.vendor_symbol:
        return front_months(volumes, job.roll, job.plan.instrument)
    if job.roll.rule != "volume":
        raise DataError(f"roll {job.roll.rule} needs outrights: the vendor's mapping decides {job.vendor_symbol}")
    return {}


# Metadata ---------------------------------------------------------------------------------------------


def _sources(plan: Plan, results: Sequence[FileResult]) -> list[dict[str, Any]]:
    return [
        {"name": source.path.name, "bytes": source.bytes, "sha256": result.sha256, "records": result.records}
        for source, result in zip(plan.sources, results, strict=True)
    ]


def _record_ledger(results: Sequence[FileResult], choices: Choices, tape: Arrangement) -> dict[str, int]:
    """Count every record read: a print of the tape, or the reason why not. The sum is checked."""
    ledger = {"records": sum(result.records for result in results), "prints": tape.length}
    ledger |= {"other_month": 0, "before_schedule": 0}
    for day, rows in tape.rows.items():
        if choices and day not in choices:
            ledger["before_schedule"] += sum(rows.values())
        elif choices:
            ledger["other_month"] += sum(rows.values()) - rows.get(choices[day].contract, 0)
    for number, reason in enumerate(REASONS, start=1):
        ledger[reason] = sum(int(result.reasons[number]) for result in results)
    if sum(ledger.values()) != 2 * ledger["records"]:
        raise DataError(f"the record ledger does not add up, please report this: {ledger}")
    return ledger
