"""Dust survives restarts: counted once at any moment, in the trade or in the sum."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hall import Hall, papers, quick, until

from fsm_arb.codec import loads
from fsm_arb.errors import JournalFailed
from fsm_arb.executor import leavings
from fsm_arb.executor.leavings import Leavings
from fsm_arb.journal.memory import MemoryDisk, MemoryJournal
from fsm_arb.journal.reader import JournalReader
from fsm_arb.ports import Batch
from fsm_arb.scribe import DUST, TRADE, Page, Scribe
from fsm_arb.values import Action

D = Decimal
SIZES = ("0.0099", "0.0123", "0.0177", "0.0351")  # the fee on each is no whole number of lots


def carried(executor: Any) -> Decimal:
    return executor._services.residuals.of("BTC")


async def leave_dust(hall: Hall, trades: int, watch_s: int, **parts: Any) -> Decimal:
    """Trade, and return what the trades have left together."""
    async with hall.executor(policy=quick(watch_after_done_s=watch_s), **parts) as executor:
        results = [
            await executor.execute_decision(hall.entry(SIZES[0], action=Action.ENTRY_POSITIVE)) for _ in range(trades)
        ]
        if not watch_s:
            await until(lambda: not executor._runners)
        left = sum((result.net_exposure for result in results), D(0))
        assert carried(executor) == left != 0
    return left


@pytest.mark.parametrize("watch_s", [0, 60])
async def test_a_restart_carries_on_with_the_dust_of_before(hall: Hall, watch_s: int) -> None:
    """Whether the trades are still watched, and are read back one by one, or not any more."""
    left = await leave_dust(hall, 3, watch_s)
    for _ in range(2):
        async with hall.executor(policy=quick(watch_after_done_s=60)) as executor:
            assert carried(executor) == left
    assert left == (await hall.truth()).net("BTC")


async def test_it_is_traded_away_after_a_restart_as_it_would_have_been_before(hall: Hall) -> None:
    """One entry in each of eight processes leaves no more than eight of one process do."""
    for _ in range(8):
        await leave_dust_once(hall)
    assert abs((await hall.truth()).net("BTC")) <= D("0.00001")


async def leave_dust_once(hall: Hall) -> None:
    async with hall.executor(policy=quick(watch_after_done_s=0)) as executor:
        result = await executor.execute_decision(hall.entry(SIZES[0], action=Action.ENTRY_POSITIVE))
        assert result.status == "success"
        await until(lambda: not executor._runners)


async def test_the_sum_moves_in_the_commit_that_ends_the_watch(hall: Hall) -> None:
    """Each of its records says what is left in all, and which trade made it so."""
    left = await leave_dust(hall, 4, 0)
    with JournalReader(hall.path) as reader:
        (stream,) = reader.streams(DUST)
        sums = [loads(record.payload) for record in reader.read(stream)]
        records = list(reader.records())
    assert sums[-1].assets == (("BTC", left),)
    moved = [(before, record) for before, record in pairwise(records) if record.stream == stream]
    assert len(moved) == len(sums) >= 1
    for (before, _), whole in zip(moved, sums, strict=True):
        assert (before.stream, before.trigger) == (TRADE + whole.trade_id, "watch_ended")


async def test_a_finished_trade_that_is_roused_is_counted_once(hall: Hall) -> None:
    """Its bust moves it out of the sum or amends it; a restart at any moment finds the same."""
    venues = papers()
    async with hall.executor(venues=venues, policy=quick(watch_after_done_s=0)) as executor:
        result = await executor.execute_decision(hall.entry())
        await until(lambda: not executor._runners)
        await executor.bust(result.trade_id, result.leg("upbit").client_order_ids[0], D("0.000005"), "rounding")
        await until(lambda: not executor._runners)
        assert carried(executor) == D("-0.000005")
    async with hall.executor(venues=venues, policy=quick(watch_after_done_s=60)) as executor:
        assert carried(executor) == D("-0.000005")
        await executor.bust(
            result.trade_id, result.leg("upbit").client_order_ids[0], D("0.04"), "the venue rolled back"
        )
        assert executor.trade(result.trade_id).net_exposure == carried(executor)
    left = carried(executor)
    async with hall.executor(venues=venues, policy=quick(watch_after_done_s=60)) as executor:
        assert carried(executor) == left == executor.trade(result.trade_id).net_exposure


class Failing(MemoryJournal):
    """Refuses as many commits as it is told to."""

    failures = 0

    async def append(self, batches: Any) -> None:
        if self.failures:
            self.failures -= 1
            raise JournalFailed("no")
        await super().append(batches)


class Done:
    """As much of a finished trade as is looked at."""

    def __init__(self, name: str, exposure: str) -> None:
        self.trade_id, self.exposure, self.finished = name, D(exposure), True
        self.decision = type("Decision", (), {"legs": (type("Leg", (), {"base": "BTC"}),)})


async def end(left: Leavings, scribe: Scribe, trade: Any) -> None:
    async with left.settling(trade, Page("trade/" + trade.trade_id), 5) as batches:
        await asyncio.sleep(0)
        await scribe.write(batches)


async def test_a_commit_that_failed_leaves_the_sum_as_it_was() -> None:
    """And the next one starts from what is durable."""
    journal = Failing(MemoryDisk())
    await journal.open()
    scribe = Scribe(journal)
    left = Leavings(scribe)
    await end(left, scribe, Done("a", "0.25"))
    journal.failures = 1
    with pytest.raises(JournalFailed):
        await end(left, scribe, Done("b", "1"))
    await end(left, scribe, Done("c", "0.5"))
    again = Leavings(scribe)
    again.recover()
    assert again.residuals.of("BTC") == D("0.75")


class CutOff(MemoryJournal):
    """Its next commit becomes durable, and is cut off before it can say so."""

    cut = False

    async def append(self, batches: Any) -> Any:
        last = await super().append(batches)
        if self.cut:
            self.cut = False
            raise asyncio.CancelledError
        return last


async def test_a_commit_that_was_cut_off_and_is_durable_all_the_same_counts() -> None:
    """The next sum follows from it; from the one before, the journal would refuse it and all that come after."""
    journal = CutOff(MemoryDisk())
    await journal.open()
    scribe = Scribe(journal)
    left = Leavings(scribe)
    await end(left, scribe, Done("a", "0.25"))
    journal.cut = True
    with pytest.raises(asyncio.CancelledError):
        await end(left, scribe, Done("b", "1"))
    await end(left, scribe, Done("c", "0.5"))
    assert scribe.last(DUST + "1")[0].assets == (("BTC", D("1.75")),)


async def test_many_at_once_follow_one_another() -> None:
    """Each sum is computed from the one that is durable; what cancels out is no longer listed."""
    journal = MemoryJournal(MemoryDisk())
    await journal.open()
    scribe = Scribe(journal)
    left = Leavings(scribe)
    await asyncio.gather(*(end(left, scribe, Done(str(n), "0.1" if n % 2 else "-0.3")) for n in range(10)))
    assert scribe.last(DUST + "1")[0].assets == (("BTC", D("-1.0")),)
    await end(left, scribe, Done("x", "1"))
    assert scribe.last(DUST + "1")[0].assets == ()


async def test_what_leaves_nothing_writes_nothing() -> None:
    """A commit of a trade that is at work, or whose legs match to the last digit."""
    journal = MemoryJournal(MemoryDisk())
    await journal.open()
    left = Leavings(Scribe(journal))
    at_work = Done("a", "0.25")
    at_work.finished = False
    for trade in (at_work, Done("b", "0")):
        async with left.settling(trade, Page("trade/a"), 5) as batches:  # type: ignore[arg-type]
            assert batches == ()
    left.recover()
    assert left.residuals.of("BTC") == 0


async def test_a_stream_that_has_grown_long_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a start reads a few hundred records at most; the newest stream is the one that counts."""
    monkeypatch.setattr(leavings, "RECORDS_MAX", 4)
    journal = MemoryJournal(MemoryDisk())
    await journal.open()
    scribe = Scribe(journal)
    left = Leavings(scribe)
    for n in range(42):
        await end(left, scribe, Done(str(n), "1"))
    assert len(list(journal.streams(DUST))) == 11
    again = Leavings(scribe)
    again.recover()
    assert again.residuals.of("BTC") == 42
    await end(again, scribe, Done("x", "1"))
    assert scribe.last(DUST + "11")[0].of("BTC") == 43


def test_the_page_of_a_stream_knows_whether_it_is_live() -> None:
    """As the last batch said; a new one is."""
    page = Page("trade/a")
    assert page.live
    assert page.batch([], live=False) == Batch(stream="trade/a", expected_seq=0, drafts=(), live=False)
