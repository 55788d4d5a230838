"""From when on a list must be asked, in the time of the venue that cuts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.venues import wire

if TYPE_CHECKING:
    from fsm_arb.ports import OrderRef

SKEW_MS = 60_000  # how far the clock that cuts a list may be behind the one that was measured
UNASKED_MS = 3_600_000  # how far back any list reaches that is not told from when
UNMEASURED_MS = 86_400_000  # how far apart two clocks may be that were never compared


def known_offset_ms(measured_ms: int | None) -> int | None:
    """Return the venue's clock minus ours, the lower of what was measured and what its last reply tells; None: unknown.

    Args:
        measured_ms: By asking the venue for its time; None: never.
    """
    call = wire.current()
    told = [measured_ms, None if call is None else call.offset_ms]
    return min((offset_ms for offset_ms in told if offset_ms is not None), default=None)


def since_of(ref: OrderRef, offset_ms: int | None) -> int | None:
    """Return the time from which lists are asked, ms: a little before the order can have been sent.

    Args:
        ref: The order; its time is by our clock.
        offset_ms: The venue's clock minus ours; None: unknown.

    Returns:
        None where it cannot be said: by a clock that is ahead, it would lie in the venue's future, and hide the order.
    """
    if ref.since_ms is None or offset_ms is None:
        return None
    # Only ever earlier than by our own clock, which may have been set right since it was compared.
    return max(0, ref.since_ms + min(0, offset_ms) - SKEW_MS)
