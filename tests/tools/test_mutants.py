"""The mistakes that the tests are tried with: that each kind is made, once, and named so that a reader finds it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tools"))

from mutants import enums_of, mutants_of

SIDES = 'class Side(Enum):\n    BUY = "buy"\n    SELL = "sell"\n'


def mistakes(source: str) -> set[tuple[str, str]]:
    enums = enums_of([ast.parse(SIDES)])
    return {(each.before, each.after) for each in mutants_of(source, "m", enums)}


@pytest.mark.parametrize(
    ("line", "before", "after"),
    [
        ("x = a < b", "a < b", "a <= b"),
        ("x = a < b", "a < b", "a >= b"),
        ("x = a is not b", "a is not b", "a is b"),
        ("x = a + b", "a + b", "a - b"),
        ("x = a and b", "a and b", "a or b"),
        ("x = a and b", "a and b", "a"),
        ("x = not a", "not a", "a"),
        ("x = -a", "-a", "a"),
        ("x = a[1]", "a[1]", "a[0]"),
        ("x = True", "x = True", "x = False"),
        ("x = 'code'", "x = 'code'", "x = 'code~'"),
        ("x = min(a, b)", "min(a, b)", "max(a, b)"),
        ("x = abs(a)", "abs(a)", "a"),
        ("x = f(a, b=c)", "f(a, b=c)", "f(a)"),
        ("x = Side.BUY", "x = Side.BUY", "x = Side.SELL"),
        ("x = {a: b, c: d}", "{a: b, c: d}", "{c: d}"),
        ("x = {a, b}", "{a, b}", "{b}"),
        ("x = b if a else c", "a", "not a"),
        ("x = [a for a in b if a]", "for a in b if a", "for a in b"),
        ("x += 1", "x += 1", "x -= 1"),
        ("x += 1", "x += 1", "pass"),
        ("a.b = c", "a.b = c", "pass"),
        ("raise E('so')", "raise E('so')", "pass"),
        ("return a", "return a", "return None"),
    ],
)
def test_each_small_mistake_is_made(line: str, before: str, after: str) -> None:
    """Comparisons, arithmetic, logic, constants, members, calls, and what is left out."""
    assert (before, after) in {(one.strip(), other.strip()) for one, other in mistakes(f"def f():\n    {line}\n")}


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""',
        "import a",
        "if TYPE_CHECKING:\n    x = 1",
        "def f(a: int | str) -> None: ...",
        "@frozen(kw_only=True)\nclass A: ...",
        SIDES,
        "x = 'a sentence for people'",
        "x: int",
        "x = f'{a + b} of them'",
    ],
)
def test_what_only_people_and_type_checkers_read_is_left_alone(source: str) -> None:
    """No test should hang on it."""
    assert mistakes(source) == set()


def test_a_mistake_changes_nothing_else() -> None:
    """And the source it was made in stays whole."""
    source = "def f(a, b):\n    if a < b:\n        return a\n    return b\n"
    made = next(each for each in mutants_of(source, "m", {}) if each.after == "a >= b")
    assert ast.unparse(made.tree()) == source.replace("<", ">=").strip()
    assert (made.where, made.line, made.in_function) == ("m.f", 2, True)


def test_mistakes_that_read_alike_are_numbered() -> None:
    """So that an explanation excuses one of them, not both."""
    names = [each.name for each in mutants_of("x = a < b\ny = a < b\n", "m", {}) if each.after == "a <= b"]
    assert names == ["`m`: `a < b` -> `a <= b`", "`m`: `a < b` -> `a <= b` #2"]
