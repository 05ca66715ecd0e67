"""The slow, obvious twin of the fast kernels: plain lists, plain loops, the rules read aloud.

It shares no code with the package, so that a test which finds both equal has proved something. The numbers
in the comments are the rules of the execution document; the statistics follow the statistics document.
"""

import math
from datetime import datetime
from fractions import Fraction
from types import SimpleNamespace
from zoneinfo import ZoneInfo

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


CHICAGO = ZoneInfo("America/Chicago")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
COUNTS = (
    *("signals", "other_side", "outside", "ignored", "session_over", "in_cooldown"),
    *("unfilled", "void", "open", "closed"),
)
RULES = {
    # Entry and exit: distances in ticks, times in ns.
    "take_profit": None,
    "stop_loss": None,
    "take_profit_short": None,
    "stop_loss_short": None,
    "trailing_stop": None,
    "trail_activation": 0,
    "trailing_step": 1,
    "break_even_at": None,
    "break_even_plus": 0,
    "entry": "next",
    "latency_ns": 0,
    "slippage_ticks": 0,
    "target_fill": "touch",
    "stop_fill": "trigger",
    "queue_ahead": 0,
    "roll_exit": "void",
    "overlap": False,
    # When: pairs of wall times or "all", names of weekdays or "all", times in ns.
    "sides": "both",
    "reverse": False,
    "entry_windows": "all",
    "weekdays": "all",
    "no_entry_ns": None,
    "flat_ns": None,
    "hold_ns": None,
    "cooldown_ns": 0,
    "max_trades": None,
    # Money, in USD.
    "loss_limit": None,
    "profit_limit": None,
    "limit_basis": "realized",
    "tick_value": 5.0,
    "contracts": 1,
    "commission": 0.0,
}
"""Every rule of one simulation by its name, and what it is where it is not told."""


def simulate(
    ts, prices, signals, segments, session_of, *, sizes=None, aggressors=None, dates=None, closes=None, **given
) -> tuple[list[dict], dict]:
    """Trade the signals one after the other; return the trades and what became of every signal.

    `i` is the print of the signal, `j` of the entry's fill, `k` one that an exit looks at, `m` the one at
    which a market order fills, `last` the last of the segment, `E` the entry's fill. `session_of` gives the
    session of each print, `dates` and `closes` the date and the close of each session.
    """
    assert not set(given) - set(RULES)
    rules = SimpleNamespace(**(RULES | given))
    tape = SimpleNamespace(
        ts=ts,
        prices=prices,
        segments=segments,
        session_of=session_of,
        sizes=sizes or [1] * len(prices),
        aggressors=aggressors or [0] * len(prices),
        dates=dates,
        closes=closes,
    )
    trades = []
    counts = dict.fromkeys(COUNTS, 0)

    for i, signal in enumerate(signals):
        if signal == 0:
            continue
        counts["signals"] += 1
        side = -signal if rules.reverse else signal  # rule 19

        refusal = refused(tape, rules, i, side, trades)
        if refusal is not None:
            counts[refusal] += 1
            continue

        # Rule 3: a signal without a fill is counted, and blocks nothing.
        j = entry_print(tape, rules, i)
        if j is None:
            counts["unfilled"] += 1
            continue

        trade = traded(tape, rules, i, j, side, trades)
        trades.append(trade)
        counts[trade["reason"] if trade["reason"] in ("void", "open") else "closed"] += 1

    for trade in trades:
        del trade["breached"]
    # Rule 10: trades that overlap are listed as they ended.
    if rules.overlap:
        trades.sort(key=lambda trade: (trade["exit"], trade["signal"]))
    return trades, counts


def traded(tape, rules, i, j, side, trades) -> dict:
    """The trade of the signal `i` that was filled at `j`, the trades before it being known."""
    # Rule 4: the entry pays slippage.
    entry_ticks = tape.prices[j] + side * rules.slippage_ticks
    exit_print, exit_ticks, reason, breached = exit_fill(tape, rules, side, j, entry_ticks, trades)

    # Rule 14: from the entry's fill, over the prints after it up to and including the exit.
    excursions = [side * (tape.prices[p] - entry_ticks) for p in range(j + 1, exit_print + 1)]
    return {
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
        "breached": breached,
    }


def last_print_of_segment(tape, i):
    """The last print of the segment in which print `i` lies."""
    for start, stop in tape.segments:
        if start <= i < stop:
            return stop - 1
    raise AssertionError(f"print {i} lies in no segment")


# ------------------------------------------------------------------------------------ which signals are traded


def refused(tape, rules, i, side, trades):
    """What the signal is counted under if a rule refuses it: the first that applies; else None."""
    if (rules.sides, side) in (("long", -1), ("short", 1)):
        return "other_side"  # rule 18
    if not in_a_window(tape, rules, i) or not on_a_weekday(tape, rules, i) or not before_the_close(tape, rules, i):
        return "outside"
    # Rule 10: one position at a time; the next signal taken lies after the exit's print.
    if trades and i <= trades[-1]["exit"] and not rules.overlap:
        return "ignored"
    if session_is_over(tape, rules, tape.session_of[i], trades):
        return "session_over"
    if trades and not rules.overlap:
        # Rule 24: a cooldown ends with its session. A void trade's exit's print is the one by which rule 10 blocks.
        m = trades[-1]["exit"]
        if tape.session_of[m] == tape.session_of[i] and not tape.ts[i] >= tape.ts[m] + rules.cooldown_ns:
            return "in_cooldown"
    return None


