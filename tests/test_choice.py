"""The one decision: the order of its questions, and how the two remedies are weighed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from worlds import (
    ALPHA,
    BETA,
    BETA_KEEPS_BASE,
    BETA_PERPETUAL,
    POOR,
    SECOND,
    Walk,
    book,
    entry,
    intent,
    policy,
    sized,
    survey,
)

from fsm_arb.choice import (
    Phase,
    Situation,
    Standing,
    acts_on_known,
    budget,
    cancellable,
    choose,
    first_amount,
    overdue,
    owed_legs,
    short,
    standing,
    weigh,
)
from fsm_arb.ledger import Ledger, cancel_asked
from fsm_arb.messages import Kind, Option, Purpose
from fsm_arb.orders import Lifecycle, Order
from fsm_arb.policy import Placement, Remedy
from fsm_arb.values import Action, Balances, Level, MarketRules, OrderBook, Side

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
DOUBT_S = 120


def order(index: int, leg: int, filled: Any = 0, state: str = "closed", **changes: Any) -> Order:
    """Return an order of ten in one of the ways an order can be; alpha sells, beta buys, unless said otherwise."""
    side = changes.pop("side", SELL if leg == 0 else BUY)
    purpose = changes.pop("purpose", Purpose.FIRST)
    deadline = changes.pop("deadline", 5 * SECOND)
    known: dict[str, Any] = {
        "sent": {"placing_ended_at": None},
        "doubt": {"placing_ended_at": 0, "unsure_since": 0},
        "open": {"lifecycle": Lifecycle.OPEN, "placing_ended_at": 0},
        "cancelled": {"lifecycle": Lifecycle.OPEN, "placing_ended_at": 0, "cancel_asked_at": 0, "unsure_since": 0},
        "closed": {"lifecycle": Lifecycle.CLOSED, "placing_ended_at": 0, "fees_known": True},
        "fee": {"lifecycle": Lifecycle.CLOSED, "placing_ended_at": 0, "unsure_since": 0},
        "dead": {"lifecycle": Lifecycle.DEAD, "placing_ended_at": 0},
    }[state]
    written = intent(index, leg, side, 10, purpose=purpose, deadline=deadline)
    return Order(intent=written, base="BTC", deadline=deadline, gross=D(filled), **(known | changes))


def situation(
    *orders: Order,
    phase: Phase = Phase.REMEDY,
    rules: tuple[MarketRules, MarketRules] = (ALPHA, BETA),
    numbers: dict[str, Any] | None = None,
    **changes: Any,
) -> Situation:
    given: dict[str, Any] = {
        "phase": phase,
        "ledger": Ledger(plan=sized(rules=rules, under=policy(**(numbers or {}))), orders=orders),
        "policy": policy(**(numbers or {})),
        "now": 0,
    }
    return Situation(**(given | changes))


def naked(sold: Any = 10, bought: Any = 0, **changes: Any) -> Situation:
    """Alpha has sold, beta has bought, both have ended, both books are at hand."""
    return situation(order(0, 0, sold), order(1, 1, bought), **({"survey": survey()} | changes))


# ------------------------------------------------------------------ the order of the questions

LATE = 5 * SECOND
ACT = {"doubt_remedy": "act_on_known"}
SEQUENTIAL = {"placement": "sequential"}
EXPIRED = DOUBT_S * SECOND

CASES: dict[str, tuple[Situation, Kind, str]] = {
    # 1. what rests past its time is cancelled, whatever else is in doubt
    "rests late": (
        situation(order(0, 0, state="open"), order(1, 1, state="doubt"), phase=Phase.FIRST, now=LATE),
        Kind.CANCEL,
        "its time is over",
    ),
    "rests while halted": (situation(order(0, 0, state="open"), phase=Phase.HALTED), Kind.CANCEL, "its time is over"),
    "a first order rests": (situation(order(0, 0, state="open")), Kind.CANCEL, "its time is over"),
    "the other ended short": (
        situation(order(0, 0, state="open"), order(1, 1, 2), phase=Phase.FIRST),
        Kind.CANCEL,
        "its time is over",
    ),
    # 2. doubt
    "in doubt": (situation(order(0, 0, 10), order(1, 1, state="doubt")), Kind.PROBE, "an order is in doubt"),
    "a cancel is not believed": (situation(order(0, 0, state="cancelled")), Kind.PROBE, "an order is in doubt"),
    "a fee is not known": (situation(order(0, 0, 10, "fee")), Kind.PROBE, "an order is in doubt"),
    "in doubt for too long": (
        situation(order(0, 0, 10), order(1, 1, state="doubt"), now=EXPIRED),
        Kind.HALT,
        "in doubt for longer than 120 s",
    ),
    "in doubt for not so long": (
        situation(order(0, 0, 10), order(1, 1, state="doubt", unsure_since=100 * SECOND), now=EXPIRED),
        Kind.PROBE,
        "an order is in doubt",
    ),
    "in doubt for too long since it began": (
        situation(order(0, 0, 10), order(1, 1, state="doubt", unsure_since=SECOND), now=EXPIRED + SECOND),
        Kind.HALT,
        "in doubt for longer than 120 s",
    ),
    "in doubt for too long while another lives": (
        situation(order(0, 0, state="sent"), order(1, 1, state="doubt"), now=EXPIRED),
        Kind.HALT,
        "in doubt for longer than 120 s",
    ),
    "what is over is in no doubt, whatever it was": (
        situation(order(0, 0, 10, unsure_since=0), order(1, 1, state="sent")),
        Kind.WAIT,
        "an order is live",
    ),
    "in doubt for too long, first orders": (
        situation(order(0, 0, 10), order(1, 1, state="doubt"), now=EXPIRED, phase=Phase.FIRST, numbers=ACT),
        Kind.HALT,
        "in doubt for longer than 120 s",
    ),
    "acting on what is known": (
        situation(order(0, 0, 10), order(1, 1, state="doubt"), now=EXPIRED, numbers=ACT, survey=survey()),
        Kind.COMPLETE,
        "cheaper",
    ),
    "what is known matches": (
        situation(order(0, 0, 10), order(1, 1, 10, "fee"), now=EXPIRED, numbers=ACT),
        Kind.HALT,
        "what is known matches; an order is still in doubt",
    ),
    "its own remedy is at work": (
        situation(
            order(0, 0, 10),
            order(1, 1, state="doubt"),
            order(2, 1, state="sent", purpose=Purpose.COMPLETE, deadline=EXPIRED * 2),
            now=EXPIRED,
            numbers=ACT,
        ),
        Kind.PROBE,
        "an order is in doubt",
    ),
    "its own remedy is in doubt": (
        situation(
            order(0, 0, 10),
            order(1, 1, state="doubt"),
            order(2, 1, state="doubt", unsure_since=EXPIRED, purpose=Purpose.COMPLETE),
            now=EXPIRED,
            numbers=ACT,
        ),
        Kind.HALT,
        "in doubt for longer than 120 s",
    ),
    # 3. live
    "being sent": (situation(order(0, 0, 10), order(1, 1, state="sent")), Kind.WAIT, "an order is live"),
    "rests in time": (
        situation(order(0, 0, state="open"), order(1, 1, state="open"), phase=Phase.FIRST),
        Kind.WAIT,
        "an order is live",
    ),
    "a remedy rests in time": (
        situation(order(0, 0, 10), order(1, 1, state="open", purpose=Purpose.COMPLETE)),
        Kind.WAIT,
        "an order is live",
    ),
    # 4. owed
    "both owed": (situation(phase=Phase.FIRST), Kind.FIRST, "a first order is owed"),
    "the leader owed": (situation(phase=Phase.FIRST, numbers=SEQUENTIAL), Kind.FIRST, "a first order is owed"),
    "the follower owed": (
        situation(order(0, 0, 4), phase=Phase.FIRST, numbers=SEQUENTIAL),
        Kind.FIRST,
        "a first order is owed",
    ),
    # 5. matched, flat
    "matched": (situation(order(0, 0, 10), order(1, 1, 10)), Kind.BOOK, "both legs match"),
    "matched within dust": (situation(order(0, 0, 10), order(1, 1, "9.91")), Kind.BOOK, "both legs match"),
    "flat": (situation(order(0, 0), order(1, 1)), Kind.WAIT, "nothing is left to do"),
    # 6. remedies
    "disturbed": (naked(phase=Phase.OVER), Kind.WAIT, "disturbed"),
    "halted": (naked(phase=Phase.HALTED), Kind.WAIT, "halted"),
    "not surveyed": (naked(survey=None), Kind.WAIT, "both venues are to be asked first"),
    "back-off": (naked(not_before=1), Kind.WAIT, "both venues are to be asked first"),
    "one can be sent": (
        naked(survey=evolve(survey(), legs=(survey().legs[0], None))),
        Kind.UNWIND,
        "only to unwind can be sent",
    ),
    "cheaper to complete": (naked(survey=survey(second=book("99", "100"))), Kind.COMPLETE, "cheaper"),
    "cheaper to unwind": (naked(survey=survey(first=book("99", "100"))), Kind.UNWIND, "cheaper"),
    "preferred to complete": (
        naked(survey=survey(first=book("99", "100")), numbers={"remedy": "complete"}),
        Kind.COMPLETE,
        "preferred by the policy",
    ),
    "preferred to unwind": (
        naked(survey=survey(second=book("99", "100")), numbers={"remedy": "unwind"}),
        Kind.UNWIND,
        "preferred by the policy",
    ),
    "the other was refused or left half open": (
        naked(survey=survey(second=book("99", "100")), refused=frozenset({Kind.COMPLETE})),
        Kind.UNWIND,
        "the other was refused or left half open",
    ),
    "both were refused": (
        naked(survey=survey(second=book("99", "100")), refused=frozenset({Kind.COMPLETE, Kind.UNWIND})),
        Kind.COMPLETE,
        "cheaper",
    ),
    "excess over a booking": (
        naked(12, 10, survey=survey(second=book("99", "100")), booked=D(10)),
        Kind.UNWIND,
        "back to the booked quantity",
    ),
    "short of a booking": (
        naked(10, 7, survey=survey(first=book("99", "100")), booked=D(10)),
        Kind.COMPLETE,
        "back to the booked quantity",
    ),
    "short of a booking with dust": (
        naked("10.09", 7, survey=survey(first=book("99", "100")), booked=D(10)),
        Kind.COMPLETE,
        "back to the booked quantity",
    ),
    "excess by the least that counts": (
        naked(10, "10.2", survey=survey(first=book("101", "102")), booked=D("10.1")),
        Kind.UNWIND,
        "back to the booked quantity",
    ),
    "a retry is due": (naked(phase=Phase.HALTED, retry_due=True, attempt=9), Kind.COMPLETE, "cheaper"),
    "no remedy, more attempts": (naked(survey=survey(free=POOR)), Kind.WAIT, "no remedy can be sent"),
    "no remedy, one more attempt": (naked(survey=survey(free=POOR), attempt=3), Kind.WAIT, "no remedy can be sent"),
    "no remedy while halted": (
        naked(survey=survey(free=POOR), phase=Phase.HALTED, retry_due=True, attempt=9),
        Kind.WAIT,
        "no remedy can be sent",
    ),
    # 7. walls
    "the last attempt": (naked(survey=survey(free=POOR), attempt=4), Kind.HALT, "no remedy can be sent"),
    "the budget is spent": (naked(attempt=5), Kind.HALT, "5 remedies were tried"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_answer_for_each_situation(case: str) -> None:
    """The first question that is answered yes is the answer."""
    given, kind, reason = CASES[case]
    choice = choose(given)
    assert (choice.kind, choice.reason) == (kind, reason)
    assert (choice.option is not None) is (kind in {Kind.COMPLETE, Kind.UNWIND})
    assert bool(choice.orders) is (kind is Kind.CANCEL)
    assert bool(choice.legs) is (kind is Kind.FIRST)
    assert (choice.exposure, choice.worst) == (given.ledger.exposure, given.ledger.worst_exposure)
    assert choice.attempt == given.attempt


def test_every_answer_there_is_has_a_case() -> None:
    """Eight kinds."""
    assert {kind for _, kind, _ in CASES.values()} == set(Kind)


@pytest.mark.parametrize("case", CASES)
def test_the_standing_allows_what_the_choice_calls_for(case: str) -> None:
    """A remedy only where it is unmatched, a booking only where it matches, a first order only before the end."""
    given, kind, _ = CASES[case]
    if kind in {Kind.COMPLETE, Kind.UNWIND}:
        assert standing(given) is Standing.UNMATCHED
    elif kind is Kind.BOOK:
        assert standing(given) is Standing.MATCHED
    elif kind in {Kind.FIRST, Kind.CANCEL, Kind.PROBE}:
        assert standing(given) is Standing.UNSETTLED


# ------------------------------------------------------------------ cancelling


def test_a_remedy_is_cancelled_when_it_would_make_the_exposure_larger() -> None:
    """A late fill elsewhere has done its work."""
    remedy = order(2, 1, 0, "open", purpose=Purpose.COMPLETE)
    assert cancellable(situation(order(0, 0, 10), order(1, 1, 4), remedy)) == ()
    assert cancellable(situation(order(0, 0, 10), order(1, 1, 10), remedy)) == (2,)
    assert cancellable(situation(order(0, 0, 10), order(1, 1, 12), remedy)) == (2,)
    late = evolve(remedy, deadline=0)
    assert cancellable(situation(order(0, 0, 10), order(1, 1, 4), late)) == (2,)


def test_only_a_remedy_may_go_on_and_only_while_automation_does() -> None:
    """A first order that rests when remedies have begun must go, however useful; so must all when it is halted."""
    first = order(1, 1, 4, "open")
    assert cancellable(situation(order(0, 0, 10), first)) == (1,)
    remedy = order(2, 1, 0, "open", purpose=Purpose.COMPLETE)
    assert cancellable(situation(order(0, 0, 10), order(1, 1, 4), remedy, phase=Phase.HALTED)) == (2,)


def test_only_what_rests_and_was_not_asked_to_go_is_cancelled() -> None:
    """What is in doubt is asked for instead, and once is enough: the driver repeats it."""
    late = situation(order(0, 0, state="doubt"), order(1, 1, state="cancelled"), now=LATE, phase=Phase.FIRST)
    assert cancellable(late) == ()
    assert cancellable(situation(order(0, 0, 10))) == ()
    rests = situation(order(0, 0, state="open"), order(1, 1, state="open"), now=LATE, phase=Phase.FIRST)
    assert cancellable(rests) == (0, 1)
    assert cancellable(evolve(rests, ledger=cancel_asked(rests.ledger, [0], 0))) == (1,)


def test_overdue_is_what_lives_or_is_not_known_past_its_deadline() -> None:
    """An end that is not known has a deadline too."""
    assert not overdue(situation(order(0, 0, state="open"), now=LATE - 1))
    assert overdue(situation(order(0, 0, state="open"), now=LATE))
    assert overdue(situation(order(0, 0, 1, "fee"), now=LATE))
    assert not overdue(situation(order(0, 0, 10), now=LATE))
    in_time = order(1, 1, state="open", deadline=LATE + 1)
    assert overdue(situation(order(0, 0, state="open"), in_time, now=LATE))  # one is enough
    assert not overdue(situation(order(0, 0, 10), in_time, now=LATE))  # what has ended has none


def test_short_is_a_leg_that_ended_by_dust_or_more_below_its_target_while_another_lives() -> None:
    """Sequential placement has its own target for the second leg, so nothing is short there."""
    lives = order(1, 1, state="open")
    assert short(situation(order(0, 0, "9.9"), lives))
    assert not short(situation(order(0, 0, "9.91"), lives))
    assert short(situation(order(0, 0, state="dead"), lives))
    assert not short(situation(order(0, 0, "9.9"), order(1, 1)))
    assert not short(situation(order(0, 0, state="open"), lives))
    assert not short(situation(order(0, 0, "9.9"), lives, numbers=SEQUENTIAL))


# ------------------------------------------------------------------ first orders


def test_first_orders_are_owed_only_while_they_are_at_work() -> None:
    """Later orders are remedies."""
    assert owed_legs(situation()) == ()
    assert owed_legs(situation(phase=Phase.FIRST)) == (0, 1)
    assert owed_legs(situation(order(0, 0, 10), phase=Phase.FIRST)) == ()


@pytest.mark.parametrize(
    ("orders", "owed"),
    [
        ((), (0,)),
        ((order(0, 0, 5, "open"),), ()),
        ((order(0, 0, 5, "fee"),), ()),
        ((order(0, 0, "0.2"),), (1,)),
        ((order(0, 0, "0.19"),), ()),  # below beta's least order
        ((order(0, 0, 5), order(1, 1, 1)), ()),
    ],
)
def test_the_follower_is_owed_once_the_leader_has_ended_and_is_known(
    orders: tuple[Order, ...], owed: tuple[int, ...]
) -> None:
    """For what the leader received, where beta would take that."""
    assert owed_legs(situation(*orders, phase=Phase.FIRST, numbers=SEQUENTIAL)) == owed


def test_the_second_leg_may_lead() -> None:
    """Then it is the first whose order waits for it."""
    s = situation(phase=Phase.FIRST, numbers=SEQUENTIAL)
    leads = evolve(s.ledger, plan=evolve(s.ledger.plan, leads=1))
    assert owed_legs(evolve(s, ledger=leads)) == (1,)
    assert owed_legs(evolve(s, ledger=leads.with_orders((order(0, 1, 4),)))) == (0,)


def test_the_follower_is_sized_by_what_the_leader_received() -> None:
    """Grossed up for its own base fee; never below zero; the leader by the plan."""
    s = situation(order(0, 0, 4), rules=(ALPHA, BETA_KEEPS_BASE), numbers=SEQUENTIAL)
    assert first_amount(s.ledger, s.policy, 0) == 10
    assert first_amount(s.ledger, s.policy, 1) == 4  # 4.004 on the lot
    wrong_way = situation(order(0, 0, 4, side=BUY), numbers=SEQUENTIAL)
    assert first_amount(wrong_way.ledger, wrong_way.policy, 1) == 0
    both = policy(placement=Placement.SIMULTANEOUS)
    assert first_amount(s.ledger, both, 1) == D("10.01")
    leads = evolve(s.ledger, plan=evolve(s.ledger.plan, leads=1), orders=(order(0, 1, 3),))
    assert first_amount(leads, s.policy, 0) == 3


# ------------------------------------------------------------------ acting on what is known


def test_acting_on_what_is_known_needs_the_policy_the_phase_and_the_time() -> None:
    """All of what is not known must have been asked for that long, fees too."""
    doubt = order(1, 1, state="doubt")
    assert acts_on_known(situation(doubt, now=EXPIRED, numbers=ACT))
    assert not acts_on_known(situation(doubt, now=EXPIRED))
    assert not acts_on_known(situation(doubt, now=EXPIRED, numbers=ACT, phase=Phase.FIRST))
    assert not acts_on_known(situation(doubt, now=EXPIRED - 1, numbers=ACT))
    assert not acts_on_known(situation(doubt, order(1, 1, state="sent"), now=EXPIRED, numbers=ACT))
    assert not acts_on_known(situation(order(0, 0, 10, "fee"), now=EXPIRED - 1, numbers=ACT))
    assert standing(situation(doubt, order(0, 0, 10), now=EXPIRED, numbers=ACT)) is Standing.UNMATCHED
    assert standing(situation(doubt, now=EXPIRED, numbers=ACT)) is Standing.UNSETTLED


# ------------------------------------------------------------------ weighing


def options(s: Situation) -> tuple[Option, Option]:
    complete, unwind = weigh(s)
    assert (complete.kind, unwind.kind) == (Kind.COMPLETE, Kind.UNWIND)
    return complete, unwind


def test_both_remedies_are_for_the_difference() -> None:
    """Complete on the leg behind, unwind on the leg ahead, whichever that is."""
    complete, unwind = options(naked(10, 4))
    assert (complete.leg, complete.side, complete.amount) == (1, BUY, 6)
    assert (unwind.leg, unwind.side, unwind.amount) == (0, BUY, 6)
    complete, unwind = options(naked(4, 10))
    assert (complete.leg, complete.side, complete.amount) == (0, SELL, 6)
    assert (unwind.leg, unwind.side, unwind.amount) == (1, SELL, 6)


def test_when_leg_zero_buys_the_sides_are_the_other_way_about() -> None:
    """Bought ten on alpha, sold four on beta: sell six more on beta, or six back on alpha."""
    plan = sized()
    turned = evolve(plan, legs=(evolve(plan.legs[0], side=BUY), evolve(plan.legs[1], side=SELL)))
    orders = order(0, 0, 10, side=BUY), order(1, 1, 4, side=SELL)
    s = evolve(naked(), ledger=Ledger(plan=turned, orders=orders))
    complete, unwind = options(s)
    assert (complete.leg, complete.side, complete.amount) == (1, SELL, 6)
    assert (unwind.leg, unwind.side, unwind.amount) == (0, SELL, 6)
    assert (complete.bound, unwind.bound) == (D("99.80"), D("99.80"))


def test_a_venue_that_nets_our_positions_is_completed_to_whatever_it_costs() -> None:
    """It refused a remedy for its form, so undoing the other leg would leave two wrongs; a booking comes first."""
    netted = order(2, 1, 0, "dead", refusal="reduceOnly rejected", purpose=Purpose.UNWIND)
    dear = survey(first=book("99", "100"))  # to unwind is the cheaper one by far
    s = situation(order(0, 0, 10), order(1, 1, 0), netted, survey=dear)
    assert choose(evolve(s, ledger=s.ledger.with_orders(s.ledger.orders[:2]))).kind is Kind.UNWIND
    assert choose(s).kind is Kind.COMPLETE
    assert choose(evolve(s, booked=D(5))).kind is Kind.UNWIND
    other = order(2, 0, 0, "dead", refusal="reduceOnly rejected", purpose=Purpose.UNWIND)
    assert choose(situation(order(0, 0, 10), order(1, 1, 0), other, survey=dear)).kind is Kind.COMPLETE


def test_a_buy_is_grossed_up_and_floored_and_a_sale_is_floored() -> None:
    """A remedy's fill only ever makes the exposure smaller."""
    complete, unwind = options(naked("10.005", 4, rules=(ALPHA, BETA_KEEPS_BASE)))
    assert (complete.amount, unwind.amount) == (D("6.01"), D("6.00"))
    complete, unwind = options(naked(4, "10.009"))
    assert (complete.amount, unwind.amount) == (D("6.00"), D("6.00"))


