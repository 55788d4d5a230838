"""Whole orders against an exchange on loopback that keeps its own books, and goes wrong on command."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from fsm_arb.clock import SystemClock
from fsm_arb.errors import VenueUnanswered
from fsm_arb.matching.market import FeeRule
from fsm_arb.ports import (
    Acknowledged,
    Found,
    InDoubt,
    NotFound,
    OrderRef,
    OrderRequest,
    OrderStatus,
    Refused,
    Unanswered,
)
from fsm_arb.testing.loopback import FaultKind, LoopbackExchange, Operation
from fsm_arb.values import FeeIn, HealthStatus, OrderType, Side
from fsm_arb.venues.ccxt_venue import CcxtVenue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SYMBOLS = {"upbit": "BTC/KRW", "binance": "BTC/USDT", "binanceusdm": "BTC/USDT:USDT"}
PRICES = {"upbit": Decimal(95_000_000), "binance": Decimal(68_000), "binanceusdm": Decimal(68_000)}
AMOUNT = Decimal("0.02")
OUR_ID = "k3x9q1z7m2w8v4b6ta"


@pytest_asyncio.fixture
async def world() -> AsyncIterator[LoopbackExchange]:
    """Deep and still books on all three venues."""
    async with LoopbackExchange(seed=7) as exchange:
        for dialect, symbol in SYMBOLS.items():
            price = PRICES[dialect]
            await exchange.set_book(dialect, symbol, bids=[(price * 999 / 1000, 5)], asks=[(price, 5)])
            await exchange.set_latency(dialect, 0)
        await exchange.set_balances("upbit", KRW=10**9, BTC=10)
        await exchange.set_balances("binance", USDT=10**6, BTC=10)
        await exchange.set_balances("binanceusdm", USDT=10**6)
        yield exchange


def venue_of(world: LoopbackExchange, dialect: str, **changes: Any) -> CcxtVenue:
    return CcxtVenue(world.ccxt(dialect, **changes), name=dialect, clock=SystemClock())


def request(dialect: str, **changes: Any) -> OrderRequest:
    values: dict[str, Any] = {
        "symbol": SYMBOLS[dialect], "side": Side.BUY, "amount": AMOUNT, "order_type": OrderType.IOC,
        "bound": PRICES[dialect], "client_order_id": OUR_ID,
    }  # fmt: skip
    return OrderRequest(**(values | changes))


def ref(dialect: str, **changes: Any) -> OrderRef:
    values: dict[str, Any] = {
        "symbol": SYMBOLS[dialect], "side": Side.BUY, "amount": AMOUNT, "client_order_id": OUR_ID,
        "since_ms": int(time.time() * 1000) - 2_000,
    }  # fmt: skip
    return OrderRef(**(values | changes))


@pytest.mark.parametrize("dialect", SYMBOLS)
async def test_an_order_fills_and_is_read_back_whole(world: LoopbackExchange, dialect: str) -> None:
    """Quantity, average, fills and fees agree with the venue's own books."""
    venue = venue_of(world, dialect)
    assert isinstance(await venue.place(request(dialect), lambda: True), Acknowledged)
    observed = await venue.observe(ref(dialect))
    assert isinstance(observed, Found)
    snapshot = observed.snapshot
    truth = (await world.venue(dialect)).orders[-1]
    assert (snapshot.status, snapshot.filled, snapshot.side) == (OrderStatus.ENDED, AMOUNT, Side.BUY)
    assert (snapshot.venue_order_id, snapshot.client_order_id) == (truth.order_id, OUR_ID)
    assert snapshot.average == truth.spent / truth.filled == PRICES[dialect]
    assert snapshot.fees is not None
    assert {fee.currency: fee.amount for fee in snapshot.fees} == dict(truth.fees)


@pytest.mark.parametrize("dialect", SYMBOLS)
async def test_rules_of_a_real_account(world: LoopbackExchange, dialect: str) -> None:
    """Markets, steps, fees and modes are read through ccxt's own parsers."""
    rules = await venue_of(world, dialect).rules(SYMBOLS[dialect])
    assert rules.base == "BTC"
    assert 0 < rules.lot < 1
    assert rules.bound_price(Side.BUY, PRICES[dialect]) == PRICES[dialect]
    assert rules.fee_in is (FeeIn.BASE_ON_BUY if dialect == "binance" else FeeIn.QUOTE)
    assert rules.enforces_expiry is (dialect != "upbit")


