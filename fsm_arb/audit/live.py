"""Compare a journal with the exchanges themselves, by what they list to the account's owner. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.audit.executions import Executed, executed
from fsm_arb.audit.reconciling import Comparison, Span, compare
from fsm_arb.ports import OrderRef
from fsm_arb.values import Side

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

    from fsm_arb.audit.executions import Ours
    from fsm_arb.venues.history import History, Listed

BEFORE_MS = 60_000  # that is asked for more than our clock says: the exchange's may be slow


async def compare_live(
    path: str | os.PathLike[str], accounts: Mapping[str, History], *, now_ms: int, jobs: int = 1
) -> Comparison:
    """Return how a journal and its exchanges differ, on all markets that it has traded there.

    Where an exchange lists no executions, each order is asked for by itself:
    then what it executed without the journal's knowledge does not show.

    Args:
        path: The journal.
        accounts: By the key under which the journal knows the exchange; others are left out.
        now_ms: Wall clock, UTC.
        jobs: Processes to read the journal with.

    Raises:
        JournalError: The journal cannot be read.
        VenueUnanswered: An exchange gave no usable answer.
    """
    spans: dict[tuple[str, str], Span] = {}
    theirs: list[Executed] = []
    for order in _of(accounts, executed(path, jobs=jobs)):
        account, market = accounts[order.exchange], (order.exchange, order.symbol)
        begin = min(order.began_ms - BEFORE_MS, spans[market].from_ms if market in spans else now_ms)
        spans[market] = Span(begin, now_ms + BEFORE_MS)
        if not account.lists and order.client_order_id:
            theirs += as_executed(market, await account.order(_ref(order)), f"order {order.client_order_id}")
    for (exchange, symbol), span in spans.items():
        if accounts[exchange].lists:
            listed = await accounts[exchange].executions(symbol, span.from_ms, now_ms)
            theirs += as_executed((exchange, symbol), listed, "its list")
    return compare(_of(accounts, executed(path, jobs=jobs)), theirs, spans)


def _of(accounts: Iterable[str], orders: Iterable[Ours]) -> Iterator[Ours]:
    return (order for order in orders if order.exchange in accounts)


def _ref(order: Ours) -> OrderRef:
    return OrderRef(
        symbol=order.symbol,
        side=Side(order.side),
        amount=order.amount,
        client_order_id=order.client_order_id,
        venue_order_id=order.order_id or None,
        since_ms=order.began_ms,
    )


def as_executed(market: tuple[str, str], listed: Iterable[Listed], where: str) -> Iterator[Executed]:
    """Yield what an exchange lists of a market (its key and the symbol) as a comparison takes it."""
    for each in listed:
        fee = each.fill.fee
        yield Executed(
            exchange=market[0],
            symbol=market[1],
            trade_id=each.fill.fill_id,
            order_id=each.order_id,
            client_order_id=each.client_order_id,
            side=each.side.value,
            amount=each.fill.amount,
            price=each.fill.price,
            fee=None if fee is None else fee.amount,
            fee_currency="" if fee is None else fee.currency,
            at_ms=each.fill.at_ms or 0,
            where=where,
        )
