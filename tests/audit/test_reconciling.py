"""A journal's executions held against an exchange's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from fsm_arb.audit.executions import Executed, Ours
from fsm_arb.audit.reconciling import DIFFERENCES_MAX, Comparison, Span, compare

D = Decimal
ID = "f0001aaaaaaaaaaaaa"
OURS = Ours(
    exchange="binance",
    symbol="BTC/USDT",
    trade_id="d1",
    client_order_id=ID,
    order_id="o1",
    side="buy",
    amount=D(2),
    filled=D(2),
    average=D("100.5"),
    fees=(("USDT", D("0.2")),),
    ids=("t1", "t2"),
    began_ms=1_000,
    ended_ms=2_000,
)
FIRST = Executed(
    exchange="binance",
    symbol="BTC/USDT",
    trade_id="t1",
    order_id="o1",
    side="buy",
    amount=D(1),
    price=D(100),
    fee=D("0.1"),
    fee_currency="USDT",
    at_ms=1_500,
    where="line 2",
)
SECOND = evolve(FIRST, trade_id="t2", price=D(101), where="line 3")
# What else the file holds, so that it covers all that happened.
EARLY = evolve(FIRST, trade_id="t0", order_id="o0", client_order_id="x-somebody", at_ms=0, where="line 9")
LATE = evolve(EARLY, trade_id="t9", at_ms=9_000, where="line 10")


def compared(*theirs: Executed, ours: tuple[Ours, ...] = (OURS,), **options: Any) -> Comparison:
    return compare(ours, [EARLY, *theirs, LATE], **options)


def said(found: Comparison) -> list[tuple[str, str]]:
    return [(each.missing, each.what) for each in found.differences]


def test_what_agrees_is_counted() -> None:
    """Orders, executions, and those of somebody else, told by their client order ids."""
    found = compared(FIRST, SECOND)
    assert (found.ok, found.orders, found.executions, found.others, found.outside) == (True, 1, 4, 2, 0)


def test_an_order_is_found_by_our_id_too() -> None:
    """Where the journal has never learnt the exchange's."""
    ours = evolve(OURS, order_id="")
    assert not compared(FIRST, SECOND, ours=(ours,)).ok
    assert compared(evolve(FIRST, client_order_id=ID), evolve(SECOND, client_order_id=ID), ours=(ours,)).ok


def test_an_execution_that_the_journal_lacks_is_named() -> None:
    """With its order and the executions that only the exchange has."""
    ours = evolve(OURS, filled=D(1), ids=("t1",))
    assert said(compared(FIRST, SECOND, ours=(ours,))) == [
        (
            "journal",
            f"binance BTC/USDT: order o1 ({ID}) of trade d1 filled 2 there, the journal has 1; only there: t2",
        )
    ]
    live = evolve(ours, live=True)
    assert "so far; it may still execute" in said(compared(FIRST, SECOND, ours=(live,)))[0][1]


def test_an_execution_that_the_exchange_lacks_is_named() -> None:
    """Where it covers the whole life of the order."""
    assert said(compared(FIRST)) == [
        (
            "exchange",
            f"binance BTC/USDT: order o1 ({ID}) of trade d1 filled 2 in the journal, 1 there; only in the journal: t2",
        )
    ]
    assert said(compared())[0] == (
        "exchange",
        f"binance BTC/USDT: order o1 ({ID}) of trade d1 filled 2 in the journal, 0 there; only in the journal: t1, t2",
    )


@pytest.mark.parametrize(
    "ours",
    [
        evolve(OURS, exchange="upbit"),
        evolve(OURS, symbol="ETH/USDT"),
        evolve(OURS, began_ms=-1),
        evolve(OURS, ended_ms=9_001),
    ],
    ids=["exchange", "symbol", "earlier", "later"],
)
def test_what_the_list_does_not_cover_is_not_missing(ours: Ours) -> None:
    """Another venue, another market, before the first execution or after the last: it is only counted."""
    found = compared(ours=(ours,))
    assert (found.ok, found.outside, found.orders) == (True, 1, 0)


def test_who_knows_what_a_list_covers_may_say_so() -> None:
    """Then an empty list says that nothing was executed."""
    spans = {("binance", "BTC/USDT"): Span(0, 5_000)}
    assert [each.missing for each in compare([OURS], [], spans).differences] == ["exchange"]
    assert compare([OURS], [], {("binance", "BTC/USDT"): Span(1_001, 5_000)}).outside == 1
    assert compare([evolve(OURS, filled=D(0), average=None, ids=())], [], spans).ok


