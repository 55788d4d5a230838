"""What a bot is told of a trade: every word drawn from the ledger."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from worlds import ALPHA, BETA, BETA_KEEPS_BASE, SECOND, Walk, book, entry, fill

from fsm_arb.errors import InvalidInput
from fsm_arb.messages import Checked, Observed
from fsm_arb.ports import OrderSnapshot, OrderStatus
from fsm_arb.results import LegExecutionResult, pnl_of, result_of
from fsm_arb.values import ZERO, Action, Fee, Side

D = Decimal
BUY, SELL = Side.BUY, Side.SELL


def usd(amount: Any) -> tuple[Fee, ...]:
    return (Fee(D(amount), "USD"),)


def usdt(amount: Any) -> tuple[Fee, ...]:
    return (Fee(D(amount), "USDT"),)


def filled(**changes: Any) -> Walk:
    """Sold ten at 101 for a fee of one, bought ten at 99 for a fee of two."""
    walk = Walk(**changes)
    walk.fills(0, average=D(101), fees=usd(1), venue_order_id="a1")
    return walk.fills(1, average=D(99), fees=usdt(2), venue_order_id="b1")


# ------------------------------------------------------------------ the whole


def test_a_success_in_full() -> None:
    """Status, both legs, what is left, and what it brought."""
    walk = filled()
    result = result_of(walk.trade, "P-1")
    assert (result.status, result.state, result.trade_id, result.position_id) == ("success", "DONE", "t1", "P-1")
    assert (result.net_exposure, result.dust, result.pnl) == (0, D("0.1"), 17)
    assert (result.note, result.ever_halted, result.decision) == ("", False, walk.decision)
    assert result.leg("alpha") == LegExecutionResult(
        exchange="alpha",
        symbol="BTC/USD",
        order_ids=("a1",),
        client_order_ids=("c0",),
        status="filled",
        filled_qty=D(10),
        received_qty=D(10),
        requested_qty=D(10),
        avg_price=D(101),
        fees=usd(1),
    )
    assert result.legs[1] is result.leg("beta")
    with pytest.raises(InvalidInput, match="is on neither leg: alpha, beta"):
        result.leg("gamma")


def test_what_was_blocked_has_legs_that_did_nothing() -> None:
    """And no PnL: nothing was ever sized."""
    walk = Walk(begin=False)
    walk.tell(Checked(now=0, refusal="health: beta is down"))
    result = result_of(walk.trade)
    assert (result.status, result.note, result.pnl, result.dust) == ("blocked", "health: beta is down", None, ZERO)
    assert result.legs == (
        LegExecutionResult(exchange="alpha", symbol="BTC/USD"),
        LegExecutionResult(exchange="beta", symbol="BTC/USDT"),
    )


def test_a_halted_trade_says_why_and_how_much_is_naked() -> None:
    """Status halted, until it has ended; that it ever was is kept."""
    walk = Walk(attempts_max=0).fills(0).refuse(1)
    result = result_of(walk.trade)
    assert (result.status, result.state, result.net_exposure) == ("halted", "HALTED", -10)
    assert result.note == "0 remedies were tried"
    result = result_of(walk.by_hand(1, BUY, 10).trade)
    assert (result.status, result.note, result.ever_halted) == ("success", "", True)


def test_a_size_that_was_held_back_is_noted() -> None:
    """Whoever asked for more wants to know why."""
    walk = Walk(entry(books=(None, book(amount=7)))).fills(0).fills(1)
    assert result_of(walk.trade).note == "beta's book holds 7 within the band"


def test_the_time_it_took_is_from_its_first_record_to_its_end() -> None:
    """Wall clock, milliseconds."""
    walk = Walk()
    walk.now = 1.5
    walk.fills(0).fills(1)
    assert result_of(walk.trade).execution_time_ms == 1500
    assert result_of(Walk().trade).execution_time_ms == 0
    assert walk.trade.ended_at_ns == 1.5 * SECOND


# ------------------------------------------------------------------ a leg


@pytest.mark.parametrize(
    ("happens", "status"),
    [
        (lambda walk: walk, "accepted"),
        (lambda walk: walk.ack(0), "accepted"),
        (lambda walk: walk.doubt(0), "accepted"),
        (lambda walk: walk.ack(0, 4), "partially_filled"),
        (lambda walk: walk.ack(0, 4, ended=True), "partially_filled"),
        (lambda walk: walk.ack(0, "9.9", ended=True), "partially_filled"),
        (lambda walk: walk.ack(0, "9.91", ended=True), "filled"),
        (lambda walk: walk.fills(0), "filled"),
        (lambda walk: walk.ack(0, ended=True), "canceled"),
        (lambda walk: walk.refuse(0), "failed"),
    ],
)
def test_the_status_of_a_leg(happens: Any, status: str) -> None:
    """From what it received, then from what lives."""
    assert result_of(happens(Walk()).trade).legs[0].status == status


def test_a_leg_that_was_unwound_is_net() -> None:
    """Every order as sent; quantities in its own direction; the average is of that direction alone."""
    walk = Walk(remedy="unwind").fills(0, average=D(101), fees=usd(1), venue_order_id="a1").refuse(1)
    walk.look().ack(2, 4, ended=True, average=D(102), fees=usd(3), venue_order_id="a2")
    leg = result_of(walk.trade).legs[0]
    assert (leg.order_ids, leg.client_order_ids) == (("a1", "a2"), ("c0", "c2"))
    assert (leg.filled_qty, leg.received_qty, leg.avg_price, leg.fees) == (6, 6, 101, usd(4))
    assert (leg.status, leg.error) == ("partially_filled", "")
    assert result_of(walk.trade).legs[1].error == "insufficient_funds: no"


def test_a_leg_that_was_traded_back_whole_is_canceled() -> None:
    """It holds nothing."""
    walk = Walk(remedy="unwind").fills(0).refuse(1).look().fills(2)
    assert result_of(walk.trade).status == "rolled_back"
    assert result_of(walk.trade).legs[0].status == "canceled"


def test_received_is_less_than_filled_where_base_was_kept() -> None:
    """Fees are summed by asset."""
    walk = Walk(rules=(ALPHA, BETA_KEEPS_BASE)).fills(0)
    walk.fills(1, fees=(Fee(D("0.01"), "BTC"), Fee(D("0.02"), "BNB")))
    leg = result_of(walk.trade).legs[1]
    assert (leg.filled_qty, leg.received_qty, leg.requested_qty) == (D("10.01"), D("10.00"), D("10.01"))
    assert leg.fees == (Fee(D("0.02"), "BNB"), Fee(D("0.01"), "BTC"))


def test_an_order_that_cannot_be_ours_is_an_error_of_its_leg() -> None:
    """Named, as are refusals."""
    walk = Walk().ack(0, 1, symbol="ETH/USD")
    assert result_of(walk.trade).legs[0].error == "symbol ETH/USD instead of BTC/USD"


def test_an_unknown_average_is_none() -> None:
    """Never the limit's price."""
    assert result_of(Walk().fills(0, average=None).trade).legs[0].avg_price is None


