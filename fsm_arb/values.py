"""The nouns: money, sides, legs, market rules, fills, fees, order books.

All frozen, all `Decimal`. A float is a type error here: whoever has one must
say what it stood for by writing ``str(x)``.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation
from typing import Any

from attrs import Attribute, field, frozen

from fsm_arb.errors import CurrencyMismatch, InvalidInput

ZERO = Decimal(0)
ONE = Decimal(1)
BPS = Decimal(10_000)  # basis points in one

# An explicit context: ccxt's helpers change the thread's default one.
EXACT = Context(prec=60)


def to_decimal(value: object, name: str) -> Decimal:
    """Return *value* (Decimal, int or numeric str) as a finite Decimal.

    Raises:
        InvalidInput: A float, a bool, not a number, or not finite.
    """
    if isinstance(value, Decimal):
        number = value
    elif isinstance(value, str | int) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise InvalidInput(name, value, "is not a number") from None
    else:
        raise InvalidInput(name, value, f"must be Decimal, int or str, not {type(value).__name__}")
    if not number.is_finite():
        raise InvalidInput(name, value, "must be finite")
    return number


def plain(value: Decimal) -> str:
    """Return every digit of a number, without an exponent, and no zeros after the last one."""
    if not value:
        return "0"
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def divide(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Return the quotient to 60 digits, whatever the thread's decimal context is."""
    return EXACT.divide(dividend, divisor)


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """Return the largest multiple of *step* that is <= *value*; *step* zero means no grid."""
    if not step:
        return value
    return EXACT.multiply(EXACT.divide(value, step).to_integral_value(ROUND_FLOOR, EXACT), step)


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """Return the smallest multiple of *step* that is >= *value*; *step* zero means no grid."""
    if not step:
        return value
    return EXACT.multiply(EXACT.divide(value, step).to_integral_value(ROUND_CEILING, EXACT), step)


def _amount(value: object) -> Decimal:
    return to_decimal(value, "amount")


def _price(value: object) -> Decimal:
    return to_decimal(value, "price")


def positive(_self: object, attribute: Attribute[Any], value: Decimal) -> None:
    """Attrs validator: greater than zero."""
    if value <= 0:
        raise InvalidInput(attribute.name, value, "must be greater than zero")


def not_negative(_self: object, attribute: Attribute[Any], value: Decimal) -> None:
    """Attrs validator: zero or greater."""
    if value < 0:
        raise InvalidInput(attribute.name, value, "must not be negative")


def not_empty(_self: object, attribute: Attribute[Any], value: object) -> None:
    """Attrs validator: a string with something in it."""
    if not isinstance(value, str) or not value:
        raise InvalidInput(attribute.name, value, "must be a non-empty string")


class Side(enum.Enum):
    """Which way an order trades the base asset."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell: what one filled unit does to the base we hold."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> Side:
        """The side that undoes this one."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(enum.Enum):
    """How an order meets the book."""

    IOC = "ioc"  # limit, immediate or cancel
    LIMIT = "limit"  # limit, good till cancelled
    MARKET = "market"


class Action(enum.Enum):
    """What a decision asks for."""

    NO_ACTION = "no_action"
    ENTRY_POSITIVE = "entry_positive"  # sell legs[0], buy legs[1]
    ENTRY_NEGATIVE = "entry_negative"  # buy legs[0], sell legs[1]
    EXIT_TP = "exit_tp"
    EXIT_SL = "exit_sl"
    EXIT_TIMEOUT = "exit_timeout"
    EXIT_REVERSAL = "exit_reversal"
    EXIT_HEALTH = "exit_health"

    @property
    def is_entry(self) -> bool:
        """Whether this opens a position."""
        return self is Action.ENTRY_POSITIVE or self is Action.ENTRY_NEGATIVE

    @property
    def is_exit(self) -> bool:
        """Whether this closes one."""
        return self is not Action.NO_ACTION and not self.is_entry


@frozen
class Money:
    """An amount in one currency. Two currencies never meet in a sum.

    Raises:
        InvalidInput: The amount is not a finite number, or the currency is empty.
        CurrencyMismatch: Added to, subtracted from or compared with another currency.
    """

    amount: Decimal = field(converter=_amount)
    currency: str = field(validator=not_empty)

    def _same(self, other: Money) -> Decimal:
        if not isinstance(other, Money):
            raise InvalidInput("money", other, "is not Money")
        if other.currency != self.currency:
            raise CurrencyMismatch("currency", other.currency, f"cannot be combined with {self.currency}")
        return other.amount

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"


