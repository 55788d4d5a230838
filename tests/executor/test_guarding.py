"""The risk guard in the executor: what passes is reserved, what ended is counted, and a restart forgets nothing."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hall import FX, PaperVenue, Sink, papers, quick, until

from fsm_arb import CrossExchangeRiskGuard, Money, StaticFx
from fsm_arb.errors import InvalidInput
from fsm_arb.executor.guarding import FollowingGuard
from fsm_arb.executor.keeping import COUNTED, RISK
from fsm_arb.ports import Acknowledged, Batch, Draft, OrderSnapshot, OrderStatus, Refused
from fsm_arb.risk import GlobalLimits, RiskLimits, RouteLimits
from fsm_arb.values import ZERO, Fee, HealthStatus

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
        daily_loss=Money(10**9, "KRW"),
        consecutive_losses=100,
        route=RouteLimits(consecutive_losses=100),
        overall=GlobalLimits(exposure=Money(D(room), "KRW")),
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
        def follow(self, trade: Any, position: Any, parts: Any = None) -> None:
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


# ------------------------------------------------------------------ what changes after it is over


async def over(executor: Any, *trade_ids: str) -> None:
    """Wait until trades are finished, their watch included, and forgotten."""
    await until(lambda: not set(trade_ids) & set(executor._runners))


async def a_round_trip(hall: Hall, executor: Any, quantity: str = "0.1") -> tuple[Any, Any]:
    entered = await executor.execute_decision(hall.entry(quantity))
    left = await executor.execute_decision(hall.exit(entered))
    await over(executor, entered.trade_id, left.trade_id)
    return entered, left


def made(executor: Any) -> Decimal:
    """What all closed positions of this process have made."""
    return sum((each.realised_pnl for each in executor.positions() if each.state == "CLOSED"), ZERO)


@pytest.mark.parametrize("restarted", [False, True], ids=["one process", "after a restart"])
@pytest.mark.parametrize("which", ["entry", "exit"])
async def test_a_bust_of_a_trade_that_was_let_go_counts_the_difference_alone(
    hall: Hall, venues: dict[str, PaperVenue], which: str, restarted: bool
) -> None:
    """Whether the trade is taken up again in the process that ended it, or in a later one."""
    guard, policy = guarding(), quick(watch_after_done_s=0)
    async with hall.executor(venues=venues, risk_guard=guard, policy=policy) as executor:
        entered, left = await a_round_trip(hall, executor)
        busted = {"entry": entered, "exit": left}[which]
        order = busted.leg("binance").client_order_ids[0]
        assert guard.history.counted == {}
        before = guard.history.result
        assert before == made(executor) != ZERO
        if not restarted:
            await executor.bust(busted.trade_id, order, D("0.04"), "a test")
            await over(executor, busted.trade_id)
            assert guard.history.result == made(executor)
            assert guard.history.counted == {}
    if restarted:
        guard = guarding()
        async with hall.executor(venues=venues, risk_guard=guard, policy=policy) as executor:
            assert guard.history.result == before
            await executor.bust(busted.trade_id, order, D("0.04"), "a test")
            await over(executor, busted.trade_id)
            assert guard.history.result == made(executor)
    assert guard.history.losses == 1  # a correction is no further loss


async def test_a_verdict_on_an_order_of_a_trade_that_was_let_go_counts_the_difference_alone(
    hall: Hall, venues: dict[str, PaperVenue]
) -> None:
    """`settle_order` takes a trade up as a bust does."""
    guard = guarding()
    async with hall.executor(venues=venues, risk_guard=guard, policy=quick(watch_after_done_s=0)) as executor:
        entered, _ = await a_round_trip(hall, executor)
        order = entered.leg("upbit").client_order_ids[0]
        await executor.settle_order(entered.trade_id, order, D("0.1"), "a test", price=D("95000000"))
        await over(executor, entered.trade_id)
        assert guard.history.result == made(executor)


async def test_a_trade_of_before_the_guard_counts_only_what_a_bust_changes(
    hall: Hall, venues: dict[str, PaperVenue]
) -> None:
    """What it made then was never counted, and is no result of today."""
    policy = quick(watch_after_done_s=0)
    async with hall.executor(venues=venues, policy=policy) as executor:
        entered, _ = await a_round_trip(hall, executor)
        before = made(executor)
    guard = guarding()
    async with hall.executor(venues=venues, risk_guard=guard, policy=policy) as executor:
        await executor.bust(entered.trade_id, entered.leg("binance").client_order_ids[0], D("0.04"), "a test")
        await over(executor, entered.trade_id)
        assert guard.history.result == made(executor) - before


async def test_a_position_that_a_bust_reopens_is_counted_once_over_restarts(
    hall: Hall, venues: dict[str, PaperVenue]
) -> None:
    """Closed, counted, reopened, and closed again by an exit of a later process."""
    policy = quick(watch_after_done_s=0)
    async with hall.executor(venues=venues, risk_guard=guarding(), policy=policy) as executor:
        entered, left = await a_round_trip(hall, executor)
        venues["binance"].outcomes = [Refused(code="insufficient_funds", message="no")] * 9
        await executor.bust(left.trade_id, left.leg("binance").client_order_ids[0], D("0.1"), "a test")
        await over(executor, left.trade_id)
        venues["binance"].outcomes = []
        (position,) = executor.positions()
        assert (position.state, position.quantity) == ("OPEN", D("0.1"))
    guard = guarding()
    async with hall.executor(venues=venues, risk_guard=guard, policy=policy) as executor:
        again = await executor.execute_decision(hall.exit(entered, decision_id="again"))
        assert again.status == "success"
        assert guard.history.result == made(executor)
        assert guard.history.losses == 1


async def test_a_record_does_not_grow_with_the_trades_that_are_watched(
    hall: Hall, venues: dict[str, PaperVenue]
) -> None:
    """The sums are as long as there are markets; each round trip has a stream of its own, read where one may change."""
    guard = guarding()
    async with hall.executor(venues=venues, risk_guard=guard) as executor:  # nothing is forgotten while it is watched
        for _ in range(6):
            entered = await executor.execute_decision(hall.entry("0.05"))
            await executor.execute_decision(hall.exit(entered))
        assert len(guard.history.counted) == 6
        await until(lambda: guard._by_hand == [] and executor._services.guarding._keeping._writing.done())
        journal = executor._journal
        (stream,) = journal.streams(RISK)
        sizes = [len(record.payload) for record in journal.read(stream)]
        assert sizes[-1] - sizes[1] < 50  # the first one holds nothing but the day
        rounds = list(journal.streams(COUNTED))
        assert len(rounds) == 6
        assert [sum(1 for _ in journal.read(each)) for each in rounds] == [1] * 6


async def test_what_is_told_by_hand_before_or_after_entering_is_kept(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """On top of what the journal holds, once, and without a trade in between."""
    first = guarding()
    first.record_pnl(Money(-5, "KRW"))
    async with hall.executor(venues=venues, risk_guard=first) as executor:
        first.record_pnl(Money(-7, "KRW"))
        assert first.history.result == -12
        await executor._services.guarding._keeping.close()
    second = guarding()
    second.record_pnl(Money(-30, "KRW"))
    for _ in range(2):  # entered again with the same guard, nothing counts twice
        async with hall.executor(venues=venues, risk_guard=second) as executor:
            assert (second.history.result, second.consecutive_losses) == (-42, 3)
    third = guarding()
    async with hall.executor(venues=venues, risk_guard=third) as executor:
        assert (third.daily_pnl, third.history.by_hand) == (Money(-42, "KRW"), 3)


async def test_a_guard_belongs_to_one_executor_at_a_time(
    hall: Hall, venues: dict[str, PaperVenue], tmp_path: Any
) -> None:
    """The second is told why as it is entered, and the first goes on; once it was left, the guard is free."""
    guard = guarding()
    other = hall.executor(venues=papers(), risk_guard=guard, journal=tmp_path / "other.db")
    async with hall.executor(venues=venues, risk_guard=guard) as executor:
        with pytest.raises(InvalidInput, match=r"is another executor's already.*a guard of its own"):
            async with other:
                pass
        assert (await executor.execute_decision(hall.entry("0.1"))).status == "success"
        guard.record_pnl(Money(-1, "KRW"))
    async with other:
        assert guard.history.result == -1


# ------------------------------------------------------------------ fees that nobody can value


def charging(venue: PaperVenue, fee: Fee) -> None:
    """Let a venue charge *fee* for each order."""

    async def place(request: Any, fresh: Any) -> Any:
        venue.doing.append(("place", request))
        snapshot = OrderSnapshot(
            status=OrderStatus.ENDED,
            filled=request.amount,
            venue_order_id=f"{venue.name}-{len(venue.orders)}",
            amount=request.amount,
            average=request.bound,
            fees=(fee,),
        )
        venue.orders[request.client_order_id] = snapshot
        return Acknowledged(snapshot=snapshot)

    venue.place = place  # type: ignore[method-assign]


@pytest.mark.parametrize("restarted", [False, True], ids=["one process", "after a restart"])
async def test_a_fee_in_a_third_asset_is_valued_where_there_is_a_rate(
    hall: Hall, venues: dict[str, PaperVenue], restarted: bool
) -> None:
    """The trade's own PnL stays unknown; what limits see is not. Its parts are found again after a restart."""
    charging(venues["binance"], Fee(D("0.01"), "BNB"))
    limits, rates = guarding().limits, StaticFx({"USDT/KRW": "1400", "BNB/KRW": "800000"})
    guard = CrossExchangeRiskGuard(limits, Time(), fx=rates)
    policy = quick(watch_after_done_s=0)
    plain = guarding()
    async with hall.executor(venues=papers(), risk_guard=plain, journal=hall.path.with_name("plain.db")) as executor:
        await executor.execute_decision(hall.exit(await executor.execute_decision(hall.entry("0.1"))))
    async with hall.executor(venues=venues, risk_guard=guard, policy=policy) as executor:
        entered = await executor.execute_decision(hall.entry("0.1"))
        assert (entered.pnl, "BNB" in entered.note) == (None, True)
        if not restarted:
            await executor.execute_decision(hall.exit(entered))
    if restarted:
        guard = CrossExchangeRiskGuard(limits, Time(), fx=rates)
        async with hall.executor(venues=venues, risk_guard=guard, policy=policy) as executor:
            await executor.execute_decision(hall.exit(entered))
    assert guard.history.result == plain.history.result - 2 * D("0.01") * 800000
    assert guard.doubts == {}


