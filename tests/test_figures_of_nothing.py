"""What charts show of losses, and of nothing."""

import pytest
from support.drawing import DRAWN, MONTE_CARLO, NAMES, RESULTS, SERIES, VALUES, drawn, figures, notes, traces

from scalpr_zen.render.data import jsonable
from scalpr_zen.render.figure import HOLD, LOSS
from scalpr_zen.sections.monte_carlo.charts import ONE_DATE


def test_every_bar_in_the_colour_of_losses_is_hatched_and_no_other():
    seen = set()
    for case in RESULTS:
        for figure in figures(jsonable(RESULTS[case].to_dict())).values():
            for bar in (trace for trace in figure["data"] if trace["type"] == "bar"):
                colour, hatch = bar["marker"]["color"], bar["marker"].get("pattern", {}).get("shape", "")
                pairs = [(colour, hatch)] if isinstance(colour, str) else list(zip(colour, hatch, strict=True))
                assert all((colour == LOSS) == (hatch == "/") for colour, hatch in pairs)
                seen |= set(pairs)
    assert {hatch for colour, hatch in seen if colour != HOLD} == {"", "/"}


@pytest.mark.parametrize("name", ["hours", "weekdays", "months"])
def test_a_bar_below_zero_is_hatched_and_no_other(name):
    bars = DRAWN[name]["data"][0]
    assert bars["marker"]["pattern"]["shape"] == ["/" if usd is not None and usd < 0 else "" for usd in bars["y"]]
    assert "/" in bars["marker"]["pattern"]["shape"]


NOTED = ["equity_by_day", "equity_by_trade", "exits", "results", "hours", "weekdays", "months", "excursions", "holding"]


@pytest.mark.parametrize("case", ["no trades", "one print", "empty tape"])
def test_a_chart_without_trades_says_so(case):
    made = figures(jsonable(RESULTS[case].to_dict()))
    assert {name: notes(made[name]) for name in NOTED} == {name: ["no trades"] for name in NOTED}
    assert {name: notes(made[name]) for name in MONTE_CARLO} == {name: ["no paths"] for name in MONTE_CARLO}
    assert [text for bar in made["exits"]["data"] for text in bar["text"]] == ["0"] * 4


def test_an_empty_tape_has_no_session_dates():
    assert notes(drawn("empty tape", "calendar")) == ["no session dates"]
    assert notes(drawn("no trades", "calendar")) == []


@pytest.mark.parametrize("case", ["without paths", "no paths"])
def test_a_run_without_paths_says_so(case):
    made = figures(jsonable(RESULTS[case].to_dict()))
    assert {name: notes(made[name]) for name in MONTE_CARLO} == {name: ["no paths"] for name in MONTE_CARLO}
    assert not any(notes(made[name]) for name in SERIES)


def test_a_chart_with_trades_says_nothing():
    assert {name for name in NAMES if notes(DRAWN[name])} == {"paths_of_days", "drawdowns", "random_entries"}


def test_a_chart_of_paths_that_could_not_differ_says_why():
    made = figures(jsonable(RESULTS["one trade"].to_dict()))
    assert {name for name in NAMES if notes(made[name])} == {*MONTE_CARLO, "random_entries"}
    assert {name: notes(made[name]) for name in MONTE_CARLO} == {
        "paths_permuted": ["n/a: one trade has only one order"],
        "paths_of_days": [f"n/a: {ONE_DATE}"],
        "drawdowns": ["n/a: one trade on one session date"],
    }


@pytest.mark.parametrize("missing", ["permutation", "days"])
def test_the_drawdowns_of_one_method_are_drawn_without_the_other(missing):
    figure = figures({**VALUES, "monte_carlo": {**VALUES["monte_carlo"], missing: {}}})["drawdowns"]
    assert list(traces(figure)) == ["days drawn" if missing == "permutation" else "trades permuted"]
    assert len(figure["layout"]["shapes"]) == 1