# ------------------------------------------------------------------ PnL, worked out by hand


def test_pnl_is_sells_less_buys_less_fees() -> None:
    """1010 - 990 - 1 - 2, also when leg 0 buys."""
    assert result_of(filled().trade).pnl == 17
    turned = Walk(entry(Action.ENTRY_NEGATIVE)).fills(0, average=D(99), fees=usd(1))
    assert result_of(turned.fills(1, average=D(101), fees=usdt(2)).trade).pnl == 17


def test_pnl_is_told_of_a_ledger_alone() -> None:
    """The same, without the rest of a result."""
    trade = filled().trade
    assert trade.ledger is not None
    assert pnl_of(trade.ledger) == result_of(trade).pnl is not None


def test_pnl_of_leg_one_is_converted_at_the_recorded_rate() -> None:
    """A tether is worth two dollars: 1010 - 1 - 2 times (990 + 2)."""
    walk = filled()
    walk.trade.ledger = evolve(walk.ledger, plan=evolve(walk.plan, fx=D(2)))
    assert result_of(walk.trade).pnl == 1009 - 2 * 992


def test_the_residual_is_valued_at_the_decision_s_price() -> None:
    """Sold ten, bought 9.95: owing 0.05 at 100 is five."""
    walk = Walk().fills(0, average=D(101)).ack(1, "9.95", ended=True, average=D(99))
    assert result_of(walk.trade).pnl == 1010 - D("9.95") * 99 - 5


