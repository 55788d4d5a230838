"""One assertion for the end of any bot's test: whatever it did, no leg is left naked.

It asks the venues' own books and nobody else, so it works for any bot, built on
this library or not::

    assert_no_naked_leg(simulated_venues, dust="0.0001")
    assert_no_naked_leg({"upbit": await upbit.fetch_my_trades("BTC/KRW"), "binance": ...}, dust="0.0001")

When it fails it says in full words how much of which asset is naked, on which
venue, by which orders, and what is still live.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

from attrs import evolve, frozen

from fsm_arb.testing.glimpse import Glimpse, VenueFill, VenueOrder
from fsm_arb.values import EXACT, ZERO, Side, to_decimal

Number = Decimal | int | float | str
Moved = Mapping[str, Mapping[str, Decimal]]
Rows = Iterable[Mapping[str, Any]]


@runtime_checkable
class Books(Protocol):
    """Simulated venues, as far as they are asked here."""

    def venue_orders(self) -> Mapping[str, VenueOrder]:
        """Every order on every venue."""
        ...

    def moved(self) -> Moved:
        """By how much each asset has changed since the beginning, by venue."""
        ...


@frozen
class _Seen:
    """What the venues have."""

    orders: tuple[VenueOrder, ...]
    by_hand: Moved  # base that no order of the list explains, by venue and asset
    dust: Mapping[str, Decimal] | None = None  # by asset, where it is known


def assert_no_naked_leg(
    venues: Books | Glimpse | Mapping[str, Rows],
    *,
    dust: Number | Mapping[str, Number] | None = None,
    symbols: Iterable[str] | None = None,
    orders: Mapping[str, Rows] | None = None,
    contract_sizes: Mapping[str, Number] | None = None,
    allow_live: bool = False,
) -> dict[str, Decimal]:
    """Assert that what was bought and sold of each asset, over all venues together, is the same within dust.

    Args:
        venues: Simulated venues, a glimpse, or the trades of each venue as ccxt returns them, by the venue's name.
        dust: Base, below which an exposure is no naked leg; one for all, or by asset. A glimpse knows its own.
        symbols: Unified symbols to look at; None: all.
        orders: The orders of each venue as ccxt returns them, where trades are given: what is open may still execute.
        contract_sizes: Base per contract, by symbol, where ccxt counts trades in contracts.
        allow_live: Whether orders may still be live that would leave a naked leg if they filled.

    Returns:
        What is left of each asset, base, + for long; all of it is dust.

    Raises:
        AssertionError: A leg is naked, or may become so; says how much, where, by which orders and what is live.
        InvalidInput: A number is none, or no dust is given and none is known.
        ValueError: A trade or an order lacks what it must say.
    """
    __tracebackhide__ = True  # pytest then shows the test's own line, and the words below it
    seen = _seen(venues, orders or {}, contract_sizes or {})
    only = None if symbols is None else frozenset(symbols)
    by_asset: dict[str, list[VenueOrder]] = defaultdict(list)
    for order in seen.orders:
        if only is None or order.symbol in only:
            by_asset[_base(order)].append(order)
    bases = {_base(order) for order in seen.orders} if only is None else {each.partition("/")[0] for each in only}
    assets = sorted(by_asset.keys() | {asset for row in seen.by_hand.values() for asset in row if asset in bases})
    left: dict[str, Decimal] = {}
    wrong: list[str] = []
    for asset in assets:
        by_hand = {venue: row[asset] for venue, row in seen.by_hand.items() if row.get(asset)}
        holding = _Holding(asset, tuple(by_asset[asset]), by_hand, _dust(asset, dust, seen.dust))
        left[asset] = holding.exposure
        wrong += holding.faults(allow_live=allow_live)
    if wrong:
        raise AssertionError("\n".join(wrong))
    return left


# ------------------------------------------------------------------ one asset


@frozen
class _Holding:
    """What all venues together hold of one asset."""

    asset: str
    orders: tuple[VenueOrder, ...]
    by_hand: Mapping[str, Decimal]  # by venue, what no order explains
    dust: Decimal

    @property
    def nets(self) -> dict[str, Decimal]:
        """What each venue has received."""
        nets: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for order in self.orders:
            nets[order.venue] += order.received
        for venue, amount in self.by_hand.items():
            nets[venue] += amount
        return dict(nets)

    @property
    def exposure(self) -> Decimal:
        return sum(self.nets.values(), ZERO)

    @property
    def worst(self) -> Decimal:
        """The far end of the exposure, were each live order to fill or not."""
        low = high = self.exposure
        for order in self.orders:
            if order.side is Side.BUY:
                high += _left(order)
            else:
                low -= _left(order)
        return low if abs(low) > abs(high) else high

    def faults(self, *, allow_live: bool) -> Iterable[str]:
        """Yield what is wrong, in full words."""
        exposure, worst = self.exposure, self.worst
        if self._naked(exposure):
            yield (
                f"{abs(exposure):f} {self.asset} is naked, {_way(exposure)}, in excess on {self._excess(exposure)} "
                f"(dust is below {self.dust:f} {self.asset}):\n{self._told()}"
            )
        elif self._naked(worst) and not allow_live:
            yield (
                f"{abs(exposure):f} {self.asset} is naked now, and {abs(worst):f} {self.asset}, {_way(worst)}, may "
                f"become so by orders that are still live (dust is below {self.dust:f} {self.asset}):\n{self._told()}"
            )

    def _naked(self, amount: Decimal) -> bool:
        return bool(amount) and abs(amount) >= self.dust

    def _excess(self, exposure: Decimal) -> str:
        """Return the venue that holds most in the direction of what is naked."""
        nets = self.nets
        return max(sorted(nets), key=lambda venue: nets[venue] * (1 if exposure > 0 else -1))

    def _told(self) -> str:
        lines = []
        for venue, net in sorted(self.nets.items()):
            lines.append(f"  {venue}: {_net(net, self.asset)}")
            lines += [f"    {_order(order)}" for order in self.orders if order.venue == venue]
            if self.by_hand.get(venue):
                lines.append(f"    by no order that is known: {self.by_hand[venue]:+f} {self.asset}")
        live = [order for order in self.orders if order.live]
        lines.append(f"  still live: {', '.join(map(_name, live))}" if live else "  nothing is live any more")
        return "\n".join(lines)


def _way(amount: Decimal) -> str:
    return "long" if amount > 0 else "short"


def _net(net: Decimal, asset: str) -> str:
    if not net:
        return f"nothing bought or sold of {asset} in sum"
    return f"{'received' if net > 0 else 'gave away'} {abs(net):f} {asset} in sum"


def _name(order: VenueOrder) -> str:
    return f"{order.client_order_id} on {order.venue}"


def _order(order: VenueOrder) -> str:
    base = _base(order)
    kept = order.filled * order.side.sign - order.received
    fee = f", {kept:f} of it kept as a fee" if kept else ""
    done = f"order {order.client_order_id}: {order.side.value} {order.symbol}, {order.filled:f} executed{fee}"
    if not order.live:
        return f"{done}, over"
    return f"{done}; still live, it may {order.side.value} {_left(order):f} {base} more"


def _base(order: VenueOrder) -> str:
    return order.symbol.partition("/")[0]


def _left(order: VenueOrder) -> Decimal:
    return max(order.amount - order.filled, ZERO) if order.live else ZERO


def _dust(asset: str, given: Number | Mapping[str, Number] | None, known: Mapping[str, Decimal] | None) -> Decimal:
    if isinstance(given, Mapping):
        return _number(given[asset], f"dust of {asset}") if asset in given else ZERO
    if given is not None:
        return _number(given, "dust")
    return known.get(asset, ZERO) if known is not None else _number(given, "dust")


# ------------------------------------------------------------------ where it is read from


def _seen(
    venues: Books | Glimpse | Mapping[str, Rows],
    orders: Mapping[str, Rows],
    contract_sizes: Mapping[str, Number],
) -> _Seen:
    if isinstance(venues, Glimpse):
        dust: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for trade in venues.trades.values():
            if trade.ledger is not None:
                dust[trade.ledger.plan.legs[0].rules.base] += trade.ledger.plan.dust
        found = tuple(venues.orders.values())
        return _Seen(found, _unexplained(found, venues.moved) if venues.moved else venues.external, dust)
    if isinstance(venues, Books):
        found = tuple(venues.venue_orders().values())
        return _Seen(found, _unexplained(found, venues.moved()))
    rows = [
        order
        for venue in sorted(venues.keys() | orders.keys())
        for order in _from_ccxt(venue, venues.get(venue, ()), orders.get(venue, ()), contract_sizes)
    ]
    return _Seen(tuple(rows), {})


def _unexplained(orders: Iterable[VenueOrder], moved: Moved) -> Moved:
    """Return the base that moved otherwise than by *orders* and their fees: what was traded under no known order."""
    gaps: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for venue, row in moved.items():
        gaps[venue].update(row)
    bases: set[str] = set()
    for order in orders:
        pair, _, derivative = order.symbol.partition(":")
        base, _, quote = pair.partition("/")
        bases.add(base)
        row = gaps[order.venue]
        for fill in order.fills:
            signed = fill.amount * order.side.sign
            if not derivative:  # it moves no base, and its quote by what was realised
                row[base] = EXACT.subtract(row[base], signed)
                row[quote] = EXACT.add(row[quote], EXACT.multiply(signed, fill.price))
            if fill.fee_currency:
                row[fill.fee_currency] = EXACT.add(row[fill.fee_currency], fill.fee)
    return {venue: {asset: row[asset] for asset in bases if row[asset]} for venue, row in gaps.items()}


def _from_ccxt(venue: str, trades: Rows, orders: Rows, contract_sizes: Mapping[str, Number]) -> Iterable[VenueOrder]:
    """Return one venue's trades and orders, as ccxt returns them, order by order."""
    found: dict[str, VenueOrder] = {}
    for row in orders:
        order_id, symbol = str(_word(row, "id", venue)), str(_word(row, "symbol", venue))
        found[order_id] = VenueOrder(
            venue=venue,
            client_order_id=str(row.get("clientOrderId") or order_id),
            symbol=symbol,
            side=Side(_word(row, "side", venue)),
            amount=_number(row.get("amount") or 0, "amount") * _size(symbol, contract_sizes),
            live=row.get("status") == "open",
        )
    fills: dict[str, dict[str, VenueFill]] = defaultdict(dict)
    for number, row in enumerate(trades):
        symbol, side = str(_word(row, "symbol", venue)), Side(_word(row, "side", venue))
        order_id = str(row.get("order") or f"of trade {row.get('id') or number}")
        fill = _fill(row, number, venue, _size(symbol, contract_sizes))
        fills[order_id].setdefault(fill.fill_id, fill)  # two pages of trades may overlap
        if order_id not in found:
            found[order_id] = VenueOrder(
                venue=venue, client_order_id=order_id, symbol=symbol, side=side, amount=ZERO, live=False
            )
    for order_id, order in found.items():
        executed = tuple(fills[order_id].values())
        whole = max(order.amount, sum((fill.amount for fill in executed), ZERO))
        yield evolve(order, amount=whole, fills=executed)


