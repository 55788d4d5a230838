"""Upbit's REST dialect.

What bites a careless bot, and is true of the venue: a create answers `wait`
with nothing filled, whatever happened already; an order that bought for an
amount of KRW, or whose rest expired, ends `cancel` with executed volume; a
cancel answers with the state before it; lists carry no trades; an identifier
is unique for ever and used up even by a refused request.
"""

from __future__ import annotations

import base64
import bisect
import datetime as dt
import hashlib
import hmac
import itertools
import json
from typing import TYPE_CHECKING, Any

from attrs import evolve

from fsm_arb.matching.orders import (
    Kind,
    NewOrder,
    Order,
    OrderRefused,
    Refusal,
    TimeInForce,
    UnknownOrder,
)
from fsm_arb.testing.loopback.dialect import (
    Call,
    Dialect,
    Reply,
    Route,
    VenueError,
    Window,
    decimal_or_none,
    plain,
    query_pairs,
)
from fsm_arb.testing.loopback.faults import Operation
from fsm_arb.testing.loopback.markets import UPBIT
from fsm_arb.testing.loopback.upbit_words import SEOUL, error, order_json, refused_by_upbit, state_word
from fsm_arb.values import ZERO, Side

if TYPE_CHECKING:
    from fsm_arb.matching.accounts import Balance
    from fsm_arb.matching.market import Market

CLOSED_WINDOW_MS = 7 * 24 * 3600 * 1000  # what one call for closed orders covers
_SIDES = {"bid": Side.BUY, "ask": Side.SELL}
_KINDS = {"limit": Kind.LIMIT, "price": Kind.COST, "market": Kind.MARKET, "best": Kind.MARKET}
_TIMES = {"ioc": TimeInForce.IOC, "fok": TimeInForce.FOK, "post_only": TimeInForce.POST_ONLY}


