"""Fresh ids: the one place where randomness enters. Everything pure is handed what this makes."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
ID_BITS = 64  # two bots on one account, or a restored backup, never meet
_RANDOM_DIGITS = 13  # 36**13 > 2**64
_ID_BYTES = ID_BITS // 8
_POOL = 64  # ids drawn at a time
_EPOCH_DIGITS = 4
_EPOCH_SPAN = 36**_EPOCH_DIGITS


def base36(number: int, width: int) -> str:
    """Return *number* (>= 0) in lowercase base 36, padded with zeros to *width*."""
    digits = []
    while number:
        number, digit = divmod(number, 36)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits)).rjust(width, "0")


def client_order_id(epoch: int, random_bits: int) -> str:
    """Return a client order id that every listed exchange takes.

    Eighteen lowercase letters and digits, the first a letter and not ``t``
    (gate prefixes its own ``t-``): ``f``, the journal's epoch, then 64 random bits.

    Args:
        epoch: The journal's epoch, so that a look at the id tells which process sent it.
        random_bits: A number below 2**64.
    """
    return f"f{base36(epoch % _EPOCH_SPAN, _EPOCH_DIGITS)}{base36(random_bits, _RANDOM_DIGITS)}"


def client_order_ids(epoch: int) -> Callable[[], str]:
    """Return a source of client order ids for one process's hold on the journal.

    The system is asked for many at a time, since asking it lets other threads in;
    a forked child asks anew and never repeats its parent's.
    """
    pool: list[int] = []
    owner = os.getpid()

    def fresh() -> str:
        nonlocal owner
        if not pool or os.getpid() != owner:
            owner = os.getpid()
            drawn = secrets.token_bytes(_POOL * _ID_BYTES)
            pool[:] = [int.from_bytes(drawn[at : at + _ID_BYTES]) for at in range(0, len(drawn), _ID_BYTES)]
        return client_order_id(epoch, pool.pop())

    return fresh


def fresh_decision_id() -> str:
    """Return an id for a decision that was given none."""
    return f"d{base36(secrets.randbits(ID_BITS), _RANDOM_DIGITS)}"
