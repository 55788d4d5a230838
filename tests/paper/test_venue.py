"""A venue on paper."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from papers import QUOTED, SPOT, SWAP, book, fresh, ref, request, venue

from fsm_arb.errors import InvalidInput, UnknownSymbol, VenueUnanswered
from fsm_arb.paper.venue import PaperVenue
from fsm_arb.ports import Acknowledged, Found, NotFound, OrderSnapshot, OrderStatus, Refused, Venue
from fsm_arb.values import Fee, Health, HealthStatus, OrderType, Side
from fsm_arb.virtual import VirtualClock, run

D = Decimal
MS = 1_000_000
LIMIT = OrderType.LIMIT


def place(paper: PaperVenue, *args: Any, **changes: Any) -> Any:
    return run(paper.place(request(*args, **changes), fresh), paper._clock)  # type: ignore[arg-type]


def taken(outcome: Any) -> OrderSnapshot:
    assert isinstance(outcome, Acknowledged), outcome
    return outcome.snapshot


def free(paper: PaperVenue) -> dict[str, Decimal]:
    return dict(run(paper.balances(), paper._clock).free)  # type: ignore[arg-type]


def test_it_is_a_venue_of_the_port() -> None:
    """Nothing above can tell it from a real one."""
    paper: Venue = venue()
    assert isinstance(paper, Venue)
    assert paper.has_secrets
    assert repr(paper) == "PaperVenue('paper', BTC/USDT)"
    assert run(paper.rules("BTC/USDT"), VirtualClock()) == SPOT
    run(paper.close(), VirtualClock())


# ------------------------------------------------------------------ depth, bounds, what rests


def test_an_order_takes_the_book_level_by_level_and_no_further_than_its_bound() -> None:
    """What it took is gone for the next, until the book is another one."""
    paper = venue()
    first = taken(place(paper, Side.BUY, "2.5", 102))
    assert [(fill.price, fill.amount) for fill in first.fills] == [(D(101), D(1)), (D(102), D("1.5"))]
    assert (first.status, first.average) == (OrderStatus.ENDED, D("101.6"))
    assert run(paper.book("BTC/USDT"), paper._clock) == book(asks=((102, "0.5"),))  # type: ignore[arg-type]
    assert paper.latest("BTC/USDT") == book()
    assert taken(place(paper, Side.BUY, 2, 102, client_order_id="c2")).filled == D("0.5")
    paper.feed("BTC/USDT", book())  # the same book: nobody has put anything there since
    assert taken(place(paper, Side.BUY, 1, 102, client_order_id="c3")).filled == 0
    paper.feed("BTC/USDT", book(asks=((101, 1), (103, 2))))
    assert taken(place(paper, Side.BUY, 2, 102, client_order_id="c4")).filled == 1


def test_a_reply_may_say_no_more_than_that_the_order_is_there() -> None:
    """Then the next look tells what it did, as with venues that answer before they match."""
    paper = venue()
    paper.tells_fills = False
    asked = request(Side.BUY, 1, 101)
    reply = taken(run(paper.place(asked, fresh), paper._clock))  # type: ignore[arg-type]
    assert (reply.status, reply.filled, reply.fills) == (OrderStatus.OPEN, 0, ())
    found = run(paper.observe(ref(asked, reply.venue_order_id)), paper._clock)  # type: ignore[arg-type]
    assert isinstance(found, Found)
    assert (found.snapshot.status, found.snapshot.filled) == (OrderStatus.ENDED, 1)


def test_a_market_order_knows_no_bound() -> None:
    """It takes what there is; the rest of it ends."""
    paper = venue(balances={"BTC": 10, "USDT": 1000})
    sold = taken(place(paper, Side.SELL, 5, 100, order_type=OrderType.MARKET))
    assert (sold.filled, sold.status, sold.average) == (D(3), OrderStatus.ENDED, (D(100) + 2 * D(99)) / 3)


def test_what_rests_is_met_by_later_books_at_its_own_price() -> None:
    """In parts, at the maker's fee, as far as each book reaches it."""
    paper = venue(QUOTED)
    asked = request(Side.BUY, 2, "100.5", order_type=LIMIT)
    rests = taken(run(paper.place(asked, fresh), paper._clock))  # type: ignore[arg-type]
    assert (rests.status, rests.filled) == (OrderStatus.OPEN, 0)
    paper.feed("BTC/USDT", book(bids=((99, 1),), asks=((100, "0.5"),)))
    paper.feed("BTC/USDT", book(bids=((99, 1),), asks=((101, 5),)))
    paper.feed("BTC/USDT", book(bids=((99, 1),), asks=(("100.5", 9),)))
    found = run(paper.observe(ref(asked)), paper._clock)  # type: ignore[arg-type]
    assert isinstance(found, Found)
    assert [(fill.amount, fill.price) for fill in found.snapshot.fills] == [
        (D("0.5"), D("100.5")),
        (D("1.5"), D("100.5")),
    ]
    assert found.snapshot.fees == (Fee(2 * D("100.5") * QUOTED.maker_fee, "USDT"),)
    assert found.snapshot.status is OrderStatus.ENDED


