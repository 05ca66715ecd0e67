"""The tape: the prints of the front months in order of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.atomic import atomic_write
from scalpr_zen.base.blocks import BLOCK, Blocks, blocks_of, range_of
from scalpr_zen.base.instruments import Instrument
from scalpr_zen.base.npz import NpzWriter
from scalpr_zen.data.calendar import late_and_early
from scalpr_zen.data.from_prints import tape_parts
from scalpr_zen.data.tables import COLUMNS, TABLES, cut_ranges
from scalpr_zen.data.tape_file import finish_tape, read_tape

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tape:
    """The prints of one front month after another, as columns of equal length n.

    Attributes
    ----------
    ts : array of int64, shape (n,)
        Exchange time of each print, ns UTC, never decreasing.
    price : array of int32, shape (n,)
        Price in ticks of the instrument.
    size : array of int32, shape (n,)
        Contracts.
    aggressor : array of int8, shape (n,)
        Buyer +1, seller -1, unknown 0.
    segments : array of SEGMENT, shape (number of contracts in a row,)
        Contract and print range `start:stop` from roll to roll; the segments cover the tape.
    sessions : array of SESSION, shape (number of session dates with prints,)
        Session date, print range, scheduled close in ns UTC, and whether the prints cover it from near its open to
        near its close; the sessions cover the tape.
    instrument : Instrument
        Tick size and point value.
    metadata : dict
        Sources, record ledger, roll ledger, closes, missing session dates, hash; what `scalpr info` prints.
    """

    ts: Array
    price: Array
    size: Array
    aggressor: Array
    segments: Array
    sessions: Array
    instrument: Instrument
    metadata: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ts)

    @cached_property
    def blocks(self) -> Blocks:
        """Lowest and highest price of each block of prints; read once."""
        return blocks_of(self.price)

    @cached_property
    def widest_range(self) -> int:
        """Highest less lowest price of the segment where that is largest, in ticks; 0 without prints."""
        bounds = zip(self.segments["start"].tolist(), self.segments["stop"].tolist(), strict=True)
        return max((range_of(self.price, self.blocks, start, stop) for start, stop in bounds), default=0)

    @cached_property
    def price_range(self) -> int:
        """Ticks from the lowest to the highest price; 0 without prints."""
        low, high = self.blocks
        return int(high.max()) - int(low.min()) if len(low) else 0

    @cached_property
    def session_range(self) -> int:
        """Ticks that the price moves at most between any two prints of a session date and the last print before it.

        From the blocks that hold them: it may be more by what lies in the rest of these, and is never less.
        """
        low, high = self.blocks
        first = np.maximum(self.sessions["start"] - 1, 0) // BLOCK
        stop = (self.sessions["stop"] - 1) // BLOCK + 1
        bounds = zip(first.tolist(), stop.tolist(), strict=True)
        return max((int(high[a:b].max()) - int(low[a:b].min()) for a, b in bounds), default=0)

    @property
    def synthetic(self) -> bool:
        """Whether the prints were made by the demo market."""
        return bool(self.metadata.get("synthetic", False))

    @property
    def missing(self) -> list[str]:
        """Scheduled session dates between the first and the last one that have no print, ISO."""
        return list(self.metadata.get("missing", []))

    @property
    def incomplete(self) -> list[str]:
        """Session dates whose prints do not cover them from near their open to near their close, ISO."""
        return [str(day) for day in self.sessions["date"][~self.sessions["whole"]]]

    @cached_property
    def late_and_early(self) -> tuple[Array, Array]:
        """Whether the prints of each session begin late, and whether they end early; both False where it is whole."""
        table = self.sessions
        first, last = self.ts[table["start"]], self.ts[table["stop"] - 1]
        late, early = late_and_early(self.instrument.calendar, table["date"], table["close"], first, last)
        return late & ~table["whole"], early & ~table["whole"]

    @classmethod
    def open(cls, path: str | Path, *, recheck: bool = False) -> Tape:
        """Map a tape file into memory, and check that it is the one that was written.

        Every column is read against its CRC-32 the first time that a file is opened; a file that has not changed since
        (path, size, times) opens at once, whatever its size.

        Parameters
        ----------
        path : path
        recheck : bool
            Read every column again, though the file was found whole before.

        Raises
        ------
        TapeError
            If the file is missing, truncated, damaged, no tape, or of another format.
        """
        return cls(**read_tape(Path(path), recheck))

    @classmethod
    def from_prints(
        cls,
        ts: Any,
        price: Any,
        *,
        instrument: Instrument,
        size: Any = None,
        aggressor: Any = None,
        contract: Any = None,
        closes: Mapping[str, str] | None = None,
        whole: Any = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Tape:
        """Make a tape in memory from plain columns, for tests, notebooks and other vendors' data.

        Parameters
        ----------
        ts : array_like of int, shape (n,)
            ns UTC, never decreasing.
        price : array_like of int, shape (n,)
            Ticks.
        instrument : Instrument
        size, aggressor : array_like of int, shape (n,), optional
            Contracts (default 1) and side of the aggressor (default 0, unknown).
        contract : array_like of str, shape (n,), optional
            Contract of each print; a change starts a segment. Default: one segment of the root's name.
        closes : mapping of session date to Chicago time, optional
            Closes that differ from the calendar of the instrument, ``{"2024-12-24": "12:15"}``.
        whole : bool or array_like of bool, shape (session dates,), optional
            Whether the prints cover each session date. Default: judged by its schedule.
        metadata : mapping, optional
            What else is known. Added are `closes` and `missing`, where they are not given.

        Raises
        ------
        TapeError
            If a column is not of whole numbers in its range, the lengths differ, the times decrease or are not of
            1990 to 2099, or a close is no time of a session date.
        """
        parts = tape_parts(ts, price, instrument, size, aggressor, contract, closes or {}, whole)
        return cls(**parts | {"metadata": {**parts["metadata"], **(metadata or {})}}, instrument=instrument)

    def cut(self, stop: int) -> Tape:
        """Return the tape of the first `stop` prints; see `part`."""
        return self.part(0, stop)

    def part(self, start: int, stop: int) -> Tape:
        """Return the tape of the prints start:stop, sharing memory with this one.

        Of the metadata it keeps whether it is synthetic, and the missing dates between its own: ledgers and hash are
        those of the whole. A session date that is cut beyond REACH of its schedule is not whole any more.
        """
        columns: dict[str, Any] = {name: getattr(self, name)[start:stop] for name in COLUMNS}
        tables: dict[str, Any] = {name: cut_ranges(getattr(self, name), start, stop) for name in TABLES}
        part = Tape(**columns, **tables, instrument=self.instrument)
        part.metadata["synthetic"] = self.synthetic
        if len(dates := part.sessions["date"]):
            part.metadata["missing"] = [day for day in self.missing if str(dates[0]) < day < str(dates[-1])]
            ends = part.sessions[[0, -1]]
            cut = [not self._begins_a_session(start), not self._begins_a_session(stop)]
            late, early = late_and_early(
                self.instrument.calendar, ends["date"], ends["close"], part.ts[ends["start"]], part.ts[ends["stop"] - 1]
            )
            part.sessions["whole"][0] &= not (cut[0] and late[0])
            part.sessions["whole"][-1] &= not (cut[1] and early[1])
        return part

    def _begins_a_session(self, index: int) -> bool:
        return index >= len(self) or index in self.sessions["start"]


def save_tape(tape: Tape, path: str | Path) -> Path:
    """Write a tape in memory to `path`, whole or not at all, and return the path."""
    path = Path(path)
    with atomic_write(path) as part, NpzWriter(part) as out:
        out.reserve(COLUMNS, len(tape))
        for name in COLUMNS:
            out.append(name, getattr(tape, name))
        out.seal(len(tape))
        finish_tape(out, tape.segments, tape.sessions, {"instrument": asdict(tape.instrument), **tape.metadata})
    return path


def signal_error(signals: Any, length: int) -> str:
    """Return what the signals of a tape of this length must be, and what these are instead; empty where they fit it."""
    if not isinstance(signals, np.ndarray) or signals.dtype != np.int8 or signals.shape != (length,):
        shape = f"{getattr(signals, 'dtype', type(signals).__name__)} {getattr(signals, 'shape', '')}".strip()
        return f"int8 ({length},), one a print, were {shape}"
    low, high = (int(signals.min()), int(signals.max())) if length else (0, 0)
    return f"-1, 0 or +1, were {low} to {high}" if low < -1 or high > 1 else ""
