"""The evaluation of a prop firm: its rules, the open P&L of every date against them, and the end of every attempt."""

from __future__ import annotations

from typing import Any

from scalpr_zen.render.text import Values
from scalpr_zen.sections.prop_firm import tables
from scalpr_zen.sections.prop_firm.evaluation import prop_firm
from scalpr_zen.sections.prop_firm.rules import FIRMS, RULE_FIELDS, PropFirm, RuleSet, rule_set
from scalpr_zen.sections.section import Run, Section

__all__ = ["FIRMS", "SECTION", "PropFirm", "RuleSet", "prop_firm", "rule_set"]


def _compute(run: Run, _: Values) -> dict[str, Any]:
    setup, unclosed = run.setup, len(run.simulation.unclosed)
    seed = setup.settings.seed
    return prop_firm(run.trades, run.tape, setup.execution, setup.firm, seed, unclosed=unclosed, counted=run.counted)


_CHANCE = {
    "paths": "paths that end so",
    "probability": "their share",
    "low": "95% interval of the share by the number of paths alone, low",
    "high": "the same, high",
    "dates_low": "95% interval of the share had the tape other such session dates, low",
    "dates_high": "the same, high",
}
_DAYS = {
    "p5": "session dates needed, 5% of these paths at most",
    "median": "median of the session dates needed",
    "p95": "session dates needed, 95% of these paths at most",
    "mean": "their mean",
    "mean_low": "95% interval of the mean by the number of paths alone, low",
    "mean_high": "the same, high",
}

SECTION = Section(
    name="prop_firm",
    order=60,
    title="Prop firm",
    later=True,
    groups=("bracket", "execution", "rules", "settings", "firm"),
    compute=_compute,
    blocks=lambda _, values: tables.blocks(values["prop_firm"]),
    label="prop firm",
    line=lambda values: tables.chances(values["prop_firm"]),
    charts=(tables.prop_firm,),
    fields={
        "name": "prop_firm as given",
        **{f"rules.{key}": sentence for key, sentence in RULE_FIELDS.items()},
        "rules.changed[]": "parameter given in place of the firm's rule",
        "notes[]": "what the evaluation leaves out",
        "counts.attempts": "attempts one after the other",
        "counts.passed": "of them, those that passed",
        "counts.busted": "of them, those that busted",
        "counts.unfinished": "of them, those that the tape ended",
        "attempts": "attempts; none where no session date has prints",
        "attempts[].number": "number of the attempt, from 1",
        "attempts[].first_session": "its first session date",
        "attempts[].last_session": "its last session date",
        "attempts[].session_dates": "its session dates",
        "attempts[].trading_days": "its trading days",
        "attempts[].outcome": "pass, bust or unfinished",
        "attempts[].reason": "why",
        "attempts[].profit_usd": "its profit in USD",
        "attempts[].days[].session_date": "session date",
        "attempts[].days[].trades": "trades closed",
        "attempts[].days[].net_usd": "net P&L in USD",
        "attempts[].days[].balance_usd": "balance at its end in USD",
        "attempts[].days[].lowest_above_floor_usd": "least distance of the open equity above the floor in USD",
        "attempts[].days[].floor_usd": "floor at its end in USD",
        "attempts[].days[].trading_day": "whether it counts as a trading day",
        "attempts[].days[].ended_by": "rule that ended the date early; empty for none",
        "drawn": "paths of drawn session dates; empty without paths or with fewer than two session dates that count",
        "drawn.sims": "paths",
        "drawn.seed": "their seed",
        "drawn.horizon_days": "session dates of a path at most",
        "drawn.session_dates": "session dates that are drawn from",
        **{f"drawn.{end}.{key}": sentence for end in ("pass", "bust", "neither") for key, sentence in _CHANCE.items()},
        **{f"drawn.days_to_{end}.{key}": sentence for end in ("pass", "bust") for key, sentence in _DAYS.items()},
    },
)
