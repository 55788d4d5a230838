"""The loopback exchange's books, watched, with fees by order and executions shown late. Looking changes nothing."""

from __future__ import annotations

import heapq
from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import define

from fsm_arb.matching.accounts import SpotAccount
from fsm_arb.matching.exchange import Exchange
from fsm_arb.matching.orders import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fsm_arb.matching.accounts import Account
    from fsm_arb.matching.market import FeeRule, Market
    from fsm_arb.matching.orders import Execution, NewOrder, Order, Status
    from fsm_arb.testing.simulated.books import SteppedBooks
    from fsm_arb.testing.simulated.kinds import Fault


@define
class Bends:
    """How a fault bends one new order."""

    share: Decimal | None = None  # of it that executes; the rest ends
    fee_rule: FeeRule | None = None  # in place of the account's
    fills_shown_after_ms: int = 0
    fault: Fault | None = None  # which did all this


class Engine(Exchange):
    """One venue's books, watched."""

    def __init__(
        self,
        markets: Iterable[Market],
        account: Account,
        source: SteppedBooks,
        *,
        ids_for_ever: bool,
        post_only_refused: bool,
        seed: int,
        on_execution: Callable[[Execution], None],
    ) -> None:
        super().__init__(
            markets, account, source, ids_for_ever=ids_for_ever, post_only_refused=post_only_refused, seed=seed
        )
        self.happening_ms: int | None = None  # when what happens now was due; None: somebody acts, or nothing happens
        self._source = source
        self._on_execution = on_execution
        self.accepting: Callable[[Order], None] | None = None  # told of the order being placed before it executes
        self._placing: Bends | None = None
        self._bends: dict[str, Bends] = {}
        self._shown_from_ms: dict[int, int] = {}  # executions that reads do not show yet, by trade id

    def advance(self, now_ms: int) -> None:
        """Let everything happen that is due, in the order of its time, however long nobody looked.

        So whoever looks, and how often, makes no difference to what happens.
        """
        while self._events and self._events[0][0] <= now_ms:
            at_ms, _, event = heapq.heappop(self._events)
            self._meet_books(at_ms)
            before, self.happening_ms = self.happening_ms, at_ms
            try:
                event(at_ms)
            finally:
                self.happening_ms = before
        self._meet_books(now_ms)

    def _meet_books(self, now_ms: int) -> None:
        """Let resting orders meet every book since they last did, each when it came."""
        for symbol in [symbol for symbol, resting in self._open.items() if resting]:
            for live in self.liquidity.unmet(symbol, now_ms):
                began_ms = now_ms if live.fixed else self._source.began_ms(live.version)
                youngest_ms = max((order.created_ms for order in self._open[symbol].values()), default=began_ms)
                at_ms = min(now_ms, max(began_ms, youngest_ms))
                before, self.happening_ms = self.happening_ms, at_ms
                self._match_resting(symbol, live, at_ms)
                self.happening_ms = before

    def place_bent(self, new: NewOrder, now_ms: int, bends: Bends) -> Order:
        """Take an order as `place` does, bent.

        Raises:
            OrderRefused: It does not exist and never will.
        """
        self.advance(now_ms)  # so that nothing else is placed in between
        self._placing = bends
        try:
            return self.place(new, now_ms, share=bends.share)
        finally:
            self._placing = None

    def _order_id(self, number: int) -> str:
        return str(number)

    def _accept(self, order: Order, now_ms: int) -> None:
        super()._accept(order, now_ms)
        if self._placing is not None:
            self._bends[order.order_id] = self._placing
        if self.accepting is not None:
            self.accepting(order)

    def _execute(self, order: Order, amount: Decimal, price: Decimal, now_ms: int, *, maker: bool) -> None:
        bends, account = self._bends.get(order.order_id), self.account
        if bends is not None and bends.fee_rule is not None and isinstance(account, SpotAccount):
            usual, account.fee_rule = account.fee_rule, bends.fee_rule
            super()._execute(order, amount, price, now_ms, maker=maker)
            account.fee_rule = usual
        else:
            super()._execute(order, amount, price, now_ms, maker=maker)
        execution = order.fills[-1]
        if bends is not None and bends.fills_shown_after_ms:
            self._shown_from_ms[execution.trade_id] = now_ms + bends.fills_shown_after_ms
        self._on_execution(execution)

    def bends_of(self, order_id: str) -> Bends | None:
        """Return how an order was bent; None: it was not placed that way."""
        return self._bends.get(order_id)

    def shown(self, fills: list[Execution], now_ms: int) -> list[Execution]:
        """Return those of *fills* that reads show by now."""
        if not self._shown_from_ms:
            return fills
        return [fill for fill in fills if now_ms >= self._shown_from_ms.get(fill.trade_id, 0)]

    def show_all(self) -> None:
        """Let reads show every order and every execution."""
        self._shown_from_ms.clear()
        for order in self.orders.values():
            order.hidden_until_ms = 0

    def end(self, order: Order, status: Status, now_ms: int) -> None:
        """End *order* as *status*; nothing happens where it has ended."""
        if order.is_open:
            self._close(order, status, now_ms)

    def take_back(self, order: Order, now_ms: int) -> Execution | None:
        """Bust the last execution of *order*; return it, None where there is none."""
        if not order.fills:
            return None
        return self.bust(order.fills[-1].trade_id, now_ms)

    def refusal_for_band(self, new: NewOrder, now_ms: int, band: Decimal) -> Refusal | None:
        """Return a refusal where the limit of *new* is further through the touch than *band*, a fraction of it."""
        touch = self.liquidity.touch(new.symbol, new.side, now_ms)
        if new.price is None or touch is None:
            return None
        return Refusal.BAND if (new.price - touch) * new.side.sign > touch * band else None

    def last_event_ms(self) -> int | None:
        """Return when the last of what is still to come by itself will come; None: nothing is."""
        return max((at_ms for at_ms, _, _ in self._events), default=None)
