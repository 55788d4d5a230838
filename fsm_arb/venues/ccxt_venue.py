"""The venue port over any exchange of ccxt's async family, or what looks like one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from fsm_arb.clock import SystemClock
from fsm_arb.errors import InvalidInput, VenueUnanswered
from fsm_arb.ports import (
    Acknowledged,
    CancelReply,
    Found,
    InDoubt,
    NotFound,
    Observation,
    OrderRef,
    OrderRequest,
    OrderStatus,
    PlaceOutcome,
    Refused,
    Unanswered,
    Venue,
    Wire,
)
from fsm_arb.values import FeeIn
from fsm_arb.venues import health, wire
from fsm_arb.venues.account import RulesReader
from fsm_arb.venues.classify import classify, code_of
from fsm_arb.venues.dialects import dialect_of
from fsm_arb.venues.lookup import (
    Search,
    Unreadable,
    call_short,
    ensure_readable,
    fill_in,
    make_call,
    offers,
    words_for,
)
from fsm_arb.venues.parse import contract_size, parse_balances, parse_book, parse_order
from fsm_arb.venues.requests import Unplaceable, order_arguments
from fsm_arb.venues.scrub import Scrubber
from fsm_arb.venues.settings import Discreet, follow_clock, is_synchronous, make_safe
from fsm_arb.venues.window import known_offset_ms, since_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from fsm_arb.ports import Clock, OrderSnapshot
    from fsm_arb.values import Balances, Health, MarketRules, OrderBook

log = logging.getLogger(__name__)

TRADES_PAGE = 100


class CcxtVenue:
    """One exchange account reached through ccxt's unified API.

    Args:
        exchange: A ``ccxt.async_support`` exchange, or an object with its
            surface. It stays the caller's: settings that orders need are
            applied to it, and it is never closed here.
        name: What the venue is called, for messages.
        orders: A second instance of the same account, used for placing and
            cancelling, so that reads never delay orders; None: *exchange*.
        clock: Where wall-clock times come from; None: the system's.

    Raises:
        InvalidInput: The exchange is of ccxt's synchronous family, or no exchange.
        VenueMisconfigured: A setting that orders need cannot be applied.
    """

    def __init__(self, exchange: Any, *, name: str, orders: Any = None, clock: Clock | None = None) -> None:
        _check_usable(exchange, name)
        if orders is not None:
            _check_usable(orders, name)
        self.name = name
        self.dialect = dialect_of(exchange, name)
        self._exchange = exchange
        self._orders = exchange if orders is None else orders
        self._clock: Clock = clock or SystemClock()
        self._offset_ms: int | None = None  # the venue's clock minus ours, as last measured
        self._scrub = Scrubber(exchange, self._orders)
        for candidate in {id(exchange): exchange, id(self._orders): self._orders}.values():
            make_safe(candidate, self.dialect, name)
            Discreet.put_on(candidate, self._scrub)
        self._rules = RulesReader(exchange, self._orders, self.dialect, name, self._scrub)

    def __repr__(self) -> str:
        return f"CcxtVenue({self.name!r}, {self.dialect.exchange_id})"

    @property
    def has_secrets(self) -> bool:
        """Whether the credentials that orders need are all there."""
        return health.has_secrets(self._orders)

    async def rules(self, symbol: str) -> MarketRules:
        """Return what the venue accepts for *symbol*; loads markets on first use.

        Raises:
            UnknownSymbol: The venue answers and does not list it.
            VenueMisconfigured: Hedge mode, or a market whose size is not in base.
            VenueUnanswered: Markets could not be read.
        """
        return await self._rules.rules(symbol)

    # ------------------------------------------------------------------ orders

    async def place(self, request: OrderRequest, fresh: Callable[[], bool]) -> PlaceOutcome:
        """Send one order, once.

        A cancellation of the awaiting task goes through; what became of the
        order is then unknown.

        Args:
            request: What to send.
            fresh: Asked after queue and connection, before the first byte;
                where the exchange object hides those, before the call.
        """
        call = wire.Call(
            clock=self._clock,
            fresh=fresh,
            urgent=True,
            mark=self.dialect.wire_id(request.client_order_id) if self.dialect.listed else None,
        )
        wired = wire.sees_orders(self._orders)
        try:
            market = await self._rules.market(request.symbol)
            arguments = order_arguments(request, market, self.dialect, self._orders)
        except Unplaceable as error:
            return Refused(code=error.code, message=str(error))
        except Exception as error:  # noqa: BLE001 - nothing was sent, whatever it is
            return Refused(code="not_sent", message=self._scrub.message(error))
        try:
            if not wired:
                call.ask()
                call.asked, call.sent_at_ns = 1, self._clock.time_ns()
            with wire.calling(call):
                reply = await self._orders.create_order(*arguments.positional, arguments.params)
        except wire.TooOld:
            return self._too_old(call)
        except Exception as error:  # noqa: BLE001 - each is told apart below
            return self._failed_to_place(error, call, wired=wired)
        return self._placed(reply, request, market, call, wired=wired)

    def _too_old(self, call: wire.Call) -> PlaceOutcome:
        if not call.proven_unsent:  # a redirect asked again after the first copy had left
            return InDoubt(code="too_old", message="grew too old after it was first written", wire=call.wire())
        return Refused(code="too_old", message="no longer fresh just before it would have been written", wire=Wire())

    def _failed_to_place(self, error: Exception, call: wire.Call, *, wired: bool) -> PlaceOutcome:
        unsent = wired and call.proven_unsent
        verdict = classify(error, self.dialect, unsent=unsent, status=call.http_status, body=call.body)
        message = f"{type(error).__name__}: {self._scrub.message(error)}"
        stamps = self._wire(call, wired=wired)
        if verdict.refused and verdict.code == "not_sent":
            stamps = Wire()
        raw = self._scrub.text(call.body)
        outcome = Refused if verdict.refused else InDoubt
        return outcome(code=verdict.code, message=message, raw=raw, wire=stamps)

    def _placed(
        self, reply: object, request: OrderRequest, market: Mapping[str, Any], call: wire.Call, *, wired: bool
    ) -> PlaceOutcome:
        if not wired:
            call.received_at_ns = self._clock.time_ns()
        stamps = self._wire(call, wired=wired)
        if not isinstance(reply, dict) or not reply.get("id"):
            message = f"the reply to create holds no order id (HTTP {call.http_status})"
            return InDoubt(code="reply_without_id", message=message, raw=self._scrub.raw(reply), wire=stamps)
        try:
            snapshot = self._parse(reply, market, request.client_order_id)
        except Exception as error:  # noqa: BLE001 - an order that exists must not be lost to a parser
            message = f"the reply to create cannot be read: {self._scrub.message(error)}"
            return InDoubt(code="reply_unreadable", message=message, raw=self._scrub.raw(reply), wire=stamps)
        self._rules.learn(market, request.side, snapshot)
        return Acknowledged(snapshot=snapshot, wire=stamps)

    async def cancel(self, ref: OrderRef) -> CancelReply:
        """Ask for a cancel, by venue id if known, else by client id. Idempotent; proves nothing."""
        call = wire.Call(clock=self._clock, urgent=True)
        wired = wire.is_wired(self._orders)
        try:
            market = await self._rules.market(ref.symbol)
            with wire.calling(call):
                reply = await self._cancel(ref, market)
                ensure_readable()
        except Exception as error:  # noqa: BLE001
            message = f"{type(error).__name__}: {self._scrub.message(error)}"
            code = error.code if isinstance(error, Unplaceable | Unreadable) else code_of(error)
            raw = self._scrub.text(call.body)
            return CancelReply(accepted=False, code=code, message=message, raw=raw, wire=self._wire(call, wired=wired))
        info = reply.get("info") if isinstance(reply, dict) else reply
        return CancelReply(accepted=True, raw=self._scrub.raw(info or reply), wire=self._wire(call, wired=wired))

    async def _cancel(self, ref: OrderRef, market: Mapping[str, Any]) -> Any:
        words = words_for(self.dialect, market, ref.client_order_id, ref.venue_order_id)
        if ref.venue_order_id is not None:
            if self.dialect.cancel_known is not None:
                return await make_call(self._orders, self.dialect.cancel_known, words)
            return await self._orders.cancel_order(ref.venue_order_id, ref.symbol)
        if self.dialect.cancel is None or self.dialect.client_id_param is None:
            raise Unplaceable("not_supported", f"{self.name} cannot cancel by client id; observe the order first")
        return await make_call(self._orders, self.dialect.cancel, words)

    async def observe(self, ref: OrderRef) -> Observation:
        """Find out how an order stands: by venue id, by our id, then in every list that could show it."""
        call = wire.Call(clock=self._clock)
        try:
            with wire.calling(call):
                return await self._observe(ref, call)
        except Exception as error:  # noqa: BLE001 - a read that fails says nothing
            return Unanswered(code=code_of(error), message=self._scrub.message(error), wire=call.wire())

    async def _observe(self, ref: OrderRef, call: wire.Call) -> Observation:
        market = await self._rules.market(ref.symbol)
        search = Search(self._exchange, self.dialect, market, ref, self._clock, self._scrub, self._offset_ms)
        order = await search.find()
        wired = wire.is_wired(self._exchange)
        if order is None:
            stamps = self._wire(call, wired=wired)
            if search.failure is not None or not search.answered:
                code, message = search.failure or ("not_supported", f"{self.name} offers no way to look an order up")
                return Unanswered(code=code, message=message, wire=stamps)
            if not search.covered and known_offset_ms(self._offset_ms) is None:
                # By clocks that were never compared no list can be asked from a time: the next look's can.
                self._follow(await health.clock_offset(self._exchange, self._clock))
            said = {source: answer.value for source, answer in search.answers.items()}
            return NotFound(covered=search.covered, raw=said, wire=stamps)
        snapshot = self._parse(order, market, ref.client_order_id)
        if self._lacks(snapshot):
            trades = await self._trades_of(snapshot, ref, market)
            if trades:
                fuller = self._parse(order, market, ref.client_order_id, trades)
                snapshot = fuller if fuller.fills else snapshot
        self._rules.learn(market, ref.side, snapshot)
        return Found(snapshot=snapshot, wire=self._wire(call, wired=wired))

    def _lacks(self, snapshot: OrderSnapshot) -> bool:
        """Whether fills must be read separately to know what was received, or at which price."""
        if not snapshot.filled or snapshot.venue_order_id is None:
            return False
        fee_matters = self.dialect.fee_in is not FeeIn.QUOTE or snapshot.status is OrderStatus.ENDED
        return (snapshot.fees is None and fee_matters) or (snapshot.average is None and not snapshot.fills)

    async def _trades_of(self, snapshot: OrderSnapshot, ref: OrderRef, market: Mapping[str, Any]) -> list[Any]:
        """Return ccxt's trades of one order; none where they cannot be read now."""
        order_id = snapshot.venue_order_id
        for method, arguments in self._trade_calls(str(order_id), ref, market):
            if not offers(self._exchange, method):
                continue
            try:
                rows = await call_short(getattr(self._exchange, method), *arguments)
            except Exception as error:  # noqa: BLE001
                log.info("venue %s: %s did not answer: %s", self.name, method, self._scrub.message(error))
                continue
            ours = [row for row in rows or () if isinstance(row, dict) and _belongs(row, order_id, method)]
            if ours:
                return ours
        return []

    def _trade_calls(
        self, order_id: str, ref: OrderRef, market: Mapping[str, Any]
    ) -> tuple[tuple[str, tuple[Any, ...]], ...]:
        words = words_for(self.dialect, market, ref.client_order_id, order_id)
        narrowed = fill_in(self.dialect.trades_params, words)
        since = None if narrowed else since_of(ref, known_offset_ms(self._offset_ms))
        return (
            ("fetch_order_trades", (order_id, ref.symbol)),
            ("fetch_my_trades", (ref.symbol, since, None, narrowed)),
        )

    # ------------------------------------------------------------------ reads

    async def balances(self) -> Balances:
        """Return what is free now, by asset.

        Raises:
            VenueUnanswered: No usable answer.
        """
        return parse_balances(await self._read("fetch_balance"))

    async def book(self, symbol: str) -> OrderBook:
        """Return the order book as it stands now, some twenty levels a side.

        Raises:
            UnknownSymbol: The venue does not list it.
            VenueUnanswered: No usable answer.
        """
        market = await self._rules.market(symbol)
        arguments = (symbol,) if self.dialect.book_limit is None else (symbol, self.dialect.book_limit)
        return parse_book(await self._read("fetch_order_book", *arguments), contract_size(market))

    async def health(self) -> Health:
        """Return a fresh reading, and let signed requests follow the venue's clock from now on. Never raises."""
        reading = await health.read(
            self._exchange, self._orders, self._clock, self._scrub, tells_status=self.dialect.tells_status
        )
        self._follow(reading.clock_offset_ms)
        return reading

    def _follow(self, offset_ms: Decimal | None) -> None:
        """Take in by how much the venue's clock is ahead of ours, ms; None: it was not told."""
        if offset_ms is not None:
            self._offset_ms = int(offset_ms)
            for exchange in (self._exchange, self._orders):
                follow_clock(exchange, offset_ms)

    async def close(self) -> None:
        """Release what this adapter opened itself: the reads it shares between callers. The exchanges stay open."""
        await self._rules.close()

    async def _read(self, method: str, *arguments: Any) -> dict[str, Any]:
        answer = failure = None
        try:
            with wire.calling(wire.Call(clock=self._clock)):
                answer = await getattr(self._exchange, method)(*arguments)
                ensure_readable()
        except Exception as error:  # noqa: BLE001 - told below, without what a foreign error carries
            failure = f"{type(error).__name__}: {self._scrub.message(error)}"
        if failure is not None:
            raise VenueUnanswered(f"{self.name}: {method}: {failure}")
        if not isinstance(answer, dict):
            raise VenueUnanswered(f"{self.name}: {method} answered {type(answer).__name__}, not a dict")
        return answer

    # ------------------------------------------------------------------ the parts of the above

    def _parse(
        self, order: Mapping[str, Any], market: Mapping[str, Any], client_order_id: str, trades: object = None
    ) -> OrderSnapshot:
        return parse_order(
            order,
            self.dialect,
            size=contract_size(market),
            client_order_id=client_order_id,
            scrub=self._scrub.raw,
            trades=trades,
        )

    def _wire(self, call: wire.Call, *, wired: bool) -> Wire:
        if wired:
            return call.wire()
        return Wire(sent_at_ns=call.sent_at_ns, received_at_ns=call.received_at_ns)


