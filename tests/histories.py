"""Trades that have been: of the swarm's bad nights, or walked by hand; as entries, tales and journals."""

from __future__ import annotations

import asyncio
import functools
import logging
import warnings
from typing import TYPE_CHECKING

from worlds import SECOND, Walk, book

from fsm_arb.audit.summary import entry_of
from fsm_arb.audit.tales import Tale, tell
from fsm_arb.journal.memory import MemoryJournal
from fsm_arb.journal.reader import JournalReader
from fsm_arb.journal.sqlite import SqliteJournal
from fsm_arb.scribe import TRADE, Page, Scribe, trade_drafts
from fsm_arb.testing.swarm.chance import Chance
from fsm_arb.testing.swarm.drawing import draw
from fsm_arb.testing.swarm.places import Places
from fsm_arb.testing.swarm.world import Parts, World
from fsm_arb.virtual import VirtualClock, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from fsm_arb.memory import Entry
    from fsm_arb.ports import Journal

Histories = dict[str, tuple["Entry", ...]]
SEEDS = range(30)  # of episodes with crashes, halts, operators and busts


# ------------------------------------------------------------------ the swarm's


@functools.cache
def bad_nights() -> Histories:
    """Return every trade of the first episodes of the swarm, under a name of its own."""
    found: Histories = {}
    for seed in SEEDS:
        found |= {f"s{seed}-{name}": entries for name, entries in episode(seed).items()}
    return found


def episode(seed: int) -> Histories:
    """Return the trades of one episode, as its journal holds them at the end."""
    logger, none = logging.getLogger("fsm_arb"), frozenset[str]()
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            drawn, clock = draw(seed, None), VirtualClock()
            chance = Chance(seed)
            places = Places(drawn, clock, mask=none, only=None, told=lambda _: None)
            world = World(Parts(episode=drawn, chance=chance, clock=clock, places=places, checkers=()))
            run(_played(world), clock)
    finally:
        logger.setLevel(before)
    found: dict[str, list[Entry]] = {}
    for record in world.disk.records:
        if record.stream.startswith(TRADE):
            found.setdefault(record.stream.removeprefix(TRADE), []).append(entry_of(record))
    return {name: tuple(entries) for name, entries in found.items()}


async def _played(world: World) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # what an episode breaks is its own business
    await world.play()


# ------------------------------------------------------------------ by hand


def calm() -> Walk:
    """Both legs filled whole: booked and over."""
    walk = Walk(name="calm")
    walk.now = 0.25
    return walk.fills(0).fills(1).end_watch()


def unwound(**numbers: object) -> Walk:
    """Leg 0 sold ten, leg 1 was refused; what was sold is bought back, which is cheaper than completing."""
    walk = Walk(name="unwound", **numbers)
    walk.now = 0.5
    walk.fills(0).refuse(1)
    walk.now = 1.0
    walk.look(second=book("98.00", "102.00"))
    walk.now = 1.5
    return walk.fills(2)


def halted(**numbers: object) -> Walk:
    """Leg 0 sold ten, leg 1 was refused, and neither venue shows a book."""
    walk = Walk(name="halted", **({"attempts_max": 1} | numbers))
    walk.now = 0.5
    return walk.fills(0).refuse(1).silence(0, 1)


def doubtful() -> Walk:
    """Leg 0 sold ten, leg 1 is in doubt for longer than anybody waits."""
    walk = Walk(name="doubtful", doubt_max_s=20)
    walk.now = 0.5
    return walk.fills(0).doubt(1).at(5.5).at(21)


def wall_clock(entries: Sequence[Entry], began_s: int = 1_700_000_000) -> tuple[Entry, ...]:
    """Return *entries* with a wall clock of today, not of 1970."""
    from attrs import evolve

    return tuple(evolve(entry, at_ns=entry.at_ns + began_s * SECOND) for entry in entries)


# ------------------------------------------------------------------ written down


async def _write(journal: Journal, trades: Mapping[str, Sequence[Entry]]) -> None:
    await journal.open()
    scribe = Scribe(journal)
    for name, entries in trades.items():
        page = Page(TRADE + name)
        over = entries[-1].trigger == "watch_ended"
        await scribe.write([(page, page.batch(trade_drafts(entries), live=not over))])


def journal_of(path: Path, trades: Mapping[str, Sequence[Entry]]) -> Path:
    """Write a journal that holds these trades."""

    async def write() -> None:
        journal = SqliteJournal(path)
        await _write(journal, trades)
        await journal.close()

    asyncio.run(write())
    return path


def tale_of(walk: Walk) -> Tale:
    """Return the tale of a walk."""
    return tale(walk.trade.trade_id, wall_clock(walk.entries))


def tale(name: str, entries: Sequence[Entry]) -> Tale:
    """Return the tale of one trade."""

    async def written() -> MemoryJournal:
        journal = MemoryJournal()
        await _write(journal, {name: entries})
        return journal

    found = tell(asyncio.run(written()), name)  # type: ignore[arg-type]
    assert found is not None
    return found


def read(path: Path, name: str) -> Tale:
    """Return one trade of a journal."""
    with JournalReader(path) as reader:
        found = tell(reader, name)
    assert found is not None
    return found
