"""The breaker between a bot and its own losses: may another cross trade be begun?

Exits, completions and unwinds never ask. A verdict is a type: `Approved`, or
`RiskRefused` with the tier, the code and the numbers that said no.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from decimal import Decimal

from attrs import define, field, frozen

from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.errors import CurrencyMismatch
from fsm_arb.values import ZERO, Money


class RiskTier(enum.Enum):
    """How far a verdict reaches."""

    CROSS_EXCHANGE = "cross_exchange"  # all cross trades of the bot


class RiskCode(enum.Enum):
    """Why an entry is refused."""

    CROSS_DAILY_LOSS_LIMIT = "CROSS_DAILY_LOSS_LIMIT"  # today's PnL is at or below minus the limit
    CROSS_CONSECUTIVE_LOSS_LIMIT = "CROSS_CONSECUTIVE_LOSS_LIMIT"  # this many losing trades in a row
    COOLDOWN = "COOLDOWN"  # a breaker that tripped has not cooled down yet


@frozen
class Approved:
    """The entry may be begun."""

    approved: bool = field(default=True, init=False)


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


@frozen(kw_only=True)
class RiskLimits:
    """The numbers of `CrossExchangeRiskGuard`."""

    daily_loss: Money  # a day's loss that stops entries until the day is over, in UTC
    consecutive_losses: int = 3  # losing trades in a row that stop entries for the cool-down
    cooldown_s: Decimal = Decimal(300)


NS_PER_S = 1_000_000_000
NS_PER_DAY = 86_400 * NS_PER_S


@define(eq=False)
class CrossExchangeRiskGuard:
    """Refuses entries after a day's loss or a run of losing trades.

    Args:
        limits: Its numbers.
        time_ns: The wall clock, UTC ns; handed in.
    """

    limits: RiskLimits
    time_ns: Callable[[], int]
    _day: int = 0
    _daily: Decimal = ZERO
    _streak: int = 0
    _cooldown_until_ns: int = 0

    def record_pnl(self, pnl: Money) -> None:
        """Take in what a trade made or lost.

        Raises:
            CurrencyMismatch: It is not in the limit's currency.
        """
        if pnl.currency != self.limits.daily_loss.currency:
            raise CurrencyMismatch("pnl", pnl, f"must be in {self.limits.daily_loss.currency}")
        self._turn_day()
        self._daily += pnl.amount
        self._streak = self._streak + 1 if pnl.amount < 0 else 0
        if self._streak >= self.limits.consecutive_losses:
            self._cooldown_until_ns = self.time_ns() + int(self.limits.cooldown_s * NS_PER_S)

    @property
    def daily_pnl(self) -> Money:
        """Today's, in UTC."""
        self._turn_day()
        return Money(self._daily, self.limits.daily_loss.currency)

    @property
    def consecutive_losses(self) -> int:
        """Losing trades since the last one that did not lose."""
        return self._streak

    def check_cross_exchange_trade(self, decision: CrossExchangeDecision) -> Approved | RiskRefused:
        """Return whether *decision* may be begun. An exit always may."""
        if decision.action.is_exit:
            return Approved()
        self._turn_day()
        now = self.time_ns()
        if self._daily <= -self.limits.daily_loss.amount:
            numbers = f"{self._daily:f} {self.limits.daily_loss.currency} today, limit {self.limits.daily_loss}"
            return self._refused(RiskCode.CROSS_DAILY_LOSS_LIMIT, numbers, (self._day + 1) * NS_PER_DAY)
        if now < self._cooldown_until_ns:
            if self._streak >= self.limits.consecutive_losses:
                numbers = f"{self._streak} losses in a row, limit {self.limits.consecutive_losses}"
                return self._refused(RiskCode.CROSS_CONSECUTIVE_LOSS_LIMIT, numbers, self._cooldown_until_ns)
            left = (self._cooldown_until_ns - now) // NS_PER_S
            return self._refused(RiskCode.COOLDOWN, f"{left} s left", self._cooldown_until_ns)
        return Approved()

    def _turn_day(self) -> None:
        day = self.time_ns() // NS_PER_DAY
        if day != self._day:
            self._day, self._daily = day, ZERO

    @staticmethod
    def _refused(code: RiskCode, numbers: str, until_ns: int) -> RiskRefused:
        return RiskRefused(tier=RiskTier.CROSS_EXCHANGE, code=code, numbers=numbers, cooldown_until_ns=until_ns)
