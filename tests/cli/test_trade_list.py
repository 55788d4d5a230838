"""The list of a journal's trades."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from histories import calm, doubtful, halted, journal_of, tale_of, unwound, wall_clock
from rich.console import Console

from fsm_arb.audit.story import story_of
from fsm_arb.cli.trade_list import list_trades, trade_table
from fsm_arb.journal.reader import JournalReader


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    walks = (calm(), halted(), unwound(), doubtful())
    return journal_of(
        tmp_path_factory.mktemp("list") / "trades.db", {w.trade.trade_id: wall_clock(w.entries) for w in walks}
    )


def listed(journal: Path, *, halted: bool = False, live: bool = False, last: int = 0) -> str:
    out = Console(file=io.StringIO(), width=160)
    with JournalReader(journal) as reader:
        list_trades(reader, out, halted=halted, live=live, last=last, as_json=False)
    said: str = out.file.getvalue()  # type: ignore[attr-defined]
    return said


def names(said: str) -> list[str]:
    return [line.split()[0] for line in said.splitlines()[1:]]


def test_a_row_tells_how_a_trade_stands() -> None:
    """When, what, how it ended or stands, what matched and what is naked."""
    out = Console(file=io.StringIO(), width=160)
    out.print(trade_table([story_of(tale_of(calm())), story_of(tale_of(halted()))]))
    first, second = (" ".join(line.split()) for line in out.file.getvalue().splitlines()[1:])  # type: ignore[attr-defined]
    assert first == "calm 2023-11-14 22:13:20 entry_positive BTC alpha / beta success 10 BTC 0 0.00 USD 2"
    assert second == "halted 2023-11-14 22:13:20 entry_positive BTC alpha / beta halted 0 BTC -10 0.00 USD 2"


def test_what_is_halted_or_live_can_be_picked(journal: Path) -> None:
    """Live is what a restart would take up again; HALTED is part of it."""
    assert names(listed(journal)) == ["calm", "halted", "unwound", "doubtful"]
    assert names(listed(journal, live=True)) == ["halted", "unwound", "doubtful"]
    assert names(listed(journal, halted=True)) == ["halted", "doubtful"]


def test_the_last_ones_are_listed_and_that_there_are_more_is_said(journal: Path) -> None:
    """The newest last; nothing is said where all are there."""
    said = listed(journal, last=2)
    assert names(said)[:2] == ["unwound", "doubtful"]
    assert said.splitlines()[-1] == "The last 2; --last 0 lists all."
    assert "--last" not in listed(journal, last=4)


def test_a_journal_without_trades_says_so(tmp_path: Path, journal: Path) -> None:
    """And so does one without trades of that kind."""
    empty = journal_of(tmp_path / "empty.db", {})
    assert listed(empty) == "No trades.\n"
    only = journal_of(tmp_path / "calm.db", {"calm": wall_clock(calm().entries)})
    assert listed(only, halted=True) == "No such trade.\n"


def test_a_trade_that_is_damaged_hides_no_other(tmp_path: Path) -> None:
    """It is named below the list, with what is wrong with it."""
    bad, good = wall_clock(unwound().entries)[1:], wall_clock(calm().entries)
    said = listed(journal_of(tmp_path / "bad.db", {"bad": bad, "calm": good})).splitlines()
    assert said[1].startswith("calm ")
    assert said[2] == "bad cannot be read: bad: its first record is not that it was begun"
    assert len(said) == 3


def test_the_list_is_there_for_machines(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each trade as the head of its story."""
    with JournalReader(journal) as reader:
        list_trades(reader, Console(), halted=False, live=False, last=1, as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert (said["schema"], said["unreadable"]) == ("fsm_arb.trades/1", [])
    assert [each["trade_id"] for each in said["trades"]] == ["doubtful"]
