"""The charts: valid Plotly figures that show the numbers of the result."""

import copy
import json
import math
import re
import sys
from datetime import date, timedelta

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.drawing import (
    CHARTS,
    CHECKS,
    DAY,
    DRAWN,
    FEW_PATHS,
    MONTE_CARLO,
    NAMES,
    NORMAL,
    RESULTS,
    SERIES,
    SMALL,
    TIGHT,
    VALUES,
    close,
    days_of,
    drawn,
    figures,
    notes,
    traces,
    with_series,
)
from support.tapes import NOON, Given, signals_of

from scalpr_zen import Bracket, Setup, Tape, instrument, run
from scalpr_zen.render.data import jsonable
from scalpr_zen.render.figure import THEMES, pinned
from scalpr_zen.runs.backtest import run_trades
from scalpr_zen.sections.series.data import LIMITS
from scalpr_zen.simulation.kernel import REASONS

# ------------------------------------------------------------------------------------------- every figure


def test_the_cases_are_what_they_are_called():
    few = {case: len(RESULTS[case].trades) for case in ("one trade", "one print", "empty tape")}
    assert few == {"one trade": 1, "one print": 0, "empty tape": 0}
    assert len(NORMAL.trades) > 5
    assert len(RESULTS["empty tape"].tape) == len(RESULTS["no trades"].trades) == 0
    assert len(traces(drawn("every rule", "exits"))) >= 5


@pytest.mark.parametrize("case", RESULTS)
def test_every_figure_is_valid_plotly_and_json_without_nan(case):
    made = figures(jsonable(RESULTS[case].to_dict()))
    assert list(made) == NAMES
    for figure in made.values():
        assert set(figure) == {"data", "layout"}
        go.Figure(figure)
        json.dumps(figure, allow_nan=False)


def test_the_names_are_those_of_the_charts_in_their_order():
    assert [chart.name for chart in CHARTS] == list(DRAWN) == NAMES


def test_the_figures_of_some_sections_are_drawn_alone():
    for chosen, names in (
        (["series"], SERIES),
        (["monte_carlo"], MONTE_CARLO),
        (["fills", "random_entries", "prop_firm"], CHECKS),
    ):
        made = NORMAL.charts(*chosen)
        assert sorted(made) == sorted(names)
        assert made == {name: DRAWN[name] for name in made}


def test_a_run_without_the_later_sections_has_the_figures_that_need_none():
    quick, whole = RESULTS["without paths"], RESULTS["no paths"]
    assert quick.charts("series") == whole.charts("series")


def test_the_strategy_of_a_pinned_run_is_a_second_line():
    own, other = DRAWN["equity_by_day"], drawn("one trade", "equity_by_day")
    made = pinned(own, other)
    (line,) = [trace for trace in other["data"] if trace["name"] == "strategy"]
    assert made["data"][:-1] == own["data"]
    assert made["data"][-1] == {**line, "name": "pinned", "line": made["data"][-1]["line"]}
    assert made["data"][-1]["line"]["dash"] != line["line"].get("dash")
    assert pinned(DRAWN["hours"], DRAWN["hours"]) == DRAWN["hours"]


@pytest.mark.parametrize("case", ["normal", "empty tape"])
def test_figures_are_made_of_what_the_json_holds(case):
    result = RESULTS[case]
    assert figures(json.loads(result.to_json())) == figures(jsonable(result.to_dict()))


def test_making_figures_changes_no_value():
    before = copy.deepcopy(VALUES)
    assert figures(VALUES) == figures(VALUES) == DRAWN
    assert before == VALUES


def test_every_figure_has_its_title_and_its_sentence_and_no_theme():
    for chart in CHARTS:
        layout = DRAWN[chart.name]["layout"]
        assert (layout["title"]["text"], layout["meta"]["sentence"]) == (chart.title, chart.sentence)
        assert "template" not in layout
        assert chart.title
        assert chart.sentence.endswith(".")
    assert len({chart.title for chart in CHARTS}) == len(CHARTS)


@pytest.mark.parametrize("name", ["dark", "light"])
def test_themes_are_plotly_templates(name):
    go.Figure(DRAWN["equity_by_day"]).update_layout(template=THEMES[name])
    assert list(THEMES) == ["dark", "light"]


def test_figures_need_no_plotly(monkeypatch):
    for module in [name for name in sys.modules if name.split(".")[0] == "plotly"]:
        monkeypatch.setitem(sys.modules, module, None)
    assert figures(VALUES) == DRAWN


# ------------------------------------------------------------------------------------------------ equity


