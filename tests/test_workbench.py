"""The workbench: one tape and its runs, each made once, for whoever asks and for nobody who has left."""

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from support.asking import EVERYTHING, texts
from support.market import market
from support.tapes import tape_of

import scalpr_zen.dashboard.workbench as module
from scalpr_zen import EmaCrossover, ParameterError, ScalprError, StrategyError, Tape, TapeError, run
from scalpr_zen import save_tape as save
from scalpr_zen.base import engine
from scalpr_zen.base.params import declared
from scalpr_zen.dashboard.workbench import Dropped, Replaced, SingleFlight, Workbench
from scalpr_zen.runs.backtest import run_setup
from scalpr_zen.sections.setup import Setup

SHORT = {"fast_period": "2", "slow_period": "5", "monte_carlo_sims": "25", "random_entry_sims": "25", "prop_sims": "25"}
LATER = {
    "with_fills": {"monte_carlo": {}, "random_entries": {}, "prop_firm": {}},
    "with_monte_carlo": {"random_entries": {}, "prop_firm": {}},
    "with_checks": {},
}
"""What each method that adds to a result leaves out of the whole one."""
BARE = {"fills": {}} | LATER["with_fills"]
later = pytest.mark.parametrize("later", LATER)
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


def timeless(result):
    """The JSON of a result without the times of its manifest."""
    values = json.loads(result.to_json())
    values["manifest"] = {
        name: value
        for name, value in values["manifest"].items()
        if name not in ("started", "prints_per_second") and not name.endswith("_seconds")
    }
    return values


def same_run(bench, job):
    """The result of `run` for a job."""
    return run_setup(Tape.open(bench.path), job.strategy, job.setup)


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


def test_a_job_without_parameters_has_the_defaults(bench):
    job = bench.job({})
    assert job.strategy == EmaCrossover()
    assert job.setup == Setup()


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


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tape": "/etc/passwd"}, "tape is no parameter"),
        ({"fast_period": ""}, "fast_period must be a whole number"),
        ({"fast_period": "2.5"}, "fast_period must be a whole number"),
        ({"take_profit": "nan"}, "take_profit must be points like 2.5 or ticks like 8t"),
        ({"overlap": "yes"}, "overlap must be true or false"),
        ({"entry": "soon"}, "entry must be one of"),
        ({"fast_period": "9", "slow_period": "9"}, "fast_period must be below slow_period"),
        ({"entry_windows": "8:30-11"}, "entry_windows must be all, or like"),
        ({"weekdays": "Fri-Mon"}, "weekdays must run from an earlier to a later day"),
        ({"trailing_step": "1"}, "trail_activation and trailing_step need trailing_stop, which was none"),
        ({"limit_basis": "equity"}, "limit_basis=equity needs loss_limit or profit_limit, both were none"),
        ({"prop_firm": "custom"}, "prop_target and prop_drawdown must be given with prop_firm=custom"),
    ],
)
def test_a_job_of_bad_parameters_is_refused(bench, given, message):
    with pytest.raises(ParameterError, match=message):
        bench.job(given)


def test_equal_jobs_are_one_run_however_they_are_written(bench):
    first = bench.result(bench.job({"take_profit": "10", "overlap": "false"}), stays)
    assert bench.result(bench.job({"take_profit": "10.00", "slow_period": "200"}), stays) is first
    assert bench.result(bench.job({}), stays) is first
    assert len(bench.runs) == 1


@pytest.mark.parametrize("content", [None, b"", b"no tape"])
def test_a_file_that_is_no_tape_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "none.npz").write_bytes(content)
    with pytest.raises(TapeError, match=r"none\.npz"):
        Workbench(tmp_path / "none.npz", EmaCrossover)


# -------------------------------------------------------------------------------------------------- once


def test_signals_are_made_once_for_each_strategy(counted):
    bench, asked = counted
    for more in ({}, {"take_profit": "2"}, {"commission": "1"}, {"seed": "5"}, {"overlap": "true"}):
        bench.result(bench.job(SHORT | more), stays)
    assert (asked, len(bench.runs)) == ([(2, 5)], 5)
    bench.result(bench.job(SHORT | {"fast_period": "3"}), stays)
    assert asked == [(2, 5), (3, 5)]


