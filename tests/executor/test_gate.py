"""Who may call a venue next."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_arb.executor.gate import KEPT_BACK, WIDTH, Gate, Lane


class Visit:
    """One call through a gate, which stays inside until it is told to leave."""

    def __init__(self, gate: Gate, lane: Lane, order: list[Visit]) -> None:
        self.lane = lane
        self.inside = False
        self.leave = asyncio.Event()
        self._order = order
        self.task = asyncio.ensure_future(self._pass(gate))

    async def _pass(self, gate: Gate) -> None:
        async with gate.turn(self.lane):
            self.inside = True
            self._order.append(self)
            await self.leave.wait()
        self.inside = False


async def settle() -> None:
    for _ in range(8):
        await asyncio.sleep(0)


async def fill(gate: Gate, lane: Lane, count: int, order: list[Visit]) -> list[Visit]:
    visits = [Visit(gate, lane, order) for _ in range(count)]
    await settle()
    return visits


async def empty(visits: list[Visit]) -> None:
    for visit in visits:
        visit.leave.set()
    await asyncio.gather(*(visit.task for visit in visits), return_exceptions=True)


@pytest.mark.parametrize(
    ("lane", "places"),
    [(Lane.FLATTEN, WIDTH), (Lane.OBSERVE, WIDTH - KEPT_BACK // 2), (Lane.ENTER, WIDTH - KEPT_BACK)],
)
async def test_each_lane_has_its_width(lane: Lane, places: int) -> None:
    """Alone, it goes as wide as that and no wider."""
    gate, order = Gate(), []
    visits = await fill(gate, lane, WIDTH + 10, order)
    assert sum(visit.inside for visit in visits) == places
    await empty(visits)
    assert gate._inside == 0


async def test_room_is_kept_back_from_entries_for_what_flattens() -> None:
    """A hundred entries wait; a remedy walks in."""
    gate, order = Gate(), []
    entries = await fill(gate, Lane.ENTER, 100, order)
    remedies = await fill(gate, Lane.FLATTEN, KEPT_BACK, order)
    assert all(visit.inside for visit in remedies)
    assert sum(visit.inside for visit in entries) == WIDTH - KEPT_BACK
    await empty([*entries, *remedies])


async def test_looks_leave_room_for_what_flattens() -> None:
    """A hundred looks at orders hold no remedy back."""
    gate, order = Gate(), []
    looks = await fill(gate, Lane.OBSERVE, 100, order)
    (remedy,) = await fill(gate, Lane.FLATTEN, 1, order)
    assert remedy.inside
    await empty([*looks, remedy])


async def test_the_most_urgent_goes_first() -> None:
    """Whoever waits is let in by lane, and within a lane in the order of coming."""
    gate, order = Gate(width=1, kept_back=0), []
    (first,) = await fill(gate, Lane.ENTER, 1, order)
    waiting = []
    for lane in (Lane.ENTER, Lane.OBSERVE, Lane.FLATTEN, Lane.ENTER, Lane.FLATTEN):
        waiting += await fill(gate, lane, 1, order)
    for visit in (first, *waiting):
        assert order[-1].inside
        order[-1].leave.set()
        await settle()
        assert visit.task
    assert [visit.lane for visit in order[1:]] == [Lane.FLATTEN] * 2 + [Lane.OBSERVE] + [Lane.ENTER] * 2
    assert [visit for visit in order if visit.lane is Lane.FLATTEN] == [waiting[2], waiting[4]]
    await empty(order)


async def test_a_newcomer_does_not_overtake_its_own_lane() -> None:
    """A place that has just come free belongs to whoever waited for it."""
    gate, order = Gate(width=1, kept_back=0), []
    first, second = await fill(gate, Lane.FLATTEN, 2, order)
    first.leave.set()
    await asyncio.sleep(0)
    third = Visit(gate, Lane.FLATTEN, order)
    await settle()
    assert (second.inside, third.inside) == (True, False)
    await empty([first, second, third])


@pytest.mark.parametrize("let_in", [False, True])
async def test_a_waiter_that_is_cancelled_gives_its_place_on(let_in: bool) -> None:
    """Before it was let in, or in the very moment when it was."""
    gate, order = Gate(width=1, kept_back=0), []
    first, second, third = await fill(gate, Lane.FLATTEN, 3, order)
    if let_in:
        first.leave.set()
        await first.task  # second has its place, and has not run yet
    second.task.cancel()
    first.leave.set()
    await settle()
    assert second.task.cancelled()
    assert third.inside
    await empty([third])
    assert gate._inside == 0


async def test_an_error_inside_gives_the_place_back() -> None:
    """A call that raises is over."""
    gate = Gate(width=1, kept_back=0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with gate.turn(Lane.ENTER):
                raise ZeroDivisionError
    assert gate._inside == 0


@given(st.lists(st.tuples(st.sampled_from(["come", "leave", "cancel"]), st.sampled_from(Lane), st.integers(0, 20))))
def test_places_are_neither_lost_nor_made(script: list[tuple[str, Lane, int]]) -> None:
    """Whatever comes, leaves or is cancelled: no lane is wider than it may be, and nobody waits beside a free place."""

    async def play() -> None:
        gate, order = Gate(width=4, kept_back=2), []
        visits: list[Visit] = []
        for act, lane, pick in script:
            if act == "come":
                visits.append(Visit(gate, lane, order))
            elif visits and act == "leave":
                visits[pick % len(visits)].leave.set()
            elif visits:
                visits[pick % len(visits)].task.cancel()
            await settle()
            inside = sum(visit.inside for visit in visits if not visit.task.done())
            assert inside == gate._inside <= 4
            waiting = [visit for visit in visits if not visit.inside and not visit.task.done()]
            if any(visit.lane is Lane.FLATTEN for visit in waiting):
                assert inside == 4
            if any(visit.lane is Lane.ENTER for visit in waiting):
                assert inside >= 2
        await empty(visits)
        assert gate._inside == 0

    asyncio.run(play())