def test_equity_by_trade_ends_at_the_net_profit_and_falls_the_max_drawdown():
    lines, path = traces(DRAWN["equity_by_trade"]), VALUES["series"]["by_trade"]
    assert all(line["x"] == path["trade"] for line in lines.values())
    assert lines["strategy"]["y"] == path["equity_usd"]
    assert lines["strategy"]["y"][-1] == close(VALUES["statistics"]["net_usd"])
    assert lines["buy & hold"]["y"] == path["hold_usd"]
    assert min(lines["drawdown"]["y"]) == close(-VALUES["statistics"]["max_drawdown_usd"])
    assert lines["drawdown"]["y"] == [-fall for fall in path["drawdown_usd"]]


def test_equity_by_day_ends_at_the_net_profit_and_falls_the_daily_drawdown():
    lines, days, baseline = traces(DRAWN["equity_by_day"]), VALUES["series"]["by_day"], VALUES["baseline"]
    assert all(line["x"] == days["session_date"] for line in lines.values())
    assert lines["strategy"]["y"][-1] == close(VALUES["statistics"]["net_usd"])
    assert lines["buy & hold"]["y"][-1] == close(baseline["net_usd"])
    assert baseline["strategy"]["max_drawdown_usd"] > 0
    assert min(lines["drawdown"]["y"]) == close(-baseline["strategy"]["max_drawdown_usd"])


@given(st.lists(st.tuples(st.integers(-99, 99), st.integers(-99, 99)), max_size=12))
def test_equity_by_day_adds_up_the_days_and_falls_from_a_peak_of_at_least_zero(days):
    dates = [str(date(2024, 12, 28) + timedelta(days=k)) for k in range(len(days))]
    net, hold = [float(day[0]) for day in days], [float(day[1]) for day in days]
    by_day = {"session_date": dates, "net_usd": net, "hold_usd": hold, "trades": [1] * len(days)}
    lines = traces(figures(with_series(by_day=by_day), ["series"])["equity_by_day"])
    equity, held, falls, peak = [], [], [], 0.0
    for k in range(len(days)):
        equity.append(sum(net[: k + 1]))
        held.append(sum(hold[: k + 1]))
        peak = max(peak, equity[-1])
        falls.append(equity[-1] - peak)
    assert [lines[name]["y"] for name in ("strategy", "buy & hold", "drawdown")] == [equity, held, falls]


def test_without_trades_the_strategy_stays_at_zero_beside_buy_and_hold():
    for name in ("equity_by_day", "equity_by_trade"):
        lines = traces(drawn("no trades", name))
        assert set(lines["strategy"]["y"]) == set(lines["drawdown"]["y"]) == {0.0}
    assert traces(drawn("no trades", "equity_by_day"))["buy & hold"]["y"] == [-5.0]


# ---------------------------------------------------------------------------------------------- outcomes


ENDS = {"target": "take profit", "stop": "stop loss", "break_even": "break-even stop", "trailing": "trailing stop"}
ENDS |= {"close": "before the close", "hold": "max hold", "loss_limit": "loss limit"}
ENDS |= {"profit_limit": "profit limit", "roll": "at a roll"}


@pytest.mark.parametrize("case", ["normal", "every rule"])
def test_exits_are_bars_by_side_and_reason(case):
    values = jsonable(RESULTS[case].to_dict())
    shown = {
        (name, side): (count, text, usd)
        for name, bar in traces(drawn(case, "exits")).items()
        for side, count, text, usd in zip(bar["x"], bar["y"], bar["text"], bar["customdata"], strict=True)
    }
    assert shown == {
        (ENDS[row["reason"]], row["side"]): (row["trades"], str(row["trades"]), row["net_usd"])
        for row in values["series"]["exits"]
    }
    assert sum(count for count, _, _ in shown.values()) == values["statistics"]["trades"]


def test_every_exit_reason_of_a_closed_trade_has_a_bar_that_looks_like_no_other():
    reasons = [reason for reason in REASONS.values() if reason not in ("void", "open")]
    assert reasons == list(ENDS)
    rows = [{"side": "long", "reason": reason, "trades": 1, "mean_usd": 1.0, "net_usd": 1.0} for reason in reasons]
    bars = figures(with_series(exits=rows), ["series"])["exits"]["data"]
    assert [bar["name"] for bar in bars] == list(ENDS.values())
    looks = {(bar["marker"]["color"], bar["marker"]["pattern"]["shape"]) for bar in bars}
    assert len(looks) == len(bars)


