"""The ratios of a report, recomputed from what it prints."""

import re

import numpy as np
import pytest
from support.market import market
from support.printed import (
    Span,
    check_baseline,
    check_costs,
    check_counts,
    check_log,
    check_months,
    check_statistics,
    printed_statistics,
)
from support.results import NO_COSTS, tape_of, trades_of

from scalpr_zen import Bracket, EmaCrossover, Execution, MonteCarlo, run
from scalpr_zen.sections.months import months
from scalpr_zen.sections.statistics import statistics

RUNS = {
    "no costs": (NO_COSTS, 132),
    "costs": (Execution(commission=2.27, slippage_ticks=1, contracts=3), 132),
    "every signal": (Execution(overlap=True, commission=0.85), 1),
    "micro": (Execution(point_value=2.0, stop_fill="next", slippage_ticks=2), 88),
}


@pytest.mark.parametrize("name", RUNS)
def test_every_printed_ratio_follows_from_the_printed_parts(name):
    execution, seed = RUNS[name]
    bracket = Bracket(take_profit=4.0, stop_loss=2.5)
    strategy = EmaCrossover(fast_period=2, slow_period=5)
    result = run(market(seed=seed), strategy, bracket, execution, settings=MonteCarlo(monte_carlo_sims=20))
    text = result.text("txt")
    assert "n/a" not in "".join(printed_statistics(text).values())
    have = check_statistics(text)
    check_months(text, have)
    check_baseline(text, have, execution.point_value or 20.0)
    check_counts(text, have)
    check_costs(text, have, execution, bracket, check_log(text, have))
    drawdown = re.search(r"actual max drawdown (\S+):", text).group(1)
    assert Span.printed(drawdown) == have["Max drawdown"]


def test_the_trap_66183_wins_of_200_and_130122_losses_of_100_print_1_017():
    # 66,183 * 200 / (130,122 * 100) = 1.0172; the ratio of the counts and a payoff would print 1.820.
    wins, losses = 66_183, 130_122
    net = np.random.default_rng(0).permutation([200.0] * wins + [-100.0] * losses)
    session = np.arange(len(net)) * 20 // len(net)
    trades = trades_of(net, session)
    trades["gross_ticks"] = net / 5
    result = run(tape_of(20), EmaCrossover(), settings=MonteCarlo(monte_carlo_sims=0))
    made = {"statistics": statistics(trades, tape_of(20), Bracket(), NO_COSTS)}
    made["months"] = months(trades, tape_of(20), np.ones(20, np.bool_))
    text = result.having({name: (values, 0.0) for name, values in made.items()}).full_text()
    shown = printed_statistics(text)
    assert (shown["Wins"], shown["Losses"], shown["Profit factor"]) == ("66,183", "130,122", "1.017")
    assert "1.820" not in text
    check_months(text, check_statistics(text))


def test_the_recomputation_would_see_the_trap():
    # The same parts with the printed profit factor of the trap are refused.
    won, lost = Span(66_183) * Span.printed("$200.00"), Span(130_122) * Span.printed("$100.00")
    assert won / lost == Span.printed("1.017")
    assert won / lost != Span.printed("1.820")
