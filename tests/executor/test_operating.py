"""What an operator can tell a trade."""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hall import BID, IN_DOUBT, SYMBOLS, D, Sink, Watched, breaks, mends, papers, placed, quick, shows, until

from fsm_arb import Leg, OperatorFill, Side
from fsm_arb.errors import InvalidInput, JournalFailed, UnknownTrade
from fsm_arb.executor.operating import _leg_of
from fsm_arb.ports import Unanswered

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from hall import Hall

    from fsm_arb.results import CrossExecutionResult


def order_id(result: CrossExecutionResult, exchange: str) -> str:
    return result.leg(exchange).client_order_ids[0]


# ------------------------------------------------------------------ busts


@pytest.mark.parametrize("when", ["watched", "let go", "restarted"])
async def test_a_bust_reopens_a_trade_however_long_ago_it_ended(hall: Hall, when: str) -> None:
    """What the venue took back is bought again, and the position is what it was."""
    venues, sink = papers(), Sink()
    policy = quick(watch_after_done_s=0 if when == "let go" else 60, remedy="complete")
    async with hall.executor(venues=venues, policy=policy, alerts=sink) as executor:
        result = await executor.execute_decision(hall.entry())
        if when == "let go":
            await until(lambda: not executor._runners)
        if when != "restarted":
            await mended(executor, venues, result, sink)
            return
    async with hall.executor(venues=venues, policy=policy, alerts=sink) as executor:
        await mended(executor, venues, result, sink)


async def mended(executor: Any, venues: Any, result: Any, sink: Sink) -> None:
    told = await asyncio.wait_for(
        executor.bust(result.trade_id, order_id(result, "upbit"), D("0.04"), "the venue rolled back"), 5
    )
    assert (told.state, told.net_exposure) == ("DONE", 0)
    assert venues["upbit"].count("place") == 2
    assert placed(venues["upbit"])[-1].amount == D("0.04")
    assert [each.quantity for each in executor.positions()] == [D("0.1")]
    assert any("disturbed" in subject for subject, _, _ in sink.alerts)
    assert executor.trade(result.trade_id) == told


async def test_a_bust_within_dust_is_only_recorded(hall: Hall) -> None:
    """The trade stays DONE, and is let go again."""
    venues = papers()
    async with hall.executor(venues=venues, policy=quick(watch_after_done_s=0)) as executor:
        result = await executor.execute_decision(hall.entry())
        await until(lambda: not executor._runners)
        told = await executor.bust(result.trade_id, order_id(result, "upbit"), D("0.000005"), "rounding")
        assert (told.state, told.net_exposure) == ("DONE", D("-0.000005"))
        await until(lambda: not executor._runners)
    async with hall.executor(venues=venues) as executor:
        assert executor.trade(result.trade_id).net_exposure == D("-0.000005")
        assert list(executor.trades(live=True)) == []


@pytest.mark.parametrize(
    ("client_order_id", "amount", "field"),
    [("nobody", "0.01", "client_order_id"), ("", "0.2", "amount"), ("", "0", "amount"), ("", "-1", "amount")],
)
@pytest.mark.parametrize("watch", [0, 60])
async def test_a_bust_of_what_was_not_filled_is_refused(
    hall: Hall, client_order_id: str, amount: str, field: str, watch: int
) -> None:
    """Named by field; the trade is as it was."""
    venues = papers()
    async with hall.executor(venues=venues, policy=quick(watch_after_done_s=watch)) as executor:
        result = await executor.execute_decision(hall.entry())
        with pytest.raises(InvalidInput) as caught:
            await executor.bust(result.trade_id, client_order_id or order_id(result, "upbit"), D(amount), "a slip")
        assert caught.value.field == field
        assert executor.trade(result.trade_id) == result
        with pytest.raises(UnknownTrade, match="nobody"):
            await executor.bust("nobody", "nobody", D(1), "a slip")


# ------------------------------------------------------------------ verdicts


@pytest.mark.parametrize(("filled", "status"), [("0.1", "success"), ("0", "rolled_back")])
async def test_an_operators_verdict_ends_a_doubt(hall: Hall, filled: str, status: str) -> None:
    """An order that no venue shows is over when a person who knows says so; the rest follows."""
    venues = papers()
    venues["binance"].outcomes = [IN_DOUBT]
    breaks(venues["binance"], "observe", error=ZeroDivisionError("its history is gone"))
    async with hall.executor(venues=venues, policy=quick(doubt_max_s="0.1", remedy="unwind")) as executor:
        halted = await executor.execute_decision(hall.entry())
        assert halted.status == "halted"
        order = order_id(halted, "binance")
        fill = OperatorFill(exchange="binance", side=Side.SELL, amount="0.1", price=BID["binance"])
        with pytest.raises(InvalidInput, match="doubt"):
            await executor.resolve(halted.trade_id, fill, "it may be this very order")
        await executor.settle_order(halted.trade_id, order, D(filled), "the website says so", BID["binance"])
        await until(lambda: executor.trade(halted.trade_id).state == "DONE")
        result = executor.trade(halted.trade_id)
        assert (result.status, result.net_exposure) == (status, 0)
        mends(venues["binance"])
    async with hall.executor(venues=venues) as executor:
        assert executor.trade(halted.trade_id) == result


