"""The report: one dict of results as text. ASCII only, so that every console can show it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from scalpr_zen.base.params import Parameter
from scalpr_zen.base.units import distance_text
from scalpr_zen.render.notes import COUNTS, model, net_range, ticks_usd
from scalpr_zen.render.tape_text import tape_lines
from scalpr_zen.render.text import WIDTH, Values, chicago, labelled, number, title
from scalpr_zen.sections.monte_carlo import PROFITABLE, PROFITABLE_MEANS
from scalpr_zen.sections.prop_firm.text import lines as prop_firm_lines
from scalpr_zen.sections.statistics import STATISTICS, Statistic

Declared = Sequence[tuple[Parameter, Any]]

_RULE = "=" * WIDTH

BASELINE = (
    ("net_usd", "Net P&L", "usd"),
    ("sharpe", "Sharpe", "ratio"),
    ("max_drawdown_usd", "Max drawdown", "usd"),
)
"""What is compared with buy & hold: key, label, unit."""

ONE_TRADE = "one trade has only one order"

ONE_DATE = "drawing needs at least two session dates that count"

NO_WINNER_OF_A_STOP = "no winning trade depends on it, because a fixed stop never closes a winner"

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
    yield from title("VOID AND OPEN TRADES (out of all statistics, marked at the last print of their segment)")
    yield from unclosed
    yield from title(f"TRADE LOG ({result['statistics']['trades']:,} trades, times America/Chicago)")
    yield from log


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
        yield from title("RUN MANIFEST")
        about = result["manifest"] | {"started": chicago(result["manifest"]["started"])}
        texts = {key: f"{value:,.3f}" if isinstance(value, float) else value for key, value in about.items()}
        yield from (labelled(key.replace("_", " "), text) for key, text in texts.items())


def head(result: Values) -> Iterator[str]:
    """Give the title, and the stamp of a synthetic tape."""
    parameters, manifest, tape = result["parameters"], result["manifest"], result["tape"]
    yield _RULE
    words = ("scalpr_zen " + manifest["scalpr_zen"], parameters["strategy"], tape["root"], chicago(manifest["started"]))
    yield "   ".join(words)
    if tape["synthetic"]:
        yield "*** SYNTHETIC: the demo market made these prints; nothing here says anything about a real market ***"
    yield _RULE


def _parameters(used: Values, declared: Declared, tick_size: float) -> Iterator[str]:
    yield from title("PARAMETERS (* = default)")
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


def _statistics(result: Values) -> Iterator[str]:
    yield from title("STATISTICS")
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
    yield from title("BUY & HOLD (one contract, bought at each segment's first print, sold at its last, no costs)")
    yield from beside_hold(baseline)
    for row in baseline["segments"]:
        prices = f"{row['entry_price']:.10g} -> {row['exit_price']:.10g}"
        yield f"    {row['contract']:<10}{row['prints']:>14,} prints   {prices:<24}{number(row['net_usd'], 'usd'):>18}"


def beside_hold(baseline: Values) -> Iterator[str]:
    """Give the strategy's daily equity beside that of buy & hold."""
    yield f"  {'of daily equity':<22}{'strategy':>18}{'buy & hold':>18}{'difference':>18}"
    for key, label, unit in BASELINE:
        cells = (baseline["strategy"][key], baseline[key], baseline["difference"][key])
        yield f"  {label:<22}" + "".join(f"{number(cell, unit):>18}" for cell in cells)


def _months(months: Sequence[Values]) -> Iterator[str]:
    yield from title("MONTHS (of the session date of the exit)")
    yield f"  {'month':<10}{'days':>6}{'trades':>10}{'win rate':>12}{'net P&L':>18}{'max drawdown':>18}"
    for row in months:
        rate, net, fall = (
            number(row["win_rate"], "share"),
            number(row["net_usd"], "usd"),
            number(row["max_drawdown_usd"], "usd"),
        )
        yield f"  {row['month']:<10}{row['session_dates']:>6}{row['trades']:>10,}{rate:>12}{net:>18}{fall:>18}"


