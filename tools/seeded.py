"""Defects that somebody might have written: each a small patch to the core, kept as text.

They say how good the instruments are, and nothing else: an instrument that
finds none of these proves nothing by finding nothing. `tools/defects.py` runs
every instrument on every one of them.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType

PACKAGE = Path(__file__).resolve().parent.parent / "fsm_arb"


@frozen
class Patch:
    """One change to the text of one module."""

    module: str  # below the package, dotted
    old: str  # stands there exactly once
    new: str

    @property
    def path(self) -> Path:
        """The file it changes."""
        return PACKAGE / (self.module.replace(".", "/") + ".py")

    def applied(self, source: str) -> str:
        """Return *source* with the change made.

        Raises:
            ValueError: What is to be changed does not stand there exactly once.
        """
        if source.count(self.old) != 1:
            raise ValueError(
                f"fsm_arb.{self.module}: {source.count(self.old)} places read {self.old!r}; one was expected"
            )
        return source.replace(self.old, self.new)


@frozen
class Defect:
    """One way to lose money."""

    name: str
    story: str  # what the person who wrote it believed
    patches: tuple[Patch, ...]
    caught_by: str = "explorer"  # the instrument of `tools/defects.py` that is quickest at it


SEEDED: tuple[Defect, ...] = (
    Defect(
        "late_fill_dropped",
        "An order that a venue has called over cannot fill any more.",
        (
            Patch(
                "orders",
                "    mismatch = mismatch_of(order, snapshot, leg)\n    if mismatch:\n",
                "    if order.lifecycle is Lifecycle.CLOSED and order.fees_known:\n"
                "        return order\n"
                "    mismatch = mismatch_of(order, snapshot, leg)\n    if mismatch:\n",
            ),
        ),
    ),
    Defect(
        "status_before_quantity",
        "An order that was cancelled or has expired has not filled.",
        (
            Patch(
                "orders",
                "    gross = _gross(order, snapshot, by_fills)\n",
                "    gross = _gross(order, snapshot, by_fills)\n"
                "    if snapshot.status is OrderStatus.ENDED and gross < order.intent.amount:\n"
                "        gross = order.gross\n",
            ),
        ),
    ),
    Defect(
        "absence_believed_early",
        "A venue that does not find an order does not have it.",
        (
            Patch(
                "ledger",
                "    if fact.asked_at < since + fence_ns:\n        return ledger\n    counted = order.changed(misses=order.misses + 1)\n    if counted.misses < MISSES_MIN:\n",
                "    counted = order.changed(misses=order.misses + 1)\n    if not fact.covered:\n",
            ),
        ),
    ),
    Defect(
        "doubt_is_refusal",
        "An order whose placing got no answer was not placed.",
        (
            Patch(
                "ledger",
                "        return ledger.replace(ended.changed(unsure_since=fact.now))\n",
                "        return ledger.replace(ended.changed(lifecycle=Lifecycle.DEAD, ended_at=fact.now))\n",
            ),
        ),
    ),
    Defect(
        "duplicate_fill_counted",
        "Every execution that is reported is a new one.",
        (
            Patch(
                "orders",
                "    gross = _gross(order, snapshot, by_fills)\n",
                "    gross = _gross(order, snapshot, by_fills)\n"
                "    if snapshot.fills and snapshot.fills == order.fills:\n"
                "        gross += snapshot.fills[-1].amount\n",
            ),
        ),
    ),
    Defect(
        "base_fee_ignored",
        "What was bought is what was received.",
        (
            Patch(
                "orders",
                "        return self.filled - self.base_fee if self.intent.side is Side.BUY else -self.filled - self.base_fee\n",
                "        return self.filled if self.intent.side is Side.BUY else -self.filled\n",
            ),
        ),
        caught_by="crash",
    ),
    Defect(
        "hedge_from_the_request",
        "What has to be hedged is what was ordered.",
        (
            Patch(
                "choice",
                "    difference = abs(ledger.exposure)\n",
                "    difference = ledger.plan.quantity\n",
            ),
        ),
    ),
    Defect(
        "cancel_believed",
        "An order that was asked to go has gone.",
        (
            Patch(
                "ledger",
                "            ledger = ledger.replace(order.changed(cancel_asked_at=now, unsure_since=now, misses=0))\n",
                "            ledger = ledger.replace(ended_order(order.changed(cancel_asked_at=now, misses=0), now))\n",
            ),
        ),
    ),
    Defect(
        "reserved_forgets_doubt",
        "Only what is known to rest can still execute.",
        (
            Patch(
                "orders",
                "        return self.lifecycle is Lifecycle.PENDING or self.lifecycle is Lifecycle.OPEN or bool(self.mismatch)\n",
                "        sending = self.lifecycle is Lifecycle.PENDING and self.placing_ended_at is None\n"
                "        return sending or self.lifecycle is Lifecycle.OPEN or bool(self.mismatch)\n",
            ),
        ),
    ),
    Defect(
        "done_is_deaf",
        "A trade that has ended has nothing more to learn.",
        (
            Patch(
                "trade",
                "        self._take_in(event, at_ns)\n        self._advance(event.now, at_ns)\n",
                "        if self.done and isinstance(event, Observed):\n"
                "            return self._drain()\n"
                "        self._take_in(event, at_ns)\n        self._advance(event.now, at_ns)\n",
            ),
        ),
    ),
    Defect(
        "wire_before_journal",
        "The commit can go on while the order is on its way; it saves a millisecond.",
        (
            Patch(
                "executor.runner",
                "            self._rest.clear()  # what is true in memory is not durable yet\n"
                "            await self._write(entries)\n"
                "        self._sent(entries, sends)\n",
                "            self._rest.clear()\n"
                "            self._sent(entries, sends)\n"
                "            await self._write(entries)\n",
            ),
        ),
        caught_by="crash",
    ),
    Defect(
        "exit_from_the_request",
        "An exit closes what the entry was sized to.",
        (
            Patch(
                "position",
                "            entry_quantity=trade.booked_quantity,\n",
                "            entry_quantity=ledger.plan.quantity,\n",
            ),
        ),
        caught_by="unit tests",
    ),
    Defect(
        "wrong_sign",
        "Trading back the excess goes the way the leg went.",
        (
            Patch(
                "choice",
                "ledger.plan.legs[lead].side.opposite),\n",
                "ledger.plan.legs[lead].side),\n",
            ),
        ),
        caught_by="stateful",
    ),
    Defect(
        "rounded_up",
        "A remedy that is rounded to the next lot leaves nothing over.",
        (
            Patch(
                "ledger",
                "    return floor_to(ordered, leg.rules.lot)\n",
                "    return floor_to(ordered, leg.rules.lot) + leg.rules.lot\n",
            ),
        ),
    ),
    Defect(
        "filled_shrinks",
        "The latest reading is the true one.",
        (
            Patch(
                "orders",
                "    gross = _gross(order, snapshot, by_fills)\n",
                "    fills, by_fills = snapshot.fills, ZERO\n    gross = snapshot.filled\n",
            ),
        ),
    ),
    Defect(
        "remedy_beside_a_live_order",
        "A remedy need not wait for the order that it mends.",
        (
            Patch(
                "ledger",
                "        return not self.live and not self.provisional\n",
                "        return not any(order.placing_ended_at is None for order in self.live) and not self.provisional\n",
            ),
        ),
    ),
    Defect(
        "restart_buries_the_pending",
        "What was on its way when the process died never arrived.",
        (
            Patch(
                "ledger",
                "            placing_ended_at=now,\n            cancel_asked_at=None if",
                "            placing_ended_at=now,\n"
                "            lifecycle=Lifecycle.DEAD if order.lifecycle is Lifecycle.PENDING else order.lifecycle,\n"
                "            cancel_asked_at=None if",
            ),
        ),
    ),
    Defect(
        "refused_is_over_for_both",
        "Where one venue refuses, the trade has failed.",
        (
            Patch(
                "trade",
                "    return Placing.REFUSED if dead == len(ledger.orders) else Placing.MIXED\n",
                "    return Placing.REFUSED\n",
            ),
        ),
        caught_by="unit tests",
    ),
    Defect(
        "halts_for_ever",
        "A person has been called; automation is over.",
        (
            Patch(
                "memory",
                "            self.retry_at = fact.now + seconds_ns(self.policy.halted_retry_s)\n        if trigger in",
                "            self.retry_at = None\n        if trigger in",
            ),
        ),
    ),
    Defect(
        "error_means_refused",
        "An exchange that answers with an error has not taken the order.",
        (
            Patch(
                "venues.ccxt_venue",
                "        outcome = Refused if verdict.refused else InDoubt\n",
                "        outcome = Refused\n",
            ),
        ),
        caught_by="swarm",
    ),
)


# ------------------------------------------------------------------ putting one in


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles a module from its patched text; nothing is written to disk."""

    def __init__(self, name: str, path: str, patches: Sequence[Patch]) -> None:
        super().__init__(name, path)
        self._patches = patches

    def get_code(self, fullname: str) -> CodeType:
        """Return the code of the patched text."""
        del fullname
        source = Path(self.path).read_text(encoding="utf-8")
        for patch in self._patches:
            source = patch.applied(source)
        return compile(source, self.path, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    """Hands out patched modules, and leaves all others to whoever comes next."""

    def __init__(self, defect: Defect) -> None:
        self._patches: dict[str, list[Patch]] = {}
        for patch in defect.patches:
            self._patches.setdefault(f"fsm_arb.{patch.module}", []).append(patch)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return where a patched module comes from; None: not from here."""
        del path, target
        patches = self._patches.get(fullname)
        if patches is None:
            return None
        file = str(patches[0].path)
        return importlib.util.spec_from_file_location(fullname, file, loader=_Loader(fullname, file, patches))


def put_in(defect: Defect) -> None:
    """Let this process import the library with *defect* in it.

    Raises:
        RuntimeError: A module that it changes was imported before.
    """
    for patch in defect.patches:
        if f"fsm_arb.{patch.module}" in sys.modules:
            raise RuntimeError(f"fsm_arb.{patch.module} was imported before the defect was put in")
    sys.meta_path.insert(0, _Finder(defect))
