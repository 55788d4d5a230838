"""What a simulated venue is like: its markets, money, habits of telling, and what it offers."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal

from attrs import evolve, field, frozen

from fsm_arb.matching.market import FeeRule, Market
from fsm_arb.testing.loopback.markets import BALANCES, BINANCE, BINANCEUSDM, MARKETS, UPBIT
from fsm_arb.values import ZERO, TickBand, to_decimal

# Every lookup and list that can be switched off, by ccxt's own word for it.
OFFERS = (
    "createOrder", "cancelOrder", "editOrder", "fetchOrder", "fetchOpenOrders", "fetchClosedOrders",
    "fetchCanceledOrders", "fetchOrders", "fetchMyTrades", "fetchOrderTrades", "fetchBalance", "fetchOrderBook",
    "fetchTicker", "fetchTime", "fetchStatus", "fetchMarkets", "fetchTradingFee", "fetchPositionMode", "fetchLeverage",
)  # fmt: skip


class Created(enum.Enum):
    """What the reply to a create tells."""

    WHOLE = "whole"  # the order as it stands
    AS_PLACED = "as_placed"  # the order as it came, open and unfilled (Upbit)
    ID = "id"  # little more than an id (bybit, okx, kraken)


@frozen(kw_only=True)
class VenueOptions:
    """One venue.

    Attributes:
        name: Its key, and the exchange's id.
        markets: What it trades.
        balances: What the account holds at the beginning.
        fee_rule: Which asset fees are taken in.
        margin: Whether it trades contracts on margin.
        contract_sizes: Base per contract, by symbol; the surface then counts contracts.
        offers: Which of `OFFERS` it has; what is missing raises NotSupported.
        latency_ms: How long a call takes at least and at most, there and back.
        timeout_ms: How long a caller waits for a reply that does not come.
        page: Rows that one list holds at most; on real venues ten, or twenty and more.
        created: What the reply to a create tells.
        trades_on_orders: Whether an order that is asked for shows its executions.
        fees_on_orders: Whether orders show their fees.
        ids_on_orders: Whether orders show the client id they were given.
        ids_on_trades: Whether own trades show it.
        finds_by_client_id: Whether an order can be looked up and cancelled by it.
        ids_used_for_ever: Whether a client id is refused for ever once it was used; else only while its order is open.
        post_only_refused: Whether a post-only order that would take is refused; else it is accepted and cancelled.
        expired_word: ccxt's status of an order whose rest the venue dropped.
        request_window_ms: A request whose stamp is further off is refused; None: stamps are not looked at.
        calls_per_s: How many calls it takes in a second; None: any number.
        price: What a base asset is worth in the quote, where the books begin; by symbol.
        levels: Levels of a book, a side.
        depth: Notional at each level, as a multiple of the market's `notional_min`, where there is one.
    """

    name: str
    markets: tuple[Market, ...]
    balances: Mapping[str, Decimal]
    fee_rule: FeeRule = FeeRule.QUOTE
    margin: bool = False
    contract_sizes: Mapping[str, Decimal] = field(factory=dict)
    offers: frozenset[str] = frozenset(OFFERS)
    latency_ms: tuple[float, float] = (10.0, 60.0)
    timeout_ms: int = 8_000
    page: int = 500
    created: Created = Created.WHOLE
    trades_on_orders: bool = True
    fees_on_orders: bool = True
    ids_on_orders: bool = True
    ids_on_trades: bool = False
    finds_by_client_id: bool = True
    ids_used_for_ever: bool = True
    post_only_refused: bool = True
    expired_word: str = "expired"
    request_window_ms: int | None = None
    calls_per_s: int | None = None
    price: Mapping[str, Decimal] = field(factory=dict)
    levels: int = 5
    depth: Decimal = Decimal(2_000)

    def without(self, *offers: str) -> VenueOptions:
        """Return the same venue without some lookups or lists, by ccxt's words such as ``fetchOrders``.

        Raises:
            ValueError: There is none of that name.
        """
        unknown = set(offers) - set(OFFERS)
        if unknown:
            raise ValueError(f"offers {', '.join(sorted(unknown))}: must be among {', '.join(OFFERS)}")
        return evolve(self, offers=self.offers - set(offers))


def market(
    symbol: str,
    *,
    lot: str = "0.00001",
    tick: str = "0.01",
    amount_min: str = "0",
    notional_min: str = "5",
    fee: str = "0.001",
    maker_fee: str | None = None,
) -> Market:
    """Return a market of one's own; a symbol with a settlement currency, such as ``BTC/USDT:USDT``, is a contract."""
    pair, _, settled_in = symbol.partition(":")
    base, _, quote = pair.partition("/")
    return Market(
        symbol=symbol,
        market_id=f"{base}{quote}" + ("PERP" if settled_in else ""),
        base=base,
        quote=quote,
        lot=to_decimal(lot, "lot"),
        ticks=(TickBand(ZERO, to_decimal(tick, "tick")),),
        amount_min=to_decimal(amount_min, "amount_min"),
        notional_min=to_decimal(notional_min, "notional_min"),
        taker_fee=to_decimal(fee, "fee"),
        maker_fee=to_decimal(fee if maker_fee is None else maker_fee, "maker_fee"),
        contract=bool(settled_in),
    )


def upbit() -> VenueOptions:
    """Return a venue in KRW that takes its fees in KRW, and tells little when an order is placed."""
    return VenueOptions(
        name=UPBIT,
        markets=MARKETS[UPBIT],
        balances=BALANCES[UPBIT],
        created=Created.AS_PLACED,
        expired_word="canceled",
        offers=frozenset(OFFERS) - {"fetchMyTrades", "fetchOrders", "editOrder"},
    )


def binance() -> VenueOptions:
    """Return a spot venue in USDT that takes its fees in what is received."""
    return VenueOptions(
        name=BINANCE,
        markets=MARKETS[BINANCE],
        balances=BALANCES[BINANCE],
        fee_rule=FeeRule.RECEIVED,
        trades_on_orders=False,
        fees_on_orders=False,
    )


def binanceusdm() -> VenueOptions:
    """Return a venue of contracts on margin, in USDT."""
    return VenueOptions(
        name=BINANCEUSDM,
        markets=MARKETS[BINANCEUSDM],
        balances=BALANCES[BINANCEUSDM],
        margin=True,
        trades_on_orders=False,
        fees_on_orders=False,
    )


VENUES = {UPBIT: upbit, BINANCE: binance, BINANCEUSDM: binanceusdm}
