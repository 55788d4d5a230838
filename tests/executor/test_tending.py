"""A trade's calls to its venues, under every fault of the wire; the venues' own books judge."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from hall import IN_DOUBT, PaperVenue, Sink, Watched, breaks, mends, placed, quick, shows, until
from worlds import Walk

from fsm_arb import Action, CrossExchangeExecutor, OrderType
from fsm_arb.clock import SystemClock
from fsm_arb.errors import VenueUnanswered
from fsm_arb.executor.polling import Look
from fsm_arb.executor.tending import Tending
from fsm_arb.messages import Missed
from fsm_arb.ports import Acknowledged, OrderSnapshot, OrderStatus, Refused
from fsm_arb.values import FeeIn
from fsm_arb.venues.ccxt_venue import CcxtVenue

if TYPE_CHECKING:
    from hall import Hall

D = Decimal
VENUES = ["upbit", "binance"]
ENDS = {"success", "partial_hedged", "rolled_back", "failed"}
ONE_SIDED = {"upbit": {"ask": 0}, "binance": {"bid": 0}}  # what an entry finds nobody to trade with


async def ends(
    hall: Hall, expected: set[str] = ENDS, orders: int | None = None, *, all_met: bool = True, **policy: Any
) -> Any:
    """Execute one entry and return its result, having checked that it ended well and sent nothing twice."""
    async with hall.executor(policy=quick(**policy)) as executor:
        result = await asyncio.wait_for(executor.execute_decision(hall.entry()), 10)
        held = sum((each.quantity for each in executor.positions()), D(0))
    assert result.state == "DONE", result.note
    assert result.status in expected
    assert not result.ever_halted
    truth = await hall.check(result)
    assert truth["upbit"].bought("BTC/KRW") == held
    assert not all_met or await hall.server.pending_faults() == 0
    if orders is not None:
        assert sum(len(venue.orders) for venue in truth.venues.values()) == orders
    return result


# ------------------------------------------------------------------ a placing call goes wrong


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize(
    "fault", ["lost_after", "truncated", "empty_200", "bad_json_200", "html_200", "error_500", "error_502", "error_503"]
)
async def test_a_lost_reply_to_an_order_that_exists(hall: Hall, venue: str, fault: str) -> None:
    """It is in doubt, found by its client id, and never sent again."""
    await hall.server.inject(venue, "create", fault, executed=True)
    await ends(hall, {"success"}, orders=2)
    assert await hall.creates() == 2


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize(
    "fault", ["lost_before", "empty_200", "bad_json_200", "html_200", "error_500", "error_503", "error_504"]
)
async def test_a_lost_reply_to_an_order_that_never_arrived(hall: Hall, venue: str, fault: str) -> None:
    """Its absence is believed only past the fence; then the other leg is matched or traded back."""
    await hall.server.inject(venue, "create", fault, executed=False)
    result = await ends(hall, {"success", "rolled_back"}, orders=2)
    assert "absent" in result.leg(venue).error
    truth = await hall.truth()
    first, last = sorted(order.created_ms for each in truth.venues.values() for order in each.orders)
    assert last - first >= 200  # the fence


@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "html_200"])
async def test_both_replies_lost(hall: Hall, fault: str) -> None:
    """Both legs in doubt at once end as their venues know them."""
    for venue in VENUES:
        await hall.server.inject(venue, "create", fault)
    await ends(hall, {"failed"} if fault == "lost_before" else {"success"})


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("ms", [60, 150])
async def test_an_order_accepted_late(hall: Hall, venue: str, ms: int) -> None:
    """Believed lost and executed while the doubt lasts: counted, once."""
    await hall.server.inject(venue, "create", "accepted_late", ms=ms)
    await ends(hall, {"success"}, orders=2)


@pytest.mark.parametrize("venue", VENUES)
async def test_an_order_accepted_after_every_fence(hall: Hall, venue: str) -> None:
    """What was believed absent and executes after all is found by the watch, and traded back."""
    await hall.server.inject(venue, "create", "accepted_late", ms=700)
    async with hall.executor(policy=quick(absence_fence_s="0.1")) as executor:
        result = await executor.execute_decision(hall.entry())
        assert result.status in {"success", "rolled_back"}
        sent = await hall.creates()
        await until(
            lambda: len(executor.trade(result.trade_id).leg(venue).order_ids) > len(result.leg(venue).order_ids)
        )
        await executor.settled()
        await until(lambda: executor.trade(result.trade_id).state == "DONE")
        mended = executor.trade(result.trade_id)
        held = sum((each.quantity for each in executor.positions() if each.state == "OPEN"), D(0))
        assert await hall.creates() == sent + 2  # the late one, and what trades it back
    truth = await hall.check(mended)
    assert truth["upbit"].bought("BTC/KRW") == held


@pytest.mark.parametrize("venue", VENUES)
async def test_a_fill_before_the_acknowledgement(hall: Hall, venue: str) -> None:
    """An order that has executed before its placing call came back is counted once."""
    await hall.server.inject(venue, "create", "delay_after", ms=250)
    await ends(hall, {"success"}, orders=2)


async def test_an_acknowledged_order_rests_where_its_reply_was_lost(hall: Hall) -> None:
    """A resting order nobody acknowledged is found, cancelled by its id, and the other leg traded back."""
    await hall.set_book("binance", bid=0)
    await hall.server.inject("binance", "create", "lost_after")
    result = await ends(hall, {"rolled_back"}, order_type=OrderType.LIMIT, fill_timeout_s="0.15")
    assert result.leg("binance").status == "canceled"


# ------------------------------------------------------------------ nothing is sent twice


@pytest.mark.parametrize("fault", ["rate_limited", "error_500", "lost_before", "lost_after"])
@pytest.mark.parametrize("venue", VENUES)
async def test_an_exchange_that_retries_is_made_not_to(hall: Hall, venue: str, fault: str) -> None:
    """Whatever the caller's ccxt object was set to, one order is one request."""
    venues = {name: hall.server.ccxt(name, options={"maxRetriesOnFailure": 3}) for name in VENUES}
    await hall.server.inject(venue, "create", fault)
    async with hall.executor(venues=venues) as executor:
        result = await executor.execute_decision(hall.entry())
        assert result.state == "DONE"
    await hall.check(result)
    log = await hall.server.log()
    ids = [request["client_id"] for request in log.requests if request["operation"] == "create"]
    assert len(ids) == len(set(ids))