async def test_a_fee_that_nobody_can_value_counts_as_the_usual_one_and_a_person_is_told_once(
    hall: Hall, venues: dict[str, PaperVenue]
) -> None:
    """A day of such fees is no day without losses."""
    charging(venues["binance"], Fee(D("0.01"), "BNB"))
    guard, sink = guarding(), Sink()
    async with hall.executor(venues=venues, risk_guard=guard, alerts=sink) as executor:
        for _ in range(2):
            entered = await executor.execute_decision(hall.entry("0.1"))
            await executor.execute_decision(hall.exit(entered))
    assert guard.history.losses == 2
    told = [body for subject, body, _ in sink.alerts if subject == "fees in BNB cannot be valued"]
    assert len(told) == 1
    assert "no rate from BNB to KRW" in told[0]
    assert "the market's usual fee" in told[0]


# ------------------------------------------------------------------ guards that cannot be told


def test_a_guard_that_is_told_by_coroutines_is_refused(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """Nobody would await them; one that asks for answers alone may have one."""

    class Awaited(CrossExchangeRiskGuard):
        async def follow(self, *_: Any) -> None:  # type: ignore[override]
            raise AssertionError

        async def let_go(self, *_: Any) -> None:  # type: ignore[override]
            raise AssertionError

    with pytest.raises(InvalidInput, match=r"risk_guard.*must not be coroutines: follow, let_go"):
        hall.executor(venues=venues, risk_guard=Awaited(guarding().limits, Time()))

    class Asked:
        async def check_cross_exchange_trade(self, decision: Any) -> bool:
            return True

    hall.executor(venues=venues, risk_guard=Asked())


def test_a_guard_that_follows_by_half_is_refused(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """It would never be told; what it lacks is named."""

    class Half:
        def check_cross_exchange_trade(self, decision: Any) -> bool:
            return True

        def follow(self, *_: Any) -> None:
            raise AssertionError

    with pytest.raises(InvalidInput, match="lacks history, doubts, admit, stands"):
        hall.executor(venues=venues, risk_guard=Half())


async def test_an_answer_that_would_have_to_be_awaited_is_a_failure(hall: Hall, venues: dict[str, PaperVenue]) -> None:
    """A person is told, and no entry passes a guard that has not taken in what was told."""

    async def later() -> None:
        raise AssertionError

    class Late(CrossExchangeRiskGuard):
        def let_go(self, trade_id: str) -> Any:  # type: ignore[override]
            return later() if trade_id == "a" else super().let_go(trade_id)

    sink = Sink()
    async with hall.executor(venues=venues, risk_guard=Late(guarding().limits, Time(), fx=FX), alerts=sink) as executor:
        executor._services.guarding.let_go("a")
        refused = await executor.execute_decision(hall.entry("0.1"))
        assert (refused.status, "could not take in a" in refused.note) == ("blocked", True)
    assert "TypeError: it is told in passing" in next(body for subject, body, _ in sink.alerts if "guard" in subject)
