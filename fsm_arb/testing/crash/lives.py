"""One life of a process after the other, each on what the one before has left, and how each ended."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVarTuple

from attrs import field, frozen

from fsm_arb.errors import ExecutorClosed, FsmArbError, JournalError, PositionNotOpen
from fsm_arb.executor.executor import CrossExchangeExecutor
from fsm_arb.fx import StaticFx
from fsm_arb.ids import client_order_id
from fsm_arb.scribe import TRADE
from fsm_arb.testing.crash.doors import JournalDoor, VenueDoor
from fsm_arb.testing.crash.effects import Effect, Fence, Strike
from fsm_arb.testing.crash.outside import NS_PER_S, LifeClock, Outside
from fsm_arb.testing.crash.storage import InMemory, Storage
from fsm_arb.virtual import Standstill, VirtualClock, VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextvars import Context

    from fsm_arb.decision import CrossExchangeDecision
    from fsm_arb.policy import ExecutionPolicy
    from fsm_arb.ports import Clock, Journal
    from fsm_arb.results import CrossExecutionResult
    from fsm_arb.testing.crash.exchange import Answer
    from fsm_arb.testing.glimpse import Checker

Ts = TypeVarTuple("Ts")

HEALS_S = 30.0  # how long what fails from then on fails
DOWN_S = 2.0  # between a death and the next start
LIVES_MAX = 8
LIFE_MAX_S = 600.0  # of virtual time; a life that is not at rest by then never will be
LOOK_S = 0.5
SPINS_MAX = 20_000  # calls while no time passes
# Where the monotonic clock of each life begins, s: ahead of the one before or far behind it, as after a reboot.
FIRST_S = (1_000_000.0, 5.0, 5_000_000.0)
PATIENCE = 60  # tries of a bot to have a decision executed
PAUSE_S = 2.0
BURIALS_MAX = 20  # of one task: each may stand in several places, one after the other


class Bot(Protocol):
    """What a bot does in each of its lives; what it asks for again is executed once."""

    async def __call__(self, executor: CrossExchangeExecutor) -> object:
        """Trade, and return when it has nothing more to do."""
        ...


@frozen(kw_only=True)
class Surroundings:
    """What an executor is built into."""

    venues: Mapping[str, VenueDoor]
    journal: Journal
    policy: ExecutionPolicy
    clock: Clock
    outside: Outside


Maker = Callable[[Surroundings], CrossExchangeExecutor]


def real_executor(around: Surroundings) -> CrossExchangeExecutor:
    """Return the executor that users run, with nothing changed but where time and client order ids come from."""
    return CrossExchangeExecutor(
        venues=around.venues,
        journal=around.journal,
        fx=StaticFx({"USDT/USD": "1"}),
        policy=around.policy,
        alerts=Sink(around.outside),
        clock=around.clock,
        ids=numbered_ids,
    )


def numbered_ids(epoch: int) -> Callable[[], str]:
    """Return client order ids that are the same in every run."""
    numbers = itertools.count(1)
    return lambda: client_order_id(epoch, next(numbers))


class Sink:
    """An alert sink that keeps what it is told."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def send(self, subject: str, body: str, labels: Mapping[str, str]) -> None:
        """Keep one alert."""
        self._outside.witness.alerts.append(f"{subject}: {body} {dict(labels)}")


@frozen(kw_only=True)
class Plot:
    """What is done in a trial: a bot, on venues that answer so."""

    bot: Bot  # called with the executor in each life; what is asked again is executed once
    policy: ExecutionPolicy
    answers: Mapping[str, Sequence[Answer]] = field(factory=dict)


@frozen(kw_only=True)
class Life:
    """How one life of the process went."""

    effects: tuple[Effect, ...]
    struck: Effect | None  # the effect that went wrong
    died: bool
    error: str = ""  # what ended it before it was at rest; empty: nothing did
    stuck: bool = False  # it had no end: another life would have none either


@frozen(kw_only=True)
class Trial:
    """What came of a plot under some strikes."""

    outside: Outside
    lives: tuple[Life, ...]

    @property
    def came_to_rest(self) -> bool:
        """Whether the last life did."""
        return not self.lives[-1].died and not self.lives[-1].error


class LifeLoop(VirtualLoop):
    """A loop that gives up on what has no end."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.gave_up = ""  # on what
        self._moment = (0, 0)  # the clock's reading, and the calls made at it

    def call_soon(
        self, callback: Callable[[*Ts], object], *arguments: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Do something next, unless too much has been done at this moment."""
        now, (moment, calls) = self.clock.monotonic_ns(), self._moment
        self._moment = now, calls + 1 if moment == now else 0
        if calls > SPINS_MAX:
            self.give_up("it is busy for ever while no time passes")
        return super().call_soon(callback, *arguments, context=context)

    def give_up(self, why: str) -> None:
        """Stop, and say why."""
        self.gave_up = self.gave_up or why
        self.stop()


