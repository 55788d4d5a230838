"""What a bot asks for: one cross trade, with the numbers it was decided on."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from attrs import Attribute, field, frozen

from fsm_arb.errors import InvalidInput
from fsm_arb.ids import fresh_decision_id
from fsm_arb.values import Action, Leg, Money, OrderBook, Side, to_decimal

DECISION_ID_MAX = 64  # characters
_LEGS = 2


def _prices(value: Any) -> tuple[Decimal, Decimal]:
    if not isinstance(value, tuple | list) or len(value) != _LEGS:
        raise InvalidInput("prices", value, "must be two prices, one a leg")
    first, second = (to_decimal(price, f"prices[{index}]") for index, price in enumerate(value))
    for index, price in enumerate((first, second)):
        if price <= 0:
            raise InvalidInput(f"prices[{index}]", price, "must be greater than zero")
    return first, second


def _legs(value: Any) -> tuple[Leg, Leg]:
    if not isinstance(value, tuple | list) or len(value) != _LEGS or not all(isinstance(leg, Leg) for leg in value):
        raise InvalidInput("legs", value, "must be two Leg")
    first, second = value
    return first, second


def _books(value: Any) -> tuple[OrderBook | None, OrderBook | None]:
    fits = isinstance(value, tuple | list) and len(value) == _LEGS
    if not fits or not all(book is None or isinstance(book, OrderBook) for book in value):
        raise InvalidInput("books", value, "must be two OrderBook or None, one a leg")
    first, second = value
    return first, second


@frozen(kw_only=True)
class CrossExchangeDecision:
    """One cross trade to execute.

    Attributes:
        action: ``ENTRY_POSITIVE`` sells legs[0] and buys legs[1]; ``ENTRY_NEGATIVE`` the reverse;
            an exit reverses what its position holds.
        legs: The two markets, of one base asset.
        notional: How much of legs[0], in its quote currency, before rounding; an exit leaves it out.
        prices: What the decision was made on, quote per base, one a leg.
        reason: For the audit.
        decision_id: 1 to 64 characters; the same id is executed once, ever. Fresh unless given.
        position_id: The position an exit closes; an entry leaves it out.
        decided_at: Aware; an entry older than the policy's ``decision_max_age_s`` is blocked.
        books: The order books the decision was made on, where they are at hand: the size is then
            held to what both can take within the policy's band.

    Raises:
        InvalidInput: Names the field and the value.
    """

    action: Action = field()
    legs: tuple[Leg, Leg] = field(converter=_legs)
    prices: tuple[Decimal, Decimal] = field(converter=_prices)
    notional: Money | None = None
    reason: str = ""
    decision_id: str = field(factory=fresh_decision_id)
    position_id: str | None = None
    decided_at: datetime | None = field(default=None)
    books: tuple[OrderBook | None, OrderBook | None] = field(default=(None, None), converter=_books)

    @action.validator
    def _action_is_one(self, _attribute: Attribute[Any], value: object) -> None:
        if not isinstance(value, Action) or value is Action.NO_ACTION:
            raise InvalidInput("action", value, "must be an entry or an exit")

    @decision_id.validator
    def _decision_id_fits(self, _attribute: Attribute[Any], value: object) -> None:
        if not isinstance(value, str) or not 0 < len(value) <= DECISION_ID_MAX:
            raise InvalidInput("decision_id", value, f"must be 1 to {DECISION_ID_MAX} characters")

    @decided_at.validator
    def _decided_at_is_aware(self, _attribute: Attribute[Any], value: object) -> None:
        if value is not None and (not isinstance(value, datetime) or value.tzinfo is None):
            raise InvalidInput("decided_at", value, "must be an aware datetime (with a time zone)")

    def __attrs_post_init__(self) -> None:
        first, second = self.legs
        if first.base != second.base:
            raise InvalidInput("legs", (first.symbol, second.symbol), "must trade the same base asset")
        if first == second:
            raise InvalidInput("legs", (first, second), "must be two different markets")
        if self.action.is_entry:
            self._check_entry(first)
        else:
            self._check_exit()

    def _check_entry(self, first: Leg) -> None:
        if self.position_id is not None:
            raise InvalidInput("position_id", self.position_id, "must be left out of an entry")
        if not isinstance(self.notional, Money):
            raise InvalidInput("notional", self.notional, "must be Money, in the quote currency of legs[0]")
        if self.notional.amount <= 0:
            raise InvalidInput("notional", self.notional, "must be greater than zero")
        if self.notional.currency != first.quote:
            raise InvalidInput("notional", self.notional, f"must be in {first.quote}, the quote currency of legs[0]")

    def _check_exit(self) -> None:
        if not isinstance(self.position_id, str) or not self.position_id:
            raise InvalidInput("position_id", self.position_id, "must name the position that an exit closes")
        if self.notional is not None:
            raise InvalidInput("notional", self.notional, "must be left out of an exit: its position says how much")

    def entry_sides(self) -> tuple[Side, Side]:
        """Return which side each leg of an entry trades."""
        if self.action is Action.ENTRY_POSITIVE:
            return Side.SELL, Side.BUY
        return Side.BUY, Side.SELL
