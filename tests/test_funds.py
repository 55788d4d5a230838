"""What trades hold back from each other."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from fsm_arb.funds import Funds
from fsm_arb.values import Balances, Money

if TYPE_CHECKING:
    from collections.abc import Sequence

D = Decimal


def usd(amount: int) -> Money:
    return Money(D(amount), "USD")


def test_what_a_running_trade_holds_is_not_there_for_another() -> None:
    """Two trades that each fit and together do not are never both begun."""
    funds = Funds()
    funds.reserve("t1", [("alpha", usd(60)), ("alpha", Money(D(1), "BTC")), ("beta", usd(5))])
    free = Balances(free={"USD": D(100), "BTC": D(3), "ETH": D(7)})
    assert funds.available("alpha", free) == Balances(free={"USD": D(40), "BTC": D(2), "ETH": D(7)})
    assert funds.available("beta", free).of("USD") == 95
    assert funds.available("gamma", free) == free
    funds.reserve("t2", [("alpha", usd(60))])
    assert funds.held("alpha", "USD") == 120
    assert funds.available("alpha", free).of("USD") == 0  # never below zero


def test_two_amounts_of_one_currency_add_up() -> None:
    """Both legs may be on one venue."""
    funds = Funds()
    funds.reserve("t1", [("alpha", usd(60)), ("alpha", usd(30))])
    assert funds.held("alpha", "USD") == 90
    funds.reserve("t1", [("alpha", usd(10))])  # replaces
    assert funds.held("alpha", "USD") == 10


def test_a_reservation_outlives_its_trade_until_a_balance_shows_what_it_did() -> None:
    """A balance that was asked for before the end does not show it, nor one asked for in the same moment."""
    funds = Funds()
    funds.reserve("t1", [("alpha", usd(60)), ("beta", usd(5))])
    funds.release("t1", 10)
    for asked_at in (9, 10):
        funds.read("alpha", asked_at)
        assert funds.held("alpha", "USD") == 60
    funds.read("alpha", 11)
    assert funds.held("alpha", "USD") == 0
    assert funds.held("beta", "USD") == 5  # its balance was not read
    funds.read("beta", 11)
    assert funds.held("beta", "USD") == 0


def test_releases_and_readings_may_come_again_and_for_nobody() -> None:
    """A finished trade that is looked at again is released again."""
    funds = Funds()
    funds.release("t1", 1)
    funds.read("alpha", 2)
    funds.reserve("t1", [("alpha", usd(60))])
    funds.release("t1", 3)
    funds.release("t1", 4)
    funds.read("alpha", 4)
    assert funds.held("alpha", "USD") == 0
    funds.read("alpha", 9)
    assert funds.held("alpha", "USD") == 0


def test_a_trade_that_is_begun_anew_keeps_what_it_holds_now() -> None:
    """Its opening failed and its decision came again: the old release frees only what was held then."""
    funds = Funds()
    funds.reserve("t1", [("alpha", usd(60))])
    funds.release("t1", 3)
    funds.reserve("t1", [("alpha", usd(60))])
    funds.read("alpha", 9)
    assert funds.held("alpha", "USD") == 60


STEPS = st.lists(
    st.tuples(st.sampled_from(["reserve", "release", "read"]), st.sampled_from(["a", "b", "c"]), st.integers(1, 9)),
    max_size=30,
)


@given(steps=STEPS)
def test_what_is_held_is_the_sum_over_trades(steps: Sequence[tuple[str, str, int]]) -> None:
    """Kept as a running total, and equal to what a plain list of reservations gives."""
    funds = Funds()
    plain: dict[str, tuple[int, int | None]] = {}  # by trade: amount, ended at
    for now, (what, trade, amount) in enumerate(steps):
        if what == "reserve":
            funds.reserve(trade, [("alpha", usd(amount))])
            plain[trade] = amount, None
        elif what == "release":
            funds.release(trade, now)
            if trade in plain and plain[trade][1] is None:
                plain[trade] = plain[trade][0], now
        else:
            funds.read("alpha", now)
            plain = {name: hold for name, hold in plain.items() if hold[1] is None or hold[1] >= now}
        assert funds.held("alpha", "USD") == sum(held for held, _ in plain.values())
