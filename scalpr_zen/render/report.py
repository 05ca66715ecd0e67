"""The report: one dict of results as text. ASCII only, so that every console can show it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from scalpr_zen.base.params import Parameter, distance_text
from scalpr_zen.base.sessions import CHICAGO
from scalpr_zen.sections.monte_carlo import PROFITABLE, PROFITABLE_MEANS
from scalpr_zen.sections.prop_firm.text import lines as prop_firm_lines
from scalpr_zen.sections.statistics import FEW_DATES, STATISTICS, Statistic

Values = Mapping[str, Any]
Declared = Sequence[tuple[Parameter, Any]]

WIDTH = 100
_RULE = "=" * WIDTH
DATES_SHOWN = 10
"""Session dates of one kind that the facts of a tape list; the tape's metadata holds all."""
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
BASELINE = (
    ("net_usd", "Net P&L", "usd"),
    ("sharpe", "Sharpe", "ratio"),
    ("max_drawdown_usd", "Max drawdown", "usd"),
)
"""What is compared with buy & hold: key, label, unit."""
ONE_TRADE = "one trade has only one order"
ONE_DATE = "drawing needs at least two session dates that count"
NO_WINNER_OF_A_STOP = "no winning trade depends on it, as a stop that does not move ends none"
SHOWN_DATES = 5
"""Missing and incomplete dates that a line of the report names."""
INSIDE_TOLD = 0.05
"""By how much the share of entries inside the spread must exceed that of random ones to be told at the top."""
SLIPPAGE = {
    "entry": "entry, against the signal's print",
    "stop_trigger": "stop at its trigger, against its price",
    "stop_next": "stop at the next event, against its price",
}
"""What is measured, and against what."""
SAME_EVENT = {
    "entry_target": "later prints of the entry's event met the target: only entry=signal may exit there",
    "entry_stop": "later prints of the entry's event met the stop: only entry=signal may exit there",
    "target_first": "the exit's event met both, the target first: it was taken",
    "stop_first": "the exit's event met both, the stop first: it was taken",
    "entry_exit": "entry and exit in one event, which entry=signal allows",
}
"""What the order of prints inside an event could have decided, and what the rule made of it."""


def summary(result: Values, declared: Declared) -> str:
    """Return every section of the report; neither its head, nor the run manifest and the trade log.

    Parameters
    ----------
    result : mapping
        As `Result.to_dict` gives it.
    declared : sequence of (Parameter, value)
        Every parameter of the run.
    """
    return "\n".join(_lines(result, declared, manifest=False))


def report(result: Values, declared: Declared, log: Iterator[str], unclosed: Iterator[str]) -> Iterator[str]:
    """Give the report behind its screen line by line.

    Parameters
    ----------
    result, declared
        As in `summary`.
    log, unclosed : iterators of str
        The lines of the trade log, and of the void and open trades.
    """
    yield from _lines(result, declared, manifest=True)
    yield from _title("VOID AND OPEN TRADES (out of all statistics, marked at the last print of their segment)")
    yield from unclosed
    yield from _title(f"TRADE LOG ({result['statistics']['trades']:,} trades, times America/Chicago)")
    yield from log


