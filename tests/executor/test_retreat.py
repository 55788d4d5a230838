"""Leaving a position that could not be left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hall import D, PaperVenue, papers, quick, until

from fsm_arb.errors import PositionNotOpen
from fsm_arb.executor.retreat import derived_id
from fsm_arb.values import HealthStatus

if TYPE_CHECKING:
    from hall import Hall

POLICY = quick(health_age_s=0, halted_retry_s="0.4")


async def stuck(hall: Hall, executor: Any, venues: dict[str, PaperVenue], **changes: Any) -> Any:
    """Enter, and fail to leave."""
    entered = await executor.execute_decision(hall.entry())
    venues["binance"].status = HealthStatus.DOWN
    left = await executor.execute_decision(hall.exit(entered, **changes))
    assert left.status == "blocked"
    return left


def test_a_derived_id_is_no_longer_than_an_id_may_be() -> None:
    """And two ids that begin alike never meet."""
    assert derived_id("x", 2) == "x~2"
    assert derived_id("x" * 62, 3) == "x" * 62 + "~3"
    long = [derived_id("x" * 63 + last, 12) for last in "ab"]
    assert [len(each) for each in long] == [64, 64]
    assert long[0] != long[1]
    assert all(each.endswith("~12") for each in long)


@pytest.mark.parametrize("decision_id", ["leave", "y" * 64])
async def test_a_blocked_exit_is_tried_until_the_venue_is_there(hall: Hall, decision_id: str) -> None:
    """Under an id of its own; who asks for the first is told of the first. While it is down nothing is journaled."""
    venues = papers()
    async with hall.executor(venues=venues, policy=POLICY) as executor:
        left = await stuck(hall, executor, venues, decision_id=decision_id)
        await asyncio.sleep(0.2)
        assert len(list(executor.trades())) == 2
        assert executor.positions()[0].state == "OPEN"
        venues["binance"].status = HealthStatus.UP
        await until(lambda: executor.positions()[0].state == "CLOSED")
        assert await executor.execute_decision(left.decision) == left
        last = list(executor.trades())[-1]
        assert (last.trade_id, last.status) == (derived_id(decision_id, 2), "success")
        assert len(last.trade_id) <= 64
        await until(lambda: not executor._retreats._chains)
        assert [venue.count("place") for venue in venues.values()] == [2, 2]


async def test_the_pauses_between_tries_double(hall: Hall) -> None:
    """From an eighth of the policy's slow retry up to the whole of it."""
    venues = papers()
    async with hall.executor(venues=venues, policy=POLICY) as executor:
        await stuck(hall, executor, venues)
        before = venues["binance"].count("health")
        await asyncio.sleep(0.9)  # at 0.05, 0.15, 0.35 and 0.75 s
        assert 3 <= venues["binance"].count("health") - before <= 4


async def test_an_exit_that_is_blocked_again_is_tried_again(hall: Hall) -> None:
    """Each under the next number, whatever blocks it."""
    venues = papers()
    async with hall.executor(venues=venues, policy=quick(health_age_s=0, halted_retry_s="0.1")) as executor:
        await stuck(hall, executor, venues, decision_id="leave")
        healthy = PaperVenue.health
        answers = [HealthStatus.UP, HealthStatus.DOWN, HealthStatus.UP, HealthStatus.DOWN]

        async def health() -> Any:
            venues["binance"].status = answers.pop(0) if answers else HealthStatus.UP
            return await healthy(venues["binance"])

        venues["binance"].health = health  # type: ignore[method-assign]
        await until(lambda: executor.positions()[0].state == "CLOSED")
        exits = [each.trade_id for each in executor.trades() if each.decision.action.is_exit]
        assert exits == ["leave", "leave~2", "leave~3", "leave~4"]


async def test_whoever_leaves_by_himself_ends_the_tries(hall: Hall) -> None:
    """A position that is closed, or that another exit has been begun of, is nobody's to leave any more."""
    venues = papers()
    async with hall.executor(venues=venues, policy=quick(health_age_s=0, halted_retry_s=1)) as executor:
        left = await stuck(hall, executor, venues)
        venues["binance"].status = HealthStatus.UP
        for venue in venues.values():
            venue.outcomes = [D("0.04")]
        mine = await executor.execute_decision(hall.exit(left))
        assert mine.status == "partial_hedged"
        await asyncio.sleep(0.3)
        assert executor.positions()[0].quantity == D("0.06")
        await until(lambda: not executor._retreats._chains)
        assert (await executor.execute_decision(hall.exit(left))).status == "success"
        with pytest.raises(PositionNotOpen):
            await executor.execute_decision(hall.exit(left))


async def test_a_second_exit_that_is_blocked_takes_the_tries_over(hall: Hall) -> None:
    """The newest wish counts."""
    venues = papers()
    async with hall.executor(venues=venues, policy=quick(health_age_s=0, halted_retry_s=2)) as executor:
        left = await stuck(hall, executor, venues, decision_id="first")
        second = await executor.execute_decision(hall.exit(left, decision_id="second"))
        assert second.status == "blocked"
        venues["binance"].status = HealthStatus.UP
        await until(lambda: executor.positions()[0].state == "CLOSED")
        assert list(executor.trades())[-1].trade_id == "second~2"


async def test_leaving_the_executor_ends_the_tries(hall: Hall) -> None:
    """No task is left, and the position stays as it was."""
    venues = papers()
    async with hall.executor(venues=venues, policy=POLICY) as executor:
        await stuck(hall, executor, venues)
    assert executor._retreats._chains == {}
    venues["binance"].status = HealthStatus.UP
    await asyncio.sleep(0.1)
    assert [venue.count("place") for venue in venues.values()] == [1, 1]
