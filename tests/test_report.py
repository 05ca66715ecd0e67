"""The report, its golden files, and every other way to show a result.

`SCALPR_REWRITE_GOLDEN=1 pytest tests/test_report.py` writes the files in tests/golden anew and fails; read what
changed, then run again without it.
"""

import csv
import dataclasses
import errno
import html
import json
import math
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from support.market import METADATA, market
from support.tapes import Given, signals_of, tape_of

from scalpr_zen import (
    Bracket,
    EmaCrossover,
    Execution,
    MonteCarlo,
    Parameters,
    PropFirm,
    ScalprError,
    SessionRules,
    Tape,
    instrument,
    param,
    run,
    save,
    save_tape,
)
from scalpr_zen.base.params import declared
from scalpr_zen.render.notes import COUNTS, check_notes
from scalpr_zen.render.notes import notes as notes_of
from scalpr_zen.render.report import ONE_DATE, ONE_TRADE, SAME_EVENT, SLIPPAGE, summary
from scalpr_zen.render.text import number
from scalpr_zen.sections.setup import GROUPS
from scalpr_zen.sections.statistics import STATISTICS
from scalpr_zen.simulation.execution import STOP_FILLS, TARGET_FILLS
from scalpr_zen.simulation.kernel import REASONS
from scalpr_zen.simulation.simulate import trades_sha256

VERDICTS = [row.key for row in STATISTICS if row.target]
GOLDEN = Path(__file__).parent / "golden"
REWRITE = os.environ.get("SCALPR_REWRITE_GOLDEN") == "1"
FAST = EmaCrossover(fast_period=2, slow_period=5)
FEW_PATHS = MonteCarlo(monte_carlo_sims=25, random_entry_sims=20)
CHICAGO = ZoneInfo("America/Chicago")
CSV_COLUMNS = [
    "number",
    "side",
    "contract",
    "session_date",
    "entry_time",
    "entry_price",
    "exit_time",
    "exit_price",
    "exit_reason",
    "gross_points",
    "commission_usd",
    "net_usd",
    "mfe_points",
    "mae_points",
]
JSON_KEYS = {
    "parameters",
    "tape",
    "notes",
    "statistics",
    "verdicts",
    "baseline",
    "monte_carlo",
    "fills",
    "random_entries",
    "prop_firm",
    "coverage",
    "counts",
    "trades_sha256",
    "series",
    "manifest",
}
MANIFEST = ("scalpr_zen", "started", "tape_sha256", "python", "numpy", "numba", "scipy", "machine", "wall_seconds")

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
    """The golden market, written and mapped: a tape with a hash."""
    return Tape.open(save_tape(market(), tmp_path_factory.mktemp("tape") / "golden.npz"))


def report_of(result) -> str:
    return "\n".join(result.report_lines()) + "\n"


def section(text: str, title: str) -> list[str]:
    """The lines below a title, up to the next empty one."""
    lines = [*text.split("\n"), ""]
    start = next(k for k, line in enumerate(lines) if line.startswith(title)) + 2
    return lines[start : lines.index("", start)]


def refused_or_reported(*args, **settings) -> tuple[str, str]:
    """Run; return the message of a refusal and the report, one of them empty."""
    try:
        return "", report_of(run(*args, **settings))
    except ScalprError as error:
        return str(error), ""


def csv_rows(result) -> list[dict[str, str]]:
    return list(csv.DictReader(result.csv_lines()))


# ---------------------------------------------------------------------------------------- golden files

VARIES = "<varies>"


def masked_text(text: str) -> str:
    """The report without what differs from run to run: the line of the title, the manifest but the tape's hash."""
    manifest = "\n".join(section(text, "RUN MANIFEST"))
    steady = "\n".join(
        line if line.startswith("  tape sha256") else re.sub(r"^(  [a-z0-9_ ]{24}  ).*", rf"\1{VARIES}", line)
        for line in manifest.split("\n")
    )
    first, title, rest = text.replace(manifest, steady).split("\n", 2)
    return "\n".join([first, re.sub(r"scalpr_zen \S+(.*?)\S+$", rf"scalpr_zen {VARIES}\1{VARIES}", title), rest])


def schema(values, path="", found=None) -> dict[str, set[str]]:
    """The kinds of the values at every path of a JSON document; `[]` is every row of a list."""
    found = {} if found is None else found
    found.setdefault(path, set()).add(type(values).__name__)
    rows = [("[]", row) for row in values] if isinstance(values, list) else []
    for key, value in [(f".{key}", value) for key, value in values.items()] if isinstance(values, dict) else rows:
        schema(value, path + key, found)
    return found


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


def test_every_key_of_the_json_has_its_kind_by_the_declarations_or_the_golden_schema(tape):
    found = {}
    for given in RUNS.values():
        result = run(tape, *given, settings=FEW_PATHS)
        values = json.loads(result.to_json())
        parameters, statistics = values.pop("parameters"), values["statistics"]
        assert parameters.pop("strategy") == "EmaCrossover"
        assert list(parameters) == [parameter.name for parameter, _ in result.declared]
        for parameter, _ in result.declared:
            allowed = {parameter.kind, *[type(None)] * parameter.optional, *[str] * parameter.distance}
            assert type(parameters[parameter.name]) in allowed
        whole = {row.key for row in STATISTICS if type(statistics.pop(row.key)) is int}
        assert whole <= {row.key for row in STATISTICS if row.unit in ("", "trades", "sessions", "days")}
        assert set(values.pop("verdicts").items()) <= set(product(VERDICTS, ("PASS", "FAIL", "n/a")))
        schema(values, found=found)
    got = "".join(f"{path or '.'} {' '.join(sorted(kinds))}\n" for path, kinds in found.items())
    assert got == golden("schema.txt", got)


