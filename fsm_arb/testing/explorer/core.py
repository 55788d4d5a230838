"""The real core, each distinct step of it once.

Trades that are alike (`canon`) are one; one real `Trade` stands for them. What
an event leads to from there is asked of that trade once and remembered, so the
many worlds around it are explored as tuples of small numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from attrs import define, field, frozen

from fsm_arb.errors import InvalidInput
from fsm_arb.machines.trade import TradeState
from fsm_arb.memory import Entry
from fsm_arb.messages import (
    AbortAsked,
    CancelEnded,
    Checked,
    Event,
    ExternalFill,
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
from fsm_arb.orders import Order
from fsm_arb.ports import Acknowledged, CancelReply, InDoubt, OrderSnapshot, OrderStatus, Refused
from fsm_arb.testing.explorer.bounds import COSTLY_SURVEYS, PRICE, SURVEYS, UNIT, World
from fsm_arb.testing.explorer.canon import Canon, Key, Likeness, look_of
from fsm_arb.testing.explorer.pool import NOW, Pool, Pooled
from fsm_arb.testing.explorer.venue import (
    ARGUMENT_MASK,
    CALL_OUT,
    CODE_BITS,
    ENDED_READING,
    FENCED,
    GOING,
    KIND_SHIFT,
    PLACE_SHIFT,
    REMEDY,
    Tell,
    code,
)
from fsm_arb.trade import Step, Trade
from fsm_arb.values import Fee, Fill, Side

NEW = -1  # in a change of places: an order that was just sent
NO_FEE = Fee(Decimal(0), "USD")

Change = tuple[tuple[int, int], ...]  # for each place afterwards: the place before, or NEW; lots that count no more
READINGS = frozenset({Tell.ACK, Tell.SEEN})
ROLES = frozenset({Tell.SURVEY, Tell.BY_HAND})  # told by which leg leads
TICK = code(Tell.TICK)
Found = tuple[int, Change | None]  # the trade afterwards, and how its orders change places; None: they do not


@frozen
class Standing:
    """One trade that stands for all like it, with what the explorer asks of it over and over."""

    trade: Pooled
    now: int
    likeness: Likeness
    orders: tuple[tuple[int, int], ...]  # by place: lots ordered, flags
    events: tuple[tuple[int, int], ...]  # what may be told that concerns no order, and what it costs in faults
    may_crash: bool
    done: bool
    look: int  # the same for all that differ in nothing but clocks and budgets


@define
class FreshIds:
    """Client order ids, one after the other."""

    prefix: str = "x"
    last: int = 0

    def __call__(self) -> str:
        """Return one that was never returned before."""
        self.last += 1
        return f"{self.prefix}{self.last}"


@frozen
class Told:
    """One step of the real core: what it was told, what came of it."""

    trade_id: int
    event_code: int
    before: Trade
    event: Event
    after: Trade
    step: Step
    now: int
    error: Exception | None = None  # what our own code raised


class StepJudge(Protocol):
    """Is shown each distinct step of the core once."""

    def __call__(self, told: Told, *, new: bool) -> None:
        """Judge a step. *new*: no trade like the one afterwards was met before."""
        ...


@define(eq=False)
class Core:
    """Every trade that was found, and every step that was taken."""

    world: World
    judge: StepJudge  # is shown each distinct step once
    standings: list[Standing] = field(factory=list)
    rows: set[tuple[str, str, str]] = field(factory=set)  # every edge of the table that was taken
    steps: int = 0  # distinct ones
    _ids: dict[Key, int] = field(factory=dict)
    _found: dict[int, Found | None] = field(factory=dict)
    _looks: dict[Key, int] = field(factory=dict)
    _canon: Canon = field(init=False)
    _pool: Pool = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._canon = Canon(self.world)
        self._pool = Pool(self.world)

    def begin(self) -> int:
        """Return the trade at its beginning."""
        trade, _ = Trade.begin("t", self.world.decision, self.world.policy, FreshIds(), now=NOW, at_ns=NOW)
        return self.adopt(trade)

    def adopt(self, trade: Trade) -> int:
        """Return the number of a real trade at `NOW`, wherever it comes from."""
        return self._id_of(self._pool.own(trade), NOW)[0]

    def step(self, trade_id: int, event_code: int) -> Found | None:
        """Return where an event leads; None where the trade refuses what an operator says."""
        asked = trade_id << CODE_BITS | event_code
        try:
            return self._found[asked]
        except KeyError:
            found = self._found[asked] = self._take(trade_id, event_code)
            return found

    def event(self, standing: Standing, event_code: int) -> Event:
        """Return the event of a number, as it is told to the trade that stands there; of equal ones always the same."""
        likeness, trade = standing.likeness, standing.trade
        kind = event_code >> KIND_SHIFT
        place = event_code >> PLACE_SHIFT & ARGUMENT_MASK
        index = likeness.order[place] if place < len(likeness.order) else 0
        if kind in READINGS:
            event_code += likeness.bases[place]
        about: tuple[object, ...] = ()
        if kind in ROLES:
            about = leader(trade), trade.exposure > 0
        elif Tell.ACK <= kind <= Tell.CANCEL_ENDED and index < len(trade.orders):
            about = index, self._pool.name(trade.orders[index].intent)
        found: Event = self._pool.one(
            (event_code, *about), lambda: event_of(self.world, trade, event_code, index, NOW)
        )
        return found

    def _take(self, trade_id: int, event_code: int) -> Found | None:
        standing = self.standings[trade_id]
        event = self.event(standing, event_code)
        ticks = event_code == TICK
        before = self._pool.earlier(standing.trade) if ticks else standing.trade
        after = before.copy()
        after.fresh_id = FreshIds(last=len(before.orders))
        self.steps += 1
        try:
            step = after.handle(event, NOW)
        except InvalidInput:
            return None  # an operator is told why; nothing has changed
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            self.judge(Told(trade_id, event_code, before, event, after, Step(), NOW, error), new=False)
            return None
        told = Told(trade_id, event_code, before, event, after, step, NOW)
        if not (step.entries or ticks):
            self.judge(told, new=False)
            return trade_id, None
        self.rows.update((entry.before, entry.trigger, entry.after) for entry in step.entries if _moves(entry))
        known = len(self.standings)
        found, likeness = self._id_of(after, NOW)
        self.judge(told, new=found == known)
        was = standing.likeness
        places = {index: place for place, index in enumerate(was.order)}
        bases = dict(zip(was.order, was.bases, strict=True))
        change = tuple(
            (places.get(index, NEW), base - bases.get(index, 0))
            for index, base in zip(likeness.order, likeness.bases, strict=True)
        )
        return found, None if change == tuple((place, 0) for place in range(len(places))) else change

    def _id_of(self, trade: Pooled, now: int) -> tuple[int, Likeness]:
        likeness = self._canon.of(trade, now)
        found = self._ids.get(likeness.key)
        if found is None:
            found = self._ids[likeness.key] = len(self.standings)
            look = self._looks.setdefault(look_of(likeness.key), len(self._looks))
            self.standings.append(_standing(self.world, trade, now, likeness, look))
        return found, likeness


def _moves(entry: Entry) -> bool:
    return entry.before != entry.after


def _standing(world: World, trade: Pooled, now: int, likeness: Likeness, look: int) -> Standing:
    orders = [trade.orders[index] for index in likeness.order]
    flags = [
        CALL_OUT * (order.placing_ended_at is None)
        | GOING * (order.resting and order.cancel_asked_at is not None)
        | REMEDY * (order.intent.purpose is not Purpose.FIRST)
        | FENCED * (world.bounds.lists_lag or _fenced(world, order, now))
        for order in orders
    ]
    return Standing(
        trade=trade,
        now=now,
        likeness=likeness,
        orders=tuple(
            (int(order.intent.amount) - base, flag)
            for order, base, flag in zip(orders, likeness.bases, flags, strict=True)
        ),
        events=tuple(_events(trade, now)),
        may_crash=not trade.done,
        done=trade.done,
        look=look,
    )


def _fenced(world: World, order: Order, now: int) -> bool:
    """Whether lists may still lag behind what an order is: so long nobody concludes anything from them."""
    since = max(order.placing_ended_at or 0, order.cancel_asked_at or 0)
    return order.live and now - since < world.fence * UNIT


def _events(trade: Trade, now: int) -> list[tuple[int, int]]:
    """Return what may be told to a trade in this state, besides what befalls its orders, and what it costs."""
    if trade.state == TradeState.PRECHECK:
        return [(code(Tell.CHECKED, 0), 0), (code(Tell.CHECKED, 1), 0), (code(Tell.ABORT), 0)]
    if trade.state == TradeState.SIZING:
        return [(code(Tell.SIZED, 0), 0), (code(Tell.SIZED, 1), 0), (code(Tell.ABORT), 0)]
    found = [(code(Tell.TICK), 0)]
    if trade.wants_survey(now):
        found += [(code(Tell.SURVEY, kind), int(kind in COSTLY_SURVEYS)) for kind in range(len(SURVEYS))]
    if trade.halted:
        found.append((code(Tell.RESUME), 0))
        naked = abs(int(trade.exposure))
        hasty = int(trade.ledger is not None and bool(trade.ledger.live))  # an order may fill what a person trades
        found += [(code(Tell.BY_HAND, leads | lots << 1), hasty) for leads in (0, 1) for lots in range(1, naked + 1)]
    return found


# ------------------------------------------------------------------ from a number to an event


_BARE: dict[Tell, Callable[[int], Event]] = {
    Tell.TICK: lambda now: Ticked(now=now),
    Tell.ABORT: lambda now: AbortAsked(now=now, reason="no longer wanted"),
    Tell.RESUME: lambda now: Resumed(now=now, reason="an operator asked"),
    Tell.RESTART: lambda now: Restarted(now=now),
}


def event_of(world: World, trade: Trade, event_code: int, index: int, now: int) -> Event:
    """Return the event of a number.

    Args:
        world: What every run has in common.
        trade: Who is told; the leg that leads is its own.
        event_code: What is told.
        index: Which of its orders the event concerns.
        now: Monotonic ns.
    """
    argument = event_code & ARGUMENT_MASK
    kind = Tell(event_code >> KIND_SHIFT)
    if kind in _BARE:
        return _BARE[kind](now)
    match kind:
        case Tell.CHECKED:
            return Checked(now=now, refusal="a venue is down" if argument else "")
        case Tell.SIZED:
            return Sized(now=now, refusal="funds: too little") if argument else Sized(now=now, plan=world.plan)
        case Tell.SURVEY | Tell.BY_HAND:
            return _by_role(world, trade, kind, argument, now)
        case _:
            return _about(trade, kind, argument, index, now)


def _by_role(world: World, trade: Trade, kind: Tell, argument: int, now: int) -> Surveyed | ExternalFill:
    """Return an event that is told by which leg leads, so that mirror images are told the same."""
    lead = leader(trade)
    less = Side.SELL if trade.exposure > 0 else Side.BUY
    if kind is Tell.SURVEY:
        return world.survey(argument, lead, less.sign, now)
    leg = lead if argument & 1 else 1 - lead
    return ExternalFill(now=now, leg=leg, side=less, amount=Decimal(argument >> 1), price=PRICE, reason="by hand")


def leader(trade: Trade) -> int:
    """Return the leg that has brought more."""
    ledger = trade.ledger
    return 0 if ledger is None or ledger.progress(0) >= ledger.progress(1) else 1


def _about(trade: Trade, kind: Tell, argument: int, index: int, now: int) -> Event:
    """Return an event that concerns one order."""
    match kind:
        case Tell.ACK:
            return PlaceEnded(now=now, order=index, outcome=Acknowledged(snapshot=reading(trade, index, argument)))
        case Tell.REFUSED:
            return PlaceEnded(now=now, order=index, outcome=Refused(code="invalid_order", message="no"))
        case Tell.DOUBT:
            return PlaceEnded(now=now, order=index, outcome=InDoubt(code="timeout", message="no answer"))
        case Tell.SEEN:
            return Observed(now=now, order=index, snapshot=reading(trade, index, argument))
        case Tell.MISSED:
            return Missed(now=now, order=index, asked_at=now, covered=bool(argument))
        case _:
            return CancelEnded(now=now, order=index, reply=CancelReply(accepted=bool(argument)))


def reading(trade: Trade, index: int, argument: int) -> OrderSnapshot:
    """Return what the venue shows of an order: lots filled, and whether it calls it over."""
    filled, ended = argument & ~ENDED_READING, bool(argument & ENDED_READING)
    intent = trade.orders[index].intent
    return OrderSnapshot(
        status=OrderStatus.ENDED if ended else OrderStatus.OPEN,
        filled=Decimal(filled),
        venue_order_id=f"v{intent.client_order_id}",
        client_order_id=intent.client_order_id,
        symbol=trade.decision.legs[intent.leg].symbol,
        side=intent.side,
        amount=intent.amount,
        average=PRICE if filled else None,
        fills=tuple(fill_of(intent.client_order_id, number) for number in range(filled)),
        fees=(),
    )


def fill_of(client_order_id: str, number: int) -> Fill:
    """Return the execution of one lot."""
    return Fill(fill_id=f"{client_order_id}-{number}", amount=Decimal(1), price=PRICE, fee=NO_FEE)
