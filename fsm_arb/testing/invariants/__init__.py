"""The invariants of a cross trade as small checkers, in files of their own.

Each says in words what is wrong with a step, or with the end of a run, and
knows nothing of who ran it. They judge by the venues' own books
(`Glimpse.orders`), and not only by ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.testing.invariants.books_agree import BooksAgree
from fsm_arb.testing.invariants.crash_is_no_excuse import CrashIsNoExcuse, outcome_of, unexplained
from fsm_arb.testing.invariants.done_is_flat import DoneIsFlat
from fsm_arb.testing.invariants.exposure_bounded import ExposureBounded
from fsm_arb.testing.invariants.filled_only_grows import FilledOnlyGrows
from fsm_arb.testing.invariants.fold_is_the_trade import FoldIsTheTrade
from fsm_arb.testing.invariants.intent_first import IntentFirst
from fsm_arb.testing.invariants.liveness import Liveness
from fsm_arb.testing.invariants.never_over_hedged import NeverOverHedged
from fsm_arb.testing.invariants.one_edge import OneEdge
from fsm_arb.testing.invariants.one_epoch import OneEpoch
from fsm_arb.testing.invariants.one_remedy import OneRemedy
from fsm_arb.testing.invariants.pnl_of_fills import PnlOfFills
from fsm_arb.testing.invariants.positions import Positions
from fsm_arb.testing.invariants.unknown_is_harmless import UnknownIsHarmless
from fsm_arb.testing.invariants.within_accepted import WithinAccepted

if TYPE_CHECKING:
    from fsm_arb.testing.glimpse import Checker

__all__ = [
    "INVARIANTS",
    "LIVENESS",
    "every_checker",
    "invariants",
    "outcome_of",
    "unexplained",
]


def invariants(*, alerts: bool = True) -> tuple[Checker, ...]:
    """Return the fifteen invariants, in order.

    Args:
        alerts: Whether the instrument hears what a person would be told.
    """
    return (
        ExposureBounded(),
        NeverOverHedged(),
        IntentFirst(),
        OneRemedy(),
        WithinAccepted(),
        FilledOnlyGrows(),
        DoneIsFlat(),
        BooksAgree(),
        FoldIsTheTrade(),
        CrashIsNoExcuse(),
        OneEpoch(),
        Positions(alerts=alerts),
        PnlOfFills(),
        UnknownIsHarmless(alerts=alerts),
        OneEdge(),
    )


def every_checker(*, alerts: bool = True) -> tuple[Checker, ...]:
    """Return the fifteen invariants and liveness.

    Args:
        alerts: Whether the instrument hears what a person would be told.
    """
    return (*invariants(alerts=alerts), Liveness(alerts=alerts))


INVARIANTS: tuple[Checker, ...] = invariants()
LIVENESS: Checker = Liveness()
