"""One trade's driver: what it does when venues, journal, process or its own code fail."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from hall import (
    BID,
    Sink,
    Watched,
    breaks,
    crash,
    mends,
    open_hall,
    papers,
    placed,
    quick,
    shows,
    until,
)

from fsm_arb import Action, OperatorFill, OrderType, Side
from fsm_arb.clock import SystemClock
from fsm_arb.errors import InvalidInput, JournalFailed, JournalFenced, JournalFull, UnknownTrade, VenueUnanswered
from fsm_arb.executor.runner import Runner
from fsm_arb.executor.tending import Tending
from fsm_arb.messages import Ticked
from fsm_arb.ports import Found, OrderSnapshot, OrderStatus
from fsm_arb.testing.crash.exchange import Answer, Tranche
from fsm_arb.testing.crash.lives import Plot, tried
from fsm_arb.testing.crash.scenarios import POLICY, one_entry
from fsm_arb.venues.ccxt_venue import CcxtVenue

if TYPE_CHECKING:
    from pathlib import Path

    from hall import Hall

D = Decimal

# The first order of upbit fills, binance takes nothing at any price that the policy allows.
STUCK: dict[str, Any] = {"attempts_max": 2, "max_remedy_loss_bps": 50}


async def strand(hall: Hall) -> None:
    """Let upbit fill an entry, then leave both venues without a book."""
    await hall.set_book("binance", bid=0, ask=0)
    await hall.set_book("upbit", bid=0)


# ------------------------------------------------------------------ a wall


async def test_a_trade_that_no_venue_would_mend_halts_and_calls_somebody(hall: Hall) -> None:
    """HALTED tells status, exposure and alert; slow retries go on and call again, without a busy loop."""
    await strand(hall)
    sink = Sink()
    async with hall.executor(policy=quick(**STUCK), alerts=sink) as executor:
        result = await executor.execute_decision(hall.entry())
        assert (result.status, result.state, result.ever_halted) == ("halted", "HALTED", True)
        assert result.net_exposure == D("0.1") == executor.exposure()["BTC"]
        assert "remed" in result.note
        assert [each.trade_id for each in executor.trades(live=True)] == [result.trade_id]
        assert executor.positions() == ()
        await until(lambda: len(sink.alerts) >= 3)
        subject, body, labels = sink.alerts[0]
        assert result.trade_id in subject
        assert "0.1 BTC is naked" in body
        assert labels["trade"] == result.trade_id
        assert D(labels["exposure"]) == D(labels["worst"]) == D("0.1")
        before = (await hall.server.log()).total
        await asyncio.sleep(0.3)
        assert (await hall.server.log()).total - before < 40
    truth = await hall.truth()
    assert truth.net("BTC") == D("0.1")


async def test_a_halted_trade_mends_itself_once_a_venue_can_take_it(hall: Hall) -> None:
    """The slow retry needs no person."""
    await strand(hall)
    async with hall.executor(policy=quick(**STUCK)) as executor:
        result = await executor.execute_decision(hall.entry())
        assert result.status == "halted"
        await hall.set_book("binance")
        await until(lambda: executor.trade(result.trade_id).state == "DONE")
        mended = executor.trade(result.trade_id)
        assert (mended.status, mended.ever_halted) == ("success", True)
        assert await executor.execute_decision(result.decision) == mended
        assert [each.quantity for each in executor.positions()] == [D("0.1")]
    await hall.check(mended)


async def test_an_operator_resumes_a_halted_trade(hall: Hall) -> None:
    """Resuming tries at once, with a fresh budget, and returns when it settles or halts again."""
    await strand(hall)
    async with hall.executor(policy=quick(**STUCK, halted_retry_s=3600)) as executor:
        halted = await executor.execute_decision(hall.entry())
        assert (await executor.resume(halted.trade_id)).status == "halted"
        await hall.set_book("binance", shift_bps=-20)
        mended = await asyncio.wait_for(executor.resume(halted.trade_id), 3)
        assert mended.status == "success"
    await hall.check(mended)


async def test_resuming_a_trade_whose_order_is_in_doubt_answers(hall: Hall) -> None:
    """An operator who asks a trade that waits for a venue is told that it is still halted."""
    await hall.server.inject("binance", "create", "lost_before")
    policy = quick(doubt_max_s="0.1", halted_retry_s=1)
    async with hall.executor(policy=policy) as executor:
        for operation in ("fetch", "list"):
            await hall.server.inject("binance", operation, "error_503", count=500)
        halted = await executor.execute_decision(hall.entry())
        assert halted.status == "halted"
        assert "doubt" in halted.note
        again = await asyncio.wait_for(executor.resume(halted.trade_id), 2)
        assert again.status == "halted"
        await hall.server.clear_faults()
        await executor.settled()
        await until(lambda: executor.trade(halted.trade_id).state == "DONE")
        result = executor.trade(halted.trade_id)
    await hall.check(result)


async def test_an_operator_resolves_a_halted_trade_by_hand(hall: Hall) -> None:
    """A trade made by hand on the venue is recorded, and what is left of the exposure decides."""
    await strand(hall)
    async with hall.executor(policy=quick(**STUCK, halted_retry_s=3600)) as executor:
        halted = await executor.execute_decision(hall.entry())
        fill = OperatorFill(exchange="binance", side=Side.SELL, amount="0.04", price=BID["binance"])
        partly = await executor.resolve(halted.trade_id, fill, "sold by hand")
        assert (partly.status, partly.net_exposure) == ("halted", D("0.06"))
        fill = OperatorFill(exchange="binance", side=Side.SELL, amount="0.06", price=BID["binance"])
        whole = await executor.resolve(halted.trade_id, fill, "sold the rest by hand")
        assert (whole.status, whole.net_exposure) == ("success", 0)
        assert [each.quantity for each in executor.positions()] == [D("0.1")]
    async with hall.executor() as executor:
        assert executor.trade(halted.trade_id) == whole


@pytest.mark.parametrize(
    ("side", "amount", "why"),
    [
        (Side.BUY, "0.01", "makes it worse"),
        (Side.SELL, "0.25", "turns it round and makes it worse"),
        (Side.SELL, "0.15", "turns it round by more than dust"),
    ],
)
async def test_a_fill_that_resolves_nothing_is_refused(hall: Hall, side: Side, amount: str, why: str) -> None:
    """An operator's fill makes the exposure smaller and does not turn it round; another one changes nothing."""
    await strand(hall)
    async with hall.executor(policy=quick(**STUCK, halted_retry_s=3600)) as executor:
        halted = await executor.execute_decision(hall.entry())
        with pytest.raises(InvalidInput, match="fill"):
            await executor.resolve(
                halted.trade_id, OperatorFill(exchange="binance", side=side, amount=amount, price=BID["binance"]), why
            )
        assert executor.trade(halted.trade_id).net_exposure == D("0.1")


