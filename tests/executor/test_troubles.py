"""Who waits for a trade is told of its trouble."""

from __future__ import annotations

import asyncio

import pytest

from fsm_arb.errors import JournalFailed
from fsm_arb.executor.troubles import Troubles


async def test_whoever_waits_is_told_of_trouble_and_whoever_asks_later_too() -> None:
    """Until it is over; other trades are not concerned."""
    troubles = Troubles()
    never: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    waiting = [asyncio.ensure_future(troubles.unless(name, asyncio.shield(never))) for name in ("a", "a", "b")]
    await asyncio.sleep(0)
    troubles.begin("a", JournalFailed("the disk is gone"))
    for each in waiting[:2]:
        with pytest.raises(JournalFailed):
            await each
    with pytest.raises(JournalFailed):
        await troubles.unless("a", asyncio.shield(never))
    with pytest.raises(JournalFailed):
        troubles.check("a")
    troubles.check("b")
    troubles.end("a")
    troubles.check("a")
    assert not waiting[2].done()
    never.set_result(7)
    assert await waiting[2] == 7
    assert await troubles.unless("a", never) == 7
    assert troubles._waiting == {}


async def test_an_answer_that_is_there_already_is_given_in_trouble_too() -> None:
    """What has happened has happened."""
    troubles = Troubles()
    troubles.begin("a", JournalFailed("the disk is gone"))
    known: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    known.set_result(7)
    assert await troubles.unless("a", known) == 7
