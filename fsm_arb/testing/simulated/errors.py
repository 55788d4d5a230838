"""ccxt's own errors, by name. ccxt is imported when the first one is raised, not before: it costs a second."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping

from fsm_arb.matching.orders import Refusal

# What a venue says of an order that it does not take: ccxt's class, and the words.
REFUSALS: Mapping[Refusal, tuple[str, str]] = {
    Refusal.UNKNOWN_MARKET: ("BadSymbol", "the market is not listed"),
    Refusal.HALTED: ("MarketClosed", "trading is halted in this market"),
    # No exchange of ccxt's maps this to DuplicateOrderId.
    Refusal.DUPLICATE: ("InvalidOrder", "duplicate order: this client order id has been used"),
    Refusal.LOT: ("InvalidOrder", "the amount is not a multiple of the lot"),
    Refusal.TICK: ("InvalidOrder", "the price is not a multiple of the tick"),
    Refusal.BAND: ("InvalidOrder", "the price is outside the price band"),
    Refusal.AMOUNT_MIN: ("InvalidOrder", "the amount is below the minimum"),
    Refusal.NOTIONAL_MIN: ("InvalidOrder", "the notional is below the minimum"),
    Refusal.POST_ONLY: ("OrderImmediatelyFillable", "a post-only order would take"),
    Refusal.REDUCE_ONLY: ("InvalidOrder", "there is no position to reduce"),
    Refusal.FUNDS: ("InsufficientFunds", "the balance is insufficient"),
    Refusal.INJECTED: ("InvalidOrder", "the order was rejected"),
}
# After these the order does not exist and never will.
DEFINITE = frozenset({
    "BadSymbol", "MarketClosed", "InvalidOrder", "OrderImmediatelyFillable", "InsufficientFunds",
    "AuthenticationError", "RateLimitExceeded", "DDoSProtection", "InvalidNonce", "OrderNotFound",
})  # fmt: skip


@functools.cache
def error_class(name: str) -> type[Exception]:
    """Return ccxt's class of that name.

    Raises:
        AttributeError: It has none.
    """
    found: type[Exception] = getattr(importlib.import_module("ccxt.base.errors"), name)
    return found


def ccxt_error(name: str, words: str) -> Exception:
    """Return one of ccxt's errors, ready to be raised."""
    return error_class(name)(words)
