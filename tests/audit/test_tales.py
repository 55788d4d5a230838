"""A trade read from its records, without the journal's lock."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsm_arb.audit.tales import tell, tell_all
from fsm_arb.journal.reader import JournalReader
from fsm_arb.machines.trade import TRADE_TABLE


def test_every_trade_is_told_in_order(ended: Path) -> None:
    """Positions share the journal and are no trades."""
    with JournalReader(ended / "trades.db") as reader:
        assert sorted(tale.trade.trade_id for tale in tell_all(reader)) == [f"demo-3-{n:04d}" for n in range(8)]


def test_a_path_follows_the_table(ended: Path) -> None:
    """Each step of it is a row, and it begins where trades begin."""
    with JournalReader(ended / "trades.db") as reader:
        for tale in tell_all(reader):
            assert tale.path[0] == TRADE_TABLE.initial
            assert tale.path[-1] == tale.trade.state == "DONE"
            for before, after in zip(tale.path, tale.path[1:], strict=False):
                assert any(row.dest == after for row in TRADE_TABLE.rows_from(before))


def test_the_exposure_after_each_record_is_told(ended: Path) -> None:
    """A naked leg is seen at the record that made it, not only at the end."""
    with JournalReader(ended / "trades.db") as reader:
        told = [tale for tale in tell_all(reader) if tale.trade.orders]
    assert all(tale.lines[-1].exposure == tale.trade.exposure for tale in told)
    assert any(abs(line.exposure) >= tale.result.dust > 0 for tale in told for line in tale.lines)


def test_an_unknown_trade_is_none(ended: Path) -> None:
    """It is no error to ask."""
    with JournalReader(ended / "trades.db") as reader:
        assert tell(reader, "nobody") is None


def test_a_trade_that_is_told_sends_nothing(ended: Path) -> None:
    """Whatever would ask it for a fresh order id is a mistake."""
    with JournalReader(ended / "trades.db") as reader:
        tale = tell(reader, "demo-3-0000")
    assert tale is not None
    with pytest.raises(AssertionError, match="only read"):
        tale.trade.fresh_id()
