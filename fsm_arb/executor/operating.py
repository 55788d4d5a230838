"""What an operator can tell a trade: try again, this was traded by hand, this was taken back, this order is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.errors import InvalidInput, JournalError
from fsm_arb.messages import Busted, ExternalFill, Judged, Resumed
from fsm_arb.values import to_decimal

if TYPE_CHECKING:
    from decimal import Decimal

    from fsm_arb.executor.crew import Crew
    from fsm_arb.executor.runner import Runner
    from fsm_arb.executor.services import Services
    from fsm_arb.messages import Event
    from fsm_arb.results import CrossExecutionResult
    from fsm_arb.trade import Trade
    from fsm_arb.values import OperatorFill


class Operating:
    """An operator's calls. Each is answered once it is durable, or with why it is not.

    A `JournalError` takes back what was told, unless it is in a commit that is
    still out: that may become durable yet, so look at the trade before telling
    it again.
    """

    def __init__(self, services: Services, crew: Crew) -> None:
        self._services = services
        self._crew = crew

    async def resume(self, trade_id: str) -> CrossExecutionResult:
        """Ask a halted trade to try again now, with a fresh budget; return when it settles or halts again."""
        runner = self._crew.driving(trade_id)
        await self._told(runner, Resumed(now=self._now(), reason="an operator asked"))
        return await self._services.troubles.unless(trade_id, runner.answered())

    async def resolve(self, trade_id: str, fill: OperatorFill, reason: str) -> CrossExecutionResult:
        """Record an operator's own trade on a venue, which makes a trade's exposure smaller."""
        runner = self._crew.driving(trade_id)
        event = ExternalFill(
            now=self._now(),
            leg=_leg_of(runner.trade, fill),
            side=fill.side,
            amount=fill.amount,
            price=fill.price,
            reason=reason,
            fee=fill.fee,
        )
        await self._told(runner, event)
        return runner.result()

    async def bust(self, trade_id: str, client_order_id: str, amount: Decimal, reason: str) -> CrossExecutionResult:
        """Record that a venue took executions back; return when the trade is at rest again."""
        runner = self._crew.roused(trade_id)
        taken_back = to_decimal(amount, "amount")
        order = _order_of(runner.trade, client_order_id)
        await self._told(runner, Busted(now=self._now(), order=order, amount=taken_back, reason=reason))
        return await self._services.troubles.unless(trade_id, runner.at_rest())

    async def settle_order(
        self, trade_id: str, client_order_id: str, filled: Decimal, reason: str, price: Decimal | None = None
    ) -> CrossExecutionResult:
        """Record an operator's verdict on an order that no venue shows; return when the trade is at rest again."""
        runner = self._crew.roused(trade_id)
        event = Judged(
            now=self._now(),
            order=_order_of(runner.trade, client_order_id),
            filled=to_decimal(filled, "filled"),
            price=None if price is None else to_decimal(price, "price"),
            reason=reason,
        )
        await self._told(runner, event)
        return await self._services.troubles.unless(trade_id, runner.at_rest())

    async def _told(self, runner: Runner, event: Event) -> None:
        troubles, trade_id = self._services.troubles, runner.trade.trade_id
        troubles.check(trade_id)
        try:
            await troubles.unless(trade_id, runner.tell(event))
        except JournalError:
            runner.withdraw(event)  # else what is told again, being not durable, would count twice
            raise

    def _now(self) -> int:
        return self._services.clock.monotonic_ns()


def _leg_of(trade: Trade, fill: OperatorFill) -> int:
    """Return the leg that *fill* belongs to.

    Raises:
        InvalidInput: It is on neither leg, or might be on either.
    """
    legs = trade.decision.legs
    found = [
        index for index, leg in enumerate(legs) if leg.exchange == fill.exchange and fill.symbol in {None, leg.symbol}
    ]
    names = ", ".join(f"{leg.exchange} {leg.symbol}" for leg in legs)
    if not found:
        on = fill.exchange if fill.symbol is None else f"{fill.exchange} {fill.symbol}"
        raise InvalidInput("fill.exchange", on, f"is on neither leg of {trade.trade_id}: {names}")
    if len(found) > 1:
        raise InvalidInput("fill.symbol", fill.symbol, f"must say which leg of {trade.trade_id} it belongs to: {names}")
    return found[0]


def _order_of(trade: Trade, client_order_id: str) -> int:
    """Return the index of the order with this client order id.

    Raises:
        InvalidInput: The trade has none.
    """
    for order in trade.orders:
        if order.intent.client_order_id == client_order_id:
            return order.intent.index
    known = ", ".join(order.intent.client_order_id for order in trade.orders) or "it has none"
    raise InvalidInput("client_order_id", client_order_id, f"is no order of trade {trade.trade_id}: {known}")
