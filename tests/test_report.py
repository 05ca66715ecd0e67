"""The report and its golden files, read as a trader would.

`SCALPR_REWRITE_GOLDEN=1 pytest tests/test_report.py` writes the files in tests/golden anew and fails; read what
changed, then run again without it.
"""

import dataclasses
import json
import math
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from support.market import market
from support.reports import FAST, FEW_PATHS, cells, csv_rows, golden_tape, refused_or_reported, report_of, section
from support.tapes import Given, signals_of, tape_of

from scalpr_zen import Bracket, EmaCrossover, Execution, MonteCarlo, Parameters, SessionRules, param, run
from scalpr_zen.base.params import declared
from scalpr_zen.render.lines import block_lines
from scalpr_zen.render.text import number
from scalpr_zen.sections import sections
from scalpr_zen.sections.counts import COUNTS
from scalpr_zen.sections.monte_carlo.charts import ONE_DATE, ONE_TRADE
from scalpr_zen.sections.setup import GROUPS
from scalpr_zen.sections.statistics import STATISTICS
from scalpr_zen.simulation.execution import STOP_FILLS, TARGET_FILLS
from scalpr_zen.simulation.simulate import trades_sha256

VERDICTS = [row.key for row in STATISTICS if row.target]
GOLDEN = Path(__file__).parent / "golden"
REWRITE = os.environ.get("SCALPR_REWRITE_GOLDEN") == "1"
CHICAGO = ZoneInfo("America/Chicago")
EVERYTHING_OTHER = Execution(
    entry="signal",
    latency_ms=2.5,
    slippage_ticks=1,
    commission=2.27,
    target_fill="through",
    stop_fill="level",
    roll_exit="close",
    contracts=3,
    point_value=2.0,
)
OTHER_BRACKET = Bracket(
    take_profit=4.0,
    stop_loss=2.5,
    take_profit_short=5.0,
    stop_loss_short=3.0,
    trailing_stop=2.0,
    trail_activation=1.0,
    trailing_step=0.5,
    break_even_at=1.5,
    break_even_plus=2,
)
OTHER_RULES = SessionRules(
    reverse=True,
    entry_windows="08:00-10:01, 17:00-17:07",
    weekdays="Mon-Fri",
    no_entry_before_close=30.0,
    flat_before_close=5.0,
    max_hold=20.0,
    cooldown=2.0,
    max_trades=7,
    loss_limit=200.0,
    profit_limit=100.0,
    limit_basis="equity",
    incomplete_dates="include",
)


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    return golden_tape(tmp_path_factory.mktemp("tape"))


VARIES = "<varies>"


def masked_text(text: str) -> str:
    """The report without what differs from run to run: the line of the title, the manifest but the tape's hash."""
    before, title, manifest = text.partition("\nRUN MANIFEST\n")
    lines, rest = manifest.split("\n\n", 1)
    steady = (
        line if line.startswith("  tape sha256") else re.sub(r"^(  [a-z0-9 ]+?  +).*", rf"\1{VARIES}", line)
        for line in lines.split("\n")
    )
    text = before + title + "\n".join(steady) + "\n\n" + rest
    first, title, rest = text.split("\n", 2)
    return "\n".join([first, re.sub(r"scalpr_zen \S+(.*?)\S+$", rf"scalpr_zen {VARIES}\1{VARIES}", title), rest])


def golden(name: str, got: str) -> str:
    """Return the text of a golden file, or write it and fail."""
    path = GOLDEN / name
    if REWRITE:
        path.write_text(got, encoding="utf-8", newline="\n")
        pytest.fail(f"{name} was rewritten: read what changed, then run without SCALPR_REWRITE_GOLDEN")
    return path.read_text(encoding="utf-8")


RUNS = {
    "defaults": (FAST, Bracket(), Execution()),
    "everything_other": (FAST, OTHER_BRACKET, EVERYTHING_OTHER, OTHER_RULES),
    "no_trades": (EmaCrossover(), Bracket(), Execution()),  # no segment is longer than 200 prints
}


@pytest.mark.usefixtures("all_tapes")
@pytest.mark.parametrize("name", ["defaults", "everything_other"])
def test_the_report_is_the_golden_one(tape, name):
    got = masked_text(report_of(run(tape, *RUNS[name], settings=FEW_PATHS)))
    assert got == golden(f"{name}.txt", got)


