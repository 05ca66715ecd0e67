"""The trade log, as text, CSV and a data frame."""

import re
import subprocess
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from support.market import market
from support.reports import FAST, FEW_PATHS, csv_rows, golden_tape, report_of, section
from support.tapes import Given, signals_of, tape_of

from scalpr_zen import Bracket, Execution, run, save_tape
from scalpr_zen.simulation.kernel import REASONS

CHICAGO = ZoneInfo("America/Chicago")
CSV_COLUMNS = ["number", "side", "contract", "session_date", "entry_time", "entry_price", "exit_time", "exit_price"]
CSV_COLUMNS += ["exit_reason", "gross_points", "commission_usd", "net_usd", "mfe_points", "mae_points"]


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    return golden_tape(tmp_path_factory.mktemp("tape"))


def test_the_trade_log_is_whole_and_its_times_are_chicago_s(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    text = report_of(result)
    heading, *lines = text[text.index("\nTRADE LOG") :].strip().split("\n")[2:]
    names = re.split(r"\s{2,}", heading.strip())
    rows = [dict(zip(names, re.split(r"\s{2,}", line.strip()), strict=True)) for line in lines]
    assert len(rows) == len(result.trades) > 0
    for row, trade in zip(rows, result.trades, strict=True):
        assert row["side"] == {1: "LONG", -1: "SHORT"}[trade["side"]]
        assert row["exit reason"] == REASONS[trade["reason"]]
        for name in ("entry", "exit"):
            local = datetime.fromisoformat(row[f"{name} time"])
            assert local.timestamp() * 1e9 == pytest.approx(int(trade[f"{name}_ts"]), abs=1e6)
            assert local.utcoffset() == local.astimezone(CHICAGO).utcoffset()
            assert float(row[f"{name} price"]) == trade[f"{name}_ticks"] * 0.25
        assert float(row["net usd"]) == trade["net_usd"]
        for column in ("gross", "mfe", "mae"):
            assert float(row[f"{column} points"]) == trade[f"{column}_ticks"] * 0.25


def test_the_csv_has_the_given_columns_and_exact_values(tape):
    execution = Execution(commission=2.27, contracts=3, slippage_ticks=1)
    result = run(tape, FAST, execution=execution, settings=FEW_PATHS)
    rows = csv_rows(result)
    assert list(rows[0]) == CSV_COLUMNS
    assert len(rows) == len(result.trades) > 0
    for k, (row, trade) in enumerate(zip(rows, result.trades, strict=True)):
        assert row["number"] == str(k + 1)
        assert row["side"] == {1: "LONG", -1: "SHORT"}[trade["side"]]
        assert row["contract"] == f"{tape.segments['contract'][trade['segment']]} SYNTHETIC"
        assert row["session_date"] == str(tape.sessions["date"][trade["session"]])
        for name in ("entry", "exit"):
            stamp = row[f"{name}_time"]
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", stamp)
            assert np.datetime64(stamp[:-1], "ns").astype(int) == trade[f"{name}_ts"]
            assert row[f"{name}_price"] == f"{trade[f'{name}_ticks'] / 4:.2f}"
        assert row["exit_reason"] == REASONS[trade["reason"]]
        for name in ("gross", "mfe", "mae"):
            assert row[f"{name}_points"] == f"{trade[f'{name}_ticks'] / 4:.2f}"
        assert float(row["commission_usd"]) == 2 * 2.27 * 3
        assert float(row["net_usd"]) == trade["net_usd"]
    points = sum(float(row["gross_points"]) for row in rows)
    gross = result.to_dict()["statistics"]["gross_usd"]
    assert points * 20 * 3 == gross


@pytest.mark.parametrize(
    ("root", "ticks", "shown"),
    [
        ("6J", 13_579, "0.0067895"),
        ("ZN", 7_073, "110.515625"),
        ("ZT", 26_627, "104.01171875"),
        ("YM", 44_123, "44123"),
        ("RTY", 22_003, "2200.3"),
        ("CL", -3_763, "-37.63"),
    ],
)
def test_prices_have_the_decimals_of_the_tick(root, ticks, shown):
    tape = tape_of([ticks, ticks, ticks + 2], root=root)
    size = tape.instrument.tick_size
    bracket = Bracket(take_profit=2 * size, stop_loss=2 * size)
    result = run(tape, Given(signals_of(tape, {0: 1})), bracket, settings=FEW_PATHS)
    [row] = csv_rows(result)
    assert row["entry_price"] == shown
    assert float(row["gross_points"]) == 2 * size
    assert f" {shown} " in report_of(result)


def test_to_dataframe_has_the_columns_of_the_csv(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    frame = result.to_dataframe()
    assert list(frame.columns) == CSV_COLUMNS
    assert frame["net_usd"].tolist() == result.trades["net_usd"].tolist()
    assert (frame["exit_price"] * 4).tolist() == result.trades["exit_ticks"].tolist()
    assert str(frame["entry_time"].dt.tz) == "UTC"
    for name in ("entry", "exit"):
        got = frame[f"{name}_time"].dt.tz_localize(None).to_numpy().astype("M8[ns]").astype(int)
        assert got.tolist() == result.trades[f"{name}_ts"].tolist()
    assert frame["side"].tolist() == [row["side"] for row in csv_rows(result)]
    assert frame["session_date"].astype(str).tolist() == [row["session_date"] for row in csv_rows(result)]


@pytest.mark.process
def test_neither_ingest_nor_a_backtest_imports_pandas_or_the_vendor_s_library(tmp_path):
    save_tape(market(), tmp_path / "tape.npz")
    code = (
        "import sys; import scalpr_zen.commands, scalpr_zen.data.preprocess; "
        "from scalpr_zen import EmaCrossover, SessionRules, Tape, run, save; tape = Tape.open('tape.npz'); "
        "result = run(tape, EmaCrossover(fast_period=2, slow_period=5), rules=SessionRules(flat_before_close=1.0)); "
        "save(result, 'results', csv=True); str(result); "
        "assert len(result.trades); print({'pandas', 'databento'} & set(sys.modules)); "
        "result.to_dataframe(); print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["set()", "True"]


def test_void_and_open_trades_are_listed(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    listed = section(report_of(result), "VOID AND OPEN TRADES")[1:]
    assert [re.search(r"\b(void|open)\b", line).group() for line in listed] == ["void", "open"]
