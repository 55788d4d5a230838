"""The simulated venues of one episode, as its other parts need them."""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import TYPE_CHECKING

from fsm_arb.matching.orders import OrderRefused
from fsm_arb.testing.glimpse import Create
from fsm_arb.testing.simulated import FaultKind, FaultPlan, Observer, SimulatedVenues
from fsm_arb.testing.simulated.books import RATES
from fsm_arb.values import EXACT, ZERO, divide
from fsm_arb.venues.lookup import ROUNDED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fsm_arb.orders import Order
    from fsm_arb.testing.glimpse import VenueFill, VenueOrder
    from fsm_arb.testing.simulated import FaultHit, SimulatedExchange
    from fsm_arb.testing.swarm.episode import Episode
    from fsm_arb.testing.swarm.witness import Witness
    from fsm_arb.values import Side
    from fsm_arb.virtual import VirtualClock

CALM_DEPTH = Decimal(5_000)  # of the books in phase two, by the venue's own measure
NATURE = "/nature/"  # in the keys of faults that nobody has drawn: they cannot be masked


class Places(Observer):
    """Venues, and who looks on at them.

    Args:
        episode: What was drawn.
        clock: The true clock.
        mask: Keys of faults that do not happen.
        only: Keys of the only faults that happen; None: all.
        told: Called with the key of each fault that takes effect.
    """

    def __init__(
        self,
        episode: Episode,
        clock: VirtualClock,
        *,
        mask: frozenset[str],
        only: frozenset[str] | None,
        told: Callable[[str], None],
    ) -> None:
        plan = FaultPlan(
            episode.seed,
            by_venue={each.name: each.faults for each in episode.venues},
            masked=mask,
            only=only,
        )
        self._venues = SimulatedVenues(
            clock,
            seed=episode.seed,
            venues=[each.options for each in episode.venues],
            faults=plan,
            walk=episode.walk,
            observers=[self],
        )
        self._clock = clock
        self._blind = frozenset(each.name for each in episode.venues if each.blind)
        self._unreadable: set[str] = set()
        self._by_hand: dict[tuple[str, str, Side], list[Decimal]] = {}  # operators' own trades, base
        self._told = told
        self._creates: tuple[Create, ...] = ()
        self._witness: Witness | None = None

    def watch(self, witness: Witness) -> None:
        """Let *witness* be told of everything from now on."""
        self._witness = witness

    def exchange(self, name: str) -> SimulatedExchange:
        """Return the exchange object of a venue."""
        return self._venues.exchange(name)

    @property
    def rates(self) -> dict[str, str]:
        """What the quote currencies are worth."""
        return {f"USDT/{quote}": str(rate) for quote, rate in RATES.items()}

    def needs_a_person(self, venue: str, symbol: str, order: Order) -> bool:
        """Whether no machine can find out how an order ended.

        Lists are missing or cut short; or its status is no known word; or it
        was never seen, and somebody traded beside it under no name, the same
        way and no more: what the lists show may be that, or it.
        """
        intent = order.intent
        by_hand = self._by_hand.get((venue, symbol, intent.side), ()) if order.venue_order_id is None else ()
        alike = any(amount <= intent.amount * ROUNDED for amount in by_hand)
        return venue in self._blind or intent.client_order_id in self._unreadable or alike

    def heal(self) -> None:
        """Let nothing go wrong any more, and let there be somebody to trade with."""
        self._venues.heal()
        for venue in self._venues.venues.values():
            venue.books._depth = max(venue.books._depth, CALM_DEPTH)  # noqa: SLF001 - the world's own dial

    # -------------------------------------------------------------- what happens there

    def on_create(self, venue: str, client_id: str) -> None:
        """Write down who comes to a door, and whether that had been written down before."""
        witness = self._witness
        if witness is None:
            return
        written_at = witness.intended_at(client_id)
        now = self._clock.monotonic_ns()
        create = Create(
            venue=venue,
            client_order_id=client_id,
            at=now,
            durable=written_at is not None,
            intent_age_ns=None if written_at is None else now - written_at,
        )
        self._creates = (*self._creates, create)
        witness.step()

    def on_execution(self, venue: str, client_id: str | None, fill: VenueFill) -> None:
        """Let each execution be a step of its own, judged as soon as the books agree with themselves again."""
        if self._witness is None:
            return
        request = self._venues.venues[venue].register.requests.get(client_id or "")
        if request is not None and request.told_over:  # the state that counts is the one in which it comes
            self._witness.struck(6, f"{venue}{NATURE}late {fill.fill_id}", client_order_id=request.name)
        self._witness.soon()

    def on_fault(self, hit: FaultHit) -> None:
        """Count it."""
        if hit.kind is FaultKind.SELF_TRADE and hit.client_id:
            self._unreadable.add(hit.client_id)
        if NATURE not in hit.key:
            self._told(hit.key)
        if self._witness is not None:
            self._witness.struck(hit.number, hit.key, venue=hit.venue, client_order_id=hit.client_id or "")

    # -------------------------------------------------------------- the books

    def orders(self) -> Mapping[str, VenueOrder]:
        """Every order, by client order id."""
        return self._venues.venue_orders()

    def creates(self) -> tuple[Create, ...]:
        """Every request to place an order."""
        return self._creates

    def moved(self) -> Mapping[str, Mapping[str, Decimal]]:
        """By how much balances have changed, by venue and asset. On margin no base changes hands: nothing is told."""
        return {name: moved for name, moved in self._venues.moved().items() if not self._margin(name)}

    def external(self) -> Mapping[str, Mapping[str, Decimal]]:
        """The part of it that operators did by hand."""
        return self._venues.external()

    def _margin(self, venue: str) -> bool:
        return self._venues.venues[venue].options.margin

    def still_to_come(self) -> int | None:
        """Return the monotonic ns when the last late event comes; None: none is to come."""
        return self._venues.still_to_come()

    # -------------------------------------------------------------- markets

    def market(self, venue: str, base: str) -> str:
        """Return the symbol under which *venue* trades *base*."""
        markets = self._venues.venues[venue].engine.markets.values()
        return next(market.symbol for market in markets if market.base == base)

    def price(self, venue: str, symbol: str) -> Decimal:
        """Return the middle of the book, quote per base."""
        place = self._venues.venues[venue]
        with decimal.localcontext(EXACT):
            return place.books.middle(symbol, place.books.version(symbol, place.now_ms()))

    def least(self, venue: str, symbol: str) -> Decimal:
        """Return the least order, base."""
        market = self._venues.venues[venue].engine.markets[symbol]
        return max(market.lot, market.amount_min, divide(market.notional_min, self.price(venue, symbol)))

    def touch(self, venue: str, symbol: str, side: Side) -> Decimal | None:
        """Return the best price that an order of *side* would meet; None: there is none."""
        place = self._venues.venues[venue]
        place.advance()
        with decimal.localcontext(EXACT):
            return place.engine.liquidity.touch(symbol, side, place.now_ms())

    def free(self, venue: str, asset: str) -> Decimal | None:
        """Return what is free; None: on margin, where what makes a position smaller needs no funds."""
        if self._margin(venue):
            return None
        balance = self._venues.venues[venue].engine.account.balances().get(asset)
        return balance.free if balance is not None else ZERO

    # -------------------------------------------------------------- by hand

    def trade_by_hand(self, venue: str, symbol: str, side: Side, amount: Decimal) -> VenueFill | None:
        """Trade on a venue beside all orders of the bot; None: it cannot be done."""
        if self.touch(venue, symbol, side) is None:
            return None
        try:
            fill = self._venues.trade_by_hand(venue, symbol, side, amount)
        except OrderRefused:
            return None
        if not fill.amount:
            return None
        self._by_hand.setdefault((venue, symbol, side), []).append(fill.amount)  # shown even where it is undone
        return fill

    def undo_by_hand(self, venue: str, fill: VenueFill) -> None:
        """Undo a trade made by hand, its fee with it."""
        self._venues.undo_by_hand(venue, fill)

    def bust(self, venue: str, client_order_id: str) -> VenueFill | None:
        """Let a venue take the last execution of an order back."""
        return self._venues.bust(venue, client_order_id)
