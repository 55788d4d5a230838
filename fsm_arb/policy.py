"""How a trade may be executed: every number a bot author can set, with unit and default."""

from __future__ import annotations

import enum
import warnings
from decimal import Decimal
from typing import Any

from attrs import Attribute, field, fields, frozen

from fsm_arb.errors import InvalidInput
from fsm_arb.values import BPS, ONE, OrderType, not_negative, positive, to_decimal

NS_PER_S = 1_000_000_000

# Binance answers no later than its recvWindow, which ccxt sets to 10 s.
REQUEST_WINDOW_S = Decimal(10)


class Placement(enum.Enum):
    """When the two first orders go out."""

    SIMULTANEOUS = "simultaneous"  # both at once
    SEQUENTIAL = "sequential"  # legs[0] first; legs[1] for what legs[0] received
    MAKER_TAKER = "maker_taker"  # legs[0] rests post-only; legs[1] follows its fills (refused: not built yet)


class Remedy(enum.Enum):
    """Which way out of an unmatched trade is tried first. The other follows when it cannot be sent."""

    CHEAPEST = "cheapest"
    COMPLETE = "complete"
    UNWIND = "unwind"


class DoubtRemedy(enum.Enum):
    """What to do when an order stays in doubt past ``doubt_max_s``."""

    WAIT = "wait"  # halt, keep asking, send nothing
    ACT_ON_KNOWN = "act_on_known"  # hedge what is known; may over-hedge if the doubtful order lives


def _number(value: Any, _self: Any, attribute: Attribute[Any]) -> Decimal:
    return to_decimal(str(value) if isinstance(value, float) else value, attribute.name)


def _choice(kind: type[enum.Enum]) -> Any:
    def convert(value: Any, _self: Any, attribute: Attribute[Any]) -> Any:
        try:
            return kind(value)
        except ValueError:
            choices = ", ".join(str(member.value) for member in kind)
            raise InvalidInput(attribute.name, value, f"must be one of {choices}") from None

    return convert


