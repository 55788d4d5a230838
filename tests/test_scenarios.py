"""What must come of an execution, a row each: real ccxt classes, the venues' own books as judge."""

from __future__ import annotations

import asyncio
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

sys.path.insert(0, str(Path(__file__).parent / "executor"))

from hall import Hall, open_hall, quick

from fsm_arb import Action, CrossExchangeOrchestrator, CrossExchangeRiskGuard, Leg, Money, OrderType
from fsm_arb.clock import SystemClock
from fsm_arb.errors import PositionNotOpen
from fsm_arb.matching.market import FeeRule
from fsm_arb.risk import RiskLimits
from fsm_arb.values import Health, HealthStatus, Side
from fsm_arb.venues.ccxt_venue import CcxtVenue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fsm_arb import CrossExchangeDecision
    from fsm_arb.testing.loopback.truth import TrueOrder

D = Decimal
LOT = D("0.00001")  # binance's; what its fee in base leaves over is less
ENTRIES = (Action.ENTRY_NEGATIVE, Action.ENTRY_POSITIVE)


@pytest_asyncio.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    """Both books deep and still."""
    async with open_hall(tmp_path) as hall:
        yield hall


def amounts(orders: list[TrueOrder]) -> list[tuple[str, Decimal]]:
    return [(order.side.value, order.filled) for order in orders]


class Degraded(CcxtVenue):
    """A real exchange that says it is not quite well."""

    async def health(self) -> Health:
        return Health(status=HealthStatus.DEGRADED, note="slow matching")


# ------------------------------------------------------------------ both fill


@pytest.mark.parametrize("action", ENTRIES)
@pytest.mark.parametrize("second", ["binance", "binanceusdm"])
async def test_both_legs_fill(hall: Hall, action: Action, second: str) -> None:
    """100M KRW on two healthy venues: success, one order each, nothing naked."""
    legs = ("upbit", second)
    decision = hall.entry(action=action, legs=legs, notional=Money(D(100_000_000), "KRW"))
    async with hall.executor(*legs) as executor:
        result = await executor.execute_decision(decision)
        assert (result.status, result.state, result.ever_halted) == ("success", "DONE", False)
        assert [len(leg.order_ids) for leg in result.legs] == [1, 1]
        assert [leg.status for leg in result.legs] == ["filled", "filled"]
        (position,) = executor.positions()
        assert executor.exposure() == {}
    truth = await hall.check(result)
    (first,), (other,) = truth["upbit"].orders, truth[second].orders
    assert (first.order_id, other.order_id) == (result.legs[0].order_ids[0], result.legs[1].order_ids[0])
    assert {first.side, other.side} == {Side.BUY, Side.SELL}
    # Where Binance spot keeps a fee of the base that was bought, less than one lot is left; else nothing at all.
    buys_on_binance = action is Action.ENTRY_POSITIVE and second == "binance"
    assert abs(result.net_exposure) < D("0.00001") if buys_on_binance else result.net_exposure == 0
    assert position.quantity == min(
        abs(truth[each].bought(f"BTC/{quote}"))
        for each, quote in zip(legs, ("KRW", "USDT" if second == "binance" else "USDT:USDT"), strict=True)
    )


@pytest.mark.parametrize("rule", FeeRule)
async def test_both_legs_fill_whatever_the_fee_is_taken_in(tmp_path: Path, rule: FeeRule) -> None:
    """A fee in quote, in base or in a third asset: what was received matches, and the fee is told."""
    async with open_hall(tmp_path, spot_fees=rule) as hall, hall.executor() as executor:
        result = await executor.execute_decision(hall.entry("1", action=Action.ENTRY_POSITIVE))
        truth = await hall.check(result)
    assert result.status == "success"
    bought = truth["binance"].orders
    fees: dict[str, Decimal] = {}
    for currency, amount in ((currency, amount) for order in bought for currency, amount in order.fees.items()):
        fees[currency] = fees.get(currency, D(0)) + amount
    assert {fee.currency: fee.amount for fee in result.leg("binance").fees} == fees
    # The buyer orders more to make up for a fee in base, and never receives more than that.
    assert D("0.99999") < result.leg("binance").received_qty <= D("1.001")
    assert bought[0].amount == (D(1) if rule is FeeRule.BNB else D("1.001"))
    if rule is FeeRule.BNB:
        assert result.pnl is None
        assert "BNB" in result.note
    else:
        assert result.pnl is not None


