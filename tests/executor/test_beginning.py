"""Taking a decision up to its first durable records."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hall import D, Watched, breaks, mends, papers, quick, until

from fsm_arb.errors import ExecutorClosed, JournalFailed

if TYPE_CHECKING:
    from hall import Hall


@pytest.mark.parametrize("kind", ["rules", "health", "balances"])
async def test_a_reading_that_is_cancelled_from_within_is_no_cancellation_of_the_bot(hall: Hall, kind: str) -> None:
    """An entry is not begun, or ends with nothing sent; an exit never leaves its position closing."""
    venues = papers()
    async with hall.executor(venues=venues, policy=quick(health_age_s=0)) as executor:
        entered = await executor.execute_decision(hall.entry())
        for venue in venues.values():
            breaks(venue, kind, error=asyncio.CancelledError())
        for decision in (hall.entry(), hall.exit(entered)):
            result = await asyncio.wait_for(executor.execute_decision(decision), 3)
            assert result.state == "DONE"
        for venue in venues.values():
            mends(venue)
        (position, *_) = executor.positions()
        if position.state == "OPEN":
            await executor.execute_decision(hall.exit(entered))
        assert executor.positions()[0].state == "CLOSED"


@pytest.mark.parametrize("sync", [True, False])
async def test_a_guard_that_raises_a_cancellation_blocks_its_entry_alone(hall: Hall, sync: bool) -> None:
    """Whatever is durable of the trade is brought to its end, and its caller is answered."""

    class Guard:
        def check_cross_exchange_trade(self, decision: Any) -> Any:
            if sync:
                raise asyncio.CancelledError
            return self.later()

        async def later(self) -> Any:
            raise asyncio.CancelledError

    venues = papers()
    async with hall.executor(venues=venues, risk_guard=Guard()) as executor:
        result = await asyncio.wait_for(executor.execute_decision(hall.entry()), 3)
        assert result.state == "DONE"
        assert result.status in {"blocked", "failed"}
        assert list(executor.trades(live=True)) == []
    assert sum(venue.count("place") for venue in venues.values()) == 0


@pytest.mark.parametrize("commit", ["first", "second"])
async def test_a_commit_that_is_cancelled_from_within_leaves_nothing_half_begun(
    hall: Hall, commit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is durable the caller gets an error; after that the trade is driven to its end."""
    monkeypatch.setattr("fsm_arb.executor.runner.RETRY_S", (0.01, 0.1))
    journal, venues = Watched(hall.path), papers()
    trigger = {"first": "begun", "second": "checked"}[commit]
    left = [asyncio.CancelledError()]

    def fail(batches: Any) -> Any:
        hit = any(draft.trigger == trigger for batch in batches for draft in batch.drafts)
        return left.pop() if hit and left else None

    journal.fail = fail
    async with hall.executor(venues=venues, journal=journal) as executor:
        decision = hall.entry()
        if commit == "first":
            with pytest.raises(JournalFailed, match="cancelled from within"):
                await asyncio.wait_for(executor.execute_decision(decision), 3)
            assert (await executor.execute_decision(decision)).status == "success"
        else:
            result = await asyncio.wait_for(executor.execute_decision(decision), 3)
            assert (result.state, result.status) == ("DONE", "failed")
            assert sum(venue.count("place") for venue in venues.values()) == 0
        assert left == []


async def test_an_exit_waits_for_an_earlier_exit_that_is_at_work_again(hall: Hall) -> None:
    """A disturbed exit is mended before the rest is left: what is held may change."""
    venues = papers()
    async with hall.executor(venues=venues) as executor:
        entered = await executor.execute_decision(hall.entry("0.1"))
        for venue in venues.values():
            venue.outcomes = [D("0.04")]
        first = await executor.execute_decision(hall.exit(entered))
        assert first.status == "partial_hedged"
        runner = executor._runners[first.trade_id]
        runner._rest.clear()  # as it is while a trade runs
        leaving = asyncio.ensure_future(executor.execute_decision(hall.exit(entered)))
        await asyncio.sleep(0.05)
        assert [venue.count("place") for venue in venues.values()] == [2, 2]
        runner._rest.set()
        assert (await leaving).status == "success"
        assert executor.positions()[0].state == "CLOSED"


async def test_a_decision_that_is_being_opened_when_the_executor_is_torn_down_is_answered(hall: Hall) -> None:
    """Its caller was not cancelled, so it is told so in words."""
    venues = papers()
    breaks(venues["binance"], "rules")
    executor = hall.executor(venues=venues)
    await executor.__aenter__()
    opening = asyncio.ensure_future(executor.execute_decision(hall.entry()))
    await until(lambda: venues["binance"].count("rules"))
    await executor._shut()
    with pytest.raises(ExecutorClosed, match="it was left"):
        await opening
