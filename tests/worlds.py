"""Two small markets, and a hand that walks one trade through them: builders for the tests of the pure floors.

Numbers are round on purpose: ten base at a price of one hundred, a lot of 0.01, least orders
of 0.1 and 0.2, one dollar to one tether. So every expected number can be worked out by head.
"""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

from attrs import evolve, fields

from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.fx import FxRate
from fsm_arb.ledger import Ledger
from fsm_arb.memory import Entry
from fsm_arb.messages import (
    AbortAsked,
    Busted,
    CancelAsked,
    CancelEnded,
    Checked,
    Event,
    ExternalFill,
    Intended,
    Intent,
    LegSurvey,
    Missed,
    Moved,
    Observed,
    PlaceEnded,
    Purpose,
    Restarted,
    Resumed,
    Sized,
    Stalled,
    Surveyed,
    Ticked,
    WatchEnded,
)
from fsm_arb.plan import Plan
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.ports import Acknowledged, CancelReply, InDoubt, OrderSnapshot, OrderStatus, PlaceOutcome, Refused
from fsm_arb.sizing import SizingInputs, size
from fsm_arb.trade import Step, Trade
from fsm_arb.values import (
    ONE,
    Action,
    Balances,
    Fee,
    FeeIn,
    Fill,
    Leg,
    Level,
    MarketRules,
    Money,
    OrderBook,
    OrderType,
    Side,
    TickBand,
)

D = Decimal
SECOND = 1_000_000_000
PRICE = D(100)
LEGS = (Leg("alpha", "BTC/USD"), Leg("beta", "BTC/USDT"))
PERPETUAL = Leg("beta", "BTC/USDT:USDT")
ALPHA = MarketRules(
    symbol="BTC/USD",
    base="BTC",
    quote="USD",
    lot=D("0.01"),
    ticks=(TickBand(D(0), D("0.01")),),
    amount_min=D("0.1"),
    taker_fee=D("0.001"),
    fee_in=FeeIn.QUOTE,
)
BETA = evolve(ALPHA, symbol="BTC/USDT", quote="USDT", amount_min=D("0.2"))
BETA_KEEPS_BASE = evolve(BETA, fee_in=FeeIn.BASE_ON_BUY)
BETA_PERPETUAL = evolve(BETA, symbol="BTC/USDT:USDT", contract_size=D("0.01"), leverage=D(5))
RICH = Balances(free={"BTC": D(1000), "USD": D(10**6), "USDT": D(10**6)})
POOR = Balances(free={})
PAR = FxRate(base="USDT", quote="USD", rate=ONE, source="par")

Edge = tuple[str, str, str]


def entry(action: Action = Action.ENTRY_POSITIVE, **changes: Any) -> CrossExchangeDecision:
    """Return a decision over ten base at one hundred."""
    given: dict[str, Any] = {
        "action": action,
        "legs": LEGS,
        "notional": Money(D(1000), "USD"),
        "prices": (PRICE, PRICE),
        "decision_id": "d1",
    }
    return CrossExchangeDecision(**(given | changes))


def leaving(**changes: Any) -> CrossExchangeDecision:
    """Return the decision to close position P-d1."""
    given: dict[str, Any] = {
        "action": Action.EXIT_TP,
        "notional": None,
        "position_id": "P-d1",
        "decision_id": "d2",
    }
    return entry(**(given | changes))


def policy(**changes: Any) -> ExecutionPolicy:
    """Return the default policy with changes."""
    return ExecutionPolicy(**changes)


def sized(
    decision: CrossExchangeDecision | None = None,
    rules: tuple[MarketRules, MarketRules] = (ALPHA, BETA),
    under: ExecutionPolicy | None = None,
    **changes: Any,
) -> Plan:
    """Return the plan of a decision, with funds enough for it."""
    asked = decision or entry()
    given: dict[str, Any] = {
        "decision": asked,
        "policy": under or policy(),
        "sides": asked.entry_sides(),
        "rules": rules,
        "fx": PAR,
        "free": (RICH, RICH),
    }
    plan = size(SizingInputs(**(given | changes)))
    assert isinstance(plan, Plan), plan
    return plan


def book(bid: Any = "99.99", ask: Any = "100.01", amount: Any = 1000) -> OrderBook:
    """Return a book with one level a side; a side without a price is empty."""
    bids = (Level(D(bid), D(amount)),) if bid else ()
    return OrderBook(bids=bids, asks=(Level(D(ask), D(amount)),) if ask else ())


