"""The bot of an episode: asks for what was drawn, is impatient, dies and comes back, and asks again."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.errors import (
    DecisionConflict,
    ExecutorClosed,
    FsmArbError,
    JournalError,
)
from fsm_arb.machines.position import PositionState
from fsm_arb.testing.swarm.journal import Injected
from fsm_arb.values import BPS, ONE, Action, Leg, Money

if TYPE_CHECKING:
    from fsm_arb.executor.executor import CrossExchangeExecutor
    from fsm_arb.position import CrossExchangePosition
    from fsm_arb.results import CrossExecutionResult
    from fsm_arb.testing.swarm.chance import Chance
    from fsm_arb.testing.swarm.episode import Ask
    from fsm_arb.testing.swarm.process import Process

PAUSE_S = 2.0  # before a decision that could not be begun is asked for again
TRIES_MAX = 8
OPEN_LOOKS = 8  # at whether a position is open by now
EXITS = (Action.EXIT_TP, Action.EXIT_SL, Action.EXIT_TIMEOUT, Action.EXIT_REVERSAL, Action.EXIT_HEALTH)
NS_PER_S = 1_000_000_000


class Life(Protocol):
    """A process and the executor that it runs."""

    @property
    def process(self) -> Process:
        """Which."""
        ...

    @property
    def executor(self) -> CrossExchangeExecutor:
        """Entered, and not left yet."""
        ...


class Stage(Protocol):
    """What the bot needs of the world."""

    async def running(self) -> Life:
        """Return the process that runs, as soon as one does."""
        ...

    def market(self, venue: str, base: str) -> str:
        """Return the symbol under which *venue* trades *base*."""
        ...

    def price(self, venue: str, symbol: str) -> Decimal:
        """Return the middle of the book, quote per base."""
        ...

    def least(self, venue: str, symbol: str) -> Decimal:
        """Return the least order, base."""
        ...

    def now_ns(self) -> int:
        """Return the true time, UTC."""
        ...

    async def at(self, seconds: float) -> None:
        """Wait until *seconds* from the beginning."""
        ...


class Bot:
    """Asks for decisions."""

    def __init__(self, stage: Stage, chance: Chance) -> None:
        self.results: dict[str, CrossExecutionResult] = {}
        self.decisions: dict[str, CrossExchangeDecision] = {}
        self.given_up: Counter[str] = Counter()
        self.broken: list[str] = []  # errors that no caller should ever see
        self._stage = stage
        self._chance = chance
        self._waiting: dict[asyncio.Task[Any], None] = {}
        self._claimed: set[str] = set()

    async def ask(self, ask: Ask) -> None:
        """Have one decision executed, whatever it takes."""
        await self._stage.at(ask.at_s)
        decision: CrossExchangeDecision | None = None
        patience = ask.impatience_s
        for _ in range(TRIES_MAX):
            life = await self._stage.running()
            if decision is None:
                if ask.exits:
                    life = await self._something_open(life)
                decision = self._decide(ask, life.executor)
                self.decisions[decision.decision_id] = decision
            if not await self._try(life, decision, patience):
                return
            patience = None
        self.given_up["tries"] += 1

    async def _try(self, life: Life, decision: CrossExchangeDecision, patience_s: float | None) -> bool:
        """Ask once; return whether to ask again."""
        task = life.process.spawn(life.executor.execute_decision(decision), f"asking for {decision.decision_id}")
        self._waiting[task] = None
        try:
            await asyncio.wait({task}, timeout=patience_s)
        finally:
            del self._waiting[task]
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if task.cancelled():  # by impatience, or since its process is gone
            return True
        error = task.exception()
        if error is None:
            self.results[decision.decision_id] = task.result()
            return False
        return await self._again(error)

    async def _again(self, error: BaseException) -> bool:
        self.given_up[type(error).__name__] += 1
        if isinstance(error, ExecutorClosed | JournalError | Injected):
            await asyncio.sleep(PAUSE_S)
            return True
        if not isinstance(error, FsmArbError) or isinstance(error, DecisionConflict):
            self.broken.append(f"{type(error).__name__}: {error}")
        return False

    def abandon(self) -> None:
        """Cancel every task that awaits a decision, as a bot does that shuts a part of itself down."""
        for task in list(self._waiting):
            task.cancel()

    # -------------------------------------------------------------- deciding

    def _decide(self, ask: Ask, executor: CrossExchangeExecutor) -> CrossExchangeDecision:
        position = self._claim(executor) if ask.exits else None
        if position is not None:
            return CrossExchangeDecision(
                action=self._chance.one_of(f"ask {ask.number}", EXITS),
                legs=position.legs,
                prices=self._prices(position.legs, ask),
                position_id=position.position_id,
                reason="drawn",
                decision_id=f"t{ask.number}",
            )
        first, second = (Leg(venue, self._stage.market(venue, ask.base)) for venue in ask.venues)
        prices = self._prices((first, second), ask)
        least = max(self._stage.least(leg.exchange, leg.symbol) for leg in (first, second))
        notional = least * Decimal(str(ask.size)) * prices[0]
        seconds, rest = divmod(self._stage.now_ns(), NS_PER_S)
        decided_at = dt.datetime.fromtimestamp(seconds, dt.UTC) + dt.timedelta(microseconds=rest // 1000)
        return CrossExchangeDecision(
            action=Action.ENTRY_POSITIVE if ask.positive else Action.ENTRY_NEGATIVE,
            legs=(first, second),
            notional=Money(notional.quantize(Decimal("1e-8")), first.quote),
            prices=prices,
            reason="drawn",
            decision_id=f"t{ask.number}",
            decided_at=decided_at if ask.dated else None,
        )

    async def _something_open(self, life: Life) -> Life:
        """Give a position some time to open, so that there is one to leave."""
        for _ in range(OPEN_LOOKS):
            if any(self._leavable(position) for position in life.executor.positions()):
                break
            await asyncio.sleep(PAUSE_S)
            life = await self._stage.running()
        return life

    def _leavable(self, position: CrossExchangePosition) -> bool:
        open_ = position.state == PositionState.OPEN and position.tradable
        return open_ and position.position_id not in self._claimed

    def _claim(self, executor: CrossExchangeExecutor) -> CrossExchangePosition | None:
        """Return the oldest open position that was not asked to be left yet."""
        for position in executor.positions():
            if self._leavable(position):
                self._claimed.add(position.position_id)
                return position
        return None

    def _prices(self, legs: tuple[Leg, Leg], ask: Ask) -> tuple[Decimal, Decimal]:
        drift = ONE + Decimal(str(ask.drift_bps)) / BPS
        first, second = (self._stage.price(leg.exchange, leg.symbol) * drift for leg in legs)
        return first.quantize(Decimal("1e-8")), second.quantize(Decimal("1e-8"))
