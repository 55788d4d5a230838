"""The operator of an episode: stops and allows entries, resumes, trades by hand, settles orders, tells of busts."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from fsm_arb.errors import ExecutorClosed, FsmArbError, InvalidInput, JournalError, UnknownTrade
from fsm_arb.messages import ExternalFill
from fsm_arb.testing.swarm.episode import Act
from fsm_arb.testing.swarm.journal import Injected
from fsm_arb.values import ZERO, Fee, OperatorFill, Side, divide, floor_to

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from fsm_arb.memory import Entry
    from fsm_arb.orders import Order
    from fsm_arb.results import CrossExecutionResult
    from fsm_arb.testing.glimpse import VenueFill, VenueOrder
    from fsm_arb.testing.swarm.bot import Life
    from fsm_arb.testing.swarm.chance import Chance
    from fsm_arb.testing.swarm.episode import Planned
    from fsm_arb.trade import Trade

LOOK_S = 0.5  # how often it is looked whether there is anything to do
ANSWER_S = 60.0  # how long an operator waits for an answer
TRIES_MAX = 20
HANDS_MAX = 1000  # least orders that one trade by hand may be


class Office(Protocol):
    """What an operator sees and can do, besides talking to the executor."""

    @property
    def trades(self) -> Mapping[str, Trade]:
        """Every trade as it is durable."""
        ...

    @property
    def entries(self) -> Mapping[str, tuple[Entry, ...]]:
        """Every trade's durable records."""
        ...

    @property
    def over(self) -> bool:
        """Whether nothing new is to be begun by hand."""
        ...

    async def running(self) -> Life:
        """Return the process that runs, as soon as one does."""
        ...

    def orders(self) -> Mapping[str, VenueOrder]:
        """The venues' own books."""
        ...

    def trade_by_hand(self, venue: str, symbol: str, side: Side, amount: Decimal) -> VenueFill | None:
        """Trade on a venue beside all orders of the bot; None: it cannot be done."""
        ...

    def undo_by_hand(self, venue: str, fill: VenueFill) -> None:
        """Undo a trade made by hand, its fee with it."""
        ...

    def bust(self, venue: str, client_order_id: str) -> VenueFill | None:
        """Let a venue take the last execution of an order back; return it, None where there is none."""
        ...