def survey(
    first: OrderBook | None = None, second: OrderBook | None = None, free: Balances | None = RICH, now: int = 0
) -> Surveyed:
    """Return both books with the same balances on both; a book not given is that of the decision's price."""
    legs = (LegSurvey(book=first or book(), balances=free), LegSurvey(book=second or book(), balances=free))
    return Surveyed(now=now, legs=legs)


def intent(index: int = 0, leg: int = 0, side: Side = Side.SELL, amount: Any = 10, **changes: Any) -> Intent:
    """Return an order's intent."""
    given: dict[str, Any] = {
        "index": index,
        "leg": leg,
        "purpose": Purpose.FIRST,
        "side": side,
        "amount": D(amount),
        "order_type": OrderType.IOC,
        "bound": PRICE,
        "client_order_id": f"c{index}",
        "reduce_only": False,
        "deadline": 5 * SECOND,
    }
    return Intent(**(given | changes))


def snapshot(filled: Any = 0, *, ended: bool = False, **changes: Any) -> OrderSnapshot:
    """Return a reading of an order: fees known to be none, at the decision's price, unless said otherwise."""
    given: dict[str, Any] = {
        "status": OrderStatus.ENDED if ended else OrderStatus.OPEN,
        "filled": D(filled),
        "average": PRICE if D(filled) else None,
        "fees": (),
    }
    return OrderSnapshot(**(given | changes))


def fill(name: str, amount: Any, price: Any = PRICE, fee: Fee | None = None) -> Fill:
    return Fill(fill_id=name, amount=D(amount), price=D(price), fee=fee)


def remembered(trade: Trade) -> dict[str, Any]:
    """Return all that a trade is, field by field."""
    hidden = {"fresh_id", "_entries", "_sends", "_moving"}
    return {each.name: getattr(trade, each.name) for each in fields(Trade) if each.name not in hidden}


