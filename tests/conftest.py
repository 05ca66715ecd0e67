"""What the tests share: tapes of a few prints, a strategy whose signals are given, how many examples to try."""

import atexit
import os
import shutil
import sys
import tempfile

import numba
import numpy as np
import pytest
from asking import bench_of
from both import BOTH, LONG, Traded
from browsing import big, browser, small, visit, written  # noqa: F401
from golden.market import market
from hypothesis import HealthCheck, settings

import scalpr_zen.control
from scalpr_zen import Tape, cli, instrument
from scalpr_zen.dashboard.app import create_app
from scalpr_zen.dashboard.guard import Address

NOON = 1_736_964_000 * 10**9
"""2025-01-15 12:00 in Chicago, in ns UTC: five hours before the session date ends."""

os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp()  # no test reads or writes what the user's own runs remember
atexit.register(shutil.rmtree, os.environ["XDG_CACHE_HOME"], ignore_errors=True)

JIT = not numba.config.DISABLE_JIT
if not JIT:  # a random entry takes a millisecond then
    scalpr_zen.control.DRAWS, scalpr_zen.control.MIN_POOL = 2_000, 5
    scalpr_zen.prop_firm.evaluation.TAPES = 2

# Without the compiler the kernels are plain Python. A busy machine is no reason to fail.
settings.register_profile(
    "scalpr",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100 if JIT else 30,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("scalpr")


def tape_of(prices, ts=None, contract=None, aggressor=None, root="NQ", start=NOON):
    """A tape of prices in ticks at `ts` ns after `start`; by default one event every 10 ns and one segment."""
    ts = range(0, 10 * len(prices), 10) if ts is None else ts
    times = [start + t for t in ts]
    about = {"instrument": instrument(root), "contract": contract, "aggressor": aggressor, "whole": True}
    return Tape.from_prints(times, prices, **about)


def signals_of(tape, sides):
    """The signals of a tape from a dict of print index to side."""
    signals = np.zeros(len(tape), np.int8)
    for i, side in sides.items():
        signals[i] = side
    return signals


class Given:
    """A strategy whose signals are given."""

    def __init__(self, signals):
        self._signals = signals

    def signals(self, tape):
        return self._signals


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return bench_of(market(), tmp_path_factory.mktemp("market"))


@pytest.fixture(scope="module")
def client(bench):
    return create_app(bench, Address()).test_client()


@pytest.fixture
def fresh(tmp_path):
    """A client of a dashboard that nobody has asked yet."""
    return create_app(bench_of(market(), tmp_path), Address()).test_client()


@pytest.fixture
def scalpr(monkeypatch, capsys):
    """The console command, in this process: arguments to exit code, stdout and stderr."""

    def call(*args):
        monkeypatch.setattr(sys, "argv", ["scalpr", *map(str, args)])
        with pytest.raises(SystemExit) as end:
            cli.entry_point()
        out, err = capsys.readouterr()
        return end.value.code, out, err

    return call


@pytest.fixture(params=list(BOTH))
def trade(request):
    """Trade a few prints."""
    return lambda *args, **given: Traded(BOTH[request.param], *args, **given)


@pytest.fixture
def fills(trade):
    """(entry print, entry price, exit print, exit price, reason) of the closed trades, then of the others."""
    return lambda *args, **given: trade(*args, **given).fills


@pytest.fixture
def counts(trade):
    """What became of the signals, zeros left out."""
    return lambda *args, **given: trade(*args, **given).counts


@pytest.fixture
def taken(trade):
    """The wall times whose signals are traded, if every print signals and each signal is traded on its own."""

    def call(at, **given):
        rules = {"entry": "signal", "overlap": True} | given
        got = trade([100] * len(at), dict.fromkeys(range(len(at)), LONG), at=at, **rules)
        assert got.counts.get("outside", 0) == len(at) - len(got.rows)
        return [at[signal] for signal in sorted(row["signal"] for row in got.rows)]

    return call
