"""HTML that cannot be forgotten to be escaped: what is not `Markup` is text, and stays text."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Without a closing tag. The shapes of SVG are closed where they open.
VOID = {"br", "hr", "input", "link", "meta", "wbr"}
SHAPES = {"circle", "line", "path", "polygon", "polyline", "rect", "use"}

# What no page may hold (controls, halves of surrogate pairs), and what would make a reader see other text than is
# there (changes of writing direction). A venue can put any of them into a message.
_UNFIT = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
_INSTEAD = "\N{REPLACEMENT CHARACTER}"


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: str) -> Markup:
    """Return *value* as HTML that shows it, whatever it holds."""
    return value if isinstance(value, Markup) else Markup(escape(_UNFIT.sub(_INSTEAD, value)))


def join(parts: Iterable[str], between: str = "") -> Markup:
    """Return *parts* one after the other; what is not HTML is escaped."""
    return Markup(text(between).join(map(text, parts)))


def tag(name: str, /, *children: str | None, **attributes: str | float | bool | None) -> Markup:
    """Return an element.

    Args:
        name: Of the element.
        children: What is in it; what is not `Markup` is escaped, None is left out.
        attributes: ``class_`` is written ``class``, ``aria_label`` is written ``aria-label``. None and False leave
            one out, True writes its name alone.
    """
    told = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    if name in VOID:
        return Markup(f"<{name}{told}>")
    inner = "".join(text(child) for child in children if child is not None)
    if not inner and name in SHAPES:
        return Markup(f"<{name}{told}/>")
    return Markup(f"<{name}{told}>{inner}</{name}>")


def _attribute(key: str, value: str | float | bool) -> str:  # noqa: FBT001 - it is the value of an attribute
    name = key.rstrip("_").replace("_", "-")
    if value is False:
        return ""
    if value is True:
        return f" {name}"
    return f' {name}="{escape(_UNFIT.sub(_INSTEAD, str(value)))}"'