async def test_an_account_that_pays_its_fees_in_bnb_needs_no_remedy(tmp_path: Path) -> None:
    """Both venues fill what was asked for: one order each, also where fees are paid in a third asset."""
    async with open_hall(tmp_path, spot_fees=FeeRule.BNB) as hall, hall.executor() as executor:
        for _ in range(2):  # the first fill has told which asset it is
            before = await hall.creates()
            result = await executor.execute_decision(hall.entry("1", action=Action.ENTRY_POSITIVE))
            assert result.status == "success"
        assert await hall.creates() - before == 2


# ------------------------------------------------------------------ refused before it begins


@pytest.mark.parametrize("action", ENTRIES)
async def test_venue_down(hall: Hall, action: Action) -> None:
    """One venue degraded, the other down: blocked, no order, the note names a venue."""
    await hall.server.down("binance")
    venues = {
        "upbit": Degraded(hall.server.ccxt("upbit"), name="upbit", clock=SystemClock()),
        "binance": hall.server.ccxt("binance"),
    }
    async with hall.executor(venues=venues) as executor:
        result = await executor.execute_decision(hall.entry(action=action))
    assert result.status == "blocked"
    assert "upbit is degraded" in result.note
    assert "binance is down" in result.note
    assert [leg.order_ids for leg in result.legs] == [(), ()]
    assert await hall.creates() == 0


async def test_venue_degraded(hall: Hall) -> None:
    """A venue that is not quite well takes no new entry."""
    venues = {
        "upbit": Degraded(hall.server.ccxt("upbit"), name="upbit", clock=SystemClock()),
        "binance": hall.server.ccxt("binance"),
    }
    async with hall.executor(venues=venues) as executor:
        result = await executor.execute_decision(hall.entry())
    assert result.status == "blocked"
    assert "upbit is degraded" in result.note
    assert await hall.creates() == 0


@pytest.mark.parametrize("venue", ["upbit", "binance"])
async def test_secrets_of_one_venue_missing(hall: Hall, venue: str) -> None:
    """Only one key pair: blocked, since both are needed."""
    venues = {name: hall.server.ccxt(name) for name in ("upbit", "binance")}
    venues[venue] = hall.server.ccxt(venue, apiKey=None, secret=None)
    async with hall.executor(venues=venues) as executor:
        result = await executor.execute_decision(hall.entry())
    assert result.status == "blocked"
    assert "secrets" in result.note
    assert venue in result.note
    assert await hall.creates() == 0


async def test_risk_refuses(hall: Hall) -> None:
    """A day's loss of 1.5M with a limit of 1M: blocked, no order, tier and code in the note."""
    guard = CrossExchangeRiskGuard(RiskLimits(daily_loss=Money(D(1_000_000), "KRW")), SystemClock().time_ns)
    guard.record_pnl(Money(D(-1_500_000), "KRW"))
    async with hall.executor(risk_guard=guard) as executor:
        result = await executor.execute_decision(hall.entry())
    assert result.status == "blocked"
    assert "cross_exchange" in result.note
    assert "CROSS_DAILY_LOSS_LIMIT" in result.note
    assert await hall.creates() == 0


# ------------------------------------------------------------------ ticks


class Scripted:
    """An integration that decides what it was told to."""

    def __init__(self, *decisions: CrossExchangeDecision) -> None:
        self.decisions = decisions

    def tick_entry(self, context: Any) -> Any:
        return self.decisions

    def tick_exit(self, context: Any) -> Any:
        return self.decisions