def schema(values, path="", found=None) -> dict[str, set[str]]:
    """The kinds of the values at every path of a JSON document; `[]` is every row of a list."""
    found = {} if found is None else found
    found.setdefault(path, set()).add(type(values).__name__)
    rows = [("[]", row) for row in values] if isinstance(values, list) else []
    for key, value in [(f".{key}", value) for key, value in values.items()] if isinstance(values, dict) else rows:
        schema(value, path + key, found)
    return found


def test_every_key_of_the_json_has_its_kind_by_the_declarations_or_the_golden_schema(tape):
    found = {}
    for given in RUNS.values():
        result = run(tape, *given, settings=FEW_PATHS)
        values = json.loads(result.to_json())
        parameters, statistics = values.pop("parameters"), values["statistics"]
        assert parameters.pop("strategy") == "EmaCrossover"
        assert list(parameters) == [parameter.name for parameter, _ in result.run.declared]
        for parameter, _ in result.run.declared:
            allowed = {parameter.kind, *[type(None)] * parameter.optional, *[str] * parameter.distance}
            assert type(parameters[parameter.name]) in allowed
        whole = {row.key for row in STATISTICS if type(statistics.pop(row.key)) is int}
        assert whole <= {row.key for row in STATISTICS if row.unit in ("", "trades", "sessions", "days")}
        assert set(values.pop("verdicts").items()) <= set(product(VERDICTS, ("PASS", "FAIL", "n/a")))
        schema(values, found=found)
    got = "".join(f"{path or '.'} {' '.join(sorted(kinds))}\n" for path, kinds in found.items())
    assert got == golden("schema.txt", got)


def test_the_csv_is_the_golden_one(tape):
    got = "\n".join(run(tape, *RUNS["everything_other"], settings=FEW_PATHS).text("csv").splitlines()) + "\n"
    assert got == golden("everything_other.csv", got)


