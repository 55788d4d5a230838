"""What one trade came to, gathered record by record."""

from __future__ import annotations

from decimal import Decimal

import pytest
from kept_journals import records
from papers import book, entry, records_of
from worlds import Walk

from fsm_arb.audit.summary import Reading, entry_of, no_ids
from fsm_arb.errors import MachineError
from fsm_arb.scribe import TRADE
from fsm_arb.values import Fee, OrderBook, Side

D = Decimal
NONE = OrderBook(bids=(), asks=())


def test_a_reading_tells_at_each_record_what_is_known_then() -> None:
    """A leg that stood alone counts from its fill to the record that ended it, and not before."""
    records = records_of((book(), NONE), entry(), latency_ms=20, policy={"remedy": "unwind"})
    mine = [record for record in records if record.stream.startswith(TRADE)]
    reading, naked = Reading.begin(mine[0]), []
    for record in mine[1:]:
        reading.take(record)
        naked.append(reading.summary().naked_s)
    told = reading.summary()
    assert naked == sorted(naked)
    assert (naked[0], told.naked_s, told.worst_exposure) == (0, D("0.04"), 1)
    assert (told.status, told.state, told.ever_halted, told.path[-1]) == ("rolled_back", "DONE", False, "DONE")


def test_a_record_out_of_order_is_refused() -> None:
    """It leaves a state that the trade is not in."""
    mine = [record for record in records_of((book(), book()), entry()) if record.stream.startswith(TRADE)]
    reading = Reading.begin(mine[0])
    with pytest.raises(MachineError):
        reading.take(mine[-1])
    assert entry_of(mine[-1]).after == "DONE"


def test_who_only_reads_names_no_order() -> None:
    """A fresh id that was asked for here would be one that nobody sends."""
    with pytest.raises(AssertionError, match="only read"):
        no_ids()


def test_gross_less_fees_is_net_whatever_was_taken_back_or_traded_by_hand() -> None:
    """Of what a venue took back no fee is left; what an operator paid counts as any other."""
    walk = Walk(remedy="complete").fills(0).fills(1, fees=(Fee(D("0.5"), "USDT"),)).bust(1, 2)
    walk.by_hand(1, Side.BUY, 2, 99, Fee(D("0.25"), "USDT"))
    first, *rest = records(walk)
    reading = Reading.begin(first)
    for record in rest:
        reading.take(record)
    told = reading.summary()
    assert (told.fees, told.gross, told.net) == (D("0.65"), D(2), D("1.35"))