def test_what_is_left_of_a_leg_is_unwound_whole_where_the_other_has_only_dust() -> None:
    """0.15 of beta's could not be sold by itself; 0.2 can, and leaves alpha's dust."""
    _, unwind = options(naked("0.05", "0.2"))
    assert (unwind.leg, unwind.amount, unwind.blocked) == (1, D("0.2"), "")
    _, enough = options(naked("0.05", "0.3"))
    assert enough.amount == D("0.25")
    _, least = options(naked("0.05", "0.25"))
    assert least.amount == D("0.2")  # it can be sold by itself, and leaves less than it came with
    _, held = options(naked("0.1", "0.25"))  # alpha's 0.1 is no dust: it stays hedged
    assert held.blocked == "exposure of 0.15 is below the least order 0.2"


@pytest.mark.parametrize(
    ("attempt", "phase", "buy", "sell"),
    [
        (0, Phase.REMEDY, "100.21", "99.80"),
        (1, Phase.REMEDY, "100.41", "99.60"),
        (4, Phase.REMEDY, "101.01", "99.00"),
        (4, Phase.HALTED, "100.21", "99.80"),
    ],
)
def test_the_bound_widens_with_each_attempt_and_stays_on_the_grid(
    attempt: int, phase: Phase, buy: str, sell: str
) -> None:
    """Twenty basis points past the touch, twenty more each time; a halted trade begins anew."""
    complete, _ = options(naked(attempt=attempt, phase=phase))
    assert (complete.touch, complete.bound) == (D("100.01"), D(buy))
    complete, _ = options(naked(0, 10, attempt=attempt, phase=phase))
    assert (complete.touch, complete.bound) == (D("99.99"), D(sell))