def number(value: Any, unit: str = "") -> str:
    """Return a value of a unit as text; `n/a` for what is undefined."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "n/a"
    if unit == "usd":
        return f"{'-' if value < 0 else ''}${abs(value):,.2f}"
    if unit == "share":
        return f"{value * 100:.2f}%"
    if unit == "p":
        return f"{value:.4g}"
    if unit == "seconds":
        return f"{value:,.3f} s"
    text = f"{value:,.3f}" if isinstance(value, float) else f"{value:,}"
    return f"{text} {unit}" if unit and unit != "ratio" else text


def _lines(result: Values, declared: Declared, manifest: bool) -> Iterator[str]:
    yield from _statistics(result)
    yield from _fills(result["fills"], result["parameters"])
    yield from _random_entries(result["random_entries"], result)
    yield from _monte_carlo(result["monte_carlo"])
    yield from prop_firm_lines(result["prop_firm"])
    yield from _months(result["statistics"]["months"])
    yield from _baseline(result["baseline"])
    yield from _counts(result)
    yield from _parameters(result["parameters"], declared, result["tape"]["tick_size"])
    yield from tape_lines(result["tape"])
    if manifest:
        yield from _title("RUN MANIFEST")
        about = result["manifest"] | {"started": chicago(result["manifest"]["started"])}
        texts = {key: f"{value:,.3f}" if isinstance(value, float) else value for key, value in about.items()}
        yield from (_row(key.replace("_", " "), text) for key, text in texts.items())


def chicago(moment: str) -> str:
    """Return an ISO 8601 time as one of Chicago, with its offset."""
    return datetime.fromisoformat(moment).astimezone(CHICAGO).isoformat()


def _title(text: str) -> Iterator[str]:
    yield from ("", text, "-" * len(text))


def _row(label: str, value: Any) -> str:
    return f"  {label:<26}{'n/a' if value is None else value}"


def head(result: Values) -> Iterator[str]:
    """Give the title, and the stamp of a synthetic tape."""
    parameters, manifest, tape = result["parameters"], result["manifest"], result["tape"]
    yield _RULE
    words = ("scalpr_zen " + manifest["scalpr_zen"], parameters["strategy"], tape["root"], chicago(manifest["started"]))
    yield "   ".join(words)
    if tape["synthetic"]:
        yield "*** SYNTHETIC: the demo market made these prints; nothing here says anything about a real market ***"
    yield _RULE


def notes(parameters: Values, statistics: Values, own_point_value: float) -> list[str]:
    """Return a sentence for each choice by which fills or costs are optimistic, or the money other, than a trader's."""
    told = []
    if parameters["entry"] == "signal":
        told.append("OPTIMISTIC entry=signal: an entry fills at the signal's own print, inside its event")
    if parameters["stop_fill"] == "level":
        told.append(
            "OPTIMISTIC stop_fill=level: a stop fills at its price, though the market may have gapped beyond it, or "
            "have left it before a moved stop arrived"
        )
    if parameters["stop_fill"] == "trigger":
        told.append("stop_fill=trigger: a stop fills at the price of the very print that triggered it")
    if parameters["target_fill"] == "touch":
        told.append("target_fill=touch: a take profit fills at the first print at its price, as if first in the queue")
    if parameters["target_fill"] == "queue":
        told.append(
            f"target_fill=queue: {parameters['queue_ahead']:,} contracts ahead are assumed, and half the size of "
            "prints without an aggressor counts"
        )
    if parameters["roll_exit"] == "close":
        told.append("roll_exit=close: a trade is closed at its segment's last print, which nobody knows to be the last")
    if parameters["latency_ms"] == 0:
        told.append("latency_ms=0: an order reaches the exchange before the next event")
    if parameters["overlap"]:
        told.append("overlap: every signal is traded on its own; no account can hold these trades one by one")
    if parameters["point_value"] != own_point_value:
        told.append(f"point_value is {parameters['point_value']:g} USD, the contract's own is {own_point_value:g}")
    if parameters["contracts"] != 1:
        sized = "only a target in a queue looks" if parameters["target_fill"] == "queue" else "no fill looks"
        told.append(f"contracts={parameters['contracts']}: buy & hold is one contract; {sized} at the size of a print")
    if parameters["slippage_ticks"] == 0:
        told.append(
            "slippage_ticks=0: a market order fills at the price of the next print, on either side of the spread"
        )
    if parameters["commission"] == 0 and parameters["slippage_ticks"] == 0 and statistics["trades"]:
        each = (
            f"each $1.00 of cost a round turn would take {number(float(statistics['trades']), 'usd')} from the net P&L"
        )
        told.append(f"no costs are set: {each}; break-even at {number(statistics['break_even_cost_usd'], 'usd')}")
    if statistics["trades"] and statistics["session_dates"] < FEW_DATES:
        told.append(
            f"only {_counted(statistics['session_dates'], 'session date')} "
            f"count{'s' * (statistics['session_dates'] == 1)}: with fewer than {FEW_DATES}, Sharpe, Sortino, "
            "days profitable and the t-statistic by day say little"
        )
    return told


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'s' * (count != 1)}"


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
    return [f"no trade was closed: {_counted(counts['signals'], 'signal')}, {ends}"]


