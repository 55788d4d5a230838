"""A walk that is looked at after every step, with venues whose books are what they told: honest runs for checkers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import evolve
from worlds import (
    ALPHA,
    BETA_KEEPS_BASE,
    BETA_PERPETUAL,
    LEGS,
    PERPETUAL,
    PRICE,
    Walk,
    entry,
    fill,
    leaving,
)

from fsm_arb.messages import Busted, Event, Intent, Missed, Observed, PlaceEnded
from fsm_arb.ports import Acknowledged, OrderSnapshot, OrderStatus, Refused
from fsm_arb.position import Position
from fsm_arb.testing.glimpse import Append, Create, Glimpse, VenueFill, VenueOrder, judged, judged_at_rest
from fsm_arb.values import ZERO, Fee, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fsm_arb.testing.glimpse import Checker, Violation
    from fsm_arb.trade import Step

D = Decimal
NOTHING = Glimpse(now=0, trades={}, orders={})


def true_order(walk: Walk, index: int, filled: Any = 0, **changes: Any) -> VenueOrder:
    """Return order *index* of a walk as its venue has it: over, and said so, unless said otherwise."""
    intent = walk.sent[index]
    fills = (VenueFill(fill_id=f"{index}-0", amount=D(filled), price=PRICE),) if D(filled) else ()
    given: dict[str, Any] = {
        "venue": walk.decision.legs[intent.leg].exchange,
        "client_order_id": intent.client_order_id,
        "symbol": walk.decision.legs[intent.leg].symbol,
        "side": intent.side,
        "amount": intent.amount,
        "live": False,
        "told_over": True,
        "fills": fills,
    }
    return VenueOrder(**(given | changes))


def seen(walk: Walk, *orders: VenueOrder, **changes: Any) -> Glimpse:
    """Return a glimpse of a walk as it stands, with these orders on the venues."""
    given: dict[str, Any] = {
        "now": walk.ns,
        "trades": {walk.trade.trade_id: walk.trade.copy()},
        "orders": {order.client_order_id: order for order in orders},
        "entries": {walk.trade.trade_id: tuple(walk.entries)},
    }
    return Glimpse(**(given | changes))


def stepped(checker: Checker, before: Glimpse, after: Glimpse) -> list[str]:
    """Return what a checker objects to in one step."""
    return list(checker.step(before, after))


def rested(checker: Checker, glimpse: Glimpse) -> list[str]:
    """Return what a checker objects to at rest."""
    return list(checker.rest(glimpse))


class Watched(Walk):
    """A walk whose venues hold what they told, and every step of which is judged.

    A venue moves first and is glimpsed, then the trade is told: as it is in life.
    """

    def __init__(self, checkers: Iterable[Checker], *args: Any, **kwargs: Any) -> None:
        self.checkers = tuple(checkers)
        self.violations: list[Violation] = []
        self.venue: dict[str, VenueOrder] = {}
        self.creates: list[Create] = []
        self.positions: dict[str, Any] = {}
        self.glimpses: list[Glimpse] = []
        self.alerts: list[str] = []
        self.calm_since: int | None = None
        super().__init__(*args, **kwargs)
        self._look()

    def tell(self, event: Event) -> Step:
        if self._planned:
            self._happens(event)
            self._look()
        step = super().tell(event)
        for intent in step.sends:
            self._sent(intent)
        if self._planned:
            self._look()
        return step

    @property
    def _planned(self) -> bool:
        return "plan" in vars(self)  # the last thing that is made ready

    def rest(self) -> Watched:
        """Judge the end: nothing moves any more."""
        self.calm_since = self.ns
        self._look()
        self.violations += judged_at_rest(self.checkers, self.glimpses[-1])
        return self

    def _look(self) -> None:
        self._tell_alerts()
        before = self.glimpses[-1] if self.glimpses else NOTHING
        after = seen(
            self,
            *self.venue.values(),
            creates=tuple(self.creates),
            appends=(Append(epoch=1, latest_epoch=1, accepted=True, streams=("trade/t1",)),) * len(self.commits),
            positions=dict(self.positions),
            alerts=tuple(self.alerts),
            faults_on=self.calm_since is None,
            calm_since=self.calm_since,
        )
        self.glimpses.append(after)
        self.violations += judged(self.checkers, before, after)

    def _tell_alerts(self) -> None:
        if self.trade.halted:
            self.alerts.append(f"trade {self.trade.trade_id} halted: {self.trade.exposure:f} BTC is naked")
        self.alerts += [f"order {o.intent.client_order_id}: {o.mismatch}" for o in self.trade.orders if o.mismatch]

    def _sent(self, intent: Intent) -> None:
        name = intent.client_order_id
        self.creates.append(Create(venue="", client_order_id=name, at=self.ns, durable=True, intent_age_ns=0))
        self.venue[name] = true_order(self, intent.index, live=True, told_over=False)

    def _happens(self, event: Event) -> None:
        """Let the venues do what they are about to tell."""
        if isinstance(event, PlaceEnded) and isinstance(event.outcome, Refused):
            self._change(event.order, live=False, told_over=True)
        elif isinstance(event, PlaceEnded) and isinstance(event.outcome, Acknowledged):
            self._shows(event.order, event.outcome.snapshot)
        elif isinstance(event, Observed):
            self._shows(event.order, event.snapshot)
        elif isinstance(event, Missed):
            self._change(event.order, told_over=True, live=False)
        elif isinstance(event, Busted):
            self._takes_back(event.order, event.amount)

    def _change(self, order: int, **changes: Any) -> None:
        name = self.sent[order].client_order_id
        self.venue[name] = evolve(self.venue[name], **changes)

    def _shows(self, order: int, snapshot: OrderSnapshot) -> None:
        if snapshot.side not in {None, self.sent[order].side}:
            return  # another's order under our id
        true = self.venue[self.sent[order].client_order_id]
        ended = snapshot.status is OrderStatus.ENDED
        fills = true.fills
        for each in snapshot.fills:
            if each.fill_id not in {known.fill_id for known in fills}:
                fee = each.fee or Fee(ZERO, "")
                fills += (
                    VenueFill(
                        fill_id=each.fill_id,
                        amount=each.amount,
                        price=each.price,
                        fee=fee.amount,
                        fee_currency=fee.currency,
                    ),
                )
        more = snapshot.filled - sum((each.amount for each in fills), ZERO) - true.busted
        if more > 0:
            price = snapshot.average or PRICE
            fees = snapshot.fees or ()
            base = [fee for fee in fees if fee.amount]
            fills += (
                VenueFill(
                    fill_id=f"{order}-{len(fills)}",
                    amount=more,
                    price=price,
                    fee=base[0].amount if base else ZERO,
                    fee_currency=base[0].currency if base else "",
                ),
            )
        self._change(
            order, fills=fills, live=not ended and true.filled < true.amount, told_over=true.told_over or ended
        )

    def _takes_back(self, order: int, amount: Decimal) -> None:
        true = self.venue[self.sent[order].client_order_id]
        kept = evolve(true.fills[0], amount=true.fills[0].amount - amount)
        self._change(
            order, fills=(kept, *true.fills[1:]) if kept.amount else true.fills[1:], busted=true.busted + amount
        )

    def open_position(self) -> Watched:
        """Do what an executor does once an entry is booked."""
        position, _ = Position.opened(f"P-{self.decision.decision_id}", self.trade)
        self.positions[position.value.position_id] = position.value
        self._look()
        return self


# ------------------------------------------------------------------ honest scripts


def both_fill(watch: Callable[..., Watched]) -> Watched:
    """Both legs fill at once."""
    return watch().fills(0).fills(1).open_position().end_watch()


def comes_to_nothing(watch: Callable[..., Watched]) -> Watched:
    """Both legs are refused."""
    return watch().refuse(0).refuse(1)


def one_refused(watch: Callable[..., Watched]) -> Watched:
    """One leg is refused, the other has filled: it is completed."""
    return watch(remedy="complete").refuse(1).fills(0).later(1).look().fills(2).end_watch()


def unwound(watch: Callable[..., Watched]) -> Watched:
    """One leg filled in part only: the other is traded back, in two goes."""
    walk = watch(remedy="unwind").fills(0).ack(1, 4, ended=True)
    walk.look().ack(2, 2, ended=True).later(2)
    return walk.look().fills(3)


def sequential(watch: Callable[..., Watched]) -> Watched:
    """The second leg follows what the first has received."""
    return watch(placement="sequential").ack(0, "7.5", ended=True).fills(1)


def base_fee(watch: Callable[..., Watched]) -> Watched:
    """The buyer's venue keeps a fee in base, told fill by fill, twice and late."""
    walk = watch(rules=(ALPHA, BETA_KEEPS_BASE)).fills(0).ack(1)
    first = fill("b1", 4, fee=Fee(D("0.004"), "BTC"))
    rest = fill("b2", walk.sent[1].amount - 4, 101, fee=Fee((walk.sent[1].amount - 4) * D("0.001"), "BTC"))
    walk.see(1, 4, fills=(first,), fees=None).see(1, 4, fills=(first,), fees=None)
    walk.see(1, walk.sent[1].amount, fills=(first, rest), fees=None, ended=True)
    return walk.see(1, 4, fills=(first,), fees=None)


