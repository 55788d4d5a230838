"""Both venues, the line to them, a journal, and the real core: everything but the will to do harm."""

from __future__ import annotations

import enum
import itertools
from typing import TYPE_CHECKING, Any

from attrs import frozen

from fsm_arb.messages import (
    AbortAsked,
    Busted,
    Checked,
    ExternalFill,
    Intended,
    Judged,
    LegSurvey,
    Observed,
    PlaceEnded,
    Restarted,
    Sized,
    Surveyed,
)
from fsm_arb.plan import Plan
from fsm_arb.policy import seconds_ns
from fsm_arb.ports import Acknowledged, InDoubt, OrderSnapshot, OrderStatus, PlaceOutcome, Refused
from fsm_arb.testing.glimpse import Append, Create, Glimpse, judged, judged_at_rest
from fsm_arb.testing.stateful.model import ModelOrder, Place
from fsm_arb.trade import Trade
from fsm_arb.values import ZERO
from fsm_arb.virtual import EPOCH_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from fsm_arb.memory import Entry
    from fsm_arb.messages import Event, Intent
    from fsm_arb.testing.glimpse import Checker, VenueOrder, Violation
    from fsm_arb.testing.strategies import Scenario
    from fsm_arb.trade import Step
    from fsm_arb.values import Balances, OrderBook

TRADE_ID = "t1"
BY_PEOPLE = (Busted, ExternalFill, Judged)


class Death(enum.Enum):
    """Where the process dies, of what one event leads to."""

    BEFORE_COMMIT = "before the commit"  # nothing of it is durable, nothing is sent
    AFTER_COMMIT = "after the commit"  # durable, and never sent


class Kind(enum.Enum):
    """What a request asks for."""

    PLACE = "place"
    CANCEL = "cancel"


@frozen(repr=False)
class Request:
    """Something on its way to a venue."""

    kind: Kind
    order: ModelOrder

    def __repr__(self) -> str:
        return f"<{self.kind.value} {self.order!r}>"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:  # noqa: FBT001 - Hypothesis calls it so
        printer.text(repr(self))


