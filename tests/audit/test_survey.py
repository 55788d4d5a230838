"""A whole journal gone through once, in stretches, by several processes."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from forging import forged, round_trip

from fsm_arb.audit.summary import Reading
from fsm_arb.audit.survey import Stretch, gathered, spread, stretches, summaries
from fsm_arb.audit.tales import tell_all
from fsm_arb.errors import JournalCorrupt
from fsm_arb.journal.reader import JournalReader
from fsm_arb.ports import Record
from fsm_arb.testing.crash.damage import Edited

RECORDS = len(round_trip())


@pytest.mark.parametrize("jobs", [1, 2])
def test_work_is_told_in_the_order_of_its_parts(jobs: int) -> None:
    """Whoever is first done; and an error is whoever asked's."""
    # A function that other processes can import by its name, which one of a test file is not.
    assert list(spread(math.isqrt, [n * n for n in range(20)], jobs)) == list(range(20))
    told = spread(math.isqrt, (1, 4, -1, 9), jobs)
    assert [next(told), next(told)] == [1, 2]
    with pytest.raises(ValueError, match="nonnegative"):
        list(told)


def test_stretches_cover_every_record_once(tmp_path: Path) -> None:
    """The last one is what is left."""
    path = tmp_path / "x"
    assert stretches(path, 25, 10) == [Stretch(path, 0, 10, 25), Stretch(path, 10, 20, 25), Stretch(path, 20, 25, 25)]
    assert stretches(path, 0) == []


class Names:
    """Takes in the records of one stream, by number."""

    def __init__(self, record: Record) -> None:
        self.stream, self.seqs = record.stream, [record.stream_seq]

    def take(self, record: Record) -> None:
        assert record.stream == self.stream
        self.seqs.append(record.stream_seq)


@pytest.mark.parametrize("size", [1, 4, 7, RECORDS])
def test_every_stream_is_gathered_once_and_whole(tmp_path: Path, size: int) -> None:
    """However it lies in the stretches; every record is seen once."""
    path = forged(tmp_path / "trades.db")
    found: list[Names] = []
    seen: list[int] = []
    with JournalReader(path) as reader:
        for stretch in stretches(path, RECORDS, size):
            found += gathered(reader, stretch, "", Names, lambda record: seen.append(record.seq))
    assert [each.stream for each in found] == ["trade/d1", "position/P-d1", "trade/d2"]
    assert [each.seqs for each in found] == [list(range(1, len(each.seqs) + 1)) for each in found]
    assert sum(len(each.seqs) for each in found) == RECORDS
    assert seen == list(range(1, RECORDS + 1))


def test_what_was_written_after_the_beginning_is_not_gathered(tmp_path: Path) -> None:
    """A stream that goes on ends where the journal ended."""
    path = forged(tmp_path / "trades.db")
    with JournalReader(path) as reader:
        (one,) = gathered(reader, Stretch(path, 0, 5, 8), "trade/", Names, lambda _: None)
    assert one.seqs == list(range(1, 9))


def test_summaries_are_those_of_the_tales(ended: Path) -> None:
    """Of every trade, oldest first, and the same by one process or two."""
    path = ended / "trades.db"
    one, two = list(summaries(path)), list(summaries(path, jobs=2))
    assert one == two
    with JournalReader(path) as reader:
        tales = list(tell_all(reader))
    assert [each.trade_id for each in one] == [tale.trade.trade_id for tale in tales]
    assert [each.net for each in one] == [tale.result.pnl for tale in tales]
    assert [each.path for each in one] == [tale.path for tale in tales]
    with JournalReader(path) as reader:
        head, _ = reader.last()
        first = next(gathered(reader, Stretch(path, 0, 1, head), "trade/", Reading.begin, lambda _: None))
    assert first.summary() == one[0]


def test_a_record_that_is_wrong_ends_it(tmp_path: Path) -> None:
    """A report of what was altered would be worth nothing."""
    path = forged(tmp_path / "trades.db")
    Edited("UPDATE records SET at_ns = 1 WHERE seq = 12")(path)
    with pytest.raises(JournalCorrupt, match="record 12"):
        list(summaries(path))
