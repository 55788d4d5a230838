"""What differs from exchange to exchange, one row each.

Every row was run through the real ccxt class against a capturing server
(``tests/venues``). What a row does not say holds for ccxt's unified API.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fsm_arb.ports import OrderStatus
from fsm_arb.values import FeeIn
from fsm_arb.venues.dialect import Ask, Dialect, IdForm, Listing, MarketForm, Unique

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

UPBIT = Dialect(
    exchange_id="upbit",
    why="docs.upbit.com; ccxt's fetch_order and cancel_order send uuid=None beside the identifier",
    client_id_keys=("identifier",),
    client_id_alphabet="A-Za-z0-9_-",
    # Consumed even by a request that failed: a resend cannot duplicate, but a duplicate error proves no order.
    unique=Unique.FOR_EVER,
    look_up=Ask(method="privateGetOrder", params={"identifier": "{id}"}, path=()),
    cancel=Ask(method="privateDeleteOrder", params={"identifier": "{id}"}, path=()),
    listings=(
        Listing(method="fetch_open_orders", page=100, since=False, params={"order_by": "desc"}),
        # Asked from a start time, closed orders reach seven days on from it.
        Listing(method="fetch_closed_orders", page=1000, window_ms=7 * DAY_MS, params={"order_by": "desc"}),
        Listing(method="fetch_canceled_orders", page=1000, window_ms=7 * DAY_MS, params={"order_by": "desc"}),
    ),
    market_buy=MarketForm.BOUNDED,  # ord_type price and best both spend KRW
    fee_in=FeeIn.QUOTE,
    average_from="executed_funds",  # lists carry no trades, and ccxt's cost there comes from the limit price
    average_trusted=False,
    status_key="state",
    statuses={"watch": OrderStatus.OPEN, "prevented": OrderStatus.ENDED},  # prevented: it would have met our own
    # Documented with status 400 or 401. ccxt knows insufficient_funds and a few more, and leaves these bare.
    refusal_names={
        "under_min_total": "under_minimum",
        "over_max_total": "over_maximum",
        "under_price_limit": "price_out_of_band",
        "over_price_limit": "price_out_of_band",
        "invalid_price": "invalid_price",
        "invalid_volume": "invalid_amount",
        "create_bid_error": "invalid_order",
        "create_ask_error": "invalid_order",
        "validation_error": "bad_request",
        "invalid_parameter": "bad_request",
        "market_offline": "market_closed",
        "notfoundmarket": "bad_symbol",
        "too_many_request": "rate_limit_exceeded",
        "no_authorization": "permission_denied",
        "expired_access_key": "authentication_failed",
        "invalid_query_payload": "authentication_failed",
        "nonce_used": "invalid_nonce",
    },
)

# Documented as errors of the sender, with status 4xx. ccxt maps most, but by tables for production hosts and markets.
BINANCE_REFUSALS = {
    "-1013": "invalid_order",  # a filter of the market
    "-1021": "invalid_nonce",
    "-1022": "authentication_failed",
    "-11": "bad_request",
    "-2010": "invalid_order",
    "-2014": "authentication_failed",
    "-2015": "authentication_failed",
    "-2018": "insufficient_funds",
    "-2019": "insufficient_funds",
    "-202": "invalid_order",  # would trigger at once, reduce-only, too many open, position limits
    "-40": "invalid_order",  # filters of the market
    "-41": "invalid_order",
}

BINANCE = Dialect(
    exchange_id="binance",
    why="developers.binance.com, spot REST: GET /order, GET /allOrders, enums of order status",
    client_id_keys=("origClientOrderId", "clientOrderId"),  # in a cancel's reply clientOrderId is the cancel's own
    client_id_alphabet="A-Za-z0-9_-",
    unique=Unique.AMONG_OPEN,
    duplicate_words=("Duplicate order sent",),
    listings=(Listing(method="fetch_orders", page=1000),),  # open and ended alike
    trades_params={"orderId": "{order_id}"},
    refusal_names=BINANCE_REFUSALS,
    options={"createOrder.quoteOrderQty": False},  # a price beside a market order would turn it into quote
    fee_in=FeeIn.BASE_ON_BUY,  # or BNB, as the account is set and the fills tell
    fee_elsewhere=("sapiGetBnbBurn", "spotBNBBurn"),
    enforces_expiry=True,  # recvWindow
    burst_s=5.0,
)

BINANCE_USDM = Dialect(
    exchange_id="binanceusdm",
    why="developers.binance.com, USD-M REST: GET /order, GET /allOrders",
    client_id_keys=("origClientOrderId", "clientOrderId"),
    client_id_alphabet="A-Za-z0-9_-",
    unique=Unique.AMONG_OPEN,
    duplicate_words=("-4116",),
    # What ended unfilled vanishes after three days, and one question reaches seven.
    listings=(
        Listing(method="fetch_open_orders", since=False),
        Listing(method="fetch_orders", page=1000, window_ms=3 * DAY_MS),
    ),
    trades_params={"orderId": "{order_id}"},
    refusal_names=BINANCE_REFUSALS,
    fee_in=FeeIn.QUOTE,
    tells_status=False,  # ccxt asks the spot service
    enforces_expiry=True,
    burst_s=5.0,
)

BYBIT = Dialect(
    exchange_id="bybit",
    why="bybit-exchange.github.io v5; ccxt's fetch_order knows no client id and must be told to look at all",
    client_id_keys=("orderLinkId",),
    client_id_alphabet="A-Za-z0-9_-",
    duplicate_words=("110072", "170141"),
    look_up=Ask(
        method="privateGetV5OrderRealtime",
        params={"category": "{category}", "symbol": "{market}", "orderLinkId": "{id}"},
        path=("result", "list"),
    ),
    look_up_params={"acknowledged": True},
    cancel=Ask(method="cancel_order", params={"orderLinkId": "{id}"}),
    listings=(
        Listing(method="fetch_open_orders", since=False, params={"orderLinkId": "{id}"}),
        # Closed and cancelled apart would miss what was cancelled in part.
        Listing(
            method="fetch_canceled_and_closed_orders",
            page=50,
            window_ms=7 * DAY_MS,
            params={"orderLinkId": "{id}"},
        ),
    ),
    fee_in=FeeIn.BASE_ON_BUY,
    enforces_expiry=True,  # X-BAPI-RECV-WINDOW
)

OKX = Dialect(
    exchange_id="okx",
    why="okx.com/docs-v5: orders, orders-history (seven days)",
    client_id_keys=("clOrdId",),
    client_id_length_max=32,
    duplicate_words=("51016",),
    listings=(
        Listing(method="fetch_open_orders", page=100, since=False),
        Listing(method="fetch_closed_orders", page=100, window_ms=7 * DAY_MS),
        Listing(method="fetch_canceled_orders", page=100, window_ms=7 * DAY_MS),
    ),
    options={"tgtCcy": "base_ccy"},  # a market buy of the spot counts base
    fee_in=FeeIn.BASE_ON_BUY,
    status_key="state",
    statuses={"mmp_canceled": OrderStatus.ENDED},
)

GATE = Dialect(
    exchange_id="gate",
    why="gate.com/docs/developers/apiv4; ccxt sends a cancel's client id as /orders/None",
    client_id_param="text",  # ccxt leaves out the prefix where an id begins with t
    client_id_keys=("text",),
    client_id_length_max=28,
    client_id_alphabet="A-Za-z0-9_.-",
    id_form=IdForm.GATE_TEXT,
    look_up=Ask(method="fetch_order", params={"text": "{id}"}),
    cancel=Ask(method="cancel_order", order_id="{id}"),
    listings=(
        Listing(method="fetch_open_orders", page=100, since=False),
        Listing(method="fetch_closed_orders", page=100),  # finished: filled and cancelled alike
    ),
    market_buy=MarketForm.BOUNDED,  # its market buy spends quote
    fee_in=FeeIn.BASE_ON_BUY,
)

KUCOIN = Dialect(
    exchange_id="kucoin",
    why="kucoin.com/docs-new: orders by clientOid, closed orders within seven days",
    client_id_keys=("clientOid",),
    client_id_alphabet="A-Za-z0-9_-",
    listings=(
        Listing(method="fetch_open_orders", page=50, since=False),
        Listing(method="fetch_closed_orders", page=50, window_ms=7 * DAY_MS),  # done: filled and cancelled alike
    ),
    fee_in=FeeIn.QUOTE,
)

KRAKEN = Dialect(
    exchange_id="kraken",
    why="docs.kraken.com REST; QueryOrders takes no cl_ord_id, the lists can be narrowed to one",
    client_id_keys=("cl_ord_id",),
    client_id_length_max=18,
    look_up=None,
    listings=(
        Listing(method="fetch_open_orders", since=False, params={"clientOrderId": "{id}"}),
        Listing(method="fetch_closed_orders", page=50, params={"clientOrderId": "{id}"}),
    ),
    fee_in=FeeIn.QUOTE,  # unless an order asks for base
    burst_s=15.0,  # a counter that decays slowly and holds fifteen
)

BITHUMB = Dialect(
    exchange_id="bithumb",
    why="apidocs.bithumb.com 2.x; built like Upbit's",
    client_id_keys=("client_order_id",),
    client_id_alphabet="A-Za-z0-9_-",
    listings=(
        Listing(method="fetch_open_orders", page=100, since=False),
        Listing(method="fetch_closed_orders", page=100),
        Listing(method="fetch_canceled_orders", page=100),
    ),
    absent_names=("order_not_found",),
    market_buy=MarketForm.BOUNDED,  # spends KRW
    fee_in=FeeIn.QUOTE,
    average_from="executed_funds",
    average_trusted=False,
    refusal_names={
        "under_price_limit": "price_out_of_band",
        "invalid_price": "invalid_price",
        "under_min_total": "under_minimum",
        "insufficient_funds": "insufficient_funds",
        "cross_trading": "would_self_trade",
        "invalid_parameter": "bad_request",
        "bank_account_required": "permission_denied",
        "two_factor_auth_required": "permission_denied",
        "blocked_member_id": "permission_denied",
        "out_of_scope": "permission_denied",
        "NotAllowIP": "permission_denied",
        "expired_jwt": "authentication_failed",
        "jwt_verification": "authentication_failed",
        "invalid_query_payload": "authentication_failed",
    },
)

COINONE = Dialect(
    exchange_id="coinone",
    why="docs.coinone.co.kr v2.1; ccxt knows limit orders only, and cancels through v2 with price and quantity",
    client_id_param=None,
    look_up=None,
    cancel=None,
    cancel_known=Ask(
        method="v2_1PrivatePostOrderCancel",
        params={"order_id": "{order_id}", "quote_currency": "{quote}", "target_currency": "{base}"},
        path=(),
    ),
    listings=(Listing(method="fetch_open_orders", since=False),),
    proves_absence=False,
    ioc_params=None,
    post_only_params={"post_only": True},
    market_buy=MarketForm.BOUNDED,
    market_sell=MarketForm.BOUNDED,
    fee_in=FeeIn.BASE_ON_BUY,
    status_key="status",
    statuses={
        # ccxt: the first stays open for ever, the second is called canceled once it has filled in part.
        "partially_canceled": OrderStatus.ENDED,
        "live": OrderStatus.OPEN,
        "partially_filled": OrderStatus.OPEN,
        "LIVE": OrderStatus.OPEN,
        "PARTIALLY_FILLED": OrderStatus.OPEN,
        "FILLED": OrderStatus.ENDED,
        "CANCELED": OrderStatus.ENDED,
        "PARTIALLY_CANCELED": OrderStatus.ENDED,
    },
    book_limit=15,  # it takes 5, 10, 15 or 16
)

COINBASE = Dialect(
    exchange_id="coinbase",
    why="docs.cdp.coinbase.com Advanced Trade; ccxt's clientOrderId is dropped, client_order_id is passed on",
    client_id_param="client_order_id",
    client_id_keys=("client_order_id",),
    client_id_alphabet="A-Za-z0-9_-",
    look_up=None,  # an order is asked for by the venue's id only
    cancel=None,
    listings=(
        Listing(method="fetch_open_orders", page=100, since=False),
        Listing(method="fetch_orders", page=100),
    ),
    market_buy=MarketForm.BOUNDED,  # spends quote
    fee_in=FeeIn.QUOTE,
    refusal_flag=("success", False),  # "whether the order was created"
)

HYPERLIQUID = Dialect(
    exchange_id="hyperliquid",
    why="hyperliquid.gitbook.io: exchange and info endpoints; no market orders, prices of five significant digits",
    client_id_keys=("cloid",),
    client_id_alphabet="A-Za-z0-9_-",
    id_form=IdForm.CLOID,
    numbers_as_text=True,
    listings=(
        Listing(method="fetch_open_orders", since=False),
        Listing(method="fetch_orders", page=2000),  # the latest two thousand, open or not
    ),
    market_buy=MarketForm.BOUNDED,
    market_sell=MarketForm.BOUNDED,
    fee_in=FeeIn.BASE_ON_BUY,  # spot; perpetuals are charged in quote
    burst_s=10.0,
    significant_digits=5,
    price_decimals_max=(6, 8),
)

DEFAULT = Dialect(
    exchange_id="default",
    why="ccxt's unified API, as far as `has` offers it; nothing is taken for granted",
    listed=False,
    client_id_length_max=64,
    client_id_alphabet="!-~",
    book_limit=None,  # what it takes is unknown; its own default is full enough
)

DIALECTS: Mapping[str, Dialect] = {
    row.exchange_id: row
    for row in (
        UPBIT,
        BINANCE,
        BINANCE_USDM,
        BYBIT,
        OKX,
        GATE,
        KUCOIN,
        KRAKEN,
        BITHUMB,
        COINONE,
        COINBASE,
        HYPERLIQUID,
    )
}


def dialect_of(exchange: object, name: str) -> Dialect:
    """Return the row of an exchange object, by its ccxt id; warns where it has none.

    Args:
        exchange: A ccxt exchange, or what looks like one.
        name: What the venue is called here, for the log.
    """
    exchange_id = str(getattr(exchange, "id", "") or "")
    row = DIALECTS.get(exchange_id)
    if row is not None and _is_real(exchange):
        if row.client_id_param is None:
            log.warning(
                "venue %s: %s takes no client id, so an order whose reply is lost cannot be told from others",
                name,
                exchange_id,
            )
        return row
    log.warning(
        "venue %s: exchange id %r has no dialect of its own; the conservative default is used, "
        "which tries what `has` offers and presumes nothing about client ids",
        name,
        exchange_id,
    )
    return DEFAULT


def _is_real(exchange: object) -> bool:
    return any(cls.__module__.partition(".")[0] == "ccxt" for cls in type(exchange).__mro__)
