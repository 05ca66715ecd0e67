"""Strategies of users: found by name or file, run by every face, and refused by the line of their own file."""

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.asking import answer, ask, refused, values_of
from support.budget import JIT
from support.market import market
from support.scripts import script
from support.tapes import tape_of

import scalpr_zen
import scalpr_zen.dashboard.serve
from scalpr_zen import (
    Bracket,
    EmaCrossover,
    ParameterError,
    ScalprError,
    StrategyError,
    Tape,
    run,
    save_tape,
)
from scalpr_zen.commands.backtest import backtest_of
from scalpr_zen.dashboard.app import create_app
from scalpr_zen.dashboard.guard import Address
from scalpr_zen.dashboard.workbench import Workbench
from scalpr_zen.strategies.template import write_strategy
from scalpr_zen.strategies.user_code import BUILT_IN, load_strategy, make_strategy, signals_of

ROOT = Path(__file__).parents[1]
HEAD = """\
from dataclasses import dataclass

import numpy as np
from numba import njit

from scalpr_zen import EmaCrossover, ParameterError, Parameters, param

"""
EVERY = """\
@dataclass(frozen=True, kw_only=True)
class Every(Parameters):
    \"\"\"One signal every so many prints.\"\"\"

    every: int = param(10, "Prints from signal to signal.", unit="prints", low=1, high=1_000)
    trades: str = param("long", "Which side.", choices=("long", "short"))
    label: str = param("any", "A word.")
    late: bool = param(False, "Begin late.")
    share: float | None = param(None, "A number, or none.", low=0)

    def signals(self, tape):
        signals = np.zeros(len(tape), np.int8)
        signals[5 if self.late else 0 :: self.every] = 1 if self.trades == "long" else -1
        return signals
"""
PLAIN = """\
class Plain:
    def signals(self, tape):
        signals = np.zeros(len(tape), np.int8)
        signals[::7] = 1
        return signals
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Every test runs in an empty folder, and leaves the places of imports as they were."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def tape():
    return save_tape(market(), "tape.npz")


def written(*bodies, name="mine.py"):
    """A file of these bodies under the usual imports."""
    Path(name).write_text(HEAD + "\n\n".join(bodies), encoding="utf-8")
    return name


def line_of(text, name="mine.py"):
    """The line of a file that holds a text, which no other line does."""
    [line] = [number for number, line in enumerate(Path(name).read_text().splitlines(), 1) if text in line]
    return line


def message(call, *args, kind=StrategyError):
    with pytest.raises(kind) as error:
        call(*args)
    assert type(error.value) is kind
    assert "\n" not in str(error.value)
    return str(error.value)


def failure(body, kind="Mine"):
    """What is told of a strategy of a file by the time its signals are asked for."""
    written(body)

    def call():
        signals_of(make_strategy(load_strategy(f"mine.py:{kind}"), {}), tape_of([1, 2, 3]))

    return message(call)


# Names and files --------------------------------------------------------------------------------------


def test_each_built_in_strategy_is_known_by_its_name():
    assert set(BUILT_IN) == set(scalpr_zen.strategies.__all__)
    for name, kind in BUILT_IN.items():
        assert load_strategy(name) is kind is getattr(scalpr_zen, name)
        assert name in scalpr_zen.__all__


def test_a_class_of_a_file_is_named_behind_a_colon():
    kind = load_strategy(written(EVERY, PLAIN) + ":Every")
    assert (kind.__name__, kind().every) == ("Every", 10)
    assert load_strategy("./mine.py:Plain").__name__ == "Plain"
    assert load_strategy(str(Path("mine.py").resolve()) + ":Plain").__name__ == "Plain"
    assert load_strategy("mine.py:EmaCrossover") is EmaCrossover


def test_a_path_may_hold_colons():
    written(PLAIN, name="C:\\x\\mine.py")
    assert load_strategy("C:\\x\\mine.py:Plain").__name__ == "Plain"
    assert load_strategy("C:\\x\\mine.py").__name__ == "Plain"


def test_a_file_with_one_strategy_needs_no_class():
    base = "class _Base:\n    def signals(self, tape):\n        return None\n\n\nclass Other:\n    pass\n"
    assert load_strategy(written(base, EVERY)).__name__ == "Every"


def test_of_several_strategies_one_must_be_named():
    got = message(load_strategy, written(EVERY, PLAIN))
    assert got == "mine.py has 2 strategies: name one, mine.py:Every or mine.py:Plain"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mine.py:Missing", "mine.py has no class Missing: its strategies are Every"),
        ("mine.py:np", "mine.py has no class np: its strategies are Every"),
        ("none.py", "none.py has no strategy, which is a class with signals(tape)"),
        ("none.py:Missing", "none.py has no class Missing: its strategies are none"),
        ("missing.py", "missing.py does not exist: scalpr new-strategy NAME writes a strategy to start from"),
        ("missing.py:Every", "missing.py does not exist: scalpr new-strategy NAME writes a strategy to start from"),
        ("folder.py", "folder.py cannot be read: Is a directory"),
        *[
            (text, f", or a file as in my_file.py:MyStrategy, was '{text}'")
            for text in ("emacrossover", "", "mine.py:")
        ],
        *[(text, f", or a file as in my_file.py:MyStrategy, was '{text}'") for text in ("mine:Every", "mine.py:a.b")],
    ],
)
def test_what_names_no_strategy_is_refused(text, told):
    written(EVERY)
    written("", name="none.py")
    Path("folder.py").mkdir()
    assert message(load_strategy, text).endswith(told)


def test_an_unknown_name_is_told_the_known_ones():
    assert message(load_strategy, "Ema").startswith(f"strategy must be {', '.join(BUILT_IN)}, or a file")


def test_a_changed_file_is_read_again():
    assert load_strategy(written(EVERY))().every == 10
    assert load_strategy(written(EVERY.replace("param(10", "param(11")))().every == 11


def test_files_of_one_name_in_two_folders_are_two():
    Path("a").mkdir()
    Path("b").mkdir()
    first = load_strategy(written(EVERY, name="a/mine.py"))
    second = load_strategy(written(EVERY.replace("param(10", "param(11"), name="b/mine.py"))
    assert (first().every, second().every) == (10, 11)


def test_a_file_may_import_what_lies_beside_it():
    Path("beside").mkdir()
    Path("beside/helper_beside.py").write_text("EVERY = 4\n")
    written("from helper_beside import EVERY", PLAIN.replace("::7", "::EVERY"), name="beside/mine.py")
    got = signals_of(load_strategy("beside/mine.py")(), tape_of(range(9)))
    assert np.flatnonzero(got).tolist() == [0, 4, 8]


def test_a_file_beside_it_hides_no_module():
    Path("statistics.py").write_text("raise RuntimeError\n")
    written("import statistics\nassert statistics.mean([1, 3]) == 2", PLAIN)
    assert load_strategy("mine.py").__name__ == "Plain"


def test_postponed_annotations_are_understood():
    Path("mine.py").write_text("from __future__ import annotations\n" + HEAD + EVERY)
    assert load_strategy("mine.py")().every == 10


# Errors of a file -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import os\n\nx = (1,\n", "mine.py line 3: SyntaxError: '(' was never closed"),
        ("def f():\nreturn 1\n", "mine.py line 2: IndentationError: expected an indented block after function"),
        ("import os\nimport no_such_module\n", "mine.py line 2: ModuleNotFoundError: No module named 'no_such_module'"),
        ("from os import nothing\n", "mine.py line 1: ImportError: cannot import name 'nothing' from 'os'"),
        ("def f():\n    return 1 / 0\n\n\nf()\n", "mine.py line 2: ZeroDivisionError: division by zero"),
        ("import json\njson.loads('{')\n", "mine.py line 2: JSONDecodeError: Expecting property name"),
        ("import broken\n", "mine.py line 1: SyntaxError: invalid syntax (broken.py, line 2)"),
        ("raise ValueError('a\\n  b')\n", "mine.py line 1: ValueError: a b"),
        ("raise ValueError\n", "mine.py line 1: ValueError"),
        ("raise ValueError(1_000 * 'x')\n", f"mine.py line 1: ValueError: {'x' * 50}"),
        ("import sys\nsys.exit(3)\n", "mine.py line 2: SystemExit: 3"),
        ("from dataclasses import dataclass\nfrom scalpr_zen import Parameters\n\n\n@dataclass\nclass A(Parameters):\n"
         "    pass\n", "mine.py line 5: TypeError: cannot inherit non-frozen dataclass from a frozen one"),
    ],
)  # fmt: skip
def test_an_error_of_the_file_is_told_by_its_line(source, told):
    Path("broken.py").write_text("\n1 +\n")
    Path("mine.py").write_text(source)
    got = message(load_strategy, "mine.py:A")
    assert got.startswith(told)
    assert len(got) <= 300


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"x = 1\0"])
def test_a_file_that_is_no_text_is_refused(content):
    Path("mine.py").write_bytes(content)
    assert message(load_strategy, "mine.py").startswith("mine.py")


def test_a_file_that_failed_leaves_no_module():
    before = set(sys.modules)
    Path("mine.py").write_text("1 / 0\n")
    message(load_strategy, "mine.py")
    assert set(sys.modules) == before


def test_an_interrupt_while_a_file_runs_is_one():
    Path("mine.py").write_text("raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        load_strategy("mine.py")


# Errors of a class ------------------------------------------------------------------------------------

SIGNALS = "    def signals(self, tape):\n        return np.zeros(len(tape), np.int8)\n"
DATACLASS = "@dataclass(frozen=True, kw_only=True)\n"


@pytest.mark.parametrize(
    ("body", "at", "told"),
    [
        ("class Mine:\n    pass\n", "class Mine", "Mine has no signals(tape), which gives one int8 a print"),
        ("class Mine:\n    signals = 1\n", "class Mine", "Mine has no signals(tape), which gives one int8 a print"),
        (
            "class Mine:\n    def __init__(self, period):\n        pass\n\n" + SIGNALS,
            "class Mine",
            "Mine is made from its declared parameters alone, and cannot be: missing a required argument: 'period'",
        ),
        (
            DATACLASS + "class Mine(Parameters):\n    period: int\n\n" + SIGNALS,
            "@dataclass",
            "Mine is made from its declared parameters alone, and cannot be: missing a required argument: 'period'",
        ),
        (
            "class Mine(Parameters):\n    period: int = param(1, 'Period.')\n\n" + SIGNALS,
            "class Mine",
            "Mine has parameters: put @dataclass(frozen=True, kw_only=True) above it",
        ),
        (
            "class Mine:\n    period: int = param(1, 'Period.')\n\n" + SIGNALS,
            "class Mine",
            "Mine has parameters: put @dataclass(frozen=True, kw_only=True) above it",
        ),
        (
            DATACLASS + "class Mine:\n    period: int = param(1, 'Period.')\n\n" + SIGNALS,
            "@dataclass",
            "Mine has parameters: derive it from Parameters",
        ),
        (
            DATACLASS + "class Mine(Parameters):\n    days: list = param((), 'Days.')\n\n" + SIGNALS,
            "@dataclass",
            "Mine.days must be an int, float, bool or str",
        ),
        (
            DATACLASS + "class Mine(Parameters):\n    days: int = param(5, 'Days.', low=10)\n\n" + SIGNALS,
            "@dataclass",
            "Mine: as its default days must be >= 10, was 5",
        ),
        (
            DATACLASS + "class Mine(Parameters):\n    days: 'Dayz' = param(1, 'Days.')\n\n" + SIGNALS,
            "@dataclass",
            "NameError: name 'Dayz' is not defined",
        ),
        (
            DATACLASS + "class Mine(Parameters):\n    a: bool = param(True, 'A.')\n    no_a: int = param(1, 'B.')\n\n"
            + SIGNALS,
            "@dataclass",
            "Mine must not have no_a, a flag of its a",
        ),
        (
            "class Mine:\n    def __init__(self):\n        self.x = 1 / 0\n\n" + SIGNALS,
            "1 / 0",
            "ZeroDivisionError: division by zero",
        ),
        (
            DATACLASS + "class Mine(Parameters):\n    def check(self):\n        self.x.y\n\n" + SIGNALS,
            "self.x.y",
            "AttributeError: 'Mine' object has no attribute 'x'",
        ),
    ],
)  # fmt: skip
def test_a_class_that_is_no_strategy_is_refused_by_its_line(body, at, told):
    assert failure(body) == f"mine.py line {line_of(at)}: {told}"


def test_a_parameter_that_the_strategy_has_not_is_refused():
    every, plain = (load_strategy(written(EVERY, PLAIN) + f":{name}") for name in ("Every", "Plain"))
    got = message(make_strategy, every, {"evry": 3}, kind=ParameterError)
    assert got == "evry is not a parameter of Every: they are every, trades, label, late, share"
    assert message(make_strategy, plain, {"a": 3}, kind=ParameterError) == "a is not a parameter of Plain: it has none"
    got = message(make_strategy, every, {"every": 0}, kind=ParameterError)
    assert got == "every must be 1 to 1,000, was 0"


# Errors of its signals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "at", "told"),
    [
        ("        return 1 / 0\n", "1 / 0", "ZeroDivisionError: division by zero"),
        ("        return deeper(tape)\n\n\ndef deeper(tape):\n    return tape.prices\n", "tape.prices",
         "AttributeError: 'Tape' object has no attribute 'prices'. Did you mean: 'price'?"),
        ("        return np.zeros(3) + np.zeros(4)\n", "np.zeros(3)", "ValueError: operands could not be broadcast"),
        ("        return EmaCrossover(fast_period=2).signals(None)\n", "signals(None)", "TypeError: object of type"),
        ("        raise SystemExit\n", "SystemExit", "SystemExit"),
        ("        raise KeyError('a')\n", "KeyError", "KeyError: 'a'"),
        ("        def again():\n            return again()\n        return again()\n", "            return again()",
         "RecursionError: maximum recursion depth exceeded"),
    ],
)  # fmt: skip
def test_an_error_of_the_signals_is_told_by_the_deepest_line_of_the_file(body, at, told):
    got = failure("class Mine:\n    def signals(self, tape):\n" + body)
    assert got.startswith(f"mine.py line {line_of(at)}: {told.split('. Did')[0]}")


def test_an_error_in_another_file_is_told_by_the_line_that_calls_it():
    Path("helper_that_fails.py").write_text("def half(x):\n    return x / 0\n")
    got = failure("import helper_that_fails\n\n\nclass Mine:\n    def signals(self, tape):\n"
                  "        return helper_that_fails.half(1)\n")  # fmt: skip
    assert got == f"mine.py line {line_of('half(1)')}: ZeroDivisionError: division by zero"


def test_signals_that_take_other_arguments_are_told_by_their_own_line():
    got = failure("class Mine:\n    def signals(self):\n        pass\n")
    assert got.startswith(
        f"mine.py line {line_of('def signals')}: TypeError: Mine.signals() takes 1 positional argument"
    )


KERNELS = """\
@njit
def inner(price):
    return price.prices


