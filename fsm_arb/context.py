"""What a strategy looks at: one pair of markets at one moment, and what is held on it.

Whoever has the venues, the rates and the positions fills these in: a running
bot, paper trading, a backtest. Nothing in here asks anybody anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from attrs import Attribute, field, frozen

from fsm_arb.errors import CurrencyMismatch, FxUnavailable, InvalidInput
from fsm_arb.fx import FxProvider, FxRate
from fsm_arb.spread import Basis, Fees, gross_pct, sign_of, spread_pct
from fsm_arb.values import EXACT, ONE, Balances, Health, Leg, Money, OrderBook, Side, divide, positive
from fsm_arb.volatility import SpreadSample

if TYPE_CHECKING:
    from fsm_arb.decision import CrossExchangeDecision

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NS_PER_US = 1000
HUNDRED = Decimal(100)


def utc(at_ns: int) -> datetime:
    """Return a wall clock in ns as an aware datetime, to the microsecond below."""
    return EPOCH + timedelta(microseconds=at_ns // NS_PER_US)


def wall_ns(at: datetime) -> int:
    """Return an aware datetime as a wall clock in ns."""
    return (at - EPOCH) // timedelta(microseconds=1) * NS_PER_US


def _both_positive(_self: object, attribute: Attribute[Any], value: tuple[Decimal, Decimal]) -> None:
    if min(value) <= 0:
        raise InvalidInput(attribute.name, value, "must both be greater than zero")


class PositionLike(Protocol):
    """What is read off a `CrossExchangePosition`."""

    @property
    def position_id(self) -> str:
        """Its name."""
        ...

    @property
    def state(self) -> str:
        """OPEN, CLOSING or CLOSED."""
        ...

    @property
    def legs(self) -> tuple[Leg, Leg]:
        """The two markets."""
        ...

    @property
    def sides(self) -> tuple[Side, Side]:
        """Which way each leg was entered."""
        ...

    @property
    def quantity(self) -> Decimal:
        """Base that is still hedged."""
        ...

    @property
    def entry_prices(self) -> tuple[Decimal | None, Decimal | None]:
        """Average of the entry's fills; None where unknown."""
        ...

    @property
    def fx(self) -> Decimal:
        """What one unit of legs[1]'s quote was worth in legs[0]'s at entry."""
        ...

    @property
    def opened_at_ns(self) -> int:
        """When its entry was booked, wall clock UTC; zero where nobody says."""
        ...


@frozen(kw_only=True)
class Held:
    """One position as a strategy sees it.

    Attributes:
        position_id: Its name; an exit names it.
        legs: The two markets, in the entry's order.
        sides: Which way each leg was entered.
        quantity: Base that is still hedged.
        entry_prices: What it was entered at, quote per base, one a leg.
        fx: What one unit of legs[1]'s quote was worth in legs[0]'s then.
        opened_at_ns: When it was decided on, wall clock UTC.
        open: Whether an exit may start now; False while one is at work.

    Raises:
        InvalidInput: Quantity, a price or the rate is not greater than zero.
    """

    position_id: str
    legs: tuple[Leg, Leg]
    sides: tuple[Side, Side]
    quantity: Decimal = field(validator=positive)
    entry_prices: tuple[Decimal, Decimal] = field(validator=_both_positive)
    fx: Decimal = field(validator=positive)
    opened_at_ns: int
    open: bool = True

    @classmethod
    def of(cls, position: PositionLike, entry: CrossExchangeDecision, opened_at_ns: int | None = None) -> Held:
        """Return a position of the executor's.

        Args:
            position: As `executor.positions()` gives it.
            entry: What opened it: the decision of ``executor.trade(position.entry_trade_id)``. It says when, and
                at what prices where the fills' are unknown.
            opened_at_ns: When it was opened, wall clock UTC, where the decision does not say; None: as the position
                says.

        Raises:
            InvalidInput: Nobody says when, or nothing is held.
        """
        if entry.decided_at is not None:
            opened_at_ns = wall_ns(entry.decided_at)
        opened_at_ns = opened_at_ns or position.opened_at_ns
        if not opened_at_ns:
            raise InvalidInput("decided_at", None, f"is needed to tell how long {position.position_id} has been held")
        known = tuple(
            decided if price is None else price
            for price, decided in zip(position.entry_prices, entry.prices, strict=True)
        )
        return cls(
            position_id=position.position_id,
            legs=position.legs,
            sides=position.sides,
            quantity=position.quantity,
            entry_prices=(known[0], known[1]),
            fx=position.fx,
            opened_at_ns=opened_at_ns,
            open=position.state == "OPEN",
        )

    @property
    def sign(self) -> int:
        """+1 where it was entered on a positive spread: legs[0] sold; -1 for the reverse."""
        return sign_of(self.sides)

    def entry_pct(self, basis: Basis, fees: tuple[Fees, Fees], fx_cost_pct: Decimal) -> Decimal:
        """Return the spread it was entered at, in percent, signed.

        What was paid lies in the prices; on `Basis.NET` the fees and the cost of changing money, as they are
        now, are taken off as well.
        """
        first, second = self.entry_prices
        pct = spread_pct(first, second, self.fx)
        if basis is not Basis.NET:
            return pct
        share = divide(first, EXACT.multiply(second, self.fx))  # of legs[0]'s notional in legs[1]'s
        fee = EXACT.add(EXACT.multiply(fees[0].taker, share), fees[1].taker)
        cost = EXACT.multiply(fee, HUNDRED)
        if self.legs[0].quote != self.legs[1].quote:
            cost = EXACT.add(cost, fx_cost_pct)
        return EXACT.subtract(pct, EXACT.multiply(Decimal(self.sign), cost))


