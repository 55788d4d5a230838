"""Find an order on a venue, or prove that it is not there.

Sources are asked from the most direct to the widest: the order by the venue's
id, the order by our id, then the lists. The first that shows it ends the
search. Absence is proven only when all lists that could show it answered and
reached back far enough; a direct "not found" is an answer, never the proof.
"""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import define, field

from fsm_arb.values import EXACT, ONE, Side
from fsm_arb.venues import wire
from fsm_arb.venues.classify import CLIENT_ERRORS, TOO_MANY, ancestry, code_of, error_name, is_absent, is_network
from fsm_arb.venues.dialect import Ask, Listing
from fsm_arb.venues.parse import client_id_of, contract_size, number
from fsm_arb.venues.window import SKEW_MS, UNASKED_MS, UNMEASURED_MS, known_offset_ms, since_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from fsm_arb.ports import Clock, OrderRef
    from fsm_arb.venues.dialect import Dialect
    from fsm_arb.venues.scrub import Scrubber

# Page sizes that venues are known to cut lists at, when they were not asked for one.
PAGES = frozenset({10, 20, 25, 30, 40, 50, 60, 75, 100, 150, 200, 250, 300, 400, 500, 1000})
PAGE_SMALLEST = 20  # no venue cuts a list shorter than this, the ones of ten aside, which are in PAGES
TRADES = "fetch_my_trades"
CANCELED = "fetch_canceled_orders"
NOT_OFFERED = frozenset({"NotSupported", "NotImplementedError"})
SECONDS_MAX = 10**12  # a time below this is no time in milliseconds
ROUNDED = Decimal("1.001")  # how much larger than we asked a venue may show an order, having rounded it

UNIFIED_LISTINGS = (
    Listing(method="fetch_open_orders", since=False),
    Listing(method="fetch_closed_orders"),
    Listing(method=CANCELED),
    Listing(method="fetch_orders"),
)


class Answer(enum.Enum):
    """What one source said."""

    ABSENT = "absent"  # and it reached back far enough
    PARTIAL = "partial"  # it does not show the order, and may not reach back far enough
    NOT_OFFERED = "not_offered"
    FAILED = "failed"


