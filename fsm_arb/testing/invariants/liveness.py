"""Liveness: once the faults have stopped every trade ends, and nothing stays naked for longer than the policy says.

HALTED may remain only where neither venue would take any remedy at the
policy's last band when it last asked (the instrument knows, and names the
trade in `Glimpse.walls`), with an alert that names its exposure. A price that
has come back since then is for the next slow retry to meet.

How long may a trade stay naked after the faults have stopped? `naked_max_ns`
adds up what its own policy makes it wait for, each wait at its worst, none of
them overlapping:

- its first orders rest until their deadline: ``fill_timeout_s``;
- a call that is out is given up: ``request_timeout_s``;
- an order in doubt is presumed absent past ``absence_fence_s``, after three
  looks that lie up to ten poll intervals apart, each taking up to
  ``request_timeout_s``; or it halts at ``doubt_max_s``, and is asked for on;
- a halted trade waits for its slow retry: ``halted_retry_s``;
- then each attempt of a fresh budget waits for its back-off, asks both venues
  and places one order (``request_timeout_s`` each), gives it
  ``fill_timeout_s``, asks for its cancel and looks for its end.

On calm venues that trade at all the first attempt succeeds; the whole budget
is granted because a venue may still refuse a price or a size for good reason.
A remedy that fills whole is not counted by the budget: in coarse lots it may
leave a rest for the other leg, for which nobody waits a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from fsm_arb.ledger import MISSES_MIN
from fsm_arb.policy import seconds_ns
from fsm_arb.testing.invariants.reckoning import true_exposure
from fsm_arb.testing.invariants.silent import Silent
from fsm_arb.values import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_arb.ledger import Ledger
    from fsm_arb.policy import ExecutionPolicy
    from fsm_arb.testing.glimpse import Glimpse
    from fsm_arb.trade import Trade

POLL_GROWTH = 10  # two looks at a live order lie up to this many poll intervals apart
NS_PER_S = 1_000_000_000


@define(eq=False)
class Liveness(Silent):
    """Every trade ends, or is loudly and truly stuck.

    Attributes:
        alerts: Whether the instrument hears alerts; one that cannot is not asked for them.
    """

    alerts: bool = True
    number = 16
    name = "liveness"
    claim = "once the faults stop every trade ends, or has met a wall and said so; nothing stays naked or in doubt"

    def step(self, before: Glimpse, after: Glimpse) -> Iterator[str]:
        """Judge, on calm venues, whatever has been naked or in doubt for too long."""
        del before
        if after.faults_on or after.calm_since is None:
            return
        for trade_id, trade in after.trades.items():
            if trade.ledger is not None and not trade.done and trade_id not in after.walls:
                yield from _too_long(after, trade, trade.ledger, after.calm_since)

    def rest(self, glimpse: Glimpse) -> Iterator[str]:
        """Judge how every trade has ended."""
        if glimpse.faults_on:
            return
        for trade_id, trade in glimpse.trades.items():
            for order in trade.ledger.live if trade.ledger else ():
                doubt = "is in doubt" if order.in_doubt else f"is {order.lifecycle.value}"
                if trade_id not in glimpse.walls:
                    yield f"trade {trade_id}: order {order.intent.client_order_id} {doubt} still"
            if trade.done:
                continue
            if not trade.halted:
                yield f"trade {trade_id} is {trade.state} still, with {trade.exposure:f} naked as we know it"
                continue
            if trade_id not in glimpse.walls:
                yield f"trade {trade_id} is HALTED with {trade.exposure:f} naked, and a remedy could be sent"
            if self.alerts and not any(_names(alert, trade) for alert in glimpse.alerts):
                yield f"trade {trade_id} is HALTED with {trade.exposure:f} naked, and no alert says so"


def _names(alert: str, trade: Trade) -> bool:
    return trade.trade_id in alert and plain(trade.exposure) in alert


def _too_long(after: Glimpse, trade: Trade, ledger: Ledger, calm_since: int) -> Iterator[str]:
    since = max(calm_since, trade.begun.now)
    if after.now <= since:
        return
    for order in ledger.live:
        if not order.in_doubt or order.placing_ended_at is None:
            continue
        waited = after.now - max(since, order.placing_ended_at, order.cancel_asked_at or 0)
        if waited > (bound := doubt_max_ns(trade.policy)):
            yield (
                f"trade {trade.trade_id}: order {order.intent.client_order_id} has been in doubt for "
                f"{waited / NS_PER_S:.1f} s on calm venues; its policy allows {bound / NS_PER_S:.1f} s"
            )
    exposure = true_exposure(trade, after.orders)
    if abs(exposure) >= ledger.plan.dust and after.now - since > (bound := naked_max_ns(trade.policy)):
        yield (
            f"trade {trade.trade_id} is {trade.state} and {exposure:f} {ledger.plan.legs[0].rules.base} has been "
            f"naked for {(after.now - since) / NS_PER_S:.1f} s on calm venues; "
            f"its policy allows {bound / NS_PER_S:.1f} s"
        )


def doubt_max_ns(policy: ExecutionPolicy) -> int:
    """Return how long an order may stay in doubt on calm venues after its call ended, ns.

    The fence, and then as many looks as absence takes, each as late and as slow as it may be.
    """
    looks = MISSES_MIN * (POLL_GROWTH * policy.poll_interval_s + policy.request_timeout_s)
    return seconds_ns(policy.request_timeout_s + policy.absence_fence_s + looks)


def naked_max_ns(policy: ExecutionPolicy) -> int:
    """Return how long a trade may stay naked on calm venues, ns: every wait of its policy, one after the other."""
    calls = 3 * policy.request_timeout_s  # both venues are asked at once; then the order, then its cancel
    looks = POLL_GROWTH * policy.poll_interval_s + policy.request_timeout_s
    attempts = max(policy.attempts_max, 1)  # a retry grants one at least
    each = seconds_ns(calls + looks + policy.fill_timeout_s)
    waits = sum(policy.backoff_ns(attempt) for attempt in range(attempts))
    first = seconds_ns(policy.fill_timeout_s + policy.request_timeout_s + policy.halted_retry_s)
    return first + doubt_max_ns(policy) + attempts * each + waits
