"""Run one backtest: everything that trades, in virtual time, over recorded books."""

from __future__ import annotations

import asyncio
import itertools
import random
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fsm_arb.backtest.curve import Curve
from fsm_arb.backtest.report import Report, report_of
from fsm_arb.backtest.trades import trades_of
from fsm_arb.clock import NS_PER_S
from fsm_arb.errors import InvalidInput
from fsm_arb.fx import StaticFx
from fsm_arb.fx_sources import BookFx
from fsm_arb.ids import ID_BITS, client_order_id
from fsm_arb.integration import CrossExchangeIntegration
from fsm_arb.journal.memory import MemoryDisk, MemoryJournal
from fsm_arb.lookout import Lookout
from fsm_arb.orchestrator import CrossExchangeOrchestrator
from fsm_arb.paper.desk import PaperDesk
from fsm_arb.paper.venue import PaperVenue
from fsm_arb.risk.guard import CrossExchangeRiskGuard
from fsm_arb.strategy.judge import ThresholdStrategy
from fsm_arb.virtual import VirtualClock, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_arb.backtest.setup import Setup
    from fsm_arb.backtest.sources import Books
    from fsm_arb.context import MarketContext
    from fsm_arb.decision import CrossExchangeDecision
    from fsm_arb.fx import FxProvider
    from fsm_arb.strategy.verdicts import Strategy
    from fsm_arb.values import MarketRules


