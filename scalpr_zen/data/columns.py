"""Records to columns: every record is judged once, and sorted by session date and contract.

Two kernels process a batch at a time: `_judge_kernel` finds the group of each record, or the reason why it is no print;
`_scatter_kernel` writes the columns, group by group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from scalpr_zen.base.arrays import Array, Int64
from scalpr_zen.base.compiled import inner, njit, without_counts
from scalpr_zen.base.errors import DataError
from scalpr_zen.base.units import MAX_TICKS, NANOS
from scalpr_zen.data.dbn import BATCH_RECORDS, Source, utc_moment
from scalpr_zen.data.front_month import OTHER_ROOT, SPREAD
from scalpr_zen.data.tables import COLUMNS
from scalpr_zen.data.tick_check import price_steps

PRINT_COLUMNS: dict[str, np.dtype[Any]] = {**COLUMNS, "sequence": np.dtype("<u4")}
"""The columns of a tape, and the sequence number, which orders prints of the same time."""

REASONS = (OTHER_ROOT, SPREAD, "not_a_trade", "undefined_price", "out_of_range", "off_tick_grid", "zero_size")
"""Why a record is not a print of an outright of the root, in the order of the checks."""
_NOT_A_TRADE, _UNDEFINED_PRICE, _OUT_OF_RANGE, OFF_GRID, _ZERO_SIZE = range(3, 8)

_FAULTS = (
    "has no trade record's length and type",
    "has an instrument id that is not in the header on its date",
    "has a time outside the range of the header",
    "was received or sent before it happened",
    "has an unknown aggressor side",
)
_BAD_FRAMING, _UNKNOWN_ID, _OUTSIDE_RANGE, _BEFORE_EVENT, _UNKNOWN_SIDE = range(1, 6)

MAX_CLOCK_ERROR = NANOS
"""How far a receive or send time may lie before the exchange's own time. The clocks of the exchange and the vendor
agree within microseconds (older data: milliseconds); a flipped bit in a timestamp usually exceeds a second."""
MAX_DELAY = 60 * NANOS
"""How far an exchange time may lie before the file's range, which is a range of receive times."""

MAX_SIZE = 2**31 - 1
"""The largest size an int32 column can hold."""
SAMPLED_RECORDS, ENOUGH_STEPS = 4096, 1000
"""Price changes for the tick check: from the first records of each batch, until the file has given enough."""
UNDEF_PRICE = np.int64(2**63 - 1)
_BAD_TS_RECV = 0x08
_ACTION_TRADE, _SIDE_ASK, _SIDE_BID, _SIDE_NONE = ord("T"), ord("A"), ord("B"), ord("N")


class Limits(NamedTuple):
    """Scalars of the kernel: the file's range in ns, the tick in 1e-9 points, the number of contracts."""

    start: int
    end: int
    tick_nanos: int
    contracts: int
    record_words: int


@dataclass(frozen=True)
class Block:
    """Prints of one session date and contract from one batch of one file, each in the order of the file.

    `columns` are those of PRINT_COLUMNS. `first` and `last` are the (ts_event, sequence) of its ends. `late` rows come
    after a row of their contract in the file that is later; a block without any is in order.
    """

    source: int
    session: int
    contract: int
    rows: int
    volume: int
    late: int
    first: tuple[int, int]
    last: tuple[int, int]
    columns: dict[str, Array]


