"""Say one order in the words of one exchange."""

from __future__ import annotations

import decimal
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import frozen

from fsm_arb.values import EXACT, ONE, OrderType, Side, plain
from fsm_arb.venues.dialect import MarketForm
from fsm_arb.venues.lookup import fill_in, words_for
from fsm_arb.venues.parse import contract_size
from fsm_arb.venues.settings import is_ccxt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsm_arb.ports import OrderRequest
    from fsm_arb.venues.dialect import Dialect


class Unplaceable(Exception):
    """The exchange has no words for this order; nothing was sent.

    Attributes:
        code: Stable, snake_case.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@frozen
class Arguments:
    """What `create_order` is called with."""

    positional: tuple[str, str, str, Decimal | str, Decimal | str | None]  # symbol, type, side, amount, price
    params: dict[str, str | bool]


def order_arguments(request: OrderRequest, market: Mapping[str, Any], dialect: Dialect, exchange: Any) -> Arguments:
    """Return how *request* is said to ccxt.

    Args:
        request: What to send; amount in base.
        market: ccxt's market.
        dialect: The exchange's row.
        exchange: Its options may tell that market buys spend quote.

    Raises:
        Unplaceable: No order of this kind, or a client id that the venue would alter.
    """
    params: dict[str, str | bool] = {}
    if dialect.client_id_param is not None:
        _check_id(request.client_order_id, dialect)
        params[dialect.client_id_param] = dialect.wire_id(request.client_order_id)
    form = _form(request, dialect, exchange)
    price: Decimal | None = request.bound
    if form is OrderType.IOC:
        if dialect.ioc_params is None:
            raise Unplaceable("order_type_not_supported", f"{dialect.exchange_id} has no immediate-or-cancel order")
        params |= dialect.ioc_params
    elif form is OrderType.LIMIT:
        params |= dialect.limit_params
    else:
        price = None
        params |= dialect.market_params
    if request.post_only:
        if form is not OrderType.LIMIT:
            raise Unplaceable("invalid_order", f"post-only contradicts order type {form.value}")
        params |= dialect.post_only_params
    if request.reduce_only and contract_size(market) is not None:
        params |= dialect.reduce_only_params
    amount = EXACT.divide(request.amount, contract_size(market) or ONE)
    _check_unaltered(exchange, request, amount, price)
    kind = "market" if form is OrderType.MARKET else "limit"
    words = words_for(dialect, market, request.client_order_id)
    if dialect.numbers_as_text:
        limit = None if price is None else plain(price)
        return Arguments((request.symbol, kind, request.side.value, plain(amount), limit), fill_in(params, words))
    return Arguments((request.symbol, kind, request.side.value, amount, price), fill_in(params, words))


def _form(request: OrderRequest, dialect: Dialect, exchange: Any) -> OrderType:
    if request.order_type is not OrderType.MARKET:
        return request.order_type
    form = dialect.market_buy if request.side is Side.BUY else dialect.market_sell
    options = getattr(exchange, "options", None)
    if request.side is Side.BUY and not dialect.listed and isinstance(options, dict):
        # ccxt sets this option where a market buy spends quote.
        form = MarketForm.BOUNDED if "createMarketBuyOrderRequiresPrice" in options else form
    return OrderType.IOC if form is MarketForm.BOUNDED else OrderType.MARKET


def _check_id(client_order_id: str, dialect: Dialect) -> None:
    length_max, alphabet = dialect.client_id_length_max, dialect.client_id_alphabet
    if len(client_order_id) > length_max or not re.fullmatch(f"[{alphabet}]+", client_order_id):
        message = f"client order id {client_order_id!r} must be 1 to {length_max} of [{alphabet}]"
        raise Unplaceable("invalid_client_order_id", message)


def _check_unaltered(exchange: Any, request: OrderRequest, amount: Decimal, price: Decimal | None) -> None:
    """Make sure that ccxt's own rounding leaves the order within what was asked.

    It rounds prices to nearest, which may cross the bound, and says nothing.
    """
    if not is_ccxt(exchange):
        return
    with decimal.localcontext():  # its helpers change the context they find
        sent = Decimal(exchange.amount_to_precision(request.symbol, amount))
        limit = None if price is None else Decimal(exchange.price_to_precision(request.symbol, price))
    if sent > amount:
        raise Unplaceable("amount_off_grid", f"{request.symbol}: ccxt would send {sent:f} instead of {amount:f}")
    if price is not None and limit is not None and (limit - price) * request.side.sign > 0:
        raise Unplaceable("price_off_grid", f"{request.symbol}: ccxt would send {limit:f} instead of {price:f}")
