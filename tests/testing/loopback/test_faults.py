"""Each kind of fault, as it is seen through the real ccxt classes, and the plan that draws them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

from fsm_arb.testing.loopback import PROFILES, Fault, FaultKind, Operation
from fsm_arb.testing.loopback.faults import APPLIES, FaultPlan, Match

if TYPE_CHECKING:
    from fsm_arb.testing.loopback import LoopbackExchange

Desks = Callable[..., Any]
D = Decimal
ALL = pytest.mark.parametrize("name", ["upbit", "binance", "binanceusdm"])

CREATES: dict[str, tuple[type[Exception] | None, bool]] = {
    # kind: what ccxt raises (None: an order without an id), whether it was executed
    "lost_before": (ccxt.ExchangeNotAvailable, False),
    "lost_after": (ccxt.ExchangeNotAvailable, True),
    "truncated": (ccxt.ExchangeError, True),
    "empty_200": (None, True),
    "bad_json_200": (None, True),
    "html_200": (None, True),
    "error_500": (ccxt.BaseError, True),
    "error_502": (ccxt.ExchangeNotAvailable, True),
    "error_503": (ccxt.ExchangeNotAvailable, True),
    "error_504": (ccxt.NetworkError, True),
    "rate_limited": (ccxt.BaseError, False),
    "refused": (ccxt.InvalidOrder, False),
}


# ------------------------------------------------------------------ creates


@ALL
@pytest.mark.parametrize("kind", CREATES)
async def test_a_create_that_goes_wrong(desk: Desks, server: LoopbackExchange, name: str, kind: str) -> None:
    """What ccxt makes of it, and what the venue's books say."""
    error, executed = CREATES[kind]
    venue = desk(name)
    await venue.ccxt.load_markets()
    await server.inject(name, "create", kind)
    if error is None:
        order = await venue.buy("a1")
        assert order["id"] is None
    else:
        with pytest.raises(error) as caught:
            await venue.buy("a1")
        if (name, kind) in {("upbit", "error_500"), ("upbit", "rate_limited"), ("upbit", "truncated")}:
            assert type(caught.value) is ccxt.ExchangeError
    true = await venue.true_order("a1")
    assert (true is not None) == executed
    assert not executed or true.filled == D("0.1")
    assert (await server.log()).counts[name, "create", kind] == 1
    assert await server.pending_faults() == 0


@ALL
@pytest.mark.parametrize("kind", ["error_500", "error_502", "error_503", "error_504", "empty_200", "html_200"])
async def test_the_same_reply_may_mean_that_nothing_happened(
    desk: Desks, server: LoopbackExchange, name: str, kind: str
) -> None:
    """Only the venue knows."""
    venue = desk(name)
    await venue.ccxt.load_markets()
    await server.inject(name, "create", kind, executed=False)
    with contextlib.suppress(ccxt.BaseError):
        assert (await venue.buy("a1"))["id"] is None
    assert await venue.true_order("a1") is None


@ALL
async def test_a_reply_may_be_late(desk: Desks, server: LoopbackExchange, name: str) -> None:
    """Executed before the delay, or after it; a client that has gone away changes nothing."""
    venue = desk(name, timeout=60)
    await venue.ccxt.load_markets()
    await server.inject(name, "create", "delay_after", ms=200)
    with pytest.raises(ccxt.RequestTimeout):
        await venue.buy("a1")
    assert (await venue.true_order("a1")).filled == D("0.1")
    await server.inject(name, "create", "delay_before", ms=400)
    with pytest.raises(ccxt.RequestTimeout):
        await venue.buy("a2")
    assert await venue.true_order("a2") is None
    await asyncio.sleep(0.4)
    assert (await venue.true_order("a2")).filled == D("0.1")


@ALL
async def test_an_order_may_be_accepted_late(desk: Desks, server: LoopbackExchange, name: str) -> None:
    """The connection dropped, the order was not there, and then it is."""
    venue = desk(name)
    await venue.ccxt.load_markets()
    await server.inject(name, "create", "accepted_late", ms=5_000)
    with pytest.raises(ccxt.ExchangeNotAvailable):
        await venue.buy("a1")
    with pytest.raises(ccxt.OrderNotFound):
        await venue.look_up("a1")
    await server.skip(5_000)
    assert D((await venue.look_up("a1"))["filled"]) == D("0.1")