# ------------------------------------------------------------------ cancels


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("fault", ["cancel_race", "cancel_lost", "lost_after", "lost_before", "accepted_late"])
async def test_a_cancel_proves_nothing(hall: Hall, venue: str, fault: str) -> None:
    """Whatever becomes of a cancel or its reply, only what the venue shows ends the order."""
    await hall.set_book(venue, **ONE_SIDED[venue])
    await hall.server.inject(venue, "cancel", fault, ms=60)
    expected = {"success"} if fault == "cancel_race" else {"rolled_back"}
    await ends(hall, expected, order_type=OrderType.LIMIT, fill_timeout_s="0.15")


@pytest.mark.parametrize("venue", VENUES)
async def test_a_fill_after_the_cancel_was_confirmed(hall: Hall, venue: str) -> None:
    """A venue that fills what it had cancelled reopens the trade, and what it filled is mended."""
    await hall.set_book(venue, **ONE_SIDED[venue])
    await hall.server.inject(venue, "cancel", "late_fill", ms=300)
    policy = quick(order_type=OrderType.LIMIT, fill_timeout_s="0.15", remedy="unwind")
    async with hall.executor(policy=policy) as executor:
        result = await executor.execute_decision(hall.entry())
        assert result.status == "rolled_back"
        await hall.set_book(venue)
        await until(lambda: len(executor.trade(result.trade_id).legs[VENUES.index(venue)].order_ids) > 1)
        await until(lambda: executor.trade(result.trade_id).state == "DONE")
        mended = executor.trade(result.trade_id)
        assert executor.positions() == ()
    await hall.check(mended)


async def test_the_first_cancel_goes_out_when_its_time_has_come(hall: Hall) -> None:
    """An order past its time is cancelled then, not at the next look, which may be ten intervals away."""
    await hall.set_book("binance", bid=0)
    policy = quick(order_type=OrderType.LIMIT, fill_timeout_s="0.4", poll_interval_s="0.3")
    async with hall.executor(policy=policy) as executor:
        await executor.execute_decision(hall.entry())
    (rested,) = await hall.orders("binance")
    assert 250 <= rested.updated_ms - rested.created_ms < 700  # the look after that is at 0.75 s


async def test_a_look_that_hangs_does_not_hold_the_cancel_back(hall: Hall) -> None:
    """A cancel can only make the worst case smaller: it waits for no other answer."""
    await hall.set_book("binance", bid=0)
    await hall.server.inject("binance", "fetch", "delay_after", ms=900)
    policy = quick(order_type=OrderType.LIMIT, fill_timeout_s="0.2")
    async with hall.executor(policy=policy) as executor:
        await executor.execute_decision(hall.entry())
    (rested,) = await hall.orders("binance")
    assert 180 <= rested.updated_ms - rested.created_ms < 400


# ------------------------------------------------------------------ reading


@pytest.mark.parametrize("venue", VENUES)
async def test_a_part_fills_and_the_rest_expires(hall: Hall, venue: str) -> None:
    """What filled decides, not the word for how it ended."""
    await hall.server.inject(venue, "create", "partial", share="0.3")
    await ends(hall, {"success", "partial_hedged"})


@pytest.mark.parametrize("venue", VENUES)
async def test_a_stale_read_takes_nothing_back(hall: Hall, venue: str) -> None:
    """A reading older than what is known shrinks nothing and brings nothing back to life."""
    await hall.server.inject(venue, "create", "lost_after")
    for operation in ("fetch", "list"):
        await hall.server.inject(venue, operation, "stale", ms=120, count=3)
    async with hall.executor() as executor:
        result = await executor.execute_decision(hall.entry())
        assert result.status == "success"
        for _ in range(20):
            await asyncio.sleep(0.01)
            assert executor.trade(result.trade_id) == result
    await hall.check(result)
    assert await hall.creates() == 2


