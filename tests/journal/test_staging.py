"""Staging is all of a call or nothing of it, and forgets what did not become durable."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import pytest

from fsm_arb.errors import JournalConflict, JournalFailed
from fsm_arb.journal.chain import GENESIS, digest
from fsm_arb.journal.staging import Staging, seal
from fsm_arb.journal.store import RECORD_COLUMNS, End, Head
from fsm_arb.ports import Batch, Draft

if TYPE_CHECKING:
    from collections.abc import Callable


def fresh(heads: dict[str, Head] | None = None) -> Staging:
    return Staging(({} if heads is None else heads).get, End(epoch=1, seq=0, hash=GENESIS, stream_id=0, live=0))


def test_a_refused_call_leaves_no_trace(batch: Callable[..., Batch]) -> None:
    """Numbers, hashes, streams and counts are as if it had never come."""
    staging, twin = fresh(), fresh()
    for each in (staging, twin):
        each.add([batch("a", 0, "1")])
    with pytest.raises(JournalConflict):
        staging.add([batch("b", 0, "2"), batch("a", 0, "3")])
    with pytest.raises(JournalFailed):
        staging.add([batch("c", 0, "4", "\ud800")])
    for each in (staging, twin):
        each.add([batch("d", 0, "5", live=False)])
    assert staging.records == twin.records
    assert staging.streams() == twin.streams()
    assert (staging.staged_seq, staging.staged_hash, staging.live()) == (2, twin.staged_hash, 1)


def test_what_was_dropped_is_staged_again_alike(batch: Callable[..., Batch]) -> None:
    """After a failed commit the same calls give the same records."""
    staging = fresh()
    staging.add([batch("a", 0, "1")])
    before = list(staging.records)
    staging.drop()
    assert (staging.changes, staging.records, staging.live()) == (False, [], None)
    staging.add([batch("a", 0, "1")])
    assert staging.records == before
    staging.keep()
    with pytest.raises(JournalConflict):
        staging.add([batch("a", 0, "1")])


def test_each_record_follows_from_the_one_before(batch: Callable[..., Batch]) -> None:
    """Over streams, calls and commits."""
    staging = fresh()
    staging.add([batch("a", 0, "1")])
    first = staging.records[-2]
    assert first == digest(GENESIS, 1, "a", 1, 1, 1_700_000_000_000_000_000, "placed", "A", "B", "1")
    staging.keep()
    staging.add([batch("b", 0, "2")])
    assert staging.records[-3] == first


def test_only_live_streams_are_held_in_memory(batch: Callable[..., Batch]) -> None:
    """A finished one is looked up again should it ever move."""
    asked: list[str] = []
    store: dict[str, Head] = {}

    def find(name: str) -> Head | None:
        asked.append(name)
        return store.get(name)

    staging = Staging(find, End(epoch=1, seq=0, hash=GENESIS, stream_id=0, live=0))
    for seq, live in ((0, True), (1, True), (2, False), (3, False)):
        staging.add([batch("a", seq, "x", live=live)])
        store.update(staging.changed())
        staging.keep()
    assert asked == ["a", "a"]


def test_the_number_of_live_streams_is_told_when_it_changes(batch: Callable[..., Batch]) -> None:
    """Coming, going and coming back count; staying does not."""
    store: dict[str, Head] = {}
    staging = fresh(store)
    told = []
    for seq, live in enumerate([True, True, False, False, True]):
        staging.add([batch("a", seq, "x", live=live), batch(f"other/{seq}", 0, "x", live=False)])
        told.append(staging.live())
        store.update(staging.changed())
        staging.keep()
    assert told == [1, None, 0, None, 1]


def test_a_word_of_an_enum_is_refused() -> None:
    """It formats as something else than what SQLite would store, so the hash would lie."""

    class State(str, enum.Enum):  # noqa: UP042 - what older code still has
        A = "a"

    draft = Draft(at_ns=1, trigger="t", state_before=State.A, state_after="B", payload="{}")
    with pytest.raises(JournalFailed, match="State, not plain text"):
        fresh().add([Batch(stream="s", expected_seq=0, drafts=(draft,), live=True)])


def test_a_seal_covers_each_of_its_columns() -> None:
    """A stream that is renamed, renumbered or declared finished no longer bears its seal."""
    seals = {seal(1, "a", 1, 1), seal(2, "a", 1, 1), seal(1, "b", 1, 1), seal(1, "a", 2, 1), seal(1, "a", 1, 0)}
    assert len(seals) == 5


def test_rows_have_as_many_columns_as_their_table(batch: Callable[..., Batch]) -> None:
    """The flat list of columns is cut at the right places."""
    staging = fresh()
    staging.add([batch("a", 0, "1", "2")])
    assert len(staging.records) == 2 * RECORD_COLUMNS
    assert staging.records[RECORD_COLUMNS] == 2
