"""The trade machine: the only place where an edge of a cross trade exists.

Fills, acknowledgements and cancels are observations. They change the ledger,
never directly the state; after each of them the trade is asked which edge, if
any, is now true. So the order in which facts arrive does not matter, and no
row can veto a fill.
"""

from __future__ import annotations

import enum

from attrs import frozen

from fsm_arb.choice import Standing
from fsm_arb.machines.table import Engine, Row, Table, drives, guard
from fsm_arb.messages import Kind, Outcome


class TradeState(enum.StrEnum):
    """Where a cross trade stands."""

    PRECHECK = "PRECHECK"  # health, secrets, risk, price and FX are judged
    SIZING = "SIZING"  # from a notional to two orders both venues will take
    PLACING = "PLACING"  # the first orders are on their way
    MONITORING = "MONITORING"  # every placing call has an outcome; fills are awaited
    HEDGED = "HEDGED"  # what was bought and sold matches
    PARTIAL = "PARTIAL"  # it does not match, or may not; completing
    ROLLBACK = "ROLLBACK"  # trading back the excess
    HALTED = "HALTED"  # automation met a wall; a person is called, slow retries go on
    DONE = "DONE"  # nothing is live and nothing is naked


class Checks(enum.Enum):
    """What the pre-checks said."""

    PENDING = "pending"
    PASSED = "passed"
    REFUSED = "refused"


class Placing(enum.Enum):
    """What came of the first orders that were due."""

    WAITING = "waiting"  # a placing call is out
    ACCEPTED = "accepted"  # each has an outcome, none was refused
    MIXED = "mixed"  # one was refused, another may live or has filled
    REFUSED = "refused"  # all were refused, nothing has filled


@frozen(kw_only=True)
class TradeView:
    """All that the guards see: a few finite facts drawn from the ledger, the clock and the choice."""

    aborting: bool = False
    checks: Checks = Checks.PENDING
    sizing: Checks = Checks.PENDING
    placing: Placing = Placing.WAITING
    standing: Standing = Standing.UNSETTLED
    short: bool = False
    overdue: bool = False
    retry_due: bool = False
    choice: Kind = Kind.WAIT


aborting = guard("aborting", "aborting", True, doc="It was asked to end before its first intent.")
going_on = guard("going_on", "aborting", False, doc="Nobody asked it to end.")
passed = guard("passed", "checks", Checks.PASSED, doc="Every check said yes.")
refused = guard("refused", "checks", Checks.REFUSED, doc="A check said no.")
sized = guard("sized", "sizing", Checks.PASSED, doc="Both venues will take its orders, and both can pay.")
not_sizable = guard("not_sizable", "sizing", Checks.REFUSED, doc="A minimum, a balance or a lot says no.")
accepted = guard("accepted", "placing", Placing.ACCEPTED, doc="Every due first order has an outcome, none refused.")
one_refused = guard("one_refused", "placing", Placing.MIXED, doc="One was refused, another may live or has filled.")
all_refused = guard("all_refused", "placing", Placing.REFUSED, doc="All were refused and nothing has filled.")
matched = guard("matched", "standing", Standing.MATCHED, doc="Settled, not flat, exposure within dust.")
flat = guard("flat", "standing", Standing.FLAT, doc="Settled, each leg's net below its venue's least order.")
unmatched = guard("unmatched", "standing", Standing.UNMATCHED, doc="Settled, neither flat nor matched.")
something_lives = guard("something_lives", "standing", Standing.UNSETTLED, doc="An order may still execute.")
not_at_rest = guard(
    "neither_matched_nor_flat", "standing", Standing.UNSETTLED, Standing.UNMATCHED, doc="Neither flat nor matched."
)
leg_short = guard("leg_short", "short", True, doc="A leg ended short of its target while another order lives.")
no_leg_short = guard("no_leg_short", "short", False, doc="No leg ended short while another order lives.")
past_deadline = guard("past_deadline", "overdue", True, doc="An order lives past its deadline.")
to_unwind = guard("to_unwind", "choice", Kind.UNWIND, doc="The choice is to trade back the excess.")
to_complete = guard("to_complete", "choice", Kind.COMPLETE, doc="The choice is to trade more on the lagging leg.")
to_halt = guard("to_halt", "choice", Kind.HALT, doc="The choice is to halt: doubt or budget is spent.")
remedy_at_hand = guard("remedy_at_hand", "choice", Kind.COMPLETE, Kind.UNWIND, doc="A remedy can be sent.")
retry_due = guard("retry_due", "retry_due", True, doc="A slow retry is due, or an operator asks.")

