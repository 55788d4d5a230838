"""A thread for somebody else's function."""

from __future__ import annotations

import threading

import pytest

from fsm_arb.executor.hand import Hand


def test_things_are_done_one_after_the_other_in_one_thread() -> None:
    """Which does not keep the process alive."""
    hand = Hand("mine")
    done = [hand.submit(lambda n=n: (n, threading.current_thread())) for n in range(3)]
    numbers, threads = zip(*(each.result(5) for each in done), strict=True)
    assert numbers == (0, 1, 2)
    assert len(set(threads)) == 1
    assert (threads[0].name, threads[0].daemon) == ("mine", True)
    hand.shutdown()
    threads[0].join(5)
    assert not threads[0].is_alive()


@pytest.mark.parametrize("error", [ValueError("mine"), SystemExit(3), KeyboardInterrupt()])
def test_what_is_raised_is_told_and_the_next_thing_is_done(error: BaseException) -> None:
    """Whatever it is; the thread lives on."""

    def fails() -> None:
        raise error

    hand = Hand("mine")
    failed, done = hand.submit(fails), hand.submit(int, "7")
    assert failed.exception(5) is error
    assert done.result(5) == 7
    hand.shutdown()


def test_the_end_of_an_iteration_is_told_as_what_a_future_can_carry() -> None:
    """Set on a future of asyncio's it would be lost, and whoever awaits it would wait for ever."""
    hand = Hand("mine")
    failed = hand.submit(next, iter(()))
    assert isinstance(failed.exception(5), RuntimeError)
    hand.shutdown()


def test_who_has_not_come_back_is_busy_and_nobody_waits() -> None:
    """What was taken back before its turn is never begun."""
    entered, released, done = threading.Event(), threading.Event(), []
    hand = Hand("mine")
    first = hand.submit(lambda: (entered.set(), released.wait()))
    second = hand.submit(done.append, 1)
    assert entered.wait(5)
    assert hand.busy
    assert second.cancel()
    hand.shutdown(wait=True)
    released.set()
    first.result(5)
    assert not hand.busy
    assert done == []
