"""What finished trades have left of each asset: dust, too small for an order, carried into the next trade of it.

Each trade may leave a little less than the least order, and trades that differ
only in size leave it on the same side. So it is added up, and the next entry
of that asset trades it away along with its own quantity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from fsm_arb.values import ZERO

if TYPE_CHECKING:
    from decimal import Decimal


@define(eq=False)
class Residuals:
    """Residual exposure by asset, and by trade for as long as a trade may still change."""

    _by_trade: dict[str, tuple[str, Decimal]] = field(factory=dict)
    _totals: dict[str, Decimal] = field(factory=dict)

    def note(self, trade_id: str, asset: str, exposure: Decimal) -> None:
        """Take in what a trade has left by now, + for long; zero while it is at work on it."""
        _, before = self._by_trade.get(trade_id, (asset, ZERO))
        self._by_trade[trade_id] = asset, exposure
        self._totals[asset] = self._totals.get(asset, ZERO) + exposure - before

    def recall(self, trade_id: str, asset: str, exposure: Decimal) -> None:
        """Follow a forgotten trade again; what it left is in the sum already."""
        self._by_trade.setdefault(trade_id, (asset, exposure))

    def forget(self, trade_id: str) -> None:
        """Nothing of this trade will change any more: what it left stays in the sum."""
        self._by_trade.pop(trade_id, None)

    def of(self, asset: str) -> Decimal:
        """Return what all finished trades together have left of *asset*, + for long."""
        return self._totals.get(asset, ZERO)
