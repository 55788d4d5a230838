"""The command `fsm-arb show`: one trade, found by how its id begins, told as far as it is asked for."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from histories import calm, doubtful, halted, journal_of, unwound, wall_clock

from fsm_arb.journal.sqlite import SqliteJournal

if TYPE_CHECKING:
    from click.testing import Result

Run = Callable[..., "Result"]


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    walks = (calm(), unwound(), halted(), doubtful())
    trades = {walk.trade.trade_id: wall_clock(walk.entries) for walk in walks}
    trades["unwound-again"] = trades["unwound"]
    return journal_of(tmp_path_factory.mktemp("show") / "trades.db", trades)


# ------------------------------------------------------------------ which trade


def test_a_trade_is_told_as_a_story(run: Run, ended: Path) -> None:
    """Head, decision, size, orders, what was weighed, exposure, records, outcome."""
    result = run("show", "demo-3-0003", "--journal", ended / "trades.db")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("demo-3-0003  entry_")
    titles = ("Decision", "Checks", "Size", "Orders", "What was weighed", "Exposure", "What happened", "Outcome")
    lines = [line.rstrip() for line in result.output.splitlines()]
    assert [line for line in lines if line in titles] == list(titles)
    assert "\x1b" not in result.output  # a file is no terminal


def test_the_beginning_of_an_id_is_enough(run: Run, journal: Path) -> None:
    """Where only one begins so; a whole id is itself, though others begin with it."""
    assert run("show", "hal", "--journal", journal).output.startswith("halted  ")
    assert run("show", "unwound", "--journal", journal).output.startswith("unwound  ")


def test_an_id_that_several_begin_with_names_them(run: Run, journal: Path) -> None:
    """A guess might be about another trade's money."""
    result = run("show", "unw", "--journal", journal)
    assert result.exit_code == 1
    assert "begin with unw: unwound, unwound-again" in result.output


def test_an_unknown_trade_is_said_with_what_is_near(run: Run, journal: Path) -> None:
    """A sentence, and a failure; nothing is named where nothing is near."""
    result = run("show", "haltet", "--journal", journal)
    assert result.exit_code == 1
    assert re.search(r"no trade haltet on .*trades.db; did you mean halted", result.output)
    assert run("show", "zzz", "--journal", journal).output.strip().endswith("trades.db")


def test_a_file_that_is_no_journal_is_said(run: Run, tmp_path: Path) -> None:
    """A sentence, not a traceback."""
    path = tmp_path / "other.db"
    path.write_bytes(b"some text that is long enough to be no SQLite header at all, whatever is made of it" * 20)
    result = run("show", "x", "--journal", path)
    assert result.exit_code == 1
    assert "is not a journal" in result.output
    assert isinstance(result.exception, SystemExit)


async def test_a_trade_is_shown_while_a_bot_holds_the_journal(run: Run, ended: Path, tmp_path: Path) -> None:
    """Reading takes no lock, so an operator can ask what is going on while it goes on."""
    shutil.copy(ended / "trades.db", tmp_path / "held.db")
    held = SqliteJournal(tmp_path / "held.db")
    await held.open()
    try:
        assert run("show", "demo-3-0001", "--journal", tmp_path / "held.db").exit_code == 0
    finally:
        await held.close()


def test_showing_writes_nothing(run: Run, ended: Path) -> None:
    """An audit leaves its object as it was."""
    before = (ended / "trades.db").read_bytes()
    run("show", "demo-3-0002", "--journal", ended / "trades.db")
    run("show", "--journal", ended / "trades.db")
    assert (ended / "trades.db").read_bytes() == before


# ------------------------------------------------------------------ how much of it


