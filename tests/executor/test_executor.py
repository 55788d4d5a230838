"""The public face: what bots call, what they get back, and what is refused before anything happened."""

from __future__ import annotations

import asyncio
import datetime as dt
import inspect
import logging
import re
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hall import BID, SYMBOLS, PaperVenue, Sink, Watched, crash, quick, until

import fsm_arb
from fsm_arb import (
    Action,
    CrossExchangeDecision,
    CrossExchangeExecutor,
    FxRate,
    Leg,
    Money,
    SqliteJournal,
    StaticFx,
)
from fsm_arb.errors import (
    DecisionConflict,
    ExecutorClosed,
    FsmArbError,
    FxUnavailable,
    InvalidInput,
    JournalLocked,
    MachineError,
    PositionNotOpen,
    UnknownSymbol,
    UnknownTrade,
    UnknownVenue,
)
from fsm_arb.testing.loopback.markets import DIALECTS, credentials

if TYPE_CHECKING:
    from hall import Hall

D = Decimal


def again(decision: CrossExchangeDecision, **changes: Any) -> CrossExchangeDecision:
    """Return a decision built anew from the same words, as a bot that was restarted does."""
    names = ("action", "legs", "prices", "notional", "reason", "decision_id", "position_id", "decided_at", "books")
    return CrossExchangeDecision(**({name: getattr(decision, name) for name in names} | changes))


# ------------------------------------------------------------------ names


def test_the_names_that_bots_import() -> None:
    """Every documented name is there, by itself and by `dir`."""
    for name in [
        "Action",
        "CrossExchangeDecision",
        "CrossExchangeExecutor",
        "ExecutionPolicy",
        "Leg",
        "Money",
        "StaticFx",
        "CrossExchangeOrchestrator",
        "CrossExchangeIntegration",
        "CrossExchangeRiskGuard",
        "CrossExchangePosition",
        "PositionState",
        "CrossExchangePositionManager",
        "CrossExecutionResult",
        "LegExecutionResult",
    ]:
        assert getattr(fsm_arb, name).__name__ == name
        assert name in dir(fsm_arb)


def test_what_the_executor_takes() -> None:
    """All by keyword; only venues and journal are needed."""
    parameters = inspect.signature(CrossExchangeExecutor).parameters
    assert list(parameters) == ["venues", "journal", "fx", "policy", "risk_guard", "metrics", "alerts", "clock", "ids"]
    needed = [name for name, each in parameters.items() if each.default is inspect.Parameter.empty]
    assert needed == ["venues", "journal"]
    assert all(each.kind is inspect.Parameter.KEYWORD_ONLY for each in parameters.values())


async def test_the_example_of_the_documentation_runs(hall: Hall) -> None:
    """A path as text, plain ccxt objects, a default policy: the result carries every documented field."""
    decision = CrossExchangeDecision(
        action=Action.ENTRY_POSITIVE,
        legs=(Leg("upbit", "BTC/KRW"), Leg("binance", "BTC/USDT")),
        notional=Money(D("1000000"), "KRW"),
        prices=(D("95090000"), D("67910")),
        reason="spread 1.2 %",
    )
    async with CrossExchangeExecutor(
        venues={"upbit": hall.server.ccxt("upbit"), "binance": hall.server.ccxt("binance")},
        journal=str(hall.path),
        fx=StaticFx({"USDT/KRW": "1400"}),
    ) as executor:
        result = await executor.execute_decision(decision)
    assert 0 < len(decision.decision_id) <= 64
    assert result.status == "success"
    assert result.decision is decision
    assert result.trade_id == decision.decision_id
    assert isinstance(result.position_id, str)
    assert result.note == ""
    assert isinstance(result.pnl, Decimal)
    assert 0 < result.dust < D("0.001")
    assert 0 <= result.execution_time_ms < 10_000
    assert [leg.exchange for leg in result.legs] == ["upbit", "binance"]
    leg = result.leg("upbit")
    assert (leg.symbol, leg.status, leg.error) == ("BTC/KRW", "filled", "")
    assert leg.filled_qty == leg.received_qty == leg.requested_qty == D("0.01051")
    assert leg.avg_price == BID["upbit"]
    assert [(fee.currency, fee.amount) for fee in leg.fees] == [("KRW", D("0.01051") * BID["upbit"] * D("0.0005"))]
    assert len(leg.order_ids) == len(leg.client_order_ids) == 1
    with pytest.raises(InvalidInput, match="kraken"):
        result.leg("kraken")