def coverage_notes(result: Values) -> list[str]:
    """Return a sentence for each thing that the prints do not cover, and for each order that a session's end left."""
    told = []
    found, parameters = result["coverage"], result["parameters"]
    if missing := found["missing_dates"]:
        told.append(f"missing session dates: {missing:,}, scheduled but without a print, and in no figure; see TAPE")
    if incomplete := found["incomplete_dates"]:
        if parameters["incomplete_dates"] == "include":
            what = "incomplete_dates=include counts them in by-day statistics and drawings like whole ones; see TAPE"
        else:
            what = (
                "left out of by-day statistics, drawings and counts of dates; their trades stay in all other figures; "
                "see TAPE; incomplete_dates=include counts them"
            )
        told.append(f"incomplete session dates: {incomplete:,}, {what}")
    if across := found["trades_across_holes"]:
        held = "trade was" if across == 1 else "trades were"
        told.append(f"{across:,} {held} held across missing or incomplete session dates")
    if late := found["late_flat_exits"]:
        closed, own = ("position was", "its") if late == 1 else ("positions were", "their")
        told.append(
            f"{late:,} {closed} closed only in a later session "
            f"(flat_before_close={parameters['flat_before_close']:g}), because {own} own had no print after the order"
        )
    return told


def check_notes(result: Values) -> list[str]:
    """Return a sentence for each part of the net P&L that the checks made so far find to be a matter of its fills."""
    told = []
    if ends := fill_range(result):
        told.append(f"the fill model alone moves the net P&L from {ends}: see FILLS")
    control = result["random_entries"]
    unpaid = control.get("strategy_inside_share", 0.0) - control.get("inside_share", 0.0)
    if unpaid >= INSIDE_TOLD and not result["parameters"]["slippage_ticks"]:
        own, drawn = (number(control[name], "share") for name in ("strategy_inside_share", "inside_share"))
        told.append(
            f"{own} of the entries fill at prints of the other side of the spread, {drawn} of random ones: at one tick "
            f"each {number(_ticks_usd(unpaid, result), 'usd')} of the net P&L is a spread that was not paid"
        )
    return told


def fill_range(result: Values) -> str:
    """Return the least and the largest net P&L under the fill models, at the costs that are set; empty without any."""
    fills = result["fills"]
    models = [(_model(row), row) for row in fills.get("table", ()) if row["costs"] == "set"]
    models += [(f"entry=next, {_model(row)}", row) for row in fills.get("entry_next", ())]
    traded = [(model, row["net_usd"]) for model, row in models if row["trades"]]
    return _range(traded) if traded else ""


def _model(row: Values) -> str:
    return f"{row['target_fill']}, {row['stop_fill']}"


def _range(nets: Sequence[tuple[str, float]]) -> str:
    """Return the least and the largest of some net P&Ls with their names."""
    ends = (choose(nets, key=lambda net: net[1]) for choose in (min, max))
    return " to ".join(f"{number(usd, 'usd')} ({name})" for name, usd in ends)


def _ticks_usd(share: float, result: Values) -> float:
    """Return what one tick is worth on a share of the trades."""
    contracts = result["parameters"]["contracts"]
    return float(share * result["statistics"]["trades"] * result["tape"]["tick_value"] * contracts)


