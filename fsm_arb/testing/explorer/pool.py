"""One of each: what many trades have in common is kept once, and what follows from it is worked out once.

Orders and ledgers are frozen values. Where two are equal one stands for both,
so a millionth trade costs little more than its difference to the others, and
whatever is a function of such values alone is looked up by which ones they are.

So that many are equal, what no decision looks at is made alike, as `canon`
leaves it out: every trade is kept at the same moment, with its clocks set back
where time has passed (it compares them with now and with each other, never
with zero); the clocks of an order that is over are laid to rest; the limit of
an order that was sent is the venue's business.

A `Pooled` trade is the real `Trade` in every line; two of its steps it looks up
where they were taken before: what a fact does to a ledger (a function of
`fsm_arb.ledger`, told the ledger, the fact and the policy) and what is chosen
and seen of what is remembered (`Trade.outlook`, of everything that `Memory`
holds). Both are pure by the rules of the house, so looking up and working out
cannot differ. `tests/testing/explorer/test_pool.py` has both done, and clocks
set back where others let time pass; that trades which are made alike do alike
is tried with plain trades in `test_canon.py`, and run by run in `test_trace.py`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator
from itertools import repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from attrs import define, evolve, field, fields

from fsm_arb.ledger import Ledger
from fsm_arb.memory import Memory
from fsm_arb.orders import Order
from fsm_arb.testing.explorer.bounds import PRICE, UNIT, World
from fsm_arb.trade import Trade

if TYPE_CHECKING:
    from fsm_arb.machines.trade import TradeView
    from fsm_arb.messages import Choice, Intent, Missed, Observed

NOW = 1000 * UNIT  # the moment of every trade that is kept: others are set back to it
LOOKED_UP = 25_000  # of what is looked up, a generation
KEPT_MAX = 500_000  # things

# All that a trade decides by, what is looked up by identity left out; ids come from outside and decide nothing.
_BY_IDENTITY = ("ledger", "survey", "checks", "sizing", "begun")
_DECIDES_BY = attrgetter(*(each.name for each in fields(Memory) if each.name not in {"fresh_id", *_BY_IDENTITY}))
_PARTS = attrgetter(*_BY_IDENTITY[1:])
_NAMES = tuple(each.name for each in fields(Trade) if each.name not in {"_entries", "_sends"})
_VALUES = attrgetter(*_NAMES)

# Every clock of an order.
CLOCKS = ("deadline", "placing_ended_at", "cancel_asked_at", "ended_at", "unsure_since")


_What = TypeVar("_What")


@define
class Recent(Generic[_What]):
    """What was found lately: what nobody asks for during a whole generation is forgotten, and found again."""

    generation: int  # how much makes one
    young: dict[Any, _What] = field(factory=dict)
    _old: dict[Any, _What] = field(factory=dict)

    def __getitem__(self, asked: Hashable) -> _What:
        """Return what was found; a `KeyError` where that is forgotten, or never was."""
        try:
            return self.young[asked]
        except KeyError:
            found = self._old[asked]
            self[asked] = found
            return found

    def __setitem__(self, asked: Hashable, found: _What) -> None:
        if len(self.young) >= self.generation:
            self._old, self.young = self.young, {}
        self.young[asked] = found

    def __iter__(self) -> Iterator[Any]:
        return iter({**self._old, **self.young})

    def clear(self) -> None:
        """Forget everything."""
        self.young, self._old = {}, {}


@define(eq=False)
class Pool:
    """All orders, ledgers and facts of one search.

    As long as a thing is kept its identity is a name for its value. Where that
    becomes too much, all is let go together: what a trade holds is taken in again.
    """

    world: World
    _kept: dict[int, object] = field(factory=dict)  # by identity
    _orders: dict[tuple[Any, ...], Order] = field(factory=dict)
    _ledgers: dict[tuple[Any, ...], Ledger] = field(factory=dict)
    _others: dict[tuple[Any, ...], object] = field(factory=dict)
    _earlier: dict[int, Order] = field(factory=dict)
    # Looks that told nothing: an order, and a look at it. What a look tells, it tells by the order that it shows.
    _in_vain: set[tuple[int, int]] = field(factory=set)
    after: Recent[Ledger] = field(factory=lambda: Recent(LOOKED_UP))
    outlooks: Recent[tuple[Choice | None, TradeView]] = field(factory=lambda: Recent(LOOKED_UP))
    _oldest: int = field(init=False)  # a clock older than this is as good as one that is older still

    def __attrs_post_init__(self) -> None:
        self._oldest = NOW - (max(self.world.fence, self.world.doubt, self.world.timeout) + 2) * UNIT

    def take_in(self, trade: Pooled) -> None:
        """Make sure that all parts of *trade* are kept; what is kept for long, and is too much, is let go before."""
        if len(self._kept) > KEPT_MAX:
            for table in (self._orders, self._ledgers, self._others, self._earlier, self._in_vain, self.after):
                table.clear()
            self.outlooks.clear()
            self._kept.clear()
        if trade.ledger is not None:
            trade.ledger = self.ledger(trade.ledger)

    def in_vain(self, trade: Trade, look: Observed | Missed) -> bool:
        """Whether it is known that *look* tells *trade* nothing."""
        return (id(trade.orders[look.order]), id(look)) in self._in_vain

    def told_nothing(self, trade: Trade, look: Observed | Missed) -> None:
        """Remember that *look* told *trade* nothing."""
        self._in_vain.add((id(trade.orders[look.order]), id(look)))

    def keeps(self, thing: object) -> bool:
        """Whether this very object is kept."""
        return id(thing) in self._kept

    def name(self, thing: object) -> int:
        """Return a number that no other object has as long as the pool lives."""
        self._kept.setdefault(id(thing), thing)
        return id(thing)

    def one(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """Return the one thing of a key, made where there is none."""
        found = self._others.get(key)
        if found is None:
            found = self._others[key] = make()
            self._kept[id(found)] = found
        return found

    def order(self, order: Order) -> Order:
        """Return the order that stands for all its equals; one that is over, with its clocks set back to rest."""
        if id(order) in self._kept:
            return order
        if not (order.live or order.provisional):
            order = self._laid_to_rest(order)
        if id(order.intent) not in self._kept:
            order = order.changed(intent=self._intent(order.intent))
        found = self._orders.setdefault(tuple(order.__dict__.values()), order)
        self._kept[id(found)] = found
        return found

    def _intent(self, intent: Intent) -> Intent:
        """Return the intent that stands for all its equals: its limit is the venue's business once it is sent."""
        plain = evolve(intent, bound=PRICE)
        found: Intent = self.one(("intent", plain), lambda: plain)
        return found

    def ledger(self, ledger: Ledger) -> Ledger:
        """Return the ledger that stands for all its equals; its orders are those that stand for theirs."""
        if id(ledger) in self._kept:
            return ledger
        return self._ledger_of(ledger, tuple(map(self.order, ledger.orders)))

    def _ledger_of(self, like: Ledger, orders: tuple[Order, ...]) -> Ledger:
        """Return the ledger that is *like* another but for its orders, which are kept."""
        external = self.one(like.external, lambda: like.external) if like.external else ()
        key = (self.name(like.plan), id(external), *map(id, orders))
        found = self._ledgers.get(key)
        if found is None:
            found = self._ledgers[key] = Ledger(plan=like.plan, orders=orders, external=external)
            self._kept[id(found)] = found
        return found

    def own(self, trade: Trade) -> Pooled:
        """Return a trade, wherever it comes from, as one whose parts are kept here."""
        pooled = object.__new__(Pooled)
        deque(map(setattr, repeat(pooled), _NAMES, _VALUES(trade)), maxlen=0)
        pooled.pool, pooled._entries, pooled._sends = self, [], []
        if trade.ledger is not None:
            pooled.ledger = self.ledger(trade.ledger)
        return pooled

    # -------------------------------------------------------------- setting clocks back

    def earlier(self, trade: Pooled) -> Pooled:
        """Return *trade* as it is once a unit of time has passed, with every clock set back by it."""
        back = trade.copy()
        ledger = trade.ledger
        if ledger is not None:
            back.ledger = self._ledger_of(ledger, tuple(map(self._set_back, ledger.orders)))
        back.not_before = max(trade.not_before - UNIT, min(trade.not_before, self._oldest))
        if trade.retry_at is not None:
            back.retry_at = max(trade.retry_at - UNIT, min(trade.retry_at, self._oldest))
        return back

    def _set_back(self, order: Order) -> Order:
        found = self._earlier.get(id(order))
        if found is None:
            order = self.order(order)
            newest = max(_told(order).values())
            found = self.order(_moved(order, min(UNIT, newest - self._oldest))) if newest > self._oldest else order
            self._earlier[id(order)] = found
        return found

    def _laid_to_rest(self, order: Order) -> Order:
        """Return an order that is over with its clocks at rest: nobody compares them with now any more.

        Where it was given up unseen, a checker asks how long that took: so they keep their distances.
        """
        told = _told(order)
        if order.refusal:
            return _moved(order, max(told.values()) - self._oldest)
        return order.changed(**dict.fromkeys(told, self._oldest))


