"""The evaluation of a prop firm: its rules, the walk of the open P&L, what became of every attempt."""

from scalpr_zen.sections.prop_firm.evaluation import prop_firm
from scalpr_zen.sections.prop_firm.rules import FIRMS, PropFirm, RuleSet, rule_set

__all__ = ["FIRMS", "PropFirm", "RuleSet", "prop_firm", "rule_set"]