class Walk:
    """Tells one trade what happens, step by step, and checks after each step what must always hold."""

    def __init__(
        self,
        decision: CrossExchangeDecision | None = None,
        *,
        rules: tuple[MarketRules, MarketRules] = (ALPHA, BETA),
        begin: bool = True,
        name: str = "t1",
        sides: tuple[Side, Side] | None = None,
        quantity: Decimal | None = None,
        plan: Plan | None = None,
        **numbers: Any,
    ) -> None:
        self.now = 0.0
        self.decision = decision or entry()
        self.policy = policy(**numbers)
        self.entries: list[Entry] = []
        self.sent: list[Intent] = []
        self.commits: list[int] = []  # how many records were durable after each step
        self._counter = itertools.count()
        self.trade, step = Trade.begin(
            name,
            self.decision,
            self.policy,
            lambda: f"c{next(self._counter)}",
            now=0,
            at_ns=0,
            sides=sides,
            quantity=quantity,
        )
        self._take(step)
        self.plan = plan or sized(
            self.decision, rules, self.policy, sides=sides or self.decision.entry_sides(), quantity=quantity
        )
        if begin:
            self.tell(Checked(now=0))
            self.tell(Sized(now=0, plan=self.plan))

    # -------------------------------------------------------------- what can be asked

    @property
    def state(self) -> str:
        return self.trade.state

    @property
    def moves(self) -> list[Edge]:
        """Every edge that was taken, the first three left out: they are the same for all."""
        return [(e.before, e.trigger, e.after) for e in self.entries if isinstance(e.fact, Moved)][2:]

    @property
    def sends(self) -> list[tuple[int, str, str, Decimal]]:
        """What was sent: leg, purpose, side, amount."""
        return [(each.leg, each.purpose.value, each.side.value, each.amount) for each in self.sent]

    @property
    def ledger(self) -> Ledger:
        assert self.trade.ledger is not None
        return self.trade.ledger

    def cancelled(self) -> list[tuple[int, ...]]:
        return [entry.fact.orders for entry in self.entries if isinstance(entry.fact, CancelAsked)]

    def stalls(self) -> list[Stalled]:
        return [entry.fact for entry in self.entries if isinstance(entry.fact, Stalled)]

    def choices(self) -> list[Any]:
        return [entry.fact.choice for entry in self.entries if isinstance(entry.fact, Intended)]

    @property
    def ns(self) -> int:
        return round(self.now * SECOND)

    # -------------------------------------------------------------- what can happen

    def tell(self, event: Event) -> Step:
        step = self.trade.handle(event, self.ns)
        self._take(step)
        return step

    def at(self, seconds: float) -> Walk:
        """Let time pass up to *seconds* after the beginning."""
        self.now = seconds
        self.tell(Ticked(now=self.ns))
        return self

    def later(self, seconds: float) -> Walk:
        return self.at(self.now + seconds)

    def place(self, order: int, outcome: PlaceOutcome) -> Walk:
        self.tell(PlaceEnded(now=self.ns, order=order, outcome=outcome))
        return self

    def ack(self, order: int, filled: Any = 0, *, ended: bool = False, **changes: Any) -> Walk:
        return self.place(order, Acknowledged(snapshot=snapshot(filled, ended=ended, **changes)))

    def fills(self, order: int, **changes: Any) -> Walk:
        """Acknowledge an order that has filled whole."""
        return self.ack(order, self.sent[order].amount, ended=True, **changes)

    def refuse(self, order: int, code: str = "insufficient_funds") -> Walk:
        return self.place(order, Refused(code=code, message="no"))

    def doubt(self, order: int) -> Walk:
        return self.place(order, InDoubt(code="timeout", message="no answer"))

    def see(self, order: int, filled: Any = 0, *, ended: bool = False, **changes: Any) -> Walk:
        self.tell(Observed(now=self.ns, order=order, snapshot=snapshot(filled, ended=ended, **changes)))
        return self

    def miss(self, order: int, *, covered: bool = True) -> Walk:
        self.tell(Missed(now=self.ns, order=order, asked_at=self.ns, covered=covered))
        return self

    def vanish(self, order: int) -> Walk:
        """Let the fence pass, then three covered looks that do not show the order."""
        self.later(float(self.policy.absence_fence_s))
        return self.miss(order).miss(order).miss(order)

    def look(
        self, first: OrderBook | None = None, second: OrderBook | None = None, free: Balances | None = RICH
    ) -> Walk:
        """Answer the survey that the trade wants."""
        assert self.trade.wants_survey(self.ns), "no survey is wanted"
        self.tell(survey(first, second, free, now=self.ns))
        return self

    def silence(self, *silent: int) -> Walk:
        """Answer the survey with nothing from the legs named."""
        assert self.trade.wants_survey(self.ns), "no survey is wanted"
        there = LegSurvey(book=book(), balances=RICH)
        first, second = (None if leg in silent else there for leg in (0, 1))
        self.tell(Surveyed(now=self.ns, legs=(first, second)))
        return self

    def restart(self) -> Walk:
        self.tell(Restarted(now=self.ns))
        return self

    def bust(self, order: int, amount: Any) -> Walk:
        self.tell(Busted(now=self.ns, order=order, amount=D(amount), reason="trade-through"))
        return self

    def by_hand(self, leg: int, side: Side, amount: Any, price: Any = PRICE, fee: Fee | None = None) -> Walk:
        self.tell(
            ExternalFill(now=self.ns, leg=leg, side=side, amount=D(amount), price=D(price), reason="by hand", fee=fee)
        )
        return self

    def resume(self) -> Walk:
        self.tell(Resumed(now=self.ns, reason="an operator asked"))
        return self

    def abort(self) -> Walk:
        self.tell(AbortAsked(now=self.ns, reason="no longer wanted"))
        return self

    def answer_cancel(self, order: int, *, accepted: bool = True) -> Walk:
        self.tell(CancelEnded(now=self.ns, order=order, reply=CancelReply(accepted=accepted)))
        return self

    def end_watch(self) -> Walk:
        self.tell(WatchEnded(now=self.ns))
        return self

    # -------------------------------------------------------------- what must always hold

    def _take(self, step: Step) -> None:
        self.entries += step.entries
        self.sent += step.sends
        if step.entries:
            self.commits.append(len(self.entries))
        ids = [each.client_order_id for each in self.sent]
        assert len(set(ids)) == len(ids), "a client order id was used twice"
        self._fold_is_the_trade()
        assert self._awaits(), f"{self.state}: nothing is enabled, and nothing is waited for that ends"
        if self.trade.done and self.trade.ledger is not None:
            assert self.trade.ledger.known
            assert abs(self.trade.exposure) < self.ledger.plan.dust, "DONE with more than dust naked"

    def _fold_is_the_trade(self) -> None:
        def asked() -> str:
            raise AssertionError("folding asked for a client order id")

        folded = Trade.fold(self.trade.trade_id, self.entries, asked)
        assert remembered(folded) == remembered(self.trade)
        assert (folded._entries, folded._sends) == ([], [])

    def _awaits(self) -> bool:
        """Whether an answer is out, a time is set, or the trade is over."""
        trade = self.trade
        return (
            trade.done
            or trade.state in {"PRECHECK", "SIZING"}  # the checks and the plan are the driver's to bring
            or any(order.placing_ended_at is None for order in trade.orders if order.live)
            or trade.wants_survey(self.ns)
            or trade.wakes_at(self.ns) is not None
        )