@pytest.mark.parametrize("tick", ["process_entry_tick", "process_exit_tick"])
async def test_paper_tick(hall: Hall, tick: str) -> None:
    """With execution off a tick gives the decision, no result and no order."""
    decision = hall.entry()
    async with hall.executor() as executor:
        orchestrator = CrossExchangeOrchestrator(Scripted(decision), executor, enable_execution=False)
        told = await getattr(orchestrator, tick)({})
        assert told.decisions == (decision,)
        assert told.results == ()
        assert list(executor.trades()) == []
    assert await hall.creates() == 0


async def test_real_entry_tick_and_real_exit_tick(hall: Hall) -> None:
    """With execution on each decision has one result, in and out again."""
    decision = hall.entry()
    async with hall.executor() as executor:
        told = await CrossExchangeOrchestrator(Scripted(decision), executor, enable_execution=True).process_entry_tick(
            {}
        )
        (entered,) = told.results
        assert (entered.decision, entered.status) == (decision, "success")
        leave = hall.exit(entered)
        told = await CrossExchangeOrchestrator(Scripted(leave), executor, enable_execution=True).process_exit_tick({})
        (left,) = told.results
        assert (left.decision, left.status, left.position_id) == (leave, "success", entered.position_id)
        (position,) = executor.positions()
        assert (position.state, position.quantity < LOT) == ("CLOSED", True)
    truth = await hall.check()
    assert abs(truth.net("BTC")) < LOT
    assert [len(truth[name].orders) for name in ("upbit", "binance")] == [2, 2]


# ------------------------------------------------------------------ one leg does not do its part


@pytest.mark.parametrize("refusing", ["upbit", "binance"])
@pytest.mark.parametrize("action", ENTRIES)
@pytest.mark.parametrize("remedy", ["cheapest", "complete", "unwind"])
async def test_one_leg_refused_the_other_fills(hall: Hall, refusing: str, action: Action, remedy: str) -> None:
    """The leg that filled is matched on the venue that refused, or traded back: nothing is naked at the end."""
    await hall.server.inject(refusing, "create", "refused")
    async with hall.executor(policy=quick(remedy=remedy)) as executor:
        result = await executor.execute_decision(hall.entry(action=action))
        assert len(executor.positions()) == (result.status == "success")
    truth = await hall.check(result)
    expected = {"complete": {"success"}, "unwind": {"rolled_back"}, "cheapest": {"success", "rolled_back"}}
    assert result.status in expected[remedy]
    assert result.leg(refusing).error
    assert sum(len(truth[name].orders) for name in ("upbit", "binance")) == 2


@pytest.mark.parametrize("resting", ["upbit", "binance"])
@pytest.mark.parametrize("share", ["0", "0.3"])
async def test_one_leg_fills_the_other_rests(hall: Hall, resting: str, share: str) -> None:
    """What rests is cancelled and observed before the remedy is sent; then matched smaller, or traded back."""
    # Sell where nobody buys beyond a share, or buy where nobody sells.
    side = {"upbit": {"ask": D(share) / 10}, "binance": {"bid": D(share) / 10}}[resting]
    await hall.set_book(resting, **side)
    async with hall.executor(policy=quick(order_type=OrderType.LIMIT, fill_timeout_s="0.15")) as executor:
        result = await executor.execute_decision(hall.entry())
        assert [each.quantity for each in executor.positions()] == ([D(share) / 10] if D(share) else [])
    truth = await hall.check(result)
    assert result.status == ("partial_hedged" if D(share) else "rolled_back")
    (rested,) = truth[resting].orders
    assert (rested.status, rested.filled) == ("canceled", D(share) / 10)
    other = truth["binance" if resting == "upbit" else "upbit"]
    assert [order.side for order in other.orders] == [rested.side.opposite, rested.side]
    assert other.orders[1].created_ms >= rested.updated_ms


async def test_fifty_and_fifty_percent(hall: Hall) -> None:
    """Both legs half filled: hedged in part, a position of half size, and no further order."""
    for venue in ("upbit", "binance"):
        await hall.server.inject(venue, "create", "partial", share="0.5")
    async with hall.executor() as executor:
        result = await executor.execute_decision(hall.entry("0.1"))
        (position,) = executor.positions()
    truth = await hall.check(result)
    assert result.status == "partial_hedged"
    assert [leg.status for leg in result.legs] == ["partially_filled", "partially_filled"]
    assert position.quantity == D("0.05")
    assert [len(truth[name].orders) for name in ("upbit", "binance")] == [1, 1]


