"""Facts to JSON text and back, with a version in each.

The text is what a journal keeps for ten years, so it is plain: decimals and
enum members as text, times as whole nanoseconds, ids in clear. Whatever a
venue said stands under ``raw`` as it came. docs/journal-format.md tells every
field; `fsm_arb.upcasts` says what happens to texts of earlier versions.
"""

from __future__ import annotations

import enum
import json
import warnings
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from cattrs import Converter
from cattrs.errors import ForbiddenExtraKeysError
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
from fsm_arb.upcasts import VERSION, upcast
from fsm_arb.values import Leg, Level, MarketRules

_NAMES: dict[type, str] = {
    **TRIGGERS,
    Moved: "moved",
    PositionFact: "position",
    RiskHistory: "risk",
    Leftover: "leftover",
    Counted: "counted",
}
_TYPES: dict[str, type] = {name: kind for kind, name in _NAMES.items()}


_LEVEL_FIELDS = frozenset(("price", "amount"))
KEPT_MAX = 1024  # of what comes again and again, such as the rules of a market


def _kept(read: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return a hook that reads the same content once: what it returns is frozen and can be shared."""
    known: dict[str, Any] = {}

    def hook(value: Any, kind: Any) -> Any:
        text = repr(value)  # JSON: whatever differs reads differently
        found = known.get(text)
        if found is None:
            found = read(value, kind)
            if len(known) >= KEPT_MAX:
                known.clear()
            known[text] = found
        return found

    return hook


def _policy(converter: Converter) -> Callable[[Any, Any], ExecutionPolicy]:
    """Return a hook that reads a policy back in silence: whoever wrote it was warned."""
    read = make_dict_structure_fn(ExecutionPolicy, converter)

    def hook(value: Any, kind: Any) -> ExecutionPolicy:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read(value, kind)

    return hook


# ------------------------------------------------------------------ what cattrs does too, at several times the cost


def _is_maybe(kind: Any) -> bool:
    others = [each for each in get_args(kind) if each is not NoneType]
    return get_origin(kind) in {Union, UnionType} and len(others) == 1


def _maybe(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    (inner,) = (each for each in get_args(kind) if each is not NoneType)
    read = converter.get_structure_hook(inner)
    return lambda value, _: None if value is None else read(value, inner)


def _is_row(kind: Any) -> bool:
    return get_origin(kind) is tuple and get_args(kind)[1:] == (...,)


def _row(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    inner = get_args(kind)[0]
    read = converter.get_structure_hook(inner)
    return lambda value, _: tuple([read(each, inner) for each in value])


def _is_member(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def _member(kind: Any, _: Converter) -> Callable[[Any, Any], Any]:
    members = {each.value: each for each in kind}
    return lambda value, _: members[value]


def _level(value: Any, _: Any) -> Level:
    level = Level(Decimal(value["price"]), Decimal(value["amount"]))
    if len(value) != len(_LEVEL_FIELDS):
        raise ForbiddenExtraKeysError(None, Level, set(value) - _LEVEL_FIELDS)
    return level


def _converter() -> Converter:
    # A field that is not known may change what the others mean: it is refused, not passed over.
    converter = Converter(
        unstruct_collection_overrides={tuple: list}, forbid_extra_keys=True, detailed_validation=False
    )
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, lambda text, _: Decimal(text))
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
    # What a venue said is JSON already.
    converter.register_unstructure_hook(Any, lambda value: value)
    converter.register_structure_hook(Any, lambda value, _: value)
    converter.register_structure_hook_factory(_is_maybe, _maybe)
    converter.register_structure_hook_factory(_is_row, _row)
    converter.register_structure_hook_factory(_is_member, _member)
    converter.register_structure_hook(Level, _level)
    for kind in (Leg, MarketRules):
        converter.register_structure_hook(kind, _kept(make_dict_structure_fn(kind, converter)))
    converter.register_structure_hook(ExecutionPolicy, _kept(_policy(converter)))
    configure_tagged_union(PlaceOutcome, converter, tag_name="type")
    return converter


_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_CONVERTER = _converter()
_UNSTRUCTURE = {kind: _CONVERTER.get_unstructure_hook(kind) for kind in _NAMES}
_STRUCTURE = {kind: _CONVERTER.get_structure_hook(kind) for kind in _NAMES}


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
        envelope = upcast(json.loads(text))
        name, body = envelope["fact"], envelope["body"]
    except (ValueError, KeyError, TypeError) as error:
        raise JournalForeign(f"a payload is not one of ours: {text[:80]!r}") from error
    kind = _TYPES.get(name)
    if kind is None:
        raise JournalForeign(f"a payload holds a {name!r}, which this code does not know")
    try:
        return _STRUCTURE[kind](body, kind)
    except Exception as error:
        unknown = ", ".join(sorted(error.extra_fields)) if isinstance(error, ForbiddenExtraKeysError) else ""
        why = f" (it holds {unknown}, which this code does not know)" if unknown else ""
        raise JournalForeign(f"a payload named {name!r} does not hold one{why}: {text[:80]!r}") from error


assert set(get_args(Fact)) <= set(_NAMES)  # noqa: S101 - a fact without a name cannot be journaled
