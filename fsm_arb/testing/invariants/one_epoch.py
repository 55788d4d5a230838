"""Invariant 11: who has lost the journal writes nothing, and an intent that has grown old is not sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.policy import seconds_ns
from fsm_arb.testing.invariants.reckoning import owner
from fsm_arb.testing.invariants.silent import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_arb.testing.glimpse import Create, Glimpse

NS_PER_S = 1_000_000_000


class OneEpoch(Silent):
    """One process drives a journal, and what it sends it has decided just now."""

    number = 11
    name = "one epoch"
    claim = "no append of an epoch once a later one exists, and no send whose intent is older than its limit"

    def step(self, before: Glimpse, after: Glimpse) -> Iterator[str]:
        """Judge what was asked of the journal and what was sent in this step."""
        if after.appends is not before.appends:
            for append in after.appends[len(before.appends) :]:
                if append.accepted and append.epoch < append.latest_epoch:
                    streams = ", ".join(append.streams) or "its records"
                    yield f"epoch {append.epoch} wrote {streams} although epoch {append.latest_epoch} exists"
        if after.creates is not before.creates:
            for create in after.creates[len(before.creates) :]:
                yield from _age(after, create)


def _age(glimpse: Glimpse, create: Create) -> Iterator[str]:
    if create.intent_age_ns is None:
        return
    found = owner(glimpse.trades.values(), create.client_order_id)
    if found is None:
        return  # `intent_first` names it
    limit_s = found[0].policy.send_max_age_s
    if create.intent_age_ns > seconds_ns(limit_s):
        yield (
            f"order {create.client_order_id} was sent to {create.venue} {create.intent_age_ns / NS_PER_S:.3f} s "
            f"after its intent; {limit_s:f} s is the limit"
        )
