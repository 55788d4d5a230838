"""What must be true once the last process is at rest, wherever the ones before it died."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_arb.testing.crash.lives import Trial
    from fsm_arb.testing.glimpse import Glimpse


def wrongs(trial: Trial) -> Iterator[str]:
    """Yield all that went wrong in a trial: what its checkers found on the way, and how it ended."""
    seen: set[str] = set()
    for violation in trial.outside.witness.violations:
        # What stands on is found again at every step.
        if str(violation) not in seen:
            seen.add(str(violation))
            yield str(violation)
    glimpse = trial.outside.witness.glimpse
    yield from _sent(glimpse)
    if not trial.came_to_rest:
        yield f"it never came to rest: {trial.lives[-1].error or 'it died'}"
        return
    yield from (f"order {name} is live on {order.venue}" for name, order in glimpse.orders.items() if order.live)
    yield from (f"trade {trade.trade_id} is {trade.state}" for trade in glimpse.trades.values() if not trade.finished)
    yield from (f"an error of our own: {error}" for error in glimpse.errors)


def _sent(glimpse: Glimpse) -> Iterator[str]:
    for name, times in Counter(create.client_order_id for create in glimpse.creates).items():
        if times > 1:
            yield f"order {name} was sent {times} times"
    for create in glimpse.creates:
        if not create.durable:
            yield f"order {create.client_order_id} was sent before its intent was durable"
