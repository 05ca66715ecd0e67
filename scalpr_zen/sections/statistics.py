"""The statistics of the trades. Every definition is in one table, which the report and the docs print.

`x` are net USD per closed trade, n their number; `d` are net USD per session date over the counted session dates
of the tape, a trade belonging to the session date of its exit. Incomplete session dates do not count unless asked
for. Standard deviations are sample ones (n - 1). What is undefined is NaN.

What decides a win, a verdict or a peak of the equity is counted in whole micro-dollars, so that no rounding of
floats can make a scratch a win, or let two rows of the table contradict each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr

from scalpr_zen.base.money import MICRO, micro, total
from scalpr_zen.base.units import NANOS
from scalpr_zen.data.tape import Tape
from scalpr_zen.render.table import Amount, Column, Row, Table
from scalpr_zen.render.text import counted as counted_text
from scalpr_zen.render.text import number
from scalpr_zen.sections.section import Run, Section
from scalpr_zen.simulation.execution import Bracket, Execution
from scalpr_zen.simulation.kernel import TARGET

Float64 = NDArray[np.float64]
Array = NDArray[Any]
Values = Mapping[str, Any]

NAN = math.nan
TRADING_DAYS = 252
SQN_TRADES = 100
FEW_DATES = 20
"""Session dates below which figures by day say little."""
NOT_RECOVERED = "not recovered"


@dataclass(frozen=True)
class Statistic:
    """One row of the statistics table: key, label, unit, definition, and the target where there is one.

    `missing` is what the row shows if there are trades but the value is NaN; `headline` rows lead the report.
    """

    key: str
    label: str
    unit: str
    definition: str
    target: str = ""
    passes: Callable[[Values], bool] | None = None
    missing: str = "n/a"
    headline: bool = False

    def verdict(self, values: Values) -> str:
        """Return PASS or FAIL, n/a where the value is undefined, nothing where there is no target."""
        if self.passes is None:
            return ""
        if math.isnan(values[self.key]):
            return "n/a"
        return "PASS" if self.passes(values) else "FAIL"


def _earns(values: Values) -> bool:
    """Whether the wins came to more than the losses; one sum decides each verdict that compares the two."""
    return bool(values["expectancy_usd"] > 0)


STATISTICS = (
    Statistic("trades", "Trades", "", "closed trades, n", headline=True),
    Statistic("wins", "Wins", "", "x > 0"),
    Statistic("losses", "Losses", "", "x < 0"),
    Statistic("scratches", "Scratches", "", "x = 0"),
    Statistic("net_usd", "Net P&L", "usd", "sum of x", headline=True),
    Statistic("gross_usd", "Gross P&L", "usd", "net P&L before commission, after slippage"),
    Statistic("commission_usd", "Commission", "usd", "2 * commission * contracts * n"),
    Statistic("win_rate", "Win rate", "share", "wins / n"),
    Statistic("win_rate_low", "Win rate, 95% low", "share", "Wilson score interval of wins / n, z = 1.95996"),
    Statistic("win_rate_high", "Win rate, 95% high", "share", "Wilson score interval of wins / n, z = 1.95996"),
    Statistic(
        "decided_win_rate",
        "Win rate of decided trades",
        "share",
        "wins / (wins + losses): scratches neither win nor lose",
        "above break-even rate",
        _earns,
        headline=True,
    ),
    Statistic(
        "break_even_rate",
        "Break-even rate",
        "share",
        "L / (W + L): W the average win, L the average loss of these trades; "
        "the win rate of decided trades is above it exactly where the expectancy is above $0",
    ),
    Statistic(
        "bracket_break_even_rate",
        "Break-even rate of the bracket",
        "share",
        "L / (W + L) before any trade: W the net USD of a take profit, L the net USD lost by a stop filled at its "
        "price less slippage, means over the trades where long and short distances differ; n/a where the stop moves",
    ),
    Statistic(
        "profit_factor", "Profit factor", "ratio", "sum of wins / abs(sum of losses)", "> 1", _earns, headline=True
    ),
    Statistic("expectancy_usd", "Expectancy", "usd", "mean x", "> $0", _earns, headline=True),
    Statistic(
        "break_even_cost_usd",
        "Break-even cost",
        "usd",
        "mean x before commission and slippage, USD per round turn, all contracts",
    ),
    Statistic(
        "t_statistic", "t-statistic", "ratio", "mean x / (sd x / sqrt n)", ">= 2.0", lambda v: v["t_statistic"] >= 2
    ),
    Statistic(
        "p_value",
        "p-value",
        "p",
        "two-sided Student t of the t-statistic, n - 1 degrees",
        "< 0.05, t > 0",
        lambda v: v["p_value"] < 0.05 and v["t_statistic"] > 0,
    ),
    Statistic(
        "t_statistic_by_day",
        "t-statistic by day",
        "ratio",
        "mean d / (sd d / sqrt days)",
        ">= 2.0",
        lambda v: v["t_statistic_by_day"] >= 2,
        headline=True,
    ),
    Statistic(
        "p_value_by_day",
        "p-value by day",
        "p",
        "two-sided Student t of the t-statistic by day, days - 1 degrees",
        "< 0.05, t > 0",
        lambda v: v["p_value_by_day"] < 0.05 and v["t_statistic_by_day"] > 0,
        headline=True,
    ),
    Statistic(
        "sqn",
        "SQN",
        "ratio",
        "sqrt(min(n, 100)) * mean x / sd x (Van Tharp)",
        ">= 2.0",
        lambda v: v["sqn"] >= 2,
        headline=True,
    ),
    Statistic("session_dates", "Session dates", "", "days: session dates of the tape"),
    Statistic("dates_traded", "Session dates with a trade", "", "session dates on which a trade closed"),
    Statistic(
        "days_profitable",
        "Days profitable",
        "share",
        "session dates with d > 0 / session dates with a trade",
        ">= 50%",
        lambda v: v["days_profitable"] >= 0.5,
        headline=True,
    ),
    Statistic("sharpe", "Sharpe", "ratio", "mean d / sd d * sqrt 252", headline=True),
    Statistic(
        "sharpe_error",
        "Sharpe, standard error",
        "ratio",
        "sqrt((1 + S^2 / 2) / days) * sqrt 252, S = mean d / sd d (Lo 2002, independent days)",
    ),
    Statistic("sharpe_low", "Sharpe, 95% low", "ratio", "Sharpe - 1.95996 standard errors"),
    Statistic("sharpe_high", "Sharpe, 95% high", "ratio", "Sharpe + 1.95996 standard errors"),
    Statistic("sortino", "Sortino", "ratio", "mean d / sqrt(mean(min(d, 0)^2)) * sqrt 252"),
    Statistic(
        "max_drawdown_usd",
        "Max drawdown",
        "usd",
        "largest fall of the per-trade equity, start 0 included, from its peak",
        headline=True,
    ),
    Statistic(
        "max_drawdown_sessions",
        "Peak to trough",
        "sessions",
        "session dates from the peak to the trough, both counted; from the first trade if the peak is the start",
    ),
    Statistic("max_drawdown_days", "Peak to trough, calendar", "days", "the same in calendar days"),
    Statistic(
        "recovery_sessions",
        "Peak to recovery",
        "sessions",
        "session dates from that of its peak to that of the first later trade with the equity at the peak or above, "
        "both counted",
        missing=NOT_RECOVERED,
    ),
    Statistic(
        "recovery_days",
        "Peak to recovery, calendar",
        "days",
        "the same in calendar days",
        missing=NOT_RECOVERED,
    ),
    Statistic("longest_win_streak", "Longest win streak", "trades", "most wins in a row"),
    Statistic("longest_loss_streak", "Longest loss streak", "trades", "most losses in a row"),
    Statistic("average_win_usd", "Average win", "usd", "mean of x > 0"),
    Statistic("average_loss_usd", "Average loss", "usd", "mean of x < 0"),
    Statistic("payoff", "Payoff", "ratio", "average win / abs(average loss)"),
    Statistic("best_day_usd", "Best day", "usd", "max d"),
    Statistic("worst_day_usd", "Worst day", "usd", "min d"),
    Statistic("trades_a_day", "Trades per day", "ratio", "closed trades of the counted session dates / their number"),
    Statistic(
        "time_in_market", "Time in market", "share", "time held / time from first to last print, inside sessions"
    ),
    Statistic("median_hold_seconds", "Median hold", "seconds", "median of exit time - entry time"),
)


def statistics(
    trades: Array, tape: Tape, bracket: Bracket, execution: Execution, counted: NDArray[np.bool_] | None = None
) -> dict[str, Any]:
    """Return every row of STATISTICS by key.

    Parameters
    ----------
    trades : array of TRADE, shape (n,)
        Closed trades in order of their exit.
    tape : Tape
        Its session dates; only the ends of sessions are read.
    bracket, execution
        What the break-even rate and the break-even cost refer to.
    counted : array of bool, shape (session dates,), optional
        Which session dates count in the by-day statistics. Default: all.
    """
    counted = np.ones(len(tape.sessions), np.bool_) if counted is None else counted
    x, session = whole(trades["net_usd"]), trades["session"]
    d = daily(x, session, len(tape.sessions))[counted]
    by_counted = session[counted[session]]
    values: dict[str, Any] = {statistic.key: NAN for statistic in STATISTICS}
    values |= {
        "trades": len(x),
        "wins": int((x > 0).sum()),
        "losses": int((x < 0).sum()),
        "scratches": int((x == 0).sum()),
        "session_dates": len(d),
        "dates_traded": len(np.unique(by_counted)),
    }
    values |= {"net_usd": net(x), "gross_usd": 0.0, "commission_usd": 0.0}
    if len(x):
        values |= _costs(trades, x, tape, execution) | by_trade(x) | _tests(x) | by_day(d, values["dates_traded"])
        values |= _drawdown(x, tape.sessions["date"], session) | _streaks(x)
        values |= {"trades_a_day": _ratio(float(len(by_counted)), len(d))} | _times(trades, tape)
    values["bracket_break_even_rate"] = _bracket_break_even_rate(trades, bracket, execution, tape)
    return values


def verdicts(values: Values) -> dict[str, str]:
    """Return PASS, FAIL or n/a of every statistic that has a target, by key."""
    return {row.key: row.verdict(values) for row in STATISTICS if row.target}


def whole(usd: Array) -> Float64:
    """Return amounts as the floats nearest to whole micro-dollars: 0.1 + 0.2 - 0.3 is zero."""
    return micro(usd) / MICRO


def net(x: Float64, count: Array | int = 1) -> float:
    """Return the sum of results in USD, each `count` times (default: once); the same in any order."""
    return total(micro(x), count) / MICRO


def daily(x: Float64, session: Array, sessions: int) -> Float64:
    """Return net USD per session date, shape (sessions,); zero where nothing closed."""
    return whole(np.bincount(session, weights=x, minlength=sessions))


class Drawdown(NamedTuple):
    """The largest fall of an equity, in USD, and after how many results its peak, its trough and its recovery come."""

    usd: float
    peak: int
    trough: int
    recovery: int | None


def max_drawdown(x: Float64) -> Drawdown:
    """Return the largest fall of the cumulated `x`, start 0 included; 0 where the equity never falls.

    It begins at the latest of equal peaks, and of equal falls the first counts. The recovery is the first result after
    the trough with the equity at the peak or above it; None where there is no such result, and without a fall.
    """
    equity = np.concatenate(([0], np.cumsum(micro(x))))
    falls = np.maximum.accumulate(equity) - equity
    trough = int(falls.argmax())
    peak = trough - int(equity[trough::-1].argmax())
    back = np.flatnonzero((equity[trough:] >= equity[peak]) & (falls[trough] > 0))
    return Drawdown(int(falls[trough]) / MICRO, peak, trough, trough + int(back[0]) if len(back) else None)


def _mean(x: Float64) -> float:
    return float(x.mean()) if len(x) else NAN


def _sd(x: Float64) -> float:
    # Equal values have no deviation; the rounding of their mean must not invent one.
    if len(x) < 2 or x.min() == x.max():
        return 0.0
    return float(x.std(ddof=1))


def _ratio(a: float, b: float) -> float:
    return a / b if b else NAN


def _t_test(x: Float64) -> tuple[float, float]:
    """Return t and its two-sided p, as scipy.stats.ttest_1samp against 0; NaN without deviation."""
    t = _ratio(_mean(x), _sd(x)) * math.sqrt(len(x))
    return t, float(2 * stdtr(len(x) - 1, -abs(t))) if len(x) > 1 else NAN


def _bracket_break_even_rate(trades: Array, bracket: Bracket, execution: Execution, tape: Tape) -> float:
    if bracket.stop_moves:
        return NAN
    long, short = (bracket.distances(tape.instrument, side) for side in (1, -1))
    shorts = float((trades["side"] < 0).mean()) if long != short and len(trades) else 0.0
    take_profit, stop_loss = (a + shorts * (b - a) for a, b in zip(long, short, strict=True))
    tick, cost = execution.tick_value(tape.instrument), 2 * execution.commission
    win, loss = take_profit * tick - cost, (stop_loss + execution.slippage_ticks) * tick + cost
    return loss / (win + loss)


def _costs(trades: Array, x: Float64, tape: Tape, execution: Execution) -> dict[str, float]:
    tick = execution.tick_value(tape.instrument) * execution.contracts
    gross = trades["gross_ticks"].astype(np.int64)
    slipped = execution.slippage_ticks * (1 + (trades["reason"] != TARGET))
    return {
        "gross_usd": float(gross.sum() * tick),
        "commission_usd": execution.cost_usd * len(x),
        "break_even_cost_usd": float((gross + slipped).sum() * tick / len(x)),
    }


def by_trade(x: Float64, count: Array | None = None) -> dict[str, float]:
    """Return the rates and means of results `x` in USD, each `count` times (default: once), together n > 0.

    Each is one division of whole numbers, so that it lies on the same side of its target as they do.
    """
    amounts, count = micro(x), np.ones(len(x), np.int64) if count is None else count
    won, lost = total(amounts, count * (amounts > 0)), -total(amounts, count * (amounts < 0))
    n, wins, losses = int(count.sum()), int(count[amounts > 0].sum()), int(count[amounts < 0].sum())
    low, high = wilson(wins, n)
    average_win, average_loss = _ratio(won, wins * MICRO), _ratio(-lost, losses * MICRO)
    return {
        "win_rate": wins / n,
        "win_rate_low": low,
        "win_rate_high": high,
        "decided_win_rate": _ratio(wins, wins + losses),
        "break_even_rate": lost * wins / (won * losses + lost * wins) if wins and losses else NAN,
        "profit_factor": _ratio(won, lost),
        "average_win_usd": average_win,
        "average_loss_usd": average_loss,
        "payoff": _ratio(average_win, abs(average_loss)),
        "expectancy_usd": (won - lost) / (n * MICRO),
    }


def wilson(count: int, n: int) -> tuple[float, float]:
    """Return the 95% interval of a share `count / n`, n > 0 (Wilson, "Probable inference", 1927)."""
    rate, z = count / n, float(ndtri(0.975))
    centre, spread = rate + z * z / (2 * n), z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    low, high = ((centre + sign * spread) / (1 + z * z / n) for sign in (-1, 1))
    return min(max(low, 0.0), rate), max(min(high, 1.0), rate)  # rounding must not carry an end past 0, the rate or 1


def by_day(d: Float64, dates_traded: int | None = None) -> dict[str, float]:
    """Return what follows from USD per session date alone, shape (session dates,); NaN without any.

    `dates_traded` are the session dates with a trade; default: all.
    """
    t, p = _t_test(d)
    downside = math.sqrt(_mean(np.minimum(d, 0) ** 2)) if len(d) else NAN
    return {
        "t_statistic_by_day": t,
        "p_value_by_day": p,
        "days_profitable": _ratio(int((d > 0).sum()), len(d) if dates_traded is None else dates_traded),
        **_sharpe(d),
        "sortino": _ratio(_mean(d), downside) * math.sqrt(TRADING_DAYS),
        "best_day_usd": float(d.max()) if len(d) else NAN,
        "worst_day_usd": float(d.min()) if len(d) else NAN,
    }


def _sharpe(d: Float64) -> dict[str, float]:
    """Return the yearly Sharpe and its error for independent days (Lo, "The Statistics of Sharpe Ratios", 2002).

    Not his larger one for dependent days: a sum over their autocorrelations is noise where there are few days.
    """
    day = _ratio(_mean(d), _sd(d))
    error = math.sqrt((1 + day * day / 2) / len(d)) if len(d) else NAN
    year, spread = math.sqrt(TRADING_DAYS), float(ndtri(0.975)) * error
    ends = {"sharpe_low": (day - spread) * year, "sharpe_high": (day + spread) * year}
    return {"sharpe": day * year, "sharpe_error": error * year, **ends}


def _tests(x: Float64) -> dict[str, float]:
    t, p = _t_test(x)
    sqn = math.sqrt(min(len(x), SQN_TRADES)) * _ratio(_mean(x), _sd(x))
    return {"t_statistic": t, "p_value": p, "sqn": sqn}


def _drawdown(x: Float64, dates: Array, session: Array) -> dict[str, Any]:
    """Return the max drawdown of the trades, and how long it lasted, the dates of both its ends counted."""
    fall = max_drawdown(x)
    values: dict[str, Any] = {"max_drawdown_usd": fall.usd}
    for name, end in (("max_drawdown", fall.trough), ("recovery", fall.recovery)):
        if not fall.usd:
            values |= {f"{name}_sessions": 0, f"{name}_days": 0}
        elif end is not None:
            first, last = int(session[max(fall.peak, 1) - 1]), int(session[end - 1])
            days = (dates[last] - dates[first]).astype(int)
            values |= {f"{name}_sessions": last - first + 1, f"{name}_days": int(days) + 1}
    return values


def _streaks(x: Float64) -> dict[str, int]:
    return {"longest_win_streak": _longest_run(x > 0), "longest_loss_streak": _longest_run(x < 0)}


def _longest_run(flags: NDArray[np.bool_]) -> int:
    breaks = np.flatnonzero(np.concatenate(([True], ~flags, [True])))
    return int(np.diff(breaks).max()) - 1


def _times(trades: Array, tape: Tape) -> dict[str, float]:
    """Hold times; in the market's own time, which stands still between sessions."""
    first, last = tape.ts[tape.sessions["start"]], tape.ts[tape.sessions["stop"] - 1]
    before = np.concatenate(([0], np.cumsum(last - first)))

    def clock(index: Array, ts: Array) -> Array:
        session = np.searchsorted(tape.sessions["stop"], index, side="right")
        return np.asarray(before[session] + ts - first[session])

    held = clock(trades["exit"], trades["exit_ts"]) - clock(trades["entry"], trades["entry_ts"])
    return {
        "time_in_market": _ratio(float(held.sum()), float(before[-1])),
        "median_hold_seconds": float(np.median(trades["exit_ts"] - trades["entry_ts"])) / NANOS,
    }