@define(eq=False)
class Search:
    """One search for one order."""

    exchange: Any
    dialect: Dialect
    market: Mapping[str, Any]
    ref: OrderRef
    clock: Clock
    scrub: Scrubber
    offset_ms: int | None = None  # the venue's clock minus ours, as it was measured; None: never
    answers: dict[str, Answer] = field(factory=dict)
    failure: tuple[str, str] | None = None  # code and message of the first source that failed
    answered: int = 0
    nameless: bool = False  # whether an order or a fill was shown that may be ours and says not whose it is
    others: set[str] = field(factory=set)  # venue ids of orders that were shown to be somebody else's

    async def find(self) -> dict[str, Any] | None:
        """Return ccxt's order; None when no source shows it."""
        found = await self._ask_directly()
        if found is not None:
            return found
        for listing in self._listings():
            found = await self._from_list(listing)
            if found is not None:
                return found
        if not self.dialect.listed:
            return await self._from_trades()
        return None

    @property
    def covered(self) -> bool:
        """Whether absence is proven: every list that could show the order answered and reached back."""
        if not self.dialect.proves_absence or self.nameless:
            return False
        if self.dialect.listings:
            return all(self.answers.get(listing.method) is Answer.ABSENT for listing in self.dialect.listings)
        # Own trades that may be cut short say no more than none: it is for the lists of orders then.
        short = {method for method, answer in self.answers.items() if answer in {Answer.PARTIAL, Answer.FAILED}}
        if short - {TRADES}:
            return False
        absent = {method for method, answer in self.answers.items() if answer is Answer.ABSENT}
        # Closed orders are the filled ones on some exchanges, so the cancelled ones must have a list as well; or
        # own trades must show that the order, if it has ended, did nothing.
        return "fetch_orders" in absent or (
            "fetch_open_orders" in absent and (TRADES in absent or absent >= {"fetch_closed_orders", CANCELED})
        )

    # -- direct questions

    async def _ask_directly(self) -> dict[str, Any] | None:
        found = None
        if self.ref.venue_order_id is not None:
            found = await self._by_venue_id(self.ref.venue_order_id)
        if found is None and self.dialect.look_up is not None and self.dialect.client_id_param is not None:
            found = await self._by_client_id(self.dialect.look_up)
        return found

    async def _by_venue_id(self, venue_order_id: str) -> dict[str, Any] | None:
        if not self._offers("fetch_order"):
            return None
        try:
            params = self._params(self.dialect.look_up_params)
            order = await call_short(self.exchange.fetch_order, venue_order_id, self.ref.symbol, params)
            ensure_readable()
        except Exception as error:  # noqa: BLE001 - whatever a foreign library raises is an answer of the world
            self._note("venue_order_id", error)
            return None
        self.answered += 1
        return order if isinstance(order, dict) and str(order.get("id")) == venue_order_id else None

    async def _by_client_id(self, ask: Ask) -> dict[str, Any] | None:
        if not self._offers(ask.method):
            return None
        try:
            rows = await ask_order(self.exchange, ask, self.dialect, self.market, self.ref.client_order_id)
            ensure_readable()
        except Exception as error:  # noqa: BLE001
            # Nobody knows whether an unlisted exchange understands the question, so its no says nothing.
            if self.dialect.listed or is_absent(error) or (is_network(error) and not _answered_no()):
                self._note("client_order_id", error)
            return None
        self.answered += 1
        self._mark_nameless(rows)
        return next((order for order in rows if self._is_ours(order, asked_by_id=True)), None)

    # -- lists

    def _listings(self) -> tuple[Listing, ...]:
        return self.dialect.listings or UNIFIED_LISTINGS

    async def _from_list(self, listing: Listing) -> dict[str, Any] | None:
        if not self._offers(listing.method):
            self.answers[listing.method] = Answer.NOT_OFFERED
            return None
        since = self._since() if listing.since else None
        method = getattr(self.exchange, listing.method)
        try:
            answer = await call_short(method, self.ref.symbol, since, listing.page, self._params(listing.params))
            rows = read_rows(answer)
        except Exception as error:  # noqa: BLE001
            self.answers[listing.method] = self._note(listing.method, error)
            return None
        self.answered += 1
        self._mark_nameless(rows)
        self.answers[listing.method] = Answer.ABSENT if self._reached(listing, len(rows), since) else Answer.PARTIAL
        return next((row for row in rows if self._is_ours(row)), None)

    async def _from_trades(self) -> dict[str, Any] | None:
        """Look for fills under our id; an order without a list of its own shows up only there."""
        if not self._offers(TRADES):
            return None
        since = self._since()
        try:
            rows = read_rows(await call_short(self.exchange.fetch_my_trades, self.ref.symbol, since))
        except Exception as error:  # noqa: BLE001
            self.answers[TRADES] = self._note(TRADES, error)
            return None
        self.answered += 1
        ours = [trade for trade in rows if self._is_ours_trade(trade)]
        if ours:
            return self._order_from(ours)
        self.nameless |= any(self._may_be_ours(row) and str(row.get("order")) not in self.others for row in rows)
        complete = self._reached(Listing(method=TRADES), len(rows), since)
        self.answers[TRADES] = Answer.ABSENT if complete else Answer.PARTIAL
        return None

    def _order_from(self, trades: list[dict[str, Any]]) -> dict[str, Any]:
        # Nothing says whether the rest still lives, so the status is left open.
        return {
            "id": next((trade["order"] for trade in trades if trade.get("order")), None),
            "clientOrderId": self.dialect.wire_id(self.ref.client_order_id),
            "symbol": self.ref.symbol,
            "side": trades[0].get("side"),
            "status": None,
            "trades": trades,
            "info": {"trades": [trade.get("info") or trade for trade in trades]},
        }

    # -- the parts of the above

    def _params(self, params: Mapping[str, str | bool]) -> dict[str, str | bool]:
        return fill_in(params, words_for(self.dialect, self.market, self.ref.client_order_id))

    def _offers(self, method: str) -> bool:
        return offers(self.exchange, method)

    def _is_ours(self, order: Mapping[str, Any], *, asked_by_id: bool = False) -> bool:
        if self.ref.venue_order_id is not None and str(order.get("id")) == self.ref.venue_order_id:
            return True
        shown = client_id_of(order, self.dialect)
        if shown is None:
            # A listed venue was asked for exactly this id; of an unlisted one nobody knows what it answered.
            return asked_by_id and self.dialect.listed and bool(order.get("id"))
        return shown in {self.dialect.wire_id(self.ref.client_order_id), self.ref.client_order_id}

    def _mark_nameless(self, rows: list[dict[str, Any]]) -> None:
        """Remember an order that carries no client id and may be ours, and those that are somebody else's.

        A listed venue shows the ids it was given, so there a nameless order is somebody else's.
        """
        if self.dialect.listed:
            return
        for row in rows:
            if row.get("id") and self._may_be_ours(row):
                self.nameless = True
            elif row.get("id") and not self._is_ours(row) and self._is_anothers(row):
                self.others.add(str(row["id"]))

    def _is_anothers(self, row: Mapping[str, Any]) -> bool:
        """Whether an order is proven to be somebody else's: by its id, its side, its time, or more filled than ours.

        What it was placed for proves nothing: an exchange may show our own in another unit, a purchase by its cost.
        """
        return client_id_of(row, self.dialect) is not None or not self._may_be_ours(
            {**row, "amount": row.get("filled")}
        )

    def _may_be_ours(self, row: Mapping[str, Any]) -> bool:
        """Whether an order or a trade without a client id cannot be told from ours.

        An amount smaller than ours tells nothing: some exchanges show as an order's amount what it has filled.
        """
        other_side = (Side.SELL if self.ref.side is Side.BUY else Side.BUY).value
        if client_id_of(row, self.dialect) is not None or str(row.get("side")).lower() == other_side:
            return False
        amount = number(row.get("amount"))
        scale = contract_size(self.market) or ONE
        if amount is not None and EXACT.multiply(amount, scale) > EXACT.multiply(self.ref.amount, ROUNDED):
            return False
        at_ms = number(row.get("timestamp"))
        if at_ms is None or at_ms < SECONDS_MAX or self.ref.since_ms is None:
            return True
        since = self._since()
        return at_ms >= (self.ref.since_ms - UNMEASURED_MS if since is None else since)

    def _since(self) -> int | None:
        return since_of(self.ref, known_offset_ms(self.offset_ms))

    def _is_ours_trade(self, trade: Mapping[str, Any]) -> bool:
        if self.ref.venue_order_id is not None and str(trade.get("order")) == self.ref.venue_order_id:
            return True
        return client_id_of(trade, self.dialect) == self.dialect.wire_id(self.ref.client_order_id)

    def _reached(self, listing: Listing, rows: int, since_ms: int | None) -> bool:
        if not listing.since:
            return listing.page is None or rows < listing.page
        if self.ref.since_ms is None:
            return False
        start_ms = self.ref.since_ms - SKEW_MS if since_ms is None else since_ms
        age_ms = self.clock.time_ns() // 1_000_000 - start_ms
        windows = [listing.window_ms, UNASKED_MS if since_ms is None else None]
        if age_ms < 0 or any(window_ms is not None and age_ms >= window_ms for window_ms in windows):
            return False
        if listing.page is not None:
            return rows < listing.page
        return rows not in PAGES

    def _note(self, source: str, error: Exception) -> Answer:
        """Record what an exception of a source means."""
        if is_absent(error) or self._reply_says_absent():
            self.answered += 1
            return Answer.ABSENT
        if NOT_OFFERED.intersection(ancestry(error)):
            return Answer.NOT_OFFERED
        if self.failure is None:
            code = error.code if isinstance(error, Unreadable) else code_of(error)
            self.failure = (code, f"{source}: {self.scrub.message(error)}")
        return Answer.FAILED

    def _reply_says_absent(self) -> bool:
        call = wire.current()
        return call is not None and error_name(call.body) in self.dialect.absent_names


