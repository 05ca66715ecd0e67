"""The dashboard: page, runs and downloads against the result of the same run, and every refusal."""

import gzip
import itertools
import json
import re

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from support.asking import (
    BUSY,
    EVERYTHING,
    FAST,
    HERE,
    LATER,
    RUN_ROUTES,
    TICK,
    answer,
    ask,
    bench_of,
    blamed,
    library,
    refused,
    timeless,
    values_of,
    whole,
)
from support.budget import examples
from support.market import market

import scalpr_zen
import scalpr_zen.dashboard.app
import scalpr_zen.dashboard.serve
from scalpr_zen import save_tape
from scalpr_zen.base.errors import ParameterError
from scalpr_zen.base.params import declared
from scalpr_zen.dashboard.app import create_app
from scalpr_zen.dashboard.guard import Address
from scalpr_zen.render.figure import THEMES
from scalpr_zen.sections import by_notes, sections

pytestmark = pytest.mark.usefixtures("few_tapes")

# ------------------------------------------------------------------------------------------- page, about


def test_the_page_is_served_with_all_that_it_names(client):
    page = ask(client, "/")
    assert page.mimetype == "text/html"
    named = re.findall(r'(?:src|href)="([^"#][^"]*)"', page.text)
    assert {"/static/main.js", "/static/style.css"} <= set(named)
    for address in named:
        assert address.startswith("/")
        assert not address.startswith("//")
        assert ask(client, address).status_code == 200


def test_the_page_has_no_script_of_its_own_inside(client):
    text = ask(client, "/").text
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert re.findall(r"\son\w+=", text) == []
    assert "javascript:" not in text


def test_modules_of_the_page_import_what_is_there(client):
    seen, left = set(), ["main.js"]
    while left:
        name = left.pop()
        response = ask(client, f"/static/{name}")
        assert response.mimetype == "text/javascript", name
        seen.add(name)
        left += [found for found in re.findall(r'from "\./([^"]+)"', response.text) if found not in seen]
    assert len(seen) > 1


def test_plotly_is_that_of_the_package(client):
    response = ask(client, "/plotly.js")
    assert response.mimetype == "text/javascript"
    assert b"plotly.js" in response.data[:300]
    assert len(response.data) > 1_000_000


def test_about_reports_every_parameter_and_section(client, bench):
    about = answer(client, "/api/about")
    fields = {field["name"]: field for group in about["groups"] for field in group["parameters"]}
    parameters = [parameter for group in bench.groups.values() for parameter in declared(group)]
    assert list(fields) == [parameter.name for parameter in parameters]
    for parameter in parameters:
        field = fields[parameter.name]
        assert (field["default"], field["kind"]) == (
            parameter.default,
            "distance" if parameter.distance else parameter.kind.__name__,
        )
        assert (field["low"], field["high"]) == (parameter.low, parameter.high)
        assert (field["sentence"], field["unit"], tuple(field["choices"])) == (
            parameter.sentence,
            parameter.unit,
            parameter.choices,
        )
    assert fields["take_profit"]["step"] == TICK
    for told, section in zip(about["sections"], sections().values(), strict=True):
        expected = {name: getattr(section, name) for name in ("name", "title", "sentence", "later", "label")}
        assert told == expected | {"notes": by_notes().index(section)}
    assert about["themes"] == THEMES
    assert about["version"] == scalpr_zen.__version__


def test_about_tells_the_tape_but_not_its_folder(client, bench):
    response = ask(client, "/api/about")
    tape = response.json["tape"]
    assert (tape["root"], tape["prints"], tape["synthetic"], tape["tick_size"]) == ("NQ", 300, True, TICK)
    assert tape["contracts"] == ["NQZ4", "NQH5"]
    assert tape["session_dates"] == ["2024-11-01", "2024-12-17"]
    assert str(bench.path.parent) not in response.text


# --------------------------------------------------------------------------------------------------- run


def flags(given):
    """The parameters as the command line has them."""
    for name, value in given.items():
        flag = name.replace("_", "-")
        yield from (
            [f"--{flag}" if value else f"--no-{flag}"] if isinstance(value, bool) else [f"--{flag}", str(value)]
        )


