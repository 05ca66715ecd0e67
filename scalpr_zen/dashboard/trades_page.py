"""Pages of the trade log: filtered, sorted and cut on the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from scalpr_zen.base.arrays import Array, Bools
from scalpr_zen.base.errors import ParameterError
from scalpr_zen.base.params import Parameters, param
from scalpr_zen.base.sessions import chicago_text
from scalpr_zen.base.units import ticks_to_points
from scalpr_zen.render.text import counted, number
from scalpr_zen.runs import trade_log
from scalpr_zen.runs.result import Result
from scalpr_zen.simulation.kernel import OPEN, REASONS, STOPS, TARGET, TRIGGER, VOID

_FIELDS = {
    "side": "side",
    "exit_reason": "reason",
    "net_usd": "net_usd",
    "entry_time": "entry",
    "entry_price": "entry_ticks",
    "exit_time": "exit",
    "exit_price": "exit_ticks",
    "gross_points": "gross_ticks",
    "mfe_points": "mfe_ticks",
    "mae_points": "mae_ticks",
    "contract": "segment",
    "session_date": "session",
}
BY_BRACKET = (TARGET, *STOPS)
COLUMNS = ("number", *_FIELDS)
TEXTS = ("side", "contract", "session_date", "entry_time", "exit_time", "exit_reason")
"""Columns of words; the others hold numbers."""


@dataclass(frozen=True, kw_only=True)
class Page(Parameters):
    """Which trades, in which order, and which page of them."""

    page: int = param(1, "Page of the trades.", low=1, high=10_000_000)
    size: int = param(50, "Trades of a page.", low=1, high=500)
    sort: str = param("number", "Column to sort by.", choices=COLUMNS)
    order: str = param("up", "Smallest or largest first.", choices=("up", "down"))
    side: str = param("all", "Only trades of a side.", choices=("all", "long", "short"))
    reason: str = param("closed", "Only trades of an exit reason.", choices=("closed", *REASONS.values()))
    contract: str = param("all", "Only trades of a contract.")
    first: str = param("", "Only trades of this session date or later.")
    last: str = param("", "Only trades of this session date or earlier.")


def heading(name: str) -> str:
    """Return the heading of a column of the log."""
    return name.replace("_", " ") + ", Chicago" * name.endswith("_time")


def page(result: Result, wanted: Page) -> dict[str, Any]:
    """Return one page of the trades of a result.

    Returns
    -------
    dict
        `matching`, the number of trades that pass the filters, `net_usd`, their sum, `found`, both in words, `pages`,
        and `trades`: one dict a trade with the columns of the CSV file (times of Chicago), the prints of signal, entry
        and exit, the prices of the bracket (the target, the stop at first, and the stop in force when one of them
        ended the trade, else None), and `text`: what the log shows in each of COLUMNS, a `title` and `facts`.
    """
    made = result.run.simulation
    ended = wanted.reason not in (REASONS[VOID], REASONS[OPEN])
    trades, triggers = (made.trades, made.triggers) if ended else (made.unclosed, np.zeros(len(made.unclosed), TRIGGER))
    matching = np.flatnonzero(_matches(trades, result, wanted))
    if wanted.sort != "number":
        keys = trades[_FIELDS[wanted.sort]][matching]
        matching = matching[np.argsort(keys, kind="stable")]
    if wanted.order == "down":
        matching = matching[::-1]
    shown = matching[(wanted.page - 1) * wanted.size : wanted.page * wanted.size]
    usd = float(trades["net_usd"][matching].sum())
    return {
        "matching": len(matching),
        "net_usd": usd,
        "found": f"{counted(len(matching), 'trade')}, {number(usd, 'usd')}",
        "page": wanted.page,
        "pages": -(-len(matching) // wanted.size),
        "trades": _rows(trades[shown], triggers[shown], shown + 1, result),
    }


def _matches(trades: Array, result: Result, wanted: Page) -> Bools:
    tape, match = result.tape, np.ones(len(trades), np.bool_)
    if wanted.reason != "closed":
        match &= trades["reason"] == next(code for code, word in REASONS.items() if word == wanted.reason)
    if wanted.side != "all":
        match &= trades["side"] == (1 if wanted.side == "long" else -1)
    if wanted.contract != "all":
        names = tape.segments["contract"].tolist()
        if wanted.contract not in names:
            raise ParameterError(
                f"contract must be one of {', '.join(['all', *names])}, was {wanted.contract!r}", "contract"
            )
        match &= np.array([name == wanted.contract for name in names])[trades["segment"]]
    dates = tape.sessions["date"][trades["session"]]
    if wanted.first:
        match &= dates >= _date("first", wanted.first)
    if wanted.last:
        match &= dates <= _date("last", wanted.last)
    return match


def _date(name: str, text: str) -> np.datetime64:
    try:
        return np.datetime64(date.fromisoformat(text), "D")
    except ValueError:
        raise ParameterError(f"{name} must be a date like 2024-12-16, was {text!r}", name) from None


def _rows(trades: Array, triggers: Array, numbers: Array, result: Result) -> list[Mapping[str, Any]]:
    """Return trades as dicts of plain values."""
    tape, nanos = result.tape, result.tape.instrument.tick_nanos
    columns = trade_log.columns(trades, tape, result.run.setup.execution)
    values = {name: column.tolist() for name, column in columns.items()} | {"number": numbers.tolist()}
    values["session_date"] = columns["session_date"].astype(str).tolist()
    values["entry_time"], values["exit_time"] = chicago_text(trades["entry_ts"]), chicago_text(trades["exit_ts"])
    values |= {name: trades[name].tolist() for name in ("signal", "entry", "exit")}
    long, short = (np.array(result.run.setup.bracket.distances(tape.instrument, side)) for side in (1, -1))
    take_profit, stop_loss = np.where(trades["side"][:, None] > 0, long, short).T
    entry, side = trades["entry_ticks"].astype(np.int64), trades["side"].astype(np.int64)
    values["target_price"] = ticks_to_points(entry + side * take_profit, nanos).tolist()
    values["stop_price"] = ticks_to_points(entry - side * stop_loss, nanos).tolist()
    last = ticks_to_points(triggers["level_ticks"].astype(np.int64), nanos).tolist()
    by_bracket = np.isin(trades["reason"], BY_BRACKET).tolist()
    values["last_stop_price"] = [price if mine else None for price, mine in zip(last, by_bracket, strict=True)]
    rows = [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
    price, ticks = trade_log.price_format(tape.instrument), {n: f for n, f in _FIELDS.items() if f.endswith("_ticks")}
    prices = [{name: price(int(trade[field])) for name, field in ticks.items()} for trade in trades]
    stamp = "SYNTHETIC " * tape.synthetic
    return [row | {"text": _text(row, mine, stamp)} for row, mine in zip(rows, prices, strict=True)]


def _text(row: Mapping[str, Any], prices: Mapping[str, str], stamp: str) -> dict[str, str]:
    """Return a trade in words: each column of the log, the title and the facts of its window."""
    text = {name: prices.get(name) or _cell(name, row[name]) for name in COLUMNS}
    what = f"{stamp}{row['side']} {row['contract']} trade {row['number']} of {row['session_date']}"
    entry, end = (f"{text[f'{name}_price']} at {row[f'{name}_time'].replace('T', ' ')}" for name in ("entry", "exit"))
    excursions = f"MAE {text['mae_points']}, MFE {text['mfe_points']} points"
    return text | {
        "title": f"{what}, {row['exit_reason']}, {text['net_usd']}",
        "facts": f"entry {entry}, exit {end}; {excursions}",
    }


def _cell(name: str, value: Any) -> str:
    if name == "net_usd":
        return number(value, "usd", signed=True)
    return value[:23].replace("T", " ") if name.endswith("_time") else str(value)
