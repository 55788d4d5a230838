"""Whether neither venue would take any remedy of a trade, by the venues' own books: reckoned apart from the core."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from attrs import define, field

from fsm_arb.policy import seconds_ns
from fsm_arb.testing.invariants.liveness import naked_max_ns
from fsm_arb.values import BPS, ONE, ZERO, Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fsm_arb.ledger import Ledger
    from fsm_arb.policy import ExecutionPolicy
    from fsm_arb.trade import Trade

HEADROOM = Decimal("1.01")  # of funds: fees, and a book that moves in between


class Markets(Protocol):
    """What the venues would say."""

    def touch(self, venue: str, symbol: str, side: Side) -> Decimal | None:
        """Return the best price that an order of *side* would meet; None: there is none."""
        ...

    def free(self, venue: str, asset: str) -> Decimal | None:
        """Return what is free; None: it does not bound orders there."""
        ...


def walled(trade: Trade, markets: Markets) -> bool:
    """Whether *trade*, halted and with nothing in doubt, could send no remedy now."""
    ledger = trade.ledger
    if ledger is None or not _at_rest(trade):
        return False
    exposure = ledger.exposure
    side = Side.SELL if exposure > 0 else Side.BUY
    return not any(_takes(trade, ledger, leg, side, markets) for leg in (0, 1))


def _at_rest(trade: Trade) -> bool:
    """Whether *trade* is halted, and nothing of it can move."""
    return trade.halted and trade.ledger is not None and trade.ledger.known


def _takes(trade: Trade, ledger: Ledger, leg: int, side: Side, markets: Markets) -> bool:
    """Whether the venue of *leg* would take an order of *side* that makes the exposure smaller."""
    plan = ledger.plan.legs[leg]
    touch = markets.touch(plan.leg.exchange, plan.leg.symbol, side)
    if touch is None:
        return False
    worst = plan.price * (ONE + side.sign * trade.policy.max_remedy_loss_bps / BPS)
    if (touch - worst) * side.sign > 0:
        return False
    amount = abs(ledger.exposure)
    if side is Side.BUY:
        free = markets.free(plan.leg.exchange, plan.rules.quote)
        affordable = None if free is None else free / (touch * HEADROOM * (ONE + trade.policy.final_band))
    else:
        affordable = markets.free(plan.leg.exchange, plan.rules.base)
    if affordable is not None:
        amount = min(amount, affordable)
    least = max(plan.least, plan.rules.notional_min / touch)
    return amount - amount % plan.rules.lot >= least and amount > ZERO


def walls(trades: Mapping[str, Trade], markets: Markets) -> frozenset[str]:
    """Return the trades that have met a wall."""
    return frozenset(trade_id for trade_id, trade in trades.items() if walled(trade, markets))


def retry_max_ns(policy: ExecutionPolicy) -> int:
    """Return how long after a try in vain a halted trade has tried again on calm venues at the latest, ns."""
    return seconds_ns(policy.halted_retry_s + policy.request_timeout_s)  # both venues are asked at once


@define(eq=False)
class Walls:
    """Who has met a wall, as prices come and go.

    A price that comes back between two tries of a halted trade is for the
    second of them to meet: prices walk on for as long as anybody looks, so an
    end that is judged between two tries finds any price at all.
    """

    markets: Markets
    _met: dict[str, int] = field(factory=dict)  # when it was last seen at a wall, monotonic ns, by trade
    _tried: dict[str, int] = field(factory=dict)  # when its last try was, monotonic ns, by trade; only those in vain

    def look(self, trades: Mapping[str, Trade], now: int, tried: Iterable[str]) -> None:
        """Take in who stands at a wall *now*, monotonic ns, and of whom both venues have just been *tried*."""
        stuck = walls(trades, self.markets)
        self._met.update(dict.fromkeys(stuck, now))
        for trade_id in tried:
            self._tried.pop(trade_id, None)
            if trade_id in stuck:
                self._tried[trade_id] = now

    def lately(self, trades: Mapping[str, Trade], now: int) -> frozenset[str]:
        """Return the trades at a wall, and those that left one no longer ago than their policy needs to end."""
        return frozenset(
            trade_id for trade_id, at in self._met.items() if now - at <= naked_max_ns(trades[trade_id].policy)
        )

    def waiting(self, trades: Mapping[str, Trade], now: int) -> frozenset[str]:
        """Return the trades at a wall, and those that met one at their last try, of which the next is not due yet."""
        return frozenset(trade_id for trade_id, at in self._met.items() if at == now) | frozenset(
            trade_id
            for trade_id, at in self._tried.items()
            if _at_rest(trades[trade_id]) and now - at <= retry_max_ns(trades[trade_id].policy)
        )