def test_an_order_that_the_journal_does_not_know_is_named() -> None:
    """On its markets and in its time; whatever has the form of our ids, or none at all, may be ours."""
    stranger = evolve(FIRST, trade_id="t7", order_id="o7", where="line 7")
    found = compared(FIRST, SECOND, stranger)
    ((missing, what),) = said(found)
    assert missing == "journal"
    assert what.startswith("binance BTC/USDT: order o7 filled 1 (buy, 1970-01-01T00:00:01.500000Z, 1 executions, ")
    assert what.endswith("the first t7 in line 7), the journal knows of no such order")
    assert not compared(FIRST, SECOND, evolve(stranger, client_order_id="f0001zzzzzzzzzzzzz")).ok
    assert compared(FIRST, SECOND, evolve(stranger, client_order_id="web_1")).ok
    assert compared(FIRST, SECOND, evolve(stranger, at_ms=5_000)).ok
    assert compared(FIRST, SECOND, evolve(stranger, symbol="ETH/USDT")).ok


def test_an_operators_own_trade_is_known() -> None:
    """By market, side and amount: it has no id of ours."""
    by_hand = evolve(OURS, client_order_id="", order_id="", filled=D(1), ids=(), fees=None)
    stranger = evolve(FIRST, trade_id="t7", order_id="o7")
    assert compared(FIRST, SECOND, stranger, ours=(OURS, by_hand)).ok
    assert not compared(FIRST, SECOND, evolve(stranger, side="sell"), ours=(OURS, by_hand)).ok


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"average": D(100)}, "filled at 100.5 there, at 100 in the journal"),
        ({"fees": (("USDT", D("0.3")),)}, "was charged 0.2 USDT there, 0.3 in the journal"),
        ({"fees": (("BTC", D("0.3")),)}, "was charged 0 BTC there, 0.3 in the journal"),
        ({"ids": ("t1", "t3")}, "has other executions there: t2 for t3"),
        ({"side": "sell"}, "is a buy of BTC/USDT there (line 2)"),
    ],
)
def test_what_differs_is_named(changes: dict[str, Any], what: str) -> None:
    """Price, fees, single executions, side."""
    found = compared(FIRST, SECOND, ours=(evolve(OURS, **changes),))
    assert found.differences[0].missing == ""
    assert found.differences[0].what.endswith(what)


@pytest.mark.parametrize(
    "changes",
    [
        {"average": None},
        {"average": D("100.50000001")},
        {"fees": None},
        {"fees": (("USDT", D("0.20000001")),)},
        {"ids": ("made:1", "made:2")},
        {"ids": ()},
    ],
)
def test_what_was_never_told_or_is_rounded_does_not_differ(changes: dict[str, Any]) -> None:
    """An exchange's export rounds, and where it has told no ids ours are made up."""
    assert compared(FIRST, SECOND, ours=(evolve(OURS, **changes),)).ok


def test_what_is_listed_twice_counts_once() -> None:
    """Exports overlap; two lines of one execution that differ are named."""
    assert compared(FIRST, SECOND, evolve(SECOND, where="other.csv, line 2")).ok
    found = compared(FIRST, SECOND, evolve(SECOND, amount=D(3), where="line 4"))
    assert found.differences[0].what == (
        "binance BTC/USDT: execution t2 of order o1 is listed in several ways: line 3 and line 4"
    )


def test_orders_of_two_markets_may_have_one_number() -> None:
    """Some exchanges count by market."""
    other = evolve(OURS, symbol="ETH/USDT", client_order_id="f0001bbbbbbbbbbbbb", trade_id="d2")
    there = [evolve(each, symbol="ETH/USDT") for each in (FIRST, SECOND)]
    assert compared(FIRST, SECOND, *there, ours=(OURS, other)).ok


def test_differences_are_bounded() -> None:
    """The rest is counted."""
    many = tuple(evolve(OURS, client_order_id=f"f{n:017d}", order_id=f"n{n}") for n in range(DIFFERENCES_MAX + 7))
    found = compared(ours=many)
    assert (len(found.differences), found.more) == (DIFFERENCES_MAX, 7)
