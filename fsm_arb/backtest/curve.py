"""What a run is worth, moment by moment: marked to the middle of both books."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.errors import FxUnavailable
from fsm_arb.spread import middle
from fsm_arb.values import EXACT, ONE, ZERO

if TYPE_CHECKING:
    from fsm_arb.backtest.setup import Setup
    from fsm_arb.fx import FxProvider
    from fsm_arb.paper.venue import PaperVenue
    from fsm_arb.values import Leg


@frozen
class Mark:
    """One moment."""

    at_ns: int  # wall clock UTC
    worth: Decimal  # what was made or lost by then, in the quote currency of legs[0]
    exposure: Decimal  # base that was naked then, + for long


class Curve:
    """Follows what the accounts are worth, against having kept what they began with.

    What an account began with is not part of it: an asset that is merely held
    makes and loses nothing here. Contracts count with what closing them at the
    middle would bring.
    """

    def __init__(self, setup: Setup, venues: Mapping[str, PaperVenue], fx: FxProvider) -> None:
        self._legs = setup.legs
        self._venues = venues
        self._fx = fx
        self._began = {name: venue.owned() for name, venue in venues.items()}
        self.marks: list[Mark] = []

    def mark(self, at_ns: int, exposure: Decimal) -> None:
        """Take down what everything is worth now; nothing while a price or the rate is not known."""
        worth = self._worth()
        if worth is not None:
            self.marks.append(Mark(at_ns, worth, exposure))

    def _worth(self) -> Decimal | None:
        total, seen = ZERO, set()
        for leg in self._legs:
            venue, unit, price = self._venues[leg.exchange], self._unit(leg), self._price(leg)
            if unit is None or price is None:
                return None
            worth = ZERO
            if leg.exchange not in seen:  # two markets of one venue have one account
                seen.add(leg.exchange)
                worth = self._account(leg, venue, price)
            for position in venue.positions():
                if position.symbol == leg.symbol:
                    gained = EXACT.multiply(position.amount, EXACT.subtract(price, position.entry))
                    worth = EXACT.add(worth, gained)
            total = EXACT.add(total, EXACT.multiply(worth, unit))
        return total

    def _account(self, leg: Leg, venue: PaperVenue, price: Decimal) -> Decimal:
        """Return what the assets of an account have gained, in the leg's quote currency."""
        began, total = self._began[leg.exchange], ZERO
        worths = {leg.base: price, leg.quote: ONE}
        for asset, amount in venue.owned().items():
            gained = EXACT.subtract(amount, began.get(asset, ZERO))
            total = EXACT.add(total, EXACT.multiply(gained, worths.get(asset, ZERO)))
        return total

    def _price(self, leg: Leg) -> Decimal | None:
        book = self._venues[leg.exchange].latest(leg.symbol)
        return None if book is None else middle(book)

    def _unit(self, leg: Leg) -> Decimal | None:
        """Return what one unit of a leg's quote currency is worth in that of legs[0]; None while nobody knows."""
        try:
            return self._fx.rate(leg.quote, self._legs[0].quote).rate
        except FxUnavailable:
            return None
