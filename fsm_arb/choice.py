"""The one decision a trade makes, over and over: what, if anything, to do next."""

from __future__ import annotations

import enum
from decimal import Decimal

from attrs import evolve, frozen

from fsm_arb.ledger import Ledger, gross_up, will_not_reduce
from fsm_arb.messages import Choice, Kind, Option, Purpose, Surveyed
from fsm_arb.orders import Lifecycle, Order
from fsm_arb.policy import DoubtRemedy, ExecutionPolicy, Placement, Remedy, loss_bound, seconds_ns
from fsm_arb.values import ONE, ZERO, Balances, FeeIn, OrderBook, Side, divide, floor_to


class Standing(enum.Enum):
    """What the ledger amounts to."""

    UNSETTLED = "unsettled"  # something is live, unknown or still owed
    MATCHED = "matched"  # settled, not flat, exposure within dust
    FLAT = "flat"  # settled, each leg's net below its least order, exposure within dust
    UNMATCHED = "unmatched"  # settled, neither


class Phase(enum.Enum):
    """What the machine's state means for a decision."""

    FIRST = "first"  # the first orders are at work (PLACING, MONITORING)
    REMEDY = "remedy"  # they are over; put right what is left (PARTIAL, ROLLBACK)
    HALTED = "halted"  # automation met a wall; slow retries
    OVER = "over"  # matched or ended (HEDGED, DONE)


@frozen(kw_only=True)
class Situation:
    """All that `choose` may look at."""

    phase: Phase
    ledger: Ledger
    policy: ExecutionPolicy
    now: int  # monotonic ns
    survey: Surveyed | None = None  # both books and balances, asked for since the ledger last changed
    attempt: int = 0  # remedies tried within the budget
    granted: int = 0  # the least budget, once a halted trade was let go on or a remedy has filled whole
    not_before: int = 0  # monotonic ns; the back-off between attempts
    refused: frozenset[Kind] = frozenset()  # remedies a venue refused or left half open within the budget
    retry_due: bool = False  # halted: a slow retry is due, or an operator asked
    booked: Decimal | None = None  # base, once matched and booked
    exits: bool = False  # an exit: completing makes its position smaller, unwinding makes it larger again


def budget(s: Situation) -> int:
    """Return how many remedies may be tried: the policy's number, and one at least where a person said go on."""
    return max(s.policy.attempts_max, s.granted)


def choose(s: Situation) -> Choice:  # noqa: PLR0911 - one question after another is the point
    """Return what to do next: exactly one of eight answers. The order of the questions is the argument.

    1. What rests past its time is cancelled first: a cancel can only make the
       worst case smaller, so it is safe in every doubt.
    2. While anything is in doubt, or an end is not yet known, nothing is sent:
       an order that is believed dead and lives is a second hedge. Past
       ``doubt_max_s`` a person is called, unless the policy acts on what is known.
    3. While anything is live, wait. So from here on nothing of the trade can move.
    4. A first order that is owed goes out: it is the trade itself.
    5. Matched: book it. Flat: nothing is left to do.
    6. Unmatched: one remedy, sized by what was received, floored to the lot.
       Since nothing else can move (3), its fill only ever makes the exposure smaller.
       One that would match both legs the wrong way round waits for the budget's last
       attempt: until then the venue that could undo it may answer again. Then it is
       sent all the same. To forbid it would leave a leg naked for as long as one venue
       is away, though the other would hedge it now, and a hedge the wrong way round
       risks no more than one the right way. It is booked as what it is, below zero,
       so that a position shows it and an exit closes it, and a person is told. To undo
       it here would take two orders, of which the first makes a leg naked again.
    7. No remedy left within the budget: halt, loudly.
    """
    overdue = cancellable(s)
    if overdue:
        return _answer(s, Kind.CANCEL, "its time is over", orders=overdue)
    doubtful = _unsure(s)
    if doubtful:
        oldest = min(order.unsure_since for order in doubtful if order.unsure_since is not None)
        expired = s.now - oldest >= seconds_ns(s.policy.doubt_max_s)
        if not expired or _remedy_at_work(s):
            return _answer(s, Kind.PROBE, "an order is in doubt")
        if not acts_on_known(s):
            return _answer(s, Kind.HALT, f"in doubt for longer than {s.policy.doubt_max_s} s")
    elif not s.ledger.known:
        return _answer(s, Kind.WAIT, "an order is live")
    owed = owed_legs(s)
    if owed:
        return _answer(s, Kind.FIRST, "a first order is owed", legs=owed)
    match standing(s):
        case Standing.MATCHED:
            return _answer(s, Kind.BOOK, "both legs match")
        case Standing.UNMATCHED:
            return _remedy(s)
        case Standing.FLAT:
            return _answer(s, Kind.WAIT, "nothing is left to do")
    return _answer(s, Kind.HALT, "what is known matches; an order is still in doubt")


