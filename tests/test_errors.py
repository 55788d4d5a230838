"""Every exception: one tree, drawn in the module's own words, and messages that name what they are about."""

from __future__ import annotations

import inspect
import re

import pytest

from fsm_arb import errors
from fsm_arb.errors import FellBehind, FsmArbError, InvalidInput, JournalCorrupt, UnknownTrade

CLASSES = {name: kind for name, kind in vars(errors).items() if inspect.isclass(kind)}


def drawn() -> dict[str, str]:
    """Return each class of the docstring's tree with the one it hangs from."""
    parents: dict[str, str] = {}
    path = ["FsmArbError"]
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^    ([│├└─ ]+)(\w+)", line)
        if found:
            depth = len(found[1]) // 4
            path[depth:] = [found[2]]
            parents[found[2]] = path[depth - 1]
    return parents


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """A reader who catches by it catches what it says."""
    tree = {name: kind.__mro__[1].__name__ for name, kind in CLASSES.items() if kind is not FsmArbError}
    assert drawn() == tree
    assert len(tree) > 20


def test_everything_raised_here_on_purpose_can_be_caught_as_one() -> None:
    """And is no bare Exception of Python's besides, save where the docstring says so."""
    assert all(issubclass(kind, FsmArbError) for kind in CLASSES.values())
    assert issubclass(InvalidInput, ValueError)
    assert issubclass(UnknownTrade, KeyError)


def test_an_invalid_input_names_field_value_and_reason() -> None:
    """In the message and for a program."""
    error = InvalidInput("legs[0].exchange", "kraken", "is not one of the venues")
    assert str(error) == "legs[0].exchange='kraken': is not one of the venues"
    assert (error.field, error.value, error.reason) == ("legs[0].exchange", "kraken", "is not one of the venues")


def test_a_corrupt_journal_names_the_record() -> None:
    """The first that is wrong."""
    error = JournalCorrupt(17, "it was altered")
    assert (str(error), error.seq, error.reason) == ("journal record 17: it was altered", 17, "it was altered")


def test_a_corrupt_journal_names_the_stream_where_it_is_known() -> None:
    """Whose trade it is, is what an operator asks first."""
    error = JournalCorrupt(17, "it was altered", "trade/1")
    assert str(error) == "journal record 17: it was altered (stream trade/1)"
    assert error.stream == "trade/1"
    assert JournalCorrupt(17, "it was altered").stream == ""


def test_an_unknown_trade_reads_like_a_sentence() -> None:
    """A KeyError alone would print its message in quotes."""
    assert str(UnknownTrade("no trade t1 on this journal")) == "no trade t1 on this journal"
    assert str(UnknownTrade()) == ""


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_says_what_it_means(name: str) -> None:
    """One sentence at least."""
    assert re.match(r"^[A-Z].*\.$", (CLASSES[name].__doc__ or "").splitlines()[0])


def test_who_fell_behind_is_told_where_to_go_on() -> None:
    """For a person, and for a program that reads the journal from there."""
    error = FellBehind(41, "and its journal is closed")
    assert error.seq == 41
    assert str(error) == "read up to record 41, and its journal is closed; read the journal on from there"