def _whole(_self: object, attribute: Attribute[Any], value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidInput(attribute.name, value, "must be a whole number, zero or more")


def _bps_below_one(_self: object, attribute: Attribute[Any], value: Decimal) -> None:
    if value >= BPS:
        raise InvalidInput(attribute.name, value, "must be below 10000 bps")


def _converter(convert: Any) -> Any:
    from attrs import Converter

    return Converter(convert, takes_self=True, takes_field=True)


def _decimal(default: str, *validators: Any) -> Any:
    return field(default=Decimal(default), converter=_converter(_number), validator=list(validators))


def _enum(default: enum.Enum) -> Any:
    return field(default=default, converter=_converter(_choice(type(default))))


@frozen(kw_only=True)
class ExecutionPolicy:
    """The numbers of one executor. Any number may be given as int, float, str or Decimal.

    Attributes:
        placement: When the first orders go out.
        order_type: How first orders meet the book; remedies are always bounded by a limit.
        fill_timeout_s: Seconds an order may stay live before it is cancelled; remedies too.
        request_timeout_s: Seconds one call to a venue may take; a placing call that takes longer is in doubt.
        slippage_bps: How far past its reference price an order's limit may lie.
        widen_bps: Added to the band of a remedy at each further attempt.
        attempts_max: Remedies tried before the trade halts; 0 calls a person at once. A resumed trade has one at least.
        backoff_s: Seconds between the first two attempts, doubling from there.
        remedy: Which remedy is preferred.
        max_remedy_loss_bps: A remedy's limit is never worse than the decision's price by more than this.
        poll_interval_s: Seconds between two looks at a live order, growing to ten times that.
        absence_fence_s: Seconds after a placing call ended before "not found" can mean that it never arrived.
        doubt_max_s: Seconds an order may stay in doubt before the trade halts.
        doubt_remedy: What a trade does then.
        send_max_age_s: Seconds between an intent and its bytes on the wire; older is never sent.
        decision_max_age_s: Seconds a decision with ``decided_at`` stays good for an entry.
        halted_retry_s: Seconds between the slow retries of a halted trade.
        watch_after_done_s: Seconds for which finished orders are observed on, and again at the next start.
        health_age_s: Seconds a reading of health, balances or rules stays good; older is taken afresh.
        clock_offset_max_ms: An entry is blocked when a venue's clock differs from ours by more.
        fx_max_age_s: Seconds a rate stays good for an entry.
        fx_min_confidence: An entry is blocked when the rate's source is trusted less (0 to 1).

    Raises:
        InvalidInput: A number is out of range; names field and value.
    """

    placement: Placement = _enum(Placement.SIMULTANEOUS)
    order_type: OrderType = _enum(OrderType.IOC)
    fill_timeout_s: Decimal = _decimal("5", positive)
    request_timeout_s: Decimal = _decimal("10", positive)
    slippage_bps: Decimal = _decimal("20", not_negative, _bps_below_one)
    widen_bps: Decimal = _decimal("20", not_negative, _bps_below_one)
    attempts_max: int = field(default=5, validator=_whole)
    backoff_s: Decimal = _decimal("0.5", not_negative)
    remedy: Remedy = _enum(Remedy.CHEAPEST)
    max_remedy_loss_bps: Decimal = _decimal("300", not_negative, _bps_below_one)
    poll_interval_s: Decimal = _decimal("0.5", positive)
    absence_fence_s: Decimal = _decimal("15", not_negative)
    doubt_max_s: Decimal = _decimal("120", not_negative)
    doubt_remedy: DoubtRemedy = _enum(DoubtRemedy.WAIT)
    send_max_age_s: Decimal = _decimal("5", positive)
    decision_max_age_s: Decimal = _decimal("10", positive)
    halted_retry_s: Decimal = _decimal("60", positive)
    watch_after_done_s: Decimal = _decimal("300", not_negative)
    health_age_s: Decimal = _decimal("30", not_negative)
    clock_offset_max_ms: Decimal = _decimal("5000", positive)
    fx_max_age_s: Decimal = _decimal("60", positive)
    fx_min_confidence: Decimal = _decimal("0.8", not_negative)

    def __attrs_post_init__(self) -> None:
        if self.placement is Placement.MAKER_TAKER:
            raise InvalidInput("placement", self.placement.value, "is not built yet; use simultaneous or sequential")
        if self.absence_fence_s < REQUEST_WINDOW_S:
            warnings.warn(
                f"absence_fence_s={self.absence_fence_s}: shorter than the {REQUEST_WINDOW_S} s request window of a "
                "venue; an order believed absent may still be accepted",
                UserWarning,
                stacklevel=3,
            )

    def band(self, attempt: int) -> Decimal:
        """Return how far past the touch the limit of remedy number *attempt* (from 0) may lie, as a fraction."""
        return (self.slippage_bps + self.widen_bps * attempt) / BPS

    @property
    def final_band(self) -> Decimal:
        """The widest band any remedy of this policy can reach, as a fraction."""
        return min(self.band(max(self.attempts_max - 1, 0)), self.max_remedy_loss_bps / BPS)

    def backoff_ns(self, attempt: int) -> int:
        """Return the wait before remedy number *attempt* (from 0): none, then ``backoff_s`` doubling."""
        return 0 if attempt == 0 else seconds_ns(self.backoff_s) << min(attempt - 1, 16)


def seconds_ns(seconds: Decimal) -> int:
    """Return *seconds* in whole nanoseconds."""
    return int(seconds * NS_PER_S)


def loss_bound(price: Decimal, sign: int, policy: ExecutionPolicy) -> Decimal:
    """Return the worst price a remedy may trade at, given the decision's *price* and the order's sign."""
    return price * (ONE + sign * policy.max_remedy_loss_bps / BPS)


POLICY_FIELDS: tuple[str, ...] = tuple(attribute.name for attribute in fields(ExecutionPolicy))
