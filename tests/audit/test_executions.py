"""What a journal says was executed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from attrs import evolve
from exports import exported
from forging import forged, round_trip, seq_of
from papers import book, entry, records_of

from fsm_arb.audit.executions import executed
from fsm_arb.codec import dumps
from fsm_arb.messages import ExternalFill
from fsm_arb.values import OrderBook, Side

D = Decimal
NS_PER_MS = 1_000_000


def test_every_order_is_told_with_what_it_came_to(tmp_path: Path) -> None:
    """Both legs of an entry and of its exit, oldest first."""
    orders = list(executed(forged(tmp_path / "trades.db")))
    assert [(each.exchange, each.symbol, each.side, each.trade_id, each.filled, each.average) for each in orders] == [
        ("alpha", "BTC/USDT", "sell", "d1", 1, 100),
        ("beta", "BTC/USDT:USDT", "buy", "d1", 1, 101),
        ("alpha", "BTC/USDT", "buy", "d2", 1, 101),
        ("beta", "BTC/USDT:USDT", "sell", "d2", 1, 100),
    ]
    first = orders[0]
    assert first.client_order_id.startswith("f0001")
    assert first.began_ms == round_trip()[seq_of("intended") - 1].at_ns // NS_PER_MS
    assert first.ended_ms == round_trip()[seq_of("place_ended") - 1].at_ns // NS_PER_MS
    assert (first.live, len(first.ids), first.fees) == (False, 1, (("USDT", D("0.1")),))


def test_an_order_that_never_filled_has_no_price(tmp_path: Path) -> None:
    """And one that was traded back is told with the remedy."""
    records = records_of((book(), OrderBook(bids=(), asks=())), entry(), policy={"remedy": "unwind"})
    orders = list(executed(forged(tmp_path / "trades.db", records=records, live=["trade/d1"])))
    assert sorted((each.exchange, each.side, each.filled, each.average) for each in orders[:1]) == [
        ("alpha", "sell", 1, 100)
    ]
    assert [(each.filled, each.average, each.ids) for each in orders if each.exchange == "beta"] == [(0, None, ())]
    assert [each.side for each in orders if each.exchange == "alpha"] == ["sell", "buy"]


def test_what_an_operator_traded_is_told_without_an_id(tmp_path: Path) -> None:
    """It is no order of ours."""
    records = list(round_trip()[:9])
    fill = ExternalFill(now=1, leg=0, side=Side.BUY, amount=D("0.25"), price=D(99), reason="by hand")
    last = records[-1]
    records.append(
        evolve(last, seq=10, stream_seq=10, trigger="external_fill", state_before=last.state_after, payload=dumps(fill))
    )
    *_, by_hand = executed(forged(tmp_path / "trades.db", records=records, live=["trade/d1"]))
    assert (by_hand.client_order_id, by_hand.order_id, by_hand.side, by_hand.filled) == ("", "", "buy", D("0.25"))


def test_a_journal_of_real_trades_has_what_its_exchange_has(ended: Path) -> None:
    """Every order with its client order id, and all that it filled."""
    there: dict[str, Decimal] = {}
    for line in exported(ended):
        name = line["client_order_id"]
        there[name] = there.get(name, D(0)) + D(line["amount"])
    here = {each.client_order_id: each.filled for each in executed(ended / "trades.db", jobs=2) if each.filled}
    assert here == there