def test_kept_signals_give_the_same_run(bench):
    for more in ({}, {"take_profit": "2"}, {"stop_loss": "1.5", "entry": "signal"}):
        job = bench.job(SHORT | more)
        assert bench.result(job, stays).to_dict()["trades_sha256"] == same_run(bench, job).to_dict()["trades_sha256"]


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


def test_eight_that_ask_the_same_at_once_get_one_run(counted):
    bench, asked = counted
    results = together([lambda: bench.result(bench.job(SHORT), stays)] * 8)
    assert all(result is results[0] for result in results)
    assert (asked, len(bench.runs)) == ([(2, 5)], 1)


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
    results = together([lambda job=job: bench.with_checks(job, stays) for job in jobs])
    for job, result in zip(jobs, results, strict=True):
        assert timeless(result) == timeless(same_run(bench, job))
    assert len({result.to_dict()["trades_sha256"] for result in results}) > 1


@later
def test_what_comes_later_needs_no_second_run(bench, monkeypatch, later):
    made = []
    original = module.run_trades
    monkeypatch.setattr(module, "run_trades", lambda *args, **more: made.append(1) or original(*args, **more))
    job = bench.job(SHORT)
    bare, whole = bench.result(job, stays), getattr(bench, later)(job, stays)
    assert (len(made), len(bench.runs)) == (1, 1)
    assert whole.trades is bare.trades
    assert timeless(whole) == timeless(same_run(bench, job)) | LATER[later]
    *notes, of_the_fills = whole.to_dict()["notes"]
    assert timeless(bare) == timeless(whole) | BARE | {"notes": notes}
    assert "fill model" in of_the_fills


@later
def test_what_comes_later_needs_one_run_and_leaves_it_on_the_shelf(bench, later):
    job = bench.job(SHORT)
    whole = getattr(bench, later)(job, stays)
    assert bench.result(job, stays).trades is whole.trades
    assert {name: bench.result(job, stays).to_dict()[name] for name in BARE} == BARE
    assert len(bench.runs) == 1


@later
def test_eight_that_ask_for_the_same_at_once_get_one_answer(bench, monkeypatch, later):
    made = []
    original = getattr(module, later)
    monkeypatch.setattr(module, later, lambda *args, **more: made.append(1) or original(*args, **more))
    results = together([lambda: getattr(bench, later)(bench.job(SHORT), stays)] * 8)
    assert all(result is results[0] for result in results)
    assert getattr(bench, later)(bench.job(SHORT), stays) is results[0]
    assert (len(made), len(bench.runs)) == (1, 1)


def test_the_checks_are_added_to_the_paths_that_are_there(bench, monkeypatch):
    made = []
    original = module.with_monte_carlo
    monkeypatch.setattr(module, "with_monte_carlo", lambda *args, **more: made.append(1) or original(*args, **more))
    paths, whole = bench.with_monte_carlo(bench.job(SHORT), stays), bench.with_checks(bench.job(SHORT), stays)
    assert whole.to_dict()["monte_carlo"] is paths.to_dict()["monte_carlo"]
    assert made == [1]


@pytest.mark.parametrize(("cores", "left"), [(1, 1), (2, 1), (8, 7), (None, 1)])
def test_what_comes_later_leaves_a_core_to_the_runs(bench, monkeypatch, cores, left):
    given = []
    for name in LATER:
        monkeypatch.setattr(module, name, lambda result: given.append(engine.cores()) or result)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    bench.with_checks(bench.job(SHORT), stays)
    assert given == [left] * len(LATER)


def test_what_comes_later_is_made_one_after_the_other(bench, monkeypatch):
    inside, most = [], []

    def slowly(result):
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.02)
        inside.pop()
        return result

    for name in LATER:
        monkeypatch.setattr(module, name, slowly)
    jobs = [bench.job(SHORT | {"seed": str(k)}) for k in range(6)]
    together([lambda job=job: bench.with_checks(job, stays) for job in jobs])
    assert most == [1] * 6 * len(LATER)


