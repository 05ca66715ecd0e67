"""Compile what the tests run before their workers start: two processes that compile one kernel can spoil its cache."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numba

ROOT = Path(__file__).parents[2]


def compile_once(cache):
    """Compile in a process of its own, unless nothing has changed since the last time."""
    sources = sorted((ROOT / "scalpr_zen").rglob("*.py"))
    state = [numba.__version__, str(ROOT), *(f"{path.name} {path.stat().st_mtime_ns}" for path in sources)]
    if cache.get("scalpr/compiled", None) != state:
        paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        subprocess.run([sys.executable, __file__], env=os.environ | {"PYTHONPATH": paths}, check=True)
        cache.set("scalpr/compiled", state)


def main():
    """Use every kernel of the package once, with the types that it meets in use."""
    from scalpr_zen import (
        Bracket,
        EmaCrossover,
        Execution,
        MonteCarlo,
        PropFirm,
        SessionRules,
        Tape,
        instrument,
        run,
        save_tape,
    )
    from scalpr_zen.dashboard.envelope import Envelope
    from scalpr_zen.data.preprocess import preprocess
    from scalpr_zen.strategies.load import BUILT_IN
    from support.dbn_files import trade, utc, write_day
    from support.market import market

    groups = {"settings": MonteCarlo(monte_carlo_sims=2, control_sims=2), "firm": PropFirm(prop_sims=2)}
    for strategy in BUILT_IN.values():
        strategy().signals(market())
    crossover = EmaCrossover(fast_period=2, slow_period=5)
    moving = Bracket(trailing_stop=2, break_even_at=1)
    limits = SessionRules(longest_hold=5, loss_limit=100, limit_on="open", flat_before_close=5)
    with tempfile.TemporaryDirectory() as folder:
        mapped = Tape.open(save_tape(market(), Path(folder) / "tape.npz"))  # its columns are read-only: another type
        for tape in (market(), mapped):
            run(tape, crossover, **groups)
            run(tape, crossover, moving, Execution(latency_ms=1), limits, **groups)
            Envelope(tape).window(0, 300, 7)
        prints = [trade(1, utc("2024-12-10 15:00"), 21_000), trade(1, utc("2024-12-10 15:01"), 21_001)]
        write_day(Path(folder), "2024-12-10", prints, {"NQZ4": 1})
        preprocess([folder], instrument("NQ"), Path(folder) / "new.npz")


if __name__ == "__main__":
    main()
