"""The rules of prop firm evaluations: packaged files, a trader's own file, and parameters that replace single rules.

A firm changes its rules without notice. Each packaged file, `facts/prop_firms/*.toml`, says when its rules were known
to hold and names the pages; `note` says where those pages differ. docs/prop_firm.md says how each rule is evaluated.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from scalpr_zen.base import facts
from scalpr_zen.base.errors import ParameterError, nearest
from scalpr_zen.base.params import Parameters, declared, param
from scalpr_zen.sections.prop_firm.kernels import SHARE_STEPS

KINDS = ("end_of_day", "peak_equity")
BREACHES = ("day_over", "bust")
NEVER_LOCKS = 1_000_000.0
"""The lock, as a parameter, that means none."""


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    """The rules of one evaluation account, each described in RULE_FIELDS.

    Amounts are USD; profits count from the starting balance. None where there is no such rule.
    """

    name: str
    title: str
    account_usd: float
    target_usd: float
    drawdown_usd: float
    drawdown_kind: str
    lock_usd: float | None = None
    daily_loss_usd: float | None = None
    daily_loss_breach: str = "day_over"
    min_days: int = 0
    consistency: float | None = None
    contracts: int | None = None
    known: str = ""
    sources: tuple[str, ...] = ()
    note: str = ""


RULE_FIELDS = {
    "name": "name of the rule set",
    "title": "its title",
    "account_usd": "starting balance",
    "target_usd": "profit that passes",
    "drawdown_usd": "distance of the floor below what it trails",
    "drawdown_kind": "what the floor trails",
    "lock_usd": "profit above which the floor does not rise; null where it never locks",
    "daily_loss_usd": "loss of a day that is a breach; null where there is no limit",
    "daily_loss_breach": "what that breach does",
    "min_days": "trading days before a pass",
    "consistency": "largest share of the profit that the best day may have; null for any",
    "contracts": "most contracts at a time; null for any number",
    "known": "date of the oldest dated page of the sources",
    "sources[]": "page of the rules",
    "note": "where the pages differ, and what is not modelled",
}
"""The sentence of each rule of a RuleSet, as docs/json.md has it."""
FIRMS = facts.prop_firms()
"""The packaged rule sets, by name."""


def _rule(sentence: str, **about: Any) -> Any:
    """Declare a parameter that stands in place of a rule of the rule set."""
    return param(None, sentence, none="as the rule set", **about)


@dataclass(frozen=True, kw_only=True)
class PropFirm(Parameters):
    """Which evaluation of a prop firm the trades go through; none: the rule of the firm."""

    TITLE: ClassVar[str] = "Prop-firm evaluation"

    prop_firm: str = param(
        "topstep-50k", "Rules of the prop firm's evaluation.", choices=("none", "custom", *FIRMS), file=".toml"
    )
    prop_account: float | None = _rule("Starting balance.", unit="USD", low=1, high=100_000_000)
    prop_target: float | None = _rule("Profit that passes.", unit="USD", low=0.01, high=100_000_000)
    prop_drawdown: float | None = _rule(
        "Distance of the floor below what it trails.", unit="USD", low=0.01, high=100_000_000
    )
    prop_drawdown_kind: str | None = _rule(
        "What the floor trails: the balance at a day's end, or the peak of the open equity.", choices=KINDS
    )
    prop_lock: float | None = _rule(
        "Profit above which the floor does not rise; 1000000: it never locks.", unit="USD", low=-1e6, high=1e6
    )
    prop_daily_loss: float | None = _rule(
        "Loss of a day that is a breach; 0: no limit.", unit="USD", low=0, high=100_000_000
    )
    prop_daily_loss_breach: str | None = _rule("What that breach does.", choices=BREACHES)
    prop_min_days: int | None = _rule("Trading days before a pass.", unit="days", low=0, high=1_000)
    prop_consistency: float | None = _rule(
        "Largest part of the profit that the best day may have; 1: any.", unit="share", low=0.01, high=1
    )
    prop_contracts: int | None = _rule(
        "Contracts that the firm allows; 0: any. Shown only.", unit="contracts", low=0, high=10_000
    )
    prop_sims: int = param(1_000, "Paths of drawn session dates.", unit="paths", low=0, high=100_000)
    prop_days: int = param(60, "Session dates of each such path.", unit="session dates", low=1, high=1_000)

    _rules: RuleSet | None = field(init=False, repr=False, default=None)

    def check(self) -> None:
        """Read the rule set, and refuse a custom one without its two amounts and rules that contradict each other."""
        missing = [name for name in ("prop_target", "prop_drawdown") if getattr(self, name) is None]
        if self.prop_firm == "custom" and missing:
            raise ParameterError(f"{' and '.join(missing)} must be given with prop_firm=custom", *missing, "prop_firm")
        given = self.given()
        if self.prop_firm == "none":
            if given:
                raise ParameterError(
                    f"{next(iter(given))} needs a prop_firm, which was none", next(iter(given)), "prop_firm"
                )
            return
        found = _CUSTOM if self.prop_firm == "custom" else rule_set(self.prop_firm)
        rules = replace(found, **{_FIELDS[name]: _own(name, value) for name, value in given.items()})
        _refuse_contradiction(rules, {key: name for name, key in _FIELDS.items()})
        object.__setattr__(self, "_rules", rules)  # kept, as a file may change: equal parameters have equal rules

    def contents(self) -> dict[str, str]:
        """Return the SHA-256 of the rules where they come from a trader's own file; packaged ones have a version."""
        if not declared(PropFirm)[0].is_file(self.prop_firm):
            return {}
        rules = json.dumps(asdict(self._rules), sort_keys=True, default=str)  # type: ignore[arg-type]
        return {"prop_firm": hashlib.sha256(rules.encode()).hexdigest()}

    def rules(self) -> RuleSet | None:
        """Return the rule set with what is given in place of its own rules; None for prop_firm=none."""
        return self._rules

    def given(self) -> dict[str, Any]:
        """Return the parameters that stand in place of the rule set's own rules."""
        return {name: getattr(self, name) for name in _FIELDS if getattr(self, name) is not None}


