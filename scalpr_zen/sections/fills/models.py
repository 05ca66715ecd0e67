"""How far a result depends on its fills: the same run under every fill model, and what the prints show.

All of it is counted from the prints of the run. These show no queues: a real fill lies between `through`, which a
limit order certainly gets, and `touch`, which it may get, and no trade file can say where.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from scalpr_zen.base.arrays import Array
from scalpr_zen.base.compiled import njit, without_counts
from scalpr_zen.base.engine import run_all
from scalpr_zen.data.tape import Tape
from scalpr_zen.sections.measures import NAN, by_trade, net, whole
from scalpr_zen.sections.setup import Setup
from scalpr_zen.simulation.execution import STOP_FILLS, TARGET_FILLS, Execution
from scalpr_zen.simulation.kernel import FAR, STOPS, TARGET, VOID
from scalpr_zen.simulation.passages import Passages, passages
from scalpr_zen.simulation.results import results, worth_a_table
from scalpr_zen.simulation.simulate import Orders, Simulation, net_usd, same_trades

Model = tuple[str, str, str]

COSTS = ("zero", "set", "pessimistic")
OPTIMISTIC = (
    ("target_fill", "touch", "through"),
    ("target_fill", "touch", "queue"),
    ("stop_fill", "level", "trigger"),
    ("stop_fill", "level", "next"),
    ("target_fill", "queue", "through"),
    ("stop_fill", "trigger", "next"),
)
"""Rule, optimistic fill, conservative fill."""
PERCENTILES = (5, 25, 50, 75, 95, 99)
BINS = 41
"""Most bins of a histogram of slippage."""
_SAME_EVENT = ("entry_target", "entry_stop", "target_first", "stop_first", "entry_exit")


def fills(tape: Tape, wanted: Orders, simulation: Simulation, setup: Setup) -> dict[str, Any]:
    """Return how the run depends on its fills.

    Parameters
    ----------
    tape, wanted, setup
        What the run was made from.
    simulation : Simulation
        What it gave.

    Returns
    -------
    dict
        As SECTION.fields describes it.
    """
    models = _models(setup)
    made, table = _under(tape, wanted, setup, models)
    works = [  # the longest first, for the cores to end together
        partial(_same_event, tape, simulation, setup),
        partial(_entry_slippage, tape, simulation, setup.execution),
        partial(_stop_slippage, tape, simulation, setup.execution),
        *(partial(_optimistic, rule, made, tape, wanted, setup, table) for rule in OPTIMISTIC),
        *(partial(_row, model, models[model], made[model], tape, setup) for model in models),
    ]
    same_event, entry, stops, *rows = run_all(lambda work: work(), works)
    return {
        "table": rows[len(OPTIMISTIC) :],
        "entry_next": _entered_next(tape, wanted, setup),
        "optimistic": rows[: len(OPTIMISTIC)],
        "slippage": {"entry": entry, **stops},
        "same_event": same_event,
    }


# The same run under every model -----------------------------------------------------------------------


def _models(setup: Setup) -> dict[Model, Execution]:
    """Return the execution of each target fill, stop fill and set of costs."""
    costs = {
        "zero": replace(setup.execution, commission=0.0, slippage_ticks=0),
        "set": setup.execution,
        "pessimistic": setup.pessimistic.of(setup.execution),
    }
    return {
        (target, stop, name): replace(costs[name], target_fill=target, stop_fill=stop)
        for target, stop, name in product(TARGET_FILLS, STOP_FILLS, COSTS)
    }


def _under(
    tape: Tape, wanted: Orders, setup: Setup, models: Mapping[Model, Execution]
) -> tuple[dict[Model, Array], Passages | None]:
    """Return the results of every model, and the first passages from which they were read, if they were.

    Neither commission nor the price at which a stop fills changes what is traded, unless a limit in USD looks at them:
    stops at their level are then those at their trigger, for `_gross` to price.
    """
    runs = {model: same_trades(execution, setup.rules) for model, execution in models.items()}
    if not setup.rules.limits_money:
        alike = {"level": "trigger"}
        runs = {m: replace(e, stop_fill=alike.get(e.stop_fill, e.stop_fill)) for m, e in runs.items()}
    executions = list(dict.fromkeys(runs.values()))
    variants = [(setup.bracket, execution) for execution in executions]
    worth = worth_a_table(tape, wanted, variants, setup.rules)
    table = passages(tape, wanted, variants, setup.rules) if worth else None
    found = dict(zip(executions, results(tape, wanted, variants, setup.rules, table), strict=True))
    return {model: found[run] for model, run in runs.items()}, table


def _entered_next(tape: Tape, wanted: Orders, setup: Setup) -> list[dict[str, Any]]:
    """Return the rows of the set costs with entries at the next event, where the run's own look into theirs."""
    if setup.execution.entry == "next":
        return []
    models = {m: replace(execution, entry="next") for m, execution in _models(setup).items() if m[2] == "set"}
    made, _ = _under(tape, wanted, setup, models)
    return [_row(model, models[model], made[model], tape, setup) for model in models]


