"""Every trade of a journal replayed, in one process or in several."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve
from histories import bad_nights, calm, doubtful, journal_of, unwound, wall_clock

from fsm_arb.audit.hypothetical import Supposed, suppose
from fsm_arb.audit.replay import Replayed, replay
from fsm_arb.audit.rerunning import Unreadable, rerun, trades_of, unjudged
from fsm_arb.errors import JournalError
from fsm_arb.policy import Remedy

D = Decimal


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    walks = (calm(), unwound(), doubtful())
    trades = {walk.trade.trade_id: wall_clock(walk.entries) for walk in walks}
    return journal_of(tmp_path_factory.mktemp("rerun") / "trades.db", trades | bad_nights())


def test_the_trades_are_those_of_the_journal(journal: Path) -> None:
    """Oldest first."""
    assert trades_of(journal) == ["calm", "unwound", "doubtful", *bad_nights()]


def test_a_journal_that_was_written_and_read_is_decided_again(journal: Path) -> None:
    """Bad nights through SQLite and back: zero differences."""
    found = list(rerun(journal, trades_of(journal)))
    assert all(isinstance(each, Replayed) and each.differences == () for each in found)
    assert found[3:] == [replay(name, entries) for name, entries in bad_nights().items()]


def test_a_demonstration_is_decided_again(ended: Path) -> None:
    """Real adapters, many faults, crashes of the exchange: zero differences, and every trade is there."""
    found = list(rerun(ended / "trades.db", trades_of(ended / "trades.db")))
    assert len(found) == 8
    assert [each.differences for each in found if isinstance(each, Replayed)] == [()] * 8
    assert {each.state for each in found if isinstance(each, Replayed)} == {"DONE"}


def test_several_processes_find_what_one_finds(journal: Path) -> None:
    """In the same order."""
    trades = trades_of(journal)[:40]
    assert list(rerun(journal, trades, jobs=2)) == list(rerun(journal, trades))


def test_other_numbers_are_supposed_for_every_trade(journal: Path) -> None:
    """Each trade's own policy, with these numbers in place of its own."""
    changes = {"remedy": Remedy.COMPLETE}
    found = list(rerun(journal, ["calm", "unwound"], changes=changes))
    assert found == [
        suppose("calm", wall_clock(calm().entries), changes),
        suppose("unwound", wall_clock(unwound().entries), changes),
    ]
    assert all(isinstance(each, Supposed) for each in found)


def test_numbers_that_cannot_be_judged_are_gathered(journal: Path) -> None:
    """Over all trades, each once."""
    assert unjudged(journal, ["calm", "unwound"], {"poll_interval_s": D(9), "remedy": Remedy.UNWIND}) == (
        "poll_interval_s",
    )


def test_a_trade_that_contradicts_the_table_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    """One bad stream does not hide the rest."""
    bad = wall_clock(unwound().entries)[1:]
    path = journal_of(tmp_path / "trades.db", {"bad": bad, "calm": wall_clock(calm().entries)})
    first, second = rerun(path, trades_of(path))
    assert isinstance(first, Unreadable)
    assert (first.trade_id, first.why) == ("bad", "bad: its first record is not that it was begun")
    assert isinstance(second, Replayed)


def test_a_record_that_was_altered_on_disk_is_named(tmp_path: Path) -> None:
    """A replay of what somebody has changed would prove nothing."""
    path = journal_of(tmp_path / "trades.db", {"calm": wall_clock(calm().entries)})
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER IF EXISTS records_are_kept")
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE records SET payload = replace(payload, 'calm', 'clam') WHERE seq = 1")
        connection.execute("UPDATE records SET payload = payload || ' ' WHERE seq = 3")
    connection.close()
    (found,) = rerun(path, trades_of(path))
    assert isinstance(found, Unreadable)
    assert "record 3" in found.why or "record 1" in found.why


def test_what_is_no_journal_is_an_error(tmp_path: Path) -> None:
    """Before anything is replayed."""
    with pytest.raises(JournalError):
        trades_of(tmp_path / "none.db")
    assert evolve(Unreadable(trade_id="a", why="b"), why="c").why == "c"