def _check_usable(exchange: Any, name: str) -> None:
    if not callable(getattr(exchange, "create_order", None)):
        raise InvalidInput(f"venues[{name!r}]", type(exchange).__name__, "is neither a venue nor a ccxt exchange")
    if is_synchronous(exchange):
        raise InvalidInput(
            f"venues[{name!r}]",
            type(exchange).__name__,
            "is a synchronous exchange; use the class of the same name from ccxt.async_support",
        )


def _belongs(trade: Mapping[str, Any], order_id: str | None, method: str) -> bool:
    shown = trade.get("order")
    # Some venues leave the order out where they were asked for exactly that order's trades.
    return str(shown) == order_id or (shown is None and method == "fetch_order_trades")


def as_venue(obj: Any, name: str, clock: Clock) -> Venue:
    """Return *obj* as a venue: itself where it is one, else wrapped.

    Args:
        obj: A venue of our port, a ``ccxt.async_support`` exchange, or an object with its surface.
        name: Its key in the executor's ``venues``.
        clock: Where wall-clock times come from.

    Raises:
        InvalidInput: Neither a venue nor an asynchronous exchange.
        VenueMisconfigured: A setting that orders need cannot be applied.
    """
    if callable(getattr(obj, "place", None)) and callable(getattr(obj, "observe", None)):
        return obj  # type: ignore[no-any-return]
    return CcxtVenue(obj, name=name, clock=clock)