@pytest.mark.parametrize("given", [{}, EVERYTHING])
def test_a_run_is_that_of_the_command_line(client, bench, scalpr, tmp_path, given):
    code, out, _ = scalpr("backtest", "--tape", bench.path, *flags(given), "--out", tmp_path, "--json")
    assert code == 0
    expected = timeless(json.loads(out))
    found = values_of(client, given)
    found |= {name: answer(client, f"/api/section/{name}", given)["values"] for name in LATER}
    assert found == {name: expected[name] for name in sections()}
    assert timeless(answer(client, "/api/report.json", given)) == expected


GIVEN = st.fixed_dictionaries(
    {},
    optional={
        "fast_period": st.integers(1, 9),
        "slow_period": st.integers(10, 40),
        "take_profit": st.integers(1, 80).map(lambda ticks: ticks * TICK),
        "stop_loss": st.integers(1, 80).map(lambda ticks: ticks * TICK) | st.just(1e6),
        "entry": st.sampled_from(["next", "signal"]),
        "latency_ms": st.sampled_from([0, 0.5, 1125, 60_000]),
        "slippage_ticks": st.integers(0, 3) | st.just(1_000),
        "commission": st.sampled_from([0, 0.1, 2.25, 1_000]),
        "target_fill": st.sampled_from(["touch", "through", "queue"]),
        "stop_fill": st.sampled_from(["trigger", "level", "next"]),
        "contracts": st.sampled_from([1, 7, 10_000]),
        "point_value": st.sampled_from(["none", 4e-6, 2, 1_000_000]),
        "overlap": st.booleans(),
        "sides": st.sampled_from(["both", "long", "short"]),
        "reverse": st.booleans(),
        "entry_windows": st.sampled_from(["all", "09:00-10:00", "22:00-09:30, 12:00-16:30"]),
        "weekdays": st.sampled_from(["all", "Mon-Wed", "Tue, Fri"]),
        "flat_before_close": st.sampled_from(["none", 0.5, 400]),
        "max_hold": st.sampled_from(["none", 0.001, 60]),
        "take_profit_short": st.sampled_from(["none", 0.25, 30]),
        "trailing_stop": st.sampled_from(["none", 0.25, 3]),
        "break_even_at": st.sampled_from(["none", 0.25, 2]),
        "queue_ahead": st.sampled_from([0, 1, 20]),
        "roll_exit": st.sampled_from(["void", "close"]),
        "pessimistic_slippage_ticks": st.sampled_from([0, 9]),
        "prop_firm": st.sampled_from(["none", "topstep-150k", "apex-50k", "apex-50k-legacy"]),
        "prop_drawdown": st.sampled_from(["none", 50, 5_000]),
        "prop_drawdown_kind": st.sampled_from(["none", "end_of_day", "peak_equity"]),
        "random_entry_sims": st.integers(0, 9),
        "prop_sims": st.integers(0, 9),
        "monte_carlo_sims": st.integers(0, 9),
        "seed": st.sampled_from([0, 1, 2**32 - 1]),
    },
).filter(lambda given: given.get("prop_firm") != "none" or not {"prop_drawdown", "prop_drawdown_kind"} & set(given))


@examples(40)
@given(GIVEN)
def test_any_parameters_in_range_give_the_run_of_the_library_or_its_refusal(client, bench, given):
    given = {"fast_period": 3, "slow_period": 12, "monte_carlo_sims": 5, "random_entry_sims": 5, "prop_sims": 5} | given
    try:
        own = json.loads(library(bench, given).to_json())
    except ParameterError as refusal:  # more money than can be counted
        refused = str(refusal)
        for path in RUN_ROUTES:
            response = ask(client, path, given)
            assert (response.status_code, refused in response.text) == (400, True)
        event("refused")
        return
    assert timeless(answer(client, "/api/report.json", given)) == timeless(own)
    for path in RUN_ROUTES:
        assert ask(client, path, given).status_code == 200


def test_undefined_values_are_null(client):
    statistics = values_of(client)["statistics"]
    assert statistics["trades"] == 0
    assert statistics["win_rate"] is None
    later = {name: answer(client, f"/api/section/{name}")["values"] for name in LATER}
    assert later["monte_carlo"] == later["random_entries"] == {}
    assert {row["win_rate"] for row in later["fills"]["table"]} == {None}
    assert later["fills"]["slippage"]["entry"]["mean_ticks"] is None
    assert later["prop_firm"]["drawn"]["days_to_pass"]["median"] is None
    row = answer(client, "/api/runs")["runs"][0]
    assert (row["profit_factor"], row["text"]["profit_factor"]) == (None, "n/a")


