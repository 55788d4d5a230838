"""The real core, each distinct step of it once.

Trades that are alike (`canon`) are one; one real `Trade` stands for them. What
an event leads to from there is asked of that trade once and remembered, so the
many worlds around it are explored as tuples of small numbers.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Protocol, TypeVar

from attrs import define, evolve, field, frozen

from fsm_arb.errors import InvalidInput
from fsm_arb.machines.trade import TradeState
from fsm_arb.memory import Entry
from fsm_arb.messages import (
    Event,
    Missed,
    Observed,
    Purpose,
)
from fsm_arb.orders import Order
from fsm_arb.testing.explorer.bounds import COSTLY_SURVEYS, SURVEYS, UNIT, World
from fsm_arb.testing.explorer.canon import Canon, Key, Likeness, ending_of, look_of
from fsm_arb.testing.explorer.pool import NOW, Pool, Pooled, Recent
from fsm_arb.testing.explorer.telling import ABOUT_ORDERS, READINGS, ROLES, event_of, leader
from fsm_arb.testing.explorer.venue import (
    ARGUMENT_MASK,
    CALL_OUT,
    CODE_BITS,
    FENCED,
    GOING,
    KIND_SHIFT,
    PLACE_SHIFT,
    REMEDY,
    Tell,
    code,
)
from fsm_arb.trade import Step, Trade

_Thing = TypeVar("_Thing", bound=Hashable)

NEW = -1  # in a change of places: an order that was just sent

Change = tuple[tuple[int, int], ...]  # for each place afterwards: the place before, or NEW; lots that count no more
TICK = code(Tell.TICK)
FOUND_MAX = 8_000_000  # steps of the core that are remembered
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
    steps: int = 0  # distinct ones; one that was forgotten, among millions, and is taken again counts again
    _ids: dict[bytes, int] = field(factory=dict)
    _found: Recent[Found | None] = field(factory=lambda: Recent(FOUND_MAX // 2))
    _same: dict[object, Any] = field(factory=dict)  # one each of what many standings have in common
    _looks: dict[Key, int] = field(factory=dict)
    _canon: Canon = field(init=False)
    _pool: Pool = field(init=False)
    # By trade: whether it is known to do nothing on a look that tells nothing. It does the same on every such look.
    _idle: bytearray = field(factory=bytearray)

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
            return self._found.young[asked]
        except KeyError:
            return self._look_up(asked, trade_id, event_code)

    def _look_up(self, asked: int, trade_id: int, event_code: int) -> Found | None:
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
        elif kind in ABOUT_ORDERS and index < len(trade.orders):
            about = index, self._pool.name(trade.orders[index].intent)
        found: Event = self._pool.one((event_code, *about), lambda: event_of(self.world, trade, event_code, index, NOW))
        return found

    def _take(self, trade_id: int, event_code: int) -> Found | None:
        standing, pool = self.standings[trade_id], self._pool
        pool.take_in(standing.trade)
        event = self.event(standing, event_code)
        self.steps += 1
        look = event if isinstance(event, Observed | Missed) else None
        if look is not None and self._idle[trade_id] and pool.in_vain(standing.trade, look):
            return trade_id, None
        ticks = event_code == TICK
        before = pool.earlier(standing.trade) if ticks else standing.trade
        after = before.copy()
        after.fresh_id = FreshIds(last=len(before.orders))
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
            if look is not None:
                pool.told_nothing(standing.trade, look)
                self._idle[trade_id] = True
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
        if change == tuple((place, 0) for place in range(len(places))):
            return found, None
        return found, self._one(change)

    def _id_of(self, trade: Pooled, now: int) -> tuple[int, Likeness]:
        likeness = self._canon.of(trade, now)
        found = self._ids.get(likeness.key)
        if found is None:
            found = self._ids[likeness.key] = len(self.standings)
            look = self._looks.setdefault(look_of(self._canon.words(trade, now)), len(self._looks))
            likeness = evolve(
                likeness,
                order=self._one(likeness.order),
                bases=self._one(likeness.bases),
                turns=self._one(likeness.turns),
            )
            self.standings.append(self._standing(trade, now, likeness, look))
            self._idle.append(False)
        return found, likeness

    def _standing(self, trade: Pooled, now: int, likeness: Likeness, look: int) -> Standing:
        world = self.world
        orders = [trade.orders[index] for index in likeness.order]
        flags = [
            CALL_OUT * (order.placing_ended_at is None)
            | GOING * (order.resting and order.cancel_asked_at is not None)
            | REMEDY * (order.intent.purpose is not Purpose.FIRST)
            | FENCED * (world.bounds.lists_lag or _fenced(world, order, now))
            for order in orders
        ]
        amounts = [int(order.intent.amount) - base for order, base in zip(orders, likeness.bases, strict=True)]
        return Standing(
            trade=trade,
            now=now,
            likeness=likeness,
            orders=self._one(tuple(zip(amounts, flags, strict=True))),
            events=self._one(tuple(_events(trade, now))),
            may_crash=not trade.done,
            done=trade.done,
            look=look,
        )

    def ending(self, standing: Standing) -> Key:
        """Return how a run that comes to rest there has ended."""
        return ending_of(self._canon.words(standing.trade, standing.now))

    def _one(self, thing: _Thing) -> _Thing:
        found: _Thing = self._same.setdefault(thing, thing)
        return found


def _moves(entry: Entry) -> bool:
    return entry.before != entry.after


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
