"""Accounts of a prop firm over a few dates of prices: trades, rules and attempts in ticks, and what the twin needs."""

import functools
import itertools

import numpy as np
from hypothesis import strategies as st

from scalpr_zen import Bracket, EmaCrossover, Execution, Setup
from scalpr_zen.runs.backtest import run_trades
from scalpr_zen.sections.prop_firm.evaluation import CHUNK, prop_firm
from scalpr_zen.sections.prop_firm.rules import PropFirm
from scalpr_zen.simulation.kernel import TARGET, TRADE
from support.market import market
from support.tapes import tape_of

TICK = 5  # USD, one contract of NQ
DAY = 86_400 * 10**9
SEED = 2_024


def tape_of_dates(*dates):
    """A tape of consecutive session dates from lists of prices in ticks, one event every 10 ns."""
    ts = [n * DAY + 10 * i for n, prices in enumerate(dates) for i in range(len(prices))]
    return tape_of([price for prices in dates for price in prices], ts=ts)


def trades_of(tape, *rows):
    """Closed trades from (side, entry print, exit print), filled at the prints, or with the two fills as well."""
    trades = np.zeros(len(rows), TRADE)
    for trade, (side, entry, leave, *fills) in zip(trades, rows, strict=True):
        trade["side"], trade["entry"], trade["exit"], trade["reason"] = side, entry, leave, TARGET
        trade["entry_ticks"], trade["exit_ticks"] = fills or (tape.price[entry], tape.price[leave])
        trade["session"] = np.searchsorted(tape.sessions["stop"], leave, side="right")
    return trades


def custom(target, drawdown, **ticks):
    """Custom rules, amounts in ticks of one contract."""
    money = {name: value * TICK for name, value in ticks.items() if name in ("prop_lock", "prop_daily_loss")}
    amounts = {"prop_target": target * TICK, "prop_drawdown": drawdown * TICK}
    return PropFirm(prop_firm="custom", **{"prop_sims": 0, **ticks, **amounts, **money})


def attempts(dates, rows, rules, execution=None):
    """The attempts at custom rules over dates of prices."""
    tape = tape_of_dates(*dates)
    return prop_firm(trades_of(tape, *rows), tape, execution or Execution(), rules, SEED)["attempts"]


def ends(found):
    return [(attempt["outcome"], attempt["session_dates"], attempt["profit_usd"] / TICK) for attempt in found]


@st.composite
def evaluations(draw):
    """Dates of prices, trades of which one is open at a time, rules and execution; amounts of a few ticks."""
    dates = draw(st.lists(st.lists(st.integers(-4, 4), min_size=1, max_size=12), min_size=1, max_size=5))
    steps = [step for steps in dates for step in steps]
    prices = np.cumsum(steps).tolist()
    cuts = np.cumsum([0, *map(len, dates)]).tolist()
    marks = sorted(draw(st.lists(st.integers(0, len(prices) - 1), max_size=12)))  # a trade may begin where one ends
    rows = []
    for entry, leave in zip(marks[::2], marks[1::2], strict=False):
        fills = [prices[entry] + draw(st.integers(-1, 1)), prices[leave] + draw(st.integers(-2, 2))]
        rows.append((draw(st.sampled_from([1, -1])), entry, leave, *fills))
    drawdown = draw(st.integers(1, 12))
    rules = {
        "prop_lock": draw(st.none() | st.integers(-drawdown, 10)),
        "prop_daily_loss": draw(st.none() | st.integers(1, 8)),
        "prop_drawdown_kind": draw(st.sampled_from(["end_of_day", "peak_equity"])),
        "prop_daily_loss_breach": draw(st.sampled_from(["bust", "day_over"])),
        "prop_min_days": draw(st.integers(0, 2)),
        "prop_consistency": draw(st.sampled_from([None, 0.5, 0.55, 0.8])),
    }
    settings = custom(draw(st.integers(1, 8)), drawdown, **{k: v for k, v in rules.items() if v is not None})
    execution = Execution(slippage_ticks=draw(st.integers(0, 2)), commission=float(TICK * draw(st.integers(0, 1))))
    return [prices[a:b] for a, b in itertools.pairwise(cuts)], rows, settings, execution


def a_month(seed):
    """Twenty dates of prices that walk, and on most of them a trade from the first print to the last."""
    random = np.random.default_rng(seed)
    dates = [(100 + random.integers(-6, 7, 5).cumsum()).tolist() for _ in range(20)]
    rows = [(1 - 2 * (n % 2), 5 * n, 5 * n + 4, dates[n][0], dates[n][4]) for n in range(20) if n % 6]
    return tape_of_dates(*dates), (dates, rows)


def twin(dates, rows, settings, execution):
    """The arguments of the twin."""
    cuts = np.cumsum([0, *map(len, dates)]).tolist()
    names = ("side", "entry", "exit", "entry_ticks", "exit_ticks")
    micro = {
        name: None if value is None else round(value * 1e6)
        for name, value in {
            "tick": TICK,
            "commission": execution.commission,
            "drawdown": settings.prop_drawdown,
            "lock": settings.prop_lock,
            "daily_loss": settings.prop_daily_loss,
            "target": settings.prop_target,
        }.items()
    }
    rules = micro | {
        "slippage": execution.slippage_ticks,
        "trails_equity": settings.prop_drawdown_kind == "peak_equity",
        "daily_bust": settings.prop_daily_loss_breach == "bust",
        "min_days": settings.prop_min_days,
        "share": None if settings.prop_consistency is None else round(100 * settings.prop_consistency),
    }
    trades = [dict(zip(names, row, strict=True)) for row in rows]
    prices = [price for date_prices in dates for price in date_prices]
    return prices, list(itertools.pairwise(cuts)), trades, rules


@functools.cache
def realistic():
    """A result of the small market with some passes, some busts, and more paths than one chunk."""
    execution = Execution(commission=2.0, slippage_ticks=1)
    bracket = Bracket(take_profit=10.0, stop_loss=4.0)
    strategy = EmaCrossover(fast_period=2, slow_period=5)
    return run_trades(market(), strategy, Setup(bracket=bracket, execution=execution))


def evaluated(**settings):
    result = realistic()
    rules = {"prop_target": 300.0, "prop_drawdown": 400.0, "prop_sims": CHUNK + 500, "prop_days": 5} | settings
    chosen = PropFirm(**{"prop_firm": "custom", **rules})
    return prop_firm(result.trades, result.tape, result.run.setup.execution, chosen, SEED)
