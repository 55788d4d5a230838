"""All checkers over random runs of venues that do what venues do: a right core is accepted, wrong ones are caught."""

from __future__ import annotations

import collections
import contextlib
import itertools
import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, evolve, field
from broken_cores import (
    base_fee_ignored,
    cancel_believed,
    doubt_is_refusal,
    hedge_from_request,
    last_reading_believed,
    late_fill_dropped,
)
from honest import NOTHING
from worlds import ALPHA, BETA, BETA_KEEPS_BASE, RICH, SECOND, book, entry, sized

from fsm_arb.errors import InvalidInput
from fsm_arb.messages import (
    Busted,
    Checked,
    ExternalFill,
    LegSurvey,
    Missed,
    Observed,
    PlaceEnded,
    Purpose,
    Restarted,
    Resumed,
    Sized,
    Surveyed,
    Ticked,
)
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.ports import Acknowledged, InDoubt, OrderSnapshot, OrderStatus, Refused
from fsm_arb.testing.glimpse import Append, Create, Glimpse, VenueFill, VenueOrder, judged, judged_at_rest
from fsm_arb.testing.invariants import INVARIANTS, every_checker
from fsm_arb.trade import Trade
from fsm_arb.values import ZERO, Fee, FeeIn, Fill, OrderType, Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsm_arb.memory import Entry
    from fsm_arb.messages import Intent
    from fsm_arb.testing.glimpse import Checker, Violation

D = Decimal
FENCE_S = 15
CALM_STEPS = 400
RULES = (
    (ALPHA, BETA),
    (ALPHA, BETA_KEEPS_BASE),
    (evolve(ALPHA, fee_in=FeeIn.UNKNOWN), evolve(BETA, fee_in=FeeIn.UNKNOWN, lot=D("0.1"))),
)


@define
class Real:
    """What a venue knows of an order. It never arrived (None), is open, or has ended."""

    intent: Intent
    venue: str
    symbol: str
    base_fee: Decimal  # fraction kept in base
    is_open: bool | None = None
    fills: list[Fill] = field(factory=list)
    busted: Decimal = ZERO
    lost_at: int | None = None
    told_over: bool = False
    calls_out: bool = True

    @property
    def filled(self) -> Decimal:
        return sum((fill.amount for fill in self.fills), ZERO)

    def fill(self, share: Decimal) -> None:
        if self.busted:
            return  # what a venue took back it does not execute once more
        left = self.intent.amount - self.filled
        amount = left if share == 1 else (left * share).quantize(D("0.0001"))
        if amount <= 0:
            return
        fee = Fee(amount * self.base_fee, "BTC") if self.base_fee else Fee(amount * D("0.1"), self.symbol[4:])
        name = f"{self.intent.index}-{len(self.fills)}"
        self.fills.append(Fill(fill_id=name, amount=amount, price=self.intent.bound, fee=fee))
        if self.filled == self.intent.amount:
            self.is_open = False

    def snapshot(self) -> OrderSnapshot:
        return OrderSnapshot(
            status=OrderStatus.OPEN if self.is_open else OrderStatus.ENDED,
            filled=self.filled,
            venue_order_id=f"v{self.intent.index}",
            client_order_id=self.intent.client_order_id,
            fills=tuple(self.fills),
        )

    def seen(self) -> VenueOrder:
        return VenueOrder(
            venue=self.venue,
            client_order_id=self.intent.client_order_id,
            symbol=self.symbol,
            side=self.intent.side,
            amount=self.intent.amount,
            live=bool(self.is_open) or self.calls_out or self.lost_at is not None,
            told_over=self.told_over,
            busted=self.busted,
            fills=tuple(
                VenueFill(
                    fill_id=fill.fill_id,
                    amount=fill.amount,
                    price=fill.price,
                    fee=fill.fee.amount if fill.fee else ZERO,
                    fee_currency=fill.fee.currency if fill.fee else "",
                )
                for fill in self.fills
            ),
        )


