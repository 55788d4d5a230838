"""What a venue may do with one order, and what each of it costs in faults.

An order on the venue's side is one small number: where it stands, how much has
filled, and whether the venue has called it over. What may happen to it next is
looked up, never computed twice.

| what happens | faults |
|---|---|
| a request arrives; an order rests, fills lot by lot, in any order with all else | 0 |
| a first order that must not rest ends with any part filled, or is cancelled so | 0 |
| the reply or a look tells any truth since the order was accepted, once or often, late or early | 0 |
| an uncovered look does not show the order; a covered one does not show what has not arrived | 0 |
| a cancel is slow, is lost and repeated, loses the race against a fill | 0 |
| a request is refused | 1 |
| a request is lost on its way: it arrives late, within its window, or never | 1 |
| the reply is lost, the order is there | 1 |
| an order is seen before the call that placed it has come back | 1 |
| funds pay for the least order only | 1 |
| an operator trades the exposure away while an order is live | 1 |
| a remedy ends, or is cancelled, before it has filled whole | 1 |
| a resting order is ended by the venue | 1 |
| a lot fills after the order has ended | 1 |
| before the fence, a covered look does not show an order that is there (past it, where `lists_lag`) | 1 |
| a late request is accepted after its window has passed | 1 |
| the process dies, at any point, and another takes the trade up; what was on its way arrives late or never | 1 |
"""

from __future__ import annotations

import enum
from functools import cache

FILLED_SHIFT, FILLED_MASK = 3, 7
TOLD = 64
NUMBERS = 128  # of orders; a byte holds one
PHASE_MASK = 7


class Place(enum.IntEnum):
    """Where an order stands on its venue."""

    FLYING = 0  # the request is on its way and its call is out
    GONE = 1  # refused: it does not exist and never will
    RESTING = 2  # it may execute
    ENDED = 3
    LATE = 4  # the call is over, the request may still arrive; past its window
    LATE_1 = 5  # the same with one unit of its window left
    LATE_2 = 6
    LATE_3 = 7


class Tell(enum.IntEnum):
    """What the trade may be told; the upper part of an event's code."""

    TICK = 0
    CHECKED = 1
    SIZED = 2
    ABORT = 3
    ACK = 4
    REFUSED = 5
    DOUBT = 6
    SEEN = 7
    MISSED = 8
    CANCEL_ENDED = 9
    SURVEY = 10
    RESUME = 11
    BY_HAND = 12
    RESTART = 13
    NOTHING = 15  # only the venue's side changes


KIND_SHIFT, PLACE_SHIFT, ARGUMENT_MASK, CODE_BITS = 12, 6, 63, 16
CODE_MASK = (1 << CODE_BITS) - 1
ENDED_READING = 8  # in a reading's argument: the venue says that the order has ended

# Of an order as the trade knows it, beside its amount: what decides what may happen to it.
CALL_OUT, GOING, REMEDY, FENCED = 1, 2, 4, 8

# Faults, what is told, the order afterwards.
Move = tuple[int, int, int]


def code(kind: Tell, argument: int = 0, place: int = 0) -> int:
    """Return the number of an event: what is told, of the order at which place, with which argument."""
    return kind << KIND_SHIFT | place << PLACE_SHIFT | argument


SILENT = code(Tell.NOTHING)


def label_of(event: int, later: int) -> int:
    """Return the name of an edge: what is told, and what the order it concerns is afterwards."""
    return event | later << CODE_BITS


def order(place: Place, filled: int = 0, *, told: bool = False) -> int:
    """Return the number of an order on its venue's side."""
    return place | filled << FILLED_SHIFT | (TOLD if told else 0)


def place_of(number: int) -> Place:
    """Return where the order stands."""
    return Place(number & PHASE_MASK)


def filled_of(number: int) -> int:
    """Return how many lots have filled."""
    return number >> FILLED_SHIFT & FILLED_MASK


def may_execute(number: int) -> bool:
    """Whether it rests, or its request is still on the way and in time."""
    return place_of(number) not in {Place.GONE, Place.ENDED, Place.LATE}


# One unit of time: the window of a late request shrinks.
TICKED = bytes(number - 1 if number < NUMBERS and number & PHASE_MASK > Place.LATE else number for number in range(256))


@cache
def crashed(fence: int) -> bytes:
    """Return what a crash does to each order: what was on its way may arrive as late as the fence, or never."""
    late = Place.LATE + fence
    return bytes(
        number - Place.FLYING + late if number < NUMBERS and number & PHASE_MASK == Place.FLYING else number
        for number in range(256)
    )


@cache
def moves(number: int, amount: int, flags: int, fence: int, rests: bool) -> tuple[Move, ...]:  # noqa: FBT001
    """Return all that may happen to an order next.

    Args:
        number: The order on its venue's side.
        amount: Lots ordered.
        flags: What the trade knows: `CALL_OUT`, `GOING` (a cancel was asked for), `REMEDY`, and `FENCED`
            (lists may still lag behind).
        fence: Units within which a late request arrives.
        rests: Whether it stays in the book, or what cannot fill at once ends.
    """
    place, filled = place_of(number), filled_of(number)
    found: list[Move] = []
    if not flags & CALL_OUT:
        found.append((0, code(Tell.MISSED, 0), number))
    if flags & GOING:
        found.append((0, code(Tell.CANCEL_ENDED, 1), number))
    match place:
        case Place.FLYING:
            found += [
                (0, SILENT, order(Place.RESTING)),
                (1, code(Tell.REFUSED), order(Place.GONE, told=True)),
                (1, code(Tell.DOUBT), number - Place.FLYING + Place.LATE + fence),
            ]
        case Place.GONE:
            found.append((0, code(Tell.MISSED, 1), number))
        case Place.RESTING | Place.ENDED:
            found += _executes(number, amount, flags, rests=rests)
            called = bool(flags & CALL_OUT)
            found += _readings(number, amount, Tell.SEEN, faults=int(called))
            if called:
                found += _readings(number, amount, Tell.ACK)
                found.append((1, code(Tell.DOUBT), number))
            elif flags & FENCED:
                found.append((1, code(Tell.MISSED, 1), number))
        case _:
            late = place is Place.LATE
            found += [
                (int(late), SILENT, order(Place.RESTING, filled, told=late)),
                (0, code(Tell.MISSED, 1), number),
            ]
    return tuple(found)


def _executes(number: int, amount: int, flags: int, *, rests: bool) -> list[Move]:
    """Return how an order that exists may fill or end."""
    place, filled, told = place_of(number), filled_of(number), bool(number & TOLD)
    more = filled + 1
    if place is Place.ENDED:
        return [(1, SILENT, order(Place.ENDED, more, told=told))] if filled < amount else []
    found = [(0, SILENT, order(Place.ENDED if more == amount else Place.RESTING, more, told=told))]
    ended = order(Place.ENDED, filled, told=told)
    in_vain = 1 if flags & REMEDY else 0
    # What may rest ends without a fault only where a cancel was asked for.
    found.append((in_vain if flags & GOING or not rests else 1, SILENT, ended))
    return found


def _readings(number: int, amount: int, kind: Tell, faults: int = 0) -> list[Move]:
    """Return every truth since the order was accepted, as it may be told now."""
    filled = filled_of(number)
    ended = place_of(number) is Place.ENDED
    found = [(faults, code(kind, seen), number) for seen in range(min(filled, amount - 1) + 1)]
    if ended:
        found.append((faults, code(kind, filled | ENDED_READING), number | TOLD))
    return found
