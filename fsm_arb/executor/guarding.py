"""The bot's risk guard, as the executor uses it: asked before entries, told how trades stand, its history kept.

A guard needs one method, ``check_cross_exchange_trade(decision)``. One that
also has what `FollowingGuard` names reserves what it lets pass, is told how
trades end, and finds its history again after a restart.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import inspect
import logging
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from fsm_arb.errors import JournalError
from fsm_arb.executor.limits import within
from fsm_arb.position import CrossExchangePosition
from fsm_arb.risk.history import RiskHistory
from fsm_arb.scribe import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from fsm_arb.decision import CrossExchangeDecision
    from fsm_arb.executor.positions import CrossExchangePositionManager
    from fsm_arb.memory import Memory
    from fsm_arb.ports import Clock
    from fsm_arb.scribe import Scribe
    from fsm_arb.trade import Trade
    from fsm_arb.values import Money

logger = logging.getLogger(__name__)

RISK = "risk/"  # one stream a day, so that a start reads a day at most
_EPOCH = dt.date(1970, 1, 1)


@runtime_checkable
class FollowingGuard(Protocol):
    """A risk guard that reserves and remembers, such as `fsm_arb.CrossExchangeRiskGuard`."""

    history: RiskHistory

    def admit(self, decision: CrossExchangeDecision) -> Any:
        """Return a verdict on an entry, and reserve what it lets pass."""

    def follow(self, trade: Memory, position: CrossExchangePosition | None) -> None:
        """Take in how a trade stands."""

    def stands(self, position: CrossExchangePosition) -> None:
        """Take in how a position stands."""

    def let_go(self, trade_id: str) -> None:
        """Release what a trade reserved."""

    def forget(self, trade_id: str) -> None:
        """Nothing of this trade will change any more."""


class Guarding:
    """Stands between the executor and a guard that may be anybody's code: nothing it does holds up a trade.

    Args:
        guard: The bot's; None: every entry passes.
        scribe: Where its history is kept.
        positions: The executor's.
        clock: Where time comes from.
        timeout_s: How long a guard that has to be awaited may take.
        alert: Called with subject, body and labels where the guard fails.
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
        self._follows: FollowingGuard | None = guard if isinstance(guard, FollowingGuard) else None
        self._scribe = scribe
        self._positions = positions
        self._clock = clock
        self._timeout_s = timeout_s
        self._alert = alert
        self._page = Page("")
        self._durable: RiskHistory | None = self._follows.history if self._follows else None
        self._writing: asyncio.Task[None] | None = None
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
            verdict = (self._follows.admit if self._follows else self._guard.check_cross_exchange_trade)(decision)
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
        guard.follow(trade, self._positions.known(trade))

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
        position_id = self._positions.of_trade(trade)
        if position_id is None:
            guard.forget(trade.trade_id)
            return
        position = self._positions.get(position_id)
        trades = (position.entry_trade_id, *(trade_id for trade_id, _ in position.exits))
        if position.state == "CLOSED" and not any(trade_id in running for trade_id in trades):
            guard.forget(position.entry_trade_id)

    def _tell(self, name: str, method: Callable[..., None], *what: Any) -> None:
        """Tell the guard something of *name*; what it cannot take in is told again before the next entry."""
        try:
            method(*what)
            self._untold.pop(name, None)
        except Exception as error:
            self._untold[name] = method, what
            logger.exception("the risk guard failed")
            self._alert("risk guard failed", f"{type(error).__name__}: {error}", {"guard": type(self._guard).__name__})

    # -------------------------------------------------------------- keeping its history

    def recover(self) -> None:
        """Give the guard its history and the open positions back.

        A history that cannot be read stops entries, and nothing else: what is held must still be put right.
        """
        if self._follows is None:
            return
        try:
            self._reread(self._follows)
        except JournalError as error:
            self._lost = str(error)
            logger.exception("the risk guard's history cannot be read")
            self._alert("risk guard's history lost", self._lost, {"guard": type(self._guard).__name__})
        for position in self._positions.all():
            self._tell(position.position_id, self._follows.stands, position)

    def _reread(self, guard: FollowingGuard) -> None:
        stream = ""
        for stream in self._scribe.journal.streams(RISK):  # noqa: B007 - the last one is today's, or the last day's
            pass
        if stream:
            history, count = self._scribe.last(stream)
            self._page = Page(stream, count)
            self._durable = guard.history = history

    def _keep(self) -> None:
        """Write the history down soon, if it has changed: a trade is read again at a start until its watch is over."""
        unwritten = self._follows is not None and self._follows.history != self._durable
        if unwritten and not self._lost and (self._writing is None or self._writing.done()):
            self._writing = asyncio.get_running_loop().create_task(self._write(), name="risk history")

    async def _write(self) -> None:
        while self._follows is not None and self._follows.history != self._durable:
            history = self._follows.history
            stream = f"{RISK}{_EPOCH + dt.timedelta(days=history.day)}"
            try:
                if stream != self._page.stream:
                    self._page = Page(stream, sum(1 for _ in self._scribe.journal.read(stream)))
                await self._scribe.note(self._page, history, "counted", self._clock.time_ns())
            except JournalError as error:
                logger.warning(
                    "the risk guard's history could not be written, and will be with its next change: %s", error
                )
                return
            self._durable = history

    async def close(self) -> None:
        """Wait for what is being written."""
        if self._writing is not None:
            await asyncio.gather(self._writing, return_exceptions=True)