async def test_pnl_is_what_the_venues_paid(hall: Hall) -> None:
    """Sells less buys less fees in the quote of the first leg, at the recorded rate; the position sums both trades."""
    async with hall.executor() as executor:
        entered = await executor.execute_decision(hall.entry())
        left = await executor.execute_decision(hall.exit(entered))
        (position,) = executor.positions()
    truth = await hall.truth()
    krw, usdt = truth["upbit"].moved()["KRW"], truth["binance"].moved()["USDT"]
    naked = truth.net("BTC")
    assert entered.pnl is not None
    assert left.pnl is not None
    assert position.realised_pnl == entered.pnl + left.pnl
    # The residual within dust is valued at the exit's price.
    assert abs(position.realised_pnl - (krw + usdt * 1400 + naked * left.decision.prices[0])) < D("0.0001")


# ------------------------------------------------------------------ once, ever


async def test_many_callers_of_one_decision_share_one_trade(hall: Hall) -> None:
    """Twenty at once, each with a decision object of its own: two orders, one result."""
    decision = hall.entry(decision_id="one and only")
    async with hall.executor() as executor:
        results = await asyncio.gather(*(executor.execute_decision(again(decision)) for _ in range(20)))
        assert all(result == results[0] for result in results)
        assert len(list(executor.trades())) == 1
    assert await hall.creates() == 2


async def test_a_decision_is_known_across_restarts_with_all_it_carries(hall: Hall) -> None:
    """Time zone, books and numbers written otherwise do not make it another decision."""
    seoul = dt.timezone(dt.timedelta(hours=9))
    books = (await hall.server.book("upbit", SYMBOLS["upbit"]), await hall.server.book("binance", SYMBOLS["binance"]))
    decision = hall.entry(decided_at=dt.datetime.now(seoul), books=books)
    async with hall.executor() as executor:
        result = await executor.execute_decision(decision)
        assert result.status == "success"
    async with hall.executor(policy=quick(watch_after_done_s=0)) as executor:
        told = await executor.execute_decision(
            again(decision, decided_at=decision.decided_at.astimezone(dt.UTC), prices=[
                f"{decision.prices[0]}.000", f"{decision.prices[1]}.0"])
        )  # fmt: skip
        assert told == result
    async with hall.executor() as executor:
        assert await executor.execute_decision(decision) == result
    assert await hall.creates() == 2


@pytest.mark.parametrize(
    "change",
    [
        {"notional": Money(D(5_000_000), "KRW")},
        {"action": Action.ENTRY_POSITIVE},
        {"prices": (D(95_000_000), D(67_900))},
        {"reason": "another"},
    ],
)
@pytest.mark.parametrize("when", ["running", "watched", "restarted"])
async def test_another_decision_under_the_same_id_is_an_error(hall: Hall, change: dict[str, Any], when: str) -> None:
    """Whatever differs, and whenever it comes; nothing is sent for it."""
    decision = hall.entry()
    async with hall.executor() as executor:
        first = asyncio.ensure_future(executor.execute_decision(decision))
        await asyncio.sleep(0)
        if when == "running":
            with pytest.raises(DecisionConflict, match=decision.decision_id):
                await executor.execute_decision(again(decision, **change))
        result = await first
        if when == "watched":
            with pytest.raises(DecisionConflict):
                await executor.execute_decision(again(decision, **change))
    if when == "restarted":
        async with hall.executor() as executor:
            with pytest.raises(DecisionConflict):
                await executor.execute_decision(again(decision, **change))
            assert executor.trade(decision.decision_id) == result
    assert await hall.creates() == 2


async def test_the_caller_may_go_away(hall: Hall) -> None:
    """Cancelling whoever waits, even before the first order, cancels no trade; asking again gives its result."""
    await hall.server.set_latency("binance", 60)
    decision = hall.entry()
    async with hall.executor() as executor:
        for pause in (0, 0.02, 0.1):
            caller = asyncio.ensure_future(executor.execute_decision(decision))
            await asyncio.sleep(pause)
            caller.cancel()
            with pytest.raises(asyncio.CancelledError):
                await caller
        result = await executor.execute_decision(decision)
        assert result.status == "success"
    await hall.check(result)
    assert await hall.creates() == 2


async def test_a_time_out_of_the_caller_leaves_the_trade_alone(hall: Hall) -> None:
    """The executor's leaving waits for a trade that nobody waits for any more."""
    await hall.server.set_latency("binance", 100)
    decision = hall.entry()
    async with hall.executor() as executor:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(executor.execute_decision(decision), 0.05)
    async with hall.executor() as executor:
        result = executor.trade(decision.decision_id)
    assert result.state == "DONE"
    await hall.check(result)


