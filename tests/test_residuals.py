"""What finished trades have left is added up, whatever happens to them afterwards."""

from __future__ import annotations

from decimal import Decimal

from fsm_arb.residuals import NOTHING, Leftover, Residuals

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


def test_a_sum_follows_from_the_one_before() -> None:
    """An asset of which nothing is left is not listed; the order is that of the names."""
    first = NOTHING.changed("ETH", D(1), "a").changed("BTC", D(-2), "b")
    assert first == Leftover(assets=(("BTC", D(-2)), ("ETH", D(1))), trade_id="b")
    assert (first.of("ETH"), first.of("XRP")) == (1, 0)
    assert first.changed("BTC", D(2), "c") == Leftover(assets=(("ETH", D(1)),), trade_id="c")


def test_what_was_left_before_a_restart_is_added() -> None:
    """Whatever has been noted by then."""
    left = Residuals()
    left.note("t1", "BTC", D(1))
    left.restore((("BTC", D(2)), ("ETH", D(3))))
    assert (left.of("BTC"), left.of("ETH")) == (3, 3)


def test_a_trade_that_may_still_change_counts_with_what_was_noted_last() -> None:
    """One that is forgotten, or unknown, with nothing."""
    left = Residuals()
    left.note("t1", "BTC", D(1))
    left.note("t1", "BTC", D(2))
    assert (left.left_by("t1"), left.left_by("t2")) == (2, 0)
    left.forget("t1")
    assert left.left_by("t1") == 0
