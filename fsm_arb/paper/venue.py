"""A venue on paper: orders meet the books it is fed, by the rules of the real one, and nothing leaves the process."""

from __future__ import annotations

import asyncio
import decimal
import random
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from attrs import frozen

from fsm_arb.clock import NS_PER_MS, NS_PER_S, SystemClock
from fsm_arb.errors import InvalidInput, UnknownSymbol, VenueUnanswered
from fsm_arb.matching.accounts import MarginAccount
from fsm_arb.matching.exchange import Exchange
from fsm_arb.matching.orders import OrderRefused, UnknownOrder
from fsm_arb.paper.books import FedBooks
from fsm_arb.paper.markets import account_of, market_of
from fsm_arb.paper.words import CODES, OTHER_CODE, new_order, snapshot_of
from fsm_arb.ports import (
    Acknowledged,
    CancelReply,
    Found,
    NotFound,
    Observation,
    OrderRef,
    OrderRequest,
    PlaceOutcome,
    Refused,
    Wire,
)
from fsm_arb.values import EXACT, ZERO, Balances, Health, HealthStatus, Level, OrderBook, to_decimal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fsm_arb.matching.ladders import Ladder
    from fsm_arb.matching.orders import Execution, Order
    from fsm_arb.ports import Clock
    from fsm_arb.values import MarketRules

MS_PER_S = 1000


@frozen(kw_only=True)
class PaperPosition:
    """What is held of one contract."""

    symbol: str
    amount: Decimal  # base, + for long
    entry: Decimal  # quote per base, on average


