"""Calling a person about one trade: what happened, what is naked, and which trade it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.executor.oversight import naked
from fsm_arb.messages import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsm_arb.alerts import Alerts
    from fsm_arb.memory import Entry, Memory


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
        worst = trade.ledger.worst_exposure if trade.ledger else 0
        labels = {"trade": trade.trade_id, "exposure": f"{trade.exposure:f}", "worst": f"{worst:f}"}
        self._alerts.raise_alert(subject, body, labels)
