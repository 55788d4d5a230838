"""How far two venues' prices are apart, and what of it is left when both are traded at once.

The sign is the market's, never the trade's: positive where legs[0] is the dear
one. The gross spread is between the middles of both books; the executable one
between the average prices that the intended size would get; the net one has
both fees and the cost of changing money taken off as well. Costs always bring
a spread nearer to what loses: down where legs[0] is sold, up where it is bought.
"""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import Any

from attrs import Attribute, field, frozen

from fsm_arb.errors import InvalidInput
from fsm_arb.fx import FxRate
from fsm_arb.values import EXACT, ONE, ZERO, Leg, MarketRules, Money, OrderBook, Side, divide, to_decimal

HUNDRED = Decimal(100)
NEUTRAL_PCT = Decimal("0.1")
TWO = Decimal(2)


class Direction(enum.Enum):
    """Which venue is the dear one."""

    POSITIVE = "positive"  # that of legs[0]
    NEGATIVE = "negative"  # that of legs[1]
    NEUTRAL = "neutral"  # neither, or by too little to speak of

    @property
    def sign(self) -> int:
        """+1, -1 or 0."""
        return {Direction.POSITIVE: 1, Direction.NEGATIVE: -1, Direction.NEUTRAL: 0}[self]


class Basis(enum.Enum):
    """Which of the spreads a decision is made on."""

    GROSS = "gross"  # between the middles of both books
    EXECUTABLE = "executable"  # between the average prices of the intended size
    NET = "net"  # executable, less both fees and the cost of changing money


class Role(enum.Enum):
    """How an order meets the book."""

    TAKER = "taker"  # takes what stands there, at its average price
    MAKER = "maker"  # rests at the touch of its own side


def spread_pct(premium: Decimal, other: Decimal, fx: Decimal) -> Decimal:
    """Return how much dearer *premium* is, in percent of the other price.

    ``(premium - other x fx) / (other x fx) x 100``: 52.6M KRW against 40k USDT at 1300 KRW a USDT is +1.15 %.

    Args:
        premium: Price on the venue of legs[0], in its quote currency.
        other: Price on the venue of legs[1], in its own.
        fx: What one unit of legs[1]'s quote currency is worth in that of legs[0].

    Raises:
        InvalidInput: A number is not greater than zero.
    """
    for name, value in (("premium", premium), ("other", other), ("fx", fx)):
        if value <= 0:
            raise InvalidInput(name, value, "must be greater than zero")
    reference = EXACT.multiply(other, fx)
    return divide(_times(EXACT.subtract(premium, reference), HUNDRED), reference)


def direction_of(pct: Decimal, neutral_pct: Decimal = NEUTRAL_PCT) -> Direction:
    """Return the direction of a spread in percent; below *neutral_pct* in either direction it has none."""
    if abs(pct) < neutral_pct or not pct:
        return Direction.NEUTRAL
    return Direction.POSITIVE if pct > 0 else Direction.NEGATIVE


def sign_of(sides: tuple[Side, Side]) -> int:
    """Return +1 for selling legs[0] and buying legs[1], which a positive spread pays for; -1 for the reverse."""
    return -sides[0].sign


def sides_of(sign: int) -> tuple[Side, Side]:
    """Return the sides that a spread of this sign pays for: the dear venue is sold."""
    return (Side.SELL, Side.BUY) if sign > 0 else (Side.BUY, Side.SELL)


def _taker(value: object) -> Decimal:
    return to_decimal(value, "taker")


def _maker(value: object) -> Decimal:
    return to_decimal(value, "maker")


def _below_one(_self: object, attribute: Attribute[Any], value: Decimal) -> None:
    if not -ONE < value < ONE:
        raise InvalidInput(attribute.name, value, "must be a fraction of the notional, such as 0.001")


