"""A process that can be killed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fsm_arb.testing.swarm.process import Process, nothing_more, track_tasks
from fsm_arb.virtual import VirtualClock, run


def play(main: Any) -> Any:
    async def played() -> Any:
        track_tasks(asyncio.get_running_loop())
        return await main()

    return run(played(), VirtualClock())


def test_killing_a_process_ends_its_tasks_and_those_they_began() -> None:
    """What belongs to nobody goes on."""
    done: list[str] = []

    async def child(name: str) -> None:
        await asyncio.sleep(5)
        done.append(name)

    async def parent() -> None:
        task = asyncio.create_task(child("its child"))
        await asyncio.gather(task)

    async def main() -> None:
        process = Process(1)
        process.spawn(parent(), "parent")
        stranger = asyncio.create_task(child("a stranger"))
        await asyncio.sleep(1)
        await process.kill()
        await stranger

    play(main)
    assert done == ["a stranger"]


def test_what_a_dead_process_does_while_it_ends_reaches_nothing() -> None:
    """Its last words are never spoken: there is no clean-up after a kill."""
    reached: list[str] = []

    async def work(process: Process) -> None:
        try:
            await asyncio.sleep(5)
        finally:
            await process.ensure_alive()
            reached.append("cleaned up")

    async def main() -> None:
        process = Process(1)
        process.spawn(work(process), "work")
        await asyncio.sleep(1)
        await process.kill()

    play(main)
    assert reached == []


def test_a_process_that_lives_is_not_held_up() -> None:
    """The check costs nothing and waits for nothing."""

    async def main() -> str:
        await Process(1).ensure_alive()
        return "went on"

    assert play(main) == "went on"


def test_nobody_comes_back_from_nothing_more() -> None:
    """Only a cancellation ends the wait."""

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(nothing_more(), 10)

    play(main)


def test_a_task_that_heeds_no_cancellation_is_told_of() -> None:
    """A kill that does not kill would make every crash test worthless."""

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                if over:
                    raise

    over: list[bool] = []

    async def main() -> None:
        process = Process(3)
        task = process.spawn(stubborn(), "stubborn")
        await asyncio.sleep(0.5)
        with pytest.raises(RuntimeError, match="process 3: 1 tasks do not end"):
            await process.kill()
        over.append(True)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    play(main)
