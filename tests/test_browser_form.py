"""The dashboard in a browser: the form, its groups, its texts and optional values, and refusals at their fields."""

from support.asking import EVERYTHING, texts
from support.browsing import (
    FAST,
    change,
    field,
    needs_chromium,
    query_of,
    shows,
    slide,
    visible_groups,
    wait_for_run,
    wrong,
)

pytestmark = needs_chromium
FIRST = ["strategy", "bracket", "execution"]


def refusals(page):
    """The texts that stand at fields, by the name of the field."""
    return page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".refusal:not([hidden])")]
            .map((text) => [text.id.replace("refusal-", ""), text.textContent]))"""
    )


# --------------------------------------------------------------------------------------- changing a value


def test_a_change_is_drawn_without_loading_the_page_again(visit, small):
    page = visit(small, FAST, plotly=False)
    page.evaluate("window.marker = 1")
    for edit, changed in (
        (lambda: field(page, "commission").press_sequentially("2.5"), "commission=02.5"),
        (lambda: slide(page, "stop_loss", "ArrowRight"), "stop_loss=5.25"),
        (lambda: field(page, "entry").select_option("signal"), "entry=signal"),
        (lambda: field(page, "overlap").check(), "overlap=true"),
        (lambda: field(page, "weekdays").fill("Mon-Wed"), "weekdays=Mon-Wed"),
        (lambda: field(page, "prop_drawdown_kind").select_option("peak_equity"), "prop_drawdown_kind=peak_equity"),
    ):
        edit()
        page.wait_for_function("changed => location.search.includes(changed)", arg=changed)
        shows(page, small, query_of(page))
    assert page.evaluate("window.marker") == 1
    field(page, "prop_drawdown_kind").select_option("as the rule set")
    field(page, "overlap").uncheck()
    page.wait_for_function("() => !/overlap|prop/.test(location.search)")


def test_a_drag_ends_with_its_last_value_and_is_one_step_of_the_history(visit, small):
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


def test_half_a_number_is_no_run(visit, small):
    page, asked = visit(small, FAST, plotly=False), []
    page.on("request", lambda request: asked.append(request.url) if "/api/run?" in request.url else None)
    found = field(page, "take_profit")
    page.clock.install(time=0)
    page.clock.pause_at(1)
    found.fill("")
    for letter in "12.5":
        page.clock.run_for(100)  # ms, less than what ends a number
        found.press(letter)
    page.clock.resume()
    wait_for_run(page, f"{FAST}&take_profit=12.5")
    found.press("Tab")  # the field tells of its end, and nothing is new
    change(page, "stop_loss", "6")
    wait_for_run(page, f"{FAST}&take_profit=12.5&stop_loss=6")
    assert [url.split("take_profit=")[1] for url in asked] == ["12.5", "12.5&stop_loss=6"]


def test_a_distance_is_typed_in_ticks_and_its_slider_stands_at_the_points(visit, small):
    page = visit(small, FAST, plotly=False)
    slider = page.locator(".field:has(#parameter-take_profit) input[type=range]")
    field(page, "take_profit").fill("8t")
    shows(page, small, f"{FAST}&take_profit=8t")
    assert slider.input_value() == "2"
    slider.press("ArrowRight")
    shows(page, small, f"{FAST}&take_profit=2.25")
    page.go_back()
    wait_for_run(page, f"{FAST}&take_profit=8t")
    assert (field(page, "take_profit").input_value(), slider.input_value()) == ("8t", "2")
    change(page, "take_profit", "250")
    assert slider.input_value() == "250"


def test_an_optional_number_is_set_and_cleared_by_the_keyboard(visit, small):
    page = visit(small, FAST, refused=True, plotly=False)
    found = field(page, "max_trades")
    assert (found.input_value(), found.get_attribute("placeholder")) == ("", "none")
    assert field(page, "prop_target").get_attribute("placeholder") == "as the rule set"
    found.focus()
    page.keyboard.type("3")
    shows(page, small, f"{FAST}&max_trades=3")
    page.keyboard.type("e")  # no number any more, and so not none either
    page.wait_for_selector("#error")
    assert wrong(page) == ["max_trades"]
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    shows(page, small, FAST)
    assert query_of(page) == FAST


def test_every_parameter_of_a_bookmark_stands_in_its_field_and_comes_back_as_the_query(visit, small):
    given = {name: text for name, text in texts(EVERYTHING).items() if name != "overlap"} | {"max_hold": "none"}
    page = visit(small, "&".join(f"{name}={text}" for name, text in given.items()), plotly=False, drawn=False)
    page.wait_for_selector("body[data-run]")
    shown = page.locator("#parameters [name]").evaluate_all(
        "all => all.map(({ name, type, checked, value }) => [name, type === 'checkbox' ? String(checked) : value])"
    )
    assert dict(shown) == texts(EVERYTHING) | {"max_hold": ""}
    change(page, "take_profit", "4")
    page.wait_for_function("() => location.search.includes('take_profit=4&')")
    kept = dict(part.split("=") for part in page.evaluate("decodeURIComponent(location.search.slice(1))").split("&"))
    del given["max_hold"]
    assert {name: value.replace("+", " ") for name, value in kept.items()} == given | {"take_profit": "4"}


# ------------------------------------------------------------------------------------------------ groups


def test_groups_with_a_changed_value_are_open_and_others_as_the_keyboard_left_them(visit, small):
    page = visit(small, f"{FAST}&prop_target=500", plotly=False)
    assert visible_groups(page) == [*FIRST, "firm"]
    assert page.locator("#group-firm summary").text_content().endswith(" 1 changed")
    assert field(page, "prop_firm").bounding_box()["width"] > 200  # a long choice is legible
    for name in ("rules", "bracket"):
        page.locator(f"#group-{name} summary").press("Enter")
    change(page, "commission", "1")
    wait_for_run(page, f"{FAST}&commission=1&prop_target=500")
    assert visible_groups(page) == ["strategy", "execution", "rules", "firm"]


# ---------------------------------------------------------------------------------------------- refusals


def test_a_refusal_stands_at_its_field_alone_until_it_is_mended(visit, small):
    page = visit(small, FAST, refused=True, plotly=False)
    dimmed = "getComputedStyle(document.querySelector('#results')).opacity"
    for name, text in (("take_profit", "-1"), ("seed", ""), ("weekdays", "no")):
        change(page, name, text)
        page.wait_for_selector("#error")
        message = page.locator("#error").text_content()
        assert message.startswith(f"{name} must ")
        assert refusals(page) == {name: message}
        assert wrong(page) == [name]
        assert field(page, name).get_attribute("aria-describedby") == f"refusal-{name}"
        assert float(page.evaluate(dimmed)) < 0.7
        page.click("#defaults")
        page.wait_for_selector("#error", state="hidden")
        shows(page, small, "")
        assert page.url == small.url
        assert (refusals(page), wrong(page)) == ({}, [])
        assert float(page.evaluate(dimmed)) == 1


def test_a_refusal_of_several_values_is_shown_at_the_first_and_marks_them_all(visit, small):
    names = ["trailing_stop", "trail_activation", "trailing_step"]
    page = visit(small, f"{FAST}&trailing_step=1", refused=True, drawn=False, plotly=False)
    page.wait_for_selector("#error")
    assert wrong(page) == names
    assert refusals(page) == {names[0]: page.locator("#error").text_content()}


def test_a_bookmark_that_is_refused_says_why_and_brings_no_markup(visit, small):
    page = visit(small, "<img src=x onerror=alert(1)>=1", refused=True, drawn=False, plotly=False)
    page.wait_for_selector("#error")
    assert "<img src is no parameter" in page.locator("#error").text_content()
    assert page.locator("img").count() == page.locator(".card").count() == len(wrong(page)) == 0
    page.click("#defaults")
    shows(page, small, "")
    assert page.locator("#error").is_hidden()
