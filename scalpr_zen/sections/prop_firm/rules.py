"""The rules of prop firm evaluations: a table of presets, each dated and with its source, and custom ones.

A firm changes its rules without notice. Each record tells when its rules were known to hold and which pages
told them; `note` names where those pages differ. docs/prop_firm.md says what is done with each rule.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from scalpr_zen.base.errors import ParameterError
from scalpr_zen.base.params import Parameters, declared, param
from scalpr_zen.sections.prop_firm.paths import SHARE_STEPS

KINDS = ("end_of_day", "peak_equity")
BREACHES = ("day_over", "bust")
NEVER_LOCKS = 1_000_000.0
"""The lock, as a parameter, that means none."""


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    """The rules of one evaluation account. Amounts are USD; profits count from the starting balance.

    Attributes
    ----------
    name : str
        What `prop_firm` calls it.
    title : str
        What the firm calls it.
    account_usd, target_usd, drawdown_usd : float
        Starting balance, profit to reach, distance of the floor below what it trails.
    drawdown_kind : str
        What the floor trails: the best balance at the end of a day, or the peak of the open equity.
    lock_usd : float or None
        Profit above which the floor does not rise; None where it trails for ever.
    daily_loss_usd : float or None
        Loss of a day that is a breach; None where there is no limit.
    daily_loss_breach : str
        What the breach does: the day is over, or the account is bust.
    min_days : int
        Trading days before an account can pass.
    consistency : float or None
        Largest share of the total profit that the best day may have; None where there is no such rule.
    contracts : int or None
        Most contracts at a time, ten micros counting as one.
    known : str
        Date of the oldest dated page that told them: they were these then, and nobody knows of later.
    sources : tuple of str
        Pages that told them.
    note : str
        Where the pages differ, and what is not modelled.
    """

    name: str
    title: str
    account_usd: float
    target_usd: float
    drawdown_usd: float
    drawdown_kind: str = "end_of_day"
    lock_usd: float | None = None
    daily_loss_usd: float | None = None
    daily_loss_breach: str = "day_over"
    min_days: int = 0
    consistency: float | None = None
    contracts: int | None = None
    known: str = ""
    sources: tuple[str, ...] = ()
    note: str = ""


_TOPSTEP = "https://help.topstep.com/en/articles/"
_TOPSTEP_SOURCES = (
    _TOPSTEP + "8284197-trading-combine-parameters",
    _TOPSTEP + "8284204-what-is-the-maximum-loss-limit",
    _TOPSTEP + "8284208-consistency-at-topstep",
    _TOPSTEP + "8284207-what-is-the-daily-loss-limit-and-what-happens-if-i-exceed-it",
)
_APEX = "https://apextraderfunding.com/help-center/"
_APEX_PROHIBITED = _APEX + "getting-started/prohibited-activities/"
_BY_HAND = "The firm is quoted to forbid every automation of orders: such an account is traded by hand."
_CHECK = "Known from copies and quotations of these pages: check them against the firm's own before trusting a number."


def _topstep(name: str, thousands: int, target: float, drawdown: float, contracts: int, optional: int) -> RuleSet:
    return RuleSet(
        name=name,
        title=f"Topstep Trading Combine {thousands}K",
        account_usd=thousands * 1_000.0,
        target_usd=target,
        drawdown_usd=drawdown,
        lock_usd=0.0,
        min_days=2,
        consistency=0.55,
        contracts=contracts,
        known="2026-09-17",
        sources=_TOPSTEP_SOURCES,
        note=(
            "Ten micros count as one contract on TopstepX; on its other platforms a micro counts as a whole one. "
            f"The daily loss limit is an option of the account (prop_daily_loss={optional}, the day is over); on "
            "TopstepX there is none by default since 2024-08-25. The best day was limited to 50% of the profit before "
            "2026, and to 40% in the Combine of two steps; a best day above 55% raises the target until it is 55%, "
            f"which is the same as waiting for it; pages differ on exactly 55%, which passes here. {_CHECK}"
        ),
    )


PRESETS: dict[str, RuleSet] = {
    rules.name: rules
    for rules in (
        _topstep("topstep-50k", 50, 3_000.0, 2_000.0, 5, 1_000),
        _topstep("topstep-100k", 100, 6_000.0, 3_000.0, 10, 2_000),
        _topstep("topstep-150k", 150, 9_000.0, 4_500.0, 15, 3_000),
        RuleSet(
            name="apex-50k",
            title="Apex Trader Funding 50K, intraday trailing evaluation",
            account_usd=50_000.0,
            target_usd=3_000.0,
            drawdown_usd=2_000.0,
            drawdown_kind="peak_equity",
            lock_usd=3_000.0,
            min_days=1,
            contracts=6,
            known="2026-04-28",
            sources=(
                _APEX + "evaluation-accounts-ea/intraday-trailing-drawdown-evaluations/",
                _APEX + "intraday-trailing-drawdown-accounts/intraday-trailing-drawdown-explained/",
                _APEX + "additional-helpful-items/position-sizing-evaluation/",
                _APEX_PROHIBITED,
            ),
            note=(
                f"{_BY_HAND} Evaluations sold since 2026-03-01. The floor locks at the target's balance with Rithmic "
                f"and WealthCharts; with Tradovate it trails for ever (prop_lock={NEVER_LOCKS:.0f}); a funded account "
                "locks at its starting balance plus $100 (prop_lock=100). Some pages of 2026 still tell a drawdown of "
                f"$2,500. The 30 days of access are not modelled: prop_days=21 is about as long. {_CHECK}"
            ),
        ),
        RuleSet(
            name="apex-50k-legacy",
            title="Apex Trader Funding 50K, evaluation sold before 2026-03-01",
            account_usd=50_000.0,
            target_usd=3_000.0,
            drawdown_usd=2_500.0,
            drawdown_kind="peak_equity",
            lock_usd=3_000.0,
            min_days=7,
            contracts=10,
            known="2026-07-22",
            sources=(
                _APEX + "evaluation-accounts-ea/legacy-evaluation-rules/",
                "https://support.apextraderfunding.com/hc/en-us/articles/31519769997083-Evaluation-Rules",
                _APEX_PROHIBITED,
            ),
            note=(
                f"{_BY_HAND} The floor locks at the target's balance with Rithmic; with Tradovate it trails for ever "
                f"(prop_lock={NEVER_LOCKS:.0f}); a funded account locks at its starting balance plus $100 "
                f"(prop_lock=100). The firm waived the 7 days at times. {_CHECK}"
            ),
        ),
    )
}


_OWN = "as the rule set"


@dataclass(frozen=True, kw_only=True)
class PropFirm(Parameters):
    """Which evaluation of a prop firm the trades go through; a rule of none is the preset's own."""

    prop_firm: str = param("topstep-50k", "Rules of the prop firm's evaluation.", choices=("none", "custom", *PRESETS))
    prop_account: float | None = param(None, "Starting balance.", unit="USD", low=1, high=100_000_000, none=_OWN)
    prop_target: float | None = param(None, "Profit that passes.", unit="USD", low=0.01, high=100_000_000, none=_OWN)
    prop_drawdown: float | None = param(
        None, "Distance of the floor below what it trails.", unit="USD", low=0.01, high=100_000_000, none=_OWN
    )
    prop_drawdown_kind: str | None = param(
        None,
        "What the floor trails: the balance at a day's end, or the peak of the open equity.",
        choices=KINDS,
        none=_OWN,
    )
    prop_lock: float | None = param(
        None,
        "Profit above which the floor does not rise; 1000000: it never locks.",
        unit="USD",
        low=-1e6,
        high=1e6,
        none=_OWN,
    )
    prop_daily_loss: float | None = param(
        None, "Loss of a day that is a breach; 0: no limit.", unit="USD", low=0, high=100_000_000, none=_OWN
    )
    prop_daily_loss_breach: str | None = param(None, "What that breach does.", choices=BREACHES, none=_OWN)
    prop_min_days: int | None = param(None, "Trading days before a pass.", unit="days", low=0, high=1_000, none=_OWN)
    prop_consistency: float | None = param(
        None,
        "Largest part of the profit that the best day may have; 1: any.",
        unit="share",
        low=0.01,
        high=1,
        none=_OWN,
    )
    prop_contracts: int | None = param(
        None, "Contracts that the firm allows; 0: any. Only told.", unit="contracts", low=0, high=10_000, none=_OWN
    )
    prop_sims: int = param(1_000, "Paths of drawn session dates.", unit="paths", low=0, high=100_000)
    prop_days: int = param(60, "Session dates of each such path.", unit="session dates", low=1, high=1_000)

    def check(self) -> None:
        """Refuse a custom set without its two amounts, and rules that contradict each other."""
        missing = [name for name in ("prop_target", "prop_drawdown") if getattr(self, name) is None]
        if self.prop_firm == "custom" and missing:
            raise ParameterError(f"{' and '.join(missing)} must be given with prop_firm=custom")
        rules = self.rules()
        if rules is None:
            if given := [p.name for p in declared(PropFirm) if p.optional and getattr(self, p.name) is not None]:
                raise ParameterError(f"{given[0]} needs a prop_firm, which was none")
            return
        steps = SHARE_STEPS * (rules.consistency or 0)
        if abs(steps - round(steps)) > 1e-6:
            raise ParameterError(f"prop_consistency must be a multiple of 0.0001, was {rules.consistency}")
        if rules.lock_usd is not None and rules.lock_usd < -rules.drawdown_usd:
            raise ParameterError(
                f"prop_lock must not be below -prop_drawdown, where the floor begins: {-rules.drawdown_usd:g}, "
                f"was {rules.lock_usd:g}"
            )

    def rules(self) -> RuleSet | None:
        """Return the rule set with what is given in place of the preset's own; None for prop_firm=none."""
        if self.prop_firm == "none":
            return None
        if self.prop_firm == "custom":
            found = RuleSet(name="custom", title="own rules", account_usd=50_000.0, target_usd=0.0, drawdown_usd=0.0)
        else:
            found = PRESETS[self.prop_firm]
        return replace(found, **{_FIELDS[name]: _own(name, value) for name, value in self.given().items()})

    def given(self) -> dict[str, Any]:
        """Return the parameters that stand in place of the preset's own rules."""
        return {name: getattr(self, name) for name in _FIELDS if getattr(self, name) is not None}


_FIELDS = {
    "prop_account": "account_usd",
    "prop_target": "target_usd",
    "prop_drawdown": "drawdown_usd",
    "prop_drawdown_kind": "drawdown_kind",
    "prop_lock": "lock_usd",
    "prop_daily_loss": "daily_loss_usd",
    "prop_daily_loss_breach": "daily_loss_breach",
    "prop_min_days": "min_days",
    "prop_consistency": "consistency",
    "prop_contracts": "contracts",
}
_NO_RULE = {"prop_lock": NEVER_LOCKS, "prop_daily_loss": 0.0, "prop_consistency": 1.0, "prop_contracts": 0}


def _own(name: str, value: Any) -> Any:
    """Return the value of a field: None for the value that means that there is no such rule."""
    return None if name in _NO_RULE and value == _NO_RULE[name] else value