@pytest.mark.parametrize("shares", [("0.4", "0.7"), ("0.7", "0.4")])
@pytest.mark.parametrize("remedy", ["cheapest", "complete", "unwind"])
async def test_forty_and_seventy_percent(hall: Hall, shares: tuple[str, str], remedy: str) -> None:
    """Legs filled apart are brought to one size, up or down, within dust."""
    for venue, share in zip(("upbit", "binance"), shares, strict=True):
        await hall.server.inject(venue, "create", "partial", share=share)
    async with hall.executor(policy=quick(remedy=remedy)) as executor:
        result = await executor.execute_decision(hall.entry("0.1"))
        (position,) = executor.positions()
    truth = await hall.check(result)
    assert result.status == "partial_hedged"
    sizes = {"complete": {D("0.07")}, "unwind": {D("0.04")}, "cheapest": {D("0.07"), D("0.04")}}[remedy]
    assert position.quantity in sizes
    for venue, received in (
        ("upbit", truth["upbit"].bought("BTC/KRW")),
        ("binance", -truth["binance"].bought("BTC/USDT")),
    ):
        assert result.leg(venue).received_qty == received
        assert abs(received - position.quantity) < LOT


@pytest.mark.parametrize("remedy", ["complete", "unwind"])
async def test_a_few_lots_naked_are_not_matched(hall: Hall, remedy: str) -> None:
    """0.00009 BTC that both venues would take is no dust, however small a part of the trade it is."""
    await hall.server.inject("binance", "create", "partial", share="0.991")
    async with hall.executor(policy=quick(remedy=remedy)) as executor:
        result = await executor.execute_decision(hall.entry("0.01"))
    truth = await hall.check(result)
    assert result.dust < D("0.00009")
    assert truth["binance"].orders[0].filled == D("0.00991")
    assert sum(len(truth[name].orders) for name in ("upbit", "binance")) == 3
    assert result.net_exposure == 0


# ------------------------------------------------------------------ cancels


@pytest.mark.parametrize("fault", ["lost_before", "error_500", "error_504", "cancel_lost", "rate_limited"])
@pytest.mark.parametrize("venue", ["upbit", "binance"])
async def test_cancel_raises(hall: Hall, venue: str, fault: str) -> None:
    """An order whose cancel failed stays live until it is seen to have ended; nothing is sent meanwhile."""
    side = {"upbit": {"ask": 0}, "binance": {"bid": 0}}[venue]
    await hall.set_book(venue, **side)
    await hall.server.inject(venue, "cancel", fault, count=2, executed=False)
    async with hall.executor(policy=quick(order_type=OrderType.LIMIT, fill_timeout_s="0.1")) as executor:
        result = await executor.execute_decision(hall.entry())
    truth = await hall.check(result)
    assert result.status == "rolled_back"
    assert await hall.server.pending_faults() == 0
    (rested,) = truth[venue].orders
    other = truth["binance" if venue == "upbit" else "upbit"].orders
    assert rested.status == "canceled"
    assert len(other) == 2
    assert other[1].created_ms >= rested.updated_ms


@pytest.mark.parametrize("venue", ["upbit", "binance"])
async def test_fill_lands_before_the_cancel(hall: Hall, venue: str) -> None:
    """An order that filled before its cancel arrived is counted, and it hedges the other leg."""
    side = {"upbit": {"ask": 0}, "binance": {"bid": 0}}[venue]
    await hall.set_book(venue, **side)
    await hall.server.inject(venue, "cancel", "cancel_race")
    async with hall.executor(policy=quick(order_type=OrderType.LIMIT, fill_timeout_s="0.1")) as executor:
        result = await executor.execute_decision(hall.entry())
    truth = await hall.check(result)
    assert await hall.server.pending_faults() == 0
    assert result.status == "success"
    assert [len(truth[name].orders) for name in ("upbit", "binance")] == [1, 1]
    assert result.leg(venue).filled_qty == D("0.1")


