"""The dashboard in a browser: the charts, and what a trader takes away."""

import json
import re

import pytest
from support.browsing import (
    CHECKS,
    DRAWN_AT_ONCE,
    FAST,
    MANY,
    ONE,
    PATHS,
    chart,
    download,
    needs_chromium,
    plot,
    reported,
    shows,
    timeless,
    watch,
)

from scalpr_zen.render.figures import CHARTS, figures
from scalpr_zen.render.text import chicago

pytestmark = needs_chromium


# ---------------------------------------------------------------------------------------------------- charts


@pytest.mark.parametrize(("query", "trades"), [("", 0), (ONE, 1)])
def test_every_chart_is_drawn_with_no_and_with_one_trade(visit, small, query, trades):
    assert reported(small, query)["statistics"]["trades"] == trades
    page = visit(small, query)
    for name in DRAWN_AT_ONCE + PATHS + CHECKS:
        box = chart(page, name)
        assert plot(page, name, "plot.data.length") > 0 or re.search(
            "no (trades|paths|random entries)|n/a: one trade", box.inner_text()
        ), name
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
    for name in DRAWN_AT_ONCE + PATHS + CHECKS:
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


def test_no_chart_has_a_button_that_sends_it_to_another_host(visit, small):
    page = visit(small, FAST)
    buttons = (
        chart(page, "exits").locator(".modebar-btn").evaluate_all("all => all.map((button) => button.dataset.title)")
    )
    assert buttons
    assert not [title for title in buttons if re.search("share|cloud|edit in", title, re.IGNORECASE)]


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


# ------------------------------------------------------------------------------------------------- take away


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
    assert page.get_by_role("button", name=re.compile("share", re.IGNORECASE)).count() == 0
    assert "SYNTHETIC" in page.locator(".synthetic").text_content()
    context.close()
    assert troubles == []