def _gross(made: Array, execution: Execution) -> Array:
    """Return the gross ticks of results, with stops at their level where they fill there."""
    ticks = made["gross_ticks"]
    if execution.stop_fill != "level":
        return np.asarray(ticks)
    by_stop = (made["reason"] >= min(STOPS)) & (made["reason"] <= max(STOPS))
    return np.where(by_stop, made["stop_ticks"] - execution.slippage_ticks, ticks)


def _earned(made: Array, execution: Execution, tape: Tape) -> Array:
    """Return the net USD of results, 0 for what did not close."""
    return np.where(made["reason"] < VOID, whole(net_usd(_gross(made, execution), tape, execution)), 0.0)


def _row(model: Model, execution: Execution, made: Array, tape: Tape, setup: Setup) -> dict[str, Any]:
    closed = made["reason"] < VOID
    ticks, count = _counted(_gross(made, execution)[closed])
    x, n = whole(net_usd(ticks, tape, execution)), int(count.sum())
    slipped = execution.slippage_ticks * (2 * n - np.count_nonzero(made["reason"] == TARGET))
    free_ticks = int((ticks * count).sum()) + slipped
    tick_usd = execution.tick_value(tape.instrument) * execution.contracts
    rates = by_trade(x, count) if n else {"win_rate": NAN, "profit_factor": NAN}
    target, stop, costs = model
    return {
        "target_fill": target,
        "stop_fill": stop,
        "costs": costs,
        "commission": execution.commission,
        "slippage_ticks": execution.slippage_ticks,
        "this_run": execution == setup.execution and costs == "set",
        "net_usd": net(x, count),
        "trades": n,
        "win_rate": rates["win_rate"],
        "profit_factor": rates["profit_factor"],
        "break_even_cost_usd": float(free_ticks * tick_usd / n) if n else NAN,
    }


def _counted(ticks: Array) -> tuple[Array, Array]:
    """Return the distinct results in ticks and how often each occurs: a few hundred, fast to add up."""
    if not len(ticks):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    low = int(ticks.min())
    count = np.bincount(ticks - low)
    used = np.flatnonzero(count)
    return used + low, count[used]


def _optimistic(
    rule: tuple[str, str, str],
    made: Mapping[Model, Array],
    tape: Tape,
    wanted: Orders,
    setup: Setup,
    table: Passages | None,
) -> dict[str, Any]:
    """Count the winners of an optimistic fill, and those that do not win under the conservative one, traded alone.

    A trade on its own has no session limit: one that an equity limit closed as a win may lose under both fills, and is
    then not counted against the rule. Unless a limit looks at open trades, a trade of a run ends as it does on its own,
    so only the signals that the conservative run did not take are repeated.
    """

    def earned(at: Array, way: Execution) -> Array:
        run = made[way.target_fill, way.stop_fill, "set"]
        if equity:
            run = run[:0]
        place = np.searchsorted(run["signal"], at)
        taken = run["signal"].take(place, mode="clip") == at if len(run) else np.zeros(len(at), np.bool_)
        others = np.searchsorted(wanted.at, at[~taken])
        orders = Orders(wanted.at[others], wanted.side[others], {})
        usd = np.empty(len(at))
        usd[taken] = _earned(run[place[taken]], way, tape)
        usd[~taken] = _earned(alone(tape, orders, way, setup, table.take(others) if table else None), way, tape)
        return usd

    name, optimistic, conservative = rule
    equity = setup.rules.limit_basis == "equity"
    way, other = (replace(setup.execution, **{name: fill}) for fill in (optimistic, conservative))  # type: ignore[arg-type]
    run = made[way.target_fill, way.stop_fill, "set"]
    usd = _earned(run, way, tape)
    at, usd = run["signal"][usd > 0], usd[usd > 0]
    if equity:
        usd = earned(at, way)
    less = earned(at, other)
    wins, lost = len(at), int(((usd > 0) & (less <= 0)).sum())
    return {
        "rule": name,
        "optimistic": optimistic,
        "conservative": conservative,
        "wins": wins,
        "lost": lost,
        "share": lost / wins if wins else NAN,
        "less_usd": net(usd - less),
    }


