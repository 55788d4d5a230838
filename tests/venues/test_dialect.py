"""The form of a row."""

from __future__ import annotations

import attrs
import pytest

from fsm_arb.venues.dialect import Dialect, IdForm
from fsm_arb.venues.dialects import DIALECTS


def test_a_row_cannot_be_changed() -> None:
    """It is a fact, not a setting."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        DIALECTS["upbit"].why = "x"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("form", "expected"), [(IdForm.PLAIN, "abc"), (IdForm.GATE_TEXT, "t-abc"), (IdForm.CLOID, "0xba7816bf")]
)
def test_ids_are_written_in_the_form_of_the_venue(form: IdForm, expected: str) -> None:
    """The same id always gives the same text."""
    row = Dialect(exchange_id="x", why="test", id_form=form)
    assert row.wire_id("abc").startswith(expected)
    assert row.wire_id("abc") == row.wire_id("abc")