def _parameters(used: Values, declared: Declared, tick_size: float) -> Iterator[str]:
    yield from _title("PARAMETERS (* = default)")
    for parameter, value in declared:
        shown = used[parameter.name]
        if shown is None:
            continue
        text = f"{shown} {parameter.unit}"
        if parameter.distance:
            text = distance_text(shown, tick_size)
        mark = "*" if value == parameter.default else " "
        yield f"  {parameter.name:<27}{mark} {text:<28} {parameter.sentence}".rstrip()
    none = ", ".join(parameter.name for parameter, _ in declared if used[parameter.name] is None)
    yield from textwrap.wrap(f"none, the default: {none}", WIDTH, initial_indent="  ", subsequent_indent="    ")


def tape_lines(tape: Values) -> Iterator[str]:
    """Give the facts of a tape line by line: what it is, its rolls, and its record ledger.

    Parameters
    ----------
    tape : mapping
        As `tape_facts` gives it.
    """
    yield from _title("TAPE" + " (SYNTHETIC)" * tape["synthetic"])
    yield _row("contract", f"{tape['root']} {tape['name']} ({tape['exchange'] or 'own'})")
    yield _row("tick", f"{tape['tick_size']:g} points, {number(tape['tick_value'], 'usd')} a contract")
    yield _row("prints", f"{tape['prints']:,} in {tape['session_dates']:,} session dates")
    yield _row("first, last session date", f"{tape['first_session']} to {tape['last_session']}")
    yield _row("missing dates", _some_dates(tape["missing"]))
    yield _row("incomplete dates", _some_dates(tape["incomplete"]))
    if closes := tape.get("closes"):
        counts = (
            f"{len(closes['early'])} early, {len(closes['unknown'])} unknown, {closes['prints_after']:,} prints late"
        )
        yield _row("session closes", f"{closes['calendar']}, {closes['library']}: {counts}")
    yield _row("sha256", tape["sha256"])
    yield from _rolls(tape)
    yield from _record_ledger(tape)


def _some_dates(dates: Sequence[str]) -> str:
    """Return how many dates there are, and the first ones; all of them are in the JSON."""
    shown = ", ".join(dates[:SHOWN_DATES]) + ", ..." * (len(dates) > SHOWN_DATES)
    return f"{len(dates):,}: {shown}" if dates else "none"


def _rolls(tape: Values) -> Iterator[str]:
    yield _row("roll rule", tape["roll_rule"])
    if first := tape["first_front"]:
        yield _row("first front month", f"{first['contract']} on {first['date']}, chosen by {first['chosen_by']}")
    yield _row("rolls", len(tape["roll_ledger"]))
    for roll in tape["roll_ledger"]:
        known = roll.get("volumes_of", "the session before")
        volumes = f"volumes of {known} {roll['from_volume']:,} / {roll['to_volume']:,}"
        why = "" if roll.get("chosen_by", "the roll rule") == "the roll rule" else f"  chosen by {roll['chosen_by']}"
        gap = f"gap {roll['gap_points']:+.10g} points"
        yield f"    {roll['date']}  {roll['from']} -> {roll['to']}  {volumes}  {gap}{why}"
    yield from _listed("front month did not trade", tape["replaced"], _replaced_text)
    yield from _listed("front under 30% of volume", tape["low_share"], _low_share_text)
    yield from _listed("dates not on the tape", tape["left_out"], _left_out_text)


def _listed(label: str, rows: Sequence[Values], text: Callable[[Values], str]) -> Iterator[str]:
    """Give the number of session dates and the first of them; the metadata holds all."""
    if rows:
        yield _row(label, _session_dates(rows))
        yield from (f"    {row['date']}  {text(row)}" for row in rows[:DATES_SHOWN])
        if len(rows) > DATES_SHOWN:
            yield f"    and {len(rows) - DATES_SHOWN:,} more: scalpr info --json lists all"


def _replaced_text(row: Values) -> str:
    return f"{row['front']} did not trade, {row['taken']} taken for this date"


def _low_share_text(row: Values) -> str:
    return f"{row['contract']} holds {row['share']:.1%} of the outright volume"


