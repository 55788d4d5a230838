"""A venue's own view of one order: whether its request came, what has filled, what has been said about it."""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import Any

from attrs import define, field

from fsm_arb.messages import Intent
from fsm_arb.ports import OrderSnapshot, OrderStatus
from fsm_arb.testing.glimpse import VenueFill, VenueOrder
from fsm_arb.testing.strategies.fills import fee_of
from fsm_arb.values import ZERO, Fee, Fill, MarketRules, floor_to


class Place(enum.Enum):
    """Where an order is, in truth."""

    ON_THE_WAY = "on the way"  # its request has left, and may come
    OPEN = "open"
    OVER = "over"  # it was here and executes no more, unless the venue breaks its word
    NEVER = "never"  # refused, or lost on the way


class Telling(enum.Enum):
    """How much of what it knows a venue tells."""

    ALL = "all"
    NO_FEES = "no fees"
    TOTALS = "totals"  # neither fills nor fees


@define(eq=False, repr=False)
class ModelOrder:
    """One order as its venue knows it."""

    intent: Intent
    venue: str
    rules: MarketRules
    place: Place = Place.ON_THE_WAY
    comes_until: int | None = None  # monotonic ns: the end of its request's window; None: its call is out
    refused: bool = False
    told_over: bool = False
    busted: Decimal = ZERO  # base, taken back
    fills: list[Fill] = field(factory=list)

    def __repr__(self) -> str:
        intent = self.intent  # what does not change, so that the story of a failure can be read
        return f"<order {intent.index}: {intent.purpose.value} {intent.side.value} {intent.amount:f} on {self.venue}>"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:  # noqa: FBT001 - Hypothesis calls it so
        printer.text(repr(self))

    @property
    def index(self) -> int:
        """Its place within the trade."""
        return self.intent.index

    @property
    def here(self) -> bool:
        """Whether the venue has it, or had it."""
        return self.place in {Place.OPEN, Place.OVER}

    @property
    def filled(self) -> Decimal:
        """Base executed and not taken back."""
        return sum((fill.amount for fill in self.fills), ZERO)

    def fill(self, share: Decimal) -> None:
        """Execute *share* of what is left of it, one lot at least, at its limit; open or not."""
        left = self.intent.amount - self.filled
        amount = max(floor_to(left * share, self.rules.lot), min(self.rules.lot, left))
        if amount <= 0:
            return
        price = self.intent.bound
        fee = fee_of(self.rules, self.intent.side, amount, price)
        self.fills.append(Fill(fill_id=f"{self.index}-{len(self.fills)}", amount=amount, price=price, fee=fee))
        if self.filled == self.intent.amount:
            self.place = Place.OVER

    def bust(self) -> Decimal:
        """Take the last execution back and return its amount, base."""
        taken = self.fills.pop().amount
        self.busted += taken
        return taken

    def reading(self, telling: Telling = Telling.ALL) -> OrderSnapshot:
        """Return how the venue shows it now."""
        fills = tuple(self.fills)
        if telling is Telling.NO_FEES:
            fills = tuple(Fill(fill_id=each.fill_id, amount=each.amount, price=each.price) for each in fills)
        return OrderSnapshot(
            status=OrderStatus.OPEN if self.place is Place.OPEN else OrderStatus.ENDED,
            filled=self.filled,
            venue_order_id=f"v{self.index}",
            client_order_id=self.intent.client_order_id,
            symbol=self.rules.symbol,
            side=self.intent.side,
            amount=self.intent.amount,
            fills=() if telling is Telling.TOTALS else fills,
        )

    def seen(self) -> VenueOrder:
        """Return it as checkers are shown it."""
        return VenueOrder(
            venue=self.venue,
            client_order_id=self.intent.client_order_id,
            symbol=self.rules.symbol,
            side=self.intent.side,
            amount=self.intent.amount,
            live=self.place in {Place.ON_THE_WAY, Place.OPEN},
            told_over=self.told_over,
            busted=self.busted,
            fills=tuple(_venue_fill(each) for each in self.fills),
        )


def _venue_fill(fill: Fill) -> VenueFill:
    fee = fill.fee or Fee(ZERO, "")
    return VenueFill(
        fill_id=fill.fill_id, amount=fill.amount, price=fill.price, fee=fee.amount, fee_currency=fee.currency
    )