def test_post_only_that_would_take_is_refused() -> None:
    """It must rest, or not be."""
    outcome = place(venue(), Side.BUY, 1, 101, order_type=LIMIT, post_only=True)
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.message) == ("invalid_order", "paper on paper: post_only")


def test_a_cancel_ends_what_rests_and_gives_back_what_it_held() -> None:
    """A second one finds nothing to cancel."""
    paper = venue(QUOTED)
    asked = request(Side.BUY, 2, 90, order_type=LIMIT)
    order = taken(run(paper.place(asked, fresh), paper._clock))  # type: ignore[arg-type]
    assert free(paper)["USDT"] == 1000 - 180 * (1 + QUOTED.taker_fee)
    assert paper.owned()["USDT"] == 1000
    replies = [run(paper.cancel(ref(asked, order.venue_order_id)), paper._clock) for _ in range(2)]  # type: ignore[arg-type]
    assert [(reply.accepted, reply.code) for reply in replies] == [(True, ""), (False, "order_not_found")]
    assert free(paper)["USDT"] == 1000
    found = run(paper.observe(ref(asked)), paper._clock)  # type: ignore[arg-type]
    assert isinstance(found, Found)
    assert found.snapshot.status is OrderStatus.ENDED


def test_an_order_that_never_was_is_not_found() -> None:
    """For certain: there is no list that could lag."""
    paper = venue()
    assert run(paper.observe(ref(request(Side.BUY, 1, 1))), paper._clock) == NotFound(covered=True)  # type: ignore[arg-type]


# ------------------------------------------------------------------ money


def test_a_fee_in_base_is_kept_of_what_was_bought() -> None:
    """And in quote of what was sold."""
    paper = venue()
    bought = taken(place(paper, Side.BUY, 1, 101))
    assert bought.fees == (Fee(D("0.001"), "BTC"),)
    assert free(paper) == {"BTC": D("1000.999"), "USDT": D(899)}
    sold = taken(place(paper, Side.SELL, 1, 100, client_order_id="c2"))
    assert sold.fees == (Fee(D("0.1"), "USDT"),)
    assert free(paper) == {"BTC": D("999.999"), "USDT": D("998.9")}


@pytest.mark.parametrize("rules", [SPOT, QUOTED])
@pytest.mark.parametrize("side", list(Side))
def test_nothing_is_traded_that_is_not_owned(rules: Any, side: Side) -> None:
    """Refused, and not a satoshi moves."""
    paper = venue(rules, balances={"BTC": "0.5", "USDT": 50})
    outcome = place(paper, side, 1, 101 if side is Side.BUY else 100)
    assert isinstance(outcome, Refused)
    assert outcome.code == "insufficient_funds"
    assert free(paper) == {"BTC": D("0.5"), "USDT": D(50)}


def test_a_contract_takes_margin_and_can_be_sold_without_owning_it() -> None:
    """A tenth of its worth at ten to one, and the fee."""
    paper = venue(SWAP)
    sold = taken(place(paper, Side.SELL, 1, 100, symbol=SWAP.symbol))
    assert sold.fees == (Fee(D("0.05"), "USDT"),)
    (position,) = paper.positions()
    assert (position.symbol, position.amount, position.entry) == (SWAP.symbol, -1, 100)
    assert free(paper) == {"USDT": 1000 - D("0.05") - 10}
    assert paper.owned() == {"USDT": 1000 - D("0.05")}
    bought = taken(place(paper, Side.BUY, 1, 101, symbol=SWAP.symbol, client_order_id="c2", reduce_only=True))
    assert bought.filled == 1
    assert paper.positions() == ()
    assert paper.owned() == {"USDT": 1000 - D("0.05") - 1 - D("0.0505")}