def lost_reply(watch: Callable[..., Watched]) -> Watched:
    """A reply is lost and the order is found."""
    return watch().fills(0).doubt(1).miss(1).later(3).see(1, 10, ended=True)


def never_arrived(watch: Callable[..., Watched]) -> Watched:
    """A reply is lost and the order never arrived: presumed absent past the fence, and hedged."""
    return watch(remedy="complete").fills(0).doubt(1).vanish(1).later(1).look().fills(2)


def late_fill(watch: Callable[..., Watched]) -> Watched:
    """An order that its venue had called over fills all the same, after its hedge: it is mended."""
    walk = watch(remedy="complete").fills(0).ack(1, 0, ended=True).look().fills(2)
    assert walk.trade.done
    return walk.see(1, 6, ended=True).later(1).look().fills(3)


def late_fill_beside_a_remedy(watch: Callable[..., Watched]) -> Watched:
    """The same while the hedge is at work: it is cancelled, and what it did too much is traded back."""
    walk = watch(remedy="complete", order_type="limit").fills(0).ack(1, 0, ended=True).look().ack(2, 1)
    return walk.see(1, 10, ended=True).see(2, 5, ended=True).later(2).look().fills(3)


def busted(watch: Callable[..., Watched]) -> Watched:
    """A venue takes back what it executed, after the trade was booked."""
    return watch().fills(0).fills(1).bust(0, 10).later(1).look().fills(2)


