"""Looks at the world after everything that changes it: what is durable, what the venues' books say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from fsm_arb.codec import loads
from fsm_arb.memory import Entry
from fsm_arb.messages import Intended
from fsm_arb.position import CrossExchangePosition, PositionFact
from fsm_arb.scribe import POSITION, TRADE
from fsm_arb.testing.glimpse import Glimpse, Violation, judged, judged_at_rest
from fsm_arb.trade import Trade

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fsm_arb.ports import Batch
    from fsm_arb.testing.crash.exchange import Exchange
    from fsm_arb.testing.glimpse import Append, Checker, Create, VenueOrder


class Witness:
    """Keeps the newest glimpse, and judges each step from one to the next.

    What a trade knows is what is durable: a process that dies knows nothing else.

    Args:
        exchanges: The venues' own books.
        now: Reads the world's clock, ns.
        checkers: The invariants; none: nothing is judged.
    """

    def __init__(
        self, exchanges: Mapping[str, Exchange], now: Callable[[], int], checkers: Sequence[Checker] = ()
    ) -> None:
        self._exchanges = exchanges
        self._now = now
        self._checkers = checkers
        self.glimpse = Glimpse(now=0, trades={}, orders={})
        self.violations: list[Violation] = []
        self.intents: dict[str, int] = {}  # durable ones: client order id to wall clock, ns
        self.alerts: list[str] = []
        self.errors: list[str] = []  # of ours, that nobody caught
        self._positions: dict[str, CrossExchangePosition] = {}

    # -------------------------------------------------------------- what happens

    def committed(self, batches: Sequence[Batch], append: Append) -> None:
        """Take in what is durable from now on."""
        trades, entries = dict(self.glimpse.trades), dict(self.glimpse.entries)
        for batch in batches:
            facts = [loads(draft.payload) for draft in batch.drafts]
            if batch.stream.startswith(POSITION):
                last = [fact for fact in facts if isinstance(fact, PositionFact)][-1]
                self._positions[batch.stream.removeprefix(POSITION)] = last.position
                continue
            if not batch.stream.startswith(TRADE):
                continue  # of no trade: what is left as dust
            name = batch.stream.removeprefix(TRADE)
            new = tuple(
                Entry(draft.at_ns, draft.trigger, draft.state_before, draft.state_after, fact)
                for draft, fact in zip(batch.drafts, facts, strict=True)
            )
            entries[name] = (*entries.get(name, ()), *new)
            trades[name] = _continued(trades.get(name), name, new)
            for entry in new:
                if isinstance(entry.fact, Intended):
                    self.intents.update((intent.client_order_id, entry.at_ns) for intent in entry.fact.intents)
        self._look(
            trades=trades,
            entries=entries,
            positions=dict(self._positions),
            appends=(*self.glimpse.appends, append),
        )

    def sent(self, create: Create) -> None:
        """Take in that a request to place an order has left."""
        self._look(creates=(*self.glimpse.creates, create))

    def moved(self) -> None:
        """Take in that something has changed on a venue, or in what it has told."""
        self._look()

    def at_rest(self) -> None:
        """Judge the end of a run."""
        self._look(alerts=tuple(self.alerts), errors=tuple(self.errors), faults_on=False)
        self.violations += judged_at_rest(self._checkers, self.glimpse)

    # -------------------------------------------------------------- looking

    def _look(self, **changes: object) -> None:
        before = self.glimpse
        orders: dict[str, VenueOrder] = {}
        for exchange in self._exchanges.values():
            orders.update(exchange.glimpsed())
        if orders != before.orders:
            changes["orders"] = orders
            changes["moved"] = {name: dict(exchange.moved) for name, exchange in self._exchanges.items()}
        self.glimpse = evolve(before, now=self._now(), **changes)  # type: ignore[arg-type]
        if self._checkers:
            self.violations += judged(self._checkers, before, self.glimpse)


def _continued(trade: Trade | None, name: str, new: tuple[Entry, ...]) -> Trade:
    """Return the fold of a trade's records, given the fold of those before."""
    if trade is None:
        return Trade.fold(name, new, _no_ids)
    later = trade.copy()
    for entry in new:
        later.remember(entry)
    return later


def _no_ids() -> str:
    raise AssertionError("folding asks for no id")