@pytest.mark.parametrize("venue", VENUES)
async def test_an_order_that_is_not_found_right_after_it_was_made(hall: Hall, venue: str) -> None:
    """A venue that does not show yet what it took is asked on until the fence."""
    await hall.server.inject(venue, "create", "hidden", ms=120)
    await ends(hall, {"success"}, orders=2, absence_fence_s="0.5")


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("fault", ["lost_after", "lost_before"])
async def test_reads_that_fail_in_a_row_say_nothing(hall: Hall, venue: str, fault: str) -> None:
    """Four failed looks past the fence, and more, conclude nothing; the first that succeeds tells."""
    await hall.server.inject(venue, "create", fault)
    for operation in ("fetch", "list"):
        await hall.server.inject(venue, operation, "error_503", count=8)
    expected = {"success"} if fault == "lost_after" else {"success", "rolled_back"}
    await ends(hall, expected, orders=2, all_met=False, absence_fence_s="0.05")
    assert (await hall.server.log()).faults()["error_503"] >= 8


@pytest.mark.parametrize("venue", VENUES)
async def test_a_trade_that_is_shown_twice_counts_once(hall: Hall, venue: str) -> None:
    """By its id."""
    await hall.server.inject(venue, "create", "lost_after")
    for operation in ("fetch", "list"):
        await hall.server.inject(venue, operation, "duplicate_trade")
    async with hall.executor() as executor:
        result = await executor.execute_decision(hall.entry())
        assert result.status == "success"
        assert result.leg(venue).filled_qty == D("0.1")
    await hall.check(result)


# ------------------------------------------------------------------ fees and amounts


async def test_a_fee_in_base_is_hedged_by_what_was_received(hall: Hall) -> None:
    """What a venue keeps of a purchase is never counted as bought."""
    async with hall.executor() as executor:
        result = await executor.execute_decision(hall.entry("1", action=Action.ENTRY_POSITIVE))
    truth = await hall.check(result)
    (bought,) = truth["binance"].orders
    leg = result.leg("binance")
    assert (leg.filled_qty, leg.received_qty) == (bought.filled, bought.filled - bought.fees["BTC"])
    assert abs(leg.received_qty - 1) < D("0.00001")


class Rounding(CcxtVenue):
    """A venue that takes one lot less than it was asked for, and says so."""

    async def place(self, request: Any, fresh: Any) -> Any:
        return await super().place(evolve(request, amount=request.amount - D("0.00001")), fresh)


async def test_a_venue_that_rounds_the_quantity_is_believed(hall: Hall) -> None:
    """The order's own amount counts, not what was asked for."""
    exchange = hall.server.ccxt("binance")
    venues = {"upbit": hall.server.ccxt("upbit"), "binance": Rounding(exchange, name="binance", clock=SystemClock())}
    async with hall.executor(venues=venues) as executor:
        result = await executor.execute_decision(hall.entry())
    truth = await hall.check(result)
    assert truth["binance"].orders[0].filled == D("0.09999")
    assert result.leg("binance").filled_qty == D("0.09999")
    assert result.net_exposure == D("0.00001")
    assert result.status == "success"  # within dust, which is shown


