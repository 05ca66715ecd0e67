"""The evaluation of a prop firm as tables, notes and a chart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from scalpr_zen.render.figure import HOLD, LOSS, STRATEGY, USD, USD_TEXT, Figure, axis, chart, dollars, line, noted
from scalpr_zen.render.table import Block, Column, Row, Table, Words, facts
from scalpr_zen.render.text import Values, counted, number

TRAILED = {"end_of_day": "the best balance at the end of a day", "peak_equity": "the peak of the open equity"}
BREACHES = {"day_over": "the day is over", "bust": "the account is bust"}
ENDS = {"pass": "P(pass)", "bust": "P(bust)", "neither": "P(neither)"}


# Tables ------------------------------------------------------------------------------------------------


def blocks(result: Values) -> Iterator[Block]:
    """Give the tables of an evaluation."""
    if "rules" not in result:
        yield Words(["prop_firm=none: no evaluation"] if result else ["n/a"])
        return
    yield facts(_rules(result["rules"]))
    yield Words([line for line in (result["rules"]["note"], *(f"NOTE {note}" for note in result["notes"])) if line])
    if "attempts" in result:
        yield from _drawn(result["drawn"])
        yield _attempts(result)


def _rules(rules: Values) -> Iterator[tuple[str, str]]:
    account, lock, daily = rules["account_usd"], rules["lock_usd"], rules["daily_loss_usd"]
    given = f", with {', '.join(rules['changed'])} as given" if rules["changed"] else ""
    yield "rule set", f"{rules['title']} ({rules['name']}){given}"
    yield "account, profit target", f"{dollars(account)}, {dollars(rules['target_usd'])} at the end of a session date"
    locks = "never locks" if lock is None else f"locks at {dollars(account + lock)}"
    yield "floor", f"{dollars(rules['drawdown_usd'])} below {TRAILED[rules['drawdown_kind']]}, {locks}"
    yield "daily loss limit", "none" if daily is None else f"{dollars(daily)}: {BREACHES[rules['daily_loss_breach']]}"
    yield "trading days, at least", f"{rules['min_days']:,}"
    share = rules["consistency"]
    yield "best day, at most", "any share" if share is None else f"{number(share, 'share')} of the profit"
    contracts = rules["contracts"]
    yield "contracts, at most", f"{contracts:,}, ten micros counted as one" if contracts else "any number"
    if rules["known"]:
        yield "rules as of", f"{rules['known']}; a firm changes its rules without notice"
    yield from (("source", source) for source in rules["sources"])


def _drawn(drawn: Values) -> Iterator[Block]:
    title = "Session dates drawn"
    if not drawn:
        yield Words(["n/a: it needs prop_sims above 0 and two session dates that count"], title)
        return
    dates, horizon = drawn["session_dates"], drawn["horizon_days"]
    paths = (
        f"{counted(drawn['sims'], 'path')} of {horizon:,} of the tape's {dates:,} session dates, drawn with replacement"
    )
    yield Words([f"{paths}, seed {drawn['seed']}; numbers of dates are over the paths that got there"], title)
    columns = (
        Column(f"within {horizon:,} dates", "text"),
        Column("share of paths", "share"),
        Column("95%, dates resampled", "text"),
        Column("95%, Monte Carlo error", "text"),
        Column("dates, median", "dates"),
        Column("5% to 95%", "text"),
        Column("mean", "dates"),
        Column("95%, Monte Carlo error", "text"),
    )
    yield Table(columns, [_end(word, label, drawn) for word, label in ENDS.items()])


def _end(word: str, label: str, drawn: Values) -> Row:
    row, days = drawn[word], drawn.get(f"days_to_{word}")
    shares = (
        row["probability"],
        _span(row["dates_low"], row["dates_high"], "share"),
        _span(row["low"], row["high"], "share"),
    )
    spread: tuple[Any, ...] = ("", "", "", "")
    if days:
        ends = _span(days["p5"], days["p95"], "dates"), _span(days["mean_low"], days["mean_high"], "dates")
        spread = (days["median"], ends[0], days["mean"], ends[1])
    return Row((label, *shares, *spread), key=word)


def _span(low: float | None, high: float | None, unit: str) -> str:
    ends = number(low, unit), number(high, unit)
    return "n/a" if "n/a" in ends else " to ".join(ends)


def _attempts(result: Values) -> Table:
    counts = result["counts"]
    found = ", ".join(f"{counts[word]:,} {word}" for word in ("passed", "busted", "unfinished"))
    columns = (
        Column("attempt"),
        Column("outcome", "text"),
        Column("profit", "usd", signed=True),
        Column("from", "text"),
        Column("to", "text"),
        Column("dates"),
        Column("traded"),
        Column("why", "text"),
    )
    title = f"Attempts in sequence: {counts['attempts']:,}; {found}"
    return Table(columns, [_attempt(row) for row in result["attempts"]], title=title)


def _attempt(attempt: Values) -> Row:
    columns = (
        Column("session date", "text"),
        Column("trades"),
        Column("net P&L", "usd", signed=True),
        Column("balance", "usd"),
        Column("lowest above floor", "usd"),
        Column("floor", "usd"),
        Column("", "text"),
    )
    names = ("session_date", "trades", "net_usd", "balance_usd", "lowest_above_floor_usd", "floor_usd")
    rows = [Row((*(day[name] for name in names), _day_note(day)), key=day["session_date"]) for day in attempt["days"]]
    days = Table(columns, rows, title=f"Attempt {attempt['number']} day by day: {attempt['outcome']}")
    about = ("number", "outcome", "profit_usd", "first_session", "last_session", "session_dates", "trading_days")
    return Row([*(attempt[name] for name in about), attempt["reason"]], key=str(attempt["number"]), detail=days)


def _day_note(day: Values) -> str:
    if day["ended_by"]:
        return f"ended by the {day['ended_by']}"
    return "" if day["trading_day"] else "not a trading day"


def chances(firm: Values) -> str:
    """Return the chances to pass and to bust in a line."""
    drawn = firm.get("drawn")
    if not drawn:
        return "n/a"
    shares = (f"{ENDS[word]} {number(drawn[word]['probability'], 'share')}" for word in ("pass", "bust"))
    return f"{', '.join(shares)} within {drawn['horizon_days']:,} dates: {firm['rules']['title']}"


# Chart -------------------------------------------------------------------------------------------------


@chart(
    "Prop-firm evaluation",
    "Balance and floor at the end of each session date, attempt after attempt, and the balance that passes.",
    wide=True,
)
def prop_firm(result: Values) -> Figure:
    found = result["prop_firm"]
    attempts = found.get("attempts")
    if not attempts:
        return noted({"data": [], "layout": {}}, False, "no evaluation")
    rules = found["rules"]
    account = rules["account_usd"]
    dates: list[str | None] = []
    balance: list[float | None] = []
    floor: list[float | None] = []
    for attempt in attempts:
        days = attempt["days"]
        dates += [_day_before(days[0]["session_date"], dates), *(day["session_date"] for day in days), None]
        balance += [account, *(day["balance_usd"] for day in days), None]
        floor += [account - rules["drawdown_usd"], *(day["floor_usd"] for day in days), None]
    hover, ends, target = f"%{{y:{USD_TEXT}}}", [dates[0], dates[-2]], account + rules["target_usd"]
    data = [
        line("balance", dates[:-1], balance[:-1], {"color": STRATEGY, "width": 1.8}, hover),
        line("floor", dates[:-1], floor[:-1], {"color": LOSS, "width": 1.4, "dash": "dash"}, hover),
        line("target", ends, [target] * 2, {"color": HOLD, "width": 1.2, "dash": "dot"}, hover),
        *(_ends(attempts, *look) for look in (("pass", STRATEGY, "triangle-up"), ("bust", LOSS, "x"))),
    ]
    layout = {
        "hovermode": "closest",
        "xaxis": axis("session date", type="date"),
        "yaxis": axis("balance", tickformat=USD),
    }
    return {"data": data, "layout": layout}


def _day_before(first: str, dates: Sequence[str | None]) -> str:
    """Return the session date before an attempt, at whose end its account begins; of the first attempt the day."""
    return dates[-2] or first if len(dates) > 1 else (date.fromisoformat(first) - timedelta(days=1)).isoformat()


def _ends(attempts: Sequence[Values], outcome: str, colour: str, symbol: str) -> Figure:
    mine = [attempt for attempt in attempts if attempt["outcome"] == outcome]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{outcome} ({len(mine):,})",
        "x": [attempt["last_session"] for attempt in mine],
        "y": [attempt["days"][-1]["balance_usd"] for attempt in mine],
        "text": [f"attempt {attempt['number']}: {attempt['reason']}" for attempt in mine],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": colour, "symbol": symbol, "size": 9},
    }
