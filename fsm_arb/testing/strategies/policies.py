"""Execution policies: any that a bot's author could write down."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from fsm_arb.policy import POLICY_FIELDS, REQUEST_WINDOW_S, DoubtRemedy, ExecutionPolicy, Placement, Remedy
from fsm_arb.testing.strategies.amounts import decimals
from fsm_arb.values import OrderType

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def _numbers(low: str, high: str, step: str, usual: str) -> SearchStrategy[Decimal]:
    """Draw the default half the time: it is what most bots run under, and what a failure shrinks to."""
    return st.just(Decimal(usual)) | decimals(Decimal(low), Decimal(high), Decimal(step))


def policies(**fixed: Any) -> SearchStrategy[ExecutionPolicy]:
    """Draw policies. What is named stays as it is given; a strategy is drawn from; the rest is free.

    ``doubt_remedy`` is ``wait`` unless it is named: `act_on_known` may over-hedge, and says so.
    The absence fence is never shorter than a venue's request window unless it is named.

    Args:
        fixed: Fields of `ExecutionPolicy`, each a value or a strategy.

    Raises:
        TypeError: A name is no field of the policy.
    """
    unknown = sorted(set(fixed) - set(POLICY_FIELDS))
    if unknown:
        raise TypeError(f"{', '.join(unknown)}: no field of ExecutionPolicy")
    drawn: dict[str, SearchStrategy[Any]] = {
        "placement": st.sampled_from([Placement.SIMULTANEOUS, Placement.SEQUENTIAL]),
        "order_type": st.sampled_from([OrderType.IOC, OrderType.LIMIT, OrderType.MARKET]),
        "fill_timeout_s": _numbers("0.1", "30", "0.1", "5"),
        "slippage_bps": _numbers("0", "100", "0.5", "20"),
        "widen_bps": _numbers("0", "100", "0.5", "20"),
        "attempts_max": st.sampled_from([5, 1, 2, 0, 1, 3, 2, 8]),  # small ones often: they meet the wall
        "backoff_s": _numbers("0", "10", "0.1", "0.5"),
        "remedy": st.sampled_from([Remedy.CHEAPEST, Remedy.COMPLETE, Remedy.UNWIND]),
        "max_remedy_loss_bps": _numbers("0", "1000", "1", "300"),
        "absence_fence_s": _numbers(str(REQUEST_WINDOW_S), "60", "1", "15"),
        "doubt_max_s": _numbers("1", "300", "1", "120"),
        "doubt_remedy": st.just(DoubtRemedy.WAIT),
        "halted_retry_s": _numbers("1", "300", "1", "60"),
    }
    for name, value in fixed.items():
        drawn[name] = value if isinstance(value, st.SearchStrategy) else st.just(value)
    return st.builds(ExecutionPolicy, **drawn)
