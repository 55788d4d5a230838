"""What makes two trades the same, and that those which are the same do the same."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from worlds import intent

from fsm_arb.messages import Purpose
from fsm_arb.orders import Lifecycle, Order
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.testing.explorer.bounds import UNIT, Bounds, world_of
from fsm_arb.testing.explorer.canon import Canon, _ranks, look_of
from fsm_arb.testing.explorer.core import Core
from fsm_arb.testing.explorer.crew import Crew, Here
from fsm_arb.testing.explorer.pool import NOW
from fsm_arb.testing.explorer.shard import Shard
from fsm_arb.testing.explorer.telling import READINGS, event_of
from fsm_arb.testing.explorer.venue import (
    ARGUMENT_MASK,
    CODE_BITS,
    CODE_MASK,
    KIND_SHIFT,
    PLACE_SHIFT,
    Tell,
    code,
)

if TYPE_CHECKING:
    from fsm_arb.testing.explorer.canon import Likeness
    from fsm_arb.trade import Trade

Seen = list[tuple[int, "Trade", int]]


def seen_twice(monkeypatch: pytest.MonkeyPatch, bounds: Bounds, every: int) -> tuple[Core, Seen]:
    """Explore, and keep some of the trades for which others stand."""
    others: Seen = []
    honest = Core._id_of
    counted = 0

    def keeping(self: Core, trade: Trade, now: int) -> tuple[int, Likeness]:
        nonlocal counted
        number, likeness = honest(self, trade, now)
        counted += 1
        if self.standings[number].trade is not trade and counted % every == 0:
            others.append((number, trade, now))
        return number, likeness

    monkeypatch.setattr(Core, "_id_of", keeping)
    shard = Shard.part(bounds)
    Crew(bounds=bounds, hands=[Here(shard)]).run()
    assert not shard.breaches
    monkeypatch.undo()
    return shard.core, others


def differences(core: Core, others: Seen) -> tuple[int, list[str]]:
    """Tell the others all that those were told which stand for them; return how much, and where they part."""
    canon = Canon(core.world)
    asked: dict[int, list[int]] = {}
    for each in core._found:
        asked.setdefault(each >> CODE_BITS, []).append(each & CODE_MASK)
    told, parted = 0, []
    for number, trade, now in others:
        likeness = canon.of(trade, now)
        assert likeness.key == core.standings[number].likeness.key
        for event_code in asked.get(number, []):
            found = core.step(number, event_code)
            place = event_code >> PLACE_SHIFT & ARGUMENT_MASK
            index = likeness.order[place] if place < len(likeness.order) else 0
            base = likeness.bases[place] if event_code >> KIND_SHIFT in READINGS else 0
            later = now + UNIT * (event_code >> KIND_SHIFT == Tell.TICK)
            event = event_of(core.world, trade, event_code + base, index, later)
            after = trade.copy()
            told += 1
            try:
                after.handle(event, later)
            except ValueError:
                if found is not None:
                    parted.append(f"{event} was refused by one")
                continue
            if found is None or canon.of(after, later).key != core.standings[found[0]].likeness.key:
                parted.append(f"{likeness.key} parts on {event}")
    return told, parted


@pytest.mark.parametrize(
    ("bounds", "every"),
    [
        (Bounds(lots=1, faults=1), 29),
        (Bounds(lots=2, faults=0), 7),
        (Bounds(lots=2, faults=0, policy=ExecutionPolicy(placement="sequential", order_type="limit")), 5),
    ],
    ids=["a fault", "two lots", "sequential"],
)
def test_trades_that_are_alike_do_alike(monkeypatch: pytest.MonkeyPatch, bounds: Bounds, every: int) -> None:
    """Whatever one trade is told, those for which it stands go the same way: one real step is enough for all."""
    told, parted = differences(*seen_twice(monkeypatch, bounds, every))
    assert told > 300
    assert parted == []


def test_a_trade_and_its_mirror_image_are_one() -> None:
    """Where both legs are alike it does not matter which of them was refused."""
    core = Core(world_of(Bounds(lots=2)), lambda _told, *, new: None)
    here = core.begin()
    for event in (code(Tell.CHECKED), code(Tell.SIZED)):
        here = core.step(here, event)[0]  # type: ignore[index]
    one, other = (core.step(here, code(Tell.REFUSED, 0, place)) for place in (0, 1))
    assert one is not None
    assert other is not None
    assert one[0] == other[0]
    assert core.standings[here].likeness.turns == ((1, 0),)


def test_the_legs_are_told_apart_where_one_leads() -> None:
    """With sequential placement the first leg's order goes out alone; there is no mirror image."""
    policy = ExecutionPolicy(placement="sequential")
    core = Core(world_of(Bounds(lots=2, policy=policy)), lambda _told, *, new: None)
    here = core.begin()
    for event in (code(Tell.CHECKED), code(Tell.SIZED)):
        here = core.step(here, event)[0]  # type: ignore[index]
    assert core.standings[here].likeness.turns == ()
    assert len(core.standings[here].trade.orders) == 1


def test_booked_the_wrong_way_round_is_not_the_same_as_never_booked() -> None:
    """Minus one lot is a quantity: such a trade remembers it, and ends with another one."""
    core = Core(world_of(Bounds(lots=2)), lambda _told, *, new: None)
    never = core.standings[core.begin()].trade.plain()
    keys = [core._canon.of(never, NOW).key]
    for lots in range(-2, 3):
        booked = never.copy()
        booked.booked_quantity = Decimal(lots)
        keys.append(core._canon.of(booked, NOW).key)
    assert len(set(keys)) == len(keys)


def test_which_of_two_remedies_was_sent_first_is_kept() -> None:
    """A remedy that was given up and has come back lies beside another one: a checker asks which was there first."""
    first, second = (
        Order(intent=intent(index, purpose=Purpose.UNWIND), base="BTC", deadline=0, lifecycle=Lifecycle.OPEN)
        for index in (0, 1)
    )
    ended = first.changed(lifecycle=Lifecycle.CLOSED, fees_known=True)
    assert _ranks([first, second]) == [0, 1]
    assert _ranks([ended, second]) == [0, 0]


def test_a_look_leaves_clocks_out() -> None:
    """What is judged once for all is what the books look like, not when."""
    core = Core(world_of(Bounds(lots=1)), lambda _told, *, new: None)
    here = core.begin()
    for event in (code(Tell.CHECKED), code(Tell.SIZED)):
        here = core.step(here, event)[0]  # type: ignore[index]
    there = core.step(here, code(Tell.TICK))
    assert there is not None
    before, after = core.standings[here], core.standings[there[0]]
    assert before.likeness.key != after.likeness.key
    words = [core._canon.words(each.trade, each.now) for each in (before, after)]
    assert look_of(words[0]) == look_of(words[1])
    assert before.look == after.look
