"""One of each, and nothing that is looked up differs from what is worked out."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from attrs import fields

from fsm_arb.memory import Memory
from fsm_arb.orders import Lifecycle, Order
from fsm_arb.testing.explorer import pool as pools
from fsm_arb.testing.explorer.bounds import UNIT, Bounds, world_of
from fsm_arb.testing.explorer.canon import Canon
from fsm_arb.testing.explorer.core import Core, FreshIds, Told
from fsm_arb.testing.explorer.crew import Crew, Here
from fsm_arb.testing.explorer.pool import CLOCKS, NOW, Pool, Pooled, Recent
from fsm_arb.testing.explorer.shard import Shard
from fsm_arb.testing.explorer.venue import CODE_BITS, CODE_MASK, Tell, code

if TYPE_CHECKING:
    from fsm_arb.trade import Step

REMEMBERED = [each.name for each in fields(Memory) if each.name not in {"fresh_id", "ledger"}]


def explored(bounds: Bounds) -> tuple[Core, list[Told]]:
    """Return the core of a search, and every step of it that was judged."""
    shard = Shard.part(bounds)
    told: list[Told] = []
    honest = shard.core.judge

    def keeping(each: Told, *, new: bool) -> None:
        told.append(each)
        honest(each, new=new)

    shard.core.judge = keeping
    Crew(bounds=bounds, hands=[Here(shard)]).run()
    return shard.core, told


@pytest.fixture(scope="module")
def one_fault() -> tuple[Core, list[Told]]:
    """One lot and one fault, explored."""
    return explored(Bounds(lots=1, faults=1))


def kinds(step: Step) -> list[tuple[str, str, str, type]]:
    return [(each.trigger, each.before, each.after, type(each.fact)) for each in step.entries]


def test_looking_up_and_working_out_are_the_same(one_fault: tuple[Core, list[Told]]) -> None:
    """Every step of a search, taken again by the plain trade: it records, sends and remembers the same."""
    core, told = one_fault
    canon = Canon(core.world)
    assert len(told) > 5000
    for each in told[::3]:
        assert isinstance(each.before, Pooled)
        plain = each.before.plain()
        plain.fresh_id = FreshIds(last=len(plain.orders))
        step = plain.handle(each.event, NOW)
        assert kinds(step) == kinds(each.step)
        assert step.sends == each.step.sends
        assert canon.of(plain, NOW) == Canon(core.world).of(each.after, NOW)
        assert [name for name in REMEMBERED if getattr(plain, name) != getattr(each.after, name)] == []
        after = each.after.ledger
        assert core._pool.own(plain).ledger is (None if after is None else core._pool.ledger(after))


def test_a_look_in_vain_would_have_been_in_vain(one_fault: tuple[Core, list[Told]]) -> None:
    """Steps that were not taken because a look was known to tell nothing lead nowhere where they are taken."""
    core, told = one_fault
    taken = {(each.trade_id, each.event_code) for each in told}
    skipped = [asked for asked in core._found if (asked >> CODE_BITS, asked & CODE_MASK) not in taken]
    assert len(skipped) > 500
    for asked in skipped[::3]:
        standing = core.standings[asked >> CODE_BITS]
        event = core.event(standing, asked & CODE_MASK)
        plain = standing.trade.plain()
        if core._found[asked] is None:
            continue  # an operator was refused
        assert plain.handle(event, NOW).entries == ()
        assert plain.state == standing.trade.state
        assert plain.ledger is standing.trade.ledger


def test_setting_clocks_back_is_letting_time_pass(one_fault: tuple[Core, list[Told]]) -> None:
    """A trade a unit of time later is, with its clocks set back, the same trade."""
    core, _ = one_fault
    canon = Canon(core.world)
    for standing in core.standings:
        back = core._pool.earlier(standing.trade)
        assert canon.of(back, NOW) == canon.of(standing.trade, NOW + UNIT)
        assert canon.words(back, NOW) == canon.words(standing.trade, NOW + UNIT)


def test_every_clock_is_set_back() -> None:
    """A time that is added to an order or a trade must be set back too, else it runs away."""
    ints = {each.name for each in fields(Order) if "int" in str(each.type) and "Intent" not in str(each.type)}
    assert ints - {"fee_looks", "misses"} == set(CLOCKS)
    times = {each.name for each in fields(Memory) if each.name.endswith(("_at", "before", "since", "deadline"))}
    assert times == {"not_before", "retry_at"}


@pytest.fixture
def pool() -> Pool:
    return Pool(world_of(Bounds(lots=2)))


def begun(core: Core) -> Pooled:
    """Return a trade whose first orders are on their way."""
    here = core.begin()
    for event in (code(Tell.CHECKED), code(Tell.SIZED)):
        here = core.step(here, event)[0]  # type: ignore[index]
    return core.standings[here].trade


def test_equal_orders_are_one(pool: Pool) -> None:
    """Also those that differ in the clocks of an end, or in a limit, which nobody looks at any more."""
    order = begun(Core(world_of(Bounds(lots=2)), lambda _told, *, new: None)).orders[0]
    assert pool.order(order.changed()) is pool.order(order.changed())
    assert pool.order(order.changed(gross=Decimal(1))) is not pool.order(order)
    ends = [order.changed(lifecycle=Lifecycle.CLOSED, fees_known=True, ended_at=NOW - ago) for ago in (0, UNIT)]
    assert pool.order(ends[0]) is pool.order(ends[1])
    given_up = [each.changed(refusal="absent: not found", placing_ended_at=NOW - UNIT) for each in ends]
    one, other = map(pool.order, given_up)
    assert one is not other  # how long it took is asked
    assert one.ended_at is not None
    assert one.placing_ended_at is not None
    assert one.ended_at - one.placing_ended_at == UNIT


def test_a_trade_that_was_let_go_is_taken_in_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where too much is kept all of it is let go, and nothing of what is found differs."""
    bounds = Bounds(lots=1, faults=1, crashes=False, attempts=1)
    whole, _ = explored(bounds)
    monkeypatch.setattr(pools, "KEPT_MAX", 40)
    small, _ = explored(bounds)
    assert len(small._pool._kept) < len(whole._pool._kept)
    assert [each.likeness for each in small.standings] == [each.likeness for each in whole.standings]
    assert small.steps == whole.steps


def test_what_nobody_asks_for_is_forgotten() -> None:
    """A generation later; what is asked for stays."""
    recent: Recent[str] = Recent(2)
    for number in range(4):
        recent[number] = str(number)
    assert sorted(recent) == [0, 1, 2, 3]
    assert recent[0] == "0"
    recent[5] = "5"
    assert sorted(recent) == [0, 2, 3, 5]
    with pytest.raises(KeyError):
        recent[1]
    recent.clear()
    assert list(recent) == []