class Impostor(CcxtVenue):
    """A venue that shows another order under our id."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.lies = 3

    async def place(self, request: Any, fresh: Any) -> Any:
        outcome = await super().place(request, fresh)
        if self.lies and isinstance(outcome, Acknowledged):
            return evolve(outcome, snapshot=evolve(outcome.snapshot, amount=D(5)))
        return outcome

    async def observe(self, ref: Any) -> Any:
        seen = await super().observe(ref)
        if self.lies:
            self.lies -= 1
            return evolve(seen, snapshot=evolve(seen.snapshot, amount=D(5)))
        return seen


async def test_an_order_that_cannot_be_ours_is_in_doubt(hall: Hall) -> None:
    """Another amount under our id is not counted, and nothing is sent on top of it, until the venue shows ours."""
    exchange = hall.server.ccxt("binance")
    venues = {"upbit": hall.server.ccxt("upbit"), "binance": Impostor(exchange, name="binance", clock=SystemClock())}
    async with hall.executor(venues=venues) as executor:
        result = await executor.execute_decision(hall.entry())
        assert result.status == "success"
    await hall.check(result)
    assert await hall.creates() == 2


# ------------------------------------------------------------------ remedies that are refused


@pytest.mark.parametrize("venue", VENUES)
async def test_a_price_band_refuses_the_hedge(hall: Hall, venue: str) -> None:
    """A venue that takes no limit through the touch refuses its leg; the other one is traded back."""
    await hall.server.set_market(venue, {"upbit": "BTC/KRW", "binance": "BTC/USDT"}[venue], band="0.0001")
    result = await ends(hall, {"rolled_back"})
    assert len(result.leg(venue).order_ids) == 0


@pytest.mark.parametrize("venue", VENUES)
async def test_a_halted_market_refuses_the_hedge(hall: Hall, venue: str) -> None:
    """Bounded attempts there, then back on the venue that lives."""
    await hall.server.set_market(venue, {"upbit": "BTC/KRW", "binance": "BTC/USDT"}[venue], halted=True)
    await ends(hall, {"rolled_back"})
    assert await hall.creates(venue) <= 4


@pytest.mark.parametrize("free", ["0", "0.04"])
async def test_no_funds_for_the_hedge(hall: Hall, free: str) -> None:
    """Money that somebody else spent meanwhile: the leg is refused, then shrunk to what is there or traded back."""
    async with hall.executor(policy=quick(remedy="complete")) as executor:
        await executor.execute_decision(hall.entry("0.01"))  # balances are read
        before = (await hall.truth()).net("BTC")
        await hall.server.set_balances("binance", BTC=free)
        result = await executor.execute_decision(hall.entry("0.1"))
        assert "insufficient" in result.leg("binance").error.lower()
        assert result.status == ("rolled_back" if free == "0" else "partial_hedged")
        assert executor.positions()[-1].quantity == (D("0.01") if free == "0" else D("0.04"))
    truth = await hall.check()
    assert abs(truth.net("BTC") - before) < result.dust


@pytest.mark.parametrize("times", [2, 50])
async def test_the_hedge_itself_is_refused(hall: Hall, times: int) -> None:
    """Bounded attempts, either way; then HALTED and an alert, never a silent wait or a busy loop."""
    sink = Sink()
    await hall.server.inject("binance", "create", "refused", count=times)
    await hall.set_book("upbit", bid=0)  # nobody to sell back to
    async with hall.executor(policy=quick(halted_retry_s="0.3"), alerts=sink) as executor:
        result = await executor.execute_decision(hall.entry())
        if times == 2:
            assert result.status == "success"
            return
        assert result.status == "halted"
        assert 2 <= await hall.creates("binance") <= 5
        await until(lambda: sink.alerts)
        before = await hall.creates("binance")
        await asyncio.sleep(0.35)
        assert await hall.creates("binance") - before <= 5  # a fresh budget, once
        await hall.server.clear_faults()
        await until(lambda: executor.trade(result.trade_id).state == "DONE")
        result = executor.trade(result.trade_id)
    await hall.check(result)


@pytest.mark.parametrize("placement", ["simultaneous", "sequential"])
async def test_a_venue_goes_down_after_leg_one(hall: Hall, placement: str) -> None:
    """Down for a while, then up: what it took is found, what it did not is mended, and no loop is busy meanwhile."""
    await hall.server.inject("binance", "create", "down", ms=500)
    async with hall.executor(policy=quick(placement=placement)) as executor:
        before = (await hall.server.log()).total
        result = await executor.execute_decision(hall.entry())
        assert result.state == "DONE"
        assert result.status in {"success", "rolled_back"}
        assert (await hall.server.log()).total - before < 120
    await hall.check(result)


async def test_a_venue_stays_down_and_the_other_one_flattens(hall: Hall) -> None:
    """An order known not to exist there waits for nothing: the leg that filled is traded back."""
    async with hall.executor(policy=quick()) as executor:
        await executor.execute_decision(hall.entry("0.01"))
        await hall.server.inject("binance", "create", "refused")
        await hall.server.inject("binance", "book", "lost_before", count=20)
        result = await executor.execute_decision(hall.entry("0.1"))
        assert result.status == "rolled_back"
        assert [each.quantity for each in executor.positions()] == [D("0.01")]
        await hall.server.clear_faults()
    await hall.check()


async def test_a_venue_stays_down_with_an_order_in_doubt(hall: Hall) -> None:
    """Doubt is never resolved by guessing: HALTED with what is known and the worst, mended once it answers."""
    sink = Sink()
    async with hall.executor(policy=quick(doubt_max_s="0.3", halted_retry_s="0.2"), alerts=sink) as executor:
        await executor.execute_decision(hall.entry("0.01"))
        await hall.server.inject("binance", "create", "lost_after")
        await hall.server.inject("binance", "fetch", "down", ms=900)
        result = await executor.execute_decision(hall.entry("0.1"))
        assert result.status == "halted"
        assert "doubt" in result.note
        # Each of the two may or may not be: what is known is that 0.1 was bought.
        assert result.net_exposure == D("0.1")
        assert await hall.creates() == 4
        await until(lambda: sink.alerts)
        assert D(sink.alerts[0][2]["worst"]) == D("0.1")
        await until(lambda: executor.trade(result.trade_id).state == "DONE")
        assert executor.trade(result.trade_id).status == "success"
    await hall.check()
    assert await hall.creates() == 4


# ------------------------------------------------------------------ clocks


@pytest.mark.parametrize(
    ("venue", "ms", "blocked"),
    [
        ("binance", 10_000, True),
        ("binance", -10_000, True),
        ("binance", 1_270, False),
        pytest.param("binance", -1_270, False, marks=()),
    ],
)
async def test_a_clock_that_differs(hall: Hall, venue: str, ms: int, blocked: bool) -> None:
    """Measured before an entry: seconds apart it is blocked, as far apart as clocks really are it trades."""
    await hall.server.set_clock(venue, ms)
    async with hall.executor() as executor:
        result = await executor.execute_decision(hall.entry())
    if not blocked:
        assert result.status == "success", result.note
        await hall.check(result)
        return
    assert result.status == "blocked"
    assert "clock" in result.note
    assert venue in result.note
    assert await hall.creates() == 0


# ------------------------------------------------------------------ our own side of the wire


class Failing(CcxtVenue):
    """An adapter that fails on our side, before the order was sent or after."""

    def __init__(self, hall: Hall, name: str, when: str) -> None:
        super().__init__(hall.server.ccxt(name), name=name, clock=SystemClock())
        self.when = when

    async def place(self, request: Any, fresh: Any) -> Any:
        when, self.when = self.when, ""
        if when == "before":
            raise ZeroDivisionError("our own")
        outcome = await super().place(request, fresh)
        if when == "after":
            raise ZeroDivisionError("our own")
        return outcome


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("failing", VENUES)
async def test_placing_raises_in_our_own_code(hall: Hall, failing: str, when: str) -> None:
    """Both intents exist; the order is looked for, and the other leg is matched all the same."""
    venues: dict[str, Any] = {name: hall.server.ccxt(name) for name in VENUES}
    venues[failing] = Failing(hall, failing, when)
    async with hall.executor(venues=venues) as executor:
        result = await executor.execute_decision(hall.entry())
        assert result.state == "DONE"
        assert result.status in ({"success"} if when == "after" else {"success", "rolled_back"})
    await hall.check(result)


async def test_the_task_that_places_is_cancelled(hall: Hall) -> None:
    """An order whose placing was given up when the executor was torn down is found at the next start."""
    await hall.server.inject("binance", "create", "delay_before", ms=150)
    executor = hall.executor()
    await executor.__aenter__()
    decision = hall.entry()
    trade = asyncio.ensure_future(executor.execute_decision(decision))
    await until(lambda: executor._runners)
    await asyncio.sleep(0.05)
    await executor._shut()  # as leaving does when it is cancelled itself
    assert (await asyncio.gather(trade, return_exceptions=True))[0].__class__.__name__ == "ExecutorClosed"
    async with hall.executor() as executor:
        await executor.settled()
        result = executor.trade(decision.decision_id)
        assert result.status == "success"
    await hall.check(result)
    assert await hall.creates() == 2


# ------------------------------------------------------------------ ordering, on a venue that shows it


def paper(hall: Hall, **parts: Any) -> tuple[dict[str, PaperVenue], CrossExchangeExecutor]:
    venues = {name: PaperVenue(name) for name in VENUES}
    return venues, hall.executor(venues=venues, **parts)


async def test_the_two_legs_go_to_the_wire_together(hall: Hall) -> None:
    """Neither waits for the other's answer."""
    venues, executor = paper(hall)

    async def hold(what: str, detail: Any) -> None:
        if what == "place":  # each comes back only when both have arrived
            await asyncio.gather(*(venue.reached.wait() for venue in venues.values()))

    for venue in venues.values():
        venue.wait = hold  # type: ignore[method-assign]
    async with executor:
        result = await asyncio.wait_for(executor.execute_decision(hall.entry()), 1)
        assert result.status == "success"