def test_eight_that_ask_for_the_envelope_at_once_get_one(bench, monkeypatch):
    made = []
    original = module.Envelope
    monkeypatch.setattr(module, "Envelope", lambda tape: made.append(1) or original(tape))
    envelopes = together([bench.envelope] * 8)
    assert all(envelope is envelopes[0] for envelope in envelopes)
    assert made == [1]


def test_a_shelf_keeps_the_latest_things_asked_for():
    made, shelf = [], SingleFlight(lambda _: 1, 2)
    for key in "abacab":
        assert shelf.get(key, lambda _, key=key: made.append(key) or key.upper(), stays) == key.upper()
    assert made == ["a", "b", "c", "b"]


def test_the_oldest_results_are_forgotten(bench):
    jobs = [bench.job(SHORT | {"commission": str(k)}) for k in range(4)]
    one = bench.result(jobs[0], stays)
    bench._results._limit = 3 * module._weight(one)
    second, *_ = [bench.result(job, stays) for job in jobs[1:]]
    assert bench.result(jobs[1], stays) is second
    again = bench.result(jobs[0], stays)
    assert again is not one
    assert timeless(again) == timeless(one)
    assert [row["changed"]["commission"] for row in bench.latest_runs()[1:]] == [1.0, 2.0, 3.0]  # each is listed once
    assert len(bench.runs) == 4


def test_what_weighs_more_than_the_shelf_bears_is_kept_alone():
    shelf, made = SingleFlight(lambda thing: thing, 10), []

    def get(weight):
        return shelf.get(weight, lambda _: made.append(weight) or weight, stays)

    for weight in (3, 4, 99, 99, 3, 99):
        assert get(weight) == weight
    assert made == [3, 4, 99, 3, 99]


def test_who_asks_for_what_is_made_leaves_no_trace():
    shelf = SingleFlight(lambda _: 1, 2)
    for _ in range(100):
        shelf.get("a", lambda _: "made", lambda: False)
    assert [callers for _, callers in shelf._made.values()] == [[]]


def test_the_list_of_runs_has_an_end(bench, monkeypatch):
    monkeypatch.setattr("scalpr_zen.dashboard.workbench.RUNS_LISTED", 3)
    for k in range(5):
        bench.result(bench.job(SHORT | {"commission": str(k + 1)}), stays)
    assert [row["run"] for row in bench.latest_runs()] == [3, 4, 5]
    assert len(bench.runs) == 5


# ------------------------------------------------------------------------------------------------- errors


def test_errors_are_not_kept():
    shelf, made = SingleFlight(lambda _: 1, 2), []

    def fail(_):
        made.append("error")
        raise ScalprError("not yet")

    for _ in range(2):
        with pytest.raises(ScalprError, match="not yet"):
            shelf.get("a", fail, stays)
    assert shelf.get("a", lambda _: "made", stays) == "made"
    assert made == ["error", "error"]


def test_errors_reach_everyone_who_waits():
    shelf, begun, go = SingleFlight(lambda _: 1, 2), threading.Event(), threading.Event()

    def fail(_):
        begun.set()
        assert go.wait(PATIENCE)
        raise ScalprError("no")

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(shelf.get, "a", fail, stays)]
        assert begun.wait(PATIENCE)
        asked += [pool.submit(shelf.get, "a", fail, stays) for _ in range(3)]
        go.set()
        assert all(isinstance(one.exception(PATIENCE), ScalprError) for one in asked)


def test_an_error_pushes_nothing_off_the_shelf():
    shelf, made = SingleFlight(lambda _: 1, 1), []
    shelf.get("a", lambda _: made.append("a"), stays)
    with pytest.raises(ZeroDivisionError):
        shelf.get("b", lambda _: 1 / 0, stays)
    shelf.get("a", lambda _: made.append("a"), stays)
    assert made == ["a"]


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


