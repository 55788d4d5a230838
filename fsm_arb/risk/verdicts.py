"""What a risk guard may say to an entry: yes, yes but smaller, or no; always with tier, code and numbers."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from decimal import Decimal
from typing import Self

from attrs import field, frozen

from fsm_arb.values import ZERO, Money


class RiskTier(enum.Enum):
    """How far a verdict reaches."""

    VENUE = "venue"  # one exchange account
    ROUTE = "route"  # one pair of markets
    SYMBOL = "symbol"  # one base asset
    GLOBAL = "global"  # all that this process trades
    CROSS_EXCHANGE = "cross_exchange"  # cross trades as a kind: a day's result, runs of losses, one-sidedness


class RiskCode(enum.Enum):
    """Why an entry is refused or made smaller. The table in the documentation is drawn from this."""

    tier: RiskTier
    why: str

    def __new__(cls, code: str, tier: RiskTier, why: str) -> Self:
        """Keep the tier and the sentence beside the code."""
        member = object.__new__(cls)
        member._value_ = code
        member.tier = tier
        member.why = why
        return member

    VENUE_DOWN = "VENUE_DOWN", RiskTier.VENUE, "The venue is down."
    VENUE_DEGRADED = (
        "VENUE_DEGRADED",
        RiskTier.VENUE,
        "The venue is degraded, and the route's score is too low to trade on it all the same.",
    )
    VENUE_RATE_LIMIT = (
        "VENUE_RATE_LIMIT",
        RiskTier.VENUE,
        "Too little of the venue's rate limit is left; it is kept for cancels and remedies.",
    )
    VENUE_EXPOSURE = "VENUE_EXPOSURE", RiskTier.VENUE, "With this trade too much would be held on one venue."
    ROUTE_CONSECUTIVE_LOSS = (
        "ROUTE_CONSECUTIVE_LOSS",
        RiskTier.ROUTE,
        "This pair of markets has lost too many times in a row; it cools down.",
    )
    SYMBOL_EXPOSURE = (
        "SYMBOL_EXPOSURE",
        RiskTier.SYMBOL,
        "With this trade too large a share of the capital would be in one asset; what still fits may be traded.",
    )
    SYMBOL_DRAWDOWN = (
        "SYMBOL_DRAWDOWN",
        RiskTier.SYMBOL,
        "The asset's result has fallen too far from its best.",
    )
    GLOBAL_LOSS = "GLOBAL_LOSS", RiskTier.GLOBAL, "All trades together have lost too much."
    GLOBAL_EXPOSURE = (
        "GLOBAL_EXPOSURE",
        RiskTier.GLOBAL,
        "With this trade too much would be held in all; what still fits may be traded.",
    )
    GLOBAL_INVENTORY_IMBALANCE = (
        "GLOBAL_INVENTORY_IMBALANCE",
        RiskTier.GLOBAL,
        "One venue holds too much of the asset, and this trade would make it worse.",
    )
    GLOBAL_FX_RATE = (
        "GLOBAL_FX_RATE",
        RiskTier.GLOBAL,
        "A rate that the entry would be judged by is missing, too old, or the wrong way round.",
    )
    CROSS_DAILY_LOSS_LIMIT = (
        "CROSS_DAILY_LOSS_LIMIT",
        RiskTier.CROSS_EXCHANGE,
        "Today's result is at or below minus the limit; entries stop until the day is over, in UTC.",
    )
    CROSS_CONSECUTIVE_LOSS_LIMIT = (
        "CROSS_CONSECUTIVE_LOSS_LIMIT",
        RiskTier.CROSS_EXCHANGE,
        "Too many cross trades in a row have lost.",
    )
    CROSS_DIRECTIONAL_BIAS = (
        "CROSS_DIRECTIONAL_BIAS",
        RiskTier.CROSS_EXCHANGE,
        "Too many open positions face one way, and this trade would be one more.",
    )
    COOLDOWN = "COOLDOWN", RiskTier.CROSS_EXCHANGE, "The breaker has tripped and has not cooled down yet."


@frozen
class Approved:
    """The entry may be begun."""

    approved: bool = field(default=True, init=False)

    def __str__(self) -> str:
        return "approved"


@frozen(kw_only=True)
class RiskReduced:
    """The entry may be begun with no more than what still fits.

    Attributes:
        room: What still fits, as a notional; an entry below a venue's minimum is then refused by sizing.
        approved: Whether any room is left.
    """

    tier: RiskTier
    code: RiskCode
    numbers: str
    room: Money
    cooldown_until_ns: int | None = None

    @property
    def approved(self) -> bool:
        """Whether anything may be traded at all."""
        return self.room.amount > ZERO

    def __str__(self) -> str:
        return f"{self.tier.value} {self.code.value}: {self.numbers}; room for {self.room}"


@frozen(kw_only=True)
class RiskRefused:
    """The entry may not be begun."""

    tier: RiskTier
    code: RiskCode
    numbers: str  # what was measured against what
    cooldown_until_ns: int | None = None  # wall clock UTC
    approved: bool = field(default=False, init=False)

    def __str__(self) -> str:
        return f"{self.tier.value} {self.code.value}: {self.numbers}"


Verdict = Approved | RiskReduced | RiskRefused


def refused(code: RiskCode, numbers: str, until_ns: int | None = None) -> RiskRefused:
    """Return a refusal by *code*, which knows its tier."""
    return RiskRefused(tier=code.tier, code=code, numbers=numbers, cooldown_until_ns=until_ns)


def reduced(code: RiskCode, numbers: str, room: Money) -> RiskReduced:
    """Return a verdict that leaves *room*, never below zero."""
    return RiskReduced(tier=code.tier, code=code, numbers=numbers, room=Money(max(room.amount, ZERO), room.currency))


def strictest(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict that allows least; of equals the first. All rooms are in one currency."""
    return min(verdicts, key=_allows, default=Approved())


def _allows(verdict: Verdict) -> tuple[int, Decimal]:
    if isinstance(verdict, RiskRefused):
        return 0, ZERO
    if isinstance(verdict, RiskReduced):
        return 1, verdict.room.amount
    return 2, ZERO