def test_an_answer_depends_on_nothing_that_was_asked_before(client, fresh):
    def answers(somebody, given):
        return [
            timeless(answer(somebody, "/api/report.json", given)),
            answer(somebody, "/api/trades", given),
            answer(somebody, "/api/tape", given | {"points": 40}),
        ]

    first = answers(client, FAST)
    answers(client, BUSY)
    answers(client, EVERYTHING)
    assert answers(client, FAST) == first
    assert answers(fresh, FAST) == first


def test_a_zero_with_a_minus_leaves_no_trace_in_later_answers(client, fresh):
    given = FAST | {"commission": 0, "latency_ms": 0}
    expected = json.dumps(timeless(answer(client, "/api/report.json", given)))
    answer(fresh, "/api/report.json", FAST | {"commission": "-0", "latency_ms": "-0.0"})
    assert json.dumps(timeless(answer(fresh, "/api/report.json", given))) == expected


def test_runs_are_listed_once_each_in_order(fresh):
    for path, asked in itertools.product(("/api/run", "/api/section/fills", "/api/trades"), (FAST, {}, FAST, BUSY)):
        answer(fresh, path, asked)
    rows = answer(fresh, "/api/runs")["runs"]
    assert [(row["run"], row["changed"]) for row in rows] == [(1, FAST), (2, {}), (3, BUSY)]
    assert rows[0]["trades"] == 9
    assert rows[0]["net_usd"] == values_of(fresh, FAST)["statistics"]["net_usd"]


# ------------------------------------------------------------------------------------------ downloads


def test_the_reports_are_those_of_the_library(client, bench):
    result = whole(bench, FAST)
    expected = {
        "txt": result.text("txt"),
        "csv": result.text("csv"),
        "json": result.to_json() + "\n",
        "html": result.html() + "\n",
    }
    kinds = {"txt": "text/plain", "csv": "text/csv", "json": "application/json", "html": "text/html"}
    for suffix, text in expected.items():
        response = ask(client, f"/api/report.{suffix}", FAST)
        assert response.mimetype == kinds[suffix]
        assert response.text == text
        assert re.fullmatch(
            rf'attachment; filename="?\d{{8}}T\d{{6}}Z_EmaCrossover_run_\d+\.{suffix}"?',
            response.headers["Content-Disposition"],
        )


PACKED = [("/api/run", FAST), ("/api/section/fills", FAST), ("/api/trades", BUSY), ("/api/tape", {"points": 400})]
PACKED += [(f"/api/report.{suffix}", FAST) for suffix in ("txt", "csv", "json", "html")]
PACKED += [("/", {}), ("/plotly.js", {}), ("/static/main.js", {}), ("/api/about", {})]


@pytest.mark.parametrize(("path", "given"), PACKED)
def test_packed_answers_hold_the_same(client, path, given):
    bare = ask(client, path, given)
    assert "Content-Encoding" not in bare.headers
    packed = ask(client, path, given, Accept_Encoding="gzip, deflate, br")
    assert packed.status_code == 200
    assert packed.mimetype == bare.mimetype
    if path in ("/api/run", "/api/report.html"):  # long ones
        assert packed.headers["Content-Encoding"] == "gzip"
    if packed.headers.get("Content-Encoding") == "gzip":
        assert len(packed.data) < len(bare.data)
        assert int(packed.headers["Content-Length"]) == len(packed.data)
        assert packed.headers["Vary"] == "Accept-Encoding"
        assert gzip.decompress(packed.data) == bare.data
    else:
        assert packed.data == bare.data


# ------------------------------------------------------------------------------------------- bad input


BAD = [
    ("nonsense=1", "nonsense"),
    ("tape=/etc/passwd", "tape"),
    ("path=../../etc/passwd", "path"),
    ("Fast_period=10", "Fast_period"),
    ("fast-period=10", "fast-period"),
    ("=1", ""),
    ("fast_period=10&fast_period=11", "fast_period"),
    ("fast_period=", "fast_period"),
    ("fast_period=x", "fast_period"),
    ("fast_period=2.5", "fast_period"),
    ("fast_period=0x10", "fast_period"),
    ("fast_period=nan", "fast_period"),
    ("fast_period=true", "fast_period"),
    ("fast_period=%00", "fast_period"),
    ("fast_period=%ff", "fast_period"),
    ("fast_period=0", "fast_period"),
    ("fast_period=" + "9" * 400, "fast_period"),
    ("fast_period=" + "9" * 5000, "fast_period"),
    ("seed=" + "9" * 400, "seed"),
    ("slippage_ticks=-" + "9" * 400, "slippage_ticks"),
    ("take_profit=", "take_profit"),
    ("take_profit=1e400", "take_profit"),
    ("take_profit=0x1p3", "take_profit"),
    ("take_profit=10,5", "take_profit"),
    ("take_profit=10.1", "take_profit"),
    ("take_profit=1e300", "take_profit"),
    ("entry=Next", "entry"),
    ("point_value=null", "point_value"),
    ("overlap=1", "overlap"),
    ("overlap=", "overlap"),
    ("monte_carlo_sims=none", "monte_carlo_sims"),
    ("weekdays=Funday", "weekdays"),
    ("sides=none", "sides"),
    ("prop_firm=nobody", "prop_firm"),
]


