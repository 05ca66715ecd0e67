"""The tape: the prints of the front months in order of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from scalpr_zen.base.arrays import Array as Array  # strategies import it from here
from scalpr_zen.base.atomic import atomic_write
from scalpr_zen.base.blocks import Blocks, blocks_of, extremes
from scalpr_zen.base.instruments import Instrument
from scalpr_zen.base.npz import NpzWriter
from scalpr_zen.data.calendar import late_and_early
from scalpr_zen.data.from_prints import tape_parts
from scalpr_zen.data.tables import COLUMNS, TABLES, cut_ranges
from scalpr_zen.data.tape_file import finish_tape, read_tape


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
        Contract and print range `start:stop`, from roll to roll; the segments cover the tape.
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
        """Lowest and highest price of each block of prints; computed once."""
        return blocks_of(self.price)

    @cached_property
    def widest_range(self) -> int:
        """The largest price range of a segment, in ticks; 0 without prints."""
        return self._widest(self.segments["start"], self.segments["stop"])

    @cached_property
    def price_range(self) -> int:
        """Ticks from the lowest to the highest price; 0 without prints."""
        return self._widest(self.segments["start"][:1], self.segments["stop"][-1:])

    @cached_property
    def session_range(self) -> int:
        """The largest price range, in ticks, of a session date and the last print before it; 0 without prints."""
        return self._widest(np.maximum(self.sessions["start"] - 1, 0), self.sessions["stop"])

    def _widest(self, starts: Array, stops: Array) -> int:
        found = (extremes(self.price, self.blocks, *ends) for ends in zip(starts.tolist(), stops.tolist(), strict=True))
        return max((high - low for low, high in found), default=0)

    @property
    def synthetic(self) -> bool:
        """Whether the prints come from the demo market."""
        return bool(self.metadata.get("synthetic", False))

    @property
    def missing(self) -> list[str]:
        """Scheduled session dates without a print, between the first and the last date, ISO."""
        return list(self.metadata.get("missing", []))

    @property
    def incomplete(self) -> list[str]:
        """Session dates that the prints do not cover from near their open to near their close, ISO."""
        return [str(day) for day in self.sessions["date"][~self.sessions["whole"]]]

    @cached_property
    def late_and_early(self) -> tuple[Array, Array]:
        """Whether the prints of each session begin late, and whether they end early; both False for a whole session."""
        table = self.sessions
        late, early = late_and_early(self.instrument.calendar, table, self.ts)
        return late & ~table["whole"], early & ~table["whole"]

    @classmethod
    def open(cls, path: str | Path, *, recheck: bool = False) -> Tape:
        """Map a tape file into memory, and check that it is as it was written.

        The CRC-32 of every column is checked when a file is opened for the first time; after that an unchanged file
        (path, size, times) opens at once, whatever its size.

        Parameters
        ----------
        path : path
        recheck : bool
            Check every column again, even if the file passed before.

        Raises
        ------
        TapeError
            If the file is missing, truncated, damaged, not a tape, or has another format.
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
        """Create a tape in memory from plain columns, for tests, notebooks and other vendors' data.

        Parameters
        ----------
        ts : array_like of int, shape (n,)
            ns UTC, never decreasing.
        price : array_like of int, shape (n,)
            Ticks.
        instrument : Instrument
        size, aggressor : array_like of int, shape (n,), optional
            Contracts (default 1) and aggressor side (default 0, unknown).
        contract : array_like of str, shape (n,), optional
            Contract of each print; a change starts a segment. Default: one segment with the root as its name.
        closes : mapping of session date to Chicago time, optional
            Closes that differ from the calendar of the instrument, ``{"2024-12-24": "12:15"}``.
        whole : bool or array_like of bool, shape (session dates,), optional
            Whether the prints cover each session date. Default: by its schedule.
        metadata : mapping, optional
            More metadata. `closes` and `missing` are added if not given.

        Raises
        ------
        TapeError
            If a column has values that are not whole numbers in its range, lengths differ, times decrease or are
            outside 1990 to 2099, or a close is not a time of a session date.
        """
        parts = tape_parts(ts, price, instrument, size, aggressor, contract, closes or {}, whole)
        return cls(**parts | {"metadata": {**parts["metadata"], **(metadata or {})}}, instrument=instrument)

    def cut(self, stop: int) -> Tape:
        """Return the tape of the first `stop` prints; see `part`."""
        return self.part(0, stop)

    def part(self, start: int, stop: int) -> Tape:
        """Return the tape of the prints start:stop, sharing memory with this one.

        Its metadata keep only whether it is synthetic, and the missing dates between its own: ledgers and hash belong
        to the whole tape. A session date that is cut beyond REACH of its schedule is no longer whole.
        """
        columns: dict[str, Any] = {name: getattr(self, name)[start:stop] for name in COLUMNS}
        tables: dict[str, Any] = {name: cut_ranges(getattr(self, name), start, stop) for name in TABLES}
        part = Tape(**columns, **tables, instrument=self.instrument)
        part.metadata["synthetic"] = self.synthetic
        if len(dates := part.sessions["date"]):
            part.metadata["missing"] = [day for day in self.missing if str(dates[0]) < day < str(dates[-1])]
            cut = [not self._begins_a_session(start), not self._begins_a_session(stop)]
            late, early = late_and_early(self.instrument.calendar, part.sessions[[0, -1]], part.ts)
            part.sessions["whole"][0] &= not (cut[0] and late[0])
            part.sessions["whole"][-1] &= not (cut[1] and early[1])
        return part

    def _begins_a_session(self, index: int) -> bool:
        return index >= len(self) or index in self.sessions["start"]


def save_tape(tape: Tape, path: str | Path) -> Path:
    """Write a tape in memory to `path`, completely or not at all, and return the path."""
    path = Path(path)
    with atomic_write(path) as part, NpzWriter(part) as out:
        out.reserve(COLUMNS, len(tape))
        for name in COLUMNS:
            out.append(name, getattr(tape, name))
        out.seal(len(tape))
        finish_tape(out, tape.segments, tape.sessions, {"instrument": asdict(tape.instrument), **tape.metadata})
    return path


def signal_error(signals: Any, length: int) -> str:
    """Return what the signals of a tape of this length must be and what these were; empty if they are right."""
    if not isinstance(signals, np.ndarray) or signals.dtype != np.int8 or signals.shape != (length,):
        shape = f"{getattr(signals, 'dtype', type(signals).__name__)} {getattr(signals, 'shape', '')}".strip()
        return f"int8 ({length},), one a print, were {shape}"
    low, high = (int(signals.min()), int(signals.max())) if length else (0, 0)
    return f"-1, 0 or +1, were {low} to {high}" if low < -1 or high > 1 else ""
