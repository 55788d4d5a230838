"""What an account has executed, market by market, as its exchange lists it. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from fsm_arb.errors import VenueUnanswered
from fsm_arb.ports import Found, NotFound, OrderRef
from fsm_arb.values import Fee, Fill, Side
from fsm_arb.venues.ccxt_venue import CcxtVenue
from fsm_arb.venues.lookup import call_short, read_rows
from fsm_arb.venues.parse import client_id_of, contract_size, filled_by, parse_fills
from fsm_arb.venues.scrub import Scrubber

if TYPE_CHECKING:
    from decimal import Decimal

DAY_MS = 86_400_000  # no exchange lists fewer days at a time
ROUNDS_MAX = 10_000  # pages of one day: an exchange that repeats itself must come to an end
WHOLE = "whole order"  # stands for the ids of executions that an exchange does not tell


@frozen(kw_only=True)
class Listed:
    """One execution as an exchange lists it."""

    order_id: str
    client_order_id: str  # empty: it does not tell it
    side: Side
    fill: Fill


class History:
    """The executions of one account.

    Args:
        exchange: A ``ccxt.async_support`` exchange; it stays the caller's.
        name: What the account is called, for messages.

    Raises:
        InvalidInput: The exchange is of ccxt's synchronous family, or no exchange.
        VenueMisconfigured: A setting that exact amounts need cannot be applied.
    """

    def __init__(self, exchange: Any, *, name: str) -> None:
        self.name = name
        self._venue = CcxtVenue(exchange, name=name)
        self._exchange = exchange
        self._scrub = Scrubber(exchange)

    @property
    def lists(self) -> bool:
        """Whether the exchange lists all executions of a market; else each order must be asked for."""
        return bool(self._exchange.has.get("fetchMyTrades"))

    async def executions(self, symbol: str, since_ms: int, until_ms: int) -> list[Listed]:
        """Return what was executed on *symbol* between two moments, wall clock UTC, oldest first.

        Raises:
            VenueUnanswered: No usable answer.
        """
        failure = ""
        try:
            await call_short(self._exchange.load_markets)
            market = self._exchange.market(symbol)
            rows: dict[tuple[str, str], dict[str, Any]] = {}
            for begin in range(since_ms, until_ms + 1, DAY_MS):
                await self._day(symbol, begin, min(begin + DAY_MS - 1, until_ms), rows)
        except Exception as error:  # noqa: BLE001 - told below, without what a foreign error carries
            failure = f"{type(error).__name__}: {self._scrub.message(error)}"
        if failure:
            raise VenueUnanswered(f"{self.name}: its executions of {symbol}: {failure}")
        size = contract_size(market)
        found = [self._listed(row, size) for row in rows.values()]
        return sorted(found, key=lambda each: (each.fill.at_ms or 0, each.fill.fill_id))

    async def _day(self, symbol: str, begin: int, end: int, rows: dict[tuple[str, str], dict[str, Any]]) -> None:
        """Ask page by page, each from where the last one ended, until nothing new comes."""
        since = begin
        for _ in range(ROUNDS_MAX):
            answer = read_rows(await call_short(self._exchange.fetch_my_trades, symbol, since, None, {"until": end}))
            fresh = {(str(row["id"]), str(row["order"])): row for row in answer if row["timestamp"] <= end}
            if fresh.keys() <= rows.keys():
                return
            rows |= fresh
            since = max(row["timestamp"] for row in fresh.values())
        raise VenueUnanswered(f"more than {ROUNDS_MAX} pages a day")

    def _listed(self, row: dict[str, Any], size: Decimal | None) -> Listed:
        (fill,) = parse_fills([row], size)
        return Listed(
            order_id=str(row["order"]),
            client_order_id=client_id_of(row, self._venue.dialect) or "",
            side=Side(row["side"]),
            fill=fill,
        )

    async def order(self, ref: OrderRef) -> list[Listed]:
        """Return what one order executed; where the exchange does not tell single executions, one for all of them.

        Raises:
            VenueUnanswered: No usable answer, or the exchange does not show the order where it should.
        """
        seen = await self._venue.observe(ref)
        if isinstance(seen, NotFound):
            return []
        if not isinstance(seen, Found):
            raise VenueUnanswered(f"{self.name}: order {ref.client_order_id}: {seen.message}")
        snapshot = seen.snapshot
        if not snapshot.filled:
            return []
        order_id = snapshot.venue_order_id or ref.venue_order_id or ""
        fills = snapshot.fills
        if filled_by(fills) != snapshot.filled:
            if snapshot.average is None:
                raise VenueUnanswered(f"{self.name}: order {ref.client_order_id}: no price for what filled")
            fees = snapshot.fees or ()
            fee: Fee | None = fees[0] if len(fees) == 1 else None
            fills = (Fill(fill_id=WHOLE, amount=snapshot.filled, price=snapshot.average, fee=fee),)
        return [
            Listed(order_id=order_id, client_order_id=ref.client_order_id, side=ref.side, fill=fill) for fill in fills
        ]
