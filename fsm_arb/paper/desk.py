"""An executor over paper venues, and the door by which their books come in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from attrs import evolve

from fsm_arb.clock import SystemClock
from fsm_arb.context import MarketContext
from fsm_arb.errors import UnknownVenue
from fsm_arb.executor.executor import CrossExchangeExecutor
from fsm_arb.paper.venue import PaperVenue
from fsm_arb.venues.ccxt_venue import as_venue

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from decimal import Decimal

    from fsm_arb.decision import CrossExchangeDecision
    from fsm_arb.ports import Clock, Journal
    from fsm_arb.results import CrossExecutionResult
    from fsm_arb.values import Leg

BOOK_MAX_AGE_S = 10  # a feed that is silent for longer is taken for broken


class PaperDesk:
    """Executes decisions on paper: the executor, the machine and the journal of real trading over `PaperVenue`.

    An async context manager: entering it enters the executor. It wants a
    journal of its own; a paper trade on a real journal would be taken for
    money by whoever reads it.

    Args:
        venues: By the name that legs use.
        journal: A path, or a journal of our port.
        clock: The one that the venues were given; None for the system's.
        fed_by_contexts: False: whoever has the books feeds the venues, and an orchestrator's contexts do not.
        executor: What else `CrossExchangeExecutor` takes: ``policy``, ``fx``, ``risk_guard``, ``metrics``, ``alerts``,
            ``ids``.

    Attributes:
        venues: By the name that legs use.
        executor: Over these venues.
    """

    def __init__(
        self,
        venues: Mapping[str, PaperVenue],
        journal: str | os.PathLike[str] | Journal,
        *,
        clock: Clock | None = None,
        fed_by_contexts: bool = True,
        **executor: Any,
    ) -> None:
        self._fed_by_contexts = fed_by_contexts
        self.venues = dict(venues)
        self.executor = CrossExchangeExecutor(venues=self.venues, journal=journal, clock=clock, **executor)

    @classmethod
    async def over(
        cls,
        real: Mapping[str, Any],
        legs: Iterable[Leg],
        balances: Mapping[str, Mapping[str, Decimal | int | str]],
        journal: str | os.PathLike[str] | Journal,
        *,
        clock: Clock | None = None,
        latency_ms: Decimal | int | str = 0,
        jitter_ms: Decimal | int | str = 0,
        seed: int | None = None,
        book_max_age_s: Decimal | int | str | None = BOOK_MAX_AGE_S,
        **executor: Any,
    ) -> Self:
        """Return a desk whose venues trade by the rules of real ones, which are asked for them once.

        Args:
            real: ccxt async exchanges, or venues of our port, by the name that legs use. They are only read.
            legs: Every market that is to be traded.
            balances: What each account on paper begins with, by venue and asset.
            journal: Of the paper trades.
            clock: Where time comes from; None for the system's.
            latency_ms: Of a call to a paper venue, as `PaperVenue.from_rules`.
            jitter_ms: As `PaperVenue.from_rules`.
            seed: As `PaperVenue.from_rules`.
            book_max_age_s: As `PaperVenue.from_rules`.
            executor: As for the class.

        Raises:
            UnknownVenue: A leg names a venue that is not among *real*.
            UnknownSymbol: A venue does not list a leg's market.
            VenueMisconfigured: A real account could not be traded as it is set up.
            VenueUnanswered: A venue gives no rules now.
            InvalidInput: A balance or number makes no sense.
        """
        clock = clock or SystemClock()
        wanted: dict[str, list[str]] = {}
        for leg in legs:
            if leg.exchange not in real:
                raise UnknownVenue("legs", leg.exchange, f"is not one of the venues: {', '.join(sorted(real))}")
            if leg.symbol not in wanted.setdefault(leg.exchange, []):
                wanted[leg.exchange].append(leg.symbol)
        venues = {}
        for name, symbols in wanted.items():
            venue = as_venue(real[name], name, clock)
            venues[name] = PaperVenue.from_rules(
                name,
                [await venue.rules(symbol) for symbol in symbols],
                balances.get(name, {}),
                clock=clock,
                latency_ms=latency_ms,
                jitter_ms=jitter_ms,
                seed=seed,
                book_max_age_s=book_max_age_s,
            )
        return cls(venues, journal, clock=clock, **executor)

    async def __aenter__(self) -> Self:
        await self.executor.__aenter__()
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.executor.__aexit__(*raised)

    def feed(self, context: Any) -> None:
        """Feed the paper venues the books and the health of a context, or of several; what is none is passed over.

        Does nothing where the venues are fed otherwise. A market that stands in no context is fed through its
        venue's own `PaperVenue.feed`.

        Raises:
            UnknownVenue: A context is of a venue that is not on this desk.
            UnknownSymbol: It is of a market that is not traded there.
        """
        several = context if isinstance(context, Iterable) and not isinstance(context, str) else (context,)
        for each in several:
            if isinstance(each, MarketContext) and self._fed_by_contexts:
                self._feed(each)

    def _feed(self, context: MarketContext) -> None:
        for leg, book, health in zip(context.legs, context.books, context.health, strict=True):
            venue = self.venues.get(leg.exchange)
            if venue is None:
                raise UnknownVenue("legs", leg.exchange, f"is not on this desk: {', '.join(sorted(self.venues))} are")
            venue.health_now = evolve(health, has_secrets=True)  # nothing on paper needs any
            if book is not None:
                venue.feed(leg.symbol, book)

    async def execute_decision(self, decision: CrossExchangeDecision) -> CrossExecutionResult:
        """Execute one decision on paper, as `CrossExchangeExecutor.execute_decision` does."""
        return await self.executor.execute_decision(decision)

    def trade(self, trade_id: str) -> CrossExecutionResult:
        """Return what is true of one trade now, as `CrossExchangeExecutor.trade` does."""
        return self.executor.trade(trade_id)
