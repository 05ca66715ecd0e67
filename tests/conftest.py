"""The fixtures that the tests share, and what holds for all of them."""

import atexit
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from support.asking import bench_of
from support.both import BOTH, LONG, Traded
from support.browsing import _looked, big, browser, look, small, visit  # noqa: F401
from support.budget import JIT, budget
from support.kernels import compile_once
from support.market import market

from scalpr_zen import commands
from scalpr_zen.dashboard.app import create_app
from scalpr_zen.dashboard.guard import Address
from scalpr_zen.sections.prop_firm import evaluation
from scalpr_zen.sections.random_entries import draws

os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp()  # no test reads or writes what the user's own runs remember
atexit.register(shutil.rmtree, os.environ["XDG_CACHE_HOME"], ignore_errors=True)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a job in the background: no test would hear Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)

if not JIT:  # a random entry takes a millisecond then
    draws.DRAWS, draws.MIN_POOL = 2_000, 5
ALL_TAPES, evaluation.TAPES = evaluation.TAPES, 4 if JIT else 2  # all of them are most of a run of a few prints

# A busy machine is no reason to fail.
settings.register_profile(
    "scalpr",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=budget(100),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("scalpr")


def pytest_xdist_auto_num_workers(config):
    """Share the whole suite among the cores, and run what is named in this process, where it starts at once."""
    named = any(Path(arg.split("::")[0]).exists() for arg in config.invocation_params.args)
    return 0 if named or config.option.usepdb else min(os.cpu_count() or 1, 4)


def pytest_configure(config):
    """Compile before the workers start."""
    if JIT and not hasattr(config, "workerinput") and config.getoption("numprocesses"):
        compile_once(config.cache)


@pytest.fixture
def all_tapes(monkeypatch):
    """As many drawn tapes for the prop firm as a user's run has."""
    monkeypatch.setattr(evaluation, "TAPES", ALL_TAPES)


@pytest.fixture(scope="module")
def few_tapes():
    """Draws few tapes for the intervals of the prop firm: 200 take most of the time of a run of a few prints."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "TAPES", 2)
        yield


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
def elsewhere(tmp_path, monkeypatch):
    """Run the test in an empty folder."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def scalpr(monkeypatch, capsys):
    """The console command, in this process: arguments to exit code, stdout and stderr."""

    def call(*args):
        monkeypatch.setattr(sys, "argv", ["scalpr", *map(str, args)])
        with pytest.raises(SystemExit) as end:
            commands.entry_point()
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
    """How the signals ended, zeros left out."""
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
