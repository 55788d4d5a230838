"""`fsm-arb demo`: real ccxt objects, an exchange on loopback that misbehaves, and its books as the judge.

Nothing here helps the executor. The demonstration decides, asks, and at the
end compares; killed at any moment it begins again, asks for the same
decisions, and those begun before are answered from the journal.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from fsm_arb.audit.tales import Tale, tell_all
from fsm_arb.cli.course import KOREA, RECORDED, Setting, Slot, course, entry, leave
from fsm_arb.cli.judge import Verdict, judge
from fsm_arb.errors import FsmArbError, JournalError, PositionNotOpen, UnknownTrade
from fsm_arb.executor.executor import CrossExchangeExecutor
from fsm_arb.fx import StaticFx
from fsm_arb.journal.reader import JournalReader
from fsm_arb.machines.position import PositionState
from fsm_arb.policy import ExecutionPolicy, Placement
from fsm_arb.scribe import TRADE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from fsm_arb.cli.folder import Asked, Folder
    from fsm_arb.decision import CrossExchangeDecision
    from fsm_arb.position import CrossExchangePosition
    from fsm_arb.results import CrossExecutionResult
    from fsm_arb.testing.loopback.client import LoopbackExchange
    from fsm_arb.values import Leg, OrderBook

logger = logging.getLogger(__name__)

SETTLING_MAX_S = 60.0  # faults are off by then; a trade that needs longer has a problem of its own
LOOK_S = 0.1
BLOCKED_S = 0.3  # a pause after a check said no; who decides again at once runs into the same outage


def policy(placement: Placement) -> ExecutionPolicy:
    """Return the numbers of the demonstration: those of the world, made fast.

    The exchange on loopback answers within milliseconds, and what it executes
    late it executes within 0.15 s. So a fence of one second proves here what
    takes fifteen outside, and a watch of two seconds sees every late fill.
    """
    return ExecutionPolicy(
        placement=placement,
        poll_interval_s=Decimal("0.05"),
        absence_fence_s=Decimal(1),
        request_timeout_s=Decimal(2),
        fill_timeout_s=Decimal(1),
        backoff_s=Decimal("0.1"),
        attempts_max=6,
        doubt_max_s=Decimal(20),
        halted_retry_s=Decimal(1),
        watch_after_done_s=Decimal(2),
    )


@define
class Demo:
    """One run of the demonstration on one folder."""

    asked: Asked
    folder: Folder
    exchange: LoopbackExchange
    advance: Callable[[], None]  # called once for each trade that is DONE or HALTED
    settling: Callable[[], None]  # called when trading is over
    setting: Setting = KOREA
    failures: list[str] = field(factory=list)
    _claimed: set[str] = field(factory=set)  # positions that an exit was asked for
    _answered: set[int] = field(factory=set)  # slots

    def __attrs_post_init__(self) -> None:
        if self.asked.record is not None:
            self.setting = RECORDED

    async def run(self) -> tuple[list[Tale], Verdict]:
        """Trade, wait until all is settled, and judge."""
        slots = course(self.asked.seed, self.asked.trades, self.setting)
        middle = (len(slots) + 1) // 2
        # The executor is left and entered again in between, as a bot that is deployed anew would.
        begun = self._begun()
        if not all(slot.decision_id in begun for slot in slots[:middle]):
            await self._trade(slots[:middle], Placement.SIMULTANEOUS)
        await self._trade(slots, Placement.SEQUENTIAL, last=True)
        await self._keep_books()
        with JournalReader(self.folder.journal) as reader:
            tales = list(tell_all(reader))
        verdict = judge(tales, await self.exchange.truth(), (slot.decision_id for slot in slots), self.setting)
        return tales, _with(verdict, self.failures)

    async def _trade(self, slots: Sequence[Slot], placement: Placement, *, last: bool = False) -> None:
        async with CrossExchangeExecutor(
            venues={name: self.exchange.ccxt(name) for name in self.setting.venues},
            journal=self.folder.journal,
            fx=StaticFx(self.setting.rates),
            policy=policy(placement),
        ) as executor:
            known = {slot.decision_id: _known(executor, slot) for slot in slots}
            self._claimed |= {each.position_id for each in known.values() if each and each.position_id}
            waiting = deque(slot for slot in slots if known[slot.decision_id] is None)

            async def begin() -> None:
                while waiting:
                    await self._ask(executor, waiting.popleft(), None)

            # What was begun by an earlier run is not waited for before new trades are begun.
            again = [self._ask(executor, slot, each) for slot in slots if (each := known[slot.decision_id])]
            await asyncio.gather(*again, *(begin() for _ in range(self.asked.concurrency)))
            if last:
                self.settling()
                await self.exchange.clear_faults()
                await self._settle(executor)

    def _begun(self) -> set[str]:
        """Return the decisions that stand on the journal, from this run or one before it."""
        try:
            with JournalReader(self.folder.journal) as reader:
                return {stream.removeprefix(TRADE) for stream in reader.streams(TRADE)}
        except JournalError:  # there is none yet, or it was left half made; whoever drives it will say
            return set()

    async def _ask(self, executor: CrossExchangeExecutor, slot: Slot, known: CrossExchangeDecision | None) -> None:
        """Have one decision executed; one that was begun before is asked for as it was recorded."""
        try:
            result = None
            if known is None and slot.exits:
                result = await self._try_exit(executor, slot)
            if result is None:
                result = await executor.execute_decision(known or await self._entry(slot))
        except FsmArbError as error:
            logger.exception("%s failed", slot.decision_id)
            self.failures.append(f"{slot.decision_id}: {type(error).__name__}: {error}")
            return
        if slot.index not in self._answered:
            self._answered.add(slot.index)
            self.advance()
        if result.status == "blocked" and known is None:
            await asyncio.sleep(BLOCKED_S)

    async def _entry(self, slot: Slot) -> CrossExchangeDecision:
        legs = self.setting.legs(slot.base)
        return entry(slot, legs, await self._books(legs))

    async def _try_exit(self, executor: CrossExchangeExecutor, slot: Slot) -> CrossExecutionResult | None:
        """Close an open position; None where there is none, or it was traded back since it was chosen."""
        position = self._claim(executor)
        if position is None:
            return None
        try:
            return await executor.execute_decision(leave(slot, position, await self._books(position.legs)))
        except PositionNotOpen:
            return None

    def _claim(self, executor: CrossExchangeExecutor) -> CrossExchangePosition | None:
        """Return the oldest open position that no exit was asked for."""
        for position in executor.positions():
            if position.state == PositionState.OPEN and position.tradable and position.position_id not in self._claimed:
                self._claimed.add(position.position_id)
                return position
        return None

    async def _books(self, legs: tuple[Leg, Leg]) -> tuple[OrderBook, OrderBook]:
        """Return what the decision is made on: a feed of its own, which no fault touches."""
        first, second = await asyncio.gather(*(self.exchange.book(leg.exchange, leg.symbol) for leg in legs))
        return first, second

    async def _settle(self, executor: CrossExchangeExecutor) -> None:
        """Wait until every trade is DONE and none is watched any more, halted ones included while there is hope."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SETTLING_MAX_S
        with JournalReader(self.folder.journal) as reader:
            while loop.time() < deadline:
                await executor.settled()
                if not any(reader.streams(TRADE, live=True)):
                    return
                await asyncio.sleep(LOOK_S)

    async def _keep_books(self) -> None:
        """Put the exchange's books beside the journal: its process ends, and they are the other half of an audit."""
        text = json.dumps(await self.exchange.control("truth"), indent=1)
        self.folder.books.write_text(text, encoding="utf-8")


def _known(executor: CrossExchangeExecutor, slot: Slot) -> CrossExchangeDecision | None:
    try:
        return executor.trade(slot.decision_id).decision
    except UnknownTrade:
        return None


def _with(verdict: Verdict, failures: Sequence[str]) -> Verdict:
    return evolve(verdict, problems=(*failures, *verdict.problems))


@contextmanager
def log_to(path: Path) -> Iterator[None]:
    """Send what the library logs to *path*, for the length of a ``with``; a terminal is for the table."""
    library = logging.getLogger("fsm_arb")
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    before = library.level, library.propagate
    library.addHandler(handler)
    library.setLevel(logging.INFO)
    library.propagate = False
    try:
        yield
    finally:
        library.removeHandler(handler)
        library.level, library.propagate = before
        handler.close()
