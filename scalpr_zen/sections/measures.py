"""What follows from results alone: sums, rates, tests, drawdowns, of trades or of session dates.

Results are counted in whole micro-dollars where they decide a win, a verdict or a peak. What is undefined is NaN.
"""

from __future__ import annotations

import importlib
import math
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from scalpr_zen.base.arrays import Array, Float64
from scalpr_zen.base.money import MICRO, micro, total

NAN = math.nan
TRADING_DAYS = 252
SQN_TRADES = 100
Z95 = 1.959963984540054
"""The 97.5% quantile of the normal distribution, `scipy.special.ndtri(0.975)`."""


def special() -> ModuleType:
    """Return `scipy.special`, imported when it is first needed: that takes a quarter of all imports of a command."""
    return importlib.import_module("scipy.special")


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


def histogram(amounts: Array, most: int, name: str) -> dict[str, list[Any]]:
    """Return the edges in USD of at most `most` equal bins of whole micro-dollars, and the count of each as `name`."""
    first = amounts.min()
    width = (amounts.max() - first) // most + 1
    count = np.bincount((amounts - first) // width)
    return {"edges_usd": ((first + width * np.arange(len(count) + 1)) / MICRO).tolist(), name: count.tolist()}


def _mean(x: Float64) -> float:
    return float(x.mean()) if len(x) else NAN


def _sd(x: Float64) -> float:
    # Equal values have no deviation; the rounding of their mean must not invent one.
    if len(x) < 2 or x.min() == x.max():
        return 0.0
    return float(x.std(ddof=1))


def ratio(a: float, b: float) -> float:
    """Return a / b; NaN where b is zero."""
    return a / b if b else NAN


def _t_test(x: Float64) -> tuple[float, float]:
    """Return t and its two-sided p, as scipy.stats.ttest_1samp against 0; NaN without deviation."""
    t = ratio(_mean(x), _sd(x)) * math.sqrt(len(x))
    return t, float(2 * special().stdtr(len(x) - 1, -abs(t))) if len(x) > 1 else NAN


def by_trade(x: Float64, count: Array | None = None) -> dict[str, float]:
    """Return the rates and means of results `x` in USD, each `count` times (default: once), together n > 0.

    Each is one division of whole numbers, so that it lies on the same side of its target as they do.
    """
    amounts, count = micro(x), np.ones(len(x), np.int64) if count is None else count
    won, lost = total(amounts, count * (amounts > 0)), -total(amounts, count * (amounts < 0))
    n, wins, losses = int(count.sum()), int(count[amounts > 0].sum()), int(count[amounts < 0].sum())
    low, high = wilson(wins, n)
    average_win, average_loss = ratio(won, wins * MICRO), ratio(-lost, losses * MICRO)
    return {
        "win_rate": wins / n,
        "win_rate_low": low,
        "win_rate_high": high,
        "decided_win_rate": ratio(wins, wins + losses),
        "break_even_rate": lost * wins / (won * losses + lost * wins) if wins and losses else NAN,
        "profit_factor": ratio(won, lost),
        "average_win_usd": average_win,
        "average_loss_usd": average_loss,
        "payoff": ratio(average_win, abs(average_loss)),
        "expectancy_usd": (won - lost) / (n * MICRO),
    }


def wilson(count: int, n: int) -> tuple[float, float]:
    """Return the 95% interval of a share `count / n`, n > 0 (Wilson, "Probable inference", 1927)."""
    rate, z = count / n, Z95
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
        "days_profitable": ratio(int((d > 0).sum()), len(d) if dates_traded is None else dates_traded),
        **_sharpe(d),
        "sortino": ratio(_mean(d), downside) * math.sqrt(TRADING_DAYS),
        "best_day_usd": float(d.max()) if len(d) else NAN,
        "worst_day_usd": float(d.min()) if len(d) else NAN,
    }


def _sharpe(d: Float64) -> dict[str, float]:
    """Return the yearly Sharpe and its error for independent days (Lo, "The Statistics of Sharpe Ratios", 2002).

    Not his larger one for dependent days: a sum over their autocorrelations is noise where there are few days.
    """
    day = ratio(_mean(d), _sd(d))
    error = math.sqrt((1 + day * day / 2) / len(d)) if len(d) else NAN
    year, spread = math.sqrt(TRADING_DAYS), Z95 * error
    ends = {"sharpe_low": (day - spread) * year, "sharpe_high": (day + spread) * year}
    return {"sharpe": day * year, "sharpe_error": error * year, **ends}


def tests(x: Float64) -> dict[str, float]:
    """Return the t-test of results against zero, and the SQN."""
    t, p = _t_test(x)
    sqn = math.sqrt(min(len(x), SQN_TRADES)) * ratio(_mean(x), _sd(x))
    return {"t_statistic": t, "p_value": p, "sqn": sqn}
