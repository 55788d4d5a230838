"""What finished trades have left of each asset: dust, too small for an order, carried into the next trade of it.

Each trade may leave a little less than the least order, and trades that differ
only in size leave it on the same side. So it is added up, and the next entry
of that asset trades it away along with its own quantity.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from fsm_arb.values import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable


@frozen(kw_only=True)
class Leftover:
    """What all trades have left that nobody watches any more. Whole, so that the last record is enough to read.

    Attributes:
        assets: Residual exposure by asset, + for long; none that is zero.
        trade_id: The trade whose watch ended or began again with this record.
    """

    assets: tuple[tuple[str, Decimal], ...]
    trade_id: str

    def of(self, asset: str) -> Decimal:
        """Return what is left of *asset*."""
        return dict(self.assets).get(asset, ZERO)

    def changed(self, asset: str, by: Decimal, trade_id: str) -> Leftover:
        """Return what is left once *by* more of *asset* is."""
        assets = dict(self.assets) | {asset: self.of(asset) + by}
        return Leftover(assets=tuple((name, left) for name, left in sorted(assets.items()) if left), trade_id=trade_id)


NOTHING = Leftover(assets=(), trade_id="")


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

    def restore(self, assets: Iterable[tuple[str, Decimal]]) -> None:
        """Take in what trades have left that ended before this process began and are not watched any more."""
        for asset, left in assets:
            self._totals[asset] = self._totals.get(asset, ZERO) + left

    def left_by(self, trade_id: str) -> Decimal:
        """Return what a trade counts with that may still change; zero for any other."""
        return self._by_trade.get(trade_id, ("", ZERO))[1]

    def forget(self, trade_id: str) -> None:
        """Nothing of this trade will change any more: what it left stays in the sum."""
        self._by_trade.pop(trade_id, None)

    def of(self, asset: str) -> Decimal:
        """Return what all finished trades together have left of *asset*, + for long."""
        return self._totals.get(asset, ZERO)