@pytest.mark.parametrize(("query", "name"), BAD)
def test_bad_parameters_are_refused_by_name(client, query, name, capsys):
    before = answer(client, "/api/runs")
    assert name in blamed(ask(client, f"/api/run?{query}"))
    assert answer(client, "/api/runs") == before
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("path", [*RUN_ROUTES, "/api/report.csv", "/api/report.html"])
def test_every_route_refuses_bad_parameters(client, path):
    for query, name in (("tape=/etc/passwd", "tape"), ("seed=1&seed=1", "seed"), ("take_profit=10.1", "take_profit")):
        assert blamed(ask(client, f"{path}?{query}")) == [name]


@pytest.mark.parametrize(
    "text", ["10", "+10", " 10", "10 ", "10\n", "\t10", "010", "1_0", "\u0661\u0660", "\uff11\uff10", "10.0", "1e1"]
)
@pytest.mark.parametrize("name", ["fast_period", "take_profit"])
def test_a_number_written_strangely_means_that_number_or_is_refused(client, name, text):
    response = ask(client, "/api/run", {name: text})
    if response.status_code == 200:
        assert response.json["sections"]["parameters"]["values"][name] == 10
    else:
        assert name in refused(response, 400)


NO_PATHS = """
/api /api/ /api/nothing /api/run/ /api/section /api/section/ /api/section/nothing /api/section/fills/ /api/fills
/api/report /api/report.exe /api/report. /api/report.txt.exe /api/report.json/../../x /favicon.ico /index.html
/static /static/ /static/missing.js /static/../../x /static/../app.py /static/%2e%2e/app.py /static/%2e%2e%2fapp.py
/static/..%5capp.py /static/%252e%252e/app.py /static/main.js%00 /static/%00 /../etc/passwd /%2e%2e/%2e%2e/etc/passwd
"""


@pytest.mark.parametrize("path", NO_PATHS.split())
def test_paths_that_are_none_are_not_found(client, path):
    assert "root:" not in refused(ask(client, path), 404)


@pytest.mark.parametrize("path", ["/static//etc/passwd", "/static/%2fetc/passwd", "/api//about", "/static//main.js"])
def test_a_doubled_slash_leads_to_no_other_place(client, path):
    response = ask(client, path)
    if response.status_code == 404:
        refused(response, 404)
    else:
        assert response.status_code == 308
        assert response.headers["Location"] in (f"{HERE}{path.replace('//', '/')}", f"{HERE}{path.replace('%2f', '')}")
        assert "Content-Security-Policy" in response.headers


@pytest.mark.parametrize("path", [*RUN_ROUTES, "/api/report.html"])
def test_an_internal_error_is_told_on_the_console_alone(client, bench, monkeypatch, capsys, path):
    def fail(*_):
        raise RuntimeError("a secret of /home/trader")

    with monkeypatch.context() as broken:
        broken.setattr(bench, "result", fail)
        message = refused(ask(client, path, FAST), 500)
    assert "secret" not in message
    assert "Traceback" not in message
    assert "a secret of /home/trader" in capsys.readouterr().err
    assert ask(client, path, FAST).status_code == 200


def test_a_replaced_tape_is_a_conflict(tmp_path):
    bench = bench_of(market(), tmp_path)
    client = create_app(bench, Address()).test_client()
    answer(client, "/api/run", FAST)
    save_tape(market(seed=7), bench.path)
    for path in RUN_ROUTES:
        message = refused(ask(client, path, FAST), 409)
        assert "tape.npz was replaced or removed" in message
        assert "start the dashboard again" in message
    bench.path.unlink()
    refused(ask(client, "/api/run", FAST), 409)
    assert len(answer(client, "/api/runs")["runs"]) == 1
