"""The breaker: losses in, verdicts out."""

from __future__ import annotations

from decimal import Decimal

import pytest
from worlds import entry, leaving

from fsm_arb.errors import CurrencyMismatch
from fsm_arb.risk import (
    NS_PER_DAY,
    NS_PER_S,
    Approved,
    CrossExchangeRiskGuard,
    RiskCode,
    RiskLimits,
    RiskRefused,
    RiskTier,
)
from fsm_arb.values import Money

D = Decimal
LIMITS = RiskLimits(daily_loss=Money(1_000_000, "KRW"))


class Hands:
    """A wall clock that is moved by hand."""

    def __init__(self) -> None:
        self.ns = 20_000 * NS_PER_DAY + 3600 * NS_PER_S

    def __call__(self) -> int:
        return self.ns


def guard(*pnls: int, limits: RiskLimits = LIMITS) -> tuple[CrossExchangeRiskGuard, Hands]:
    hands = Hands()
    made = CrossExchangeRiskGuard(limits, hands)
    for pnl in pnls:
        made.record_pnl(Money(pnl, "KRW"))
    return made, hands


def refused(made: CrossExchangeRiskGuard) -> RiskRefused:
    verdict = made.check_cross_exchange_trade(entry())
    assert isinstance(verdict, RiskRefused)
    assert verdict.approved is False
    assert verdict.tier is RiskTier.CROSS_EXCHANGE
    return verdict


def test_nothing_lost_nothing_refused() -> None:
    """A verdict is a type with one word in common."""
    made, _ = guard()
    assert made.check_cross_exchange_trade(entry()) == Approved()
    assert Approved().approved is True


def test_a_day_s_pnl_is_a_sum() -> None:
    """+1M, -0.5M, +0.3M."""
    made, _ = guard(1_000_000, -500_000, 300_000)
    assert made.daily_pnl == Money(800_000, "KRW")


def test_losses_in_a_row_are_counted_from_the_last_one_that_did_not_lose() -> None:
    """L, L, L, W, L; nothing won and nothing lost breaks a run too."""
    made, _ = guard()
    streaks = []
    for pnl in (-1, -1, -1, 1, -1, 0):
        made.record_pnl(Money(pnl, "KRW"))
        streaks.append(made.consecutive_losses)
    assert streaks == [1, 2, 3, 0, 1, 0]


@pytest.mark.parametrize("lost", [-1_000_000, -1_100_000])
def test_a_day_s_loss_at_the_limit_refuses_until_the_day_is_over(lost: int) -> None:
    """In UTC, with the numbers; the next day begins at nothing."""
    made, hands = guard(lost)
    verdict = refused(made)
    assert (verdict.code, verdict.cooldown_until_ns) == (RiskCode.CROSS_DAILY_LOSS_LIMIT, 20_001 * NS_PER_DAY)
    assert str(verdict) == f"cross_exchange CROSS_DAILY_LOSS_LIMIT: {lost} KRW today, limit 1000000 KRW"
    hands.ns = 20_001 * NS_PER_DAY - 1
    refused(made)
    hands.ns += 1
    assert made.check_cross_exchange_trade(entry()).approved
    assert made.daily_pnl == Money(0, "KRW")


def test_just_less_than_the_limit_is_allowed() -> None:
    """At the limit means at it."""
    made, _ = guard(-999_999)
    assert made.check_cross_exchange_trade(entry()).approved


def test_three_losses_in_a_row_refuse_for_the_cool_down() -> None:
    """Then an entry may be tried again; each further loss begins it anew."""
    made, hands = guard(-1, -1)
    assert made.check_cross_exchange_trade(entry()).approved
    made.record_pnl(Money(-1, "KRW"))
    verdict = refused(made)
    assert (verdict.code, verdict.cooldown_until_ns) == (
        RiskCode.CROSS_CONSECUTIVE_LOSS_LIMIT,
        hands.ns + 300 * NS_PER_S,
    )
    assert verdict.numbers == "3 losses in a row, limit 3"
    hands.ns += 300 * NS_PER_S - 1
    refused(made)
    hands.ns += 1
    assert made.check_cross_exchange_trade(entry()).approved
    made.record_pnl(Money(-1, "KRW"))
    assert refused(made).numbers == "4 losses in a row, limit 3"


def test_a_cool_down_outlasts_a_win() -> None:
    """A trade that was running when it began does not end it."""
    made, hands = guard(-1, -1, -1, 5)
    hands.ns += 240 * NS_PER_S
    verdict = refused(made)
    assert (verdict.code, verdict.numbers) == (RiskCode.COOLDOWN, "60 s left")


def test_the_day_s_loss_is_said_before_the_run_of_losses() -> None:
    """It holds for longer."""
    made, _ = guard(-500_000, -500_000, -500_000)
    assert refused(made).code is RiskCode.CROSS_DAILY_LOSS_LIMIT


def test_an_exit_is_never_refused() -> None:
    """It makes the risk smaller."""
    made, _ = guard(-500_000, -500_000, -500_000)
    assert made.check_cross_exchange_trade(leaving()) == Approved()


def test_two_currencies_are_not_added() -> None:
    """Converted first, or refused."""
    made, _ = guard()
    with pytest.raises(CurrencyMismatch, match="must be in KRW"):
        made.record_pnl(Money(1, "USDT"))
    assert made.daily_pnl == Money(0, "KRW")


def test_a_loss_of_yesterday_is_not_counted_today() -> None:
    """Also where nobody asked in between."""
    made, hands = guard(-900_000)
    hands.ns += NS_PER_DAY
    made.record_pnl(Money(-200_000, "KRW"))
    assert made.daily_pnl == Money(-200_000, "KRW")
    assert made.check_cross_exchange_trade(entry()).approved
