"""The notes of a result: what a trader should know before he believes it, a sentence each."""

from __future__ import annotations

from collections.abc import Sequence

from scalpr_zen.render.text import Values, counted, number
from scalpr_zen.sections.statistics import FEW_DATES

COUNTS = {
    "closed": "trades",
    "void": "still open at the last print of their segment; out of the statistics",
    "open": "still open at the end of the tape; out of the statistics",
    "unfilled": "no later print in their session and segment",
    "ignored": "a position was open",
    "other_side": "of a side that is not traded",
    "outside": "outside the entry windows and weekdays, or too near the close",
    "session_over": "after the trades or the limit of their session",
    "in_cooldown": "in the cooldown after an exit",
}
"""What became of the signals."""

INSIDE_TOLD = 0.05
"""By how much the share of entries inside the spread must exceed that of random ones to be told at the top."""


def notes(parameters: Values, statistics: Values, own_point_value: float) -> list[str]:
    """Return a sentence for each choice by which fills or costs are optimistic, or the money other, than a trader's."""
    made = []
    if parameters["entry"] == "signal":
        made.append("OPTIMISTIC entry=signal: an entry fills at the signal's own print, inside its event")
    if parameters["stop_fill"] == "level":
        made.append(
            "OPTIMISTIC stop_fill=level: a stop fills at its price, though the market may have gapped beyond it, or "
            "have left it before a moved stop arrived"
        )
    if parameters["stop_fill"] == "trigger":
        made.append("stop_fill=trigger: a stop fills at the price of the very print that triggered it")
    if parameters["target_fill"] == "touch":
        made.append("target_fill=touch: a take profit fills at the first print at its price, as if first in the queue")
    if parameters["target_fill"] == "queue":
        made.append(
            f"target_fill=queue: {parameters['queue_ahead']:,} contracts ahead are assumed, and half the size of "
            "prints without an aggressor counts"
        )
    if parameters["roll_exit"] == "close":
        made.append("roll_exit=close: a trade is closed at its segment's last print, which nobody knows to be the last")
    if parameters["latency_ms"] == 0:
        made.append("latency_ms=0: an order reaches the exchange before the next event")
    if parameters["overlap"]:
        made.append("overlap: every signal is traded on its own; no account can hold these trades one by one")
    if parameters["point_value"] != own_point_value:
        made.append(f"point_value is {parameters['point_value']:g} USD, the contract's own is {own_point_value:g}")
    if parameters["contracts"] != 1:
        sized = "only a target in a queue looks" if parameters["target_fill"] == "queue" else "no fill looks"
        made.append(f"contracts={parameters['contracts']}: buy & hold is one contract; {sized} at the size of a print")
    if parameters["slippage_ticks"] == 0:
        made.append(
            "slippage_ticks=0: a market order fills at the price of the next print, on either side of the spread"
        )
    if parameters["commission"] == 0 and parameters["slippage_ticks"] == 0 and statistics["trades"]:
        each = (
            f"each $1.00 of cost a round turn would take {number(float(statistics['trades']), 'usd')} from the net P&L"
        )
        made.append(f"no costs are set: {each}; break-even at {number(statistics['break_even_cost_usd'], 'usd')}")
    if statistics["trades"] and statistics["session_dates"] < FEW_DATES:
        made.append(
            f"only {counted(statistics['session_dates'], 'session date')} "
            f"count{'s' * (statistics['session_dates'] == 1)}: with fewer than {FEW_DATES}, Sharpe, Sortino, "
            "days profitable and the t-statistic by day say little"
        )
    return made


def no_trade_notes(result: Values) -> list[str]:
    """Return a sentence that says why no trade was closed, where none was."""
    counts = result["counts"]
    if counts["closed"]:
        return []
    if not result["tape"]["prints"]:
        return ["no trade: the tape has no print"]
    if not counts["signals"]:
        return ["no trade: the strategy gave no signal on this tape"]
    ends = ", ".join(f"{counts[key]:,} {key.replace('_', ' ')} ({why})" for key, why in COUNTS.items() if counts[key])
    return [f"no trade was closed: {counted(counts['signals'], 'signal')}, {ends}"]


