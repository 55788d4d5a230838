"""The trades that are driven, each by a runner of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.errors import UnknownTrade
from fsm_arb.executor.opening import held_by
from fsm_arb.executor.runner import Runner
from fsm_arb.trade import Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsm_arb.executor.services import Services
    from fsm_arb.scribe import Page
    from fsm_arb.trade import Trade


class Crew:
    """Starts runners and lets go of those whose trade is over.

    Args:
        services: The executor's parts.
        ended: Called with each trade that is over.
    """

    def __init__(self, services: Services, ended: Callable[[Trade], None]) -> None:
        self.runners: dict[str, Runner] = {}
        self._services = services
        self._ended = ended

    def drive(self, trade: Trade, page: Page, step: Step, failure: Exception | None = None) -> Runner:
        """Drive a trade whose *step* is durable; *failure*: why what is in memory is not."""
        if trade.ledger is not None and not trade.done and failure is None:
            self._services.funds.reserve(trade.trade_id, held_by(trade.ledger.plan))
        runner = Runner(self._services, trade, page)
        self.runners[trade.trade_id] = runner
        runner.start(step, failure)
        runner.when_ended(lambda: self._forget(trade.trade_id, runner))
        return runner

    def _forget(self, trade_id: str, runner: Runner) -> None:
        """Let go of a trade that is finished; one whose driver failed stays in sight."""
        if runner.trade.finished and self.runners.get(trade_id) is runner:
            del self.runners[trade_id]
            self._services.residuals.forget(trade_id)
            self._ended(runner.trade)
            self._services.guarding.forget(runner.trade, self.runners)

    def driving(self, trade_id: str) -> Runner:
        """Return who drives this trade.

        Raises:
            UnknownTrade: Nobody does.
        """
        runner = self.runners.get(trade_id)
        if runner is None or runner.ended:
            raise UnknownTrade(f"trade {trade_id} is not being driven: it is finished, or was never begun")
        return runner

    def roused(self, trade_id: str) -> Runner:
        """Return who drives this trade; one that is over is folded again and driven anew.

        Raises:
            UnknownTrade: It is not on the journal, or its driver has failed.
        """
        runner = self.runners.get(trade_id)
        if runner is None or (runner.ended and runner.trade.finished):
            found = self._services.scribe.trade(trade_id, self._services.fresh_id)
            if found is not None:
                trade, page = found
                self._services.residuals.recall(trade_id, trade.decision.legs[0].base, trade.exposure)
                self._services.guarding.recall(trade)
                return self.drive(trade, page, Step())
        return self.driving(trade_id)
