"""The dashboard through HTTP: many clients at once, clients that leave, ports in use, the command."""

import gc
import http.client
import json
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from support.asking import FAST, HERE, PATIENCE, at, bench_of, free_port, library, timeless
from support.browsing import listening
from support.market import market
from waitress import wasyncore

import scalpr_zen
import scalpr_zen.dashboard.app
import scalpr_zen.dashboard.serve
from scalpr_zen import EmaCrossover, ScalprError, save_tape
from scalpr_zen.dashboard.guard import Address
from scalpr_zen.dashboard.serve import serve
from scalpr_zen.dashboard.workbench import Workbench

pytestmark = pytest.mark.usefixtures("few_tapes")

# ------------------------------------------------------------------------------------------------ server


def until(condition):
    """Wait for a condition; fail where it never comes."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


class Served:
    """A dashboard that `serve` serves at some free port, what it said, and what became of each request."""

    def __init__(self):
        self.port, self.said, self.gone, self.status = 0, [], {}, {}

    def get(self, path, given=None, **headers):
        """Status and body of one request, on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", at(path, given), headers={"Host": "127.0.0.1:5001", **headers})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def raw(self, path, given=None):
        """A connection that has sent a request and read nothing."""
        line = f"GET {at(path, given)} HTTP/1.1\r\nHost: 127.0.0.1:5001\r\n\r\n"
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        connection.sendall(line.encode())
        return connection


def close(server):
    """End a server. Each channel closes the temporary file of an answer that its client did not read to the end."""
    for channel in list(server.active_channels.values()):
        channel.handle_close()
    wasyncore.close_all(server._map)


@contextmanager
def served(bench, monkeypatch):
    here, servers, ready = Served(), [], threading.Event()
    create = scalpr_zen.dashboard.serve.create_server

    def at_a_free_port(app, **options):
        def watched(environ, start_response):
            query = environ["QUERY_STRING"]
            here.gone[query] = environ.get("waitress.client_disconnected")

            def start(status, *args):
                here.status[query] = status
                return start_response(status, *args)

            return app(environ, start)

        servers.append(create(watched, **options | {"port": 0}))
        return servers[0]

    def say(text):
        here.said.append(text)
        ready.set()

    monkeypatch.setattr(scalpr_zen.dashboard.serve, "create_server", at_a_free_port)
    thread = threading.Thread(target=serve, args=[bench, Address(), say])
    thread.start()
    assert ready.wait(PATIENCE)
    server = servers[0]
    here.port = server.effective_port
    try:
        yield here
    finally:
        server.trigger.pull_trigger(lambda: close(server))
        thread.join(PATIENCE)
        server.task_dispatcher.shutdown()
        assert not thread.is_alive()


def test_the_server_tells_its_address_and_answers_there(tmp_path, monkeypatch):
    with served(bench_of(market(), tmp_path), monkeypatch) as here:
        assert len(here.said) == 1
        assert HERE in here.said[0]
        assert here.get("/")[0] == 200
        assert here.get("/api/about", Host="evil.example")[0] == 403
        status, body = here.get("/api/report.exe")
        assert (status, json.loads(body)["error"]["status"]) == (404, 404)


def test_the_default_run_is_made_before_anyone_asks(tmp_path, monkeypatch):
    bench = bench_of(market(), tmp_path)
    with served(bench, monkeypatch):
        until(lambda: bench.runs)
    assert [row["changed"] for row in bench.latest_runs()] == [{}]


def test_eight_different_requests_at_once_have_their_own_answers(tmp_path, monkeypatch):
    bench = bench_of(market(), tmp_path)
    wanted = [FAST | {"fast_period": 1 + k % 4, "stop_loss": 1 + k} for k in range(8)]
    questions = [(path, asked) for asked in wanted for path in ("/api/report.json", "/api/trades")]
    with served(bench, monkeypatch) as here, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda question: here.get(*question), questions))
    assert {status for status, _ in answers} == {200}
    bodies = iter(json.loads(body) for _, body in answers)
    for asked, report, log in zip(wanted, bodies, bodies, strict=True):
        own = library(bench, asked)
        assert timeless(report) == timeless(json.loads(own.to_json()))
        assert log["matching"] == len(own.trades)


