"""Every request to place an order that came to a venue's door, and what became of it: the books that count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field, frozen

from fsm_arb.testing.glimpse import VenueFill, VenueOrder
from fsm_arb.values import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from fsm_arb.matching.orders import Execution, NewOrder, Order


def fill_of(execution: Execution) -> VenueFill:
    """Return an execution as checkers are shown it."""
    return VenueFill(
        fill_id=str(execution.trade_id),
        amount=execution.amount,
        price=execution.price,
        fee=execution.fee,
        fee_currency=execution.fee_asset,
    )


@frozen(kw_only=True)
class Came:
    """One request to place an order, as it came to the door, whatever became of it."""

    venue: str
    client_order_id: str
    at: int  # monotonic ns
    new: NewOrder


@define(eq=False)
class Request:
    """One request to place an order."""

    name: str  # its client id, one of ours where it has none; with a count where the id came before
    venue: str
    new: NewOrder
    came_ns: int  # monotonic
    on_its_way: bool = True
    order: Order | None = None  # once it was accepted
    error: Exception | None = None  # what its reply says
    told_over: bool = False
    busted: Decimal = ZERO  # base, taken back by the venue
    _shown: tuple[object, VenueOrder] | None = field(default=None, init=False)

    @property
    def exists(self) -> bool:
        """Whether it is, or may still become, an order."""
        return self.on_its_way or self.order is not None

    def as_venue_order(self) -> VenueOrder:
        """Return it as checkers are shown it."""
        order = self.order
        stamp = (self.on_its_way, self.told_over, order and (order.status, order.filled, len(order.fills)))
        if self._shown is None or self._shown[0] != stamp:
            self._shown = stamp, self._drawn(order)
        return self._shown[1]

    def _drawn(self, order: Order | None) -> VenueOrder:
        new = self.new if order is None else order.new
        return VenueOrder(
            venue=self.venue,
            client_order_id=self.name,
            symbol=new.symbol,
            side=new.side,
            amount=(new.amount or ZERO) if order is None else order.amount,
            live=self.on_its_way if order is None else order.is_open,
            told_over=self.told_over,
            busted=self.busted,
            fills=() if order is None else tuple(fill_of(fill) for fill in order.fills),
        )


class Register:
    """The requests of one venue."""

    def __init__(self, venue: str) -> None:
        self._venue = venue
        self.requests: dict[str, Request] = {}
        self.sent_twice: list[str] = []  # client ids that came to the door more than once
        self._by_order: dict[str, Request] = {}

    def enter(self, new: NewOrder, came_ns: int) -> Request:
        """Write down a request at the door."""
        name = new.client_id or f"nameless {len(self.requests) + 1}"
        if name in self.requests:
            self.sent_twice.append(name)
            name = f"{name}#{1 + self.sent_twice.count(name)}"
        request = self.requests[name] = Request(name, self._venue, new, came_ns)
        return request

    def arrived(self, request: Request, order: Order) -> None:
        """Write down that a request became an order."""
        request.order = order
        self._by_order[order.order_id] = request

    def of_order(self, order_id: str) -> Request | None:
        """Return the request that became this order; None for what was done by hand."""
        return self._by_order.get(order_id)

    def tell_over(self, order_ids: Iterable[str]) -> None:
        """Write down that the venue has said of these orders that they ended."""
        for order_id in order_ids:
            request = self._by_order.get(order_id)
            if request is not None:
                request.told_over = True

    def absent(
        self, symbol: str | None, shown: Iterable[str], *, asked_ns: int, since_ms: int | None = None
    ) -> list[Request]:
        """Return what a list that shows all that is open says is not there: requests that it had to show.

        Args:
            symbol: The market that the list is of; None: of all.
            shown: The venue's ids of those it shows.
            asked_ns: When it was asked for, monotonic; of what came later it does not speak.
            since_ms: From when on it was asked, in the time it really was; of what is older it does not speak.
        """
        ids = set(shown)
        found = []
        for request in self.requests.values():
            order = request.order
            if order is None:
                absent = request.on_its_way
            else:
                absent = order.order_id not in ids and (since_ms is None or order.created_ms >= since_ms)
            if absent and request.came_ns <= asked_ns and symbol in {None, request.new.symbol}:
                found.append(request)
        return found

    def tell_unknown(self, order_id: str | None, client_id: str | None) -> None:
        """Write down that the venue has said there is no such order, or none that is open."""
        for request in self.requests.values():
            by_id = request.order is not None and order_id is not None and request.order.order_id == order_id
            if by_id or (client_id is not None and request.new.client_id == client_id):
                request.told_over = True

    def orders(self) -> dict[str, VenueOrder]:
        """Return every order, and what is still on its way to become one, by client id."""
        return {name: request.as_venue_order() for name, request in self.requests.items() if request.exists}

    def came(self) -> tuple[Came, ...]:
        """Return every request, in the order they came."""
        return tuple(
            Came(venue=self._venue, client_order_id=each.new.client_id or each.name, at=each.came_ns, new=each.new)
            for each in self.requests.values()
        )


def add_execution(moved: dict[str, Decimal], fill: Execution, sign: int = 1) -> None:
    """Add to *moved* what an execution did to each asset: base, quote and fee."""
    base, _, quote = fill.symbol.partition(":")[0].partition("/")
    signed = fill.amount * fill.side.sign * sign
    for asset, change in ((base, signed), (quote, -signed * fill.price), (fill.fee_asset, -fill.fee * sign)):
        moved[asset] = moved.get(asset, ZERO) + change
