"""What a trade made as far as it can be reckoned: exact where all is known, and no better than that where not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from worlds import ALPHA, BETA_KEEPS_BASE, Walk

from fsm_arb.position import Position
from fsm_arb.results import result_of
from fsm_arb.risk.reckoning import Reckoned, Strange, reckoned, round_trip
from fsm_arb.values import Fee, Side

D = Decimal
BNB = Fee(D("0.01"), "BNB")
# Ten at one hundred: a taker pays a thousandth of a thousand.
USUAL = D(1)


def hedged(**second: Any) -> Walk:
    return Walk().fills(0, average=D(103)).fills(1, **second)


@pytest.mark.parametrize(
    "walk",
    [
        hedged,
        lambda: hedged(fees=(Fee(D("0.5"), "USDT"),)),
        lambda: Walk(rules=(ALPHA, BETA_KEEPS_BASE)).fills(0).fills(1, fees=(Fee(D("0.01"), "BTC"),)),
        lambda: Walk().refuse(0).refuse(1),
        lambda: Walk(attempts_max=0).fills(0).refuse(1).by_hand(1, Side.BUY, 10, 103, Fee(D(1), "USDT")),
    ],
)
def test_what_is_known_is_reckoned_as_it_is(walk: Any) -> None:
    """To the last digit the trade's own PnL."""
    trade = walk().trade
    assert reckoned(trade) == Reckoned(cash=result_of(trade).pnl)


def test_a_fee_in_a_third_asset_is_kept_apart_with_what_is_usual() -> None:
    """Of several charges in one asset, the sum; a rebate is no fee that is usual."""
    assert reckoned(hedged(fees=(BNB, BNB)).trade) == Reckoned(
        cash=D(30), strange=(Strange(fee=Fee(D("0.02"), "BNB"), usual=USUAL),)
    )
    two = reckoned(hedged(fees=(BNB, Fee(D(1), "KCS"))).trade)
    assert [(each.fee.currency, each.usual) for each in two.strange] == [("BNB", USUAL / 2), ("KCS", USUAL / 2)]
    (rebate,) = reckoned(hedged(fees=(Fee(D("-0.01"), "BNB"),)).trade).strange
    assert rebate == Strange(fee=Fee(D("-0.01"), "BNB"), usual=D(0))


def test_a_fee_by_hand_in_a_third_asset_is_kept_apart_too() -> None:
    """An operator's fill costs what it costs."""
    walk = Walk(attempts_max=0).fills(0).refuse(1).by_hand(1, Side.BUY, 10, 100, BNB)
    assert reckoned(walk.trade) == Reckoned(strange=(Strange(fee=BNB, usual=USUAL),))


def test_fees_that_were_not_told_are_the_usual_ones() -> None:
    """A taker's; where the venue keeps base, what is assumed of it shows in the exposure."""
    silent = hedged(fees=None)
    assert result_of(silent.trade).pnl is None
    assert reckoned(silent.trade) == Reckoned(cash=D(30) - USUAL)
    base = Walk(rules=(ALPHA, BETA_KEEPS_BASE)).fills(0).fills(1, fees=None)
    kept = base.ledger.orders[1].base_fee
    assert kept > 0
    assert reckoned(base.trade).cash == base.ledger.exposure * 100 - (base.ledger.orders[1].filled - 10) * 100


def test_a_price_that_was_not_told_is_the_worst_that_the_order_allowed() -> None:
    """Whatever it was, it was no worse."""
    walk = Walk().fills(0).fills(1, average=None)
    assert result_of(walk.trade).pnl is None
    order = walk.ledger.orders[1]
    assert order.intent.bound > 100
    assert reckoned(walk.trade).cash == (100 - order.intent.bound) * 10


def test_what_the_second_venue_charges_counts_at_the_recorded_rate() -> None:
    """Both the cash and what is usual."""
    walk = Walk(plan=evolve(Walk().plan, fx=D(2)))
    walk.fills(0).fills(1, fees=(BNB,))
    (strange,) = reckoned(walk.trade).strange
    assert strange.usual == 2 * USUAL
    assert reckoned(walk.trade).cash == -1000


def test_a_round_trip_is_what_is_known_and_what_is_reckoned() -> None:
    """None where a trade of it is neither."""
    position = Position.opened("P-t1", hedged().trade)[0].value
    part = Reckoned(cash=D(-7), strange=(Strange(fee=BNB, usual=USUAL),))
    mixed = evolve(position, pnls=(("t1", D(5)), ("x", None)))
    assert round_trip(mixed, {"x": part}) == Reckoned(cash=D(-2), strange=part.strange)
    assert round_trip(mixed, {"t1": part}) is None
    assert round_trip(evolve(position, pnls=(("t1", D(5)),)), {}) == Reckoned(cash=D(5))
