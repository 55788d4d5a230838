"""One trade's driver: one mailbox, one writer.

Round and round: take what has come in, let the trade decide, make the records
durable, then send what they call for. Nothing is sent before its intent is
durable, and nothing that comes in is ever refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import TYPE_CHECKING

from fsm_arb.errors import (
    ExecutorClosed,
    FsmArbError,
    JournalError,
    JournalFailed,
    JournalFenced,
    JournalFull,
    LedgerBroken,
)
from fsm_arb.executor.commit import write
from fsm_arb.executor.entries import Cause
from fsm_arb.executor.gate import Lane
from fsm_arb.executor.notices import Notices
from fsm_arb.executor.opening import held_by
from fsm_arb.executor.oversight import TRIES_WHEN_LEAVING, GaveUp, pause_for
from fsm_arb.executor.rescue import cancel_all
from fsm_arb.executor.tending import Tending
from fsm_arb.messages import Event, Intended, Purpose, Restarted, Ticked, WatchEnded
from fsm_arb.policy import seconds_ns
from fsm_arb.results import CrossExecutionResult, result_of
from fsm_arb.scribe import Page
from fsm_arb.values import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from fsm_arb.executor.services import Services
    from fsm_arb.memory import Entry
    from fsm_arb.messages import Intent
    from fsm_arb.trade import Step, Trade

logger = logging.getLogger(__name__)

NS_PER_S = 1_000_000_000
RETRY_S = (1.0, 30.0)  # first pause after a failed commit or an error of ours, and the longest
PATIENCE_S = 5.0  # how long a trade may fail to go on before those who wait for it are told

# What came in, and who waits for it to be durable.
Mail = tuple[Event, asyncio.Future[None] | None]


class Runner:
    """Drives one trade from its first record to the end of its watch."""

    def __init__(self, services: Services, trade: Trade, page: Page) -> None:
        self.trade = trade
        self.page = page
        self._services = services
        self._mail: deque[Mail] = deque()
        self._bell = asyncio.Event()
        self._rest = asyncio.Event()  # DONE or HALTED, and durably so
        self._stirred = asyncio.Event()  # a record was written, or driving has ended
        self._watch_until: int | None = None
        self._tending = Tending(services, trade, self.post)
        self._notices = Notices(services.alerts)
        self._task: asyncio.Task[None] | None = None
        self._pause_s = RETRY_S[0]
        self._undurable: Trade | None = None  # what was known when a commit failed, for as long as it is not durable

    # -------------------------------------------------------------- from outside

    def start(self, step: Step, failure: Exception | None = None) -> None:
        """Go on from a first step whose records are durable: send what it calls for, then drive.

        Args:
            step: What led here.
            failure: Why the trade in memory is not what is durable: it is folded again first.
        """
        if failure is None:
            self._sent(step.entries, step.sends)
        self._task = asyncio.get_running_loop().create_task(self._drive(failure), name=f"trade {self.trade.trade_id}")

    def post(self, event: Event) -> None:
        """Put an event into the mailbox."""
        self._mail.append((event, None))
        self._bell.set()

    def tell(self, event: Event) -> asyncio.Future[None]:
        """Put an event into the mailbox now; await what is returned until it is durable.

        Raises:
            InvalidInput: The trade cannot take it.
            JournalError: It could not be made durable.
            ExecutorClosed: The trade is no longer driven.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._mail.append((event, done))
        self._bell.set()
        if self.ended:
            self._refuse_mail()
        return done

    def withdraw(self, event: Event) -> None:
        """Take an event back out of the mailbox, where it is there still."""
        self._mail = deque(mail for mail in self._mail if mail[0] is not event)

    async def at_rest(self) -> CrossExecutionResult:
        """Wait until the trade is DONE or HALTED and return what is true then."""
        while True:
            waiter = asyncio.ensure_future(self._rest.wait())
            tasks = [waiter, *([self._task] if self._task else [])]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiter.cancel()
            if self._rest.is_set():
                return self.result()
            if self._task is not None and self._task.done():
                if self._task.cancelled():
                    raise ExecutorClosed(f"trade {self.trade.trade_id} goes on when the executor is entered again")
                self._task.result()  # raises what ended it
                return self.result()

    async def answered(self) -> CrossExecutionResult:
        """Wait until an operator's request was answered: the trade is at rest and nothing is asked any more."""
        while True:
            result = await self.at_rest()
            if not self.trade.operator_asked or self.ended:
                return result
            self._stirred.clear()
            await self._stirred.wait()

    @property
    def resting(self) -> bool:
        """Whether the trade is DONE or HALTED, or no longer driven."""
        return self._rest.is_set() or (self._task is not None and self._task.done())

    def when_ended(self, call: Callable[[], None]) -> None:
        """Call back once the trade is no longer driven."""
        if self._task is not None:
            self._task.add_done_callback(lambda _: call())

    @property
    def ended(self) -> bool:
        """Whether it is no longer driven: its watch is over, or another process has taken over."""
        return self._task is not None and self._task.done()

    def result(self) -> CrossExecutionResult:
        """Return what is true now."""
        return result_of(self.trade, self._services.positions.of_trade(self.trade))

    async def close(self) -> None:
        """Stop driving. What is only being watched is taken up at the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._tending.close()

    # -------------------------------------------------------------- the round

    async def _drive(self, failure: Exception | None = None) -> None:
        try:
            if failure is not None:
                await self._recover_from(failure, ())
            while self._mail or not self.trade.finished:
                await self._round()
        except JournalFenced as error:
            self._services.fenced = True
            self._services.stop_entries(str(error), Cause.FENCED)
            self._services.alerts.raise_alert("journal taken over", str(error), {"trade": self.trade.trade_id})
            raise
        except GaveUp as error:
            self._notices.left_behind(self._undurable or self.trade, error)
            raise
        finally:
            self._refuse_mail()
            self._stirred.set()

    async def _round(self) -> None:
        mail: list[Mail] = []
        try:
            # What has come in may answer what would be asked for: it is taken in first.
            if not self.trade.finished and not self._mail:
                self._tending.tend(self._now())
            mail = await self._next_mail()
            await self._take(mail)
        except (JournalFenced, GaveUp) as error:
            _tell(mail, error)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the resolver goes on
            await self._recover_from(error, mail)
        else:
            if mail:
                self._pause_s = RETRY_S[0]

    async def _next_mail(self) -> list[Mail]:
        """Wait for mail, or until time alone may change something."""
        if not self._mail:
            now = self._now()
            times = [time for time in (self.trade.wakes_at(now), self._tending.wakes_at(now)) if time is not None]
            if self._watch_until is not None and self._watch_until > now:  # past it, the last looks' answers wake us
                times.append(self._watch_until)
            pause = max(min(times, default=now + 60 * NS_PER_S) - now, 0) / NS_PER_S
            alarm = asyncio.get_running_loop().call_later(pause, self._bell.set)
            try:
                await self._bell.wait()
            finally:
                alarm.cancel()
        self._bell.clear()
        mail = list(self._mail)
        self._mail.clear()
        return mail

    async def _take(self, mail: list[Mail]) -> None:
        """Let the trade take in the mail, then the time: deadlines are judged after what was queued."""
        entries: list[Entry] = []
        sends: list[Intent] = []
        over = self._watch_is_over()
        timely: list[Event] = [WatchEnded(now=self._now())] if over and self.trade.done else [Ticked(now=self._now())]
        for event, answer in [*mail, *((event, None) for event in timely)]:
            try:
                step = self.trade.handle(event, self._services.clock.time_ns())
            except FsmArbError as error:
                if answer is None:
                    raise
                _tell([(event, answer)], error)
                continue
            entries += step.entries
            sends += step.sends
        if entries:
            self._rest.clear()  # what is true in memory is not durable yet
            await self._write(entries)
        self._sent(entries, sends)
        _tell(mail, None)

    def _watch_is_over(self) -> bool:
        """Whether a finished trade has been watched for long enough: every order is asked for once more at the end."""
        until = self._watch_until
        if until is None or self._now() < until or self.trade.finished:
            return False
        return not self.trade.policy.watch_after_done_s or self._tending.looked_since(until)

    async def _write(self, entries: Sequence[Entry]) -> None:
        await write(self._services, self.trade, self.page, entries)

    async def _recover_from(self, error: Exception, mail: Iterable[Mail]) -> None:
        """Nothing may be sent on what is not durable: cancel what rests, fold what is durable, and try again."""
        services = self._services
        logger.error("%s: its driver failed", self.trade.trade_id, exc_info=error)
        known = self._undurable = self.trade.copy()
        with contextlib.suppress(Exception):
            self._fold_again()
        _tell(mail, error)
        since, tries = self._now(), 0
        while True:
            self._failed(error, self._now() - since)
            await cancel_all(services, known)
            if services.leaving.is_set():
                tries += 1
                if tries > TRIES_WHEN_LEAVING:
                    raise GaveUp(f"trade {self.trade.trade_id} cannot go on: {error}") from error
                self._pause_s = RETRY_S[0]
            await pause_for(self._pause_s, services)
            self._pause_s = min(self._pause_s * 2, RETRY_S[1])
            await self._tending.placed()
            try:
                self._fold_again()
                step = self.trade.handle(Restarted(now=self._now()), services.clock.time_ns())
                await self._write(step.entries)
            except (JournalFenced, GaveUp):
                raise
            except Exception as again:  # noqa: BLE001 - told, and tried again
                error = again
                continue
            self._undurable = None
            services.troubles.end(self.trade.trade_id)
            self._sent(step.entries, step.sends)
            return

    def _failed(self, error: Exception, for_ns: int) -> None:
        """Stop entries and call a person, at each failure; answer those who wait once it has lasted."""
        services, trade_id = self._services, self.trade.trade_id
        ours = not isinstance(error, JournalError)
        what = "a trade's driver failed" if ours else "journal failed"
        words = str(error) or type(error).__name__
        if not isinstance(error, JournalFull):  # which has stopped them, for as long as there is no room
            services.stop_entries(words, Cause.ERROR if ours else Cause.COMMIT)
        services.alerts.raise_alert(what, words, {"trade": trade_id, "exposure": plain(self.trade.exposure)})
        if for_ns >= PATIENCE_S * NS_PER_S:
            failure = error if isinstance(error, JournalError) else JournalFailed(f"trade {trade_id}: {words}")
            services.troubles.begin(trade_id, failure)

    def _fold_again(self) -> None:
        """Put what is durable in the place of what is in memory."""
        services = self._services
        found = services.scribe.trade(self.trade.trade_id, services.fresh_id)
        if found is None:
            raise LedgerBroken(f"{self.trade.trade_id}: its records are gone")
        self.trade, self.page = found
        self._tending.take_over(self.trade)

    # -------------------------------------------------------------- after a commit

    def _sent(self, entries: Sequence[Entry], sends: Sequence[Intent]) -> None:
        """Do what durable records call for."""
        trade, services = self.trade, self._services
        now = self._now()
        for entry in entries:
            if entry.before != entry.after:
                services.metrics.count("transitions", before=entry.before, trigger=entry.trigger, after=entry.after)
            if (entry.before, entry.trigger) == ("DONE", "disturbed"):
                # What it held back was let go when it ended.
                services.funds.reserve(trade.trade_id, held_by(self.trade.ledger.plan) if self.trade.ledger else ())
        self._notices.recorded(trade, entries)
        begins = all(order.intent.purpose is Purpose.FIRST and order.placing_ended_at is None for order in trade.orders)
        facts = [(entry.fact, entry.at_ns) for entry in entries if isinstance(entry.fact, Intended)]
        written = {intent.index: (fact.now, at_ns) for fact, at_ns in facts for intent in fact.intents}
        for intent in sends:
            # A first order that follows another one hedges it.
            self._tending.send(intent, *written[intent.index], Lane.ENTER if begins else Lane.FLATTEN)
        if trade.ledger is not None:
            # What it will leave: while it is at work, what it was sized to.
            left = trade.exposure if trade.done else -trade.ledger.plan.carried
            services.residuals.note(trade.trade_id, trade.decision.legs[0].base, left)
        if trade.done:
            services.funds.release(trade.trade_id, now)
            if self._watch_until is None:
                self._watch_until = now + seconds_ns(trade.policy.watch_after_done_s)
                services.metrics.count("trades", outcome=trade.outcome.value if trade.outcome else "")
        else:
            self._watch_until = None
        self._stirred.set()
        if trade.done or trade.halted:
            self._rest.set()
        else:
            self._rest.clear()

    def _refuse_mail(self) -> None:
        _tell(self._mail, ExecutorClosed(f"trade {self.trade.trade_id} is no longer driven"))
        self._mail.clear()

    def _now(self) -> int:
        return self._services.clock.monotonic_ns()

    def __repr__(self) -> str:
        return f"<Runner {self.trade.trade_id} {self.trade.state}>"


def _tell(mail: Iterable[Mail], error: Exception | None) -> None:
    """Answer those who wait for *mail* to be durable: it is, or why it is not."""
    for _, answer in mail:
        if answer is not None and not answer.done():
            if error is None:
                answer.set_result(None)
            else:
                answer.set_exception(error)
