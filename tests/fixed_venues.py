"""Venues without a server: the matching engine over books that a test has fixed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from fsm_arb.matching.accounts import MarginAccount, SpotAccount
from fsm_arb.matching.exchange import Exchange
from fsm_arb.matching.market import FeeRule
from fsm_arb.matching.orders import Kind, NewOrder, TimeInForce
from fsm_arb.testing.loopback.markets import BALANCES, MARKETS

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsm_arb.values import Side

D = Decimal


class NoBooks:
    def version(self, symbol: str, now_ms: int) -> int:
        return 0

    def levels(self, symbol: str, version: int) -> tuple[list[Any], list[Any]]:
        return [], []

    def missed(self, symbol: str, version: int, now_ms: int) -> tuple[int, ...]:
        return ()


def _exchange(dialect: str, fee_rule: FeeRule = FeeRule.RECEIVED) -> Exchange:
    account: Any = SpotAccount(BALANCES[dialect], FeeRule.QUOTE if dialect == "upbit" else fee_rule)
    if dialect == "binanceusdm":
        account = MarginAccount(BALANCES[dialect])
    exchange = Exchange(
        MARKETS[dialect],
        account,
        NoBooks(),
        ids_for_ever=dialect == "upbit",
        post_only_refused=dialect != "upbit",
        seed=1,
    )
    price = D(95_000_000) if dialect == "upbit" else D(60_000)
    step = D(100_000) if dialect == "upbit" else D(10)
    for market in exchange.markets.values():
        bids, asks = [(price, D("0.3"))], [(price + step, D("0.2")), (price + 2 * step, D("0.3"))]
        exchange.set_book(market.symbol, bids, asks, 0)
    return exchange


def _order(side: Side, amount: str | None, price: str | None, **changes: Any) -> NewOrder:
    fields: dict[str, Any] = {
        "symbol": "BTC/USDT",
        "side": side,
        "kind": Kind.LIMIT if price is not None else Kind.MARKET,
        "time_in_force": TimeInForce.IOC,
        "amount": None if amount is None else D(amount),
        "price": None if price is None else D(price),
    }
    return NewOrder(**(fields | changes))


@pytest.fixture
def make() -> Callable[..., Exchange]:
    """A venue's books by its name: one bid, two asks in every market."""
    return _exchange


@pytest.fixture
def order() -> Callable[..., NewOrder]:
    """An immediate-or-cancel order for BTC/USDT, unless told otherwise."""
    return _order
