"""What a trade was sized to: fixed once, journaled, and changed only by a record."""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen

from fsm_arb.values import FeeIn, Leg, MarketRules, Money, Side


@frozen(kw_only=True)
class LegPlan:
    """One leg of a sized trade."""

    leg: Leg
    side: Side
    rules: MarketRules
    price: Decimal  # what the decision was made on, quote per base
    bound: Decimal  # the worst price of the first order, on the tick grid
    amount: Decimal  # base; the first order, grossed up for a base fee where one is charged
    least: Decimal  # least order, base
    reserved: tuple[Money, ...]  # held back from other trades: the first order and headroom to undo it

    @property
    def fee_on_buy(self) -> Decimal:
        """The fraction of a bought quantity that the venue keeps in base; zero where it charges quote."""
        return self.rules.taker_fee if self.rules.fee_in is FeeIn.BASE_ON_BUY else Decimal(0)


@frozen(kw_only=True)
class Plan:
    """A sized trade."""

    quantity: Decimal  # base; what each leg should receive
    legs: tuple[LegPlan, LegPlan]
    dust: Decimal  # base; an exposure below this is matched: the smaller of the two least orders
    fx: Decimal  # what one unit of legs[1]'s quote is worth in legs[0]'s
    fx_source: str
    leads: int = 0  # sequential placement: the leg whose first order goes out first
    carried: Decimal = Decimal(0)  # base, + for long: what earlier trades have left and this one trades away
    note: str = ""  # why the quantity is smaller than asked for, if it is

    def worth(self, leg: int, amount: Decimal) -> Decimal:
        """Return *amount* of the leg's quote currency in the quote currency of legs[0]."""
        return amount * self.fx if leg else amount
