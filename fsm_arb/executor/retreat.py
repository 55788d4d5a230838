"""Leaving a position that could not be left: a blocked exit is tried again, with growing pauses, until it is not."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import logging
from typing import TYPE_CHECKING

from attrs import evolve

from fsm_arb.decision import DECISION_ID_MAX
from fsm_arb.errors import ExecutorClosed, JournalFenced, PositionNotOpen
from fsm_arb.machines.position import PositionState
from fsm_arb.messages import Outcome
from fsm_arb.values import HealthStatus

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fsm_arb.decision import CrossExchangeDecision
    from fsm_arb.executor.services import Services
    from fsm_arb.memory import Memory
    from fsm_arb.policy import ExecutionPolicy
    from fsm_arb.results import CrossExecutionResult

logger = logging.getLogger(__name__)

FIRST_PAUSE = 8  # the first pause is this part of `halted_retry_s`


def derived_id(decision_id: str, number: int) -> str:
    """Return the id under which an exit is tried for the *number*-th time."""
    suffix = f"~{number}"
    if len(decision_id) + len(suffix) <= DECISION_ID_MAX:
        return decision_id + suffix
    # Two long ids that begin alike must not meet.
    suffix = f"~{hashlib.sha256(decision_id.encode()).hexdigest()[:12]}{suffix}"
    return decision_id[: DECISION_ID_MAX - len(suffix)] + suffix


class Retreats:
    """Tries blocked exits again, one chain for each position.

    Args:
        services: The executor's parts.
        policy: How long to wait.
        execute: Executes a decision.
    """

    def __init__(
        self,
        services: Services,
        policy: ExecutionPolicy,
        execute: Callable[[CrossExchangeDecision], Awaitable[CrossExecutionResult]],
    ) -> None:
        self._services = services
        self._longest_s = float(policy.halted_retry_s)
        self._execute = execute
        self._chains: dict[str, tuple[set[str], asyncio.Task[None]]] = {}  # by position: its trades, its task
        self._closed = False

    def ended(self, trade: Memory) -> None:
        """Take in that a trade is over; a blocked exit will be tried again."""
        position_id = trade.decision.position_id
        if self._closed or position_id is None or trade.outcome is not Outcome.BLOCKED:
            return
        chain = self._chains.get(position_id)
        if chain is not None:
            if trade.trade_id in chain[0]:
                return
            chain[1].cancel()  # the newest wish counts
        tried = {trade.trade_id}
        name = f"retreat from {position_id}"
        task = asyncio.get_running_loop().create_task(self._try_on(trade.decision, position_id, tried), name=name)
        self._chains[position_id] = tried, task
        task.add_done_callback(lambda done: self._over(position_id, done))

    async def close(self) -> None:
        """Try no more."""
        self._closed = True
        tasks = [task for _, task in self._chains.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _over(self, position_id: str, done: asyncio.Task[None]) -> None:
        chain = self._chains.get(position_id)
        if chain is not None and chain[1] is done:
            del self._chains[position_id]
        if not done.cancelled() and done.exception() is not None:
            logger.error("position %s is not tried to be left any more: %s", position_id, done.exception())

    async def _try_on(self, first: CrossExchangeDecision, position_id: str, tried: set[str]) -> None:
        others = self._exits(position_id) - tried
        pause = self._longest_s / FIRST_PAUSE
        numbers = itertools.count(2)
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * 2, self._longest_s)
            if not self._wanted(position_id, others | tried):
                return
            if not await self._answer(first):
                continue
            if not self._wanted(position_id, others | tried):  # it may have taken long
                return
            decision = evolve(first, decision_id=self._unused(first.decision_id, numbers))
            tried.add(decision.decision_id)
            try:
                result = await self._execute(decision)
            except (PositionNotOpen, ExecutorClosed, JournalFenced):
                return
            except Exception:
                logger.exception("exit %s failed; position %s is tried again", decision.decision_id, position_id)
                continue
            if result.status != Outcome.BLOCKED.value:
                return

    async def _answer(self, decision: CrossExchangeDecision) -> bool:
        """Whether both venues are there: while one is not, there is nothing to journal."""
        desks = [self._services.desks[leg.exchange] for leg in decision.legs]
        readings = await asyncio.gather(*(desk.health(0) for desk in desks))
        return all(reading.status is not HealthStatus.DOWN for reading in readings)

    def _wanted(self, position_id: str, known: set[str]) -> bool:
        """Whether the position is still there to be left, and nobody else has begun to."""
        try:
            position = self._services.positions.get(position_id)
        except PositionNotOpen:
            return False
        return position.state == PositionState.OPEN and self._exits(position_id) <= known

    def _exits(self, position_id: str) -> set[str]:
        return {trade_id for trade_id, _ in self._services.positions.get(position_id).exits}

    def _unused(self, decision_id: str, numbers: itertools.count[int]) -> str:
        """Return the next derived id that the journal does not know from another process."""
        while True:
            derived = derived_id(decision_id, next(numbers))
            if next(self._services.scribe.entries(derived), None) is None:
                return derived