def test_the_csv_is_the_golden_one(tape):
    got = "\n".join(run(tape, *RUNS["everything_other"], settings=FEW_PATHS).csv_lines()) + "\n"
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


# --------------------------------------------------------------------------------------- the text report


def test_the_parts_of_the_report_stand_in_order(tape):
    text = report_of(run(tape, FAST, settings=FEW_PATHS))
    parts = ["STATISTICS", "FILLS", "MEASURED SLIPPAGE", "INSIDE ONE EVENT", "RANDOM ENTRIES", "MONTE CARLO"]
    parts += ["PROP FIRM", "MONTHS", "BUY & HOLD", "COUNTS", "PARAMETERS", "TAPE", "RUN MANIFEST"]
    found = [text.index(f"\n{part}") for part in [*parts, "VOID AND OPEN TRADES", "TRADE LOG"]]
    assert found == sorted(found)


def test_every_parameter_is_told_with_its_unit_and_defaults_are_marked(tape):
    execution = Execution(slippage_ticks=2, contracts=1, overlap=True)
    result = run(tape, FAST, Bracket(take_profit=4.0), execution, settings=MonteCarlo(monte_carlo_sims=25, seed=7))
    text, _, none = "\n".join(section(result.full_text(), "PARAMETERS")).partition("\n  none, the default: ")
    lines = {line.split()[0]: line for line in text.split("\n")}
    unset = [
        parameter.name for parameter, value in result.declared if value is None and parameter.name != "point_value"
    ]
    assert [name.strip() for name in none.split(",")] == unset
    assert [*lines] == [parameter.name for parameter, _ in result.declared if parameter.name not in unset]
    assert len(lines) + len(unset) == sum(len(declared(group)) for group in (EmaCrossover, *GROUPS.values()))
    for parameter, value in result.declared:
        if parameter.name in unset:
            continue
        line = lines[parameter.name]
        assert line.endswith(parameter.sentence)
        assert f" {parameter.unit} " in line
        assert ("*" in line) == (value == parameter.default), line
        shown = tape.instrument.point_value if parameter.name == "point_value" else value
        assert f" {shown} " in line
    marked = {name for name, line in lines.items() if "*" not in line}
    assert marked == {"fast_period", "slow_period", "take_profit", "slippage_ticks", "overlap"} | {
        "monte_carlo_sims",
        "seed",
    }


@dataclass(frozen=True, kw_only=True)
class EveryNth(Parameters):
    """A strategy of a user: buys at every so many prints."""

    every: int = param(10, "Prints from signal to signal.", unit="prints", low=1)
    threshold: float = param(0.5, "Told, not used.")

    def signals(self, tape):
        signals = np.zeros(len(tape), np.int8)
        signals[:: self.every] = 1
        return signals


def test_the_parameters_of_a_user_s_strategy_are_told(tape):
    result = run(tape, EveryNth(every=20), settings=FEW_PATHS)
    every, threshold = section(result.full_text(), "PARAMETERS")[:2]
    assert every.split()[:3] == ["every", "20", "prints"]
    assert threshold.split()[:3] == ["threshold", "*", "0.5"]
    assert result.to_dict()["parameters"] | {"strategy": "EveryNth", "every": 20} == result.to_dict()["parameters"]


def test_a_parameter_of_a_strategy_is_not_lost_behind_one_of_the_run(tape):
    # Both have a seed. Refused, or both told; never one in the place of the other.
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


def test_the_facts_of_the_tape_are_told(tape):
    lines = section(run(tape, FAST, settings=FEW_PATHS).full_text(), "TAPE")
    facts = {line[:28].strip(): line[28:].strip() for line in lines if not line.startswith("    ")}
    assert facts == {
        "contract": "NQ E-mini Nasdaq-100 (CME)",
        "tick": "0.25 points, $5.00 a contract",
        "prints": "300 in 4 session dates",
        "first, last session date": "2024-11-01 to 2024-12-17",
        "missing dates": "none",
        "incomplete dates": "none",
        "session closes": "equity, pandas_market_calendars 5.5.0: 0 early, 0 unknown, 0 prints late",
        "sha256": tape.metadata["sha256"],
        "roll rule": METADATA["roll_rule"],
        "first front month": "NQZ4 on 2024-11-01, chosen by the roll rule",
        "rolls": "1",
        "records read": "307",
        "put in order of time": "2",
    }
    [roll] = [line for line in lines if "->" in line]
    told = "2024-12-16  NQZ4 -> NQH5  volumes of the session before 120 / 90  gap +217 points"
    assert roll.strip() == told
    ledger = {line.rsplit(None, 1)[0].strip(): int(line.split()[-1]) for line in lines[-3:-1]}
    assert ledger == {"prints": 300, "other month": 7}


