"""Preprocess: a folder of DBN files to one tape, file by file and in parallel.

First every file is read once: its records are judged, and the prints of all outrights of the root go to
a spill file, grouped by session date and contract. Then the volumes decide the front months, and the
groups of the front months are written to the tape. Whatever is no print of the tape is counted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

import scalpr_zen
from scalpr_zen.errors import DataError
from scalpr_zen.ingest.arrange import Arrangement, arrange
from scalpr_zen.ingest.calendar import close_ledger
from scalpr_zen.ingest.columns import MAX_CLOCK_ERROR, MAX_DELAY, REASONS, symbol_table
from scalpr_zen.ingest.dbn import Interval, Source, read_source
from scalpr_zen.ingest.front_month import Contract, Roll, classify, front_months, root_of
from scalpr_zen.ingest.spill import FileResult, Plan, Progress, Spill, read_all
from scalpr_zen.instruments import Instrument
from scalpr_zen.params import NANOS
from scalpr_zen.sessions import session_calendar
from scalpr_zen.tape import COLUMNS, whole_or_not_at_all, write_tape
from scalpr_zen.threads import interrupts_held, run_all

Volumes = Mapping[date, Mapping[Contract, int]]
Fronts = Mapping[date, Sequence[Contract]]


def preprocess(
    paths: Sequence[str | Path],
    instrument: Instrument,
    out: str | Path,
    *,
    roll: Roll | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Turn DBN `trades` files into one front-month tape.

    Parameters
    ----------
    paths : sequence of paths
        Folders (their DBN files) and DBN files.
    instrument : Instrument
        Its root selects the contracts, its tick size makes the prices.
    out : path
        The tape; it appears whole or not at all, an older one stays until then.
    roll : Roll, optional
        How the front month is chosen. Default: by volume.
    workers : int, optional
        Threads; default: one a core.
    progress : callable, optional
        Called with bytes read and bytes in all.

    Raises
    ------
    DataError
        If any file is damaged or not what it should be, or no print of the root is left.
    TapeError
        If the tape cannot be written.
    """
    out = Path(out)
    files, ignored = find_files(paths)
    plan = _plan([read_source(path) for path in files], instrument)
    workers = workers or os.cpu_count() or 1
    with interrupts_held(), whole_or_not_at_all(out) as part, ExitStack() as stack:
        spills = [stack.enter_context(Spill(part.parent)) for _ in range(workers)]
        results = read_all(plan, spills, progress)
        run_all(_write, [part], [plan], [results], [roll or Roll()], [ignored])  # in a thread, so that Ctrl-C is heard
    return out


def find_files(paths: Sequence[str | Path]) -> tuple[list[Path], list[str]]:
    """Return the DBN files of folders and paths, in order of name, and the names of all other files.

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
            if file == path or (re.search(r"\.(dbn(\.zst)?|dbz)$", file.name) and not file.is_dir()):
                files.append(file)
            elif not file.is_dir():
                ignored.append(file.name)
    if not files:
        raise DataError(f"{', '.join(map(str, paths))} holds no DBN file (*.dbn, *.dbn.zst)")
    return files, ignored


def _plan(sources: list[Source], instrument: Instrument) -> Plan:
    """Find out what every symbol means; refuse files without the root, and two kinds of symbols at once."""
    sources.sort(key=lambda source: (source.start, source.path.name))
    meanings = [_meanings(source, instrument.root) for source in sources]
    contracts = sorted({m for meaning in meanings for m in meaning.values() if isinstance(m, Contract)})
    if not contracts:
        roots = sorted({root_of(interval.symbol) for source in sources for interval in source.intervals})
        held = ", ".join(roots) or "none"
        raise DataError(f"no contract of root {instrument.root} in the files; the roots there are: {held}")
    kinds = sorted({contract.symbol.split("#")[0] if contract.continuous else "outrights" for contract in contracts})
    if len(kinds) > 1:
        raise DataError(f"the files mix {' and '.join(kinds)}: preprocess each kind by itself")
    tables = [symbol_table(s.intervals, m, contracts) for s, m in zip(sources, meanings, strict=True)]
    ends = sources[0].start - MAX_DELAY, max(source.end for source in sources) + MAX_CLOCK_ERROR
    return Plan(instrument, sources, contracts, tables, *session_calendar(*ends))


def _meanings(source: Source, root: str) -> dict[Interval, Contract | str]:
    first_day = np.datetime64(source.start, "ns").astype("M8[D]").item()
    return {i: classify(i.symbol, i.instrument_id, root, max(i.start, first_day)) for i in source.intervals}


def _write(out: Path, plan: Plan, results: Sequence[FileResult], roll: Roll, ignored: Sequence[str]) -> None:
    """Choose the front months and write the tape."""
    _refuse_copies(plan, results)
    volumes = _volumes(plan, results)
    if not volumes:
        raise DataError(f"the files hold no trade of {plan.instrument.root} that can be a print")
    fronts = _fronts(plan, volumes, roll)
    tape = arrange(plan, results, fronts)
    if not tape.length:
        raise DataError("the roll leaves no print: the chosen contracts have no trades in the files")
    metadata = {
        "version": scalpr_zen.__version__,
        "synthetic": any(source.synthetic for source in plan.sources),
        "instrument": asdict(plan.instrument),
        "roll_rule": _roll_rule(plan, roll),
        "record_ledger": _record_ledger(plan, results, fronts, tape),
        "reordered": tape.reordered,
        "closes": close_ledger(plan.instrument.calendar, tape.sessions["date"], tape.closes, tape.prints_after_close()),
        "roll_ledger": _roll_ledger(plan, volumes, tape),
        "first_front": _first_front(plan, roll, volumes, tape),
        "sources": _sources(plan, results),
        "ignored_files": list(ignored),
    }
    columns = {name: tape.column(name) for name in COLUMNS}
    write_tape(out, tape.length, columns, tape.segments, tape.sessions, metadata)


def _refuse_copies(plan: Plan, results: Sequence[FileResult]) -> None:
    seen: dict[str, Path] = {}
    for source, result in zip(plan.sources, results, strict=True):
        if result.records and result.sha256 in seen:
            raise DataError(f"{seen[result.sha256]} and {source.path} hold the same trades: remove one of them")
        seen[result.sha256] = source.path


def _volumes(plan: Plan, results: Sequence[FileResult]) -> Volumes:
    """Sum the volumes of all files by session date and contract, in order of date."""
    sums: dict[tuple[int, int], int] = {}
    for result in results:
        for key, volume in result.volumes.items():
            sums[key] = sums.get(key, 0) + volume
    volumes: dict[date, dict[Contract, int]] = {}
    for session, contract in sorted(sums):
        volumes.setdefault(plan.dates[session].item(), {})[plan.contracts[contract]] = sums[session, contract]
    return volumes


def _fronts(plan: Plan, volumes: Volumes, roll: Roll) -> Fronts:
    """Return the contracts of each session date: one, or all that the vendor's mapping gave."""
    if not plan.contracts[0].continuous:
        return {day: [front] for day, front in front_months(volumes, roll, plan.instrument).items()}
    if roll.rule != "volume":
        raise DataError(f"roll {roll.rule} needs outrights: the vendor's mapping decides {_vendor_symbol(plan)}")
    return {day: list(volume) for day, volume in volumes.items()}


