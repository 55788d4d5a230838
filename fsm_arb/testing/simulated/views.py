"""An order as one reading shows it, bent by what that reading meets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from fsm_arb.matching.orders import Status
from fsm_arb.testing.simulated.kinds import Fault, FaultKind

if TYPE_CHECKING:
    from fsm_arb.matching.orders import Execution, Order

SELF_TRADED = "expired_in_match"
UNKNOWN_WORDS = ("frozen", "pending_review", SELF_TRADED, "7")
ENDED_WORDS = ("expired", "canceled", "rejected", "closed")  # that venues use for what ended short


@frozen(kw_only=True)
class View:
    """One order as a reading shows it."""

    order: Order
    fills: list[Execution]
    word: str | None = None  # its status, where it is not the usual one
    average: str = "right"  # or missing, or limit
    fees: bool = True
    strange: bool = False  # fields that nobody knows, others gone

    @property
    def says_over(self) -> bool:
        """Whether whoever reads it must take the order for ended."""
        return not self.order.is_open and self.word not in UNKNOWN_WORDS


def seen(
    order: Order, fault: Fault | None, now_ms: int, shown: Callable[[list[Execution], int], list[Execution]]
) -> tuple[View, bool]:
    """Return *order* as a reading shows it, and whether *fault* bent it.

    Args:
        order: As it stands.
        fault: What the reading met.
        now_ms: The venue's time.
        shown: Gives those executions that reads show by now.
    """
    kind = None if fault is None else fault.kind
    if fault is not None and kind is FaultKind.STALE:
        then = order.as_of(now_ms - fault.ms)
        view = View(order=then, fills=shown(then.fills, now_ms - fault.ms))
        return view, (then.status, then.filled) != (order.status, order.filled)
    view = View(order=order, fills=shown(order.fills, now_ms))
    bend = None if kind is None else _BENDS.get(kind)
    bent = None if bend is None or fault is None else bend(view, fault)
    return (view, False) if bent is None else (bent, True)


def reordered(fills: list[Execution]) -> list[Execution]:
    """Return executions in reverse, all stamped with the time of the last."""
    return [evolve(fill, at_ms=fills[-1].at_ms) for fill in reversed(fills)]


def _without_last(view: View, fault: Fault) -> View | None:
    """Leave the last execution out: of the executions alone, or of what is filled as well."""
    if not view.fills:
        return None
    order, last = view.order, view.fills[-1]
    if fault.either("rows", "filled") == "filled":
        fills = [fill for fill in order.fills if fill is not last]
        order = evolve(order, fills=fills, filled=order.filled - last.amount, spent=order.spent - last.cost)
    return evolve(view, order=order, fills=view.fills[:-1])


def _twice(view: View, _: Fault) -> View | None:
    return evolve(view, fills=[*view.fills, view.fills[-1]]) if view.fills else None


def _backwards(view: View, _: Fault) -> View | None:
    return evolve(view, fills=reordered(view.fills)) if len(view.fills) > 1 else None


# What each kind makes of an order that is shown; None where there is nothing to bend.
_BENDS: Mapping[FaultKind, Callable[[View, Fault], View | None]] = {
    FaultKind.MISSING_FILL: _without_last,
    FaultKind.DUPLICATED_FILL: _twice,
    FaultKind.REORDERED: _backwards,
    FaultKind.AVERAGE_MISSING: lambda view, _: evolve(view, average="missing") if view.order.filled else None,
    FaultKind.AVERAGE_WRONG: lambda view, _: evolve(view, average="limit") if view.order.filled else None,
    FaultKind.FEE_MISSING: lambda view, _: evolve(view, fees=False) if view.order.filled else None,
    FaultKind.UNKNOWN_STATUS: lambda view, fault: evolve(view, word=fault.either(*UNKNOWN_WORDS)),
    FaultKind.UNKNOWN_FIELDS: lambda view, _: evolve(view, strange=True),
}


def cancelled(order: Order) -> View:
    """Return *order* as a venue shows it that says it has cancelled it."""
    return View(order=evolve(order, status=Status.CANCELED), fills=order.fills)
