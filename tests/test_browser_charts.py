"""The dashboard in a browser: the charts, and the files to download."""

import re

from support.browsing import CHARTS, FAST, MANY, chart, download, needs_chromium, plot, watch

from scalpr_zen.sections import sections

pytestmark = needs_chromium


# ---------------------------------------------------------------------------------------------------- charts


def test_the_charts_of_every_section_hold_its_figures(visit, big):
    page = visit(big, MANY)
    for section, about in sections().items():
        figures = big.get(f"api/section/{section}", MANY)["figures"]
        for name in (one.name for one in about.charts):
            assert chart(page, name).get_attribute("id") == f"chart-{name}"
            drawn = plot(page, name, "plot.data.map(({ x, y }) => ({ x, y }))")
            wanted = [{key: trace[key] for key in ("x", "y") if key in trace} for trace in figures[name]["data"]]
            assert drawn == wanted, name


def test_a_run_without_trades_draws_its_charts_too(visit, small):
    page = visit(small)
    for name in ("equity_by_day", "exits", "random_entries", "prop_firm"):
        assert not re.search("NaN|undefined|Infinity", chart(page, name).inner_text()), name


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
    page.locator("#chart-equity_by_day .legendtoggle").nth(1).click()
    page.wait_for_function(
        "() => document.querySelector('#chart-equity_by_day .plot').data[1].visible === 'legendonly'"
    )


def test_a_chart_is_saved_as_an_image_and_sent_nowhere(visit, small):
    page = visit(small, FAST)
    box = chart(page, "exits")
    buttons = box.locator(".modebar-btn").evaluate_all("all => all.map((button) => button.dataset.title)")
    assert buttons
    assert not [title for title in buttons if re.search("share|cloud|edit in", title, re.IGNORECASE)]
    with page.expect_download() as saved:
        box.get_by_role("button", name="Save Exits as an image").click()
    assert saved.value.suggested_filename == "scalpr_zen_exits.png"
    assert saved.value.path().read_bytes().startswith(b"\x89PNG\r\n")


# -------------------------------------------------------------------------------------------------- download


def test_the_downloads_are_the_reports_of_the_run(visit, small):
    page = visit(small, FAST, plotly=False)
    run = small.run(FAST)["sections"]
    text = {suffix: download(page, suffix).read_text("utf-8") for suffix in ("txt", "json", "csv", "html")}
    assert run["trades_sha256"]["values"] in text["json"]
    assert len(text["csv"].splitlines()) == 1 + run["statistics"]["values"]["trades"]
    assert "RUN MANIFEST" in text["txt"]
    assert text["html"].startswith("<!DOCTYPE html>")


def test_the_downloaded_page_draws_its_charts_without_any_request(visit, browser, small, tmp_path):
    path = tmp_path / "report.html"
    path.write_bytes(download(visit(small, FAST, plotly=False), "html").read_bytes())
    context, troubles = browser.new_context(), []
    watch(context, path.as_uri(), troubles)
    page = context.new_page()
    page.goto(path.as_uri())
    for name in CHARTS:
        page.wait_for_selector(f"#{name} .main-svg")
    assert "SYNTHETIC" in page.locator(".synthetic").text_content()
    context.close()
    assert troubles == []
