"""What a report prints, read again: each printed ratio must follow from the printed parts."""

import math
import re

import pytest
import scipy.stats

from scalpr_zen.sections.statistics import STATISTICS
from support import naive_statistics
from support.reports import section

Z = 1.959963984540054


def wilson(wins, n, sign):
    spread = Z * math.sqrt(wins * (n - wins) / n + Z**2 / 4)
    return (wins + Z**2 / 2 + sign * spread) / (n + Z**2)


class Span:
    """What a printed number may have been before it was rounded: an interval, and its arithmetic."""

    def __init__(self, low, high=None):
        self.low, self.high = low, low if high is None else high

    @classmethod
    def printed(cls, text):
        """Read `-$1,234.50`, `33.33%`, `1.017`, `12` or `1.2e-05`, half a unit of the last digit either way."""
        digits = re.sub(r"[$,%+]", "", text)
        mantissa, _, exponent = digits.partition("e")
        decimals = len(mantissa.partition(".")[2]) - int(exponent or 0)
        exact = "." not in digits and "e" not in digits
        half = 0.0 if exact else 0.5 * 10.0**-decimals
        scale = 0.01 if "%" in text else 1.0
        return cls((float(digits) - half) * scale, (float(digits) + half) * scale)

    def _over(self, other, operation):
        other = other if isinstance(other, Span) else Span(other)
        ends = [operation(a, b) for a in (self.low, self.high) for b in (other.low, other.high)]
        return Span(min(ends), max(ends))

    def __add__(self, other):
        return self._over(other, lambda a, b: a + b)

    def __sub__(self, other):
        return self._over(other, lambda a, b: a - b)

    def __mul__(self, other):
        return self._over(other, lambda a, b: a * b)

    def __truediv__(self, other):
        return self._over(other, lambda a, b: a / b)

    def __abs__(self):
        ends = abs(self.low), abs(self.high)
        return Span(0.0 if self.low < 0 < self.high else min(ends), max(ends))

    def __eq__(self, other):
        """Whether one number can be both."""
        other = other if isinstance(other, Span) else Span(other)
        slack = 1e-9 * max(1.0, abs(self.high), abs(other.high))
        return self.low - slack <= other.high and other.low - slack <= self.high

    __hash__ = None

    def __repr__(self):
        return f"[{self.low!r}, {self.high!r}]"


def total(spans):
    return sum(spans, Span(0.0))


def printed_statistics(text):
    cells = [re.split(r"\s{2,}", line.strip()) for line in section(text, "STATISTICS")[1:]]
    return {row[0]: row[1].split(" ")[0] for row in cells}


def check_statistics(text):
    """Recompute each printed row of the statistics table from the printed rows it is made of."""
    shown = printed_statistics(text)
    assert [row.label for row in STATISTICS] == list(shown)
    have = {label: Span.printed(value) for label, value in shown.items() if value not in ("n/a", "not")}
    n, wins, losses = have["Trades"], have["Wins"], have["Losses"]
    days = total(Span.printed(row[1]) for row in printed_months(text))
    assert wins + losses + have["Scratches"] == n
    assert have["Gross P&L"] - have["Commission"] == have["Net P&L"]
    won, lost = wins * have["Average win"], losses * abs(have["Average loss"])
    assert won - lost == have["Net P&L"]
    assert won / lost == have["Profit factor"]
    assert have["Average win"] / abs(have["Average loss"]) == have["Payoff"]
    assert wins / n == have["Win rate"]
    assert wins / (wins + losses) == have["Win rate of decided trades"]
    win, loss = have["Average win"], abs(have["Average loss"])
    assert loss / (win + loss) == have["Break-even rate"]
    count, of = have["Wins"].low, have["Trades"].low
    assert Span(wilson(count, of, -1)) == have["Win rate, 95% low"]
    assert Span(wilson(count, of, +1)) == have["Win rate, 95% high"]
    assert have["Net P&L"] / n == have["Expectancy"]
    assert n / days == have["Trades per day"]
    assert have["t-statistic"] * math.sqrt(min(of, 100) / of) == have["SQN"]
    assert p_of(have["t-statistic"], of) == have["p-value"]
    assert have["Sharpe"] * math.sqrt(days.low / 252) == have["t-statistic by day"]
    assert p_of(have["t-statistic by day"], days.low) == have["p-value by day"]
    assert days == have["Session dates"]
    day = have["Sharpe"] * (1 / math.sqrt(252))
    assert (
        abs(Span(1) + day * day * 0.5) * (252 / days.low)
        == have["Sharpe, standard error"] * have["Sharpe, standard error"]
    )
    for end, sign in (("low", -Z), ("high", Z)):
        assert have["Sharpe"] + have["Sharpe, standard error"] * sign == have[f"Sharpe, 95% {end}"]
    assert have["Best day"].high * days.low >= have["Net P&L"].low >= have["Worst day"].low * days.low
    return have


