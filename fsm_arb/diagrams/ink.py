"""How each kind of thing is drawn."""

from __future__ import annotations

from attrs import frozen


@frozen
class Ink:
    """One kind of thing: a name, and how it looks."""

    name: str
    ink: str
    fill: str
    width: float  # px


HAPPY = Ink("happy", "#1d5f9c", "#e6f0fa", 2.4)
REMEDY = Ink("remedy", "#b3640a", "#fdf0dc", 1.3)
OTHER = Ink("other", "#6b7280", "#f3f4f6", 1.3)
FAINT = Ink("faint", "#c3c8d0", "#fafafa", 1.0)  # what no run has reached; drawn with dashes
PAPER, TEXT, GUARD_TEXT = "#ffffff", "#1f2937", "#4b5563"
