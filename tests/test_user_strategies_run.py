"""Strategies of users run by every face: the command line, the scripts, the dashboard; and a new file to start from."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.asking import answer, ask, refused, values_of
from support.market import market
from support.scripts import script
from support.tapes import tape_of
from support.user_files import DATACLASS, EVERY, PLAIN, SIGNALS, line_of, message, written

import scalpr_zen
import scalpr_zen.dashboard.serve
from scalpr_zen import Bracket, ParameterError, Tape, run, save_tape
from scalpr_zen.commands.backtest import backtest_of
from scalpr_zen.dashboard.app import create_app
from scalpr_zen.dashboard.guard import Address
from scalpr_zen.dashboard.workbench import Workbench
from scalpr_zen.strategies.template import write_strategy
from scalpr_zen.strategies.user_code import BUILT_IN, load_strategy, signals_of


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Every test runs in an empty folder, and leaves the places of imports as they were."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def tape():
    return save_tape(market(), "tape.npz")


# The command line -------------------------------------------------------------------------------------

QUICK = ("--monte-carlo-sims", "20", "--json")


def test_the_parameters_of_a_strategy_are_flags(scalpr, tape):
    flags = f"--tape {tape} --strategy {written(EVERY, PLAIN)}:Every --every 20 --trades short --label two-words --late"
    code, out, err = scalpr("backtest", *flags.split(), "--share", "0.5", "--stop-loss", "2.5", *QUICK)
    assert (code, "error" in err) == (0, False)
    used = json.loads(out)["parameters"]
    assert used | {"strategy": "Every", "every": 20, "trades": "short", "label": "two-words", "late": True} == used
    assert (used["share"], used["stop_loss"]) == (0.5, 2.5)
    assert "fast_period" not in used
    strategy = load_strategy("mine.py:Every")(every=20, trades="short", label="two-words", late=True, share=0.5)
    expected = run(Tape.open(tape), strategy, Bracket(stop_loss=2.5)).to_dict()["trades_sha256"]
    assert json.loads(out)["trades_sha256"] == expected


def test_the_strategy_may_be_named_after_its_flags(scalpr, tape):
    for args in (
        ["--every", "30", f"--strategy={written(EVERY)}"],
        ["--no-late", "--strategy", "mine.py", "--every=30"],
    ):
        code, out, _ = scalpr("backtest", "--tape", tape, *args, *QUICK)
        assert (code, json.loads(out)["parameters"]["every"]) == (0, 30)


def test_the_help_of_a_strategy_tells_its_flags(scalpr):
    written(EVERY)
    for args in (["--strategy", "mine.py", "--help"], ["-h", "--strategy", "mine.py:Every"]):
        code, out, err = scalpr("backtest", *args)
        text = " ".join(out.split())
        assert (code, err) == (0, "")
        assert "--every INTEGER Prints from signal to signal. [prints; 1 to 1,000; default 10]" in text
        assert "--late / --no-late" in text
        assert "--fast-period" not in text
        assert "--take-profit" in text


def test_a_built_in_strategy_runs_by_its_name(scalpr, tape):
    code, out, _ = scalpr("backtest", "--tape", tape, "--strategy", "OpeningRange", *QUICK)
    assert (code, json.loads(out)["parameters"]["strategy"]) == (0, "OpeningRange")
    expected = run(Tape.open(tape), BUILT_IN["OpeningRange"]()).to_dict()
    assert json.loads(out)["trades_sha256"] == expected["trades_sha256"]
    assert json.loads(out)["parameters"] | {"monte_carlo_sims": 1_000} == expected["parameters"]


def test_a_plain_class_needs_no_parameters(scalpr, tape):
    code, out, _ = scalpr("backtest", "--tape", tape, "--strategy", written(PLAIN), *QUICK)
    assert (code, json.loads(out)["parameters"]["strategy"]) == (0, "Plain")
    assert json.loads(out)["counts"]["signals"] == 43  # of 300 prints


def line(called) -> str:
    """The message of a refusal: exit code 2, nothing on stdout, one line on stderr."""
    code, out, err = called
    assert (code, out) == (2, "")
    assert re.fullmatch(r"error: [^\n]+\n", err), err
    return err.removeprefix("error: ").rstrip("\n")


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ("--strategy mine.py:Every --every 0", "every must be 1 to 1,000, was 0"),
        ("--strategy mine.py:Every --trades both", "'both' is not one of 'long', 'short'"),
        ("--strategy mine.py:Every --fast-period 3", "No such option"),
        ("--strategy mine.py", "mine.py has 2 strategies: name one"),
        ("--strategy", "requires an argument"),
        ("--strategy OpeningRange --until noon", "until must be a time of the day from 00:00 to 23:59, was 'noon'"),
        ("--strategy missing.py --help", "missing.py does not exist"),
    ],
)
def test_a_bad_strategy_or_flag_of_it_is_refused_in_one_line(scalpr, tape, flags, told):
    written(EVERY, PLAIN)
    assert told.lower() in line(scalpr("backtest", "--tape", tape, *flags.split())).lower()
    assert not Path("results").exists()


def test_an_error_of_a_strategy_is_one_line_of_its_file(scalpr, tape):
    written("class Mine:\n    def signals(self, tape):\n        return tape.prices\n")
    told = line(scalpr("backtest", "--tape", tape, "--strategy", "mine.py"))
    assert told.startswith(
        f"mine.py line {line_of('tape.prices')}: AttributeError: 'Tape' object has no attribute 'prices'"
    )


def colliding(name, kind="int", default="1"):
    body = f"class Mine(Parameters):\n    {name}: {kind} = param({default}, 'A name.')\n\n" + SIGNALS
    return written(DATACLASS + body)


@pytest.mark.parametrize("name", ["stop_loss", "seed", "tape", "strategy", "as_json", "help", "overlap", "no_overlap"])
def test_a_strategy_that_names_a_parameter_as_the_run_does_is_refused(scalpr, tape, name):
    kind = ("bool", "True") if "overlap" in name else ("int", "1")
    told = line(scalpr("backtest", "--tape", tape, "--strategy", colliding(name, *kind)))
    assert told == f"mine.py line {line_of('@dataclass')}: a strategy must not name a parameter {name}: the run has one"


def test_a_name_in_capitals_is_a_flag_too(scalpr, tape):
    code, out, _ = scalpr("backtest", "--tape", tape, "--strategy", colliding("Period"), "--Period", "3", *QUICK)
    assert (code, json.loads(out)["parameters"]["Period"]) == (0, 3)


# The scripts ------------------------------------------------------------------------------------------


def test_run_backtest_runs_a_strategy_of_a_file(tape, capsys):
    chosen = {"TAPE": str(tape), "STRATEGY": written(EVERY, PLAIN) + ":Every", "STRATEGY_PARAMETERS": {"every": 30}}
    backtest_of(vars(script("run_backtest")) | chosen | {"MONTE_CARLO_SIMS": 0})
    assert "\nEvery: every=30, " in capsys.readouterr().out


def test_run_backtest_refuses_parameters_of_another_strategy():
    chosen = {"STRATEGY": "MomentumBurst", "STRATEGY_PARAMETERS": {"fast_period": 3}}
    got = message(lambda: backtest_of(vars(script("run_backtest")) | chosen), kind=ParameterError)
    assert got.startswith("fast_period is no parameter: ")


@pytest.fixture
def served(monkeypatch):
    """The workbenches that a face wanted to serve."""
    benches = []
    monkeypatch.setattr(scalpr_zen.dashboard.serve, "serve", lambda bench, address, say: benches.append(bench))
    return benches


def test_the_script_and_the_command_of_the_dashboard_take_a_strategy(scalpr, tape, served, monkeypatch):
    module = script("dashboard")
    assert module.STRATEGY == "EmaCrossover"
    for constant, value in {"TAPE": str(tape), "STRATEGY": written(EVERY)}.items():
        monkeypatch.setattr(module, constant, value)
    module.main()
    assert scalpr("dashboard", tape, "--strategy", "VwapReversion")[0] == 0
    assert scalpr("dashboard", tape)[0] == 0
    assert [bench.groups["strategy"].__name__ for bench in served] == ["Every", "VwapReversion", "EmaCrossover"]


def test_the_dashboard_refuses_a_strategy_before_it_makes_a_tape(scalpr, served):
    assert line(scalpr("dashboard", "--strategy", "missing.py")).startswith("missing.py does not exist")
    assert served == []
    assert not Path("cache").exists()


# The dashboard ----------------------------------------------------------------------------------------


def bench_of(tape, body):
    return Workbench(tape, load_strategy(written(body)))


def client_of(bench):
    return create_app(bench, Address()).test_client()


def test_the_parameters_of_a_strategy_are_fields_of_the_page(tape):
    client = client_of(bench_of(tape, EVERY))
    [group] = [group for group in answer(client, "/api/about")["groups"] if group["name"] == "strategy"]
    fields = {field["name"]: field for field in group["parameters"]}
    assert group["title"] == "Every"
    assert list(fields) == ["every", "trades", "label", "late", "share"]
    assert fields["every"]["slider_to"] == 100
    assert [fields[name]["kind"] for name in ("every", "trades", "label", "late", "share")] == [
        "int", "str", "str", "bool", "float",
    ]  # fmt: skip
    assert (fields["share"]["default"], fields["share"]["optional"]) == (None, True)


def test_the_dashboard_runs_a_strategy_with_its_parameters(tape):
    client = client_of(bench_of(tape, EVERY))
    given = {"every": 30, "trades": "short", "late": "true", "share": "", "stop_loss": 2.5, "monte_carlo_sims": 20}
    got = values_of(client, given)
    strategy = load_strategy("mine.py")(every=30, trades="short", late=True)
    expected = run(Tape.open(tape), strategy, Bracket(stop_loss=2.5))
    assert got["parameters"]["strategy"] == "Every"
    assert got["trades_sha256"] == expected.to_dict()["trades_sha256"]
    assert "Every" in ask(client, "/api/report.txt", given).text
    assert refused(ask(client, "/api/run", {"every": 0}), 400) == "every must be 1 to 1,000, was 0"
    assert refused(ask(client, "/api/run", {"fast_period": 3}), 400).startswith("fast_period is no parameter")


@pytest.mark.parametrize(
    "body",
    [
        PLAIN,
        PLAIN.replace("class Plain:", "@dataclass\nclass Plain:\n    period: int = 3\n"),
        PLAIN + "\n    def __eq__(self, other):\n        raise TypeError\n",
        PLAIN + "\n    def __hash__(self):\n        raise TypeError\n",
    ],
    ids=["plain", "dataclass", "eq", "hash"],
)
def test_equal_jobs_of_a_plain_class_are_one_run(tape, body):
    bench = bench_of(tape, body)
    first = bench.result(bench.job({}), lambda: False)
    assert bench.result(bench.job({}), lambda: False) is first
    bench.result(bench.job({"stop_loss": "2"}), lambda: False)
    assert len(bench.runs) == 2
    assert len(bench._signals._made) == 1


def test_equal_parameters_are_equal_jobs_whatever_else_a_strategy_holds(tape):
    body = EVERY.replace("    def signals", "    seen: list = field(default_factory=list)\n\n    def signals")
    bench = bench_of(tape, "from dataclasses import field\n\n\n" + body)
    assert bench.job({"every": "30"}) == bench.job({"every": "30", "late": "false"})
    assert hash(bench.job({"every": "30"})) == hash(bench.job({"every": "30"}))
    assert bench.job({"every": "30"}) != bench.job({"every": "31"})


def test_an_error_of_a_strategy_reaches_the_page_in_one_line(tape):
    client = client_of(bench_of(tape, "class Mine:\n    def signals(self, tape):\n        return 1 / 0\n"))
    got = refused(ask(client, "/api/run"), 400)
    assert got == f"mine.py line {line_of('1 / 0')}: ZeroDivisionError: division by zero"


def test_a_strategy_that_names_a_parameter_as_the_dashboard_does_is_refused(tape):
    names = dict.fromkeys(("stop_loss", "seed", "overlap"), "the run")
    names |= dict.fromkeys(("page", "size", "side", "first", "start", "points", "token"), "the dashboard")
    for name, by in names.items():
        kind = load_strategy(colliding(name))
        got = message(lambda kind=kind: client_of(Workbench(tape, kind)), kind=ParameterError)
        told = f"mine.py line {line_of('@dataclass')}: a strategy must not name a parameter {name}: {by} has one"
        assert got == told


# A new strategy ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "stem", "kind"),
    [
        ("my_idea", "my_idea", "MyIdea"),
        ("my-idea", "my_idea", "MyIdea"),
        ("MyIdea", "my_idea", "MyIdea"),
        ("myIdea", "my_idea", "MyIdea"),
        ("idea", "idea", "Idea"),
        ("VWAPFade2", "vwap_fade2", "VWAPFade2"),
        ("fade_2_ticks", "fade_2_ticks", "Fade2Ticks"),
    ],
)
def test_a_name_gives_the_file_and_the_class(scalpr, name, stem, kind):
    code, out, err = scalpr("new-strategy", name)
    assert (code, out) == (0, "")
    assert err.splitlines() == [
        f"written: {stem}.py",
        f"next: scalpr backtest --strategy {stem}.py:{kind}",
        f"      scalpr backtest --strategy {stem}.py:{kind} --help",
        f"      scalpr dashboard --strategy {stem}.py:{kind}",
    ]
    assert [path.name for path in Path().iterdir()] == [f"{stem}.py"]
    assert load_strategy(f"{stem}.py").__name__ == kind
    text = Path(f"{stem}.py").read_text()
    assert f"scalpr backtest --strategy {stem}.py:{kind}\n" in text
    assert kind == "MyIdea" or "MyIdea" not in text


def test_a_bad_name_is_refused(scalpr):
    for name in ("", "1x", "a b", "a.py", "../a", "a--b", "a_", "_a", "\u00e9", "a:b", "x\n"):
        assert "NAME must be like my_idea, my-idea or MyIdea, was " in line(scalpr("new-strategy", name))
    for name in ("import", "true", "EmaCrossover", "opening-range", "Parameters", "numpy", "signal"):
        told = line(scalpr("new-strategy", name))
        assert told == f"NAME must not be {name}, which is taken: choose another one"
    assert list(Path().iterdir()) == []


def test_no_file_is_overwritten(scalpr):
    Path("my_idea.py").write_text("mine")
    assert line(scalpr("new-strategy", "MyIdea")) == "my_idea.py exists: choose another name or another --folder"
    assert Path("my_idea.py").read_text() == "mine"


def test_the_file_may_lie_in_another_folder(scalpr):
    code, _, err = scalpr("new-strategy", "MyIdea", "--folder", "my ideas/new")
    path = Path("my ideas/new/my_idea.py")
    assert (code, load_strategy(str(path)).__name__) == (0, "MyIdea")
    assert f'--strategy "{path}:MyIdea"' in err
    Path("taken").touch()
    assert line(scalpr("new-strategy", "MyIdea", "--folder", "taken")).startswith(f"{Path('taken/my_idea.py')} cannot")


def test_a_new_strategy_gives_a_signal_where_a_row_of_changes_is_long_enough():
    write_strategy("my_idea")
    strategy = load_strategy("my_idea.py")(in_a_row=3)
    prices = [5, 6, 7, 7, 8, 9, 10, 9, 8, 8, 7, 6, 7]
    assert signals_of(strategy, tape_of(prices)).tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, -1, 0, 0]
    rolled = tape_of(prices, contract=["A"] * 4 + ["B"] * 9)
    assert signals_of(strategy, rolled).tolist() == [0] * 10 + [-1, 0, 0]


def test_a_new_strategy_is_causal():
    write_strategy("my_idea")
    strategy, tape = load_strategy("my_idea.py")(in_a_row=2), market()
    whole = signals_of(strategy, tape).tolist()
    assert set(whole) == {-1, 0, 1}
    for cut in range(len(tape)):
        assert signals_of(strategy, tape.cut(cut)).tolist() == whole[:cut]


@pytest.mark.process
def test_a_new_strategy_runs_as_it_is(scalpr, tape):
    """The commands that a user types, the first backtest in a process of its own."""
    assert scalpr("new-strategy", "my-idea")[0] == 0
    named = ("--strategy", "my_idea.py:MyIdea")
    trades_alone = ("--monte-carlo-sims", "0", "--random-entry-sims", "0", "--prop-firm", "none")
    code = "from scalpr_zen.commands import entry_point; entry_point()"
    command = [sys.executable, "-c", code, "backtest", "--tape", str(tape), *named, *trades_alone]
    asked = ("--in-a-row", "2", "--json")
    done = subprocess.run([*command, *asked], capture_output=True, text=True, check=False)
    assert (done.returncode, "error" in done.stderr) == (0, False), done.stderr
    values = json.loads(done.stdout)
    assert (values["parameters"]["strategy"], values["parameters"]["in_a_row"]) == ("MyIdea", 2)
    assert values["statistics"]["trades"] > 5
    again = scalpr("backtest", "--tape", str(tape), *named, *trades_alone, *asked)[
        1
    ]  # its compiled code is on the disk
    assert json.loads(again)["trades_sha256"] == values["trades_sha256"]
    assert "--in-a-row INTEGER" in scalpr("backtest", *named, "--help")[1]
    Path("my_idea.py").write_text(Path("my_idea.py").read_text().replace("rises + 1", "rises + one"))
    code, out, err = scalpr("backtest", "--tape", str(tape), *named)
    assert (code, out) == (2, "")
    message = r"error: my_idea\.py line \d+: (TypingError: )?NameError: (global )?name 'one' is not defined\n"
    assert re.fullmatch(message, err), err
