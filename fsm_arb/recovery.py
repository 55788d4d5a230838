"""Taking up what another process left. Recovery is no mode: the trade is folded, told, and goes on.

Its unsettled orders are observed like any others. Every deadline counts as
passed, the absence fence starts now, and a trade without an intent is aborted.
Nothing is ever sent again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.messages import Restarted
from fsm_arb.trade import Step, Trade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsm_arb.scribe import Page, Scribe


def unfinished(scribe: Scribe, fresh_id: Callable[[], str]) -> Iterator[tuple[Trade, Page]]:
    """Yield every trade that has not ended, or whose watch was not over, as its records describe it.

    Raises:
        JournalError: A trade's records cannot be read.
    """
    for trade_id in scribe.trade_ids(live=True):
        found = scribe.trade(trade_id, fresh_id)
        if found is not None:
            yield found


def take_up(trade: Trade, now: int, at_ns: int) -> Step:
    """Tell a trade that another process drives it; a finished one has nothing to be told and is only watched.

    Args:
        trade: As folded from its records.
        now: Monotonic ns, not before the journal's lock was taken.
        at_ns: Wall clock, UTC ns.
    """
    return Step() if trade.done else trade.handle(Restarted(now=now), at_ns)