async def test_only_a_trade_that_is_driven_can_be_resumed_or_resolved(hall: Hall) -> None:
    """An unknown trade, and a venue that is on neither leg, are named."""
    await strand(hall)
    async with hall.executor("upbit", "binance", "binanceusdm", policy=quick(**STUCK)) as executor:
        fill = OperatorFill(exchange="binanceusdm", side=Side.SELL, amount="0.1", price=1)
        with pytest.raises(UnknownTrade, match="nothing-of-the-kind"):
            await executor.resume("nothing-of-the-kind")
        with pytest.raises(UnknownTrade, match="nothing-of-the-kind"):
            await executor.resolve("nothing-of-the-kind", fill, "a slip")
        halted = await executor.execute_decision(hall.entry())
        with pytest.raises(InvalidInput, match="binanceusdm"):
            await executor.resolve(halted.trade_id, fill, "a slip")


# ------------------------------------------------------------------ after it is done


async def test_a_fill_after_done_reopens_the_trade_and_is_mended(hall: Hall) -> None:
    """A venue that fills what it had expired is noticed, hedged back to the booked size, and the position stays."""
    for venue in ("upbit", "binance"):
        kind = "late_fill" if venue == "upbit" else "partial"
        await hall.server.inject(venue, "create", kind, ms=250, share="0.5")
    async with hall.executor() as executor:
        result = await executor.execute_decision(hall.entry())
        assert (result.status, result.state) == ("partial_hedged", "DONE")
        assert executor.positions()[0].quantity == D("0.05")
        await until(lambda: len(executor.trade(result.trade_id).leg("upbit").order_ids) > 1)
        await executor.settled()
        await until(lambda: executor.trade(result.trade_id).state == "DONE")
        mended = executor.trade(result.trade_id)
        (position,) = executor.positions()
        assert (position.state, position.quantity) == ("OPEN", D("0.05"))
    truth = await hall.check(mended)
    assert [order.filled for order in truth["upbit"].orders] == [D("0.1"), D("0.05")]
    assert len(truth["binance"].orders) == 1


async def test_a_fill_after_both_legs_ended_empty_is_flattened(hall: Hall) -> None:
    """A trade that failed with nothing is no excuse for what fills afterwards."""
    await hall.server.inject("upbit", "create", "late_fill", ms=250, share="0")
    await hall.set_book("binance", bid=0)
    async with hall.executor() as executor:
        result = await executor.execute_decision(hall.entry())
        assert (result.status, result.net_exposure) == ("failed", 0)
        await until(lambda: executor.trade(result.trade_id).leg("upbit").filled_qty)
        await until(lambda: executor.trade(result.trade_id).state == "DONE")
        mended = executor.trade(result.trade_id)
        assert mended.status == "rolled_back"
        assert executor.positions() == ()
    await hall.check(mended)


async def test_an_exit_disturbed_after_it_closed_is_mended(hall: Hall) -> None:
    """What an exit sold too late on one leg is bought back, and the position tells what is truly left."""
    async with hall.executor() as executor:
        entered = await executor.execute_decision(hall.entry())
        await hall.server.inject("upbit", "create", "late_fill", ms=250, share="0.5")
        await hall.server.inject("binance", "create", "partial", share="0.5")
        left = await executor.execute_decision(hall.exit(entered))
        assert left.status == "partial_hedged"
        await until(lambda: len(executor.trade(left.trade_id).leg("upbit").order_ids) > 1)
        await until(lambda: executor.trade(left.trade_id).state == "DONE")
        (position,) = executor.positions()
        assert position.state == "OPEN"
    truth = await hall.check()
    assert abs(truth["upbit"].bought("BTC/KRW") - position.quantity) < D("0.00001")


