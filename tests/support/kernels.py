"""Compile what the tests run before their workers start: two processes that compile one kernel can spoil its cache."""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numba

ROOT = Path(__file__).parents[2]


def compile_once(cache):
    """Compile in a process of its own, unless no kernel has changed since the last time.

    What was compiled before goes, for numba's cache of one file does not notice an edit in another one.
    """
    digest = hashlib.sha256(f"{numba.__version__} {sys.version} {ROOT}".encode())
    for path in sorted((ROOT / "scalpr_zen").rglob("*.py")):
        text = path.read_text("utf-8")
        if "njit" in text or "NamedTuple" in text:
            digest.update(f"{path.relative_to(ROOT)}\n{text}".encode())
    if cache.get("scalpr/compiled", None) != digest.hexdigest():
        for path in (ROOT / "scalpr_zen").rglob("__pycache__/*.nb[ci]"):
            path.unlink(missing_ok=True)
        paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        subprocess.run([sys.executable, __file__], env=os.environ | {"PYTHONPATH": paths}, check=True)
        cache.set("scalpr/compiled", digest.hexdigest())


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
    from scalpr_zen.data.preprocess import preprocess
    from scalpr_zen.strategies.user_code import BUILT_IN
    from support.dbn_files import trade, utc, write_day
    from support.market import market

    groups = {"settings": MonteCarlo(monte_carlo_sims=2, random_entry_sims=2), "firm": PropFirm(prop_sims=2)}
    for strategy in BUILT_IN.values():
        strategy().signals(market())
    crossover = EmaCrossover(fast_period=2, slow_period=5)
    moving = Bracket(trailing_stop=2, break_even_at=1)
    limits = SessionRules(max_hold=5, loss_limit=100, limit_basis="equity", flat_before_close=5)
    with tempfile.TemporaryDirectory() as folder:
        mapped = Tape.open(save_tape(market(), Path(folder) / "tape.npz"))  # its columns are read-only: another type
        for tape in (market(), mapped):
            run(tape, crossover, **groups)
            run(tape, crossover, moving, Execution(latency_ms=1), limits, **groups)
        prints = [trade(1, utc("2024-12-10 15:00"), 21_000), trade(1, utc("2024-12-10 15:01"), 21_001)]
        write_day(Path(folder), "2024-12-10", prints, {"NQZ4": 1})
        preprocess([folder], instrument("NQ"), Path(folder) / "new.npz")


if __name__ == "__main__":
    main()