def test_the_bound_is_never_past_the_cap() -> None:
    """Three hundred basis points from the decision's price, whatever the touch is."""
    complete, _ = options(naked(survey=survey(second=book("102.80", "102.90"))))
    assert (complete.bound, complete.blocked) == (D("103.00"), "")
    complete, _ = options(naked(0, 10, survey=survey(first=book("97.10", "97.20"))))
    assert (complete.bound, complete.blocked) == (D("97.00"), "")
    complete, _ = options(naked(0, 10, survey=survey(first=book("96.99", "97.20"))))
    assert complete.blocked == "96.99 is past the most it may lose, 97.00"
    complete, _ = options(naked(survey=survey(second=book("103", "103.00"))))
    assert complete.blocked == ""


def test_a_venue_without_an_answer_or_a_side_blocks_its_remedy() -> None:
    """Named, so that the record says who."""
    complete, unwind = options(naked(survey=None))
    assert (complete.blocked, unwind.blocked) == ("beta gives no answer", "alpha gives no answer")
    complete, unwind = options(naked(survey=survey(book(ask=None), book(ask=None))))
    assert (complete.blocked, unwind.blocked) == ("beta shows no sell orders", "alpha shows no sell orders")
    complete, _ = options(naked(0, 10, survey=survey(book(bid=None))))
    assert complete.blocked == "alpha shows no buy orders"


