"""What can be asked of an executor at any time, and who is told of what it commits. Nothing here changes a trade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsm_arb.errors import ExecutorClosed, UnknownTrade
from fsm_arb.results import result_of
from fsm_arb.values import ZERO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from decimal import Decimal

    from fsm_arb.committed import Committed
    from fsm_arb.executor.runner import Runner
    from fsm_arb.executor.services import Services
    from fsm_arb.executor.subscribers import Subscribers, Subscription
    from fsm_arb.position import CrossExchangePosition
    from fsm_arb.results import CrossExecutionResult


class Asking:
    """The questions of `CrossExchangeExecutor`."""

    _services: Services
    _runners: Mapping[str, Runner]
    _subscribers: Subscribers
    _reading: bool

    def trade(self, trade_id: str) -> CrossExecutionResult:
        """Return what is true of one trade now.

        Raises:
            UnknownTrade: It is not on the journal.
        """
        runner = self._runners.get(trade_id)
        if runner is not None:
            return runner.result()
        found = self._services.scribe.trade(trade_id, self._services.fresh_id)
        if found is None:
            raise UnknownTrade(f"no trade {trade_id} on this journal")
        return result_of(found[0], self._services.positions.of_trade(found[0]))

    def trades(self, live: bool | None = None) -> Iterator[CrossExecutionResult]:  # noqa: FBT001 - reads as a question
        """Yield the results of all trades on the journal, oldest first, read lazily.

        Args:
            live: True: only those not DONE; False: only those DONE; None: all.
        """
        for trade_id in self._services.scribe.trade_ids(live=True if live else None):
            result = self.trade(trade_id)
            if live is None or live == (result.state != "DONE"):
                yield result

    def positions(self) -> tuple[CrossExchangePosition, ...]:
        """Return every position that is not closed, and those closed since the start."""
        return self._services.positions.all()

    def exposure(self) -> dict[str, Decimal]:
        """Return what is naked now over all unfinished trades, by base asset, + for long."""
        total: dict[str, Decimal] = {}
        for runner in self._runners.values():
            if not runner.trade.done:
                base = runner.trade.decision.legs[0].base
                total[base] = total.get(base, ZERO) + runner.trade.exposure
        return total

    # -------------------------------------------------------------- following

    def records(self, after: int | None = None) -> Subscription:
        """Return what is committed of trades and positions, from this call on, as an async iterator.

        A record comes once, durable, in the order of the journal. However slow the
        loop over it is, no trade waits for it and nothing is left out: what does
        not fit into its queue is read from the journal. It ends when the executor
        is left.

        Args:
            after: Begin behind this global sequence (``record.seq``) instead, 0 for the whole journal, and go
                on live without a gap or a duplicate.

        Raises:
            ExecutorClosed: The executor has not been entered, or was left.
            InvalidInput: *after* is negative, or the journal cannot be read in global order.
        """
        return self._following().follow(after)

    def subscribe(self, callback: Callable[[Committed], Any], *, after: int | None = None) -> Callable[[], None]:
        """Call *callback* with each record that `records` would give, one at a time; return what ends that.

        A coroutine function runs on the event loop, any other in a thread of its own
        (in virtual time, at once), after the commit; no trade waits for it. What it
        raises is logged once, and it is called again with the next record.

        Raises:
            ExecutorClosed: The executor has not been entered, or was left.
            InvalidInput: *after* is negative, or the journal cannot be read in global order.
        """
        return self._following().call(callback, after)

    def _following(self) -> Subscribers:
        if not self._reading:
            raise ExecutorClosed("nothing can be followed: the executor has not been entered, or was left")
        return self._subscribers
