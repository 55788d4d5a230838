"""Facts to text and back: every kind of fact, whatever it holds."""

from __future__ import annotations

import json
from datetime import UTC, timedelta, timezone
from decimal import Decimal
from typing import Any, get_args

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import Walk, entry, leaving, sized, survey

from fsm_arb.codec import KEPT_MAX, VERSION, dumps, loads
from fsm_arb.errors import JournalForeign
from fsm_arb.ledger import Ledger
from fsm_arb.memory import TRIGGERS
from fsm_arb.messages import (
    AbortAsked,
    Begun,
    Busted,
    CancelAsked,
    CancelEnded,
    Checked,
    Choice,
    ExternalFill,
    Fact,
    Intended,
    Intent,
    Judged,
    Kind,
    LegSurvey,
    Missed,
    Moved,
    Observed,
    Option,
    Outcome,
    PlaceEnded,
    Purpose,
    Restarted,
    Resumed,
    Sized,
    Stalled,
    Surveyed,
    WatchEnded,
)
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.ports import Acknowledged, CancelReply, InDoubt, OrderSnapshot, OrderStatus, Refused, Wire
from fsm_arb.position import Position, PositionFact
from fsm_arb.values import Balances, Fee, Fill, Level, OrderBook, OrderType, Side

# ------------------------------------------------------------------ anything a fact can hold

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**15), max_value=10**15)
NS = st.integers(-(2**63), 2**63 - 1)
INDEX = st.integers(0, 9)
# What JSON can carry; a journal takes no lone surrogates.
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
RAW = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


FEES = st.builds(Fee, DECIMALS, WORDS)
FILLS = st.builds(Fill, fill_id=WORDS, amount=DECIMALS, price=DECIMALS, fee=maybe(FEES), at_ms=maybe(NS))
WIRES = st.builds(Wire, sent_at_ns=maybe(NS), received_at_ns=maybe(NS), http_status=maybe(st.integers(100, 599)))
SIDES = st.sampled_from(Side)
SNAPSHOTS = st.builds(
    OrderSnapshot,
    status=st.sampled_from(OrderStatus),
    filled=DECIMALS,
    venue_order_id=maybe(WORDS),
    client_order_id=maybe(WORDS),
    symbol=maybe(WORDS),
    side=maybe(SIDES),
    amount=maybe(DECIMALS),
    average=maybe(DECIMALS),
    fills=st.lists(FILLS, max_size=3).map(tuple),
    fees=maybe(st.lists(FEES, max_size=2).map(tuple)),
    raw=RAW,
)
OUTCOMES = st.one_of(
    st.builds(Acknowledged, snapshot=SNAPSHOTS, wire=WIRES),
    st.builds(Refused, code=WORDS, message=WORDS, raw=RAW, wire=WIRES),
    st.builds(InDoubt, code=WORDS, message=WORDS, raw=RAW, wire=WIRES),
)
OPTIONS = st.builds(
    Option,
    kind=st.sampled_from([Kind.COMPLETE, Kind.UNWIND]),
    leg=st.integers(0, 1),
    side=SIDES,
    amount=DECIMALS,
    touch=maybe(DECIMALS),
    vwap=maybe(DECIMALS),
    bound=maybe(DECIMALS),
    cost=maybe(DECIMALS),
    blocked=WORDS,
)
CHOICES = st.builds(
    Choice,
    kind=st.sampled_from(Kind),
    reason=WORDS,
    orders=st.lists(INDEX, max_size=3).map(tuple),
    legs=st.lists(st.integers(0, 1), max_size=2).map(tuple),
    option=maybe(OPTIONS),
    weighed=st.lists(OPTIONS, max_size=2).map(tuple),
    exposure=DECIMALS,
    worst=DECIMALS,
    attempt=INDEX,
)
INTENTS = st.builds(
    Intent,
    index=INDEX,
    leg=st.integers(0, 1),
    purpose=st.sampled_from(Purpose),
    side=SIDES,
    amount=DECIMALS,
    order_type=st.sampled_from(OrderType),
    bound=DECIMALS,
    client_order_id=WORDS,
    reduce_only=st.booleans(),
    deadline=NS,
)
LEVELS = st.lists(st.builds(Level, DECIMALS, DECIMALS), max_size=3).map(tuple)
BOOKS = st.builds(OrderBook, bids=LEVELS, asks=LEVELS, at_ms=maybe(NS))
SURVEYS = st.builds(
    LegSurvey, book=BOOKS, balances=maybe(st.builds(Balances, free=st.dictionaries(WORDS, DECIMALS, max_size=3)))
)
MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=9))]))
DECISIONS = st.builds(
    lambda decided_at, books, reason: entry(decided_at=decided_at, books=books, reason=reason),
    maybe(MOMENTS),
    st.tuples(maybe(BOOKS), maybe(BOOKS)),
    WORDS,
)
POLICIES = st.builds(
    ExecutionPolicy,
    placement=st.sampled_from(["simultaneous", "sequential"]),
    order_type=st.sampled_from(OrderType),
    slippage_bps=st.decimals(0, 9999, places=3),
    attempts_max=st.integers(0, 99),
)
FACTS: dict[type, st.SearchStrategy[Any]] = {
    Begun: st.builds(
        Begun, now=NS, decision=DECISIONS, sides=st.tuples(SIDES, SIDES), policy=POLICIES, quantity=maybe(DECIMALS)
    ),
    Checked: st.builds(Checked, now=NS, refusal=WORDS, readings=st.dictionaries(WORDS, WORDS, max_size=3)),
    Sized: st.builds(Sized, now=NS, plan=st.sampled_from([None, sized()]), refusal=WORDS),
    Intended: st.builds(Intended, now=NS, intents=st.lists(INTENTS, max_size=2).map(tuple), choice=CHOICES),
    PlaceEnded: st.builds(PlaceEnded, now=NS, order=INDEX, outcome=OUTCOMES),
    Observed: st.builds(Observed, now=NS, order=INDEX, snapshot=SNAPSHOTS, wire=WIRES),
    Missed: st.builds(Missed, now=NS, order=INDEX, asked_at=NS, covered=st.booleans()),
    CancelAsked: st.builds(CancelAsked, now=NS, orders=st.lists(INDEX, max_size=3).map(tuple), choice=CHOICES),
    CancelEnded: st.builds(
        CancelEnded,
        now=NS,
        order=INDEX,
        reply=st.builds(CancelReply, accepted=st.booleans(), code=WORDS, message=WORDS, raw=RAW, wire=WIRES),
    ),
    Surveyed: st.builds(Surveyed, now=NS, legs=st.tuples(maybe(SURVEYS), maybe(SURVEYS))),
    Stalled: st.builds(Stalled, now=NS, choice=CHOICES),
    Moved: st.builds(
        Moved,
        now=NS,
        choice=maybe(CHOICES),
        note=WORDS,
        outcome=maybe(st.sampled_from(Outcome)),
        booked=maybe(DECIMALS),
    ),
    Resumed: st.builds(Resumed, now=NS, reason=WORDS),
    Restarted: st.builds(Restarted, now=NS),
    ExternalFill: st.builds(
        ExternalFill,
        now=NS,
        leg=st.integers(0, 1),
        side=SIDES,
        amount=DECIMALS,
        price=DECIMALS,
        reason=WORDS,
        fee=maybe(FEES),
    ),
    Busted: st.builds(Busted, now=NS, order=INDEX, amount=DECIMALS, reason=WORDS),
    Judged: st.builds(Judged, now=NS, order=INDEX, filled=DECIMALS, price=st.none() | DECIMALS, reason=WORDS),
    AbortAsked: st.builds(AbortAsked, now=NS, reason=WORDS),
    WatchEnded: st.builds(WatchEnded, now=NS),
}


