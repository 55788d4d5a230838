"""The breaker: losses in, verdicts out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from worlds import LEGS, Walk, entry, leaving

from fsm_arb.clock import NS_PER_S
from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.errors import CurrencyMismatch, InvalidInput
from fsm_arb.fx import FxRate, StaticFx
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
from fsm_arb.risk.history import NS_PER_DAY, RiskHistory
from fsm_arb.risk.reckoning import Reckoned
from fsm_arb.values import Action, Fee, Health, HealthStatus, Money, Side

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


# ------------------------------------------------------------------ rates


class Moving:
    """A provider whose rate moves, grows old, or is read the wrong way round."""

    def __init__(self, hands: Hands) -> None:
        self.hands = hands
        self.rate_now = D(1000)
        self.age_s = 0
        self.turned = False

    def rate(self, base: str, quote: str) -> FxRate:
        at_ns = self.hands.ns - self.age_s * NS_PER_S
        told = FxRate(base=base, quote=quote, rate=self.rate_now, source="a book", at_ns=at_ns)
        return told.inverse if self.turned else told


def moving() -> tuple[CrossExchangeRiskGuard, Moving]:
    hands = Hands()
    fx = Moving(hands)
    limits = RiskLimits(daily_loss=Money(MILLION, "KRW"), overall=GlobalLimits(exposure=Money(10 * MILLION, "KRW")))
    return CrossExchangeRiskGuard(limits, hands, fx=fx), fx


def test_a_result_is_worth_the_same_however_often_it_is_told() -> None:
    """At the rate at which it was counted first; a correction too, and it needs no rate any more."""
    made, fx = moving()
    made.round_trip("a", LEGS, Money(-100, "USD"))
    fx.rate_now = D(3000)
    made.round_trip("a", LEGS, Money(-100, "USD"))
    assert made.daily_pnl == Money(-100_000, "KRW")
    fx.age_s = 3600
    made.round_trip("a", LEGS, Money(-101, "USD"))
    assert made.daily_pnl == Money(-101_000, "KRW")
    fx.age_s = 0
    made.round_trip("b", LEGS, Money(-1, "USD"))
    assert made.daily_pnl == Money(-104_000, "KRW")


@pytest.mark.parametrize(
    ("broken", "words"),
    [({"age_s": 61}, "61 s old (at most 60 s)"), ({"turned": True}, "asked for USD/KRW, a book told of KRW/USD")],
)
def test_an_entry_is_not_judged_by_a_rate_that_is_old_or_the_wrong_way_round(broken: Any, words: str) -> None:
    """It is refused with a code and the reading; an exit is not, and a good reading lets entries go on."""
    made, fx = moving()
    for name, value in broken.items():
        setattr(fx, name, value)
    verdict = made.admit(sized(100))
    assert isinstance(verdict, RiskRefused)
    assert (verdict.code, verdict.tier) == (RiskCode.GLOBAL_FX_RATE, RiskTier.GLOBAL)
    assert words in verdict.numbers
    assert made.held.amount == 0
    assert made.admit(leaving()) == Approved()
    fx.age_s, fx.turned = 0, False
    assert made.admit(sized(100)) == Approved()


# ------------------------------------------------------------------ results that are not known exactly


def test_a_loss_is_counted_though_a_fee_of_it_is_unknown() -> None:
    """By what is reckoned; the asset without a rate is named. Once the fee is known, the difference counts."""
    made = roomy()
    walk = Walk(placement="sequential", remedy="unwind")
    walk.fills(0, fees=(Fee(D("0.01"), "BNB"),)).refuse(1).look().fills(2, average=D(110))
    assert walk.trade.done
    made.follow(walk.trade, None)
    lost = Money((-100 - 1) * 1000, "KRW")  # ten sold at 100 and bought back at 110, and a thousandth of a thousand
    assert (made.daily_pnl, list(made.doubts)) == (lost, ["BNB"])
    assert made.consecutive_losses == 1
    made.round_trip("t1", LEGS, Money(-150, "USD"))
    assert (made.daily_pnl, made.consecutive_losses) == (Money(-150_000, "KRW"), 1)


def test_a_position_s_unknown_part_counts_as_it_is_reckoned() -> None:
    """Where the part is handed in; else there is nothing to count."""
    walk = Walk()
    walk.fills(0).fills(1)
    opened, _ = Position.opened("P-t1", walk.trade)
    closed = evolve(opened.value, state="CLOSED", pnls=(("t1", None), ("x", D(-7))))
    made = roomy()
    made.follow(walk.trade, closed)
    assert made.history.counted == {}
    made.follow(walk.trade, closed, {"t1": Reckoned(cash=D(-1))})
    assert made.daily_pnl == Money(-8000, "KRW")


def test_what_a_venue_took_back_whole_is_corrected_to_nothing() -> None:
    """An entry whose every fill is gone has made nothing."""
    made = roomy()
    walk = Walk(placement="sequential", remedy="unwind")
    walk.fills(0).refuse(1).look().fills(2, average=D(110))
    made.follow(walk.trade, None)
    assert made.daily_pnl == Money(-100_000, "KRW")
    walk.bust(0, 10).bust(2, 10)
    assert walk.trade.done
    made.follow(walk.trade, None)
    assert made.daily_pnl == Money(0, "KRW")


def test_a_trade_that_is_recalled_counts_only_what_has_changed_since() -> None:
    """It was forgotten, and counts as it was counted; without that its whole result would count again."""
    walk = Walk(remedy="unwind", attempts_max=1).fills(0).refuse(1).look().fills(2, average=D(102))
    made = roomy()
    made.follow(walk.trade, None)
    lost, counted = made.daily_pnl, made.history.counted["t1"]
    assert lost.amount < 0
    for _ in range(2):
        made.forget("t1")
        assert made.history.counted == {}
        made.recall("t1", counted)
        made.follow(walk.trade, None)
        assert made.daily_pnl == lost
    made.forget("t1")
    made.follow(walk.trade, None)
    assert made.daily_pnl == lost + lost


# ------------------------------------------------------------------ whose it is


def test_a_guard_belongs_to_one_executor() -> None:
    """Until that is left."""
    made, _ = guard()
    made.enter(lambda: None)
    with pytest.raises(InvalidInput, match="count twice after a start; give each executor a guard of its own"):
        made.enter(lambda: None)
    made.leave()
    made.enter(lambda: None)


def test_what_is_told_by_hand_counts_on_top_of_a_history_that_is_taken_up() -> None:
    """Until it was kept; whoever keeps it is called."""
    made, _ = guard(-5, -7)
    journaled = RiskHistory(day=made.history.day, daily=D(-100), result=D(-100), by_hand=9)
    made.take_up(journaled)
    assert (made.history.result, made.history.by_hand, made.consecutive_losses) == (-112, 11, 2)
    made.kept(made.history)
    made.take_up(journaled)
    assert made.history.result == -100
    called: list[int] = []
    made.enter(lambda: called.append(1))
    made.record_pnl(Money(-1, "KRW"))
    assert called == [1]
