"""Distances in points or in ticks: one meaning on every face, and every other text refused."""

import json
from dataclasses import dataclass

import pytest
from support.asking import answer
from support.market import market
from support.tapes import tape_of

from scalpr_zen import Bracket, Distance, EmaCrossover, ParameterError, Parameters, instrument, param, run, save_tape
from scalpr_zen.base.params import declared
from scalpr_zen.base.units import distance_text, distance_ticks
from scalpr_zen.sections.setup import GROUPS
from scalpr_zen.strategies.user_code import load_strategy

IN_POINTS = {
    "take_profit": 4.25,
    "stop_loss": 2.5,
    "take_profit_short": 4.0,
    "stop_loss_short": 2.75,
    "trailing_stop": 2.0,
    "trail_activation": 1.5,
    "trailing_step": 0.5,
    "break_even_at": 1.25,
}
IN_TICKS = {
    "take_profit": "17t",
    "stop_loss": "10t",
    "take_profit_short": "16t",
    "stop_loss_short": "11t",
    "trailing_stop": "8t",
    "trail_activation": "6t",
    "trailing_step": "2t",
    "break_even_at": "5t",
}
"""The same of NQ."""
NONSENSE = ("8T", "8 t", " 8t", "t", "-8t", "+8t", "8.5t", "08t", "8tt", "8ticks", "1e3t", "\u0668t", "nant", "8t\n")


def test_every_distance_of_a_run_in_points_can_be_given_in_ticks():
    found = [p for group in GROUPS.values() for p in declared(group) if p.unit == "points"]
    assert [p.name for p in found if p.distance] == [p.name for p in found] == list(IN_TICKS)


@pytest.mark.parametrize(("root", "points"), [("NQ", 2.0), ("6J", 0.000004), ("ZN", 0.125), ("ZT", 0.03125)])
def test_ticks_are_ticks_of_the_instrument(root, points):
    contract = instrument(root)
    given, same = Bracket(take_profit="8t", stop_loss="1t"), Bracket(take_profit=points, stop_loss=contract.tick_size)
    for side in (1, -1):
        assert given.distances(contract, side) == same.distances(contract, side) == (8, 1)


def test_a_run_in_ticks_trades_as_the_same_in_points_and_keeps_what_was_given():
    tape, fast = market(), EmaCrossover(fast_period=2, slow_period=5)
    points, ticks = (run(tape, fast, Bracket(**given, break_even_plus=1)) for given in (IN_POINTS, IN_TICKS))
    assert len(points.trades)
    assert points.to_dict()["trades_sha256"] == ticks.to_dict()["trades_sha256"]
    kept = json.loads(ticks.to_json())["parameters"]
    assert {name: kept[name] for name in IN_TICKS} == IN_TICKS
    lines = {line.split()[0]: line for line in ticks.full_text().splitlines() if line.strip()}
    for name, text in IN_TICKS.items():
        assert f" {text} ({IN_POINTS[name]:g} points) " in lines[name]


def test_a_report_shows_the_points_of_ticks_without_an_exponent():
    assert distance_text("8t", instrument("6J").tick_size) == "8t (0.000004 points)"
    assert distance_text("4000t", 0.25) == "4000t (1,000 points)"
    assert distance_text(2.5, 0.25) == "2.5 points"


@pytest.mark.parametrize("text", NONSENSE)
def test_what_is_neither_points_nor_ticks_is_refused(text):
    rule = f"take_profit must be points like 2.5 or ticks like 8t, was {text!r}"
    for refuse in (lambda: Bracket(take_profit=text), lambda: declared(Bracket)[0].parsed(text)):
        with pytest.raises(ParameterError) as error:
            refuse()
        assert str(error.value) == rule


def test_no_ticks_are_allowed_where_no_points_are():
    with pytest.raises(ParameterError, match=r"^take_profit must be >= 0\.000000001, was 0t$"):
        Bracket(take_profit="0t")
    assert Bracket(trail_activation="0t") == Bracket(trail_activation="0t", trailing_stop=None)
    assert Bracket(trailing_stop="4t", trail_activation="0t").moves(instrument("NQ"))["trail_activation"] == 0
    with pytest.raises(ParameterError, match="need trailing_stop"):
        Bracket(trail_activation="1t")


def test_ticks_beyond_all_prices_are_refused():
    assert distance_ticks("take_profit", "1000000000t", 1) == 10**9
    for text in ("1000000001t", "9999999999t"):
        with pytest.raises(ParameterError, match=f"^take_profit must be at most 1,000,000,000 ticks, was {text}$"):
            Bracket(take_profit=text).distances(instrument("NQ"), 1)


def test_break_even_in_ticks_keeps_its_rule():
    with pytest.raises(
        ParameterError, match=r"^break_even_plus must be below break_even_at, was 8 ticks with 8 ticks$"
    ):
        Bracket(break_even_at="8t", break_even_plus=8).moves(instrument("NQ"))


# Faces ------------------------------------------------------------------------------------------------


def test_the_command_line_takes_ticks(scalpr, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    args = ["backtest", "--tape", save_tape(market(), tmp_path / "tape.npz"), "--json"]
    args += ["--fast-period", 2, "--slow-period", 5, "--monte-carlo-sims", 0, "--random-entry-sims", 0]
    found = []
    for given in (IN_POINTS, IN_TICKS):
        flags = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", value)]
        code, out, _ = scalpr(*args, *flags)
        assert code == 0
        found.append(json.loads(out))
    assert found[0]["trades_sha256"] == found[1]["trades_sha256"]
    assert found[1]["parameters"]["take_profit"] == "17t"


def test_the_form_knows_which_fields_are_distances(client):
    fields = [p for group in answer(client, "/api/about")["groups"] for p in group["parameters"]]
    assert [p["name"] for p in fields if p["kind"] == "distance"] == list(IN_TICKS)
    for field in fields:
        if field["kind"] == "distance":
            assert "8t" in field["range"]
            assert field["step"] == 0.25  # points a tick


def test_a_strategy_of_a_user_may_declare_a_distance(tmp_path):
    file = tmp_path / "breakout.py"
    file.write_text(
        "from dataclasses import dataclass\n"
        "import numpy as np\n"
        "from scalpr_zen import Distance, Parameters, distance_ticks, param\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class Breakout(Parameters):\n"
        '    gap: Distance = param("2t", "Gap.", unit="points", low=1e-9)\n'
        "    def signals(self, tape):\n"
        '        ticks = distance_ticks("gap", self.gap, tape.instrument.tick_nanos)\n'
        "        return (np.diff(tape.price, prepend=tape.price[:1]) >= ticks).astype(np.int8)\n"
    )
    kind, tape = load_strategy(str(file)), tape_of([100, 102, 103, 106])
    assert run(tape, kind()).to_dict()["counts"]["signals"] == 2
    assert run(tape, kind(gap=0.75)).to_dict()["counts"]["signals"] == 1
    assert run(tape, kind(gap="3t")).to_dict()["parameters"]["gap"] == "3t"


@pytest.mark.parametrize("about", [{"low": 1}, {"high": 5}, {"low": None}, {"unit": "ticks"}])
def test_a_distance_has_no_limit_that_ticks_could_not_be_checked_against(about):
    about = {"unit": "points", "low": 0} | about

    @dataclass(frozen=True, kw_only=True)
    class Bad(Parameters):
        gap: Distance = param(1.0, "A gap.", **about)

    with pytest.raises(TypeError, match="distance gap must have"):
        Bad()
