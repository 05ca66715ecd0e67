"""The dashboard in a browser: what the fills and the entries are worth, and the evaluation of a prop firm."""

import json
import re

import pytest
from support.browsing import (
    CHECKS,
    FAST,
    MANY,
    WIDTHS,
    change,
    chart,
    needs_chromium,
    number,
    opened,
    plot,
    query_of,
    reported,
    shows,
    signed,
    visible_table,
    wait_for_checks,
    wait_for_run,
)

from scalpr_zen.render.figures import figures

pytestmark = needs_chromium

MOVING = f"{MANY}&trailing_stop=3&max_hold=600&commission=2.05&slippage_ticks=1&target_fill=through"
SECTIONS = ("fills", "entries", "firm")


def checked(visit, site, query, **options):
    page = visit(site, query, **options)
    wait_for_checks(page, query)
    return page


def rows_of(page, name):
    """The cells of every row of a table, in their order."""
    return list(visible_table(page, name).values())


# ------------------------------------------------------------------------------------------------- fills


@pytest.mark.parametrize("query", [MANY, MOVING])
def test_the_fill_table_has_a_row_for_each_model_and_a_column_for_each_cost(look, big, query):
    table = reported(big, query)["fills"]["table"]
    page, expected = look(big, query), {}
    for row in table:
        cells = expected.setdefault(f"{row['target_fill']} {row['stop_fill']}", [])
        if row["costs"] == "zero":
            cells.append(f"{row['target_fill']} / {row['stop_fill']}")
        cells.append(signed(row["net_usd"], "usd"))
        if row["this_run"]:
            cells[0] += "this run"
    for row in table:
        if row["costs"] == "set":
            units = {"win_rate": "share", "profit_factor": "ratio", "break_even_cost_usd": "usd"}
            expected[f"{row['target_fill']} {row['stop_fill']}"] += [
                f"{row['trades']:,}",
                *(number(row[key], unit) for key, unit in units.items()),
            ]
    assert len(expected) == 9
    assert visible_table(page, "fill-table") == expected


@pytest.mark.parametrize(("query", "model"), [(MANY, "touch trigger"), (MOVING, "through trigger")])
def test_the_cell_of_this_run_is_marked_and_holds_its_net_profit(look, big, query, model):
    page, values = look(big, query), reported(big, query)
    own = page.locator("#fill-table [aria-current=true]")
    assert own.count() == page.locator("#fill-table tr.own").count() == 1
    assert own.text_content() == signed(values["statistics"]["net_usd"], "usd")
    assert page.locator("#fill-table tr.own").get_attribute("data-key") == model


def test_gains_and_losses_have_a_sign_and_a_colour(look, big):
    page = look(big, MOVING)
    looks = page.locator("#fill-table td.good, #fill-table td.bad")
    found = looks.evaluate_all("all => all.map((cell) => [cell.textContent[0], cell.classList.contains('good')])")
    assert len(found) == 27
    assert all(sign == ("+" if good else "-") for sign, good in found)


def test_the_costs_of_each_column_are_told(look, big):
    page = look(big, MOVING)
    heads = page.locator("#fill-table th").all_text_contents()
    assert heads[1:4] == ["net P&Lno costs", "net P&Las set: $2.05, 1 tick", "net P&Lpessimistic: $2.50, 1 tick"]
    assert "behind 20 contracts" in page.locator("#fill-words").text_content()


@pytest.mark.parametrize("query", [MANY, MOVING, ""])
def test_winning_trades_of_the_kinder_rule_alone_are_told_in_a_sentence_each(look, big, small, query):
    site = big if query else small
    moves = query == MOVING
    told = look(site, query).locator("#optimistic li").all_text_contents()
    expected = [
        f"Of {row['wins']:,} trades that win under {row['rule']}={row['optimistic']}, {row['lost']:,} "
        f"({row['share']:.2%}) do not win under {row['conservative']}, "
        f"and all of them earn {number(row['less_usd'], 'usd')} less there."
        if row["wins"]
        else f"No trade wins under {row['rule']}={row['optimistic']}, so that {row['conservative']} takes none away."
        for row in reported(site, query)["fills"]["optimistic"]
        if moves or row["rule"] == "target_fill"
    ]
    stops = "stop_fill: no winning trade depends on it, because a fixed stop never closes a winner"
    assert told == expected + [stops] * (not moves)
    assert len(told) == (6 if moves else 4)


