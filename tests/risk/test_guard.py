"""The breaker: losses in, verdicts out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from worlds import LEGS, Walk, entry, leaving

from fsm_arb.clock import NS_PER_S
from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.errors import CurrencyMismatch, FxUnavailable, InvalidInput
from fsm_arb.fx import StaticFx
from fsm_arb.position import Position
from fsm_arb.risk import (
    Approved,
    CrossExchangeRiskGuard,
    GlobalLimits,
    RiskCode,
    RiskLimits,
    RiskReduced,
    RiskRefused,
    RiskTier,
    Verdict,
    imbalance,
    rebalancing,
)
from fsm_arb.risk.history import NS_PER_DAY
from fsm_arb.values import Action, Health, HealthStatus, Money, Side

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


# ------------------------------------------------------------------ told, asked, reserved

MILLION = 1_000_000


def sized(notional: int, name: str = "d1", action: Action = Action.ENTRY_POSITIVE) -> CrossExchangeDecision:
    return entry(action, notional=Money(notional, "USD"), decision_id=name)


def roomy(**changes: Any) -> CrossExchangeRiskGuard:
    given = {"daily_loss": Money(MILLION, "KRW"), "overall": GlobalLimits(exposure=Money(10 * MILLION, "KRW"))}
    return CrossExchangeRiskGuard(RiskLimits(**(given | changes)), Hands(), fx=StaticFx({"USD/KRW": 1000}))


def code(verdict: Verdict) -> RiskCode | None:
    return None if isinstance(verdict, Approved) else verdict.code


def test_two_trades_that_each_fit_and_together_do_not() -> None:
    """The second finds only what is left: exposure is reserved when a trade passes, not sampled."""
    made = roomy()
    assert made.admit(sized(6000, "a")) == Approved()
    second = made.admit(sized(6000, "b"))
    assert isinstance(second, RiskReduced)
    assert second.room == Money(4 * MILLION, "KRW")
    assert made.held == Money(10 * MILLION, "KRW")
    third = made.admit(sized(1, "c"))
    assert not third.approved
    made.let_go("a")
    assert made.admit(sized(6000, "c")) == Approved()


def test_asking_reserves_nothing_and_passing_twice_counts_once() -> None:
    """A decision that is tried again is the same trade."""
    made = roomy()
    made.check_cross_exchange_trade(sized(6000))
    assert made.held.amount == 0
    made.admit(sized(6000))
    made.admit(sized(6000))
    assert made.held == Money(6 * MILLION, "KRW")


def test_an_exit_reserves_nothing() -> None:
    """It makes the exposure smaller."""
    made = roomy()
    assert made.admit(leaving()) == Approved()
    assert made.held.amount == 0


def test_a_size_that_cannot_be_converted_is_refused_only_where_sizes_are_judged() -> None:
    """With the pair that has no rate."""
    verdict = CrossExchangeRiskGuard(roomy().limits, Hands()).admit(sized(1))
    assert (code(verdict), "no rate from USD to KRW" in str(verdict)) == (RiskCode.GLOBAL_FX_RATE, True)
    plain, _ = guard()
    assert plain.admit(sized(1)) == Approved()


def test_venues_routes_and_markets_are_judged_as_they_were_last_told() -> None:
    """Health, rate limit, score and volatility."""
    made = roomy(capital=Money(10 * MILLION, "KRW"))
    made.observe_health("beta", Health(status=HealthStatus.DEGRADED))
    assert made.check_cross_exchange_trade(sized(100)) == Approved()
    made.observe_route_score(LEGS, "0.5")
    assert code(made.check_cross_exchange_trade(sized(100))) is RiskCode.VENUE_DEGRADED
    made.observe_health("beta", Health(status=HealthStatus.UP))
    made.observe_headroom("alpha", "0.1")
    assert code(made.check_cross_exchange_trade(sized(100))) is RiskCode.VENUE_RATE_LIMIT
    made.observe_headroom("alpha", 1)
    assert made.check_cross_exchange_trade(sized(4000)) == Approved()
    made.observe_volatility("BTC", "0.05")
    assert code(made.check_cross_exchange_trade(sized(4000))) is RiskCode.SYMBOL_EXPOSURE


@pytest.mark.parametrize(
    ("first", "second", "least", "most", "mends"),
    [
        (2, 1, "0.2", "1", Action.ENTRY_POSITIVE),
        (1, 2, "-1", "-0.2", Action.ENTRY_NEGATIVE),
        (5, 1, "0.2", "1", Action.ENTRY_POSITIVE),
        (3, 3, "0", "0", Action.NO_ACTION),
        (0, 0, "0", "0", Action.NO_ACTION),
    ],
)
def test_an_imbalance_names_the_trade_that_mends_it(
    first: int, second: int, least: str, most: str, mends: Action
) -> None:
    """Inventories 2:1, 1:2, 5:1 at one price, one currency."""
    share = imbalance(Money(first, "KRW"), Money(second, "KRW"))
    assert D(least) <= share <= D(most)
    assert rebalancing(share) is mends


def test_inventories_of_two_currencies_are_converted_first() -> None:
    """Equal ones on a KRW and a USD venue are balanced; unlike ones refuse what makes them more unlike."""
    made = roomy()
    made.observe_inventory("alpha", "BTC", Money(MILLION, "KRW"))
    assert made.check_cross_exchange_trade(sized(100)) == Approved()  # the other one was never told
    made.observe_inventory("beta", "BTC", Money(1000, "USD"))
    for action in (Action.ENTRY_POSITIVE, Action.ENTRY_NEGATIVE):
        assert made.check_cross_exchange_trade(sized(100, action=action)) == Approved()
    made.observe_inventory("alpha", "BTC", Money(100 * MILLION, "KRW"))
    assert made.check_cross_exchange_trade(sized(100)) == Approved()
    worse = made.check_cross_exchange_trade(sized(100, action=Action.ENTRY_NEGATIVE))
    assert code(worse) is RiskCode.GLOBAL_INVENTORY_IMBALANCE
    with pytest.raises(InvalidInput, match="worth"):
        made.observe_inventory("alpha", "BTC", Money(-1, "KRW"))


# ------------------------------------------------------------------ following trades


def test_an_entry_that_came_to_nothing_lets_go_and_its_loss_counts() -> None:
    """Rolled back: both legs traded, nothing is held."""
    walk = Walk(name="d1", placement="sequential", remedy="unwind")
    made = roomy()
    made.admit(walk.decision)
    made.follow(walk.trade, None)
    assert made.held == Money(MILLION, "KRW")
    walk.fills(0).refuse(1).look().fills(2)
    assert walk.trade.done
    made.follow(walk.trade, None)
    assert made.held.amount == 0
    made.follow(walk.trade, None)  # told twice
    assert made.consecutive_losses == 0
    walk = Walk()
    walk.refuse(0).refuse(1)
    made.follow(walk.trade, None)  # nothing traded, nothing won or lost
    assert made.daily_pnl.amount == 0


def test_a_trade_that_is_taken_up_again_holds_what_it_held() -> None:
    """Holdings are derived from trades and positions, so they need no record of their own."""
    walk = Walk()
    made = roomy()
    made.follow(walk.trade, None)
    assert made.held == Money(MILLION, "KRW")


def test_a_position_holds_what_is_left_of_it_and_counts_when_it_closes() -> None:
    """A round trip is one result: an entry alone earns a spread that its exit gives back."""
    walk = Walk()
    walk.fills(0).fills(1)
    opened, _ = Position.opened("P-t1", walk.trade)
    made = roomy()
    made.follow(walk.trade, opened.value)
    assert made.held == Money(MILLION, "KRW")
    assert made.daily_pnl.amount == 0
    half = evolve(opened.value, exits=(("x", opened.value.quantity / 2),))
    made.follow(walk.trade, half)
    assert made.held == Money(MILLION // 2, "KRW")
    closed = evolve(opened.value, state="CLOSED", pnls=(("t1", D(5)), ("x", D(-7))))
    made.follow(walk.trade, closed)
    assert made.held.amount == 0
    assert made.daily_pnl == Money(-2000, "KRW")
    made.follow(walk.trade, evolve(closed, pnls=(("t1", D(5)), ("x", D(-8)))))
    assert made.daily_pnl == Money(-3000, "KRW")
    assert made.consecutive_losses == 1
    made.forget("t1")
    assert made.history.counted == {}


def test_an_exit_by_itself_holds_and_counts_nothing() -> None:
    """What it wins or loses is its position's, which is told with it where there is one."""
    made = roomy()
    walk = Walk(leaving(), sides=(Side.BUY, Side.SELL), quantity=D(10))
    made.follow(walk.trade, None)
    walk.fills(0, average=D(120)).fills(1)
    made.follow(walk.trade, None)
    assert (walk.state, made.held.amount, made.daily_pnl.amount, made.consecutive_losses) == ("DONE", 0, 0, 0)


