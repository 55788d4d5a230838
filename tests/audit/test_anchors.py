"""Heads of a chain that were written down elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from forging import forged, round_trip

from fsm_arb.audit.anchors import Anchor, compare_anchors, read_anchors, write_anchor
from fsm_arb.errors import InvalidInput
from fsm_arb.journal.reader import JournalReader
from fsm_arb.testing.crash.damage import Edited

HASH = "ab" * 32
NOON = 1_700_049_600_000_000_000


def differences(path: Path, *anchors: Anchor) -> list[str]:
    with JournalReader(path) as reader:
        return [str(each) for each in compare_anchors(reader, anchors, reader.last())]


def head(path: Path) -> tuple[int, str]:
    with JournalReader(path) as reader:
        return reader.last()


def test_a_head_is_written_once_and_read_back(tmp_path: Path) -> None:
    """One line each, whatever stood there before; the same head again adds nothing."""
    file = tmp_path / "anchors.jsonl"
    assert write_anchor(file, (0, "0" * 64), NOON)
    assert write_anchor(file, (7, HASH), NOON)
    assert not write_anchor(file, (7, HASH), NOON + 1)
    assert [json.loads(line) for line in file.read_text().splitlines()] == [
        {"seq": 0, "hash": "0" * 64, "time": "2023-11-15T12:00:00.000000Z"},
        {"seq": 7, "hash": HASH, "time": "2023-11-15T12:00:00.000000Z"},
    ]
    assert [anchor.seq for anchor in read_anchors(file)] == [0, 7]


def test_a_line_that_was_cut_off_stays_by_itself(tmp_path: Path) -> None:
    """What is added is whole, and what is not is named."""
    file = tmp_path / "anchors.jsonl"
    file.write_text('{"seq": 3')
    write_anchor(file, (7, HASH), NOON)
    with pytest.raises(InvalidInput, match=r"anchors\.jsonl, line 1=.*is no anchor"):
        read_anchors(file)
    assert len(file.read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("no", "is no anchor"),
        ("[]", "is no anchor"),
        ('{"seq": 1, "hash": "x"}', "is no anchor"),
        (f'{{"seq": -1, "hash": "{HASH}", "time": ""}}', "seq is no number of a record"),
        (f'{{"seq": "1", "hash": "{HASH}", "time": ""}}', "seq is no number of a record"),
        ('{"seq": 1, "hash": "xyz", "time": ""}', "hash is not 64 hexadecimal digits"),
    ],
)
def test_a_line_that_is_no_anchor_is_named(tmp_path: Path, line: str, said: str) -> None:
    """With its number."""
    file = tmp_path / "anchors.jsonl"
    file.write_text(f"\n{line}\n")
    with pytest.raises(InvalidInput, match=f"line 2=.*{said}"):
        read_anchors(file)


def test_a_journal_that_went_on_agrees_with_all_its_heads(tmp_path: Path) -> None:
    """Each of them is a record of it."""
    path = forged(tmp_path / "trades.db")
    anchors = [Anchor(seq=0, hash="0" * 64, time="")]
    with JournalReader(path) as reader:
        anchors += [Anchor(seq=record.seq, hash=record.hash, time="") for record in reader.records()]
    assert differences(path, *anchors, anchors[-1]) == []


def test_a_truncated_journal_shows(tmp_path: Path) -> None:
    """Its chain is sound and its mark was made anew; the first record that is missing is named."""
    whole = forged(tmp_path / "whole.db")
    path = forged(tmp_path / "trades.db", records=round_trip()[:10], live=["trade/d1"])
    anchor = Anchor(seq=head(whole)[0], hash=head(whole)[1], time="noon")
    assert differences(path, anchor) == [
        f"record 11: is missing: the journal ends at record 10, and had {len(round_trip())} at noon"
    ]


def test_a_journal_that_was_made_anew_shows(tmp_path: Path) -> None:
    """From the record that differs on every hash is another; an anchor before it still agrees."""
    path = forged(tmp_path / "trades.db")
    with JournalReader(path) as reader:
        anchors = [Anchor(seq=record.seq, hash=record.hash, time="noon") for record in reader.records()]
    other = forged(tmp_path / "other.db", 8, at_ns=1)
    wrong = differences(other, *anchors)
    assert len(wrong) == len(anchors) - 7
    assert wrong[0].startswith("record 8 (stream trade/d1, its record 8")
    assert "is not the record that was there at noon" in wrong[0]
    assert "it, or one before it, was replaced" in wrong[0]


def test_a_record_that_no_longer_holds_together_is_named(tmp_path: Path) -> None:
    """What it was cannot be compared."""
    path = forged(tmp_path / "trades.db")
    anchor = Anchor(seq=8, hash=HASH, time="noon")
    Edited("UPDATE records SET payload = '' WHERE seq = 8")(path)
    (wrong,) = differences(path, anchor)
    assert "its content does not give its hash" in wrong
