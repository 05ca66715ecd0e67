"""The trade log: trades as columns of text, for the report and the CSV file."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cache

import numpy as np

from scalpr_zen.base.arrays import Array
from scalpr_zen.base.instruments import Instrument
from scalpr_zen.base.sessions import chicago_columns, utc_columns
from scalpr_zen.base.texts import formatted, joined, labelled, numbered
from scalpr_zen.base.units import ticks_to_points
from scalpr_zen.data.tape import Tape
from scalpr_zen.simulation.execution import Execution
from scalpr_zen.simulation.kernel import REASONS

CSV_COLUMNS = (
    "number",
    "side",
    "contract",
    "session_date",
    "entry_time",
    "entry_price",
    "exit_time",
    "exit_price",
    "exit_reason",
    "gross_points",
    "commission_usd",
    "net_usd",
    "mfe_points",
    "mae_points",
)


_IN_TICKS = {
    "entry_price": "entry_ticks",
    "exit_price": "exit_ticks",
    "gross_points": "gross_ticks",
    "mfe_points": "mfe_ticks",
    "mae_points": "mae_ticks",
}


def columns(trades: Array, tape: Tape, execution: Execution) -> dict[str, Array]:
    """Return the columns of CSV_COLUMNS as arrays of values: prices in points, times in ns UTC.

    Parameters
    ----------
    trades : array of TRADE, shape (n,)
    tape : Tape
        Contract names, session dates and tick size.
    execution : Execution
        Commission and contracts.
    """
    nanos = tape.instrument.tick_nanos
    values = {
        "number": np.arange(1, len(trades) + 1),
        "session_date": tape.sessions["date"][trades["session"]],
        "entry_time": trades["entry_ts"],
        "exit_time": trades["exit_ts"],
        "commission_usd": np.full(len(trades), execution.cost_usd),
        "net_usd": trades["net_usd"],
    }
    values |= {name: np.array(labels)[codes] for name, (codes, labels) in _coded(trades, tape).items()}
    values |= {name: ticks_to_points(trades[field].astype(np.int64), nanos) for name, field in _IN_TICKS.items()}
    return {name: values[name] for name in CSV_COLUMNS}


def csv_text(trades: Array, tape: Tape, execution: Execution) -> str:
    """Return the CSV file: times ISO 8601 UTC with nanoseconds, prices in points.

    Every row of a synthetic tape says so with its contract, because the file has no other place for it.
    """
    synthetic = " SYNTHETIC" * tape.synthetic
    text: dict[str, list[Array | bytes]] = {
        "number": numbered(len(trades)),
        "session_date": [labelled(trades["session"], tape.sessions["date"].astype(str).tolist())],
        "entry_time": utc_columns(trades["entry_ts"]),
        "exit_time": utc_columns(trades["exit_ts"]),
        "commission_usd": [str(execution.cost_usd).encode()],
        "net_usd": [formatted(trades["net_usd"], str)],
    }
    text |= {name: [labelled(codes, labels)] for name, (codes, labels) in _coded(trades, tape).items()}
    text["contract"].append(synthetic.encode())
    price = price_format(tape.instrument)
    text |= {name: [formatted(trades[field], price)] for name, field in _IN_TICKS.items()}
    return _table(",".join(CSV_COLUMNS), len(trades), [text[name] for name in CSV_COLUMNS], b",")


def log_text(trades: Array, tape: Tape) -> str:
    """Return the trade log of the report: times in Chicago with their offset."""
    price = price_format(tape.instrument)
    dates = tape.sessions["date"].astype(str).tolist()
    text: dict[str, list[Array | bytes]] = {
        "number": numbered(len(trades), 8),
        "session_date": [labelled(trades["session"], (f"{date:<12}" for date in dates))],
        "entry_time": chicago_columns(trades["entry_ts"]),
        "exit_time": chicago_columns(trades["exit_ts"]),
        "net_usd": [formatted(trades["net_usd"], "{:>12.2f}".format)],
    }
    widths = {"number": ">8", "session_date": "<12", "entry_time": "<29", "exit_time": "<29"}
    for name, (codes, labels) in _coded(trades, tape).items():
        widths[name] = f"<{max(map(len, [name, *labels]))}"
        text[name] = [labelled(codes, (format(label, widths[name]) for label in labels))]
    for name, field in _IN_TICKS.items():
        text[name] = [formatted(trades[field], lambda ticks: f"{price(ticks):>12}")]
    shown = [name for name in CSV_COLUMNS if name in text]
    heading = "  ".join(format(name.replace("_", " "), widths.get(name, ">12")) for name in shown)
    return _table(heading, len(trades), [text[name] for name in shown], b"  ")


def _table(heading: str, count: int, columns: list[list[Array | bytes]], between: bytes) -> str:
    """Return a table of text; each of its columns consists of one or more columns of bytes."""
    first, *others = columns
    return heading + joined(count, [*first, *(part for column in others for part in (between, *column))])


def price_format(instrument: Instrument) -> Callable[[int], str]:
    """Return a format of ticks as points, with as many decimals as the tick size has."""
    tick = Decimal(str(instrument.tick_size))
    decimals = max(0, -int(tick.normalize().as_tuple().exponent))
    unit = 10**decimals
    step = int(tick * unit)

    @cache
    def form(ticks: int) -> str:
        whole, part = divmod(abs(ticks) * step, unit)
        return f"{'-' * (ticks < 0)}{whole}" + f".{part:0{decimals}d}" * (decimals > 0)

    return form


def _coded(trades: Array, tape: Tape) -> dict[str, tuple[Array, list[str]]]:
    """Return the columns of words as (number of the word of each trade, words)."""
    return {
        "side": ((trades["side"] < 0).astype(np.int8), ["LONG", "SHORT"]),
        "contract": (trades["segment"], tape.segments["contract"].tolist()),
        "exit_reason": (trades["reason"], ["", *REASONS.values()]),
    }