@frozen(kw_only=True)
class Fees:
    """What a venue charges, as a fraction of the notional; negative for a rebate.

    Raises:
        InvalidInput: A number is none, or not between -1 and 1.
    """

    taker: Decimal = field(default=ZERO, converter=_taker, validator=_below_one)
    maker: Decimal = field(default=ZERO, converter=_maker, validator=_below_one)

    @classmethod
    def of(cls, rules: MarketRules) -> Fees:
        """Return what a market's rules say."""
        return cls(taker=rules.taker_fee, maker=rules.maker_fee)

    def for_role(self, role: Role) -> Decimal:
        """Return the fee of an order that meets the book in this way."""
        return self.taker if role is Role.TAKER else self.maker


@frozen(kw_only=True)
class SpreadInputs:
    """What a spread is computed from.

    Attributes:
        legs: The two markets.
        books: Their books.
        fx: From legs[1]'s quote currency to that of legs[0].
        sides: Which way each leg would be traded.
        quantity: Base units that would be traded on both.
        fees: Of both venues.
        fx_cost_pct: Percent of the notional that changing the money costs; nothing where both quotes are one currency.
        roles: How each order would meet its book.
        basis: Which spread decides.

    Raises:
        InvalidInput: The quantity is not greater than zero, the FX cost is negative, the rate is of other
            currencies, or both sides are the same.
    """

    legs: tuple[Leg, Leg]
    books: tuple[OrderBook, OrderBook]
    fx: FxRate
    sides: tuple[Side, Side]
    quantity: Decimal
    fees: tuple[Fees, Fees] = (Fees(), Fees())
    fx_cost_pct: Decimal = ZERO
    roles: tuple[Role, Role] = (Role.TAKER, Role.TAKER)
    basis: Basis = Basis.NET

    def __attrs_post_init__(self) -> None:
        first, second = self.legs
        if (self.fx.base, self.fx.quote) != (second.quote, first.quote):
            raise InvalidInput("fx", f"{self.fx.base}/{self.fx.quote}", f"must be {second.quote}/{first.quote}")
        if self.sides[0] is self.sides[1]:
            raise InvalidInput("sides", self.sides, "must be one buy and one sell")
        if self.quantity <= 0:
            raise InvalidInput("quantity", self.quantity, "must be greater than zero")
        if self.fx_cost_pct < 0:
            raise InvalidInput("fx_cost_pct", self.fx_cost_pct, "must not be negative")


@frozen
class Part:
    """One part of a spread, as a share and as money."""

    pct: Decimal  # of the quantity's worth at legs[1]'s middle price
    money: Money  # in the quote currency of legs[0]


@frozen(kw_only=True)
class Spread:
    """A spread and what it is made of: ``net = gross - sign x (slippage + fees + FX cost)``, exactly.

    Attributes:
        inputs: What it was computed from.
        prices: What each leg would trade at, quote per base: the average of the quantity for a taker.
        gross: Between the middles of both books; signed.
        slippage: From the middle to the leg's price, one a leg: half the book's gap and what the size adds.
        fees: One a leg.
        fx_cost: Of changing the money.
        executable: Gross less the slippage; signed.
        net: Executable less fees and FX cost; signed.
    """

    inputs: SpreadInputs
    prices: tuple[Decimal, Decimal]
    gross: Part
    slippage: tuple[Part, Part]
    fees: tuple[Part, Part]
    fx_cost: Part
    executable: Part
    net: Part

    @property
    def sign(self) -> int:
        """+1 where legs[0] would be sold, -1 where it would be bought."""
        return sign_of(self.inputs.sides)

    @property
    def decides(self) -> Part:
        """The part that "the spread" is in a decision: that of the inputs' basis."""
        return self.on(self.inputs.basis)

    def on(self, basis: Basis) -> Part:
        """Return the spread on *basis*."""
        return {Basis.GROSS: self.gross, Basis.EXECUTABLE: self.executable, Basis.NET: self.net}[basis]

    def __str__(self) -> str:
        slippage, fees = (sum((part.pct for part in parts), ZERO) for parts in (self.slippage, self.fees))
        return (
            f"gross {self.gross.pct:+.3f} %, slippage {slippage:.3f} %, fees {fees:.3f} %, "
            f"FX cost {self.fx_cost.pct:.3f} %, net {self.net.pct:+.3f} %"
        )