# What the report shows ---------------------------------------------------------------------------------


def headline(values: Mapping[str, Any]) -> Table:
    """Return the statistics that lead the report, with their 95% intervals, targets and verdicts."""
    columns = (*_COLUMNS[:2], Column("95%", "text"), *_COLUMNS[2:4])
    rows = [_row(row, values) for row in STATISTICS if row.headline]
    return Table(columns, [row._replace(cells=_with_interval(row, values)) for row in rows], cards=True)


_COLUMNS = (
    Column("statistic", "text"),
    Column("value", compared=True),
    Column("target", "text"),
    Column("verdict", "verdict"),
)


def _row(row: Statistic, values: Mapping[str, Any]) -> Row:
    numbers = values["statistics"]
    value = Amount(numbers[row.key], row.unit, missing=row.missing if numbers["trades"] else "n/a")
    return Row((row.label, value, row.target, values["verdicts"].get(row.key, "")), key=row.key, about=row.definition)


def _with_interval(row: Row, values: Mapping[str, Any]) -> tuple[Any, ...]:
    low, high = (values["statistics"].get(f"{row.key}_{end}") for end in ("low", "high"))
    unit = row.cells[1].unit
    return (*row.cells[:2], "" if low is None else f"{number(low, unit)} to {number(high, unit)}", *row.cells[2:])


