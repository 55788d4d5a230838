"""Read ccxt's orders, trades and books into our own values.

Quantities come out in base units, also where the venue counts contracts.
Whether an order has ended comes from its status; what it did, from `filled`
and its trades.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from attrs import frozen

from fsm_arb.ports import OrderSnapshot, OrderStatus
from fsm_arb.values import EXACT, ONE, ZERO, Balances, Fee, Fill, Level, OrderBook, Side, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fsm_arb.venues.dialect import Dialect

NOISE = Decimal("1e-9")  # of a quantity: what adding up floats may have put on top, far below any lot

STATUS_WORDS: Mapping[str, OrderStatus] = {
    "open": OrderStatus.OPEN,
    "closed": OrderStatus.ENDED,
    "canceled": OrderStatus.ENDED,
    "cancelled": OrderStatus.ENDED,
    "expired": OrderStatus.ENDED,
    "rejected": OrderStatus.ENDED,
}


def number(value: object) -> Decimal | None:
    """Return what ccxt gave (str, int, Decimal or float) as a finite Decimal; None for anything else."""
    if value is None or isinstance(value, bool):
        return None
    try:
        # repr, so that a float stands for the shortest text that gives it.
        result = Decimal(repr(value)) if isinstance(value, float) else Decimal(str(value))
    except InvalidOperation:
        return None
    return result if result.is_finite() else None


def contract_size(market: Mapping[str, Any] | None) -> Decimal | None:
    """Return base per contract; None for spot."""
    if not market or not (market.get("contract") or market.get("swap") or market.get("future")):
        return None
    return number(market.get("contractSize")) or ONE


def _side(value: object) -> Side | None:
    return {"buy": Side.BUY, "sell": Side.SELL}.get(str(value).lower())


def _fees_of(entry: Mapping[str, Any]) -> list[Fee] | None:
    """Return the fees that an order or a trade names; None where it names none."""
    listed = entry.get("fees")
    candidates = listed if isinstance(listed, list) and listed else [entry.get("fee")]
    found = []
    for candidate in candidates:
        if not isinstance(candidate, dict):
            continue
        cost, currency = number(candidate.get("cost")), candidate.get("currency")
        if cost is not None and currency:
            found.append(Fee(cost, str(currency)))
    return found or None


def _total(fees: Iterable[Fee]) -> tuple[Fee, ...]:
    sums: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for fee in fees:
        sums[fee.currency] = EXACT.add(sums[fee.currency], fee.amount)
    return tuple(Fee(amount, currency) for currency, amount in sorted(sums.items()))


@frozen
class _Execution:
    fill: Fill
    fees: tuple[Fee, ...]  # every asset it was charged in; none: not told


def _executions(trades: object, size: Decimal | None, order_id: object) -> tuple[_Execution, ...]:
    """Return what ccxt's unified trades of one order tell, one each by identity.

    Where the venue gives no trade id, one is made from what identifies the
    trade, and a count among those that are equal in all of it: the same in
    whatever order the rows come, and with whatever rows beside them.
    """
    found: dict[str, _Execution] = {}
    equals: Counter[str] = Counter()
    for trade in trades if isinstance(trades, list | tuple) else ():
        if not isinstance(trade, dict):
            continue
        amount, price = number(trade.get("amount")), number(trade.get("price"))
        if not amount or price is None:
            continue
        at_ms = trade.get("timestamp")
        identity = str(trade.get("id") or "")
        if not identity:
            likeness = f"{order_id or trade.get('order')}:{at_ms}:{plain(price)}:{plain(amount)}"
            identity = f"{likeness}:{equals[likeness]}"
            equals[likeness] += 1
        fees = _total(_fees_of(trade) or ())
        fill = Fill(
            fill_id=identity,
            amount=EXACT.multiply(amount, size or ONE),
            price=price,
            # A fill charged in two assets keeps its fees on the order only.
            fee=fees[0] if len(fees) == 1 else None,
            at_ms=at_ms if isinstance(at_ms, int) else None,
        )
        found[identity] = _Execution(fill, fees)
    return tuple(found.values())


def parse_fills(trades: object, size: Decimal | None, order_id: object = None) -> tuple[Fill, ...]:
    """Return the executions among ccxt's unified trades of one order.

    Args:
        trades: The rows; those without amount or price are left out.
        size: Base per contract; None for spot.
        order_id: The venue's id of the order; None: as the rows say.
    """
    return tuple(execution.fill for execution in _executions(trades, size, order_id))


def average_of(fills: Iterable[Fill]) -> Decimal | None:
    """Return the average price of fills, quote per base; None for none."""
    amount, cost = ZERO, ZERO
    for fill in fills:
        amount = EXACT.add(amount, fill.amount)
        cost = EXACT.add(cost, EXACT.multiply(fill.amount, fill.price))
    return EXACT.divide(cost, amount) if amount else None


def filled_by(fills: Iterable[Fill]) -> Decimal:
    """Return the base quantity of fills."""
    return EXACT.plus(sum((fill.amount for fill in fills), ZERO))


def client_id_of(order: Mapping[str, Any], dialect: Dialect) -> str | None:
    """Return the client id as the venue shows it; None where the reply does not carry it."""
    info = order.get("info")
    if isinstance(info, dict):
        for key in dialect.client_id_keys:
            if info.get(key):
                return str(info[key])
    value = order.get("clientOrderId")
    return str(value) if value else None


def _status(order: Mapping[str, Any], dialect: Dialect) -> OrderStatus:
    info = order.get("info")
    if dialect.status_key and isinstance(info, dict):
        word = str(info.get(dialect.status_key))
        if word in dialect.statuses:
            return dialect.statuses[word]
    return STATUS_WORDS.get(str(order.get("status")).lower(), OrderStatus.UNKNOWN)


def _average(order: Mapping[str, Any], dialect: Dialect, filled: Decimal, fills: tuple[Fill, ...]) -> Decimal | None:
    """Return the price of what was filled; never one that may have come from the limit price."""
    if not filled:
        return None
    if filled_by(fills) == filled:
        return average_of(fills)
    info = order.get("info")
    if dialect.average_from and isinstance(info, dict):
        cost = number(info.get(dialect.average_from))
        if cost:
            return EXACT.divide(cost, filled)
    if not dialect.average_trusted:
        return None
    average = number(order.get("average"))
    return average or None


def _fees(order: Mapping[str, Any], filled: Decimal, executions: tuple[_Execution, ...]) -> tuple[Fee, ...] | None:
    if not filled:
        return ()
    covered = filled_by(execution.fill for execution in executions)
    if covered == filled and all(execution.fees for execution in executions):
        return _total(fee for execution in executions for fee in execution.fees)
    named = _fees_of(order)
    return _total(named) if named is not None else None


def parse_order(
    order: Mapping[str, Any],
    dialect: Dialect,
    *,
    size: Decimal | None,
    client_order_id: str,
    scrub: Callable[[object], Any],
    trades: object = None,
) -> OrderSnapshot:
    """Return one unified order as a snapshot.

    Args:
        order: ccxt's order.
        dialect: The exchange's row.
        size: Base per contract; None for spot.
        client_order_id: Our id of the order that was asked for; recognised in the form the venue shows.
        scrub: Takes secrets out of the raw reply.
        trades: ccxt's trades of this order, where they were read separately.

    Returns:
        The snapshot. `ENDED` only where the reply also says how much was filled.
    """
    scale = size or ONE
    executions = _executions(trades or order.get("trades"), size, order.get("id"))
    reported = number(order.get("filled"))
    stated = EXACT.multiply(reported or ZERO, scale)
    if reported is not None and filled_by(e.fill for e in executions) > EXACT.multiply(stated, ONE + NOISE):
        executions = ()  # counted twice somewhere, or read later than the order: the next look tells
    fills = tuple(execution.fill for execution in executions)
    filled = max(stated, filled_by(fills))
    status = _status(order, dialect)
    if status is OrderStatus.ENDED and reported is None and not fills:
        status = OrderStatus.UNKNOWN
    amount = number(order.get("amount"))
    shown = client_id_of(order, dialect)
    venue_id = order.get("id")
    info = order.get("info")
    return OrderSnapshot(
        status=status,
        filled=filled,
        venue_order_id=str(venue_id) if venue_id else None,
        client_order_id=client_order_id if shown == dialect.wire_id(client_order_id) else shown,
        symbol=str(order["symbol"]) if order.get("symbol") else None,
        side=_side(order.get("side")),
        amount=EXACT.multiply(amount, scale) if amount else None,
        average=_average(order, dialect, filled, fills),
        fills=fills,
        fees=_fees(order, filled, executions),
        raw=scrub(info or dict(order)),
    )


def parse_book(book: Mapping[str, Any], size: Decimal | None) -> OrderBook:
    """Return ccxt's order book; levels that are not numbers are left out."""

    def levels(rows: object) -> tuple[Level, ...]:
        found = []
        for row in rows if isinstance(rows, list | tuple) else ():
            price, amount = number(row[0]), number(row[1])
            if price and amount:
                found.append(Level(price, EXACT.multiply(amount, size or ONE)))
        return tuple(found)

    at_ms = book.get("timestamp")
    return OrderBook(
        bids=levels(book.get("bids")),
        asks=levels(book.get("asks")),
        at_ms=at_ms if isinstance(at_ms, int) else None,
    )


def parse_balances(balance: Mapping[str, Any]) -> Balances:
    """Return what is free, by asset."""
    free = balance.get("free")
    if not isinstance(free, dict):
        free = {asset: entry.get("free") for asset, entry in balance.items() if isinstance(entry, dict)}
    amounts = {str(asset): number(value) for asset, value in free.items()}
    return Balances(free={asset: value for asset, value in amounts.items() if value is not None})