async def test_a_finished_trade_is_watched_on_after_a_restart(hall: Hall) -> None:
    """A fill that comes while nobody runs is found at the next start, for as long as the watch lasts."""
    for venue in ("upbit", "binance"):
        kind = "late_fill" if venue == "upbit" else "partial"
        await hall.server.inject(venue, "create", kind, ms=2000, share="0.5")
    async with hall.executor(policy=quick(poll_interval_s="0.2")) as executor:
        result = await executor.execute_decision(hall.entry())
        assert result.status == "partial_hedged"
    await asyncio.sleep(2.0)
    assert (await hall.truth()).net("BTC") == D("0.05")
    async with hall.executor() as executor:
        await until(lambda: len(executor.trade(result.trade_id).leg("upbit").order_ids) > 1)
        await executor.settled()
        mended = executor.trade(result.trade_id)
        assert executor.positions()[0].quantity == D("0.05")
    await hall.check(mended)


async def test_watching_has_an_end(hall: Hall) -> None:
    """Past the watch window a finished trade is let go, and no venue is asked for it any more."""
    async with hall.executor(policy=quick(watch_after_done_s="0.15")) as executor:
        result = await executor.execute_decision(hall.entry())
        await until(lambda: not executor._runners)
        before = (await hall.server.log()).total
        await asyncio.sleep(0.15)
        assert (await hall.server.log()).total == before
        assert executor.trade(result.trade_id) == result
    async with hall.executor() as executor:
        assert executor._runners == {}
        assert list(executor.trades(live=True)) == []
        assert list(executor.trades(live=False)) == list(executor.trades()) == [result]


@pytest.mark.parametrize("late_s", [1.0, 4.0, 5.9])
def test_a_watch_ends_with_a_last_look(late_s: float) -> None:
    """A fill that comes late, however shortly before the end of a watch of six seconds, is seen and hedged."""
    answers = {"alpha": (Answer(fills=(Tranche("0.6"), Tranche("0.4", late_s))),)}
    policy = evolve(POLICY, remedy="unwind", watch_after_done_s=6)
    glimpse = tried(Plot(bot=one_entry, policy=policy, answers=answers)).outside.witness.glimpse
    (trade,) = glimpse.trades.values()
    known = {order.intent.client_order_id: order.filled for order in trade.orders}
    assert known == {name: order.filled for name, order in glimpse.orders.items()}
    assert abs(sum(order.received for order in glimpse.orders.values())) < D("0.1")
    assert [entry.trigger for entry in glimpse.entries["entry"]].count("disturbed") == 1


# ------------------------------------------------------------------ the journal


class Spied(CcxtVenue):
    """A real exchange that checks, before each order, that its intent is durable."""

    def __init__(self, hall: Hall, name: str, journal: Watched) -> None:
        super().__init__(hall.server.ccxt(name), name=name, clock=SystemClock())
        self.journal = journal
        self.placed: list[str] = []

    async def place(self, request: Any, fresh: Any) -> Any:
        assert request.client_order_id in self.journal.durable
        self.placed.append(request.client_order_id)
        return await super().place(request, fresh)


def spied(hall: Hall) -> tuple[Watched, dict[str, Spied]]:
    journal = Watched(hall.path)
    return journal, {name: Spied(hall, name, journal) for name in ("upbit", "binance")}


@pytest.mark.parametrize("profile", ["none", "many"])
async def test_nothing_is_sent_before_its_intent_is_durable(hall: Hall, profile: str) -> None:
    """At the moment of every placing call the journal already holds its intent."""
    journal, venues = spied(hall)
    async with hall.executor(venues=venues, journal=journal) as executor:
        await executor.execute_decision(hall.entry("0.01"))
        await hall.server.set_profile(profile)
        results = await asyncio.gather(*(executor.execute_decision(hall.entry("0.02")) for _ in range(5)))
        await hall.server.clear_faults()
    placed = [client_id for venue in venues.values() for client_id in venue.placed]
    assert len(placed) == len(set(placed)) >= 8
    truth = await hall.truth()
    received = {create.client_id for venue in truth.venues.values() for create in venue.received}
    assert received <= journal.durable
    assert received <= set(placed)
    assert all(result.status in {"success", "partial_hedged", "rolled_back", "failed", "blocked"} for result in results)


def opens(batches: Any) -> bool:
    return any(draft.trigger == "intended" for batch in batches for draft in batch.drafts)


def remedies(batches: Any) -> bool:
    return any(draft.trigger == "intended" and '"first"' not in draft.payload for b in batches for draft in b.drafts)


async def test_an_entry_whose_commit_fails_is_not_begun(hall: Hall) -> None:
    """The caller is told, nothing is sent, and the same decision can be executed once the journal is well."""
    journal, venues = spied(hall)
    decision = hall.entry()
    async with hall.executor(venues=venues, journal=journal) as executor:
        await executor.execute_decision(hall.entry("0.01"))  # so that everything is at hand, and one commit is all
        sent = await hall.creates()
        journal.fail = lambda _: JournalFailed("the disk is gone")
        with pytest.raises(JournalFailed):
            await executor.execute_decision(decision)
        assert await hall.creates() == sent
        journal.fail = lambda _: None
        result = await executor.execute_decision(decision)
        assert result.status == "success"
    await hall.check()


