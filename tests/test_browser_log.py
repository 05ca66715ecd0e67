"""The dashboard in a browser: trades, their prints, and the pinned run."""

import re
from urllib.parse import parse_qsl, urlencode

from support.browsing import (
    FAST,
    MANY,
    as_shown,
    change,
    chart,
    column,
    html_of,
    needs_chromium,
    new_log,
    plot,
    query_of,
    shows,
    tape_view,
    wait_for_run,
)

pytestmark = needs_chromium
FILTERS = {"side": "short", "reason": "target", "contract": "NQH5", "first": "2024-12-20"}


# ------------------------------------------------------------------------------------------------- trade log


def test_the_log_is_sorted_by_a_click_on_a_heading(visit, big):
    page = visit(big, MANY, plotly=False)
    head = page.locator("#log th", has_text="net usd")
    assert page.locator("#log th[aria-sort=ascending]").text_content().startswith("number")
    for order in ("ascending", "descending"):
        with new_log(page):
            head.get_by_role("button").click()
        assert head.get_attribute("aria-sort") == order
        assert page.locator("#log th:not([aria-sort=none])").count() == 1
        shown = [float(re.sub("[$,+]", "", text)) for text in column(page, "net usd")]
        assert shown == sorted(shown, reverse=order == "descending")
        assert len(shown) == 50


def test_filters_choose_trades(visit, big):
    page, matching = visit(big, MANY, plotly=False), big.get("api/trades", f"{MANY}&{urlencode(FILTERS)}")["matching"]
    page.wait_for_selector("#log tbody tr")
    for name, value in FILTERS.items():
        field = page.locator(f"#filters [name={name}]")
        with new_log(page):
            field.fill(value) if name == "first" else field.select_option(value)
    assert page.locator("#matching").text_content().startswith(f"{matching} trades, ")
    assert set(column(page, "side")) == {"SHORT"}
    assert set(column(page, "contract")) == {"NQH5"}
    assert set(column(page, "exit reason")) == {"target"}
    assert min(column(page, "session date")) >= "2024-12-20"


