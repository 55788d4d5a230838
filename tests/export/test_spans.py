"""What of a trade stands in its spans."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from kept_journals import halted, matched, mended
from worlds import Walk, leaving

from fsm_arb.export import spans
from fsm_arb.memory import Memory

D = Decimal


def test_ids_are_drawn_from_names_alone() -> None:
    """The same for the same, others for others, never zero, and no wider than OpenTelemetry takes."""
    assert spans.trace_id("a") == spans.trace_id("a")
    found = {spans.span_id(*names) for names in [("a", "x"), ("a", "y"), ("b", "x"), ("a", "x", 1), ("ax", "")]}
    assert len(found) == 5
    assert all(0 < each < 1 << 64 for each in found)
    assert 0 < spans.trace_id("") < 1 << 128
    assert max(spans.trace_id(str(n)) for n in range(9)) > 1 << 64


def told(walk: Walk, which: str) -> dict[str, Any]:
    return {name.removeprefix("fsm_arb."): value for name, value in getattr(spans, which)(walk.trade).items()}


def test_a_trade_says_what_it_is_to_do() -> None:
    """From its first record on; an exit names its position."""
    assert told(Walk(), "beginning") == {
        "trade_id": "t1",
        "action": "entry_positive",
        "base": "BTC",
        "exchanges": ["alpha", "beta"],
        "symbols": ["BTC/USD", "BTC/USDT"],
        "sides": ["sell", "buy"],
        "placement": "simultaneous",
    }
    assert told(Walk(leaving(), quantity=D(10), sides=Walk().trade.begun.sides), "beginning")["position_id"] == "P-d1"


def test_a_trade_says_what_it_has_come_to() -> None:
    """Numbers that are not whole as text; a PnL that is unknown is left out."""
    assert told(mended(), "ending") == {
        "status": "success",
        "state": "DONE",
        "exposure": "0",
        "orders": 3,
        "ever_halted": False,
        "quantity": "10",
        "pnl": "1.8",
        "pnl_currency": "USD",
    }
    assert "pnl" not in told(matched(), "ending")
    assert told(halted(), "ending")["ever_halted"] is True
    assert "quantity" not in told(Walk(begin=False).abort(), "ending")


def test_an_order_says_what_it_is_and_what_it_has_come_to() -> None:
    """Ids of both sides in clear."""
    trade = matched().trade
    begun = spans.order_beginning(trade, trade.orders[1])
    assert {begun["fsm_arb." + name] for name in ("exchange", "side", "purpose", "amount", "client_order_id")} == {
        "beta",
        "buy",
        "first",
        "10",
        "c1",
    }
    assert spans.order_ending(trade.orders[1]) == {
        "fsm_arb.filled": "10",
        "fsm_arb.lifecycle": "closed",
        "fsm_arb.venue_order_id": "v1",
        "fsm_arb.average": "100.7",
    }
    assert spans.order_ending(halted().trade.orders[1]) == {"fsm_arb.filled": "0", "fsm_arb.lifecycle": "dead"}


def test_a_remedy_mends_the_earlier_orders_of_its_leg() -> None:
    """A first order mends none."""
    trade = mended().trade
    assert [spans.mended_by(trade, order) for order in trade.orders] == [[], [], [1]]


def events(walk: Walk) -> tuple[list[str], list[tuple[str, int, dict[str, Any]]]]:
    """Return the events of a trade's own span, and those of its orders."""
    first, *rest = walk.entries
    trade = Memory.fold("t1", [first], lambda: "")
    own, orders = [], []
    for entry in rest:
        before = trade.orders
        trade.remember(entry)
        if spans.trade_event(trade, entry) is not None:
            own.append(entry.trigger)
        for number, said in spans.order_events(before, entry):
            orders.append((entry.trigger, number, {name.removeprefix("fsm_arb."): said[name] for name in said}))
    return own, orders


def test_moves_and_what_operators_did_are_events_of_the_trade() -> None:
    """What was only seen is none."""
    own, _ = events(mended())
    assert own[:3] == ["checks_passed", "sized", "placed"]
    assert {"settled", "booked", "busted", "disturbed", "external_fill"} <= set(own)
    assert not {"surveyed", "checked", "planned", "intended", "place_ended", "observed"} & set(own)
    assert "wall" in events(halted())[0]
    assert "resume_asked" in events(halted().resume())[0]


def test_replies_cancels_and_looks_that_told_something_are_events_of_an_order() -> None:
    """A look that told nothing new is none."""
    walk = Walk().fills(0).ack(1, 2, venue_order_id="v").see(1, 2).see(1, 3).later(9).answer_cancel(1).later(20).miss(1)
    _, orders = events(walk.see(1, 3, ended=True))
    assert orders[1:] == [
        ("place_ended", 1, {"outcome": "acknowledged", "filled": "2"}),
        ("observed", 1, {"status": "open", "filled": "3"}),
        ("cancel_asked", 1, {}),
        ("cancel_ended", 1, {"accepted": True, "code": ""}),
        ("missed", 1, {"covered": True}),
        ("observed", 1, {"status": "ended", "filled": "3"}),
    ]


@pytest.mark.parametrize(("what", "outcome"), [("refuse", "refused"), ("doubt", "in_doubt")])
def test_a_reply_is_told_by_its_code_and_never_by_its_words(what: str, outcome: str) -> None:
    """A venue's words may hold anything."""
    _, orders = events(getattr(Walk(), what)(0))
    ((trigger, number, said),) = orders
    assert (trigger, number, said["outcome"]) == ("place_ended", 0, outcome)
    assert set(said) == {"outcome", "code"}