def _same(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether both hold the same objects."""
    return len(before) == len(after) and all(before.get(name) is each for name, each in after.items())


class NakedLeg(AssertionError):
    """A promise was broken; the message says which, of which trade, and by how much."""


class World:
    """One trade, what is durable of it, and the true books of both venues.

    Args:
        scenario: What it begins with.
        checkers: Who judges, after each step.

    Attributes:
        now: Monotonic ns.
        trade: The core, alive.
        orders: Every order as its venue knows it, by index.
        dies: Where the process dies when it next hears of something; None: it does not.
        faults_on: Whether venues and the line still misbehave.
        calm_since: Monotonic ns when they stopped.
        walls: Trades that neither venue would take a remedy of any more.
    """

    def __init__(self, scenario: Scenario, checkers: Sequence[Checker]) -> None:
        self.scenario, self.checkers = scenario, checkers
        self.now = 0
        self.orders: list[ModelOrder] = []
        self.dies: Death | None = None
        self.faults_on = True
        self.calm_since: int | None = None
        self.walls: frozenset[str] = frozenset()
        self.by_hand: list[ExternalFill] = []
        self.naked_ns = 0  # how long more than dust was naked, in truth
        self.most_naked = ZERO  # base
        self._entries: list[Entry] = []
        self._creates: list[Create] = []
        self._appends: list[Append] = []
        self._requests: list[Request] = []
        self._epoch = 1
        self._before: Glimpse | None = None
        self._known: tuple[Trade, int] | None = None  # the trade and its records, at that glimpse
        self._count = itertools.count()
        self.trade, step = Trade.begin(
            TRADE_ID, scenario.decision, scenario.policy, self._fresh_id, now=self.now, at_ns=self._at_ns
        )
        self._commit(step)
        self._before = self.glimpse()

    def _fresh_id(self) -> str:
        return f"c{next(self._count)}"

    @property
    def _at_ns(self) -> int:
        return EPOCH_NS + self.now

    # -------------------------------------------------------------- what it holds

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is durable, in order."""
        return tuple(self._entries)

    @property
    def plan(self) -> Plan | None:
        """What it was sized to; None: it was not."""
        return self.trade.ledger.plan if self.trade.ledger else None

    @property
    def exposure(self) -> Decimal:
        """Base that is naked now, in truth, + for long."""
        by_hand = sum((fill.side.sign * fill.amount for fill in self.by_hand), ZERO)
        return sum((order.seen().received for order in self.orders), by_hand)

    def calls_out(self) -> list[ModelOrder]:
        """Return the orders whose placing call has not come back."""
        return [order for order in self.orders if order.comes_until is None]

    def requests(self) -> list[Request]:
        """Return what has set out for a venue since the last time this was asked."""
        fresh, self._requests = self._requests, []
        return fresh

    # -------------------------------------------------------------- the line between

    def begin(self, *, blocked: bool = False, abort_after: str = "") -> None:
        """Bring the trade to its first orders, or let it end before them.

        Args:
            blocked: Whether the checks say no.
            abort_after: ``"begun"`` or ``"checked"``: it is asked to end then.
        """
        if abort_after == "begun":
            self.tell(AbortAsked(now=self.now, reason="no longer wanted"))
            return
        self.tell(Checked(now=self.now, refusal="alpha is down" if blocked else ""))
        if abort_after == "checked":
            self.tell(AbortAsked(now=self.now, reason="no longer wanted"))
        elif not blocked:
            plan = self.scenario.sized()
            if isinstance(plan, Plan):
                self.tell(Sized(now=self.now, plan=plan))
            else:
                self.tell(Sized(now=self.now, refusal=str(plan)))

    def pass_time(self, ns: int) -> None:
        """Let *ns* pass, and remember what was naked while they did."""
        plan = self.plan
        if plan is not None and abs(self.exposure) >= plan.dust:
            self.naked_ns += ns
        self.now += ns

    def tell(self, event: Event) -> None:
        """Hand one event to the trade, make what follows durable, and send."""
        self._remember_what_was_said(event)
        step = self.trade.handle(event, self._at_ns)
        death, self.dies = self.dies, None
        if death is not Death.BEFORE_COMMIT:
            self._commit(step)
            self._send(step.sends, leaves=death is None)
        if death is not None:
            self.restart()
        self.judge()
        if death is Death.BEFORE_COMMIT and isinstance(event, BY_PEOPLE):
            self.tell(event)  # whoever says such a thing waits for the answer, and says it again

    def restart(self) -> None:
        """Kill the process and take the trade up in another one."""
        self._epoch += 1
        self.trade = Trade.fold(TRADE_ID, self._entries, self._fresh_id)
        for order in self.calls_out():
            self._call_ended(order)
        self.tell(Restarted(now=self.now))

    def call_ends(self, order: ModelOrder, *, answered: bool = True) -> None:
        """Let the call that placed *order* come back: with the truth, or with nothing."""
        outcome: PlaceOutcome = InDoubt(code="timeout", message="no answer")
        if answered and order.refused:
            outcome = Refused(code="insufficient_funds", message="no")
        elif answered and order.here:
            outcome = Acknowledged(snapshot=order.reading())
        self._call_ended(order)
        self.tell(PlaceEnded(now=self.now, order=order.index, outcome=outcome))

    def show(self, order: ModelOrder, reading: OrderSnapshot | None = None) -> None:
        """Show the trade an order: as it stands, or as it stood when *reading* was made."""
        self.tell(Observed(now=self.now, order=order.index, snapshot=reading or order.reading()))

    def survey(self, books: Sequence[OrderBook | None], free: Sequence[Balances | None]) -> None:
        """Answer what a remedy needs to know; None where a venue is silent."""
        legs = [
            None if book is None else LegSurvey(book=book, balances=has) for book, has in zip(books, free, strict=True)
        ]
        self.tell(Surveyed(now=self.now, legs=(legs[0], legs[1])))

    def _call_ended(self, order: ModelOrder) -> None:
        order.comes_until = self.now + seconds_ns(self.scenario.policy.absence_fence_s)

    def _remember_what_was_said(self, event: Event) -> None:
        """Note which orders a venue has called over: later fills of those are its own fault."""
        if isinstance(event, Observed):
            self.orders[event.order].told_over |= event.snapshot.status is OrderStatus.ENDED
        elif isinstance(event, PlaceEnded):
            said = event.outcome
            over = isinstance(said, Acknowledged) and said.snapshot.status is OrderStatus.ENDED
            self.orders[event.order].told_over |= over or isinstance(said, Refused)

    def _commit(self, step: Step) -> None:
        if step.entries:
            self._entries += step.entries
            stream = f"trade/{TRADE_ID}"
            self._appends.append(Append(epoch=self._epoch, latest_epoch=self._epoch, accepted=True, streams=(stream,)))
            for entry in step.entries:
                for index in getattr(entry.fact, "orders", ()):
                    self._requests.append(Request(Kind.CANCEL, self.orders[index]))

    def _send(self, intents: Iterable[Intent], *, leaves: bool) -> None:
        durable = {
            intent.client_order_id
            for entry in self._entries
            if isinstance(entry.fact, Intended)
            for intent in entry.fact.intents
        }
        for intent in intents:
            leg = self.scenario.decision.legs[intent.leg]
            order = ModelOrder(intent, leg.exchange, self.scenario.rules[intent.leg])
            self.orders.append(order)
            if not leaves:
                order.place = Place.NEVER
                continue
            name = intent.client_order_id
            created = Create(
                venue=leg.exchange, client_order_id=name, at=self.now, durable=name in durable, intent_age_ns=0
            )
            self._creates.append(created)
            self._requests.append(Request(Kind.PLACE, order))

    # -------------------------------------------------------------- judging

    def glimpse(self) -> Glimpse:
        """Return how everything stands now. What has not changed is the same object as in the glimpse before."""
        last = self._before
        known = (self.trade, len(self._entries))  # a trade changes by its entries alone
        if last is None or known != self._known:
            self._known = known
            trades, entries = {TRADE_ID: self.trade.copy()}, {TRADE_ID: tuple(self._entries)}
        else:
            trades, entries = dict(last.trades), dict(last.entries)
        orders: dict[str, VenueOrder] = {}
        for order in self.orders:
            name, seen = order.intent.client_order_id, order.seen()
            earlier = last.orders.get(name) if last else None
            orders[name] = earlier if earlier == seen else seen
        return Glimpse(
            now=self.now,
            trades=last.trades if last and _same(last.trades, trades) else trades,
            orders=last.orders if last and _same(last.orders, orders) else orders,
            entries=last.entries if last and _same(last.entries, entries) else entries,
            creates=last.creates if last and len(last.creates) == len(self._creates) else tuple(self._creates),
            appends=last.appends if last and len(last.appends) == len(self._appends) else tuple(self._appends),
            external=self._traded_by_hand(),
            faults_on=self.faults_on,
            calm_since=self.calm_since,
            walls=self.walls,
        )

    def _traded_by_hand(self) -> dict[str, dict[str, Decimal]]:
        traded: dict[str, dict[str, Decimal]] = {}
        for fill in self.by_hand:
            leg = self.scenario.decision.legs[fill.leg]
            assets = traded.setdefault(leg.exchange, {})
            assets[leg.base] = assets.get(leg.base, ZERO) + fill.side.sign * fill.amount
        return traded

    def judge(self) -> None:
        """Let the checkers judge everything since the last time.

        Raises:
            NakedLeg: One of them objects.
        """
        before, after = self._before, self.glimpse()
        self._before = after
        self.most_naked = max(self.most_naked, abs(self.exposure))
        self._object(judged(self.checkers, before or after, after))

    def judge_at_rest(self) -> None:
        """Let them judge the end.

        Raises:
            NakedLeg: One of them objects.
        """
        self._object(judged_at_rest(self.checkers, self.glimpse()))

    def _object(self, violations: Sequence[Violation]) -> None:
        if violations:
            raise NakedLeg("\n".join(map(str, violations)))