def tried(
    plot: Plot,
    strikes: Sequence[Strike | None] = (),
    make: Maker | None = None,
    checkers: Sequence[Checker] = (),
    storage: Storage | None = None,
) -> Trial:
    """Let the plot run to its end.

    Args:
        plot: What is done.
        strikes: Life *n* runs under ``strikes[n]``, the later ones under none.
        make: Builds the executor; None: `real_executor`.
        checkers: What is judged after everything that happens, and at the end.
        storage: Where the journal stands; None: in memory.
    """
    outside, storage = Outside(plot.answers, checkers), storage or InMemory()
    lives: list[Life] = []
    while len(lives) < LIVES_MAX and not (lives and lives[-1].stuck):
        strike = strikes[len(lives)] if len(lives) < len(strikes) else None
        first_s = FIRST_S[len(lives) % len(FIRST_S)]
        lives.append(_lived(plot, outside, storage, strike=strike, first_s=first_s, make=make or real_executor))
        if not lives[-1].died and not lives[-1].error:
            break
        outside.pass_time(DOWN_S)
    if not lives[-1].died and not lives[-1].error:
        outside.witness.at_rest()
    return Trial(outside=outside, lives=tuple(lives))


def _lived(
    plot: Plot,
    outside: Outside,
    storage: Storage,
    *,
    strike: Strike | None,
    first_s: float,
    make: Maker,
) -> Life:
    loop = LifeLoop(outside.clock)
    clock = LifeClock(outside.clock, round(first_s * NS_PER_S))
    fence = Fence(strike, outside.clock.monotonic_ns, round(HEALS_S * NS_PER_S), loop.stop)
    doors = {name: VenueDoor(exchange, outside, fence, clock) for name, exchange in outside.exchanges.items()}
    around = Surroundings(
        venues=doors,
        journal=JournalDoor(storage.journal(), outside, fence),
        policy=plot.policy,
        clock=clock,
        outside=outside,
    )
    loop.set_exception_handler(lambda _, context: outside.witness.errors.append(_words(context)))
    loop.call_later(LIFE_MAX_S, loop.give_up, f"it is not at rest after {LIFE_MAX_S:g} s")
    outside.attach(loop)
    error = ""
    try:
        loop.run_until_complete(_life(plot, around, make))
    except Standstill as still:
        error = f"it waits for nothing: {still}"
    except (FsmArbError, TimeoutError) as wrong:
        error = f"{type(wrong).__name__}: {wrong}"
    except RuntimeError as stopped:  # how a loop says that it was stopped
        if fence.alive:
            error = loop.gave_up or f"RuntimeError: {stopped}"
    finally:
        died = not fence.alive
        fence.kill()
        outside.detach()
        _bury(loop)
        storage.gone(died=died)
    return Life(effects=tuple(fence.effects), struck=fence.struck, died=died, error=error, stuck=bool(loop.gave_up))


async def _life(plot: Plot, around: Surroundings, make: Maker) -> None:
    executor = make(around)
    # Not as a context: whoever dies in it does not leave it.
    await executor.__aenter__()
    await plot.bot(executor)
    for _ in itertools.count():
        if around.outside.quiet and not any(around.journal.streams(TRADE, live=True)):
            break
        await asyncio.sleep(LOOK_S)
    await executor.__aexit__(None, None, None)


def _words(context: dict[str, Any]) -> str:
    error = context.get("exception")
    return f"{context.get('message')}: {error!r}"


def _bury(loop: LifeLoop) -> None:
    """Let go of all tasks where they stand; what they would do while they end reaches nothing any more."""
    loop.set_exception_handler(lambda *_: None)
    asyncio._set_running_loop(loop)  # noqa: SLF001 - for event loops: what is begun now must not end up in another one
    try:
        for _ in range(BURIALS_MAX):
            tasks = [task for task in asyncio.all_tasks(loop) if _stands(task)]
            if not tasks:
                break
            for task in tasks:
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - so asyncio itself does
                with contextlib.suppress(Exception):
                    task.get_coro().close()
    finally:
        asyncio._set_running_loop(None)  # noqa: SLF001
        loop.close()


def _stands(task: asyncio.Task[Any]) -> bool:
    coroutine = task.get_coro()
    return inspect.iscoroutine(coroutine) and coroutine.cr_frame is not None


# ------------------------------------------------------------------ what bots do


async def insist(executor: CrossExchangeExecutor, decision: CrossExchangeDecision) -> CrossExecutionResult | None:
    """Have a decision executed as a stubborn bot does: ask again after errors, let entries go on once they stopped.

    Returns:
        Its result; None where its position is not open.
    """
    for _ in range(PATIENCE):
        try:
            return await executor.execute_decision(decision)
        except PositionNotOpen:
            return None
        except ExecutorClosed:
            executor.allow_entries()
        except JournalError:
            pass
        await asyncio.sleep(PAUSE_S)
    raise TimeoutError(f"decision {decision.decision_id} was not executed after {PATIENCE} tries")