def _told(order: Order) -> dict[str, int]:
    """Return the clocks of an order that are set, monotonic ns."""
    return {name: at for name in CLOCKS if (at := getattr(order, name)) is not None}


def _moved(order: Order, back: int) -> Order:
    """Return *order* with all its clocks set back by so many ns: they keep their distances from each other."""
    return order.changed(**{name: at - back for name, at in _told(order).items()}) if back else order


@define(eq=False)
class Pooled(Trade):
    """The real trade, looking up what has been worked out before."""

    pool: Pool = field(kw_only=True)

    def copy(self) -> Pooled:
        """Return an independent copy; everything it refers to is frozen and shared."""
        other = object.__new__(Pooled)
        deque(map(setattr, repeat(other), _NAMES, _VALUES(self)), maxlen=0)  # a loop, at a third of its cost
        other.pool, other._entries, other._sends = self.pool, [], []
        return other

    def plain(self) -> Trade:
        """Return the same trade without its pool: it works out everything itself."""
        return Trade.copy(self)

    def outlook(self, now: int) -> tuple[Choice | None, TradeView]:
        """Return what it would choose, and what its guards would see, as `Trade.outlook` says."""
        pool, ledger = self.pool, self.ledger
        mine = None if ledger is None else pool.ledger(ledger)
        key = (now, id(mine), *map(pool.name, _PARTS(self)), _DECIDES_BY(self))
        try:
            return pool.outlooks[key]
        except KeyError:
            found = pool.outlooks[key] = super().outlook(now)
            return found

    def _ledger_after(self, fact: object) -> Ledger | None:
        pool, ledger = self.pool, self.ledger
        if ledger is None:
            return super()._ledger_after(fact)
        if not pool.keeps(fact):
            later = super()._ledger_after(fact)
            return later if later is ledger or later is None else pool.ledger(later)
        mine = pool.ledger(ledger)
        key = id(mine), id(fact)
        try:
            found = pool.after[key]
        except KeyError:
            later = super()._ledger_after(fact)
            found = mine if later is ledger or later is None else pool.ledger(later)
            pool.after[key] = found
        return ledger if found is mine else found