# ------------------------------------------------------------------ refused before anything happened


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"notional": Money(D(-1), "KRW")}, "notional", "-1"),
        ({"notional": Money(D(0), "KRW")}, "notional", "0"),
        ({"notional": Money(D(10), "USDT")}, "notional", "USDT"),
        ({"notional": None}, "notional", "None"),
        ({"prices": (D(0), D(67_900))}, "prices[0]", "0"),
        ({"prices": (D(95_000_000), D(-1))}, "prices[1]", "-1"),
        ({"prices": (95e6, 67900.0)}, "prices[0]", "95000000.0"),
        ({"prices": (D("NaN"), D(1))}, "prices[0]", "NaN"),
        ({"decided_at": dt.datetime(2026, 1, 1)}, "decided_at", "2026"),  # noqa: DTZ001 - the point
        ({"legs": (Leg("upbit", "BTC/KRW"), Leg("binance", "ETH/USDT"))}, "legs", "ETH/USDT"),
        ({"legs": (Leg("upbit", "BTC/KRW"), Leg("upbit", "BTC/KRW"))}, "legs", "upbit"),
        ({"decision_id": ""}, "decision_id", "''"),
        ({"decision_id": "x" * 65}, "decision_id", "x" * 65),
        ({"action": Action.NO_ACTION}, "action", "NO_ACTION"),
        ({"position_id": "P-1"}, "position_id", "P-1"),
        ({"action": Action.EXIT_TP, "position_id": "P-1"}, "notional", "KRW"),
        ({"action": Action.EXIT_TP, "notional": None}, "position_id", "None"),
    ],
)
def test_a_decision_that_makes_no_sense_names_field_and_value(change: dict[str, Any], field: str, value: str) -> None:
    """It cannot be built, so it cannot be executed."""
    words: dict[str, Any] = {
        "action": Action.ENTRY_NEGATIVE,
        "legs": (Leg("upbit", "BTC/KRW"), Leg("binance", "BTC/USDT")),
        "notional": Money(D(1_000_000), "KRW"),
        "prices": (D(95_000_000), D(67_900)),
    }
    with pytest.raises(InvalidInput) as caught:
        CrossExchangeDecision(**(words | change))
    assert caught.value.field == field
    assert value in str(caught.value)
    assert field in str(caught.value)


@pytest.mark.parametrize(
    ("legs", "error", "words"),
    [
        ((Leg("upbit", "BTC/KRW"), Leg("kraken", "BTC/USDT")), UnknownVenue, ("legs[1].exchange", "kraken")),
        ((Leg("Upbit", "BTC/KRW"), Leg("binance", "BTC/USDT")), UnknownVenue, ("legs[0].exchange", "Upbit")),
        ((Leg("upbit", "BTC/KRW"), Leg("binance", "BTC/EUR")), UnknownSymbol, ("binance", "BTC/EUR")),
        ((Leg("upbit", "DOGE/KRW"), Leg("binance", "DOGE/USDT")), UnknownSymbol, ("upbit", "DOGE/KRW")),
    ],
)
async def test_unknown_venues_and_symbols_are_refused(hall: Hall, legs: Any, error: Any, words: Any) -> None:
    """Named with field and value, before any order, and nothing is journaled."""
    async with hall.executor() as executor:
        with pytest.raises(error) as caught:
            await executor.execute_decision(again(hall.entry(), legs=legs))
        assert isinstance(caught.value, InvalidInput)
        assert all(word in str(caught.value) for word in words)
        assert list(executor.trades()) == []
    assert await hall.creates() == 0


@pytest.mark.parametrize("thing", [object(), 7, "upbit"])
async def test_what_is_no_exchange_is_refused(hall: Hall, thing: Any) -> None:
    """At construction, by its key."""
    with pytest.raises(InvalidInput, match="upbit"):
        hall.executor(venues={"upbit": thing})


async def test_a_synchronous_exchange_is_refused(hall: Hall) -> None:
    """It would block every trade for the length of every call; the error says which class to take."""
    import ccxt

    with pytest.raises(InvalidInput, match="async"):
        hall.executor(venues={"upbit": ccxt.upbit(), "binance": hall.server.ccxt("binance")})


# ------------------------------------------------------------------ blocked