def _answer(
    s: Situation, kind: Kind, reason: str, *, orders: tuple[int, ...] = (), legs: tuple[int, ...] = ()
) -> Choice:
    ledger = s.ledger
    return Choice(
        kind=kind,
        reason=reason,
        orders=orders,
        legs=legs,
        exposure=ledger.exposure,
        worst=ledger.worst_exposure,
        attempt=s.attempt,
    )


# ------------------------------------------------------------------ what the ledger amounts to


def standing(s: Situation) -> Standing:
    """Return whether the trade is settled and, if it is, how its legs compare."""
    ledger = s.ledger
    if not ledger.known:
        # Acting on what is known may send a remedy; it may never call the trade done.
        return Standing.UNMATCHED if acts_on_known(s) and not ledger.within_dust else Standing.UNSETTLED
    if owed_legs(s):
        return Standing.UNSETTLED
    if ledger.flat:
        return Standing.FLAT
    return Standing.MATCHED if ledger.within_dust else Standing.UNMATCHED


def _unsure(s: Situation) -> tuple[Order, ...]:
    """Orders whose existence or end is asked for and not known."""
    if s.ledger.known:
        return ()
    return tuple(
        order for order in s.ledger.orders if order.unsure_since is not None and (order.live or order.provisional)
    )


def acts_on_known(s: Situation) -> bool:
    """Whether the policy acts although something is in doubt: nothing else is live and the doubt has lasted."""
    if s.policy.doubt_remedy is not DoubtRemedy.ACT_ON_KNOWN or s.phase is Phase.FIRST:
        return False
    longest = seconds_ns(s.policy.doubt_max_s)
    return all(
        order.unsure_since is not None and s.now - order.unsure_since >= longest
        for order in s.ledger.orders
        if order.live or order.provisional
    )


def _remedy_at_work(s: Situation) -> bool:
    """Whether the policy has acted on what is known, and that order has not ended yet."""
    return s.policy.doubt_remedy is DoubtRemedy.ACT_ON_KNOWN and any(
        order.unsure_since is None for order in s.ledger.live
    )


def owed_legs(s: Situation) -> tuple[int, ...]:
    """Return the legs whose first order is due: placement targets govern first orders only."""
    if s.phase is not Phase.FIRST:
        return ()
    ledger = s.ledger
    if s.policy.placement is Placement.SIMULTANEOUS:
        return () if ledger.orders else (0, 1)
    lead = ledger.plan.leads
    if ledger.first_order(lead) is None:
        return (lead,)
    follower = 1 - lead
    if ledger.first_order(follower) is not None or not ledger.known:
        return ()
    return (follower,) if first_amount(ledger, s.policy, follower) >= ledger.plan.legs[follower].least else ()


def first_amount(ledger: Ledger, policy: ExecutionPolicy, leg: int) -> Decimal:
    """Return the quantity of a leg's first order, base: the sized one, or what the leading leg received."""
    plan = ledger.plan
    if policy.placement is Placement.SIMULTANEOUS or leg == plan.leads:
        return plan.legs[leg].amount
    return gross_up(max(ledger.progress(plan.leads), ZERO), plan.legs[leg], plan.legs[leg].side)


def short(s: Situation) -> bool:
    """Whether a leg's first order ended short of its target while another order lives on to make it worse."""
    if s.policy.placement is not Placement.SIMULTANEOUS or not s.ledger.live:
        return False
    plan = s.ledger.plan
    for order in s.ledger.orders:
        ended = order.lifecycle in {Lifecycle.CLOSED, Lifecycle.DEAD}
        if ended and plan.quantity - s.ledger.progress(order.intent.leg) >= plan.dust:
            return True
    return False


def overdue(s: Situation) -> bool:
    """Whether something lives, or its end is not known, past its deadline."""
    return any(s.now >= order.deadline for order in s.ledger.orders if order.live or order.provisional)


def cancellable(s: Situation) -> tuple[int, ...]:
    """Return the orders that rest, should not any more, and have not been asked to go."""
    if not s.ledger.live:
        return ()
    over = s.phase is not Phase.FIRST or overdue(s) or short(s)
    return tuple(
        order.intent.index
        for order in s.ledger.live
        if over and order.resting and order.cancel_asked_at is None and _has_had_its_time(s, order)
    )


