"""The assertion for any bot's test: it says how much of what is naked, where, by which orders, and what is live."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from honest import seen, true_order
from worlds import Walk

from fsm_arb.errors import InvalidInput
from fsm_arb.testing.glimpse import VenueFill, VenueOrder
from fsm_arb.testing.naked import assert_no_naked_leg
from fsm_arb.testing.simulated import SimulatedVenues
from fsm_arb.values import Side
from fsm_arb.virtual import VirtualClock, run

D = Decimal


def order(venue: str, side: Side, filled: Any, amount: Any = 0, **changes: Any) -> VenueOrder:
    """Return an order, over unless an amount leaves something of it."""
    given: dict[str, Any] = {
        "venue": venue,
        "client_order_id": f"{venue}-{side.value}",
        "symbol": "BTC/USDT",
        "side": side,
        "amount": D(amount) or D(filled),
        "live": bool(amount),
        "fills": (VenueFill(fill_id="1", amount=D(filled), price=D(100)),) if D(filled) else (),
    }
    return VenueOrder(**(given | changes))


class Books:
    """Two venues that moved by their orders, and by what is said besides."""

    def __init__(self, *orders: VenueOrder, **besides: dict[str, Decimal]) -> None:
        self.orders = {each.client_order_id: each for each in orders}
        self.besides = besides

    def venue_orders(self) -> dict[str, VenueOrder]:
        return self.orders

    def moved(self) -> dict[str, dict[str, Decimal]]:
        moved: dict[str, dict[str, Decimal]] = {venue: dict(row) for venue, row in self.besides.items()}
        for each in self.orders.values():
            pair, _, derivative = each.symbol.partition(":")
            base, quote = pair.split("/")
            row = moved.setdefault(each.venue, {})
            for fill in each.fills:
                signed = fill.amount * each.side.sign
                for asset, change in ((base, signed), (quote, -signed * fill.price), (fill.fee_currency, -fill.fee)):
                    if asset and not (derivative and asset == base):
                        row[asset] = row.get(asset, D(0)) + change
        return moved


def message(*args: Any, **kwargs: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        assert_no_naked_leg(*args, **kwargs)
    return str(caught.value)


def test_matched_legs_are_accepted_and_what_is_left_is_told() -> None:
    """Within dust; what is left is no more than that."""
    books = Books(order("upbit", Side.SELL, 1), order("binance", Side.BUY, "0.9995"))
    assert assert_no_naked_leg(books, dust="0.001") == {"BTC": D("-0.0005")}
    assert assert_no_naked_leg(Books(), dust=0) == {}


def test_a_naked_leg_is_told_in_full_words() -> None:
    """How much, of what, which way, where, by which orders, and what is still live."""
    books = Books(order("upbit", Side.SELL, "0.4", 1), order("binance", Side.BUY, 1))
    assert message(books, dust="0.001") == (
        "0.6 BTC is naked, long, in excess on binance (dust is below 0.001 BTC):\n"
        "  binance: received 1 BTC in sum\n"
        "    order binance-buy: buy BTC/USDT, 1 executed, over\n"
        "  upbit: gave away 0.4 BTC in sum\n"
        "    order upbit-sell: sell BTC/USDT, 0.4 executed; still live, it may sell 0.6 BTC more\n"
        "  still live: upbit-sell on upbit"
    )
    short = Books(order("upbit", Side.SELL, 1), order("binance", Side.BUY, "0.4"))
    assert "0.6 BTC is naked, short, in excess on upbit" in message(short, dust="0.001")
    assert "nothing is live any more" in message(short, dust="0.001")


def test_dust_is_the_first_amount_that_counts() -> None:
    """Just below is nothing; one for all, or by asset; without any, everything counts."""
    books = Books(order("upbit", Side.SELL, 1), order("binance", Side.BUY, "1.001"))
    assert assert_no_naked_leg(books, dust=0.0011) == {"BTC": D("0.001")}
    assert "0.001 BTC is naked" in message(books, dust="0.001")
    assert assert_no_naked_leg(books, dust={"BTC": "0.01"}) == {"BTC": D("0.001")}
    assert "naked" in message(books, dust={"ETH": "0.01"})
    with pytest.raises(InvalidInput, match="dust"):
        assert_no_naked_leg(books)


def test_a_base_fee_makes_a_leg_shorter() -> None:
    """What was executed is not what was received."""
    kept = VenueFill(fill_id="1", amount=D(1), price=D(100), fee=D("0.01"), fee_currency="BTC")
    books = Books(order("upbit", Side.SELL, 1), order("binance", Side.BUY, 1, fills=(kept,)))
    told = message(books, dust="0.001")
    assert "0.01 BTC is naked, short" in told
    assert "order binance-buy: buy BTC/USDT, 1 executed, 0.01 of it kept as a fee, over" in told


def test_what_may_become_naked_is_told_unless_it_may_live() -> None:
    """Two orders rest: whichever fills alone is a naked leg."""
    books = Books(order("upbit", Side.SELL, 0, 1), order("binance", Side.BUY, 0, 2))
    told = message(books, dust="0.001")
    assert "0 BTC is naked now, and 2 BTC, long, may become so by orders that are still live" in told
    assert "nothing bought or sold of BTC in sum" in told
    assert assert_no_naked_leg(books, dust="0.001", allow_live=True) == {"BTC": D(0)}


def test_assets_are_judged_one_by_one() -> None:
    """A long of one is no hedge for a short of another; symbols say which markets count."""
    books = Books(
        order("upbit", Side.SELL, 1),
        order("binance", Side.BUY, 1, symbol="ETH/USDT"),
        order("okx", Side.BUY, 1, symbol="BTC/USDT:USDT"),
    )
    assert "1 ETH is naked, long" in message(books, dust="0.001")
    assert assert_no_naked_leg(books, dust="0.001", symbols=["BTC/USDT", "BTC/USDT:USDT"]) == {"BTC": D(0)}
    assert "1 BTC is naked, short" in message(books, dust="0.001", symbols=["BTC/USDT"])


def test_base_that_moved_by_no_known_order_counts() -> None:
    """A venue's balances tell of what no order of the list explains."""
    books = Books(order("upbit", Side.SELL, 1), order("binance", Side.BUY, 1), upbit={"BTC": D("0.5"), "BNB": D(-1)})
    told = message(books, dust="0.001")
    assert "0.5 BTC is naked, long" in told
    assert "by no order that is known: +0.5 BTC" in told
    # A fee in another asset, and a derivative, move no base.
    fee = VenueFill(fill_id="1", amount=D(1), price=D(100), fee=D("0.01"), fee_currency="BNB")
    quiet = Books(order("upbit", Side.SELL, 1), order("binance", Side.BUY, 1, symbol="BTC/USDT:USDT", fills=(fee,)))
    assert assert_no_naked_leg(quiet, dust="0.001") == {"BTC": D(0)}