class Episode:
    """One trade on two venues, where a seed decides what happens; every step is judged."""

    def __init__(self, seed: int, checkers: tuple[Checker, ...]) -> None:
        self.chance = random.Random(seed)
        self.checkers = checkers
        self.violations: list[Violation] = []
        self.now = 0
        self.real: list[Real] = []
        self.told: list[tuple[int, OrderSnapshot]] = []
        self.entries: list[Entry] = []
        self.creates: list[Create] = []
        self.by_hand: dict[str, Decimal] = {}
        self.calm_since: int | None = None
        self.last = NOTHING
        self.policy = ExecutionPolicy(
            placement=self.chance.choice(["simultaneous", "sequential"]),
            order_type=self.chance.choice(["ioc", "limit"]),
            remedy=self.chance.choice(["cheapest", "complete", "unwind"]),
            doubt_remedy=self.chance.choice(["wait", "wait", "act_on_known"]),
            attempts_max=self.chance.choice([1, 3]),
            absence_fence_s=FENCE_S,
        )
        self.rules = self.chance.choice(RULES)
        decision, counter = entry(), itertools.count()
        carried = self.chance.choice([ZERO, D("0.03"), D("-0.05")])
        self.plan = sized(decision, self.rules, self.policy, carried=carried)
        self.trade, step = Trade.begin("t1", decision, self.policy, lambda: f"c{next(counter)}", now=0, at_ns=0)
        self.entries += step.entries
        self.tell(Checked(now=0))
        self.tell(Sized(now=0, plan=self.plan))

    def tell(self, event: Any) -> None:
        self.look()
        step = self.trade.handle(event, self.now)
        self.entries += step.entries
        for intent in step.sends:
            leg = self.plan.legs[intent.leg]
            fee = leg.rules.taker_fee if leg.fee_on_buy and intent.side is Side.BUY else ZERO
            self.real.append(Real(intent, leg.leg.exchange, leg.leg.symbol, fee))
            name = intent.client_order_id
            self.creates.append(
                Create(venue=leg.leg.exchange, client_order_id=name, at=self.now, durable=True, intent_age_ns=0)
            )
        self.look()

    def look(self) -> None:
        known = self.last.orders
        now = {real.intent.client_order_id: real.seen() for real in self.real}
        kept = {name: known[name] if known.get(name) == order else order for name, order in now.items()}
        same = len(kept) == len(known) and all(known.get(name) is order for name, order in kept.items())
        trade = self.last.trades.get("t1")
        unchanged = trade is not None and len(self.entries) == len(self.last.entries["t1"])
        after = Glimpse(
            now=self.now,
            trades=self.last.trades if unchanged else {"t1": self.trade.copy()},
            orders=known if same else kept,
            entries=self.last.entries if unchanged else {"t1": tuple(self.entries)},
            creates=self.last.creates if len(self.creates) == len(self.last.creates) else tuple(self.creates),
            appends=(Append(epoch=1, latest_epoch=1, accepted=True),),
            external={
                "alpha": {"BTC": self.by_hand.get("alpha", ZERO)},
                "beta": {"BTC": self.by_hand.get("beta", ZERO)},
            },
            alerts=(f"trade t1 halted: {self.trade.exposure:f} is naked",) if self.trade.halted else (),
            faults_on=self.calm_since is None,
            calm_since=self.calm_since,
        )
        self.violations += judged(self.checkers, self.last, after)
        self.last = after

    # -------------------------------------------------------------- what may happen

    def happens(self) -> None:
        self.chance.choice(list(self.moves()))()

    def moves(self) -> list[Callable[[], None]]:
        moves: list[Callable[[], None]] = [self.time_passes]
        pick = self.chance.choice
        out = [real for real in self.real if real.calls_out]
        arrived = [real for real in self.real if real.is_open is not None]
        lost = [real for real in self.real if real.lost_at is not None]
        absent = [real for real in self.real if real.is_open is None and not real.calls_out]
        filled = [real for real in arrived if real.filled]
        moves += [lambda: self.place_ends(pick(out))] * 3 if out else []
        moves += [lambda: self.fills(pick(arrived)), lambda: self.is_seen(pick(arrived))] * 2 if arrived else []
        moves += [lambda: self.arrives(pick(lost))] if lost else []
        moves += [lambda: self.is_missed(pick(absent))] if absent else []
        moves += [lambda: self.told_again(*pick(self.told))] if self.told else []
        moves += [self.surveyed] * 3 if self.trade.wants_survey(self.now) else []
        moves += (
            [lambda: self.tell(Resumed(now=self.now, reason="asked")), self.traded_by_hand] if self.trade.halted else []
        )
        moves += [self.restarts] if self.chance.random() < 0.05 else []
        moves += [lambda: self.is_busted(pick(filled))] if filled and self.chance.random() < 0.05 else []
        return moves

    def share(self) -> Decimal:
        return self.chance.choice([D(1), D(1), D("0.5"), D("0.3"), D("0.01"), D(str(round(self.chance.random(), 4)))])

    def time_passes(self) -> None:
        self.now += self.chance.choice([SECOND // 10, SECOND, 6 * SECOND, 20 * SECOND, 130 * SECOND])
        self.tell(Ticked(now=self.now))

    def place_ends(self, real: Real) -> None:
        how = self.chance.choice(["ack", "filled", "filled", "refused", "lost", "never", "late"])
        real.calls_out = False
        outcome: Any = InDoubt(code="timeout", message="no answer")
        if how in {"ack", "filled"}:
            real.is_open = True
            if how == "filled":
                real.fill(self.share())
            outcome = Acknowledged(snapshot=real.snapshot())
            real.told_over |= not real.is_open
        elif how == "refused":
            real.told_over = True
            outcome = Refused(code="invalid_order", message="no")
        elif how == "lost":
            real.is_open = True
        elif how == "late":
            real.lost_at = self.now
        self.look()
        self.tell(PlaceEnded(now=self.now, order=real.intent.index, outcome=outcome))

    def arrives(self, real: Real) -> None:
        if real.lost_at is not None and self.now - real.lost_at < FENCE_S * SECOND:
            real.is_open = True
        real.lost_at = None
        self.look()

    def fills(self, real: Real) -> None:
        """Open or not: a venue fills what it said was over, too."""
        real.fill(self.share())
        self.look()

    def is_seen(self, real: Real) -> None:
        asked = self.trade.orders[real.intent.index].cancel_asked_at is not None
        if real.is_open and (asked or real.intent.order_type is OrderType.IOC) and self.chance.random() < 0.5:
            real.is_open = False
        snapshot = real.snapshot()
        self.told.append((real.intent.index, snapshot))
        real.told_over |= snapshot.status is OrderStatus.ENDED
        self.look()
        self.tell(Observed(now=self.now, order=real.intent.index, snapshot=snapshot))

    def told_again(self, index: int, snapshot: OrderSnapshot) -> None:
        self.tell(Observed(now=self.now, order=index, snapshot=snapshot))

    def is_missed(self, real: Real) -> None:
        covered = real.lost_at is None or self.now - real.lost_at < FENCE_S * SECOND
        ended_at = self.trade.orders[real.intent.index].placing_ended_at
        # Before the fence it may still arrive: that it is not there yet says nothing.
        real.told_over |= covered and ended_at is not None and self.now - ended_at >= FENCE_S * SECOND
        self.tell(Missed(now=self.now, order=real.intent.index, asked_at=self.now, covered=covered))

    def surveyed(self) -> None:
        legs: list[LegSurvey | None] = []
        for _ in (0, 1):
            off = 1 + self.chance.choice([D(0), D("0.001"), D("-0.001"), D("0.02"), D("-0.02"), D("0.2")])
            amount = self.chance.choice([D("0.00000001"), D(2), D(1000)])
            shown = book(D("99.99") * off, D("100.01") * off, amount)
            legs.append(None if self.chance.random() < 0.2 else LegSurvey(book=shown, balances=RICH))
        self.tell(Surveyed(now=self.now, legs=(legs[0], legs[1])))

    def restarts(self) -> None:
        self.trade = Trade.fold("t1", self.entries, self.trade.fresh_id)
        for real in self.real:
            if real.calls_out:
                real.calls_out, real.lost_at = False, self.now
        self.look()
        if not self.trade.done:
            self.tell(Restarted(now=self.now))

    def is_busted(self, real: Real) -> None:
        known = self.trade.orders[real.intent.index].filled
        last = real.fills[-1]
        if real.filled != known or real.is_open:
            return
        real.fills.pop()
        real.busted += last.amount
        self.told = [(index, old) for index, old in self.told if index != real.intent.index]
        self.look()
        self.tell(Busted(now=self.now, order=real.intent.index, amount=last.amount, reason="trade-through"))

    def traded_by_hand(self) -> None:
        leg = self.chance.choice([0, 1])
        side = Side.BUY if self.trade.exposure < 0 else Side.SELL
        amount = abs(self.trade.exposure)
        if not amount:
            return
        told = ExternalFill(now=self.now, leg=leg, side=side, amount=amount, price=D(100), reason="by hand")
        try:
            self.tell(told)
        except InvalidInput:
            return
        venue = self.plan.legs[leg].leg.exchange
        self.by_hand[venue] = self.by_hand.get(venue, ZERO) + amount * side.sign

    # -------------------------------------------------------------- and then it is calm

    def calm(self) -> None:
        self.calm_since = self.now
        for _ in range(CALM_STEPS):
            for real in self.real:
                self.serve(real)
            self.now += SECOND
            self.tell(Ticked(now=self.now))
            if self.trade.wants_survey(self.now):
                self.tell(
                    Surveyed(
                        now=self.now,
                        legs=(LegSurvey(book=book(), balances=RICH), LegSurvey(book=book(), balances=RICH)),
                    )
                )
            if self.violations or (self.trade.done and not any(real.is_open for real in self.real)):
                break
        for real in self.real:
            self.shown(real)
        self.violations += judged_at_rest(self.checkers, self.last)

    def serve(self, real: Real) -> None:
        real.lost_at = None
        known = self.trade.orders[real.intent.index]
        if real.calls_out:
            real.calls_out, real.is_open = False, True
            self.look()
            self.tell(PlaceEnded(now=self.now, order=real.intent.index, outcome=Acknowledged(snapshot=real.snapshot())))
        if real.is_open and real.intent.purpose is not Purpose.FIRST and not real.told_over:
            real.fill(D(1))
        if real.is_open and (real.intent.order_type is OrderType.IOC or known.cancel_asked_at is not None):
            real.is_open = False
        if real.is_open is None and known.live:
            self.is_missed(real)
        self.shown(real)

    def shown(self, real: Real) -> None:
        if real.is_open is not None:
            real.told_over |= not real.is_open
            self.look()
            self.tell(Observed(now=self.now, order=real.intent.index, snapshot=real.snapshot()))


def run(seed: int, checkers: tuple[Checker, ...], steps: int = 50) -> Episode:
    """Run one episode to its end."""
    episode = Episode(seed, checkers)
    for _ in range(episode.chance.randint(1, steps)):
        episode.happens()
        if episode.violations:
            return episode
    episode.calm()
    return episode


@pytest.mark.parametrize("seeds", [range(start, start + 40) for start in range(0, 160, 40)], ids=str)
def test_honest_episodes_are_accepted(seeds: range) -> None:
    """Whatever venues do, a core that is right gives no checker anything to object to."""
    for seed in seeds:
        episode = run(seed, every_checker())
        assert [f"seed {seed}: {each}" for each in episode.violations] == []
        assert episode.trade.done


def test_the_list_is_whole_and_in_order() -> None:
    """Fifteen invariants, numbered, each with a name and a sentence of its own; liveness comes after them."""
    assert [checker.number for checker in INVARIANTS] == list(range(1, 16))
    assert [checker.number for checker in every_checker()] == list(range(1, 17))
    assert len({checker.name for checker in every_checker()}) == 16
    assert all(checker.claim for checker in every_checker())


# ------------------------------------------------------------------ cores that are wrong


@pytest.mark.parametrize(
    ("broken", "caught_by"),
    [
        (late_fill_dropped, {"books agree", "done is flat"}),
        (doubt_is_refusal, {"exposure bounded", "one remedy", "done is flat"}),
        (hedge_from_request, {"never over-hedged"}),
        (cancel_believed, {"exposure bounded", "one remedy", "done is flat"}),
        (base_fee_ignored, {"exposure bounded", "books agree", "done is flat"}),
        (last_reading_believed, {"filled only grows", "PnL of fills"}),
    ],
)
def test_a_broken_core_is_caught_by_the_invariant_it_breaks(
    broken: Callable[[pytest.MonkeyPatch], None], caught_by: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same episodes object to each deliberately broken variant of the core, by the names one would expect."""
    broken(monkeypatch)
    found: collections.Counter[str] = collections.Counter()
    for seed in range(60):
        with contextlib.suppress(ArithmeticError):  # some of them cannot even count any more
            found.update(each.name for each in run(seed, every_checker()).violations)
        if caught_by <= found.keys():
            break
    assert caught_by <= found.keys()
