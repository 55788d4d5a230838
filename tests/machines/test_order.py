"""An order's life: the fold moves an order along a row of the table or not at all, and along each of them."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from worlds import ALPHA, BETA, PRICE, SECOND, D, fill, intent, sized, snapshot

from fsm_arb import ledger as books
from fsm_arb.ledger import MISSES_MIN, Ledger
from fsm_arb.machines.order import ORDER_TABLE, OrderState, OrderView, Said, order_state, order_view
from fsm_arb.memory import Memory
from fsm_arb.messages import Busted, CancelAsked, Judged, Missed, Observed, PlaceEnded, Restarted
from fsm_arb.policy import seconds_ns
from fsm_arb.ports import Acknowledged, InDoubt, OrderStatus, Refused
from fsm_arb.testing.swarm.running import Order as EpisodeOrder
from fsm_arb.testing.swarm.running import run_episode
from fsm_arb.values import Side

if TYPE_CHECKING:
    from fsm_arb.machines.table import Row
    from fsm_arb.messages import Fact
    from fsm_arb.orders import Order
    from fsm_arb.plan import LegPlan

FENCE = 15 * SECOND
S = OrderState
DOUBT = InDoubt(code="timeout", message="no answer")
NO = Refused(code="invalid_order", message="too small")


def judge_step(before: Order, after: Order, fact: Fact, leg: LegPlan, fence_ns: int) -> Row | None:
    """Return the row that one step of the fold took, having compared the fold with the table, both ways."""
    source, dest = order_state(before), order_state(after)
    view = order_view(before, fact, leg, fence_ns)
    rows = ORDER_TABLE.enabled(source, view)
    if not rows:
        assert dest is source, f"{source} --> {dest} on {fact}: no row"
        return None
    assert dest == rows[0].dest, f"{rows[0]}: the fold went to {dest} on {fact}"
    return rows[0]


# ------------------------------------------------------------------ random lives


FOLD: dict[type, Any] = {
    PlaceEnded: books.place_ended,
    Observed: books.observed,
    Missed: lambda ledger, fact: books.missed(ledger, fact, FENCE),
    CancelAsked: lambda ledger, fact: books.cancel_asked(ledger, fact.orders, fact.now),
    Judged: books.judged,
    Busted: books.busted,
    Restarted: lambda ledger, fact: books.restarted(ledger, fact.now),
}


def after_fact(ledger: Ledger, fact: Any) -> Ledger:
    after: Ledger = FOLD[type(fact)](ledger, fact)
    return after


class Life:
    """What may be told of one order, drawn at random within what a trade lets in."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.now = 0
        self.out = True  # the placing call
        self.ledger = books.intended(
            Ledger(plan=sized(rules=(ALPHA, BETA))), (intent(0), intent(1, leg=1, side=Side.BUY))
        )

    @property
    def order(self) -> Order:
        return self.ledger.orders[0]

    def reading(self) -> Any:
        draw = self.draw
        filled = min(self.order.gross + draw.choice((D(0), D(0), D(1), D(3))), D(10))
        if draw.random() < 0.2:
            filled = draw.choice((D(0), filled))  # a list that lags
        status = draw.choice((OrderStatus.OPEN, OrderStatus.OPEN, OrderStatus.ENDED, OrderStatus.UNKNOWN))
        wrong: dict[str, Any] = {}
        if draw.random() < 0.25:
            wrong = draw.choice(({"symbol": "ETH/USD"}, {"side": Side.BUY}, {"amount": D(50)}))
        fills = (fill("a", filled),) if filled and draw.random() < 0.3 else ()
        return snapshot(filled, status=status, fills=fills, average=PRICE, **wrong)

    def fact(self) -> Any:
        draw = self.draw
        self.now += draw.randint(1, 30) * SECOND
        order = self.order
        if self.out and draw.random() < 0.4:
            self.out = False
            outcome = draw.choice((Acknowledged(snapshot=self.reading()), NO, DOUBT, DOUBT))
            return PlaceEnded(now=self.now, order=0, outcome=outcome)
        kinds = [self.observed, self.missed, self.missed, self.missed, self.restarted, self.another]
        if order.resting and order.cancel_asked_at is None:
            kinds += [self.cancel_asked] * 3
        if order.placing_ended_at is not None:
            kinds.append(self.judged)
        if order.filled:
            kinds.append(self.busted)
        return draw.choice(kinds)()

    def observed(self) -> Any:
        return Observed(now=self.now, order=0, snapshot=self.reading())

    def missed(self) -> Any:
        asked_at = self.now - self.draw.choice((0, 0, 20)) * SECOND
        return Missed(now=self.now, order=0, asked_at=asked_at, covered=self.draw.random() < 0.9)

    def restarted(self) -> Any:
        # The call may be out still: a trade can be taken up anew by the process that drove it.
        return Restarted(now=self.now)

    def another(self) -> Any:
        return Observed(now=self.now, order=1, snapshot=snapshot(1, side=Side.BUY, symbol=BETA.symbol))

    def cancel_asked(self) -> Any:
        return CancelAsked(now=self.now, orders=(0,), choice=None)  # type: ignore[arg-type]

    def judged(self) -> Any:
        filled = self.draw.choice((self.order.filled, D(10)))
        return Judged(now=self.now, order=0, filled=filled, price=PRICE, reason="looked up")

    def busted(self) -> Any:
        return Busted(now=self.now, order=0, amount=self.order.filled, reason="an error of the venue")


