"""One run as it is: a real trade, its real events, and what the venues have of each of its orders.

The explorer counts in small numbers; a course says again what they mean, for
the checkers and for people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from fsm_arb.testing.explorer.bounds import UNIT, World
from fsm_arb.testing.explorer.core import Standing
from fsm_arb.testing.explorer.telling import READINGS, event_of, fill_of
from fsm_arb.testing.explorer.venue import (
    ARGUMENT_MASK,
    CODE_BITS,
    CODE_MASK,
    FILLED_SHIFT,
    KIND_SHIFT,
    PLACE_SHIFT,
    TICKED,
    TOLD,
    Place,
    Tell,
    crashed,
    filled_of,
    may_execute,
    order,
    place_of,
)
from fsm_arb.testing.glimpse import Glimpse, VenueFill, VenueOrder
from fsm_arb.trade import Step, Trade

if TYPE_CHECKING:
    from fsm_arb.messages import Event
    from fsm_arb.orders import Order

ABSENT = frozenset({Place.FLYING, Place.GONE, Place.LATE})


@frozen(kw_only=True)
class Course:
    """A real trade at one moment, and each of its orders on its venue's side, lots in full, by index."""

    world: World
    trade: Trade
    now: int  # monotonic ns
    orders: tuple[int, ...] = ()
    event: Event | None = None  # what it was told last
    step: Step = Step()  # what came of it
    error: Exception | None = None

    @classmethod
    def at(cls, world: World, standing: Standing, orders: bytes) -> Course:
        """Return the course of a state: the trade that stands for it, with the venues' side by place."""
        full = [order(Place.ENDED, int(each.gross), told=True) for each in standing.trade.orders]
        likeness = standing.likeness
        for index, base, number in zip(likeness.order, likeness.bases, orders, strict=True):
            full[index] = number + (base << FILLED_SHIFT)
        return cls(world=world, trade=standing.trade, now=standing.now, orders=tuple(full))

    def follow(self, label: int, index: int = 0, base: int = 0) -> Course:
        """Return the course one edge on.

        Args:
            label: The edge.
            index: Of the order that the edge concerns, where it concerns one.
            base: Lots of that order that the edge does not count.
        """
        code, later = label & CODE_MASK, (label >> CODE_BITS) + (base << FILLED_SHIFT)
        kind = Tell(code >> KIND_SHIFT)
        orders = self._moved(kind, later, index)
        if kind is Tell.NOTHING:
            return evolve(self, orders=orders, event=None, step=Step())
        now = self.now + UNIT * (kind is Tell.TICK)
        event = event_of(self.world, self.trade, code + base * (kind in READINGS), index, now)
        trade = self.trade.copy()
        error: Exception | None = None
        step = Step()
        try:
            step = trade.handle(event, now)
        except Exception as raised:  # noqa: BLE001 - whatever it is, it is what is looked for
            error = raised
        sent = tuple(order(Place.FLYING) for _ in range(len(trade.orders) - len(orders)))
        return evolve(self, trade=trade, now=now, orders=orders + sent, event=event, step=step, error=error)

    def _moved(self, kind: Tell, later: int, index: int) -> tuple[int, ...]:
        if kind is Tell.TICK:
            return tuple(TICKED[number] for number in self.orders)
        if kind is Tell.RESTART:
            gone = crashed(self.world.fence)
            return tuple(gone[number] for number in self.orders)
        if not concerns_an_order(kind):
            return self.orders
        return (*self.orders[:index], later, *self.orders[index + 1 :])

    def glimpse(self) -> Glimpse:
        """Return what a checker is shown."""
        orders = (
            _on_venue(self.trade, known, number) for known, number in zip(self.trade.orders, self.orders, strict=True)
        )
        return Glimpse(
            now=self.now,
            trades={self.trade.trade_id: self.trade},
            orders={each.client_order_id: each for each in orders if each is not None},
        )


def concerns_an_order(kind: Tell) -> bool:
    """Whether an event is about one order."""
    return Tell.ACK <= kind <= Tell.CANCEL_ENDED or kind is Tell.NOTHING


def place_in(label: int) -> int:
    """Return the place of the order that an edge concerns."""
    return label >> PLACE_SHIFT & ARGUMENT_MASK


def _on_venue(trade: Trade, known: Order, number: int) -> VenueOrder | None:
    """Return an order as the venue has it; None where it has none."""
    if place_of(number) in ABSENT:
        return None
    intent = known.intent
    leg = trade.decision.legs[intent.leg]
    fills = (fill_of(intent.client_order_id, index) for index in range(filled_of(number)))
    return VenueOrder(
        venue=leg.exchange,
        client_order_id=intent.client_order_id,
        symbol=leg.symbol,
        side=intent.side,
        amount=intent.amount,
        live=may_execute(number),
        told_over=bool(number & TOLD),
        fills=tuple(VenueFill(fill_id=fill.fill_id, amount=fill.amount, price=fill.price) for fill in fills),
    )
