"""Cancelling without a record."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hall import D, papers, placed, quick, shows, until

from fsm_arb import OrderType
from fsm_arb.executor.rescue import SINCE_SLACK_MS, cancel_all, ref_of
from fsm_arb.ports import Acknowledged, OrderSnapshot, OrderStatus

if TYPE_CHECKING:
    from hall import Hall

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
