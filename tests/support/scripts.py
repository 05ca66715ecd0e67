"""The scripts beside the package, as modules."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def script(name):
    """The module of a script, whose constants a test may read and change."""
    spec = importlib.util.spec_from_file_location(f"script_{name}", ROOT / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