def alone(tape: Tape, wanted: Orders, execution: Execution, setup: Setup, table: Passages | None = None) -> Array:
    """Return the results of orders, each traded alone; what depends on the trades before it is off.

    Parameters
    ----------
    tape, setup
        As in `fills`.
    wanted : Orders
        Orders that fill; not necessarily in order inside a session.
    execution : Execution
    table : Passages, optional
        Of these orders.
    """
    variant = setup.bracket, replace(execution, overlap=True)
    [made] = results(tape, wanted, [variant], setup.rules.alone(), table)
    return made


# What the data say ------------------------------------------------------------------------------------


def _entry_slippage(tape: Tape, simulation: Simulation, execution: Execution) -> dict[str, Any]:
    """Return what entries cost in ticks against the price of their signal, without the slippage that is set."""
    signal, side = simulation.trades["signal"], simulation.trades["side"].astype(np.int64)
    ends = np.union1d(tape.sessions["stop"], tape.segments["stop"])
    filled, at = _next_prints(tape, signal, execution.latency_ns, ends)
    return _measured(tape, at, side, tape.price[signal], filled)


def _stop_slippage(tape: Tape, simulation: Simulation, execution: Execution) -> dict[str, Any]:
    """Return what stops cost in ticks against their price, at the print that triggers them and at the next one."""
    trades, triggers = simulation.trades, simulation.triggers
    stopped = triggers["print"] >= 0
    side, trigger = trades["side"][stopped].astype(np.int64), triggers["print"][stopped]
    level = triggers["level_ticks"][stopped]
    filled, at = _next_prints(tape, trigger, execution.latency_ns, tape.segments["stop"])
    return {
        "stop_trigger": _measured(tape, trigger, -side, level, np.ones_like(filled)),
        "stop_next": _measured(tape, at, -side, level, filled),
    }


def _measured(tape: Tape, prints: Array, order: Array, trigger: Array, filled: Array) -> dict[str, Any]:
    """Return the distribution of what orders cost against their trigger, and the share at prints of the other side.

    A buy order at the print of a seller has the price of the bid; the offer, which it would have paid, was higher.
    """
    ticks = (order * (tape.price[prints] - trigger))[filled]
    return {**_distribution(ticks), "inside_share": inside_share(tape, prints[filled], order[filled])}


def inside_share(tape: Tape, prints: Array, order: Array | int) -> float:
    """Return the share of orders (+1 buy, -1 sell) at prints of the other side, of those whose aggressor is known."""
    aggressor = tape.aggressor[prints]
    known = np.count_nonzero(aggressor)
    return int(np.count_nonzero(aggressor == -order)) / int(known) if known else NAN


def _next_prints(tape: Tape, prints: Array, latency: int, stops: Array) -> tuple[Array, Array]:
    """Return whether an order sent at each print fills before the next of `stops`, and where (rule 3)."""
    last = stops[np.searchsorted(stops, prints, side="right")] if len(prints) else prints
    at = np.empty(len(prints), np.int64)
    _next_print_kernel(tape.ts, np.ascontiguousarray(prints), latency, last, at)
    return at < last, np.minimum(at, max(len(tape) - 1, 0))


@njit(cache=True, nogil=True, **without_counts)
def _next_print_kernel(ts, prints, latency, last, at):  # type: ignore[no-untyped-def]
    """Find the first print that an order sent at each print can meet.

    Reads    ts (n,); prints and last (m,), the print at which the search ends
    Writes   at (m,), `last` where there is none
    Oracle   tests/support/fill_counts.py, next_print
    """
    for k in range(len(prints)):
        i = prints[k]
        due = max(ts[i] + 1, ts[i] + latency)
        while i < last[k] and ts[i] < due:
            i += 1
        at[k] = i