def _left_out_text(row: Values) -> str:
    return f"{_count(row['prints'], 'print')}: {row['reason']}"


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
            f"{_session_dates(rows)} with {_count(prints, 'print')} of {tape['root']} not on the tape, {_first(rows)}"
            f"{rows[0]['reason']}"
        )
    if rows := tape["low_share"]:
        lowest = min(rows, key=lambda row: float(row["share"]))
        made.append(
            f"{_session_dates(rows)} of {tape['session_dates']:,} on which the front month holds under 30% of the "
            f"outright volume, lowest on {lowest['date']}: {_low_share_text(lowest)}; --schedule sets the contracts"
        )
    if rows := tape["replaced"]:
        made.append(
            f"{_session_dates(rows)} on which the front month did not trade and a later one is taken, "
            f"{_first(rows)}{_replaced_text(rows[0])}"
        )
    return made


def _session_dates(rows: Sequence[Values]) -> str:
    return _count(len(rows), "session date")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _first(rows: Sequence[Values]) -> str:
    return f"{'the first ' * (len(rows) > 1)}{rows[0]['date']}: "


def _record_ledger(tape: Values) -> Iterator[str]:
    """Every record read stands in exactly one of these lines."""
    ledger = tape["record_ledger"]
    if ledger:
        yield _row("records read", f"{ledger['records']:,}")
        for reason, count in ledger.items():
            if reason != "records" and (count or reason == "prints"):
                yield f"    {reason.replace('_', ' '):<24}{count:>16,}"
        yield _row("put in order of time", f"{tape['reordered']:,}")


def _statistics(result: Values) -> Iterator[str]:
    yield from _title("STATISTICS")
    yield from (statistic_line(row, result) for row in STATISTICS)


def statistic_line(row: Statistic, result: Values) -> str:
    """Return a statistic with its target and verdict."""
    line = f"  {row.label:<30}{_shown(row, result['statistics']):>20}"
    if row.target:
        line += f"   target {row.target:<22}{result['verdicts'][row.key]}"
    return line.rstrip()


def _shown(row: Statistic, values: Values) -> str:
    text = number(values[row.key], row.unit)
    return row.missing if text == "n/a" and values["trades"] else text


def _baseline(baseline: Values) -> Iterator[str]:
    yield from _title("BUY & HOLD (one contract, bought at each segment's first print, sold at its last, no costs)")
    yield f"  {'of daily equity':<22}{'strategy':>18}{'buy & hold':>18}{'difference':>18}"
    for key, label, unit in BASELINE:
        cells = (baseline["strategy"][key], baseline[key], baseline["difference"][key])
        yield f"  {label:<22}" + "".join(f"{number(cell, unit):>18}" for cell in cells)
    for row in baseline["segments"]:
        prices = f"{row['entry_price']:.10g} -> {row['exit_price']:.10g}"
        yield f"    {row['contract']:<10}{row['prints']:>14,} prints   {prices:<24}{number(row['net_usd'], 'usd'):>18}"


def _months(months: Sequence[Values]) -> Iterator[str]:
    yield from _title("MONTHS (of the session date of the exit)")
    yield f"  {'month':<10}{'days':>6}{'trades':>10}{'win rate':>12}{'net P&L':>18}{'max drawdown':>18}"
    for row in months:
        rate, net, fall = (
            number(row["win_rate"], "share"),
            number(row["net_usd"], "usd"),
            number(row["max_drawdown_usd"], "usd"),
        )
        yield f"  {row['month']:<10}{row['session_dates']:>6}{row['trades']:>10,}{rate:>12}{net:>18}{fall:>18}"


