"""Run one episode, and say what came of it."""

from __future__ import annotations

import gc
import hashlib
import logging
import re
import time
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from fsm_arb.errors import JournalError
from fsm_arb.testing.glimpse import Violation
from fsm_arb.testing.invariants import LIVENESS, invariants
from fsm_arb.testing.swarm.census import Census
from fsm_arb.testing.swarm.chance import Chance
from fsm_arb.testing.swarm.drawing import draw
from fsm_arb.testing.swarm.journal import Injected
from fsm_arb.testing.swarm.places import Places
from fsm_arb.testing.swarm.world import Parts, World
from fsm_arb.virtual import VirtualClock, run

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from fsm_arb.memory import Entry

OWN = 0  # the number of what the swarm itself objects to, and no checker


@frozen(kw_only=True)
class Order:
    """Which episode to run, and what of it to leave out.

    Attributes:
        seed: Of the episode.
        focus: What it aims at: a name, or empty for nothing; None: the seed decides.
        mask: Keys of faults and acts that are left out.
        only: Keys of the only ones that are let in; None: all.
    """

    seed: int
    focus: str | None = None
    mask: frozenset[str] = frozenset()
    only: frozenset[str] | None = None


@frozen(kw_only=True)
class Told:
    """What came of one episode.

    Attributes:
        order: Which.
        level: How much went wrong in it.
        violations: What the checkers, and the swarm itself, object to.
        struck: Faults and acts that took effect, by key, in order.
        census: What it reached.
        digest: Of the journal: the same for the same order.
        entries: Every trade's records, where something is wrong.
        seconds: Of real time.
    """

    order: Order
    level: str
    violations: tuple[Violation, ...]
    struck: tuple[str, ...]
    census: Census
    digest: str
    entries: dict[str, tuple[Entry, ...]] = field(factory=dict)
    seconds: float = 0.0


def run_episode(order: Order) -> Told:
    """Run one episode in virtual time."""
    began = time.perf_counter()
    struck: dict[str, None] = {}

    def note(key: str) -> None:
        struck.setdefault(key)

    with _quietly() as errors:
        episode = draw(order.seed, order.focus)
        clock = VirtualClock()
        chance = Chance(order.seed, mask=order.mask, only=order.only, told=note)
        places = Places(episode, clock, mask=order.mask, only=order.only, told=note)
        checkers = (*invariants(), LIVENESS)
        world = World(Parts(episode=episode, chance=chance, clock=clock, places=places, checkers=checkers))
        errors.into = world.witness.errors
        run(_played(world, errors), clock)
    witness = world.witness
    violations = [*witness.violations]
    violations += [Violation(number=OWN, name="swarm", what=what) for what in world.wrong]
    census = witness.census
    census.episodes[episode.level] += 1
    census.operated.update(world.operator.done)
    census.virtual_s += clock.monotonic_ns() / 1e9
    witness.count_trades(episode.level)
    return Told(
        order=order,
        level=episode.level,
        violations=tuple(violations),
        struck=tuple(struck),
        census=census,
        digest=_digest(world),
        entries=dict(witness.entries) if violations else {},
        seconds=time.perf_counter() - began,
    )


async def _played(world: World, errors: Errors) -> None:
    import asyncio

    asyncio.get_running_loop().set_exception_handler(errors.of_loop)
    await world.play()


def _digest(world: World) -> str:
    """Return a hash of the journal and of the venues' books."""
    records = world.disk.records
    text = hashlib.sha256(records[-1].hash.encode() if records else b"")
    for name, order in sorted(world.places.orders().items()):
        text.update(f"{name} {order.venue} {order.filled} {order.live}".encode())
    return text.hexdigest()


def trade_of(told: Told) -> str | None:
    """Return the trade that the first violation speaks of; else the last of them; None where there is none."""
    if not told.violations or not told.entries:
        return None
    what = told.violations[0].what
    for name in re.finditer(r"[0-9A-Za-z~]+", what):
        if name[0] in told.entries:
            return name[0]
    for trade_id, entries in told.entries.items():
        intents = [intent for entry in entries for intent in getattr(entry.fact, "intents", ())]
        if any(intent.client_order_id in what for intent in intents):
            return trade_id
    return list(told.entries)[-1]


# ------------------------------------------------------------------ what nobody planned for


class Errors(logging.Handler):
    """Keeps the errors of our own code that no episode has made up."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.into: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take in an error that was logged with its exception."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not _made_up(error):
            self.into.append(f"{record.getMessage()}: {type(error).__name__}: {error}")

    def of_loop(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take in an error that a task or callback has left to the event loop."""
        error = context.get("exception")
        if error is not None and not _made_up(error):
            self.into.append(f"{context.get('message')}: {type(error).__name__}: {error}")


def _made_up(error: BaseException) -> bool:
    """Whether an episode itself has made *error*, or something failed as an episode had it fail."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, Injected | JournalError | ConnectionError | TimeoutError):
            return True
        seen = seen.__cause__ or seen.__context__
    return "Injected" in str(error)


@contextmanager
def _quietly() -> Iterator[Errors]:
    """Log nothing, keep what nobody planned for, and let no pause of the collector fall into an episode."""
    library = logging.getLogger("fsm_arb")
    errors = Errors()
    level, propagate, handlers = library.level, library.propagate, library.handlers[:]
    library.handlers[:] = [errors]
    library.setLevel(logging.ERROR)
    library.propagate = False
    collecting = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield errors
    finally:
        if collecting:
            gc.enable()
        library.handlers[:] = handlers
        library.setLevel(level)
        library.propagate = propagate


__all__ = ["OWN", "Errors", "Order", "Told", "evolve", "run_episode", "trade_of"]
