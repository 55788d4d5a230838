"""One pair of markets, looked at: asks venues, rates and the executor, and fills in what a strategy judges by.

The risk guard is told the same in the same breath, so that both judge one moment.
"""

from __future__ import annotations

import asyncio
from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from attrs import evolve

from fsm_arb.context import Held, MarketContext, rate_between
from fsm_arb.errors import InvalidInput, UnknownVenue, VenueUnanswered
from fsm_arb.fx_sources import FxObserver
from fsm_arb.machines.position import PositionState
from fsm_arb.spread import Fees, middle
from fsm_arb.values import EXACT, Health, HealthStatus, Money
from fsm_arb.volatility import SpreadSample, realised_volatility

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from fsm_arb.decision import CrossExchangeDecision
    from fsm_arb.executor.executor import CrossExchangeExecutor
    from fsm_arb.fx import FxProvider
    from fsm_arb.ports import Clock, Venue
    from fsm_arb.risk.guard import CrossExchangeRiskGuard
    from fsm_arb.values import Balances, Leg, MarketRules, OrderBook

T = TypeVar("T")

SAMPLES = 240  # spreads that are remembered
HUNDRED = Decimal(100)
DONE = "DONE"


class Lookout:
    """Fills in a `MarketContext` whenever it is asked to look.

    Args:
        legs: The pair.
        venues: Where books, rules and health are read, by the name that legs use.
        executor: Whose positions and trades are told.
        fx: Where the rate comes from; one that watches books is told both.
        clock: Where time comes from.
        accounts: Where balances are read; None: on *venues*. On paper these are the paper venues.
        secrets_needed: False: a venue without secrets is as good as any, as it is on paper.
        risk_guard: Told health, inventories and volatility; None: nobody is.
        samples: How many spreads are remembered for `MarketContext.recent`.

    Raises:
        UnknownVenue: A leg names a venue that is not there.
        InvalidInput: The number of samples is below two.
    """

    def __init__(
        self,
        legs: tuple[Leg, Leg],
        venues: Mapping[str, Venue],
        executor: CrossExchangeExecutor,
        *,
        fx: FxProvider,
        clock: Clock,
        accounts: Mapping[str, Venue] | None = None,
        secrets_needed: bool = True,
        risk_guard: CrossExchangeRiskGuard | None = None,
        samples: int = SAMPLES,
    ) -> None:
        accounts = venues if accounts is None else accounts
        for leg in legs:
            for there in (venues, accounts):
                if leg.exchange not in there:
                    raise UnknownVenue("legs", leg.exchange, f"is not one of the venues: {', '.join(sorted(there))}")
        if samples < 2:  # noqa: PLR2004 - one change
            raise InvalidInput("samples", samples, "must be two at least")
        self.legs = legs
        self._venues = tuple(venues[leg.exchange] for leg in legs)
        self._accounts = tuple(accounts[leg.exchange] for leg in legs)
        self._executor = executor
        self._fx = fx
        self._clock = clock
        self._secrets_needed = secrets_needed
        self._guard = risk_guard
        self._recent: deque[SpreadSample] = deque(maxlen=samples)
        self._prices: deque[SpreadSample] = deque(maxlen=samples)  # of legs[0], percent of the first
        self._first_price: Decimal | None = None
        self._rules: list[MarketRules | None] = [None, None]
        self._entries: dict[str, tuple[CrossExchangeDecision, int]] = {}  # by position; and when it was first seen

    async def look(self) -> MarketContext:
        """Return the pair as it stands now. A venue that gives no answer leaves its part empty, and reads as DOWN."""
        answers = await asyncio.gather(*(self._read(index) for index in (0, 1)))
        now_ns = self._clock.time_ns()
        (first, second) = (book for book, _, _ in answers)
        if isinstance(self._fx, FxObserver):
            for leg, book in zip(self.legs, (first, second), strict=True):
                if book is not None:
                    self._fx.observe(leg, book, now_ns)
        context = MarketContext(
            now_ns=now_ns,
            legs=self.legs,
            books=(first, second),
            fx=rate_between(self.legs, self._fx),
            health=(answers[0][1], answers[1][1]),
            fees=(self._fees(0), self._fees(1)),
            balances=(answers[0][2], answers[1][2]),
            recent=self._recent,
            positions=self._positions(),
            in_flight=self._in_flight(),
        )
        self._tell(context)
        sample = context.sample()
        if sample is not None:
            self._recent.append(sample)
        return context

    # -------------------------------------------------------------- what is asked

    async def _read(self, index: int) -> tuple[OrderBook | None, Health, Balances | None]:
        venue, symbol = self._venues[index], self.legs[index].symbol
        if self._rules[index] is None:
            self._rules[index] = await _or_nothing(venue.rules(symbol))
        book, health, balances = await asyncio.gather(
            _or_nothing(venue.book(symbol)), venue.health(), _or_nothing(self._accounts[index].balances())
        )
        if not self._secrets_needed:
            health = evolve(health, has_secrets=True)
        if self._rules[index] is None:  # nobody knows what a trade would cost there
            note = f"{self.legs[index].exchange} has not told the rules of {symbol}"
            return None, evolve(health, status=HealthStatus.DOWN, note=health.note or note), balances
        return book, health, balances

    def _fees(self, index: int) -> Fees:
        rules = self._rules[index]
        return Fees() if rules is None else Fees(taker=rules.taker_fee, maker=rules.maker_fee)

    def _positions(self) -> tuple[Held, ...]:
        held = []
        for position in self._executor.positions():
            if position.legs != self.legs or position.state == PositionState.CLOSED or not position.quantity:
                continue
            name = position.position_id
            if name not in self._entries:
                entry = self._executor.trade(position.entry_trade_id).decision
                self._entries[name] = entry, position.opened_at_ns or self._clock.time_ns()
            held.append(Held.of(position, *self._entries[name]))
        self._entries = {each.position_id: self._entries[each.position_id] for each in held}
        return tuple(held)

    def _in_flight(self) -> bool:
        pair = frozenset(self.legs)
        return any(
            frozenset(each.decision.legs) == pair and each.state != DONE for each in self._executor.trades(live=True)
        )

    # -------------------------------------------------------------- what the risk guard is told

    def _tell(self, context: MarketContext) -> None:
        guard = self._guard
        if guard is None:
            return
        for leg, health in zip(self.legs, context.health, strict=True):
            guard.observe_health(leg.exchange, health)
        prices = [None if book is None else middle(book) for book in context.books]
        if all(rules is not None and rules.spot for rules in self._rules):  # a contract is no inventory
            for leg, price, balances in zip(self.legs, prices, context.balances, strict=True):
                if price is not None and balances is not None:
                    worth = Money(EXACT.multiply(balances.of(leg.base), price), leg.quote)
                    guard.observe_inventory(leg.exchange, leg.base, worth)
        if prices[0] is not None:
            self._first_price = self._first_price or prices[0]
            pct = EXACT.divide(EXACT.multiply(prices[0], HUNDRED), self._first_price)
            self._prices.append(SpreadSample(context.now_ns, pct))
            volatility = realised_volatility(self._prices)
            if volatility is not None:
                guard.observe_volatility(self.legs[0].base, EXACT.divide(volatility, HUNDRED))


async def _or_nothing(answer: Awaitable[T]) -> T | None:
    """Return what a venue answers; None where it gives no usable answer."""
    try:
        return await answer
    except VenueUnanswered:
        return None
