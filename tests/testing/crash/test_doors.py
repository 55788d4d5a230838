"""Each call of a process is so many effects, and each of them can go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from fsm_arb.errors import JournalFailed, VenueUnanswered
from fsm_arb.journal.memory import MemoryJournal
from fsm_arb.ports import (
    Acknowledged,
    CancelReply,
    Found,
    InDoubt,
    NotFound,
    OrderRef,
    OrderRequest,
    Refused,
    Unanswered,
    Venue,
)
from fsm_arb.scribe import Page, trade_drafts
from fsm_arb.testing.crash.doors import STALL_S, JournalDoor, VenueDoor
from fsm_arb.testing.crash.effects import Fence, Kind, Mode, Strike
from fsm_arb.testing.crash.exchange import Answer
from fsm_arb.testing.crash.outside import Outside
from fsm_arb.testing.crash.scenarios import POLICY, entry
from fsm_arb.trade import Trade
from fsm_arb.values import HealthStatus, OrderType, Side
from fsm_arb.virtual import VirtualLoop

T = TypeVar("T")
D = Decimal
SELL = OrderRequest(
    symbol="BTC/USD", side=Side.SELL, amount=D(1), order_type=OrderType.IOC, bound=D(99), client_order_id="c1"
)
REF = OrderRef(symbol="BTC/USD", side=Side.SELL, amount=D(1), client_order_id="c1")
_, BEGUN = Trade.begin("t", entry("t"), POLICY, str, now=0, at_ns=1)
BATCH = Page("trade/t").batch(trade_drafts(BEGUN.entries), live=True)


class Room:
    """A process with both doors."""

    def __init__(self, strike: Strike | None = None, *answers: Answer) -> None:
        self.outside = Outside({"alpha": answers})
        self.loop = VirtualLoop(self.outside.clock)
        self.fence = Fence(strike, self.outside.clock.monotonic_ns, 10**12, self.loop.stop)
        self.venue = VenueDoor(self.outside.exchanges["alpha"], self.outside, self.fence, self.outside.clock)
        self.inner = MemoryJournal()
        self.journal = JournalDoor(self.inner, self.outside, self.fence)
        self.outside.attach(self.loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self.loop.run_until_complete(work)
        finally:
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.loop.run_until_complete(asyncio.sleep(1))
            self.loop.close()

    @property
    def kinds(self) -> list[Kind]:
        return [effect.kind for effect in self.fence.effects]


def placing(room: Room) -> Awaitable[object]:
    return room.venue.place(SELL, lambda: True)


async def within(work: Awaitable[T]) -> T | str:
    try:
        return await asyncio.wait_for(work, 30)
    except TimeoutError:
        return "nothing"


def test_a_door_is_a_venue() -> None:
    """The executor cannot tell."""
    assert isinstance(Room().venue, Venue)


def test_placing_is_three_effects() -> None:
    """The request leaves, the venue acts, the reply arrives; the venue's door has seen it."""
    room = Room()
    assert isinstance(room.run(within(placing(room))), Acknowledged)
    assert room.kinds == [Kind.LEAVES, Kind.ACTED, Kind.REPLIED]
    (create,) = room.outside.witness.glimpse.creates
    assert (create.client_order_id, create.durable, create.intent_age_ns) == ("c1", False, None)


@pytest.mark.parametrize(
    ("at", "outcome", "orders"), [(1, InDoubt, 0), (2, str, 1), (3, InDoubt, 1)], ids=["leaves", "acted", "replied"]
)
def test_a_placing_that_fails_is_in_doubt(at: int, outcome: type, orders: int) -> None:
    """Before the wire nothing arrives; after the venue has acted nobody hears; or what is heard cannot be read."""
    room = Room(Strike(at, Mode.ONCE))
    assert isinstance(room.run(within(placing(room))), outcome)
    assert len(room.outside.exchanges["alpha"].orders) == orders


@pytest.mark.parametrize(("at", "orders"), [(1, 0), (2, 1), (3, 1)])
def test_nothing_of_a_dead_process_goes_on(at: int, orders: int) -> None:
    """What had left arrives all the same; nobody hears of it."""
    room = Room(Strike(at, Mode.DIES))
    with pytest.raises(RuntimeError, match="stopped before"):
        room.run(within(placing(room)))
    assert len(room.outside.exchanges["alpha"].orders) == orders
    assert not room.fence.alive


def test_an_intent_that_is_too_old_is_not_sent() -> None:
    """As the port says."""
    room = Room()
    outcome = room.run(room.venue.place(SELL, lambda: False))
    assert isinstance(outcome, Refused)
    assert outcome.code == "too_old"
    assert room.outside.witness.glimpse.creates == ()


@pytest.mark.parametrize(("answer", "orders"), [(Answer(lost=True), 0), (Answer(unheard=True), 1)])
def test_a_lost_request_and_a_lost_reply_sound_alike(answer: Answer, orders: int) -> None:
    """Nothing is heard."""
    room = Room(None, answer)
    assert room.run(within(placing(room))) == "nothing"
    assert len(room.outside.exchanges["alpha"].orders) == orders