def test_funds_shrink_a_remedy_and_too_few_block_it() -> None:
    """A buyer pays price and fee in quote; a seller needs the base."""
    some = Balances(free={"USDT": D(1000), "USD": D(20), "BTC": D("0.05")})
    complete, unwind = options(naked(survey=survey(free=some)))
    assert complete.amount == D("9.96")  # 1000 / (100.21 * 1.001), floored
    assert unwind.amount == D("0.19")
    complete, unwind = options(naked(0, 10, survey=survey(free=some)))
    assert complete.blocked == "free funds of 0.05 is below the least order 0.1"
    assert unwind.blocked == "free funds of 0.05 is below the least order 0.2"


def test_a_base_fee_needs_no_quote() -> None:
    """1000 / 100.21."""
    some = Balances(free={"USDT": D(1000)})
    complete, _ = options(naked(rules=(ALPHA, BETA_KEEPS_BASE), survey=survey(free=some)))
    assert complete.amount == D("9.97")


def test_unknown_balances_hold_nothing_back() -> None:
    """The venue itself will say."""
    complete, unwind = options(naked(survey=survey(free=None)))
    assert (complete.amount, complete.blocked) == (10, "")
    assert (unwind.amount, unwind.blocked) == (10, "")
    complete, _ = options(naked(rules=(ALPHA, BETA_KEEPS_BASE), survey=survey(free=None)))
    assert (complete.amount, complete.blocked) == (D("10.01"), "")
    _, unwind = options(naked("0.05", "0.2", survey=survey(free=None)))
    assert (unwind.amount, unwind.blocked) == (D("0.2"), "")


