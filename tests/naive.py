"""The slow, obvious twin of the fast kernels: plain lists, plain loops, the rules read aloud.

It shares no code with the package, so that a test which finds both equal has proved something. The numbers
in the comments are the rules of the execution document; the statistics follow the statistics document.
"""

import math
from statistics import mean as exact_mean
from statistics import stdev as exact_sd

NAN = float("nan")

# ------------------------------------------------------------------------------------------------ signals


def crossover_signals(prices, segments, fast_period, slow_period) -> list[int]:
    """+1 where the fast EMA crosses above the slow one, -1 where it crosses below, else 0."""
    signals = [0] * len(prices)
    fast_alpha = 2 / (fast_period + 1)  # rule 2
    slow_alpha = 2 / (slow_period + 1)

    for start, stop in segments:
        # Rule 1: the indicators restart at each segment.
        # Rule 2: seeded with the segment's first price. Measured as the distance from that price the seed
        # is 0.0, and whole ticks added to all prices change no bit of what follows (rule 17).
        first_price = prices[start]
        fast = 0.0
        slow = 0.0

        for p in range(1, stop - start):
            fast_before = fast
            slow_before = slow
            x = prices[start + p] - first_price
            fast = fast + fast_alpha * (x - fast)
            slow = slow + slow_alpha * (x - slow)

            # Rule 2: no signal in the first `slow` prints of a segment.
            if p < slow_period:
                continue

            # Rule 2: from at or below to above is long, from at or above to below is short.
            if fast_before <= slow_before and fast > slow:
                signals[start + p] = 1
            elif fast_before >= slow_before and fast < slow:
                signals[start + p] = -1

    return signals


# ----------------------------------------------------------------------------------------------- simulator


def simulate(
    ts,
    prices,
    signals,
    segments,
    session_of,
    *,
    take_profit,
    stop_loss,
    entry="next",
    latency_ns=0,
    slippage_ticks=0,
    target_fill="touch",
    stop_fill="trigger",
    overlap=False,
) -> tuple[list[dict], dict]:
    """Trade the signals one after the other; return the trades and what became of every signal.

    `i` is the print of the signal, `j` of the entry's fill, `k` the one that meets an exit, `m` the one at
    which a delayed stop fills, `last` the last of the segment.
    """
    assert entry in ("next", "signal")
    assert target_fill in ("touch", "through")
    assert stop_fill in ("trigger", "level", "next")
    assert take_profit > 0
    assert stop_loss > 0

    def last_print_of_segment(i):
        for start, stop in segments:
            if start <= i < stop:
                return stop - 1
        raise AssertionError(f"print {i} lies in no segment")

    def entry_print(i, last):
        # Rule 5: the optimistic entry fills at the signal's own print.
        if entry == "signal":
            return i
        # Rule 3: the first print of a later event, once the order has arrived; same segment, same session.
        for j in range(i + 1, last + 1):
            if ts[j] > ts[i] and ts[j] >= ts[i] + latency_ns and session_of[j] == session_of[i]:
                return j
        return None

    def exit_fill(side, j, entry_ticks, last):
        """The print of the exit, its price and its reason."""
        # Rules 11 and 12: what is still open at the last print is void at a roll, open at the tape's end.
        # It is marked at that print; nothing was sold, so there is no slippage.
        tape_ends_here = last == len(prices) - 1
        never = (last, prices[last], "open" if tape_ends_here else "void")

        # Rule 6: the bracket hangs on the entry's fill.
        target = entry_ticks + side * take_profit
        stop = entry_ticks - side * stop_loss

        # Rule 9: the first print to meet either one decides.
        for k in range(j + 1, last + 1):
            # Rule 6: nothing exits inside the entry's own event, except for the optimistic entry.
            if ts[k] == ts[j] and entry == "next":
                continue

            # Rule 7: a resting limit. It fills at its own price, never better, never with slippage.
            beyond_target = side * (prices[k] - target)
            if beyond_target > 0 or (beyond_target == 0 and target_fill == "touch"):
                return k, target, "target"

            # Rule 8: a stop held at the exchange, triggered at or beyond its price.
            beyond_stop = side * (stop - prices[k])
            if beyond_stop >= 0:
                if stop_fill == "trigger":
                    return k, prices[k] - side * slippage_ticks, "stop"
                if stop_fill == "level":
                    return k, stop - side * slippage_ticks, "stop"
                # stop_fill="next": a market order is now on its way and the target is gone.
                for m in range(k + 1, last + 1):
                    if ts[m] > ts[k] and ts[m] >= ts[k] + latency_ns:
                        return m, prices[m] - side * slippage_ticks, "stop"
                return never

        return never

    trades = []
    counts = {"signals": 0, "unfilled": 0, "ignored": 0, "void": 0, "open": 0, "closed": 0}
    busy_until = -1  # the exit's print of the trade before

    for i in range(len(signals)):
        side = signals[i]
        if side == 0:
            continue
        counts["signals"] += 1

        # Rule 10: one position at a time; the next signal taken lies after the exit's print.
        if i <= busy_until and not overlap:
            counts["ignored"] += 1
            continue

        # Rule 3: a signal without a fill is counted, and blocks nothing.
        last = last_print_of_segment(i)
        j = entry_print(i, last)
        if j is None:
            counts["unfilled"] += 1
            continue

        # Rule 4: the entry pays slippage.
        entry_ticks = prices[j] + side * slippage_ticks

        # Rules 6 to 9, 11 and 12. A void trade blocks too: its exit's print is the last of the segment.
        exit_print, exit_ticks, reason = exit_fill(side, j, entry_ticks, last)
        busy_until = exit_print
        if reason in ("void", "open"):
            counts[reason] += 1
        else:
            counts["closed"] += 1

        # Rule 14: from the entry's fill, over the prints after it up to and including the exit.
        excursions = [side * (prices[p] - entry_ticks) for p in range(j + 1, exit_print + 1)]

        trades.append(
            {
                "side": side,
                "signal": i,
                "entry": j,
                "exit": exit_print,
                "entry_ticks": entry_ticks,
                "exit_ticks": exit_ticks,
                "gross_ticks": side * (exit_ticks - entry_ticks),  # rule 13
                "mae_ticks": min(excursions, default=0),
                "mfe_ticks": max(excursions, default=0),
                "reason": reason,
            }
        )

    # Rule 10: trades that overlap are listed as they ended.
    if overlap:
        trades.sort(key=lambda trade: (trade["exit"], trade["signal"]))
    return trades, counts


