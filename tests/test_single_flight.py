"""The shelf of the workbench: of callers that want the same at once, one makes it, and all get it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from scalpr_zen import ScalprError
from scalpr_zen.dashboard.workbench import Dropped, SingleFlight

PATIENCE = 60


def stays():
    return False


def left():
    return True


def test_a_shelf_keeps_the_latest_things_asked_for():
    made, shelf = [], SingleFlight(lambda _: 1, 2)
    for key in "abacab":
        assert shelf.get(key, lambda _, key=key: made.append(key) or key.upper(), stays) == key.upper()
    assert made == ["a", "b", "c", "b"]


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


@pytest.mark.parametrize("stayer_first", [True, False])
def test_one_caller_that_stays_keeps_the_work_alive(stayer_first):
    shelf, begun, gone, made = SingleFlight(lambda _: 1, 2), threading.Event(), threading.Event(), []

    def make(unwanted):
        made.append(1)
        begun.set()
        assert gone.wait(PATIENCE)
        if unwanted():
            raise Dropped
        return "made"

    callers = [stays, gone.is_set] if stayer_first else [gone.is_set, stays]
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(shelf.get, "a", make, callers[0])
        assert begun.wait(PATIENCE)
        second = pool.submit(shelf.get, "a", make, callers[1])
        end = time.monotonic() + PATIENCE
        while len(shelf._made["a"][1]) < 2:  # until the second one waits for the first
            assert time.monotonic() < end
        gone.set()
        assert first.result(PATIENCE) == second.result(PATIENCE) == "made"
    assert made == [1]


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
