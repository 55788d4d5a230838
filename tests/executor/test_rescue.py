"""Cancelling without a record."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from attrs import frozen
from hall import D, papers, placed, quick, shows, until
from worlds import entry, intent

from fsm_arb import ExecutionPolicy, OrderType
from fsm_arb.executor.rescue import SINCE_SLACK_MS, cancel_all, ref_of
from fsm_arb.memory import Memory
from fsm_arb.messages import Begun
from fsm_arb.orders import Order
from fsm_arb.ports import Acknowledged, OrderSnapshot, OrderStatus
from fsm_arb.values import Side

if TYPE_CHECKING:
    from hall import Hall

NS_PER_S = 1_000_000_000
BEGAN_S = 1_700_000_000


@frozen
class HandClock:
    """Shows what it is told to, in whole seconds."""

    monotonic_s: int
    wall_s: int

    def monotonic_ns(self) -> int:
        return self.monotonic_s * NS_PER_S

    def time_ns(self) -> int:
        return self.wall_s * NS_PER_S


RESTING = Acknowledged(snapshot=OrderSnapshot(status=OrderStatus.OPEN, filled=D(0), venue_order_id="R1"))


async def test_only_what_may_rest_is_cancelled_and_nothing_once_fenced(hall: Hall) -> None:
    """By the venue's own id where it is known; an order that has ended is left alone."""
    venues = papers()
    venues["upbit"].outcomes = [RESTING]
    policy = quick(order_type=OrderType.LIMIT, fill_timeout_s=60, poll_interval_s=60)
    async with hall.executor(venues=venues, policy=policy) as executor:
        running = asyncio.ensure_future(executor.execute_decision(hall.entry()))
        await until(lambda: executor._runners)
        (runner,) = executor._runners.values()
        await until(lambda: runner.trade.state == "MONITORING")
        (request,) = placed(venues["upbit"])
        services = executor._services
        services.fenced = True
        await cancel_all(services, runner.trade)
        assert [venue.count("cancel") for venue in venues.values()] == [0, 0]
        services.fenced = False
        await cancel_all(services, runner.trade)
        assert [venue.count("cancel") for venue in venues.values()] == [1, 0]
        ref = venues["upbit"].doing[-1][1]
        assert ref == ref_of(runner.trade, runner.trade.orders[0], executor._services.clock)
        assert (ref.venue_order_id, ref.client_order_id) == ("R1", request.client_order_id)
        assert ref.since_ms == runner.trade.begun_at_ns // 1_000_000 - SINCE_SLACK_MS
        shows(venues["upbit"], request, request.amount)
        for look in runner._tending._looks.values():
            look.next_at = 0
        runner._bell.set()
        assert (await running).status == "success"


@pytest.mark.parametrize(
    ("monotonic_s", "wall_s", "since_s"),
    [
        pytest.param(1_010, BEGAN_S + 10, BEGAN_S, id="no clock was set"),
        pytest.param(1_010, BEGAN_S - 3_590, BEGAN_S - 3_600, id="set back by an hour"),
        pytest.param(8_200, BEGAN_S + 3_600, BEGAN_S - 3_600, id="set back by an hour, two hours ago"),
        pytest.param(1_010, BEGAN_S + 3_610, BEGAN_S, id="set ahead by an hour"),
        pytest.param(5, BEGAN_S + 60, BEGAN_S, id="the machine was started again"),
        pytest.param(5, BEGAN_S - 60, None, id="started again, and set back"),
    ],
)
def test_an_order_is_asked_for_from_the_earliest_time_that_either_clock_allows(
    monotonic_s: int, wall_s: int, since_s: int | None
) -> None:
    """A wall clock that was set back would put the beginning into a time to come, where no list shows it."""
    begun = Begun(now=1_000 * NS_PER_S, decision=entry(), sides=(Side.SELL, Side.BUY), policy=ExecutionPolicy())
    trade = Memory("t1", str, begun, BEGAN_S * NS_PER_S)
    order = Order(intent=intent(0), base="BTC", deadline=0)
    since_ms = ref_of(trade, order, HandClock(monotonic_s, wall_s)).since_ms
    assert since_ms == (None if since_s is None else since_s * 1_000 - SINCE_SLACK_MS)