def test_a_position_whose_result_is_unknown_is_not_counted_yet() -> None:
    """A fee may still be told."""
    walk = Walk()
    walk.fills(0).fills(1)
    opened, _ = Position.opened("P-t1", walk.trade)
    made = roomy()
    made.follow(walk.trade, evolve(opened.value, state="CLOSED", pnls=(("t1", None),)))
    assert made.history.counted == {}


def test_a_trade_that_runs_keeps_what_it_reserved_whatever_is_said_when_it_is_asked_about_again() -> None:
    """A bot that asks by itself cannot let go of what is at work."""
    made = roomy()
    made.admit(sized(6000, "a"))
    made.round_trip("x", LEGS, Money(-2 * MILLION, "KRW"))
    assert not made.admit(sized(6000, "a")).approved
    assert made.held == Money(6 * MILLION, "KRW")


def test_a_position_whose_price_is_unknown_is_not_held_at_nothing() -> None:
    """By the other leg's price, or as its entry reserved it."""
    walk = Walk(name="d1")
    walk.fills(0).fills(1)
    opened, _ = Position.opened("P-d1", walk.trade)
    made = roomy()
    made.stands(evolve(opened.value, entry_prices=(None, D(100))))
    assert made.held == Money(MILLION, "KRW")
    made.admit(walk.decision)
    made.stands(evolve(opened.value, entry_prices=(None, None)))
    assert made.held == Money(MILLION, "KRW")
