"""The dashboard in a browser: what a trader sees there, does with it and takes away."""

import contextlib
import functools
import io
import json
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from golden.market import market

from scalpr_zen import Tape, cli, instrument, save_tape
from scalpr_zen.baseline import BY_TRADE
from scalpr_zen.figures import CHARTS, figures
from scalpr_zen.report import chicago, number, tape_lines
from scalpr_zen.statistics import STATISTICS

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --in-process-gpu --renderer-process-limit=1"
)
COMMAND = (sys.executable, "-c", "from scalpr_zen.cli import entry_point; entry_point()")
PATIENCE = 30_000  # ms
NO_PLOTLY = "window.Plotly = { react: async () => {} };"
SHORT = {"width": 1280, "height": 560}  # no chart is in sight at first, which saves drawing them
WIDTHS = [{"width": 1280, "height": 900}, {"width": 400, "height": 850}]
FAST = "fast_period=2&slow_period=5"  # nine trades of the small tape
ONE = "fast_period=2&slow_period=100"
MANY = "fast_period=5&slow_period=20&monte_carlo_sims=25"
UNITS = {row.key: row.unit for row in STATISTICS}
PATHS = [chart.name for chart in CHARTS if chart.monte_carlo]
DRAWN_AT_ONCE = [chart.name for chart in CHARTS if not chart.monte_carlo and chart.name != "equity_by_trade"]


# ------------------------------------------------------------------------------- tapes, dashboards, pages


@dataclass(frozen=True)
class Site:
    """A tape and its dashboard."""

    tape: Path
    url: str
    process: subprocess.Popen


@contextlib.contextmanager
def dashboard(tape, *flags):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [*COMMAND, "dashboard", str(tape), "--port", str(port), *flags]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tape.parent) as process:
        try:
            line = process.stderr.readline()
            assert line.startswith(f"dashboard: http://127.0.0.1:{port} "), line
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
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """300 prints of the golden market, SYNTHETIC."""
    with dashboard(save_tape(market(), tmp_path_factory.mktemp("small") / "small.npz")) as site:
        yield site


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    with dashboard(save_tape(walk(), tmp_path_factory.mktemp("big") / "big.npz")) as site:
        yield site


@pytest.fixture(scope="module")
def browser():
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
    assert troubles == []


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


def field(page, name):
    return page.locator(f"#parameter-{name}")


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


# --------------------------------------------------------------------------- what the command line reports


@functools.cache
def reported(site, query=""):
    """The JSON that the command prints for the parameters of a query."""
    flags = []
    for name, value in parse_qsl(query):
        flag = "--" + name.replace("_", "-")
        flags += [flag] if value == "true" else [flag, value]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        args = ["backtest", "--tape", str(site.tape), *flags, "--json", "--out", str(site.tape.parent / "results")]
        cli.scalpr.main(args, standalone_mode=False)
    return json.loads(out.getvalue())


def signed(value, unit):
    return f"{'+' if value is not None and value > 0 else ''}{number(value, unit)}"


def expected_cards(values, keys, pinned=None):
    cards = {}
    for key in keys:
        unit, value, more = UNITS[key], values["statistics"][key], {}
        if key in values["baseline"]:
            own, held = values["baseline"]["strategy"][key], values["baseline"][key]
            if own != value:
                more["by day"] = number(own, unit)
            more["hold, by segment" if key in BY_TRADE else "buy & hold"] = number(held, unit)
            more["difference"] = signed(values["baseline"]["difference"][key], unit)
        if pinned:
            before = pinned["statistics"][key]
            more["pinned"], more["change"] = number(before, unit), signed(value - before, unit)
        cards[key] = [number(value, unit), more]
    return cards


