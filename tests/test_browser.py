"""The dashboard in a browser: a run, its parameters, its history, its refusals."""

import re
from dataclasses import replace

import pytest
from support.browsing import (
    FAST,
    MANY,
    PATIENCE,
    UNITS,
    WIDTHS,
    cards,
    change,
    chart,
    dashboard,
    expected_cards,
    field,
    needs_chromium,
    opened,
    plot,
    query_of,
    reported,
    shown_statistic,
    shows,
    slide,
    table,
    wait_for_checks,
    wait_for_run,
)
from support.market import market

from scalpr_zen import instrument, save_tape
from scalpr_zen.render.figures import figures
from scalpr_zen.render.tape_text import tape_lines
from scalpr_zen.render.text import number
from scalpr_zen.sections.statistics import STATISTICS

pytestmark = needs_chromium


# --------------------------------------------------------------------------------------------------- loading


def test_the_page_shows_what_the_command_reports(look, small, written):
    values, _ = written
    page = look(small, FAST)
    shown = cards(page)
    assert len(shown) == 12
    assert shown["net_usd"] == ["$180.00", {"buy & hold": "$770.00", "difference": "-$590.00"}]
    assert shown == expected_cards(values, shown)
    wait_for_checks(page, FAST)
    assert page.locator("#notes li").all_text_contents() == values["notes"] != []
    assert page.locator("#timing").text_content().startswith("run ")


def test_the_validation_shows_value_verdict_and_target(look, small, written):
    values, _ = written
    sign = {"PASS": "\u2713 PASS", "FAIL": "\u2717 FAIL"}
    rows = {row.key: row for row in STATISTICS if row.target}
    assert set(values["verdicts"].values()) == {"PASS", "FAIL"}
    assert table(look(small, FAST), "validation") == {
        key: [row.label, number(values["statistics"][key], row.unit), sign[values["verdicts"][key]], row.target]
        for key, row in rows.items()
    }


def test_all_statistics_stand_in_one_table(look, small, written):
    values, _ = written
    page = look(small, FAST)
    page.get_by_text("All statistics").click()
    assert page.locator("#statistics").is_visible()
    expected = {}
    for row in STATISTICS:
        _, more = expected_cards(values, [row.key])[row.key]
        held = more.get("hold, by segment") or more.get("buy & hold") or ""
        value = shown_statistic(row, values["statistics"])
        if "by day" in more:
            value += f" (by day {more['by day']})"
        expected[row.key] = [row.label, value, held, more.get("difference", ""), row.definition]
    assert table(page, "statistics") == expected


def test_only_a_synthetic_tape_is_stamped(look, small, big):
    page, other = look(small, FAST), look(big, MANY)
    assert page.locator("#synthetic").is_visible()
    assert "SYNTHETIC" in page.locator("#synthetic").text_content()
    assert other.locator("#synthetic").is_hidden()
    assert "20,000 prints, 2024-11-18 to 2024-12-27" in other.locator("#about").text_content()


def test_a_page_of_defaults_has_a_url_without_parameters(visit, big):
    page = visit(big, plotly=False)
    shows(page, big, "")
    assert page.url == big.url


def test_numbers_are_written_as_in_the_report(look, small):
    values = [None, 0, 1, -1, 1_234_567, 0.0, 0.5, -2.5, 1 / 3, -1234.5678, 1e-5, 0.00012345, 0.99996, 123_456.789]
    values += [0.40625, 22.125, -22.125, 0.0625, 2.0005, 1.005]  # 13 of 32 trades, 177 / 8, ...
    units = sorted(set(UNITS.values()) - {"", "sessions", "days", "trades"})
    pairs = [(value, unit) for value in values for unit in units]
    written = look(small).evaluate(
        """async (pairs) => {
            const { number } = await import("/static/format.js");
            return pairs.map(([value, unit]) => number(value, unit));
        }""",
        pairs,
    )
    # JSON holds no 1.0 of JavaScript: all are floats here, and whole numbers have units of their own.
    expected = [number(value if value is None else float(value), unit) for value, unit in pairs]
    assert [(pair, text) for pair, text in zip(pairs, written, strict=True)] == list(zip(pairs, expected, strict=True))


# -------------------------------------------------------------------------------------- changing a parameter


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


def test_what_became_of_every_signal_is_told(look, small):
    page, counts = look(small, FAST), reported(small, FAST)["counts"]
    told = [int(text.replace(",", "")) for text in re.findall(r"[\d,]*\d", page.locator("#counts").text_content())]
    assert told == [counts[name] for name in ("signals", "closed", "ignored", "unfilled", "void", "open")]


def test_the_tapes_rolls_and_records_are_told(look, small):
    page = look(small, FAST)
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


# ---------------------------------------------------------------------------------------- history, bookmarks


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


# -------------------------------------------------------------------------------------------------- refusals


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
        (f"{FAST}&take_profit=x", "take_profit must be points like 2.5 or ticks like 8t, was 'x'"),
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
        page.wait_for_selector("#results.stale")  # the checks of the run before may have told the error already
        assert "the dashboard does not answer" in page.locator("#error").text_content()


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
        wait_for_checks(page, FAST)
        assert page.locator("img, #bad").count() == 0
