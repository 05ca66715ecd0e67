"""The dashboard in a browser: a run and its sections, as the server gives them, and nothing of an older one."""

import re
from dataclasses import replace

import pytest
from support.browsing import (
    CHARTS,
    FAST,
    LATER,
    MANY,
    SHOWN,
    as_shown,
    change,
    dashboard,
    held,
    html_of,
    needs_chromium,
    opened,
    query_of,
    shows,
    wait_for_all,
    wait_for_run,
)
from support.market import market

from scalpr_zen import instrument, save_tape
from scalpr_zen.sections import sections

pytestmark = needs_chromium
TWELVE = f"{FAST}&take_profit=12"


# --------------------------------------------------------------------------------------------------- loading


@pytest.mark.parametrize("query", ["", FAST])
def test_every_section_shows_the_html_of_the_server(look, small, query):
    page = look(small, query)
    shows(page, small, query)
    for name in SHOWN:
        expected = small.get(f"api/section/{name}", query)
        assert html_of(page, f"#section-{name} .made") == as_shown(page, expected["html"]), name
        assert page.locator(f"#section-{name} .waits").is_hidden()
        assert page.locator(f"#section-{name} h2").text_content() == sections()[name].title
        placed = page.locator(f"#section-{name} figure").evaluate_all("all => all.map(({ id }) => id)")
        assert placed == [f"chart-{chart.name}" for chart in sections()[name].charts]
    assert page.locator(".stale").count() == 0


def test_the_notes_and_the_lines_of_all_sections_lead_the_page(look, small):
    page, found = look(small, FAST), {name: small.get(f"api/section/{name}", FAST) for name in sections()}
    notes = [note for name in reversed(sections()) for note in found[name]["notes"]]
    assert page.locator("#notes li").all_text_contents() == notes != []
    lines = {section.label: found[name]["line"] for name, section in sections().items() if section.label}
    assert page.locator("#lines dt").all_text_contents() == list(lines)
    assert page.locator("#lines dd").all_text_contents() == list(lines.values())
    assert page.locator("#timing").text_content().startswith("run ")


def test_every_link_of_the_page_leads_to_a_part_of_it(look, small):
    page = look(small, FAST)
    links = page.locator("a[href^='#']").evaluate_all("all => all.map((link) => link.getAttribute('href'))")
    assert [f"#section-{name}" for name in SHOWN] == [link for link in links if "section" in link][: len(SHOWN)]
    assert all(page.locator(link).count() == 1 for link in links)
    ids = page.locator("[id]").evaluate_all("all => all.map(({ id }) => id)")
    assert len(ids) == len(set(ids))


def test_only_a_synthetic_tape_is_stamped(look, visit, small, big):
    page, other = look(small, FAST), visit(big, MANY, plotly=False)
    assert "SYNTHETIC" in page.locator("#synthetic").text_content()
    assert page.locator("#synthetic").is_visible()
    assert other.locator("#synthetic").is_hidden()
    assert "20,000 prints, 2024-11-18 to 2024-12-27" in other.locator("#about").text_content()


# ---------------------------------------------------------------------- nothing of an older run as current


def test_an_older_answer_never_takes_the_place_of_a_newer_one(visit, small):
    page = visit(small, FAST, plotly=False)
    for path, older, newer in (("run", "11", "2.5"), ("trades", "12", "2"), ("section/monte_carlo", "13", "1.5")):
        query = f"{FAST}&take_profit={newer}"
        with held(page, path, f"take_profit={older}") as routes:
            with page.expect_request(lambda asked: f"/api/{path}?" in asked.url and f"profit={older}" in asked.url):  # noqa: B023
                change(page, "take_profit", older)
            change(page, "take_profit", newer)
            wait_for_run(page, query)
            wait_for_all(page)
        assert len(routes) == 1
        shows(page, small, query)
        for name in SHOWN:
            expected = small.get(f"api/section/{name}", query)["html"]
            assert html_of(page, f"#section-{name} .made") == as_shown(page, expected)
        log = small.get("api/trades", query)
        assert page.locator("#matching").text_content().startswith(log["found"])
        assert page.locator("#log tbody tr").count() == log["matching"] != small.get("api/trades", FAST)["matching"]


def test_the_answer_to_the_first_question_is_not_shown_for_another(visit, small):
    page, kept = visit(small, FAST, plotly=False), []
    page.route("**/api/run?*", lambda route: route.continue_() if kept else kept.append(route))
    page.reload()
    page.wait_for_selector("#parameter-take_profit")
    change(page, "take_profit", "12")
    wait_for_run(page, TWELVE)
    with page.expect_event("requestfinished", lambda request: request.url == kept[0].request.url):
        kept[0].continue_()
    shows(page, small, TWELVE)


def test_sections_of_the_run_before_are_dimmed_until_their_own_come(visit, small):
    page = visit(small, FAST)
    wait_for_all(page)
    with held(page, "section/*"):
        change(page, "take_profit", "12")
        shows(page, small, TWELVE)
        assert page.locator("body[data-complete]").count() == 0
        for name in LATER:
            section = page.locator(f"#section-{name}")
            assert section.locator(".waits").text_content().startswith("Computing")
            dimmed = section.locator(".made, figure").evaluate_all("all => all.map((box) => box.matches('.stale'))")
            assert dimmed == [True] * len(dimmed)
    wait_for_all(page)
    assert page.locator(".stale, .waits:visible").count() == 0


def test_a_run_that_is_chosen_again_has_its_sections(visit, small):
    page = visit(small, FAST, plotly=False)
    wait_for_all(page)
    own = html_of(page, "#section-fills .made")
    change(page, "take_profit", "12")
    wait_for_run(page, TWELVE)
    wait_for_all(page)
    assert html_of(page, "#section-fills .made") != own
    page.go_back()
    wait_for_run(page, FAST)
    wait_for_all(page)
    assert html_of(page, "#section-fills .made") == own


