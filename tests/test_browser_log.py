"""The dashboard in a browser: trades, their prints, the pinned run and the list of runs."""

import re
from urllib.parse import parse_qsl

from support.browsing import (
    FAST,
    MANY,
    change,
    chart,
    column,
    field,
    needs_chromium,
    new_log,
    number,
    plot,
    query_of,
    reported,
    shows,
    tape_view,
    usd,
    wait_for_run,
)

pytestmark = needs_chromium


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


def test_a_stop_that_had_moved_is_marked_where_it_lay_when_the_trade_ended(visit, big):
    page = visit(big, f"{MANY}&trailing_stop=3&stop_fill=level")
    with new_log(page):
        page.select_option("#filters [name=reason]", "trailing")
    page.locator("#log tbody tr").first.click()
    assert "stop when it ended" in tape_view(page, "one by one")
    marked = page.locator("#tape-chart").evaluate(
        "({ data }) => data.filter(({ name }) => /stop when|^exit/.test(name)).map(({ x, y }) => [x[0], y[0]])"
    )
    assert marked[0] == marked[1]  # stop_fill=level fills where the stop lies


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


# ---------------------------------------------------------------------------------------------- pin and runs


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
    query = f"{FAST}&stop_loss=7.75"  # no other test asks for it, so that it is one of the latest
    page = visit(small, query, plotly=False)
    change(page, "take_profit", "13")
    wait_for_run(page, f"{FAST}&take_profit=13&stop_loss=7.75")
    named = re.compile(r": fast_period 2, slow_period 5, stop_loss 7\.75$")
    row = page.locator("#runs tr", has=page.get_by_role("button", name=named)).last
    row.wait_for()
    assert number(reported(small, query)["statistics"]["net_usd"], "usd") in row.text_content()
    row.get_by_role("button").click()
    shows(page, small, query)
    assert field(page, "take_profit").input_value() == "10"
    assert query_of(page) == query