def test_a_moment_hides_all_that_came_later(run: Run, journal: Path) -> None:
    """At 0.7 s leg 1 was refused; that it was traded back at 1.5 s nobody knew."""
    then = run("show", "unwound", "--journal", journal, "--at", "+0.7s").output
    assert "STILL PARTIAL" in then
    assert "0.700s after it began: nothing later is told" in then
    assert "NAKED: exposure then -10 BTC; naked for 0.200s in all" in then
    assert not {"ROLLBACK", "ROLLED_BACK", "c2"} & set(re.findall(r"\w+", then))
    assert "ROLLBACK" in run("show", "unwound", "--journal", journal, "--at", "22:13:21.6").output
    assert "STILL PLACING" in run("show", "unwound", "--journal", journal, "--at", "2023-11-14T23:13:20+01:00").output


def test_a_moment_before_the_beginning_is_an_error(run: Run, journal: Path) -> None:
    """There was nothing to know."""
    result = run("show", "unwound", "--journal", journal, "--at", "2023-11-14T22:13:19Z")
    assert result.exit_code == 2
    assert "was begun later, at 2023-11-14 22:13:20 UTC" in result.output


def test_a_step_tells_its_record_in_full(run: Run, journal: Path) -> None:
    """And no later one."""
    entries = unwound().entries
    number = next(number for number, entry in enumerate(entries, 1) if entry.trigger == "surveyed")
    said = run("show", "unwound", "--journal", journal, "--step", number).output
    assert f"Record {number} (surveyed, number " in said
    assert "free on alpha: 1000 BTC, 1000000 USD" in said
    assert "ROLLBACK" not in said
    beyond = run("show", "unwound", "--journal", journal, "--step", len(entries) + 1)
    assert beyond.exit_code == 2
    assert f"has {len(entries)} records, and no record {len(entries) + 1}" in beyond.output


def test_a_moment_and_a_step_are_one_too_many(run: Run, journal: Path) -> None:
    """Which of the two was meant cannot be known."""
    result = run("show", "unwound", "--journal", journal, "--step", 1, "--at", "+1s")
    assert result.exit_code == 2
    assert "give one" in result.output


def test_a_trade_that_goes_on_is_told_as_of_now(run: Run, journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is naked has been so until this minute."""
    monkeypatch.setattr("fsm_arb.cli.show.time.time_ns", lambda: (1_700_000_000 + 7200) * 10**9)
    assert "naked for 1h59m59s in all" in run("show", "halted", "--journal", journal).output


def test_records_are_listed_one_by_one(run: Run, ended: Path) -> None:
    """Time, trigger, state, words, and how it ended."""
    result = run("show", "demo-3-0000", "--journal", ended / "trades.db", "--records")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].split()[-2:] == ["begun", "PRECHECK"]
    assert any("PRECHECK -> SIZING" in line for line in lines)
    assert any(line.startswith("Outcome ") for line in lines)
    short = run("show", "demo-3-0000", "--journal", ended / "trades.db", "--records", "--step", 3).output
    assert short.splitlines()[:6] == lines[:6]
    assert "Outcome still SIZING" in short


# ------------------------------------------------------------------ for machines, and the list


def test_json_is_all_that_is_printed(run: Run, journal: Path) -> None:
    """So that it can be piped; cut like the story."""
    said = json.loads(run("show", "unwound", "--journal", journal, "--json").output)
    assert said["head"]["status"] == "rolled_back"
    cut = json.loads(run("show", "unwound", "--journal", journal, "--json", "--step", 4).output)
    assert (len(cut["steps"]), cut["whole"]) == (4, False)
    assert cut["steps"] == said["steps"][:4]


def test_without_a_trade_they_are_listed(run: Run, journal: Path) -> None:
    """The newest last."""
    lines = run("show", "--journal", journal).output.splitlines()
    assert [line.split()[0] for line in lines] == ["trade", "calm", "unwound", "halted", "doubtful", "unwound-again"]
    listed = json.loads(run("show", "--journal", journal, "--json", "--halted").output)
    assert [each["trade_id"] for each in listed["trades"]] == ["halted", "doubtful"]


def test_what_is_about_one_trade_needs_one(run: Run, journal: Path) -> None:
    """A list has no moment and no records."""
    for option in (("--at", "+1s"), ("--step", 1), ("--records",)):
        result = run("show", "--journal", journal, *option)
        assert result.exit_code == 2
        assert "are about one TRADE" in result.output
