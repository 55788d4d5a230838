"""A trading hall: the exchange on loopback, real ccxt objects, an executor over them, and the truth to judge by."""

from __future__ import annotations

import asyncio
import contextlib
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fsm_arb import (
    Action,
    CrossExchangeDecision,
    CrossExchangeExecutor,
    CrossExecutionResult,
    ExecutionPolicy,
    Leg,
    Money,
    StaticFx,
)
from fsm_arb.codec import loads
from fsm_arb.journal import SqliteJournal
from fsm_arb.messages import Intended
from fsm_arb.ports import (
    Acknowledged,
    CancelReply,
    Found,
    InDoubt,
    NotFound,
    OrderSnapshot,
    OrderStatus,
)
from fsm_arb.testing.loopback import LoopbackExchange
from fsm_arb.values import (
    Balances,
    Fee,
    FeeIn,
    Health,
    HealthStatus,
    Level,
    MarketRules,
    OrderBook,
    TickBand,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from pathlib import Path

    from fsm_arb.ports import Batch, Record
    from fsm_arb.testing.loopback import Truth

D = Decimal

SYMBOLS = {"upbit": "BTC/KRW", "binance": "BTC/USDT", "binanceusdm": "BTC/USDT:USDT"}
BID = {"upbit": D(95_090_000), "binance": D(67_900), "binanceusdm": D(67_900)}
ASK = {"upbit": D(95_100_000), "binance": D(67_910), "binanceusdm": D(67_910)}
DEEP = D(8)  # base; more than any test trades
FX = StaticFx({"USDT/KRW": "1400"})

# Polls and fences of milliseconds: the venue answers within one.
QUICK: dict[str, Any] = {
    "poll_interval_s": "0.02",
    "absence_fence_s": "0.2",
    "fill_timeout_s": "0.3",
    "request_timeout_s": "1.5",
    "backoff_s": "0.02",
    "attempts_max": 4,
    "halted_retry_s": "0.2",
    "doubt_max_s": "5",
}


def quick(**changes: Any) -> ExecutionPolicy:
    """Return a policy for a venue next door."""
    return ExecutionPolicy(**(QUICK | changes))


async def until(true: Callable[[], Any], within_s: float = 8.0) -> None:
    """Wait for something to come true; fail if it does not."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, f"not true within {within_s} s"
        await asyncio.sleep(0.005)


class Sink:
    """An alert sink that remembers."""

    def __init__(self) -> None:
        self.alerts: list[tuple[str, str, dict[str, str]]] = []

    async def send(self, subject: str, body: str, labels: Any) -> None:
        self.alerts.append((subject, body, dict(labels)))


class Watched:
    """A journal on disk that tells what is durable, and that can be made to fail, to lag or to die."""

    def __init__(self, path: Path) -> None:
        self.inner = SqliteJournal(path, reserve_bytes=0)
        self.asked = 0  # commits, those that fail included
        self.commits = 0
        self.durable: set[str] = set()  # client order ids of intents
        self.refused: set[str] = set()  # client order ids of intents whose commit failed
        self.fail: Callable[[Sequence[Batch]], Exception | None] = lambda _: None
        self.lag_s = 0.0
        self.dies_at: tuple[int, str] | None = None  # the how-manieth commit, "before" or "after" it is durable
        self.died = asyncio.Event()

    async def open(self) -> int:
        return await self.inner.open()

    async def append(self, batches: Sequence[Batch]) -> None:
        ids = {
            intent.client_order_id
            for batch in batches
            for draft in batch.drafts
            if isinstance(fact := loads(draft.payload), Intended)
            for intent in fact.intents
        }
        number, self.asked = self.asked, self.asked + 1
        failure = self.fail(batches)
        if failure is not None:
            self.refused |= ids
            raise failure
        await asyncio.sleep(self.lag_s)
        await self._maybe_die(number, "before")
        await self.inner.append(batches)
        await self._maybe_die(number, "after")
        self.commits += 1
        self.durable |= ids

    async def _maybe_die(self, number: int, when: str) -> None:
        if self.died.is_set() or self.dies_at == (number, when):
            self.died.set()
            await asyncio.Event().wait()  # for ever: whoever waits here is cancelled

    def read(self, stream: str) -> Iterator[Record]:
        return self.inner.read(stream)

    def streams(self, prefix: str, *, live: bool | None = None) -> Iterator[str]:
        return self.inner.streams(prefix, live=live)

    async def close(self) -> None:
        await self.inner.close()


async def crash(executor: CrossExchangeExecutor) -> None:
    """End an executor as a killed process does: nothing more is sent or written. Only the file lock is given back."""
    tasks = [task for _, task in executor._opened.values()]
    for runner in executor._runners.values():
        tasks += [*([runner._task] if runner._task else []), *runner._tending._calls]
    for desk in executor._services.desks.values():
        tasks += desk._asking.values()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await executor._journal.close()


class PaperVenue:
    """A venue of our own port, for what only exact timing can show. Every order fills whole, at its bound.

    `doing` lists calls as they arrive; `wait` may hold one back.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.symbol = SYMBOLS[name]
        self.has_secrets = True
        self.doing: list[tuple[str, Any]] = []
        self.reached = asyncio.Event()  # a placing call has arrived
        self.orders: dict[str, OrderSnapshot] = {}
        self.outcomes: list[Any] = []  # instead of a fill, for the next orders
        self.free = {"BTC": D(1000), "KRW": D(10**12), "USDT": D(10**9)}
        self.status = HealthStatus.UP

    async def wait(self, what: str, detail: Any) -> None:
        """Hold a call back. To be replaced."""

    async def _call(self, what: str, detail: Any = None) -> None:
        self.doing.append((what, detail))
        if what == "place":
            self.reached.set()
        await self.wait(what, detail)

    def count(self, what: str) -> int:
        return sum(each == what for each, _ in self.doing)

    async def rules(self, symbol: str) -> MarketRules:
        await self._call("rules", symbol)
        return MarketRules(
            symbol=symbol,
            base="BTC",
            quote=symbol.partition("/")[2].partition(":")[0],
            lot=D("0.00001"),
            ticks=(TickBand(D(0), D("0.01")),),
            notional_min=D(5),
            fee_in=FeeIn.QUOTE,
        )

    async def place(self, request: Any, fresh: Callable[[], bool]) -> Any:
        await self._call("place", request)
        if not fresh():
            raise AssertionError("asked to place what is not fresh")
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if isinstance(outcome, Exception):
            raise outcome
        if outcome is not None and not isinstance(outcome, Decimal):
            return outcome
        filled = request.amount if outcome is None else outcome
        snapshot = OrderSnapshot(
            status=OrderStatus.ENDED,
            filled=filled,
            venue_order_id=f"{self.name}-{len(self.orders)}",
            amount=request.amount,
            average=request.bound if filled else None,
            fees=(Fee(D(0), "KRW"),),
        )
        self.orders[request.client_order_id] = snapshot
        return Acknowledged(snapshot=snapshot)

    async def cancel(self, ref: Any) -> CancelReply:
        await self._call("cancel", ref)
        return CancelReply(accepted=True)

    async def observe(self, ref: Any) -> Any:
        await self._call("observe", ref)
        found = self.orders.get(ref.client_order_id)
        return Found(snapshot=found) if found else NotFound(covered=True)

    async def balances(self) -> Balances:
        await self._call("balances")
        return Balances(free=dict(self.free))

    async def book(self, symbol: str) -> OrderBook:
        await self._call("book", symbol)
        return OrderBook(bids=(Level(BID[self.name], DEEP),), asks=(Level(ASK[self.name], DEEP),))

    async def health(self) -> Health:
        await self._call("health")
        return Health(status=self.status)

    async def close(self) -> None:
        await self._call("close")


IN_DOUBT = InDoubt(code="timeout", message="no answer")


def breaks(venue: PaperVenue, *kinds: str, error: BaseException | None = None, times: int = 10**9) -> None:
    """Let calls of these kinds fail, so many times; without an *error* they never answer."""
    left = [times]

    async def wait(what: str, detail: Any) -> None:
        if what in kinds and left[0]:
            left[0] -= 1
            if error is None:
                await asyncio.Event().wait()
            else:
                raise error

    venue.wait = wait  # type: ignore[method-assign]


def mends(venue: PaperVenue) -> None:
    """Let every call of a venue succeed again."""
    venue.wait = PaperVenue(venue.name).wait  # type: ignore[method-assign]


def placed(venue: PaperVenue) -> list[Any]:
    """Return the orders that a venue was asked to place, oldest first."""
    return [detail for what, detail in venue.doing if what == "place"]


def shows(venue: PaperVenue, request: Any, filled: Any, status: OrderStatus = OrderStatus.ENDED) -> OrderSnapshot:
    """Let a venue show an order from now on, filled so far."""
    venue.orders[request.client_order_id] = snapshot = OrderSnapshot(
        status=status,
        filled=D(filled),
        venue_order_id=f"late-{len(venue.orders)}",
        amount=request.amount,
        average=request.bound if D(filled) else None,
        fees=(Fee(D(0), "KRW"),),
    )
    return snapshot


def papers() -> dict[str, PaperVenue]:
    """Return two venues of our own port."""
    return {name: PaperVenue(name) for name in ("upbit", "binance")}


class Hall:
    """One loopback exchange with fixed books, and executors over it on one journal."""

    def __init__(self, server: LoopbackExchange, folder: Path) -> None:
        self.server = server
        self.path = folder / "trades.db"

    # -------------------------------------------------------------- setting up

    async def set_book(self, venue: str, bid: Any = DEEP, ask: Any = DEEP, *, shift_bps: Any = 0) -> None:
        """Fix a venue's book: base at one bid and one ask (zero: an empty side), moved by *shift_bps*."""
        factor = 1 + D(shift_bps) / 10_000
        tick = {"upbit": D(1000), "binance": D("0.01"), "binanceusdm": D("0.1")}[venue]
        sides = {
            side: [(price * factor // tick * tick, D(amount))] if D(amount) else []
            for side, price, amount in (("bids", BID[venue], bid), ("asks", ASK[venue], ask))
        }
        await self.server.set_book(venue, SYMBOLS[venue], **sides)

    def executor(self, *legs: str, **parts: Any) -> CrossExchangeExecutor:
        """Return an executor over real ccxt objects; upbit and binance unless named."""
        policy = parts.pop("policy", None) or quick()
        venues = parts.pop("venues", None) or {name: self.server.ccxt(name) for name in legs or ("upbit", "binance")}
        return CrossExchangeExecutor(**{"venues": venues, "journal": self.path, "fx": FX, "policy": policy} | parts)

    def entry(
        self,
        quantity: Any = "0.1",
        *,
        action: Action = Action.ENTRY_NEGATIVE,
        legs: tuple[str, str] = ("upbit", "binance"),
        **changes: Any,
    ) -> CrossExchangeDecision:
        """Return an entry for *quantity* base; it buys the first leg and sells the second unless told otherwise."""
        first, second = legs
        buys_first = action is Action.ENTRY_NEGATIVE
        prices = ((ASK if buys_first else BID)[first], (BID if buys_first else ASK)[second])
        values: dict[str, Any] = {
            "action": action,
            "legs": (Leg(first, SYMBOLS[first]), Leg(second, SYMBOLS[second])),
            "notional": Money(D(quantity) * prices[0], "KRW" if first == "upbit" else "USDT"),
            "prices": prices,
            "reason": "a test",
        }
        return CrossExchangeDecision(**(values | changes))

    def exit(self, entry: CrossExecutionResult, action: Action = Action.EXIT_TP, **changes: Any) -> Any:
        """Return an exit of what *entry* opened."""
        sells_first = entry.decision.action is Action.ENTRY_NEGATIVE
        names = [leg.exchange for leg in entry.decision.legs]
        prices = ((BID if sells_first else ASK)[names[0]], (ASK if sells_first else BID)[names[1]])
        values: dict[str, Any] = {
            "action": action,
            "legs": entry.decision.legs,
            "prices": prices,
            "position_id": entry.position_id,
        }
        return CrossExchangeDecision(**(values | changes))

    # -------------------------------------------------------------- judging

    async def truth(self) -> Truth:
        """Return the venues' own books."""
        return await self.server.truth()

    async def orders(self, venue: str) -> list[Any]:
        """Return the orders that a venue accepted, oldest first."""
        return list((await self.truth())[venue].orders)

    async def creates(self, venue: str | None = None) -> int:
        """Return how many orders reached a venue, or all of them, refused or not."""
        truth = await self.truth()
        return sum(len(each.received) for name, each in truth.venues.items() if venue in {None, name})

    async def check(self, result: CrossExecutionResult | None = None, base: str = "BTC") -> Truth:
        """Check what must hold when nothing runs: no order lives, none was sent twice, no more than dust is naked."""
        truth = await self.truth()
        for name, venue in truth.venues.items():
            assert venue.sent_twice() == [], name
            assert [order for order in venue.orders if order.is_open] == [], name
            if name != "binanceusdm":
                assert venue.unexplained() == {}, name
        if result is not None:
            # What we say is naked is what the venues say, and it is too small to trade.
            assert truth.net(base) == result.net_exposure
            assert abs(result.net_exposure) < (result.dust or D("0.00005"))
        return truth


@contextlib.asynccontextmanager
async def open_hall(folder: Path, **options: Any) -> AsyncIterator[Hall]:
    """Open a hall whose books are deep and still."""
    async with LoopbackExchange(**{"seed": 7, "step_ms": 0} | options) as server:
        hall = Hall(server, folder)
        for venue in SYMBOLS:
            await hall.set_book(venue)
        yield hall
