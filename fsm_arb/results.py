"""What a bot is told about a trade: drawn from the ledger, never kept beside it."""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen

from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.errors import InvalidInput
from fsm_arb.ledger import Ledger
from fsm_arb.memory import Memory
from fsm_arb.messages import Outcome
from fsm_arb.orders import Lifecycle, Order
from fsm_arb.plan import LegPlan
from fsm_arb.values import ZERO, Fee, added, divide

NS_PER_MS = 1_000_000


@frozen(kw_only=True)
class LegExecutionResult:
    """What one leg did.

    Attributes:
        exchange: The key in the executor's ``venues``.
        symbol: The unified symbol.
        order_ids: The venue's, of every order of the leg, remedies included, as sent.
        client_order_ids: Ours, likewise.
        status: ``accepted``, ``partially_filled``, ``filled``, ``canceled`` or ``failed``.
        filled_qty: Base, net in the leg's own direction: an unwind subtracts.
        received_qty: The same after base fees.
        requested_qty: Base, the sized first order; zero when it was never sized.
        avg_price: Quote per base over the leg's own direction; None: nothing filled, or a price unknown.
        fees: What it cost, by asset.
        error: Why an order of it was refused or believed absent; empty: none was.
    """

    exchange: str
    symbol: str
    order_ids: tuple[str, ...] = ()
    client_order_ids: tuple[str, ...] = ()
    status: str = "failed"
    filled_qty: Decimal = ZERO
    received_qty: Decimal = ZERO
    requested_qty: Decimal = ZERO
    avg_price: Decimal | None = None
    fees: tuple[Fee, ...] = ()
    error: str = ""


@frozen(kw_only=True)
class CrossExecutionResult:
    """How a trade stands, or ended.

    Attributes:
        decision: What was asked for.
        trade_id: Its name on the journal.
        position_id: The position it opened, closes or amends; None where there is none.
        status: ``success``, ``partial_hedged``, ``rolled_back``, ``failed``, ``blocked`` or ``halted``.
        legs: In the decision's order.
        net_exposure: Base, what was received over both legs, + for long; dust is shown, not zeroed.
        dust: Base, the exposure below which neither venue would take an order; zero when never sized.
        pnl: Sells less buys less fees in the quote of legs[0], at the recorded FX, the residual valued at the
            decision's price; None where a fee's rate or a price is unknown.
        note: Why, in words.
        execution_time_ms: From decision taken up to the end; until then, to the last edge taken.
        state: The machine's state.
        ever_halted: Whether it was ever HALTED.
    """

    decision: CrossExchangeDecision
    trade_id: str
    position_id: str | None
    status: str
    legs: tuple[LegExecutionResult, LegExecutionResult]
    net_exposure: Decimal = ZERO
    dust: Decimal = ZERO
    pnl: Decimal | None = None
    note: str = ""
    execution_time_ms: int = 0
    state: str = ""
    ever_halted: bool = False

    def leg(self, exchange: str) -> LegExecutionResult:
        """Return the leg on *exchange*, the key in the executor's ``venues``.

        Raises:
            InvalidInput: No leg is there.
        """
        for each in self.legs:
            if each.exchange == exchange:
                return each
        raise InvalidInput("exchange", exchange, f"is on neither leg: {self.legs[0].exchange}, {self.legs[1].exchange}")


def result_of(trade: Memory, position_id: str | None = None) -> CrossExecutionResult:
    """Return what is true of *trade* now."""
    ledger = trade.ledger
    outcome = trade.outcome or Outcome.HALTED
    pnl, pnl_note = _pnl(ledger) if ledger else (None, "")
    notes = [trade.end_note if trade.done else trade.halt_reason, pnl_note]
    if ledger and ledger.plan.note:
        notes.append(ledger.plan.note)
    ended = trade.ended_at_ns or trade.moved_at_ns or trade.begun_at_ns
    return CrossExecutionResult(
        decision=trade.decision,
        trade_id=trade.trade_id,
        position_id=position_id,
        status=outcome.value,
        legs=(_leg(trade, 0), _leg(trade, 1)),
        net_exposure=trade.exposure,
        dust=ledger.plan.dust if ledger else ZERO,
        pnl=pnl,
        note="; ".join(note for note in notes if note),
        execution_time_ms=(ended - trade.begun_at_ns) // NS_PER_MS,
        state=trade.state,
        ever_halted=trade.ever_halted,
    )