async def test_binance_refuses_what_arrives_after_its_window(desk: Desks, server: LoopbackExchange) -> None:
    """So there, absence can be proven."""
    venue = desk("binance")
    await venue.ccxt.load_markets()
    await server.inject("binance", "create", "accepted_late", ms=11_000)
    with pytest.raises(ccxt.ExchangeNotAvailable):
        await venue.buy("a1")
    await server.skip(11_000)
    assert await venue.true_order("a1") is None
    await venue.buy("a2")
    assert (await venue.true_order("a2")).filled == D("0.1")


@ALL
async def test_a_new_order_may_be_hidden(desk: Desks, server: LoopbackExchange, name: str) -> None:
    """Not found, and in no list, until it is."""
    venue = desk(name)
    await server.inject(name, "create", "hidden", ms=5_000)
    await venue.rest("r1")
    with pytest.raises(ccxt.OrderNotFound):
        await venue.look_up("r1")
    assert await venue.ccxt.fetch_open_orders(venue.symbol) == []
    await server.skip(5_000)
    assert (await venue.look_up("r1"))["status"] == "open"


@ALL
async def test_part_of_an_order_may_fill_and_the_rest_expire(desk: Desks, server: LoopbackExchange, name: str) -> None:
    """A quarter, here."""
    venue = desk(name)
    await server.inject(name, "create", "partial", share=D("0.25"))
    await venue.limit("buy", "0.1", venue.touch, "a1")
    read = await venue.look_up("a1")
    assert (D(read["filled"]), read["status"] in {"canceled", "expired"}) == (D("0.025"), True)


@ALL
async def test_what_expired_may_fill_late(desk: Desks, server: LoopbackExchange, name: str) -> None:
    """The order was over, and then it was not."""
    venue = desk(name)
    await server.inject(name, "create", "late_fill", ms=5_000)
    await venue.ioc("buy", "0.1", venue.touch, "a1")
    assert D((await venue.look_up("a1"))["filled"]) == D("0.05")
    await server.skip(5_000)
    read = await venue.look_up("a1")
    assert (D(read["filled"]), read["status"] in {"canceled", "expired"}) == (D("0.1"), True)


# ------------------------------------------------------------------ cancels


@ALL
async def test_an_order_may_fill_just_before_its_cancel(desk: Desks, server: LoopbackExchange, name: str) -> None:
    """The cancel is refused; the order is whole."""
    venue = desk(name)
    await venue.rest("r1")
    await server.inject(name, "cancel", "cancel_race")
    with pytest.raises(ccxt.OrderNotFound):
        await venue.cancel("r1")
    read = await venue.look_up("r1")
    assert (read["status"], D(read["filled"])) == ("closed", D("0.1"))


@ALL
async def test_a_cancel_may_be_agreed_to_and_lost(desk: Desks, server: LoopbackExchange, name: str) -> None:
    """Only a read shows that the order rests on."""
    venue = desk(name)
    await venue.rest("r1")
    await server.inject(name, "cancel", "cancel_lost")
    await venue.cancel("r1")
    assert (await venue.look_up("r1"))["status"] == "open"
    await venue.cancel("r1")
    assert (await venue.look_up("r1"))["status"] == "canceled"


@ALL
async def test_an_order_may_fill_after_its_cancel(desk: Desks, server: LoopbackExchange, name: str) -> None:
    """Closed is revisable upward."""
    venue = desk(name)
    await venue.rest("r1")
    await server.inject(name, "cancel", "late_fill", ms=5_000)
    await venue.cancel("r1")
    assert D((await venue.look_up("r1"))["filled"]) == 0
    await server.skip(5_000)
    read = await venue.look_up("r1")
    assert (read["status"], D(read["filled"])) == ("canceled", D("0.1"))


