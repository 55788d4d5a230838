"""The server's books as tests read them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fsm_arb.testing.loopback import LoopbackExchange

D = Decimal


async def test_the_truth_tells_orders_fills_and_what_moved(desk: Callable[..., Any], server: LoopbackExchange) -> None:
    """Exactly, in Decimal."""
    binance, upbit = desk("binance"), desk("upbit")
    await binance.ioc("buy", "0.5", binance.touch, "a1")
    await upbit.ioc("sell", "0.1", upbit.bid, "b1")
    truth = await server.truth()
    venue = truth["binance"]
    order = venue.order("a1")
    assert order is not None
    assert (order.status, order.filled, order.spent, order.is_open) == ("expired", D("0.2"), D(13_582), False)
    assert order.fees == {"BTC": D("0.0002")}
    assert venue.bought("BTC/USDT") == D("0.1998")
    assert venue.moved()["USDT"] == D(-13_582)
    assert truth["upbit"].moved_by_fills()["KRW"] == D(9_500_000) - D(4750)
    assert truth.net("BTC") == D("0.0998")
    assert venue.unexplained() == truth["upbit"].unexplained() == {}
    assert venue.order("a2") is None


async def test_a_client_id_that_came_twice_is_named(desk: Callable[..., Any], server: LoopbackExchange) -> None:
    """Whether or not both were accepted."""
    binance = desk("binance")
    await binance.ioc("buy", "0.01", binance.touch, "a1")
    await binance.ioc("buy", "0.01", binance.touch, "a2")
    assert (await server.venue("binance")).sent_twice() == []
    await binance.ioc("buy", "0.01", binance.touch, "a1")
    venue = await server.venue("binance")
    assert venue.sent_twice() == ["a1"]
    assert [create.refusal for create in venue.received] == [None, None, None]
