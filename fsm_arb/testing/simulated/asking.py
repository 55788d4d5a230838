"""What ccxt's `params` and order types ask for, read as a new order."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from fsm_arb.matching.orders import Kind, NewOrder, TimeInForce
from fsm_arb.testing.simulated.errors import ccxt_error
from fsm_arb.values import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsm_arb.matching.market import Market

# What callers may call their own id, ccxt's word first.
CLIENT_ID_KEYS = (
    "clientOrderId",
    "newClientOrderId",
    "identifier",
    "client_order_id",
    "clientOid",
    "origClientOrderId",
)
_TIMES = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK, "PO": TimeInForce.POST_ONLY,
          "GTX": TimeInForce.POST_ONLY}  # fmt: skip


class Asked:
    """The `params` of one call."""

    def __init__(self, params: Mapping[str, Any] | None) -> None:
        self._params = params or {}

    @property
    def client_id(self) -> str | None:
        """The caller's own id of the order."""
        found = next((self._params[key] for key in CLIENT_ID_KEYS if self._params.get(key)), None)
        return None if found is None else str(found)

    @property
    def cost(self) -> Decimal | None:
        """How much quote a market buy spends."""
        value = self._params.get("cost")
        try:
            return None if value is None else Decimal(str(value))
        except InvalidOperation:
            raise ccxt_error("InvalidOrder", f"cost {value!r} is no number") from None

    def order(self, market: Market, kind: str, side: str, amount: Decimal | None, price: Decimal | None) -> NewOrder:
        """Return the order that is asked for.

        Args:
            market: Where.
            kind: ccxt's type, ``limit`` or ``market``.
            side: ``buy`` or ``sell``.
            amount: Base; None where `cost` says how much.
            price: Quote per base.

        Raises:
            Exception: ccxt's own, where it cannot be one.
        """
        if side not in {"buy", "sell"} or kind not in {"limit", "market"}:
            raise ccxt_error("InvalidOrder", f"there is no {kind} {side} order")
        if kind == "limit" and price is None:
            raise ccxt_error("ArgumentsRequired", "a limit order requires a price argument")
        word = str(self._params.get("timeInForce") or "GTC").upper()
        if word not in _TIMES:
            raise ccxt_error("InvalidOrder", f"time in force {word} is not known")
        if kind == "market":
            price = None
        return NewOrder(
            symbol=market.symbol,
            side=Side(side),
            kind=Kind.LIMIT if kind == "limit" else Kind.MARKET if self.cost is None else Kind.COST,
            time_in_force=TimeInForce.POST_ONLY if self._params.get("postOnly") else _TIMES[word],
            amount=amount,
            price=price,
            cost=self.cost if kind == "market" else None,
            client_id=self.client_id,
            reduce_only=bool(self._params.get("reduceOnly")),
        )
