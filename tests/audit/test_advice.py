"""What a person can do about a trade that met a wall."""

from __future__ import annotations

import re

from histories import calm, doubtful, halted
from worlds import Walk

from fsm_arb.audit.advice import advice
from fsm_arb.executor.executor import CrossExchangeExecutor


def test_nobody_is_told_anything_about_a_trade_that_goes_its_way() -> None:
    """Neither when it is over nor while it is at work."""
    assert advice(calm().trade) == ()
    assert advice(Walk().trade) == ()


def test_a_naked_leg_is_named_with_its_side_and_size() -> None:
    """What to trade by hand, where, and how to record it."""
    by_hand, retry = advice(halted().trade)
    assert by_hand.startswith("Buy 10 BTC on alpha or beta and record it: executor.resolve('halted'")
    assert retry == "It tries again by itself every 60 s; to try now: executor.resume('halted')."


def test_what_is_in_doubt_comes_first() -> None:
    """An order that lives would hedge by itself what was hedged by hand."""
    look, warning, by_hand, _ = advice(doubtful().trade)
    assert "look on beta, BTC/USDT, for buy 10 BTC (c1)" in look
    assert "executor.settle_order('doubtful', 'c1'" in look
    assert warning.startswith("Settle what is in doubt before you trade by hand")
    assert by_hand.startswith("Buy 10 BTC")


def test_the_venues_own_id_is_told_where_it_is_known() -> None:
    """Support asks for it."""
    walk = Walk(name="known", doubt_max_s=20)
    walk.fills(0).ack(1, venue_order_id="V-17").at(5).at(26)
    assert walk.state == "HALTED"
    assert "(c1, there V-17)" in advice(walk.trade)[0]


def test_every_call_that_is_named_exists() -> None:
    """Who types it at night must not find that it was renamed."""
    said = " ".join((*advice(doubtful().trade), *advice(halted().trade)))
    calls = set(re.findall(r"executor\.(\w+)\(", said))
    assert calls == {"settle_order", "resolve", "resume"}
    assert all(hasattr(CrossExchangeExecutor, call) for call in calls)