def coverage_notes(result: Values) -> list[str]:
    """Return a sentence for each thing that the prints do not cover, and for each order that a session's end left."""
    made = []
    found, parameters = result["coverage"], result["parameters"]
    if missing := found["missing_dates"]:
        made.append(f"missing session dates: {missing:,}, scheduled but without a print, and in no figure; see TAPE")
    if incomplete := found["incomplete_dates"]:
        if parameters["incomplete_dates"] == "include":
            what = "incomplete_dates=include counts them in by-day statistics and drawings like whole ones; see TAPE"
        else:
            what = (
                "left out of by-day statistics, drawings and counts of dates; their trades stay in all other figures; "
                "see TAPE; incomplete_dates=include counts them"
            )
        made.append(f"incomplete session dates: {incomplete:,}, {what}")
    if across := found["trades_across_holes"]:
        held = "trade was" if across == 1 else "trades were"
        made.append(f"{across:,} {held} held across missing or incomplete session dates")
    if late := found["late_flat_exits"]:
        closed, own = ("position was", "its") if late == 1 else ("positions were", "their")
        made.append(
            f"{late:,} {closed} closed only in a later session "
            f"(flat_before_close={parameters['flat_before_close']:g}), because {own} own had no print after the order"
        )
    return made


def tape_notes(tape: Values) -> list[str]:
    """Return a sentence for each way in which a tape is less than its files, or not the contract that traders trade.

    Parameters
    ----------
    tape : mapping
        As `tape_facts` gives it.
    """
    made = []
    if rows := tape["left_out"]:
        prints = sum(row["prints"] for row in rows)
        made.append(
            f"{counted(len(rows), 'session date')} with {counted(prints, 'print')} of {tape['root']} not on the tape, "
            f"{_first(rows)}{rows[0]['reason']}"
        )
    if rows := tape["low_share"]:
        lowest = min(rows, key=lambda row: float(row["share"]))
        of = f"{counted(len(rows), 'session date')} of {tape['session_dates']:,}"
        made.append(
            f"{of} on which the front month holds under 30% of the outright volume, lowest on {lowest['date']}: "
            f"{low_share_text(lowest)}; --schedule sets the contracts"
        )
    if rows := tape["replaced"]:
        made.append(
            f"{counted(len(rows), 'session date')} on which the front month did not trade and a later one is taken, "
            f"{_first(rows)}{replaced_text(rows[0])}"
        )
    return made


def check_notes(result: Values) -> list[str]:
    """Return a sentence for each part of the net P&L that the checks made so far find to be a matter of its fills."""
    made = []
    if ends := fill_range(result):
        made.append(f"the fill model alone moves the net P&L from {ends}: see FILLS")
    entries = result["random_entries"]
    unpaid = entries.get("strategy_inside_share", 0.0) - entries.get("inside_share", 0.0)
    if unpaid >= INSIDE_TOLD and not result["parameters"]["slippage_ticks"]:
        own, drawn = (number(entries[name], "share") for name in ("strategy_inside_share", "inside_share"))
        made.append(
            f"{own} of the entries do not pay the spread, {drawn} of random ones: at one tick each "
            f"{number(ticks_usd(unpaid, result), 'usd')} of the net P&L is a spread that was not paid"
        )
    return made


def fill_range(result: Values) -> str:
    """Return the least and the largest net P&L under the fill models, at the costs that are set; empty without any."""
    fills = result["fills"]
    models = [(model(row), row) for row in fills.get("table", ()) if row["costs"] == "set"]
    models += [(f"entry=next, {model(row)}", row) for row in fills.get("entry_next", ())]
    traded = [(model, row["net_usd"]) for model, row in models if row["trades"]]
    return net_range(traded) if traded else ""


def model(row: Values) -> str:
    """Return the fill model of a row of the fill table."""
    return f"{row['target_fill']}, {row['stop_fill']}"


def net_range(nets: Sequence[tuple[str, float]]) -> str:
    """Return the least and the largest of some net P&Ls with their names."""
    ends = (choose(nets, key=lambda net: net[1]) for choose in (min, max))
    return " to ".join(f"{number(usd, 'usd')} ({name})" for name, usd in ends)


def ticks_usd(share: float, result: Values) -> float:
    """Return what one tick is worth on a share of the trades."""
    contracts = result["parameters"]["contracts"]
    return float(share * result["statistics"]["trades"] * result["tape"]["tick_value"] * contracts)


def low_share_text(row: Values) -> str:
    """Return the share that the front month has of the volume of a date."""
    return f"{row['contract']} holds {row['share']:.1%} of the outright volume"


def replaced_text(row: Values) -> str:
    """Return which contract stands for a front month that did not trade."""
    return f"{row['front']} did not trade, {row['taken']} taken for this date"


def _first(rows: Sequence[Values]) -> str:
    return f"{'the first ' * (len(rows) > 1)}{rows[0]['date']}: "