def _vendor_symbol(plan: Plan) -> str:
    return plan.contracts[0].symbol.split("#")[0]


# Metadata ---------------------------------------------------------------------------------------------


def _roll_rule(plan: Plan, roll: Roll) -> str:
    return f"vendor: the mapping of {_vendor_symbol(plan)}" if plan.contracts[0].continuous else roll.text


def _sources(plan: Plan, results: Sequence[FileResult]) -> list[dict[str, Any]]:
    return [
        {"name": source.path.name, "bytes": source.bytes, "sha256": result.sha256, "records": result.records}
        for source, result in zip(plan.sources, results, strict=True)
    ]


def _record_ledger(plan: Plan, results: Sequence[FileResult], fronts: Fronts, tape: Arrangement) -> dict[str, int]:
    """Count every record read: a print of the tape, or the reason why not. The sum is proved."""
    ledger = {"records": sum(result.records for result in results), "prints": tape.length}
    ledger |= {"other_month": 0, "before_schedule": 0}
    for block in (block for result in results for block in result.blocks):
        chosen = fronts.get(plan.dates[block.session].item())
        if chosen is None:
            ledger["before_schedule"] += block.rows
        elif plan.contracts[block.contract] not in chosen:
            ledger["other_month"] += block.rows
    for number, reason in enumerate(REASONS, start=1):
        ledger[reason] = sum(int(result.reasons[number]) for result in results)
    if sum(ledger.values()) != 2 * ledger["records"]:
        raise DataError(f"the record ledger does not add up, please report this: {ledger}")
    return ledger


def _roll_ledger(plan: Plan, volumes: Volumes, tape: Arrangement) -> list[dict[str, Any]]:
    """Tell each roll: session date, contracts, both volumes of the session date before, price gap in points."""
    by_symbol = {contract.symbol: contract for contract in plan.contracts}
    days = list(volumes)
    ledger = []
    for old, new in zip(tape.segments[:-1], tape.segments[1:], strict=True):
        at = int(new["start"])
        day = tape.days[tape.session_of(at)].date
        known = volumes[days[max(days.index(day) - 1, 0)]]
        names = {"from": str(old["contract"]), "to": str(new["contract"])}
        traded = {f"{end}_volume": known.get(by_symbol[name], 0) for end, name in names.items()}
        gap = (tape.price(at) - tape.price(at - 1)) * plan.instrument.tick_nanos / NANOS
        ledger.append({"date": day.isoformat(), **names, **traded, "gap_points": gap})
    return ledger


def _first_front(plan: Plan, roll: Roll, volumes: Volumes, tape: Arrangement) -> dict[str, Any]:
    """Tell what chose the contract of the first session date, where there is no previous one."""
    day, symbol = tape.days[0].date, str(tape.segments[0]["contract"])
    volume = next(v for contract, v in volumes[day].items() if contract.symbol == symbol)
    by_itself = roll.rule == "volume" and not plan.contracts[0].continuous
    why = "its own volume, as no session date before it is known" if by_itself else "the roll rule"
    return {"date": day.isoformat(), "contract": symbol, "volume": volume, "chosen_by": why}