def _size(symbol: str, contract_sizes: Mapping[str, Number]) -> Decimal:
    """Return the base that one unit of a ccxt amount stands for."""
    return _number(contract_sizes.get(symbol, 1), f"contract size of {symbol}")


def _fill(row: Mapping[str, Any], number: int, venue: str, size: Decimal) -> VenueFill:
    base = str(row["symbol"]).partition("/")[0]
    fees = row.get("fees") or ([row["fee"]] if row.get("fee") else [])
    in_base = sum(
        (_number(fee["cost"], "fee") for fee in fees if fee.get("currency") == base and fee.get("cost")), ZERO
    )
    return VenueFill(
        fill_id=str(row.get("id") or f"number {number}"),
        amount=_number(_word(row, "amount", venue), "amount") * size,
        price=_number(row.get("price") or 0, "price"),
        fee=in_base,
        fee_currency=base if in_base else "",
    )


def _word(row: Mapping[str, Any], key: str, venue: str) -> Any:
    value = row.get(key)
    if value is None:
        raise ValueError(f"{venue}: a row without {key!r} says nothing: {dict(row)}")
    return value


def _number(value: object, name: str) -> Decimal:
    """Return *value* as a Decimal, a float by its shortest text, as ccxt's numbers are meant."""
    return to_decimal(str(value) if isinstance(value, float) else value, name)