async def test_the_legs_of_a_sequential_trade_go_one_after_the_other(hall: Hall) -> None:
    """The second for what the first received, and only once it has ended."""
    venues, executor = paper(hall, policy=quick(placement="sequential"))
    venues["upbit"].outcomes = [D("0.03")]
    async with executor:
        result = await executor.execute_decision(hall.entry("0.1"))
    assert result.status == "partial_hedged"
    (request,) = [detail for what, detail in venues["binance"].doing if what == "place"]
    assert request.amount == D("0.03")
    assert len(venues["upbit"].orders) == 1


async def test_a_warm_executor_asks_nothing_before_it_sends(hall: Hall) -> None:
    """Rules, health and balances at hand: one commit, then both orders."""
    venues = {name: PaperVenue(name) for name in VENUES}
    journal = Watched(hall.path)
    async with hall.executor(venues=venues, journal=journal) as executor:
        await executor.execute_decision(hall.entry())
        commits: list[int] = []

        async def note(what: str, detail: Any) -> None:
            if what == "place":
                commits.append(journal.commits)

        for venue in venues.values():
            venue.doing.clear()
            venue.wait = note  # type: ignore[method-assign]
        before = journal.commits
        assert (await executor.execute_decision(hall.entry())).status == "success"
        asked = [[what for what, _ in venue.doing if what != "rules"] for venue in venues.values()]  # it keeps those
        assert asked == [["place"], ["place"]]
        assert commits == [before + 1, before + 1]