def _monte_carlo(paths: Values) -> Iterator[str]:
    yield from title("MONTE CARLO")
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
    yield from title("FILLS (this run under every fill model and set of costs; * = this run)")
    if not fills:
        yield "  n/a"
        return
    rows = {(row["target_fill"], row["stop_fill"], row["costs"]): row for row in fills["table"]}
    told = (
        f"{row['costs']} {number(row['commission'], 'usd')} + {row['slippage_ticks']} ticks"
        for row in fills["table"][:3]
    )
    yield f"  costs: {', '.join(told)} (a contract and side, a market or stop fill)"
    yield "  from 'trades' on, the columns are at the set costs; the JSON has them for all costs"
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
        own = next(row["net_usd"] for row in fills["entry_next"] if model(row) == model(parameters))
        ends = net_range([(model(row), row["net_usd"]) for row in fills["entry_next"]])
        yield f"  with entry=next, which looks into no event: {number(own, 'usd')} as this run fills, {ends}"
    if parameters["loss_limit"] is not None or parameters["profit_limit"] is not None:
        yield "  limits of a session see fills and costs too: each row may trade other signals, and so gain by a cost"
    moves = parameters["trailing_stop"] is not None or parameters["break_even_at"] is not None
    for row in fills["optimistic"]:
        if row["rule"] == "stop_fill" and not moves:
            continue
        rule, optimistic, conservative = row["rule"], row["optimistic"], row["conservative"]
        wins = f"{row['lost']:,} of the {row['wins']:,} winning trades ({number(row['share'], 'share')})"
        less = f"with {conservative} the winners earn {number(row['less_usd'], 'usd')} less in total"
        yield f"  {rule} {optimistic} against {conservative}: {wins} win only with {optimistic}; {less}"
    if not moves:
        yield f"  stop_fill: {NO_WINNER_OF_A_STOP}"


def _narrow(cells: Sequence[str]) -> str:
    return "".join(f"{cell:>{10 if k < 3 else 18}}" for k, cell in enumerate(cells))


def _slippage(measured: Values) -> Iterator[str]:
    yield from title("MEASURED SLIPPAGE (ticks lost according to the prints; slippage_ticks is not included)")
    head = ("trades", "mean", *(f"{rank}%" for rank in measured["entry"]["percentiles"]), "worst", "spread")
    yield f"  {'':<44}" + "".join(f"{name:>9}" for name in head)
    for key, label in SLIPPAGE.items():
        row = measured[key]
        cells = (row["trades"], row["mean_ticks"], *row["percentiles"].values(), row["worst_ticks"])
        shares = number(row["inside_share"], "share")
        yield f"  {label:<44}" + "".join(f"{number(cell):>9}" for cell in cells) + f"{shares:>9}"
    yield "  spread: share of fills that did not pay the spread (a buy at a seller's print), of those with an aggressor"


def _same_event(counts: Values) -> Iterator[str]:
    yield from title("INSIDE ONE EVENT (trades with several of entry, target and stop in one event)")
    for key, label in SAME_EVENT.items():
        yield f"  {counts[key]:>10,} of {counts['trades']:,}   {label}"


def _random_entries(entries: Values, result: Values) -> Iterator[str]:
    yield from title(
        "RANDOM ENTRIES (same bracket, costs, sides and hours of the day; each on its own: no cooldown and no limits)"
    )
    if not entries:
        yield "  n/a (there is none without trades or random_entry_sims, with limit_basis=equity, and with overlap)"
        return
    yield f"  {entries['sims']:,} runs; {drawn_from(entries)}"
    yield f"  {'percentile of their net P&L':<32}" + "".join(f"{p:>16}" for p in entries["percentiles_usd"])
    yield f"  {'':<32}" + "".join(f"{number(x, 'usd'):>16}" for x in entries["percentiles_usd"].values())
    own, drawn = (number(entries[name], "usd") for name in ("strategy_trade_sd_usd", "trade_sd_usd"))
    yield f"  deviation of a trade {own}, of a random entry {drawn} (each run is ranked in units of its own deviation)"
    t = number(result["statistics"]["t_statistic"])
    yield f"  net P&L {number(entries['strategy_usd'], 'usd')}: {rank(entries)} (t-statistic {t})"
    if result["parameters"]["entry"] == "signal":
        yield "  entry=signal looks into its signal's event, and random entries do not: this is no evidence of an edge"
    own, drawn = entries["strategy_inside_share"], entries["inside_share"]
    shares = f"{number(own, 'share')} of the strategy's, {number(drawn, 'share')} of the random ones"
    worth = f"at one tick each the difference is {number(ticks_usd(own - drawn, result), 'usd')}"
    known = "n/a, no aggressor is known" if math.isnan(own - drawn) else f"{shares}; {worth}"
    yield f"  entries that did not pay the spread: {known}"


def drawn_from(entries: Values) -> str:
    """Return what the random runs draw from, in words."""
    if entries["method"] == "exact":
        return "exact: the result of an entry at every print is known, and the runs draw from all of them"
    return (
        f"sampled: {entries['pool']:,} random entries were traded for each of the strategy's; the runs draw from these"
    )


def rank(entries: Values) -> str:
    """Return where the strategy stands among random runs, in words."""
    if entries["reason"]:
        return f"no p-value, as {entries['reason']}"
    above = f"above {number(entries['percentile'], 'share')} of the random runs"
    return f"{above}; p-value {number(entries['p_value'], 'p')}, one-sided"


def _counts(result: Values) -> Iterator[str]:
    counts = result["counts"]
    yield from title("COUNTS")
    yield f"  {'signals':<14}{counts['signals']:>14,}"
    for key, why in COUNTS.items():
        yield f"    {key:<12}{counts[key]:>14,}   {why}"
    yield labelled("trades sha256", result["trades_sha256"])