def _has_had_its_time(s: Situation, order: Order) -> bool:
    """Whether an order must go: all do, save a remedy within its deadline that still makes the exposure smaller."""
    if s.phase is not Phase.REMEDY or order.intent.purpose is Purpose.FIRST or s.now >= order.deadline:
        return True
    # A late fill elsewhere has done its work: each further fill of it would be naked.
    return s.ledger.exposure * order.intent.side.sign >= 0


# ------------------------------------------------------------------ remedies


def _remedy(s: Situation) -> Choice:
    if s.phase is Phase.OVER:
        return _answer(s, Kind.WAIT, "disturbed")
    if s.phase is Phase.HALTED and not s.retry_due:
        return _answer(s, Kind.WAIT, "halted")
    if s.phase is not Phase.HALTED and s.attempt >= budget(s):
        return _answer(s, Kind.HALT, f"{s.attempt} remedies were tried")
    if s.survey is None or s.now < s.not_before:
        return _answer(s, Kind.WAIT, "both venues are to be asked first")
    weighed = weigh(s)
    halted, last = s.phase is Phase.HALTED, s.attempt + 1 >= budget(s)
    sendable = [option for option in weighed if not option.blocked]
    best = min(sendable, key=lambda option: _rank(s, option), default=None)
    if best is None or (_past_zero(s, best) and not last and not halted):
        kind = Kind.HALT if last and not halted else Kind.WAIT
        reason = "no remedy can be sent" if best is None else "no remedy but the wrong way round can be sent yet"
        return evolve(_answer(s, kind, reason), weighed=weighed)
    return evolve(_answer(s, best.kind, _why(s, best, sendable)), option=best, weighed=weighed)


def _rank(s: Situation, option: Option) -> tuple[bool, bool, bool, bool, Decimal]:
    """Order remedies: not the wrong way round, not tried in vain, what fits a booking or the policy, the cheaper."""
    preferred = {
        Remedy.COMPLETE: Kind.COMPLETE,
        Remedy.UNWIND: Kind.UNWIND,
        Remedy.CHEAPEST: option.kind,
    }[s.policy.remedy]
    if _exceeds(s):  # a late fill beside a remedy: to complete it would trade the size, or leave the position, twice
        preferred = Kind.UNWIND
    elif s.booked is not None:
        preferred = Kind.COMPLETE
    elif any(will_not_reduce(s.ledger, leg) for leg in (0, 1)):
        preferred = Kind.COMPLETE  # refused for its form, not for its price: undoing the other leg would repeat it
    return (
        _past_zero(s, option),  # whatever it costs: it leaves a hedge that nobody asked for, and that must be exited
        option.kind in s.refused,
        option.kind is not preferred,
        option.cost is None,
        option.cost if option.cost is not None else ZERO,
    )


def _past_zero(s: Situation, option: Option) -> bool:
    """Whether *option* would match both legs the wrong way round: only after a bust is there less than nothing."""
    brings = option.amount * (ONE - s.ledger.plan.legs[option.leg].fee_on_buy if option.side is Side.BUY else ONE)
    return option.kind is Kind.UNWIND and s.ledger.progress(option.leg) - brings <= -s.ledger.plan.dust


def _exceeds(s: Situation) -> bool:
    """Whether a leg has received more than was booked, or sized, by more than dust: a bust leaves no excess behind."""
    wanted = s.ledger.plan.quantity if s.booked is None else s.booked
    return max(s.ledger.progress(0), s.ledger.progress(1)) - wanted >= s.ledger.plan.dust


def _why(s: Situation, best: Option, sendable: list[Option]) -> str:
    if _past_zero(s, best):
        return "the last resort: hedged the wrong way round rather than naked"
    if len(sendable) == 1:
        return f"only to {best.kind.value} can be sent"
    if best.kind not in s.refused and any(option.kind in s.refused for option in sendable):
        return "the other was refused or left half open"
    if s.booked is not None:
        return "back to the booked quantity"
    if _exceeds(s):
        return "back to the sized quantity"
    return "cheaper" if s.policy.remedy is Remedy.CHEAPEST else "preferred by the policy"


def weigh(s: Situation) -> tuple[Option, Option]:
    """Return both remedies, complete and unwind, as they would be sent now, with what blocks each."""
    ledger = s.ledger
    lead = 0 if ledger.progress(0) >= ledger.progress(1) else 1
    lag = 1 - lead
    return (
        _option(s, Kind.COMPLETE, lag, ledger.plan.legs[lag].side),
        _option(s, Kind.UNWIND, lead, ledger.plan.legs[lead].side.opposite),
    )