def test_the_whole_statistics_table_is_told_with_targets_and_verdicts(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    values = result.to_dict()["statistics"]
    lines = section(result.full_text(), "STATISTICS")
    assert len(lines) == len(STATISTICS)
    for row, line in zip(STATISTICS, lines, strict=True):
        cells = re.split(r"\s{2,}| (?=PASS|FAIL|n/a$)", line.strip())
        target = [f"target {row.target}", row.verdict(values)] if row.target else []
        shown = row.missing if math.isnan(values[row.key]) else number(values[row.key], row.unit)
        assert [cell.strip() for cell in cells] == [row.label, shown, *target]


def test_prices_of_any_length_are_told_to_the_tick():
    # 20000.75 has seven digits, and a price of ten-year notes up to nine.
    for root, ticks in (("NQ", 80_003), ("ZN", 7_073), ("6J", 13_579), ("ES", 23_601), ("YM", 44_123)):
        tape = tape_of([ticks] * 4 + [ticks + 1], root=root)
        size = tape.instrument.tick_size
        [segment] = [line for line in section(run(tape, FAST).full_text(), "BUY & HOLD") if "->" in line]
        first, last = re.search(r"(\S+) -> (\S+)", segment).groups()
        assert (float(first), float(last)) == pytest.approx((ticks * size, (ticks + 1) * size), rel=1e-12), segment


def test_the_months_are_told(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    rows = [line.split() for line in section(result.full_text(), "MONTHS")[1:]]
    units = {"month": "month", "session_dates": "", "trades": "", "win_rate": "share", "net_usd": "usd"}
    units |= {"max_drawdown_usd": "usd"}
    expected = [
        [row[key] if unit == "month" else number(row[key], unit) for key, unit in units.items()]
        for row in result.to_dict()["statistics"]["months"]
    ]
    assert rows == expected
    assert [row[0] for row in rows] == ["2024-11", "2024-12"]


def test_monte_carlo_is_told(tape):
    result = run(tape, FAST, settings=MonteCarlo(monte_carlo_sims=25, seed=3))
    paths = result.to_dict()["monte_carlo"]
    text = "\n".join(section(result.full_text(), "MONTE CARLO"))
    assert "25 paths of each method, seed 3" in text
    for values in (paths["permutation"]["drawdown_usd"], paths["days"]["drawdown_usd"], paths["days"]["profit_usd"]):
        assert "".join(f"{number(value, 'usd'):>16}" for value in values.values()) in text
    assert f"above {number(paths['permutation']['actual_drawdown_rank'], 'share')} of the permuted" in text
    assert f"days drawn: {number(paths['days']['profitable_share'], 'share')} of the paths end with a profit" in text
    assert "without an edge every value is equally likely; it is not the probability of a future profit" in text
    assert "probability of a profit, " not in text
    without = run(tape, FAST, settings=MonteCarlo(monte_carlo_sims=0))
    assert section(without.full_text(), "MONTE CARLO") == ["  n/a: it needs trades, and monte_carlo_sims above 0"]


def test_paths_that_could_not_differ_are_n_a_with_the_reason():
    tape = tape_of([100, 101, 110, 111, 120, 130])  # one session date
    bracket = Bracket(take_profit=1.0, stop_loss=1.0)
    two = run(tape, Given(signals_of(tape, {0: 1, 3: 1})), bracket, settings=FEW_PATHS)
    one = run(tape, Given(signals_of(tape, {0: 1})), bracket, settings=FEW_PATHS)
    assert (len(two.trades), len(one.trades)) == (2, 1)
    no_days = f"n/a: {ONE_DATE}"
    for result, permuted in ((two, "$"), (one, f"n/a: {ONE_TRADE}")):
        rows = {line[:34].strip(): line[34:].strip() for line in section(result.full_text(), "MONTE CARLO")}
        assert rows["max drawdown, days drawn"] == rows["net P&L, days drawn"] == no_days
        assert rows["max drawdown, trades permuted"].startswith(permuted)
        assert "n/a, as prop_sims is 0 or fewer than two session dates count" in result.full_text()
        values = json.loads(result.to_json())
        assert values["monte_carlo"]["days"] == values["prop_firm"]["drawn"] == {}
        assert result.html()


def test_the_fill_table_is_told_row_by_row(tape):
    result = run(tape, FAST, execution=Execution(target_fill="through", commission=1.0), settings=FEW_PATHS)
    fills = result.to_dict()["fills"]
    costs, told, head, *lines = section(result.full_text(), "FILLS")
    assert "the set costs" in told
    assert "zero $0.00 + 0 ticks, set $1.00 + 0 ticks, pessimistic $2.50 + 1 ticks" in costs
    assert head.split()[:2] == ["target", "stop"]
    rows = {(row["target_fill"], row["stop_fill"], row["costs"]): row for row in fills["table"]}
    for (target, stop), line in zip(product(TARGET_FILLS, STOP_FILLS), lines[:9], strict=True):
        cells = line.replace("*", " ").split()
        row = rows[target, stop, "set"]
        nets = [number(rows[target, stop, kind]["net_usd"], "usd") for kind in ("zero", "set", "pessimistic")]
        rates = [number(row["win_rate"], "share"), number(row["profit_factor"])]
        assert cells == [target, stop, *nets, f"{row['trades']:,}", *rates, number(row["break_even_cost_usd"], "usd")]
        assert ("*" in line) == ((target, stop) == ("through", "trigger"))
    *of_targets, of_stops = lines[9:]
    assert optimistic(of_targets, fills, ["target_fill"])
    assert of_stops == "  stop_fill: no winning trade depends on it, because a fixed stop never closes a winner"


def optimistic(lines, fills, rules):
    """Whether the lines tell the winners of the optimistic way of these rules."""
    rows = [row for row in fills["optimistic"] if row["rule"] in rules]
    told = [
        f"{row['rule']} {row['optimistic']} against {row['conservative']}: {row['lost']} of the {row['wins']}"
        for row in rows
    ]
    return len(lines) == len(told) and all(text in line for text, line in zip(told, lines, strict=True))


@pytest.mark.parametrize("moves", [{"trailing_stop": 2.0}, {"break_even_at": 2.0}])
def test_winners_of_every_rule_are_told_where_the_stop_moves(tape, moves):
    result = run(tape, FAST, Bracket(**moves), settings=FEW_PATHS)
    lines = section(result.full_text(), "FILLS")[12:]
    assert len(lines) == 6
    assert optimistic(lines, result.to_dict()["fills"], ["target_fill", "stop_fill"])


def test_the_range_of_the_fill_models_is_noted_first(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    nets = [row["net_usd"] for row in result.to_dict()["fills"]["table"] if row["costs"] == "set"]
    [line] = [line for line in result.full_text().split("\n") if "the fill model alone" in line]
    assert f"from {number(min(nets), 'usd')} (" in line
    assert f"to {number(max(nets), 'usd')} (" in line


def test_slippage_and_events_are_told(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    fills = result.to_dict()["fills"]
    head, *lines = section(result.full_text(), "MEASURED SLIPPAGE")
    assert head.split() == ["trades", "mean", "5%", "25%", "50%", "75%", "95%", "99%", "worst", "spread"]
    assert "did not pay the spread" in lines.pop()
    for (key, label), line in zip(SLIPPAGE.items(), lines, strict=True):
        row = fills["slippage"][key]
        values = [row["trades"], row["mean_ticks"], *row["percentiles"].values(), row["worst_ticks"]]
        cells = [*(number(value) for value in values), number(row["inside_share"], "share")]
        assert line.split(label)[1].split() == cells
    for (key, label), line in zip(SAME_EVENT.items(), section(result.full_text(), "INSIDE ONE EVENT"), strict=True):
        assert line.split() == [str(fills["same_event"][key]), "of", str(len(result.trades)), *label.split()]


def test_random_entries_are_told_beside_the_t_statistic(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    control, t = result.to_dict()["random_entries"], result.to_dict()["statistics"]["t_statistic"]
    text = "\n".join(section(result.full_text(), "RANDOM ENTRIES"))
    assert "20 runs; exact: " in text
    assert f"above {number(control['percentile'], 'share')} of the random runs" in text
    assert f"p-value {number(control['p_value'], 'p')}, one-sided (t-statistic {number(t)})" in text
    own, drawn = (number(control[name], "usd") for name in ("strategy_trade_sd_usd", "trade_sd_usd"))
    assert f"deviation of a trade {own}, of a random entry {drawn}" in text
    moving = run(tape, FAST, Bracket(trailing_stop=1.0), settings=FEW_PATHS)
    assert "sampled: 20 random entries were traded for each" in "\n".join(section(moving.full_text(), "RANDOM ENTRIES"))
    held = {**result.to_dict(), "random_entries": {**control, "reason": "it holds one side", "p_value": math.nan}}
    assert "no p-value, as it holds one side" in "\n".join(section(summary(held, result.declared), "RANDOM ENTRIES"))
    assert "entries that did not pay the spread: n/a, no aggressor is known" in text
    bought = replace(tape, aggressor=np.frombuffer(b"\x01" * len(tape), np.int8))
    told = "\n".join(section(run(bought, FAST, settings=FEW_PATHS).full_text(), "RANDOM ENTRIES"))
    assert re.search(
        r"did not pay the spread: \d+\.\d+% of the strategy's, .* of the random ones; at one tick each .*\$[\d,.]+$",
        told,
    )
    looks = run(tape, FAST, execution=Execution(entry="signal"), settings=FEW_PATHS)
    assert "this is no evidence of an edge" in "\n".join(section(looks.full_text(), "RANDOM ENTRIES"))
    [line] = [line for line in section(looks.full_text(), "FILLS") if "with entry=next" in line]
    assert line.startswith(
        f"  with entry=next, which looks into no event: {number(run(tape, FAST).trades['net_usd'].sum(), 'usd')}"
    )
    without = run(tape, FAST, settings=MonteCarlo(monte_carlo_sims=0, random_entry_sims=0))
    [none] = section(without.full_text(), "RANDOM ENTRIES")
    assert none.startswith("  n/a")
    limited = run(tape, FAST, rules=SessionRules(loss_limit=900.0, limit_basis="equity"), settings=FEW_PATHS)
    assert len(limited.trades) > 0
    assert limited.to_dict()["random_entries"] == {}
    assert section(limited.full_text(), "RANDOM ENTRIES") == [none]


def test_the_rules_of_a_prop_firm_are_told_or_left_out(tape):
    told = run(tape, FAST, settings=FEW_PATHS, firm=PropFirm(prop_firm="apex-50k"))
    assert "apex-50k" in "\n".join(section(told.full_text(), "PROP FIRM"))
    silent = run(tape, FAST, settings=FEW_PATHS, firm=PropFirm(prop_firm="none"))
    assert "PROP FIRM" not in silent.full_text()


def test_every_refused_signal_is_counted_under_its_reason(tape):
    result = run(tape, FAST, OTHER_BRACKET, EVERYTHING_OTHER, OTHER_RULES, settings=FEW_PATHS)
    counts = result.to_dict()["counts"]
    first, *lines = section(result.full_text(), "COUNTS")[:-1]
    assert first.split() == ["signals", str(counts["signals"])]
    assert [line.split()[:2] for line in lines] == [[key, str(counts[key])] for key in COUNTS]
    assert sum(counts[key] for key in COUNTS) == counts["signals"]
    assert min(counts[key] for key in ("outside", "session_over", "in_cooldown")) > 0


def test_void_and_open_trades_are_listed_and_counted(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    listed = section(report_of(result), "VOID AND OPEN TRADES")[1:]
    assert [re.search(r"\b(void|open)\b", line).group() for line in listed] == ["void", "open"]
    counts = {line.split()[0]: line.split()[1] for line in section(result.full_text(), "COUNTS")}
    assert [counts[key] for key in ("signals", "closed", "void", "open", "unfilled", "ignored")] == [
        f"{result.to_dict()['counts'][key]:,}" for key in ("signals", "closed", "void", "open", "unfilled", "ignored")
    ]
    assert (counts["void"], counts["open"], counts["unfilled"]) == ("1", "1", "1")


def test_the_trade_hash_is_told_everywhere(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    digest = trades_sha256(result.trades)
    assert result.to_dict()["trades_sha256"] == digest
    assert any(line.split()[-1] == digest for line in section(result.full_text(), "COUNTS"))
    assert digest in report_of(result)


def test_the_manifest_tells_versions_tape_machine_and_speed(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    manifest = result.to_dict()["manifest"]
    assert {*MANIFEST, "prints_per_second"} <= set(manifest)
    assert manifest["tape_sha256"] == tape.metadata["sha256"]
    assert manifest["numpy"] == np.__version__
    assert manifest["prints_per_second"] == pytest.approx(300 / manifest["wall_seconds"])
    told = section(report_of(result), "RUN MANIFEST")
    assert len(told) == len(manifest)
    for (key, value), line in zip(manifest.items(), told, strict=True):
        assert line.split()[: key.count("_") + 1] == key.split("_")
        if key == "started":
            assert datetime.fromisoformat(line[28:]) == datetime.fromisoformat(value)
        else:
            assert line[28:] == str(value) or isinstance(value, float)
    age = datetime.now(UTC) - datetime.fromisoformat(manifest["started"])
    assert 0 <= age.total_seconds() < 60


def test_the_trade_log_is_whole_and_its_times_are_chicago_s(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    text = report_of(result)
    heading, *lines = text[text.index("\nTRADE LOG") :].strip().split("\n")[2:]
    names = re.split(r"\s{2,}", heading.strip())
    rows = [dict(zip(names, re.split(r"\s{2,}", line.strip()), strict=True)) for line in lines]
    assert len(rows) == len(result.trades) > 0
    for row, trade in zip(rows, result.trades, strict=True):
        assert row["side"] == {1: "LONG", -1: "SHORT"}[trade["side"]]
        assert row["exit reason"] == REASONS[trade["reason"]]
        for name in ("entry", "exit"):
            local = datetime.fromisoformat(row[f"{name} time"])
            assert local.timestamp() * 1e9 == pytest.approx(int(trade[f"{name}_ts"]), abs=1e6)
            assert local.utcoffset() == local.astimezone(CHICAGO).utcoffset()
            assert float(row[f"{name} price"]) == trade[f"{name}_ticks"] * 0.25
        assert float(row["net usd"]) == trade["net_usd"]
        for column in ("gross", "mfe", "mae"):
            assert float(row[f"{column} points"]) == trade[f"{column}_ticks"] * 0.25


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


# ------------------------------------------------------------------------------------------ cost line


def cost_lines(result) -> list[str]:
    return [line for line in result.full_text().split("\n") if "each $1.00 of cost" in line]


def test_without_costs_one_line_says_what_each_dollar_would_take(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    trades = len(result.trades)
    [line] = cost_lines(result)
    assert f"each $1.00 of cost a round turn would take ${trades}.00" in line
    # It is true: 50 cents a side are a dollar a round turn.
    paid = run(tape, FAST, execution=Execution(commission=0.5), settings=FEW_PATHS)
    net = [r.to_dict()["statistics"]["net_usd"] for r in (result, paid)]
    assert net[0] - net[1] == trades
    assert not cost_lines(paid)


def test_with_slippage_there_is_no_such_line(tape):
    assert not cost_lines(run(tape, FAST, execution=Execution(slippage_ticks=1), settings=FEW_PATHS))


# ---------------------------------------------------------------------------------------------- notes


def notes(tape, **execution) -> str:
    result = run(tape, FAST, execution=Execution(**execution), settings=FEW_PATHS)
    lines = [line for line in result.full_text().split("\n") if line.startswith("NOTE")]
    return "\n".join(line for line in lines if "fill model" not in line and "t-statistic by day say little" not in line)


@pytest.mark.parametrize(
    ("execution", "word"),
    [
        ({"entry": "signal"}, "OPTIMISTIC entry=signal"),
        ({"stop_fill": "level"}, "OPTIMISTIC stop_fill=level"),
        ({"overlap": True}, "overlap"),
        ({"point_value": 2.0}, "point_value is 2 USD"),
        ({"contracts": 3}, "contracts=3: buy & hold is one contract"),
        ({}, "no costs are set"),
        ({}, "target_fill=touch"),
        ({"target_fill": "queue", "queue_ahead": 7}, "target_fill=queue: 7 contracts ahead are assumed"),
        ({"roll_exit": "close"}, "roll_exit=close"),
        ({}, "latency_ms=0"),
        ({}, "stop_fill=trigger"),
        ({}, "slippage_ticks=0"),
    ],
)
def test_what_is_kinder_than_the_market_is_noted(tape, execution, word):
    assert word in notes(tape, **execution)
    strict = {"target_fill": "through", "stop_fill": "next", "latency_ms": 1.0, "slippage_ticks": 1}
    assert not notes(tape, **strict, point_value=20.0, commission=1.0)


@pytest.mark.parametrize(
    ("trades", "dates", "noted"), [(9, 0, True), (9, 1, True), (9, 19, True), (9, 20, False), (0, 5, False)]
)
def test_figures_by_day_of_fewer_than_20_session_dates_are_noted(tape, trades, dates, noted):
    values = run(tape, FAST, settings=FEW_PATHS).to_dict()
    numbers = values["statistics"] | {"trades": trades, "session_dates": dates}
    told = [note for note in notes_of(values["parameters"], numbers, 20.0) if "t-statistic by day" in note]
    count = "1 session date counts" if dates == 1 else f"{dates} session dates count"
    about = "Sharpe, Sortino, days profitable and the t-statistic by day say little"
    assert told == [f"only {count}: with fewer than 20, {about}"] * noted


def test_a_spread_that_the_strategy_does_not_pay_and_random_entries_do_is_noted(tape):
    values = run(tape, FAST, settings=FEW_PATHS).to_dict()
    trades, shares = values["statistics"]["trades"], {"strategy_inside_share": 0.68, "inside_share": 0.48}

    def noted(**changed):
        with_shares = values | {"random_entries": values["random_entries"] | shares | changed}
        return [note for note in check_notes(with_shares) if "pay the spread" in note]

    told = "68.00% of the entries do not pay the spread, 48.00% of random ones: at one tick each "
    assert noted() == [f"{told}{number(0.2 * trades * 5, 'usd')} of the net P&L is a spread that was not paid"]
    assert noted(inside_share=0.64) == noted(inside_share=0.9) == []
    values["parameters"] = values["parameters"] | {"slippage_ticks": 1}
    assert noted() == []


# ------------------------------------------------------------------------------------------ synthetic


def outputs(result, folder) -> dict[str, str]:
    txt, as_json, table = (path.read_text() for path in save(result, folder, csv=True))
    shown = {"screen": str(result), "full text": result.full_text(), "html": result._repr_html_()}
    return {"txt": txt, "json": as_json, "csv": table, "to_json": result.to_json(), **shown}


@pytest.mark.parametrize("synthetic", [True, False])
def test_synthetic_is_stamped_on_every_output_of_such_a_tape(tmp_path, synthetic):
    result = run(market(metadata={**METADATA, "synthetic": synthetic}), FAST, settings=FEW_PATHS)
    found = outputs(result, tmp_path)
    for name in ("txt", "csv", "screen", "full text", "html"):
        assert ("SYNTHETIC" in found[name]) is synthetic, name
    for name in ("txt", "screen", "full text", "html"):
        head = found[name].split("NOTE")[0]
        assert ("SYNTHETIC" in head) is synthetic, name
    # The columns of the CSV file are given: the stamp stands beside the contract of every row.
    stamped = {row["contract"].endswith(" SYNTHETIC") for row in csv_rows(result)}
    assert stamped == {synthetic}
    for name in ("json", "to_json"):
        assert json.loads(found[name])["tape"]["synthetic"] is synthetic


# --------------------------------------------------------------------------------------- JSON, CSV, frames


def test_the_json_has_full_precision_and_all_but_the_trade_log(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    values = json.loads(result.to_json())
    assert set(values) == JSON_KEYS == set(result.to_dict())
    for row in STATISTICS:
        expected = result.to_dict()["statistics"][row.key]
        assert values["statistics"][row.key] == (None if math.isnan(expected) else expected)
    assert values["baseline"]["sharpe"] == result.to_dict()["baseline"]["sharpe"]
    assert values["monte_carlo"] == result.to_dict()["monte_carlo"]
    parameters = {p.name: v for p, v in result.declared} | {"point_value": 20.0, "strategy": "EmaCrossover"}
    assert values["parameters"] == parameters
    assert values["tape"]["roll_ledger"] == METADATA["roll_ledger"]


def test_the_csv_has_the_given_columns_and_exact_values(tape):
    execution = Execution(commission=2.27, contracts=3, slippage_ticks=1)
    result = run(tape, FAST, execution=execution, settings=FEW_PATHS)
    rows = csv_rows(result)
    assert list(rows[0]) == CSV_COLUMNS
    assert len(rows) == len(result.trades) > 0
    for k, (row, trade) in enumerate(zip(rows, result.trades, strict=True)):
        assert row["number"] == str(k + 1)
        assert row["side"] == {1: "LONG", -1: "SHORT"}[trade["side"]]
        assert row["contract"] == f"{tape.segments['contract'][trade['segment']]} SYNTHETIC"
        assert row["session_date"] == str(tape.sessions["date"][trade["session"]])
        for name in ("entry", "exit"):
            stamp = row[f"{name}_time"]
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", stamp)
            assert np.datetime64(stamp[:-1], "ns").astype(int) == trade[f"{name}_ts"]
            assert row[f"{name}_price"] == f"{trade[f'{name}_ticks'] / 4:.2f}"
        assert row["exit_reason"] == REASONS[trade["reason"]]
        for name in ("gross", "mfe", "mae"):
            assert row[f"{name}_points"] == f"{trade[f'{name}_ticks'] / 4:.2f}"
        assert float(row["commission_usd"]) == 2 * 2.27 * 3
        assert float(row["net_usd"]) == trade["net_usd"]
    points = sum(float(row["gross_points"]) for row in rows)
    gross = result.to_dict()["statistics"]["gross_usd"]
    assert points * 20 * 3 == gross


@pytest.mark.parametrize(
    ("root", "ticks", "shown"),
    [
        ("6J", 13_579, "0.0067895"),
        ("ZN", 7_073, "110.515625"),
        ("ZT", 26_627, "104.01171875"),
        ("YM", 44_123, "44123"),
        ("RTY", 22_003, "2200.3"),
        ("CL", -3_763, "-37.63"),
    ],
)
def test_prices_have_the_decimals_of_the_tick(root, ticks, shown):
    tape = tape_of([ticks, ticks, ticks + 2], root=root)
    size = tape.instrument.tick_size
    bracket = Bracket(take_profit=2 * size, stop_loss=2 * size)
    result = run(tape, Given(signals_of(tape, {0: 1})), bracket, settings=FEW_PATHS)
    [row] = csv_rows(result)
    assert row["entry_price"] == shown
    assert float(row["gross_points"]) == 2 * size
    assert f" {shown} " in report_of(result)


def test_to_dataframe_has_the_columns_of_the_csv(tape):
    result = run(tape, FAST, settings=FEW_PATHS)
    frame = result.to_dataframe()
    assert list(frame.columns) == CSV_COLUMNS
    assert frame["net_usd"].tolist() == result.trades["net_usd"].tolist()
    assert (frame["exit_price"] * 4).tolist() == result.trades["exit_ticks"].tolist()
    assert str(frame["entry_time"].dt.tz) == "UTC"
    for name in ("entry", "exit"):
        got = frame[f"{name}_time"].dt.tz_localize(None).to_numpy().astype("M8[ns]").astype(int)
        assert got.tolist() == result.trades[f"{name}_ts"].tolist()
    assert frame["side"].tolist() == [row["side"] for row in csv_rows(result)]
    assert frame["session_date"].astype(str).tolist() == [row["session_date"] for row in csv_rows(result)]


def test_a_backtest_imports_neither_pandas_nor_the_vendor_s_library(tmp_path):
    save_tape(market(), tmp_path / "tape.npz")
    code = (
        "import sys; import scalpr_zen.commands; from scalpr_zen import EmaCrossover, Tape, run, save; "
        "result = run(Tape.open('tape.npz'), EmaCrossover(fast_period=2, slow_period=5)); "
        "save(result, 'results', csv=True); str(result); "
        "assert len(result.trades); print({'pandas', 'databento'} & set(sys.modules)); "
        "result.to_dataframe(); print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["set()", "True"]


def test_print_and_a_notebook_show_the_summary(tape, capsys):
    result = run(tape, FAST, settings=FEW_PATHS)
    print(result)
    shown = capsys.readouterr().out
    assert shown == str(result) + "\n"
    assert "TRADE LOG" not in shown
    assert report_of(result).startswith(result.full_text())
    assert html.unescape(result._repr_html_()) == f"<pre>{result}</pre>"
    assert "buy &amp; hold" in result._repr_html_()


# ------------------------------------------------------------------------------------------------ save


def test_save_writes_one_stem_of_utc_stamp_and_strategy(tape, tmp_path):
    result = run(tape, FAST, settings=FEW_PATHS)
    paths = save(result, tmp_path / "new" / "results", csv=True)
    started = datetime.fromisoformat(result.to_dict()["manifest"]["started"]).astimezone(UTC)
    stem = f"{started:%Y%m%dT%H%M%SZ}_EmaCrossover"
    assert [path.name for path in paths] == [f"{stem}.txt", f"{stem}.json", f"{stem}.csv"]
    assert {path.parent for path in paths} == {tmp_path / "new" / "results"}
    txt, as_json, table = (path.read_bytes().decode() for path in paths)
    assert txt == report_of(result)
    assert as_json == result.to_json() + "\n"
    assert table == "\n".join(result.csv_lines()) + "\n"


def test_save_never_overwrites(tape, tmp_path):
    result = run(tape, FAST, settings=FEW_PATHS)
    first, second, third = save(result, tmp_path, csv=True), save(result, tmp_path), save(result, tmp_path, csv=True)
    stems = [{path.stem for path in paths} for paths in (first, second, third)]
    assert [len(stem) for stem in stems] == [1, 1, 1]
    assert len(set.union(*stems)) == 3
    assert len(list(tmp_path.iterdir())) == 8


def test_save_refuses_a_folder_that_cannot_be_written(tape, tmp_path):
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ScalprError, match="cannot be written: ") as error:
            save(run(tape, FAST, settings=FEW_PATHS), folder)
        assert str(folder) in str(error.value)
        assert "\n" not in str(error.value)


# ------------------------------------------------------------------------------------------ few or none


def test_a_tape_shorter_than_the_warm_up_gives_a_report_without_trades(tmp_path):
    result = run(market().cut(40), EmaCrossover(), settings=FEW_PATHS)
    text, values = report_of(result), json.loads(result.to_json())
    assert (values["statistics"]["trades"], values["counts"]["signals"], values["monte_carlo"]) == (0, 0, {})
    undefined = {key for key, value in values["statistics"].items() if value is None}
    assert {"win_rate", "profit_factor", "expectancy_usd", "t_statistic", "p_value", "sqn"} <= undefined
    assert {"sharpe", "sortino", "payoff", "days_profitable", "trades_a_day", "max_drawdown_usd"} <= undefined
    lines = {line[2:32].strip(): line.split() for line in section(text, "STATISTICS")}
    for row in STATISTICS:
        if row.key in undefined:
            assert "n/a" in lines[row.label]
        assert not {"PASS", "FAIL"} & set(lines[row.label])
    assert "TRADE LOG (0 trades" in text
    assert len(save(result, tmp_path, csv=True)) == 3
    assert list(result.csv_lines()) == [",".join(CSV_COLUMNS)]
    assert len(result.to_dataframe()) == 0


@pytest.mark.parametrize("prints", [1, 2, 5, 6])
def test_tapes_of_a_few_prints_give_a_report(prints):
    result = run(market().cut(prints), FAST, settings=FEW_PATHS)
    assert f"{prints} in 1 session dates" in report_of(result)


def test_a_tape_without_prints_is_refused_or_gives_a_report_without_trades():
    empty = Tape.from_prints([], [], instrument=instrument("NQ"))
    refusal, text = refused_or_reported(empty, FAST, settings=FEW_PATHS)
    assert "TRADE LOG (0 trades" in text or "print" in refusal


def test_a_result_cannot_be_changed(tape):
    with pytest.raises(dataclasses.FrozenInstanceError):
        run(tape, FAST, settings=FEW_PATHS).trades = None


# --------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (1_234.5, "usd", "$1,234.50"),
        (-1_234.567, "usd", "-$1,234.57"),
        (0.0, "usd", "$0.00"),
        (-0.0, "usd", "$0.00"),
        (0.35, "share", "35.00%"),
        (1.0172, "ratio", "1.017"),
        (12_345, "", "12,345"),
        (7, "trades", "7 trades"),
        (0.000012345, "p", "1.234e-05"),
        (0.7046, "p", "0.7046"),
        (90.0, "seconds", "90.000 s"),
        (math.nan, "usd", "n/a"),
        (math.nan, "ratio", "n/a"),
        (None, "", "n/a"),
    ],
)
def test_numbers_as_text(value, unit, shown):
    assert number(value, unit) == shown


def test_a_report_that_cannot_be_written_whole_is_not_there(tape, tmp_path, monkeypatch):
    result = run(tape, FAST, settings=FEW_PATHS)

    def full_disk(self):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(type(result), "to_json", full_disk)  # the txt is written before it
    with pytest.raises(ScalprError, match=r"cannot be written: No space left"):
        save(result, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_report_whose_files_cannot_all_take_their_place_is_not_there(tape, tmp_path, monkeypatch, failing):
    moves, move_file = [], os.replace

    def move(*args):
        moves.append(args)
        if len(moves) > failing:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        move_file(*args)

    monkeypatch.setattr(os, "replace", move)
    with pytest.raises(ScalprError, match=r"new cannot be written: No space left on device: free some space"):
        save(run(tape, FAST, settings=FEW_PATHS), tmp_path / "new", csv=True)
    assert len(moves) == failing + 1
    assert list(tmp_path.iterdir()) == []


@dataclass
class Marked:
    """What `save` needs of a result: all its files hold one mark."""

    mark: str
    stem: str = "20250101T000000Z_EmaCrossover"

    def text(self, suffix):
        return f"{self.mark}\n" * 100


def saved_marks(folder):
    """The marks of the saved runs; all files of a stem have the same, and are whole."""
    by_stem = {}
    for path in folder.iterdir():
        lines = path.read_text().splitlines()
        assert len(lines) == 100
        by_stem.setdefault(path.stem, []).extend((path.suffix, line) for line in set(lines))
    assert all(sorted(suffix for suffix, _ in files) == [".csv", ".json", ".txt"] for files in by_stem.values())
    assert all(len({mark for _, mark in files}) == 1 for files in by_stem.values())
    return sorted(files[0][1] for files in by_stem.values())


def test_runs_saved_in_the_same_second_by_many_threads_are_all_kept_and_never_mixed(tmp_path):
    marks = sorted(f"run {k}" for k in range(40))
    with ThreadPoolExecutor(10) as pool:
        saved = list(pool.map(lambda mark: save(Marked(mark), tmp_path, csv=True), marks))
    assert saved_marks(tmp_path) == marks
    assert len({path for paths in saved for path in paths}) == 3 * len(marks)
    assert all(
        path.read_text().startswith(f"{mark}\n") for mark, paths in zip(marks, saved, strict=True) for path in paths
    )


def test_runs_saved_in_the_same_second_by_several_processes_are_all_kept_and_never_mixed(tmp_path):
    code = (
        "import sys\nfrom scalpr_zen import save\nfrom test_report import Marked\n"
        "print('ready', flush=True)\nsys.stdin.readline()\n"
        "for k in range(20):\n    save(Marked(f'{sys.argv[1]} {k}'), sys.argv[2], csv=True)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": env}
    writers = [subprocess.Popen([sys.executable, "-c", code, name, str(tmp_path)], **pipes) for name in "ab"]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    assert saved_marks(tmp_path) == sorted(f"{name} {k}" for name in "ab" for k in range(20))


def test_a_strategy_with_a_pattern_for_a_name_overwrites_no_report(tape, tmp_path):
    odd = type("A[x]", (EmaCrossover,), {})
    result = run(tape, odd(), settings=FEW_PATHS)
    first, second = save(result, tmp_path), save(result, tmp_path)
    assert not set(first) & set(second)
