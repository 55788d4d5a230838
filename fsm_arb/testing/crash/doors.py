"""The two doors of a process, to a venue and to its journal, both through its fence."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NoReturn, TypeVar

from fsm_arb.errors import JournalFailed, VenueUnanswered
from fsm_arb.ports import CancelReply, InDoubt, Refused, Unanswered
from fsm_arb.testing.crash.effects import Kind
from fsm_arb.testing.crash.exchange import LATENCY_S, Answer
from fsm_arb.testing.glimpse import Append, Create
from fsm_arb.values import Health, HealthStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fsm_arb.ports import Batch, Clock, Journal, Observation, OrderRef, OrderRequest, PlaceOutcome, Record
    from fsm_arb.testing.crash.effects import Fence
    from fsm_arb.testing.crash.exchange import Exchange
    from fsm_arb.testing.crash.outside import Outside
    from fsm_arb.values import Balances, MarketRules, OrderBook

T = TypeVar("T")

COMMIT_S = 0.001  # how long a commit takes
STALL_S = 15.0  # how long one takes of which the caller hears late
CODE = "network_error"
ANSWER = Answer()


async def nothing_more() -> NoReturn:
    """Never return: whoever asks is dead, or waits for what will not come."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nobody answers this")


class VenueDoor:
    """A `Venue`: one exchange, as one process reaches it."""

    has_secrets = True

    def __init__(self, exchange: Exchange, outside: Outside, fence: Fence, clock: Clock) -> None:
        self._exchange = exchange
        self._outside = outside
        self._fence = fence
        self._clock = clock
        self._rules: MarketRules | None = None

    # -------------------------------------------------------------- orders

    async def place(self, request: OrderRequest, fresh: Callable[[], bool]) -> PlaceOutcome:
        """Send one order, once."""
        what = f"place {request.side.value} {request.amount:f}"
        if await self._reach(Kind.LEAVES, what):
            return InDoubt(code=CODE, message="nothing was heard")
        if not fresh():
            return Refused(code="too_old", message="its intent grew too old")
        answer = self._exchange.leaves(request)
        self._note(request)
        reply: asyncio.Future[PlaceOutcome] = asyncio.get_running_loop().create_future()
        if not answer.lost:
            self._outside.later(answer.transit_s, lambda: self._arrives(what, request, answer, reply))
        outcome = await reply
        if await self._reach(Kind.REPLIED, what):
            return InDoubt(code="bad_response", message="the reply cannot be read")
        return outcome

    def _note(self, request: OrderRequest) -> None:
        written_ns = self._outside.witness.intents.get(request.client_order_id)
        self._outside.witness.sent(
            Create(
                venue=self._exchange.name,
                client_order_id=request.client_order_id,
                at=self._clock.monotonic_ns(),
                durable=written_ns is not None,
                intent_age_ns=None if written_ns is None else self._clock.time_ns() - written_ns,
            )
        )

    def _arrives(self, what: str, request: OrderRequest, answer: Answer, reply: asyncio.Future[PlaceOutcome]) -> None:
        """Do what the exchange does with it, whether or not anybody lives to hear of it."""
        outcome = self._exchange.place(request, answer)
        self._outside.witness.moved()
        self._answer(what, request.client_order_id, outcome, reply, answer)

    async def cancel(self, ref: OrderRef) -> CancelReply:
        """Ask for a cancel."""
        nothing = CancelReply(accepted=False, code=CODE)
        if await self._reach(Kind.LEAVES, "cancel"):
            return nothing
        reply: asyncio.Future[CancelReply] = asyncio.get_running_loop().create_future()

        def arrives() -> None:
            said = self._exchange.cancel(ref.client_order_id)
            self._outside.witness.moved()
            self._answer("cancel", ref.client_order_id, said, reply)

        self._outside.later(LATENCY_S, arrives)
        said = await reply
        return nothing if await self._reach(Kind.REPLIED, "cancel") else said

    def _answer(
        self, what: str, client_order_id: str, outcome: T, reply: asyncio.Future[T], answer: Answer = ANSWER
    ) -> None:
        if self._fence.reach(Kind.ACTED, self._exchange.name, what) or answer.unheard:
            return

        def delivered() -> None:
            if self._fence.alive and not reply.done():
                self._exchange.heard(client_order_id, outcome)
                self._outside.witness.moved()
                reply.set_result(outcome)

        self._outside.later(answer.reply_s, delivered)

    # -------------------------------------------------------------- readings

    async def observe(self, ref: OrderRef) -> Observation:
        """Find out how an order stands."""
        nothing: Observation = Unanswered(code=CODE, message="nothing was heard")
        seen = await self._read("how an order stands", lambda: self._exchange.observe(ref.client_order_id), nothing)
        self._exchange.heard(ref.client_order_id, seen)
        self._outside.witness.moved()
        return seen

    async def rules(self, symbol: str) -> MarketRules:
        """Return what the venue accepts for *symbol*; asked once a life.

        Raises:
            VenueUnanswered: It could not be read.
        """
        if self._rules is None:
            self._rules = await self._told(f"rules of {symbol}", lambda: self._exchange.rules)
        return self._rules

    async def balances(self) -> Balances:
        """Return what is free.

        Raises:
            VenueUnanswered: It could not be read.
        """
        return await self._told("balances", self._exchange.balances)

    async def book(self, symbol: str) -> OrderBook:
        """Return the order book.

        Raises:
            VenueUnanswered: It could not be read.
        """
        return await self._told(f"book of {symbol}", lambda: self._exchange.book)

    async def health(self) -> Health:
        """Return a fresh reading."""
        up, down = (Health(status=status) for status in (HealthStatus.UP, HealthStatus.DOWN))
        return await self._read("health", lambda: up, down)

    async def close(self) -> None:
        """Release nothing: nothing was opened."""

    async def _told(self, what: str, ask: Callable[[], T]) -> T:
        answer = await self._read(what, ask, None)
        if answer is None:
            raise VenueUnanswered(f"{self._exchange.name}: {what}: nothing was heard")
        return answer

    async def _read(self, what: str, ask: Callable[[], T], failed: T) -> T:
        await asyncio.sleep(LATENCY_S)
        answer = ask()
        await asyncio.sleep(LATENCY_S)
        return failed if await self._reach(Kind.READING, what) else answer

    async def _reach(self, kind: Kind, what: str) -> bool:
        failed = self._fence.reach(kind, self._exchange.name, what)
        if not self._fence.alive:
            await nothing_more()
        return failed