def test_clients_that_break_off_harm_nobody(tmp_path, monkeypatch):
    with served(bench_of(market(), tmp_path), monkeypatch) as here:
        for path in ("/plotly.js", "/api/report.html", "/api/run"):
            connection = here.raw(path, FAST if path.startswith("/api") else None)
            connection.recv(100)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # no good-bye
            connection.close()
            here.raw(path).close()
        with socket.create_connection(("127.0.0.1", here.port)) as half:
            half.sendall(b"GET /api/run HTTP/1.1\r\nHost: 127.0")
        assert json.loads(here.get("/api/trades", FAST)[1])["matching"] == 9
        assert len(here.get("/plotly.js")[1]) > 1_000_000


def test_the_run_of_a_client_that_left_is_dropped(tmp_path, monkeypatch):
    reached, go = threading.Event(), threading.Event()

    @dataclass(frozen=True, kw_only=True)
    class Held(EmaCrossover):
        def signals(self, tape):
            if self.fast_period == 3:
                reached.set()
                assert go.wait(PATIENCE)
            return super().signals(tape)

    bench = Workbench(save_tape(market(), tmp_path / "tape.npz"), Held)
    other = FAST | {"fast_period": 4}
    query = urlencode(other)
    with served(bench, monkeypatch) as here, ThreadPoolExecutor(1) as pool:
        first = pool.submit(here.get, "/api/run", FAST | {"fast_period": 3})
        assert reached.wait(PATIENCE)
        connection = here.raw("/api/run", other)
        until(lambda: query in here.gone)
        connection.close()
        until(lambda: here.gone[query]())
        go.set()
        assert first.result(PATIENCE)[0] == 200
        until(lambda: query in here.status)
        assert here.status[query].startswith("499")
        assert 4 not in [row["changed"].get("fast_period") for row in bench.latest_runs()]
        status, body = here.get("/api/run", other)
    assert (status, json.loads(body)["sections"]["parameters"]["values"]["fast_period"]) == (200, 4)
    assert [row["changed"].get("fast_period") for row in bench.latest_runs()].count(4) == 1


@pytest.fixture
def swept():
    """Takes away what waitress leaves open where it cannot listen."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def taken(swept):
    """A port at which somebody else listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_an_address_of_another_machine_is_refused(bench, swept):
    address = Address(host="192.0.2.1", expose=True, token="0123456789abcdef")
    with pytest.raises(ScalprError, match=r"192\.0\.2\.1 port 5001"):
        serve(bench, address, print)


# ---------------------------------------------------------------------------------------- command line


def one_line(called) -> str:
    """The message of a refusal: exit code 2, nothing on stdout, one line on stderr."""
    code, out, err = called
    assert (code, out) == (2, "")
    assert re.fullmatch(r"error: [^\n]+\n", err), err
    return err


def test_a_file_that_is_missing_or_no_tape_is_refused_in_one_line(scalpr, tmp_path):
    (tmp_path / "text.npz").write_text("no tape")
    for name in ("text.npz", "missing.npz"):
        assert name in one_line(scalpr("dashboard", tmp_path / name))


def test_a_port_in_use_is_refused_in_one_line(scalpr, bench, taken):
    said = one_line(scalpr("dashboard", bench.path, "--port", taken))
    assert re.search(rf"port {taken}: Address already in use.*--port", said)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("--port 0", "0 is not in the range"),
        ("--host 0.0.0.0", "host must be one address"),
        ("--host 192.168.1.5 --token 0123456789abcdef", "--expose and --token"),
        ("--token short", "token must have at least 16 characters"),
        ("--nonsense", "No such option"),
    ],
)
def test_bad_addresses_are_refused_in_one_line(scalpr, bench, monkeypatch, given, message):
    monkeypatch.delenv("SCALPR_TOKEN", raising=False)
    assert message in one_line(scalpr("dashboard", bench.path, *given.split()))


def test_a_token_of_the_environment_is_the_token(scalpr, bench, monkeypatch):
    monkeypatch.setenv("SCALPR_TOKEN", "short")
    assert "token must have at least 16 characters" in one_line(scalpr("dashboard", bench.path))


COMMAND = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from scalpr_zen import commands; commands.entry_point()"
)


def test_ctrl_c_ends_it_in_peace(bench):
    port = free_port()
    command = [sys.executable, "-c", COMMAND, "dashboard", str(bench.path), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert f"http://127.0.0.1:{port}" in listening(process)[-1]
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            connection.request("GET", at("/api/run", FAST))
            assert connection.getresponse().read().startswith(b'{"name":"EmaCrossover NQ"')
            connection.close()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err
    assert "error" not in err
