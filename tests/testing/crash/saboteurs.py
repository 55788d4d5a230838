"""Executors that recover wrongly, one way each: what the sweep is there to find."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from fsm_arb.executor import beginning, commit, executor, runner
from fsm_arb.executor.gate import Lane
from fsm_arb.messages import PlaceEnded
from fsm_arb.orders import Lifecycle
from fsm_arb.ports import Refused
from fsm_arb.recovery import take_up, unfinished
from fsm_arb.trade import Step, Trade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsm_arb.scribe import Page, Scribe


def pending(trade: Trade) -> list[Any]:
    return [order for order in trade.orders if order.lifecycle is Lifecycle.PENDING]


@contextmanager
def resends() -> Iterator[None]:
    """Whatever was written and not answered is sent again."""

    async def take_up_and_send(self: executor.CrossExchangeExecutor) -> None:
        await taken_up(self)
        clock = self._services.clock
        for driven in list(self._runners.values()):
            for order in pending(driven.trade):
                driven._tending.send(order.intent, clock.monotonic_ns(), clock.time_ns(), Lane.FLATTEN)

    taken_up = executor.CrossExchangeExecutor._take_up
    with patch.object(executor.CrossExchangeExecutor, "_take_up", take_up_and_send):
        yield


@contextmanager
def resends_under_new_ids() -> Iterator[None]:
    """The same, so that no id is sent twice."""

    async def take_up_and_send(self: executor.CrossExchangeExecutor) -> None:
        await taken_up(self)
        for driven in list(self._runners.values()):
            for order in pending(driven.trade):
                desk = self._services.desks[driven.trade.decision.legs[order.intent.leg].exchange]
                from attrs import evolve

                from fsm_arb.ports import OrderRequest

                intent = evolve(order.intent, client_order_id=self._services.fresh_id())
                request = OrderRequest(
                    symbol=driven.trade.decision.legs[intent.leg].symbol,
                    side=intent.side,
                    amount=intent.amount,
                    order_type=intent.order_type,
                    bound=intent.bound,
                    client_order_id=intent.client_order_id,
                )
                await desk.place(request, lambda: True, Lane.FLATTEN)

    taken_up = executor.CrossExchangeExecutor._take_up
    with patch.object(executor.CrossExchangeExecutor, "_take_up", take_up_and_send):
        yield


@contextmanager
def tells_no_trade() -> Iterator[None]:
    """A trade is folded and driven on as if nothing had happened: no `Restarted`."""
    with patch.object(executor, "take_up", lambda *_: Step()):
        yield


@contextmanager
def believes_pending_dead() -> Iterator[None]:
    """What was written and not answered is taken for never sent."""

    def bury(trade: Trade, now: int, at_ns: int) -> Step:
        step = take_up(trade, now, at_ns)
        entries = list(step.entries)
        for order in pending(trade):
            refused = Refused(code="not_sent", message="the process died before it was sent")
            entries += trade.handle(PlaceEnded(now=now, order=order.intent.index, outcome=refused), at_ns).entries
        return Step(tuple(entries))

    with patch.object(executor, "take_up", bury):
        yield


@contextmanager
def journals_after_the_wire() -> Iterator[None]:
    """Orders leave while their intents are still on the way to the disk."""
    tasks = set()

    async def later(*args: Any, **options: Any) -> None:
        task = asyncio.ensure_future(written(*args, **options))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        await asyncio.sleep(0)

    written = commit.write
    with patch.object(runner, "write", later), patch.object(beginning, "write", later):
        yield


@contextmanager
def forgets_intents() -> Iterator[None]:
    """Whatever has an order that nobody answered is not taken up."""

    def some(scribe: Scribe, fresh_id: Callable[[], str]) -> Iterator[tuple[Trade, Page]]:
        return (found for found in unfinished(scribe, fresh_id) if not pending(found[0]))

    with patch.object(executor, "unfinished", some):
        yield


SABOTEURS = {
    each.__name__: each
    for each in (
        resends,
        resends_under_new_ids,
        tells_no_trade,
        believes_pending_dead,
        journals_after_the_wire,
        forgets_intents,
    )
}
