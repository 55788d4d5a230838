"""Three venues over one clock and one generator: what a server serves."""

from __future__ import annotations

import contextlib
import decimal
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

from attrs import asdict, define

from fsm_arb.matching.accounts import MarginAccount, SpotAccount
from fsm_arb.matching.exchange import Exchange
from fsm_arb.matching.market import FeeRule
from fsm_arb.testing.loopback.binance import SpotDialect
from fsm_arb.testing.loopback.binanceusdm import UsdmDialect
from fsm_arb.testing.loopback.books import GeneratedBooks, StepClock, Walk
from fsm_arb.testing.loopback.faults import FaultPlan, Operation
from fsm_arb.testing.loopback.markets import BINANCE, BINANCEUSDM, DIALECTS, MARKETS, UPBIT
from fsm_arb.testing.loopback.recorded import RecordedBooks, Recording
from fsm_arb.testing.loopback.upbit import UpbitDialect
from fsm_arb.values import EXACT, ZERO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from fsm_arb.matching.accounts import Account
    from fsm_arb.matching.liquidity import BookSource
    from fsm_arb.matching.orders import Execution, Order, Received
    from fsm_arb.testing.loopback.dialect import Dialect
    from fsm_arb.testing.loopback.options import Options

LOG_MAX = 50_000  # requests that the log remembers; the counts remember all


@contextlib.contextmanager
def exact() -> Iterator[None]:
    """Compute exactly, whatever ccxt made of the thread's decimal context."""
    with decimal.localcontext(EXACT):
        yield


@define(kw_only=True)
class LogEntry:
    """One request."""

    seq: int
    at_ms: int
    dialect: str
    operation: str
    method: str
    path: str
    client_id: str | None
    fault: str | None
    status: int | None = None  # None: the reply was lost, or is not out yet
    executed: bool | None = None  # None: not yet


class World:
    """Everything that the server knows."""

    def __init__(self, options: Options, now_ms: int | None = None) -> None:
        self.options = options
        self.skipped_ms = 0  # how far a test has moved this server's time ahead of the wall clock
        now_ms = self.now_ms() if now_ms is None else now_ms
        self.started_ms = now_ms
        self.clock = StepClock(now_ms, options.step_ms)
        self.recording = Recording(options.recordings, speed=options.speed, started_ms=now_ms)
        self.faults = FaultPlan(options.seed, options.profile)
        self.initial = {dialect: options.opening_balances(dialect) for dialect in DIALECTS}
        self.log: deque[LogEntry] = deque(maxlen=LOG_MAX)
        self.creates: dict[str, list[LogEntry]] = {dialect: [] for dialect in DIALECTS}  # all that came over the wire
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.requests = 0
        self.touched = time.monotonic()  # when somebody last asked for anything
        self.dialects: dict[str, Dialect] = {
            UPBIT: UpbitDialect(self._exchange(UPBIT, SpotAccount(self.initial[UPBIT], FeeRule.QUOTE))),
            BINANCE: SpotDialect(self._exchange(BINANCE, SpotAccount(self.initial[BINANCE], options.spot_fees))),
            BINANCEUSDM: UsdmDialect(self._exchange(BINANCEUSDM, MarginAccount(self.initial[BINANCEUSDM]))),
        }
        self.latency_ms = {dialect: float(options.latency_ms.get(dialect, 0.0)) for dialect in DIALECTS}

    def _exchange(self, dialect: str, account: Account) -> Exchange:
        options = self.options
        prices = {**options.prices, **self.recording.prices()}
        walk = Walk(seed=options.seed, premium_bps=options.premium_bps, prices=prices)
        markets = {market.symbol: market for market in MARKETS[dialect]}
        source: BookSource = GeneratedBooks(dialect, markets, walk, self.clock)
        if self.recording.covers(dialect):
            source = RecordedBooks(dialect, self.recording, source)
        return Exchange(
            markets.values(),
            account,
            source,
            ids_for_ever=dialect == UPBIT,
            post_only_refused=dialect != UPBIT,
            seed=options.seed * len(DIALECTS) + DIALECTS.index(dialect),
        )

    def now_ms(self) -> int:
        """Return this server's time: the wall clock, UTC, and what was skipped."""
        return time.time_ns() // 1_000_000 + self.skipped_ms

    def advance(self, now_ms: int) -> None:
        """Let every venue catch up with *now_ms*."""
        for dialect in self.dialects.values():
            dialect.exchange.advance(now_ms)

    def enter(self, entry: LogEntry) -> None:
        """Log a request."""
        self.touched = time.monotonic()
        self.log.append(entry)
        if entry.operation == Operation.CREATE.value:
            self.creates[entry.dialect].append(entry)
        self.counts[entry.dialect, entry.operation, entry.fault or ""] += 1

    # -------------------------------------------------------------- the truth, JSON-able

    def truth(self, now_ms: int) -> dict[str, Any]:
        """Return orders, fills, balances, positions and every create that was received."""
        self.advance(now_ms)
        return {
            "now_ms": now_ms,
            "venues": {
                name: self._venue(dialect.exchange) | {"creates": [asdict(entry) for entry in self.creates[name]]}
                for name, dialect in self.dialects.items()
            },
            "initial": {
                name: {asset: str(amount) for asset, amount in given.items()} for name, given in self.initial.items()
            },
        }

    @staticmethod
    def _venue(exchange: Exchange) -> dict[str, Any]:
        account = exchange.account
        positions = account.positions if isinstance(account, MarginAccount) else {}
        wallet = account.wallet if isinstance(account, MarginAccount) else {}
        return {
            "orders": [order_json(order) for order in exchange.orders.values()],
            "fills": [fill_json(fill) for fill in exchange.executions],
            "received": [received_json(received) for received in exchange.received],
            "balances": {
                asset: {"free": str(balance.free), "used": str(balance.used)}
                for asset, balance in account.balances().items()
            },
            "wallet": {asset: str(amount) for asset, amount in wallet.items()},
            "positions": {
                symbol: {"amount": str(position.amount), "entry": str(position.entry)}
                for symbol, position in positions.items()
            },
        }

    def log_json(self, since: int) -> dict[str, Any]:
        """Return the requests from number *since* on, and the counts of all."""
        return {
            "requests": [asdict(entry) for entry in self.log if entry.seq >= since],
            "total": self.requests,
            "counts": [[*key, count] for key, count in sorted(self.counts.items())],
        }