def test_a_bracket_that_does_not_fit_the_tape_is_refused_and_no_run(bench):
    for _ in range(2):
        with pytest.raises(ParameterError, match="take_profit must be a multiple of the tick"):
            bench.result(bench.job(SHORT | {"take_profit": "10.1"}), stays)
    assert bench.latest_runs() == []


# ------------------------------------------------------------------------------------ clients that leave


def test_a_run_whose_client_left_is_dropped(counted):
    bench, asked = counted
    with pytest.raises(Dropped):
        bench.result(bench.job(SHORT), left)
    for later in LATER:
        with pytest.raises(Dropped):
            getattr(bench, later)(bench.job(SHORT), left)
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
    assert timeless(bench.with_checks(other, stays)) == timeless(same_run(bench, other))
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
    assert timeless(bench.with_checks(job, stays)) == timeless(same_run(bench, job))


@later
def test_what_comes_later_is_dropped_when_its_client_left_and_made_anew(bench, monkeypatch, later):
    made, gone = [], threading.Event()
    original = getattr(module, later)
    monkeypatch.setattr(module, later, lambda *args, **more: made.append(1) or original(*args, **more))
    job = bench.job(SHORT)
    bench.result(job, stays)
    with pytest.raises(Dropped):
        getattr(bench, later)(job, left)
    assert made == []
    assert timeless(getattr(bench, later)(job, gone.is_set)) == timeless(same_run(bench, job)) | LATER[later]
    assert made == [1]


def test_checks_that_wait_for_their_turn_are_dropped_when_their_client_leaves(bench, monkeypatch):
    begun, go, gone, made = threading.Event(), threading.Event(), threading.Event(), []
    jobs = [bench.job(SHORT | {"seed": str(k)}) for k in range(2)]
    for job in jobs:
        bench.with_monte_carlo(job, stays)

    def held_back(result):
        made.append(result.to_dict()["parameters"]["seed"])
        begun.set()
        assert go.wait(PATIENCE)
        return result

    monkeypatch.setattr(module, "with_checks", held_back)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(bench.with_checks, jobs[0], stays)
        assert begun.wait(PATIENCE)
        second = pool.submit(bench.with_checks, jobs[1], gone.is_set)
        gone.set()
        go.set()
        assert first.result(PATIENCE) is bench.with_checks(jobs[0], stays)
        assert isinstance(second.exception(PATIENCE), Dropped)
    assert made == [0]


@pytest.mark.parametrize("stayer_first", [True, False])
def test_one_caller_that_stays_keeps_the_work_alive(stayer_first):
    shelf, begun, gone, made = SingleFlight(lambda _: 1, 2), threading.Event(), threading.Event(), []

    def make(unwanted):
        made.append(1)
        begun.set()
        assert gone.wait(PATIENCE)
        for _ in range(100):
            if unwanted():
                raise Dropped
            time.sleep(0.001)
        return "made"

    callers = [stays, gone.is_set] if stayer_first else [gone.is_set, stays]
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(shelf.get, "a", make, callers[0])
        assert begun.wait(PATIENCE)
        second = pool.submit(shelf.get, "a", make, callers[1])
        time.sleep(0.1)  # the second one waits for the first by now; if not, it makes its own
        gone.set()
        assert (first if stayer_first else second).result(PATIENCE) == "made"
    assert len(made) <= 2


def test_whoever_asks_after_a_drop_begins_anew():
    shelf, dropping, go, made = SingleFlight(lambda _: 1, 2), threading.Event(), threading.Event(), []

    def slow_to_stop(unwanted):
        assert unwanted()
        dropping.set()
        assert go.wait(PATIENCE)
        raise Dropped

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(shelf.get, "a", slow_to_stop, left)
        assert dropping.wait(PATIENCE)
        assert shelf.get("a", lambda _: made.append(1) or "made", stays) == "made"
        go.set()
        assert isinstance(first.exception(PATIENCE), Dropped)
    assert shelf.get("a", lambda _: made.append(1) or "again", stays) == "made"
    assert made == [1]


