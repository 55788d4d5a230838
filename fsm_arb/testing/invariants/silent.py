"""The half of a checker that has nothing to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsm_arb.testing.glimpse import Glimpse


class Silent:
    """A checker that objects to nothing. Each invariant overrides what it has an opinion on."""

    number: int = 0
    name: str = ""
    claim: str = ""

    def step(self, before: Glimpse, after: Glimpse) -> Iterable[str]:
        """Nothing to object to."""
        del before, after
        return ()

    def rest(self, glimpse: Glimpse) -> Iterable[str]:
        """Nothing to object to."""
        del glimpse
        return ()