@ALL
async def test_a_cancels_reply_may_be_lost(desk: Desks, server: LoopbackExchange, name: str) -> None:
    """aiohttp sends a DELETE again by itself, so the second finds the order gone."""
    venue = desk(name)
    await venue.rest("r1")
    await server.inject(name, "cancel", "lost_after")
    with pytest.raises((ccxt.OrderNotFound, ccxt.ExchangeNotAvailable)):
        await venue.cancel("r1")
    assert (await venue.look_up("r1"))["status"] == "canceled"


# ------------------------------------------------------------------ reads


@ALL
async def test_a_read_may_be_stale(desk: Desks, server: LoopbackExchange, name: str) -> None:
    """It shows the order as it stood."""
    venue = desk(name)
    await venue.buy("a1")
    await server.inject(name, "fetch", "stale", ms=60_000)
    stale, fresh = await venue.look_up("a1"), await venue.look_up("a1")
    assert (stale["status"], D(stale["filled"])) == ("open", 0)
    assert (fresh["status"], D(fresh["filled"])) == ("closed", D("0.1"))


@pytest.mark.parametrize("name", ["binance", "binanceusdm"])
async def test_a_trade_may_be_listed_twice(desk: Desks, server: LoopbackExchange, name: str) -> None:
    """With the same trade id."""
    venue = desk(name)
    await venue.buy("a1")
    await server.inject(name, "list", "duplicate_trade")
    twice = await venue.ccxt.privateGetMyTrades({"symbol": "BTCUSDT"}) if name == "binance" else None
    if twice is None:
        twice = await venue.ccxt.fapiPrivateGetUserTrades({"symbol": "BTCUSDT"})
    assert (len(twice), len({trade["id"] for trade in twice})) == (2, 1)


async def test_upbit_may_show_a_trade_twice_in_an_order(desk: Desks, server: LoopbackExchange) -> None:
    """The executed volume stays right."""
    venue = desk("upbit")
    await venue.buy("a1")
    await server.inject("upbit", "fetch", "duplicate_trade")
    raw = await venue.ccxt.privateGetOrder({"identifier": "a1"})
    assert (len(raw["trades"]), len({row["uuid"] for row in raw["trades"]})) == (2, 1)
    assert raw["executed_volume"] == "0.1"


@ALL
async def test_balances_may_lag(desk: Desks, server: LoopbackExchange, name: str) -> None:
    """The last look is shown again."""
    venue = desk(name)
    asset = "KRW" if name == "upbit" else "USDT"
    before = (await venue.ccxt.fetch_balance())[asset]["free"]
    await venue.buy("a1")
    await server.inject(name, "balance", "old_balance")
    assert (await venue.ccxt.fetch_balance())[asset]["free"] == before
    assert (await venue.ccxt.fetch_balance())[asset]["free"] != before


@ALL
async def test_a_venue_may_be_down_for_a_while(desk: Desks, server: LoopbackExchange, name: str) -> None:
    """Every call fails, and nothing happens; then it is back."""
    venue = desk(name)
    await venue.ccxt.load_markets()
    await server.inject(name, "book", "down", ms=5_000)
    with pytest.raises(ccxt.ExchangeNotAvailable):
        await venue.ccxt.fetch_order_book(venue.symbol)
    with pytest.raises(ccxt.ExchangeNotAvailable):
        await venue.buy("a1")
    await server.skip(5_000)
    await venue.buy("a2")
    assert await venue.true_order("a1") is None
    assert await venue.true_order("a2") is not None


async def test_a_read_may_be_refused_or_dropped(desk: Desks, server: LoopbackExchange) -> None:
    """A failed read says nothing about the order."""
    venue = desk("binance")
    await venue.buy("a1")
    await server.inject("binance", "fetch", "refused")
    with pytest.raises(ccxt.OrderNotFound):
        await venue.look_up("a1")
    await server.inject("binance", "fetch", "lost_before", count=2)
    with pytest.raises(ccxt.ExchangeNotAvailable):
        await venue.look_up("a1")
    assert (await venue.look_up("a1"))["status"] == "closed"


