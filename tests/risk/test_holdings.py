"""Holdings: sums that never drift."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from fsm_arb.risk.holdings import Holding, Holdings

D = Decimal


def holding(amount: int = 10, asset: str = "BTC", *, sells_first: bool = True) -> Holding:
    return Holding(asset=asset, venues=("upbit", "binance"), notional=D(amount), sells_first=sells_first)


def test_what_is_held_is_counted_by_asset_venue_and_in_all() -> None:
    """Once a trade, not once a leg; replaced, not added, under one name."""
    held = Holdings()
    held.put("a", holding(10))
    held.put("b", holding(5, "ETH", sells_first=False))
    held.put("a", holding(7))
    assert (held.of_asset("BTC"), held.of_asset("ETH"), held.of_asset("XRP")) == (7, 5, 0)
    assert (held.on_venue("upbit"), held.on_venue("kraken"), held.total, len(held)) == (12, 0, 12, 2)
    assert (held.facing(sells_first=True), held.facing(sells_first=False)) == (1, 1)


def test_two_legs_on_one_venue_count_once_there() -> None:
    """Spot against futures of one exchange."""
    held = Holdings()
    held.put("a", Holding(asset="BTC", venues=("b", "b"), notional=D(3), sells_first=True))
    assert held.on_venue("b") == 3


def test_letting_go_twice_is_letting_go_once() -> None:
    """And of what was never held, nothing."""
    held = Holdings()
    held.put("a", holding())
    held.drop("a")
    held.drop("a")
    assert (held.total, len(held), held.get("a"), held.facing(sells_first=True)) == (0, 0, None, 0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.none() | st.tuples(st.integers(0, 99), st.sampled_from(["BTC", "ETH"]), st.booleans()),
        )
    )
)
def test_sums_are_those_of_what_is_there(steps: list[tuple[str, tuple[int, str, bool] | None]]) -> None:
    """Whatever was put and dropped before."""
    held, plain = Holdings(), {}
    for name, what in steps:
        if what is None:
            held.drop(name)
            plain.pop(name, None)
        else:
            plain[name] = holding(what[0], what[1], sells_first=what[2])
            held.put(name, plain[name])
    assert held.total == sum(each.notional for each in plain.values())
    assert held.of_asset("ETH") == sum(each.notional for each in plain.values() if each.asset == "ETH")
    assert held.facing(sells_first=True) == sum(each.sells_first for each in plain.values())
