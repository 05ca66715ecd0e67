"""The slow, obvious twins of the statistics, by the definitions of docs/statistics.md."""

import math
from statistics import mean as exact_mean
from statistics import stdev as exact_sd

NAN = float("nan")

# ---------------------------------------------------------------------------------------------- statistics


def statistics(net, session_of_trade, n_sessions, dates=None) -> dict:
    """What the closed trades amount to; NaN for what is undefined. `dates` are the days of the session dates in a count
    of days; default: one after the other."""
    dates = list(range(n_sessions)) if dates is None else dates
    n = len(net)
    wins = [x for x in net if x > 0]
    losses = [x for x in net if x < 0]
    scratches = [x for x in net if x == 0]

    # Every session date counts, those where nothing closed with zero.
    days = [0.0] * n_sessions
    for x, session in zip(net, session_of_trade, strict=True):
        days[session] += x
    profitable_days = [d for d in days if d > 0]
    traded_days = set(session_of_trade)
    downside = math.sqrt(mean([min(d, 0.0) ** 2 for d in days])) if days else NAN

    win_rate_low, win_rate_high = wilson_interval(len(wins), n)
    max_drawdown, first, trough, recovery = deepest_fall(net, session_of_trade)
    sharpe_error = sharpe_standard_error(days)

    return {
        "trades": n,
        "wins": len(wins),
        "losses": len(losses),
        "scratches": len(scratches),
        "win_rate": ratio(len(wins), n),
        "win_rate_low": win_rate_low,
        "win_rate_high": win_rate_high,
        "decided_win_rate": ratio(len(wins), len(wins) + len(losses)),
        "break_even_rate": break_even_rate(mean(wins), -mean(losses)),
        "profit_factor": ratio(total(wins), abs(total(losses))),
        "expectancy_usd": mean(net),
        "t_statistic": ratio(mean(net) * math.sqrt(n), sd(net)),
        "t_statistic_by_day": ratio(mean(days) * math.sqrt(n_sessions), sd(days)),
        "sqn": ratio(mean(net) * math.sqrt(min(n, 100)), sd(net)),
        "session_dates": n_sessions,
        "dates_traded": len(traded_days),
        "days_profitable": ratio(len(profitable_days), len(traded_days)),
        "sharpe": sharpe(days),
        "sharpe_error": sharpe_error,
        "sharpe_low": sharpe(days) - 1.959963984540054 * sharpe_error,
        "sharpe_high": sharpe(days) + 1.959963984540054 * sharpe_error,
        "sortino": ratio(mean(days) * math.sqrt(252), downside),
        "max_drawdown_usd": max_drawdown,
        "max_drawdown_sessions": both_counted(first, trough),
        "max_drawdown_days": both_counted(first, trough, dates),
        "recovery_sessions": both_counted(first, recovery),
        "recovery_days": both_counted(first, recovery, dates),
        "longest_win_streak": longest_streak([x > 0 for x in net]),
        "longest_loss_streak": longest_streak([x < 0 for x in net]),
        "average_win_usd": mean(wins),
        "average_loss_usd": mean(losses),
        "payoff": ratio(mean(wins), abs(mean(losses))),
        "best_day_usd": max(days, default=NAN),
        "worst_day_usd": min(days, default=NAN),
        "trades_a_day": ratio(n, n_sessions),
    }


def baseline(prices, segments, session_of, n_sessions, tick_value) -> dict:
    """One contract bought at each segment's first print and sold at its last; no roll gap counted."""
    per_segment = []
    daily = [0.0] * n_sessions

    for start, stop in segments:
        per_segment.append(float((prices[stop - 1] - prices[start]) * tick_value))

        # Each session date earns the change from the mark before to its own last print in the segment.
        mark = prices[start]
        for i in range(start, stop):
            if i == stop - 1 or session_of[i + 1] != session_of[i]:
                daily[session_of[i]] += (prices[i] - mark) * tick_value
                mark = prices[i]

    return {
        "pnl_usd": total(per_segment),
        "sharpe": sharpe(daily),
        "max_drawdown_usd": permutation_drawdown(daily),
        "per_segment_usd": per_segment,
        "daily_usd": daily,
    }


def permutation_drawdown(values) -> float:
    """The largest fall of one path from its running peak, in USD, the starting 0 included."""
    return deepest_fall(values, [0] * len(values))[0]


# ------------------------------------------------------------------------------- the parts of the statistics


def deepest_fall(values, sessions):
    """The largest fall of the running sum from its running peak, and the sessions of its peak, trough and recovery.

    Money is whole micro-dollars. Without a fall there are no sessions, and without a recovery there is none of it.
    """
    equity, path = 0, []
    peak, peak_session = 0, sessions[0] if sessions else None  # the start, on the session of the first trade
    deepest, level, first, trough = 0, None, None, None

    for value, session in zip(values, sessions, strict=True):
        equity += round(value * 1_000_000)
        path.append(equity)
        # A fall starts at the latest of equal peaks; the first of equal falls stays.
        if equity >= peak:
            peak, peak_session = equity, session
        if peak - equity > deepest:
            deepest, level, first, trough = peak - equity, peak, peak_session, len(path) - 1

    if not deepest:
        return 0.0, None, None, None
    back = [k for k in range(trough, len(path)) if path[k] >= level]
    recovery = sessions[back[0]] if back else None
    return deepest / 1_000_000, first, sessions[trough], recovery


def both_counted(first, last, dates=None):
    """The sessions, or days of the calendar, from one to another; 0 without a first, undefined without a last."""
    if first is None:
        return 0
    if last is None:
        return NAN
    return last - first + 1 if dates is None else dates[last] - dates[first] + 1


def break_even_rate(win, loss):
    """The share of wins at which a mean win and a mean loss come to nothing: p * win = (1 - p) * loss."""
    return ratio(loss, win + loss)


def sharpe_standard_error(days):
    """Lo (2002), independent days: the standard error of the Sharpe of a day, for a year of 252."""
    a_day = ratio(mean(days), sd(days))
    return math.sqrt((1 + a_day**2 / 2) / len(days)) * math.sqrt(252) if days else NAN


def wilson_interval(wins, n):
    """The 95% interval of a share (Wilson, 1927)."""
    if n == 0:
        return NAN, NAN
    z = 1.959963984540054
    share = wins / n
    centre = share + z**2 / (2 * n)
    half_width = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    scale = 1 + z**2 / n
    return (centre - half_width) / scale, (centre + half_width) / scale


def longest_streak(flags):
    """The most flags set in a row."""
    longest = 0
    length = 0
    for flag in flags:
        length = length + 1 if flag else 0
        longest = max(longest, length)
    return longest


def sharpe(days):
    """Mean over sample sd of the session dates' USD, for a year of 252."""
    return ratio(mean(days) * math.sqrt(252), sd(days))


def total(values):
    """The sum, added from the first to the last."""
    result = 0.0
    for value in values:
        result += value
    return result


def mean(values):
    """The mean; of nothing it is undefined."""
    return float(exact_mean(values)) if values else NAN


def sd(values):
    """The sample standard deviation (n - 1); of fewer than two values it is undefined."""
    return float(exact_sd(values)) if len(values) >= 2 else NAN


def ratio(top, bottom):
    """One over the other; over zero it is undefined."""
    return NAN if bottom == 0 else top / bottom
