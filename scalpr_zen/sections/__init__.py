"""The sections of a result, a file each: what they compute from the trades, and what they show of it."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scalpr_zen.sections.section import Section


@cache
def sections() -> dict[str, Section]:
    """Return the SECTION of every module of this folder by name, in the order of the report."""
    modules = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    found = [module.SECTION for module in modules if hasattr(module, "SECTION")]
    return {section.name: section for section in sorted(found, key=lambda section: section.order)}


def by_notes() -> list[Section]:
    """Return the sections in the order of their notes: what a result rests on comes before what it shows."""
    return sorted(sections().values(), key=lambda section: (not section.notes_first, -section.order))