def backtest(
    setup: Setup,
    books: Books,
    *,
    strategy: Strategy | None = None,
    disk: MemoryDisk | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> Report:
    """Run a backtest to the end of its books; the same setup and books give the same report, always.

    Args:
        setup: What it is run with.
        books: What the market did.
        strategy: One's own; None: a `ThresholdStrategy` of the setup.
        disk: Where the journal is kept, for `fsm_arb.backtest.keeping.keep`; None: in the report alone.
        progress: Called with the share of the books that has been played, from 0 to 1.

    Raises:
        InvalidInput: The books are not of the setup's markets.
        FsmArbError: What trading raises, as `CrossExchangeExecutor.execute_decision`.
    """
    wanted = {*setup.legs, *([setup.fx_book] if setup.fx_book else [])}
    missing = wanted - books.legs
    if missing:
        names = ", ".join(sorted(f"{leg.exchange} {leg.symbol}" for leg in missing))
        raise InvalidInput("books", names, "is traded, and there are no books of it")
    disk = disk if disk is not None else MemoryDisk()
    clock = VirtualClock(epoch_ns=books.begins_ns)
    with _quietly():
        stage = Stage(setup, books, strategy, disk, clock)
        run(stage.play(progress), clock)
    return report_of(
        setup,
        trades_of(disk.records),
        stage.curve,
        why=stage.counted.why,
        digest=disk.records[-1].hash if disk.records else "",
    )


class Stage:
    """One run's world: the clock, the venues, and everything that trades on them."""

    def __init__(
        self, setup: Setup, books: Books, strategy: Strategy | None, disk: MemoryDisk, clock: VirtualClock
    ) -> None:
        self._setup, self._books, self._clock = setup, books, clock
        self._fx: FxProvider = StaticFx(setup.rates) if setup.fx_book is None else BookFx(setup.fx_book)
        guard = None
        if setup.limits is not None:
            guard = CrossExchangeRiskGuard(setup.limits, clock.time_ns, fx=self._fx)
        self.venues = _venues(setup, clock)
        self.desk = PaperDesk(
            self.venues,
            MemoryJournal(disk),
            clock=clock,
            fed_by_contexts=False,
            fx=self._fx,
            policy=setup.policy,
            risk_guard=guard,
            ids=_seeded_ids(setup.seed),
        )
        self._lookout = Lookout(setup.legs, self.venues, self.desk.executor, fx=self._fx, clock=clock, risk_guard=guard)
        numbers = itertools.count(1)
        integration = CrossExchangeIntegration(
            strategy=strategy or ThresholdStrategy(notional=setup.notional, thresholds=setup.thresholds),
            decision_ids=lambda: f"b{next(numbers):06d}",
        )
        self.counted = Counted(integration)
        self._orchestrator = CrossExchangeOrchestrator(self.counted, paper=self.desk)
        self.curve = Curve(setup, self.venues, self._fx)
        self._failed: BaseException | None = None
        self._looking = False

    async def play(self, progress: Callable[[float], None]) -> None:
        """Play all books, tick all the while, and let what runs come to its end."""
        async with self.desk:
            events = self._books.events()
            feeding = asyncio.create_task(self._feed(events), name="books")
            ticks: set[asyncio.Task[None]] = set()
            begins, ends = self._books.begins_ns, self._books.ends_ns
            step_s = float(self._setup.tick_s)
            while self._clock.time_ns() <= ends and self._failed is None:
                tick = asyncio.create_task(self._tick(), name="tick")
                ticks.add(tick)
                tick.add_done_callback(ticks.discard)
                progress((self._clock.time_ns() - begins) / max(ends - begins, 1))
                await asyncio.sleep(step_s)
            await feeding
            await asyncio.gather(*ticks)
            if self._failed is not None:
                raise self._failed
            await self.desk.executor.settled()
            self._mark()
            progress(1.0)

    async def _feed(self, events: Iterator[Any]) -> None:
        traded = {(leg.exchange, leg.symbol) for leg in self._setup.legs}
        for event in events:
            ahead = event.at_ns - self._clock.time_ns()
            if ahead > 0:
                await asyncio.sleep(ahead / NS_PER_S)
            if event.leg == self._setup.fx_book and isinstance(self._fx, BookFx):
                self._fx.observe(event.leg, event.book, event.at_ns)
            if (event.leg.exchange, event.leg.symbol) in traded:
                self.venues[event.leg.exchange].feed(event.leg.symbol, event.book)

    async def _tick(self) -> None:
        if self._looking:
            return  # a look takes longer than a tick; a bot would not ask twice at once either
        self._looking = True
        try:
            context = await self._lookout.look()
            self._mark()
        finally:
            self._looking = False
        await self._decide(context)

    async def _decide(self, context: MarketContext) -> None:
        try:
            # Both are decided at once, before either is executed: an exit that takes its time makes no entry stale.
            ticks = await asyncio.gather(
                self._orchestrator.process_exit_tick(context), self._orchestrator.process_entry_tick(context)
            )
            if any(tick.results for tick in ticks):
                self._mark()
        except Exception as error:  # noqa: BLE001 - raised where the run is awaited
            self._failed = self._failed or error

    def _mark(self) -> None:
        exposure = self.desk.executor.exposure().get(self._setup.legs[0].base, Decimal(0))
        self.curve.mark(self._clock.time_ns(), exposure)


class Counted:
    """An integration, and how often it said what about entries."""

    def __init__(self, integration: CrossExchangeIntegration) -> None:
        self._integration = integration
        self.why: Counter[str] = Counter()  # by reason

    def tick_entry(self, context: MarketContext) -> tuple[CrossExchangeDecision, ...]:
        """Return the entries to execute now."""
        decisions = self._integration.tick_entry(context)
        self.why.update(told.verdict.reason.code.value for told in self._integration.told)
        return decisions

    def tick_exit(self, context: MarketContext) -> tuple[CrossExchangeDecision, ...]:
        """Return the exits to execute now."""
        return self._integration.tick_exit(context)

    def concluded(self, decision: CrossExchangeDecision, status: str | None = None) -> None:
        """Take in that a decision has run its course."""
        self._integration.concluded(decision, status)


def _venues(setup: Setup, clock: VirtualClock) -> dict[str, PaperVenue]:
    by_venue: dict[str, list[MarketRules]] = {}
    for leg, rules in zip(setup.legs, setup.rules, strict=True):
        by_venue.setdefault(leg.exchange, []).append(rules)
    return {
        name: PaperVenue.from_rules(
            name,
            rules,
            setup.balances[name],
            clock=clock,
            latency_ms=setup.latency_ms,
            jitter_ms=setup.jitter_ms,
            seed=setup.seed * len(by_venue) + number,
        )
        for number, (name, rules) in enumerate(by_venue.items())
    }


def _seeded_ids(seed: int) -> Callable[[int], Callable[[], str]]:
    def of_epoch(epoch: int) -> Callable[[], str]:
        drawn = random.Random(f"{seed}/{epoch}")  # noqa: S311 - the same run has the same ids
        return lambda: client_order_id(epoch, drawn.getrandbits(ID_BITS))

    return of_epoch


@contextmanager
def _quietly() -> Iterator[None]:
    """Say nothing of a short fence: no request is ever lost on paper."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="absence_fence_s")
        yield
