"""The notes of a report, the stamp of a synthetic tape, and reports of few trades or none."""

import json

import pytest
from support.market import METADATA, market
from support.reports import FAST, FEW_PATHS, csv_rows, golden_tape, refused_or_reported, report_of, section

from scalpr_zen import EmaCrossover, Execution, Tape, instrument, run, save
from scalpr_zen.render.text import number
from scalpr_zen.sections import sections
from scalpr_zen.sections.statistics import STATISTICS


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    return golden_tape(tmp_path_factory.mktemp("tape"))


# Notes ------------------------------------------------------------------------------------------------


def cost_lines(result) -> list[str]:
    return [line for line in result.full_text().split("\n") if "each $1.00 of cost" in line]


def test_without_costs_one_line_says_what_each_dollar_would_take(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    trades = len(result.trades)
    [line] = cost_lines(result)
    assert f"each $1.00 of cost per round turn takes ${trades}.00" in line
    # It is true: 50 cents a side are a dollar a round turn.
    paid = run(tape, FAST, execution=Execution(commission=0.5), settings=FEW_PATHS)
    net = [r.to_dict()["statistics"]["net_usd"] for r in (result, paid)]
    assert net[0] - net[1] == trades
    assert not cost_lines(paid)
    assert not cost_lines(run(tape, FAST, execution=Execution(slippage_ticks=1), settings=FEW_PATHS))


def notes(result, section_name) -> list[str]:
    return list(sections()[section_name].notes(result.run, result.values))


@pytest.mark.parametrize(
    ("execution", "words"),
    [
        ({}, ["no costs are set", "target_fill=touch", "latency_ms=0", "stop_fill=trigger", "slippage_ticks=0"]),
        ({"entry": "signal", "stop_fill": "level"}, ["OPTIMISTIC entry=signal", "OPTIMISTIC stop_fill=level"]),
        ({"overlap": True, "roll_exit": "close"}, ["overlap", "roll_exit=close"]),
        ({"point_value": 2.0, "contracts": 3}, ["point_value is 2 USD", "contracts=3: buy & hold is one contract"]),
        ({"target_fill": "queue", "queue_ahead": 7}, ["target_fill=queue: 7 contracts ahead are assumed"]),
    ],
)
def test_what_is_more_optimistic_than_the_market_is_noted(tape, execution, words):
    result = run(tape, FAST, execution=Execution(**execution), settings=FEW_PATHS)
    noted = "\n".join([*notes(result, "parameters"), *notes(result, "statistics")])
    assert [word for word in words if word not in noted] == []


def test_a_strict_run_with_costs_has_no_note_of_its_parameters(tape):
    strict = {"target_fill": "through", "stop_fill": "next", "latency_ms": 1.0, "slippage_ticks": 1}
    costly = Execution(**strict, point_value=20.0, commission=1.0)
    assert not notes(run(tape, FAST, execution=costly, settings=FEW_PATHS), "parameters")


@pytest.mark.parametrize(
    ("trades", "dates", "noted"), [(9, 0, True), (9, 1, True), (9, 19, True), (9, 20, False), (0, 5, False)]
)
def test_figures_by_day_of_fewer_than_20_session_dates_are_noted(tape, trades, dates, noted):
    result = run(tape, FAST, settings=FEW_PATHS)
    result.values["statistics"] |= {"trades": trades, "session_dates": dates}
    found = [note for note in notes(result, "statistics") if "t-statistic by day" in note]
    count = "1 session date counts" if dates == 1 else f"{dates} session dates count"
    about = "Sharpe, Sortino, days profitable and the t-statistic by day mean little"
    assert found == [f"only {count}: with fewer than 20, {about}"] * noted


def test_the_range_of_the_fill_models_is_noted(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    nets = [row["net_usd"] for row in result.to_dict()["fills"]["table"] if row["costs"] == "set"]
    [note] = notes(result, "fills")
    assert f"from {number(min(nets), 'usd')} (" in note
    assert f"to {number(max(nets), 'usd')} (" in note
    assert note in result.to_dict()["notes"]


def test_a_spread_that_the_strategy_does_not_pay_and_random_entries_do_is_noted(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    trades, shares = len(result.trades), {"strategy_inside_share": 0.68, "inside_share": 0.48}
    entries = result.values["random_entries"]

    def noted(**changed):
        return notes(result.having({"random_entries": (entries | shares | changed, 0.0)}), "random_entries")

    words = "68.00% of the entries do not pay the spread, 48.00% of random ones: at one tick each "
    assert noted() == [f"{words}{number(0.2 * trades * 5, 'usd')} of the net P&L is a spread that was not paid"]
    assert noted(inside_share=0.64) == noted(inside_share=0.9) == []
    result.values["parameters"]["slippage_ticks"] = 1
    assert noted() == []


def test_what_a_result_rests_on_is_noted_before_what_it_shows(tape):
    result = run(tape, FAST, execution=Execution(entry="signal"), settings=FEW_PATHS)
    expected = [
        note for name in ("counts", "tape", "parameters", "fills", "statistics") for note in notes(result, name)
    ]
    assert [note for note in result.to_dict()["notes"] if note in expected] == expected
    assert len(expected) > 3


# Synthetic --------------------------------------------------------------------------------------------


def outputs(result, folder) -> dict[str, str]:
    txt, as_json, table = (path.read_text() for path in save(result, folder, csv=True))
    shown = {"screen": str(result), "full text": result.full_text(), "html": result._repr_html_()}
    return {"txt": txt, "json": as_json, "csv": table, "to_json": result.to_json(), **shown}


@pytest.mark.parametrize("synthetic", [True, False])
def test_synthetic_is_stamped_on_every_output_of_such_a_tape(tmp_path, synthetic):
    result = run(market(metadata={**METADATA, "synthetic": synthetic}), FAST, settings=FEW_PATHS)
    found = outputs(result, tmp_path)
    for name in ("txt", "csv", "screen", "full text", "html"):
        assert ("SYNTHETIC" in found[name]) is synthetic, name
    for name in ("txt", "screen", "full text", "html"):
        head = found[name].split("NOTE")[0]
        assert ("SYNTHETIC" in head) is synthetic, name
    # The columns of the CSV file are given: the stamp stands beside the contract of every row.
    stamped = {row["contract"].endswith(" SYNTHETIC") for row in csv_rows(result)}
    assert stamped == {synthetic}
    for name in ("json", "to_json"):
        assert json.loads(found[name])["tape"]["synthetic"] is synthetic


# Few or none ------------------------------------------------------------------------------------------


def test_a_tape_shorter_than_the_warm_up_gives_a_report_without_trades(tmp_path):
    result = run(market().cut(40), EmaCrossover(), settings=FEW_PATHS)
    text, values = report_of(result), json.loads(result.to_json())
    assert (values["statistics"]["trades"], values["counts"]["signals"], values["monte_carlo"]) == (0, 0, {})
    undefined = {key for key, value in values["statistics"].items() if value is None}
    assert {"win_rate", "profit_factor", "expectancy_usd", "t_statistic", "p_value", "sqn"} <= undefined
    assert {"sharpe", "sortino", "payoff", "days_profitable", "trades_a_day", "max_drawdown_usd"} <= undefined
    lines = {line[2:32].strip(): line.split() for line in section(text, "STATISTICS")}
    for row in STATISTICS:
        if row.key in undefined:
            assert "n/a" in lines[row.label]
        assert not {"PASS", "FAIL"} & set(lines[row.label])
    assert "TRADE LOG: 0 trades" in text
    assert len(save(result, tmp_path, csv=True)) == 3
    assert len(list(result.text("csv").splitlines())) == 1
    assert len(result.to_dataframe()) == 0


@pytest.mark.parametrize("prints", [1, 2, 5, 6])
def test_tapes_of_a_few_prints_give_a_report(prints):
    result = run(market().cut(prints), FAST, settings=FEW_PATHS)
    assert f"{prints} in 1 session date\n" in report_of(result)


def test_a_tape_without_prints_is_refused_or_gives_a_report_without_trades():
    empty = Tape.from_prints([], [], instrument=instrument("NQ"))
    refusal, text = refused_or_reported(empty, FAST, settings=FEW_PATHS)
    assert "TRADE LOG: 0 trades" in text or "print" in refusal
