"""Questions to a dashboard, and what the tests expect of every answer."""

import contextlib
import json
import random
import socket
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from scalpr_zen import EmaCrossover, Tape, save_tape
from scalpr_zen.dashboard.workbench import Workbench
from scalpr_zen.runs.backtest import run_setup
from scalpr_zen.sections import sections

HERE = "http://127.0.0.1:5001"
CHICAGO = ZoneInfo("America/Chicago")
PATIENCE = 60
TICK = 0.25  # of NQ

FAST = {"fast_period": 2, "slow_period": 5, "monte_carlo_sims": 25, "random_entry_sims": 25, "prop_sims": 25}
BUSY = FAST | {"take_profit": 2, "stop_loss": 1.5, "overlap": True}
EVERYTHING = {
    "fast_period": 3,
    "slow_period": 8,
    "take_profit": 4.25,
    "stop_loss": 2.5,
    "take_profit_short": 4,
    "stop_loss_short": 2.75,
    "trailing_stop": 2,
    "trail_activation": 1.5,
    "trailing_step": 0.5,
    "break_even_at": 1.25,
    "break_even_plus": 1,
    "entry": "signal",
    "latency_ms": 1.5,
    "slippage_ticks": 2,
    "commission": 1.25,
    "target_fill": "queue",
    "queue_ahead": 3,
    "stop_fill": "next",
    "roll_exit": "close",
    "contracts": 3,
    "point_value": 2,
    "overlap": False,
    "sides": "long",
    "reverse": True,
    "entry_windows": "08:30-15:00, 18:00-02:00",
    "weekdays": "Mon-Thu, Fri",
    "no_entry_before_close": 30,
    "flat_before_close": 10,
    "max_hold": 5_000,
    "cooldown": 0.5,
    "max_trades": 4,
    "loss_limit": 500,
    "profit_limit": 900,
    "limit_basis": "equity",
    "incomplete_dates": "include",
    "pessimistic_commission": 3,
    "pessimistic_slippage_ticks": 4,
    "monte_carlo_sims": 7,
    "random_entry_sims": 9,
    "seed": 11,
    "prop_firm": "custom",
    "prop_account": 25_000,
    "prop_target": 400,
    "prop_drawdown": 350,
    "prop_drawdown_kind": "peak_equity",
    "prop_lock": 100,
    "prop_daily_loss": 200,
    "prop_daily_loss_breach": "bust",
    "prop_min_days": 1,
    "prop_consistency": 0.75,
    "prop_contracts": 2,
    "prop_sims": 8,
    "prop_days": 12,
}
LATER = [name for name, section in sections().items() if section.later]
RUN_ROUTES = (
    "/api/run",
    *(f"/api/section/{name}" for name in LATER),
    "/api/trades",
    "/api/tape",
    "/api/report.txt",
    "/api/report.json",
)


def texts(given):
    """Parameters as the page writes them."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in (given or {}).items()
    }


def at(path, given=None):
    """The address of a question."""
    return f"{path}?{urlencode(texts(given))}" if given else path


def ask(client, path, given=None, *, method="GET", **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.open(at(path, given), method=method, base_url=HERE, headers=names, buffered=True)


def answer(client, path, given=None):
    """The JSON of an answer, which holds no number that JSON has no word for."""
    response = ask(client, path, given)
    assert response.status_code == 200, response.text
    assert response.content_type == "application/json"
    return json.loads(response.text, parse_constant=pytest.fail)


def values_of(client, given=None):
    """The data of every section that a run has at once, by the name of the section."""
    return {name: section["values"] for name, section in answer(client, "/api/run", given)["sections"].items()}


def refused(response, status) -> str:
    """The message of a refusal in the one shape of all errors."""
    assert response.status_code == status, response.text[:300]
    assert response.content_type == "application/json"
    assert set(response.json) == {"error"}
    assert set(response.json["error"]) == {"status", "message", "parameters"}
    assert response.json["error"]["status"] == status
    return response.json["error"]["message"]


def blamed(response) -> list[str]:
    """The parameters that a refusal is about."""
    refused(response, 400)
    return response.json["error"]["parameters"]


def timeless(values):
    """The sections of a result without the times of its manifest."""
    clocks = ("started", "prints_per_second", "seconds", "wall_seconds")
    return values | {"manifest": {name: value for name, value in values["manifest"].items() if name not in clocks}}


def free_port():
    """A port at which nobody listens, of those that the system gives to nobody by itself."""
    while True:
        with (
            contextlib.suppress(OSError),
            socket.create_server(("127.0.0.1", random.randrange(10_000, 30_000))) as free,
        ):
            return free.getsockname()[1]


def bench_of(tape, folder):
    return Workbench(save_tape(tape, folder / "tape.npz"), EmaCrossover)


def made(bench, given=None):
    """The result that the dashboard answers from."""
    return bench.result(bench.job(texts(given)), lambda: False)


def whole(bench, given):
    """The same with every section."""
    return bench.whole(bench.job(texts(given)), lambda: False)


def library(bench, given):
    """The result of `run` for the parameters of a question."""
    job = bench.job(texts(given))
    return run_setup(Tape.open(bench.path), job.strategy, job.setup)