def test_reduce_only_never_opens() -> None:
    """Without a position it is refused; with a smaller one it closes that and no more."""
    paper = venue(SWAP)
    outcome = place(paper, Side.SELL, 1, 100, symbol=SWAP.symbol, reduce_only=True)
    assert isinstance(outcome, Refused)
    place(paper, Side.BUY, "0.4", 101, symbol=SWAP.symbol, client_order_id="c2")
    sold = taken(place(paper, Side.SELL, 1, 100, symbol=SWAP.symbol, client_order_id="c3", reduce_only=True))
    assert (sold.filled, paper.positions()) == (D("0.4"), ())


def test_margin_that_is_not_there_is_refused() -> None:
    """Ten to one, and no further."""
    outcome = place(venue(SWAP, balances={"USDT": 9}), Side.BUY, 1, 101, symbol=SWAP.symbol)
    assert isinstance(outcome, Refused)
    assert outcome.code == "insufficient_funds"


# ------------------------------------------------------------------ rules


@pytest.mark.parametrize(
    ("changes", "code", "what"),
    [
        ({"amount": D("0.0015")}, "invalid_order", "lot"),
        ({"amount": D("0.001")}, "invalid_order", "amount_min"),
        ({"amount": D("0.05")}, "invalid_order", "notional_min"),
        ({"amount": D(51)}, "invalid_order", "no more than 50 at once"),
        ({"bound": D("101.05")}, "invalid_order", "tick"),
        ({"symbol": "ETH/USDT"}, "bad_symbol", "unknown_market"),
    ],
)
def test_what_the_real_venue_would_not_take_is_refused(changes: dict[str, Any], code: str, what: str) -> None:
    """Lots, steps, minimums, maximum, market."""
    asked: dict[str, Any] = {"amount": D(1), "bound": D(101)} | changes
    outcome = place(venue(), Side.BUY, asked.pop("amount"), asked.pop("bound"), **asked)
    assert isinstance(outcome, Refused)
    assert outcome.code == code
    assert what in outcome.message


def test_an_id_that_is_in_use_is_refused() -> None:
    """While its order is open."""
    paper = venue()
    place(paper, Side.BUY, 1, 50, order_type=LIMIT)
    outcome = place(paper, Side.BUY, 1, 50, order_type=LIMIT)
    assert isinstance(outcome, Refused)
    assert outcome.code == "duplicate_client_order_id"


def test_what_is_no_longer_fresh_is_never_sent() -> None:
    """And has never been: no stamp says otherwise."""
    paper = venue()
    outcome = run(paper.place(request(Side.BUY, 1, 101), lambda: False), VirtualClock())
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.wire.sent_at_ns) == ("too_old", None)
    assert paper.executions == ()


# ------------------------------------------------------------------ books


def test_without_a_book_there_is_no_trading() -> None:
    """DOWN, no book to show, orders refused; all of it with the reason."""
    paper = PaperVenue.from_rules("paper", [SPOT], {"USDT": 1000}, clock=VirtualClock())
    clock = VirtualClock()
    with pytest.raises(VenueUnanswered, match="no book of BTC/USDT was fed yet"):
        run(paper.book("BTC/USDT"), clock)
    assert paper.latest("BTC/USDT") is None
    assert run(paper.health(), clock).status is HealthStatus.DOWN
    outcome = place(paper, Side.BUY, 1, 101)
    assert isinstance(outcome, Refused)
    assert outcome.code == "market_closed"


def test_a_book_that_nobody_refreshes_is_no_market() -> None:
    """A feed that has died would be traded on for ever."""
    clock = VirtualClock()
    paper = venue(clock=clock, book_max_age_s="1.5")
    assert run(paper.health(), clock).status is HealthStatus.UP
    clock.advance(1_501 * MS)
    health = run(paper.health(), clock)
    assert (health.status, health.note) == (HealthStatus.DOWN, "the book of BTC/USDT was fed 1.5 s ago")
    assert isinstance(place(paper, Side.BUY, 1, 101), Refused)
    paper.feed("BTC/USDT", book())
    assert run(paper.health(), clock).status is HealthStatus.UP


