"""The scripts: constants at the top, and the same work as the commands."""

import json
import re
from pathlib import Path

import pytest
from support.console import DEFAULTS, OTHER
from support.market import market
from support.scripts import ROOT, script

from scalpr_zen import MomentumBurst, Tape, commands, instrument, save_tape
from scalpr_zen.base.params import declared
from scalpr_zen.commands import console
from scalpr_zen.commands.backtest import CONSTANTS, backtest_of, run_script
from scalpr_zen.data.demo import write_demo
from scalpr_zen.data.front_month import Roll

pytestmark = pytest.mark.usefixtures("elsewhere")


@pytest.fixture
def tape(tmp_path):
    return save_tape(market(), tmp_path / "tape.npz")


def backtest_script(**constants):
    """Run run_backtest.py with other constants."""
    backtest_of(vars(script("run_backtest")) | constants)


def test_run_backtest_begins_with_the_six_parameters_that_a_trader_changes_first():
    text = (ROOT / "run_backtest.py").read_text()
    names = re.findall(r"^([A-Z_]+)(?:: .*)? = ", text, re.M)
    assert names[:6] == [
        "FAST_EMA_PERIOD",
        "SLOW_EMA_PERIOD",
        "TP_POINTS",
        "SL_POINTS",
        "POINT_VALUE",
        "MONTE_CARLO_SIMS",
    ]
    assert len(names) == len(set(names)) == 6 + len(OTHER) + 1


def test_run_backtest_as_it_is_runs_the_declared_defaults_with_the_point_value_of_nq(tape):
    backtest_script(TAPE=str(tape))
    [path] = Path("results").glob("*.json")
    used = json.loads(path.read_text())["parameters"]
    assert used == {"strategy": "EmaCrossover"} | DEFAULTS | {"point_value": 20.0}
    assert instrument("NQ").point_value == script("run_backtest").POINT_VALUE


def test_run_backtest_runs_what_its_constants_say(tape, capsys):
    chosen = {CONSTANTS.get(name, name.upper()): value for name, value in OTHER.items()}
    backtest_script(**chosen, TAPE=str(tape), RESULTS_DIR="there", WRITE_CSV=True, WRITE_HTML=True)
    paths = {path.suffix: path for path in Path("there").iterdir()}
    assert set(paths) == {".txt", ".json", ".csv", ".html"}
    used = json.loads(paths[".json"].read_text())["parameters"]
    assert used == {"strategy": "EmaCrossover", "overlap": False, **OTHER}
    last = capsys.readouterr().out.rstrip("\n").split("\n")[-20:]  # below the notes, which a file has whole
    assert "\n".join(last) in paths[".txt"].read_text()


def test_another_strategy_alone_runs_with_its_own_defaults_and_takes_its_parameters(tape):
    backtest_script(TAPE=str(tape), STRATEGY="MomentumBurst", RESULTS_DIR="a")
    backtest_script(TAPE=str(tape), STRATEGY="MomentumBurst", RESULTS_DIR="b", STRATEGY_PARAMETERS={"burst_ticks": 8})
    used = [json.loads(next(Path(name).glob("*.json")).read_text())["parameters"] for name in ("a", "b")]
    default = {p.name: p.default for p in declared(MomentumBurst)}
    assert [{name: values[name] for name in default} for values in used] == [default, default | {"burst_ticks": 8}]
    assert all("fast_period" not in values for values in used)


@pytest.mark.parametrize(
    ("constant", "value", "message"),
    [
        ("TP_POINTS", -1.0, "take_profit must be >= 0.000000001, was -1.0"),
        ("TAPE", "missing", "missing does not exist"),
    ],
)
def test_a_bad_value_in_run_backtest_is_refused_in_one_line(capsys, constant, value, message):
    with pytest.raises(SystemExit) as done:
        run_script(vars(script("run_backtest")) | {constant: value})
    assert done.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1


def test_the_constants_of_preprocess_are_the_defaults():
    module = script("preprocess")
    assert {name: value for name, value in vars(module).items() if name.isupper()} == {
        "DATA_DIR": "data",
        "ROOT": "NQ",
        "OUT": "cache/nq.npz",
        "ROLL": Roll().rule,
        "ROLL_DAYS": Roll().days,
        "SCHEDULE": "",
    }
    options = {option.name: option for option in commands.scalpr.commands["preprocess"].params}
    assert options["roll_days"].default == module.ROLL_DAYS


def test_preprocess_runs_what_its_constants_say(capsys, monkeypatch):
    write_demo(Path("files"), 1, prints_a_session=1_000)
    module = script("preprocess")
    for constant, value in {"DATA_DIR": "files", "OUT": "made/nq.npz", "SCHEDULE": "NQZ5 2025-12-08"}.items():
        monkeypatch.setattr(module, constant, value)
    monkeypatch.setattr(module, "ROLL", "schedule")
    module.main()
    assert Tape.open("made/nq.npz").segments["contract"].tolist() == ["NQZ5"]
    assert "NQZ5" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "constant"), [("preprocess", "DATA_DIR"), ("dashboard", "TAPE")])
def test_a_script_refuses_in_one_line(name, constant, capsys, monkeypatch):
    module = script(name)
    monkeypatch.setattr(module, constant, "missing")
    with pytest.raises(SystemExit) as end:
        console.main(module.main)
    err = capsys.readouterr().err
    assert (end.value.code, err.count("\n")) == (2, 1)
    assert "missing does not exist" in err
