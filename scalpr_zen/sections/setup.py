"""Every parameter group of a run besides its strategy, in one object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import get_type_hints

from scalpr_zen.base.params import Parameters
from scalpr_zen.sections.monte_carlo import MonteCarlo
from scalpr_zen.sections.prop_firm import PropFirm
from scalpr_zen.simulation.execution import Bracket, Execution, PessimisticCosts
from scalpr_zen.simulation.rules import SessionRules


@dataclass(frozen=True, kw_only=True)
class Setup:
    """Every parameter group of a run besides its strategy; equal setups of a strategy give equal results."""

    bracket: Bracket = field(default_factory=Bracket)
    execution: Execution = field(default_factory=Execution)
    rules: SessionRules = field(default_factory=SessionRules)
    pessimistic: PessimisticCosts = field(default_factory=PessimisticCosts)
    settings: MonteCarlo = field(default_factory=MonteCarlo)
    firm: PropFirm = field(default_factory=PropFirm)


GROUPS: dict[str, type[Parameters]] = dict(get_type_hints(Setup))
"""The class of each group of a Setup."""
