"""What the tests of the console command and of the scripts share."""

import re
from pathlib import Path

from scalpr_zen import EmaCrossover
from scalpr_zen.base.params import declared
from scalpr_zen.sections.setup import GROUPS
from support.asking import EVERYTHING

FAST = ("--fast-period", "2", "--slow-period", "5", "--monte-carlo-sims", "25")
PARAMETERS = (EmaCrossover, *GROUPS.values())
DEFAULTS = {parameter.name: parameter.default for group in PARAMETERS for parameter in declared(group)}
OTHER = {name: value for name, value in EVERYTHING.items() if name != "overlap"}
"""Every parameter of a run but overlap, which goes without limits, other than its default."""


def refused(called) -> str:
    """The message of a refusal: exit code 2, nothing on stdout, one line on stderr."""
    code, out, err = called
    assert (code, out) == (2, "")
    assert re.fullmatch(r"error: [^\n]+\n", err), err
    return err.removeprefix("error: ").rstrip("\n")


def results(folder="results") -> dict[str, Path]:
    """The files of a saved run by their suffixes."""
    return {path.suffix: path for path in Path(folder).iterdir()}
