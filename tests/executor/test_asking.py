"""What can be asked of an executor at any time, and who is told of what it commits."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hall import Hall, papers, quick, until

from fsm_arb.errors import ExecutorClosed, InvalidInput, UnknownTrade
from fsm_arb.journal.sqlite import SqliteJournal
from fsm_arb.ports import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from fsm_arb import Committed, CrossExchangeExecutor

D = Decimal


@pytest.fixture
def quiet_hall(tmp_path: Path) -> Hall:
    """A hall without an exchange: its venues are of our own port."""
    return Hall(None, tmp_path)  # type: ignore[arg-type]


def trading(hall: Hall, **parts: Any) -> CrossExchangeExecutor:
    return hall.executor(**{"venues": papers(), "policy": quick(watch_after_done_s=0)} | parts)


# ------------------------------------------------------------------ asking


async def test_a_finished_trade_and_its_position_can_be_asked_for(quiet_hall: Hall) -> None:
    """By name, or all of them, oldest first; while it runs and after."""
    async with trading(quiet_hall) as executor:
        first = await executor.execute_decision(quiet_hall.entry(decision_id="a"))
        second = await executor.execute_decision(quiet_hall.entry(decision_id="b"))
        assert executor.trade("a") == first
        assert [each.trade_id for each in executor.trades()] == ["a", "b"]
        assert list(executor.trades(live=True)) == []
        assert [each.trade_id for each in executor.trades(live=False)] == ["a", "b"]
        assert [each.position_id for each in executor.positions()] == [first.position_id, second.position_id]
        assert executor.exposure() == {}
        with pytest.raises(UnknownTrade):
            executor.trade("c")


async def test_what_is_naked_is_told_by_asset(quiet_hall: Hall) -> None:
    """Of unfinished trades only."""
    venues = papers()
    venues["binance"].outcomes = [Refused(code="invalid_order", message="no")]
    async with trading(quiet_hall, venues=venues, policy=quick(attempts_max=0, halted_retry_s="60")) as executor:
        result = await executor.execute_decision(quiet_hall.entry("0.1"))
        assert result.status == "halted"
        assert executor.exposure() == {"BTC": D("0.1")}
        assert [each.trade_id for each in executor.trades(live=True)] == [result.trade_id]


# ------------------------------------------------------------------ following


async def test_a_bot_follows_its_trades_as_they_are_committed(quiet_hall: Hall) -> None:
    """Callback and loop get the same records, trades and positions, and they are the journal's."""
    called: list[Committed] = []
    async with trading(quiet_hall) as executor:
        following = executor.records()
        executor.subscribe(called.append)
        entered = await executor.execute_decision(quiet_hall.entry())
        await executor.execute_decision(quiet_hall.exit(entered))
        await until(lambda: called and called[-1].position_id)
    looped = [record async for record in following]
    async with SqliteJournal(quiet_hall.path) as journal:
        kept = [(r.seq, r.stream, r.stream_seq, r.trigger, r.payload) for r in journal.records()]
    assert [(r.seq, r.stream, r.stream_seq, r.trigger, r.payload) for r in looped] == kept
    assert called == looped
    assert [r.after for r in looped if r.trade_id == entered.trade_id and r.moved] == [
        "SIZING",
        "PLACING",
        "MONITORING",
        "HEDGED",
        "DONE",
    ]
    assert [(r.trigger, r.after) for r in looped if r.position_id] == [
        ("opened", "OPEN"),
        ("exit_started", "CLOSING"),
        ("exit_ended", "CLOSED"),
    ]


async def test_following_goes_on_behind_a_record_of_another_process(quiet_hall: Hall) -> None:
    """A bot that was restarted hands in how far it had come, and misses nothing of what was written meanwhile."""
    async with trading(quiet_hall) as executor:
        following = executor.records()
        await executor.execute_decision(quiet_hall.entry(decision_id="a"))
        seen = [await anext(following) for _ in range(4)]
        await executor.execute_decision(quiet_hall.entry(decision_id="b"))
    async with trading(quiet_hall) as executor:
        following = executor.records(after=seen[-1].seq)
        await executor.execute_decision(quiet_hall.entry(decision_id="c"))
        while seen[-1].trade_id != "c":  # up to what is live
            seen.append(await anext(following))
    seen += [record async for record in following]
    async with SqliteJournal(quiet_hall.path) as journal:
        assert [record.seq for record in seen] == [record.seq for record in journal.records()]
    assert {record.trade_id for record in seen} == {"a", "b", "c", None}


async def test_only_an_executor_that_is_entered_can_be_followed(quiet_hall: Hall) -> None:
    """There is nothing to be told of before, and nothing after; what makes no sense is refused at once."""
    executor = trading(quiet_hall)
    with pytest.raises(ExecutorClosed):
        executor.records()
    async with executor:
        with pytest.raises(InvalidInput):
            executor.records(after=-1)
        following = executor.records()
    assert [record async for record in following] == []
    with pytest.raises(ExecutorClosed):
        executor.subscribe(print)
    async with executor:
        executor.subscribe(print)()


async def test_two_executors_tell_only_of_their_own(tmp_path: Path) -> None:
    """Nothing is shared between them."""
    halls = [Hall(None, tmp_path / name) for name in ("a", "b")]  # type: ignore[arg-type]
    for hall in halls:
        hall.path.parent.mkdir()
    async with trading(halls[0]) as first, trading(halls[1]) as second:
        following = first.records(), second.records()
        await first.execute_decision(halls[0].entry(decision_id="one"))
        await second.execute_decision(halls[1].entry(decision_id="two"))
    told = [{record.trade_id async for record in each} for each in following]
    assert told == [{"one", None}, {"two", None}]