def test_every_kind_of_fact_is_drawn() -> None:
    """One that is not here would be one that nobody has read back."""
    assert set(FACTS) == set(get_args(Fact)) == {*TRIGGERS, Moved}


@given(fact=st.one_of(*FACTS.values()))
def test_what_is_written_is_read_back(fact: Any) -> None:
    """Equal, of the same types throughout, what a venue said included."""
    text = dumps(fact)
    again = loads(text)
    assert again == fact
    assert dumps(again) == text
    assert type(again) is type(fact)


@given(snapshot=SNAPSHOTS)
def test_what_a_venue_said_is_kept_as_it_came(snapshot: OrderSnapshot) -> None:
    """It takes no part in comparisons, and stands in the record all the same."""
    again = loads(dumps(Observed(now=0, order=0, snapshot=snapshot)))
    assert again.snapshot.raw == snapshot.raw


@given(amount=DECIMALS)
def test_a_decimal_keeps_its_digits(amount: Decimal) -> None:
    """Trailing zeros too, so that a hash over the text is a hash over the fact."""
    again = loads(dumps(Busted(now=0, order=0, amount=amount, reason="")))
    assert again.amount.as_tuple() == amount.as_tuple()


@pytest.mark.parametrize("decision", [entry(), leaving()], ids=["entry", "exit"])
def test_a_whole_trade_is_read_back(decision: Any) -> None:
    """Every record of a trade that went through a remedy, and the position it opened."""
    changes: dict[str, Any] = {"sides": (Side.BUY, Side.SELL), "quantity": Decimal(5)}
    walk = Walk(decision, remedy="complete", **(changes if decision.action.is_exit else {}))
    walk.fills(0).refuse(1).look().fills(2)
    facts = [entry_.fact for entry_ in walk.entries]
    assert [loads(dumps(fact)) for fact in facts] == facts
    assert attrs.evolve(walk.trade.ledger or Ledger(plan=walk.plan)) == walk.trade.ledger
    _, (opened,) = Position.opened("P-1", walk.trade)
    assert loads(dumps(opened.fact)) == opened.fact


