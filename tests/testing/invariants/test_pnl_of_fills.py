"""Invariant 13: what a trade earned does not depend on how it was told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from honest import SCRIPTS, objections, rested, seen, true_order
from worlds import Walk, fill

from fsm_arb import ledger, orders
from fsm_arb.errors import LedgerBroken
from fsm_arb.messages import Observed
from fsm_arb.testing.glimpse import Glimpse, VenueFill
from fsm_arb.testing.invariants.pnl_of_fills import TELLINGS, PnlOfFills, earned, retell
from fsm_arb.values import Fee, Side

D = Decimal
CHECKER = PnlOfFills()
FILLS = tuple(fill(f"a{n}", n, 100 + n, fee=Fee(D(n) / 10, "USD")) for n in (1, 2, 3, 4))


def told() -> Walk:
    """Return a trade whose first order filled in four executions, told in growing readings."""
    walk = Walk().ack(0).fills(1)
    for count in (1, 2, 3, 4):
        shown = FILLS[:count]
        total = sum(each.amount for each in shown)
        walk.see(0, total, fills=shown, fees=None, average=None, ended=count == 4)
    return walk


def glimpsed(walk: Walk, *, price: Any = 0) -> Glimpse:
    """Return the end of it; the venue's own prices are higher by *price*."""
    executed = tuple(
        VenueFill(fill_id=f.fill_id, amount=f.amount, price=f.price + price, fee=f.fee.amount, fee_currency="USD")
        for f in FILLS
        if f.fee
    )
    return seen(walk, true_order(walk, 0, fills=executed), true_order(walk, 1, 10))


@pytest.mark.parametrize("script", SCRIPTS)
def test_honest_runs_are_accepted(script: Any) -> None:
    """However their readings came."""
    assert objections(CHECKER, script) == []


def test_executions_told_one_after_the_other_are_accepted() -> None:
    """In every order, and by the venue's own sums."""
    assert rested(CHECKER, glimpsed(told())) == []


def test_every_telling_tells_every_reading() -> None:
    """Else a permutation would prove nothing; two of them tell each one twice."""
    for how, permuted in TELLINGS:
        for count in range(20):
            readings: Any = list(range(count))
            assert sorted(set(permuted(readings))) == readings, how
    assert len({tuple(permuted(list(range(20)))) for _, permuted in TELLINGS}) == len(TELLINGS)  # type: ignore[arg-type]


def _last_reading_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = orders.merged

    def broken(order: orders.Order, snapshot: Any, leg: Any, now: int) -> orders.Order:
        return honest(order.changed(gross=D(0), fills=()), snapshot, leg, now)

    monkeypatch.setattr(ledger, "merged", broken)


def _fills_counted_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = ledger.observed

    def broken(books: ledger.Ledger, fact: Observed) -> ledger.Ledger:
        after = honest(books, fact)
        order = after.orders[fact.order]
        return after.replace(order.changed(fees=(*order.fees, *order.fees)))

    monkeypatch.setattr(ledger, "observed", broken)


def _first_price_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = orders.merged

    def broken(order: orders.Order, snapshot: Any, leg: Any, now: int) -> orders.Order:
        after = honest(order, snapshot, leg, now)
        return after.changed(average=order.average) if order.average is not None else after

    monkeypatch.setattr(ledger, "merged", broken)


@pytest.mark.parametrize("broken", [_last_reading_counts, _fills_counted_twice, _first_price_stays])
def test_what_depends_on_the_telling_is_found(broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Received, fees or prices: each in the words of what differs."""
    broken(monkeypatch)
    assert any("when its readings are told" in what for what in rested(CHECKER, glimpsed(told())))


def test_readings_that_cannot_be_told_otherwise_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that breaks over a stale reading."""
    walk = told()
    honest = ledger.observed

    def broken(books: ledger.Ledger, fact: Observed) -> ledger.Ledger:
        if fact.snapshot.filled < books.orders[fact.order].filled:
            raise LedgerBroken("it shrank")
        return honest(books, fact)

    monkeypatch.setattr(ledger, "observed", broken)
    assert any("cannot be told backwards: it shrank" in what for what in rested(CHECKER, glimpsed(walk)))


def test_what_the_venues_executions_do_not_earn_is_found() -> None:
    """Their own prices are others: by a cent."""
    (what,) = rested(CHECKER, glimpsed(told(), price=D("0.01")))
    assert "its PnL is 29.0, by the venues' own executions 29.10" in what


def test_a_venues_rounded_average_is_no_other_price() -> None:
    """Where executions are not told one by one, only the venue's own rounding is at hand."""
    walk = Walk().ack(0, 10, ended=True, average=D("103.0000001")).fills(1)
    glimpse = glimpsed(walk)
    true = evolve(glimpse.orders["c0"], fills=tuple(evolve(each, fee=D(0)) for each in glimpse.orders["c0"].fills))
    assert rested(CHECKER, evolve(glimpse, orders={**glimpse.orders, "c0": true})) == []
    walk = Walk().ack(0, 10, ended=True, average=D("103.01")).fills(1)
    wrong = seen(walk, true, true_order(walk, 1, 10))
    assert len(rested(CHECKER, wrong)) == 1


def test_busts_and_verdicts_stay_where_they_were() -> None:
    """They are about what was known at that moment; readings move between them only."""
    walk = told().bust(0, 4)
    walk.later(1).look().fills(2)
    facts = [each.fact for each in walk.entries]
    for _, permuted in TELLINGS:
        assert retell(walk.ledger, facts, permuted).received == walk.ledger.received
    assert earned(walk.trade, walk.ledger).received == walk.ledger.received


def test_an_operators_trade_earns_too() -> None:
    """With its fee."""
    walk = Walk(attempts_max=1).fills(0).refuse(1).silence(0, 1).by_hand(1, Side.BUY, 10, 90, fee=Fee(D(1), "USDT"))
    assert rested(CHECKER, seen(walk, true_order(walk, 0, 10))) == []
    trade = walk.trade
    assert trade.ledger is not None
    cheaper = evolve(trade.ledger.external[0], fee=None)
    trade.ledger = evolve(trade.ledger, external=(cheaper,))
    found = rested(CHECKER, seen(walk, true_order(walk, 0, 10)))
    assert found == []  # what was told is what counts; that it is true, `books_agree` judges


def test_a_trade_that_was_never_sized_earned_nothing() -> None:
    """There is nothing to tell."""
    assert rested(CHECKER, seen(Walk(begin=False).restart())) == []
