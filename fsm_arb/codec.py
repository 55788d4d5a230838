"""Facts to JSON text and back, with a version in each.

The text is what a journal keeps for ten years, so it is plain: decimals and
enum members as text, times as whole nanoseconds, ids in clear. Whatever a
venue said stands under ``raw`` as it came.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, get_args

from cattrs import Converter
from cattrs.gen import make_dict_structure_fn
from cattrs.strategies import configure_tagged_union

from fsm_arb.errors import JournalForeign
from fsm_arb.memory import TRIGGERS
from fsm_arb.messages import Fact, Moved
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.ports import PlaceOutcome
from fsm_arb.position import PositionFact
from fsm_arb.residuals import Leftover
from fsm_arb.risk.history import Counted, RiskHistory

VERSION = 1

_NAMES: dict[type, str] = {
    **TRIGGERS,
    Moved: "moved",
    PositionFact: "position",
    RiskHistory: "risk",
    Leftover: "leftover",
    Counted: "counted",
}
_TYPES: dict[str, type] = {name: kind for kind, name in _NAMES.items()}


def _policy(converter: Converter) -> Callable[[Any, Any], ExecutionPolicy]:
    """Return a hook that reads a policy back in silence: whoever wrote it was warned."""
    read = make_dict_structure_fn(ExecutionPolicy, converter)

    def hook(value: Any, kind: Any) -> ExecutionPolicy:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read(value, kind)

    return hook


def _converter() -> Converter:
    converter = Converter(unstruct_collection_overrides={tuple: list})
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, lambda text, _: Decimal(text))
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
    # What a venue said is JSON already.
    converter.register_unstructure_hook(Any, lambda value: value)
    converter.register_structure_hook(Any, lambda value, _: value)
    converter.register_structure_hook(ExecutionPolicy, _policy(converter))
    configure_tagged_union(PlaceOutcome, converter, tag_name="type")
    return converter


_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_CONVERTER = _converter()
_UNSTRUCTURE = {kind: _CONVERTER.get_unstructure_hook(kind) for kind in _NAMES}


def dumps(fact: Fact | PositionFact | RiskHistory | Counted | Leftover) -> str:
    """Return *fact* as JSON text: ``{"v": 1, "fact": "observed", "body": {...}}``."""
    kind = type(fact)
    return json.dumps(
        {"v": VERSION, "fact": _NAMES[kind], "body": _UNSTRUCTURE[kind](fact)},
        separators=(",", ":"),
        ensure_ascii=False,
    )


def loads(text: str) -> Any:
    """Return the fact that `dumps` wrote.

    Raises:
        JournalForeign: The text is of a version or a kind that this code does not know, or does not hold it.
    """
    try:
        envelope = json.loads(text)
        version, name, body = envelope["v"], envelope["fact"], envelope["body"]
    except (ValueError, KeyError, TypeError) as error:
        raise JournalForeign(f"a payload is not one of ours: {text[:80]!r}") from error
    if version != VERSION:
        raise JournalForeign(f"a payload has version {version}; this code reads {VERSION}")
    kind = _TYPES.get(name)
    if kind is None:
        raise JournalForeign(f"a payload holds a {name!r}, which this code does not know")
    try:
        return _CONVERTER.structure(body, kind)
    except Exception as error:
        raise JournalForeign(f"a payload named {name!r} does not hold one: {text[:80]!r}") from error


assert set(get_args(Fact)) <= set(_NAMES)  # noqa: S101 - a fact without a name cannot be journaled