def _monte_carlo(paths: Values) -> Iterator[str]:
    yield from _title("MONTE CARLO")
    if not paths:
        yield "  n/a: it needs trades, and monte_carlo_sims above 0"
        return
    permutation, days = paths["permutation"], paths["days"]
    yield f"  {paths['sims']:,} paths of each method, seed {paths['seed']}"
    if permutation or days:
        yield f"  {'percentile':<32}" + "".join(f"{p:>16}" for p in (permutation or days)["drawdown_usd"])
    yield _percentiles("max drawdown, trades permuted", permutation.get("drawdown_usd"), ONE_TRADE)
    yield _percentiles("max drawdown, days drawn", days.get("drawdown_usd"), ONE_DATE)
    yield _percentiles("net P&L, days drawn", days.get("profit_usd"), ONE_DATE)
    if permutation:
        rank = number(permutation["actual_drawdown_rank"], "share")
        actual = number(permutation["actual_drawdown_usd"], "usd")
        yield f"  actual max drawdown {actual}: above {rank} of the permuted paths"
    if days:
        yield f"  days drawn: {number(days['profitable_share'], 'share')} {PROFITABLE}"
        yield f"  ({PROFITABLE_MEANS})"


def _percentiles(label: str, values: Values | None, missing: str) -> str:
    cells = "".join(f"{number(v, 'usd'):>16}" for v in values.values()) if values else f"n/a: {missing}"
    return f"  {label:<32}{cells}"


def _fills(fills: Values, parameters: Values) -> Iterator[str]:
    yield from _title("FILLS (this run under every fill model and set of costs; * = this run)")
    if not fills:
        yield "  n/a"
        return
    rows = {(row["target_fill"], row["stop_fill"], row["costs"]): row for row in fills["table"]}
    told = (
        f"{row['costs']} {number(row['commission'], 'usd')} + {row['slippage_ticks']} ticks"
        for row in fills["table"][:3]
    )
    yield f"  costs: {', '.join(told)} (a contract and side, a market or stop fill)"
    yield "  from the trades on, columns are those of the set costs; the JSON holds all"
    head = ("net, costs zero", "set", "pessimistic", "trades", "win rate", "factor", "break-even cost")
    yield f"  {'target':<9}{'stop':<9}" + "".join(f"{name:>16}" for name in head[:3]) + _narrow(head[3:])
    for target, stop in dict.fromkeys((target, stop) for target, stop, _ in rows):
        row = rows[target, stop, "set"]
        nets = (rows[target, stop, costs]["net_usd"] for costs in ("zero", "set", "pessimistic"))
        mark = " *" if row["this_run"] else ""
        rates = (number(row["win_rate"], "share"), number(row["profit_factor"], "ratio"))
        cells = (f"{row['trades']:,}", *rates, number(row["break_even_cost_usd"], "usd"))
        yield f"  {target:<9}{stop + mark:<9}" + "".join(f"{number(x, 'usd'):>16}" for x in nets) + _narrow(cells)
    yield from _fill_words(fills, parameters)
    yield from _slippage(fills["slippage"])
    yield from _same_event(fills["same_event"])


def _fill_words(fills: Values, parameters: Values) -> Iterator[str]:
    """Tell what the table leaves open: entries that look ahead, limits, and winners of the optimistic way."""
    if fills["entry_next"]:
        own = next(row["net_usd"] for row in fills["entry_next"] if _model(row) == _model(parameters))
        ends = _range([(_model(row), row["net_usd"]) for row in fills["entry_next"]])
        yield f"  with entry=next, which looks into no event: {number(own, 'usd')} as this run fills, {ends}"
    if parameters["loss_limit"] is not None or parameters["profit_limit"] is not None:
        yield "  limits of a session see fills and costs too: each row may trade other signals, and so gain by a cost"
    moves = parameters["trailing_stop"] is not None or parameters["break_even_at"] is not None
    for row in fills["optimistic"]:
        if row["rule"] == "stop_fill" and not moves:
            continue
        rule, optimistic, conservative = row["rule"], row["optimistic"], row["conservative"]
        wins = f"{row['lost']:,} of the {row['wins']:,} winning trades ({number(row['share'], 'share')})"
        less = f"under {conservative} all earn {number(row['less_usd'], 'usd')} less"
        yield f"  {rule} {optimistic} against {conservative}: {wins} win only under {optimistic}; {less}"
    if not moves:
        yield f"  stop_fill: {NO_WINNER_OF_A_STOP}"


