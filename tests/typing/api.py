"""A bot as its author types it: checked by mypy, never run."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fsm_arb import (
    Action,
    BookFx,
    CachedFx,
    Committed,
    ConstantFx,
    CrossExchangeDecision,
    CrossExchangeExecutor,
    CrossExchangeIntegration,
    CrossExchangeOrchestrator,
    CrossExchangePosition,
    CrossExecutionResult,
    ExecutionPolicy,
    FallbackFx,
    Held,
    Leg,
    Listing,
    MarketContext,
    Money,
    OperatorFill,
    Reason,
    ReasonCode,
    Selection,
    Side,
    StaticFx,
    Strategy,
    StrategyThresholds,
    Subscription,
    SymbolMap,
    ThresholdStrategy,
    Verdict,
    rank_pairs,
)
from fsm_arb.testing.naked import assert_no_naked_leg
from fsm_arb.testing.simulated import FaultKind, Operation
from fsm_arb.testing.stateful import Ending, TradeMachine, configured
from fsm_arb.testing.strategies import (
    Injection,
    Scenario,
    decimals,
    fault_plans,
    fills,
    market_pairs,
    order_books,
    policies,
    scenarios,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from hypothesis.strategies import SearchStrategy

    from fsm_arb.ports import Venue
    from fsm_arb.testing.botworld import BotWorld
    from fsm_arb.values import Fill, MarketRules, OrderBook


async def bot(first: Venue, second: Venue) -> Decimal:
    """Enter, look around, leave."""
    legs = (Leg("upbit", "BTC/KRW"), Leg("binance", "BTC/USDT"))
    policy = ExecutionPolicy(placement="sequential", fill_timeout_s=3, slippage_bps="7.5", poll_interval_s=0.2)
    async with CrossExchangeExecutor(
        venues={"upbit": first, "binance": second},
        journal="trades.db",
        fx=StaticFx({"USDT/KRW": "1400"}),
        policy=policy,
    ) as executor:
        decision = CrossExchangeDecision(
            action=Action.ENTRY_POSITIVE,
            legs=legs,
            notional=Money(Decimal(1_000_000), "KRW"),
            prices=(Decimal(95_100_000), Decimal(67_900)),
        )
        result: CrossExecutionResult = await executor.execute_decision(decision)
        if result.status == "halted":
            by_hand = OperatorFill(exchange="binance", side=Side.BUY, amount=Decimal("0.01"), price=Decimal(68_000))
            result = await executor.resolve(result.trade_id, by_hand, "traded on the website")
            result = await executor.resume(result.trade_id)
        positions: tuple[CrossExchangePosition, ...] = executor.positions()
        for position in positions:
            leave = CrossExchangeDecision(
                action=Action.EXIT_TP,
                legs=position.legs,
                prices=(Decimal(95_000_000), Decimal(67_950)),
                position_id=position.position_id,
            )
            result = await executor.execute_decision(leave)
        naked: Decimal = executor.exposure().get("BTC", Decimal(0))
        return naked + result.leg("upbit").filled_qty


async def follower(executor: CrossExchangeExecutor) -> int:
    """Follow what is committed, by callback and by loop."""
    moves: list[Committed] = []
    unsubscribe: Callable[[], None] = executor.subscribe(moves.append)
    following: Subscription = executor.records(after=0)
    async for record in following:
        if record.moved and record.after == "HALTED":
            break
    unsubscribe()
    return (following.seq or 0) + sum(record.seq for record in moves)


class Patient:
    """A strategy of the bot's own."""

    def entry(self, context: MarketContext) -> Verdict:
        """Enter never."""
        words = f"{context.gross_pct} %"
        return Verdict(action=Action.NO_ACTION, reason=Reason(code=ReasonCode.SPREAD, words=words))

    def exit(self, context: MarketContext, held: Held) -> Verdict:
        """Leave at once."""
        age = context.now_ns - held.opened_at_ns
        return Verdict(action=Action.EXIT_TIMEOUT, reason=Reason(code=ReasonCode.TIMEOUT, words=f"{age} ns"))


async def ticks(executor: CrossExchangeExecutor, context: MarketContext, clock: Callable[[], int]) -> int:
    """Decide on one pair, by thresholds and by a strategy of one's own."""
    fx = CachedFx(FallbackFx([BookFx(Leg("upbit", "USDT/KRW")), ConstantFx({"USDT/KRW": 1400})], clock), clock, 60)
    won: Money = fx.convert(Money(Decimal(1), "USDT"), "KRW")
    symbols = SymbolMap({"upbit": Listing(markets={}, quotes=["KRW"], kinds=["spot"]), "binance": Listing(markets={})})
    found = rank_pairs(symbols, ("upbit", "binance"), {}, fx, Selection(volume_min=won, quotes=["KRW", "USDT"]))
    thresholds = StrategyThresholds(entry_pct="0.8", take_profit_pct=0.4, hold_max_s=600, entry_basis="net")
    ready: Strategy = ThresholdStrategy(notional=won, thresholds=thresholds)
    count = len(found.members)
    for strategy in (ready, Patient()):
        integration = CrossExchangeIntegration(strategy=strategy, decision_ids=lambda: "d1", again_after_s=5)
        done = await CrossExchangeOrchestrator(integration, executor, enable_execution=True).process_exit_tick(context)
        count += len(done.results)
    return count


# ------------------------------------------------------------------ tests of one's own bot


def test_my_bot(run: Callable[[Coroutine[object, object, Decimal]], Decimal], bot_world: BotWorld) -> None:
    """One test, by the plugin's fixtures."""
    bot_world.simulate(faults={FaultKind.LOST_AFTER: 0.1})
    bot_world.venues.inject("binance", FaultKind.HIDDEN, operation=Operation.CREATE, ms=500)
    exposure: Decimal = run(one_trade(bot_world))
    left: dict[str, Decimal] = assert_no_naked_leg(bot_world.venues, dust=Decimal("0.0001"))
    assert left["BTC"] == exposure


async def one_trade(world: BotWorld) -> Decimal:
    """Trade once on simulated venues."""
    async with world.executor(ExecutionPolicy(attempts_max=2)) as executor:
        result: CrossExecutionResult = await executor.execute_decision(world.decision(Action.ENTRY_NEGATIVE))
        await world.calm(seconds=600)
    return result.net_exposure


class MyTrades(TradeMachine):
    """One's own policy, searched."""

    scenarios = scenarios(
        policies=policies(placement="sequential", fill_timeout_s=decimals(Decimal(1), Decimal(9), Decimal(1)))
    )


SETTINGS = configured(max_examples=10, stateful_step_count=30)
ENDINGS: tuple[Ending, ...] = tuple(Ending)
SCENARIOS: SearchStrategy[Scenario] = scenarios(markets=market_pairs(), too_small=False)
BOOKS: SearchStrategy[OrderBook] = order_books(Decimal(100), least=Decimal("0.1"))
FAULTS: SearchStrategy[list[Injection]] = fault_plans(("upbit",), kinds={FaultKind.DOWN}, most=2)


def my_fills(rules: MarketRules) -> SearchStrategy[tuple[Fill, ...]]:
    """Draw the executions of one order."""
    return fills(rules, side=Side.BUY, amount=Decimal(1), price=Decimal(100))
