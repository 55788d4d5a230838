"""One venue's books: markets, account, orders, fills. Pure: the time is handed in.

Everything that an order does happens here, and everything is kept. Books and
timed events move when somebody looks (`Exchange.advance`), never in between.
"""

from __future__ import annotations

import heapq
import itertools
import random
import uuid
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import evolve

from fsm_arb.matching import ladders
from fsm_arb.matching.accounts import MarginAccount
from fsm_arb.matching.liquidity import Liquidity
from fsm_arb.matching.orders import (
    Execution,
    Kind,
    NewOrder,
    Order,
    OrderRefused,
    Received,
    Refusal,
    Status,
    TimeInForce,
    UnknownOrder,
)
from fsm_arb.values import ZERO, floor_to

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsm_arb.matching.accounts import Account
    from fsm_arb.matching.ladders import Ladder
    from fsm_arb.matching.liquidity import BookSource, LiveBook
    from fsm_arb.matching.market import Market


class Exchange:
    """One venue's books."""

    def __init__(
        self,
        markets: Iterable[Market],
        account: Account,
        source: BookSource,
        *,
        ids_for_ever: bool,
        post_only_refused: bool,
        seed: int,
    ) -> None:
        self.markets = {market.symbol: market for market in markets}
        self.by_market_id = {market.market_id: market for market in self.markets.values()}
        self.account = account
        self.liquidity = Liquidity(source)
        self.ids_for_ever = ids_for_ever  # Upbit: an identifier is used up by whatever carried it
        self.post_only_refused = post_only_refused  # else accepted and cancelled at once
        self.orders: dict[str, Order] = {}
        self.by_symbol: dict[str, list[Order]] = defaultdict(list)
        self.by_client_id: dict[str, Order] = {}  # the latest of that id
        self.executions: list[Execution] = []
        self.executions_by_symbol: dict[str, list[Execution]] = defaultdict(list)
        self.received: list[Received] = []
        self._ids_used: set[str] = set()
        self._open: dict[str, dict[str, Order]] = defaultdict(dict)
        self._events: list[tuple[int, int, Callable[[int], None]]] = []
        self._counter = itertools.count()
        self._number = itertools.count(1_000_001)
        self._trade = itertools.count(5_000_001)
        self._random = random.Random(seed)  # noqa: S311 - ids that a seed repeats

    # -------------------------------------------------------------- time and books

    def schedule(self, at_ms: int, event: Callable[[int], None]) -> None:
        """Run *event* at *at_ms*, or whenever somebody looks after that."""
        heapq.heappush(self._events, (at_ms, next(self._counter), event))

    def advance(self, now_ms: int) -> None:
        """Run due events and match resting orders against every book since the last look."""
        while self._events and self._events[0][0] <= now_ms:
            at_ms, _, event = heapq.heappop(self._events)
            event(at_ms)
        for symbol in [symbol for symbol, resting in self._open.items() if resting]:
            for live in self.liquidity.unmet(symbol, now_ms):
                self._match_resting(symbol, live, now_ms)

    def set_book(self, symbol: str, bids: Ladder, asks: Ladder, now_ms: int) -> None:
        """Fix the book of *symbol*; resting orders meet it at once."""
        self.liquidity.fix(symbol, bids, asks)
        self.advance(now_ms)

    # -------------------------------------------------------------- placing

    def refuse(self, new: NewOrder, refusal: Refusal, now_ms: int) -> None:
        """Record a create that is refused, and what that uses up.

        Raises:
            OrderRefused: Always.
        """
        self._receive(new, now_ms, refusal)
        if self.ids_for_ever and new.client_id:
            self._ids_used.add(new.client_id)
        raise OrderRefused(refusal)

    def place(self, new: NewOrder, now_ms: int, *, share: Decimal | None = None) -> Order:
        """Take an order and execute what executes at once.

        Args:
            new: The order.
            now_ms: Wall clock, UTC.
            share: A fault: this fraction of the order executes, the rest expires.

        Raises:
            OrderRefused: It does not exist and never will.
        """
        self.advance(now_ms)
        market = self.markets.get(new.symbol)
        if market is None:
            self.refuse(new, Refusal.UNKNOWN_MARKET, now_ms)
        assert market is not None  # noqa: S101 - refuse always raises
        book = self.liquidity.book(new.symbol, now_ms)
        refusal = self._objection(new, market, book)
        if refusal is not None:
            self.refuse(new, refusal, now_ms)
        ladder = book.against(new.side)
        amount_max = self._executable(new, market, ladder, share)
        found = ladders.takes(ladder, new, amount_max=amount_max, lot=market.lot)
        would_take = bool(found) and new.time_in_force is TimeInForce.POST_ONLY
        if would_take or (new.time_in_force is TimeInForce.FOK and ladders.total(found) != new.amount):
            found = []
        number = next(self._number)
        order = Order(number=number, order_id=self._order_id(number), new=new, created_ms=now_ms, updated_ms=now_ms)
        try:
            self.account.hold(order, market, ladders.cost(found))
        except OrderRefused as refused:
            self.refuse(new, refused.refusal, now_ms)
        self._accept(order, now_ms)
        for price, amount in found:
            self._execute(order, amount, price, now_ms, maker=False)
        ladders.remove(ladder, ladders.total(found))
        self._close_if_done(order, now_ms, rest_expires=share is not None)
        if would_take:
            self._close(order, Status.CANCELED, now_ms)
        return order

    def _order_id(self, number: int) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4)) if self.ids_for_ever else str(number)

    def _objection(self, new: NewOrder, market: Market, book: LiveBook) -> Refusal | None:
        ladder = book.against(new.side)
        touch = ladder[0][0] if ladder else None
        price = new.price if new.price is not None else touch
        notional = new.cost if new.cost is not None else (new.amount or ZERO) * (price or ZERO)
        crossing = touch is not None and ladders.crosses(new.side, new.price, touch)
        checks = (
            (market.halted, Refusal.HALTED),
            (self._duplicate(new.client_id), Refusal.DUPLICATE),
            (new.amount is not None and not market.on_lot(new.amount), Refusal.LOT),
            (new.price is not None and not market.on_tick(new.price), Refusal.TICK),
            (new.amount is not None and (new.amount <= ZERO or new.amount < market.amount_min), Refusal.AMOUNT_MIN),
            (notional < market.notional_min and price is not None and not new.reduce_only, Refusal.NOTIONAL_MIN),
            (
                new.price is not None and touch is not None and market.outside_band(new.side, new.price, touch),
                Refusal.BAND,
            ),
            (new.time_in_force is TimeInForce.POST_ONLY and crossing and self.post_only_refused, Refusal.POST_ONLY),
            (new.reduce_only and not self._closable(new), Refusal.REDUCE_ONLY),
        )
        return next((refusal for wrong, refusal in checks if wrong), None)

    def _duplicate(self, client_id: str | None) -> bool:
        if not client_id:
            return False
        if self.ids_for_ever:
            return client_id in self._ids_used
        known = self.by_client_id.get(client_id)
        return known is not None and known.is_open

    def _closable(self, new: NewOrder) -> Decimal:
        account = self.account
        return account.closable(new.symbol, new.side) if isinstance(account, MarginAccount) else ZERO

    def _executable(self, new: NewOrder, market: Market, ladder: Ladder, share: Decimal | None) -> Decimal | None:
        most = new.amount
        if new.reduce_only and most is not None:
            most = min(most, self._closable(new))
        if share is not None and most is not None:
            most = floor_to(most * share, market.lot)
        if share is not None and most is None and new.cost is not None:
            most = floor_to(new.cost * share / ladder[0][0], market.lot) if ladder else ZERO
        return most

    def _accept(self, order: Order, now_ms: int) -> None:
        new = order.new
        self.orders[order.order_id] = order
        self.by_symbol[new.symbol].append(order)
        self._open[new.symbol][order.order_id] = order
        if new.client_id:
            self.by_client_id[new.client_id] = order
            self._ids_used.add(new.client_id)
        self._receive(new, now_ms, None)

    def _receive(self, new: NewOrder, now_ms: int, refusal: Refusal | None) -> None:
        received = Received(
            client_id=new.client_id,
            symbol=new.symbol,
            side=new.side,
            amount=new.amount,
            price=new.price,
            at_ms=now_ms,
            refusal=refusal,
        )
        self.received.append(received)

    def _close_if_done(self, order: Order, now_ms: int, *, rest_expires: bool) -> None:
        new = order.new
        if new.kind is Kind.COST:
            self._close(order, Status.FILLED if order.filled and not rest_expires else Status.EXPIRED, now_ms)
        elif not order.remaining:
            self._close(order, Status.FILLED, now_ms)
        elif rest_expires or new.kind is Kind.MARKET or new.time_in_force in {TimeInForce.IOC, TimeInForce.FOK}:
            self._close(order, Status.EXPIRED, now_ms)

    def _close(self, order: Order, status: Status, now_ms: int) -> None:
        order.turn(status, now_ms)
        self._open[order.new.symbol].pop(order.order_id, None)
        self.account.rehold(order, self.markets[order.new.symbol])

    def _execute(self, order: Order, amount: Decimal, price: Decimal, now_ms: int, *, maker: bool) -> None:
        new = order.new
        market = self.markets[new.symbol]
        settlement = self.account.settle(order, market, amount, price, maker=maker)
        execution = Execution(
            trade_id=next(self._trade),
            trade_uuid=str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
            order_id=order.order_id,
            client_id=new.client_id,
            symbol=new.symbol,
            side=new.side,
            amount=amount,
            price=price,
            fee=settlement.fee,
            fee_asset=settlement.fee_asset,
            maker=maker,
            at_ms=now_ms,
            realised=settlement.realised,
        )
        order.fills.append(execution)
        self.executions.append(execution)
        self.executions_by_symbol[new.symbol].append(execution)
        order.filled += amount
        order.spent += amount * price
        order.updated_ms = now_ms
        self.account.rehold(order, market)

    def _match_resting(self, symbol: str, live: LiveBook, now_ms: int) -> None:
        reached: list[Order] = []
        for order in self._open[symbol].values():
            ladder = live.against(order.new.side)
            if (
                ladder
                and order.new.price is not None
                and ladders.crosses(order.new.side, order.new.price, ladder[0][0])
            ):
                reached.append(order)
        # Price, then time.
        reached.sort(key=lambda order: (-(order.new.price or ZERO) * order.new.side.sign, order.number))
        for order in reached:
            ladder = live.against(order.new.side)
            while order.is_open and ladder and order.new.price is not None:
                price, available = ladder[0]
                if not ladders.crosses(order.new.side, order.new.price, price):
                    break
                amount = min(order.remaining, available)
                if order.new.reduce_only:
                    amount = min(amount, self._closable(order.new))
                if not amount:
                    self._close(order, Status.EXPIRED, now_ms)
                    break
                # It stood there first: the trade is at its price, not at the newcomer's.
                self._execute(order, amount, order.new.price, now_ms, maker=True)
                ladders.remove(ladder, amount)
                if not order.remaining:
                    self._close(order, Status.FILLED, now_ms)

    # -------------------------------------------------------------- looking up and ending

    def find(self, *, order_id: str | None = None, client_id: str | None = None, now_ms: int) -> Order:
        """Return the order of that venue id, else the latest of that client id.

        Raises:
            UnknownOrder: There is none, or a fault hides it still.
        """
        order = self.orders.get(order_id) if order_id else self.by_client_id.get(client_id or "")
        if order is None or now_ms < order.hidden_until_ms:
            raise UnknownOrder
        return order

    def cancel(self, order: Order, now_ms: int) -> None:
        """End an open order.

        Raises:
            UnknownOrder: It is not open.
        """
        if not order.is_open:
            raise UnknownOrder
        self._close(order, Status.CANCELED, now_ms)

    def open_orders(self, symbol: str | None = None) -> list[Order]:
        """Return the open orders, oldest first."""
        symbols = [symbol] if symbol is not None else list(self._open)
        found = [order for name in symbols for order in self._open[name].values()]
        return sorted(found, key=lambda order: order.number)

    def fill(self, order: Order, amount: Decimal, now_ms: int) -> Decimal:
        """Fill *order* by force, open or not, at its limit or last price; return the base that filled."""
        price = order.new.price or (order.fills[-1].price if order.fills else None)
        price = price or self.liquidity.touch(order.new.symbol, order.new.side, now_ms)
        amount = min(amount, order.remaining)
        if price is None or amount <= ZERO:
            return ZERO
        self._execute(order, amount, price, now_ms, maker=True)
        if order.is_open and not order.remaining:
            self._close(order, Status.FILLED, now_ms)
        return amount

    def bust(self, trade_id: int, now_ms: int) -> Execution:
        """Take a trade back, as venues do after an error of theirs.

        Raises:
            UnknownOrder: There is no such trade.
        """
        execution = next((fill for fill in self.executions if fill.trade_id == trade_id), None)
        if execution is None:
            raise UnknownOrder
        order = self.orders[execution.order_id]
        self.executions.remove(execution)
        self.executions_by_symbol[execution.symbol].remove(execution)
        order.fills.remove(execution)
        order.filled -= execution.amount
        order.spent -= execution.cost
        order.updated_ms = now_ms
        self.account.undo(execution, self.markets[execution.symbol])
        return execution

    def change_market(self, symbol: str, *, halted: bool | None = None, band: Decimal | None = None) -> None:
        """Halt or resume a market, or set its price band (a fraction; zero or less for none)."""
        market = self.markets[symbol]
        if halted is not None:
            market = evolve(market, halted=halted)
        if band is not None:
            market = evolve(market, band=band if band > ZERO else None)
        self.markets[symbol] = self.by_market_id[market.market_id] = market
