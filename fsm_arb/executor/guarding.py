"""The bot's risk guard, as the executor uses it: asked before entries, told how trades stand, its history kept.

A guard needs one method, ``check_cross_exchange_trade(decision)``. One that
also has what `FollowingGuard` names reserves what it lets pass, is told how
trades end, and finds its history again after a restart.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from fsm_arb.errors import FsmArbError, InvalidInput, JournalError
from fsm_arb.executor.keeping import Keeping
from fsm_arb.executor.limits import within
from fsm_arb.machines.position import PositionState
from fsm_arb.memory import Memory
from fsm_arb.position import CrossExchangePosition
from fsm_arb.risk.history import Counted, RiskHistory
from fsm_arb.risk.reckoning import Reckoned, reckoned

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from fsm_arb.decision import CrossExchangeDecision
    from fsm_arb.executor.positions import CrossExchangePositionManager
    from fsm_arb.ports import Clock
    from fsm_arb.scribe import Scribe
    from fsm_arb.trade import Trade
    from fsm_arb.values import Money

logger = logging.getLogger(__name__)

ASKED = "check_cross_exchange_trade"


@runtime_checkable
class FollowingGuard(Protocol):
    """A risk guard that reserves and remembers, such as `fsm_arb.CrossExchangeRiskGuard`.

    It is told in passing: of all its methods `admit` alone may be a coroutine.
    """

    history: RiskHistory
    doubts: Mapping[str, str]  # by asset: why a fee in it was counted as the usual one

    def admit(self, decision: CrossExchangeDecision) -> Any:
        """Return a verdict on an entry, and reserve what it lets pass."""

    def follow(
        self, trade: Memory, position: CrossExchangePosition | None, parts: Mapping[str, Reckoned] | None = None
    ) -> None:
        """Take in how a trade stands; *parts*: what trades of its position whose PnL is unknown are reckoned to be."""

    def stands(self, position: CrossExchangePosition) -> None:
        """Take in how an open position stands."""

    def let_go(self, trade_id: str) -> None:
        """Release what a trade reserved."""

    def forget(self, trade_id: str) -> None:
        """Nothing of this trade will change any more."""

    def recall(self, trade_id: str, counted: Counted) -> None:
        """Something of this trade may change after all: take back what was counted for it."""

    def enter(self, keeper: Callable[[], None]) -> None:
        """Belong to one executor; *keeper* is called where the history has changed by hand."""

    def leave(self) -> None:
        """Be free for another executor."""

    def take_up(self, history: RiskHistory) -> None:
        """Go on from a history that was kept."""

    def kept(self, history: RiskHistory) -> None:
        """Take in that a history is durable."""


TOLD = ("follow", "stands", "let_go", "forget", "recall", "enter", "leave", "take_up", "kept")


def following(guard: Any) -> FollowingGuard | None:
    """Return *guard* where it wants to be told how trades stand; None where it is asked alone.

    Raises:
        InvalidInput: It could not be told: it follows by half, or by a coroutine that nobody would await.
    """
    if not hasattr(guard, "follow"):
        return None
    awaited = [name for name in TOLD if inspect.iscoroutinefunction(getattr(guard, name, None))]
    if awaited:
        why = f"is told in passing, so these must not be coroutines: {', '.join(awaited)}"
        raise InvalidInput("risk_guard", type(guard).__name__, why)
    if not isinstance(guard, FollowingGuard):
        missing = [name for name in ("history", "doubts", "admit", *TOLD) if not hasattr(guard, name)]
        why = f"follows trades, and lacks {', '.join(missing)}"
        raise InvalidInput("risk_guard", type(guard).__name__, why)
    return guard


class Guarding:
    """Stands between the executor and a guard that may be anybody's code: nothing it does holds up a trade.

    Args:
        guard: The bot's; None: every entry passes.
        scribe: Where its history is kept.
        positions: The executor's.
        clock: Where time comes from.
        timeout_s: How long a guard that has to be awaited may take.
        alert: Called with subject, body and labels where the guard fails.

    Raises:
        InvalidInput: The guard cannot be told how trades stand, though it wants to be.
    """

    def __init__(
        self,
        guard: Any,
        scribe: Scribe,
        positions: CrossExchangePositionManager,
        *,
        clock: Clock,
        timeout_s: float,
        alert: Callable[[str, str, dict[str, str]], None],
    ) -> None:
        self._guard = guard
        self._follows = following(guard)
        self._ours = False  # the guard that follows belongs to this executor
        self._scribe = scribe
        self._positions = positions
        self._timeout_s = timeout_s
        self._alert = alert
        self._parts: dict[str, Reckoned] = {}  # what trades of unknown PnL are reckoned to have made, by trade id
        self._doubted: set[str] = set()  # assets that a person was told of
        self._keeping = Keeping(scribe, clock, self._kept)
        self._lost = ""  # why its history could not be read; entries wait until a person has looked
        self._untold: dict[str, tuple[Callable[..., None], tuple[Any, ...]]] = {}  # what it could not take in yet

    async def ask(self, decision: CrossExchangeDecision) -> tuple[str, Money | None]:
        """Return why an entry is refused (empty: it is not), and how much of it fits (None: all of it).

        An error of the guard's own refuses: what cannot be judged is not begun.
        """
        if self._guard is None or decision.action.is_exit:
            return "", None
        unready = self._unready()
        if unready:
            return unready, None
        try:
            verdict = (self._follows.admit if self._follows else getattr(self._guard, ASKED))(decision)
            if inspect.isawaitable(verdict):
                verdict = await within(self._timeout_s, verdict)
        except TimeoutError:
            return f"risk: the guard gave no answer in {self._timeout_s:g} s", None
        except Exception as error:  # noqa: BLE001 - a guard is the bot's code; whatever it raises is a no
            return f"risk: the guard failed: {type(error).__name__}: {error}", None
        approved = verdict if isinstance(verdict, bool) else getattr(verdict, "approved", None)
        if not isinstance(approved, bool):
            return f"risk: the guard gave no verdict but {verdict!r}", None
        return ("", getattr(verdict, "room", None)) if approved else (f"risk: {verdict}", None)

    def _unready(self) -> str:
        """Return why nothing can be judged now; what could not be told before is told again first."""
        if self._lost:
            return f"risk: the guard's history cannot be read: {self._lost}"
        for name, (method, what) in list(self._untold.items()):
            self._tell(name, method, *what)
        return f"risk: the guard could not take in {', '.join(self._untold)}" if self._untold else ""

    # -------------------------------------------------------------- following

    def follow(self, trade: Trade) -> None:
        """Tell the guard how a trade stands."""
        if self._follows is None:
            return
        self._tell(trade.trade_id, self._follow, self._follows, trade)
        self._keep()

    def _follow(self, guard: FollowingGuard, trade: Trade) -> None:
        position = self._positions.known(trade)
        guard.follow(trade, position, self._parts_of(position, trade))
        for asset in guard.doubts.keys() - self._doubted:
            self._doubted.add(asset)
            words = f"{guard.doubts[asset]}; fees charged in it are counted as the market's usual fee"
            self._alert(f"fees in {asset} cannot be valued", words, {"guard": type(guard).__name__})

    def _parts_of(self, position: CrossExchangePosition | None, trade: Memory) -> dict[str, Reckoned]:
        """Return what trades of a position whose PnL is unknown are reckoned to have made."""
        parts = {}
        for trade_id, pnl in position.pnls if position is not None else ():
            if pnl is not None:
                continue
            if trade_id == trade.trade_id:
                self._parts[trade_id] = reckoned(trade)
            elif trade_id not in self._parts:  # it ended before the last start
                self._parts[trade_id] = reckoned(Memory.fold(trade_id, self._scribe.entries(trade_id), str))
            parts[trade_id] = self._parts[trade_id]
        return parts

    def let_go(self, trade_id: str) -> None:
        """Tell the guard that a trade was not begun."""
        if self._follows is not None:
            self._tell(trade_id, self._follows.let_go, trade_id)

    def forget(self, trade: Trade, running: Container[str]) -> None:
        """Tell the guard that nothing of a round trip will change any more, once none of its trades is *running*."""
        if self._follows is None:
            return
        if trade.trade_id not in self._untold:
            self._tell(trade.trade_id, self._forget, self._follows, trade, running)
        self._keep()

    def _forget(self, guard: FollowingGuard, trade: Trade, running: Container[str]) -> None:
        position = self._positions.known(trade)
        trades = [trade.trade_id]
        if position is not None:
            trades = [position.entry_trade_id, *(trade_id for trade_id, _ in position.exits)]
            if position.state != PositionState.CLOSED or any(trade_id in running for trade_id in trades):
                return
        guard.forget(trades[0])
        for trade_id in trades:
            self._parts.pop(trade_id, None)

    def recall(self, trade: Trade) -> None:
        """Make ready for a change of a trade that is over: only what differs from what it was counted at counts then.

        One that was never counted, since no guard followed it, is taken to have been counted as it stands.
        """
        if self._follows is None:
            return
        name = self._recall(self._follows, trade)
        if name is not None and name not in self._follows.history.counted:
            self._tell(trade.trade_id, self._assume, self._follows, trade, name)

    def _assume(self, guard: FollowingGuard, trade: Trade, name: str) -> None:
        before = guard.history
        try:
            self._follow(guard, trade)
            assumed = guard.history.counted.get(name)
        finally:
            guard.history = before
        if assumed is not None:
            guard.recall(name, assumed)

    def take_up(self, trade: Trade) -> None:
        """Tell the guard how a trade stands after a start."""
        if self._follows is not None:
            self._recall(self._follows, trade)
            self.follow(trade)

    def _recall(self, guard: FollowingGuard, trade: Trade) -> str | None:
        """Give back what was counted for a trade's round trip; return its name, or None where it cannot be read."""
        try:
            position = self._positions.known(trade)
        except FsmArbError as error:
            self._lose(error)
            return None
        name = trade.trade_id if position is None else position.entry_trade_id
        return name if self._recall_named(guard, name) else None

    def _tell(self, name: str, method: Callable[..., Any], *what: Any) -> None:
        """Tell the guard something of *name*; what it cannot take in is told again before the next entry."""
        try:
            answer = method(*what)
            if inspect.isawaitable(answer):
                if inspect.iscoroutine(answer):
                    answer.close()
                raise TypeError("it is told in passing, and must not have to be awaited")  # noqa: TRY301
            self._untold.pop(name, None)
        except Exception as error:
            self._untold[name] = method, what
            logger.exception("the risk guard failed")
            self._alert("risk guard failed", f"{type(error).__name__}: {error}", {"guard": type(self._guard).__name__})

    # -------------------------------------------------------------- keeping its history

    def recover(self) -> None:
        """Give the guard its history and the open positions back.

        A history that cannot be read stops entries, and nothing else: what is held must still be put right.

        Raises:
            InvalidInput: The guard is another executor's.
        """
        guard = self._follows
        if guard is None:
            return
        guard.enter(self._changed)
        self._ours = True
        try:
            history = self._keeping.reread()
            if history is not None:
                guard.take_up(history)
        except JournalError as error:
            self._lose(error)
        for position in self._positions.all():
            self._recall_named(guard, position.entry_trade_id)
            self._tell(position.position_id, guard.stands, position)
        self._keep()

    def _recall_named(self, guard: FollowingGuard, name: str) -> bool:
        """Give back what was counted for a round trip, where the journal holds it; return whether it could be read."""
        if name in guard.history.counted:
            return True
        try:
            counted = self._keeping.recall(name)
        except JournalError as error:
            self._lose(error)
            return False
        if counted is not None:
            guard.recall(name, counted)
        return True

    def _lose(self, error: FsmArbError) -> None:
        self._lost = str(error)
        logger.error("the risk guard's history cannot be read: %s", error)
        self._alert("risk guard's history lost", self._lost, {"guard": type(self._guard).__name__})

    def _changed(self) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return  # told from elsewhere: it is kept with the next change
        self._keep()

    def _keep(self) -> None:
        if self._follows is not None and not self._lost:
            self._keeping.keep(self._follows.history)

    def _kept(self, history: RiskHistory) -> None:
        if self._follows is not None:
            self._follows.kept(history)

    async def close(self) -> None:
        """Wait for what is being written, and let the guard go."""
        await self._keeping.close()
        if self._follows is not None and self._ours:
            self._ours = False
            self._follows.leave()
