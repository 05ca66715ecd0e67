"""The dashboard in a browser: the groups of the form, texts, optional values, and refusals at their fields."""

import pytest
from support.asking import EVERYTHING, texts
from support.browsing import (
    FAST,
    change,
    dashboard,
    field,
    needs_chromium,
    query_of,
    reported,
    shows,
    visible_groups,
    wait_for_checks,
    wait_for_run,
)
from support.market import market

from scalpr_zen import EmaCrossover, save_tape
from scalpr_zen.base.params import declared
from scalpr_zen.sections.setup import GROUPS

pytestmark = needs_chromium

FIRST = ["strategy", "bracket", "execution"]


def group(page, name):
    return page.locator(f"#group-{name}")


def refusals(page):
    """The texts that stand at fields, by the name of the field."""
    return page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".refusal:not([hidden])")]
            .map((text) => [text.id.replace("refusal-", ""), text.textContent]))"""
    )


def wrong(page):
    return page.locator("[aria-invalid=true]").evaluate_all("all => all.map(({ name }) => name)")


# ------------------------------------------------------------------------------------------------ groups


def test_every_parameter_has_a_field_in_its_group(look, small):
    page = look(small, FAST)
    for name, kind in {"strategy": EmaCrossover, **GROUPS}.items():
        fields = group(page, name).locator("[name]").evaluate_all("all => all.map(({ name }) => name)")
        assert fields == [parameter.name for parameter in declared(kind)]


def test_the_first_groups_are_open_and_those_with_a_changed_value(visit, small):
    assert visible_groups(visit(small, FAST, plotly=False)) == FIRST
    page = visit(small, f"{FAST}&weekdays=Mon-Fri&prop_target=500", plotly=False)
    assert visible_groups(page) == [*FIRST, "rules", "firm"]
    assert group(page, "rules").locator("summary").text_content() == "Session rules 1 changed"


def test_a_group_opens_and_closes_by_the_keyboard_and_stays_so(visit, small):
    page = visit(small, FAST, plotly=False)
    group(page, "rules").locator("summary").press("Enter")
    group(page, "bracket").locator("summary").press("Enter")
    assert visible_groups(page) == ["strategy", "execution", "rules"]
    change(page, "commission", "1")
    shows(page, small, f"{FAST}&commission=1")
    assert visible_groups(page) == ["strategy", "execution", "rules"]


def test_a_run_of_the_list_opens_the_groups_that_it_changed(visit, small):
    page = visit(small, f"{FAST}&max_trades=3", plotly=False)
    page.click("#defaults")
    wait_for_run(page, "")
    group(page, "rules").locator("summary").click()
    page.go_back()
    wait_for_run(page, f"{FAST}&max_trades=3")
    assert "rules" in visible_groups(page)
    assert field(page, "max_trades").input_value() == "3"


def test_every_parameter_set_in_a_bookmark_stands_in_its_field_and_comes_back_as_the_query(visit, small):
    given = {name: text for name, text in texts(EVERYTHING).items() if name != "overlap"}
    query = "&".join(f"{name}={text}" for name, text in given.items())
    page = visit(small, query, plotly=False, drawn=False)
    page.wait_for_selector("body[data-run]")
    shown = page.locator("#parameters [name]").evaluate_all(
        "all => all.map(({ name, type, checked, value }) => [name, type === 'checkbox' ? String(checked) : value])"
    )
    assert dict(shown) == texts(EVERYTHING)
    change(page, "take_profit", "4")
    page.wait_for_function("() => location.search.includes('take_profit=4&')")
    kept = dict(part.split("=") for part in page.evaluate("decodeURIComponent(location.search.slice(1))").split("&"))
    assert {name: value.replace("+", " ") for name, value in kept.items()} == given | {"take_profit": "4"}


# ----------------------------------------------------------------------------------- texts, optional values


@pytest.mark.parametrize(("name", "text"), [("entry_windows", "09:00-09:30, 12:00-15:00"), ("weekdays", "Mon-Wed")])
def test_a_text_is_typed_and_its_run_is_shown(visit, small, name, text):
    page = visit(small, FAST, plotly=False)
    field(page, name).fill(text)
    page.wait_for_function(
        "() => document.body.dataset.run.includes('=Mon') || document.body.dataset.run.includes('%3A')"
    )
    query = f"{FAST}&{name}={text}"
    assert page.locator("#counts").text_content().endswith(" outside the hours of entry")
    outside = reported(small, query)["counts"]["outside"]
    assert f", {outside} outside the hours of entry" in page.locator("#counts").text_content()


def test_what_the_rules_refused_is_told_and_the_counts_add_up(look, small):
    query = f"{FAST}&sides=long&max_trades=1&cooldown=60"
    told = look(small, query).locator("#counts").text_content()
    counts = reported(small, query)["counts"]
    assert f", {counts['other_side']} of the other side" in told
    assert f", {counts['session_over']} after a limit ended their session" in told
    assert sum(counts.values()) == 2 * counts["signals"]


@pytest.mark.parametrize(("name", "value"), [("trailing_stop", "3"), ("max_trades", "2"), ("loss_limit", "50.5")])
def test_an_optional_number_is_set_and_cleared_by_the_keyboard(visit, small, name, value):
    page = visit(small, FAST, plotly=False)
    found = field(page, name)
    assert (found.input_value(), found.get_attribute("placeholder")) == ("", "none")
    found.focus()
    page.keyboard.type(value)
    shows(page, small, f"{FAST}&{name}={value}")
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    shows(page, small, FAST)
    assert query_of(page) == FAST


def test_an_optional_choice_is_set_and_cleared_by_the_keyboard(visit, small):
    page = visit(small, FAST, plotly=False)
    found = field(page, "prop_drawdown_kind")
    assert found.locator("option").all_text_contents() == ["as the rule set", "end_of_day", "peak_equity"]
    assert field(page, "prop_target").get_attribute("placeholder") == "as the rule set"
    assert field(page, "point_value").get_attribute("placeholder") == "the contract's"
    assert field(page, "max_trades").get_attribute("placeholder") == "none"
    found.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    wait_for_run(page, f"{FAST}&prop_drawdown_kind=peak_equity")
    page.keyboard.press("Home")
    wait_for_run(page, FAST)


def test_a_distance_is_typed_in_ticks_and_its_slider_stands_at_the_points(visit, small):
    page = visit(small, FAST, plotly=False)
    field(page, "take_profit").fill("8t")
    shows(page, small, f"{FAST}&take_profit=8t")
    slider = page.locator(".field:has(#parameter-take_profit) input[type=range]")
    assert (slider.input_value(), query_of(page)) == ("2", f"{FAST}&take_profit=8t")
    slider.press("ArrowRight")
    shows(page, small, f"{FAST}&take_profit=2.25")
    page.go_back()
    wait_for_run(page, f"{FAST}&take_profit=8t")
    assert (field(page, "take_profit").input_value(), slider.input_value()) == ("8t", "2")


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


def test_a_long_choice_is_legible(visit, small):
    page = visit(small, f"{FAST}&prop_firm=topstep-150k", plotly=False)
    page.eval_on_selector("#group-firm", "(box) => { box.open = true; }")
    found = field(page, "prop_firm")
    assert found.bounding_box()["width"] > 200


def test_none_in_a_bookmark_is_an_empty_field(visit, small):
    page = visit(small, f"{FAST}&trailing_stop=none&prop_drawdown_kind=none", plotly=False)
    assert field(page, "trailing_stop").input_value() == field(page, "prop_drawdown_kind").input_value() == ""


def test_what_is_no_number_is_refused_and_not_taken_for_none(visit, small):
    page = visit(small, FAST, refused=True, plotly=False)
    field(page, "trailing_stop").press_sequentially("3e")
    page.wait_for_function("() => document.querySelector('#error').textContent.startsWith('trailing_stop must be')")
    assert wrong(page) == ["trailing_stop"]


# ---------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("entry_windows", "8:30-11", "entry_windows must be all, or like 08:30-11:00, 22:00-02:00, was '8:30-11'"),
        ("weekdays", "Fri-Mon", "weekdays must run from an earlier to a later day, was 'Fri-Mon'"),
        ("loss_limit", "0", "loss_limit must be 0.01 to 100,000,000, was 0.0"),
        ("prop_consistency", "2", "prop_consistency must be 0.01 to 1, was 2.0"),
        ("stop_loss", "8T", "stop_loss must be points like 2.5 or ticks like 8t, was '8T'"),
    ],
)
def test_a_refusal_stands_at_its_field_until_it_is_mended(visit, small, name, text, message):
    page = visit(small, FAST, refused=True, plotly=False)
    field(page, name).fill(text)
    page.wait_for_selector("#error")
    assert refusals(page) == {name: message}
    assert wrong(page) == [name]
    told = field(page, name).get_attribute("aria-describedby")
    assert page.locator(f"#{told}").text_content() == page.locator("#error").text_content() == message
    page.click("#defaults")
    shows(page, small, "")
    assert (refusals(page), wrong(page)) == ({}, [])


@pytest.mark.parametrize(
    ("query", "message", "names"),
    [
        (
            "trailing_step=1",
            "trail_activation and trailing_step need trailing_stop, which was none",
            ["trailing_stop", "trail_activation", "trailing_step"],
        ),
        (
            "limit_basis=equity",
            "limit_basis=equity needs loss_limit or profit_limit, both were none",
            ["loss_limit", "profit_limit", "limit_basis"],
        ),
        (
            "break_even_plus=1",
            "break_even_plus needs break_even_at, which was none",
            ["break_even_at", "break_even_plus"],
        ),
        (
            "prop_firm=custom",
            "prop_target and prop_drawdown must be given with prop_firm=custom",
            ["prop_target", "prop_drawdown"],
        ),
        (
            "overlap=true&max_trades=2",
            "overlap needs cooldown=0 and no max_trades, loss_limit, profit_limit: each trade is alone",
            ["overlap", "cooldown", "max_trades", "loss_limit", "profit_limit"],
        ),
        ("fast_period=7", "fast_period must be below slow_period, was 7 with slow_period 5", ["fast_period"]),
    ],
)
def test_a_refusal_of_several_values_blames_the_fields_that_it_names(visit, small, query, message, names):
    slow = "slow_period=5&fast_period=2" if "fast" not in query else "slow_period=5"
    page = visit(small, f"{slow}&{query}", refused=True, drawn=False, plotly=False)
    page.wait_for_selector("#error")
    assert page.locator("#error").text_content() == message
    assert wrong(page) == names
    assert refusals(page) == {names[0]: message}
    for name in names:
        assert page.locator(f"#parameter-{name}").is_visible()


def test_the_parameters_of_a_strategy_are_fields_of_their_kind(visit, tmp_path):
    with dashboard(save_tape(market(), tmp_path / "small.npz"), "--strategy", "OpeningRange") as site:
        page = visit(site, plotly=False)
        assert group(page, "strategy").locator("summary").inner_text().lower().startswith("strategy openingrange")
        kinds = {"range_start": "text", "range_minutes": "number", "breakout_ticks": "number", "until": "text"}
        for name, kind in kinds.items():
            assert field(page, name).get_attribute("type") == kind
        change(page, "range_start", "09:45")
        wait_for_run(page, "range_start=09%3A45")
        wait_for_checks(page, "range_start=09%3A45")  # nothing is under way when the server ends
        assert page.locator("#parameter-fast_period").count() == 0
