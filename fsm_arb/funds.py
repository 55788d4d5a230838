"""What one executor's trades hold back from each other on every venue. Pure bookkeeping, no I/O.

A venue's free balance already lacks what an order has locked or spent, and a
trade's own proceeds belong to it until it has ended. So a reservation is
subtracted for as long as its trade runs, and on until a balance has been read
that was asked for after it ended: two trades that each fit and together do not
are never both begun.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field, frozen

from fsm_arb.values import ZERO, Balances, Money

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal


@frozen
class _Hold:
    amounts: tuple[tuple[str, Money], ...]  # by venue
    ended_at: int | None = None  # monotonic ns


@define(eq=False)
class Funds:
    """Reservations by trade."""

    _holds: dict[str, _Hold] = field(factory=dict)
    _newest: dict[str, int] = field(factory=dict)  # by venue: when its newest balance was asked for, monotonic ns

    def reserve(self, trade_id: str, amounts: Iterable[tuple[str, Money]]) -> None:
        """Hold back *amounts* (venue, money) for a trade; replaces what it held."""
        self._holds[trade_id] = _Hold(tuple(amounts))

    def release(self, trade_id: str, now: int) -> None:
        """Let a trade's reservation go with the next balance that is asked for after *now* (monotonic ns)."""
        hold = self._holds.get(trade_id)
        if hold is not None and hold.ended_at is None:
            self._holds[trade_id] = _Hold(hold.amounts, now)

    def read(self, venue: str, asked_at: int) -> None:
        """Take in that a balance of *venue* asked for at *asked_at* (monotonic ns) is known; forget what it shows."""
        if self._newest.get(venue, -1) >= asked_at:
            return
        self._newest[venue] = asked_at
        self._holds = {trade_id: hold for trade_id, hold in self._holds.items() if not self._shown(hold)}

    def _shown(self, hold: _Hold) -> bool:
        """Whether the newest balances of all its venues were asked for after its trade ended."""
        ended_at = hold.ended_at
        return ended_at is not None and all(self._newest.get(venue, -1) > ended_at for venue, _ in hold.amounts)

    def held(self, venue: str, currency: str, asked_at: int) -> Decimal:
        """Return what is held back of *currency* from a balance that was asked for at *asked_at*."""
        return sum(
            (
                money.amount
                for hold in self._holds.values()
                if hold.ended_at is None or hold.ended_at >= asked_at
                for where, money in hold.amounts
                if where == venue and money.currency == currency
            ),
            ZERO,
        )

    def available(self, venue: str, balances: Balances, asked_at: int) -> Balances:
        """Return *balances* less what running trades hold back."""
        return Balances(
            free={
                currency: max(amount - self.held(venue, currency, asked_at), ZERO)
                for currency, amount in balances.free.items()
            }
        )
