"""What Binance's two dialects share: signatures, the request window, errors, lists."""

from __future__ import annotations

import bisect
import hashlib
import hmac
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import evolve

from fsm_arb.matching.orders import (
    Kind,
    NewOrder,
    Order,
    OrderRefused,
    Refusal,
    Status,
    TimeInForce,
    UnknownOrder,
)
from fsm_arb.testing.loopback.dialect import (
    Call,
    Dialect,
    Reply,
    VenueError,
    Window,
    decimal_or_none,
    query_pairs,
)
from fsm_arb.testing.loopback.faults import Operation
from fsm_arb.values import Side

if TYPE_CHECKING:
    from fsm_arb.matching.market import Market
    from fsm_arb.matching.orders import Execution

RECV_WINDOW_MS = 5_000
RECV_WINDOW_MS_MAX = 60_000
AHEAD_MS_MAX = 1_000
DISORDER_MS = 120_000
SPARE = 200  # trades that a read may have to leave out, because a fault hides them
_TIMES = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK, "GTX": TimeInForce.POST_ONLY}
_TIME_WORDS = {word: text for text, word in _TIMES.items()}
_STATUS_WORDS = {Status.FILLED: "FILLED", Status.CANCELED: "CANCELED", Status.EXPIRED: "EXPIRED"}


def error(code: int, message: str, status: int = 400) -> VenueError:
    """Return an error in Binance's shape."""
    return VenueError(status, {"code": code, "msg": message})


def status_word(order: Order) -> str:
    """Return the status as Binance writes it."""
    if order.is_open:
        return "PARTIALLY_FILLED" if order.filled else "NEW"
    return _STATUS_WORDS[order.status]


def time_word(order: Order) -> str:
    """Return the time in force as Binance writes it."""
    return _TIME_WORDS[order.new.time_in_force]


def _recent(fills: list[Execution], start_ms: int | None) -> list[Execution]:
    """Return the trades that may lie after *start_ms*, without looking at all there ever were."""
    if start_ms is None:
        return fills
    # A late event books its trade at a moment that has passed already.
    last = next((i for i in range(len(fills) - 1, -1, -1) if fills[i].at_ms < start_ms - DISORDER_MS), -1)
    return fills[last + 1 :]