async def blocked(hall: Hall, decision: Any = None, **parts: Any) -> str:
    async with hall.executor(**parts) as executor:
        result = await executor.execute_decision(decision or hall.entry())
        assert result.status == "blocked"
        assert result.net_exposure == 0
        assert executor.positions() == ()
        assert await executor.execute_decision(result.decision) == result
    assert await hall.creates() == 0
    return result.note


async def test_a_decision_that_is_too_old_is_blocked(hall: Hall) -> None:
    """The price it was made on is gone; the note says how old it is."""
    then = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=11)
    told = re.search(r"decided (\d+)", await blocked(hall, hall.entry(decided_at=then)))
    assert told is not None
    assert int(told[1]) >= 11  # a busy machine takes its time until it asks


async def test_a_decision_that_is_young_enough_is_executed(hall: Hall) -> None:
    """In whatever time zone it was made."""
    seoul = dt.timezone(dt.timedelta(hours=9))
    then = dt.datetime.now(seoul) - dt.timedelta(seconds=2)
    async with hall.executor() as executor:
        assert (await executor.execute_decision(hall.entry(decided_at=then))).status == "success"


class Rates:
    """A provider that says what it is told to."""

    def __init__(self, **rate: Any) -> None:
        self.told = rate

    def rate(self, base: str, quote: str) -> FxRate:
        if "error" in self.told:
            raise self.told["error"]
        values = {"base": base, "quote": quote, "rate": D(1400), "source": "a desk"} | self.told
        return FxRate(**values)


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        (Rates(at_ns=time.time_ns() - 3600 * 10**9), "old"),
        (Rates(confidence=D("0.5")), "confidence 0.5"),
        (Rates(error=FxUnavailable("no rate from USDT to KRW")), "no rate"),
        (Rates(error=RuntimeError("the desk is closed")), "the desk is closed"),
        (None, "no rate"),
    ],
)
async def test_an_entry_without_a_good_rate_is_blocked_and_an_exit_is_not(hall: Hall, rates: Any, words: str) -> None:
    """Missing, stale, doubtful or broken: that makes an entry unwise, and an exit no less needed."""
    note = await blocked(hall, fx=rates)
    assert "fx" in note.lower()
    assert words in note
    async with hall.executor() as executor:
        entered = await executor.execute_decision(hall.entry())
    async with hall.executor(fx=rates) as executor:
        left = await executor.execute_decision(hall.exit(entered))
        assert left.status == "success"
        assert executor.positions()[0].state == "CLOSED"


async def test_an_exit_needs_both_venues_and_stays_open_until_it_has_them(hall: Hall) -> None:
    """Blocked, the position open as it was and a person called; once the venue answers it can be left."""
    sink = Sink()
    policy = quick(health_age_s=0, halted_retry_s=60)  # the bot is quicker than the executor
    async with hall.executor(policy=policy, alerts=sink) as executor:
        entered = await executor.execute_decision(hall.entry())
        await hall.server.down("binance")
        left = await executor.execute_decision(hall.exit(entered))
        assert left.status == "blocked"
        assert "binance" in left.note
        assert (executor.positions()[0].state, executor.positions()[0].quantity) == ("OPEN", D("0.1"))
        assert await hall.creates() == 2
        await until(lambda: sink.alerts)
        assert entered.position_id in "".join(subject + body for subject, body, _ in sink.alerts)
        await hall.server.up("binance")
        assert (await executor.execute_decision(hall.exit(entered))).status == "success"


async def test_a_blocked_exit_is_tried_again(hall: Hall) -> None:
    """With back-off, by itself: a position somebody wanted to leave is left once its venue answers."""
    async with hall.executor(policy=quick(health_age_s=0)) as executor:
        entered = await executor.execute_decision(hall.entry())
        await hall.server.down("binance")
        assert (await executor.execute_decision(hall.exit(entered))).status == "blocked"
        await hall.server.up("binance")
        await until(lambda: executor.positions()[0].state == "CLOSED", within_s=0.7)


async def test_a_venue_that_is_down_on_entering_blocks_until_it_answers(hall: Hall) -> None:
    """Entering does not raise; the same executor trades once the venue is back."""
    await hall.server.down("binance")
    async with hall.executor() as executor:
        result = await executor.execute_decision(hall.entry())
        assert result.status == "blocked"
        assert "binance" in result.note
        await hall.server.up("binance")
        assert (await executor.execute_decision(hall.entry())).status == "success"
    await hall.check()


# ------------------------------------------------------------------ exits