async def test_a_venue_that_shows_an_order_after_the_verdict_counts_it_once(hall: Hall) -> None:
    """The verdict and the fill are one and the same."""
    venues = papers()
    venues["binance"].outcomes = [IN_DOUBT]
    answers = [Unanswered(code="down", message="down")] * 10_000

    async def observe(ref: Any) -> Any:
        return answers.pop() if answers else await type(venues["binance"]).observe(venues["binance"], ref)

    venues["binance"].observe = observe  # type: ignore[method-assign]
    async with hall.executor(venues=venues, policy=quick(doubt_max_s="0.1")) as executor:
        halted = await executor.execute_decision(hall.entry())
        assert halted.status == "halted"
        order = order_id(halted, "binance")
        settled = await executor.settle_order(halted.trade_id, order, D("0.1"), "the website says so", BID["binance"])
        assert settled.state in {"DONE", "HALTED"}
        (request,) = placed(venues["binance"])
        shows(venues["binance"], request, request.amount)
        answers.clear()
        await until(lambda: "late-0" in executor.trade(halted.trade_id).leg("binance").order_ids)
        result = executor.trade(halted.trade_id)
        assert (result.status, result.net_exposure) == ("success", 0)
        assert venues["binance"].count("place") == 1


@pytest.mark.parametrize(("filled", "field"), [("0.2", "filled"), ("-0.1", "filled"), (0.1, "filled")])
async def test_a_verdict_that_cannot_be_is_refused(hall: Hall, filled: Any, field: str) -> None:
    """More than was ordered, less than nothing, or a float."""
    async with hall.executor(venues=papers()) as executor:
        result = await executor.execute_decision(hall.entry())
        with pytest.raises(InvalidInput) as caught:
            await executor.settle_order(
                result.trade_id, order_id(result, "upbit"), D(filled) if isinstance(filled, str) else filled, "a slip"
            )
        assert caught.value.field == field
        assert executor.trade(result.trade_id) == result


# ------------------------------------------------------------------ whose leg it was


def fill(exchange: str, symbol: str | None) -> OperatorFill:
    return OperatorFill(exchange=exchange, symbol=symbol, side=Side.SELL, amount="0.1", price=1)


def test_a_fill_belongs_to_the_leg_it_names() -> None:
    """By venue; where both legs are on one, by symbol."""
    first, second = Leg("upbit", "BTC/KRW"), Leg("upbit", "BTC/USDT")
    trade: Any = SimpleNamespace(trade_id="d1", decision=SimpleNamespace(legs=(first, second)))
    assert _leg_of(trade, fill("upbit", "BTC/KRW")) == 0
    assert _leg_of(trade, fill("upbit", "BTC/USDT")) == 1
    with pytest.raises(InvalidInput, match="which leg") as caught:
        _leg_of(trade, fill("upbit", None))
    assert caught.value.field == "fill.symbol"
    trade = SimpleNamespace(trade_id="d1", decision=SimpleNamespace(legs=(first, Leg("binance", SYMBOLS["binance"]))))
    assert _leg_of(trade, fill("binance", None)) == 1
    for wrong in (fill("kraken", None), fill("binance", "ETH/USDT")):
        with pytest.raises(InvalidInput, match="neither leg"):
            _leg_of(trade, wrong)


# ------------------------------------------------------------------ what cannot be written


class Hanging(Watched):
    """A journal whose commits can be made to hang."""

    def __init__(self, path: Any) -> None:
        super().__init__(path)
        self.running = asyncio.Event()
        self.running.set()

    async def append(self, batches: Any) -> None:
        await self.running.wait()
        await super().append(batches)


async def test_what_an_operator_was_refused_is_not_heard_later(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told again while a commit is out, each would count: only the one in that commit does, once it is durable."""
    await hall.set_book("binance", bid=0, ask=0)
    await hall.set_book("upbit", bid=0)
    journal = Hanging(hall.path)
    policy = quick(attempts_max=2, max_remedy_loss_bps=50, halted_retry_s=3600)
    async with hall.executor(journal=journal, policy=policy) as executor:
        halted = await executor.execute_decision(hall.entry())
        assert halted.net_exposure == D("0.1")

        def told(amount: str) -> Coroutine[Any, Any, CrossExecutionResult]:
            fill = OperatorFill(exchange="binance", side=Side.SELL, amount=amount, price=BID["binance"])
            return executor.resolve(halted.trade_id, fill, "sold by hand")

        journal.running.clear()
        with monkeypatch.context() as impatient:
            impatient.setattr("fsm_arb.executor.oversight.OVERDUE_S", 0.1)
            first = asyncio.ensure_future(told("0.01"))
            await until(lambda: executor.trade(halted.trade_id).net_exposure == D("0.09"))  # its commit is out
            second = asyncio.ensure_future(told("0.02"))  # waits for the end of that
            for failing in (first, second, told("0.02"), told("0.02")):
                with pytest.raises(JournalFailed, match="a commit has been out"):
                    await failing
        journal.running.set()
        while True:
            with contextlib.suppress(JournalFailed):
                result = await told("0.04")
                break
            await asyncio.sleep(0)
        assert result.net_exposure == D("0.05")
    async with hall.executor(policy=policy) as executor:
        assert executor.trade(halted.trade_id).net_exposure == D("0.05")
