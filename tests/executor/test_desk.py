"""One venue as the executor deals with it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from hall import IN_DOUBT, PaperVenue

from fsm_arb.errors import UnknownSymbol, VenueUnanswered
from fsm_arb.executor.desk import SHUT_NS, Desk
from fsm_arb.executor.gate import Lane
from fsm_arb.ports import Acknowledged, Found, InDoubt, OrderRef, OrderRequest, Refused, Unanswered
from fsm_arb.values import HealthStatus, OrderType, Side

D = Decimal
AGE_NS = 30_000_000_000
REF = OrderRef(symbol="BTC/USDT", side=Side.BUY, amount=D("0.1"), client_order_id="c1")
REQUEST = OrderRequest(
    symbol="BTC/USDT",
    side=Side.BUY,
    amount=D("0.1"),
    order_type=OrderType.IOC,
    bound=D(67_000),
    client_order_id="c1",
)


class Time:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000_000_000

    def monotonic_ns(self) -> int:
        return self.now

    def time_ns(self) -> int:
        return self.now


@pytest.fixture
def venue() -> PaperVenue:
    return PaperVenue("binance")


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def desk(venue: PaperVenue, time: Time) -> Desk:
    return Desk("binance", venue, time, 0.1)


def hold(venue: PaperVenue, *kinds: str, error: BaseException | None = None) -> asyncio.Event:
    """Hold back calls of these kinds until the event is set, or let them fail."""
    release = asyncio.Event()

    async def wait(what: str, detail: Any) -> None:
        if what in kinds:
            if error is not None:
                raise error
            await release.wait()

    venue.wait = wait  # type: ignore[method-assign]
    return release


def always() -> bool:
    return True


# ------------------------------------------------------------------ orders


async def test_placing_has_three_outcomes(desk: Desk, venue: PaperVenue) -> None:
    """What the venue says is handed on as it is."""
    venue.outcomes = [D("0.1"), Refused(code="no", message="no"), IN_DOUBT]
    outcomes = [await desk.place(REQUEST, always, Lane.ENTER) for _ in range(3)]
    assert [type(outcome) for outcome in outcomes] == [Acknowledged, Refused, InDoubt]


async def test_placing_that_takes_too_long_is_in_doubt(desk: Desk, venue: PaperVenue) -> None:
    """And says for how long it was waited."""
    hold(venue, "place")
    outcome = await desk.place(REQUEST, always, Lane.ENTER)
    assert isinstance(outcome, InDoubt)
    assert outcome.code == "timeout"
    assert "0.1 s" in outcome.message


async def test_placing_that_fails_on_our_side_is_in_doubt(
    desk: Desk, venue: PaperVenue, caplog: pytest.LogCaptureFixture
) -> None:
    """Never refused: nobody knows how far it came. What it says may hold a secret, so the record keeps its type."""
    venue.outcomes = [ZeroDivisionError("a word of the library's")]
    outcome = await desk.place(REQUEST, always, Lane.ENTER)
    assert outcome == InDoubt(code="internal", message="ZeroDivisionError")
    assert "c1" in caplog.text


async def test_what_is_not_fresh_is_not_placed(desk: Desk, venue: PaperVenue) -> None:
    """It never leaves the desk, so it is a refusal."""
    outcome = await desk.place(REQUEST, lambda: False, Lane.ENTER)
    assert isinstance(outcome, Refused)
    assert outcome.code == "too_old"
    assert venue.doing == []


async def test_freshness_is_asked_when_its_turn_has_come(desk: Desk, venue: PaperVenue) -> None:
    """Not before the queue: the answer would be old."""
    asked: list[int] = []
    desk._gate._inside = 100
    placing = asyncio.ensure_future(desk.place(REQUEST, lambda: bool(asked.append(venue.count("place"))), Lane.ENTER))
    await asyncio.sleep(0.01)
    assert asked == []
    desk._gate._inside = 0
    desk._gate._admit()
    assert isinstance(await placing, Refused)
    assert asked == [0]


@pytest.mark.parametrize("error", [None, ZeroDivisionError("a slip"), VenueUnanswered("nobody")])
async def test_a_cancel_without_an_answer_is_none(desk: Desk, venue: PaperVenue, error: Exception | None) -> None:
    """It proves nothing, and it never raises."""
    hold(venue, "cancel", error=error)
    assert await desk.cancel(REF) is None


@pytest.mark.parametrize("error", [None, ZeroDivisionError("a slip")])
async def test_a_look_without_an_answer_says_nothing(desk: Desk, venue: PaperVenue, error: Exception | None) -> None:
    """Unanswered, with a code; never absent."""
    hold(venue, "observe", error=error)
    seen = await desk.observe(REF, Lane.OBSERVE)
    assert isinstance(seen, Unanswered)
    assert seen.code == ("timeout" if error is None else "internal")


async def test_a_look_hands_on_what_it_saw(desk: Desk, venue: PaperVenue) -> None:
    """As the venue shows it."""
    await desk.place(REQUEST, always, Lane.ENTER)
    seen = await desk.observe(REF, Lane.OBSERVE)
    assert isinstance(seen, Found)
    assert seen.snapshot is venue.orders["c1"]


async def test_a_survey_needs_the_book_and_welcomes_the_balances(desk: Desk, venue: PaperVenue) -> None:
    """Without a book there is no remedy; without balances the venue itself will say."""
    seen = await desk.look("BTC/USDT")
    assert seen is not None
    assert seen[1] is not None
    hold(venue, "balances", error=VenueUnanswered("nobody"))
    seen = await desk.look("BTC/USDT")
    assert seen is not None
    assert seen[1] is None
    hold(venue, "book")
    assert await desk.look("BTC/USDT") is None


# ------------------------------------------------------------------ readings


async def test_rules_are_what_the_venue_says_now(desk: Desk, venue: PaperVenue) -> None:
    """The venue keeps its own; an old reading serves only while it gives no answer."""
    first = await desk.rules("BTC/USDT")
    assert await desk.rules("BTC/USDT") is not first
    assert venue.count("rules") == 2
    last = await desk.rules("BTC/USDT")
    hold(venue, "rules", error=VenueUnanswered("nobody"))
    assert await desk.rules("BTC/USDT") is last
    hold(venue, "rules")
    assert await desk.rules("BTC/USDT") is last
    hold(venue, "rules", error=asyncio.CancelledError())
    assert await desk.rules("BTC/USDT") is last
    hold(venue, "rules", error=UnknownSymbol("symbol", "BTC/USDT", "delisted"))
    with pytest.raises(UnknownSymbol, match="delisted"):
        await desk.rules("BTC/USDT")


@pytest.mark.parametrize("error", [VenueUnanswered("nobody"), UnknownSymbol("symbol", "DOGE/USDT", "not listed")])
async def test_rules_that_were_never_read_raise(desk: Desk, venue: PaperVenue, error: Exception) -> None:
    """Unanswered and unknown are two things."""
    hold(venue, "rules", error=error)
    with pytest.raises(type(error)):
        await desk.rules("BTC/USDT")


async def test_only_good_news_of_health_is_kept(desk: Desk, venue: PaperVenue, time: Time) -> None:
    """A venue that was down is asked again at once; one that is up, when the reading has aged."""
    venue.status = HealthStatus.DOWN
    for expected in (1, 2):
        assert (await desk.health(AGE_NS)).status is HealthStatus.DOWN
        assert venue.count("health") == expected
    venue.status = HealthStatus.UP
    for _ in range(3):
        assert (await desk.health(AGE_NS)).status is HealthStatus.UP
    assert venue.count("health") == 3
    time.now += AGE_NS + 1
    await desk.health(AGE_NS)
    assert venue.count("health") == 4


async def test_a_venue_that_does_not_answer_is_down(desk: Desk, venue: PaperVenue) -> None:
    """With the words for it, and whether its secrets are there."""
    hold(venue, "health")
    venue.has_secrets = False
    reading = await desk.health(AGE_NS)
    assert (reading.status, reading.has_secrets) == (HealthStatus.DOWN, False)
    assert "0.1 s" in reading.note


async def test_balances_carry_when_they_were_asked_for(desk: Desk, venue: PaperVenue, time: Time) -> None:
    """Before the answer, not after: what was reserved meanwhile is not in them."""
    release = hold(venue, "balances")
    asking = asyncio.ensure_future(desk.balances(AGE_NS))
    await asyncio.sleep(0.01)
    asked_at, time.now = time.now, time.now + 5_000_000_000
    release.set()
    assert (await asking)[1] == asked_at
    await desk.balances(AGE_NS)
    assert venue.count("balances") == 1
    assert (await desk.balances(0))[1] == time.now
    assert venue.count("balances") == 2


async def test_a_reading_that_was_under_way_is_no_fresh_one(desk: Desk, venue: PaperVenue, time: Time) -> None:
    """Whoever joins a question that left earlier is told when that one left."""
    release = hold(venue, "balances")
    first = asyncio.ensure_future(desk.balances(AGE_NS))
    await asyncio.sleep(0.01)
    left_at, time.now = time.now, time.now + 5_000_000_000
    second = asyncio.ensure_future(desk.balances(0))
    await asyncio.sleep(0.01)
    release.set()
    assert (await first)[1] == left_at
    assert venue.count("balances") == 2 or (await second)[1] == left_at


async def test_callers_share_one_reading(desk: Desk, venue: PaperVenue) -> None:
    """Fifty at once ask once, and one that goes away takes nothing from the others."""
    release = hold(venue, "health")
    asking = [asyncio.ensure_future(desk.health(AGE_NS)) for _ in range(50)]
    await asyncio.sleep(0.01)
    asking[0].cancel()
    release.set()
    readings = await asyncio.gather(*asking[1:])
    assert {reading.status for reading in readings} == {HealthStatus.UP}
    assert venue.count("health") == 1


async def test_warm_means_all_of_it(desk: Desk, venue: PaperVenue, time: Time) -> None:
    """Rules, health and balances, each at hand and young enough."""
    assert not desk.warm("BTC/USDT", AGE_NS)
    await desk.rules("BTC/USDT")
    await desk.health(AGE_NS)
    assert not desk.warm("BTC/USDT", AGE_NS)
    await desk.balances(AGE_NS)
    assert desk.warm("BTC/USDT", AGE_NS)
    assert not desk.warm("ETH/USDT", AGE_NS)
    time.now += AGE_NS + 1
    assert not desk.warm("BTC/USDT", AGE_NS)


async def test_closing_gives_up_what_is_being_asked(desk: Desk, venue: PaperVenue) -> None:
    """No task of a desk outlives it."""
    hold(venue, "health")
    asking = asyncio.ensure_future(desk.health(AGE_NS))
    await asyncio.sleep(0.01)
    (task,) = desk._asking.values()
    await desk.close()
    assert task.cancelled()
    assert venue.count("close") == 1
    with pytest.raises(asyncio.CancelledError):
        await asking


# ------------------------------------------------------------------ what does not end, and what is not let in


@pytest.mark.parametrize("stubborn", ["place", "cancel", "observe", "book"])
async def test_no_call_outlives_its_time(desk: Desk, venue: PaperVenue, stubborn: str) -> None:
    """Not even one that swallows its cancellation."""
    over = asyncio.Event()

    async def wait(what: str, detail: Any) -> None:
        while what == stubborn and not over.is_set():
            try:
                await over.wait()
            except asyncio.CancelledError:
                continue

    venue.wait = wait  # type: ignore[method-assign]
    asked = {
        "place": lambda: desk.place(REQUEST, always, Lane.ENTER),
        "cancel": lambda: desk.cancel(REF),
        "observe": lambda: desk.observe(REF, Lane.OBSERVE),
        "book": lambda: desk.look("BTC/USDT"),
    }
    answer: Any = await asyncio.wait_for(asked[stubborn](), 1)
    assert answer is None or answer.code == "timeout"
    assert len(desk._calls) == 1
    over.set()
    await desk.close()
    assert desk._calls == set()


async def test_a_cancellation_from_within_is_no_answer(desk: Desk, venue: PaperVenue) -> None:
    """In doubt, unanswered, none: by what was asked."""
    hold(venue, "place", "cancel", "observe", "book", "health", "balances", error=asyncio.CancelledError())
    placing = await desk.place(REQUEST, always, Lane.ENTER)
    assert isinstance(placing, InDoubt)
    assert await desk.cancel(REF) is None
    assert isinstance(await desk.observe(REF, Lane.OBSERVE), Unanswered)
    assert await desk.look("BTC/USDT") is None
    assert (await desk.health(AGE_NS)).status is HealthStatus.DOWN
    with pytest.raises(VenueUnanswered):
        await desk.balances(AGE_NS)


@pytest.mark.parametrize(
    ("outcome", "called"),
    [
        (Refused(code="authentication_failed", message="no"), True),
        (Refused(code="permission_denied", message="no"), True),
        (InDoubt(code="on_maintenance", message="no"), True),
        (InDoubt(code="exchange_not_available", message="no"), False),
    ],
)
async def test_a_venue_that_takes_no_orders_is_read_afresh(
    venue: PaperVenue, time: Time, outcome: Any, called: bool
) -> None:
    """Whatever its last reading said; a good one lets entries in again."""
    alerts: list[str] = []
    desk = Desk("binance", venue, time, 0.1, lambda subject, _: alerts.append(subject))
    await desk.health(AGE_NS)
    await desk.balances(AGE_NS)
    await desk.rules("BTC/USDT")
    assert desk.warm("BTC/USDT", AGE_NS)
    venue.outcomes = [outcome, outcome]
    await desk.place(REQUEST, always, Lane.ENTER)
    assert not desk.warm("BTC/USDT", AGE_NS)
    assert outcome.code in desk.unfit
    assert alerts == (["binance takes no orders"] if called else [])
    venue.status = HealthStatus.DOWN
    await desk.health(AGE_NS)
    assert desk.unfit
    await desk.place(REQUEST, always, Lane.ENTER)
    assert len(alerts) == called  # once, for as long as it lasts
    venue.status = HealthStatus.UP
    time.now += SHUT_NS[0]
    await desk.health(AGE_NS)
    assert desk.unfit == ""


async def test_an_account_that_is_shut_out_again_waits_longer_each_time(
    desk: Desk, venue: PaperVenue, time: Time
) -> None:
    """Its health may read well all the while: a key that was revoked shows in no status."""
    refused = Refused(code="authentication_failed", message="the key is revoked")
    waits = []
    for _ in range(4):
        venue.outcomes = [refused]
        await desk.place(REQUEST, always, Lane.ENTER)
        began = time.now
        while True:
            await desk.health(0)
            if not desk.unfit:
                break
            time.now += SHUT_NS[0]
        waits.append((time.now - began) // SHUT_NS[0])
    assert waits == [0, 1, 2, 4]
    await desk.place(REQUEST, always, Lane.ENTER)  # it is let in
    venue.outcomes = [refused]
    await desk.place(REQUEST, always, Lane.ENTER)
    await desk.health(0)
    assert desk.unfit == ""


async def test_any_other_refusal_says_nothing_about_the_venue(desk: Desk, venue: PaperVenue) -> None:
    """No funds, a price out of band: the venue is well."""
    await desk.health(AGE_NS)
    venue.outcomes = [Refused(code="insufficient_funds", message="no"), IN_DOUBT]
    for _ in range(2):
        await desk.place(REQUEST, always, Lane.ENTER)
    assert desk.unfit == ""
    await desk.health(AGE_NS)
    assert venue.count("health") == 1