async def test_a_remedy_goes_out_while_entries_flood_its_venue(hall: Hall) -> None:
    """Forty entries that hang on a venue hold back neither a remedy there nor the looks it needs."""
    venues = {name: PaperVenue(name) for name in VENUES}
    refuse, release = asyncio.Event(), asyncio.Event()
    hanging: list[str] = []

    async def hang(what: str, detail: Any) -> None:
        if what == "place" and detail.amount == D("0.05") and not refuse.is_set():
            await refuse.wait()
        elif what == "place" and detail.amount == D("0.01"):
            hanging.append(detail.client_order_id)
            await release.wait()

    async with hall.executor(venues=venues, policy=quick(request_timeout_s=20, send_max_age_s=20)) as executor:
        await executor.execute_decision(hall.entry("0.02"))
        venues["binance"].wait = hang  # type: ignore[method-assign]
        venues["binance"].outcomes = [Refused(code="invalid_order", message="no")]
        trade = asyncio.ensure_future(executor.execute_decision(hall.entry("0.05")))
        await until(executor.exposure)
        flood = [asyncio.ensure_future(executor.execute_decision(hall.entry("0.01"))) for _ in range(40)]
        await until(lambda: len(hanging) >= 15)
        await asyncio.sleep(0.1)
        assert len(hanging) < 40
        refuse.set()
        result = await asyncio.wait_for(trade, 2)
        assert result.status in {"success", "rolled_back"}
        assert not any(each.done() for each in flood)
        release.set()
        assert {(await each).status for each in flood} == {"success"}


async def test_the_second_leg_of_a_sequential_trade_is_a_hedge(hall: Hall) -> None:
    """Once leg one has filled, leg two goes ahead of every entry that waits for its venue."""
    venues = {name: PaperVenue(name) for name in VENUES}
    release = asyncio.Event()
    hanging: list[str] = []

    async def hang(what: str, detail: Any) -> None:
        if what == "place" and detail.amount == D("0.01"):
            hanging.append(detail.client_order_id)
            await release.wait()

    policy = quick(placement="sequential", request_timeout_s=20, send_max_age_s=20)
    async with hall.executor(venues=venues, policy=policy) as executor:
        await executor.execute_decision(hall.entry("0.02"))
        venues["binance"].wait = hang  # type: ignore[method-assign]
        flood = [
            asyncio.ensure_future(executor.execute_decision(hall.entry("0.01", legs=("binance", "upbit"))))
            for _ in range(40)
        ]
        await until(lambda: len(hanging) >= 16)
        await asyncio.sleep(0.1)
        result = await asyncio.wait_for(executor.execute_decision(hall.entry("0.05")), 2)
        assert result.status == "success"
        assert not any(each.done() for each in flood)
        release.set()
        assert {(await each).status for each in flood} == {"success"}


async def test_an_intent_that_grew_old_in_the_queue_is_never_sent(hall: Hall) -> None:
    """Whoever waits too long for a turn at its venue is refused as too old, and nothing of it is in doubt."""
    venues = {name: PaperVenue(name) for name in VENUES}
    release = asyncio.Event()

    async def hang(what: str, detail: Any) -> None:
        if what == "place":
            await release.wait()

    policy = quick(request_timeout_s=20, send_max_age_s="0.1")
    async with hall.executor(venues=venues, policy=policy) as executor:
        await executor.execute_decision(hall.entry("0.02"))
        gates = [desk._gate for desk in executor._services.desks.values()]
        for gate in gates:
            gate._inside += 16
        late = asyncio.ensure_future(executor.execute_decision(hall.entry("0.05")))
        await asyncio.sleep(0.25)
        for gate in gates:
            gate._inside -= 16
            gate._admit()
        result = await late
        assert result.status == "failed"
        assert "too_old" in result.note
    assert all(venue.count("place") == 1 for venue in venues.values())


async def test_an_order_in_doubt_is_looked_for_with_growing_pauses(hall: Hall) -> None:
    """Soon at first, never busily: a second of doubt costs a few dozen looks at most."""
    venues, executor = paper(hall, policy=quick(absence_fence_s=1, doubt_max_s=5))
    venues["binance"].outcomes = [IN_DOUBT]
    async with executor:
        result = await executor.execute_decision(hall.entry())
        assert result.state == "DONE"
    assert 4 <= venues["binance"].count("observe") <= 25


async def test_what_a_venue_calls_unknown_is_treated_as_open(hall: Hall) -> None:
    """A status nobody knows never ends an order; it is cancelled at its time and looked at on."""
    venues, executor = paper(hall, policy=quick(order_type=OrderType.LIMIT, fill_timeout_s="0.1"))
    strange = OrderSnapshot(
        status=OrderStatus.UNKNOWN, filled=D(0), venue_order_id="X1", amount=D("0.1"), fees=(), average=None
    )
    venues["binance"].outcomes = [Acknowledged(snapshot=strange)]

    async def show(what: str, detail: Any) -> None:
        if what == "place":
            venues["binance"].orders.setdefault(detail.client_order_id, strange)
        if what == "cancel":
            venues["binance"].orders[detail.client_order_id] = evolve(strange, status=OrderStatus.ENDED)

    venues["binance"].wait = show  # type: ignore[method-assign]
    async with executor:
        result = await executor.execute_decision(hall.entry())
        assert result.status in {"success", "rolled_back"}
    assert venues["binance"].count("cancel") >= 1


