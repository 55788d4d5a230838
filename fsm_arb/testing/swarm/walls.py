"""Whether neither venue would take any remedy of a trade, by the venues' own books: reckoned apart from the core."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from fsm_arb.values import BPS, ONE, ZERO, Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsm_arb.ledger import Ledger
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
    if ledger is None or not trade.halted or not ledger.known:
        return False
    exposure = ledger.exposure
    side = Side.SELL if exposure > 0 else Side.BUY
    return not any(_takes(trade, ledger, leg, side, markets) for leg in (0, 1))


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
