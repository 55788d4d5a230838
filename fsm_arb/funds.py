"""What one executor's trades hold back from each other on every venue. Pure bookkeeping, no I/O.

A venue's free balance already lacks what an order has locked or spent, and a
trade's own proceeds belong to it until it has ended. So a reservation is
subtracted for as long as its trade runs, and on until a balance has been read
that was asked for after it ended: two trades that each fit and together do not
are never both begun.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from attrs import define, field

from fsm_arb.values import ZERO, Balances, Money

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal


@define(eq=False)
class Funds:
    """Reservations by venue and trade. Every question costs the same, however many trades run."""

    _holds: dict[str, dict[str, tuple[Money, ...]]] = field(factory=dict)  # by venue, by trade
    _totals: dict[tuple[str, str], Decimal] = field(factory=dict)  # by venue and currency
    # By venue, in order: monotonic ns, the trade, and what it held then; it may have been begun anew since.
    _ended: dict[str, deque[tuple[int, str, tuple[Money, ...]]]] = field(factory=dict)

    def reserve(self, trade_id: str, amounts: Iterable[tuple[str, Money]]) -> None:
        """Hold back *amounts* (venue, money) for a trade; replaces what it held."""
        for venue in self._holds:
            self._drop(venue, trade_id)
        for venue, money in amounts:
            holds = self._holds.setdefault(venue, {})
            holds[trade_id] = (*holds.get(trade_id, ()), money)
            key = venue, money.currency
            self._totals[key] = self._totals.get(key, ZERO) + money.amount

    def release(self, trade_id: str, now: int) -> None:
        """Let a trade's reservation go with the next balance that is asked for after *now* (monotonic ns)."""
        for venue, holds in self._holds.items():
            if trade_id in holds:
                self._ended.setdefault(venue, deque()).append((now, trade_id, holds[trade_id]))

    def read(self, venue: str, asked_at: int) -> None:
        """Take in that a balance of *venue* asked for at *asked_at* (monotonic ns) is known; forget what it shows."""
        ended = self._ended.get(venue)
        while ended and ended[0][0] < asked_at:
            _, trade_id, held = ended.popleft()
            if self._holds[venue].get(trade_id) is held:
                self._drop(venue, trade_id)

    def held(self, venue: str, currency: str) -> Decimal:
        """Return what is held back of *currency* on *venue*."""
        return self._totals.get((venue, currency), ZERO)

    def available(self, venue: str, balances: Balances) -> Balances:
        """Return the newest *balances* of *venue* less what trades hold back."""
        free = {currency: max(amount - self.held(venue, currency), ZERO) for currency, amount in balances.free.items()}
        return Balances(free=free)

    def _drop(self, venue: str, trade_id: str) -> None:
        for money in self._holds[venue].pop(trade_id, ()):
            self._totals[venue, money.currency] -= money.amount