def test_the_measured_slippage_is_that_of_the_report(look, big):
    page, values = look(big, MOVING), reported(big, MOVING)
    usd, rows = values["tape"]["tick_value"], visible_table(page, "slippage")
    assert list(rows) == ["entry", "stop_trigger", "stop_next"]
    for key, cells in rows.items():
        row = values["fills"]["slippage"][key]
        ticks = [*row["percentiles"].values(), row["worst_ticks"]]
        assert cells[1:] == [
            f"{row['trades']:,}",
            signed(row["mean_ticks"], "ratio"),
            signed(row["mean_ticks"] * usd, "usd"),
            *(f"{tick:+d}" if tick > 0 else str(tick) for tick in ticks),
            number(row["inside_share"], "share"),
        ]


def test_every_count_of_one_event_stands_with_what_decided(look, small):
    query = f"{FAST}&take_profit=0.5&stop_loss=0.5"
    page, events = look(small, query), reported(small, query)["fills"]["same_event"]
    told = page.locator("#same-event li").all_text_contents()
    assert [int(text.split(":")[0]) for text in told] == [n for key, n in events.items() if key != "trades" and n]
    assert page.locator("#same-event-of").text_content().startswith(f"Of {events['trades']} trades")
    assert any(events[key] for key in ("entry_target", "entry_stop", "target_first", "stop_first"))


def test_where_no_event_decided_anything_one_line_says_so(look, small):
    assert set(reported(small, FAST)["fills"]["same_event"].values()) <= {0, 9}
    assert look(small, FAST).locator("#same-event li").all_text_contents() == ["none"]


# --------------------------------------------------------------------------------------- random entries


def test_the_rank_among_random_entries_stands_beside_the_t_statistic(look, big):
    values = reported(big, MANY)
    control, statistics = values["random_entries"], values["statistics"]
    told = look(big, MANY).locator("#entries-words").text_content()
    for part in (
        f"net P&L of {number(control['strategy_usd'], 'usd')} is above {number(control['percentile'], 'share')} of "
        f"{control['sims']:,} runs",
        f"One-sided p-value {number(control['p_value'], 'p')}",
        f"by day {number(statistics['t_statistic_by_day'], 'ratio')}",
        f"of the trades {number(statistics['t_statistic'], 'ratio')}",
    ):
        assert part in told


def test_the_random_runs_are_summed_up(look, big):
    page, control = look(big, MANY), reported(big, MANY)["random_entries"]
    expected = [control["mean_usd"], control["sd_usd"], *control["percentiles_usd"].values()]
    assert rows_of(page, "entries-table") == [["net P&L", *(number(usd, "usd") for usd in expected)]]


@pytest.mark.parametrize("query", ["", f"{FAST}&random_entry_sims=0"])
def test_without_trades_or_without_runs_there_is_nothing_to_compare(look, small, query):
    page = look(small, query)
    assert page.locator("#entries-words").text_content().startswith("There is nothing to compare: ")
    assert page.locator("#entries-more").is_hidden()


# ------------------------------------------------------------------------------------------- evaluation


def test_the_rules_stand_with_their_date_and_their_sources_as_text(look, small):
    page, rules = look(small, FAST), reported(small, FAST)["prop_firm"]["rules"]
    text = page.locator("#firm-rules").inner_text()
    for part in (rules["title"], "$50,000.00", "$3,000.00", "$2,000.00", rules["known"], *rules["sources"]):
        assert part in text
    assert page.locator("#firm a").count() == 0
    assert page.locator("#firm-note").text_content() == rules["note"]


