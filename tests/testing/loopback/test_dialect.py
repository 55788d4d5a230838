"""What the dialects share."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fsm_arb.testing.loopback.dialect import Call, Window, decimal_or_none, eight, plain, query_pairs


def test_numbers_are_written_as_the_venues_write_them() -> None:
    """Plain without padding, or with eight places; never with an exponent."""
    assert [plain(Decimal(text)) for text in ("100", "1E+3", "0.10", "1E-8", "0")] == [
        "100",
        "1000",
        "0.1",
        "0.00000001",
        "0",
    ]
    assert eight(Decimal("1E-8")) == "0.00000001"
    assert decimal_or_none(None) is None
    with pytest.raises(ArithmeticError):
        decimal_or_none("x")


def test_a_call_gives_its_parameters() -> None:
    """Lists with and without brackets; an empty one is missing."""
    pairs = query_pairs("a=1&b[]=2&b[]=3&c=")
    call = Call(method="GET", path="/", raw_query="", body=b"", headers={}, now_ms=0, pairs=pairs)
    assert (call.get("a"), call.all("b"), call.get("c"), call.get("d")) == ("1", ["2", "3"], None, None)


def test_a_window_keeps_what_lies_in_it() -> None:
    """Both ends included, each optional."""
    assert [Window(start_ms=5, end_ms=7).keeps(at) for at in (4, 5, 7, 8)] == [False, True, True, False]
    assert Window().keeps(0)