async def test_an_exit_of_an_unknown_position_is_refused(hall: Hall) -> None:
    """Nothing is journaled and nothing sent."""
    async with hall.executor() as executor:
        entered = await executor.execute_decision(hall.entry())
        with pytest.raises(PositionNotOpen, match="P-nobody"):
            await executor.execute_decision(hall.exit(entered, position_id="P-nobody"))
        assert len(list(executor.trades())) == 1
    assert await hall.creates() == 2


async def test_two_exits_of_one_position_at_once(hall: Hall) -> None:
    """One leaves, the other is refused as closing: nothing is sold twice."""
    async with hall.executor() as executor:
        entered = await executor.execute_decision(hall.entry())
        first, second = await asyncio.gather(
            *(executor.execute_decision(hall.exit(entered)) for _ in range(2)), return_exceptions=True
        )
        refused = [each for each in (first, second) if isinstance(each, PositionNotOpen)]
        done = [each for each in (first, second) if not isinstance(each, BaseException)]
        assert [each.status for each in done] == ["success"]
        assert "CLOSING" in str(refused[0])
    assert await hall.creates() == 4
    assert abs((await hall.check()).net("BTC")) < D("0.00001")


async def test_an_exit_of_other_legs_is_refused(hall: Hall) -> None:
    """A position is left where it was entered."""
    async with hall.executor("upbit", "binance", "binanceusdm") as executor:
        entered = await executor.execute_decision(hall.entry())
        legs = (Leg("upbit", SYMBOLS["upbit"]), Leg("binanceusdm", SYMBOLS["binanceusdm"]))
        with pytest.raises(InvalidInput, match="legs"):
            await executor.execute_decision(hall.exit(entered, legs=legs))
        assert executor.positions()[0].state == "OPEN"


async def test_a_position_outlives_the_process(hall: Hall) -> None:
    """It is there at the next start, and can be left there."""
    async with hall.executor() as executor:
        entered = await executor.execute_decision(hall.entry())
        (before,) = executor.positions()
    async with hall.executor() as executor:
        assert executor.positions() == (before,)
        left = await executor.execute_decision(hall.exit(entered))
        assert left.status == "success"
    async with hall.executor() as executor:
        assert [each for each in executor.positions() if each.state != "CLOSED"] == []
        with pytest.raises(PositionNotOpen, match="CLOSED"):
            await executor.execute_decision(hall.exit(entered))
        assert await executor.execute_decision(again(left.decision)) == left


async def test_an_exit_on_derivatives_may_only_reduce(hall: Hall) -> None:
    """The order that leaves a contract position cannot turn it round."""
    async with hall.executor("upbit", "binanceusdm") as executor:
        entered = await executor.execute_decision(hall.entry(legs=("upbit", "binanceusdm")))
        assert entered.status == "success"
        assert (await executor.execute_decision(hall.exit(entered))).status == "success"
    truth = await hall.check()
    assert [order.reduce_only for order in truth["binanceusdm"].orders] == [False, True]
    assert truth["binanceusdm"].positions.get(SYMBOLS["binanceusdm"], D(0)) == 0
    assert truth.net("BTC") == 0


# ------------------------------------------------------------------ funds


async def test_two_trades_that_each_fit_and_together_do_not(hall: Hall) -> None:
    """Funds are held from before the first intent: the second is refused, and not by the venue."""
    await hall.server.set_balances("binance", BTC="1.5")
    async with hall.executor() as executor:
        results = await asyncio.gather(*(executor.execute_decision(hall.entry("1")) for _ in range(2)))
        assert sorted(result.status for result in results) == ["failed", "success"]
        refused = next(result for result in results if result.status == "failed")
        assert "funds" in refused.note
        assert "binance" in refused.note
    truth = await hall.check()
    assert [create.refusal for create in truth["binance"].received] == [None]


async def test_funds_of_a_finished_trade_are_free_again(hall: Hall) -> None:
    """Three in a row, each of which needs nearly all there is, with an exit between."""
    await hall.server.set_balances("binance", BTC="1.2", USDT=3000)
    async with hall.executor() as executor:
        for _ in range(3):
            entered = await executor.execute_decision(hall.entry("1"))
            assert entered.status == "success", entered.note
            left = await executor.execute_decision(hall.exit(entered))
            assert left.status == "success", left.note
    await hall.check()


async def test_an_entry_that_cannot_be_paid_is_not_begun(hall: Hall) -> None:
    """Either leg; the note names venue, asset and both numbers."""
    await hall.server.set_balances("upbit", KRW=1_000_000)
    async with hall.executor() as executor:
        result = await executor.execute_decision(hall.entry("0.1"))
        assert result.status == "failed"
        assert "upbit has 1000000 KRW" in result.note
    assert await hall.creates() == 0