def test_results_are_bars_between_their_limits():
    (bars,), bins = DRAWN["results"]["data"], VALUES["series"]["results"]
    limits = list(zip(bins["from_usd"], bins["to_usd"], strict=True))
    assert bars["y"] == bins["trades"]
    assert sum(bars["y"]) == VALUES["statistics"]["trades"]
    assert bars["x"] == close([(low + high) / 2 for low, high in limits])
    assert bars["width"] == close(bars["x"][1] - bars["x"][0])
    assert bars["marker"]["pattern"]["shape"] == ["/" if low + high < 0 else "" for low, high in limits]
    assert {"", "/"} == set(bars["marker"]["pattern"]["shape"])


def test_results_are_labelled_with_both_limits_or_the_only_one():
    bins = {"from_usd": [-10.0, 0.0, 1_234.5], "to_usd": [-5.0, 0.0, 1_240.0], "trades": [1, 2, 3]}
    (bars,) = figures(with_series(results=bins))["results"]["data"]
    assert bars["customdata"] == ["-$10.00 to -$5.00", "$0.00", "$1,234.50 to $1,240.00"]
    assert bars["x"] == [-7.5, 0.0, 1_237.25]
    assert bars["marker"]["pattern"]["shape"] == ["/", "", ""]


def test_excursions_are_counted_on_a_log_scale():
    (cell,), cells = DRAWN["excursions"]["data"], VALUES["series"]["excursions"]
    assert (cell["x"], cell["y"]) == (cells["mae_points"], cells["mfe_points"])
    for shown, text, counts in zip(cell["z"], cell["text"], cells["trades"], strict=True):
        assert shown == [math.log10(n) if n else None for n in counts]
        assert text == [str(n) for n in counts]
    scale = dict(zip(cell["colorbar"]["tickvals"], cell["colorbar"]["ticktext"], strict=True))
    assert [int(text.replace(",", "")) for text in scale.values()] == [10**value for value in scale]


def test_a_cell_of_many_trades_is_shown_by_its_power_of_ten():
    cells = {"mae_points": [-0.5], "mfe_points": [1.0, 1.25], "cell_points": [0.25, 0.25], "trades": [[1_000], [1]]}
    (cell,) = figures(with_series(excursions=cells))["excursions"]["data"]
    assert cell["z"] == [[pytest.approx(3.0)], [0.0]]
    assert cell["text"] == [["1,000"], ["1"]]


def test_holding_times_are_stacked_and_what_is_not_won_is_hatched():
    bars, bins = traces(DRAWN["holding"]), VALUES["series"]["holding"]
    assert (bars["won"]["y"], bars["not won"]["y"]) == (bins["won"], bins["not_won"])
    assert sum(bars["won"]["y"]) == VALUES["statistics"]["wins"]
    assert sum(bars["won"]["y"] + bars["not won"]["y"]) == VALUES["statistics"]["trades"]
    assert bars["not won"]["marker"]["pattern"]["shape"] == "/"
    assert bars["won"]["marker"]["pattern"]["shape"] == ""
    assert DRAWN["holding"]["layout"]["barmode"] == "stack"


def test_holding_times_have_names_of_their_own():
    edges = [limit / 10**9 for limit in LIMITS.tolist()]
    count = [1] * (len(edges) - 1)
    bins = {"from_seconds": edges[:-1], "to_seconds": edges[1:], "won": count, "not_won": count}
    bars = traces(figures(with_series(holding=bins))["holding"])
    assert bars["won"]["x"] == bars["not won"]["x"]
    assert len(set(bars["won"]["x"])) == len(count)
    named = dict(zip(bars["won"]["x"], edges, strict=False))
    some = {"0-1 ms": 0, "200-500 ms": 0.2, "500 ms-1 s": 0.5, "20-30 s": 20, "30 s-1 min": 30, "30 min-1 h": 1800}
    some |= {"30-100 d": 30 * 86_400, "12 h-1 d": 43_200}
    assert {name: named[name] for name in some} == some


# ---------------------------------------------------------------------------------------------- calendar


