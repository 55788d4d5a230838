"""Paper venues for tests: a spot market that keeps fees of base, one that charges quote, and a contract."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fsm_arb.context import MarketContext
from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.fx import FxRate
from fsm_arb.journal.memory import MemoryDisk, MemoryJournal
from fsm_arb.paper.desk import PaperDesk
from fsm_arb.paper.venue import PaperVenue
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.ports import OrderRef, OrderRequest, Record
from fsm_arb.values import (
    Action,
    FeeIn,
    Health,
    HealthStatus,
    Leg,
    Level,
    MarketRules,
    Money,
    OrderBook,
    OrderType,
    Side,
    TickBand,
)
from fsm_arb.virtual import VirtualClock, run

D = Decimal

SPOT = MarketRules(
    symbol="BTC/USDT",
    base="BTC",
    quote="USDT",
    lot=D("0.001"),
    ticks=(TickBand(D(0), D("0.1")),),
    amount_min=D("0.002"),
    amount_max=D(50),
    notional_min=D(10),
    taker_fee=D("0.001"),
    maker_fee=D("0.0004"),
    fee_in=FeeIn.BASE_ON_BUY,
)
QUOTED = MarketRules(
    symbol="BTC/USDT",
    base="BTC",
    quote="USDT",
    lot=D("0.001"),
    ticks=(TickBand(D(0), D("0.1")),),
    taker_fee=D("0.001"),
    maker_fee=D("0.0004"),
    fee_in=FeeIn.QUOTE,
)
SWAP = MarketRules(
    symbol="BTC/USDT:USDT",
    base="BTC",
    quote="USDT",
    lot=D("0.001"),
    ticks=(TickBand(D(0), D("0.1")),),
    taker_fee=D("0.0005"),
    maker_fee=D("0.0002"),
    fee_in=FeeIn.QUOTE,
    contract_size=D("0.001"),
    leverage=D(10),
)


def book(bids: Any = ((100, 1), (99, 2)), asks: Any = ((101, 1), (102, 2))) -> OrderBook:
    """Return a book; prices and amounts as numbers or text."""
    sides = ([Level(D(str(price)), D(str(amount))) for price, amount in side] for side in (bids, asks))
    first, second = sides
    return OrderBook(bids=first, asks=second)


def venue(rules: MarketRules = SPOT, *, clock: VirtualClock | None = None, **options: Any) -> PaperVenue:
    """Return a venue with a thousand of everything, its book fed."""
    begins = {"BTC": 1000, "USDT": 1000} if rules.spot else {"USDT": 1000}
    given: dict[str, Any] = {"balances": begins, "clock": clock or VirtualClock()} | options
    made = PaperVenue.from_rules("paper", [rules], given.pop("balances"), **given)
    made.feed(rules.symbol, book())
    return made


def request(side: Side, amount: Any, bound: Any, **changes: Any) -> OrderRequest:
    """Return an immediate-or-cancel order."""
    given: dict[str, Any] = {
        "symbol": "BTC/USDT",
        "side": side,
        "amount": D(str(amount)),
        "order_type": OrderType.IOC,
        "bound": D(str(bound)),
        "client_order_id": "c1",
    }
    return OrderRequest(**(given | changes))


def ref(order: OrderRequest, venue_order_id: str | None = None) -> OrderRef:
    """Return what is known of an order."""
    return OrderRef(
        symbol=order.symbol,
        side=order.side,
        amount=order.amount,
        client_order_id=order.client_order_id,
        venue_order_id=venue_order_id,
    )


def fresh() -> bool:
    """Say that an intent is young."""
    return True


# ------------------------------------------------------------------ a pair of them

ALPHA, BETA = Leg("alpha", "BTC/USDT"), Leg("beta", "BTC/USDT:USDT")
UP = Health(status=HealthStatus.UP)
POLICY: dict[str, Any] = {"poll_interval_s": "0.05", "absence_fence_s": "0.2", "fill_timeout_s": 1}


def context(books: tuple[OrderBook | None, OrderBook | None], now_ns: int = 0, **changes: Any) -> MarketContext:
    """Return alpha against beta, one dollar a dollar, both well."""
    given: dict[str, Any] = {
        "now_ns": now_ns,
        "legs": (ALPHA, BETA),
        "books": books,
        "fx": FxRate(base="USDT", quote="USDT", rate=D(1), source="one currency"),
        "health": (UP, UP),
    }
    return MarketContext(**(given | changes))


def entry(action: Action = Action.ENTRY_POSITIVE, quantity: Any = 1, **changes: Any) -> CrossExchangeDecision:
    """Return an entry at the touches of two fresh books."""
    prices = (D(100), D(101)) if action is Action.ENTRY_POSITIVE else (D(101), D(100))
    given: dict[str, Any] = {
        "action": action,
        "legs": (ALPHA, BETA),
        "notional": Money(D(str(quantity)) * prices[0], "USDT"),
        "prices": prices,
        "decision_id": "d1",
    }
    return CrossExchangeDecision(**(given | changes))


def leaving(position_id: str | None, **changes: Any) -> CrossExchangeDecision:
    """Return an exit at the touches of two fresh books."""
    given: dict[str, Any] = {"action": Action.EXIT_TP, "notional": None, "position_id": position_id}
    return entry(**(given | {"decision_id": "d2", "prices": (D(101), D(100))} | changes))


def desk(clock: VirtualClock, *, disk: MemoryDisk | None = None, **options: Any) -> PaperDesk:
    """Return a desk over alpha, a spot venue, and beta, a futures one; nothing was fed yet."""
    parts = {name: options.pop(name) for name in ("latency_ms", "book_max_age_s") if name in options}
    venues = {
        "alpha": PaperVenue.from_rules("alpha", [QUOTED], {"BTC": 100, "USDT": 10_000}, clock=clock, **parts),
        "beta": PaperVenue.from_rules("beta", [SWAP], {"USDT": 10_000}, clock=clock, **parts),
    }
    policy = ExecutionPolicy(**(POLICY | options.pop("policy", {})))
    return PaperDesk(venues, MemoryJournal(disk), clock=clock, policy=policy, **options)


def records_of(*acts: Any, **options: Any) -> list[Record]:
    """Return the records of a desk that was fed and asked in turn: two books, or a decision."""
    clock, disk = VirtualClock(), MemoryDisk()

    async def play() -> None:
        async with desk(clock, disk=disk, **options) as paper:
            for act in acts:
                if isinstance(act, tuple):
                    paper.feed(context(act))
                else:
                    await paper.execute_decision(act)

    run(play(), clock)
    return disk.records
