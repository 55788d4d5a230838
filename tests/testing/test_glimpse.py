"""A glimpse: the venue's own books, added up."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import pytest

from fsm_arb.testing.glimpse import Glimpse, VenueFill, VenueOrder, judged, judged_at_rest
from fsm_arb.values import Side

D = Decimal
NOTHING = Glimpse(now=0, trades={}, orders={})


@pytest.mark.parametrize(
    ("side", "fee_currency", "received"),
    [
        (Side.BUY, "BTC", D("2.99")),
        (Side.BUY, "USDT", D(3)),
        (Side.SELL, "BTC", D("-3.01")),
        (Side.SELL, "USDT", D(-3)),
    ],
)
def test_received_is_signed_and_less_base_fees(side: Side, fee_currency: str, received: Decimal) -> None:
    """A fee in base is taken off on either side; a fee in anything else is not."""
    fills = tuple(
        VenueFill(fill_id=name, amount=amount, price=D(100), fee=D("0.005"), fee_currency=fee_currency)
        for name, amount in (("a", D(1)), ("b", D(2)))
    )
    order = VenueOrder(
        venue="beta", client_order_id="c0", symbol="BTC/USDT", side=side, amount=D(3), live=False, fills=fills
    )
    assert order.filled == D(3)
    assert order.received == received


class Grumbler:
    number, name, claim = 16, "grumbler", "nothing is ever right"

    def step(self, before: Glimpse, after: Glimpse) -> Iterable[str]:
        yield "the step"

    def rest(self, glimpse: Glimpse) -> Iterable[str]:
        yield "the end"


def test_a_violation_names_its_invariant() -> None:
    """Number, name and what is wrong, in one line."""
    (step,) = judged([Grumbler()], NOTHING, NOTHING)
    (end,) = judged_at_rest([Grumbler()], NOTHING)
    assert str(step) == "invariant 16 (grumbler): the step"
    assert end.what == "the end"
