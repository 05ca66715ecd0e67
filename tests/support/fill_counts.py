"""What a run says of its fills, and the slow twins of its counts: loops over the prints.

Prices are ticks, times are ns after noon in Chicago, print by print. By default a print is an event of its own every
10 ns, the target is 4 and the stop 2 ticks from the entry's fill, and one tick of NQ is 5 USD.
"""

import math
from collections import Counter

import pytest

from scalpr_zen.sections.fills.models import BINS
from support.checks import fills_of, setup_of
from support.random_tapes import segments_of, session_dates
from support.tapes import signals_of, tape_of

COSTS = ("zero", "set", "pessimistic")
FIGURES = ("net_usd", "trades", "win_rate", "profit_factor", "break_even_cost_usd")
STOPPED = (2, 3, 4)
"""Reasons stop, break_even and trailing."""


def reported(prices, sides, ts=None, contract=None, aggressor=None, **parameters):
    """What `fills` says of a few prints with signals by print index."""
    tape = tape_of(prices, ts, contract, aggressor)
    return fills_of(tape, signals_of(tape, sides), setup_of(**parameters))


def row(said, target_fill="touch", stop_fill="trigger", costs="set"):
    """The figures of one row of the table."""
    wanted = (target_fill, stop_fill, costs)
    [found] = [r for r in said["table"] if (r["target_fill"], r["stop_fill"], r["costs"]) == wanted]
    return tuple(found[name] for name in FIGURES)


def lost(said):
    """(winning trades of the optimistic way, how many of them are lost to the conservative one) by the two."""
    return {(rule["optimistic"], rule["conservative"]): (rule["wins"], rule["lost"]) for rule in said["optimistic"]}


def same_events(said):
    """The counts of events, zeros left out."""
    return {name: n for name, n in said["same_event"].items() if n and name != "trades"}


def spread(said, name):
    """What a distribution holds: the number of trades at each cost in ticks."""
    cost = said["slippage"][name]
    return {tick: n for tick, n in zip(cost["ticks"], cost["counts"], strict=True) if n}


def same(one, other):
    """Whether two rows of figures are equal but for the last bits that an order of summing leaves."""
    assert one.keys() == other.keys()
    return all(
        (one[name] is other[name] is None) or math.isclose(one[name], other[name], rel_tol=1e-9, abs_tol=1e-9)
        for name in one
    )