async def test_an_entry_below_the_least_order_is_not_begun(hall: Hall) -> None:
    """Checked on both venues before either is sent anything."""
    async with hall.executor() as executor:
        result = await executor.execute_decision(hall.entry("0.00006"))
        assert result.status == "failed"
        assert "binance takes no less than" in result.note
    assert await hall.creates() == 0


# ------------------------------------------------------------------ asking


async def test_what_can_be_asked_at_any_time(hall: Hall) -> None:
    """Trades, oldest first and read lazily; positions; exposure; one trade by its id."""
    async with hall.executor() as executor:
        assert list(executor.trades()) == []
        assert executor.positions() == ()
        assert executor.exposure() == {}
        results = [await executor.execute_decision(hall.entry("0.01")) for _ in range(3)]
        lazily = executor.trades()
        assert next(lazily) == results[0]
        assert list(executor.trades()) == results
        assert list(executor.trades(live=True)) == []
        assert list(executor.trades(live=False)) == results
        assert executor.trade(results[1].trade_id) == results[1]
        assert {position.entry_trade_id for position in executor.positions()} == {each.trade_id for each in results}
        with pytest.raises(UnknownTrade, match="nobody"):
            executor.trade("nobody")
    async with hall.executor() as executor:
        assert list(executor.trades()) == results


async def test_a_running_trade_can_be_seen(hall: Hall) -> None:
    """While it runs it is live, its exposure is told, and settled waits for it."""
    await hall.server.set_latency("binance", 120)
    decision = hall.entry()
    async with hall.executor() as executor:
        running = asyncio.ensure_future(executor.execute_decision(decision))
        await until(lambda: executor.exposure().get("BTC"))
        assert executor.exposure() == {"BTC": D("0.1")}
        assert [each.trade_id for each in executor.trades(live=True)] == [decision.decision_id]
        assert executor.trade(decision.decision_id).state in {"PLACING", "MONITORING"}
        await executor.settled()
        assert executor.trade(decision.decision_id).state == "DONE"
        assert (await running).status == "success"
        assert executor.exposure() == {}


# ------------------------------------------------------------------ coming and going


async def test_nothing_is_executed_before_entering_or_after_leaving(hall: Hall) -> None:
    """Both say so, and send nothing."""
    executor = hall.executor()
    with pytest.raises(ExecutorClosed, match="not been entered"):
        await executor.execute_decision(hall.entry())
    async with executor:
        result = await executor.execute_decision(hall.entry())
    with pytest.raises(ExecutorClosed):
        await executor.execute_decision(hall.entry())
    with pytest.raises(ExecutorClosed):
        await executor.execute_decision(hall.exit(result))
    assert await hall.creates() == 2


async def test_stopping_stops_entries_and_finishes_what_runs(hall: Hall) -> None:
    """What is open can still be left: stopping never locks a position in."""
    await hall.server.set_latency("binance", 60)
    async with hall.executor() as executor:
        entered = await executor.execute_decision(hall.entry())
        decision = hall.entry()
        running = asyncio.ensure_future(executor.execute_decision(decision))
        await until(lambda: executor._runners.get(decision.decision_id))
        await executor.stop()
        assert executor.trade(decision.decision_id).status == "success"
        assert (await running).status == "success"
        with pytest.raises(ExecutorClosed, match="stopped"):
            await executor.execute_decision(hall.entry())
        assert await executor.execute_decision(decision) == await running
        assert (await executor.execute_decision(hall.exit(entered))).status == "success"
    await hall.check()


async def test_a_decision_that_was_being_opened_when_it_was_stopped_ends(hall: Hall) -> None:
    """Its caller is answered, one way or the other, and nothing is left half begun."""
    await hall.server.set_latency("binance", 60)
    async with hall.executor() as executor:
        opening = asyncio.ensure_future(executor.execute_decision(hall.entry()))
        await asyncio.sleep(0.01)
        await executor.stop()
        try:
            result = await opening
        except ExecutorClosed:
            assert await hall.creates() == 0
        else:
            assert result.state == "DONE"
        assert list(executor.trades(live=True)) == []
    await hall.check()


async def test_leaving_brings_running_trades_to_an_end(hall: Hall) -> None:
    """Nothing is naked or resting when the block is left, though nobody waited for the trade."""
    await hall.set_book("binance", bid=0)
    policy = quick(order_type="limit", fill_timeout_s="0.2")
    decision = hall.entry()
    async with hall.executor(policy=policy) as executor:
        waiting = asyncio.ensure_future(executor.execute_decision(decision))
        await until(lambda: executor._runners)
    assert (await waiting).status == "rolled_back"
    await hall.check(await waiting)