def in_a_window(tape, rules, i):
    """Rule 20: the wall time in Chicago lies in a window; one that stops before it starts crosses midnight."""
    if rules.entry_windows == "all":
        return True
    wall = datetime.fromtimestamp(tape.ts[i] // 10**9, CHICAGO).strftime("%H:%M")
    for start, stop in rules.entry_windows:
        if start < stop and start <= wall < stop:
            return True
        if start > stop and (wall >= start or wall < stop):
            return True
    return False


def on_a_weekday(tape, rules, i):
    """Rule 21: the weekday of the session date is listed."""
    return rules.weekdays == "all" or WEEKDAYS[tape.dates[tape.session_of[i]].weekday()] in rules.weekdays


def before_the_close(tape, rules, i):
    """Rule 22: neither too near to the close nor where positions are closed already."""
    for before in (rules.no_entry_ns, rules.flat_ns):
        if before is not None and not tape.ts[i] < tape.closes[tape.session_of[i]] - before:
            return False
    return True


def session_is_over(tape, rules, session, trades):
    """Rules 25 to 27: whether a session date takes no signal after these trades."""
    entered = [trade for trade in trades if tape.session_of[trade["entry"]] == session]
    if rules.max_trades is not None and not len(entered) < rules.max_trades:
        return True
    # Rule 26: it is over once the sum was beyond a limit at any exit, whatever followed.
    money = 0
    for net in closed_in(tape, rules, session, trades):
        money += net
        if limits_met(rules, money):
            return True
    # Rule 27: or once the open trade took it there.
    return any(session in trade["breached"] for trade in trades)


def closed_in(tape, rules, session, trades):
    """The net micro-dollars of the trades closed in a session date, in order of their exit."""
    return [
        net_micro_usd(rules, trade["gross_ticks"])
        for trade in trades
        if tape.session_of[trade["exit"]] == session and trade["reason"] not in ("void", "open")
    ]


def net_micro_usd(rules, gross_ticks):
    """Rule 26: a session's money is whole micro-dollars; each amount in USD is the nearest of them."""
    tick = round(rules.tick_value * rules.contracts * 1_000_000)
    return gross_ticks * tick - round(2 * rules.commission * rules.contracts * 1_000_000)


def limits_met(rules, money):
    """Rules 26 and 27: the limits that a sum of micro-dollars has met."""
    met = []
    if rules.loss_limit is not None and money <= -round(rules.loss_limit * 1_000_000):
        met.append("loss_limit")
    if rules.profit_limit is not None and money >= round(rules.profit_limit * 1_000_000):
        met.append("profit_limit")
    return met


# --------------------------------------------------------------------------------------------- entry and exit


def entry_print(tape, rules, i):
    """The print at which the order of signal `i` fills, or None."""
    # Rule 5: the optimistic entry fills at the signal's own print.
    if rules.entry == "signal":
        return i
    # Rule 3: the first print of a later event, once the order has arrived; same segment, same session.
    ts, session_of = tape.ts, tape.session_of
    for j in range(i + 1, last_print_of_segment(tape, i) + 1):
        if ts[j] > ts[i] and ts[j] >= ts[i] + rules.latency_ns and session_of[j] == session_of[i]:
            return j
    return None


def exit_fill(tape, rules, side, j, E, trades):
    """The print of the exit, its price, its reason, and the sessions in which a limit was met before it."""
    ts, prices, last = tape.ts, tape.prices, last_print_of_segment(tape, j)
    orders = timed_orders(tape, rules, j)
    stopped = False  # whether a stop was triggered
    breached = set()

    for k in range(j + 1, last + 1):
        # Rule 28: a market order that has reached the exchange comes before the bracket.
        order = order_that_fills(tape, orders, k)
        if order is not None:
            return k, prices[k] - side * rules.slippage_ticks, order["reason"], breached

        # Rule 6: nothing exits inside the entry's own event, except for the optimistic entry.
        if ts[k] == ts[j] and rules.entry == "next":
            continue

        # Rules 8 and 28: once a stop is triggered its market order alone closes the trade.
        if not stopped:
            # Rule 9: the target rests since the entry, and is there before any stop that was moved.
            if target_fills(tape, rules, side, j, E, k):
                return k, target_of(rules, side, E), "target", breached
            stop, reason = stop_in_force(tape, rules, side, j, E, k)
            if side * (stop - prices[k]) >= 0:
                if rules.stop_fill == "trigger":
                    return k, prices[k] - side * rules.slippage_ticks, reason, breached
                if rules.stop_fill == "level":
                    return k, stop - side * rules.slippage_ticks, reason, breached
                orders = [market_order(reason, ts[k] + rules.latency_ns, ts[k])]
                stopped = True

        # Rule 27: the trade is still open, and counts as if it were closed here, whatever order is under way.
        for limit in limits_met_by_open_trade(tape, rules, side, E, k, trades):
            breached.add(tape.session_of[k])
            if not stopped:
                orders.append(market_order(limit, ts[k] + rules.latency_ns, ts[k]))

    return (*at_the_last_print(tape, rules, side, j, last), breached)


def at_the_last_print(tape, rules, side, j, last):
    """Rules 11, 12 and 36: print, price and reason of a trade that is still open at the end of its segment."""
    if last == len(tape.prices) - 1:
        return last, tape.prices[last], "open"
    if rules.roll_exit == "close" and tape.ts[last] > tape.ts[j]:
        return last, tape.prices[last] - side * rules.slippage_ticks, "roll"
    # It is only marked there; nothing was sold, so there is no slippage.
    return last, tape.prices[last], "void"


def market_order(reason, arrives, after):
    """A market order that fills at the first print later than `after` once it has arrived."""
    return {"reason": reason, "arrives": arrives, "after": after}


def timed_orders(tape, rules, j):
    """Rule 23: the market orders of which one knows at the entry when they will be sent."""
    orders = []
    if rules.flat_ns is not None:
        T = tape.closes[tape.session_of[j]] - rules.flat_ns
        orders.append(market_order("close", T + rules.latency_ns, tape.ts[j]))
    if rules.hold_ns is not None:
        T = tape.ts[j] + rules.hold_ns
        orders.append(market_order("hold", T + rules.latency_ns, tape.ts[j]))
    return orders


def order_that_fills(tape, orders, k):
    """Rule 28: of the orders that print `k` can fill the one that arrived first, or None."""
    # The orders of the limits stand in the order in which these were met, and the first of equals is taken.
    rank = ["close", "hold"]
    arrived = [order for order in orders if tape.ts[k] > order["after"] and tape.ts[k] >= order["arrives"]]
    return min(
        arrived, key=lambda order: (order["arrives"], [*rank, order["reason"]].index(order["reason"])), default=None
    )


def target_of(rules, side, E):
    """Rules 6 and 30: the price of the take profit."""
    if side < 0 and rules.take_profit_short is not None:
        return E + side * rules.take_profit_short
    return E + side * rules.take_profit


def target_fills(tape, rules, side, j, E, k):
    """Rules 7 and 35: whether print `k` fills the take profit."""
    target = target_of(rules, side, E)
    beyond = side * (tape.prices[k] - target)
    if beyond != 0:
        return beyond > 0
    if rules.target_fill != "queue":
        return rules.target_fill == "touch"
    # Rule 35: what the prints at the target have taken out of the queue so far, this one with them.
    consumed = Fraction(0)
    for p in range(j + 1, k + 1):
        if tape.prices[p] != target or (tape.ts[p] == tape.ts[j] and rules.entry == "next"):
            continue
        if tape.aggressors[p] == side:
            consumed += tape.sizes[p]
        elif tape.aggressors[p] == 0:
            consumed += Fraction(tape.sizes[p], 2)
    return consumed >= rules.queue_ahead + rules.contracts


def stop_in_force(tape, rules, side, j, E, k):
    """Rules 31 to 34: the price of the stop at print `k` and the reason of an exit by it."""
    # Rule 33: the prints of which a moved stop can know.
    known = [p for p in range(j + 1, k) if tape.ts[p] < tape.ts[k] and tape.ts[p] + rules.latency_ns <= tape.ts[k]]
    best = max([0] + [side * (tape.prices[p] - E) for p in known])

    # The stops by their profit in ticks; the best is the largest, of equal ones the first.
    short = side < 0 and rules.stop_loss_short is not None
    stops = [(-(rules.stop_loss_short if short else rules.stop_loss), "stop")]
    if rules.break_even_at is not None and best >= rules.break_even_at:  # rule 32
        stops.append((rules.break_even_plus, "break_even"))
    if rules.trailing_stop is not None and best >= rules.trail_activation:  # rule 31
        F, step, D = rules.trail_activation, rules.trailing_step, rules.trailing_stop
        stops.append((F + step * math.floor(Fraction(best - F, step)) - D, "trailing"))

    profit, reason = max(stops, key=lambda stop: stop[0])
    return E + side * profit, reason


def limits_met_by_open_trade(tape, rules, side, E, k, trades):
    """Rule 27: the limits that are met if the open trade is counted as closed at print `k`, without slippage."""
    if rules.limit_basis != "equity":
        return []
    closed = sum(closed_in(tape, rules, tape.session_of[k], trades))
    return limits_met(rules, closed + net_micro_usd(rules, side * (tape.prices[k] - E)))


def net_usd(gross_ticks, tick_value, contracts, commission) -> float:
    """Rule 13: commission is in USD per contract and side, and a trade has two sides."""
    return float(gross_ticks * tick_value * contracts - 2 * commission * contracts)
