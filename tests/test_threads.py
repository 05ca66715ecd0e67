"""Work beside a block: the block's end waits for it, a block that fails does not."""

from __future__ import annotations

import threading

import pytest

from scalpr_zen.threads import alongside


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