def test_margin_pays_for_what_opens_and_not_for_what_closes() -> None:
    """An entry opens by completing, an exit by unwinding."""
    margin = Balances(free={"USDT": D(100)})
    entered = naked(0, 10, rules=(ALPHA, BETA_PERPETUAL), survey=survey(free=margin))
    _, unwind = options(entered)
    assert (unwind.leg, unwind.amount, unwind.blocked) == (1, 10, "")
    _, opens = options(evolve(entered, exits=True))
    assert opens.amount == D("5.00")  # 100 * 5 / (99.80 * 1.001)
    complete, _ = options(naked(rules=(ALPHA, BETA_PERPETUAL), survey=survey(free=margin)))
    assert complete.amount == D("4.98")
    complete, _ = options(naked(rules=(ALPHA, BETA_PERPETUAL), survey=survey(free=POOR), exits=True))
    assert (complete.amount, complete.blocked) == (10, "")


def test_no_more_is_sent_than_a_venue_takes_at_once() -> None:
    """The rest is the next attempt's."""
    complete, unwind = options(naked(rules=(ALPHA, evolve(BETA, amount_max=D("20"))), survey=survey()))
    assert complete.amount == 10
    s = naked()
    legs = s.ledger.plan.legs
    small = evolve(s.ledger.plan, legs=(legs[0], evolve(legs[1], rules=evolve(BETA, amount_max=D("3.005")))))
    complete, unwind = options(evolve(s, ledger=evolve(s.ledger, plan=small)))
    assert (complete.amount, unwind.amount) == (D("3.00"), 10)