class Splitter:
    """Judges the records of one file batch by batch, and writes their prints as columns.

    Parameters
    ----------
    number : int
        Number of the file.
    source : Source
    symbols : array of int64, shape (4, s)
        The meaning of each instrument id: id, start and stop in ns, and the number of its contract or minus that of a
        reason; ordered by id, then start.
    opens : array of int64
        When each session begins; session k is `opens[k] <= ts < opens[k + 1]`.
    tick_nanos : int
        The tick in 1e-9 points.
    contracts : int
        Number of contracts in the symbol table.

    Attributes
    ----------
    records : int
        Records so far.
    reasons : array of int64, shape (len(REASONS) + 1,)
        Records that are no print, by the number of the reason.
    steps : list of array of int64
        Some price changes of the outrights, 1e-9 points, including prices out of range or off the grid.
    """

    def __init__(
        self, number: int, source: Source, symbols: Array, opens: Int64, tick_nanos: int, contracts: int
    ) -> None:
        self.records, self.reasons = 0, np.zeros(len(REASONS) + 1, np.int64)
        self.steps: list[Int64] = []
        ends = [source.start - MAX_DELAY, source.end + MAX_CLOCK_ERROR]
        self._first, last = (np.searchsorted(opens, ends, side="right") - 1).tolist()
        self._number, self._source, self._symbols, self._opens = number, source, symbols, opens[self._first : last + 2]
        self._limits = Limits(source.start, source.end, tick_nanos, contracts, source.record.itemsize // 4)
        self._groups = (len(self._opens) - 1) * contracts
        self._keys, self._ticks = np.empty(BATCH_RECORDS, np.int32), np.empty(BATCH_RECORDS, np.int32)
        self._latest = np.zeros((contracts, 2), np.int64)
        self._sampled = 0

    def split(self, records: Array) -> list[Block]:
        """Return the blocks of the next batch of records, at most BATCH_RECORDS.

        Raises
        ------
        DataError
            At the first record that shows that the file is damaged.
        """
        counts, volumes = np.zeros(self._groups, np.int64), np.zeros(self._groups, np.int64)
        judged = (self._keys, self._ticks, counts, volumes, self.reasons)
        ids, starts, ends, codes = self._symbols
        bad, fault = _judge_kernel(records, ids, starts, ends, codes, self._opens, self._limits, *judged)
        if fault:
            raise self._damaged(records, bad, fault)
        self.records += len(records)
        self._sample(records)
        used = np.flatnonzero(counts)
        stops = np.cumsum(counts[used])
        cursor, late = np.zeros(self._groups, np.int64), np.zeros(self._groups, np.int64)
        cursor[used] = stops - counts[used]
        columns = {name: np.empty(int(counts.sum()), dtype) for name, dtype in PRINT_COLUMNS.items()}
        _scatter_kernel(records, self._keys, self._ticks, cursor, self._latest, late, *columns.values())
        groups = zip(used.tolist(), stops.tolist(), counts[used].tolist(), volumes[used].tolist(), strict=True)
        return [self._block(key, columns, stop, rows, volume, int(late[key])) for key, stop, rows, volume in groups]

    def _block(self, key: int, columns: dict[str, Array], stop: int, rows: int, volume: int, late: int) -> Block:
        session, contract = divmod(key, self._limits.contracts)
        mine = {name: column[stop - rows : stop] for name, column in columns.items()}
        first, last = ((int(mine["ts"][k]), int(mine["sequence"][k])) for k in (0, -1))
        return Block(self._number, self._first + session, contract, rows, volume, late, first, last, mine)

    def _sample(self, records: Array) -> None:
        """Keep price changes from the head of a batch, until the file has given enough."""
        if self._sampled >= ENOUGH_STEPS:
            return
        keys = self._keys[: min(len(records), SAMPLED_RECORDS)]
        rows = np.flatnonzero(keys != -1)
        codes = np.where(keys >= 0, keys % self._limits.contracts, -2 - keys)
        self.steps.append(price_steps(codes[rows], records["price"][rows]))
        self._sampled += len(self.steps[-1])

    def _damaged(self, records: Array, bad: int, fault: int) -> DataError:
        path, moment = self._source.path, utc_moment(int(records[bad]["ts_event"]))
        record = f"record {self.records + bad} (event {moment})"
        return DataError(f"{path.name} is damaged: {record} {_FAULTS[fault - 1]}; download it again ({path})")


@njit(cache=True, nogil=True, **without_counts)
def _judge_kernel(records, ids, starts, stops, codes, opens, limits, keys, ticks, counts, volumes, reasons):  # type: ignore[no-untyped-def]
    """Find the group of each record, or the reason why it is no print.

    Reads    records (n,), the symbol table (s,) ordered by id, the session opens (d,) ns
    Writes   keys (n,): session * contracts + contract, -2 - contract out of range or off the grid, else -1;
             ticks (n,); counts and volumes by key; reasons
    Returns  index and number of the first fault, (0, 0) without one
    Order    prints keep the order of the file inside a group
    Oracle   tests/naive_preprocess.py, preprocess
    """
    inverse = 1.0 / limits.tick_nanos
    earliest, latest = limits.start - MAX_DELAY, limits.end + MAX_CLOCK_ERROR
    known = np.int64(-1)
    known_start = known_stop = code = opened = closed = np.int64(0)
    session = 0
    for i in range(len(records)):
        r = records[i]
        if r["length"] != limits.record_words or r["rtype"] != 0:
            return i, _BAD_FRAMING
        ts, received = r["ts_event"], r["ts_recv"]
        trusted = received >= 0 and not r["flags"] & _BAD_TS_RECV
        moment = received if trusted else ts
        if moment < limits.start or moment > limits.end or ts < earliest or ts > latest:
            return i, _OUTSIDE_RANGE
        if trusted and min(received, received - r["ts_in_delta"]) < ts - MAX_CLOCK_ERROR:
            return i, _BEFORE_EVENT

        instrument_id = np.int64(r["instrument_id"])
        if instrument_id != known or moment < known_start or moment >= known_stop:
            row = _first_from(ids, instrument_id)
            while row < len(ids) and ids[row] == instrument_id and moment >= stops[row]:
                row += 1
            if row >= len(ids) or ids[row] != instrument_id or moment < starts[row]:
                return i, _UNKNOWN_ID
            known, known_start, known_stop, code = ids[row], starts[row], stops[row], codes[row]
        side = r["side"]
        if not ((side == _SIDE_ASK) | (side == _SIDE_BID) | (side == _SIDE_NONE)):
            return i, _UNKNOWN_SIDE

        keys[i] = -1
        if code < 0:
            reasons[-code] += 1
            continue
        if r["action"] != _ACTION_TRADE:
            reasons[_NOT_A_TRADE] += 1
            continue
        price = r["price"]
        if price == UNDEF_PRICE:
            reasons[_UNDEFINED_PRICE] += 1
            continue
        # An int64 division costs ten times a multiplication; the product proves the rounded quotient.
        quotient = np.int64(np.rint(price * inverse))
        size = np.int64(r["size"])
        if abs(quotient) >= MAX_TICKS or size > MAX_SIZE:
            reasons[_OUT_OF_RANGE] += 1
            keys[i] = -2 - code
            continue
        if quotient * limits.tick_nanos != price:
            reasons[OFF_GRID] += 1
            keys[i] = -2 - code
            continue
        if size == 0:
            reasons[_ZERO_SIZE] += 1
            continue
        if ts < opened or ts >= closed:
            session = _first_from(opens, ts + 1) - 1
            opened, closed = opens[session], opens[session + 1]
        key = session * limits.contracts + code
        keys[i] = key
        ticks[i] = quotient
        counts[np.uint64(key)] += 1  # unsigned, or numba tests every index for being negative
        volumes[np.uint64(key)] += size
    return 0, 0


@inner
def _first_from(values, bound):  # type: ignore[no-untyped-def]
    """Return where the values at or above a bound begin; np.searchsorted takes 0.5 s to compile."""
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] < bound:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True, **without_counts)
def _scatter_kernel(records, keys, ticks, cursor, latest, late, ts, price, size, aggressor, sequence):  # type: ignore[no-untyped-def]
    """Write the columns of the prints, each at the cursor of its group.

    Reads    records, keys and ticks (n,)
    Writes   ts, price, size, aggressor, sequence (prints,); cursor by key moves from the start to the end of
             its group; latest (contracts, 2), the highest (ts_event, sequence) so far; late by key
    Order    as in the file inside a group
    Oracle   tests/naive_preprocess.py, preprocess
    """
    for i in range(len(records)):
        key = keys[i]
        if key < 0:
            continue
        at = np.uint64(cursor[key])
        cursor[key] += 1
        r = records[i]
        moment, number = r["ts_event"], np.int64(r["sequence"])
        ts[at], price[at], size[at], sequence[at] = moment, ticks[i], r["size"], number
        aggressor[at] = int(r["side"] == _SIDE_BID) - int(r["side"] == _SIDE_ASK)
        highest = latest[key % len(latest)]
        if moment < highest[0] or (moment == highest[0] and number < highest[1]):
            late[key] += 1
        else:
            highest[0], highest[1] = moment, number
