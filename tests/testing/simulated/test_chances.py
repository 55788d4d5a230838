"""What each call meets comes from the seed and its number alone."""

from __future__ import annotations

from collections import Counter

import pytest

from fsm_arb.testing.simulated.chances import PROFILES, FaultPlan, profile
from fsm_arb.testing.simulated.kinds import ROW_OF, FaultKind, Operation

CREATES = 3_000


def met(plan: FaultPlan, calls: int = 200, operation: Operation = Operation.CREATE) -> list[str | None]:
    faults = (plan.draw("alpha", operation, "BTC/USDT").fault for _ in range(calls))
    return [fault.key if fault is not None else None for fault in faults]


def test_the_same_seed_meets_the_same_faults() -> None:
    """Byte for byte; another seed meets others."""
    assert met(FaultPlan(3, "many")) == met(FaultPlan(3, "many"))
    assert met(FaultPlan(3, "many")) != met(FaultPlan(4, "many"))


def test_calls_of_other_kinds_and_venues_shift_nothing() -> None:
    """Each operation of each venue has a stream of its own."""
    alone, busy = FaultPlan(3, "many"), FaultPlan(3, "many")
    for _ in range(50):
        busy.draw("beta", Operation.CREATE, None)
        busy.draw("alpha", Operation.FETCH, None)
    assert met(busy) == met(alone)


def test_a_masked_fault_leaves_the_others_where_they_were() -> None:
    """A failing run is made small by leaving out one fault after the other."""
    whole = met(FaultPlan(3, "many"))
    keys = [key for key in whole if key]
    masked = frozenset(keys[::2])
    assert met(FaultPlan(3, "many", masked=masked)) == [None if key in masked else key for key in whole]
    assert met(FaultPlan(3, "many", only=masked)) == [key if key in masked else None for key in whole]


def test_a_key_names_venue_operation_call_and_kind() -> None:
    """So that it means the same in every run of a seed."""
    plan = FaultPlan(1, {FaultKind.LOST_AFTER: 1.0})
    assert met(plan, 2) == ["alpha/create/1/lost_after", "alpha/create/2/lost_after"]


def test_chances_are_met_about_as_often_as_they_say() -> None:
    """Within four standard deviations."""
    plan = FaultPlan(5, {FaultKind.PARTIAL: 0.2, FaultKind.HIDDEN: 0.1})
    counts = Counter(key.rpartition("/")[2] for key in met(plan, CREATES) if key)
    assert counts["partial"] == pytest.approx(600, abs=88)
    assert counts["hidden"] == pytest.approx(300, abs=66)


def test_a_profile_reaches_every_kind_but_busts() -> None:
    """A bust is not found out by looking, so whoever wants some asks for them and tells of them."""
    assert set(profile(1.0)) == set(FaultKind) - {FaultKind.BUST}
    assert PROFILES["none"] == {}


@pytest.mark.parametrize(("name", "low", "high"), [("some", 0.08, 0.2), ("many", 0.3, 0.6)])
def test_a_profile_meets_as_much_as_it_says(name: str, low: float, high: float) -> None:
    """About one create in nine, or four in ten."""
    keys = [key for key in met(FaultPlan(7, name), CREATES) if key]
    assert low < len(keys) / CREATES < high


def test_a_venue_may_have_chances_of_its_own() -> None:
    """In place of those of all."""
    plan = FaultPlan(1, "none", by_venue={"alpha": {FaultKind.HIDDEN: 1.0}})
    assert met(plan, 1) == ["alpha/create/1/hidden"]
    assert plan.draw("beta", Operation.CREATE, None).fault is None


def test_durations_lie_in_their_range() -> None:
    """Those of the table, or one's own."""
    plan = FaultPlan(1, {FaultKind.HIDDEN: 1.0})
    own = FaultPlan(1, {FaultKind.HIDDEN: 1.0}, durations={FaultKind.HIDDEN: (5, 6)})
    drawn = [each.draw("alpha", Operation.CREATE, None).fault for each in (plan, own) for _ in range(50)]
    low, high = ROW_OF[FaultKind.HIDDEN].ms or (0, 0)
    assert all(fault is not None and low <= fault.ms <= high for fault in drawn[:50])
    assert {fault.ms for fault in drawn[50:] if fault is not None} <= {5, 6}


def test_an_injected_fault_meets_the_next_call_that_fits() -> None:
    """Others go by; after it nothing is left of it."""
    plan = FaultPlan(1)
    (key,) = plan.inject("alpha", FaultKind.STALE, operation=Operation.FETCH, symbol="BTC/USDT", ms=70)
    for venue, operation, symbol in (
        ("beta", Operation.FETCH, "BTC/USDT"),
        ("alpha", Operation.LIST, "BTC/USDT"),
        ("alpha", Operation.FETCH, "ETH/USDT"),
    ):
        assert plan.draw(venue, operation, symbol).fault is None
    fault = plan.draw("alpha", Operation.FETCH, "BTC/USDT").fault
    assert fault is not None
    assert (fault.key, fault.ms, plan.pending()) == (key, 70, 0)
    assert plan.draw("alpha", Operation.FETCH, "BTC/USDT").fault is None


def test_an_injected_fault_of_no_operation_meets_any_it_applies_to() -> None:
    """And none to which it does not."""
    plan = FaultPlan(1)
    plan.inject("alpha", FaultKind.PARTIAL)
    assert plan.draw("alpha", Operation.CANCEL, None).fault is None
    assert plan.draw("alpha", Operation.CREATE, None).fault is not None


def test_an_injected_fault_may_let_calls_through_first() -> None:
    """Two go by, then it meets two in a row."""
    plan = FaultPlan(1)
    plan.inject("alpha", FaultKind.REFUSED, count=2, skip=2)
    assert [bool(key) for key in met(plan, 5)] == [False, False, True, True, False]


def test_a_fault_is_injected_only_where_it_applies() -> None:
    """A cancel cannot be filled in part."""
    with pytest.raises(ValueError, match="partial does not apply to cancel"):
        FaultPlan(1).inject("alpha", FaultKind.PARTIAL, operation=Operation.CANCEL)


def test_healing_ends_drawing_and_forgets_the_queue() -> None:
    """What is injected later happens all the same: somebody wants it."""
    plan = FaultPlan(3, "many")
    plan.inject("alpha", FaultKind.REFUSED)
    plan.heal()
    assert met(plan) == [None] * 200
    plan.inject("alpha", FaultKind.REFUSED)
    assert met(plan, 1) == ["alpha/injected/2/refused"]


def test_chances_that_cannot_be_are_refused() -> None:
    """More than certainty, or a profile nobody has heard of."""
    with pytest.raises(ValueError, match="create add up to more than 1"):
        FaultPlan(1, {FaultKind.PARTIAL: 0.6, FaultKind.HIDDEN: 0.6})
    with pytest.raises(ValueError, match="must be one of none, some, many"):
        FaultPlan(1, "plenty")


def test_slowness_is_drawn_for_every_call() -> None:
    """From nothing up to all of the range, faults or not."""
    plan = FaultPlan(1)
    jitters = [plan.draw("alpha", Operation.BOOK, None).jitter for _ in range(100)]
    assert 0 <= min(jitters) < 0.1
    assert 0.9 < max(jitters) < 1