def test_an_order_below_a_venue_s_minimum_notional_is_not_sent() -> None:
    """Measured at the limit it would carry."""
    rules = evolve(BETA, notional_min=D(30))
    s = naked(0, "0.3", rules=(ALPHA, rules), survey=survey(second=book("98", "98.1")))
    _, unwind = options(s)
    assert s.ledger.plan.legs[1].least == D("0.31")
    assert "is below the least order 0.31" in unwind.blocked
    exact = evolve(s.ledger.plan, legs=(s.ledger.plan.legs[0], evolve(s.ledger.plan.legs[1], least=D("0.3"))))
    _, unwind = options(evolve(s, ledger=evolve(s.ledger, plan=exact)))
    assert unwind.blocked  # 0.3 at 97.81 is less than thirty
    dear = survey(second=book("100.20", "100.30"))  # at a limit of 100.00
    _, unwind = options(evolve(s, ledger=evolve(s.ledger, plan=exact), survey=dear))
    assert (unwind.bound, unwind.blocked) == (D("100.00"), "")  # 0.3 at 100 is thirty exactly


def test_what_holds_a_remedy_back_is_named() -> None:
    """Funds only where they are what it lacks; with just enough of them it is the exposure that is too small."""
    just = Balances(free={"BTC": D("0.15")})
    _, unwind = options(naked("0.1", "0.25", survey=survey(free=just)))
    assert unwind.blocked == "exposure of 0.15 is below the least order 0.2"