async def test_leaving_with_an_error_still_ends_what_runs(hall: Hall) -> None:
    """A bot that fails inside the block leaves no naked leg behind."""
    await hall.server.inject("binance", "create", "refused")

    async def bot() -> None:
        async with hall.executor() as executor:
            asyncio.ensure_future(executor.execute_decision(hall.entry()))  # noqa: RUF006 - the bot forgets it
            await until(lambda: executor._runners)
            raise RuntimeError("the bot's own")

    with pytest.raises(RuntimeError, match="the bot's own"):
        await bot()
    truth = await hall.check()
    assert abs(truth.net("BTC")) < D("0.00005")


async def test_one_journal_has_one_driver(hall: Hall) -> None:
    """A second executor on the same file is refused, and the first goes on."""
    async with hall.executor() as executor:
        with pytest.raises(JournalLocked):
            async with hall.executor():
                pytest.fail("two drivers")
        assert (await executor.execute_decision(hall.entry())).status == "success"


async def test_a_journal_of_the_port_is_taken_as_it_is(hall: Hall) -> None:
    """Not only a path."""
    journal = SqliteJournal(hall.path, mark=False, reserve_bytes=0)
    async with hall.executor(journal=journal) as executor:
        result = await executor.execute_decision(hall.entry())
    async with hall.executor(journal=Watched(hall.path)) as executor:
        assert executor.trade(result.trade_id) == result


async def test_a_trade_whose_venue_was_not_given_refuses_the_start(hall: Hall) -> None:
    """What is naked on a venue that nobody can reach is not passed over in silence."""
    await hall.set_book("binance", bid=0, ask=0)
    await hall.set_book("upbit", bid=0)
    dying = hall.executor(policy=quick(attempts_max=1))
    await dying.__aenter__()
    assert (await dying.execute_decision(hall.entry())).status == "halted"
    await crash(dying)
    with pytest.raises(UnknownVenue, match="binance"):
        async with hall.executor("upbit"):
            pytest.fail("a naked leg was passed over")


async def test_exchanges_stay_the_callers(hall: Hall) -> None:
    """The object that is passed is the one that is used, and it is open after the executor was left."""
    mine = {name: hall.server.ccxt(name) for name in ("upbit", "binance")}
    async with hall.executor(venues=mine) as executor:
        assert (await executor.execute_decision(hall.entry())).status == "success"
    book = await mine["binance"].fetch_order_book("BTC/USDT")
    assert book["bids"]


async def test_an_executor_can_be_entered_again(hall: Hall) -> None:
    """Afresh: what was stopped, held or known of venues belongs to the life before; what is journaled stays."""
    executor = hall.executor()
    async with executor:
        first = await executor.execute_decision(hall.entry())
        with pytest.raises(MachineError, match="entered already"):
            await executor.__aenter__()
        await executor.stop()
    for _ in range(2):
        async with executor:
            assert executor.trade(first.trade_id) == first
            assert (await executor.execute_decision(hall.entry())).status == "success"
    async with executor:
        assert (await executor.execute_decision(hall.exit(first))).status == "success"
    await hall.check()


async def test_an_executor_that_could_not_be_entered_can_be_tried_again(hall: Hall) -> None:
    """Once the journal is free."""
    second = hall.executor()
    async with hall.executor():
        with pytest.raises(JournalLocked):
            await second.__aenter__()
    async with second:
        assert (await second.execute_decision(hall.entry())).status == "success"


# ------------------------------------------------------------------ secrets


