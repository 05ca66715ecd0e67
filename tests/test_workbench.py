"""The workbench: one tape and its runs, each made once, for whoever asks and for nobody who has left."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import pytest
from support.asking import EVERYTHING, LATER, texts, timeless
from support.market import market
from support.tapes import tape_of

import scalpr_zen.dashboard.workbench as module
from scalpr_zen import EmaCrossover, StrategyError, Tape, run
from scalpr_zen import save_tape as save
from scalpr_zen.base import engine
from scalpr_zen.base.params import declared
from scalpr_zen.dashboard.workbench import Dropped, Replaced, Workbench
from scalpr_zen.render.data import jsonable
from scalpr_zen.render.text import number
from scalpr_zen.runs.backtest import run_setup
from scalpr_zen.sections import sections
from scalpr_zen.sections.statistics import STATISTICS

pytestmark = pytest.mark.usefixtures("few_tapes")

SHORT = {"fast_period": "2", "slow_period": "5", "monte_carlo_sims": "25", "random_entry_sims": "25", "prop_sims": "25"}
BARE = {name: {} for name in LATER}
"""The sections that take long, before they are there."""
PATIENCE = 60


def stays():
    return False


def left():
    return True


def together(calls):
    """What each of the calls returned or raised, all of them begun at once."""
    barrier = threading.Barrier(len(calls))

    def one(call):
        barrier.wait(PATIENCE)
        try:
            return call()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def data(result):
    """The data of a result without the times of its manifest, None for what is undefined."""
    return timeless(jsonable(result.values))


def same_run(bench, job):
    """The data of `run` for a job."""
    return data(run_setup(Tape.open(bench.path), job.strategy, job.setup))


def computing(monkeypatch, instead):
    """Let every section that takes long compute `instead(name, original)(run, values)`."""
    for name in LATER:
        section = sections()[name]
        monkeypatch.setitem(sections(), name, replace(section, compute=instead(name, section.compute)))


@pytest.fixture
def path(tmp_path):
    return save(market(), tmp_path / "tape.npz")


@pytest.fixture
def bench(path):
    return Workbench(path, EmaCrossover)


@pytest.fixture
def counted(path):
    """A workbench, and the strategies that it asked for signals."""
    asked = []

    @dataclass(frozen=True, kw_only=True)
    class Counted(EmaCrossover):
        def signals(self, tape):
            asked.append((self.fast_period, self.slow_period))
            return super().signals(tape)

    return Workbench(path, Counted), asked


class Gate:
    """Where the signals of a fast period of 3 wait until they are let through."""

    def __init__(self):
        self.reached, self.open = threading.Event(), threading.Event()

    def strategy(self):
        gate = self

        @dataclass(frozen=True, kw_only=True)
        class Held(EmaCrossover):
            def signals(self, tape):
                if self.fast_period == 3:
                    gate.reached.set()
                    assert gate.open.wait(PATIENCE)
                return super().signals(tape)

        return Held


@pytest.fixture
def held(path):
    """A workbench whose runs with a fast period of 3 stand at the gate, and the gate."""
    gate = Gate()
    yield Workbench(path, gate.strategy()), gate
    gate.open.set()


# --------------------------------------------------------------------------------------------------- jobs


def test_every_parameter_reaches_the_job(bench):
    groups = bench.groups.items()
    assert set(EVERYTHING) == {p.name for _, group in groups for p in declared(group)}
    job = bench.job(texts(EVERYTHING))
    made = {"strategy": job.strategy} | vars(job.setup)
    for name, group in groups:
        assert made[name] == group(**{p.name: EVERYTHING[p.name] for p in declared(group)})
    defaults = {p.name: p.default for _, group in groups for p in declared(group)}
    assert [name for name, value in EVERYTHING.items() if value == defaults[name]] == ["overlap"]


def test_an_optional_value_can_be_none(bench):
    for name in ("point_value", "trailing_stop", "max_trades", "prop_drawdown_kind"):
        assert bench.job({name: ""}) == bench.job({name: "none"}) == bench.job({})


def test_equal_jobs_are_one_run_however_they_are_written(bench):
    first = bench.result(bench.job({"take_profit": "10", "overlap": "false"}), stays)
    assert bench.result(bench.job({"take_profit": "10.00", "slow_period": "200"}), stays) is first
    assert bench.result(bench.job({}), stays) is first
    assert len(bench.runs) == 1


# -------------------------------------------------------------------------------------------------- once


def test_signals_are_made_once_for_each_strategy(counted):
    bench, asked = counted
    for more in ({}, {"take_profit": "2"}, {"commission": "1"}, {"seed": "5"}, {"overlap": "true"}):
        bench.result(bench.job(SHORT | more), stays)
    assert (asked, len(bench.runs)) == ([(2, 5)], 5)
    bench.result(bench.job(SHORT | {"fast_period": "3"}), stays)
    assert asked == [(2, 5), (3, 5)]


def test_a_run_says_what_its_signals_took_and_that_kept_ones_took_nothing(bench):
    first, second = (bench.result(bench.job(SHORT | more), stays) for more in ({}, {"take_profit": "2"}))
    taken = [result.values["manifest"]["seconds"]["signals"] for result in (first, second)]
    assert taken[0] > taken[1] == 0


def test_the_oldest_signals_are_forgotten(counted):
    bench, asked = counted
    bench._signals._limit = 4 * len(bench.tape)  # a signal is a byte
    for fast in range(1, 6):
        bench.result(bench.job({"fast_period": str(fast), "slow_period": "9"}), stays)
    bench.result(bench.job({"fast_period": "2", "slow_period": "9", "sides": "long"}), stays)
    assert len(asked) == 5
    bench.result(bench.job({"fast_period": "1", "slow_period": "9", "stop_loss": "2"}), stays)
    assert len(asked) == 5  # its orders are known
    bench.result(bench.job({"fast_period": "1", "slow_period": "9", "sides": "long"}), stays)
    assert asked[5:] == [(1, 9)]


def test_callers_that_come_while_a_run_is_made_wait_for_it(held):
    bench, gate = held
    job = bench.job(SHORT | {"fast_period": "3"})
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(bench.result, job, stays)]
        assert gate.reached.wait(PATIENCE)
        asked += [pool.submit(bench.result, job, stays) for _ in range(7)]
        gate.open.set()
        assert len({id(one.result(PATIENCE)) for one in asked}) == 1
    assert len(bench.runs) == 1


def test_eight_that_ask_for_different_runs_at_once_get_their_own(bench):
    jobs = [bench.job(SHORT | {"fast_period": str(2 + k % 3), "stop_loss": str(1 + k)}) for k in range(8)]
    results = together([lambda job=job: bench.whole(job, stays) for job in jobs])
    for job, result in zip(jobs, results, strict=True):
        assert data(result) == same_run(bench, job)
        assert set(result.values["manifest"]["seconds"]) == {"signals", "simulation", "statistics", *LATER}
    assert len({result.to_dict()["trades_sha256"] for result in results}) > 1
    assert [row["run"] for row in bench.latest_runs()] == list(range(1, 9))


@pytest.mark.parametrize("name", LATER)
def test_a_section_is_added_to_the_run_that_is_there(bench, monkeypatch, name):
    made = []
    original = module.run_trades
    monkeypatch.setattr(module, "run_trades", lambda *args, **more: made.append(1) or original(*args, **more))
    job = bench.job(SHORT)
    bare, more, expected = bench.result(job, stays), bench.section(job, name, stays), same_run(bench, job)
    assert (len(made), len(bench.runs)) == (1, 1)
    assert more.trades is bare.trades
    about = {"notes": data(more)["notes"]}
    assert data(more) == expected | BARE | {name: expected[name]} | about
    assert set(data(bare)["notes"]) <= set(about["notes"]) <= set(expected["notes"])
    assert {name: bench.result(job, stays).values[name] for name in LATER} == BARE


def test_eight_that_ask_for_the_same_section_at_once_get_one_answer(bench, monkeypatch):
    made = []
    computing(monkeypatch, lambda name, original: lambda *given: made.append(name) or original(*given))
    results = together([lambda: bench.section(bench.job(SHORT), "fills", stays)] * 8)
    assert all(result.values["fills"] is results[0].values["fills"] for result in results)
    assert bench.section(bench.job(SHORT), "fills", stays).values["fills"] is results[0].values["fills"]
    assert (made, len(bench.runs)) == (["fills"], 1)


def test_all_sections_that_are_asked_for_at_once_come_from_one_run(bench):
    job = bench.job(SHORT)
    results = together([lambda name=name: bench.section(job, name, stays) for name in LATER * 2])
    expected = same_run(bench, job)
    for name, result in zip(LATER * 2, results, strict=True):
        assert data(result)[name] == expected[name]
    assert len(bench.runs) == 1


@pytest.mark.parametrize(("cores", "left"), [(1, 1), (2, 1), (8, 7), (None, 1)])
def test_what_comes_later_leaves_a_core_to_the_runs(bench, monkeypatch, cores, left):
    given = []
    computing(monkeypatch, lambda name, original: lambda *_: given.append(engine.cores()) or {})
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    bench.whole(bench.job(SHORT), stays)
    assert given == [left] * len(LATER)


def test_what_comes_later_is_made_one_after_the_other(bench, monkeypatch):
    inside, most = [], []

    def slowly(*_):
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.01)
        inside.pop()
        return {}

    computing(monkeypatch, lambda name, original: slowly)
    jobs = [bench.job(SHORT | {"commission": str(k)}) for k in range(4)]
    together([lambda job=job: bench.whole(job, stays) for job in jobs])
    assert most == [1] * len(jobs) * len(LATER)


def test_the_oldest_results_are_forgotten(bench):
    jobs = [bench.job(SHORT | {"commission": str(k)}) for k in range(4)]
    one = bench.result(jobs[0], stays)
    bench._results._limit = 3 * module._weight(one)
    second, *_ = [bench.result(job, stays) for job in jobs[1:]]
    assert bench.result(jobs[1], stays) is second
    again = bench.result(jobs[0], stays)
    assert again is not one
    assert data(again) == data(one)
    assert [row["changed"]["commission"] for row in bench.latest_runs()[1:]] == [1.0, 2.0, 3.0]  # each is listed once
    assert len(bench.runs) == 4


def test_the_list_of_runs_has_an_end(bench, monkeypatch):
    monkeypatch.setattr("scalpr_zen.dashboard.workbench.RUNS_LISTED", 3)
    for k in range(5):
        bench.result(bench.job(SHORT | {"commission": str(k + 1)}), stays)
    assert [row["run"] for row in bench.latest_runs()] == [3, 4, 5]
    assert len(bench.runs) == 5


# ------------------------------------------------------------------------------------------------- errors


def test_a_strategy_that_failed_is_asked_again(path):
    asked = []

    @dataclass(frozen=True, kw_only=True)
    class Moody(EmaCrossover):
        def signals(self, tape):
            asked.append(1)
            if len(asked) == 1:
                raise RuntimeError("not now")
            return super().signals(tape)

    bench = Workbench(path, Moody)
    with pytest.raises(StrategyError, match="RuntimeError: not now"):
        bench.result(bench.job(SHORT), stays)
    assert bench.latest_runs() == []
    job = bench.job(SHORT)
    expected = run(market(), EmaCrossover(fast_period=2, slow_period=5)).to_dict()["trades_sha256"]
    assert bench.result(job, stays).to_dict()["trades_sha256"] == expected
    assert len(bench.runs) == 1


# ------------------------------------------------------------------------------------ clients that leave


def test_a_run_whose_client_left_is_dropped(counted):
    bench, asked = counted
    with pytest.raises(Dropped):
        bench.result(bench.job(SHORT), left)
    for name in LATER:
        with pytest.raises(Dropped):
            bench.section(bench.job(SHORT), name, left)
    assert (asked, bench.runs) == ([], {})
    assert bench.result(bench.job(SHORT), stays).to_dict()["statistics"]["trades"] == 9
    assert len(bench.runs) == 1


def test_a_run_that_waits_for_its_turn_is_dropped_when_its_clients_leave(held):
    bench, gate = held
    gone = threading.Event()
    other = bench.job(SHORT | {"fast_period": "4"})
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(bench.result, bench.job(SHORT | {"fast_period": "3"}), stays)
        assert gate.reached.wait(PATIENCE)
        waiting = [pool.submit(bench.result, other, gone.is_set) for _ in range(3)]
        gone.set()
        gate.open.set()
        assert first.result(PATIENCE).to_dict()["parameters"]["fast_period"] == 3
        assert all(isinstance(one.exception(PATIENCE), Dropped) for one in waiting)
    assert [row["changed"]["fast_period"] for row in bench.latest_runs()] == [3]
    assert data(bench.whole(other, stays)) == same_run(bench, other)
    assert [row["changed"]["fast_period"] for row in bench.latest_runs()] == [3, 4]


def test_a_run_whose_client_leaves_during_the_signals_is_dropped(held):
    bench, gate = held
    gone, job = threading.Event(), bench.job(SHORT | {"fast_period": "3"})
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(bench.result, job, gone.is_set)
        assert gate.reached.wait(PATIENCE)
        gone.set()
        gate.open.set()
        assert isinstance(asked.exception(PATIENCE), Dropped)
    assert bench.latest_runs() == []
    assert data(bench.whole(job, stays)) == same_run(bench, job)


def test_a_section_is_dropped_when_its_client_left_and_made_anew(bench, monkeypatch):
    made = []
    computing(monkeypatch, lambda name, original: lambda *given: made.append(name) or original(*given))
    job = bench.job(SHORT)
    bench.result(job, stays)
    with pytest.raises(Dropped):
        bench.section(job, "fills", left)
    assert made == []
    assert data(bench.section(job, "fills", stays))["fills"] == same_run(bench, job)["fills"]
    assert made[0] == "fills"


def test_a_section_that_waits_for_its_turn_is_dropped_when_its_client_leaves(bench, monkeypatch):
    begun, go, gone, made = threading.Event(), threading.Event(), threading.Event(), []
    jobs = [bench.job(SHORT | {"commission": str(k)}) for k in range(2)]

    def held_back(run, _):
        made.append(run.setup.execution.commission)
        begun.set()
        assert go.wait(PATIENCE)
        return {"of": run.setup.execution.commission}

    computing(monkeypatch, lambda name, original: held_back)
    monkeypatch.setitem(sections(), "fills", replace(sections()["fills"], notes=lambda *_: ()))
    for job in jobs:
        bench.result(job, stays)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(bench.section, jobs[0], "fills", stays)
        assert begun.wait(PATIENCE)
        second = pool.submit(bench.section, jobs[1], "fills", gone.is_set)
        gone.set()
        go.set()
        assert first.result(PATIENCE).values["fills"] == {"of": 0}
        assert isinstance(second.exception(PATIENCE), Dropped)
    assert made == [0]


def test_clients_that_come_and_go_leave_every_other_answer_right(bench):
    jobs = [bench.job(SHORT | {"stop_loss": str(1 + k % 4)}) for k in range(16)]
    calls = [lambda job=job, k=k: bench.result(job, stays if k % 3 else left) for k, job in enumerate(jobs)]
    expected = {job: same_run(bench, job)["trades_sha256"] for job in jobs[:4]}
    for k, (job, answer) in enumerate(zip(jobs, together(calls), strict=True)):
        if isinstance(answer, Dropped):
            assert k % 3 == 0
        else:
            assert answer.to_dict()["trades_sha256"] == expected[job]
    assert [row["run"] for row in bench.latest_runs()] == list(range(1, len(bench.runs) + 1))


# --------------------------------------------------------------------------------------------- runs listed


def test_a_row_tells_the_figures_of_its_run(bench):
    figures = bench.result(bench.job(SHORT), stays).to_dict()["statistics"]
    row = bench.latest_runs()[0]
    shown = {statistic.key: statistic.unit for statistic in STATISTICS if statistic.headline}
    assert {name: row[name] for name in shown} == {name: figures[name] for name in shown}
    assert row["text"] == {name: number(figures[name], unit) for name, unit in shown.items()}
    assert {"trades", "net_usd", "profit_factor", "sharpe", "max_drawdown_usd"} <= set(row)
    assert row["seconds"] > 0


# --------------------------------------------------------------------------------------- a replaced tape


def swap(path):
    save(market(seed=7), path)


def touch(path):
    about = path.stat()
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns + 1_000_000_000))


@pytest.mark.parametrize("change", [swap, touch, lambda path: path.unlink()])
def test_a_tape_that_was_replaced_or_removed_gives_no_more_results(bench, path, change):
    known = bench.job(SHORT)
    bench.whole(known, stays)
    change(path)
    for job in (known, bench.job({})):
        for ask in (bench.result, bench.whole, *(partial(bench.section, name=name) for name in LATER)):
            with pytest.raises(Replaced, match=r"tape\.npz was replaced or removed .*start the dashboard again"):
                ask(job, gone=stays)
    assert len(bench.runs) == 1


def test_an_empty_tape_has_runs_too(tmp_path):
    bench = Workbench(save(tape_of([]), tmp_path / "empty.npz"), EmaCrossover)
    result = bench.whole(bench.job({}), stays)
    assert len(result.trades) == 0