def _unpad(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class UpbitDialect(Dialect):
    """Upbit, KRW markets."""

    name = UPBIT
    created_status = 201

    def build_routes(self) -> dict[tuple[str, str], Route]:
        """Return every (method, path) that is served."""
        return {
            ("GET", "/v1/market/all"): Route(Operation.META, self._markets, signed=False),
            ("GET", "/v1/orderbook"): Route(Operation.BOOK, self._books, signed=False),
            ("GET", "/v1/orderbook/instruments"): Route(Operation.META, self._instruments, signed=False),
            ("GET", "/v1/ticker"): Route(Operation.BOOK, self._tickers, signed=False),
            ("GET", "/v1/accounts"): Route(Operation.BALANCE, self._accounts),
            ("GET", "/v1/orders/chance"): Route(Operation.META, self._chance),
            ("POST", "/v1/orders"): Route(Operation.CREATE, self._create),
            ("GET", "/v1/order"): Route(Operation.FETCH, self._fetch),
            ("DELETE", "/v1/order"): Route(Operation.CANCEL, self._cancel),
            ("GET", "/v1/orders/open"): Route(Operation.LIST, self._open),
            ("GET", "/v1/orders/closed"): Route(Operation.LIST, self._closed),
            ("GET", "/v1/orders/uuids"): Route(Operation.LIST, self._by_ids),
        }

    # -------------------------------------------------------------- the venue's own words

    def parse(self, call: Call) -> Call:
        """Return *call* with its parameters: the query's, then the JSON body's."""
        pairs = list(query_pairs(call.raw_query))
        if call.body:
            try:
                data = json.loads(call.body)
            except ValueError:
                data = {}
            pairs += [(key, str(value)) for key, value in data.items() if value is not None]
        return evolve(call, pairs=tuple(pairs))

    def authenticate(self, call: Call) -> None:
        """Check the JWT: its signature, its key, and that it hashes the query if there is one."""
        scheme, _, token = call.headers.get("Authorization", "").partition(" ")
        parts = token.split(".")
        if scheme != "Bearer" or len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
            raise error("jwt_verification", "Jwt 토큰 검증에 실패했습니다.", 401)
        try:
            payload, signature = json.loads(_unpad(parts[1])), _unpad(parts[2])
        except ValueError:
            raise error("jwt_verification", "Jwt 토큰 검증에 실패했습니다.", 401) from None
        if payload.get("access_key") != self.credentials.key:
            raise error("invalid_access_key", "잘못된 엑세스 키입니다.", 401)
        signed = f"{parts[0]}.{parts[1]}".encode()
        expected = hmac.new(self.credentials.secret.encode(), signed, hashlib.sha256).digest()
        if not hmac.compare_digest(signature, expected) or (call.pairs and "query_hash" not in payload):
            raise error("jwt_verification", "Jwt 토큰 검증에 실패했습니다.", 401)

    def error_500(self) -> Any:
        """The body of an internal error."""
        return {"error": {"name": "server_error", "message": "Internal server error"}}

    def rate_limited(self) -> Any:
        """The body of a 429."""
        return {"error": {"name": "too_many_requests", "message": "Too many API requests."}}

    def no_route(self) -> Reply:
        """What an unknown path answers."""
        return Reply(status=404, body={"error": {"name": 404, "message": "no Route matched with those values"}})

    def not_refused_for_a_reason(self, call: Call, operation: Operation) -> Reply:
        """Refuse a create (which uses up its identifier), or any other call."""
        if operation is Operation.CREATE:
            try:
                self.exchange.refuse(self._new_order(call), Refusal.INJECTED, call.now_ms)
            except OrderRefused as refused:
                problem = refused_by_upbit(refused, call)
            except VenueError as wrong:
                problem = wrong
        elif operation in {Operation.FETCH, Operation.CANCEL}:
            problem = error("order_not_found", "주문을 찾지 못했습니다.", 404)
        else:
            problem = error("out_of_scope", "권한이 부족합니다.", 403)
        return Reply(status=problem.status, body=problem.body)

    # -------------------------------------------------------------- public

    def _markets(self, _call: Call) -> Any:
        return [
            {"market": market.market_id, "korean_name": market.base, "english_name": market.base}
            for market in self.exchange.markets.values()
        ]

    def _asked(self, call: Call) -> list[Market]:
        names = ",".join(call.all("markets")).split(",")
        found = [self.exchange.by_market_id[name] for name in names if name in self.exchange.by_market_id]
        if len(found) != len(names):
            raise VenueError(404, {"error": {"name": 404, "message": "Code not found"}})
        return found

    def _books(self, call: Call) -> Any:
        count = int(call.get("count") or 30)
        books = []
        for market in self._asked(call):
            live = self.exchange.liquidity.book(market.symbol, call.now_ms)
            pairs = zip(live.asks[:count], live.bids[:count], strict=False)
            books.append(
                {
                    "market": market.market_id,
                    "timestamp": self.venue_ms(call.now_ms),
                    "total_ask_size": float(sum((amount for _, amount in live.asks), ZERO)),
                    "total_bid_size": float(sum((amount for _, amount in live.bids), ZERO)),
                    "orderbook_units": [
                        {
                            "ask_price": float(ask[0]),
                            "bid_price": float(bid[0]),
                            "ask_size": float(ask[1]),
                            "bid_size": float(bid[1]),
                        }
                        for ask, bid in pairs
                    ],
                    "level": 0,
                }
            )
        return books

    def _instruments(self, call: Call) -> Any:
        answer = []
        for market in self._asked(call):
            tick = market.tick_at(self.exchange.liquidity.mark(market.symbol, call.now_ms))
            answer.append(
                {
                    "market": market.market_id,
                    "quote_currency": market.quote,
                    "tick_size": plain(tick),
                    "supported_levels": ["0"],
                }
            )
        return answer

    def _tickers(self, call: Call) -> Any:
        return [
            {
                "market": market.market_id,
                "trade_price": float(self.exchange.liquidity.mark(market.symbol, call.now_ms)),
                "trade_timestamp": self.venue_ms(call.now_ms),
                "timestamp": self.venue_ms(call.now_ms),
            }
            for market in self._asked(call)
        ]

    # -------------------------------------------------------------- the account

    def _account(self, asset: str, balances: dict[str, Balance]) -> dict[str, Any]:
        balance = balances.get(asset)
        return {
            "currency": asset,
            "balance": plain(balance.free if balance else ZERO),
            "locked": plain(balance.used if balance else ZERO),
            "avg_buy_price": "0",
            "avg_buy_price_modified": False,
            "unit_currency": "KRW",
        }

    def _accounts(self, _call: Call) -> Any:
        balances = self.exchange.account.balances()
        return [self._account(asset, balances) for asset in balances]

    def _chance(self, call: Call) -> Any:
        market = self.market_of(call)
        if market is None:
            raise error("invalid_parameter", "잘못된 파라미터")
        balances = self.exchange.account.balances()
        least = plain(market.notional_min)
        return {
            "bid_fee": plain(market.taker_fee),
            "ask_fee": plain(market.taker_fee),
            "maker_bid_fee": plain(market.maker_fee),
            "maker_ask_fee": plain(market.maker_fee),
            "market": {
                "id": market.market_id,
                "name": f"{market.base}/{market.quote}",
                "order_types": ["limit"],
                "order_sides": ["ask", "bid"],
                "bid_types": ["best_fok", "best_ioc", "limit", "limit_fok", "limit_ioc", "price"],
                "ask_types": ["best_fok", "best_ioc", "limit", "limit_fok", "limit_ioc", "market"],
                "bid": {"currency": market.quote, "price_unit": None, "min_total": least},
                "ask": {"currency": market.base, "price_unit": None, "min_total": least},
                "max_total": "1000000000",
                "state": "suspended" if market.halted else "active",
            },
            "bid_account": self._account(market.quote, balances),
            "ask_account": self._account(market.base, balances),
        }

    # -------------------------------------------------------------- orders

    def _new_order(self, call: Call) -> NewOrder:
        market, side, word = self.market_of(call), _SIDES.get(call.get("side") or ""), call.get("ord_type") or ""
        if side is None:
            raise error("validation_error", "side is missing, side does not have a valid value")
        if word not in _KINDS:
            raise error("validation_error", "ord_type does not have a valid value")
        try:
            price, volume = decimal_or_none(call.get("price")), decimal_or_none(call.get("volume"))
        except ArithmeticError:
            raise error("validation_error", "price or volume is not a number") from None
        kind = Kind.COST if word == "best" and side is Side.BUY else _KINDS[word]
        time_in_force = _TIMES.get(call.get("time_in_force") or "", TimeInForce.GTC)
        needs = {Kind.LIMIT: (price, volume), Kind.COST: (price,), Kind.MARKET: (volume,)}[kind]
        wrong_side = (word == "price" and side is Side.SELL) or (word == "market" and side is Side.BUY)
        if None in needs or wrong_side or (word == "best" and time_in_force is TimeInForce.GTC):
            raise error("validation_error", "Missing request parameter error. Check the required parameters!")
        return NewOrder(
            symbol=market.symbol if market else call.get("market") or "",
            side=side,
            kind=kind,
            time_in_force=time_in_force,
            amount=None if kind is Kind.COST else volume,
            price=price if kind is Kind.LIMIT else None,
            cost=price if kind is Kind.COST else None,
            client_id=call.get("identifier"),
        )

    def _create(self, call: Call) -> Any:
        try:
            order = self.place(call, self._new_order(call))
        except OrderRefused as refused:
            raise refused_by_upbit(refused, call) from None
        return order_json(order.as_created(), self.exchange, self.clock_offset_ms)

    def _find(self, call: Call) -> Order:
        try:
            return self.exchange.find(order_id=call.get("uuid"), client_id=call.get("identifier"), now_ms=call.now_ms)
        except UnknownOrder:
            raise error("order_not_found", "주문을 찾지 못했습니다.", 404) from None

    def _fetch(self, call: Call) -> Any:
        return order_json(self.shown(call, self._find(call)), self.exchange, self.clock_offset_ms, trades=True)

    def _cancel(self, call: Call) -> Any:
        order = self._find(call)
        before = order.as_of(call.now_ms)
        try:
            self.cancel(call, order)
        except UnknownOrder:
            raise error("order_not_found", "주문을 찾지 못했습니다.", 404) from None
        return order_json(before, self.exchange, self.clock_offset_ms)

    def _open(self, call: Call) -> Any:
        market = self.market_of(call)
        orders = self.open_shown(call, market.symbol if market else None)
        limit, page = int(call.get("limit") or 100), int(call.get("page") or 1)
        orders.sort(key=lambda order: order.number, reverse=call.get("order_by") != "asc")
        return [
            order_json(order, self.exchange, self.clock_offset_ms)
            for order in orders[(page - 1) * limit : page * limit]
        ]

    def _closed(self, call: Call) -> Any:
        market = self.market_of(call)
        window = self._window(call)
        states = set(call.all("state") + call.all("states")) or {"done", "cancel"}
        symbols = [market.symbol] if market else list(self.exchange.by_symbol)
        found: list[Order] = []
        for symbol in symbols:
            orders = self.exchange.by_symbol[symbol]
            first = bisect.bisect_left(orders, window.start_ms or 0, key=lambda order: order.created_ms)
            last = bisect.bisect_right(orders, window.end_ms or call.now_ms, key=lambda order: order.created_ms)
            # Newest first, and no more than are asked for: there may be very many.
            indexes = range(first, last) if call.get("order_by") == "asc" else range(last - 1, first - 1, -1)
            closed = (view for i in indexes for view in self.shown_all(call, [orders[i]]) if state_word(view) in states)
            found += itertools.islice(closed, window.limit)
        found.sort(key=lambda order: order.number, reverse=call.get("order_by") != "asc")
        return [order_json(order, self.exchange, self.clock_offset_ms) for order in found[: window.limit]]

    def _window(self, call: Call) -> Window:
        start, end = _time(call.get("start_time")), _time(call.get("end_time"))
        end_ms = end if end is not None else (start + CLOSED_WINDOW_MS if start is not None else call.now_ms)
        start_ms = start if start is not None else end_ms - CLOSED_WINDOW_MS
        return Window(start_ms=start_ms, end_ms=end_ms, limit=min(1000, int(call.get("limit") or 100)))

    def _by_ids(self, call: Call) -> Any:
        wanted = [self.exchange.orders.get(name) for name in call.all("uuids")]
        wanted += [self.exchange.by_client_id.get(name) for name in call.all("identifiers")]
        orders = self.shown_all(call, [order for order in wanted if order is not None])
        return [order_json(order, self.exchange, self.clock_offset_ms) for order in orders]


def _time(text: str | None) -> int | None:
    if text is None:
        return None
    if text.isdigit():
        return int(text)
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=SEOUL)
    return int(moment.timestamp() * 1000)
