"""Decisions: what is taken, and what is refused by name."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from worlds import LEGS, book, entry, leaving

from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.errors import InvalidInput
from fsm_arb.values import Action, Leg, Money, Side

D = Decimal
EXITS = [action for action in Action if action.is_exit]


def test_an_entry_needs_a_notional_and_gets_an_id() -> None:
    """A fresh one each, unless it is given."""
    first, second = (
        CrossExchangeDecision(action=Action.ENTRY_POSITIVE, legs=LEGS, notional=Money(D(1), "USD"), prices=(D(1), D(2)))
        for _ in range(2)
    )
    assert first.decision_id != second.decision_id
    assert first.prices == (D(1), D(2))
    assert entry() == entry()


def test_sides_follow_the_action() -> None:
    """Positive sells legs[0]."""
    assert entry(Action.ENTRY_POSITIVE).entry_sides() == (Side.SELL, Side.BUY)
    assert entry(Action.ENTRY_NEGATIVE).entry_sides() == (Side.BUY, Side.SELL)


@pytest.mark.parametrize("action", EXITS)
def test_an_exit_names_its_position_and_no_notional(action: Action) -> None:
    """Its position says how much."""
    assert leaving(action=action).position_id == "P-d1"


def test_lists_are_taken_for_pairs() -> None:
    """JSON has no tuples."""
    taken = entry(legs=list(LEGS), prices=["1.5", 2])
    assert (taken.legs, taken.prices) == (LEGS, (D("1.5"), D(2)))
    assert entry(books=(book(), None)).books[1] is None


AWARE = datetime(2025, 1, 1, tzinfo=UTC)


def test_a_moment_is_aware() -> None:
    """Or left out."""
    assert entry(decided_at=AWARE).decided_at == AWARE
    assert entry().decided_at is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"action": Action.NO_ACTION}, "action"),
        ({"action": "entry_positive"}, "action"),
        ({"legs": LEGS[:1]}, "legs"),
        ({"legs": "ab"}, "legs"),
        ({"legs": ("alpha", "beta")}, "legs"),
        ({"legs": (LEGS[0], LEGS[0])}, "legs"),
        ({"legs": (LEGS[0], Leg("beta", "ETH/USDT"))}, "legs"),
        ({"prices": (D(1),)}, "prices"),
        ({"prices": "12"}, "prices"),
        ({"prices": (D(1), D(0))}, r"prices\[1\]"),
        ({"prices": (D(-1), D(1))}, r"prices\[0\]"),
        ({"prices": (D(1), 1.5)}, r"prices\[1\]"),
        ({"books": (book(),)}, "books"),
        ({"books": (book(), D(100))}, "books"),
        ({"books": "ab"}, "books"),
        ({"notional": None}, "notional"),
        ({"notional": D(1000)}, "notional"),
        ({"notional": Money(D(0), "USD")}, "notional"),
        ({"notional": Money(D(1), "USDT")}, "notional"),
        ({"decision_id": ""}, "decision_id"),
        ({"decision_id": "x" * 65}, "decision_id"),
        ({"decision_id": 7}, "decision_id"),
        ({"position_id": "P-1"}, "position_id"),
        ({"decided_at": datetime(2025, 1, 1)}, "decided_at"),  # noqa: DTZ001 - that is the point
        ({"decided_at": "2025-01-01"}, "decided_at"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused_by_name(changes: dict[str, Any], field: str) -> None:
    """Before anything happened."""
    with pytest.raises(InvalidInput, match=f"^{field}="):
        entry(**changes)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"position_id": None}, "position_id"),
        ({"position_id": ""}, "position_id"),
        ({"notional": Money(D(1), "USD")}, "notional"),
    ],
)
def test_an_exit_that_makes_no_sense_is_refused_by_name(changes: dict[str, Any], field: str) -> None:
    """It closes a position, all of it."""
    with pytest.raises(InvalidInput, match=f"^{field}="):
        leaving(**changes)


def test_an_id_of_sixty_four_characters_fits() -> None:
    """One more does not."""
    assert len(entry(decision_id="x" * 64).decision_id) == 64
