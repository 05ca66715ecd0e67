"""The dashboard in a browser: sites, pages, and what the server answers to the questions of a page."""

import contextlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import urlopen

import numpy as np
import pytest

from scalpr_zen import Tape, instrument, save_tape
from scalpr_zen.sections import sections
from support.asking import free_port
from support.market import market

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_missing = CHROMIUM is None or find_spec("playwright") is None
needs_chromium = [
    pytest.mark.browser,
    pytest.mark.skipif(_missing, reason="no Chromium, or no Playwright, on this machine"),
]

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --in-process-gpu --renderer-process-limit=1"
)
TAPES = 4  # of the prop firm's 200: three quarters of a run of a few prints
COMMAND = (
    sys.executable,
    "-c",
    f"import scalpr_zen.sections.prop_firm.evaluation as made; made.TAPES = {TAPES}; "
    "from scalpr_zen.commands import entry_point; entry_point()",
)
PATIENCE = 120_000  # ms, for a busy machine
NO_PLOTLY = "window.Plotly = { react: async (box) => { box.on ??= () => {}; }, Plots: { resize() {} } };"
SHORT = {"width": 1280, "height": 560}  # no chart is in sight at first, which saves drawing them
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 400, "height": 850}
FAST = "fast_period=2&slow_period=5"  # nine trades of the small tape
MANY = "fast_period=5&slow_period=20&monte_carlo_sims=25&random_entry_sims=25&prop_sims=50"
LATER = [name for name, section in sections().items() if section.later]
SHOWN = [name for name, section in sections().items() if section.title]
CHARTS = [chart.name for section in sections().values() for chart in section.charts]


# ---------------------------------------------------------------------------------- tapes, dashboards, pages


@dataclass(frozen=True)
class Site:
    """A tape and its dashboard."""

    tape: Path
    url: str
    process: subprocess.Popen

    def get(self, path, query=""):
        """The JSON that the server answers."""
        with urlopen(f"{self.url}{path}?{query}") as answer:
            return json.load(answer)

    def run(self, query, pin=None):
        """What the server answers for a run, beside a pinned one."""
        return self.get("api/run", query if pin is None else urlencode([*parse_qsl(query), ("pin", pin)]))


def listening(process):
    """The lines that a dashboard prints up to its address: on a slow machine others come first."""
    said = [process.stderr.readline()]
    while said[-1] and not said[-1].startswith("dashboard: "):
        said.append(process.stderr.readline())
    return said


@contextlib.contextmanager
def dashboard(tape, *flags):
    port = free_port()
    command = [*COMMAND, "dashboard", str(tape), "--port", str(port), *flags]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tape.parent) as process:
        try:
            said = listening(process)
            assert said[-1].startswith(f"dashboard: http://127.0.0.1:{port} "), said
            yield Site(tape, f"http://127.0.0.1:{port}/", process)
        finally:
            process.terminate()
            rest = process.stderr.read()
    assert "Traceback" not in rest, rest


