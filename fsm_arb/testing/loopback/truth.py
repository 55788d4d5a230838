"""The server's books as its clients read them: what tests judge by."""

from __future__ import annotations

import decimal
import functools
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ParamSpec, TypeVar

from attrs import frozen

from fsm_arb.values import EXACT, ZERO, Side

P = ParamSpec("P")
R = TypeVar("R")


def _exactly(function: Callable[P, R]) -> Callable[P, R]:
    """Compute exactly, whatever ccxt made of the thread's decimal context."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with decimal.localcontext(EXACT):
            return function(*args, **kwargs)

    return call


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _amounts(data: Mapping[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in data.items()}


@frozen(kw_only=True)
class TrueOrder:
    """An order that the venue accepted."""

    order_id: str
    client_id: str | None
    symbol: str
    side: Side
    kind: str  # limit, market or cost
    time_in_force: str  # gtc, ioc, fok or post_only
    amount: Decimal | None  # base; None for a cost order
    price: Decimal | None
    cost: Decimal | None
    reduce_only: bool
    status: str  # open, filled, canceled or expired
    filled: Decimal  # base
    spent: Decimal  # quote, fees aside
    fees: Mapping[str, Decimal]  # by asset
    created_ms: int
    updated_ms: int

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TrueOrder:
        """Read one."""
        optional = {name: _decimal(data[name]) for name in ("amount", "price", "cost")}
        numbers = {name: Decimal(data[name]) for name in ("filled", "spent")}
        return cls(**{**data, **optional, **numbers, "side": Side(data["side"]), "fees": _amounts(data["fees"])})

    @property
    def is_open(self) -> bool:
        """Whether it may still execute."""
        return self.status == "open"


@frozen(kw_only=True)
class TrueFill:
    """A trade."""

    trade_id: int
    trade_uuid: str  # what Upbit shows
    order_id: str
    client_id: str | None
    symbol: str
    side: Side
    amount: Decimal  # base
    price: Decimal
    fee: Decimal
    fee_asset: str
    maker: bool
    at_ms: int
    realised: Decimal  # quote; derivatives only

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TrueFill:
        """Read one."""
        numbers = {name: Decimal(data[name]) for name in ("amount", "price", "fee", "realised")}
        return cls(**{**data, **numbers, "side": Side(data["side"])})


@frozen(kw_only=True)
class TrueCreate:
    """A create that reached the venue's engine, accepted or not."""

    client_id: str | None
    symbol: str
    side: Side
    amount: Decimal | None
    price: Decimal | None
    at_ms: int
    refusal: str | None  # None: accepted

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TrueCreate:
        """Read one."""
        numbers = {name: _decimal(data[name]) for name in ("amount", "price")}
        return cls(**{**data, **numbers, "side": Side(data["side"])})


@frozen(kw_only=True)
class WireCreate:
    """A create that came over the wire, whether or not a fault let it through to the engine."""

    client_id: str | None
    at_ms: int
    fault: str | None
    executed: bool | None  # whether it reached the engine; None: not yet
    status: int | None  # HTTP; None: the reply was lost, or is not out yet

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> WireCreate:
        """Read one."""
        return cls(**{name: data[name] for name in ("client_id", "at_ms", "fault", "executed", "status")})


