"""The identity of a run: everything that decides its result, as plain data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from scalpr_zen.base.errors import ParameterError, nearest
from scalpr_zen.base.params import RENAMED, Parameter, Parameters, declared, renamed
from scalpr_zen.data.tape import Tape
from scalpr_zen.sections.setup import GROUPS, Setup
from scalpr_zen.strategies.source import strategy_sha256
from scalpr_zen.strategies.user_code import make_strategy

Value = float | int | bool | str | None
Declared = tuple[tuple[Parameter, Any], ...]


def make_run(kind: type[Any], given: Mapping[str, Any]) -> tuple[Any, Setup]:
    """Return the strategy and the setup of flat parameters; those left out have their defaults.

    This is the one place where flat parameters become groups.

    Parameters
    ----------
    kind : type
        The strategy's class.
    given : mapping
        Values by the names of the parameters, in their types.

    Raises
    ------
    ScalprError
        If a name is no parameter, or a value is refused.
    """
    kinds = {"strategy": kind, **GROUPS}
    known = {parameter.name for group in kinds.values() for parameter in declared(group)}
    if unknown := [name for name in given if name not in known]:
        if RENAMED.get(unknown[0]) in known:
            raise renamed(unknown[0])
        raise ParameterError(f"{unknown[0]} is no parameter: {nearest(unknown[0], sorted(known))}", unknown[0])
    own = {name: {p.name: given[p.name] for p in declared(group) if p.name in given} for name, group in kinds.items()}
    strategy = make_strategy(kind, own.pop("strategy"))
    groups: dict[str, Any] = {name: GROUPS[name](**values) for name, values in own.items()}
    return strategy, Setup(**groups)


def all_parameters(strategy: Any, setup: Setup) -> Declared:
    """Return every declared parameter of a run with its value, the strategy's first.

    Raises
    ------
    ParameterError
        If a parameter of the strategy has the name of one of the run's.
    """
    found = tuple((p, getattr(group, p.name)) for group in _groups(strategy, setup) for p in declared(type(group)))
    names = [parameter.name for parameter, _ in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ParameterError(f"a strategy must not name a parameter {', '.join(sorted(twice))}: the run has one")
    return found


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """Everything that decides the result of a run. Equal specs give equal results in one version of the package.

    Attributes
    ----------
    tape_sha256 : str or None
        The tape's; None for a tape that was never saved.
    strategy : str
        The name of the strategy's class.
    strategy_sha256 : str or None
        The strategy's source (`strategy_sha256`); None if no source determines its signals.
    parameters : dict
        Every parameter by its name: a number, a text, true or false, or None.
    contents : dict
        The SHA-256 of what was read from files, by the parameter that names the file.
    """

    tape_sha256: str | None
    strategy: str
    strategy_sha256: str | None
    parameters: Mapping[str, Value]
    contents: Mapping[str, str]

    @classmethod
    def of(cls, tape: Tape, strategy: Any, setup: Setup) -> RunSpec:
        """Return the spec of a run."""
        return cls(
            tape_sha256=tape.metadata.get("sha256"),
            strategy=type(strategy).__name__,
            strategy_sha256=strategy_sha256(strategy),
            parameters={parameter.name: value for parameter, value in all_parameters(strategy, setup)},
            contents=_contents(strategy, setup),
        )

    @classmethod
    def from_json(cls, text: str) -> RunSpec:
        """Return the spec that `to_json` wrote.

        Raises
        ------
        ParameterError
            If the text is not a spec.
        """
        try:
            given = json.loads(text)
        except ValueError as error:
            raise ParameterError(f"the run spec is not JSON: {error}") from None
        names = [field.name for field in fields(cls)]
        if not isinstance(given, dict) or sorted(given) != sorted(names):
            raise ParameterError(f"a run spec is an object with {', '.join(names)}")
        texts = {name: given[name] for name in names[:3]}
        if not all(isinstance(value, str) or (value is None and name != "strategy") for name, value in texts.items()):
            raise ParameterError(f"{', '.join(texts)} of a run spec must be text")
        values = given["parameters"]
        if not isinstance(values, dict) or not all(isinstance(value, Value) for value in values.values()):
            raise ParameterError("parameters of a run spec must be an object of numbers, texts, true, false and null")
        files = given["contents"]
        if not isinstance(files, dict) or not all(isinstance(value, str) for value in files.values()):
            raise ParameterError("contents of a run spec must be an object of texts")
        return cls(**given)

    def to_json(self) -> str:
        """Return the spec as JSON; equal specs give equal text."""
        about = {field.name: getattr(self, field.name) for field in fields(self)}
        return json.dumps(about, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @cached_property
    def key(self) -> str | None:
        """The SHA-256 of the JSON; None where the tape or the strategy is not identified by one."""
        if self.tape_sha256 is None or self.strategy_sha256 is None:
            return None
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def __hash__(self) -> int:
        return hash(self.to_json())

    def make(self, kind: type[Any]) -> tuple[Any, Setup]:
        """Return the strategy, an object of this class, and the setup of the run.

        Raises
        ------
        ScalprError
            If the class or its source is another one, a parameter is missing, unknown or refused.
        """
        if kind.__name__ != self.strategy:
            raise ParameterError(f"the run spec is of the strategy {self.strategy}, not of {kind.__name__}")
        strategy, setup = make_run(kind, self.parameters)
        if missing := [p.name for p, _ in all_parameters(strategy, setup) if p.name not in self.parameters]:
            raise ParameterError(f"the run spec has no {missing[0]}: another version of scalpr_zen made it")
        if strategy_sha256(strategy) != self.strategy_sha256:
            raise ParameterError(f"the source of {self.strategy} has changed since the run spec was made")
        for name, content in _contents(strategy, setup).items():
            if content != self.contents.get(name):
                raise ParameterError(f"the file {self.parameters[name]} has changed since the run spec was made")
        return strategy, setup


def _groups(strategy: Any, setup: Setup) -> list[Parameters]:
    """Return the groups of declared parameters; a strategy need not be one."""
    groups = (strategy, *(getattr(setup, name) for name in GROUPS))
    return [group for group in groups if isinstance(group, Parameters)]


def _contents(strategy: Any, setup: Setup) -> dict[str, str]:
    return {name: sha256 for group in _groups(strategy, setup) for name, sha256 in group.contents().items()}
