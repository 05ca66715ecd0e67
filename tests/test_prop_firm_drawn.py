"""Paths of drawn session dates: which dates, what ends them, and how sure the shares are."""

import numpy as np
import pytest
import scipy.stats
from support import naive_prop_firm as naive
from support.accounts import SEED, a_month, custom, evaluated, tape_of_dates, trades_of, twin
from support.tapes import tape_of

from scalpr_zen import Execution
from scalpr_zen.base.engine import Engine
from scalpr_zen.sections.prop_firm import evaluation
from scalpr_zen.sections.prop_firm.evaluation import CHUNK, drawn_dates, prop_firm
from scalpr_zen.sections.prop_firm.rules import PropFirm
from scalpr_zen.simulation.kernel import TRADE


def test_the_drawn_dates_are_those_of_philox():
    assert drawn_dates(7, 3, 5, 6, 252).tolist() == naive.drawn_dates(7, 3, 5, 6, 252)


def test_every_date_is_drawn_about_equally_often():
    counts = np.bincount(drawn_dates(1, 0, 1_000, 60, 20).ravel(), minlength=20)
    assert scipy.stats.chisquare(counts).pvalue > 0.001


def test_threads_and_paths_after_it_do_not_change_a_path():
    drawn = evaluated()["drawn"]
    for cores in (1, 2, 7):
        with Engine(cores):
            assert evaluated()["drawn"] == drawn
    fewer = evaluated(prop_sims=CHUNK)["drawn"]
    assert 0 < fewer["pass"]["paths"] < drawn["pass"]["paths"]


def test_the_intervals_of_the_shares_are_wilsons():
    drawn = evaluated()["drawn"]
    for name in ("pass", "bust", "neither"):
        paths = drawn[name]["paths"]
        expected = scipy.stats.binomtest(paths, drawn["sims"]).proportion_ci(method="wilson")
        assert (drawn[name]["low"], drawn[name]["high"]) == pytest.approx(tuple(expected))
        assert drawn[name]["probability"] == paths / drawn["sims"]


@pytest.mark.parametrize("paths", [5, 400])
def test_the_interval_of_the_mean_is_students(paths):
    # Passed at the first date or at the second, each as likely: a date that earns and one that does nothing.
    tape = tape_of_dates([100, 110], [100, 100])
    settings = custom(10, 5, prop_sims=paths, prop_days=40)
    spread = prop_firm(trades_of(tape, (1, 0, 1)), tape, Execution(), settings, SEED)["drawn"]["days_to_pass"]
    used = [order.index(0) + 1 for order in naive.drawn_dates(SEED, 0, paths, 40, 2)]
    expected = scipy.stats.ttest_1samp(used, 0).confidence_interval(0.95)
    assert (spread["mean_low"], spread["mean_high"]) == pytest.approx(tuple(expected))
    assert (spread["p5"], spread["median"], spread["p95"]) == tuple(np.percentile(used, (5, 50, 95)))


def test_each_thousand_of_paths_is_drawn_anew():
    tape, rows = a_month(seed=3)
    prices, sessions, trades, rules = twin(
        *rows, settings := custom(20, 30, prop_sims=2_100, prop_days=9, prop_min_days=0), Execution()
    )
    drawn = prop_firm(trades_of(tape, *rows[1]), tape, Execution(), settings, SEED)["drawn"]
    ends = [
        naive.evaluate(prices, sessions, trades, order, rules)[0]
        for chunk, paths in enumerate((1_000, 1_000, 100))
        for order in naive.drawn_dates(SEED, chunk, paths, 9, len(sessions))
    ]
    assert [drawn[name]["paths"] for name in ("pass", "bust", "neither")] == [
        ends.count(name) for name in ("pass", "bust", "unfinished")
    ]


def test_the_interval_for_other_dates_is_that_of_tapes_of_drawn_dates(monkeypatch):
    monkeypatch.setattr(evaluation, "TAPES", 6)
    monkeypatch.setattr(evaluation, "CHUNK", 30)
    tape, rows = a_month(seed=4)
    prices, sessions, trades, rules = twin(
        *rows, settings := custom(20, 30, prop_sims=30, prop_days=9, prop_min_days=0), Execution()
    )
    drawn = prop_firm(trades_of(tape, *rows[1]), tape, Execution(), settings, SEED)["drawn"]
    ends = []
    for k in range(6):
        [dates] = naive.drawn_dates(SEED, 2**32 + 2 * k, 1, len(sessions), len(sessions))
        orders = naive.drawn_dates(SEED, 2**32 + 2 * k + 1, 30, 9, len(sessions))
        ends.append([naive.evaluate(prices, sessions, trades, [dates[n] for n in o], rules)[0] for o in orders])
    for name, word in (("pass", "pass"), ("bust", "bust"), ("neither", "unfinished")):
        low, high = np.percentile([end.count(word) / 30 for end in ends], (2.5, 97.5))
        expected = min(low, drawn[name]["low"]), max(high, drawn[name]["high"])
        assert (drawn[name]["dates_low"], drawn[name]["dates_high"]) == pytest.approx(expected)
    assert drawn["pass"]["dates_low"] < drawn["pass"]["low"]


def test_where_every_date_ends_alike_the_interval_for_other_dates_is_no_narrower_than_that_of_the_drawing():
    tape = tape_of_dates(*[[100, 110]] * 5)
    trades = trades_of(tape, *((1, 2 * n, 2 * n + 1) for n in range(5)))
    drawn = prop_firm(trades, tape, Execution(), custom(10, 5, prop_sims=50), SEED)["drawn"]["pass"]
    assert (drawn["probability"], drawn["dates_high"]) == (1, 1)
    assert drawn["dates_low"] == drawn["low"] < 1


def test_no_paths_are_drawn_where_none_are_wanted():
    assert evaluated(prop_sims=0)["drawn"] == {}


def test_without_dates_there_is_no_attempt():
    found = prop_firm(np.zeros(0, TRADE), tape_of([]), Execution(), PropFirm(), SEED)
    assert (found["attempts"], found["drawn"], found["counts"]["attempts"]) == ([], {}, 0)