@pytest.mark.parametrize(("strike", "accepted"), [(None, True), (4, False), (6, False)])
def test_a_cancel_is_three_effects(strike: int | None, accepted: bool) -> None:
    """It is believed only when its reply has arrived."""
    room = Room(Strike(strike, Mode.ONCE) if strike else None)

    async def place_and_cancel() -> CancelReply:
        await placing(room)
        return await room.venue.cancel(REF)

    assert room.run(place_and_cancel()).accepted is accepted
    assert room.kinds[3:] == ([Kind.LEAVES] if strike == 4 else [Kind.LEAVES, Kind.ACTED, Kind.REPLIED])


async def asked(room: Room) -> list[object]:
    venue = room.venue
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: venue.rules("BTC/USD"),
        venue.balances,
        lambda: venue.book("BTC/USD"),
        venue.health,
        lambda: venue.observe(REF),
        lambda: venue.rules("BTC/USD"),
    ]
    answers: list[object] = []
    for call in calls:
        try:
            answers.append(await call())
        except VenueUnanswered as error:
            answers.append(error)
    await venue.close()
    return answers


def test_a_reading_is_one_effect() -> None:
    """Rules are asked for once a life."""
    room = Room()
    rules, balances, book, health, seen, again = room.run(asked(room))
    alpha = room.outside.exchanges["alpha"]
    assert (rules, balances, book, again) == (alpha.rules, alpha.balances(), alpha.book, alpha.rules)
    assert health.status is HealthStatus.UP  # type: ignore[attr-defined]
    assert isinstance(seen, NotFound)
    assert room.kinds == [Kind.READING] * 5


def test_a_reading_that_fails_says_nothing() -> None:
    """Each in the way of its own."""
    room = Room(Strike(1, Mode.ON))
    rules, balances, book, health, seen, again = room.run(asked(room))
    assert all(isinstance(each, VenueUnanswered) for each in (rules, balances, book, again))
    assert health.status is HealthStatus.DOWN  # type: ignore[attr-defined]
    assert isinstance(seen, Unanswered)


def test_what_was_observed_has_been_told() -> None:
    """From then on the venue's word stands."""
    room = Room()

    async def place_and_look() -> object:
        await within(placing(room))
        return await room.venue.observe(REF)

    assert isinstance(room.run(place_and_look()), Found)
    assert room.outside.witness.glimpse.orders["c1"].told_over


# ------------------------------------------------------------------ the journal


async def written(room: Room) -> float:
    """Return how long it took."""
    await room.journal.open()
    began = room.loop.time()
    await room.journal.append([BATCH])
    return room.loop.time() - began


def durable(room: Room) -> list[str]:
    return [record.stream for record in room.inner.disk.records]


def test_a_commit_is_two_effects() -> None:
    """It is asked for, and durable before who asked is told."""
    room = Room()
    assert room.run(written(room)) < 1
    assert room.kinds == [Kind.ASKED, Kind.DURABLE]
    (append,) = room.outside.witness.glimpse.appends
    assert (append.epoch, append.latest_epoch, append.accepted, append.streams) == (1, 1, True, ("trade/t",))
    assert not room.journal.full


def test_a_commit_that_fails_leaves_nothing() -> None:
    """One that was durable already is only told late: a journal never takes back what it has."""
    room = Room(Strike(1, Mode.ONCE))
    with pytest.raises(JournalFailed):
        room.run(written(room))
    assert durable(room) == []
    late = Room(Strike(2, Mode.ONCE))
    assert late.run(written(late)) >= STALL_S
    assert durable(late) == ["trade/t"]


@pytest.mark.parametrize(("at", "streams"), [(1, []), (2, ["trade/t"])])
def test_a_process_dies_before_or_after_its_records_are_durable(at: int, streams: list[str]) -> None:
    """And nothing follows."""
    room = Room(Strike(at, Mode.DIES))
    with pytest.raises(RuntimeError, match="stopped before"):
        room.run(written(room))
    assert durable(room) == streams


def test_a_commit_under_way_is_lost_with_its_process() -> None:
    """It was asked for, and somebody else's effect ended it all."""
    room = Room(Strike(2, Mode.DIES))

    async def both() -> None:
        await room.journal.open()
        await asyncio.gather(room.journal.append([BATCH]), placing(room))

    with pytest.raises(RuntimeError, match="stopped before"):
        room.run(both())
    assert durable(room) == []


def test_reading_and_closing_go_through() -> None:
    """What is durable is there to be read."""
    room = Room()

    async def read() -> tuple[list[str], int]:
        await written(room)
        found = list(room.journal.streams("trade/")), len(list(room.journal.read("trade/t")))
        await room.journal.close()
        return found

    assert room.run(read()) == (["trade/t"], 1)
    assert room.inner.disk.driver is None
