"""Colours: what is written can be read."""

from __future__ import annotations

import pytest

from fsm_arb.diagrams.ink import FAINT, GUARD_TEXT, HAPPY, OTHER, PAPER, REMEDY, TEXT


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("ink", "paper"),
    [(TEXT, HAPPY.fill), (TEXT, REMEDY.fill), (HAPPY.ink, PAPER), (OTHER.ink, PAPER), (GUARD_TEXT, PAPER)],
)
def test_text_stands_out_from_what_is_behind_it(ink: str, paper: str) -> None:
    """By the web's own measure of contrast for small text."""
    assert contrast(ink, paper) >= 4.5


def test_what_was_not_reached_is_fainter_than_all_that_was() -> None:
    """And is still seen."""
    reached = min(contrast(each.ink, PAPER) for each in (HAPPY, REMEDY, OTHER))
    assert 1.5 < contrast(FAINT.ink, PAPER) < reached / 2