def net_usd(gross_ticks, tick_value, contracts, commission) -> float:
    """Rule 13: commission is in USD a contract and side, and a trade has two sides."""
    return float(gross_ticks * tick_value * contracts - 2 * commission * contracts)


# ---------------------------------------------------------------------------------------------- statistics


def statistics(net, session_of_trade, n_sessions) -> dict:
    """What the closed trades amount to; NaN for what is undefined."""
    n = len(net)
    wins = [x for x in net if x > 0]
    losses = [x for x in net if x < 0]
    scratches = [x for x in net if x == 0]

    # Every session date counts, those where nothing closed with zero.
    days = [0.0] * n_sessions
    for x, session in zip(net, session_of_trade, strict=True):
        days[session] += x
    profitable_days = [d for d in days if d > 0]
    downside = math.sqrt(mean([min(d, 0.0) ** 2 for d in days])) if days else NAN

    win_rate_low, win_rate_high = wilson_interval(len(wins), n)
    max_drawdown, max_drawdown_sessions = deepest_fall(net, session_of_trade)

    return {
        "trades": n,
        "wins": len(wins),
        "losses": len(losses),
        "scratches": len(scratches),
        "win_rate": ratio(len(wins), n),
        "win_rate_low": win_rate_low,
        "win_rate_high": win_rate_high,
        "profit_factor": ratio(total(wins), abs(total(losses))),
        "expectancy_usd": mean(net),
        "t_statistic": ratio(mean(net) * math.sqrt(n), sd(net)),
        "t_statistic_by_day": ratio(mean(days) * math.sqrt(n_sessions), sd(days)),
        "sqn": ratio(mean(net) * math.sqrt(min(n, 100)), sd(net)),
        "days_profitable": ratio(len(profitable_days), n_sessions),
        "sharpe": sharpe(days),
        "sortino": ratio(mean(days) * math.sqrt(252), downside),
        "max_drawdown_usd": max_drawdown,
        "max_drawdown_sessions": max_drawdown_sessions,
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
    fall, _ = deepest_fall(values, [0] * len(values))
    return fall


# ------------------------------------------------------------------------------- the parts of the statistics


def deepest_fall(values, sessions):
    """The largest fall of the running sum from its running peak, and the session dates it touches."""
    equity = 0.0
    peak, peak_session = 0.0, 0  # the starting 0 is a peak on session 0
    deepest, touched = 0.0, 0

    for value, session in zip(values, sessions, strict=True):
        equity += value
        # A fall starts at the latest of equal peaks; the first of equal falls stays.
        if equity >= peak:
            peak, peak_session = equity, session
        if peak - equity > deepest:
            deepest, touched = peak - equity, session - peak_session + 1

    return deepest, touched


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