class Operator:
    """Does what was planned, as soon as there is an occasion for it."""

    def __init__(self, office: Office, chance: Chance) -> None:
        self.done: Counter[str] = Counter()
        self.broken: list[str] = []  # errors that no operator should ever see
        self._office = office
        self._chance = chance
        self._at_work: set[str] = set()  # trades that somebody is at: two operators talk to each other

    async def act(self, planned: Planned) -> None:
        """Do one thing."""
        work = {
            Act.STOP: self._stop,
            Act.RESUME: self._resume,
            Act.RESOLVE: self._resolve,
            Act.SETTLE: self._settle,
            Act.BUST: self._bust,
        }[Act(planned.what)]
        if await work(planned.key):
            self.done[planned.what.value] += 1

    @contextmanager
    def _alone(self, trade: Trade | None) -> Iterator[None]:
        """Keep other operators off a trade."""
        name = trade.trade_id if trade is not None else ""
        self._at_work.add(name)
        try:
            yield
        finally:
            self._at_work.discard(name)

    # -------------------------------------------------------------- acts

    async def _stop(self, key: str) -> bool:
        life = await self._office.running()
        stopping = life.process.spawn(life.executor.stop(), "stopping")
        await asyncio.wait({stopping}, timeout=self._chance.between(key, 0.1, 20))
        life = await self._office.running()
        life.executor.allow_entries()
        return True

    async def _resume(self, key: str) -> bool:
        trade = await self._occasion(key, lambda trade: trade.halted)
        return trade is not None and await self._told(lambda life: life.executor.resume(trade.trade_id))

    async def _settle(self, key: str) -> bool:
        """Say how an order ended that is in doubt, having looked it up where nobody else can."""
        trade = await self._occasion(key, lambda trade: next(self._settleable(trade), None) is not None)
        with self._alone(trade):
            order = next(self._settleable(trade), None) if trade is not None else None
            return trade is not None and order is not None and await self.settle(trade, order)

    async def settle(self, trade: Trade, order: Order) -> bool:
        """Say how *order* ended, which is not live on its venue."""
        name, index = order.intent.client_order_id, order.intent.index

        def tell(life: Life) -> Awaitable[CrossExecutionResult]:
            true = self._office.orders().get(name)  # looked up anew each time: some may have been taken back meanwhile
            filled = true.filled if true is not None else ZERO
            spent = sum((fill.amount * fill.price for fill in true.fills), ZERO) if true is not None else ZERO
            price = divide(spent, filled) if filled else None
            return life.executor.settle_order(trade.trade_id, name, filled, "looked up", price)

        return await self._told(tell, unless=lambda: not self._office.trades[trade.trade_id].orders[index].live)

    def _settleable(self, trade: Trade) -> Iterator[Order]:
        """Yield the orders of *trade* that are in doubt, and can no longer come to life."""
        orders = self._office.orders()
        for order in trade.orders:
            true = orders.get(order.intent.client_order_id)
            if not order.in_doubt or order.placing_ended_at is None or (true is not None and true.live):
                continue
            if true is None or order.filled <= true.filled <= order.intent.amount:
                yield order

    async def _resolve(self, key: str) -> bool:
        """Trade a halted trade's exposure away by hand, then say so; undo it where the trade will not have it."""
        trade = await self._occasion(key, lambda each: each.halted and self._by_hand(each) is not None)
        with self._alone(trade):
            return trade is not None and await self._resolved(trade)

    async def _resolved(self, trade: Trade) -> bool:
        wanted = self._by_hand(trade)
        if wanted is None:
            return False
        leg, side, amount = wanted
        where = trade.decision.legs[leg]
        fill = self._office.trade_by_hand(where.exchange, where.symbol, side, amount)
        if fill is None:
            return False
        told = OperatorFill(
            exchange=where.exchange,
            symbol=where.symbol,
            side=side,
            amount=fill.amount,
            price=fill.price,
            fee=Fee(fill.fee, fill.fee_currency) if fill.fee else None,
        )
        before = self._external(trade.trade_id)
        if await self._told(
            lambda life: life.executor.resolve(trade.trade_id, told, "by hand"),
            unless=lambda: self._external(trade.trade_id) > before,
        ):
            return True
        self._office.undo_by_hand(where.exchange, fill)
        return False

    def _by_hand(self, trade: Trade) -> tuple[int, Side, Decimal] | None:
        """Return leg, side and amount that would put *trade* right; None: nothing would, or not surely."""
        ledger = trade.ledger
        if ledger is None or ledger.live or not ledger.known or ledger.within_dust:
            return None
        exposure = ledger.exposure
        side = Side.SELL if exposure > 0 else Side.BUY
        leg = next(index for index in (0, 1) if ledger.plan.legs[index].side is side)
        plan = ledger.plan.legs[leg]
        amount = floor_to(abs(exposure), plan.rules.lot)
        return (leg, side, amount) if plan.least <= amount <= plan.least * HANDS_MAX else None

    def _external(self, trade_id: str) -> int:
        entries = self._office.entries.get(trade_id, ())
        return sum(isinstance(entry.fact, ExternalFill) for entry in entries)

    async def _bust(self, key: str) -> bool:
        """Tell of an execution that a venue takes back."""
        trade = await self._occasion(key, lambda trade: next(self._bustable(trade), None) is not None)
        with self._alone(trade):
            if trade is None:
                return False
            return await self._busted(trade, self._chance.one_of(key, tuple(self._bustable(trade))))

    async def _busted(self, trade: Trade, order: Order) -> bool:
        name = order.intent.client_order_id
        fill = self._office.bust(trade.decision.legs[order.intent.leg].exchange, name)
        if fill is None:
            return False
        before = len(self._busts(trade.trade_id))
        return await self._told(
            lambda life: life.executor.bust(trade.trade_id, name, fill.amount, "the venue says so"),
            unless=lambda: len(self._busts(trade.trade_id)) > before,
        )

    def _bustable(self, trade: Trade) -> Iterator[Order]:
        """Yield the orders of *trade* of which all that was executed is known: only that can be told of."""
        orders = self._office.orders()
        for order in trade.orders:
            true = orders.get(order.intent.client_order_id)
            if true is not None and true.fills and order.filled == true.filled and not true.live:
                yield order

    def _busts(self, trade_id: str) -> list[Entry]:
        return [entry for entry in self._office.entries.get(trade_id, ()) if entry.trigger == "busted"]

    # -------------------------------------------------------------- talking to the executor

    async def _occasion(self, key: str, fits: Callable[[Trade], bool]) -> Trade | None:
        """Wait for a trade that *fits*; None: there is none before all is over."""
        while not self._office.over:
            known = self._office.trades.items()
            found = [trade for name, trade in known if name not in self._at_work and fits(trade)]
            if found:
                return self._chance.one_of(key, found)
            await asyncio.sleep(LOOK_S)
        return None

    async def _told(
        self,
        tell: Callable[[Life], Awaitable[CrossExecutionResult]],
        unless: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Say something until it is heard; return whether it was. *unless*: it stands on the journal already."""
        for _ in range(TRIES_MAX):
            life = await self._office.running()
            if unless():
                return True
            task = life.process.spawn(_awaited(tell, life), "an operator's call")
            await asyncio.wait({task}, timeout=ANSWER_S)
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                return True  # it was heard; what comes of it takes its time
            if not task.cancelled():
                error = task.exception()
                if error is None:
                    return True
                if not isinstance(error, ExecutorClosed | JournalError | Injected):
                    return self._refused(error) or unless()
            await asyncio.sleep(LOOK_S)
        return unless()

    def _refused(self, error: BaseException) -> bool:
        if not isinstance(error, InvalidInput | UnknownTrade):
            self.broken.append(f"{type(error).__name__}: {error}")
        elif not isinstance(error, FsmArbError):
            raise error
        return False


async def _awaited(tell: Callable[[Any], Awaitable[Any]], life: Life) -> Any:
    return await tell(life)