# ------------------------------------------------------------------ placing


@pytest.mark.parametrize("venue", ["upbit", "binance"])
@pytest.mark.parametrize("fault", ["lost_after", "delay_after", "error_504", "truncated"])
async def test_placement_times_out_but_filled(hall: Hall, venue: str, fault: str) -> None:
    """An order whose reply was lost is found by its client id and counted once."""
    await hall.server.inject(venue, "create", fault, ms=2500)
    async with hall.executor(policy=quick(request_timeout_s="1.5")) as executor:
        result = await executor.execute_decision(hall.entry())
    truth = await hall.check(result)
    assert result.status == "success"
    assert result.leg(venue).filled_qty == D("0.1")
    (order,) = truth[venue].orders
    assert result.leg(venue).client_order_ids == (order.client_id,)
    assert result.leg(venue).order_ids == (order.order_id,)
    assert await hall.creates() == 2


async def test_same_decision_twice(hall: Hall) -> None:
    """One decision at once, again, and after a restart: one trade, one result, two orders."""
    decision = hall.entry()
    async with hall.executor() as executor:
        first, second = await asyncio.gather(*(executor.execute_decision(decision) for _ in range(2)))
        third = await executor.execute_decision(decision)
        assert first == second == third
        assert [each.trade_id for each in executor.trades()] == [first.trade_id]
    async with hall.executor() as executor:
        assert await executor.execute_decision(decision) == first
    await hall.check(first)
    assert await hall.creates() == 2


# ------------------------------------------------------------------ exits


async def test_exit_of_a_closed_position(hall: Hall) -> None:
    """It is refused, and no order is sent."""
    async with hall.executor() as executor:
        entered = await executor.execute_decision(hall.entry())
        await executor.execute_decision(hall.exit(entered))
        sent = await hall.creates()
        with pytest.raises(PositionNotOpen, match="CLOSED"):
            await executor.execute_decision(hall.exit(entered))
        assert len(list(executor.trades())) == 2
    assert await hall.creates() == sent == 4
    assert abs((await hall.check()).net("BTC")) < LOT


@pytest.mark.parametrize("action", ENTRIES)
async def test_exit_after_a_partial_entry(hall: Hall, action: Action) -> None:
    """An entry that matched half of one is left with half of one."""
    for venue in ("upbit", "binance"):
        await hall.server.inject(venue, "create", "partial", share="0.5")
    async with hall.executor() as executor:
        entered = await executor.execute_decision(hall.entry("1", action=action))
        (position,) = executor.positions()
        assert abs(position.quantity - D("0.5")) < D("0.001")
        left = await executor.execute_decision(hall.exit(entered))
        assert left.status == "success"
        assert executor.positions()[0].state == "CLOSED"
        # What the entry left over within dust and what the exit did, together.
        naked = entered.net_exposure + left.net_exposure
    truth = await hall.check()
    assert truth.net("BTC") == naked
    assert abs(naked) < D("0.00005")
    assert all(
        abs(order.filled - D("0.5")) < D("0.001") for order in (*truth["upbit"].orders, *truth["binance"].orders)
    )


async def test_exit_while_the_loss_breaker_is_on(hall: Hall) -> None:
    """What stops entries never stops an exit."""
    guard = CrossExchangeRiskGuard(RiskLimits(daily_loss=Money(D(1_000_000), "KRW")), SystemClock().time_ns)
    async with hall.executor(risk_guard=guard) as executor:
        entered = await executor.execute_decision(hall.entry())
        guard.record_pnl(Money(D(-5_000_000), "KRW"))
        assert (await executor.execute_decision(hall.entry())).status == "blocked"
        left = await executor.execute_decision(hall.exit(entered, Action.EXIT_SL))
        assert left.status == "success"
        assert executor.positions()[0].state == "CLOSED"
    assert abs((await hall.check()).net("BTC")) < LOT


