"""A process lives, dies and is followed by another on what it has left."""

from __future__ import annotations

import asyncio
import gc
import itertools
from typing import TYPE_CHECKING

import pytest

from fsm_arb.errors import JournalFailed
from fsm_arb.testing.crash.effects import Kind, Mode, Strike
from fsm_arb.testing.crash.judging import wrongs
from fsm_arb.testing.crash.lives import (
    FIRST_S,
    Plot,
    Surroundings,
    insist,
    numbered_ids,
    real_executor,
    tried,
)
from fsm_arb.testing.crash.scenarios import POLICY, SCENARIOS, entry, in_and_out
from fsm_arb.values import Action

if TYPE_CHECKING:
    from fsm_arb.executor.executor import CrossExchangeExecutor

BOTH_FILL = SCENARIOS[0].plot


def test_the_same_plot_has_the_same_effects() -> None:
    """Time and ids are handed in, so that the k-th effect is the same one in every run."""
    first, second = (tried(BOTH_FILL).lives[0].effects for _ in range(2))
    assert first == second
    kinds = [effect.kind for effect in first]
    assert kinds.count(Kind.LEAVES) == kinds.count(Kind.ACTED) == kinds.count(Kind.REPLIED) == 2
    assert kinds.count(Kind.ASKED) == kinds.count(Kind.DURABLE) > 3


def test_a_run_in_which_nothing_goes_wrong_is_one_life() -> None:
    """It comes to rest, and its journal is let go of."""
    trial = tried(BOTH_FILL)
    (life,) = trial.lives
    assert (life.died, life.error, life.struck, trial.came_to_rest) == (False, "", None, True)
    assert [round(order.filled, 1) for order in trial.outside.witness.glimpse.orders.values()] == [10, 10]


def test_the_dead_leave_nothing_behind_but_what_is_durable() -> None:
    """A process that dies as its first order leaves sends nothing more; its successor finds the intents."""
    effects = tried(BOTH_FILL).lives[0].effects
    at = next(effect.number for effect in effects if effect.kind is Kind.LEAVES)
    trial = tried(BOTH_FILL, (Strike(at, Mode.DIES),))
    first, second = trial.lives
    assert (first.died, second.died, len(first.effects)) == (True, False, at)
    assert first.struck == effects[at - 1]
    assert list(wrongs(trial)) == []
    (trade,) = trial.outside.witness.glimpse.trades.values()
    assert [order.lifecycle.value for order in trade.orders] == ["dead", "dead"]
    assert trial.outside.witness.glimpse.creates == ()


def test_a_second_death_is_struck_in_the_second_life() -> None:
    """Each life is numbered from one."""
    trial = tried(BOTH_FILL, (Strike(15, Mode.DIES), Strike(3, Mode.DIES)))
    assert [(life.died, len(life.effects)) for life in trial.lives[:2]] == [(True, 15), (True, 3)]
    assert trial.came_to_rest
    assert list(wrongs(trial)) == []


def test_each_life_has_another_monotonic_clock() -> None:
    """One that begins behind the one before, as after a reboot; then ahead of both."""
    began: list[float] = []

    def noted(around: Surroundings) -> CrossExchangeExecutor:
        began.append(around.clock.monotonic_ns() / 1e9)
        return real_executor(around)

    tried(BOTH_FILL, (Strike(15, Mode.DIES), Strike(3, Mode.DIES)), noted)
    assert began == list(FIRST_S)
    assert began[1] < began[0] < began[2]


def test_burying_a_process_runs_none_of_it(recwarn: pytest.WarningsRecorder) -> None:
    """No task is left to be collected, none complains, nothing is logged as lost."""
    for at in range(1, 25):
        tried(BOTH_FILL, (Strike(at, Mode.DIES),))
    for at in range(1, 6):  # where an executor that is being entered would tidy up after itself
        tried(BOTH_FILL, (Strike(15, Mode.DIES), Strike(at, Mode.DIES)))
    gc.collect()
    assert [str(warning.message) for warning in recwarn] == []


async def restless(executor: CrossExchangeExecutor) -> None:
    for _ in itertools.count():
        await asyncio.sleep(1)


async def spinning(executor: CrossExchangeExecutor) -> None:
    for _ in itertools.count():
        await asyncio.sleep(0)


async def waiting(executor: CrossExchangeExecutor) -> None:
    await asyncio.get_running_loop().create_future()


async def failing(executor: CrossExchangeExecutor) -> None:
    raise JournalFailed("no disk")


@pytest.mark.parametrize(
    ("bot", "why", "lives"),
    [
        (restless, "it is not at rest after", 1),
        (spinning, "it is busy for ever while no time passes", 1),
        (waiting, "it is not at rest after", 1),
        (failing, "JournalFailed: no disk", 8),
    ],
)
def test_what_has_no_end_is_given_up(bot: object, why: str, lives: int) -> None:
    """And said; a process that only fails is started again, so many times."""
    trial = tried(Plot(bot=bot, policy=POLICY))  # type: ignore[arg-type]
    assert (len(trial.lives), trial.came_to_rest) == (lives, False)
    assert why in trial.lives[-1].error


def test_ids_are_the_same_in_every_run() -> None:
    """And differ from epoch to epoch."""
    fresh = numbered_ids(7)
    assert (fresh(), fresh(), numbered_ids(8)()) == (
        "f00070000000000001",
        "f00070000000000002",
        "f00080000000000001",
    )


def test_a_stubborn_bot_asks_until_it_is_answered() -> None:
    """A decision is executed once, however often it is asked for; an exit of what is closed is none."""
    results: list[object] = []

    async def bot(executor: CrossExchangeExecutor) -> None:
        results.extend([await insist(executor, entry()) for _ in range(2)])
        await in_and_out(executor)

    trial = tried(Plot(bot=bot, policy=POLICY), (Strike(3, Mode.ON),))
    assert trial.came_to_rest
    assert results[0] == results[1]
    actions = [trade.decision.action for trade in trial.outside.witness.glimpse.trades.values()]
    assert actions == [Action.ENTRY_POSITIVE, Action.EXIT_TP]