def test_the_book_is_told_as_it_was_fed() -> None:
    """A crossed one was not taken in, and a market of others cannot be."""
    paper, clock = venue(), VirtualClock()
    assert not paper.feed("BTC/USDT", book(bids=((200, 1),)))
    assert run(paper.book("BTC/USDT"), clock) == book() == paper.latest("BTC/USDT")
    with pytest.raises(UnknownSymbol, match="ETH/USDT"):
        paper.feed("ETH/USDT", book())
    with pytest.raises(UnknownSymbol):
        run(paper.book("ETH/USDT"), clock)
    with pytest.raises(UnknownSymbol):
        run(paper.rules("ETH/USDT"), clock)


def test_the_health_of_the_real_venue_is_passed_on() -> None:
    """Status, note and secrets; the latency is that of the paper."""
    clock = VirtualClock()
    paper = venue(clock=clock, latency_ms=20)
    paper.health_now = Health(status=HealthStatus.DEGRADED, note="slow", latency_ms=D(999), has_secrets=False)
    assert run(paper.health(), clock) == Health(
        status=HealthStatus.DEGRADED, note="slow", latency_ms=D(20), has_secrets=False
    )


# ------------------------------------------------------------------ latency


def test_an_order_meets_the_book_that_stands_when_it_arrives() -> None:
    """Half of the latency passes on the way there, half on the way back."""
    clock = VirtualClock()
    paper = venue(clock=clock, latency_ms=100)

    async def play() -> Any:
        placing = asyncio.create_task(paper.place(request(Side.BUY, 1, 103), fresh))
        await asyncio.sleep(0.049)
        paper.feed("BTC/USDT", book(asks=((102, 1),)))
        await asyncio.sleep(0.002)
        paper.feed("BTC/USDT", book(asks=((103, 1),)))
        return await placing

    outcome = run(play(), clock)
    assert taken(outcome).average == 102
    assert outcome.wire.received_at_ns - outcome.wire.sent_at_ns == 100 * MS


def test_an_order_that_has_left_arrives_though_nobody_waits_for_it() -> None:
    """A caller that gives up does not call it back, and finds it when it looks."""
    clock = VirtualClock()
    paper = venue(clock=clock, latency_ms=100)
    asked = request(Side.BUY, 1, 101)

    async def play() -> Any:
        placing = asyncio.create_task(paper.place(asked, fresh))
        await asyncio.sleep(0.01)
        placing.cancel()
        await asyncio.gather(placing, return_exceptions=True)
        assert paper.executions == ()
        await asyncio.sleep(0.05)
        return await paper.observe(ref(asked))

    found = run(play(), clock)
    assert isinstance(found, Found)
    assert found.snapshot.filled == 1


@pytest.mark.parametrize("call", ["balances", "health", "book", "observe", "cancel", "place"])
def test_every_call_takes_its_time(call: str) -> None:
    """Rules are known beforehand, and come at once."""
    clock = VirtualClock()
    paper = venue(clock=clock, latency_ms=30)
    asked = request(Side.BUY, 1, 101)
    calls = {
        "balances": paper.balances,
        "health": paper.health,
        "book": lambda: paper.book("BTC/USDT"),
        "observe": lambda: paper.observe(ref(asked)),
        "cancel": lambda: paper.cancel(ref(asked)),
        "place": lambda: paper.place(asked, fresh),
    }
    before = clock.monotonic_ns()

    async def ask() -> None:
        await calls[call]()

    run(ask(), clock)
    assert clock.monotonic_ns() - before == pytest.approx(30 * MS, abs=1000)


def waits(**options: Any) -> list[int]:
    clock = VirtualClock()
    paper, found = venue(clock=clock, **options), []
    for _ in range(5):
        before = clock.monotonic_ns()
        run(paper.balances(), clock)
        found.append(round((clock.monotonic_ns() - before) / MS))
    return found


def test_jitter_is_repeated_by_its_seed() -> None:
    """Nothing else is left to chance, and without a seed nothing is."""
    assert waits(latency_ms=10) == [10] * 5
    first = waits(latency_ms=10, jitter_ms=100, seed=3)
    assert first == waits(latency_ms=10, jitter_ms=100, seed=3) != waits(latency_ms=10, jitter_ms=100, seed=4)
    assert len(set(first)) > 1
    assert all(10 <= wait <= 110 for wait in first)
    with pytest.raises(InvalidInput, match="seed"):
        venue(jitter_ms=1)


@pytest.mark.parametrize("name", ["latency_ms", "jitter_ms", "book_max_age_s"])
def test_no_time_is_negative(name: str) -> None:
    """The field is named."""
    with pytest.raises(InvalidInput, match=name):
        venue(**{name: -1})
