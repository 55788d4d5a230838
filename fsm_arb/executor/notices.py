"""Calling a person about one trade: what happened, what is naked, and which trade it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.executor.oversight import naked
from fsm_arb.messages import Moved, Outcome
from fsm_arb.values import ZERO, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fsm_arb.alerts import Alerts
    from fsm_arb.memory import Entry, Memory
    from fsm_arb.position import CrossExchangePosition


def turned(alerts: Alerts, before: CrossExchangePosition | None, after: CrossExchangePosition) -> None:
    """Call somebody when a position comes to stand the other way round, changes so, or does so no more."""
    was = before.quantity if before is not None and _is_turned(before) else None
    if _is_turned(after):
        if after.quantity != was:
            _tell_turned(alerts, after)
    elif was is not None:
        body = f"{plain(was)} {after.legs[0].base} stood so; it is {after.state} with {plain(after.quantity)}"
        alerts.raise_alert(f"position {after.position_id} no longer stands the wrong way round", body, _labels(after))


def tell_turned(alerts: Alerts, positions: Iterable[CrossExchangePosition]) -> None:
    """Call somebody again for each position that stands the other way round, as after a start."""
    for position in positions:
        if _is_turned(position):
            _tell_turned(alerts, position)


def _is_turned(position: CrossExchangePosition) -> bool:
    return position.reversed and position.tradable


def _tell_turned(alerts: Alerts, position: CrossExchangePosition) -> None:
    base, exchanges = position.legs[0].base, " and ".join(leg.exchange for leg in position.legs)
    alerts.raise_alert(
        f"position {position.position_id} stands the wrong way round",
        f"more was traded back than is left of its entry: {plain(position.quantity)} {base} is hedged the other way "
        f"round on {exchanges}; nothing is naked, and an exit closes it",
        _labels(position),
    )


def _labels(position: CrossExchangePosition) -> dict[str, str]:
    return {"position": position.position_id, "quantity": plain(position.quantity)}


class Notices:
    """The alerts of one trade."""

    def __init__(self, alerts: Alerts) -> None:
        self._alerts = alerts
        self._strange: dict[int, str] = {}  # orders that cannot be ours, as they were last told of

    def recorded(self, trade: Memory, entries: Sequence[Entry]) -> None:
        """Tell what durable records say that a person must know."""
        for entry in entries:
            if entry.trigger in {"wall", "stalled"} and trade.halted:
                self._halted(trade, "halted" if entry.trigger == "wall" else "still halted")
            elif (entry.before, entry.trigger) == ("DONE", "disturbed"):
                self._raise(trade, f"trade {trade.trade_id} was disturbed", f"it had ended; {naked(trade)}")
            elif entry.after == "DONE" != entry.before:
                self._stuck(trade)
                self._wrong_way(trade, entry)
        self._mismatched(trade)

    def left_behind(self, trade: Memory, error: Exception) -> None:
        """Tell that a trade is no longer driven although it has not ended."""
        self._raise(trade, f"trade {trade.trade_id} is left behind", f"{naked(trade)}; {error}")

    def _halted(self, trade: Memory, what: str) -> None:
        self._raise(trade, f"trade {trade.trade_id} {what}", f"{naked(trade)}; {trade.halt_reason}")

    def _stuck(self, trade: Memory) -> None:
        """Call somebody when a position could not be left."""
        if trade.decision.action.is_exit and trade.outcome in {Outcome.BLOCKED, Outcome.FAILED}:
            self._alerts.raise_alert(
                f"position {trade.decision.position_id} could not be left",
                f"exit {trade.trade_id}: {trade.outcome.value}: {trade.end_note}; the position stays open, hedged",
                {"trade": trade.trade_id, "position": str(trade.decision.position_id)},
            )

    def _wrong_way(self, trade: Memory, entry: Entry) -> None:
        """Call somebody when only the wrong way round could hedge it."""
        booked = entry.fact.booked if isinstance(entry.fact, Moved) else None
        if booked is not None and booked < 0:
            amount = f"{plain(-booked)} {trade.decision.legs[0].base}"
            self._raise(trade, f"trade {trade.trade_id} is hedged the wrong way round", f"{amount}; {naked(trade)}")

    def _mismatched(self, trade: Memory) -> None:
        for order in trade.orders:
            index = order.intent.index
            if not order.mismatch:
                self._strange.pop(index, None)
            elif index not in self._strange:
                self._strange[index] = order.mismatch
                exchange = trade.decision.legs[order.intent.leg].exchange
                self._raise(
                    trade,
                    f"trade {trade.trade_id}: {exchange} shows another order under our id",
                    f"order {order.intent.client_order_id}: {order.mismatch}; it is in doubt; {naked(trade)}",
                )

    def _raise(self, trade: Memory, subject: str, body: str) -> None:
        worst = trade.ledger.worst_exposure if trade.ledger else ZERO
        labels = {"trade": trade.trade_id, "exposure": plain(trade.exposure), "worst": plain(worst)}
        self._alerts.raise_alert(subject, body, labels)
