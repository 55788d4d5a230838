"""What is found wrong, and where."""

from __future__ import annotations

import pytest
from forging import round_trip

from fsm_arb.audit.findings import FINDINGS_MAX, Finding, Part, moment, text
from fsm_arb.errors import JournalCorrupt

NOON = 1_700_049_600_000_000_000


def test_a_finding_says_where() -> None:
    """Number, stream, number in it, time; as much of it as is known."""
    finding = Finding(seq=7, what="is wrong", stream="trade/d1", stream_seq=3, at_ns=NOON + 1_500)
    assert str(finding) == "record 7 (stream trade/d1, its record 3, 2023-11-15T12:00:00.000001Z): is wrong"
    assert str(Finding(seq=7, what="is wrong", stream="trade/d1")) == "record 7 (stream trade/d1): is wrong"
    assert str(Finding(seq=7, what="is wrong")) == "record 7: is wrong"
    assert str(Finding(seq=0, what="it is damaged")) == "it is damaged"


def test_a_finding_is_of_a_record_or_of_damage() -> None:
    """What can be read of the record is told."""
    record = round_trip()[4]
    found = Finding.of(record, "x")
    assert (found.seq, found.stream, found.stream_seq, found.at_ns) == (5, record.stream, 5, record.at_ns)
    assert Finding.of_damage(JournalCorrupt(9, "is missing", "trade/d1")) == Finding(
        seq=9, what="is missing", stream="trade/d1"
    )


def test_the_first_record_comes_first_and_what_is_of_none_last() -> None:
    """So that a person looks at a record first."""
    assert [each.seq for each in sorted((Finding(seq=seq, what="") for seq in (0, 7, 3)), key=lambda f: f.order)] == [
        3,
        7,
        0,
    ]


@pytest.mark.parametrize(
    ("at_ns", "told"), [(NOON, "2023-11-15T12:00:00.000000Z"), (1 << 62, "2116-02-20T23:53:38.427387Z")]
)
def test_a_moment_is_told_in_utc(at_ns: int, told: str) -> None:
    """To the microsecond."""
    assert moment(at_ns) == told


def test_a_moment_that_no_calendar_has_is_told_as_it_is() -> None:
    """What was altered may be any number."""
    assert moment(1 << 80) == f"{1 << 80} ns"


def test_findings_of_a_part_are_bounded() -> None:
    """The rest is counted."""
    part = Part()
    for seq in range(FINDINGS_MAX + 5):
        part.wrong(Finding(seq=seq, what=""))
    assert (len(part.findings), part.more) == (FINDINGS_MAX, 5)


def test_no_number_stays_none() -> None:
    """It is not the text of one."""
    assert (text(None), text(1)) == (None, "1")