def walk(prints=20_000, days=30):
    """A tape without a stamp: a seeded random walk over `days` session dates and two contracts."""
    random, day = np.random.default_rng(7), np.arange(prints) * days // prints
    first = datetime(2024, 11, 18, 15, tzinfo=UTC)
    dates = [first + timedelta(days=k) for k in range(2 * days)]
    starts = np.array([int(date.timestamp()) for date in dates if date.weekday() < 5][:days])
    seconds = np.concatenate([np.cumsum(random.integers(1, 20, (day == k).sum())) for k in range(days)])
    return Tape.from_prints(
        (starts[day] + seconds) * 10**9,
        84_000 + np.cumsum(random.integers(-9, 10, prints)),
        instrument=instrument("NQ"),
        size=random.integers(1, 9, prints),
        aggressor=random.integers(-1, 2, prints),
        contract=np.where(day < days // 2, "NQZ4", "NQH5"),
        whole=True,
    )


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """300 prints of the golden market, SYNTHETIC."""
    with dashboard(save_tape(market(), tmp_path_factory.mktemp("small") / "small.npz")) as site:
        yield site


@pytest.fixture(scope="session")
def big(tmp_path_factory):
    with dashboard(save_tape(walk(), tmp_path_factory.mktemp("big") / "big.npz")) as site:
        yield site


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """Open a site in a context of its own and wait for its run; whatever the console says fails the test."""
    contexts, troubles = [], []

    def go(site, query="", *, refused=False, drawn=True, plotly=True, blocked=None, **options):
        """Return the page; with `refused` it may tell on its console that requests failed.

        Without `plotly` the page gets a library that draws nothing, for the real one takes a second to start.
        """
        context = browser.new_context(**{"viewport": SHORT, **options})
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        watch(context, site.url, troubles, refused)
        if not plotly:
            context.route("**/plotly.js", lambda route: route.fulfill(body=NO_PLOTLY, content_type="text/javascript"))
        if blocked:
            context.route(blocked, lambda route: route.abort())
        return opened(context, site, query, drawn)

    yield go
    for context in contexts:
        context.close()
    assert troubles == [], troubles


@pytest.fixture(scope="session")
def _looked(browser):
    pages = {}
    yield pages
    for page, _ in pages.values():
        page.context.close()


@pytest.fixture
def look(_looked, browser):
    """A page without plotly that is shared by the tests which read a run and change nothing."""
    shown = []

    def go(site, query=""):
        if (site, query) not in _looked:
            context, troubles = browser.new_context(viewport=SHORT), []
            context.set_default_timeout(PATIENCE)
            watch(context, site.url, troubles)
            context.route("**/plotly.js", lambda route: route.fulfill(body=NO_PLOTLY, content_type="text/javascript"))
            page = opened(context, site, query)
            wait_for_all(page)
            page.wait_for_selector("#log tbody", state="attached")
            _looked[site, query] = page, troubles
        page, troubles = _looked[site, query]
        shown.append(troubles)
        return page

    yield go
    assert not any(shown), shown


def watch(context, url, troubles, refused=False):
    def console(message):
        if message.type in ("error", "warning") and not (refused and "Failed to load resource" in message.text):
            troubles.append(f"{message.type}: {message.text}")

    def request(made):
        if not made.url.startswith((url, "data:", "blob:")):
            troubles.append(f"request: {made.url}")

    def dialog(shown):
        troubles.append(f"dialog: {shown.message}")
        shown.dismiss()

    context.on("console", console)
    context.on("weberror", lambda error: troubles.append(f"page error: {error.error}"))
    context.on("request", request)
    context.on("dialog", dialog)


def opened(context, site, query="", drawn=True):
    page = context.new_page()
    page.goto(site.url + (f"?{query}" if query else ""))
    if drawn:
        wait_for_run(page, without_pin(query))
    return page


def without_pin(query):
    return query.split("&pin=")[0]


def wait_for_run(page, query):
    page.wait_for_selector(f'body[data-run="{query}"]')


def query_of(page):
    return urlsplit(page.url).query


def wait_for_all(page):
    """Wait for every section of the run that is shown."""
    page.wait_for_selector("body[data-complete]")


def field(page, name):
    """A field, with its group open."""
    found = page.locator(f"#parameter-{name}")
    found.evaluate("field => { field.closest('details').open = true; }")
    return found


def change(page, name, value):
    field(page, name).fill(value)


def chart(page, name):
    """Scroll to a chart and wait until it is drawn."""
    box = page.locator(f"#chart-{name}")
    box.scroll_into_view_if_needed()
    box.locator(".main-svg").first.wait_for()
    return box


def plot(page, name, expression):
    """An expression about the plotly element `plot` of a chart."""
    return page.locator(f"#chart-{name} .plot").evaluate(f"plot => {expression}")


# --------------------------------------------------------------------------------------- what the page shows


def slide(page, name, key):
    page.locator(f".field:has(#parameter-{name}) input[type=range]").press(key)


def visible_groups(page):
    """The names of the groups of the form that are open."""
    ids = page.locator("details.group[open]").evaluate_all("all => all.map(({ id }) => id)")
    return [text.removeprefix("group-") for text in ids]


def column(page, name):
    """The texts of a column of the log."""
    heads = page.locator("#log th").all_text_contents()
    [k] = [k for k, head in enumerate(heads) if re.sub(r"\W+$", "", head) == name]
    return page.locator(f"#log tbody td:nth-child({k + 1})").all_text_contents()


@contextlib.contextmanager
def new_log(page):
    """Wait for the page of the log that an action asks for."""
    page.wait_for_selector("#log tbody tr")
    page.evaluate("document.querySelector('#log tbody').id = 'old'")
    yield
    page.wait_for_selector("#old", state="detached")


def tape_view(page, status):
    """Wait for a status of the tape; the names of its traces."""
    page.wait_for_function("text => document.querySelector('#tape-status').textContent.includes(text)", arg=status)
    return page.locator("#tape-chart").evaluate("({ data }) => data.map(({ name }) => name)")


def download(page, suffix):
    with page.expect_download() as begun:
        page.locator(f"#downloads a[href*='report.{suffix}']").click()
    assert re.fullmatch(rf"\d{{8}}T\d{{6}}Z_EmaCrossover_run_\d+\.{suffix}", begun.value.suggested_filename)
    return begun.value.path()


def open_all(page):
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")


def html_of(page, selector):
    return page.locator(selector).evaluate("element => element.innerHTML")


def as_shown(page, html):
    """HTML of the server as a browser writes it."""
    return page.evaluate(
        "html => { const box = document.createElement('p'); box.innerHTML = html; return box.innerHTML }", html
    )


def shows(page, site, query, pin=None):
    """Wait for the run of a query, and compare what leads the page with the answer of the server."""
    wait_for_run(page, query)
    assert html_of(page, "#headline") == as_shown(page, site.run(query, pin)["headline"])


def wrong(page):
    """The fields that are marked as refused."""
    return page.locator("[aria-invalid=true]").evaluate_all("all => all.map(({ name }) => name)")


@contextlib.contextmanager
def held(page, path, part=""):
    """Hold the answers of a path, of questions with a part in their query; let all of them through at the end."""
    routes = []

    def keep(route):
        if part in route.request.url:
            routes.append(route)
        else:
            route.continue_()

    page.route(f"**/api/{path}?*", keep)
    yield routes
    for route in routes:
        route.continue_()
    page.evaluate("fetch('/api/runs').then((response) => response.text())")  # goes behind what was held
