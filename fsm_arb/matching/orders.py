"""Orders and fills as the server keeps them, for ever: the truth that tests judge by."""

from __future__ import annotations

import enum
from decimal import Decimal

from attrs import define, evolve, field, frozen

from fsm_arb.values import ZERO, Side

Take = tuple[Decimal, Decimal]  # price, amount


class Kind(enum.Enum):
    """What an order bounds."""

    LIMIT = "limit"  # amount in base and a price
    MARKET = "market"  # amount in base
    COST = "cost"  # amount in quote; buys only


class TimeInForce(enum.Enum):
    """How long an order may stand."""

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    POST_ONLY = "post_only"


class Status(enum.Enum):
    """How an order stands."""

    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"


class Refusal(enum.Enum):
    """Why an order was not accepted."""

    UNKNOWN_MARKET = "unknown_market"
    HALTED = "halted"
    DUPLICATE = "duplicate"
    LOT = "lot"
    TICK = "tick"
    BAND = "band"
    AMOUNT_MIN = "amount_min"
    NOTIONAL_MIN = "notional_min"
    POST_ONLY = "post_only"
    REDUCE_ONLY = "reduce_only"
    FUNDS = "funds"
    INJECTED = "injected"  # a fault: refused for no reason


class OrderRefused(Exception):
    """The venue does not take this order."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


class UnknownOrder(Exception):
    """No order of this id, or none that is still open where an open one is needed."""


@frozen(kw_only=True)
class NewOrder:
    """What a create asks for."""

    symbol: str
    side: Side
    kind: Kind
    time_in_force: TimeInForce
    amount: Decimal | None  # base; None for a cost order
    price: Decimal | None  # quote per base; None without a limit
    cost: Decimal | None = None  # quote; a cost order's budget
    client_id: str | None = None
    reduce_only: bool = False


@frozen(kw_only=True)
class Execution:
    """One trade of one order of ours."""

    trade_id: int
    trade_uuid: str
    order_id: str
    client_id: str | None
    symbol: str
    side: Side
    amount: Decimal  # base
    price: Decimal  # quote per base
    fee: Decimal
    fee_asset: str
    maker: bool
    at_ms: int
    realised: Decimal = ZERO  # quote; derivatives only

    @property
    def cost(self) -> Decimal:
        """Quote."""
        return self.amount * self.price


@frozen(kw_only=True)
class Received:
    """One create that reached the venue's engine, accepted or not."""

    client_id: str | None
    symbol: str
    side: Side
    amount: Decimal | None
    price: Decimal | None
    at_ms: int
    refusal: Refusal | None = None  # None: accepted


@define(kw_only=True, eq=False)
class Order:
    """One accepted order."""

    number: int
    order_id: str
    new: NewOrder
    created_ms: int
    status: Status = Status.OPEN
    updated_ms: int
    filled: Decimal = ZERO  # base
    spent: Decimal = ZERO  # quote, fees aside
    fills: list[Execution] = field(factory=list)
    held: Decimal = ZERO  # what of the account is kept back for it
    hidden_until_ms: int = 0  # a fault: reads do not find it before
    changes: list[tuple[int, Status]] = field(factory=list)

    @property
    def amount(self) -> Decimal:
        """Base; for a cost order, what it has bought."""
        return self.filled if self.new.amount is None else self.new.amount

    @property
    def remaining(self) -> Decimal:
        """Base that may still fill were it open."""
        return self.amount - self.filled

    @property
    def average(self) -> Decimal:
        """Quote per base; zero while nothing is filled."""
        return self.spent / self.filled if self.filled else ZERO

    @property
    def is_open(self) -> bool:
        """Whether it may still execute."""
        return self.status is Status.OPEN

    def turn(self, status: Status, now_ms: int) -> None:
        """Move to *status*."""
        self.status = status
        self.updated_ms = now_ms
        self.changes.append((now_ms, status))

    def as_of(self, at_ms: int) -> Order:
        """Return a copy as it stood at *at_ms*; as at its creation if it is younger."""
        fills = [fill for fill in self.fills if fill.at_ms <= at_ms]
        status = Status.OPEN
        for changed_ms, to in self.changes:
            if changed_ms <= at_ms:
                status = to
        return evolve(
            self,
            status=status,
            fills=fills,
            filled=sum((fill.amount for fill in fills), ZERO),
            spent=sum((fill.cost for fill in fills), ZERO),
            updated_ms=max((self.created_ms, *(fill.at_ms for fill in fills))),
        )

    def as_created(self) -> Order:
        """Return a copy as it stood before anything met it."""
        return evolve(self, status=Status.OPEN, fills=[], filled=ZERO, spent=ZERO, updated_ms=self.created_ms)
