"""A minimal exchange: the outside of an executor while crashes are tried, small enough for thousands of tries.

It does what it is told for each order that arrives, in order of arrival; once
that list is used up it fills everything at the touch. Its books outlive every
process that trades on it.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from fsm_arb.ports import (
    Acknowledged,
    CancelReply,
    Found,
    NotFound,
    OrderSnapshot,
    OrderStatus,
    PlaceOutcome,
    Refused,
)
from fsm_arb.testing.glimpse import VenueFill, VenueOrder
from fsm_arb.values import (
    ONE,
    ZERO,
    Balances,
    Fee,
    FeeIn,
    Fill,
    Level,
    MarketRules,
    OrderBook,
    OrderType,
    Side,
    TickBand,
    divide,
    floor_to,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fsm_arb.ports import Observation, OrderRequest

LATENCY_S = 0.02  # each way
FUNDS = Decimal(1_000_000)  # of each asset, at the beginning
LOT = Decimal("0.01")


@frozen
class Tranche:
    """A part of an order that fills."""

    share: Decimal = field(converter=Decimal)  # of its amount
    after_s: float = 0.0  # since it arrived; an order that had ended by then fills all the same


@frozen(kw_only=True)
class Answer:
    """What becomes of one order."""

    fills: tuple[Tranche, ...] = (Tranche(ONE),)
    refused: str = ""  # the code of a refusal; empty: it is taken
    lost: bool = False  # the request never arrives
    unheard: bool = False  # the reply never arrives
    transit_s: float = LATENCY_S  # until it arrives
    reply_s: float = LATENCY_S  # until the reply does


@define(eq=False)
class Resting:
    """One order on the books."""

    request: OrderRequest
    order_id: str
    ended: bool = False
    told_over: bool = False  # somebody has heard that it ended
    fills: list[Fill] = field(factory=list)

    @property
    def filled(self) -> Decimal:
        """Base executed."""
        return sum((fill.amount for fill in self.fills), ZERO)

    def snapshot(self) -> OrderSnapshot:
        """Return how it stands."""
        request, filled = self.request, self.filled
        cost = sum((fill.amount * fill.price for fill in self.fills), ZERO)
        return OrderSnapshot(
            status=OrderStatus.ENDED if self.ended else OrderStatus.OPEN,
            filled=filled,
            venue_order_id=self.order_id,
            client_order_id=request.client_order_id,
            symbol=request.symbol,
            side=request.side,
            amount=request.amount,
            average=divide(cost, filled) if filled else None,
            fills=tuple(self.fills),
            fees=tuple(fill.fee for fill in self.fills if fill.fee),
        )


class Exchange:
    """One venue's books.

    Args:
        name: The key that legs use.
        symbol: Its one market.
        answers: What becomes of the orders that arrive, one after the other.
        later: Calls an action after so many seconds, whatever process lives by then.
        base_fees: Whether a buyer pays the fee in base.
    """

    def __init__(
        self,
        name: str,
        symbol: str,
        answers: Iterable[Answer],
        later: Callable[[float, Callable[[], None]], None],
        *,
        base_fees: bool = False,
    ) -> None:
        base, _, quote = symbol.partition("/")
        self.name = name
        self.rules = MarketRules(
            symbol=symbol,
            base=base,
            quote=quote,
            lot=LOT,
            ticks=(TickBand(ZERO, Decimal("0.01")),),
            amount_min=Decimal("0.1"),
            taker_fee=Decimal("0.001"),
            fee_in=FeeIn.BASE_ON_BUY if base_fees else FeeIn.QUOTE,
        )
        self.book = OrderBook(
            bids=(Level(Decimal("99.9"), Decimal(10_000)),), asks=(Level(Decimal("100.1"), Decimal(10_000)),)
        )
        self.orders: list[Resting] = []
        self.moved: defaultdict[str, Decimal] = defaultdict(Decimal)  # by asset, since the beginning
        self.on_the_way: dict[int, OrderRequest] = {}  # requests that have left and will arrive
        self._denied: set[str] = set()  # client ids that were asked for and not there
        self._requests: list[OrderRequest] = []  # all that ever came, so that each keeps its identity
        self._glimpses: dict[tuple[int, int, bool, bool], VenueOrder] = {}
        self._answers = list(answers)
        self._later = later

    # -------------------------------------------------------------- orders

    def leaves(self, request: OrderRequest) -> Answer:
        """Take in that *request* has left for here; returns what becomes of it."""
        self._requests.append(request)
        answer = self._answers.pop(0) if self._answers else Answer()
        if not answer.lost:
            self.on_the_way[id(request)] = request
        return answer

    def place(self, request: OrderRequest, answer: Answer) -> PlaceOutcome:
        """Take in one order that has left for here."""
        self.on_the_way.pop(id(request), None)
        if answer.refused:
            return Refused(code=answer.refused, message="the exchange said no")
        order = Resting(request, f"{self.name}-{len(self.orders) + 1}")
        self.orders.append(order)
        for tranche in answer.fills:
            if tranche.after_s:
                self._later(tranche.after_s, lambda part=tranche: self._fill(order, part, late=True))  # type: ignore[misc]
            else:
                self._fill(order, tranche)
        if request.order_type is not OrderType.LIMIT:
            order.ended = True
        return Acknowledged(snapshot=order.snapshot())

    def _fill(self, order: Resting, part: Tranche, *, late: bool = False) -> None:
        request = order.request
        if late and order.ended and request.order_type is OrderType.LIMIT:
            return  # it was cancelled before
        price = self.book.touch(request.side)
        if price is None or (price - request.bound) * request.side.sign > 0:
            return
        amount = min(floor_to(request.amount * part.share, LOT), request.amount - order.filled)
        if amount <= 0:
            return
        in_base = self.rules.fee_in is FeeIn.BASE_ON_BUY and request.side is Side.BUY
        fee = (
            Fee(amount * self.rules.taker_fee, self.rules.base)
            if in_base
            else Fee(amount * price * self.rules.taker_fee, self.rules.quote)
        )
        fill_id = f"{order.order_id}/{len(order.fills) + 1}"
        order.fills.append(Fill(fill_id=fill_id, amount=amount, price=price, fee=fee))
        self.moved[self.rules.base] += amount * request.side.sign
        self.moved[self.rules.quote] -= amount * price * request.side.sign
        self.moved[fee.currency] -= fee.amount
        if order.filled == request.amount:
            order.ended = True

    def cancel(self, client_order_id: str) -> CancelReply:
        """Take an order off the books."""
        found = self._of(client_order_id)
        for order in found:
            order.ended = True
        return CancelReply(accepted=True) if found else CancelReply(accepted=False, code="order_not_found")

    def observe(self, client_order_id: str) -> Observation:
        """Show how an order stands."""
        found = self._of(client_order_id)
        return Found(snapshot=found[0].snapshot()) if found else NotFound(covered=True)

    def heard(self, client_order_id: str, reply: object) -> None:
        """Take in that somebody has been told *reply* about an order."""
        if isinstance(reply, NotFound):
            self._denied.add(client_order_id)
        elif isinstance(reply, Acknowledged | Found) and reply.snapshot.status is OrderStatus.ENDED:
            for order in self._of(client_order_id):
                order.told_over = True

    def _of(self, client_order_id: str) -> list[Resting]:
        return [order for order in self.orders if order.request.client_order_id == client_order_id]

    # -------------------------------------------------------------- what is asked

    def balances(self) -> Balances:
        """Show what is free."""
        return Balances(free={asset: FUNDS + self.moved[asset] for asset in (self.rules.base, self.rules.quote)})

    def glimpsed(self) -> dict[str, VenueOrder]:
        """Return every order by client id, those on their way included; a second one of an id has a name of its own."""
        seen: dict[str, VenueOrder] = {}
        for order in self.orders:
            seen[_free(seen, order.request.client_order_id)] = self._glimpse(
                order.request, tuple(order.fills), live=not order.ended, told_over=order.told_over
            )
        for request in self.on_the_way.values():
            seen[_free(seen, request.client_order_id)] = self._glimpse(request, (), live=True, told_over=False)
        return seen

    def _glimpse(self, request: OrderRequest, fills: tuple[Fill, ...], *, live: bool, told_over: bool) -> VenueOrder:
        """Return what a checker is shown of an order; the same object for as long as it stays the same."""
        told_over = told_over or request.client_order_id in self._denied
        key = id(request), len(fills), live, told_over
        if key not in self._glimpses:
            self._glimpses[key] = self._shown(request, fills, live=live, told_over=told_over)
        return self._glimpses[key]

    def _shown(self, request: OrderRequest, fills: tuple[Fill, ...], *, live: bool, told_over: bool) -> VenueOrder:
        return VenueOrder(
            venue=self.name,
            client_order_id=request.client_order_id,
            symbol=request.symbol,
            side=request.side,
            amount=request.amount,
            live=live,
            told_over=told_over,
            fills=tuple(
                VenueFill(
                    fill_id=fill.fill_id,
                    amount=fill.amount,
                    price=fill.price,
                    fee=fill.fee.amount if fill.fee else ZERO,
                    fee_currency=fill.fee.currency if fill.fee else "",
                )
                for fill in fills
            ),
        )


def _free(taken: dict[str, VenueOrder], name: str) -> str:
    number = 1
    while (free := name if number == 1 else f"{name} (sent {number} times)") in taken:
        number += 1
    return free