# ------------------------------------------------------------------ orders that have ended, in every state

HOUR_NS = 3600 * 10**9
NOBODY = VenueUnanswered("nobody")


async def halted_with_an_absent_order(hall: Hall, executor: Any, venues: dict[str, PaperVenue]) -> Any:
    """Halt a trade whose order on binance was believed absent."""
    venues["binance"].outcomes = [IN_DOUBT]
    for venue in venues.values():
        breaks(venue, "book", error=NOBODY)
    result = await executor.execute_decision(hall.entry())
    assert result.status == "halted"
    assert "absent" in result.leg("binance").error
    return result


async def test_an_order_believed_absent_is_asked_for_while_the_trade_is_halted(hall: Hall) -> None:
    """What turns up then counts at once; nothing is hedged twice."""
    policy = quick(attempts_max=1, halted_retry_s=3600, absence_fence_s="0.05")
    venues, executor = paper(hall, policy=policy)
    async with executor:
        halted = await halted_with_an_absent_order(hall, executor, venues)
        (request,) = placed(venues["binance"])
        shows(venues["binance"], request, request.amount)
        await until(lambda: executor.trade(halted.trade_id).state == "DONE")
        assert executor.trade(halted.trade_id).status == "success"
        assert [venue.count("place") for venue in venues.values()] == [1, 1]


@pytest.mark.parametrize("asked", ["by its time", "by an operator"])
async def test_a_halted_trade_asks_once_more_before_it_hedges(hall: Hall, asked: str) -> None:
    """However long the pause between looks has grown: a late order is found before a remedy doubles it."""
    policy = quick(attempts_max=1, halted_retry_s="0.4", absence_fence_s="0.05")
    venues, executor = paper(hall, policy=policy)
    async with executor:
        halted = await halted_with_an_absent_order(hall, executor, venues)
        (runner,) = executor._runners.values()
        for look in runner._tending._looks.values():
            look.next_at += HOUR_NS
        (request,) = placed(venues["binance"])
        shows(venues["binance"], request, request.amount)
        for venue in venues.values():
            mends(venue)
        if asked == "by an operator":
            await executor.resume(halted.trade_id)
        await until(lambda: executor.trade(halted.trade_id).state == "DONE")
        assert executor.trade(halted.trade_id).status == "success"
        assert [venue.count("place") for venue in venues.values()] == [1, 1]


async def test_a_venue_that_answers_no_look_does_not_hold_the_other_back(hall: Hall) -> None:
    """A halted trade asks once more, and trades back on the venue that lives."""
    policy = quick(attempts_max=1, halted_retry_s="0.2", absence_fence_s="0.05", request_timeout_s="0.1")
    venues, executor = paper(hall, policy=policy)
    async with executor:
        halted = await halted_with_an_absent_order(hall, executor, venues)
        mends(venues["upbit"])
        breaks(venues["binance"], "observe", "book")
        await until(lambda: executor.trade(halted.trade_id).state == "DONE")
        assert executor.trade(halted.trade_id).status == "rolled_back"


async def test_a_halted_trade_that_waits_is_idle(hall: Hall) -> None:
    """Looks that are not due wake nobody."""
    policy = quick(attempts_max=1, halted_retry_s=3600, order_type=OrderType.LIMIT, fill_timeout_s="0.1")
    venues, executor = paper(hall, policy=policy)
    rests = OrderSnapshot(status=OrderStatus.OPEN, filled=D("0.05"), venue_order_id="R1", average=D(1), fees=())
    venues["upbit"].outcomes = [Acknowledged(snapshot=rests)]
    venues["binance"].outcomes = [Refused(code="insufficient_funds", message="no")]

    async def cancelled(what: str, detail: Any) -> None:
        if what == "cancel":
            shows(venues["upbit"], placed(venues["upbit"])[0], "0.05")
        elif what == "place":
            venues["upbit"].orders[detail.client_order_id] = rests
        elif what == "book":
            raise NOBODY

    venues["upbit"].wait = cancelled  # type: ignore[method-assign]
    breaks(venues["binance"], "book", error=NOBODY)
    async with executor:
        assert (await executor.execute_decision(hall.entry())).status == "halted"
        (runner,) = executor._runners.values()
        rounds, one = [0], runner._round

        async def counted() -> None:
            rounds[0] += 1
            await one()

        runner._round = counted  # type: ignore[method-assign]
        await asyncio.sleep(0.5)
        assert rounds[0] < 40


# ------------------------------------------------------------------ calls that end as no call should


