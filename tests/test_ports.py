"""The two doors: what their words mean, and that an adapter can be told by its shape."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

import pytest
from attrs.exceptions import FrozenInstanceError

from fsm_arb import ports
from fsm_arb.ports import (
    Acknowledged,
    CancelReply,
    Found,
    InDoubt,
    NotFound,
    Observation,
    OrderRequest,
    OrderSnapshot,
    OrderStatus,
    PlaceOutcome,
    Refused,
    Unanswered,
    Venue,
    Wire,
)
from fsm_arb.values import OrderType, Side

D = Decimal


def test_placing_has_three_outcomes_and_looking_three() -> None:
    """They are types, so that none is mistaken for another."""
    assert set(get_args(PlaceOutcome)) == {Acknowledged, Refused, InDoubt}
    assert set(get_args(Observation)) == {Found, NotFound, Unanswered}


def test_what_a_venue_said_word_by_word_makes_no_difference() -> None:
    """Two readings that tell the same are the same reading."""
    plain = OrderSnapshot(status=OrderStatus.OPEN, filled=D(1))
    assert plain == OrderSnapshot(status=OrderStatus.OPEN, filled=D(1), raw={"id": 1})
    assert plain != OrderSnapshot(status=OrderStatus.OPEN, filled=D(2))
    assert Refused(code="a", message="b", raw=1) == Refused(code="a", message="b", raw=2)
    assert InDoubt(code="a", message="b", raw=1) == InDoubt(code="a", message="b")
    assert CancelReply(accepted=True, raw=1) == CancelReply(accepted=True)
    assert NotFound(covered=True, raw=1) == NotFound(covered=True)


def test_what_is_not_said_is_not_known() -> None:
    """Defaults claim nothing."""
    bare = OrderSnapshot(status=OrderStatus.UNKNOWN, filled=D(0))
    assert (bare.fees, bare.average, bare.amount, bare.fills, bare.side) == (None, None, None, (), None)
    assert Wire() == Wire(sent_at_ns=None, received_at_ns=None, http_status=None)
    request = OrderRequest(
        symbol="BTC/USD",
        side=Side.BUY,
        amount=D(1),
        order_type=OrderType.IOC,
        bound=D(100),
        client_order_id="c",
    )
    assert (request.reduce_only, request.post_only) == (False, False)


@pytest.mark.parametrize("thing", [Wire(), NotFound(covered=True), OrderSnapshot(status=OrderStatus.OPEN, filled=D(0))])
def test_nothing_that_was_said_can_be_changed(thing: Any) -> None:
    """Facts are frozen."""
    with pytest.raises(FrozenInstanceError):
        thing.raw = "else"


def test_a_venue_is_known_by_its_shape() -> None:
    """Anything with the methods is one; anything without is not."""

    class Almost:
        has_secrets = True

        async def place(self, request: Any, fresh: Any) -> Any: ...

    methods = [name for name in vars(Venue) if not name.startswith("_")]
    whole = type("Whole", (), dict.fromkeys(methods, print) | {"has_secrets": True})
    assert isinstance(whole(), Venue)
    assert not isinstance(Almost(), Venue)


def test_the_ports_promise_in_words_what_they_raise() -> None:
    """An adapter's author reads them here."""
    for name in ("Venue", "Journal"):
        port = getattr(ports, name)
        for member, value in vars(port).items():
            if callable(value) and not member.startswith("_"):
                assert value.__doc__, f"{name}.{member} says nothing"
