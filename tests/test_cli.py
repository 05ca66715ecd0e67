"""The console command: what it prints, writes and refuses."""

import json
import os
import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from support.console import DEFAULTS, FAST, OTHER, PARAMETERS, refused, results
from support.market import market

import scalpr_zen
import scalpr_zen.data.demo
from scalpr_zen import ScalprError, Setup, Tape, commands, save_tape, start
from scalpr_zen.base.params import declared
from scalpr_zen.commands import console, demo
from scalpr_zen.runs.backtest import run_setup
from scalpr_zen.sections.setup import GROUPS

pytestmark = pytest.mark.usefixtures("elsewhere")


@pytest.fixture
def tape(tmp_path):
    return save_tape(market(), tmp_path / "tape.npz")


# ---------------------------------------------------------------------------------------------- backtest


def test_backtest_prints_the_summary_and_writes_the_report(scalpr, tape):
    code, out, err = scalpr("backtest", "--tape", tape, *FAST)
    assert code == 0
    written = results()
    assert set(written) == {".txt", ".json"}
    report = written[".txt"].read_text()
    assert "\n".join(out.rstrip("\n").split("\n")[-20:]) in report  # above stand the notes, which a file has whole
    assert "TRADE LOG: 9 trades" in report
    assert "TRADE LOG" not in out
    assert "SYNTHETIC" in out
    *paths, times = [line for line in err.split("\n") if line]
    assert paths == [f"written: {written[key]}" for key in (".txt", ".json")]
    stages = "signals simulation statistics fills random-entries monte-carlo prop-firm".replace("-", "_").split()
    assert re.fullmatch(
        r"took \d+\.\d\d s: " + ", ".join(rf"{stage} \d+\.\d\d" for stage in stages).replace("_", " "), times
    )


def test_json_prints_the_json_and_nothing_else(scalpr, tape):
    code, out, _ = scalpr("backtest", "--tape", tape, *FAST, "--json")
    assert code == 0
    assert out == results()[".json"].read_text()
    assert json.loads(out)["statistics"]["trades"] == 9
    assert json.loads(out)["tape"]["synthetic"] is True


def test_csv_writes_the_trades_too(scalpr, tape):
    scalpr("backtest", "--tape", tape, *FAST, "--csv")
    written = results()
    assert set(written) == {".txt", ".json", ".csv"}
    assert len({path.stem for path in written.values()}) == 1
    assert len(written[".csv"].read_text().splitlines()) == 1 + 9


def flags_of(values):
    """The flags of parameters."""
    flags = {name: "--" + name.replace("_", "-") for name in values}
    return [
        word
        for name, value in values.items()
        for word in ([flags[name]] if value is True else [flags[name], str(value)])
    ]


def test_every_flag_reaches_the_run(scalpr, tape):
    assert {*OTHER, "overlap"} == set(DEFAULTS)
    assert all(DEFAULTS[name] != value for name, value in OTHER.items())
    code, out, _ = scalpr("backtest", "--tape", tape, *flags_of(OTHER), "--out", "elsewhere", "--json")
    assert code == 0
    got = json.loads(out)
    assert got["parameters"] == {"strategy": "EmaCrossover", "overlap": False, **OTHER}
    assert len(list(Path("elsewhere").iterdir())) == 2
    assert not Path("results").exists()
    groups = [group(**{p.name: OTHER[p.name] for p in declared(group) if p.name in OTHER}) for group in PARAMETERS]
    expected = run_setup(Tape.open(tape), groups[0], Setup(**dict(zip(GROUPS, groups[1:], strict=True))))
    for name in ("trades_sha256", "counts", "monte_carlo", "fills", "random_entries", "prop_firm"):
        assert got[name] == json.loads(expected.to_json())[name]


def test_the_flag_of_overlap_reaches_the_run(scalpr, tape):
    _, out, _ = scalpr("backtest", "--tape", tape, "--overlap", "--fast-period", 3, "--slow-period", 8, "--json")
    assert json.loads(out)["parameters"]["overlap"] is True
    assert json.loads(out)["counts"]["ignored"] == 0


def test_flags_left_out_are_the_declared_defaults(scalpr, tape):
    _, out, _ = scalpr("backtest", "--tape", tape, "--json", "--no-overlap")
    assert json.loads(out)["parameters"] == {"strategy": "EmaCrossover", **DEFAULTS, "point_value": 20.0}


def test_help_shows_a_flag_with_its_range_choices_and_default(scalpr):
    code, out, err = scalpr("backtest", "--help")
    text = " ".join(out.split())
    assert (code, err) == (0, "")
    for shown in ("[prints; 1 to 1,000,000; default 50]", "--overlap / --no-overlap", "[next|signal]", "--csv"):
        assert shown in text


def test_a_tape_shorter_than_the_warm_up_gives_a_report_without_trades(scalpr, tape):
    code, out, _ = scalpr("backtest", "--tape", tape, "--slow-period", "1000")
    assert code == 0
    assert re.search(r"Win rate of decided trades +n/a", out)
    values = json.loads(results()[".json"].read_text())
    assert (values["statistics"]["trades"], values["statistics"]["win_rate"]) == (0, None)