S = TradeState

# The first row of a state is the way things should go. A state that has no row for a trigger has none on purpose.
TRADE_TABLE = Table(
    name="trade",
    states=TradeState,
    initial=S.PRECHECK,
    final=frozenset({S.DONE}),
    rows=(
        Row(S.PRECHECK, "checks_passed", S.SIZING, (going_on, passed), why="Both venues can be traded on now."),
        Row(
            S.PRECHECK,
            "checks_refused",
            S.DONE,
            (going_on, refused),
            why="A venue, a secret, a rate or the risk guard says no; nothing was sent.",
            outcome=Outcome.BLOCKED.value,
        ),
        Row(
            S.PRECHECK,
            "abort",
            S.DONE,
            (aborting,),
            why="Taken up after a restart before its first intent: the decision is too old to be begun.",
            outcome=Outcome.FAILED.value,
        ),
        Row(S.SIZING, "sized", S.PLACING, (going_on, sized), why="Funds are held, both intents may be written."),
        Row(
            S.SIZING,
            "size_refused",
            S.DONE,
            (going_on, not_sizable),
            why="A minimum, a balance or a lot of either venue says no, before either order is sent.",
            outcome=Outcome.FAILED.value,
        ),
        Row(
            S.SIZING,
            "abort",
            S.DONE,
            (aborting,),
            why="Taken up after a restart before its first intent: the decision is too old to be begun.",
            outcome=Outcome.FAILED.value,
        ),
        Row(S.PLACING, "placed", S.MONITORING, (accepted,), why="Acknowledged or in doubt: both must be observed."),
        # One leg refused is the classic naked leg: the other is on its way and nothing may be re-sent at full size.
        Row(
            S.PLACING,
            "placed",
            S.PARTIAL,
            (one_refused,),
            why="One venue refused while the other may fill: cancel it or match it.",
        ),
        Row(
            S.PLACING,
            "placed",
            S.DONE,
            (all_refused,),
            why="Neither venue took its order.",
            outcome=Outcome.FAILED.value,
        ),
        Row(S.MONITORING, "settled", S.HEDGED, (matched,), why="Both orders ended and what they brought matches."),
        Row(
            S.MONITORING,
            "settled",
            S.DONE,
            (flat,),
            why="Both orders ended and brought nothing worth trading.",
            outcome=Outcome.FAILED.value,
        ),
        Row(S.MONITORING, "settled", S.PARTIAL, (unmatched,), why="Both orders ended and one brought more."),
        Row(
            S.MONITORING,
            "short",
            S.PARTIAL,
            (something_lives, leg_short),
            why="One order ended early: each further fill of the other would be naked, so it is cancelled.",
        ),
        Row(
            S.MONITORING,
            "deadline",
            S.PARTIAL,
            (something_lives, no_leg_short, past_deadline),
            why="Time is up: what rests is cancelled, what is in doubt is asked for.",
        ),
        Row(S.PARTIAL, "settled", S.HEDGED, (matched,), why="Completed, or a fill on the way did it."),
        Row(
            S.PARTIAL,
            "settled",
            S.DONE,
            (flat,),
            why="What had been sent was cancelled in time: nothing is left to hedge.",
            outcome=Outcome.FAILED.value,
        ),
        Row(
            S.PARTIAL,
            "unwind",
            S.ROLLBACK,
            (unmatched, to_unwind),
            why="Trading back costs less than completing, or completing cannot be sent.",
        ),
        Row(
            S.PARTIAL,
            "wall",
            S.HALTED,
            (not_at_rest, to_halt),
            why="No remedy is left within the budget, or an order stays in doubt: call a person.",
        ),
        Row(S.ROLLBACK, "settled", S.HEDGED, (matched,), why="Traded back to where both legs match."),
        Row(
            S.ROLLBACK,
            "settled",
            S.DONE,
            (flat,),
            why="Everything was traded back.",
            outcome=Outcome.ROLLED_BACK.value,
        ),
        Row(
            S.ROLLBACK,
            "complete",
            S.PARTIAL,
            (unmatched, to_complete),
            why="Completing now costs less, or trading back cannot be sent; the budget goes on.",
        ),
        Row(
            S.ROLLBACK,
            "wall",
            S.HALTED,
            (not_at_rest, to_halt),
            why="No remedy is left within the budget, or an order stays in doubt: call a person.",
        ),
        Row(S.HALTED, "settled", S.HEDGED, (matched,), why="A doubt resolved, or a person traded: it matches."),
        Row(
            S.HALTED,
            "settled",
            S.DONE,
            (flat,),
            why="A doubt resolved, or a person traded: nothing is left.",
            outcome=Outcome.ROLLED_BACK.value,
        ),
        Row(
            S.HALTED,
            "resume",
            S.PARTIAL,
            (unmatched, retry_due, remedy_at_hand),
            why="A remedy can be sent again: a fresh budget, and this record of it.",
        ),
        Row(S.HEDGED, "booked", S.DONE, (matched,), why="The matched quantity is the position."),
        Row(
            S.HEDGED,
            "disturbed",
            S.PARTIAL,
            (not_at_rest,),
            why="A late fill, a bust or a fee correction arrived before it was booked.",
        ),
        # Venues fill orders they have agreed to cancel; without this row the fill is lost.
        Row(
            S.DONE,
            "disturbed",
            S.PARTIAL,
            (not_at_rest,),
            why="A late fill, a bust, a fee correction or an order believed absent has shown up.",
        ),
    ),
)

