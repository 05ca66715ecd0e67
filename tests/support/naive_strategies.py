"""The slow, obvious twins of the built-in strategies: plain lists, plain loops, exact fractions, the rules read aloud.

They share no code with the package, so that a test which finds both equal has proved something. `parts` are pairs
(start, stop) of print indices in which neither the contract nor the session date changes.
"""

from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

CHICAGO = ZoneInfo("America/Chicago")


def minutes_since_the_open(text) -> int:
    """How long after 17:00 a clock shows a time."""
    hour, minute = map(int, text.split(":"))
    minutes = 60 * hour + minute - 17 * 60
    return minutes if minutes >= 0 else minutes + 24 * 60


def ns_of(date, minutes) -> int:
    """The time UTC at which a clock in Chicago shows so many minutes after the 17:00 of the evening before."""
    wall = datetime(date.year, date.month, date.day, 17) - timedelta(days=1) + timedelta(minutes=minutes)
    return int(wall.replace(tzinfo=CHICAGO).timestamp()) * 10**9


def opening_range(ts, prices, parts, dates, range_start, range_minutes, breakout_ticks, until) -> list[int]:
    """+1 at the first print above the range of the day, -1 at the first below it; `dates` is one a print."""
    signals = [0] * len(prices)
    for start, stop in parts:
        begin = ns_of(dates[start], minutes_since_the_open(range_start))
        end = begin + range_minutes * 60 * 10**9
        last = ns_of(dates[start], minutes_since_the_open(until) or 24 * 60)

        in_range = [prices[i] for i in range(start, stop) if begin <= ts[i] < end]
        if not in_range:
            continue
        after = [i for i in range(start, stop) if end <= ts[i] < last]
        above = [i for i in after if prices[i] - max(in_range) >= breakout_ticks]
        below = [i for i in after if min(in_range) - prices[i] >= breakout_ticks]
        if above:
            signals[above[0]] = 1
        if below:
            signals[below[0]] = -1
    return signals


def vwap_reversion(prices, sizes, parts, bands, warmup) -> list[int]:
    """-1 where the price comes up to vwap + bands * sd, +1 where it comes down to vwap - bands * sd."""
    signals = [0] * len(prices)
    bands = Fraction(str(bands))
    for start, stop in parts:
        can_sell = can_buy = True
        for i in range(start, stop):
            seen = range(start, i + 1)
            volume = sum(sizes[p] for p in seen)
            if volume == 0:
                continue
            vwap = Fraction(sum(sizes[p] * prices[p] for p in seen), volume)
            variance = sum(sizes[p] * (prices[p] - vwap) ** 2 for p in seen) / volume
            if variance == 0:
                continue

            away = prices[i] - vwap
            if away <= 0:
                can_sell = True
            if away >= 0:
                can_buy = True
            at_a_band = away**2 >= bands**2 * variance
            if at_a_band and away > 0 and can_sell:
                can_sell = False
                signals[i] = -1 if i - start >= warmup else 0
            if at_a_band and away < 0 and can_buy:
                can_buy = False
                signals[i] = 1 if i - start >= warmup else 0
    return signals


def order_flow_imbalance(sizes, aggressors, segments, window, threshold) -> list[int]:
    """+1 where (bought - sold) / volume of the last prints comes up to the threshold, -1 where it comes down to -it."""
    signals = [0] * len(sizes)
    threshold = Fraction(str(threshold))
    for start, stop in segments:

        def imbalance(i):
            last = range(i - window + 1, i + 1)
            volume = sum(sizes[p] for p in last)
            signed = sum(sizes[p] * aggressors[p] for p in last)
            return Fraction(signed, volume) if volume else Fraction(0)

        for i in range(start + window, stop):
            if imbalance(i) >= threshold > imbalance(i - 1):
                signals[i] = 1
            if imbalance(i) <= -threshold < imbalance(i - 1):
                signals[i] = -1
    return signals


def momentum_burst(ts, prices, segments, burst_ticks, burst_ms) -> list[int]:
    """+1 where the price has come up so far within the time, -1 where it has come down so far."""
    signals = [0] * len(prices)
    for start, stop in segments:
        rose = fell = False
        for i in range(start, stop):
            near = [prices[p] for p in range(start, i + 1) if ts[i] - ts[p] <= burst_ms * 10**6]
            rise = prices[i] - min(near) >= burst_ticks
            fall = max(near) - prices[i] >= burst_ticks
            if rise and not rose and not fall:
                signals[i] = 1
            if fall and not fell and not rise:
                signals[i] = -1
            rose, fell = rise, fall
    return signals
