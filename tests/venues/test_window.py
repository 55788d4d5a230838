"""From when on lists are asked."""

from __future__ import annotations

import pytest

from fsm_arb.clock import SystemClock
from fsm_arb.ports import OrderRef
from fsm_arb.values import ONE, Side
from fsm_arb.venues import wire
from fsm_arb.venues.window import SKEW_MS, known_offset_ms, since_of

SENT_MS = 1_800_000_000_000


def ref(since_ms: int | None) -> OrderRef:
    return OrderRef(symbol="BTC/USDT", side=Side.BUY, amount=ONE, client_order_id="abc", since_ms=since_ms)


@pytest.mark.parametrize(
    ("since_ms", "offset_ms", "expected"),
    [
        (SENT_MS, 0, SENT_MS - SKEW_MS),
        (SENT_MS, -300_000, SENT_MS - 300_000 - SKEW_MS),
        (SENT_MS, 300_000, SENT_MS - SKEW_MS),
        (SENT_MS, None, None),
        (5, 0, 0),
        (None, 0, None),
    ],
)
def test_lists_are_asked_from_before_the_order(since_ms: int | None, offset_ms: int | None, expected: int) -> None:
    """In the venue's time, never later than in ours, never before time began; not at all where neither is known."""
    assert since_of(ref(since_ms), offset_ms) == expected


def test_the_lower_of_two_offsets_counts() -> None:
    """One may have been measured before a clock was set right; asking from further back costs little."""
    assert known_offset_ms(None) is None
    assert known_offset_ms(7) == 7
    with wire.calling(wire.Call(clock=SystemClock())) as call:
        assert known_offset_ms(7) == 7
        call.offset_ms = -9
        assert known_offset_ms(7) == -9
        assert known_offset_ms(-20) == -20
        assert known_offset_ms(None) == -9
