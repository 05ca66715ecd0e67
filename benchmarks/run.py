"""Measure every figure of RESULTS.md on a year of the demo market, and write that page.

    python -m benchmarks.run [--sessions 252] [--folder cache/benchmark] [--repeat 3]

Each figure stands beside a reference that is timed in the same run, turn and turn about: machines are
shared, and a ratio of neighbours says more than a time. Of `repeat` turns the fastest of each side counts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numba
import numpy as np
import zstandard
from numba import njit

import scalpr_zen
from benchmarks import dashboard
from scalpr_zen import Bracket, EmaCrossover, Execution, MonteCarlo, SessionRules, Setup, Tape, instrument, run, save
from scalpr_zen.base.engine import run_all
from scalpr_zen.data.demo import write_demo
from scalpr_zen.data.preprocess import preprocess
from scalpr_zen.runs.backtest import computed, run_trades
from scalpr_zen.sections.baseline import baseline
from scalpr_zen.sections.measures import daily
from scalpr_zen.sections.monte_carlo import monte_carlo
from scalpr_zen.sections.series import series
from scalpr_zen.sections.statistics import statistics
from scalpr_zen.simulation.simulate import simulate

GIB = 2**30
Row = tuple[str, str, str, str]


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def turns(repeat: int, *works: Callable[[], object]) -> list[float]:
    """Time the works turn and turn about; return the fastest of each."""
    times = [[seconds(work) for work in works] for _ in range(repeat)]
    return [min(column) for column in zip(*times, strict=True)]


def child(code: str, *args: str) -> tuple[float, float]:
    """Run Python code in a process of its own; return its wall seconds and its peak resident bytes."""
    # Not ru_maxrss: a child has that of its parent where the parent's is larger.
    watch = "\nprint(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"  # KiB
    with tempfile.TemporaryFile("w+") as out:
        took = seconds(lambda: subprocess.run([sys.executable, "-c", code + watch, *args], check=True, stdout=out))
        out.seek(0)
        peak = int(out.read().split()[-1]) * 1024
    return took, peak


def make_year(folder: Path, sessions: int) -> list[Path]:
    files = sorted((folder / "dbn").glob("*.zst"))
    stamp = folder / f"{sessions}.sessions"
    if not stamp.exists():
        print(f"making {sessions} sessions of the demo market in {folder}")
        files = write_demo(folder / "dbn", sessions)
        for old in folder.glob("*.sessions"):
            old.unlink()
        stamp.touch()
    return files


# The rows ---------------------------------------------------------------------------------------------


def decompress(path: Path) -> int:
    """Read a file and decompress it, and nothing else; return its bytes."""
    total, frame = 0, zstandard.ZstdDecompressor().decompressobj()
    with path.open("rb") as file:
        while data := file.read(1 << 18):
            total += len(frame.decompress(data))
    return total


INGEST = """
import sys
from scalpr_zen import instrument
from scalpr_zen.data.preprocess import preprocess
preprocess([sys.argv[1]], instrument("NQ"), sys.argv[2])
"""


def ingest(folder: Path, files: Sequence[Path], tape: Path, repeat: int) -> list[Row]:
    workers = os.cpu_count() or 1
    _, peak = child(INGEST, str(folder / "dbn"), str(tape))  # also compiles, and fills the page cache

    def plain() -> None:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(decompress, files))

    def ours() -> None:
        preprocess([folder / "dbn"], instrument("NQ"), tape)

    reference, took = turns(repeat, plain, ours)
    records = Tape.open(tape).metadata["record_ledger"]["records"]
    rate = f"{records / took / 1e6:.1f} M records/s ({took:.2f} s)"
    plain_rate = f"{records / reference / 1e6:.1f} M records/s ({reference:.2f} s)"
    share = reference / took
    return [
        (
            "ingest of the DBN files, share of plain zstd decompression",
            ">= 40%",
            f"{share:.0%}",
            f"{rate}; {plain_rate}",
        ),
        (
            "ingest, peak resident memory",
            "< 2 GiB",
            f"{peak / GIB:.2f} GiB",
            f"a process of its own, {workers} workers",
        ),
    ]


@njit(nogil=True)
def bare_loop(price, fast_alpha, slow_alpha):  # type: ignore[no-untyped-def]
    fast = slow = float(price[0])
    for i in range(len(price)):
        fast += fast_alpha * (price[i] - fast)
        slow += slow_alpha * (price[i] - slow)
    return fast, slow


@njit(nogil=True)
def bare_loop_two_products(price, fast_alpha, slow_alpha):  # type: ignore[no-untyped-def]
    fast = slow = float(price[0])
    for i in range(len(price)):
        fast = fast_alpha * price[i] + (1.0 - fast_alpha) * fast
        slow = slow_alpha * price[i] + (1.0 - slow_alpha) * slow
    return fast, slow


def fresh(tape: Tape) -> Tape:
    """The same prints without the blocks that a tape keeps once they are made: a run makes them too."""
    return replace(tape)


def compute(kept: Tape) -> None:
    tape, bracket, execution = fresh(kept), Bracket(), Execution()
    trades = simulate(tape, EmaCrossover().signals(tape), bracket, execution).trades

    def figures() -> None:
        numbers = statistics(trades, tape, bracket, execution)
        baseline(tape, execution, daily(trades["net_usd"], trades["session"], len(tape.sessions)), numbers)

    run_all(lambda work: work(), [figures, lambda: series(trades, tape, execution)])  # side by side, as in a run


def backtest(tape: Tape, repeat: int) -> list[Row]:
    alphas = 2 / 51, 2 / 201
    works = (
        lambda: bare_loop(tape.price, *alphas),
        lambda: bare_loop_two_products(tape.price, *alphas),
        lambda: compute(tape),
    )
    turns(1, *works)  # compiles, and brings the tape into memory
    bare, products, took = turns(repeat, *works)
    detail = f"{took:.3f} s; bare loop {bare:.3f} s; {took / len(tape) * 1e9:.2f} ns a print"
    other = f"bare loop {products:.3f} s"
    return [
        (
            "signals + simulation + statistics, times one bare loop of the two EMAs",
            "<= 1.6x",
            f"{took / bare:.2f}x",
            detail,
        ),
        ("the same, against the loop in its form a*x + (1-a)*e", "", f"{took / products:.2f}x", other),
    ]


ALL_RULES = Setup(
    bracket=Bracket(
        take_profit_short=8.0,
        stop_loss_short=6.0,
        trailing_stop=4.0,
        trail_activation=2.0,
        trailing_step=0.5,
        break_even_at=3.0,
        break_even_plus=1,
    ),
    execution=Execution(
        latency_ms=1.0,
        slippage_ticks=1,
        commission=2.05,
        target_fill="queue",
        stop_fill="next",
        roll_exit="close",
    ),
    rules=SessionRules(
        reverse=True,
        entry_windows="17:00-12:00, 12:30-16:00",
        weekdays="Mon-Fri",
        no_entry_before_close=5.0,
        flat_before_close=2.0,
        max_hold=600.0,
        cooldown=1.0,
        max_trades=5_000,
        loss_limit=20_000.0,
        profit_limit=20_000.0,
        limit_basis="equity",
    ),
)


def all_rules(tape: Tape, repeat: int) -> list[Row]:
    def traded(setup: Setup) -> None:
        own = fresh(tape)
        simulate(own, EmaCrossover().signals(own), setup.bracket, setup.execution, setup.rules)

    works = (lambda: traded(Setup()), lambda: traded(ALL_RULES))
    turns(1, *works)
    without, took = turns(repeat, *works)
    detail = f"{took:.3f} s; without them {without:.3f} s"
    return [("signals + simulation with all rules on", "<= 2x of without", f"{took / without:.2f}x", detail)]


CHECKS = ("fills", "random_entries", "prop_firm")


def checks(tape: Tape, repeat: int) -> list[Row]:
    result = run_trades(tape, EmaCrossover(), Setup())
    took = {name: [computed(result, name)[1] for _ in range(repeat + 1)] for name in CHECKS}
    best = {name: min(seconds[1:]) for name, seconds in took.items()}
    with patch("scalpr_zen.sections.random_entries.draws.has_fixed_levels", lambda *_: False):
        sampled = min(computed(result, "random_entries")[1] for _ in range(repeat))
    entries = f"{len(result.trades):,} entries, all {len(tape):,} prints; a sample of 50 for each entry {sampled:.2f} s"
    return [
        ("fill table, measured slippage and events", "<= 0.5 s", f"{best['fills']:.2f} s", "27 rows from 12 runs"),
        ("random entries, 1,000 runs", "<= 1 s", f"{best['random_entries']:.2f} s", entries),
        ("prop-firm evaluation", "", f"{best['prop_firm']:.2f} s", "print by print, and 1,000 paths of drawn days"),
    ]


def opening(path: Path, repeat: int) -> list[Row]:
    checked, known = turns(repeat, lambda: Tape.open(path, recheck=True), lambda: Tape.open(path))
    detail = f"{path.stat().st_size / 1e9:.2f} GB; opened again {known * 1e3:.0f} ms"
    return [("first open of a tape, every byte checked", "0.35 s", f"{checked:.2f} s", detail)]


def growth(tape: Tape, repeat: int) -> list[Row]:
    half = tape.cut(len(tape) // 2)
    turns(1, lambda: compute(half), lambda: compute(tape))
    small, large = turns(repeat, lambda: compute(half), lambda: compute(tape))
    detail = f"{small:.3f} s for {len(half) / 1e6:.1f} M prints, {large:.3f} s for {len(tape) / 1e6:.1f} M"
    return [("growth: twice the prints", "<= 2.1x the time", f"{large / small:.2f}x", detail)]


def paths(tape: Tape, repeat: int) -> list[Row]:
    trades = simulate(tape, EmaCrossover().signals(tape), Bracket(), Execution()).trades[:200_000]
    x, settings, rng = np.ascontiguousarray(trades["net_usd"]), MonteCarlo(), np.random.default_rng(0)

    def numpy_loop() -> None:
        for _ in range(settings.monte_carlo_sims):
            rng.permutation(x).cumsum()

    def ours() -> None:
        monte_carlo(x, trades["session"], len(tape.sessions), settings)

    turns(1, ours)
    reference, took = turns(repeat, numpy_loop, ours)
    detail = f"{took:.3f} s, both methods, drawdowns and bands included; numpy permutation + cumsum {reference:.2f} s"
    return [
        (
            f"Monte Carlo, 1,000 permutations of {len(x):,} trades",
            ">= 15x a numpy loop",
            f"{reference / took:.1f}x",
            detail,
        )
    ]


def report(tape: Tape, repeat: int) -> list[Row]:
    result = run(tape, EmaCrossover(), settings=MonteCarlo(monte_carlo_sims=0))
    with tempfile.TemporaryDirectory() as folder:
        (took,) = turns(repeat, lambda: save(result, folder))
    return [
        (
            "report txt and json with the trade log",
            "<= 1 s",
            f"{took:.2f} s",
            f"{len(result.trades):,} trades in the log",
        )
    ]


COMMAND = """
import sys
from scalpr_zen import commands
from scalpr_zen.commands import console
sys.argv = ["scalpr", "backtest", "--tape", sys.argv[1], "--out", sys.argv[2]]
try:
    commands.entry_point()