def _text(number: Decimal | None) -> str | None:
    return None if number is None else str(number)


def order_json(order: Order) -> dict[str, Any]:
    """Return an order as the truth tells it."""
    new = order.new
    return {
        "order_id": order.order_id,
        "client_id": new.client_id,
        "symbol": new.symbol,
        "side": new.side.value,
        "kind": new.kind.value,
        "time_in_force": new.time_in_force.value,
        "amount": _text(new.amount),
        "price": _text(new.price),
        "cost": _text(new.cost),
        "reduce_only": new.reduce_only,
        "status": order.status.value,
        "filled": str(order.filled),
        "spent": str(order.spent),
        "fees": _fees(order),
        "created_ms": order.created_ms,
        "updated_ms": order.updated_ms,
    }


def _fees(order: Order) -> dict[str, str]:
    fees: dict[str, Decimal] = {}
    for fill in order.fills:
        fees[fill.fee_asset] = fees.get(fill.fee_asset, ZERO) + fill.fee
    return {asset: str(amount) for asset, amount in fees.items()}


def fill_json(fill: Execution) -> dict[str, Any]:
    """Return a trade as the truth tells it."""
    return {
        "trade_id": fill.trade_id,
        "trade_uuid": fill.trade_uuid,
        "order_id": fill.order_id,
        "client_id": fill.client_id,
        "symbol": fill.symbol,
        "side": fill.side.value,
        "amount": str(fill.amount),
        "price": str(fill.price),
        "fee": str(fill.fee),
        "fee_asset": fill.fee_asset,
        "maker": fill.maker,
        "at_ms": fill.at_ms,
        "realised": str(fill.realised),
    }


def received_json(received: Received) -> dict[str, Any]:
    """Return a create that reached the engine, accepted or not."""
    return {
        "client_id": received.client_id,
        "symbol": received.symbol,
        "side": received.side.value,
        "amount": _text(received.amount),
        "price": _text(received.price),
        "at_ms": received.at_ms,
        "refusal": received.refusal.value if received.refusal else None,
    }