@pytest.mark.parametrize("share", ["refused", "0.4"])
async def test_exit_fails(hall: Hall, share: str) -> None:
    """A position whose exit was refused, or done in part, is open with what remains and can be left again."""
    async with hall.executor() as executor:
        entered = await executor.execute_decision(hall.entry("0.1"))
        for venue in ("upbit", "binance"):
            if share == "refused":
                await hall.server.inject(venue, "create", "refused")
            else:
                await hall.server.inject(venue, "create", "partial", share=share)
        left = await executor.execute_decision(hall.exit(entered))
        assert left.status == ("failed" if share == "refused" else "partial_hedged")
        (position,) = executor.positions()
        remains = D("0.1") if share == "refused" else D("0.06")
        assert position.state == "OPEN"
        assert abs(position.quantity - remains) < LOT
        again = await executor.execute_decision(hall.exit(entered))
        assert again.status == "success"
        assert (executor.positions()[0].state, executor.positions()[0].quantity < LOT) == ("CLOSED", True)
    truth = await hall.check()
    assert abs(truth.net("BTC")) < LOT
    assert amounts(list(truth["upbit"].orders))[-1] == ("sell", remains)


async def test_exit_rolled_back(hall: Hall) -> None:
    """An exit that traded one leg only and traded it back leaves the whole position open."""
    async with hall.executor(policy=quick(remedy="unwind")) as executor:
        entered = await executor.execute_decision(hall.entry("0.1"))
        await hall.server.inject("binance", "create", "refused")
        left = await executor.execute_decision(hall.exit(entered))
        assert left.status == "rolled_back"
        (position,) = executor.positions()
        assert (position.state, position.quantity) == ("OPEN", D("0.1"))
    truth = await hall.check()
    assert truth["upbit"].bought("BTC/KRW") == -truth["binance"].bought("BTC/USDT") == D("0.1")


# ------------------------------------------------------------------ sizes


async def test_xrp(hall: Hall) -> None:
    """1M KRW of XRP at 800 KRW: 1250 XRP, on that market's lot, not bitcoin's."""
    await hall.server.set_book("upbit", "XRP/KRW", bids=[(799, 9000)], asks=[(800, 9000)])
    await hall.server.set_book("binance", "XRP/USDT", bids=[("0.5710", 9000)], asks=[("0.5711", 9000)])
    decision = hall.entry(
        legs=("upbit", "binance"),
        prices=(D(800), D("0.5710")),
        notional=Money(D(1_000_000), "KRW"),
    )
    legs = (Leg("upbit", "XRP/KRW"), Leg("binance", "XRP/USDT"))
    decision = type(decision)(
        action=decision.action, legs=legs, prices=decision.prices, notional=decision.notional, reason="small prices"
    )
    async with hall.executor() as executor:
        result = await executor.execute_decision(decision)
    truth = await hall.check(result, "XRP")
    assert result.status == "success"
    assert amounts(list(truth["upbit"].orders)) == [("buy", D(1250))]
    assert amounts(list(truth["binance"].orders)) == [("sell", D(1250))]


@pytest.mark.parametrize(("held", "filled", "status"), [("10", "10", "success"), ("6.5", "6.5", "partial_hedged"),
                                                        ("0", "0", "failed")])  # fmt: skip
async def test_a_book_that_holds_less_than_the_order(hall: Hall, held: str, filled: str, status: str) -> None:
    """An order of 10, immediate or cancel, takes what the book holds and no more."""
    for venue in ("upbit", "binance"):
        await hall.set_book(venue, bid=held, ask=held)
    await hall.server.set_balances("binance", BTC=20)
    await hall.server.set_balances("upbit", KRW=3_000_000_000)
    async with hall.executor() as executor:
        result = await executor.execute_decision(hall.entry("10"))
        assert [each.quantity for each in executor.positions()] == ([D(filled)] if D(filled) else [])
    truth = await hall.check(result)
    assert result.status == status
    assert amounts(list(truth["upbit"].orders)) == [("buy", D(filled))]
    assert amounts(list(truth["binance"].orders)) == [("sell", D(filled))]
    assert all(order.time_in_force == "ioc" and order.amount == 10 for order in truth["binance"].orders)