class BinanceDialect(Dialect):
    """Common to spot and USD-M."""

    refusals: Mapping[Refusal, tuple[int, str]]

    def parse(self, call: Call) -> Call:
        """Return *call* with its parameters: the query's, then the form body's."""
        return evolve(call, pairs=query_pairs(call.raw_query) + query_pairs(call.body.decode("utf-8", "replace")))

    def authenticate(self, call: Call) -> None:
        """Check key, signature and request window, in the venue's order."""
        key = call.headers.get("X-MBX-APIKEY")
        if not key:
            raise error(-2014, "API-key format invalid.", 401)
        if key != self.credentials.key:
            raise error(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        text = call.raw_query or call.body.decode("utf-8", "replace")
        signed, separator, signature = text.rpartition("&signature=")
        if not separator:
            raise error(-1102, "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.")
        expected = hmac.new(self.credentials.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, signature):
            raise error(-1022, "Signature for this request is not valid.")
        self._check_window(call)

    def _check_window(self, call: Call) -> None:
        sent_ms = self.integer(call, "timestamp")
        if sent_ms is None:
            raise error(-1102, "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed.")
        window_ms = self.integer(call, "recvWindow") or RECV_WINDOW_MS
        if window_ms > RECV_WINDOW_MS_MAX:
            raise error(-1131, "'recvWindow' must be less than 60000")
        now_ms = self.clock_ms(call)
        if sent_ms > now_ms + AHEAD_MS_MAX:
            raise error(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
        if now_ms - sent_ms > window_ms:
            raise error(-1021, "Timestamp for this request is outside of the recvWindow.")

    @staticmethod
    def integer(call: Call, name: str) -> int | None:
        """Return an integer parameter; None if it is missing.

        Raises:
            VenueError: It is not an integer.
        """
        text = call.get(name)
        if text is None:
            return None
        if not text.lstrip("-").isdigit():
            raise error(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
        return int(text)

    def error_500(self) -> Any:
        """The body of an internal error."""
        return {"code": -1000, "msg": "An unknown error occurred while processing the request."}

    def rate_limited(self) -> Any:
        """The body of a 429."""
        return {"code": -1003, "msg": "Too many requests; current limit is 2400 requests per minute."}

    def no_route(self) -> Reply:
        """What an unknown path answers."""
        return Reply(status=404, body={"code": -1, "msg": "Not found"})

    def not_refused_for_a_reason(self, call: Call, operation: Operation) -> Reply:
        """Refuse a create or any other call."""
        problem = {
            Operation.CANCEL: error(-2011, "Unknown order sent."),
            Operation.FETCH: error(-2013, "Order does not exist."),
        }.get(operation, error(-2015, "Invalid API-key, IP, or permissions for action.", 401))
        if operation is Operation.CREATE:
            try:
                self.exchange.refuse(self.new_order(call), Refusal.INJECTED, call.now_ms)
            except OrderRefused as refused:
                problem = self.refused(refused)
            except VenueError as wrong:
                problem = wrong
        return Reply(status=problem.status, body=problem.body)

    def refused(self, refused: OrderRefused) -> VenueError:
        """Return what the venue says to an order it does not take."""
        return error(*self.refusals[refused.refusal])

    # -------------------------------------------------------------- parameters

    def market(self, call: Call) -> Market:
        """Return the market that *call* must name.

        Raises:
            VenueError: It names none, or an unknown one.
        """
        if call.get("symbol") is None:
            raise error(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
        market = self.market_of(call)
        if market is None:
            raise error(-1121, "Invalid symbol.")
        return market

    def new_order(self, call: Call) -> NewOrder:
        """Read a create.

        Raises:
            VenueError: A parameter is missing or malformed.
        """
        market = self.market(call)
        word, side = call.get("type") or "", {"BUY": Side.BUY, "SELL": Side.SELL}.get(call.get("side") or "")
        try:
            amount = decimal_or_none(call.get("quantity"))
            price = decimal_or_none(call.get("price"))
            cost = decimal_or_none(call.get("quoteOrderQty"))
        except ArithmeticError:
            raise error(-1100, "Illegal characters found in a parameter.") from None
        time_in_force = _TIMES.get(call.get("timeInForce") or "GTC", TimeInForce.GTC)
        if side is None or word not in {"LIMIT", "LIMIT_MAKER", "MARKET"}:
            raise error(-1116 if side else -1117, "Invalid orderType." if side else "Invalid side.")
        limit = word != "MARKET"
        if (limit and (price is None or amount is None)) or (not limit and amount is None and cost is None):
            raise error(-1102, "Mandatory parameter was not sent, was empty/null, or malformed.")
        if not limit and cost is not None and side is Side.SELL:
            # ccxt asks for this when a market sell carries a price: as much base as that quote is worth.
            amount, cost = self._worth(market, cost, call), None
        kind = Kind.LIMIT if limit else (Kind.COST if amount is None else Kind.MARKET)
        return NewOrder(
            symbol=market.symbol,
            side=side,
            kind=kind,
            time_in_force=TimeInForce.POST_ONLY if word == "LIMIT_MAKER" else time_in_force,
            amount=amount,
            price=price if limit else None,
            cost=cost if kind is Kind.COST else None,
            client_id=call.get("newClientOrderId") or f"x-own-{len(self.exchange.received)}",
            reduce_only=call.get("reduceOnly") == "true" or call.get("reduceOnly") == "True",
        )

    def _worth(self, market: Market, cost: Decimal, call: Call) -> Decimal:
        touch = self.exchange.liquidity.touch(market.symbol, Side.SELL, call.now_ms)
        return (cost / touch // market.lot) * market.lot if touch else Decimal(0)

    def find(self, call: Call) -> Order:
        """Return the order that *call* names by venue id or client id.

        Raises:
            VenueError: It names none.
            UnknownOrder: There is none.
        """
        order_id, client_id = call.get("orderId"), call.get("origClientOrderId")
        if order_id is None and client_id is None:
            raise error(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
        market = self.market(call)
        order = self.exchange.find(order_id=order_id, client_id=client_id, now_ms=call.now_ms)
        if order.new.symbol != market.symbol:
            raise UnknownOrder
        return order

    def window(self, call: Call) -> Window:
        """Return which orders or trades a list asks for."""
        limit = min(1000, self.integer(call, "limit") or 500)
        return Window(start_ms=self.integer(call, "startTime"), end_ms=self.integer(call, "endTime"), limit=limit)

    # -------------------------------------------------------------- routes that look the same

    def time(self, call: Call) -> Any:
        """Answer with the venue's clock."""
        return {"serverTime": self.clock_ms(call)}

    def ping(self, _call: Call) -> Any:
        """Answer."""
        return {}

    def status(self, _call: Call) -> Any:
        """Say that the system works."""
        return {"status": 0, "msg": "normal"}

    def tickers(self, call: Call) -> Any:
        """Answer with the best prices of one market, or of all."""
        named = self.market_of(call)
        rows = []
        for market in [named] if named else self.exchange.markets.values():
            live = self.exchange.liquidity.book(market.symbol, call.now_ms)
            bid, ask = (live.bids or [(Decimal(0), Decimal(0))])[0], (live.asks or [(Decimal(0), Decimal(0))])[0]
            rows.append(
                {
                    "symbol": market.market_id,
                    "bidPrice": str(bid[0]),
                    "bidQty": str(bid[1]),
                    "askPrice": str(ask[0]),
                    "askQty": str(ask[1]),
                    "time": self.venue_ms(call.now_ms),
                }
            )
        return rows[0] if named else rows

    def day(self, call: Call) -> Any:
        """Answer with a day's statistics; only the last price is alive."""
        market = self.market(call)
        last = str(self.exchange.liquidity.mark(market.symbol, call.now_ms))
        return {"symbol": market.market_id, "lastPrice": last, "closeTime": self.venue_ms(call.now_ms), "count": 0}

    def fetch(self, call: Call, write: Callable[[Order], Any]) -> Any:
        """Answer with one order."""
        try:
            return write(self.shown(call, self.find(call)))
        except UnknownOrder:
            raise error(-2013, "Order does not exist.") from None

    def all_orders(self, call: Call) -> list[Order]:
        """Return the orders of a market that *call* asks for, oldest first."""
        market, window = self.market(call), self.window(call)
        orders = self.exchange.by_symbol[market.symbol]
        from_id = self.integer(call, "orderId")
        if from_id is not None:
            first = bisect.bisect_left(orders, from_id, key=lambda order: order.number)
            kept = orders[first : first + window.limit]
        elif window.start_ms is not None or window.end_ms is not None:
            first = bisect.bisect_left(orders, window.start_ms or 0, key=lambda order: self.venue_ms(order.created_ms))
            kept = [order for order in orders[first:] if window.keeps(self.venue_ms(order.created_ms))][: window.limit]
        else:
            kept = orders[-window.limit :]
        return self.shown_all(call, kept)

    def trades(self, call: Call) -> list[Execution]:
        """Return the trades of a market that *call* asks for, oldest first."""
        market, window = self.market(call), self.window(call)
        order_id, from_id = call.get("orderId"), self.integer(call, "fromId")
        if order_id is not None:
            order = self.exchange.orders.get(order_id)
            kept = list(order.fills) if order is not None and order.new.symbol == market.symbol else []
        else:
            fills = self.exchange.executions_by_symbol[market.symbol]
            newest = from_id is None and window.start_ms is None
            kept = fills[-window.limit - SPARE :] if newest else _recent(fills, window.start_ms)
        then_ms = call.now_ms - call.effects.stale_ms
        hidden = {o.order_id for o in self.exchange.by_symbol[market.symbol][-50:] if call.now_ms < o.hidden_until_ms}
        kept = [
            fill
            for fill in kept
            if fill.at_ms <= then_ms and fill.order_id not in hidden and window.keeps(self.venue_ms(fill.at_ms))
        ]
        if from_id is not None:
            kept = [fill for fill in kept if fill.trade_id >= from_id]
        oldest_first = from_id is not None or window.start_ms is not None
        kept = kept[: window.limit] if oldest_first else kept[-window.limit :]
        if call.effects.duplicate_trade and kept:
            kept.append(kept[-1])
        return kept