# ------------------------------------------------------------------ costs, worked out by hand


def test_what_each_remedy_costs() -> None:
    """Sold ten at 100. Buying on beta at 101 and 0.1 %: 1.101 each. Buying back on alpha at 102 and 0.1 %: 2.102."""
    s = naked(survey=survey(book("100", "102"), book("100", "101")))
    complete, unwind = options(s)
    assert (complete.vwap, complete.cost) == (D(101), D("11.010"))
    assert (unwind.vwap, unwind.cost) == (D(102), D("21.020"))
    assert choose(s).kind is Kind.COMPLETE


def test_what_each_remedy_costs_the_other_way() -> None:
    """Bought ten on beta at 100. Selling on alpha at 99 less 0.1 %: 1.099 each; back on beta at 98: 2.098."""
    complete, unwind = options(naked(0, 10, survey=survey(book("99", "100"), book("98", "100"))))
    assert (complete.cost, unwind.cost) == (D("10.990"), D("20.980"))


def test_the_cost_counts_what_was_paid_and_is_in_the_currency_of_leg_zero() -> None:
    """Sold at 103 on alpha; a tether is worth two dollars."""
    s = naked(survey=survey(book("100", "100"), book("50", "51")))
    paid = evolve(s.ledger, orders=(evolve(s.ledger.orders[0], average=D(103)), s.ledger.orders[1]))
    complete, unwind = options(evolve(s, ledger=evolve(paid, plan=evolve(paid.plan, fx=D(2)))))
    assert complete.cost == (D("51.051") * 2 - 103) * 10
    assert unwind.cost == (D("100.1") - 103) * 10


def test_what_the_second_leg_paid_is_converted_too() -> None:
    """Bought at 97 tethers of two dollars on beta: sold on alpha at 190 or back on beta at 98, less a thousandth."""
    s = naked(0, 10, survey=survey(book("190", "191"), book("98", "99")))
    paid = evolve(s.ledger, orders=(s.ledger.orders[0], evolve(s.ledger.orders[1], average=D(97))))
    complete, unwind = options(evolve(s, ledger=evolve(paid, plan=evolve(paid.plan, fx=D(2)))))
    assert complete.cost == (194 - D("189.81")) * 10
    assert unwind.cost == (97 - D("97.902")) * 2 * 10


def test_a_remedy_that_shrinks_is_not_cheaper_for_being_smaller() -> None:
    """The cost is for the whole exposure."""
    some = Balances(free={"USDT": D(200), "USD": D(10**6)})
    complete, _ = options(naked(survey=survey(book("100", "102"), book("100", "101"), free=some)))
    assert complete.amount < 2
    assert complete.cost == D("11.010")


def test_a_thin_book_costs_what_it_shows_and_one_that_holds_too_little_costs_nobody_knows_what() -> None:
    """Half of the amount at least, or the price of the rest is a guess."""
    thin = OrderBook(bids=(), asks=(Level(D(100), D(2)), Level(D(101), D(3))))
    complete, _ = options(naked(survey=survey(second=thin)))
    assert complete.vwap is None
    assert complete.cost == (D("100.6") * D("1.001") - 100) * 10
    thinner = OrderBook(bids=(), asks=(Level(D(100), D("4.99")),))
    complete, _ = options(naked(survey=survey(second=thinner)))
    assert complete.cost is None
    s = naked(survey=survey(book("100", "102"), thinner))
    assert choose(s).kind is Kind.UNWIND  # a known cost goes before an unknown one
    assert choose(evolve(s, policy=policy(remedy="complete"))).kind is Kind.COMPLETE
    empty = OrderBook(bids=(), asks=(Level(D(100), D(0)),))
    assert options(naked(survey=survey(second=empty)))[0].cost is None


def test_the_record_of_a_choice_holds_what_was_weighed() -> None:
    """Both options, also where one is blocked."""
    choice = choose(naked(survey=survey(second=book(ask=None))))
    assert [option.kind for option in choice.weighed] == [Kind.COMPLETE, Kind.UNWIND]
    assert choice.option == choice.weighed[1]
    stuck = choose(naked(survey=survey(free=POOR)))
    assert (stuck.option, [bool(option.blocked) for option in stuck.weighed]) == (None, [True, True])


def test_the_budget_is_the_policy_s_and_one_at_least_where_a_person_said_go_on() -> None:
    """Nobody is granted anything unasked."""
    none = situation(numbers={"attempts_max": 0})
    assert (budget(none), budget(evolve(none, granted=1)), budget(evolve(situation(), granted=1))) == (0, 1, 5)


