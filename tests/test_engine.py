"""The engine: who owns the cores, and who starts threads."""

import os
import threading

import pytest

from scalpr_zen.base.engine import Engine, alongside, cores, run_all, run_aside


def here(_=None):
    """The thread that works, and the cores that it may use."""
    return threading.get_ident(), cores()


def test_the_cores_are_those_of_the_innermost_engine_of_a_thread(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert cores() == 5
    with Engine(3) as engine:
        with Engine(2):
            assert cores() == 2
        with engine:
            assert cores() == 3
        assert cores() == 3
    assert cores() == 5
    assert Engine().cores == 5


def test_an_error_ends_the_engine_too(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    with pytest.raises(ValueError, match="inside"), Engine(3):
        raise ValueError("inside")
    assert cores() == 5


@pytest.mark.parametrize("count", [1, 2, 7])
def test_as_many_threads_work_as_there_are_cores_each_with_one(count):
    together = threading.Barrier(count)

    def work(_):
        together.wait(60)  # passes only where so many work at once
        return here()

    with Engine(count):
        found = run_all(work, range(3 * count))
    assert len({thread for thread, _ in found}) == count
    assert {held for _, held in found} == {1}
    assert threading.get_ident() not in {thread for thread, _ in found}


def test_a_worker_starts_no_threads_of_its_own():
    def outer(_):
        return here(), run_all(here, range(4))

    with Engine(2):
        for own, inner in run_all(outer, range(4)):
            assert set(inner) == {own}


def test_work_aside_keeps_all_cores():
    with Engine(3):
        thread, held = run_aside(here)
        spread = run_aside(lambda: run_all(here, range(9)))
    assert (held, thread != threading.get_ident()) == (3, True)
    assert {own for _, own in spread} == {1}


@pytest.mark.parametrize("count", [1, 2, 7])
def test_results_come_in_the_order_of_their_rows(count):
    with Engine(count):
        assert run_all(lambda a, b: (a, b), range(50), range(100, 150)) == list(
            zip(range(50), range(100, 150), strict=True)
        )
        assert run_all(lambda row: row, []) == []
    with pytest.raises(ValueError, match="shorter"):
        run_all(lambda a, b: 0, [1, 2], [1])


# ------------------------------------------------------------------------------------- work beside a block


def test_a_block_and_the_work_beside_it_run_at_once_and_both_are_done_after_it():
    begun, block_done, done = threading.Event(), threading.Event(), []

    def work():
        begun.set()
        assert block_done.wait(60)
        done.append(True)

    with alongside(work):
        assert begun.wait(60)
        block_done.set()
    assert done == [True]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_block_that_fails_does_not_wait_for_the_work_beside_it(error):
    release, ended = threading.Event(), threading.Event()

    def work():
        release.wait(60)
        ended.set()

    with pytest.raises(error), alongside(work):
        raise error
    assert not ended.is_set()
    release.set()
    assert ended.wait(60)
