"""A venue with the surface of ccxt's async exchanges, for whatever bot is to be tried on it."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from fsm_arb.matching.orders import Status
from fsm_arb.testing.loopback.dialect import plain
from fsm_arb.testing.simulated.asking import Asked
from fsm_arb.testing.simulated.errors import ccxt_error
from fsm_arb.testing.simulated.kinds import FaultKind, Operation
from fsm_arb.testing.simulated.options import OFFERS, Created
from fsm_arb.testing.simulated.orders import OrderDesk
from fsm_arb.testing.simulated.readings import Readings
from fsm_arb.values import EXACT, floor_to

if TYPE_CHECKING:
    from fsm_arb.matching.market import Market
    from fsm_arb.testing.simulated.venue import SimulatedVenue

TICK_SIZE = 4  # ccxt's mode of precision: steps
Params = Mapping[str, Any] | None
Row = dict[str, Any]


class SimulatedExchange:
    """An exchange object as bots use it, over a `SimulatedVenue`.

    It is no ccxt exchange and shares no code with one. Its methods answer in
    ccxt's unified shapes and raise ccxt's own errors.

    Attributes:
        id: The exchange's id.
        has: What it offers, by ccxt's words.
        markets: By symbol; empty until `load_markets`.
        precisionMode: Steps.
        options: Nothing; there for bots that look.
        credentials_there: What `check_required_credentials` answers.
    """

    def __init__(self, venue: SimulatedVenue) -> None:
        options = venue.options
        self.venue = venue
        self.id = self.name = options.name
        self.has: dict[str, bool] = {word: word in options.offers for word in OFFERS}
        self.has |= {"spot": not options.margin, "swap": options.margin, "margin": False, "CORS": False}
        self.markets: dict[str, Row] = {}
        self.symbols: list[str] = []
        self.currencies: dict[str, Row] = {}
        self.options: dict[str, Any] = {}
        self.precisionMode = TICK_SIZE
        self.rateLimit = 0
        self.timeout = options.timeout_ms
        self.credentials_there = True
        self._desk = OrderDesk(venue)
        self._readings = Readings(venue, self._desk)
        self._markets: dict[str, Row] | None = None

    def __repr__(self) -> str:
        return f"SimulatedExchange({self.id!r})"

    @property
    def number(self) -> Callable[[str], Any]:
        """What numbers are told as: ``str``, or ``float`` as with a fresh ccxt exchange."""
        return self.venue.words.number

    @number.setter
    def number(self, number: Callable[[str], Any]) -> None:
        self.venue.words.number = number

    def _offer(self, word: str) -> None:
        if not self.has[word]:
            raise ccxt_error("NotSupported", f"{self.id} {word}() is not supported yet")

    def _listed(self, symbol: str | None) -> Market:
        market = self.venue.engine.markets.get(symbol or "")
        if market is None:
            raise ccxt_error("BadSymbol", f"{self.id} does not have market symbol {symbol}")
        return market

    # -------------------------------------------------------------- without asking anybody

    def check_required_credentials(self, error: bool = True) -> bool:  # noqa: FBT001, FBT002 - ccxt's own signature
        """Return whether the key is there.

        Raises:
            AuthenticationError: It is not, and *error* is asked for.
        """
        if error and not self.credentials_there:
            raise ccxt_error("AuthenticationError", f'{self.id} requires "apiKey" credential')
        return self.credentials_there

    def milliseconds(self) -> int:
        """Return the wall clock of whoever runs this, ms."""
        return self.venue.wall_ms()

    def market(self, symbol: str) -> Row:
        """Return a market.

        Raises:
            BadSymbol: It is not listed, or markets are not loaded.
        """
        if symbol not in self.markets:
            raise ccxt_error("BadSymbol", f"{self.id} does not have market symbol {symbol}")
        return self.markets[symbol]

    def amount_to_precision(self, symbol: str, amount: object) -> str:
        """Return an amount cut to the lot, as text.

        Raises:
            InvalidOrder: Nothing of it is left.
        """
        market = self._listed(symbol)
        step = EXACT.divide(market.lot, self.venue.words.size(symbol))
        cut = floor_to(_number(amount), step)
        if not cut:
            raise ccxt_error("InvalidOrder", f"{self.id} amount of {symbol} must be greater than {plain(step)}")
        return plain(cut)

    def price_to_precision(self, symbol: str, price: object) -> str:
        """Return a price rounded to the nearest step that the market states, as text."""
        tick = self._tick(self._listed(symbol))
        steps = EXACT.divide(_number(price), tick).to_integral_value(ROUND_HALF_UP)
        return plain(EXACT.multiply(steps, tick))

    def _tick(self, market: Market) -> Decimal:
        """Return the price step that ccxt's markets would state, which know of one: the one around the first price."""
        return market.tick_at(self.venue.books.start(market.symbol))

    async def close(self) -> None:
        """Do nothing: there is no connection."""

    # -------------------------------------------------------------- public

    async def load_markets(self, reload: bool = False, params: Params = None) -> dict[str, Row]:  # noqa: ARG002, FBT001, FBT002
        """Return the markets, read once unless *reload* is asked for."""
        if self.markets and not reload:
            return self.markets
        answer = await self.venue.read(Operation.MARKETS, lambda _call, _now_ms: self._all_markets(), garbled={})
        self.markets = answer
        self.symbols = sorted(answer)
        assets = {asset for market in answer.values() for asset in (market["base"], market["quote"])}
        self.currencies = {asset: {"id": asset, "code": asset} for asset in sorted(assets)}
        return self.markets

    async def fetch_markets(self, params: Params = None) -> list[Row]:
        """Return the markets as a list."""
        self._offer("fetchMarkets")
        return list((await self.load_markets(True, params)).values())  # noqa: FBT003 - ccxt's own signature

    def _all_markets(self) -> dict[str, Row]:
        if self._markets is None:
            listed = self.venue.engine.markets.values()
            self._markets = {market.symbol: self.venue.words.market(market, self._tick(market)) for market in listed}
        return dict(self._markets)

    async def fetch_time(self, params: Params = None) -> int:  # noqa: ARG002 - ccxt's own signature
        """Return what the venue's clock shows, ms."""
        self._offer("fetchTime")
        return await self._readings.time()

    async def fetch_status(self, params: Params = None) -> Row:  # noqa: ARG002
        """Return whether the venue says it is well."""
        self._offer("fetchStatus")
        return await self._readings.status()

    async def fetch_order_book(self, symbol: str, limit: int | None = None, params: Params = None) -> Row:  # noqa: ARG002
        """Return the order book."""
        self._offer("fetchOrderBook")
        self._listed(symbol)
        return await self._readings.book(symbol, limit)

    async def fetch_ticker(self, symbol: str, params: Params = None) -> Row:  # noqa: ARG002
        """Return bid, ask and the middle as the last price."""
        self._offer("fetchTicker")
        self._listed(symbol)
        return await self._readings.ticker(symbol)

    # -------------------------------------------------------------- the account

    async def fetch_balance(self, params: Params = None) -> Row:  # noqa: ARG002
        """Return what is free, used and there in all, by asset."""
        self._offer("fetchBalance")
        return await self._readings.balance()

    async def fetch_trading_fee(self, symbol: str, params: Params = None) -> Row:  # noqa: ARG002
        """Return what this account is charged, as fractions of the notional."""
        self._offer("fetchTradingFee")
        return await self._readings.fee(self._listed(symbol))

    async def fetch_position_mode(self, symbol: str | None = None, params: Params = None) -> Row:  # noqa: ARG002
        """Return that the account is in one-way mode."""
        self._offer("fetchPositionMode")
        return await self.venue.read(
            Operation.MARKETS, lambda _call, _now_ms: {"hedged": False, "info": {}}, garbled={}
        )

    async def fetch_leverage(self, symbol: str, params: Params = None) -> Row:  # noqa: ARG002
        """Return the account's leverage in a market of contracts."""
        self._offer("fetchLeverage")
        return await self._readings.leverage(symbol)

    # -------------------------------------------------------------- orders

    async def create_order(  # noqa: PLR0917 - ccxt's own signature
        self,
        symbol: str,
        type: str,  # noqa: A002 - ccxt's own word
        side: str,
        amount: object,
        price: object = None,
        params: Params = None,
    ) -> Row:
        """Place an order; return what the venue tells of it.

        Raises:
            Exception: One of ccxt's.
        """
        self._offer("createOrder")
        market, asked = self._listed(symbol), Asked(params)
        size = self.venue.words.size(symbol)
        base = (
            None if asked.cost is not None else EXACT.multiply(Decimal(self.amount_to_precision(symbol, amount)), size)
        )
        limit = None if price is None else Decimal(self.price_to_precision(symbol, price))
        new = asked.order(market, type, side, base, limit)
        _, view = await self._desk.create(new)
        if view is None:
            return self.venue.words.nameless(symbol)
        created = self.venue.options.created
        if created is Created.ID:
            return self.venue.words.little(view)
        if created is Created.AS_PLACED:
            return self.venue.words.order(self._desk.as_placed(view), whole=False)
        self._readings.tell([view])
        return self.venue.words.order(view)

    async def create_limit_order(
        self, symbol: str, side: str, amount: object, price: object, params: Params = None
    ) -> Row:
        """Place an order with a limit."""
        return await self.create_order(symbol, "limit", side, amount, price, params)

    async def create_market_order(
        self, symbol: str, side: str, amount: object, price: object = None, params: Params = None
    ) -> Row:
        """Place an order without a limit."""
        return await self.create_order(symbol, "market", side, amount, price, params)

    async def create_limit_buy_order(self, symbol: str, amount: object, price: object, params: Params = None) -> Row:
        """Buy with a limit."""
        return await self.create_order(symbol, "limit", "buy", amount, price, params)

    async def create_limit_sell_order(self, symbol: str, amount: object, price: object, params: Params = None) -> Row:
        """Sell with a limit."""
        return await self.create_order(symbol, "limit", "sell", amount, price, params)

    async def create_market_buy_order(self, symbol: str, amount: object, params: Params = None) -> Row:
        """Buy without a limit."""
        return await self.create_order(symbol, "market", "buy", amount, None, params)

    async def create_market_sell_order(self, symbol: str, amount: object, params: Params = None) -> Row:
        """Sell without a limit."""
        return await self.create_order(symbol, "market", "sell", amount, None, params)

    async def cancel_order(self, id: str | None, symbol: str | None = None, params: Params = None) -> Row:  # noqa: A002
        """Cancel an order, by the venue's id or by the caller's.

        Raises:
            OrderNotFound: None of that id is open.
        """
        self._offer("cancelOrder")
        view = await self._desk.cancel(id, self._client_id(id, params), symbol)
        if view is None:
            return {"info": {}}
        self._readings.tell([view])
        return self.venue.words.order(view, whole=False)

    async def edit_order(  # noqa: PLR0917
        self,
        id: str,  # noqa: A002
        symbol: str,
        type: str,  # noqa: A002
        side: str,
        amount: object,
        price: object = None,
        params: Params = None,
    ) -> Row:
        """Cancel an order and place another, as ccxt does where a venue has no call of its own for it."""
        self._offer("editOrder")
        lost = self.venue.begin(Operation.EDIT, symbol, self._desk.name_of(id)).meets(FaultKind.REPLACE_LOSES_OLD)
        if lost is None:
            await self.cancel_order(id, symbol)
        else:
            self.venue.hit(lost, symbol, self._desk.name_of(id))
        return await self.create_order(symbol, type, side, amount, price, params)

    def _client_id(self, order_id: str | None, params: Params) -> str | None:
        client_id = Asked(params).client_id
        if order_id is None and client_id is not None and self.venue.options.finds_by_client_id:
            return client_id
        if order_id is None:
            raise ccxt_error("ArgumentsRequired", f"{self.id} requires an id argument")
        return None

    async def fetch_order(self, id: str | None, symbol: str | None = None, params: Params = None) -> Row:  # noqa: A002
        """Return one order, by the venue's id or by the caller's.

        Raises:
            OrderNotFound: The venue does not show it.
        """
        self._offer("fetchOrder")
        return await self._readings.order(id, self._client_id(id, params), symbol)

    async def fetch_open_orders(
        self, symbol: str | None = None, since: int | None = None, limit: int | None = None, params: Params = None
    ) -> list[Row]:
        """Return what rests."""
        self._offer("fetchOpenOrders")
        return await self._readings.orders(symbol, since, limit, params, Status.OPEN)

    async def fetch_closed_orders(
        self, symbol: str | None = None, since: int | None = None, limit: int | None = None, params: Params = None
    ) -> list[Row]:
        """Return what filled whole."""
        self._offer("fetchClosedOrders")
        return await self._readings.orders(symbol, since, limit, params, Status.FILLED)

    async def fetch_canceled_orders(
        self, symbol: str | None = None, since: int | None = None, limit: int | None = None, params: Params = None
    ) -> list[Row]:
        """Return what ended before it had filled whole."""
        self._offer("fetchCanceledOrders")
        return await self._readings.orders(symbol, since, limit, params, Status.CANCELED, Status.EXPIRED)

    async def fetch_orders(
        self, symbol: str | None = None, since: int | None = None, limit: int | None = None, params: Params = None
    ) -> list[Row]:
        """Return orders, open or not."""
        self._offer("fetchOrders")
        return await self._readings.orders(symbol, since, limit, params, *Status)

    async def fetch_my_trades(
        self, symbol: str | None = None, since: int | None = None, limit: int | None = None, params: Params = None
    ) -> list[Row]:
        """Return executions."""
        self._offer("fetchMyTrades")
        return await self._readings.trades(symbol, since, limit, params)

    async def fetch_order_trades(
        self,
        id: str,  # noqa: A002
        symbol: str | None = None,
        since: int | None = None,
        limit: int | None = None,
        params: Params = None,
    ) -> list[Row]:
        """Return the executions of one order."""
        self._offer("fetchOrderTrades")
        return await self._readings.trades(symbol, since, limit, params, order_id=id)


def _number(value: object) -> Decimal:
    try:
        return Decimal(repr(value)) if isinstance(value, float) else Decimal(str(value))
    except decimal.InvalidOperation:
        raise ccxt_error("InvalidOrder", f"{value!r} is no number") from None
