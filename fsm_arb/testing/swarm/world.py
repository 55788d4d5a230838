"""The world of one episode: venues that go on, a bot that lives and dies, and what happens to both."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.journal.memory import MemoryDisk
from fsm_arb.scribe import TRADE
from fsm_arb.testing.swarm.bot import Bot
from fsm_arb.testing.swarm.episode import Act
from fsm_arb.testing.swarm.journal import Ground
from fsm_arb.testing.swarm.lives import Bench, Lives
from fsm_arb.testing.swarm.mishaps import Mishaps
from fsm_arb.testing.swarm.operators import Operator
from fsm_arb.testing.swarm.process import track_tasks
from fsm_arb.testing.swarm.surroundings import OwnClock, SwarmAlerts
from fsm_arb.testing.swarm.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from fsm_arb.memory import Entry
    from fsm_arb.testing.glimpse import Checker, VenueFill, VenueOrder
    from fsm_arb.testing.swarm.chance import Chance
    from fsm_arb.testing.swarm.episode import Episode, Planned
    from fsm_arb.testing.swarm.lives import Life
    from fsm_arb.testing.swarm.places import Places
    from fsm_arb.trade import Trade
    from fsm_arb.values import Side
    from fsm_arb.virtual import VirtualClock

NS_PER_S = 1_000_000_000
CONVERGE_S = 1_800.0  # how long everything may take to come to rest once the faults have stopped
LOOK_S = 5.0
CLOSE_S = 600.0  # how long leaving may take


@frozen(kw_only=True)
class Parts:
    """What a world is made of."""

    episode: Episode
    chance: Chance
    clock: VirtualClock
    places: Places
    checkers: Sequence[Checker]


class World:
    """One episode as it runs."""

    def __init__(self, parts: Parts) -> None:
        self.episode = parts.episode
        self.chance = parts.chance
        self.places = parts.places
        self.disk = MemoryDisk()
        self.wrong: list[str] = []  # what no checker would see
        self._clock = parts.clock
        self._own_clock = OwnClock(parts.clock)
        self._began_ns = parts.clock.monotonic_ns()
        self._alerts = SwarmAlerts(self.chance, self.episode.alerts_down, self._struck)
        self._ground = Ground(
            disk=self.disk, clock=parts.clock, chance=self.chance, troubles=self.episode.disk, watcher=self
        )
        self.witness = Witness(
            parts.checkers, parts.clock, self.disk, parts.places, self._ground.appends, self._alerts.told
        )
        self.bot = Bot(self, self.chance)
        self.operator = Operator(self, self.chance)
        self.over = False  # phase one
        bench = Bench(
            episode=self.episode,
            chance=self.chance,
            places=self.places,
            ground=self._ground,
            clock=self._own_clock,
            alerts=self._alerts,
            witness=self.witness,
            struck=self._struck,
        )
        self._lives = Lives(bench)
        self._mishaps = Mishaps(bench, self._lives, self.bot, parts.clock)

    # -------------------------------------------------------------- the course of things

    async def play(self) -> None:
        """Let everything happen, then let it come to rest."""
        track_tasks(asyncio.get_running_loop())
        self.places.watch(self.witness)
        loop = asyncio.get_running_loop()
        keeper = loop.create_task(self._lives.keep(), name="keeper")
        acts = [loop.create_task(self.bot.ask(ask), name=f"ask {ask.number}") for ask in self.episode.asks]
        acts += [loop.create_task(self._happen(planned), name=planned.key) for planned in self.episode.planned]
        await self._unless_wrong(self.episode.horizon_s, acts)
        self._heal()
        await self._unless_wrong(CONVERGE_S, acts, all_done=True)
        self.witness.calm_since = max(self._clock.monotonic_ns(), self.places.still_to_come() or 0)
        if not self.witness.violations:
            await self._converge()
            await self._ask_again()
        await self._close(keeper, acts)
        if not self.witness.violations:
            self.witness.rest()

    async def _unless_wrong(
        self, seconds: float, tasks: Sequence[asyncio.Task[None]], *, all_done: bool = False
    ) -> None:
        """Let *seconds* pass, or stop where something is wrong, or where *all_done* and nothing is left to do."""
        until = self._now_s() + seconds
        while self._now_s() < until and not self.witness.violations:
            pending = [task for task in tasks if not task.done()]
            if all_done and not pending:
                break
            if not pending:
                await asyncio.sleep(min(LOOK_S, max(until - self._now_s(), 0.001)))
            else:
                await asyncio.wait(pending, timeout=min(LOOK_S, max(until - self._now_s(), 0.001)))
        for task in tasks:
            if task.done() and not task.cancelled() and task.exception() is not None:
                raise task.exception() or AssertionError

    def _heal(self) -> None:
        """Let nothing go wrong any more."""
        self.over = True
        self.chance.healed = True
        self.places.heal()
        self._own_clock.correct()
        self.witness.faults_on = False
        for watch in list(self.witness.watching):
            watch.reached()

    async def _converge(self) -> None:
        """Wait until every trade has ended and is watched no more, or is halted for good."""
        life = await self.running()
        life.executor.allow_entries()
        retry_s = float(self.episode.policy.halted_retry_s)
        settle_at, until = self._now_s() + LOOK_S, self._now_s() + CONVERGE_S
        since: float | None = None  # when nothing but halted trades was left
        while self._now_s() < until and not self.witness.violations:
            live = [name for name, head in self.disk.heads.items() if head.live and name.startswith(TRADE)]
            if not live:
                return
            trades = [self.witness.trades[name.removeprefix(TRADE)] for name in live]
            if all(trade.halted for trade in trades):
                since = self._now_s() if since is None else since
                if self._now_s() - since > retry_s * 3 + 90:
                    return
            else:
                since = None
            if self._now_s() > settle_at:
                await self._settle(trades)
            await asyncio.sleep(LOOK_S)
        if self.witness.violations:
            return
        self.wrong += [
            f"liveness: {trade.trade_id} is still {trade.state} {CONVERGE_S:.0f} s after the faults have stopped"
            for trade in self.witness.trades.values()
            if not trade.finished and not trade.halted
        ]

    async def _settle(self, trades: Sequence[Trade]) -> None:
        """Look orders up by hand of which no machine can find out how they ended."""
        for trade in trades:
            for order in trade.orders:
                leg = trade.decision.legs[order.intent.leg]
                true = self.places.orders().get(order.intent.client_order_id)
                unsure = order.live and (order.in_doubt or order.unsure_since is not None)
                unseen = self.places.needs_a_person(leg.exchange, leg.symbol, order)
                if unsure and unseen and (true is None or not true.live):
                    await self.operator.settle(trade, order)

    async def _ask_again(self) -> None:
        """Ask for every decision once more: the answer must be that of the trade, and nothing may be sent."""
        life = await self.running()
        before = len(self.places.creates())
        for trade_id, decision in self.bot.decisions.items():
            if trade_id not in self.witness.trades:
                continue
            result = await life.executor.execute_decision(decision)
            if result.trade_id != trade_id:
                self.wrong.append(f"asked for {trade_id} again, got {result.trade_id}")
        if len(self.places.creates()) != before and all(trade.done for trade in self.witness.trades.values()):
            self.wrong.append("asking again for decisions that have ended has sent orders")

    async def _close(self, keeper: asyncio.Task[None], acts: Sequence[asyncio.Task[None]]) -> None:
        """End the bot, and everybody else besides."""
        await self._lives.end(None if self.witness.violations else CLOSE_S)
        for task in (keeper, *acts):
            task.cancel()
        await asyncio.gather(keeper, *acts, return_exceptions=True)
        self.wrong += [*self._lives.wrong, *self._mishaps.wrong]
        self.wrong += [f"asking: {each}" for each in self.bot.broken]
        self.wrong += [f"operating: {each}" for each in self.operator.broken]
        self.wrong += [f"our own code: {each}" for each in self.witness.errors]

    async def _happen(self, planned: Planned) -> None:
        """Let one mishap or act happen when its time has come."""
        await self.at(planned.at_s)
        await self._mishaps.occasion(planned)
        if self.over or not self.chance.allows(planned.key):
            return
        if isinstance(planned.what, Act):
            await self.operator.act(planned)
        else:
            await self._mishaps.happen(planned)

    async def running(self) -> Life:
        """Return the process that runs, as soon as one does."""
        return await self._lives.running()

    # -------------------------------------------------------------- who is told

    def appended(self, process: int, streams: tuple[str, ...]) -> None:
        """Take in that records are durable."""
        self.witness.appended(process, streams)

    def struck(self, fault: int, key: str, *, streams: tuple[str, ...] = ()) -> None:
        """Take in that a fault has taken effect on a commit."""
        self.witness.struck(fault, key, streams=streams)

    def _struck(self, fault: int, key: str) -> None:
        self.witness.struck(fault, key)

    # -------------------------------------------------------------- what bot and operator see

    @property
    def trades(self) -> Mapping[str, Trade]:
        """Every trade as it is durable."""
        return self.witness.trades

    @property
    def entries(self) -> Mapping[str, tuple[Entry, ...]]:
        """Every trade's durable records."""
        return self.witness.entries

    def orders(self) -> Mapping[str, VenueOrder]:
        """The venues' own books."""
        return self.places.orders()

    def trade_by_hand(self, venue: str, symbol: str, side: Side, amount: Decimal) -> VenueFill | None:
        """Trade on a venue beside all orders of the bot."""
        return self.places.trade_by_hand(venue, symbol, side, amount)

    def undo_by_hand(self, venue: str, fill: VenueFill) -> None:
        """Undo a trade made by hand."""
        self.places.undo_by_hand(venue, fill)

    def bust(self, venue: str, client_order_id: str) -> VenueFill | None:
        """Let a venue take the last execution of an order back."""
        self.witness.struck(28, f"bust of {client_order_id}", client_order_id=client_order_id)
        return self.places.bust(venue, client_order_id)

    def market(self, venue: str, base: str) -> str:
        """Return the symbol under which *venue* trades *base*."""
        return self.places.market(venue, base)

    def price(self, venue: str, symbol: str) -> Decimal:
        """Return the middle of the book, quote per base."""
        return self.places.price(venue, symbol)

    def least(self, venue: str, symbol: str) -> Decimal:
        """Return the least order, base."""
        return self.places.least(venue, symbol)

    def now_ns(self) -> int:
        """Return the bot's own time, UTC."""
        return self._own_clock.time_ns()

    async def at(self, seconds: float) -> None:
        """Wait until *seconds* from the beginning."""
        await asyncio.sleep(max(seconds - self._now_s(), 0.0))

    def _now_s(self) -> float:
        return (self._clock.monotonic_ns() - self._began_ns) / NS_PER_S