# ------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--fast-period 0", "fast_period must be 1 to 1,000,000, was 0"),
        ("--fast-period x", "fast_period must be a whole number, was 'x'"),
        ("--fast-period 2.5", "fast_period must be a whole number, was '2.5'"),
        ("--fast-period 200", "fast_period must be below slow_period, was 200 with slow_period 200"),
        ("--take-profit 10.1", "take_profit must be a multiple of the tick 0.25, was 10.1"),
        ("--stop-loss nan", "stop_loss must be points like 2.5 or ticks like 8t, was 'nan'"),
        ("--take-profit 1e300", "take_profit must be at most"),
        ("--latency-ms -1", "latency_ms must be 0 to 60,000, was -1.0"),
        ("--entry soon", "'soon' is not one of 'next', 'signal'"),
        ("--take-profits 10", "No such option"),
        ("--take-profit", "requires an argument"),
        ("more", "unexpected extra argument"),
    ],
)
def test_bad_input_is_refused_in_one_line(scalpr, tape, flags, message):
    assert message.lower() in refused(scalpr("backtest", "--tape", tape, *flags.split())).lower()
    assert not Path("results").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_folder_is_refused(scalpr, tape):
    Path("closed").mkdir(mode=0o500)
    assert "closed" in refused(scalpr("backtest", "--tape", tape, *FAST, "--out", "closed/results"))


def test_a_tape_that_is_none_is_refused(scalpr, tape):
    whole = tape.read_bytes()
    Path("half.npz").write_bytes(whole[: len(whole) // 2])
    Path("text.npz").write_text("no tape\n")
    Path("empty.npz").touch()
    Path("folder.npz").mkdir()
    assert "missing.npz does not exist" in refused(scalpr("backtest", "--tape", "missing.npz"))
    for name in ("half.npz", "text.npz", "empty.npz", "folder.npz"):
        for command in (("backtest", "--tape"), ("info",)):
            assert name in refused(scalpr(*command, name))


@pytest.mark.parametrize("args", [("nonsense",), ("--nonsense",), ("info",), ("preprocess",), ("info", "a", "b")])
def test_bad_commands_are_refused_in_one_line(scalpr, args):
    refused(scalpr(*args))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("missing --root NQ", "missing does not exist"),
        (". --root NQ", "holds no DBN file"),
        (".", "give either --root or --instrument"),
        (". --root NQ --instrument NKD", "give either --root or --instrument"),
        (". --root ZZZ", "was 'ZZZ'"),
        (". --instrument NKD", "must be the line"),
        (". --root NQ --roll weekly", "'weekly' is not one of"),
        (". --root NQ --workers 0", "0 is not in the range"),
    ],
)
def test_bad_preprocessing_is_refused_in_one_line(scalpr, flags, message):
    assert message in refused(scalpr("preprocess", *flags.split()))


@pytest.mark.parametrize("flags", ["--sessions 0", "--sessions 100000", "--seed -1", "--sessions few"])
def test_a_bad_demo_is_refused_in_one_line(scalpr, flags):
    refused(scalpr("demo", *flags.split()))
    assert not Path("cache").exists()


def test_the_range_of_sessions_in_the_help_is_the_one_that_the_demo_takes():
    [option] = [option for option in commands.scalpr.commands["demo"].params if option.name == "sessions"]
    with pytest.raises(ScalprError, match="sessions must be 1 to ") as error:
        scalpr_zen.data.demo.write_demo(Path("market"), sessions=10**9)
    [most] = re.findall(r"1 to ([\d,]+)", str(error.value))
    assert (option.type.min, option.type.max) == (1, int(most.replace(",", "")))


def test_an_interrupted_command_says_so_in_one_line(capsys):
    def command():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as end:
        console.main(command)
    assert "interrupted" in refused((end.value.code, *capsys.readouterr()))


def test_a_message_of_more_lines_becomes_one(capsys):
    def command():
        raise ScalprError("first\n  second")

    with pytest.raises(SystemExit) as end:
        console.main(command)
    assert refused((end.value.code, *capsys.readouterr())) == "first second"


def test_the_installed_command_is_this_one():
    [command] = entry_points(group="console_scripts", name="scalpr")
    assert command.load() is start.entry_point


# ---------------------------------------------------------------------------- version, help, info, demo


def test_version_and_help(scalpr):
    assert scalpr("--version")[:2] == (0, f"scalpr, version {scalpr_zen.__version__}\n")
    code, out, err = scalpr()
    assert (code, err) == (0, "")
    for name in ("demo", "preprocess", "backtest", "info"):
        assert re.search(rf"^  {name} ", out, re.M)
        assert scalpr(name, "--help")[0] == scalpr(name, "-h")[0] == 0