@pytest.mark.parametrize("kind", ["place", "observe", "cancel"])
async def test_a_call_that_is_cancelled_from_within_is_a_call_without_an_answer(hall: Hall, kind: str) -> None:
    """A library that cancels its own tasks stops neither looks nor cancels, and no order is forgotten."""
    policy = quick(order_type=OrderType.LIMIT, fill_timeout_s="0.1", absence_fence_s="0.05")
    venues, executor = paper(hall, policy=policy)
    upbit = venues["upbit"]
    rests = OrderSnapshot(status=OrderStatus.OPEN, filled=D(0), venue_order_id="R1", fees=())
    upbit.outcomes = [Acknowledged(snapshot=rests)]
    left = [asyncio.CancelledError()]

    async def wait(what: str, detail: Any) -> None:
        if what == kind and left:
            raise left.pop()
        if what == "place" and not upbit.orders:
            upbit.orders[detail.client_order_id] = rests
        elif what == "cancel":
            shows(upbit, placed(upbit)[0], 0)

    upbit.wait = wait  # type: ignore[method-assign]
    async with executor:
        result = await asyncio.wait_for(executor.execute_decision(hall.entry()), 5)
        assert left == []
        assert result.state == "DONE"
        assert abs(result.net_exposure) < result.dust


@pytest.mark.parametrize("executed", [True, False])
async def test_a_placing_call_that_swallows_its_cancellation_is_in_doubt_in_time(hall: Hall, executed: bool) -> None:
    """The time limit ends the wait, not the call; what became of the order is asked of the venue."""
    venues, executor = paper(hall, policy=quick(request_timeout_s="0.1", absence_fence_s="0.05"))
    over = asyncio.Event()

    async def stubborn(what: str, detail: Any) -> None:
        if what == "place" and len(placed(venues["upbit"])) == 1:
            if executed:
                shows(venues["upbit"], detail, detail.amount)
            while not over.is_set():
                try:
                    await over.wait()
                except asyncio.CancelledError:
                    continue
            raise ZeroDivisionError("too late")

    venues["upbit"].wait = stubborn  # type: ignore[method-assign]
    async with executor:
        result = await asyncio.wait_for(executor.execute_decision(hall.entry()), 5)
        assert result.state == "DONE"
        assert result.status in ({"success"} if executed else {"success", "rolled_back"})
        over.set()


async def test_an_order_found_late_is_looked_at_at_once(hall: Hall) -> None:
    """The pause of a watch that has lasted long does not keep a trade naked while its fee is asked for."""
    venues, executor = paper(hall, policy=quick(absence_fence_s="0.05", remedy="unwind"))
    binance = venues["binance"]
    known = await binance.rules(binance.symbol)

    async def rules(symbol: str) -> Any:
        return evolve(known, fee_in=FeeIn.UNKNOWN)

    binance.rules = rules  # type: ignore[method-assign]
    binance.outcomes = [IN_DOUBT]
    venues["upbit"].outcomes = [Refused(code="invalid_order", message="no")]
    async with executor:
        result = await executor.execute_decision(hall.entry())
        assert result.status == "failed"
        (runner,) = executor._runners.values()
        runner._tending._looks[1].pause = HOUR_NS  # as after a long watch
        (request,) = placed(binance)
        late = shows(binance, request, request.amount)
        binance.orders[request.client_order_id] = evolve(late, fees=None)  # it takes several looks to believe in none
        await until(lambda: executor.trade(result.trade_id).net_exposure, 3)
        await until(lambda: executor.trade(result.trade_id).state == "DONE", 3)
        assert abs(executor.trade(result.trade_id).net_exposure) < result.dust


# ------------------------------------------------------------------ looking soon at what may be absent

POLL_NS, FENCE_NS = 500_000_000, 10_000_000_000


def hurried(walk: Walk, *, now: int, covered: bool = True, next_at: int = HOUR_NS) -> int:
    """Return when the first order of a trade is looked at after a look that did not show it, in place of *next_at*."""
    look = Look.now(next_at, POLL_NS)
    tending = Tending(None, walk.trade, lambda _: None)  # type: ignore[arg-type]
    tending._hurry(look, Missed(now=now, order=0, asked_at=now, covered=covered))
    return look.next_at


def doubtful() -> Walk:
    """A trade whose first order may or may not exist."""
    numbers: dict[str, Any] = {"poll_interval_s": "0.5", "absence_fence_s": 10}
    return Walk(**numbers).later(1).doubt(0)


def test_what_may_be_absent_is_looked_at_as_the_fence_ends_and_then_at_every_interval() -> None:
    """However long the pause has grown by then: absence is proven as soon as it can be."""
    fence_ends = 1_000_000_000 + FENCE_NS
    assert hurried(doubtful(), now=2_000_000_000) == fence_ends
    assert hurried(doubtful(), now=fence_ends) == fence_ends + POLL_NS
    assert hurried(doubtful(), now=fence_ends + 1, next_at=fence_ends + 7) == fence_ends + 7  # never later than due


def test_what_a_miss_proves_nothing_of_is_looked_at_in_its_own_time() -> None:
    """A list that does not reach so far, an order that has been seen, and one whose likeness is not ours."""
    assert hurried(doubtful(), now=2_000_000_000, covered=False) == HOUR_NS
    assert hurried(doubtful().see(0), now=2_000_000_000) == HOUR_NS
    strange = doubtful().see(0, amount=D(77))
    assert strange.ledger.orders[0].mismatch
    assert strange.ledger.orders[0].in_doubt
    assert hurried(strange, now=2_000_000_000) == HOUR_NS
