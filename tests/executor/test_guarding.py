"""The risk guard in the executor: what passes is reserved, what ended is counted, and a restart forgets nothing."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hall import FX, PaperVenue, Sink, papers

from fsm_arb import CrossExchangeRiskGuard, Money, StaticFx
from fsm_arb.executor.guarding import RISK, FollowingGuard
from fsm_arb.ports import Batch, Draft
from fsm_arb.risk import GlobalLimits, RiskLimits
from fsm_arb.values import ZERO, HealthStatus

if TYPE_CHECKING:
    from hall import Hall

D = Decimal
WON_OF_A_TENTH = D("9510000")  # what a tenth of a BTC is asked for at


class Time:
    """A wall clock that a test moves."""

    ns = 20_000 * 86_400 * 10**9

    def __call__(self) -> int:
        return self.ns


def guarding(room: Any = 100_000_000, time: Time | None = None) -> CrossExchangeRiskGuard:
    limits = RiskLimits(
        daily_loss=Money(10**9, "KRW"), consecutive_losses=100, overall=GlobalLimits(exposure=Money(D(room), "KRW"))
    )
    return CrossExchangeRiskGuard(limits, time or Time(), fx=FX)


@pytest.fixture
def venues() -> dict[str, PaperVenue]:
    return papers()


def test_the_guard_that_is_shipped_follows() -> None:
    """And one with a single method need not."""
    assert isinstance(guarding(), FollowingGuard)

    class Plain:
        def check_cross_exchange_trade(self, decision: Any) -> bool:
            return True

    assert not isinstance(Plain(), FollowingGuard)


async def test_an_open_position_stays_reserved_until_it_is_closed(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """At what is held of it; the round trip is counted then, and once."""
    guard = guarding()
    async with hall.executor(venues=venues, risk_guard=guard) as executor:
        entered = await executor.execute_decision(hall.entry("0.1"))
        assert entered.status == "success"
        assert guard.held.amount > 0
        assert guard.history.counted == {}
        left = await executor.execute_decision(hall.exit(entered))
        assert left.status == "success"
        assert guard.held.amount == ZERO
        (counted,) = guard.history.counted.values()
        assert counted.pnl == executor.positions()[0].realised_pnl


async def test_two_trades_at_once_cannot_both_take_the_last_room(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """The second is made smaller, the third refused; the room is counted at the decision's price."""
    guard = guarding(room=WON_OF_A_TENTH * D("1.5"))
    async with hall.executor(venues=venues, risk_guard=guard) as executor:
        results = await asyncio.gather(*(executor.execute_decision(hall.entry("0.1")) for _ in range(3)))
        sizes = sorted(result.leg("upbit").filled_qty for result in results)
        assert sizes[2] == D("0.1")
        assert ZERO < sizes[1] <= D("0.05")
        assert [result.status for result in results].count("blocked") == 1
        assert sum(sizes) <= D("0.15")