def test_given_rules_are_named(look, small):
    page = look(small, f"{FAST}&prop_target=400&prop_drawdown=250")
    text = page.locator("#firm-rules").inner_text()
    assert "(topstep-50k), with prop_target, prop_drawdown as given" in text
    assert "a profit of $400.00 at the end of a session date passes" in text


EVALUATED = f"{MANY}&prop_firm=custom&prop_target=2000&prop_drawdown=800"


def test_attempts_and_their_days_are_those_of_the_report(look, big):
    page, firm = look(big, EVALUATED), reported(big, EVALUATED)["prop_firm"]
    counts, attempts = firm["counts"], firm["attempts"]
    assert counts["attempts"] > 2
    told = [int(text) for text in re.findall(r"\d+", page.locator("#firm-counts").text_content())]
    assert told == [counts[key] for key in ("attempts", "passed", "busted", "unfinished")]
    sign = {"pass": "\u2713 pass", "bust": "\u2717 bust", "unfinished": "unfinished"}
    assert rows_of(page, "firm-attempts") == [
        [
            *(str(row["number"]), sign[row["outcome"]], signed(row["profit_usd"], "usd")),
            *(row["first_session"], row["last_session"]),
            *(str(row["session_dates"]), str(row["trading_days"]), row["reason"]),
        ]
        for row in attempts
    ]
    for chosen in (attempts[0], attempts[-1]):
        page.get_by_role("button", name=f"Day by day: attempt {chosen['number']}", exact=True).press("Enter")
        pressed = page.locator("#firm-attempts [aria-pressed=true]")
        assert pressed.all_text_contents() == [str(chosen["number"])]
        assert page.evaluate("document.activeElement.textContent") == str(chosen["number"])
        assert page.locator("#firm-days-of").text_content().startswith(f"Attempt {chosen['number']}, day by day.")
        assert [cells[:6] for cells in rows_of(page, "firm-days")] == [
            [
                *(row["session_date"], f"{row['trades']:,}", signed(row["net_usd"], "usd")),
                *(number(row[key], "usd") for key in ("balance_usd", "lowest_above_floor_usd", "floor_usd")),
            ]
            for row in chosen["days"]
        ]


def test_probabilities_stand_with_their_intervals_and_days(look, big):
    page, drawn = look(big, EVALUATED), reported(big, EVALUATED)["prop_firm"]["drawn"]
    shown = visible_table(page, "firm-drawn")
    for key in ("pass", "bust", "neither"):
        row, days = drawn[key], drawn.get(f"days_to_{key}")
        share, *ends = (number(row[x], "share") for x in ("probability", "dates_low", "dates_high", "low", "high"))
        assert shown[key][1:4] == [share, f"{ends[0]} to {ends[1]}", f"{ends[2]} to {ends[3]}"]
        if days and row["paths"] > 1:
            p5, median, p95, *mean = (f"{value:.1f}" for value in days.values())
            assert shown[key][4:] == [median, f"{p5} to {p95}", mean[0], f"{mean[1]} to {mean[2]}"]
    told = page.locator("#firm-drawn-of").text_content()
    assert f"{drawn['sims']:,} paths of {drawn['horizon_days']} session dates" in told


def test_without_a_firm_and_with_overlapping_trades_the_section_says_why_it_is_empty(look, small):
    page = look(small, f"{FAST}&prop_firm=none")
    assert page.locator("#firm-note").text_content() == "prop_firm is none: no evaluation is walked."
    assert page.locator("#firm-more").is_hidden()
    change_to = f"{FAST}&overlap=true"
    page = look(small, change_to)
    assert page.locator("#firm-notes li").all_text_contents() == reported(small, change_to)["prop_firm"]["notes"] != []
    assert page.locator("#firm-more").is_hidden()


