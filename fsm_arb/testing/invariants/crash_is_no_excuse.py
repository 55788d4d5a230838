"""Invariant 10: a crash after any effect leads nowhere that a run without a crash does not lead to.

It is a property of two sets of runs: `outcome_of` says how one run ended, and
`unexplained` which endings of crashed runs no run without a crash shares. The
checker judges what one run can show: recovery sends no first order again, and
gives up only what it had never begun.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from attrs import define

from fsm_arb.messages import Intended, Purpose, Restarted
from fsm_arb.testing.invariants.reckoning import relearnt
from fsm_arb.testing.invariants.silent import Silent
from fsm_arb.values import ZERO, plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from fsm_arb.testing.glimpse import Glimpse
    from fsm_arb.trade import Trade

Outcome = Hashable
NEVER_BEGAN = ("DONE", "failed", None, ())  # of one trade: given up before its first intent


@define(eq=False)
class CrashIsNoExcuse(Silent):
    """What a restart makes of a trade, some run without one makes of it too.

    Attributes:
        crash_free: How runs without a crash have ended (`outcome_of`); None: not known, only single runs are judged.
    """

    crash_free: Collection[Outcome] | None = None
    number = 10
    name = "crash is no excuse"
    claim = "after a crash at any effect, recovery reaches a state that some run without a crash reaches"

    def step(self, before: Glimpse, after: Glimpse) -> Iterator[str]:
        """Judge that no leg has two first orders."""
        for old, trade in relearnt(before, after):
            orders = trade.orders
            if len(orders) < 2 or (old is not None and len(old.orders) == len(orders)):  # noqa: PLR2004 - two legs
                continue
            firsts = [order.intent for order in orders if order.intent.purpose is Purpose.FIRST]
            for leg in (0, 1):
                sent = [intent.client_order_id for intent in firsts if intent.leg == leg]
                if len(sent) > 1:
                    exchange = trade.decision.legs[leg].exchange
                    yield f"trade {trade.trade_id}: the first order on {exchange} was sent again: {', '.join(sent)}"

    def rest(self, glimpse: Glimpse) -> Iterator[str]:
        """Judge what restarts have ended, and the whole ending where there is something to hold it against."""
        for trade_id, entries in glimpse.entries.items():
            restarted = any(isinstance(entry.fact, Restarted) for entry in entries)
            begun = any(isinstance(entry.fact, Intended) for entry in entries)
            given_up = any(entry.trigger == "abort" for entry in entries)
            if restarted and begun and given_up:
                yield f"trade {trade_id} was given up after a restart although it had sent orders"
        if self.crash_free is not None:
            for ending in unexplained({outcome_of(glimpse)}, self.crash_free):
                yield f"no run without a crash ends so: {ending}"


def outcome_of(glimpse: Glimpse) -> Outcome:
    """Return how a run ended: each trade's state, outcome and what it brought on the venues, each position's quantity.

    Ids, times and the number of attempts are left out: two runs that differ
    in nothing else have ended alike. Trades that are alike are counted.
    """
    trades = sorted((_ending(trade, glimpse) for trade in glimpse.trades.values()), key=repr)
    positions = sorted(
        (each.state, tuple(leg.exchange for leg in each.legs), plain(each.quantity))
        for each in glimpse.positions.values()
    )
    return tuple(trades), tuple(positions)


def _ending(trade: Trade, glimpse: Glimpse) -> tuple[Hashable, ...]:
    outcome = trade.outcome.value if trade.outcome else None
    if trade.ledger is None or not trade.orders:
        return (trade.state, outcome, None, ())
    brought = {leg.leg.exchange: ZERO for leg in trade.ledger.plan.legs}
    for order in trade.orders:
        true = glimpse.orders.get(order.intent.client_order_id)
        if true is not None:
            brought[true.venue] = brought.get(true.venue, ZERO) + true.received
    booked = None if trade.booked_quantity is None else plain(trade.booked_quantity)
    return (trade.state, outcome, booked, tuple((venue, plain(amount)) for venue, amount in sorted(brought.items())))


def unexplained(crashed: Collection[Outcome], crash_free: Collection[Outcome]) -> tuple[Outcome, ...]:
    """Return the endings of crashed runs that no run without a crash shares, in a fixed order.

    A trade that was given up before its first intent is as if it had never
    been asked for, so it needs no run to explain it.

    Args:
        crashed: `outcome_of` each run that crashed and recovered.
        crash_free: The same of runs that saw the same faults, and no crash.
    """
    known = {_begun(ending) for ending in crash_free}
    return tuple(sorted((ending for ending in set(crashed) if _begun(ending) not in known | {((), ())}), key=repr))


def _begun(ending: Outcome) -> Outcome:
    """Return an ending without the trades that never began."""
    match ending:
        case (tuple(trades), positions):
            return tuple(each for each in trades if each != NEVER_BEGAN), positions
        case _:
            return ending
