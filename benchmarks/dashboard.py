"""The dashboard's rows of RESULTS.md: the server through HTTP, the page in headless Chromium.

Every run has another set of parameters, so that no answer comes from the server's memory. The median of `repeat`
turns counts, because a trader feels each of them; of the zoom steps the slowest range, each by its median.
One client asks at a time.
"""

from __future__ import annotations

import gzip
import http.client
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.browser import launched, served
from scalpr_zen.sections import sections

Row = tuple[str, str, str, str]

CHANGE = """([name, value]) => new Promise((done) => {
  const typed = document.getElementById(`parameter-${name}`);
  const field = typed.closest(".field").querySelector("input[type=range]") ?? typed; // a slider, where there is one
  const began = performance.now();
  new MutationObserver((_, observer) => {
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
  }).observe(document.body, { attributes: true, attributeFilter: ["data-run"] });
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
})"""


FIRST = """document.addEventListener("DOMContentLoaded", () => {
  const painted = () => requestAnimationFrame(() => setTimeout(() => (window.figuresAt = performance.now())));
  new MutationObserver((_, observer) => {
    observer.disconnect();
    painted();
  }).observe(document.getElementById("headline"), { childList: true });
});"""

SETTLED = "() => document.body.dataset.complete === document.body.dataset.run"
"""The sections that take long have come."""


def ask(address: str, path: str, **query: Any) -> tuple[float, bytes]:
    """Return the seconds and the compressed bytes of an answer."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    began = time.perf_counter()
    connection.request("GET", f"{path}?{urlencode(query)}", headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    data = answer.read()
    took = time.perf_counter() - began
    assert answer.status == 200, data
    connection.close()
    return took, data


def rows(tape: Path, prints: int, repeat: int) -> list[Row]:
    """Return all rows: of the server, then of the page."""
    with served(str(tape)) as address:
        _, data = ask(address, "/api/run")
        ask(address, "/api/tape")
        found = _server(address, data, prints, repeat)
    return found + _browser(tape, repeat)


def _server(address: str, data: bytes, prints: int, repeat: int) -> list[Row]:
    brackets = [ask(address, "/api/run", take_profit=10.25 + k / 4)[0] for k in range(repeat)]
    costs = [ask(address, "/api/run", commission=1 + k / 100)[0] for k in range(repeat)]
    periods = [ask(address, "/api/run", fast_period=40 - k)[0] for k in range(repeat)]
    windows = [(0, prints)] + [(prints // 3, prints // 3 + prints // 7**k) for k in range(8)]
    zooms = {window: statistics.median(_zoom(address, *window) for _ in range(repeat)) for window in windows}
    pages = [ask(address, "/api/trades", sort="net_usd", page=k + 1)[0] for k in range(repeat)]
    later = {
        name: [ask(address, f"/api/section/{name}", commission=2 + k / 100)[0] for k in range(repeat)]
        for name, section in sections().items()
        if section.later
    }
    trades = json.loads(gzip.decompress(data))["sections"]["statistics"]["values"]["trades"]
    slowest, took = max(zooms.items(), key=lambda item: item[1])
    return [
        ("dashboard, bracket change at the server", "<= 0.3 s", _median(brackets), _all(brackets)),
        ("dashboard, cost change at the server", "<= 0.3 s", _median(costs), _all(costs)),
        ("dashboard, period change at the server", "", _median(periods), _all(periods)),
        ("dashboard, one answer", "<= 300 kB", f"{len(data) / 1e3:.0f} kB", f"{trades:,} trades, compressed"),
        (
            "dashboard, one zoom step on the tape, the slowest of nine ranges",
            "<= 50 ms",
            f"{took * 1e3:.0f} ms",
            f"{slowest[1] - slowest[0]:,} prints",
        ),
        ("dashboard, a page of the trade log, sorted", "", _median(pages), _all(pages)),
        *(
            (f"dashboard, {name.replace('_', ' ')}, one core", "on its own", _median(t), _all(t))
            for name, t in later.items()
        ),
    ]


def _zoom(address: str, start: int, stop: int) -> float:
    return ask(address, "/api/tape", start=start, stop=stop, points=1_200)[0]


def _browser(tape: Path, repeat: int) -> list[Row]:
    with launched() as browser:
        figures, charts = [], []
        for _ in range(repeat):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.add_init_script(FIRST)
            with served(str(tape)) as address:
                began = time.perf_counter()
                page.goto(address)
                page.wait_for_selector("body[data-run]")
                charts.append(time.perf_counter() - began)
            figures.append(page.evaluate("window.figuresAt") / 1e3)
            page.close()
        with served(str(tape)) as address:
            return [
                ("dashboard, first paint of the figures once it listens", "<= 1.5 s", _median(figures), _all(figures)),
                ("dashboard, the charts in sight once it listens", "", _median(charts), _all(charts)),
                *_changes(browser, address, 900, "charts in sight", repeat),
                *_changes(browser, address, 9_000, "all charts", repeat),
            ]


def _changes(browser: Any, address: str, height: int, drawn: str, repeat: int) -> list[Row]:
    page = browser.new_page(viewport={"width": 1280, "height": height})
    page.goto(address)
    page.wait_for_selector("body[data-run]")

    def change(name: str, value: Callable[[int], float]) -> list[float]:
        times = []
        for k in range(repeat + 1):
            page.wait_for_function(SETTLED, timeout=600_000)
            times.append(page.evaluate(CHANGE, [name, str(value(k))]) / 1e3)
        return times[1:]

    base = height // 100
    brackets = change("take_profit", lambda k: base + k / 4)
    costs = change("commission", lambda k: round(height / 1e4 + k / 100, 4))
    periods = change("fast_period", lambda k: base % 100 + 3 * k)
    page.close()
    return [
        (f"dashboard, bracket change in the browser, {drawn}", "<= 0.3 s", _median(brackets), _all(brackets)),
        (f"dashboard, cost change in the browser, {drawn}", "<= 0.3 s", _median(costs), _all(costs)),
        (f"dashboard, period change in the browser, {drawn}", "<= 0.8 s", _median(periods), _all(periods)),
    ]


def _median(times: Sequence[float]) -> str:
    return f"{statistics.median(times):.2f} s"


def _all(times: Sequence[float]) -> str:
    return ", ".join(f"{time:.2f}" for time in times) + " s"