except SystemExit as done:
    assert done.code == 0
"""


def command(tape: Path, repeat: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        runs = [child(COMMAND, str(tape), folder) for _ in range(repeat + 1)][1:]
    took, peak = min(time for time, _ in runs), max(peak for _, peak in runs)
    return [
        (
            "the whole command, process start to report",
            "<= 6 bare loops + 3 s",
            f"{took:.2f} s",
            "kernels from the disk cache",
        ),
        (
            "the whole command, peak resident memory",
            "< 1.5 GiB",
            f"{peak / GIB:.2f} GiB",
            "pages of the mapped tape included",
        ),
    ]


# The page ---------------------------------------------------------------------------------------------


def machine() -> str:
    model = next(
        (line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")), platform.machine()
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    versions = f"Python {platform.python_version()}, numpy {np.__version__}, numba {numba.__version__}"
    cores = f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB, {platform.system()}"
    return f"{cores}; {versions}, zstandard {zstandard.__version__}, scalpr_zen {scalpr_zen.__version__}"


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def write_page(rows: Sequence[Row], facts: str) -> None:
    page = Path(__file__).with_name("RESULTS.md")
    notes = Path(__file__).with_name("NOTES.md").read_text(encoding="utf-8")
    lines = ["# Results", "", "Written by `python -m benchmarks.run`.", "", facts, ""]
    lines += ["| what | asked | measured | detail |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    page.write_text("\n".join([*lines, "", notes]), encoding="utf-8")
    print("\n".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=252)
    parser.add_argument("--folder", type=Path, default=Path("cache/benchmark"))
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    files, path = make_year(given.folder, given.sessions), given.folder / "year.npz"
    rows = ingest(given.folder, files, path, given.repeat)
    tape = Tape.open(path)
    rows += backtest(tape, given.repeat)
    rows += all_rules(tape, given.repeat)
    rows += checks(tape, given.repeat)
    rows += opening(path, given.repeat)
    rows += growth(tape, given.repeat)
    rows += paths(tape, given.repeat)
    rows += report(tape, given.repeat)
    rows += command(path, given.repeat)
    rows += dashboard.rows(path, len(tape), max(5, given.repeat))
    counts = run(tape, EmaCrossover(), settings=MonteCarlo(monte_carlo_sims=0)).to_dict()["counts"]
    size = f"{len(tape):,} prints in {len(tape.sessions)} sessions of the demo market, {counts['closed']:,} trades"
    write_page(rows, f"{size}. {machine()}. {json.dumps(counts)}")


if __name__ == "__main__":
    main()
