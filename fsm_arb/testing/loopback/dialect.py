"""What the dialects share: a call comes in, a reply goes out, and how faults bend what is between."""

from __future__ import annotations

import abc
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from attrs import evolve, field, frozen

from fsm_arb.matching.orders import Order, Status, UnknownOrder
from fsm_arb.testing.loopback.faults import Operation
from fsm_arb.testing.loopback.markets import credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fsm_arb.matching.exchange import Exchange
    from fsm_arb.matching.market import Market
    from fsm_arb.matching.orders import NewOrder


class VenueError(Exception):
    """The venue answers with an error of its own."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


@frozen(kw_only=True)
class Effects:
    """How a fault bends the execution of one call."""

    share: Decimal | None = None  # of a new order that executes; the rest expires
    late_fill_ms: int | None = None
    hidden_ms: int = 0
    stale_ms: int = 0
    cancel_race: bool = False
    cancel_lost: bool = False
    duplicate_trade: bool = False
    old_balance: bool = False


NO_EFFECTS = Effects()


@frozen(kw_only=True)
class Call:
    """One request, parsed as far as every venue agrees."""

    method: str
    path: str  # below the dialect's own prefix
    raw_query: str
    body: bytes
    headers: Mapping[str, str]
    now_ms: int  # the server's time, when it is executed
    skipped_ms: int = 0  # how far the server's time is ahead of the wall clock; what a venue's clock does not show
    pairs: tuple[tuple[str, str], ...] = ()
    effects: Effects = NO_EFFECTS

    def all(self, name: str) -> list[str]:
        """Return every value of a parameter, those of ``name[]`` too."""
        return [value for key, value in self.pairs if key in {name, f"{name}[]"}]

    def get(self, name: str) -> str | None:
        """Return the first value of a parameter; None if it is missing or empty."""
        return next((value for key, value in self.pairs if key == name and value), None)


def query_pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Split a query string."""
    return tuple(parse_qsl(text, keep_blank_values=True))


@frozen(kw_only=True)
class Reply:
    """What goes back, before any fault mangles it."""

    status: int
    body: Any  # JSON-able


@frozen
class Route:
    """What one method and path mean."""

    operation: Operation
    handler: Callable[[Call], Any]
    signed: bool = True


