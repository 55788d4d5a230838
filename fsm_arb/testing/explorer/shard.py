"""A part of a search: the states of those trades that fall to it.

Which trades those are follows from what they are like, so every shard knows
whom a state belongs to. What belongs to another is sent there: the real trade
once, then small numbers.
"""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from fsm_arb.testing.explorer.bounds import Bounds, world_of
from fsm_arb.testing.explorer.calm import Ways
from fsm_arb.testing.explorer.core import Core
from fsm_arb.testing.explorer.judge import Judge
from fsm_arb.testing.explorer.moves import ORDERS_BITS, Moves
from fsm_arb.testing.explorer.search import BEGINNING, Breach, Ending, Layer, Parent, Search

if TYPE_CHECKING:
    from fsm_arb.trade import Trade

Place = tuple[bytes, bytes]  # a state in words that every process understands
Asked = tuple[int, bytes]  # a state of another shard: the trade's number here, and its orders


@define
class Parcel:
    """What one shard sends another after a level."""

    trades: list[tuple[int, Trade]] = field(factory=list)  # number here, the trade
    states: list[tuple[int, bytes, int, int, int]] = field(factory=list)  # trade, orders, faults, depth, parent

    def __bool__(self) -> bool:
        return bool(self.states)


@frozen(kw_only=True)
class Sums:
    """What a shard, or all of them together, amount to."""

    trades: int
    looks: int
    endings: frozenset[Ending]
    rows: frozenset[tuple[str, str, str]]
    memory_mib: int

    def __add__(self, other: Sums) -> Sums:
        """Return the sum of two shards."""
        return Sums(
            trades=self.trades + other.trades,
            looks=self.looks + other.looks,
            endings=self.endings | other.endings,
            rows=self.rows | other.rows,
            memory_mib=self.memory_mib + other.memory_mib,
        )


@define(eq=False)
class Shard(Search):
    """A search of what falls to it; the only one there is where `count` is one."""

    number: int = 0
    count: int = 1
    out: list[Parcel] = field(factory=list)  # by shard
    ways: Ways = field(factory=Ways)
    _owners: list[int] = field(factory=list)  # by trade
    _told: list[set[int]] = field(factory=list)  # by shard: the trades that it has been sent
    _sent: dict[int, int] = field(factory=dict)  # with how few faults a state was sent
    _theirs: dict[tuple[int, int], int] = field(factory=dict)  # our numbers of trades that others have sent

    @classmethod
    def part(cls, bounds: Bounds, number: int = 0, count: int = 1) -> Shard:
        """Return one of *count* shards, at its beginning."""
        world = world_of(bounds)
        judge = Judge()
        core = Core(world, judge.step)
        shard = cls(
            world=world,
            core=core,
            judge=judge,
            moves=Moves(core, crashes=bounds.crashes),
            number=number,
            count=count,
            out=[Parcel() for _ in range(count)],
        )
        shard._told = [set() for _ in range(count)]
        shard._begin()
        return shard

    def crash_free(self, wanted: frozenset[Ending]) -> Shard:
        """Return the same shard of a world where no process dies, to be searched until it has found all *wanted*."""
        shard = Shard(
            world=self.world,
            core=self.core,
            judge=Judge(checkers=()),
            moves=Moves(self.core, crashes=False),
            wanted=wanted,
            number=self.number,
            count=self.count,
            out=[Parcel() for _ in range(self.count)],
        )
        shard._owners, shard._told, shard._theirs = self._owners, self._told, self._theirs
        shard._begin()
        return shard

    def _begin(self) -> None:
        first = self.moves.begin()
        if self._owner(first >> ORDERS_BITS) == self.number:
            self.offer(0, 0, first, BEGINNING)

    # -------------------------------------------------------------- whose it is

    def _owner(self, trade: int) -> int:
        owners, standings = self._owners, self.core.standings
        while len(owners) <= trade:
            key = standings[len(owners)].likeness.key
            owners.append(int.from_bytes(key) % self.count)
        return owners[trade]

    def offer(self, faults: int, depth: int, state: int, parent: Parent) -> None:
        """Have a state explored, by the shard it falls to."""
        if self.count == 1:
            super().offer(faults, depth, state, parent)
            return
        trade, orders = self.moves.split(state)
        owner = self._owner(trade)
        if owner == self.number:
            super().offer(faults, depth, state, parent)
        elif self._sent.get(state, faults + 1) > faults and isinstance(parent, int):
            self._sent[state] = faults
            self._introduce(owner, trade)
            self.out[owner].states.append((trade, orders, faults, depth, parent))

    def _introduce(self, owner: int, trade: int) -> None:
        """Send a trade along with what is said of it, if it has not been sent yet."""
        if trade not in self._told[owner]:
            self._told[owner].add(trade)
            standing = self.core.standings[trade]
            self.out[owner].trades.append((trade, standing.trade.plain()))

    def take(self) -> list[Parcel]:
        """Return what is to be sent, by shard."""
        parcels, self.out = self.out, [Parcel() for _ in range(self.count)]
        return parcels

    def receive(self, sender: int, parcel: Parcel) -> None:
        """Take in what another shard has found."""
        for theirs, trade in parcel.trades:
            self._theirs[sender, theirs] = self.core.adopt(trade)
        for theirs, orders, faults, depth, parent in parcel.states:
            state = self.moves.part(self._theirs[sender, theirs], orders)
            super().offer(faults, depth, state, (sender, parent))

    # -------------------------------------------------------------- what it has found

    def cannot_finish(self, answers: dict[int, int]) -> list[list[Asked]]:
        """Follow every state to its end as far as it is known, and return what must be asked of which other shard.

        Args:
            answers: Events to DONE from states of other shards, as far as they know, by our number of the state.
        """
        self.ways.answer(answers)
        asked: list[list[Asked]] = [[] for _ in range(self.count)]
        for state in self.ways.follow(self.calmer):
            trade, orders = self.moves.split(state)
            owner = self._owner(trade)
            if owner != self.number:  # what was not explored, nobody knows
                asked[owner].append((trade, orders))
        return asked

    def away(self, sender: int, asked: list[Asked]) -> list[int | None]:
        """Return for states, as another shard numbers their trades, how many events they are away from DONE."""
        known = self.ways.known
        return [known.get(self.moves.part(self._theirs[sender, trade], orders)) for trade, orders in asked]

    def state_of(self, asked: Asked) -> int:
        """Return the number of a state."""
        return self.moves.part(*asked)

    def place(self, state: int) -> tuple[Place, Parent]:
        """Return a state in words that every process understands, and where it was reached from."""
        trade, orders = self.moves.split(state)
        return (self.core.standings[trade].likeness.key, orders), self.parents[state]

    def found(self) -> list[Breach]:
        """Return what breaks a rule."""
        return self.breaches

    def stuck(self) -> list[int]:
        """Return states that never get to DONE, as far as it was followed."""
        return self.ways.stuck(self.calmer)

    def astray(self) -> list[int]:
        """Return states that never get to DONE, although the search has come to no end: those whose way is known."""
        return self.ways.astray(self.calmer)

    def longest(self) -> int:
        """Return how many events the longest way to DONE takes."""
        return self.ways.longest

    def sums(self) -> Sums:
        """Return what it amounts to."""
        trades = range(len(self.core.standings))
        return Sums(
            trades=sum(self._owner(trade) == self.number for trade in trades),
            looks=self.judge.states_judged,
            endings=frozenset(self.endings),
            rows=frozenset(self.core.rows),
            memory_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        )

    def progress(self) -> Layer:
        """Return what was explored so far."""
        return self.layer(0, 0)
