"""The trade log: trades as columns of text, for the report and the CSV file.

A year has some 200,000 trades but only a few thousand different prices and amounts, so each different value
is formatted once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalpr_zen.sessions import chicago_text, utc_text
from scalpr_zen.simulate import REASONS, Execution
from scalpr_zen.tape import Tape

Array = NDArray[Any]
Columns = dict[str, Array]

SIDES = {1: "LONG", -1: "SHORT"}
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


def columns(trades: Array, tape: Tape, execution: Execution) -> Columns:
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

    def points(name: str) -> Array:
        return trades[name].astype(np.int64) * nanos / 1e9

    return {
        "number": np.arange(1, len(trades) + 1),
        "side": np.where(trades["side"] > 0, SIDES[1], SIDES[-1]),
        "contract": tape.segments["contract"][trades["segment"]],
        "session_date": tape.sessions["date"][trades["session"]],
        "entry_time": trades["entry_ts"],
        "entry_price": points("entry_ticks"),
        "exit_time": trades["exit_ts"],
        "exit_price": points("exit_ticks"),
        "exit_reason": np.array(["", *REASONS.values()])[trades["reason"]],
        "gross_points": points("gross_ticks"),
        "commission_usd": np.full(len(trades), 2 * execution.commission * execution.contracts),
        "net_usd": trades["net_usd"],
        "mfe_points": points("mfe_ticks"),
        "mae_points": points("mae_ticks"),
    }


def csv_lines(values: Columns, tick_size: float) -> Iterable[str]:
    """Give the CSV file line by line: times ISO 8601 UTC with nanoseconds, prices in points."""
    price = price_format(tick_size)
    text = {name: _text(column, str) for name, column in values.items() if not name.endswith("_time")}
    text |= {name: _text(values[name], price) for name in values if name.endswith(("_price", "_points"))}
    text |= {name: utc_text(values[name]) for name in ("entry_time", "exit_time")}
    yield ",".join(CSV_COLUMNS)
    yield from map(",".join, zip(*(text[name] for name in CSV_COLUMNS), strict=True))


def log_lines(values: Columns, tick_size: float) -> Iterable[str]:
    """Give the trade log of the report line by line: times in Chicago with their offset."""
    price = price_format(tick_size)
    formats: dict[str, tuple[int, Callable[[Any], str]]] = {
        "number": (8, str),
        "side": (-5, str),
        "contract": (-6, str),
        "entry_price": (12, price),
        "exit_price": (12, price),
        "exit_reason": (-6, str),
        "gross_points": (10, price),
        "net_usd": (11, "{:.2f}".format),
        "mfe_points": (10, price),
        "mae_points": (10, price),
    }
    text = {name: _text(values[name], form, width) for name, (width, form) in formats.items()}
    text |= {name: chicago_text(values[name], "ms") for name in ("entry_time", "exit_time")}
    order = [name for name in CSV_COLUMNS if name in text]
    widths = {name: formats[name][0] if name in formats else -29 for name in order}
    yield "  ".join(_pad(name.replace("_", " "), widths[name]) for name in order).rstrip()
    yield from map("  ".join, zip(*(text[name] for name in order), strict=True))


def price_format(tick_size: float) -> Callable[[float], str]:
    """Return a format with as many decimals as the tick size has."""
    decimals = max(0, -int(Decimal(str(tick_size)).normalize().as_tuple().exponent))
    return f"{{:.{decimals}f}}".format


def _text(column: Array, form: Callable[[Any], str], width: int = 0) -> list[str]:
    """Format each different value once, padded to a width (negative: to the left)."""
    distinct, inverse = np.unique(column, return_inverse=True)
    texts = [_pad(form(value), width) for value in distinct.tolist()]
    return [texts[k] for k in inverse.tolist()]


def _pad(text: str, width: int) -> str:
    return text.rjust(width) if width > 0 else text.ljust(-width)
