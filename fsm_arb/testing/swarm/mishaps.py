"""What happens to a bot's process and its machine: kills, restarts, take-overs, altered journals, clocks, stalls."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from fsm_arb.errors import JournalCorrupt
from fsm_arb.testing.swarm.altered import altered
from fsm_arb.testing.swarm.episode import Mishap
from fsm_arb.testing.swarm.journal import SwarmJournal
from fsm_arb.testing.swarm.process import Process

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fsm_arb.testing.swarm.bot import Bot
    from fsm_arb.testing.swarm.episode import Planned
    from fsm_arb.testing.swarm.lives import Bench, Life, Lives
    from fsm_arb.virtual import VirtualClock

NS_PER_S = 1_000_000_000
GHOST_S = 20.0  # how long a process that was taken over lives on, at most
JUMP_S = 7_200.0  # how far a wall clock jumps, at most
STALL_S = 30.0  # how long an event loop stalls, at most


@define(eq=False)
class Watch:
    """Waits for a trade to enter a state."""

    state: str
    happened: asyncio.Event = field(factory=asyncio.Event)

    def reached(self) -> None:
        """It has."""
        self.happened.set()


class Mishaps:
    """Lets mishaps happen."""

    def __init__(self, bench: Bench, lives: Lives, bot: Bot, clock: VirtualClock) -> None:
        self.wrong: list[str] = []  # what no checker would see
        self._bench = bench
        self._lives = lives
        self._bot = bot
        self._clock = clock
        self._ways: dict[Mishap, Callable[[Life, str], Awaitable[None]]] = {
            Mishap.KILL: self._kill,
            Mishap.LEAVE: self._leave,
            Mishap.ALTERED: self._alter,
            Mishap.TAKEOVER: self._take_over,
            Mishap.JUMP: self._jump,
            Mishap.STALL: self._stall,
            Mishap.ABANDON: self._abandon,
        }

    async def occasion(self, planned: Planned) -> None:
        """Wait until a trade enters the state that *planned* waits for."""
        if planned.state:
            watch = Watch(planned.state)
            self._bench.witness.watching.append(watch)
            await watch.happened.wait()
        await asyncio.sleep(planned.delay_s)

    async def happen(self, planned: Planned) -> None:
        """Let one mishap happen to the process that runs."""
        life = await self._lives.running()
        await self._ways[Mishap(planned.what)](life, planned.key)

    async def _kill(self, life: Life, key: str) -> None:
        self._bench.struck(32, key)
        await self._lives.kill(life)

    async def _leave(self, life: Life, _key: str) -> None:
        life.leaving.set()

    async def _alter(self, life: Life, key: str) -> None:
        """Kill the process, alter a copy of its journal, and see that nobody starts on that."""
        bench = self._bench
        bench.struck(34, key)
        await self._lives.kill(life)
        found = altered(bench.ground.disk, bench.chance, key)
        if found is None:
            return
        copy, what = found
        process = Process(-1)
        executor = self._lives.executor(process, SwarmJournal(evolve(bench.ground, disk=copy), process))
        try:
            async with executor:
                self.wrong.append(f"an altered journal is not refused: {what}")
        except JournalCorrupt as error:
            if not error.seq:
                self.wrong.append(f"an altered journal is refused without a name: {what}: {error}")

    async def _take_over(self, life: Life, key: str) -> None:
        """Begin a second process on the journal of one that runs on for a while."""
        self._bench.ground.disk.driver = None
        self._lives.begin()
        await asyncio.sleep(self._bench.chance.between(key, 0.0, GHOST_S))
        if life.process.alive:
            await self._lives.kill(life)

    async def _jump(self, _life: Life, key: str) -> None:
        self._bench.struck(36, key)
        self._bench.clock.jump(int(self._bench.chance.between(key, -JUMP_S, JUMP_S) * NS_PER_S))

    async def _stall(self, _life: Life, key: str) -> None:
        self._bench.struck(37, key)
        self._clock.advance(int(self._bench.chance.between(key, 0.05, STALL_S) * NS_PER_S))

    async def _abandon(self, _life: Life, _key: str) -> None:
        self._bot.abandon()