@frozen
class Leg:
    """One side of a trade: a venue (its key in the executor's ``venues``) and a unified ccxt symbol."""

    exchange: str = field(validator=not_empty)
    symbol: str = field(validator=not_empty)

    @symbol.validator
    def _symbol_has_two_currencies(self, _attribute: Attribute[Any], value: str) -> None:
        base, slash, quote = value.partition("/")
        if not (base and slash and quote):
            raise InvalidInput("symbol", value, "must be a unified symbol such as BTC/KRW or BTC/USDT:USDT")

    @property
    def base(self) -> str:
        """The asset that is traded."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """The currency its price is in."""
        return self.symbol.partition("/")[2].partition(":")[0]


class FeeIn(enum.Enum):
    """Which asset a venue takes its fee in, as far as it touches the base we hold."""

    QUOTE = "quote"  # never the base: received equals filled
    BASE_ON_BUY = "base_on_buy"  # a buyer is charged in base unless the fill says otherwise (Binance spot)
    UNKNOWN = "unknown"  # nothing is ordered to make up for one; the fills tell


@frozen
class TickBand:
    """The price step that holds from one price upwards (Upbit's steps grow with the price)."""

    price_from: Decimal  # quote per base, inclusive
    tick: Decimal  # quote


@frozen(kw_only=True)
class MarketRules:
    """What one venue accepts for one instrument. Quantities are base units, also for contracts."""

    symbol: str
    base: str
    quote: str
    lot: Decimal  # base; every quantity is a whole multiple
    ticks: tuple[TickBand, ...]  # ascending by price_from, the first from zero
    amount_min: Decimal = ZERO  # base; zero where the venue sets no floor
    amount_max: Decimal | None = None  # base; None where the venue sets no ceiling
    notional_min: Decimal = ZERO  # quote
    taker_fee: Decimal = ZERO  # fraction of the notional
    maker_fee: Decimal = ZERO
    fee_in: FeeIn = FeeIn.UNKNOWN
    contract_size: Decimal | None = None  # base per contract; None for spot
    leverage: Decimal = ONE  # notional over initial margin; 1 for spot
    enforces_expiry: bool = False  # whether a late request is refused by the venue itself (Binance's recvWindow)

    @property
    def spot(self) -> bool:
        """Whether the base asset itself changes hands."""
        return self.contract_size is None

    def tick_at(self, price: Decimal) -> Decimal:
        """Return the price step that holds at *price*, quote."""
        tick = self.ticks[0].tick
        for band in self.ticks:
            if price >= band.price_from:
                tick = band.tick
        return tick

    def bound_price(self, side: Side, price: Decimal) -> Decimal:
        """Return *price* on the tick grid, never above it for a buy, never below it for a sell."""
        round_to = floor_to if side is Side.BUY else ceil_to
        return round_to(price, self.tick_at(price))

    def least_order(self, price: Decimal) -> Decimal:
        """Return the smallest quantity the venue would take at *price*, base, on the lot grid."""
        by_notional = divide(self.notional_min, price) if self.notional_min else ZERO
        return ceil_to(max(self.lot, self.amount_min, by_notional), self.lot)


@frozen
class Fee:
    """What one fill or one order cost, in the asset it was charged in."""

    amount: Decimal  # positive: charged; negative: a rebate
    currency: str


def added(fees: Iterable[Fee]) -> tuple[Fee, ...]:
    """Return *fees* as one sum an asset, in the order of their names."""
    total: dict[str, Decimal] = {}
    for fee in fees:
        total[fee.currency] = EXACT.add(total.get(fee.currency, ZERO), fee.amount)
    return tuple(Fee(amount, currency) for currency, amount in sorted(total.items()))


@frozen(kw_only=True)
class Fill:
    """One execution, as the venue reports it."""

    fill_id: str  # the venue's trade id, or one made from what identifies it
    amount: Decimal  # base
    price: Decimal  # quote per base
    fee: Fee | None = None  # None: not reported (yet)
    at_ms: int | None = None  # the venue's clock, UTC


@frozen(kw_only=True)
class OperatorFill:
    """A trade that a person made on a venue, by hand, to mend another one.

    Raises:
        InvalidInput: Amount or price is not a positive number.
    """

    exchange: str  # the key in the executor's venues
    side: Side
    symbol: str | None = None  # needed where both legs are on one venue
    amount: Decimal = field(converter=_amount, validator=positive)  # base
    price: Decimal = field(converter=_price, validator=positive)  # quote per base
    fee: Fee | None = None


@frozen
class Level:
    """One price of an order book."""

    price: Decimal  # quote per base
    amount: Decimal  # base


def _levels(value: Iterable[Level]) -> tuple[Level, ...]:
    return tuple(value)


@frozen(kw_only=True)
class OrderBook:
    """The best levels of both sides, best first."""

    bids: tuple[Level, ...] = field(converter=_levels)
    asks: tuple[Level, ...] = field(converter=_levels)
    at_ms: int | None = None  # the venue's clock, UTC

    def against(self, side: Side) -> tuple[Level, ...]:
        """The levels that an order of *side* would trade against, best first."""
        return self.asks if side is Side.BUY else self.bids

    def touch(self, side: Side) -> Decimal | None:
        """The best price that an order of *side* could trade at; None for an empty side."""
        levels = self.against(side)
        return levels[0].price if levels else None

    def vwap(self, side: Side, amount: Decimal) -> Decimal | None:
        """Return the average price of taking *amount* (> 0) at once; None if the book is too thin."""
        left, cost = amount, ZERO
        for level in self.against(side):
            taken = min(left, level.amount)
            cost = EXACT.add(cost, EXACT.multiply(taken, level.price))
            left = EXACT.subtract(left, taken)
            if not left:
                return divide(cost, amount)
        return None

    def depth(self, side: Side, limit: Decimal) -> Decimal:
        """Return how much an order of *side* could take no worse than *limit*, base."""
        total = ZERO
        for level in self.against(side):
            if (level.price - limit) * side.sign > 0:
                break
            total = EXACT.add(total, level.amount)
        return total


class HealthStatus(enum.Enum):
    """Whether a venue can be traded on."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


@frozen(kw_only=True)
class Health:
    """One reading of a venue."""

    status: HealthStatus
    note: str = ""  # why it is not up
    latency_ms: Decimal | None = None  # of the call that was made to find out
    clock_offset_ms: Decimal | None = None  # venue's clock minus ours; None: not measured
    has_secrets: bool = True  # whether the credentials that orders need are all there


@frozen(kw_only=True)
class Balances:
    """What can be spent on a venue now, by asset."""

    free: Mapping[str, Decimal]

    def of(self, currency: str) -> Decimal:
        """The free amount of *currency*; zero if the venue names none."""
        return self.free.get(currency, ZERO)
