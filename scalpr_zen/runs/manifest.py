"""The run manifest: what made a result, and how long each stage took."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any

import numba
import numpy as np

import scalpr_zen
from scalpr_zen.data.tape import Tape
from scalpr_zen.render.table import Table, facts
from scalpr_zen.render.text import chicago, number
from scalpr_zen.runs.spec import RunSpec

FIELDS = {
    "scalpr_zen": "version",
    "started": "start of the run, UTC",
    "run_key": "SHA-256 of the run's spec; null where the tape or the strategy is not identified by one",
    "strategy_sha256": "SHA-256 of the strategy's source",
    "tape_sha256": "SHA-256 of the prints",
    "python": "version",
    "numpy": "version",
    "numba": "version",
    "scipy": "version",
    "machine": "system, processor and cores",
    "seconds.*": "wall seconds of a stage",
    "wall_seconds": "wall seconds of all stages",
    "prints_per_second": "prints of the tape / wall seconds",
}
"""The sentence of every key of a manifest."""
_NUMBERS = ("wall_seconds", "prints_per_second")


def manifest(spec: RunSpec, tape: Tape, started: datetime, seconds: Mapping[str, float]) -> dict[str, Any]:
    """Return the manifest of a run, given the seconds of each stage."""
    total = sum(seconds.values())
    return {
        "scalpr_zen": scalpr_zen.__version__,
        "started": started.isoformat(timespec="seconds"),
        "run_key": spec.key,
        "strategy_sha256": spec.strategy_sha256,
        "tape_sha256": spec.tape_sha256,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "scipy": version("scipy"),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "seconds": dict(seconds),
        "wall_seconds": total,
        "prints_per_second": len(tape) / total,
    }


def manifest_table(values: Mapping[str, Any]) -> Table:
    """Return a manifest as a table."""
    return facts(_pairs(values))


def _pairs(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if key == "seconds":
            yield from ((f"seconds of {name.replace('_', ' ')}", f"{took:,.3f}") for name, took in value.items())
        elif key == "started":
            yield key, chicago(value)
        else:
            yield key.replace("_", " "), "n/a" if value is None else number(value) if key in _NUMBERS else value


class Watch:
    """Wall seconds of each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """End a stage."""
        now = time.perf_counter()
        self.seconds[name] = now - self._last
        self._last = now
