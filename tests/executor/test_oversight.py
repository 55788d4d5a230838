"""While a trade's records cannot be made durable: who is told, what is cancelled, who is not held up for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hall import D, Sink, Watched, papers, placed, quick, shows, until

from fsm_arb import OrderType
from fsm_arb.errors import ExecutorClosed, JournalFailed
from fsm_arb.ports import Acknowledged, OrderSnapshot, OrderStatus

if TYPE_CHECKING:
    from hall import Hall

RESTS = OrderSnapshot(status=OrderStatus.OPEN, filled=D(0), venue_order_id="R1", fees=())
RESTING = quick(order_type=OrderType.LIMIT, fill_timeout_s=60)


class Stalling(Watched):
    """A journal whose commits hang while it is stalled."""

    def __init__(self, path: Any) -> None:
        super().__init__(path)
        self.running = asyncio.Event()
        self.running.set()
        self.stalls_after: str = ""  # the trigger whose commit is the last that comes through

    async def append(self, batches: Any) -> None:
        await self.running.wait()
        await super().append(batches)
        if self.stalls_after and any(d.trigger == self.stalls_after for batch in batches for d in batch.drafts):
            self.stalls_after = ""
            self.running.clear()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fsm_arb.executor.oversight.OVERDUE_S", 0.1)
    monkeypatch.setattr("fsm_arb.executor.runner.RETRY_S", (0.05, 0.1))
    monkeypatch.setattr("fsm_arb.executor.runner.PATIENCE_S", 0.2)
    monkeypatch.setattr("fsm_arb.executor.executor.CLOSING_S", 0.2)


def resting(venues: Any) -> None:
    """Let the first order on upbit rest until it is cancelled."""
    upbit = venues["upbit"]
    upbit.outcomes = [Acknowledged(snapshot=RESTS)]

    async def wait(what: str, detail: Any) -> None:
        if what == "place" and not upbit.orders:
            upbit.orders[detail.client_order_id] = RESTS
        elif what == "cancel":
            shows(upbit, placed(upbit)[0], 0)

    upbit.wait = wait


async def test_a_commit_that_hangs_is_told_and_what_rests_is_cancelled(hall: Hall) -> None:
    """Its caller gets an error and a person is called, again and again; when it ends after all, the trade goes on."""
    journal, venues, sink = Stalling(hall.path), papers(), Sink()
    resting(venues)
    async with hall.executor(venues=venues, journal=journal, policy=RESTING, alerts=sink) as executor:
        journal.stalls_after = "intended"
        decision = hall.entry()
        with pytest.raises(JournalFailed, match="a commit has been out"):
            await asyncio.wait_for(executor.execute_decision(decision), 3)
        await until(lambda: venues["upbit"].count("cancel"))
        assert venues["upbit"].orders[placed(venues["upbit"])[0].client_order_id].status is OrderStatus.ENDED
        await until(lambda: [subject for subject, _, _ in sink.alerts].count("journal stalled") >= 3)
        assert "naked" in sink.alerts[-1][1]
        with pytest.raises(ExecutorClosed, match="a commit has been out"):
            await executor.execute_decision(hall.entry())
        sent = [venue.count("place") for venue in venues.values()]
        assert sent == [1, 1]
        journal.running.set()
        result = await asyncio.wait_for(until_done(executor, decision), 5)
        assert result.state == "DONE"
        assert abs(result.net_exposure) < result.dust
        await until(lambda: not executor._entries_stopped)


async def until_done(executor: Any, decision: Any) -> Any:
    """Ask again and again, as a bot does that was told of trouble."""
    while True:
        try:
            return await executor.execute_decision(decision)
        except JournalFailed:
            await asyncio.sleep(0.02)


async def test_an_opening_whose_commit_hangs_answers_its_caller(hall: Hall) -> None:
    """Nothing is sent; when the journal is back, nothing is too old by mistake and nothing is sent twice."""
    journal, venues = Stalling(hall.path), papers()
    async with hall.executor(venues=venues, journal=journal) as executor:
        await executor.execute_decision(hall.entry())
        journal.running.clear()
        decision = hall.entry()
        with pytest.raises(JournalFailed, match="a commit has been out"):
            await asyncio.wait_for(executor.execute_decision(decision), 3)
        assert [venue.count("place") for venue in venues.values()] == [1, 1]
        journal.running.set()
        assert (await until_done(executor, decision)).status == "success"
        assert [venue.count("place") for venue in venues.values()] == [2, 2]


async def test_an_opening_whose_commit_hangs_and_fails_stops_no_later_one(hall: Hall) -> None:
    """Nobody tries that commit again, so nobody waits for it to succeed."""
    journal = Stalling(hall.path)
    async with hall.executor(venues=papers(), journal=journal) as executor:
        await executor.execute_decision(hall.entry())
        failures = [JournalFailed("the disk is gone")]
        journal.fail = lambda _: failures.pop() if failures else None
        journal.running.clear()
        with pytest.raises(JournalFailed):
            await executor.execute_decision(hall.entry())
        journal.running.set()
        await until(lambda: not executor._opened)
        assert failures == []
        assert (await executor.execute_decision(hall.entry())).status == "success"


@pytest.mark.parametrize("how", ["fails", "hangs"])
async def test_leaving_gives_up_on_a_dead_journal(hall: Hall, how: str) -> None:
    """After a few more tries, with an alert that says what is naked; the next process takes the trade up."""
    journal, venues, sink = Stalling(hall.path), papers(), Sink()
    resting(venues)

    async def bot() -> None:
        async with hall.executor(venues=venues, journal=journal, policy=RESTING, alerts=sink) as executor:
            await executor.execute_decision(hall.entry("0.01", legs=("binance", "upbit")))
            upbit = venues["upbit"]
            upbit.orders.clear()
            upbit.doing.clear()
            upbit.outcomes = [Acknowledged(snapshot=RESTS)]
            running = asyncio.ensure_future(executor.execute_decision(hall.entry()))
            await until(lambda: any(runner.trade.state == "MONITORING" for runner in executor._runners.values()))
            await asyncio.sleep(0.02)
            if how == "hangs":
                journal.running.clear()
            else:
                journal.fail = lambda _: JournalFailed("the disk is gone")
            for runner in executor._runners.values():
                for order in runner.trade.orders:
                    if order.resting:  # it fills, and that cannot be written
                        shows(upbit, placed(upbit)[0], "0.03", OrderStatus.OPEN)
            with pytest.raises(JournalFailed):
                await running

    venues["upbit"].outcomes = []
    await asyncio.wait_for(bot(), 8)
    (left,) = [alert for alert in sink.alerts if "left behind" in alert[0]]
    assert "-0.07 BTC is naked" in left[1]
    journal.running.set()
    await asyncio.sleep(0.05)
    async with hall.executor(venues=venues, policy=RESTING) as executor:
        await executor.settled()
        assert {each.state for each in executor.trades()} == {"DONE"}
        assert sum(each.net_exposure for each in executor.trades()) == 0


async def test_a_journal_that_fails_for_good_is_told_again_and_again(hall: Hall) -> None:
    """The caller is answered; whoever asks again is told at once; what rests is cancelled at each try."""
    journal, venues, sink = Watched(hall.path), papers(), Sink()
    resting(venues)
    async with hall.executor(venues=venues, journal=journal, policy=RESTING, alerts=sink) as executor:
        decision = hall.entry()
        journal.fail = lambda batches: (
            JournalFailed("the disk is gone")
            if not any(draft.trigger in {"begun", "intended"} for batch in batches for draft in batch.drafts)
            else None
        )
        for _ in range(2):
            with pytest.raises(JournalFailed, match="the disk is gone"):
                await asyncio.wait_for(executor.execute_decision(decision), 3)
        await until(lambda: [subject for subject, _, _ in sink.alerts].count("journal failed") >= 5)
        assert venues["upbit"].count("cancel") >= 3
        assert [venue.count("place") for venue in venues.values()] == [1, 1]
        journal.fail = lambda _: None
        assert (await until_done(executor, decision)).state == "DONE"
