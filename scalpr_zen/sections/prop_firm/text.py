"""The section of the report about a prop firm's evaluation. ASCII only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

Values = Mapping[str, Any]

TABLES = 3
"""Attempts, from the last one back, whose day-by-day table the text shows; the JSON holds all."""


def lines(result: Values) -> Iterator[str]:
    """Give the section line by line; nothing for prop_firm=none.

    Parameters
    ----------
    result : mapping
        As `prop_firm` gives it, with NaN or None for what is undefined.
    """
    if "rules" not in result:
        return
    rules = result["rules"]
    title = f"PROP FIRM ({rules['title']})"
    yield from ("", title, "-" * len(title))
    yield from _rules(rules)
    yield from (f"  NOTE {note}" for note in result["notes"])
    if "attempts" in result:
        yield from _attempts(result)
        yield from _drawn(result["drawn"])


def _rules(rules: Values) -> Iterator[str]:
    trailed = {"end_of_day": "the best balance at the end of a day", "peak_equity": "the peak of the open equity"}
    lock = "never locks" if rules["lock_usd"] is None else f"locks at {usd(rules['account_usd'] + rules['lock_usd'])}"
    yield _row("prop_firm", rules["name"] + "".join(f", {name} given" for name in rules["changed"]))
    yield _row("account, profit target", f"{usd(rules['account_usd'])}, {usd(rules['target_usd'])}")
    yield _row("floor", f"{usd(rules['drawdown_usd'])} below {trailed[rules['drawdown_kind']]}, {lock}")
    breach = {"day_over": "the day is over", "bust": "the account is bust"}[rules["daily_loss_breach"]]
    yield _row(
        "daily loss limit", "none" if rules["daily_loss_usd"] is None else f"{usd(rules['daily_loss_usd'])}: {breach}"
    )
    yield _row("trading days, at least", rules["min_days"])
    yield _row(
        "best day, at most", "any" if rules["consistency"] is None else f"{_share(rules['consistency'])} of the profit"
    )
    yield _row("contracts, at most", rules["contracts"] or "any")
    if rules["known"]:
        yield _row("known to hold on", f"{rules['known']}; a firm changes its rules without notice")
    yield from (_row("source", source) for source in rules["sources"])
    yield from _wrapped("  " + rules["note"])


def _attempts(result: Values) -> Iterator[str]:
    counts, attempts = result["counts"], result["attempts"]
    parts = ", ".join(f"{counts[word]:,} {word}" for word in ("passed", "busted", "unfinished"))
    yield from ("", f"  Attempts: {counts['attempts']:,} one after the other; {parts}")
    yield f"  {'no':>4}  {'first':<11}{'last':<11}{'dates':>6}{'traded':>7}{'profit':>13}  outcome"
    for row in attempts:
        spans = f"{row['first_session']:<11}{row['last_session']:<11}{row['session_dates']:>6}{row['trading_days']:>7}"
        yield f"  {row['number']:>4}  {spans}{usd(row['profit_usd']):>13}  {row['outcome']}: {row['reason']}"
    if len(attempts) > TABLES:
        yield f"  Day by day: the last {TABLES} of {len(attempts):,} attempts; the JSON holds all"
    for attempt in attempts[-TABLES:]:
        yield from _table(attempt)


def _table(attempt: Values) -> Iterator[str]:
    yield from ("", f"  Attempt {attempt['number']}, {attempt['outcome']}")
    head = ("trades", "day net", "balance", "lowest - floor", "floor")
    widths = (8, 13, 15, 16, 15)
    cells = "".join(f"{word:>{width}}" for word, width in zip(head, widths, strict=True))
    yield f"    {'date':<12}{cells}"
    for row in attempt["days"]:
        money = (row["net_usd"], row["balance_usd"], row["lowest_above_floor_usd"], row["floor_usd"])
        cells = "".join(f"{usd(value):>{width}}" for value, width in zip(money, widths[1:], strict=True))
        why = (
            f"  ended by the {row['ended_by']}" if row["ended_by"] else "" if row["trading_day"] else "  no trading day"
        )
        yield f"    {row['session_date']:<12}{row['trades']:>8,}{cells}{why}"


def _drawn(drawn: Values) -> Iterator[str]:
    if not drawn:
        yield from ("", "  Drawn session dates: n/a, as prop_sims is 0 or fewer than two session dates count")
        return
    dates, horizon = drawn["session_dates"], drawn["horizon_days"]
    told = f"{drawn['sims']:,} paths of {horizon} of the tape's {dates:,} dates with replacement, seed {drawn['seed']}"
    yield from ("", f"  Drawn session dates: {told}")
    yield f"    {f'within {horizon} dates':<19}{'share':>9}   95% for other such dates   95% for the drawing alone"
    for word, label in (("pass", "P(pass)"), ("bust", "P(bust)"), ("neither", "P(neither)")):
        row = drawn[word]
        other, drawing = (
            f"{_share(row[low])} to {_share(row[high])}" for low, high in (("dates_low", "dates_high"), ("low", "high"))
        )
        yield f"    {label:<19}{_share(row['probability']):>9}   {other:<24}   {drawing}"
    for word, label in (("pass", "dates to pass"), ("bust", "dates to bust")):
        row, paths = drawn[f"days_to_{word}"], drawn[word]["paths"]
        middle = f"median {_days(row['median'])}, 5% {_days(row['p5'])}, 95% {_days(row['p95'])}"
        mean = f"mean {_days(row['mean'])}, 95% for the drawing {_days(row['mean_low'])} to {_days(row['mean_high'])}"
        yield f"    {label}, of the {paths:,} paths that did: {middle}; {mean}"


def _row(label: str, value: Any) -> str:
    return f"  {label:<26}{value}"


def _wrapped(text: str, width: int = 100) -> Iterator[str]:
    line = " "
    for word in text.split():
        if len(line) + 1 + len(word) > width:
            yield line
            line = " "
        line += f" {word}"
    if line.strip():
        yield line


def usd(value: float) -> str:
    """Return an amount as text, `-$1,234.50`."""
    return f"{'-' if value < 0 else ''}${abs(value):,.2f}"


def _share(value: float | None) -> str:
    return "n/a" if value is None or math.isnan(value) else f"{value * 100:.2f}%"


def _days(value: float | None) -> str:
    return "n/a" if value is None or math.isnan(value) else f"{value:.1f}"