@pytest.mark.parametrize("failing", ["begun", "intended"])
async def test_a_first_trade_whose_commit_fails_is_not_left_half_begun(hall: Hall, failing: str) -> None:
    """Where the first of its commits succeeds and the next fails, it ends; it does not stand as halted for ever."""
    journal, venues = spied(hall)
    decision = hall.entry()
    async with hall.executor(venues=venues, journal=journal) as executor:
        failures = [JournalFailed("a hiccup")]
        journal.fail = lambda batches: (
            failures.pop() if failures and any(d.trigger == failing for b in batches for d in b.drafts) else None
        )
        try:
            result = await asyncio.wait_for(executor.execute_decision(decision), 5)
        except JournalFailed:
            result = await asyncio.wait_for(executor.execute_decision(decision), 5)
        assert (result.state, result.status) in {("DONE", "failed"), ("DONE", "success")}
        assert not failures
        assert journal.refused.isdisjoint({each for venue in venues.values() for each in venue.placed})
        assert list(executor.trades(live=True)) == []


async def test_an_exit_whose_commit_fails_leaves_the_position_open(hall: Hall) -> None:
    """One hiccup of the journal does not lock a position in CLOSING."""
    journal, venues = spied(hall)
    async with hall.executor(venues=venues, journal=journal, policy=quick(health_age_s=0)) as executor:
        entered = await executor.execute_decision(hall.entry())
        failures = [JournalFailed("a hiccup")]
        journal.fail = lambda batches: failures.pop() if failures and opens(batches) else None
        leave = hall.exit(entered)
        try:
            left = await asyncio.wait_for(executor.execute_decision(leave), 5)
        except JournalFailed:
            left = await asyncio.wait_for(executor.execute_decision(leave), 5)
        assert not failures
        assert left.state == "DONE"
        if left.status != "success":
            assert executor.positions()[0].state == "OPEN"
            assert (await executor.execute_decision(hall.exit(entered))).status == "success"
        assert executor.positions()[0].state == "CLOSED"
    await hall.check()


