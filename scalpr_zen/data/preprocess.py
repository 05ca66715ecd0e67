"""Preprocess: a folder of DBN files to one tape, file by file and in parallel.

Every file is read once, and every record judged. Where the files come in order of time, a session date is written to
the tape as soon as the next one begins: its volumes and those before it decide the front month. Otherwise the prints of
all outrights wait in a spill file until all volumes are known. Every record that is no print of the tape is counted.
"""

from __future__ import annotations

import os
import re
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
from scalpr_zen.base.sessions import session_calendar
from scalpr_zen.base.units import utc_date
from scalpr_zen.data.arrange import Arrangement, Arranger, Fronts, LateSession, day_of, traded
from scalpr_zen.data.calendar import close_ledger, missing_dates
from scalpr_zen.data.columns import MAX_CLOCK_ERROR, MAX_DELAY, OFF_GRID, REASONS, symbol_table
from scalpr_zen.data.dbn import Interval, Source, read_source
from scalpr_zen.data.front_month import (
    SPREAD,
    ByVolume,
    Contract,
    Front,
    Roll,
    Volumes,
    classify,
    front_months,
    named,
    root_of,
)
from scalpr_zen.data.ledgers import Choices, first_front, left_out, low_share, replaced, roll_ledger
from scalpr_zen.data.reading import FileResult, InOrder, Plan, Progress, read_all
from scalpr_zen.data.spill import Spill
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


_DBN_NAME = re.compile(r"\.(dbn(\.zst)?|dbz)$")


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
        plan = _plan(run_all(read_source, files), instrument)
        with atomic_write(out) as part:
            _write(part, _Job(plan, roll or Roll(), ignored, progress))
    return out


def find_files(paths: Sequence[str | Path]) -> tuple[list[Path], list[str]]:
    """Return the DBN files of folders and paths, in order of name, and the names of all other files.

    Subfolders are not read. One with DBN files or archives is listed among the other files, with its contents.

    Raises
    ------
    DataError
        If a path does not exist, or there is no DBN file.
    """
    files, ignored = [], []
    for path in map(Path, paths):
        if not path.exists():
            raise DataError(f"{path} does not exist: give a folder of DBN files")
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            if file.is_dir():
                ignored += _subfolder(file)
            elif file == path or _DBN_NAME.search(file.name):
                files.append(file)
            else:
                ignored.append(file.name)
    if not files:
        raise DataError(f"{', '.join(map(str, paths))} holds no DBN file (*.dbn, *.dbn.zst){_elsewhere(ignored)}")
    return files, ignored


def _subfolder(folder: Path) -> list[str]:
    """Describe a subfolder with DBN files or archives, `job/ (5 DBN files, 1 ZIP)`; empty for any other."""
    names = [name for _, _, files in os.walk(folder) for name in files]
    counts = {
        "DBN files": sum(bool(_DBN_NAME.search(name)) for name in names),
        "ZIP": sum(name.lower().endswith(".zip") for name in names),
    }
    held = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return [f"{folder.name}/ ({held.replace('1 DBN files', '1 DBN file')})"] if held else []


def _elsewhere(ignored: Sequence[str]) -> str:
    """Say where a folder without DBN files may have them, and what to do."""
    folders = [name for name in ignored if "/" in name]
    archives = [name for name in ignored if name.lower().endswith(".zip")]
    steps = [f"give the folder {', '.join(folders)} as DATA_DIR"] if folders else []
    steps += [f"unpack {', '.join(archives)} and give its folder"] if archives else []
    return f": {', or '.join(steps)}" if steps else ": give the folder of the downloaded files"


def _plan(sources: list[Source], instrument: Instrument) -> Plan:
    """Find the meaning of every symbol; refuse files without the root, and a mix of symbol kinds."""
    sources.sort(key=lambda source: (source.start, source.path.name))
    meanings = [_meanings(source, instrument) for source in sources]
    known = (meaning for of_file in meanings for meaning in of_file.values())
    contracts = named((meaning for meaning in known if isinstance(meaning, Contract)), instrument.root)
    if not contracts:
        symbols = {interval.symbol for source in sources for interval in source.intervals}
        raise DataError(_no_contract(sorted(symbols), instrument.root))
    kinds = sorted({contract.symbol.split("#")[0] if contract.continuous else "outrights" for contract in contracts})
    if len(kinds) > 1:
        raise DataError(f"the files mix {' and '.join(kinds)}: preprocess each kind separately")
    tables = [symbol_table(s.intervals, m, contracts) for s, m in zip(sources, meanings, strict=True)]
    ends = sources[0].start - MAX_DELAY, max(source.end for source in sources) + MAX_CLOCK_ERROR
    return Plan(instrument, sources, contracts, tables, *session_calendar(*ends, instrument.calendar))


def _no_contract(symbols: Sequence[str], root: str) -> str:
    """Say what files without a contract of the root contain, and what to request."""
    none = f"no contract of root {root} in the files"
    request = f"request {root}.FUT as parent, {root}.v.0 as continuous, or the contracts by their raw symbols"
    if ids := [symbol for symbol in symbols if symbol.isdigit()]:
        return f"{none}: they were requested by instrument id ({_some(ids)}) and name no contract; {request}"
    if ranks := [symbol for symbol in symbols if re.fullmatch(rf"{re.escape(root)}\.[A-Za-z]\.\d+", symbol)]:
        return f"{none}: they hold {_some(ranks)}, and only rank 0 is the front month; {request}"
    if spreads := [symbol for symbol in symbols if classify(symbol, 0, root, date(2000, 1, 1)) == SPREAD]:
        return f"{none}: they hold only combinations of it ({_some(spreads)}); {request}"
    roots = ", ".join(sorted({root_of(symbol) for symbol in symbols})) or "none"
    return f"{none}; the roots there are: {roots}; give one of them as root, or {request}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + f" and {len(names) - 3} more" * (len(names) > 3)


def _meanings(source: Source, instrument: Instrument) -> dict[Interval, Contract | str]:
    first_day, root, rule = utc_date(source.start), instrument.root, instrument.expiry_rule
    return {i: classify(i.symbol, i.instrument_id, root, max(i.start, first_day), rule) for i in source.intervals}


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
    """Check what was read, and write the tables and the metadata of the tape."""
    plan = job.plan
    _check(plan, results)
    tape = arranger.finish()
    metadata = {
        "version": scalpr_zen.__version__,
        "synthetic": any(source.synthetic for source in plan.sources),
        "instrument": asdict(plan.instrument),
        "roll_rule": f"vendor: the mapping of {job.vendor_symbol}" if job.vendor_symbol else job.roll.text,
        "record_ledger": _record_ledger(results, choices, tape),
        "reordered": tape.reordered,
        "closes": close_ledger(plan.instrument.calendar, tape.sessions["date"], tape.closes, tape.prints_after_close()),
        "roll_ledger": roll_ledger(plan, choices, tape),
        "first_front": first_front(choices, tape),
        "replaced": replaced(choices),
        "left_out": left_out(choices, job.roll, tape),
        "low_share": low_share(choices, tape),
        "missing": missing_dates(plan.instrument.calendar, tape.sessions["date"]),
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