def test_a_base_fee_shows_in_what_is_left() -> None:
    """0.02 less of base, at 100."""
    walk = Walk(rules=(ALPHA, BETA_KEEPS_BASE)).fills(0, average=D(100))
    walk.ack(1, "10.01", ended=True, average=D(100), fees=(Fee(D("0.03"), "BTC"),))
    assert result_of(walk.trade).pnl == D("1000") - D("1001") + D("-0.02") * 100


def test_a_rebate_is_a_fee_below_zero() -> None:
    """And earns."""
    walk = Walk().fills(0, average=D(100), fees=usd(-1)).fills(1, average=D(100))
    assert result_of(walk.trade).pnl == 1


def test_a_price_that_nobody_knows_leaves_pnl_unknown() -> None:
    """With a word on why."""
    result = result_of(Walk().fills(0, average=None).fills(1).trade)
    assert (result.pnl, result.note) == (None, "PnL unknown: no price for what filled on alpha")


def test_a_fee_that_was_not_told_yet_leaves_pnl_unknown() -> None:
    """Half a result is no result; the word on why names the venue."""
    result = result_of(Walk().fills(0).fills(1, fees=None).trade)
    assert (result.pnl, result.note) == (None, "PnL unknown: beta has not told its fees yet")


def test_a_fee_without_a_rate_leaves_pnl_unknown() -> None:
    """A ledger per asset, and no guess between them; a fee of nothing needs no rate."""
    result = result_of(Walk().fills(0).fills(1, fees=(Fee(D("0.01"), "BNB"),)).trade)
    assert (result.pnl, result.note) == (None, "PnL unknown: no rate for a fee of 0.01 BNB")
    assert result_of(Walk().fills(0).fills(1, fees=(Fee(D(0), "BNB"),)).trade).pnl == 0


def test_pnl_counts_remedies_and_leaves_out_what_never_filled() -> None:
    """Sold ten at 101, bought back at 102; the refused order cost nothing."""
    walk = Walk(remedy="unwind").fills(0, average=D(101)).refuse(1).look().fills(2, average=D(102))
    assert result_of(walk.trade).pnl == -10


def test_pnl_counts_what_an_operator_did_with_its_fee() -> None:
    """Bought ten by hand at 103 for three: 1000 - 1030 - 3."""
    walk = Walk(attempts_max=0).fills(0).refuse(1)
    assert result_of(walk.by_hand(1, BUY, 10, 103, Fee(D(3), "USDT")).trade).pnl == -33
    kept = Walk(attempts_max=0).fills(0).refuse(1).by_hand(1, BUY, 10, 103, Fee(D("0.05"), "BTC"))
    assert result_of(kept.trade).pnl == -30 - 5
    free = Walk(attempts_max=0).fills(0).refuse(1).by_hand(1, BUY, 10, 103)
    assert result_of(free.trade).pnl == -30
    other = result_of(Walk(attempts_max=0).fills(0).refuse(1).by_hand(1, BUY, 10, 103, Fee(D(1), "BNB")).trade)
    assert (other.pnl, other.note) == (None, "PnL unknown: no rate for a fee of 1 BNB")


def test_a_bust_takes_back_its_share_of_cash_and_fee() -> None:
    """Three of ten: 70 % of 101 times 10 and of the fee; what is naked is valued at the decision's price."""
    walk = filled().bust(0, 3)
    assert result_of(walk.trade).pnl == 707 - D("0.7") - 992 + 300


def test_pnl_does_not_depend_on_the_order_or_number_of_fills() -> None:
    """From executions, by their ids."""
    parts = [fill("a", 4, 101, usd(1)[0]), fill("b", 6, 102, usd(2)[0])]
    seen = set()
    for order in itertools.permutations([parts[:1], parts[1:], parts, parts[:1]]):
        walk = Walk()
        for listed in order:
            known = sum((each.amount for each in listed), ZERO)
            reading = OrderSnapshot(status=OrderStatus.OPEN, filled=known, fills=tuple(listed))
            walk.tell(Observed(now=0, order=0, snapshot=reading))
        walk.see(0, 10, ended=True, fees=None, average=None).fills(1)
        seen.add(result_of(walk.trade).pnl)
    assert seen == {404 + 612 - 3 - 1000}


def test_quote_and_base_that_the_rules_name_are_those_of_the_leg() -> None:
    """A fee in the other leg's quote has no rate here."""
    walk = Walk(rules=(ALPHA, BETA)).fills(0, fees=usdt(1)).fills(1)
    assert result_of(walk.trade).pnl is None