# ------------------------------------------------------------------------------------ when they arrive


def test_the_charts_of_the_checks_hold_the_figures_of_the_run(visit, big):
    page = checked(visit, big, MOVING)
    expected = json.loads(json.dumps(figures(reported(big, MOVING), ["fills", "random_entries", "prop_firm"])))
    for name in CHECKS:
        assert page.locator(f"#place-{name} #chart-{name}").count() == 1
        chart(page, name)
        drawn = plot(page, name, "plot.data.map(({ y }) => ({ y }))")
        assert [trace["y"] for trace in drawn] == [trace["y"] for trace in expected[name]["data"]]


def test_the_page_says_that_the_checks_are_under_way_and_dims_those_of_the_run_before(visit, small):
    page, held = visit(small, FAST, plotly=False), []
    wait_for_checks(page, FAST)
    page.route("**/api/fills?*", lambda route: held.append(route))
    with page.expect_request("**/api/fills?*"):
        change(page, "take_profit", "12")
    query = f"{FAST}&take_profit=12"
    shows(page, small, query)
    for name in SECTIONS:
        assert "under way" in page.locator(f"#{name} .waits").text_content()
        assert "stale" in page.locator(f"#{name} .made").get_attribute("class")
    held[0].continue_()
    wait_for_checks(page, query)
    for name in SECTIONS:
        assert page.locator(f"#{name} .waits").is_hidden()
        assert "stale" not in page.locator(f"#{name} .made").get_attribute("class")


def test_a_line_above_the_figures_tells_how_far_the_fills_decide(look, big):
    page, table = look(big, MANY), reported(big, MANY)["fills"]["table"]

    def ends(costs):
        rows = sorted((row for row in table if row["costs"] == costs), key=lambda row: row["net_usd"])
        told = [f"{signed(row['net_usd'], 'usd')} ({row['target_fill']}, {row['stop_fill']})" for row in rows]
        return f"{told[0]} to {told[-1]}"

    line = page.locator("#fill-range")
    assert line.text_content() == f"net P&L by fill model: {ends('set')}; pessimistic costs: {ends('pessimistic')}"
    assert line.bounding_box()["y"] < page.locator("#cards").bounding_box()["y"]
    assert page.locator("#fill-range a").get_attribute("href") == "#fills"
    assert page.locator("#fills").bounding_box()["y"] < page.locator("#charts").bounding_box()["y"]


def test_a_refusal_ends_the_wait_for_the_checks(visit, small):
    page = visit(small, FAST, refused=True, plotly=False)
    wait_for_checks(page, FAST)
    page.route("**/api/fills?*", lambda route: None)
    with page.expect_request("**/api/fills?*"):
        change(page, "take_profit", "12")
    change(page, "take_profit", "0.3")
    page.wait_for_selector("#error")
    for name in SECTIONS:
        assert page.locator(f"#{name} .waits").text_content() == "Not made: the run before them failed"
    assert page.locator("#fill-range").text_content() == "net P&L by fill model: not made"


def test_checks_of_an_older_run_never_take_the_place_of_newer_ones(visit, small):
    page, held = visit(small, FAST, plotly=False), []
    page.route(
        "**/api/checks?*",
        lambda route: held.append(route) if "take_profit=11" in route.request.url else route.continue_(),
    )
    with page.expect_request(lambda request: "/api/checks?" in request.url and "take_profit=11" in request.url):
        change(page, "take_profit", "11")
    change(page, "take_profit", "2.5")
    query = f"{FAST}&take_profit=2.5"
    wait_for_checks(page, query)
    for route in held:
        route.continue_()
    page.evaluate("fetch('/api/runs').then((response) => response.text())")  # goes behind what was held
    own = page.locator("#fill-table [aria-current=true]").text_content()
    assert own == signed(reported(small, query)["statistics"]["net_usd"], "usd")
    assert page.locator("body").get_attribute("data-checks") == query


