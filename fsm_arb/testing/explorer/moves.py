"""From one state of the whole world to every next one.

A state is one number: which trade (`core`) and what each of its orders is on
its venue's side (`venue`).
"""

from __future__ import annotations

from attrs import define, field

from fsm_arb.testing.explorer.core import NEW, Core, Found, Standing
from fsm_arb.testing.explorer.venue import (
    CODE_BITS,
    FILLED_SHIFT,
    PLACE_SHIFT,
    SILENT,
    TICKED,
    Tell,
    code,
    crashed,
    moves,
)

ORDERS_BITS = 28
ORDERS_MASK = (1 << ORDERS_BITS) - 1
CRASH = code(Tell.RESTART)
TICK = code(Tell.TICK)

Edge = tuple[int, int, int]  # faults, the label (`venue.label_of`), the state afterwards


@define(eq=False)
class Moves:
    """All that can happen, from any state."""

    core: Core
    crashes: bool
    _orders: list[bytes] = field(factory=list)
    _ids: dict[bytes, int] = field(factory=dict)

    def begin(self) -> int:
        """Return the state in which everything begins."""
        return self._state(self.core.begin(), b"")

    def part(self, trade: int, orders: bytes) -> int:
        """Return the state of a trade and what each of its orders is on its venue's side, by place."""
        return self._turned(trade, self.core.standings[trade], orders)

    def split(self, state: int) -> tuple[int, bytes]:
        """Return which trade and what each of its orders is on its venue's side, by place."""
        return state >> ORDERS_BITS, self._orders[state & ORDERS_MASK]

    def edges(self, state: int, left: int) -> list[Edge]:
        """Return every next state that so many faults lead to, by what, and what it cost."""
        trade, orders = state >> ORDERS_BITS, self._orders[state & ORDERS_MASK]
        core = self.core
        standing = core.standings[trade]
        found: list[Edge] = []
        for event, faults in standing.events:
            if faults > left:
                continue
            told = core.step(trade, event)
            if told is not None:
                rest = orders.translate(TICKED) if event == TICK else orders
                found.append((faults, event, self._after(told, rest)))
        if left and self.crashes and standing.may_crash:
            told = core.step(trade, CRASH)
            if told is not None:
                found.append((1, CRASH, self._after(told, orders.translate(crashed(core.world.fence)))))
        self._of_orders(trade, standing, orders, left, found)
        return found

    def _of_orders(self, trade: int, standing: Standing, orders: bytes, left: int, found: list[Edge]) -> None:
        """Add to *found* what may befall each of the orders."""
        core = self.core
        fence, rests = core.world.fence, core.world.rests
        for place, (amount, flags) in enumerate(standing.orders):
            number = orders[place]
            for faults, event, later in moves(number, amount, flags, fence, rests):
                if faults > left:
                    continue
                rest = orders if later == number else orders[:place] + bytes((later,)) + orders[place + 1 :]
                label = event | place << PLACE_SHIFT | later << CODE_BITS
                if event == SILENT:
                    found.append((faults, label, self._turned(trade, standing, rest)))
                    continue
                told = core.step(trade, event | place << PLACE_SHIFT)
                if told is not None:
                    found.append((faults, label, self._after(told, rest)))

    def _after(self, told: Found, orders: bytes) -> int:
        trade, change = told
        if change is not None:
            orders = bytes([0 if place == NEW else orders[place] - (known << FILLED_SHIFT) for place, known in change])
        standing = self.core.standings[trade]
        return self._turned(trade, standing, orders)

    def _turned(self, trade: int, standing: Standing, orders: bytes) -> int:
        """Return the state; of those that differ by a turn of the trade in itself, always the same one."""
        turns = standing.likeness.turns
        if turns:
            orders = min(orders, *(bytes([orders[place] for place in turn]) for turn in turns))
        return self._state(trade, orders)

    def _state(self, trade: int, orders: bytes) -> int:
        found = self._ids.get(orders)
        if found is None:
            found = self._ids[orders] = len(self._orders)
            self._orders.append(orders)
        return trade << ORDERS_BITS | found
