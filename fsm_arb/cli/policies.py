"""A policy from a file of the user's own: TOML, one line a number."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cattrs import Converter
from cattrs.errors import ForbiddenExtraKeysError

from fsm_arb.errors import InvalidInput
from fsm_arb.policy import ExecutionPolicy

if TYPE_CHECKING:
    from pathlib import Path


def read_policy(path: Path) -> ExecutionPolicy:
    """Return the policy that a TOML file describes; what it leaves out stays as it is by default.

    Raises:
        InvalidInput: It is no TOML, names what is no field of a policy, or a number is out of range.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput("policy", path.name, f"is no TOML: {error}") from error
    try:
        return _CONVERTER.structure(given, ExecutionPolicy)
    except InvalidInput:
        raise
    except ForbiddenExtraKeysError as error:
        names = ", ".join(sorted(error.extra_fields))
        raise InvalidInput("policy", path.name, f"names {names}, which no policy has") from error
    except (ValueError, TypeError) as error:
        raise InvalidInput("policy", path.name, str(error)) from error


def read_changes(path: Path) -> dict[str, Any]:
    """Return only the numbers of a policy that a TOML file names, as a policy holds them.

    Raises:
        InvalidInput: It is no TOML, names what is no field of a policy, or a number is out of range.
    """
    policy = read_policy(path)
    return {name: getattr(policy, name) for name in tomllib.loads(path.read_text(encoding="utf-8"))}


def _converter() -> Converter:
    # The policy itself converts and judges every value, and names field and value in what it raises.
    converter = Converter(forbid_extra_keys=True, detailed_validation=False)
    converter.register_structure_hook(Decimal, _as_given)
    converter.register_structure_hook(int, _as_given)
    converter.register_structure_hook_func(
        lambda kind: isinstance(kind, type) and hasattr(kind, "__members__"), _as_given
    )
    return converter


def _as_given(value: Any, _kind: Any) -> Any:
    return value


_CONVERTER = _converter()
