"""The trade log of the dashboard: filters, order and pages against loops over the trades of the run."""

import itertools
import re
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest
from support.asking import BUSY, CHICAGO, EVERYTHING, FAST, answer, ask, at, bench_of, made, refused
from support.market import market
from test_envelope import extremes

from scalpr_zen.dashboard.app import create_app
from scalpr_zen.dashboard.guard import Address
from scalpr_zen.dashboard.trades_page import COLUMNS
from scalpr_zen.runs.trade_log import CSV_COLUMNS
from scalpr_zen.simulation.kernel import REASONS

FIELDS = {
    "side": "side",
    "exit_reason": "reason",
    "net_usd": "net_usd",
    "entry_time": "entry_ts",
    "entry_price": "entry_ticks",
    "exit_time": "exit_ts",
    "exit_price": "exit_ticks",
    "gross_points": "gross_ticks",
    "mfe_points": "mfe_ticks",
    "mae_points": "mae_ticks",
    "contract": "segment",
    "session_date": "session",
}
BOTH_SIDES = FAST | {"take_profit": 4.25, "stop_loss": 2.5, "take_profit_short": 4, "stop_loss_short": 2.75}


def pages(client, given, size=500):
    """All trades, page after page."""
    rows, number = [], 1
    while got := answer(client, "/api/trades", given | {"page": number, "size": size})["trades"]:
        assert len(got) <= size
        rows += got
        number += 1
    return rows


def facts(trades, bench):
    """What the filters look at: number, side, reason, contract, session date and money of each trade."""
    tape = bench.tape
    return [
        {
            "number": number,
            "side": "long" if trade["side"] > 0 else "short",
            "reason": REASONS[int(trade["reason"])],
            "contract": str(tape.segments["contract"][trade["segment"]]),
            "date": str(tape.sessions["date"][trade["session"]]),
            "net_usd": float(trade["net_usd"]),
        }
        for number, trade in enumerate(trades, 1)
    ]


