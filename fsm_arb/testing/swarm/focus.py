"""Episodes that aim at what chance alone reaches too rarely."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from fsm_arb.policy import Placement
from fsm_arb.testing.simulated.kinds import FaultKind
from fsm_arb.testing.swarm.episode import Act, Level, Mishap
from fsm_arb.values import OrderType


@frozen(kw_only=True)
class Focus:
    """What is bent away from chance.

    Attributes:
        name: What it is called; empty: nothing is bent.
        level: How much goes wrong; None: drawn.
        policy: Fields of the policy.
        faults: Probabilities of kinds of fault, on every venue.
        disk: Fields of `DiskTroubles`.
        adapter: Fields of `AdapterTroubles`.
        ids_raise: Probability of an error where ids are made; zero: drawn.
        planned: What happens besides, and in which state it waits to happen (empty: at a drawn time).
        exits: Share of the decisions that leave a position.
        rich: Share of the venues with ample balances.
        lacks: Share of the methods that a venue without a row of its own does not offer.
        depth: Of the books, by the venues' own measure; None: drawn.
        latency: Of a call, ms, from and to; None: drawn.
        alerts_down: Probability of a failing alert sink; zero: drawn.
    """

    name: str = ""
    level: Level | None = None
    policy: Mapping[str, Any] = field(factory=dict)
    faults: Mapping[FaultKind, float] = field(factory=dict)
    disk: Mapping[str, Any] = field(factory=dict)
    adapter: Mapping[str, Any] = field(factory=dict)
    ids_raise: float = 0.0
    planned: tuple[tuple[Mishap | Act, str], ...] = ()
    exits: float = 0.3
    rich: float = 0.7
    lacks: float = 0.15
    depth: int | None = None
    latency: tuple[float, float] | None = None
    alerts_down: float = 0.0


# One leg fills and nothing can be put right for a while: trades halt, resume, and are helped by hand.
_NAKED = {FaultKind.PARTIAL: 0.3, FaultKind.REFUSED: 0.3, FaultKind.REFUSES: 0.2}

_ALL = (
    Focus(
        name="halting",
        level=Level.MANY,
        policy={"attempts_max": 1},
        faults=_NAKED,
        planned=((Act.RESUME, ""), (Act.RESOLVE, ""), (Act.SETTLE, "")),
    ),
    Focus(
        name="in doubt",
        level=Level.MANY,
        policy={"doubt_max_s": 5},
        faults={
            FaultKind.LOST_AFTER: 0.3,
            FaultKind.LOST_BEFORE: 0.2,
            FaultKind.HIDDEN: 0.2,
            FaultKind.READS_FAIL: 0.1,
        },
        planned=((Act.SETTLE, ""), (Mishap.KILL, "HALTED")),
    ),
    Focus(
        name="crashes",
        planned=tuple((Mishap.KILL, state) for state in ("PRECHECK", "PLACING", "MONITORING", "PARTIAL", "ROLLBACK")),
        faults={FaultKind.PARTIAL: 0.3},
    ),
    Focus(
        name="crashes at the end",
        planned=tuple((Mishap.KILL, state) for state in ("HALTED", "DONE", "DONE", "PARTIAL")),
        faults=_NAKED,
        policy={"attempts_max": 1},
    ),
    Focus(
        name="late",
        faults={FaultKind.LATE_FILL: 0.4, FaultKind.CANCEL_RACE: 0.3, FaultKind.CANCEL_LOST: 0.2},
        policy={"fill_timeout_s": 1},
    ),
    Focus(
        name="resting",
        level=Level.MANY,
        policy={
            "order_type": OrderType.LIMIT,
            "fill_timeout_s": 4,
            "poll_interval_s": Decimal("0.2"),
            "slippage_bps": 0,
            "attempts_max": 2,
            "doubt_max_s": 5,
        },
        faults={
            FaultKind.CANCEL_LOST: 0.25,
            FaultKind.CANCEL_LATE: 0.35,
            FaultKind.CANCEL_RACE: 0.3,
            FaultKind.LATE_FILL: 0.05,
            FaultKind.REPLY_LATE: 0.02,
            FaultKind.DELAYED: 0.2,
        },
        # What rests is cancelled in whatever state the trade is: before its time is over by nothing else.
        disk={"failed": 0.25, "span_s": 1.0},
        depth=1,
    ),
    Focus(
        name="remedies",
        level=Level.MANY,
        policy={"attempts_max": 5},
        faults={
            **_NAKED,
            FaultKind.REFUSES: 0.05,
            FaultKind.ROUNDED: 0.1,
            FaultKind.FEE_ELSEWHERE: 0.1,
            FaultKind.BAND: 0.05,
            FaultKind.FILLS_LATE: 0.1,
            FaultKind.OLD_BALANCE: 0.2,
            FaultKind.DELIVERED_TWICE: 0.05,
        },
        adapter={"place_cancelled": 0.1},
        depth=1,
    ),
    Focus(
        name="cold",
        policy={"health_age_s": 0},
        planned=(
            (Mishap.STALL, "SIZING"),
            (Mishap.KILL, "SIZING"),
            (Mishap.ALTERED, "SIZING"),
            (Mishap.TAKEOVER, "SIZING"),
        ),
        alerts_down=0.5,
        latency=(50.0, 300.0),
    ),
    Focus(
        name="busts",
        planned=((Act.BUST, ""), (Act.BUST, ""), (Act.BUST, "")),
        exits=0.5,
    ),
    Focus(
        name="sequential",
        policy={"placement": Placement.SEQUENTIAL},
        faults={FaultKind.PARTIAL: 0.2, FaultKind.REFUSED: 0.1, FaultKind.NO_ID: 0.1, FaultKind.GARBLED: 0.02},
        adapter={"place_raises": 0.1, "place_cancelled": 0.1},
    ),
    Focus(
        name="disk",
        disk={"full": 0.05, "failed": 0.05, "slow": 0.1, "ours": 0.05},
        faults=_NAKED,
    ),
    Focus(
        name="taken over",
        planned=tuple((Mishap.TAKEOVER, state) for state in ("PLACING", "MONITORING", "PARTIAL", "HALTED")),
        faults=_NAKED,
        policy={"attempts_max": 1},
    ),
    Focus(
        name="clocks",
        planned=tuple(
            (what, state)
            for what in (Mishap.JUMP, Mishap.STALL)
            for state in ("PRECHECK", "PLACING", "MONITORING", "PARTIAL", "ROLLBACK", "HALTED", "DONE")
        ),
        faults=_NAKED,
    ),
    Focus(name="exits", exits=0.9, rich=1.0, faults={FaultKind.PARTIAL: 0.1}),
    Focus(name="poor", rich=0.0, faults={FaultKind.PARTIAL: 0.2, FaultKind.NO_FUNDS: 0.1}),
    Focus(name="blind", lacks=0.6, faults={FaultKind.LOST_BEFORE: 0.1, FaultKind.NO_ID_LOST: 0.1}),
    Focus(name="ours", ids_raise=0.1, adapter={"place_raises": 0.2, "place_cancelled": 0.2, "others_raise": 0.03}),
)

FOCUSES: Mapping[str, Focus] = {focus.name: focus for focus in _ALL}