def pnl_of(ledger: Ledger) -> Decimal | None:
    """Return what a sized trade has made by now, in the quote of legs[0]; None where a price or fee is unknown."""
    return _pnl(ledger)[0]


def _leg(trade: Memory, index: int) -> LegExecutionResult:
    leg = trade.decision.legs[index]
    ledger = trade.ledger
    if ledger is None:
        return LegExecutionResult(exchange=leg.exchange, symbol=leg.symbol)
    plan = ledger.plan.legs[index]
    orders = tuple(order for order in ledger.orders if order.intent.leg == index)
    filled = sum((order.filled * order.intent.side.sign for order in orders), ZERO) * plan.side.sign
    return LegExecutionResult(
        exchange=leg.exchange,
        symbol=leg.symbol,
        order_ids=tuple(order.venue_order_id for order in orders if order.venue_order_id),
        client_order_ids=tuple(order.intent.client_order_id for order in orders),
        status=_status(ledger, orders, index),
        filled_qty=filled,
        received_qty=ledger.progress(index),
        requested_qty=plan.amount,
        avg_price=ledger.average_price(index),
        fees=added(fee for order in orders for fee in order.fees),
        error="; ".join(order.mismatch or order.refusal for order in orders if order.mismatch or order.refusal),
    )


def _status(ledger: Ledger, orders: tuple[Order, ...], index: int) -> str:
    reached = ledger.progress(index)
    if orders and reached + ledger.plan.dust > ledger.plan.quantity:
        return "filled"
    if reached > 0:
        return "partially_filled"
    if any(order.live for order in orders):
        return "accepted"
    if any(order.lifecycle is Lifecycle.CLOSED for order in orders):
        return "canceled"
    return "failed"


def _pnl(ledger: Ledger) -> tuple[Decimal | None, str]:
    """Return sells less buys less fees in the quote of legs[0], the residual at the decision's price, or why not."""
    plan = ledger.plan
    total = ledger.exposure * plan.legs[0].price
    for order in ledger.orders:
        cash = _cash(order, plan.legs[order.intent.leg]) if order.filled else ZERO
        if isinstance(cash, str):
            return None, cash
        total += plan.worth(order.intent.leg, cash)
    for fill in ledger.external:
        cash = _net(-fill.side.sign * fill.amount * fill.price, (fill.fee,) if fill.fee else (), plan.legs[fill.leg])
        if isinstance(cash, str):
            return None, cash
        total += plan.worth(fill.leg, cash)
    return total, ""


def _cash(order: Order, leg: LegPlan) -> Decimal | str:
    """Return what an order brought in its quote currency, fees paid, or why that is not known."""
    if order.average is None:
        return f"PnL unknown: no price for what filled on {leg.leg.exchange}"
    if not order.fees_told:
        return f"PnL unknown: {leg.leg.exchange} has not told its fees yet"
    kept = divide(order.filled, order.gross)
    fees = tuple(Fee(fee.amount * kept, fee.currency) for fee in order.fees)
    return _net(-order.intent.side.sign * order.filled * order.average, fees, leg)


def _net(cash: Decimal, fees: tuple[Fee, ...], leg: LegPlan) -> Decimal | str:
    for fee in fees:
        if fee.currency == leg.rules.quote:
            cash -= fee.amount
        elif fee.amount and fee.currency != leg.rules.base:  # a base fee shows in the exposure
            return f"PnL unknown: no rate for a fee of {fee.amount:f} {fee.currency}"
    return cash