def test_the_log_begins_with_the_first_fifty_trades(client, bench):
    trades = made(bench, BUSY).trades
    log = answer(client, "/api/trades", BUSY)
    assert log["matching"] == len(trades) > 50
    assert (log["page"], log["pages"]) == (1, -(-len(trades) // 50))
    assert [row["number"] for row in log["trades"]] == list(range(1, 51))
    assert log["net_usd"] == pytest.approx(float(trades["net_usd"].sum()))


def test_every_column_of_a_trade_is_written_out(client):
    for row in pages(client, EVERYTHING):
        text = row["text"]
        assert list(text) == [*COLUMNS, "title", "facts"]
        for name in COLUMNS:
            if name.endswith(("_points", "_price")):
                assert float(text[name].replace(",", "")) == row[name]
            elif name.endswith("_time"):
                assert text[name] == row[name][:23].replace("T", " ")
            elif name != "net_usd":
                assert text[name] == str(row[name])
        assert float(re.sub("[$,]", "", text["net_usd"])) == pytest.approx(row["net_usd"], abs=0.005)
        assert text["net_usd"].startswith({1: "+$", -1: "-$", 0: "$"}[np.sign(row["net_usd"])])
        what = f"SYNTHETIC {row['side']} {row['contract']} trade {row['number']} of {row['session_date']}"
        assert text["title"] == f"{what}, {row['exit_reason']}, {text['net_usd']}"
        for name in ("entry_price", "exit_price", "mae_points", "mfe_points"):
            assert text[name] in text["facts"]


def test_rows_are_those_of_the_csv_file(client, bench):
    result = made(bench, EVERYTHING)
    lines = [line.split(",") for line in result.text("csv").splitlines()]
    rows = pages(client, EVERYTHING)
    assert lines[0] == list(CSV_COLUMNS)
    assert len(rows) == len(lines) - 1 > 0
    for row, line in zip(rows, lines[1:], strict=True):
        known = dict(zip(lines[0], line, strict=True))
        for name in ("side", "session_date", "exit_reason"):
            assert row[name] == known[name]
        assert row["contract"] == known["contract"].removesuffix(" SYNTHETIC")
        for name in (
            "number",
            "commission_usd",
            "net_usd",
            *(n for n in CSV_COLUMNS if n.endswith(("price", "points"))),
        ):
            assert row[name] == float(known[name])


def test_rows_name_the_prints_and_the_times_of_chicago(client, bench):
    result = made(bench, BUSY)
    offsets = set()
    for row, trade in zip(pages(client, BUSY), result.trades, strict=True):
        assert [row[name] for name in ("signal", "entry", "exit")] == [
            trade[name] for name in ("signal", "entry", "exit")
        ]
        for name in ("entry", "exit"):
            told = datetime.fromisoformat(row[f"{name}_time"])
            moment = datetime.fromtimestamp(int(trade[f"{name}_ts"]) // 10**9, UTC)
            assert told.replace(microsecond=0) == moment
            assert told.microsecond // 1000 == int(trade[f"{name}_ts"]) // 10**6 % 1000
            assert told.utcoffset() == moment.astimezone(CHICAGO).utcoffset()
            offsets.add(row[f"{name}_time"][-6:])
    assert offsets == {"-05:00", "-06:00"}


@pytest.mark.parametrize(
    "given", [FAST, BUSY, EVERYTHING, BOTH_SIDES, BUSY | {"slippage_ticks": 3, "take_profit": 7.75}]
)
def test_brackets_are_as_far_from_the_entry_fill_as_they_were_set(client, given):
    far = {"LONG": (given.get("take_profit", 10), given.get("stop_loss", 5))}
    far["SHORT"] = (given.get("take_profit_short", far["LONG"][0]), given.get("stop_loss_short", far["LONG"][1]))
    rows = pages(client, given)
    assert rows
    for row in rows:
        side = 1 if row["side"] == "LONG" else -1
        take_profit, stop_loss = far[row["side"]]
        assert row["target_price"] == row["entry_price"] + side * take_profit
        assert row["stop_price"] == row["entry_price"] - side * stop_loss


def test_the_log_tells_the_stop_that_was_in_force_when_a_trade_ended(client):
    given = FAST | {"stop_loss": 4, "trailing_stop": 3, "break_even_at": 1.5, "stop_fill": "level"}
    rows = pages(client, given)
    stopped = [row for row in rows if row["exit_reason"] in ("stop", "break_even", "trailing")]
    assert {row["exit_reason"] for row in stopped} >= {"break_even", "trailing"}
    assert all(row["last_stop_price"] == row["exit_price"] for row in stopped)  # stop_fill=level fills there
    assert [row["last_stop_price"] for row in stopped if row["exit_reason"] == "break_even"] == [
        row["entry_price"] for row in stopped if row["exit_reason"] == "break_even"
    ]


def test_what_ended_otherwise_has_no_last_stop(client):
    given = FAST | {"max_hold": 1}
    for reason in ("hold", "void", "open"):
        rows = pages(client, given | {"reason": reason})
        assert all((row["exit_reason"], row["last_stop_price"]) == (reason, None) for row in rows)
    assert pages(client, given | {"reason": "hold"})


def test_every_exit_reason_is_a_filter_of_the_trades(client, bench):
    given = BOTH_SIDES | {"trailing_stop": 3, "max_hold": 5, "loss_limit": 100, "limit_basis": "equity"}
    trades = facts(made(bench, given).trades, bench)
    reasons = {trade["reason"] for trade in trades}
    assert len(reasons - {"target", "stop"}) >= 3
    for reason in answer(client, "/api/about")["log"]["reasons"][1:-2]:
        shown = answer(client, "/api/trades", given | {"reason": reason})
        assert shown["matching"] == sum(trade["reason"] == reason for trade in trades)


def test_prices_of_a_tick_that_binary_has_not_are_exact(tmp_path):
    bench = bench_of(market("GC"), tmp_path)
    client = create_app(bench, Address()).test_client()
    given = {"fast_period": 2, "slow_period": 5, "take_profit": 0.7, "stop_loss": 0.3, "overlap": True}
    tick = Decimal("0.1")
    for row, trade in zip(pages(client, given), made(bench, given).trades, strict=True):
        entry, side = Decimal(int(trade["entry_ticks"])) * tick, int(trade["side"])
        assert row["entry_price"] == float(entry)
        assert row["target_price"] == float(entry + side * Decimal("0.7"))
        assert row["stop_price"] == float(entry - side * Decimal("0.3"))
    prices = [float(Decimal(ticks) * tick) for ticks in bench.tape.price.tolist()]
    shown = answer(client, "/api/tape", given | {"points": 400})
    assert shown["prints"]["price"] == prices
    assert [prices[i] for i in shown["trades"]["entry"]] == shown["trades"]["entry_price"]
    parts = answer(client, "/api/tape", given | {"points": 10})["envelope"]
    low, high = extremes(bench.tape.price, parts["print"], 300)
    assert parts["low"] == [float(Decimal(ticks) * tick) for ticks in low]
    assert parts["high"] == [float(Decimal(ticks) * tick) for ticks in high]


@pytest.mark.parametrize("order", ["up", "down"])
@pytest.mark.parametrize("sort", COLUMNS)
def test_the_log_sorts_by_every_column_both_ways(client, bench, sort, order):
    trades = made(bench, BUSY).trades
    numbers = [row["number"] for row in pages(client, BUSY | {"sort": sort, "order": order})]
    assert sorted(numbers) == list(range(1, len(trades) + 1))
    keys = numbers if sort == "number" else [trades[FIELDS[sort]][number - 1] for number in numbers]
    assert keys == sorted(keys, reverse=order == "down")
    if order == "up":
        equal = itertools.groupby(zip(keys, numbers, strict=True), key=lambda pair: pair[0])
        assert all(pairs == sorted(pairs) for pairs in ([n for _, n in group] for _, group in equal))


@pytest.mark.parametrize("given", [{"sort": "side"}, {"sort": "exit_reason", "order": "down"}, {"sort": "net_usd"}])
def test_pages_of_any_size_join_to_the_same_log(client, given):
    whole = pages(client, BUSY | given)
    for size in (7, 50):
        assert pages(client, BUSY | given, size) == whole


def test_a_page_beyond_the_end_is_empty(client):
    for beyond in ({"page": 3, "size": 100}, {"page": 10_000_000, "size": 500}):
        log = answer(client, "/api/trades", BUSY | beyond)
        assert log["trades"] == []
        assert log["matching"] == answer(client, "/api/trades", BUSY)["matching"] < 200


def test_a_run_without_trades_has_an_empty_log(client):
    nothing = {"matching": 0, "net_usd": 0.0, "found": "0 trades, $0.00", "page": 1, "pages": 0, "trades": []}
    assert answer(client, "/api/trades") == nothing


DATES = [("", ""), ("2024-11-04", ""), ("", "2024-11-04"), ("2024-11-02", "2024-12-16"), ("2024-12-17", "2024-11-01")]
FILTERS = list(itertools.product(("all", "long", "short"), ("closed", "target", "stop"), ("all", "NQZ4", "NQH5")))


@pytest.mark.parametrize(("side", "reason", "contract"), FILTERS)
def test_filters_alone_and_together_find_what_they_say(client, bench, side, reason, contract):
    all_facts = facts(made(bench, BUSY).trades, bench)
    for first, last in DATES:
        wanted = {"side": side, "reason": reason, "contract": contract, "first": first, "last": last}
        log = answer(client, "/api/trades", BUSY | wanted | {"size": 500})
        expected = [
            fact
            for fact in all_facts
            if side in ("all", fact["side"])
            and reason in ("closed", fact["reason"])
            and contract in ("all", fact["contract"])
            and (not first or date.fromisoformat(fact["date"]) >= date.fromisoformat(first))
            and (not last or date.fromisoformat(fact["date"]) <= date.fromisoformat(last))
        ]
        assert [row["number"] for row in log["trades"]] == [fact["number"] for fact in expected]
        assert log["matching"] == len(expected)
        assert log["net_usd"] == pytest.approx(sum(fact["net_usd"] for fact in expected))


def test_sums_are_those_of_all_pages_and_not_of_one(client):
    log = answer(client, "/api/trades", BUSY | {"side": "long", "size": 3, "sort": "net_usd"})
    rows = pages(client, BUSY | {"side": "long"})
    assert log["matching"] == len(rows) > 3
    assert log["net_usd"] == pytest.approx(sum(row["net_usd"] for row in rows))


def test_void_and_open_trades_are_found_by_their_reason(client, bench):
    given = FAST | {"take_profit": 1_000, "stop_loss": 1_000}
    result = made(bench, given)
    assert (result.to_dict()["counts"]["void"], result.to_dict()["counts"]["open"]) == (1, 1)
    assert answer(client, "/api/trades", given)["matching"] == 0
    for reason, contract, last in (("void", "NQZ4", 179), ("open", "NQH5", 299)):
        log = answer(client, "/api/trades", given | {"reason": reason})
        trade = next(trade for trade in result.unclosed if REASONS[int(trade["reason"])] == reason)
        (row,) = log["trades"]
        assert (row["exit_reason"], row["contract"], row["exit"]) == (reason, contract, last)
        assert (row["net_usd"], row["entry"]) == (float(trade["net_usd"]), trade["entry"])
        assert (log["matching"], log["net_usd"]) == (1, row["net_usd"])
        other = "NQH5" if contract == "NQZ4" else "NQZ4"
        assert answer(client, "/api/trades", given | {"reason": reason, "contract": other})["matching"] == 0


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("page=0", "page"),
        ("page=" + "9" * 400, "page"),
        ("page=1&page=2", "page"),
        ("size=0", "size"),
        ("sort=nonsense", "sort"),
        ("order=sideways", "order"),
        ("side=LONG", "side"),
        ("reason=timeout", "reason"),
        ("contract=NQM5", "contract"),
        ("contract=NQZ4%00", "contract"),
        ("first=2024-11-01T00:00", "first"),
        ("last=2024-02-30", "last"),
        ("start=0", "start"),
    ],
)
def test_bad_pages_are_refused_by_name(client, query, name):
    assert name in refused(ask(client, f"{at('/api/trades', BUSY)}&{query}"), 400)


@pytest.mark.parametrize("text", ["20241216", "2024-W51-1"])
def test_a_date_written_strangely_is_that_date_or_is_refused(client, text):
    response = ask(client, "/api/trades", BUSY | {"first": text})
    if response.status_code == 200:
        assert response.json == answer(client, "/api/trades", BUSY | {"first": "2024-12-16"})
    else:
        assert "first" in refused(response, 400)