def _narrow(cells: Sequence[str]) -> str:
    return "".join(f"{cell:>{10 if k < 3 else 18}}" for k, cell in enumerate(cells))


def _slippage(measured: Values) -> Iterator[str]:
    yield from _title("MEASURED SLIPPAGE (ticks lost by the prints themselves, slippage_ticks left out)")
    head = ("trades", "mean", *(f"{rank}%" for rank in measured["entry"]["percentiles"]), "worst", "spread")
    yield f"  {'':<44}" + "".join(f"{name:>9}" for name in head)
    for key, label in SLIPPAGE.items():
        row = measured[key]
        cells = (row["trades"], row["mean_ticks"], *row["percentiles"].values(), row["worst_ticks"])
        shares = number(row["inside_share"], "share")
        yield f"  {label:<44}" + "".join(f"{number(cell):>9}" for cell in cells) + f"{shares:>9}"
    yield "  spread: share of fills at prints of the other side, a buy at a seller's, of those with an aggressor"


def _same_event(counts: Values) -> Iterator[str]:
    yield from _title("INSIDE ONE EVENT (trades with several of entry, target and stop in one event)")
    for key, label in SAME_EVENT.items():
        yield f"  {counts[key]:>10,} of {counts['trades']:,}   {label}"


def _random_entries(control: Values, result: Values) -> Iterator[str]:
    yield from _title(
        "RANDOM ENTRIES (same bracket, costs, sides and hours of the day; each on its own: no cooldown and no limits)"
    )
    if not control:
        yield "  n/a (there is none without trades or random_entry_sims, with limit_basis=equity, and with overlap)"
        return
    yield f"  {control['sims']:,} runs; {drawn_from(control)}"
    yield f"  {'percentile of their net P&L':<32}" + "".join(f"{p:>16}" for p in control["percentiles_usd"])
    yield f"  {'':<32}" + "".join(f"{number(x, 'usd'):>16}" for x in control["percentiles_usd"].values())
    own, drawn = (number(control[name], "usd") for name in ("strategy_trade_sd_usd", "trade_sd_usd"))
    yield f"  deviation of a trade {own}, of a random entry {drawn}"
    t = number(result["statistics"]["t_statistic"])
    yield f"  net P&L {number(control['strategy_usd'], 'usd')}: {rank(control)} (t-statistic {t})"
    if result["parameters"]["entry"] == "signal":
        yield "  entry=signal looks into its signal's event, and random entries do not: this is no evidence of an edge"
    own, drawn = control["strategy_inside_share"], control["inside_share"]
    shares = f"{number(own, 'share')} of the strategy's, {number(drawn, 'share')} of the random ones"
    worth = f"the difference is {number(_ticks_usd(own - drawn, result), 'usd')} a tick"
    known = "n/a, no aggressor is known" if math.isnan(own - drawn) else f"{shares}; {worth}"
    yield f"  entries at prints of the other side of the spread: {known}"


def drawn_from(control: Values) -> str:
    """Return what the random runs draw from, in words."""
    if control["method"] == "exact":
        return "exact: the result of an entry at every print is known, and the runs draw from all of them"
    return (
        f"sampled: {control['pool']:,} random entries were traded for each of the strategy's; the runs draw from these"
    )


def rank(control: Values) -> str:
    """Return where the strategy stands among random runs, in words."""
    if control["reason"]:
        return f"no p-value, as {control['reason']}"
    above = f"above {number(control['percentile'], 'share')} of the random runs, each in units of its own deviation"
    return f"{above}; p-value {number(control['p_value'], 'p')}, one-sided"


def _counts(result: Values) -> Iterator[str]:
    counts = result["counts"]
    yield from _title("COUNTS")
    yield f"  {'signals':<14}{counts['signals']:>14,}"
    for key, why in COUNTS.items():
        yield f"    {key:<12}{counts[key]:>14,}   {why}"
    yield _row("trades sha256", result["trades_sha256"])