def _distribution(ticks: Array) -> dict[str, Any]:
    """Return mean, percentiles and histogram of a cost in ticks; the outermost bins hold all beyond."""
    if not len(ticks):
        nothing = dict.fromkeys(map(str, PERCENTILES), NAN)
        return {"trades": 0, "mean_ticks": NAN, "worst_ticks": NAN, "percentiles": nothing, "ticks": [], "counts": []}
    ranks = np.percentile(ticks, PERCENTILES, method="inverted_cdf").tolist()
    middle, half = int(np.median(ticks)), BINS // 2
    low, high = max(int(ticks.min()), middle - half), min(int(ticks.max()), middle + half)
    counts = np.bincount(np.clip(ticks, low, high) - low, minlength=high - low + 1)
    return {
        "trades": len(ticks),
        "mean_ticks": float(ticks.mean()),
        "worst_ticks": int(ticks.max()),
        "percentiles": {str(p): int(tick) for p, tick in zip(PERCENTILES, ranks, strict=True)},
        "ticks": list(range(low, high + 1)),
        "counts": counts.tolist(),
    }


def _same_event(tape: Tape, simulation: Simulation, setup: Setup) -> dict[str, int]:
    """Count the trades whose event of entry or exit holds prints that meet the target or the stop as well.

    `entry_target`, `entry_stop`: later prints of the entry's event meet them; rule 6 waits for a later event.
    `target_first`, `stop_first`: the event of the exit holds prints that meet both; rule 9 takes the first.
    `entry_exit`: entry and exit lie in one event, which only entry="signal" allows.
    """
    trades, beyond = simulation.trades, int(setup.execution.target_fill == "through")
    moves = setup.bracket.moves(tape.instrument)
    trailing = FAR if moves["trail_activation"] else moves.get("trailing_stop", FAR)  # rule 31: in force from the entry
    distances = [setup.bracket.distances(tape.instrument, side) for side in (1, -1)]
    levels = np.array([(target + beyond, min(stop, trailing)) for target, stop in distances])
    ends = tape.segments["stop"].copy()  # never read-only, which would be another type to compile

    found = np.zeros(len(_SAME_EVENT), np.int64)
    _same_event_kernel(tape.ts, tape.price, trades, simulation.triggers, ends, levels, TARGET, found)
    return {"trades": len(trades), **dict(zip(_SAME_EVENT, found.tolist(), strict=True))}


@njit(cache=True, nogil=True, **without_counts)
def _same_event_kernel(ts, price, trades, triggers, ends, levels, target_reason, found):  # type: ignore[no-untyped-def]
    """Count trades by what their events hold.

    Reads    ts, price (n,); trades, triggers (m,); ends of segments (s,); levels (2, 2), distances in ticks at which
             target and stop fill from the entry on, for longs and shorts
    Writes   found (5,), in the order of _SAME_EVENT
    Oracle   tests/support/fill_counts.py, naive_same_event
    """
    for n in range(len(trades)):
        row, trigger = trades[n], triggers[n]
        side, entry = np.int64(row["side"]), np.int64(row["entry_ticks"])
        j, m, end = row["entry"], row["exit"], ends[row["segment"]]
        target, stop = levels[0 if side > 0 else 1]
        hits_target = hits_stop = False
        k = j + 1
        while k < end and ts[k] == row["entry_ts"]:
            profit = side * (price[k] - entry)
            hits_target, hits_stop = hits_target or profit >= target, hits_stop or profit <= -stop
            k += 1
        found[0] += hits_target
        found[1] += hits_stop
        found[4] += row["exit_ts"] == row["entry_ts"]

        by_stop = trigger["print"] >= 0
        if by_stop or row["reason"] == target_reason:
            at = trigger["print"] if by_stop else m
            level = side * (trigger["level_ticks"] - entry)
            first, last = at, at
            while first - 1 > j and ts[first - 1] == ts[at]:
                first -= 1
            while last + 1 < end and ts[last + 1] == ts[at]:
                last += 1
            if first == last and level < target:  # one print meets one of them; rule 9
                continue
            hits_target = hits_stop = False
            for k in range(first, last + 1):
                profit = side * (price[k] - entry)
                hits_target, hits_stop = hits_target or profit >= target, hits_stop or profit <= level
            if hits_target and hits_stop:
                found[3 if by_stop else 2] += 1