def cards(page):
    """Value and lines of every card by key."""
    return page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("#cards .card")].map((card) => [
            card.dataset.key,
            [card.querySelector(".value").textContent, Object.fromEntries(
                [...card.querySelectorAll("dt")].map((dt) => [dt.textContent, dt.nextElementSibling.textContent]),
            )],
        ]))"""
    )


def table(page, name):
    """The cells of every row of a table by key."""
    return page.evaluate(
        """(name) => Object.fromEntries([...document.querySelectorAll(`#${name} tbody tr`)].map((row) =>
            [row.dataset.key, [...row.cells].map((cell) => cell.textContent)]))""",
        name,
    )


def shows(page, site, query, pinned=None):
    """Wait for the run of a query and compare the page with the report."""
    wait_for_run(page, query)
    shown = cards(page)
    assert len(shown) == 12
    before = None if pinned is None else reported(site, pinned)
    assert shown == expected_cards(reported(site, query), shown, before)


@pytest.fixture(scope="module")
def written(small, tmp_path_factory):
    """What `scalpr backtest --csv --html --json` printed, and the files that it wrote, by suffix."""
    out = tmp_path_factory.mktemp("written")
    flags = ("--fast-period", "2", "--slow-period", "5", "--csv", "--html", "--json")
    command = [*COMMAND, "backtest", "--tape", str(small.tape), *flags, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout), {path.suffix[1:]: path.read_text("utf-8") for path in out.iterdir()}


# ------------------------------------------------------------------------------------------------ loading


def test_the_page_shows_what_the_command_reports(visit, small, written):
    values, _ = written
    page = visit(small, FAST)
    shown = cards(page)
    assert len(shown) == 12
    assert shown["net_usd"] == ["$180.00", {"buy & hold": "$770.00", "difference": "-$590.00"}]
    assert shown == expected_cards(values, shown)
    assert page.locator("#notes li").all_text_contents() == values["notes"] != []
    assert page.locator("#timing").text_content().startswith("run ")


def test_the_validation_shows_value_verdict_and_target(visit, small, written):
    values, _ = written
    sign = {"PASS": "\u2713 PASS", "FAIL": "\u2717 FAIL"}
    rows = {row.key: row for row in STATISTICS if row.target}
    assert set(values["verdicts"].values()) == {"PASS", "FAIL"}
    assert table(visit(small, FAST, plotly=False), "validation") == {
        key: [row.label, number(values["statistics"][key], row.unit), sign[values["verdicts"][key]], row.target]
        for key, row in rows.items()
    }


def test_all_statistics_stand_in_one_table(visit, small, written):
    values, _ = written
    page = visit(small, FAST, plotly=False)
    page.get_by_text("All statistics").click()
    assert page.locator("#statistics").is_visible()
    expected = {}
    for row in STATISTICS:
        _, more = expected_cards(values, [row.key])[row.key]
        held = more.get("hold, by segment") or more.get("buy & hold") or ""
        value = number(values["statistics"][row.key], row.unit)
        if "by day" in more:
            value += f" (by day {more['by day']})"
        expected[row.key] = [row.label, value, held, more.get("difference", ""), row.definition]
    assert table(page, "statistics") == expected


def test_only_a_synthetic_tape_is_stamped(visit, small, big):
    page, other = visit(small, FAST, plotly=False), visit(big, MANY, plotly=False)
    assert page.locator("#synthetic").is_visible()
    assert "SYNTHETIC" in page.locator("#synthetic").text_content()
    assert other.locator("#synthetic").is_hidden()
    assert "20,000 prints, 2024-11-18 to 2024-12-27" in other.locator("#about").text_content()


def test_a_page_of_defaults_has_a_url_without_parameters(visit, big):
    page = visit(big, plotly=False)
    shows(page, big, "")
    assert page.url == big.url


def test_numbers_are_written_as_in_the_report(visit, small):
    values = [None, 0, 1, -1, 1_234_567, 0.0, 0.5, -2.5, 1 / 3, -1234.5678, 1e-5, 0.00012345, 0.99996, 123_456.789]
    values += [0.40625, 22.125, -22.125, 0.0625, 2.0005, 1.005]  # 13 of 32 trades, 177 / 8, ...
    units = sorted(set(UNITS.values()) - {"", "sessions", "trades"})
    pairs = [(value, unit) for value in values for unit in units]
    written = visit(small, plotly=False).evaluate(
        """async (pairs) => {
            const { number } = await import("/static/format.js");
            return pairs.map(([value, unit]) => number(value, unit));
        }""",
        pairs,
    )
    # JSON holds no 1.0 of JavaScript: all are floats here, and whole numbers have units of their own.
    expected = [number(value if value is None else float(value), unit) for value, unit in pairs]
    assert [(pair, text) for pair, text in zip(pairs, written, strict=True)] == list(zip(pairs, expected, strict=True))


# ----------------------------------------------------------------------------------- changing a parameter


def slide(page, name, key):
    page.locator(f".field:has(#parameter-{name}) input[type=range]").press(key)


@pytest.mark.parametrize(
    ("edit", "changed"),
    [
        (lambda page: change(page, "take_profit", "12"), "take_profit=12"),
        (lambda page: field(page, "commission").press_sequentially("2.5"), "commission=02.5"),
        (lambda page: slide(page, "stop_loss", "ArrowRight"), "stop_loss=5.25"),
        (lambda page: field(page, "entry").select_option("signal"), "entry=signal"),
        (lambda page: field(page, "overlap").check(), "overlap=true"),
    ],
    ids=["fill", "type", "slider", "select", "checkbox"],
)
def test_a_change_is_drawn_without_loading_the_page_again(visit, small, edit, changed):
    page = visit(small, FAST, plotly=False)
    page.evaluate("window.marker = 1")
    edit(page)
    shows(page, small, f"{FAST}&{changed}")
    assert query_of(page) == f"{FAST}&{changed}"
    assert page.evaluate("window.marker") == 1


def test_the_parameters_of_a_strategy_are_fields_of_their_kind(visit, tmp_path):
    with dashboard(save_tape(market(), tmp_path / "small.npz"), "--strategy", "OpeningRange") as site:
        page = visit(site, plotly=False)
        assert page.locator("#parameters legend").first.inner_text().lower() == "strategy openingrange"
        kinds = {"range_start": "text", "range_minutes": "number", "breakout_ticks": "number", "until": "text"}
        for name, kind in kinds.items():
            assert field(page, name).get_attribute("type") == kind
        change(page, "range_start", "09:45")
        wait_for_run(page, "range_start=09%3A45")
        assert page.locator("#parameter-fast_period").count() == 0


def test_a_value_that_is_the_default_again_leaves_the_url(visit, small):
    page = visit(small, FAST, plotly=False)
    change(page, "take_profit", "12")
    wait_for_run(page, f"{FAST}&take_profit=12")
    change(page, "take_profit", "10")
    shows(page, small, FAST)
    assert query_of(page) == FAST
    page.click("#defaults")
    shows(page, small, "")
    assert page.url == small.url


def test_the_slider_and_the_field_show_the_same(visit, small):
    page = visit(small, f"{FAST}&take_profit=12.5", plotly=False)
    slider = page.locator(".field:has(#parameter-take_profit) input[type=range]")
    assert (field(page, "take_profit").input_value(), slider.input_value()) == ("12.5", "12.5")
    change(page, "take_profit", "250")
    assert slider.input_value() == "250"


def test_a_drag_ends_with_the_numbers_of_its_last_value(visit, small):
    page = visit(small, FAST, plotly=False)
    before = page.evaluate("history.length")
    slider = page.locator(".field:has(#parameter-take_profit) input[type=range]")
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.1 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], middle, steps=10)
    page.mouse.up()
    value = field(page, "take_profit").input_value()
    assert 40 < float(value) < 80
    shows(page, small, f"{FAST}&take_profit={value}")
    assert page.evaluate("history.length") == before + 1


@pytest.mark.parametrize("answer", ["run", "trades", "monte_carlo"])
def test_an_older_answer_never_takes_the_place_of_a_newer_one(visit, small, answer):
    drawn = answer == "monte_carlo"
    page, held = visit(small, FAST, plotly=drawn), []
    page.route(
        f"**/api/{answer}?*",
        lambda route: held.append(route) if "take_profit=11" in route.request.url else route.continue_(),
    )
    with page.expect_request(lambda request: f"/api/{answer}?" in request.url and "take_profit=11" in request.url):
        change(page, "take_profit", "11")
    with page.expect_response(lambda response: "/api/monte_carlo" in response.url and "=2.5" in response.url):
        change(page, "take_profit", "2.5")
    for route in held:
        route.continue_()
    page.evaluate("fetch('/api/runs').then((response) => response.text())")  # goes behind what was held
    query = f"{FAST}&take_profit=2.5"
    values = reported(small, query)
    shows(page, small, query)
    if drawn:
        chart(page, "paths_permuted")
        paths = plot(page, "paths_permuted", "plot.data.map((trace) => trace.y)")
        assert paths == [trace["y"] for trace in figures(values)["paths_permuted"]["data"]]
    assert page.locator("#matching").text_content().startswith(f"{values['statistics']['trades']} trades,")
    assert page.locator("#log tbody tr").count() == values["statistics"]["trades"]
    assert reported(small, f"{FAST}&take_profit=11")["trades_sha256"] != values["trades_sha256"]


def test_the_answer_to_the_first_question_is_not_shown_for_another(visit, small):
    page, held = visit(small, FAST, plotly=False), []
    page.route("**/api/run?*", lambda route: route.continue_() if held else held.append(route))
    page.reload()
    page.wait_for_selector("#parameter-take_profit")
    change(page, "take_profit", "12")
    query = f"{FAST}&take_profit=12"
    wait_for_run(page, query)
    with page.expect_event("requestfinished", lambda request: request.url == held[0].request.url):
        held[0].continue_()
    page.evaluate("fetch('/api/runs').then((response) => response.text())")  # goes behind what was held
    shows(page, small, query)


def test_a_trade_opens_the_tape_of_its_own_run(visit, small):
    page = visit(small, FAST, refused=True, plotly=False)
    page.wait_for_selector("#log tbody tr")
    page.route("**/api/trades?*", lambda route: route.abort())  # the log stays that of the run before
    change(page, "take_profit", "2.5")
    wait_for_run(page, f"{FAST}&take_profit=2.5")
    assert "stale" in page.locator("#log").get_attribute("class")
    with page.expect_request("**/api/tape?*") as asked:
        page.locator("#log tbody tr button").first.click()
    assert "take_profit" not in asked.value.url


def test_a_pin_that_is_refused_is_dropped_and_the_run_is_shown(visit, small):
    query = f"{FAST}&pin=take_profit%3D-1"
    page = visit(small, query, refused=True, plotly=False)
    shows(page, small, FAST)
    assert query_of(page) == FAST
    assert page.locator("#pin").text_content() == "Pin this run"


def test_without_plotly_all_but_the_charts_is_there(visit, small):
    page = visit(small, FAST, refused=True, blocked="**/plotly.js")
    shows(page, small, FAST)
    page.wait_for_selector("#log tbody tr")
    page.wait_for_selector("#runs tbody tr")
    page.locator("#charts").scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelector('#error').textContent.includes('the charts are missing')")


def test_what_became_of_every_signal_is_told(visit, small):
    page, counts = visit(small, FAST, plotly=False), reported(small, FAST)["counts"]
    told = [int(text.replace(",", "")) for text in re.findall(r"[\d,]*\d", page.locator("#counts").text_content())]
    assert told == [counts[name] for name in ("signals", "closed", "ignored", "unfilled", "void", "open")]


def test_the_tapes_rolls_and_records_are_told(visit, small):
    page = visit(small, FAST, plotly=False)
    lines = "\n".join(tape_lines(reported(small, FAST)["tape"])).strip()
    assert page.locator("#ledgers").text_content() == lines


def test_a_long_run_shows_that_it_is_going_on_and_then_its_time(visit, small):
    page, held = visit(small, FAST, viewport=WIDTHS[0]), []
    page.route("**/api/run?*", lambda route: held.append(route))
    change(page, "take_profit", "12")
    page.wait_for_selector("#busy")
    page.wait_for_function("() => document.querySelector('#timing').textContent.startsWith('running ')")
    held[0].continue_()
    shows(page, small, f"{FAST}&take_profit=12")
    assert page.locator("#busy").is_hidden()
    told = page.locator("#timing").text_content()
    assert re.fullmatch(r"run [\d.]+ s, [\d.]+ [kMG] prints/s, signals known before", told)


# ------------------------------------------------------------------------------------- history, bookmarks


def test_back_and_forward_restore_parameters_and_numbers(visit, small):
    page = visit(small, FAST, plotly=False)
    states = [FAST, f"{FAST}&take_profit=12", f"{FAST}&take_profit=12&stop_loss=6"]
    change(page, "take_profit", "12")
    wait_for_run(page, states[1])
    change(page, "stop_loss", "6")
    wait_for_run(page, states[2])
    for go, query, take_profit, stop_loss in (
        (page.go_back, states[1], "12", "5"),
        (page.go_back, states[0], "10", "5"),
        (page.go_forward, states[1], "12", "5"),
        (page.go_forward, states[2], "12", "6"),
    ):
        go()
        shows(page, small, query)
        assert query_of(page) == query
        assert field(page, "take_profit").input_value() == take_profit
        assert field(page, "stop_loss").input_value() == stop_loss


def test_a_bookmark_gives_the_same_and_two_tabs_stay_apart(visit, small):
    page = visit(small, FAST, plotly=False)
    change(page, "take_profit", "12")
    shows(page, small, f"{FAST}&take_profit=12")
    other = opened(page.context, small, query_of(page))
    assert cards(other) == cards(page)
    assert field(other, "take_profit").input_value() == "12"
    change(other, "stop_loss", "2.5")
    shows(other, small, f"{FAST}&take_profit=12&stop_loss=2.5")
    shows(page, small, f"{FAST}&take_profit=12")
    page.reload()
    shows(page, small, f"{FAST}&take_profit=12")


# ----------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("name", "wrong", "message", "right"),
    [
        ("take_profit", "-1", "take_profit must be >= 0.000000001, was -1.0", "12"),
        ("stop_loss", "5.1", "stop_loss must be a multiple of the tick 0.25, was 5.1", "6"),
        ("fast_period", "7", "fast_period must be below slow_period, was 7 with slow_period 5", "3"),
        ("contracts", "1.5", "contracts must be a whole number, was '1.5'", "2"),
        ("commission", "1001", "commission must be 0 to 1,000, was 1001.0", "1"),
        ("seed", "", "seed must be a whole number, was ''", "3"),
    ],
)
def test_a_refused_value_is_told_and_marked_until_it_is_mended(visit, small, name, wrong, message, right):
    page = visit(small, FAST, refused=True, plotly=False)
    change(page, name, wrong)
    page.wait_for_selector("#error")
    assert page.locator("#error").text_content() == message
    assert page.locator("[aria-invalid=true]").evaluate_all("all => all.map(({ name }) => name)") == [name]
    dimmed = "getComputedStyle(document.querySelector('#results')).opacity"
    assert float(page.evaluate(dimmed)) < 0.7
    change(page, name, right)
    page.wait_for_selector("#error", state="hidden")
    assert page.locator("[aria-invalid=true]").count() == 0
    assert float(page.evaluate(dimmed)) == 1
    shows(page, small, query_of(page))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (f"{FAST}&take_profit=x", "take_profit must be a finite number, was 'x'"),
        ("nonsense=1", "nonsense is no parameter"),
        ("<img src=x onerror=alert(1)>=1", "<img src is no parameter"),
    ],
)
def test_a_bookmark_that_is_refused_tells_why(visit, small, query, message):
    page = visit(small, query, refused=True, drawn=False, plotly=False)
    page.wait_for_selector("#error")
    assert message in page.locator("#error").text_content()
    assert page.locator("img").count() == page.locator(".card").count() == 0
    page.click("#defaults")
    shows(page, small, "")
    assert page.locator("#error").is_hidden()


def test_a_change_after_the_server_has_stopped_tells_that_it_does_not_answer(visit, small):
    with dashboard(small.tape) as site:
        page = visit(site, FAST, refused=True, plotly=False)
        site.process.terminate()
        site.process.wait(PATIENCE / 1_000)
        change(page, "take_profit", "12")
        page.wait_for_selector("#error")
        assert "the dashboard does not answer" in page.locator("#error").text_content()
        assert "stale" in page.locator("#results").get_attribute("class")


def test_a_name_cannot_bring_markup_into_the_page(visit, tmp_path):
    tape = market()
    tape.segments["contract"] = ["<img src=x onerror=a()>", "<b id=bad>x</b>"]
    named = replace(tape, instrument=replace(instrument("NQ"), name="<i id=bad>E-mini</i>"))
    with dashboard(save_tape(named, tmp_path / "tape.npz")) as site:
        page = visit(site, FAST)
        assert "<i id=bad>E-mini</i>" in page.locator("#about").text_content()
        page.locator("#log tbody tr").first.click()
        page.wait_for_selector("#tape-chart .main-svg")
        page.click("text=whole tape")
        page.wait_for_function("() => document.querySelector('#tape-status').textContent.includes('prints 0 to 299')")
        assert "<img src=x onerror=a()>" in page.locator("#tape-title").text_content()
        assert page.locator("img, #bad").count() == 0
        assert page.locator("#filters option", has_text="<b id=bad>x</b>").count() == 1


# ------------------------------------------------------------------------------------------------- charts


@pytest.mark.parametrize(("query", "trades"), [("", 0), (ONE, 1)])
def test_every_chart_is_drawn_with_no_and_with_one_trade(visit, small, query, trades):
    assert reported(small, query)["statistics"]["trades"] == trades
    page = visit(small, query)
    for name in DRAWN_AT_ONCE + PATHS:
        box = chart(page, name)
        assert plot(page, name, "plot.data.length") > 0 or re.search("no (trades|paths)", box.inner_text()), name
        assert box.locator(".main-svg").first.bounding_box()["height"] > 200, name
        assert not re.search("NaN|undefined|Infinity", box.inner_text()), name
    page.check("[value=equity_by_trade]")
    chart(page, "equity_by_trade")
    assert page.locator("#chart-equity_by_day").is_hidden()
    page.check("[value=equity_by_day]")
    assert page.locator("#chart-equity_by_trade").is_hidden()
    assert page.locator("#chart-equity_by_day").is_visible()


def test_the_charts_hold_the_figures_of_the_run_and_those_of_monte_carlo_arrive_by_themselves(visit, big):
    page, expected = visit(big, MANY), json.loads(json.dumps(figures(reported(big, MANY))))
    for name in DRAWN_AT_ONCE + PATHS:
        chart(page, name)
        drawn = plot(page, name, "plot.data.map(({ y }) => ({ y }))")
        assert [trace.get("y") for trace in drawn] == [trace.get("y") for trace in expected[name]["data"]], name


def test_a_drag_in_a_chart_zooms_and_a_double_click_shows_all_again(visit, big):
    page = visit(big, MANY)
    box = chart(page, "equity_by_day").locator(".nsewdrag").first.bounding_box()
    shown = "document.querySelector('#chart-equity_by_day .plot').layout.xaxis.range.map((text) => new Date(text))"
    width = f"(([first, last]) => last - first)({shown})"
    whole = page.evaluate(width)
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], middle, steps=4)
    page.mouse.up()
    page.wait_for_function(f"() => {width} < {0.3 * whole}")
    page.mouse.dblclick(box["x"] + 0.5 * box["width"], middle)
    page.wait_for_function(f"() => {width} >= {0.99 * whole}")


def test_a_click_in_the_legend_hides_a_line(visit, big):
    page = visit(big, MANY)
    chart(page, "equity_by_day").locator(".legendtoggle").nth(1).click(timeout=2_000)
    page.wait_for_function(
        "() => document.querySelector('#chart-equity_by_day .plot').data[1].visible === 'legendonly'"
    )
    assert plot(page, "equity_by_day", "plot.data[1].name") == "buy & hold"


def test_a_chart_is_saved_as_an_image(visit, small):
    page = visit(small, FAST)
    box = chart(page, "exits")
    with page.expect_download() as download:
        box.get_by_role("button", name="Save Exits as an image").click()
    assert download.value.suggested_filename == "scalpr_zen_exits.png"
    assert download.value.path().read_bytes().startswith(b"\x89PNG\r\n")


def test_without_monte_carlo_the_rest_is_complete(visit, small):
    page = visit(small, FAST, refused=True, blocked="**/api/monte_carlo*")
    shows(page, small, FAST)
    page.wait_for_selector("#log tbody tr")
    for name in DRAWN_AT_ONCE:
        chart(page, name)
    assert page.locator("#log tbody tr").count() == 9
    assert page.locator(".stale").count() == 0
    assert [page.locator(f"#chart-{name} .main-svg").count() for name in PATHS] == [0, 0, 0]


# ---------------------------------------------------------------------------------------------- trade log


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


def usd(text):
    return float(re.sub(r"[$,+]", "", text))


def test_the_log_is_sorted_by_a_click_on_a_heading(visit, big):
    page = visit(big, MANY, plotly=False)
    head = page.locator("#log th", has_text="net usd")
    assert page.locator("#log th[aria-sort=ascending]").text_content().startswith("number")
    for order in ("ascending", "descending"):
        with new_log(page):
            head.get_by_role("button").click()
        assert head.get_attribute("aria-sort") == order
        assert page.locator("#log th:not([aria-sort=none])").count() == 1
        shown = [usd(text) for text in column(page, "net usd")]
        assert shown == sorted(shown, reverse=order == "descending")
        assert len(shown) == 50


def test_filters_choose_trades(visit, big):
    page = visit(big, MANY, plotly=False)
    page.wait_for_selector("#log tbody tr")
    count = lambda: int(page.locator("#matching").text_content().split()[0].replace(",", ""))  # noqa: E731
    everything = count()
    assert everything == reported(big, MANY)["statistics"]["trades"] > 100
    sides = []
    for side in ("long", "short"):
        with new_log(page):
            page.select_option("#filters [name=side]", side)
        assert set(column(page, "side")) == {side.upper()}
        sides.append(count())
    assert sum(sides) == everything
    with new_log(page):
        page.select_option("#filters [name=contract]", "NQH5")
    assert set(column(page, "contract")) == {"NQH5"}
    with new_log(page):
        page.fill("#filters [name=first]", "2024-12-20")
    assert min(column(page, "session date")) == "2024-12-20"
    with new_log(page):
        page.select_option("#filters [name=reason]", "target")
    assert set(column(page, "exit reason")) == {"target"}


def test_the_log_is_turned_page_by_page(visit, big):
    page, trades = visit(big, MANY, plotly=False), reported(big, MANY)["statistics"]["trades"]
    last = -(-trades // 50)
    numbers = lambda: [int(text) for text in column(page, "number")]  # noqa: E731
    page.wait_for_selector("#log tbody tr")
    assert numbers() == list(range(1, 51))
    assert page.get_by_role("button", name="Page before").is_disabled()
    for name, first in (("Next page", 51), ("Last page", 50 * last - 49), ("Page before", 50 * last - 99)):
        with new_log(page):
            page.get_by_role("button", name=name).click()
        assert numbers()[0] == first
    with new_log(page):
        page.get_by_label("Page", exact=True).fill("2")
        page.keyboard.press("Enter")
    assert numbers() == list(range(51, 101))
    with new_log(page):
        page.locator("#log th").first.get_by_role("button").click()
    assert numbers()[:2] == [trades, trades - 1]  # the first page of another order


def tape_view(page, status):
    """Wait for a status of the tape; the names of its traces."""
    page.wait_for_function("text => document.querySelector('#tape-status').textContent.includes(text)", arg=status)
    return page.locator("#tape-chart").evaluate("({ data }) => data.map(({ name }) => name)")


def test_a_click_on_a_trade_shows_its_prints_and_its_bracket(visit, big):
    page = visit(big, MANY)
    page.locator("#log tbody tr").nth(2).click()
    traces = tape_view(page, "one by one")
    assert any(name and name.startswith("exit ") for name in traces)
    assert {"entry", "take profit", "stop loss", "MFE", "MAE"} <= set(traces)
    title = page.locator("#tape-title").text_content()
    assert f"trade 3 of {column(page, 'session date')[2]}" in title
    entry, side = float(column(page, "entry price")[2]), column(page, "side")[2]
    wanted = "({ data }) => ['take profit', 'stop loss'].map((line) => data.find(({ name }) => name === line).y[0])"
    levels = page.locator("#tape-chart").evaluate(wanted)
    assert levels == ([entry + 10, entry - 5] if side == "LONG" else [entry - 10, entry + 5])


def test_the_prints_of_a_trade_are_reached_and_left_by_the_keyboard(visit, small):
    page = visit(small, FAST)
    page.wait_for_selector("#log tbody tr")
    page.focus("#filters [name=last]")
    focused = "document.activeElement.getAttribute('aria-label')"
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(focused) == "Prints around trade 1":
            break
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog#tape[open]")
    tape_view(page, "one by one")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog#tape:not([open])", state="attached")
    assert page.evaluate(focused) == "Prints around trade 1"


def test_the_keyboard_stays_at_the_button_that_turned_the_page(visit, big):
    page = visit(big, MANY, plotly=False)
    page.wait_for_selector("#log tbody tr")
    with new_log(page):
        page.get_by_label("Next page").press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Next page"
    with new_log(page):
        page.locator("#log th button").nth(2).press("Enter")
    assert "exit reason" in page.evaluate("document.activeElement.textContent")


def test_the_tape_is_shown_from_all_of_it_to_single_prints(visit, big):
    page = visit(big, MANY)
    page.locator("#log tbody tr").first.click()
    tape_view(page, "one by one")
    page.click("#tape-zoom >> text=whole tape")
    traces = tape_view(page, "prints 0 to 19,999 of 20,000")
    assert "lowest and highest of each column" in page.locator("#tape-status").text_content()
    assert "low to high" in traces
    page.click("#tape-zoom >> text=entry")
    traces = tape_view(page, "41 prints, one by one")
    assert {re.sub(r" \(\d+\)", "", name) for name in traces if name} >= {"buyer", "seller", "unknown", "entry"}
    page.locator("#tape-zoom").get_by_role("button", name="Zoom in").click()
    tape_view(page, "17 prints, one by one")
    page.locator("#tape-zoom").get_by_role("button", name="Zoom out").click()
    tape_view(page, "prints, one by one")


def test_the_chart_of_the_tape_stays_above_its_status(visit, big):
    page = visit(big, MANY, viewport={"width": 400, "height": 850})
    page.locator("#log tbody tr").first.click()
    tape_view(page, "one by one")
    page.click("#tape-zoom >> text=whole tape")
    tape_view(page, "lowest and highest")
    svg = page.locator("#tape-chart .main-svg").first.bounding_box()
    assert svg["y"] + svg["height"] <= page.locator("#tape-status").bounding_box()["y"] + 1


# ------------------------------------------------------------------------------------------- pin and runs


def test_a_pinned_run_stays_beside_the_others_until_it_is_unpinned(visit, small):
    page, other = visit(small, FAST), f"{FAST}&take_profit=12"
    names = lambda: plot(page, "equity_by_day", "plot.data.map(({ name }) => name)")  # noqa: E731
    page.click("#pin")
    page.wait_for_selector("#pin[aria-pressed=true]")
    assert dict(parse_qsl(query_of(page)))["pin"] == FAST
    change(page, "take_profit", "12")
    for _ in ("changed", "loaded again"):
        shows(page, small, other, pinned=FAST)
        chart(page, "equity_by_day")
        assert "pinned" in names()
        assert dict(parse_qsl(query_of(page)))["pin"] == FAST
        page.reload()
    wait_for_run(page, other)
    page.click("#pin")
    page.wait_for_selector("#pin[aria-pressed=false]")
    page.wait_for_function("() => !document.querySelector('#cards').textContent.includes('pinned')")
    shows(page, small, other)
    chart(page, "equity_by_day")
    assert "pinned" not in names()
    assert query_of(page) == other


def test_the_list_of_runs_gives_a_run_back(visit, small):
    page = visit(small, FAST, plotly=False)
    change(page, "take_profit", "13")
    wait_for_run(page, f"{FAST}&take_profit=13")
    row = page.locator("#runs tr", has=page.get_by_role("button", name=re.compile(r": fast_period 2, slow_period 5$")))
    row.last.wait_for()
    assert "$180.00" in row.last.text_content()
    row.last.get_by_role("button").click()
    shows(page, small, FAST)
    assert field(page, "take_profit").input_value() == "10"
    assert query_of(page) == FAST


# --------------------------------------------------------------------------------------------- take away


def download(page, suffix):
    with page.expect_download() as begun:
        page.locator(f"#downloads a[href*='report.{suffix}']").click()
    assert re.fullmatch(rf"\d{{8}}T\d{{6}}Z_EmaCrossover\.{suffix}", begun.value.suggested_filename)
    return begun.value.path()


def timeless(text):
    """A text report, or the JSON, without its times."""
    text = re.sub(r"^(  \w[\w ]* seconds +|  prints per second +|  started +).*$", r"\1", text, flags=re.M)
    text = re.sub(r'^(  "(?:\w+_seconds|prints_per_second|started)": ).*$', r"\1", text, flags=re.M)
    return re.sub(r"^(scalpr_zen .* )\S+T\S+$", r"\1", text, flags=re.M)


def test_the_downloads_are_the_files_of_the_command(visit, small, written):
    values, files = written
    page = visit(small, FAST, plotly=False)
    for suffix in ("txt", "json"):
        assert timeless(download(page, suffix).read_text("utf-8")) == timeless(files[suffix])
    assert download(page, "csv").read_text("utf-8") == files["csv"]
    started = json.loads(download(page, "json").read_text("utf-8"))["manifest"]["started"]
    whole = download(page, "html").read_text("utf-8")
    for when, then in (
        (started, values["manifest"]["started"]),
        (chicago(started), chicago(values["manifest"]["started"])),
    ):
        whole = whole.replace(when, then)
    assert whole == files["html"]


def test_the_downloaded_page_draws_its_charts_without_any_request(visit, browser, small, tmp_path):
    path = tmp_path / "report.html"
    path.write_bytes(download(visit(small, FAST, plotly=False), "html").read_bytes())
    context, troubles = browser.new_context(), []
    watch(context, path.as_uri(), troubles)
    page = context.new_page()
    page.goto(path.as_uri())
    for drawn in CHARTS:
        page.wait_for_selector(f"#{drawn.name} .main-svg")
    assert "SYNTHETIC" in page.locator(".synthetic").text_content()
    context.close()
    assert troubles == []


# -------------------------------------------------------------------------------- widths, themes, keyboard


def open_all(page):
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")


@pytest.mark.parametrize("viewport", WIDTHS, ids=["wide", "narrow"])
def test_dark_or_light_the_page_never_scrolls_sideways_and_the_console_stays_empty(visit, big, viewport):
    page = visit(big, MANY, viewport=viewport, color_scheme="dark")
    over = "document.documentElement.scrollWidth - innerWidth"
    for name in DRAWN_AT_ONCE + PATHS:
        chart(page, name)
    colour = "document.querySelector('#chart-drawdowns .plot')._fullLayout.font.color"
    dark = page.evaluate(colour)
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"() => {colour} !== '{dark}'")
    open_all(page)
    assert page.evaluate(over) <= 0
    page.click("#pin")
    page.wait_for_selector("#pin[aria-pressed=true]")
    assert page.evaluate(over) <= 0
    page.locator("#log tbody tr").first.click()
    tape_view(page, "one by one")
    assert page.evaluate(over) <= 0
    assert page.locator("#tape").evaluate("dialog => dialog.scrollWidth - dialog.clientWidth") <= 0


@pytest.mark.parametrize("viewport", WIDTHS, ids=["wide", "narrow"])
def test_a_tooltip_is_shown_at_the_keyboards_word_and_needs_no_scrolling(visit, small, viewport):
    page = visit(small, FAST, viewport=viewport, plotly=False)
    open_all(page)
    page.keyboard.press("Tab")  # from now on the focus is visible
    grown = page.evaluate(
        """() => [...document.querySelectorAll(".tip")].flatMap((tip) => {
            const around = [document.documentElement];
            for (let box = tip.parentElement; box !== document.body; box = box.parentElement) around.push(box);
            const sizes = () => around.map((box, k) => [box.scrollWidth, k ? box.scrollHeight : 0]);
            const scrolling = (box, k) => k === 0 || getComputedStyle(box).overflowX !== "visible";
            document.activeElement.blur();
            const before = sizes();
            tip.focus();
            const after = sizes();
            const { left, top, right, bottom } = document.querySelector("#tip").getBoundingClientRect();
            if (!(left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight)) return [tip.textContent];
            return around.flatMap((box, k) => {
                const by = [after[k][0] - before[k][0], after[k][1] - before[k][1]];
                return scrolling(box, k) && (by[0] || by[1]) ? [[tip.textContent, box.tagName, ...by]] : [];
            });
        })"""
    )
    assert grown == []


def test_a_tooltip_tells_the_definition(visit, small):
    page = visit(small, FAST, plotly=False)
    tip = page.locator(".card[data-key=win_rate] .tip")
    page.keyboard.press("Tab")
    tip.focus()
    definition = "wins / n; of buy & hold each segment, from roll to roll, is one trade"
    assert page.locator("#tip").text_content() == definition
    assert page.locator("#tip").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#tip").is_visible()
    assert tip.get_attribute("aria-description") == definition


def test_everything_is_reached_by_tab_and_shows_its_focus(visit, small):
    page = visit(small, FAST)
    page.wait_for_selector("#log tbody tr")
    page.wait_for_selector("#runs tbody tr")
    page.evaluate("document.activeElement.blur()")
    step = """() => {
        const now = document.activeElement;
        if (now === document.body) return "end";
        now.dataset.reached = "";
        const { outlineStyle: style, outlineWidth: width } = getComputedStyle(now);
        const inner = now.type === "date" && !now.matches(":focus-visible"); // its calendar has a ring of its own
        return inner || (style !== "none" && parseFloat(width) >= 1) ? "" : now.outerHTML;
    }"""
    without_outline = []
    for _ in range(400):
        page.keyboard.press("Tab")
        told = page.evaluate(step)
        if told == "end":
            break
        if told:
            without_outline.append(told)
    assert without_outline == []
    missed = page.evaluate(
        """() => [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
            .filter((item) => item.checkVisibility() && !item.disabled && item.dataset.reached === undefined)
            .filter((item) => !(item.type === "radio" && !item.checked))
            .map((item) => item.outerHTML)"""
    )
    assert missed == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_texts_stand_out_from_their_background(visit, small, theme):
    page = visit(small, FAST, color_scheme=theme, plotly=False)
    open_all(page)
    page.wait_for_selector("#log tbody tr")
    weak = page.evaluate(
        """() => {
            const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
            const light = (colour) => {
                const [r, g, b] = parts(colour).map((v) => v / 255)
                    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const behind = (item) => {
                for (; item; item = item.parentElement) {
                    const colour = getComputedStyle(item).backgroundColor;
                    if ((parts(colour)[3] ?? 1) > 0) return colour;
                }
            };
            const own = (item) => [...item.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
            return [...document.body.querySelectorAll("*:not(svg *)")]
                .filter((item) => own(item) && item.checkVisibility() && !item.disabled)
                .map((item) => [item.outerHTML.slice(0, 80), light(getComputedStyle(item).color), light(behind(item))])
                .map(([name, a, b]) => [name, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)])
                .filter(([, contrast]) => contrast < 4.5);
        }"""
    )
    assert weak == []
