"""How a trade may be executed: every number a bot author can set, with unit and default."""

from __future__ import annotations

import enum
import warnings
from decimal import Decimal
from typing import Any, TypeVar

from attrs import Attribute, field, fields, frozen

from fsm_arb.errors import InvalidInput
from fsm_arb.values import BPS, ONE, OrderType, not_negative, positive, to_decimal

NS_PER_S = 1_000_000_000

# Binance answers no later than its recvWindow, which ccxt sets to 10 s.
REQUEST_WINDOW_S = Decimal(10)


_Enum = TypeVar("_Enum", bound=enum.Enum)


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


Number = Decimal | int | float | str


def _number(value: Number) -> Decimal:
    """Return *value* as a Decimal, a float by its shortest text; what is no number is left for `_is_number` to name."""
    try:
        return to_decimal(str(value) if isinstance(value, float) else value, "")
    except InvalidInput:
        return value  # type: ignore[return-value]


def _is_number(_self: object, attribute: Attribute[Any], value: object) -> None:
    to_decimal(str(value) if isinstance(value, float) else value, attribute.name)


def _placement(value: Placement | str) -> Placement:
    return _member(Placement, value)


def _order_type(value: OrderType | str) -> OrderType:
    return _member(OrderType, value)


def _remedy(value: Remedy | str) -> Remedy:
    return _member(Remedy, value)


def _doubt_remedy(value: DoubtRemedy | str) -> DoubtRemedy:
    return _member(DoubtRemedy, value)


def _member(kind: type[_Enum], value: _Enum | str) -> _Enum:
    """Return the member that *value* is or names; what is none is left for `_is_member` to name."""
    try:
        return kind(value)
    except ValueError:
        return value  # type: ignore[return-value]


def _is_member(kind: type[enum.Enum]) -> Any:
    def check(_self: object, attribute: Attribute[Any], value: object) -> None:
        if not isinstance(value, kind):
            choices = ", ".join(str(member.value) for member in kind)
            raise InvalidInput(attribute.name, value, f"must be one of {choices}")

    return check


def _whole(_self: object, attribute: Attribute[Any], value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidInput(attribute.name, value, "must be a whole number, zero or more")


def _bps_below_one(_self: object, attribute: Attribute[Any], value: Decimal) -> None:
    if value >= BPS:
        raise InvalidInput(attribute.name, value, "must be below 10000 bps")


def _at_most_one(_self: object, attribute: Attribute[Any], value: Decimal) -> None:
    if value > ONE:
        raise InvalidInput(attribute.name, value, "must be from 0 to 1")


_POSITIVE = [_is_number, positive]
_NOT_NEGATIVE = [_is_number, not_negative]
_SHARE = [_is_number, not_negative, _bps_below_one]


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
        attempts_max: Remedies that fall short until the trade halts; 0 calls a person at once. A resumed trade has one.
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

    placement: Placement = field(default=Placement.SIMULTANEOUS, converter=_placement, validator=_is_member(Placement))
    order_type: OrderType = field(default=OrderType.IOC, converter=_order_type, validator=_is_member(OrderType))
    fill_timeout_s: Decimal = field(default=Decimal(5), converter=_number, validator=_POSITIVE)
    request_timeout_s: Decimal = field(default=Decimal(10), converter=_number, validator=_POSITIVE)
    slippage_bps: Decimal = field(default=Decimal(20), converter=_number, validator=_SHARE)
    widen_bps: Decimal = field(default=Decimal(20), converter=_number, validator=_SHARE)
    attempts_max: int = field(default=5, validator=_whole)
    backoff_s: Decimal = field(default=Decimal("0.5"), converter=_number, validator=_NOT_NEGATIVE)
    remedy: Remedy = field(default=Remedy.CHEAPEST, converter=_remedy, validator=_is_member(Remedy))
    max_remedy_loss_bps: Decimal = field(default=Decimal(300), converter=_number, validator=_SHARE)
    poll_interval_s: Decimal = field(default=Decimal("0.5"), converter=_number, validator=_POSITIVE)
    absence_fence_s: Decimal = field(default=Decimal(15), converter=_number, validator=_NOT_NEGATIVE)
    doubt_max_s: Decimal = field(default=Decimal(120), converter=_number, validator=_NOT_NEGATIVE)
    doubt_remedy: DoubtRemedy = field(
        default=DoubtRemedy.WAIT, converter=_doubt_remedy, validator=_is_member(DoubtRemedy)
    )
    send_max_age_s: Decimal = field(default=Decimal(5), converter=_number, validator=_POSITIVE)
    decision_max_age_s: Decimal = field(default=Decimal(10), converter=_number, validator=_POSITIVE)
    halted_retry_s: Decimal = field(default=Decimal(60), converter=_number, validator=_POSITIVE)
    watch_after_done_s: Decimal = field(default=Decimal(300), converter=_number, validator=_NOT_NEGATIVE)
    health_age_s: Decimal = field(default=Decimal(30), converter=_number, validator=_NOT_NEGATIVE)
    clock_offset_max_ms: Decimal = field(default=Decimal(5000), converter=_number, validator=_POSITIVE)
    fx_max_age_s: Decimal = field(default=Decimal(60), converter=_number, validator=_POSITIVE)
    fx_min_confidence: Decimal = field(
        default=Decimal("0.8"), converter=_number, validator=[*_NOT_NEGATIVE, _at_most_one]
    )

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
