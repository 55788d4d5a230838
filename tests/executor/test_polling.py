"""When an order is looked at again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fsm_arb.executor.polling import LIVE_MAX, WATCH_FIRST, Look

POLL = 500_000_000  # ns


def pauses(look: Look, count: int, *, live: bool) -> list[float]:
    """Return the pauses between looks that answer at once, in intervals."""
    now, found = look.next_at, []
    for _ in range(count):
        assert look.due(now)
        look.busy = True
        assert not look.due(now)
        look.looked(now, POLL, live=live)
        assert not look.due(now)
        found.append((look.next_at - now) / POLL)
        now = look.next_at
    return found


def test_a_live_order_is_looked_at_at_once_and_then_less_and_less_often() -> None:
    """From one interval up to ten, each pause half as long again."""
    look = Look.now(1_000, POLL)
    assert look.due(1_000)
    found = pauses(look, 12, live=True)
    assert found[:3] == [1, 1.5, 2.25]
    assert found == sorted(found)
    assert found[-1] == LIVE_MAX


def test_a_finished_order_is_watched_with_longer_pauses() -> None:
    """A venue may still fill what it said was over; nobody waits for it."""
    look = Look.watching(1_000, POLL)
    assert not look.due(1_000)
    assert look.next_at == 1_000 + WATCH_FIRST * POLL
    found = pauses(look, 10, live=False)
    assert found[:3] == [4, 8, 16]
    assert found == sorted(found)
    assert found[-1] == LIVE_MAX * WATCH_FIRST * 3


@given(st.integers(1, 10**10), st.lists(st.integers(0, 10**10), max_size=30), st.booleans())
def test_a_slow_answer_delays_the_next_look_and_no_look_is_lost(poll: int, slow: list[int], live: bool) -> None:
    """The pause counts from the answer, is never shorter than an interval, and always ends."""
    look = Look.now(0, poll)
    now = 0
    for took in slow:
        look.busy = True
        now += took
        look.looked(now, poll, live=live)
        longest = poll * LIVE_MAX * (1 if live else WATCH_FIRST * 3)
        assert poll <= look.next_at - now <= longest
        now = look.next_at
        assert look.due(now)


def test_an_order_that_is_back_is_looked_at_at_once() -> None:
    """Late discoveries take up the rhythm of a live order, and their first cancel waits for nothing."""
    look = Look.watching(0, POLL)
    for _ in range(6):
        look.leaves(look.next_at)
        look.looked(look.next_at, POLL, live=look.live)
    look.hurried, look.cancel_next = True, False
    look.turn(1_000, POLL, live=False)
    assert look.next_at > 1_000  # nothing has changed
    look.turn(1_000, POLL, live=True)
    assert look.due(1_000)
    assert (look.hurried, look.cancel_next) == (False, True)
    assert pauses(look, 2, live=True) == [1, 1.5]
    now = look.next_at
    look.turn(now, POLL, live=False)
    assert (look.next_at - now) / POLL == WATCH_FIRST


def test_a_look_that_is_out_stays_out_when_the_rhythm_changes() -> None:
    """Two looks at one order are never out at once."""
    look = Look.watching(0, POLL)
    look.leaves(5)
    look.turn(6, POLL, live=True)
    assert look.busy
    assert look.asked_at == 5