def _blocks(_: Run, values: Mapping[str, Any]) -> Iterator[Table]:
    yield Table(_COLUMNS, [_row(row, values) for row in STATISTICS])


def _notes(_: Run, values: Mapping[str, Any]) -> Iterator[str]:
    numbers, parameters = values["statistics"], values["parameters"]
    if not numbers["trades"]:
        return
    if parameters["commission"] == 0 and parameters["slippage_ticks"] == 0:
        each = f"each $1.00 of cost per round turn takes {number(float(numbers['trades']), 'usd')} from the net P&L"
        yield f"no costs are set: {each}; break-even at {number(numbers['break_even_cost_usd'], 'usd')}"
    if numbers["session_dates"] < FEW_DATES:
        yield (
            f"only {counted_text(numbers['session_dates'], 'session date')} "
            f"count{'s' * (numbers['session_dates'] == 1)}: with fewer than {FEW_DATES}, Sharpe, Sortino, "
            "days profitable and the t-statistic by day mean little"
        )


SECTION = Section(
    name="statistics",
    order=10,
    title="Statistics",
    compute=lambda run, _: statistics(run.trades, run.tape, run.setup.bracket, run.setup.execution, run.counted),
    blocks=_blocks,
    notes=_notes,
    fields={row.key: row.definition for row in STATISTICS},
)
