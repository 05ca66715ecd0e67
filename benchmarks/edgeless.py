"""How often random entries call a strategy significant that has no edge: the size of the test, written to EDGELESS.md.

    python -m benchmarks.edgeless [--runs 400]

Prices are a martingale whose volatility and activity come in bursts of minutes, within the hour; nobody can earn. A
sound test calls 5% of such runs significant at 5%. The market is drawn here and not by the demo market, whose sessions
are bridged from open to close.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from scalpr_zen import Bracket, MomentumBurst, MonteCarlo, SessionRules, Setup, Tape, instrument
from scalpr_zen.sections.random_entries import random_entries
from scalpr_zen.simulation.simulate import orders, trade

SECOND = 10**9
NINE = 1_736_953_200 * SECOND
"""2025-01-15 09:00 in Chicago, a Wednesday."""
WIDE, CLOSE, SKEWED, NEAR = (
    Bracket(take_profit=target, stop_loss=stop)
    for target, stop in ((500.0, 500.0), (5.0, 2.5), (2.5, 5.0), (5.0, 500.0))
)

Signals = NDArray[np.int8]
Random = np.random.Generator


def market(rng: Random, dates: int = 10, hours: int = 2) -> Tape:
    """Draw a tape: some hours from 09:00 of each weekday, one event a second on average, of one print each."""
    ts, price, last = [], [], 80_000
    for date in range(dates):
        day = date + 2 * ((date + 2) // 5)  # weekends are left out
        burst = np.exp(_wandering(rng, 3600 * hours, 0.6, 120.0) + _wandering(rng, 3600 * hours, 0.5, 1_200.0))
        events = rng.poisson(burst)
        seconds = np.sort(np.repeat(np.arange(len(burst)), events) + rng.random(events.sum()))
        steps = rng.standard_normal(len(seconds)) * 1.2 * np.sqrt(np.repeat(burst, events))
        price.append(last + np.cumsum(np.rint(steps).astype(np.int64)))
        last = int(price[-1][-1])
        ts.append(NINE + day * 86_400 * SECOND + (seconds * SECOND).astype(np.int64))
    return Tape.from_prints(np.concatenate(ts), np.concatenate(price), instrument=instrument("NQ"))


def _wandering(rng: Random, seconds: int, deviation: float, memory: float) -> NDArray[np.float64]:
    """Draw an Ornstein-Uhlenbeck process second by second, from its stationary distribution."""
    kept = np.exp(-1 / memory)
    shocks = deviation * rng.standard_normal(seconds)
    shocks[1:] *= np.sqrt(1 - kept**2)
    return np.asarray(lfilter([1.0], [1.0, -kept], shocks))


def fast(tape: Tape, rng: Random, sides: tuple[int, ...] = (-1, 1)) -> Signals:
    """Give a signal when 20 prints have come within the shortest tenth of such times: the market is fast."""
    took = np.full(len(tape), np.inf)
    took[20:] = tape.ts[20:] - tape.ts[:-20]
    quick = took <= np.quantile(took[20:], 0.1)
    return _on(quick & ~np.append(False, quick[:-1]), rng, sides)


def burst(tape: Tape, rng: Random) -> Signals:
    """Give the signals of MomentumBurst, each with the side of a coin."""
    return _on(follow(tape, rng) != 0, rng, (-1, 1))


def follow(tape: Tape, rng: Random) -> Signals:
    """Give the signals of MomentumBurst."""
    return MomentumBurst(burst_ticks=8, burst_ms=1_000).signals(tape)


def some(share: float, sides: tuple[int, ...]) -> Callable[[Tape, Random], Signals]:
    """Return a strategy that signals at a share of the prints, whatever they are."""
    return lambda tape, rng: _on(rng.random(len(tape)) < share, rng, sides)


def _on(at: NDArray[np.bool_], rng: Random, sides: tuple[int, ...]) -> Signals:
    signals = np.zeros(len(at), np.int8)
    signals[at] = rng.choice(np.array(sides, np.int8), int(at.sum()))
    return signals


@dataclass(frozen=True)
class Case:
    """A strategy without an edge, its bracket and when its trades end."""

    name: str
    signals: Callable[[Tape, Random], Signals]
    bracket: Bracket
    hold: float | None = None


CASES = (
    Case("fast moments, either side, held 30 s", fast, WIDE, 30.0),
    Case("fast moments, long only, held 30 s", lambda tape, rng: fast(tape, rng, (1,)), WIDE, 30.0),
    Case("MomentumBurst with a coin's side, held 60 s", burst, WIDE, 60.0),
    Case("MomentumBurst, held 60 s", follow, WIDE, 60.0),
    Case("MomentumBurst reversed, held 60 s", lambda tape, rng: -follow(tape, rng), WIDE, 60.0),
    Case("fast moments, bracket 5 / 2.5 points and 60 s", fast, CLOSE, 60.0),
    Case("fast moments, bracket 5 / 2.5 points", fast, CLOSE),
    Case("any moment, bracket 5 / 2.5 points", some(0.01, (-1, 1)), CLOSE),
    Case("any moment, long only, bracket 2.5 / 5 points", some(0.01, (1,)), SKEWED),
    Case("fast moments, trailing stop 2.5 points, 30 s", fast, replace(WIDE, trailing_stop=2.5), 30.0),
    Case("few trades: long, bracket 2.5 / 5 points", some(0.00004, (1,)), SKEWED),
    Case("target near, stop far, losers left open", some(0.001, (-1, 1)), NEAR),
    Case("held 20 minutes, long", some(0.001, (1,)), WIDE, 1_200.0),
    Case("long half of the time, held 60 s", some(0.01, (1,)), WIDE, 60.0),
    Case("long nearly always, held 30 s", some(0.3, (1,)), WIDE, 30.0),
)


def p_value(case: Case, tape: Tape, rng: Random, sims: int = 199) -> float:
    """Return the p-value of one run of a case, NaN where there is none."""
    rules = SessionRules(max_hold=case.hold)
    seed = int(rng.integers(2**32))
    setup = Setup(bracket=case.bracket, rules=rules, settings=MonteCarlo(random_entry_sims=sims, seed=seed))
    wanted = orders(tape, case.signals(tape, rng), rules)
    made = trade(tape, wanted, setup.bracket, setup.execution, rules)
    found = random_entries(tape, made.trades, setup, unclosed=made.unclosed)
    return float(found.get("p_value", np.nan))


def p_values(cases: tuple[Case, ...], runs: int, **size: int) -> NDArray[np.float64]:
    """Return the p-values of some runs of each case, shape (runs, cases); each run has a market of its own."""
    found = np.empty((runs, len(cases)))
    for run in range(runs):
        rng = np.random.default_rng(run)
        tape = market(rng, **size)
        found[run] = [p_value(case, tape, rng) for case in cases]
    return found


def rows(runs: int) -> list[str]:
    """Return a table of the shares of p-values at either end, in Markdown."""
    found = p_values(CASES, runs)
    table = ["| without an edge | p <= 5% | p <= 1% | p > 95% | no p-value |", "|---|---|---|---|---|"]
    for case, p in zip(CASES, found.T, strict=True):
        known = p[~np.isnan(p)]
        ends = [known <= 0.05, known <= 0.01, known > 0.95]
        shares = [f"{end.mean():.1%}" if len(known) else "" for end in ends]
        table.append(f"| {case.name} | {' | '.join(shares)} | {np.isnan(p).mean():.1%} |")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=400)
    runs = parser.parse_args().runs
    lines = [
        "# Random entries without an edge",
        "",
        f"Written by `python -m benchmarks.edgeless`: the p-values of random entries in {runs} runs of each strategy,",
        "on markets without an edge whose volatility comes in bursts of minutes. At 5% a share of 5% is right; its own",
        f"error is {np.sqrt(0.05 * 0.95 / runs):.1%}.",
        "",
        *rows(runs),
        "",
        "Brackets in fast moments: prices leap farther over their levels there, a stop loses more and a target gains",
        "no more, so that such entries are a little worse than random ones.",
    ]
    Path(__file__).with_name("EDGELESS.md").write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