@frozen(kw_only=True)
class VenueTruth:
    """One venue's books."""

    orders: tuple[TrueOrder, ...]
    fills: tuple[TrueFill, ...]
    creates: tuple[WireCreate, ...]  # every create that was sent to us
    received: tuple[TrueCreate, ...]  # those that reached the engine
    free: Mapping[str, Decimal]
    used: Mapping[str, Decimal]
    initial: Mapping[str, Decimal]
    positions: Mapping[str, Decimal]  # base by symbol, + for long; derivatives only
    wallet: Mapping[str, Decimal]  # derivatives only

    @classmethod
    def from_json(cls, data: Mapping[str, Any], initial: Mapping[str, str]) -> VenueTruth:
        """Read one."""
        return cls(
            orders=tuple(TrueOrder.from_json(row) for row in data["orders"]),
            fills=tuple(TrueFill.from_json(row) for row in data["fills"]),
            creates=tuple(WireCreate.from_json(row) for row in data["creates"]),
            received=tuple(TrueCreate.from_json(row) for row in data["received"]),
            free={asset: Decimal(row["free"]) for asset, row in data["balances"].items()},
            used={asset: Decimal(row["used"]) for asset, row in data["balances"].items()},
            initial=_amounts(initial),
            positions={symbol: Decimal(row["amount"]) for symbol, row in data["positions"].items()},
            wallet=_amounts(data["wallet"]),
        )

    def order(self, client_id: str) -> TrueOrder | None:
        """Return the latest order of that client id."""
        return next((order for order in reversed(self.orders) if order.client_id == client_id), None)

    def sent_twice(self) -> list[str]:
        """Return the client ids that came over the wire with more than one create, faults or not."""
        counts = Counter(create.client_id for create in self.creates if create.client_id)
        return [client_id for client_id, count in counts.items() if count > 1]

    @_exactly
    def bought(self, symbol: str) -> Decimal:
        """Return the signed base that trades in *symbol* brought, base fees taken off."""
        base = symbol.partition("/")[0]
        return sum(
            (
                fill.amount * fill.side.sign - (fill.fee if fill.fee_asset == base else ZERO)
                for fill in self.fills
                if fill.symbol == symbol
            ),
            ZERO,
        )

    @_exactly
    def moved(self) -> dict[str, Decimal]:
        """Return by how much each asset has changed since the beginning."""
        assets = self.initial.keys() | self.free.keys()
        return {
            asset: self.free.get(asset, ZERO) + self.used.get(asset, ZERO) - self.initial.get(asset, ZERO)
            for asset in assets
        }

    @_exactly
    def moved_by_fills(self) -> dict[str, Decimal]:
        """Return by how much each asset should have changed, from the trades alone."""
        moved: dict[str, Decimal] = {}
        for fill in self.fills:
            base, _, quote = fill.symbol.partition(":")[0].partition("/")
            signed = fill.amount * fill.side.sign
            traded = ((base, signed), (quote, -signed * fill.price))
            for asset, change in (*(((quote, fill.realised),) if self.wallet else traded), (fill.fee_asset, -fill.fee)):
                moved[asset] = moved.get(asset, ZERO) + change
        return moved

    @_exactly
    def unexplained(self) -> dict[str, Decimal]:
        """Return what moved otherwise than by trades and their fees; empty where the books are sound."""
        moved, by_fills = self.moved(), self.moved_by_fills()
        gaps = {asset: moved.get(asset, ZERO) - by_fills.get(asset, ZERO) for asset in moved.keys() | by_fills.keys()}
        return {asset: gap for asset, gap in gaps.items() if gap}


@frozen(kw_only=True)
class Truth:
    """All venues' books at one moment."""

    now_ms: int
    venues: Mapping[str, VenueTruth]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Truth:
        """Read what the server answered."""
        venues = {
            name: VenueTruth.from_json(row, data["initial"].get(name, {})) for name, row in data["venues"].items()
        }
        return cls(now_ms=int(data["now_ms"]), venues=venues)

    def __getitem__(self, dialect: str) -> VenueTruth:
        return self.venues[dialect]

    @_exactly
    def net(self, base: str) -> Decimal:
        """Return the signed base that all trades in *base* brought, over all venues."""
        return sum(
            (
                venue.bought(symbol)
                for venue in self.venues.values()
                for symbol in {fill.symbol for fill in venue.fills}
                if symbol.partition("/")[0] == base
            ),
            ZERO,
        )


@frozen(kw_only=True)
class Log:
    """The server's request log."""

    requests: tuple[Mapping[str, Any], ...]
    total: int
    counts: Mapping[tuple[str, str, str], int]  # (dialect, operation, fault or ""), of all requests ever

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Log:
        """Read what the server answered."""
        counts = {(row[0], row[1], row[2]): int(row[3]) for row in data["counts"]}
        return cls(requests=tuple(data["requests"]), total=int(data["total"]), counts=counts)

    def faults(self) -> dict[str, int]:
        """Return how often each fault was injected."""
        faults: dict[str, int] = {}
        for (_, _, fault), count in self.counts.items():
            if fault:
                faults[fault] = faults.get(fault, 0) + count
        return faults