def in_force(market, trade, k, setup):
    """The stop of a trade at print k, as a profit in ticks (rules 31 to 33), by looking at every print."""
    side, entry, j = trade["side"], trade["entry_ticks"], trade["entry"]
    latency = setup.execution.latency_ns
    best = 0
    for p in range(j + 1, k):
        if market.ts[p] < market.ts[k] and market.ts[p] + latency <= market.ts[k]:
            best = max(best, side * (market.prices[p] - entry))

    def ticks(points):
        return round(points / 0.25)

    bracket = setup.bracket
    stop_loss = bracket.stop_loss
    if side < 0 and bracket.stop_loss_short is not None:
        stop_loss = bracket.stop_loss_short
    levels = [-ticks(stop_loss)]
    if bracket.break_even_at is not None and best >= ticks(bracket.break_even_at):
        levels.append(bracket.break_even_plus)
    if bracket.trailing_stop is not None and best >= ticks(bracket.trail_activation):
        start = ticks(bracket.trail_activation)
        step = 1 if bracket.trailing_step is None else ticks(bracket.trailing_step)
        levels.append(start + step * ((best - start) // step) - ticks(bracket.trailing_stop))
    return max(levels)


def could_exit(market, trade, k, setup):
    """Rule 6."""
    return k > trade["entry"] and (setup.execution.entry == "signal" or market.ts[k] > market.ts[trade["entry"]])


def trigger(market, trade, setup):
    """The print that triggered the stop which ended a trade."""
    for k in range(trade["entry"] + 1, trade["exit"] + 1):
        profit = trade["side"] * (market.prices[k] - trade["entry_ticks"])
        if could_exit(market, trade, k, setup) and profit <= in_force(market, trade, k, setup):
            return k
    raise AssertionError(f"no print triggered {trade}")


def next_print(market, i, latency, dates=None):
    """The first print that an order sent at print i can fill at, in its segment and, if given, its session date."""
    [last] = [stop for start, stop in segments_of(market) if start <= i < stop]
    for m in range(i + 1, last):
        if dates and dates[m] != dates[i]:
            return None
        if market.ts[m] > market.ts[i] and market.ts[m] >= market.ts[i] + latency:
            return m
    return None


def rows_of(trades):
    names = ("side", "reason", "signal", "entry", "exit", "entry_ticks")
    return [dict(zip(names, row, strict=True)) for row in trades[list(names)].tolist()]


def naive_slippage(market, trades, setup):
    """Costs in ticks of entries, of stops at their trigger, and of stops at the next event."""
    entry, at_trigger, at_next = [], [], []
    latency, dates = setup.execution.latency_ns, session_dates(market.ts)
    for trade in rows_of(trades):
        side, i = trade["side"], trade["signal"]
        j = next_print(market, i, latency, dates)
        if j is not None:
            entry.append(side * (market.prices[j] - market.prices[i]))
        if trade["reason"] in STOPPED:
            k = trigger(market, trade, setup)
            level = trade["entry_ticks"] + side * in_force(market, trade, k, setup)
            at_trigger.append(side * (level - market.prices[k]))
            m = next_print(market, k, latency)
            if m is not None:
                at_next.append(side * (level - market.prices[m]))
    return {"entry": entry, "stop_trigger": at_trigger, "stop_next": at_next}


def assert_distributed(got, costs):
    """Compare a distribution with the costs of the trades, one by one."""
    assert got["trades"] == len(costs) == sum(got["counts"])
    if not costs:
        return
    costs = sorted(costs)
    n = len(costs)
    assert got["mean_ticks"] == pytest.approx(sum(costs) / n)
    assert got["worst_ticks"] == costs[-1]
    # The smallest cost that at least this share of the trades does not exceed.
    assert got["percentiles"] == {
        str(p): min(cost for cost in costs if 100 * sum(c <= cost for c in costs) >= p * n)
        for p in (5, 25, 50, 75, 95, 99)
    }
    ticks, counts = got["ticks"], got["counts"]
    assert ticks == list(range(ticks[0], ticks[-1] + 1))
    assert len(ticks) <= BINS
    clipped = Counter(min(max(cost, ticks[0]), ticks[-1]) for cost in costs)
    assert counts == [clipped[tick] for tick in ticks]
    assert ticks[0] <= costs[n // 2] <= ticks[-1]


def naive_same_event(market, trades, setup):
    """Trades whose events of entry and exit hold prints that meet target or stop, by looking at every print."""
    found = dict.fromkeys(("entry_target", "entry_stop", "target_first", "stop_first", "entry_exit"), 0)
    dates = segments_of(market)
    for trade in rows_of(trades):
        side, entry, j, m = trade["side"], trade["entry_ticks"], trade["entry"], trade["exit"]
        [prints] = [range(start, stop) for start, stop in dates if start <= j < stop]
        take_profit = setup.bracket.take_profit
        if side < 0 and setup.bracket.take_profit_short is not None:
            take_profit = setup.bracket.take_profit_short
        target = round(take_profit / 0.25) + (setup.execution.target_fill == "through")

        def profits(at, after=j, prints=prints, side=side, entry=entry):
            return [side * (market.prices[p] - entry) for p in prints if p > after and market.ts[p] == market.ts[at]]

        # At the entry's fill nothing is known yet, so that the stop is the one in force at the next print.
        stop = in_force(market, trade, j + 1, setup)
        found["entry_target"] += any(profit >= target for profit in profits(j))
        found["entry_stop"] += any(profit <= stop for profit in profits(j))
        found["entry_exit"] += market.ts[m] == market.ts[j]
        if trade["reason"] == 1 or trade["reason"] in STOPPED:
            k = m if trade["reason"] == 1 else trigger(market, trade, setup)
            stop = in_force(market, trade, k, setup)
            met = [profit >= target for profit in profits(k)], [profit <= stop for profit in profits(k)]
            if any(met[0]) and any(met[1]):
                found["target_first" if trade["reason"] == 1 else "stop_first"] += 1
    return {"trades": len(trades), **found}
