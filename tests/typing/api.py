"""A bot as its author types it: checked by mypy, never run."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fsm_arb import (
    Action,
    CrossExchangeDecision,
    CrossExchangeExecutor,
    CrossExchangePosition,
    CrossExecutionResult,
    ExecutionPolicy,
    Leg,
    Money,
    OperatorFill,
    Side,
    StaticFx,
)

if TYPE_CHECKING:
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