def test_info_shows_all_about_a_tape(scalpr, tape):
    code, out, err = scalpr("info", tape)
    assert (code, err) == (0, "")
    assert "TAPE (SYNTHETIC)" in out
    assert Tape.open(tape).metadata["sha256"] in out
    for text in ("NQ E-mini Nasdaq-100", "300 in 4 session dates", "2024-11-01 to 2024-12-17", "NQZ4 -> NQH5"):
        assert text in out
    segments = re.findall(r"^  (NQ\w\d) +(\d+)$", out, re.M)
    assert segments == [("NQZ4", "180"), ("NQH5", "120")]


def test_info_as_json_is_the_metadata(scalpr, tape):
    code, out, err = scalpr("info", tape, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == Tape.open(tape).metadata | {"incomplete": []}
    assert json.loads(out)["synthetic"] is True


@pytest.fixture
def small_demo(monkeypatch):
    """The demo market with a thousand prints a session."""
    whole = scalpr_zen.data.demo.write_demo

    def small(folder, sessions, seed, **others):
        return whole(folder, sessions, seed, prints_a_session=1_000, **others)

    monkeypatch.setattr(scalpr_zen.data.demo, "write_demo", small)


def test_demo_writes_files_that_preprocess_and_backtest_read(scalpr, small_demo):
    code, out, err = scalpr("demo", "--sessions", "2", "--seed", "3", "--out", "market")
    assert (code, out) == (0, "")
    assert "SYNTHETIC" in err
    assert "next: scalpr preprocess market --root NQ" in err
    assert all(path.name.endswith(".trades.dbn.zst") for path in Path("market").iterdir())
    code, out, err = scalpr("preprocess", "market", "--root", "NQ", "--out", "made.npz")
    assert code == 0
    assert "TAPE (SYNTHETIC)" in out
    assert err.endswith("written: made.npz\n")
    assert len(re.findall(r"^  glbx-\S+ +[\d,]+ +[\d,]+  [0-9a-f]{64}$", out, re.M)) == 3
    code, out, _ = scalpr("backtest", "--tape", "made.npz", *FAST)
    assert code == 0
    assert "SYNTHETIC" in out


def test_without_a_tape_the_demo_market_is_made_once_and_used(scalpr, small_demo, monkeypatch):
    monkeypatch.setattr(demo, "DEMO_SESSIONS", 1)
    code, out, err = scalpr("backtest", *FAST, "--json")
    assert code == 0
    assert json.loads(out)["tape"]["synthetic"] is True
    assert "no tape given: building the built-in demo market" in err
    assert Path("cache/demo.npz").exists()
    code, again, err = scalpr("backtest", *FAST, "--json")
    assert "building" not in err
    assert json.loads(again)["trades_sha256"] == json.loads(out)["trades_sha256"]


# ------------------------------------------------------------------------------------------------ others


@pytest.mark.parametrize("flag", ["--strategy", "--tape", "--out"])
def test_an_empty_text_does_not_stand_for_the_default(scalpr, tape, flag):
    code, out, err = scalpr("backtest", "--tape", tape, flag, "")
    assert (code, out) == (2, "")
    assert err == f"error: the {flag[2:]} must not be empty: leave it out for the default\n"


def test_what_a_strategy_prints_is_no_result(scalpr, tape):
    Path("talks.py").write_text(
        "import numpy as np\n\nprint('loaded')\n\n\nclass Talks:\n    def signals(self, tape):\n"
        "        print('asked')\n        return np.zeros(len(tape), np.int8)\n"
    )
    code, out, err = scalpr("backtest", "--tape", tape, "--strategy", "talks.py:Talks", "--json")
    assert code == 0
    assert json.loads(out)["parameters"]["strategy"] == "Talks"
    assert err.startswith("loaded\nasked\n")


def test_verify_finds_no_look_ahead_in_an_honest_strategy(scalpr, tape):
    code, out, _ = scalpr("verify", tape, "--fast-period", 2, "--slow-period", 5, "--cuts", 12)
    assert code == 0
    assert re.fullmatch(
        r"no look-ahead found: 68 signals and 9 trades are the same before each of \d+ cuts, "
        r"the signals of short stretches before each of [\d,]+, among them \d+ signals\n",
        out,
    )


def test_verify_says_where_signals_that_are_left_out_would_not_be_seen(scalpr, tape):
    Path("first.py").write_text(
        "import numpy as np\n\n\nclass First:\n    def signals(self, tape):\n"
        "        return np.array([1] + [0] * (len(tape) - 1), np.int8)\n"
    )
    code, out, _ = scalpr("verify", tape, "--strategy", "first.py:First", "--cuts", 6)
    assert code == 0
    assert out.endswith("among them no signal, so a strategy that looks ahead to suppress signals would pass\n")


def test_verify_names_the_first_print_that_differs_and_ends_with_2(scalpr, tape):
    Path("peek.py").write_text(
        "import numpy as np\n\n\nclass Peek:\n    def signals(self, tape):\n"
        "        return np.append(np.sign(np.diff(tape.price)), 0).astype(np.int8)\n"
    )
    code, out, err = scalpr("verify", tape, "--strategy", "peek.py:Peek")
    assert (code, out) == (2, "")
    assert re.search(r"^error: look-ahead: .*the signal of print \d+", err.splitlines()[-1])
