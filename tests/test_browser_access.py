"""The dashboard in a browser: widths, themes, the keyboard."""

import pytest
from support.browsing import CHARTS, FAST, MANY, NARROW, WIDE, chart, needs_chromium, open_all, tape_view, wait_for_all

from scalpr_zen.sections.statistics import STATISTICS

pytestmark = needs_chromium


# ---------------------------------------------------------------------------------- widths, themes, keyboard


def test_dark_or_light_the_page_never_scrolls_sideways_and_the_console_stays_empty(visit, big):
    page = visit(big, MANY, viewport=NARROW, color_scheme="dark")
    over = "document.documentElement.scrollWidth - innerWidth"
    for name in (CHARTS[0], CHARTS[-1]):
        chart(page, name)
    colour = f"document.querySelector('#chart-{CHARTS[-1]} .plot')._fullLayout.font.color"
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
    page.set_viewport_size(WIDE)
    page.keyboard.press("Escape")
    assert page.evaluate(over) <= 0


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
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
    tip = page.locator(".card[data-key=profit_factor] .tip")
    page.keyboard.press("Tab")
    tip.focus()
    [definition] = {row.definition for row in STATISTICS if row.key == "profit_factor"}
    assert page.locator("#tip").text_content() == definition
    assert page.locator("#tip").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#tip").is_visible()
    assert tip.get_attribute("aria-description") == definition


def test_everything_is_reached_by_tab_and_shows_its_focus(visit, small):
    page = visit(small, FAST, plotly=False)
    page.wait_for_selector("#log tbody tr")
    page.wait_for_selector("#runs tbody tr")
    wait_for_all(page)
    open_all(page)
    page.evaluate(
        """() => {
            scrollTo(0, 0);
            document.activeElement.blur();
            window.seen = { first: null, around: false, bare: [] };
            document.addEventListener("focusin", ({ target }) => {
                seen.around ||= target === seen.first;
                seen.first ??= target;
                target.dataset.reached = "";
                const { outlineStyle: style, outlineWidth: width } = getComputedStyle(target);
                if (style === "none" || parseFloat(width) < 1) seen.bare.push(target.outerHTML);
            });
        }"""
    )
    while not page.evaluate("seen.around"):
        for _ in range(20):
            page.keyboard.press("Tab")
    assert page.evaluate("seen.bare") == []
    missed = page.evaluate(
        """() => [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
            .filter((item) => item.checkVisibility() && !item.disabled && item.dataset.reached === undefined)
            .map((item) => item.outerHTML)"""
    )
    assert missed == []


def test_texts_stand_out_from_their_background(visit, small):
    page = visit(small, f"{FAST}&take_profit=12&weekdays=Mon-Fri", plotly=False)
    wait_for_all(page)
    open_all(page)
    page.wait_for_selector("#log tbody tr")
    page.evaluate(
        """() => {
            for (const text of document.querySelectorAll(".refusal")) {
                Object.assign(text, { hidden: false, textContent: "no" });
            }
            document.querySelector("#section-fills .waits").hidden = false;
        }"""
    )
    weak = """() => {
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
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)
        assert page.evaluate(weak) == []