def check_calendar(figure, days):
    """Each session date is in the row of its weekday and the column of its Monday; all else is empty."""
    (cell,) = figure["data"]
    expected = {}
    for text, usd, trades in zip(days["session_date"], days["net_usd"], days["trades"], strict=True):
        day = date.fromisoformat(text)
        sign = "+" if usd > 0 else "-" if usd < 0 else ""
        expected[day.strftime("%a"), str(day - timedelta(days=day.weekday()))] = (usd, sign, text, trades)
    found = {}
    for row, name in enumerate(cell["y"]):
        for column, monday in enumerate(cell["x"]):
            usd, sign, label = (cell[key][row][column] for key in ("z", "text", "customdata"))
            if usd is None:
                assert (sign, label) == ("", "")
            else:
                text, trades = re.fullmatch(r"(\S+) -?\$[\d,.]+, ([\d,]+) trades?", label).groups()
                found[name, monday] = (usd, sign, text, int(trades.replace(",", "")))
    assert found == expected
    mondays = [date.fromisoformat(text) for text in cell["x"]]
    assert mondays == [mondays[0] + timedelta(weeks=k) for k in range(len(mondays))]
    assert tuple(cell["y"]) == ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[: len(cell["y"])]
    assert -cell["zmin"] == cell["zmax"] == (max(map(abs, days["net_usd"])) or 1)


def test_the_calendar_of_a_run_has_the_profit_of_each_session_date():
    check_calendar(DRAWN["calendar"], VALUES["series"]["by_day"])
    assert len(DRAWN["calendar"]["data"][0]["y"]) == 5
    assert DRAWN["calendar"]["layout"]["yaxis"]["autorange"] == "reversed"


@given(
    st.sets(st.dates(date(2024, 11, 1), date(2025, 3, 31)), min_size=1, max_size=30),
    st.lists(st.sampled_from([-1_250.5, -5.0, 0.0, 5.0, 300.0]), min_size=30, max_size=30),
)
def test_any_session_dates_are_where_a_calendar_has_them(dates, net):
    days = days_of(sorted(dates), net[: len(dates)], [1_000 * k for k in range(len(dates))])
    figure = figures(with_series(by_day=days), ["series"])["calendar"]
    check_calendar(figure, days)
    go.Figure(figure)
    weekend = [day.weekday() + 1 for day in dates]
    assert len(figure["data"][0]["y"]) == max(5, *weekend)


# --------------------------------------------------------------------------------------- means and months


@pytest.mark.parametrize("name", ["hours", "weekdays"])
def test_means_and_counts_stand_above_each_other(name):
    bars = traces(DRAWN[name])
    rows = [row for row in VALUES["series"][name] if row.get("weekday") not in ("Saturday", "Sunday")]
    labels = [f"{row['hour']:02d}" if name == "hours" else row["weekday"][:3] for row in rows]
    assert bars["mean"]["x"] == bars["trades"]["x"] == labels
    assert bars["mean"]["y"] == [row["mean_usd"] for row in rows]
    assert bars["trades"]["y"] == [row["trades"] for row in rows]
    assert sum(bars["trades"]["y"]) == VALUES["statistics"]["trades"]
    totals = [float(text.replace("$", "").replace(",", "")) for text in bars["mean"]["customdata"]]
    assert totals == pytest.approx([row["net_usd"] for row in rows], abs=0.0051)


def test_a_weekend_is_shown_where_it_has_trades():
    rows = copy.deepcopy(VALUES["series"]["weekdays"])
    rows[5] |= {"trades": 3, "mean_usd": -2.0, "net_usd": -6.0}
    bars = traces(figures(with_series(weekdays=rows))["weekdays"])
    assert bars["mean"]["x"] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    assert bars["trades"]["y"][-1] == 3


def test_months_are_those_of_the_statistics():
    (bars,), rows = DRAWN["months"]["data"], VALUES["months"]
    assert bars["x"] == [row["month"] for row in rows]
    assert bars["y"] == [row["net_usd"] for row in rows]
    assert sum(bars["y"]) == close(VALUES["statistics"]["net_usd"])
    for label, row in zip(bars["customdata"], rows, strict=True):
        assert label.startswith(f"{row['trades']} trades, {row['win_rate']:.2%} won")
        assert label.endswith(f"max drawdown ${row['max_drawdown_usd']:,.2f}")


def test_a_month_without_trades_has_no_win_rate():
    tape = Tape.from_prints(
        [NOON, NOON + 1, NOON + 2, NOON + 30 * DAY], [100, 100, 103, 103], instrument=SMALL.instrument, whole=True
    )
    result = run_trades(tape, Given(signals_of(tape, {0: 1})), Setup(bracket=TIGHT))
    (bars,) = figures(jsonable(result.to_dict()))["months"]["data"]
    assert (bars["x"], bars["y"]) == (["2025-01", "2025-02"], [10.0, 0.0])
    assert bars["customdata"][1] == "0 trades, n/a won, max drawdown $0.00"