@frozen(kw_only=True)
class SpreadRefused:
    """Why there is no spread: a book shows no price, or holds less than the quantity."""

    leg: Leg
    side: Side
    why: str

    def __str__(self) -> str:
        return f"{self.leg.exchange} {self.leg.symbol}: {self.why}"


def middle(book: OrderBook) -> Decimal | None:
    """Return the middle of a book's touch, quote per base; None where a side is empty or shows no price above zero."""
    bid, ask = book.touch(Side.SELL), book.touch(Side.BUY)
    if bid is None or ask is None or min(bid, ask) <= 0:
        return None
    return divide(EXACT.add(bid, ask), TWO)


def gross_pct(books: tuple[OrderBook | None, OrderBook | None], fx: Decimal) -> Decimal | None:
    """Return the spread between the middles of two books, in percent; None where one shows no price.

    Args:
        books: Of legs[0] and legs[1].
        fx: What one unit of legs[1]'s quote currency is worth in that of legs[0].
    """
    first, second = (None if book is None else middle(book) for book in books)
    return None if first is None or second is None else spread_pct(first, second, fx)


def spread(inputs: SpreadInputs) -> Spread | SpreadRefused:
    """Return the spread and all its parts, or which book stands in the way."""
    middles, prices = [], []
    for leg, book, side, role in zip(inputs.legs, inputs.books, inputs.sides, inputs.roles, strict=True):
        mid = middle(book)
        if mid is None:
            return SpreadRefused(leg=leg, side=side, why="a side of the book shows no price")
        price = book.vwap(side, inputs.quantity) if role is Role.TAKER else book.touch(side.opposite)
        if price is None:
            held = sum((level.amount for level in book.against(side)), ZERO)
            why = f"the book holds {held:f} {leg.base} to {side.value}, {inputs.quantity:f} are wanted"
            return SpreadRefused(leg=leg, side=side, why=why)
        middles.append(mid)
        prices.append(price)
    return _made(inputs, (middles[0], middles[1]), (prices[0], prices[1]))


def _made(inputs: SpreadInputs, middles: tuple[Decimal, Decimal], prices: tuple[Decimal, Decimal]) -> Spread:
    fx, sign = inputs.fx.rate, Decimal(sign_of(inputs.sides))
    worth = (ONE, fx)  # of a unit of each leg's quote currency, in that of legs[0]
    reference = _times(inputs.quantity, middles[1], fx)

    def part(amount: Decimal) -> Part:
        return Part(divide(_times(amount, HUNDRED), reference), Money(amount, inputs.legs[0].quote))

    slippage, fees = [], []
    for index, (side, role) in enumerate(zip(inputs.sides, inputs.roles, strict=True)):
        worse = EXACT.multiply(EXACT.subtract(prices[index], middles[index]), Decimal(side.sign))
        slippage.append(_times(inputs.quantity, worse, worth[index]))
        fees.append(_times(inputs.quantity, prices[index], worth[index], inputs.fees[index].for_role(role)))
    changed = inputs.legs[0].quote != inputs.legs[1].quote
    fx_cost = divide(_times(reference, inputs.fx_cost_pct), HUNDRED) if changed else ZERO
    gross = EXACT.subtract(_times(inputs.quantity, middles[0]), reference)
    executable = EXACT.subtract(gross, _times(sign, EXACT.add(*slippage)))
    net = EXACT.subtract(executable, _times(sign, EXACT.add(EXACT.add(*fees), fx_cost)))
    return Spread(
        inputs=inputs,
        prices=prices,
        gross=part(gross),
        slippage=(part(slippage[0]), part(slippage[1])),
        fees=(part(fees[0]), part(fees[1])),
        fx_cost=part(fx_cost),
        executable=part(executable),
        net=part(net),
    )


def _times(first: Decimal, *others: Decimal) -> Decimal:
    for other in others:
        first = EXACT.multiply(first, other)
    return first
