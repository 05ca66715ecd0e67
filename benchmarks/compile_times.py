"""What each kernel costs to compile: the seconds that the first run of the demo market spends on numba.

    python -m benchmarks.compile_times [--repeat 3]

A default run over a small demo market compiles what `python run_backtest.py` compiles in an empty folder, every
signature of it. Each turn is a process of its own with an empty cache. Times are CPU seconds of the compiling thread,
which a busy machine disturbs less than wall time; of `repeat` turns the fastest counts. The first run itself has two
processes that compile (`runs.warm_up`); here one compiles everything.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

PRINTS_A_SESSION = 5_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeat", type=int, default=3)
    turns = [_turn() for _ in range(parser.parse_args().repeat)]
    print(table([{name: min(turn[name][what] for turn in turns) for name in turns[0]} for what in range(3)]))


def table(columns: list[dict[str, float]]) -> str:
    """Return the table of seconds by kernel: all of it, LLVM's part, and what was compiled in how many signatures."""
    whole, llvm, functions = columns
    lines = [f"{'kernel':<52}{'seconds':>9}{'of LLVM':>9}{'functions':>11}"]
    names = sorted(whole, key=lambda name: -whole[name])
    rows = [(name, whole[name], llvm[name], functions[name]) for name in names]
    rows.append(("together", sum(whole.values()), sum(llvm.values()), sum(functions.values())))
    return "\n".join([*lines, *(f"{name:<52}{a:>9.2f}{b:>9.2f}{int(count):>11}" for name, a, b, count in rows)])


def _turn() -> dict[str, list[float]]:
    """Return for each kernel its seconds, those of LLVM, and the functions compiled for it; in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "NUMBA_CACHE_DIR": str(Path(folder) / "kernels"), "NUMBA_DISABLE_JIT": "0"}
        command = [sys.executable, "-c", "from benchmarks.compile_times import child; child()", folder]
        done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


def child() -> None:
    """Run a default backtest in the folder of argv[1] and print as JSON what its kernels cost."""
    from numba.core import event  # noqa: PLC0415

    watch = _watch(event)
    for kind in ("numba:compile", "numba:llvm_lock"):
        event.register(kind, watch)
    imported = time.process_time()
    from scalpr_zen import EmaCrossover, Setup, Tape, instrument, save  # noqa: PLC0415
    from scalpr_zen.data.demo import write_demo  # noqa: PLC0415
    from scalpr_zen.data.preprocess import preprocess  # noqa: PLC0415
    from scalpr_zen.runs.backtest import run_setup  # noqa: PLC0415

    watch.seconds["(imports)"] = [time.process_time() - imported, 0.0, 0]
    folder = Path(sys.argv[1])
    write_demo(folder / "demo", prints_a_session=PRINTS_A_SESSION)
    preprocess([folder / "demo"], instrument("NQ"), folder / "demo.npz")
    save(run_setup(Tape.open(folder / "demo.npz"), EmaCrossover(), Setup()), folder / "results")
    print(json.dumps(watch.seconds))


def _watch(event: Any) -> Any:
    """Return a listener of numba's events that adds up the seconds of each kernel called from Python."""

    class Watch(event.Listener):  # type: ignore[misc]
        def __init__(self) -> None:
            self.seconds: dict[str, list[float]] = {}
            self._here = threading.local()

        def on_start(self, ev: Any) -> None:
            stack = self._here.__dict__.setdefault("stack", [])
            stack.append((ev, time.thread_time()))

        def on_end(self, ev: Any) -> None:
            stack = self._here.stack
            _, start = stack.pop()
            took = time.thread_time() - start
            compiled = [e for e, _ in [*stack, (ev, 0.0)] if e.kind == "numba:compile"]
            if not compiled:
                return
            function = compiled[0].data["dispatcher"].py_func
            row = self.seconds.setdefault(f"{function.__module__}.{function.__qualname__}", [0.0, 0.0, 0])
            if ev.kind == "numba:compile":
                row[0] += took if len(compiled) == 1 else 0.0
                row[2] += 1
            elif not any(e.kind == "numba:llvm_lock" for e, _ in stack):
                row[1] += took

    return Watch()


if __name__ == "__main__":
    main()