_CUSTOM = RuleSet(
    name="custom", title="own rules", account_usd=50_000.0, target_usd=0.0, drawdown_usd=0.0, drawdown_kind="end_of_day"
)
_FIELDS = {
    name: key.name
    for key in fields(RuleSet)
    if (name := f"prop_{key.name.removesuffix('_usd')}") in PropFirm.__dataclass_fields__
}
"""The rule that each parameter stands in place of."""
_NO_RULE = {"prop_lock": NEVER_LOCKS, "prop_daily_loss": 0.0, "prop_consistency": 1.0, "prop_contracts": 0}


def _own(name: str, value: Any) -> Any:
    """Return the value of a field: None for the value that means that there is no such rule."""
    return None if name in _NO_RULE and value == _NO_RULE[name] else value


def _refuse_contradiction(rules: RuleSet, names: dict[str, str]) -> None:
    """Refuse rules that no account can have; `names` says what the message calls each rule."""
    steps = SHARE_STEPS * (rules.consistency or 0)
    if abs(steps - round(steps)) > 1e-6:
        raise ParameterError(
            f"{names['consistency']} must be a multiple of 0.0001, was {rules.consistency}", names["consistency"]
        )
    if rules.lock_usd is not None and rules.lock_usd < -rules.drawdown_usd:
        raise ParameterError(
            f"{names['lock_usd']} must not be below -{names['drawdown_usd']}, where the floor begins: "
            f"{-rules.drawdown_usd:g}, was {rules.lock_usd:g}",
            names["lock_usd"],
            names["drawdown_usd"],
        )


# Files ------------------------------------------------------------------------------------------------


KEYS = {key.name: key.default is MISSING for key in fields(RuleSet) if key.name != "name"}
"""The keys of a file of rules, and whether a file must have them."""


def rule_set(firm: str) -> RuleSet:
    """Return the rules of a packaged firm, or those of a trader's own `.toml` file.

    Raises
    ------
    ParameterError
        If the file cannot be read, is not TOML, or its rules are incomplete or wrong; the message begins with its path.
    """
    return _packaged(firm) if firm in FIRMS else _read(Path(firm).expanduser(), firm)


@cache
def _packaged(firm: str) -> RuleSet:
    return _read(facts.PROP_FIRMS / f"{firm}.toml", firm)


def _read(path: Path, name: str) -> RuleSet:
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ParameterError(f"{name} cannot be read: {error.strerror or error}", "prop_firm") from None
    except (ValueError, RecursionError) as error:
        raise ParameterError(f"{name} is not TOML: {error}", "prop_firm") from None
    try:
        _refuse_keys(given)
        values = {key: _checked(key, value) for key, value in given.items()}
        rules = RuleSet(name=name, **values)
        _refuse_contradiction(rules, {key: key for key in KEYS})
    except ParameterError as error:
        raise ParameterError(f"{name}: {error}", "prop_firm") from None
    return rules


def _refuse_keys(given: dict[str, Any]) -> None:
    for key in given:
        if key not in KEYS:
            raise ParameterError(f"{key!r} is not a key: {nearest(key, list(KEYS))}")
    if missing := [key for key, needed in KEYS.items() if needed and key not in given]:
        raise ParameterError(f"{' and '.join(missing)} must be given")


def _checked(key: str, value: Any) -> Any:
    """Return the value of a key of a file as a rule set has it."""
    for parameter in declared(PropFirm):
        if _FIELDS.get(parameter.name) == key:
            return _own(parameter.name, replace(parameter, name=key).checked(value))
    if key == "known":
        if type(value) is not date:
            raise ParameterError(f"known must be a date without quotes as in 2026-01-31, was {value!r}")
        return value.isoformat()
    if key == "sources":
        if not isinstance(value, list):
            raise ParameterError(f"sources must be a list of texts, was {value!r}")
        return tuple(_line(key, source) for source in value)
    return _line(key, value)


def _line(key: str, value: Any) -> str:
    """Return a text in one line: line breaks count as spaces."""
    text = " ".join(value.split()) if isinstance(value, str) else ""
    if not (text and text.isascii() and text.isprintable()):
        raise ParameterError(f"{key} must be printable ASCII text, was {value!r}")
    return text
