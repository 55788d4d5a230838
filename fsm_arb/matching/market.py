"""One instrument of one venue, as orders are matched on it: lots, ticks, minimums, fees."""

from __future__ import annotations

import enum
from decimal import Decimal

from attrs import frozen

from fsm_arb.values import Side, TickBand, floor_to


class FeeRule(enum.Enum):
    """Which asset a venue takes its fee in."""

    QUOTE = "quote"  # Upbit, USD-M
    RECEIVED = "received"  # Binance spot: base on buys, quote on sells
    BNB = "bnb"  # Binance spot with the fee discount switched on


@frozen(kw_only=True)
class Market:
    """One instrument of one venue."""

    symbol: str  # ccxt's unified symbol
    market_id: str  # the venue's own word
    base: str
    quote: str
    lot: Decimal  # base
    ticks: tuple[TickBand, ...]  # ascending, the first from zero
    amount_min: Decimal  # base
    notional_min: Decimal  # quote
    taker_fee: Decimal  # fraction of the notional
    maker_fee: Decimal
    contract: bool = False
    band: Decimal | None = None  # widest distance of a limit from the touch, fraction; None: no band
    halted: bool = False

    def tick_at(self, price: Decimal) -> Decimal:
        """Return the price step that holds at *price*, quote."""
        tick = self.ticks[0].tick
        for band in self.ticks:
            if price >= band.price_from:
                tick = band.tick
        return tick

    def on_tick(self, price: Decimal) -> bool:
        """Whether *price* lies on the grid."""
        return floor_to(price, self.tick_at(price)) == price

    def on_lot(self, amount: Decimal) -> bool:
        """Whether *amount* is a whole number of lots."""
        return floor_to(amount, self.lot) == amount

    def outside_band(self, side: Side, price: Decimal, touch: Decimal) -> bool:
        """Whether a limit *price* is further through the *touch* than the venue allows."""
        return self.band is not None and (price - touch) * side.sign > touch * self.band