class JournalDoor:
    """A `Journal`: the durable one, as one process reaches it."""

    def __init__(self, inner: Journal, outside: Outside, fence: Fence) -> None:
        self._inner = inner
        self._outside = outside
        self._fence = fence
        self._epoch = 0

    @property
    def full(self) -> bool:
        """Whether there is no room."""
        return bool(getattr(self._inner, "full", False))

    async def open(self) -> int:
        """Take the journal and begin a new epoch."""
        self._epoch = self._outside.newest_epoch = await self._inner.open()
        return self._epoch

    async def append(self, batches: Sequence[Batch]) -> None:
        """Make all *batches* durable, or none.

        Raises:
            JournalFailed: The disk does not take it.
        """
        streams = tuple(batch.stream for batch in batches)
        what = ", ".join(streams)
        if await self._reach(Kind.ASKED, what):
            raise JournalFailed("the disk is read-only for the while")
        await asyncio.sleep(COMMIT_S)
        if not self._fence.alive:
            await nothing_more()
        await self._inner.append(batches)
        newest = self._outside.newest_epoch
        self._outside.witness.committed(
            batches, Append(epoch=self._epoch, latest_epoch=newest, accepted=True, streams=streams)
        )
        if await self._reach(Kind.DURABLE, what):
            await asyncio.sleep(STALL_S)

    def read(self, stream: str) -> Iterator[Record]:
        """Yield the records of one stream in order."""
        return self._inner.read(stream)

    def streams(self, prefix: str, *, live: bool | None = None) -> Iterator[str]:
        """Yield the names of streams that begin with *prefix*, oldest first."""
        return self._inner.streams(prefix, live=live)

    async def close(self) -> None:
        """Let go of it."""
        if not self._fence.alive:
            await nothing_more()
        await self._inner.close()

    async def _reach(self, kind: Kind, what: str) -> bool:
        failed = self._fence.reach(kind, "journal", what)
        if not self._fence.alive:
            await nothing_more()
        return failed
