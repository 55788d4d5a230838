"""Who is told what happens on simulated venues, the moment it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsm_arb.testing.glimpse import VenueFill
    from fsm_arb.testing.simulated.kinds import FaultHit


class Observer:
    """Told of everything, and does nothing with it. Override what matters.

    It may look at the books, but must not raise: it is called in the middle of
    what happens, and what it sees of an order that is being placed is half done.
    """

    def on_create(self, venue: str, client_id: str) -> None:
        """Hear that a request to place an order comes to the door, before anything else happens to it.

        Args:
            venue: Where.
            client_id: The caller's id of the order; one of ours, such as ``nameless 3``, where it gave none.
        """

    def on_execution(self, venue: str, client_id: str | None, fill: VenueFill) -> None:
        """Hear of an execution; without a client id it was done by hand."""

    def on_fault(self, hit: FaultHit) -> None:
        """Hear that a fault bent something."""
