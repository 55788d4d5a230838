"""Orders on a simulated venue: placed, cancelled, ended. What was sent happens, whether or not anybody still waits."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import evolve

from fsm_arb.matching.market import FeeRule
from fsm_arb.matching.orders import OrderRefused, Refusal, Status, TimeInForce, UnknownOrder
from fsm_arb.testing.simulated.engine import Bends
from fsm_arb.testing.simulated.errors import DEFINITE, REFUSALS, ccxt_error
from fsm_arb.testing.simulated.kinds import FaultKind, Operation
from fsm_arb.testing.simulated.views import ENDED_WORDS, SELF_TRADED, View, cancelled, seen
from fsm_arb.values import ZERO, ceil_to, divide, floor_to

if TYPE_CHECKING:
    from fsm_arb.matching.market import Market
    from fsm_arb.matching.orders import NewOrder, Order
    from fsm_arb.testing.simulated.kinds import Fault
    from fsm_arb.testing.simulated.register import Request
    from fsm_arb.testing.simulated.venue import Call, SimulatedVenue

BAND = Decimal("0.00001")  # how far through the touch a limit may lie while a band is closed, fraction
COARSER = 10  # how many lots make the grid of a venue that rounds down
HALF = Decimal("0.5")
SHARES = tuple(Decimal(tenths) / 10 for tenths in range(1, 10))

_LOST = (FaultKind.LOST_BEFORE, FaultKind.LOST_AFTER, FaultKind.ACCEPTED_LATE)
_REFUSED = {
    FaultKind.REFUSED: Refusal.INJECTED,
    FaultKind.NO_FUNDS: Refusal.FUNDS,
}
_FEES = {FaultKind.FEE_IN_BASE: FeeRule.RECEIVED, FaultKind.FEE_ELSEWHERE: FeeRule.BNB}
_NATURAL = {
    Refusal.DUPLICATE: FaultKind.DELIVERED_TWICE,
    Refusal.LOT: FaultKind.DUST_LEFT,
    Refusal.AMOUNT_MIN: FaultKind.DUST_LEFT,
    Refusal.NOTIONAL_MIN: FaultKind.DUST_LEFT,
    Refusal.FUNDS: FaultKind.NO_FUNDS,
    Refusal.POST_ONLY: FaultKind.POST_ONLY,
    Refusal.BAND: FaultKind.BAND,
}


class OrderDesk:
    """Takes orders and cancels for one venue."""

    def __init__(self, venue: SimulatedVenue) -> None:
        self._venue = venue

    # -------------------------------------------------------------- placing

    async def create(self, new: NewOrder) -> tuple[Request, View | None]:
        """Place an order; return its request, and how the reply shows it: None for a reply without an id.

        Raises:
            Exception: One of ccxt's, as the venue or the way there has it.
        """
        venue = self._venue
        request = venue.register.enter(new, venue.monotonic_ns())
        for observer in venue.observers:
            observer.on_create(venue.name, new.client_id or request.name)
        call = venue.begin(Operation.CREATE, new.symbol, request.name)
        queued = call.meets(FaultKind.DELAYED, FaultKind.ACCEPTED_LATE)
        extra_ms = queued.ms if queued is not None else 0
        venue.at(call.arrives_ms + extra_ms, lambda at_ms: self._arrive(request, call, at_ms))
        lost = call.meets(*_LOST)
        if lost is not None:
            raise await venue.lose(call, lost)
        if queued is not None:
            venue.hit(queued, new.symbol, request.name)
        await venue.travel(call, extra_ms)
        await venue.come_back(call)
        if request.error is not None:
            if type(request.error).__name__ in DEFINITE and not call.meets(FaultKind.DELIVERED_TWICE):
                request.told_over = True
            raise request.error
        order = request.order
        if order is None:
            return request, None
        return request, self._reply(call, order)

    def _reply(self, call: Call, order: Order) -> View | None:
        venue = self._venue
        nameless = call.meets(FaultKind.NO_ID)
        if nameless is not None:
            venue.hit(nameless, call.symbol, call.client_id)
            return None
        return self.view(order, call, venue.now_ms())

    def _arrive(self, request: Request, call: Call, at_ms: int) -> None:
        """Let a request to place an order reach the venue."""
        venue, fault = self._venue, call.fault
        request.on_its_way = False
        if call.meets(FaultKind.LOST_BEFORE):
            return
        nameless = call.meets(FaultKind.NO_ID_LOST)
        if nameless is not None:
            venue.hit(nameless, call.symbol, call.client_id)
            return
        request.error = venue.objection(call, at_ms)
        if request.error is not None:
            return
        try:
            order = self._place(request, call, at_ms)
        except OrderRefused as refused:
            request.error = ccxt_error(*REFUSALS[refused.refusal])
            return
        if fault is not None:
            self._after(request, call, fault, order, at_ms)

    def _place(self, request: Request, call: Call, at_ms: int) -> Order:
        venue, new = self._venue, request.new
        refusal = self._refusal(call, new, at_ms)
        if refusal is not None:
            venue.engine.refuse(new, refusal, at_ms)
        new, bends = self._bent(call, new, at_ms)
        venue.engine.advance(at_ms)  # whatever else arrives by now is not to be taken for this one
        # Known before it executes, so that an execution is told with its client id.
        venue.engine.accepting = lambda order: venue.register.arrived(request, order)
        try:
            return venue.engine.place_bent(new, at_ms, bends)
        except OrderRefused as refused:
            kind = _NATURAL.get(refused.refusal)
            if kind is not None:
                venue.hit_by_nature(kind, call.symbol, call.client_id)
            raise
        finally:
            venue.engine.accepting = None

    def _refusal(self, call: Call, new: NewOrder, at_ms: int) -> Refusal | None:
        """Return why a fault, of this call or one that holds on, keeps the order out."""
        venue, fault = self._venue, call.fault
        held = venue.conditions
        for kind, refusal in (
            (FaultKind.DELISTED, Refusal.UNKNOWN_MARKET),
            (FaultKind.HALT, Refusal.HALTED),
            (FaultKind.REFUSES, Refusal.INJECTED),
        ):
            condition = held.of(kind, at_ms, new.symbol)
            if condition is not None:
                venue.hit(condition, new.symbol, call.client_id)
                if kind is FaultKind.DELISTED:
                    venue.end_all(new.symbol, at_ms)
                return refusal
        band = held.of(FaultKind.BAND, at_ms, new.symbol)
        if band is not None and venue.engine.refusal_for_band(new, at_ms, BAND) is not None:
            venue.hit(band, new.symbol, call.client_id)
            return Refusal.BAND
        if fault is None:
            return None
        said = _REFUSED.get(fault.kind)
        if fault.kind is FaultKind.POST_ONLY and new.time_in_force is TimeInForce.POST_ONLY:
            said = Refusal.POST_ONLY
        if said is not None:
            venue.hit(fault, new.symbol, call.client_id)
        return said

    def _bent(self, call: Call, new: NewOrder, at_ms: int) -> tuple[NewOrder, Bends]:
        """Return what a fault makes of a new order, and how the order will execute."""
        venue, fault, bends = self._venue, call.fault, Bends(fault=call.fault)
        market = venue.engine.markets.get(new.symbol)
        if fault is None or market is None or new.amount is None:
            return new, bends
        bends.fee_rule = _FEES.get(fault.kind)  # told when it is charged
        bends.share = self._share(fault, new, market, at_ms)
        if fault.kind is FaultKind.FILLS_LATE:
            bends.fills_shown_after_ms = fault.ms
        rounded = floor_to(new.amount, market.lot * COARSER) if fault.kind is FaultKind.ROUNDED else new.amount
        if ZERO < rounded < new.amount:
            new = evolve(new, amount=rounded)
            venue.hit(fault, new.symbol, call.client_id)
        if bends.share is not None or bends.fills_shown_after_ms:
            venue.hit(fault, new.symbol, call.client_id)
        return new, bends

    def _share(self, fault: Fault, new: NewOrder, market: Market, at_ms: int) -> Decimal | None:
        """Return the fraction of a new order that a fault lets execute; None: it leaves that alone."""
        if fault.kind in {FaultKind.PARTIAL, FaultKind.SELF_TRADE}:
            return SHARES[int(fault.spread * len(SHARES))]
        if fault.kind is FaultKind.LATE_FILL:
            return (ZERO, HALF)[int(fault.draw * 2)]
        if fault.kind is not FaultKind.DUST_LEFT or new.amount is None:
            return None
        touch = self._venue.engine.liquidity.touch(new.symbol, new.side, at_ms) or new.price
        least = max(market.amount_min, divide(market.notional_min, touch) if touch else ZERO)
        dust = ceil_to(least, market.lot) - market.lot
        return divide(new.amount - dust, new.amount) if ZERO < dust < new.amount else None

    def _after(self, request: Request, call: Call, fault: Fault, order: Order, at_ms: int) -> None:
        """Let a fault that comes after the order's acceptance happen."""
        venue, kind = self._venue, fault.kind
        if kind is FaultKind.HIDDEN:
            order.hidden_until_ms = at_ms + fault.ms
            venue.hit(fault, call.symbol, call.client_id)
        elif kind is FaultKind.PARTIAL:
            venue.ended_words[order.order_id] = fault.either(*ENDED_WORDS)
        elif kind is FaultKind.SELF_TRADE:
            venue.ended_words[order.order_id] = SELF_TRADED
        elif kind is FaultKind.LATE_FILL:
            self._fill_later(order, at_ms + fault.ms)
        elif kind is FaultKind.BUST:
            venue.at(at_ms + fault.ms, lambda then_ms: self._bust(request, fault, then_ms))
        elif kind is FaultKind.DELIVERED_TWICE:
            venue.hit(fault, call.symbol, call.client_id)
            request.error = ccxt_error(*REFUSALS[Refusal.DUPLICATE])
        elif kind is FaultKind.ERROR_AFTER:
            venue.hit(fault, call.symbol, call.client_id)
            name = fault.either("ExchangeNotAvailable", "ExchangeError", "RequestTimeout")
            request.error = ccxt_error(name, "500 Internal Server Error")

    def _fill_later(self, order: Order, at_ms: int) -> None:
        def fill(then_ms: int) -> None:
            self._venue.engine.fill(order, order.remaining, then_ms)

        self._venue.at(at_ms, fill)

    def _bust(self, request: Request, fault: Fault, at_ms: int) -> None:
        if self._venue.take_back(request, at_ms) is not None:
            self._venue.hit(fault, request.new.symbol, request.name)

    # -------------------------------------------------------------- cancelling

    async def cancel(self, order_id: str | None, client_id: str | None, symbol: str | None) -> View | None:
        """Cancel an order; return it as the venue then shows it: None where the reply is mangled.

        Raises:
            Exception: One of ccxt's, as the venue or the way there has it.
        """
        venue = self._venue
        call = venue.begin(Operation.CANCEL, symbol, client_id or self.name_of(order_id))
        queued = call.meets(FaultKind.DELAYED)
        extra_ms = queued.ms if queued is not None else 0
        found: list[View | Exception] = []

        def arrive(at_ms: int) -> None:
            found.append(self._cancelled(call, order_id, client_id, at_ms))

        lost = call.meets(FaultKind.LOST_BEFORE)
        if lost is not None:
            raise await venue.lose(call, lost)
        venue.at(call.arrives_ms + extra_ms, arrive)
        lost = call.meets(FaultKind.LOST_AFTER)
        if lost is not None:
            raise await venue.lose(call, lost)
        if queued is not None:
            venue.hit(queued, symbol, call.client_id)
        await venue.travel(call, extra_ms)
        await venue.come_back(call)
        said = found[0]
        if isinstance(said, Exception):
            if type(said).__name__ == "OrderNotFound":
                venue.register.tell_unknown(order_id, client_id)
            raise said
        mangled = call.meets(FaultKind.GARBLED)
        if mangled is not None:
            venue.hit(mangled, symbol, call.client_id)
            return None
        return said

    def _cancelled(self, call: Call, order_id: str | None, client_id: str | None, at_ms: int) -> View | Exception:
        """Let a cancel reach the venue; return what it says."""
        venue, fault = self._venue, call.fault
        error = venue.objection(call, at_ms)
        if error is not None:
            return error
        try:
            order = venue.engine.find(order_id=order_id, client_id=client_id, now_ms=at_ms)
            view = self._end(order, call, at_ms)
        except UnknownOrder:
            return ccxt_error("OrderNotFound", "there is no such open order")
        if fault is not None and fault.kind is FaultKind.ERROR_AFTER:
            venue.hit(fault, call.symbol, call.client_id)
            return ccxt_error("ExchangeNotAvailable", "500 Internal Server Error")
        return view

    def _end(self, order: Order, call: Call, at_ms: int) -> View:
        engine, fault = self._venue.engine, call.fault
        kind = fault.kind if fault is not None and order.is_open else None
        if fault is not None and kind in {
            FaultKind.CANCEL_RACE, FaultKind.CANCEL_LOST, FaultKind.CANCEL_LATE, FaultKind.LATE_FILL,
        }:  # fmt: skip
            self._venue.hit(fault, call.symbol, call.client_id)
        if kind is FaultKind.CANCEL_RACE:
            engine.fill(order, order.remaining, at_ms)
        if kind is FaultKind.CANCEL_LOST:
            return cancelled(order)
        if fault is not None and kind is FaultKind.CANCEL_LATE:
            self._venue.at(at_ms + fault.ms, lambda then_ms: engine.end(order, Status.CANCELED, then_ms))
            return cancelled(order)
        engine.cancel(order, at_ms)
        if fault is not None and kind is FaultKind.LATE_FILL:
            self._fill_later(order, at_ms + fault.ms)
        return self.view(order, call, at_ms)

    # -------------------------------------------------------------- showing

    @staticmethod
    def as_placed(view: View) -> View:
        """Return an order as it came: open and unfilled, whatever has become of it."""
        return evolve(view, order=view.order.as_created(), fills=[], word=None)

    def name_of(self, order_id: str | None) -> str | None:
        """Return the client id of an order of ours; None for any other."""
        request = self._venue.register.of_order(order_id) if order_id else None
        return request.name if request is not None else None

    def view(self, order: Order, call: Call, now_ms: int) -> View:
        """Return *order* as the reply to *call* shows it."""
        view, bent = seen(order, call.fault, now_ms, self._venue.engine.shown)
        if bent and call.fault is not None:
            self._venue.hit(call.fault, order.new.symbol, self.name_of(order.order_id))
        word = self._venue.ended_words.get(order.order_id)
        return evolve(view, word=word) if word and view.word is None and not view.order.is_open else view
