"""What is wrong ends a trial, is named once, and never stops the audit."""

from __future__ import annotations

import pytest
from attrs import define, evolve
from papers import book, entry, records_of

from fsm_arb.audit.findings import Part
from fsm_arb.audit.trial import Trial
from fsm_arb.errors import InvalidInput
from fsm_arb.ports import Record


@define
class Strict(Trial):
    """Says what is wrong with each record whose trigger it dislikes."""

    dislikes: str = ""
    raises: Exception | None = None

    def _tried(self, record: Record) -> str:
        if self.raises is not None:
            raise self.raises
        return f"is a {record.trigger}" if record.trigger == self.dislikes else ""


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return records_of((book(), book()), entry())


def test_only_the_first_wrong_record_is_named(records: list[Record]) -> None:
    """What follows from it would be wrong as well."""
    trial = Strict(Part(), dislikes="sized")
    for record in [*records, *(evolve(each, seq=each.seq + 100) for each in records)]:
        trial.take(record)
    (found,) = trial.part.findings
    assert (found.what, trial.dead) == ("is a sized", True)
    assert [each.trigger for each in records if each.seq == found.seq] == ["sized"]
    assert trial.last is not None
    assert trial.last.trigger == "sized"  # the one that ended it


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (KeyError("body"), "'body'"),
        (AssertionError(), "AssertionError"),
        (InvalidInput("amount", -1, "must not be negative"), "amount"),
    ],
)
def test_whatever_a_forged_record_makes_the_fold_raise_is_a_finding(
    records: list[Record], raised: Exception, words: str
) -> None:
    """With what was raised, or its name where it says nothing."""
    trial = Strict(Part(), raises=raised)
    trial.take(records[0])
    (found,) = trial.part.findings
    assert found.what.startswith("cannot follow from the records before it: ")
    assert words in found.what


def test_a_fault_of_the_machine_is_no_finding(records: list[Record]) -> None:
    """A process that runs out of memory says nothing about the journal."""
    with pytest.raises(MemoryError):
        Strict(Part(), raises=MemoryError()).take(records[0])


def test_a_trial_that_begins_has_tried_its_first_record(records: list[Record]) -> None:
    """A kind of trial says itself how it tries and ends."""
    assert Strict.begin(records[0], Part()).last is records[0]
    with pytest.raises(NotImplementedError):
        Trial(Part()).close()
    with pytest.raises(NotImplementedError):
        Trial.begin(records[0], Part())