def by_hand(watch: Callable[..., Watched]) -> Watched:
    """No remedy can be sent; a person trades the difference."""
    walk = watch(attempts_max=1).fills(0).refuse(1).silence(0, 1)
    assert walk.trade.halted
    return walk.by_hand(1, Side.BUY, 10)


def halted_and_resumed(watch: Callable[..., Watched]) -> Watched:
    """No venue answers; later both do."""
    walk = watch(attempts_max=1).fills(0).refuse(1).silence(0, 1)
    return walk.later(61).look().fills(2)


def restarted(watch: Callable[..., Watched]) -> Watched:
    """Another process takes the trade up with one order acknowledged and one on its way."""
    return watch().ack(0).restart().see(0, 10, ended=True).see(1, 8, ended=True).later(1).look().fills(2)


def given_up(watch: Callable[..., Watched]) -> Watched:
    """A restart before the first intent."""
    return watch(begin=False).restart()


def left_alone(watch: Callable[..., Watched]) -> Watched:
    """Time runs out: what rests is cancelled, and one leg had filled a little."""
    walk = watch(order_type="limit").ack(0, 1).ack(1).at(6).answer_cancel(0).answer_cancel(1)
    return walk.see(0, 1, ended=True).see(1, 0, ended=True).later(1).look().fills(2)


def another_order(watch: Callable[..., Watched]) -> Watched:
    """A venue shows somebody else's order under our id, and then ours."""
    return watch().fills(0).ack(1).see(1, 3, side=Side.SELL).see(1, 10, ended=True)


def derivative(watch: Callable[..., Watched]) -> Watched:
    """One leg is a perpetual."""
    decision = entry(legs=(LEGS[0], PERPETUAL))
    return watch(decision, rules=(ALPHA, BETA_PERPETUAL)).fills(0).fills(1)


def an_exit(watch: Callable[..., Watched]) -> Watched:
    """A position is left."""
    return watch(leaving(), sides=(Side.BUY, Side.SELL), quantity=D(10)).fills(0).fills(1)


SCRIPTS = (
    both_fill,
    comes_to_nothing,
    one_refused,
    unwound,
    sequential,
    base_fee,
    lost_reply,
    never_arrived,
    late_fill,
    late_fill_beside_a_remedy,
    busted,
    by_hand,
    halted_and_resumed,
    restarted,
    given_up,
    left_alone,
    another_order,
    derivative,
    an_exit,
)


def objections(checker: Checker, script: Callable[[Any], Watched]) -> list[str]:
    """Return what *checker* objects to in an honest run, to its very end."""

    def watch(*args: Any, **kwargs: Any) -> Watched:
        return Watched((checker,), *args, **kwargs)

    return [str(each) for each in script(watch).rest().violations]
