"""The lives of a bot: processes that are begun, left, killed, and begun again on what is durable."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from fsm_arb.errors import FsmArbError, JournalCorrupt, JournalError
from fsm_arb.executor.executor import CrossExchangeExecutor
from fsm_arb.fx import StaticFx
from fsm_arb.testing.swarm.door import Door
from fsm_arb.testing.swarm.journal import Injected, SwarmJournal
from fsm_arb.testing.swarm.process import Process
from fsm_arb.testing.swarm.surroundings import ids_for
from fsm_arb.venues.ccxt_venue import CcxtVenue

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsm_arb.testing.swarm.chance import Chance
    from fsm_arb.testing.swarm.episode import Episode
    from fsm_arb.testing.swarm.journal import Ground
    from fsm_arb.testing.swarm.places import Places
    from fsm_arb.testing.swarm.surroundings import OwnClock, SwarmAlerts
    from fsm_arb.testing.swarm.witness import Witness

REBIRTH_S = 5.0  # how long a bot that has died stays away, at most
AWAY = 0.7  # how often it stays away at all


@define(eq=False)
class Life:
    """One process, from its start to its end."""

    process: Process
    journal: SwarmJournal
    executor: CrossExchangeExecutor
    ready: bool = False
    leaving: asyncio.Event = field(factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


@frozen(kw_only=True)
class Bench:
    """What every process of an episode is made of."""

    episode: Episode
    chance: Chance
    places: Places
    ground: Ground
    clock: OwnClock
    alerts: SwarmAlerts
    witness: Witness
    struck: Callable[[int, str], None]


class Lives:
    """Keeps a process running, for as long as the episode lasts."""

    def __init__(self, bench: Bench) -> None:
        self.wrong: list[str] = []  # what no checker would see
        self.current: Life | None = None
        self._bench = bench
        self._count = 0
        self._ended = False
        self._others: list[Life] = []  # that were taken over, and may run on
        self._changed = asyncio.Event()

    async def keep(self) -> None:
        """Begin a process whenever none runs."""
        chance = self._bench.chance
        while not self._ended:
            life: Life | None = self.begin()
            while life is not None and life.task is not None:
                await asyncio.wait({life.task})
                life = self.current if self.current is not life else None  # taken over: its successor is kept
            if self._over():
                return
            key = f"rebirth {self._count}"
            await asyncio.sleep(chance.between(key, 0, REBIRTH_S) if chance.number(key) < AWAY else 0)

    def _over(self) -> bool:
        return self._ended

    def begin(self) -> Life:
        """Begin a process; whichever ran before runs on beside it."""
        if self.current is not None and self.current.process.alive:
            self._others.append(self.current)
        self._count += 1
        witness = self._bench.witness
        process = Process(self._count)
        journal = SwarmJournal(self._bench.ground, process)
        life = self.current = Life(process, journal, self.executor(process, journal))
        witness.executors[process.number] = life.executor
        witness.follow_openings(life.executor)
        life.task = process.spawn(self._live(life), f"process {process.number}")
        return life

    def executor(self, process: Process, journal: SwarmJournal) -> CrossExchangeExecutor:
        """Return an executor that belongs to *process*."""
        bench = self._bench
        doors = {
            plan.name: Door(
                plan.name,
                CcxtVenue(bench.places.exchange(plan.name), name=plan.name, clock=bench.clock),
                process,
                bench.chance,
                bench.episode.adapter,
                bench.witness.struck,
            )
            for plan in bench.episode.venues
        }
        return CrossExchangeExecutor(
            venues=doors,
            journal=journal,
            fx=StaticFx(bench.places.rates),
            policy=bench.episode.policy,
            alerts=bench.alerts,
            clock=bench.clock,
            ids=ids_for(bench.episode.seed, bench.chance, bench.episode.ids_raise, bench.struck),
        )

    async def _live(self, life: Life) -> None:
        try:
            async with life.executor:
                life.ready = True
                self._changed.set()
                await life.leaving.wait()
                life.ready = False
        except (JournalError, Injected) as error:
            if not life.ready and isinstance(error, JournalCorrupt):
                self.wrong.append(f"a sound journal is refused: {error}")
        except FsmArbError as error:
            self.wrong.append(f"process {life.process.number} ended: {type(error).__name__}: {error}")
        finally:
            life.ready = False
            if life.process.alive:
                self._buried(life)

    async def running(self) -> Life:
        """Return the process that runs, as soon as one does."""
        while self.current is None or not self.current.ready or self.current.leaving.is_set():
            self._changed.clear()
            await self._changed.wait()
        return self.current

    async def kill(self, life: Life) -> None:
        """End a process where it stands."""
        life.ready = False
        await life.process.kill()
        self._buried(life)

    def _buried(self, life: Life) -> None:
        life.journal.let_go()
        self._bench.witness.executors.pop(life.process.number, None)
        self._bench.witness.restarted()

    async def end(self, within_s: float | None) -> None:
        """End the bot as a bot ends, within so many seconds; None: at once."""
        self._ended = True
        life = self.current
        if life is not None and life.task is not None and within_s is not None:
            life.leaving.set()
            await asyncio.wait({life.task}, timeout=within_s)
            if not life.task.done():
                self.wrong.append(f"leaving the executor takes longer than {within_s:.0f} s")
        for each in [*self._others, *([life] if life is not None else [])]:
            await each.process.kill()
