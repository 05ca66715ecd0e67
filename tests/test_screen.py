"""The screen that a run prints: short, narrow, and the same figures as everywhere else."""

from dataclasses import dataclass

import pytest
from support.asking import EVERYTHING
from support.market import market

from scalpr_zen import EmaCrossover, Execution, MonteCarlo, Parameters, PropFirm, param, run, save_tape
from scalpr_zen.render.text import WIDTH, number
from scalpr_zen.runs.backtest import run_setup
from scalpr_zen.runs.report import LINES, NOTES
from scalpr_zen.runs.spec import make_run
from scalpr_zen.sections.statistics import STATISTICS

FEW = MonteCarlo(monte_carlo_sims=25, random_entry_sims=20)
FAST = EmaCrossover(fast_period=2, slow_period=5)
TAPE = market()


@dataclass(frozen=True, kw_only=True)
class Many(Parameters):
    """A strategy with long parameters."""

    a_parameter_with_a_rather_long_name_of_its_own: float = param(1 / 3, "One.")
    another_parameter_with_a_rather_long_name_of_its_own: float = param(2 / 3, "Two.")

    def signals(self, tape):
        return FAST.signals(tape)


RUNS = {
    "usual": run(TAPE, FAST, settings=FEW),
    "without trades": run(TAPE, EmaCrossover(), settings=FEW, firm=PropFirm(prop_firm="none")),
    "every parameter": run_setup(TAPE, *make_run(EmaCrossover, EVERYTHING)),
    "long names": run(TAPE, Many(), execution=Execution(entry="signal", overlap=True, contracts=3), settings=FEW),
}


@pytest.mark.parametrize("result", RUNS.values(), ids=RUNS)
def test_it_fits_on_a_screen(result):
    lines = str(result).split("\n")
    assert len(lines) + 6 <= LINES  # below it a blank line and five files at most
    assert max(map(len, lines)) <= WIDTH == 100


@pytest.mark.parametrize("result", RUNS.values(), ids=RUNS)
def test_each_note_stands_in_a_line_of_its_own_or_is_counted(result):
    notes = [f"NOTE {note}" for note in result.to_dict()["notes"]]
    shown = [line for line in str(result).split("\n") if line.startswith("NOTE ")]
    if len(notes) > NOTES:
        assert shown.pop() == f"NOTE and {len(notes) - NOTES + 1} more: --full prints every note and table"
    else:
        assert len(shown) == len(notes)
    for line, note in zip(shown, notes, strict=False):
        assert line == note or (line.endswith("...") and note.startswith(line[:-3]) and len(line) == WIDTH)
    assert set(notes) <= set(result.full_text().split("\n"))


@pytest.mark.parametrize("result", RUNS.values(), ids=RUNS)
def test_the_figures_are_those_of_the_result(result):
    lines, values = str(result).split("\n"), result.to_dict()
    for row in STATISTICS:
        shown = [line for line in lines if line.startswith(f"  {row.label}  ")]
        assert bool(shown) == row.headline
        if row.headline:
            value = values["statistics"][row.key]
            assert number(value, row.unit) in shown[0]
            assert shown[0].endswith(f"{row.target:<21}  {values['verdicts'][row.key]}" if row.target else "")
    for key, label in (("net_usd", "Net P&L"), ("sharpe", "Sharpe"), ("max_drawdown_usd", "Max drawdown")):
        [line] = [line for line in lines if line.startswith(f"  {label} ") and len(line.split("  ")) > 3][-1:]
        unit = "ratio" if key == "sharpe" else "usd"
        baseline = values["baseline"]
        cells = (baseline["strategy"][key], baseline[key], baseline["difference"][key])
        shown = [number(cell, unit, signed=k == 2) for k, cell in enumerate(cells)]
        assert line.split()[-3:] == shown


def test_the_run_the_range_of_its_fills_its_rank_and_its_chances_stand_in_a_line_each():
    result = RUNS["usual"]
    lines, values = str(result).split("\n"), result.to_dict()
    said = "EmaCrossover: fast_period=2, slow_period=5, take_profit=10.0, stop_loss=5.0, monte_carlo_sims=25"
    assert [line for line in lines if line.startswith(said)]
    nets = [row["net_usd"] for row in values["fills"]["table"] if row["costs"] == "set"]
    [fills] = [line for line in lines if line.startswith("  fill models ")]
    assert number(min(nets), "usd") in fills
    assert number(max(nets), "usd") in fills
    entries, drawn = values["random_entries"], values["prop_firm"]["drawn"]
    above = f"above {number(entries['percentile'], 'share')} of the random runs"
    assert f"  random entries  {above}; p-value {number(entries['p_value'], 'p')}, one-sided" in lines
    assert f"  prop firm       P(pass) {number(drawn['pass']['probability'], 'share')}, P(bust)" in str(result)


def test_without_trades_nothing_is_claimed():
    last = str(RUNS["without trades"]).split("\n")[-3:]
    assert [line.split()[-1] for line in last] == ["n/a"] * 3


def test_the_command_prints_it_and_all_sections_with_full(scalpr, tmp_path):
    path = save_tape(TAPE, tmp_path / "tape.npz")
    args = ("backtest", "--tape", path, "--fast-period", 2, "--slow-period", 5, "--out", tmp_path / "results")
    code, out, _ = scalpr(*args)
    assert code == 0
    assert "STATISTICS" not in out
    assert len(out.split("\n")) <= LINES
    code, full, _ = scalpr(*args, "--full")
    assert code == 0
    assert "\nSTATISTICS\n" in full
    assert "TRADE LOG" not in full