TRADE_ENGINE = Engine(TRADE_TABLE)


@drives(TRADE_TABLE)
class TradeTriggers:
    """The triggers of the trade machine, typed. Each raises, and changes nothing, where the table has no true row."""

    __slots__ = ()

    state: str

    def on_move(self, row: Row) -> None:
        """Record the move that is being made; called by the engine before the state is set."""
        raise NotImplementedError

    def checks_passed(self, view: TradeView) -> Row:
        """Every check said yes."""
        return TRADE_ENGINE.fire(self, "checks_passed", view)

    def checks_refused(self, view: TradeView) -> Row:
        """A check said no."""
        return TRADE_ENGINE.fire(self, "checks_refused", view)

    def abort(self, view: TradeView) -> Row:
        """End before the first intent."""
        return TRADE_ENGINE.fire(self, "abort", view)

    def sized(self, view: TradeView) -> Row:
        """There is a plan that both venues will take."""
        return TRADE_ENGINE.fire(self, "sized", view)

    def size_refused(self, view: TradeView) -> Row:
        """There is none."""
        return TRADE_ENGINE.fire(self, "size_refused", view)

    def placed(self, view: TradeView) -> Row:
        """Every first order that was due has an outcome."""
        return TRADE_ENGINE.fire(self, "placed", view)

    def settled(self, view: TradeView) -> Row:
        """Nothing is live, quantities and base fees are known, no first order is owed."""
        return TRADE_ENGINE.fire(self, "settled", view)

    def short(self, view: TradeView) -> Row:
        """A leg ended short of its target while another order lives."""
        return TRADE_ENGINE.fire(self, "short", view)

    def deadline(self, view: TradeView) -> Row:
        """Something lives past its time."""
        return TRADE_ENGINE.fire(self, "deadline", view)

    def unwind(self, view: TradeView) -> Row:
        """The choice is to trade back the excess."""
        return TRADE_ENGINE.fire(self, "unwind", view)

    def complete(self, view: TradeView) -> Row:
        """The choice is to trade more on the lagging leg."""
        return TRADE_ENGINE.fire(self, "complete", view)

    def wall(self, view: TradeView) -> Row:
        """The choice is to halt."""
        return TRADE_ENGINE.fire(self, "wall", view)

    def resume(self, view: TradeView) -> Row:
        """A remedy can be sent again."""
        return TRADE_ENGINE.fire(self, "resume", view)

    def booked(self, view: TradeView) -> Row:
        """The matched quantity is the position."""
        return TRADE_ENGINE.fire(self, "booked", view)

    def disturbed(self, view: TradeView) -> Row:
        """A late fact left it neither matched nor flat."""
        return TRADE_ENGINE.fire(self, "disturbed", view)
