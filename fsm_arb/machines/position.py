"""The position machine: what a hedged entry opens and an exit closes.

A trade that disturbs its position amends the quantity. An amendment is a record,
not a move, unless it leaves no more than dust; that is why so few rows stand here.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

from attrs import define, frozen

from fsm_arb.machines.table import Engine, Row, Table, drives, guard


class PositionState(enum.StrEnum):
    """Where a position stands."""

    OPEN = "OPEN"  # hedged on both venues; an exit may start
    CLOSING = "CLOSING"  # one exit trade is at work on it
    CLOSED = "CLOSED"  # nothing left but dust


class Remainder(enum.Enum):
    """What is left of a position, measured by the two venues' least orders."""

    TRADABLE = "tradable"  # both legs are at or above their least order
    DUST = "dust"  # a leg is below it: no exit could be sent for that leg


class Cause(enum.Enum):
    """Why a position is looked at."""

    EXIT = "exit"  # an exit trade starts, or has ended
    AMENDMENT = "amendment"  # a late fill or a fee correction changed what a trade received
    BUST = "bust"  # a venue took an execution of that trade back


@frozen
class PositionView:
    """All that the guards see."""

    remainder: Remainder
    cause: Cause


tradable = guard(
    "tradable",
    "remainder",
    Remainder.TRADABLE,
    doc="The remainder is at or above both venues' least orders.",
)
dust = guard("dust", "remainder", Remainder.DUST, doc="A leg's remainder is below its venue's least order.")
exiting = guard("exiting", "cause", Cause.EXIT, doc="An exit trade starts, or has ended.")
disturbed = guard(
    "disturbed",
    "cause",
    Cause.AMENDMENT,
    Cause.BUST,
    doc="Late facts about a finished trade changed what it received.",
)
busted = guard("busted", "cause", Cause.BUST, doc="A venue took an execution of that trade back.")
late = guard("late", "cause", Cause.AMENDMENT, doc="A late fill or a fee changed what a trade received; no bust.")

# The first row of a state is the way things should go.
POSITION_TABLE = Table(
    name="position",
    states=PositionState,
    initial=PositionState.OPEN,
    final=frozenset({PositionState.CLOSED}),
    rows=(
        Row(
            PositionState.OPEN,
            "exit_started",
            PositionState.CLOSING,
            guards=(exiting,),
            why="An exit trade has begun; a second one would sell the same base twice.",
        ),
        Row(
            PositionState.OPEN,
            "amended",
            PositionState.CLOSED,
            guards=(disturbed, dust),
            why="A late fill, a fee or a bust left less than could ever be traded.",
        ),
        Row(
            PositionState.CLOSING,
            "exit_ended",
            PositionState.CLOSED,
            guards=(exiting, dust),
            why="The exit sold what could be sold; the rest is dust and is recorded.",
        ),
        Row(
            PositionState.CLOSING,
            "exit_ended",
            PositionState.OPEN,
            guards=(exiting, tradable),
            why="The exit left a hedge: it was blocked, rolled back or partial, or took more than there was by then.",
        ),
        # Closed for good, save where its trades no longer cancel out: what stands on two venues again is open again,
        # the way it was entered or the other way round.
        Row(
            PositionState.CLOSED,
            "reopened",
            PositionState.OPEN,
            guards=(busted, tradable),
            why="A venue took an execution back, and trading its twin back left both legs with base again.",
        ),
        Row(
            PositionState.CLOSED,
            "reopened",
            PositionState.OPEN,
            guards=(late, tradable),
            why="What filled late could not be completed and was traded back, so both legs hold base: no bust was it.",
        ),
    ),
)

POSITION_ENGINE = Engine(POSITION_TABLE)


@drives(POSITION_TABLE)
@define(eq=False)
class PositionMachine:
    """The state of one position. Every trigger raises, and changes nothing, where the table has no row for it.

    Attributes:
        record: Called with the row before the state changes; if it raises, nothing moves.
        state: One of `PositionState`, as plain text.
    """

    record: Callable[[Row], None]
    state: str = POSITION_TABLE.initial

    def exit_started(self, view: PositionView) -> Row:
        """An exit trade begins."""
        return POSITION_ENGINE.fire(self, "exit_started", view)

    def exit_ended(self, view: PositionView) -> Row:
        """The exit trade is DONE, however it ended."""
        return POSITION_ENGINE.fire(self, "exit_ended", view)

    def amended(self, view: PositionView) -> Row:
        """A disturbed trade has settled and left only dust of this position."""
        return POSITION_ENGINE.fire(self, "amended", view)

    def reopened(self, view: PositionView) -> Row:
        """A disturbed trade has settled and left both legs with base again."""
        return POSITION_ENGINE.fire(self, "reopened", view)

    def on_move(self, row: Row) -> None:
        """Record that *row* is being taken; called by the engine."""
        self.record(row)
