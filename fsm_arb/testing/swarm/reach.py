"""Which fault can meet a trade in which state, and why not where it cannot: what a full run must have reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import field, frozen

from fsm_arb.machines.trade import TradeState

if TYPE_CHECKING:
    from fsm_arb.testing.swarm.census import Census

S = TradeState
STATES: tuple[TradeState, ...] = tuple(TradeState)

AT_ONCE = "a trade leaves HEDGED in the very commit in which it enters it: nothing ever meets it there"
UNSENT = "no order has been sent yet"
NOTHING_SENT = "no order is sent from here"
ENDED = "every order has ended"

_NEVER_HEDGED = {S.HEDGED: AT_ONCE}
# Sent in PLACING, by a follower in MONITORING, and as a remedy.
_CREATES = {
    **_NEVER_HEDGED,
    S.PRECHECK: UNSENT,
    S.SIZING: UNSENT,
    S.HALTED: "a halted trade goes back to PARTIAL before it sends anything",
    S.DONE: NOTHING_SENT,
}
_FIRST_ORDERS = {**_NEVER_HEDGED, S.PRECHECK: UNSENT, S.SIZING: UNSENT}
_READS = {**_NEVER_HEDGED, S.PRECHECK: UNSENT, S.SIZING: UNSENT}
_CANCELS = {**_READS, S.DONE: ENDED}


@frozen(kw_only=True)
class Fault:
    """One row of the table of faults.

    Attributes:
        number: Its row.
        name: In a few words.
        excluded: The states in which it cannot meet a trade, each with why.
    """

    number: int
    name: str
    excluded: Mapping[TradeState, str] = field(factory=dict)

    @property
    def states(self) -> tuple[TradeState, ...]:
        """The states in which it can meet a trade."""
        return tuple(state for state in STATES if state not in self.excluded)


def _nowhere(why: str) -> dict[TradeState, str]:
    return dict.fromkeys(STATES, why)


FAULTS: tuple[Fault, ...] = (
    Fault(number=1, name="create times out, the order exists", excluded=_CREATES),
    Fault(number=2, name="request lost, nothing arrived", excluded=_NEVER_HEDGED),
    Fault(number=3, name="delivered twice", excluded=_CREATES),
    Fault(number=4, name="accepted late", excluded=_CREATES),
    Fault(number=5, name="fill before acknowledgement", excluded=_NEVER_HEDGED),
    Fault(number=6, name="fill after the end was told", excluded=_FIRST_ORDERS),
    Fault(number=7, name="cancel refused, it had filled", excluded=_CANCELS),
    Fault(number=8, name="cancel lost", excluded=_CANCELS),
    Fault(number=9, name="partial fill, rest ends", excluded=_CREATES),
    Fault(number=10, name="duplicated fill", excluded=_READS),
    Fault(number=11, name="re-ordered events", excluded=_READS),
    Fault(number=12, name="missing fill", excluded=_READS),
    Fault(number=13, name="stale read", excluded=_READS),
    Fault(number=14, name="filled shown before its fills", excluded=_CREATES),
    Fault(number=15, name="not found right after create", excluded=_CREATES),
    Fault(number=16, name="average missing or wrong", excluded=_READS),
    Fault(number=17, name="fee in base, or untold", excluded=_READS),
    Fault(number=18, name="fee in a third asset", excluded=_CREATES),
    Fault(number=19, name="lot, minimum, dust", excluded=_CREATES),
    Fault(number=20, name="the venue rounds", excluded=_CREATES),
    Fault(number=21, name="price band", excluded=_CREATES),
    Fault(number=22, name="no balance for the hedge", excluded=_CREATES),
    Fault(number=23, name="balances lag", excluded=_NEVER_HEDGED),
    Fault(number=24, name="halt, maintenance, delisting", excluded=_NEVER_HEDGED),
    Fault(number=25, name="rate limit, ban", excluded=_NEVER_HEDGED),
    Fault(number=26, name="clock skew, nonce", excluded=_NEVER_HEDGED),
    Fault(number=27, name="key revoked", excluded=_NEVER_HEDGED),
    Fault(number=28, name="bust", excluded=_FIRST_ORDERS),
    Fault(number=29, name="unknown status or field", excluded=_READS),
    Fault(number=30, name="post-only refused", excluded=_nowhere("post-only orders are not built yet")),
    Fault(number=31, name="a cancel done late", excluded=_CANCELS),
    Fault(number=32, name="kill -9", excluded=_NEVER_HEDGED),
    Fault(
        number=33,
        name="disk full, failed or slow",
        excluded={**_NEVER_HEDGED, S.SIZING: "nothing is written between the checks and the plan"},
    ),
    Fault(number=34, name="altered journal", excluded=_NEVER_HEDGED),
    Fault(
        number=35,
        name="two processes",
        excluded={**_NEVER_HEDGED, S.SIZING: "a fence is met where records are written, and none is while it is sized"},
    ),
    Fault(number=36, name="wall clock jumps", excluded=_NEVER_HEDGED),
    Fault(number=37, name="event loop stalls", excluded=_NEVER_HEDGED),
    Fault(number=38, name="alert sink down", excluded=_NEVER_HEDGED),
    Fault(number=39, name="error in our own code", excluded=_NEVER_HEDGED),
    Fault(number=40, name="placing raises", excluded=_CREATES),
    Fault(number=41, name="one leg refused", excluded=_CREATES),
    Fault(number=42, name="reads fail in a row", excluded=_READS),
    Fault(number=43, name="the hedge is refused", excluded=_CREATES),
    Fault(number=44, name="a reply without an id, or garbled", excluded=_NEVER_HEDGED),
    Fault(number=45, name="the placing task is cancelled", excluded=_CREATES),
)

# Edges that no sequence of events leads along, each with why.
UNREACHABLE: Mapping[tuple[str, str, str], str] = {
    ("HEDGED", "disturbed", "PARTIAL"): AT_ONCE,
}


def holes(census: Census) -> tuple[str, ...]:
    """Return every pair of fault and state that can occur and was not reached, and every edge that was not taken."""
    missed = [
        f"fault {fault.number} ({fault.name}) has met no trade in {state}"
        for fault in FAULTS
        for state in fault.states
        if not census.met(fault.number, state)
    ]
    return (*missed, *(f"the edge {edge} was not taken" for edge in census.missing_edges(UNREACHABLE)))
