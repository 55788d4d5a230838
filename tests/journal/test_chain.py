"""The hash chain names the first record that is not what was written."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_arb.errors import JournalCorrupt
from fsm_arb.journal.chain import GENESIS, GENESIS_HEX, Chain, digest, verify
from fsm_arb.ports import Record

texts = st.text(st.sampled_from("a:1\n\x00é"), max_size=4)
small = st.integers(-2, 12)
fields = st.tuples(st.just(GENESIS), small, texts, small, small, small, texts, texts, texts, texts)


@st.composite
def chains(draw: st.DrawFn, least: int = 1) -> list[Record]:
    previous, epoch, records = GENESIS, 1, []
    for seq in range(1, draw(st.integers(least, 8)) + 1):
        epoch += draw(st.integers(0, 1))
        content = (draw(texts), draw(small), epoch, draw(small), draw(texts), draw(texts), draw(texts), draw(texts))
        own = digest(previous, seq, *content)
        names = ("stream", "stream_seq", "epoch", "at_ns", "trigger", "state_before", "state_after", "payload")
        records.append(
            Record(seq=seq, previous_hash=previous.hex(), hash=own.hex(), **dict(zip(names, content, strict=True)))
        )
        previous = own
    return records


def first_wrong(records: list[Record]) -> int:
    with pytest.raises(JournalCorrupt) as caught:
        verify(records)
    return caught.value.seq


@given(chains())
def test_an_untouched_chain_passes(records: list[Record]) -> None:
    """Every record is counted."""
    assert verify(records) == len(records)


@given(chains(), st.data())
def test_any_altered_field_is_named(records: list[Record], data: st.DataObject) -> None:
    """Whichever field of whichever record was changed, that record is the first wrong one."""
    at = data.draw(st.integers(0, len(records) - 1))
    name = data.draw(st.sampled_from([each.name for each in attrs.fields(Record) if each.name != "seq"]))
    value = getattr(records[at], name)
    if isinstance(value, int):
        other: object = value + data.draw(st.sampled_from([-1, 1, 1 << 40]))
    else:
        place = data.draw(st.integers(0, len(value)))
        other = value[:place] + data.draw(st.sampled_from("0af:\n")) + value[place + data.draw(st.integers(0, 1)) :]
    if other != value:
        records[at] = attrs.evolve(records[at], **{name: other})
        assert first_wrong(records) == at + 1


@given(chains(), st.data())
def test_a_value_of_another_type_is_named(records: list[Record], data: st.DataObject) -> None:
    """A text of digits where a number was, or bytes where a text was, is an alteration too."""
    at = data.draw(st.integers(0, len(records) - 1))
    name = data.draw(st.sampled_from([each.name for each in attrs.fields(Record) if each.name != "seq"]))
    value = getattr(records[at], name)
    records[at] = attrs.evolve(records[at], **{name: str(value) if isinstance(value, int) else value.encode()})
    assert first_wrong(records) == at + 1


@given(chains(least=2), st.data())
def test_a_dropped_record_is_named(records: list[Record], data: st.DataObject) -> None:
    """A gap is named by what is missing from it."""
    at = data.draw(st.integers(0, len(records) - 2))
    del records[at]
    assert first_wrong(records) == at + 1


@given(chains(least=2), st.data())
def test_records_that_changed_places_are_named(records: list[Record], data: st.DataObject) -> None:
    """The earlier of the two places is the first wrong one, also when both were renumbered."""
    first, second = sorted(data.draw(st.sets(st.integers(0, len(records) - 1), min_size=2, max_size=2)))
    one, other = records[first], records[second]
    records[first], records[second] = other, one
    assert first_wrong(records) == first + 1
    records[first], records[second] = attrs.evolve(other, seq=one.seq), attrs.evolve(one, seq=other.seq)
    assert first_wrong(records) == first + 1


@given(chains(), st.data())
def test_a_record_that_stands_twice_is_named(records: list[Record], data: st.DataObject) -> None:
    """The copy is wrong, as it stands and with a number of its own."""
    at = data.draw(st.integers(0, len(records) - 1))
    copy = records[at]
    assert first_wrong([*records[: at + 1], copy, *records[at + 1 :]]) == at + 2
    assert first_wrong([*records, attrs.evolve(copy, seq=len(records) + 1)]) == len(records) + 1


@given(chains(), chains(), st.data())
def test_a_record_of_another_chain_is_named(records: list[Record], others: list[Record], data: st.DataObject) -> None:
    """A record that is whole in itself still has to follow from the one before."""
    at = data.draw(st.integers(0, min(len(records), len(others)) - 1))
    if at and records[at - 1].hash != others[at - 1].hash:
        records[at] = others[at]
        assert first_wrong(records) == at + 1


@given(fields, fields)
def test_no_two_different_records_share_a_hash(one: tuple[object, ...], other: tuple[object, ...]) -> None:
    """However the fields are cut, their text is unambiguous."""
    assert (digest(*one) == digest(*other)) == (one == other)  # type: ignore[arg-type]


def test_a_colon_and_a_number_in_a_field_do_not_move_its_border() -> None:
    """Moving characters from one field to the next changes the hash."""
    assert digest(GENESIS, 1, "a", 1, 1, 1, "1:", "", "", "") != digest(GENESIS, 1, "a", 1, 1, 1, "1", ":", "", "")


@given(chains(least=3))
def test_a_chain_is_verified_in_pieces(records: list[Record]) -> None:
    """The end of one piece is the beginning of the next."""
    end = Chain()
    assert verify(records[:2], end) == 2
    assert (end.seq, end.previous_hash) == (2, records[1].hash)
    assert verify(records[2:], end) == len(records) - 2


def test_an_epoch_never_goes_back() -> None:
    """A chain whose hashes agree, but whose openings are out of order, was not written by us."""
    first = digest(GENESIS, 1, "s", 1, 2, 0, "t", "A", "B", "{}")
    second = digest(first, 2, "s", 2, 1, 0, "t", "A", "B", "{}")
    common = {"stream": "s", "at_ns": 0, "trigger": "t", "state_before": "A", "state_after": "B", "payload": "{}"}
    records = [
        Record(seq=1, stream_seq=1, epoch=2, previous_hash=GENESIS_HEX, hash=first.hex(), **common),  # type: ignore[arg-type]
        Record(seq=2, stream_seq=2, epoch=1, previous_hash=first.hex(), hash=second.hex(), **common),  # type: ignore[arg-type]
    ]
    assert first_wrong(records) == 2


def test_the_format_of_the_chain_is_pinned() -> None:
    """A journal written today is verified by every later version."""
    assert digest(GENESIS, 1, "trade/1", 1, 1, 5, "placed", "A", "B", '{"é":1}').hex() == (
        "84ac541797675fdeb671506b0bd5e08bc75f69f44fd05dc5975e58841eef7e8e"
    )