def test_the_log_is_turned_page_by_page(visit, big):
    page, trades = visit(big, MANY, plotly=False), big.get("api/trades", MANY)["matching"]
    last = -(-trades // 50)
    numbers = lambda: [int(text) for text in column(page, "number")]  # noqa: E731
    page.wait_for_selector("#log tbody tr")
    assert numbers() == list(range(1, 51))
    assert page.get_by_role("button", name="Previous page").is_disabled()
    for name, first in (("Next page", 51), ("Last page", 50 * last - 49), ("Previous page", 50 * last - 99)):
        with new_log(page):
            page.get_by_role("button", name=name).press("Enter")
        assert numbers()[0] == first
        if name == "Next page":  # the keyboard stays where it was
            assert page.evaluate("document.activeElement.getAttribute('aria-label')") == name
    with new_log(page):
        page.get_by_label("Page", exact=True).fill("2")
        page.keyboard.press("Enter")
    assert numbers() == list(range(51, 101))
    with new_log(page):
        page.locator("#log th").first.get_by_role("button").click()
    assert numbers()[:2] == [trades, trades - 1]  # the first page of another order


def test_a_trade_opens_its_prints_and_its_bracket_and_the_way_to_the_whole_tape(visit, big):
    page = visit(big, f"{MANY}&trailing_stop=3&stop_fill=level", viewport={"width": 400, "height": 850})
    with new_log(page):
        page.select_option("#filters [name=reason]", "trailing")
    page.locator("#log tbody tr").nth(2).click()
    traces = tape_view(page, "one by one")
    assert {"entry", "take profit", "stop loss", "MFE", "MAE", "stop at the exit"} <= set(traces)
    number, date = column(page, "number")[2], column(page, "session date")[2]
    assert f"trade {number} of {date}" in page.locator("#tape-title").text_content()
    moved, end = page.locator("#tape-chart").evaluate(
        "({ data }) => data.filter(({ name }) => /stop at|^exit/.test(name)).map(({ x, y }) => [x[0], y[0]])"
    )
    assert moved == end  # stop_fill=level fills where the stop lies
    entry, side = float(column(page, "entry price")[2]), column(page, "side")[2]
    wanted = "({ data }) => ['take profit', 'stop loss'].map((line) => data.find(({ name }) => name === line).y[0])"
    levels = page.locator("#tape-chart").evaluate(wanted)
    assert levels == ([entry + 10, entry - 5] if side == "LONG" else [entry - 10, entry + 5])
    page.click("#tape-zoom >> text=whole tape")
    assert "low to high" in tape_view(page, "prints 0 to 19,999 of 20,000")
    assert "lowest and highest of each column" in page.locator("#tape-status").text_content()
    svg = page.locator("#tape-chart .main-svg").first.bounding_box()
    assert svg["y"] + svg["height"] <= page.locator("#tape-status").bounding_box()["y"] + 1
    page.click("#tape-zoom >> text=entry")
    traces = tape_view(page, "41 prints, one by one")
    assert {re.sub(r" \(\d+\)", "", name) for name in traces if name} >= {"buyer", "seller", "unknown", "entry"}
    for button, status in (("Zoom in", "17 prints, one by one"), ("Zoom out", "43 prints, one by one")):
        page.locator("#tape-zoom").get_by_role("button", name=button).click()
        tape_view(page, status)


def test_the_prints_of_a_trade_are_reached_and_left_by_the_keyboard(visit, small):
    page = visit(small, FAST, plotly=False)
    page.wait_for_selector("#log tbody tr")
    page.focus("#filters [name=last]")
    focused = "document.activeElement.getAttribute('aria-label')"
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(focused) == "Prints around trade 1":
            break
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog#tape[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog#tape:not([open])", state="attached")
    assert page.evaluate(focused) == "Prints around trade 1"


# ---------------------------------------------------------------------------------------------- pin and runs


def test_a_pinned_run_stays_beside_the_others_until_it_is_unpinned(visit, small):
    page, other = visit(small, FAST), f"{FAST}&take_profit=12"
    names = lambda: plot(page, "equity_by_day", "plot.data.map(({ name }) => name)")  # noqa: E731
    page.click("#pin")
    page.wait_for_selector("#pin[aria-pressed=true]")
    assert dict(parse_qsl(query_of(page)))["pin"] == FAST
    change(page, "take_profit", "12")
    for _ in ("changed", "loaded again"):
        shows(page, small, other, FAST)
        statistics = small.run(other, FAST)["sections"]["statistics"]["html"]
        assert html_of(page, "#section-statistics .made") == as_shown(page, statistics)
        assert page.locator(".card", has_text="pinned").count() > 0
        chart(page, "equity_by_day")
        assert "pinned" in names()
        assert page.locator("#pinned").text_content() == "pinned: fast_period 2, slow_period 5"
        page.reload()
    wait_for_run(page, other)
    page.click("#pin")
    page.wait_for_selector("#pin[aria-pressed=false]")
    page.wait_for_function("() => !document.querySelector('#headline').textContent.includes('pinned')")
    shows(page, small, other)
    chart(page, "equity_by_day")
    assert "pinned" not in names()
    assert query_of(page) == other


def test_a_pin_that_is_refused_is_dropped_and_the_page_says_so(visit, small):
    page = visit(small, f"{FAST}&pin=take_profit%3D-1", refused=True, plotly=False)
    shows(page, small, FAST)
    assert query_of(page) == FAST
    assert page.locator("#pin").text_content() == "Pin this run"
    assert page.locator("#pinned").text_content().startswith("unpinned: pin is no run: take_profit must be >= ")
    page.click("#pin")
    page.wait_for_selector("#pin[aria-pressed=true]")
    assert page.locator("#pinned").text_content() == "pinned: fast_period 2, slow_period 5"