async def test_rules_of_an_account_that_pays_in_bnb() -> None:
    """No fee in base is presumed of it, from the first order on."""
    async with LoopbackExchange(seed=7, spot_fees=FeeRule.BNB) as exchange:
        rules = await venue_of(exchange, "binance").rules(SYMBOLS["binance"])
    assert rules.fee_in is FeeIn.UNKNOWN


# What goes wrong with the create, and whether the venue executed it.
EXECUTED = [
    FaultKind.LOST_AFTER,
    FaultKind.TRUNCATED,
    FaultKind.EMPTY_200,
    FaultKind.BAD_JSON_200,
    FaultKind.HTML_200,
    FaultKind.ERROR_500,
    FaultKind.ERROR_502,
    FaultKind.ERROR_503,
    FaultKind.ERROR_504,
]


@pytest.mark.parametrize("production_urls", [False, True], ids=["own urls", "production urls"])
@pytest.mark.parametrize("kind", EXECUTED)
@pytest.mark.parametrize("dialect", SYMBOLS)
async def test_an_order_whose_reply_is_lost_is_in_doubt_and_found(
    world: LoopbackExchange, dialect: str, kind: FaultKind, production_urls: bool
) -> None:
    """Whatever broke on the way back, the order is not called refused, and its fills are counted once."""
    venue = venue_of(world, dialect, production_urls=production_urls)
    await venue.rules(SYMBOLS[dialect])
    fields = {"executed": True} if kind.value.startswith(("error", "empty", "bad", "html")) else {}
    await world.inject(dialect, Operation.CREATE, kind, **fields)
    outcome = await venue.place(request(dialect), lambda: True)
    assert isinstance(outcome, InDoubt), outcome
    observed = await venue.observe(ref(dialect))
    assert isinstance(observed, Found), observed
    assert observed.snapshot.filled == AMOUNT
    assert len((await world.venue(dialect)).orders) == 1


@pytest.mark.parametrize("dialect", SYMBOLS)
async def test_an_order_that_never_arrived_is_in_doubt_and_then_absent(world: LoopbackExchange, dialect: str) -> None:
    """Every list that could show it answers, and shows nothing."""
    venue = venue_of(world, dialect)
    await venue.rules(SYMBOLS[dialect])
    await world.inject(dialect, Operation.CREATE, FaultKind.LOST_BEFORE)
    assert isinstance(await venue.place(request(dialect), lambda: True), InDoubt)
    observed = await venue.observe(ref(dialect))
    assert isinstance(observed, NotFound), observed
    assert observed.covered
    assert (await world.venue(dialect)).orders == ()


@pytest.mark.parametrize("operation", [Operation.FETCH, Operation.LIST])
@pytest.mark.parametrize(
    "kind",
    [FaultKind.EMPTY_200, FaultKind.BAD_JSON_200, FaultKind.HTML_200, FaultKind.TRUNCATED, FaultKind.ERROR_500,
     FaultKind.ERROR_503, FaultKind.LOST_BEFORE],
)  # fmt: skip
@pytest.mark.parametrize("dialect", SYMBOLS)
async def test_a_read_that_broke_proves_no_absence(
    world: LoopbackExchange, dialect: str, kind: FaultKind, operation: Operation
) -> None:
    """ccxt reads an empty body as an empty list; the order may be on it."""
    venue = venue_of(world, dialect)
    await venue.rules(SYMBOLS[dialect])
    # aiohttp repeats a read by itself when the connection was an old one.
    await world.inject(dialect, operation, kind, count=2 if kind is FaultKind.LOST_BEFORE else 1)
    observed = await venue.observe(ref(dialect))
    assert isinstance(observed, Unanswered), observed


@pytest.mark.parametrize("kind", [FaultKind.EMPTY_200, FaultKind.BAD_JSON_200, FaultKind.HTML_200])
@pytest.mark.parametrize("dialect", SYMBOLS)
async def test_broken_balances_and_books_are_no_empty_ones(
    world: LoopbackExchange, dialect: str, kind: FaultKind
) -> None:
    """Nothing to spend and nothing on the book are answers; a page of HTML is none."""
    venue = venue_of(world, dialect)
    await venue.rules(SYMBOLS[dialect])
    await world.inject(dialect, Operation.BALANCE, kind)
    with pytest.raises(VenueUnanswered):
        await venue.balances()
    await world.inject(dialect, Operation.BOOK, kind)
    with pytest.raises(VenueUnanswered):
        await venue.book(SYMBOLS[dialect])
    assert (await venue.balances()).free
    assert (await venue.book(SYMBOLS[dialect])).touch(Side.BUY) == PRICES[dialect]


