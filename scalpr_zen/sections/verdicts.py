"""The verdicts: which statistics reach their targets."""

from __future__ import annotations

from scalpr_zen.sections.section import Run, Section, Values
from scalpr_zen.sections.statistics import STATISTICS


def _compute(_: Run, values: Values) -> dict[str, str]:
    return {row.key: row.verdict(values["statistics"]) for row in STATISTICS if row.target}


SECTION = Section(
    name="verdicts",
    order=11,
    compute=_compute,
    needs=("statistics",),
    fields={"*": "PASS or FAIL of the statistic of that key, by its target; n/a where it is undefined"},
)
