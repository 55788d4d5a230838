"""Deliberately broken cores, which every search must find out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from fsm_arb import choice, ledger, orders
from fsm_arb.orders import Lifecycle
from fsm_arb.ports import InDoubt, OrderStatus, Refused
from fsm_arb.values import ZERO

if TYPE_CHECKING:
    import pytest

    from fsm_arb.messages import Kind, Observed, PlaceEnded
    from fsm_arb.values import Side


def late_fill_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal status is believed to be the last word on the quantity."""
    honest = ledger.observed

    def broken(books: ledger.Ledger, fact: Observed) -> ledger.Ledger:
        return books if books.orders[fact.order].lifecycle is Lifecycle.CLOSED else honest(books, fact)

    monkeypatch.setattr(ledger, "observed", broken)


def doubt_is_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time-out is taken for a no."""
    honest = ledger.place_ended

    def broken(books: ledger.Ledger, fact: PlaceEnded) -> ledger.Ledger:
        if isinstance(fact.outcome, InDoubt):
            fact = evolve(fact, outcome=Refused(code="timeout", message="no answer"))
        return honest(books, fact)

    monkeypatch.setattr(ledger, "place_ended", broken)


def hedge_from_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """A remedy is sized by what was asked for, not by what was received."""

    def broken(s: choice.Situation, _kind: Kind, index: int, _side: Side) -> Any:
        return s.ledger.plan.legs[index].amount

    monkeypatch.setattr(choice, "_quantity", broken)


def cancel_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An order counts as ended once it was asked to go."""
    honest = ledger.cancel_asked

    def broken(books: ledger.Ledger, asked: Any, now: int) -> ledger.Ledger:
        books = honest(books, asked, now)
        for index in asked:
            books = books.replace(books.orders[index].changed(lifecycle=Lifecycle.CLOSED, fees_known=True))
        return books

    monkeypatch.setattr(ledger, "cancel_asked", broken)


def base_fee_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a buyer receives is taken to be what was filled."""
    monkeypatch.setattr(orders, "_base_fee", lambda *_args, **_named: ZERO)


def absence_believed_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """One look that does not show an order is enough, fence or no fence."""
    honest = ledger.missed

    def broken(books: ledger.Ledger, fact: Any, _fence_ns: int) -> ledger.Ledger:
        return honest(books, fact, 0)

    monkeypatch.setattr(ledger, "missed", broken)
    monkeypatch.setattr(ledger, "MISSES_MIN", 1)


def end_drops_fills(monkeypatch: pytest.MonkeyPatch) -> None:
    """An order that has ended before it was whole is taken for one that did nothing."""
    honest = orders.merged

    def broken(order: orders.Order, snapshot: Any, leg: Any, now: int) -> orders.Order:
        if snapshot.status is OrderStatus.ENDED and snapshot.filled < order.intent.amount:
            snapshot = evolve(snapshot, filled=order.gross, fills=())
        return honest(order, snapshot, leg, now)

    monkeypatch.setattr(ledger, "merged", broken)


def last_reading_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reading that arrives late takes back what an earlier one had shown."""
    honest = orders.merged

    def broken(order: orders.Order, snapshot: Any, leg: Any, now: int) -> orders.Order:
        return honest(order.changed(gross=snapshot.filled, fills=()), snapshot, leg, now)

    monkeypatch.setattr(ledger, "merged", broken)


def remedy_beside_a_live_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A remedy is sent while an order is still in doubt."""
    monkeypatch.setattr(choice, "_unsure", lambda _s: ())
    monkeypatch.setattr(ledger.Ledger, "known", property(lambda self: not self.provisional))


def restart_forgets_what_was_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that were out when the process died are taken for refused."""
    honest = ledger.restarted

    def broken(books: ledger.Ledger, now: int) -> ledger.Ledger:
        for order in books.orders:
            if order.lifecycle is Lifecycle.PENDING:
                books = books.replace(order.changed(lifecycle=Lifecycle.DEAD, placing_ended_at=now, refusal="crash"))
        return honest(books, now)

    monkeypatch.setattr(ledger, "restarted", broken)


def never_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A halted trade waits for ever."""
    from fsm_arb.trade import Trade

    monkeypatch.setattr(Trade, "_retry_due", lambda self, _now: self.operator_asked)


# With a single lot there is no part of an order.
NEEDS_TWO_LOTS = (hedge_from_request, end_drops_fills)
# What the explorer can see: its markets charge no fee in base.
BROKEN = (
    late_fill_dropped,
    doubt_is_refusal,
    hedge_from_request,
    cancel_believed,
    absence_believed_early,
    end_drops_fills,
    last_reading_believed,
    remedy_beside_a_live_order,
    restart_forgets_what_was_out,
    never_retried,
)