@pytest.mark.parametrize("kind", [FaultKind.EMPTY_200, FaultKind.HTML_200, FaultKind.ERROR_503])
@pytest.mark.parametrize("dialect", SYMBOLS)
async def test_markets_that_broke_are_loaded_again(world: LoopbackExchange, dialect: str, kind: FaultKind) -> None:
    """ccxt remembers an empty load; the venue is not without markets for ever."""
    venue = venue_of(world, dialect)
    await world.inject(dialect, Operation.META, kind)
    with pytest.raises(VenueUnanswered):
        await venue.rules(SYMBOLS[dialect])
    assert (await venue.rules(SYMBOLS[dialect])).base == "BTC"


@pytest.mark.parametrize("kind", [FaultKind.REFUSED, FaultKind.RATE_LIMITED])
@pytest.mark.parametrize("dialect", SYMBOLS)
async def test_a_refusal_is_a_refusal(world: LoopbackExchange, dialect: str, kind: FaultKind) -> None:
    """The venue's own no is proof enough, and there is no order."""
    venue = venue_of(world, dialect, production_urls=True)
    await venue.rules(SYMBOLS[dialect])
    await world.inject(dialect, Operation.CREATE, kind)
    outcome = await venue.place(request(dialect), lambda: True)
    assert isinstance(outcome, Refused), outcome
    assert (await world.venue(dialect)).orders == ()


@pytest.mark.parametrize("dialect", SYMBOLS)
async def test_a_resting_order_is_cancelled_by_our_id(world: LoopbackExchange, dialect: str) -> None:
    """The reply to create need not have come for that."""
    venue = venue_of(world, dialect)
    low = PRICES[dialect] * 9 / 10
    bound = (await venue.rules(SYMBOLS[dialect])).bound_price(Side.BUY, low)
    await venue.place(request(dialect, order_type=OrderType.LIMIT, bound=bound), lambda: True)
    assert (await venue.cancel(ref(dialect))).accepted
    observed = await venue.observe(ref(dialect))
    assert isinstance(observed, Found)
    assert (observed.snapshot.status, observed.snapshot.filled) == (OrderStatus.ENDED, 0)
    assert not (await venue.cancel(ref(dialect))).accepted


@pytest.mark.parametrize("dialect", SYMBOLS)
async def test_a_market_order_takes_exactly_its_quantity(world: LoopbackExchange, dialect: str) -> None:
    """Also on a venue whose market buy spends quote."""
    venue = venue_of(world, dialect)
    worst = PRICES[dialect] * 2
    outcome = await venue.place(request(dialect, order_type=OrderType.MARKET, bound=worst), lambda: True)
    assert isinstance(outcome, Acknowledged), outcome
    assert (await world.venue(dialect)).orders[-1].filled == AMOUNT


async def test_orders_at_once_are_all_told_apart(world: LoopbackExchange) -> None:
    """Twenty ids, twenty orders, each found as itself."""
    venue = venue_of(world, "binance")
    ids = [f"{index:018d}" for index in range(20)]
    await venue.rules("BTC/USDT")
    await asyncio.gather(*(venue.place(request("binance", client_order_id=name), lambda: True) for name in ids))
    seen = await asyncio.gather(*(venue.observe(ref("binance", client_order_id=name)) for name in ids))
    assert [one.snapshot.client_order_id for one in seen] == ids
    assert len({one.snapshot.venue_order_id for one in seen}) == 20


@pytest.mark.parametrize("dialect", SYMBOLS)
async def test_health_tells_up_from_down(world: LoopbackExchange, dialect: str) -> None:
    """A venue that answers 503 to everything is down, and no error says so."""
    venue = venue_of(world, dialect)
    await venue.rules(SYMBOLS[dialect])
    assert (await venue.health()).status is HealthStatus.UP
    await world.inject(dialect, Operation.BALANCE if dialect == "upbit" else Operation.META, FaultKind.HTML_200)
    assert (await venue.health()).status is HealthStatus.DOWN
    await world.inject(dialect, Operation.CANCEL, FaultKind.HTML_200)
    assert (await venue.cancel(ref(dialect))).code == "bad_response"
    await world.down(dialect)
    assert (await venue.health()).status is HealthStatus.DOWN
    assert isinstance(await venue.observe(ref(dialect)), Unanswered)