@pytest.mark.parametrize("times", [1, 3])
async def test_a_remedy_whose_commit_fails_is_never_sent(
    hall: Hall, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trade is folded from what is durable and goes on; a person is told, and new entries stop."""
    monkeypatch.setattr("fsm_arb.executor.runner.RETRY_S", (0.05, 0.1))
    journal, venues = spied(hall)
    sink = Sink()
    await hall.server.inject("binance", "create", "refused")
    async with hall.executor(venues=venues, journal=journal, alerts=sink) as executor:
        failures = [JournalFailed("a hiccup") for _ in range(times)]
        # The first of them meets the remedy's intent, the others what is tried next.
        journal.fail = lambda batches: (
            failures.pop() if failures and (remedies(batches) or len(failures) < times) else None
        )
        result = await executor.execute_decision(hall.entry())
        assert not failures
        assert "journal failed" in [subject for subject, _, _ in sink.alerts]
        assert result.status in {"success", "rolled_back"}
    truth = await hall.check(result)
    received = {create.client_id for venue in truth.venues.values() for create in venue.received}
    assert received <= journal.durable
    assert len(journal.refused) >= 1
    assert journal.refused.isdisjoint(received)


async def test_what_rests_is_cancelled_while_the_journal_fails(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """An order that nothing could be recorded about is not left in the book."""
    monkeypatch.setattr("fsm_arb.executor.runner.RETRY_S", (0.05, 0.1))
    journal, venues = spied(hall)
    await hall.set_book("binance", bid=0)
    policy = quick(order_type=OrderType.LIMIT, fill_timeout_s="0.2")
    async with hall.executor(venues=venues, journal=journal, policy=policy) as executor:
        trade = asyncio.ensure_future(executor.execute_decision(hall.entry()))
        await until(lambda: any(runner.trade.state == "MONITORING" for runner in executor._runners.values()))
        assert [order.is_open for order in await hall.orders("binance")] == [True]
        journal.fail = lambda _: JournalFailed("the disk is gone")
        sent = await hall.creates()
        for _ in range(300):
            if not any(order.is_open for order in await hall.orders("binance")):
                break
            await asyncio.sleep(0.01)
        assert [order.status for order in await hall.orders("binance")] == ["canceled"]
        await asyncio.sleep(0.2)
        assert await hall.creates() == sent
        journal.fail = lambda _: None
        result = await asyncio.wait_for(trade, 8)
        assert result.status == "rolled_back"
    await hall.check(result)


async def test_a_full_disk_stops_entries_and_lets_what_is_live_be_flattened(hall: Hall) -> None:
    """A reserve is released for remedies; nothing new is begun with it."""
    journal, venues = spied(hall)
    await hall.server.inject("binance", "create", "refused")
    async with hall.executor(venues=venues, journal=journal) as executor:
        full = [JournalFull("no space left")]
        journal.fail = lambda batches: full.pop() if full and remedies(batches) else None
        result = await executor.execute_decision(hall.entry())
        assert not full
        assert result.status in {"success", "rolled_back"}
        with pytest.raises(Exception, match="no space left"):
            await executor.execute_decision(hall.entry())
        if result.position_id:
            assert (await executor.execute_decision(hall.exit(result))).status == "success"
    await hall.check()


@pytest.mark.parametrize("warm", [True, False])
async def test_a_full_disk_begins_no_new_trade(hall: Hall, warm: bool) -> None:
    """The reserve is not there to open positions with, however few commits the opening takes."""
    journal, venues = spied(hall)
    async with hall.executor(venues=venues, journal=journal) as executor:
        if warm:
            await executor.execute_decision(hall.entry("0.01"))
        sent = await hall.creates()
        full = [JournalFull("no space left")]
        journal.fail = lambda batches: full.pop() if full and opens(batches) else None
        try:
            result = await executor.execute_decision(hall.entry())
        except JournalFull:
            pass  # not begun
        else:
            assert result.status == "failed"  # begun before the disk was full, and ended
        assert not full
        assert await hall.creates() == sent
        assert list(executor.trades(live=True)) == []


async def test_a_fenced_process_sends_nothing_more(hall: Hall) -> None:
    """Another process has taken the journal over: not one order goes out, and an operator's call returns."""
    journal, venues = spied(hall)
    sink = Sink()
    await strand(hall)
    async with hall.executor(venues=venues, journal=journal, alerts=sink, policy=quick(**STUCK)) as executor:
        halted = await executor.execute_decision(hall.entry())
        assert halted.status == "halted"
        journal.fail = lambda _: JournalFenced("epoch 2 has taken over")
        await hall.set_book("binance")
        sent = await hall.creates()
        await until(lambda: "journal taken over" in [subject for subject, _, _ in sink.alerts])
        await asyncio.sleep(0.3)
        assert await hall.creates() == sent
        with pytest.raises(Exception, match="taken over"):
            await executor.execute_decision(hall.entry())
        assert await hall.creates() == sent


async def test_an_operator_who_asks_a_fenced_process_is_told(hall: Hall) -> None:
    """A request that could not be made durable raises; it neither hangs nor looks like a cancellation."""
    journal, venues = spied(hall)
    await strand(hall)
    async with hall.executor(venues=venues, journal=journal, policy=quick(**STUCK, halted_retry_s=3600)) as executor:
        halted = await executor.execute_decision(hall.entry())
        journal.fail = lambda _: JournalFenced("epoch 2 has taken over")
        with pytest.raises(JournalFenced):
            await asyncio.wait_for(executor.resume(halted.trade_id), 3)


async def test_an_operator_whose_request_cannot_be_written_is_told(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not durable has not happened."""
    monkeypatch.setattr("fsm_arb.executor.runner.RETRY_S", (0.02, 0.1))
    journal, venues = spied(hall)
    await strand(hall)
    async with hall.executor(venues=venues, journal=journal, policy=quick(**STUCK, halted_retry_s=3600)) as executor:
        halted = await executor.execute_decision(hall.entry())
        failures = [JournalFailed("a hiccup")]
        journal.fail = lambda _: failures.pop() if failures else None
        fill = OperatorFill(exchange="binance", side=Side.SELL, amount="0.1", price=BID["binance"])
        with pytest.raises(JournalFailed):
            await executor.resolve(halted.trade_id, fill, "sold by hand")
        assert executor.trade(halted.trade_id).net_exposure == D("0.1")
        await until(lambda: executor.trade(halted.trade_id).state == "HALTED")
        assert (await executor.resolve(halted.trade_id, fill, "sold by hand")).status == "success"


async def test_an_intent_that_grew_old_in_a_slow_commit_is_never_sent(hall: Hall) -> None:
    """The age of an intent counts from when it was decided, not from when the disk was done with it."""
    journal, venues = spied(hall)
    async with hall.executor(venues=venues, journal=journal, policy=quick(send_max_age_s="0.1")) as executor:
        journal.lag_s = 0.25
        result = await executor.execute_decision(hall.entry())
        journal.lag_s = 0
        assert result.status == "failed"
        assert "too_old" in result.note
    assert await hall.creates() == 0


# ------------------------------------------------------------------ crashes


async def play(hall: Hall, story: str) -> Any:
    """Set up what a crash is to meet; return the policy."""
    if story == "one leg refused":
        await hall.server.inject("binance", "create", "refused")
        return quick(remedy="unwind", absence_fence_s="0.1")
    if story == "one leg rests":
        await hall.set_book("binance", bid=0)
        return quick(order_type=OrderType.LIMIT, fill_timeout_s="0.05", absence_fence_s="0.1")
    if story == "sequential":
        return quick(placement="sequential", absence_fence_s="0.1")
    if story == "lost reply":
        await hall.server.inject("upbit", "create", "lost_after")
        await hall.server.inject("binance", "create", "lost_before")
    return quick(absence_fence_s="0.1")


@pytest.mark.parametrize(
    ("story", "when"),
    [
        ("both fill", "before"),
        ("both fill", "after"),
        ("one leg refused", "before"),
        ("one leg refused", "after"),
        ("one leg rests", "before"),
        ("one leg rests", "after"),
        ("sequential", "after"),
        ("lost reply", "after"),
    ],
)
async def test_a_crash_at_any_commit_ends_matched_or_flat(
    tmp_path: Path, story: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever commit a process dies at, the next one observes, sends nothing again, and nothing stays naked."""
    ends = set()
    for commit in range(40):
        folder = tmp_path / str(commit)
        folder.mkdir()
        async with open_hall(folder) as hall:
            policy = await play(hall, story)
            journal = Watched(hall.path)
            journal.dies_at = (commit, when)
            dying = hall.executor(journal=journal, policy=policy)
            await dying.__aenter__()
            decision = hall.entry()
            trade = asyncio.ensure_future(dying.execute_decision(decision))
            death = asyncio.ensure_future(journal.died.wait())
            await asyncio.wait([trade, death], return_when=asyncio.FIRST_COMPLETED)
            if not death.done():
                death.cancel()
                assert (await trade).state == "DONE"
                await crash(dying)
                break
            await asyncio.sleep(0)
            trade.cancel()
            await crash(dying)
            await asyncio.gather(trade, return_exceptions=True)
            async with hall.executor(policy=policy) as executor:
                await executor.settled()
                found = [each for each in executor.trades() if each.trade_id == decision.decision_id]
                for result in found:
                    assert result.state == "DONE"
                    assert not result.ever_halted
                    assert result == await executor.execute_decision(decision)
                    ends.add(result.status)
                held = sum((each.quantity for each in executor.positions()), D(0))
            truth = await hall.check(found[0] if found else None)
            assert abs(truth["upbit"].bought("BTC/KRW") - held) < D("0.00005")
            if not found:
                assert await hall.creates() == 0
    else:
        pytest.fail("the story never ended")
    assert commit >= 3
    assert ends


@pytest.mark.parametrize(("refused", "when"), [(False, "after"), (True, "before")])
async def test_a_crash_at_any_commit_of_an_exit_never_locks_the_position(
    tmp_path: Path, when: str, refused: bool
) -> None:
    """At the next start the position is closed, or open with what remains; it can be left then."""
    for commit in range(40):
        folder = tmp_path / str(commit)
        folder.mkdir()
        async with open_hall(folder) as hall:
            policy = quick(absence_fence_s="0.1", remedy="unwind", health_age_s=0)
            async with hall.executor(policy=policy) as executor:
                entered = await executor.execute_decision(hall.entry())
            if refused:
                await hall.server.inject("binance", "create", "refused")
            journal = Watched(hall.path)
            journal.dies_at = (commit, when)
            dying = hall.executor(journal=journal, policy=policy)
            await dying.__aenter__()
            trade = asyncio.ensure_future(dying.execute_decision(hall.exit(entered)))
            death = asyncio.ensure_future(journal.died.wait())
            await asyncio.wait([trade, death], return_when=asyncio.FIRST_COMPLETED)
            survived = not journal.died.is_set()
            if survived:
                assert (await trade).state == "DONE"
            death.cancel()
            trade.cancel()
            await crash(dying)
            await asyncio.gather(trade, death, return_exceptions=True)
            async with hall.executor(policy=policy) as executor:
                await executor.settled()
                assert [each.state for each in executor.trades()] == ["DONE"] * len(list(executor.trades()))
                await hall.server.clear_faults()
                for position in executor.positions():
                    assert position.state != "CLOSING"
                    if position.state == "OPEN":
                        assert (await executor.execute_decision(hall.exit(entered))).status == "success"
            truth = await hall.check()
            assert abs(truth["upbit"].bought("BTC/KRW")) < D("0.00005")
            assert abs(truth["binance"].bought("BTC/USDT")) < D("0.00005")
            if survived:
                break
    assert commit >= 3


@pytest.mark.parametrize("fault", ["delay_before", "delay_after", "accepted_late"])
async def test_a_crash_while_requests_are_out_sends_nothing_again(hall: Hall, fault: str) -> None:
    """Orders whose placing nobody waits for any more are found, or proven absent past the fence."""
    for venue in ("upbit", "binance"):
        await hall.server.inject(venue, "create", fault, ms=120)
    dying = hall.executor()
    await dying.__aenter__()
    decision = hall.entry()
    trade = asyncio.ensure_future(dying.execute_decision(decision))
    for _ in range(200):
        await asyncio.sleep(0.005)
        if await hall.server.pending_faults() == 0:
            break
    trade.cancel()
    await crash(dying)
    await asyncio.gather(trade, return_exceptions=True)
    async with hall.executor() as executor:
        await executor.settled()
        result = executor.trade(decision.decision_id)
        assert result.state == "DONE"
    await hall.check(result)
    assert await hall.creates() == 2


async def test_a_trade_is_taken_up_before_the_executor_is_entered(hall: Hall) -> None:
    """What a crash left halted is known, told and mended by the next process, under the policy it was begun with."""
    await strand(hall)
    dying = hall.executor(policy=quick(**STUCK, halted_retry_s=3600))
    await dying.__aenter__()
    halted = await dying.execute_decision(hall.entry())
    await crash(dying)
    async with hall.executor(policy=quick(halted_retry_s=3600)) as executor:
        assert [each.trade_id for each in executor.trades(live=True)] == [halted.trade_id]
        assert executor.exposure() == {"BTC": D("0.1")}
        assert executor.trade(halted.trade_id).status == "halted"
        await hall.set_book("binance")
        assert (await executor.resume(halted.trade_id)).status == "success"
        await hall.check(executor.trade(halted.trade_id))


# ------------------------------------------------------------------ our own errors


class Nonsense(CcxtVenue):
    """A venue whose adapter breaks its promise and reports what cannot be."""

    def __init__(self, hall: Hall, name: str, times: int) -> None:
        super().__init__(hall.server.ccxt(name), name=name, clock=SystemClock())
        self.times = times

    async def observe(self, ref: Any) -> Any:
        if self.times:
            self.times -= 1
            return Found(snapshot=OrderSnapshot(status=OrderStatus.OPEN, filled=None))  # type: ignore[arg-type]
        return await super().observe(ref)


async def test_an_error_of_our_own_does_not_end_the_resolver(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that breaks the driver is dropped and told of; the naked leg is mended all the same."""
    monkeypatch.setattr("fsm_arb.executor.runner.RETRY_S", (0.05, 0.1))
    sink = Sink()
    await hall.server.inject("upbit", "create", "lost_after")
    venues = {"upbit": Nonsense(hall, "upbit", 2), "binance": hall.server.ccxt("binance")}
    async with hall.executor(venues=venues, alerts=sink) as executor:
        result = await asyncio.wait_for(executor.execute_decision(hall.entry()), 8)
        assert result.status == "success"
        assert sink.alerts
    await hall.check(result)


# ------------------------------------------------------------------ small things


async def test_a_runner_names_its_trade_and_state(hall: Hall) -> None:
    """What a log shows of a runner is enough to find the trade, and no more."""
    async with hall.executor() as executor:
        result = await executor.execute_decision(hall.entry())
        (runner,) = executor._runners.values()
        assert isinstance(runner, Runner)
        assert repr(runner) == f"<Runner {result.trade_id} DONE>"
        assert runner.resting
        assert not runner.ended


async def test_leaving_ends_every_task(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of an executor runs on, done or halted, and asyncio has nothing to complain of."""
    caplog.set_level(logging.WARNING, "asyncio")
    await strand(hall)
    before = asyncio.all_tasks()
    async with hall.executor(policy=quick(**STUCK), alerts=Sink()) as executor:
        assert (await executor.execute_decision(hall.entry())).status == "halted"
        assert (await executor.execute_decision(hall.entry(action=Action.ENTRY_POSITIVE))).state in {"DONE", "HALTED"}
    left = {task for task in asyncio.all_tasks() - before if "server" not in repr(task) and "aiohttp" not in repr(task)}
    assert left == set()
    assert [record for record in caplog.records if record.name == "asyncio"] == []


# ------------------------------------------------------------------ a hiccup anywhere


@pytest.mark.parametrize("story", ["one leg refused", "one leg rests"])
async def test_a_hiccup_of_the_journal_at_any_commit_leaves_nothing_naked(
    tmp_path: Path, story: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever commit fails once, the same process folds what is durable, goes on, and sends nothing twice."""
    monkeypatch.setattr("fsm_arb.executor.runner.RETRY_S", (0.01, 0.1))
    for commit in range(40):
        folder = tmp_path / str(commit)
        folder.mkdir()
        async with open_hall(folder) as hall:
            policy = await play(hall, story)
            journal, venues = spied(hall)
            failures = [JournalFailed("a hiccup")]

            def fail(_: Any, journal: Watched = journal, failures: list[Any] = failures, at: int = commit) -> Any:
                return failures.pop() if failures and journal.asked == at + 1 else None

            journal.fail = fail
            async with hall.executor(venues=venues, journal=journal, policy=policy) as executor:
                decision = hall.entry()
                with contextlib.suppress(JournalFailed):  # of the very first commit the caller is told
                    result = await asyncio.wait_for(executor.execute_decision(decision), 8)
                    assert result.state == "DONE"
                await executor.settled()
                found = list(executor.trades())
                assert [each.state for each in found] == ["DONE"] * len(found)
                held = sum((each.quantity for each in executor.positions()), D(0))
            truth = await hall.check(found[0] if found else None)
            assert truth["upbit"].bought("BTC/KRW") == held
            assert journal.refused.isdisjoint(
                {create.client_id for venue in truth.venues.values() for create in venue.received}
            )
            if failures:
                break
    assert commit >= 3


async def test_a_request_that_is_out_while_the_journal_fails_is_not_believed_absent(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fence counts from when its placing call ended, also where the trade was folded again meanwhile."""
    monkeypatch.setattr("fsm_arb.executor.runner.RETRY_S", (0.01, 0.1))
    journal, venues = spied(hall)
    await hall.server.inject("binance", "create", "delay_before", ms=700)
    async with hall.executor(venues=venues, journal=journal, policy=quick(absence_fence_s="0.05")) as executor:
        failures = [JournalFailed("a hiccup")]
        journal.fail = lambda batches: (
            failures.pop() if failures and any(d.trigger == "place_ended" for b in batches for d in b.drafts) else None
        )
        result = await executor.execute_decision(hall.entry())
        assert not failures
        assert result.status == "success"
    await hall.check(result)
    assert await hall.creates() == 2


async def test_a_late_fill_of_an_entry_that_was_left_already(hall: Hall) -> None:
    """The excess is traded back to what was booked; the position that the exit closed stays closed."""
    await hall.server.inject("upbit", "create", "late_fill", ms=300, share="0.5")
    await hall.server.inject("binance", "create", "partial", share="0.5")
    async with hall.executor() as executor:
        entered = await executor.execute_decision(hall.entry())
        assert entered.status == "partial_hedged"
        assert (await executor.execute_decision(hall.exit(entered))).status == "success"
        await until(lambda: len(executor.trade(entered.trade_id).leg("upbit").order_ids) > 1)
        await until(lambda: executor.trade(entered.trade_id).state == "DONE")
        assert executor.positions()[0].state == "CLOSED"
    truth = await hall.check()
    assert abs(truth["upbit"].bought("BTC/KRW")) < D("0.00001")
    assert abs(truth["binance"].bought("BTC/USDT")) < D("0.00001")


async def test_a_late_fill_while_the_exit_is_at_work(hall: Hall) -> None:
    """Entry and exit of one position are mended side by side; nothing is naked at the end."""
    await hall.server.inject("upbit", "create", "late_fill", ms=200, share="0.5")
    await hall.server.inject("binance", "create", "partial", share="0.5")
    async with hall.executor() as executor:
        entered = await executor.execute_decision(hall.entry())
        for venue in ("upbit", "binance"):
            await hall.server.inject(venue, "create", "delay_before", ms=500)
        left = await executor.execute_decision(hall.exit(entered))
        assert left.state == "DONE"
        await until(lambda: len(executor.trade(entered.trade_id).leg("upbit").order_ids) > 1)
        await executor.settled()
        await until(lambda: all(each.state == "DONE" for each in executor.trades()))
        (position,) = executor.positions()
        assert position.state != "CLOSING"
    truth = await hall.check()
    assert abs(truth["upbit"].bought("BTC/KRW") - position.quantity) < D("0.00001")


async def test_an_alert_sink_that_hangs_or_fails_delays_nothing(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hedging never waits for whoever is called."""
    monkeypatch.setattr("fsm_arb.alerts.SINK_TIMEOUT_S", 0.2)

    class Hanging(Sink):
        async def send(self, subject: str, body: str, labels: Any) -> None:
            await super().send(subject, body, labels)
            await asyncio.Event().wait()

    class Raising(Sink):
        async def send(self, subject: str, body: str, labels: Any) -> None:
            await super().send(subject, body, labels)
            raise RuntimeError("no line")

    await strand(hall)
    for number, sink in enumerate((Hanging(), Raising())):
        path = hall.path.with_name(f"{number}.db")
        async with hall.executor(journal=path, policy=quick(**STUCK), alerts=sink) as executor:
            await hall.set_book("upbit", bid=0)
            result = await asyncio.wait_for(executor.execute_decision(hall.entry()), 2)
            assert result.status == "halted"
            await until(lambda sink=sink: len(sink.alerts) >= 2)


async def test_leaving_that_is_cancelled_still_lets_go(hall: Hall) -> None:
    """A journal that fails for good holds nobody for ever: whoever leaves can be cancelled, and the lock is free."""
    journal, venues = spied(hall)
    await hall.set_book("binance", bid=0)

    async def bot() -> None:
        policy = quick(order_type=OrderType.LIMIT)
        async with hall.executor(venues=venues, journal=journal, policy=policy) as executor:
            asyncio.ensure_future(executor.execute_decision(hall.entry())).add_done_callback(
                lambda done: done.cancelled() or done.exception()
            )
            await until(lambda: executor._runners)
            journal.fail = lambda _: JournalFailed("the disk is gone")

    leaving = asyncio.ensure_future(bot())
    await asyncio.sleep(0.5)
    assert not leaving.done()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(leaving, 3)
    async with hall.executor() as executor:
        await executor.settled()
        assert [each.state for each in executor.trades()] == ["DONE"]
    await hall.check()


async def test_a_trade_that_is_disturbed_holds_its_funds_again(hall: Hall) -> None:
    """What it may need to mend itself is no other trade's to spend."""
    venues = papers()
    venues["binance"].outcomes = [D("0.05")]
    policy = quick(attempts_max=1, halted_retry_s=3600, remedy="unwind")
    async with hall.executor(venues=venues, policy=policy) as executor:
        result = await executor.execute_decision(hall.entry())
        assert result.state == "DONE"
        funds = executor._services.funds
        for venue in venues:
            funds.read(venue, 2**62)
        assert funds.held("binance", "BTC") == 0
        for venue in venues.values():
            breaks(venue, "book", error=VenueUnanswered("nobody"))
        (request,) = placed(venues["binance"])
        shows(venues["binance"], request, request.amount)
        await until(lambda: executor.trade(result.trade_id).state == "HALTED")
        assert funds.held("binance", "BTC") == request.amount
        for venue in venues.values():
            mends(venue)
        assert (await executor.resume(result.trade_id)).state == "DONE"
        for venue in venues:
            funds.read(venue, 2**62)
        assert funds.held("binance", "BTC") == 0


async def test_an_operator_who_goes_away_disturbs_nothing(hall: Hall) -> None:
    """A call that was cancelled while its request waited is taken in all the same, refused or not."""
    await strand(hall)
    sink = Sink()
    async with hall.executor(policy=quick(**STUCK, halted_retry_s=3600), alerts=sink) as executor:
        halted = await executor.execute_decision(hall.entry())
        await until(lambda: sink.alerts)
        told = len(sink.alerts)
        fill = OperatorFill(exchange="binance", side=Side.BUY, amount="0.01", price=BID["binance"])
        asking = asyncio.ensure_future(executor.resolve(halted.trade_id, fill, "makes it worse"))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await asyncio.sleep(0.05)
        assert len(sink.alerts) == told
        assert executor.trade(halted.trade_id).state == "HALTED"


async def test_nothing_is_asked_while_an_answer_is_unread(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came in during a commit is taken in first: a survey that was answered is not asked for once more."""
    unread: list[int] = []
    tends, writes = Tending.tend, Runner._write

    def tend(tending: Tending, now: int) -> None:
        unread.append(len(tending._post.__self__._mail))  # type: ignore[attr-defined]
        tends(tending, now)

    async def write(runner: Runner, entries: Any) -> None:
        await writes(runner, entries)
        runner.post(Ticked(now=runner._now()))

    monkeypatch.setattr(Tending, "tend", tend)
    monkeypatch.setattr(Runner, "_write", write)
    await hall.server.inject("upbit", "create", "refused")
    async with hall.executor() as executor:
        result = await executor.execute_decision(hall.entry())
    assert result.state == "DONE"
    assert unread
    assert not any(unread)