class Unreadable(Exception):
    """A reply came and was not what it should be; it says nothing."""

    code = "bad_response"


def ensure_readable() -> None:
    """Make sure that the last reply was JSON; ccxt reads a page of HTML as an empty list, and says nothing.

    Raises:
        Unreadable: It was not.
    """
    call = wire.current()
    if call is not None and call.unreadable:
        raise Unreadable(f"the reply is no JSON (HTTP {call.http_status})")


def read_rows(answer: object) -> list[dict[str, Any]]:
    """Return the rows of a list.

    Raises:
        Unreadable: It is none.
    """
    ensure_readable()
    if not isinstance(answer, list | tuple):
        raise Unreadable(f"a list was asked for, {type(answer).__name__} came")
    return [row for row in answer if isinstance(row, dict)]


def _answered_no() -> bool:
    call = wire.current()
    return call is not None and call.http_status in CLIENT_ERRORS and call.http_status != TOO_MANY


async def call_short(method: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    """Call *method* without the arguments at the end that say nothing; look-alikes may not take them."""
    said = list(arguments)
    while said and said[-1] in (None, {}):
        said.pop()
    return await method(*said)


def offers(exchange: Any, method: str) -> bool:
    """Whether an exchange has a unified or implicit method: by `has` where it says, else by being there."""
    if not callable(getattr(exchange, method, None)):
        return False
    has = getattr(exchange, "has", None)
    head, *rest = method.split("_")
    key = head + "".join(part.capitalize() for part in rest)
    return bool(has[key]) if isinstance(has, dict) and key in has else True


def fill_in(params: Mapping[str, str | bool], values: Mapping[str, str]) -> dict[str, str | bool]:
    """Return *params* with {id}, {symbol}, {market} and {category} filled in."""
    return {key: text.format_map(values) if isinstance(text, str) else text for key, text in params.items()}


def words_for(
    dialect: Dialect, market: Mapping[str, Any], client_order_id: str, order_id: str | None = None
) -> dict[str, str]:
    """Return what the texts of an `Ask` or a `Listing` may name.

    {id} is our id as the venue shows it, {order_id} the venue's own, {market} the venue's name of the market.
    """
    return {
        "id": dialect.wire_id(client_order_id),
        "order_id": str(order_id),
        "symbol": str(market.get("symbol")),
        "market": str(market.get("id")),
        "base": str(market.get("baseId") or market.get("base")),
        "quote": str(market.get("quoteId") or market.get("quote")),
        "category": "linear" if market.get("linear") else "spot",
    }


async def make_call(exchange: Any, ask: Ask, words: Mapping[str, str]) -> Any:
    """Make the call that *ask* describes, with *words* filled in; return what it answers."""
    params = fill_in(ask.params, words)
    method = getattr(exchange, ask.method)
    if ask.path is not None:
        return await method(params)
    order_id = None if ask.order_id is None else ask.order_id.format_map(words)
    return await method(order_id, words["symbol"], params)


async def ask_order(
    exchange: Any, ask: Ask, dialect: Dialect, market: Mapping[str, Any], client_order_id: str
) -> list[dict[str, Any]]:
    """Ask for one order; return unified orders, none for an empty answer."""
    found = await make_call(exchange, ask, words_for(dialect, market, client_order_id))
    if ask.path is None:
        return [found] if isinstance(found, dict) else []
    for part in ask.path:
        found = found.get(part) if isinstance(found, dict) else None
    rows = found if isinstance(found, list) else [found]
    return [exchange.parse_order(row, market) for row in rows if isinstance(row, dict) and row]