def p_of(t, n):
    """Two-sided p of a span of t; never below what a report can print of it."""
    ends = [float(2 * scipy.stats.t.sf(x, n - 1)) for x in (abs(t).low, abs(t).high)]
    return Span(min(ends), max(ends))


def printed_months(text):
    return [re.split(r"\s{2,}", line.strip()) for line in section(text, "MONTHS")[1:]]


def check_months(text, have):
    months = printed_months(text)
    assert total(Span.printed(row[2]) for row in months) == have["Trades"]
    assert total(Span.printed(row[4]) for row in months) == have["Net P&L"]
    won = total(Span.printed(row[2]) * Span.printed(row[3]) for row in months if row[3] != "n/a")
    assert won == have["Wins"]
    assert all(Span.printed(row[5]).low <= have["Max drawdown"].high for row in months)


def check_baseline(text, have, point_value):
    head, *rows = [re.split(r"\s{2,}", line.strip()) for line in section(text, "BUY & HOLD")]
    assert head == ["of daily equity", "strategy", "buy & hold", "difference"]
    split = rows.index(["Segments, from roll to roll"])
    compared = {row[0]: [Span.printed(cell) for cell in row[1:]] for row in rows[:split]}
    assert {"Net P&L", "Sharpe", "Max drawdown"} <= set(compared)
    for strategy, held, difference in compared.values():
        assert strategy - held == difference
    assert compared["Net P&L"][0] == have["Net P&L"]
    assert compared["Sharpe"][0] == have["Sharpe"]
    earned = []
    for row in rows[split + 2 :]:
        first, last = map(float, row[2:4])
        earned.append(Span.printed(row[4]))
        assert Span((last - first) * point_value) == earned[-1], row
    assert total(earned) == compared["Net P&L"][1]


def check_counts(text, have):
    rows = [line.split() for line in section(text, "COUNTS")]
    counts = {row[0]: int(row[1].replace(",", "")) for row in rows if row[0] != "trades"}
    assert counts["closed"] == have["Trades"].low
    assert counts.pop("signals") == sum(counts.values())


def check_costs(text, have, execution, bracket, stops):
    tick = 5.0 if execution.point_value is None else execution.point_value / 4
    n, slip = have["Trades"], execution.slippage_ticks
    assert n * (2 * execution.commission * execution.contracts) == have["Commission"]
    slipped = (n + stops) * (slip * tick * execution.contracts)
    assert (have["Gross P&L"] + slipped) / n == have["Break-even cost"]
    win = bracket.take_profit * 4 * tick - 2 * execution.commission
    loss = (bracket.stop_loss * 4 + slip) * tick + 2 * execution.commission
    assert Span(loss / (win + loss)) == have["Break-even rate of the bracket"]
    line = next((line for line in text.split("\n") if line.startswith("NOTE no costs are set")), "")
    assert bool(line) == (execution.commission == 0 and slip == 0)
    if line:
        each, taken, cost = (Span.printed(money) for money in re.findall(r"-?\$[\d,.]+\d", line))
        assert n * each == taken
        assert cost == have["Break-even cost"]


def printed_trades(text):
    """The trade log as a list of dicts by heading."""
    lines = [re.split(r"\s{2,}", line.strip()) for line in section(text, "TRADE LOG") if line]
    return [dict(zip(lines[0], cells, strict=True)) for cells in lines[1:]]


def check_log(text, have):
    """Recompute the statistics from the printed trades; return how many were stopped."""
    rows = printed_trades(text)
    assert [int(row["number"]) for row in rows] == list(range(1, int(have["Trades"].low) + 1))
    net = [float(row["net usd"]) for row in rows]
    assert total(Span.printed(row["net usd"]) for row in rows) == have["Net P&L"]
    assert (sum(x > 0 for x in net), sum(x < 0 for x in net)) == (have["Wins"].low, have["Losses"].low)
    for row in rows:
        moved = {"LONG": 1, "SHORT": -1}[row["side"]] * (float(row["exit price"]) - float(row["entry price"]))
        assert moved == pytest.approx(float(row["gross points"]), abs=1e-9)
    assert naive_statistics.permutation_drawdown(net) == pytest.approx(have["Max drawdown"].low, abs=0.01 * len(net))
    return sum(row["exit reason"] == "stop" for row in rows)