def test_a_glimpse_knows_its_own_dust() -> None:
    """As much as its trades together may leave; its operators' trades are told or moved."""
    walk = Walk().fills(0).fills(1)
    right = seen(walk, true_order(walk, 0, 10), true_order(walk, 1, "9.95"))
    assert assert_no_naked_leg(right) == {"BTC": D("-0.05")}
    wrong = seen(walk, true_order(walk, 0, 10), true_order(walk, 1, "9.9"))
    assert "0.1 BTC is naked, short, in excess on alpha" in message(wrong)
    assert "naked" in message(right, dust="0.01")
    mended = evolve(wrong, external={"beta": {"BTC": D("0.1"), "USDT": D(-10)}})
    assert assert_no_naked_leg(mended) == {"BTC": D(0)}
    moved = evolve(wrong, moved={"alpha": {"BTC": D(-10), "USD": D(1000)}, "beta": {"BTC": D(10), "USDT": D(-990)}})
    assert assert_no_naked_leg(moved) == {"BTC": D(0)}
    unsized = Walk(begin=False)
    assert assert_no_naked_leg(seen(unsized)) == {}


# ------------------------------------------------------------------ what ccxt returns

SOLD = {"id": "1", "order": "o1", "symbol": "BTC/KRW", "side": "sell", "amount": 0.3, "price": 95_000_000.0}
BOUGHT = {
    "id": "7",
    "order": "o2",
    "symbol": "BTC/USDT",
    "side": "buy",
    "amount": 0.3,
    "price": 68_000.0,
    "fee": {"cost": 0.0003, "currency": "BTC"},
}


