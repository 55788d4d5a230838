"""Several simulated venues over one clock: exchanges for bots, books for judges, a hand for whoever plays the world."""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import TYPE_CHECKING

from fsm_arb.matching.orders import Kind, NewOrder, TimeInForce
from fsm_arb.testing.simulated.books import Walk
from fsm_arb.testing.simulated.chances import FaultPlan
from fsm_arb.testing.simulated.conditions import FOR_EVER, Condition
from fsm_arb.testing.simulated.exchange import SimulatedExchange
from fsm_arb.testing.simulated.kinds import FaultKind
from fsm_arb.testing.simulated.options import VENUES
from fsm_arb.testing.simulated.register import fill_of
from fsm_arb.testing.simulated.venue import NS_PER_MS, SimulatedVenue
from fsm_arb.values import EXACT, Side, to_decimal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsm_arb.ports import Clock
    from fsm_arb.testing.glimpse import VenueFill, VenueOrder
    from fsm_arb.testing.simulated.kinds import Operation
    from fsm_arb.testing.simulated.options import VenueOptions
    from fsm_arb.testing.simulated.register import Came
    from fsm_arb.testing.simulated.watching import Observer


class SimulatedVenues:
    """A world of venues. The same seed, clock and calls give the same world, to the byte.

    Args:
        clock: Both clocks; virtual or real.
        seed: Where everything drawn comes from.
        venues: Names of `options.VENUES`, or options of one's own.
        faults: Which faults calls meet: how often each kind is drawn, or the name of a profile, or a plan of one's own.
        walk: How books move; None: in steps of a second, from *seed*.
        observers: Who is told what happens.

    Raises:
        ValueError: Two venues share a name, or a name is not known.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int = 0,
        venues: Iterable[str | VenueOptions] = ("upbit", "binance"),
        faults: FaultPlan | Mapping[FaultKind, float] | str = "none",
        walk: Walk | None = None,
        observers: Iterable[Observer] = (),
    ) -> None:
        self.clock = clock
        self.plan = faults if isinstance(faults, FaultPlan) else FaultPlan(seed, faults)
        self.observers: list[Observer] = list(observers)
        self.venues: dict[str, SimulatedVenue] = {}
        for each in venues:
            options = _options(each)
            if options.name in self.venues:
                raise ValueError(f"two venues are called {options.name}")
            self.venues[options.name] = SimulatedVenue(
                options, clock, self.plan, walk or Walk(seed=seed), self.observers
            )
        self._exchanges = {name: SimulatedExchange(venue) for name, venue in self.venues.items()}

    def exchange(self, name: str) -> SimulatedExchange:
        """Return the exchange object of a venue, always the same one."""
        return self._exchanges[name]

    def exchanges(self) -> dict[str, SimulatedExchange]:
        """Return every exchange object by name, as an executor's ``venues`` takes them."""
        return dict(self._exchanges)

    def middle(self, venue: str, symbol: str) -> Decimal:
        """Return the middle of a book as it stands now, quote per base; zero where a side is empty."""
        place = self.venues[venue]
        place.advance()
        with decimal.localcontext(EXACT):
            return place.engine.liquidity.mark(symbol, place.now_ms())

    # -------------------------------------------------------------- the books that count

    def advance(self) -> None:
        """Let everything happen that is due by now. The books below do this first."""
        for venue in self.venues.values():
            venue.advance()

    def venue_orders(self) -> dict[str, VenueOrder]:
        """Return every order on every venue by client id, those whose request is still on its way among them."""
        self.advance()
        orders: dict[str, VenueOrder] = {}
        with decimal.localcontext(EXACT):
            for venue in self.venues.values():
                for name, order in venue.register.orders().items():
                    # A bot may use one client id on both venues; neither order may hide the other.
                    orders[f"{name} on {order.venue}" if name in orders else name] = order
        return orders

    @property
    def creates(self) -> tuple[Came, ...]:
        """Every request to place an order that came to a door, oldest first."""
        came = [each for venue in self.venues.values() for each in venue.register.came()]
        return tuple(sorted(came, key=lambda each: each.at))

    @property
    def sent_twice(self) -> tuple[str, ...]:
        """Client ids that came to a venue's door more than once, let in or not."""
        return tuple(name for venue in self.venues.values() for name in venue.register.sent_twice)

    def moved(self) -> dict[str, dict[str, Decimal]]:
        """Return by how much each asset has changed since the beginning, by venue."""
        self.advance()
        return {name: venue.moved() for name, venue in self.venues.items()}

    def external(self) -> dict[str, dict[str, Decimal]]:
        """Return the part of `moved` that operators did by hand."""
        return {name: dict(venue.by_hand) for name, venue in self.venues.items()}

    def still_to_come(self) -> int | None:
        """Return the monotonic ns when the last late event comes; None: none is to come."""
        self.advance()
        times = [venue.engine.last_event_ms() for venue in self.venues.values()]
        known = [at_ms - venue.now_ms() for at_ms, venue in zip(times, self.venues.values(), strict=True) if at_ms]
        return self.clock.monotonic_ns() + (max(known) + 1) * NS_PER_MS if known else None

    # -------------------------------------------------------------- faults

    def inject(
        self,
        venue: str,
        fault: FaultKind | str,
        *,
        operation: Operation | None = None,
        symbol: str | None = None,
        ms: int | None = None,
        draw: float = 0.0,
        count: int = 1,
        skip: int = 0,
    ) -> tuple[str, ...]:
        """Let a fault meet the next calls that fit; see `FaultPlan.inject`.

        Raises:
            KeyError: There is no such venue.
            ValueError: There is no such fault, or it does not apply to that operation.
        """
        return self.plan.inject(
            self.venues[venue].name,
            FaultKind(fault),
            operation=operation,
            symbol=symbol,
            ms=ms,
            draw=draw,
            count=count,
            skip=skip,
        )

    def heal(self) -> None:
        """Stop all faults, so that a run can converge.

        No more are drawn; outages, bans, halts, bands and delistings that were
        drawn or injected end; hidden orders and late executions are shown, and
        every order's status in its usual word; the venues' clocks are right.
        What is on its way still comes at its time: a late acceptance, fill,
        cancel or bust (`still_to_come`). What was done by hand, such as `halt`,
        stays until it is undone by hand; what is injected later still happens.
        """
        self.advance()
        self.plan.heal()
        for venue in self.venues.values():
            venue.heal()

    # -------------------------------------------------------------- by hand

    def set_book(
        self,
        venue: str,
        symbol: str,
        bids: Iterable[tuple[object, object]],
        asks: Iterable[tuple[object, object]],
    ) -> None:
        """Fix a book: levels of price and base amount. It shrinks as it is taken, and moves no more by itself."""
        place = self.venues[venue]
        sides = [
            [(to_decimal(price, "price"), to_decimal(amount, "amount")) for price, amount in side]
            for side in (bids, asks)
        ]
        with decimal.localcontext(EXACT):
            place.engine.set_book(symbol, sides[0], sides[1], place.now_ms())

    def free_book(self, venue: str, symbol: str) -> None:
        """Let a book that was fixed move by itself again."""
        self.venues[venue].engine.liquidity.free(symbol)

    def halt(self, venue: str, symbol: str, *, halted: bool = True) -> None:
        """Stop trading in a market until it is allowed again."""
        self._hold(venue, FaultKind.HALT, symbol, holds=halted)

    def take_down(self, venue: str, *, down: bool = True) -> None:
        """Let a venue answer nothing until it is brought up again."""
        self._hold(venue, FaultKind.DOWN, None, holds=down)

    def delist(self, venue: str, symbol: str) -> None:
        """Take a market away for ever; what rests there is cancelled."""
        place = self.venues[venue]
        self._hold(venue, FaultKind.DELISTED, symbol, holds=True)
        with decimal.localcontext(EXACT):
            place.engine.advance(place.now_ms())
            place.end_all(symbol)

    def revoke(self, venue: str, *, revoked: bool = True) -> None:
        """Take the key away, or give it back."""
        self._hold(venue, FaultKind.REVOKED, None, holds=revoked)

    def _hold(self, venue: str, kind: FaultKind, symbol: str | None, *, holds: bool) -> None:
        conditions = self.venues[venue].conditions
        if holds:
            key = f"{venue}/by_hand/{kind.value}"
            conditions.hold(Condition(kind, key, FOR_EVER, symbol, by_hand=True))
        else:
            conditions.lift(kind, symbol)

    def trade_by_hand(self, venue: str, symbol: str, side: Side | str, amount: Decimal) -> VenueFill:
        """Trade at once at the book's prices as an operator does on the venue's own page; return it as one fill.

        Args:
            venue: Where.
            symbol: What.
            side: Which way.
            amount: Base, a multiple of the lot.

        Raises:
            OrderRefused: The venue does not take it.
        """
        place = self.venues[venue]
        new = NewOrder(
            symbol=symbol,
            side=Side(side),
            kind=Kind.MARKET,
            time_in_force=TimeInForce.IOC,
            amount=amount,
            price=None,
        )
        with decimal.localcontext(EXACT):
            order = place.engine.place(new, place.now_ms())
            return place.done_by_hand(order)

    def undo_by_hand(self, venue: str, fill: VenueFill) -> None:
        """Undo a trade made by hand, its fee with it, as a venue does that is asked in time.

        Trading the other way would not: a fee in base stays away, and twice.
        """
        place = self.venues[venue]
        with decimal.localcontext(EXACT):
            place.undone_by_hand(fill, place.now_ms())

    def bust(self, venue: str, client_id: str) -> VenueFill | None:
        """Take the last execution of an order back, as venues do after an error of theirs; None: it has none."""
        place = self.venues[venue]
        request = place.register.requests[client_id]
        with decimal.localcontext(EXACT):
            execution = place.take_back(request, place.now_ms())
        return None if execution is None else fill_of(execution)


def _options(each: str | VenueOptions) -> VenueOptions:
    if not isinstance(each, str):
        return each
    if each not in VENUES:
        raise ValueError(f"venue {each!r}: must be one of {', '.join(VENUES)}, or options of one's own")
    return VENUES[each]()
