"""The system's clocks, as one object that can be handed in."""

from __future__ import annotations

import time

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


class SystemClock:
    """The clocks of this machine."""

    def monotonic_ns(self) -> int:
        """Nanoseconds that never jump; only differences mean anything."""
        return time.monotonic_ns()

    def time_ns(self) -> int:
        """Nanoseconds since the epoch, UTC; may jump when the clock is set."""
        return time.time_ns()
