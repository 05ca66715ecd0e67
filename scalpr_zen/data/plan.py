"""What ingest reads: the files, their contracts, and the meaning of every instrument id."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from scalpr_zen.base.arrays import Dates, Int64
from scalpr_zen.base.errors import DataError
from scalpr_zen.base.instruments import Instrument
from scalpr_zen.base.sessions import session_calendar
from scalpr_zen.base.units import day_ns, utc_date
from scalpr_zen.data.columns import MAX_CLOCK_ERROR, MAX_DELAY, REASONS
from scalpr_zen.data.dbn import Interval, Source
from scalpr_zen.data.front_month import SPREAD, Contract, classify, named, root_of

_DBN_NAME = re.compile(r"\.(dbn(\.zst)?|dbz)$")


@dataclass(frozen=True)
class Plan:
    """The files, the contracts in order of expiry, the sessions, and each file's symbols, as `Splitter` takes them."""

    instrument: Instrument
    sources: Sequence[Source]
    contracts: Sequence[Contract]
    symbols: Sequence[Int64]
    dates: Dates
    opens: Int64


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


def make_plan(sources: list[Source], instrument: Instrument) -> Plan:
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
    tables = [_symbol_table(meaning, contracts) for meaning in meanings]
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


def _symbol_table(meaning: Mapping[Interval, Contract | str], contracts: Sequence[Contract]) -> Int64:
    """Return the look-up table of a file's instrument ids, as `Splitter` takes it."""
    codes: dict[Contract | str, int] = {reason: -number for number, reason in enumerate(REASONS, start=1)}
    codes |= {contract: number for number, contract in enumerate(contracts)}
    rows = []
    for interval, means in meaning.items():
        days = (min(max(day_ns(day), -(2**62)), 2**62) for day in (interval.start, interval.stop))
        rows.append((interval.instrument_id, *days, codes[means]))
    return np.array(sorted(rows), np.int64).reshape(-1, 4).T.copy()
