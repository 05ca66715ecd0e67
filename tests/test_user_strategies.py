"""Strategies of users: found by name or file, run by every face, and refused by the line of their own file."""

import inspect
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from support.budget import JIT
from support.market import market
from support.tapes import tape_of
from support.user_files import DATACLASS, EVERY, HEAD, PLAIN, SIGNALS, failure, line_of, message, written

import scalpr_zen
import scalpr_zen.dashboard.serve
from scalpr_zen import Bracket, EmaCrossover, ParameterError, StrategyError, run, save_tape
from scalpr_zen.strategies.user_code import BUILT_IN, load_strategy, make_strategy, signals_of


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Every test runs in an empty folder, and leaves the places of imports as they were."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def tape():
    return save_tape(market(), "tape.npz")


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
