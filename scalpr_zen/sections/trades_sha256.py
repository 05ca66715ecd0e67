"""The identity of the trades: equal runs have equal ones, whatever the machine."""

from __future__ import annotations

from scalpr_zen.sections.section import Section
from scalpr_zen.simulation.simulate import trades_sha256

SECTION = Section(
    name="trades_sha256",
    order=91,
    compute=lambda run, _: trades_sha256(run.trades),
    fields={"": "SHA-256 of the closed trades; runs with the same trades have the same"},
)