def rate_between(legs: tuple[Leg, Leg], fx: FxProvider) -> FxRate | str:
    """Return the rate from legs[1]'s quote currency to that of legs[0], or why there is none."""
    try:
        return fx.rate(legs[1].quote, legs[0].quote)
    except FxUnavailable as error:
        return str(error)


def _one_asset(_self: object, _attribute: Attribute[Any], value: tuple[Leg, Leg]) -> None:
    first, second = value
    if first.base != second.base or first == second:
        raise InvalidInput("legs", (first, second), "must be two different markets of one base asset")


@frozen(kw_only=True)
class MarketContext:
    """One pair of markets at one moment.

    Attributes:
        now_ns: Wall clock UTC.
        legs: The two markets; the spread is positive where legs[0] is the dear one.
        books: Their order books; None where one could not be read.
        fx: The rate from legs[1]'s quote currency to that of legs[0], or why there is none.
        health: How both venues are, and whether the secrets for orders are there.
        fees: What both venues charge.
        balances: What is free on both venues; None where it is not known, and then not judged.
        liquidity: What can be traded, where whoever fills this in has a better measure than both books' depth.
        recent: Gross spreads that were seen, oldest first.
        positions: What is held on this pair.
        in_flight: Whether a trade of this pair is running already.
        notes: Anything a strategy of one's own wants to see.

    Raises:
        InvalidInput: The legs are of two assets or one market; the rate is of other currencies; a position is of
            other legs.
    """

    now_ns: int
    legs: tuple[Leg, Leg] = field(validator=_one_asset)
    books: tuple[OrderBook | None, OrderBook | None]
    fx: FxRate | str
    health: tuple[Health, Health]
    fees: tuple[Fees, Fees] = (Fees(), Fees())
    balances: tuple[Balances | None, Balances | None] = (None, None)
    liquidity: Money | None = None
    recent: tuple[SpreadSample, ...] = field(default=(), converter=tuple[SpreadSample, ...])
    positions: tuple[Held, ...] = field(default=(), converter=tuple[Held, ...])
    in_flight: bool = False
    notes: Mapping[str, Any] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        first, second = self.legs
        if isinstance(self.fx, FxRate) and (self.fx.base, self.fx.quote) != (second.quote, first.quote):
            raise InvalidInput("fx", f"{self.fx.base}/{self.fx.quote}", f"must be {second.quote}/{first.quote}")
        for held in self.positions:
            if held.legs != self.legs:
                raise InvalidInput("positions", held.position_id, f"is of other legs: {held.legs}")

    @property
    def gross_pct(self) -> Decimal | None:
        """The spread between the middles of both books, in percent; None without both prices and a rate."""
        return None if isinstance(self.fx, str) else gross_pct(self.books, self.fx.rate)

    def sample(self) -> SpreadSample | None:
        """Return the gross spread of now, for the `recent` of later moments; None where there is none."""
        pct = self.gross_pct
        return None if pct is None else SpreadSample(self.now_ns, pct)

    def in_first(self, money: Money, name: str = "money") -> Money:
        """Return *money*, in either quote currency, in that of legs[0].

        Args:
            money: What is to be told.
            name: What it is called, for the error.

        Raises:
            CurrencyMismatch: It is in neither, or in that of legs[1] and there is no rate.
        """
        first, second = self.legs
        if money.currency == first.quote:
            return money
        if money.currency == second.quote and isinstance(self.fx, FxRate):
            return self.fx.convert(money)
        raise CurrencyMismatch(name, money, f"cannot be told in {first.quote}, the quote currency of legs[0]")

    def depth(self, sides: tuple[Side, Side], band: Decimal) -> Money | None:
        """Return what the thinner of both books holds, in the quote currency of legs[0].

        Args:
            sides: Which way each leg would be traded.
            band: How far from the touch counts, as a fraction.

        Returns:
            None without both prices and a rate.
        """
        held = []
        for leg, book, side in zip(self.legs, self.books, sides, strict=True):
            touch = None if book is None else book.touch(side)
            if book is None or touch is None or isinstance(self.fx, str):
                return None
            amount = book.depth(side, EXACT.multiply(touch, ONE + side.sign * band))
            held.append(self.in_first(Money(EXACT.multiply(amount, touch), leg.quote)))
        return min(held)
