"""Rows of each table."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from kept_journals import a_round, matched, records
from worlds import Walk

from fsm_arb.export.columns import ORDERS, POSITIONS, TABLES, TRADES, Table
from fsm_arb.export.moments import Window
from fsm_arb.export.tables import orders_of, positions_of, rows_of, trades_of
from fsm_arb.journal.reader import JournalReader
from fsm_arb.messages import PlaceEnded
from fsm_arb.ports import InDoubt, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

D = Decimal


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JournalReader]:
    with JournalReader(a_round(tmp_path_factory.mktemp("kept") / "trades.db")) as reader:
        yield reader


def cells(reader: JournalReader, table: Table, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows_of(reader, table)]


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_every_row_has_every_column_and_no_other(reader: JournalReader, table: Table) -> None:
    """In whatever state a trade or position is."""
    found = list(rows_of(reader, table))
    assert found
    assert all(set(row) == {column.name for column in table.columns} for row in found)


def test_a_trade_is_one_row(reader: JournalReader) -> None:
    """In the order of birth: what it came to, in one currency, and the way it went."""
    assert cells(reader, TRADES, "trade_id", "status", "state", "ever_halted", "orders", "net", "position_id") == [
        ("t1", "success", "DONE", False, 2, None, None),
        ("t2", "success", "DONE", False, 3, D("1.8"), None),
        ("t3", "halted", "HALTED", True, 2, 0, None),
        ("t4", "success", "DONE", False, 2, 0, "P-d1"),
    ]
    assert cells(reader, TRADES, "began_at", "ended_at", "exposure", "dust", "currency", "path")[2] == (
        0,
        None,
        -10,
        D("0.1"),
        "USD",
        "PRECHECK SIZING PLACING PARTIAL HALTED",
    )
    assert cells(reader, TRADES, "side_1", "exchange_1", "side_2", "symbol_2")[3] == (
        "buy",
        "alpha",
        "sell",
        "BTC/USDT",
    )


def test_an_order_is_one_row(reader: JournalReader) -> None:
    """With all that was known in the end."""
    assert cells(reader, ORDERS, "trade_id", "number", "purpose", "filled", "busted", "cost", "status")[2:5] == [
        ("t2", 0, "first", 10, 0, 1000, "closed"),
        ("t2", 1, "first", 0, 0, 0, "dead"),
        ("t2", 2, "complete", 8, 2, 800, "closed"),
    ]
    assert cells(reader, ORDERS, "average", "fees", "fees_told", "venue_order_id", "error")[:2] == [
        (D("100.6"), "1.0 USD", True, "v0", None),
        (D("100.7"), "0.01 BNB; 0.7 USDT", True, "v1", None),
    ]
    assert cells(reader, ORDERS, "average", "fees", "error")[3] == (None, None, "insufficient_funds: no")


def test_an_order_says_when_it_left_was_answered_and_ended() -> None:
    """By the clock of the call where it is known; what may still execute has not ended."""
    walk = Walk().later(1)
    doubt = InDoubt(code="timeout", message="", wire=Wire(sent_at_ns=7, received_at_ns=None))
    walk.tell(PlaceEnded(now=walk.ns, order=0, outcome=doubt))
    walk.later(1).ack(1, 2)
    names = "intended_at", "sent_at", "answered_at", "ended_at", "status", "in_doubt"
    told = [tuple(row[name] for name in names) for row in orders_of(records(walk))]
    assert told == [(0, 7, None, None, "pending", True), (0, None, None, None, "open", False)]
    walk.later(1).see(1, 10, ended=True).later(1)
    assert [row["ended_at"] for row in orders_of(records(walk))] == [None, 3 * 10**9]


def test_what_was_over_and_lives_again_has_not_ended() -> None:
    """An order that was believed absent is found."""
    walk = Walk().fills(0).doubt(1).vanish(1)
    assert [row["ended_at"] is None for row in orders_of(records(walk))] == [False, False]
    walk.later(1).see(1, 1)
    assert [row["ended_at"] is None for row in orders_of(records(walk))] == [False, True]


def test_a_position_is_one_row(reader: JournalReader) -> None:
    """As its last record has it."""
    names = "opened_at", "closed_at", "position_id", "state", "entry_trade_id", "exit_trade_ids", "quantity"
    assert cells(reader, POSITIONS, *names) == [(10, 30, "P-t1", "CLOSED", "t1", "t4", 0)]
    names = "side_1", "side_2", "entry_price_1", "entry_price_2", "realised_pnl", "currency"
    assert cells(reader, POSITIONS, *names) == [("sell", "buy", D("100.6"), D("100.7"), None, "USD")]


def test_a_position_that_was_reopened_is_not_closed(reader: JournalReader) -> None:
    """When it was closed is when it was closed last."""
    first, second, last = reader.read("position/P-t1")
    again = evolve(last, state_before="CLOSED", state_after="OPEN", at_ns=40)
    assert next(iter(positions_of([first, second, last, again])))["closed_at"] is None
    at_last = evolve(last, at_ns=50)
    assert next(iter(positions_of([first, second, last, again, at_last, last])))["closed_at"] == 50


def test_nothing_comes_of_no_records() -> None:
    """A stream that is unknown has no row."""
    assert [list(rows([])) for rows in (orders_of, trades_of, positions_of)] == [[], [], []]


def test_only_what_lies_in_the_window_is_told(reader: JournalReader) -> None:
    """By each table's own moment."""
    second = 10**9
    counts = {
        name: [sum(1 for _ in rows_of(reader, table, window)) for window in (Window(0, 1), Window(1, second))]
        for name, table in TABLES.items()
    }
    assert counts == {"fills": [6, 0], "orders": [8, 0], "trades": [4, 0], "positions": [0, 1]}
    assert sum(1 for _ in rows_of(reader, TABLES["fills"], Window(second))) == 7


def test_a_trade_in_the_middle_of_things_is_told_as_far_as_it_is(tmp_path: Path) -> None:
    """At every length of its records, all tables can be read."""
    walk = matched()
    whole = records(walk)
    for cut in range(1, len(whole) + 1):
        (told,) = trades_of(whole[:cut])
        assert told["state"] == whole[cut - 1].state_after
        assert len(list(orders_of(whole[:cut]))) == (2 if cut >= 6 else 0)