class Dialect(abc.ABC):
    """One venue's REST dialect over its books."""

    name: str
    created_status = 200  # of a successful create

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.credentials = credentials(self.name)
        self.clock_offset_ms = 0  # the venue's clock minus ours
        self.routes = self.build_routes()
        self._balances_shown: dict[str, Any] = {}  # the last answer of each path, for reads that lag

    # -------------------------------------------------------------- what each venue says in its own words

    @abc.abstractmethod
    def build_routes(self) -> dict[tuple[str, str], Route]:
        """Return every (method, path) that is served."""

    @abc.abstractmethod
    def authenticate(self, call: Call) -> None:
        """Check the key and the signature.

        Raises:
            VenueError: They are missing or wrong.
        """

    @abc.abstractmethod
    def parse(self, call: Call) -> Call:
        """Return *call* with its parameters."""

    @abc.abstractmethod
    def error_500(self) -> Any:
        """The body of the venue's own internal error."""

    @abc.abstractmethod
    def rate_limited(self) -> Any:
        """The body of a 429."""

    @abc.abstractmethod
    def not_refused_for_a_reason(self, call: Call, operation: Operation) -> Reply:
        """A definite refusal of a call that had nothing wrong with it; uses up what a refusal uses up."""

    @abc.abstractmethod
    def no_route(self) -> Reply:
        """What an unknown path answers."""

    # -------------------------------------------------------------- serving

    def market_of(self, call: Call) -> Market | None:
        """Return the market that *call* names, if any."""
        name = call.get("symbol") or call.get("market")
        return self.exchange.by_market_id.get(name) if name else None

    def client_id_of(self, call: Call) -> str | None:
        """Return the client id that *call* carries, if any."""
        return call.get("identifier") or call.get("newClientOrderId") or call.get("origClientOrderId")

    def answer(self, call: Call, route: Route) -> Reply:
        """Execute *call* and say what the venue says."""
        try:
            if route.signed:
                self.authenticate(call)
            self.exchange.advance(call.now_ms)
            body = self._balances_shown.get(call.path) if call.effects.old_balance else None
            if body is None:
                body = route.handler(call)
            if route.operation is Operation.BALANCE:
                self._balances_shown[call.path] = body
        except VenueError as error:
            return Reply(status=error.status, body=error.body)
        status = self.created_status if route.operation is Operation.CREATE else 200
        return Reply(status=status, body=body)

    def venue_ms(self, at_ms: int) -> int:
        """Return *at_ms* as the venue stamps it."""
        return at_ms + self.clock_offset_ms

    def clock_ms(self, call: Call) -> int:
        """Return what the venue's clock shows."""
        return call.now_ms - call.skipped_ms + self.clock_offset_ms

    # -------------------------------------------------------------- orders, with faults

    def place(self, call: Call, new: NewOrder) -> Order:
        """Place *new*.

        Raises:
            OrderRefused: It is not accepted.
        """
        effects, now_ms = call.effects, call.now_ms
        order = self.exchange.place(new, now_ms, share=effects.share)
        order.hidden_until_ms = now_ms + effects.hidden_ms if effects.hidden_ms else 0
        self._late_fill(order, call)
        return order

    def cancel(self, call: Call, order: Order) -> Order:
        """Cancel *order* and return it as it then stands, or is said to stand.

        Raises:
            UnknownOrder: It is not open (any more).
        """
        effects = call.effects
        if effects.cancel_race:
            self.exchange.fill(order, order.remaining, call.now_ms)
        if effects.cancel_lost:
            if not order.is_open:
                raise UnknownOrder
            return evolve(order, status=Status.CANCELED)
        self.exchange.cancel(order, call.now_ms)
        self._late_fill(order, call)
        return order

    def _late_fill(self, order: Order, call: Call) -> None:
        if call.effects.late_fill_ms is not None and not order.is_open and order.remaining:

            def fill(at_ms: int) -> None:
                self.exchange.fill(order, order.remaining, at_ms)

            self.exchange.schedule(call.now_ms + call.effects.late_fill_ms, fill)

    def shown(self, call: Call, order: Order) -> Order:
        """Return *order* as this read shows it."""
        effects = call.effects
        view = order.as_of(call.now_ms - effects.stale_ms) if effects.stale_ms else order
        if effects.duplicate_trade and view.fills:
            view = evolve(view, fills=[*view.fills, view.fills[-1]])
        return view

    def shown_all(self, call: Call, orders: list[Order]) -> list[Order]:
        """Return *orders* as this read shows them, without those that are still hidden."""
        return [self.shown(call, order) for order in orders if call.now_ms >= order.hidden_until_ms]

    def open_shown(self, call: Call, symbol: str | None) -> list[Order]:
        """Return the orders that this read shows as open."""
        if not call.effects.stale_ms:
            return self.shown_all(call, self.exchange.open_orders(symbol))
        symbols = [symbol] if symbol is not None else list(self.exchange.by_symbol)
        recent = [order for name in symbols for order in self.exchange.by_symbol[name][-200:]]
        then_ms = call.now_ms - call.effects.stale_ms
        views = self.shown_all(call, [order for order in recent if order.created_ms <= then_ms])
        return [view for view in views if view.is_open]


@frozen(kw_only=True)
class Window:
    """Which orders or trades a list asks for."""

    start_ms: int | None = None
    end_ms: int | None = None
    limit: int = field(default=100)

    def keeps(self, at_ms: int) -> bool:
        """Whether *at_ms* lies in it."""
        return (self.start_ms is None or at_ms >= self.start_ms) and (self.end_ms is None or at_ms <= self.end_ms)


def plain(number: Decimal) -> str:
    """Write a number without exponent and without padding."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def eight(number: Decimal) -> str:
    """Write a number with eight places, as Binance does."""
    return format(number, ".8f")


def decimal_or_none(text: str | None) -> Decimal | None:
    """Read a number; None stays None.

    Raises:
        ArithmeticError: Not a number.
    """
    return None if text is None else Decimal(text)