def live_all(lives: int) -> Counter[Row]:
    """Live random lives of twenty facts each, and count the rows they took."""
    taken: Counter[Row] = Counter()
    for seed in range(lives):
        life = Life(seed)
        leg = life.ledger.plan.legs[0]
        for _ in range(20):
            fact = life.fact()
            before = life.order
            life.ledger = after_fact(life.ledger, fact)
            row = judge_step(before, life.order, fact, leg, FENCE)
            if row is not None:
                taken[row] += 1
    return taken


def test_the_fold_of_random_facts_moves_an_order_along_each_row_and_no_other_way() -> None:
    """Ten thousand facts: what the table foretells is what happens, and nothing stands in it that does not."""
    taken = live_all(500)
    assert [str(row) for row in ORDER_TABLE.rows if not taken[row]] == []


def test_a_fold_that_believes_in_absence_too_soon_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison can fail."""
    monkeypatch.setattr("fsm_arb.ledger.MISSES_MIN", 1)
    with pytest.raises(AssertionError, match=r"on Missed.*: no row"):
        live_all(500)


def test_a_fold_that_buries_a_late_discovery_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead order that is shown and stays dead differs from its row."""
    real = books.merged
    monkeypatch.setattr("fsm_arb.ledger.merged", lambda order, *rest: order if order.refusal else real(order, *rest))
    with pytest.raises(AssertionError, match=r"the fold went to (DEAD|WRITTEN_OFF)"):
        live_all(500)


# ------------------------------------------------------------------ lives in episodes


def test_orders_of_whole_episodes_move_along_rows_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real executor on simulated venues with their faults: each fact that a trade takes in is judged."""
    taken: Counter[Row] = Counter()
    wrong: list[str] = []
    apply = Memory._apply

    def judged(trade: Memory, fact: Any) -> None:
        before = trade.orders
        apply(trade, fact)
        fence_ns = seconds_ns(trade.policy.absence_fence_s)
        for old, new in zip(before, trade.orders, strict=False):  # those that are new begin here
            assert trade.ledger is not None
            try:
                row = judge_step(old, new, fact, trade.ledger.plan.legs[old.intent.leg], fence_ns)
            except AssertionError as error:  # the executor would outlive it
                wrong.append(str(error))
            else:
                taken.update([row] if row else [])

    monkeypatch.setattr(Memory, "_apply", judged)
    for seed in (*range(15), 111):  # the last one hears a refusal after it was taken up anew
        run_episode(EpisodeOrder(seed=seed))
    assert wrong == []
    assert len(taken) >= 10, taken
    assert sum(taken.values()) > 300


# ------------------------------------------------------------------ single facts


def one(*changes: tuple[str, Any]) -> Order:
    """Return an order with these fields changed."""
    return books.intended(Ledger(plan=sized(rules=(ALPHA, BETA))), (intent(0),)).orders[0].changed(**dict(changes))


def view(order: Order, fact: Any) -> OrderView:
    return order_view(order, fact, sized(rules=(ALPHA, BETA)).legs[0], FENCE)


def test_a_fact_of_another_order_says_nothing() -> None:
    """Order one is filled; order zero stands where it stood."""
    facts: list[Any] = [
        Observed(now=1, order=1, snapshot=snapshot(1)),
        Missed(now=1, order=1, asked_at=1, covered=True),
        Judged(now=1, order=1, filled=D(0), price=None, reason="looked up"),
        PlaceEnded(now=1, order=1, outcome=NO),
        CancelAsked(now=1, orders=(1,), choice=None),  # type: ignore[arg-type]
        Busted(now=1, order=0, amount=D(1), reason="an error of the venue"),
    ]
    assert [view(one(), fact).said for fact in facts] == [Said.NOTHING] * len(facts)


def test_the_last_miss_past_the_fence_ends_the_doubt() -> None:
    """One fewer, one asked too early, or one that searched too little says nothing."""
    doubtful = one(("placing_ended_at", 0), ("misses", MISSES_MIN - 1))
    assert view(doubtful, Missed(now=FENCE, order=0, asked_at=FENCE, covered=True)).said is Said.GONE
    assert view(doubtful, Missed(now=FENCE, order=0, asked_at=FENCE - 1, covered=True)).said is Said.NOTHING
    assert view(doubtful, Missed(now=FENCE, order=0, asked_at=FENCE, covered=False)).said is Said.NOTHING
    fewer = doubtful.changed(misses=MISSES_MIN - 2)
    assert view(fewer, Missed(now=FENCE, order=0, asked_at=FENCE, covered=True)).said is Said.NOTHING


def test_every_state_says_what_is_known_of_an_order() -> None:
    """From being sent, to each way of ending."""
    assert order_state(one()) is S.SENDING
    assert order_state(one(("placing_ended_at", 1))) is S.IN_DOUBT
    assert order_state(one(("mismatch", "side buy instead of sell"))) is S.IN_DOUBT
    assert {order_state(order).value for order in _each_state()} == set(ORDER_TABLE.states)


def _each_state() -> list[Order]:
    """Return an order in each state, found by living."""
    found: dict[OrderState, Order] = {}
    for seed in range(50):
        life = Life(seed)
        for _ in range(20):
            found.setdefault(order_state(life.order), life.order)
            life.ledger = after_fact(life.ledger, life.fact())
    return list(found.values())