def test_a_client_that_leaves_after_the_run_changes_nothing(bench):
    first = bench.result(bench.job(SHORT), stays)
    assert bench.result(bench.job(SHORT), left) is first


def test_clients_that_come_and_go_leave_every_other_answer_right(bench):
    jobs = [bench.job(SHORT | {"stop_loss": str(1 + k % 4)}) for k in range(16)]
    calls = [lambda job=job, k=k: bench.result(job, stays if k % 3 else left) for k, job in enumerate(jobs)]
    expected = {job: same_run(bench, job).to_dict()["trades_sha256"] for job in jobs}
    for k, (job, answer) in enumerate(zip(jobs, together(calls), strict=True)):
        if isinstance(answer, Dropped):
            assert k % 3 == 0
        else:
            assert answer.to_dict()["trades_sha256"] == expected[job]
    assert [row["run"] for row in bench.latest_runs()] == list(range(1, len(bench.runs) + 1))


# --------------------------------------------------------------------------------------------- runs listed


def test_the_list_tells_every_run_once_and_in_order(bench):
    for given in ({}, SHORT, SHORT, {}, SHORT | {"overlap": "true", "point_value": "2"}):
        bench.with_checks(bench.job(given), stays)
    changed = {"fast_period": 2, "slow_period": 5, "monte_carlo_sims": 25, "random_entry_sims": 25, "prop_sims": 25}
    assert [(row["run"], row["changed"]) for row in bench.latest_runs()] == [
        (1, {}),
        (2, changed),
        (3, changed | {"overlap": True, "point_value": 2.0}),
    ]


def test_a_row_tells_the_figures_of_its_run(bench):
    figures = bench.result(bench.job(SHORT), stays).to_dict()["statistics"]
    row = bench.latest_runs()[0]
    assert {name: row[name] for name in row if name in figures} == {
        name: figures[name] for name in row if name in figures
    }
    assert {"trades", "net_usd", "win_rate", "profit_factor", "sharpe", "max_drawdown_usd"} <= set(row)
    assert row["seconds"] > 0


def test_runs_made_at_once_are_counted_without_gaps(bench):
    jobs = [bench.job(SHORT | {"commission": str(k)}) for k in range(8)]
    together([lambda job=job: bench.result(job, stays) for job in jobs * 2])
    assert [row["run"] for row in bench.latest_runs()] == list(range(1, 9))
    assert sorted(row["changed"].get("commission", 0.0) for row in bench.latest_runs()) == [float(k) for k in range(8)]


# --------------------------------------------------------------------------------------- a replaced tape


def replace(path):
    save(market(seed=7), path)


def touch(path):
    about = path.stat()
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns + 1_000_000_000))


@pytest.mark.parametrize("change", [replace, touch, lambda path: path.unlink()])
def test_a_tape_that_was_replaced_or_removed_gives_no_more_results(bench, path, change):
    known = bench.job(SHORT)
    bench.with_checks(known, stays)
    bench.envelope()
    change(path)
    for job in (known, bench.job({})):
        for ask in (bench.result, *(getattr(bench, name) for name in LATER)):
            with pytest.raises(Replaced, match=r"tape\.npz was replaced or removed .*start the dashboard again"):
                ask(job, stays)
    with pytest.raises(Replaced):
        bench.envelope()
    assert len(bench.runs) == 1


def test_other_files_beside_the_tape_are_no_matter(bench, path):
    save(market(seed=7), path.with_name("other.npz"))
    assert bench.result(bench.job(SHORT), stays).to_dict()["statistics"]["trades"] == 9


def test_an_empty_tape_has_runs_too(tmp_path):
    bench = Workbench(save(tape_of([]), tmp_path / "empty.npz"), EmaCrossover)
    result = bench.with_checks(bench.job({}), stays)
    assert (len(result.trades), result.to_dict()["statistics"]["win_rate"]) == (
        0,
        pytest.approx(float("nan"), nan_ok=True),
    )
    bench.envelope()
