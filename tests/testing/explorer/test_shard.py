"""A part of a search."""

from __future__ import annotations

from fsm_arb.testing.explorer.bounds import Bounds
from fsm_arb.testing.explorer.shard import Parcel, Shard, Sums


def test_every_state_belongs_to_one_shard() -> None:
    """The beginning, too: one of them explores it, whoever it is."""
    bounds = Bounds(lots=1, faults=0)
    assert sum(Shard.part(bounds, number, 3).due(0) for number in range(3)) == 1


def test_what_belongs_to_another_is_sent_once() -> None:
    """The trade goes along the first time; the state again only where fewer faults lead to it."""
    bounds = Bounds(lots=1, faults=1)
    shards = [Shard.part(bounds, number, 2) for number in range(2)]
    first = shards[0].moves.begin()
    other = next(shard for shard in shards if not shard.due(0))
    owner = 1 - other.number
    other.offer(1, 3, first, first)
    other.offer(1, 4, first, first)
    other.offer(0, 5, first, first)
    parcel = other.take()[owner]
    assert [(each[2], each[3]) for each in parcel.states] == [(1, 3), (0, 5)]
    assert len(parcel.trades) == 1
    assert not any(other.take())


def test_an_empty_parcel_is_not_sent() -> None:
    """A shard that has found nothing for another says nothing."""
    assert not Parcel()


def test_sums_add_up() -> None:
    """What two shards have seen is counted once where both have seen the same."""
    one = Sums(trades=1, looks=2, endings=frozenset({("a",)}), rows=frozenset(), memory_mib=5)
    both = one + Sums(trades=2, looks=3, endings=frozenset({("a",), ("b",)}), rows=frozenset(), memory_mib=6)
    assert (both.trades, both.looks, len(both.endings), both.memory_mib) == (3, 5, 2, 11)