def test_a_trade_opens_the_tape_of_its_own_run(visit, small):
    page = visit(small, FAST, refused=True, plotly=False)
    page.wait_for_selector("#log tbody tr")
    page.route("**/api/trades?*", lambda route: route.abort())  # the log stays that of the run before
    change(page, "take_profit", "2.5")
    wait_for_run(page, f"{FAST}&take_profit=2.5")
    page.wait_for_selector("#log.stale")
    with page.expect_request("**/api/tape?*") as asked:
        page.locator("#log tbody tr button").first.click()
    assert "take_profit" not in asked.value.url


def test_a_long_run_shows_that_it_is_going_on_and_then_its_time(visit, small):
    page = visit(small, FAST, plotly=False)
    with held(page, "run"):
        change(page, "take_profit", "12")
        page.wait_for_selector("#busy")
        page.wait_for_function("() => document.querySelector('#timing').textContent.startsWith('running ')")
    shows(page, small, TWELVE)
    page.wait_for_selector("#busy", state="hidden")
    assert re.fullmatch(r"run [\d.]+ s, [\d.,]+ M prints/s, signals known before", page.text_content("#timing"))


# ------------------------------------------------------------------------------------- what does not come


def test_a_section_that_fails_says_so_in_its_place_while_the_others_come(visit, small):
    page = visit(small, FAST, refused=True, plotly=False, blocked="**/api/section/fills*")
    wait_for_all(page)
    failed = page.locator("#section-fills .waits")
    assert failed.text_content() == "Not made: the dashboard does not answer: is it still running?"
    assert page.locator("#error").text_content() in failed.text_content()
    assert page.locator("#line-fills").text_content() == "not made"
    assert page.locator("#section-fills .made").is_hidden()
    for name in set(LATER) - {"fills"}:
        assert page.locator(f"#section-{name} .made").is_visible()
        assert page.locator(f"#section-{name} .waits").is_hidden()
    shows(page, small, FAST)


def test_a_refused_run_ends_the_wait_for_the_sections_of_the_one_before(visit, small):
    page = visit(small, FAST, refused=True, plotly=False)
    wait_for_all(page)
    page.route("**/api/section/*", lambda route: None)
    with page.expect_request("**/api/section/fills?*"):
        change(page, "take_profit", "12")
    change(page, "take_profit", "0.3")
    page.wait_for_selector("#error")
    assert page.locator("#results.stale").count() == 1
    for name in LATER:
        assert page.locator(f"#section-{name} .waits").text_content() == "Not made: the run before them failed"
    assert page.locator("#line-fills").text_content() == "not made"


def test_without_plotly_all_but_the_charts_is_there(visit, small):
    page = visit(small, FAST, refused=True, blocked="**/plotly.js")
    shows(page, small, FAST)
    page.wait_for_selector("#log tbody tr")
    page.locator(f"#chart-{CHARTS[0]}").scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelector('#error').textContent.includes('the charts are missing')")
    wait_for_all(page)


def test_a_name_cannot_bring_markup_into_the_page(visit, tmp_path):
    tape = market()
    tape.segments["contract"] = ["<img src=x onerror=a()>", "<b id=bad>x</b>"]
    named = replace(tape, instrument=replace(instrument("NQ"), name="<i id=bad>E-mini</i>"))
    with dashboard(save_tape(named, tmp_path / "tape.npz")) as site:
        page = visit(site, FAST)
        assert "<i id=bad>E-mini</i>" in page.locator("#about").text_content()
        page.locator("#log tbody tr").first.click()
        page.wait_for_selector("#tape-chart .main-svg")
        assert "<img src=x onerror=a()>" in page.locator("#tape-title").text_content()
        assert page.locator("#filters option", has_text="<b id=bad>x</b>").count() == 1
        wait_for_all(page)
        assert page.locator("img, #bad").count() == 0


# ---------------------------------------------------------------------------------------- the URL is the run


def test_back_and_forward_restore_parameters_and_numbers(visit, small):
    page = visit(small, FAST, plotly=False)
    states = [FAST, TWELVE, f"{TWELVE}&stop_loss=6"]
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
        assert page.input_value("#parameter-take_profit") == take_profit
        assert page.input_value("#parameter-stop_loss") == stop_loss


def test_a_bookmark_gives_the_same_and_two_tabs_stay_apart(visit, small):
    page = visit(small, TWELVE, plotly=False)
    other = opened(page.context, small, query_of(page))
    shows(other, small, TWELVE)
    change(other, "stop_loss", "2.5")
    shows(other, small, f"{TWELVE}&stop_loss=2.5")
    assert query_of(page) == TWELVE
    shows(page, small, TWELVE)


def test_the_list_of_runs_gives_a_run_back(visit, small):
    query = f"{FAST}&stop_loss=7.75"  # no other test asks for it, so that it is one of the latest
    page = visit(small, query, plotly=False)
    change(page, "take_profit", "13")
    wait_for_run(page, f"{FAST}&take_profit=13&stop_loss=7.75")
    named = re.compile(r": fast_period 2, slow_period 5, stop_loss 7\.75$")
    row = page.locator("#runs tr", has=page.get_by_role("button", name=named)).last
    row.wait_for()
    [listed] = [run for run in small.get("api/runs")["runs"] if run["changed"].get("stop_loss") == 7.75][:1]
    assert listed["text"]["net_usd"] in row.text_content()
    row.get_by_role("button").click()
    shows(page, small, query)
    assert page.input_value("#parameter-take_profit") == "10"
    assert query_of(page) == query
