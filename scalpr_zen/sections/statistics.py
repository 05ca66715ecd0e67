"""The statistics of the trades. Every definition is in one table, which the report and the docs print.

`x` are net USD per closed trade, n their number; `d` are net USD per session date over the counted session dates
of the tape, a trade belonging to the session date of its exit. Incomplete session dates do not count unless asked
for. Standard deviations are sample ones (n - 1). What is undefined is NaN.

What decides a win, a verdict or a peak of the equity is counted in whole micro-dollars, so that no rounding of
floats can make a scratch a win, or let two rows of the table contradict each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from scalpr_zen.base.arrays import Array, Bools, Float64
from scalpr_zen.base.units import NANOS
from scalpr_zen.data.tape import Tape
from scalpr_zen.render.table import Amount, Column, Row, Table
from scalpr_zen.render.text import counted as counted_text
from scalpr_zen.render.text import number
from scalpr_zen.sections.measures import NAN, by_day, by_trade, daily, max_drawdown, net, ratio, tests, whole
from scalpr_zen.sections.section import Run, Section, Values
from scalpr_zen.simulation.execution import Bracket, Execution
from scalpr_zen.simulation.kernel import TARGET

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


def _least(key: str, label: str, unit: str, definition: str, least: float, headline: bool = False) -> Statistic:
    """Return a row whose target is a least value."""
    target = f">= {least:.0%}" if unit == "share" else f">= {least:.1f}"
    return Statistic(key, label, unit, definition, target, lambda values: bool(values[key] >= least), headline=headline)


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
    _least("t_statistic", "t-statistic", "ratio", "mean x / (sd x / sqrt n)", 2),
    Statistic(
        "p_value",
        "p-value",
        "p",
        "two-sided Student t of the t-statistic, n - 1 degrees",
        "< 0.05, t > 0",
        lambda v: v["p_value"] < 0.05 and v["t_statistic"] > 0,
    ),
    _least("t_statistic_by_day", "t-statistic by day", "ratio", "mean d / (sd d / sqrt days)", 2, headline=True),
    Statistic(
        "p_value_by_day",
        "p-value by day",
        "p",
        "two-sided Student t of the t-statistic by day, days - 1 degrees",
        "< 0.05, t > 0",
        lambda v: v["p_value_by_day"] < 0.05 and v["t_statistic_by_day"] > 0,
        headline=True,
    ),
    _least("sqn", "SQN", "ratio", "sqrt(min(n, 100)) * mean x / sd x (Van Tharp)", 2, headline=True),
    Statistic("session_dates", "Session dates", "", "days: session dates of the tape"),
    Statistic("dates_traded", "Session dates with a trade", "", "session dates on which a trade closed"),
    _least(
        "days_profitable",
        "Days profitable",
        "share",
        "session dates with d > 0 / session dates with a trade",
        0.5,
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
        "recovery_days", "Peak to recovery, calendar", "days", "the same in calendar days", missing=NOT_RECOVERED
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
    trades: Array, tape: Tape, bracket: Bracket, execution: Execution, counted: Bools | None = None
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
        values |= _costs(trades, x, tape, execution) | by_trade(x) | tests(x) | by_day(d, values["dates_traded"])
        values |= _drawdown(x, tape.sessions["date"], session)
        values |= {"longest_win_streak": _longest_run(x > 0), "longest_loss_streak": _longest_run(x < 0)}
        values |= {"trades_a_day": ratio(float(len(by_counted)), len(d))} | _times(trades, tape)
    values["bracket_break_even_rate"] = _bracket_break_even_rate(trades, bracket, execution, tape)
    return values


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


def _longest_run(flags: Bools) -> int:
    breaks = np.flatnonzero(np.concatenate(([True], ~flags, [True])))
    return int(np.diff(breaks).max()) - 1


def _times(trades: Array, tape: Tape) -> dict[str, float]:
    """Hold times; in the market's own time, which stands still between sessions."""
    first, last = tape.ts[tape.sessions["start"]], tape.ts[tape.sessions["stop"] - 1]
    before = np.concatenate(([0], np.cumsum(last - first)))

    start = before[:-1] - first
    entered = np.searchsorted(tape.sessions["stop"], trades["entry"], side="right")
    held = start[trades["session"]] + trades["exit_ts"] - (start[entered] + trades["entry_ts"])
    return {
        "time_in_market": ratio(float(held.sum()), float(before[-1])),
        "median_hold_seconds": float(np.median(trades["exit_ts"] - trades["entry_ts"])) / NANOS,
    }


# What the report shows ---------------------------------------------------------------------------------


def headline(values: Values) -> Table:
    """Return the statistics that lead the report, with their 95% intervals, targets and verdicts."""
    columns = (*_COLUMNS[:2], Column("95% interval", "text"), *_COLUMNS[2:4])
    rows = [_row(row, values) for row in STATISTICS if row.headline]
    return Table(columns, [row._replace(cells=_with_interval(row, values)) for row in rows], cards=True)


_COLUMNS = (
    Column("statistic", "text"),
    Column("value", compared=True),
    Column("target", "text"),
    Column("verdict", "verdict"),
)


def _row(row: Statistic, values: Values) -> Row:
    numbers = values["statistics"]
    value = Amount(numbers[row.key], row.unit, missing=row.missing if numbers["trades"] else "n/a")
    return Row((row.label, value, row.target, values["verdicts"].get(row.key, "")), key=row.key, about=row.definition)


def _with_interval(row: Row, values: Values) -> tuple[Any, ...]:
    low, high = (values["statistics"].get(f"{row.key}_{end}") for end in ("low", "high"))
    unit = row.cells[1].unit
    return (*row.cells[:2], "" if low is None else f"{number(low, unit)} to {number(high, unit)}", *row.cells[2:])


def _blocks(_: Run, values: Values) -> Iterator[Table]:
    yield Table(_COLUMNS, [_row(row, values) for row in STATISTICS])


def _notes(_: Run, values: Values) -> Iterator[str]:
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