class PaperVenue:
    """One account on paper, a `fsm_arb.ports.Venue`. Made by `from_rules`, moved by `feed`.

    An order takes what stands in the latest book, best price first, and what
    it took is gone until the next book. What rests is met by later books, at
    its own price and the maker's fee, as far as they reach it.

    Every call takes `latency_ms`: half of it passes before the venue sees the
    order, against whatever book stands there by then, half before we hear.

    Attributes:
        name: For messages.
        health_now: What the next reading of its health says besides the age of its books; a bot that watches the
            real venue passes that one's on.
        tells_fills: Whether the reply to an order tells what it has filled, as Binance's does; False: it says that
            the order is there, as Upbit's does, and the next look tells the rest.
    """

    def __init__(
        self,
        name: str,
        rules: Iterable[MarketRules],
        balances: Mapping[str, Decimal | int | str],
        *,
        clock: Clock,
        latency_ms: Decimal | int | str,
        jitter_ms: Decimal | int | str,
        seed: int | None,
        book_max_age_s: Decimal | int | str | None,
    ) -> None:
        self.name = name
        self.health_now = Health(status=HealthStatus.UP)
        self.tells_fills = True
        self._rules = {each.symbol: each for each in rules}
        self._clock = clock
        self._latency_ms = _not_negative(latency_ms, "latency_ms")
        self._jitter_ms = _not_negative(jitter_ms, "jitter_ms")
        self._age_ns_max = (
            None if book_max_age_s is None else _not_negative(book_max_age_s, "book_max_age_s") * NS_PER_S
        )
        if self._jitter_ms and seed is None:
            raise InvalidInput("seed", seed, "is needed for a jitter: without one nothing is left to chance")
        self._random = random.Random(seed)  # noqa: S311 - a seed repeats it; drawn from only where there is a jitter
        self._books = FedBooks()
        self._on_their_way: set[asyncio.Future[Acknowledged | Refused]] = set()
        account = account_of(name, tuple(self._rules.values()), balances)
        self._engine = Exchange(
            map(market_of, self._rules.values()),
            account,
            self._books,
            ids_for_ever=False,
            post_only_refused=True,
            seed=0 if seed is None else seed,
        )

    @classmethod
    def from_rules(
        cls,
        name: str,
        rules: Iterable[MarketRules],
        balances: Mapping[str, Decimal | int | str],
        *,
        clock: Clock | None = None,
        latency_ms: Decimal | int | str = 0,
        jitter_ms: Decimal | int | str = 0,
        seed: int | None = None,
        book_max_age_s: Decimal | int | str | None = None,
    ) -> Self:
        """Return a venue that trades by the rules of a real one, with books yet to be fed.

        Args:
            name: For messages.
            rules: Of every market it trades: all spot, or all contracts with one margin currency. A real venue
                gives them: ``await CcxtVenue(...).rules(symbol)``.
            balances: What the account begins with, by asset.
            clock: Where time comes from; None for the system's.
            latency_ms: Of one call, there and back.
            jitter_ms: Added to the latency of each call, drawn evenly from zero to this.
            seed: Of that draw; nothing else is random.
            book_max_age_s: A market whose book was not fed for longer takes no order; None: a book holds for ever.

        Raises:
            InvalidInput: Names the field and the value.
        """
        return cls(
            name,
            rules,
            balances,
            clock=clock or SystemClock(),
            latency_ms=latency_ms,
            jitter_ms=jitter_ms,
            seed=seed,
            book_max_age_s=book_max_age_s,
        )

    def __repr__(self) -> str:
        return f"PaperVenue({self.name!r}, {', '.join(self._rules)})"

    # -------------------------------------------------------------- what it is fed

    def feed(self, symbol: str, book: OrderBook) -> bool:
        """Take in the book of *symbol* as it stands now; what rests and is reached by it fills.

        Returns:
            Whether it was taken in: a crossed book is not, and the one before it stays.

        Raises:
            UnknownSymbol: It is not among the markets of this venue.
        """
        with decimal.localcontext(EXACT):  # ccxt changes the thread's own
            if not self._books.put(symbol, book, self._rule(symbol).lot, self._clock.time_ns()):
                return False
            self._engine.advance(self._now_ms())
        return True

    # -------------------------------------------------------------- the port

    @property
    def has_secrets(self) -> bool:
        """Whether orders can be placed: nothing on paper needs a secret."""
        return True

    async def rules(self, symbol: str) -> MarketRules:
        """Return what the venue accepts for *symbol*.

        Raises:
            UnknownSymbol: It is not among the markets of this venue.
        """
        return self._rule(symbol)

    async def place(self, request: OrderRequest, fresh: Callable[[], bool]) -> PlaceOutcome:
        """Send one order, once."""
        if not fresh():
            return Refused(code="too_old", message="no longer fresh just before it would have been sent")
        sent_at_ns, half = self._clock.time_ns(), self._half_s()
        # What has left arrives, whether somebody still waits for the reply or not.
        arriving = asyncio.ensure_future(self._arrive(request, half))
        self._on_their_way.add(arriving)
        arriving.add_done_callback(self._on_their_way.discard)
        outcome = await asyncio.shield(arriving)
        await self._pass(half)
        wire = Wire(sent_at_ns=sent_at_ns, received_at_ns=self._clock.time_ns())
        if isinstance(outcome, Refused):
            return Refused(code=outcome.code, message=outcome.message, wire=wire)
        return Acknowledged(snapshot=outcome.snapshot, wire=wire)

    async def _arrive(self, request: OrderRequest, after_s: float) -> Acknowledged | Refused:
        await self._pass(after_s)
        return self._placed(request)

    def _placed(self, request: OrderRequest) -> Acknowledged | Refused:
        objection = self._objection(request)
        if objection is not None:
            return objection
        try:
            with decimal.localcontext(EXACT):
                order = self._engine.place(new_order(request), self._now_ms())
        except OrderRefused as refused:
            word = refused.refusal
            return Refused(code=CODES.get(word, OTHER_CODE), message=f"{self.name} on paper: {word.value}")
        return Acknowledged(snapshot=snapshot_of(order if self.tells_fills else order.as_created()))

    def _objection(self, request: OrderRequest) -> Refused | None:
        """Return what the engine does not know of: a missing or stale book, and the most that is taken at once."""
        rules = self._rules.get(request.symbol)
        if rules is None:
            return None
        silent = self._silent(request.symbol)
        if silent:
            return Refused(code="market_closed", message=f"{self.name} on paper: {silent}")
        if rules.amount_max is not None and request.amount > rules.amount_max:
            message = f"{self.name} on paper: takes no more than {rules.amount_max:f} at once"
            return Refused(code=OTHER_CODE, message=message)
        return None

    async def cancel(self, ref: OrderRef) -> CancelReply:
        """Ask for a cancel, by venue id if known, else by client id."""
        await self._pass(half := self._half_s())
        code = ""
        try:
            with decimal.localcontext(EXACT):
                now_ms = self._now_ms()
                self._engine.cancel(self._find(ref, now_ms), now_ms)
        except UnknownOrder:
            code = "order_not_found"
        await self._pass(half)
        return CancelReply(accepted=not code, code=code)

    async def observe(self, ref: OrderRef) -> Observation:
        """Find out how an order stands."""
        await self._pass(half := self._half_s())
        observation: Observation
        try:
            with decimal.localcontext(EXACT):
                observation = Found(snapshot=snapshot_of(self._find(ref, self._now_ms())))
        except UnknownOrder:
            observation = NotFound(covered=True)
        await self._pass(half)
        return observation

    def _find(self, ref: OrderRef, now_ms: int) -> Order:
        return self._engine.find(order_id=ref.venue_order_id, client_id=ref.client_order_id, now_ms=now_ms)

    async def balances(self) -> Balances:
        """Return what is free now, by asset."""
        await self._pass(half := self._half_s())
        with decimal.localcontext(EXACT):
            free = {asset: balance.free for asset, balance in self._engine.account.balances().items()}
        await self._pass(half)
        return Balances(free=free)

    async def book(self, symbol: str) -> OrderBook:
        """Return the book as it was fed last, less what was taken of it since. What rests of our own is not in it.

        Raises:
            UnknownSymbol: It is not among the markets of this venue.
            VenueUnanswered: No book of it was fed yet, or none for too long.
        """
        self._rule(symbol)
        await self._pass(half := self._half_s())
        fed, silent = self._books.latest(symbol), self._silent(symbol)
        if fed is None or silent:
            await self._pass(half)
            raise VenueUnanswered(f"{self.name} on paper: {silent}")
        with decimal.localcontext(EXACT):
            left = self._engine.liquidity.book(symbol, self._now_ms())
            book = OrderBook(bids=_levels(left.bids), asks=_levels(left.asks), at_ms=fed.book.at_ms)
        await self._pass(half)
        return book

    async def health(self) -> Health:
        """Return a fresh reading: what a bot has set, or DOWN while a market has no book."""
        before_ns = self._clock.monotonic_ns()
        await self._pass(half := self._half_s())
        said = [silent for symbol in self._rules if (silent := self._silent(symbol))]
        await self._pass(half)
        latency_ms = Decimal(self._clock.monotonic_ns() - before_ns) / NS_PER_MS
        if said:
            return Health(status=HealthStatus.DOWN, note="; ".join(said), latency_ms=latency_ms)
        now = self.health_now
        return Health(status=now.status, note=now.note, latency_ms=latency_ms, has_secrets=now.has_secrets)

    async def close(self) -> None:
        """Release nothing: there is nothing to release."""

    # -------------------------------------------------------------- what an audit asks

    def latest(self, symbol: str) -> OrderBook | None:
        """Return the book of *symbol* as it was fed last, at once; None while none was."""
        fed = self._books.latest(symbol)
        return None if fed is None else fed.book

    @property
    def executions(self) -> tuple[Execution, ...]:
        """Every fill of this account, oldest first."""
        return tuple(self._engine.executions)

    def owned(self) -> dict[str, Decimal]:
        """Return every asset of the account, what open orders and margin keep back included."""
        account = self._engine.account
        with decimal.localcontext(EXACT):
            if isinstance(account, MarginAccount):
                return dict(account.wallet)
            return {asset: balance.free + balance.used for asset, balance in account.balances().items()}

    def positions(self) -> tuple[PaperPosition, ...]:
        """Return what is held of contracts; none for a spot account."""
        account = self._engine.account
        held = account.positions if isinstance(account, MarginAccount) else {}
        return tuple(
            PaperPosition(symbol=symbol, amount=position.amount, entry=position.entry)
            for symbol, position in held.items()
            if position.amount
        )

    # -------------------------------------------------------------- small things

    def _rule(self, symbol: str) -> MarketRules:
        rules = self._rules.get(symbol)
        if rules is None:
            raise UnknownSymbol(
                "symbol", symbol, f"is not traded on {self.name} on paper: {', '.join(self._rules)} are"
            )
        return rules

    def _silent(self, symbol: str) -> str:
        """Return why a market shows no book; empty: it does."""
        fed = self._books.latest(symbol)
        if fed is None:
            return f"no book of {symbol} was fed yet"
        age_ns = self._clock.time_ns() - fed.at_ns
        if self._age_ns_max is not None and age_ns > self._age_ns_max:
            return f"the book of {symbol} was fed {age_ns / NS_PER_S:.1f} s ago"
        return ""

    def _now_ms(self) -> int:
        return self._clock.time_ns() // NS_PER_MS

    def _half_s(self) -> float:
        """Draw one call's latency; return half of it, in seconds."""
        jitter = float(self._jitter_ms) * self._random.random() if self._jitter_ms else 0.0
        return (float(self._latency_ms) + jitter) / 2 / MS_PER_S

    async def _pass(self, seconds: float) -> None:
        if seconds:
            await asyncio.sleep(seconds)


def _levels(ladder: Ladder) -> list[Level]:
    return [Level(price, amount) for price, amount in ladder]


def _not_negative(value: Decimal | int | str, name: str) -> Decimal:
    number = to_decimal(value, name)
    if number < ZERO:
        raise InvalidInput(name, number, "must not be negative")
    return number
