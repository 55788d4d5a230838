"""Read a market's rules for this account, once, however many ask at the same time."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from typing import TYPE_CHECKING, Any

from attrs import evolve

from fsm_arb.errors import FsmArbError, VenueMisconfigured, VenueUnanswered
from fsm_arb.values import FeeIn, Side, TickBand
from fsm_arb.venues.health import has_secrets
from fsm_arb.venues.lookup import offers
from fsm_arb.venues.markets import check_tradable, coarser, find_market, rules_of, ticks_of, upbit_ticks, with_live_tick
from fsm_arb.venues.parse import contract_size, number

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from decimal import Decimal

    from fsm_arb.ports import OrderSnapshot
    from fsm_arb.values import MarketRules
    from fsm_arb.venues.dialect import Dialect
    from fsm_arb.venues.scrub import Scrubber

log = logging.getLogger(__name__)

SHARED_S_MAX = 60.0  # a read that many wait for; past this the next caller asks anew


class RulesReader:
    """Loads markets, fees, steps and modes of one exchange account.

    Args:
        exchange: Asked.
        orders: The instance that places; it is handed the same markets.
        dialect: The exchange's row.
        name: What the venue is called.
        scrub: Takes secrets out of messages.
    """

    def __init__(self, exchange: Any, orders: Any, dialect: Dialect, name: str, scrub: Scrubber) -> None:
        self._exchange = exchange
        self._orders = orders
        self._dialect = dialect
        self._name = name
        self._scrub = scrub
        self._rules: dict[str, MarketRules] = {}
        self._in_base: dict[str, bool] = {}  # symbol → whether this account's buys are charged in base, where known
        self._running: dict[str, tuple[asyncio.Task[Any], float]] = {}  # with the loop's time when it is given up

    async def market(self, symbol: str) -> Mapping[str, Any]:
        """Return ccxt's market.

        Raises:
            UnknownSymbol: Not listed.
            VenueUnanswered: Markets could not be read.
        """
        markets = await self._markets()
        return find_market(markets, symbol, self._name)

    async def rules(self, symbol: str) -> MarketRules:
        """Return the rules of *symbol*; read once, and again after a failure.

        Where a buyer is charged in base by rule, and this account is not, nothing is said of a fee in base.
        """
        known = self._rules.get(symbol)
        if known is None:
            known = await self._shared(symbol, lambda: self._read(symbol))
            self._rules[symbol] = known
        if known.fee_in is FeeIn.BASE_ON_BUY and not self._in_base.get(symbol, True):
            return evolve(known, fee_in=FeeIn.UNKNOWN)
        return known

    def learn(self, market: Mapping[str, Any], side: Side, snapshot: OrderSnapshot) -> None:
        """Take from what an order was charged whether this account's buys are charged in base."""
        if side is Side.BUY and snapshot.filled and snapshot.fees:
            in_base = any(fee.currency == market.get("base") for fee in snapshot.fees)
            self._in_base[str(market.get("symbol"))] = in_base

    async def close(self) -> None:
        """Stop the reads that are running."""
        running = [task for task, _ in self._running.values()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _shared(self, key: str, read: Callable[[], Awaitable[Any]]) -> Any:
        """Return what *read* gives; callers at the same time share one. A caller's cancel leaves the others be.

        Raises:
            VenueUnanswered: It took longer than SHARED_S_MAX.
        """
        loop = asyncio.get_running_loop()
        task, until_s = self._running.get(key, (None, 0.0))
        if task is None or loop.time() > until_s:  # past its time it has been cancelled, and may not heed that
            # An empty context: what is shared belongs to no caller's order.
            task = loop.create_task(self._bounded(read), context=contextvars.Context())
            self._running[key] = (task, loop.time() + SHARED_S_MAX)
            task.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(task)

    async def _bounded(self, read: Callable[[], Awaitable[Any]]) -> Any:
        limit = asyncio.timeout(SHARED_S_MAX)
        try:
            async with limit:
                return await read()
        except TimeoutError:
            if not limit.expired():
                raise
        raise VenueUnanswered(f"{self._name}: no answer in {SHARED_S_MAX:g} s")

    def _forget(self, key: str, done: asyncio.Task[Any]) -> None:
        if self._running.get(key, (None, 0.0))[0] is done:
            del self._running[key]
        if not done.cancelled():
            done.exception()  # looked at: whoever waits for it is told, and nobody may wait any more

    async def _markets(self) -> Mapping[str, Any]:
        markets = getattr(self._exchange, "markets", None)
        if not markets:
            markets = await self._shared("", self._load)
        self._hand_over(markets)
        return markets  # type: ignore[no-any-return]

    async def _load(self) -> Mapping[str, Any]:
        if not offers(self._exchange, "load_markets"):
            raise VenueUnanswered(f"{self._name}: markets are not loaded and cannot be")
        failure = loaded = None
        try:
            # ccxt remembers a load that came back empty, and would hand that out for ever.
            again = bool(getattr(self._exchange, "markets_loading", None))
            loaded = await (self._exchange.load_markets(True) if again else self._exchange.load_markets())  # noqa: FBT003
        except Exception as error:  # noqa: BLE001 - told below, without what a foreign error carries
            failure = f"{type(error).__name__}: {self._scrub.message(error)}"
        if failure is not None:
            raise VenueUnanswered(f"{self._name}: markets: {failure}")
        markets = getattr(self._exchange, "markets", None) or loaded
        if not isinstance(markets, dict) or not markets:
            raise VenueUnanswered(f"{self._name}: markets: the answer holds none")
        return markets

    def _hand_over(self, markets: Mapping[str, Any]) -> None:
        if self._orders is self._exchange or getattr(self._orders, "markets", None):
            return
        if callable(getattr(self._orders, "set_markets", None)):
            self._orders.set_markets(markets, getattr(self._exchange, "currencies", None))

    async def _read(self, symbol: str) -> MarketRules:
        market = await self.market(symbol)
        check_tradable(market, symbol, self._name)
        await self._check_position_mode(market, symbol)
        await self._ask_fee_mode(market, symbol)
        return rules_of(
            market,
            self._dialect,
            mode=getattr(self._exchange, "precisionMode", None),
            ticks=await self._ticks(market, symbol),
            fees=await self._fees(symbol),
            leverage=await self._leverage(market, symbol),
        )

    async def _try(self, what: str, call: Callable[[], Awaitable[Any]]) -> Any:
        """Return an answer that is welcome but not needed; None where there is none."""
        try:
            return await call()
        except FsmArbError:
            raise
        except Exception as error:  # noqa: BLE001
            log.warning("venue %s: %s is unknown: %s", self._name, what, self._scrub.message(error))
            return None

    async def _fees(self, symbol: str) -> tuple[Decimal | None, Decimal | None]:
        if not has_secrets(self._exchange):
            return None, None
        reply = None
        if offers(self._exchange, "fetch_trading_fee"):
            reply = await self._try("its fee", lambda: self._exchange.fetch_trading_fee(symbol))
        elif offers(self._exchange, "fetch_trading_fees"):
            every = await self._try("its fee", self._exchange.fetch_trading_fees)
            reply = every.get(symbol) if isinstance(every, dict) else None
        if not isinstance(reply, dict):
            return None, None
        return number(reply.get("taker")), number(reply.get("maker"))

    async def _ask_fee_mode(self, market: Mapping[str, Any], symbol: str) -> None:
        """Learn before the first order whether fees are paid in a third asset, where the venue can be asked."""
        if self._dialect.fee_elsewhere is None or contract_size(market) is not None or not has_secrets(self._exchange):
            return
        method, flag = self._dialect.fee_elsewhere
        if symbol in self._in_base or not offers(self._exchange, method):
            return
        reply = await self._try("the asset of its fees", getattr(self._exchange, method))
        if isinstance(reply, dict) and reply.get(flag) is True:
            self._in_base.setdefault(symbol, False)

    async def _ticks(self, market: Mapping[str, Any], symbol: str) -> tuple[TickBand, ...]:
        mode = getattr(self._exchange, "precisionMode", None)
        if self._dialect.exchange_id == "bithumb" and market.get("quote") == "KRW":
            return coarser(ticks_of(market, mode, self._dialect), upbit_ticks("KRW", None))
        if self._dialect.exchange_id != "upbit":
            return ticks_of(market, mode, self._dialect)
        live_tick = await self._try("its tick", lambda: self._upbit_tick(str(market["id"])))
        ticks = upbit_ticks(str(market.get("quote")), live_tick)
        if live_tick is None:
            return ticks
        book = await self._try("its price", lambda: self._exchange.fetch_order_book(symbol))
        bids = book.get("bids") if isinstance(book, dict) else None
        return with_live_tick(ticks, number(bids[0][0]) if bids else None, live_tick)

    async def _upbit_tick(self, market_id: str) -> Decimal | None:
        rows = await self._exchange.publicGetOrderbookInstruments({"markets": market_id})
        row = next((row for row in rows or () if isinstance(row, dict) and row.get("market") == market_id), None)
        return number(row.get("tick_size")) if row else None

    async def _check_position_mode(self, market: Mapping[str, Any], symbol: str) -> None:
        if contract_size(market) is None or not has_secrets(self._exchange):
            return
        reply = None
        if offers(self._exchange, "fetch_position_mode"):
            reply = await self._try("position mode", lambda: self._exchange.fetch_position_mode(symbol))
        hedged = reply.get("hedged") if isinstance(reply, dict) else None
        if hedged:
            raise VenueMisconfigured(
                f"{self._name}: the account is in hedge mode, where a sell opens a second position instead of "
                f"closing the first; set position mode to one-way"
            )
        if hedged is None:
            log.warning("venue %s: position mode is unknown; one-way is presumed for %s", self._name, symbol)

    async def _leverage(self, market: Mapping[str, Any], symbol: str) -> Decimal | None:
        if contract_size(market) is None or not has_secrets(self._exchange):
            return None
        if not offers(self._exchange, "fetch_leverage"):
            return None
        reply = await self._try("leverage", lambda: self._exchange.fetch_leverage(symbol))
        if not isinstance(reply, dict):
            return None
        known = [number(reply.get("longLeverage")), number(reply.get("shortLeverage"))]
        return min((value for value in known if value), default=None)
