"""What the tests of the look-ahead proof share."""

import re

import numpy as np

from scalpr_zen import EmaCrossover
from support.checks import HOUR

MINUTE = HOUR // 60
HONEST = EmaCrossover(fast_period=3, slow_period=8)
MESSAGE = re.compile(
    r"look-ahead: with the tape cut after print ([\d,]+), the (signal|trade of the signal) (?:of|at) print ([\d,]+) "
    r"\((\S+)\) is (.+), and (.+) with the prints that follow"
)


class By:
    """A strategy made of a function of the tape."""

    def __init__(self, rule):
        self.rule = rule

    def signals(self, tape):
        return np.asarray(self.rule(tape)).astype(np.int8)