def test_without_the_checks_the_rest_is_complete_and_the_page_says_why(visit, small):
    page = visit(small, FAST, refused=True, plotly=False, blocked="**/api/checks*")
    page.wait_for_function("() => document.querySelector('#firm .waits').textContent.startsWith('Not made: ')")
    shows(page, small, FAST)
    assert page.locator("#firm .made").is_hidden()
    assert page.locator("#fills .made").is_visible()
    assert "does not answer" in page.locator("#error").text_content()


def test_without_monte_carlo_the_checks_arrive(visit, small):
    page = visit(small, FAST, refused=True, plotly=False, blocked="**/api/monte_carlo*")
    wait_for_checks(page, FAST)
    assert page.locator("#fill-table tbody tr").count() == 9


def test_a_run_that_is_chosen_again_has_its_checks(visit, small):
    page = checked(visit, small, FAST, plotly=False)
    change(page, "take_profit", "12")
    wait_for_checks(page, f"{FAST}&take_profit=12")
    page.go_back()
    wait_for_run(page, FAST)
    wait_for_checks(page, FAST)
    assert page.locator("#fill-table [aria-current=true]").text_content() == "+$180.00"
    other = opened(page.context, small, query_of(page))
    wait_for_checks(other, FAST)
    assert visible_table(other, "fill-table") == visible_table(page, "fill-table")


# ------------------------------------------------------------------------------------- exits, trade log


def test_exit_reasons_of_the_rules_are_shown_in_the_chart_and_filter_the_log(visit, big):
    page, values = visit(big, MOVING), reported(big, MOVING)
    rows = values["series"]["exits"]
    reasons = {row["reason"] for row in rows if row["trades"]}
    assert {"trailing", "hold"} <= reasons
    chart(page, "exits")
    names = plot(page, "exits", "plot.data.map(({ name }) => name)")
    assert {"trailing stop", "longest hold"} <= set(names)
    for reason in ("trailing", "hold"):
        page.select_option("#filters [name=reason]", reason)
        found = sum(row["trades"] for row in rows if row["reason"] == reason)
        page.wait_for_function(
            "text => document.querySelector('#matching').textContent.startsWith(text)", arg=f"{found:,} trade"
        )
        shown = page.locator("#log tbody tr td:nth-child(3)").all_text_contents()
        assert set(shown) == {reason}


@pytest.mark.parametrize("viewport", WIDTHS, ids=["wide", "narrow"])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_sections_are_whole_in_each_theme_and_width(visit, big, viewport, theme):
    page = checked(visit, big, EVALUATED, viewport=viewport, color_scheme=theme)
    for name in CHECKS:
        box = chart(page, name)
        assert box.locator(".main-svg").first.bounding_box()["height"] > 200
        assert not re.search("NaN|undefined|Infinity|null", box.inner_text())
    for name in SECTIONS:
        text = page.locator(f"#{name}").inner_text()
        assert not re.search(r"NaN|undefined|Infinity|null|\[object", text)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_texts_of_the_evaluation_stay_text(visit, small):
    page = visit(small, FAST, plotly=False)
    wait_for_checks(page, FAST)

    def marked(route):
        answer = route.fetch().json()
        firm = answer["prop_firm"]
        firm["notes"] = ["<img src=x onerror=alert(1)>"]
        firm["rules"] |= {"title": "<b class=bad-name>x</b>", "note": "<i class=bad-name>y</i>"}
        firm["attempts"][0]["reason"] = "<u class=bad-name>z</u>"
        route.fulfill(json=answer)

    page.route("**/api/checks?*", marked)
    change(page, "take_profit", "12")
    wait_for_checks(page, f"{FAST}&take_profit=12")
    text = page.locator("#firm").inner_text()
    for part in ("<img src=x", "<b class=bad-name>", "<i class=bad-name>", "<u class=bad-name>"):
        assert part in text
    assert page.locator("#firm img, .bad-name").count() == 0