async def test_what_was_not_begun_holds_nothing(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """Refused by a venue, by a check or by its size."""
    guard = guarding()
    async with hall.executor(venues=venues, risk_guard=guard) as executor:
        small = await executor.execute_decision(hall.entry("0.00001"))
        assert small.status == "failed"
        assert guard.held.amount == ZERO


async def test_a_restart_finds_history_and_holdings_again(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """From the journal: a fresh guard of the same limits stands where the old one stood."""
    first, time = guarding(), Time()
    async with hall.executor(venues=venues, risk_guard=first) as executor:
        closed = await executor.execute_decision(hall.entry("0.1"))
        await executor.execute_decision(hall.exit(closed))
        await executor.execute_decision(hall.entry("0.05"))
    second = guarding(time=time)
    async with hall.executor(venues=venues, risk_guard=second) as executor:
        assert second.held == first.held
        assert second.held.amount > ZERO
        assert second.daily_pnl == first.daily_pnl
        assert second.history.symbols == first.history.symbols
        time.ns += 86_400 * 10**9
        open_one = next(position for position in executor.positions() if position.state == "OPEN")
        await executor.execute_decision(hall.exit(closed, position_id=open_one.position_id, decision_id="later"))
        assert second.held.amount == ZERO
    third = guarding(time=time)
    async with hall.executor(venues=venues, risk_guard=third) as executor:
        assert third.history.result == second.history.result
        streams = list(executor._journal.streams(RISK))
        assert streams == ["risk/2024-10-04", "risk/2024-10-05"]


async def test_a_guard_that_fails_to_follow_holds_up_no_trade(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """A person is told; the trade is DONE all the same."""

    class Broken(CrossExchangeRiskGuard):
        def follow(self, trade: Any, position: Any) -> None:
            raise RuntimeError("the guard lost its book")

    sink = Sink()
    guard = Broken(guarding().limits, Time(), fx=FX)
    async with hall.executor(venues=venues, risk_guard=guard, alerts=sink) as executor:
        result = await executor.execute_decision(hall.entry("0.1"))
        assert result.status == "success"
    assert [body for subject, body, _ in sink.alerts if subject == "risk guard failed"] == [
        "RuntimeError: the guard lost its book"
    ]


async def test_a_history_that_cannot_be_read_stops_entries_and_nothing_else(
    hall: Hall, venues: dict[str, PaperVenue]
) -> None:
    """The executor is entered, an exit executes, and an entry is told why it is not."""
    async with hall.executor(venues=venues, risk_guard=guarding()) as executor:
        first = await executor.execute_decision(hall.entry("0.1"))
        await executor.execute_decision(hall.exit(first))
        second = await executor.execute_decision(hall.entry("0.05"))
        draft = Draft(at_ns=1, trigger="counted", state_before="", state_after="", payload='{"v":99}')
        stream = next(iter(executor._journal.streams(RISK)))
        count = sum(1 for _ in executor._journal.read(stream))
        await executor._journal.append([Batch(stream=stream, expected_seq=count, drafts=(draft,), live=False)])
    sink = Sink()
    async with hall.executor(venues=venues, risk_guard=guarding(), alerts=sink) as executor:
        refused = await executor.execute_decision(hall.entry("0.1"))
        assert refused.status == "blocked"
        assert "history cannot be read" in refused.note
        left = await executor.execute_decision(hall.exit(second))
        assert left.status == "success"
    assert "risk guard's history lost" in [subject for subject, _, _ in sink.alerts]


async def test_what_another_check_refuses_takes_no_room(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """The guard is asked last: what it lets pass is reserved."""
    guard = guarding()
    venues["binance"].status = HealthStatus.DOWN
    async with hall.executor(venues=venues, risk_guard=guard) as executor:
        result = await executor.execute_decision(hall.entry("0.1"))
        assert result.status == "blocked"
        assert guard.held.amount == ZERO
        assert not guard._holdings._by_id


async def test_what_a_guard_could_not_take_in_is_told_again_before_the_next_entry(
    hall: Hall, venues: dict[str, PaperVenue]
) -> None:
    """After a start without a rate the open position still counts, as soon as there is one; until then, no entry."""
    limits = RiskLimits(daily_loss=Money(10**6, "USD"), overall=GlobalLimits(exposure=Money(10_000, "USD")))
    rates: dict[str, str] = {"KRW/USD": "0.0007"}

    class Rates:
        def rate(self, base: str, quote: str) -> Any:
            return StaticFx(rates).rate(base, quote)

    async with hall.executor(venues=venues, risk_guard=CrossExchangeRiskGuard(limits, Time(), fx=Rates())) as executor:
        assert (await executor.execute_decision(hall.entry("0.1"))).status == "success"
    rates.clear()
    guard = CrossExchangeRiskGuard(limits, Time(), fx=Rates())
    async with hall.executor(venues=venues, risk_guard=guard) as executor:
        assert guard.held.amount == ZERO
        refused = await executor.execute_decision(hall.entry("0.1"))
        assert (refused.status, "could not take in" in refused.note) == ("blocked", True)
        rates["KRW/USD"] = "0.0007"
        smaller = await executor.execute_decision(hall.entry("0.1"))
        assert guard.held.amount > 6000
        assert smaller.leg("upbit").filled_qty < D("0.06")
