"""What is read from a simulated venue, and what whoever reads it has then been told."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from fsm_arb.matching.accounts import MarginAccount
from fsm_arb.matching.orders import Status, UnknownOrder
from fsm_arb.testing.simulated.errors import ccxt_error
from fsm_arb.testing.simulated.kinds import FaultKind, Operation
from fsm_arb.testing.simulated.register import Request
from fsm_arb.testing.simulated.views import reordered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsm_arb.matching.market import Market
    from fsm_arb.matching.orders import Execution
    from fsm_arb.testing.simulated.orders import OrderDesk
    from fsm_arb.testing.simulated.venue import Call, SimulatedVenue
    from fsm_arb.testing.simulated.views import View

Row = dict[str, Any]

_UNTOLD = (
    "askVolume", "average", "baseVolume", "bidVolume", "change", "high", "indexPrice", "low", "markPrice", "open",
    "percentage", "previousClose", "quoteVolume", "vwap",
)  # fmt: skip


class Readings:
    """Answers the questions about one venue."""

    def __init__(self, venue: SimulatedVenue, desk: OrderDesk) -> None:
        self._venue = venue
        self._desk = desk
        self._balances: Row | None = None  # as they were last shown

    # -------------------------------------------------------------- orders

    def tell(self, views: Iterable[View]) -> None:
        """Remember that these were shown to whoever asked."""
        self._venue.register.tell_over(view.order.order_id for view in views if view.says_over)

    async def order(self, order_id: str | None, client_id: str | None, symbol: str | None) -> Row:
        """Return one order, by the venue's id or by the caller's.

        Raises:
            OrderNotFound: The venue does not show it.
        """
        venue = self._venue

        def compute(call: Call, now_ms: int) -> View:
            order = venue.engine.find(order_id=order_id, client_id=client_id, now_ms=now_ms)
            return self._desk.view(order, call, now_ms)

        name = client_id or self._desk.name_of(order_id)
        try:
            view = await venue.read(Operation.FETCH, compute, symbol=symbol, client_id=name, garbled={})
        except UnknownOrder:
            venue.register.tell_unknown(order_id, client_id)
            raise ccxt_error("OrderNotFound", "there is no such order") from None
        if not view:
            return {}
        self.tell([view])
        return venue.words.order(view)

    async def orders(
        self,
        symbol: str | None,
        since: int | None,
        limit: int | None,
        params: Mapping[str, Any] | None,  # noqa: ARG002 - ccxt's own signature
        *statuses: Status,
    ) -> list[Row]:
        """Return the orders of *statuses* as this reading shows them, oldest first."""
        venue = self._venue
        asked_ns, absent = venue.monotonic_ns(), list[Request]()

        def compute(call: Call, now_ms: int) -> list[View]:
            engine = venue.engine
            rows = engine.by_symbol[symbol] if symbol is not None else engine.orders.values()
            views = [self._desk.view(order, call, now_ms) for order in rows if now_ms >= order.hidden_until_ms]
            views = [view for view in views if view.order.status in statuses]
            if call.meets(FaultKind.REORDERED) and len(views) > 1 and call.fault is not None:
                venue.hit(call.fault, symbol, call.client_id)
                views.reverse()
            shown = self._page(views, [view.order.created_ms for view in views], since, limit)
            whole = len(shown) < min(venue.options.page, limit or venue.options.page)
            if Status.OPEN in statuses and whole:
                since_ms = None if since is None else since - venue.words.offset_ms
                ids = (view.order.order_id for view in shown)
                absent.extend(venue.register.absent(symbol, ids, asked_ns=asked_ns, since_ms=since_ms))
            return shown

        found = await venue.read(Operation.LIST, compute, symbol=symbol, garbled="<html></html>")
        if isinstance(found, str):
            return cast("list[Row]", found)  # what was mangled is no list, as with ccxt
        self.tell(found)
        for request in absent:
            request.told_over = True
        return [venue.words.order(view, whole=False) for view in found]

    async def trades(
        self,
        symbol: str | None,
        since: int | None,
        limit: int | None,
        params: Mapping[str, Any] | None,  # noqa: ARG002
        *,
        order_id: str | None = None,
    ) -> list[Row]:
        """Return executions as this reading shows them, oldest first."""
        venue = self._venue

        def compute(call: Call, now_ms: int) -> list[Row]:
            if order_id is not None:
                fills = venue.engine.find(order_id=order_id, now_ms=now_ms).fills
            else:
                fills = venue.engine.executions_by_symbol[symbol] if symbol is not None else venue.engine.executions
            fills = self._bent(call, venue.engine.shown(list(fills), now_ms), now_ms)
            fills = self._page(fills, [fill.at_ms for fill in fills], since, limit)
            nameless = call.meets(FaultKind.FEE_MISSING) is not None
            strange = call.meets(FaultKind.UNKNOWN_FIELDS) is not None
            if fills and call.fault is not None and (nameless or strange):
                venue.hit(call.fault, symbol, self._desk.name_of(fills[-1].order_id))
            return [venue.words.trade(fill, fees=not nameless, strange=strange) for fill in fills]

        name = self._desk.name_of(order_id)
        try:
            return await venue.read(Operation.TRADES, compute, symbol=symbol, client_id=name, garbled="<html></html>")
        except UnknownOrder:
            raise ccxt_error("OrderNotFound", "there is no such order") from None

    def _bent(self, call: Call, fills: list[Execution], now_ms: int) -> list[Execution]:
        fault, many = call.fault, len(fills) > 1
        if fault is None or not fills:
            return fills
        bent = fills
        if fault.kind is FaultKind.DUPLICATED_FILL:
            bent = [*fills, fills[-1]]
        elif fault.kind is FaultKind.MISSING_FILL:
            bent = fills[:-1]
        elif fault.kind is FaultKind.REORDERED and many:
            bent = reordered(fills)
        elif fault.kind is FaultKind.STALE:
            bent = [fill for fill in fills if fill.at_ms <= now_ms - fault.ms]
        if bent is not fills and bent != fills:
            self._venue.hit(fault, fills[-1].symbol, self._desk.name_of(fills[-1].order_id))
        return bent

    def _page(self, rows: list[Any], times_ms: list[int], since: int | None, limit: int | None) -> list[Any]:
        """Return the part of *rows* that one answer holds: from a time on, else the latest."""
        offset_ms, most = self._venue.words.offset_ms, self._venue.options.page
        most = min(most, limit) if limit else most
        if since is None:
            return rows[-most:]
        return [row for row, at_ms in zip(rows, times_ms, strict=True) if at_ms + offset_ms >= since][:most]

    # -------------------------------------------------------------- the rest

    async def balance(self) -> Row:
        """Return balances; an old reading where a fault says so."""
        venue = self._venue

        def compute(call: Call, now_ms: int) -> Row:
            told = venue.words.balance(venue.engine.account.balances(), now_ms)
            old = call.meets(FaultKind.OLD_BALANCE)
            if old is not None and self._balances is not None:
                if self._balances["total"] != told["total"] or self._balances["free"] != told["free"]:
                    venue.hit(old, None, None)
                return self._balances
            self._balances = told
            return told

        return await venue.read(Operation.BALANCE, compute, garbled="<html></html>")

    async def book(self, symbol: str, limit: int | None) -> Row:
        """Return the order book."""
        venue = self._venue

        def compute(_call: Call, now_ms: int) -> Row:
            self._refuse_if_delisted(symbol, now_ms)
            return venue.words.book(symbol, venue.engine.liquidity.book(symbol, now_ms), now_ms, limit)

        return await venue.read(Operation.BOOK, compute, symbol=symbol, garbled="<html></html>")

    async def ticker(self, symbol: str) -> Row:
        """Return the best prices."""
        venue = self._venue

        def compute(_call: Call, now_ms: int) -> Row:
            self._refuse_if_delisted(symbol, now_ms)
            book = venue.words.book(symbol, venue.engine.liquidity.book(symbol, now_ms), now_ms, 1)
            bid, ask = (side[0][0] if side else None for side in (book["bids"], book["asks"]))
            last = (bid + ask) / 2 if bid is not None and ask is not None else None
            stamps = {"timestamp": book["timestamp"], "datetime": book["datetime"]}
            told = {"symbol": symbol, "bid": bid, "ask": ask, "last": last, "close": last, "info": {}, **stamps}
            return dict.fromkeys(_UNTOLD) | told

        return await venue.read(Operation.BOOK, compute, symbol=symbol, garbled="<html></html>")

    def _refuse_if_delisted(self, symbol: str, now_ms: int) -> None:
        gone = self._venue.conditions.of(FaultKind.DELISTED, now_ms, symbol)
        if gone is not None:
            self._venue.hit(gone, symbol, None)
            raise ccxt_error("BadSymbol", f"{symbol} is not listed")

    async def time(self) -> int:
        """Return what the venue's clock shows, ms."""
        venue = self._venue

        def compute(_call: Call, now_ms: int) -> int:
            held = venue.conditions.of(FaultKind.SKEW, now_ms)
            if held is not None:
                venue.hit(held, None, None)
            return now_ms + venue.offset_ms()

        return await venue.read(Operation.TIME, compute, garbled="<html></html>")

    async def status(self) -> Row:
        """Return whether the venue says it is well."""
        venue = self._venue

        def compute(_call: Call, now_ms: int) -> Row:
            held = venue.conditions.of(FaultKind.MAINTENANCE, now_ms)
            if held is not None:
                venue.hit(held, None, None)
            return {"status": "ok" if held is None else "maintenance", "updated": now_ms, "info": {}}

        return await venue.read(Operation.STATUS, compute, garbled={})

    async def fee(self, market: Market) -> Row:
        """Return what the account is charged in *market*."""
        say = self._venue.words.number
        told = {"symbol": market.symbol, "taker": say(str(market.taker_fee)), "maker": say(str(market.maker_fee))}
        return await self._venue.read(Operation.MARKETS, lambda _call, _now_ms: dict(told), garbled={})

    async def leverage(self, symbol: str) -> Row:
        """Return the account's leverage in a market of contracts."""
        account = self._venue.engine.account
        most = account.leverage(symbol) if isinstance(account, MarginAccount) else Decimal(1)
        told = {"symbol": symbol, "longLeverage": int(most), "shortLeverage": int(most), "info": {}}
        return await self._venue.read(Operation.MARKETS, lambda _call, _now_ms: dict(told), garbled={})