# ------------------------------------------------------------------ more than was wanted, and less than nothing


def test_what_exceeds_the_size_is_traded_back_whatever_the_policy_prefers() -> None:
    """A late fill beside its remedy has doubled one leg: to complete that would double the trade."""
    s = situation(order(0, 0, 10), order(1, 1, 10), order(2, 1, 10, purpose=Purpose.COMPLETE))
    s = evolve(s, policy=evolve(s.policy, remedy=Remedy.COMPLETE), survey=survey())
    choice = choose(s)
    assert (choice.kind, choice.reason) == (Kind.UNWIND, "back to the sized quantity")
    assert choice.option is not None
    assert (choice.option.leg, choice.option.amount) == (1, 10)


def test_legs_on_either_side_of_zero_each_go_back_to_it() -> None:
    """After a bust one leg holds ten and the other minus two: to unwind twelve would match them the wrong way round."""
    s = situation(order(0, 0, 10), order(1, 1, 0), order(2, 1, 2, side=SELL, purpose=Purpose.UNWIND))
    s = evolve(s, policy=evolve(s.policy, remedy=Remedy.UNWIND), survey=survey())
    choice = choose(s)
    assert choice.kind is Kind.UNWIND
    assert choice.option is not None
    assert (choice.option.leg, choice.option.amount) == (0, 10)


def test_the_wrong_way_round_is_the_last_resort() -> None:
    """With nothing left to unwind, the leg that is short is completed; only where that cannot be sent, the other is."""
    s = situation(order(0, 0, 0), order(1, 1, 0), order(2, 1, 2, side=SELL, purpose=Purpose.UNWIND))
    s = evolve(s, policy=evolve(s.policy, remedy=Remedy.UNWIND), survey=survey())
    choice = choose(s)
    assert choice.option is not None
    assert (choice.kind, choice.option.leg, choice.option.amount) == (Kind.COMPLETE, 1, 2)
    silent = evolve(s, survey=evolve(survey(), legs=(survey().legs[0], None)))
    for last in (evolve(silent, attempt=4), evolve(silent, phase=Phase.HALTED, retry_due=True)):
        sent = choose(last)
        assert sent.option is not None
        assert (sent.kind, sent.option.leg, sent.option.amount) == (Kind.UNWIND, 0, 2)
        assert sent.reason == "the last resort: hedged the wrong way round rather than naked"


def test_until_the_last_attempt_the_wrong_way_round_waits() -> None:
    """The venue that could undo the bust may answer again; each wait spends an attempt, so it is not for ever."""
    s = situation(order(0, 0, 0), order(1, 1, 0), order(2, 1, 2, side=SELL, purpose=Purpose.UNWIND))
    s = evolve(s, survey=evolve(survey(), legs=(survey().legs[0], None)))
    for attempt in range(4):
        choice = choose(evolve(s, attempt=attempt))
        assert (choice.kind, choice.option) == (Kind.WAIT, None)
        assert choice.reason == "no remedy but the wrong way round can be sent yet"
        assert [option.kind for option in choice.weighed] == [Kind.COMPLETE, Kind.UNWIND]
    neither = evolve(s, attempt=4, survey=evolve(survey(), legs=(None, None)))
    assert choose(neither).kind is Kind.HALT


def test_an_unwind_that_makes_up_for_a_base_fee_does_not_go_past_zero() -> None:
    """A buyer who is charged in base orders more than it gets; it is judged by what it gets."""
    dear = evolve(BETA_KEEPS_BASE, taker_fee=D("0.02"))
    walk = Walk(entry(Action.ENTRY_NEGATIVE), rules=(ALPHA, dear), remedy="unwind")
    walk.refuse(0).fills(1).look()
    assert walk.sends[-1] == (1, "unwind", "buy", D("10.20"))


def test_to_the_lot_each_leg_goes_back_to_zero_by_itself_or_not_at_all() -> None:
    """What alpha has is its least order: it is traded back, and no more; to complete is for the whole difference."""
    s = situation(order(0, 0, "0.1"), order(1, 1, 0), order(2, 1, "0.2", side=SELL, purpose=Purpose.UNWIND))
    complete, unwind = options(evolve(s, survey=survey()))
    assert (unwind.leg, unwind.amount) == (0, D("0.1"))
    assert (complete.leg, complete.amount) == (1, D("0.3"))
    s = situation(order(0, 0, "0.05"), order(1, 1, 0), order(2, 1, "0.1", side=SELL, purpose=Purpose.UNWIND))
    complete, _ = options(evolve(s, survey=survey()))
    assert complete.amount == D("0.15")


def test_past_zero_by_dust_is_past_zero() -> None:
    """That much the venues would trade, so both legs would stand the wrong way round."""
    rules = (ALPHA, evolve(BETA, amount_min=D("0.1")))
    undone = order(2, 1, "0.1", side=SELL, purpose=Purpose.UNWIND)
    s = situation(order(0, 0, 0), order(1, 1, 0), undone, rules=rules, numbers={"remedy": "unwind"}, survey=survey())
    assert choose(s).kind is Kind.COMPLETE
