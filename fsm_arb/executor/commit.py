"""One commit of a trade: its records, and what they do to its position, together or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.errors import JournalFull
from fsm_arb.executor.entries import Cause
from fsm_arb.executor.notices import turned
from fsm_arb.executor.oversight import Oversight
from fsm_arb.executor.positions import position_of
from fsm_arb.messages import Intended
from fsm_arb.scribe import trade_drafts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsm_arb.executor.services import Services
    from fsm_arb.memory import Entry
    from fsm_arb.ports import Batch
    from fsm_arb.scribe import Page
    from fsm_arb.trade import Trade

NS_PER_S = 1_000_000_000


async def write(
    services: Services,
    trade: Trade,
    page: Page,
    entries: Sequence[Entry],
    also: Sequence[tuple[Page, Batch]] = (),
    *,
    held: bool = False,
) -> None:
    """Make *entries* durable, with *also* and with what they do to the trade's position.

    Args:
        services: The executor's parts.
        trade: Whose entries they are.
        page: Its place on the journal.
        entries: The records to be.
        also: What is to be written of its position besides.
        held: Whether the caller holds the trade's position already, as it must where there is an *also*.

    Raises:
        JournalError: Nothing of it is durable.
    """
    started = services.clock.monotonic_ns()
    async with Oversight(services, trade):
        if held or not trade.done:
            await _append(services, trade, page, entries, also)
        else:
            # Two trades may move one position: the second is computed from what the first has made durable.
            async with services.positions.holding(position_of(trade)):
                await _append(services, trade, page, entries, also)
    services.metrics.observe("commit_seconds", (services.clock.monotonic_ns() - started) / NS_PER_S)


async def _append(
    services: Services,
    trade: Trade,
    page: Page,
    entries: Sequence[Entry],
    also: Sequence[tuple[Page, Batch]],
) -> None:
    async with services.leavings.settling(trade, page, entries[-1].at_ns) as left:
        await _commit(services, trade, page, entries, [*also, *left])


async def _commit(
    services: Services, trade: Trade, page: Page, entries: Sequence[Entry], also: Sequence[tuple[Page, Batch]]
) -> None:
    batches = [(page, page.batch(trade_drafts(entries), live=not trade.finished)), *also]
    before = services.positions.known(trade) if trade.done else None
    if trade.done:  # a late fee amends what was booked, without a move
        batches += services.positions.trade_moved(trade, entries)
    try:
        await services.scribe.write(batches)
    except JournalFull as error:
        services.entries.stop(str(error), Cause.FULL)
        if _begins(trade, entries):
            raise  # a new entry finds no room
        # A reserve was released: what is live can still be flattened, nothing new is begun.
        await services.scribe.write(batches)
    services.entries.committed()
    if trade.done:
        after = services.positions.known(trade)
        if after is not None:
            turned(services.alerts, before, after)
    if trade.done or any(entry.trigger == "disturbed" for entry in entries):
        services.guarding.follow(trade)  # what ended with nothing and is disturbed holds again


def _begins(trade: Trade, entries: Sequence[Entry]) -> bool:
    """Whether *entries* are an entry's first: no order of it is durable yet."""
    fresh = sum(len(entry.fact.intents) for entry in entries if isinstance(entry.fact, Intended))
    return trade.decision.action.is_entry and len(trade.orders) == fresh