# ------------------------------------------------------------------------------------------- Monte Carlo


@pytest.mark.parametrize(
    ("name", "key", "x"), [("paths_permuted", "permutation", "trade"), ("paths_of_days", "days", "session_date")]
)
def test_bands_are_those_of_monte_carlo(name, key, x):
    paths, lines = VALUES["monte_carlo"][key], DRAWN[name]["data"]
    assert [line["name"] for line in lines] == ["5%", "25%", "median", "75%", "95%", "actual"]
    for line, percentile in zip(lines, ("5", "25", "50", "75", "95"), strict=False):
        assert line["y"] == paths["bands_usd"][percentile]
    assert all(line["x"] == paths[x] for line in lines)
    assert [line.get("fill") for line in lines] == [None, *["tonexty"] * 4, None]
    assert lines[2]["line"]["dash"] == "dash"
    assert lines[-1]["line"].get("dash", "solid") == "solid"


def test_the_actual_path_of_trades_is_that_of_monte_carlo():
    actual = DRAWN["paths_permuted"]["data"][-1]
    assert actual["y"] == VALUES["monte_carlo"]["permutation"]["actual_usd"]
    assert actual["y"][-1] == close(VALUES["statistics"]["net_usd"])


def test_the_actual_path_of_days_is_the_equity_after_so_many_session_dates():
    actual, net = DRAWN["paths_of_days"]["data"][-1], VALUES["series"]["by_day"]["net_usd"]
    assert actual["x"] == list(range(len(net) + 1))
    assert actual["y"] == close([sum(net[:k]) for k in range(len(net) + 1)])


def test_the_actual_path_of_many_days_keeps_to_the_steps_of_the_bands():
    days = 500
    tape = Tape.from_prints(
        [NOON + day * DAY + k for day in range(days) for k in range(3)],
        [80_000 + (day * 7 % 5 - 2) * (k // 2) for day in range(days) for k in range(3)],
        instrument=instrument("NQ"),
        whole=True,
    )
    signals = Given(signals_of(tape, {3 * day: 1 for day in range(days)}))
    result = run(tape, signals, Bracket(take_profit=0.25, stop_loss=0.25), settings=FEW_PATHS)
    values = jsonable(result.to_dict())
    actual, net = figures(values)["paths_of_days"]["data"][-1], values["series"]["by_day"]["net_usd"]
    assert len(actual["x"]) < days
    assert any(net)
    assert actual["y"] == close([sum(net[:k]) for k in actual["x"]])


def test_drawdowns_are_outlined_by_the_histograms():
    lines = traces(DRAWN["drawdowns"])
    for key, name in (("permutation", "trades permuted"), ("days", "days drawn")):
        bins = VALUES["monte_carlo"][key]["drawdown_paths"]
        edges, counts = bins["edges_usd"], bins["paths"]
        outline = list(zip(lines[name]["x"], lines[name]["y"], strict=True))
        expected = [(edges[0], 0)]
        for low, high, count in zip(edges, edges[1:], counts, strict=False):
            expected += [(low, count), (high, count)]
        assert outline == [*expected, (edges[-1], 0)]
        assert sum(counts) == 25
    assert lines["days drawn"]["line"]["dash"] == "dot"


def test_the_actual_drawdown_is_marked_and_named():
    layout, fall = DRAWN["drawdowns"]["layout"], VALUES["monte_carlo"]["permutation"]["actual_drawdown_usd"]
    (mark,) = layout["shapes"]
    assert mark["x0"] == mark["x1"] == fall == close(VALUES["statistics"]["max_drawdown_usd"])
    rank = VALUES["monte_carlo"]["permutation"]["actual_drawdown_rank"]
    assert notes(DRAWN["drawdowns"]) == [f"actual ${fall:,.2f}: above {rank:.2%} of the permuted paths"]


def test_the_share_of_paths_with_a_profit_is_shown_for_what_it_is():
    share = VALUES["monte_carlo"]["days"]["profitable_share"]
    told = "of the paths end with a profit, about one minus a one-sided p-value"
    assert notes(DRAWN["paths_of_days"]) == [f"{share:.2%} {told}"]


@pytest.mark.parametrize("synthetic", [True, False])
def test_each_chart_of_a_synthetic_market_says_so(synthetic):
    values = VALUES | {"tape": VALUES["tape"] | {"synthetic": synthetic}}
    for figure in figures(values).values():
        texts = [note["text"] for note in figure["layout"].get("annotations", [])]
        assert ("SYNTHETIC" in texts) == synthetic
