"""Bring a payload of an earlier version to today's, as it is read. What stands in the journal never changes.

A payload says its version, a whole number under ``v``. When a later version of
this code must say something that a reader of version n would misread, it writes
n + 1, and one step is added here: a function from a whole payload of version n
to one of version n + 1, on plain JSON, so that it needs none of today's types.
Steps are never changed and never removed; a payload of ten years ago goes
through all of them, one after the other.

What needs a step: a field or a fact that is renamed, taken away, split, or
given another meaning, unit or default. What needs none: a new fact, and a new
field with a default that means what its absence always meant.

Nothing is ever read that was written by a later version, nor a field that this
code does not know: it may hold what makes the rest mean something else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fsm_arb.errors import JournalForeign

VERSION = 1  # what is written today
OLDEST = 1  # the first that was ever written

Payload = dict[str, Any]  # {"v": 1, "fact": "observed", "body": {...}}
Step = Callable[[Payload], Payload]

STEPS: Mapping[int, Step] = {}  # by the version that it reads; there has been one version so far


def upcast(payload: Payload) -> Payload:
    """Return *payload* as today's code would have written it.

    Args:
        payload: Any version's, parsed; it is not changed.

    Raises:
        JournalForeign: It is of a later version, or of none that there ever was.
    """
    version = payload["v"]
    if version == VERSION and type(version) is int:
        return payload
    if type(version) is not int or not OLDEST <= version < VERSION:
        known = f"{VERSION}" if OLDEST == VERSION else f"{OLDEST} to {VERSION}"
        raise JournalForeign(f"a payload has version {version!r}; this code reads {known}")
    for number in range(version, VERSION):
        payload = {**STEPS[number](payload), "v": number + 1}
    return payload