@ALL
@pytest.mark.parametrize("kind", ["empty_200", "bad_json_200", "html_200"])
async def test_what_ccxt_makes_of_a_read_without_sense(
    desk: Desks, server: LoopbackExchange, name: str, kind: str
) -> None:
    """No funds, an empty book, an order of nothing; from a list, an error that is not even one of ccxt's."""
    venue = desk(name)
    await venue.buy("a1")
    for operation in ("balance", "fetch", "list", "book"):
        await server.inject(name, operation, kind)
    assert (await venue.ccxt.fetch_balance())["free"] == {}
    assert (await venue.look_up("a1"))["id"] is None
    with pytest.raises(AttributeError):
        await venue.ccxt.fetch_open_orders(venue.symbol)
    if name == "upbit":
        with contextlib.suppress(TypeError):
            assert await venue.ccxt.fetch_order_book(venue.symbol) is None
    else:
        assert (await venue.ccxt.fetch_order_book(venue.symbol))["asks"] == []


# ------------------------------------------------------------------ the plan


def test_a_queued_fault_waits_for_its_request() -> None:
    """Another dialect, operation or market does not use it up."""
    plan = FaultPlan(1)
    plan.queue(Match(dialect="upbit", operation=Operation.CREATE, symbol="BTC/KRW"), Fault(kind=FaultKind.REFUSED))
    assert plan.draw("binance", Operation.CREATE, "BTC/KRW") is None
    assert plan.draw("upbit", Operation.CANCEL, "BTC/KRW") is None
    assert plan.draw("upbit", Operation.CREATE, "ETH/KRW") is None
    assert plan.draw("upbit", Operation.CREATE, None) is None
    assert plan.draw("upbit", Operation.CREATE, "BTC/KRW") == Fault(kind=FaultKind.REFUSED)
    assert plan.draw("upbit", Operation.CREATE, "BTC/KRW") is None


def test_a_fault_that_makes_no_sense_is_refused() -> None:
    """A book cannot be cancelled late."""
    plan = FaultPlan(1)
    with pytest.raises(ValueError, match="does not apply"):
        plan.queue(Match(dialect="upbit", operation=Operation.BOOK), Fault(kind=FaultKind.CANCEL_RACE))
    with pytest.raises(ValueError, match="profile"):
        plan.set_profile("all")


def test_faults_are_the_same_for_the_same_seed() -> None:
    """And differ for another."""

    def drawn(seed: int) -> list[FaultKind | None]:
        plan = FaultPlan(seed, "many")
        faults = [plan.draw("upbit", Operation.CREATE, None) for _ in range(300)]
        return [fault.kind if fault else None for fault in faults]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


@pytest.mark.parametrize(("profile", "least", "most"), [("none", 0, 0), ("some", 0.02, 0.2), ("many", 0.05, 0.55)])
def test_a_profile_leaves_the_venue_usable(profile: str, least: float, most: float) -> None:
    """Most requests meet nothing."""
    plan = FaultPlan(3, profile)
    for operation in (Operation.CREATE, Operation.CANCEL, Operation.FETCH, Operation.LIST):
        met = sum(plan.draw("upbit", operation, None) is not None for _ in range(2000)) / 2000
        assert least <= met <= most
    assert all(chance.operation in APPLIES[chance.fault.kind] for chance in PROFILES[profile])


def test_the_profile_changes_at_run_time_for_one_venue_or_all() -> None:
    """And clearing ends everything."""
    plan = FaultPlan(1, "some")
    plan.set_profile("many", ["upbit"])
    assert (plan.profile("upbit"), plan.profile("binance")) == ("many", "some")
    plan.set_down("upbit", 100)
    assert plan.is_down("upbit", 99)
    assert not plan.is_down("upbit", 100)
    plan.clear()
    assert (plan.profile("upbit"), plan.is_down("upbit", 99)) == ("none", False)


def test_every_kind_is_drawn_or_can_be_queued() -> None:
    """`many` draws each kind that a create, a cancel or a read can meet."""
    drawn = Counter(chance.fault.kind for chance in PROFILES["many"])
    assert set(FaultKind) == set(drawn)


def test_a_fault_survives_json() -> None:
    """As the control endpoint hands it over."""
    fault = Fault(kind=FaultKind.PARTIAL, ms=5, share=D("0.1"), executed=False)
    assert Fault.from_json(fault.to_json()) == fault
    assert Fault.from_json({"kind": "partial"}) == Fault(kind=FaultKind.PARTIAL)
