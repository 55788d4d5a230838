"""The command `fsm-arb replay`: what it finds, in which words, and with which exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from histories import bad_nights, calm, doubtful, journal_of, unwound, wall_clock

from fsm_arb import choice

if TYPE_CHECKING:
    from click.testing import Result

Run = Callable[..., "Result"]


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    walks = (calm(), unwound(), doubtful())
    trades = {walk.trade.trade_id: wall_clock(walk.entries) for walk in walks}
    return journal_of(tmp_path_factory.mktemp("replay") / "trades.db", trades)


def other(folder: Path, text: str) -> Path:
    path = folder / "other.toml"
    path.write_text(text, encoding="utf-8")
    return path


# ------------------------------------------------------------------ the code of today


def test_a_demonstration_is_decided_again(run: Run, ended: Path) -> None:
    """Nothing differs, and nothing is written."""
    before = (ended / "trades.db").read_bytes()
    result = run("replay", ended / "trades.db")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("8 trades, ")
    assert result.output.endswith("Every decision is made again as it is recorded.\n")
    assert (ended / "trades.db").read_bytes() == before


def test_bad_nights_are_decided_again(run: Run, tmp_path: Path) -> None:
    """In two processes, with every difference that one would find: none."""
    path = journal_of(tmp_path / "bad.db", bad_nights())
    said = json.loads(run("replay", path, "--jobs", 2, "--json").output)
    assert (said["same"], said["trades"], said["differences"]) == (True, len(bad_nights()), [])


def test_a_difference_fails_and_names_the_record(run: Run, journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trade, the record, what stands there and what the code says now."""
    monkeypatch.setattr(choice, "_rank", lambda _s, option: (option.kind.value,))
    result = run("replay", journal)
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0] == "unwound, record 11, 2023-11-14 22:13:21 UTC: something else is decided now"
    assert lines[1].startswith("  recorded: unwind, PARTIAL -> ROLLBACK; ")
    assert lines[2].startswith("  now:      intended, PARTIAL; complete buy 10 on leg 1")
    assert lines[-1] == "1 trade is decided otherwise now."
    assert json.loads(run("replay", journal, "--json").output)["same"] is False


def test_other_words_alone_do_not_fail(run: Run, journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are told all the same."""
    honest = choice._why
    monkeypatch.setattr(choice, "_why", lambda *given: f"{honest(*given)} by far")
    result = run("replay", journal)
    assert result.exit_code == 0
    assert "only worded otherwise" in result.output
    assert "choice.reason: cheaper is recorded, cheaper by far is decided" in result.output
    assert result.output.endswith("as it is recorded; 1 only in other words.\n")


def test_one_trade_can_be_picked(run: Run, journal: Path) -> None:
    """By its whole id; one that is not there is an error."""
    assert run("replay", journal, "--trade", "calm", "--trade", "calm").output.startswith("1 trade, ")
    result = run("replay", journal, "--trade", "nobody")
    assert result.exit_code == 1
    assert "no trade nobody on" in result.output


def test_time_that_decided_late_fails_where_that_is_asked_for(run: Run, journal: Path) -> None:
    """A process that was stopped is no fault of the code; who wants to know says so."""
    assert run("replay", journal).exit_code == 0
    assert "recorded no later than 0.500 s after it was due (doubtful, " in run("replay", journal).output
    assert run("replay", journal, "--late", "0.5").exit_code == 0
    assert run("replay", journal, "--late", "0.4").exit_code == 1


def test_a_trade_that_cannot_be_read_fails(run: Run, tmp_path: Path) -> None:
    """And is named; the others are replayed."""
    path = journal_of(tmp_path / "bad.db", {"bad": wall_clock(calm().entries)[1:], "calm": wall_clock(calm().entries)})
    result = run("replay", path)
    assert result.exit_code == 1
    assert "bad: cannot be replayed: bad: its first record is not that it was begun" in result.output
    assert "1 cannot be replayed" in result.output


def test_what_is_no_journal_is_said(run: Run, tmp_path: Path) -> None:
    """A sentence, not a traceback."""
    path = tmp_path / "other.db"
    path.write_bytes(b"some text that is long enough to be no SQLite header at all, whatever is made of it" * 20)
    result = run("replay", path)
    assert result.exit_code == 1
    assert "is not a journal" in result.output


# ------------------------------------------------------------------ other numbers


def test_every_line_of_what_is_supposed_is_marked(run: Run, journal: Path, tmp_path: Path) -> None:
    """No line can be quoted as if it had happened; a divergence is no fault."""
    result = run("replay", journal, "--policy", other(tmp_path, 'remedy = "complete"\npoll_interval_s = 9\n'))
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert all(line.startswith("HYPOTHETICAL  ") for line in lines)
    said = "\n".join(lines)
    assert "with remedy complete, poll_interval_s 9; all other numbers" in said
    assert "not judged, since no record could show it: poll_interval_s" in said
    assert "complete, instead of: unwind (really ended rolled_back)" in said
    assert "3 trades: 2 unchanged, 1 would have parted" in said


def test_what_is_supposed_is_marked_for_machines_too(run: Run, journal: Path, tmp_path: Path) -> None:
    """With what the file names, and nothing else."""
    said = json.loads(run("replay", journal, "--policy", other(tmp_path, "doubt_max_s = 10"), "--json").output)
    assert (said["hypothetical"], said["policy"], said["unchanged"]) == (True, {"doubt_max_s": "10"}, 2)
    assert said["kinds"] == [{"how": "sooner", "recorded": "halt", "instead": "halt", "trades": 1}]


def test_a_policy_that_names_nothing_changes_nothing(run: Run, journal: Path, tmp_path: Path) -> None:
    """Each trade keeps the numbers it was begun under."""
    said = run("replay", journal, "--policy", other(tmp_path, "")).output
    assert "3 trades: 3 unchanged, 0 would have parted" in said
    assert said.startswith("HYPOTHETICAL  the same observations with no other number")


def test_a_policy_that_is_none_is_refused(run: Run, journal: Path, tmp_path: Path) -> None:
    """Before anything is replayed."""
    result = run("replay", journal, "--policy", other(tmp_path, "remedi = 1"))
    assert result.exit_code == 1
    assert "names remedi, which no policy has" in result.output


def test_a_short_fence_is_supposed_without_a_warning(run: Run, journal: Path, tmp_path: Path) -> None:
    """Nothing is traded under it; that it cannot be judged is said."""
    result = run("replay", journal, "--policy", other(tmp_path, "absence_fence_s = 1"))
    assert result.exit_code == 0, result.output
    assert "not judged, since no record could show it: absence_fence_s" in result.output
