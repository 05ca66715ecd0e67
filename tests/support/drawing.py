"""Results of all kinds and their figures, which the tests of the charts share."""

import pytest

from scalpr_zen import Bracket, EmaCrossover, Execution, MonteCarlo, PropFirm, SessionRules, Setup, run
from scalpr_zen.render.data import jsonable
from scalpr_zen.runs.backtest import run_trades
from scalpr_zen.sections import sections
from support.market import market
from support.tapes import Given, signals_of, tape_of

DAY = 86_400 * 10**9
SERIES = ["equity_by_day", "equity_by_trade", "exits", "results", "calendar", "hours", "weekdays", "months"]
SERIES += ["excursions", "holding"]
MONTE_CARLO = ["paths_permuted", "paths_of_days", "drawdowns"]
CHECKS = ["slippage", "random_entries", "prop_firm"]
NAMES = [*SERIES, "slippage", "random_entries", *MONTE_CARLO, "prop_firm"]
FAST = EmaCrossover(fast_period=2, slow_period=5)
FEW_PATHS = MonteCarlo(monte_carlo_sims=25, random_entry_sims=25)
STRATEGY_NAME = 'A</script><img src="//x">&'

CHARTS = [chart for section in sections().values() for chart in section.charts]


def figures(values, names=None):
    """The figures of some sections of a result by name, of all where none are named."""
    wanted = [section for name, section in sections().items() if names is None or name in names]
    return {chart.name: chart.figure(values) for section in wanted for chart in section.charts}


NORMAL = run(market(), FAST, execution=Execution(commission=2.27, contracts=2), settings=FEW_PATHS)
VALUES = jsonable(NORMAL.to_dict())
DRAWN = figures(VALUES)
SMALL = tape_of([100, 101, 103, 99])
TIGHT = Bracket(take_profit=0.5, stop_loss=0.5)
MOVING = Bracket(trailing_stop=2.0, break_even_at=1.0, stop_loss=3.0)
RULES = SessionRules(max_hold=5.0, loss_limit=100.0, limit_basis="equity")
NO_FIRM = PropFirm(prop_firm="none")
RESULTS = {
    "normal": NORMAL,
    "without paths": run_trades(market(), FAST, Setup()),
    "no paths": run(market(), FAST, settings=MonteCarlo(monte_carlo_sims=0, random_entry_sims=0), firm=NO_FIRM),
    "overlap": run(market(), FAST, TIGHT, Execution(overlap=True), settings=FEW_PATHS),
    "every rule": run(market(), FAST, MOVING, Execution(latency_ms=1, roll_exit="close"), RULES, settings=FEW_PATHS),
    "no trades": run(SMALL, Given(signals_of(SMALL, {})), settings=FEW_PATHS),
    "one trade": run(SMALL, Given(signals_of(SMALL, {0: 1})), TIGHT, settings=FEW_PATHS),
    "one print": run(SMALL.cut(1), Given(signals_of(SMALL.cut(1), {0: 1})), settings=FEW_PATHS),
    "empty tape": run(SMALL.cut(0), Given(signals_of(SMALL.cut(0), {})), settings=FEW_PATHS),
}


def drawn(case, name):
    return figures(jsonable(RESULTS[case].to_dict()))[name]


def traces(figure):
    """The traces of a figure by name."""
    assert len({trace["name"] for trace in figure["data"]}) == len(figure["data"])
    return {trace["name"]: trace for trace in figure["data"]}


def notes(figure):
    texts = [note["text"] for note in figure["layout"].get("annotations", [])]
    return [text for text in texts if text != "SYNTHETIC"]


def with_series(**parts):
    """The values of the normal run with other series."""
    return {**VALUES, "series": {**VALUES["series"], **parts}}


def days_of(dates, net, trades=None):
    count = len(dates)
    return {
        "session_date": [str(day) for day in dates],
        "net_usd": net,
        "trades": trades or [1] * count,
        "hold_usd": [0.0] * count,
    }


def close(expected):
    return pytest.approx(expected, rel=1e-12, abs=1e-8)
