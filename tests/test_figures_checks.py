"""The charts of the checks: slippage, random entries, the evaluation of a prop firm."""

from datetime import date

import pytest
from support.drawing import CHECKS, DRAWN, NORMAL, RESULTS, VALUES, drawn, figures, notes, traces

from scalpr_zen.render.data import jsonable

DAYS = ("2025-01-09", "2025-01-10", "2025-01-13", "2025-01-14")


def with_section(**parts):
    """The values of the normal run with other sections."""
    return {**VALUES, **parts}


# ---------------------------------------------------------------------------------------------- slippage


def test_slippage_is_shown_as_shares_of_the_trades():
    lines, measured = traces(DRAWN["slippage"]), VALUES["fills"]["slippage"]
    names = {"entry": "entry", "stop_next": "stop, next event", "stop_trigger": "stop, triggering print"}
    assert list(lines) == list(names.values())
    for key, name in names.items():
        bins = measured[key]
        assert lines[name]["x"] == bins["ticks"]
        assert lines[name]["customdata"] == bins["counts"]
        assert sum(lines[name]["customdata"]) == bins["trades"] > 0
        assert lines[name]["y"] == [count / bins["trades"] for count in bins["counts"]]
    assert measured["entry"]["trades"] <= len(NORMAL.trades)


def test_what_no_trade_met_has_no_line():
    slippage = VALUES["fills"]["slippage"]
    nothing = {"trades": 0, "mean_ticks": None, "worst_ticks": None, "percentiles": {}, "ticks": [], "counts": []}
    values = with_section(fills={**VALUES["fills"], "slippage": {**slippage, "stop_next": nothing}})
    assert list(traces(figures(values, ["fills"])["slippage"])) == ["entry", "stop, triggering print"]


# ----------------------------------------------------------------------------------------- random entries


def test_the_runs_of_random_entries_are_counted_between_their_edges():
    control, bars = VALUES["random_entries"], traces(DRAWN["random_entries"])["random entries"]
    edges = control["histogram"]["edges_usd"]
    assert bars["y"] == control["histogram"]["runs"]
    assert sum(bars["y"]) == control["sims"] == 25
    for k, (middle, width) in enumerate(zip(bars["x"], bars["width"], strict=True)):
        assert (middle - width / 2, middle + width / 2) == pytest.approx((edges[k], edges[k + 1]), abs=1e-6)


def test_the_strategy_is_a_line_at_its_net_profit_with_its_rank_and_p_value():
    control, net = VALUES["random_entries"], VALUES["statistics"]["net_usd"]
    bars, line = DRAWN["random_entries"]["data"]
    assert line["x"] == pytest.approx([net, net], abs=1e-8)
    assert line["y"] == [0, max(bars["y"])]
    assert line["name"] == f"strategy {'-' if net < 0 else ''}${abs(net):,.2f}"
    assert notes(DRAWN["random_entries"]) == [
        f"above {control['percentile']:.2%} of the runs, p {control['p_value']:.4g}"
    ]


def test_a_strategy_far_from_its_controls_stays_in_the_picture():
    values = with_section(random_entries={**VALUES["random_entries"], "strategy_usd": 1e6})
    _, line = figures(values, ["random_entries"])["random_entries"]["data"]
    assert line["x"] == [1e6, 1e6]  # a trace, which the range of the axis takes in, and no shape


# --------------------------------------------------------------------------------------------- evaluation


def evaluation(*attempts, **rules):
    """The values of a run with these attempts, each its outcome and the (balance, floor) of its session dates."""
    rows, days = [], iter(DAYS)
    for number, (outcome, *table) in enumerate(attempts, 1):
        dates = [next(days) for _ in table]
        rows.append(
            {
                "number": number,
                "outcome": outcome,
                "reason": "of a test",
                "last_session": dates[-1],
                "days": [
                    {"session_date": day, "balance_usd": balance, "floor_usd": floor}
                    for day, (balance, floor) in zip(dates, table, strict=True)
                ],
            }
        )
    rules = {"account_usd": 50_000.0, "target_usd": 3_000.0, "drawdown_usd": 2_000.0, **rules}
    return with_section(prop_firm={"name": "custom", "rules": rules, "attempts": rows})