def test_a_position_is_a_fact_of_its_own() -> None:
    """Its name in the text is not a trade's."""
    walk = Walk().fills(0).fills(1)
    _, (opened,) = Position.opened("P-1", walk.trade)
    assert isinstance(opened.fact, PositionFact)
    assert json.loads(dumps(opened.fact))["fact"] == "position"


def test_the_text_is_plain() -> None:
    """Version, name, body; decimals as text, enum members by value, no spaces, no escapes."""
    text = dumps(Busted(now=7, order=0, amount=Decimal("0.10"), reason="체결 취소"))
    assert (
        text == f'{{"v":{VERSION},"fact":"busted","body":{{"now":7,"order":0,"amount":"0.10","reason":"체결 취소"}}}}'
    )
    outcome = json.loads(dumps(PlaceEnded(now=0, order=0, outcome=Refused(code="x", message="y"))))["body"]["outcome"]
    assert (outcome["type"], outcome["code"]) == ("Refused", "x")
    assert json.loads(dumps(survey()))["body"]["legs"][0]["book"]["bids"] == [{"price": "99.99", "amount": "1000"}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not one of ours: ''"),
        ("[]", r"is not one of ours: '\[\]'"),
        ("7", "is not one of ours: '7'"),
        ('{"v":1}', "is not one of ours"),
        ('{"v":2,"fact":"busted","body":{}}', "has version 2; this code reads 1"),
        ('{"v":1,"fact":"exploded","body":{}}', "holds a 'exploded', which this code does not know"),
    ],
)
def test_a_text_that_is_not_ours_is_named(text: str, said: str) -> None:
    """A journal of a later version is refused, never guessed at."""
    with pytest.raises(JournalForeign, match=said):
        loads(text)


@pytest.mark.parametrize("body", ['{"now":1}', '{"now":1,"order":0,"amount":"ten","reason":""}', "null"])
def test_a_body_that_does_not_fit_its_name_is_named(body: str) -> None:
    """The same kind of error, so that whoever reads a journal catches one."""
    with pytest.raises(JournalForeign, match="busted"):
        loads(f'{{"v":1,"fact":"busted","body":{body}}}')


@pytest.mark.parametrize(
    ("fact", "path"),
    [
        (Busted(now=1, order=0, amount=Decimal(1), reason=""), ()),
        (Begun(now=1, decision=entry(), sides=(Side.SELL, Side.BUY), policy=ExecutionPolicy()), ("policy",)),
        (PlaceEnded(now=1, order=0, outcome=Refused(code="x", message="y")), ("outcome",)),
        (PlaceEnded(now=1, order=0, outcome=Refused(code="x", message="y")), ("outcome", "wire")),
        (survey(), ("legs", 0, "book", "bids", 0)),
    ],
    ids=["body", "policy", "outcome", "wire", "level"],
)
def test_a_field_that_is_not_known_is_refused_wherever_it_stands(fact: Any, path: tuple[str | int, ...]) -> None:
    """A later version wrote it, and it may change what the others mean; a field that is passed over is money lost."""
    payload = json.loads(dumps(fact))
    inner = payload["body"]
    for step in path:
        inner = inner[step]
    inner["settles_in"] = "lots"
    with pytest.raises(JournalForeign, match=r"holds settles_in, which this code does not know"):
        loads(json.dumps(payload))


def test_what_a_venue_said_may_hold_anything() -> None:
    """Its fields are not ours to know."""
    snapshot = OrderSnapshot(status=OrderStatus.OPEN, filled=Decimal(0), raw={"settles_in": {"lots": [1]}})
    fact = Observed(now=0, order=0, snapshot=snapshot)
    assert loads(dumps(fact)).snapshot.raw == snapshot.raw


def test_a_field_that_came_later_is_read_as_its_default() -> None:
    """What its absence always meant: a journal from before it opens as it is."""
    payload = json.loads(dumps(Sized(now=0, plan=sized())))
    del payload["body"]["plan"]["carried"]  # came later
    assert loads(json.dumps(payload)).plan == sized()


def test_what_comes_again_is_read_once() -> None:
    """Policies, rules and legs are frozen and shared; whatever differs is another, however many there are."""
    text = dumps(Begun(now=1, decision=entry(), sides=(Side.SELL, Side.BUY), policy=ExecutionPolicy()))
    one, other = loads(text), loads(text)
    assert one.policy is other.policy
    assert one.decision.legs[0] is other.decision.legs[0]
    for attempts in range(1, KEPT_MAX + 3):
        payload = json.loads(text)
        payload["body"]["policy"]["attempts_max"] = attempts
        assert loads(json.dumps(payload)).policy.attempts_max == attempts
    assert loads(text).policy == one.policy
