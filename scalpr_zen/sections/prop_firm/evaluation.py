"""A prop firm's evaluation: would these trades have passed, how often, and how other sequences of the days end.

The rules are those of docs/prop_firm.md. Money is counted in whole micro-dollars from the starting balance, so
that a floor is touched or not, with no rounding between. Equity is the balance and the open P&L at each print.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from scalpr_zen.base.arrays import Array, Bools, Int64
from scalpr_zen.base.engine import run_all
from scalpr_zen.base.instruments import is_micro
from scalpr_zen.base.money import MICRO, whole_micro
from scalpr_zen.base.sessions import chicago_text
from scalpr_zen.data.tape import Tape
from scalpr_zen.render.figure import dollars
from scalpr_zen.sections.measures import NAN, special, wilson
from scalpr_zen.sections.prop_firm import kernels
from scalpr_zen.sections.prop_firm.kernels import Columns, DateEnd, Days, Rules
from scalpr_zen.sections.prop_firm.rules import PropFirm, RuleSet
from scalpr_zen.simulation.execution import Execution

CHUNK = 1_000
"""Paths that share a key of the random numbers."""
TAPES = 200
"""Resampled tapes, from which the bootstrap intervals are taken."""
_FIRST_TAPE = 1 << 32
"""Key of the random numbers of the first of them."""
OUTCOMES = {kernels.NEITHER: "unfinished", kernels.PASS: "pass", kernels.BUST: "bust"}
_DRAWN = {kernels.PASS: "pass", kernels.BUST: "bust", kernels.NEITHER: "neither"}


def prop_firm(
    trades: Array,
    tape: Tape,
    execution: Execution,
    settings: PropFirm,
    seed: int,
    unclosed: int = 0,
    counted: Bools | None = None,
) -> dict[str, Any]:
    """Walk the trades through the evaluation, attempt after attempt, and through drawn session dates.

    Parameters
    ----------
    trades : array of TRADE, shape (n,)
        Closed trades, one at a time in order of their exit.
    tape : Tape
        Their prints and session dates.
    execution : Execution
        Contracts, value of a tick, commission, slippage.
    settings : PropFirm
    seed : int
        Of the drawn session dates, 0 to 2**32 - 1.
    unclosed : int
        Void and open trades, which are left out.
    counted : array of bool, shape (session dates,), optional
        Which session dates are drawn; the attempts walk every one. Default: all.

    Returns
    -------
    dict
        As SECTION.fields describes it. With
        prop_firm=none the name alone; with several trades open at once no attempts and nothing drawn.
    """
    found = settings.rules()
    if found is None:
        return {"name": settings.prop_firm}
    about = {**asdict(found), "sources": list(found.sources), "changed": list(settings.given())}
    result: dict[str, Any] = {"name": settings.prop_firm, "rules": about}
    columns = Columns(*(np.ascontiguousarray(trades[name], dtype=np.int64) for name in Columns._fields))
    if execution.overlap or (columns.entry[1:] < columns.exit[:-1]).any():
        return result | {
            "notes": ["several trades are open at once: no account can hold them, so nothing is evaluated"]
        }
    rules = _scalars(found, tape, execution)
    days = kernels.session_days(columns, tape, rules)
    drawn = np.ones(len(tape.sessions), np.bool_) if counted is None else counted
    attempts = _attempts(days, columns, tape, rules, found)
    outcomes = [attempt["outcome"] for attempt in attempts]
    counts = {"attempts": len(attempts), "passed": outcomes.count("pass"), "busted": outcomes.count("bust")}
    return result | {
        "notes": _notes(columns, tape, execution, found, unclosed),
        "counts": counts | {"unfinished": outcomes.count("unfinished")},
        "attempts": attempts,
        "drawn": _drawn(days, np.flatnonzero(drawn), rules, settings, seed),
    }


def _scalars(found: RuleSet, tape: Tape, execution: Execution) -> Rules:
    return Rules(
        tick=whole_micro(execution.tick_value(tape.instrument) * execution.contracts),
        commission=whole_micro(execution.commission * execution.contracts),
        slippage=execution.slippage_ticks,
        trails_equity=found.drawdown_kind == "peak_equity",
        drawdown=whole_micro(found.drawdown_usd),
        lock=kernels.NEVER if found.lock_usd is None else whole_micro(found.lock_usd),
        daily_loss=kernels.NEVER if found.daily_loss_usd is None else whole_micro(found.daily_loss_usd),
        daily_bust=found.daily_loss_breach == "bust",
        target=whole_micro(found.target_usd),
        min_days=found.min_days,
        share=round(kernels.SHARE_STEPS * (found.consistency or 0)),
    )


def _notes(columns: Columns, tape: Tape, execution: Execution, found: RuleSet, unclosed: int) -> list[str]:
    """Return a sentence for each thing that a firm would not have allowed, or that is left out."""
    told = []
    ends = tape.sessions["stop"]
    over = np.searchsorted(ends, columns.entry, side="right") != np.searchsorted(ends, columns.exit, side="right")
    if held := int(over.sum()):
        told.append(f"trades held past the end of a session: {held:,}; a firm would have closed them there")
    instrument = tape.instrument
    micro = is_micro(instrument.root, execution.point_value or instrument.point_value)
    if found.contracts is not None and execution.contracts > found.contracts * (10 if micro else 1):
        allowed = f"{found.contracts * 10} micros" if micro else f"{found.contracts}"
        told.append(
            f"contracts={execution.contracts} is above the firm's limit of {allowed}; it would refuse the order"
        )
    if unclosed:
        told.append(f"void and open trades left out: {unclosed:,}")
    return told


# Attempts ---------------------------------------------------------------------------------------------


def _attempts(days: Days, columns: Columns, tape: Tape, rules: Rules, found: RuleSet) -> list[dict[str, Any]]:
    """Return every attempt in sequence; the next one starts on the session date after the last one ended."""
    attempts: list[dict[str, Any]] = []
    at, sessions = 0, len(tape.sessions)
    while at < sessions:
        rows = np.zeros((sessions - at, 4), np.int64)
        outcome, used = kernels.walk(np.arange(at, sessions), days, rules, rows)
        mine = slice(at, at + used)
        counts = np.column_stack([days.closed[mine], days.filled[mine], days.ended[mine]])
        reason = "the tape ends"
        if outcome == kernels.BUST:
            begin, peak = rows[used - 2, :2].tolist() if used > 1 else (0, 0)
            end = kernels.date_end(at + used - 1, begin, peak, columns, tape, rules)
            top = max(peak, begin + end.high) if rules.trails_equity else peak
            rows[used - 1] = (begin + end.total, top, begin + end.floor, end.total - end.floor)
            counts[-1] = (end.closed, end.filled, end.ended)
            reason = _busted(end, begin, tape, rules, found)
        table = _table(rows[:used], counts, tape.sessions["date"][mine], found)
        if outcome == kernels.PASS:
            reason = _passed(table)
        attempts.append(_attempt(len(attempts) + 1, OUTCOMES[outcome], reason, table, found))
        at += used
    return attempts


def _busted(end: DateEnd, begin: int, tape: Tape, rules: Rules, found: RuleSet) -> str:
    when = chicago_text(np.asarray(tape.ts[end.print_index : end.print_index + 1]))[0]
    if end.ended == kernels.DAILY_LOSS:
        lost, limit = dollars(-end.touched / MICRO), dollars(rules.daily_loss / MICRO)
        return f"loss of the day {lost} at or beyond its limit {limit} at {when}"
    equity, floor = (dollars(found.account_usd + (begin + x) / MICRO) for x in (end.touched, end.floor))
    return f"equity {equity} at or below the floor {floor} at {when}"


def _table(rows: Int64, counts: Int64, dates: Array, found: RuleSet) -> list[dict[str, Any]]:
    """Return the day-by-day table of an attempt."""
    before = np.concatenate(([0], rows[:-1, kernels.BALANCE]))
    early = {kernels.WHOLE: None, kernels.DAILY_LOSS: "daily loss", kernels.FLOOR: "floor"}
    return [
        {
            "session_date": str(date),
            "trades": int(counts[n, 0]),
            "net_usd": int(row[kernels.BALANCE] - before[n]) / MICRO,
            "balance_usd": found.account_usd + int(row[kernels.BALANCE]) / MICRO,
            "lowest_above_floor_usd": int(row[kernels.NEAREST]) / MICRO,
            "floor_usd": found.account_usd + int(row[kernels.FLOOR_AT_END]) / MICRO,
            "trading_day": bool(counts[n, 1]),
            "ended_by": early[int(counts[n, 2])],
        }
        for n, (date, row) in enumerate(zip(dates, rows, strict=True))
    ]


def _passed(table: list[dict[str, Any]]) -> str:
    profit = math.fsum(row["net_usd"] for row in table)
    best = max(row["net_usd"] for row in table)
    traded = sum(row["trading_day"] for row in table)
    return f"profit {dollars(profit)} after {traded} trading days, best day {best / profit:.2%} of it"


def _attempt(number: int, outcome: str, reason: str, table: list[dict[str, Any]], found: RuleSet) -> dict[str, Any]:
    return {
        "number": number,
        "first_session": table[0]["session_date"],
        "last_session": table[-1]["session_date"],
        "session_dates": len(table),
        "trading_days": sum(row["trading_day"] for row in table),
        "outcome": outcome,
        "reason": reason,
        "profit_usd": round(table[-1]["balance_usd"] - found.account_usd, 6),
        "days": table,
    }


# Drawn session dates ----------------------------------------------------------------------------------


def _drawn(days: Days, dates: Int64, rules: Rules, settings: PropFirm, seed: int) -> dict[str, Any]:
    """Return how paths of session dates drawn with replacement from `dates` end.

    Empty without paths, and for fewer than two session dates: all drawings of a single one are the same.
    """
    sims, sessions = settings.prop_sims, len(dates)
    if not sims or sessions < 2:
        return {}
    outcome, used = np.empty(sims, np.int64), np.empty(sims, np.int64)

    def walk_part(first: int) -> None:
        mine = slice(first, min(first + CHUNK, sims))
        order = dates[drawn_dates(seed, first // CHUNK, len(outcome[mine]), settings.prop_days, sessions)]
        kernels.paths_kernel(order, days, rules, kernels.NO_ROWS, outcome[mine], used[mine])

    run_all(walk_part, range(0, sims, CHUNK))
    tapes = _other_tapes(days, dates, rules, settings, seed)
    return {
        "sims": sims,
        "seed": seed,
        "horizon_days": settings.prop_days,
        "session_dates": sessions,
        **{word: _share(int((outcome == code).sum()), sims, tapes[:, code]) for code, word in _DRAWN.items()},
        "days_to_pass": _spread(used[outcome == kernels.PASS]),
        "days_to_bust": _spread(used[outcome == kernels.BUST]),
    }


def _other_tapes(days: Days, dates: Int64, rules: Rules, settings: PropFirm, seed: int) -> Array:
    """Return the share of each outcome on TAPES tapes of as many session dates, shape (TAPES, outcomes).

    The dates of such a tape are drawn with replacement from those of the tape, and its paths from its own dates (the
    bootstrap, Efron 1979): what P(pass) might have been with other dates.
    """
    sessions = len(dates)

    def shares(tape: int) -> Array:
        others = dates[drawn_dates(seed, _FIRST_TAPE + 2 * tape, 1, sessions, sessions)[0]]
        order = others[drawn_dates(seed, _FIRST_TAPE + 2 * tape + 1, CHUNK, settings.prop_days, sessions)]
        outcome, used = np.empty(CHUNK, np.int64), np.empty(CHUNK, np.int64)
        kernels.paths_kernel(order, days, rules, kernels.NO_ROWS, outcome, used)
        return np.bincount(outcome, minlength=len(_DRAWN)) / CHUNK

    return np.array(run_all(shares, range(TAPES)))


def drawn_dates(seed: int, key: int, paths: int, length: int, sessions: int) -> Int64:
    """Return drawn session dates, shape (paths, length), as rows of the tape's table.

    The raw numbers of Philox 4x64-10 with the key (seed, key), in order; the upper 32 bits of each choose
    one of the dates by multiplication, which favours some by at most sessions / 2**32.
    """
    raw = np.random.Philox(key=np.array([seed, key], np.uint64)).random_raw(paths * length)
    chosen = ((raw >> np.uint64(32)) * np.uint64(sessions)) >> np.uint64(32)
    return chosen.astype(np.int64).reshape(paths, length)


def _share(paths: int, sims: int, tapes: Array) -> dict[str, Any]:
    """Return a share of the paths with its 95% interval for the drawing, and that for the session dates.

    If all drawn tapes have the same outcome, the latter would be a point; it is never narrower than the former.
    """
    low, high = wilson(paths, sims)
    first, last = np.percentile(tapes, (2.5, 97.5)).tolist()
    dates = {"dates_low": np.minimum(first, low).item(), "dates_high": np.maximum(last, high).item()}
    return {"paths": paths, "probability": paths / sims, "low": low, "high": high, **dates}


def _spread(dates: Int64) -> dict[str, float]:
    """Return percentiles of session dates, and their mean with its 95% interval (Student's t); NaN where undefined."""
    if not len(dates):
        return dict.fromkeys(("p5", "median", "p95", "mean", "mean_low", "mean_high"), NAN)
    p5, median, p95 = np.percentile(dates, (5, 50, 95)).tolist()
    mean, n = float(dates.mean()), len(dates)
    half = float(special().stdtrit(n - 1, 0.975) * dates.std(ddof=1) / math.sqrt(n)) if n > 1 else NAN
    return {"p5": p5, "median": median, "p95": p95, "mean": mean, "mean_low": mean - half, "mean_high": mean + half}