def test_plain_trades_are_read() -> None:
    """Floats by their shortest text, fees in base taken off, a trade that two pages show counted once."""
    trades = {"upbit": [SOLD, SOLD], "binance": [BOUGHT]}
    assert assert_no_naked_leg(trades, dust="0.001") == {"BTC": D("-0.0003")}
    told = message({"upbit": [SOLD], "binance": []}, dust="0.001")
    assert "0.3 BTC is naked, short, in excess on upbit" in told
    assert "order o1: sell BTC/KRW, 0.3 executed, over" in told
    fees = [{"cost": "0.3", "currency": "BTC"}, {"cost": None, "currency": "BTC"}, {"cost": 1, "currency": "BNB"}]
    dear = {**BOUGHT, "fee": None, "fees": fees}
    assert "0.3 BTC is naked" in message({"upbit": [SOLD], "binance": [dear]}, dust="0.001")


def test_plain_orders_tell_what_is_live() -> None:
    """By the client's own id, and by how much of it has not executed."""
    resting = {"id": "o1", "clientOrderId": "mine", "symbol": "BTC/KRW", "side": "sell", "amount": 1, "status": "open"}
    told = message({"upbit": [SOLD], "binance": [BOUGHT]}, dust="0.001", orders={"upbit": [resting]})
    assert "order mine: sell BTC/KRW, 0.3 executed; still live, it may sell 0.7 BTC more" in told
    over = {**resting, "status": "canceled", "amount": None}
    assert_no_naked_leg({"upbit": [SOLD], "binance": [BOUGHT]}, dust="0.001", orders={"upbit": [over]})


def test_contracts_are_counted_in_base() -> None:
    """ccxt counts a derivative's trades in contracts."""
    trades = {
        "upbit": [SOLD],
        "okx": [{"id": None, "order": None, "symbol": "BTC/USDT:USDT", "side": "buy", "amount": "30", "price": None}],
    }
    assert assert_no_naked_leg(trades, dust="0.001", contract_sizes={"BTC/USDT:USDT": "0.01"}) == {"BTC": D(0)}
    assert "29.7 BTC is naked, long" in message(trades, dust="0.001")


@pytest.mark.parametrize("key", ["symbol", "side", "amount"])
def test_a_trade_that_says_too_little_is_no_proof(key: str) -> None:
    """It is named, not skipped."""
    with pytest.raises(ValueError, match=f"upbit: a row without '{key}' says nothing"):
        assert_no_naked_leg({"upbit": [{**SOLD, key: None}]}, dust="0.001")


# ------------------------------------------------------------------ simulated venues


def test_simulated_venues_are_asked_themselves() -> None:
    """A bot that sends one leg and forgets the other is found out, and so is one that trades by hand."""
    clock = VirtualClock()
    venues = SimulatedVenues(clock, seed=3)

    async def one_leg() -> None:
        await venues.exchange("upbit").create_market_order("BTC/KRW", "sell", "0.01")

    run(one_leg(), clock)
    told = message(venues, dust="0.0001")
    assert "0.01 BTC is naked, short, in excess on upbit" in told

    async def the_other() -> None:
        await venues.exchange("binance").create_market_order("BTC/USDT", "buy", "0.01")

    run(the_other(), clock)
    assert abs(assert_no_naked_leg(venues, dust="0.0001")["BTC"]) < D("0.0001")
    venues.trade_by_hand("binance", "BTC/USDT", Side.BUY, D("0.5"))
    told = message(venues, dust="0.001")
    assert "is naked, long, in excess on binance" in told
    assert "by no order that is known" in told


def test_two_orders_of_one_id_hide_nothing() -> None:
    """A bot may well use its one id on both venues."""
    clock = VirtualClock()
    venues = SimulatedVenues(clock, seed=3)

    async def both() -> None:
        await venues.exchange("upbit").create_market_order("BTC/KRW", "sell", "0.01", params={"identifier": "mine"})
        params = {"newClientOrderId": "mine"}
        await venues.exchange("binance").create_market_order("BTC/USDT", "buy", "0.01", params=params)

    run(both(), clock)
    assert {order.venue for order in venues.venue_orders().values()} == {"upbit", "binance"}
    assert abs(assert_no_naked_leg(venues, dust="0.0001")["BTC"]) < D("0.0001")