def test_the_golden_market_holds_what_the_golden_files_shall_show(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    assert tape.segments["contract"].tolist() == ["NQZ4", "NQH5"]
    counts = result.to_dict()["counts"]
    assert counts["void"] == counts["open"] == counts["unfilled"] == 1
    assert counts["ignored"] > 0
    assert {"LONG", "SHORT"} == {row["side"] for row in csv_rows(result)}
    offsets = {text[-6:] for text in re.findall(r"\d\d:\d\d:\d\d\.\d+[+-]\d\d:\d\d", report_of(result))}
    assert offsets == {"-05:00", "-06:00"}


# The whole of it --------------------------------------------------------------------------------------


def test_every_section_stands_in_the_report_with_all_it_declares(tape):
    result = run(tape, *RUNS["everything_other"], settings=FEW_PATHS)
    text, at = report_of(result), 0
    for one in sections().values():
        lines = [line for block in one.blocks(result.run, result.values) for line in block_lines(block)]
        shown = "\n".join(lines)
        at = text.index(shown, at)  # in the order of the sections
        assert not shown or f"\n{one.title.upper()}" in text[:at]
    parts = [f"\n{part}" for part in ("RUN MANIFEST", "VOID AND OPEN TRADES", "TRADE LOG")]
    assert [text.index(part) for part in parts] == sorted(text.index(part, at) for part in parts)


def test_every_time_of_the_text_is_chicago_s_with_its_offset(tape):
    times = re.findall(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*", report_of(run(tape, FAST, settings=FEW_PATHS)))
    assert len(times) > 20
    for text in times:
        local = datetime.fromisoformat(text)
        assert local.utcoffset() == local.astimezone(CHICAGO).utcoffset(), text


def test_the_text_is_ascii_and_undefined_is_n_a(tape):
    in_memory = market(metadata={})  # no hash, no ledger
    for result in (run(tape, FAST, settings=FEW_PATHS), run(in_memory, EmaCrossover(), settings=FEW_PATHS)):
        assert report_of(result).isascii()
        assert not re.search(r"\b(nan|inf|None)\b", report_of(result))
        assert not re.search(r" \n", report_of(result))


def test_print_shows_the_screen_and_the_full_text_all_but_the_log(tape, capsys):
    result = run(tape, FAST, settings=FEW_PATHS)
    print(result)
    shown = capsys.readouterr().out
    assert shown == str(result) + "\n"
    assert "TRADE LOG" not in result.full_text()
    assert report_of(result).startswith(result.full_text())


# Sections ---------------------------------------------------------------------------------------------


def test_every_parameter_is_shown_with_its_unit_and_defaults_are_marked(tape):
    execution = Execution(slippage_ticks=2, contracts=1, overlap=True)
    result = run(tape, FAST, Bracket(take_profit=4.0), execution, settings=MonteCarlo(monte_carlo_sims=25, seed=7))
    text, _, none = "\n".join(section(result.full_text(), "PARAMETERS")).partition("\n  none, the default: ")
    lines = {line.split()[0]: line for line in text.split("\n")[1:]}
    known = result.run.declared
    unset = [parameter.name for parameter, value in known if value is None and parameter.name != "point_value"]
    assert [name.strip() for name in none.split(",")] == unset
    assert [*lines] == [parameter.name for parameter, _ in known if parameter.name not in unset]
    assert len(lines) + len(unset) == sum(len(declared(group)) for group in (EmaCrossover, *GROUPS.values()))
    for parameter, value in known:
        if parameter.name not in unset:
            line = lines[parameter.name]
            shown = tape.instrument.point_value if parameter.name == "point_value" else value
            assert line.endswith(parameter.sentence)
            assert f" {shown} {parameter.unit}".rstrip() + " " in line
            assert (" default " in line) == (value == parameter.default), line
    changed = {name for name, line in lines.items() if " given " in line}
    own = {"fast_period", "slow_period", "take_profit", "slippage_ticks", "overlap", "monte_carlo_sims", "seed"}
    assert changed == own


@dataclass(frozen=True, kw_only=True)
class EveryNth(Parameters):
    """A strategy of a user: buys at every so many prints."""

    every: int = param(10, "Prints from signal to signal.", unit="prints", low=1)
    threshold: float = param(0.5, "Shown, not used.")

    def signals(self, tape):
        signals = np.zeros(len(tape), np.int8)
        signals[:: self.every] = 1
        return signals


def test_the_parameters_of_a_user_s_strategy_are_shown(tape):
    result = run(tape, EveryNth(every=20), settings=FEW_PATHS)
    lines = section(result.full_text(), "PARAMETERS")
    assert cells(lines, "every ")[:3] == ["20", "prints", "given"]
    assert cells(lines, "threshold")[:2] == ["0.5", "default"]
    assert result.to_dict()["parameters"] | {"strategy": "EveryNth", "every": 20} == result.to_dict()["parameters"]


def test_a_parameter_of_a_strategy_is_not_lost_behind_one_of_the_run(tape):
    # Both have a seed. Refused, or both shown; never one in the place of the other.
    @dataclass(frozen=True, kw_only=True)
    class Random(Parameters):
        seed: int = param(0, "Seed of the signals.")

        def signals(self, tape):
            return np.random.default_rng(self.seed).integers(-1, 2, len(tape)).astype(np.int8)

    refusal, text = refused_or_reported(tape, Random(seed=4_711), settings=MonteCarlo(monte_carlo_sims=25, seed=8_128))
    if text:
        parameters = "\n".join(section(text, "PARAMETERS"))
        assert "4711" in parameters
        assert "8128" in parameters
    else:
        assert "seed" in refusal


def test_every_statistic_is_shown_with_its_target_and_verdict(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    values = result.to_dict()["statistics"]
    lines = section(result.full_text(), "STATISTICS")[1:]
    assert len(lines) == len(STATISTICS)
    for row, line in zip(STATISTICS, lines, strict=True):
        target = [row.target, row.verdict(values)] if row.target else []
        shown = row.missing if math.isnan(values[row.key]) else number(values[row.key], row.unit)
        assert re.split(r"\s{2,}", line.strip()) == [row.label, shown, *target]


def test_prices_of_any_length_are_shown_to_the_tick():
    # 20000.75 has seven digits, and a price of ten-year notes up to nine.
    for root, ticks in (("NQ", 80_003), ("ZN", 7_073), ("6J", 13_579), ("ES", 23_601), ("YM", 44_123)):
        tape = tape_of([ticks] * 4 + [ticks + 1], root=root)
        size = tape.instrument.tick_size
        _, segment = section(run(tape, FAST).full_text(), "BUY & HOLD")[-2:]
        first, last = map(float, segment.split()[2:4])
        assert (first, last) == pytest.approx((ticks * size, (ticks + 1) * size), rel=1e-12), segment


def test_without_paths_monte_carlo_says_what_it_needs(tape):
    without = run(tape, FAST, settings=MonteCarlo(monte_carlo_sims=0))
    assert section(without.full_text(), "MONTE CARLO") == ["  n/a: it needs trades, and monte_carlo_sims above 0"]


def test_paths_that_could_not_differ_are_n_a_with_the_reason():
    tape = tape_of([100, 101, 110, 111, 120, 130])  # one session date
    bracket = Bracket(take_profit=1.0, stop_loss=1.0)
    two = run(tape, Given(signals_of(tape, {0: 1, 3: 1})), bracket, settings=FEW_PATHS)
    one = run(tape, Given(signals_of(tape, {0: 1})), bracket, settings=FEW_PATHS)
    assert (len(two.trades), len(one.trades)) == (2, 1)
    for result in (two, one):
        text = "\n".join(section(result.full_text(), "MONTE CARLO"))
        assert f"days drawn: n/a, {ONE_DATE}" in text
        assert (f"trades permuted: n/a, {ONE_TRADE}" in text) == (result is one)
        firm = "\n".join(section(result.full_text(), "PROP FIRM"))
        assert "n/a: it needs prop_sims above 0 and two session dates that count" in firm
        values = json.loads(result.to_json())
        assert values["monte_carlo"]["days"] == values["prop_firm"]["drawn"] == {}
        assert result.html()


def test_the_fill_table_has_a_row_for_every_model(tape):
    result = run(tape, FAST, execution=Execution(target_fill="through", commission=1.0), settings=FEW_PATHS)
    fills = result.to_dict()["fills"]
    lines = section(result.full_text(), "FILLS")
    assert "zero $0.00 + 0 ticks, set $1.00 + 0 ticks, pessimistic $2.50 + 1 tick (per" in " ".join(
        " ".join(lines).split()
    )
    rows = {(row["target_fill"], row["stop_fill"], row["costs"]): row for row in fills["table"]}
    for (target, stop), line in zip(product(TARGET_FILLS, STOP_FILLS), lines[1:10], strict=True):
        row = rows[target, stop, "set"]
        nets = [rows[target, stop, costs]["net_usd"] for costs in ("zero", "set", "pessimistic")]
        rates = [number(row["win_rate"], "share"), number(row["profit_factor"])]
        money = [number(net, "usd", signed=True) for net in nets]
        cost = number(row["break_even_cost_usd"], "usd")
        assert line[2:].split() == [target, stop, *money, f"{row['trades']:,}", *rates, cost]
        assert line.startswith("*") == ((target, stop) == ("through", "trigger"))
    assert optimistic_rules(result) == ["target_fill"] * 3
    assert "stop_fill: no winning trade depends on it, because a fixed stop never closes a winner" in " ".join(lines)


def optimistic_rules(result):
    """The rules whose optimistic winners the report counts, each by the numbers of the JSON."""
    text = " ".join(" ".join(section(result.full_text(), "FILLS")).split())
    return [
        row["rule"]
        for row in result.to_dict()["fills"]["optimistic"]
        if f"{row['rule']} {row['optimistic']} against {row['conservative']}: {row['lost']:,} of the {row['wins']:,}"
        in text
    ]


@pytest.mark.parametrize("moves", [{"trailing_stop": 2.0}, {"break_even_at": 2.0}])
def test_winners_of_every_rule_are_counted_where_the_stop_moves(tape, moves):
    rules = optimistic_rules(run(tape, FAST, Bracket(**moves), settings=FEW_PATHS))
    assert sorted(rules) == ["stop_fill"] * 3 + ["target_fill"] * 3


def test_random_entries_are_shown_beside_the_t_statistic(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    entries, statistics = result.to_dict()["random_entries"], result.to_dict()["statistics"]

    def text(result):
        return " ".join(" ".join(section(result.full_text(), "RANDOM ENTRIES")).split())

    assert "20 runs; exact: " in text(result)
    assert f"above {number(entries['percentile'], 'share')} of the random runs" in text(result)
    assert f"p-value {number(entries['p_value'], 'p')}, one-sided" in text(result)
    assert f"differs from zero: {number(statistics['t_statistic_by_day'])}, two-sided p" in text(result)
    own, drawn = (number(entries[name], "usd") for name in ("strategy_trade_sd_usd", "trade_sd_usd"))
    assert f"deviation of a trade {own}, of a random entry {drawn}" in text(result)
    assert "entries that did not pay the spread: n/a, no aggressor is known" in text(result)
    moving = run(tape, FAST, Bracket(trailing_stop=1.0), settings=FEW_PATHS)
    assert "sampled: 20 random entries were traded for each" in text(moving)
    bought = dataclasses.replace(tape, aggressor=np.frombuffer(b"\x01" * len(tape), np.int8))
    shares = (
        r"did not pay the spread: \d+\.\d+% of the strategy's, .* of the random ones; at one tick each .*\$[\d,.]+$"
    )
    assert re.search(shares, text(run(bought, FAST, settings=FEW_PATHS)))
    held = result.having({"random_entries": ({**entries, "reason": "it holds one side", "p_value": math.nan}, 0.0)})
    assert "no p-value, as it holds one side" in text(held)
    looks = run(tape, FAST, execution=Execution(entry="signal"), settings=FEW_PATHS)
    assert "this is no evidence of an edge" in text(looks)
    honest = number(run(tape, FAST).trades["net_usd"].sum(), "usd")
    assert f"entry=next, which does not look inside an event: {honest}" in " ".join(
        " ".join(section(looks.full_text(), "FILLS")).split()
    )
    for without in (
        run(tape, FAST, settings=MonteCarlo(monte_carlo_sims=0, random_entry_sims=0)),
        run(tape, FAST, rules=SessionRules(loss_limit=900.0, limit_basis="equity"), settings=FEW_PATHS),
    ):
        assert without.to_dict()["random_entries"] == {}
        assert len(without.trades) > 0
        assert text(without).startswith("n/a: ")


def test_every_signal_is_counted_under_what_it_came_to(tape):
    result = run(tape, FAST, OTHER_BRACKET, EVERYTHING_OTHER, OTHER_RULES, settings=FEW_PATHS)
    counts = result.to_dict()["counts"]
    first, *lines, digest = section(result.full_text(), "COUNTS")
    assert first.split() == ["signals", str(counts["signals"])]
    assert [line.split()[:2] for line in lines] == [[key, str(counts[key])] for key in COUNTS]
    assert sum(counts[key] for key in COUNTS) == counts["signals"]
    assert min(counts[key] for key in ("outside", "session_over", "in_cooldown")) > 0
    assert digest.split()[-1] == trades_sha256(result.trades) == result.to_dict()["trades_sha256"]


def test_the_manifest_has_versions_tape_machine_and_speed(tape):
    before = datetime.now(UTC)
    result = run(tape, FAST, settings=FEW_PATHS)
    manifest = result.to_dict()["manifest"]
    assert manifest["tape_sha256"] == tape.metadata["sha256"]
    assert manifest["numpy"] == np.__version__
    assert manifest["wall_seconds"] == pytest.approx(sum(manifest["seconds"].values()))
    assert manifest["prints_per_second"] == pytest.approx(300 / manifest["wall_seconds"])
    later = [one.name for one in sections().values() if one.later]
    assert list(manifest["seconds"]) == ["signals", "simulation", "statistics", *later]
    lines = section(report_of(result), "RUN MANIFEST")
    assert len(lines) == len(manifest) - 1 + len(manifest["seconds"])
    [started] = cells(lines, "started")
    assert datetime.fromisoformat(started) == datetime.fromisoformat(manifest["started"])
    assert before - timedelta(seconds=1) <= datetime.fromisoformat(started) <= datetime.now(UTC)  # in whole seconds
