"""What finished trades have left is added up, whatever happens to them afterwards."""

from __future__ import annotations

from decimal import Decimal

from fsm_arb.residuals import Residuals

D = Decimal


def test_what_trades_leave_adds_up_by_asset() -> None:
    """Short and long ones cancel out."""
    left = Residuals()
    left.note("t1", "BTC", D("-0.000005"))
    left.note("t2", "BTC", D("0.000002"))
    left.note("t3", "ETH", D("0.1"))
    assert left.of("BTC") == D("-0.000003")
    assert left.of("ETH") == D("0.1")
    assert left.of("XRP") == 0


def test_a_disturbed_trade_counts_with_what_it_leaves_in_the_end() -> None:
    """It is taken out while it is at work, and counted once."""
    left = Residuals()
    left.note("t1", "BTC", D("-0.000005"))
    left.note("t1", "BTC", D(0))
    assert left.of("BTC") == 0
    left.note("t1", "BTC", D("0.000001"))
    assert left.of("BTC") == D("0.000001")


def test_a_trade_that_is_forgotten_has_left_what_it_left() -> None:
    """Only its name is let go."""
    left = Residuals()
    left.note("t1", "BTC", D("-0.000005"))
    left.forget("t1")
    left.forget("t1")
    assert left.of("BTC") == D("-0.000005")


def test_a_forgotten_trade_that_is_roused_is_counted_once() -> None:
    """A bust reported long afterwards changes what it left."""
    left = Residuals()
    left.note("t1", "BTC", D("-0.000005"))
    left.forget("t1")
    left.recall("t1", "BTC", D("-0.000005"))
    left.note("t1", "BTC", D("0.000001"))
    assert left.of("BTC") == D("0.000001")
