"""How many examples a property tries: few in the loop of a contributor, many in CI (`SCALPR_TESTS=long`)."""

import os

import numba
import pytest
from hypothesis import settings

LONG = os.environ.get("SCALPR_TESTS") == "long"
JIT = not numba.config.DISABLE_JIT
"""Without the compiler the kernels are plain Python, some 100 times slower."""


def budget(count):
    """The examples to try of the `count` that CI tries."""
    return max(10, count // (10 if not JIT else 1 if LONG else 5))


def tries(in_ci, elsewhere):
    """The random runs to try: many in CI, fewer elsewhere."""
    return in_ci if LONG else elsewhere


def examples(count):
    """Let a property try as many examples in CI, and a part of them elsewhere."""
    return settings(max_examples=budget(count))


many = pytest.mark.skipif(not (LONG and JIT), reason="needs the many examples that CI tries (SCALPR_TESTS=long)")
"""For what the random cases reach."""