@njit
def outer(price):
    return inner(price)


@njit
def adds(price):
    return price[0] + "a"


@njit
def unknown(price):
    return nothing(price)


class Mine:
    def signals(self, tape):
        return KERNEL(tape.price)
"""


@pytest.mark.skipif(not JIT, reason="without the compiler there are no errors of typing")
@pytest.mark.parametrize(
    ("kernel", "at", "told"),
    [
        ("outer", "price.prices", r"TypingError: Unknown attribute 'prices' of type (readonly )?array\(int32, 1d, C\)"),
        ("adds", '+ "a"', r"TypingError: No implementation of function .*add.* found for signature: add\(int32, .*\)"),
        ("unknown", "return unknown(", r"TypingError: NameError: name 'nothing' is not defined"),
    ],
)
def test_an_error_of_the_compiler_is_told_in_one_line_with_its_gist(kernel, at, told):
    got = failure(KERNELS.replace("KERNEL", kernel))
    assert re.fullmatch(rf"mine\.py line {line_of(at)}: {told}", got), got


def test_an_error_that_a_kernel_raises_is_told_by_its_line():
    got = failure("@njit\ndef never(price):\n    raise ValueError('no')\n\n\nclass Mine:\n"
                  "    def signals(self, tape):\n        return never(tape.price)\n")  # fmt: skip
    assert got == f"mine.py line {line_of('raise')}: ValueError: no"


def test_a_refusal_within_the_signals_is_told_by_its_line_too():
    got = failure("class Mine:\n    def signals(self, tape):\n        raise ParameterError('not on this tape')\n")
    assert got == f"mine.py line {line_of('raise')}: ParameterError: not on this tape"
    got = failure("class Mine:\n    def signals(self, tape):\n"
                  "        return EmaCrossover(fast_period=300).signals(tape)\n")  # fmt: skip
    assert got.startswith(f"mine.py line {line_of('300')}: ParameterError: fast_period must be below slow_period")


def test_a_refused_value_of_a_parameter_is_told_as_every_face_tells_it():
    body = DATACLASS + "class Mine(Parameters):\n    every: int = param(1, 'Every.', low=1)\n\n    def check(self):\n"
    kind = load_strategy(
        written(body + "        if self.every == 3:\n            raise ParameterError('not 3')\n" + SIGNALS)
    )
    assert message(make_strategy, kind, {"every": 0}, kind=ParameterError) == "every must be >= 1, was 0"
    assert message(make_strategy, kind, {"every": 3}, kind=ParameterError) == "not 3"


def test_an_interrupt_within_the_signals_is_one():
    kind = load_strategy(written("class Mine:\n    def signals(self, tape):\n        raise KeyboardInterrupt\n"))
    with pytest.raises(KeyboardInterrupt):
        signals_of(kind(), tape_of([1, 2]))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("None", "int8 (3,), one a print, were NoneType"),
        ("[0, 0, 0]", "int8 (3,), one a print, were list"),
        ("np.zeros(3)", "int8 (3,), one a print, were float64 (3,)"),
        ("np.zeros(2, np.int8)", "int8 (3,), one a print, were int8 (2,)"),
        ("np.full(3, -2, np.int8)", "-1, 0 or +1, were -2 to -2"),
    ],
)
def test_a_wrong_value_is_refused_by_class_and_line(value, told):
    got = failure(f"class Mine:\n    def signals(self, tape):\n        return {value}\n")
    assert got == f"mine.py line {line_of('def signals')}: Mine: signals must be {told}"


def test_a_strategy_defined_in_python_is_told_by_its_line_too():
    class Mine:
        def signals(self, tape):
            return tape.nothing

    line = inspect.getsourcelines(Mine.signals)[1] + 1
    with pytest.raises(StrategyError) as error:
        run(tape_of([1, 2, 3]), Mine(), Bracket())
    assert str(error.value).startswith(f"test_user_strategies.py line {line}: AttributeError: ")
    assert isinstance(error.value.__cause__, AttributeError)


def test_a_built_in_strategy_that_a_user_extends_is_not_blamed():
    body = "class Mine(EmaCrossover):\n    def signals(self, tape):\n        return super().signals(None)\n"
    assert failure(body).startswith(f"mine.py line {line_of('super()')}: TypeError: ")


def test_a_strategy_without_a_file_is_told_by_what_it_raises():
    kind = type("Mine", (), {"signals": int, "__module__": "nowhere"})
    assert message(signals_of, kind(), tape_of([1])).startswith("the strategy: TypeError: int() argument must be")


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


@pytest.mark.parametrize("name", [name for name in BUILT_IN if name != "EmaCrossover"])
def test_each_built_in_strategy_runs_by_its_name(scalpr, tape, name):
    code, out, _ = scalpr("backtest", "--tape", tape, "--strategy", name, *QUICK)
    assert (code, json.loads(out)["parameters"]["strategy"]) == (0, name)
    expected = run(Tape.open(tape), BUILT_IN[name]()).to_dict()
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
        ("--strategy mine.py:Every --every x", "every must be a whole number, was 'x'"),
        ("--strategy mine.py:Every --trades both", "'both' is not one of 'long', 'short'"),
        ("--strategy mine.py:Every --fast-period 3", "No such option"),
        ("--strategy mine.py:Every --every", "requires an argument"),
        ("--strategy mine.py:Plain --every 3", "No such option"),
        ("--strategy mine.py", "mine.py has 2 strategies: name one"),
        ("--strategy", "requires an argument"),
        ("--strategy Every", "strategy must be "),
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


@pytest.mark.parametrize("name", ["stop_loss", "seed", "tape", "strategy", "out", "csv", "json", "as_json", "help"])
def test_a_strategy_that_names_a_parameter_as_the_run_does_is_refused(scalpr, tape, name):
    told = line(scalpr("backtest", "--tape", tape, "--strategy", colliding(name)))
    assert told == f"mine.py line {line_of('@dataclass')}: a strategy must not name a parameter {name}: the run has one"


@pytest.mark.parametrize("name", ["no_overlap", "overlap"])
def test_a_flag_stands_for_one_parameter(scalpr, tape, name):
    told = line(scalpr("backtest", "--tape", tape, "--strategy", colliding(name, "bool", "True")))
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


@pytest.mark.parametrize(
    ("name", "by"),
    [
        *[(name, "the run") for name in ("stop_loss", "seed", "overlap")],
        *[(name, "the dashboard") for name in ("page", "size", "side", "first", "start", "points", "token")],
    ],
)
def test_a_strategy_that_names_a_parameter_as_the_dashboard_does_is_refused(tape, name, by):
    kind = load_strategy(colliding(name))
    got = message(lambda: client_of(Workbench(tape, kind)), kind=ParameterError)
    assert got == f"mine.py line {line_of('@dataclass')}: a strategy must not name a parameter {name}: {by} has one"


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


@pytest.mark.parametrize("name", ["", "1x", "a b", "a.py", "../a", "a--b", "a_", "_a", "\u00e9", "a:b", "x\n"])
def test_a_bad_name_is_refused(scalpr, name):
    assert "NAME must be like my_idea, my-idea or MyIdea, was " in line(scalpr("new-strategy", name))
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("name", ["import", "true", "EmaCrossover", "opening-range", "Parameters", "numpy", "signal"])
def test_a_name_with_a_meaning_is_refused(scalpr, name):
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
    """The commands that a user types, the backtest in processes of their own."""
    assert scalpr("new-strategy", "my-idea")[0] == 0
    named = ("--strategy", "my_idea.py:MyIdea")
    trades_alone = ("--monte-carlo-sims", "0", "--random-entry-sims", "0", "--prop-firm", "none")
    code = "from scalpr_zen.commands import entry_point; entry_point()"
    command = [sys.executable, "-c", code, "backtest", "--tape", str(tape), *named, *trades_alone]
    for _ in range(2):  # the second takes the compiled code from the disk
        done = subprocess.run([*command, "--in-a-row", "2", "--json"], capture_output=True, text=True, check=False)
        assert (done.returncode, "error" in done.stderr) == (0, False), done.stderr
        values = json.loads(done.stdout)
        assert (values["parameters"]["strategy"], values["parameters"]["in_a_row"]) == ("MyIdea", 2)
        assert values["statistics"]["trades"] > 5
    assert "--in-a-row INTEGER" in scalpr("backtest", *named, "--help")[1]
    Path("my_idea.py").write_text(Path("my_idea.py").read_text().replace("rises + 1", "rises + one"))
    code, out, err = scalpr("backtest", "--tape", str(tape), *named)
    assert (code, out) == (2, "")
    message = r"error: my_idea\.py line \d+: (TypingError: )?NameError: (global )?name 'one' is not defined\n"
    assert re.fullmatch(message, err), err


def test_every_error_of_a_strategy_is_one_of_this_package():
    assert issubclass(StrategyError, ScalprError)