def _option(s: Situation, kind: Kind, index: int, side: Side) -> Option:
    leg = s.ledger.plan.legs[index]
    amount = _quantity(s, kind, index, side)
    option = Option(kind=kind, leg=index, side=side, amount=amount)
    survey = s.survey.legs[index] if s.survey else None
    if survey is None:
        return evolve(option, blocked=f"{leg.leg.exchange} gives no answer")
    touch = survey.book.touch(side)
    if touch is None:
        return evolve(option, blocked=f"{leg.leg.exchange} shows no {side.opposite.value} orders")
    bound = _bound(s, index, side, touch)
    option = evolve(option, touch=touch, bound=bound)
    if (touch - bound) * side.sign > 0:
        return evolve(option, blocked=f"{touch:f} is past the most it may lose, {bound:f}")
    if survey.balances is None:
        affordable = amount  # what is not known never holds a remedy back: the venue will say
    elif not leg.rules.spot and (kind is Kind.UNWIND) is not s.exits:
        affordable = amount  # reduce-only: it frees margin
    else:
        affordable = _affordable(s, index, side, bound, survey.balances)
    amount = min(amount, affordable)
    if leg.rules.amount_max is not None:
        amount = min(amount, leg.rules.amount_max)
    amount = floor_to(amount, leg.rules.lot)
    if amount < leg.least or amount * bound < leg.rules.notional_min:
        what = "free funds" if affordable < option.amount else "exposure"
        return evolve(option, blocked=f"{what} of {amount:f} is below the least order {leg.least:f}")
    option = evolve(option, amount=amount, vwap=survey.book.vwap(side, amount))
    return evolve(option, cost=_cost(s, option, survey.book))


def _quantity(s: Situation, kind: Kind, index: int, side: Side) -> Decimal:
    """Return target minus received of the leg that trades, as an order quantity."""
    ledger = s.ledger
    leg = ledger.plan.legs[index]
    difference = abs(ledger.exposure)
    amount = gross_up(difference, leg, side)
    if kind is Kind.COMPLETE:
        return amount
    own, other = ledger.progress(index), ledger.progress(1 - index)
    if other < ZERO and own >= leg.least:
        return gross_up(own, leg, side)  # after a bust: each leg goes back to zero by itself, not past it
    if amount < leg.least and other < ledger.plan.dust:
        # The target is zero where what the other leg has is too small to trade anyway.
        return gross_up(own, leg, side)
    return amount


def _bound(s: Situation, index: int, side: Side, touch: Decimal) -> Decimal:
    leg = s.ledger.plan.legs[index]
    attempt = 0 if s.phase is Phase.HALTED else s.attempt
    limit = touch * (ONE + side.sign * s.policy.band(attempt))
    worst = loss_bound(leg.price, side.sign, s.policy)
    limit = min(limit, worst) if side is Side.BUY else max(limit, worst)
    return leg.rules.bound_price(side, limit)


def _affordable(s: Situation, index: int, side: Side, bound: Decimal, balances: Balances) -> Decimal:
    """Return how much the venue's free balance pays for."""
    rules = s.ledger.plan.legs[index].rules
    if rules.spot and side is Side.SELL:
        return balances.of(rules.base)
    fee = ZERO if rules.fee_in is FeeIn.BASE_ON_BUY else rules.taker_fee
    return divide(balances.of(rules.quote) * rules.leverage, bound * (ONE + fee))


def _cost(s: Situation, option: Option, book: OrderBook) -> Decimal | None:
    """Return what removing the exposure this way costs, in the quote of legs[0], against what was paid for it.

    Completing is compared with unwinding for the whole exposure, so a remedy
    that shrinks to what can be paid for is not cheaper for being smaller.
    None: the book holds less than half of it.
    """
    taken = min(option.amount, sum((level.amount for level in book.against(option.side)), ZERO))
    if taken < option.amount / 2 or (vwap := book.vwap(option.side, taken)) is None:
        return None
    plan, ledger, sign = s.ledger.plan, s.ledger, option.side.sign
    lead = 0 if ledger.progress(0) >= ledger.progress(1) else 1
    paid = ledger.average_price(lead) or plan.legs[lead].price
    price = plan.worth(option.leg, vwap * (ONE + sign * plan.legs[option.leg].rules.taker_fee))
    return (price - plan.worth(lead, paid)) * sign * abs(ledger.exposure)
