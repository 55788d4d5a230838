"""The port of strategies, and what one answers: an action, or none, and always why."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from attrs import field, frozen

from fsm_arb.context import Held, MarketContext
from fsm_arb.errors import InvalidInput
from fsm_arb.spread import Spread
from fsm_arb.values import Action, Money


class ReasonCode(enum.Enum):
    """Why there is an entry, an exit, or nothing."""

    ENTRY = "entry"  # every gate is passed
    IN_FLIGHT = "in_flight"  # a trade of this pair, or an exit of this position, is at work
    HELD_OFF = "held_off"  # the last exit of this position came to nothing, and a pause has not passed
    POSITIONS = "positions"  # enough is held on this pair
    SECRETS = "secrets"  # a venue's credentials are not all there
    HEALTH = "health"  # a venue is not well
    FX_UNAVAILABLE = "fx_unavailable"  # there is no rate
    FX_CONFIDENCE = "fx_confidence"  # its source is trusted too little
    FX_AGE = "fx_age"  # it is too old, or from the future
    NO_PRICE = "no_price"  # a book is missing, or a side of it is
    BOOK_AGE = "book_age"  # a book is too old
    VOLATILITY = "volatility"  # thresholds are scaled by it, and too few samples tell it
    LIQUIDITY = "liquidity"  # the thinner book holds too little
    NEUTRAL = "neutral"  # the spread has no direction
    SPREAD = "spread"  # it is not wide enough
    THIN_BOOK = "thin_book"  # a book holds less than the entry's size
    FUNDS = "funds"  # a venue has too little to sell or to pay with
    TIMEOUT = "timeout"  # held for too long
    REVERSAL = "reversal"  # the other venue has become the dear one
    TAKE_PROFIT = "take_profit"  # the spread has come back
    STOP_LOSS = "stop_loss"  # it has gone further away
    HOLD = "hold"  # nothing speaks for leaving
    FAILED = "failed"  # the strategy raised an error; the other positions were asked all the same


@frozen(kw_only=True)
class Reason:
    """Why: a code, the numbers, and a sentence with them."""

    code: ReasonCode
    words: str
    numbers: Mapping[str, Decimal] = field(factory=dict)

    def __str__(self) -> str:
        return f"{self.code.value}: {self.words}"


@frozen(kw_only=True)
class Verdict:
    """What a strategy says of one pair, or of one position.

    Attributes:
        action: What is to be done; NO_ACTION for nothing.
        reason: Why; also why nothing.
        notional: How much of legs[0] an entry trades, in its quote currency or that of legs[1].
        spread: What was computed on the way, where it came to that.

    Raises:
        InvalidInput: An entry without a notional above zero, or anything else with one.
    """

    action: Action
    reason: Reason
    notional: Money | None = None
    spread: Spread | None = None

    def __attrs_post_init__(self) -> None:
        if self.action.is_entry is not (self.notional is not None and self.notional.amount > 0):
            raise InvalidInput(
                "notional", self.notional, f"does not fit {self.action.value}: an entry has one above zero"
            )


class Strategy(Protocol):
    """What decides. Bots bring their own; it is asked at every tick and always says why."""

    def entry(self, context: MarketContext) -> Verdict:
        """Return an entry, or NO_ACTION and why."""
        ...

    def exit(self, context: MarketContext, held: Held) -> Verdict:
        """Return an exit of *held*, or NO_ACTION and why."""
        ...
