"""A bot as its author types it: checked by mypy, never run."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fsm_arb import (
    Action,
    BookFx,
    CachedFx,
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
    SymbolMap,
    ThresholdStrategy,
    Verdict,
    rank_pairs,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsm_arb.ports import Venue


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