def test_each_attempt_is_a_path_from_its_account_on_and_gaps_lie_between():
    values = evaluation(
        ("pass", (51_000.0, 49_000.0), (53_500.0, 50_000.0)),
        ("bust", (47_900.0, 48_000.0)),
        ("unfinished", (50_100.0, 48_100.0)),
    )
    lines = traces(figures(values, ["prop_firm"])["prop_firm"])
    assert lines["balance"]["x"] == lines["floor"]["x"]
    assert lines["balance"]["x"] == [
        *("2025-01-08", "2025-01-09", "2025-01-10", None),
        *("2025-01-10", "2025-01-13", None),
        *("2025-01-13", "2025-01-14"),
    ]
    assert lines["balance"]["y"] == [50_000, 51_000, 53_500, None, 50_000, 47_900, None, 50_000, 50_100]
    assert lines["floor"]["y"] == [48_000, 49_000, 50_000, None, 48_000, 48_000, None, 48_000, 48_100]
    assert (lines["target"]["x"], lines["target"]["y"]) == (["2025-01-08", "2025-01-14"], [53_000, 53_000])
    assert (lines["pass (1)"]["x"], lines["pass (1)"]["y"]) == (["2025-01-10"], [53_500])
    assert (lines["bust (1)"]["x"], lines["bust (1)"]["y"]) == (["2025-01-13"], [47_900])
    assert lines["bust (1)"]["text"] == ["attempt 2: of a test"]


def test_passes_and_busts_have_symbols_of_their_own():
    lines = traces(figures(evaluation(("bust", (47_000.0, 48_000.0))), ["prop_firm"])["prop_firm"])
    assert lines["pass (0)"]["x"] == []
    assert lines["pass (0)"]["marker"]["symbol"] != lines["bust (1)"]["marker"]["symbol"]


def test_the_evaluation_of_a_run_has_each_of_its_session_dates_once():
    lines, days = traces(DRAWN["prop_firm"]), VALUES["series"]["by_day"]["session_date"]
    attempts = VALUES["prop_firm"]["attempts"]
    shown = [(x, y) for x, y in zip(lines["balance"]["x"], lines["balance"]["y"], strict=True) if x in days]
    ends = {day["session_date"]: day["balance_usd"] for attempt in attempts for day in attempt["days"]}
    assert dict(shown) == ends
    assert list(ends) == days
    assert date.fromisoformat(lines["balance"]["x"][0]) < date.fromisoformat(days[0])


# ----------------------------------------------------------------------------------------------- nothing

NOTHING = {"slippage": ["no trades"], "random_entries": ["no random entries"], "prop_firm": ["no evaluation"]}
NOTES = {
    "without paths": NOTHING,
    "no paths": {"slippage": [], "random_entries": ["no random entries"], "prop_firm": ["no evaluation"]},
    "overlap": {"slippage": [], "prop_firm": ["no evaluation"]},
    "no trades": {"slippage": ["no trades"], "random_entries": ["no random entries"], "prop_firm": []},
    "one print": {"slippage": ["no trades"], "random_entries": ["no random entries"], "prop_firm": []},
    "empty tape": NOTHING,
}


@pytest.mark.parametrize("case", NOTES)
def test_a_chart_that_has_nothing_to_show_says_so(case):
    made = figures(jsonable(RESULTS[case].to_dict()))
    assert {name: notes(made[name]) for name in NOTES[case]} == NOTES[case]
    for name in CHECKS:
        if notes(made[name]) in (["no trades"], ["no random entries"], ["no evaluation"]):
            assert made[name]["data"] == []


def test_an_account_without_trades_stays_where_it_began():
    lines = traces(drawn("no trades", "prop_firm"))
    assert set(lines["balance"]["y"]) == {50_000.0}
    assert set(lines["floor"]["y"]) == {48_000.0}
