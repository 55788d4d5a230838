"""When to look at an order again. Pure: times in, times out.

A live order is looked at soon and then less and less often; a finished one is
watched on with longer pauses, since a venue may still fill what it said was
over. An order to be cancelled is asked to go again and again until it is seen
to have ended: a cancel may be lost.
"""

from __future__ import annotations

from attrs import define

GROWTH = 3, 2  # each pause is half as long again as the one before
LIVE_MAX = 10  # times the poll interval
WATCH_FIRST = 4  # times the poll interval
WATCH_GROWTH = 2, 1


@define
class Look:
    """When one order is looked at next."""

    next_at: int  # monotonic ns
    pause: int  # ns, until the look after that
    busy: bool = False  # a look is out
    cancel_next: bool = True  # to be cancelled: whether the next call is the cancel, else a look
    hurried: bool = False  # the first cancel has gone out
    live: bool = True  # whether it goes by the rhythm of a live order
    asked_at: int | None = None  # monotonic ns, when the last look left

    @classmethod
    def now(cls, now: int, interval_ns: int) -> Look:
        """Look at once."""
        return cls(next_at=now, pause=interval_ns)

    @classmethod
    def watching(cls, now: int, interval_ns: int) -> Look:
        """Look at a finished order."""
        return cls(next_at=now + interval_ns * WATCH_FIRST, pause=interval_ns * WATCH_FIRST, live=False)

    def turn(self, now: int, interval_ns: int, *, live: bool) -> None:
        """Take up the other rhythm where the order has ended, or is back: what is live again is looked at at once."""
        if self.live is live:
            return
        fresh = Look.now(now, interval_ns) if live else Look.watching(now, interval_ns)
        self.live, self.next_at, self.pause = live, fresh.next_at, fresh.pause
        self.cancel_next, self.hurried = True, False

    def leaves(self, now: int) -> None:
        """A look leaves."""
        self.busy, self.asked_at = True, now

    def due(self, now: int) -> bool:
        """Whether it is time."""
        return not self.busy and now >= self.next_at

    def looked(self, now: int, interval_ns: int, *, live: bool) -> None:
        """A look came back without an end: wait longer for the next."""
        self.busy = False
        self.next_at = now + self.pause
        times, over = GROWTH if live else WATCH_GROWTH
        longest = interval_ns * LIVE_MAX * (1 if live else WATCH_FIRST * 3)
        self.pause = min(self.pause * times // over, longest)
