"""What running trades and open positions hold, so that two trades cannot both take the last room.

A trade's notional is reserved in the moment it passes the guard, before
anything is awaited, and let go when it has ended with nothing; a position keeps
its entry's reservation, at the size that is left, until it is closed.
"""

from __future__ import annotations

from decimal import Decimal

from attrs import define, field, frozen

from fsm_arb.values import ZERO


@frozen(kw_only=True)
class Holding:
    """One trade or position. Money is in the limits' currency."""

    asset: str
    venues: tuple[str, str]
    notional: Decimal
    sells_first: bool  # it sold on legs[0]


@define(eq=False)
class Holdings:
    """Sums by asset and venue. Every question costs the same, however many there are."""

    _by_id: dict[str, Holding] = field(factory=dict)
    _by_asset: dict[str, Decimal] = field(factory=dict)
    _by_venue: dict[str, Decimal] = field(factory=dict)
    _total: Decimal = ZERO
    _first_sellers: int = 0

    def put(self, name: str, holding: Holding) -> None:
        """Hold *holding* under *name*, in place of what was held under it."""
        self.drop(name)
        self._by_id[name] = holding
        self._count(holding, 1)

    def drop(self, name: str) -> None:
        """Let go of what is held under *name*, if anything is."""
        before = self._by_id.pop(name, None)
        if before is not None:
            self._count(before, -1)

    def get(self, name: str) -> Holding | None:
        """Return what is held under *name*."""
        return self._by_id.get(name)

    def of_asset(self, asset: str) -> Decimal:
        """Return what is held of *asset*."""
        return self._by_asset.get(asset, ZERO)

    def on_venue(self, venue: str) -> Decimal:
        """Return what is held on *venue*."""
        return self._by_venue.get(venue, ZERO)

    @property
    def total(self) -> Decimal:
        """What is held in all; each cross trade counts once, not once a leg."""
        return self._total

    def facing(self, *, sells_first: bool) -> int:
        """Return how many face one way."""
        return self._first_sellers if sells_first else len(self._by_id) - self._first_sellers

    def __len__(self) -> int:
        return len(self._by_id)

    def _count(self, holding: Holding, sign: int) -> None:
        amount = holding.notional * sign
        self._total += amount
        self._by_asset[holding.asset] = self._by_asset.get(holding.asset, ZERO) + amount
        for venue in set(holding.venues):
            self._by_venue[venue] = self._by_venue.get(venue, ZERO) + amount
        self._first_sellers += sign if holding.sells_first else 0
