"""The trade log: trades as columns of text, for the report and the CSV file.

A year has some 200,000 trades but only a few thousand different prices and amounts, so each different value
is formatted once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.base.instruments import Instrument
from scalpr_zen.base.sessions import chicago_text, utc_text
from scalpr_zen.base.units import ticks_to_points
from scalpr_zen.data.tape import Tape
from scalpr_zen.simulation.execution import Execution
from scalpr_zen.simulation.kernel import REASONS

Array = NDArray[Any]

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


def csv_lines(trades: Array, tape: Tape, execution: Execution) -> Iterator[str]:
    """Give the CSV file line by line: times ISO 8601 UTC with nanoseconds, prices in points.

    Every row of a synthetic tape says so with its contract, because the file has no other place for it.
    """
    commission = str(execution.cost_usd)
    text = {
        "number": list(map(str, range(1, len(trades) + 1))),
        "session_date": _labelled(trades["session"], tape.sessions["date"].astype(str).tolist()),
        "entry_time": utc_text(trades["entry_ts"]),
        "exit_time": utc_text(trades["exit_ts"]),
        "commission_usd": [commission] * len(trades),
        "net_usd": _distinct(trades["net_usd"], str),
    }
    text |= {name: _labelled(codes, labels) for name, (codes, labels) in _coded(trades, tape).items()}
    if tape.synthetic:
        text["contract"] = [f"{contract} SYNTHETIC" for contract in text["contract"]]
    price = price_format(tape.instrument)
    text |= {name: _distinct(trades[field], price) for name, field in _IN_TICKS.items()}
    yield ",".join(CSV_COLUMNS)
    yield from map(",".join, zip(*(text[name] for name in CSV_COLUMNS), strict=True))


def log_lines(trades: Array, tape: Tape) -> Iterator[str]:
    """Give the trade log of the report line by line: times in Chicago with their offset."""
    price = price_format(tape.instrument)
    text = {
        "number": _padded(">8", list(map(str, range(1, len(trades) + 1)))),
        "session_date": _labelled(trades["session"], _padded("<12", tape.sessions["date"].astype(str).tolist())),
        "entry_time": chicago_text(trades["entry_ts"]),
        "exit_time": chicago_text(trades["exit_ts"]),
        "net_usd": _distinct(trades["net_usd"], "{:>12.2f}".format),
    }
    widths = {"number": ">8", "session_date": "<12", "entry_time": "<29", "exit_time": "<29"}
    for name, (codes, labels) in _coded(trades, tape).items():
        widths[name] = f"<{max(map(len, [name, *labels]))}"
        text[name] = _labelled(codes, _padded(widths[name], labels))
    for name, field in _IN_TICKS.items():
        text[name] = _distinct(trades[field], lambda ticks: f"{price(ticks):>12}")
    shown = [name for name in CSV_COLUMNS if name in text]
    yield "  ".join(format(name.replace("_", " "), widths.get(name, ">12")) for name in shown)
    yield from map("  ".join, zip(*(text[name] for name in shown), strict=True))


def price_format(instrument: Instrument) -> Callable[[int], str]:
    """Return a format of ticks as points, with as many decimals as the tick size has."""
    tick = Decimal(str(instrument.tick_size))
    decimals = max(0, -int(tick.normalize().as_tuple().exponent))
    return lambda ticks: f"{tick * ticks:.{decimals}f}"


def _coded(trades: Array, tape: Tape) -> dict[str, tuple[Array, list[str]]]:
    """Return the columns of words as (number of the word of each trade, words)."""
    return {
        "side": ((trades["side"] < 0).astype(np.int8), ["LONG", "SHORT"]),
        "contract": (trades["segment"], tape.segments["contract"].tolist()),
        "exit_reason": (trades["reason"], ["", *REASONS.values()]),
    }


def _padded(width: str, texts: list[str]) -> list[str]:
    return [format(text, width) for text in texts]


def _labelled(codes: Array, labels: list[str]) -> list[str]:
    return [labels[code] for code in codes.tolist()]


def _distinct(column: Array, form: Callable[[Any], str]) -> list[str]:
    """Format each different value once."""
    values, codes = np.unique(column, return_inverse=True)
    return _labelled(codes, list(map(form, values.tolist())))
