"""What a journal tells of its trades."""

from __future__ import annotations

from decimal import Decimal

import pytest
from papers import BETA, book, context, desk, entry, leaving, records_of

from fsm_arb.audit.summary import Summary
from fsm_arb.backtest.trades import Traded, trades_of
from fsm_arb.journal.memory import MemoryDisk
from fsm_arb.ports import Record
from fsm_arb.values import OrderBook
from fsm_arb.virtual import EPOCH_NS, VirtualClock, run

D = Decimal
MS = 1_000_000
NONE = OrderBook(bids=(), asks=())


def test_an_entry_that_filled_at_once() -> None:
    """Fees taken off, prices as decided: no slippage, never naked for any time."""
    told = trades_of(records_of((book(), book()), entry()))
    assert (told.opened, told.closed) == (1, 0)
    (trade,) = told.trades
    fees = D("0.1") + D("0.0505")
    assert trade == Summary(
        trade_id="d1",
        action="entry_positive",
        status="success",
        path=("PRECHECK", "SIZING", "PLACING", "MONITORING", "HEDGED", "DONE"),
        began_ns=EPOCH_NS,
        ended_ns=EPOCH_NS,
        quantity=D(1),
        gross=D(-1),
        fees=fees,
        net=-1 - fees,
        orders=2,
        state="DONE",
        legs=entry().legs,
    )
    assert (trade.is_entry, trade.naked_s) == (True, 0)


def test_slippage_is_what_fills_were_worse_than_the_decision() -> None:
    """Of both legs; better is less than nothing."""
    worse = book(((99.9, 3),), ((100, 3),)), book(((100, 3),), ((101.1, 3),))
    better = book(((100.2, 3),), ((100.3, 3),)), book(((99.5, 3),), ((100.6, 3),))
    assert trades_of(records_of(worse, entry())).trades[0].slippage == D("0.2")
    assert trades_of(records_of(better, entry())).trades[0].slippage == D("-0.6")


def test_a_leg_that_stood_alone_is_told_with_how_long_and_how_far() -> None:
    """From its fill until the remedy's; the other leg never came."""
    records = records_of((book(), NONE), entry(), latency_ms=20, policy={"remedy": "unwind"})
    # Without any book beta is down; an empty one is a market that nobody is in.
    (trade,) = trades_of(records).trades
    assert trade.status == "rolled_back"
    assert trade.naked_s == D("0.04")  # one look at the book, one order
    assert {piece.exposure for piece in trade.naked} == {D(-1)}
    assert (trade.worst_exposure, trade.worst_worth, trade.orders) == (1, 100, 3)
    assert trade.net is not None
    assert trade.gross is not None
    assert trade.gross == trade.net + trade.fees == -1
    assert trade.slippage == 1  # bought back at 101 what was sold at the 100 that was decided on
    assert trade.quantity == 0


def test_a_leg_that_is_naked_still_has_been_to_the_end() -> None:
    """A halted trade is nobody's success, however long ago its last record was."""
    records = records_of((book(), NONE), entry(), policy={"attempts_max": 0})
    (halted,) = trades_of(records).trades
    assert (halted.status, halted.path[-1], halted.ended_ns) == ("halted", "HALTED", None)
    (told,) = trades_of(records, EPOCH_NS + 90_000 * MS).trades
    assert told.naked_s == 90
    assert [piece.exposure for piece in told.naked] == [-1]
    done = records_of((book(), book()), entry())
    assert trades_of(done, EPOCH_NS + 90_000 * MS) == trades_of(done)


def test_what_was_blocked_has_neither_money_nor_quantity() -> None:
    """It says why."""
    (trade,) = trades_of(records_of(entry())).trades
    assert (trade.status, trade.net, trade.gross, trade.orders, trade.quantity) == ("blocked", 0, 0, 0, 0)
    assert "no book of BTC/USDT was fed yet" in trade.note


def test_positions_are_counted() -> None:
    """Opened, and closed again."""
    clock, disk = VirtualClock(), MemoryDisk()

    async def play() -> None:
        async with desk(clock, disk=disk) as paper:
            paper.feed(context((book(), book())))
            entered = await paper.execute_decision(entry())
            paper.feed(context((book(((100, 2),)), book(((100, 2),)))))
            await paper.execute_decision(leaving(entered.position_id))

    run(play(), clock)
    told = trades_of(disk.records)
    assert (told.opened, told.closed, [trade.is_entry for trade in told.trades]) == (1, 1, [True, False])
    assert BETA.symbol == "BTC/USDT:USDT"


def test_a_trade_that_is_not_done_has_no_end() -> None:
    """As when a run was broken off; what stands so far is told."""
    records = records_of((book(), book()), entry())
    cut = [
        record for record in records if record.state_after not in {"HEDGED", "DONE"} and "opened" not in record.trigger
    ]
    (trade,) = trades_of(cut).trades
    assert (trade.ended_ns, trade.status, trade.path[-1]) == (None, "halted", "MONITORING")


@pytest.mark.parametrize("records", [[], [Record(
    seq=1, stream="risk/2024-01-01", stream_seq=1, epoch=1, at_ns=1, trigger="counted", state_before="",
    state_after="", payload="{}", previous_hash="", hash="",
)]])  # fmt: skip
def test_what_is_of_no_trade_is_passed_over(records: list[Record]) -> None:
    """The risk guard's history, or nothing at all."""
    assert trades_of(records) == Traded()
