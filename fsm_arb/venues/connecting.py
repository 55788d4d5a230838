"""Make an exchange object of ccxt's by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsm_arb.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping


def connect(ccxt_id: str, config: Mapping[str, Any]) -> Any:
    """Return an exchange of ``ccxt.async_support``; whoever asked closes it.

    Args:
        ccxt_id: ccxt's name of it.
        config: Its constructor's; credentials among others.

    Raises:
        InvalidInput: ccxt knows no such exchange.
    """
    import ccxt.async_support as ccxt

    if ccxt_id not in ccxt.exchanges:
        raise InvalidInput("exchange", ccxt_id, "is none that ccxt knows")
    return getattr(ccxt, ccxt_id)({"enableRateLimit": True, **config})
