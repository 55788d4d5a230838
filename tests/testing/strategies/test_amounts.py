"""Decimals on a grid: never a float, never off the grid, simple where a failure is told."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from fsm_arb.testing.strategies.amounts import decimals, moves, parts, shares
from fsm_arb.values import floor_to

D = Decimal


@given(st.data(), st.sampled_from([D("0.01"), D("0.003"), D("1e-8"), D(7)]))
def test_what_is_drawn_lies_on_the_grid_and_within(data: st.DataObject, step: Decimal) -> None:
    """Both ends belong to it."""
    low, high = D("0.05"), D(50)
    drawn = data.draw(decimals(low, high, step))
    assert isinstance(drawn, Decimal)
    assert low <= drawn <= high
    assert floor_to(drawn, step) == drawn


@pytest.mark.parametrize("wanted", [D(1), D("9.99"), D(10)])
def test_both_ends_and_what_is_between_are_reached(wanted: Decimal) -> None:
    """A bound that is never drawn is never tested."""
    assert find(decimals(D(1), D(10), D("0.01")), lambda drawn: drawn == wanted) == wanted


def test_a_failure_shrinks_to_the_lowest_that_fails() -> None:
    """The smallest number is the easiest to read."""
    assert find(decimals(D(1), D(1000), D("0.01")), lambda drawn: drawn > D("3.141")) == D("3.15")


@pytest.mark.parametrize(("low", "high", "step"), [(D(1), D(2), D(0)), (D(1), D(2), D(-1)), (D("1.1"), D("1.2"), D(1))])
def test_a_grid_with_nothing_on_it_is_refused(low: Decimal, high: Decimal, step: Decimal) -> None:
    """Drawing from it would skip the whole test in silence."""
    with pytest.raises(ValueError, match=r"step=|no multiple"):
        decimals(low, high, step)


def test_shares_reach_the_whole_and_next_to_nothing() -> None:
    """What goes well is what a failure shrinks to."""
    assert find(shares(), lambda _: True) == 1
    assert find(shares(), lambda drawn: drawn < D("0.0001")) > 0


@given(shares(), moves())
def test_shares_are_fractions_and_prices_never_fall_to_nothing(share: Decimal, move: Decimal) -> None:
    """A share of more than the whole would fill more than was ordered."""
    assert 0 < share <= 1
    assert -1 < move < 1


@given(st.data(), st.integers(1, 500), st.sampled_from([D("0.01"), D("0.003")]))
def test_parts_add_up(data: st.DataObject, count: int, step: Decimal) -> None:
    """Cut it as you will, nothing is lost and no piece is empty."""
    pieces = data.draw(parts(count * step, step, pieces_max=4))
    assert sum(pieces) == count * step
    assert 1 <= len(pieces) <= 4
    assert all(piece > 0 and floor_to(piece, step) == piece for piece in pieces)


def test_parts_reach_one_piece_and_the_most() -> None:
    """A fill in one piece is the simplest."""
    assert find(parts(D(10), D("0.1")), lambda _: True) == (D(10),)
    assert len(find(parts(D(10), D("0.1"), pieces_max=4), lambda pieces: len(pieces) == 4)) == 4


@pytest.mark.parametrize("amount", [D(0), D("0.015"), D(-1)])
def test_what_is_not_on_the_grid_is_not_cut(amount: Decimal) -> None:
    """Its last piece would be off the grid."""
    with pytest.raises(ValueError, match="must be a positive multiple"):
        parts(amount, D("0.01"))
