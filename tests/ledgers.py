"""A ledger of two orders, and what can happen to it, in a word each."""

from __future__ import annotations

from typing import Any

from worlds import ALPHA, BETA, SECOND, intent, sized, snapshot

from fsm_arb.ledger import Ledger, intended, missed, observed, place_ended
from fsm_arb.messages import Intent, Missed, Observed, PlaceEnded
from fsm_arb.ports import InDoubt, Refused
from fsm_arb.values import Side

BUY, SELL = Side.BUY, Side.SELL
FENCE = 15 * SECOND


def ledger(*intents: Intent, beta: Any = BETA) -> Ledger:
    """Return a ledger with these orders written; alpha sells ten, beta buys ten, unless said otherwise."""
    written = intents or (intent(0), intent(1, leg=1, side=BUY))
    return intended(Ledger(plan=sized(rules=(ALPHA, beta))), written)


def see(books: Ledger, order: int, filled: Any, *, ended: bool = False, now: int = 0, **changes: Any) -> Ledger:
    return observed(books, Observed(now=now, order=order, snapshot=snapshot(filled, ended=ended, **changes)))


def miss(books: Ledger, order: int, asked_at: int, *, covered: bool = True) -> Ledger:
    return missed(books, Missed(now=asked_at, order=order, asked_at=asked_at, covered=covered), FENCE)


def place(books: Ledger, order: int, outcome: Any, now: int = 0) -> Ledger:
    return place_ended(books, PlaceEnded(now=now, order=order, outcome=outcome))


DOUBT = InDoubt(code="timeout", message="no answer")
NO = Refused(code="invalid_order", message="too small")
