"""Load, create and call a user's strategy; errors name the line of the user's file."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import os
import re
import sys
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import Field, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalpr_zen import strategies
from scalpr_zen.base.errors import ParameterError, ScalprError, StrategyError
from scalpr_zen.base.params import Parameter, Parameters, declared
from scalpr_zen.data.tape import Tape, signal_error
from scalpr_zen.strategies.source import record_source

BUILT_IN: dict[str, type[Any]] = {name: getattr(strategies, name) for name in strategies.__all__}
_OURS = str(Path(__file__).parents[1]) + os.sep
_KINDS = (int, float, bool, str)
_LONGEST = 300


def load_strategy(text: str) -> type[Any]:
    """Return a strategy class by name.

    Parameters
    ----------
    text : str
        Name of a built-in strategy, file and class (`my_file.py:MyStrategy`), or a file with exactly one strategy.

    Raises
    ------
    StrategyError
        If there is no such class, its file cannot be run, or the class is not a strategy.
    """
    if text in BUILT_IN:
        return BUILT_IN[text]
    path, name = (text, None) if _is_file(text) else _split(text)
    module = _run_file(path)
    kind = _named(module, path, name) if name else _only(module, path)
    _check(kind)
    return kind


def make_strategy(kind: type[Any], given: Mapping[str, Any]) -> Any:
    """Return a strategy of a class with the given parameters; the others have their defaults.

    Raises
    ------
    ScalprError
        If a parameter is unknown or invalid, or the class raises an error.
    """
    known = [parameter.name for parameter in declared(kind)]
    if unknown := [name for name in given if name not in known]:
        names = f"they are {', '.join(known)}" if known else "it has none"
        raise ParameterError(f"{unknown[0]} is not a parameter of {kind.__name__}: {names}", unknown[0])
    with _reported(lambda: _origin(kind), as_it_is=ScalprError):  # an invalid value has the same message everywhere
        return kind(**given)


def signals_of(strategy: Any, tape: Tape) -> NDArray[np.int8]:
    """Return the signals of a strategy, int8 of shape (n,).

    Raises
    ------
    StrategyError
        If the strategy raises an error, or does not return one of -1, 0, +1 for each print.
    """

    def origin() -> _Origin:
        return _origin(type(strategy), getattr(strategy, "signals", None))

    with _reported(origin):
        signals: NDArray[np.int8] = strategy.signals(tape)
    if wrong := signal_error(signals, len(tape)):
        raise StrategyError(f"{origin()}: {type(strategy).__name__}: signals must be {wrong}")
    return signals


def refuse_taken(kind: type[Any], taken: Collection[str], by: str = "the run") -> None:
    """Refuse a strategy with a parameter name that is already taken.

    Raises
    ------
    ParameterError
    """
    flags = {parameter.name: _flags(parameter) for parameter in declared(kind)}
    if twice := sorted(name for name, mine in flags.items() if not mine.isdisjoint(taken)):
        raise ParameterError(f"{_origin(kind)}: a strategy must not name a parameter {', '.join(twice)}: {by} has one")


def _flags(parameter: Parameter) -> set[str]:
    """Return the flag names of a parameter: `--x` and, for a bool, `--no-x`."""
    return {parameter.name, f"no_{parameter.name}"} if parameter.kind is bool else {parameter.name}


# Files ------------------------------------------------------------------------------------------------


def _is_file(text: str) -> bool:
    return text.lower().endswith(".py")


def _split(text: str) -> tuple[str, str]:
    """Return path and class, split at the last colon: a Windows path has one after the drive letter."""
    path, _, name = text.rpartition(":")
    if not _is_file(path) or not name.isidentifier():
        known = ", ".join(BUILT_IN)
        raise StrategyError(f"strategy must be {known}, or a file as in my_file.py:MyStrategy, was {text!r}")
    return path, name


def _run_file(path: str) -> ModuleType:
    """Return the module of a file. It can import modules beside it, but installed modules come first."""
    file = os.path.abspath(os.path.expanduser(path))
    try:
        source = Path(file).read_bytes()
    except FileNotFoundError:
        raise StrategyError(
            f"{path} does not exist: scalpr new-strategy NAME writes a strategy to start from"
        ) from None
    except OSError as error:
        raise StrategyError(f"{path} cannot be read: {error.strerror}") from None
    if (folder := os.path.dirname(file)) not in sys.path:
        sys.path.append(folder)
    module = ModuleType(f"strategy_{hashlib.sha256(file.encode()).hexdigest()[:16]}")
    module.__file__ = file
    sys.modules[module.__name__] = module  # dataclasses and numba look there
    try:
        record_source(module, Path(file))
        with _reported(lambda: _Origin((file,))):
            exec(compile(source, file, "exec", dont_inherit=True), vars(module))
    except BaseException:
        del sys.modules[module.__name__]
        raise
    return module


def _strategies_in(module: ModuleType) -> list[type[Any]]:
    """Return the strategy classes defined in the file itself."""
    classes = dict.fromkeys(value for value in vars(module).values() if isinstance(value, type))
    mine = [kind for kind in classes if kind.__module__ == module.__name__ and not kind.__name__.startswith("_")]
    return [kind for kind in mine if callable(getattr(kind, "signals", None))]


def _named(module: ModuleType, path: str, name: str) -> type[Any]:
    found = vars(module).get(name)
    if isinstance(found, type):
        return found
    others = ", ".join(kind.__name__ for kind in _strategies_in(module)) or "none"
    raise StrategyError(f"{path} has no class {name}: its strategies are {others}")


def _only(module: ModuleType, path: str) -> type[Any]:
    found = _strategies_in(module)
    if not found:
        raise StrategyError(f"{path} has no strategy, which is a class with signals(tape)")
    if len(found) > 1:
        each = " or ".join(f"{path}:{kind.__name__}" for kind in found)
        raise StrategyError(f"{path} has {len(found)} strategies: name one, {each}")
    return found[0]


# Classes ----------------------------------------------------------------------------------------------


def _check(kind: type[Any]) -> None:
    """Refuse a class that is not a strategy before anything runs."""
    origin, name = _origin(kind), kind.__name__
    if not callable(getattr(kind, "signals", None)):
        raise StrategyError(f"{origin}: {name} has no signals(tape), which gives one int8 a print")
    fields = [field for base in kind.__mro__ for field in vars(base).values() if isinstance(field, Field)]
    if fields:
        raise StrategyError(f"{origin}: {name} has parameters: put @dataclass(frozen=True, kw_only=True) above it")
    with_param = [field for field in getattr(kind, "__dataclass_fields__", {}).values() if field.metadata]
    if with_param and not issubclass(kind, Parameters):
        raise StrategyError(f"{origin}: {name} has parameters: derive it from Parameters")
    with _reported(lambda: origin):
        known = declared(kind)
    for parameter in known:
        if parameter.kind not in _KINDS:
            raise StrategyError(f"{origin}: {name}.{parameter.name} must be an int, float, bool or str")
        try:
            parameter.checked(parameter.default)
        except ParameterError as error:
            raise StrategyError(f"{origin}: {name}: as its default {error}") from None
        if others := _flags(parameter) & {other.name for other in known if other is not parameter}:
            raise StrategyError(f"{origin}: {name} must not have {others.pop()}, a flag of its {parameter.name}")
    try:
        inspect.signature(kind).bind(**{parameter.name: parameter.default for parameter in known})
    except TypeError as error:
        raise StrategyError(
            f"{origin}: {name} is made from its declared parameters alone, and cannot be: {error}"
        ) from None
    except ValueError:  # classes written in C have no signature
        pass


# Errors -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Origin:
    """The files of a strategy and a line; as text, the place that an error message names."""

    files: tuple[str, ...] = ()
    line: int | None = None

    def at(self, line: int | None) -> str:
        name = os.path.basename(self.files[0]) if self.files else "the strategy"
        return f"{name} line {line}" if line else name

    def __str__(self) -> str:
        return self.at(self.line)


def _origin(kind: type[Any], method: Any = None) -> _Origin:
    """Return where a class or its method is defined; files of this package only if there is no other."""
    code = getattr(inspect.unwrap(method), "__code__", None) if method else None
    home = getattr(sys.modules.get(kind.__module__), "__file__", None)
    found = [file for file in (code and code.co_filename, home) if file]
    files = [file for file in found if not file.startswith(_OURS)] or found
    if code and code.co_filename == files[0]:
        return _Origin(tuple(files), code.co_firstlineno)
    line = None
    with contextlib.suppress(OSError, TypeError):
        line = inspect.getsourcelines(kind)[1]
    return _Origin(tuple(files), line)


@contextlib.contextmanager
def _reported(find: Callable[[], _Origin], as_it_is: tuple[()] | type[Exception] = ()) -> Iterator[None]:
    """Turn any error, except those of the types `as_it_is`, into one line: file, innermost line, and message.

    `find` is called only after an error, because it reads the source.
    """
    try:
        yield
    except as_it_is:
        raise
    except (Exception, SystemExit) as error:
        origin = find()
        gist = _gist(error, origin)
        text = f"{_place(error, origin)}: {type(error).__name__}" + (f": {gist}" if gist else "")
        raise StrategyError(text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "...") from error


def _place(error: BaseException, origin: _Origin) -> str:
    if isinstance(error, SyntaxError) and error.filename in origin.files:
        return origin.at(error.lineno)
    if _of_numba(error):  # its message names the kernels, innermost first
        names = {os.path.basename(file) for file in origin.files}
        for file, line in re.findall(r'^File "([^"]+)", line (\d+):', str(error), re.M):
            if os.path.basename(file) in names:
                return origin.at(int(line))
    frames = traceback.walk_tb(error.__traceback__)
    lines = [line for frame, line in frames if frame.f_code.co_filename in origin.files]
    return origin.at(lines[-1] if lines else origin.line)


def _gist(error: BaseException, origin: _Origin) -> str:
    """Return the message in one line; of numba's many lines the first, and the code that it points at."""
    if isinstance(error, SyntaxError) and error.filename in origin.files:
        return error.msg
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in str(error).splitlines()]
    if not _of_numba(error):
        return " ".join(" ".join(lines).split())
    lines = [line for line in lines if line and not line.startswith("Failed in ")]
    pointed = [line.removeprefix(">>> ") for line in lines[1:2] if line.startswith(">>> ")]
    return " ".join(lines[:1] + pointed)


def _of_numba(error: BaseException) -> bool:
    return type(error).__module__.startswith("numba.")
