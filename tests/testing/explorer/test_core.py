"""The real core, each distinct step of it once."""

from __future__ import annotations

from fsm_arb.messages import Observed, PlaceEnded
from fsm_arb.testing.explorer.bounds import Bounds, world_of
from fsm_arb.testing.explorer.canon import NOT_BOOKED
from fsm_arb.testing.explorer.core import NEW, Core, FreshIds, Told
from fsm_arb.testing.explorer.venue import CALL_OUT, ENDED_READING, Tell, code


def sized(lots: int = 2) -> tuple[Core, int, list[Told]]:
    """Return a core, a trade whose first orders are on their way, and what was judged."""
    told: list[Told] = []

    def judge(each: Told, *, new: bool) -> None:
        told.append(each)

    core = Core(world_of(Bounds(lots=lots)), judge)
    here = core.begin()
    for event in (code(Tell.CHECKED), code(Tell.SIZED)):
        found = core.step(here, event)
        assert found is not None
        here = found[0]
    return core, here, told


def test_a_step_is_taken_once() -> None:
    """The second time its outcome is looked up."""
    core, here, told = sized()
    before = core.steps
    first = core.step(here, code(Tell.TICK))
    assert core.steps == before + 1 == len(told)
    assert core.step(here, code(Tell.TICK)) == first
    assert core.steps == before + 1


def test_orders_that_are_sent_get_places() -> None:
    """Both first orders are new where nothing was before."""
    core, here, _ = sized()
    assert len(core.standings[here].orders) == 2
    first = core.step(core.begin(), code(Tell.CHECKED))
    assert first is not None
    found = core.step(first[0], code(Tell.SIZED))
    assert found is not None
    assert found[1] == ((NEW, 0), (NEW, 0))


def test_lots_that_are_known_count_no_more() -> None:
    """Of an ended first order only what may still come is kept, so the sums decide whether two trades are alike."""
    core, here, _ = sized()
    for filled in (1, 2):
        place = next(each for each, (_, flags) in enumerate(core.standings[here].orders) if flags & CALL_OUT)
        found = core.step(here, code(Tell.ACK, filled | ENDED_READING, place))
        assert found is not None
        here = found[0]
    standing = core.standings[here]
    assert standing.trade.state == "PARTIAL"
    assert [lots for lots, _ in standing.orders] == [1]
    assert standing.trade.ledger is not None
    assert sorted(map(abs, standing.trade.ledger.received)) == [1, 2]


def test_an_event_is_told_to_the_order_at_its_place() -> None:
    """A place is not an index: it is where the order stands in what the trade is like."""
    core, here, _ = sized()
    standing = core.standings[here]
    for place, index in enumerate(standing.likeness.order):
        event = core.event(standing, code(Tell.SEEN, 1, place))
        assert isinstance(event, Observed)
        assert (event.order, event.snapshot.filled) == (index, 1)
        reply = core.event(standing, code(Tell.DOUBT, 0, place))
        assert isinstance(reply, PlaceEnded)
        assert reply.order == index


def test_what_the_core_raises_is_shown_to_the_judge() -> None:
    """An error of our own is a finding, not the end of the search."""
    told: list[Told] = []

    def judge(each: Told, *, new: bool) -> None:
        told.append(each)

    core = Core(world_of(Bounds(lots=1)), judge)
    here = core.begin()
    assert core.step(here, code(Tell.MISSED)) is None
    assert type(told[-1].error).__name__ == "LedgerBroken"


def test_an_operator_who_is_refused_changes_nothing() -> None:
    """Where nothing is naked nothing can be traded away by hand."""
    core, here, told = sized()
    before = len(told)
    assert core.step(here, code(Tell.BY_HAND, 3)) is None
    assert len(told) == before


def test_ids_are_fresh() -> None:
    """Never the same one twice, and told apart by who made them."""
    ids = FreshIds("a")
    assert [ids(), ids()] == ["a1", "a2"]


def test_a_look_in_vain_is_taken_once_for_all_trades_with_that_order() -> None:
    """What a look tells it tells by the order it shows: a trade that is known to rest on such looks is not asked."""
    core, here, told = sized()
    one = core.step(here, code(Tell.SEEN, 1, 0))
    assert one is not None
    place = _seen(core, one[0])
    other = core.step(one[0], code(Tell.ACK, 0, 1 - place))
    assert other is not None
    there = _seen(core, other[0])
    looks = [(Tell.SEEN, 0), (Tell.MISSED, 0), (Tell.MISSED, 1)]
    asked = []
    for trade, at in ((one[0], place), (other[0], there)):
        before, steps = len(told), core.steps
        assert {core.step(trade, code(kind, argument, at)) for kind, argument in looks} == {(trade, None)}
        assert core.steps == steps + len(looks)
        asked.append(len(told) - before)
    assert asked == [3, 1]


def _seen(core: Core, trade: int) -> int:
    """Return the place of the order that was seen with something filled."""
    standing = core.standings[trade]
    return next(place for place, index in enumerate(standing.likeness.order) if standing.trade.orders[index].gross)


def test_the_end_of_a_run_is_told_in_full() -> None:
    """A digest says whether two trades are alike; how one has ended is read off the trade itself."""
    core, here, _ = sized()
    assert core.ending(core.standings[here]) == (-1, NOT_BOOKED, (0, 0))
