"""Invariant 8: at rest our books and the venues' are the same, and balances moved by nothing else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from honest import SCRIPTS, objections, rested, seen, true_order
from worlds import ALPHA, BETA_KEEPS_BASE, PERPETUAL, Walk, fill

from fsm_arb.testing.glimpse import Glimpse, VenueFill
from fsm_arb.testing.invariants.books_agree import BooksAgree
from fsm_arb.values import Fee, Side

D = Decimal
CHECKER = BooksAgree()
ONE = fill("a", 4, 99, fee=Fee(D("0.5"), "USD"))
TWO = fill("b", 6, 101, fee=Fee(D("0.7"), "USD"))


def told(*fills: Any) -> Walk:
    """Return a trade whose first order's executions are told one by one; the second's by their sum."""
    return Walk().ack(0, 10, ended=True, fills=fills or (ONE, TWO), fees=None).fills(1)


def held(walk: Walk, *fills: Any, **changes: Any) -> Glimpse:
    """Return a glimpse in which the first order's executions are these on the venue."""
    executed = tuple(
        VenueFill(fill_id=f.fill_id, amount=f.amount, price=f.price, fee=f.fee.amount, fee_currency=f.fee.currency)
        for f in fills or (ONE, TWO)
    )
    return seen(walk, true_order(walk, 0, fills=executed), true_order(walk, 1, 10), **changes)


@pytest.mark.parametrize("script", SCRIPTS)
def test_honest_runs_are_accepted(script: Any) -> None:
    """Once all is told, all is the same."""
    assert objections(CHECKER, script) == []


def test_the_same_executions_are_accepted() -> None:
    """One by one where the venue tells them so, by their sum where it does not."""
    assert rested(CHECKER, held(told())) == []


def test_an_execution_that_only_one_side_knows_is_found() -> None:
    """By its id, whichever side has it."""
    found = "; ".join(rested(CHECKER, held(told(), ONE)))
    assert "we know of 10 BTC, the venue has executed 4" in found
    assert "execution b of 6 is none of the venue's" in found
    walk = told(evolve(ONE, amount=D(10)))
    found = "; ".join(rested(CHECKER, held(walk)))
    assert "execution b of 6 is not known" in found
    assert "execution a is 10 in our books, 4 in the venue's" in found


def test_an_order_that_no_venue_has_is_found() -> None:
    """Unless nothing of it is believed to have filled."""
    walk = told()
    assert "order c0: we know of 10 BTC, no venue has such an order" in rested(CHECKER, seen(walk))
    assert rested(CHECKER, seen(Walk())) == []


def test_a_base_fee_of_which_we_know_otherwise_is_found() -> None:
    """Filled alike, and received is not."""
    walk = Walk(rules=(ALPHA, BETA_KEEPS_BASE)).fills(0)
    whole = walk.sent[1].amount
    walk.ack(1, whole, ended=True, fees=(Fee(D("0.01"), "BTC"),))
    kept = VenueFill(fill_id="b", amount=whole, price=D(100), fee=D("0.02"), fee_currency="BTC")
    found = rested(CHECKER, seen(walk, true_order(walk, 0, 10), true_order(walk, 1, fills=(kept,))))
    assert any("we know of 10.00 BTC received, the venue says 9.99" in what for what in found)


def test_what_was_executed_late_is_excused_once_nobody_watches() -> None:
    """The watch window is the policy's; until it ends everything must be known."""
    walk = Walk().fills(0).fills(1)
    late = true_order(walk, 1, 10, amount=D(12))
    late = evolve(late, fills=(*late.fills, VenueFill(fill_id="z", amount=D(2), price=D(100))))
    watched = seen(walk, true_order(walk, 0, 10), late)
    assert len(rested(CHECKER, watched)) == 1
    walk.end_watch()
    assert rested(CHECKER, seen(walk, *watched.orders.values())) == []


RIGHT = {
    "alpha": {"BTC": D(-10), "USD": D(4 * 99 + 6 * 101) - D("1.2"), "BNB": D(0)},
    "beta": {"BTC": D(10), "USDT": D(-1000)},
}


def test_balances_that_moved_by_fills_less_fees_are_accepted() -> None:
    """Every asset of every venue."""
    assert rested(CHECKER, held(told(), moved=RIGHT)) == []


@pytest.mark.parametrize(("venue", "asset"), [("alpha", "USD"), ("beta", "BTC"), ("alpha", "BNB")])
def test_a_balance_that_moved_otherwise_is_found(venue: str, asset: str) -> None:
    """By the smallest amount."""
    moved = {name: dict(row) for name, row in RIGHT.items()}
    moved[venue][asset] += D("0.00000001")
    (what,) = rested(CHECKER, held(told(), moved=moved))
    assert what.startswith(f"{venue}: {asset} moved by")


def test_a_venue_that_moved_nothing_for_its_executions_is_found() -> None:
    """Also where an asset is not even named."""
    found = rested(CHECKER, held(told(), moved={"beta": {}}))
    assert len(found) == 2


def test_derivatives_settle_by_what_was_realised() -> None:
    """Their base moves nobody's balance, and their quote by profit, which is the venue's own sum."""
    walk = told()
    perpetual = true_order(walk, 1, 10, symbol=PERPETUAL.symbol)
    moved = {"alpha": RIGHT["alpha"], "beta": {"USDT": D("-3.5")}}
    assert rested(CHECKER, seen(walk, held(walk).orders["c0"], perpetual, moved=moved)) == []


def test_what_operators_tell_is_what_they_did() -> None:
    """A trade by hand that was not told, or told otherwise, is exposure that nobody sees."""
    walk = Walk(attempts_max=1).fills(0).refuse(1).silence(0, 1).by_hand(1, Side.BUY, 10, fee=Fee(D(1), "BTC"))
    orders = (true_order(walk, 0, 10), true_order(walk, 1))
    right = seen(walk, *orders, external={"beta": {"BTC": D(9), "USDT": D(-1000)}})
    assert rested(CHECKER, right) == []
    wrong = evolve(right, external={"beta": {"BTC": D(10)}})
    assert rested(CHECKER, wrong) == ["beta: operators told of 9 BTC and traded 10"]
    moved = evolve(right, moved={"beta": {"BTC": D(9), "USDT": D(-1000)}})
    assert rested(CHECKER, moved) == []
    elsewhere = evolve(right, external={**right.external, "alpha": {"BTC": D(1)}})
    assert rested(CHECKER, elsewhere) == ["alpha: operators told of 0 BTC and traded 1"]