async def test_secrets_go_nowhere(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    """No key stands in the journal, the log, an error, an alert, a result or a repr, whatever goes wrong."""
    caplog.set_level(logging.DEBUG, "fsm_arb")
    caplog.set_level(logging.DEBUG, "asyncio")
    sink = Sink()
    said: list[str] = []
    faults = ("error_500", "html_200", "refused", "lost_after", "rate_limited", "truncated", "bad_json_200")
    async with hall.executor(alerts=sink, policy=quick(doubt_max_s="0.3")) as executor:
        said.append(repr(await executor.execute_decision(hall.entry("0.01"))))
        for fault in faults:
            for venue in ("upbit", "binance"):
                await hall.server.inject(venue, "create", fault)
                await hall.server.inject(venue, "fetch", "error_503")
            said.append(repr(await executor.execute_decision(hall.entry("0.01"))))
        await hall.server.inject("binance", "balance", "html_200", count=2)
        try:
            said.append(repr(await executor.execute_decision(hall.entry("100"))))
        except FsmArbError as error:
            said += [str(error), repr(error)]
        said += [repr(executor), repr(executor._services), repr(list(executor._runners.values()))]
        said += [repr(desk.venue) for desk in executor._services.desks.values()]
        await executor.settled()
    said += [repr(sink.alerts), *(record.getMessage() for record in caplog.records)]
    said += [str(record.exc_info) + str(record.exc_text) for record in caplog.records]
    files = [path for path in hall.path.parent.rglob("*") if path.is_file()]
    assert any(path.stat().st_size > 10_000 for path in files)
    for dialect in DIALECTS:
        planted = credentials(dialect)
        for secret in (planted.key, planted.secret):
            assert not [text for text in said if secret in text]
            assert not [path.name for path in files if secret.encode() in path.read_bytes()]


async def test_secrets_go_nowhere_even_where_everything_is_logged(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    """A bot that logs at DEBUG for all libraries writes no key to its log."""
    caplog.set_level(logging.DEBUG)
    async with hall.executor() as executor:
        await executor.execute_decision(hall.entry("0.01"))
    planted = [word for dialect in DIALECTS for word in (credentials(dialect).key, credentials(dialect).secret)]
    assert not [secret for secret in planted if secret in caplog.text]


# ------------------------------------------------------------------ many at once


async def test_a_slow_venue_delays_only_its_own_trades(hall: Hall) -> None:
    """Trades between two quick venues begin and end while others wait for one that hangs."""
    venues = {name: PaperVenue(name) for name in ("upbit", "binance", "binanceusdm")}
    release = asyncio.Event()

    async def hang(what: str, detail: Any) -> None:
        await release.wait()

    async with hall.executor(venues=venues, policy=quick(request_timeout_s=20)) as executor:
        for legs in (("upbit", "binance"), ("upbit", "binanceusdm")):
            assert (await executor.execute_decision(hall.entry("0.01", legs=legs))).status == "success"
        venues["binance"].wait = hang  # type: ignore[method-assign]
        waiting = [asyncio.ensure_future(executor.execute_decision(hall.entry("0.01"))) for _ in range(8)]
        await asyncio.sleep(0.05)
        for _ in range(3):
            decision = hall.entry("0.01", legs=("upbit", "binanceusdm"))
            result = await asyncio.wait_for(executor.execute_decision(decision), 2)
            assert result.status == "success"
        assert not any(each.done() for each in waiting)
        release.set()
        assert {(await each).status for each in waiting} == {"success"}


async def test_many_trades_at_once_under_many_faults(hall: Hall) -> None:
    """Thirty trades while two requests in five go wrong: each ends matched or flat, and the venues agree."""
    for venue in ("upbit", "binance"):
        await hall.set_book(venue, bid=50, ask=50)
    async with hall.executor(policy=quick(attempts_max=8, fill_timeout_s=1)) as executor:
        await executor.execute_decision(hall.entry("0.01"))
        await hall.server.set_profile("many")
        actions = [Action.ENTRY_NEGATIVE, Action.ENTRY_POSITIVE] * 15
        results = await asyncio.gather(*(executor.execute_decision(hall.entry("0.02", action=a)) for a in actions))
        await hall.server.clear_faults()
        await executor.settled()
        # Late fills come within 150 ms, and are found while the trade is watched.
        await asyncio.sleep(0.5)
        await executor.settled()
        await until(lambda: all(each.state == "DONE" for each in executor.trades()))
        naked = sum((each.net_exposure for each in executor.trades()), D(0))
        assert len(results) == 30
        assert sum(result.status == "success" for result in results) >= 10
        assert all(abs(each.net_exposure) < each.dust for each in executor.trades() if each.dust)
    truth = await hall.check()
    assert truth.net("BTC") == naked


async def test_dust_is_carried_into_the_next_trade_of_its_asset(hall: Hall) -> None:
    """Each buy leaves a little less than a lot; eight of them together leave no more than one."""
    async with hall.executor() as executor:
        entries = [hall.entry("0.0099", action=Action.ENTRY_POSITIVE) for _ in range(8)]
        results = [await executor.execute_decision(entry) for entry in entries]
    assert {result.status for result in results} == {"success"}
    left = sum((result.net_exposure for result in results), D(0))
    assert left == (await hall.truth()).net("BTC")
    assert results[0].net_exposure != 0
    assert abs(left) <= D("0.00001")
