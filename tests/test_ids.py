"""Ids: what exchanges take, and that no two meet."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_arb import ids
from fsm_arb.ids import base36, client_order_id, client_order_ids, fresh_decision_id

FITS = re.compile(r"^f[0-9a-z]{17}$")


@given(number=st.integers(0, 36**13 - 1))
def test_base_36_is_read_back(number: int) -> None:
    """Padded, and as Python reads it."""
    text = base36(number, 13)
    assert len(text) == 13
    assert int(text, 36) == number


def test_zero_is_all_padding() -> None:
    """And a number wider than its width is not cut."""
    assert base36(0, 3) == "000"
    assert base36(36**3, 2) == "1000"


@given(epoch=st.integers(0, 10**9), bits=st.integers(0, 2**64 - 1))
def test_a_client_order_id_fits_every_exchange(epoch: int, bits: int) -> None:
    """Eighteen letters and digits, whatever the epoch and the chance; the bits are all there."""
    found = client_order_id(epoch, bits)
    assert FITS.match(found)
    assert int(found[5:], 36) == bits
    assert int(found[1:5], 36) == epoch % 36**4


def test_ids_of_one_source_do_not_repeat() -> None:
    """Over many drawings from the system."""
    fresh = client_order_ids(7)
    made = [fresh() for _ in range(500)]
    assert len(set(made)) == 500
    assert {each[:5] for each in made} == {"f0007"}
    assert len({each[5:9] for each in made}) > 100  # chance, not a counter


def test_a_forked_child_does_not_repeat_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both hold what was drawn before the fork; the child draws anew."""
    drawn = [bytes([mark]) * 512 for mark in (1, 2)]
    monkeypatch.setattr(ids.secrets, "token_bytes", lambda _count: drawn.pop(0))
    fresh = client_order_ids(0)
    parent = fresh()
    pid = os.getpid()
    monkeypatch.setattr(ids.os, "getpid", lambda: pid + 1)
    assert fresh() != parent
    assert drawn == []


def test_a_fresh_decision_id_is_short_and_new() -> None:
    """Within what a decision takes."""
    made = {fresh_decision_id() for _ in range(50)}
    assert len(made) == 50
    assert all(re.match(r"^d[0-9a-z]{13}$", each) for each in made)
